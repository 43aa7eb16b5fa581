"""Looks whether what is to be released is what its tag says: `runenv release -- v0.2.0`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def mistakes(tag: str, root: Path = ROOT) -> list[str]:
    """What stands in the way of releasing under that tag."""
    module = (root / "runner" / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"$', module, re.MULTILINE)
    told = version[1] if version else "none"
    found = []
    if tag.removeprefix("v") != told:
        found.append(f"the tag is {tag}, and runner/__init__.py says {told}")
    if f"\n## {told} (" not in (root / "CHANGELOG.md").read_text(encoding="utf-8"):
        found.append(f"CHANGELOG.md has no section for {told}: runenv changelog -- {told} DAY")
    if left := sorted(path.name for path in (root / "changes").glob("*.md")):
        found.append(f"changes/ still has {len(left)} files, {left[0]} the first")
    return found


if __name__ == "__main__":
    found = mistakes(sys.argv[1] if sys.argv[1:] else "none")
    sys.exit("\n".join(found) or 0)
