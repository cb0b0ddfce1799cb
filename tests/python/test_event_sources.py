"""Events of AWS's other sources as the engine reads them, against readers in Python: shapes as they are, in all that wraps them, and mutated."""

import base64
import gzip
import json
import random
import zlib
from functools import partial

import pytest

import vpcflow as vf
from conftest import LONG
from slow_sources import rows_of
from slow_trail import beyond, mutated
from vpcflow import _core
from vpcflow.correlate import read_events
from vpcflow.correlate.sources import load_events
from vpcflow.correlate.table import events_in

ROUNDS = 2000 if LONG else 40
TIME = 1_795_413_600  # 2026-11-23 06:00:00
ISO = "2026-11-23T06:00:00.123Z"

DNS = [
    {"version": "1.100000", "account_id": "123456789012", "region": "eu-central-1", "vpc_id": "vpc-1", "query_timestamp": "2026-11-23T06:00:00Z", "query_name": "Bad.Example.COM.", "query_type": "A", "query_class": "IN", "rcode": "NOERROR",
     "answers": [{"Rdata": "cdn.example.net.", "Type": "CNAME", "Class": "IN"}, {"Rdata": "198.51.100.9", "Type": "A", "Class": "IN"}, {"Rdata": "198.51.100.10", "Type": "A", "Class": "IN"}, {"Rdata": "198.51.100.9", "Type": "A"}],
     "srcaddr": "10.0.0.1", "srcport": "52614", "transport": "UDP", "srcids": {"instance": "i-0a", "resolver_endpoint": "rslvr-in-1"}, "firewall_rule_action": "ALERT", "firewall_rule_group_id": "rslvr-frg-1"},
    {"query_timestamp": ISO, "query_name": ".", "query_type": "NS", "rcode": "NXDOMAIN", "answers": [], "srcaddr": "fd00::1", "srcids": {}},
]  # fmt: skip
WAF = [
    {"timestamp": TIME * 1000 + 7, "formatVersion": 1, "webaclId": "arn:aws:wafv2:x:1:regional/webacl/w/1", "terminatingRuleId": "Default_Action", "action": "ALLOW", "httpSourceName": "ALB", "httpSourceId": "1-app/front/1", "ruleGroupList": [{"terminatingRule": None}], "labels": [{"name": "a"}],
     "httpRequest": {"clientIp": "2001:db8::9", "country": "DE", "headers": [{"name": "HOST", "value": "www.example.com"}, {"name": "user-agent", "value": 'x "y" \\ \u2028'}, {"name": "Cookie", "value": "z"}], "uri": "/a b", "args": "q=1", "httpVersion": "HTTP/2.0", "httpMethod": "GET", "requestId": "r"}},
    {"timestamp": TIME, "action": "BLOCK", "terminatingRuleId": "-", "httpRequest": {"clientIp": "192.0.2.9", "country": "-", "host": "h.example", "headers": {}}},
]  # fmt: skip
CARD = {"networkInterfaceId": "eni-0a", "privateIpAddress": "10.0.0.1", "publicIp": "198.51.100.1", "ipv6Addresses": ["fd00::1"], "securityGroups": [{"groupId": "sg-1"}]}


def duty(kind, action, resource, severity=8.0, **more):
    return {"schemaVersion": "2.0", "accountId": "123456789012", "region": "eu-central-1", "id": f"id-{kind}", "type": kind, "severity": severity, "title": 'a "t"', "createdAt": ISO, "updatedAt": "2026-11-23T07:00:00.5Z", "resource": resource,
            "service": {"serviceName": "guardduty", "action": action, "resourceRole": "TARGET", "count": 3, "eventFirstSeen": "2026-11-23T06:00:00Z", "eventLastSeen": "2026-11-23T06:30:00Z", **more}}  # fmt: skip


def pascal(value):
    if isinstance(value, dict):
        return {name[:1].upper() + name[1:]: pascal(inner) for name, inner in value.items()}
    return [pascal(inner) for inner in value] if isinstance(value, list) else value


