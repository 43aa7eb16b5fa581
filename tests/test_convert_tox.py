"""What tox reads as an envfile: a text in, a text out."""

from __future__ import annotations

from textwrap import dedent

import pytest

from runner.convert import Converted, convert


def converted(text: str, name: str = "tox.ini") -> Converted:
    """What comes of a file."""
    made = convert(name, dedent(text))
    assert made is not None
    return made


def envfile(text: str, name: str = "tox.ini") -> str:
    """The envfile without its head."""
    return converted(text, name).text.partition("import runner\n")[2].strip() + "\n"


def told(text: str, kind: str) -> list[tuple[int, str]]:
    """The notes of a kind, with their lines."""
    return [(note.line, note.text) for note in converted(text).notes if note.kind == kind]


def test_an_environment_is_a_session_of_its_name():
    assert envfile(
        """
        [tox]
        env_list = lint
        skipsdist = true
        [testenv:lint]
        description = check the style
        deps = ruff
        commands = ruff check {posargs:.}
        """
    ) == dedent(
        '''\
        @runner.session(deps=["ruff"])
        def lint(session: runner.Session) -> None:
            """Check the style."""
            session.run("ruff", "check", *(session.posargs or ["."]))
        '''
    )


def test_environments_that_differ_by_factors_share_a_function_and_keep_their_names():
    assert envfile(
        """
        [tox]
        env_list = py{39,310}-django{42,52}
        [testenv]
        deps =
            pytest
            django42: Django~=4.2
            django52: Django~=5.2
        commands = pytest
        """
    ) == dedent(
        """\
        DJANGO_DEPS = {"django42": ["Django~=4.2"], "django52": ["Django~=5.2"]}


        def tests(session: runner.Session) -> None:
            session.run("pytest")


        for python in ["3.9", "3.10"]:
            for django in ["django42", "django52"]:
                runner.session(
                    name=f"py{python.replace('.', '')}-{django}",
                    python=python,
                    deps=["pytest", *DJANGO_DEPS[django]],
                    project="wheel",
                )(tests)
        """
    )


def test_a_condition_of_commands_is_an_if():
    assert envfile(
        """
        [tox]
        env_list = py39, py39-cov
        [testenv]
        package = skip
        commands =
            pytest
            cov: coverage report
            win32: echo windows
            !cov: echo none
        """
    ) == dedent(
        """\
        def tests(session: runner.Session) -> None:
            factors = session.name.split("-")
            session.run("pytest")
            if "cov" in factors:
                session.run("coverage", "report")
            if sys.platform == "win32":
                session.run("echo", "windows")
            if "cov" not in factors:
                session.run("echo", "none")


        for name in ["py39", "py39-cov"]:
            runner.session(name=name, python="3.9")(tests)


        @runner.session(default=False)
        def win32(session: runner.Session) -> None:
            session.run("pytest")
            session.run("echo", "windows")
            session.run("echo", "none")
        """
    )


def test_a_list_that_several_refer_to_is_a_constant():
    assert envfile(
        """
        [tox]
        env_list = a, b
        [testenv]
        skip_install = true
        [testenv:a]
        deps =
            one
            two
        commands = a
        [testenv:b]
        deps =
            {[testenv:a]deps}
            three
        commands = b
        """
    ) == dedent(
        """\
        DEPS = ["one", "two"]


        @runner.session(deps=DEPS)
        def a(session: runner.Session) -> None:
            session.run("a")


        @runner.session(deps=[*DEPS, "three"])
        def b(session: runner.Session) -> None:
            session.run("b")
        """
    )


