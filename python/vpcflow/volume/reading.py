"""Logs for compaction, one source at a time: all of its fields, all of its lines."""

from __future__ import annotations

import dataclasses
import gzip
import io
import os
import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from .. import _core
from .._display import printable
from ..errors import PlanError, SourceError, VpcflowError, from_report
from ..formats.catalogue import fields
from ..query.flows import Flows
from ..query.logs import Logs
from ..query.report import Report
from ..query.result import Result
from .hours import stored
from .lake import sha256_of

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 1 << 17
_BEGINNING = 1 << 16
_AROUND = "what stands around its records"
_SECONDS = 2**31  # above it a time is milliseconds
_UNREAD: dict[str, Any] = {
    "format": "", "records": 0, "ok": 0, "nodata": 0, "skipdata": 0, "rejected": 0, "rejects": {},
    "rejects_kept": None, "cut": None, "rows_digest": f"{0:032x}", "damaged": None,
}  # fmt: skip
_PLAIN = re.compile(r"[ -\[\]-~]{0,32}")  # what an excerpt shows as it is
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def logs_of(flows: Flows, verb: str) -> Logs:
    """Returns the logs of a query that takes all of their records as they are; any other is a
    :class:`~vpcflow.PlanError`."""
    flows._no_grouping(verb)
    flows._no_limit(f"{verb} takes")
    if flows._chooses or flows._spec.select or flows._spec.labels:
        raise PlanError(
            f"{verb} keeps every record and field: leave out filters, start, end, select and labels; what to leave "
            "out is chosen by vpcflow convert"
        )
    if flows._options.on_error == "null":
        raise PlanError(f"{verb} keeps every value: on_error='null' would drop some; use 'skip' or 'raise'")
    return flows._logs


class OneSource:
    """One source of logs. After :meth:`tables` are read, ``report`` tells of it, and ``error`` if it is damaged."""

    def __init__(self, logs: Logs, number: int) -> None:
        self._logs = dataclasses.replace(logs, sources=[logs.sources[number]], _peeked={})
        self._source = self._logs.sources[0]
        self.name = self._source.name
        self.report: Report | None = None
        self.error: VpcflowError | None = None
        path = self._source.object_path
        self.account: str | None = path["account"]
        self.region: str | None = path["region"]
        self.begin: int | None = path["begin"]

    @property
    def path(self) -> str | None:
        """The file that it is, ``None`` if it lies elsewhere."""
        return self.name if self._source.is_path else None

    @property
    def uri(self) -> str:
        """The name of it for others: of a file its whole path."""
        return self.name if self.path is None else os.path.abspath(self.path)

    @property
    def identity(self) -> str:
        """What changes when its content does, if that is known: of objects in S3."""
        return self._source.identity

    def as_row(self) -> dict[str, Any]:
        """Returns what a manifest says of it before it is read. A file is read for its SHA-256."""
        sha256, size = (None, None) if self.path is None else sha256_of(self.path)
        own = {"kind": "source", "uri": self.uri, "identity": self.identity, "size": size, "sha256": sha256}
        return {**own, "copy_of": None, **_UNREAD}

    def formats(self) -> list[str]:
        """Returns the formats in its beginning."""
        return self._logs.formats()

    def tables(self, names: list[str] | None = None) -> Iterator[pa.Table]:
        """Yields its records, as they are stored, with all the fields that its beginning has, or with ``names``.
        :meth:`missed` has more if a later header line names others."""
        flows = Flows(self._logs, self._logs.spec)
        yield from self._read(flows if names is None else flows.select(*names)._with(allow_missing=True))

    def _read(self, flows: Flows) -> Iterator[pa.Table]:
        self.report = self.error = None
        reader = _core.BatchReader(flows._plan(), self._logs.sources, self._logs.options)
        while True:
            batch = Result(*reader.next(_ROWS))
            self.report = batch.report
            if not len(batch):
                break
            yield stored(batch)
        if self.report.errors:
            self.error = from_report(self.report.errors)

    def missed(self, columns: list[str]) -> list[str]:
        """Returns all fields of its formats, if some are not among the columns that were read; else none."""
        assert self.report is not None
        names = [name for text in self.report.formats for name in text.replace("${", "").replace("}", "").split()]
        if {name.replace("-", "_") for name in names} <= set(columns):
            return []
        return list(dict.fromkeys(name.replace("-", "_") for name in names))

    def lost(self) -> str | None:
        """Returns what of a file is not among its records, as its beginning has it: milliseconds, of which whole
        seconds are read, or what stands around the records; ``None`` if it is all there."""
        if self.path is None:
            return None
        if self._source.table_format is not None:
            return None if _is_table_of_fields(self.path) else _AROUND
        formats = [text.split() for text in self.formats()]
        try:
            with _unpacked(self.path) as text:
                begin = text.read(_BEGINNING)
        except (OSError, EOFError, ValueError):
            return None
        whole = begin if len(begin) < _BEGINNING else begin.rpartition(b"\n")[0]
        lines = [line.split() for line in whole.split(b"\n")]
        for names in formats:
            places = [place for place, name in enumerate(names) if name in ("start", "end")]
            own = [values for values in lines if len(values) == len(names)]
            times = [values[place] for values in own for place in places]
            if any(time.isdigit() and int(time) > _SECONDS and int(time) % 1000 for time in times):
                return "milliseconds of start and end"
            if own:
                return None
        return _AROUND if begin.strip() else None

    def rejects(self) -> Iterator[bytes]:
        """Yields the lines that are no records, as they are; if they cannot be told apart from the others, as within
        JSON, nothing but the whole source does: :class:`~vpcflow.SourceError`."""
        assert self.report is not None
        rejects = self.report.rejects
        if self.path is None or len(rejects) < self.report.rejected:
            raise SourceError("more lines than are listed")
        with _unpacked(self.path) as text:
            for reject in sorted(rejects, key=lambda one: one.byte_offset):
                text.seek(reject.byte_offset)
                line = text.readline()
                begin = _PLAIN.match(reject.excerpt)[0].encode()  # type: ignore[index]
                if not line.startswith(begin) or not line.strip():
                    raise SourceError("not at the place where it should be")
                yield line.rstrip(b"\r\n")


