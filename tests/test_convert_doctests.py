"""Commands of pytest that import all modules leave the envfile alone."""

from __future__ import annotations

import pytest

from runner.convert import convert
from runner.convert.doctests import asks_for_doctests


def runs(commands: str, *, doctests: bool = False, more: str = "") -> list[str]:
    """The calls of session.run."""
    text = f"[tox]\nenv_list = a\nno_package = true\n[testenv]\n{more}\ncommands =\n  {commands}\n"
    made = convert("tox.ini", text, doctests=doctests)
    assert made is not None
    return [line.strip() for line in made.text.splitlines() if "session.run(" in line]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pytest --doctest-modules", '"pytest", "--ignore=envfile.py", "--doctest-modules"'),
        (
            "python -m pytest --doctest-modules",
            '"python", "-m", "pytest", "--ignore=envfile.py", "--doctest-modules"',
        ),
        ("py.test --doctest-modules", '"py.test", "--ignore=envfile.py", "--doctest-modules"'),
        ("pytest tests", '"pytest", "tests"'),
        (
            "pytest --doctest-modules --ignore=envfile.py",
            '"pytest", "--doctest-modules", "--ignore=envfile.py"',
        ),
        ("pip install pytest --doctest-modules", '"pip", "install", "pytest", "--doctest-modules"'),
    ],
)
def test_a_command_that_looks_for_doctests_everywhere_ignores_the_envfile(command: str, words: str):
    assert runs(command) == [f"session.run({words})"]


def test_all_commands_of_pytest_ignore_it_where_the_configuration_asks_for_doctests():
    assert runs("pytest tests", doctests=True) == [
        'session.run("pytest", "--ignore=envfile.py", "tests")'
    ]


def test_in_another_folder_there_is_no_envfile():
    assert runs("pytest --doctest-modules", more="change_dir = docs") == [
        'session.run("pytest", "--doctest-modules")'
    ]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("[pytest]\naddopts = -q --doctest-modules\n", True),
        ("[pytest]\naddopts =\n    -q\n    --doctest-modules\n", True),
        ('[tool.pytest.ini_options]\naddopts = [\n  "-q",\n  "--doctest-modules",\n]\n', True),
        ("[pytest]\naddopts = -q\n[testenv]\ncommands = pytest --doctest-modules\n", False),
        ("", False),
    ],
)
def test_a_configuration_asks_by_addopts(text: str, asks: bool):
    assert asks_for_doctests(text) is asks
