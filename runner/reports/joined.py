"""The runs of several machines as one run: what each of them has told, on one scale of time.

Pure: knows nothing of files, and not who hears of the whole.
"""

from __future__ import annotations

from runner import errors
from runner.reports.collected import JobStory, Machine, Story
from runner.running import Origin
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runner.reports.received import Received
    from runner.running import Shard

# Of what ran on several machines, since other jobs require it, the worst counts.
_WORST_FIRST = ("interrupted", "failed", "timed out", "skipped", "passed", "cached")


def misfit(received: Mapping[str, Received]) -> str:
    """Why these reports, by their files, are not of one run; empty where they are."""
    (first_file, first), *others = ((file, each.story) for file, each in received.items())
    for file, story in others:
        both = f"{first_file} and {file} are"
        if story.posargs != first.posargs:
            return f"{both} of runs with other arguments behind --"
        if (story.part is None) != (first.part is None):
            whole, part = (file, first_file) if first.part else (first_file, file)
            return f"{part} is of a shard, and {whole} of a whole run"
        if story.part and first.part and _jobs(story.part.shards) != _jobs(first.part.shards):
            return f"{both} of two ways to split the jobs"
    commits: dict[str, str] = {}  # each with the first file that is of it
    runs: dict[str, str] = {}
    for file, each in received.items():
        commits.setdefault(each.story.origin.commit, file)
        runs.setdefault(each.story.origin.run, file)
    for what, files in (("commits", commits), ("runs of the CI engine", runs)):
        files.pop("", "")  # who does not know it fits to all
        if len(files) > 1:
            (one, one_file), (other, other_file), *_ = files.items()
            return f"{one_file} and {other_file} are of two {what}, {one} and {other}"
    seen: dict[int, str] = {}
    for file, each in received.items():
        if each.story.part:
            twin = seen.setdefault(each.story.part.number, file)
            if twin != file:
                return f"{twin} and {file} are both of shard {each.story.part.title}"
    return ""


def _jobs(shards: Sequence[Shard]) -> list[tuple[str, ...]]:
    return [shard.jobs for shard in shards]


def join(received: Mapping[str, Received]) -> Story:
    """One run, made of reports that fit together, by their files.

    It begins with the first of them; whether their clocks agree nobody knows. What
    a shard without a report was to run counts as interrupted.
    """
    stories = [each.story for each in received.values()]
    at = min(story.at for story in stories)
    part = stories[0].part
    if part is None:
        machines = [_machine(file, each, at) for file, each in received.items()]
        owner: dict[str, int] = {}
    else:
        sent = {each.story.part.number: each for each in received.values() if each.story.part}
        machines = [
            _machine(title, sent[number], at) if number in sent else _lost(title, shard)
            for number, shard in enumerate(part.shards, 1)
            for title in [f"shard {number}/{len(part.shards)}"]
        ]
        owner = {name: n for n, shard in enumerate(part.shards, 1) for name in shard.jobs}
    machines = [
        machine._replace(jobs=tuple(job._replace(machine=number) for job in machine.jobs))
        for number, machine in enumerate(machines, 1)
    ]
    ended_by = next((story for story in stories if story.interrupted_by), None)
    jobs = _one_of_each(machines, owner)
    return Story(
        root=stories[0].root,
        envfile=stories[0].envfile,
        posargs=stories[0].posargs,
        at=at,
        duration_s=max(machine.start_s + machine.duration_s for machine in machines),
        interrupted_by=ended_by.interrupted_by if ended_by else "",
        exit_code=ended_by.exit_code if ended_by else _exit_code(machines, jobs),
        jobs=jobs,
        machines=tuple(machines),
        origin=next((story.origin for story in stories if story.origin.run), Origin()),
    )


def _exit_code(machines: Sequence[Machine], jobs: Sequence[JobStory]) -> int:
    """What one machine would have ended with that had run all of it."""
    codes = {machine.exit_code for machine in machines if machine.exit_code is not None}
    codes -= {errors.PASSED}
    if errors.FAILED in codes or any(machine.is_lost for machine in machines):
        return errors.FAILED
    if codes:
        return min(codes)
    return errors.PASSED if any(job.passed for job in jobs) else errors.FAILED


def _machine(title: str, received: Received, at: float) -> Machine:
    """What one of them has told; at: when the first of them began."""
    story = received.story
    start_s = story.at - at
    return Machine(
        title=title,
        runenv=received.runenv,
        python=received.python,
        platform=received.platform,
        start_s=start_s,
        duration_s=story.duration_s,
        exit_code=story.exit_code,
        interrupted_by=story.interrupted_by,
        jobs=tuple(_later(job, start_s) for job in story.jobs),
    )


def _later(job: JobStory, by_s: float) -> JobStory:
    """The job on a scale of time that begins so much earlier."""
    return job._replace(
        start_s=None if job.start_s is None else job.start_s + by_s,
        environments=tuple(e._replace(start_s=e.start_s + by_s) for e in job.environments),
        commands=tuple(c._replace(start_s=c.start_s + by_s) for c in job.commands),
        log=tuple(line._replace(at_s=line.at_s + by_s) for line in job.log),
    )


def _lost(title: str, shard: Shard) -> Machine:
    """The machine of a shard that nobody has told of."""
    return Machine(
        title=title,
        runenv="",
        python="",
        platform="",
        start_s=0.0,
        duration_s=0.0,
        exit_code=None,
        interrupted_by="",
        jobs=tuple(_unknown(name, f"{title} has sent no report") for name in shard.jobs),
    )


def _unknown(name: str, reason: str) -> JobStory:
    """A job of which nobody has told anything."""
    return JobStory(
        name=name,
        session=name,
        doc="",
        python=None,
        parameters={},
        options={},
        tags=(),
        requires=(),
        after=(),
        shared="",
        exclusive=(),
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
    )


def _one_of_each(machines: Sequence[Machine], owner: Mapping[str, int]) -> tuple[JobStory, ...]:
    """Each job once, in the order in which they ended: where it went worst, else in its shard.

    owner: the number of the machine that each job was planned for.
    """
    found: dict[str, tuple[tuple[int, bool, int], JobStory]] = {}
    for machine in machines:
        for job in machine.jobs:
            number = job.machine
            rank = (_WORST_FIRST.index(job.result), owner.get(job.name) != number, number)
            if job.name not in found or rank < found[job.name][0]:
                found[job.name] = (rank, job)
    ends = [machine.start_s + machine.duration_s for machine in machines]

    def ended_s(job: JobStory) -> float:
        return ends[job.machine - 1] if job.start_s is None else job.start_s + job.duration_s

    return tuple(sorted((job for _, job in found.values()), key=ended_s))
