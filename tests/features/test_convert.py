"""`runenv --convert`: files of nox, tox and hatch become an envfile that runs."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Folder

TOX_INI = """\
[tox]
env_list = py-{a,b}, check
skipsdist = true
[testenv]
deps =
    a: one
    b: two
set_env = WHO = {envname}
commands =
    python -c "import os, sys; print(os.environ['WHO'], *sys.argv[1:])" {posargs:none}
[testenv:check]
deps =
commands =
    - python -c "raise SystemExit(3)"
    python -c "print('checked')"
commands_post =
    python -c "print('after')"
whitelist_external = x
"""


def test_a_tox_ini_becomes_an_envfile_that_runs(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.write("tox.ini", TOX_INI)

    made = folder.passes("--convert")

    assert made.out == ""
    assert made.err == (
        "tox.ini -> envfile.py: 3 environments in 2 functions; it loads, and lists 3 jobs\n"
        "ignored by the old tool too:\n"
        "  tox.ini:18  whitelist_external: tox has no such setting\n"
    )
    jobs = [job["name"] for job in json.loads(folder.passes("--list", "--json").out)["jobs"]]
    assert jobs == ["py-a", "py-b", "check"]
    assert folder.passes("py-a", "check", "--", "x").out == "py-a x\nchecked\nafter\n"
    assert folder.passes("py-b").out == "py-b none\n"


def test_what_follows_a_failure_runs_in_commands_post_alone(folder: Folder):
    folder.write(
        "tox.ini",
        "[tox]\nenv_list = s\nno_package = true\n[testenv:s]\n"
        "commands =\n  python -c 'raise SystemExit(3)'\n  python -c 'print(1)'\n"
        "commands_post = python -c 'print(2)'\n",
    )
    folder.passes("--convert")

    done = folder.run()

    assert done.out == "2\n"
    assert done.code == 1


@pytest.mark.measured
def test_an_envfile_that_is_there_is_replaced_only_when_forced(folder: Folder):
    folder.envfile("@runner.session\ndef old(session): ...\n")
    folder.write("tox.ini", "[tox]\nenv_list = new\n[testenv]\nskip_install = true\n")

    refused = folder.run("--convert", "tox.ini")

    assert refused.code == 2
    assert "def old" in (folder.root / "envfile.py").read_text()
    folder.passes("--convert", "tox.ini", "--force")
    assert "def old" not in (folder.root / "envfile.py").read_text()
    assert not (folder.root / "envfile.converted.py").exists()


def test_what_does_not_load_never_becomes_the_envfile(folder: Folder):
    folder.envfile("@runner.session\ndef old(session): ...\n")
    folder.write("tox.ini", "[tox]\nenv_list = a[b]\n[testenv]\nskip_install = true\n")

    done = folder.run("--convert", "--force")

    assert done.code == 2
    assert "--> envfile.converted.py:" in done.err
    assert "def old" in (folder.root / "envfile.py").read_text()


def test_the_envfile_stands_beside_the_file_that_was_named(folder: Folder):
    folder.write("sub/tox.ini", "[tox]\nenv_list = a\n[testenv]\nskip_install = true\n")

    folder.passes("--convert", "sub/tox.ini")

    assert (folder.root / "sub" / "envfile.py").exists()
    assert folder.passes("-C", "sub", "a").code == 0


def test_the_first_file_that_says_something_is_converted(folder: Folder):
    folder.write("setup.cfg", "[metadata]\nname = x\n")
    folder.write("pyproject.toml", "[tool.hatch.envs.dev]\nskip-install = true\n")

    assert "pyproject.toml -> envfile.py: 1 environment" in folder.passes("--convert").err


def test_scripts_of_hatch_run_in_the_environment_that_they_share(folder: Folder):
    folder.wheel("one")
    folder.write(
        "pyproject.toml",
        "[tool.hatch.envs.default]\nskip-install = true\ndependencies = ['one']\n"
        "[tool.hatch.envs.default.scripts]\n"
        "version = \"python -c 'import one; print(one.version)' {args}\"\n"
        'piped = "echo a {args} | tr a-z A-Z"\n'
        "all = ['version', 'piped']\n",
    )

    folder.passes("--convert")

    assert folder.passes("all").out == "1.0\nA\n"
    assert folder.passes("piped", "--", "b c").out == "A B C\n"
    assert (folder.root / ".runenv" / "default").is_dir()


TOX_TOML = """\
env_list = ["s", "t"]
no_package = true
[env_run_base]
set_env.WHO = { replace = "if", condition = "env.CALLED", then = "called", else = "alone" }
commands = [
    ["python", "-c", "import os, sys; print(os.environ['WHO'], *sys.argv[1:])",
     { replace = "if", condition = "env.CALLED and factor.s", then = ["more"], extend = true },
     { replace = "posargs", default = ["none"], extend = true }],
    { replace = "if", condition = "not env.CALLED", then = ["python", "-c", "print('last')"] },
]
"""


def test_what_a_variable_decides_in_tox_toml_is_decided_when_it_runs(folder: Folder):
    folder.write("tox.toml", TOX_TOML)
    folder.passes("--convert")

    assert folder.passes("s").out == "alone none\nlast\n"
    assert folder.passes("s", "--", "x", env={"CALLED": "1"}).out == "called more x\n"
    assert folder.passes("t", env={"CALLED": "1"}).out == "called none\n"


def test_the_variables_of_a_matrix_of_hatch_reach_its_commands(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.write(
        "hatch.toml",
        "[envs.x]\nskip-install = true\nmatrix = [{ v = ['1', '2'] }]\n"
        'scripts.s = "python -c \'import os; print(os.environ[\\"A\\"], {matrix:v})\'"\n'
        "overrides.matrix.v.env-vars = [{ key = 'A', value = 'b', if = ['1'] },"
        " { key = 'A', if = ['2'] }]\n"
        "overrides.matrix.v.dependencies = [{ value = 'one', if = ['1'] }]\n",
    )
    folder.passes("--convert")

    assert folder.passes("x-s").out == "b 1\n2 2\n"


def test_a_requirement_that_is_handed_over_is_installed(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.write(
        "tox.ini",
        "[tox]\nenv_list = s\nno_package = true\n[testenv]\ndeps = {posargs:one}\n"
        "commands = python -c 'import two; print(two.version)'\n",
    )
    folder.passes("--convert")

    assert folder.passes("s", "--", "two").out == "1.0\n"


NOXFILE = """\
import nox

nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["tests"]


@nox.session(reuse_venv=True)
@nox.parametrize("word", ["a", "b"])
def tests(session: nox.Session, word: str) -> None:
    session.install("one")
    session.install("two==1.0")
    session.run("python", "-c", f"import one, two; print('{word}', one.version)", *session.posargs)
    session.notify("last", ["x"])


@nox.session(tags=["t"])
def last(session):
    print(session.posargs, session.run("python", "-c", "print(1)", silent=True).strip())
"""


def test_a_noxfile_becomes_an_envfile_that_runs(folder: Folder):
    folder.wheel("one")
    folder.wheel("two")
    folder.write("noxfile.py", NOXFILE)

    made = folder.passes("--convert")

    assert made.err == (
        "noxfile.py -> envfile.py: 2 sessions, 1 of which declare what they install;"
        " it loads, and lists 3 jobs\n"
    )
    assert 'deps=["one", "two==1.0"]' in (folder.root / "envfile.py").read_text()
    assert folder.passes().out == "a 1.0\nb 1.0\n['x'] 1\n"
    assert folder.passes("tests(word='b')").out == "b 1.0\n['x'] 1\n"
    assert folder.passes("-t", "t").out == "[] 1\n"


def test_what_stays_an_install_overrides_what_is_declared(folder: Folder):
    folder.wheel("one", "1.0")
    folder.wheel("one", "2.0")
    folder.write("requirements.txt", "one==2.0\n")
    folder.write(
        "noxfile.py",
        "import nox\n@nox.session\ndef s(session):\n"
        "    session.install('-r', 'requirements.txt')\n    session.install('one<2')\n"
        "    session.run('python', '-c', 'import one; print(one.version)')\n",
    )

    folder.passes("--convert")

    assert "requirements=['requirements.txt']" in (folder.root / "envfile.py").read_text()
    assert folder.passes().out == "1.0\n"
    assert folder.passes().out == "1.0\n"


@pytest.mark.measured
def test_a_noxfile_goes_first_and_the_others_are_named(folder: Folder):
    folder.write("noxfile.py", "import nox\n@nox.session\ndef s(session): ...\n")
    folder.write("tox.ini", "[tox]\nenv_list = a\n")
    folder.write("tox.toml", "=")

    made = folder.passes("--convert")

    assert made.err == (
        "noxfile.py -> envfile.py: 1 session; it loads, and lists 1 job\n"
        "tox.ini could be converted too: runenv --convert tox.ini\n"
        "tox.toml could be converted too: runenv --convert tox.toml\n"
    )


def test_what_is_no_python_is_not_converted(folder: Folder):
    folder.write("noxfile.py", "import nox\n)\n")

    done = folder.run("--convert")

    assert done.code == 2
    assert "noxfile.py cannot be converted: line 2: unmatched ')'" in done.err


@pytest.mark.measured
def test_files_of_requirements_decide_what_is_declared_beside_them(folder: Folder):
    folder.write("plain.txt", "one\n")
    folder.write("index.txt", "--index-url https://example.invalid\none\n")
    (folder.root / "odd.txt").write_bytes(b"\xff")
    text = "@nox.session\ndef {0}(session):\n    session.install('-r', '{0}.txt')\n    session.install('two')\n"
    names = ["plain", "index", "odd", "gone"]
    folder.write("noxfile.py", "import nox\n" + "".join(map(text.format, names)))

    folder.passes("--convert")

    made = (folder.root / "envfile.py").read_text()
    assert "@runner.session(deps=['two'], requirements=['plain.txt'])" in made
    assert made.count("    session.install('two')\n") == 3


def test_doctests_of_all_modules_are_not_those_of_the_envfile(folder: Folder):
    folder.write("pytest.ini", "[pytest]\naddopts = --doctest-modules\n")
    folder.write(
        "tox.ini", "[tox]\nenv_list = a\nno_package = true\n[testenv]\ncommands = pytest\n"
    )

    folder.passes("--convert")

    assert '"pytest", "--ignore=envfile.py"' in (folder.root / "envfile.py").read_text()
    assert "1 of 1 environment of tox equal" in folder.passes("--convert", "--check").out
