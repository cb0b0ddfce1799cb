"""Every container: the same records give the same result; what is damaged is rejected alone, with its place."""

import contextlib
import json
from random import Random

import pytest

import vpcflow as vf
from conftest import corpora, run_cli, with_options
from containers import DEFAULT, _blob, _subscription, written

RECORDS = 10_000
LINES = [
    line.decode()
    for line in vf.synth(RECORDS, seed=5, ipv6_share=0.1, nodata_share=0.05, skipdata_share=0.01).data.splitlines()[1:]
]
WRITTEN = written(LINES)
FIELDS = [name.replace("-", "_") for name in DEFAULT]


def rows(data, **options):
    """The result as bytes, and its report."""
    result = vf.scan(data, **options).select(*FIELDS).collect()
    return result._table.to_json_lines(), result.report


WANTED = rows(WRITTEN["text"])[0]


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_records_in_every_container(name):
    for threads in (1, 2):
        got, report = rows(WRITTEN[name], threads=threads)
        assert (report.records, report.rejected) == (RECORDS, 0)
        assert got == WANTED


def test_zstd(quiet):
    pytest.importorskip("pyarrow")
    import pyarrow as pa

    half = len(WRITTEN["text"]) // 2
    packed = [pa.compress(part, codec="zstd", asbytes=True) for part in (WRITTEN["text"][:half], WRITTEN["text"][half:])]
    assert rows(b"".join(packed))[0] == WANTED
    for cut in (5, len(packed[0]) // 2, len(packed[0]) - 1):
        with pytest.raises(vf.DataLossError, match="zstd"):
            rows(packed[0][:cut])
    for at in range(4, len(packed[0]), len(packed[0]) // 50):  # frames without checksum: rejects or an error
        broken = bytearray(packed[0])
        broken[at] ^= 255
        with contextlib.suppress(vf.VpcflowError):
            assert rows(bytes(broken))[1].rejected > 0


def test_a_container_asked_for():
    assert rows(WRITTEN["cloudwatch export"], container="cloudwatch-export")[0] == WANTED
    with pytest.raises(vf.FormatError, match="no header line"):
        rows(WRITTEN["firehose lines"], container="text")
    with pytest.raises(vf.PlanError, match="it is one of auto, text, cloudwatch-export, json, csv, subscription"):
        rows(b"", container="xml")
    assert run_cli("summary", "-", "--json", "--container", "json", stdin=WRITTEN["firehose glued"], check=0)


BAD = {  # container: (entry put into the middle, reason)
    "events, one a line": (b'{"message": "2 1 eni-1 10.0.0.1"}\n', "too-few-fields"),
    "firehose lines": (b'{"message": \n', "no-record"),
    "objects, one a line": (b'{"srcaddr": "10.0.0.1", "srcaddr": "10.0.0.2"}\n', "no-record"),
    "subscription base64": (b"H4sIAAAAAAAA/////\n", "no-record"),
    "cloudwatch export": (b"2018-09-22T20:28:14.000Z nothing\n", "too-few-fields"),
    "insights csv, message": (b'2022-03-01,"2 1 2\n', "no-record"),
    "athena csv": (b'"2","1"\n', "no-record"),
    "ocsf lines": (b'{"class_uid": 4001, "src_endpoint": {"ip": "300.0.0.1"}, "time": 5}\n', "not-an-address"),
    "text": (b"2 1 2 3\n", "too-few-fields"),
}


@pytest.mark.parametrize("name", BAD)
def test_one_bad_entry_among_good_ones(quiet, name):
    entry, reason = BAD[name]
    lines = WRITTEN[name].splitlines(keepends=True)
    middle = len(lines) // 2
    data = b"".join([*lines[:middle], entry, *lines[middle:]])
    got, report = rows(data)
    assert report.rejects_by_reason == {reason: 1}
    assert report.records == RECORDS
    assert got == WANTED
    assert report.rejects[0]["line"] > 0
    assert report.rejects[0]["excerpt"]


def test_values_cannot_pass_for_others(quiet):
    """Blanks, line ends and marks inside of values and messages make no further fields or records."""
    record = {"srcaddr": "10.0.0.1", "dstport": 22, "bytes": 5, "interface-tag": "a b\n10.0.0.9 1 1"}
    data = json.dumps(record).encode() + b"\n"
    result = vf.scan(data).collect()
    assert result.rows() == [{"srcaddr": "10.0.0.1", "dstport": 22, "bytes": 5, "interface_tag": "a b\n10.0.0.9 1 1"}]
    for value in ("10.0.0.1 22", "10.0.0.1\n10.0.0.2", "\x1a", ""):
        result = vf.scan(json.dumps({**record, "srcaddr": value}).encode() + b"\n" + data).collect()
        assert result.report.records + result.report.rejected == 2
        assert result.report.rejected == (0 if value == "" else 1)
    line = LINES[0]
    for message in (line + "\n" + line, "\x1a" + line, line + "\x1a"):
        data = [json.dumps({"message": text}).encode() for text in (line, message)]
        report = vf.scan(b"".join(data)).collect().report
        assert (report.records, report.rejected) == (1, 1)


def test_fields_that_come_and_go(quiet):
    """The format grows with the objects; the fields that one lacks are null."""
    first = b'{"srcaddr": "10.0.0.1", "packets": 3}\n'
    data = first + b'{"srcaddr": "10.0.0.2", "packets": 3, "x": 1}\n{"x": 2, "bytes": 5, "dstaddr": "10.0.0.9"}\n'
    result = vf.scan(data).collect()
    assert [r.get("srcaddr") for r in result.rows()] == ["10.0.0.1", "10.0.0.2", None]
    assert [r.get("bytes") for r in result.rows()] == [None, None, 5]
    assert [r["x"] for r in result.rows()] == [None, "1", "2"]
    late = first * 10_000 + data  # behind what is looked at first
    result = vf.scan(late).collect()
    assert [r["bytes"] for r in result.rows()][-2:] == [None, 5]
    assert any("'x' is named by a later header only" in warning for warning in result.report.warnings)


def test_a_format_is_inferred_from_lines_without_header_alone(quiet):
    """Objects have their format; those before, between and behind messages tell nothing of the format of these."""
    fields = [name for name, _ in vf._core.parse_format("v5")]
    known = {"version": 5, "account-id": 123456789010, "srcaddr": "10.0.0.1", "start": 1616729292, "end": 1616729349,
             "bytes": 9, "action": "ACCEPT", "log-status": "OK", "region": "eu-west-1"}  # fmt: skip
    message = json.dumps({"message": " ".join(str(known.get(field, "-")) for field in fields)}) + "\n"
    thing = json.dumps({"srcaddr": "10.0.0.2", "bytes": 1}) + "\n"
    for log in (thing * 200 + message * 20, (thing * 3 + message) * 50, message + thing * 200, thing * 20_000 + message):
        for threads in (1, 3):
            result = vf.scan(log.encode(), threads=threads).group_by("srcaddr").agg(bytes=vf.sum("bytes")).collect()
            sums = {row["srcaddr"]: row["bytes"] for row in result.rows()}
            assert sums == {"10.0.0.1": 9 * log.count("ACCEPT"), "10.0.0.2": log.count("10.0.0.2")}
            assert (result.report.rejected, len(result.report.formats)) == (0, 2)
    odd = json.dumps({"message": "x"}) + "\n"
    for log in ((odd + thing) * 20_000, (thing + odd) * 20_000):  # rejects, as other entries that hold no record
        report = vf.scan(log.encode()).agg(n=vf.count()).collect().report
        assert (report.records, report.rejected) == (20_000, 20_000)
        assert "First line: x" in report.warnings[0]
    with pytest.raises(vf.FormatError, match="First line: x"):
        vf.scan(odd.encode()).collect()


def test_messages_and_objects_have_headers_of_their_own(quiet):
    turn = [{"message": "10.0.0.1 5"}, {"bytes": 7, "dstport": 22, "srcaddr": "10.0.0.2"}, {"message": "10.0.0.1 6"}]
    log = [{"message": "srcaddr bytes"}, *turn * 3, {"message": "bytes srcaddr"}, turn[1], {"message": "8 10.0.0.1"}]
    data = "\n".join(map(json.dumps, log)).encode()
    for threads in (1, 3):
        flows = vf.scan(data, threads=threads)
        flows = with_options(flows, block_bytes=70)
        result = flows.group_by("srcaddr").agg(bytes=vf.sum("bytes"), n=vf.count()).collect()
        assert [list(row.values()) for row in result.rows()] == [["10.0.0.1", 41, 7], ["10.0.0.2", 28, 4]]
        assert (result.report.rejected, result.report.warnings) == (0, [])


class _ByteByByte:
    def __init__(self, data):
        self.data = data

    def read(self, size):
        byte, self.data = self.data[:1], self.data[1:]
        return byte


AT_BEGINNINGS = {
    "text": "text", "text without header": "text", "cloudwatch export": "cloudwatch-export", "athena csv": "csv",
    "insights csv, message": "csv", "firehose lines": "json", "get-log-events, indented": "json",
    "subscription base64": "subscription",
}  # fmt: skip


@pytest.mark.parametrize("name", AT_BEGINNINGS)
def test_blank_lines_and_byte_order_marks_before_a_container(name):
    data = written(LINES[:5])[name]
    for before in (b"", b"\n", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"):
        for container in ("auto", AT_BEGINNINGS[name]):
            for source in (before + data, _ByteByByte(before + data)):
                report = vf.scan(source, container=container).agg(n=vf.count()).collect().report
                assert (report.records, report.rejected) == (5, 0), (before, container)


def test_a_csv_with_a_blank_in_its_header(quiet):
    data = b"srcPort,dstAddr,extra column,bytes\n22,10.0.0.1,a b,5\n443,10.0.0.2,,6\n"
    assert vf.scan(data).collect().rows() == [
        {"srcport": 22, "dstaddr": "10.0.0.1", "extra_column": "a b", "bytes": 5},
        {"srcport": 443, "dstaddr": "10.0.0.2", "extra_column": None, "bytes": 6},
    ]


def test_objects_without_records(quiet):
    for data in (b'{"a": 1}\n', b'{"version": 2, "type": "x"}', b"[1, 2]", b'{"events": [{"message": 5}]}', b"{" * 5000):
        try:
            report = vf.scan(data, allow_empty=True).collect().report
        except vf.DataLossError as error:
            report = error.partial.report
        assert report.records == 0
        assert set(report.rejects_by_reason) == {"no-record"}
    assert vf.scan(b'{"events": []}', allow_empty=True).collect().report.rejected == 0
    deep = LINES[0]
    for _ in range(6):  # JSON in JSON is followed three times
        deep = json.dumps({"message": deep})
    assert vf.scan(deep.encode(), allow_empty=True).collect().report.rejects_by_reason == {"no-record": 1}


def test_a_blob_that_unpacks_to_too_much(quiet):
    """T1 inside of a container: 64 MiB of a blob is the limit."""
    bomb = _blob(_subscription(["x" * (65 << 20)]))
    report = vf.scan((bomb + "\n" + _blob(_subscription(LINES[:3])) + "\n").encode()).collect().report
    assert (report.records, report.rejects_by_reason) == (3, {"no-record": 1})


def test_every_cut_and_every_changed_byte(quiet):
    """A cut or changed container gives records, rejects or an error, and never more records than there were."""
    small = written(LINES[:3])
    for name, data in small.items():
        for at in range(0, len(data), max(1, len(data) // 150)):
            for hurt in (data[:at], data[:at] + bytes([data[at] ^ 0x15]) + data[at + 1 :]):
                try:
                    report = vf.scan(hurt).collect().report
                except vf.VpcflowError as error:
                    report = error.partial.report if error.partial else None
                if report is not None:
                    assert report.records <= 3, (name, at)


CORPUS = {  # file: (records, rejects), counted by hand or by grep
    "hitc/logs-insights-results-B.csv": (10_000, 0),
    "ocsf/v1.1.0-vpcflowlog.csv": (1, 0),
    "ocsf/v1.1.0-vpcflowlog.ocsf.json": (1, 0),
    "real-json/czsergio-v5-1.ndjson": (95, 0),
    "real-text/opensearch-vpcflow-sample.json": (22, 0),
    "small/goaccess-1341-cwl-export.log": (5, 0),
    "tenzir/cloudwatch-v2.ndjson": (4, 0),
    "labelled/slips-portscan-vertical-conn.ndjson": (0, 50),  # Zeek's, no flow log
    "sekoia/accept.json": (0, 1),  # tests of another tool: their input is below
}


@pytest.mark.skipif(corpora() is None, reason="the logs of other projects are not here (set VPCFLOW_CORPORA)")
@pytest.mark.parametrize("name", CORPUS)
def test_containers_of_others(quiet, name):
    report = vf.scan(corpora() / name, allow_empty=True).collect().report
    assert (report.records, report.rejected) == CORPUS[name]


@pytest.mark.skipif(corpora() is None, reason="the logs of other projects are not here (set VPCFLOW_CORPORA)")
def test_inputs_of_the_tests_of_others(quiet):
    for name in ("accept", "accept_structured", "ipv6traffic", "reject"):
        test = json.loads((corpora() / "sekoia" / f"{name}.json").read_text())
        got = vf.scan(json.dumps(test["input"]).encode()).collect().rows()[0]
        wanted = test["expected"]
        assert got["srcaddr"] == wanted["source"]["ip"]
        assert got["dstaddr"] == wanted["destination"]["ip"]
        assert got["action"].lower() == wanted["action"]["name"]
    for path in sorted((corpora() / "detect").glob("panther-*.json")):
        logs = [test["log"] for test in json.loads(path.read_text())["tests"]]
        report = vf.scan(json.dumps(logs).encode(), allow_empty=True).collect().report
        # A status alone is no record, nor is an OCSF event without its class.
        records = sum("srcAddr" in log or "dstPort" in log for log in logs)
        assert (report.records, report.rejected) == (records, len(logs) - records), path.name


def test_ocsf_gives_what_the_original_line_says():
    if corpora() is None:
        pytest.skip("the logs of other projects are not here (set VPCFLOW_CORPORA)")
    back = vf.scan(corpora() / "ocsf/v1.1.0-vpcflowlog.ocsf.json").collect().rows()[0]
    line = vf.scan(corpora() / "ocsf/v1.1.0-vpcflowlog.csv").collect().rows()[0]
    differ = {k for k in line if back.get(k) != line[k]}
    assert differ == {"interface_id"}  # the sample's two forms have different numbers of zeros there


# How near a name is to AWS's: itself, its letters, another tool's.
RANKS = {"srcaddr": 0, "srcAddr": 0, "SRC_ADDR": 1, "sourceAddress": 2, "dstaddr": 0, "dst-addr": 1, "bytes": 0,
         "Bytes": 0, "numbytes": 2}  # fmt: skip


def test_names_in_any_order_and_spelling(quiet):
    """Objects whose names come and go, change place and spelling: each value is of the field that its name means."""
    long = "y" * 126
    spellings = {
        "srcaddr": ["srcaddr", "srcAddr", "SRC_ADDR", "sourceAddress"],
        "dstaddr": ["dstaddr", "dst-addr"],
        "bytes": ["bytes", "numbytes", "Bytes"],
        "x-": ["", "x-"],
        "x-1": ["1", "x_1"],
        long + "--": [long + "--", long + "__" + "z" * 100, long + ".-" + "z" * 300],
    }
    value = {"srcaddr": "10.0.0.{}", "dstaddr": "10.0.1.{}", "bytes": "{}", "x-": "a{}", "x-1": "b{}", long + "--": "c{}"}
    random = Random(4)
    for _ in range(100):
        lines, wanted, rejects = [], [], 0
        for n in range(12):
            # The first has all; others miss some, and now and then have one twice or nothing of a flow log.
            names = list(spellings) if n == 0 else random.sample(list(spellings), random.randint(1, len(spellings)))
            if n > 0 and random.random() < 0.1:
                names.append(random.choice(names))
            if n == 0 or random.random() < 0.5:
                random.shuffle(names)
            chosen = [(name, random.choice(spellings[name])) for name in names]
            members = [(spelt, value[name].format(n)) for name, spelt in chosen]
            lines.append("{" + ", ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in members) + "}")
            # Of two columns of one field the nearer name is taken; of two as near none.
            ranks = [(name, RANKS[spelt]) for name, spelt in chosen if spelt in RANKS]
            flow = ("bytes" in names and {"srcaddr", "dstaddr"} & {*names}) or {("srcaddr", 0), ("dstaddr", 0)} <= {*ranks}
            if len(set(ranks)) < len(ranks) or not flow:
                rejects += 1
                continue
            row = {name.replace("-", "_"): value[name].format(n) if name in names else None for name in spellings}
            wanted.append({**row, "bytes": n if "bytes" in names else None})
        got = vf.scan("\n".join(lines).encode(), container="json").select(*spellings).collect()
        assert got.rows() == wanted, lines
        assert got.report.rejected == rejects
