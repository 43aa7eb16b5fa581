"""Starts each job once everything that it requires has passed, and what it follows has ended.

Knows nothing of environments or processes: an executor takes the jobs.
"""

from __future__ import annotations

from heapq import heappop, heappush

from runner.running import GOOD, Outcome
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.executors import Executor
    from runner.model import Job, Plan


def run(
    plan: Plan,
    executor: Executor,
    *,
    posargs: tuple[str, ...] = (),
    fail_fast: bool = False,
    find: Callable[[str], Sequence[Job]] = lambda _: (),
    settled: Callable[[Outcome], None] = lambda _: None,
    durations: Mapping[str, float] = {},
) -> tuple[Outcome, ...]:
    """The outcome of every job, in the order in which they were settled.

    find: the jobs that a name given to `session.notify` stands for, with those
    that they require before them. settled: told of each outcome as it comes.
    durations: the seconds that jobs took before. Where some are known, what has
    the longest path of jobs behind it starts first; else the plan's order holds.
    """
    queue = _Queue(durations, plan.jobs)
    running: set[str] = set()
    outcomes: dict[str, Outcome] = {}
    stopped = ""  # why nothing more is started
    ended = ""  # why what runs is ended
    expected: list[Job] = []  # what waits, and the executor was not told of yet

    def settle(outcome: Outcome) -> None:
        outcomes[outcome.job] = outcome
        queue.ended(outcome.job)
        settled(outcome)

    def skip_lost(names: Iterable[str]) -> None:
        """Settle what can no longer run, since one of these did not pass."""
        for job in queue.take_out_those_after(names):
            cause = next(name for name in job.requires if _is_lost(name, outcomes))
            settle(Outcome(job=job.name, result="skipped", reason=f"{cause} did not pass"))

    def add(jobs: Iterable[Job], words: tuple[str, ...]) -> None:
        known = [job for job in jobs if job.name not in outcomes and job.name not in running]
        expected.extend([job for job in known if queue.add(job, words, outcomes)])
        skip_lost({name for job in known for name in job.requires if _is_lost(name, outcomes)})

    # Approach: as long as something waits or runs,
    # - start what may start and finds room, the first in order first;
    # - wait for one job to end, and settle what can no longer run as it did not pass;
    # - add the jobs that it notified.
    add(plan.jobs, posargs)
    while queue or running:
        if executor.ended_by and not stopped:
            stopped = "not started: the run was interrupted"
        if stopped:
            for job in queue.take_out_all():
                settle(Outcome(job=job.name, result="skipped", reason=stopped))
        while executor.has_room() and (turn := queue.take()) is not None:
            running.add(turn[0].name)
            executor.start(*turn)
        if not running:
            assert executor.ended_by or not queue, "what waits can never start"
            continue
        if expected:
            executor.expect([job for job in expected if job.name in queue])
            expected.clear()
        outcome = executor.wait()
        running.remove(outcome.job)
        queue.let_go(outcome.job)
        if outcome.result == "interrupted" and ended and not executor.ended_by:
            outcome = outcome._replace(reason=ended)
        settle(outcome)
        if outcome.result in GOOD:
            queue.passed(outcome.job)
        else:
            skip_lost([outcome.job])
        if outcome.result == "interrupted" and not stopped:
            stopped = "not started: the run was interrupted"
            executor.stop()
        elif fail_fast and outcome.result not in (*GOOD, "skipped") and not stopped:
            stopped = f"not started: {outcome.job} did not pass (--fail-fast)"
            ended = f"ended: {outcome.job} did not pass (--fail-fast)"
            executor.stop()
        if not stopped:
            for target, words in outcome.notified:
                add(find(target), posargs if words is None else words)
    return tuple(outcomes.values())


def _is_lost(name: str, outcomes: Mapping[str, Outcome]) -> bool:
    return name in outcomes and outcomes[name].result not in GOOD


# The length of the path behind a job, below zero; its number, and its name. Flat, since
# most of what a heap costs is comparing its entries.
_Entry = tuple[float, int, str]


