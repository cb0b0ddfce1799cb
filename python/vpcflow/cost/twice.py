"""Whether records may be counted twice, as two flow logs of an interface tell them: of logs whose names do not tell the
flow logs apart."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from .._display import human_bytes, instant
from .._words import count
from ..query.expr import count as n_records
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable

_MINUTE = 60
_MOST = 300_000  # records that are compared; of more, those of some ports
_PORTS = (32768, 60999)  # of clients
_LEAST = 10  # equal records in a row of minutes: AWS itself delivers single ones twice
_SHARE = 0.5  # of the records of a minute
_SHOWN = 3
_NAMES = ("interface_id", "resource_id", "tgw_attachment_id")
_NEEDED = ("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "bytes", "start")
# Where all formats have them, they tell records apart, too.
_FINER = (
    "end", "packets", "action", "flow_direction", "pkt_srcaddr", "pkt_dstaddr", "tcp_flags", "traffic_path", "vpc_id",
    "subnet_id", "instance_id", "account_id",
)  # fmt: skip
_ADVICE = (
    "if two flow logs have it, leave the files of one out, or name files as AWS does, by the flow log's id (fl-...): "
    "then each record counts once"
)


@dataclasses.dataclass(frozen=True)
class Twice:
    """Whether records may be counted twice. ``minutes``: of interfaces, most of whose records are there more than once.
    ``bytes``: of the records that are there again, as far as they were compared. ``lacking``: fields without which
    nobody can tell."""

    minutes: Mapping[str, AbstractSet[int]] = dataclasses.field(default_factory=dict)
    bytes: int = 0
    lacking: tuple[str, ...] = ()

    def __add__(self, other: Twice) -> Twice:
        names = {*self.minutes, *other.minutes}
        minutes = {name: {*self.minutes.get(name, ()), *other.minutes.get(name, ())} for name in names}
        return Twice(minutes, self.bytes + other.bytes, tuple(sorted({*self.lacking, *other.lacking})))

    def __str__(self) -> str:
        """Returns ``no``, or a sentence that begins with ``may be counted twice`` or ``cannot tell``."""
        if self.minutes:
            order = sorted(self.minutes, key=lambda name: (-len(self.minutes[name]), name))
            shown = [_spoken(name, self.minutes[name]) for name in order[:_SHOWN]]
            more = [f"and {count(len(order) - _SHOWN, 'more interface')}"] if len(order) > _SHOWN else []
            again = human_bytes(self.bytes)
            return f"may be counted twice: {', '.join([*shown, *more])}; at least {again} are there again; {_ADVICE}"
        if self.lacking:
            return f"cannot tell whether records are counted twice: the logs lack {', '.join(self.lacking)}"
        return "no"


def _spoken(name: str, minutes: AbstractSet[int]) -> str:
    first, last = (instant(minute * _MINUTE) for minute in (min(minutes), max(minutes) + 1))
    return f"{name} in {count(len(minutes), 'minute')} from {first} to {last} UTC"


def twice_in(flows: Flows, formats: Sequence[str], records: int) -> Twice:
    """Compares the records of logs: ``records`` of them, in these formats. In one grouping of 300,000 at most; of
    more records, those of some ports stand for all."""
    there = {name.replace("-", "_") for name in flows.columns}
    fields = [{name.replace("-", "_") for name in form.split()} for form in formats]
    lacking = [name for name in _NEEDED if name not in there]
    names = [name for name in _NAMES if name in there]
    if lacking or not names:
        return Twice(lacking=tuple([*lacking, *([] if names else ["interface_id"])]))
    named = " or ".join(f"{name} is not null" for name in names)
    flows = flows._with(allow_missing=True).filter(f"srcaddr is not null and start is not null and ({named})")
    if records > _MOST:
        low, high = _PORTS[0], _PORTS[0] + max(1, (_PORTS[1] - _PORTS[0]) * _MOST // records)
        flows = flows.filter(
            f"(srcport >= {low} and srcport < {high}) or (dstport >= {low} and dstport < {high})"
        )
    finer = [name for name in _FINER if all(name in own for own in fields)]
    action = ["action"] if "action" in there else []
    whole = flows.group_by(*names, *action, every=f"{_MINUTE}s", bin_by="start").agg(n=n_records())
    same = flows.group_by(*dict.fromkeys([*names, *action, *_NEEDED, *finer])).agg(n=n_records()).having("n > 1")
    (totals, equal), _ = collect_readable([whole, same])
    # By interface and action: a flow log may be of accepted or of refused traffic alone.
    again: dict[tuple[tuple[str, str], int], list[int]] = {}  # by thing and minute: records, different ones, bytes
    things = zip(_things(equal, names, action), equal["start"], equal["n"], equal["bytes"])
    for thing, start, n, size in things:
        own = again.setdefault((thing, start // _MINUTE), [0, 0, 0])
        for i, value in enumerate((n, 1, (n - 1) * (size or 0))):
            own[i] += value
    minutes: dict[tuple[str, str], dict[int, int]] = {}
    for thing, time, n in zip(_things(totals, names, action), totals["time"], totals["n"]):
        own_minutes = minutes.setdefault(thing, {})
        own_minutes[time // _MINUTE] = own_minutes.get(time // _MINUTE, 0) + n
    if not minutes:
        return Twice(lacking=("interface_id",))
    found: dict[str, set[int]] = {}
    size = 0
    for thing, own_minutes in minutes.items():
        for run in _runs(own_minutes, {m: again.get((thing, m), [0, 0, 0]) for m in own_minutes}):
            found.setdefault(thing[0], set()).update(run)
            size += sum(again[thing, minute][2] for minute in run)
    return Twice(found, size)


def _things(result: Result, names: Sequence[str], action: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yields of each row the first of the names that it has, and the action."""
    columns = [result[name] for name in names]
    actions: Iterable[str | None] = result[action[0]] if action else itertools.repeat("")
    for own, done in zip(zip(*columns), actions):
        yield next((name for name in own if name), ""), done or ""


def _runs(minutes: Mapping[int, int], again: Mapping[int, Sequence[int]]) -> Iterator[list[int]]:
    """Yields minutes with records that follow each other, in each of which most records are there more than once."""
    for most, run in itertools.groupby(sorted(minutes), key=lambda m: again[m][0] > _SHARE * minutes[m]):
        own = list(run)
        if most and sum(again[m][1] for m in own) >= _LEAST:
            yield own
