"""What logs show of the starts of sessions, and how far they show it: what rules are judged by."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .. import _core
from ..errors import ArgumentError, FieldError, NoRecordsError, PlanError, SourceError, StateError, VpcflowError
from ..query.aggregation import Aggregation
from ..query.arguments import instance
from ..query.expr import count
from ..query.flows import Flows
from ..query.logs import open_logs
from ..query.report import Report
from ..query.result import Result
from ..query.scan import flows_over, query
from ..typing import Input, Progress, ScanKeywords

if TYPE_CHECKING:
    from typing_extensions import Unpack

_MAGIC = b"vpcflow observed 1\n"
_WINDOWS = (60, 600)  # seconds: what AWS aggregates
_LOOKED_AT = 2000  # records by whose length the window is told
_RANK = {"NODATA": 1, "OK": 2, "SKIPDATA": 3}  # of a minute the highest counts
#: The fields without which rules cannot be judged.
NEEDED = ("interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "start", "end", "action")
_BLOCKED_BY = ("interface_id", "srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr", "dstport", "protocol")
#: Minutes [start, end) of an interface in Unix seconds, and how they were seen.
Interval = tuple[int, int, str]


class Observed:
    """The sessions of logs and the coverage of their interfaces, as a value: it takes logs bit by bit, is merged with
    others, saved to bytes and loaded again. Days that are merged give the same bytes as one pass over them.

    Memory: that of sessions, :meth:`vpcflow.Flows.sessions`. For one thread at a time.

    >>> import vpcflow as vf
    >>> header = b"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action\\n"
    >>> monday = vf.Observed().update(header + b"eni-1 10.0.0.1 10.0.0.2 40000 443 6 9 900 0 60 ACCEPT\\n")
    >>> vf.Observed.from_bytes(monday.to_bytes()) == monday
    True
    """

    def __init__(self) -> None:
        self._sessions = Aggregation(query().sessions())
        # Who blocked what, where the log says so.
        self._blocked = Aggregation(
            query(allow_missing=True)
            .filter("action = 'REJECT' and reject_reason is not null")
            .group_by(*_BLOCKED_BY, "reject_reason")
            .agg(records=count())
        )
        self._coverage: dict[str, list[Interval]] = {}
        self._filled: dict[str, list[Interval]] | None = None
        self._warning: str | None = None
        self._window = _WINDOWS[0]
        self._filtered = False

    def update(
        self, data: Input | Flows, *, progress: Progress | bool | None = None, **options: Unpack[ScanKeywords]
    ) -> Observed:
        """Adds the records of ``data``, with the options of :func:`vpcflow.scan`; or of a query without grouping, whose
        filter applies. Returns itself. Errors as of :meth:`vpcflow.Aggregation.update`, and
        :class:`~vpcflow.FieldError` for logs that lack what rules are judged by."""
        if isinstance(data, Flows):
            if options:
                raise PlanError("options belong to the scan(...) that made the query")
            flows = data
        else:
            flows = flows_over(open_logs(data, **options))
        columns = flows._with(select=[]).columns
        if missing := [name for name in NEEDED if name not in columns]:
            raise FieldError(f"rules cannot be judged without {', '.join(missing)}; log these fields as well")
        self._filtered |= bool(flows._filters)
        damage: VpcflowError | None = None
        try:
            self._sessions.update(flows, progress=progress)
        except SourceError as error:  # what stands before the damage was added
            damage = error
        with contextlib.suppress(*([SourceError] if damage else [])):
            if "reject_reason" in columns:
                self._blocked.update(flows)
        self._window = max(self._window, _window_of(flows.unfiltered()))
        self._filled = self._warning = None
        for row in _coverage_of(flows.unfiltered()):
            if row["interface_id"] is not None and row["seen"] in _RANK:
                self._coverage.setdefault(row["interface_id"], []).append((row["start"], row["end"], row["seen"]))
        self._coverage = {one: _joined(self._coverage[one]) for one in sorted(self._coverage)}
        if damage is not None:
            raise damage
        return self

    def merge(self, other: Observed) -> Observed:
        """Adds what another has; returns itself."""
        instance(other, Observed, "merge", "monday.merge(tuesday)")
        self._sessions.merge(other._sessions)
        self._blocked.merge(other._blocked)
        self._filtered |= other._filtered
        self._window, self._filled, self._warning = max(self._window, other._window), None, None
        both = {**self._coverage, **other._coverage}
        self._coverage = {
            one: _joined([*self._coverage.get(one, ()), *other._coverage.get(one, ())]) for one in sorted(both)
        }
        return self

    def starts(self, cuts: Iterable[int] = ()) -> Result:
        """Returns how many sessions began at each interface, as far as it saw packets of their client: ``interface``,
        ``direction`` of these packets there, ``client``, ``server``, ``server_port``, ``protocol``, ``span``: how many
        of ``cuts`` (Unix seconds, ascending) are not behind the start, ``action`` (``MIXED``: some of the records were
        blocked), ``client_known``, ``syn``, ``state``, ``answered``, ``sessions``, ``bytes`` in both directions,
        ``first`` and ``last``."""
        return Result(self._sessions._core.starts(list(cuts)), self.report)

    @property
    def sessions(self) -> Aggregation:
        """The sessions, for :func:`vpcflow.detect`."""
        return self._sessions

    def blocked(self) -> list[dict[str, Any]]:
        """Returns what a reason for a REJECT was given for, as far as the logs have ``reject-reason``."""
        return self._blocked.collect().rows()

    @property
    def coverage(self) -> Mapping[str, list[Interval]]:
        """By interface the minutes that the logs speak of, ascending. A record shows its first and its last packet, not
        its window: what is quiet for less than two windows is no gap."""
        if self._filled is None:
            first, last = self.span
            quiet = 2 * self._window
            self._filled = {one: _filled(own, first, last, quiet) for one, own in self._coverage.items()}
        return self._filled

    @property
    def filtered(self) -> bool:
        """Whether a filter left records out, so that silence says nothing."""
        return self._filtered

    @property
    def one_direction(self) -> bool:
        """Whether the logs hold one direction only."""
        return bool(self._said())

    @property
    def report(self) -> Report:
        """What was read so far; not saved by :meth:`to_bytes`."""
        warning = self._said()
        own = _core.Report(warnings=[warning] if warning else [], one_direction=warning)
        return Report(_core.merge_reports(self._sessions._fed(), own))

    def _said(self) -> str:
        """Returns what the logs hide, which takes a look at all sessions."""
        if self._warning is None:
            self._warning = self._sessions._core.warning()
        return self._warning

    @property
    def span(self) -> tuple[int, int]:
        """First and last second that the logs speak of. :class:`~vpcflow.NoRecordsError` if they do not speak."""
        intervals = [end for own in self._coverage.values() if own for end in (own[0], own[-1])]
        if not intervals and self.report.records:
            raise NoRecordsError("no record with an interface was read")
        if not intervals:  # which the scan allowed
            return 0, 0
        return min(start for start, _, _ in intervals), max(end for _, end, _ in intervals)

    def covered(self, interface: str, start: int, end: int) -> int:
        """Returns how many of the seconds [start, end) the logs speak of an interface, SKIPDATA left out."""
        return sum(
            max(0, min(end, last) - max(start, first))
            for first, last, seen in self.coverage.get(interface, ())
            if seen != "SKIPDATA"
        )

    def to_bytes(self) -> bytes:
        """Saves it: the same bytes for the same records."""
        sessions, blocked = self._sessions.to_bytes(), self._blocked.to_bytes()
        head = {
            "sessions": len(sessions), "blocked": len(blocked), "filtered": self._filtered, "window": self._window,
        }  # fmt: skip
        text = json.dumps({**head, "coverage": self._coverage}, sort_keys=True, separators=(",", ":"))
        return _MAGIC + text.encode() + b"\n" + sessions + blocked

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> Observed:
        """Loads what :meth:`to_bytes` saved; :class:`~vpcflow.StateError` for anything else."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise ArgumentError(f"from_bytes: bytes are needed, as of to_bytes(), not {type(data).__name__}")
        raw = bytes(data)
        made = cls()
        head, _, rest = raw[len(_MAGIC) :].partition(b"\n")
        try:
            if not raw.startswith(_MAGIC):
                raise ValueError
            found = json.loads(head)
            length, more = int(found["sessions"]), int(found["blocked"])
            made._filtered = found["filtered"] is True
            made._window = _WINDOWS[found["window"] > _WINDOWS[0]]
            made._coverage = {
                str(one): _joined([(int(start), int(end), str(seen)) for start, end, seen in own if seen in _RANK])
                for one, own in sorted(found["coverage"].items())
            }
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise StateError("this is no saved Observed, or it is damaged") from None
        if length < 0 or more < 0 or length + more != len(rest):
            raise StateError("this saved Observed is cut")
        made._sessions = Aggregation.from_bytes(rest[:length])
        made._blocked = Aggregation.from_bytes(rest[length:])
        try:
            cls()._sessions.merge(made._sessions)
            cls()._blocked.merge(made._blocked)
        except PlanError:
            raise StateError("this saved Observed holds what none has") from None
        return made

    def __eq__(self, other: object) -> bool:
        return self.to_bytes() == other.to_bytes() if isinstance(other, Observed) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"<Observed: {len(self._sessions):,} sessions, {len(self._coverage):,} interfaces>"


