"""What does the jobs of a run on a worker, without a cluster: what its worker leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runner import deputy as one
from runner.executors.frames import Frames, to_frame
from runner.executors.spawn import interpreter
from runner.running import Outcome

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals and shells of POSIX"),
    pytest.mark.measured,
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A run's folder on a worker, with a project of one session."""
    root = tmp_path / "run"
    root.mkdir()
    program = (
        f"trap 'echo asked to end; sleep 0.1; echo > {tmp_path}/ended; exit' TERM;"
        f" echo > {tmp_path}/began; while :; do sleep 0.02; done"
    )
    (root / "envfile.py").write_text(
        "import runner\n\n@runner.session(python=False)\n"
        f"def a(session):\n    session.run('sh', '-c', {program!r}, external=True)\n"
    )
    return root


def orders(root: Path, **more: object) -> dict[str, object]:
    """What it is told of a run whose folder that is."""
    return {
        "root": str(root),
        "is_one": False,
        "own": [],
        "color": "never",
        "columns": 80,
        "run_id": "run",
        "grace_s": 60.0,
        "answers": {},
        "left": [],
        "here": ".",
        "given": {"directory": str(root), "file": "envfile.py"},
        **more,
    }


@contextmanager
def doing(root: Path, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    """One that is to do the job, with an end of both pipes that is ours."""
    with subprocess.Popen(
        interpreter("runner.deputy"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=root,
        start_new_session=True,
    ) as process:
        assert process.stdin is not None
        asked = to_frame([orders(root, **more)]) + to_frame(["start", "a", "token", []])
        process.stdin.write(asked)
        process.stdin.flush()
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def deputy(root: Path) -> Iterator[subprocess.Popen[bytes]]:
    with doing(root) as process:
        yield process


def wait_for(path: Path, process: subprocess.Popen[bytes]) -> None:
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.01)


def test_when_its_worker_is_gone_a_job_that_tells_something_still_has_its_grace(
    root: Path, deputy: subprocess.Popen[bytes]
):
    assert deputy.stdin is not None
    assert deputy.stdout is not None
    wait_for(root.parent / "began", deputy)
    deputy.stdout.close()  # nobody hears it any more
    deputy.stdin.close()

    assert deputy.wait(timeout=60) == 0
    assert (root.parent / "ended").exists()
    assert not root.exists()


def told_of(root: Path, envfile: str, **more: object) -> list[tuple[list[object], str]]:
    """What is told of a job `a` that such an envfile has."""
    (root / "envfile.py").write_text(f"import runner\n\n{envfile}")
    told: list[tuple[list[object], str]] = []
    with doing(root, **more) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        frames = Frames()
        while not told or told[-1][0][0] != "ended":
            data = os.read(process.stdout.fileno(), 1 << 16)
            assert data
            told += [(list(head), content.decode()) for head, content in frames.feed(data)]
        process.stdin.close()
        process.wait(timeout=60)
    return told


SHOWS_A = """
@runner.session(python=False, env_file="{file}")
def a(session):
    session.run("sh", "-c", "echo A=$A", external=True)
"""
STAYED = (
    "s.env stayed where the run began: what git ignores, or is not of the project, does not travel"
)


@pytest.mark.parametrize(("is_one", "stream"), [(True, 1), (False, 2)])
def test_a_job_whose_file_of_variables_did_not_travel_fails(root: Path, is_one: bool, stream: int):
    told = told_of(root, SHOWS_A.format(file="s.env"), left=["s.env"], is_one=is_one)

    shown = (
        f"error: {STAYED}\n  --> envfile.py:4\n  name a file that each worker's machine has, by an"
        " absolute path or ~, or run the session without --on\n"
    )
    assert [head[0] for head, _ in told] == ["told", "out", "ended"]
    assert told[1] == (["out", "token", stream], shown)
    assert STAYED in told[2][1]


def test_a_job_whose_file_may_be_missing_says_that_it_did_not_travel(root: Path):
    told = told_of(root, SHOWS_A.format(file="-s.env"), left=["s.env"])

    written = "".join(text for head, text in told if head[0] == "out")
    assert written.startswith(f"warning: {STAYED}; the session runs without it\n")
    assert "A=\n" in written
    assert "passed" in told[-1][1]


@pytest.mark.parametrize(("is_one", "stream"), [(True, 1), (False, 2)])
def test_what_an_envfile_that_cannot_be_loaded_says_is_shown(root: Path, is_one: bool, stream: int):
    told = told_of(root, "@runner.session(python=3)\ndef a(session): ...", is_one=is_one)

    (shown,) = [text for head, text in told if head == ["out", "token", stream]]
    assert shown.startswith("error: ")
    assert "python=3 is a number" in shown


def test_a_path_starts_in_the_copy_of_the_folder_where_it_was_typed(root: Path):
    takes = "from pathlib import Path\n@runner.session(python=False)\ndef a(session, *, out: Path = Path()):\n    print(out)"

    told = told_of(root, takes, own=["a", "--out", "x"], here="docs")

    assert (["out", "token", 1], f"{root}/docs/x\n") in told


@pytest.fixture
def told() -> Iterator[one._Told]:
    """What tells nobody, and has been without a job for longer than it waits for one."""
    nobody = os.open(os.devnull, os.O_WRONLY)
    told = one._Told(nobody, is_one=False)
    told._idle_since_s = time.monotonic() - 61
    yield told
    os.close(nobody)


def test_without_a_job_for_a_minute_it_leaves(told: one._Told):
    with pytest.raises(one._Left):
        told.tick()


def test_while_a_job_runs_it_stays(told: one._Told):
    told.tokens["a"] = "token"

    assert told.tick() == 60


def test_the_minute_begins_when_a_job_has_ended(told: one._Told):
    told.tokens["a"] = "token"
    told.end_job(Outcome("a", "passed"))

    assert 0 < told.tick() <= 60
