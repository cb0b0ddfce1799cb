"""Reading of new files: which of them are logs that can be read whole."""

from __future__ import annotations

import os
from typing import Callable, NamedTuple

from .._display import printable
from ..errors import NoRecordsError, VpcflowError
from ..query.flows import Flows
from ..query.scan import scan

DAY = 86400  # seconds


class Readable(NamedTuple):
    """The files that can be read whole as one query, ``None`` if there are none; the days of their records, as their
    first seconds (``None`` for records without times); their formats; and the error of each other file."""

    flows: Flows | None
    days: list[int | None]
    formats: list[str]
    damaged: dict[str, str]


def readable(paths: list[str], format: str | None, log: Callable[[str], None]) -> Readable:
    """Reads files, and takes out those that cannot be read whole. ``log`` gets a line about rejects."""
    damaged: dict[str, str] = {}
    while paths:
        flows = scan(paths, format=format, allow_empty=True)
        try:
            by_day = flows._with(allow_missing=True).group_by(every=DAY, bin_by="start").agg(n="count()")
            counted = by_day.collect()
            foreign = _errors_of(paths, format) if counted.report.rejected else {}
            if not foreign:
                if counted.report.rejected:
                    log(counted.report.rejects_line)
                return Readable(flows, counted["time"], list(counted.report.formats), damaged)
        except VpcflowError as error:
            foreign = _errors_of(paths, format) or {path: why(error, path) for path in paths}
        damaged |= foreign
        paths = [path for path in paths if path not in damaged]
    return Readable(None, [], [], damaged)


def _errors_of(paths: list[str], format: str | None) -> dict[str, str]:
    """Returns the files that cannot be read, or that hold lines of which none is a record, each with its error."""
    errors: dict[str, str] = {}
    for path in paths:
        try:
            scan(path, format=format).agg(n="count()").collect()
        except VpcflowError as error:
            if not isinstance(error, NoRecordsError) or error.partial.report.rejected:
                errors[path] = why(error, path)
    return errors


def why(error: VpcflowError, path: str, shown: str | None = None) -> str:
    """Returns the first line of an error of a file, without its name in front; further in the line it is called
    ``shown``. Names may have characters that end lines, and bytes that are no text."""
    text = str(error)
    for name in (path, os.fsencode(path).decode("utf-8", "replace")):
        text = text.removeprefix(f"{name}: ").replace(name, printable(shown or path))
    return text.splitlines()[0] if text else type(error).__name__
