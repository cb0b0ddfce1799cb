"""What can be scanned: paths, bytes, file objects, lines, Parquet; and which of it a query needs."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, cast

from .. import _core
from ..errors import ArgumentError, DataQualityWarning, NoRecordsError, SourceNotFoundError
from ..typing import Input
from .aws.layout import Selection
from .aws.reading import ListedUrl, Reading
from .aws.url import is_aws_url
from .iceberg import is_iceberg
from .streams import source_of_lines, source_of_stream
from .tables import TableFile

_FEW = 100
_TEXT = (".log", ".txt", ".gz", ".zst", ".ndjson", ".jsonl", ".csv")
#: What can be scanned, in words.
ALLOWED = (
    "a path, folder or pattern, bytes, a file object, an Arrow table or frame, a table of pyiceberg, a URL, a list of "
    "those, or an iterable of lines"
)
_BINARY = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1")  # gzip, zstd, Parquet


def _looks_like_line(item: Any) -> bool:
    """A log line, not a path: bytes without line ends, or a text with several words that is no file."""
    if isinstance(item, bytes):
        return b"\n" not in item.rstrip(b"\r\n") and not item.startswith(_BINARY)
    if not isinstance(item, str) or "\0" in item:
        return False
    words = item.split()
    line = len(words) > 3 or not words or item.endswith("\n") or item[0] in "{["
    header = len(words) > 1 and _core.find_field(words[0]) is not None
    return (line or header) and not os.path.lexists(item)


def sources_of(data: Input, reading: Reading) -> list[_core.Source]:
    """Returns the sources for an argument of :func:`vpcflow.scan`. Adds to ``reading`` what is found and not read."""
    if isinstance(data, ListedUrl):
        return reading.listed_sources([data])
    if is_aws_url(data):
        return reading.sources_of(str(data))
    if isinstance(data, (str, os.PathLike)):
        path = os.fsencode(data)
        if path.startswith(b"s3:/") and not os.path.lexists(path):
            raise ArgumentError(f"{os.fspath(data)}: a URL is no path; give it as a text: 's3://bucket/prefix/'")
        sources, said = _core.Source.expand(path)
        reading.notes.extend(said)
        return sources
    if isinstance(data, (bytes, bytearray, memoryview)):
        return [_core.Source.data("<bytes>", bytes(data))]
    if hasattr(data, "read"):
        return [source_of_stream(data)]
    if is_iceberg(data):
        return [reading.source_of_table(data)]
    if isinstance(data, (list, tuple)):
        if not data:
            raise SourceNotFoundError("no sources: the list is empty")
        if isinstance(data[0], ListedUrl):
            return reading.listed_sources(data)
        if _looks_like_line(data[0]):
            return [source_of_lines(data)]
        return [source for item in data for source in sources_of(item, reading)]
    if isinstance(data, Mapping) or hasattr(data, "columns") or not isinstance(data, Iterable):
        raise ArgumentError(f"cannot scan {type(data).__name__}: give {ALLOWED}")
    return _sources_of_iterable(iter(cast(Iterable[Any], data)), reading)


def _sources_of_iterable(items: Iterator[Any], reading: Reading) -> list[_core.Source]:
    """Of an iterable the first item tells: a path or file object, or a line."""
    first = list(itertools.islice(items, 1))
    if first and (isinstance(first[0], os.PathLike) or hasattr(first[0], "read") or _is_path(first[0])):
        return [source for item in (*first, *items) for source in sources_of(item, reading)]
    if first and not isinstance(first[0], (str, bytes, bytearray, memoryview)):
        raise ArgumentError(f"cannot scan an iterable of {type(first[0]).__name__}: give {ALLOWED}")
    return [source_of_lines(itertools.chain(first, items))]


def _is_path(item: Any) -> bool:
    return is_aws_url(item) or (isinstance(item, str) and item != "" and "\0" not in item and os.path.lexists(item))


def with_tables(sources: list[_core.Source]) -> list[_core.Source]:
    """Returns the sources, of which Parquet and Arrow IPC files are read by pyarrow. Of many files those named as text
    are not looked into."""
    few = len(sources) <= _FEW
    kinds = [s.table_format if few or not s.name.endswith(_TEXT) else None for s in sources]
    return [s if kind is None else TableFile(s, kind).source() for s, kind in zip(sources, kinds)]


def select(sources: list[_core.Source], wanted: Selection, settled: Container[str] = ()) -> list[_core.Source]:
    """Returns the sources that may hold matching records. Warns of those whose path does not tell, but for the
    ``settled`` ones, by their names."""
    if not wanted:
        return sources
    accounts, regions = list(wanted.accounts), list(wanted.regions)
    chosen = _core.Source.select(sources, wanted.start, wanted.end, accounts, regions)
    if wanted.flow_logs:
        chosen = [s for s in chosen if s.object_path["flow_log_id"] in (None, *wanted.flow_logs)]
    if not chosen:
        raise NoRecordsError(f"none of the {len(sources):,} objects can hold what is asked for, by their paths")
    for what, names in (("account", accounts), ("region", regions), ("flow_log_id", wanted.flow_logs)):
        silent = sum(s.object_path[what] is None and s.name not in settled for s in chosen) if names else 0
        if silent:
            name = {"flow_log_id": "flow log"}.get(what, what)
            text = f"the paths of {silent:,} of {len(chosen):,} sources do not tell their {name}; all of them are read"
            warnings.warn(text, DataQualityWarning, stacklevel=3)
    return chosen
