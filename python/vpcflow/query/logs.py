"""The logs of a query: their places, the options of reading, and the conditions on all their records."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from .. import _core
from .._hints import hint
from .._units import byte_count, unix_seconds
from ..errors import ArgumentError, PlanError
from ..io.aws.flow_logs import check_ids
from ..io.aws.layout import Selection
from ..io.aws.reading import Reading
from ..io.aws.session import Connection
from ..io.inputs import ALLOWED, select, sources_of, with_tables
from ..io.tables import ArrowTable
from ..typing import Container, Input, ScanKeywords
from .arguments import each, text, whole
from .expr import col

if TYPE_CHECKING:
    from typing_extensions import Unpack


@dataclasses.dataclass(frozen=True, eq=False)
class Logs:
    """Opened logs: ``sources``; the engine's ``options``; the beginning of a query's spec, and
    of its filters; ``places``: what was found where objects are listed."""

    sources: list[_core.Source]
    options: _core.ScanOptions
    spec: _core.PlanSpec
    filters: list[str]
    words: tuple[str, ...] = ()  # by which a command line names and reads them; none if they are in memory
    places: list[str] = dataclasses.field(default_factory=list)  # what was listed, a line each
    _peeked: dict[int, list[str]] = dataclasses.field(default_factory=dict)  # by source

    def peek(self, number: int) -> list[str]:
        """Returns the formats in the beginning of a source, which is read once; of one that cannot be read none, as the
        scan itself says so."""
        if number not in self._peeked:
            try:
                found = self.sources[number].peek_formats(self.options)
            except Exception:
                return []
            self._peeked[number] = [f.replace("${", "").replace("}", "") for f in found]
        return self._peeked[number]

    def formats(self, sources: int | None = None) -> list[str]:
        """Returns the different formats of all sources, or of the first ``sources``."""
        numbers = list(range(len(self.sources))[:sources])
        if len(numbers) > 1 and self.places:  # a look at an object in S3 fetches it: one of each flow log is enough
            numbers = list({self._flow_log(number): number for number in reversed(numbers)}.values())[::-1]
        return list(dict.fromkeys(text for number in numbers for text in self.peek(number)))


    def _flow_log(self, number: int) -> object:
        """Returns the flow log that an object is of, by its path, or the number of the source."""
        return self.sources[number].object_path["flow_log_id"] or number


def open_logs(data: Input | None, **options: Unpack[ScanKeywords]) -> Logs:
    """Opens logs with the arguments of :func:`vpcflow.scan`, which describes them. No record is read yet."""
    known = sorted(ScanKeywords.__annotations__)
    for name in options:
        if name not in known:
            raise ArgumentError(f"scan: no option {name!r}; {hint(name, known)}")
    format, threads = options.get("format"), options.get("threads")
    max_memory, max_output_bytes = options.get("max_memory"), options.get("max_output_bytes")
    container = text(options.get("container", "auto"), "container", "scan(data, container='json')")
    if threads is not None and whole(threads, "threads", "scan(data, threads=4)") < 1:
        raise PlanError(f"threads={threads}: expected at least 1, or None for one per processor")
    if format is not None:
        text(format, "format", "scan(data, format='${srcaddr} ${bytes}')")
    own = _core.ScanOptions(
        format=format, container=cast(Container, container), duplicates=options.get("duplicates", "once"),
        on_error=options.get("on_error", "skip"), threads=threads or 0,
        trust_statistics=options.get("trust_statistics", False),
        max_memory=0 if max_memory is None else byte_count("max_memory", max_memory),
        max_output_bytes=0 if max_output_bytes is None else byte_count("max_output_bytes", max_output_bytes),
        allow_empty=options.get("allow_empty", False),
    )  # fmt: skip
    begin, until = unix_seconds("start", options.get("start")), unix_seconds("end", options.get("end"))
    asked = None if begin is None and until is None else (begin, until)
    spec = _core.PlanSpec(asked=asked, allow_missing=options.get("allow_missing", False))
    bounds = [*([] if begin is None else [col("start") >= begin]), *([] if until is None else [col("start") < until])]
    filters = [str(bound) for bound in bounds]
    if hasattr(data, "__arrow_c_stream__"):
        return Logs([ArrowTable(data).source()], own, spec, filters)
    words = _words(data, options)
    reading = reading_of(options, tables=container == "auto")
    if data is not None:
        sources = select(sources_of(data, reading), reading.selection, reading.settled)
    elif reading.selection.flow_logs:
        sources = reading.sources_of_flow_logs(reading.selection.flow_logs)
    else:
        raise ArgumentError(f"cannot scan NoneType: give {ALLOWED}, or scan(flow_logs='fl-...')")
    own = own.replace(notes=reading.notes) if reading.notes else own
    sources = with_tables(sources) if container == "auto" else sources
    return Logs(sources, own, spec, filters, words, reading.places)


def reading_of(options: ScanKeywords, *, tables: bool = True) -> Reading:
    """Returns what the arguments of :func:`vpcflow.scan` say of which objects are read, and how AWS is reached."""
    begin, until = unix_seconds("start", options.get("start")), unix_seconds("end", options.get("end"))
    accounts, regions, flow_logs = (_texts(options.get(name), name) for name in ("account", "region", "flow_logs"))
    check_ids(flow_logs)
    return Reading(
        Selection(begin, until, accounts, regions, flow_logs), Connection.of(options.get("aws")), tables=tables,
        format=options.get("format"), once=options.get("duplicates", "once") == "once",
    )  # fmt: skip


def _words(data: Input | None, options: Mapping[str, Any]) -> tuple[str, ...]:
    """Returns the words of a command line that reads the same; none for logs that no path names."""
    paths: list[Any] = list(data) if isinstance(data, (list, tuple)) else [] if data is None else [data]
    if not (paths or data is None) or not all(isinstance(path, (str, os.PathLike)) for path in paths):
        return ()
    out = [str(os.fspath(path)) for path in paths]
    for name in ("format", "container", "account", "region", "flow_logs", "duplicates"):
        value = options.get(name)
        if value is None or (name, value) in (("container", "auto"), ("duplicates", "once")):
            continue
        for one in [value] if isinstance(value, str) else value:
            out += ["--flow-log" if name == "flow_logs" else f"--{name}", one]
    for name, value in (options.get("aws") or {}).items():
        if value and name not in ("external_id", "endpoint_url"):  # which may be, or have, secrets
            option = "--aws-region" if name == "region" else f"--{name.replace('_', '-')}"
            out += [option] if value is True else [option, str(value)]
    return tuple(out)


def _texts(value: Any, name: str) -> list[str]:
    call = f"scan(data, {name}='...')"
    return [] if value is None else [value] if isinstance(value, str) else each(value, str, name, call)
