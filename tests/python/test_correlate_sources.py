"""Sources of events in the shapes that AWS writes them: access logs, WAF, Security Hub, OCSF, Config."""

import copy
import json

import pytest

import vpcflow as vf
from vpcflow.correlate import of
from vpcflow.correlate.cloudtrail import events_of
from vpcflow.correlate.config import add_config
from vpcflow.correlate.entities import Entities
from vpcflow.correlate.sources import KINDS, load_events

TIME = 1_795_413_600  # 2026-11-23 06:00:00


def loaded(tmp_path, source, *documents, name="a.json"):
    (tmp_path / name).write_text("".join(d if isinstance(d, str) else json.dumps(d) + "\n" for d in documents))
    return load_events(tmp_path / name, source)


def test_lines_of_network_load_balancers(tmp_path):
    line = "tls 2.0 2026-11-23T06:00:40 net/front/1 abcd 192.0.2.9:51341 10.0.0.1:443 30000 2 98 246 - arn:aws:acm:x:1:certificate/c - ECDHE tlsv12 - www.example.com h2 - - 2026-11-23T06:00:10\n"
    older = "tls 1.0 2026-11-23T06:00:40 net/front/1 abcd [2001:db8::1]:51341 10.0.0.1:443 30000 2 98 246 - - - - - - -\n"
    events, notes = loaded(tmp_path, "nlb", line, older, "noise\n", name="a.log")
    assert notes == [f"{tmp_path}/a.log: 1 document of another kind than nlb; left out: other line (1)"]
    assert sorted((e.time - TIME, e.end - TIME, e.entities) for e in events) == [(10, 40, ("192.0.2.9", "10.0.0.1")), (10, 40, ("2001:db8::1", "10.0.0.1"))]
    (one,) = [e for e in events if "host" in e.attrs]
    assert (one.attrs["received"], one.attrs["sent"], one.attrs["host"], one.attrs["tls_version"]) == (98, 246, "www.example.com", "tlsv12")


WAF = {
    "timestamp": TIME * 1000, "formatVersion": 1, "webaclId": "arn:aws:wafv2:eu-central-1:123456789012:regional/webacl/w/1", "terminatingRuleId": "block-bots",
    "action": "BLOCK", "httpSourceName": "ALB", "httpSourceId": "123456789012-app/front/1", "ruleGroupList": [], "httpRequest": {
        "clientIp": "192.0.2.9", "country": "DE", "headers": [{"name": "Host", "value": "www.example.com"}, {"name": "User-Agent", "value": "bot"}],
        "uri": "/login", "args": "", "httpVersion": "HTTP/2.0", "httpMethod": "POST", "requestId": "r-1"},
}  # fmt: skip


def test_requests_that_waf_judged(tmp_path):
    ((event,), _) = loaded(tmp_path, "waf", WAF, WAF)  # delivered twice
    assert (event.time, event.kind, event.entities) == (TIME, "request", ("192.0.2.9",))
    assert {n: event.attrs[n] for n in ("client", "action", "ruleId", "country", "method", "request", "host", "userAgent")} == {
        "client": "192.0.2.9", "action": "BLOCK", "ruleId": "block-bots", "country": "DE", "method": "POST", "request": "/login", "host": "www.example.com", "userAgent": "bot"}  # fmt: skip


