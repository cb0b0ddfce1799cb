"""Files of JSON as documents, each with its place; damage ends a file, not what was read of it."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import SourceError, SourceNotFoundError

_MOST = 1 << 30  # bytes that one file may unpack to
_WRAPPERS = ("Records", "Findings", "findings", "events", "Events")


@dataclasses.dataclass
class Reading:
    """What was read of files: documents taken, those of another kind, and notes on damage."""

    files: int = 0
    taken: int = 0
    other: int = 0
    damage: list[str] = dataclasses.field(default_factory=list)


def files_of(place: str | os.PathLike[str]) -> list[Path]:
    """Returns the files of a folder with all below it, or the file itself, by name."""
    path = Path(place)
    if not path.exists():
        raise SourceNotFoundError(f"{path}: no such file or folder")
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] not in "._")


def text_of(path: Path, reading: Reading) -> str:
    """Reads a file, unpacked; bytes that are no UTF-8 are replaced."""
    reading.files += 1
    data = bytearray()
    try:
        with open(path, "rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.GzipFile(fileobj=raw) if zipped else raw as file:
                while block := file.read(1 << 20):
                    data += block
                    if len(data) > _MOST:
                        reading.damage.append(f"{path}: it unpacks to more than {_MOST:,} bytes; the rest is not read")
                        break
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        reading.damage.append(f"{path}: damaged gzip: {error}")
        data += _rest(path, len(data))
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from None
    return data.decode("utf-8", "replace")


def _rest(path: Path, done: int) -> bytes:
    """Returns what of damaged gzip comes out behind the bytes that were read."""
    unpacker = zlib.decompressobj(31)
    try:
        return unpacker.decompress(path.read_bytes(), _MOST)[done:]
    except zlib.error:
        return b""


def documents_of(path: Path, reading: Reading) -> Iterator[tuple[str, Any]]:
    """Yields the documents of a file with their places: those in a list of ``Records`` or ``Findings``, of a list, of
    lines; what EventBridge wraps as ``detail``."""
    text = text_of(path, reading).lstrip("\ufeff \t\r\n")
    try:
        values = [("", json.loads(text))] if text else []
    except (ValueError, RecursionError):
        values = list(_parts(path, text, reading))
    for place, value in values:
        for number, item in enumerate(_items(value)):
            yield place or f"{path}:record {number}", item


def _items(value: Any, depth: int = 0) -> Iterator[Any]:
    if isinstance(value, list):
        for item in value:
            yield from _items(item, depth + 1) if depth < 4 else ()
        return
    if isinstance(value, dict) and "detail-type" in value and isinstance(value.get("detail"), dict):
        value = value["detail"]
    if isinstance(value, dict) and isinstance(value.get("CloudTrailEvent"), str):  # of lookup-events
        try:
            value = json.loads(value["CloudTrailEvent"])
        except (ValueError, RecursionError):
            value = None
    held = value if isinstance(value, dict) else {}
    inner = next((held[name] for name in _WRAPPERS if isinstance(held.get(name), list)), None)
    if inner is not None and depth < 4:
        yield from _items(inner, depth + 1)
    else:
        yield value


def _parts(path: Path, text: str, reading: Reading) -> Iterator[tuple[str, Any]]:
    """Yields the values that follow each other in a text: lines, or the members of a list that is cut."""
    decoder = json.JSONDecoder()
    wrapped = re.match(r'\{\s*"(?:Records|Findings)"\s*:\s*\[|\[', text)
    place, failed, number = wrapped.end() if wrapped else 0, 0, 0
    counted, byte = 0, 0  # bytes of the text before a place
    while True:
        place = re.compile(r"[\s,]*").match(text, place).end()  # type: ignore[union-attr]
        if place >= len(text):
            break
        try:
            value, end = decoder.raw_decode(text, place)
            counted, byte = place, byte + len(text[counted:place].encode())
            name = f"record {number}" if wrapped else f"byte {byte}"
            yield f"{path}:{name}", value
            number, place = number + 1, end
        except (ValueError, RecursionError):
            failed += 1
            place = text.find("\n", place)
            if place < 0 or wrapped:
                break
    if failed:
        what = "cut or damaged JSON" if wrapped or not number else f"{failed} lines are no JSON"
        reading.damage.append(f"{path}: {what}; {number} documents of it were read")
