"""Which environments are the same to the store, and which must not be shared."""

from __future__ import annotations

import pytest

from runner.envs.shared import key_of, key_of_next
from runner.running import Build, EnvSpec, Ingredient, Interpreter, Step

INTERPRETER = Interpreter("/py", "/py", "3.13.0", "cpython", "3.13.0", "linux-x86_64", False, "1:2")


def spec(path: str = "/a/.runenv/lint", root: str = "/a", **more: str) -> EnvSpec:
    facts = {"backend": "uv", "python": "3.13.0", "location": path, **more}
    return EnvSpec(
        path=path,
        backend="uv",
        interpreter=INTERPRETER,
        options=(),
        ingredients=tuple(Ingredient(label, value) for label, value in facts.items()),
        steps=(),
        reuse=True,
        surroundings=(),
        declared_by="sha256:1",
        root=root,
    )


def step(*arguments: str, **more: object) -> Step:
    return Step(arguments, (Ingredient("deps", "\n".join(arguments)),), "", "/a")._replace(**more)


def test_another_place_is_the_same():
    assert key_of(spec(), [step("one")]) == key_of(spec("/b/.runenv/x", "/b"), [step("one")])


def test_a_configuration_file_of_the_project_is_the_same_elsewhere():
    here, there = {"/a/uv.toml": "sha256:1"}, {"/b/uv.toml": "sha256:1"}

    assert key_of(spec(**here), []) == key_of(spec("/b/.runenv/x", "/b", **there), [])


@pytest.mark.parametrize(
    "other",
    [spec(backend="virtualenv"), spec(python="3.12.0"), spec(**{"$UV_INDEX_URL": "sha256:2"})],
)
def test_what_decides_is_not_the_same(other: EnvSpec):
    assert key_of(spec(), []) != key_of(other, [])


def test_the_time_of_the_interpreters_file_decides_nothing():
    """A cache of CI is restored beside an interpreter that was unpacked anew."""
    old, new = {"interpreter's file": "1:2"}, {"interpreter's file": "1:3"}

    assert key_of(spec(**old), []) == key_of(spec(**new), [])


def test_other_steps_are_not_the_same():
    assert key_of(spec(), [step("one")]) != key_of(spec(), [step("two")])


def test_the_sources_of_a_project_that_is_built_decide_nothing():
    build = Build("/a", ".", (), (), sdist_first=False)

    def of(sources: str) -> str:
        ingredients = (Ingredient("project", "wheel"), Ingredient("sources of .", sources))
        return key_of(spec(), [Step((), ingredients, "", "/a", builds=(build,))])

    assert of("sha256:1") == of("sha256:2")


def test_what_is_installed_from_a_folder_is_of_this_folder():
    here = [step("-e /a", from_here=True)]

    assert key_of(spec(), here) != key_of(spec("/b/.runenv/x", "/b"), here)


@pytest.mark.parametrize("more", [{"asks_anew": True}, {"program": ("conda",)}])
def test_what_may_be_another_thing_tomorrow_is_not_shared(more: dict[str, object]):
    assert key_of(spec(), [step("one", **more)]) == ""


def test_an_environment_of_conda_is_not_shared():
    assert key_of(spec()._replace(mark="conda-meta"), []) == ""


def test_at_a_place_that_cannot_be_left_it_is_its_own():
    long = "/" + "long/" * 30

    assert key_of(spec(f"{long}a"), []) != key_of(spec(f"{long}b"), [])


def test_what_comes_next_depends_on_the_environment_and_on_who_declares_it():
    key = key_of_next(spec(), [step("one")])

    assert key == key_of_next(spec("/b/.runenv/lint", "/b"), [step("one")])
    assert key != key_of_next(spec("/a/.runenv/tests"), [step("one")])
    assert key != key_of_next(spec()._replace(declared_by="sha256:2"), [step("one")])
    assert key_of_next(spec()._replace(declared_by=""), [step("one")]) == ""
