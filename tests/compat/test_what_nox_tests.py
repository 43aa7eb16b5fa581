"""What nox's own tests show with noxfiles, shown with noxfiles of ours to both.

Those of nox are its tests/resources; `python benchmarks/nox_resources.py` fetches them and runs
them themselves. Each case here stands for one, or for what a test of nox fills into it; what
test_against_nox.py shows already (nested parameters, blanks in names, tags, lists of ids) is
not here again.
"""

from __future__ import annotations

import shlex

import pytest

from tests.compat.beside_nox import HERE, Case, ends_alike, lists_alike, needs_nox, run_nox
from tests.conftest import Folder

pytestmark = [needs_nox, pytest.mark.measured]

# noxfile.py
NO_SESSIONS = "import nox\n\nVALUE = 1\n"

# noxfile_duplicate_sessions.py
ONE_NAME = """
    import nox

    @nox.session(name="both", python=False)
    def first(session): print("first")

    @nox.session(name="both", python=False)
    def second(session): print("second")
    """

# noxfile_empty_parametrize.py
NO_VALUES = """
    import nox

    @nox.session(venv_backend="none")
    def has_none(session): print(session.name)

    @nox.session(venv_backend="none")
    @nox.parametrize("value", [])
    def of_no_values(session, value): print(session.name)
    """

# noxfile_normalization.py
SPELLINGS = """
    import nox, datetime

    @nox.session(venv_backend="none")
    @nox.parametrize("v", ["plain", "it's", '"both"', [42], datetime.date(1980, 1, 1)])
    def spelled(session, v): print(session.name, v)
    """
SPELLED = ('spelled ( v = "plain" )', "spelled(v=[ 0x2a, ])", r"spelled(v='it\'s')")
MISSPELLED = (
    "no Python",
    "spelled(v=plain)",
    "spelled(v='plain ')",
    "_spelled(v='plain')",
    "spelled(v=42)",
    "spelled(v=[42.0])",
    "spelled(v=<an.Object object at 0x1234>)",
)

# noxfile_options.py
REUSES = """
    import nox

    nox.options.sessions = ["chosen"]
    nox.options.reuse_existing_virtualenvs = True
    nox.options.error_on_missing_interpreters = True

    @nox.session(python=False)
    def chosen(session): print(session.name)

    @nox.session(python=False)
    def other(session): print(session.name)
    """
# noxfile_options_pythons.py
TWO_PYTHONS = f"""
    import nox

    nox.options.sessions = ["chosen"]
    nox.options.pythons = ["{HERE}"]

    @nox.session(python=["{HERE}", "9.9"], venv_backend="uv|virtualenv")
    def chosen(session): print(session.name)

    @nox.session(python=["{HERE}", "9.9"], venv_backend="uv|virtualenv")
    def other(session): print(session.name)
    """

# noxfile_pythons.py
STACKED = f"""
    import nox

    @nox.session(python=["{HERE}"], venv_backend="uv|virtualenv")
    @nox.session(name="inner", python=["{HERE}"], venv_backend="uv|virtualenv")
    @nox.parametrize("v", ["a"])
    def outer(session, v): print(session.name, v)

    @nox.session(python=False)
    def no_python(session): print(session.name)

    @nox.session(python="{HERE}", venv_backend="uv|virtualenv")
    def a_string(session): print(session.name)
    """

# noxfile_requires.py, but for what is in test_against_nox.py
REQUIRES = f"""
    import nox

    @nox.session(python=["{HERE}", "9.9"], venv_backend="uv|virtualenv")
    def several(session): print(session.name)

    @nox.session(python="{HERE}", venv_backend="uv|virtualenv", requires=["several-{{python}}"])
    def filled_in(session): print(session.name)

    @nox.session(python=None, venv_backend="none", requires=["several-{{python}}"])
    def of_no_python(session): print(session.name)

    @nox.session(python=False, requires=["deeper"])
    def deep(session): print(session.name)

    @nox.session(python=False, requires=["shared", "deepest"])
    def deeper(session): print(session.name)

    @nox.session(python=False, requires=["shared"])
    def deepest(session): print(session.name)

    @nox.session(python=False)
    def shared(session): print(session.name)

    @nox.parametrize("v", ["1.9", "2.0"])
    @nox.session(python=False)
    def values(session, v): print(session.name)

    @nox.session(python=False, requires=["values(v='1.9')", "values(v='2.0')"])
    def both_values(session): print(session.name)
    """

