"""What the code of an included envfile can import: modules of its own folder, and nobody else's.

Two packages may each have a `helpers.py`. `sys.path` and `sys.modules` are one for a
process, so they are changed while such code runs, and changed back. Knows nothing of
what the code is or does.
"""

from __future__ import annotations

import os
import sys

from runner.declare import current_registry, use_registry
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from runner.declare import Registry


def _is_wanted(folder: str) -> bool:
    """Whether somebody said that modules of a project's own folder are there for all.

    That runenv was started there as a module (`python -m runner`) puts it on the path as well.
    """
    said = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    home_of_runner = os.path.dirname(os.path.dirname(__file__))
    return folder == home_of_runner or folder in map(os.path.abspath, filter(None, said))


class Imports:
    """What one included envfile has imported; a context in which it finds that again."""

    def __init__(self, registry: Registry, common: Sequence[str]) -> None:
        """Nothing yet.

        registry: of the envfile, which `runner.project` asks where it is. common: the
        folders of `sys.path` that are there for all envfiles.
        """
        self._registry = registry
        self._path = [f for f in common if f and (f != registry.top or _is_wanted(f))]
        self._common = tuple(f + os.sep for f in self._path)
        self._modules: dict[str, ModuleType] = {}
        self._outside: list[tuple[list[str], dict[str, ModuleType], Registry]] = []

    def __enter__(self) -> None:
        self._outside.append((sys.path[:], self._taken_out(), current_registry()))
        sys.path[:] = self._path
        sys.modules.update(self._modules)
        use_registry(self._registry)

    def __exit__(self, *exception: object) -> None:
        path, modules, registry = self._outside.pop()
        self._path, self._modules = sys.path[:], self._taken_out()
        sys.path[:] = path
        sys.modules.update(modules)
        use_registry(registry)

    def _taken_out(self) -> dict[str, ModuleType]:
        """The modules that belong to one envfile alone, which are not in `sys.modules` now."""
        # A thread that prepares an environment imports meanwhile.
        own = {name: it for name, it in sys.modules.copy().items() if self._is_own(name, it)}
        for name in own:
            del sys.modules[name]
        return own

    def _is_own(self, name: str, module: ModuleType) -> bool:
        """Whether the module lies in none of the folders that are there for all."""
        if name == "__main__" or name.partition(".")[0] == "runner":
            return False
        facts = getattr(module, "__dict__", {})  # a lazy module would import when it is asked
        file = facts.get("__file__")
        if file is None:  # built in, or a package without an __init__.py
            file = next(iter(facts.get("__path__", ())), None)
        return isinstance(file, str) and not file.startswith(self._common)
