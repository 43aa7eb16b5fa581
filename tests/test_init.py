"""The first envfile, by what a project looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.convert.write import write
from runner.errors import UsageError
from runner.init.decide import Decided, decide
from runner.init.look import look
from runner.init.poetry import poetry_sources
from runner.init.seen import Seen
from runner.init.told import told

PYTEST = "import pytest\n\ndef test_one(): ...\n"
UNITTEST = "import unittest\n\nclass T(unittest.TestCase): ...\n"
BUILT = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
PROJECT = f'{BUILT}[project]\nname = "my-thing"\nrequires-python = ">=3.8"\n'


class Made:
    """A project of these files, and what came of it."""

    def __init__(self, root: Path, found: tuple[str, ...] = ("3.9", "3.11")) -> None:
        self.root = root
        self.found = found

    def __call__(self, **files: str) -> str:
        """The sessions that are written, without the head of the file. __: a slash, _DOT_: a dot."""
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self.again()

    def again(self) -> str:
        text = write(self.decided().declared, "", doc="Doc.").text
        return text.removeprefix('"""Doc."""\n\nimport runner\n\n\n').replace(
            "session: runner.Session", "session"
        )

    def seen(self) -> Seen:
        return look(str(self.root))

    def decided(self) -> Decided:
        return decide(self.seen(), (3, 11), lambda spec: self.found)

    def told(self) -> str:
        return "\n".join(told(self.seen(), self.decided(), "envfile.py", self.found))

    def write(self, name: str, text: str = "") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)


def project(made: Made, more: str = "", tests: str = PYTEST) -> Made:
    """A library with a package, a pyproject.toml and a test."""
    made.write("pyproject.toml", PROJECT + more)
    made.write("src/my_thing/__init__.py")
    made.write("tests/test_one.py", tests)
    return made


def arguments(made: Made, session: str) -> str:
    """What a session is declared with, on one line."""
    before = made.again().partition(f"def {session}(")[0]
    return " ".join(before.rpartition("@runner.session")[2].split())


def body(made: Made, session: str) -> str:
    """The commands of a session, on one line."""
    text = made.again().partition(f"def {session}(")[2].partition("@runner")[0]
    return " ".join(text.partition('."""')[2].split())


def test_a_library_with_pytest(made: Made):
    assert project(made).again() == (
        '@runner.session(deps=["pytest"], project="wheel")\n'
        "def tests(session) -> None:\n"
        '    """Run the tests."""\n'
        '    session.run("pytest", *(session.posargs or ["tests"]))\n'
    )


def test_an_empty_folder_has_something_that_runs(made: Made):
    assert "print('It runs.')" in made.again()
    assert arguments(made, "smoke") == ""


def test_without_tests_what_is_installed_is_imported(made: Made):
    project(made)
    (made.root / "tests/test_one.py").unlink()

    assert body(made, "smoke") == 'session.run("python", "-c", "import my_thing")'
    assert arguments(made, "smoke") == '(project="wheel")'


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('[dependency-groups]\ntest = ["pytest"]\n', '(groups=["test"], project="wheel")'),
        (
            '[dependency-groups]\nbase = ["pytest"]\ndev = ["ruff", {include-group = "base"}]\n',
            '(groups=["dev"], project="wheel")',
        ),
        (
            '[project.optional-dependencies]\ntesting = ["pytest>7"]\n',
            '(extras=["testing"], project="wheel")',
        ),
        (
            '[project.optional-dependencies]\ntest = ["mock"]\n[dependency-groups]\ndev = ["pytest"]\n',
            '(groups=["dev"], project="wheel")',
        ),
        (
            '[project.optional-dependencies]\ntest = ["mock"]\n',
            '(deps=["pytest"], extras=["test"], project="wheel")',
        ),
        (
            '[tool.poetry.group.test.dependencies]\npytest = "^7.1"\nmypy = "*"\n',
            '(deps=["pytest>=7.1,<8"], project="wheel")',
        ),
        (
            '[tool.pytest.ini_options]\naddopts = "--cov -n auto"\nasyncio_mode = "auto"\n',
            '( deps=["pytest", "pytest-asyncio", "pytest-cov", "pytest-xdist"], project="wheel", )',
        ),
    ],
)
def test_what_tests_need_is_found_where_it_stands(made: Made, more: str, expected: str):
    assert arguments(project(made, more), "tests") == expected


