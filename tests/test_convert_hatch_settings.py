"""What each setting of hatch means, as Environments."""

from __future__ import annotations

from textwrap import dedent

import pytest

from runner.convert import from_hatch
from runner.convert.braces import argument
from runner.convert.model import Command, Declared, Environment, Item, Text
from runner.convert.words import expression


def declared(text: str, name: str = "hatch.toml") -> Declared:
    """All that a file says."""
    found = from_hatch.read(name, dedent(text))
    assert found is not None
    return found


def environment(text: str, name: str) -> Environment:
    """One of the environments."""
    return next(one for one in declared(text).environments if one.name == name)


def the_only(settings: str) -> Environment:
    """The environment with these settings, which is the only one."""
    (one,) = declared(f"[envs.x]\n{settings}\n").environments
    return one


def names(text: str) -> list[str]:
    """The names of all environments."""
    return [one.name for one in declared(text).environments]


def commands(one: Environment) -> list[str]:
    """Its commands as arguments in Python."""
    return [", ".join(map(argument, item.value.words)) for item in one.commands]


def shown(items: tuple[Item[Text], ...]) -> list[str]:
    """The entries of a list as Python."""
    return [expression(item.value) for item in items]


def installs(one: Environment) -> list[str]:
    """What is installed in the function; behind `if` for what."""
    return [
        ("run " if item.value.setup else "")
        + " ".join(map(argument, item.value.words))
        + (f" if {item.platform}" if item.platform else "")
        for item in one.installs
    ]


def variables(one: Environment) -> list[str]:
    """The variables that are set; behind `if` for what."""
    return [
        f"{item.value[0]}={expression(item.value[1])}"
        + (f" if {item.platform}" if item.platform else "")
        for item in one.env
    ]


def notes(text: str) -> list[tuple[str, int, str]]:
    """What is told of a file."""
    return [tuple(note) for note in declared(text).notes]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tox.ini", "[envs.x]\n"),
        ("hatch.toml", "[version]\npath = 'x'\n"),
        ("pyproject.toml", "[envs.x]\n"),
        ("pyproject.toml", "[tool.hatch]\nenvs = 1\n"),
    ],
)
def test_a_file_that_says_nothing_of_environments_is_not_read(name: str, text: str):
    assert from_hatch.read(name, text) is None


def test_settings_that_are_fields_of_their_own():
    one = the_only(
        """
        python = "python3.11"
        description = "the tests"
        dependencies = ["a"]
        extra-dependencies = ["b @ {root:uri}/b"]
        features = ["f"]
        dependency-groups = ["g"]
        env-vars = { A = "1", B = "{root}/b" }
        system-packages = true
        platforms = ["linux", "windows", "macos"]
        """
    )

    assert one.name == "x"
    assert one.python == "3.11"
    assert one.doc == "the tests"
    assert shown(one.deps) == ['"a"', 'f"b @ file://{ROOT}/b"']
    assert shown(one.extras) == ['"f"']
    assert shown(one.groups) == ['"g"']
    assert variables(one) == ['A="1"', 'B=f"{ROOT}/b"']
    assert one.backend_options == ("--system-site-packages",)
    assert one.platform == "linux|win32|darwin"


@pytest.mark.parametrize(
    ("said", "python"),
    [("3.12", "3.12"), ("py312", "3.12"), ("pypy3.10", "pypy3.10"), ("/opt/python", "/opt/python")],
)
def test_the_python_of_an_environment(said: str, python: str):
    assert the_only(f'python = "{said}"').python == python


@pytest.mark.parametrize(
    ("settings", "project"),
    [
        ("", "editable"),
        ("dev-mode = true", "editable"),
        ("dev-mode = false", "wheel"),
        ("skip-install = true", ""),
        ("detached = true", ""),
    ],
)
def test_how_the_project_is_installed(settings: str, project: str):
    assert the_only(settings).project == project


TEMPLATES = """
[envs.default]
dependencies = ["d"]
description = "of all"
matrix = [{ python = ["3.11"] }]
scripts.a = "of all"
scripts.b = "b"
[envs.base]
template = "base"
dependencies = ["e"]
[envs.x]
template = "base"
features = ["f"]
[envs.y]
scripts.a = "own"
[envs.z]
detached = true
"""


