"""Logs as they lie in S3: what is opened and what is not."""

import datetime
import json
import shutil

import pytest

import vpcflow as vf
from conftest import HEADER, line, run_cli

MIDNIGHT = 1_795_392_000  # 2026-11-23


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bucket")
    vf.synth(30_000, out=folder, seed=3, accounts=2, s3_layout=True, hours=2)
    return folder


def test_only_what_can_match_is_opened(bucket):
    everything = vf.scan(bucket)
    n = vf.count()
    records = everything.agg(n=n).collect()
    span = everything.agg(first=vf.min("start"), last=vf.max("start")).collect().rows()[0]
    middle = (span["first"] + span["last"]) // 2
    for start, end in ((middle, None), (None, middle), (middle, middle + 600), (middle - 1, middle)):
        chosen = vf.scan(bucket, start=start, end=end)
        bounds = [f"start >= {start}"] * (start is not None) + [f"start < {end}"] * (end is not None)
        wanted = everything.filter(" and ".join(bounds)).agg(n=n).collect()
        got = chosen.agg(n=n).collect()
        assert got.rows() == wanted.rows()
        assert got.report.sources < records.report.sources
    accounts = {source.object_path["account"] for source in everything._sources}
    assert len(accounts) == 2
    parts = [vf.scan(bucket, account=account).agg(n=n).collect().rows()[0]["n"] for account in accounts]
    assert sum(parts) == records.rows()[0]["n"]
    with pytest.raises(vf.NoRecordsError, match="none of the"):
        vf.scan(bucket, region="eu-north-1")
    with pytest.raises(vf.NoRecordsError):
        vf.scan(bucket, start="2031-01-01")


def test_times_in_every_form(bucket):
    first = vf.scan(bucket).agg(t=vf.min("start")).collect().rows()[0]["t"]
    when = datetime.datetime.fromtimestamp(first + 1800, datetime.timezone.utc)
    counts = {
        vf.scan(bucket, start=form).agg(n=vf.count()).collect().rows()[0]["n"]
        for form in (first + 1800, when, when.replace(tzinfo=None), when.isoformat(), when.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
    assert len(counts) == 1
    for wrong in ("yesterday", 1.5, True):
        with pytest.raises(vf.PlanError, match="Unix seconds, a datetime"):
            vf.scan(bucket, start=wrong)


def test_a_late_record_is_found(tmp_path):
    """It started 10 minutes before the end of its window, and its object came 10 minutes later."""
    start = MIDNIGHT
    name = "123456789010_vpcflowlogs_us-east-1_fl-1_20261123T0020Z_h.log"
    (tmp_path / name).write_bytes(HEADER + line(start=start, end=start + 600))
    assert vf.scan(tmp_path, start=start, end=start + 1).agg(n=vf.count()).collect().rows() == [{"n": 1}]


def test_paths_that_do_not_say(tmp_path):
    (tmp_path / "a.log").write_bytes(HEADER + line())
    with pytest.warns(vf.DataQualityWarning, match="1 of 1 sources do not tell their account"):
        vf.scan(tmp_path, account="123456789010")


def test_the_same_object_twice(tmp_path):
    (tmp_path / "a.log").write_bytes(HEADER + line(size=5))
    shutil.copy(tmp_path / "a.log", tmp_path / "b.log")
    with pytest.warns(vf.DataQualityWarning, match=r"b\.log has the same bytes as .*a\.log: read once"):
        result = vf.scan(tmp_path).agg(bytes=vf.sum("bytes")).collect()
    assert result.rows() == [{"bytes": 5}]
    assert (result.report.sources, result.report.duplicates) == (1, 1)
    assert vf.scan(tmp_path, duplicates="all").agg(bytes=vf.sum("bytes")).collect().rows() == [{"bytes": 10}]
    with pytest.raises(vf.PlanError, match="'once' or 'all'"):
        vf.scan(tmp_path, duplicates="no")


def test_the_command_line(bucket, tmp_path):
    whole = json.loads(run_cli("summary", bucket, "--json", check=0).stdout)
    half = json.loads(run_cli("summary", bucket, "--start", whole["start"] + 3600, "--json", check=0).stdout)
    assert 0 < half["records"] < whole["records"]
    assert half["files"] < whole["files"]
    assert b"Unix seconds" in run_cli("summary", bucket, "--start", "now", check=2).stderr