def test_requirement_files_that_include_each_other_are_read_once(made: Made):
    made.write("requirements-test.txt", "-r more.txt\n")
    made.write("more.txt", "-r requirements-test.txt\npytest==8\n")

    assert arguments(project(made), "tests") == (
        '(requirements=["requirements-test.txt"], project="wheel")'
    )


def test_what_lies_in_an_environment_is_not_of_the_project(made: Made):
    made.write("myenv/pyvenv.cfg")
    made.write("myenv/tests/test_a.py", PYTEST)
    made.write("myenv/requirements.txt", "pytest==8\n")

    assert not made.seen().tests.kind
    assert not made.seen().files


@pytest.mark.parametrize(
    "name", ["requirements-test.txt", "requirements/tests.txt", "dev-requirements.txt"]
)
def test_a_requirement_file_of_tests_is_taken(made: Made, name: str):
    made.write(name, "-r more.txt  # includes it\n# a comment\n-e .\n")
    made.write(str(Path(name).parent / "more.txt"), "pytest==8\n")

    assert arguments(project(made), "tests") == f'(requirements=["{name}"], project="wheel")'


def test_what_tox_installs_is_taken_where_nothing_else_says_it(made: Made):
    made.write("tox.ini", "[testenv]\ndeps =\n  pytest\n  mock\n  dj: django\ncommands = pytest\n")

    assert arguments(project(made), "tests") == '(deps=["pytest", "mock"], project="wheel")'


def test_imports_and_fixtures_of_tests_are_looked_at(made: Made):
    test = (
        "import os, hypothesis, my_thing, helper, odd_one\nfrom yaml import load\n"
        "def test_one(mocker): ...\n@pytest.mark.asyncio\ndef test_two(): ...\n"
        "try:\n    import numpy\nexcept ImportError: ...\n"
    )
    made.write("tests/helper.py")
    project(made, tests=f"import pytest\n{test}")

    assert made.decided().declared.environments[0].deps == tuple(
        _items("pytest", "hypothesis", "pytest-asyncio", "pytest-mock", "PyYAML")
    )
    assert made.decided().missing == (
        "the tests import odd_one: nothing here says what installs that; add it to deps",
    )


SETTINGS = """
import os
if os.environ.get("SQLITE"):
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
else:
    DATABASES = {"default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PG_HOST"], "PORT": os.getenv("PG_PORT"), "X": os.environ["PG_HOST"],
    }}
CACHE = "redis://localhost"
"""
NAMED = (
    "tests/settings.py names a PostgreSQL database and a Redis server, which the tests need;"
    " it reads the variables SQLITE, PG_HOST, PG_PORT"
)


def test_a_server_that_the_settings_of_tests_name_is_missing(made: Made):
    made.write("tests/settings.py", SETTINGS)
    text = project(made).again()

    assert made.decided().missing == (NAMED,)
    assert text.startswith(
        "# missing: tests/settings.py names a PostgreSQL database and a Redis server, which\n"
        "# the tests need; it reads the variables SQLITE, PG_HOST, PG_PORT\n@runner.session("
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("my_thing/settings.py", SETTINGS),
        ("tests/test_urls.py", "import pytest\nURL = 'postgresql://a/b'\n"),
        ("tests/settings.py", "ENGINE = 'django.db.backends.sqlite3'\n"),
    ],
    ids=["of the project alone", "in a test", "a file"],
)
def test_what_tests_do_not_need_is_not_missing(made: Made, name: str, text: str):
    made.write(name, text)
    project(made)

    assert made.decided().missing == ()


def test_settings_that_are_named_for_tests_hold_for_them_and_of_variables_eight_are_told(
    made: Made,
):
    read = "".join(f"os.environ['V{number}']\n" for number in range(9))
    made.write("my_thing/test_settings.py", f"import os\nURL = 'redis://a'\n{read}")
    project(made)

    assert made.decided().missing == (
        (
            "my_thing/test_settings.py names a Redis server, which the tests need;"
            " it reads the variables V0, V1, V2, V3, V4, V5, V6, V7"
        ),
    )


def test_the_settings_of_a_django_project_hold_for_its_tests(made: Made):
    made.write("mysite/settings.py", "E = 'django.db.backends.mysql'\n")
    made(manage_DOT_py="", polls__tests_DOT_py="from django.test import TestCase\n")

    assert "mysite/settings.py names a MySQL database, which the tests need" in made.told()


