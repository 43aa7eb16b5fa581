"""Two scripts that need two versions of one library."""

import runner


@runner.session(name="tests-old", deps=["urllib3<2", "pytest"])
def tests_old(session: runner.Session) -> None:
    """Test the script that was written for urllib3 1."""
    session.run("pytest", "test_old_report.py", *session.posargs)


@runner.session(name="tests-new", deps=["urllib3>=2", "pytest"])
def tests_new(session: runner.Session) -> None:
    """Test the script that needs urllib3 2."""
    session.run("pytest", "test_new_report.py", *session.posargs)


@runner.session(name="tests-together", deps=["urllib3", "pytest"], default=False)
def tests_together(session: runner.Session) -> None:
    """Test both in one environment: whichever version it holds, this fails."""
    session.run("pytest", *session.posargs)
