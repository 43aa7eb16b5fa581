"""tox's substitutions as Python."""

from __future__ import annotations

import pytest

from runner.convert.braces import argument, as_text, command_words
from runner.convert.words import Block, expression, quoted


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("pytest -x", ['"pytest"', '"-x"']),
        ("pytest 'a b' \"c\"", ['"pytest"', '"a b"', '"c"']),
        ("pytest {posargs}", ['"pytest"', "*session.posargs"]),
        ("pytest []", ['"pytest"', "*session.posargs"]),
        ("pytest {posargs:a -k 'b c'}", ['"pytest"', '*(session.posargs or ["a", "-k", "b c"])']),
        ("x --in={posargs}", ['"x"', "f\"--in={' '.join(session.posargs)}\""]),
        ("x {envtmpdir}/a", ['"x"', 'f"{tmp}/a"']),
        ("x {env:A:b}", ['"x"', 'os.environ.get("A", "b")']),
        ("x {env:OPTIONS:-q -x}", ['"x"', '*os.environ.get("OPTIONS", "-q -x").split()']),
        ("x {env:A:'b c'}", ['"x"', '*os.environ.get("A", "b c").split()']),
        ('x {env:A:"{envdir}/b"}', ['"x"', 'os.environ.get("A", f"{session.env_dir}/b")']),
        ("x {glob:/a/**/*.py}", ['"x"', '*sorted(glob("/a/**/*.py", recursive=True))']),
        ("x {glob:{toxinidir}/*}", ['"x"', '*sorted(glob(f"{ROOT}/*"))']),
        ("x {package_env}", ['"x"', '".pkg"']),
        ("'{ a{:} {envdir} }'", ['f"{{ a{os.pathsep} {session.env_dir} }}"']),
        ("x {env:A:{envdir}/b}", ['"x"', 'os.environ.get("A", f"{session.env_dir}/b")']),
        ("x {tty:--color:}", ['"x"', '*(["--color"] if session.interactive else [])']),
        ("x {tty::-a}", ['"x"', '*([] if session.interactive else ["-a"])']),
        ("x {tty:a:b}", ['"x"', '("a" if session.interactive else "b")']),
        (
            "x {tty:{env:A:b}:c}",
            ['"x"', '(os.environ.get("A", "b") if session.interactive else "c")'],
        ),
        ("x {tty:a}", ['"x"', '*(["a"] if session.interactive else [])']),
        ("x {glob:*.py}", ['"x"', '*sorted(glob(f"{ROOT}/*.py"))']),
        (
            "x {glob:{env:A:b}/*:c d}",
            [
                '"x"',
                """*(sorted(glob(os.path.join(ROOT, f"{os.environ.get('A', 'b')}/*"))) or ["c", "d"])""",
            ],
        ),
        ("x {/}a{:}b", ['"x"', 'f"/a{os.pathsep}b"']),
        (
            "x {env:A:{posargs:b}}",
            ['"x"', """os.environ.get("A") or " ".join(session.posargs or ["b"])"""],
        ),
        ("x {a", ['"x"', '"{a"']),
        ("x {a{posargs}", ['"x"', """f"{{a{' '.join(session.posargs)}\""""]),
        (r"x {posargs:\}}", ['"x"', '*(session.posargs or ["}"])']),
        (
            "x {env:A:{glob:a}}",
            ['"x"', """os.environ.get("A") or " ".join(sorted(glob(f"{ROOT}/a")))"""],
        ),
        (r"awk \{print\}", ['"awk"', '"{print}"']),
        ("x {nothing}", ['"x"', '"{nothing}"']),
        (
            "x {posargs:{env:T:tests}}",
            ['"x"', '*(session.posargs or [os.environ.get("T", "tests")])'],
        ),
    ],
)
def test_a_command_is_split_as_a_shell_does_with_substitutions_whole(
    command: str, arguments: list[str]
):
    assert [argument(word) for word in command_words(command, {})] == arguments


def test_a_quote_that_is_not_closed_is_refused():
    with pytest.raises(ValueError, match="No closing quotation"):
        command_words("echo 'a", {})


def test_a_variable_that_the_environment_sets_is_written_out():
    assert expression(as_text("{env:A:x}/b", {"A": "1"})) == '"1/b"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a", '"a"'), ('a "b"', "'a \"b\"'"), ("it's", '"it\'s"'), ("a\\b", '"a\\\\b"')],
)
def test_a_string_is_quoted_as_a_formatter_does(text: str, shown: str):
    assert quoted(text) == shown


def test_what_fits_stands_on_one_line_and_what_does_not_on_several():
    short = Block("f(", ('"a"', '"b"'), ")")
    long = Block("f(", ('"' + "a" * 60 + '"', '"' + "b" * 30 + '"'), ")")

    assert short.lines("    ") == ['    f("a", "b")']
    assert long.lines() == ["f(", f'    "{"a" * 60}",', f'    "{"b" * 30}",', ")"]
