"""Puts the changes since the last release together: `runenv changelog`.

Prints them; with a version and a day, `runenv changelog -- 0.2.0 2026-12-01`, it writes them
into CHANGELOG.md and deletes their files.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGES = Path(__file__).parent
KINDS = {"added": "Added", "changed": "Changed", "fixed": "Fixed", "removed": "Removed"}
MARK = "<!-- releases: the newest first -->\n"


def fragments() -> dict[str, list[Path]]:
    """The files of each kind, by name. Raises SystemExit for one that is named otherwise."""
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for path in sorted(CHANGES.glob("*.md")):
        name = re.fullmatch(r"[a-z0-9-]+\.([a-z]+)\.md", path.name)
        if name is None or name[1] not in KINDS:
            kinds = ", ".join(KINDS)
            raise SystemExit(f"changes/{path.name} is no NAME.KIND.md; kinds are {kinds}")
        found[name[1]].append(path)
    return found


def as_text(found: dict[str, list[Path]]) -> str:
    """The changes as a list for each kind."""
    parts = []
    for kind, paths in found.items():
        items = [_item(path.read_text(encoding="utf-8").strip()) for path in paths]
        if items:
            parts.append(f"### {KINDS[kind]}\n\n" + "\n".join(items))
    return "\n\n".join(parts)


def _item(text: str) -> str:
    first, *rest = text.splitlines()
    return "\n".join([f"- {first}", *(f"  {line}".rstrip() for line in rest)])


def release(version: str, day: str, changelog: Path) -> None:
    """CHANGELOG.md has a section for the version; the files of the changes are gone."""
    found = fragments()
    text = changelog.read_text(encoding="utf-8")
    if not re.fullmatch(r"\d+\.\d+\.\d+", version) or not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        raise SystemExit("write a version and a day: 0.2.0 2026-12-01")
    if f"\n## {version} " in text:
        raise SystemExit(f"CHANGELOG.md has {version} already")
    if MARK not in text:
        raise SystemExit(f"CHANGELOG.md has no line {MARK.strip()}: put it above the releases")
    if not any(found.values()):
        raise SystemExit("nothing has changed: there is no file in changes/")
    section = f"\n## {version} ({day})\n\n{as_text(found)}\n"
    changelog.write_text(text.replace(MARK, MARK + section), encoding="utf-8")
    for paths in found.values():
        for path in paths:
            path.unlink()


if __name__ == "__main__":
    if sys.argv[1:]:
        release(sys.argv[1], " ".join(sys.argv[2:]), CHANGES.parent / "CHANGELOG.md")
    else:
        print(as_text(fragments()))
