"""What is kept from the logs of a world, and what of its bill no log can show."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

from . import logs
from .bill import Use
from .logs import Seen
from .talks import Charge
from .traffic import Stage
from .world import Interface, Vpc

#: What can be kept from the logs, or be odd about the bill, each with its meaning.
GAPS = {
    "skipdata": "5 % of the windows of interfaces are SKIPDATA",
    "vpc_not_logged": "one VPC has no flow log",
    "base_1e9": "the bill counts a GB as 10^9 bytes",
    "one_side": "of each VPC, only the subnets of its first zone have a flow log",
    "hours_missing": "the logs of some hours are not there",
    "overlap": "a subnet has a flow log of its own besides that of its VPC: its records are there twice",
    "not_visible": "the bill has traffic of services whose interfaces are not logged",
}


class Kept:
    """The logs that are there: which interfaces have which flow logs, and which windows of them are missing.

    ``hit``: what each gap hit.
    """

    def __init__(
        self, stage: Stage, gaps: Sequence[str], start: int, hours: int, *, window: int, names: list[str], version: int,
    ) -> None:  # fmt: skip
        self.stage, self.start, self.hours, self.window = stage, start, hours, window
        self.names, self.version = names, version
        self.hit: dict[str, Any] = {}
        self._rng = random.Random(f"gaps {stage.world.rng.random()}")
        self._skipping = "skipdata" in gaps
        self._unlogged: Vpc | None = stage.data if "vpc_not_logged" in gaps else None
        self._silent: set[str] = set()  # subnets
        self._missing: set[int] = set()  # hours
        if self._unlogged is not None:
            self.hit["vpc_not_logged"] = self._unlogged.id
        if "one_side" in gaps:
            held = [(one, where, vpc.region) for vpc in stage.vpcs for where, one in vpc.subnets.items()]
            self._silent = {one["SubnetId"] for one, (zone, _), region in held if zone != region.zones[0]}
            self.hit["one_side"] = sorted(self._silent)
        if "hours_missing" in gaps:
            self._missing = set(self._rng.sample(range(hours), max(1, hours // 6)))
            self.hit["hours_missing"] = sorted(start + 3600 * hour for hour in self._missing)
        self._flow_logs: dict[str, str] = {}  # by resource
        self._describe(stage.private["app"][0].subnet if "overlap" in gaps else None)

    def _describe(self, twice: str | None) -> None:
        """Makes the flow logs; a subnet has one of its own besides that of its VPC."""
        for vpc in self.stage.vpcs:
            if vpc is self._unlogged:
                continue
            subnets = [s["SubnetId"] for s in vpc.subnets.values() if s["SubnetId"] not in self._silent]
            resources = subnets if self._silent else [vpc.id]
            if twice and vpc is self.stage.app:
                resources = [*resources, twice]
                self.hit["overlap"] = twice
            for resource in resources:
                self._flow_logs[resource] = self.stage.world.id("fl")
                self.stage.world.put(vpc, "FlowLogs", {
                    "FlowLogId": self._flow_logs[resource], "ResourceId": resource, "TrafficType": "ALL",
                    "FlowLogStatus": "ACTIVE", "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::flow-logs",
                    "MaxAggregationInterval": self.window, "DeliverLogsStatus": "SUCCESS",
                    "CreationTime": "2026-01-01T00:00:00.000Z",
                    "LogFormat": " ".join(f"${{{name}}}" for name in self.names),
                })  # fmt: skip

    def _flow_logs_of(self, one: Interface) -> list[str]:
        if self._silent and one.subnet is None:  # of a regional NAT gateway, in the log of a subnet that has one
            return [self._flow_logs[one.vpc.subnets[one.region.zones[0], True]["SubnetId"]]]
        return [self._flow_logs[own] for own in (one.vpc.id, one.subnet) if own in self._flow_logs]

    def files(self, play: Iterable[Seen]) -> dict[str, tuple[bytes, bytes]]:
        """Returns the files of the logs by name, each with its truth."""
        rows: dict[str, list[tuple[int, str, str]]] = {}
        heard: set[tuple[str, int]] = set()
        skipped: dict[tuple[str, int], Interface | None] = {}
        for seen in play:
            one, hour = seen.leg.interface, min((seen.end - self.start) // 3600, self.hours - 1)
            if one.vpc is self._unlogged or one.subnet in self._silent or hour in self._missing:
                continue
            heard.add((one.id, hour))
            if self._skipping:
                window = (one.id + one.vpc.id, seen.start // self.window)
                if skipped.setdefault(window, one if self._rng.random() < 0.05 else None):
                    continue
            row = (seen.end, logs.line(seen, self.names, self.version), logs.truth(seen))
            for flow_log in self._flow_logs_of(one):
                rows.setdefault(f"{flow_log}-{hour:03d}", []).append(row)
        for (_, number), lost in skipped.items():
            if lost is not None:
                self._skip(rows, lost, number * self.window)
        self._without_data(rows, heard)
        return {name: self._file(own) for name, own in sorted(rows.items())}

    def _without_data(self, rows: dict[str, list[tuple[int, str, str]]], heard: set[tuple[str, int]]) -> None:
        """Adds a record of a window without data for each interface and hour that has no other one."""
        for one in self.stage.world.interfaces:
            for hour in range(self.hours):
                known = (one.id, hour) in heard or one.subnet is None
                if known or one.vpc is self._unlogged or one.subnet in self._silent or hour in self._missing:
                    continue
                start = self.start + 3600 * hour
                self._add_status(rows, one, start, "NODATA")

    def _skip(self, rows: dict[str, list[tuple[int, str, str]]], one: Interface, start: int) -> None:
        self.hit["skipdata"] = self.hit.get("skipdata", 0) + 1
        self._add_status(rows, one, start, "SKIPDATA")

    def _add_status(self, rows: dict[str, list[tuple[int, str, str]]], one: Interface, start: int, status: str) -> None:
        end = start + self.window - 1
        text = logs.status_line(one, start, end, status, self.names, self.version)
        hour = min((end - self.start) // 3600, self.hours - 1)
        for flow_log in self._flow_logs_of(one):
            rows.setdefault(f"{flow_log}-{hour:03d}", []).append((end, text, logs.truth(None)))

    def _file(self, rows: list[tuple[int, str, str]]) -> tuple[bytes, bytes]:
        rows.sort(key=lambda row: row[:2])
        text = [" ".join(self.names), *(text for _, text, _ in rows), ""]
        truth = ["\t".join(logs.TRUTH), *(truth for _, _, truth in rows), ""]
        return "\n".join(text).encode(), "\n".join(truth).encode()


def add_hidden(stage: Stage, use: Use) -> list[str]:
    """Adds the use of a database's replicas and of load balancers, whose interfaces no flow log shows; returns the
    classes that have it."""
    own, region = stage.app.account, stage.app.region.name
    total = sum(size for (_, other), size in use.items() if other.price == "cross_az" and other.region == region)
    hour = min(hour for hour, _ in use)
    for operation, product in (("InterZone-In", "AmazonRDS"), ("LoadBalancing-InterZone-Out", "AWSELB")):
        resource = f"arn:aws:{product.lower()}:{region}:{own}:hidden"
        charge = Charge(own, region, "cross_az", "DataTransfer-Regional-Bytes", operation, product, resource)
        use[hour, charge] = total // 2
    return ["cross_az"]
