"""The step that is made of what a session declares or hands to `session.install`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from runner.envs.installer_config import uv_resolution
from runner.errors import EnvironmentBroken
from runner.ingredients import difference
from runner.model import Needs
from runner.requirements import SourceDigests, declared_step, install_step
from runner.running import Step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYPROJECT = """
[project]
name = "lib"
version = "1"

[project.optional-dependencies]
cli = ["click"]
test = ["pytest", "lib[cli]"]

[dependency-groups]
test = ["pytest", "coverage[toml]"]
lint = [{include-group = "test"}, "ruff"]
empty = []
"""

# sha256 of the empty file.
EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def needs(**said: object) -> Needs:
    nothing = Needs(
        backend=None,
        backend_options=(),
        deps=(),
        groups=(),
        extras=(),
        requirements=(),
        constraints=(),
        project="",
        reuse=True,
    )
    return nothing._replace(**said)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with groups, extras, files and a library below it."""
    folder = tmp_path / "root"
    write(folder / "pyproject.toml", PYPROJECT)
    write(folder / "src/lib/__init__.py", "x = 1\n")
    write(folder / "requirements.txt", "httpx\n-r more/base.txt\n-c constraints.txt\n")
    write(folder / "more/base.txt", "rich\n")
    write(folder / "constraints.txt", "six<2\n")
    write(folder / "other/setup.py", "setup()\n")
    write(folder / "other/other.py", "x = 1\n")
    write(folder / "wheels/a-1-py3-none-any.whl", "a")
    write(folder / "wheels/notes.txt", "a")
    return folder


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def declared(root: Path, **said: object) -> Step:
    step = declared_step(needs(**said), str(root), environ={"PATH": os.environ["PATH"]})
    assert step is not None
    return step


def install(root: Path, *arguments: str, cwd: str = "") -> Step:
    return install_step(arguments, str(root / cwd), str(root), environ={})


def labels(step: Step) -> list[str]:
    return [ingredient.label for ingredient in step.ingredients]


def values(step: Step) -> dict[str, str]:
    return dict(step.ingredients)


def error_of(make: Callable[[], object]) -> str:
    with pytest.raises(EnvironmentBroken) as caught:
        make()
    return str(caught.value)


# What is declared. -------------------------------------------------------------


@pytest.mark.parametrize(
    "said", [{}, {"constraints": ("constraints.txt",)}, {"groups": ("empty",)}]
)
def test_where_nothing_is_to_be_installed_there_is_no_step(root: Path, said: dict[str, object]):
    assert declared_step(needs(**said), str(root)) is None


def test_deps_are_the_arguments_and_one_ingredient(root: Path):
    step = declared(root, deps=("pytest", "httpx>=0.27"))

    assert step.arguments == ("pytest", "httpx>=0.27")
    assert values(step) == {"deps": "pytest\nhttpx>=0.27"}
    assert step.show == 'pytest "httpx>=0.27"'


def test_groups_are_written_out(root: Path):
    step = declared(root, groups=("lint", "test"))

    assert step.arguments == ("pytest", "coverage[toml]", "ruff")
    assert values(step) == {
        "group lint": "pytest\ncoverage[toml]\nruff",
        "group test": "pytest\ncoverage[toml]",
    }
    assert step.show == "--group lint --group test"


def test_what_is_a_dep_and_in_a_group_is_named_once(root: Path):
    assert declared(root, deps=("pytest",), groups=("test",)).arguments == (
        "pytest",
        "coverage[toml]",
    )


def test_a_requirement_file_comes_with_all_that_it_includes(root: Path):
    step = declared(root, requirements=("requirements.txt",))

    assert step.arguments == ("-r", str(root / "requirements.txt"))
    assert labels(step) == ["requirements", "requirements.txt", "more/base.txt", "constraints.txt"]
    assert step.show == "-r requirements.txt"


def test_a_file_is_known_by_the_digest_of_its_content(root: Path):
    write(root / "dev.txt", "")

    assert dict(declared(root, requirements=("dev.txt",)).ingredients)["dev.txt"] == EMPTY


