"""What a name may be, and how one envfile calls what another one declares.

Knows of no session: it reads words.
"""

from __future__ import annotations

# Letters and digits of any script, and what no shell or file system trips over.
_SAFE_PUNCTUATION = "._+-"


def is_safe(word: object) -> bool:
    """Whether it is a word that can stand in the name of a job as it is."""
    if not isinstance(word, str):
        return False
    fine = word.isalnum() or all(c.isalnum() or c in _SAFE_PUNCTUATION for c in word)
    return bool(word) and fine and word[0] not in "-."


def cleaned(word: str) -> str:
    """The word with each run of unsafe characters as one `_`, none at its ends."""
    kept = "".join(c if c.isalnum() or c in _SAFE_PUNCTUATION else " " for c in word)
    return "_".join(kept.split()).strip("-._")


def full_name(name: str, prefix: str) -> str:
    """What is called `name` in the envfile of that prefix, as the project calls it.

    A colon before it leads to the envfile that includes this one. One is left where
    that is not loaded.
    """
    while name.startswith(":") and prefix:
        name, prefix = name[1:], prefix[: prefix.rfind(":", 0, -1) + 1]
    return prefix + name


def name_from(name: str, prefix: str) -> str:
    """What the project calls `name`, as the envfile of that prefix has to write it."""
    own = name.startswith(prefix)
    return name.removeprefix(prefix) if own else ":" * prefix.count(":") + name
