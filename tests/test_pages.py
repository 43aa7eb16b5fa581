"""What the documentation says to write and type is written and typed, and shows what it says."""

from __future__ import annotations

import ast
import importlib.metadata
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from runner.command_line import parse
from runner.envs.interpreters import survey
from runner.load import load_project
from tests.conftest import ROOT, Folder, make_wheel
from tests.pages import (
    HOME,
    PAGES,
    Block,
    blocks_of,
    comparable,
    file_of,
    shows,
    transcript_of,
    written_into,
)

# Read from top to bottom, in one folder: each command is run, and shows what the page says.
FOLLOWED = [
    "docs/tutorial.md",
    "docs/how-to/coverage.md",
    "docs/how-to/editor.md",
    "docs/how-to/lowest.md",
    "docs/how-to/monorepo.md",
    "docs/how-to/pythons.md",
]

BLOCKS = [block for page in PAGES for block in blocks_of(page) if block.language[:1] != "{"]


def of(*languages: str) -> pytest.MarkDecorator:
    """For each block in one of these languages."""
    blocks = [block for block in BLOCKS if block.language in languages]
    assert blocks
    return pytest.mark.parametrize("block", blocks, ids=lambda b: f"{b.page}:{b.line}")


def test_a_block_is_in_a_language_that_is_checked():
    assert {block.language for block in BLOCKS} == {"", "console", "dockerfile", "python", "sh", "toml", "xml", "yaml"}  # fmt: skip


