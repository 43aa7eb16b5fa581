"""Splits jobs over machines: disjoint, complete, and as even as what is known allows.

Pure: jobs, and the seconds that they took before, in; shards out. Knows nothing of
files, engines or the history.

A machine takes as long as all *things* that are done on it: jobs, those that they
require too, and environments that are made. What several of its jobs have in common is
done once, so that jobs with something in common attract each other.
"""

from __future__ import annotations

from bisect import insort

from runner.record import Record
from runner.running import Shard
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from runner.model import Job

    Things = frozenset[int]

_GUESS_MS = 1_000  # of each job and each environment, where nothing at all is known
_FEW = 4  # machines with the least to do, which something is moved to
_PAIRS = 2_500  # of jobs of two machines that are looked at to be swapped
_ROUNDS = 200  # in each, something leaves the machine that has the most to do
_WORTH = 0.998  # of what it takes: a change that helps less is not made
_EVEN = 1.01  # times what each would do, if nothing were done twice: memory is not more exact


class Known(Record):
    """What is known of the time that things take, in seconds."""

    jobs: Mapping[str, float]  # by name, without what making their environments takes
    making: Mapping[str, float]  # an environment, by the name of the job that it was made for


def split(
    jobs: Sequence[Job],
    selected: Sequence[Job],
    count: int,
    known: Known,
    environment_of: Callable[[Job], Hashable] = lambda job: job.environment,
) -> tuple[Shard, ...]:
    """So many shards: each selected job is in one of them, what it requires runs there too.

    Nothing but what is handed in decides, and not in which order that stands. What is
    unknown takes as long as the median of its kind. environment_of: equal for jobs of
    which one machine makes one environment.
    """
    by_name = {job.name: job for job in jobs}
    needed = {job.name: with_required(job, by_name) for job in selected}
    inner = {other for name, others in needed.items() for other in others if other != name}
    table = _Table([by_name[n] for n in sorted(_each(needed.values()))], known, environment_of)
    # What another selected job requires runs where that is, and belongs to one of these places.
    items = {name: table.things_of(needed[name]) for name in needed if name not in inner}
    machines = _share_out(items, table, min(count, len(items)))
    owner = {name: number for number, machine in enumerate(machines) for name in machine.items}
    for name in needed:
        if name in inner:
            there = (n for n, machine in enumerate(machines) if table.job[name] in machine.counts)
            owner[name] = next(there)
    # Those without any job are the last, so that the first of an engine are never idle.
    order = sorted(range(len(machines)), key=lambda n: (not machines[n].items, n))
    shards = [_shard(n, machines[n], owner, needed, table) for n in order]
    idle = Shard((), (), 0.0 if table.is_known else None)
    return (*shards, *([idle] * (count - len(shards))))


def estimates_s(
    jobs: Sequence[Job],
    packs: Iterable[Sequence[Job]],
    known: Known,
    environment_of: Callable[[Job], Hashable] = lambda job: job.environment,
) -> list[float | None]:
    """What a machine takes for each pack of jobs, with all that they require.

    None for all of them where nothing is known of any.
    """
    by_name = {job.name: job for job in jobs}
    needed = [_each(with_required(job, by_name) for job in pack) for pack in packs]
    table = _Table([by_name[name] for name in sorted(_each(needed))], known, environment_of)
    return [
        sum(table.ms[thing] for thing in table.things_of(names)) / 1000 if table.is_known else None
        for names in needed
    ]


def _shard(
    number: int,
    machine: _Machine,
    owner: Mapping[str, int],
    needed: Mapping[str, Sequence[str]],
    table: _Table,
) -> Shard:
    own = tuple(name for name in needed if owner[name] == number)
    others = _each(needed[name] for name in own)
    return Shard(
        jobs=own,
        requires=tuple(name for name in others if owner.get(name) != number),
        estimate_s=machine.load_ms / 1000 if table.is_known else None,
    )


def _each(names: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for some in names for name in some))


def with_required(job: Job, by_name: Mapping[str, Job]) -> tuple[str, ...]:
    """The names of the job and of all that it requires, and that again."""
    found, left = {job.name: None}, [job]
    while left:
        for name in left.pop().requires:
            if name not in found:
                found[name] = None
                left.append(by_name[name])
    return tuple(found)