def observe(flows: Flows | Observed, progress: Progress | bool | None = None) -> tuple[Observed, VpcflowError | None]:
    """Returns what logs show; what was observed before as it is. Of damaged sources what could be read, with the
    error."""
    if isinstance(flows, Observed):
        return flows, None
    out = Observed()
    try:
        return out.update(flows, progress=progress), None
    except SourceError as error:
        if not out.report.records:
            raise
        return out, error


def _coverage_of(flows: Flows) -> Result:
    """Returns the coverage of what can be read."""
    try:
        return flows.coverage()
    except NoRecordsError:
        raise PlanError("logs are read twice here, and a stream can be read once; save it to a file") from None
    except SourceError as error:
        if not isinstance(error.partial, Result):
            raise
        return error.partial


def _joined(intervals: Iterable[Interval]) -> list[Interval]:
    """Returns intervals ascending and apart from each other: of what overlaps the higher rank."""
    ordered = sorted(intervals)
    if all(one[1] <= following[0] for one, following in zip(ordered, ordered[1:])):
        apart: list[Interval] = []
        for one in ordered:
            _added(apart, one)
        return apart
    cuts = sorted({cut for start, end, _ in ordered for cut in (start, end)})
    if not cuts:
        return []
    out: list[Interval] = []
    active: list[Interval] = []
    number = 0
    for start, end in zip(cuts, cuts[1:]):
        while number < len(ordered) and ordered[number][0] <= start:
            active.append(ordered[number])
            number += 1
        active = [one for one in active if one[1] > start]
        if active:
            out = _added(out, (start, end, max((one[2] for one in active), key=lambda seen: _RANK[seen])))
    return out


