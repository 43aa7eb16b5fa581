"""Whether what we print is coloured, and how."""

from __future__ import annotations

import pytest

from runner.colors import painter, wants_color


@pytest.mark.parametrize(
    ("color", "environ", "is_terminal", "colored"),
    [
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, True),
        ("auto", {"FORCE_COLOR": "0"}, False, False),
        ("auto", {"FORCE_COLOR": "False"}, True, True),
    ],
)
def test_colour_is_decided_by_the_option_then_variables_then_the_terminal(
    color: str, environ: dict[str, str], is_terminal: bool, colored: bool
):
    assert wants_color(color, environ, is_terminal) is colored


def test_a_text_is_between_its_colour_and_the_end_of_it():
    assert painter(color=True)("bold_red", "error") == "\x1b[1;31merror\x1b[0m"


def test_without_colour_a_text_is_as_it_is():
    assert painter(color=False)("bold_red", "error") == "error"