ASFF = {
    "SchemaVersion": "2018-10-08", "Id": "arn:aws:guardduty:eu-central-1:123456789012:detector/d/finding/f1", "ProductName": "GuardDuty",
    "ProductArn": "arn:aws:securityhub:eu-central-1::product/aws/guardduty", "GeneratorId": "arn:aws:guardduty:eu-central-1:123456789012:detector/d", "AwsAccountId": "123456789012",
    "Types": ["TTPs/Command and Control/Backdoor:EC2-C&CActivity.B"], "Region": "eu-central-1", "FirstObservedAt": "2026-11-23T06:00:00.000Z",
    "LastObservedAt": "2026-11-23T06:30:00.000Z", "CreatedAt": "2026-11-23T07:00:00Z", "UpdatedAt": "2026-11-23T07:00:00Z", "Title": "t", "RecordState": "ACTIVE",
    "Severity": {"Label": "HIGH", "Normalized": 70}, "Action": {"ActionType": "NETWORK_CONNECTION", "NetworkConnectionAction": {"RemoteIpDetails": {"IpAddressV4": "198.51.100.9"}}},
    "Resources": [{"Type": "AwsEc2Instance", "Id": "arn:aws:ec2:eu-central-1:123456789012:instance/i-1", "Details": {"AwsEc2Instance": {"IpV4Addresses": ["10.0.0.1"], "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]}}}],
}  # fmt: skip
OWN = {**ASFF, "Id": "vpcflow/x", "ProductArn": "arn:aws:securityhub:eu-central-1:123456789012:product/123456789012/default", "GeneratorId": "vpcflow/port_scan", "ProductName": "Default"}


def test_findings_of_security_hub_and_ours_do_not_go_round(tmp_path):
    other = {**ASFF, "Id": "i2", "ProductArn": "arn:aws:securityhub:eu-central-1::product/aws/inspector", "ProductName": "Inspector", "Severity": {"Label": "INFORMATIONAL"}, "Types": []}
    third = {**OWN, "Id": "i3", "GeneratorId": "their/tool"}  # of another program of the account
    events, notes = loaded(tmp_path, "securityhub", {"Findings": [ASFF, OWN, other]})
    events += loaded(tmp_path, "securityhub", {"detail-type": "Security Hub Findings - Imported", "detail": {"findings": [third]}}, name="b.json")[0]
    assert notes == [f"{tmp_path}/a.json: 1 finding of vpcflow itself left out"]
    assert sorted((e.source, e.kind, e.severity, e.key) for e in events) == [
        ("guardduty", "Backdoor:EC2/C&CActivity.B", "high", "f1"), ("securityhub", "Inspector", "", "i2"), ("securityhub", "TTPs/Command and Control/Backdoor:EC2-C&CActivity.B", "high", "i3")]  # fmt: skip
    (one,) = [e for e in events if e.source == "guardduty"]
    assert (one.time, one.end, one.entities) == (TIME, TIME + 1800, ("i-1", "10.0.0.1", "eni-1", "198.51.100.9", "123456789012"))
    native = {"id": "f1", "type": "Backdoor:EC2/C&CActivity.B", "severity": 8, "updatedAt": "2026-11-23T06:45:00Z", "service": {"eventFirstSeen": "2026-11-23T06:00:00Z", "eventLastSeen": "2026-11-23T06:30:00Z"}}
    assert len(events + loaded(tmp_path, "guardduty", native, name="g.json")[0]) == 3  # the same finding by either way is one
    with pytest.raises(vf.NoRecordsError, match="1 finding of vpcflow itself"):
        loaded(tmp_path, "securityhub", OWN)


def test_what_we_send_to_security_hub_is_known_again(tmp_path):
    from vpcflow.siem.asff import Hub, asff

    finding = vf.Finding("port_scan", "high", "10.0.0.1", [], TIME, TIME + 1, 0.9, "T1046", {}, {}, "s")
    (tmp_path / "a.json").write_text(json.dumps(asff(finding, Hub("123456789012", "eu-central-1"))))
    with pytest.raises(vf.NoRecordsError, match="1 finding of vpcflow itself left out"):
        load_events(tmp_path, "securityhub")


ISSUER = {"type": "Role", "arn": "arn:aws:iam::123456789012:role/a"}
TRAIL = [
    {"eventVersion": "1.09", "eventTime": "2026-11-23T06:00:00Z", "eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com", "awsRegion": "eu-central-1", "sourceIPAddress": "192.0.2.9",
     "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/eve", "principalId": "AIDAEXAMPLE", "accountId": "123456789012"}, "eventID": "e1", "recipientAccountId": "123456789012",
     "userAgent": "curl", "additionalEventData": {"MFAUsed": "No", "LoginTo": "x"}, "responseElements": {"ConsoleLogin": "Success"}, "requestParameters": None, "readOnly": False},
    {"eventVersion": "1.09", "eventTime": "2026-11-23T06:01:00Z", "eventName": "AuthorizeSecurityGroupIngress", "eventSource": "ec2.amazonaws.com", "awsRegion": "eu-central-1", "sourceIPAddress": "cloudformation.amazonaws.com",
     "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/a/b", "principalId": "AROA:b", "accountId": "123456789012", "accessKeyId": "ASIAEXAMPLEEXAMPLE1", "sessionContext": {"sessionIssuer": ISSUER, "attributes": {"mfaAuthenticated": "false"}}}, "eventID": "e2",
     "recipientAccountId": "123456789012", "userAgent": "curl", "readOnly": False, "requestParameters": {"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}},
     "responseElements": None},
    {"eventVersion": "1.09", "eventTime": "2026-11-23T06:02:00Z", "eventName": "DeleteFlowLogs", "eventSource": "ec2.amazonaws.com", "awsRegion": "eu-central-1", "sourceIPAddress": "192.0.2.9",
     "userIdentity": {"type": "Root", "arn": "arn:aws:iam::123456789012:root", "accountId": "123456789012"}, "eventID": "e3", "recipientAccountId": "123456789012", "userAgent": "curl", "readOnly": False,
     "errorCode": "Client.UnauthorizedOperation", "requestParameters": {"DeleteFlowLogsRequest": {"FlowLogId": {"content": "fl-1"}}}, "responseElements": None},
]  # fmt: skip


def security_lake(record, version):
    """A record as Security Lake has it: classes, paths and what is left unmapped differ with the version."""
    who, rc2 = record["userIdentity"], version == "1.0.0-rc.2"
    login = record["eventName"] == "ConsoleLogin"
    user = {"type": who["type"], "credential_uid": who.get("accessKeyId"), "name": None}
    user |= {"uid": who.get("principalId"), "uuid": who["arn"], "account_uid": who["accountId"]} if rc2 else {"uid": who["arn"], "uid_alt": who.get("principalId"), "account": {"uid": who["accountId"]}}
    account = {"account_uid": record["recipientAccountId"]} if rc2 else {"account": {"uid": record["recipientAccountId"]}}
    address = record["sourceIPAddress"]
    event = {
        "class_uid": 3002 if login else 3005 if rc2 else 6003, "type_uid": 300299 if login else 600399, "time": TIME * 1000 + 60_000 * int(record["eventTime"][14:16]),
        "metadata": {"product": {"name": "CloudTrail", "vendor_name": "AWS", "version": record["eventVersion"]}, "version": version, "uid": record["eventID"]},
        "actor": {"user": user, "session": {"mfa": False, "issuer": ISSUER["arn"]} if "sessionContext" in who else None}, "cloud": {"provider": "AWS", "region": record["awsRegion"], **account}, "severity_id": 1,
        "api": {"operation": record["eventName"], "service": {"name": record["eventSource"]}, "request": {"uid": "r"}, "response": {"error": record.get("errorCode")}},
        "http_request": {"user_agent": record["userAgent"]}, "src_endpoint": {"ip": address} if address[0].isdigit() else {"domain": address},
        "unmapped": {"readOnly": str(record["readOnly"]).lower()}, "status": "Success",
    }  # fmt: skip
    if version == "1.5.0":
        event["api"]["request"]["data"] = json.dumps(record["requestParameters"])
        event["api"]["response"]["data"] = json.dumps(record["responseElements"])
        event |= {"is_mfa": False} if login else {}
    else:
        event["unmapped"] |= {"requestParameters": record["requestParameters"], "responseElements": record["responseElements"]}
        event["unmapped"] |= {"additionalEventData.MFAUsed": "No"} if login else {}
    return event


@pytest.mark.parametrize("version", ["1.0.0-rc.2", "1.1.0", "1.5.0"])
@pytest.mark.parametrize("source", ["ocsf", "cloudtrail"])
def test_forms_of_ocsf_are_the_rows_of_the_originals(tmp_path, version, source):
    rows = lambda events: [{k: v for k, v in row.items() if k != "ref"} for row in events.rows()]  # noqa: E731
    wanted, _ = loaded(tmp_path, "cloudtrail", *TRAIL)
    found, notes = loaded(tmp_path, source, *(security_lake(record, version) for record in TRAIL), name="b.json")
    assert rows(found) == rows(wanted)
    assert notes == []
    assert {e.key for e in found} == {e.key for e in wanted}


def test_parquet_of_security_lake(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    events = [security_lake(record, "1.5.0") for record in TRAIL]
    for event in events:
        event["unmapped"] = list(event["unmapped"].items())  # a map
        event.pop("is_mfa", None)
        if event["api"]["operation"] == "ConsoleLogin":
            event["unmapped"] += [("additionalEventData.MFAUsed", "No")]
    schema = pa.Table.from_pylist([{**e, "unmapped": None} for e in events]).schema
    schema = schema.set(schema.get_field_index("unmapped"), pa.field("unmapped", pa.map_(pa.string(), pa.string())))
    pq.write_table(pa.Table.from_pylist(events, schema=schema), tmp_path / "x.gz.parquet", row_group_size=2)
    found, _ = load_events(tmp_path / "x.gz.parquet", "ocsf")
    assert [e.attrs for e in found] == [e.attrs for r in TRAIL for e in events_of(r, "")]
    (tmp_path / "x.gz.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(vf.NoRecordsError, match="no Parquet behind row 0"):
        load_events(tmp_path, "ocsf")


@pytest.mark.parametrize("rc2", [True, False])
def test_queries_requests_and_findings_of_ocsf(tmp_path, rc2):
    account = {"account_uid": "123456789012"} if rc2 else {"account": {"uid": "123456789012"}}
    cloud, version = {"region": "eu-central-1", **account}, "1.0.0-rc.2" if rc2 else "1.1.0"
    meta = lambda name, **more: {"product": {"name": name, "vendor_name": "AWS", **more}, "version": version}  # noqa: E731
    dns = {"class_uid": 4003, "type_uid": 400302 if rc2 else 400306, "time": TIME * 1000, "metadata": meta("Route 53"), "cloud": cloud, "query": {"hostname": "bad.example.", "type": "A"}, "rcode": "NoError",
           "answers": [{"rdata": "198.51.100.9", "type": "A"}], "disposition": "Alert", "src_endpoint": {"ip": "10.0.0.1", "vpc_uid": "vpc-1", "instance_uid": "i-1"}}  # fmt: skip
    waf = {"class_uid": 4002, "time": TIME * 1000, "metadata": meta("AWS WAF", feature={"uid": "acl"}), "disposition": "Blocked", "firewall_rule": {"uid": "block-bots"},
           "http_request": {"http_method": "POST", "url": {"path": "/login"}, "http_headers": [{"name": "Host", "value": "www.example.com"}]}, "src_endpoint": {"ip": "192.0.2.9", "location": {"country": "DE"}}}  # fmt: skip
    info = {"uid": "arn:aws:guardduty:eu-central-1:123456789012:detector/d/finding/f1", "title": "t", "types": ["TTPs/x/Backdoor:EC2-C&CActivity.B"], "first_seen_time": TIME * 1000, "last_seen_time": TIME * 1000 + 1_800_000}
    found = {"class_uid": 2001 if rc2 else 2004, "time": TIME * 1000, "metadata": meta("GuardDuty", uid="arn:aws:securityhub:eu-central-1::product/aws/guardduty"), "cloud": cloud, "severity_id": 4,
             "finding" if rc2 else "finding_info": info, "resources": [{"uid": "arn:aws:ec2:eu-central-1:123456789012:instance/i-1"}], "evidences": [{"src_endpoint": {"ip": "198.51.100.9"}}]}  # fmt: skip
    own = {**found, "metadata": meta("vpcflow")}
    flow = {"class_uid": 4001, "time": TIME * 1000, "metadata": meta("Amazon VPC")}
    events, notes = loaded(tmp_path, "ocsf", dns, waf, found, own, flow, {"class_uid": 7}, {})
    assert notes == [f"{tmp_path}/a.json: 4 documents of another kind than ocsf; left out: class {2001 if rc2 else 2004} of OCSF (1); class 4001 of OCSF (1); empty object (1); others (1)"]
    got = {e.source: e for e in events}
    assert sorted(got) == ["dns", "guardduty", "waf"]
    assert (got["dns"].attrs["query_name"], got["dns"].attrs["firewall_rule_action"], got["dns"].severity, got["dns"].entities) == ("bad.example", "ALERT", "medium", ("i-1", "10.0.0.1", "198.51.100.9"))
    assert (got["dns"].attrs["account_id"], got["dns"].attrs["vpc_id"], got["dns"].attrs["rcode"]) == ("123456789012", "vpc-1", "NOERROR")
    assert (got["waf"].attrs["action"], got["waf"].attrs["ruleId"], got["waf"].entities) == ("BLOCK", "block-bots", ("192.0.2.9",))
    assert (got["guardduty"].kind, got["guardduty"].severity, got["guardduty"].entities) == ("Backdoor:EC2/C&CActivity.B", "high", ("i-1", "198.51.100.9", "123456789012"))
    assert (got["guardduty"].time, got["guardduty"].end) == (TIME, TIME + 1800)


CARD = {"networkInterfaceId": "eni-1", "privateIpAddress": "10.0.0.1", "interfaceType": "interface", "groups": [{"groupId": "sg-1"}], "attachment": {"instanceId": "i-1"}, "association": {"publicIp": "198.51.100.1"}}


def item(kind, name, minutes, configuration, status="OK"):
    return {"resourceType": f"AWS::EC2::{kind}", "resourceId": name, "configurationItemCaptureTime": f"2026-11-23T06:{minutes:02}:00.000Z", "configurationItemStatus": status, "configuration": configuration}


def test_items_of_config_say_who_had_what_when(tmp_path):
    moved = {**CARD, "groups": [{"groupId": "sg-2"}], "association": {}}
    snapshot = {"fileVersion": "1.0", "configSnapshotId": "s", "configurationItems": [item("NetworkInterface", "eni-1", 0, CARD), item("NatGateway", "nat-1", 0, {"natGatewayAddresses": [{"publicIp": "198.51.100.7"}]})]}
    history = {"configurationItems": [item("NetworkInterface", "eni-1", 20, json.dumps(moved)), item("NetworkInterface", "eni-1", 40, None, "ResourceDeleted")]}
    change = {"detail-type": "Config Configuration Item Change", "detail": {"configurationItem": item("EIP", "eipalloc-1", 30, {"publicIp": "198.51.100.1", "networkInterfaceId": "eni-2"}), "messageType": "ConfigurationItemChangeNotification"}}
    vm = item("Instance", "i-3", 5, {"networkInterfaces": [{"networkInterfaceId": "eni-3", "privateIpAddress": "10.0.0.3", "groups": [{"groupId": "sg-3"}]}]})
    for name, document in (("a", snapshot), ("b", history), ("c", change), ("d", vm), ("e", {"x": 1})):
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    entities = Entities()
    assert add_config(entities, tmp_path) == [f"{tmp_path}: 1 document of another kind than items of AWS Config; left out"]
    at = lambda relation, one, minute: [(s.other, s.by) for s in entities.spans(relation, one, TIME + 60 * minute, TIME + 60 * minute)]  # noqa: E731
    assert [at("group", "eni-1", minute) for minute in (10, 30, 50)] == [[("sg-1", "config")], [("sg-2", "config")], []]
    assert [at("address", "198.51.100.1", minute) for minute in (10, 25, 35)] == [[("eni-1", "config")], [], [("eni-2", "config")]]
    assert (at("instance", "eni-1", 10), at("instance", "eni-3", 10), at("address", "10.0.0.3", 10), at("address", "10.0.0.3", 2)) == ([("i-1", "config")], [("i-3", "config")], [("eni-3", "config")], [])
    assert entities.shared == {"198.51.100.7"}
    with pytest.raises(vf.NoRecordsError, match="no item of AWS Config"):
        add_config(entities, tmp_path / "e.json")


def test_a_rule_over_all_of_them_by_the_command(tmp_path):
    """A bot is blocked by WAF, then comes in elsewhere; Config says whose group it was."""
    (tmp_path / "waf.json").write_text(json.dumps(WAF))
    (tmp_path / "config.json").write_text(json.dumps(item("NetworkInterface", "eni-1", 0, CARD)))
    log = f"2 123456789012 eni-1 192.0.2.9 10.0.0.1 40000 22 6 1 40 {TIME + 60} {TIME + 65} ACCEPT OK\n2 123456789012 eni-2 192.0.2.9 10.0.0.2 40000 22 6 1 40 {TIME + 30} {TIME + 35} ACCEPT OK\n"
    steps = [{"source": "waf", "where": "action in ('BLOCK', 'CAPTCHA')", "bind": {"who": "client"}}, {"source": "flows", "where": "action = 'ACCEPT' and srcaddr = $who", "entity_in": "sg-1"}]
    rules = of([{"name": "blocked-then-in", "sequence": steps, "within": "1h"}])
    (match,) = vf.correlate(vf.scan(log.encode()), waf=tmp_path / "waf.json", config=tmp_path / "config.json", rules=rules).matches
    assert match.entity == "i-1" or match.events[1].attrs["interface_id"] == "eni-1"
    assert match.could_not_see == ()


@pytest.mark.parametrize("source", [*KINDS, "ocsf"])
def test_documents_of_other_kinds_are_none_of_a_source(tmp_path, source):
    deep = copy.deepcopy(ASFF)
    for _ in range(600):
        deep["Resources"] = [deep["Resources"]] if len(json.dumps(deep)) % 2 else {"x": deep["Resources"]}
    documents = [{"x": 1}, [], 7, "text", None, {"class_uid": 4001, "metadata": {}}, {"class_uid": "x", "metadata": []}, {"Records": []}]
    for hostile in (documents, [deep, deep], [b"\x00\xff"]):
        (tmp_path / "h.json").write_bytes(hostile[0] if isinstance(hostile[0], bytes) else "\n".join(map(json.dumps, hostile)).encode())
        if source == "securityhub" and hostile[0] is deep:
            assert len(load_events(tmp_path / "h.json", source)[0]) <= 1
            continue
        with pytest.raises(vf.NoRecordsError, match=f"no event of {source} in 1 file"):
            load_events(tmp_path / "h.json", source)