def test_a_server_of_a_package_in_a_folder_is_missing_there(made: Made):
    made.write("libs/one/pyproject.toml", PROJECT)
    made.write("libs/one/tests/test_it.py", PYTEST)
    made.write("libs/one/tests/conftest.py", "DB = 'mongodb://localhost'\n")

    assert made.decided().missing == (
        "libs/one/tests/conftest.py names a MongoDB server, which the tests need",
    )


@pytest.mark.parametrize(
    "said", ['filterwarnings = ["error", "ignore::X"]', 'addopts = "-W error"']
)
def test_that_newer_packages_may_turn_tests_red_is_told(made: Made, said: str):
    project(made, f"[tool.pytest.ini_options]\n{said}\n")
    told = (
        "pytest takes warnings for errors (filterwarnings), those of newer packages too:"
        ' exclude_newer="2026-01-31" installs what was there on that day'
    )
    assert f"\n\nif tests fail:\n  {told}\n" in made.told()
    assert "# if it fails: pytest takes warnings for errors" in made.again()
    assert made.decided().missing == ()


def test_warnings_that_pytest_ignores_turn_nothing_red(made: Made):
    project(made, '[tool.pytest.ini_options]\nfilterwarnings = ["ignore::X", "default"]\n')

    assert "if tests fail" not in made.told()


def _items(*texts: str):
    from runner.convert.model import Item

    return [Item((text,)) for text in texts]


def test_what_the_project_depends_on_is_not_said_again(made: Made):
    project(made, 'dependencies = ["PyYAML>5"]\n', tests="import pytest, yaml\n")

    assert arguments(made, "tests") == '(deps=["pytest"], project="wheel")'


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"tests/test_a.py": UNITTEST}, '*(session.posargs or ["discover", "-s", "tests"])'),
        (
            {"tests/test_a.py": UNITTEST, "tests/__init__.py": ""},
            '*(session.posargs or ["discover", "-s", "tests", "-t", "."])',
        ),
        ({"test_a.py": UNITTEST}, '*(session.posargs or ["test_a.py"])'),
    ],
)
def test_tests_of_unittest_need_nothing(made: Made, files: dict[str, str], command: str):
    made.write("pyproject.toml", PROJECT)
    for name, text in files.items():
        made.write(name, text)

    assert arguments(made, "tests") == '(project="wheel")'
    assert f'"python", "-m", "unittest", {command}' in body(made, "tests").replace(", )", ")")


def test_a_django_project_is_tested_by_its_manage_py(made: Made):
    made.write("manage.py")
    made.write("shop/__init__.py")
    made.write("shop/tests.py", "from django.test import TestCase\n")
    made.write("requirements.txt", "Django==5.1\n")

    assert body(made, "tests") == 'session.run("python", "manage.py", "test", *session.posargs)'
    assert arguments(made, "tests") == '(requirements=["requirements.txt"])'


def test_a_script_that_runs_the_tests_is_run(made: Made):
    project(made, tests=UNITTEST)
    made.write("runtests.py")

    assert body(made, "tests") == 'session.run("python", "runtests.py", *session.posargs)'


def test_settings_of_django_are_imported_from_the_folder(made: Made):
    project(made)
    made.write("setup.cfg", "[tool:pytest]\nDJANGO_SETTINGS_MODULE = tests.settings\n[other]\n")

    assert body(made, "tests").startswith('session.run("python", "-m", "pytest"')
    assert '"pytest-django"' in arguments(made, "tests")


def test_pytest_that_knows_its_paths_is_not_told(made: Made):
    made.write("pytest.ini", "[pytest]\ntestpaths = tests\n")

    assert body(project(made), "tests") == 'session.run("pytest", *session.posargs)'


def test_doctests_leave_the_envfile_alone(made: Made):
    project(made, '[tool.pytest.ini_options]\naddopts = ["--doctest-modules"]\n')

    assert '"--ignore=envfile.py"' in body(made, "tests")


def test_a_setup_py_is_read_as_text(made: Made):
    made.write(
        "setup.py",
        "from setuptools import setup, Extension\n"
        "TESTS = ['pytest', 'mock']\n"
        "setup(name='thing', python_requires='>=3.6', ext_modules=[Extension('thing._x', ['x.c'])],\n"
        "    extras_require={'tests': TESTS + ['six']}, classifiers=CLASSES,\n"
        "    install_requires=['attrs'])\nraise SystemExit('it was executed')\n",
    )
    made.write("thing/__init__.py")
    made.write("test_thing.py", PYTEST)
    metadata = made.seen().metadata

    assert arguments(made, "tests") == '(extras=["tests"], project="editable")'
    assert metadata.sources[0].requirements == ("pytest", "mock", "six")
    assert (metadata.name, metadata.backend, metadata.dependencies) == (
        "thing",
        "setuptools",
        ("attrs",),
    )


