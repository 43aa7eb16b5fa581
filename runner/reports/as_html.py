"""A run as one page that needs nothing else: for people, in a browser.

A row for each job, all on one scale of time, and in it, folded, all that is known
of the job. `page.css` and `page.js` beside this file go into the page.
"""

from __future__ import annotations

import os
import platform
from datetime import datetime, timezone
from html import escape

from runner import __version__
from runner.amounts import size_in_words
from runner.reports.graph import draw
from runner.reports.lanes import in_lanes
from runner.reports.texts import last_lines, legible
from runner.reports.words import SYMBOLS, counts, duration, result_with_attempt
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from runner.history import Entry
    from runner.reports.collected import JobStory, Machine, Prepared, Ran, Story
    from runner.running import Result

# A page of 1,000 jobs shall open at once, and what failed is what one looks for.
_LINES, _OF_BAD, _OF_GOOD = 2_000, 60_000, 4_000  # lines and characters of a log
_OPENED = 3  # rows of jobs that failed are unfolded, where they are no more
_LANE = 14  # pixels
_WIDE = 10_000  # units of the overview: the page stretches it
_MUCH, _MUCH_S = 1.25, 0.2  # of a time that differs from the usual one

# Nothing is loaded, and nothing in the page's text can become a script.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render(story: Story) -> str:
    """The page."""
    name = os.path.basename(story.root) or story.root
    result = _result(story)
    whole_s = max([story.duration_s, *(j.began_s + j.duration_s for j in story.jobs), 1e-3])
    bad = [job for job in story.jobs if job.went_wrong]
    opened = bad if len(bad) <= _OPENED else []
    titles = ["", *(machine.title for machine in story.machines)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{SYMBOLS[result][0]} {_text(name)}: {_text(_told(story))}</title>",
            f"<style>\n{_beside('page.css')}</style>",
            f'<h1>{_text(name)} <span class="badge {_class(result)}">{_ended(story)}</span></h1>',
            *_head(story),
            *_overview(story, whole_s),
            *_graph(story),
            "<h2>Jobs</h2>",
            _FILTER,
            _KEYS,
            *_scale(whole_s),
            *(
                _row(job, number, whole_s, titles[job.machine], opened=job in opened)
                for number, job in enumerate(story.jobs)
            ),
            f"<script>\n{_beside('page.js')}</script>",
            "</html>",
            "",
        ]
    )


def _beside(name: str) -> str:
    path = os.path.join(os.path.dirname(__file__), name)
    with open(path, encoding="utf-8") as stream:
        return stream.read()


# The head. -----------------------------------------------------------------------------


def _result(story: Story) -> Result:
    if story.interrupted_by:
        return "interrupted"
    return "passed" if story.exit_code == 0 else "failed"


def _ended(story: Story) -> str:
    by = f" by {story.interrupted_by}" if story.interrupted_by else ""
    return f"{_result(story)}{by}"


def _told(story: Story) -> str:
    return f"{counts([job.result for job in story.jobs])} in {duration(story.duration_s)}"


def _head(story: Story) -> list[str]:
    began = datetime.fromtimestamp(story.at, timezone.utc)
    when = (
        f'<time datetime="{began.isoformat(timespec="milliseconds")}">'
        f"{began:%Y-%m-%d %H:%M:%S} UTC</time>"
    )
    facts = {
        "began": when,
        "envfile": _text(story.envfile),
        "arguments": _text(" ".join(story.posargs)),
        "exit code": str(story.exit_code),
        "commit": _text(story.origin.commit),
        "with": f"runenv {__version__}, Python {platform.python_version()},"
        f" {_text(platform.system())} {_text(platform.machine())}",
    }
    told = (f"<span>{label} <b>{value}</b></span>" for label, value in facts.items() if value)
    return [f"<p>{_text(_told(story))}</p>", f'<div class="facts">{"".join(told)}</div>']


# The overview. ---------------------------------------------------------------------------


