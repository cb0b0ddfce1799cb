"""Aggregation over many processes: the list of objects is dealt out, each part aggregated apart, the states merged.

:func:`aggregate` runs on :mod:`concurrent.futures`, :mod:`vpcflow.dask` and :mod:`vpcflow.spark` on clusters; all give
the same :class:`~vpcflow.Aggregation` as one process does, byte for byte.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import _core
from ..errors import ArgumentError, DataQualityWarning, SourceError, SourceNotFoundError
from ..io.inputs import sources_of
from ..query.aggregation import Aggregation
from ..query.logs import reading_of
from ..query.result import Result, check
from ..typing import Input, ScanKeywords

if TYPE_CHECKING:
    import concurrent.futures

    from typing_extensions import Unpack

_PARTS_PER_WORKER = 4  # so that a slow part holds up nobody for long
Part = tuple[bytes, _core.Report]
Task = tuple[int, list[str]]  # the number of the first source, and paths


def paths_of(data: Input, options: ScanKeywords) -> tuple[list[tuple[int, str]], _core.Report]:
    """Returns the files of paths, folders and patterns, numbered, without those that have the bytes of an earlier one;
    and what a report says of these. Objects in S3 are URLs that workers do not list again."""
    reading = reading_of(options)
    sources = sources_of(data, reading)
    if not all(source.is_path or source.name in reading.listed for source in sources):
        raise ArgumentError("expected paths; bytes and file objects cannot be sent to other processes")
    if not sources:
        raise SourceNotFoundError("no sources: the list is empty")
    same_as = _core.Source.duplicates(sources)
    again = [(s.name, sources[same].name) for s, same in zip(sources, same_as) if same is not None]
    listed = reading.listed
    numbered = [(i, listed.get(s.name, s.name)) for i, (s, same) in enumerate(zip(sources, same_as)) if same is None]
    again_named = [f"{name} has the same bytes as {first}: read once" for name, first in again[:5]]
    return numbered, _core.Report(duplicates=len(again), warnings=sorted({*reading.notes, *again_named}))


def tasks_of(numbered: list[tuple[int, str]], parts: int) -> list[Task]:
    """Deals numbered paths into about as many tasks, each a run of consecutive numbers."""
    size = max(1, -(-len(numbered) // max(1, parts)))
    tasks: list[Task] = []
    for number, path in numbered:
        last = tasks[-1] if tasks else None
        if last is None or len(last[1]) >= size or number != last[0] + len(last[1]):
            tasks.append((number, [path]))
        else:
            last[1].append(path)
    return tasks


def aggregate_part(question: bytes, task: Task, options: ScanKeywords) -> Part:
    """Aggregates some paths, in a worker, and returns the state and the report. Damage of sources is in the report, and
    fields that they lack are left to :func:`merge_parts`: another part may have them."""
    first, paths = task
    part = Aggregation.from_bytes(question)
    own: ScanKeywords = {**options, "duplicates": "all", "allow_empty": True, "allow_missing": True}  # of a part
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)  # warned of once, by whoever merges
        try:
            part.update(paths, first_source=first, **own)
        except SourceError:
            if not part._report.errors:
                raise
    return part.to_bytes(), part._report


def merge_parts(
    question: Aggregation, parts: Iterable[Part], extra: _core.Report, options: ScanKeywords
) -> Aggregation:
    """Merges all parts into one aggregation; their order does not matter. ``options``: those of the parts. Raises for
    fields that no part has, for damaged sources and, unless ``allow_empty``, if no part read a record; warns of
    rejects."""
    total = question.copy()
    read = extra
    for state, report in parts:
        total._core.merge(_core.Aggregation.from_bytes(state))
        read = _core.merge_reports(read, report)
    if not options.get("allow_missing"):
        question._core.plan.check_fields(read)
    total._report = _core.merge_reports(total._report, read)
    check([Result(total._core.value(), total._report)], bool(options.get("allow_empty")))
    return total


def aggregate(
    data: Input,
    question: Aggregation,
    *,
    executor: concurrent.futures.Executor | None = None,
    workers: int | None = None,
    **options: Unpack[ScanKeywords],
) -> Aggregation:
    """Aggregates files with a pool of processes: as ``question.update(data)`` does with threads, the same bytes.

    ``data``: paths, folders, patterns. ``question``: an :class:`~vpcflow.Aggregation`; its present content is part of
    the result, and it is not changed. ``executor``: any :class:`concurrent.futures.Executor`; by default processes are
    started, ``workers`` of them, and ended. ``options``: of :func:`vpcflow.scan`.

    Errors as of :meth:`vpcflow.Aggregation.update`.

    >>> import vpcflow as vf
    >>> made = vf.synth(1000, out=tmp, files=4, peers=100, noise_sources=100)  # doctest: +SKIP
    >>> vf.spread.aggregate(tmp, vf.Aggregation(by="action", n=vf.count()), workers=2)  # doctest: +SKIP
    <Aggregation: 2 groups>
    """
    numbered, extra = paths_of(data, options)
    count = workers or os.cpu_count() or 1
    tasks = tasks_of(numbered, count * _PARTS_PER_WORKER)
    empty = empty_question(question)
    own: ScanKeywords = {"threads": 1, **options}
    if executor is not None:
        futures = [executor.submit(aggregate_part, empty, task, own) for task in tasks]
        return merge_parts(question, (f.result() for f in futures), extra, options)
    # Imported here: `import vpcflow` stays light.
    import concurrent.futures
    import multiprocessing

    # Not fork: the caller may have threads.
    with concurrent.futures.ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(aggregate_part, empty, task, own) for task in tasks]
        return merge_parts(question, (f.result() for f in futures), extra, options)


def empty_question(question: Aggregation) -> bytes:
    """Returns the question without content, as bytes."""
    return _core.Aggregation(question._core.plan).to_bytes()
