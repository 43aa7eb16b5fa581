"""`runenv --convert --check`: tox, nox and hatch are asked whether an envfile says what they say."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Folder

pytestmark = pytest.mark.measured

TOX_INI = """\
[tox]
env_list = py-{a,b}, check
no_package = true
labels =
    more = check, py-a, hidden
[testenv]
deps =
    a: one
    b: two>=1,<3
    -r requirements.txt
set_env =
    WHO = {envname}
    WHERE = {toxinidir}/x
labels = quick
commands_pre = python -c "print(1)"
commands =
    a: - pytest {posargs:tests} --basetemp={envtmpdir}
    ! python {toxinidir}/run.py
[testenv:check]
depends = py-*, other
deps = ruff
change_dir = docs
platform = linux|darwin|win32
commands = ruff check . --cache-dir {toxworkdir}
"""

EQUAL = (
    "tox.ini and envfile.py: 4 of 4 environments of tox equal in names, python, default, deps,"
    " extras, groups, project, variables, setup, commands, folder, tags, after\n"
    "not compared: what commands may see and call (pass_env, allowlist_externals), descriptions\n"
)


@pytest.fixture
def with_tox(folder: Folder) -> Folder:
    """A project of tox."""
    folder.write("tox.ini", TOX_INI)
    folder.write("requirements.txt", "")
    return folder


def test_what_the_conversion_would_give_is_compared_and_not_written(with_tox: Folder):
    done = with_tox.passes("--convert", "--check")

    assert done.out == EQUAL
    assert sorted(path.name for path in with_tox.root.iterdir()) == ["requirements.txt", "tox.ini"]


def test_the_envfile_that_is_there_is_compared(with_tox: Folder):
    with_tox.passes("--convert")
    envfile = with_tox.root / "envfile.py"
    text = envfile.read_text().replace('"two<3,>=1"', '"two"').replace('"two>=1,<3"', '"two"')
    envfile.write_text(text.replace('"check", ".",', '"check",'))

    done = with_tox.run("--convert", "--check", "tox.ini")

    assert done.code == 1
    assert done.out.splitlines()[1:7] == [
        "py-b: deps",
        "  tox         -r requirements.txt",
        "              two<3,>=1",
        "  envfile.py  -r requirements.txt",
        "              two",
        "check: commands",
    ]
    assert done.err.endswith(" differences\n")


def test_what_one_side_alone_has_is_told(with_tox: Folder):
    with_tox.passes("--convert")
    with_tox.write("tox.ini", TOX_INI.replace("{a,b}", "{a,c}"))

    done = with_tox.run("--convert", "tox.ini", "--check")

    assert "py-c: tox has it, and envfile.py has not\n" in done.out
    assert "py-b: envfile.py has it, and tox has not\n" in done.out
    assert done.code == 1


def test_a_function_that_may_do_more_is_not_called(with_tox: Folder):
    with_tox.passes("--convert")
    envfile = with_tox.root / "envfile.py"
    text = envfile.read_text()
    at = text.index('    session.run("ruff"')
    envfile.write_text(text[:at] + '    open("made", "w")\n' + text[at:])

    done = with_tox.passes("--convert", "--check")

    assert not (with_tox.root / "made").exists()
    line = text[:at].count("\n") + 1
    assert done.out.splitlines()[-1] == (
        "not compared: deps, extras, project, variables, setup, commands, folder of check: its"
        " function is not called, since it may do more than tell its session: it uses open"
        f" (envfile.py:{line})"
    )


def test_nothing_of_the_project_is_run(with_tox: Folder):
    with_tox.write("run.py", "open('ran', 'w')\n")
    with_tox.write("setup.py", "open('built', 'w')\n")

    with_tox.passes("--convert", "--check")

    assert not (with_tox.root / "ran").exists()
    assert not (with_tox.root / "built").exists()
    assert not (with_tox.root / ".tox").exists()


def test_a_function_that_cannot_be_called_so_is_told(with_tox: Folder):
    with_tox.passes("--convert")
    envfile = with_tox.root / "envfile.py"
    text = envfile.read_text()
    envfile.write_text(text.replace('session.run("ruff"', "session.run(session.gone", 1))

    done = with_tox.passes("--convert", "--check")

    assert "of check: its function ends with AttributeError: " in done.out


def test_an_environment_for_another_platform_has_no_commands_to_compare(folder: Folder):
    folder.write(
        "tox.ini",
        "[tox]\nenv_list = a\nno_package = true\n[testenv]\nplatform = plan9\ncommands = x\n",
    )

    done = folder.passes("--convert", "--check")

    assert "commands" not in done.out.splitlines()[0]


def test_what_tox_cannot_say_is_not_compared(folder: Folder):
    folder.write(
        "tox.ini",
        "[tox]\nno_package = true\n[testenv]\ndeps =\n    -r\n    none.txt\n",
    )

    done = folder.passes("--convert", "--check")

    assert "1 of 1 environment of tox equal in names" in done.out
    assert "not compared: deps of py: tox cannot say it: " in done.out


OLD_TOX = f"""\
#!{sys.executable}
import os, sys
if "--format" in sys.argv:
    sys.exit("error: unrecognized arguments: --format json")
print('''[testenv:a]
env_dir = /w/a
base_python = py311
deps =
  one
  -r req.txt
set_env =
  A=1
  PYTHONHASHSEED=12
commands = python -c 1
package = skip

[tox]
env_list = a''')
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a program is a script")
def test_a_tox_without_json_is_read_as_it_writes(folder: Folder):
    path = folder.write("bin/tox", OLD_TOX)
    path.chmod(0o755)
    folder.envfile("""\
    @runner.session(python="3.11", deps=["one"], requirements=["req.txt"], env={"A": "1"})
    def a(session):
        session.run("python", "-c", "1", check=False)
    """)
    folder.write("tox.ini", "[tox]\nenv_list = a\n")

    done = folder.passes("--convert", "tox.ini", "--check", env={"PATH": str(path.parent)})

    assert "1 of 1 environment of tox equal in names" in done.out
    assert "not compared: which commands may fail: this tox does not tell\n" in done.out