def _overview(story: Story, whole_s: float) -> list[str]:
    """Lanes of what ran at once, of each machine by itself."""
    if not story.machines:
        numbered = [(n, job) for n, job in enumerate(story.jobs) if job.start_s is not None]
        lanes = _lanes(numbered, whole_s) if len(numbered) > 1 else []
        return ["<h2>At a glance</h2>", *lanes] if lanes else []
    row_of = {job.name: number for number, job in enumerate(story.jobs)}
    lines = ["<h2>At a glance</h2>"]
    for machine in story.machines:
        ran = [(row_of[job.name], job) for job in machine.jobs if job.start_s is not None]
        lines.append(f'<p class="machine">{_told_machine(machine)}</p>')
        lines += _lanes(ran, whole_s, f"jobs of {machine.title} by time") if ran else []
    return lines


def _told_machine(machine: Machine) -> str:
    title = f"<b>{_text(machine.title)}</b>"
    if machine.is_lost:
        return f'{title} <span class="badge failed">no report</span>'
    results = counts([job.result for job in machine.jobs])
    by = f", ended by {machine.interrupted_by}" if machine.interrupted_by else ""
    with_ = f"runenv {machine.runenv}, Python {machine.python}, {machine.platform}"
    return (
        f"{title} {_text(results)} in {duration(machine.duration_s)}{_text(by)}"
        f' <span class="soft">{_text(with_)}</span>'
    )


def _lanes(
    numbered: Sequence[tuple[int, JobStory]], whole_s: float, told_as: str = "jobs by time"
) -> list[str]:
    """Lanes of jobs, by the rows of the table, above lanes of what was prepared meanwhile."""
    ahead = [(n, job, made) for n, job in numbered for made in job.environments if made.ahead]
    jobs = in_lanes(numbered, lambda pair: (pair[1].began_s, pair[1].duration_s))
    made = in_lanes(ahead, lambda three: (three[2].start_s, three[2].duration_s))
    first = 1 + max(lane for _, lane in jobs)
    lanes = first + (1 + max(lane for _, lane in made) if made else 0)
    bars = [
        _bar(number, job.began_s, job.duration_s, whole_s, lane, _class(job.result), told)
        for (number, job), lane in jobs
        for told in [f"{job.name}: {job.result} in {duration(job.duration_s)}"]
    ]
    bars += [
        _bar(number, it.start_s, it.duration_s, whole_s, first + lane, "environment", told)
        for (number, job, it), lane in made
        for told in [f"environment of {job.name}: {it.state} in {duration(it.duration_s)}"]
    ]
    height = lanes * _LANE + 2
    size = f'viewBox="0 0 {_WIDE} {height}" height="{height}" preserveAspectRatio="none"'
    return [
        f'<svg class="lanes" {size} role="img" aria-label="{_text(told_as)}">{"".join(bars)}</svg>'
    ]


def _bar(
    number: int, start_s: float, took_s: float, whole_s: float, lane: int, kind: str, told: str
) -> str:
    x, wide = start_s / whole_s * _WIDE, max(8.0, took_s / whole_s * _WIDE - 4)
    return (
        f'<a href="#job-{number}"><rect class="{kind}" x="{x:.0f}" y="{lane * _LANE + 2}"'
        f' width="{wide:.0f}" height="{_LANE - 2}"><title>{_text(told)}</title></rect></a>'
    )


def _graph(story: Story) -> list[str]:
    drawing = draw(story.jobs)
    if not drawing:
        return []
    key = '<span class="soft">an arrow leads to what waited; dotted: it only followed</span>'
    return ["<h2>What waited for what</h2>", drawing, f"<p>{key}</p>"]


# The rows. ---------------------------------------------------------------------------------

_FILTER = """\
<div class="filter" hidden>
<input id="words" type="search" placeholder="Name, tag, outcome" aria-label="Filter">
<label><input id="bad" type="checkbox"> only what did not pass</label>
</div>"""
_KEYS = """\
<div class="keys passed">
<span><span class="time"><span class="whole"></span></span>job</span>
<span><span class="time"><span class="run"></span></span>command</span>
<span><span class="time"><span class="environment"></span></span>environment</span>
<span><span class="time"><span class="ahead"></span></span>environment, prepared ahead</span>
</div>"""

_STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800)


def _scale(whole_s: float) -> Iterable[str]:
    """The head of the columns, with a mark at round times."""
    yield '<div class="row head"><span>job</span><span class="number">took</span>'
    yield '<span class="number">usually</span><div class="time">'
    step_s = next((step for step in _STEPS_S if whole_s / step <= 8), 3600.0)
    for number in range(min(100, int(whole_s / step_s) + 1)):
        at_s = number * step_s
        told = f"{at_s:g} s" if step_s < 60 else f"{at_s / 60:g} min"
        yield f'<span class="tick" style="left:{_percent(at_s, whole_s)}"><b>{told}</b></span>'
    yield "</div></div>"


def _row(job: JobStory, number: int, whole_s: float, machine: str, *, opened: bool) -> str:
    """A job; machine: what it ran on, empty where there is one alone."""
    words = " ".join([job.name, job.session, job.result, *job.tags, "flaky" if job.flaky else ""])
    flaky = ' <span class="badge flaky">flaky</span>' if job.flaky else ""
    took = duration(job.duration_s) if job.start_s is not None else ""
    symbol = f'<span class="symbol" title="{job.result}">{SYMBOLS[job.result][0]}</span>'
    return f"""\
<details class="job {_class(job.result)}" id="job-{number}" data-words="{_text(words.lower())}"\
 data-good="{int(job.passed)}"{" open" if opened else ""}>
<summary class="row"><span class="name">{symbol}{_text(job.name)}{flaky}</span>\
<span class="number">{took}</span>{_usual(job)}{_times(job, whole_s)}</summary>
<div class="more">{"".join(_more(job, machine))}</div>
</details>"""


def _usual(job: JobStory) -> str:
    """How long it usually takes, and how far this time was from that."""
    told = ""
    if job.usual_s is not None:
        told = duration(job.usual_s)
        differs = abs(job.duration_s - job.usual_s) >= _MUCH_S and job.usual_s > 0
        ratio = job.duration_s / job.usual_s if differs else 1.0
        if job.passed and ratio >= _MUCH:
            told += f' <span class="late">+{(ratio - 1) * 100:.0f} %</span>'
        elif job.passed and ratio <= 1 / _MUCH:
            told += f" −{(1 - ratio) * 100:.0f} %"
    return f'<span class="number usual soft">{told}</span>'


def _times(job: JobStory, whole_s: float) -> str:
    spans: list[str] = []
    if job.start_s is not None:
        spans.append(_span("whole", job.start_s, job.duration_s, whole_s, job.result))
    for made in job.environments:
        if made.state == "none":
            continue
        kind = "ahead" if made.ahead else "environment"
        told = f"environment: {made.state}"
        spans.append(_span(kind, made.start_s, made.duration_s, whole_s, told))
    spans += [
        _span("run", ran.start_s, ran.duration_s, whole_s, ran.show[:200])
        for ran in job.commands
        if ran.kind == "run"
    ]
    return f'<div class="time">{"".join(spans)}</div>'


def _span(kind: str, start_s: float, took_s: float, whole_s: float, told: str) -> str:
    return (
        f'<span class="{kind}" style="left:{_percent(start_s, whole_s)};'
        f'width:{_percent(took_s, whole_s)}" title="{_text(told)}, {duration(took_s)}"></span>'
    )


def _percent(part: float, whole: float) -> str:
    return f"{max(0.0, min(1.0, part / whole)) * 100:.3f}%"


# What is known of one. -----------------------------------------------------------------------


