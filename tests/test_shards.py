"""How jobs are split: disjoint, complete, always alike, even."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model import Job, Needs, SessionSpec
from runner.running import Shard
from runner.shards import Known, estimates_s, split

NEEDS = Needs(None, (), (), (), (), (), (), "", reuse=True)


def job(name: str, requires: tuple[str, ...] = (), shared: str = "", backend: str = "uv") -> Job:
    needs = NEEDS._replace(backend=backend)
    spec = SessionSpec(name, print, "", "", (), False, (), needs, (), (), requires, True)
    return Job(name, name, spec, None, (), (), requires, shared)


def bare(**took: float) -> list[Job]:
    """Jobs without environments."""
    return [job(name, backend="none") for name in took]


def names(shards: tuple[Shard, ...]) -> list[tuple[str, ...]]:
    return [shard.jobs for shard in shards]


# For all that there may be. --------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.integers(0, 30), st.floats(0, 100), max_size=25),
    st.sets(st.integers(0, 30)),
    st.integers(1, 8),
    st.randoms(use_true_random=False),
)
def test_each_selected_job_is_in_one_shard_whatever_the_order(
    took: dict[int, float], left: set[int], count: int, chance: random.Random
):
    jobs = [
        job(f"j{n}", (f"j{n - 5}",) if n - 5 in took else (), f"e{n % 3}" if n % 2 else "")
        for n in took
    ]
    selected = [each for each in jobs if int(each.name[1:]) not in left]
    known = {f"j{n}": seconds for n, seconds in took.items() if n % 4}

    shards = split(jobs, selected, count, Known(known, {}))
    again = split(
        chance.sample(jobs, len(jobs)),
        chance.sample(selected, len(selected)),
        count,
        Known(dict(reversed(known.items())), {}),
    )

    assert len(shards) == count
    assert sorted(n for shard in shards for n in shard.jobs) == sorted(j.name for j in selected)
    assert [(set(s.jobs), set(s.requires), s.estimate_s) for s in shards] == [
        (set(s.jobs), set(s.requires), s.estimate_s) for s in again
    ]
    requires = {each.name: each.requires for each in jobs}
    for shard in shards:
        there = {*shard.jobs, *shard.requires}
        assert not set(shard.jobs) & set(shard.requires)
        assert all(name in there for each in there for name in requires[each])


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(2, 8),
    st.sampled_from(["lognormal", "few long", "alike"]),
)
def test_shards_are_even_where_jobs_take_what_they_are_recorded_to(
    seed: int, count: int, like: str
):
    chance = random.Random(seed)
    draw = {
        "lognormal": lambda: chance.lognormvariate(1, 1),
        "few long": lambda: chance.choice([0.5, 0.5, 0.5, 30.0]),
        "alike": lambda: chance.uniform(0.9, 1.1),
    }[like]
    jobs = [job(f"j{n}", shared=f"e{n % 3}") for n in range(10 * count)]
    took = {each.name: draw() for each in jobs}

    shards = split(jobs, jobs, count, Known(took, {each.name: 1.0 for each in jobs}))

    # Each machine makes one environment at least, and all together each of them. Of one
    # more than k jobs for each machine, one machine has more than k.
    longest = sorted(took.values(), reverse=True)
    crowded = [sum(longest[k * count - k : k * count + 1]) + 1 for k in range(10)]
    bound = max((sum(longest) + max(3, count)) / count, *crowded)
    assert max(shard.estimate_s or 0 for shard in shards) <= 1.2 * bound


# What stays together. --------------------------------------------------------------------


def test_the_longest_is_placed_first():
    took = {"a": 5.0, "b": 4.0, "c": 3.0, "d": 3.0, "e": 3.0}

    shards = split(bare(**took), bare(**took), 2, Known(took, {}))

    assert {frozenset(shard.jobs): shard.estimate_s for shard in shards} == {
        frozenset("ab"): 9.0,
        frozenset("cde"): 9.0,
    }


def test_an_environment_is_made_once_on_a_machine():
    jobs = [job(f"{env}{n}", shared=env) for env in "ab" for n in range(3)]
    took, making = {each.name: 1.0 for each in jobs}, {"a0": 10.0, "b0": 10.0}

    shards = split(jobs, jobs, 2, Known(took, making))

    assert sorted(names(shards)) == [("a0", "a1", "a2"), ("b0", "b1", "b2")]
    assert [shard.estimate_s for shard in shards] == [13.0, 13.0]


def test_of_environments_that_take_long_not_all_are_made_on_each_machine():
    chance = random.Random(1)
    jobs = [job(f"j{n}", shared=f"e{chance.randrange(5)}") for n in range(120)]
    took = {each.name: chance.lognormvariate(1, 1) for each in jobs}

    shards = split(jobs, jobs, 8, Known(took, {each.name: 20.0 for each in jobs}))

    # One of them on each machine, nothing done in vain.
    assert max(shard.estimate_s or 0 for shard in shards) <= 1.3 * (sum(took.values()) / 8 + 20)


def test_what_is_declared_alike_can_be_made_once():
    jobs = [job(f"{env}{n}") for env in "ab" for n in range(3)]
    took, making = {each.name: 1.0 for each in jobs}, {each.name: 10.0 for each in jobs}

    shards = split(jobs, jobs, 2, Known(took, making), lambda one: one.name[0])

    assert [shard.estimate_s for shard in shards] == [13.0, 13.0]


def test_what_is_required_runs_where_it_is_needed_and_is_owned_once():
    build = job("build", backend="none")
    tests = [job(f"t{n}", ("build",), backend="none") for n in range(2)]
    took = {"build": 1.0, "t0": 5.0, "t1": 5.0}

    shards = split([build, *tests], [build, *tests], 2, Known(took, {}))

    assert shards == (Shard(("build", "t0"), (), 6.0), Shard(("t1",), ("build",), 6.0))


def test_what_is_required_and_not_selected_is_nobodys_own():
    build, tests = job("build", backend="none"), job("t", ("build",), backend="none")

    assert split([build, tests], [tests], 1, Known({}, {})) == (Shard(("t",), ("build",), None),)


def test_jobs_that_require_the_same_stay_together_where_that_is_faster():
    jobs = [job("build", backend="none")]
    jobs += [job(f"t{n}", ("build",), backend="none") for n in range(2)]
    jobs += bare(lint=0, docs=0)
    took = {"build": 10.0, "t0": 1.0, "t1": 1.0, "lint": 6.0, "docs": 6.0}

    shards = split(jobs, jobs, 2, Known(took, {}))

    assert {frozenset(shard.jobs) for shard in shards} == {
        frozenset({"build", "t0", "t1"}),
        frozenset({"lint", "docs"}),
    }


def test_of_two_ways_the_one_that_ends_first_is_taken():
    shared = {"a": "x", "b": "y", "c": "z", "d": "y", "e": "z", "f": "x", "g": "x"}
    jobs = [job(name, shared=env) for name, env in shared.items()]
    took = {"a": 5.0, "b": 3.0, "c": 8.0, "d": 4.0, "e": 4.0, "f": 8.0, "g": 5.0}
    making = {"a": 3.0, "b": 5.0, "c": 3.0}

    shards = split(jobs, jobs, 2, Known(took, making))

    # Whole environments side by side take 27 and 21 s: less together, and longer.
    assert [(shard.jobs, shard.estimate_s) for shard in shards] == [
        (("c", "e", "f"), 26.0),
        (("a", "b", "d", "g"), 25.0),
    ]


# What is not known. ----------------------------------------------------------------------


def test_a_job_that_is_not_known_takes_as_long_as_the_median():
    took = {"a": 1.0, "b": 8.0, "c": 9.0}
    jobs = bare(**took, new=0)

    (shard,) = split(jobs, jobs, 1, Known(took, {}))

    assert shard.estimate_s == 26.0


def test_where_nothing_is_known_jobs_count_alike():
    jobs = bare(a=0, b=0, c=0, d=0)

    shards = split(jobs, jobs, 2, Known({}, {}))

    assert [(len(shard.jobs), shard.estimate_s) for shard in shards] == [(2, None), (2, None)]


def test_jobs_that_took_no_time_are_shared_out_by_their_number():
    took = dict.fromkeys("abcdef", 0.0)

    shards = split(bare(**took), bare(**took), 3, Known(took, {}))

    assert [len(shard.jobs) for shard in shards] == [2, 2, 2]


def test_machines_without_jobs_are_the_last():
    jobs = bare(a=0)

    assert split(jobs, jobs, 3, Known({"a": 1.0}, {})) == (
        Shard(("a",), (), 1.0),
        Shard((), (), 0.0),
        Shard((), (), 0.0),
    )


def test_of_nothing_all_shards_are_empty():
    assert split([], [], 2, Known({}, {})) == (Shard((), (), None), Shard((), (), None))


# Estimates. ------------------------------------------------------------------------------


def test_an_estimate_counts_what_is_required_and_made():
    build, tests = job("build", backend="none"), job("t", ("build",))
    known = Known({"build": 1.0, "t": 2.0}, {"t": 4.0})

    assert estimates_s([build, tests], [(tests,), (build,), (build, tests)], known) == [7, 1, 7]


def test_where_nothing_is_known_there_is_no_estimate():
    (one,) = bare(a=0)

    assert estimates_s([one], [(one,)], Known({}, {})) == [None]
