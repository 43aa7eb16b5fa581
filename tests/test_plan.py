"""Names of jobs, what they require, and the order of a plan."""

from __future__ import annotations

from typing import Any

from runner.model import (
    Axis,
    Job,
    Needs,
    Param,
    SessionSpec,
)
from runner.plan import expand, find_cycles, make_plan

NEEDS = Needs(None, (), (), (), (), (), (), "", True)


def spec(name: str = "tests", *axes: Axis, **changes: Any) -> SessionSpec:
    plain = SessionSpec(name, print, "envfile.py:1", "", (), False, axes, NEEDS, (), (), (), True)
    return plain._replace(**changes)


def axis(names: str, *params: Param | object) -> Axis:
    made = (p if isinstance(p, Param) else Param((p,)) for p in params)
    return Axis(tuple(names.split(",")), tuple(made), "envfile.py:1")


def jobs_of(*specs: SessionSpec, found: tuple[str, ...] = ()) -> tuple[Job, ...]:
    notes: list[tuple[str, str, str]] = []
    jobs = expand(specs, lambda range: found, lambda *note: notes.append(note))
    assert notes == []
    return jobs


def names_of(*specs: SessionSpec, found: tuple[str, ...] = ()) -> list[str]:
    return [job.name for job in jobs_of(*specs, found=found)]


def notes_of(*specs: SessionSpec) -> list[tuple[str, str]]:
    notes: list[tuple[str, str]] = []
    expand(specs, lambda range: (), lambda where, what, mend: notes.append((what, mend)))
    return notes


def test_a_plain_session_is_one_job_of_its_name():
    assert names_of(spec("lint")) == ["lint"]


def test_one_python_does_not_stand_in_the_name():
    assert names_of(spec(pythons=("3.12",))) == ["tests"]


def test_pythons_in_a_list_stand_in_the_names():
    assert names_of(spec(pythons=("3.10", "3.13"), names_python=True)) == [
        "tests-3.10",
        "tests-3.13",
    ]


def test_a_range_in_a_list_is_a_job_for_each_python_found():
    ranged = spec(pythons=(">=3.10",), names_python=True)

    assert names_of(ranged, found=("3.11", "3.12")) == ["tests-3.11", "tests-3.12"]


def test_a_range_that_finds_nothing_stays_a_job():
    (job,) = jobs_of(spec(pythons=(">=3.99",), names_python=True))

    assert (job.name, job.python) == ("tests-3.99", ">=3.99")


def test_a_range_in_a_row_is_a_job_for_each_python_found():
    rows = axis("python,n", Param((">=3.11", 1)), Param(("3.10", 2)))._replace(python_at=0)
    ranged = spec("tests", rows, pythons=(">=3.11", "3.10"), names_python=True)

    assert names_of(ranged, found=("3.11", "3.12")) == [
        "tests-3.11-n1",
        "tests-3.12-n1",
        "tests-3.10-n2",
    ]


def test_a_range_does_not_repeat_a_python_that_is_named_too():
    ranged = spec(pythons=("3.12", ">=3.11"), names_python=True)

    assert names_of(ranged, found=("3.11", "3.12")) == ["tests-3.12", "tests-3.11"]


def test_a_word_is_its_own_label():
    assert names_of(spec("tests", axis("api", "old", "new"))) == ["tests-old", "tests-new"]


def test_a_number_is_labelled_with_its_argument():
    assert names_of(spec("tests", axis("django", "4.2", 5))) == ["tests-django4.2", "tests-django5"]


def test_truth_and_nothing_are_labelled_with_their_argument():
    assert names_of(spec("x", axis("draft", True, None))) == ["x-draftTrue", "x-draftNone"]


def test_unsafe_characters_become_underscores():
    assert names_of(spec("x", axis("api", "requests<2.30"))) == ["x-requests_2.30"]


def test_a_function_is_labelled_with_its_name():
    assert names_of(spec("x", axis("by", len, int))) == ["x-len", "x-int"]


def test_a_value_without_a_short_text_is_labelled_with_its_number():
    assert names_of(spec("x", axis("config", {"a": 1}, {"b": 2}))) == ["x-config0", "x-config1"]


def test_a_number_of_thousands_of_digits_is_labelled_with_its_number():
    assert names_of(spec("tests", axis("api", 10**5000))) in (
        ["tests-api0"],
        [f"tests-api{'1' + '0' * 5000}"],  # by a Python that writes it
    )


def test_a_value_that_cannot_be_shown_is_no_mistake():
    class Broken:
        def __repr__(self) -> str:
            raise ValueError

    job = jobs_of(spec("tests", axis("api", Broken())))[0]

    assert (job.name, job.nox_name) == ("tests-api0", "tests(api=<Broken>)")


def test_an_id_is_the_label():
    assert names_of(spec("x", axis("api", Param(("requests<2.30",), "old")))) == ["x-old"]


