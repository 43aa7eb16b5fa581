"""The envfile that is written: its text, and what runenv reads in it."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from runner.convert import Converted, convert
from runner.load import load_project
from runner.model import Job


def converted(text: str, name: str = "tox.ini") -> Converted:
    """What comes of a file."""
    made = convert(name, dedent(text))
    assert made is not None
    return made


def envfile(text: str, name: str = "tox.ini") -> str:
    """The envfile without its head."""
    return converted(text, name).text.partition("import runner\n")[2].strip() + "\n"


def body(settings: str, name: str = "s") -> list[str]:
    """The lines of the function of an environment with these settings."""
    text = envfile(
        f"[tox]\nenv_list = {name}\nno_package = true\n[testenv:{name}]\n" + dedent(settings)
    )
    # Behind it may stand what a condition names.
    lines = text.partition(" -> None:\n")[2].partition("\n\n\n")[0]
    return dedent(lines).splitlines()


def jobs(folder: Path, text: str, name: str = "tox.ini") -> dict[str, Job]:
    """What runenv reads in the envfile, by name."""
    path = folder / "envfile.py"
    path.write_text(converted(text, name).text, encoding="utf-8")
    return {job.name: job for job in load_project(str(path)).jobs}


def names_and_pythons(folder: Path, env_list: str) -> dict[str, str | None]:
    """The jobs of environments that all do the same."""
    text = f"[tox]\nno_package = true\nenv_list = {env_list}\n[testenv]\ncommands = a\n"
    return {name: job.python for name, job in jobs(folder, text).items()}


HEAD = '"""The sessions of this project, as they were in {}."""\n\n{}import runner\n'


@pytest.mark.parametrize(
    ("command", "imports"),
    [
        ("a", ""),
        ("a {env:B}", "import os\n\n"),
        ("a {hostname} {py_impl}", "import socket\nimport sys\n\n"),
        ("a {glob:*} {homedir}", "import os\nfrom glob import glob\nfrom pathlib import Path\n\n"),
    ],
)
def test_what_is_used_is_imported(command: str, imports: str):
    text = f"[tox]\nenv_list = s\nno_package = true\n[testenv]\ncommands = {command}\n"

    assert converted(text).text.startswith(HEAD.format("tox.ini", imports))


def test_the_root_is_a_constant_of_the_envfile():
    text = "[tox]\nenv_list = s\nno_package = true\n[testenv]\nchange_dir = a\ncommands = b {toxinidir}/c\n"

    assert converted(text).text == HEAD.format("tox.ini", "from pathlib import Path\n\n") + dedent(
        """\

        ROOT = Path(__file__).parent


        @runner.session
        def s(session: runner.Session) -> None:
            session.chdir("a")
            session.run("b", f"{ROOT}/c")
        """
    )


def test_options_stand_in_the_head():
    text = "[tox]\nenv_list = s\nskip_missing_interpreters = true\n[testenv]\nskip_install = true\n"

    assert envfile(text).startswith("runner.options.skip_missing = True\n\n\n@runner.session\n")


def test_what_is_left_of_a_file_stands_in_its_head():
    text = "[tox]\nenv_list = s\nrequires = tox-docker\n[testenv]\nskip_install = true\n"

    assert envfile(text).startswith(
        "# left: requires = tox-docker: what this plugin does is not known\n\n\n@runner.session\n"
    )


# Functions. ------------------------------------------------------------------------------

SAME = """
    [tox]
    env_list = a, b
    no_package = true
    [testenv]
    description = of all
    commands =
        x
        y
    [testenv:a]
    deps = d
    [testenv:b]
    deps = e
