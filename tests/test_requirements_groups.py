"""What pyproject.toml says of groups and extras."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dependency_groups
import pytest
from packaging.requirements import Requirement

from runner.errors import EnvironmentBroken
from runner.requirements.groups import Pyproject, normal_name

if TYPE_CHECKING:
    from pathlib import Path

try:
    import tomllib
except ImportError:  # Python 3.10
    import tomli as tomllib


def pyproject(folder: Path, text: str) -> Pyproject:
    path = folder / "pyproject.toml"
    path.write_text(text, "utf-8")
    return Pyproject(str(path), "pyproject.toml")


def error_of_group(folder: Path, text: str, group: str = "test") -> str:
    with pytest.raises(EnvironmentBroken) as caught:
        pyproject(folder, text).group_requirements(group)
    return str(caught.value)


def error_of_extra(folder: Path, text: str, extra: str = "cli") -> str:
    with pytest.raises(EnvironmentBroken) as caught:
        pyproject(folder, text).extra_requirements(extra)
    return str(caught.value)


# Groups. -----------------------------------------------------------------------

GROUPS = """
[dependency-groups]
test = ["pytest >= 8", "coverage[toml]; python_version > '3'"]
Doc_s = ["sphinx", {include-group = "test"}, "furo"]
all = [{include-group = "doc.s"}, {include-group = "TEST"}, "tox", "pytest>=8"]
empty = []
"""


def test_a_group_is_its_requirements(tmp_path: Path):
    assert pyproject(tmp_path, GROUPS).group_requirements("test") == (
        "pytest >= 8",
        "coverage[toml]; python_version > '3'",
    )


def test_what_a_group_includes_stands_where_it_is_included(tmp_path: Path):
    assert pyproject(tmp_path, GROUPS).group_requirements("doc-s") == (
        "sphinx",
        "pytest >= 8",
        "coverage[toml]; python_version > '3'",
        "furo",
    )


@pytest.mark.parametrize("group", ["test", "doc-s", "ALL", "empty"])
def test_groups_are_expanded_as_by_the_library(tmp_path: Path, group: str):
    ours = pyproject(tmp_path, GROUPS).group_requirements(group)

    table = tomllib.loads(GROUPS)["dependency-groups"]
    assert tuple(str(Requirement(text)) for text in ours) == dependency_groups.resolve(table, group)


@pytest.mark.parametrize(
    "table",
    [
        'test = ["a", {include-group = "test"}]',
        'test = [{include-group = "b"}]\nb = [{include-group = "test"}]',
        'test = [{include-group = "gone"}]',
        'Test = []\ntest = ["a"]',
        'test = ["a"]\n"b.c" = ["a"]\nb-c = ["b"]',
        'test = "pytest"',
        "test = 3",
        "test = [3]",
        'test = [{include = "b"}]\nb = []',
        'test = [{include-group = "b", x = 1}]\nb = []',
        "test = [{include-group = 3}]",
        'test = ["-r requirements.txt"]',
        'test = ["./lib"]',
        "other = []",
    ],
)
def test_what_the_library_refuses_is_an_error(tmp_path: Path, table: str):
    text = f"[dependency-groups]\n{table}\n"
    with pytest.raises((ValueError, TypeError, LookupError)):
        dependency_groups.resolve(tomllib.loads(text)["dependency-groups"], "test")

    assert error_of_group(tmp_path, text)


def test_an_unknown_group_is_named_with_the_near_one_and_all(tmp_path: Path):
    text = '[dependency-groups]\ntest = ["pytest"]\ndocs = ["sphinx"]\n'

    assert error_of_group(tmp_path, text, "tset") == (
        "group 'tset' is not in [dependency-groups] of pyproject.toml\n"
        "did you mean 'test'? pyproject.toml has test, docs"
    )


def test_an_unknown_group_without_a_near_one_is_named_with_all(tmp_path: Path):
    text = '[dependency-groups]\ndocs = ["sphinx"]\n'

    assert error_of_group(tmp_path, text) == (
        "group 'test' is not in [dependency-groups] of pyproject.toml\npyproject.toml has docs"
    )


def test_where_there_are_no_groups_that_is_said(tmp_path: Path):
    assert error_of_group(tmp_path, "[project]\nname = 'x'\n") == (
        "group 'test' is not in [dependency-groups] of pyproject.toml\n"
        "pyproject.toml has no groups; write there what it needs:\n"
        "    [dependency-groups]\n"
        '    test = ["pytest"]'
    )


def test_an_unknown_included_group_is_named_with_the_one_that_includes_it(tmp_path: Path):
    text = '[dependency-groups]\ntest = [{include-group = "typing"}]\n'

    assert error_of_group(tmp_path, text).splitlines()[0] == (
        "group 'typing', which group 'test' includes, is not in [dependency-groups] "
        "of pyproject.toml"
    )


def test_a_circle_of_groups_is_named_in_full(tmp_path: Path):
    text = """