@pytest.mark.parametrize(
    ("name", "deps", "doc", "said"),
    [
        ("base", ['"e"'], "", ["*session.posargs"]),
        ("x", ['"e"'], "", ["*session.posargs"]),
        ("y-a", ['"d"'], "of all", ['"own"']),
        ("z", [], "", ["*session.posargs"]),
    ],
)
def test_an_environment_has_what_its_template_says(
    name: str, deps: list[str], doc: str, said: list[str]
):
    one = environment(TEMPLATES, name)

    assert (shown(one.deps), one.doc, commands(one)) == (deps, doc, said)


def test_the_matrix_of_a_template_is_not_inherited():
    assert environment(TEMPLATES, "y-a").pythons == ()
    assert environment(TEMPLATES, "a").pythons == ("3.11",)


def test_templates_that_go_in_a_circle_end():
    text = '[envs.a]\ntemplate = "b"\n[envs.b]\ntemplate = "a"\ndependencies = ["d"]\n'

    assert shown(environment(text, "a").deps) == ['"d"']


def test_an_environment_without_scripts_of_its_own_has_those_of_its_template():
    text = '[envs.default]\nscripts.a = "b"\n[envs.x]\nfeatures = ["f"]\n'

    assert names(text) == ["a", "x-a"]


def test_extra_scripts_yield_to_scripts():
    text = '[envs.x]\nextra-scripts = { a = "1", b = "2" }\nscripts.a = "3"\n'

    assert [(one.name, commands(one)) for one in declared(text).environments] == [
        ("x-a", ['"3"']),
        ("x-b", ['"2"']),
    ]


COMMANDS = {
    "a {args}": ['"a", *session.posargs'],
    "a {args:b 'c d'}": ['"a", *(session.posargs or ["b", "c d"])'],
    "a {args:{root}}": ['"a", *(session.posargs or [str(ROOT)])'],
    "a {root}/b": ['"a", f"{ROOT}/b"'],
    "a {root:parent}/b": ['"a", f"{ROOT}/../b"'],
    "a {root:uri}": ['"a", f"file://{ROOT}"'],
    "a {home}/b": ['"a", f"{os.path.expanduser(\'~\')}/b"'],
    "a {env_name} {env_type}": ['"a", "x", "virtual"'],
    "a {env:A:b}": ['"a", os.environ.get("A", "b")'],
    "a {env:V}": ['"a", "1"'],
    "a {matrix:m:d}": ['"a", "d"'],
    "a {verbosity} {verbosity:flag}": ['"a", "0"'],
    "a {;} {/}": ['"a", os.pathsep, "/"'],
    "- a": ['"a"'],
    "a > b": ['"sh", "-c", "a > b"'],
    "a b \\\\\n  --c": ['"a", "b", "--c"'],
    "a\nb\n": ['"sh", "-c", "a\\nb"'],
    "A=1 b": ['"sh", "-c", "A=1 b"'],
    "a 'b > c'": ['"a", "b > c"'],
    "a {root} | b": ['"sh", "-c", f"a {ROOT} | b"'],
    "a {args:b c} | d": ['"sh", "-c", \'a "$@" | d\', "sh", *(session.posargs or ["b", "c"])'],
    "": [],
    "{root}/a {home}": ['f"{ROOT}/a", os.path.expanduser("~")'],
    "a | {root}": ['"sh", "-c", f"a | {ROOT}"'],
    "{root}{env:A:b} | a": ['"sh", "-c", f"{ROOT}{os.environ.get(\'A\', \'b\')} | a"'],
    "a && b {env:V}": ['"sh", "-c", "a && b 1"'],
}


@pytest.mark.parametrize(("said", "arguments"), COMMANDS.items())
def test_a_command_with_what_stands_in_braces(said: str, arguments: list[str]):
    assert commands(the_only(f'env-vars = {{ V = "1" }}\nscripts.s = """{said}"""')) == arguments


def test_programs_of_the_system_are_external_and_failures_may_be_ignored():
    one = the_only('scripts.s = ["make a", "- b", "- c | d"]')

    assert [item.value for item in one.commands] == [
        Command((("make",), ("a",)), external=True),
        Command((("b",),), may_fail=True),
        Command((("sh",), ("-c",), ("c | d",)), may_fail=True, external=True),
    ]


