"""History: who talked to whom before, in bounded memory, saved for years."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import ipaddress
import json
import os
import warnings
import zlib
from collections.abc import Collection, Iterator
from typing import Any, Union

from .. import _core
from .._display import instant
from .._words import count as counted
from ..errors import ArgumentError, DataQualityWarning, PlanError, VpcflowError
from ..findings.membership import membership
from ..io.writing import write_whole
from ..query.aggregation import Aggregation
from ..query.expr import count, sum
from ..query.expr import max as max_of
from ..query.expr import min as min_of
from ..query.flows import Flows
from ..query.result import Result
from ..query.scan import scan
from ..query.sessions import sessions_as_records
from ..typing import Duration, Progress

_MAGIC = b"vpcflow baseline "
VERSION = 1
#: Conversations of client, server, port and protocol that a baseline keeps; those seen most.
EDGES = 1_000_000
_KEYS = ("srcaddr", "dstaddr", "dstport", "protocol")
_EMPTY = "srcaddr,dstaddr,dstport,protocol,packets,start,end\n"


@dataclasses.dataclass(frozen=True)
class Baseline:
    """Who talked to whom at which port over which protocol, how often, and from when to when: what was usual. Never
    changed; :meth:`updated` gives another. :func:`vpcflow.detect` takes it as ``baseline``.

    Of more than ``limit`` conversations those seen most are kept, so its memory has a bound; ``forgotten`` counts the
    others, which are new when they come again.

    >>> import vpcflow as vf
    >>> from vpcflow.detect import Baseline
    >>> past = Baseline().updated(vf.scan(vf.synth(2000, peers=100, noise_sources=100).data))
    >>> len(past) > 10, Baseline.from_bytes(past.to_bytes()) == past
    (True, True)
    """

    sessions: int = 0
    start: int | None = None  # Unix seconds
    end: int | None = None
    forgotten: int = 0
    limit: int = EDGES
    _edges: bytes = dataclasses.field(default=_EMPTY.encode(), repr=False)

    def __len__(self) -> int:
        return self._edges.count(b"\n") - 1

    def updated(self, flows: Flows, *, idle: Duration = "10m", progress: Progress | bool | None = None) -> Baseline:
        """Returns this with the answered sessions of logs. Logs that are in it already count twice."""
        return self.with_sessions(flows.sessions(idle=idle)._in_any_order().collect(progress=progress))

    def with_sessions(self, sessions: Result) -> Baseline:
        """As :meth:`updated`, out of sessions."""
        with _quietly():
            fresh = sessions_as_records(sessions, "client_bytes", answered=True).group_by(*_KEYS)
            edges = fresh.agg(packets=count(), start=min_of("start"), end=max_of("end")).collect()
        return self._with(edges.to_csv().encode())

    def with_known(self, actor: str, target: str, port: int | None = None) -> Baseline:
        """Returns this with one conversation that is known to be fine."""
        for end in (actor, target):
            try:
                ipaddress.ip_address(end)
            except ValueError:
                raise ArgumentError(f"baseline: {end!r}: expected an address") from None
        return self._with(f"{_EMPTY}{actor},{target},{'' if port is None else port},,1,,\n".encode())

    def of_pairs(self, ends: Collection[str]) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Returns how often, and from when to when, one of some hosts talked to others, by both ends."""
        flows, is_one = membership(self._flows(), "one_of_them", "srcaddr", set(ends))
        rows = flows.filter(is_one).group_by("srcaddr", "dstaddr")
        with _quietly():
            found = rows.agg(n=sum("packets"), start=min_of("start"), end=max_of("end")).collect()
        return {(row["srcaddr"], row["dstaddr"]): (row["n"], row["start"], row["end"]) for row in found}

    def table(self) -> _core.Table:
        """Returns the conversations as the engine takes them."""
        with _quietly():
            return self._flows().group_by(*_KEYS).agg(n=sum("packets")).collect()._table

    def describe(self) -> dict[str, Any]:
        """Returns its content as plain values."""
        with _quietly():
            (row,) = self._flows().agg(
                clients="n_unique(srcaddr)", servers="n_unique(dstaddr)", ports="n_unique(dstport)"
            ).collect().rows() or [dict.fromkeys(("clients", "servers", "ports"), 0)]  # fmt: skip
        head = {name: value for name, value in dataclasses.asdict(self).items() if name != "_edges"}
        return {"version": VERSION, "conversations": len(self), **row, **head}

    def __str__(self) -> str:
        kept = f"; {counted(self.forgotten, 'rare one')} forgotten" if self.forgotten else ""
        when = f", {instant(self.start)} to {instant(self.end)} UTC" if self.start is not None else ""
        return f"{counted(len(self), 'conversation')} in {counted(self.sessions, 'session')}{when}{kept}"

    def to_bytes(self) -> bytes:
        """Returns it as bytes, the same for the same; :meth:`from_bytes` reads them."""
        head = {name: value for name, value in dataclasses.asdict(self).items() if name != "_edges"}
        return _MAGIC + f"{VERSION} {json.dumps(head)}\n".encode() + gzip.compress(self._edges, 6, mtime=0)

    @classmethod
    def from_bytes(cls, data: bytes) -> Baseline:
        """Reads what :meth:`to_bytes` wrote; :class:`~vpcflow.PlanError` for anything else."""
        first, _, body = bytes(data).partition(b"\n")
        version, _, head = first.removeprefix(_MAGIC).partition(b" ")
        if not first.startswith(_MAGIC):
            raise PlanError("not a baseline; expected what vpcflow baseline build wrote")
        if version != str(VERSION).encode():
            raise PlanError(f"a baseline of version {version[:9].decode(errors='replace')}; expected {VERSION}")
        try:
            known = json.loads(head)
            edges = gzip.decompress(body)
            if not edges.startswith(_EMPTY.encode()) or not all(
                isinstance(known[name], int) or (known[name] is None and name in ("start", "end"))
                for name in ("sessions", "start", "end", "forgotten", "limit")
            ):
                raise ValueError
            return cls(**known, _edges=edges)
        except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error):
            raise PlanError("a damaged baseline; build it anew") from None

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Baseline:
        """Reads a file of :meth:`save`, or one that ``vpcflow detect --learn`` began. :class:`~vpcflow.PlanError` names
        it."""
        past = past_in(path)
        try:
            return past if isinstance(past, Baseline) else cls.of_aggregation(past)
        except PlanError as error:
            raise PlanError(f"{os.fspath(path)}: not a baseline file: {error}") from None

    @classmethod
    def of_aggregation(cls, past: Aggregation) -> Baseline:
        """Converts what :func:`vpcflow.detect.baseline` learned, which has no times."""
        rows = past.collect()
        if not {"srcaddr", "dstaddr", "dstport", "n"} <= set(rows.columns):
            raise PlanError("an aggregation of something else than who talked to whom")
        lines = []
        for row in rows:
            cells = [row["srcaddr"], row["dstaddr"], row["dstport"], row.get("protocol"), row["n"], None, None]
            lines.append(",".join("" if cell is None else str(cell) for cell in cells))
        return cls()._with((_EMPTY + "".join(f"{line}\n" for line in lines)).encode())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file, whole or not at all."""
        write_whole(os.fspath(path), self.to_bytes())

    def _flows(self) -> Flows:
        return scan(self._edges, container="csv", allow_empty=True)

    def _with(self, more: bytes) -> Baseline:
        """Returns this with other conversations, those seen most."""
        added = scan(more, container="csv", allow_empty=True)
        together = scan(self._edges + more.partition(b"\n")[2], container="csv", allow_empty=True)
        grouped = together.group_by(*_KEYS).agg(packets=sum("packets"), start=min_of("start"), end=max_of("end"))
        with _quietly():
            rows = grouped.collect()
            left = max(len(rows) - self.limit, 0)
            kept = grouped.top_k(self.limit, by="packets").collect() if left else rows
            (new,) = added.agg(n=sum("packets"), start=min_of("start"), end=max_of("end")).collect().rows() or [{}]
        times = [time for time in (self.start, self.end, new.get("start"), new.get("end")) if time is not None]
        return dataclasses.replace(
            self, _edges=kept.to_csv().encode(), sessions=self.sessions + (new.get("n") or 0),
            start=min(times, default=None), end=max(times, default=None), forgotten=self.forgotten + left,
        )  # fmt: skip


#: What :func:`vpcflow.detect` takes as the past: a baseline, or an aggregation of :func:`vpcflow.detect.baseline`.
Past = Union[Aggregation, Baseline]


def past_in(path: str | os.PathLike[str]) -> Past:
    """Reads a baseline of either form from a file. :class:`~vpcflow.PlanError` names it."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read()
        return Baseline.from_bytes(data) if data.startswith(_MAGIC) else Aggregation.from_bytes(data)
    except OSError as error:
        raise PlanError(f"{name}: cannot read the baseline: {error.strerror}") from None
    except VpcflowError as error:
        raise PlanError(f"{name}: not a baseline file; expected what vpcflow baseline build wrote: {error}") from None


def table_of(baseline: Past) -> _core.Table:
    """Returns a baseline of either form as the engine takes it."""
    return baseline.table() if isinstance(baseline, Baseline) else baseline.collect()._table


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        yield
