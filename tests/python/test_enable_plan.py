"""Plans of flow logs: what is compared, how an inventory is read, what a plan says and allows."""

import gzip
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vpcflow as vf
from conftest import ROOT, run_cli
from enable_cases import (
    ACCOUNT,
    MANAGED,
    PORT_SCAN,
    REGION,
    S3,
    V2,
    attachment,
    eni,
    flow_log,
    inventory,
    policy,
    subnet,
    to_group,
    vpc,
)
from vpcflow import enable
from vpcflow.enable import policies
from vpcflow.enable.destinations import destination_of
from vpcflow.enable.inventory import interface_type, inventory_in
from vpcflow.enable.plan import plan_of
from vpcflow.enable.resources import RESOURCE_TYPES, resource_of
from vpcflow.enable.spec import FlowLogSpec, described_spec, differences, fields_of

GOLDEN = ROOT / "tests" / "python" / "golden" / "enable_plans.json"
FOREIGN = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::flow-logs/é*"}


# -- what names resources and destinations


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("vpc-0a1", "VPC"), ("subnet-0a1", "Subnet"), ("eni-0a1", "NetworkInterface"), ("tgw-0a1", "TransitGateway"),
        ("tgw-attach-0a1", "TransitGatewayAttachment"), ("nat-0a1", "RegionalNatGateway"), ("core-network-0a1", "CoreNetwork"),
        ("attachment-0a1", "CoreNetworkAttachment"), ("CoreNetworkEdge:x", "CoreNetworkEdge"),
        ("arn:aws:ec2:eu-west-1:1:transit-gateway-attachment/tgw-attach-0a1", "TransitGatewayAttachment"),
        ("arn:aws:networkmanager::1:core-network/core-network-0a1", "CoreNetwork"), (" vpc-1 ", "VPC"), ("vpc:vpc-1", "VPC"),
    ],
)  # fmt: skip
def test_resources_are_known_by_their_ids(text, kind):
    assert resource_of(text).type == kind
    assert len(RESOURCE_TYPES) == 9


@pytest.mark.parametrize("text", ["", "i-0a1", "vpc-", "vpc-1;rm", "vpc-$(x)", "Vpcs:vpc-1", "VPC:", "arn:aws:s3:::b"])
def test_what_is_no_resource_is_refused_with_what_is_one(text):
    with pytest.raises(vf.PlanError, match=r"allowed|did you mean|there are"):
        resource_of(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("s3://b/x", "arn:aws:s3:::b/x/"),
        ("s3://b", "arn:aws:s3:::b"),
        ("s3://b//x//", "s3://b/x"),
        ("cloudwatch:///vpc/flows?region=eu-west-1&account=012345678901", "arn:aws:logs:eu-west-1:012345678901:log-group:/vpc/flows:*"),
        ("firehose://s?region=eu-west-1&account=012345678901", "arn:aws:firehose:eu-west-1:012345678901:deliverystream/s"),
    ],
)
def test_a_destination_is_a_place_however_it_is_written(one, other):
    assert destination_of(one) == destination_of(other)
    assert destination_of(destination_of(other).arn()) == destination_of(other)


@pytest.mark.parametrize("text", ["", "bucket", "s3://", "http://x", "s3://b/AWSLogs/", "arn:aws:sns:eu-west-1:1:x", "cloudwatch://g?zone=1"])
def test_what_is_no_destination_is_refused(text):
    with pytest.raises(vf.PlanError, match="no destination of flow logs"):
        destination_of(text)


# -- comparing what is there with what should be: what other tools report as a change for ever


def described(**more):
    return described_spec(flow_log("fl-1", "vpc-1", **more), resource_of("vpc-1"), ACCOUNT, REGION)


def spec(to="s3://flow-logs", **more):
    fields = more.pop("fields", fields_of(V2))
    target = destination_of(to).within(ACCOUNT, REGION)
    return FlowLogSpec(resource_of("vpc-1"), target, fields, **{"interval": 60, **more}).canonical()


GROUP = "arn:aws:logs:eu-west-1:012345678901:log-group:flows"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/vpcflow-flow-logs"


