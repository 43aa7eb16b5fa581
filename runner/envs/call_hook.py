"""Calls one hook of a build backend: a program for the Python of a build environment.

Knows nothing of us: it is run as a file, by Pythons that we do not run on, and so
written as Python 3.6 reads it. How the backend is found, and that its folder in the
project comes before anything installed, is as pyproject_hooks does it (PEP 517,
"Build environment" and "In-tree build backends").

    python call_hook.py HOOK BACKEND OUT [FOLDER OF backend-path …]

OUT: the folder that the hook writes into, or the file for what it answers.
"""

import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder


class InTree:
    """Finds what lies in the folders of `backend-path`, and the backend nowhere else."""

    def __init__(self, package: str, folders: "list[str]") -> None:
        self.package = package
        self.folders = folders

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:  # noqa: ARG002  # importlib's signature
        """The top module of that name, if it is there."""
        if "." in name:
            return None  # a part is found by its package
        spec = PathFinder.find_spec(name, self.folders)
        if spec is None and name == self.package:
            raise ImportError(
                "%s is not in the backend-path, %s" % (name, ", ".join(self.folders))  # noqa: UP031
            )
        return spec

    def find_distributions(self, context: object = None) -> object:
        """The metadata of distributions there: setuptools builds itself by its entry points."""
        from importlib.metadata import DistributionFinder, MetadataPathFinder

        name = getattr(context, "name", None)
        wanted = DistributionFinder.Context(name=name, path=self.folders)
        return MetadataPathFinder.find_distributions(wanted)


def backend_of(spec: str, folders: "list[str]") -> object:
    """The object that `build-backend` names: `module` or `module:object`."""
    module, _, names = spec.partition(":")
    if folders:
        sys.meta_path.insert(0, InTree(module.partition(".")[0], folders))  # type: ignore[arg-type]  # what importlib asks of one has grown
    found: object = import_module(module)
    for name in names.split(".") if names else ():
        found = getattr(found, name)
    return found


def main(hook: str, spec: str, out: str, *folders: str) -> None:
    """Call the hook; what it raises is shown as Python shows it."""
    # Ours is the folder of this file, and no backend shall find a `lock` there.
    if not getattr(sys.flags, "safe_path", False):
        del sys.path[0]
    programs = os.path.dirname(sys.executable)
    os.environ["PATH"] = programs + os.pathsep + os.environ.get("PATH", os.defpath)
    os.environ["VIRTUAL_ENV"] = sys.prefix
    backend = backend_of(spec, list(folders))
    function = getattr(backend, hook, None)
    if not hook.startswith("get_requires_"):
        if function is None:
            sys.exit("the build backend %s has no %s" % (spec, hook))  # noqa: UP031
        settings = (None,) if hook == "build_sdist" else (None, None)
        function(out, *settings)
        return
    import json

    asked: object = function(None) if function is not None else []
    with open(out, "w") as stream:
        json.dump(asked if isinstance(asked, (list, tuple)) else None, stream)


if __name__ == "__main__":
    main(*sys.argv[1:])
