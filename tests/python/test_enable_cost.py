"""What flow logs cost: bytes counted in one's own logs, held against logs written in that format."""

import json
import re

import pytest

import vpcflow as vf
from conftest import HEADER, ROOT, SAMPLE, line, run_cli
from vpcflow.enable import measured_cost
from vpcflow.enable.costs import estimated_range
from vpcflow.enable.prices import insights_usd_per_gb, monthly_usd, price_date, usd_per_gb, width
from vpcflow.enable.spec import fields_of
from vpcflow.pricing.sheet import GB

V5 = vf.synth(20_000, seed=3, format="v5", hours=1).data


def without_headers(data):
    return b"".join(text for text in data.splitlines(keepends=True) if not text.startswith(b"version"))


@pytest.mark.parametrize("format", ["v5", "default", "${srcaddr} ${dstaddr} ${bytes} ${start} ${end} ${action} ${log-status}", "v3"])
def test_bytes_are_those_of_logs_in_that_format(format):
    """What synth writes in the format, from the same seed, is as long as what is counted for it."""
    fields = fields_of(format)
    cost = measured_cost(vf.scan(V5), fields)
    written = sum(len(" ".join(parts)) + 1 for parts in rewritten(V5, fields))
    assert cost.bytes == written
    assert (cost.basis, cost.records) == ("measured", written_records(V5))
    assert sum(one.bytes for one in cost.fields) == cost.bytes
    assert [one.field for one in cost.fields] == list(fields)


def rewritten(data, fields):
    """The records of a log in another format, by hand."""
    names = data.splitlines()[0].decode().split()
    for text in without_headers(data).decode().splitlines():
        values = dict(zip(names, text.split(" ")))
        yield [values[name] for name in fields]


def written_records(data):
    return len(without_headers(data).splitlines())


def test_the_whole_format_is_the_file_itself():
    assert measured_cost(vf.scan(V5), fields_of("v5")).bytes == len(without_headers(V5))


def test_fields_that_logs_lack_count_by_their_width():
    cost = measured_cost(vf.scan(HEADER + line() * 1), fields_of("${srcaddr} ${vpc-id}"))
    assert cost.basis == "estimated"
    assert [(one.field, one.bytes, one.measured) for one in cost.fields] == [("srcaddr", 9, True), ("vpc-id", width("vpc-id") + 1, False)]
    with pytest.raises(vf.PlanError, match="none of the fields"):
        measured_cost(vf.scan(HEADER + line()), ["vpc-id"])
    with pytest.raises(vf.NoRecordsError):
        measured_cost(vf.scan(HEADER), ["srcaddr"])


def test_nulls_and_texts_that_spreadsheets_fear_have_their_own_length():
    log = b"srcaddr interface-id bytes log-status\n- eni-1 - NODATA\n10.0.0.1 =eni,\"x\" 7 OK\n"
    cost = measured_cost(vf.scan(log, format="srcaddr interface-id bytes log-status", on_error="null"), ["srcaddr", "interface-id", "bytes", "log-status"])
    assert cost.bytes == len(log) - len(log.splitlines()[0]) - 1


def test_ten_minutes_are_summed_up_by_flow():
    minutes = [line(start=60_000 + 60 * i, end=60_060 + 60 * i) for i in range(20)]
    cost = measured_cost(vf.scan(HEADER + b"".join(minutes)), fields_of("default"))
    assert cost.interval == 60
    assert cost.intervals[60]["records"] == 20
    assert cost.intervals[600]["records"] == 2
    assert cost.intervals[600]["bytes"] == round(cost.bytes / 10)
    others = [line(src=f"10.0.0.{i}", start=60_000 + 60 * i, end=60_060 + 60 * i) for i in range(20)]
    assert measured_cost(vf.scan(HEADER + b"".join(others)), fields_of("default")).intervals[600]["records"] == 20


def test_a_minute_of_longer_records_is_a_range():
    cost = measured_cost(vf.scan(HEADER + line(start=60_000, end=60_600) + line(start=60_000, end=60_030)), fields_of("default"))
    assert cost.interval == 600
    assert cost.intervals[60] == {"records": 2, "bytes": cost.bytes, "most_records": 11, "most_bytes": round(cost.bytes * 11 / 2)}


def test_prices_are_data_with_a_day_and_tiers():
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", price_date())
    assert usd_per_gb("us-east-1", "s3") == 0.25
    assert usd_per_gb("mars-1", "s3") is None
    assert monthly_usd(10240 * GB, "us-east-1", "cloud-watch-logs") == pytest.approx(5_120)
    assert monthly_usd(61440 * GB, "us-east-1", "cloud-watch-logs") == pytest.approx(1024 * (10 * 0.5 + 20 * 0.25 + 20 * 0.1 + 10 * 0.05))
    assert monthly_usd(GB, "us-east-1", "s3", parquet=True) == pytest.approx(0.285)
    assert monthly_usd(GB, "us-east-1", "kinesis-data-firehose") is None  # no source gives one
    assert monthly_usd(GB, "mars-1", "s3") is None


def test_every_field_has_a_width():
    for field in vf.fields():
        least, usual, most = (width(field.name, which) for which in ("least", "usual", "most"))
        assert 1 <= least <= usual <= most
        assert (least, usual, most) != (1, 12, 64), f"{field.name} has none"


def test_without_logs_it_is_a_range():
    found = estimated_range(fields_of("default"), 20, 300)
    assert found["records_per_month"] == 20 * 300 * 60 * 24 * 30
    sizes = found["bytes_per_month"]
    assert sizes["least"] < sizes["usual"] < sizes["most"]
    measured = measured_cost(vf.scan(SAMPLE), fields_of("default"))
    each = measured.bytes / measured.records
    assert found["record_bytes"]["least"] < each < found["record_bytes"]["most"]
    with pytest.raises(vf.PlanError, match="above 0"):
        estimated_range(fields_of("default"), 0, 300)


def test_cost_on_the_command_line():
    document = json.loads(run_cli("enable", "cost", "--from", SAMPLE, "--for", "cost", "--json", check=0).stdout)
    assert {field["field"] for field in document["fields"]} == set(fields_of(vf.recommended_format(["cost"])))
    assert [(one["destination"], one["interval"]) for one in document["options"]][:2] == [("cloud-watch-logs", 60), ("s3", 60)]
    assert document["price_date"] in run_cli("enable", "cost", "--from", SAMPLE, "--format", "v5", check=0).stdout.decode()
    page = run_cli("enable", "cost", "--flows-per-minute", "20", "--interfaces", "300", check=0).stdout.decode()
    assert page.startswith("a range, not a measurement")
    assert json.loads(run_cli("enable", "cost", "--flows-per-minute", "20", "--interfaces", "3", "--json", check=0).stdout)["basis"] == "range"
    assert b"give --from PATH" in run_cli("enable", "cost", check=2).stderr
    assert b"not priced: no price of this region" in run_cli("enable", "cost", "--from", SAMPLE, "--region", "mars-1", check=0).stdout


def test_what_no_source_prices_is_said():
    """A plan for Firehose tells the size of a record, and why it has no price."""
    done = run_cli("enable", "plan", "vpc-0a1b2c3d4e5f60718", "--to", "firehose://flows", "--from-json", ROOT / "examples" / "inventory", check=0)
    assert b"bytes a record, not priced: deliveries of flow logs to Firehose (FH-Egress-Bytes): no source gives their price" in done.stdout
    assert insights_usd_per_gb("us-east-1") == 0.005
    assert insights_usd_per_gb("mars-1") is None
