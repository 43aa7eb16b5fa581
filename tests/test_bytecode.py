"""Bytecode joins an image: what a job compiled, and what is compiled beside it."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from runner.envs import bytecode, manifest

SITE = "lib/python3/site-packages"


@pytest.fixture
def env(tmp_path: Path) -> Path:
    """An environment with a module, and beside it the image of it."""
    (tmp_path / "env" / SITE).mkdir(parents=True)
    (tmp_path / "env" / SITE / "tool.py").write_text("one = 1\n")
    (tmp_path / "image/tree" / SITE).mkdir(parents=True)
    os.link(tmp_path / "env" / SITE / "tool.py", tmp_path / "image/tree" / SITE / "tool.py")
    return tmp_path / "env"


def compiled(root: Path) -> Path:
    return Path(cache_from_source(str(root / SITE / "tool.py")))


def take(env: Path, taken: manifest.Manifest) -> dict[str, list[str]]:
    """The bytecode that the image then has."""
    image = str(env.parent / "image")
    bytecode.take_from(str(env), image, taken)
    return {folder: list(names) for folder, names in bytecode.bytecode_of(image).items()}


def test_what_a_job_compiled_joins_the_image(env: Path):
    taken = manifest.take(str(env))
    py_compile.compile(str(env / SITE / "tool.py"))

    assert take(env, taken) == {f"{SITE}/__pycache__": [compiled(env).name]}
    assert compiled(env.parent / "image/tree").samefile(compiled(env))


def test_what_would_take_too_long_is_left_for_another_time(env: Path):
    taken = manifest.take(str(env))
    py_compile.compile(str(env / SITE / "tool.py"))

    bytecode.take_from(str(env), str(env.parent / "image"), taken, lambda: True)

    assert bytecode.bytecode_of(str(env.parent / "image")) == {}


def test_that_of_a_file_which_was_replaced_does_not(env: Path):
    taken = manifest.take(str(env))
    os.unlink(env / SITE / "tool.py")
    (env / SITE / "tool.py").write_text("two = 2\n")
    py_compile.compile(str(env / SITE / "tool.py"))

    assert take(env, taken) == {}


def test_that_of_a_file_which_was_written_in_place_does_not(env: Path):
    taken = manifest.take(str(env))
    (env / SITE / "tool.py").write_text("two = 22\n")
    py_compile.compile(str(env / SITE / "tool.py"))

    assert take(env, taken) == {}


def test_that_which_is_not_checked_by_time_does_not(env: Path):
    taken = manifest.take(str(env))
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(env / SITE / "tool.py"), invalidation_mode=mode)

    assert take(env, taken) == {}


def test_that_of_another_state_of_the_file_does_not(env: Path):
    py_compile.compile(str(env / SITE / "tool.py"))
    os.utime(env / SITE / "tool.py", (1, 1))

    assert take(env, manifest.take(str(env))) == {}


def test_what_joined_is_linked_into_an_environment_that_has_none(env: Path, tmp_path: Path):
    taken = manifest.take(str(env))
    py_compile.compile(str(env / SITE / "tool.py"))
    take(env, taken)
    other = tmp_path / "other"
    (other / SITE).mkdir(parents=True)

    when_ns = bytecode.join(str(tmp_path / "image"), str(other))

    assert when_ns == bytecode.list_time_ns(str(tmp_path / "image")) > 0
    assert compiled(other).samefile(compiled(env))
    assert bytecode.join(str(tmp_path / "image"), str(other)) == when_ns  # and once more


def test_one_that_was_written_in_place_is_not_linked_on(env: Path, tmp_path: Path):
    taken = manifest.take(str(env))
    py_compile.compile(str(env / SITE / "tool.py"))
    take(env, taken)
    compiled(env).write_bytes(b"")
    other = tmp_path / "other"

    bytecode.join(str(tmp_path / "image"), str(other))

    assert not compiled(other).exists()
    assert bytecode.bytecode_of(str(tmp_path / "image")) == {f"{SITE}/__pycache__": {}}


def test_nothing_joined_so_far(tmp_path: Path):
    assert bytecode.join(str(tmp_path), str(tmp_path / "other")) == 0


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}'])
def test_a_list_that_cannot_be_read_is_empty(tmp_path: Path, text: str):
    (tmp_path / "bytecode.json").write_text(text)

    assert bytecode.bytecode_of(str(tmp_path)) == {}


def test_an_image_is_compiled_beside_the_run(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    beside = bytecode.Bytecode()
    beside.compile(sys.executable, str(tmp_path / "image"), manifest.take(str(env)))
    (_, _, process) = beside._running[0]
    process.wait(60)

    beside.end()

    name = compiled(env).name
    assert list(bytecode.bytecode_of(str(tmp_path / "image"))) == [f"{SITE}/__pycache__"]
    assert compiled(tmp_path / "image/tree").name == name
    assert bytecode.is_complete(str(tmp_path / "image"))


@pytest.mark.skipif(
    not os.path.exists("/proc/self/autogroup"), reason="no CPUs are shared out among sessions here"
)
def test_the_session_in_which_it_is_compiled_comes_last(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its idle priority counts inside of its session alone."""
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\n{sys.executable} "$@"\ncat /proc/self/autogroup > {tmp_path}/told\n'
    )
    python.chmod(0o755)
    beside = bytecode.Bytecode()
    beside.compile(str(python), str(tmp_path / "image"), manifest.take(str(env)))
    (_, _, process) = beside._running[0]
    process.wait(60)

    beside.end()

    assert (tmp_path / "told").read_text().endswith("nice 19\n")


def test_who_wants_no_bytecode_gets_none(
    env: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    beside = bytecode.Bytecode()

    beside.compile(sys.executable, str(tmp_path / "image"), manifest.take(str(env)))

    assert beside._running == []


def test_it_ends_when_whoever_started_it_is_gone(env: Path):
    """It reads a pipe of ours, which the kernel closes when we die."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            "import time\n"
            + bytecode._COMPILE.replace(
                "import importlib.util", "time.sleep(600)\nimport importlib.util"
            ),
        ],
        stdin=subprocess.PIPE,
    )
    assert process.stdin is not None
    process.stdin.close()

    assert process.wait(60) == 1
