"""Numbers with their nouns."""

from __future__ import annotations


def count(n: int, noun: str, plural: str | None = None) -> str:
    """Writes a number with its noun: ``"1 record"``, ``"2,000 records"``; ``plural`` is needed where an s does not do.

    >>> count(1, "record"), count(2000, "record"), count(2, "address", "addresses")
    ('1 record', '2,000 records', '2 addresses')
    """
    return f"{n:,} {noun if n == 1 else plural or f'{noun}s'}"


def share(part: int, whole: int, digits: int = 1) -> str:
    """Formats a share of a whole, with ``digits`` behind the point; one that is not all and not nothing never looks
    like it.

    >>> share(1, 3), share(1, 100_000), share(99_999, 100_000), share(5, 5), share(1, 1000, 0)
    ('33.3%', '<0.1%', '>99.9%', '100.0%', '<1%')
    """
    text = f"{part / whole:.{digits}%}"
    least = 10.0**-digits
    if text == f"{0:.{digits}%}" and part:
        return f"<{least:.{digits}f}%"
    return f">{100 - least:.{digits}f}%" if text == f"{1:.{digits}%}" and part < whole else text
