"""The pictures of the pages: what a terminal shows, and what is drawn of it."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

import pytest

from tests.conftest import ROOT

sys.path.append(str(ROOT / "docs" / "pictures"))
from as_svg import as_svg
from screen import Screen, Style, styled

PICTURES = sorted((ROOT / "docs" / "_static").glob("*.svg"))


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("one\r\ntwo", "one\ntwo"),
        ("abcdefghijkl", "abcdefghij\nkl"),
        ("12345\rab", "ab345"),
        ("one\r\ntwo\r\n\x1b[2A\x1b[JX", "X"),
        ("one\r\ntwo\x1b[1A\r\x1b[Kx", "x\ntwo"),
        ("\x1b]0;title\x07text\x1b[?25l", "text"),
        ("a\bb", "b"),
    ],
)
def test_a_screen_shows_what_a_terminal_does(written: str, shown: str):
    screen = Screen(10)

    screen.write(written)

    assert screen.text() == shown


@pytest.mark.parametrize(
    ("parameters", "style"),
    [
        ("1;31", Style(color=1, bold=True)),
        ("2", Style(thin=True)),
        ("92", Style(color=10)),
        ("38;5;2", Style(color=2)),
        ("48;5;2", Style()),
        ("38;2;1;2;3", Style()),
        ("31;0", Style()),
        ("31;1;39;22", Style()),
    ],
)
def test_a_style_is_that_of_its_codes(parameters: str, style: Style):
    assert styled(Style(), parameters) == style


def test_a_word_is_drawn_where_it_stands_in_its_color():
    screen = Screen(10)
    screen.write("\x1b[1;32m ok\x1b[m a<b")

    svg = ET.fromstring(as_svg(screen, "a & b"))
    spans = [
        (each.get("x"), each.get("class"), each.text)
        for each in svg.iter()
        if each.tag.endswith("tspan")
    ]

    assert spans == [("26.4", "bold c2", "ok"), ("51.6", None, "a<b")]
    assert next(each.text for each in svg if each.tag.endswith("title")) == "a & b"


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_a_picture_loads_nothing_and_tells_no_folder_of_whoever_made_it(picture):
    text = picture.read_text(encoding="utf-8")

    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert "url(" not in text
    assert "href" not in text
    assert not any(word in text for word in ("/root", "/tmp", "/Users"))


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
def test_there_is_a_picture_of_each_scene():
    from make import SCENES

    assert [path.stem for path in PICTURES] == sorted(scene.name for scene in SCENES)
