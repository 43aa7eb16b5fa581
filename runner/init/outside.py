"""What may turn tests red although all that they name is installed: servers, and newer packages.

Told from what their settings say. Nothing is executed, and nobody is asked whether a
server answers.
"""

from __future__ import annotations

import re

from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from runner.init.tree import Tree

_SETTINGS = r"(?:.*/)?(?:conftest|\w*settings\w*)\.py|(?:.*/)?settings/\w+\.py"
_SERVERS = {
    r"django\.db\.backends\.postgresql|\bpostgres(?:ql)?(?:\+\w+)?://": "a PostgreSQL database",
    r"django\.db\.backends\.mysql|\bmysql(?:\+\w+)?://": "a MySQL database",
    r"django\.db\.backends\.oracle": "an Oracle database",
    r"\brediss?://|cache\.backends\.redis": "a Redis server",
    r"\bmongodb(?:\+srv)?://": "a MongoDB server",
    r"\bamqps?://": "a RabbitMQ server",
    r"\btestcontainers\b|\bdocker\.from_env\(": "Docker",
}
_VARIABLE = r"""(?:environ(?:\.get\(|\[)|getenv\()\s*["'](\w+)["']"""
_MOST_NAMED = 8


def servers_of(tree: Tree, within: Iterable[str], *, of_project: bool) -> Iterator[str]:
    """A sentence for each file of settings that names a server which must answer.

    within: the places of the tests. of_project: the project's own settings hold for them.
    """
    places = tuple(f"{place}/" for place in within)
    for name in tree.files:
        if not re.fullmatch(_SETTINGS, name):
            continue
        if not (of_project or name.startswith(places) or "test" in name):
            continue
        text = tree.text(name)
        named = [what for pattern, what in _SERVERS.items() if re.search(pattern, text)]
        if named:
            read = list(dict.fromkeys(re.findall(_VARIABLE, text)))[:_MOST_NAMED]
            variables = f"; it reads the variables {', '.join(read)}" if read else ""
            yield f"{name} names {' and '.join(named)}, which the tests need{variables}"


def newer_of(settings: str) -> str:
    """Why a newer package may turn tests red, by the settings of pytest; or empty."""
    found = re.search(r"filterwarnings\s*=\s*[\[\"'\s]*error\b|(?:^|\s)-W\s*error\b", settings)
    return (
        "pytest takes warnings for errors (filterwarnings), those of newer packages too:"
        ' exclude_newer="2026-01-31" installs what was there on that day'
        if found
        else ""
    )
