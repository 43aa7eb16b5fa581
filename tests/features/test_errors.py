"""Every error and warning: provoked by the command as a user would, and told in docs/reference/errors.md.

The cases are transcripts in errors.txt, under the row of the page that they provoke:

    | a line of the envfile, below `import runner` and an empty line
    + NAME [MODE]: 'content'       another file of the project; + NAME -> TARGET  a link
    $ [NAME=value …] [(linux)] runenv arguments
    what stands in standard error, with … for what differs from machine to machine
    exit CODE
"""

from __future__ import annotations

import ast
import importlib
import os
import re
import shlex
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import packaging
import pytest

from runner.deputy import stayed
from runner.errors import UsageError
from tests.conftest import ROOT, Folder
from tests.features.test_environments import library
from tests.features.test_interactive import Terminal

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="texts and paths are POSIX's"),
    pytest.mark.measured,
]

PAGE = ROOT / "docs/reference/errors.md"

# What stands in capitals in the messages of the page.
PLACEHOLDERS = """
ARGUMENT BACKEND CALL CHAIN CHANGES CIRCLE COUNT ERROR FILE FLAG FOLDER INTERPRETER KIND M N NAME
NAMES OPTION OTHER PATH PLACE PROGRAM REASON SIGNAL TABLE TAG TEXT VALUE VERSION
"""


class Row(NamedTuple):
    """A message of the page: its section, its text, the exit code."""

    section: str
    text: str
    code: int


class Case(NamedTuple):
    """One way to provoke a row."""

    section: str
    row: str
    envfile: tuple[str, ...]
    files: tuple[str, ...]
    command: str
    shown: tuple[str, ...]
    code: int


def rows_of_page() -> list[Row]:
    """The rows of all tables with an exit code, in order."""
    rows, section = [], ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        match = re.fullmatch(r"\| `(?P<text>.+?)` \| .* \| (?P<code>\d+) \|", line)
        if match:
            rows.append(Row(section, match["text"].replace("\\|", "|"), int(match["code"])))
    return rows


def cases_of_file() -> Iterator[Case]:
    """The transcripts of errors.txt."""
    section = row = command = ""
    envfile: list[str] = []
    files: list[str] = []
    shown: list[str] = []
    for line in Path(__file__).with_name("errors.txt").read_text(encoding="utf-8").splitlines():
        if command and line.startswith("exit "):
            code = int(line.removeprefix("exit "))
            yield Case(section, row, tuple(envfile), tuple(files), command, tuple(shown), code)
            envfile, files, shown, command = [], [], [], ""
        elif command:
            shown.append(line)
        elif line.startswith("## "):
            section = line[3:]
        elif line.startswith("# "):
            row = line[2:]
        elif line.startswith("|"):
            envfile.append(line[2:])
        elif line.startswith("+ "):
            files.append(line[2:])
        elif line.startswith("$ "):
            command = line[2:]


ROWS = rows_of_page()
CASES = list(cases_of_file())

# Rows that need more than a transcript: each is provoked by the test under it.
WITH_TESTS: list[tuple[str, str]] = []


def provokes(section: str, text: str):
    """The test provokes that row of the page."""
    WITH_TESTS.append((section, text))
    return lambda function: function


def pattern(text: str) -> str:
    """What a message looks like that a row of the page stands for."""
    words = "|".join(PLACEHOLDERS.split())
    parts = re.split(rf"(?<![A-Z_])({words}|RUNENV_NAME)(?![A-Z_])", text)
    narrow = {"ARGUMENT": r"\w+", "RUNENV_NAME": r"RUNENV_\w+"}
    return "".join(
        narrow.get(part, ".+") if number % 2 else re.escape(part)
        for number, part in enumerate(parts)
    )


def put(root: Path, line: str) -> None:
    """Make the file or link of a `+` line."""
    if " -> " in line:
        name, _, target = line.partition(" -> ")
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
        return
    head, _, content = line.partition(": ")
    name, _, mode = head.partition(" ")
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    value = ast.literal_eval(content)
    path.write_bytes(value if isinstance(value, bytes) else value.encode())
    if mode:
        path.chmod(int(mode, 8))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.row}: {case.command}")
