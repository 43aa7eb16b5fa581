"""Digests of little and of much."""

from __future__ import annotations

from runner.digests import fast_sha256, keyed_digest, sha256

OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1


def test_of_little():
    assert sha256(b"abc").hexdigest() == OF_ABC


def test_of_much():
    digest = fast_sha256()
    digest.update(b"abc")

    assert digest.hexdigest() == OF_ABC


def test_with_a_key():
    # The first of the keyed vectors that come with the reference code, cut by its length.
    key = bytes(range(64))

    assert keyed_digest(key, b"", 64).startswith("10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2")
    assert len(keyed_digest(key, b"", 8)) == 16


def test_a_key_of_any_length_counts():
    keys = [b"", b"k", b"k" * 64, b"k" * 65, b"k" * 66]

    assert len({keyed_digest(key, b"data", 16) for key in keys}) == 5