SCRIPTS = """
[envs.x.scripts]
one = ["a", "- b"]
with-arguments = "one -v"
ignored = "- one"
twice = ["with-arguments -w", "c"]
round = "round"
"""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("with-arguments", [('"a", "-v"', False), ('"b", "-v"', True)]),
        ("ignored", [('"a"', True), ('"b"', True)]),
        ("twice", [('"a", "-v", "-w"', False), ('"b", "-v", "-w"', True), ('"c"', False)]),
        ("round", [('"round"', False)]),
    ],
)
def test_a_script_that_is_called_stands_in_the_place_of_the_call(
    script: str, said: list[tuple[str, bool]]
):
    one = environment(SCRIPTS, f"x-{script}")

    assert list(zip(commands(one), [c.value.may_fail for c in one.commands], strict=True)) == said


def test_commands_around_the_installation_install_or_run():
    one = the_only(
        'pre-install-commands = ["pip install -U a", "python b.py"]\n'
        'post-install-commands = ["c | d"]\n'
    )

    assert installs(one) == [
        '"-U" "a"',
        'run "python" "b.py"',
        '"-e" "."',
        'run "sh" "-c" "c | d"',
    ]
    assert one.project == ""


def test_what_is_run_before_the_installation_comes_before_all_that_is_installed():
    one = the_only(
        'pre-install-commands = ["python b.py"]\ndependencies = ["one", "two"]\n'
        'features = ["x", "y"]\ndependency-groups = ["g"]\ndev-mode = false\n'
    )

    assert installs(one) == ['run "python" "b.py"', '".[x,y]"', '"one" "two"', '"--group" "g"']
    assert (one.deps, one.extras, one.groups, one.project) == ((), (), (), "")


def test_what_is_run_behind_the_installation_alone_leaves_it_declared():
    one = the_only('post-install-commands = ["python b.py"]\ndependencies = ["one"]\n')

    assert installs(one) == ['run "python" "b.py"']
    assert one.project == "editable"


def test_commands_around_an_installation_that_is_skipped_are_told():
    found = declared('[envs.x]\nskip-install = true\npre-install-commands = ["a"]\n')

    assert found.environments[0].installs == ()
    assert [(note.kind, note.line, note.text) for note in found.notes] == [
        (
            "ignored",
            3,
            "x.pre-install-commands: hatch runs them only where it installs the project",
        )
    ]


def test_environments_that_install_in_their_functions_share_none():
    text = '[envs.x]\npost-install-commands = ["a"]\nscripts = { b = "b", c = "c" }\n'

    assert [one.shares for one in declared(text).environments] == ["", ""]


def test_scripts_share_the_environment_of_their_name():
    text = '[envs.x]\nscripts = { b = "b", c = "c" }\n'

    assert [one.shares for one in declared(text).environments] == ["x", "x"]


MATRIX = """
[envs.x]
dependencies = ["a=={matrix:v}"]
scripts.s = "run {matrix:v} {matrix:python}"
matrix = [{ v = ["1", "2"], python = ["3.11", "3.12"] }]
"""


def test_a_matrix_is_pythons_and_an_argument():
    one = environment(MATRIX, "x-s")

    assert one.pythons == ("3.11", "3.12")
    assert one.axes == (("v", ("1", "2")),)
    assert commands(one) == ['"run", v, session.python']
    assert shown(one.deps) == []
    assert installs(one) == ['f"a=={v}"']


def test_a_variable_of_a_matrix_that_python_has_as_a_word_gets_a_name():
    one = the_only('scripts.s = "a {matrix:class}"\nmatrix = [{ class = ["b"], os = ["c"] }]')

    assert [axis for axis, _ in one.axes] == ["class_", "os_"]
    assert commands(one) == ['"a", class_']


def test_several_products_with_pythons_alone_are_one_list():
    one = the_only('matrix = [{ python = ["3.11"] }, { py = ["3.12"] }]')

    assert one.pythons == ("3.11", "3.12")


OVERRIDES = {
    'v.dependencies = ["b"]': ['"b"'],
    'v.dependencies = [{ value = "b", if = ["1"] }]': ['"b" if v == "1"'],
    'v.dependencies = [{ value = "b", if = ["1", "2"] }]': ['"b" if v in ("1", "2")'],
    'v.features = [{ value = "f", if = ["1"] }]': ['"-e" ".[f]" if v == "1"'],
    'v.dependency-groups = [{ value = "g", if = ["1"] }]': ['"--group" "g" if v == "1"'],
    'python.dependencies = [{ value = "b", if = ["3.11"] }]': ['"b" if session.python == "3.11"'],
    'other.dependencies = ["b"]': [],
}


