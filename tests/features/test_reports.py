"""`runenv --report FILE`: a report is there whatever happened."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from tests.conftest import IN_ALL_WAYS, ROOT, Done, Folder, in_a_way

SCHEMA = json.loads((ROOT / "docs/reference/report.schema.json").read_text("utf-8"))


def read(path: Path) -> dict[str, Any]:
    """A JSON report, which is by the schema."""
    data = json.loads(path.read_text("utf-8"))
    jsonschema.validate(data, SCHEMA)
    return data


def results(data: dict[str, Any]) -> dict[str, str]:
    return {job["name"]: job["result"] for job in data["jobs"]}


TWO = """
@runner.session(python=False, tags=["t"])
def lint(session):
    "Check the style."
    session.run("python", "-c", "print('hello')")

@runner.session(python=False, requires=["lint"])
@runner.parametrize("value", [runner.param(float("inf"), id="odd")])
def tests(session, value):
    session.log("so far so good")
    session.run("python", "-c", "print('kept back'); raise SystemExit(3)", silent=True)
"""


def test_each_form_is_written_by_the_end_of_its_name(folder: Folder):
    folder.envfile(TWO)
    ends = ("json", "xml", "md", "html", "trace.json")

    done = folder.run(*(word for end in ends for word in ("--report", f"out/run.{end}")))

    assert done.code == 1
    assert sorted(os.listdir(folder.root / "out")) == sorted(f"run.{end}" for end in ends)
    written = {end: (folder.root / f"out/run.{end}").read_text("utf-8") for end in ends}
    assert results(json.loads(written["json"])) == {"lint": "passed", "tests-odd": "failed"}
    assert len(ElementTree.fromstring(written["xml"]).findall(".//testcase")) == 2
    assert written["md"].startswith("### runenv: 1 passed, 1 failed in ")
    assert written["html"].startswith("<!DOCTYPE html>")
    assert "traceEvents" in json.loads(written["trace.json"])


def test_a_report_has_what_is_known_of_each_job(folder: Folder):
    folder.envfile(TWO)
    folder.run("--report", "run.json", "--", "word")

    data = read(folder.root / "run.json")
    lint, tests = data["jobs"]

    assert (data["exit_code"], data["posargs"]) == (1, ["word"])
    assert data["envfile"] == str(folder.root / "envfile.py")
    assert (lint["description"], lint["tags"], lint["where"]) == (
        "Check the style.",
        ["t"],
        "envfile.py:4",
    )
    assert (tests["parameters"], tests["requires"]) == ({"value": "inf"}, ["lint"])
    assert tests["reason"] == "python exited with code 3"
    assert [c["returncode"] for c in lint["commands"] + tests["commands"]] == [0, 3]
    assert [(line["level"], line["text"]) for line in tests["log"]] == [
        ("info", "so far so good"),
        ("output", "kept back\n"),
        ("error", "python exited with code 3\n--> envfile.py:13"),
    ]


def test_times_of_a_job_lie_within_each_other(folder: Folder):
    folder.wheel("one")
    folder.envfile("@runner.session(deps=['one'])\ndef env(session): session.run('python', '-V')\n")
    folder.passes("--report", "run.json")

    data = read(folder.root / "run.json")
    job = data["jobs"][0]
    made, (install, version) = job["environments"][0], job["commands"]
    ends = [
        0,
        job["started_s"],
        made["started_s"],
        install["started_s"],
        install["started_s"] + install["duration_s"],
        made["started_s"] + made["duration_s"],
        version["started_s"],
        version["started_s"] + version["duration_s"],
        job["started_s"] + job["duration_s"],
        data["duration_s"],
    ]

    assert ends == sorted(ends)
    assert (install["kind"], version["kind"], made["state"]) == ("install", "run", "created")


def test_an_environment_that_was_prepared_ahead_has_the_time_at_which_that_was(folder: Folder):
    folder.envfile(
        """
        import os, time

        @runner.session(python=False)
        def first(session):
            while not os.path.exists(".runenv/second/pyvenv.cfg"):
                time.sleep(0.01)

        @runner.session
        def second(session): ...
        """
    )
    folder.passes("--report", "run.json")

    first, second = read(folder.root / "run.json")["jobs"]
    made = second["environments"][0]

    assert (made["state"], made["ahead"]) == ("created", True)
    assert made["started_s"] < first["started_s"] + first["duration_s"] <= second["started_s"]


def test_a_command_that_is_tried_again_is_told_each_time(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def s(session):
            session.run("python", "-c", "raise SystemExit(4)", retries=2, check=False)
            session.run("python", "-c", "pass", log=False)
        """
    )
    folder.passes("--report", "run.json")

    assert [c["returncode"] for c in read(folder.root / "run.json")["jobs"][0]["commands"]] == [
        4
    ] * 3


