"""Sample records of findings: the lines of the logs that a finding rests on, with their places."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import ipaddress
import warnings
from collections.abc import Iterator
from typing import Any

from .. import _core
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
        for at in wanted.ends.rows(part._table, ("pkt_srcaddr", "srcaddr"), ("pkt_dstaddr", "dstaddr")):
            (row,) = part._table.rows(at, 1)
            wanted.take(row)
        if wanted.missing == 0:
            break
    return [dataclasses.replace(f, samples=own) for f, own in zip(findings, wanted.samples)]


class _Wanted:
    """What samples are still to be found."""

    def __init__(self, findings: list[Finding], n: int) -> None:
        self.samples: list[list[dict[str, Any]]] = [[] for _ in findings]
        self.missing = sum(map(_is_of_addresses, findings))
        #: The ends of records that are still wanted; the pairs of which some findings have their samples go.
        self.ends = _core.Ends()
        self._findings, self._n = findings, n
        self._pairs: dict[frozenset[str], set[int]] = {}  # by ends
        self._alone: dict[str, set[int]] = {}  # by actor, of findings without targets
        for number, finding in enumerate(findings):
            if not _is_of_addresses(finding):
                continue
            for target in finding.targets:
                self._pairs.setdefault(frozenset((finding.actor, target)), set()).add(number)
                self.ends.add(finding.actor, target)
            if not finding.targets:
                self._alone.setdefault(finding.actor, set()).add(number)
                self.ends.add_host(finding.actor)

    def take(self, row: dict[str, Any]) -> None:
        """Gives a record to those of the findings that it belongs to."""
        ends = (row["pkt_srcaddr"] or row["srcaddr"], row["pkt_dstaddr"] or row["dstaddr"])
        numbers = self._pairs.get(frozenset(ends), set()).union(*(self._alone.get(end, ()) for end in ends))
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
                self._close(number)

    def _close(self, number: int) -> None:
        """Looks for no more records of a finding."""
        self.missing -= 1
        actor = self._findings[number].actor
        for target in self._findings[number].targets:
            left = self._pairs[frozenset((actor, target))]
            left.discard(number)
            if not left:
                self.ends.remove(actor, target)
        alone = self._alone.get(actor, set())
        alone.discard(number)
        if not alone:
            self.ends.remove_host(actor)


def _is_of_addresses(finding: Finding) -> bool:
    return is_address(finding.actor) and all(map(is_address, finding.targets))


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


def _between(flows: Flows, findings: list[Finding]) -> Iterator[Result]:
    """Yields the records that may belong to one of the findings."""
    found = list(filter(_is_of_addresses, findings))
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
