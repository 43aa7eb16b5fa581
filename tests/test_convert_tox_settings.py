"""What each setting of tox means, as a field of an Environment."""

from __future__ import annotations

import pytest

from runner.convert import from_tox
from runner.convert.braces import argument
from runner.convert.model import Command, Declared, Environment
from runner.convert.words import expression


def declared(text: str) -> Declared:
    """All that a tox.ini says."""
    found = from_tox.read("tox.ini", text)
    assert found is not None
    return found


def environment(settings: str, core: str = "", name: str = "s") -> Environment:
    """The environment with these settings, which is the only one."""
    text = f"[tox]\nenv_list = {name}\n{core}\n[testenv:{name}]\n{settings}\n"
    return declared(text).environments[0]


def notes(settings: str, core: str = "") -> list[tuple[str, int, str]]:
    """What is told of an environment; its settings begin in line 5."""
    return [(note.kind, note.line, note.text) for note in environment(settings, core).notes]


def shown(one: Environment) -> dict[str, list[str]]:
    """The lists of an environment that are not empty, as Python."""
    lists = {
        key: [expression(item.value) for item in getattr(one, key)]
        for key in ("deps", "requirements", "constraints", "extras", "groups", "tags")
    }
    lists["installs"] = [" ".join(map(argument, item.value.words)) for item in one.installs]
    return {key: items for key, items in lists.items() if items}


PYTHONS = {
    "": None,
    "base_python = python3.11": "3.11",
    "base_python = py311": "3.11",
    "base_python = 3.12": "3.12",
    "base_python = cpython3.12": "3.12",
    "base_python = pypy": "pypy",
    "base_python = pypy3.10": "pypy3.10",
    "base_python = python3": None,
    "base_python = py": None,
    "base_python = {env:P:python3.11}": None,
    "base_python = python3.12, python3.11": "3.12",
    "base_python =\n  python3.12\n  python3.11": "3.12",
    "base_python = /opt/bin/python": "/opt/bin/python",
    "default_base_python = python3.10": "3.10",
}


@pytest.mark.parametrize(("settings", "python"), PYTHONS.items())
def test_the_python_of_an_environment(settings: str, python: str | None):
    assert environment(settings).python == python


def test_the_python_that_is_the_default_of_all():
    assert environment("", core="default_base_python = python3.10").python == "3.10"


def test_the_name_decides_the_python_before_the_setting():
    assert environment("base_python = python3.12", name="py39").python == "3.9"


PROJECTS = {
    ("", ""): "wheel",
    ("package = wheel", ""): "wheel",
    ("package = sdist", ""): "sdist",
    ("package = sdist-wheel", ""): "wheel",
    ("package = editable", ""): "editable",
    ("package = uv-editable", ""): "editable",
    ("package = editable-legacy", ""): "editable",
    ("package = skip", ""): "",
    ("package = external", ""): "",
    ("package = deps-only", ""): "",
    ("use_develop = true", ""): "editable",
    ("usedevelop = True\nskip_install = true", ""): "",
    ("skip_install = true", ""): "",
    ("", "no_package = true"): "",
    ("", "skipsdist = true"): "",
    ("use_develop = true", "skipsdist = true"): "",
    ("skipsdist = true", ""): "wheel",
    ("runner = uv-venv-lock-runner", ""): "editable",
    ("runner = uv-venv-lock-runner\npackage = wheel", ""): "wheel",
    ("deps = -e .", "no_package = true"): "editable",
    ("deps = .", "no_package = true"): "wheel",
    ("deps = {toxinidir}", "no_package = true"): "wheel",
}


@pytest.mark.parametrize(("said", "project"), PROJECTS.items())
def test_how_the_project_is_installed(said: tuple[str, str], project: str):
    assert environment(*said).project == project


DEPS: dict[str, dict[str, list[str]]] = {
    "a\n b>=1": {"deps": ['"a"', '"b>=1"']},
    "-r a.txt\n -r{toxinidir}/b.txt\n --requirement=c.txt": {
        "requirements": ['"a.txt"', '"b.txt"', '"c.txt"']
    },
    "-c a.txt\n --constraint b.txt\n -c{env:UC:https://x/y.txt}": {
        "constraints": ['"a.txt"', '"b.txt"', 'os.environ.get("UC", "https://x/y.txt")']
    },
    "-e ./lib\n --editable {toxinidir}/more": {"installs": ['"-e" "./lib"', '"-e" "./more"']},
    "./lib\n {toxinidir}/more\n {tox_root}/../out": {"deps": ['"./lib"', '"./more"', '"../out"']},
    ".[a, b]": {"extras": ['"a"', '"b"']},
    "{toxinidir}[a]": {"extras": ['"a"']},
    "-e .[a]": {"extras": ['"a"']},
    "-r req-{envname}.txt": {"requirements": ['f"req-{session.name}.txt"']},
    # What is known only in the function is installed there.
    "a{posargs:b}": {"installs": ["f\"a{' '.join(session.posargs or ['b'])}\""]},
    "-r {envdir}/a.txt": {"installs": ['"-r" f"{session.env_dir}/a.txt"']},
    "-e {envdir}/a": {"installs": ['"-e" f"{session.env_dir}/a"']},
    "-c {envdir}/a.txt": {},
}