def test_odd_names_and_values_are_borne(folder: Folder):
    folder.envfile(
        """
        class Broken:
            def __repr__(self):
                raise ValueError

        @runner.session(python=False)
        @runner.parametrize("value", ["\\udcff", Broken(), float("nan"), b"x"], ids=list("abcd"))
        def s(session, value):
            session.error("\\udcff \\x1b[31m \\x00")
        """
    )
    ends = ("json", "xml", "md", "html", "trace.json")
    done = folder.run("--report", ",".join(f"run.{end}" for end in ends), "--", "\udcff")

    assert done.code == 1
    assert "Traceback" not in done.err
    data = read(folder.root / "run.json")
    assert [job["parameters"]["value"] for job in data["jobs"]] == [
        "\\udcff",
        "<Broken>",
        "nan",
        "b'x'",
    ]
    assert (data["posargs"], data["jobs"][0]["reason"]) == (["\\udcff"], "\\udcff \x1b[31m \x00")
    ElementTree.parse(folder.root / "run.xml")


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")
@pytest.mark.parametrize("way", IN_ALL_WAYS)
@pytest.mark.parametrize(
    "call",
    [
        "session.run('python', '-c', LARGE)",
        "session.background('python', '-c', LARGE).ends_within(60)",
        "session.run('python', '-c', PARENT)",
    ],
)
def test_the_most_memory_that_a_command_had_is_told(folder: Folder, call: str, way: str):
    folder = in_a_way(way, folder)
    folder.envfile(
        f"""
        LARGE = "len(bytearray(150_000_000))"
        PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {{LARGE!r}}])"

        @runner.session(python=False)
        def s(session):
            {call}
            session.run("python", "-c", "")
        """
    )

    for _ in range(2):
        folder.passes("--report", "run.json", "--report", "run.html")

    job = next(j for j in read(folder.root / "run.json")["jobs"] if j["name"] == "s")
    for told in (job["peak_memory_bytes"], job["earlier"][0]["peak_memory_bytes"]):
        assert 150_000_000 < told < 300_000_000
    page = (folder.root / "run.html").read_text(encoding="utf-8")
    assert re.search(r"memory <b>up to 1\d\d\.\d MB</b>", page)


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")
def test_the_most_memory_is_that_of_all_attempts(folder: Folder):
    folder.envfile(
        """
        sizes = [150_000_000, 1]

        @runner.session(python=False, retries=1)
        def s(session):
            size = sizes.pop(0)
            session.run("python", "-c", f"len(bytearray({size}))")
            if sizes:
                session.error("again")
        """
    )

    folder.passes("--report", "run.json")

    assert read(folder.root / "run.json")["jobs"][0]["peak_memory_bytes"] > 150_000_000


def test_what_is_usual_comes_from_earlier_runs(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef s(session): ...\n")
    folder.passes("--report", "run.json")
    first = read(folder.root / "run.json")["jobs"][0]
    folder.passes("--report", "run.json")
    second = read(folder.root / "run.json")["jobs"][0]

    assert (first["usual_s"], first["earlier"]) == (None, [])
    assert second["usual_s"] == second["earlier"][0]["duration_s"]
    assert [earlier["result"] for earlier in second["earlier"]] == ["passed"]


def test_a_job_that_was_notified_is_in_the_report(folder: Folder):
    folder.envfile(
        """
        @runner.session(python=False)
        def first(session):
            session.notify("second")

        @runner.session(python=False, default=False)
        def second(session):
            "Come later."
        """
    )
    folder.passes("--report", "run.json")

    jobs = read(folder.root / "run.json")["jobs"]
    assert [(job["name"], job["description"]) for job in jobs] == [
        ("first", ""),
        ("second", "Come later."),
    ]


# Where it goes. -----------------------------------------------------------------------------


def test_the_variable_and_the_envfile_name_reports_too(folder: Folder):
    folder.envfile(
        "runner.options.report = ['own.json']\n\n@runner.session(python=False)\ndef s(session): ...\n"
    )
    (folder.root / "below").mkdir()

    folder.passes("-C", ".")
    done = folder.run(cwd=folder.root / "below", env={"RUNENV_REPORT": "a.json,b.md"})

    assert done.code == 0
    assert (folder.root / "own.json").is_file()
    assert sorted(os.listdir(folder.root / "below")) == ["a.json", "b.md"]


def test_one_that_the_envfile_names_lies_beside_it(folder: Folder):
    folder.envfile(
        "runner.options.report = ['own.json']\n\n@runner.session(python=False)\ndef s(session): ...\n"
    )
    (folder.root / "below").mkdir()

    assert folder.run(cwd=folder.root / "below").code == 0
    assert (folder.root / "own.json").is_file()
    assert os.listdir(folder.root / "below") == []


def test_a_session_that_deletes_its_folder_takes_no_report_away(folder: Folder):
    folder.envfile(
        """
        import shutil

        @runner.session(python=False)
        def clean(session):
            shutil.rmtree("build")
        """
    )

    folder.passes("--report", "build/run.json")

    assert results(read(folder.root / "build/run.json")) == {"clean": "passed"}


def test_where_nothing_can_run_an_old_report_stays(folder: Folder):
    folder.envfile(TWO)
    folder.write("run.json", "old")

    assert folder.run("--report", "run.json", "no-such-session").code == 2
    assert (folder.root / "run.json").read_text() == "old"


# What cannot be written. -----------------------------------------------------------------------


def test_what_cannot_be_written_is_told_before_anything_runs(folder: Folder):
    folder.envfile("@runner.session(python=False)\ndef s(session):\n    print('ran')\n")
    folder.write("file", "")

    done = folder.run("--report", "file/run.json")

    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        "error: the report file/run.json cannot be written: Not a directory\n"
    )