def test_constraints_stand_before_what_they_constrain(root: Path):
    step = declared(root, deps=("pytest",), constraints=("constraints.txt",))

    assert step.arguments == ("-c", str(root / "constraints.txt"), "pytest")
    assert labels(step) == ["deps", "constraints", "constraints.txt"]
    assert step.show == "-c constraints.txt pytest"


def test_files_may_be_urls(root: Path):
    url = "https://example.org/upper.txt"
    step = declared(root, deps=("pytest",), constraints=(url,), requirements=(url,))

    assert step.arguments == ("-c", url, "pytest", "-r", url)
    assert labels(step) == ["deps", "requirements", "constraints"]


def test_the_project_as_a_wheel_depends_on_build_files_and_sources(root: Path):
    write(root / "setup.cfg", "")
    step = declared(root, project="wheel", extras=("cli", "Test"))

    assert step.arguments == ()
    assert [(b.folder, b.extras, b.sdist_first) for b in step.builds] == [
        (str(root), ("cli", "Test"), False)
    ]
    assert labels(step) == ["extras", "project", "pyproject.toml", "setup.cfg", "sources of ."]
    assert values(step)["extras"] == "cli\nTest"
    assert values(step)["project"] == "wheel"
    assert step.show == ".[cli,Test]"


def test_the_project_as_editable_depends_on_build_files_and_packages(root: Path):
    write(root / "MANIFEST.in", "")
    step = declared(root, project="editable")

    assert step.arguments == ("-e", str(root))
    assert labels(step) == [
        *("project", "pyproject.toml", "MANIFEST.in", "packages of .", "place of ."),
    ]
    assert values(step)["place of ."] == str(root)
    assert values(step)["packages of ."] == "src/lib"
    assert step.show == "-e ."


def test_a_project_whose_version_is_made_from_git_depends_on_the_revision(root: Path):
    write(root / "pyproject.toml", PYPROJECT + '[build-system]\nrequires = ["hatch-vcs"]\n')

    assert labels(declared(root, project="wheel")) == [
        "project",
        "pyproject.toml",
        "git revision of .",
        "sources of .",
    ]


def test_extras_without_the_project_are_its_optional_dependencies(root: Path):
    step = declared(root, extras=("test",))

    assert step.arguments == ("pytest", "click")
    assert values(step) == {"extra test": "pytest\nclick"}
    assert step.show == "pytest click"


def test_all_of_it_is_one_install(root: Path):
    step = declared(
        root,
        deps=("tox",),
        groups=("test",),
        extras=("cli",),
        requirements=("requirements.txt",),
        constraints=("constraints.txt",),
        project="editable",
    )

    assert step.arguments == (
        *("-c", str(root / "constraints.txt")),
        "tox",
        *("-r", str(root / "requirements.txt")),
        *("pytest", "coverage[toml]"),
        *("-e", f"{root}[cli]"),
    )
    assert step.show == ("-c constraints.txt tox -r requirements.txt --group test -e .[cli]")


def test_an_upgrade_changes_what_is_done_and_not_what_it_depends_on(root: Path):
    plain = declared(root, deps=("pytest",))
    upgraded = declared_step(needs(deps=("pytest",)), str(root), upgrade=True)

    assert upgraded == Step(
        arguments=("--upgrade", "pytest"),
        ingredients=plain.ingredients,
        show="--upgrade pytest",
        cwd=str(root),
        asks_anew=True,
    )


def test_the_lowest_of_what_a_wheel_requires_is_an_ingredient(root: Path):
    lowest = declared(root, project="wheel", resolution="lowest-direct")

    assert values(lowest)["resolution of local projects"] == "lowest-direct"


