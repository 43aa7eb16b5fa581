"""How Sphinx builds the documentation: `runenv docs`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "runenv"
author = "The runenv authors"
copyright = "2026, The runenv authors"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "runenv"
html_static_path = ["_static"]
html_css_files = ["runenv.css"]

# A block that names no language is a terminal, not Python.
highlight_language = "none"

exclude_patterns = ["_build"]
nitpicky = True

# What the docstrings say of types stands in signatures, and is Python's.
autodoc_typehints = "signature"
autodoc_use_type_comments = False
python_maximum_signature_line_length = 80
nitpick_ignore_regex = [("py:.*", ".*")]

# In our docstrings `this` is code.
default_role = "code"

man_pages = [("reference/command-line", "runenv", "run the sessions of an envfile.py", author, 1)]
man_make_section_directory = True


def _as_fields(
    _app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Arguments, which our docstrings name at the beginning of a line, become fields."""
    text = re.sub(r"(?<=\.)\s+([a-z_]+(?:, [a-z_]+)*):(?=\s)", r"\n\1:", "\n".join(lines))
    made: list[str] = []
    in_field = False
    for line in text.splitlines():
        parts = re.split(r"(`[^`]*`)", line)
        # What is no code has no mark-up either.
        told = "".join(p if p[:1] == "`" else re.sub(r"[*_|]", r"\\\g<0>", p) for p in parts)
        name, colon, _ = line.partition(":")
        is_field = bool(colon) and re.fullmatch(r"\w+(, \w+)*", name) is not None
        if is_field or (in_field and not line.startswith(" ")):
            made.append("")  # a field ends where a line is not indented
        in_field = is_field or (in_field and line.startswith(" "))
        made.append(f":{told.replace(':', ': ', 1).replace(':  ', ': ')}" if is_field else told)
    lines[:] = made


def setup(app: Sphinx) -> None:
    """What Sphinx calls when it starts."""
    app.connect("autodoc-process-docstring", _as_fields)
