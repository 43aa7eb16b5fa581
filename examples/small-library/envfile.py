"""A small library: tests on each Python that it supports, lint, docs."""

import runner

PYTHONS = runner.project.python_versions(runner.project.load_toml())

runner.options.default = ["lint", "tests"]


@runner.session(deps=["ruff"])
def lint(session: runner.Session) -> None:
    """Check the style."""
    session.run("ruff", "check", *session.posargs)


@runner.session(python=PYTHONS, groups=["test"], project="wheel", tags=["slow"])
def tests(session: runner.Session) -> None:
    """Run the tests against the built wheel."""
    session.run("pytest", *session.posargs)


@runner.session(deps=["sphinx"], project="editable")
def docs(session: runner.Session) -> None:
    """Build the documentation; a warning is an error."""
    session.run("sphinx-build", "-W", "-q", "docs", "docs/_build")
