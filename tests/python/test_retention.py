"""Retention as documents, legal holds, and the erasure of a subject with its record."""

import gzip
import json
import pathlib
import re
import time

import boto3
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vpcflow as vf
from conftest import HEADER, ROOT, line
from vpcflow import volume
from vpcflow.cli import main
from vpcflow.errors import PlanError, RuleError, SourceError
from vpcflow.io.aws.session import Connection
from vpcflow.volume.erasing import erase
from vpcflow.volume.retaining import DAY, Hold, apply, cloudwatch, due, lifecycle, load_retention, terraform

pytestmark = pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
NOW = 1795413600
HOLD = {"name": "case-7", "owner": "legal", "prefix": "AWSLogs/", "start": "2026-11-01", "end": "2026-12-01"}


def policy(tmp_path, **parts):
    path = tmp_path / "retention.json"
    path.write_text(json.dumps({"bucket": "flow-logs", **parts}))
    return load_retention(path)


def test_documents_of_a_policy(tmp_path):
    made = policy(
        tmp_path,
        tiers=[
            {"name": "raw", "prefix": "raw/", "keep": "14d"},
            {"name": "lake", "prefix": "lake/", "keep": "400d", "move": {"90d": "GLACIER_IR"}},
        ],
        log_groups=[{"name": "flows", "keep": "10d"}, {"name": "all"}],
    )
    assert lifecycle(made) == {
        "Rules": [
            {"ID": "vpcflow-raw", "Status": "Enabled", "Filter": {"Prefix": "raw/"}, "Expiration": {"Days": 14}},
            {
                "ID": "vpcflow-lake", "Status": "Enabled", "Filter": {"Prefix": "lake/"},
                "Transitions": [{"Days": 90, "StorageClass": "GLACIER_IR"}], "Expiration": {"Days": 400},
            },
        ]
    }  # fmt: skip
    assert cloudwatch(made) == [
        {"call": "put-retention-policy", "logGroupName": "flows", "retentionInDays": 14},
        {"call": "delete-retention-policy", "logGroupName": "all"},
    ]
    (rules,) = terraform(made)["resource"]["aws_s3_bucket_lifecycle_configuration"].values()
    assert [rule["expiration"]["days"] for rule in rules["rule"]] == [14, 400]
    assert [note for note in made.notes() if note.startswith("flows")] == ["flows: 14 days, the next that CloudWatch Logs takes"]


@pytest.mark.parametrize("prefix", ["", "lake/", "lake/AWSLogs/1", "lake"])
def test_nothing_expires_of_which_a_part_is_held(prefix, tmp_path):
    tiers = [{"name": "lake", "prefix": "lake/", "keep": "400d"}, {"name": "other", "prefix": "other/", "keep": "1d"}]
    made = policy(tmp_path, tiers=tiers, log_groups=[{"name": "g", "keep": "1d"}], holds=[{**HOLD, "prefix": prefix}])
    expire = {rule["ID"] for rule in lifecycle(made)["Rules"] if "Expiration" in rule}
    assert expire == (set() if prefix == "" else {"vpcflow-other"})
    assert ("retentionInDays" in cloudwatch(made)[0]) == (prefix != "")
    assert any("case-7" in note for note in made.notes())


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"tiers": [{"name": "a", "keep": "36h"}]}, "whole days"),
        ({"tiers": [{"name": "a", "keep": "90d", "move": {"90d": "GLACIER"}}]}, "before its last move"),
        ({"tiers": [{"name": "a", "move": {"9d": "STANDARD_IA"}}]}, "from 30 days on"),
        ({"tiers": [{"name": "a", "move": {"90d": "GLACIR"}}]}, "did you mean 'GLACIER"),
        ({"tiers": [{"prefix": "a"}]}, "name is needed"),
        ({"tiers": [{"name": "a"}, {"name": "a"}]}, "same name"),
        ({"holds": [{"name": "a"}]}, "owner is needed"),
        ({"holds": [{"name": "a", "owner": "b", "start": "soon"}]}, "start"),
        ({"teirs": []}, "did you mean 'tiers'"),
    ],
)
def test_policies_that_cannot_be(parts, words, tmp_path):
    with pytest.raises(RuleError, match=words):
        policy(tmp_path, **parts)


