"""Programs that come with the system, or by other ways than Python packages."""

from __future__ import annotations

_NAMES = """
bash sh rm cp mv mkdir rmdir find make cmake docker git echo true false cat test env touch ls sed
grep tar
npm npx node yarn pnpm cargo rustc gcc cd curl wget open sudo which xargs tee unzip zip chmod ln
printf pwd sleep kill gh hatch just task go java docker-compose podman awk rsync ssh scp
"""

PROGRAMS = frozenset(_NAMES.split())
