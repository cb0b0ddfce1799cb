"""JSON in one form only: what is read back must be, byte by byte, what this package writes."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

from .._display import printable
from ..errors import ManifestError, SourceError, SourceNotFoundError

LONGEST_LINE = 1 << 17  # bytes, of an object's line: a name of 4,096 bytes, each escaped, and room
LARGEST_FILE = 1 << 20  # bytes, of a head, an envelope, a key, a signature


def json_bytes(value: Any) -> bytes:
    """Writes a value as JSON in ASCII, without blanks, its members in their order."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")


def json_value(data: bytes, what: str) -> dict[str, Any]:
    """Reads an object that :func:`json_bytes` wrote. :class:`~vpcflow.ManifestError` for any other bytes."""
    try:
        value = json.loads(data.decode("ascii"))
        same = isinstance(value, dict) and json_bytes(value) == data
    except (ValueError, RecursionError):
        same = False
    if not same:
        raise ManifestError(f"{printable(what)}: not in the form that vpcflow writes; the file was changed or damaged")
    found: dict[str, Any] = value
    return found


def checked(value: dict[str, Any], kinds: dict[str, tuple[type, ...]], what: str) -> dict[str, Any]:
    """Returns an object that has the members of ``kinds`` in their order, each of one of its types; whole numbers are
    not negative and have 64 bits at most."""
    if list(value) != list(kinds):
        raise ManifestError(f"{printable(what)}: has other members than {', '.join(kinds)}")
    for name, allowed in kinds.items():
        one = value[name]
        if type(one) not in allowed or (type(one) is int and not 0 <= one < 1 << 63):
            raise ManifestError(f"{printable(what)}: {name}: has a value that cannot be")
    return value


def is_sha256(text: object) -> bool:
    """Tells whether a value is a SHA-256 in small hexadecimal digits."""
    return isinstance(text, str) and len(text) == 64 and all(c in "0123456789abcdef" for c in text)


def read_small(path: str | os.PathLike[str], most: int = LARGEST_FILE) -> bytes:
    """Reads a regular file of at most ``most`` bytes. Raises :class:`~vpcflow.SourceError`."""
    name = printable(os.fspath(path))
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise SourceError(f"{name}: not a regular file")
            data = file.read(most + 1)
    except FileNotFoundError:
        raise SourceNotFoundError(f"{name}: no such file") from None
    except OSError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{name}: cannot be read: {error.strerror or error}") from None
    if len(data) > most:
        raise SourceError(f"{name}: larger than the {most:,} bytes that such a file can have")
    return data


def names_in(folder: Path) -> list[str]:
    """Returns the names in a folder, sorted; none if it does not exist."""
    try:
        return sorted(os.listdir(folder))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SourceError(f"{printable(str(folder))}: cannot be read: {error.strerror or error}") from None
