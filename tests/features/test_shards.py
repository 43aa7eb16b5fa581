"""`runenv --shard` and `--merge`: real shards of a real project, joined to one run."""

from __future__ import annotations

import json

from tests.conftest import Folder

PROJECT = """
    @runner.session(python=False)
    def build(session): ...

    @runner.session(python=False, requires=["build"])
    @runner.parametrize("n", [1, 2, 3])
    def tests(session, n):
        if str(n) in session.posargs:
            session.error("as asked")
    """


def run_shards(folder: Folder, *posargs: str) -> list[int]:
    """Run both shards by one plan; their exit codes."""
    folder.passes("--list", "--shard", "2", "--plan", "plan.json")
    return [
        folder.run(
            "--shard", f"{n}/2", "--plan", "plan.json", "--report", f"r{n}.json", "--", *posargs
        ).code
        for n in (1, 2)
    ]


def results(folder: Folder, file: str) -> dict[str, str]:
    report = json.loads((folder.root / file).read_text(encoding="utf-8"))
    return {job["name"]: job["result"] for job in report["jobs"]}


def test_the_shards_joined_are_what_one_run_would_have_been(folder: Folder):
    folder.envfile(PROJECT)

    assert run_shards(folder) == [0, 0]
    folder.passes("--merge", "r1.json", "r2.json", "--report", "all.json")
    folder.passes("--report", "one.json")

    assert results(folder, "all.json") == results(folder, "one.json")


def test_a_failure_in_one_shard_fails_the_whole(folder: Folder):
    folder.envfile(PROJECT)

    assert sorted(run_shards(folder, "3")) == [0, 1]
    done = folder.run("--merge", "r1.json", "r2.json", "--report", "all.json")

    assert done.code == 1
    assert results(folder, "all.json")["tests-n3"] == "failed"


def test_a_shard_without_a_report_is_a_failure(folder: Folder):
    folder.envfile(PROJECT)
    run_shards(folder)

    done = folder.run("--merge", "r1.json", "--report", "all.json")

    assert "error: shard 2/2 has sent no report" in done.err
    assert done.code == 1
    assert "interrupted" in results(folder, "all.json").values()


def test_a_shard_without_jobs_passes_and_says_so(folder: Folder):
    folder.envfile(PROJECT)

    done = folder.passes("--shard", "9/9")

    assert "shard 9/9 has no jobs: there are 4 for 9 machines\n" in done.err
