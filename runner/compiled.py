"""The code of an envfile, compiled once for each content.

It lies where Python keeps that of modules (PEP 3147, PEP 488), with the whole source beside
it: a time or a digest could be the same for another, and then an old envfile would run.
"""

from __future__ import annotations

import marshal
import os
import sys
from contextlib import suppress
from importlib.util import cache_from_source

from runner.aside import keep
from runner.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from types import CodeType


def code_of(source: bytes, path: str) -> CodeType:
    """What `compile` makes of the source of that file. Raises SyntaxError and ValueError."""
    kept = f"{os.path.splitext(cache_from_source(path))[0]}.runenv.pyc"
    # sys.version tells builds of Python apart whose bytecode differs.
    head = f"runenv 1 {sys.version!r} {sys.flags.optimize} {path!r}\n".encode() + source + b"\n"
    with suppress(OSError), open(kept, "rb") as stream:
        data = stream.read()
        if data.startswith(head):
            with suppress(EOFError, ValueError, TypeError):  # damaged: as if there were none
                code: CodeType = marshal.loads(memoryview(data)[len(head) :])  # noqa: S302  # as trusted as the envfile beside it
                return code
    code = compile(source, path, "exec", dont_inherit=True)
    if not sys.dont_write_bytecode:
        keep(kept, head + marshal.dumps(code))
    return code
