"""Identities: few bytes that stand for what is read once."""

from __future__ import annotations

import hashlib


def identity(*parts: object) -> bytes:
    """Returns 16 bytes that stand for something that is read once.

    >>> identity("logs", "a.log", 7).hex()
    'f12058065d8dd6a0fe970cfbbc0ce477'
    """
    return hashlib.blake2b("\0".join(map(str, parts)).encode("utf-8", "surrogateescape"), digest_size=16).digest()
