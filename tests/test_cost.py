"""What a run costs, counted and not timed: calls of functions, and system calls.

The figures are those of the dearest of Python 3.10 to 3.13 when they were recorded. Who makes a
run do more sees it here: raise a figure where that is worth it, and say so in the commit.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter

import pytest

from tests.conftest import ROOT, Folder

pytestmark = pytest.mark.measured

MARGIN = 1.1
COUNT = """
import sys
count = 0
def called(frame, event, argument):
    global count
    count += event in ("call", "c_call")
sys.path.insert(0, sys.argv.pop(1))
sys.setprofile(called)
try:
    from runner.cli import main
    main(sys.argv[1:])
finally:
    sys.setprofile(None)
    print(f"{count} calls", file=sys.stderr)
"""


def calls(folder: Folder, *arguments: str) -> int:
    """How many functions a run calls, those of its imports included."""
    done = subprocess.run(
        # -S: what site and its .pth files do is not ours.
        [sys.executable, "-S", "-c", COUNT, str(ROOT), *arguments],
        cwd=folder.root,
        env={**folder.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    *_, word, _ = done.stderr.split()
    return int(word)


def sessions(folder: Folder, count: int) -> None:
    folder.envfile(
        "".join(
            f'@runner.session(deps=["six"])\ndef s{n}(session):\n    "Does {n}."\n\n'
            for n in range(count)
        )
    )


def one_with_an_environment(folder: Folder) -> None:
    folder.wheel("six")
    folder.envfile(
        """
        @runner.session(deps=["six"])
        def tests(session):
            session.run("python", "-c", "pass")
        """
    )
    folder.passes()
    folder.passes()


def test_version(folder: Folder):
    assert calls(folder, "--version") <= 8_400 * MARGIN


def test_a_listing_of_ten(folder: Folder):
    sessions(folder, 10)

    assert calls(folder, "--list") <= 17_600 * MARGIN


def test_each_further_session_of_a_listing(folder: Folder):
    sessions(folder, 10)
    few = calls(folder, "--list")
    sessions(folder, 210)
    calls(folder, "--list")  # compiles the envfile

    assert (calls(folder, "--list") - few) / 200 <= 166 * MARGIN


def test_one_warm_session(folder: Folder):
    one_with_an_environment(folder)

    assert calls(folder) <= 47_000 * MARGIN


def test_what_one_warm_session_keeps_off(folder: Folder):
    """OpenSSL 3 ms, base64 1, shutil with its three libraries 2.5."""
    one_with_an_environment(folder)

    done = subprocess.run(
        [sys.executable, "-S", "-X", "importtime", "-m", "runner"],
        cwd=folder.root,
        env={**folder.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "runner.bench" in loaded
    assert loaded & {"_hashlib", "base64", "hmac", "shutil", "typing"} == set()


def can_trace() -> bool:
    """Whether strace is here, and may look at processes: many a container forbids it."""
    if sys.platform != "linux" or shutil.which("strace") is None:
        return False
    return (
        subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True).returncode == 0
    )


@pytest.mark.skipif(not can_trace(), reason="no strace here, or not allowed")
def test_system_calls_of_a_warm_session(folder: Folder):
    one_with_an_environment(folder)
    log = folder.root.parent / "calls"

    command = ["strace", "-f", "-o", str(log), sys.executable, "-S", "-m", "runner"]
    subprocess.run(
        command, cwd=folder.root, env=folder.environ, check=True, stderr=subprocess.DEVNULL
    )

    lines = log.read_text(errors="replace").splitlines()
    own = lines[0].split()[0]
    count = Counter(line.split()[1].partition("(")[0] for line in lines if line.split()[0] == own)
    assert count["execve"] == 1
    assert sum(count.values()) <= 2_450 * MARGIN, count.most_common(10)
