"""What of installers' failures is the network's, from real installers on a real socket."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin
from virtualenv.seed.wheels.embed import get_embed_wheel

from runner.envs.network import network_trouble, run_patiently
from runner.running import Command, Finished

HALF = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n<html>"


class Server:
    """Takes connections and treats them badly."""

    def __init__(self, how: str) -> None:
        self.how = how
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.kept: list[socket.socket] = []
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            if self.how == "ends":
                connection.close()
                return
            self.kept.append(connection)
            if self.how == "says nothing":
                continue
            try:
                connection.recv(65536)
                if self.how == "breaks off":
                    connection.sendall(HALF)
                elif self.how == "has nothing":
                    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                else:  # a reset instead of an end
                    now = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
                connection.close()
            except OSError:
                pass

    def close(self) -> None:
        self.how = "ends"
        socket.create_connection(("127.0.0.1", self.port)).close()
        self.thread.join()
        for one in [*self.kept, self.socket]:
            one.close()


@pytest.fixture
def index(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an index that behaves as the test's parameter says."""
    if request.param == "refuses":
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        yield f"http://127.0.0.1:{port}/simple"
    elif request.param == "has no address":
        yield "http://nowhere.invalid/simple"
    else:
        server = Server(request.param)
        yield f"http://127.0.0.1:{server.port}/simple"
        server.close()


def said_by_uv(index: str, tmp_path: Path) -> str:
    words = [find_uv_bin(), "pip", "install", "--target", str(tmp_path / "t"), "--python"]
    words += [sys.executable, "--no-cache", "--no-config", "--index-url", index, "nothing"]
    return said_by(words, {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "1"})


def said_by_pip(index: str, tmp_path: Path) -> str:
    # Out of its wheel it would compile itself in each run: 1 s.
    pip = tmp_path.parent / "pip"
    if not pip.exists():
        wheel = get_embed_wheel("pip", ".".join(map(str, sys.version_info[:2])))
        assert wheel is not None
        with zipfile.ZipFile(wheel.path) as archive:
            archive.extractall(pip)
    words = [sys.executable, str(pip / "pip")]
    words += ["install", "--no-cache-dir", "--target", str(tmp_path / "t"), "--timeout", "1"]
    words += ["--retries", "1", "--trusted-host", "nowhere.invalid", "-i", index, "nothing"]
    return said_by(words, {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})


def said_by(words: list[str], variables: dict[str, str]) -> str:
    foreign = ("UV_", "PIP_", "HTTP_", "http_", "ALL_", "all_")
    kept = {n: v for n, v in os.environ.items() if not n.startswith(foreign)}
    done = subprocess.run(
        words,
        env={**kept, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    return done.stdout


BROKEN = {
    "refuses": "no connection",
    "has no address": "no answer of a name server",
    "resets": "the connection broke",
    "breaks off": "the connection broke",
    "says nothing": "no answer in time",
}


@pytest.mark.parametrize("index, trouble", BROKEN.items(), indirect=["index"])
def test_uv_s_troubles_with_the_network_are_known(index: str, trouble: str, tmp_path: Path):
    assert network_trouble(said_by_uv(index, tmp_path)) == trouble


@pytest.mark.parametrize("index", BROKEN, indirect=True)
def test_pip_s_troubles_with_the_network_are_known(index: str, tmp_path: Path):
    assert network_trouble(said_by_pip(index, tmp_path)) in BROKEN.values()


@pytest.mark.parametrize("index", ["has nothing"], indirect=True)
@pytest.mark.parametrize("said", [said_by_uv, said_by_pip])
def test_a_package_that_does_not_exist_is_no_trouble_of_the_network(said, index, tmp_path: Path):
    assert network_trouble(said(index, tmp_path)) == ""


@pytest.mark.parametrize(
    "output",
    [
        "error: No solution found when resolving dependencies\n  cause: dns error",
        "client error (Connect)\n  cause: invalid peer certificate: UnknownIssuer",
        # It was reached in the end, and has no such package.
        "WARNING: Retrying (Retry(total=4, connect=None)): Read timed out.\nERROR: No matching distribution found for nothing",
    ],
)
def test_what_stays_so_is_no_trouble_of_the_network(output: str):
    assert network_trouble(output) == ""


# Patience. ---------------------------------------------------------------------------


def attempts(*endings: tuple[int, str]) -> tuple[Finished, list[object]]:
    """How the last of these endings came, and what happened before."""
    left, happened = list(endings), []

    def run(_: Command) -> Finished:
        code, output = left.pop(0)
        happened.append(code)
        return Finished(code, output, "", 0.0)

    command = Command(argv=("uv",), cwd="", env={})
    return run_patiently(run, command, happened.append, happened.append), happened


AGAIN_1 = "the network failed (no connection); trying again in 1 s"
AGAIN_3 = "the network failed (no connection); trying again in 3 s"
LOST = (2, "client error (Connect)")


def test_an_install_is_tried_three_times():
    finished, happened = attempts(LOST, LOST, LOST)

    assert finished.returncode == 2
    assert happened == [2, AGAIN_1, 1.0, 2, AGAIN_3, 3.0, 2]


def test_an_install_that_passes_is_not_tried_again():
    finished, happened = attempts(LOST, (0, "client error (Connect)"))

    assert finished.returncode == 0
    assert happened == [2, AGAIN_1, 1.0, 0]


def test_an_install_that_fails_otherwise_is_not_tried_again():
    assert attempts(LOST, (1, "No solution found"))[1] == [2, AGAIN_1, 1.0, 1]
