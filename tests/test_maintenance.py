"""What maintainers have beside the code: the changelog, and what CI and releases are told."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

CHANGELOG = "# Changelog\n\n<!-- releases: the newest first -->\n\n## 0.1.0 (2026-11-01)\n\nold\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the scripts of releases, two changes, and a changelog."""
    for name in ("collect.py", "check_release.py"):
        script = tmp_path / "changes" / name
        script.parent.mkdir(exist_ok=True)
        script.write_bytes((ROOT / "changes" / name).read_bytes())
    (tmp_path / "changes" / "b.fixed.md").write_text("`b` is right.\nIt was not.\n")
    (tmp_path / "changes" / "a.added.md").write_text("`a` is there.\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner" / "__init__.py").write_text('__version__ = "0.2.0"\n')
    return tmp_path


def say(project: Path, script: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, project / "changes" / script, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return done.returncode, done.stdout


CHANGES = "### Added\n\n- `a` is there.\n\n### Fixed\n\n- `b` is right.\n  It was not.\n"


def test_what_has_changed_is_shown_by_kind(project: Path):
    assert say(project, "collect.py") == (0, CHANGES)


def test_a_release_has_its_section_and_leaves_no_changes(project: Path):
    assert say(project, "collect.py", "0.2.0", "2026-12-01") == (0, "")

    assert (project / "CHANGELOG.md").read_text() == CHANGELOG.replace(
        "first -->\n", f"first -->\n\n## 0.2.0 (2026-12-01)\n\n{CHANGES}"
    )
    assert list((project / "changes").glob("*.md")) == []
    assert say(project, "check_release.py", "v0.2.0") == (0, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("0.1.0", "2026-12-01"), "CHANGELOG.md has 0.1.0 already\n"),
        (("0.2.0",), "write a version and a day: 0.2.0 2026-12-01\n"),
        (("v0.2.0", "2026-12-01"), "write a version and a day: 0.2.0 2026-12-01\n"),
    ],
)
def test_a_release_that_cannot_be_changes_nothing(
    project: Path, arguments: tuple[str, ...], told: str
):
    assert say(project, "collect.py", *arguments) == (1, told)
    assert (project / "CHANGELOG.md").read_text() == CHANGELOG
    assert len(list((project / "changes").glob("*.md"))) == 2


def test_a_changelog_without_its_mark_loses_no_change(project: Path):
    (project / "CHANGELOG.md").write_text("# Changelog\n")

    assert say(project, "collect.py", "0.2.0", "2026-12-01") == (
        1,
        "CHANGELOG.md has no line <!-- releases: the newest first -->: put it above the releases\n",
    )
    assert len(list((project / "changes").glob("*.md"))) == 2


def test_a_file_of_changes_that_has_no_kind_is_told(project: Path):
    (project / "changes" / "c.new.md").write_text("c\n")

    assert say(project, "collect.py") == (
        1,
        "changes/c.new.md is no NAME.KIND.md; kinds are added, changed, fixed, removed\n",
    )


def test_what_stands_in_the_way_of_a_release_is_told(project: Path):
    code, told = say(project, "check_release.py", "v0.3.0")

    assert code == 1
    assert told.splitlines() == [
        "the tag is v0.3.0, and runner/__init__.py says 0.2.0",
        "CHANGELOG.md has no section for 0.2.0: runenv changelog -- 0.2.0 DAY",
        "changes/ still has 2 files, a.added.md the first",
    ]


def test_our_own_changes_can_be_put_together():
    assert say(ROOT, "collect.py")[0] == 0


# Workflows. -------------------------------------------------------------------------------

WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "action.yml"]
USED = r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_an_action_is_named_by_its_commit(path: Path):
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))

    assert [text for text in used if not re.fullmatch(USED, text)] == []


@pytest.mark.parametrize("path", WORKFLOWS[:-1], ids=lambda path: path.name)
def test_a_workflow_may_do_nothing_that_its_jobs_do_not_ask_for(path: Path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))

    assert workflow["permissions"] == {}
    assert all(
        "permissions" in job and "timeout-minutes" in job for job in workflow["jobs"].values()
    )


def test_only_the_job_that_publishes_may_say_who_it_is():
    asking = {
        (path.stem, name)
        for path in WORKFLOWS[:-1]
        for name, job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].items()
        if set(job["permissions"].values()) != {"read"}
    }

    assert asking == {("release", "publish")}


def test_the_action_takes_what_an_entry_of_the_matrix_has():
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))

    page = (ROOT / "docs/how-to/action.md").read_text(encoding="utf-8")

    assert list(action["inputs"]) == ["jobs", "python", "key", "runner-python"]
    assert re.findall(r"^\| `(.+?)` \|", page, re.MULTILINE) == list(action["inputs"])


def test_every_version_of_python_is_tried_on_every_system():
    jobs = yaml.safe_load((ROOT / ".github/workflows/systems.yml").read_text())["jobs"]
    classifiers = re.findall(r"Python :: (3\.\d+)\"", (ROOT / "pyproject.toml").read_text())

    assert jobs["tests"]["strategy"]["matrix"]["python"] == classifiers
    assert [name.split("-")[0] for name in jobs["tests"]["strategy"]["matrix"]["system"]] == ["ubuntu", "macos", "windows"]  # fmt: skip


def test_a_hook_runs_runenv_without_files():
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

    assert {hook["id"]: (hook["entry"], hook["pass_filenames"]) for hook in hooks} == {
        "runenv": ("runenv", False),
        "runenv-lock": ("runenv --lock --check", False),
    }


# Names. -----------------------------------------------------------------------------------


def test_no_page_installs_what_is_called_runenv_on_the_registry():
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob(".github/**/*.yml"),
        ROOT / "action.yml",
    ]
    installs = re.compile(
        r"(?:pip|pipx|uv tool|uvx|uv add|uv pip)\s+(?:install\s+)?(?:-\S+\s+)*['\"]?runenv(?![-\w])"
    )

    assert [str(page) for page in pages if installs.search(page.read_text(encoding="utf-8"))] == []