def _is_table_of_fields(path: str) -> bool:
    """Tells whether a file is Parquet with no column but fields of flow logs, and times in whole seconds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    known = {field.name.replace("-", "_") for field in fields()}
    try:
        file = pq.ParquetFile(path)
    except (OSError, ValueError, pa.ArrowException):
        return False
    with file:
        names = [name.lower().replace("-", "_") for name in file.schema_arrow.names]
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
        times = [place for place, name in enumerate(names) if name in ("start", "end")]
        if not {*names} <= known or len(file.schema.names) != len(names):
            return False
        if not all(pa.types.is_integer(file.schema_arrow.types[place]) for place in times):
            return False
        greatest = [group.column(place).statistics for group in groups for place in times]
        return all(one is not None and one.has_min_max and one.max <= _SECONDS for one in greatest)


def _unpacked(path: str) -> IO[bytes]:
    with open(path, "rb") as file:
        begin = file.read(4)
    if begin.startswith(_GZIP):
        return gzip.open(path)  # type: ignore[return-value]
    if begin == _ZSTD:
        import pyarrow as pa

        with open(path, "rb") as file:
            return io.BytesIO(pa.CompressedInputStream(file, "zstd").read())
    return open(path, "rb")


@dataclasses.dataclass(frozen=True)
class Stamp:
    """The state of a file by which one sees that it changed."""

    size: int
    changed: int

    @classmethod
    def of(cls, path: str) -> Stamp:
        """Looks at a file. :class:`~vpcflow.SourceError` if that cannot be."""
        try:
            found = os.stat(path)
        except OSError as error:
            raise SourceError(f"{printable(path)}: cannot be read: {error.strerror or error}") from None
        return cls(found.st_size, found.st_mtime_ns)


def times_of(table: pa.Table) -> tuple[int | None, int | None]:
    """Returns the first start and the last end of records."""
    import pyarrow.compute as pc

    def of(name: str, which: Any) -> int | None:
        found: int | None = which(table.column(name)).as_py() if name in table.schema.names else None
        return found

    return of("start", pc.min), of("end", pc.max)
