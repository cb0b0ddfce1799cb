"""Aggregations: groupings that are kept, merged, saved, and sent to where the logs are."""

from __future__ import annotations

import contextlib
import operator
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _core
from .._words import count
from ..errors import ArgumentError, PlanError, VpcflowError
from ..typing import BinBy, Container, Duration, Input, OnError, Progress, ScanKeywords, Size
from .arguments import Names, instance, names, several, text
from .expr import Agg, Derived, Expr
from .flows import Flows
from .logs import open_logs
from .progress import shown
from .report import Report
from .result import Result, check
from .scan import flows_over
from .scan import query as begin

if TYPE_CHECKING:
    from typing_extensions import Unpack


#: The options of Aggregation.feed, in the order of its signature.
_Given = tuple[str, "str | None", Container, OnError, "Size | None", "Size | None", bool]
_NO_OPTIONS: _Given = ("stream", None, "auto", "skip", None, None, False)


class _Stream(NamedTuple):
    """A stream that is being fed."""

    feeder: _core.Feeder
    given: _Given
    allow_empty: bool


class Aggregation:
    """A grouping as a value: it takes logs bit by bit, is merged with others of the same question, saved to bytes, sent
    to another process or machine, and continued there.

    The question is a query with ``group_by`` and ``agg``, its windows, ``having``, ``top_k`` and ``sort`` included, or
    with :meth:`~vpcflow.Flows.sessions`. Usually it has no data (:func:`vpcflow.query`); that of others is not read.

    A plain grouping can be written without a query. ``by``: key fields, one or several. ``every``, ``bin_by``: time
    bins, as in :meth:`vpcflow.Flows.group_by`. ``where``: a filter. ``allow_missing``: fields that logs lack are null
    instead of an error. The rest are aggregates by name; without any, the number of records.

    Merging is associative and commutative: records split anywhere give the same result, and the same bytes, as one
    pass. (``first`` and ``last`` prefer the earlier source among records of the same start; sources are counted on from
    update to update. For parts of one input that are aggregated apart, give ``first_source`` to :meth:`update`.)

    >>> import vpcflow as vf
    >>> question = vf.query().group_by("srcaddr").agg(bytes=vf.sum("bytes"))
    >>> monday = vf.Aggregation(question)
    >>> monday.update(b"srcaddr bytes\\n10.0.0.1 40\\n").update(b"srcaddr bytes\\n10.0.0.2 2\\n")
    <Aggregation: 2 groups>
    >>> saved = monday.to_bytes()
    >>> tuesday = vf.Aggregation(question).update(b"srcaddr bytes\\n10.0.0.1 1\\n")
    >>> (vf.Aggregation.from_bytes(saved) + tuesday).collect().rows()
    [{'srcaddr': '10.0.0.1', 'bytes': 41}, {'srcaddr': '10.0.0.2', 'bytes': 2}]

    Any number of threads may use one aggregation at once: updates read their logs beside each other, every record is
    counted once, and :meth:`merge`, :meth:`collect` and :meth:`to_bytes` see each update whole or not at all. A
    ``progress`` callback may use the aggregation, too, without what its own update adds. (Among records of the same
    start ``first`` and ``last`` then prefer the update that began earlier.)

    Errors: :class:`~vpcflow.FieldError`, :class:`~vpcflow.FilterError` and :class:`~vpcflow.PlanError` for a question
    that cannot be asked.
    """

    def __init__(
        self,
        query: Flows | None = None,
        /,
        *,
        by: Names = (),
        every: Duration | None = None,
        bin_by: BinBy = "spread",
        where: Expr | str | None = None,
        allow_missing: bool = False,
        **aggregates: Agg | Derived | str,
    ) -> None:
        if query is None:
            query = begin(allow_missing=allow_missing)
            query = query if where is None else query.filter(where)
            keys = names([by], "Aggregation(by=['srcaddr', 'dstport'], n=vf.count())")
            query = query.group_by(*keys, every=every, bin_by=bin_by).agg(**aggregates)
        elif by or every is not None or bin_by != "spread" or where is not None or allow_missing or aggregates:
            raise PlanError("Aggregation: give a query, or what it groups by and computes, not both")
        query = instance(query, Flows, "Aggregation", "Aggregation(vf.query().group_by('srcaddr').agg(n=vf.count()))")
        self._take(_core.Aggregation(query._plan()))

    def _take(self, core: _core.Aggregation) -> None:
        self._core = core  # locks itself
        self._lock = threading.RLock()  # of the others; never held while records are read
        self._report = _core.Report()
        self._sources = 0
        self._stream: _Stream | None = None

    @classmethod
    def of(cls, flows: Flows) -> Aggregation:
        """Makes an empty aggregation: ``Aggregation(flows)``."""
        return cls(flows)

    def update(
        self, data: Input | Flows, *, first_source: int | None = None, progress: Progress | bool | None = None,
        **options: Unpack[ScanKeywords],
    ) -> Aggregation:  # fmt: skip
        """Adds the records of ``data``: what :func:`vpcflow.scan` takes, with its options; a :class:`~vpcflow.Result`
        or anything else with ``__arrow_c_stream__``; or a query without grouping, whose filter applies.

        ``first_source``: the number of the first source among all of one input, if parts are aggregated apart. Returns
        itself. Of damaged sources the records before the damage are added before :class:`~vpcflow.SourceError` is
        raised; after any other error nothing was added. :class:`~vpcflow.NoRecordsError`, unless ``allow_empty=True``,
        if no record was read. """
        if isinstance(data, Flows):
            if options:
                raise PlanError("options belong to the scan(...) that made the query")
            flows = data
        else:
            flows = flows_over(open_logs(data, **options))
        flows._no_grouping("Aggregation.update")
        flows._no_limit("Aggregation.update adds")
        # What chooses the records of a query, as a plan; its columns and their order are the question's.
        chosen = flows._with(select=[], sort=[], located=False).agg()._plan() if flows._chooses else None
        with self._lock:  # numbers for its sources, which no update beside this one gets
            before = self._sources
            first = before if first_source is None else first_source
            self._sources = taken = max(before, first + len(flows._sources))
        own = flows._options.replace(first_source=first, allow_missing=flows._spec.allow_missing)
        try:
            with shown(progress) as call:
                report = self._core.update(flows._sources, own, call, chosen)
        except BaseException:
            with self._lock:
                if self._sources == taken:  # nothing was added
                    self._sources = before
            raise
        with self._lock:
            if self._sources == taken:
                self._sources = before
            self._sources = max(self._sources, first + report.sources + report.duplicates)
            self._report = _core.merge_reports(self._report, report)
        if report.errors or report.warnings or report.rejected or report.no_records:
            check([Result(self._core.value(), report)], flows._allows_empty)
        return self

    def feed(
        self,
        data: bytes | bytearray | memoryview,
        *,
        name: str = "stream",
        format: str | None = None,
        container: Container = "auto",
        on_error: OnError = "skip",
        max_memory: Size | None = None,
        max_output_bytes: Size | None = None,
        allow_empty: bool = False,
    ) -> None:
        """Takes the next bytes of a stream, such as those of a socket. They may end anywhere: within a line, a header
        line, a member of gzip, a JSON document. What is counted is what :meth:`update` counts of the whole, with the
        same rejects and line numbers. No thread is started; most pieces are only copied, and taken in blocks.

        ``name`` stands for the stream in rejects and errors. It and the other options, which are those of
        :func:`vpcflow.scan`, are given with the first piece of a stream, or with each of them; a piece that gives none
        goes on as its stream began. :class:`~vpcflow.PlanError` for others than those of the stream.

        :meth:`collect`, :meth:`to_bytes`, ``len`` and so on have the records of all whole lines fed so far. (Lines
        without header line wait until it is clear what format they have: with ``format`` or one record of AWS's
        default at once, else for 100 lines; ``report.warnings`` says so. An entry of a JSON document or a packed block
        waits for its end.) The last line, which may lack its line end, counts from :meth:`finish` on.

        Errors come with the piece that completes the block they are in, or later: :class:`~vpcflow.SourceError` for
        damage and what has no format, behind which what stood before it is kept; :class:`~vpcflow.ParseError` with
        ``on_error="raise"``, :class:`~vpcflow.OutOfMemoryError`. Then every further piece raises the same until
        :meth:`finish` ends the stream.

        >>> import vpcflow as vf
        >>> talkers = vf.Aggregation(by="srcaddr", bytes=vf.sum("bytes"))
        >>> for piece in (b"srcaddr by", b"tes\\n10.0.0.1 40\\n10.", b"0.0.2 2"):
        ...     talkers.feed(piece, name="tcp:5140")
        >>> talkers.collect().rows()
        [{'srcaddr': '10.0.0.1', 'bytes': 40}]
        >>> talkers.finish()
        >>> talkers.collect().rows()
        [{'srcaddr': '10.0.0.1', 'bytes': 40}, {'srcaddr': '10.0.0.2', 'bytes': 2}]
        """
        given = (name, format, container, on_error, max_memory, max_output_bytes, allow_empty)
        stream = self._stream
        if stream is None or (given != _NO_OPTIONS and given != stream.given):
            stream = self._begin(given)
        if not stream.feeder.feed(data):
            check([Result(self._core.value(), stream.feeder.report)], stream.allow_empty)

    def _begin(self, given: _Given) -> _Stream:
        """Returns the stream in hand, which must have begun with these options; without one begins it."""
        with self._lock:
            if self._stream is not None:
                if given not in (_NO_OPTIONS, self._stream.given):
                    raise PlanError("feed: other options than the stream's first piece has; finish() ends a stream")
                return self._stream
            name, format, container, on_error, max_memory, max_output_bytes, allow_empty = given
            text(name, "name", "feed(data, name='tcp:5140')")
            options = open_logs(
                b"", format=format, container=container, on_error=on_error, max_memory=max_memory,
                max_output_bytes=max_output_bytes,
            ).options.replace(first_source=self._sources)  # fmt: skip
            self._stream = _Stream(_core.Feeder(self._core, name, options), given, allow_empty)
            self._sources += 1
            return self._stream

    def finish(self) -> None:
        """Ends the stream that :meth:`feed` began: its last line may lack its line end. The next piece begins another
        stream. Without a stream in hand it does nothing; but if nothing was ever read it is
        :class:`~vpcflow.NoRecordsError`.

        Errors as of :meth:`update`: :class:`~vpcflow.NoRecordsError` for a stream without records, unless
        ``allow_empty``, :class:`~vpcflow.FieldError` for a field that none of its lines has,
        :class:`~vpcflow.SourceError` for damage and data that is cut, behind which what could be read is kept, and
        what :meth:`feed` raised before. The stream is at its end in any case.
        """
        with self._lock:
            stream, self._stream = self._stream, None
            if stream is None and self._sources > 0:
                return
        if stream is None:  # one of no bytes
            stream, self._stream = self._begin(_NO_OPTIONS), None
        try:
            stream.feeder.finish()
        finally:
            report = stream.feeder.report
            with self._lock:
                self._report = _core.merge_reports(self._report, report)
        if report.errors or report.warnings or report.rejected or report.no_records:
            check([Result(self._core.value(), report)], stream.allow_empty)

    def _fed(self) -> _core.Report:
        """Adds what was fed so far, and returns the report of all."""
        stream = self._stream
        if stream is None:
            return self._report
        stream.feeder.flush()
        report = _core.merge_reports(self._report, stream.feeder.report)
        if not stream.feeder.waits_for_format:
            return report
        waiting = f"{stream.given[0]}: the format of its lines is not known yet, and they are not counted; give format="
        return _core.merge_reports(report, _core.Report(warnings=[waiting]))

    def merge(self, other: Aggregation) -> Aggregation:
        """Adds what another has; returns itself. :class:`~vpcflow.PlanError` if it answers another question."""
        instance(other, Aggregation, "merge", "monday.merge(tuesday)")
        report = other._fed()
        self._core.merge(other._core)
        with other._lock:
            sources = other._sources
        with self._lock:
            self._report = _core.merge_reports(self._report, report)
            self._sources = max(self._sources, sources)
        return self

    def copy(self) -> Aggregation:
        """Returns another one with the same content."""
        report = self._fed()
        made = type(self).__new__(type(self))
        made._take(self._core.copy())
        made._report = report
        with self._lock:
            made._sources = self._sources
        return made

    def __iadd__(self, other: Aggregation) -> Aggregation:
        return self.merge(other) if isinstance(other, Aggregation) else NotImplemented

    def __add__(self, other: Aggregation) -> Aggregation:
        return self.copy().merge(other) if isinstance(other, Aggregation) else NotImplemented

    def __radd__(self, other: Any) -> Aggregation:
        return self.copy() if other == 0 and isinstance(other, int) else NotImplemented  # sum() begins with 0

    def collect(self) -> Result:
        """Returns the result so far; the aggregation can go on."""
        report = self._fed()
        warning, shown = self._core.warning(), self._core.shown()
        if warning or shown:
            own = _core.Report(warnings=[warning] if warning else [], one_direction=warning, shown=shown)
            report = _core.merge_reports(report, own)
        return Result(self._core.value(), report)

    def take_idle(self, time: int) -> Result:
        """Takes out the sessions that no record that begins at ``time`` (Unix seconds) or later can belong to, and
        returns them, so that a stream is read in bounded memory.

        >>> import vpcflow as vf
        >>> open_ones = vf.Aggregation(vf.query().sessions(idle="1m"))
        >>> header = b"srcaddr dstaddr srcport dstport protocol start end\\n"
        >>> lines = b"10.0.0.1 10.0.0.2 40000 443 6 0 60\\n10.0.0.3 10.0.0.2 40000 443 6 500 560\\n"
        >>> _ = open_ones.update(header + lines)
        >>> open_ones.take_idle(300)["client"], len(open_ones)
        (['10.0.0.1'], 1)
        """
        try:
            at = operator.index(time)
        except TypeError:
            call = "take_idle(1795413600)"
            raise ArgumentError(f"take_idle: whole seconds are needed, not {time!r}; write {call}") from None
        report = self._fed()
        return Result(self._core.take_idle(at), report)

    @property
    def report(self) -> Report:
        """What was read so far; saved by pickle, not by :meth:`to_bytes`."""
        return self.collect().report

    def to_bytes(self) -> bytes:
        """Saves the groups and the question as bytes with a checksum: the same bytes for the same records, in whatever
        order and parts they came. Kept readable by later versions."""
        self._fed()
        return self._core.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> Aggregation:
        """Loads what :meth:`to_bytes` saved. Safe with any bytes: :class:`~vpcflow.StateError` for damage and for what
        is no aggregation; it never takes more than eight times their size and 64 KiB of memory."""
        made = cls.__new__(cls)
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise ArgumentError(f"from_bytes: bytes are needed, as of to_bytes(), not {type(data).__name__}")
        made._take(_core.Aggregation.from_bytes(bytes(data)))
        return made

    # Pickle runs what a pickle says: unpickle only what you wrote. from_bytes is safe with the bytes of others.
    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),), {"report": self._fed(), "sources": self._sources})

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._report, self._sources = state["report"], state["sources"]

    def __len__(self) -> int:
        self._fed()
        return self._core.groups

    def __eq__(self, other: object) -> bool:
        return self.to_bytes() == other.to_bytes() if isinstance(other, Aggregation) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        with contextlib.suppress(VpcflowError):
            self._fed()
        return f"<Aggregation: {count(self._core.groups, 'group')}>"


def merge_all(states: Iterable[bytes | Aggregation]) -> Aggregation:
    """Merges aggregations, or their bytes, into one; raises :class:`~vpcflow.PlanError` for none."""
    total: Aggregation | None = None
    call = "merge_all([monday, tuesday.to_bytes()])"
    for state in several(states, "merge_all", call):
        if not isinstance(state, (Aggregation, bytes, bytearray, memoryview)):
            raise ArgumentError(f"merge_all: an aggregation or its bytes are needed, not {state!r:.100}; write {call}")
        one = state if isinstance(state, Aggregation) else Aggregation.from_bytes(state)
        total = one.copy() if total is None else total.merge(one)
    if total is None:
        raise PlanError("no aggregations to merge")
    return total
