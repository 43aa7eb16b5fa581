"""What is offered at a TAB is what argcomplete offers, and the envfile is not executed for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner import tab
from runner.listing import listing_of

ENVFILE = """
import runner
with open("executed", "a") as stream:
    stream.write("x")

@runner.session(tags=["unit"])
@runner.parametrize("api", ["old", "new"])
def tests(session, api):
    "Run the tests – all of them."

@runner.session
def lint(session):
    "Check: the style."

@runner.session
def types(session): ...
"""
SHELLS = {
    "bash": {"_ARGCOMPLETE_SUPPRESS_SPACE": "1", "_ARGCOMPLETE_COMP_WORDBREAKS": " \"'><=;|&(:"},
    "bash without compopt": {"_ARGCOMPLETE_SUPPRESS_SPACE": "0"},
    "zsh": {"_ARGCOMPLETE_SUPPRESS_SPACE": "1"},
    "fish": {
        "_ARGCOMPLETE_SUPPRESS_SPACE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_DFS": "\t",
    },
}
LINES = [
    "runenv ",
    "runenv t",
    "runenv tests",
    "runenv li",
    "runenv lint te",
    "runenv lint ",
    "runenv nothing",
    "runenv --l",
    "runenv -",
    "/usr/bin/runenv lint --fre",
]


class Shell:
    """A folder with an envfile, in which TAB is pressed."""

    def __init__(self, root: Path) -> None:
        self.root = root / "project"
        self.root.mkdir()
        self.cache = root / "cache"
        self.out = root / "out"
        self.envfile = self.root / "envfile.py"
        self.envfile.write_text(ENVFILE, encoding="utf-8")

    def environ(self, line: str, shell: str = "bash", **more: str) -> dict[str, str]:
        return {
            "_ARGCOMPLETE": "1",
            "_ARGCOMPLETE_SHELL": shell.split(" ")[0],
            "_ARGCOMPLETE_STDOUT_FILENAME": str(self.out),
            "COMP_LINE": line,
            "COMP_POINT": str(len(line)),
            "XDG_CACHE_HOME": str(self.cache),
            **SHELLS[shell],
            **more,
        }

    def learn(self) -> None:
        """What is offered is known from now on."""
        listing_of(str(self.envfile), str(self.cache / "runenv"))

    def answer(self, line: str, shell: str = "bash", **more: str) -> str | None:
        """What is offered without argcomplete; None where that is asked."""
        answered = tab.answer(self.environ(line, shell, **more))
        return self.out.read_text(encoding="utf-8") if answered else None

    def argcomplete(self, line: str, shell: str) -> str:
        """What argcomplete offers."""
        environ = {**os.environ, **self.environ(line, shell, _ARC_DEBUG="1")}
        subprocess.run(
            [sys.executable, "-m", "runner"], env=environ, check=True, stderr=subprocess.DEVNULL
        )
        return self.out.read_text(encoding="utf-8")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    made = Shell(tmp_path)
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(made.cache))
    for name in ("RUNENV_FILE", "RUNENV_DIRECTORY", "_ARC_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.mark.parametrize("line", LINES)
def test_it_is_what_argcomplete_offers(shell: Shell, line: str):
    shell.learn()

    kinds = list(SHELLS) if line in LINES[1:4] else [list(SHELLS)[len(line) % 4]]
    for kind in kinds:
        assert shell.answer(line, kind) == shell.argcomplete(line, kind), kind


@pytest.mark.parametrize("kind", SHELLS)
def test_a_colon_in_a_name_is_what_argcomplete_makes_of_it(shell: Shell, kind: str):
    package = shell.root / "api"
    package.mkdir()
    (package / "envfile.py").write_text(ENVFILE, encoding="utf-8")
    shell.envfile.write_text(f'{ENVFILE}\nrunner.include("api/envfile.py")\n', encoding="utf-8")
    shell.learn()

    for line in ("runenv a", "runenv api:li", "runenv api:lint api:te", "runenv api:lint --l"):
        assert shell.answer(line, kind) == shell.argcomplete(line, kind), line


def test_the_envfile_is_not_executed_again(shell: Shell):
    shell.learn()

    assert shell.answer("runenv l") == "lint"
    assert shell.answer("runenv t") == "tests\vtypes\vtests-old\vtests-new"
    assert (shell.root / "executed").read_text() == "x"


@pytest.mark.parametrize(
    "line",
    [
        "runenv 'l",
        "runenv --file x l",
        "runenv -s l",
        "runenv lint -- l",
        "runenv --color=a",
        "runenv $x",
        "runenv",
        "",
    ],
)
def test_a_line_that_is_not_plain_is_left_to_argcomplete(shell: Shell, line: str):
    shell.learn()

    assert shell.answer(line) is None


@pytest.mark.parametrize(
    "more",
    [
        {"RUNENV_FILE": "other.py"},
        {"RUNENV_DIRECTORY": "other"},
        {"RUNENV_ALL_PROJECTS": "1"},
        {"_ARGCOMPLETE_SHELL": "tcsh"},
        {"_ARGCOMPLETE_COMP_WORDBREAKS": " l"},
        {"_ARGCOMPLETE_IFS": "ab"},
        {"COMP_POINT": "x"},
        {"_ARGCOMPLETE_STDOUT_FILENAME": "/no/such/folder/out"},
    ],
)
def test_what_is_asked_in_another_way_is_left_to_argcomplete(shell: Shell, more: dict[str, str]):
    shell.learn()

    assert shell.answer("runenv l", **more) is None


def test_a_changed_envfile_is_looked_at(shell: Shell):
    shell.learn()
    shell.envfile.write_text(ENVFILE.replace("def lint", "def look"), encoding="utf-8")

    assert shell.answer("runenv l") is None


def test_a_changed_module_beside_it_is_looked_at(shell: Shell):
    (shell.root / "beside_tab.py").write_text("NAME = 'one'\n")
    shell.envfile.write_text(
        "import runner, beside_tab\nrunner.session(name=beside_tab.NAME)(lambda session: 1)\n"
    )
    shell.learn()
    assert shell.answer("runenv o") == "one"

    (shell.root / "beside_tab.py").unlink()
    assert shell.answer("runenv o") is None


def test_a_damaged_file_is_no_answer(shell: Shell):
    shell.learn()
    (file,) = (shell.cache / "runenv/tabs").iterdir()
    for left in (0, 5, 40):
        file.write_bytes(file.read_bytes()[:left])
        assert shell.answer("runenv l") is None


def test_names_that_depend_on_the_pythons_here_are_not_kept(shell: Shell):
    shell.learn()
    shell.envfile.write_text(
        "import runner\n@runner.session(python=['>=3.8'])\ndef lint(session): ...\n"
    )
    shell.learn()

    assert shell.answer("runenv l") is None


OPTIONS = """
import runner

