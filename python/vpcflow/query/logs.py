"""The logs of a query: where they are, how they are read, and what is asked of all their records."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from .. import _core
from .._units import byte_count, unix_seconds
from ..errors import PlanError
from ..io.inputs import select, sources_of, with_tables
from ..io.tables import ArrowTable
from ..typing import Container, Duplicates, Input, Instant, OnError, Size
from .arguments import text, whole
from .expr import col


@dataclasses.dataclass(frozen=True, eq=False)
class Logs:
    """Opened logs: ``sources``; the engine's ``options``; the beginning of a query's spec, and
    of its filters."""

    sources: list[_core.Source]
    options: _core.ScanOptions
    spec: _core.PlanSpec
    filters: list[str]


def open_logs(
    data: Input,
    *,
    format: str | None = None,
    container: Container = "auto",
    start: Instant | None = None,
    end: Instant | None = None,
    account: str | Iterable[str] | None = None,
    region: str | Iterable[str] | None = None,
    duplicates: Duplicates = "once",
    on_error: OnError = "skip",
    threads: int | None = None,
    max_memory: Size | None = None,
    max_output_bytes: Size | None = None,
    allow_empty: bool = False,
    allow_missing: bool = False,
) -> Logs:
    """Opens logs with the arguments of :func:`vpcflow.scan`, which describes them. No record is read yet."""
    text(container, "container", "scan(data, container='json')")
    if threads is not None and whole(threads, "threads", "scan(data, threads=4)") < 1:
        raise PlanError(f"threads={threads}: expected at least 1, or None for one per processor")
    if format is not None:
        text(format, "format", "scan(data, format='${srcaddr} ${bytes}')")
    options = _core.ScanOptions(
        format=format, container=container, duplicates=duplicates, on_error=on_error, threads=threads or 0,
        max_memory=0 if max_memory is None else byte_count("max_memory", max_memory),
        max_output_bytes=0 if max_output_bytes is None else byte_count("max_output_bytes", max_output_bytes),
        allow_empty=allow_empty,
    )  # fmt: skip
    begin, until = unix_seconds("start", start), unix_seconds("end", end)
    asked = None if begin is None and until is None else (begin, until)
    spec = _core.PlanSpec(asked=asked, allow_missing=allow_missing)
    bounds = [*([] if begin is None else [col("start") >= begin]), *([] if until is None else [col("start") < until])]
    filters = [str(bound) for bound in bounds]
    if hasattr(data, "__arrow_c_stream__"):
        return Logs([ArrowTable(data).source()], options, spec, filters)
    notes: list[str] = []
    sources = select(sources_of(data, notes), begin, until, _texts(account), _texts(region))
    own = options.replace(notes=notes) if notes else options
    return Logs(with_tables(sources) if container == "auto" else sources, own, spec, filters)


def _texts(value: str | Iterable[str] | None) -> list[str]:
    return [] if value is None else [value] if isinstance(value, str) else [str(v) for v in value]
