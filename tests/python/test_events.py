"""Events of CloudTrail as the engine reads them, against a reader in Python, on shapes as they are and on mutated ones."""

import datetime
import gzip
import itertools
import json
import random

import pytest

import vpcflow as vf
from conftest import LONG, ROOT
from slow_trail import beyond, documents_of, events_of, mutated
from vpcflow.correlate import Events, read_events
from vpcflow.correlate.cloudtrail import CHANGING, changes_of
from vpcflow.correlate.cloudtrail import events_of as engine_events_of
from vpcflow.correlate.sources import load_source

EXAMPLE = ROOT / "examples/correlate"
ROUNDS = 3000 if LONG else 60
WHO = {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/a/b", "accountId": "123456789012", "accessKeyId": "ASIAEXAMPLEEXAMPLE12"}
KEY = "ASIAEXAMPLEEXAMPLE34"
NUMBERS = itertools.count()
ITEM = {"ipProtocol": "tcp", "fromPort": 22, "toPort": "22"}


def record(name, asked=None, answered=None, **more):
    return {"eventVersion": "1.09", "eventName": name, "eventSource": "ec2.amazonaws.com", "eventTime": "2026-11-23T06:00:00Z", "eventID": f"id-{next(NUMBERS)}", "userIdentity": WHO, "sourceIPAddress": "192.0.2.9", "awsRegion": "eu-central-1", "recipientAccountId": "123456789012", "requestParameters": asked, "responseElements": answered, **more}


def opened(asked, answered=None, name="AuthorizeSecurityGroupIngress", **more):
    return record(name, {"groupId": "sg-0a", **asked}, answered, **more)


RANGES = {"items": [{"cidrIp": "0.0.0.0/0"}, {"cidrIp": "10.0.0.0/8", "description": 'a "b" \\ ü'}]}
SHAPES = [
    opened({"ipPermissions": {"items": [{**ITEM, "ipRanges": RANGES, "ipv6Ranges": {}, "prefixListIds": {}, "groups": {}}]}}),
    opened({"ipPermissions": {"items": [{**ITEM, "ipRanges": {}, "ipv6Ranges": {"items": [{"cidrIpv6": "::/0"}]}, "groups": {"items": [{"groupId": "sg-0b", "userId": "1"}]}}]}}),
    opened({"ipPermissions": {}, "cidrIp": "10.0.0.0/8", "ipProtocol": "udp", "fromPort": 53, "toPort": 53.0}),
    opened({"ipPermissions": {}}, {"_return": True, "securityGroupRuleSet": {"items": [{"groupId": "sg-0a", "isEgress": False, "ipProtocol": "-1", "fromPort": -1, "toPort": -1, "cidrIpv4": "0.0.0.0/0"}, {"ipProtocol": "tcp", "fromPort": 1, "toPort": 9, "referencedGroupInfo": {"groupId": "sg-0c"}}]}}),
    opened({"ipPermissions": {"items": [{"ipProtocol": "-1", "fromPort": 0, "toPort": 0, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}, name="RevokeSecurityGroupEgress"),
    opened({"groupId": None, "groupName": "web", "ipPermissions": {"item": {**ITEM, "ipRanges": [{"cidrIp": "::/0"}]}}}, None, errorCode="Client.InvalidPermission.Duplicate"),
    record("ModifySecurityGroupRules", {"ModifySecurityGroupRulesRequest": {"GroupId": "sg-0a", "SecurityGroupRule": {"SecurityGroupRuleId": "sgr-1", "SecurityGroupRule": {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "0.0.0.0/0"}, "tag": 1}}}, {"ModifySecurityGroupRulesResponse": {"return": True}}),
    record("ModifySecurityGroupRules", {"ModifySecurityGroupRulesRequest": {"GroupId": "sg-0a", "SecurityGroupRule": [{"SecurityGroupRule": {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv6": "::/0"}, "tag": 1}, {"SecurityGroupRule": {"IpProtocol": "udp", "FromPort": 1, "ToPort": 2, "ReferencedGroupId": "sg-0b"}, "tag": 2}]}}),
    record("DeleteFlowLogs", {"DeleteFlowLogsRequest": {"FlowLogId": {"tag": 1, "content": "fl-0ab"}}}, {"DeleteFlowLogsResponse": {"unsuccessful": "", "requestId": "x"}}),
    record("CreateFlowLogs", {"CreateFlowLogsRequest": {"ResourceId": {"content": "eni-1"}}}, {"CreateFlowLogsResponse": {"flowLogIdSet": {"item": "fl-0cd"}}}),
    record("ConsoleLogin", None, {"ConsoleLogin": "Success"}, additionalEventData={"MFAUsed": "No", "LoginTo": "x"}, eventSource="signin.amazonaws.com"),
    record("ConsoleLogin", None, {"ConsoleLogin": "Failure"}, additionalEventData={"MFAUsed": "No"}, userIdentity={"type": "Root", "principalId": "1", "arn": ""}),
    record("RunInstances", {"instanceType": "m5.large", "minCount": 1, "ebsOptimized": False}, {"instancesSet": {"items": [{"instanceId": "i-0a", "instanceType": "m5.xlarge", "privateIpAddress": "10.0.0.1", "networkInterfaceSet": {"items": [{"networkInterfaceId": "eni-0a", "groupSet": {"items": [{"groupId": "sg-0a"}]}}]}}, {"instanceId": "i-0b", "imageId": 5}, {"noId": 1}]}}),
    record("RunInstances", {"instancesSet": {"items": [{"imageId": "ami-1"}]}}, None, errorCode="Client.UnauthorizedOperation", errorMessage="no"),
    record("GetObject", {"bucketName": "b", "key": "a/i-0a.txt", "x-amz-y": 1, "größe": 2}, None, readOnly=True, sourceIPAddress="s3.amazonaws.com", userIdentity={"type": "AWSService", "invokedBy": "s3.amazonaws.com"}, additionalEventData={"bytesTransferredOut": 1.5e6}),
    record("AssociateAddress", {"publicIp": "198.51.100.7", "networkInterfaceId": "eni-0a"}, {"_return": True}, eventID=None, eventTime=1795413600123),
    record("GetObject", {}, userIdentity={"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/a/eve", "accessKeyId": KEY, "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::123456789012:role/a", "userName": "a"}, "attributes": {"mfaAuthenticated": "true", "creationDate": "x"}, "sourceIdentity": "eve", "webIdFederationData": {}}}),
    record("AssumeRole", {"roleArn": "arn:aws:iam::123456789012:role/a", "roleSessionName": "eve"}, {"credentials": {"accessKeyId": KEY, "expiration": "Nov 23, 2026 7:00:00 AM"}, "assumedRoleUser": {"arn": "arn:aws:sts::123456789012:assumed-role/a/eve"}}, userIdentity={"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/eve", "userName": "eve", "accessKeyId": "AKIAEXAMPLEEXAMPLE12"}),
    record("GetFederationToken", {"name": "bob"}, {"credentials": {"accessKeyId": "ASIAEXAMPLEEXAMPLE56"}, "federatedUser": {"arn": "arn:aws:sts::123456789012:federated-user/bob"}}),
    record("AssumeRoleWithSAML", {"roleArn": "r"}, {"credentials": {"accessKeyId": "ASIAEXAMPLEEXAMPLE78"}}, userIdentity={"type": "SAMLUser", "principalId": "x=:eve@example.com", "userName": "eve@example.com", "identityProvider": "x="}),
    record("AssumeRoleWithWebIdentity", {"roleArn": "r"}, None, userIdentity={"type": "WebIdentityUser", "principalId": "arn:aws:iam::1:oidc-provider/x:aud:sub", "userName": "repo:o/r", "identityProvider": "arn:aws:iam::1:oidc-provider/x"}),
    record("ListApplications", None, None, userIdentity={"type": "IdentityCenterUser", "accountId": "123456789012", "onBehalfOf": {"userId": "544894e8-80c1-707f-60e3-3ba6510dfac1", "identityStoreArn": "arn:aws:identitystore::1:identitystore/d-1"}, "credentialId": "90e292de"}, eventVersion="1.11"),
    record("GetFederatedThing", None, None, userIdentity={"type": "FederatedUser", "arn": "arn:aws:sts::123456789012:federated-user/bob", "sessionContext": {"sessionIssuer": {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/eve", "userName": "eve"}}}),
    {name: value for name, value in record("Decrypt", None, None, addendum={"reason": "UPDATED_DATA", "originalEventID": "id-first", "updatedFields": "x"}).items() if name != "userIdentity"},
    {"eventVersion": "1.09", "eventTime": "2026-11-23T06:00:00Z", "awsRegion": "eu-central-1", "eventID": "id-insight", "eventType": "AwsCloudTrailInsight", "recipientAccountId": "123456789012", "insightDetails": {"state": "Start", "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "insightType": "ApiCallRateInsight", "insightContext": {}}, "eventCategory": "Insight"},
    {"eventVersion": "1.0", "accountId": "123456789012", "eventId": "id-sum", "eventCategory": "Aggregated", "eventType": "AwsAggregatedEvent", "awsRegion": "eu-central-1", "eventSource": "s3.amazonaws.com", "timeWindow": {"windowStart": "2026-11-23T06:00:00Z", "windowEnd": "2026-11-23T06:05:00Z", "windowSize": "PT5M"}, "summary": {"primaryDimension": {"dimension": "eventName", "statistics": [{"name": "GetObject", "value": 7}]}}},
    {"awsAccountId": "1", "digestStartTime": "2026-11-23T06:00:00Z", "logFiles": [{"s3Object": "x"}]},
]  # fmt: skip
def rows_of(events):
    return [{**{n: v for n, v in event.as_dict().items() if n != "ref"}, "key": event.key, "version": event.version} for event in events]


def expected(documents, ref="document:byte 0"):
    return [row for document in documents for row in events_of(beyond(document), ref)]


def test_rows_are_those_of_a_reader_in_python():
    rng, count = random.Random(7), 0
    assert len(expected(SHAPES)) > len(SHAPES)
    for number in range(ROUNDS + 1):
        for shape in SHAPES:
            document = mutated(shape, rng) if number else shape
            rows = rows_of(engine_events_of(document, "document:byte 0"))
            assert rows == expected([document]), document
            count += len(rows)
    assert count > 8 * ROUNDS


def test_files_in_all_forms_give_the_same_events_at_their_bytes(tmp_path):
    want = expected([s for s in SHAPES if s.get("eventID") or s.get("eventId")])
    text = json.dumps({"Records": SHAPES[:-1]})
    lookup = [{"EventId": s.get("eventID"), "CloudTrailEvent": json.dumps(s)} for s in SHAPES]
    forms = {
        "a.json": text, "b.json": json.dumps({"Records": SHAPES}, indent=2), "c.json": json.dumps(SHAPES), "d.jsonl": "".join(json.dumps(s) + "\n" for s in SHAPES),
        "e.json": "".join(json.dumps({"detail-type": "AWS API Call via CloudTrail", "detail": s}) + "\n" for s in SHAPES), "f.json": json.dumps({"Events": lookup, "NextToken": "x"}),
        "g.json": json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": json.dumps(s)} for s in SHAPES]}),
        "h.json": "".join(json.dumps({"Records": [s]}) for s in SHAPES), "i.log": "".join(f"2026-11-23T06:00:00.000Z {json.dumps(s, ensure_ascii=False)}\n" for s in SHAPES),
    }  # fmt: skip
    for name, form in forms.items():
        data = form.encode()
        path = tmp_path / name
        path.write_bytes(gzip.compress(data, mtime=0) if name < "d" else data)
        table = read_events(path)
        events = table.events()
        got = sorted((row for row in rows_of(events) if row["key"].startswith("id-")), key=lambda r: r["key"])
        assert got == sorted({row["key"]: row for row in want}.values(), key=lambda r: r["key"]), name
        assert table.counts["events"] == len(SHAPES) - 1
        assert table.notes == ([] if name == "a.json" else [f"{path}: 1 document of another kind than cloudtrail; left out: digest of CloudTrail's files (1)"])
        if name != "i.log":
            assert len(list(documents_of(path.read_bytes()))) == table.counts["documents"] or name == "g.json" or name == "h.json"
        places = {int(event.ref.rpartition(" ")[2]) for event in events}
        assert len(places) >= 13
        assert all(data[place:].lstrip()[:1] == b"{" for place in places)


def test_columns_are_arrow_and_the_same_as_the_events(tmp_path):
    pa = pytest.importorskip("pyarrow")
    (tmp_path / "a.json").write_text(json.dumps({"Records": SHAPES * 330}))
    batches = list(pa.RecordBatchReader.from_stream(read_events(tmp_path)))
    assert len(batches) > 1
    table = pa.Table.from_batches(batches[:1])
    events = list(read_events(tmp_path).events())
    own = pa.table(Events(events))
    assert own.schema == table.schema
    keys = [str(key) for key in own["key"].to_pylist()]
    assert keys == [event.key for event in events]
    first = dict(zip(table["key"].to_pylist(), table.to_pylist()))
    for row in [row for row in own.to_pylist() if row["key"] in first][:50]:
        other = first[row["key"]]
        assert json.loads(row.pop("attrs")) == json.loads(other.pop("attrs"))
        assert json.loads(row.pop("entities")) == json.loads(other.pop("entities"))
        assert {**row, "byte": 0} == {**other, "byte": 0}
    assert own["time"][0].as_py() == datetime.datetime(2026, 11, 23, 6, tzinfo=datetime.timezone.utc)
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises((pa.ArrowException, OSError), match="no event in 1 file"):
        pa.table(read_events(tmp_path))


def test_what_is_not_chosen_is_counted(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(SHAPES))
    changes, every = [], []
    chosen = load_source(tmp_path, "cloudtrail", changes, kinds=["consolelogin"])
    assert {e.kind for e in chosen.events} == {"ConsoleLogin", "AssumeRole", "GetFederationToken", "AssumeRoleWithSAML"} | {s["eventName"] for s in SHAPES if s.get("eventName") in CHANGING}
    for shape in SHAPES:
        every += changes_of(shape)
    assert changes == every != []
    whole = load_source(tmp_path, "cloudtrail")
    assert (whole.count, whole.first, whole.last) == (chosen.count, chosen.first, chosen.last) == (len(SHAPES) - 1, 1795413600, 1795413900)
    assert {e.key for e in read_events(tmp_path, entities=["eni-0a"]).events()} == {e.key for e in whole.events if "eni-0a" in e.entities} != set()
    table = read_events(tmp_path, kinds=["Nothing"])
    assert len(table.events()) == 0
    assert table.counts["kinds"]["RunInstances"] == 2


@pytest.mark.parametrize(("call", "says"), [(lambda: read_events(EXAMPLE, "cloudtrial"), "did you mean 'cloudtrail'"), (lambda: read_events(EXAMPLE, kinds="A"), "expected lists"), (lambda: read_events("none/"), "no such file or folder"), (lambda: read_events(EXAMPLE / "guardduty").events(), "no event of cloudtrail in 1 file")])
def test_what_cannot_be_read_is_said(call, says):
    with pytest.raises(vf.VpcflowError, match=says):
        call()


def test_what_rules_do_not_ask_for_is_still_counted_and_found_about_an_entity(tmp_path):
    trail = tmp_path / "trail"
    trail.mkdir()
    (trail / "a.json").write_text((next((EXAMPLE / "cloudtrail").glob("*.json"))).read_text())
    (trail / "b.json").write_text(json.dumps([record("GetObject", {"bucketName": "b"}, sourceIPAddress="10.0.1.10", eventTime="2026-11-23T06:50:00Z"), record("DescribeInstances", {"x": "i-0aaa000000000001"}, eventTime="2026-11-24T06:50:00Z")]))
    flows = vf.scan(EXAMPLE / "flow.log.gz")
    found = vf.correlate(flows, cloudtrail=trail)
    assert "9 of cloudtrail" in found.conclusion()
    assert "GetObject" not in {event.kind for event in found.events}
    about = {row["kind"] for row in found.about("i-0aaa000000000001")}
    assert about >= {"GetObject", "DescribeInstances"}
    rules = [{"name": "r", "within": "48h", "sequence": [{"source": "cloudtrail", "where": "kind = 'GetObject' or kind in ('createuser', 'x')"}, {"source": "cloudtrail", "kind": "DescribeInstances"}], "by": "account"}]
    assert [m.end for m in vf.correlate(flows, cloudtrail=trail, rules=rules).matches] == [1795503000]
    whole = [{**rules[0], "sequence": [{"source": "cloudtrail", "where": "kind like 'GetO*'"}, {"source": "cloudtrail"}]}]
    assert len(vf.correlate(flows, cloudtrail=trail, rules=whole).matches) == 1
