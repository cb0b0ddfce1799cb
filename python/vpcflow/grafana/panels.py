"""The panels, as data: what each asks, of which every source makes its own query."""

from __future__ import annotations

import dataclasses
from typing import Literal

from .. import _core
from ..errors import FormatError
from ..formats.capabilities import capabilities

Kind = Literal["stat", "timeseries", "table", "nodeGraph", "state-timeline", "matrix"]
Measure = Literal["bytes", "records", "status"]
#: A field, a sign and a value; ``private`` and ``public`` are of addresses, and have none; ``differs`` has a field.
Test = tuple[str, Literal["=", "!=", "<", "private", "public", "differs"], str]


@dataclasses.dataclass(frozen=True)
class Ask:
    """A question to records: the largest groups by a measure, or the measure over time."""

    by: tuple[str, ...]
    measure: Measure = "bytes"
    where: tuple[Test, ...] = ()
    over_time: bool = False
    every_record: bool = False  # also those without data
    new: bool = False  # that were not in the time before
    n: int = 10


@dataclasses.dataclass(frozen=True)
class Panel:
    """A panel. ``ask``: for sources that hold records; ``path``: of :mod:`vpcflow.serve`; ``metric``: in PromQL, with
    ``legend``. ``analysis``: of :func:`vpcflow.capabilities`, without which the panel would not be true."""

    name: str
    title: str
    kind: Kind
    unit: str = "bytes"
    about: str = ""
    ask: Ask | None = None
    path: str = ""
    metric: str = ""
    legend: str = ""
    metric_unit: str = ""
    fields: tuple[str, ...] = ()
    analysis: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The fields that the logs must have."""
        if self.ask is None:
            return self.fields
        measure = {"bytes": ["bytes"], "records": [], "status": ["log-status"]}[self.ask.measure]
        times = ["start"] if self.ask.new or self.ask.measure == "status" else []
        own = (*self.ask.by, *(test[0] for test in self.ask.where), *measure, *times)
        return tuple(dict.fromkeys((*self.fields, *own)))


_REJECT: Test = ("action", "=", "REJECT")
_ACCEPT: Test = ("action", "!=", "REJECT")
_SERVED: Test = ("dstport", "<", "32768")
_RATE = "rate(%s[$__rate_interval])"


def _over_time(name: str, title: str, by: str, measure: Measure, *where: Test) -> Panel:
    metric = f"vpcflow_{measure}_total" + ('{action="REJECT"}' if _REJECT in where else "")
    label = {"action": "action", "flow-direction": "direction", "protocol": "protocol"}[by]
    part = "?by=direction" if by == "flow-direction" else f"?by={by}"
    return Panel(
        name, title, "timeseries", "bytes" if measure == "bytes" else "short", ask=Ask((by,), measure, where, True),
        path=f"series/{'rejected' if where else measure}{part}", metric=f"sum by ({label}) ({_RATE % metric})",
        legend=f"{{{{{label}}}}}", metric_unit="Bps" if measure == "bytes" else "cps",
    )  # fmt: skip


#: USD a GB: the public list's price of logs that CloudWatch takes in, us-east-1, first tier.
LOGS_PRICE = 0.5

PANELS: tuple[Panel, ...] = (
    Panel("coverage", "Minutes of interfaces with a record", "stat", "percentunit",
          "What is below 100 % was not seen: nothing can be said of it.", path="table/coverage?limit=20",
          metric="vpcflow_coverage_ratio", legend="seen", fields=("interface-id", "start", "end")),
    Panel("status", "Records by log status", "table", "short",
          "NODATA: nothing passed. SKIPDATA: records were lost, so that counts are a floor.",
          ask=Ask(("log-status",), "records", every_record=True), path="table/lines", metric="vpcflow_lines",
          legend="{{status}}"),
    Panel("findings_by_severity", "Findings by severity", "stat", "short", path="table/severities",
          metric="sum by (severity) (vpcflow_findings)", legend="{{severity}}",
          fields=("srcaddr", "dstaddr", "start", "end")),
    Panel("findings", "Findings", "table", "short", path="table/findings?limit=50",
          fields=("srcaddr", "dstaddr", "start", "end")),
    _over_time("bytes_by_action", "Bytes by action", "action", "bytes"),
    _over_time("rejected", "Rejected records", "action", "records", _REJECT),
    Panel("talkers", "Who sends most", "table", ask=Ask(("srcaddr",)), path="table/talkers?limit=10",
          metric="vpcflow_top_source_bytes", legend="rank {{rank}}"),
    Panel("receivers", "Who receives most", "table", ask=Ask(("dstaddr",)), path="table/receivers?limit=10",
          metric="vpcflow_top_target_bytes", legend="rank {{rank}}"),
    Panel("rejected_sources", "Sources with most rejects", "table", "short",
          ask=Ask(("srcaddr",), "records", (_REJECT,)), path="table/rejected_sources?limit=10",
          metric="vpcflow_top_rejected_source_records", legend="rank {{rank}}"),
    Panel("rejected_ports", "Ports with most rejects", "table", "short",
          ask=Ask(("dstport", "protocol"), "records", (_REJECT,)), path="table/rejected_ports?limit=10",
          metric='topk(10, sum by (service) (vpcflow_service_records_total{action="REJECT"}))', legend="{{service}}"),
    Panel("new_edges", "New: who had not reached this service before", "table",
          about="Against all that is older, or a week of it in Athena. The time of the page must begin after the logs.",
          ask=Ask(("srcaddr", "dstaddr", "dstport", "protocol"), "bytes", (_ACCEPT, _SERVED), new=True, n=20),
          path="table/new?limit=20"),
    Panel("outbound", "To outside, by target", "table",
          ask=Ask(("dstaddr",), "bytes", (("srcaddr", "private", ""), ("dstaddr", "public", "")))),
    Panel("inbound", "From outside, by source", "table",
          ask=Ask(("srcaddr",), "bytes", (("srcaddr", "public", ""), ("dstaddr", "private", "")))),
    Panel("services", "Services by accepted bytes", "table",
          ask=Ask(("dstport", "protocol"), "bytes", (_ACCEPT, _SERVED)), path="table/ports?limit=10",
          metric='topk(10, sum by (service) (vpcflow_service_bytes_total{action!="REJECT"}))', legend="{{service}}"),
    Panel("aws_services", "AWS services by bytes", "table", ask=Ask(("pkt-dst-aws-service",))),
    Panel("cost", "Cost by path", "table", "currencyUSD",
          "Of all the logs, by the inventory and prices that vpcflow serve was given.", path="table/cost",
          fields=("srcaddr", "dstaddr", "bytes")),
    Panel("paths", "Bytes by path out", "table", about="traffic-path: 1 VPC, 2 internet gateway, 8 internet ...",
          ask=Ask(("traffic-path",), "bytes", (("flow-direction", "=", "egress"),))),
    Panel("zone_matrix", "Bytes from zone (left) to zone (top)", "matrix", path="table/zones?limit=1000",
          about="Zones of the controls that vpcflow serve was given; private and outside without.",
          fields=("srcaddr", "dstaddr", "bytes")),
    Panel("graph", "Who talks with whom", "nodeGraph", path="nodes?limit=200", fields=("srcaddr", "dstaddr", "bytes"),
          about="At most 200 addresses; the smallest are one node, other."),
    Panel("interface_status", "Status of interfaces", "state-timeline", "short",
          "Absent or NODATA: no traffic was recorded. SKIPDATA: records were lost.",
          ask=Ask(("interface-id",), "status", over_time=True, every_record=True), path="series/status?limit=20"),
    Panel("controls", "Controls", "table", "short",
          "Of all the logs, by the controls that vpcflow serve was given: pass, enforced, not evaluable, fail.",
          path="table/controls", fields=("srcaddr", "dstaddr", "protocol")),
    Panel("pairs", "Largest pairs", "table", ask=Ask(("srcaddr", "dstaddr")), path="table/pairs?limit=10"),
    Panel("flows", "Flows: who, to whom, at which port, with which answer", "table",
          about="An address in a table leads here: of it alone. vpcflow trace ADDRESS has all of its records.",
          ask=Ask(("srcaddr", "dstaddr", "dstport", "protocol", "action"), n=50), path="table/flows?limit=50"),
    _over_time("bytes_by_protocol", "Bytes by protocol", "protocol", "bytes"),
    _over_time("bytes_by_direction", "Bytes by direction", "flow-direction", "bytes"),
    Panel("places", "Bytes by account and region", "table", ask=Ask(("account-id", "region")),
          metric="sum by (account, region) (vpcflow_place_bytes_total)", legend="{{account}} {{region}}"),
    Panel("interfaces", "Interfaces by bytes", "table", ask=Ask(("interface-id",)), path="table/interfaces?limit=10"),
    Panel("behind_nat", "Who sends most through gateways", "table",
          about="The packet's own source, where it is not that of the record.",
          ask=Ask(("pkt-srcaddr", "srcaddr"), "bytes", (("pkt-srcaddr", "differs", "srcaddr"),)),
          analysis="nat_attribution", fields=("pkt-dstaddr",)),
    Panel("zones", "Bytes by availability zone", "table", ask=Ask(("az-id",))),
    Panel("networks", "Bytes by VPC and subnet", "table", ask=Ask(("vpc-id", "subnet-id"))),
    Panel("reject_reasons", "Reasons for rejects", "table", "short",
          ask=Ask(("reject-reason",), "records", (_REJECT,))),
    Panel("log_volume", "Text of the logs", "stat", about="Of all the logs, at prices of the public list.",
          path="table/volume", metric="vpcflow_log_text_bytes", legend="text"),
    Panel("log_price", "What CloudWatch takes for that text", "stat", "currencyUSD",
          f"At {LOGS_PRICE} USD a GB, the list price of us-east-1 for the first 10 TB of a month; S3 takes half.",
          metric=f"vpcflow_log_text_bytes / 2^30 * {LOGS_PRICE}", legend="USD"),
)  # fmt: skip


def fields_of(format: str) -> list[str]:
    """Returns the names of the fields of a format. Raises :class:`~vpcflow.FormatError`."""
    names = [name for name, _ in _core.parse_format(format)]
    if not names:
        raise FormatError("the format has no field")
    return names


def lacks(panel: Panel, format: str) -> list[str]:
    """Returns the fields without which logs of a format do not answer a panel; none if they do."""
    names = fields_of(format)
    absent = [field for field in panel.needs if field not in names]
    if not absent and panel.analysis:
        own = next(one for one in capabilities(format) if one.analysis == panel.analysis)
        absent = own.add if own.verdict == "impossible" else []
    return absent