BODIES = {
    "commands_pre = a\ncommands = b\ncommands_post = c": [
        "try:",
        '    session.run("a")',
        '    session.run("b")',
        "finally:",
        '    session.run("c")',
    ],
    "commands =\n  - a\n  ! b": [
        'session.run("a", check=False)',
        'session.run("b", success_codes=range(1, 256))',
    ],
    "change_dir = {toxinidir}/docs\ncommands = make {toxinidir}/x": [
        'session.chdir("docs")',
        'session.run("make", f"{ROOT}/x")',
    ],
    "commands = make {toxinidir}/x": ['session.run("make", "x")'],
    "allowlist_externals = make\ncommands = make x": ['session.run("make", "x", external=True)'],
    "commands = {envpython} -m x {envdir} {envname}": [
        'session.run("python", "-m", "x", session.env_dir, session.name)'
    ],
    "commands = {envbindir}/x {toxworkdir}/y": ['session.run("x", f"{session.cache_dir}/y")'],
    "commands = a \\\n   b \\\n   c": ['session.run("a", "b", "c")'],
    "commands = a # not this\n  b \\# c": ['session.run("a")', 'session.run("b", "#", "c")'],
    "platform = linux|darwin\ncommands = a": [
        'if sys.platform not in ("linux", "darwin"):',
        '    session.skip("it is for linux|darwin")',
        'session.run("a")',
    ],
    "set_env =\n  A = {envtmpdir}\ncommands = a": [
        "tmp = session.create_tmp()",
        'session.env["A"] = tmp',
        'session.run("a")',
    ],
    "set_env =\n  A = {env:A:{toxworkdir}/{envname}}\ncommands = a": [
        'session.env["A"] = os.environ.get("A", f"{session.cache_dir}/{session.name}")',
        'session.run("a")',
    ],
    "ignore_outcome = true\ncommands = a": [
        "try:",
        '    session.run("a")',
        "except runner.CommandFailed as error:",
        '    session.warn(f"{error}; it is ignored")',
    ],
    "deps = -e ./lib\ncommands = a": ['session.install("-e", "./lib")', 'session.run("a")'],
    "commands =": ["pass"],
}


@pytest.mark.parametrize(("settings", "body"), BODIES.items())
def test_what_a_setting_does_in_the_function(settings: str, body: list[str]):
    text = envfile(f"[tox]\nenv_list = s\nno_package = true\n[testenv:s]\n{settings}\n")

    lines = text.partition("def s(session: runner.Session) -> None:\n")[2]
    assert dedent(lines).splitlines() == body


ARGUMENTS = {
    "": ['project="wheel"'],
    "package = sdist": ['project="sdist"'],
    "package = editable": ['project="editable"'],
    "usedevelop = true": ['project="editable"'],
    "deps = .[x]": ['extras=["x"]', 'project="wheel"'],
    "skip_install = true": [],
    "skip_install = true\ndeps =\n  -r{toxinidir}/a.txt\n  -c b.txt\n  c": [
        'deps=["c"]',
        'requirements=["a.txt"]',
        'constraints=["b.txt"]',
    ],
    "skip_install = true\nbase_python = python3.11": ['python="3.11"'],
    "skip_install = true\nset_env =\n  A=1\n  B={env:B:x}": [
        'env={"A": "1", "B": os.environ.get("B", "x")}'
    ],
    "extras = {env:MORE:}": ['extras=[*os.environ.get("MORE", "").split()]', 'project="wheel"'],
    "skip_install = true\npip_pre = true\nrecreate = true": [
        'prerelease="allow"',
        "reuse=False",
    ],
    "skip_install = true\nlabels = a, b": ['tags=["a", "b"]'],
    "extras = x\ndependency_groups = g": ['groups=["g"]', 'extras=["x"]', 'project="wheel"'],
    "skip_install = true\nsitepackages = true": ['backend_options=["--system-site-packages"]'],
    "runner = uv-venv-lock-runner\ndependency_groups = g": [
        'lock="uv"',
        'groups=["g"]',
        'project="editable"',
    ],
    "skip_install = true\ninstall_command = pip install -c a.txt {opts} {packages}": [
        'constraints=["a.txt"]'
    ],
}


@pytest.mark.parametrize(("settings", "arguments"), ARGUMENTS.items())
def test_what_a_setting_declares(settings: str, arguments: list[str]):
    text = envfile(f"[tox]\nenv_list = s\n[testenv:s]\ncommands = a\n{settings}\n")

    assert text.partition("@runner.session")[2].partition("\ndef ")[0] == (
        f"({', '.join(arguments)})" if arguments else ""
    )


def test_what_runs_only_when_named_is_no_default():
    text = envfile("[tox]\nenv_list = a\n[testenv:a]\n[testenv:b]\nskip_install = true\n")

    assert "@runner.session(default=False)\ndef b(" in text


