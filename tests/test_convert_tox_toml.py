"""tox.toml and [tool.tox]: what tox 4 makes of their tables, as Environments."""

from __future__ import annotations

from textwrap import dedent

import pytest

from runner.convert import from_tox
from runner.convert.braces import argument
from runner.convert.model import Declared, Environment, Item, Text
from runner.convert.words import expression


def declared(text: str, name: str = "tox.toml") -> Declared:
    """All that a file says."""
    found = from_tox.read(name, dedent(text))
    assert found is not None
    return found


def environment(text: str, env: str = "s", name: str = "tox.toml") -> Environment:
    """One of the environments of a file."""
    return next(one for one in declared(text, name).environments if one.name == env)


def commands(text: str, env: str = "s") -> list[list[str]]:
    """The commands of an environment as arguments in Python; behind `if` what they are for."""
    return [
        [*map(argument, item.value.words), *([f"if {item.platform}"] if item.platform else [])]
        for item in environment(text, env).commands
    ]


def shown(items: tuple[Item[Text], ...]) -> list[str]:
    """The entries of a list; behind `if` what they are for."""
    return [
        expression(item.value) + (f" if {item.platform}" if item.platform else "") for item in items
    ]


def deps(text: str, env: str = "s") -> list[str]:
    """The requirements of an environment."""
    return shown(environment(text, env).deps)


def variables(text: str, env: str = "s") -> list[str]:
    """The variables of an environment."""
    return [
        f"{item.value[0]}={expression(item.value[1])}"
        + (f" if {item.platform}" if item.platform else "")
        for item in environment(text, env).env
    ]


LISTS = {
    '["a", "b-c"]': ["a", "b-c"],
    '[{ product = [["py39", "py310"], ["a", "b"]] }]': ["py39-a", "py39-b", "py310-a", "py310-b"],
    '[{ product = [["a", "b"], ["c"]], exclude = ["a-c"] }]': ["b-c"],
    '[{ prefix = "py3", start = 12, stop = 13 }]': ["py312", "py313"],
    '[{ prefix = "py3", start = 14 }]': ["py314", "py315"],
    '[{ prefix = "py3", stop = 12 }]': ["py311", "py312"],
    '[{ django = ["4", "5"] }]': ["4", "5"],
    '[{ django = { values = ["4", "5"], default = "5" } }]': ["4", "5"],
    '[{ product = [{ v = { prefix = "3.", stop = 12 } }, ["a"]] }]': ["3.11-a", "3.12-a"],
    "[]": ["py"],
}


@pytest.mark.parametrize(("said", "names"), LISTS.items())
def test_a_list_of_environments_stands_for_names(said: str, names: list[str]):
    found = declared(f"env_list = {said}\n").environments

    assert [one.name for one in found] == names


def test_a_group_of_factors_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'a' is no group of factors"):
        declared('env_list = [{ product = ["a"] }]\n')


def test_environments_with_a_table_run_when_they_are_named():
    found = declared('env_list = ["a"]\n[env.b]\n[env.".pkg"]\n').environments

    assert [(one.name, one.listed) for one in found] == [("a", True), ("b", False)]


GENERATED = {
    '["f", "g"]': ["t-f", "t-g"],
    '[["f", "g"], ["h"]]': ["t-f-h", "t-g-h"],
    '[{ prefix = "h", start = 1, stop = 2 }]': ["t-h1", "t-h2"],
}


@pytest.mark.parametrize(("factors", "names"), GENERATED.items())
def test_the_factors_of_a_base_make_environments_that_inherit_from_it(
    factors: str, names: list[str]
):
    text = (
        f'env_list = ["s"]\n[env_run_base]\nskip_install = true\n'
        f'[env_base.t]\nfactors = {factors}\ndescription = "of the base"\n'
    )

    found = [one for one in declared(text).environments if one.name != "s"]

    assert [one.name for one in found] == names
    assert {one.doc for one in found} == {"of the base"}
    assert {one.project for one in found} == {""}
    assert {one.source for one in found} == {"env_base.t"}


def test_a_base_that_is_said_stands_in_the_place_of_the_base_of_all():
    text = """
        [env_run_base]
        description = "of all"
        [env_base.c]
        factors = ["f"]
        deps = ["c"]
        [env.o]
        extras = ["o"]
        [env.s]
        base = ["env_base.c", "o"]
    """

    one = environment(text)

    assert one.doc == ""
    assert shown(one.deps) == ['"c"']
    assert shown(one.extras) == ['"o"']