@settings(max_examples=8)
@given(st.lists(st.tuples(st.sampled_from(["a/", "a/b/", ""]), st.integers(0, 40), st.integers(0, 40)), max_size=3), st.integers(1, 30))
def test_what_is_held_is_never_due(tmp_path_factory, holds, keep):
    folder = tmp_path_factory.mktemp("due")
    days = {}
    for prefix in ("a/", "a/b/", "c/"):
        for age in (1, 10, 25):
            when = NOW // DAY * DAY - age * DAY
            date = time.strftime("%Y/%m/%d", time.gmtime(when))
            key = f"{prefix}AWSLogs/123456789010/vpcflowlogs/us-east-1/{date}/x.log.gz"
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(b"")
            days[key] = (when, when + DAY)
    (folder / "a/nothing-known.log").write_bytes(b"")
    base = NOW // DAY * DAY
    made = policy(
        folder.parent, tiers=[{"name": "t", "prefix": "a/", "keep": f"{keep}d"}],
        holds=[{"name": f"h{i}", "owner": "o", "prefix": p, "start": str(base - max(a, b) * DAY), "end": str(base - min(a, b) * DAY)} for i, (p, a, b) in enumerate(holds)],
    )  # fmt: skip
    rows = {row.object: row.verdict for row in due(made, folder, NOW)}
    old = {key for key, (_, end) in days.items() if key.startswith("a/") and NOW - end >= keep * DAY}
    assert set(rows) == old
    for key, verdict in rows.items():
        begin, end = days[key]
        held = any(key.startswith(p) and begin < base - min(a, b) * DAY and end > base - max(a, b) * DAY for p, a, b in holds)
        assert verdict == ("hold" if held else "delete")


def test_a_policy_is_put_in_place_and_rules_of_others_stay(tmp_path):
    moto = pytest.importorskip("moto")
    with moto.mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in (("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_REGION", "us-east-1")):
            patch.setenv(name, value)
        s3, logs = boto3.client("s3", region_name="us-east-1"), boto3.client("logs", region_name="us-east-1")
        s3.create_bucket(Bucket="flow-logs")
        logs.create_log_group(logGroupName="flows")
        made = policy(
            tmp_path, tiers=[{"name": "raw", "prefix": "raw/", "keep": "14d"}], log_groups=[{"name": "flows", "keep": "9d"}]
        )
        theirs = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}
        s3.put_bucket_lifecycle_configuration(Bucket="flow-logs", LifecycleConfiguration={"Rules": [theirs]})
        for _ in range(2):
            apply(made, Connection(region="us-east-1"))
            rules = s3.get_bucket_lifecycle_configuration(Bucket="flow-logs")["Rules"]
            assert [(rule["ID"], rule["Expiration"]["Days"]) for rule in rules] == [("theirs", 3), ("vpcflow-raw", 14)]
            (group,) = logs.describe_log_groups()["logGroups"]
            assert group["retentionInDays"] == 14
        with pytest.raises(SourceError, match="nothing"):
            apply(policy(tmp_path, bucket="nothing", tiers=[{"name": "a", "keep": "1d"}]), Connection(region="us-east-1"))


LOG = (
    b"srcaddr dstaddr bytes start end note\n"
    b"10.0.0.1 10.0.0.2 1 1795413600 1795413660 a\n10.0.0.2 10.0.0.1 2 1795413600 1795413660 b\n"
    b"10.0.0.11 10.0.0.2 4 1795413600 1795413660 c\n10.0.0.3 10.0.0.2 8 1795413600 1795413660 seen=10.0.0.1;x\n"
    b"2001:db8::1 10.0.0.2 16 1795420800 1795420860 d\n10.0.0.1 10.0.0.2 32 1795420800 1795420860 e\n10.0.0.1 x 1 1 1 f\n"
)


@pytest.fixture
def lake(tmp_path):
    (tmp_path / "a.log").write_bytes(LOG)
    volume.compact(vf.scan(tmp_path / "a.log"), tmp_path / "lake", by="hour")
    return tmp_path / "lake"


def every_byte(folder):
    return b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else repr(pq.read_table(path, partitioning=None).to_pylist()).encode() + path.read_bytes()
        if path.suffix == ".parquet" else path.read_bytes()
        for path in sorted(pathlib.Path(folder).rglob("*")) if path.is_file()
    )  # fmt: skip


