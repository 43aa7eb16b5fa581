"""Digests: by the interpreter's own code for little, by OpenSSL for much.

`hashlib` loads OpenSSL first: 2 to 3 ms, and 150 pages more that each fork has to copy.
OpenSSL is seven times as fast (1.4 GB/s beside 0.2), so that half a mebibyte pays for it.
"""

from __future__ import annotations

from runner.typed import TYPE_CHECKING

__all__ = ["LITTLE_BYTES", "fast_sha256", "keyed_digest", "sha256"]

if TYPE_CHECKING:
    from _hashlib import HASH
    from hashlib import blake2b, sha256
else:
    try:
        from _blake2 import blake2b
    except ImportError:  # built without it
        from hashlib import blake2b
    try:
        from _sha2 import sha256  # Python 3.12 and later
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256

LITTLE_BYTES = 1 << 19  # up to which `sha256` is the faster


def fast_sha256() -> HASH:
    """A digest of nothing yet, by OpenSSL."""
    from hashlib import sha256

    return sha256()


def keyed_digest(key: bytes, data: bytes, size: int) -> str:
    """What BLAKE2b (RFC 7693) makes of data and a key, in 2 x size hexadecimal digits.

    Who has not the key can check no guess of the data by it.
    """
    if len(key) > blake2b.MAX_KEY_SIZE:
        key = sha256(key).digest()
    return blake2b(data, key=key, digest_size=size).hexdigest()