@pytest.mark.parametrize(
    ("have", "want"),
    {
        "a role that S3 does not take": ({}, {"role": ROLE}),
        "options that nobody gave": ({"DestinationOptions": None}, {}),
        "options of their defaults": ({}, {"parquet": False}),
        "options of S3 for a group": (to_group(), {"to": f"{GROUP}:*", "role": ROLE, "parquet": True, "hourly": True}),
        "an ARN without its end": (to_group(LogDestination=GROUP), {"to": f"{GROUP}:*", "role": ROLE}),
        "an ARN with its end": (to_group(LogDestination=f"{GROUP}:*"), {"to": GROUP, "role": ROLE}),
        "a name for an ARN": (to_group(), {"to": "cloudwatch://flows", "role": ROLE}),
        "an ARN for a name": (to_group(LogGroupName="flows"), {"to": GROUP, "role": ROLE}),
        "a folder with a slash": ({"LogDestination": f"{S3}/x/"}, {"to": "s3://flow-logs/x"}),
        "blanks behind the format": ({"LogFormat": f"{V2} "}, {}),
        "no format": ({"LogFormat": None}, {}),
        "an interval that is not told": ({"MaxAggregationInterval": None}, {}),
        "the format of Terraform": ({"LogFormat": V2}, {"fields": fields_of(V2.replace("$", "$$"))}),
        "small letters": ({"TrafficType": "all"}, {}),
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_is_no_difference(have, want):
    have, want = want
    assert differences(described(**have), spec(**want)) == []


@pytest.mark.parametrize(
    ("have", "want", "told"),
    [
        ({"DestinationOptions": {"PerHourPartition": True}}, {}, "hourly is yes, should be no"),
        ({"DestinationOptions": {"HiveCompatiblePartitions": True}}, {}, "hive is yes, should be no"),
        ({"DestinationOptions": {"FileFormat": "parquet"}}, {}, "parquet is yes, should be no"),
        ({"MaxAggregationInterval": 600}, {}, "interval is 600, should be 60"),
        ({"TrafficType": "REJECT"}, {}, "traffic is REJECT, should be ALL"),
        ({"LogDestination": f"{S3}-2"}, {}, "destination is s3://flow-logs-2, should be s3://flow-logs"),
        (to_group(DeliverLogsPermissionArn="arn:aws:iam::1:role/x"), {"to": GROUP, "role": ROLE}, f"role is arn:aws:iam::1:role/x, should be {ROLE}"),
        ({}, {"fields": fields_of(PORT_SCAN)}, "format lacks tcp-flags: port_scan degraded"),
        ({"LogFormat": PORT_SCAN}, {}, "format has tcp-flags more than is asked"),
        ({"LogFormat": "${srcaddr} ${dstaddr}"}, {"fields": ("dstaddr", "srcaddr")}, "format has the fields in another order"),
        ({}, {"tag_keys": (("instance", ("Name",)),)}, "tag_keys is {}, should be {'instance': ('Name',)}"),
    ],
)  # fmt: skip
def test_a_difference_is_told_in_words(have, want, told):
    assert [str(one) for one in differences(described(**have), spec(**want), ["port_scan"])] == [told]


def test_a_log_group_of_another_account_or_region_is_another_place():
    other = to_group(LogDestination="arn:aws:logs:us-east-1:012345678901:log-group:flows")
    assert [one.what for one in differences(described(**other), spec(to=GROUP, role=ROLE))] == ["destination"]


# -- inventories in folders


def write(folder, **files):
    for name, document in files.items():
        text = document if isinstance(document, str) else json.dumps(document)
        (folder / f"{name.replace('__', '.').replace('_', '-')}.json").write_text(text)
    return folder


def test_pages_and_dates_are_suffixes(tmp_path):
    write(
        tmp_path,
        describe_vpcs_2026_11_28={"Vpcs": [vpc("vpc-gone")]},
        describe_vpcs_2026_11_29_page1={"Vpcs": [vpc("vpc-1")], "NextToken": "more"},
        describe_vpcs_2026_11_29_page2={"Vpcs": [vpc("vpc-2")]},
        describe_subnets_1={"Subnets": [subnet("subnet-1")], "NextToken": "more"},
        describe_subnets_2={"Subnets": [subnet("subnet-2")], "NextToken": "more"},
    )
    found = inventory_in(tmp_path)
    assert sorted(found.resources) == ["subnet-1", "subnet-2", "vpc-1", "vpc-2"]
    assert len(found.notes) == 1
    assert "describe-subnets-2.json: AWS had more to give" in found.notes[0]


@pytest.mark.parametrize(
    "document",
    {
        "answer": {"Vpcs": [vpc("vpc-1")], "ResponseMetadata": {"HTTPStatusCode": 200}},
        "pages": [{"Vpcs": [vpc("vpc-1")]}, {"Vpcs": []}],
        "items": [vpc("vpc-1")],
        "item": vpc("vpc-1"),
        "wrapper": {"response": {"body": {"Vpcs": [vpc("vpc-1")]}}},
        "pages by name": {"Pages": [{"Vpcs": [vpc("vpc-1")]}]},
        "small letters": {"vpcs": [{"vpcId": "vpc-1", "ownerId": ACCOUNT}]},
        "lines": '{"Vpcs": []}\n' + json.dumps({"Vpcs": [vpc("vpc-1")]}) + "\n",
        "mark": "\ufeff" + json.dumps({"Vpcs": [vpc("vpc-1")]}),
    }.items(),
    ids=lambda value: value[0],
)
def test_wrappers_of_answers(document, tmp_path):
    write(tmp_path, describe_vpcs=document[1])
    assert [(known.resource.type, known.account) for known in inventory_in(tmp_path).resources.values()] == [("VPC", ACCOUNT)]


def test_names_of_files_and_folders(tmp_path):
    place = tmp_path / "111111111111" / "ap-south-1"
    place.mkdir(parents=True)
    (place / "DescribeVpcs.json").write_text(json.dumps({"Vpcs": [{"VpcId": "vpc-1"}]}))
    (place / "describe_subnets.json.gz").write_bytes(gzip.compress(json.dumps({"Subnets": [{"SubnetId": "subnet-1"}]}).encode()))
    (place / "vpcs-2.json").write_text(json.dumps([{"VpcId": "vpc-2"}]))
    (place / "readme.txt").write_text("x")
    (place / "describe-key-pairs.json").write_text('{"KeyPairs": []}')
    found = inventory_in(tmp_path)
    assert {one: (known.account, known.region) for one, known in found.resources.items()} == dict.fromkeys(
        ("vpc-1", "vpc-2", "subnet-1"), ("111111111111", "ap-south-1")
    )
    assert len(found.notes) == 2


def test_what_cannot_be_read_is_an_error(tmp_path):
    with pytest.raises(vf.SourceNotFoundError, match="no such folder"):
        inventory_in(tmp_path / "nowhere")
    with pytest.raises(vf.SourceNotFoundError, match="no answer of a describe call"):
        inventory_in(tmp_path)
    write(tmp_path, describe_vpcs='{"Vpcs": [')
    with pytest.raises(vf.SourceError, match="invalid JSON"):
        inventory_in(tmp_path)
    write(tmp_path, describe_vpcs="[" * 100_000)
    with pytest.raises(vf.SourceError, match="invalid JSON"):
        inventory_in(tmp_path)


@pytest.mark.parametrize("text", ["natGateway", "nat_gateway", "nat-gateway", "NatGateway", "NAT Gateway"])
def test_interface_types_in_every_spelling(text):
    found = inventory(NetworkInterfaces=[eni("eni-1", InterfaceType=text)])
    assert found.resources["eni-1"].interface_type == "nat_gateway"
    assert interface_type("network_load_balancer") == interface_type("networkLoadBalancer") == "network_load_balancer"


def test_regions_and_accounts_come_from_what_is_in_a_vpc():
    found = inventory("", "", Vpcs=[{"VpcId": "vpc-1"}], NetworkInterfaces=[eni("eni-1", OwnerId=12345678901)], FlowLogs=[flow_log("fl-1", "vpc-1")])
    assert (found.account, found.region) == (ACCOUNT, REGION)
    assert found.flow_logs["fl-1"].account == ACCOUNT
    local = inventory("", "", Subnets=[subnet("subnet-1", AvailabilityZone="us-west-2-lax-1a")])
    assert local.region == "us-west-2"


def test_the_account_is_that_of_its_log_groups_and_roles():
    group = {"logGroupName": "flows", "arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:flows:*"}
    assert (inventory("", "", LogGroups=[group]).account, inventory("", "", LogGroups=[group]).region) == (ACCOUNT, REGION)
    found = inventory("", "", Vpcs=[{"VpcId": "vpc-1"}], FlowLogs=[flow_log("fl-1", "vpc-1", **to_group())])
    assert (found.account, found.resources["vpc-1"].account) == (ACCOUNT, ACCOUNT)


def test_a_policy_that_tells_no_bucket_is_that_of_the_plan(tmp_path):
    write(tmp_path, describe_vpcs={"Vpcs": [vpc("vpc-1")]}, get_bucket_policy={"Policy": policy()})
    plan = enable.plan(["vpc-1"], to="s3://flow-logs", inventory=inventory_in(tmp_path, region=REGION))
    assert plan.policies["buckets"][0]["known"]


def test_flow_logs_that_cannot_be_understood_are_notes():
    found = inventory(FlowLogs=[flow_log("fl-1", "i-1"), "x", flow_log("fl-2", "vpc-1", MaxAggregationInterval="x"), flow_log("fl-3", "vpc-1")])
    assert list(found.flow_logs) == ["fl-3"]
    assert len(found.notes) == 3


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["Key", "Value", "VpcId", "a"]), inner, max_size=3), max_leaves=6)
MEMBERS = ["VpcId", "SubnetId", "NetworkInterfaceId", "FlowLogId", "ResourceId", "LogFormat", "LogDestination", "MaxAggregationInterval", "Tags", "OwnerId", "AvailabilityZone",
           "TrafficType", "DestinationOptions", "TagFieldSpecifications", "logGroupName", "retentionInDays", "arn", "State", "TransitGatewayId", "InterfaceType"]  # fmt: skip