BLOCKS = """
import os, sys

@runner.session(python=False)
def s(session):
    os.makedirs("run.json")
    print("ran")
    %s
"""


@pytest.mark.parametrize(
    ("then", "code"),
    [
        ("pass", 1),
        ("session.error('no')", 1),
        ("session.run('python', '-c', 'import time; time.sleep(60)', timeout=0.1)", 124),
    ],
)
def test_what_turns_out_unwritable_is_told_after_the_run(folder: Folder, then: str, code: int):
    folder.envfile(BLOCKS % then)

    done = folder.run("--report", "run.json", "--report", "run.md")

    assert (done.code, done.out) == (code, "ran\n")
    assert done.err.endswith(
        "error: the report run.json cannot be written: Is a directory\n"
        "  make room for it, let it be written, or name another file\n"
    )
    assert (folder.root / "run.md").is_file()
    assert not [name for name in os.listdir(folder.root) if name.startswith("run.json.")]


# Whatever happened. -------------------------------------------------------------------------------

WAITS = """
@runner.session(python=False)
def first(session): ...

@runner.session(python=False)
def waits(session):
    session.run("python", "-c", "import sys; print('up', flush=True); sys.stdin.read()")

@runner.session(python=False)
def last(session): ...
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@posix
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_run_that_a_signal_ended_is_reported(folder: Folder, number: signal.Signals, code: int):
    folder.envfile(WAITS)
    with folder.start("--report", "run.json,run.html", stdin=subprocess.PIPE) as run:
        assert run.stdout.readline() == "up\n"
        run.send_signal(number)
        _, err = run.communicate(timeout=60)

    assert run.returncode == code, err
    data = read(folder.root / "run.json")
    assert (data["exit_code"], data["interrupted_by"]) == (code, number.name)
    assert results(data) == {"first": "passed", "waits": "interrupted", "last": "skipped"}
    assert data["jobs"][1]["commands"][0]["returncode"] is None
    assert f"interrupted by {number.name}" in (folder.root / "run.html").read_text("utf-8")


IGNORES = """
import signal, time
signal.signal(signal.SIGINT, lambda *_: print("asked", flush=True))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
while True:
    time.sleep(0.1)  # a signal just before `pause` would not end it
