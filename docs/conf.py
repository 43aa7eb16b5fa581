"""How Sphinx builds the documentation: `runenv docs`."""

project = "runenv"
author = "The runenv authors"
copyright = "2026, The runenv authors"

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "runenv"

exclude_patterns = ["_build"]
nitpicky = True
