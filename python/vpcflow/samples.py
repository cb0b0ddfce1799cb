"""Sample records of findings: the lines of the logs that a finding rests on, with their places."""

from __future__ import annotations

import contextlib
import dataclasses
import ipaddress
import warnings
from collections.abc import Iterator
from typing import Any

from .display import instant, printable
from .errors import DataQualityWarning, VpcflowError
from .findings import Finding
from .result import Result
from .scan import Flows

# The real ends of a conversation come first, where the log has them; sessions go by them.
_FIELDS = (
    "pkt-srcaddr", "pkt-dstaddr", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start",
    "end", "action", "interface-id",
)  # fmt: skip


def with_samples(flows: Flows, findings: list[Finding], n: int) -> list[Finding]:
    """The findings, each (if its actor is an address) with its first ``n`` records between actor and targets, in the
    order of the logs. One more pass over the logs, by one thread and in bounded memory, which ends when all have
    theirs; of streams, which can be read only once, there are none."""
    wanted: dict[str, list[int]] = {}  # by address: findings that it has a part in
    for number, finding in enumerate(findings):
        for address in [finding.actor, *finding.targets]:
            wanted.setdefault(address, []).append(number)
    samples: list[list[dict[str, Any]]] = [[] for _ in findings]
    missing = len(findings)
    for row in _between(flows, findings):
        ends = _ends(row)
        near = [set(wanted.get(end, ())) for end in ends]
        for number in sorted(near[0] | near[1]):
            finding, own = findings[number], samples[number]
            if len(own) < n and finding.start <= (row["start"] or 0) <= finding.end and _is_of(finding, row, ends):
                own.append({name: value for name, value in row.items() if value is not None})
                missing -= len(own) == n
        if missing == 0:
            break
    return [dataclasses.replace(f, samples=own) for f, own in zip(findings, samples)]


def as_line(sample: dict[str, Any]) -> str:
    """A sample record as a line for people."""
    ends = []
    for address, port in (("srcaddr", "srcport"), ("dstaddr", "dstport")):
        ends.append(sample.get(address, "-") + (f" port {sample[port]}" if port in sample else ""))
    parts = [f"{instant(sample['start'])}  {' to '.join(ends)}"]
    parts += [sample["action"]] if "action" in sample else []
    parts += [f"{sample[name]:,} {name}" for name in ("packets", "bytes") if name in sample]
    at = f" at {sample['offset']:,}" if "offset" in sample else ""
    return printable(f"{', '.join(parts)}  ({sample['file']}{at})")


def is_address(text: str) -> bool:
    """Whether a text is an IP address: actors of rules can be anything."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _ends(row: dict[str, Any]) -> tuple[str, str]:
    return (row["pkt_srcaddr"] or row["srcaddr"], row["pkt_dstaddr"] or row["dstaddr"])


def _is_of(finding: Finding, row: dict[str, Any], ends: tuple[str, str]) -> bool:
    if finding.actor not in ends:
        return False
    other = ends[1] if ends[0] == finding.actor else ends[0]
    port = finding.evidence.get("dstport")
    return (not finding.targets or other in finding.targets) and (
        port is None or port in (row["srcport"], row["dstport"])
    )


def _between(flows: Flows, findings: list[Finding]) -> Iterator[dict[str, Any]]:
    """The records that may be of one of the findings."""
    found = [f for f in findings if is_address(f.actor) and all(map(is_address, f.targets))]
    alone = sorted({f.actor for f in found if not f.targets})
    paired = sorted({a for f in found if f.targets for a in (f.actor, *f.targets)})
    parts = []
    for source, target in (("srcaddr", "dstaddr"), ("pkt-srcaddr", "pkt-dstaddr")):
        for listed, joined in ((paired, "and"), (alone, "or")):
            if listed:
                text = ", ".join(f"'{address}'" for address in listed)
                parts.append(f"({source} in ({text}) {joined} {target} in ({text}))")
    if not parts:
        return
    query = flows.filter(" or ".join(parts)).select(*_FIELDS).located()._with(allow_missing=True)
    with warnings.catch_warnings(), contextlib.suppress(VpcflowError):
        warnings.simplefilter("ignore", DataQualityWarning)
        for part in _parts(query):
            yield from part


def _parts(query: Flows) -> Iterator[Result]:
    if query._table is None:
        yield from query.batches(4096)
    else:
        yield query.collect()
