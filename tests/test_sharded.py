"""Which of the selected jobs a machine runs."""

from __future__ import annotations

from pathlib import Path

from runner.command_line import parse
from runner.opening import open_project
from runner.running import Shard
from runner.selection import select
from runner.shard_plans import write_plan
from runner.sharded import part_of

ENVFILE = """
import runner

@runner.session
def build(session): ...

@runner.session(requires=["build"])
def tests(session): ...
"""


def test_what_is_named_counts_as_named_only_where_it_is_to_run(tmp_path: Path):
    (tmp_path / "envfile.py").write_text(ENVFILE, encoding="utf-8")
    plan = str(tmp_path / "plan.json")
    write_plan(plan, (Shard(("build",), (), None), Shard(("tests",), ("build",), None)))

    named = {}
    for shard in ("1/2", "2/2"):
        where = ("--directory", str(tmp_path), "--shard", shard, "--plan", plan)
        request = parse(["build", "tests", *where])
        project, settings = open_project(request, {})
        selected = select(project.jobs, settings)
        named[shard] = part_of(request, project, settings, selected, {})[0].named

    assert named == {"1/2": {"build"}, "2/2": {"tests"}}