def test_a_base_may_be_named_from_the_root_of_pyproject():
    text = """
        [tool.tox.env_run_base]
        deps = ["a"]
        [tool.tox.env.s]
        base = ["tool.tox.env_run_base"]
    """

    assert shown(environment(text, name="pyproject.toml").deps) == ['"a"']


DEPS = {
    '"a\\nb"': ['"a"', '"b"'],
    '["a", ["b"]]': ['"a"', '"b"'],
    '[{ replace = "if", condition = "factor.s", then = ["a", "b"], extend = true }]': [
        '"a"',
        '"b"',
    ],
    '[{ replace = "if", condition = "factor.x", then = ["a"], extend = true }]': [],
    '[{ replace = "if", condition = "factor.x", then = "a", else = "b" }]': ['"b"'],
    '[{ replace = "if", condition = "env.CI", then = "a", else = "b" }]': [
        '"a" if os.environ.get("CI")',
        '"b" if not os.environ.get("CI")',
    ],
    '[{ replace = "if", condition = "env.A", then = [{ replace = "if", condition = "env.B",'
    ' then = "b" }] }]': ['"b" if os.environ.get("A") and os.environ.get("B")'],
    '[{ replace = "env", name = "A", default = "b" }]': ['os.environ.get("A", "b")'],
    '[{ replace = "ref", of = ["env", "o", "deps"], extend = true }]': ['"o1"', '"o2"'],
    '[{ replace = "ref", env = "o", key = "deps", extend = true }]': ['"o1"', '"o2"'],
    '[{ replace = "ref", env = "o", key = "extras", extend = true }]': [],
    '["{[env.o]deps}"]': ['"o1"', '"o2"'],
    '["{[more]list}"]': ['"m"'],
    '["{[more]nothing:d}"]': ['"d"'],
    '["{description}"]': ['"mine"'],
    '["{nothing}"]': ['"{nothing}"'],
}


@pytest.mark.parametrize(("said", "entries"), DEPS.items())
def test_entries_are_written_out_as_tox_does(said: str, entries: list[str]):
    text = (
        f'[env.s]\ndescription = "mine"\ndeps = {said}\n'
        '[env.o]\ndeps = ["o1", "o2"]\n[more]\nlist = ["m"]\n'
    )

    assert deps(text) == entries


REFUSED = {
    '[{ replace = "ref", of = ["nothing"] }]': "deps: nothing is not there",
    '[{ replace = "ref", of = ["env", "s", "deps"] }]': (
        "deps: ['env', 's', 'deps'] refers to itself"
    ),
    '[{ replace = "ref", key = "deps" }]': "deps: deps refers to itself",
    '[{ replace = "new" }]': "deps: replace = 'new'",
    '[{ replace = "if", condition = "1", then = "a" }]': "deps: condition = '1'",
}


@pytest.mark.parametrize(("said", "told"), REFUSED.items())
def test_a_replacement_that_cannot_be_read_is_told_and_the_rest_converted(said: str, told: str):
    one = environment(f'[env.s]\ndescription = "mine"\ndeps = {said}\n')

    assert [(note.kind, note.line, note.text) for note in one.notes] == [("left", 3, told)]
    assert one.doc == "mine"


def test_a_reference_to_a_group_of_the_project_is_followed_in_pyproject():
    text = """
        [dependency-groups]
        t = ["one", "two"]
        [tool.tox.env_run_base]
        deps = ["base"]
        [tool.tox.env.s]
        deps = [
            { replace = "ref", of = ["tool", "tox", "env_run_base", "deps"], extend = true },
            { replace = "ref", of = ["dependency-groups", "t"], extend = true },
        ]
        description = "{[tool.tox.env_run_base]deps} {[tool.tox.env.s]extras}"
        extras = ["x"]
    """

    one = environment(text, name="pyproject.toml")

    assert shown(one.deps) == ['"base"', '"one"', '"two"']
    assert one.doc == "base x"


def test_a_requirement_that_is_handed_over_is_installed_in_the_function():
    one = environment('[env.s]\ndeps = [{ replace = "posargs", default = ["a", "b"] }]\n')

    assert [list(map(argument, item.value.words)) for item in one.installs] == [
        ['*(session.posargs or ["a", "b"])']
    ]


