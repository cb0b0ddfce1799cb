"""Sample records of findings: the lines of the logs that a finding rests on, with their places."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import ipaddress
import warnings
from collections.abc import Iterator
from typing import Any

from .._display import instant, printable
from .._words import count
from ..errors import DataQualityWarning, VpcflowError
from ..query.flows import Flows
from ..query.result import Result
from ..query.scan import query
from .finding import Finding
from .membership import membership

# The real ends of a conversation come first, where the log has them; sessions go by them.
_FIELDS = (
    "pkt-srcaddr", "pkt-dstaddr", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start",
    "end", "action", "interface-id",
)  # fmt: skip


def with_samples(flows: Flows, findings: list[Finding], n: int) -> list[Finding]:
    """Adds to each finding whose actor is an address its first ``n`` records between actor and targets, in the order of
    the logs. One more pass over the logs, by one thread and in bounded memory, which ends when all have
    theirs; of streams, which can be read only once, there are none."""
    wanted = _Wanted(findings, n)
    for part in _between(flows, findings):
        # Most of these records are of no finding, or of one that has its samples: only the ends are looked at.
        sources, targets = _ends(part, "pkt_srcaddr", "srcaddr"), _ends(part, "pkt_dstaddr", "dstaddr")
        for at, ends in enumerate(zip(sources, targets)):
            if numbers := wanted.by(ends):
                (row,) = part._table.rows(at, 1)
                wanted.take(numbers, row)
        if wanted.missing == 0:
            break
    return [dataclasses.replace(f, samples=own) for f, own in zip(findings, wanted.samples)]


class _Wanted:
    """What samples are still to be found."""

    def __init__(self, findings: list[Finding], n: int) -> None:
        self.samples: list[list[dict[str, Any]]] = [[] for _ in findings]
        self.missing = len(findings)
        self._findings, self._n = findings, n
        self._pairs: dict[tuple[str, str], set[int]] = {}  # by ends in both directions
        self._alone: dict[str, set[int]] = {}  # by actor, of findings without targets
        for number, finding in enumerate(findings):
            for target in finding.targets:
                self._pairs.setdefault((finding.actor, target), set()).add(number)
                self._pairs.setdefault((target, finding.actor), set()).add(number)
            if not finding.targets:
                self._alone.setdefault(finding.actor, set()).add(number)

    def by(self, ends: tuple[str, str]) -> set[int]:
        """Returns the findings that want records between these ends."""
        numbers = self._pairs.get(ends, set())
        return numbers.union(*(self._alone.get(end, ()) for end in ends)) if self._alone else numbers

    def take(self, numbers: set[int], row: dict[str, Any]) -> None:
        """Gives a record to those of the findings that it belongs to."""
        for number in sorted(numbers):
            finding = self._findings[number]
            port, protocol = finding.evidence.get("dstport"), finding.evidence.get("protocol")
            if not finding.start <= (row["start"] or 0) <= finding.end:
                continue
            if port is not None and port not in (row["srcport"], row["dstport"]):
                continue
            if protocol is not None and protocol != row["protocol"]:
                continue
            self.samples[number].append({name: value for name, value in row.items() if value is not None})
            if len(self.samples[number]) == self._n:
                self.missing -= 1
                for target in finding.targets:
                    self._pairs[finding.actor, target].discard(number)
                    self._pairs[target, finding.actor].discard(number)
                self._alone.get(finding.actor, set()).discard(number)


def as_line(sample: dict[str, Any], zone: datetime.tzinfo | None = None) -> str:
    """Formats a sample record as a line for people, with its time in UTC or in a zone."""
    ends = []
    for address, port in (("srcaddr", "srcport"), ("dstaddr", "dstport")):
        ends.append(sample.get(address, "-") + (f" port {sample[port]}" if port in sample else ""))
    utc = " UTC" if zone is None else ""
    parts = [f"{instant(sample['start'], zone)}{utc}  {' to '.join(ends)}"]
    parts += [sample["action"]] if "action" in sample else []
    parts += [count(sample[name], name[:-1]) for name in ("packets", "bytes") if name in sample]
    at = f" at {sample['offset']:,}" if "offset" in sample else ""
    return printable(f"{', '.join(parts)}  ({sample['file']}{at})")


def is_address(text: str) -> bool:
    """Returns whether a text is an IP address: actors of rules can be anything."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _ends(part: Result, real: str, logged: str) -> list[str]:
    """Returns one end of each record: the packet's own, where the log has it."""
    return [a or b for a, b in zip(part[real], part[logged])]


def _between(flows: Flows, findings: list[Finding]) -> Iterator[Result]:
    """Yields the records that may belong to one of the findings."""
    found = [f for f in findings if is_address(f.actor) and all(map(is_address, f.targets))]
    alone = {f.actor for f in found if not f.targets}
    actors = {f.actor for f in found if f.targets}
    others = {target for f in found for target in f.targets}
    own = query(allow_missing=True)
    parts = []
    for source, target in (("srcaddr", "dstaddr"), ("pkt-srcaddr", "pkt-dstaddr")):
        is_one: dict[tuple[str, str], str] = {}
        for what, addresses in (("actor", actors), ("other", others), ("alone", alone)):
            for end in (source, target):
                own, is_one[what, end] = membership(own, f"{what}_{end}", end, addresses)
        if actors:
            parts.append(f"({is_one['actor', source]} and {is_one['other', target]})")
            parts.append(f"({is_one['other', source]} and {is_one['actor', target]})")
        if alone:
            parts.append(f"({is_one['alone', source]} or {is_one['alone', target]})")
    if not parts:
        return
    records = own.filter(" or ".join(parts)).select(*_FIELDS).located().bind(flows)
    with warnings.catch_warnings(), contextlib.suppress(VpcflowError):
        warnings.simplefilter("ignore", DataQualityWarning)
        yield from records.batches(4096)