@given(st.dictionaries(st.sampled_from(["Vpcs", "Subnets", "NetworkInterfaces", "FlowLogs", "LogGroups", "Buckets", "DeliveryStreamNames", "Policy", "NatGateways"]),
                       st.lists(JSON | st.dictionaries(st.sampled_from(MEMBERS), JSON, max_size=8), max_size=4), max_size=4))  # fmt: skip
def test_no_answer_ends_the_program(kinds):
    """Whatever stands in answers: an inventory with notes, an audit, a plan; or an error of this library."""
    try:
        known = inventory(**{**kinds, "FlowLogs": kinds.get("FlowLogs", [])})
        enable.audit(known, ["detect"])
        enable.plan(["vpc-1"], to="s3://flow-logs", inventory=known)
    except vf.VpcflowError:
        pass


# -- plans

VPC_1 = {"Vpcs": [vpc("vpc-1", Tags=[{"Key": "Name", "Value": "prod"}]), vpc("vpc-2")]}
NET = {**VPC_1, "Subnets": [subnet("subnet-1")], "NetworkInterfaces": [eni("eni-1"), eni("eni-2")]}
SAME = {"LogFormat": PORT_SCAN}
OPEN = {"Policy": [policy(FOREIGN)]}
TO_GROUP = {"to": "cloudwatch://flows"}
HAS_TWO = [flow_log("fl-1", "vpc-1"), flow_log("fl-2", "vpc-1", LogDestination=f"{S3}-2")]