def test_several_arguments_of_one_set_make_one_label():
    assert names_of(spec("x", axis("a,b", Param(("one", 2))))) == ["x-one-b2"]


def test_stacked_axes_multiply():
    stacked = spec("x", axis("a", "p", "q"), axis("b", "r", "s"))

    assert names_of(stacked) == ["x-p-r", "x-p-s", "x-q-r", "x-q-s"]


def test_python_comes_before_parameters():
    both = spec("tests", axis("api", "old"), pythons=("3.13",), names_python=True)

    assert names_of(both) == ["tests-3.13-old"]


def test_nox_spelling_shows_name_and_value():
    (job,) = jobs_of(spec("tests", axis("api", "old"), pythons=("3.13",), names_python=True))

    assert job.nox_name == "tests-3.13(api='old')"


def test_nox_spelling_shows_an_id_alone():
    (job,) = jobs_of(
        spec(
            "tests",
            axis(
                "api",
                Param(("x",), "old"),
            ),
            axis("n", 1),
        )
    )

    assert job.nox_name == "tests(old, n=1)"


def test_arguments_are_those_of_all_axes():
    (job,) = jobs_of(spec("x", axis("a,b", Param((1, 2))), axis("c", 3)))

    assert job.arguments == (("a", 1), ("b", 2), ("c", 3))


def test_tags_of_a_parameter_join_the_sessions():
    (job,) = jobs_of(spec("x", axis("a", Param((1,), None, ("slow", "ci"))), tags=("ci",)))

    assert job.tags == ("ci", "slow")


def test_equal_names_are_a_mistake_that_asks_for_an_id():
    notes = notes_of(spec("x", axis("a", "b c", "b_c")))

    assert notes == [
        ("two jobs are named 'x-b_c'", "tell them apart with runner.param(..., id=...): x(a='b_c')")
    ]


def test_a_job_named_like_another_session_is_a_mistake():
    notes = notes_of(spec("tests-old"), spec("tests", axis("api", "old")))

    assert notes[0][0] == (
        "two jobs are named 'tests-old'; the other is of session 'tests-old', envfile.py:1"
    )


def test_a_required_family_means_all_its_jobs():
    build = spec("build", pythons=("3.10", "3.13"), names_python=True)

    assert jobs_of(build, spec("x", requires=("build",)))[-1].requires == (
        "build-3.10",
        "build-3.13",
    )


def test_python_is_filled_into_requires():
    build = spec("build", pythons=("3.10", "3.13"), names_python=True)
    tests = spec(pythons=("3.13",), names_python=True, requires=("build-{python}",))

    assert jobs_of(build, tests)[-1].requires == ("build-3.13",)


def test_required_family_on_one_python_means_all_its_parameters():
    build = spec("build", axis("kind", "a", "b"), pythons=("3.13",), names_python=True)

    assert jobs_of(build, spec("x", requires=("build-3.13",)))[-1].requires == (
        "build-3.13-a",
        "build-3.13-b",
    )


def test_what_is_required_on_a_python_of_a_range_that_is_not_here_is_no_mistake():
    ranged = spec("tests", axis("n", "a", "b"), pythons=(">=3.10",), names_python=True)
    names = ("tests-3.13", "tests-3.13-a", "tests-3.13(n='b')")
    docs = [spec(f"d{number}", requires=(name,)) for number, name in enumerate(names)]

    jobs = jobs_of(ranged, *docs, found=("3.12",))

    assert [(job.requires, job.absent) for job in jobs[-3:]] == [
        ((), (name, "3.13")) for name in names
    ]


def test_what_no_python_would_bring_is_a_mistake():
    ranged = spec("tests", axis("n", "a"), pythons=(">=3.10",), names_python=True)

    for name in ("tests-3.9", "tests-3.13-c", "tests-3", "tests-3.13.1", "tests-", "test-3.13"):
        (what, _), *_ = notes_of(ranged, spec("docs", requires=(name,)))
        assert what == f"session 'docs' requires {name!r}, which no session is named"


def test_requires_understands_nox_spelling():
    build = spec("build", axis("kind", "a", "b"))

    assert jobs_of(build, spec("x", requires=("build(kind='b')",)))[-1].requires == ("build-b",)


def test_requiring_what_is_not_there_is_a_mistake_with_the_near_name():
    assert notes_of(spec("build"), spec("docs", requires=("biuld",))) == [
        ("session 'docs' requires 'biuld', which no session is named", "did you mean 'build'?")
    ]


def test_requiring_what_is_not_there_is_told_once_for_a_session():
    many = spec(pythons=("3.10", "3.13"), names_python=True, requires=("zzz",))

    assert notes_of(many) == [
        (
            "session 'tests' requires 'zzz', which no session is named",
            "there are tests",
        )
    ]