"""


def test_environments_that_do_the_same_share_a_function():
    assert envfile(SAME) == dedent(
        '''\
        @runner.session(deps=["d"])
        def a(session: runner.Session) -> None:
            """Of all."""
            session.run("x")
            session.run("y")


        runner.session(name="b", deps=["e"])(a)
        '''
    )
    assert converted(SAME).made == "2 environments in 1 function"


def test_environments_that_do_the_same_under_another_description_call_the_function():
    text = SAME.replace("[testenv:b]", "[testenv:b]\n    description = of b")

    assert envfile(text).partition("\n\n\n")[2] == dedent(
        '''\
        @runner.session(deps=["e"])
        def b(session: runner.Session) -> None:
            """Of b."""
            a(session)
        '''
    )
    assert converted(text).made == "2 environments in 2 functions"


def test_a_function_with_arguments_serves_nobody_else(tmp_path: Path):
    text = """
        [tool.hatch.envs.a]
        skip-install = true
        matrix = [{ v = ["1", "2"] }]
        scripts.s = ["x", "y"]
        [tool.hatch.envs.b]
        skip-install = true
        scripts.s = ["x", "y"]
    """

    made = jobs(tmp_path, text, "pyproject.toml")

    assert [(name, job.spec.function.__name__) for name, job in made.items()] == [
        ("a-s-v1", "a_s"),
        ("a-s-v2", "a_s"),
        ("b-s", "b_s"),
    ]


@pytest.mark.parametrize(
    ("env_list", "functions"),
    [
        ("import, list, product, os", ["import_", "list_", "product_", "os_"]),
        ("a-b, a.b", ["a_b", "a_b_2"]),
        ("3.12", ["on_3_12"]),
        ("Docs", ["docs"]),
    ],
)
def test_a_function_has_a_name_that_hides_none_of_python(env_list: str, functions: list[str]):
    made = envfile(
        f"[tox]\nenv_list = {env_list}\nno_package = true\n[testenv]\ncommands = {{envname}}\n"
        + "".join(f"[testenv:{n}]\ncommands = x{n}\n" for n in env_list.split(", "))
    )

    assert [line.split("(")[0][4:] for line in made.splitlines() if line[:4] == "def "] == functions


@pytest.mark.parametrize(
    ("env_list", "function"),
    [("lint-a, lint-b", "lint"), ("py39-a, py39-b", "tests"), ("a, b", "tests")],
)
def test_a_function_of_several_has_what_is_common_to_their_names(env_list: str, function: str):
    text = f"[tox]\nenv_list = {env_list}\nno_package = true\n[testenv]\ncommands = x\n"

    assert envfile(text).startswith(f"def {function}(session")


DOCS = {
    "check the style": ['"""Check the style."""'],
    "Done!": ['"""Done!"""'],
    'say "yes"': ['"""Say "yes" ."""'],
    "a\\b": ['"""A\\\\b."""'],
    "word " * 30: [
        '"""Word ' + "word " * 14 + "word",
        "word " * 13 + "word.",
        '"""',
    ],
}


@pytest.mark.parametrize(("said", "lines"), DOCS.items())
def test_a_description_is_a_docstring(said: str, lines: list[str]):
    assert body(f"description = {said}\ncommands = a\n")[:-1] == lines


def test_a_description_alone_is_a_function():
    assert body("description = nothing to do\n") == ['"""Nothing to do."""']


BODIES = {
    "platform = win.*\ncommands = a": [
        'if not re.fullmatch("win.*", sys.platform):',
        '    session.skip("it is for win.*")',
        'session.run("a")',
    ],
    "platform = linux\ncommands = a": [
        'if sys.platform != "linux":',
        '    session.skip("it is for linux")',
        'session.run("a")',
    ],
    "commands = a {envsitepackagesdir}/b": [
        "site_packages = session.run(",
        '    "python",',
        '    "-c",',
        "    \"import sysconfig; print(sysconfig.get_path('purelib'))\",",
        "    silent=True,",
        ").strip()",
        'session.run("a", f"{site_packages}/b")',
    ],
    "set_env =\n  A = {posargs:b c}\ncommands = a": [
        'session.env["A"] = " ".join((session.posargs or ["b", "c"]))',
        'session.run("a")',
    ],
    "set_env =\n  A = x {posargs}\ncommands = a": [
        'session.env["A"] = f"x {\' \'.join(session.posargs)}"',
        'session.run("a")',
    ],
    "set_env =\n  win32: A = {envdir}\ncommands = a": [
        'if sys.platform == "win32":',
        '    session.env["A"] = session.env_dir',
        'session.run("a")',
    ],
    "deps =\n  win32: -e a\ncommands = a": [
        'if sys.platform == "win32":',
        '    session.install("-e", "a")',
        'session.run("a")',
    ],
    "commands =\n  win32: a\n  win32: b\n  c": [
        'if sys.platform == "win32":',
        '    session.run("a")',
        '    session.run("b")',
        'session.run("c")',
    ],
    "commands = {posargs}": ["if session.posargs:", "    session.run(*session.posargs)"],
    "commands_post = a": ["try:", "    pass", "finally:", '    session.run("a")'],
    "ignore_outcome = true": [
        "try:",
        "    pass",
        "except runner.CommandFailed as error:",
        '    session.warn(f"{error}; it is ignored")',
    ],
}