def many(number, make, *more):
    return [make(f"{more[0]}-{i:03}") for i in range(number)]


CASES = {
    "nothing is there": (["vpc-1"], {}, {**VPC_1, "FlowLogs": []}),
    "nothing is known": (["vpc-1"], {}, {}),
    "as asked": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1", **SAME)]}),
    "as asked, ours": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1", **SAME, tags={**MANAGED, "vpcflow-spec": "HASH"})]}),
    "as asked, failing": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1", **SAME, DeliverLogsStatus="FAILED", DeliverLogsErrorMessage="Access error")]}),
    "tags only": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1", **SAME, tags=MANAGED)]}),
    "format lacks, ours": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1", tags=MANAGED)]}),
    "format lacks, foreign": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1")]}),
    "format lacks, foreign and named": (["vpc-1"], {"replace": ["fl-1"]}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1")]}),
    "600 seconds, ours": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1", **SAME, MaxAggregationInterval=600, tags=MANAGED)]}),
    "elsewhere": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1", **{**SAME, "LogDestination": f"{S3}-2"})]}),
    "no slot": (["vpc-1"], {}, {**VPC_1, "FlowLogs": HAS_TWO}),
    "no slot to replace": (["vpc-1"], {"replace": ["fl-1"]}, {**VPC_1, "FlowLogs": HAS_TWO}),
    "only rejects are recorded": (["vpc-1"], {"traffic": "ACCEPT"}, {**VPC_1, "FlowLogs": [flow_log("fl-1", "vpc-1", TrafficType="REJECT")]}),
    "covered by the VPC": (["eni-1"], {}, {**NET, "FlowLogs": [flow_log("fl-1", "vpc-1", **SAME)]}),
    "the VPC records less": (["eni-1"], {}, {**NET, "FlowLogs": [flow_log("fl-1", "vpc-1")]}),
    "two of one plan": (["vpc-1", "subnet-1"], {}, {**NET, "FlowLogs": []}),
    "asked twice": (["vpc-1", "vpc-1"], {}, {**VPC_1, "FlowLogs": []}),
    "301 interfaces": ([f"eni-{i:03}" for i in range(301)], {}, {"NetworkInterfaces": many(301, eni, "eni"), "FlowLogs": []}),
    "26 attachments": ([f"tgw-attach-{i:03}" for i in range(26)], {}, {"TransitGatewayAttachments": many(26, attachment, "tgw-attach"), "FlowLogs": []}),
    "transit gateway": (["tgw-1"], {}, {"TransitGateways": [{"TransitGatewayId": "tgw-1", "OwnerId": ACCOUNT}], "FlowLogs": []}),
    "connect attachment": (["tgw-attach-1"], {}, {"TransitGatewayAttachments": [attachment("tgw-attach-1", ResourceType="connect")], "FlowLogs": []}),
    "regional NAT gateway": (["nat-1"], {}, {"NatGateways": [{"NatGatewayId": "nat-1", "VpcId": "vpc-1", "AvailabilityMode": "regional", "State": "available"}], "FlowLogs": []}),
    "Cloud WAN": (["core-network-1", "attachment-1", "CoreNetworkEdge:edge-1"], {}, {"CoreNetworks": [{"CoreNetworkId": "core-network-1"}], "Attachments": [{"AttachmentId": "attachment-1", "CoreNetworkId": "core-network-1", "EdgeLocation": "eu-central-1"}], "FlowLogs": []}),
    "log group": (["vpc-1"], TO_GROUP, {**VPC_1, "FlowLogs": [], "LogGroups": []}),
    "log group is there": (["vpc-1"], {**TO_GROUP, "role": ROLE}, {**VPC_1, "FlowLogs": [], "LogGroups": [{"logGroupName": "flows"}]}),
    "two formats in a group": (["vpc-1", "tgw-1"], TO_GROUP, {**VPC_1, "FlowLogs": []}),
    "stream": (["vpc-1"], {"to": "firehose://flows"}, {**VPC_1, "FlowLogs": []}),
    "stream elsewhere": (["vpc-1"], {"to": "firehose://flows?account=999999999999"}, {**VPC_1, "FlowLogs": []}),
    "stream elsewhere, with roles": (["vpc-1"], {"to": "firehose://flows?account=999999999999", "role": "arn:aws:iam::012345678901:role/a", "destination_role": "arn:aws:iam::999999999999:role/b"}, {**VPC_1, "FlowLogs": []}),
    "policy is known": (["vpc-1"], {}, {**VPC_1, "FlowLogs": [], **OPEN}),
    "Parquet, Hive, hourly": (["vpc-1"], {"parquet": True, "hive": True, "hourly": True, "to": "s3://flow-logs/x"}, {**VPC_1, "FlowLogs": [], **OPEN}),
    "tags in records": (["vpc-1"], {"tag_keys": ["instance=Name", "instance=Team", "asg=Name"]}, {**VPC_1, "FlowLogs": []}),
    "key": (["vpc-1"], {"kms_key": "arn:aws:kms:eu-west-1:012345678901:key/k"}, {**VPC_1, "FlowLogs": [], **OPEN}),
    "China": (["vpc-1"], {"account": "012345678901", "region": "cn-north-1"}, {}),
    "a format is given": (["vpc-1"], {"format": "${srcaddr} ${bytes}", "for_": []}, {**VPC_1, "FlowLogs": []}),
    "bad names": (["vpc-1"], {"to": "s3://Flow_Logs"}, {**VPC_1, "FlowLogs": []}),
}  # fmt: skip


def made(name):
    resources, options, there = CASES[name]
    options = {"to": "s3://flow-logs", "for_": ["port_scan"], "id": "plan", **options}
    text = json.dumps(there)
    if "HASH" in text:  # of the spec itself
        wanted = enable.plan(resources, inventory=inventory(Vpcs=VPC_1["Vpcs"]), **options)
        there = json.loads(text.replace("HASH", wanted.steps[0].spec.hash))
    known = inventory(**there) if there else None
    return enable.plan(resources, inventory=known, **options)


def brief(plan):
    """What a golden plan keeps: all of it, without what each step repeats."""
    document = plan.as_dict()
    for step in document["steps"]:
        step.pop("spec")
    for call in document["calls"]:
        ids = call["create_flow_logs"]["ResourceIds"]
        call["create_flow_logs"]["ResourceIds"] = [*ids[:2], f"{len(ids)} in all"]
        call["create_flow_logs"].pop("TagSpecifications")
    policies = document["policies"]
    policies.pop("caller")
    for bucket in policies.get("buckets", ()):
        bucket.update(statements=[one["Resource"] for one in bucket["statements"]], policy=len(bucket["policy"]), difference=len(bucket["difference"]))
    if len(document["steps"]) > 4:
        document["steps"] = [*document["steps"][:2], f"{len(document['steps'])} in all"]
    return document


@pytest.mark.parametrize("name", CASES)
def test_golden_plans(name):
    got = json.loads(json.dumps(brief(made(name))))
    if os.environ.get("VPCFLOW_WRITE_GOLDEN"):
        kept = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
        GOLDEN.write_text(json.dumps({**kept, name: got}, indent=1, ensure_ascii=False) + "\n")
    assert got == json.loads(GOLDEN.read_text())[name]
    assert len(CASES) >= 30


@pytest.mark.parametrize(
    ("name", "actions", "told"),
    [
        ("nothing is there", ["create"], ""),
        ("as asked", ["keep"], "fl-1 is as asked; vpcflow did not make it"),
        ("as asked, ours", ["keep"], "fl-1 is as asked"),
        ("as asked, failing", ["keep"], "fl-1: delivery fails: Access error"),
        ("tags only", ["tag"], "its tag vpcflow-spec is not"),
        ("format lacks, ours", ["replace"], "fl-1: format lacks tcp-flags: port_scan degraded"),
        ("format lacks, foreign", ["create"], "every byte would be delivered twice to s3://flow-logs"),
        ("format lacks, foreign and named", ["replace"], "the old one deleted"),
        ("600 seconds, ours", ["replace"], "fl-1: interval is 600, should be 60"),
        ("elsewhere", ["create"], ""),
        ("no slot", ["blocked"], "vpc-1 has 2 flow logs (fl-1, fl-2), and AWS allows 2"),
        ("no slot to replace", ["blocked"], "delete one first"),
        ("only rejects are recorded", ["create"], ""),
        ("covered by the VPC", ["keep"], "fl-1 of vpc-1 records it there already"),
        ("the VPC records less", ["create"], "every byte would be delivered twice"),
        ("two of one plan", ["create", "create"], "vpc-1 is in this plan, too; leave one out"),
        ("asked twice", ["create"], ""),
        ("connect attachment", ["blocked"], "Connect"),
        ("stream elsewhere", ["blocked"], "--destination-role"),
        ("stream elsewhere, with roles", ["create"], ""),
        ("Cloud WAN", ["create"] * 3, "core-network-1 is in this plan, too"),
    ],
)
def test_what_plans_do(name, actions, told):
    plan = made(name)
    assert [step.action for step in plan.steps] == actions
    assert told in " ".join(why for step in plan.steps for why in step.why)


def test_calls_are_as_large_as_aws_takes():
    assert [len(call.arguments["ResourceIds"]) for call in made("301 interfaces").calls()] == [300, 1]
    assert [len(call.arguments["ResourceIds"]) for call in made("26 attachments").calls()] == [25, 1]
    (call,) = made("transit gateway").calls()
    assert "TrafficType" not in call.arguments
    assert call.arguments["MaxAggregationInterval"] == 60
    assert len({made("301 interfaces").token(call) for call in made("301 interfaces").calls()}) == 2


def test_what_stays_impossible_is_said():
    plan = enable.plan(["tgw-1"], to="s3://flow-logs", for_=["security_group_tuning"], account=ACCOUNT)
    assert [(one["analysis"], one["verdict"]) for one in plan.impossible] == [("security_group_tuning", "impossible")]
    assert made("nothing is there").impossible == ()


def test_the_token_of_a_call_is_of_the_plan():
    first, second = (enable.plan(["vpc-1"], to="s3://flow-logs", account=ACCOUNT) for _ in range(2))
    assert first.calls()[0].arguments == second.calls()[0].arguments
    assert first.token(first.calls()[0]) != second.token(second.calls()[0])
    assert first.token(first.calls()[0]) == plan_of(first.as_dict()).token(plan_of(first.as_dict()).calls()[0])


@pytest.mark.parametrize("name", CASES)
def test_a_plan_survives_its_file(name, tmp_path):
    plan = made(name)
    plan.write(tmp_path / "plan.json")
    assert enable.Plan.read(tmp_path / "plan.json") == plan


@pytest.mark.parametrize(
    "document", ["[]", "{}", "{", '{"schema_version": 1, "id": "x", "steps": [{}]}', '{"schema_version": 1, "id": "x", "steps": 3}', '{"schema_version": 9, "steps": []}']
)  # fmt: skip
def test_what_is_no_plan_is_refused(document, tmp_path):
    (tmp_path / "plan.json").write_text(document)
    with pytest.raises(vf.PlanError, match=r"no plan|no spec|invalid JSON"):
        enable.Plan.read(tmp_path / "plan.json")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resources": ["vpc-3"]}, "no VPC vpc-3 in the inventory; did you mean 'vpc-"),
        ({"resources": []}, "no resource"),
        ({"for_": ["port_scna"]}, "did you mean 'port_scan'"),
        ({"interval": 30}, "60 and 600"),
        ({"replace": ["fl-9"]}, "no flow log fl-9"),
        ({"tag_keys": ["volume=x"]}, "no type and key"),
        ({"tag_keys": ["instance=a", "instance=b", "instance=c"]}, "two are allowed"),
        ({"format": "${nonsense}"}, "format"),
    ],
)
def test_wrong_calls_of_plan(options, message):
    known = inventory(**VPC_1, FlowLogs=[flow_log("fl-1", "vpc-1")])
    with pytest.raises(vf.VpcflowError, match=message):
        enable.plan(**{"resources": ["vpc-1"], "to": "s3://flow-logs", "inventory": known, **options})