def test_a_mistake_is_told_with_its_place_and_its_mend(folder: Folder, case: Case):
    words = shlex.split(case.command)
    before, arguments = words[: words.index("runenv")], words[words.index("runenv") + 1 :]
    if "(linux)" in before and sys.platform != "linux":
        pytest.skip("a file that Linux has")
    root = str(folder.root)
    env = dict(word.replace("{root}", root).split("=", 1) for word in before if "=" in word)
    if case.envfile != ("(none)",):
        default = ("@runner.session", "def tests(session): ...")
        folder.envfile("\n".join(case.envfile or default) + "\n")
    for line in case.files:
        put(folder.root, line)

    done = folder.run(*arguments, env=env)

    expected = "\n".join(case.shown).replace("{root}", root)
    shown = ".*".join(map(re.escape, expected.split("…")))
    assert re.search(rf"^{shown}$", done.err, re.MULTILINE), done.err
    assert done.code == case.code
    assert "/runner/" not in done.err.replace(root, "")  # no frame of ours
    wanted = rf"(error: |warning: |.*  )?{pattern(case.row)}(; did you mean .*)?"
    assert re.fullmatch(wanted, case.shown[0])


@provokes("The command line and settings", "the working folder does not exist any more")
def test_a_working_folder_that_is_gone_is_told(folder: Folder):
    (folder.root / "gone").mkdir()

    done = subprocess.run(
        ["/bin/sh", "-c", f"rmdir ../gone && exec {shlex.quote(sys.executable)} -m runner"],
        cwd=folder.root / "gone",
        env=folder.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == (
        "error: the working folder does not exist any more\n"
        "  change to one that does, or use --directory\n"
    )
    assert done.returncode == 2


@provokes("The command line and settings", "standard output cannot be written: TEXT")
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_under_standard_output_is_told(folder: Folder):
    folder.envfile("@runner.session\ndef tests(session): ...\n")

    with open("/dev/full", "w") as full:
        done = folder.run("--list", stdout=full)

    assert done.err == "error: standard output cannot be written: No space left on device\n"
    assert done.code == 1


@provokes("The command line and settings", "NAME is not installed, and --check asks it")
def test_a_tool_that_is_not_installed_is_told(folder: Folder, tmp_path: Path):
    folder.write("tox.ini", "[tox]\nenv_list = a\n")
    # Nothing but a Python is beside this one.
    venv.create(tmp_path / "bare", symlinks=True)
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("packaging", "tomli", "dependency_groups"):
        found = Path(packaging.__file__).parent.parent / name
        if found.exists():
            (packages / name).symlink_to(found)
    python = tmp_path / "bare" / "bin" / "python"
    env = {"PATH": str(tmp_path), "PYTHONPATH": f"{ROOT}:{packages}"}

    done = subprocess.run(
        [python, "-m", "runner", "--convert", "--check"],
        cwd=folder.root,
        env=folder.environ | env,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == (
        "error: tox is not installed, and --check asks it\n"
        f"  install it: uv tool install tox; looked for on PATH and in {python.parent}\n"
    )
    assert done.returncode == 2


@provokes(
    "Environments and installs",
    "pip VERSION has no exclude_newer 'VALUE': only pip 26.0 and later has",
)
def test_a_pip_that_cannot_leave_out_what_is_newer_is_told(folder: Folder):
    folder.wheel("pip", "23.2.1")  # by its metadata alone an old one
    folder.envfile(
        """
        @runner.session(backend="virtualenv")
        def s(session):
            session.install("--no-deps", "pip==23.2.1")
            session.install("--exclude-newer", "2024-12-31T00:00:00Z", "one")
        """
    )

    done = folder.run()

    assert (
        "error: pip 23.2.1 has no exclude_newer '2024-12-31T00:00:00Z':"
        " only pip 26.0 and later has\n"
        "  --> envfile.py:7\n"
        '  uv can: backend="uv" for the session\n' in done.err
    )
    assert done.code == 1


@provokes(
    "Environments and installs",
    "a command changed the environment (CHANGES) before an install that differs from the last run's",
)
def test_an_install_that_differs_after_a_command_that_installed_is_refused(folder: Folder):
    for name in ("one", "two", "three"):
        folder.wheel(name)
    folder.envfile(
        "@runner.session\n"
        "def s(session):\n"
        "    session.run('python', '-V')\n"
        "    if session.posargs: session.run('pip', 'install', '-q', 'two')\n"
        "    session.install('three' if session.posargs else 'one')\n"
    )
    folder.passes()

    done = folder.run("--", "more")

    assert (
        "error: a command changed the environment (+two 1.0, +two.py) before an install that differs"
        " from the last run's\n"
        "  --> envfile.py:7\n"
        "  run again: it starts fresh; session.install instead of the command avoids this\n"
    ) in done.err
    assert done.code == 1
    assert folder.run().code == 0


@provokes(
    "Environments and installs",
    "what an earlier run had installed was there for the session's commands (CHANGES)",
)
def test_an_install_that_only_some_runs_do_is_never_beside_commands_of_the_others(folder: Folder):
    folder.wheel("one")
    folder.envfile(
        """
        @runner.session
        def s(session):
            session.run("python", "-V")
            if session.posargs:
                session.install("one")
        """
    )
    folder.passes("--", "more")

    done = folder.run()

    assert (
        "error: what an earlier run had installed was there for the session's commands"
        " (install removed (-one))\n"
        "  --> envfile.py:4\n"
        "  run again: it starts fresh; installs that stand before all commands avoid this\n"
    ) in done.err
    assert done.code == 1
    assert folder.run().code == 0


@provokes("Commands of a session", "'TEXT' was not answered with yes")
def test_a_session_that_somebody_has_said_no_to_is_told(folder: Folder):
    folder.envfile(
        "@runner.session(python=False, confirm='Publish it?')\ndef publish(session): ...\n"
    )

    with Terminal(folder) as terminal:
        terminal.read_until("publish: Publish it? [y/N] ")
        terminal.type("n\n")
        shown = terminal.rest()

    assert shown.splitlines()[-1].endswith("  'Publish it?' was not answered with yes")
    assert terminal.process.returncode == 1


# The command with another clock: a wait is told instead of waited for.
IMPATIENT = """
import time
time.sleep = lambda seconds: print("waited", seconds, flush=True)
from runner.cli import run_and_exit
run_and_exit()
"""


@provokes("Environments and installs", "warning: the network failed (TEXT); trying again in N s")
def test_an_install_without_a_network_is_tried_again(folder: Folder):
    folder.envfile("@runner.session(deps=['six'])\ndef s(session): ...\n")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        index = f"http://127.0.0.1:{closed.getsockname()[1]}/simple"
    environ = {name: v for name, v in folder.environ.items() if name != "UV_OFFLINE"}
    more = {"UV_INDEX_URL": index, "UV_HTTP_RETRIES": "0", "RUNENV_STORE": "none"}

    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT],
        cwd=folder.root,
        env={**environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )

    again = [line for line in done.stderr.splitlines() if "the network" in line]
    assert again == [
        "warning: the network failed (no connection); trying again in 1 s",
        "warning: the network failed (no connection); trying again in 3 s",
    ]
    assert done.stdout == "waited 1.0\nwaited 3.0\n"
    assert done.stderr.count("client error (Connect)") == 1  # of the last alone
    assert done.returncode == 1


@provokes("Environments and installs", "FOLDER cannot be replaced: TEXT")
def test_an_environment_that_cannot_be_moved_away_is_told(folder: Folder):
    folder.envfile("@runner.session()\ndef s(session): ...\n")
    folder.passes()
    folder.write(".runenv/.trash", "a file")

    done = folder.run("--fresh")

    assert (
        f"error: {folder.root}/.runenv/s cannot be replaced: File exists\n"
        "  --> envfile.py:3\n"
        "  a program may be using it; end that program, or choose another --envdir\n"
    ) in done.err
    assert done.code == 1


# A build backend of standard library alone, which makes what it is told to.
BACKEND = """
def build_wheel(folder, config_settings=None, metadata_directory=None):
    for name in {names}:
        open(folder + "/" + name, "w").close()
    return "mine-1.0-py3-none-any.whl"
"""


@provokes("Environments and installs", "the build of FOLDER made N wheels")
def test_a_build_that_makes_several_wheels_is_told(folder: Folder):
    library(folder)
    names = ["mine-1.0-py3-none-any.whl", "other-1.0-py3-none-any.whl"]
    folder.write("backend.py", BACKEND.format(names=names))
    folder.envfile("@runner.session(project='wheel')\ndef s(session): ...\n")

    done = folder.run()

    assert f"error: the build of {folder.root} made 2 wheels\n" in done.err
    assert "  its output is shown with --verbose\n" in done.err
    assert done.code == 1


@provokes("Environments and installs", "FILE is no wheel: TEXT")
def test_a_build_that_makes_what_is_no_wheel_is_told(folder: Folder):
    library(folder)
    folder.envfile("@runner.session(project='wheel')\ndef s(session): ...\n")
    folder.passes()

    folder.write("backend.py", BACKEND.format(names=["mine-1.0-py3-none-any.whl"]))
    done = folder.run()

    assert "error: mine-1.0-py3-none-any.whl is no wheel: " in done.err
    assert "  the project's build made it; run again with --fresh\n" in done.err
    assert done.code == 1


@provokes("Several jobs at once", "its worker cannot be started: TEXT")
def test_that_no_more_files_may_be_open_is_told(folder: Folder):
    folder.envfile(
        "@runner.session(python=False)\n"
        "@runner.parametrize('n', [1, 2])\n"
        "def s(session, n): ...\n"
        "import resource\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (13, 13))\n"
    )

    done = folder.run("-j", "2")

    assert "its worker cannot be started: Too many open files\n" in done.err
    assert done.code == 1


def test_all_mistakes_of_an_envfile_are_told_at_once_in_the_order_of_their_lines(folder: Folder):
    folder.envfile(
        """
        runner.options.defualt = ["tests"]

        @runner.session(deps="pytest", python=3.10)
        def tests(session): ...

        @runner.session(requires=["tets"])
        @runner.parametrize("api", [])
        def docs(session, api): ...
        """
    )

    done = folder.run("tests")

    assert done.err == (
        "error: runner.options has no 'defualt'\n"
        "  --> envfile.py:4\n"
        "  did you mean 'default'?\n"
        "error: python=3.1 is a number, in which 3.10 and 3.1 are the same\n"
        "  --> envfile.py:6\n"
        '  write it as a string: python="3.10"\n'
        "error: deps is a string where a list belongs\n"
        "  --> envfile.py:6\n"
        "  write deps=['pytest']\n"
        "error: session 'docs' requires 'tets', which no session is named\n"
        "  --> envfile.py:9\n"
        "  did you mean 'tests'?\n"
        "error: parametrize('api') has no values: the session would have no jobs\n"
        "  --> envfile.py:10\n"
        "  give it at least one, or take the decorator away\n"
        "5 mistakes; nothing was run\n"
    )
    assert (done.code, done.out) == (2, "")


def test_what_an_envfile_prints_does_not_stand_among_what_runenv_prints(folder: Folder):
    folder.envfile("print('loading')\n\n@runner.session(python=False)\ndef s(session): ...\n")

    done = folder.passes("--list", "--json")

    assert done.out.startswith("{")
    assert done.err == "loading\n"


# On a cluster. ------------------------------------------------------------------


@provokes("The command line and settings", "there is no Dask scheduler at PLACE: TEXT")
def test_that_no_scheduler_is_there_is_said(folder: Folder):
    pytest.importorskip("distributed")
    folder.envfile("@runner.session(python=False)\ndef s(session): ...\n")

    ran = folder.run("--on", "tcp://127.0.0.1:1")

    assert ran.code == 2
    assert "there is no Dask scheduler at tcp://127.0.0.1:1" in ran.err


@provokes(
    "The command line and settings",
    "--on PLACE: of that cluster PLACE listens to other machines without TLS",
)
def test_a_cluster_that_others_can_give_orders_is_not_used():
    pytest.importorskip("distributed")
    check = importlib.import_module("runner.executors.dask_cluster").check_addresses
    check("tcp://127.0.0.1:1", ["tcp://127.0.0.1:1", "tls://10.1.2.3:2"])

    with pytest.raises(UsageError) as caught:
        check("tcp://127.0.0.1:1", ["tcp://127.0.0.1:1", "tcp://10.1.2.3:2"])

    assert caught.value.what == (
        "--on tcp://127.0.0.1:1: of that cluster tcp://10.1.2.3:2 listens to other machines"
        " without TLS"
    )


def the_mistake_of_workers(answers: dict[str, object]) -> UsageError:
    """What is raised where workers answer that, when they are asked for their versions."""
    with pytest.raises(UsageError) as caught:
        importlib.import_module("runner.executors.dask_cluster").check_versions(answers)
    return caught.value


@provokes(
    "The command line and settings",
    "the NAME has runenv VERSION on Python VERSION, and runenv VERSION on Python VERSION is here",
)
def test_a_worker_of_another_version_is_named_with_both():
    pytest.importorskip("distributed")
    ours, python = importlib.import_module("runner.executors.dask_worker").versions()

    error = the_mistake_of_workers(
        {"scheduler": (ours, python), "worker tcp://two": ("0.0.9", python)}
    )

    assert error.what == (
        f"the worker tcp://two has runenv 0.0.9 on Python {python},"
        f" and runenv {ours} on Python {python} is here"
    )
    assert error.mend == "let both have the same runenv, on the same minor version of Python"


@provokes("The command line and settings", "the NAME cannot run runenv: TEXT")
def test_a_worker_without_runenv_is_named():
    pytest.importorskip("distributed")

    error = the_mistake_of_workers(
        {"worker tcp://two": ModuleNotFoundError("No module named 'runner'")}
    )

    assert error.what == "the worker tcp://two cannot run runenv: No module named 'runner'"


@provokes("The command line and settings", "--on needs Dask, which is not installed beside runenv")
def test_that_dask_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch):
    far = ("runner.executors.dask", "runner.executors.dask_cluster", "runner.executors.dask_worker")
    for name in ("runner.on_dask", *far):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(UsageError, match="--on needs Dask"):
        importlib.import_module("runner.on_dask")


