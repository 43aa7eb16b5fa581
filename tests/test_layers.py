"""A graph in layers, and the picture of a run that is made of it."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

from runner.model import Job, Needs, SessionSpec
from runner.reports import as_html
from runner.reports.collected import JobStory
from runner.reports.graph import draw
from runner.reports.layers import lay_out
from runner.running import Outcome, Report
from tests.contracts.test_forms import told

NEEDS = Needs(None, (), (), (), (), (), (), "", True)


def test_each_layer_has_what_waits_for_the_one_before():
    layers = lay_out({"a": [], "b": ["a"], "c": ["b"], "d": []}).layers

    assert layers == [["a", "d"], ["b"], ["c"]]


def test_a_line_has_a_place_in_each_layer_that_it_passes():
    layers, ways = lay_out({"a": [], "b": ["a"], "c": ["b"], "d": ["c", "a"]})

    assert ways["a", "d"] == ["a", ("a", "d", 1), ("a", "d", 2), "d"]
    assert sorted(layers[1], key=str) == [("a", "d", 1), "b"]
    assert ways["c", "d"] == ["c", "d"]


def test_what_belongs_together_lies_side_by_side():
    layers = lay_out({"a": [], "b": [], "of-b": ["b"], "of-a": ["a"]}).layers

    places = {name: layer.index(name) for layer in layers for name in layer}
    assert (places["a"] < places["b"]) == (places["of-a"] < places["of-b"])


def test_nothing_has_no_layers():
    assert lay_out({}).layers == []


def stories(waits: dict[str, tuple[str, ...]], after: tuple[str, ...] = ()) -> tuple[JobStory, ...]:
    """The jobs of a run that required these."""
    jobs: dict[str, Any] = {}
    for name, requires in waits.items():
        spec = SessionSpec(name, print, "envfile.py:1", "", (), False, (), NEEDS, (), (), (), True)
        spec = spec._replace(exclusive=("db",))
        follows = tuple(n for n in after if n not in (name, *requires)) if name == "last" else ()
        jobs[name] = Job(name, name, spec, None, (), (), requires, "dev", after=follows)
    outcomes = tuple(Outcome(n, "failed" if n == "b<" else "passed") for n in waits)
    return told(report=Report(outcomes, 1.0, "", 1), jobs=jobs).jobs


def test_the_picture_has_a_box_for_each_job_and_two_paths_for_each_arrow():
    picture = draw(stories({"a": (), "b<": ("a",), "alone": (), "last": ("b<",)}, after=("a",)))

    root = ElementTree.fromstring(picture)
    boxes = {box.find("title").text: box.get("href") for box in root.iter("a")}
    assert boxes == {"a: passed": "#job-0", "b<: failed": "#job-1", "last: passed": "#job-3"}
    assert len(list(root.iter("path"))) == 6
    assert [path.get("class") for path in root.iter("path")].count("follows") == 1


def test_a_line_goes_on_through_a_layer_that_it_passes():
    root = ElementTree.fromstring(draw(stories({"a": (), "b": ("a",), "c": ("b", "a")})))

    ways = [path.get("d") for path in root.iter("path") if "C" in str(path.get("d"))]
    assert ways == [
        "M33.3 36.0C61.3 36.0 61.3 20.0 89.3 20.0",
        "M114.6 20.0C142.6 20.0 142.6 36.0 170.6 36.0",
        "M33.3 36.0C61.3 36.0 61.3 52.0 89.3 52.0H114.6C142.6 52.0 142.6 36.0 170.6 36.0",
    ]


def test_a_box_is_as_wide_as_its_name_is_shown():
    root = ElementTree.fromstring(draw(stories({"ab": (), "測試": ("ab",)})))

    wide = [float(rect.get("width", "")) for rect in root.iter("rect")]
    assert wide == [32.6, 47.2]


def test_where_nothing_waited_there_is_no_picture():
    assert draw(stories({"a": (), "b": ("not-here",)})) == ""


def test_a_circle_and_what_is_too_large_have_no_picture():
    assert draw(stories({"a": ("b",), "b": ("a",)})) == ""
    assert draw(stories({"a": (), **{f"n{n}": ("a",) for n in range(150)}})) == ""
    assert draw(stories({"a": (), **{f"n{n}": ("a",) for n in range(149)}})) != ""


def test_too_many_lines_have_no_picture():
    first = {f"a{n}": () for n in range(30)}

    assert draw(stories({**first, **{f"b{n}": tuple(first) for n in range(20)}})) != ""
    assert draw(stories({**first, **{f"b{n}": tuple(first) for n in range(21)}})) == ""


def test_the_page_tells_of_each_job_what_it_waits_for_and_shares():
    jobs = stories({"a": (), "last": ()}, after=("a",))
    page = as_html.render(told(report=Report((), 1.0, "", 0))._replace(jobs=jobs))

    for fact in ("after <b>a", "shares the environment <b>dev", "one at a time <b>db"):
        assert f"<span>{fact}</b></span>" in page
    assert "<h2>What waited for what</h2>" in page
