"""An envfile as its users write it. It is type-checked and never run.

What is an error for a type checker must be one: each `type: ignore` names the
error, and mypy tells of one that is not needed.
"""

from __future__ import annotations

import enum
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from typing_extensions import assert_type

import runner
from runner.model import Param
from runner.running import Finished

if TYPE_CHECKING:
    from collections.abc import Sequence

runner.needs_version = ">=0.1"

runner.include("packages/*/envfile.py")
runner.include(Path("tools") / "envfile.py", prefix="tools")
runner.include(None)  # type: ignore[arg-type]  # a path or a pattern

runner.options.default = ["lint", "tests"]
runner.options.python = ("3.10", ">=3.12")
runner.options.envdir = "~/.cache/environments"
runner.options.backend = "uv|virtualenv"
runner.options.fail_fast = True
runner.options.skip_missing = True
runner.options.verbose = False
runner.options.quiet = False
runner.options.color = "always"
runner.options.timeout = "5m"
runner.options.timeout = 0.5
runner.options.env_file = ["-.env"]
runner.options.color = "blue"  # type: ignore[assignment]  # none of the three
runner.options.defaults = ["lint"]  # type: ignore[attr-defined]  # no such option

PYPROJECT = assert_type(runner.project.load_toml(), dict[str, Any])
assert_type(runner.project.load_toml(Path("script.py"), missing_ok=True), dict[str, Any])
PYTHONS = assert_type(runner.project.python_versions(PYPROJECT), list[str])
assert_type(runner.project.python_versions(PYPROJECT, max_version="3.14"), list[str])
TEST = assert_type(runner.project.dependency_groups(PYPROJECT, "test", "docs"), tuple[str, ...])


@runner.session
def lint(session: runner.Session) -> None:
    """Bare."""
    session.run("ruff", "check", *session.posargs)


class Color(enum.Enum):
    """Something to choose from."""

    RED = "red"


@runner.session(python=False)
def release(
    session: runner.Session,
    *,
    part: Annotated[Literal["major", "minor"], "what is counted up"] = "minor",
    dry_run: bool = False,
    count: int,
    out: Path | None = None,
    skip: Sequence[str] = (),
    color: Color = Color.RED,
) -> None:
    """With options of its own, which keep their types where the function is called."""
    session.log(part, dry_run, count, out, skip, color)


def call_release(session: runner.Session) -> None:
    """A session is a function as any other."""
    release(session, part="major", count=1)
    release(session, part="mayor", count=1)  # type: ignore[arg-type]  # none of the two


@runner.session()
def types(session: runner.Session) -> None:
    """With brackets and nothing in them."""
    session.run("mypy")


@runner.session(
    python=["3.10", ">=3.12", "pypy3.11"],
    name="all",
    deps=["pytest>=8", *TEST],
    groups=["test"],
    extras=("fast",),
    requirements=["requirements.txt", Path("more.txt")],
    constraints=[Path("constraints.txt")],
    project="editable",
    resolution="lowest-direct",
    prerelease="if-necessary",
    exclude_newer="2024-01-31",
    backend="uv|virtualenv",
    backend_options=["--seed"],
    environment="dev",
    env={"CI": "1", "HOME": None},
    env_file=[".env", Path("more.env")],
    inputs=["src", Path("tests"), "*.toml"],
    outputs=["docs/_build"],
    tags=["slow"],
    group="release",
    requires=[lint, "types", "tests-{python}"],
    after=[lint, "tests-*"],
    default=False,
    reuse=False,
    timeout=60,
    retries=2,
    resources={"gpu": 1, "memory": "8GB"},
    retries_on_loss=2,
    idempotent=True,
    confirm="Publish it?",
)
@runner.parametrize("api", ["old", "new"])
@runner.parametrize("number, path", [(1, Path("a")), (2, Path("b"))], ids=["one", None])
@runner.parametrize(["left", "right"], [(1, 2)], ids=lambda value: str(value), tags=["pair"])
@runner.parametrize(
    "speed", [runner.param(1, id="slow", tags=["nightly"]), runner.param(2), 3], tags=("speed",)
)
def everything(
    session: runner.Session, api: str, number: int, path: Path, left: int, right: int, speed: int
) -> str:
    """Every argument of every decorator, on a function with arguments of its own."""
    return f"{session.name}{api}{number}{path}{left}{right}{speed}"


@runner.session
@runner.parametrize("python, django", [("3.10", "4.2"), runner.param("3.13", "5.1", id="new")])
def rows_with_a_python(session: runner.Session, django: str) -> str:
    """The Python of each row is the job's, and no argument."""
    return django


@runner.session(python="3.12", project="wheel")
def one_python(session: runner.Session) -> None:
    """One Python."""


@runner.session(backend="conda", conda_deps=["gdal"], channels=[Path("channel"), "conda-forge"])
def of_conda(session: runner.Session) -> None:
    """Of packages of conda."""


@runner.session(python=False)
def no_environment(session: runner.Session) -> None:
    """None at all."""


@runner.session(python=None, project=False, backend=None)
def the_defaults(session: runner.Session) -> None:
    """What stands for nothing may be written."""


@runner.session(python=3.10)  # type: ignore[call-overload,untyped-decorator]  # is 3.1
def a_number(session: runner.Session) -> None:
    """3.10 and 3.1 are the same number."""


@runner.session(dep=["pytest"])  # type: ignore[call-overload,untyped-decorator]  # misspelt
def misspelt(session: runner.Session) -> None:
    """There is no argument of that name."""


@runner.session(lock="uv", groups=["test"])
def locked(session: runner.Session) -> None:
    """From uv.lock."""


@runner.session(resolution="low")  # type: ignore[call-overload,untyped-decorator]  # none of the three
def low(session: runner.Session) -> None:
    """Misspelt."""