@pytest.mark.parametrize(("said", "lists"), DEPS.items())
def test_lines_of_deps_are_what_pip_takes_them_for(said: str, lists: dict[str, list[str]]):
    text = "skip_install = true\ndeps =\n " + said

    assert shown(environment(text)) == lists


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            "deps = --no-deps",
            ("left", 5, "--no-deps: an option of the installer; set it for uv and pip"),
        ),
        (
            "deps = -c {envdir}/a.txt",
            ("left", 5, "deps: an entry is known only when the session runs"),
        ),
        (
            "extras = {posargs}",
            ("left", 5, "extras: an entry is known only when the session runs"),
        ),
        (
            "package = external",
            ("left", 5, "package = external: runenv builds the project itself"),
        ),
        (
            "package = deps-only",
            ("left", 5, "package = deps-only: name what the project depends on in deps="),
        ),
        ("skipsdist = true", ("ignored", 5, "no_package: tox has it only for all environments")),
        (
            "env_dir = {toxworkdir}/all",
            (
                "approximated",
                5,
                (
                    "env_dir = {toxworkdir}/all: equal environments share their files anyway;"
                    " see environment="
                ),
            ),
        ),
        (
            "depends = py39",
            ("ignored", 5, "depends = py39: no environment is named so"),
        ),
        (
            "depends = py{39,310}, s",
            ("ignored", 5, "depends = py39, py310: no environments are named so"),
        ),
        (
            "depends = py3{8-12}",
            ("ignored", 5, "depends = py38, py39, py310 and 2 more: no environments are named so"),
        ),
        (
            "ignore_errors = true",
            (
                "approximated",
                5,
                (
                    "ignore_errors: the first command that fails ends the job;"
                    " check=False lets it go on"
                ),
            ),
        ),
        (
            "args_are_paths = false",
            ("left", 5, "args_are_paths = false: arguments behind -- are handed on as they are"),
        ),
        (
            "disallow_pass_env =\n " + "A_VARIABLE\n " * 7,
            (
                "left",
                5,
                (
                    "disallow_pass_env = A_VARIABLE A_VARIABLE A_VARIABLE A_VARIABLE A_VARIABLE A_..."
                    ": env={'NAME': None} takes a variable away"
                ),
            ),
        ),
        ("set_env = A", ("left", 5, "set_env A: not a variable")),
        (
            "set_env = A=1; python_version == '3.9'",
            (
                "left",
                5,
                "set_env A=1: marker \"python_version == '3.9'\" is not known before it runs",
            ),
        ),
        (
            "commands = a 'b",
            ("left", 5, "commands: a command cannot be read (No closing quotation)"),
        ),
        (
            "install_command = poetry install {packages}",
            (
                "left",
                5,
                "install_command = poetry install {packages}: runenv calls the installer itself",
            ),
        ),
        (
            "install_command = pip 'install",
            ("left", 5, "install_command = pip 'install: runenv calls the installer itself"),
        ),
        (
            "runner = uv-venv-lock-runner",
            (
                "approximated",
                5,
                (
                    "runner = uv-venv-lock-runner: uv also installs its default groups:"
                    " name them in groups=, dev say"
                ),
            ),
        ),
        (
            "runner = uv-venv-lock-runner\nuv_sync_flags = --group=a --new",
            ("left", 6, "uv_sync_flags: --new"),
        ),
    ],
)
def test_what_is_not_carried_over_is_told(settings: str, told: tuple[str, int, str]):
    assert told in notes(settings)


def test_develop_mode_where_nothing_is_packaged_is_ignored_by_tox():
    assert notes("use_develop = true", core="no_package = true") == [
        ("ignored", 5, "use_develop: no_package forbids it")
    ]


INSTALLERS = {
    "pip install {opts} {packages}": {},
    "python -I -m pip install -U {opts} {packages}": {},
    "{envpython} -m pip install -q --no-cache-dir {opts} {packages}": {},
    "uv pip install {packages}": {},
    "pip install -c a.txt {packages}": {"constraints": ['"a.txt"']},
    "pip install -c{toxinidir}/a.txt {packages}": {"constraints": ['"a.txt"']},
    "pip install --constraint=a.txt {packages}": {"constraints": ['"a.txt"']},
}


