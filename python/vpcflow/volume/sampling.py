"""Samples of records by conversation, with weights, and totals of samples with their error."""

from __future__ import annotations

import bisect
import dataclasses
import math
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from .._display import printable
from .._hints import hint
from ..detect.run import SAMPLED
from ..errors import PlanError
from ..io.saving import write_batches
from ..io.writing import Writing
from ..query.flows import Flows
from ..query.report import Report
from ..query.result import Result
from .hashing import Hasher, mixed
from .hours import stored

if TYPE_CHECKING:
    import pyarrow as pa

#: The column of weights: how many records a record stands for.
WEIGHT = SAMPLED.replace("-", "_")
#: Records that are kept in any case.
ALWAYS = ("rejects", "first-seen", "syn")
_ROWS = 1 << 16
_SIGMAS = 2.24  # 1.96 in a normal distribution; a few conversations hold much of what is drawn
_LOT_BITS = 53  # that a float64 holds
_FEW = 30  # conversations below which no interval is told
_ENDS = ("srcaddr", "dstaddr")


@dataclasses.dataclass(frozen=True)
class Sample:
    """What was sampled: records read and kept, conversations and those of them that were drawn."""

    records: int
    kept: int
    conversations: int
    drawn: int
    report: Report


class _Draw:
    """Which conversations are drawn, and with which probability: those that hold much of all bytes or records more
    likely, in proportion to that, so that totals are near; but each with half the rate at least."""

    def __init__(self, sizes: pa.Table, rate: float) -> None:
        import pyarrow.compute as pc

        shares = pc.add(*(_shares(sizes.column(name)) for name in ("bytes", "records")))
        self._least = rate if rate >= 1 else rate / 2
        certain = self._threshold(sorted(shares.to_pylist()), rate)
        self._ids = sizes.column("conversation").combine_chunks()
        self._chance = pc.min_element_wise(1.0, pc.max_element_wise(self._least, pc.divide(shares, certain)))

    def _threshold(self, shares: list[float], rate: float) -> float:
        """Returns the share from which on a conversation is drawn for certain, by bisection."""
        before = [0.0]
        for share in shares:
            before.append(before[-1] + share)
        low, high = 1e-18, 4.0 / min(1.0, rate)
        for _ in range(100):
            middle = math.sqrt(low * high)
            small, large = bisect.bisect(shares, self._least * middle), bisect.bisect(shares, middle)
            expected = self._least * small + (before[large] - before[small]) / middle + len(shares) - large
            low, high = (middle, high) if expected > len(shares) * rate else (low, middle)
        return high

    def chances(self, conversations: pa.Array) -> pa.Array:
        """Returns the probability of each record by its conversation."""
        import pyarrow.compute as pc

        return self._chance.take(pc.index_in(conversations, value_set=self._ids))

    @property
    def expected(self) -> tuple[int, int]:
        """Returns the number of conversations, and of those drawn on average."""
        import pyarrow.compute as pc

        return len(self._ids), round(pc.sum(self._chance).as_py() or 0)


def sample(
    flows: Flows, path: str | os.PathLike[str], *, rate: float, keep: Sequence[str] = (), seed: int = 0,
    weighted: bool = True,
) -> Sample:  # fmt: skip
    """Writes a part of the records, drawn by conversation: both directions and all interfaces of one share their fate,
    and so they do in every run with the same seed. The column ``sampling_weight`` has how many records each stands
    for; :func:`estimate` adds them up.

    ``rate``: the share of the conversations, above 0 and up to 1. Those of many bytes or records are drawn more often,
    and weigh less: the records kept are a larger share.
    ``keep``: records that are kept in any case, with weight 1: ``rejects``, ``first-seen`` (the first of each pair of
    hosts), ``syn`` (TCP records with no flag but SYN). NODATA and SKIPDATA records are. ``path``: a file, ``.csv`` or
    ``.jsonl``, of which every command reads the column of weights, too. ``weighted=False`` leaves that out, to see what
    detectors would make of it: they refuse a sample that they know as one.

    Detectors must not run on samples: what is missing looks like what never came. Two passes; about 100 bytes of memory
    for each conversation. Raises :class:`~vpcflow.PlanError` for arguments that do not fit,
    :class:`~vpcflow.FieldError` for logs without addresses, and what reading raises.
    """
    ending = os.path.splitext(os.fspath(path))[1][1:].lower()
    if not 0 < rate <= 1:
        raise PlanError(f"sample: rate={rate:g}; it is above 0 and up to 1, as 0.1 for one conversation in ten")
    for one in keep:
        if one not in ALWAYS:
            raise PlanError(f"sample: keep={one!r}: {hint(one, ALWAYS)}")
    if ending not in ("csv", "jsonl"):
        raise PlanError(f"sample: {printable(os.fspath(path))}: the ending says what to write: .csv or .jsonl")
    if any(not source.is_path and source.memory() is None for source in flows._sources):
        raise PlanError("sample: two passes are needed, and a stream has one; save it to a file first")
    sampling = _Sampling(flows, rate, keep, seed, weighted)
    with Writing(path) as out:
        written = write_batches(out.file, ending, sampling.results())
        if written.error is not None:
            out.keep()
            raise written.error
    return sampling.done(written.rows)


