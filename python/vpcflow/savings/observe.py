"""Sums of logs that advice asks for: bytes by hour of gateways, endpoints and pairs."""

from __future__ import annotations

import bisect
import dataclasses
import ipaddress
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ..cost.flow_logs import logged
from ..errors import PriceError
from ..query.expr import count
from ..query.expr import sum as total
from ..query.flows import Flows
from .network import Nat, Network

HOUR = 3600
ByHour = dict[int, Decimal]
_LISTED = 500
_SERVICES = ("pkt_src_aws_service", "pkt_dst_aws_service", "pkt_srcaddr", "pkt_dstaddr")
#: Services that a gateway endpoint could serve.
SERVED = ("S3", "DYNAMODB")
NEEDED = ("interface_id", "srcaddr", "dstaddr", "bytes", "start")


@dataclasses.dataclass(frozen=True)
class Inside:
    """Bytes of an inside leg of a NAT gateway: of a workload, to or from a service of AWS at an address, if known."""

    nat: Nat
    workload: str
    service: str | None
    address: str | None
    hour: int
    bytes: int


class Ranges:
    """Regions of AWS's addresses, by its ip-ranges.json."""

    def __init__(self, path: Path | None) -> None:
        self._starts: list[int] = []
        self._held: list[tuple[int, str]] = []
        document = json.loads(path.read_text(encoding="utf-8")) if path is not None else {}
        if path is not None and not isinstance(document.get("prefixes"), list):
            raise PriceError(f"{path}: has no 'prefixes'; expected AWS's ip-ranges.json")
        rows = sorted(
            {(int(n.network_address), int(n.broadcast_address), str(p["region"])) for p in document.get("prefixes", [])
             for n in [ipaddress.ip_network(p["ip_prefix"])] if p.get("service") != "AMAZON"}
        )  # fmt: skip
        for first, last, region in rows:
            self._starts.append(first)
            self._held.append((last, region))

    def __bool__(self) -> bool:
        return bool(self._held)

    def region(self, address: str | None) -> str | None:
        """Returns the region of an address; ``None`` if it is not known."""
        if not address:
            return None
        number = int(ipaddress.ip_address(address))
        at = bisect.bisect_right(self._starts, number) - 1
        return self._held[at][1] if at >= 0 and number <= self._held[at][0] else None


class Observer:
    """Asks logs. Every answer is by hour; sums of a record that spans two hours are spread over them. What two flow
    logs tell is summed once."""

    def __init__(self, flows: Flows, network: Network) -> None:
        self.flows, self.network = flows, network
        self.columns = set(flows.columns)
        self._parts = [part.kept for part in logged(flows).parts]

    def hours(self) -> list[int]:
        """Returns the hours that have a record, with data or without; none if there is no traffic at all."""
        keys = ["log_status"] if "log_status" in self.columns else []
        rows = self.flows.group_by(*keys, every="1h").agg(bytes=total("bytes")).collect().rows()
        traffic = any(row["bytes"] for row in rows)
        return sorted({int(row["time"]) // HOUR for row in rows if row["time"] is not None}) if traffic else []

    def records(self) -> dict[str, int]:
        """Returns how many records of traffic interfaces have."""
        rows = self.flows.group_by("interface_id").agg(n=count()).collect().rows()
        return {str(row["interface_id"]): int(row["n"]) for row in rows}

    def recorded(self) -> tuple[set[str], set[str]]:
        """Returns the interfaces that have a record, with or without data, and their VPCs."""
        keys = [name for name in ("interface_id", "vpc_id", "resource_id", "log_status") if name in self.columns]
        rows = self.flows.group_by(*keys).agg(bytes=total("bytes")).collect().rows()
        names = {str(row[key]) for row in rows for key in ("interface_id", "resource_id") if row.get(key)}
        vpcs = {str(row["vpc_id"]) for row in rows if row.get("vpc_id")}
        vpcs |= {str(self.network.interfaces[name].get("VpcId")) for name in names if name in self.network.interfaces}
        return names, vpcs

    def inside(self, nats: Iterable[Nat]) -> list[Inside]:
        """Returns the bytes of inside legs, both directions."""
        services = set(_SERVICES) <= self.columns
        more = list(_SERVICES) if services else []
        out = []
        for nat in nats:
            prefixes = listed(self.network.prefixes(nat.vpc))
            if nat.interfaces:
                inside = f"srcaddr in ({prefixes}) and dstaddr in ({prefixes})"
                asked = f"interface_id in ({listed(nat.interfaces)}) and {inside}"
            elif "resource_id" in self.columns:
                asked = f"resource_id = '{nat.id}' and (srcaddr in ({prefixes}) or dstaddr in ({prefixes}))"
            else:
                continue
            out += self._inside_of(nat, asked, more)
        return out

    def _inside_of(self, nat: Nat, asked: str, more: list[str]) -> list[Inside]:
        """Sums by workload and service; addresses of services only where a gateway endpoint could serve them."""
        sums: list[Mapping[str, Any]] = []
        keys = ["srcaddr", "dstaddr"]
        if more:
            names = listed(SERVED)
            served = f"pkt_src_aws_service in ({names}) or pkt_dst_aws_service in ({names})"
            sums += self._sums([*keys, *more], asked, served)
            named = self._sums([*keys, *more[:2]], asked)
            sums += [row for row in named if not {row["pkt_src_aws_service"], row["pkt_dst_aws_service"]} & {*SERVED}]
        else:
            sums += self._sums(keys, asked)
        out = []
        for row in sums:
            back = row["srcaddr"] in nat.addresses
            workload = row["dstaddr"] if back else row["srcaddr"]
            service = row.get("pkt_src_aws_service") if back else row.get("pkt_dst_aws_service")
            address = row.get("pkt_srcaddr") if back else row.get("pkt_dstaddr")
            out.append(Inside(nat, str(workload), service, address, row["hour"], row["bytes"]))
        return out

    def by_interface(self, names: Iterable[str]) -> dict[str, ByHour]:
        """Returns the bytes that interfaces recorded, both directions."""
        out: dict[str, ByHour] = {}
        for part in parts(sorted(names)):
            for row in self._sums(["interface_id"], f"interface_id in ({listed(part)})"):
                _add(out.setdefault(str(row["interface_id"]), {}), row)
        return out

    def pairs(self, condition: str) -> list[Mapping[str, Any]]:
        """Returns the bytes between addresses, of records that pass, as each sender or else receiver recorded them."""
        return self._sums(["interface_id", "srcaddr", "dstaddr"], condition)

    def _sums(self, keys: list[str], *conditions: str) -> list[Mapping[str, Any]]:
        out: list[Mapping[str, Any]] = []
        for part in self._parts:
            rows = part.filter(*conditions).group_by(*keys, every="1h").agg(bytes=total("bytes")).collect().rows()
            out += [{**row, "hour": int(row["time"]) // HOUR, "bytes": int(row["bytes"] or 0)} for row in rows]
        return out


def _add(by_hour: ByHour, row: Mapping[str, Any]) -> None:
    by_hour[row["hour"]] = by_hour.get(row["hour"], Decimal(0)) + row["bytes"]


def listed(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def parts(values: list[str]) -> list[list[str]]:
    return [values[at : at + _LISTED] for at in range(0, len(values), _LISTED)]