# -- policies


def statements(**more):
    return policies.bucket_statements(spec(**more), ACCOUNT, REGION, "aws")


def test_folders_of_the_policy_are_those_that_aws_writes():
    def written(**more):
        return statements(**more)[0]["Resource"]

    assert written() == f"{S3}/AWSLogs/{ACCOUNT}/*"
    assert written(to="s3://flow-logs/a/b/") == f"{S3}/a/b/AWSLogs/{ACCOUNT}/*"
    assert written(hive=True) == f"{S3}/AWSLogs/aws-account-id={ACCOUNT}/*"
    assert written(to="s3://flow-logs/a*${b}") == f"{S3}/a${{*}}${{$}}{{b}}/AWSLogs/{ACCOUNT}/*"


@pytest.mark.parametrize(
    "existing",
    [
        '{"Version":"2012-10-17",\n  "Statement" : [ {"Sid": "Theirs", "Effect":"Deny", "Principal":"*", "Action":"s3:*", "Resource": "arn:aws:s3:::flow-logs/\\u00e9*"} ]\n}',
        '{"Statement": {"Sid": "Theirs", "Effect":"Deny",   "Principal":"*", "Action":"s3:*", "Resource": "arn:aws:s3:::flow-logs/é*"}}',
    ],
)
def test_what_others_wrote_in_a_policy_stays_byte_for_byte(existing):
    merged = policies.merge(existing, statements())
    inner = existing[existing.index('{"Sid"') : existing.index("*\"}") + 3]
    assert inner in merged.text
    assert json.loads(merged.text)["Statement"] == [FOREIGN, *statements()]
    again = policies.merge(merged.text, statements())
    assert (again.text, again.added, again.difference) == (merged.text, (), "")