class _Sampling:
    def __init__(self, flows: Flows, rate: float, keep: Sequence[str], seed: int, weighted: bool) -> None:
        self._flows, self._keep, self._weighted = flows, keep, weighted
        self._hasher = Hasher()
        self._seed = seed
        self._seen: set[int] = set()
        self._draw = _Draw(_sizes(flows, self._hasher), rate)
        self._report: Report | None = None

    def results(self) -> Iterator[Result]:
        """Yields the records that are drawn, with their weights."""
        for batch in self._flows._batches(_ROWS):
            self._report = batch.report
            yield Result(_as_table(self._drawn(stored(batch))), batch.report)

    def _drawn(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        conversations = conversations_of(table, self._hasher)
        chances = self._draw.chances(conversations)
        lot = mixed(pc.add(conversations, pa.scalar((2 * self._seed + 1) % 2**64, pa.uint64())))
        lot = pc.cast(pc.shift_right(lot, pa.scalar(64 - _LOT_BITS, pa.uint64())), pa.float64())
        below = pc.less(pc.divide(lot, 2.0**_LOT_BITS), chances)
        always = self._always(table)
        weights = pc.if_else(always, 1.0, pc.divide(1.0, chances))
        if self._weighted:
            table = table.append_column(WEIGHT, weights)
        return table.filter(pc.or_(always, below))

    def _always(self, table: pa.Table) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        out = pa.nulls(len(table), pa.bool_()).fill_null(False)
        names = table.schema.names

        def with_value(name: str, values: Sequence[str]) -> Any:
            column = pc.cast(table.column(name), pa.string()).combine_chunks()
            return pc.is_in(column, value_set=pa.array(values, pa.string()))

        if "log_status" in names:
            out = pc.or_(out, with_value("log_status", ["NODATA", "SKIPDATA"]))
        if "rejects" in self._keep and "action" in names:
            out = pc.or_(out, with_value("action", ["REJECT"]))
        if "syn" in self._keep and "tcp_flags" in names:
            out = pc.or_(out, pc.fill_null(pc.equal(table.column("tcp_flags"), 2), False).combine_chunks())
        if "first-seen" in self._keep:
            out = pc.or_(out, pa.array(self._first_seen(table), pa.bool_()))
        return out

    def _first_seen(self, table: pa.Table) -> list[bool]:
        import pyarrow.compute as pc

        ends = [pc.fill_null(self._hasher.column(table.column(name)), 0) for name in _ENDS]
        out = []
        for pair in pc.add(mixed(ends[0]), mixed(ends[1])).to_pylist():
            out.append(pair not in self._seen)
            self._seen.add(pair)
        return out

    def done(self, kept: int) -> Sample:
        assert self._report is not None  # there is always a batch
        conversations, drawn = self._draw.expected
        return Sample(self._report.records, kept, conversations, drawn, self._report)


def _as_table(table: pa.Table) -> _core.Table:
    """Returns stored records, with their weights, as a table of the engine; addresses are texts."""
    import pyarrow as pa

    nulls = {4: -(2**31), 8: -(2**63)}
    columns: list[tuple[str, str, bytes, list[bytes]]] = []
    for name, column in zip(table.schema.names, table.columns):
        column = column.unify_dictionaries().combine_chunks()
        chunk = pa.concat_arrays(column.chunks or [pa.array([], column.type)]) if hasattr(column, "chunks") else column
        texts: list[bytes] = []
        kind, null = f"int{chunk.type.bit_width}", None
        if pa.types.is_dictionary(chunk.type):
            texts = chunk.dictionary.cast(pa.large_binary()).to_pylist()
            chunk, kind, null = chunk.indices, "text", -1
        elif pa.types.is_floating(chunk.type):
            kind = "float64"
        else:
            null = nulls[chunk.type.bit_width // 8]
        size = chunk.type.bit_width // 8
        data = (chunk if null is None else chunk.fill_null(null)).buffers()[1]
        offset = 0 if null is not None and chunk.null_count else chunk.offset
        columns.append((name, kind, data.to_pybytes()[offset * size : (offset + len(chunk)) * size], texts))
    return _core.Table(len(table), columns)


def conversations_of(table: pa.Table, hasher: Hasher) -> pa.Array:
    """Returns a number of 64 bits for the conversation of each record, the same for both directions."""
    import pyarrow.compute as pc

    ends = []
    for address, port in zip(_ENDS, ("srcport", "dstport")):
        end = pc.fill_null(hasher.column(table.column(address)), 0)
        if port in table.schema.names:
            end = pc.add(end, pc.fill_null(hasher.column(table.column(port)), 0))
        ends.append(mixed(end))
    both = pc.add(ends[0], ends[1])
    if "protocol" in table.schema.names:
        both = pc.bit_wise_xor(both, pc.fill_null(hasher.column(table.column("protocol")), 0))
    return mixed(both)


def _sizes(flows: Flows, hasher: Hasher) -> pa.Table:
    """Returns the bytes of each conversation."""
    import pyarrow as pa

    there = flows.columns
    names = [*_ENDS, *(name for name in ("srcport", "dstport", "protocol", "bytes") if name in there)]
    parts: list[pa.Table] = []
    held = 0
    for batch in flows.select(*names)._batches(_ROWS):
        table = stored(batch)
        sizes = table.column("bytes") if "bytes" in names else pa.nulls(len(table), pa.int64())
        own = {"conversation": conversations_of(table, hasher), "bytes": sizes, "records": _ones(table)}
        parts.append(_summed(pa.table(own)))
        held += len(parts[-1])
        if held > 2 * len(parts[0]) + 16 * _ROWS:
            parts = [_summed(pa.concat_tables(parts))]
            held = len(parts[0])
    return _summed(pa.concat_tables(parts))


def _shares(column: Any) -> pa.Array:
    """Returns the share that each of some numbers has of all, 0 if all are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.fill_null(column, 0).combine_chunks().cast(pa.float64())
    return pc.divide(numbers, (pc.sum(numbers).as_py() or 0.0) or 1.0)


def _summed(table: pa.Table) -> pa.Table:
    out = table.group_by("conversation", use_threads=False).aggregate([("bytes", "sum"), ("records", "sum")])
    names = {"bytes_sum": "bytes", "records_sum": "records"}
    return out.rename_columns([names.get(name, name) for name in out.schema.names]).select(table.schema.names)


def _ones(table: pa.Table) -> pa.Array:
    import pyarrow as pa

    return pa.nulls(len(table), pa.int64()).fill_null(1)


def estimate(flows: Flows, by: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Returns the totals of all records of which a sample was drawn: a row for each value of the fields ``by``, with
    ``records``, ``packets`` and ``bytes``, and of each ``..._low`` and ``..._high``, which the true total lies between
    in 95 of 100 samples. ``drawn``: the conversations that tell of it; of fewer than 30, unless all records of it were
    kept in any case, there is no interval (``None``).

    Raises :class:`~vpcflow.PlanError` for logs without ``sampling_weight``. Memory grows with the conversations.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = flows.columns
    if WEIGHT not in columns:
        raise PlanError(f"estimate: the logs have no field {WEIGHT}; vpcflow sample writes it")
    measures = [name for name in ("packets", "bytes") if name in columns]
    ends = [name for name in (*_ENDS, "srcport", "dstport", "protocol") if name in columns]
    hasher, parts = Hasher(), []
    wanted = list(dict.fromkeys([*by, *ends, *measures, WEIGHT]))
    for batch in flows.select(*wanted)._batches(_ROWS):
        table = stored(batch)
        own = {name: _plain(table.column(name)) for name in by}
        own["conversation"] = conversations_of(table, hasher)
        own["weight"] = pc.fill_null(pc.cast(_plain(table.column(WEIGHT)), pa.float64()), 1.0)
        own["records"] = _ones(table)
        own.update({f"sum.{name}": table.column(name) for name in measures})
        parts.append(_folded(pa.table(own), by, measures))
    together = _folded(pa.concat_tables(parts), by, measures)
    rows: dict[tuple[Any, ...], _Total] = {}
    for row in together.to_pylist():
        key = tuple(row[name] for name in by)
        rows.setdefault(key, _Total(["records", *measures])).add(row)
    return [
        {**dict(zip(by, key)), **total.as_dict()}
        for key, total in sorted(rows.items(), key=lambda item: tuple((v is None, str(v)) for v in item[0]))
    ]


def _plain(column: Any) -> Any:
    import pyarrow as pa

    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _folded(table: pa.Table, by: Sequence[str], measures: Sequence[str]) -> pa.Table:
    names = ["records", *(f"sum.{name}" for name in measures)]
    keys = [*by, "conversation", "weight"]
    out = table.group_by(keys, use_threads=False).aggregate([(name, "sum") for name in names])
    made = {f"{name}_sum": name for name in names}
    return out.rename_columns([made.get(name, name) for name in out.schema.names]).select([*keys, *names])


class _Total:
    """The total of one group: of conversations that were drawn with a chance, each weighed, and of what was kept in any
    case."""

    def __init__(self, names: Sequence[str]) -> None:
        self._sums = dict.fromkeys(names, 0.0)
        self._variance = dict.fromkeys(names, 0.0)
        self._drawn = 0

    def add(self, row: dict[str, Any]) -> None:
        """Takes the part of a conversation that has one weight."""
        weight = row["weight"]
        self._drawn += weight > 1
        for name in self._sums:
            value = row["records" if name == "records" else f"sum.{name}"] or 0
            self._sums[name] += weight * value
            self._variance[name] += (weight * weight - weight) * value * value

    def as_dict(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, total in self._sums.items():
            error = _SIGMAS * math.sqrt(self._variance[name])
            told = self._drawn == 0 or self._drawn >= _FEW
            out[name] = round(total)
            out[f"{name}_low"] = round(max(total - error, 0)) if told else None
            out[f"{name}_high"] = round(total + error) if told else None
        return {**out, "drawn": self._drawn}
