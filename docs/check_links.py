"""Looks whether each link of the built pages leads to a page and an anchor that are there.

Asks no network: of what leads elsewhere it only wants https. `runenv docs` runs it.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors = {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 — HTMLParser hands it
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


def leads_nowhere(link: str, path: Path, root: Path, pages: dict[Path, Page]) -> bool:
    """Whether a link of the page at a path misses."""
    scheme, netloc, target, _, anchor = urlsplit(link)
    if scheme or netloc:
        return scheme not in ("https", "data", "mailto")
    there = (path.parent / unquote(target)).resolve() if target else path
    if there.is_dir():
        there /= "index.html"
    if not there.is_relative_to(root) or not there.is_file():
        return True
    return there in pages and unquote(anchor) not in pages[there].anchors


def main(folder: str) -> int:
    """Print the links that lead nowhere; 1 where there are any."""
    root = Path(folder).resolve()
    pages = {path: Page(path) for path in sorted(root.rglob("*.html"))}
    wrong = [
        f"{path.relative_to(root)}: {link} leads nowhere"
        for path, page in pages.items()
        for link in page.links
        if leads_nowhere(link, path, root, pages)
    ]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    if not pages:
        print(f"{folder} holds no pages")
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
