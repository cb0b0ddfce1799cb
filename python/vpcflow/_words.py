"""Numbers with their nouns."""

from __future__ import annotations


def count(n: int, noun: str, plural: str | None = None) -> str:
    """Writes a number with its noun: ``"1 record"``, ``"2,000 records"``; ``plural`` is needed where an s does not do.

    >>> count(1, "record"), count(2000, "record"), count(2, "address", "addresses")
    ('1 record', '2,000 records', '2 addresses')
    """
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"