def test_a_subject_is_erased_with_a_record(lake):
    before = {path.name: path.read_bytes() for path in lake.rglob("*.parquet")}
    done = erase(lake, "10.0.0.1", reason="request 12", approver="dpo")
    assert (done.removed, [row["removed"] for row in done.objects]) == (4, [3, 1])
    assert done.elsewhere == [str(lake.parent / "a.log")]
    assert sorted(row["bytes"] for row in vf.scan(lake).collect()) == [4, 16]
    left = every_byte(lake)
    assert not re.search(rb"10\.0\.0\.1(?![0-9])", left)
    assert b"10.0.0.11" in left
    assert b"request 12" in left
    assert all(row["sha256_before"] != row["sha256"] and "address" not in row for row in done.objects)
    found = volume.verify(lake)
    assert (found.wrong, found.records) == ([], 2)
    assert erase(lake, "10.0.0.1", reason="again").removed == 0
    assert erase(lake, "2001:DB8:0::1", reason="request 13").removed == 1
    assert volume.verify(lake).wrong == []
    changed = next(lake.rglob("*.parquet"))
    changed.write_bytes(before[changed.name])  # the old bytes do not come back unseen
    assert [verdict.verdict for verdict in volume.verify(lake).wrong] == ["changed"]
    with pytest.raises(SourceError, match="nothing was erased"):
        erase(lake, "10.0.0.2", reason="x")


def test_a_hold_wins_and_times_bound(lake):
    whole = every_byte(lake)
    hold = Hold("case-7", "legal", prefix="AWSLogs/", start="2026-11-23T07:00:00Z", end="2026-11-24")
    with pytest.raises(PlanError, match="hold case-7 of legal"):
        erase(lake, "10.0.0.1", reason="x", holds=[hold])
    for address, reason in (("10.0.0", "x"), ("10.0.0.1", " ")):
        with pytest.raises(PlanError):
            erase(lake, address, reason=reason)
    assert every_byte(lake) == whole
    assert erase(lake, "10.0.0.1", reason="x", end=1795417200, holds=[hold]).removed == 3
    assert volume.verify(lake).wrong == []
    assert vf.scan(lake).filter("srcaddr = '10.0.0.1'").count() == 1


addresses = st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1", "-"])


@settings(max_examples=6)
@given(st.lists(st.tuples(addresses, addresses, st.integers(0, 3)), min_size=1, max_size=30), st.sampled_from(["10.0.0.1", "2001:db8::1"]))
def test_others_stay_as_they_are(tmp_path_factory, rows, subject):
    folder = tmp_path_factory.mktemp("erase")
    lines = [f"{a} {b} {i} {NOW + hour * 3600} {NOW + hour * 3600 + 60}" for i, (a, b, hour) in enumerate(rows)]
    log = ("srcaddr dstaddr bytes start end\n" + "\n".join(lines) + "\n").encode()
    volume.compact(vf.scan(log), folder / "lake")
    erase(folder / "lake", subject, reason="x")
    left = {i for i, (a, b, _) in enumerate(rows) if subject not in (a, b)}
    assert {row["bytes"] for row in vf.scan(folder / "lake", allow_empty=True).collect()} == left
    assert volume.verify(folder / "lake").wrong == []


def test_commands(lake, tmp_path, capsys):
    example = str(ROOT / "examples" / "retention.json")
    assert main(["retention", "plan", example, "--to", "lifecycle"]) == 0
    out, err = capsys.readouterr()
    assert [rule["ID"] for rule in json.loads(out)["Rules"]] == ["vpcflow-raw", "vpcflow-lake"]
    assert "does not expire in S3 while hold case-7 of legal lasts" in err
    assert main(["retention", "plan", example, "--to", "terraform", "-o", str(tmp_path / "r.tf.json")]) == 0
    assert "aws_cloudwatch_log_group" in json.loads((tmp_path / "r.tf.json").read_text())["resource"]
    assert main(["retention", "apply", example]) == 0
    assert "nothing was called" in capsys.readouterr().err
    own = tmp_path / "p.json"
    own.write_text(json.dumps({"bucket": "b", "tiers": [{"name": "all", "keep": "30d"}], "holds": [{**HOLD, "start": "2026-11-23T07:00:00Z"}]}))
    assert main(["retention", "due", str(own), str(lake), "--at", str(NOW + 40 * DAY)]) == 0
    out, err = capsys.readouterr()
    assert [text.split(":")[0] for text in out.splitlines()] == ["delete", "kept by case-7"]
    assert main(["retention", "erase", str(lake), "--address", "10.0.0.2", "--reason", "r", "--holds", str(own)]) == 2
    assert main(["retention", "erase", str(lake), "--address", "2001:db8::1", "--reason", "r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["removed"] == 1


def test_a_line_of_the_default_format_is_kept_as_a_whole(tmp_path):
    (tmp_path / "a.log").write_bytes(HEADER + line() + line(src="10.0.0.5"))
    volume.compact(vf.scan(tmp_path / "a.log"), tmp_path / "lake", by="hour")
    erase(tmp_path / "lake", "10.0.0.5", reason="x")
    assert vf.scan(tmp_path / "lake").collect().rows() == vf.scan(HEADER + line()).collect().rows()
