"""Audits: what is recorded and what is not, with the exact rows; and the plan that mends it."""

import json

import pytest

import vpcflow as vf
from conftest import ROOT, run_cli
from enable_cases import (
    ACCOUNT,
    MANAGED,
    PORT_SCAN,
    S3,
    V2,
    attachment,
    eni,
    flow_log,
    inventory,
    subnet,
    to_group,
    vpc,
)
from vpcflow import enable
from vpcflow.enable.audit import FINE, VERDICTS, mending_plan

NET = {"Vpcs": [vpc("vpc-1")], "Subnets": [subnet("subnet-1")], "NetworkInterfaces": [eni("eni-1")]}
FAILED = {"DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error"}
TGW = {"TransitGateways": [{"TransitGatewayId": "tgw-1", "OwnerId": ACCOUNT}], "TransitGatewayAttachments": [attachment("tgw-attach-1")]}
NAT = {"NatGatewayId": "nat-1", "AvailabilityMode": "regional", "State": "available"}

# Each scenario: the answers, options, and for resources the verdicts, flow logs and sentences.
SCENARIOS = {
    "nothing": ({**NET, "FlowLogs": []}, {}, {
        "eni-1": (["none"], [], ["no flow log covers eni-1"]),
        "subnet-1": (["none"], [], ["no flow log covers subnet-1, nor 1 of its 1 interface"]),
        "vpc-1": (["none"], [], ["no flow log covers vpc-1, nor 1 of its 1 interface"]),
    }),
    "the VPC's flow log covers": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1")]}, {}, {
        one: (["ok"], ["fl-1"], ["it is recorded as it should be"]) for one in ("eni-1", "subnet-1", "vpc-1")
    }),
    "accepted and rejected add up": ({**NET, "FlowLogs": [
        flow_log("fl-1", "vpc-1", TrafficType="ACCEPT"), flow_log("fl-2", "subnet-1", TrafficType="REJECT")]}, {}, {
        "eni-1": (["ok"], ["fl-1", "fl-2"], ["it is recorded as it should be"]),
        "subnet-1": (["ok"], ["fl-1", "fl-2"], ["it is recorded as it should be"]),
        "vpc-1": (["only_accept"], ["fl-1"], ["fl-1: traffic that is rejected is not recorded"]),
    }),
    "rejected alone": ({**NET, "FlowLogs": [flow_log("fl-1", "eni-1", TrafficType="REJECT")]}, {}, {
        "eni-1": (["only_reject"], ["fl-1"], ["fl-1: traffic that is accepted is not recorded"]),
    }),
    "two into one place": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1"), flow_log("fl-2", "eni-1", LogDestination=f"{S3}/")]}, {}, {
        "eni-1": (["bytes_twice"], ["fl-1", "fl-2"], ["every byte is delivered twice to s3://flow-logs: by fl-2 of eni-1 and fl-1 of vpc-1"]),
        "vpc-1": (["ok"], ["fl-1"], ["it is recorded as it should be"]),
    }),
    "two into two places": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1"), flow_log("fl-2", "eni-1", LogDestination=f"{S3}/x")]}, {}, {
        "eni-1": (["ok"], ["fl-1", "fl-2"], ["it is recorded as it should be"]),
    }),
    "all and accepted into one place": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1"), flow_log("fl-2", "vpc-1", TrafficType="ACCEPT")]}, {}, {
        "eni-1": (["bytes_twice"], ["fl-1", "fl-2"], ["every byte is delivered twice to s3://flow-logs: by fl-1 of vpc-1 and fl-2 of vpc-1"]),
    }),
    "delivery fails": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", **FAILED)]}, {}, {
        "eni-1": (["failed"], ["fl-1"], ["fl-1 of vpc-1: delivery fails: Access error"]),
    }),
    "one of two fails": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", **FAILED), flow_log("fl-2", "eni-1", TrafficType="ACCEPT")]}, {}, {
        "eni-1": (["failed", "only_accept"], ["fl-1", "fl-2"],
                  ["fl-1 of vpc-1: delivery fails: Access error", "fl-2: traffic that is rejected is not recorded"]),
    }),
    "rate limited": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", DeliverLogsStatus="FAILED", DeliverLogsErrorMessage="Rate limited")]}, {}, {
        "vpc-1": (["failed"], ["fl-1"], ["fl-1 of vpc-1: delivery fails: Rate limited"]),
    }),
    "ten minutes": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", MaxAggregationInterval=600)]}, {}, {
        "eni-1": (["interval_600"], ["fl-1"], ["fl-1: records span up to 600 seconds (interfaces of Nitro instances: 60)"]),
    }),
    "the interval is not told": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", MaxAggregationInterval=None)]}, {}, {
        "eni-1": (["ok"], ["fl-1"], ["it is recorded as it should be"]),
    }),
    "ten minutes are accepted": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", MaxAggregationInterval=600)]}, {"interval": 600}, {
        "eni-1": (["ok"], ["fl-1"], ["it is recorded as it should be"]),
    }),
    "the format lacks fields": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1")]}, {"for_": ["port_scan", "nat_attribution"]}, {
        "eni-1": (["format_lacks"], ["fl-1"],
                  ["fl-1: lacks pkt-srcaddr, pkt-dstaddr, flow-direction, interface-type, tcp-flags: nat_attribution impossible; port_scan degraded"]),
    }),
    "another flow log has the fields": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1"), flow_log("fl-2", "eni-1", LogFormat=PORT_SCAN, LogDestination=f"{S3}-2")]},
                                        {"for_": ["port_scan"]}, {
        "eni-1": (["ok"], ["fl-1", "fl-2"], ["it is recorded as it should be"]),
        "vpc-1": (["format_lacks"], ["fl-1"], ["fl-1: lacks tcp-flags: port_scan degraded"]),
    }),
    "half of a pair has the fields": ({**NET, "FlowLogs": [
        flow_log("fl-1", "vpc-1", TrafficType="ACCEPT", LogFormat=PORT_SCAN), flow_log("fl-2", "vpc-1", TrafficType="REJECT")]}, {"for_": ["port_scan"]}, {
        "eni-1": (["format_lacks"], ["fl-1", "fl-2"], ["fl-1+fl-2: lacks tcp-flags: port_scan degraded"]),
    }),
    "kept for ever": ({**NET, "LogGroups": [{"logGroupName": "flows"}], "FlowLogs": [flow_log("fl-1", "vpc-1", **to_group())]}, {}, {
        "eni-1": (["no_retention"], ["fl-1"], ["fl-1: log group flows keeps for ever"]),
    }),
    "kept for a month": ({**NET, "LogGroups": [{"logGroupName": "flows", "retentionInDays": 30}], "FlowLogs": [flow_log("fl-1", "vpc-1", **to_group())]}, {}, {
        "eni-1": (["ok"], ["fl-1"], ["it is recorded as it should be"]),
    }),
    "the log group is gone": ({**NET, "LogGroups": [], "FlowLogs": [flow_log("fl-1", "vpc-1", **to_group())]}, {}, {
        "eni-1": (["destination_gone"], ["fl-1"], ["fl-1 of vpc-1: cloudwatch://flows is not there"]),
    }),
    "the stream is gone": ({**NET, "DeliveryStreamNames": ["other"], "FlowLogs": [flow_log(
        "fl-1", "vpc-1", LogDestinationType="kinesis-data-firehose", LogDestination=f"arn:aws:firehose:eu-west-1:{ACCOUNT}:deliverystream/flows")]}, {}, {
        "vpc-1": (["destination_gone"], ["fl-1"], ["fl-1 of vpc-1: firehose://flows is not there"]),
    }),
    "the group of another account": ({**NET, "LogGroups": [], "FlowLogs": [flow_log(
        "fl-1", "vpc-1", **to_group(LogDestination="arn:aws:logs:eu-west-1:999999999999:log-group:flows"))]}, {}, {
        "eni-1": (["ok"], ["fl-1"], ["it is recorded as it should be"]),
    }),
    "the resource is gone": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1"), flow_log("fl-2", "vpc-gone")]}, {}, {
        "vpc-gone": (["resource_gone"], ["fl-2"], ["fl-2: there is no VPC vpc-gone"]),
        "eni-1": (["ok"], ["fl-1"], ["it is recorded as it should be"]),
    }),
    "each interface has its own": ({**NET, "FlowLogs": [flow_log("fl-1", "eni-1")]}, {}, {
        "vpc-1": (["ok"], [], ["its 1 interface have flow logs of their own; what is added later has none"]),
    }),
    "not active": ({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", FlowLogStatus="DELETING")]}, {}, {
        "eni-1": (["none"], ["fl-1"], ["no flow log covers eni-1"]),
    }),
    "transit gateway": ({**TGW, "FlowLogs": [flow_log("fl-1", "tgw-1", LogFormat=None, TrafficType=None)]}, {"for_": ["port_scan", "security_group_tuning"]}, {
        "tgw-attach-1": (["ok"], ["fl-1"], ["it is recorded as it should be"]),
    }),
    "transit gateway twice": ({**TGW, "FlowLogs": [flow_log("fl-1", "tgw-1", TrafficType=None), flow_log("fl-2", "tgw-attach-1", TrafficType=None)]}, {}, {
        "tgw-attach-1": (["bytes_twice"], ["fl-1", "fl-2"], ["every byte is delivered twice to s3://flow-logs: by fl-2 of tgw-attach-1 and fl-1 of tgw-1"]),
    }),
    "Connect attachment": ({"TransitGatewayAttachments": [attachment("tgw-attach-1", ResourceType="connect")], "FlowLogs": []}, {}, {
        "tgw-attach-1": (["cannot_be_logged"], [], ["AWS records no traffic of Connect attachments"]),
    }),
    "regional NAT gateway": ({"NatGateways": [NAT, {**NAT, "NatGatewayId": "nat-2", "AvailabilityMode": "zonal"}], "FlowLogs": []}, {}, {
        "nat-1": (["none"], [], ["no flow log covers nat-1"]),
    }),
    "Cloud WAN": ({"CoreNetworks": [{"CoreNetworkId": "core-network-1"}], "Attachments": [{"AttachmentId": "attachment-1", "CoreNetworkId": "core-network-1"}],
                   "FlowLogs": [flow_log("fl-1", "core-network-1", LogFormat="${version} ${new-field}", TrafficType=None)]}, {"for_": ["port_scan"]}, {
        "attachment-1": (["ok"], ["fl-1"], ["it is recorded as it should be"]),
    }),
    "flow logs alone": ({"FlowLogs": [flow_log("fl-1", "vpc-1", TrafficType="ACCEPT")]}, {}, {
        "vpc-1": (["only_accept"], ["fl-1"], ["fl-1: traffic that is rejected is not recorded"]),
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios(name):
    answers, options, expected = SCENARIOS[name]
    rows = {row.resource: row for row in enable.audit(inventory(**answers), **options)}
    got = {one: (rows[one].verdicts, rows[one].flow_logs, rows[one].why) for one in expected}
    assert got == expected
    assert all(row.verdict == row.verdicts[0] for row in rows.values())
    assert all(row.amiss == (row.verdict not in FINE) for row in rows.values())


def test_the_scenarios_have_every_verdict():
    seen = {verdict for _, _, expected in SCENARIOS.values() for verdicts, _, _ in expected.values() for verdict in verdicts}
    assert seen == set(VERDICTS) - {"cannot_tell"}


def test_more_interfaces_change_no_verdict():
    """The verdict on a resource is its own: what else the account has does not change it."""
    few = {row.resource: dict(row) for row in enable.audit(inventory(**NET, FlowLogs=[flow_log("fl-1", "subnet-1")]))}
    more = {**NET, "NetworkInterfaces": [eni(f"eni-{i}") for i in range(1, 400)], "FlowLogs": [flow_log("fl-1", "subnet-1")]}
    rows = {row.resource: dict(row) for row in enable.audit(inventory(**more))}
    assert rows["eni-1"] == few["eni-1"]
    assert len(rows) == 401


def test_rows_come_worst_first():
    found = enable.audit(inventory(**NET, NatGateways=[NAT], FlowLogs=[flow_log("fl-1", "vpc-1", TrafficType="ACCEPT"), flow_log("fl-2", "vpc-9")]))
    assert [row.verdict for row in found] == ["none", "only_accept", "only_accept", "only_accept", "resource_gone"]


# -- mending


def mended(answers, **options):
    known = inventory(**answers)
    return mending_plan(known, enable.audit(known, options.get("for_", ())), **options)


def test_what_lacks_is_planned_at_the_largest_resource():
    plan = mended({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", LogDestination=f"{S3}/x", TrafficType="ACCEPT")]}, for_=["port_scan"])
    assert [(step.action, step.spec.resource.id, step.spec.destination.url) for step in plan.steps] == [("create", "vpc-1", "s3://flow-logs/x")]
    replaced = mended({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", tags=MANAGED)]}, for_=["port_scan"])
    assert [(step.action, step.flow_logs) for step in replaced.steps] == [("replace", ("fl-1",))]


def test_after_mending_nothing_is_amiss():
    """The plan, carried out on the inventory, leaves an audit without complaint."""
    answers = {**NET, "NatGateways": [NAT], "FlowLogs": [flow_log("fl-1", "vpc-1", tags=MANAGED), flow_log("fl-2", "eni-1", TrafficType="REJECT", LogDestination=f"{S3}/x")]}
    plan = mended(answers, for_=["detect"], to="s3://flow-logs")
    gone = {one for step in plan.steps for one in step.flow_logs if step.action == "replace"}
    made = [
        flow_log(f"fl-new-{identity}", identity, **{name: value for name, value in call.arguments.items() if name not in ("ResourceIds", "TagSpecifications")})
        for call in plan.calls()
        for identity in call.arguments["ResourceIds"]
    ]
    answers["FlowLogs"] = [log for log in answers["FlowLogs"] if log["FlowLogId"] not in gone] + made
    assert {row.verdict for row in enable.audit(inventory(**answers), ["detect"])} == {"ok"}


def test_retention_is_planned_and_what_no_plan_does_is_a_note():
    answers = {**NET, "LogGroups": [{"logGroupName": "flows"}], "FlowLogs": [flow_log("fl-1", "vpc-1", **to_group()), flow_log("fl-2", "vpc-1", **to_group())]}
    plan = mended(answers, retention_days=30)
    assert plan.steps == ()
    assert [dict(group) for group in plan.log_groups] == [{"name": "flows", "create": False, "retention_days": 30}]
    assert any("every byte is delivered twice" in note for note in plan.notes)


def test_a_destination_is_needed_if_there_are_several_or_none():
    with pytest.raises(vf.PlanError, match="no flow log is there; give --to"):
        mended({**NET, "FlowLogs": []})
    with pytest.raises(vf.PlanError, match="flow logs go to s3://flow-logs, s3://flow-logs-2; give --to"):
        mended({**NET, "FlowLogs": [flow_log("fl-1", "eni-1"), flow_log("fl-2", "subnet-1", TrafficType="ACCEPT", LogDestination=f"{S3}-2")]}, for_=["detect"])
    with pytest.raises(vf.PlanError, match="nothing is amiss"):
        mended({**NET, "FlowLogs": [flow_log("fl-1", "vpc-1")]})


# -- the command


def test_audit_on_the_command_line(tmp_path):
    folder = ROOT / "examples" / "inventory"
    done = run_cli("enable", "audit", "--from-json", folder, "--for", "detect", "--json", check=1)
    rows = [json.loads(text) for text in done.stdout.splitlines()]
    assert {"resource", "verdict", "flow_logs", "why"} <= set(rows[0])
    assert len(rows) == 7
    page = run_cli("enable", "audit", "--from-json", folder, check=1).stdout.decode()
    assert page.splitlines()[-1] == "4 of 7 resources amiss: 3 none, 1 only_reject, 3 ok"
    run_cli("enable", "audit", "--from-json", folder, "--plan", tmp_path / "plan.json", "--to", "s3://example-flow-logs/vpc", check=1)
    assert [step.spec.resource.id for step in enable.Plan.read(tmp_path / "plan.json").steps] == ["vpc-0a1b2c3d4e5f60718"]


def test_an_audit_without_complaint_exits_with_0(tmp_path):
    (tmp_path / "describe-vpcs.json").write_text(json.dumps({"Vpcs": [vpc("vpc-1")]}))
    (tmp_path / "describe-flow-logs.json").write_text(json.dumps({"FlowLogs": [flow_log("fl-1", "vpc-1", LogFormat=V2)]}))
    assert run_cli("enable", "audit", "--from-json", tmp_path, check=0).stdout == b"0 of 1 resource amiss: 1 ok\n"
    (tmp_path / "describe-flow-logs.json").unlink()
    done = run_cli("enable", "audit", "--from-json", tmp_path, check=2)
    assert b"describe-flow-logs" in done.stderr
