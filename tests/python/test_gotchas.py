"""What breaks other tools on flow logs, one test each; where each was seen is in the name of the case."""

import io

import pytest

import vpcflow as vf
from conftest import HEADER, line

NAMES = HEADER.decode().split()
V5 = [f["name"] for f in vf.fields() if f["version"] <= 5 and "vpc" in f["delivered_in"]]


def record(fields, **values):
    """A line of a format; what is not given is `-`."""
    return " ".join(values.get(name.replace("-", "_"), "-") for name in fields).encode() + b"\n"


def first(data, **options):
    return vf.scan(data, **options).collect().rows()[0]


def test_alphabetical_order_of_the_console():
    """elastic/integrations#8532"""
    fields = sorted(V5)
    data = b"".join(
        record(
            fields, version="5", account_id="123456789010", interface_id="eni-1", srcaddr="10.0.0.1", dstaddr="10.0.0.2",
            srcport="1", dstport="22", protocol="6", packets="1", bytes="40", start="10", end="20", action="REJECT",
            log_status="OK", flow_direction="ingress", type="IPv4", tcp_flags="2",
        )
        for _ in range(20)
    )  # fmt: skip
    with pytest.warns(vf.DataQualityWarning, match=r"v5 in alphabetical order \(20 of 20 lines\)"):
        row = first(data)
    assert (row["srcaddr"], row["dstport"], row["action"], row["tcp_flags"]) == ("10.0.0.1", 22, "REJECT", 2)


def test_the_number_of_tokens_does_not_choose_the_format():
    """Fourteen fields that are not the default's fourteen, with a header and given."""
    fields = ["srcaddr", "dstaddr", "pkt-srcaddr", "pkt-dstaddr", "bytes", "packets", "start", "end", "action", "tcp-flags", "type", "region", "az-id", "vpc-id"]
    assert len(fields) == len(NAMES)
    data = record(fields, srcaddr="10.0.0.1", dstaddr="10.0.0.2", bytes="7", start="1", end="2", action="ACCEPT")
    assert first(" ".join(fields).encode() + b"\n" + data)["bytes"] == 7
    assert first(data, format=" ".join(fields))["bytes"] == 7
    with pytest.raises(vf.FormatError, match="no header line"):
        vf.scan(data).collect()


def test_the_header_is_no_record_and_the_first_record_is_none_lost():
    """DataDog#1043, SEKOIA#1319; repeated headers: elastic's tcp-flag-sequence sample"""
    for data, records in ((HEADER + line() * 3, 3), (line() * 3, 3), (HEADER + line() + HEADER + line(), 2)):
        assert vf.scan(data).collect().report.records == records


def test_null_in_every_column():
    """streamalert#300, #309; Cargill#206"""
    row = first(HEADER + record(NAMES) + line())
    assert set(row.values()) == {None}


def test_nodata_and_skipdata_are_no_errors_and_no_traffic():
    """tailpipe-plugin-aws#277, #278; without start and end, too"""
    data = HEADER + line(size=5)
    for status in ("NODATA", "SKIPDATA"):
        data += record(NAMES, version="2", account_id="1", interface_id="eni-1", start="1", end="2", log_status=status)
        data += record(NAMES, version="2", account_id="1", interface_id="eni-1", log_status=status)
    result = vf.scan(data).agg(bytes=vf.sum("bytes"), n=vf.count()).collect()
    assert result.rows() == [{"bytes": 5, "n": 1}]
    assert (result.report.nodata, result.report.skipdata, result.report.rejected) == (2, 2, 0)


def test_milliseconds():
    """flowlogs-reader"""
    row = first(HEADER + line(start=1418530010000, end=1418530070999))
    assert (row["start"], row["end"]) == (1418530010, 1418530070)


@pytest.mark.parametrize("account", ["000000000012", "29nnnnnnnn55", "unknown", "123456789010"])
def test_account_ids_are_text(account):
    """tenzir's output; a published Firehose sample; AWS-made interfaces"""
    assert first(HEADER + line().replace(b"123456789010", account.encode()))["account_id"] == account


def test_later_fields_and_enriched_columns_are_kept():
    """A whole file refused (VRL), skipped (OpenTelemetry), the header disbelieved (tailpipe)"""
    data = HEADER[:-1] + b" field-of-2031 security-groups\n" + line()[:-1] + b" x sg-1\n"
    with pytest.warns(vf.DataQualityWarning, match="field-of-2031"):
        row = first(data)
    assert (row["field_of_2031"], row["security_groups"], row["dstport"]) == ("x", "sg-1", 22)


def test_percent_encoded_tags_stay_as_delivered():
    """A v11 user's notes: `-` stays unambiguous"""
    data = b"srcaddr instance-tag interface-tag\n10.0.0.1 platform%2Dengineering -\n"
    assert first(data)["instance_tag"] == "platform%2Dengineering"
    assert first(data)["interface_tag"] is None


def test_traffic_path_of_ingress_is_null():
    data = b"srcaddr flow-direction traffic-path\n10.0.0.1 ingress -\n10.0.0.1 egress 8\n"
    assert vf.scan(data).collect()["traffic_path"] == [None, 8]


def test_ipv6_and_custom_formats_pass_every_filter():
    """Honeycomb's regular expression takes IPv4 of the default format only"""
    data = b"bytes srcaddr\n5 2001:db8::1\n6 ::ffff:10.0.0.1\n"
    assert vf.scan(data).filter("srcaddr in '2001:db8::/32'").collect()["bytes"] == [5]
    assert vf.scan(data).filter("srcaddr in '10.0.0.0/8'").collect()["bytes"] == [6]


def test_unsorted_late_and_overlapping_files(tmp_path):
    for name, starts in (("b.log", (300, 60)), ("a.log", (60, 0, 900))):
        (tmp_path / name).write_bytes(HEADER + b"".join(line(start=s, end=s + 60, size=1) for s in starts))
    bins = vf.scan(tmp_path).group_by(every="1m").agg(bytes=vf.sum("bytes")).collect().rows()
    assert bins == [{"time": t, "bytes": n} for t, n in ((0, 1), (60, 2), (300, 1), (900, 1))]


def test_protocol_as_int32_and_as_int64():
    """opensearch-catalog#167, #195: AWS writes int32 where Athena's table says bigint"""
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    for kind in (pa.int32(), pa.int64(), pa.uint8(), pa.string()):
        out = io.BytesIO()
        values = ["6", "17"] if kind == pa.string() else [6, 17]
        parquet.write_table(pa.table({"protocol": pa.array(values, kind), "bytes": pa.array([1, 2])}), out)
        assert vf.scan(out.getvalue()).collect()["protocol"] == [6, 17]


def test_version_says_nothing_about_the_format():
    """Samples carry 3 or 5 beside fields of version 7 and 8"""
    data = b"version ecs-cluster-name reject-reason bytes\n3 c BPA 5\n5 - - 6\n"
    assert vf.scan(data).collect()["bytes"] == [5, 6]


def test_a_trailing_blank_in_a_format():
    """aws-cloudformation/rain#288: create-flow-logs fails on it; nothing here does"""
    assert first(b"10.0.0.1 5 \n", format="${srcaddr} ${bytes} ") == {"srcaddr": "10.0.0.1", "bytes": 5}
    assert not vf.recommended_format().endswith(" ")