def provoke_on_a_cluster() -> dict[str, list[str]]:
    """What becomes of a job on a cluster that is none, by what the page says of it."""
    far = importlib.import_module("tests.test_dask")
    told: dict[str, list[str]] = {}

    def on(row: str, crew: Any) -> None:
        told[row] = [crew.executor.wait().reason]
        crew.cluster.is_there = False  # so that nothing is waited for
        crew.executor.close()

    crew = far.Crew()
    crew.executor.start(far.of(resources=(("gpu", 1.0),)), ())
    on("no worker offers TEXT: they offer TEXT", crew)
    crew = far.begun(far.Crew(), retries_on_loss=0)
    crew.cluster.begin("tcp://two", "t2")
    on("its worker NAME was lost, and it may not run again", crew)
    crew = far.begun(far.Crew())
    crew.cluster.begin("tcp://two", "t2")
    crew.attend()
    told["warning: its worker NAME was lost; it runs again"] = [said.text for said in crew.heard]
    crew.executor.stop()
    crew.executor._deadline_s = 0.0
    crew.cluster.hear(["run", "tcp://one", []])
    on("asked to end, its worker NAME told nothing more", crew)
    for row, status, error in (
        ("in its worker: TEXT", "error", OSError("full")),
        ("its worker has told nothing of it", "finished", None),
        ("Dask has cancelled its task", "cancelled", None),
    ):
        crew = far.begun(far.Crew())
        crew.cluster.done(status, error)
        on(row, crew)
    crew = far.Crew()
    crew.executor.start(far.of(), ())
    crew.executor.stop()
    on("not started: the run ended before a worker took it", crew)
    crew = far.begun(far.Crew())
    crew.cluster.is_there = False
    crew.cluster.hear(["run", "tcp://one", []])
    on("the Dask scheduler is gone", crew)
    row = "FILE stayed where the run began: what git ignores, or is not of the project,"
    told[f"{row} does not travel"] = [stayed("deploy.env")]  # tests/test_deputy.py has it told
    return told


