"""What can be scanned: paths, bytes, file objects, lines, Parquet; and which of it a query needs."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from typing import Any, Union, cast

from . import _core
from .errors import DataQualityWarning, NoRecordsError, SourceNotFoundError
from .tables import TableFiles

_FEW = 100
_TABLES = (".parquet", ".arrow", ".arrows", ".feather", ".ipc", ".pq")
_BINARY = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1")  # gzip, zstd, Parquet
Input = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Iterable[Any], Any]


class _Lines:
    """An iterable of lines as something with read(size)."""

    def __init__(self, lines: Iterable[str | bytes]) -> None:
        self._lines = iter(lines)
        self._rest = b""

    def read(self, size: int) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        while have < size:
            line = next(self._lines, None)
            if line is None:
                break
            raw = line.encode("utf-8", "surrogateescape") if isinstance(line, str) else bytes(line)
            if not raw.endswith(b"\n"):
                raw += b"\n"
            parts.append(raw)
            have += len(raw)
        data = b"".join(parts)
        self._rest = data[size:]
        return data[:size]


def _looks_like_line(item: Any) -> bool:
    """A text with several words that is no file: a log line, not a path."""
    if isinstance(item, bytes):
        return b"\n" not in item.rstrip(b"\r\n") and not item.startswith(_BINARY)
    return isinstance(item, str) and len(item.split()) > 3 and not os.path.exists(item)


def sources_of(data: Input) -> list[_core.Source]:
    if isinstance(data, (str, os.PathLike)):
        return _core.Source.expand(os.fspath(data))
    if isinstance(data, (bytes, bytearray, memoryview)):
        return [_core.Source.data("<bytes>", bytes(data))]
    if hasattr(data, "read"):
        name = getattr(data, "name", None)
        name = name if isinstance(name, str) else "<stream>"
        table = _table_bytes(data)
        return [_core.Source.reader(name, _Reader(data).read) if table is None else _core.Source.data(name, table)]
    if isinstance(data, (list, tuple)) and not (data and _looks_like_line(data[0])):
        if not data:
            raise SourceNotFoundError("no sources: the list is empty")
        return [source for item in data for source in sources_of(item)]
    if isinstance(data, Iterable):
        return [_core.Source.reader("<lines>", _Lines(cast(Iterable[Any], data)).read)]
    raise TypeError(
        f"cannot scan {type(data).__name__}: give a path, folder, pattern, bytes, file object, Arrow table, "
        "a list of those, or an iterable of lines"
    )


def _table_bytes(stream: Any) -> bytes | None:
    """The bytes of a file object from where it stands, if they are a Parquet or Arrow IPC file and it can be moved."""
    if hasattr(stream, "buffer"):  # a text file
        return None
    try:
        start = stream.tell() if stream.seekable() else None
        head = b"" if start is None else stream.read(16)
        if start is None or not isinstance(head, bytes):
            return None
        stream.seek(start)
        return bytes(stream.read()) if _core.table_format(head) is not None else None
    except (AttributeError, OSError, ValueError):
        return None


class _Reader:
    """A file object as bytes; of a text file, the binary file below it. Keeps the file object alive."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._binary = getattr(stream, "buffer", stream)

    def read(self, size: int) -> bytes:
        data: bytes = self._binary.read(size)
        return data


def split(sources: list[_core.Source], once: bool) -> tuple[list[_core.Source], TableFiles | None]:
    """Text for the engine, Parquet and Arrow IPC files for pyarrow. Of many files only those named as such are looked
    into. Tables whose rows hold log lines are text."""
    few = len(sources) <= _FEW
    kinds = {id(s): s.table_format for s in sources if few or s.name.endswith(_TABLES)}
    files = [source for source in sources if kinds.get(id(source)) is not None]
    if not files:
        return sources, None
    same_as = _core.Source.duplicates(files) if once else [None] * len(files)
    first = [(s.name, cast(str, kinds[id(s)]), s.memory()) for s, same in zip(files, same_as) if same is None]
    again = [(source.name, files[same].name) for source, same in zip(files, same_as) if same is not None]
    tables = TableFiles(first, again)
    texts = [source for source in sources if kinds.get(id(source)) is None] + tables.take_texts()
    return texts, tables if len(tables) or again or not texts else None


def select(
    sources: list[_core.Source], start: int | None, end: int | None, accounts: list[str], regions: list[str]
) -> list[_core.Source]:
    """The sources that may hold what is asked for. Warns of those whose path does not say."""
    if start is None and end is None and not accounts and not regions:
        return sources
    chosen = _core.Source.select(sources, start, end, accounts, regions)
    if not chosen:
        raise NoRecordsError(f"none of the {len(sources):,} objects can hold what is asked for, by their paths")
    for what, wanted in (("account", accounts), ("region", regions)):
        silent = sum(source.object_path[what] is None for source in chosen) if wanted else 0
        if silent:
            text = f"the paths of {silent:,} of {len(chosen):,} sources do not tell their {what}; all of them are read"
            warnings.warn(text, DataQualityWarning, stacklevel=3)
    return chosen
