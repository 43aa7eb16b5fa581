"""runenv's own sessions: we run ourselves with ourselves."""

import os

import runner

runner.options.default = ["lint", "types", "coverage"]

# One more than there are CPUs, since each waits for its processes; who has nothing left takes from
# the others, since some tests take seconds.
SHARED_OUT = ["-n", str((os.cpu_count() or 1) + 1), "--dist", "worksteal"]


@runner.session(groups=["lint"])
def lint(session: runner.Session) -> None:
    """Check the style."""
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check", "--quiet")


@runner.session(groups=["types"], project="editable")
def types(session: runner.Session) -> None:
    """Check the types, strictly, with mypy and pyright."""
    session.run("mypy")
    session.run("pyright")


@runner.session(python=[">=3.10"], groups=["test"], project="editable")
def tests(session: runner.Session) -> None:
    """Run the tests on each Python that is found."""
    session.run("pytest", *SHARED_OUT, "-m", "not slow", *session.posargs)


@runner.session(groups=["test"], project="editable")
def coverage(session: runner.Session) -> None:
    """Run the tests but the slow ones, and show which lines and branches they reach."""
    session.run("coverage", "erase")
    fast = [*SHARED_OUT, "-m", "not slow"]
    session.run("coverage", "run", "-m", "pytest", *fast, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", "--fail-under=95")


@runner.session(groups=["test"], project="editable", default=False)
def slow(session: runner.Session) -> None:
    """Run the slow tests: killed runs, changes with every backend, every Python."""
    # More than there are CPUs: what they wait for are the graces of processes that ignore signals.
    session.run("pytest", "-n", "4", "--dist", "worksteal", "-m", "slow", *session.posargs)


@runner.session(groups=["docs"], project="editable")
def docs(session: runner.Session) -> None:
    """Build the documentation; warnings and dead links are errors."""
    # -E: of a page that has not changed since it was warned of, nothing would be said again.
    session.run(
        "sphinx-build",
        "-E",
        "-W",
        "--keep-going",
        "-q",
        "docs",
        "docs/_build/html",
        *session.posargs,
    )
    session.run("python", "docs/check_links.py", "docs/_build/html")
    session.run("sphinx-build", "-W", "-q", "-b", "man", "docs", "docs/_build/man")


@runner.session(project="editable", default=False)
def pictures(session: runner.Session) -> None:
    """Make the pictures of the pages: real runs at a real terminal."""
    session.run("python", "docs/pictures/make.py", *session.posargs)


@runner.session(deps=[], default=False)
def changelog(session: runner.Session) -> None:
    """Show what has changed since the last release; with a version and a day, release it."""
    session.run("python", "changes/collect.py", *session.posargs)


@runner.session(deps=["build", "twine"], default=False)
def release(session: runner.Session) -> None:
    """Build what is released under the tag that is given, into dist/, and look at it."""
    session.run("python", "changes/check_release.py", *session.posargs)
    session.run("python", "-m", "build", "--outdir", "dist")
    session.run("twine", "check", "--strict", *(f"dist/{name}" for name in os.listdir("dist")))


@runner.session(deps=[], project="wheel", default=False)
def bench(session: runner.Session) -> None:
    """Measure all speeds beside nox, tox and hatch: docs/explanation/speed.md tells how."""
    session.run("python", "benchmarks/speed.py", *session.posargs)
