"""OCSF Network Activity as AWS writes it, each version in JSON and in Parquet: the same rows, and no silent null."""

import datetime
import io
import json

import pytest

import vpcflow as vf
from conftest import corpora

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402

START, END = 1769000002, 1769000059
ROW = {
    "version": 8, "account_id": "021098765432", "interface_id": "eni-0b5e77aa10c94d3f2", "srcaddr": "10.20.4.9",
    "dstaddr": "10.20.0.77", "srcport": 44321, "dstport": 443, "protocol": 6, "packets": 25, "bytes": 31337,
    "action": "ACCEPT", "log_status": "OK", "vpc_id": "vpc-0aa11", "subnet_id": "subnet-0bb22", "instance_id": "i-0cc33",
    "tcp_flags": 19, "type": "IPv4", "pkt_srcaddr": "10.20.4.9", "pkt_dstaddr": "203.0.113.80", "region": "eu-west-1",
    "az_id": "euw1-az2", "pkt_dst_aws_service": "S3", "flow_direction": "egress", "traffic_path": 8,
}  # fmt: skip
OWN = {"sublocation_type": "outpost", "sublocation_id": "op-1", "reject_reason": "BPA", "ecs_cluster_name": "blue",
       "ecs_task_id": "t9", "encryption_status": "3", "resource_id": "nat-07", "next_hop_vpc_id": "vpc-0dd44",
       "next_hop_interface_type": "transit_gateway", "instance_tag": "web", "asg_tag_2": "b%2D1"}  # fmt: skip


def utc(seconds, shape="%Y-%m-%d %H:%M:%S+00:00"):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(shape)


def event(version):
    """The event of ROW as AWS's converter writes it for a version of OCSF."""
    refused = {"activity_id": 6, "activity_name": "Traffic", "type_uid": 400106}
    out = {
        "class_uid": 4001, "class_name": "Network Activity", "category_uid": 4, "severity_id": 1, **refused,
        "metadata": {"version": version, "product": {"name": "Amazon VPC", "version": "8", "vendor_name": "AWS"}},
        "cloud": {"provider": "AWS", "region": "eu-west-1", "zone": "euw1-az2"},
        "src_endpoint": {"ip": "10.20.4.9", "port": 44321, "svc_name": "-", "interface_uid": "eni-0b5e77aa10c94d3f2",
                         "vpc_uid": "vpc-0aa11", "subnet_uid": "subnet-0bb22", "instance_uid": "i-0cc33"},
        "dst_endpoint": {"ip": "203.0.113.80", "port": 443, "svc_name": "S3", "intermediate_ips": ["10.20.0.77"]},
        "connection_info": {"protocol_num": 6, "protocol_ver": "IPv4", "tcp_flags": 19, "direction": "Outbound",
                            "direction_id": 2, "boundary": "Internet", "boundary_id": 11},
        "traffic": {"packets": 25, "bytes": 31337}, "status_code": "OK", "time": START * 1000,
    }  # fmt: skip
    if version == "1.0.0-rc.2":
        out["cloud"]["account_uid"] = "021098765432"
        return {
            **out,
            "start_time": START * 1000,
            "end_time": END * 1000,
            "disposition": "Allowed",
            "disposition_id": 1,
        }
    out["cloud"]["account"] = {"uid": "021098765432"}
    shape = "%Y-%m-%dT%H:%M:%S.000Z" if version == "1.1.0" else "%Y-%m-%d %H:%M:%S+00:00"
    times = {"start_time_dt": utc(START, shape), "end_time_dt": utc(END, shape), "time_dt": utc(START, shape)}
    return {**out, **times, "action": "Allowed", "action_id": 1, "disposition": "Allowed"}


def lines(events):
    return "".join(json.dumps(e) + "\n" for e in events).encode()


def packed(table):
    out = io.BytesIO()
    parquet.write_table(table, out)
    return out.getvalue()


def read(data, names):
    result = vf.scan(data)._with(allow_missing=True, check_all=True).select(*names).collect()
    return result.rows(), result.report


def both(events, names, schema=None):
    """What JSON gives, after a look at Parquet, which gives the same."""
    rows, report = read(lines(events), names)
    of_parquet, other = read(packed(pa.Table.from_pylist(events, schema=schema)), names)
    assert of_parquet == rows
    assert other.rejects_by_reason == report.rejects_by_reason
    return rows, report


