"""What `-j auto` stands for: the CPUs that may be used, and no more than our share of time fills."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.executors.cpus import filled, usable_cpus


def counted(folder: Path, ours: str, **files: str) -> int:
    """What is counted of eight CPUs where we are in these cgroups, and these are their files."""
    (folder / "ours").write_text(ours)
    for name, text in files.items():
        path = folder / "cgroup" / name.replace("__", "/").replace("_max", ".max")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return filled(8, str(folder / "cgroup"), str(folder / "ours"))


def test_without_cgroups_all_that_may_be_used_are_counted(tmp_path: Path):
    assert filled(8, str(tmp_path / "none"), str(tmp_path / "none")) == 8


def test_a_quota_of_version_2_counts(tmp_path: Path):
    assert counted(tmp_path, "0::/\n", cpu_max="200000 100000\n") == 2


def test_so_does_that_of_a_cgroup_above(tmp_path: Path):
    assert (
        counted(tmp_path, "0::/a/b\n", a__b__cpu_max="max 100000", a__cpu_max="300000 100000") == 3
    )


def test_no_quota_is_none(tmp_path: Path):
    assert counted(tmp_path, "0::/\n", cpu_max="max 100000\n") == 8


def test_a_part_of_a_cpu_counts_as_one(tmp_path: Path):
    assert counted(tmp_path, "0::/\n", cpu_max="150000 100000\n") == 2
    assert counted(tmp_path, "0::/\n", cpu_max="10000 100000\n") == 1


def test_a_quota_above_the_cpus_changes_nothing(tmp_path: Path):
    assert counted(tmp_path, "0::/\n", cpu_max="9900000 100000\n") == 8


@pytest.mark.parametrize("mounted", ["cpu,cpuacct", "cpu"])
def test_a_quota_of_version_1_counts_where_it_is_mounted(tmp_path: Path, mounted: str):
    folder = tmp_path / "cgroup" / mounted
    folder.mkdir(parents=True)
    (folder / "cpu.cfs_quota_us").write_text("400000\n")
    (folder / "cpu.cfs_period_us").write_text("100000\n")

    # In a container the path is the host's, and not there.
    assert counted(tmp_path, "4:cpu,cpuacct:/docker/0123\n3:memory:/x\n") == 4


def test_what_cannot_be_read_is_left_out(tmp_path: Path):
    assert counted(tmp_path, "nonsense\n0::/\n", cpu_max="what is this") == 8


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system has none")
def test_cpus_that_we_may_not_run_on_are_not_counted():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert usable_cpus() == 1
    finally:
        os.sched_setaffinity(0, allowed)
