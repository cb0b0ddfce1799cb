"""Whose the bytes behind a NAT gateway are: its outside leg shows the gateway alone, its inside leg the workload."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from ..query.expr import col
from ..query.flows import Flows
from .way import PATH, Way

_ADDRESSES = ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr")


class Owners:
    """Shares of workloads' owners in what a NAT gateway sends to an address, and gets from it."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._by_remote: dict[tuple[str, str], dict[str | None, int]] = defaultdict(lambda: defaultdict(int))
        self._gateways: set[str] = set()
        for row in rows:
            way = Way.of(row[PATH])
            if way.kind != "nat" or row["pkt_srcaddr"] is None or row["pkt_dstaddr"] is None:
                continue
            out = row["pkt_dstaddr"] != row["dstaddr"]
            gateway, remote = (row["dstaddr"], row["pkt_dstaddr"]) if out else (row["srcaddr"], row["pkt_srcaddr"])
            self._gateways.add(gateway)
            self._by_remote[gateway, remote][way.owner or None] += row["bytes"] or 0

    def of(self, row: Mapping[str, Any]) -> dict[str | None, Decimal]:
        """Returns the shares of owners in an outside leg; all of it is nobody's where no inside leg tells."""
        src, dst = row["srcaddr"], row["dstaddr"]
        shares = self._by_remote.get((src, dst) if src in self._gateways else (dst, src), {})
        whole = sum(shares.values())
        return {owner: Decimal(count) / whole for owner, count in shares.items()} if whole else {None: Decimal(1)}


def rows_of_nats(labelled: Flows, fields: Sequence[str], every: str | None) -> list[dict[str, Any]]:
    """Returns the bytes of NAT gateways' legs by their addresses and some fields."""
    legs = labelled.filter(col(PATH).like("nat%"))
    keys = [PATH, *_ADDRESSES, *(name for name in fields if name not in _ADDRESSES)]
    return legs.group_by(*keys, every=every).agg(bytes="sum(bytes)").collect().rows()