[dependency-groups]
test = [{include-group = "A"}]
A = [{include-group = "b"}]
b = ["x", {include-group = "c"}]
c = [{include-group = "a"}]
"""

    assert error_of_group(tmp_path, text) == (
        "pyproject.toml: these groups include each other: A -> b -> c -> A\n"
        "take one of the includes away"
    )


def test_two_groups_of_one_name_are_an_error(tmp_path: Path):
    text = "[dependency-groups]\nMy_Test = []\nmy-test = []\n"

    assert error_of_group(tmp_path, text) == (
        "pyproject.toml: [dependency-groups] has one group twice: 'My_Test' and 'my-test' are the "
        "same name\ntake one away, or name it otherwise"
    )


@pytest.mark.parametrize(
    ("value", "kind"),
    [('"pytest"', "a string"), ("3", "3"), ("true", "True"), ("{a = 1}", "a table")],
)
def test_a_group_that_is_no_list_is_an_error(tmp_path: Path, value: str, kind: str):
    text = f"[dependency-groups]\ntest = {value}\n"

    assert error_of_group(tmp_path, text) == (
        f"pyproject.toml: group 'test' is {kind} where a list belongs\n"
        'write a list of requirements: ["pytest", "coverage"]'
    )


def test_an_item_that_is_no_requirement_is_an_error(tmp_path: Path):
    text = '[dependency-groups]\ntest = ["-r requirements.txt"]\n'

    assert error_of_group(tmp_path, text) == (
        "pyproject.toml: group 'test' holds '-r requirements.txt', which is not a requirement or "
        '{include-group = "..."}\n'
        'a requirement is a string such as "pytest>=8"; paths and options of pip cannot stand '
        "there (PEP 508)"
    )


def test_groups_that_are_no_table_are_an_error(tmp_path: Path):
    assert error_of_group(tmp_path, "dependency-groups = []\n") == (
        "pyproject.toml: [dependency-groups] is not a table\nwrite [dependency-groups] above its lines"
    )


# The file. ---------------------------------------------------------------------


def test_a_missing_pyproject_is_an_error(tmp_path: Path):
    path = str(tmp_path / "pyproject.toml")

    with pytest.raises(EnvironmentBroken) as caught:
        Pyproject(path, "pyproject.toml", where="groups=['test']")

    assert str(caught.value) == f"groups=['test']: there is no pyproject.toml\nlooked for {path}"


def test_what_is_not_toml_is_told_with_its_line(tmp_path: Path):
    with pytest.raises(EnvironmentBroken) as caught:
        pyproject(tmp_path, "[project]\nname = \n")

    assert str(caught.value) == (
        "pyproject.toml: the file is not TOML: Invalid value (at line 2, column 8)\nmend it there"
    )


def test_what_is_not_utf8_is_an_error(tmp_path: Path):
    (tmp_path / "pyproject.toml").write_bytes(b'name = "b\xe4ume"\n')

    with pytest.raises(EnvironmentBroken) as caught:
        Pyproject(str(tmp_path / "pyproject.toml"), "pyproject.toml")

    assert str(caught.value) == (
        "pyproject.toml: the file is not UTF-8, as TOML is\nsave it as UTF-8"
    )


def test_a_changed_file_is_read_again(tmp_path: Path):
    before = pyproject(tmp_path, '[dependency-groups]\ntest = ["a"]\n').group_requirements("test")
    after = pyproject(tmp_path, '[dependency-groups]\ntest = ["b"]\n').group_requirements("test")

    assert (before, after) == (("a",), ("b",))


def test_names_are_compared_without_case_and_kind_of_separator():
    assert normal_name("My_.-Name") == "my-name"


# Extras. -----------------------------------------------------------------------

EXTRAS = """
[project]
name = "My.Lib"

[project.optional-dependencies]
cli = ["click>=8", "rich"]
web = ["httpx"]
all = ["my-lib[cli, web]", "six", "My_Lib", "my-lib-extra"]
old = ["my-lib[cli] ; python_version < '3.11'", "x @ https://example.org/x.zip"]
older = ["my-lib[old]; sys_platform == 'win32' or os_name == 'nt'"]
a = ["my-lib[b]", "one"]
b = ["my-lib[a]", "two"]
lost = ["my-lib[cil]"]
"""


def test_an_extra_is_its_requirements(tmp_path: Path):
    assert pyproject(tmp_path, EXTRAS).extra_requirements("CLI") == ("click>=8", "rich")


def test_an_extra_that_names_others_of_the_project_has_theirs(tmp_path: Path):
    assert pyproject(tmp_path, EXTRAS).extra_requirements("all") == (
        "click>=8",
        "rich",
        "httpx",
        "six",
        "my-lib-extra",
    )


def test_a_marker_holds_for_all_that_is_named_behind_it(tmp_path: Path):
    assert pyproject(tmp_path, EXTRAS).extra_requirements("older") == (
        "click>=8 ; (sys_platform == 'win32' or os_name == 'nt') and (python_version < '3.11')",
        "rich ; (sys_platform == 'win32' or os_name == 'nt') and (python_version < '3.11')",
        "x @ https://example.org/x.zip ; sys_platform == 'win32' or os_name == 'nt'",
    )


def test_a_marker_is_joined_with_the_requirement_s_own(tmp_path: Path):
    text = """