def test_python_to_fill_in_without_a_python_is_a_mistake():
    assert notes_of(spec("build-"), spec("x", requires=("build-{python}",))) == [
        (
            "session 'x' requires 'build-{python}' but has no python to fill in",
            "declare its python, or write the name out",
        )
    ]


def test_a_cycle_is_named_in_full():
    notes = notes_of(
        spec("a", requires=("b",)), spec("b", requires=("c",)), spec("c", requires=("a",))
    )

    assert notes == [
        ("these require each other: a -> b -> c -> a", "take one of the requires away")
    ]


def test_a_session_that_requires_itself_is_a_cycle():
    assert find_cycles({"a": ["a"]}) == [["a"]]


def test_a_diamond_is_no_cycle():
    assert find_cycles({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}) == []


def test_a_chain_of_five_thousand_has_no_cycle():
    names = [f"j{n}" for n in range(5000)]

    assert find_cycles({name: names[n + 1 : n + 2] for n, name in enumerate(names)}) == []


def planned(asked: list[str], **requires: tuple[str, ...]) -> list[str]:
    jobs = jobs_of(*(spec(name, requires=needed) for name, needed in requires.items()))
    selected = [job for name in asked for job in jobs if job.name == name]
    return [job.name for job in make_plan(jobs, selected, frozenset(asked)).jobs]


def test_a_plan_keeps_the_order_asked_for():
    assert planned(["c", "a", "b"], a=(), b=(), c=()) == ["c", "a", "b"]


def test_what_is_required_comes_before():
    assert planned(["tests"], lint=(), tests=("lint",)) == ["lint", "tests"]


def test_requirements_of_requirements_come_first():
    assert planned(["c"], c=("b",), b=("a",), a=()) == ["a", "b", "c"]


def test_each_job_is_planned_once():
    assert planned(["b", "c", "a"], a=(), b=("a",), c=("a",)) == ["a", "b", "c"]


def test_what_a_job_follows_comes_before_it_and_is_not_added():
    jobs = jobs_of(spec("c", after=("a", "b")), spec("a"), spec("b"))
    chosen = [job for job in jobs if job.name != "b"]

    assert [job.name for job in make_plan(jobs, chosen, frozenset()).jobs] == ["a", "c"]


def test_what_is_required_may_follow_what_was_asked_for():
    jobs = jobs_of(
        spec("top", requires=("low",)), spec("low", after=("asked",)), spec("asked"), spec("else")
    )

    plan = make_plan(jobs, [jobs[0], jobs[2]], frozenset())

    assert [job.name for job in plan.jobs] == ["asked", "low", "top"]


def after_of(*specs: SessionSpec) -> dict[str, tuple[str, ...]]:
    return {job.name: job.after for job in jobs_of(*specs)}


def test_after_takes_names_of_jobs_families_and_patterns():
    tests = spec("tests", pythons=("3.11", "3.12"), names_python=True)

    assert after_of(
        tests,
        spec("a", after=("tests",)),
        spec("b", after=("tests-3.12",)),
        spec("c", after=("*-3.11", "[ab]")),
    ) == {
        "tests-3.11": (),
        "tests-3.12": (),
        "a": ("tests-3.11", "tests-3.12"),
        "b": ("tests-3.12",),
        "c": ("tests-3.11", "a", "b"),
    }


def test_after_knows_the_python_of_the_job():
    both = {"pythons": ("3.11", "3.12"), "names_python": True}
    found = after_of(spec("tests", **both), spec("report", after=("tests-{python}",), **both))

    assert found["report-3.12"] == ("tests-3.12",)


def test_a_job_does_not_follow_itself_or_what_it_requires():
    assert after_of(spec("a"), spec("b", after=("*",), requires=("a",))) == {"a": (), "b": ()}


def test_what_is_followed_may_lack_its_python_here():
    tests = spec("tests", pythons=(">=3.10",), names_python=True)

    jobs = jobs_of(tests, spec("report", after=("tests-3.99",)), found=("3.12",))

    assert jobs[-1].after == ()


def test_an_unknown_name_or_pattern_to_follow_is_noted_once():
    both = {"pythons": ("3.11", "3.12"), "names_python": True}

    assert notes_of(spec("build"), spec("docs", after=("biuld", "x-*"), **both)) == [
        ("session 'docs' comes after 'biuld', which no session is named", "did you mean 'build'?"),
        ("session 'docs' comes after 'x-*', which no session is named", "there are build, docs"),
    ]


def test_a_circle_of_what_is_followed_is_noted():
    assert notes_of(spec("a", after=("b",)), spec("b", requires=("a",))) == [
        ("these come after each other: a -> b -> a", "take one of the after or requires away")
    ]


# Environments that sessions share. ------------------------------------------------------


