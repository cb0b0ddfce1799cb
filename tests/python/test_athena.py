"""Tables of Athena: the statement for formats and layouts at hand."""

import re

import pytest

import vpcflow as vf
from conftest import HEADER, run_cli
from test_s3 import begun, key, log, server  # noqa: F401
from vpcflow.io.aws.athena import LAYOUTS, Place, ddl

DAILY = """\
CREATE EXTERNAL TABLE IF NOT EXISTS `vpc_flow_logs` (
  `version` int,
  `srcaddr` string,
  `protocol` int,
  `bytes` bigint,
  `start` bigint,
  `log_status` string
)
PARTITIONED BY (`log_account` string, `log_region` string, `log_time` string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ' '
STORED AS TEXTFILE
LOCATION 's3://logs/AWSLogs/'
TBLPROPERTIES (
  'skip.header.line.count' = '1',
  'projection.enabled' = 'true',
  'projection.log_account.type' = 'enum',
  'projection.log_account.values' = '123456789010,123456789011',
  'projection.log_region.type' = 'enum',
  'projection.log_region.values' = 'us-east-1',
  'projection.log_time.type' = 'date',
  'projection.log_time.format' = 'yyyy/MM/dd',
  'projection.log_time.range' = '2015/01/01,NOW',
  'projection.log_time.interval' = '1',
  'projection.log_time.interval.unit' = 'DAYS',
  'storage.location.template' = 's3://logs/AWSLogs/${log_account}/vpcflowlogs/${log_region}/${log_time}/'
);
"""
SOME = "${version} ${srcaddr} ${protocol} ${bytes} ${start} ${log-status}"
OWN = {"accounts": ["123456789010"], "regions": ["us-east-1"]}


def test_a_daily_table():
    made = ddl(
        SOME, Place("s3://logs/AWSLogs/", "daily"), accounts=["123456789010", "123456789011"], regions=["us-east-1"]
    )
    assert made == DAILY


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_template_gives_the_folders_that_aws_writes(layout):
    folders = {
        "daily": "123456789010/vpcflowlogs/us-east-1/2026/03/07/",
        "hourly": "123456789010/vpcflowlogs/us-east-1/2026/03/07/06/",
        "hive": "aws-account-id=123456789010/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=03/day=07/",
        "hive-hourly": "aws-account-id=123456789010/aws-service=vpcflowlogs/aws-region=us-east-1/year=2026/month=03/day=07/hour=06/",
    }[layout]
    made = ddl("default", Place("s3://logs/x/AWSLogs/", layout), **OWN)
    template = re.search("'storage.location.template' = '(.*)'", made)[1]
    values = {
        "log_account": "123456789010",
        "log_region": "us-east-1",
        "log_year": "2026",
        "log_month": "03",
        "log_day": "07",
        "log_hour": "06",
        "log_time": "2026/03/07/06" if layout == "hourly" else "2026/03/07",
    }
    assert re.sub(r"\$\{(\w+)\}", lambda m: values[m[1]], template) == "s3://logs/x/AWSLogs/" + folders
    assert Place.of(f"s3://logs/x/AWSLogs/{folders}a.log.gz") == Place("s3://logs/x/AWSLogs/", layout)
    keys = re.findall(r"`(log_\w+)` (?:int|string)[,)]", made.split("PARTITIONED BY")[1].splitlines()[0])
    assert [f"projection.{name}.type" in made for name in keys] == [True] * len(keys)
    assert not {name for name, _ in re.findall(r"^  `(\w+)` (\w+)", made, re.M)} & set(keys)


def test_types_of_parquet_are_those_that_aws_writes():
    made = ddl("v5", Place("s3://logs/AWSLogs/", "hive-hourly"), parquet=True, **OWN)
    assert "`protocol` int," in made
    assert "`bytes` bigint," in made
    assert "STORED AS PARQUET" in made
    assert "header" not in made


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"table": "x; drop table y"}, "small letters, digits and _ are allowed"),
        ({"accounts": ["1', 'x"]}, "neither an account of 12 digits nor a region"),
        ({"regions": ["Mars"]}, "neither an account of 12 digits nor a region"),
        ({"accounts": []}, "give --account and --region"),
    ],
)
def test_what_makes_no_table(change, said):
    with pytest.raises(vf.errors.ArgumentError, match=said):
        ddl("default", Place("s3://logs/AWSLogs/", "daily"), **{**OWN, **change})
    with pytest.raises(vf.errors.ArgumentError, match="did you mean 'daily'"):
        ddl("default", Place("s3://logs/AWSLogs/", "dayly"), **OWN)


def test_quotes_in_a_prefix_stay_data():
    made = ddl("default", Place("s3://logs/it's/AWSLogs/", "daily"), **OWN)
    assert r"LOCATION 's3://logs/it\'s/AWSLogs/'" in made


def test_the_command_takes_what_it_needs_from_the_logs(server, monkeypatch):  # noqa: F811
    s3 = begun(server, monkeypatch)
    for account in ("123456789010", "123456789011"):
        s3.put("flow/" + key(account), log(int(account[-2:])))
    made = run_cli("athena", "ddl", "s3://logs/flow/AWSLogs/", check=0).stdout.decode()
    assert "'projection.log_account.values' = '123456789010,123456789011'" in made
    assert "s3://logs/flow/AWSLogs/${log_account}/vpcflowlogs/${log_region}/${log_time}/" in made
    assert re.findall(r"^  `(\w+)`", made, re.M) == HEADER.decode().strip().replace("-", "_").split()
    done = run_cli("athena", "ddl", "--format", "default", check=2)
    assert b"give --location and --layout" in done.stderr