# What there is to do. ---------------------------------------------------------------------


class _Table:
    """The things, by number, and the whole milliseconds that each takes.

    Whole, since sums of them are the same in whatever order.
    """

    def __init__(
        self, jobs: Sequence[Job], known: Known, environment_of: Callable[[Job], Hashable]
    ) -> None:
        self.job: dict[str, int] = {}
        self.ms: list[int] = []
        self.is_known = any(job.name in known.jobs for job in jobs)
        self._made: dict[str, int] = {}  # the environment of a job
        took_s = {job.name: known.jobs.get(job.name) for job in jobs}
        usual_ms = _median_ms(took_s.values(), _GUESS_MS)
        making: dict[Hashable, list[str]] = {}
        for job in jobs:
            number = self.job[job.name] = self._add(took_s[job.name], usual_ms)
            self.ms[number] = max(1, self.ms[number])  # else one machine would do all of them
            if job.spec.needs.backend != "none":
                making.setdefault(environment_of(job), []).append(job.name)
        # What is linked from the store takes next to nothing: the longest is one that is made.
        made = [
            (
                names,
                max((known.making[name] for name in names if name in known.making), default=None),
            )
            for names in making.values()
        ]
        usual_ms = _median_ms((seconds for _, seconds in made), 0 if self.is_known else _GUESS_MS)
        for names, seconds in made:
            self._made.update(dict.fromkeys(names, self._add(seconds, usual_ms)))

    def _add(self, seconds: float | None, usual_ms: int) -> int:
        self.ms.append(usual_ms if seconds is None else round(seconds * 1000))
        return len(self.ms) - 1

    def things_of(self, names: Iterable[str]) -> Things:
        """What is done where these jobs run."""
        made = (self._made[name] for name in names if name in self._made)
        return frozenset([*(self.job[name] for name in names), *made])


