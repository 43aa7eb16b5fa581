"""tox.ini as tox reads it: the lines of a setting that hold for an environment."""

from __future__ import annotations

from textwrap import dedent

import pytest

from runner.convert.braces import argument
from runner.convert.tox_ini import IniFile
from runner.convert.tox_source import Entry


def ini(text: str) -> IniFile:
    """The settings of a text."""
    return IniFile(dedent(text))


def lines(text: str, env: str, key: str) -> list[str] | None:
    """The lines of a setting; behind `if` what the machine decides."""
    found = ini(text).entries(env, key)
    if found is None:
        return None
    return [entry.text + (f" if {entry.platform}" if entry.platform else "") for entry in found]


def commands(text: str, env: str) -> list[list[str]]:
    """The commands of an environment as arguments in Python."""
    found = ini(text).commands(env, "commands", {})
    return [list(map(argument, item.value.words)) for item in found]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "deps = a\n",
            "File contains no section headers. line 1 'deps = a\\n'",
        ),
        ("[tox]\n[tox]\n", "line 2: section 'tox' already exists"),
        ("[tox]\nno sign\n", "line 2: 'no sign\\n'"),
    ],
)
def test_what_is_no_ini_file_is_refused_with_its_line(text: str, told: str):
    with pytest.raises(ValueError, match=r".") as refused:
        IniFile(text)

    assert str(refused.value) == told


NAMES = {
    "env_list = a, b-c": ["a", "b-c"],
    "env_list = py{39,310}-{a,b}": ["py39-a", "py39-b", "py310-a", "py310-b"],
    "env_list =\n  a  # first\n  b, a": ["a", "b"],
    "env_list = {[more]list}": ["m", "n"],
    "env_list =": ["py"],
    "": ["py"],
    "env_list = .pkg, a": ["a"],
}


@pytest.mark.parametrize(("said", "names"), NAMES.items())
def test_a_list_of_environments_stands_for_names(said: str, names: list[str]):
    found = IniFile(f"[tox]\n{said}\n[more]\nlist = m, n\n").environments()

    assert list(found) == [(name, True) for name in names]


def test_a_list_with_what_is_no_name_is_refused():
    with pytest.raises(ValueError, match=r"'a\(b' is no name of an environment"):
        list(IniFile("[tox]\nenv_list = a(b\n").environments())


def test_names_of_sections_and_of_conditions_run_when_they_are_named():
    text = """
        [tox]
        env_list = py39
        [testenv]
        deps =
            cov-py39: c
            win32: w
            py39: d
        [testenv:a{1,2}]
        [other]
        deps =
            x: y
    """

    assert list(ini(text).environments()) == [
        ("py39", True),
        ("a1", False),
        ("a2", False),
        ("cov-py39", False),
        ("win32", False),
    ]


def test_a_setting_of_a_section_stands_before_that_of_all():
    text = "[testenv]\ndeps = a\n[testenv:x{1,2}]\ndeps = b\n"

    assert lines(text, "x2", "deps") == ["b"]
    assert lines(text, "y", "deps") == ["a"]
    assert lines(text, "y", "extras") is None


def test_a_setting_of_which_nothing_holds_lets_the_next_decide():
    text = "[testenv]\ndeps = a\n[testenv:x]\ndeps =\n    z: b\n"

    assert lines(text, "x", "deps") == ["a"]


def test_a_setting_that_is_empty_is_empty():
    assert lines("[testenv]\ndeps = a\n[testenv:x]\ndeps =\n", "x", "deps") == []


BASE = """
    [z]
    extras = z
    [q]
    base = z
    deps = q
    [testenv]
    description = of all
    [testenv:o]
    commands_pre = o
    [testenv:x]
    base = q, o
    [testenv:y]
    base = testenv
"""


@pytest.mark.parametrize(
    ("env", "key", "said"),
    [
        ("x", "deps", ["q"]),
        ("x", "commands_pre", ["o"]),
        ("x", "extras", None),
        ("x", "description", None),
        ("y", "description", ["of all"]),
    ],
)
def test_bases_that_are_said_stand_in_the_place_of_the_settings_of_all(
    env: str, key: str, said: list[str] | None
):
    assert lines(BASE, env, key) == said


def test_lines_that_go_on_are_one_and_their_condition_is_that_of_the_first():
    text = """
        [testenv]
        commands =
            x: a \\
              b
            y: c \\
              d
            e \\
            f
            y: g \\
            z: h
            k
    """

    assert commands(text, "x") == [['"a"', '"b"'], ['"e"', '"f"'], ['"k"']]
    assert commands(text, "y") == [['"c"', '"d"'], ['"e"', '"f"'], ['"g"', '"k"']]


def test_two_lines_that_go_on_behind_one_for_others_are_taken_for_a_command_as_by_tox():
    text = "[testenv]\ncommands =\n    y: a \\\n    b \\\n    c\n"

    assert commands(text, "x") == [['"b"', '"c"']]


def test_what_goes_on_behind_a_line_for_others_is_left_out_with_it():
    text = "[testenv]\ncommands =\n    y: c \\\n    d\n    e\n"

    assert commands(text, "x") == [['"e"']]


