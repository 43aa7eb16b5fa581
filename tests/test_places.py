"""Which files name the place of their environment, and how another place is put there."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

import pytest

from runner.envs import manifest
from runner.envs.places import is_movable, own_files, without_place, write_own

SITE = "lib/python3.13/site-packages"


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """An environment with a program, a binary, and what records them."""
    root = tmp_path / "tests"
    info = root / SITE / "tool-1.0.dist-info"
    info.mkdir(parents=True)
    (root / "bin").mkdir()
    program = f"#!{root}/bin/python\nimport tool\n".encode()
    (root / "bin/tool").write_bytes(program)
    (root / "bin/tool").chmod(0o755)
    (root / "bin/blob").write_bytes(b"\x7fELF\0" + str(root).encode())
    (root / "bin/plain").write_text(f"#!/bin/sh\necho {root}-beside\n")
    (root / "bin/activate").write_text(
        f'VIRTUAL_ENV="{root}"\nPS1="(tests) ${{PS1:-}}"\necho tests\n'
    )
    (root / "pyvenv.cfg").write_text(f"home = /usr/bin\ncommand = venv {root}\n")
    (info / "RECORD").write_text(
        f"../../../bin/tool,sha256={digest(program)},{len(program)}\r\n"
        f'"../../../bin/blob",sha256=AAAA,5\r\n'
        "tool.py,sha256=BBBB,10\r\n"
        "tool-1.0.dist-info/RECORD,,\r\n"
    )
    (root / SITE / "tool.py").write_text(f"# {root}\n")
    return root


def moved(env: Path, to: Path) -> dict[str, list[int]]:
    """What is written for another place."""
    to.mkdir()
    taken = manifest.take(str(env))
    for above in taken.folders:
        (to / above).mkdir(exist_ok=True)
    own = {name: manifest.state_of(str(env / name)) for name in own_files(str(env), taken)}
    return write_own(str(env), str(to), own, str(env), str(to))


def test_programs_activation_configuration_and_their_records_name_it(env: Path):
    assert sorted(own_files(str(env), manifest.take(str(env)))) == [
        "bin/activate",
        "bin/tool",
        f"{SITE}/tool-1.0.dist-info/RECORD",
        "pyvenv.cfg",
    ]


def test_a_program_names_the_other_place_and_keeps_its_mode(env: Path, tmp_path: Path):
    moved(env, tmp_path / "other")

    assert (tmp_path / "other/bin/tool").read_text().startswith(f"#!{tmp_path}/other/bin/python\n")
    assert os.access(tmp_path / "other/bin/tool", os.X_OK)


def test_the_record_has_the_digest_of_the_program_there(env: Path, tmp_path: Path):
    moved(env, tmp_path / "other")

    program = (tmp_path / "other/bin/tool").read_bytes()
    record = (tmp_path / "other" / SITE / "tool-1.0.dist-info/RECORD").read_bytes().decode()
    assert record == (
        f"../../../bin/tool,sha256={digest(program)},{len(program)}\r\n"
        f'"../../../bin/blob",sha256=AAAA,5\r\n'
        "tool.py,sha256=BBBB,10\r\n"
        "tool-1.0.dist-info/RECORD,,\r\n"
    )


def test_the_prompt_of_venv_is_the_other_name(env: Path, tmp_path: Path):
    moved(env, tmp_path / "other")

    assert (tmp_path / "other/bin/activate").read_text() == (
        f'VIRTUAL_ENV="{tmp_path}/other"\nPS1="(other) ${{PS1:-}}"\necho tests\n'
    )


def test_the_states_are_those_of_the_files_there(env: Path, tmp_path: Path):
    states = moved(env, tmp_path / "other")

    assert states["bin/tool"] == manifest.state_of(str(tmp_path / "other/bin/tool"))


def test_without_their_place_two_are_the_same(env: Path, tmp_path: Path):
    moved(env, tmp_path / "other")

    for name in ("bin/tool", "bin/activate", f"{SITE}/tool-1.0.dist-info/RECORD"):
        here = without_place(name, (env / name).read_bytes(), str(env))
        there = without_place(name, (tmp_path / "other" / name).read_bytes(), f"{tmp_path}/other")
        assert here == there


@pytest.mark.parametrize(
    ("path", "movable"),
    [
        ("/home/me/project/.runenv/tests", True),
        ("/home/me/my project/.runenv/tests", False),
        ("/home/me/it's/.runenv/tests", False),
        ("/home/m\u00e9/.runenv/tests", False),
        ("/home/c++/.runenv/tests", False),
        ("/" + "long/" * 30 + "tests", False),
    ],
)
def test_a_place_of_which_programs_are_written_otherwise_is_not_left(path: str, movable: bool):
    assert is_movable(path) is movable
