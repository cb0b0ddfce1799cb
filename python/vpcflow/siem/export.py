"""What users call: :func:`vpcflow.export`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _core
from ..errors import ArgumentError, PlanError
from ..findings.findings import Findings
from ..query.flows import Flows
from .asff import hub_of
from .events import UNITS, Events
from .findings import FindingEvents


def schemas() -> dict[str, str]:
    """Returns the schemas of :func:`vpcflow.export` for records and sessions, with what they are.

    >>> from vpcflow import siem
    >>> list(siem.schemas())[:2]
    ['ocsf', 'ecs']
    """
    return {schema["name"]: schema["meaning"] for schema in _core.event_schemas()}


def export(
    flows: Flows | Findings,
    schema: str = "ocsf",
    *,
    version: str | None = None,
    unit: str | None = None,
    community_id: bool = False,
    hub: str | None = None,
    resources: Mapping[str, str] | None = None,
) -> Events | FindingEvents:
    """Makes events of the schema of a SIEM or lake: one of each session (the default), record or finding.

    ``flows``: of :func:`vpcflow.scan`, or findings of :func:`vpcflow.detect`. ``schema``: ``ocsf``, ``ecs``, and what
    ``vpcflow.siem.schemas()`` names; of findings ``ocsf`` (class 2004), ``asff``, ``ecs``, ``cef``, ``leef``.
    ``version``: of OCSF ``1.5.0`` (the default) or ``1.1.0``, as Security Lake takes it. ``unit``: ``"sessions"`` or
    ``"records"``. ``community_id``: add the Community ID (version 1, seed 0) of each conversation, by which Zeek and
    Suricata know it, to ``ocsf`` and ``ecs``; it takes most of the time. ``hub``, of ``asff``: account and region of
    the Security Hub that takes them, as ``"123456789012/eu-west-1"``; ``resources``: the ARNs or ids of addresses, as
    ``{"10.0.0.5": "eni-0a1b2c3d"}``.

    The events are read when they are asked for: ``batches()`` gives lines and ids in bounded memory, of records also
    for logs larger than memory; sessions are all held. ``write(path)`` writes a file, ``to_arrow()`` (of OCSF) gives
    nested columns. An event has the same id whenever and by whom it is made of the same object, for receivers that keep
    one of each id.

    Reading a file of records in OCSF or ECS gives the records; what is lossy is named in the reference of the mapping.
    Of a file of sessions it gives a record for each, from client to server.

    Records without traffic (NODATA, SKIPDATA) are events, too, as a file without them would not show gaps; leave them
    out with ``flows.filter("log_status = 'OK'")``.

    Raises :class:`~vpcflow.PlanError` for what has no such schema, version or unit.

    >>> import json, vpcflow as vf
    >>> log = b"2 123456789010 eni-1 10.0.0.1 10.0.0.2 4242 22 6 20 4249 1418530010 1418530070 REJECT OK"
    >>> events = vf.export(vf.scan(log), "ocsf", unit="records")
    >>> for batch in events.batches():
    ...     event = json.loads(batch.lines)
    >>> event["class_uid"], event["action"], event["src_endpoint"]["ip"], len(batch.ids)
    (4001, 'Denied', '10.0.0.1', 1)
    """
    if isinstance(flows, Findings):
        if community_id:
            raise PlanError("export: community_id of findings; expected flows")
        if unit not in (None, "findings"):
            raise PlanError(f"export: unit={unit!r} of findings; expected 'findings', or flows")
        return FindingEvents(flows, schema, version, hub_of(hub, resources))
    if not isinstance(flows, Flows):
        raise ArgumentError(f"export: {_kind(flows)} has no events; expected flows of vpcflow.scan, or findings")
    if hub is not None or resources is not None:
        raise PlanError("export: hub and resources of flows; they are of findings as 'asff'")
    chosen = "sessions" if unit is None else unit
    if chosen == "findings":
        raise PlanError("export: unit='findings' of flows; expected the findings of vpcflow.detect(flows)")
    if chosen not in UNITS:
        raise PlanError(f"export: unit={chosen!r}; expected one of {', '.join(UNITS)}")
    return Events(flows, schema, version or "", chosen, community_id=community_id)


def _kind(value: Any) -> str:
    return type(value).__name__