@pytest.mark.parametrize(("settings", "lines"), BODIES.items())
def test_what_a_setting_does_in_the_function(settings: str, lines: list[str]):
    assert body(settings) == lines


def test_a_long_installation_under_a_condition_is_indented_with_all_its_lines():
    assert body(f"deps =\n  win32: -e {'a' * 70}\ncommands = a\n") == [
        'if sys.platform == "win32":',
        "    session.install(",
        '        "-e",',
        f'        "{"a" * 70}",',
        "    )",
        'session.run("a")',
    ]


# Names in loops. -------------------------------------------------------------------------

LOOPS: dict[str, dict[str, str | None]] = {
    "py{3.9,3.10}-{a,b}, py{3.11,3.12}-c": {
        "py3.9-a": "3.9",
        "py3.9-b": "3.9",
        "py3.10-a": "3.10",
        "py3.10-b": "3.10",
        "py3.11-c": "3.11",
        "py3.12-c": "3.12",
    },
    "{3.9,3.10}-a, 3.11-{b,c}": {
        "3.9-a": "3.9",
        "3.10-a": "3.10",
        "3.11-b": "3.11",
        "3.11-c": "3.11",
    },
    "py39-x-{a,b}, py39-y-{b,c}": {
        "py39-x-a": "3.9",
        "py39-x-b": "3.9",
        "py39-y-b": "3.9",
        "py39-y-c": "3.9",
    },
    "py39-{a,b}, pypy39-{c,d}": {
        "py39-a": "3.9",
        "py39-b": "3.9",
        "pypy39-c": "pypy3.9",
        "pypy39-d": "pypy3.9",
    },
    "py39-{a,b}, py-{b,c}": {"py39-a": "3.9", "py39-b": "3.9", "py-b": None, "py-c": None},
    "x-{a,b}, y-{b,c}": {"x-a": None, "x-b": None, "y-b": None, "y-c": None},
    "py39, py310": {"py39": "3.9", "py310": "3.10"},
    "py{3.9,3.10}": {"py3.9": "3.9", "py3.10": "3.10"},
    "{3.9,3.10}-{a,b}": {"3.9-a": "3.9", "3.9-b": "3.9", "3.10-a": "3.10", "3.10-b": "3.10"},
    "{py39,pypy310}": {"py39": "3.9", "pypy310": "pypy3.10"},
    "{py39,pypy310}-{a,b}": {
        "py39-a": "3.9",
        "py39-b": "3.9",
        "pypy310-a": "pypy3.10",
        "pypy310-b": "pypy3.10",
    },
    "{py39,py}-{a,b}": {"py39-a": "3.9", "py39-b": "3.9", "py-a": None, "py-b": None},
    "py39-{a,b}": {"py39-a": "3.9", "py39-b": "3.9"},
    "py-{a,b}-x-{c,d}": {"py-a-x-c": None, "py-a-x-d": None, "py-b-x-c": None, "py-b-x-d": None},
    "lint-{a,b}": {"lint-a": None, "lint-b": None},
    "py39-a, py310-b": {"py39-a": "3.9", "py310-b": "3.10"},
    "a, py39-a": {"a": None, "py39-a": "3.9"},
}


@pytest.mark.parametrize(("env_list", "found"), LOOPS.items())
def test_the_names_and_pythons_of_loops_are_those_of_the_list(
    tmp_path: Path, env_list: str, found: dict[str, str | None]
):
    assert names_and_pythons(tmp_path, env_list) == found


