"""What is looked at: figures of logs or of a watch, as they were at one moment."""

from __future__ import annotations

import dataclasses
import glob
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..findings.finding import Finding
from ..io.aws import is_aws_url
from ..serve.board import Figures
from ..watch.status import Status


class Lines(NamedTuple):
    """How many lines a watch read since it counts them, by what they are; named as those of a report."""

    records: int
    ok: int
    nodata: int
    skipdata: int
    rejected: int


class Told(NamedTuple):
    """A finding, and when a watch told it, Unix seconds; ``None``: the logs have it, and nobody told it."""

    made: int | None
    finding: Finding


@dataclasses.dataclass(frozen=True)
class Reading:
    """Figures of a moment. ``source``: where they are from; ``bin``: seconds of a bin of the volume; ``start``,
    ``end``: the time that the figures are cut to, ``None`` where they are not. Of a watch also what it has done
    (``status``), how often it has looked (``looks``) and when it did last (``looked``), since when it counts traffic,
    and what its detectors cannot see (``blind``)."""

    source: str
    figures: Figures
    bin: int
    told: Sequence[Told]
    start: int | None = None
    end: int | None = None
    status: Status | None = None
    looks: int = 0
    looked: int | None = None
    since: int | None = None
    blind: Sequence[str] = ()


def of_logs(source: str, figures: Figures) -> Reading:
    """Returns the reading of logs: their figures, and the findings in them, newest first."""
    told = [Told(None, one) for one in sorted(figures.findings, key=lambda one: (-one.end, one.id))]
    return Reading(source, figures, figures.every, told)


def fingerprint(paths: Sequence[str]) -> frozenset[tuple[str, int, int]] | None:
    """Returns the files of paths with their sizes and times of change, which tell whether there is something new to
    read; ``None`` if one is a URL, of which only a reading would tell."""
    if not paths or any(is_aws_url(path) or path == "-" for path in paths):
        return None
    found = set()
    for path in paths:
        for name in _files(path):
            try:
                status = os.stat(name)
            except OSError:
                continue  # gone
            found.add((name, status.st_size, status.st_mtime_ns))
    return frozenset(found)


def _files(path: str) -> Iterator[str]:
    for one in [path] if os.path.exists(path) else glob.glob(path, recursive=True):
        if not os.path.isdir(one):
            yield one
        for folder, _, names in os.walk(one):
            yield from (os.path.join(folder, name) for name in names)