@pytest.mark.parametrize(("said", "lists"), INSTALLERS.items())
def test_an_install_command_is_read_for_its_constraints(said: str, lists: dict[str, list[str]]):
    one = environment(f"install_command = {said}")

    assert shown(one) == lists
    assert one.notes == ()


@pytest.mark.parametrize(
    "settings",
    ["pip_pre = true", "deps = --pre", "install_command = pip install --pre {packages}"],
)
def test_versions_before_a_release_are_allowed(settings: str):
    assert environment(settings).prerelease == "allow"


def test_a_lock_of_uv_decides_the_versions():
    one = environment(
        "runner = uv-venv-lock-runner\npip_pre = true\nuv_resolution = lowest\n"
        "deps =\n  a\n  -r b.txt\n  -c c.txt\nconstraints = d.txt\nextras = e\n"
        "uv_sync_flags = --locked, --group, f, --extra=g, --only-group=h\n"
    )

    assert (one.lock, one.prerelease, one.resolution) == ("uv", "", "")
    assert shown(one) == {
        "extras": ['"e"', '"g"'],
        "groups": ['"f"', '"h"'],
        "installs": ['"a"', '"-r" "b.txt"'],
    }
    assert one.notes == ()


def test_settings_that_are_fields_of_their_own():
    one = environment(
        "constraints =\n  -c a.txt\n  b.txt\nuv_resolution = lowest-direct\nrecreate = true\n"
        "platform = linux\nignore_outcome = true\nchange_dir = {toxinidir}/docs\n"
        "sitepackages = true\nlabels = x, y\n"
    )

    assert shown(one) == {"constraints": ['"a.txt"', '"b.txt"'], "tags": ['"x"', '"y"']}
    assert one.resolution == "lowest-direct"
    assert one.reuse is False
    assert one.platform == "linux"
    assert one.failure_ignored is True
    assert one.folder == ("docs",)
    assert one.backend_options == ("--system-site-packages",)


@pytest.mark.parametrize(
    ("name", "platform"),
    [("py-linux", "linux"), ("py-macos", "darwin"), ("py-windows", "win32"), ("lint", "")],
)
def test_a_platform_for_each_factor_is_that_of_the_environment_alone(name: str, platform: str):
    """Where tox runs on Linux the first line counts for all, and names no other platform."""
    settings = "platform =\n  linux: linux\n  macos: darwin\n  windows: win32\n"

    assert environment(settings, name=name).platform == platform


LABELS = "[tox]\nenv_list = py311-{a,b}\nlabels =\n  ci = py-a, py312-b, py-nobody\n[testenv]\n"


def test_what_a_label_alone_names_runs_with_the_label():
    found = {one.name: (one.listed, len(one.tags)) for one in declared(LABELS).environments}

    assert found == {
        "py311-a": (True, 0),
        "py311-b": (True, 0),
        "py-a": (False, 1),
        "py312-b": (False, 1),
        "py-nobody": (False, 1),
    }


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("tox.ini", LABELS, 3),
        (
            "tox.toml",
            'env_list = ["py311-a", "py311-b"]\n[labels]\nci = ["py-a", "py-nobody"]\n',
            2,
        ),
    ],
)
def test_what_a_label_alone_names_is_told_where_tox_does_not_know_its_parts(
    file: str, text: str, line: int
):
    found = from_tox.read(file, text)

    assert found is not None
    assert [(note.kind, note.line, note.text) for note in found.notes] == [
        (
            "ignored",
            line,
            "labels: no setting is of py-nobody: `tox -e` refuses it, `tox -m ci` runs it",
        )
    ]


def test_what_tox_builds_in_is_no_environment_of_ours():
    text = (
        "[tox]\nenv_list = s\n[testenv]\npackage = wheel\nwheel_build_env = build\n"
        "[testenv:build]\n[testenv:other]\n"
    )

    assert [one.name for one in declared(text).environments] == ["s", "other"]


def after(env_list: str, depends: str) -> dict[str, tuple[str, ...]]:
    """What each environment comes after; `depends` is that of `s`."""
    text = f"[tox]\nenv_list = s, {env_list}\n[testenv:s]\ndepends = {depends}\n"
    return {one.name: one.after for one in declared(text).environments if one.after}


def test_depends_names_what_an_environment_comes_after():
    assert after("a, b1, b2", "a, b{1,2}, c") == {"s": ("a", "b1", "b2")}


def test_a_pattern_in_depends_is_kept():
    assert after("py39-a, py310-a", "py*-a") == {"s": ("py*-a",)}


def test_nothing_comes_after_itself():
    assert after("a", "s") == {}