@pytest.mark.parametrize(("said", "installed"), OVERRIDES.items())
def test_what_a_matrix_adds_is_installed_in_the_function(said: str, installed: list[str]):
    one = the_only(f'matrix = [{{ v = ["1", "2"], python = ["3.11"] }}]\noverrides.matrix.{said}\n')

    assert installs(one) == installed


def test_what_a_matrix_sets_is_set_in_the_function():
    one = the_only(
        'matrix = [{ v = ["1", "2"] }]\n'
        'overrides.matrix.v.env-vars = [{ key = "A", value = "b", if = ["2"] }, { key = "C" }]\n'
    )

    assert variables(one) == ['A="b" if v == "2"', "C=v"]
    assert {need for item in one.env for piece in item.value[1] for need in piece[1]} == {"session"}


# As `Project.config.envs` of hatch has them.
COMBINED = """
[envs.default]
dependencies = ["d"]
scripts.a = "x {args}"
[envs.t]
matrix = [{ v = ["1", "2"], python = ["3.11", "py312"] }]
[envs.t.overrides]
matrix.v.set-dependencies = [{ value = "n", if = ["1"] }, "m"]
matrix.v.skip-install = { value = true, if = ["2"] }
matrix.v.env-vars = ["A", "B=b", { key = "C", value = "c", if = ["2"] }, { key = "D", if = ["1"] }]
matrix.v.scripts = [{ key = "t", value = "u", if = ["1"] }]
name."^py3.11".features = ["f"]
"""


@pytest.mark.parametrize(
    ("name", "python", "deps", "project", "env", "extras"),
    [
        ("t-a-py3.11-1", "3.11", ['"n"', '"m"'], "editable", ["A=1", "B=b", "D=1"], ['"f"']),
        ("t-a-py3.11-2", "3.11", ['"m"'], "", ["A=2", "B=b", "C=c"], ['"f"']),
        ("t-a-py312-1", "3.12", ['"n"', '"m"'], "editable", ["A=1", "B=b", "D=1"], []),
        ("t-a-py312-2", "3.12", ['"m"'], "", ["A=2", "B=b", "C=c"], []),
    ],
)
def test_overrides_that_no_function_can_say_make_environments_one_by_one(
    name: str, python: str, deps: list[str], project: str, env: list[str], extras: list[str]
):
    one = environment(COMBINED, name)

    assert one.python == python
    assert shown(one.deps) == deps
    assert one.project == project
    assert [entry.replace('"', "") for entry in variables(one)] == env
    assert shown(one.extras) == extras


def test_a_script_that_an_override_adds_is_an_environment_too():
    assert names(COMBINED)[1:4] == ["t-a-py3.11-1", "t-t-py3.11-1", "t-a-py3.11-2"]


def test_overrides_of_a_template_hold_for_a_matrix_of_ones_own():
    text = """
        [envs.default]
        overrides.matrix.v.env-vars = "W"
        [envs.x]
        matrix = [{ v = ["1"] }]
    """

    assert variables(environment(text, "x-1")) == ['W="1"']


def test_an_override_that_sets_variables_anew_takes_the_others_away():
    text = """
        [envs.x]
        env-vars = { A = "1" }
        matrix = [{ v = ["1"] }]
        overrides.matrix.v.set-env-vars = [{ B = "2" }]
    """

    assert variables(environment(text, "x-1")) == ['B="2"']