def _added(out: list[Interval], new: Interval) -> list[Interval]:
    if out and out[-1][1] == new[0] and out[-1][2] == new[2]:
        out[-1] = (out[-1][0], new[1], new[2])
    else:
        out.append(new)
    return out


def _filled(own: Iterable[Interval], first: int, last: int, quiet: int) -> list[Interval]:
    """Returns intervals with what is quiet for less than so long between them: as one of the two was seen; at the ends
    of the logs as what is next to it."""
    out: list[Interval] = []
    for start, end, seen in own:
        before = out[-1][1] if out else first
        if 0 < start - before < quiet:
            _added(out, (before, start, seen if not out or seen != "SKIPDATA" else out[-1][2]))
        _added(out, (start, end, seen))
    if out and 0 < last - out[-1][1] < quiet:
        _added(out, (out[-1][1], last, out[-1][2]))
    return out


def _window_of(flows: Flows) -> int:
    """Returns the aggregation interval that the first records show."""
    any_status = "log_status is null or log_status is not null"  # NODATA has the length of its window
    try:
        rows = flows.filter(any_status).select("start", "end")._with(allow_missing=True).limit(_LOOKED_AT).collect()
    except SourceError:
        return _WINDOWS[0]
    longest = max((end - start for start, end in zip(rows["start"], rows["end"]) if start and end), default=0)
    return _WINDOWS[longest > _WINDOWS[0]]