def test_the_platform_of_lines_is_left_to_the_machine():
    assert lines("[testenv]\ndeps =\n    win32: w\n    !win32: l\n", "x", "deps") == [
        'w if sys.platform == "win32"',
        'l if sys.platform != "win32"',
    ]


REFERENCES = {
    "{[more]deps}": ["m1", "m2"],
    "{[more]none:d}": ["d"],
    "{[more]none}": ["{[more]none}"],
    "{[none]none}": ["{[none]none}"],
    "a{[more]one}b": ["a1b"],
    "{[testenv:o]deps}": ["o"],
    "{[testenv:o]extras}": ["all"],
    "{extras}": ["all"],
    "{basepython}": ["python"],
    "{[testenv:x]deps}": ["{[testenv:x]deps}"],
    "{deps}": ["{deps}"],
    "{envname}": ["{envname}"],
    "{posargs}": ["{posargs}"],
    "{env:A:{[more]one}}": ["{env:A:1}"],
    "{mine}": ["core"],
    "{[more]windows}": ['w if sys.platform == "win32"'],
    "{not a name}": ["{not a name}"],
}


@pytest.mark.parametrize(("said", "entries"), REFERENCES.items())
def test_references_to_other_settings_are_written_out(said: str, entries: list[str]):
    text = f"""
        [tox]
        mine = core
        [testenv]
        extras = all
        [testenv:x]
        deps = {said}
        [testenv:o]
        deps = o
        [more]
        one = 1
        windows =
            win32: w
        deps =
            m1
            x: m2
            y: m3
    """

    assert lines(text, "x", "deps") == entries


def test_a_reference_within_a_condition_has_both():
    text = "[testenv]\ndeps =\n    linux: {[m]d}\n[m]\nd =\n    !win32: a\n    b\n"

    assert lines(text, "x", "deps") == [
        'a if sys.platform == "linux" and sys.platform != "win32"',
        'b if sys.platform == "linux"',
    ]


VARIABLES = {
    "A=1": Entry("A=1"),
    "A=1; sys_platform == 'win32'": Entry("A=1", platform='sys.platform == "win32"'),
    "A=a\\;b": Entry("A=a;b"),
    "A='a;b'": Entry("A='a;b'"),
    "A='a;b'; os_name == 'nt'": Entry("A='a;b'", platform='os.name == "nt"'),
    "A=it's": Entry("A=it's"),
    "A=it's; os_name == 'nt'": Entry("A=it's", platform='os.name == "nt"'),
    "linux: A=1; os_name == 'posix'": Entry(
        "A=1", ((("linux", False),),), 'sys.platform == "linux" and os.name == "posix"'
    ),
}


@pytest.mark.parametrize(("said", "entry"), VARIABLES.items())
def test_a_marker_behind_a_variable_is_its_condition(said: str, entry: Entry):
    assert ini(f"[testenv]\nsetenv =\n    {said}\n").entries("x", "set_env") == [entry]


def test_settings_that_tox_has_not_are_told_unless_something_refers_to_them():
    text = """\
        [tox]
        env_lst = a
        [testenv]
        dep = a
        mine = b
        deps = {[testenv]mine}
        [testenv:x]
        comands = c
        [other]
        any = d
    """

    assert list(ini(text).unread()) == [
        ("env_lst", 2, "tox has no such setting"),
        ("dep", 4, "tox has no such setting"),
        ("comands", 8, "tox has no such setting"),
    ]


def test_settings_of_the_other_kind_of_section_are_told_unless_something_refers_to_them():
    text = """\
        [tox]
        commands = a
        deps = b
        labels = x = y
        [testenv]
        minversion = 4
        envlist = z
        labels = x
        no_package = true
        commands = {[tox]commands}
    """

    assert list(ini(text).unread()) == [
        ("deps", 3, "tox has it only for an environment"),
        ("minversion", 6, "tox has it only for all environments"),
        ("envlist", 7, "tox has it only for all environments"),
    ]


def test_markers_of_a_python_that_is_known_are_decided():
    text = """\
        [testenv]
        set_env =
            A = 1; python_version >= "3.10"
            B = 1; "3.12" == python_version
            C = 1; python_version < "3.12" and sys_platform == "linux"
            D = 1; python_version < "3.9"
        [testenv:named]
        base_python = python3.12
    """

    assert lines(text, "py311", "set_env") == ["A = 1", 'C = 1 if sys.platform == "linux"']
    assert lines(text, "named", "set_env") == ["A = 1", "B = 1"]


def test_a_marker_that_cannot_be_decided_costs_its_variable_alone():
    entries = ini("[testenv]\nset_env =\n  A=1; python_version > '3.9'\n  B=2\n").entries(
        "py", "set_env"
    )

    assert entries == [
        Entry("A=1", trouble="marker \"python_version > '3.9'\" is not known before it runs"),
        Entry("B=2"),
    ]


def test_labels_are_lines_of_names():
    text = "[tox]\nlabels =\n    quick = a, b{1,2}\n    nothing\n    odd = a(b\n"

    assert list(ini(text).labels()) == [("quick", ["a", "b1", "b2"])]


def test_lines_are_those_of_the_file_that_a_text_was_taken_from():
    file = IniFile("[testenv:x]\ndeps = a\n", first_line=11)

    assert file.section_line("testenv:x") == 11
    assert file.line_of("x", "deps") == 12
    assert file.line_of("x", "extras") == 0
