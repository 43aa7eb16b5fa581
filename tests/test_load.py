"""Finding an envfile and executing it: the Project, or all that is wrong with it."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

import runner
from runner.errors import EnvfileError, Mistake, UsageError
from runner.finding import find_envfile
from runner.load import in_order, load_project
from runner.model import Project, Request
from runner.opening import open_project

pytestmark = pytest.mark.usefixtures("imports_are_undone")


def envfile(root: Path, text: str) -> Path:
    path = root / "envfile.py"
    path.write_text("import runner\n" + textwrap.dedent(text), "utf-8")
    return path


def load(root: Path, text: str) -> Project:
    return load_project(str(envfile(root, text)))


def mistakes(root: Path, text: str) -> list[Mistake]:
    with pytest.raises(EnvfileError) as caught:
        load(root, text)
    return caught.value.mistakes


LINT = "@runner.session\ndef lint(session):\n    pass\n"


# Finding. -------------------------------------------------------------------------------


def test_the_nearest_envfile_above_is_found(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "a"):
        folder.mkdir(exist_ok=True)
        (folder / "envfile.py").write_text("")
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/envfile.py").mkdir()  # a folder of that name is none

    assert find_envfile(None, str(tmp_path / "a/b/c")) == str(tmp_path / "a/envfile.py")


def test_the_search_starts_in_the_working_folder(tmp_path: Path, monkeypatch):
    (tmp_path / "envfile.py").write_text("")
    monkeypatch.chdir(tmp_path)

    assert find_envfile(None, None) == str(tmp_path / "envfile.py")


def test_a_file_is_named_relative_to_the_folder(tmp_path: Path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a/envfile.py").write_text("")
    (tmp_path / "a/other.py").write_text("")

    assert find_envfile("other.py", str(tmp_path / "a")) == str(tmp_path / "a/other.py")
    assert find_envfile("a/../a/other.py", str(tmp_path)) == str(tmp_path / "a/other.py")
    assert find_envfile("a", str(tmp_path)) == str(tmp_path / "a/envfile.py")
    assert find_envfile(str(tmp_path / "a"), "/") == str(tmp_path / "a/envfile.py")


def test_a_file_may_be_named_from_home(tmp_path: Path, monkeypatch):
    (tmp_path / "envfile.py").write_text("")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert find_envfile("~/envfile.py", "/") == str(tmp_path / "envfile.py")


def test_what_cannot_be_found_is_told(tmp_path: Path):
    (tmp_path / "envfile.py").write_text("")
    told = []
    for file, directory in [("envfiel.py", "."), ("sub", "."), (None, "nowhere"), ("zz.toml", ".")]:
        with pytest.raises(UsageError) as caught:
            find_envfile(file, str(tmp_path / directory))
        told.append((caught.value.what, caught.value.mend))

    assert told == [
        ("there is no file envfiel.py", "did you mean 'envfile.py'?"),
        ("there is no file sub", f"looked for {tmp_path}/sub"),
        (f"there is no folder {tmp_path}/nowhere", "give --directory a folder that exists"),
        ("there is no file zz.toml", f"looked for {tmp_path}/zz.toml"),
    ]


def test_a_folder_without_an_envfile_is_told(tmp_path: Path):
    (tmp_path / "sub").mkdir()

    with pytest.raises(UsageError, match="there is no file sub"):
        find_envfile("sub", str(tmp_path))


def test_where_there_is_none_a_first_one_is_shown(tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        find_envfile(None, str(tmp_path))

    assert caught.value.what == f"no envfile.py in {tmp_path} or in a folder above it"
    assert "def tests(session: runner.Session) -> None:" in caught.value.mend


def test_a_working_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(UsageError, match="the working folder does not exist any more"):
        find_envfile(None, None)


# Executing. -----------------------------------------------------------------------------


def test_a_project_is_what_its_envfile_declares(root: Path):
    project = load(root, '"""\nThe project.\n"""\n' + LINT)

    assert (project.root, project.envfile) == (str(root), str(root / "envfile.py"))
    assert [job.name for job in project.jobs] == ["lint"]
    assert project.jobs[0].spec.where == "envfile.py:5"
    assert project.read == (str(root / "envfile.py"),)


def test_the_envfiles_docstring_is_the_projects(root: Path):
    path = root / "envfile.py"
    path.write_text(f'"""\nThe project.\n"""\nimport runner\n{LINT}')

    assert load_project(str(path)).doc == "The project."


def test_what_is_declared_again_starts_anew(root: Path):
    load(root, "runner.options.quiet = True\n" + LINT)

    assert load(root, LINT).options == {}
    assert [job.name for job in load(root, LINT).jobs] == ["lint"]


def test_it_runs_in_its_folder_and_leaves_us_where_we_were(root: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    project = load(root, f"import os\nrunner.options.envdir = os.listdir()[0]\n{LINT}")

    assert project.options == {"envdir": "envfile.py"}
    assert os.getcwd() == str(tmp_path)


def test_it_knows_its_file_and_can_be_imported(root: Path):
    load(
        root,
        f"import envfile, os\nassert os.path.basename(__file__) == 'envfile.py'\nassert envfile.__name__ == __name__\n{LINT}",
    )


def test_no_future_import_of_ours_reaches_it(root: Path):
    told = mistakes(root, "def f(a: nothing_of_that_name): ...\n")

    assert told[0].what == "NameError: name 'nothing_of_that_name' is not defined"


def test_modules_beside_it_can_be_imported_and_are_read(root: Path):
    (root / "shared_words.py").write_text("WORDS = ['lint']\n")
    (root / "site-packages").mkdir()
    (root / "site-packages/far_words.py").write_text("")

    project = load(
        root,
        f"import sys; sys.path.append('site-packages')\nimport shared_words, far_words\nrunner.options.default = shared_words.WORDS\n{LINT}",
    )

    assert project.options == {"default": ["lint"]}
    assert project.read == (str(root / "envfile.py"), str(root / "shared_words.py"))


def test_a_module_beside_it_hides_nothing_of_the_standard_library(root: Path):
    (root / "wave.py").write_text("raise RuntimeError('the wrong one')\n")

    load(root, f"import wave\nassert wave.open\n{LINT}")


# Mistakes. --------------------------------------------------------------------------------


def test_all_mistakes_are_told_in_the_order_of_their_lines(root: Path):
    told = mistakes(
        root,
        """
        @runner.session(dpes=["x"])
        def b(session):
            pass

        @runner.session(python=3.12)
        def a(session):
            pass

        runner.options.colour = "always"
        """,
    )

    assert [(each.where, each.what.partition(",")[0]) for each in told] == [
        ("envfile.py:3", "@session has no argument 'dpes'"),
        ("envfile.py:7", "python=3.12 is a number"),
        ("envfile.py:11", "runner.options has no 'colour'"),
    ]


def test_mistakes_are_sorted_by_number_and_each_is_told_once():
    two, ten, none = Mistake("a.py:2", "x"), Mistake("a.py:10", "x"), Mistake("a.py", "x")

    assert in_order([ten, none, two, two]) == [none, two, ten]


def test_a_syntax_error_is_told_with_its_line(root: Path):
    told = mistakes(root, "\ndef lint(session:\n    pass\n")

    assert [each.where for each in told] == ["envfile.py:3"]
    assert told[0].what.startswith("SyntaxError: ")
    assert told[0].mend.startswith("def lint(session:\n")


def test_a_syntax_error_in_a_module_beside_it_has_that_place(root: Path):
    (root / "broken_words.py").write_text("\n\nx = = 1\n")

    assert mistakes(root, "import broken_words\n")[0].where == "broken_words.py:3"


def test_null_bytes_are_no_source(root: Path):
    (root / "envfile.py").write_bytes(b"import runner\0\n")

    with pytest.raises(EnvfileError) as caught:
        load_project(str(root / "envfile.py"))

    assert "null bytes" in caught.value.what
    assert caught.value.where.startswith("envfile.py")


def test_bytes_that_are_no_text_are_no_source(root: Path):
    (root / "envfile.py").write_bytes(b"x = '\xff'\n")

    with pytest.raises(EnvfileError) as caught:
        load_project(str(root / "envfile.py"))

    assert "utf-8" in caught.value.what


def test_an_exception_is_told_with_the_users_frames_alone(root: Path):
    (root / "helping.py").write_text("def divide():\n    return 1 / 0\n")
    told = mistakes(root, f"{LINT}import helping\n\nhelping.divide()\n")

    assert [(each.where, each.what) for each in told] == [
        ("helping.py:2", "ZeroDivisionError: division by zero")
    ]
    files = [line for line in told[0].mend.splitlines() if line.startswith("  File")]
    assert files == [
        f'  File "{root}/envfile.py", line 7, in <module>',
        f'  File "{root}/helping.py", line 2, in divide',
    ]


def test_an_exception_in_a_library_has_the_place_of_the_call(root: Path):
    (root / ".venv/site-packages").mkdir(parents=True)
    (root / ".venv/site-packages/far.py").write_text("def f():\n    raise ValueError('no')\n")

    told = mistakes(
        root, "import sys; sys.path.append('.venv/site-packages')\nimport far\nfar.f()\n"
    )

    assert (told[0].where, told[0].what) == ("envfile.py:4", "ValueError: no")


def test_an_exception_without_words_has_its_name(root: Path):
    assert mistakes(root, "raise KeyError\n")[0].what == "KeyError"


def test_an_error_of_ours_has_its_place_and_mend(root: Path):
    told = mistakes(root, "\nrunner.project.load_toml()\n")

    assert told == [
        Mistake("envfile.py:3", "there is no pyproject.toml", "write it, or pass missing_ok=True")
    ]


@pytest.mark.parametrize(("call", "code"), [("sys.exit()", "None"), ("sys.exit('no')", "'no'")])
def test_leaving_is_a_mistake(root: Path, call: str, code: str):
    told = mistakes(root, f"import sys\n{call}\n")

    assert told == [
        Mistake(
            "envfile.py:3",
            f"the envfile ended the program: sys.exit({code})",
            "take the call out",
        )
    ]


def test_an_interruption_is_no_mistake(root: Path):
    with pytest.raises(KeyboardInterrupt):
        load(root, "raise KeyboardInterrupt\n")


def test_an_envfile_without_sessions_is_told(root: Path):
    told = mistakes(root, "")

    assert (told[0].where, told[0].what) == ("envfile.py", "no session is declared")
    assert "save" in told[0].mend


def test_an_envfile_that_is_gone_meanwhile_is_told(root: Path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        load_project(str(root / "envfile.py"))


def test_a_missing_module_is_told_with_where_to_install_it(root: Path):
    told = mistakes(root, "import no_module_of_that_name\n")

    assert told[0].what == "ModuleNotFoundError: No module named 'no_module_of_that_name'"
    assert "runenv's own Python" in told[0].mend


def test_a_misspelt_name_of_ours_is_told_with_the_near_one(root: Path):
    assert "did you mean runner.session?" in mistakes(root, "runner.sesion\n")[0].mend
    assert "did you mean" not in mistakes(root, "runner.zzzzzzzz\n")[0].mend.rpartition("\n")[2]


# needs_version. -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        f'runner.needs_version = "=={runner.__version__}"',
        'runner.needs_version = ">=0.0.1"',
        "other = 'needs_version'",
        'needs_version = ">=99"  # a name of its own',
        'runner.needs_version: str = ">=99"',
    ],
)
def test_a_version_that_fits_or_is_none_of_ours_is_fine(root: Path, line: str):
    assert load(root, f"{line}\n{LINT}").jobs


def test_another_version_is_told_before_anything_is_executed(root: Path):
    told = mistakes(root, 'runner.needs_version = ">=99"\nrunner.not_there_yet()\n')

    assert [(each.where, each.what) for each in told] == [
        (
            "envfile.py:2",
            f"this envfile needs runenv >=99, and this is runenv {runner.__version__}",
        )
    ]


def test_a_version_that_is_no_specifier_is_told(root: Path):
    told = mistakes(root, 'runner.needs_version = "0.1"\n')

    assert told == [
        Mistake("envfile.py:2", "needs_version: '0.1' is no version specifier", 'write ">=0.1"?')
    ]


def test_a_syntax_error_beside_it_is_told_as_one(root: Path):
    assert mistakes(root, 'runner.needs_version = ">=99"\nx = = 1\n')[0].where == "envfile.py:3"


# Settings. ----------------------------------------------------------------------------------


def test_a_request_is_opened_with_all_that_sets_something(root: Path):
    envfile(root, f"runner.options.backend = 'venv'\n{LINT}")
    (root / "pyproject.toml").write_text('[tool.runenv]\nquiet = true\nbackend = "uv"\n')
    request = Request("run", None, {"file": "envfile.py", "fresh": True}, ())

    project, settings = open_project(request, {"RUNENV_DIRECTORY": str(root)})

    assert project.root == str(root)
    assert (settings.backend, settings.quiet, settings.fresh) == ("venv", True, True)
    assert settings.origins["directory"] == "RUNENV_DIRECTORY"
