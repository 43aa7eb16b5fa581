"""What the digest of a local project covers, with git and without."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from runner.errors import EnvironmentBroken
from runner.requirements.local import SourceDigests, build_files, is_project, packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

GIT_ENVIRON = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")


def write(folder: Path, *names: str, text: str = "x = 1\n") -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def git(folder: Path, *arguments: str) -> None:
    options = ["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"]
    subprocess.run(
        ["git", *options, *arguments], cwd=folder, env=GIT_ENVIRON, check=True, capture_output=True
    )


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "-m", "all")


def digest(folder: Path, environ: Mapping[str, str] = GIT_ENVIRON) -> str:
    return SourceDigests(environ).of(str(folder))


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A project without git."""
    folder = tmp_path / "plain"
    write(folder, "pyproject.toml", "src/lib/__init__.py", "src/lib/one.py", "README.md")
    return folder


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The same, committed to a repository that ignores *.log."""
    folder = tmp_path / "repository"
    write(folder, "pyproject.toml", "src/lib/__init__.py", "src/lib/one.py", "README.md")
    write(folder, ".gitignore", text="*.log\n/generated/\n")
    git(folder, "init")
    commit(folder)
    return folder


@pytest.fixture(params=["plain", "repository"])
def project(request: pytest.FixtureRequest) -> Path:
    """Either of them."""
    folder: Path = request.getfixturevalue(request.param)
    return folder


# With git and without. ---------------------------------------------------------


def test_a_digest_has_its_kind_before_it(project: Path):
    kind, _, digits = digest(project).partition(":")

    assert (kind, len(digits)) == ("sha256", 64)


def test_a_changed_byte_changes_the_digest(project: Path):
    before = digest(project)

    write(project, "src/lib/one.py", text="x = 2\n")

    assert digest(project) != before


def test_a_touched_file_does_not_change_the_digest(project: Path):
    before = digest(project)

    os.utime(project / "src/lib/one.py", (1, 1))

    assert digest(project) == before


def test_a_new_file_changes_the_digest(project: Path):
    before = digest(project)

    write(project, "src/lib/two.py")

    assert digest(project) != before


def test_a_deleted_file_changes_the_digest(project: Path):
    before = digest(project)

    (project / "src/lib/one.py").unlink()

    assert digest(project) != before


def test_a_renamed_file_changes_the_digest(project: Path):
    before = digest(project)

    (project / "src/lib/one.py").rename(project / "src/lib/two.py")

    assert digest(project) != before


def test_bytes_that_move_from_one_file_to_the_next_change_the_digest(project: Path):
    write(project, "a.py", text="12")
    write(project, "b.py", text="3")
    before = digest(project)

    write(project, "a.py", text="1")
    write(project, "b.py", text="23")

    assert digest(project) != before


@posix
def test_a_file_that_becomes_executable_changes_the_digest(project: Path):
    before = digest(project)

    (project / "src/lib/one.py").chmod(0o755)

    assert digest(project) != before


@posix
def test_a_link_to_another_place_changes_the_digest(project: Path):
    (project / "link").symlink_to("src")
    before = digest(project)

    (project / "link").unlink()
    (project / "link").symlink_to("src/lib")

    assert digest(project) != before


@posix
def test_what_a_linked_file_holds_counts(project: Path):
    outside = project.parent / "outside.py"
    outside.write_text("x = 1\n")
    (project / "src/lib/outside.py").symlink_to(outside)
    before = digest(project)

    outside.write_text("x = 2\n")

    assert digest(project) != before


@posix
def test_a_link_to_nothing_is_fine(project: Path):
    before = digest(project)

    (project / "dangling").symlink_to("nowhere")

    assert digest(project) != before


@posix
def test_a_name_that_is_no_text_is_fine(project: Path):
    before = digest(project)

    with open(os.fsencode(project) + b"/src/lib/b\xe4.py", "wb"):
        pass

    assert digest(project) != before


@posix
def test_pipes_and_sockets_are_left_alone(project: Path):
    before = digest(project)

    os.mkfifo(project / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(project)  # the path of a socket has to be short
        server.bind("socket")
        os.chdir(here)

    assert digest(project) == before


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.py", "setup.cfg"])
def test_build_files_are_no_sources(project: Path, name: str):
    write(project, "setup.py", "setup.cfg")
    before = digest(project)

    write(project, name, text="other = 1\n")

    assert digest(project) == before


def test_the_envfile_is_no_source(project: Path):
    before = digest(project)

    write(project, "envfile.py", "noxfile.py")

    assert digest(project) == before


def test_an_envfile_further_down_is_a_source(project: Path):
    before = digest(project)

    write(project, "src/lib/envfile.py")

    assert digest(project) != before


@pytest.mark.parametrize(
    "name",
    [
        ".runenv/tests/pyvenv.cfg",
        ".runenv/log.txt",
        ".tox/a.py",
        ".nox/a.py",
        ".venv/a.py",
        "src/lib/__pycache__/one.cpython-313.pyc",
        "src/lib/one.pyc",
        "src/lib.egg-info/PKG-INFO",
        ".mypy_cache/a.json",
        ".ruff_cache/a",
        ".pytest_cache/a",
        ".hypothesis/a",
        "node_modules/a/b.js",
        "htmlcov/index.html",
        ".coverage",
        ".coverage.host.1",
        "build/lib/lib/one.py",
        "dist/lib-1.tar.gz",
    ],
)
def test_leftovers_are_no_sources(project: Path, name: str):
    before = digest(project)

    write(project, name)

    assert digest(project) == before


def test_a_link_to_an_environment_and_a_file_that_names_one_are_no_sources(project: Path):
    before = digest(project)

    write(project, ".venv")
    assert digest(project) == before

    (project / ".venv").unlink()
    (project / ".venv").symlink_to("elsewhere")
    assert digest(project) == before


@pytest.mark.parametrize("name", [".coveragerc", "src/build/a.py", "src/dist/a.py", "env/a.py"])
def test_what_only_looks_like_a_leftover_is_a_source(project: Path, name: str):
    before = digest(project)

    write(project, name)

    assert digest(project) != before


def test_a_package_named_build_is_a_source(project: Path):
    write(project, "build/__init__.py")
    before = digest(project)

    write(project, "build/one.py")

    assert digest(project) != before


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "CACHEDIR.TAG"])
def test_environments_and_caches_of_any_name_are_no_sources(project: Path, marker: str):
    before = digest(project)

    write(project, f"my/own/{marker}", "my/own/lib/one.py")

    assert digest(project) == before


def test_the_digest_of_some_files_covers_those(plain: Path):
    write(plain, "a.whl", "b.whl")
    digests = SourceDigests()
    before = digests.of_files(str(plain), ["a.whl"])

    write(plain, "b.whl", text="other")
    same = digests.of_files(str(plain), ["a.whl"])
    write(plain, "a.whl", text="other")

    assert same == before
    assert digests.of_files(str(plain), ["a.whl"]) != before


def test_the_digest_of_a_file_is_that_of_its_content(plain: Path):
    (plain / "a.whl").write_bytes(b"abc")

    # The example of FIPS 180-2, appendix B.1.
    assert SourceDigests().of_file(str(plain / "a.whl")) == (
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )


def test_a_file_that_vanished_has_no_digest(plain: Path):
    with pytest.raises(EnvironmentBroken, match=r"gone\.whl cannot be read: No such file"):
        SourceDigests().of_file(str(plain / "gone.whl"))


def test_a_folder_that_vanished_has_no_sources(tmp_path: Path):
    (tmp_path / "empty").mkdir()

    assert digest(tmp_path / "gone") == digest(tmp_path / "empty")


# With git only. ----------------------------------------------------------------


def test_an_ignored_file_is_no_source(repository: Path):
    before = digest(repository)

    write(repository, "src/lib/debug.log", "generated/a.py")

    assert digest(repository) == before


def test_a_tracked_file_is_a_source_whatever_its_name(repository: Path):
    write(repository, "build/a.py", "src/lib/data.pyc")
    git(repository, "add", "--force", "build/a.py", "src/lib/data.pyc")
    before = digest(repository)

    write(repository, "build/a.py", text="x = 2\n")

    assert digest(repository) != before


def test_a_tracked_environment_folder_is_still_no_source(repository: Path):
    before = digest(repository)

    write(repository, ".runenv/a.py")
    git(repository, "add", "--force", ".runenv/a.py")

    assert digest(repository) == before


def test_a_commit_without_a_change_keeps_the_digest(repository: Path):
    write(repository, "src/lib/two.py")
    before = digest(repository)

    commit(repository)

    assert digest(repository) == before


def test_the_index_has_no_say_in_what_a_file_holds(repository: Path):
    write(repository, "src/lib/one.py", text="x = 2\n")
    before = digest(repository)

    git(repository, "add", "src/lib/one.py")

    assert digest(repository) == before


def test_a_file_that_became_a_folder_is_fine(repository: Path):
    before = digest(repository)

    (repository / "README.md").unlink()
    write(repository, "README.md/one.md")

    assert digest(repository) != before


def test_a_folder_that_became_a_file_is_fine(repository: Path):
    before = digest(repository)

    shutil.rmtree(repository / "src/lib")
    write(repository, "src/lib")

    assert digest(repository) != before


def test_of_a_project_below_the_repository_only_its_own_files_count(repository: Path):
    write(repository, "packages/a/pyproject.toml", "packages/a/a.py")
    commit(repository)
    before = digest(repository / "packages/a")

    write(repository, "README.md", text="other\n")
    same = digest(repository / "packages/a")
    write(repository, "packages/a/a.py", text="other\n")

    assert same == before
    assert digest(repository / "packages/a") != before


def test_a_project_that_git_ignores_is_read_all_the_same(repository: Path):
    project = repository / "generated/project"
    write(project, "pyproject.toml", "a.py")
    before = digest(project)

    write(project, "a.py", text="x = 2\n")

    assert digest(project) != before


def submodule(repository: Path) -> Path:
    """A submodule `sub` of the repository, committed."""
    other = repository.parent / "other"
    write(other, "one.py")
    git(other, "init")
    commit(other)
    git(repository, "submodule", "add", str(other), "sub")
    commit(repository)
    return repository / "sub"


def test_a_changed_file_of_a_submodule_changes_the_digest(repository: Path):
    sub = submodule(repository)
    before = digest(repository)

    write(sub, "one.py", text="x = 2\n")

    assert digest(repository) != before


def test_a_submodule_that_is_not_there_is_fine(repository: Path):
    submodule(repository)
    before = digest(repository)

    git(repository, "submodule", "deinit", "--force", "sub")

    assert digest(repository) != before


def test_a_repository_in_the_repository_is_read(repository: Path):
    write(repository, "vendor/one.py")
    git(repository / "vendor", "init")
    before = digest(repository)

    write(repository, "vendor/one.py", text="x = 2\n")

    assert digest(repository) != before


def test_a_broken_submodule_is_read_without_git(repository: Path):
    sub = submodule(repository)
    (sub / ".git").write_text("gitdir: /no/such/place\n")
    before = digest(repository)

    write(sub, "one.py", text="x = 2\n")

    assert digest(repository) != before


def test_the_git_of_a_hook_is_not_taken_for_ours(repository: Path):
    before = digest(repository)

    hook = {
        **GIT_ENVIRON,
        "GIT_DIR": str(repository.parent / "elsewhere"),
        "GIT_INDEX_FILE": str(repository.parent / "index"),
    }

    assert digest(repository, hook) == before


@posix
def test_without_git_on_path_a_repository_is_read_as_a_folder(repository: Path):
    nowhere = {**GIT_ENVIRON, "PATH": str(repository / "no-such-folder")}
    before = digest(repository, nowhere)

    write(repository, "src/lib/debug.log")

    assert digest(repository, nowhere) != before


def test_a_repository_that_git_cannot_read_is_read_as_a_folder(repository: Path):
    (repository / ".git/HEAD").write_text("nonsense")
    before = digest(repository)

    write(repository, "src/lib/debug.log")

    assert digest(repository) != before


def test_the_ordinary_environment_is_used_where_none_is_given(repository: Path):
    assert SourceDigests().of(str(repository)) == digest(repository)


# The revision. -----------------------------------------------------------------


def test_a_version_that_is_made_from_git_depends_on_the_commit(repository: Path):
    write(repository, "pyproject.toml", text='requires = ["hatch-vcs"]\n')
    commit(repository)
    before = SourceDigests(GIT_ENVIRON).revision(str(repository))

    git(repository, "commit", "--allow-empty", "-m", "nothing")

    assert before
    assert SourceDigests(GIT_ENVIRON).revision(str(repository)) != before


def test_a_version_that_is_made_from_git_depends_on_the_tag(repository: Path):
    write(repository, "pyproject.toml", text='requires = ["setuptools_scm"]\n')
    commit(repository)

    git(repository, "tag", "v1.2")

    revision = SourceDigests(GIT_ENVIRON).revision(str(repository))
    assert revision is not None
    assert revision.startswith("v1.2-0-g")


def test_any_other_project_has_no_revision(repository: Path):
    assert SourceDigests(GIT_ENVIRON).revision(str(repository)) is None


def test_without_git_the_revision_is_empty(plain: Path):
    write(plain, "pyproject.toml", text='requires = ["setuptools-scm"]\n')

    assert (
        SourceDigests({**GIT_ENVIRON, "GIT_CEILING_DIRECTORIES": str(plain.parent)}).revision(
            str(plain)
        )
        == ""
    )


# What is remembered. -----------------------------------------------------------

LONG_AFTER_NS = 2**62  # 2116


@pytest.fixture
def opened() -> Iterator[list[str]]:
    """The names of the files that are opened, as they are."""
    names: list[str] = []
    listening = [True]

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if listening[0] and event == "open":
            names.append(os.path.basename(str(arguments[0])))

    sys.addaudithook(hear)  # one cannot be taken away again, only be silenced
    yield names
    listening[0] = False


def test_a_file_is_read_once_in_a_run(plain: Path, opened: list[str]):
    digests = SourceDigests(now_ns=lambda: LONG_AFTER_NS)

    assert digests.of(str(plain)) == digests.of(str(plain))
    assert opened.count("one.py") == 1


def test_a_file_that_was_just_written_is_read_again(plain: Path, opened: list[str]):
    written_ns = (plain / "src/lib/one.py").stat().st_mtime_ns
    digests = SourceDigests(now_ns=lambda: written_ns)

    assert digests.of(str(plain)) == digests.of(str(plain))
    assert opened.count("one.py") == 2


def test_a_file_that_changed_in_the_run_is_read_again(plain: Path):
    digests = SourceDigests(now_ns=lambda: LONG_AFTER_NS)
    before = digests.of(str(plain))

    write(plain, "src/lib/one.py", text="x = 1000\n")

    assert digests.of(str(plain)) != before


def test_a_file_that_came_in_the_run_is_seen(plain: Path):
    digests = SourceDigests(now_ns=lambda: LONG_AFTER_NS)
    before = digests.of(str(plain))

    write(plain, "src/lib/two.py")

    assert digests.of(str(plain)) != before


# What later runs remember. -------------------------------------------------------


def later_run(plain: Path) -> SourceDigests:
    """The digests of another run, long after the files were written."""
    return SourceDigests(
        now_ns=lambda: LONG_AFTER_NS, memory=str(plain.parent / "cache" / "sources.json")
    )


def test_a_file_is_read_once_in_all_runs(plain: Path, opened: list[str]):
    first = later_run(plain).of(str(plain))

    assert later_run(plain).of(str(plain)) == first == SourceDigests().of(str(plain))
    assert opened.count("one.py") == 2  # the last has no memory


def test_a_file_that_changed_between_runs_is_read_again(plain: Path):
    before = later_run(plain).of(str(plain))
    state = (plain / "src/lib/one.py").stat()
    text = (plain / "src/lib/one.py").read_text()
    write(plain, "src/lib/one.py", text=text.swapcase())
    os.utime(plain / "src/lib/one.py", ns=(state.st_atime_ns, state.st_mtime_ns))

    # Of the same size and time: the time of the change, which nobody can set, tells.
    assert later_run(plain).of(str(plain)) != before


def test_a_file_that_was_just_written_is_not_remembered(plain: Path, opened: list[str]):
    written_ns = (plain / "src/lib/one.py").stat().st_mtime_ns
    memory = str(plain.parent / "sources.json")

    SourceDigests(now_ns=lambda: written_ns, memory=memory).of(str(plain))
    SourceDigests(now_ns=lambda: written_ns, memory=memory).of(str(plain))

    assert opened.count("one.py") == 2


def test_a_file_that_is_gone_is_forgotten_and_other_projects_are_not(plain: Path):
    other = plain.parent / "other"
    write(other, "pyproject.toml", "kept.py")
    write(plain, "src/lib/gone.py")
    later_run(plain).of(str(plain))
    later_run(plain).of(str(other))

    (plain / "src/lib/gone.py").unlink()
    write(plain, "src/lib/new.py")
    later_run(plain).of(str(plain))

    memory = (plain.parent / "cache" / "sources.json").read_text()
    assert "gone.py" not in memory
    assert "new.py" in memory
    assert "kept.py" in memory


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 0}', '{"format": 1, "files": {"a": [1, 2]}}']
)
def test_a_memory_that_cannot_be_used_is_made_anew(plain: Path, text: str):
    first = later_run(plain).of(str(plain))
    memory = plain.parent / "cache" / "sources.json"
    memory.write_text(text)

    assert later_run(plain).of(str(plain)) == first
    assert "one.py" in memory.read_text()


def test_where_nothing_can_be_kept_the_digest_is_the_same(plain: Path):
    (plain.parent / "cache").write_text("a file where the folder would be")

    assert later_run(plain).of(str(plain)) == SourceDigests().of(str(plain))


# What cannot be read. ----------------------------------------------------------


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A project that an ordinary user can read; the test runs as one."""
    folder = Path(tempfile.mkdtemp())
    write(folder, "pyproject.toml", "src/one.py")
    root = os.geteuid() == 0
    if root:
        for path in (folder, folder / "src"):
            path.chmod(0o755)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        (folder / "src").chmod(0o755)
        shutil.rmtree(folder)