@pytest.mark.parametrize(
    "said",
    [
        {"project": "wheel", "resolution": "lowest"},
        {"project": "editable", "resolution": "lowest-direct"},
        {"deps": ("httpx",), "resolution": "lowest-direct"},
    ],
)
def test_what_is_no_wheel_of_ours_or_not_the_lowest_named_has_none(
    root: Path, said: dict[str, object]
):
    assert "resolution of local projects" not in labels(declared(root, **said))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--resolution=lowest-direct"], True),
        (["--resolution", "lowest-direct"], True),
        (["--resolution=lowest-direct", "--resolution=highest"], False),
        ([], False),
    ],
)
def test_an_install_asks_for_the_lowest_named_in_any_spelling(
    root: Path, options: list[str], found: bool
):
    step = install(root, "./other", *options)

    assert ("resolution of local projects" in labels(step)) is found


def test_an_install_asks_for_the_lowest_named_by_its_own_variable(root: Path):
    variables = {"UV_RESOLUTION": "lowest-direct"}
    step = install_step(("./other",), str(root), str(root), environ={}, variables=variables)

    assert values(step)["resolution of local projects"] == "lowest-direct"


@pytest.mark.parametrize(
    ("variables", "texts", "found"),
    [
        ({}, {}, ""),
        ({"UV_RESOLUTION": "lowest"}, {"uv.toml": "resolution = 'highest'"}, "lowest"),
        ({}, {"a/uv.toml": "resolution = 'lowest'", "uv.toml": "resolution = 'highest'"}, "highest"),
        ({}, {"a/uv.toml": "pip = {resolution = 'lowest'}", "b": "resolution = 'highest'"}, "lowest"),
        ({}, {"pyproject.toml": "[tool.uv]\nresolution = 'lowest'"}, "lowest"),
        ({}, {"pyproject.toml": "[tool]\nresolution = 'lowest'"}, ""),
        ({}, {"uv.toml": "resolution = "}, ""),
        ({}, {"uv.toml": "pip = 'resolution'"}, ""),
    ],
)  # fmt: skip
def test_the_resolution_of_uvs_surroundings_is_known(
    variables: dict[str, str], texts: dict[str, str], found: str
):
    assert uv_resolution(variables, texts) == found


def test_a_dep_may_be_a_project_below(root: Path):
    step = declared(root, deps=("./other",))

    assert step.arguments == (str(root / "other"),)
    assert labels(step) == ["deps", "other/setup.py", "sources of other"]
    assert step.show == "./other"


def test_a_root_with_a_slash_at_its_end_is_the_same(root: Path):
    assert declared_step(needs(project="wheel"), f"{root}{os.sep}") == declared(
        root, project="wheel"
    )


def test_credentials_are_no_ingredient(root: Path):
    one = declared(root, deps=("lib @ https://me:one@example.org/lib.zip",))
    two = declared(root, deps=("lib @ https://me:two@example.org/lib.zip",))

    assert one.ingredients == two.ingredients
    assert values(one)["deps"] == "lib @ https://****@example.org/lib.zip"
    assert one.arguments == ("lib @ https://me:one@example.org/lib.zip",)


def test_sources_are_shared_where_they_are_handed_in(root: Path):
    sources = SourceDigests()
    one = declared_step(needs(project="wheel"), str(root), sources=sources)
    two = declared_step(needs(project="wheel"), str(root), sources=sources)

    assert one == two


# What is handed to session.install. ----------------------------------------------


def test_an_install_is_known_by_its_arguments(root: Path):
    step = install(root, "pytest>=8", "--no-deps", "--index-url", "https://example.org")

    assert step.arguments == ("pytest>=8", "--no-deps", "--index-url", "https://example.org")
    assert values(step) == {"install": "pytest>=8\n--no-deps\n--index-url https://example.org"}
    assert step.show == '"pytest>=8" --no-deps --index-url https://example.org'


@pytest.mark.parametrize(
    "arguments",
    [("-r", "dev.txt"), ("-rdev.txt",), ("--requirement=dev.txt",), ("--requirement", "dev.txt")],
)
def test_requirement_files_of_an_install_are_followed(root: Path, arguments: tuple[str, ...]):
    write(root / "dev.txt", "-r more/base.txt\n")

    step = install(root, *arguments)

    assert step.arguments[-1] == str(root / "dev.txt")
    assert labels(step) == ["install", "dev.txt", "more/base.txt"]