@runner.session(project="edit")  # type: ignore[call-overload,untyped-decorator]  # no such way
def no_such_way(session: runner.Session) -> None:
    """Neither a wheel nor editable."""


# What is decorated keeps its type: it can be called by other code.

assert_type(runner.param(1, "a", id="x", tags=["t"]), Param)


def decorated_functions_keep_their_types(session: runner.Session) -> None:
    """Bare, with arguments, and parametrized."""
    assert_type(lint(session), None)
    assert_type(everything(session, "old", 1, Path(), 1, 2, 3), str)
    everything(session, 1, 1, Path(), 1, 2, 3)  # type: ignore[arg-type]  # api is a string
    lint()  # type: ignore[call-arg]  # a session function takes its Session


@runner.session
def servers(session: runner.Session) -> None:
    """What runs beside it, and what is kept."""
    session.background("server", Path("app"), ready=8000, timeout=1.5, env={"A": None}, cwd=".")
    session.background("server", ready=lambda: session.name == "up", external=True)
    with session.background("server", ready="listening") as server:
        assert_type(server.pid, int)
        assert_type(server.log, str)
        assert_type(server.returncode, int | None)
        assert_type(server.stop(), None)
    session.background("server", ready=1.5)  # type: ignore[arg-type]  # neither port nor text
    assert_type(session.artifact(Path("htmlcov"), name="coverage"), str)


@runner.session
def facts(session: runner.Session) -> None:
    """What a Session is."""
    assert_type(session.name, str)
    assert_type(session.python, str | None)
    assert_type(session.python_version, str)
    assert_type(session.env_dir, str)
    assert_type(session.bin, str)
    assert_type(session.bin_paths, list[str])
    assert_type(session.cache_dir, str)
    assert_type(session.venv_backend, str)
    assert_type(session.interactive, bool)
    assert_type(session.posargs, list[str])
    assert_type(session.env, dict[str, str | None])
    session.env["CI"] = "1"
    session.env["HOME"] = None
    session.env.update({"A": "1"})
    session.env["A"] = 1  # type: ignore[assignment]  # variables are strings
    session.name = "other"  # type: ignore[misc]  # a job keeps its name


@runner.session
def commands(session: runner.Session) -> None:
    """What `run` returns follows from how it is asked."""
    assert_type(session.run("pytest"), Literal[True])
    assert_type(session.run("pytest", Path("tests"), "-x", log=False), Literal[True])
    assert_type(session.run("pytest", check=True, capture=False, silent=False), Literal[True])
    assert_type(session.run("git", "status", capture=True), Finished)
    assert_type(session.run("git", "status", check=False), Finished)
    assert_type(session.run("git", "status", capture=True, check=False), Finished)
    assert_type(session.run("git", "status", silent=True, check=False), Finished)
    assert_type(session.run("git", "status", silent=True), str)
    assert_type(session.run("git", "status", silent=True, check=True), str)
    assert_type(session.run("git", silent=session.interactive), Finished | str | Literal[True])
    session.run(
        "python",
        "-c",
        "pass",
        env={"CI": "1", "HOME": None},
        include_outer_env=False,
        cwd=Path("sub"),
        timeout=2.5,
        retries=2,
        input="text",
        success_codes=[0, 5],
        external=True,
        log=False,
    )
    session.run("python", env=None, cwd=None, timeout=None, input=None, success_codes=None)
    session.run("pytest", timeuot=3)  # type: ignore[call-overload]  # misspelt
    session.run("pytest", 3)  # type: ignore[call-overload]  # 3 is no word
    session.run(["pytest"])  # type: ignore[call-overload]  # a list is no program
    session.run()  # type: ignore[call-overload]  # nothing to run

    done = session.run("git", "status", capture=True)
    assert_type(done.returncode, int)
    assert_type(done.stdout, str)
    assert_type(done.stderr, str)
    assert_type(done.duration_s, float)
    assert_type(done.timed_out, bool)


@runner.session
def functions(session: runner.Session) -> None:
    """A function in place of a program, as in nox: called with all, and its value comes back."""
    assert_type(session.run(os.getcwd), str)
    session.run(shutil.rmtree, "build", ignore_errors=True)


@runner.session
def other_methods(session: runner.Session) -> None:
    """Every other method."""
    assert_type(session.install("pytest", "-r", Path("requirements.txt")), None)
    assert_type(session.conda_install("gdal>=3.9", "r-base", channel="bioconda"), None)
    assert_type(session.run_install("make", "deps", env={"A": "1"}, cwd="sub"), None)
    assert_type(session.run_always("make", external=True), None)
    session.install_and_run_script("script.py", "argument", timeout=3)
    session.install_and_run_script(Path("script.py"))
    session.log("words", 1, None)
    session.warn("words")
    session.debug("words")
    assert_type(session.create_tmp(), str)
    session.chdir("folder")
    with session.chdir(Path("folder")):
        session.run("make")
    with session.cd("folder"):
        session.run("make")
    session.notify("lint")
    session.notify(lint, ["--fix"])
    session.notify(lint, posargs=("--fix",))
    session.install(["pytest"])  # type: ignore[arg-type]  # unpack it
    try:
        session.run("pytest")
    except runner.CommandTimedOut as error:
        assert_type(error.returncode, int)
    except runner.CommandFailed as error:
        assert_type(error.returncode, int)


@runner.session
def an_end(session: runner.Session) -> None:
    """`skip` and `error` do not return."""
    first = session.posargs[0] if session.posargs else None
    if first is None:
        session.skip("nothing", "to do")
    assert_type(first, str)
    if session.python is None:
        session.error("no Python", None)
    assert_type(session.python, str)
