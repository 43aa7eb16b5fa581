"""What many tests need: a project folder with runenv in it, and small wheels made here."""

from __future__ import annotations

import compileall
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent

# What the surroundings of the tests must not decide.
_FOREIGN = ("RUNENV_", "PIP_", "UV_", "VIRTUALENV_", "NOX", "TOX")
_FOREIGN += ("GITHUB_", "GITLAB_", "CI_", "CIRCLE", "BUILDKITE", "TF_BUILD", "SYSTEM_", "STRATEGY_")
_COLOR = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CI", "COLUMNS")


# A shell without job control starts what runs in its background with SIGINT and SIGQUIT
# ignored, pytest-xdist its workers with SIGINT; nohup ignores SIGHUP. Ignored signals are inherited.
signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32":
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# How coverage starts in each process: in 0.15 s, more than most runs of runenv take.
COVERAGE = os.environ.get("COVERAGE_PROCESS_CONFIG")

# What takes minutes and tells little more than what else runs: with TESTS_FULL=1 alone.
FULL = [pytest.mark.slow, pytest.mark.full]


def pytest_configure(config: pytest.Config) -> None:
    """Compile runenv once: thousands of runs, which write no bytecode, would each do so."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(ROOT / "runner", quiet=1)


def is_full(item: pytest.Item) -> bool:
    """Whether a test runs with TESTS_FULL=1 alone."""
    if item.get_closest_marker("full") is not None:
        return True
    # venv is virtualenv's pip in another folder; tests/contracts has both do the same.
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return item.path.parent.name == "features" and parameters.get("backend") == "venv"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is slow runs last, and what is full where that is asked for."""
    if os.environ.get("TESTS_FULL") != "1":
        left = {item for item in items if is_full(item)}
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have coverage measure also what a test starts where the test is marked for that."""
    if COVERAGE is None:
        return
    if item.get_closest_marker("measured") is not None:
        os.environ["COVERAGE_PROCESS_CONFIG"] = COVERAGE
    else:
        os.environ.pop("COVERAGE_PROCESS_CONFIG", None)


class Done(NamedTuple):
    """How a run of runenv ended."""

    code: int
    out: str
    err: str


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    requires: tuple[str, ...] = (),
    files: dict[str, str] | None = None,
    scripts: dict[str, str] | None = None,
) -> Path:
    """A pure wheel of that name, with a module of that name that knows its version."""
    module = name.replace("-", "_")
    content = {f"{module}.py": f"version = {version!r}\n", **(files or {})}
    info = f"{module}-{version}.dist-info"
    requirements = "".join(f"Requires-Dist: {text}\n" for text in requires)
    content[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}"
    )
    content[f"{info}/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    if scripts:
        lines = "".join(f"{script} = {target}\n" for script, target in scripts.items())
        content[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}"
    record = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    content[f"{info}/RECORD"] = record
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in content.items():
            archive.writestr(member, text)
    return path


class Folder:
    """A project folder in which runenv is run as a user would run it."""

    def __init__(self, root: Path, wheels: Path, uv_cache: Path) -> None:
        self.root = root
        self.wheels = wheels
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN) and name not in _COLOR
        }
        self.environ = {
            **kept,
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "UV_CACHE_DIR": str(uv_cache),
            "RUNENV_STORE": str(root.parent / "store"),
            "UV_OFFLINE": "1",
            "UV_FIND_LINKS": str(wheels),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_CONFIG_FILE": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_SYSTEM": os.devnull,
        }

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def envfile(self, text: str) -> Path:
        """The project's envfile; `import runner` is written for it."""
        return self.write("envfile.py", "import runner\n\n" + textwrap.dedent(text))

    def wheel(self, name: str, version: str = "1.0", **more: object) -> Path:
        """A wheel that the project's installers find."""
        return make_wheel(self.wheels, name, version, **more)  # type: ignore[arg-type]  # handed on

    def start(
        self, *arguments: str, env: dict[str, str] | None = None, **popen: object
    ) -> subprocess.Popen[str]:
        """A run of runenv that goes on while the test does."""
        options: dict[str, object] = {
            "cwd": self.root,
            "env": {**self.environ, **(env or {})},
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "text": True,
            "encoding": "utf-8",
            **popen,
        }
        return subprocess.Popen([sys.executable, "-m", "runner", *arguments], **options)  # type: ignore[call-overload, no-any-return]  # handed on

    def run(self, *arguments: str, env: dict[str, str] | None = None, **popen: object) -> Done:
        """A run of runenv from start to end."""
        with self.start(*arguments, env=env, **popen) as process:
            try:
                out, err = process.communicate(timeout=100)  # faulthandler ends us after 120
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return Done(process.returncode, out, err)

    def passes(self, *arguments: str, env: dict[str, str] | None = None) -> Done:
        """A run that must end with 0."""
        done = self.run(*arguments, env=env)
        assert done.code == 0, f"exit code {done.code}\n{done.out}\n{done.err}"
        return done


class Beside(Folder):
    """A project folder whose runs have one more job, so that with -j each has a worker."""

    def envfile(self, text: str) -> Path:
        other = "\n@runner.session(python=False, timeout=3600)\ndef beside(session): ...\n"
        return super().envfile(textwrap.dedent(text) + other)

    def start(
        self, *arguments: str, env: dict[str, str] | None = None, **popen: object
    ) -> subprocess.Popen[str]:
        # Where sessions are named they come first.
        names = ["beside"] if arguments and not arguments[0].startswith("-") else []
        return super().start(*arguments, *names, env=env, **popen)


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="forks, signals and shells")
IN_ALL_WAYS = ["one", pytest.param("fork", marks=POSIX), "spawn"]


def in_a_way(way: str, folder: Folder) -> Folder:
    """The project folder, whose jobs run in this process, or in workers of one kind."""
    if way == "one":
        return folder
    beside = Beside(folder.root, folder.wheels, Path(folder.environ["UV_CACHE_DIR"]))
    beside.environ |= {"RUNENV_JOBS": "2", "RUNENV_WORKER": way}
    return beside


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """uv's cache for all tests: empty at first, and nobody else's."""
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def folder(tmp_path: Path, uv_cache: Path) -> Folder:
    """An empty project folder."""
    root = tmp_path / "project"
    root.mkdir()
    (tmp_path / "wheels").mkdir()
    return Folder(root, tmp_path / "wheels", uv_cache)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty folder, for an envfile that the test's own process loads."""
    made = tmp_path / "root"
    made.mkdir()
    return made


@pytest.fixture
def imports_are_undone() -> Iterator[None]:
    """What an envfile imports, and its folder on sys.path, are none of the next test's."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]