HEADS = {
    "py39, py310": ['for python in ["3.9", "3.10"]:'],
    "py{3.9,3.10}": ['for python in ["3.9", "3.10"]:'],
    "{3.9,3.10}-{a,b}": ['for python in ["3.9", "3.10"]:', '    for variant in ["a", "b"]:'],
    "{py39,pypy310}": ['for name, python in {"py39": "3.9", "pypy310": "pypy3.10"}.items():'],
    "{py39,pypy310}-{a,b}": [
        'for py, python in {"py39": "3.9", "pypy310": "pypy3.10"}.items():',
        '    for variant in ["a", "b"]:',
    ],
    "{dj1,dj2}-{a,b}-{c,d}": [
        'for dj in ["dj1", "dj2"]:',
        '    for variant in ["a", "b"]:',
        '        for variant2 in ["c", "d"]:',
    ],
    "py39-a, py310-b": ['for name, python in {"py39-a": "3.9", "py310-b": "3.10"}.items():'],
}


@pytest.mark.parametrize(("env_list", "heads"), HEADS.items())
def test_the_parts_of_names_are_loops(env_list: str, heads: list[str]):
    text = f"[tox]\nno_package = true\nenv_list = {env_list}\n[testenv]\ncommands = a\n"

    lines = envfile(text).splitlines()

    assert [line for line in lines if line.strip().startswith("for ")] == heads


def test_two_parts_that_name_pythons_are_listed(tmp_path: Path):
    assert names_and_pythons(tmp_path, "py39-py310, py39-py311") == {
        "py39-py310": "3.9",
        "py39-py311": "3.9",
    }


# What differs within a family. -----------------------------------------------------------


def deps_of(folder: Path, deps: str, env_list: str = "a, b, c") -> dict[str, tuple[str, ...]]:
    """The requirements that runenv reads for each."""
    text = (
        f"[tox]\nno_package = true\nenv_list = {env_list}\n"
        f"[testenv]\ncommands = x\ndeps =\n{deps}\n"
    )
    return {name: job.spec.needs.deps for name, job in jobs(folder, text).items()}


def test_a_requirement_of_some_is_for_those_alone(tmp_path: Path):
    assert deps_of(tmp_path, "  d\n  a,b: e\n  !a: f") == {
        "a": ("d", "e"),
        "b": ("d", "e", "f"),
        "c": ("d", "f"),
    }


def test_requirements_that_factors_choose_are_a_table(tmp_path: Path):
    deps = "  d\n  a: e\n  a: f\n  b: g"

    assert deps_of(tmp_path, deps) == {"a": ("d", "e", "f"), "b": ("d", "g"), "c": ("d",)}
    assert envfile(
        f"[tox]\nno_package = true\nenv_list = a, b, c\n[testenv]\ncommands = x\ndeps =\n{deps}\n"
    ).startswith('TEST_DEPS = {"a": ["e", "f"], "b": ["g"]}\n')


def test_a_requirement_of_a_platform_is_asked_when_it_runs():
    text = (
        "[tox]\nno_package = true\nenv_list = x-a, x-b\n[testenv]\ncommands = x\n"
        "deps =\n  win32-a: d\n  win32: e\n  a: f\n"
    )

    assert (
        "        deps=[\n"
        '            *(["d"] if "a" in factors and sys.platform == "win32" else []),\n'
        '            *(["e"] if sys.platform == "win32" else []),\n'
        '            *(["f"] if "a" in factors else []),\n'
        "        ],\n"
    ) in envfile(text)


def env_of(folder: Path, env: str, env_list: str) -> dict[str, dict[str, str | None]]:
    """The variables that runenv reads for each."""
    text = (
        f"[tox]\nno_package = true\nenv_list = {env_list}\n"
        f"[testenv]\ncommands = x\nset_env =\n{env}\n"
    )
    return {name: dict(job.spec.env) for name, job in jobs(folder, text).items()}


