"""The sequence rules that come with vpcflow."""

from __future__ import annotations

from typing import Any

from .._addresses import PRIVATE

_MINING = "3333, 4444, 5555, 7777, 8333, 9999, 14433, 14444, 45560, 45700"
_OPENS = ["AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules"]
_CHANGES = [
    *_OPENS, "RunInstances", "CreateUser", "CreateAccessKey", "AttachUserPolicy",
    "PutBucketPolicy", "CreateNetworkAclEntry", "CreateRoute", "CreateKeyPair", "ModifyInstanceAttribute",
]  # fmt: skip
_INSIDE = ", ".join(f"'{network}'" for network in PRIVATE)
_ENTERED = (
    f"action = 'ACCEPT' and (flow_direction = 'ingress' or flow_direction is null) and not srcaddr in ({_INSIDE}) "
    "and (srcport >= 1024 or dstport < 1024 or srcport is null) "  # no answer to what went out
    "and dstport = $port and srcaddr in $cidr"
)
_ADMIN = "action = 'ACCEPT' and dstport in (22, 3389, 5985, 5986) and srcaddr = $who"
_TRIED = ["port_scan", "brute_force"]

#: As files have them; ``docs/how-to/correlate.md`` says what each finds.
SHIPPED: list[dict[str, Any]] = [
    {
        "name": "opened-and-entered",
        "title": "a port was opened to outside, then somebody came in",
        "severity": "high", "technique": "T1562.007", "within": "24h",
        "sequence": [
            {"not": {"source": "flows", "where": f"{_ENTERED} and dstport = $entered", "entity_in": "$sg"},
             "within": "7d"},
            {"source": "cloudtrail", "kind": _OPENS, "where": f"not cidr in ({_INSIDE})",
             "bind": {"sg": "groupId", "port": "port", "cidr": "cidr"}},
            {"not": {"source": "cloudtrail", "kind": "RevokeSecurityGroupIngress",
                     "where": "groupId = $sg and port like $port and cidr like $cidr"}},  # just this, closed again
            {"source": "flows", "where": _ENTERED, "entity_in": "$sg", "bind": {"entered": "dstport"}},
        ],
    },
    {
        "name": "scanned-entered-called-out",
        "title": "a host was scanned, answered, and then called out",
        "severity": "high", "technique": "T1190", "within": "24h",
        "by": ["instance", "interface", "address"],
        "sequence": [
            {"source": "findings", "kind": _TRIED},
            {"source": "findings", "kind": "accepted_after_reject"},
            {"source": "findings", "kind": ["new_destination", "new_country", "beacon", "exfiltration", "tunnel"]},
        ],
    },
    {
        "name": "console-without-mfa-then-flows",
        "title": "a login without MFA, then administration from the same address",
        "severity": "high", "technique": "T1078.004", "within": "24h",
        "sequence": [
            {"not": {"source": "flows", "where": _ADMIN}, "within": "7d", "until": "1h"},  # an office, a VPN
            {"not": {"source": "cloudtrail", "kind": "ConsoleLogin",
                     "where": "outcome = 'Success' and address = $who and principal != $person"}, "within": "7d"},
            # Of federated users AWS does not see the second factor.
            {"source": "cloudtrail", "kind": "ConsoleLogin",
             "where": "mfa = 'No' and outcome = 'Success' and userType in ('IAMUser', 'Root')",
             "bind": {"who": "address", "person": "principal"}},
            {"source": "flows", "where": _ADMIN},
        ],
    },
    {
        "name": "flow-log-deleted-then-activity",
        "title": "a log was switched off, then something was changed",
        "severity": "high", "technique": "T1562.008", "within": "6h",
        "by": "account",
        "sequence": [
            {"source": "cloudtrail", "kind": ["DeleteFlowLogs", "StopLogging", "DeleteTrail"]},
            {"source": "cloudtrail", "kind": _CHANGES},
        ],
    },
    {
        "name": "gap-then-activity",
        "title": "no interface of the account was recorded, then something was changed",
        "severity": "medium", "technique": "T1562.008", "within": "6h", "by": "account",
        "sequence": [{"source": "coverage", "kind": "gap"}, {"source": "cloudtrail", "kind": _CHANGES}],
    },
    {
        "name": "guardduty-and-exfiltration",
        "title": "GuardDuty and the flow logs tell of the same instance, which sent much out",
        "severity": "high", "technique": "T1048", "within": "6h",
        "by": ["instance", "interface"], "ordered": False,
        "sequence": [
            # What is tried at all hosts, without success, tells nothing of one of them.
            {"source": "guardduty",
             "where": "not kind like 'Recon:EC2/PortProbe*' and (role is null or role != 'TARGET' or severity >= 4 or "
                      "severity in ('MEDIUM', 'HIGH', 'CRITICAL'))"},
            {"source": "findings", "kind": "exfiltration"},
        ],
    },
    {
        "name": "new-name-then-long-session",
        "title": "a name that nobody had asked for, then a long session with it",
        "severity": "medium", "technique": "T1071", "within": "6h",
        "sequence": [
            {"not": {"source": "dns", "where": "query_name = $name"}, "within": "7d", "seen": "1h"},
            {"not": {"source": "dns", "where": "answer = $address"}, "within": "7d"},  # of a CDN
            {"source": "dns", "where": f"answer is not null and not answer in ({_INSIDE})",
             "bind": {"name": "query_name", "address": "answer", "who": "srcaddr"}},
            {"not": {"source": "dns", "where": "answer = $address and srcaddr = $who and query_name != $name"}},
            {"source": "sessions", "where": "action = 'established' and dstaddr = $address", "entity_in": "$who",
             "lasts": "1h"},
        ],
    },
    {
        "name": "new-instances-then-mining",
        "title": "somebody who never did so started an instance, which called a mining pool",
        "severity": "high", "technique": "T1496", "within": "24h",
        "sequence": [
            {"not": {"source": "cloudtrail", "kind": "RunInstances", "where": "principal = $who"}, "within": "7d"},
            {"source": "cloudtrail", "kind": "RunInstances", "where": "instanceId is not null",
             "bind": {"who": "principal", "instance": "instanceId"}},
            {"source": "flows", "entity_in": "$instance",
             "where": f"action = 'ACCEPT' and (flow_direction = 'egress' or flow_direction is null) and "
                      f"dstport in ({_MINING}) and not dstaddr in ({_INSIDE})"},
        ],
    },
]  # fmt: skip