def sharing(name: str, where: str = "envfile.py:1", needs: Needs = NEEDS, **changes: Any):
    return spec(name, where=where, needs=needs, environment="dev", **changes)


def test_a_job_has_an_environment_of_its_own_name():
    assert jobs_of(spec("lint"))[0].environment == "lint"


def test_jobs_share_the_environment_that_their_sessions_name():
    jobs = jobs_of(sharing("lint"), sharing("tests", axes=(axis("api", "old", "new"),)))

    assert [job.environment for job in jobs] == ["dev", "dev", "dev"]


def test_of_a_shared_environment_there_is_one_for_each_python_of_a_list():
    both = {"pythons": ("3.12", ">=3.13"), "names_python": True}
    jobs = jobs_of(sharing("lint", **both), sharing("tests", **both))

    assert [job.environment for job in jobs] == ["dev-3.12", "dev-3.13", "dev-3.12", "dev-3.13"]


def test_the_needs_of_those_that_share_are_united_in_order_and_each_once():
    one = Needs(None, (), ("a", "b"), ("g",), ("e",), ("r.txt",), ("c.txt",), "", True)
    two = Needs(None, (), ("c", "a"), ("h",), (), ("r.txt", "s.txt"), ("d.txt",), "wheel", True)
    all_of_both = Needs(
        backend=None,
        backend_options=(),
        deps=("a", "b", "c"),
        groups=("g", "h"),
        extras=("e",),
        requirements=("r.txt", "s.txt"),
        constraints=("c.txt", "d.txt"),
        project="wheel",
        reuse=True,
    )

    jobs = jobs_of(sharing("lint", needs=one), spec("own"), sharing("tests", needs=two))

    assert [job.spec.needs for job in jobs] == [all_of_both, NEEDS, all_of_both]


def test_those_that_share_and_differ_are_noted_with_both_places():
    notes: list[tuple[str, str, str]] = []
    lint = sharing("lint", "envfile.py:3", pythons=("3.12",))
    tests = sharing("tests", "envfile.py:7", pythons=("3.12", "3.13"), names_python=True)

    expand([lint, tests], lambda range: (), lambda *note: notes.append(note))

    assert notes == [
        (
            "envfile.py:7",
            (
                "session 'tests' shares the environment 'dev' with session 'lint', envfile.py:3,"
                " and they differ in python: ['3.12', '3.13'], '3.12'"
            ),
            "give both the same python, or each an environment of its own",
        )
    ]


def test_all_that_makes_an_environment_must_agree():
    wanted = Needs("uv", ("--seed",), (), (), (), (), (), "wheel", True)
    other = Needs(None, (), (), (), (), (), (), "editable", False)

    notes = notes_of(sharing("lint", needs=wanted), sharing("tests", needs=other))

    assert [what.partition("differ in ")[2] for what, _ in notes] == [
        "backend: None, 'uv'",
        "backend_options: [], ['--seed']",
        "reuse: False, True",
        "project: 'editable', 'wheel'",
    ]


def test_a_session_without_an_environment_shares_none():
    bare = sharing("lint", needs=NEEDS._replace(backend="none"))

    assert notes_of(bare, sharing("tests")) == [
        (
            (
                "session 'lint' shares the environment 'dev' and has none"
                " (python=False or backend none)"
            ),
            "take one of the two away",
        )
    ]


def test_a_shared_environment_may_not_lie_in_the_folder_of_a_job():
    assert notes_of(sharing("lint"), sharing("tests"), spec("dev", where="envfile.py:9")) == [
        (
            "the environment 'dev' has the name of a job that has its own, envfile.py:9",
            "rename one of the two, or let that session share it: environment='dev'",
        )
    ]


def test_the_mend_has_the_environment_as_an_included_envfile_writes_it():
    lint = sharing("api:lint")._replace(environment="api:dev", prefix="api:")
    own = spec("api:dev", where="api/envfile.py:9", prefix="api:")

    assert notes_of(lint, own) == [
        (
            "the environment 'api:dev' has the name of a job that has its own, api/envfile.py:9",
            "rename one of the two, or let that session share it: environment='dev'",
        )
    ]


def test_a_session_may_share_an_environment_of_its_own_name():
    assert notes_of(sharing("dev"), sharing("tests")) == []


def test_a_session_without_an_environment_may_have_the_name_of_a_shared_one():
    bare = spec("dev", needs=NEEDS._replace(backend="none"))

    assert notes_of(sharing("tests"), bare) == []


def test_two_shared_environments_may_not_meet():
    pythons = sharing("tests", pythons=("3.13",), names_python=True)
    other = spec("lint", environment="dev-3.13", where="envfile.py:9")

    assert notes_of(other, pythons) == [
        (
            (
                "two environments are named 'dev-3.13'; the other is shared by"
                " session 'lint', envfile.py:9"
            ),
            "rename one of them",
        )
    ]
