"""Flow logs by their ids: where they deliver to and in which format, as DescribeFlowLogs of moto says."""

import gzip
import json
import time

import pytest

import vpcflow as vf
from aws_servers import environment, moto
from conftest import HEADER, line, run_cli
from vpcflow.io.aws import Connection
from vpcflow.io.aws.flow_logs import deliveries

pytest.importorskip("boto3")
FORMAT = "${interface-id} ${srcaddr} ${dstaddr} ${dstport} ${protocol} ${bytes} ${start} ${end} ${action} ${log-status}"
NOW = int(time.time())


@pytest.fixture(scope="module")
def account():
    """Two flow logs into one bucket, one into a log group: each has records of its own size."""
    server = moto()
    ec2, s3, logs = (server.client(name) for name in ("ec2", "s3", "logs"))
    s3.create_bucket(Bucket="logs")
    ids = []
    for n in range(3):
        own = {"LogGroupName": "flows", "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/flows"}
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        own = {"LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::logs"} if n < 2 else own
        ids += ec2.create_flow_logs(ResourceType="VPC", ResourceIds=[vpc], TrafficType="ALL", LogFormat=FORMAT, **own)["FlowLogIds"]
    for n, id in enumerate(ids[:2]):
        day = time.strftime("%Y/%m/%d", time.gmtime(NOW))
        name = f"123456789012_vpcflowlogs_us-east-1_{id}_{time.strftime('%Y%m%dT%H%MZ', time.gmtime(NOW))}_0.log.gz"
        body = gzip.compress(HEADER + line(size=10**n, start=NOW - 60, end=NOW))
        s3.put_object(Bucket="logs", Key=f"AWSLogs/123456789012/vpcflowlogs/us-east-1/{day}/{name}", Body=body)
    for key in ("AWSLogs/210987654321/vpcflowlogs/us-east-1/x.log", "AWSLogs/123456789012/vpcflowlogs/eu-west-1/x.log"):
        s3.put_object(Bucket="logs", Key=key, Body=HEADER + line(size=1000))
    logs.create_log_group(logGroupName="flows")
    logs.create_log_stream(logGroupName="flows", logStreamName="eni-1-all")
    text = f"eni-1 10.0.0.1 10.0.0.2 22 6 100 {NOW - 60} {NOW} ACCEPT OK"
    logs.put_log_events(logGroupName="flows", logStreamName="eni-1-all", logEvents=[{"timestamp": 1000 * (NOW - 60), "message": text}])
    server.ids = ids
    yield server
    server.close()


@pytest.fixture
def ids(account, monkeypatch):
    for name, value in environment(account.url).items():
        monkeypatch.setenv(name, value)
    return account.ids


def total(data=None, **options):
    return vf.scan(data, **options).agg(bytes=vf.sum("bytes")).collect()["bytes"][0]


def test_what_flow_logs_deliver_is_found(ids, quiet):  # moto says of log groups that their delivery fails
    assert [total(flow_logs=id) for id in ids] == [1, 10, 100]
    assert total(flow_logs=ids) == 111
    assert total("s3://logs/AWSLogs/", flow_logs=ids[1], account="123456789012", region="us-east-1") == 10
    flows = vf.scan(flow_logs=ids[:2], start="-1d")
    assert "2 objects" in flows.explain()
    assert "list      s3://logs/AWSLogs/:" in flows.explain()


def test_the_command(ids):
    done = run_cli("summary", "--flow-log", ids[0], "--flow-log", ids[2], "--json", check=0)
    assert json.loads(done.stdout)["records"] == 2
    done = run_cli("summary", check=2)
    assert b"PATH" in done.stderr
    assert b"the following arguments are required" in done.stderr


def test_wrong_flow_logs(ids):
    with pytest.raises(vf.SourceNotFoundError) as error:
        vf.scan(flow_logs=ids[0][:-1] + ("0" if ids[0][-1] != "0" else "1"))
    assert f"no such flow log in us-east-1 of this account; did you mean {ids[0]}?" in str(error.value)
    with pytest.raises(vf.errors.ArgumentError, match="flow log 'vpc-1': an id such as fl-0123456789abcdef0 is needed"):
        vf.scan("logs/", flow_logs=["vpc-1"])
    with pytest.raises(vf.errors.ArgumentError, match=r"cannot scan NoneType: give .*, or scan\(flow_logs="):
        vf.scan()


def test_files_of_a_flow_log(tmp_path):
    for n, id in enumerate(("fl-aa", "fl-bb")):
        (tmp_path / f"123456789010_vpcflowlogs_us-east-1_{id}_20261123T0605Z_{n}.log").write_bytes(HEADER + line(size=10**n))
    assert total(tmp_path, flow_logs="fl-bb") == 10
    (tmp_path / "other.log").write_bytes(HEADER + line(size=100))
    with pytest.warns(vf.DataQualityWarning, match="the paths of 1 of 2 sources do not tell their flow log; all of them are read"):
        assert total(tmp_path, flow_logs="fl-bb") == 110
    (tmp_path / "other.log").unlink()
    with pytest.raises(vf.NoRecordsError, match="none of the 2 objects can hold what is asked for"):
        vf.scan(tmp_path, flow_logs="fl-cc")


class Ec2:
    """Answers that moto does not give: folders, failures, other regions, Firehose."""

    class meta:  # noqa: N801  of boto3
        region_name = "us-east-1"

    LOGS = (
        {"FlowLogId": "fl-1", "LogDestinationType": "s3", "LogDestination": "arn:aws:s3:::logs/deep/er/", "LogFormat": FORMAT, "DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error"},
        {"FlowLogId": "fl-2", "LogDestinationType": "s3", "LogDestination": "arn:aws-us-gov:s3:::logs"},
        {"FlowLogId": "fl-3", "LogDestinationType": "cloud-watch-logs", "LogDestination": "arn:aws:logs:eu-west-1:123456789012:log-group:/vpc/a b:*", "LogFormat": FORMAT, "DeliverLogsStatus": "SUCCESS"},
        {"FlowLogId": "fl-4", "LogDestinationType": "kinesis-data-firehose", "LogDestination": "arn:aws:firehose:us-east-1:1:deliverystream/x"},
    )

    def get_paginator(self, name):
        return self

    def paginate(self, FlowLogIds=()):  # noqa: N803
        for log in self.LOGS:
            if not FlowLogIds or log["FlowLogId"] in FlowLogIds:
                yield {"FlowLogs": [log]}


def test_destinations_as_aws_writes_them(monkeypatch):
    monkeypatch.setattr(Connection, "client", lambda *args, **own: Ec2())
    found = deliveries(["fl-3", "fl-1", "fl-2"], Connection())
    assert [one.url for one in found] == ["cloudwatch:///vpc/a%20b?region=eu-west-1", "s3://logs/deep/er/AWSLogs/", "s3://logs/AWSLogs/"]
    assert [one.failing for one in found] == ["", "Access error", ""]
    assert found[0].format == FORMAT
    with pytest.raises(vf.SourceError, match="give the place where that stream writes to"):
        deliveries(["fl-4"], Connection())