def test_paths_of_an_install_start_at_the_working_folder(root: Path):
    step = install(root, "-r", "base.txt", "../other", cwd="more")

    assert step.arguments == ("-r", str(root / "more/base.txt"))
    assert [build.folder for build in step.builds] == [str(root / "other")]
    assert labels(step) == ["install", "more/base.txt", "other/setup.py", "sources of other"]


def test_an_editable_install_and_one_with_extras_take_the_project(root: Path):
    step = install(root, "-e", ".", ".[test]")

    assert step.arguments == ("-e", str(root))
    assert [(build.folder, build.extras) for build in step.builds] == [(str(root), ("test",))]
    assert labels(step) == [
        *("install", "pyproject.toml", "packages of .", "place of .", "sources of ."),
    ]


def test_a_wheel_is_known_by_its_content(root: Path):
    step = install(root, "./wheels/a-1-py3-none-any.whl")

    # sha256 of "a".
    assert values(step)["wheels/a-1-py3-none-any.whl"] == (
        "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    )


def test_a_file_url_is_followed(root: Path):
    url = f"other @ {(root / 'other').as_uri()}"

    step = install(root, url)

    assert step.arguments == ()
    assert [build.folder for build in step.builds] == [str(root / "other")]
    assert labels(step) == ["install", "other/setup.py", "sources of other"]


@pytest.mark.parametrize(
    "option",
    [
        ("--no-build-isolation",),
        ("-C", "a=b"),
        ("--config-settings=a=b",),
        ("--no-binary", ":all:"),
    ],
)
def test_with_options_for_builds_the_installer_builds(root: Path, option: tuple[str, ...]):
    step = install(root, *option, "./other")

    assert step.arguments == (*option, str(root / "other"))
    assert step.builds == ()


def test_a_project_with_sources_of_uv_is_built_by_the_installer(root: Path):
    write(root / "pyproject.toml", "[tool.uv.sources]\nlib = { path = 'lib' }\n")

    assert declared(root, project="wheel").arguments == (str(root),)


def test_what_a_build_reads_is_its_content(root: Path):
    before = declared(root, project="wheel").builds[0].content
    write(root / "src.py", "changed")

    assert declared(root, project="wheel").builds[0].content != before
    assert declared(root, project="sdist").builds[0].sdist_first


def test_other_urls_are_known_by_their_text(root: Path):
    url = "pkg @ git+https://example.org/pkg@main"

    assert dict(install(root, url).ingredients) == {"install": url}


def test_a_group_of_an_install_is_written_out(root: Path):
    step = install(root, "--group", "lint", "tox")

    assert step.arguments == ("pytest", "coverage[toml]", "ruff", "tox")
    assert values(step) == {
        "install": "--group lint\ntox",
        "group lint": "pytest\ncoverage[toml]\nruff",
    }
    assert step.show == "--group lint tox"


def test_a_group_of_another_file_is_named_with_it(root: Path):
    write(root / "other/pyproject.toml", '[dependency-groups]\ntest = ["nose"]\n')

    step = install(root, "--group", "other/pyproject.toml:test")

    assert step.arguments == ("nose",)
    assert values(step)["group test of other/pyproject.toml"] == "nose"


def test_a_folder_of_archives_is_known_by_the_archives(root: Path):
    before = install(root, "--no-index", "-f", "wheels", "a")
    write(root / "wheels/notes.txt", "b")
    same = install(root, "--no-index", "-f", "wheels", "a")
    write(root / "wheels/b-1.tar.gz", "b")
    other = install(root, "--no-index", "-f", "wheels", "a")

    assert before.arguments == ("--no-index", "-f", str(root / "wheels"), "a")
    assert before == same
    assert difference(same.ingredients, other.ingredients) == "archives in wheels changed"


def test_links_to_a_page_are_known_by_its_content(root: Path):
    write(root / "links.html", "")

    step = install(root, f"--find-links={(root / 'links.html').as_uri()}", "a")

    assert values(step)["links.html"] == EMPTY


def test_links_to_a_url_are_known_by_their_text(root: Path):
    step = install(root, "-f", "https://example.org/links", "a")

    assert labels(step) == ["install"]


def test_links_to_nothing_are_left_to_the_installer(root: Path):
    assert install(root, "-f", "nowhere", "a").arguments == ("-f", "nowhere", "a")


@pytest.mark.parametrize("option", ["-r", "-f", "--group"])
def test_an_option_without_its_value_is_left_to_the_installer(root: Path, option: str):
    assert install(root, "a", option).arguments == ("a", option)


# What requirement files hold. ----------------------------------------------------


def test_files_that_include_each_other_are_taken_once(root: Path):
    write(root / "a.txt", "-r b.txt\n")
    write(root / "b.txt", "-r a.txt\n")

    assert labels(declared(root, requirements=("a.txt",))) == ["requirements", "a.txt", "b.txt"]


def test_a_file_url_of_a_requirement_file_is_followed(root: Path):
    step = declared(root, requirements=((root / "more/base.txt").as_uri(),))

    assert step.arguments == ("-r", str(root / "more/base.txt"))
    assert labels(step) == ["requirements", "more/base.txt"]


def test_a_file_outside_the_root_is_named_with_its_path(root: Path):
    write(root.parent / "common.txt", "pytest\n")

    step = declared(root, requirements=("../common.txt",))

    assert labels(step) == ["requirements", (root.parent / "common.txt").as_posix()]


def test_included_files_start_at_the_file_and_projects_at_the_working_folder(root: Path):
    write(root / "more/dev.txt", "-r base.txt\n./other\n")

    assert labels(declared(root, requirements=("more/dev.txt",))) == [
        "requirements",
        "more/dev.txt",
        "more/base.txt",
        "other/setup.py",
        "sources of other",
    ]


def test_a_project_in_a_file_is_named_in_the_arguments_too(root: Path):
    write(root / "dev.txt", "-e ./other\n./other[x] ; python_version > '3'\n")

    assert declared(root, requirements=("dev.txt",)).arguments == (
        *("-r", str(root / "dev.txt")),
        *("-e", str(root / "other")),
        f"{root / 'other'}[x] ; python_version > '3'",
    )


def test_a_project_with_options_in_a_file_is_left_to_the_file(root: Path):
    write(root / "dev.txt", "./other --config-settings=a=b\n")

    step = install(root, "-r", "dev.txt")

    assert step.arguments == ("-r", str(root / "dev.txt"))
    assert labels(step) == ["install", "dev.txt", "other/setup.py", "sources of other"]


def test_a_project_in_a_constraint_file_is_not_installed(root: Path):
    write(root / "c.txt", "-r d.txt\n")
    write(root / "d.txt", "./other\n")

    step = declared(root, deps=("pytest",), constraints=("c.txt",))

    assert step.arguments == ("-c", str(root / "c.txt"), "pytest")
    assert "sources of other" in labels(step)


def test_a_file_that_constrains_and_installs_is_followed_as_both(root: Path):
    write(root / "d.txt", "./other\n")

    step = declared(root, requirements=("d.txt",), constraints=("d.txt",))

    assert step.arguments == (
        *("-c", str(root / "d.txt")),
        *("-r", str(root / "d.txt")),
        str(root / "other"),
    )


def test_links_of_a_file_are_looked_for_beside_it_and_in_the_working_folder(root: Path):
    write(root / "more/dev.txt", "--find-links wheels\na\n")
    write(root / "more/wheels/b-1.zip", "b")

    assert labels(declared(root, requirements=("more/dev.txt",))) == [
        "requirements",
        "more/dev.txt",
        "archives in wheels",
        "archives in more/wheels",
    ]


def test_a_lock_file_is_known_by_its_content_alone(root: Path):
    write(root / "pylock.toml", "-r nowhere.txt\n")

    assert labels(declared(root, requirements=("pylock.toml",))) == ["requirements", "pylock.toml"]


def test_a_variable_in_a_file_decides_and_stays_secret(root: Path):
    write(root / "dev.txt", "lib==${VERSION}\n")

    def step(**environ: str) -> Step:
        return install_step(("-r", "dev.txt"), str(root), str(root), environ=environ)

    unset, one, two = step(), step(VERSION="1"), step(VERSION="2")

    assert dict(unset.ingredients)["variable VERSION"] == "not set"
    # BLAKE2b of "1" with no key, 16 bytes of it.
    assert dict(one.ingredients)["variable VERSION"] == "blake2b:cea3878a334b240469d159ff840b6434"
    assert difference(one.ingredients, two.ingredients) == "variable VERSION changed"


def test_a_variable_in_a_path_is_filled_in(root: Path):
    write(root / "dev.txt", "-r ${WHERE}/base.txt\n")

    step = install_step(("-r", "dev.txt"), str(root), str(root), environ={"WHERE": "more"})

    assert labels(step) == ["install", "dev.txt", "variable WHERE", "more/base.txt"]


def test_a_file_that_is_called_like_a_label_keeps_its_own(root: Path):
    write(root / "deps", "")

    step = declared(root, deps=("pytest",), requirements=("deps",))

    assert labels(step) == ["deps", "requirements", "./deps"]


# Whatever is named and changes changes the step. -----------------------------------


def everything(root: Path) -> Step:
    return install(
        root,
        *("-r", "requirements.txt", "-c", "constraints.txt", "--group", "lint"),
        *("-e", ".[cli]", "./other", "./wheels/a-1-py3-none-any.whl", "-f", "wheels"),
    )


NAMED = [
    "requirements.txt",
    "more/base.txt",
    "constraints.txt",
    "pyproject.toml",
    "other/setup.py",
    "other/other.py",
    "wheels/a-1-py3-none-any.whl",
]


@pytest.mark.parametrize("name", NAMED)
def test_any_byte_of_what_is_named_changes_the_step(root: Path, name: str):
    before = everything(root)
    content = (root / name).read_bytes()

    for place in (0, content.find(b"\n") + 1, len(content)):
        (root / name).write_bytes(content[:place] + b"\n" + content[place:])
        assert everything(root).ingredients != before.ingredients

    (root / name).write_bytes(content)
    assert everything(root) == before


@pytest.mark.parametrize("name", NAMED)
def test_a_touch_of_what_is_named_does_not_change_the_step(root: Path, name: str):
    before = everything(root)

    os.utime(root / name, (1, 1))

    assert everything(root) == before


def test_the_sources_of_an_editable_project_do_not_change_the_step(root: Path):
    before = declared(root, project="editable")

    write(root / "src/lib/__init__.py", "x = 2\n")

    assert declared(root, project="editable") == before


def test_the_sources_of_a_wheel_do(root: Path):
    before = declared(root, project="wheel")

    write(root / "src/lib/__init__.py", "x = 2\n")

    after = declared(root, project="wheel")
    assert difference(before.ingredients, after.ingredients) == "sources of . changed"


def test_another_part_of_pyproject_does_not_change_a_group(root: Path):
    before = declared(root, groups=("test",))

    write(root / "pyproject.toml", PYPROJECT + "[tool.ruff]\nline-length = 100\n")

    assert declared(root, groups=("test",)) == before


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            {"deps": ("pytest",)},
            {"deps": ("pytest", "httpx")},
            "deps changed (+httpx)",
        ),
        (
            {"project": "wheel"},
            {"project": "editable"},
            "project changed (wheel → editable), packages of . added (+src/lib) and 2 more",
        ),
        (
            {"deps": ("pytest",)},
            {"deps": ("pytest",), "requirements": ("more/base.txt",)},
            "requirements added (+more/base.txt)",
        ),
        (
            {"groups": ("test",)},
            {"groups": ("lint",)},
            (
                "group lint added (+pytest, +coverage[toml], +ruff), "
                "group test removed (-pytest, -coverage[toml])"
            ),
        ),
    ],
)
def test_a_change_of_what_is_declared_is_told_in_words(
    root: Path, old: dict[str, object], new: dict[str, object], said: str
):
    before, after = declared(root, **old), declared(root, **new)

    assert difference(before.ingredients, after.ingredients) == said