# Blocks. ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("imports_are_undone")
@of("python")
def test_what_is_python_compiles_and_what_is_an_envfile_loads(block: Block, tmp_path: Path):
    ast.parse(block.text)
    if "@runner.session" not in block.text:
        return
    header = "" if re.search("^import runner$", block.text, re.MULTILINE) else "import runner\n"
    envfile = tmp_path / "envfile.py"
    envfile.write_text(header + block.text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(PROJECT, encoding="utf-8")

    needs_more = "# /// script" in block.text or "runner.include(" in block.text
    if not needs_more and block.line != WRONG:
        assert load_project(str(envfile)).jobs


# What envfiles of the pages say of their project.
PROJECT = """
[project]
name = "mine"
version = "1"
classifiers = ["Programming Language :: Python :: 3.12"]
[dependency-groups]
test = []
docs = []
dev = []
"""
# The tutorial shows how mistakes are told.
WRONG = next(block.line for block in BLOCKS if "pyhton=" in block.text)


@of("toml")
def test_what_is_toml_is_toml(block: Block):
    assert tomllib.loads(block.text)


@of("yaml")
def test_what_is_yaml_is_yaml(block: Block):
    assert yaml.safe_load(block.text)


@of("xml")
def test_what_is_xml_is_xml(block: Block):
    assert ET.fromstring(block.text).tag


@of("dockerfile")
def test_an_image_runs_what_runenv_takes(block: Block):
    lines = re.findall(r"^RUN (?:\w+=\S+ )*runenv (.*)$", block.text, re.MULTILINE)

    assert [parse(line.split()).verb for line in lines] == ["run", "run"]


@of("", "console", "sh")
def test_a_command_line_is_one_that_runenv_takes(block: Block):
    for line in block.text.splitlines():
        found = re.match(r"(?:\$ )?(?:\w+=\S+ )*(?:\S*bin/)?runenv( .*|$)", line)
        if found is None or block.text.startswith("runenv [OPTIONS]"):
            continue
        words = re.split(r" [|&>]|  +", found[1])[0]  # what stands in a column tells of it

        parse(shlex.split(words, comments=True))


# From top to bottom. ----------------------------------------------------------------------


def again(folder: Path, name: str) -> None:
    """A wheel of a package that is installed here, for those without a network."""
    there = importlib.metadata.distribution(name)
    files = {
        str(file): Path(str(there.locate_file(file))).read_text(encoding="utf-8")
        for file in there.files or ()
        if file.suffix == ".py" and ".." not in file.parts
    }
    needs = tuple(text for text in there.requires or () if ";" not in text)
    scripts = {e.name: e.value for e in there.entry_points if e.group == "console_scripts"}
    make_wheel(folder, name, there.version, requires=needs, files=files, scripts=scripts)


@pytest.fixture(scope="session")
def reader_wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages install: the real pytest and flit, and tools that find nothing wrong."""
    folder = tmp_path_factory.mktemp("reader-wheels")
    for name in ("pytest", "pluggy", "iniconfig", "packaging", "pygments", "flit-core", "coverage"):
        again(folder, name)
    for name, says in {"ruff": "All checks passed!", "codespell": ""}.items():
        module = f"def main():\n    {f'print({says!r})' if says else 'pass'}\n"
        make_wheel(folder, name, files={f"{name}.py": module}, scripts={name: f"{name}:main"})
    for version in ("1.26.0", "1.26.20", "2.5.0"):
        make_wheel(folder, "urllib3", version)
    return folder


def two_pythons() -> tuple[str, str]:
    """Two minor versions that are here, from 3.11 on, what runs the tests among them."""
    found, _ = survey(cache_dir=os.devnull, environ=os.environ)
    minors = [each.version.rsplit(".", 1)[0] for each in found if each.implementation == "cpython"]
    fitting = dict.fromkeys(v for v in minors if tuple(map(int, v.split("."))) >= (3, 11))
    fitting.pop(own := f"3.{sys.version_info.minor}", None)
    if not fitting or sys.version_info < (3, 11):
        pytest.skip("needs two Pythons from 3.11 on")
    return own, next(reversed(fitting))


class Reader:
    """Does what a page says, with the Pythons that are here."""

    def __init__(self, folder: Folder, wheels: Path, pythons: tuple[str, str]) -> None:
        bin = folder.root.parent / "bin"
        bin.mkdir()
        program = bin / "runenv"
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m runner "$@"\n')
        program.chmod(0o755)
        self.root = folder.root
        self.environ = {
            **folder.environ,
            "PYTHONDONTWRITEBYTECODE": "",
            "COVERAGE_CORE": "pytrace",  # its wheel is made of what is Python
            "UV_FIND_LINKS": str(wheels),
            "PATH": f"{bin}{os.pathsep}{os.environ['PATH']}",
        }
        self._pythons = pythons

    def write(self, name: str, text: str) -> None:
        """Put a block into its file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = self._here(text)
        if path.suffix == ".py" and path.exists():
            text = written_into(path.read_text(), text)
        path.write_text(text)

    def _here(self, text: str) -> str:
        names = {"3.11": self._pythons[0], "3.13": self._pythons[1]}
        return re.sub(r"\b3\.1[13]\b", lambda found: names[found[0]], text)

    def type(self, command: str, shown: str) -> list[str]:
        """Run a command; what came, where it is not what the page says."""
        done = subprocess.run(
            ["bash", "-c", self._here(command)],
            cwd=self.root,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=100,
        )
        came = done.stdout.replace(str(self.root), f"{HOME}/fresh")
        told = re.sub(rf" at {HOME}/.pyenv/.*", " at …", self._here(shown))
        if shows(told, came):
            return []
        return [
            f"$ {command}",
            *comparable(came).splitlines(),
            "instead of",
            *comparable(told).splitlines(),
        ]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the pages are typed into bash")
@pytest.mark.parametrize("page", FOLLOWED)
def test_a_page_that_is_followed_shows_what_comes(page: str, folder: Folder, reader_wheels: Path):
    reader = Reader(folder, reader_wheels, two_pythons())
    wrong: list[str] = []

    for block in blocks_of(ROOT / page):
        if block.language == "console":
            for typed in transcript_of(block):
                wrong += reader.type(typed.command, typed.shown)
        elif file := file_of(block):
            reader.write(*file)

    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


# Links of the built pages. ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "told"),
    [
        ("b.html", ""),
        ("b.html#there", ""),
        ("#", ""),
        ("https://example.com/x", ""),
        ("c.html", "a.html: c.html leads nowhere\n"),
        ("b.html#nowhere", "a.html: b.html#nowhere leads nowhere\n"),
        ("../b.html", "a.html: ../b.html leads nowhere\n"),
        ("http://example.com/x", "a.html: http://example.com/x leads nowhere\n"),
    ],
)
def test_a_link_that_leads_nowhere_is_told(link: str, told: str, tmp_path: Path):
    (tmp_path / "a.html").write_text(f'<a href="{link}">x</a>')
    (tmp_path / "b.html").write_text('<h1 id="there">x</h1>')

    done = subprocess.run(
        [sys.executable, "-S", ROOT / "docs" / "check_links.py", tmp_path],
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.returncode) == (told, int(bool(told)))
