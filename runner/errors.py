"""What can go wrong in ways that a user can mend, and the exit code of each.

    RunnerError                 2   what is wrong, where, and the mend
    ├── UsageError              2   the command line, a variable, a setting
    ├── EnvfileError            2   the envfile; holds every mistake that was found
    ├── SessionSkipped              session.skip(...)
    ├── ReportUnwritten         1   a report that was asked for is not there
    ├── ShardMissing            1   a machine of several has sent no report
    └── JobError                1   one job cannot go on; the others can
        ├── InterpreterMissing      no such Python here
        ├── EnvironmentBroken       the environment cannot be made
        ├── SessionFailed           session.error(...), or it may not run
        └── CommandFailed           a command of the session ended badly
            └── CommandTimedOut     it took longer than it was given: 124

`cli.py` prints those that end the run, `perform.py` turns a `JobError` into
the outcome of its job. Whatever else is raised is a bug of ours.
"""

from __future__ import annotations

from runner.record import Record

PASSED = 0
FAILED = 1
USAGE = 2
TIMED_OUT = 124  # what timeout(1) of the GNU core utilities exits with
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
TERMINATED = 143  # 128 + SIGTERM


class RunnerError(Exception):
    """Something that the user can mend: what is wrong, where, and how."""

    exit_code = USAGE

    def __init__(self, what: str, *, where: str = "", mend: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.mend = mend

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}\n{self.mend}" if self.mend else head


class UsageError(RunnerError):
    """The command line, a variable or a setting asks for what does not exist."""


class Mistake(Record):
    """One thing in an envfile that cannot stand."""

    where: str  # envfile.py:12
    what: str
    mend: str = ""


class EnvfileError(RunnerError):
    """An envfile that cannot be used, with all that is wrong in it."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        first = mistakes[0]
        super().__init__(first.what, where=first.where, mend=first.mend)
        self.mistakes = mistakes


class JobError(RunnerError):
    """One job cannot go on."""

    exit_code = FAILED


class InterpreterMissing(JobError):
    """No Python that fits was found on this machine."""


class EnvironmentBroken(JobError):
    """An environment cannot be made, or not be used as asked."""


class CommandFailed(JobError):
    """A command of the session ended badly."""

    def __init__(self, what: str, *, returncode: int = 1, mend: str = "") -> None:
        super().__init__(what, mend=mend)
        self.returncode = returncode


class CommandTimedOut(CommandFailed):
    """A command took longer than it was given."""

    exit_code = TIMED_OUT


class SessionFailed(JobError):
    """The session function said so, `session.error(...)`, or it may not be called."""


class SessionSkipped(RunnerError):
    """The session function asked to be skipped: `session.skip(...)`."""


class ReportUnwritten(RunnerError):
    """A report that was asked for is not there, whatever became of the run."""

    exit_code = FAILED


class ShardMissing(RunnerError):
    """Of one of several machines nobody knows what became of its jobs."""

    exit_code = FAILED


class TimeUp(BaseException):
    """The time of a job is up.

    Not an Exception, as `Interrupted`.
    """


class Interrupted(BaseException):
    """A signal asks us to end.

    Not an Exception: no `except Exception` of a session function may swallow it.
    """

    def __init__(self, signal_name: str, exit_code: int) -> None:
        super().__init__(signal_name)
        self.signal_name = signal_name
        self.exit_code = exit_code


def nearest(word: str, known: list[str]) -> str | None:
    """The known word that `word` most likely stands for, if one is near."""
    # Only on the way to an error message, so its 8 ms cost nobody a thing.
    import difflib

    folded = {name.casefold(): name for name in reversed(known)}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[near[0]] if near else folded.get(_two_slips_away(word.casefold(), list(folded)))


def _two_slips_away(word: str, known: list[str]) -> str:
    """The first known word that two slips made `word` of, its first letter apart; or empty.

    Of a short word they leave too little for difflib's ratio: `tset` for `tests`.
    """
    if len(word) < 4:
        return ""
    near = (name for name in known if name[:1] == word[0] and abs(len(name) - len(word)) <= 2)
    return next((name for name in near if _slips(word, name) <= 2), "")


def _slips(one: str, other: str) -> int:
    """Letters added, left out, mistaken, or swapped with the next (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, meant in enumerate(other, 1):
            fewest = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != meant))
            if i > 1 and j > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
                fewest = min(fewest, older[j - 2] + 1)
            row.append(fewest)
    return row[-1]


def did_you_mean(word: str, known: list[str]) -> str:
    """`did you mean 'build'?`, or an empty string where nothing is near."""
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else ""


def some_of(names: list[str]) -> str:
    """The names, or the first eight of them and how many more there are."""
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more


def place_of(error: BaseException, root: str) -> str:
    """`envfile.py:12`, the innermost place in the project's own files that it came through.

    Empty where it came through none of them.
    """
    import os

    ours = os.path.dirname(__file__) + os.sep  # in the root when we test ourselves
    place = ""
    frames = error.__traceback__
    while frames is not None:
        file = frames.tb_frame.f_code.co_filename
        inside = file.startswith(root + os.sep) and not file.startswith(ours)
        if inside and "site-packages" not in file:
            place = f"{os.path.relpath(file, root)}:{frames.tb_lineno}"
        frames = frames.tb_next
    return place


def cut_traceback(error: BaseException) -> str:
    """The traceback of a user's exception, without our own frames."""
    import os
    import traceback  # only on the way to an error message

    ours = os.path.dirname(__file__) + os.sep
    shown = traceback.TracebackException.from_exception(error)
    left = [shown]
    while left:
        seen = left.pop()
        kept = [frame for frame in seen.stack if not frame.filename.startswith(ours)]
        seen.stack = traceback.StackSummary.from_list(kept)
        before = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
        left += [before] if before else []
        left += getattr(seen, "exceptions", None) or []  # of a group, from Python 3.11 on
    return "".join(shown.format()).rstrip()