# What cannot be. -----------------------------------------------------------------


def test_an_unknown_group_is_an_error(root: Path):
    assert error_of(lambda: declared(root, groups=("tset",))) == (
        "group 'tset' is not in [dependency-groups] of pyproject.toml\n"
        "did you mean 'test'? pyproject.toml has test, lint, empty"
    )


@pytest.mark.parametrize("said", [{"groups": ("test",)}, {"extras": ("test",)}])
def test_groups_and_extras_need_a_pyproject(tmp_path: Path, said: dict[str, tuple[str, ...]]):
    ((word, names),) = said.items()

    assert error_of(lambda: declared(tmp_path, **said)) == (
        f"{word}={list(names)}: there is no pyproject.toml\n"
        f"looked for {tmp_path / 'pyproject.toml'}"
    )


def test_an_unknown_extra_of_the_project_is_an_error(root: Path):
    assert error_of(lambda: declared(root, project="wheel", extras=("cly",))) == (
        "extra 'cly' is not in [project.optional-dependencies] of pyproject.toml\n"
        "did you mean 'cli'? pyproject.toml has cli, test"
    )


def test_extras_of_a_project_without_pyproject_are_left_to_its_build(root: Path):
    assert declared(root, deps=("./other[x]",)).arguments == (f"{root / 'other'}[x]",)


