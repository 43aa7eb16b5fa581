"""How jobs are split: disjoint, complete, always alike, even."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from runner.model import Job, Needs, SessionSpec
from runner.shards import Known, split

NEEDS = Needs(None, (), (), (), (), (), (), "", reuse=True)


def job(name: str, requires: tuple[str, ...] = (), shared: str = "") -> Job:
    spec = SessionSpec(name, print, "", "", (), False, (), NEEDS, (), (), requires, True)
    return Job(name, name, spec, None, (), (), requires, shared)


@given(
    st.dictionaries(st.integers(0, 30), st.floats(0, 100), max_size=25),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_each_job_is_in_one_shard_whatever_the_order(
    took: dict[int, float], count: int, chance: random.Random
):
    jobs = [
        job(f"j{n}", (f"j{n - 5}",) if n - 5 in took else (), f"e{n % 3}" if n % 2 else "")
        for n in took
    ]
    known = {f"j{n}": seconds for n, seconds in took.items() if n % 4}

    shards = split(jobs, jobs, count, Known(known, {}))
    mixed = chance.sample(jobs, len(jobs))
    again = split(mixed, mixed, count, Known(dict(reversed(known.items())), {}))

    assert sorted(n for shard in shards for n in shard.jobs) == sorted(j.name for j in jobs)
    assert [set(shard.jobs) for shard in shards] == [set(shard.jobs) for shard in again]


@given(st.integers(0, 10_000), st.integers(2, 8))
def test_shards_are_even_where_jobs_take_what_they_are_recorded_to(seed: int, count: int):
    chance = random.Random(seed)
    jobs = [job(f"j{n}", shared=f"e{n % 3}") for n in range(10 * count)]
    took = {each.name: chance.lognormvariate(1, 1) for each in jobs}

    shards = split(jobs, jobs, count, Known(took, {each.name: 1.0 for each in jobs}))

    # Each machine makes one environment at least, and all together each of them.
    bound = max((sum(took.values()) + max(3, count)) / count, max(took.values()) + 1)
    assert max(shard.estimate_s or 0 for shard in shards) <= 1.2 * bound