@pytest.mark.parametrize("existing", ["", '{"Version": "2012-10-17"}', '{"Statement": []}', '{"Statement":[\n]}', "{}"])
def test_a_policy_without_statements_gets_them(existing):
    merged = policies.merge(existing, statements())
    assert json.loads(merged.text)["Statement"] == statements()
    assert merged.difference.startswith("--- there now\n+++ with the plan\n")


def test_statements_of_other_accounts_and_folders_are_not_replaced():
    first = policies.merge("", statements())
    second = policies.merge(first.text, policies.bucket_statements(spec(to="s3://flow-logs/x"), "111111111111", REGION, "aws"))
    sids = [statement["Sid"] for statement in json.loads(second.text)["Statement"]]
    assert len(sids) == len(set(sids)) == 4


def test_what_makes_aws_refuse_a_policy_is_a_warning():
    merged = policies.merge(policy({**FOREIGN, "NotPrincipal": FOREIGN["Principal"]}), statements())
    assert "NotPrincipal" in merged.warnings[0]
    aws_own = {**statements()[0], "Sid": "AWSLogDeliveryWrite"}
    assert len(policies.merge(policy(aws_own), statements()).added) == 1
    for wrong in ("[]", "{", '{"Statement": 3}'):
        with pytest.raises(vf.PlanError, match="bucket policy"):
            policies.merge(wrong, statements())