def test_names_are_those_that_tox_lists_also_of_conditions():
    made = converted("[tox]\nenv_list = py39\n[testenv]\ndeps =\n  cov: coverage\n[testenv:x]\n")

    assert made.environments == ("py39", "x", "cov")


def test_what_cannot_be_carried_over_stands_beside_its_place_with_its_line():
    text = "[tox]\nenv_list = a\n[testenv:a]\ndeps =\n  --no-deps\n"

    assert told(text, "left") == [
        (4, "--no-deps: an option of the installer; set it for uv and pip")
    ]
    assert "# left: tox.ini:4 --no-deps: an option" in converted(text).text


def test_settings_that_tox_ignores_are_told_unless_something_refers_to_them():
    text = "[tox]\nenv_list = a\n[testenv]\nisolted = 1\nmine = x\n[testenv:a]\ncommands = {[testenv]mine}\n"

    assert told(text, "ignored") == [(4, "isolted: tox has no such setting")]


def test_what_comes_after_others_stands_below_them():
    made = converted(
        "[tox]\nenv_list = report, py39\n[testenv]\ncommands = a\n[testenv:report]\ndepends = py39\n"
    )

    assert made.text.index("def py39") < made.text.index("def report")
    assert 'after=["py39"]' in made.text
    assert made.notes == ()


def test_environments_that_run_the_same_in_another_order_share_no_function():
    text = envfile(
        "[tox]\nenv_list = py39-a, py39-b\n[testenv]\nskip_install = true\n"
        "commands =\n  a: one\n  two\n  b: one\n"
    )

    one = text.index('session.run("one")\n    session.run("two")')
    assert one < text.index('session.run("two")\n    session.run("one")')


TOML = """
[tool.tox]
requires = ["tox>=4.20"]
env_list = ["3.12", "lint", { product = [["py310", "py311"], ["a", "b"]] }]

[tool.tox.env_run_base]
dependency_groups = ["test"]
set_env.COVERAGE_FILE = "x"
commands = [["pytest", { replace = "posargs", default = ["tests"], extend = true }]]

[tool.tox.env.lint]
skip_install = true
deps = ["ruff"]
set_env = { replace = "ref", of = ["tool", "own", "variables"] }
commands = [["ruff", "check", "."]]

[tool.own.variables]
A = "1"
"""


def test_the_tables_of_tox_are_read_too():
    assert envfile(TOML, "pyproject.toml") == dedent(
        """\
        def tests(session: runner.Session) -> None:
            session.run("pytest", *(session.posargs or ["tests"]))


        for name, python in {
            "3.12": "3.12",
            "py310-a": "3.10",
            "py310-b": "3.10",
            "py311-a": "3.11",
            "py311-b": "3.11",
        }.items():
            runner.session(
                name=name,
                python=python,
                groups=["test"],
                project="wheel",
                env={"COVERAGE_FILE": "x"},
            )(tests)


        @runner.session(deps=["ruff"], groups=["test"], env={"A": "1"})
        def lint(session: runner.Session) -> None:
            session.run("ruff", "check", ".")
        """
    )


def test_a_legacy_text_in_pyproject_is_read_with_its_lines():
    text = '[tool.tox]\nlegacy_tox_ini = """\n[tox]\nenv_list = a\n[testenv:a]\nisolted = 1\n"""\n'

    made = convert("pyproject.toml", text)

    assert made is not None
    assert made.environments == ("a",)
    assert [(note.line, note.kind) for note in made.notes] == [(6, "ignored")]


def test_setup_cfg_says_tox_tox():
    made = convert("setup.cfg", "[tox:tox]\nenvlist = a\n[testenv]\nskip_install = true\n")

    assert made is not None
    assert made.environments == ("a",)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tox.ini", "[flake8]\nignore = E203\n"),
        ("setup.cfg", "[metadata]\nname = x\n"),
        ("pyproject.toml", "[project]\nname = 'x'\n"),
    ],
)
def test_a_file_that_says_nothing_to_tox_is_not_converted(name: str, text: str):
    assert convert(name, text) is None
