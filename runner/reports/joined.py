"""The runs of several machines as one run: what each of them has told, on one scale of time.

Pure: knows nothing of files, and not who hears of the whole.
"""

from __future__ import annotations

from runner import errors
from runner.record import Record
from runner.reports.collected import JobStory, Machine, Story
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.reports.received import Received
    from runner.running import Shard

# Of what ran on several machines, since other jobs require it, the worst counts.
_WORST_FIRST = ("interrupted", "failed", "timed out", "skipped", "passed", "cached")


class Joined(Record):
    """What came together, and what did not."""

    story: Story
    missing: tuple[int, ...]  # numbers of shards of which there is no report


def misfit(received: Mapping[str, Received]) -> str:
    """Why these reports, by their files, are not of one run; empty where they are."""
    files = list(received)
    first = received[files[0]].story
    seen: dict[int, str] = {}
    for file in files:
        story = received[file].story
        if story.posargs != first.posargs:
            return f"{files[0]} and {file} are of runs with other arguments behind --"
        if (story.part is None) != (first.part is None):
            whole, part = (file, files[0]) if first.part else (files[0], file)
            return f"{part} is of a shard, and {whole} of a whole run"
        if story.part is None or first.part is None:
            continue
        if _jobs(story.part.shards) != _jobs(first.part.shards):
            return f"{files[0]} and {file} are of two ways to split the jobs"
        twin = seen.setdefault(story.part.number, file)
        if twin != file:
            return f"{twin} and {file} are both of shard {story.part.title}"
    return ""


def _jobs(shards: Sequence[Shard]) -> list[tuple[str, ...]]:
    return [shard.jobs for shard in shards]


def join(received: Mapping[str, Received]) -> Joined:
    """One run, made of reports that fit together, by their files.

    It begins with the first of them; whether their clocks agree nobody knows. What
    a shard without a report was to run counts as interrupted.
    """
    at = min(each.story.at for each in received.values())
    part = next(iter(received.values())).story.part
    machines = [
        _machine(f"shard {own.title}" if own else file, each, number, each.story.at - at)
        for number, (file, each) in enumerate(received.items(), 1)
        for own in [each.story.part]
    ]
    missing: tuple[int, ...] = ()
    owner: dict[str, str] = {}
    if part is not None:
        there = {each.story.part.number for each in received.values() if each.story.part}
        missing = tuple(n for n in range(1, len(part.shards) + 1) if n not in there)
        owner = {
            name: f"shard {number}/{len(part.shards)}"
            for number, shard in enumerate(part.shards, 1)
            for name in shard.jobs
        }
        for number in missing:
            title = part._replace(number=number).title
            machines.append(_lost(title, part.shards[number - 1], len(machines) + 1))
        machines = _by_number(machines, len(part.shards))
    stories = [each.story for each in received.values()]
    ended_by = next((s for s in stories if s.interrupted_by), None)
    jobs = _one_of_each(machines, owner)
    story = Story(
        root=stories[0].root,
        envfile=stories[0].envfile,
        posargs=stories[0].posargs,
        at=at,
        duration_s=max(m.start_s + m.duration_s for m in machines),
        interrupted_by=ended_by.interrupted_by if ended_by else "",
        exit_code=ended_by.exit_code if ended_by else _exit_code(stories, missing, jobs),
        jobs=jobs,
        machines=tuple(machines),
    )
    return Joined(story, missing)


def _exit_code(stories: Sequence[Story], missing: Sequence[int], jobs: Sequence[JobStory]) -> int:
    """What one machine would have ended with that had run all of it."""
    codes = {story.exit_code for story in stories} - {errors.PASSED}
    if missing or errors.FAILED in codes:
        return errors.FAILED
    if codes:
        return min(codes)
    return errors.PASSED if any(job.passed for job in jobs) else errors.FAILED


def _machine(title: str, received: Received, number: int, start_s: float) -> Machine:
    story = received.story
    return Machine(
        title=title,
        runenv=received.runenv,
        python=received.python,
        platform=received.platform,
        start_s=start_s,
        duration_s=story.duration_s,
        exit_code=story.exit_code,
        interrupted_by=story.interrupted_by,
        jobs=tuple(_later(job, start_s)._replace(machine=number) for job in story.jobs),
    )


def _by_number(machines: Sequence[Machine], total: int) -> list[Machine]:
    """The machines in the order of their shards, and their jobs with the number of each."""
    titles = [f"shard {number}/{total}" for number in range(1, total + 1)]
    found = sorted(machines, key=lambda machine: titles.index(machine.title))
    return [
        machine._replace(jobs=tuple(job._replace(machine=number) for job in machine.jobs))
        for number, machine in enumerate(found, 1)
    ]


def _later(job: JobStory, by_s: float) -> JobStory:
    """The job on a scale of time that begins so much earlier."""
    return job._replace(
        start_s=None if job.start_s is None else job.start_s + by_s,
        environments=tuple(e._replace(start_s=e.start_s + by_s) for e in job.environments),
        commands=tuple(c._replace(start_s=c.start_s + by_s) for c in job.commands),
        log=tuple(line._replace(at_s=line.at_s + by_s) for line in job.log),
    )


def _lost(title: str, shard: Shard, number: int) -> Machine:
    """The machine of a shard that nobody has told of."""
    reason = f"shard {title} has sent no report"
    return Machine(
        title=f"shard {title}",
        runenv="",
        python="",
        platform="",
        start_s=0.0,
        duration_s=0.0,
        exit_code=None,
        interrupted_by="",
        jobs=tuple(_unknown(name, reason, number) for name in shard.jobs),
    )


def _unknown(name: str, reason: str, machine: int) -> JobStory:
    return JobStory(
        name=name,
        session=name,
        doc="",
        python=None,
        parameters={},
        tags=(),
        requires=(),
        where="",
        result="interrupted",
        reason=reason,
        attempts=0,
        start_s=None,
        duration_s=0.0,
        environments=(),
        commands=(),
        log=(),
        left_out=0,
        past=(),
        usual_s=None,
        flaky=False,
        peak_bytes=0,
        machine=machine,
    )


def _one_of_each(machines: Sequence[Machine], owner: Mapping[str, str]) -> tuple[JobStory, ...]:
    """Each job once, in the order in which they ended: where it went worst, else in its shard."""
    found: dict[str, tuple[tuple[int, bool, int], JobStory]] = {}
    for number, machine in enumerate(machines):
        for job in machine.jobs:
            rank = (_WORST_FIRST.index(job.result), owner.get(job.name) != machine.title, number)
            if job.name not in found or rank < found[job.name][0]:
                found[job.name] = (rank, job)
    ends = [machine.start_s + machine.duration_s for machine in machines]

    def ended_s(job: JobStory) -> float:
        return ends[job.machine - 1] if job.start_s is None else job.start_s + job.duration_s

    return tuple(sorted((job for _, job in found.values()), key=ended_s))