def test_a_project_that_is_none_is_an_error(tmp_path: Path):
    assert error_of(lambda: declared(tmp_path, project="wheel")) == (
        f"project='wheel': there is neither pyproject.toml nor setup.py in {tmp_path}\n"
        "write one, or take project= away"
    )


def test_a_folder_that_is_no_project_is_an_error(root: Path):
    write(root / "dev.txt", "pytest\n./more\n")

    assert error_of(lambda: declared(root, requirements=("dev.txt",))) == (
        f"dev.txt:2: more is not a project: {root / 'more'} has neither pyproject.toml nor "
        "setup.py\nname the folder that has one of them, or write one"
    )


def test_a_missing_requirement_file_is_an_error_with_the_near_one(root: Path):
    assert error_of(lambda: declared(root, requirements=("requirement.txt",))) == (
        "requirements: there is no requirement.txt\ndid you mean 'requirements.txt'?"
    )


def test_a_missing_constraint_file_is_an_error(root: Path):
    assert error_of(lambda: declared(root, constraints=("c.txt",))).splitlines()[0] == (
        "constraints: there is no c.txt"
    )


def test_a_missing_included_file_is_named_with_the_line_that_includes_it(root: Path):
    write(root / "more/base.txt", "rich\n\n-r bse.txt\n")
    write(root / "more/bases.txt", "")

    assert error_of(lambda: install(root, "-r", "requirements.txt")) == (
        "more/base.txt:3: there is no more/bse.txt\ndid you mean 'base.txt'?"
    )


def test_a_missing_file_of_an_install_is_an_error(root: Path):
    assert error_of(lambda: install(root, "-r", "dev.txt")) == (
        f"there is no dev.txt\nlooked for {root / 'dev.txt'}"
    )


def test_an_option_among_the_deps_is_an_error(root: Path):
    assert error_of(lambda: declared(root, deps=("-r requirements.txt",))) == (
        "deps holds '-r requirements.txt', which is an option and no requirement\n"
        'name files with requirements=["requirements.txt"] or constraints=[...]; for other '
        "options use session.install(...)"
    )