@runner.session(python=[">=3.8"])
def release(session, *, part: str = "", dry_run: bool = False):
    "Release it."

@runner.session(name="release-all")
def release_all(session, *, pace: str = ""): ...

@runner.session
def release_notes(session, *, out: str = ""): ...

@runner.session
def lint(session): ...
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("runenv release --p", {"--python", "--plan", "--pick", "--part"}),
        ("runenv release --d", {"--directory", "--doctor", "--deep", "--dry-run"}),
        ("runenv release --no-d", {"--no-dry-run"}),
        ("runenv release-3.13 --pa", {"--part"}),
        ("runenv release-all --pa", {"--pace"}),
        ("runenv release_notes --ou", {"--output", "--out"}),
        ("runenv lint release --pa", {"--part"}),
        ("runenv release lint --pa", set()),
        ("runenv --pa", set()),
    ],
)
@pytest.mark.measured
def test_options_of_a_session_are_offered_behind_its_name(shell: Shell, line: str, expected):
    shell.envfile.write_text(OPTIONS)
    shell.learn()

    offered = shell.answer(line)
    assert {word.strip() for word in (offered or "").split("\v") if word} == expected
    assert offered == shell.argcomplete(line, "bash")


def test_behind_a_name_options_are_found_out_where_nothing_is_known(shell: Shell):
    assert shell.answer("runenv lint --fr") is None
    shell.learn()
    assert shell.answer("runenv lint --fr") == "--fresh"


def test_very_large_files_are_not_kept(shell: Shell):
    shell.envfile.write_text(ENVFILE + "#" * 1_100_000, encoding="utf-8")
    shell.learn()

    assert shell.answer("runenv l") is None


def test_no_shell_is_told_what_nothing_may_follow(shell: Shell):
    shell.learn()

    offered = (shell.answer("runenv --") or "").split("\v")
    assert "--keyword" not in offered
    assert "--list" in offered


def test_another_envfile_is_another_answer(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    shell.learn()
    inner = shell.root / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert shell.answer("runenv l") == "lint"  # the nearest above

    (inner / "noxfile.py").write_text("")
    assert shell.answer("runenv l") is None


def test_a_listing_in_json_is_kept_beside_it(shell: Shell):
    shell.learn()

    (file,) = (shell.cache / "runenv/listings").iterdir()
    assert json.loads(file.read_text(encoding="utf-8"))["listing"][0]["types"] == ""