[project]
name = "lib"
[project.optional-dependencies]
a = ["lib[b]; os_name == 'nt'"]
b = ["x; python_version < '3.11'", "y @ https://e.org/a;b ; python_version > '3'"]
"""

    assert pyproject(tmp_path, text).extra_requirements("a") == (
        "x ; (python_version < '3.11') and (os_name == 'nt')",
        "y @ https://e.org/a;b ; (python_version > '3') and (os_name == 'nt')",
    )


def test_joined_markers_are_what_packaging_reads(tmp_path: Path):
    for text in pyproject(tmp_path, EXTRAS).extra_requirements("older"):
        assert Requirement(text).marker is not None


def test_extras_that_name_each_other_are_taken_once(tmp_path: Path):
    assert pyproject(tmp_path, EXTRAS).extra_requirements("a") == ("two", "one")


def test_an_unknown_extra_is_named_with_the_near_one_and_all(tmp_path: Path):
    text = '[project]\nname = "x"\n[project.optional-dependencies]\ncli = []\ntest = []\n'

    assert error_of_extra(tmp_path, text, "tset") == (
        "extra 'tset' is not in [project.optional-dependencies] of pyproject.toml\n"
        "did you mean 'test'? pyproject.toml has cli, test"
    )


def test_an_unknown_extra_of_another_extra_is_an_error(tmp_path: Path):
    assert error_of_extra(tmp_path, EXTRAS, "lost").startswith(
        "extra 'cil' is not in [project.optional-dependencies] of pyproject.toml\n"
        "did you mean 'cli'?"
    )


def test_a_project_without_extras_says_so(tmp_path: Path):
    assert error_of_extra(tmp_path, '[project]\nname = "x"\n') == (
        "extra 'cli' is not in [project.optional-dependencies] of pyproject.toml\n"
        "pyproject.toml has no extras"
    )


@pytest.mark.parametrize(
    "text",
    [
        '[project]\nname = "x"\ndynamic = ["version", "optional-dependencies"]\n',
        '[build-system]\nrequires = ["setuptools"]\n',
    ],
)
def test_extras_that_only_a_build_tells_need_the_project(tmp_path: Path, text: str):
    assert error_of_extra(tmp_path, text) == (
        "pyproject.toml: extra 'cli' is not written in [project.optional-dependencies]: only a "
        'build of the project tells it\ninstall the project with it: project="wheel"'
    )


def test_extras_that_only_a_build_tells_are_not_checked(tmp_path: Path):
    dynamic = pyproject(tmp_path, '[project]\nname = "x"\ndynamic = ["optional-dependencies"]\n')

    dynamic.check_extras(["anything"])


def test_known_extras_pass_the_check(tmp_path: Path):
    pyproject(tmp_path, EXTRAS).check_extras(["Cli", "web"])


def test_an_unknown_extra_does_not_pass_the_check(tmp_path: Path):
    with pytest.raises(EnvironmentBroken, match="extra 'cly' is not in"):
        pyproject(tmp_path, EXTRAS).check_extras(["web", "cly"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("project = 3\n", "[project] is not a table"),
        (
            "[project]\noptional-dependencies = 3\n",
            "[project.optional-dependencies] is not a table",
        ),
        (
            '[project.optional-dependencies]\ncli = "click"\n',
            "extra 'cli' is a string where a list belongs",
        ),
        (
            "[project.optional-dependencies]\ncli = [1]\n",
            "extra 'cli' holds 1, which is not a requirement",
        ),
        (
            '[project.optional-dependencies]\ncli = [{include-group = "test"}]\n',
            "extra 'cli' holds {'include-group': 'test'}, which is not a requirement",
        ),
    ],
)
def test_extras_of_the_wrong_type_are_errors(tmp_path: Path, text: str, said: str):
    assert error_of_extra(tmp_path, text).splitlines()[0] == f"pyproject.toml: {said}"


def test_a_project_with_no_list_of_what_is_dynamic_is_read_all_the_same(tmp_path: Path):
    text = '[project]\ndynamic = "version"\n[project.optional-dependencies]\ncli = ["click"]\n'

    assert pyproject(tmp_path, text).extra_requirements("cli") == ("click",)