VARIABLES: dict[tuple[str, str], dict[str, dict[str, str]]] = {
    ("x-a, x-b", "  a: A = 1\n  b: A = 2"): {"x-a": {"A": "1"}, "x-b": {"A": "2"}},
    ("x-a, x-b", "  !a: A = 1\n  a: A = 2"): {"x-a": {"A": "2"}, "x-b": {"A": "1"}},
    ("x-a, x-b, x-c", "  a: A = 1\n  b: A = 2"): {
        "x-a": {"A": "1"},
        "x-b": {"A": "2"},
        "x-c": {},
    },
    ("x-a, x-b", "  A = 1\n  a: A = 2"): {"x-a": {"A": "2"}, "x-b": {"A": "1"}},
    ("x-a, x-b", "  a: A = 1\n  B = 2"): {"x-a": {"A": "1", "B": "2"}, "x-b": {"B": "2"}},
    ("x-a, x-b", "  A = {envname}"): {"x-a": {"A": "x-a"}, "x-b": {"A": "x-b"}},
    ("x-a, x-b, x-c", "  !a: A = 1\n  a: A = 2"): {
        "x-a": {"A": "2"},
        "x-b": {"A": "1"},
        "x-c": {"A": "1"},
    },
    ("x-b, x-a, x-c", "  !a: A = 1\n  a: A = 2"): {
        "x-b": {"A": "1"},
        "x-a": {"A": "2"},
        "x-c": {"A": "1"},
    },
    ("x-a", "  A = {envname}"): {"x-a": {"A": "x-a"}},
    ("py39-a, py310-a", "  py39: A = 1"): {"py39-a": {"A": "1"}, "py310-a": {}},
}


@pytest.mark.parametrize(("said", "found"), VARIABLES.items())
def test_variables_are_those_of_each_environment(
    tmp_path: Path, said: tuple[str, str], found: dict[str, dict[str, str]]
):
    env_list, env = said

    assert env_of(tmp_path, env, env_list) == found


def test_a_variable_of_one_platform_or_the_other_is_set_by_each():
    text = (
        "[tox]\nno_package = true\nenv_list = s\n[testenv]\ncommands = x\n"
        "set_env =\n  win32: A = 1\n  linux: A = 2\n"
    )

    assert (
        "    env={\n"
        '        **({"A": "1"} if sys.platform == "win32" else {}),\n'
        '        **({"A": "2"} if sys.platform == "linux" else {}),\n'
        "    },\n"
    ) in envfile(text)


# What several say. -----------------------------------------------------------------------


def test_variables_that_several_set_are_a_constant():
    text = """
        [tox]
        env_list = a, b, c
        no_package = true
        [testenv]
        set_env =
            A = 1
            B = 2
        [testenv:a]
        commands = a
        [testenv:b]
        commands = b
        [testenv:c]
        commands = c
        set_env =
            {[testenv]set_env}
            C = 3
    """

    made = envfile(text)

    assert made.startswith('ENV = {"A": "1", "B": "2"}\n')
    assert made.count("@runner.session(env=ENV)") == 2
    assert '@runner.session(env={**ENV, "C": "3"})\n' in made


LISTS = """
    [tox]
    env_list = a, b, c, d
    no_package = true
    [testenv:a]
    commands = a
    deps =
        one
        two
    [testenv:b]
    commands = b
    deps =
        {[testenv:a]deps}
        three
    [testenv:c]
    commands = c
    deps =
        -c limits.txt
        -c more.txt
    [testenv:d]
    commands = d
    deps =
        one
        -c limits.txt
        -c more.txt
"""


def test_lists_that_several_have_are_constants():
    made = envfile(LISTS)

    assert made.startswith('DEPS = ["one", "two"]\n\nC_CONSTRAINTS = ["limits.txt", "more.txt"]\n')
    assert [line for line in made.splitlines() if line.startswith("@")] == [
        "@runner.session(deps=DEPS)",
        '@runner.session(deps=[*DEPS, "three"])',
        "@runner.session(constraints=C_CONSTRAINTS)",
        '@runner.session(deps=["one"], constraints=C_CONSTRAINTS)',
    ]


def test_a_list_of_all_with_one_of_some_has_both(tmp_path: Path):
    text = LISTS.replace("env_list = a,", "env_list = x-e, x-f, a,") + dedent("""
        [testenv:x-{e,f}]
        commands = x
        deps =
            one
            two
            e: four
    """).replace("\n", "\n    ")

    made = jobs(tmp_path, text)

    assert {name: job.spec.needs.deps for name, job in made.items()} == {
        "x-e": ("one", "two", "four"),
        "x-f": ("one", "two"),
        "a": ("one", "two"),
        "b": ("one", "two", "three"),
        "c": (),
        "d": ("one",),
    }
    assert '*(["four"] if "e" in factors else [])' in converted(text).text


