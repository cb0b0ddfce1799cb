"""Policies of least privilege, under moto's enforcement: each suffices, and fails without any one statement.

moto enforces actions of all services, resources of S3 alone, and no conditions. So conditions are taken off here, and
resources of the other services are widened. What it does not enforce at all: decryption by KMS on the way through S3.
"""

import json
import time
import urllib.request

import pytest

import vpcflow as vf
import vpcflow.cli
from aws_servers import environment, moto
from conftest import HEADER, line
from vpcflow.protect.encrypt import encrypt
from vpcflow.protect.iam import policy
from vpcflow.protect.roles import new_keys, roles_of, rotate_keys, write_keys

ACCOUNT, REGION = "123456789012", "us-east-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def aws():
    server = moto()
    yield Account(server)
    server.close()


class Account:
    """An account with logs in it, and a user who may do what a policy says."""

    def __init__(self, server):
        self.server, self.number = server, 0
        s3, logs = server.client("s3"), server.client("logs")
        for bucket in ("logs", "others"):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="vpc/a.log", Body=HEADER + line())
        logs.create_log_group(logGroupName="/vpc/flow")
        logs.create_log_stream(logGroupName="/vpc/flow", logStreamName="s")
        event = {"timestamp": int(time.time() * 1000), "message": line(start=int(time.time())).decode().strip()}
        logs.put_log_events(logGroupName="/vpc/flow", logStreamName="s", logEvents=[event])
        ec2 = server.client("ec2")
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        role = server.client("iam").create_role(RoleName="flow", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        ec2.create_flow_logs(
            ResourceIds=[self.vpc], ResourceType="VPC", TrafficType="ALL", LogGroupName="/vpc/flow",
            DeliverLogsPermissionArn=role,
        )  # fmt: skip
        self.kinesis = server.client("kinesis")
        self.kinesis.create_stream(StreamName="flow", ShardCount=1)
        self.kinesis.put_record(StreamName="flow", Data=HEADER + line(), PartitionKey="a")
        self.iam = server.client("iam")
        self.iam.create_user(UserName="user")
        self._key = self.iam.create_access_key(UserName="user")["AccessKey"]

    def enforce(self, on):
        request = urllib.request.Request(
            f"{self.server.url}/moto-api/reset-auth", data=b"0" if on else b"1000000", method="POST",
            headers={"Content-Type": "text/plain"},
        )  # fmt: skip
        urllib.request.urlopen(request).close()

    def queue(self):
        """Makes a queue with the event of one object."""
        self.number += 1
        sqs = self.server.client("sqs")
        url = sqs.create_queue(QueueName=f"events-{self.number}")["QueueUrl"]
        s3 = {"bucket": {"name": "logs"}, "object": {"key": "vpc/a.log", "size": 200}}
        event = {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": s3}
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [event]}))
        return f"sqs://events-{self.number}"

    def run(self, allowed, monkeypatch, *args):
        """Runs a command as the user, who may do what is allowed and nothing else."""
        document = allowed.document()
        for statement in document["Statement"]:
            statement.pop("Condition", None)
            if ":s3:::" not in str(statement["Resource"]):
                statement["Resource"] = "*"
        nothing = {"Sid": "No", "Effect": "Deny", "Action": "iam:*", "Resource": "*"}  # a policy has a statement
        document["Statement"] = document["Statement"] or [nothing]
        self.iam.put_user_policy(UserName="user", PolicyName="p", PolicyDocument=json.dumps(document))
        for name, value in environment(self.server.url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", self._key["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", self._key["SecretAccessKey"])
        self.enforce(True)
        try:
            return vpcflow.cli.main(list(map(str, args)))
        finally:
            self.enforce(False)


def suffices_and_is_minimal(aws, monkeypatch, allowed, *args):
    """`args`: of the command, some of them functions that make one."""

    def run(some):
        return aws.run(some, monkeypatch, *[one() if callable(one) else one for one in args])

    assert run(allowed) == 0
    for one in allowed.allowed:
        assert run(allowed.without(one.statement["Sid"])) != 0, one.statement["Sid"]


def test_a_reader_of_a_bucket(aws, monkeypatch, capsys):
    allowed = policy("reader", ["s3://logs/vpc/"])
    assert [one.statement["Sid"] for one in allowed.allowed] == ["List", "Read"]
    suffices_and_is_minimal(aws, monkeypatch, allowed, "summary", "s3://logs/vpc/", "--threads", "1")
    assert aws.run(allowed, monkeypatch, "summary", "s3://others/vpc/") == 2  # nor any other bucket


def test_a_reader_of_a_log_group(aws, monkeypatch, capsys):
    allowed = policy("reader", ["cloudwatch:///vpc/flow"], account=ACCOUNT, region=REGION)
    assert [one.statement["Sid"] for one in allowed.allowed] == ["FindGroup", "ReadEvents", "FindFormat"]
    suffices_and_is_minimal(aws, monkeypatch, allowed, "summary", "cloudwatch:///vpc/flow", "--start=-1h")
    given = allowed.without("FindFormat")
    assert aws.run(given, monkeypatch, "summary", "cloudwatch:///vpc/flow", "--start=-1h", "--format", "default") == 0


def test_a_watcher_of_a_queue(aws, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("vpcflow.io.aws.sqs._WAIT", 0)
    states = (str(tmp_path / f"{n}.sqlite") for n in range(99))
    allowed = policy("watcher", ["sqs://events-1", "s3://logs/vpc/"], account=ACCOUNT, region=REGION)
    assert [one.statement["Sid"] for one in allowed.allowed] == ["Messages", "Read"]
    suffices_and_is_minimal(
        aws, monkeypatch, allowed, "watch", aws.queue, "--once", "--state", lambda: next(states), "--settle", "0"
    )


def test_a_watcher_of_a_stream(aws, monkeypatch, capsys, tmp_path):
    states = (str(tmp_path / f"{n}.sqlite") for n in range(99))
    allowed = policy("watcher", ["kinesis://flow"], account=ACCOUNT, region=REGION)
    suffices_and_is_minimal(
        aws, monkeypatch, allowed, "watch", "kinesis://flow", "--once", "--since", "all", "--state", lambda: next(states)
    )


def test_a_writer(aws, monkeypatch, capsys, tmp_path):
    """Who applies a plan; what its inventory is read with is not part of it."""
    allowed = policy("writer", ["s3://logs"], account=ACCOUNT, region=REGION)
    for name, value in environment(aws.server.url).items():
        monkeypatch.setenv(name, value)
    assert vpcflow.cli.main(["enable", "plan", aws.vpc, "--to", "s3://logs", "--json"]) == 0
    (tmp_path / "plan.json").write_text(capsys.readouterr().out)
    assert aws.run(allowed.without("FlowLogs"), monkeypatch, "enable", "apply", tmp_path / "plan.json", "--yes") != 0
    assert aws.run(allowed.without("BucketPolicy"), monkeypatch, "enable", "apply", tmp_path / "plan.json", "--yes") != 0
    assert aws.run(allowed, monkeypatch, "enable", "apply", tmp_path / "plan.json", "--yes") == 0


def test_keys_of_aws_kms(aws, tmp_path, monkeypatch):
    """The master keys of encrypted Parquet stay in KMS: a file of keys names them, and who may not use one is refused."""
    for name, value in environment(aws.server.url).items():
        monkeypatch.setenv(name, value)
    kms = aws.server.client("kms")
    roles = roles_of(["analyst=dstport,bytes"])
    ids = {name: kms.create_key()["KeyMetadata"]["KeyId"] for name in ("footer", "owner", "analyst")}
    keys = new_keys(roles, ids)
    write_keys(tmp_path / "keys", keys)
    with pytest.raises(vf.ProtectionError, match="AWS rotates them itself"):
        rotate_keys(tmp_path / "keys")
    encrypt(vf.scan(HEADER + line()), tmp_path / "flows.parquet", keys)
    monkeypatch.setenv("VPCFLOW_KEYS", str(tmp_path / "keys" / "owner.json"))
    assert vf.scan(tmp_path / "flows.parquet").collect().rows() == vf.scan(HEADER + line()).collect().rows()
    gone = {**ids, "owner": "11111111-2222-3333-4444-555555555555"}
    write_keys(tmp_path / "gone", new_keys(roles, gone))
    monkeypatch.setenv("VPCFLOW_KEYS", str(tmp_path / "gone" / "owner.json"))
    assert vf.scan(tmp_path / "flows.parquet").agg(bytes=vf.sum("bytes")).collect().rows() == [{"bytes": 40}]
    with pytest.raises(vf.SourceError, match="key 'owner' of AWS KMS"):
        vf.scan(tmp_path / "flows.parquet").group_by("srcaddr").agg(n=vf.count()).collect()
    with pytest.raises(vf.ProtectionError, match="needed are analyst, footer, owner"):
        new_keys(roles, {"footer": "a"})


SHOWN = {
    ("reader", "s3://logs"): ({"s3:ListBucket": "arn:aws:s3:::logs", "s3:GetObject": "arn:aws:s3:::logs/*"}, None),
    ("reader", "s3://logs/a*/b/"): ({"s3:ListBucket": "arn:aws:s3:::logs", "s3:GetObject": "arn:aws:s3:::logs/a*"}, "a*"),
    ("watcher", "s3://logs/a${b}/"): (
        {"s3:ListBucket": "arn:aws:s3:::logs", "s3:GetObject": "arn:aws:s3:::logs/a${$}{b}/*"},
        "a${$}{b}/*",
    ),
    ("reader", "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/own/a/"): (
        {
            "s3:ListBucket": "arn:aws:s3:eu-west-1:123456789012:accesspoint/own",
            "s3:GetObject": "arn:aws:s3:eu-west-1:123456789012:accesspoint/own/object/a/*",
        },
        "a/*",
    ),
}


@pytest.mark.parametrize(("role", "source"), SHOWN)
def test_resources_are_no_wider_than_the_source(role, source):
    actions, prefix = SHOWN[role, source]
    allowed = policy(role, [source]).allowed
    assert {one.statement["Action"]: one.statement["Resource"] for one in allowed} == actions
    found = allowed[0].statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
    assert found == prefix
    assert all(one.why for one in allowed)


def test_keys_are_used_only_through_the_services():
    own = policy("watcher", ["sqs://events", "s3://logs/", KEY], account=ACCOUNT, region="eu-west-1").allowed[-1].statement
    assert (own["Action"], own["Resource"]) == ("kms:Decrypt", KEY)
    assert own["Condition"] == {"StringEquals": {"kms:ViaService": [f"s3.{REGION}.amazonaws.com", f"sqs.{REGION}.amazonaws.com"]}}
    china = policy("watcher", ["kinesis://flow?region=cn-north-1"], account=ACCOUNT).allowed[0].statement
    assert china["Resource"] == f"arn:aws-cn:kinesis:cn-north-1:{ACCOUNT}:stream/flow"
    twice = policy("reader", ["cloudwatch://a", "cloudwatch://b"]).document()["Statement"]
    assert [one["Sid"] for one in twice] == ["FindGroup", "ReadEvents", "FindFormat", "ReadEvents2"]
    assert "StartQuery" in str(policy("reader", ["cloudwatch://a"], pushdown=True).document())


@pytest.mark.parametrize(
    ("role", "sources", "said"),
    [
        ("raeder", ["s3://logs"], "did you mean 'reader'"),
        ("reader", [], "the sources are missing"),
        ("reader", ["logs/"], "no source 'logs/'"),
        ("reader", ["sqs://events"], "no source"),
        ("watcher", ["kafka://host/topic"], "no source"),
        ("watcher", ["sqs://events"], "give their bucket"),
        ("reader", [KEY], "a key alone"),
        ("reader", ["cloudwatch://a", KEY], "leave the key out"),
        ("reader", ["s3://logs", KEY.replace("key/", "alias/")], "not by an alias"),
        ("reader", ["s3://logs", "arn:aws:kms:key"], "no KMS key"),
        ("writer", ["sqs://events"], "no destination of flow logs"),
    ],
)
def test_what_cannot_be(role, sources, said):
    with pytest.raises((vf.PlanError, vf.SourceError), match=said):
        policy(role, sources)


def test_the_command(capsys):
    assert vpcflow.cli.main(["iam", "reader", "s3://logs/vpc/"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == policy("reader", ["s3://logs/vpc/"]).document()
    assert "List: lists the objects of s3://logs/vpc/" in shown.err
    assert vpcflow.cli.main(["iam", "writer", "cloudwatch:///vpc/flow", "--json"]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert {row["statement"]["Sid"] for row in rows} == {"FlowLogs", "LogGroup", "Role"}
