"""Writes CloudTrail records, GuardDuty findings and query logs that tell the stories of planted logs, with labels."""

from __future__ import annotations

import datetime
import gzip
import json
import os
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import OutputError, SynthError
from .events import is_inside

_ACCOUNT = "123456789012"
_READING = ("DescribeInstances", "DescribeSecurityGroups", "ListBuckets", "GetObject", "AssumeRole", "LookupEvents")
_A_FILE = 500  # records
_LONG = 3600  # seconds of a session that follows a name
_DAYS = 8  # that names of every day are looked up before


def write_events(
    labels: Sequence[Mapping[str, Any]], folder: str | os.PathLike[str], *, seed: int = 1, benign: int = 1000
) -> list[dict[str, Any]]:  # fmt: skip
    """Writes ``cloudtrail/``, ``guardduty/``, ``dns/`` and ``stories.json`` to a folder, beside planted flow logs.

    ``labels``: those of :func:`vpcflow.synth`. A brute force gets a login to the console without MFA from its address
    and a security group that was opened for it just before, an exfiltration a finding of GuardDuty, a session of an
    hour or more with an outside host a name that nobody asked for before; a flow log is deleted, and a user made, after
    the first attack. ``benign``: the number of ordinary records among them, and of ordinary queries, which begin a week
    before. Returns the stories: ``rule``, ``about`` (an entity of its events) and ``time``. The same arguments write
    the same bytes.

    Raises :class:`~vpcflow.SynthError` for labels without an attack.
    """
    attacks = [label for label in labels if not label.get("benign") and label.get("first") is not None]
    if not attacks:
        raise SynthError("events: no attack is planted that they could tell of; plant brute_force, exfiltration or all")
    told = _Story(random.Random(seed), min(a["first"] for a in attacks), max(a["last"] for a in attacks))
    for label in attacks:
        told.attack(label)
    told.blinded(attacks[0])
    told.ordinary(benign)
    told.asked(benign, sorted({str(label["actor"]) for label in labels if is_inside(str(label.get("actor")))}))
    place = Path(folder)
    try:
        for name in ("cloudtrail", "guardduty", "dns"):
            (place / name).mkdir(parents=True, exist_ok=True)
        records = told.records
        told.draw.shuffle(records)  # as in AWS's files, which are not in order of time
        for number in range(0, len(records), _A_FILE):
            text = json.dumps({"Records": records[number : number + _A_FILE]})
            name = f"{_ACCOUNT}_CloudTrail_eu-central-1_{number // _A_FILE:04}.json.gz"
            (place / "cloudtrail" / name).write_bytes(gzip.compress(text.encode(), mtime=0))
        lines = "".join(json.dumps(finding) + "\n" for finding in told.findings)
        (place / "guardduty" / "findings.jsonl").write_text(lines)
        lines = "".join(json.dumps(query) + "\n" for query in sorted(told.queries, key=lambda q: q["query_timestamp"]))
        name = f"{_ACCOUNT}_vpcdnsquerylogs_vpc-0planted1.log.gz"
        (place / "dns" / name).write_bytes(gzip.compress(lines.encode(), mtime=0))
        (place / "stories.json").write_text(json.dumps(told.stories, indent=1) + "\n")
    except OSError as error:
        raise OutputError(f"{place}: cannot be written: {error.strerror or error}") from None
    return told.stories


def _iso(time: int) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


_SESSIONS = ("exfiltration", "reverse_shell", "long_tls", "mining_pool")  # attacks that are one session