def test_pythons_that_several_matrices_have_are_a_constant(tmp_path: Path):
    text = """
        [tool.hatch.envs.a]
        skip-install = true
        matrix = [{ python = ["3.9", "3.10"] }]
        scripts.s = "x"
        [tool.hatch.envs.b]
        skip-install = true
        matrix = [{ python = ["3.9", "3.10"] }]
        scripts.s = "y"
    """

    made = envfile(text, "pyproject.toml")

    assert 'PYTHONS = ["3.9", "3.10"]\n' in made
    assert made.count("python=PYTHONS)") == 2
    assert [(name, job.python) for name, job in jobs(tmp_path, text, "pyproject.toml").items()] == [
        ("a-s-3.9", "3.9"),
        ("a-s-3.10", "3.10"),
        ("b-s-3.9", "3.9"),
        ("b-s-3.10", "3.10"),
    ]


def test_constants_of_one_name_have_numbers():
    text = """
        [tox]
        env_list = p-a1, p-a2, q-a1, q-a2
        no_package = true
        [testenv:p-a{1,2}]
        commands = x
        deps =
            a1: b
            a2: c
        [testenv:q-a{1,2}]
        commands = y
        deps =
            a1: d
            a2: e
    """

    made = envfile(text)

    assert 'TEST_DEPS = {"a1": ["b"], "a2": ["c"]}\n' in made
    assert 'TEST_DEPS_2 = {"a1": ["d"], "a2": ["e"]}\n' in made


# Families. -------------------------------------------------------------------------------


def test_what_comes_after_one_of_its_own_section_shares_its_function_only():
    text = (
        "[tox]\nno_package = true\nenv_list = a, b\n[testenv]\ndepends = a\ncommands =\n  x\n  y\n"
    )

    assert envfile(text).endswith('\nrunner.session(name="b", after=["a"])(a)\n')


def test_what_comes_after_another_is_no_part_of_its_family():
    text = (
        "[tox]\nno_package = true\nenv_list = a, b\n[testenv]\ncommands = x\n"
        "[testenv:b]\ndepends = a\n"
    )

    assert [line for line in envfile(text).splitlines() if "session" in line] == [
        "@runner.session",
        "def a(session: runner.Session) -> None:",
        '    session.run("x")',
        '@runner.session(after=["a"])',
        "def b(session: runner.Session) -> None:",
        '    session.run("x")',
    ]


def test_what_has_no_command_in_common_shares_no_function():
    text = (
        "[tox]\nno_package = true\nenv_list = x-a, x-b\n[testenv]\ncommands =\n  a: one\n  b: two\n"
    )

    assert converted(text).made == "2 environments in 2 functions"


def test_a_command_that_is_written_twice_runs_twice():
    assert body("commands =\n  a\n  b\n  a\n") == [
        'session.run("a")',
        'session.run("b")',
        'session.run("a")',
    ]


def test_what_tox_cannot_order_stays_in_its_order():
    text = (
        "[tox]\nno_package = true\nenv_list = a, b\n[testenv:a]\ndepends = b\ncommands = x\n"
        "[testenv:b]\ndepends = a\ncommands = y\n"
    )

    assert [line for line in envfile(text).splitlines() if line[:3] == "def"] == [
        "def a(session: runner.Session) -> None:",
        "def b(session: runner.Session) -> None:",
    ]


def test_names_without_a_python_beside_others_leave_them_theirs(tmp_path: Path):
    assert names_and_pythons(tmp_path, "profile, pypy39, lint") == {
        "profile": None,
        "pypy39": "pypy3.9",
        "lint": None,
    }


BY_FACTOR = """\
    [tox]
    env_list = {}
    no_package = true
    [testenv]
    deps =
        a: one
        b: two
    commands = c
    """


def test_a_table_by_factor_of_names_that_are_listed_is_read_by_factors(tmp_path: Path):
    text = BY_FACTOR.format("pypy39-a, pypy39-b, x-a, x-b")

    assert {name: job.spec.needs.deps for name, job in jobs(tmp_path, text).items()} == {
        "pypy39-a": ("one",),
        "pypy39-b": ("two",),
        "x-a": ("one",),
        "x-b": ("two",),
    }


def test_one_python_beside_one_without_is_listed_with_its_table(tmp_path: Path):
    text = BY_FACTOR.format("py-a, py-b, py39-a, py39-b")

    found = jobs(tmp_path, text)

    assert {name: (job.python, *job.spec.needs.deps) for name, job in found.items()} == {
        "py-a": (None, "one"),
        "py-b": (None, "two"),
        "py39-a": ("3.9", "one"),
        "py39-b": ("3.9", "two"),
    }