REMOTE = {"ipAddressV4": "198.51.100.9", "country": {"countryName": "X"}}
DUTY = [
    duty("Recon:EC2/PortProbeUnprotectedPort", {"actionType": "PORT_PROBE", "portProbeAction": {"blocked": False, "portProbeDetails": [{"localPortDetails": {"port": 22}, "remoteIpDetails": REMOTE}, {"remoteIpDetails": {"ipAddressV4": "198.51.100.10"}}]}}, {"instanceDetails": {"instanceId": "i-0a", "networkInterfaces": [CARD]}}, 2),
    duty("Trojan:EC2/DNSDataExfiltration", {"dnsRequestAction": {"domain": "x.example", "protocol": "UDP"}}, {"instanceDetails": {"instanceId": "i-0a", "networkInterfaces": [CARD, {}]}}),
    duty("UnauthorizedAccess:IAMUser/ConsoleLogin", {"awsApiCallAction": {"api": "ConsoleLogin", "remoteIpDetails": {"ipAddressV6": "2001:db8::9"}}}, {"accessKeyDetails": {"accessKeyId": "ASIAEXAMPLEEXAMPLE12", "principalId": "p", "userName": "eve", "userType": "IAMUser"}}, 5),
    duty("AttackSequence:IAM/CompromisedCredentials", None, {"resourceType": "AttackSequence"}, 9.5, eventFirstSeen=None),
    pascal(duty("Backdoor:EC2/C&CActivity.B", {"networkConnectionAction": {"connectionDirection": "OUTBOUND", "remoteIpDetails": REMOTE, "localPortDetails": {"port": 443}}}, {"instanceDetails": {"instanceId": "i-0b", "networkInterfaces": [CARD]}}, 4)),
]  # fmt: skip
HUB = [
    {"SchemaVersion": "2018-10-08", "Id": "arn:aws:guardduty:x:1:detector/d/finding/f1", "ProductName": "GuardDuty", "ProductArn": "arn:aws:securityhub:x::product/aws/guardduty", "GeneratorId": "g", "AwsAccountId": "123456789012", "Types": ["TTPs/Command and Control/Backdoor:EC2-C&CActivity.B"], "Region": "eu-central-1",
     "FirstObservedAt": ISO, "LastObservedAt": "2026-11-23T06:30:00Z", "CreatedAt": ISO, "UpdatedAt": ISO, "Title": "t", "RecordState": "ACTIVE", "Severity": {"Label": "HIGH", "Normalized": 70}, "ProductFields": {"aws/guardduty/service/action/networkConnectionAction/remoteIpDetails/ipAddressV4": "198.51.100.8", "aws/guardduty/service/resourceRole": "TARGET"},
     "Action": {"ActionType": "NETWORK_CONNECTION", "NetworkConnectionAction": {"RemoteIpDetails": {"IpAddressV4": "198.51.100.9"}}, "PortProbeAction": {"PortProbeDetails": [{"RemoteIpDetails": {"IpAddressV4": "198.51.100.7"}}]}},
     "Resources": [{"Type": "AwsEc2Instance", "Id": "arn:aws:ec2:x:1:instance/i-1", "Details": {"AwsEc2Instance": {"IpV4Addresses": ["10.0.0.1"], "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]}}}]},
    {"Id": "i2", "ProductArn": "arn:aws:securityhub:x::product/aws/inspector", "Types": [], "CreatedAt": ISO, "AwsAccountId": "123456789012", "Severity": {"Label": "INFORMATIONAL"}, "Network": {"SourceIpV4": "198.51.100.6", "DestinationIpV6": "2001:db8::1"}, "Resources": [{"Id": "AWS::::Account:123456789012"}, {"Id": "arn:aws:iam::123456789012:user/eve", "Details": {"AwsIamUser": {"UserName": "eve"}}}, {"Id": "arn:aws:iam::1:access-key/AKIAEXAMPLEEXAMPLE12"}, {"Id": "arn:aws:ec2:x:1:network-interface/eni-9"}]},
    {"Id": "i3", "ProductArn": "arn:aws:securityhub:x::product/aws/securityhub", "ProductName": "Security Hub", "Types": ["Software and Configuration Checks/Industry"], "CreatedAt": ISO, "Severity": {"Label": "CRITICAL"}, "Compliance": {"Status": "PASSED"}, "Resources": {"items": [{"Id": 7}]}},
    {"Id": "own", "ProductArn": "arn:aws:securityhub:x:123456789012:product/123456789012/default", "GeneratorId": "vpcflow/port_scan", "CreatedAt": ISO},
]  # fmt: skip
ALB = [
    'https 2026-11-23T06:00:05.1Z app/x/1 192.0.2.9:4711 10.0.0.1:80 0.0 0.1 0.0 200 200 1 2 "GET https://a/ b HTTP/1.1" "curl ""x""" c d arn "t" "a" "c" 0 2026-11-23T06:00:01.5Z "forward" "-"',
    'h2 2026-11-23T06:00:05Z app/x/1 [2001:db8::9]:4711 - -1 -1 -1 403 - 1 2 "POST https://a:443/%22 HTTP/2.0" "-" - - - "t" "-" "-" 0 - "waf" "-" "-" "-" "-" "-" "-" TID_1',
]
NLB = ["tls 2.0 2026-11-23T06:00:40 net/front/1 abcd 192.0.2.9:51341 10.0.0.1:443 30000 2 98 246 - arn:aws:acm:x:1:certificate/c - ECDHE tlsv12 - www.example.com h2 - - 2026-11-23T06:00:10", "tls 1.0 2026-11-23T06:00:40 net/front/1 abcd [2001:db8::1]:51341 10.0.0.1:443 30000 2 98 246 - - - - - - -"]
CLB = [
    '2026-11-23T06:00:00.5Z my-lb 192.0.2.9:2817 10.0.0.1:80 0.00 0.001 0.00 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -',
    '2026-11-23T06:00:00.5Z my-lb 192.0.2.9:2817 - -1 -1 -1 - - 82 305 "- - - " "-" ECDHE TLSv1.2',
    '2026-11-23T06:00:00.5Z my-lb 192.0.2.9:2817 10.0.0.1:80 0.00 0.001 0.00 404 404 0 29 "GET http://a:80/ HTTP/1.1"',
]  # fmt: skip


def lake(number, product, **more):
    return {"class_uid": number, "time": TIME * 1000, "metadata": {"product": {"name": product, "uid": f"arn:aws:securityhub:x::product/aws/{product.lower()}", "feature": {"uid": "u"}}, "uid": f"m-{number}", "version": "1.1.0"}, "cloud": {"account": {"uid": "123456789012"}, "region": "eu-central-1"}, **more}


CALL = {"operation": "AuthorizeSecurityGroupIngress", "service": {"name": "ec2.amazonaws.com"}, "response": {"error": None}, "request": {"data": json.dumps({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}})}}
OCSF = [
    lake(4003, "Route 53", query={"hostname": "bad.example.", "type": "A"}, rcode="NoError", answers=[{"rdata": "198.51.100.9", "type": "A"}], disposition="Alert", src_endpoint={"ip": "10.0.0.1", "vpc_uid": "vpc-1", "instance_uid": "i-1"}),
    lake(4002, "AWS WAF", disposition="Blocked", firewall_rule={"uid": "r"}, http_request={"http_method": "POST", "url": {"path": "/login", "hostname": "h"}, "http_headers": [{"name": "User-Agent", "value": "bot"}]}, src_endpoint={"ip": "192.0.2.9", "location": {"country": "DE"}, "uid": "x"}),
    lake(2004, "GuardDuty", severity_id=4, finding_info={"uid": "a/f1", "title": "t", "types": ["TTPs/x/Backdoor:EC2-C&CActivity.B"], "first_seen_time": TIME * 1000, "last_seen_time_dt": "2026-11-23T06:30:00Z"}, resources=[{"uid": "arn:aws:ec2:x:1:instance/i-1", "data": "{}"}], evidences=[{"src_endpoint": {"ip": "198.51.100.9"}}]),
    lake(2001, "Inspector", severity="High", finding={"uid": "a/f2", "types": None, "first_seen_time": 0}, compliance={"status": "passed"}, unmapped={"RecordState": "ACTIVE"}),
    lake(6003, "CloudTrail", api=CALL, src_endpoint={"ip": "192.0.2.9"}, http_request={"user_agent": "curl"}, actor={"user": {"type": "AssumedRole", "uid": "arn:aws:sts::1:assumed-role/a/b", "uid_alt": "AROA:b", "credential_uid": "ASIAEXAMPLEEXAMPLE12", "name": "a"}, "session": {"issuer": "arn:aws:iam::1:role/a", "is_mfa": True}, "invoked_by": None}, unmapped={"readOnly": False, "userIdentity.sessionContext.sourceIdentity": "eve"}),
    lake(3002, "CloudTrail", api={"operation": "ConsoleLogin", "service": {"name": "signin.amazonaws.com"}}, status="Success", actor={"user": {"type": "Root", "uuid": "arn:aws:iam::1:root", "account_uid": "123456789012"}}, unmapped=[["additionalEventData.MFAUsed", "No"], ["responseElements.x", "y"], ["readOnly", True]]),
    lake(2004, "vpcflow", finding_info={"uid": "o"}),
    lake(4001, "Amazon VPC", unmapped={"a": 1}),
]  # fmt: skip
DOCUMENTS = {"dns": DNS, "waf": WAF, "guardduty": DUTY, "securityhub": HUB, "ocsf": OCSF, "cloudtrail": OCSF, "alb": ALB, "nlb": NLB, "clb": CLB}
LINES = ("alb", "nlb", "clb")
EVERY = [*DNS, *WAF, *DUTY, *HUB, *OCSF]


def plain_rows(events):
    """Rows without keys that are hashes, each once where a hash names it."""
    rows = []
    for event in events:
        key = event.key if event.source not in ("dns", "waf", *LINES) else f"digest/{event.key.partition('/')[2]}".rstrip("/")
        rows.append({**{n: v for n, v in event.as_dict().items() if n != "ref"}, "key": key, "version": event.version})
    return rows


def engine_rows(source, document):
    data = document if isinstance(document, str) else json.dumps(document)
    return plain_rows(events_in(_core.event_rows(data.encode("utf-8", "surrogatepass"), source)))


def mutated_line(line, rng):
    cells = line.split(" ")
    for _ in range(rng.randrange(3)):
        cells[rng.randrange(len(cells))] = rng.choice(["-", "", '"', '""', "x:1", "[::1]:9", "2026-11-23T06:00:00.9Z", "1795413600", "-1", "9" * 19, "tls", "http", "\x01ü\u2028"])
    return " ".join(cells[: rng.choice([len(cells)] * 5 + [rng.randrange(len(cells)) + 1])])


@pytest.mark.parametrize("source", DOCUMENTS)
def test_rows_are_those_of_a_reader_in_python(source):
    rng, count = random.Random(11), 0
    shapes = DOCUMENTS[source] if source in LINES else [*DOCUMENTS[source], *rng.sample(EVERY, 3)]
    for number in range(ROUNDS):
        for shape in shapes:
            if source in LINES:
                document = mutated_line(shape, rng) if number else shape
            else:
                document = mutated(shape, rng, 0.03) if number else shape
            rows = engine_rows(source, document)
            assert rows == list(rows_of(source, document if isinstance(document, str) else beyond(document))), document
            count += len(rows)
    assert count > ROUNDS


@pytest.mark.parametrize("source", ["dns", "waf", "guardduty", "securityhub", "ocsf"])
def test_documents_in_all_that_wraps_them_are_the_same_events(tmp_path, source):
    own = DOCUMENTS[source]
    want = [row for document in own for row in rows_of(source, document)]
    texts = [json.dumps(document) for document in own]
    lines = "".join(f"{text}\n" for text in texts).encode()
    log = json.dumps({"messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "s", "logEvents": [{"id": str(n), "timestamp": 1, "message": text} for n, text in enumerate(texts)]}).encode()
    blob = lambda data, pack=gzip.compress: base64.b64encode(pack(data)).decode()  # noqa: E731
    forms = {
        "lines": lines, "lines gz": gzip.compress(lines), "lines zlib": zlib.compress(lines), "members": b"".join(gzip.compress(text.encode()) for text in texts), "glued": "".join(texts).encode(),
        "records": json.dumps({"Records": own}).encode(), "findings": json.dumps({"Findings": own, "NextToken": "x"}, indent=1).encode(), "list": json.dumps(own).encode(),
        "EventBridge": "".join(json.dumps({"version": "0", "detail-type": "x", "detail": d}) for d in own).encode(), "EventBridge of the Hub": json.dumps({"detail-type": "x", "detail": {"findings": own}}).encode(),
        "subscription": log, "subscriptions glued": gzip.compress(log + b'{"messageType":"CONTROL_MESSAGE","logEvents":[]}'), "subscription to Lambda": json.dumps({"awslogs": {"data": blob(log)}}).encode(),
        "subscription in base64": blob(log).encode(), "Kinesis": json.dumps({"Records": [{"kinesis": {"partitionKey": "p", "data": blob(text.encode(), bytes)}, "eventSource": "aws:kinesis"} for text in texts]}).encode(),
        "Firehose": json.dumps({"requestId": "r", "timestamp": 1, "records": [{"recordId": "1", "data": blob(lines, bytes)}]}).encode(),
        "FilterLogEvents": json.dumps({"events": [{"timestamp": 1, "ingestionTime": 2, "message": text, "eventId": "e"} for text in texts]}).encode(),
        "SNS in SQS": json.dumps({"Records": [{"messageId": "m", "receiptHandle": "h", "body": json.dumps({"Type": "Notification", "TopicArn": "t", "Message": text})} for text in texts]}).encode(),
        "SNS to Lambda": json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": {"TopicArn": "t", "Message": text}} for text in texts]}).encode(), "tail": b"".join(f"{ISO} {text}\n".encode() for text in texts),
    }  # fmt: skip
    for name, data in forms.items():
        path = tmp_path / "x.log"
        path.write_bytes(data)
        table = read_events(path, source)
        events = [event for rows in iter(partial(table.read().next, 3), None) for event in events_in(rows)]
        assert plain_rows(events) == want, name
        assert (table.damage, table.counts["documents"]) == ([], len(own)), name
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else zlib.decompress(data) if name == "lines zlib" else data
        assert {text[int(event.ref.rpartition(" ")[2]) :][:1] for event in events} <= {b"{", data[:1]}, name


@pytest.mark.parametrize("source", LINES)
def test_lines_are_events_at_their_bytes(tmp_path, source):
    own = DOCUMENTS[source]
    text = f"\n{own[0]}\r\nnoise of others\n\n" + "\n".join(own[1:])
    log = json.dumps({"logEvents": [{"id": "1", "message": line} for line in own]})
    for data in (text.encode(), gzip.compress(text.encode())):
        (tmp_path / "a.log").write_bytes(data)
        table = read_events(tmp_path / "a.log", source)
        events = sorted(table.events(), key=lambda event: int(event.ref.rpartition(" ")[2]))
        assert [text.encode()[int(e.ref.rpartition(" ")[2]) :].decode().startswith(line) for e, line in zip(events, own)] == [True] * len(own)
        assert table.notes == [f"{tmp_path / 'a.log'}: 1 document of another kind than {source}; left out: other line (1)"]
    (tmp_path / "a.log").write_text(log)
    assert plain_rows(read_events(tmp_path / "a.log", source).events()) == plain_rows(events) or len(read_events(tmp_path / "a.log", source).events()) == len(own)


def test_deliveries_of_a_document_are_one_event(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(DNS[0]) + "\n" + json.dumps(dict(reversed(DNS[0].items())), indent=2) + "\n" + json.dumps({"Records": DNS}))
    events = read_events(tmp_path / "a.json", "dns").events()
    assert len(events) == 3
    assert len({event.key for event in events}) == 3
    (tmp_path / "a.json").write_text(json.dumps(DNS[0]) + json.dumps({**DNS[0], "srcport": "1"}))
    assert len(read_events(tmp_path / "a.json", "dns").events()) == 4


def test_of_versions_of_a_finding_the_last_counts(tmp_path):
    late = {**DUTY[0], "updatedAt": "2026-11-23T09:00:00Z", "severity": 9, "title": "later"}
    (tmp_path / "a.json").write_text(json.dumps([late, DUTY[0]]))
    (event,) = read_events(tmp_path / "a.json", "guardduty").events()
    assert (event.severity, event.attrs["title"], event.version) == ("high", "later", "2026-11-23T09:00:00Z")


def test_what_is_of_another_source_is_said(tmp_path):
    for name, source, looks in (("waf", "dns", "waf"), ("alb", "clb", "alb"), ("nlb", "guardduty", "nlb"), ("guardduty", "cloudtrail", "guardduty")):
        own = DOCUMENTS[name]
        (tmp_path / "x.log").write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in own))
        with pytest.raises(vf.NoRecordsError, match=f"no event of {source} in 1 file; it looks like {looks}"):
            vf.correlate(vf.scan(b"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1795413600 1795413660 ACCEPT OK\n"), **{source: tmp_path})


def call(minute, name, who, **more):
    return {"eventVersion": "1.09", "eventName": name, "eventSource": "ec2.amazonaws.com", "eventTime": f"2026-11-23T06:{minute:02}:00Z", "eventID": f"{name}-{minute}", "sourceIPAddress": "192.0.2.9", "recipientAccountId": "123456789012", "userIdentity": who, **more}


def session(role, name, key):
    return {"type": "AssumedRole", "arn": f"arn:aws:sts::123456789012:assumed-role/{role}/{name}", "accessKeyId": key, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::123456789012:role/{role}", "userName": role}}}


def taking(minute, who, role, name, key):
    return call(minute, "AssumeRole", who, requestParameters={"roleArn": f"arn:aws:iam::123456789012:role/{role}"}, responseElements={"credentials": {"accessKeyId": key}, "assumedRoleUser": {"arn": session(role, name, key)["arn"]}})


EVE = {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/eve", "userName": "eve", "accessKeyId": "AKIAEXAMPLEEXAMPLE12", "principalId": "AIDA"}
KEYS = [f"ASIAEXAMPLEEXAMPLE{number}" for number in (34, 56, 78)]
SERVICE = {"type": "AWSService", "invokedBy": "ec2.amazonaws.com"}


def test_a_user_is_found_in_the_sessions_of_roles(tmp_path):
    """Eve takes a role, and from that another one, whose session opens a group; somebody else has a session of it, too."""
    records = [
        call(0, "ConsoleLogin", {**EVE, "accessKeyId": ""}, additionalEventData={"MFAUsed": "No"}, responseElements={"ConsoleLogin": "Success"}), taking(1, EVE, "dev", "s1", KEYS[0]), taking(2, session("dev", "s1", KEYS[0]), "admin", "s2", KEYS[1]),
        call(3, "CreateUser", session("admin", "s2", KEYS[1])), taking(4, SERVICE, "admin", "other", KEYS[2]), call(5, "CreateAccessKey", session("admin", "other", KEYS[2])), call(6, "DescribeInstances", session("admin", "s2", KEYS[1])),
    ]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps({"Records": records}))
    flows = vf.scan(f"2 123456789012 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 {TIME} {TIME + 600} ACCEPT OK\n".encode())
    rules = [{"name": "r", "within": "1h", "by": "principal", "sequence": [{"source": "cloudtrail", "kind": "ConsoleLogin", "where": "mfa = 'No'"}, {"source": "cloudtrail", "kind": ["CreateUser", "CreateAccessKey"]}]}]
    found = vf.correlate(flows, cloudtrail=tmp_path, rules=rules)
    assert [(match.entity, [event.kind for event in match.events]) for match in found.matches] == [(EVE["arn"], ["ConsoleLogin", "CreateUser"])]
    kinds = lambda entity: [row["kind"] for row in found.about(entity)]  # noqa: E731
    hers = ["ConsoleLogin", "AssumeRole", "AssumeRole", "CreateUser", "DescribeInstances"]
    for entity in ("eve", EVE["arn"]):
        assert kinds(entity) == hers
    assert kinds(EVE["accessKeyId"]) == hers[1:]
    assert kinds(session("admin", "s2", "")["arn"]) == ["AssumeRole", "CreateUser", "DescribeInstances"] == kinds(KEYS[1])
    assert kinds("admin") == ["CreateUser", "CreateAccessKey", "DescribeInstances"]
    assert kinds("arn:aws:iam::123456789012:role/admin") == ["AssumeRole", "CreateUser", "AssumeRole", "CreateAccessKey", "DescribeInstances"]
    parts = {row["entity"]: {part["kind"] for part in row["parts"]} for row in found.risk()}
    assert parts[EVE["arn"]] >= {"ConsoleLogin", "CreateUser"}
    assert "CreateAccessKey" not in parts[EVE["arn"]]


def test_sessions_that_go_in_a_circle_end(tmp_path):
    one, two = session("a", "x", KEYS[0]), session("b", "y", KEYS[1])
    (tmp_path / "a.json").write_text(json.dumps([taking(1, one, "b", "y", KEYS[1]), taking(2, two, "a", "x", KEYS[0]), taking(3, one, "a", "x", KEYS[0]), call(4, "CreateUser", one)]))
    found = vf.correlate(vf.scan(f"2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 {TIME} {TIME + 600} ACCEPT OK\n".encode()), cloudtrail=tmp_path)
    assert "CreateUser" in {row["kind"] for row in found.about(two["arn"])}


def test_parquet_of_security_lake_is_the_same_rows(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for number, document in enumerate(OCSF):
        own = {name: value for name, value in document.items() if name != "unmapped"}
        folder = tmp_path / str(number)
        folder.mkdir()
        pq.write_table(pa.Table.from_pylist([own, own]), folder / "x.parquet")
        want = [{**row, "key": row["key"].replace("document:byte 0", f"{folder}/x.parquet:record 0")} for row in rows_of("ocsf", own)]
        if want:
            events, _ = load_events(folder, "ocsf")
            assert plain_rows(events) == want
            assert {event.ref for event in events} <= {f"{folder}/x.parquet:record {n}" for n in (0, 1)}
        else:
            with pytest.raises(vf.NoRecordsError, match=r"2 documents of another kind than ocsf; left out: row \(2\)"):
                load_events(folder, "ocsf")