class _Story:
    def __init__(self, draw: random.Random, first: int, last: int) -> None:
        self.draw, self._first, self._last = draw, first - 3600, last + 3600
        self.records: list[dict[str, Any]] = []
        self.findings: list[dict[str, Any]] = []
        self.queries: list[dict[str, Any]] = []
        self.stories: list[dict[str, Any]] = []

    def _record(self, time: int, name: str, user: str, address: str, **more: Any) -> None:
        self.records.append({
            "eventVersion": "1.09", "eventTime": _iso(time), "eventName": name, "awsRegion": "eu-central-1",
            "eventSource": more.pop("source", "ec2.amazonaws.com"), "sourceIPAddress": address,
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{_ACCOUNT}:user/{user}", "accountId": _ACCOUNT},
            "eventID": f"{self.draw.getrandbits(128):032x}", "recipientAccountId": _ACCOUNT,
            "requestParameters": more.pop("asked", None), "responseElements": more.pop("answered", None), **more,
        })  # fmt: skip

    def attack(self, label: Mapping[str, Any]) -> None:
        """Adds what the other logs have of an attack."""
        time, actor = int(label["first"]), str(label["actor"])
        if label["kind"] == "brute_force" and label.get("ports"):
            port = label["ports"][0]
            ranges = {"items": [{"cidrIp": f"{actor}/32"}]}
            item = {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "ipRanges": ranges}
            self._record(time - 300, "AuthorizeSecurityGroupIngress", "eve", "203.0.113.7",
                         asked={"groupId": "sg-0planted1", "ipPermissions": {"items": [item]}})  # fmt: skip
            self.stories.append({"rule": "opened-and-entered", "about": actor, "time": time - 300})
            if port in (22, 3389, 5985, 5986):
                self._record(time - 600, "ConsoleLogin", "eve", actor, source="signin.amazonaws.com",
                             answered={"ConsoleLogin": "Success"}, additionalEventData={"MFAUsed": "No"})  # fmt: skip
                self.stories.append({"rule": "console-without-mfa-then-flows", "about": actor, "time": time - 600})
        outside = [str(one) for one in label.get("targets") or () if not is_inside(str(one))]
        if label["kind"] == "exfiltration" and label.get("interfaces"):
            interface = label["interfaces"][0]
            self._finding(time + 60, int(label["last"]), interface, actor, outside[0] if outside else None, 8)
            self.stories.append({"rule": "guardduty-and-exfiltration", "about": interface, "time": time})
        if label["kind"] in _SESSIONS and outside and int(label["last"]) - time >= _LONG:
            name = f"{self.draw.getrandbits(40):010x}.update-check.example."
            for kind in ("AAAA", "A"):
                self._query(time - 2, name, kind, [outside[0]] if kind == "A" else [], actor)
            self.stories.append({"rule": "new-name-then-long-session", "about": actor, "time": time - 2})

    def _query(self, time: int, name: str, kind: str, answers: Sequence[str], address: str) -> None:
        self.queries.append({
            "version": "1.100000", "account_id": _ACCOUNT, "region": "eu-central-1", "vpc_id": "vpc-0planted1",
            "query_timestamp": _iso(time), "query_name": name, "query_type": kind, "query_class": "IN",
            "rcode": "NOERROR", "answers": [{"Rdata": one, "Type": kind, "Class": "IN"} for one in answers],
            "srcaddr": address, "srcport": str(self.draw.randrange(1024, 65536)), "transport": "UDP", "srcids": {},
        })  # fmt: skip

    def _finding(self, first: int, last: int, interface: str, address: str, remote: Any, severity: float) -> None:
        action = {"connectionDirection": "OUTBOUND", "remoteIpDetails": {"ipAddressV4": remote}}
        card = {"networkInterfaceId": interface, "privateIpAddress": address}
        self.findings.append({
            "schemaVersion": "2.0", "accountId": _ACCOUNT, "id": f"{self.draw.getrandbits(128):032x}",
            "type": "Behavior:EC2/TrafficVolumeUnusual", "severity": severity, "updatedAt": _iso(last),
            "resource": {"instanceDetails": {"networkInterfaces": [card]}},
            "service": {"eventFirstSeen": _iso(first), "eventLastSeen": _iso(max(first, last)), "count": 1,
                        "action": {"actionType": "NETWORK_CONNECTION", "networkConnectionAction": action}},
        })  # fmt: skip

    def blinded(self, label: Mapping[str, Any]) -> None:
        """Deletes a flow log after an attack, and makes a user."""
        time = int(label["last"]) + 60
        flow_log = {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-0planted1"}}}
        self._record(time, "DeleteFlowLogs", "eve", "203.0.113.7", asked=flow_log)
        self._record(time + 300, "CreateUser", "eve", "203.0.113.7", source="iam.amazonaws.com")
        self.stories.append({"rule": "flow-log-deleted-then-activity", "about": _ACCOUNT, "time": time})

    def ordinary(self, number: int) -> None:
        """Adds what happens every day: reading, logins with MFA, instances of a deployment, calls that fail."""
        for _ in range(number):
            time = self.draw.randrange(self._first, self._last)
            user, address = f"dev{self.draw.randrange(20)}", f"192.0.2.{self.draw.randrange(1, 255)}"
            kind = self.draw.random()
            if kind < 0.9:
                self._record(time, self.draw.choice(_READING), user, address, readOnly=True)
            elif kind < 0.94:
                self._record(time, "ConsoleLogin", user, address, source="signin.amazonaws.com",
                             answered={"ConsoleLogin": "Success"}, additionalEventData={"MFAUsed": "Yes"})  # fmt: skip
            elif kind < 0.97:
                instance = f"i-0deployed{self.draw.getrandbits(32):08x}"
                got = {"instancesSet": {"items": [{"instanceId": instance, "privateIpAddress": "172.31.255.9"}]}}
                self._record(time, "RunInstances", "deploy", "192.0.2.1", answered=got)
            else:
                self._record(time, "DeleteFlowLogs", user, address, errorCode="Client.UnauthorizedOperation")

    def asked(self, number: int, hosts: Sequence[str]) -> None:
        """Adds queries for names that hosts ask for day after day, and for some that are new and lead to nothing."""
        first = self._first - _DAYS * 86400
        for _ in range(number if hosts else 0):
            time, rank = self.draw.randrange(first, self._last), int(self.draw.paretovariate(0.7))
            name, new = f"service-{rank % 60}.example.com.", self.draw.random() < 0.02
            if new:
                name = f"{self.draw.getrandbits(32):08x}.pages.example.net."
            answer = f"198.51.100.{self.draw.randrange(1, 255) if new else rank % 60 + 1}"
            self._query(time, name, "A", [answer], self.draw.choice(hosts))