# noxfile_script_mode.py, noxfile_script_mode_exec.py, noxfile_script_mode_url_req.py: what they
# install cannot be fetched here
BLOCK = """
    # /// script
    # requires-python = ">=3.8"
    # dependencies = ["nox"]
    # ///

    import nox

    @nox.session(python=False)
    def in_a_block(session): print(session.name, session.posargs)

    if __name__ == "__main__":
        nox.main()
    """

# pep721example1.py and pep723nodeps.py
RUNS_A_SCRIPT = """
    import nox

    @nox.session(venv_backend="uv|virtualenv")
    def script(session):
        session.install_and_run_script("a_script.py", "a", silent=False)
        print(session.run("python", "a_script.py", silent=True).strip())
    """

# orig_dir and sym_dir, whose noxfile is a link
LOOKS_AROUND = """
    import nox, os, pathlib

    @nox.session(venv_backend="none")
    def looks(session):
        print(sorted(path.name for path in pathlib.Path().glob("*.txt")))
        print(pathlib.Path(__file__).resolve().parent.name)
    """

RUNS = {
    "no sessions": Case(NO_SESSIONS, ""),
    "no sessions, one named": Case(NO_SESSIONS, "-s any"),
    "one name": Case(ONE_NAME, "-s both"),
    "no values beside others": Case(NO_VALUES, ""),
    "spelled otherwise": Case(SPELLINGS, shlex.join(["-s", *SPELLED])),
    "a file's option": Case(REUSES, ""),
    "a file's option turned off": Case(
        REUSES, "--no-reuse-existing-virtualenvs -s other", "--fresh other"
    ),
    "chosen sessions and Pythons": Case(TWO_PYTHONS, ""),
    "the inner of two decorators": Case(STACKED, "-s inner"),
    "a Python that is forced where there is none": Case(
        STACKED, "-s no_python", variables={"NOXFORCEPYTHON": HERE}
    ),
    "required on several Pythons": Case(REQUIRES, "-s several filled_in", "several filled_in"),
    "required by what is required": Case(REQUIRES, "-s deep both_values", "deep both_values"),
    "a block with nothing but nox": Case(BLOCK, "-- a"),
    "a script without packages": Case(RUNS_A_SCRIPT, ""),
}
LISTS = {
    "spellings": Case(SPELLINGS, ""),
    "Pythons that are chosen": Case(TWO_PYTHONS, "-s other"),
    "two decorators": Case(STACKED, ""),
    "an extra Python": Case(STACKED, "-s a_string", variables={"NOXEXTRAPYTHON": "9.7"}),
    "one name": Case(ONE_NAME, ""),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_ends_as_in_nox(folder: Folder, name: str):
    folder.write("a_script.py", "# /// script\n# requires-python = '>=3'\n# ///\nprint('ran')\n")

    ends_alike(folder, RUNS[name])


@pytest.mark.parametrize("name", LISTS)
def test_a_listing_has_what_nox_lists(folder: Folder, name: str):
    lists_alike(folder, LISTS[name])


def test_names_that_are_no_spelling_of_any_are_refused_by_both(folder: Folder):
    folder.write("noxfile.py", SPELLINGS)

    theirs = run_nox(folder, ["-s", *MISSPELLED])
    ours = folder.run(*MISSPELLED)

    assert (theirs.returncode, ours.code) == (3, 2)
    assert [name for name in MISSPELLED if name not in theirs.stderr] == []
    assert [name for name in MISSPELLED if repr(name) not in ours.err] == []


def test_what_nox_skips_and_calls_a_success_is_a_failure(folder: Folder):
    ends_alike(folder, Case(TWO_PYTHONS, "-p 9.9"), but_for=(0, 1))


def test_a_required_python_of_a_session_without_one_fails_both(folder: Folder):
    ends_alike(folder, Case(REQUIRES, "-s of_no_python"), but_for=(1, 1))


@pytest.mark.parametrize("inside", ["original", "linked"])
def test_a_noxfile_that_is_a_link_runs_where_the_link_is(folder: Folder, inside: str):
    noxfile = folder.write("original/noxfile.py", LOOKS_AROUND)
    folder.write("original/of_the_original.txt", "")
    folder.write("linked/of_the_link.txt", "")
    (folder.root / "linked" / "noxfile.py").symlink_to(noxfile)

    ends_alike(folder, Case(LOOKS_AROUND, "-s looks"), inside=inside)