def _median_ms(values: Iterable[float | None], otherwise: int) -> int:
    there = sorted(value for value in values if value is not None)
    return round(there[len(there) // 2] * 1000) if there else otherwise


class _Machine:
    """What one machine does."""

    def __init__(self, ms: Sequence[int]) -> None:
        self.items: dict[str, Things] = {}
        self.counts: dict[int, int] = {}  # how many items a thing is done for
        self.load_ms = 0
        self._ms = ms

    def more_ms(self, things: Things) -> int:
        """How much longer it takes with these."""
        return sum(self._ms[thing] for thing in things if thing not in self.counts)

    def less_ms(self, name: str) -> int:
        """How much less it takes without this item."""
        return sum(self._ms[thing] for thing in self.items[name] if self.counts[thing] == 1)

    def add(self, name: str, things: Things) -> None:
        """It does this item too."""
        self.load_ms += self.more_ms(things)
        self.items[name] = things
        for thing in things:
            self.counts[thing] = self.counts.get(thing, 0) + 1

    def take(self, names: Sequence[str]) -> dict[str, Things]:
        """It does these no more."""
        taken = {name: self.items.pop(name) for name in names}
        for things in taken.values():
            for thing in things:
                self.counts[thing] -= 1
                if not self.counts[thing]:
                    del self.counts[thing]
                    self.load_ms -= self._ms[thing]
        return taken

    def put(self, items: Mapping[str, Things]) -> None:
        """It does all of these too."""
        for name, things in items.items():
            self.add(name, things)


# Sharing out. -------------------------------------------------------------------------------


def _share_out(items: Mapping[str, Things], table: _Table, count: int) -> list[_Machine]:
    """The better of two ways to begin, each with what moves and swaps make of it.

    Longest processing time first (R. L. Graham, 1969), by itself and with what shares an
    environment side by side: the one is more even, the other makes fewer environments.
    """
    if not items:
        return []
    ms = table.ms
    alone = {name: sum(ms[thing] for thing in things) for name, things in items.items()}
    by_time = sorted(items, key=lambda name: (-alone[name], name))
    groups: dict[Things, list[str]] = {}
    for name in by_time:
        groups.setdefault(items[name] - {table.job[name]}, []).append(name)
    members = list(groups.values())
    whole = [sum(alone[name] for name in names) for names in members]
    in_groups = sorted(range(len(members)), key=lambda n: (-whole[n], members[n][0]))
    ways = [by_time]
    if 1 < len(members) < len(items):
        ways.append([name for n in in_groups for name in members[n]])
    found: list[list[_Machine]] = []
    for way in ways:
        machines = [_Machine(ms) for _ in range(count)]
        _give_out(way, items, machines, table)
        _even_out(machines, sum(ms))
        found.append(machines)
    return min(found, key=_cost)


def _give_out(
    names: Sequence[str], items: Mapping[str, Things], machines: Sequence[_Machine], table: _Table
) -> None:
    """Each item, in this order, is done where the machine is ready with it first."""
    ranked = list(enumerate(machines))  # those with the least to do first
    for name in names:
        things, own_ms = items[name], table.ms[table.job[name]]
        best = min_ms = 0
        for place, (_, machine) in enumerate(ranked):
            if place and machine.load_ms + own_ms >= min_ms:
                break  # and no later one is ready before
            ready_ms = machine.load_ms + machine.more_ms(things)
            if not place or ready_ms < min_ms:
                best, min_ms = place, ready_ms
        number, machine = ranked.pop(best)
        machine.add(name, things)
        insort(ranked, (number, machine), key=lambda pair: (pair[1].load_ms, pair[0]))


def _cost(machines: Sequence[_Machine]) -> tuple[int, int]:
    loads = [machine.load_ms for machine in machines]
    return max(loads), sum(loads)


def _even_out(machines: Sequence[_Machine], whole_ms: int) -> None:
    """Move and swap what makes the machine that has the most to do faster, while it helps."""
    even_ms = _EVEN * whole_ms / len(machines)
    for _ in range(_ROUNDS):
        ranked = sorted(machines, key=lambda m: -m.load_ms)
        high, best = ranked[0], round(ranked[0].load_ms * _WORTH)
        if best <= even_ms:
            return
        change: tuple[_Machine, Sequence[str], Sequence[str]] | None = None
        for low in reversed(ranked[1:][-_FEW:]):
            for out, back in _changes(high, low, best):
                peak = _peak_after(high, low, out, back)
                if peak < best:
                    best, change = peak, (low, out, back)
        if change is None:
            return
        _exchange(high, *change)


def _changes(
    high: _Machine, low: _Machine, below_ms: int
) -> Iterable[tuple[Sequence[str], Sequence[str]]]:
    """What may go to the other machine, and what come back for it.

    Nothing of which the sizes tell that one of the two would take below_ms or longer.
    """
    names, others = sorted(high.items), sorted(low.items)
    without = {name: high.load_ms - high.less_ms(name) for name in names}
    with_it = {name: low.load_ms + low.more_ms(high.items[name]) for name in names}
    for name in names:
        if max(without[name], with_it[name]) < below_ms:
            yield [name], ()
    groups: dict[int, list[str]] = {}
    for name in names:
        for thing in high.items[name]:
            groups.setdefault(thing, []).append(name)
    for thing in sorted(groups):
        if 1 < len(groups[thing]) < len(names):
            yield groups[thing], ()
    if len(names) * len(others) <= _PAIRS:
        # What both have is not seen in the sums: it takes no less time than they say.
        come = [(other, high.more_ms(low.items[other]), low.less_ms(other)) for other in others]
        for name in names:
            for other, more_ms, less_ms in come:
                if max(without[name] + more_ms, with_it[name] - less_ms) < below_ms:
                    yield [name], [other]


def _peak_after(high: _Machine, low: _Machine, out: Sequence[str], back: Sequence[str]) -> int:
    """How long the slower of the two takes after that."""
    _exchange(high, low, out, back)
    peak = max(high.load_ms, low.load_ms)
    _exchange(high, low, back, out)
    return peak


def _exchange(high: _Machine, low: _Machine, out: Sequence[str], back: Sequence[str]) -> None:
    there, here = high.take(out), low.take(back)
    low.put(there)
    high.put(here)