def _more(job: JobStory, machine: str) -> Iterable[str]:
    how = result_with_attempt(job.result, job.attempts)
    if job.reason or job.attempts > 1:
        yield f'<p class="why">{_text(f"{how}: {job.reason}" if job.reason else how)}</p>'
    if job.doc:
        yield f"<p>{_text(job.doc)}</p>"
    facts = {
        "machine": machine,
        "session": job.session if job.session != job.name else "",
        "Python": job.python or "",
        "tags": ", ".join(job.tags),
        "requires": ", ".join(job.requires),
        "after": ", ".join(job.after),
        "shares the environment": job.shared,
        "one at a time": ", ".join(job.exclusive),
        "declared": job.where,
        "memory": f"up to {size_in_words(job.peak_bytes)}" if job.peak_bytes else "",
        **{name: str(value) for name, value in job.parameters.items()},
        **{name: str(value) for name, value in job.options.items()},
    }
    told = (f"<span>{_text(n)} <b>{_text(v)}</b></span>" for n, v in facts.items() if v)
    yield f'<div class="facts">{"".join(told)}</div>'
    if job.environments:
        yield f"<h3>Environment</h3>{''.join(map(_environment, job.environments))}"
    if job.commands:
        head = "<tr><th>command<th>began<th>took<th>exit code"
        yield f"<h3>Commands</h3><table>{head}{''.join(map(_command, job.commands))}</table>"
    if job.past:
        yield _past(job)
    if job.log:
        yield _log(job)


def _environment(made: Prepared) -> str:
    if made.state == "none":
        return f"<p>none: its commands run in the caller's ({_text(made.python)})</p>"
    took = "" if made.state in ("reused", "kept") else f" in {duration(made.duration_s)}"
    ahead = ", while an earlier job ran" if made.ahead else ""
    reason = f": {_text(made.reason)}" if made.reason else ""
    where = f'<span class="soft">{_text(made.python)}, {_text(made.path)}</span>'
    store = " from the store" if made.linked else ""
    return f"<p><b>{made.state}</b>{store}{took}{ahead}{reason}<br>{where}</p>"


def _command(ran: Ran) -> str:
    label = "" if ran.kind == "run" else f'<span class="soft">{ran.kind}: </span>'
    ended = "did not end" if ran.returncode is None else str(ran.returncode)
    ended += ", its time was up" if ran.timed_out else ""
    return (
        f'<tr><td class="command">{label}{_text(ran.show[:4000])}'
        f'<td class="number">{duration(max(0.0, ran.start_s))}'
        f'<td class="number">{duration(ran.duration_s)}<td class="number">{ended}'
    )


def _past(job: JobStory) -> str:
    """A bar for each of the last times, and this one; as high as it took long."""
    known: list[tuple[str, float, str]] = [_told_entry(entry) for entry in job.past]
    known.append((_class(job.result), job.duration_s, "this time"))
    highest = max([took for _, took, _ in known] + [1e-6])
    bars = [
        f'<rect class="{kind}" x="{n * 10}" y="{40 - high:.1f}" width="8" height="{high:.1f}">'
        f"<title>{_text(told)}: {duration(took)}</title></rect>"
        for n, (kind, took, told) in enumerate(known)
        for high in [max(3.0, took / highest * 40)]
    ]
    wide = len(known) * 10
    return (
        "<h3>Earlier</h3>"
        f'<svg class="past" width="{wide}" viewBox="0 0 {wide} 40" role="img"'
        f' aria-label="earlier times, the last is this one">{"".join(bars)}</svg>'
    )


def _told_entry(entry: Entry) -> tuple[str, float, str]:
    when = datetime.fromtimestamp(entry.at, timezone.utc)
    narrowed = ", with arguments" if entry.narrowed else ""
    told = f"{when:%Y-%m-%d %H:%M} UTC, {entry.result}{narrowed}"
    return _class(entry.result), entry.duration_s, told


def _log(job: JobStory) -> str:
    said = legible(job.said("output", "debug", "info", "warning", "error"))
    text = last_lines(said, _LINES, _OF_GOOD if job.passed else _OF_BAD, before=job.left_out)
    opened = "" if job.passed else " open"
    return (
        f'<details class="log"{opened}><summary>Log, {said.count(chr(10))} lines</summary>'
        f"<pre>{escape(text)}</pre></details>"
    )


def _class(result: str) -> str:
    return {"not started": "skipped"}.get(result, result).replace(" ", "-")


def _text(text: str) -> str:
    return escape(legible(text))
