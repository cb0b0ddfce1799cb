"""The detectors once more, slow and obvious: as loops over sessions and as questions to the query engine. What the
engine's own detectors find is compared with what these find."""

from __future__ import annotations

import ipaddress

from vpcflow.findings.membership import membership
from vpcflow.labels import ip_ranges
from vpcflow.query import scan
from vpcflow.query.expr import first as first_of

from .base import bundled_s3
from .baseline import BaselineDetectors
from .by_rules import RuleDetectors
from .tries_by_hand import TryDetectors

__all__ = ["Run"]


class Run(TryDetectors, RuleDetectors, BaselineDetectors):
    """One detection: a method for each of DETECTORS."""

    def _aws_services(self, addresses: set[str]) -> dict[str, str]:
        """The AWS service of addresses, where the log tells, or AWS's list if it is given; else S3 by the list that
        comes with vpcflow."""
        services: dict[str, str] = {}
        self._ranges_of: dict[str, str] = {}
        told = self._flows is not None and any("${pkt-dst-aws-service}" in f for f in self._flows.formats)
        if not told and not self._settings.aws_ranges:
            s3, day = bundled_s3()
            self._ranges_of = {"aws_ranges_of": day}
            return {a: "S3" for a in addresses if any(ipaddress.ip_address(a) in prefix for prefix in s3)}
        if addresses and self._settings.aws_ranges:
            log = "dstaddr\n" + "\n".join(sorted(addresses)) + "\n"
            named = scan(log.encode()).label("service", "dstaddr", ip_ranges(self._settings.aws_ranges))
            services |= {row["dstaddr"]: row["service"] for row in named.filter("service is not null").collect()}
        if addresses and self._flows is not None and any("${pkt-dst-aws-service}" in f for f in self._flows.formats):
            flows, to_peers = membership(self._flows, "one_of_the_peers", "dstaddr", addresses)
            rows = flows.filter(to_peers).group_by("dstaddr").agg(s=first_of("pkt-dst-aws-service"))
            services |= {row["dstaddr"]: row["s"] for row in rows.collect() if row["s"]}
        return services