def test_a_setup_cfg_is_read(made: Made):
    made.write(
        "setup.cfg",
        "[metadata]\nname = thing\nclassifiers =\n  Programming Language :: Python :: 3.9\n"
        "[options]\npython_requires = >=3.9\n[options.extras_require]\ntest =\n  pytest\n",
    )
    made.write("thing/__init__.py")
    made.write("tests/test_a.py", PYTEST)

    assert made.seen().metadata.versions == ((3, 9),)
    assert 'extras=["test"]' in arguments(made, "tests")


def test_broken_files_of_setuptools_are_as_none(made: Made):
    made.write("setup.cfg", "no section\n")
    made.write("setup.py", "no python(\n")
    made.write("a.py")

    assert made.seen().metadata.said_in == ()


def test_a_broken_pyproject_is_told(made: Made):
    made.write("pyproject.toml", "[project\n")

    with pytest.raises(UsageError, match=r"pyproject\.toml is not TOML: "):
        made.seen()


@pytest.mark.parametrize(
    ("more", "found", "expected"),
    [
        ("", ("3.9",), None),
        ('classifiers = ["Programming Language :: Python :: 3.12"]\n', (), None),
        (
            'classifiers = ["Programming Language :: Python :: 3.10"]\n',
            ("3.9", "3.10"),
            ">=3.8,<3.11",
        ),
        ('classifiers = ["Programming Language :: Python :: 3.10"]\n', (), None),
    ],
)
def test_an_older_python_is_asked_for_where_the_project_names_it_and_it_is_here(
    made: Made, more: str, found: tuple[str, ...], expected: str | None
):
    made.found = found

    assert project(made, more).decided().declared.environments[-1].python == expected


def test_a_python_that_is_not_here_is_missing(made: Made):
    made.found = ()
    made.write("pyproject.toml", BUILT + '[project]\nname = "a"\nrequires-python = "<3.9"\n')

    decided = made.decided()
    assert decided.declared.environments[0].python == "<3.9"
    assert decided.missing == (
        "no Python that fits '<3.9' was found here: uv python install VERSION",
    )


HOOKS = """
repos:
- repo: https://github.com/astral-sh/ruff-pre-commit
  rev: v0.4.1
  hooks: [{id: ruff}, {id: ruff-format}]
- repo: https://github.com/pycqa/flake8
  rev: "7.1.0"
"""


def test_a_linter_has_the_version_of_pre_commit_and_runs(made: Made):
    made.write(".pre-commit-config.yaml", HOOKS)
    project(made, "[tool.ruff]\nline-length = 100\n")

    assert arguments(made, "lint") == '(deps=["ruff==0.4.1"])'
    assert body(made, "lint") == (
        'session.run("ruff", "check") session.run("ruff", "format", "--check")'
    )


def test_a_linter_of_any_version_does_not_run_by_default(made: Made):
    project(made, "[tool.black]\n[tool.isort]\n[tool.mypy]\n[tool.pyright]\n")
    made.write(".flake8")

    assert arguments(made, "lint") == '(deps=["flake8", "black", "isort"], default=False)'
    assert '"flake8", "src/my_thing", "tests"' in body(made, "lint")
    assert body(made, "types") == ('session.run("mypy", "src/my_thing") session.run("pyright")')


def test_one_linter_of_any_version_is_enough_not_to_run_by_default(made: Made):
    made.write(".pre-commit-config.yaml", HOOKS)
    project(made, "[tool.ruff]\n[tool.black]\n")

    assert arguments(made, "lint") == '(deps=["ruff==0.4.1", "black"], default=False)'


def test_isort_is_left_to_ruff(made: Made):
    project(made, "[tool.ruff]\n[tool.isort]\n")

    assert arguments(made, "lint") == '(deps=["ruff"], default=False)'


def test_a_group_of_linters_is_taken(made: Made):
    project(made, '[tool.ruff]\n[dependency-groups]\nlint = ["ruff==0.5"]\n')

    assert arguments(made, "lint") == '(groups=["lint"])'


