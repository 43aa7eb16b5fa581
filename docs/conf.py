"""How Sphinx builds the documentation: `runenv docs`."""

project = "runenv"
author = "The runenv authors"
copyright = "2026, The runenv authors"

extensions = ["myst_parser"]
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
