"""What each backend must do, with real environments and wheels that are made here."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from runner.envs import BACKENDS, Backend, folder, interpreters, load_backend
from runner.model import Needs
from runner.running import Environment, Interpreter
from tests.conda_channel import Channel
from tests.conftest import Folder, make_wheel

pytestmark = pytest.mark.measured

NEEDS = Needs(None, (), (), (), (), (), (), "", True)
FACTS = (
    "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, list(sys.version_info[:3])]))"
)


class Made(NamedTuple):
    """An environment that a backend made, and where its installer finds wheels."""

    backend: Backend
    environment: Environment
    environ: dict[str, str]
    wheels: Path

    def run(self, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """A command with the installers' variables of the tests."""
        done = subprocess.run(
            argv, env=self.environ, text=True, capture_output=True, stdin=subprocess.DEVNULL
        )
        assert done.returncode == 0 or not check, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done

    def python(self, *arguments: str) -> str:
        """What the environment's Python prints."""
        return self.run(self.environment.python, *arguments).stdout.strip()

    def install(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """An install by the backend's installer."""
        return self.run(*self.backend.install_argv(self.environment, arguments), check=check)


def make(
    name: str, root: Path, uv_cache: Path, interpreter: Interpreter, options: tuple[str, ...] = ()
) -> Made:
    """An environment, made as a run makes it."""
    wheels = root / "wheels"
    wheels.mkdir()
    environ = Folder(root, wheels, uv_cache).environ
    del environ["PYTHONPATH"]
    path = str(root / "environment")
    backend = load_backend(name)
    if name == "conda":
        pytest.importorskip("rattler", reason="py-rattler is an extra")
        environ["RATTLER_CACHE_DIR"] = str(root / "rattler")
        version = Channel(root / "channel").add_python()
        needs = NEEDS._replace(channels=("./channel",))
        brought = backend.bring(version, needs, path, str(root), str)
        assert brought is not None
        interpreter, options = brought.interpreter, (*brought.options, *options)
    environment = Environment(
        path, folder.bin_folder(path), folder.python_in(path), interpreter, name
    )
    made = Made(backend, environment, environ, wheels)
    folder.start_environment(path, "our journal")
    if not backend.write_bare(path, interpreter, options):
        made.run(*backend.make_argv(path, interpreter, options))
    return made._replace(environment=backend.finish(environment))


def another_python(cache_dir: Path) -> Interpreter:
    """A Python that is not the one that runs the tests, where there is one."""
    running = interpreters.find(None, cache_dir=str(cache_dir))
    minor = ".".join(running.version.split(".")[:2])
    try:
        return interpreters.find(f">=3.10,!={minor}.*", cache_dir=str(cache_dir))
    except interpreters.InterpreterMissing:
        return running


@pytest.fixture(scope="module", params=sorted(BACKENDS))
def made(request, tmp_path_factory: pytest.TempPathFactory, uv_cache: Path) -> Made:
    """One environment for the tests of a backend: each installs what is its own."""
    root = tmp_path_factory.mktemp(request.param)
    return make(request.param, root, uv_cache, another_python(root / "cache"))


def test_it_can_be_used_here(made: Made):
    assert made.backend.why_not() == ""


def test_its_python_is_the_one_asked_for(made: Made):
    prefix, base, version = json.loads(made.python("-c", FACTS))

    assert os.path.realpath(prefix) == os.path.realpath(made.environment.path)
    # A conda environment is no virtual one: it has a Python of its own.
    is_virtual = os.path.realpath(base) != os.path.realpath(prefix)
    assert is_virtual == (made.environment.backend != "conda")
    assert ".".join(map(str, version)) == made.environment.interpreter.version


def test_our_journal_is_still_in_its_folder(made: Made):
    assert Path(made.environment.path, folder.JOURNAL).read_text() == "our journal"


def test_its_site_packages_are_where_we_look_for_them(made: Made):
    told = made.python("-c", "import sysconfig; print(sysconfig.get_path('purelib'))")

    assert [os.path.realpath(f) for f in folder.site_packages(made.environment.path)] == [
        os.path.realpath(told)
    ]


def test_a_wheel_is_installed_with_what_it_requires(made: Made):
    make_wheel(made.wheels, "needed", "1.5")
    make_wheel(made.wheels, "needing", "2.5", requires=("needed",))

    made.install("needing")

    shown = made.python("-c", "import needed, needing; print(needed.version, needing.version)")
    assert shown == "1.5 2.5"


def test_a_program_of_a_wheel_runs(made: Made):
    make_wheel(
        made.wheels,
        "program",
        files={"program.py": "def main():\n    print('it runs')\n"},
        scripts={"a-program": "program:main"},
    )

    made.install("program")

    assert made.run(os.path.join(made.environment.bin, "a-program")).stdout == "it runs\n"


def test_files_and_options_are_those_of_pip(made: Made):
    make_wheel(made.wheels, "limited", "1.0", requires=("nowhere",))
    make_wheel(made.wheels, "limited", "2.0")
    (made.wheels / "requirements.txt").write_text("limited\n")
    (made.wheels / "constraints.txt").write_text("limited<2\n")

    made.install(
        "--no-deps",
        *("-r", str(made.wheels / "requirements.txt")),
        *("-c", str(made.wheels / "constraints.txt")),
    )

    assert made.python("-c", "import limited; print(limited.version)") == "1.0"


def test_an_install_that_fails_has_an_exit_code_and_says_what(made: Made):
    done = made.install("nowhere-to-be-found", check=False)

    assert done.returncode != 0
    assert "nowhere-to-be-found" in done.stdout + done.stderr


def test_pip_is_a_module(made: Made):
    make_wheel(made.wheels, "by-module", "1.5")

    made.python("-m", "pip", "install", "by-module")

    assert "by-module==1.5" in made.python("-m", "pip", "freeze").splitlines()


def test_pip_is_a_program(made: Made):
    make_wheel(made.wheels, "by-program", "1.5")

    made.run(os.path.join(made.environment.bin, "pip"), "install", "by-program")
    shown = made.python("-c", "import by_program; print(by_program.version)")
    made.run(os.path.join(made.environment.bin, "pip"), "uninstall", "-y", "by-program")

    assert shown == "1.5"
    assert made.run(made.environment.python, "-c", "import by_program", check=False).returncode == 1


@pytest.mark.parametrize("name", sorted({*BACKENDS} - {"conda"}))
def test_backend_options_reach_what_makes_the_environment(
    name: str, tmp_path: Path, uv_cache: Path
):
    running = interpreters.find(None, cache_dir=str(tmp_path / "cache"))

    made = make(name, tmp_path, uv_cache, running, ("--system-site-packages",))

    settings = Path(made.environment.path, "pyvenv.cfg").read_text()
    assert "include-system-site-packages = true" in settings


def test_backend_options_reach_rattler(tmp_path: Path, uv_cache: Path):
    running = interpreters.find(None, cache_dir=str(tmp_path / "cache"))
    Channel(tmp_path / "second").add("thing")
    further = ("--channel", str(tmp_path / "second"), "--spec", "thing")

    made = make("conda", tmp_path, uv_cache, running, further)

    assert Path(made.environment.path, "share/thing.txt").read_text() == "thing 1.0\n"


ENVIRON = {
    "CONDA_OVERRIDE_GLIBC": "2.28",
    "HOME": "/home/somebody",
    "PATH": "/bin",
    "PIP_CACHE_DIR": "/cache",
    "PIP_CONSTRAINT": "/limits.txt",
    "PIP_INDEX_URL": "https://one",
    "PIP_NO_INPUT": "1",
    "PIP_PROGRESS_BAR": "off",
    "PYTHONWARNINGS": "error",
    "UV_CACHE_DIR": "/cache",
    "UV_CONCURRENT_DOWNLOADS": "2",
    "UV_DEFAULT_INDEX": "https://one",
    "UV_EXCLUDE_NEWER": "2026-01-01",
    "UV_HTTP_TIMEOUT": "9",
    "UV_NO_PROGRESS": "1",
    "VIRTUALENV_OVERRIDE_APP_DATA": "/data",
    "VIRTUALENV_SYSTEM_SITE_PACKAGES": "1",
}


def test_virtualenvs_version_is_what_its_distribution_says():
    assert load_backend("virtualenv").version() == importlib.metadata.version("virtualenv")


@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("uv", ["UV_DEFAULT_INDEX", "UV_EXCLUDE_NEWER"]),
        ("virtualenv", ["PIP_CONSTRAINT", "PIP_INDEX_URL", "VIRTUALENV_SYSTEM_SITE_PACKAGES"]),
        ("venv", ["PIP_CONSTRAINT", "PIP_INDEX_URL"]),
        ("conda", ["CONDA_OVERRIDE_GLIBC", "UV_DEFAULT_INDEX", "UV_EXCLUDE_NEWER"]),
    ],
)
def test_the_variables_that_change_what_is_made_are_named_with_their_values(
    name: str, named: list[str]
):
    assert load_backend(name).installer_variables(ENVIRON) == {
        variable: ENVIRON[variable] for variable in named
    }