def test_documentation_is_built_with_what_its_settings_name(made: Made):
    project(made)
    made.write(
        "docs/conf.py",
        "extensions = ['sphinx.ext.autodoc', 'myst_parser', 'sphinxcontrib.mermaid']\n"
        "html_theme = 'furo'\n",
    )

    assert arguments(made, "docs") == (
        '( deps=["sphinx", "myst-parser", "sphinxcontrib-mermaid", "furo"], project="wheel",'
        " default=False, )"
    )
    assert body(made, "docs") == (
        'session.run("sphinx-build", "docs", "docs/_build/html", *session.posargs)'
    )


def test_documentation_alone_runs_by_default(made: Made):
    made.write("mkdocs.yml", "theme:\n  name: material\nplugins:\n  - mkdocstrings\n")

    assert arguments(made, "docs") == (
        '(deps=["mkdocs", "mkdocs-material", "mkdocstrings[python]"])'
    )
    assert body(made, "docs") == 'session.run("mkdocs", "build", *session.posargs)'


def test_each_of_several_projects_has_a_session(made: Made):
    for name, dependencies in (("core", ""), ("web", 'dependencies = ["core"]\n')):
        made.write(
            f"packages/{name}/pyproject.toml",
            f'{BUILT}[project]\nname = "{name}"\n{dependencies}'
            f'[dependency-groups]\ntest = ["pytest", "{name}-helpers"]\n',
        )
        made.write(f"packages/{name}/{name}/__init__.py")
    made.write("packages/web/tests/test_a.py", PYTEST)

    assert [one.name for one in made.decided().declared.environments] == ["core", "web"]
    assert body(made, "core") == (
        'session.install("./packages/core") session.chdir("packages/core")'
        ' session.run("python", "-c", "import core")'
    )
    assert arguments(made, "web") == '(deps=["pytest", "web-helpers"])'
    assert body(made, "web") == (
        'session.install("./packages/core", "./packages/web") session.chdir("packages/web")'
        ' session.run("pytest", *(session.posargs or ["tests"]))'
    )


def test_a_single_python_is_no_reason_for_a_job_for_each(tmp_path: Path):
    assert "a job for each Python" not in project(Made(tmp_path, ("3.11",))).told()


def test_packages_are_installed_behind_those_that_they_need(made: Made):
    for name, dependencies in (("a", '"b"'), ("b", '"c"'), ("c", '"a"')):
        made.write(
            f"libs/{name}/pyproject.toml",
            f'{BUILT}[project]\nname = "{name}"\ndependencies = [{dependencies}]\n',
        )
        made.write(f"libs/{name}/{name}/__init__.py")

    assert 'session.install("./libs/c", "./libs/b", "./libs/a")' in body(made, "a")


def test_a_person_is_told_what_was_seen_and_what_comes_next(made: Made):
    project(made, "[tool.ruff]\n")
    made.write("tox.ini", "[testenv]\ncommands = pytest\n")
    made.write(".github/workflows/ci.yml")

    assert made.told() == (
        "wrote envfile.py\n"
        "\n"
        "seen:\n"
        "  pyproject.toml: my-thing, built by hatchling.build, src layout, Python >=3.8\n"
        "  tests by pytest, in tests\n"
        "  ruff, in pyproject.toml\n"
        "  other runners: tox.ini (nox, tox or hatch), .github/workflows\n"
        "\n"
        "next:\n"
        "  runenv                            runs tests\n"
        "  runenv lint                       not by default: lint\n"
        "  runenv --list                     what there is; --explain tells what would happen\n"
        '  python=[">=3.9"]                  in @runner.session: a job for each Python here,'
        " 3.9 to 3.11\n"
        "  runenv --convert --force tox.ini  what tox.ini says as an envfile, instead of this one"
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ('"^1.2.3"', "a>=1.2.3,<2"),
        ('"^0.2.3"', "a>=0.2.3,<0.3"),
        ('"~1.2"', "a>=1.2,<1.3"),
        ('"1.2.*"', "a==1.2.*"),
        ('"1.2"', "a==1.2"),
        ('"*"', "a"),
        ('">=1 <2"', "a>=1,<2"),
        ('"1 || 2"', "a"),
        ('{version = "^1", extras = ["x"], python = "<3.9"}', 'a[x]>=1,<2; python_version < "3.9"'),
        ('{path = "../a"}', None),
        ('{version = "^1", optional = true}', None),
    ],
)
def test_poetrys_constraints_in_the_spelling_of_others(said: str, expected: str | None):
    from runner.convert.tables import read_table, table_in

    table = table_in(read_table(f"[dev-dependencies]\na = {said}\n"))
    (source,), _, _ = poetry_sources(table)

    assert source.requirements == ((expected,) if expected else ())