def test_a_setting_that_refers_to_itself_in_braces_stays_as_it_is():
    assert deps('[env.s]\ndeps = ["{deps}"]\n') == ['"{deps}"']


VARIABLES = {
    'set_env.A = "1"': ['A="1"'],
    'set_env.A = ""': ['A=""'],
    'set_env.A = { value = "1", marker = "sys_platform == \'win32\'" }': [
        'A="1" if sys.platform == "win32"'
    ],
    'set_env.A = { replace = "env", name = "B", default = "c" }': ['A=os.environ.get("B", "c")'],
    'set_env.A = { replace = "env", name = "B", marker = "os_name == \'nt\'" }': [
        'A=os.environ.get("B", "") if os.name == "nt"'
    ],
    'set_env.A = { value = "1", marker = "python_version == \'3.10\'" }': [],
    'set_env.A = { value = "1", marker = "python_version == \'3.12\'" }\nbase_python = "py312"': [
        'A="1"'
    ],
    'set_env = [{ A = "1" }, { B = "2" }]': ['A="1"', 'B="2"'],
    'set_env.A = { replace = "if", condition = "env.CI", then = "1", else = "2" }': [
        'A="1" if os.environ.get("CI")',
        'A="2" if not os.environ.get("CI")',
    ],
}


@pytest.mark.parametrize(("said", "entries"), VARIABLES.items())
def test_variables_that_are_set(said: str, entries: list[str]):
    assert variables(f"[env.s]\n{said}\n") == entries


def test_a_file_of_variables_is_told():
    one = environment('[env.s]\nset_env.file = ".env"\n')

    assert [note.text for note in one.notes] == ["set_env file|.env: not a variable"]


COMMANDS = {
    '[["a", "b c"], ["d"]]': [['"a"', '"b c"'], ['"d"']],
    '[["a", { replace = "posargs", default = ["b", "c"], extend = true }]]': [
        ['"a"', '*(session.posargs or ["b", "c"])']
    ],
    '[["a", { replace = "posargs", extend = true }]]': [['"a"', "*session.posargs"]],
    '[["a", { replace = "env", name = "B", default = "-q -x" }]]': [
        ['"a"', 'os.environ.get("B", "-q -x")']
    ],
    '[["a", { replace = "glob", pattern = "*.toml", extend = true }]]': [
        ['"a"', '*sorted(glob(f"{ROOT}/*.toml"))']
    ],
    '[["a", { replace = "glob", pattern = "*.x", default = ["b"], extend = true }]]': [
        ['"a"', '*(sorted(glob(f"{ROOT}/*.x")) or ["b"])']
    ],
    '[["a", { replace = "if", condition = "factor.s", then = ["b", "c"], extend = true }]]': [
        ['"a"', '"b"', '"c"']
    ],
    '[["a", { replace = "if", condition = "not factor.s", then = ["b"], extend = true }]]': [
        ['"a"']
    ],
    '[["a", { replace = "if", condition = "env.CI", then = ["b"], extend = true }]]': [
        ['"a"', '*(["b"] if os.environ.get("CI") else [])']
    ],
    '[["a", { replace = "ref", of = ["env_run_base", "extras"], extend = true }]]': [
        ['"a"', '"x"', '"y"']
    ],
    '[["a", "{tty:--color:}"]]': [['"a"', '*(["--color"] if session.interactive else [])']],
    '[["a", ""]]': [['"a"', '""']],
    '[["a", "{base_python}"]]': [['"a"', '"python"']],
    '[["a", "{env_name}", "{envtmpdir}/b"]]': [['"a"', "session.name", 'f"{tmp}/b"']],
    '[["a", "{env:A:{env_name}}"]]': [['"a"', 'os.environ.get("A", session.name)']],
    '[{ replace = "if", condition = "factor.s", then = [["a"], ["b"]], extend = true }]': [
        ['"a"'],
        ['"b"'],
    ],
    '[{ replace = "if", condition = "factor.s", then = ["a", "b"] }]': [['"a"', '"b"']],
    '[{ replace = "if", condition = "factor.x", then = ["a", "b"] }]': [],
    '{ replace = "if", condition = "env.CI", then = [["a"]], else = [["b"]] }': [
        ['"a"', 'if os.environ.get("CI")'],
        ['"b"', 'if not os.environ.get("CI")'],
    ],
    '{ replace = "ref", of = ["env_run_base", "commands_pre"] }': [['"p"', '"q"'], ['"r"']],
    '[{ replace = "ref", of = ["env_run_base", "commands_pre"], extend = true }, ["z"]]': [
        ['"p"', '"q"'],
        ['"r"'],
        ['"z"'],
    ],
    "[[]]": [],
}


