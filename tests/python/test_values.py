"""Values and names as other tools write them, and what is no flow log record."""

import csv
import io
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import vpcflow as vf
from conftest import with_options

NAMES = ["version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets",
         "bytes", "start", "end", "action", "log_status"]  # fmt: skip
PLAIN = ["2", "012345678901", "eni-0b", "10.1.0.7", "192.0.2.44", "50123", "8443", "6", "12", "9000", "1772000000",
         "1772000060", "ACCEPT", "OK"]  # fmt: skip
NODATA = ["2", "012345678901", "eni-0c", *["-"] * 7, "1772000000", "1772000060", "-", "NODATA"]


def as_csv(names, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue().encode()


def as_json(names, rows):
    return "".join(json.dumps(dict(zip(names, row))) + "\n" for row in rows).encode()


def rows_of(data, **options):
    result = vf.scan(data, **options).select(*NAMES).collect()
    assert result.report.rejected == 0, result.report.rejects
    return result.rows()


WANTED = rows_of(as_json(NAMES, [PLAIN, NODATA]))


def spelt(**values):
    return [values.get(name, value) for name, value in zip(NAMES, PLAIN)]


SPELLINGS = {
    "floats": spelt(**{n: v + ".0" for n, v in zip(NAMES, PLAIN) if v.isdigit() and n != "account_id"}),
    "exponents": spelt(bytes="9e3", dstport="8.443E3", start="1.772E9"),
    "lost zeros": spelt(account_id="12345678901"),
    "account as float": spelt(account_id="12345678901.0"),
    "names of protocols": spelt(protocol="TCP"),
    "small letters": spelt(action="accept", log_status="ok", protocol="tcp"),
    "iso": spelt(start="2026-02-25T06:13:20Z", end="2026-02-25T06:14:20.999Z"),
    "iso with zone": spelt(start="2026-02-25T07:13:20+01:00", end="2026-02-25 01:14:20-0500"),
    "athena": spelt(start="2026-02-25 06:13:20.000 UTC", end="2026-02-25 06:14:20.000"),
    "spark": spelt(start="2026-02-25 06:13:20", end="2026-02-25T06:14:20.000+0000"),
    "log analytics": spelt(start="2/25/2026, 6:13:20.000 AM", end="2/25/2026, 6:14:20.000 AM"),
    "epoch floats": spelt(start="1772000000.0", end="1772000060.75"),
    "milliseconds": spelt(start="1772000000000", end="1772000060999"),
    "blanks around": spelt(srcaddr=" 10.1.0.7", bytes="9000 ", action=" ACCEPT"),
}
NULLS = ["", "NaN", "nan", "null", "NULL", "None", "NaT", "<NA>", "N/A", "\\N"]


@pytest.mark.parametrize("container", [as_csv, as_json])
@pytest.mark.parametrize("name", SPELLINGS)
def test_ordinary_spellings_are_values(quiet, container, name):
    assert rows_of(container(NAMES, [SPELLINGS[name], NODATA])) == WANTED


@pytest.mark.parametrize("container", [as_csv, as_json])
@pytest.mark.parametrize("null", NULLS)
def test_missing_values_are_null(quiet, container, null):
    nodata = [null if value == "-" else value for value in NODATA]
    assert rows_of(container(NAMES, [PLAIN, nodata])) == WANTED


def test_numbers_of_json(quiet):
    """Numbers, whole and not, where other writers have texts; NaN as Python writes it is no JSON."""
    row = {name: float(v) if v.isdigit() and name not in ("account_id", "bytes") else v for name, v in zip(NAMES, PLAIN)}
    row["account_id"] = 12345678901
    row["bytes"] = 9000
    nodata = {name: None if v == "-" else v for name, v in zip(NAMES, NODATA)}
    assert rows_of("\n".join(json.dumps(r) for r in (row, nodata)).encode()) == WANTED


@pytest.mark.parametrize("container", [as_csv, as_json])
def test_what_is_no_value_is_a_reject_with_its_field(quiet, container):
    bad = {"bytes": ["-5", "+5", "0x10", "5.5", "1e99", "99999999999999999999"], "dstport": ["70000", "70000.0", "http"],
           "start": ["yesterday", "29/11/2025 07:00", "2026-13-01T00:00:00Z", "1.772E+09"], "protocol": ["HTTP", "256"],
           "srcaddr": ["10.0.0", "10.0.0.1 10.0.0.2", "host"]}  # fmt: skip
    for field, values in bad.items():
        for value in values:
            result = vf.scan(container(NAMES, [PLAIN, spelt(**{field: value})])).select(*NAMES).collect()
            assert (result.report.records, result.report.rejected) == (1, 1), (field, value)
            assert result.report.rejects[0]["field"] == field, (field, value)


FOREIGN = {
    "a CloudTrail event": {"eventVersion": "1.09", "userIdentity": {"type": "Root"}, "eventTime": "2026-02-25T06:13:20Z",
                           "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "awsRegion": "us-east-1"},
    "a GuardDuty finding": {"schemaVersion": "2.0", "accountId": "012345678901", "region": "us-east-1", "severity": 5,
                            "arn": "arn:aws:guardduty:us-east-1:012345678901:detector/d/finding/f",
                            "type": "Recon:EC2/Portscan", "service": {"action": {"actionType": "PORT_PROBE"}}},
    "an EventBridge event": {"version": "0", "id": "1", "detail-type": "EC2 State", "source": "aws.ec2", "account": "1",
                             "time": "2026-02-25T06:13:20Z", "region": "us-east-1", "detail": {}},
    "an S3 event notification": {"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                                 "awsRegion": "us-east-1"},
    "a Security Hub finding": {"SchemaVersion": "2018-10-08", "ProductArn": "arn:aws:securityhub:x", "AwsAccountId": "1"},
    "an AWS Config item": {"configurationItemStatus": "OK", "awsRegion": "us-east-1", "resourceType": "AWS::EC2::VPC",
                           "resourceId": "vpc-1"},
    "an AWS WAF log": {"timestamp": 1772000000000, "webaclId": "arn", "action": "ALLOW", "httpRequest": {}},
    "a Route 53 Resolver query log": {"version": "1.1", "account_id": "1", "region": "us-east-1", "vpc_id": "vpc-1",
                                      "query_timestamp": "2026-02-25T06:13:20Z", "query_name": "a.example.",
                                      "query_type": "A", "srcaddr": "10.1.0.7", "srcport": "5353"},
    "a Cost and Usage Report": {"line_item_usage_account_id": "1", "line_item_unblended_cost": 0.1, "bill_type": "x"},
    "a load balancer access log": {"type": "https", "elb_status_code": 200, "target_processing_time": 0.1, "time": "x"},
    "a Suricata event": {"timestamp": "x", "event_type": "flow", "flow_id": 1, "src_ip": "10.0.0.1", "dest_ip": "10.0.0.2"},
    "a Zeek log": {"ts": 1.5, "id.orig_h": "10.0.0.1", "id.resp_h": "10.0.0.2", "orig_bytes": 5},
    "": {"VpcId": "vpc-1"},
}  # fmt: skip
NEITHER = [{"account": "1"}, {"type": "x", "version": "2"}, {"region": "us-east-1", "protocol": 6}, {"start": 1, "end": 2},
           {"srcaddr": "10.0.0.1"}, {"interface-id": "eni-1"}, {"bytes": 5, "action": "x"}]  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_documents_of_others_are_no_records(quiet, kind):
    """Alone among flow logs and in an array, and the reject says what they seem to be."""
    document = FOREIGN[kind]
    flow = dict(zip(NAMES, PLAIN))
    for data in ([document, flow, document], [flow, document, flow, document]):
        for text in ("\n".join(map(json.dumps, data)), json.dumps(data), json.dumps({"Records": data})):
            report = vf.scan(text.encode()).agg(n=vf.count()).collect().report
            assert (report.records, report.rejects_by_reason) == (data.count(flow), {"no-record": 2})
            assert report.rejects[0]["excerpt"].startswith(f"{kind}: {{" if kind else '{"VpcId"')


def test_names_that_make_no_flow(quiet):
    flow = dict(zip(NAMES, PLAIN))
    for document in NEITHER:
        report = vf.scan("\n".join(map(json.dumps, [document, flow])).encode()).agg(n=vf.count()).collect().report
        assert (report.records, report.rejected) == (1, 1), document


@pytest.mark.parametrize(
    "document",
    [{"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2"}, {"srcAddr": "10.0.0.1", "bytes": 4}, {"pkt_dstaddr": "::1", "end": 5},
     {"sourceaddress": "10.0.0.1", "numbytes": "4"}, {"interfaceId": "eni-1", "logStatus": "OK"},
     {"tgw_attachment_id": "tgw-attach-1", "start": 5}],
)  # fmt: skip
def test_names_that_make_a_flow(quiet, document):
    for data in (json.dumps(document).encode(), as_csv(document, [document.values()])):
        assert vf.scan(data).agg(n=vf.count()).collect().report.records == 1


def test_tables_of_others_are_no_records(quiet, tmp_path):
    (tmp_path / "flow.csv").write_bytes(as_csv(NAMES, [PLAIN]))
    tables = [
        "region,cost\nus-east-1,5\n",
        "account_id,region,service,cost\n1,us-east-1,EC2,5\n",
        "identity/LineItemId,bill/PayerAccountId,lineItem/UsageType\na,1,x\n",
        "eventTime,eventName,eventSource,eventVersion\n2026-02-25T06:13:20Z,RunInstances,ec2.amazonaws.com,1.09\n",
        "VpcId,SubnetId\nvpc-1,subnet-1\n",
    ]
    for table in tables:
        (tmp_path / "other.csv").write_text(table)
        report = vf.scan(tmp_path).agg(n=vf.count()).collect().report
        assert (report.records, report.rejects_by_reason) == (1, {"no-record": 2}), table


@pytest.mark.parametrize("container", [as_csv, as_json])
def test_the_name_of_aws_wins_over_an_alias(quiet, container):
    names = ["start_time", *NAMES, "Source_Address"]
    for order in (1, -1):
        data = container(names[::order], [["2020-01-01", *PLAIN, "198.51.100.1"][::order]])
        result = vf.scan(data).collect()
        row = result.rows()[0]
        assert {name: row[name] for name in NAMES} == WANTED[0]
        assert (row["start_time"], row["source_address"]) == ("2020-01-01", "198.51.100.1")
        assert any("'start-time'" in warning for warning in result.report.warnings)


def test_two_columns_that_are_one_field_are_named(quiet):
    data = as_csv(["START", *NAMES], [["1", *PLAIN]])
    with pytest.raises(vf.VpcflowError, match="two columns are the field start: 'START' and 'start'"):
        vf.scan(data).collect()
    flow = dict(zip(NAMES, PLAIN))
    data = "\n".join(map(json.dumps, [{"Bytes": 5, **flow}, flow])).encode()
    report = vf.scan(data).agg(n=vf.count()).collect().report
    assert (report.records, report.rejected) == (1, 1)
    assert report.rejects[0]["excerpt"].startswith("two columns are the field bytes: 'Bytes' and 'bytes': {")


def test_columns_of_others_stay_apart(quiet):
    """Names that are the same in a header line are different columns."""
    names = [*NAMES, "my tag", "my-tag", "my_tag", ""]
    row = vf.scan(as_csv(names, [[*PLAIN, "a", "b", "c", "0"]])).collect().rows()[0]
    assert (row["my_tag"], row["my_tag_2"], row["my_tag_3"]) == ("a", "b", "c")
    assert {name: row[name] for name in NAMES} == WANTED[0]


def test_log_analytics(quiet):
    """`Type` is the name of the table there, and the time of the record stands in for its start."""
    names = ["TenantId", "TimeGenerated [UTC]", "AccountId", "InterfaceId", "SrcAddr", "DstAddr", "SrcPort", "DstPort",
             "Protocol", "Packets", "Bytes", "End [UTC]", "Action", "LogStatus", "TrafficType", "Type", "_ResourceId"]  # fmt: skip
    row = ["t", "2/25/2026, 6:13:20.000 AM", "012345678901", "eni-0b", "10.1.0.7", "192.0.2.44", "50123", "8443", "6", "12",
           "9000", "2/25/2026, 6:14:20.000 AM", "ACCEPT", "OK", "IPv4", "AWSVPCFlow", "/subscriptions/1"]  # fmt: skip
    for container in (as_csv, as_json):
        for order in (1, -1):
            got = vf.scan(container(names[::order], [row[::order]])).collect().rows()[0]
            assert {n: got[n] for n in NAMES if n != "version"} == {n: WANTED[0][n] for n in NAMES if n != "version"}
            assert got["type"] == "IPv4"
            assert not {"resource_id", "table"} & got.keys()
    with_start = vf.scan(as_csv(["Start", *names], [["1772000001", *row]])).collect().rows()[0]
    assert with_start["start"].timestamp() if hasattr(with_start["start"], "timestamp") else with_start["start"] == 1772000001
    no_traffic_type = vf.scan(as_csv(names[:14] + names[15:], [row[:14] + row[15:]])).collect().rows()[0]
    assert no_traffic_type.get("type") is None


def test_a_comma_separated_header_of_blank_separated_lines(quiet):
    data = (",".join(NAMES) + "\n" + " ".join(PLAIN) + "\n" + " ".join(NODATA) + "\n").encode()
    assert rows_of(data) == WANTED


def _filter_text(text):
    return "'" + text.replace("'", "''") + "'"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=5), st.booleans())
@example(["a b", " ", "%20", "\xff", "ÿ`", "\x00", "a\tb", "\x1a", "\x7f", '"', ",", "'", "None"], True)
def test_texts_come_out_as_they_went_in(quiet, texts, as_tag):
    """Blanks, control bytes, quotes, percent signs: in rows, groups and filters, of JSON and CSV."""
    name = "instance_tag" if as_tag else "team"
    names = ["srcaddr", name, "bytes"]
    wanted = [None if text in ("", "-", "NaN", "null") else text for text in texts]
    data = [as_json(names, [["10.0.0.1", text, 1] for text in texts])]
    if not any(c in text for text in texts for c in "\r\n"):  # a row of CSV is a line
        data.append(as_csv(names, [["10.0.0.1", text, 1] for text in texts]))
    for log in data:
        flows = vf.scan(log)
        assert [row[name] for row in flows.select("srcaddr", name).collect().rows()] == wanted
        groups = {row[name]: row["n"] for row in flows.group_by(name).agg(n=vf.count()).collect().rows()}
        assert groups == {text: wanted.count(text) for text in wanted}
        for text in {text for text in wanted if text is not None and text.isprintable()}:
            got = flows.filter(f"{name} = {_filter_text(text)}").agg(n=vf.count()).collect()
            assert got.rows()[0]["n"] == wanted.count(text)


def test_every_byte_of_a_csv(quiet):
    rows = b"".join(b"10.0.0.1,a%cb%%20,1\n" % bytes([c]) for c in range(256) if c not in b'\n",')
    result = vf.scan(b"srcaddr,team,bytes\n" + rows).select("team").collect()
    wanted = [bytes([c]).decode(errors="replace") for c in range(256) if c not in b'\n",']
    assert [row["team"] for row in result.rows()] == [f"a{c}b%20" for c in wanted]


def test_texts_with_blanks_among_many(quiet):
    """Blocks with and without blanks in their texts take turns, on several threads."""
    rows = [["10.0.0.1", f"t{i % 7}" if i // 300 % 2 else f"t {i % 7}", 1] for i in range(6000)]
    for container in (as_csv, as_json):
        flows = vf.scan(container(["srcaddr", "team", "bytes"], rows), threads=2)
        flows = with_options(flows, block_bytes=4000)
        got = {row["team"]: row["n"] for row in flows.group_by("team").agg(n=vf.count()).collect().rows()}
        assert got == {team: sum(row[1] == team for row in rows) for team in {row[1] for row in rows}}
