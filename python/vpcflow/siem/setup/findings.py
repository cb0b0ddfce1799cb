"""The members of findings as events, for templates. What a detector gives as evidence is of any shape."""

from __future__ import annotations

from collections.abc import Iterator

from .kinds import Member

#: By schema: members and their kinds, as :data:`~vpcflow.siem.findings.FINDING_SCHEMAS` writes them.
_KINDS = {
    "ecs": {
        "keyword": (
            "ecs.version event.id event.kind event.category event.type event.module event.dataset event.provider "
            "rule.name rule.id threat.framework threat.technique.id source.address destination.address cloud.provider "
            "vpcflow.finding"
        ),
        "text": "message",
        "long": "event.severity destination.port",
        "double": "event.risk_score",
        "date": "@timestamp event.start event.end",
        "ip": "source.ip destination.ip related.ip",
        "any": "vpcflow.evidence vpcflow.coverage",
    },
    "ocsf": {
        "keyword": (
            "class_name category_name activity_name type_name severity status action cloud.provider metadata.version "
            "metadata.uid metadata.profiles metadata.product.name metadata.product.vendor_name finding_info.uid "
            "finding_info.title finding_info.types finding_info.analytic.name finding_info.analytic.type "
            "finding_info.attacks.technique.uid"
        ),
        "text": "message finding_info.desc",
        "long": (
            "class_uid category_uid activity_id type_uid severity_id status_id action_id confidence_score risk_score "
            "finding_info.analytic.type_id evidences.dst_endpoint.port"
        ),
        "millis": "time start_time end_time finding_info.first_seen_time finding_info.last_seen_time",
        "ip": "evidences.src_endpoint.ip evidences.dst_endpoint.ip",
        "observable": "observables",
        "any": "evidences.data unmapped.coverage",
    },
}  # fmt: skip


def finding_members(schema: str) -> Iterator[Member]:
    """Yields the members that findings of a schema can have; ``any``: whatever is below one."""
    for kind, names in _KINDS[schema].items():
        for name in names.split():
            yield Member(tuple(name.split(".")), kind, False)