@pytest.mark.parametrize(("said", "arguments"), COMMANDS.items())
def test_commands_are_words_with_their_replacements(said: str, arguments: list[list[str]]):
    text = (
        f'[env_run_base]\nextras = ["x", "y"]\ncommands_pre = [["p", "q"], ["r"]]\n'
        f"[env.s]\ncommands = {said}\n"
    )

    assert commands(text) == arguments


def test_a_command_that_may_fail_and_one_that_must_have_a_sign_as_their_first_word():
    one = environment('[env.s]\ncommands = [["-", "a"], ["!", "b"], ["-", ["c"]]]\n')

    assert [(c.value.words, c.value.may_fail, c.value.must_fail) for c in one.commands] == [
        ((("a",),), True, False),
        ((("b",),), False, True),
        ((("c",),), True, False),
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('"a b"', "commands: a command cannot be read ('a b' is not list)"),
        ('["a b"]', "commands: a command cannot be read ('a b' is not list)"),
        ('[{ replace = "env" }]', "commands: a command cannot be read (replace = 'env')"),
        (
            '[["a", { replace = "new" }]]',
            "commands: a command cannot be read (replace = 'new')",
        ),
    ],
)
def test_what_is_no_list_of_words_is_told(said: str, told: str):
    one = environment(f"[env.s]\ncommands = {said}\n")

    assert [(note.kind, note.line, note.text) for note in one.notes] == [("left", 2, told)]


FACTORS = """
env_list = [{ product = [{ dj = { values = ["4", "5-0"], default = "5-0" } }, ["a"]] }, "s"]
[env_run_base]
commands = [["x", "{factor:dj}", "{factor:0:b}", "{factor:none:c}", "{factor:none}"]]
"""


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ("4-a", ['"x"', '"4"', '"4"', '"c"', '""']),
        ("5-0-a", ['"x"', '"5-0"', '"5-0"', '"c"', '""']),
        ("s", ['"x"', '"5-0"', '"b"', '"c"', '""']),
    ],
)
def test_a_label_stands_for_the_factor_that_the_name_has(env: str, words: list[str]):
    assert commands(FACTORS, env) == [words]


def test_labels_are_tags_of_the_environments_that_they_name():
    text = 'env_list = ["a", "b"]\n[labels]\nquick = ["a"]\nodd = "b"\n'

    assert shown(environment(text, "a").tags) == ['"quick"']
    assert shown(environment(text, "b").tags) == []


def test_settings_that_tox_has_not_are_told_with_their_lines():
    text = """\
        env_lst = ["a"]
        mine = "1"
        [env_run_base]
        dep = ["a"]
        [env_base.t]
        factors = ["f"]
        extra = ["b"]
        [env.s]
        comands = [["x"]]
        own = "1"
        commands = [["{own}"], [{ replace = "ref", of = ["mine"] }]]
        [env_pkg_base]
        any = 1
    """

    assert [(note.kind, note.line, note.text) for note in declared(text).notes] == [
        ("ignored", 1, "env_lst: tox has no such setting"),
        ("ignored", 4, "env_run_base.dep: tox has no such setting"),
        ("ignored", 9, "env.s.comands: tox has no such setting"),
        ("ignored", 7, "env_base.t.extra: tox has no such setting"),
    ]


def test_settings_of_all_and_old_names_are_found():
    text = """
        skip_missing_interpreters = true
        envlist = ["a"]
        [env_run_base]
        basepython = "python3.11"
    """

    assert declared(text).options == (("skip_missing", "True"),)
    assert environment(text, "a").python == "3.11"


def test_a_pyproject_that_has_other_tools_alone_says_nothing():
    assert from_tox.read("pyproject.toml", "[tool]\nruff = {}\n") is None
    assert from_tox.read("pyproject.toml", "tool = 1\n") is None