def test_numbers_that_are_no_pythons_are_listed(tmp_path: Path):
    assert names_and_pythons(tmp_path, "{1,2}-{a,b}") == dict.fromkeys(["1-a", "1-b", "2-a", "2-b"])


def test_what_is_left_of_all_is_told_once():
    text = "[tox]\nenv_list = a, b\n[testenv]\npip_pre = x\nfail_fast = true\n[testenv:b]\ncommands = b\n"

    assert envfile(text).count("# left: tox.ini:5 fail_fast = true") == 1


def test_a_list_that_is_all_of_a_table_is_its_entry():
    text = (
        "[tox]\nno_package = true\nenv_list = py-{a1,a2}\n[testenv]\ndeps =\n  a1: one\n  a2: two\n"
    )

    assert "deps=A_DEPS[a]," in envfile(text) or "deps=A_DEPS[a])" in envfile(text)


PRODUCTS = """
    [tox]
    no_package = true
    env_list =
        py{39,310}-django4.2-{sqlite,mysql}
        py{310,311,312}-{django5.2,djangomain}-{sqlite,mysql}
    [testenv]
    deps =
        django4.2: Django~=4.2.0
        django5.2: Django~=5.2.0
        djangomain: Django
    set_env =
        sqlite: ENGINE = sqlite
        mysql: ENGINE = mysql
        sqlite: PORT = 0
        mysql: PORT = 3306
        sqlite: KIND = sqlite
        mysql: KIND = MySQL
    commands = a
"""


def test_names_that_are_several_products_are_made_by_loops_over_them():
    assert envfile(PRODUCTS).partition("\n\n\n")[2].partition("\n\n\n")[2] == dedent(
        """\
        for python, django in [
            *product(["3.9", "3.10"], ["django4.2"]),
            *product(["3.10", "3.11", "3.12"], ["django5.2", "djangomain"]),
        ]:
            for variant in ["sqlite", "mysql"]:
                runner.session(
                    name=f"py{python.replace('.', '')}-{django}-{variant}",
                    python=python,
                    deps=DJANGO_DEPS[django],
                    env={"ENGINE": variant, "PORT": PORT_OF[variant], "KIND": KIND_OF[variant]},
                )(tests)
        """
    )


def test_what_the_loops_over_products_declare_is_what_was_said(tmp_path: Path):
    found = {
        name: (job.python, job.spec.needs.deps, dict(job.spec.env))
        for name, job in jobs(tmp_path, PRODUCTS).items()
    }

    assert len(found) == 16
    assert found["py39-django4.2-mysql"] == (
        "3.9",
        ("Django~=4.2.0",),
        {"ENGINE": "mysql", "PORT": "3306", "KIND": "MySQL"},
    )
    assert found["py312-djangomain-sqlite"] == (
        "3.12",
        ("Django",),
        {"ENGINE": "sqlite", "PORT": "0", "KIND": "sqlite"},
    )


def test_a_list_that_only_some_have_is_a_choice():
    text = """
        [tox]
        no_package = true
        env_list = x, x-a
        [testenv]
        dependency_groups =
            a: one
            a: two
        deps =
            three
            a: four
            a: five
        """

    assert envfile(text).splitlines()[-6:] == [
        '    factors = name.split("-")',
        "    runner.session(",
        "        name=name,",
        '        deps=["three", *(["four", "five"] if "a" in factors else [])],',
        '        groups=["one", "two"] if "a" in factors else [],',
        "    )(x)",
    ]


def test_the_parts_of_a_name_are_in_the_order_of_the_matrix(tmp_path: Path):
    text = """
        [tool.hatch.envs.t]
        scripts.run = "a"
        [[tool.hatch.envs.t.matrix]]
        python = ["3.12"]
        airflow = ["2", "3"]
        dbt = ["1", "4"]
        """

    assert list(jobs(tmp_path, text, "pyproject.toml")) == [
        "t-run-3.12-airflow2-dbt1",
        "t-run-3.12-airflow2-dbt4",
        "t-run-3.12-airflow3-dbt1",
        "t-run-3.12-airflow3-dbt4",
    ]
