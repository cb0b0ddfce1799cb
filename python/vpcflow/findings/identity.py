"""Names of findings that stay: the same logs give the same, and they say what a silence needs."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

from ..errors import ArgumentError

if TYPE_CHECKING:
    from .finding import Finding

_ANY = "*"
_PLAIN = ":.,-_ "  # beside letters and digits; what else a rule's keys hold is escaped
_EXAMPLE = "beacon/10.0.0.4/198.51.100.7/443@20261129T100000Z"


class Kind(NamedTuple):
    """What findings of one kind have in common; empty: any."""

    detector: str
    actor: str
    target: str
    port: str


def kind_of(finding: Finding) -> Kind:
    """Returns the kind of a finding: its detector, actor, target and port. Several actors or targets are any."""
    several = finding.evidence.get("sources", 1) > 1
    target = finding.targets[0] if len(finding.targets) == 1 else ""
    port = finding.evidence.get("dstport")
    actor = "" if several and target else finding.actor
    return Kind(finding.detector, actor, target, "" if port is None else str(port))


def id_of(finding: Finding) -> str:
    """Returns the name of a finding: its kind, and when it began."""
    parts = "/".join(quote(part, safe=_PLAIN) or _ANY for part in kind_of(finding))
    return f"{parts}@{_compact(finding.start)}"


def kind_named(name: str) -> Kind:
    """Returns the kind of a finding by its name, with or without the time. Raises
    :class:`~vpcflow.ArgumentError` for another text.

    >>> kind_named("beacon/10.0.0.4/198.51.100.7/443@20261129T100000Z")
    Kind(detector='beacon', actor='10.0.0.4', target='198.51.100.7', port='443')
    """
    parts = name.split("@")[0].split("/")
    if len(parts) != len(Kind._fields) or not all(parts) or not (parts[3] == _ANY or parts[3].isdigit()):
        raise ArgumentError(f"id {name!r}: no finding's; expected one of vpcflow detect --json, such as {_EXAMPLE}")
    return Kind(*("" if part == _ANY else unquote(part) for part in parts))


def _compact(seconds: int) -> str:
    try:
        when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    except (OverflowError, ValueError, OSError):
        return str(seconds)
    return when.strftime("%Y%m%dT%H%M%SZ")
