"""Hunts: on which days indicators were seen, out of digests, and the records of those days."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import _core
from .._display import instant
from .._units import unix_seconds
from .._words import count
from ..detect.threat_lists import addresses_of
from ..errors import NoRecordsError, PlanError
from ..query.arguments import several
from ..query.flows import Flows
from ..query.result import Result
from ..typing import Instant
from .building import label_of, size_of
from .day import Object, bits, date_of
from .folder import Digests
from .keys import Network, network_of, range_of, text_of
from .stored import Stored
from .tables import ACCEPTED, REJECTED, Pairs

if TYPE_CHECKING:
    from .keys import Keys
    from .tables import Column

_PEERS = 20  # that a sighting names
_ADDRESS = re.compile(r"[0-9./]+|[0-9a-fA-F.:/]*:[0-9a-fA-F.:/]*")  # what is meant as an address
_PORT = re.compile(r"([0-9.]+|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}")
_CALL = "hunt('indicators.txt', 'digests/')"
_FIELDS = ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr")


@dataclasses.dataclass(frozen=True)
class Sighting:
    """What the digests say of one indicator."""

    indicator: str
    seen: bool
    first: int | None  # Unix seconds: the least start, the greatest end
    last: int | None
    days_seen: int
    days_covered: int  # that have a digest, of those asked
    days_asked: int
    days: list[str]  # on which it was seen
    hours_seen: int  # how many hours of those days have a record of it
    addresses: int  # of a prefix, how many of it
    accepted: bool | None  # false: all of its records were rejected; null: not seen, or the logs lack the action
    peers: list[str]  # the first twenty by address
    peer_count: int

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        return dataclasses.asdict(self)

    @property
    def sentence(self) -> str:
        """Says what was seen, and of what."""
        if not self.seen:
            return f"not seen on {self.days_covered:,} of {self.days_covered:,} days covered"
        how = {True: "", False: ", rejected only", None: ", with unknown action"}[self.accepted]
        return (
            f"seen on {self.days_seen:,} of {count(self.days_covered, 'day')} covered, {instant(self.first)} to "
            f"{instant(self.last)} UTC, with {count(self.peer_count, 'peer')}{how}"
        )


class Hunt(Sequence[Sighting]):
    """What digests say of indicators, in the order of the indicators. Never changed.

    ``days_asked``, ``days_covered``; ``missing``: the days asked that have no digest; ``notes``: why counts are floors,
    and which lines were no addresses; ``bytes``: how much of the digests was read."""

    def __init__(
        self, sightings: list[Sighting], missing: list[datetime.date], notes: list[str], read: int,
        objects: Mapping[tuple[str, str], Object],
    ) -> None:  # fmt: skip
        self._sightings = sightings
        self.missing, self.notes, self.bytes = missing, notes, read
        self.objects = objects  # of the days and hours in which one was seen
        self.days_covered = sightings[0].days_covered
        self.days_asked = sightings[0].days_asked

    def __len__(self) -> int:
        return len(self._sightings)

    def __getitem__(self, number: Any) -> Any:
        return self._sightings[number]

    def __iter__(self) -> Iterator[Sighting]:
        return iter(self._sightings)

    @property
    def seen(self) -> list[Sighting]:
        """Returns those that were seen."""
        return [one for one in self._sightings if one.seen]

    def conclusion(self) -> str:
        """Returns what was found, of what, and what was asked in vain."""
        days = count(self.days_covered, "day")
        first = f"{len(self.seen):,} of {count(len(self), 'indicator')} seen on {days} covered"
        others = len(self) - len(self.seen)
        if others:
            first += f"; {others:,} not seen on any of them"
        if self.missing:
            first += f"; {count(len(self.missing), 'day')} asked without digest: {_spans(self.missing)}"
        return first

    def records(self, flows: Flows) -> Result:
        """Returns the records of what was seen, with ``file`` and ``offset``. Of the logs only the objects are opened
        that the digests name for days and hours in which something was seen.

        :class:`~vpcflow.NoRecordsError` if none of them is among the logs; an empty table if nothing was seen."""
        if not self.seen:
            return flows.located().limit(0).collect()
        chosen = self.objects_in(flows)
        if not chosen:
            raise NoRecordsError(
                f"hunt: none of {count(len(self.objects), 'object')} of the days seen is among "
                f"{count(len(flows._sources), 'object')} of the logs; the first is {_first(self.objects)}"
            )
        listed = ", ".join(repr(one.indicator) for one in self.seen)
        condition = " or ".join(f"{field} in ({listed})" for field in _FIELDS)
        own = dataclasses.replace(flows._logs, sources=chosen, _peeked={})
        query = Flows(own, flows._spec, flows._filters).filter(condition).located()._with(allow_missing=True)
        return query.collect()

    def objects_in(self, flows: Flows) -> list[_core.Source]:
        """Returns the sources of logs that :meth:`records` opens: by the last part of their names, and by their size
        where that is known, so that a copy of a bucket will do."""
        sizes: dict[str, set[int]] = {}
        for one in self.objects.values():
            sizes.setdefault(os.path.basename(one.name), set()).add(one.size)
        out = []
        for source in flows._sources:
            own, size = sizes.get(os.path.basename(label_of(source)), set()), size_of(source)
            if own and (not size or size in own or 0 in own):
                out.append(source)
        return out


def hunt(
    indicators: Sequence[str] | str, digests: str | os.PathLike[str] | Digests, *, start: Instant | None = None,
    end: Instant | None = None, column: str | None = None,
) -> Hunt:  # fmt: skip
    """Looks indicators up in digests of :func:`vpcflow.digest.build`.

    ``indicators``: addresses and prefixes, one or several, or the path of a file: one a line, CSV (``column``: which,
    else one named as addresses are), a STIX bundle, an export of MISP. What is no address (names, hashes) is counted in
    ``notes``; what looks like one and is none, as 10.0.0.300, is a :class:`~vpcflow.PlanError`. ``start``, ``end``: the
    days asked, by default from the first digest to the last.

    An address is seen on the days of records that have it as one of their ends or of their packets' ends. O(i log a) a
    day for i indicators and a addresses.

    :class:`~vpcflow.NoRecordsError` if no day asked has a digest, :class:`~vpcflow.StateError` for a damaged one.

    >>> import tempfile, vpcflow as vf
    >>> folder = tempfile.mkdtemp()
    >>> log = b"srcaddr dstaddr start end action\\n10.0.0.1 198.51.100.7 1700000000 1700000060 REJECT\\n"
    >>> _ = vf.digest.build(vf.scan(log), folder)
    >>> print(vf.hunt(["198.51.100.7"], folder)[0].sentence)
    seen on 1 of 1 day covered, 2023-11-14 22:13:20 to 2023-11-14 22:14:20 UTC, with 1 peer, rejected only
    """
    wanted, notes = _indicators(indicators, column)
    own = digests if isinstance(digests, Digests) else Digests(digests)
    asked = _asked(own, start, end)
    days = [date for date in own.days if asked[0] <= date <= asked[1]]
    length = (asked[1] - asked[0]).days + 1
    if not days:
        raise NoRecordsError(
            f"hunt: no digest of {count(length, 'day')} from {asked[0]} to {asked[1]}; {own.folder} has "
            f"{own.days[0]} to {own.days[-1]}"
        )
    found = [_Found() for _ in wanted]
    search = _Search(wanted, found)
    read, floors, objects = 0, _Floors(), {}
    for date in days:
        stored = own.open(date)
        objects.update(search.day(stored))
        floors.add(stored)
        read += stored.size
    covered = set(days)
    missing = [day for day in (asked[0] + datetime.timedelta(n) for n in range(length)) if day not in covered]
    sightings = [one.sighting(text, len(days), length) for one, text in zip(found, wanted)]
    return Hunt(sightings, missing, [*notes, *floors.notes()], read, objects)


def _asked(digests: Digests, start: Instant | None, end: Instant | None) -> tuple[datetime.date, datetime.date]:
    begin, until = unix_seconds("start", start), unix_seconds("end", end)
    first = digests.days[0] if begin is None else date_of(begin)
    last = digests.days[-1] if until is None else date_of(max(until - 1, 0))
    if last < first and begin is not None and until is not None:
        raise PlanError(f"hunt: start={start!r} is not before end={end!r}")
    if last < first and until is not None:
        raise NoRecordsError(f"hunt: no digest before end={end!r}; {digests.folder} begins with {first}")
    return first, max(first, last)


def _indicators(given: Sequence[str] | str, column: str | None) -> tuple[dict[str, Network], list[str]]:
    """Returns the networks of indicators by their text, and what is to be said of the others."""
    if isinstance(given, str) and _ADDRESS.fullmatch(given) and not os.path.exists(given):
        given = [given]  # an address instead of a file
    if not isinstance(given, str):
        given = [str(one) for one in several(given, "indicators", _CALL)]
    words, _ = addresses_of(given, column=column, what="hunt: indicators")
    out: dict[str, Network] = {}
    others, ports = [], 0
    for word in words:
        text = word.replace("[.]", ".").replace("[:]", ":")  # as analysts write them, so that nobody clicks
        with_port = _PORT.fullmatch(text)
        ports += with_port is not None
        text = with_port[1].strip("[]") if with_port else text
        if _ADDRESS.fullmatch(text):
            network = network_of(text)
            out[str(network.network_address if network.prefixlen == network.max_prefixlen else network)] = network
        else:
            others.append(word)
    if not out:
        shown = f": {others[0]!r} is none" if others else ""
        among = count(len(words), "indicator")
        raise PlanError(f"hunt: no address among {among}{shown}; expected addresses or prefixes")
    notes = []
    if others:
        notes.append(f"{count(len(others), 'indicator')} left out, as they are no addresses: {', '.join(others[:3])}")
    if ports:
        notes.append(f"the ports of {count(ports, 'indicator')} are not looked at: digests are of addresses")
    return out, notes


def _first(objects: Mapping[tuple[str, str], Object]) -> str:
    return min(one.name for one in objects.values())


class _Found:
    """What the days say of one indicator, so far."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.last: int | None = None
        self.days: list[str] = []
        self.roles = 0
        self.hours = 0
        self.addresses: list[Keys] = []
        self.peers: list[Keys] = []

    def sighting(self, indicator: str, covered: int, asked: int) -> Sighting:
        addresses, peers = (_different(of) for of in (self.addresses, self.peers))
        accepted = True if self.roles & ACCEPTED else False if self.roles & REJECTED else None
        return Sighting(
            indicator, bool(self.days), self.first, self.last, len(self.days), covered, asked, self.days,
            self.hours, len(addresses), accepted, _texts(peers), len(peers),
        )  # fmt: skip