VERSIONS = ["1.0.0-rc.2", "1.1.0", "1.5.0"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_version(quiet, version):
    rows, report = both([event(version)] * 3, [*ROW, "start", "end", "pkt-src-aws-service"])
    assert report.rejected == 0
    for row in rows:
        assert as_seconds(row.pop("start")) == START
        assert as_seconds(row.pop("end")) == END
        assert row.pop("pkt_src_aws_service") is None
        assert row == ROW


def as_seconds(value):
    return int(value.timestamp()) if hasattr(value, "timestamp") else int(value)


TIMES = [
    utc(END), utc(END, "%Y-%m-%dT%H:%M:%SZ"), utc(END, "%Y-%m-%dT%H:%M:%S.123456789Z"), utc(END, "%Y-%m-%dt%H:%M:%Sz"),
    utc(END + 7200, "%Y-%m-%dT%H:%M:%S+02:00"), utc(END - 19800, "%Y-%m-%d %H:%M:%S.5-05:30"), utc(END, "%Y-%m-%dT%H:%M:%S+0000"),
    utc(END, "%Y-%m-%d %H:%M:%S UTC"), utc(END, "%Y-%m-%d %H:%M:%S"), utc(END, "%Y-%m-%d %H:%M:%S.250+00:00"),
]  # fmt: skip
NUMBERS = [END, END * 1000 + 999, END * 10**6 + 5, END * 10**9 + 5, END + 0.75, float(END * 1000)]


@pytest.mark.parametrize("time", [*TIMES, *NUMBERS, *map(str, NUMBERS[:4])])
def test_spellings_of_times(quiet, time):
    texts = isinstance(time, str) and not time.isdigit()
    one = event("1.5.0")
    del one["end_time_dt"]
    rows, report = both([{**one, "end_time_dt" if texts else "end_time": time}], ["end", "bytes"])
    assert (report.records, report.rejected) == (1, 0)
    assert [as_seconds(row["end"]) for row in rows] == [END]


def test_times_as_timestamps(quiet):
    """Security Lake's Parquet has Arrow's timestamps in members of the name and _dt."""
    one = event("1.1.0")
    for unit in ("s", "ms", "us", "ns"):
        for zone in (None, "UTC", "America/New_York"):
            when = datetime.datetime.fromtimestamp(END, datetime.timezone.utc)
            end = pa.array([when if zone else when.replace(tzinfo=None)], pa.timestamp(unit, zone))
            table = pa.Table.from_pylist([one]).drop(["end_time_dt"]).append_column("end_time_dt", end)
            rows, report = read(packed(table), ["end"])
            assert ([as_seconds(row["end"]) for row in rows], report.rejected) == ([END], 0)


UNREADABLE = [
    ({"end_time_dt": "yesterday"}, "end"), ({"end_time_dt": "2026-13-01 00:00:00+00:00"}, "end"),
    ({"start_time_dt": "21/01/2026"}, "start"), ({"end_time": -5}, "end"), ({"time": "noon", "start_time_dt": None}, "start"),
    ({"end_time": "17690000590000000000000"}, "end"), ({"end_time": [1]}, "end"),
    ({"traffic": {"bytes": "many"}}, "bytes"), ({"traffic": {"packets": 1.5}}, "packets"), ({"traffic": {"bytes": -1}}, "bytes"),
    ({"connection_info": {"protocol_num": 300}}, "protocol"), ({"connection_info": {"boundary_id": "far"}}, "traffic-path"),
    ({"src_endpoint": {"ip": "10.0.0.300"}}, "srcaddr"), ({"dst_endpoint": {"ip": "10.0.0.1", "port": 70000}}, "dstport"),
    ({"metadata": {"product": {"version": "x"}}}, "version"), ({"unmapped": {"encryption_status": "some"}}, "encryption-status"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field"), UNREADABLE)
def test_what_is_unreadable_is_a_reject_that_names_its_field(quiet, change, field):
    good, bad = event("1.1.0"), {**event("1.1.0"), **change}
    names = list(dict.fromkeys([field, "srcaddr", "bytes", "end"]))
    for data in (lines([good, bad]), packed(pa.Table.from_pylist([good])), packed(pa.Table.from_pylist([bad]))):
        try:
            report = read(data, names)[1]
        except vf.VpcflowError as error:
            report = error.partial.report
        assert report.records + report.rejected == (1 if data.startswith(b"PAR1") else 2)
        assert [reject["field"] for reject in report.rejects] in ([], [field])
    assert report.rejected == 1  # of the last, which is the bad one alone


KNOWN_NULLS = [
    ("traffic_path", "connection_info", {"boundary_id": 0}), ("traffic_path", "connection_info", {"boundary_id": 99}),
    ("flow_direction", "connection_info", {"direction": "Unknown"}), ("flow_direction", "connection_info", {"direction": "-"}),
    ("type", "connection_info", {"protocol_ver": "-"}),
]  # fmt: skip


@pytest.mark.parametrize(("field", "member", "value"), KNOWN_NULLS)
def test_what_events_say_to_be_unknown_is_null(quiet, field, member, value):
    rows, report = both([event("1.1.0"), {**event("1.1.0"), member: value}], [field, "srcaddr"])
    assert (rows[1][field], rows[0][field], report.rejected) == (None, ROW[field], 0)


def test_refused(quiet):
    """A refused connection is a REJECT by whatever says so, and by the first that does."""
    base = {k: v for k, v in event("1.1.0").items() if not k.startswith(("action", "disposition", "activity"))}
    for says in ({"action": "Denied"}, {"action": "denied"}, {"action_id": 2}, {"disposition": "Blocked"}, {"disposition_id": 2},
                 {"activity_name": "Refuse"}, {"activity_id": 5}, {"action": "-", "disposition": "Blocked"},
                 {"action": "Denied", "activity_name": "Traffic"}):  # fmt: skip
        rows, report = both([{**base, **says}], ["action"])
        assert (rows, report.rejected) == ([{"action": "REJECT"}], 0), says
    assert both([{**base, "activity_id": 6}], ["action"])[0] == [{"action": "ACCEPT"}]
    for says in (
        {"activity_id": 1},
        {"action": "-", "activity_id": 6},
        {"disposition": "Unknown", "activity_name": "Traffic"},
    ):
        assert both([{**base, **says}], ["action", "srcaddr"])[0][0]["action"] is None, says


def test_unmapped_as_object_and_as_map(quiet):
    names = [*OWN, "srcaddr"]
    wanted = [{**OWN, "encryption_status": 3, "srcaddr": "10.20.4.9"}, dict.fromkeys(OWN) | {"srcaddr": "10.20.4.9"}]
    one, other = event("1.5.0"), event("1.5.0")
    objects = [{**one, "unmapped": OWN}, {**other, "unmapped": dict.fromkeys(OWN, "-")}]
    pairs = [{**e, "unmapped": [{"key": k, "value": v} for k, v in e["unmapped"].items()]} for e in objects]
    for events in (objects, pairs):
        rows, report = both(events, names)
        assert (rows, report.rejected) == (wanted, 0)
    lists = [{**e, "unmapped": [[k, v] for k, v in e["unmapped"].items()]} for e in objects]
    assert read(lines(lists), names)[0] == wanted
    # A map in Parquet, as Security Lake has it.
    schema = pa.Table.from_pylist([one]).schema.append(pa.field("unmapped", pa.map_(pa.string(), pa.string())))
    maps = [{**e, "unmapped": list(e["unmapped"].items())} for e in objects]
    rows, report = read(packed(pa.Table.from_pylist([*maps, {**one, "unmapped": None}], schema=schema)), names)
    assert (rows, report.rejected) == ([*wanted, wanted[1]], 0)


def test_a_status_is_not_a_reason(quiet):
    """AWS writes reject_reason "Accepted" for what was: the action says whether a record is rejected."""
    accepted = {**event("1.5.0"), "unmapped": {"reject_reason": "Accepted"}}
    rows, _ = both([accepted], ["action", "reject-reason"])
    assert rows == [{"action": "ACCEPT", "reject_reason": "Accepted"}]


def test_the_end_of_the_recording_interface(quiet):
    """Where both ends have ids those of the recording interface's count, by the direction."""
    ids = {"interface_uid": "eni-{}", "vpc_uid": "vpc-{}", "subnet_uid": "subnet-{}", "instance_uid": "i-{}"}
    ends = {
        f"{end}_endpoint": {"ip": "10.0.0.1", **{k: v.format(end) for k, v in ids.items()}} for end in ("src", "dst")
    }
    for direction, end in (("Inbound", "dst"), ("Outbound", "src"), ("-", "src")):
        one = {**event("1.1.0"), **ends, "connection_info": {"direction": direction}}
        rows, _ = both([one], ["interface-id", "vpc-id", "subnet-id", "instance-id"])
        assert list(rows[0].values()) == [v.format(end) for v in ids.values()]


def test_nodata(quiet):
    end = {"interface_uid": "eni-0b5e77aa10c94d3f2", "ip": "-", "svc_name": "-"}
    empty = {**event("1.1.0"), "src_endpoint": {"ip": "-"}, "dst_endpoint": end, "traffic": {"bytes": None}, "status_code": "NODATA",
             "action": "-", "action_id": 0, "disposition": "-", "connection_info": {"direction": "-"}, "activity_id": 0, "activity_name": "Unknown"}  # fmt: skip
    rows, report = both([empty, event("1.1.0")], ["srcaddr", "interface-id", "action", "log-status"])
    assert rows[0] == {"srcaddr": None, "interface_id": "eni-0b5e77aa10c94d3f2", "action": None, "log_status": "NODATA"}
    assert (report.nodata, report.ok) == (1, 1)


def test_what_is_no_flow_is_none(quiet):
    for other in ({"class_uid": 4001}, {"class_uid": 4001, "activity_id": 6, "cloud": {"region": "eu-west-1"}},
                  {"class_uid": 3002, "user": {"name": "root"}}, {"class_uid": "4003", "query": {"hostname": "a"}}):  # fmt: skip
        _, report = read(lines([event("1.1.0"), other]), ["srcaddr"])
        assert (report.records, report.rejects_by_reason) == (1, {"no-record": 1})


@pytest.mark.skipif(corpora() is None, reason="the logs of other projects are not here (set VPCFLOW_CORPORA)")
def test_the_sample_of_aws_as_parquet(quiet):
    sample = json.loads((corpora() / "ocsf/v1.1.0-vpcflowlog.ocsf.json").read_text())
    rows, report = both([sample], ["srcaddr", "dstaddr", "start", "end", "action", "interface-id", "bytes"])
    assert report.rejected == 0
    assert (as_seconds(rows[0]["start"]), as_seconds(rows[0]["end"])) == (1649721732, 1649721788)
    assert rows[0]["action"] == "REJECT"
