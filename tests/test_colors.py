"""Whether what we print is coloured, and how."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import redirect_stderr

import pytest

from runner.cli import carry_out
from runner.colors import columns_of, fold, fold_around, painter, wants_color
from runner.commands import help
from runner.commands.doctor import Finding
from runner.commands.doctor import as_text as findings
from runner.commands.explain import Explained
from runner.commands.explain import as_text as explanation
from runner.errors import UsageError
from tests.conftest import ROOT, Folder
from tests.terminals import open_terminal, resize

pytestmark = pytest.mark.measured
AT_TERMINALS = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")


@pytest.mark.parametrize(
    ("color", "environ", "is_terminal", "colored"),
    [
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": "False"}, True, True),
    ],
)
def test_colour_is_decided_by_the_option_then_variables_then_the_terminal(
    color: str, environ: dict[str, str], is_terminal: bool, colored: bool
):
    assert wants_color(color, environ, is_terminal) is colored


def test_a_text_is_between_its_colour_and_the_end_of_it():
    assert painter(color=True)("bold_red", "error") == "\x1b[1;31merror\x1b[0m"


def test_without_colour_a_text_is_as_it_is():
    assert painter(color=False)("bold_red", "error") == "error"


# Columns. ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "columns", "indent", "begins", "lines"),
    [
        ("one two three", 0, 4, None, "one two three"),
        ("one two three", 14, 0, None, "one two three"),
        ("one two three", 13, 0, None, "one two\nthree"),
        ("one two three", 13, 4, None, "one two\n    three"),
        ("one two three", 13, 4, 0, "one two\n    three"),
        ("four two six", 8, 0, None, "four\ntwo six"),
        ("four two six", 7, 0, None, "four\ntwo\nsix"),
        ("one  two", 40, 0, None, "one  two"),
        ("", 40, 2, None, ""),
        ("a longer-than-a-line b", 10, 2, 0, "a\n  longer-than-a-line\n  b"),
        ("日本 語 日本", 8, 0, None, "日本 語\n日本"),
    ],
)
def test_a_text_is_folded_between_its_words(
    text: str, columns: int, indent: int, begins: int | None, lines: str
):
    assert fold(text, columns, indent, begins) == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("write `runenv --list` now", "write\n    `runenv --list`\n    now"),
        ("name it: runenv --exec a -- b", "name it:\n    runenv --exec a -- b"),
        ("    import runner  # code", "    import runner  # code"),
        ("one two three four", "one two three\n    four"),
        ("do `a b c d e f`", "do\n    `a b c d e f`"),
        ("do `a b c d e`.", "do `a b c d e`."),  # 15 columns: nothing stands in the last
    ],
)
def test_a_command_in_a_text_is_whole(text: str, lines: str):
    assert fold_around(text, 16, 4, 0) == lines
    assert fold_around(text, 0, 4, 0) == text


def test_a_line_that_fits_costs_no_regular_expression():
    code = "import sys; from runner.colors import fold_around as f; f('a `b c`', 80, 0); print(*sys.modules)"

    # -S: what .pth files load is not ours.
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True
    )

    loaded = done.stdout.split()
    assert "runner.colors" in loaded
    assert "re" not in loaded


def test_a_file_has_no_columns(tmp_path):
    with (tmp_path / "file").open("w") as stream:
        assert columns_of(stream) == 0


@pytest.mark.parametrize("columns", [40, 59, 60, 80])
def test_no_line_of_the_help_is_wider_than_the_terminal(columns: int):
    lines = "\n".join(help.as_text(columns=columns)).splitlines()

    assert max(map(len, lines)) < columns


def test_what_an_option_does_stands_below_it_at_a_narrow_terminal():
    narrow = help.as_text(columns=40)

    assert narrow[narrow.index("  -l, --list") + 1] == "        list the jobs"
    assert "  -l, --list              list the jobs" in help.as_text(columns=80)


def test_what_is_in_brackets_and_what_has_a_dash_stays_together():
    lines = "\n".join(help.as_text(columns=40)).splitlines()

    assert "Usage:  runenv [OPTIONS] [NAME ...]" in lines
    assert "        [-- ARGUMENTS]" in lines
    assert "        local-cluster:N" in lines


FINDINGS = [
    Finding("uv", "good", "0.9.1 at /usr/bin/uv"),
    Finding("configuration", "warning", "pip reads /etc/pip.conf, which names an index", "look at it"),
    Finding("configuration", "good", "uv reads none"),
]  # fmt: skip


def test_findings_are_folded_beside_what_they_are_about():
    assert findings(FINDINGS, color=False, ascii_only=False, columns=50) == [
        "✓ uv             0.9.1 at /usr/bin/uv",
        "! configuration  pip reads /etc/pip.conf, which\n                 names an index",
        "                 look at it",
        "✓                uv reads none",
    ]


def test_findings_stand_below_it_at_a_narrow_terminal():
    assert findings(FINDINGS, color=False, ascii_only=False, columns=40) == [
        "✓ uv",
        "    0.9.1 at /usr/bin/uv",
        "! configuration",
        "    pip reads /etc/pip.conf, which\n    names an index",
        "    look at it",
        "✓   uv reads none",
    ]


def test_an_explanation_is_folded_beside_its_labels():
    explained = Explained(
        job="tests",
        after=(),
        environment="created",
        reason="",
        shared_with=(),
        path="/project/.runenv/a-folder-that-is-longer-than-a-line",
        python="cpython 3.13.0 at /bin/python",
        backend="uv",
        installs=("one", "two", "three", "four", "five"),
        builds=(),
    )

    assert explanation(explained, 40) == [
        "tests",
        "  environment  would be created",
        "  folder       /project/.runenv/a-folder-that-is-longer-than-a-line",
        "  python       cpython 3.13.0 at\n               /bin/python",
        "  backend      uv",
        "  installs     one; two; three; four;\n               five",
    ]


ENVFILE = """
    @runner.session(python=False, tags=["slow"])
    def build(session):
        "Do something that takes a sentence of some length to tell."

    @runner.session(deps=["one-package", "another-package", "a-third"])
    def deploy(session): ...
    """


def seen(folder: Folder, *arguments: str, code: int = 0) -> str:
    """What stands on a terminal of 40 columns, without colours."""
    outside, inside = open_terminal()
    resize(inside, 40)
    process = folder.start(
        *arguments, env={"NO_COLOR": "1"}, stdin=None, stdout=inside, stderr=inside
    )
    os.close(inside)
    text = b""
    try:
        while chunk := os.read(outside, 65536):
            text += chunk
    except OSError:  # Linux: the other end is closed
        pass
    os.close(outside)
    assert process.wait() == code
    return text.decode().replace("\r\n", "\n")


@AT_TERMINALS
def test_a_narrow_terminal_is_told_the_same(folder: Folder):
    folder.envfile(ENVFILE)

    assert seen(folder, "--list").partition(":\n\n")[2] == (
        "* build   Do something that takes a\n"
        "          sentence of some length to\n"
        "          tell.  [slow]\n"
        "* deploy\n"
        "\n"
        "* run by a plain `runenv`\n"
    )
    assert seen(folder, "--usage", "deploy") == (
        "deploy  (envfile.py:8)\n\n  deps  one-package, another-package,\n        a-third\n"
    )
    assert seen(folder, "--explain", "build") == (
        "build\n  environment  none: its commands run\n               in the caller's\n"
    )


LONG = '''
    "A project that has more to tell of itself than forty columns hold."
    import runner

    @runner.session(python=False)
    def lint(session):
        "Check the style of all that there is."

    @runner.session(python=False)
    def 日本(session):
        "日本"

    @runner.session(python=False)
    def all_that_is_needed_for_a_release(session, *, version_of_it: int = 1):
        """Make a release of all of these packages.

        Kept is:
            what is indented, as far as it has room
        """
    '''


@AT_TERMINALS
def test_a_long_name_makes_no_pillar_of_what_is_told_beside_it(folder: Folder):
    folder.write("envfile.py", LONG)

    *first, sessions = seen(folder, "--list").partition("envfile.py:\n\n")

    assert "".join(first).startswith(
        "A project that has more to tell of\nitself than forty columns hold.\nSessions in "
    )
    assert sessions == (
        "* lint  Check the style of all that\n"
        "        there is.\n"
        "* 日本  日本\n"
        "* all_that_is_needed_for_a_release\n"
        "        Make a release of all of these\n"
        "        packages.\n"
        "\n"
        "* run by a plain `runenv`\n"
    )
    assert seen(folder, "--usage", "all_that_is_needed_for_a_release").partition("\n\n")[2] == (
        "  Make a release of all of these\n"
        "  packages.\n"
        "\n"
        "  Kept is:\n"
        "      what is indented, as far as it\n"
        "      has room\n"
        "\n"
        "  Options, behind its name:\n"
        "    --version-of-it N\n"
        "        (default: 1)\n"
        "\n"
        "  backend  none\n"
    )


@AT_TERMINALS
def test_an_error_is_folded_between_its_words(folder: Folder):
    folder.envfile(ENVFILE)

    assert seen(folder, "--list", "--pick", code=2) == (
        "error: --pick goes with a run,\n"
        "  --explain, --graph, --shell, --exec\n"
        "  or --link\n"
        "  leave one of the two away\n"
    )


@AT_TERMINALS
def test_warnings_are_folded_between_their_words(folder: Folder):
    folder.write("noxfile.py", "import nox\n\n@nox.session\ndef lint(session): ...\n")
    folder.environ["RUNENV_JOSB"] = "1"

    shown = seen(folder, "--list").splitlines()

    assert shown[:2] == [
        "warning: the variable RUNENV_JOSB sets",
        "  nothing; did you mean 'RUNENV_JOBS'?",
    ]
    assert shown[2] == "no envfile.py in"
    assert "  noxfile.py is run, as nox would" in shown


@AT_TERMINALS
def test_a_mend_is_folded_where_it_reaches_the_last_column():
    def fail() -> int:
        raise UsageError("bad", mend=f"{'a' * 18} {'b' * 18}\n{'a' * 18} {'b' * 19}")

    outside, inside = open_terminal()
    resize(inside, 40)
    with open(inside, "w", encoding="utf-8") as stream, redirect_stderr(stream):
        code = carry_out(fail)
        shown = ""
        while not shown.endswith(f"{'b' * 19}\r\n"):  # a terminal gives what it has by now
            shown += os.read(outside, 4096).decode()
    os.close(outside)

    assert code == 2
    assert shown.split("\r\n")[1:] == [
        f"  {'a' * 18} {'b' * 18}",
        f"  {'a' * 18}",
        f"    {'b' * 19}",
        "",
    ]