ON_A_CLUSTER = {row.text for row in ROWS if row.section == "On a cluster"}
for text in ON_A_CLUSTER:
    WITH_TESTS.append(("On a cluster", text))


def test_what_becomes_of_jobs_on_a_cluster_is_what_the_page_says():
    pytest.importorskip("distributed")
    told = provoke_on_a_cluster()

    assert told.keys() == ON_A_CLUSTER
    for row, texts in told.items():
        shape = pattern(row.removeprefix("warning: "))
        assert [text for text in texts if not re.match(shape, text)] == [], row


# The page. ------------------------------------------------------------------------


def test_every_row_is_provoked_and_every_case_has_its_row():
    provoked = {(case.section, case.row) for case in CASES} | set(WITH_TESTS)

    assert provoked == {(row.section, row.text) for row in ROWS}


def test_no_row_stands_twice():
    assert len({(row.section, row.text) for row in ROWS}) == len(ROWS)


def test_the_exit_codes_of_the_page_are_those_of_the_cases():
    told = {(row.section, row.text): row.code for row in ROWS}

    assert [(c.row, c.code) for c in CASES if told[c.section, c.row] != c.code] == []


# Messages that tell all there is to tell, and whose cause only the command or the
# session function knows.
WITHOUT_MEND = [
    "it reported an error",
    "PROGRAM cannot be started: TEXT",
    "PROGRAM exited with code N",
    "PROGRAM took longer than N s",
    "PROGRAM was ended by SIGNAL",
    "ERROR: TEXT",  # its traceback is shown
]


