"""Findings of AWS Security Hub (ASFF), for BatchImportFindings."""

from __future__ import annotations

import json
import re
from typing import Any

from ...errors import PlanError
from ..result import ControlResult, ControlResults, Verdict
from .common import all_of, headline, iso, sentence_of, span_of, title_of

_HUB = re.compile(r"([0-9]{12})/((?:[a-z]+-)+[0-9])")
# By verdict: Compliance.Status and Severity.Label.
_STATUS: dict[Verdict, tuple[str, str]] = {
    "fail": ("FAILED", "HIGH"), "not_evaluable": ("NOT_AVAILABLE", "INFORMATIONAL"), "error": ("NOT_AVAILABLE", "LOW"),
    "pass_enforced": ("PASSED", "INFORMATIONAL"), "pass_silent": ("PASSED", "INFORMATIONAL"),
}  # fmt: skip
_LONGEST = {"Title": 256, "Description": 1024}
_MOST_REQUIREMENTS = 32


def asff_of(results: ControlResults, hub: str) -> str:
    """Returns results as a list of findings. ``hub``: account and region of Security Hub;
    :class:`~vpcflow.PlanError` without."""
    match = _HUB.fullmatch(hub)
    if match is None:
        raise PlanError(f"asff: hub={hub!r}: expected account and region of Security Hub, as 123456789012/eu-west-1")
    account, region = match.groups()
    return json.dumps([_finding(one, account, region) for one in all_of(results)], indent=1) + "\n"


def _finding(one: ControlResult, account: str, region: str) -> dict[str, Any]:
    start, end = span_of([one])
    status, severity = _STATUS[one.verdict]
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    period = one.period or ("none", "none")
    text = "; ".join([headline(one), *map(sentence_of, one.violating)])
    interfaces = sorted({str(v["interface"]) for v in one.violating if v["interface"]})
    resources = [
        {"Type": "AwsEc2NetworkInterface", "Region": region, "Partition": partition,
         "Id": f"arn:{partition}:ec2:{region}:{account}:network-interface/{id}"}
        for id in interfaces
    ] or [{"Type": "Other", "Id": f"vpcflow/control/{one.id}"}]  # fmt: skip
    return {
        "SchemaVersion": "2018-10-08", "Id": f"vpcflow/{region}/{account}/{one.id}/{period[0]}/{period[1]}",
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"vpcflow/{one.id}", "AwsAccountId": account,
        "Types": ["Software and Configuration Checks/Network Reachability"],
        "FirstObservedAt": _instant(start), "LastObservedAt": _instant(end), "CreatedAt": _instant(start),
        "UpdatedAt": _instant(end), "Severity": {"Label": severity},
        "Title": _cut("Title", f"{one.id}: {title_of(one)}"), "Description": _cut("Description", text),
        "Compliance": {"Status": status, "RelatedRequirements": [m["id"] for m in one.maps][:_MOST_REQUIREMENTS]},
        "Resources": resources, "RecordState": "ACTIVE", "Workflow": {"Status": "NEW"},
        "ProductFields": {"vpcflow/verdict": one.verdict, "vpcflow/question": _cut("Description", one.question)},
    }  # fmt: skip


def _instant(seconds: int) -> str:
    return iso(seconds).replace("+00:00", "Z")


def _cut(name: str, text: str) -> str:
    longest = _LONGEST[name]
    return text if len(text) <= longest else text[: longest - 3] + "..."
