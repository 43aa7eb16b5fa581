"""`runenv --shard` and `--merge`: real shards of a real project, joined to one run."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.conftest import ROOT, Done, Folder

pytestmark = pytest.mark.measured

PROJECT = """
    import time

    @runner.session(python=False)
    def build(session):
        if "build" in session.posargs:
            session.error("as asked")

    @runner.session(python=False, requires=["build"])
    @runner.parametrize("n", [1, 2, 3, 4])
    def tests(session, n):
        if str(n) in session.posargs:
            session.error("as asked")

    @runner.session(python=False)
    def wait(session):
        if "wait" in session.posargs:
            print("waiting", flush=True)
            time.sleep(60)
    """
ALL = {"build", "tests-n1", "tests-n2", "tests-n3", "tests-n4", "wait"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, uv_cache: Path) -> Folder:
    """A project with a plan for three machines; nothing of it is changed."""
    root = tmp_path_factory.mktemp("sharded") / "project"
    root.mkdir()
    folder = Folder(root, root, uv_cache)
    folder.envfile(PROJECT)
    folder.passes("--list", "--shard", "3", "--plan", "plan.json")
    return folder


def run_shard(folder: Folder, number: int, *posargs: str, options: tuple[str, ...] = ()) -> Done:
    """Run one of three shards by the plan; its report is `r<number>.json`."""
    shard = ("--shard", f"{number}/3", "--plan", "plan.json", "--report", f"r{number}.json")
    return folder.run(*shard, *options, "--", *posargs)


def load(folder: Folder, file: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder.root / file).read_text(encoding="utf-8"))
    return data


def results(folder: Folder, file: str) -> dict[str, tuple[str, str]]:
    return {job["name"]: (job["result"], job["reason"]) for job in load(folder, file)["jobs"]}


@pytest.mark.parametrize(
    ("posargs", "codes"),
    [((), {0}), (("3",), {0, 1}), (("build",), {0, 1})],
    ids=["all pass", "one fails", "what others require fails"],
)
def test_three_shards_joined_are_what_one_run_would_have_been(
    project: Folder, posargs: tuple[str, ...], codes: set[int]
):
    shards = [run_shard(project, n, *posargs).code for n in (1, 2, 3)]
    whole = project.run("--merge", "r1.json", "r2.json", "r3.json", "--report", "all.json")
    one = project.run("--report", "one.json", "--", *posargs)

    assert set(shards) <= codes
    assert whole.code == one.code == max(codes)
    assert set(results(project, "one.json")) == ALL
    assert results(project, "all.json") == results(project, "one.json")


def test_a_plan_and_a_report_are_what_their_schemas_say(project: Folder):
    run_shard(project, 1)

    for file, schema in (("plan.json", "plan"), ("r1.json", "report")):
        text = (ROOT / "docs" / "reference" / f"{schema}.schema.json").read_text("utf-8")
        jsonschema.validate(load(project, file), json.loads(text))


def test_a_shard_of_which_no_report_came_is_a_failure(project: Folder):
    run_shard(project, 1)
    run_shard(project, 3)

    done = project.run("--merge", "r1.json", "r3.json", "--report", "some.json")

    lost = load(project, "plan.json")["shards"][1]["jobs"]
    told = done.err.partition("error: ")[2].splitlines()[0]
    assert told == f"shard 2/3 sent no report: nobody knows of {', '.join(lost)}"
    assert done.code == 1
    for name, (result, reason) in results(project, "some.json").items():
        lost_here = ("interrupted", "shard 2/3 has sent no report")
        assert (result, reason) == (lost_here if name in lost else ("passed", ""))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_a_shard_that_was_ended_by_a_signal_ends_the_whole(project: Folder):
    shards = load(project, "plan.json")["shards"]
    number = next(n for n, shard in enumerate(shards, 1) if "wait" in shard["jobs"])
    options = ("--shard", f"{number}/3", "--plan", "plan.json", "--report", "ended.json")
    with project.start(*options, "--", "wait") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGTERM)
        process.communicate()
    others = [n for n in (1, 2, 3) if n != number]
    for other in others:
        run_shard(project, other, "wait")

    reports = ["ended.json", *(f"r{other}.json" for other in others)]
    done = project.run("--merge", *reports, "--report", "all.json")

    assert process.returncode == done.code == 143
    assert results(project, "all.json")["wait"] == ("interrupted", "SIGTERM")
    assert load(project, "all.json")["interrupted_by"] == "SIGTERM"


def test_a_shard_without_jobs_passes_and_says_so(project: Folder):
    done = project.passes("--shard", "9/9", "--report", "empty.json")

    assert done.err == "shard 9/9 has no jobs: there are 6 for 9 machines\n"
    assert load(project, "empty.json")["jobs"] == []


def test_that_a_shard_without_jobs_has_nothing_to_explain_is_said(project: Folder):
    done = project.passes("--explain", "--shard", "9/9")

    assert done.err == "shard 9/9 has no jobs: there are 6 for 9 machines\n"


def test_a_shard_may_run_several_jobs_at_once(project: Folder):
    done = run_shard(project, 1, options=("-j", "2"))

    shard = load(project, "plan.json")["shards"][0]
    assert done.code == 0
    assert set(results(project, "r1.json")) == {*shard["jobs"], *shard["requires"]}


def test_what_a_shard_would_run_is_listed_and_explained(project: Folder):
    shard = load(project, "plan.json")["shards"][1]
    asked = ("--shard", "2/3", "--plan", "plan.json")

    listed = project.passes("--list", *asked).out.splitlines()
    explained = json.loads(project.passes("--explain", "--json", *asked).out)

    there = [*shard["jobs"], *(f"{name} (required)" for name in shard["requires"])]
    assert [line.strip() for line in listed[1:]] == there
    assert {job["job"] for job in explained["jobs"]} == {*shard["jobs"], *shard["requires"]}


def test_a_matrix_can_have_a_fixed_number_of_entries(project: Folder):
    out = project.passes("--matrix", "github", "--shard", "3", "--envdir", "new").out

    packs = [entry["jobs"].split() for entry in json.loads(out)["include"]]
    assert len(packs) == 3
    assert sorted(name for pack in packs for name in pack) == sorted(ALL)


def test_a_matrix_as_json_has_each_shard_once(project: Folder):
    out = project.passes("--matrix", "json", "--shard", "3", "--envdir", "new").out

    schema = (ROOT / "docs" / "reference" / "matrix.schema.json").read_text("utf-8")
    jsonschema.validate(json.loads(out), json.loads(schema))
    entries = json.loads(out)["entries"]
    assert [(e["jobs"], e["requires"], e["environment"]) for e in entries] == [
        ("build tests-n1 tests-n4", [], None),
        ("tests-n2 wait", ["build"], None),
        ("tests-n3", ["build"], None),
    ]


def test_a_matrix_as_json_names_the_environment_that_all_jobs_of_an_entry_have(folder: Folder):
    folder.envfile(
        """
        @runner.session(environment="dev")
        def a(session): ...

        @runner.session(environment="dev")
        def b(session): ...

        @runner.session
        def c(session): ...
        """
    )

    found = [
        json.loads(folder.passes("--matrix", "json", "--shard", "1", *names).out)["entries"]
        for names in (["a", "b"], ["a", "c"])
    ]

    assert [entry["environment"] for (entry,) in found] == ["dev", None]


def test_a_matrix_can_be_of_one_shard(project: Folder):
    listed = project.passes("--list", "--shard", "2/3").out.splitlines()[1:]
    entries = json.loads(project.passes("--matrix", "github", "--shard", "2/3").out)["include"]

    own = [line.strip() for line in listed if not line.endswith("(required)")]
    assert [entry["jobs"] for entry in entries] == own


@pytest.mark.parametrize(("store", "longest"), [("none", 41.0), ("", 21.0)])
def test_what_is_declared_alike_is_made_once_where_there_is_a_store(
    folder: Folder, store: str, longest: float
):
    folder.envfile(
        "@runner.session\n@runner.parametrize('n', [1, 2, 3, 4])\ndef s(session, n): ...\n"
    )
    jobs = [[f"s-n{n}", "passed", 20.5, 0, 20.0, 20.0] for n in (1, 2, 3, 4)]
    folder.write(".runenv/.history", json.dumps({"at": 1.0, "jobs": jobs}))
    env = {"RUNENV_STORE": store} if store else {}

    out = folder.passes("--list", "--shard", "2", "--json", env=env).out

    assert max(shard["estimate_s"] for shard in json.loads(out)["shards"]) == longest


WITH_OPTION = """
    @runner.session(python=False)
    def release(session, *, part: str = "minor"): ...
    """


def test_jobs_with_options_of_their_own_take_what_such_took(folder: Folder):
    folder.envfile(WITH_OPTION)
    for seconds, more in ((90.0, {"narrowed": True}), (5.0, {})):
        line = json.dumps({"at": 1.0, "jobs": [["release", "passed", seconds]], **more})
        with (folder.root / ".history").open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")

    asked = ("--list", "--shard", "1", "--json", "--envdir", ".")
    without = folder.passes(*asked, "release").out
    with_option = folder.passes(*asked, "release", "--part", "major").out

    estimates = [json.loads(out)["shards"][0]["estimate_s"] for out in (without, with_option)]
    assert estimates == [5.0, 90.0]


def test_a_runenv_within_a_shard_runs_all_that_it_is_asked_for(folder: Folder):
    folder.write(
        "inner/envfile.py",
        """
        import runner

        @runner.session(python=False)
        @runner.parametrize("n", [1, 2])
        def inner(session, n):
            print("inner", n, flush=True)
        """,
    )
    folder.envfile(
        f"""
        @runner.session(python=False)
        def outer(session):
            session.run({sys.executable!r}, "-m", "runner", "-C", "inner", env={{"PYTHONPATH": {str(ROOT)!r}}})
        """
    )

    done = folder.passes(env={"RUNENV_SHARD": "1/2"})

    assert done.out.splitlines() == ["inner 1", "inner 2"]


# Joining. --------------------------------------------------------------------------------


@pytest.fixture
def reports(project: Folder, folder: Folder) -> Folder:
    """A checkout on the machine that joins, with the reports of the other three."""
    folder.envfile(PROJECT)
    for number in (1, 2, 3):
        if not (project.root / f"r{number}.json").exists():
            run_shard(project, number)
        data = load(project, f"r{number}.json")
        for job in data["jobs"]:
            job |= {"result": "passed", "reason": ""}
        data |= {"exit_code": 0, "posargs": [], "interrupted_by": ""}
        (folder.root / f"r{number}.json").write_text(json.dumps(data), encoding="utf-8")
    return folder


def test_the_next_split_knows_what_each_job_took_on_another_machine(reports: Folder):
    took = {"wait": 90.0, "tests-n4": 30.0, "tests-n3": 30.0, "tests-n2": 15.0}
    for number in (1, 2, 3):
        data = load(reports, f"r{number}.json")
        for job in data["jobs"]:
            job["duration_s"] = took.get(job["name"], 10.0)
        (reports.root / f"r{number}.json").write_text(json.dumps(data), encoding="utf-8")

    reports.passes("--merge", "r1.json", "r2.json", "r3.json")
    shards = json.loads(reports.passes("--list", "--shard", "2", "--json").out)["shards"]

    assert [(set(shard["jobs"]), shard["estimate_s"]) for shard in shards] == [
        ({"wait"}, 90.0),
        (ALL - {"wait"}, 95.0),
    ]


def test_the_whole_is_remembered_as_narrowed_where_a_job_had_options_of_its_own(folder: Folder):
    folder.envfile(WITH_OPTION)
    folder.passes("--shard", "1/1", "--report", "r.json", "release", "--part", "major")
    history = folder.root / ".runenv" / ".history"
    history.unlink()

    folder.passes("--merge", "r.json")

    assert json.loads(history.read_text(encoding="utf-8"))["narrowed"] is True


def test_the_whole_is_remembered_as_each_machine_remembers_its_part(reports: Folder):
    made = {
        "state": "created",
        "reason": "",
        "path": "/e",
        "python": "cpython 3.13.0",
        "started_s": 0.0,
        "duration_s": 4.0,
        "from_store": False,
    }
    data = load(reports, "r1.json")
    first, last = data["jobs"][0], data["jobs"][-1]
    environments = [{**made, "ahead": True}, {**made, "ahead": False, "duration_s": 2.0}]
    first |= {"duration_s": 9.0, "environments": environments}
    last |= {"result": "skipped", "started_s": None, "duration_s": 0.0}
    (reports.root / "r1.json").write_text(json.dumps(data), encoding="utf-8")

    reports.run("--merge", "r1.json", "r2.json", "r3.json")

    history = (reports.root / ".runenv" / ".history").read_text(encoding="utf-8")
    jobs = {name: rest for name, *rest in json.loads(history)["jobs"]}
    assert jobs[first["name"]][0] == "passed"
    assert jobs[first["name"]][1:2] + jobs[first["name"]][3:] == [9.0, 6.0, 2.0]
    assert jobs[last["name"]][:2] == ["not started", 0.0]


def test_the_summary_of_github_has_the_whole_and_nothing_is_annotated_twice(reports: Folder):
    summary = reports.root / "summary"
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}

    done = reports.run("--merge", "r1.json", "r2.json", env=env)

    assert "**no report of shard 3/3**" in summary.read_text(encoding="utf-8")
    assert "::error" not in done.err


def test_a_report_of_an_earlier_run_never_passes_for_one_that_was_refused(reports: Folder):
    reports.write("all.html", "of yesterday")

    done = reports.run("--merge", "r1.json", "r1.json", "gone.json", "--report", "all.html")

    assert done.code == 2
    assert not (reports.root / "all.html").exists()


@pytest.mark.parametrize(("codes", "code"), [((0, 0, 0), 1), ((0, 124, 0), 124)])
def test_that_a_report_cannot_be_written_takes_no_exit_code_away(
    reports: Folder, codes: tuple[int, ...], code: int
):
    for number, shard_code in enumerate(codes, 1):
        data = {**load(reports, f"r{number}.json"), "exit_code": shard_code}
        (reports.root / f"r{number}.json").write_text(json.dumps(data), encoding="utf-8")
    name = f"{'x' * 245}.html"  # beside which there is no room for a longer name

    done = reports.run("--merge", "r1.json", "r2.json", "r3.json", "--report", name)

    assert f"error: the report {name} cannot be written" in done.err
    assert done.code == code


def test_a_pattern_that_no_shell_has_replaced_means_the_files(reports: Folder):
    assert "6 passed" in reports.passes("--merge", "r[1-9].json").err


def test_a_file_that_is_there_is_meant_though_its_name_is_a_pattern(reports: Folder):
    os.rename(reports.root / "r1.json", reports.root / "r[2].json")

    assert "6 passed" in reports.passes("--merge", "r[2].json", "r2.json", "r3.json").err


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes")
def test_reports_of_any_name_can_be_joined(reports: Folder):
    odd = os.fsdecode(b"a\nb \xff.json")
    os.rename(reports.root / "r1.json", reports.root / odd)

    assert reports.passes("--merge", odd, "r2.json", "./r3.json").out == ""
    done = reports.run("--merge", odd, "./r3.json", "r3.json")

    assert "./r3.json and r3.json are both of shard 3/3" in done.err
