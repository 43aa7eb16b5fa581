"""Amounts as a person writes and reads them."""

from __future__ import annotations

import pytest

from runner.amounts import age_s, counted, size_bytes, size_in_words, time_s, whole_number

TOO_MANY_DIGITS = "9" * 5_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500MB", 500_000_000),
        ("10GB", 10_000_000_000),
        ("1.5GB", 1_500_000_000),
        ("1 tb", 1_000_000_000_000),
        ("0", 0),
        ("", None),
        ("GB", None),
        ("10", None),
        ("-1GB", None),
        ("10GiB", None),
        ("1.5.5GB", None),
        ("\N{ARABIC-INDIC DIGIT ONE}GB", None),
        (TOO_MANY_DIGITS + "GB", None),
    ],
)
def test_a_size_is_a_number_of_bytes(text: str, expected: int | None):
    assert size_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90", 90.0),
        ("1.5", 1.5),
        ("90s", 90.0),
        ("5m", 300.0),
        ("1.5h", 5400.0),
        ("0", 0.0),
        ("", None),
        ("m", None),
        (".5", None),
        ("1d", None),
        ("5M", None),
        ("-5", None),
        ("1e3", None),
        ("inf", None),
        ("315360000", None),
        (TOO_MANY_DIGITS, None),
    ],
)
def test_a_time_limit_is_a_number_of_seconds_less_than_ten_years(text: str, expected: float | None):
    assert time_s(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0),
        ("30m", 1800.0),
        ("12h", 43_200.0),
        ("1.5h", 5400.0),
        ("7d", 604_800.0),
        ("", None),
        ("7", None),
        ("30s", None),
        ("d", None),
        (TOO_MANY_DIGITS + "d", None),
    ],
)
def test_an_age_has_a_unit_or_is_none(text: str, expected: float | None):
    assert age_s(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0", 0), ("12", 12), ("", None), ("1.5", None), ("-1", None), (TOO_MANY_DIGITS, None)],
)
def test_a_whole_number_has_digits_alone_and_not_too_many(text: str, expected: int | None):
    assert whole_number(text) == expected


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (3_400, "3.4 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (51_300_000, "51.3 MB"),
        (1_200_000_000_000, "1200.0 GB"),
    ],
)
def test_a_size_is_told_with_three_digits_and_a_unit(size: int, told: str):
    assert size_in_words(size) == told


def test_what_is_counted_is_one_or_several():
    assert [counted(n, "image") for n in (0, 1, 2)] == ["0 images", "1 image", "2 images"]