FAKE_TOX = f"""\
#!{sys.executable}
import json, sys
words = sys.argv[1:]
wanted = words[words.index("-e") + 1] if "-e" in words else ""
if words[0] == "list":
    print("a\\nb\\n.pkg")
elif wanted in ("ALL", "b"):
    sys.exit("\\x1b[31mno Python for b\\x1b[0m\\n")
else:
    keys = {{"deps": ["one"], "commands": {{"error": "it is odd"}}, "base_python": ["py311"]}}
    print("told beside")
    print(json.dumps({{"env": {{wanted: keys}}, "tox": {{"env_list": ["a", "b"]}}}}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a program is a script")
def test_one_environment_of_which_tox_says_nothing_does_not_hide_the_others(folder: Folder):
    path = folder.write("bin/tox", FAKE_TOX)
    path.chmod(0o755)
    folder.envfile("""\
    @runner.session(python="3.11", deps=["one"])
    def a(session): ...

    @runner.session(python="3.12")
    def b(session): ...
    """)
    folder.write("tox.ini", "[tox]\nenv_list = a, b\n")

    done = folder.passes("--convert", "tox.ini", "--check", env={"PATH": str(path.parent)})

    assert done.out.splitlines() == [
        (
            "tox.ini and envfile.py: 1 of 2 environments of tox equal in names, python, default,"
            " deps, extras, groups, project, variables, setup, folder, tags, after"
        ),
        "not compared: what commands may see and call (pass_env, allowlist_externals), descriptions",
        "not compared: commands of a: tox cannot say it: it is odd",
        "not compared: all of b: tox cannot say it: no Python for b",
    ]


def test_environments_that_tox_builds_in_are_none_of_the_envfile(folder: Folder):
    folder.write(
        "tox.ini",
        "[tox]\nenv_list = a\n[testenv]\npackage = wheel\nwheel_build_env = build\n"
        "commands = python -c 1\n[testenv:build]\n",
    )
    folder.write("setup.py", "")
    folder.passes("--convert")

    assert "build" not in (folder.root / "envfile.py").read_text()
    assert folder.passes("--convert", "--check").out.startswith(
        "tox.ini and envfile.py: 1 of 1 environment of tox equal in names"
    )


HATCH = """\
[tool.hatch.envs.default]
skip-install = true
dependencies = ["one", "two>=1,<3"]
features = ["x"]
env-vars = { A = "{root}/x" }
[tool.hatch.envs.default.scripts]
test = "pytest {args:tests}"
all = ["test", "- echo a | tr a-z A-Z"]
[tool.hatch.envs.ct]
skip-install = false
dev-mode = false
dependencies = ["one"]
dependency-groups = ["g"]
matrix-name-format = "{variable}_{value}"
pre-install-commands = ["python -V", "pip install three"]
[[tool.hatch.envs.ct.matrix]]
python = ["3.11", "3.12"]
dj = ["4", "5"]
[tool.hatch.envs.ct.scripts]
cov = "pytest {env_name} {matrix:dj}"
"""


def test_scripts_of_hatch_are_compared(folder: Folder):
    folder.write("pyproject.toml", f'[project]\nname = "p"\nversion = "1"\n{HATCH}')

    done = folder.passes("--convert", "--check")

    assert done.out.splitlines()[0] == (
        "pyproject.toml and envfile.py: 6 of 6 environments of hatch equal in names, python, deps,"
        " extras, groups, project, variables, setup, commands"
    )


def test_where_a_script_differs_it_is_told(folder: Folder):
    folder.write("pyproject.toml", f'[project]\nname = "p"\nversion = "1"\n{HATCH}')
    folder.passes("--convert")
    envfile = folder.root / "envfile.py"
    envfile.write_text(envfile.read_text().replace('["tests"]', '["src"]', 1))

    done = folder.run("--convert", "pyproject.toml", "--check")

    assert done.code == 1
    assert done.out.splitlines()[1:4] == [
        "test: commands",
        "  hatch       pytest tests",
        "  envfile.py  pytest src",
    ]


NOXFILE = """\
import nox
nox.options.sessions = ["tests"]
@nox.session(python=["3.11", "3.12"], tags=["quick"])
@nox.parametrize("api", ["old", nox.param(2, id="new")])
def tests(session, api): open("ran", "w")
@nox.session(python=False)
def lint(session): ...
"""


def test_sessions_of_nox_are_compared(folder: Folder):
    folder.write("noxfile.py", NOXFILE)
    text = NOXFILE.replace("nox.options.sessions", "runner.options.default")
    folder.write("envfile.py", text.replace("nox", "runner"))

    done = folder.passes("--convert", "noxfile.py", "--check")

    assert folder.passes("--convert", "--check") == done
    assert done.out == (
        "noxfile.py and envfile.py: 5 of 5 environments of nox equal in names, python, default,"
        " tags\n"
        "not compared: what sessions install and run, which nox does not tell\n"
    )
    assert not (folder.root / "ran").exists()


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="tox 4.65, the last one there is, writes commands otherwise"
)
def test_a_tool_beside_the_interpreter_is_found(with_tox: Folder):
    assert shutil.which("tox", path=str(Path(sys.executable).parent))

    assert with_tox.passes("--convert", "--check", env={"PATH": "/nonexistent"}).out == EQUAL
