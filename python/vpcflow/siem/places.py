"""What the schemas of findings share: addresses, ports and times of a finding."""

from __future__ import annotations

import datetime
import ipaddress
from typing import Any

from ..findings.finding import Finding

#: Security Lake's partitions of objects.
LAKE_PARTITION = "region={region}/accountId={account}/eventDay={day}"


def utc(seconds: float) -> str:
    """Formats a time as RFC 3339.

    >>> utc(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def address(text: str) -> str | None:
    """Returns the address that a text is, as it is usually written; ``None`` if it is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def targets_of(finding: Finding) -> list[str]:
    """Returns the targets that are addresses."""
    return [found for found in map(address, finding.targets) if found]


def present(members: dict[str, Any]) -> dict[str, Any]:
    """Returns the members that have a value."""
    return {name: value for name, value in members.items() if value not in (None, "", [], {})}


def port_of(finding: Finding) -> int | None:
    """Returns the port of a finding, if its evidence names one."""
    port = finding.evidence.get("dstport")
    return port if isinstance(port, int) and 0 <= port <= 65535 else None
