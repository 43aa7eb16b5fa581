"""What was seen and decided, as a person is told."""

from __future__ import annotations

from runner.init.decide import IF_RED
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from runner.init.decide import Decided
    from runner.init.seen import Seen


def told(
    seen: Seen, decided: Decided, envfile: str, here: Sequence[str], runenv: str = "runenv"
) -> list[str]:
    """The lines.

    envfile: as it is shown. here: the Pythons of this machine that fit the project.
    runenv: the command that finds this envfile.
    """
    environments = decided.declared.environments
    listed = [one.name for one in environments if one.listed]
    others = [one.name for one in environments if not one.listed]
    lines = [f"wrote {envfile}", "", "seen:", *(f"  {line}" for line in _seen(seen))]
    if decided.missing:
        lines += ["", "missing:", *(f"  {line}" for line in decided.missing)]
    notes = [note.text for one in environments for note in one.notes if note.kind == IF_RED]
    if notes:
        lines += ["", "if tests fail:", *(f"  {text}" for text in dict.fromkeys(notes))]
    steps = [(runenv, f"runs {', '.join(listed)}")]
    if others:
        steps.append((f"{runenv} {others[0]}", f"not by default: {', '.join(others)}"))
    steps.append((f"{runenv} --list", "what there is; --explain tells what would happen"))
    if "tests" in listed and len(here) > 1:
        wanted = decided.python or f">={here[0]}"
        steps.append(
            (
                f'python=["{wanted}"]',
                f"in @runner.session: a job for each Python here, {here[0]} to {here[-1]}",
            )
        )
    steps += [
        (f"runenv --convert --force {name}", f"what {name} says as an envfile, instead of this one")
        for name in seen.convertible
    ]
    width = max(len(command) for command, _ in steps)
    lines += ["", "next:", *(f"  {command:<{width}}  {what}" for command, what in steps)]
    return lines


def _seen(seen: Seen) -> Iterator[str]:
    metadata = seen.metadata
    if metadata.said_in:
        facts = [
            metadata.name,
            f"built by {metadata.backend}" if metadata.backend else "not built",
            "with compiled parts" if metadata.has_extension else "",
            f"{seen.layout} layout" if seen.layout else "",
            f"Python {metadata.requires_python}" if metadata.requires_python else "",
        ]
        yield f"{', '.join(metadata.said_in)}: {', '.join(filter(None, facts))}"
    tests = seen.tests
    if tests.kind:
        runner = {"django": "manage.py test", "script": tests.script}.get(tests.kind, tests.kind)
        yield f"tests by {runner}" + (f", in {', '.join(tests.places[:4])}" if tests.places else "")
    elif not seen.packages:
        yield "no tests"
    for tool in (*seen.linters, *seen.checkers):
        version = f"; {tool.requirement} in {tool.pinned_in}" if tool.pinned_in else ""
        yield f"{tool.name}, in {tool.said_in}{version}"
    if seen.docs is not None:
        yield f"documentation by {seen.docs.kind}, in {seen.docs.config}"
    yield from (file.name for file in seen.files)
    if seen.packages:
        yield f"projects in {', '.join(one.folder for one in seen.packages)}"
    others = [*(f"{name} (nox, tox or hatch)" for name in seen.convertible), *seen.runners]
    if others:
        yield f"other runners: {', '.join(others)}"