def test_the_first_value_of_an_override_that_holds_counts():
    text = """
        [envs.x]
        matrix = [{ v = ["1", "2"] }]
        overrides.matrix.v.python = [{ value = "3.11", if = ["1"] }, "3.12"]
        overrides.matrix.v.dev-mode = [{ value = false, if = ["1"] }]
    """

    made = declared(text).environments

    assert [(one.python, one.project) for one in made] == [("3.11", "wheel"), ("3.12", "editable")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("type = 'conda'", ("left", 2, "x.type = conda: a plugin of hatch")),
        ("type = 'pip-compile'", ("left", 2, "x.type = pip-compile: runenv --lock locks")),
        ("workspace.members = ['a']", ("left", 1, "x.workspace: there is nothing of the kind")),
        ("dependencis = ['a']", ("ignored", 2, "x.dependencis: hatch has no such setting")),
        ("overrides.platform.windows.features = ['a']", ("left", 1, "x.overrides.platform")),
        (
            (
                "matrix = [{ v = ['1'] }]\n"
                "overrides.matrix.v.features = [{ value = 'a', platform = ['windows'] }]"
            ),
            (
                "left",
                1,
                'x.overrides.matrix.v.features: { value = "a", platform = ["windows"] }',
            ),
        ),
        ('scripts.s = "a \'b"', ("left", 2, "x scripts.s: a 'b (No closing quotation)")),
        ("scripts.s = 'hatch run y'", ("approximated", 2, "x runs hatch itself: hatch run y")),
    ],
)
def test_what_is_not_carried_over_is_told(said: str, told: tuple[str, int, str]):
    assert told in notes(f"[envs.x]\n{said}\n")


def test_what_the_platform_decides_in_an_override_is_not_taken_for_all():
    one = the_only(
        "matrix = [{ v = ['1'] }]\n"
        "overrides.matrix.v.dependencies = ['a', { value = 'b', env = ['CI'] }]\n"
    )

    assert installs(one) == ['"a"']


def test_the_tests_of_hatch_have_its_arguments():
    one = environment(
        '[envs.hatch-test]\ndefault-args = ["a b", "c"]\nextra-args = ["-v"]\n', "hatch-test"
    )

    assert commands(one) == ['"pytest", "-v", *(session.posargs or ["a b", "c"])']


def test_scripts_for_the_tests_of_hatch_stand_in_the_place_of_its_own():
    text = '[envs.hatch-test.scripts]\nrun = "pytest{env:HATCH_TEST_ARGS:} {args}"\n'

    assert [(one.name, commands(one)) for one in declared(text).environments] == [
        ("hatch-test", ['"pytest", *(session.posargs or ["tests"])'])
    ]


def test_the_checks_of_hatch_install_no_project():
    one = environment("[envs.hatch-static-analysis]\n", "hatch-static-analysis-lint-check")

    assert one.project == ""
    assert shown(one.deps) == ['"ruff"']
    assert commands(one) == ['"ruff", "check", *(session.posargs or ["."])']


def test_no_two_sessions_have_one_name_and_no_session_that_of_a_shared_environment():
    text = """
        [envs.default.scripts]
        lint = "a"
        lint-fix = "b"
        [envs.lint.scripts]
        fix = "c"
        style = "d"
        ["envs"."odd name"]
    """

    assert [(one.name, one.shares) for one in declared(text).environments] == [
        ("lint", "default"),
        ("lint-fix", "default"),
        ("lint-fix-env", "lint-env"),
        ("lint-style", "lint-env"),
        ("odd_name-lint", "odd_name"),
        ("odd_name-lint-fix", "odd_name"),
    ]


def test_a_third_of_a_name_has_a_number():
    text = """
        [envs.default.scripts]
        a-b = "1"
        [envs.a.scripts]
        b = "2"
        ["envs"."a b".scripts]
        x = "4"
        ["envs"."a:b".scripts]
        x = "5"
        ["envs"."a,b".scripts]
        x = "6"
    """

    assert names(text) == ["a-b", "a-b-env", "a_b-x", "a_b-x-env", "a_b-x-env-2"]


@pytest.mark.parametrize(
    ("scripts", "options"),
    [
        ("test = 'a'\nbuild = 'b'", (("default", ("test",)),)),
        ("build = 'a'\nlint = 'b'\ntypes = 'c'", (("default", ("lint", "types")),)),
        ("build = 'a'\nserve = 'b'", (("default", ("build",)),)),
        ("test = 'a'", ()),
    ],
)
def test_what_checks_runs_when_nothing_is_named(
    scripts: str, options: tuple[tuple[str, tuple[str, ...]], ...]
):
    assert declared(f"[envs.default.scripts]\n{scripts}\n").options == options


def test_many_that_check_are_listed_one_by_one():
    text = "[envs.default.scripts]\nbuild = 'a'\n" + "".join(
        f"x{number}-test = 'a'\n" for number in range(13)
    )

    made = declared(text)

    assert made.options == ()
    assert [one.name for one in made.environments if not one.listed] == ["build"]