def _different(parts: list[Keys]) -> Any:
    import numpy as np

    return np.unique(np.concatenate(parts)) if parts else np.empty(0, "S17")


def _texts(keys: Any) -> list[str]:
    return [text_of(bytes(key)) for key in keys[:_PEERS]]


class _Search:
    """The search of all indicators in one day after the other."""

    def __init__(self, wanted: Mapping[str, Network], found: list[_Found]) -> None:
        import numpy as np

        ranges = [range_of(network) for network in wanted.values()]
        self._low = np.array([one.low for one in ranges], "S17")
        self._high = np.array([one.high for one in ranges], "S17")
        order = np.argsort(self._low, kind="stable")
        # Ranges that overlap as one: where each begins and ends, and which an indicator is in.
        reach = np.array(list(itertools.accumulate(self._high[order].tolist(), max)), "S17")
        fresh = np.append(True, self._low[order][1:] > reach[:-1])
        self._begins = self._low[order][fresh]
        self._ends = reach[np.append(np.flatnonzero(fresh)[1:] - 1, len(reach) - 1)]
        self._part = np.empty(len(order), "i8")
        self._part[order] = np.cumsum(fresh) - 1
        self._found = found

    def day(self, stored: Stored) -> dict[tuple[str, str], Object]:
        """Looks at a day, and returns its objects that have records of the time in which something was seen."""
        import numpy as np

        keys = stored.keys()
        hits, begins, ends = self._hits(keys)
        if not len(hits):
            return {}
        addresses = stored.addresses(keys)
        links = _Links(stored.pairs())
        midnight = int(np.datetime64(stored.date, "s").astype("i8"))
        first, last = 2**63, -1
        for hit, begin, end in zip(hits, begins, ends):
            part = slice(int(begin), int(end))
            own = self._found[hit]
            span = (midnight + int(addresses.first[part].min()), midnight + int(addresses.last[part].max()))
            own.first = span[0] if own.first is None else min(own.first, span[0])
            own.last = span[1] if own.last is None else max(own.last, span[1])
            own.roles |= int(np.bitwise_or.reduce(addresses.roles[part]))
            own.hours += bits(int(np.bitwise_or.reduce(addresses.hours[part])))
            own.days.append(stored.date.isoformat())
            own.addresses.append(keys[part])
            own.peers.append(keys[links.of(part)])
            first, last = min(first, span[0]), max(last, span[1])
        return {key: one for key, one in stored.objects.items() if one.first <= last and one.last >= first}

    def _hits(self, keys: Keys) -> tuple[Column, Column, Column]:
        """Returns the indicators that some keys are of, and from where to where those stand."""
        import numpy as np

        some = np.arange(len(self._low))
        if len(some) > len(keys) // 8:  # it is quicker to look the keys up among the indicators
            place = np.searchsorted(self._begins, keys, "right") - 1
            inside = (place >= 0) & (keys <= self._ends[place])
            touched = np.zeros(len(self._begins), bool)
            touched[place[inside]] = True
            some = np.flatnonzero(touched[self._part])
        begins = np.searchsorted(keys, self._low[some], "left")
        ends = np.searchsorted(keys, self._high[some], "right")
        found = ends > begins
        return some[found], begins[found], ends[found]


