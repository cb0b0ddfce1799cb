"""Hints for names that do not exist."""

from __future__ import annotations

from collections.abc import Sequence


def nearest(name: str, known: Sequence[str], *, least: float = 0.6) -> str | None:
    """Returns the known name that is most like `name`, or ``None`` if none is at least as like as `least` (0 to 1)."""
    import difflib  # of mistakes alone

    near = difflib.get_close_matches(name, known, 1, least)
    return near[0] if near else None


def hint(name: str, known: Sequence[str]) -> str:
    """Names the nearest known name, or all of them if none is near.

    >>> hint("bytse", ["bytes", "packets"])
    "did you mean 'bytes'?"
    >>> hint("x", ["bytes", "packets"])
    'there are bytes, packets'
    """
    near = nearest(name, known)
    return f"there are {', '.join(known)}" if near is None else f"did you mean {near!r}?"
