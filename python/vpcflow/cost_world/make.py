"""Makes a world with a bill: logs, truth, documents, prices and the bill in a folder."""

from __future__ import annotations

import dataclasses
import gzip
import json
import os
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from .._hints import hint
from ..errors import SynthError
from ..faults.writing import fields_of_format
from ..io.writing import folder_in_place, write_whole
from . import bill, logs, traffic
from .gaps import GAPS, Kept, add_hidden
from .logs import Seen
from .talks import Way
from .world import RANGES, World

#: When the logs begin, unless told: 2026-11-02T00:00:00Z.
START = 1_793_577_600
_CALLS = {
    "Vpcs": "describe-vpcs", "Subnets": "describe-subnets", "RouteTables": "describe-route-tables",
    "NetworkInterfaces": "describe-network-interfaces", "NatGateways": "describe-nat-gateways",
    "VpcEndpoints": "describe-vpc-endpoints", "VpcPeeringConnections": "describe-vpc-peering-connections",
    "TransitGateways": "describe-transit-gateways", "PrefixLists": "describe-prefix-lists",
    "TransitGatewayVpcAttachments": "describe-transit-gateway-vpc-attachments", "Instances": "describe-instances",
    "FlowLogs": "describe-flow-logs",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class CostWorld:
    """What :func:`make_costs` wrote: figures, files below the folder, and what is true of all of it.

    ``labels``: ``start``, ``hours``, ``gaps`` (planted ones, with what they hit), ``bytes`` by path class, each counted
    once, and ``billed`` cost by price class.
    """

    records: int
    text_bytes: int
    files: list[str]
    labels: dict[str, Any]


def make_costs(
    out: str | os.PathLike[str], *, seed: int = 1, conversations: int = 400, hours: float = 6, start: int = START,
    format: str = "v11", window: int = 60, gaps: Sequence[str] = (), discount: Mapping[str, str] | None = None,
    month_to_date: Mapping[str, str] | None = None, only: Sequence[str] = (),
) -> CostWorld:  # fmt: skip
    """Writes a world to a folder; the same arguments give the same bytes.

    ``logs/``: a file an hour and flow log. ``truth/``: files of the same names, a line for each record, with the
    columns of :data:`logs.TRUTH`. ``inventory/``: answers of describe calls, and
    ``ip-ranges.json``. ``prices.json``; ``bill/cur.csv.gz``: a CUR 2.0; ``labels.json``.

    ``conversations``: how many; ``only``: of these kinds. ``gaps``: of :data:`GAPS`. ``discount``: what is paid of a
    list price, by class of the sheet. ``month_to_date``: what the payer used before, in GB, by class. Raises
    :class:`~vpcflow.SynthError` for what is not allowed, and :class:`~vpcflow.OutputError` for what cannot be written,
    and then leaves nothing behind.
    """
    if window not in (60, 600):
        raise SynthError(f"synth: window: {window}; the world of costs has AWS's 60 or 600 seconds")
    if hours < 1 or hours % 1 or start % 3600:
        raise SynthError(f"synth: {hours:g} hours from {start}; the world of costs takes whole hours")
    for gap in gaps:
        if gap not in GAPS:
            raise SynthError(f"synth: the world of costs has no gap {gap!r}; {hint(gap, list(GAPS))}")
    stage = traffic.build(seed)
    kinds = traffic.conversations(stage)
    for kind in only:
        if kind not in kinds:
            raise SynthError(f"synth: the world of costs has no conversation {kind!r}; {hint(kind, list(kinds))}")
    play = Play(stage.world, start, int(hours), window)
    chosen = list(only or kinds)
    for number in range(conversations):
        there, back = kinds[chosen[number % len(chosen)]]()
        play.add(there, back)
    return _write(out, stage, play, list(gaps), format, discount or {}, month_to_date or {})


class Play:
    """What interfaces saw, and what was used: by conversations that last minutes, each at an even rate."""

    def __init__(self, world: World, start: int, hours: int, window: int) -> None:
        self.world, self.start, self.hours, self.window = world, start, hours, window
        self.seen: list[Seen] = []
        self.use: bill.Use = {}

    def add(self, there: Way, back: Way | None) -> None:
        rng = self.world.rng
        refused = there.legs[0].action == "REJECT"
        seconds = 1 if refused else 60 * rng.randrange(1, 30) + rng.randrange(60)
        begin = self.start + rng.randrange(0, self.hours * 3600 - seconds)
        ports = (rng.randrange(32768, 61000), 443)
        rate = 44 if refused else round(10 ** rng.uniform(4, 7))  # bytes a second
        for way, order, own in (
            (there, ports, rate),
            (back, ports[::-1], max(40, round(rate * 10 ** rng.uniform(-1, 1)))),
        ):
            if way is not None:
                self._add(way, (order[0], order[1]), begin, seconds, own)

    def _add(self, way: Way, ports: tuple[int, int], begin: int, seconds: int, rate: int) -> None:
        for start, stop in logs.windows(begin, seconds, self.window):
            size = rate * (stop - start)
            end = max(stop - 1, start + 1)
            self.seen += [Seen(leg, ports, start, end, size, way.sides(leg)) for leg in way.legs]
        for start, stop in logs.windows(begin, seconds, 3600):
            for charge in way.charges:
                key = (start // 3600, charge)
                self.use[key] = self.use.get(key, 0) + rate * (stop - start)


def _write(
    out: str | os.PathLike[str], stage: traffic.Stage, play: Play, gaps: list[str], format: str,
    discount: Mapping[str, str], month_to_date: Mapping[str, str],
) -> CostWorld:  # fmt: skip
    names, version = fields_of_format(format)
    world = stage.world
    kept = Kept(stage, gaps, play.start, play.hours, window=play.window, names=names, version=version)
    files = kept.files(play.seen)
    hit = dict(kept.hit)
    size = sum(len(text) for text, _ in files.values())
    gb = 10**9 if "base_1e9" in gaps else 1 << 30
    use = dict(play.use)
    if "not_visible" in gaps:
        hit["not_visible"] = add_hidden(stage, use)
    lines = list(bill.bill_lines(
        world, use, play.start, play.hours, gb=gb, log_bytes=size,
        discount={kind: Decimal(share) for kind, share in discount.items()},
        month_to_date={kind: Decimal(amount) for kind, amount in month_to_date.items()},
    ))  # fmt: skip
    labels = _labels(play, gaps, hit, lines)
    written: dict[str, bytes] = {}
    for name, (text, truth) in files.items():
        written[f"logs/{name}.log"], written[f"truth/{name}.tsv"] = text, truth
    written.update(_documents(world))
    written["prices.json"] = _json(bill.sheet(1 << 30))
    written["bill/cur.csv.gz"] = gzip.compress(bill.csv_of(lines), mtime=0)
    written["labels.json"] = _json(labels)
    with folder_in_place(out) as place:
        for path, data in written.items():
            os.makedirs(os.path.dirname(os.path.join(place, path)), exist_ok=True)
            write_whole(os.path.join(place, path), data)
    return CostWorld(sum(text.count(b"\n") - 1 for text, _ in files.values()), size, list(written), labels)


def _labels(play: Play, gaps: list[str], hit: Mapping[str, Any], lines: list[dict[str, str]]) -> dict[str, Any]:
    counted: dict[str, int] = {}
    for seen in play.seen:
        if seen.leg.counted:
            counted[seen.leg.kind] = counted.get(seen.leg.kind, 0) + seen.bytes
    billed: dict[str, Decimal] = {}
    for line in lines:
        if line["line_item_line_item_type"] == "Usage":
            name = line["line_item_usage_type"]
            billed[name] = billed.get(name, Decimal(0)) + Decimal(line["line_item_unblended_cost"])
    return {
        "start": play.start, "hours": play.hours, "gaps": {gap: hit.get(gap, True) for gap in gaps},
        "bytes": dict(sorted(counted.items())), "billed": {name: str(cost) for name, cost in sorted(billed.items())},
    }  # fmt: skip


def _documents(world: World) -> dict[str, bytes]:
    out = {}
    for (account, region), kinds in world.documents.items():
        for kind, items in kinds.items():
            answer: Any = {kind: items}
            if kind == "Instances":
                answer = {
                    "Reservations": [
                        {"ReservationId": f"r-{one['InstanceId'][2:]}", "OwnerId": account, "Instances": [one]}
                        for one in items
                    ]
                }
            out[f"inventory/{account}/{region}/{_CALLS[kind]}.json"] = _json(answer)
    prefixes = [{"ip_prefix": p, "region": r, "service": s, "network_border_group": r} for p, r, s in RANGES]
    prefixes += [{**one, "service": "AMAZON"} for one in prefixes if one["service"] != "AMAZON"]
    out["inventory/ip-ranges.json"] = _json(
        {"syncToken": "1793577600", "createDate": "2026-11-02-00-00-00", "prefixes": prefixes, "ipv6_prefixes": []}
    )
    return out


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode()
