"""What an envfile may write for a Python, and which versions fit it."""

from __future__ import annotations

import pytest

from runner.envs.python_spec import (
    UNKNOWN,
    Clause,
    Version,
    Wanted,
    fits,
    make_version,
    read_spec,
    read_version,
    version_text,
)


def fit(
    spec: str, version: str, *, implementation: str = "cpython", threaded: bool = False
) -> bool:
    wanted = read_spec(spec)
    assert wanted is not None
    return fits(wanted, implementation, read_version(version), threaded)


def test_a_plain_version_is_one_clause_for_cpython():
    assert read_spec("3.12") == Wanted(
        implementation="cpython",
        versions="3.12",
        clauses=(Clause("==", Version((3, 12))),),
        free_threaded=False,
        is_range=False,
    )


def test_a_range_is_a_clause_for_each_part():
    assert read_spec(">=3.10, <3.13") == Wanted(
        implementation="cpython",
        versions=">=3.10, <3.13",
        clauses=(Clause(">=", Version((3, 10))), Clause("<", Version((3, 13)))),
        free_threaded=False,
        is_range=True,
    )


@pytest.mark.parametrize("text", ["python3.12", "cpython3.12", "cpython-3.12", " CPython3.12 "])
def test_python_and_cpython_mean_the_same(text: str):
    wanted = read_spec(text)

    assert wanted is not None
    assert (wanted.implementation, wanted.versions) == ("cpython", "3.12")


@pytest.mark.parametrize("text", ["pypy3.11", "pypy-3.11", "PyPy3.11"])
def test_pypy_is_an_implementation_of_its_own(text: str):
    wanted = read_spec(text)

    assert wanted is not None
    assert (wanted.implementation, wanted.versions) == ("pypy", "3.11")


def test_a_name_alone_means_any_version():
    wanted = read_spec("python")

    assert wanted is not None
    assert wanted.clauses == ()


@pytest.mark.parametrize("text", ["3.13t", ">=3.13t", "python3.13t", "3.13.0t", "3.14.0rc1t"])
def test_a_t_behind_the_version_means_the_free_threaded_build(text: str):
    wanted = read_spec(text)

    assert wanted is not None
    assert wanted.free_threaded


@pytest.mark.parametrize(
    "text",
    [
        "",
        "t",
        "foo",
        "312",
        "3.x",
        "3.x.y",
        "3.12.1.4",
        "pythont",
        ">=",
        ">=3.x",
        ">=3.10,",
        ">=3.10.*",
        "~=3",
        "=>3.10",
        "3.12-64",
        "jython3.12",
        "3.12 3.13",
    ],
)
def test_what_is_no_version_is_not_read(text: str):
    assert read_spec(text) is None


@pytest.mark.parametrize(
    ("spec", "version", "expected"),
    [
        ("3", "3.13.0", True),
        ("3.1", "3.10.0", False),
        ("3.12", "3.12.4", True),
        ("3.12.1", "3.12.4", False),
        ("3.12", "3.13.0", False),
        ("3.14", "3.14.0b2", True),  # who writes a version has it, final or not
        ("3.14.0rc1", "3.14.0rc1", True),
        ("3.14.0rc1", "3.14.0", False),
        (">=3.10", "3.9.18", False),
        (">=3.10", "3.10.0", True),
        (">=3.12.2", "3.12.1", False),
        (">3.9", "3.9.18", False),  # as it was meant, and not as PEP 440 has it
        (">3.9", "3.10.0", True),
        ("<=3.12", "3.12.4", True),  # likewise
        ("<=3.12", "3.13.0", False),
        ("<3.13", "3.13.0", False),
        ("<3.13", "3.12.9", True),
        ("==3.12", "3.12.4", True),
        ("==3.12.*", "3.12.4", True),
        ("===3.12.4", "3.12.4", True),
        ("!=3.11", "3.11.7", False),
        ("!=3.11.*", "3.12.0", True),
        ("~=3.10", "3.13.0", True),
        ("~=3.10", "3.9.0", False),
        ("~=3.12.2", "3.12.4", True),
        ("~=3.12.2", "3.13.0", False),
        (">=3.10,<3.13", "3.12.1", True),
        (">=3.10,<3.13", "3.13.0", False),
        (">=3", "3.8.1", True),
    ],
)
def test_a_version_fits_in_as_many_numbers_as_were_written(spec: str, version: str, expected: bool):
    assert fit(spec, version) is expected


@pytest.mark.parametrize(
    ("spec", "version", "expected"),
    [
        (">=3.10", "3.15.0a1", False),
        (">=3.15.0a1", "3.15.0a3", True),
        (">=3.15.0b1", "3.15.0a3", False),
        (">=3.15a1", "3.15.0a3", True),
        ("<3.15.0b1,>=3.14", "3.15.0a3", True),
        (">=3.15.0a1", "3.14.2", False),
    ],
)
def test_a_range_means_prereleases_only_when_it_names_one(spec: str, version: str, expected: bool):
    assert fit(spec, version) is expected


def test_another_implementation_never_fits():
    assert not fit("3.11", "3.11.9", implementation="pypy")
    assert fit("pypy>=3.10", "3.11.9", implementation="pypy")


def test_the_free_threaded_build_is_another_python():
    assert not fit("3.13", "3.13.0", threaded=True)
    assert not fit("3.13t", "3.13.0")
    assert fit("3.13t", "3.13.0", threaded=True)


@pytest.mark.parametrize(
    ("spec", "release", "expected"),
    [
        ("3.12.4", (3, 12), True),
        (">=3.12.4", (3, 12), True),
        (">3.12.4", (3, 12), True),
        ("!=3.12.4", (3, 12), True),
        ("<3.12.4", (3, 12), True),
        ("<3.12.0", (3, 12), False),
        ("<=3.12.0", (3, 12), True),
        (">=3.12.4", (3, 11), False),
        (">=3.15.0a1", (3, 15), True),
        (">=3.10", (), True),
        ("3.12", (3,), True),
        ("3.12", (2,), False),
    ],
)
def test_a_version_known_in_part_fits_when_one_of_its_kind_may(
    spec: str, release: tuple[int, ...], expected: bool
):
    wanted = read_spec(spec)

    assert wanted is not None
    assert fits(wanted, "cpython", Version(release), None) is expected


def test_a_version_is_read_with_its_prerelease():
    assert read_version("3.14.0rc2") == Version((3, 14, 0), (2, 2))
    assert read_version("3.14.0") == make_version("3.14.0")
    assert read_version("latest") == UNKNOWN


def test_version_info_is_written_as_a_version():
    assert version_text(3, 13, 0, "final", 0) == "3.13.0"
    assert version_text(3, 14, 0, "beta", 2) == "3.14.0b2"
    assert version_text(3, 14, 0, "candidate", 1) == "3.14.0rc1"
