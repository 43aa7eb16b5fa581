"""How a project is tested: by what, where, and what its tests use.

Of what tests import only distributions that are known here are named: a name that was
guessed may be anybody's in a registry.
"""

from __future__ import annotations

import ast
import re
import sys

from runner.init.outside import newer_of, servers_of
from runner.init.seen import Tests
from runner.settings import is_list
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from runner.init.tree import Tree

_TEST_FILE = r"(?:.*/)?(?:test_[^/]*|[^/]*_test|tests)\.py"
_FOLDERS = ("tests", "test", "testing")
_NOT_TESTS = ("docs", "doc", "examples", "example", "benchmarks", "samples", "fixtures", "data")
_SCRIPTS = ("runtests.py", "tests/runtests.py", "run_tests.py", "tests/run_tests.py")
_MOST_READ = 400  # files of tests

# What an option or a setting of pytest belongs to.
_OF_SETTINGS = {
    r"--cov\b": "pytest-cov",
    r"(^|\s)-n[ =]?(\d|auto)|--dist\b|--numprocesses": "pytest-xdist",
    r"--timeout\b|^\s*timeout\s*=": "pytest-timeout",
    r"asyncio_mode": "pytest-asyncio",
    r"DJANGO_SETTINGS_MODULE|--ds\b|django_find_project": "pytest-django",
    r"--benchmark": "pytest-benchmark",
    r"--reruns\b": "pytest-rerunfailures",
    r"--mypy": "pytest-mypy",
    r"--black\b": "pytest-black",
    r"--flake8": "pytest-flake8",
    r"--isort": "pytest-isort",
    r"--ruff": "pytest-ruff",
    r"-p\s*no:randomly|--randomly": "pytest-randomly",
    r"--random-order": "pytest-random-order",
    r"--socket|--disable-socket|--allow-hosts": "pytest-socket",
    r"--mpl": "pytest-mpl",
    r"--doctest-plus|doctest_plus": "pytest-doctestplus",
    r"--remote-data": "pytest-remotedata",
    r"--snapshot": "syrupy",
    r"^\s*anyio_mode": "anyio",
    r"--sugar": "pytest-sugar",
    r"^\s*env\s*=|^\s*D:": "pytest-env",
    r"subtests_?\w*\s*=": "pytest-subtests",
}
# What a fixture or a mark belongs to.
_OF_FIXTURES = {
    r"\bmocker\b": "pytest-mock",
    r"mark\.asyncio\b": "pytest-asyncio",
    r"mark\.anyio\b": "anyio",
    r"mark\.trio\b": "pytest-trio",
    r"mark\.timeout\b": "pytest-timeout",
    r"mark\.django_db\b|\bsettings\b.*\bdjango\b": "pytest-django",
    r"mark\.flaky\b": "pytest-rerunfailures",
    r"mark\.benchmark\b|\(benchmark\b|, benchmark\)": "pytest-benchmark",
    r"\(.*\bhttpx_mock\b": "pytest-httpx",
    r"def test\w*\(.*\brequests_mock\b": "requests-mock",
    r"def test\w*\(.*\bhttpserver\b": "pytest-httpserver",
    r"def test\w*\(.*\bfreezer\b": "pytest-freezer",
    r"def test\w*\(.*\bsubtests\b": "pytest-subtests",
    r"def test\w*\(.*\b(?:datadir|shared_datadir)\b": "pytest-datadir",
    r"def test\w*\(.*\b(?:data_regression|file_regression|num_regression)\b": "pytest-regressions",
    r"def test\w*\(.*\baiohttp_(?:client|server)\b": "pytest-aiohttp",
    r"def test\w*\(.*\btestdir\b|pytester": "pytest",
}
# The distributions of modules that tests import.
_OF_MODULES = {
    name: name.replace("_", "-")
    for name in (
        "aiohttp", "asgiref", "asynctest", "attrs", "black", "boto3", "build", "certifi", "click",
        "cloudpickle", "coverage", "cryptography", "dill", "django", "docutils", "factory_boy",
        "faker", "fakeredis", "fastapi", "flask", "freezegun", "gevent", "greenlet", "httpx",
        "hypothesis", "idna", "jinja2", "jsonschema", "lxml", "mock", "moto", "mypy", "networkx",
        "numpy", "packaging", "pandas", "parameterized", "pexpect", "psutil", "ptyprocess",
        "pydantic", "pyfakefs", "pygments", "pytest", "pytz", "requests", "requests_mock",
        "respx", "responses", "rich", "scipy", "setuptools", "simplejson", "six", "sphinx",
        "sqlalchemy", "starlette", "sybil", "tabulate", "testfixtures", "testtools", "tomli",
        "toml", "tornado", "tox", "trio", "trustme", "twisted", "typeguard", "typer",
        "typing_extensions", "tzdata", "ujson", "urllib3", "uvicorn", "vcrpy", "virtualenv",
        "webtest", "werkzeug", "wheel", "zstandard", "anyio", "pluggy", "psycopg2", "pyperclip",
        "pytest_mock", "pytest_asyncio", "pytest_django", "syrupy", "dirty_equals", "time_machine",
    )
} | {
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "dateutil": "python-dateutil",
    "dns": "dnspython",
    "dotenv": "python-dotenv",
    "factory": "factory_boy",
    "git": "GitPython",
    "PIL": "pillow",
    "pkg_resources": "setuptools",
    "rest_framework": "djangorestframework",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "vcr": "vcrpy",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}  # fmt: skip