class _Links:
    """The pairs of a day, found by either end."""

    def __init__(self, pairs: Pairs) -> None:
        import numpy as np

        self._pairs = pairs
        self._order = np.argsort(pairs.high, kind="stable")
        self._high = pairs.high[self._order]

    def of(self, part: slice) -> Column:
        """Returns the places of the peers of a range of addresses."""
        import numpy as np

        begin, end = np.searchsorted(self._pairs.low, [part.start, part.stop])
        other_begin, other_end = np.searchsorted(self._high, [part.start, part.stop])
        above = self._pairs.high[begin:end]
        below = self._pairs.low[self._order[other_begin:other_end]]
        return np.unique(np.concatenate([above, below]))


class _Floors:
    """Why what digests count are floors."""

    def __init__(self) -> None:
        self.rejected: dict[str, int] = {}
        self.damaged: set[str] = set()
        self.hours = 0

    def add(self, stored: Stored) -> None:
        """Takes in what the head of a digest says."""
        for one in stored.objects.values():
            if one.rejected:
                self.rejected[one.identity] = one.rejected
            if one.damaged:
                self.damaged.add(one.name)
        self.hours += sum(bits(hours.skipped) for hours in stored.interfaces.values())

    def notes(self) -> list[str]:
        """Says them, a line each."""
        out = []
        if self.damaged:
            out.append(f"{count(len(self.damaged), 'object')} could not be read to the end: {min(self.damaged)}")
        if self.rejected:
            lines = count(sum(self.rejected.values()), "line")
            out.append(f"{lines} of {count(len(self.rejected), 'object')} were rejected, and are in no digest")
        if self.hours:
            out.append(f"SKIPDATA in {count(self.hours, 'hour')} of interfaces: records were lost there")
        return out


def _spans(days: list[datetime.date]) -> str:
    """Names days, those that follow each other as one: at most five."""
    spans: list[list[datetime.date]] = []
    for day in days:
        if spans and (day - spans[-1][1]).days == 1:
            spans[-1][1] = day
        else:
            spans.append([day, day])
    texts = [str(a) if a == b else f"{a} to {b}" for a, b in spans[:5]]
    return ", ".join(texts) + (f" and {len(spans) - 5:,} more spans" if len(spans) > 5 else "")


def peers_before(digests: Digests, address: str, date: datetime.date) -> set[str]:
    """Returns the peers that an address had on the days before one, by digests."""
    found = [_Found()]
    search = _Search({address: network_of(address)}, found)
    for day in digests.days:
        if day < date:
            search.day(digests.open(day))
    return {text_of(bytes(key)) for key in _different(found[0].peers)}
