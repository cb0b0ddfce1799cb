"""Files of JSON as documents, each with its place; damage ends a file, not what was read of it."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import _core
from ..errors import SourceError, SourceNotFoundError

_MOST = 1 << 30  # bytes that one file may unpack to
_A_BATCH = 1024  # documents


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
    """Yields the documents of a file with their places, the byte of the unpacked file: those in a list of ``Records``
    or ``Findings``, of a list, of lines; what EventBridge wraps as ``detail``, and CloudWatch Logs as ``message``."""
    reading.files += 1
    reader = _core.DocumentReader(os.fsencode(path))
    while (part := reader.next(_A_BATCH)) is not None:
        for byte, number, text in part:
            try:
                yield f"{path}:byte {byte}{f'#{number}' * bool(number)}", json.loads(text)
            except RecursionError:
                reading.damage.append(f"{path}:byte {byte}: a document that is nested too deeply")
    reading.damage += reader.damage