def read_tests(tree: Tree, pytest_table: Mapping[object, object]) -> Tests:
    """How a project is tested. pytest_table: [tool.pytest] of pyproject.toml."""
    files = [name for name in tree.files if _is_test(name)]
    settings = _settings(tree, pytest_table)
    places = _places(files)
    helpers = [n for n in tree.files if n.endswith(".py") and _within(n, places)]
    read = list(dict.fromkeys([*files, *helpers]))[:_MOST_READ]
    texts = {name: tree.text(name) for name in read}
    manage = next(
        (n for n in tree.files if n.split("/")[-1] == "manage.py" and n.count("/") < 2), ""
    )
    kind, script = _kind(tree, texts, settings, manage, has_files=bool(files))
    if not kind:
        return Tests("")
    needs, unknown = _uses(texts, tree)
    if kind == "pytest":
        needs |= {
            name for pattern, name in _OF_SETTINGS.items() if re.search(pattern, settings, re.M)
        }
        joined = "\n".join(texts.values())
        needs |= {name for pattern, name in _OF_FIXTURES.items() if re.search(pattern, joined)}
    return Tests(
        kind,
        places=places,
        configured=bool(re.search(r"^\s*testpaths\s*=", settings, re.M)),
        script=script,
        needs=tuple(sorted(needs - {"pytest"}, key=str.lower)),
        modules=tuple(sorted(unknown)),
        are_packages=any(tree.has(f"{place}/__init__.py") for place in places),
        servers=tuple(servers_of(tree, places, of_project=kind == "django")),
        newer=newer_of(settings),
        doctests="--doctest-modules" in settings,
        from_root="DJANGO_SETTINGS_MODULE" in settings,
    )


def _is_test(name: str) -> bool:
    parts = name.split("/")
    if not re.fullmatch(_TEST_FILE, name) or parts[0] in _NOT_TESTS:
        return False
    # A module of the project itself may be called so: django/test/…, numpy/testing/tests.py.
    return (
        len(parts) == 1 or any(part in _FOLDERS for part in parts[:-1]) or parts[-1] == "tests.py"
    )


def _places(files: Iterable[str]) -> tuple[str, ...]:
    """The outermost folders of tests, and the files that lie in none."""
    found: dict[str, None] = {}
    for name in files:
        parts = name.split("/")
        at = next((n for n, part in enumerate(parts[:-1]) if part in _FOLDERS), None)
        found["/".join(parts[: at + 1]) if at is not None else name] = None
    return tuple(found)


def _within(name: str, places: Iterable[str]) -> bool:
    return any(name.startswith(f"{place}/") for place in places)


def _settings(tree: Tree, table: Mapping[object, object]) -> str:
    """What is set for pytest, a line each, from the first file that has it."""
    for name, head in (("pytest.ini", "pytest"), (".pytest.ini", "pytest")):
        if tree.has(name):
            return f"[{head}]\n{tree.text(name)}"
    if table:
        lines = [f"{key} = {_flat(value)}" for key, value in table.items()]
        return "\n".join(["[pytest]", *lines])
    for name, head in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
        found = re.search(rf"^\[{head}\]\s*$(.*?)(?=^\[|\Z)", tree.text(name), re.M | re.S)
        if found:
            return f"[pytest]\n{found[1]}"
    return ""


def _flat(value: object) -> str:
    return " ".join(map(str, value)) if is_list(value) else str(value)


def _kind(
    tree: Tree, texts: Mapping[str, str], settings: str, manage: str, *, has_files: bool
) -> tuple[Literal["pytest", "unittest", "django", "script", ""], str]:
    """What runs them, and the script that does."""
    if settings or tree.has("conftest.py"):
        return ("pytest", "") if has_files or "testpaths" in settings else ("", "")
    if any(re.search(r"^\s*(?:import|from) pytest\b", text, re.M) for text in texts.values()):
        return "pytest", ""
    if manage:
        return "django", manage
    script = next((name for name in _SCRIPTS if tree.has(name)), "")
    if script:
        return "script", script
    if not has_files:
        return "", ""
    of_unittest = any("unittest" in text for text in texts.values())
    return ("unittest" if of_unittest else "pytest"), ""


def _uses(texts: Mapping[str, str], tree: Tree) -> tuple[set[str], set[str]]:
    """The distributions that tests need by what they import, and modules that nobody knows here."""
    own = {part.removesuffix(".py") for name in tree.files for part in name.split("/")}
    needs: set[str] = set()
    unknown: set[str] = set()
    for text in texts.values():
        for name in _imported(text):
            if name in sys.stdlib_module_names or name in own or name.startswith("_"):
                continue
            known = _OF_MODULES.get(name)
            if known:
                needs.add(known)
            else:
                unknown.add(name)
    return needs, unknown


def _imported(text: str) -> Iterable[str]:
    """The first names of the modules that are imported unconditionally."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]
