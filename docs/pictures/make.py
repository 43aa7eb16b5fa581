"""Makes the pictures of the pages: real runs of the README's envfile at a real terminal.

`runenv pictures` runs it. It needs Python 3.10 and 3.13, and what installs pytest and ruff.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from as_svg import as_svg
from at_terminal import record
from screen import Screen

ROOT = Path(__file__).parents[2]
OUT = ROOT / "docs" / "_static"

RIGHT = '''\
"""Counts words."""


def count(text: str) -> int:
    """How many words a text has."""
    return len(text.split())
'''
TEST = """\
import urllib3

import words


def test_words_are_counted():
    assert words.count(urllib3.__doc__ or "two words") > 1


def test_nothing_is_no_word():
    assert words.count("") == 0
"""
PROJECT = """\
[build-system]
requires = ["flit-core>=3.8"]
build-backend = "flit_core.buildapi"

[project]
name = "words"
version = "1.0"
description = "Counts words"
"""
WRONG = ("len(text.split())", 'len(text.split(" "))')


class Scene(NamedTuple):
    """A picture: what is edited, what is typed, and which moment it shows."""

    name: str
    title: str
    words: str
    edit: tuple[str, str] = ("", "")  # of the module, before it is typed
    moment: str = ""  # a pattern: the first of the fullest screens that have it; else the last


SCENES = [
    Scene("list", "runenv --list", "--list"),
    Scene(
        "run",
        "runenv after an edit of the project's code",
        "lint tests-3.13",
        edit=("a text has", "it has"),
    ),
    Scene("failure", "a test that fails", "tests-3.13-new", edit=WRONG),
    Scene(
        "board",
        "runenv -j 3: what runs, below what has ended",
        "-j 3 --fresh",
        edit=WRONG[::-1],
        moment=r"✓ passed(?s:.*)[23] running",
    ),
    Scene(
        "explain",
        "runenv --explain after an edit of the project's code",
        "--explain tests-3.13-old",
        edit=("it has", "a text has"),
    ),
]


def write_project(folder: Path) -> None:
    """The README's envfile, and a small project for it."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n# envfile\.py\n(.*?)```", readme, re.DOTALL)
    assert found is not None
    for name, text in {
        "envfile.py": found[1],
        "pyproject.toml": PROJECT,
        "src/words.py": RIGHT,
        "tests/test_words.py": TEST,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def play(scene: Scene, project: Path, environ: dict[str, str]) -> Screen:
    """The screen of a scene."""
    module = project / "src" / "words.py"
    module.write_text(module.read_text(encoding="utf-8").replace(*scene.edit), encoding="utf-8")
    argv = [sys.executable, "-m", "runner", *scene.words.split()]
    chunks = record(argv, cwd=project, environ=environ, columns=80, rows=40)
    shown, best = b"", Screen(80)
    for chunk in chunks:
        shown += chunk
        now = Screen(80)
        now.write(f"\x1b[1m$ runenv {scene.words}\x1b[m\r\n")
        now.write(elsewhere(shown.decode("utf-8", "ignore"), project))
        if not scene.moment or (
            len(now.rows) > len(best.rows) and re.search(scene.moment, now.text())
        ):
            best = now
    return best


def elsewhere(text: str, project: Path) -> str:
    """The text without what folders are called here."""
    for path in (str(project.parent), os.path.expanduser("~")):
        text = text.replace(path, "/home/you")
    return text


def main() -> int:
    """Make all pictures, or those that are named."""
    named = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder, "words")
        write_project(project)
        environ = {name: v for name, v in os.environ.items() if not name.startswith("RUNENV_")}
        environ |= {"RUNENV_STORE": os.path.join(folder, "store"), "PYTHONPATH": str(ROOT)}
        environ.pop("NO_COLOR", None)
        environ.pop("CI", None)
        argv = [sys.executable, "-m", "runner"]
        record(argv, cwd=project, environ=environ, columns=80, rows=40)
        for scene in SCENES:
            screen = play(scene, project, environ)
            if not named or scene.name in named:
                path = OUT / f"{scene.name}.svg"
                path.write_text(as_svg(screen, scene.title), encoding="utf-8")
                print(f"{path.relative_to(ROOT)}\n{screen.text()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
