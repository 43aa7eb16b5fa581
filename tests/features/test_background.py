"""`session.background`: a server for a session's commands, waited for and always ended."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.descendants import processes
from runner.errors import CommandFailed, CommandTimedOut
from runner.guard import Guard
from runner.running import Command
from runner.services import Service, ServiceFailed, end_services, start_service
from tests.conftest import IN_ALL_WAYS, ROOT, Folder, in_a_way

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and groups of POSIX")

# Tells its port, by a number that it gets or in a file, and answers there.
SERVER = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("listening on", server.getsockname()[1])
while True:
    connection, _ = server.accept()
    connection.sendall(b"hello")
    connection.close()
"""
CLIENT = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
    print(connection.recv(5).decode())
"""
# Starts another; both write their number and go on when they are asked to end.
STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, lambda *_: os.mkdir(f"asked-{os.getpid()}"))
if len(sys.argv) == 1:
    subprocess.Popen([sys.executable, __file__, "other"])
with open(f"pid-{os.getpid()}", "w"):
    pass
print("up", len(sys.argv))
while True:
    time.sleep(0.1)  # a signal just before it would not end a long one
"""


@pytest.fixture
def port() -> int:
    """A port that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


@pytest.fixture
def project(folder: Folder) -> Folder:
    folder.write("server.py", SERVER)
    folder.write("client.py", CLIENT)
    folder.write("stubborn.py", STUBBORN)
    return folder


def session(body: str, arguments: str = "python=False") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"@runner.session({arguments})\ndef s(session):\n{lines}"


@pytest.mark.parametrize(
    "ready",
    ["{port}", "'listening on {port}'", "lambda: socket.create_connection(('127.0.0.1', {port}))"],
)
@pytest.mark.parametrize("way", IN_ALL_WAYS)
def test_a_server_answers_the_commands_that_follow(
    project: Folder, port: int, ready: str, way: str
):
    project = in_a_way(way, project)
    start = f"session.background('python', 'server.py', '{port}', ready={ready.format(port=port)})"
    project.envfile(
        "import socket\n" + session(f"{start}\nsession.run('python', 'client.py', '{port}')")
    )

    done = project.passes()

    assert done.out == "hello\n"
    assert f"$ python server.py {port} &\n" in done.err
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port))


@pytest.mark.measured
def test_a_with_block_ends_it(project: Folder, port: int):
    project.envfile(
        session(
            f"with session.background('python', 'server.py', '{port}', ready={port}) as server:\n"
            "    print(server.returncode)\n"
            "print(server.returncode)\n"
        )
    )

    assert project.passes().out == f"None\n{-signal.SIGTERM}\n"


def test_its_environment_folder_and_variables_are_those_of_a_command(project: Folder):
    project.envfile(
        session(
            'code = \'import os, sys; print(os.getcwd(), os.environ["A"], os.environ["B"], sys.prefix)\'\n'
            "session.env['A'] = 'a'\n"
            "os.mkdir('below')\n"
            "done = session.background('python', '-c', code, env={'B': 'b'}, cwd='below')\n"
            "done.stop() if done.returncode else None\n"
            "while done.returncode is None: pass\n"
            "print(open(done.log).read(), end='')\n",
            "",
        ).replace("def s(session):", "def s(session):\n    import os")
    )

    assert project.passes().out == f"{project.root}/below a b {project.root}/.runenv/s\n"


def test_what_it_writes_is_kept_by_run_and_job(project: Folder, port: int):
    project.envfile(
        session(f"print(session.background('python', 'server.py', '{port}', ready={port}).log)")
    )

    log = Path(project.passes().out.strip())

    assert log.read_text() == f"listening on {port}\n"
    assert log.name == "s~background-1.log"
    assert log.parent.parent == project.root / ".runenv/logs"
    assert (project.root / ".runenv/logs/latest" / log.name).samefile(log)


@pytest.mark.measured
def test_an_attempt_does_not_write_over_the_log_of_the_one_before(project: Folder):
    project.envfile(
        session("session.background('python', '-c', '')\n1 / 0", "python=False, retries=1")
    )

    project.run()

    logs = os.listdir(project.root / ".runenv/logs/latest")
    assert sorted(logs) == ["s~background-1.log", "s~background-2.log"]


@pytest.mark.measured
def test_under_install_only_nothing_is_started(project: Folder):
    project.envfile(
        session(
            "with session.background('nothing', ready=1) as server:\n"
            "    print(server.pid, server.returncode, repr(server.log), server.stop())\n"
        )
    )

    assert project.passes("--install-only").out == "0 None '' None\n"


# What goes wrong. ----------------------------------------------------------------------


@pytest.mark.measured
def test_one_that_ends_before_it_is_ready_fails_the_job_and_shows_why(project: Folder):
    project.envfile(
        session("session.background('python', '-c', 'print(1); 1/0', ready='never', timeout=3600)")
    )

    done = project.run()

    assert done.code == 1
    assert "1\nTraceback" in done.err
    assert "ZeroDivisionError: division by zero\nerror: python exited with code 1" in done.err


@pytest.mark.parametrize("fails, code", [("", 1), ("session.error('and that')", 1)])
@pytest.mark.parametrize("way", IN_ALL_WAYS)
def test_one_that_dies_while_the_job_runs_is_told_and_fails_it(
    project: Folder, fails: str, code: int, way: str
):
    project = in_a_way(way, project)
    project.envfile(
        session(
            "server = session.background('python', '-c', 'print(\"last words\"); raise SystemExit(3)')\n"
            f"while server.returncode is None: pass\n{fails}"
        )
    )

    done = project.run()

    assert done.code == code
    assert "last words\n" in done.err
    assert "error: python exited with code 3 while the job ran\n" in done.err


def test_one_that_ends_well_while_the_job_runs_is_told_alone(project: Folder):
    project.envfile(
        session(
            "server = session.background('python', '-c', '')\n"
            "while server.returncode is None: pass\n"
        )
    )

    assert "python exited with code 0 while the job ran\n" in project.passes().err


# It always ends. -------------------------------------------------------------------------


def left_of(root: Path) -> set[int]:
    """The processes that have told their number and still run."""
    told = {int(path.name.removeprefix("pid-")) for path in root.glob("pid-*")}
    assert len(told) == 2
    return told & set(processes())


ENDS = {
    "it passes": ("", "", 0),
    "it fails": ("session.error('no')", "", 1),
    "its function raises": ("1 / 0", "", 1),
    "it skips": ("session.skip()", "", 1),
    "its time is up": ("while True: session.log()", ", timeout=2", 124),
    "it asks for the end": ("raise KeyboardInterrupt", "", 130),
}
UP = "session.background('python', 'stubborn.py', ready='up 2')\n"


@pytest.mark.slow
@pytest.mark.parametrize("way", IN_ALL_WAYS)
@pytest.mark.parametrize("how", ENDS)
def test_nothing_of_a_server_outlives_its_job(project: Folder, how: str, way: str):
    project = in_a_way(way, project)
    body, argument, code = ENDS[how]
    project.environ["RUNENV_GRACE"] = "1"
    project.envfile(session(UP + body, "python=False" + argument))

    assert project.run("s", "-q").code == code
    assert left_of(project.root) == set()


def test_what_a_server_started_is_gone_though_its_end_takes_a_while(project: Folder):
    # Of a killed process the system frees the memory before it has ended.
    held = "held = b'x' * (500_000_000 * (len(sys.argv) > 1))\nprint("
    project.write("stubborn.py", STUBBORN.replace("print(", held))
    project.environ["RUNENV_GRACE"] = "0.1"
    project.envfile(session(UP))

    assert project.run("s", "-q").code == 0
    assert left_of(project.root) == set()


@pytest.mark.parametrize("name, code", [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
@pytest.mark.measured
def test_nothing_of_a_server_outlives_a_signal(project: Folder, name: str, code: int):
    project.envfile(session(UP + "print('running', flush=True)\nwhile True: session.env.get('A')"))

    with project.start() as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "running\n"
        run.send_signal(getattr(signal, name))
        while len(list(project.root.glob("asked-*"))) < 2:
            assert run.poll() is None
        run.send_signal(signal.SIGINT)  # ends the grace
        run.communicate()

    assert run.returncode == code
    assert left_of(project.root) == set()


@pytest.mark.slow
def test_nothing_of_a_server_outlives_a_killed_runenv_by_more_than_its_grace(project: Folder):
    project.envfile(session(UP + "print('running', flush=True)\nwhile True: session.env.get('A')"))
    with project.start() as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "running\n"

        run.kill()
        run.communicate()

        while left_of(project.root):
            assert len(list(project.root.glob("asked-*"))) <= 2


def test_a_server_ends_when_runenv_is_killed(project: Folder, port: int):
    start = f"session.background('python', 'server.py', '{port}', ready={port})"
    project.envfile(session(f"print({start}.pid, flush=True)\nwhile True: session.env.get('A')"))
    with project.start() as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())

        run.kill()
        run.communicate()

        while pid in processes():
            pass


def test_nothing_watches_over_a_server_that_has_ended(tmp_path: Path):
    before = set(os.listdir("/dev/fd"))
    others = {pid for pid, one in processes().items() if one.parent == os.getpid()}
    guard = Guard()
    service = started(tmp_path, IGNORES, "up", guard=guard)

    end_services([service], grace_s=0)
    guard.close()

    ours = {pid for pid, one in processes().items() if one.parent == os.getpid()}
    assert ours - others == set()
    assert set(os.listdir("/dev/fd")) == before


# By itself. ------------------------------------------------------------------------------


GUARD = Guard()


@pytest.fixture(scope="module", autouse=True)
def guard_is_closed() -> Iterator[None]:
    yield
    GUARD.close()


def started(
    folder: Path, code: str, ready: object, timeout_s: float = 60.0, guard: Guard = GUARD
) -> Service:
    log = folder / "log"
    command = Command(
        argv=(sys.executable, "-u", "-c", code), cwd=str(folder), env={"PYTHONPATH": str(ROOT)}
    )

    def open_log() -> str:
        log.touch()
        return str(log)

    known: list[Service] = []
    try:
        return start_service(command, "server", open_log, known, ready, timeout_s, guard)  # type: ignore[arg-type]
    except ServiceFailed:
        assert known == []
        raise


IGNORES = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print('up'); time.sleep(600)"
)


def test_what_does_not_end_when_asked_to_is_killed_after_the_grace(tmp_path: Path):
    service = started(tmp_path, IGNORES, "up")

    end_services([service], grace_s=0.01)

    assert service.returncode == -signal.SIGKILL
    assert not service.died


def test_the_last_that_was_started_ends_first(tmp_path: Path):
    note = (
        "import pathlib, signal, sys, time\n"
        "def end(*_):\n    open('order', 'a').write('NAME '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); print('up NAME')\n"
        "while True: time.sleep(0.1)"
    )
    services = [started(tmp_path, note.replace("NAME", n), f"up {n}") for n in ("db", "app")]

    end_services(services)

    assert (tmp_path / "order").read_text() == "app db "


def test_one_that_is_not_ready_in_time_is_ended(tmp_path: Path):
    code = "print('hello', flush=True); import time; time.sleep(600)"

    with pytest.raises(ServiceFailed) as caught:
        started(tmp_path, code, "never", timeout_s=0.5)

    assert isinstance(caught.value.why, CommandTimedOut)
    assert caught.value.why.what == "server was not ready within 0.5 s: it did not write 'never'"


def test_a_function_may_raise_what_a_network_raises_until_it_says_yes(tmp_path: Path):
    answers = [OSError("refused"), None, 0, "yes"]

    def ask() -> object:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    end_services([started(tmp_path, IGNORES, ask)], grace_s=0)

    assert answers == []


def test_a_port_that_somebody_else_has_is_not_taken_for_the_server_s(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(CommandFailed) as caught:
            started(tmp_path, IGNORES, port)

    assert caught.value.what == f"server cannot have port {port}: something answers there already"
    assert not (tmp_path / "log").exists()


def test_a_text_is_found_where_it_comes_in_two_parts(tmp_path: Path):
    code = (
        "import sys, time; sys.stdout.write('x' * 70000 + 'listen'); sys.stdout.flush();"
        " sys.stdin.read(); sys.stdout.write('ing' + 'y' * 70000); time.sleep(600)"
    )

    service = started(tmp_path, code, "listening")
    end_services([service])

    assert service.returncode == -signal.SIGTERM


def test_the_last_lines_of_a_long_log_are_its_end(tmp_path: Path):
    code = "print('first'); print('x' * 10**6); [print(n) for n in range(100)]; print('\\udcff')"
    service = started(
        tmp_path, f"import sys; sys.stdout.reconfigure(errors='surrogateescape'); {code}", None
    )
    while service.returncode is None:
        service.ends_within(60)

    assert service.last_lines().splitlines()[::19] == ["81", "\\xff"]
    end_services([service])
    assert service.died
