"""Compaction: logs as they came to few sorted Parquet files, without the loss of a record or a value."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .. import _core
from .._display import printable
from .._words import count
from ..errors import NoRecordsError, PlanError, SourceError, VpcflowError
from ..io.writing import cannot_write
from ..query.flows import Flows
from ..query.scan import scan
from ..typing import Size
from .hashing import Hasher, together
from .lake import OWN, Lake, sha256_of
from .objects import Objects, Places, rows_in, run_name
from .reading import OneSource, Stamp, logs_of

_DAY = 86400
#: A function that is called with how many of how many sources are read.
Told = Callable[[int, int], None]
#: A function that looks at what was written, before it comes to its place, and raises if it may not.
Check = Callable[[Flows], None]
_Chunk = Sequence[tuple[OneSource, "str | None"]]  # each with the name of the source whose copy it is


@dataclasses.dataclass
class Compaction:
    """What was compacted: sources and objects as in the manifests, and what could not be read to its end."""

    folder: str
    sources: list[dict[str, Any]]
    objects: list[dict[str, Any]]
    #: Sources that were compacted before, by their names.
    known: list[str]
    error: VpcflowError | None = None

    @property
    def records(self) -> int:
        """Returns how many records were written."""
        return sum(int(row["records"]) for row in self.objects)

    @property
    def rejected(self) -> int:
        """Returns how many lines were no records."""
        return sum(int(row["rejected"]) for row in self.sources)

    @property
    def size_before(self) -> int:
        """Returns the bytes of the sources, as far as they are known."""
        return sum(int(row["size"] or 0) for row in self.sources)

    @property
    def size(self) -> int:
        """Returns the bytes of the objects."""
        return sum(int(row["size"]) for row in self.objects)


def compact(
    flows: Flows, folder: str | os.PathLike[str], *, layout: str = "hive", by: str = "day",
    max_memory: Size | None = None, account: str | None = None, region: str | None = None,
    check: Check | None = None, told: Told | None = None,
) -> Compaction:  # fmt: skip
    """Writes all records of logs to zstd Parquet files in a folder: one for each day, account, region and format,
    sorted within each hour, with a manifest of what came from what. The sources stay.

    ``layout``, ``by``: ``"hive"`` or ``"plain"``, ``"day"`` or ``"hour"``: folders as AWS names them. ``account``,
    ``region``: those of records that tell neither by a field nor by the path of their source. ``max_memory``: about
    what records may take before some are put aside in temporary files (2 GB). ``check`` is called with a query over
    what was written, before it comes to its place; if it raises, nothing does. ``told`` hears of each source read.

    Sources that the folder has already are passed over, so that a run that was interrupted is run again; what is
    complete of it stays, day by day of the sources' paths (with ``check``: all or nothing). Lines that are no records
    are kept in files beside. Of damaged sources what could be read is there, and ``error`` says what could not.

    Raises :class:`~vpcflow.PlanError` for a query that leaves something out, :class:`~vpcflow.NoRecordsError` without
    records, :class:`~vpcflow.SourceError` for a source that changed since it was compacted,
    :class:`~vpcflow.OutputError` for a folder that cannot be written. One pass; needs pyarrow.

    >>> import tempfile, vpcflow as vf
    >>> log = b"interface-id srcaddr bytes start end\\neni-1 10.0.0.1 40 1795413600 1795413660\\n"
    >>> done = compact(vf.scan(log), tempfile.mkdtemp())
    >>> done.records, done.objects[0]["path"].rpartition("/")[0]
    (1, 'AWSLogs/aws-service=vpcflowlogs/year=2026/month=11/day=23')
    """
    settings = _Settings(Places(layout, by), rows_in(max_memory), account, region)
    logs = logs_of(flows, "compact")
    sources = [OneSource(logs, number) for number in range(len(logs.sources))]
    lake = Lake(folder)
    lake.check_apart(logs)
    copies = _core.Source.duplicates(logs.sources) if logs.options.duplicates == "once" else [None] * len(sources)
    done = Compaction(lake.folder, [], [], [])
    with lake.locked():
        before = _Before(lake)
        fresh = [
            (source, None if copy is None else sources[copy].name)
            for source, copy in zip(sources, copies)
            if not before.has(source, done)
        ]
        for chunk in _by_day(fresh) if check is None else [fresh] if fresh else []:
            so_far = len(done.sources)
            run = _Run(lake, settings, len(before.runs), lambda n: told(so_far + n, len(fresh)) if told else None)  # noqa: B023
            written = run.compacted(chunk)
            if written.records and check is not None:
                check(scan(lake.staged(""), duplicates="all"))
            if written.records or written.rejected:
                lake.commit(run.name, [*written.sources, *written.objects])
                before.runs.append(run.name)
            lake.drop()
            done.sources += written.sources
            done.objects += written.objects
            done.error = done.error or written.error
        if not done.records and not done.known and not logs.options.allow_empty:
            if done.error is not None:
                raise done.error
            what = f"{count(done.rejected, 'line')} rejected" if done.rejected else count(len(sources), "source")
            raise NoRecordsError(f"compact: no record was read: {what}")
    return done


def _by_day(sources: _Chunk) -> Iterator[_Chunk]:
    """Yields sources that are compacted together: those of a day, by their paths, and those that do not tell."""
    days: dict[int, list[tuple[OneSource, str | None]]] = {}
    for source, copy in sources:
        days.setdefault(-1 if source.begin is None else source.begin // _DAY, []).append((source, copy))
    for _, chunk in sorted(days.items()):
        yield chunk


class _Before:
    """What was compacted to a lake before."""

    def __init__(self, lake: Lake) -> None:
        found = lake.runs()
        self.runs = list(found)
        rows = [row for run in found.values() for row in run if row["kind"] == "source"]
        if any("plan" in row for row in rows):
            raise PlanError(
                f"compact: {printable(lake.folder)} has what was rolled up or sampled; give a folder of its own"
            )
        self._by_name = {row["uri"]: row for row in rows}
        self._contents = {row["sha256"] for row in rows if row["sha256"]}

    def has(self, source: OneSource, done: Compaction) -> bool:
        """Tells whether a source is there already, and notes it then."""
        row = self._by_name.get(source.uri)
        if source.path is None:
            there = row is not None and bool(source.identity) and row["identity"] == source.identity
        else:
            there = bool(self._contents) and sha256_of(source.path)[0] in self._contents
            if row is not None and not there:
                raise SourceError(
                    f"{printable(source.name)}: changed since it was compacted to {printable(done.folder)}, which has "
                    "its old records; compact it to another folder"
                )
        if there:
            done.known.append(source.name)
        return there


class _AgainError(Exception):
    """A source has fields that its beginning does not show."""

    def __init__(self, number: int, names: list[str]) -> None:
        super().__init__(number)
        self.number, self.names = number, names


@dataclasses.dataclass(frozen=True)
class _Settings:
    places: Places
    rows: int
    account: str | None
    region: str | None


class _Run:
    """The compaction of some sources, to objects that are staged."""

    def __init__(self, lake: Lake, settings: _Settings, number: int, told: Callable[[int], None]) -> None:
        self._lake, self._settings, self._number, self._told = lake, settings, number, told
        self._hasher = Hasher()
        self.name = ""

    def compacted(self, sources: _Chunk) -> Compaction:
        """Reads sources, and stages their records."""
        names: dict[int, list[str]] = {}
        while True:
            try:
                return self._once(sources, names)
            except _AgainError as again:
                names[again.number] = again.names
                self._lake.drop()

    def _once(self, sources: _Chunk, names: Mapping[int, list[str]]) -> Compaction:
        rows = [{**source.as_row(), "copy_of": copy} for source, copy in sources]
        known = [[row["uri"], row["identity"], row["sha256"]] for row in rows]
        self.name = run_name(self._number, [self._number, known])
        objects = Objects(self._lake, self._settings.places, self._settings.rows, self.name, self._hasher)
        error: VpcflowError | None = None
        for number, (source, copy) in enumerate(sources):
            if copy is None:
                rows[number].update(self._read(source, names.get(number), number, objects))
                error = error or source.error
            self._told(number + 1)
        return Compaction(self._lake.folder, rows, objects.finish(), [], error)

    def _read(self, source: OneSource, names: list[str] | None, number: int, objects: Objects) -> dict[str, Any]:
        before = None if source.path is None else Stamp.of(source.path)
        account, region = source.account or self._settings.account, source.region or self._settings.region
        digests: list[int] = []
        columns: list[str] = []
        for table in source.tables(names):
            columns = table.schema.names
            digests.append(self._hasher.digest(table))
            objects.add(table, account, region)
        if source.path is not None and Stamp.of(source.path) != before:
            raise SourceError(f"{printable(source.name)}: changed while it was read; compact it when it is complete")
        if columns and names is None and (missed := source.missed(columns)):
            raise _AgainError(number, missed)
        report = source.report
        assert report is not None
        return {
            "format": " ".join(columns), "records": report.records, "ok": report.ok, "nodata": report.nodata,
            "skipdata": report.skipdata, "rejected": report.rejected, "rejects": dict(report.rejects_by_reason),
            "rejects_kept": self._keep_rejects(source, number) if report.rejected else None,
            "cut": source.lost(),
            "rows_digest": f"{together(digests):032x}", "damaged": None if source.error is None else str(source.error),
        }  # fmt: skip

    def _keep_rejects(self, source: OneSource, number: int) -> dict[str, Any]:
        """Keeps what could not be read: the lines as they are, else the whole source, else what the report has."""
        assert source.report is not None
        path, what = f"{OWN}/rejects/{self.name}/{number:06d}", "lines"
        try:
            try:
                lines = list(source.rejects())
            except (SourceError, EOFError, ValueError):
                if source.path is not None:
                    shutil.copyfile(source.path, self._lake.staged(f"{path}.source"))
                    return {"path": f"{path}.source", "what": "source"}
                lines, what = [json.dumps(dict(one)).encode() for one in source.report.rejects], "excerpts"
            with open(self._lake.staged(f"{path}.gz"), "wb") as file:
                file.write(gzip.compress(b"\n".join([*lines, b""]), mtime=0))
        except OSError as error:
            raise error if isinstance(error, VpcflowError) else cannot_write(self._lake.folder, error) from None
        return {"path": f"{path}.gz", "what": what}