def test_what_depends_on_each_other_is_left():
    found = declared(
        "[tox]\nenv_list = a, b, c\n[testenv:a]\ndepends = b\n[testenv:b]\ndepends = a\n"
        "[testenv:c]\ndepends = a\n"
    )

    assert [one.after for one in found.environments] == [(), (), ("a",)]
    assert [note for one in found.environments for note in one.notes] == [
        ("left", 4, "depends of a: tox refuses to run these, which depend on each other"),
        ("left", 6, "depends of b: tox refuses to run these, which depend on each other"),
    ]


DOCS = {
    "run the tests": "run the tests",
    "run {[more]what}": "run it",
    "run the tests with {basepython}": "run the tests with python",
    "run the tests on {envname}": "run the tests",
    "run {posargs} now": "run now",
    "two\n  lines": "two lines",
}


@pytest.mark.parametrize(("said", "doc"), DOCS.items())
def test_a_description_is_a_docstring_without_what_is_known_later(said: str, doc: str):
    assert environment(f"description = {said}\n[more]\nwhat = it").doc == doc


PROGRAMS = {
    "{envpython} -m a": Command((("python",), ("-m",), ("a",))),
    "{envbindir}/a b": Command((("a",), ("b",))),
    "{toxinidir}/a.sh {toxinidir} {toxinidir}/b": Command((("./a.sh",), (".",), ("b",))),
    "make a": Command((("make",), ("a",))),
    "-a": Command((("a",),), may_fail=True),
    "! a": Command((("a",),), must_fail=True),
    "make a\nallowlist_externals = make": Command((("make",), ("a",)), external=True),
    "/bin/a\nallowlist_externals = /bin/*": Command((("/bin/a",),), external=True),
    "/bin/a\nallowlist_externals = a": Command((("/bin/a",),), external=True),
    "make\nallowlist_externals = *": Command((("make",),), external=True),
    "own\nallowlist_externals = *": Command((("own",),)),
    "pytest\nallowlist_externals = pytest, make": Command((("pytest",),)),
    "make\nwhitelist_externals =\n  bash\n  make": Command((("make",),), external=True),
}


@pytest.mark.parametrize(("said", "command"), PROGRAMS.items())
def test_a_command_with_its_program(said: str, command: Command):
    assert [item.value for item in environment(f"commands = {said}").commands] == [command]


def test_paths_stay_whole_where_commands_run_elsewhere():
    one = environment("change_dir = docs\ncommands = a {toxinidir}/b")

    assert list(map(argument, one.commands[0].value.words)) == ['"a"', 'f"{ROOT}/b"']


def test_a_variable_that_another_names_is_written_out():
    one = environment("set_env =\n  A = 1\n  B = {env:A}2\n  C = {env:C:3}")

    assert [(item.value[0], expression(item.value[1])) for item in one.env] == [
        ("A", '"1"'),
        ("B", '"12"'),
        ("C", 'os.environ.get("C", "3")'),
    ]


def test_labels_of_all_and_of_one_are_tags():
    text = "[tox]\nenv_list = a, b\nlabels =\n  x = a, b\n[testenv:a]\nlabels = y\n"

    assert [shown(one)["tags"] for one in declared(text).environments] == [['"y"', '"x"'], ['"x"']]


def test_plugins_that_are_not_known_are_told_and_others_not():
    text = (
        "[tox]\nenv_list = a\nrequires =\n  tox>=4\n  tox_uv ~= 1.0\n  tox-docker[x]>2; os_name\n"
    )

    assert [(note.kind, note.text) for note in declared(text).notes] == [
        ("left", "requires = tox-docker[x]>2; os_name: what this plugin does is not known")
    ]


@pytest.mark.parametrize(
    ("core", "options"),
    [("skip_missing_interpreters = true", (("skip_missing", "True"),)), ("", ())],
)
def test_whether_missing_interpreters_are_skipped(core: str, options: tuple[tuple[str, str], ...]):
    assert declared(f"[tox]\nenv_list = a\n{core}\n").options == options


@pytest.mark.parametrize(
    ("said", "doc"),
    [
        ('"run tests"', "run tests"),
        ("'run it'", "run it"),
        ('"a" and "b"', '"a" and "b"'),
        ("it's", "it's"),
    ],
)
def test_quotes_around_a_description_are_not_part_of_it(said: str, doc: str):
    assert environment(f"description = {said}").doc == doc


def test_of_a_variable_that_is_set_again_the_last_is_kept():
    one = environment("set_env =\n  A = 1\n  B = 2\n  win32: A = 3\n  B = 4\n  A = 5")

    assert [(item.value[0], expression(item.value[1])) for item in one.env] == [
        ("B", '"4"'),
        ("A", '"5"'),
    ]


def test_what_a_platform_sets_again_leaves_the_value_of_others():
    one = environment("set_env =\n  A = 1\n  win32: A = 3")

    assert [(expression(item.value[1]), item.platform) for item in one.env] == [
        ('"1"', ""),
        ('"3"', 'sys.platform == "win32"'),
    ]
