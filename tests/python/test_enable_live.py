"""Enabling as AWS's clients see it: moto for what it does as AWS, botocore's Stubber for what it does not."""

import datetime
import gzip
import json
import re
import shlex
import subprocess
import sys

import pytest

import vpcflow as vf
from aws_servers import ACCESS, SECRET, environment, moto
from conftest import ROOT
from enable_aws import Cloud, Refusal
from enable_cases import ACCOUNT, PORT_SCAN, REGION, flow_log, vpc
from vpcflow import cli, enable
from vpcflow.enable.apply import apply
from vpcflow.enable.aws import Aws
from vpcflow.enable.live import audit_organisation, read_inventory
from vpcflow.enable.verify import verify

boto3 = pytest.importorskip("boto3")
CANARY = "CANARY"


@pytest.fixture(scope="module")
def models():
    """The models of the services, read once."""
    return pytest.importorskip("botocore.loaders").Loader()


@pytest.fixture(scope="module")
def server():
    server = moto()
    yield server
    server.close()


@pytest.fixture
def account(server, models, monkeypatch):
    """An account of moto, reached with secrets that must appear nowhere."""
    monkeypatch.setattr("botocore.session.create_loader", lambda *args: models)
    for name, value in {**environment(server.url), "AWS_SESSION_TOKEN": f"token{CANARY}"}.items():
        monkeypatch.setenv(name, value)
    return server.client


def run(capsys, *args, code=0):
    """Runs a command in this process; what it prints never has a secret."""
    assert cli.main(list(map(str, args))) == code, capsys.readouterr().err
    out, err = capsys.readouterr()
    assert CANARY not in out + err
    return out


def commands():
    """The commands of the how-to page for an account, in order."""
    page = (ROOT / "docs" / "how-to" / "enable-flow-logs.md").read_text()
    (block, *_) = re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S)
    return [shlex.split(line, comments=True)[1:] for line in block.splitlines()]


def test_from_an_empty_account_to_the_first_record(account, tmp_path, monkeypatch, capsys):
    """The page, command by command, on a stand-in account, to which the test delivers as AWS would."""
    monkeypatch.chdir(tmp_path)
    ec2, s3 = account("ec2"), account("s3")
    vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet_id = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.9.1.0/24")["Subnet"]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet_id)
    s3.create_bucket(Bucket="example-flow-logs")
    audit, plan, dry, apply_, verify_, summary = ([word.replace("vpc-0a1b2c3d4e5f60718", vpc_id) for word in words] for words in commands())
    assert f"no flow log covers {vpc_id}" in run(capsys, *audit, code=1)
    assert run(capsys, *plan).startswith(f"create   {vpc_id}")
    assert "would_create" in run(capsys, *dry)
    assert ec2.describe_flow_logs()["FlowLogs"] == []
    (made,) = [json.loads(text) for text in run(capsys, *apply_, "--json").splitlines()]
    assert made["outcome"] == "created"
    assert run(capsys, *apply_).startswith("there")
    assert [log["FlowLogId"] for log in ec2.describe_flow_logs()["FlowLogs"]] == [made["flow_log"]]
    assert run(capsys, *verify_, code=1).startswith("not_yet")
    assert CANARY not in (tmp_path / "plan.json").read_text()

    deliver(s3, made["flow_log"], enable.Plan.read("plan.json").steps[0].spec.fields)
    assert run(capsys, *verify_).startswith("delivering")
    assert json.loads(run(capsys, *summary, "--json"))["records"] == 200
    rows = [json.loads(text) for text in run(capsys, *audit, "--for", "port_scan,cost", "--json", code=1).splitlines()]
    assert {row["verdict"] for row in rows if row["resource"] in (vpc_id, subnet_id)} == {"ok"}

    assert run(capsys, "enable", "delete", "--managed").startswith("would_delete")
    assert len(ec2.describe_flow_logs()["FlowLogs"]) == 1
    assert run(capsys, "enable", "delete", "--managed", "--yes").startswith("deleted")
    assert ec2.describe_flow_logs()["FlowLogs"] == []


def deliver(s3, named, fields):
    """Writes what AWS would: an object of 200 records in the folder of today."""
    now = datetime.datetime.now(datetime.timezone.utc)
    start = int(now.timestamp()) - 600
    whole = vf.synth(200, seed=1, start=start, hours=0.1, format=" ".join(fields), nodata_share=0, skipdata_share=0).data
    key = f"AWSLogs/123456789012/vpcflowlogs/us-east-1/{now:%Y/%m/%d}/123456789012_vpcflowlogs_us-east-1_{named}_{now:%Y%m%dT%H%MZ}_1.log.gz"
    s3.put_object(Bucket="example-flow-logs", Key=key, Body=gzip.compress(whole))