class _Queue:
    """What waits, and what of it may start now.

    Each job is looked at a fixed number of times, whatever the number of jobs.
    """

    def __init__(self, durations: Mapping[str, float], jobs: Sequence[Job]) -> None:
        self._paths = _longest_paths(durations, jobs)
        self._number = 0
        self._waiting: dict[str, tuple[Job, tuple[str, ...]]] = {}
        self._rank: dict[str, _Entry] = {}  # the lowest starts first
        # How many of its requires have not passed, and of what it follows have not ended.
        self._needed: dict[str, int] = {}
        self._after: dict[str, list[str]] = {}  # those that wait for it to pass
        self._behind: dict[str, list[str]] = {}  # those that wait for it to end
        # What may start, by rank: together with others, or alone (parallel=False).
        self._ready: list[_Entry] = []
        self._alone: list[_Entry] = []
        self._running: dict[str, Job] = {}
        self._is_alone = False  # what runs wants nothing beside it
        self._taken: set[str] = set()  # what only one of those that run may hold
        # Of what waits for one thing only the first is woken when it is free.
        self._parked: dict[str, list[_Entry]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, name: str) -> bool:
        return name in self._waiting

    def add(self, job: Job, posargs: tuple[str, ...], outcomes: Mapping[str, Outcome]) -> bool:
        """Let a job wait; False where it did already."""
        name = job.name
        if name in self._waiting:
            return False
        self._waiting[name] = (job, posargs)
        self._rank[name] = (-self._paths.get(name, 0.0), self._number, name)
        self._number += 1
        needed = [o for o in job.requires if o not in outcomes or _is_lost(o, outcomes)]
        # What a job follows comes before it in a plan; what is not there by now does not run.
        followed = [o for o in job.after if o in self._waiting or o in self._running]
        self._needed[name] = len(needed) + len(followed)
        for other in needed:
            self._after.setdefault(other, []).append(name)
        for other in followed:
            self._behind.setdefault(other, []).append(name)
        if not self._needed[name]:
            self._make_ready(name)
        return True

    def _make_ready(self, name: str) -> None:
        job, _ = self._waiting[name]
        heappush(self._ready if job.spec.parallel else self._alone, self._rank[name])

    def take(self) -> tuple[Job, tuple[str, ...]] | None:
        """The first job that may start now, which from now on runs; None where there is none."""
        if self._is_alone:
            return None
        self._drop_what_left(self._ready)
        self._drop_what_left(self._alone)
        # One that must be alone lets others go first as long as some run: nobody
        # waits for it to have the machine, and it waits for no more than there is.
        if self._alone and not self._running and self._alone[:1] < (self._ready[:1] or [_LAST]):
            return self._start(heappop(self._alone)[2])
        while self._ready:
            entry = heappop(self._ready)
            name = entry[2]
            if name not in self._waiting:
                continue
            claims = _claims(self._waiting[name][0])
            held = next((claim for claim in claims if claim in self._taken), None)
            if held is None:
                return self._start(name)
            heappush(self._parked.setdefault(held, []), entry)
            for claim in claims:  # it was woken for one of them, and does not take it
                if claim not in self._taken:
                    self._wake(claim)
        return None

    def _drop_what_left(self, entries: list[_Entry]) -> None:
        while entries and entries[0][2] not in self._waiting:
            heappop(entries)

    def _start(self, name: str) -> tuple[Job, tuple[str, ...]]:
        turn = self._waiting.pop(name)
        self._running[name] = turn[0]
        self._is_alone = not turn[0].spec.parallel
        self._taken.update(_claims(turn[0]))
        return turn

    def _wake(self, claim: str) -> None:
        parked = self._parked.get(claim, [])
        self._drop_what_left(parked)
        if parked:
            heappush(self._ready, heappop(parked))

    def let_go(self, name: str) -> None:
        """It runs no more: what it held is free."""
        claims = _claims(self._running.pop(name))
        self._is_alone = False
        self._taken.difference_update(claims)
        for claim in claims:
            self._wake(claim)

    def passed(self, name: str) -> None:
        """It has passed: what waited for it alone may start."""
        self._one_less(self._after.pop(name, ()))

    def ended(self, name: str) -> None:
        """It has ended, however: what followed it alone may start."""
        self._one_less(self._behind.pop(name, ()))

    def _one_less(self, names: Iterable[str]) -> None:
        for name in names:
            self._needed[name] -= 1
            if not self._needed[name] and name in self._waiting:
                self._make_ready(name)

    def take_out_those_after(self, names: Iterable[str]) -> list[Job]:
        """All that wait for these, and for those again, in order; they wait no more."""
        found: dict[str, Job] = {}
        left = list(names)
        while left:
            for other in self._after.pop(left.pop(), ()):
                if other in self._waiting:
                    found[other] = self._waiting.pop(other)[0]
                    left.append(other)
        return [found[name] for name in sorted(found, key=lambda name: self._rank[name][1])]

    def take_out_all(self) -> list[Job]:
        """All that wait; they wait no more."""
        jobs = [job for job, _ in self._waiting.values()]
        self._waiting.clear()
        return jobs


_LAST = (float("inf"), 0, "")


def _claims(job: Job) -> tuple[str, ...]:
    """What it must hold alone while it runs."""
    # No name has a slash in it.
    shared = (f"environment/{job.shared}",) if job.shared else ()
    return (*job.spec.exclusive, *shared)


def _longest_paths(durations: Mapping[str, float], jobs: Sequence[Job]) -> dict[str, float]:
    """The seconds from each job's start to the end of the longest path through it.

    What was never run takes as long as the others on average. Empty where
    nothing is known. A job stands behind all that it requires or follows.
    """
    known = [durations[job.name] for job in jobs if job.name in durations]
    paths: dict[str, float] = {}
    if known:
        usual_s = sum(known) / len(known)
        behind: dict[str, float] = {}
        for job in reversed(jobs):
            path_s = durations.get(job.name, usual_s) + behind.get(job.name, 0.0)
            paths[job.name] = path_s
            for name in (*job.requires, *job.after):
                behind[name] = max(behind.get(name, 0.0), path_s)
    return paths