def become_nobody() -> None:
    if os.geteuid() == 0:
        os.seteuid(65534)


@posix
def test_a_source_that_cannot_be_read_is_an_error(as_nobody: Path):
    (as_nobody / "src/one.py").chmod(0)
    become_nobody()

    with pytest.raises(EnvironmentBroken) as caught:
        SourceDigests().of(str(as_nobody))

    assert str(caught.value) == (
        f"{as_nobody}/src: src/one.py cannot be read: Permission denied\n"
        "an install reads it: make it readable, or move it away"
    )


@posix
def test_a_folder_that_cannot_be_read_is_an_error(as_nobody: Path):
    (as_nobody / "src").chmod(0)
    become_nobody()

    with pytest.raises(EnvironmentBroken) as caught:
        SourceDigests().of(str(as_nobody))

    assert caught.value.what == "src cannot be read: Permission denied"


# Build files. ------------------------------------------------------------------


def test_the_build_files_of_a_wheel_are_those_with_metadata(plain: Path):
    write(plain, "setup.cfg", "MANIFEST.in", "requirements.txt")

    assert build_files(str(plain), editable=False) == ["pyproject.toml", "setup.cfg"]


def test_an_editable_install_depends_on_the_files_that_these_name(plain: Path):
    write(plain, "requirements.txt", "other.txt", "MANIFEST.in", "reqs/base.in")
    write(plain, "setup.py", text='open("requirements.txt"), "reqs/base.in", "gone.txt"\n')

    assert build_files(str(plain), editable=True) == [
        "pyproject.toml",
        "setup.py",
        "MANIFEST.in",
        "reqs/base.in",
        "requirements.txt",
    ]


def test_a_file_that_names_itself_counts_once(plain: Path):
    write(plain, "MANIFEST.in", text="include MANIFEST.in\n")

    assert build_files(str(plain), editable=True) == ["pyproject.toml", "MANIFEST.in"]


@pytest.mark.parametrize(
    ("name", "expected"), [("pyproject.toml", True), ("setup.py", True), ("setup.cfg", False)]
)
def test_a_project_has_what_installers_build_from(tmp_path: Path, name: str, expected: bool):
    write(tmp_path, name)

    assert is_project(str(tmp_path)) is expected


def test_packages_are_found_at_the_top_and_in_src(tmp_path: Path):
    write(tmp_path, "one/__init__.py", "src/two/__init__.py", "docs/index.md")

    assert packages(str(tmp_path)) == ["one", "src/two"]


def test_a_project_without_src_has_the_packages_at_its_top(tmp_path: Path):
    write(tmp_path, "one/__init__.py")

    assert packages(str(tmp_path)) == ["one"]