def test_a_log_group_of_an_account(account, tmp_path, capsys):
    ec2, logs = account("ec2"), account("logs")
    vpc_id = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    plan = tmp_path / "plan.json"
    run(capsys, "enable", "plan", vpc_id, "--to", "cloudwatch:///vpc/flows", "--for", "port_scan", "-o", plan)
    assert run(capsys, "enable", "apply", plan, "--yes").startswith("created")
    (group,) = logs.describe_log_groups(logGroupNamePrefix="/vpc/flows")["logGroups"]
    assert group["retentionInDays"] == 90
    (log,) = ec2.describe_flow_logs()["FlowLogs"]
    assert log["LogFormat"] == vf.recommended_format(["port_scan"])
    assert run(capsys, "enable", "apply", plan, "--yes").startswith("there")
    run(capsys, "enable", "delete", log["FlowLogId"], "--yes")


@pytest.mark.parametrize("verb", [("audit",), ("plan", "vpc-1", "--to", "s3://b"), ("delete", "--managed")])
def test_a_service_that_is_not_there_is_said_without_secrets(verb, monkeypatch, capsys):
    for name, value in {**environment("http://user:CANARY@127.0.0.1:9"), "AWS_MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(name, value)
    assert cli.main(["enable", *verb]) == 2
    err = capsys.readouterr().err
    assert "AWS: no connection to" in err
    assert "127.0.0.1:9" in err
    assert CANARY not in err
    assert ACCESS not in err
    assert SECRET not in err


def test_without_boto3_it_is_said(tmp_path):
    program = "import sys; sys.modules['boto3'] = None; from vpcflow.cli import main; sys.exit(main(['enable', 'audit']))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "pip install 'vpcflow[aws]'" in done.stderr


def test_what_calls_nothing_needs_no_boto3(tmp_path):
    """Plans, texts, audits and costs import no client of AWS."""
    folder = ROOT / "examples" / "inventory"
    plan = ["plan", "vpc-0a1b2c3d4e5f60718", "--to", "s3://b", "--from-json", str(folder), "-o", str(tmp_path / "plan.json")]
    commands = [plan, ["emit", str(tmp_path / "plan.json"), "--as", "boto3"], ["audit", "--from-json", str(folder)]]
    program = f"import sys\nfrom vpcflow.cli import main\nfor command in {commands!r}: main(['enable', *command])\nsys.exit('boto3' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=60)


# -- what moto does not do: answers by botocore's own models


class Stubs:
    """Clients whose calls and answers botocore checks; the region of all of them is one."""

    def __init__(self):
        from botocore.stub import Stubber

        session = boto3.Session(ACCESS, SECRET, region_name=REGION)
        self.clients = {name: session.client(name) for name in ("ec2", "s3", "sts", "iam", "logs")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()
        self.stubs["sts"].add_response("get_caller_identity", {"Account": ACCOUNT})

    def aws(self):
        return Aws(lambda service, region: self.clients[service], lambda seconds: None)

    def describes(self, *logs, **filters):
        values = [{"Name": name.replace("_", "-"), "Values": wanted} for name, wanted in filters.items()]
        self.stubs["ec2"].add_response("describe_flow_logs", {"FlowLogs": list(logs)}, {"Filters": values} if filters else {})

    def may(self, plan, index=0):
        arguments = {**plan.calls()[index].arguments, "DryRun": True}
        self.stubs["ec2"].add_client_error("create_flow_logs", "DryRunOperation", http_status_code=412, expected_params=arguments)

    def creates(self, plan, answer, index=0):
        call = plan.calls()[index]
        self.stubs["ec2"].add_response("create_flow_logs", answer, {**call.arguments, "ClientToken": plan.token(call)})

    def done(self):
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


def nat_plan():
    options = {"account": ACCOUNT, "region": REGION, "for_": ["port_scan"]}
    return enable.plan(["nat-1", "nat-2"], to="s3://flow-logs/a/b", parquet=True, hive=True, tag_keys=["instance=Name"], **options)


def there(identity, plan, **more):
    arguments = {k: v for k, v in plan.calls()[0].arguments.items() if k not in ("ResourceType", "ResourceIds", "TagSpecifications")}
    return {**arguments, "FlowLogId": f"fl-{identity}", "ResourceId": identity, "FlowLogStatus": "ACTIVE", **more}


def test_types_and_folders_that_moto_does_not_know():
    """A regional NAT gateway, a folder, Parquet, tags: the calls are what botocore's model takes."""
    stubs, plan = Stubs(), nat_plan()
    stubs.describes(resource_id=["nat-1", "nat-2"])
    stubs.may(plan)
    stubs.stubs["s3"].add_client_error("get_bucket_policy", "NoSuchBucketPolicy")
    stubs.stubs["s3"].add_response("put_bucket_policy", {}, {"Bucket": "flow-logs", "Policy": plan.policies["buckets"][0]["policy"]})
    error = {"Code": "FlowLogAlreadyExists", "Message": "There is an existing Flow Log with the same configuration"}
    stubs.creates(plan, {"FlowLogIds": ["fl-nat-1"], "Unsuccessful": [{"ResourceId": "nat-2", "Error": error}]})
    stubs.describes(there("nat-1", plan), flow_log_id=["fl-nat-1"])
    stubs.describes(there("nat-2", plan), resource_id=["nat-2"])
    results = apply(plan, stubs.aws())
    assert [(one.resource, one.outcome, one.flow_log) for one in results] == [("nat-1", "created", "fl-nat-1"), ("nat-2", "there", "fl-nat-2")]
    stubs.done()


def test_a_delivery_that_is_limited():
    stubs, plan = Stubs(), enable.plan(["vpc-1"], to="s3://flow-logs", account=ACCOUNT, region=REGION, for_=["port_scan"])
    failing = {"DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Rate limited"}
    stubs.describes(there("vpc-1", plan, **failing), resource_id=["vpc-1"])
    stubs.stubs["s3"].add_response("get_bucket_policy", {"Policy": plan.policies["buckets"][0]["policy"]})
    stubs.stubs["ec2"].add_response("describe_network_interfaces", {"NetworkInterfaces": []})
    (one,) = verify(plan, stubs.aws())
    assert (one.verdict, one.why) == ("failed", ["Rate limited", "vpc-1 has no network interface"])
    stubs.done()


def test_what_aws_would_not_allow():
    stubs, plan = Stubs(), enable.plan(["vpc-1"], to="s3://flow-logs", account=ACCOUNT, region=REGION)
    stubs.describes(resource_id=["vpc-1"])
    message = "You are not authorized to perform this operation."
    stubs.stubs["ec2"].add_client_error("create_flow_logs", "UnauthorizedOperation", message, http_status_code=403)
    (one,) = apply(plan, stubs.aws())
    assert (one.outcome, one.why) == ("refused", [f"UnauthorizedOperation: {message}"])
    stubs.done()


# -- inventories of accounts and organisations


def cloud_with(account, logs, **more):
    cloud = Cloud(account)
    cloud.inventory = {"describe_vpcs": [vpc("vpc-1", OwnerId=account)], **more}
    cloud.flow_logs = {log["FlowLogId"]: log for log in logs}
    return cloud


def test_an_inventory_is_read_as_from_files():
    cloud = cloud_with(ACCOUNT, [flow_log("fl-1", "vpc-1", LogFormat=PORT_SCAN)], list_core_networks=[{"CoreNetworkId": "core-network-1"}])
    cloud.policies["flow-logs"] = "{}"
    cloud.refuse["describe_nat_gateways"] = Refusal("UnauthorizedOperation", "not you")
    found = read_inventory(cloud.aws(), REGION, ["flow-logs"])
    assert sorted(found.resources) == ["core-network-1", "vpc-1"]
    assert found.bucket_policies == {"flow-logs": "{}"}
    assert not found.lists("RegionalNatGateway")
    assert found.notes == ("not read: ec2 describe_nat_gateways: UnauthorizedOperation: not you",)
    cloud.refuse["describe_vpcs"] = Refusal("UnauthorizedOperation")
    with pytest.raises(Refusal):
        read_inventory(cloud.aws(), REGION)


def test_an_organisation_with_an_account_that_refuses():
    clouds = {"111111111111": cloud_with("111111111111", [flow_log("fl-1", "vpc-1")]), "222222222222": cloud_with("222222222222", [])}
    main = Cloud()
    main.inventory["list_accounts"] = [{"Id": one, "Status": "ACTIVE"} for one in ("111111111111", "222222222222", "333333333333")]
    main.inventory["list_accounts"].append({"Id": "444444444444", "Status": "SUSPENDED"})

    def reach(account, region):
        if account not in clouds:
            raise Refusal("AccessDenied", "is not authorized to perform: sts:AssumeRole")
        return clouds[account].aws()

    rows, notes = audit_organisation(main.aws(), reach, regions=[REGION])
    assert [(row.account_id, row.resource, row.verdict) for row in rows] == [
        ("111111111111", "vpc-1", "ok"), ("222222222222", "vpc-1", "none"), ("333333333333", "333333333333", "cannot_tell"),
    ]  # fmt: skip
    assert rows[2].why == ["AccessDenied: is not authorized to perform: sts:AssumeRole"]
    assert rows[2].amiss
    assert notes == []
    assert len(audit_organisation(main.aws(), reach, accounts=["222222222222"], regions=[REGION])[0]) == 1