def test_every_error_says_how_to_mend_it():
    bare = {
        case.row
        for case in CASES
        if case.shown[0].startswith("error: ")
        and all(line.startswith("  --> ") for line in case.shown[1:])
    }

    assert bare <= set(WITHOUT_MEND)


# Errors in the code. ----------------------------------------------------------------

# Who makes an error, and which of its arguments is the text.
MAKERS = {
    "CommandFailed": 0,
    "CommandTimedOut": 0,
    "EnvironmentBroken": 0,
    "InterpreterMissing": 0,
    "JobError": 0,
    "Mistake": 1,
    "ReportUnwritten": 0,
    "SessionFailed": 0,
    "ShardMissing": 0,
    "SessionSkipped": 0,
    "UsageError": 0,
    "failed": 0,  # of process.py
    "note": 1,  # of a registry: where, what, mend
    "say": 1,
    "trouble": 0,  # of the parser of --keyword
}


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the pattern of each error text that a module writes out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        assigned = {
            target.id: node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            at = MAKERS.get(name, 99)
            of_a_step = name == "note" and len(call.args) < 3 and "requirements" in path.parts
            quiet = name == "say" and getattr(call.args[0], "value", "") != "warning"
            if len(call.args) > at and not of_a_step and not quiet:
                yield call.lineno, as_pattern(call.args[at], assigned)


QUOTED = "(?:.*)"  # what `{name!r}` gives


def as_pattern(node: ast.expr, assigned: dict[str, ast.expr]) -> str:
    """An expression of strings as a pattern of what it may give."""
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(as_pattern(part, {}) for part in node.values)
    if isinstance(node, ast.BinOp):
        return as_pattern(node.left, assigned) + as_pattern(node.right, assigned)
    if isinstance(node, ast.IfExp):
        return f"(?:{as_pattern(node.body, assigned)}|{as_pattern(node.orelse, assigned)})"
    if isinstance(node, ast.FormattedValue) and node.conversion == ord("r"):
        return QUOTED
    if isinstance(node, ast.Name) and node.id in assigned:
        return as_pattern(assigned[node.id], {})
    return ".*"


def test_every_error_of_the_code_has_its_row():
    texts = [
        (f"{path.relative_to(ROOT)}:{line}", text)
        for path in sorted((ROOT / "runner").rglob("*.py"))
        for line, text in texts_of(path)
        if re.search(r"\w", text)
    ]
    # Either may say less than the other: `python cannot be {value!r}` is told as
    # `ARGUMENT cannot be VALUE`, and `{kind} {name!r} is {what}` for each kind.
    whole = [row.text.removeprefix("warning: ") for row in ROWS if row.text != "ERROR: TEXT"]
    told = whole + [text.removeprefix("-k: ") for text in whole]

    def has_row(text: str) -> bool:
        example = re.sub(r"\\(.)", r"\1", text.replace(QUOTED, "'x'").replace(".*", "x"))
        return any(re.fullmatch(text, row) or re.fullmatch(pattern(row), example) for row in told)

    assert len(texts) > 100
    assert [(place, text) for place, text in texts if not has_row(text)] == []