"""


@posix
def test_a_second_ctrl_c_takes_no_report_away(folder: Folder):
    folder.write("ignores.py", IGNORES)
    folder.envfile(
        """
        @runner.session(python=False)
        def s(session):
            session.run("python", "ignores.py")
        """
    )
    with folder.start("--report", "run.json") as run:
        for line in ("up", "asked"):
            assert run.stdout.readline() == f"{line}\n"
            run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=60)

    assert run.returncode == 130, err
    assert results(read(folder.root / "run.json")) == {"s": "interrupted"}


@posix
def test_a_signal_between_two_jobs_ends_the_run_and_is_reported(folder: Folder):
    # Sent by what the scheduler itself calls, since from outside nobody hits that moment.
    folder.envfile(
        """
        import os, signal
        from runner import schedule

        @runner.session(python=False)
        def first(session):
            real = schedule._Queue.take_out_those_after
            def signalled(queue, names):
                os.kill(os.getpid(), signal.SIGTERM)
                return real(queue, names)
            schedule._Queue.take_out_those_after = signalled
            session.error("so that what waits for it is looked at")

        @runner.session(python=False)
        def last(session): ...
        """
    )

    done = folder.run("--report", "run.json")

    assert done.code == 143
    data = read(folder.root / "run.json")
    assert (data["interrupted_by"], results(data)) == (
        "SIGTERM",
        {"first": "failed", "last": "skipped"},
    )
    assert "not started: the run was interrupted" in done.err
    assert "Traceback" not in done.err


@posix
def test_of_a_run_that_was_killed_there_is_no_report_and_no_old_one(folder: Folder):
    folder.envfile(WAITS)
    folder.write("run.json", "old")
    with folder.start("--report", "run.json", stdin=subprocess.PIPE) as run:
        assert run.stdout.readline() == "up\n"
        run.kill()
        run.communicate(timeout=60)

    assert not (folder.root / "run.json").exists()


def test_a_closed_standard_error_takes_no_report_away(folder: Folder):
    folder.envfile(TWO)
    reading, writing = os.pipe()
    os.close(reading)

    done = folder.run("--report", "run.json", stderr=writing)

    os.close(writing)
    assert done.code == 1
    assert results(read(folder.root / "run.json")) == {"lint": "passed", "tests-odd": "failed"}


# GitHub. ---------------------------------------------------------------------------------------------


def in_github(folder: Folder, **more: str) -> Done:
    summary = str(folder.root / "summary")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary, **more}
    return folder.run(env={**env, "GITHUB_WORKSPACE": str(folder.root.parent)})


def test_a_step_of_github_gets_its_summary_and_annotations(folder: Folder):
    folder.envfile(TWO)

    done = in_github(folder)

    assert (
        "::error file=project/envfile.py,line=9,title=tests-odd%3A failed::"
        "python exited with code 3\n"
    ) in done.err
    assert "✗ failed | tests-odd" in (folder.root / "summary").read_text("utf-8")


def test_a_run_within_a_session_of_another_tells_github_nothing(folder: Folder):
    folder.envfile(TWO)

    done = in_github(folder, RUNENV_JOB="outer")

    assert "::error" not in done.err
    assert not (folder.root / "summary").exists()


CHATTY = """
    import sys

    @runner.session(python=False)
    def lint(session):
        session.run(sys.executable, "-c", "print('::notice::of lint', end='')", external=True)

    @runner.session(python=False)
    def tests(session):
        print("::notice::of tests", flush=True)
    """


@pytest.mark.parametrize("arguments", [[], ["-j", "2"]])
def test_each_job_is_a_group_in_the_log_of_github(folder: Folder, arguments: list[str]):
    folder.envfile(CHATTY)

    done = folder.run(*arguments, env={"GITHUB_ACTIONS": "true"}, stderr=subprocess.STDOUT)

    assert done.code == 0
    for job in ("lint", "tests"):
        group = re.search(rf"^::group::{job}\n(.*?)^::endgroup::\n", done.out, re.S | re.M)
        assert group
        assert f"::notice::of {job}\n" in group[1]
        assert "── " + job in group[1]
    assert done.out.count("::group::") == done.out.count("::endgroup::") == 2
    assert re.search(r"::endgroup::\n.*2 passed in [^\n]+\n$", done.out, re.S)


@pytest.mark.parametrize("arguments", [[], ["-j", "2"]])
def test_each_job_is_a_section_in_the_log_of_gitlab(folder: Folder, arguments: list[str]):
    folder.envfile(CHATTY)

    with folder.start(
        *arguments, env={"GITLAB_CI": "true"}, stderr=subprocess.STDOUT, text=False, encoding=None
    ) as process:
        out = process.communicate(timeout=60)[0].decode()  # type: ignore[attr-defined]  # bytes

    begins = re.findall(
        r"^\x1b\[0Ksection_start:\d+:(\w+)\[collapsed=true\]\r\x1b\[0K(\w+)\n", out, re.M
    )
    ends = re.findall(r"^\x1b\[0Ksection_end:\d+:(\w+)\r\x1b\[0K\n", out, re.M)
    assert sorted(name for _, name in begins) == ["lint", "tests"]
    assert [section for section, _ in begins] == ends


def test_a_job_that_a_signal_ends_is_a_whole_group(folder: Folder):
    folder.envfile(
        """
        import os, signal

        @runner.session(python=False)
        def lint(session):
            os.kill(os.getpid(), signal.SIGTERM)
        """
    )

    done = folder.run(env={"GITHUB_ACTIONS": "true"})

    assert done.code == 143
    assert done.err.count("::group::lint\n") == done.err.count("\n::endgroup::\n") == 1


@pytest.mark.parametrize("arguments", [["-q"], ["-q", "-j", "2"], ["--output", "live", "-j", "2"]])
def test_where_output_is_not_in_one_piece_there_are_no_groups(folder: Folder, arguments: list[str]):
    folder.envfile(CHATTY)

    done = folder.run(*arguments, env={"GITHUB_ACTIONS": "true"})

    assert "group::" not in done.out + done.err