def test_a_role_may_write_to_one_group_and_be_taken_by_flow_logs_alone():
    role = made("log group").policies["role"]
    trust = role["trust"]["Statement"][0]
    assert trust["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert trust["Condition"]["ArnLike"] == {"aws:SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"}
    assert role["policy"]["Statement"][0]["Resource"] == [GROUP, f"{GROUP}:*"]
    assert "role" not in made("log group is there").policies


# -- the command


def test_plan_on_the_command_line(tmp_path):
    folder = ROOT / "examples" / "inventory"
    args = ["enable", "plan", "vpc-0a1b2c3d4e5f60718", "--to", "s3://example-flow-logs/vpc", "--for", "port_scan,cost"]
    out = run_cli(*args, "--from-json", folder, "-o", tmp_path / "plan.json", check=0).stdout.decode()
    assert out.startswith("create   vpc-0a1b2c3d4e5f60718 (production)")
    assert "policy of bucket example-flow-logs:" in out
    plan = enable.Plan.read(tmp_path / "plan.json")
    assert plan.analyses == ("port_scan", "cost")
    assert plan.calls()[0].arguments["LogFormat"] == vf.recommended_format(["port_scan", "cost"])
    assert json.loads(run_cli(*args, "--from-json", folder, "--json", check=0).stdout)["steps"][0]["action"] == "create"
    assert b"did you mean 'vpc-0a1b2c3d4e5f60718'" in run_cli("enable", "plan", "vpc-0a1b2c3d4e5f60719", *args[3:], "--from-json", folder, check=2).stderr
