"""Outputs of AWS's command line and of usual pipelines: the same lines in every shape give the same records."""

import base64
import csv
import gzip
import io
import json
import zlib

import pytest

import vpcflow as vf
from conftest import run_cli
from containers import DEFAULT, _blob, _subscription

LINES = [
    "2 210987654321 eni-0f00000000000a001 203.0.113.77 172.31.4.9 55123 3389 6 4 240 1772000100 1772000160 REJECT OK",
    "2 210987654321 eni-0f00000000000a002 172.31.4.9 198.51.100.20 44044 443 6 90 71000 1772000105 1772000158 ACCEPT OK",
    "2 210987654321 eni-0f00000000000a003 - - - - - - - 1772000110 1772000170 - NODATA",
    "2 210987654321 eni-0f00000000000a004 2001:db8::9 2001:db8::1 5000 53 17 2 180 1772000115 1772000175 ACCEPT OK",
]
STREAMS = [f"{line.split()[2]}-all" for line in LINES]
HEAD = " ".join(DEFAULT)
TEXT = "\n".join(LINES) + "\n"
SECONDS = [f"2026-02-25T06:15:{i:02}" for i in range(len(LINES))]


def summary(data, **options):
    report_of = vf.scan(data, **options).select("interface_id", "srcaddr", "dstport", "bytes", "start", "action").collect()
    return sorted(map(str, zip(*(report_of[c] for c in report_of.columns)))), report_of.report


WANTED = summary(TEXT.encode())[0]


def behind(prefix, lines=LINES):
    """Each line behind what `prefix` makes of its number."""
    return "".join(f"{prefix(i)}{line}\n" for i, line in enumerate(lines)).encode()


def table(header, rows, delimiter=",", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="\n")
    if header:
        writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def deflate(data, bits):
    packer = zlib.compressobj(6, zlib.DEFLATED, bits)
    return packer.compress(data) + packer.flush()


def zstd(data):
    pa = pytest.importorskip("pyarrow")
    return pa.compress(data, codec="zstd", asbytes=True)


def b64(data):
    return base64.b64encode(data)


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


BEHIND = {
    "aws logs tail": lambda i: f"{SECONDS[i]}.000000+00:00 {STREAMS[i]} ",
    "aws logs tail, short": lambda i: f"{SECONDS[i]} ",
    "aws logs tail, another zone": lambda i: f"{SECONDS[i]}+01:00 {STREAMS[i]} ",
    "a blank before the time of day": lambda i: f"{SECONDS[i].replace('T', ' ')} ",
    "with a fraction": lambda i: f"{SECONDS[i].replace('T', ' ')}.123456 ",
    "a zone behind a blank": lambda i: f"{SECONDS[i].replace('T', ' ')} UTC ",
    "an offset without colon": lambda i: f"{SECONDS[i]}-0500 ",
    "a tab": lambda i: f"{SECONDS[i]}Z\t",
    "tabs and a stream": lambda i: f"{SECONDS[i]}Z\t{STREAMS[i]}\t",
    "group and stream": lambda i: f"{SECONDS[i]}Z /vpc/flow-logs {STREAMS[i]} ",
    "in brackets": lambda i: f"[{SECONDS[i]}.000Z] ",
    "a logging module": lambda i: f"{SECONDS[i].replace('T', ' ')},123 INFO flows ",
    "syslog": lambda i: f"Feb 25 06:15:{i:02} collector vpcflow[77]: ",
    "syslog with a priority": lambda i: f"<134>Feb  5 06:15:{i:02} collector vpcflow: ",
    "syslog of RFC 5424": lambda i: f"<134>1 {SECONDS[i]}.003Z collector vpcflow 77 - - ",
    "milliseconds, as --query gives them": lambda i: f"17720001{i:02}000\t",
    "milliseconds and stream": lambda i: f"17720001{i:02}000\t{STREAMS[i]}\t",
}  # fmt: skip


@pytest.mark.parametrize("name", BEHIND)
def test_lines_behind_a_time(name):
    for lines, options in ((LINES, {}), ([HEAD, *LINES], {})):
        stamps = [0, *range(len(LINES))] if len(lines) > len(LINES) else range(len(LINES))
        data = "".join(f"{BEHIND[name](i)}{line}\n" for i, line in zip(stamps, lines)).encode()
        for text in (data, b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n"), gzip.compress(data)):
            got, report = summary(text, **options)
            assert got == WANTED
            assert report.rejected == 0


def test_lines_of_a_format_that_is_given():
    lines = [" ".join([w[3], w[4], w[6], w[9], w[12]]) for w in (line.split() for line in LINES)]
    for prefix in (lambda i: f"{SECONDS[i]}Z ", lambda i: f"{SECONDS[i]}.000000+00:00 {STREAMS[i]} "):
        result = vf.scan(behind(prefix, lines), format="srcaddr dstaddr dstport bytes action").select("bytes").collect()
        assert sorted(result["bytes"], key=str) == sorted([240, 71000, None, 180], key=str)
        assert result.report.rejected == 0


def test_the_alphabetical_order_behind_a_stream():
    names = sorted(DEFAULT)
    lines = [" ".join(dict(zip(DEFAULT, line.split()))[name] for name in names) for line in LINES]
    with pytest.warns(vf.DataQualityWarning, match="alphabetical"):
        assert summary(behind(lambda i: f"{SECONDS[i]}.000000+00:00 {STREAMS[i]} ", lines))[0] == WANTED


def test_text_output_of_the_command_line():
    filter_events = "".join(
        f"EVENTS\t3756{i}\t1772000200{i:03}\t{STREAMS[i]}\t{line}\t1772000100000\n" for i, line in enumerate(LINES)
    )
    searched = f"SEARCHEDLOGSTREAMS\t{STREAMS[0]}\tTrue\n"
    get_events = "".join(f"EVENTS\t1772000200{i:03}\t{line}\t1772000100000\n" for i, line in enumerate(LINES))
    insights = "Complete\n" + "".join(
        f"RESULTS\t@timestamp\t2026-02-25 06:15:00.000\nRESULTS\t@message\t{line}\nRESULTS\t@ptr\tCmEKJgoi\n"
        for line in LINES
    )
    for text in (
        filter_events + searched,
        searched + filter_events,
        filter_events + "None\n",
        "b/37/s\tf/37/s\n" + get_events,
        insights + "STATISTICS\t480.0\t4.0\t4.0\n",
        "\t".join(LINES) + "\n",  # --query 'events[].message'
    ):
        got, report = summary(text.encode())
        assert got == WANTED, text
        assert report.rejected == 0


def test_a_bad_line_among_them_is_one_reject(quiet):
    data = behind(BEHIND["aws logs tail"]) + b"2026-02-25T06:15:09.000000+00:00 eni-1-all 2 3 4\nnothing at all\n"
    got, report = summary(data)
    assert got == WANTED
    assert [r["line"] for r in report.rejects] == [5, 6]


ROWS = [line.split() for line in LINES]
NAMES = [name.replace("-", "_") for name in DEFAULT]
CSV = {
    "time and record": table(None, [[f"{s}.000Z", x] for s, x in zip(SECONDS, LINES)]),
    "time and record, quoted": table(None, [[s, x] for s, x in zip(SECONDS, LINES)], quoting=csv.QUOTE_ALL),
    "milliseconds and record": table(None, [[f"177200010{i}000", x] for i, x in enumerate(LINES)]),
    "time, stream and record": table(None, [[s, t, x] for s, t, x in zip(SECONDS, STREAMS, LINES)]),
    "records in quotes alone": table(None, [[x] for x in LINES], quoting=csv.QUOTE_ALL),
    "a Splunk export": table(["_time", "source", "sourcetype", "_raw"], [[s, "vpc", "aws:x", x] for s, x in zip(SECONDS, LINES)], quoting=csv.QUOTE_ALL),
    "columns of a Splunk export and _raw": table(["_raw", "src_ip", "bytes", "action"], [[x, "1.2.3.4", 1, "allowed"] for x in LINES]),
    "event.original": table(["@timestamp", "_id", "event.original"], [["Feb 25, 2026 @ 06:15:00.000", "a1", x] for x in LINES], quoting=csv.QUOTE_ALL),
    "Message": table(["TimeGenerated", "Message"], [[s, x] for s, x in zip(SECONDS, LINES)]),
    "a column of another name": table(["when", "rawText"], [[s, x] for s, x in zip(SECONDS, LINES)]),
    "message beside fields": table([*NAMES[:3], "message"], [[*r[:3], x] for r, x in zip(ROWS, LINES)]),
    "JSON as message": table(["time", "message"], [[s, json.dumps({"message": x})] for s, x in zip(SECONDS, LINES)]),
    "Athena": table(NAMES, [["" if c == "-" else c for c in r] for r in ROWS], quoting=csv.QUOTE_ALL),
    "semicolons": table(NAMES, ROWS, ";"),
    "semicolons and quotes": table(NAMES, ROWS, ";", csv.QUOTE_ALL),
    "semicolons, values left out": table(NAMES, [["" if c == "-" else c for c in r] for r in ROWS], ";"),
    "semicolons, announced": b"sep=;\n" + table(NAMES, ROWS, ";"),
    "tabs, values left out": table(NAMES, [["" if c == "-" else c for c in r] for r in ROWS], "\t"),
    "tabs and quotes": table(NAMES, ROWS, "\t", csv.QUOTE_ALL),
    "time, tab, record under a header": table(["timestamp", "message"], [[s, x] for s, x in zip(SECONDS, LINES)], "\t"),
    "a header with blanks behind commas": table(NAMES, ROWS).replace(b",", b", ", 13),
    "rows in another order of columns": table(NAMES[::-1], [r[::-1] for r in ROWS], ";"),
}  # fmt: skip


@pytest.mark.parametrize("name", CSV)
def test_tables(name):
    data = CSV[name]
    for text in (data, b"\xef\xbb\xbf" + data, data.replace(b"\n", b"\r\n"), gzip.compress(data), data.rstrip(b"\n")):
        got, report = summary(text)
        assert got == WANTED
        assert report.rejected == 0


def test_a_message_that_is_none_is_a_text_beside_fields():
    with pytest.warns(vf.DataQualityWarning, match="'message' is not in the catalogue"):
        assert summary(table([*NAMES, "message"], [[*r, "seen"] for r in ROWS]))[0] == WANTED


SUBSCRIPTION = json.dumps(_subscription(LINES)).encode()
PACKERS = {
    "gzip": gzip.compress,
    "zstd": zstd,
    "zlib": zlib.compress,
    "zlib, fastest": lambda data: zlib.compress(data, 1),
    "zlib, best": lambda data: zlib.compress(data, 9),
}
PACKED = {
    "gzip in gzip": (gzip.compress, gzip.compress),
    "zstd in gzip": (zstd, gzip.compress),
    "gzip in zstd": (gzip.compress, zstd),
    "zlib": (zlib.compress,),
    "zlib in gzip": (zlib.compress, gzip.compress),
    "gzip four times": (gzip.compress,) * 4,
}


@pytest.mark.parametrize("name", PACKED)
def test_layers_of_packing(name, tmp_path):
    for data in (TEXT.encode(), HEAD.encode() + b"\n" + TEXT.encode(), SUBSCRIPTION):
        for pack in PACKED[name]:
            data = pack(data)
        path = tmp_path / "log"
        path.write_bytes(data)
        for source in (data, path, io.BytesIO(data)):
            assert summary(source)[0] == WANTED


def test_members_inside_of_members_with_line_ends_between():
    half = [json.dumps(_subscription(part)).encode() for part in (LINES[:2], LINES[2:])]
    for between in (b"", b"\n", b"\r\n"):
        members = between.join(map(gzip.compress, half)) + between
        assert summary(members)[0] == WANTED
        assert summary(gzip.compress(members))[0] == WANTED
    assert summary(gzip.compress(TEXT.encode()[:77]) + gzip.compress(TEXT.encode()[77:]))[0] == WANTED
    streams = b"\n".join(map(zlib.compress, half))
    assert summary(streams)[0] == WANTED


def test_layers_are_bounded():
    data = TEXT.encode()
    for _ in range(5):
        data = gzip.compress(data)
    with pytest.raises(vf.FormatError, match="packed more than 4 times"):
        summary(data)
    bomb = gzip.compress(gzip.compress(b"\n" * (20 << 20)) * 20)
    for data in (bomb, gzip.compress(gzip.compress(b"") * 100_000)):
        with pytest.raises(vf.SourceError, match="max_output_bytes"):
            vf.scan(data, max_output_bytes="1 MB").agg(n=vf.count()).collect()


def test_a_damaged_layer_gives_what_is_before_the_damage(quiet):
    inner = gzip.compress(TEXT.encode() * 2000)
    for data in (gzip.compress(inner[: len(inner) // 2]), gzip.compress(inner)[:-20], zlib.compress(TEXT.encode() * 2000)[:-4]):
        with pytest.raises(vf.DataLossError):
            summary(data)


BLOBS = {
    "gzip of JSON": lambda part: b64(gzip.compress(json.dumps(_subscription(part)).encode())),
    "JSON": lambda part: b64(json.dumps(_subscription(part)).encode()),
    "lines": lambda part: b64("\n".join(part).encode()),
    "lines, ended": lambda part: b64(("\n".join(part) + "\n").encode()),
    "gzip of lines": lambda part: b64(gzip.compress("\n".join(part).encode())),
    "base64 twice": lambda part: b64(_blob(_subscription(part)).encode()),
    "base64 twice of lines": lambda part: b64(b64("\n".join(part).encode())),
    "base64 of gzip of base64 of gzip": lambda part: b64(gzip.compress(_blob(_subscription(part)).encode())),
    "zlib": lambda part: b64(zlib.compress(json.dumps(_subscription(part)).encode())),
    "zlib of lines": lambda part: b64(zlib.compress("\n".join(part).encode(), 1)),
    "deflate": lambda part: b64(deflate(json.dumps(_subscription(part)).encode(), -15)),
    "zstd": lambda part: b64(zstd("\n".join(part).encode())),
    "URL-safe gzip": lambda part: url64(gzip.compress(json.dumps(_subscription(part)).encode())),
    "URL-safe lines": lambda part: url64("\n".join(part).encode()),
    "gzip in gzip": lambda part: b64(gzip.compress(gzip.compress("\n".join(part).encode()))),
    "two blobs without line end": lambda part: b"".join(b64(gzip.compress(x.encode() + b"\n")) for x in part),
}


@pytest.mark.parametrize("name", BLOBS)
def test_lines_of_base64(name):
    data = b"\n".join(BLOBS[name](part) for part in (LINES[:1], LINES[1:])) + b"\n"
    for text in (data, gzip.compress(data), data.replace(b"\n", b"\r\n"), data.rstrip(b"\n")):
        got, report = summary(text)
        assert got == WANTED
        assert report.rejected == 0


@pytest.mark.parametrize("name", ["gzip of JSON", "JSON", "base64 twice", "zlib", "URL-safe gzip", "deflate"])
def test_base64_inside_of_documents(name):
    blobs = [BLOBS[name](part).decode() for part in (LINES[:1], LINES[1:])]
    kinesis = {"Records": [{"kinesis": {"data": blob}} for blob in blobs]}
    lambdas = b"".join(json.dumps({"awslogs": {"data": blob}}).encode() + b"\n" for blob in blobs)
    for data in (json.dumps(kinesis).encode(), lambdas):
        assert summary(data)[0] == WANTED


@pytest.mark.parametrize("width", [64, 76])
def test_base64_over_several_lines(width):
    for data in (gzip.compress(TEXT.encode()), TEXT.encode(), SUBSCRIPTION):
        text = b64(data)
        wrapped = b"\n".join(text[i : i + width] for i in range(0, len(text), width))
        for end in (b"", b"\n"):
            assert summary(wrapped + end)[0] == WANTED


def test_blobs_unpack_to_no_more_than_asked_for(quiet):
    bomb = b64(gzip.compress(TEXT.encode() * 20_000))
    for data in (bomb + b"\n" + bomb, json.dumps({"awslogs": {"data": bomb.decode()}}).encode()):
        with pytest.raises(vf.SourceError, match="max_output_bytes, 1000000"):
            vf.scan(data, max_output_bytes="1 MB").agg(n=vf.count()).collect()


def test_what_is_base64_of_nothing_is_a_reject(quiet):
    for bad in (b"H4sIAAAAAAAA/////", b64(bytes(range(256))), b"!!!!" * 10, b64(gzip.compress(TEXT.encode()))[:-30]):
        got, report = summary(BLOBS["gzip of JSON"](LINES) + b"\n" + bad + b"\n")
        assert got == WANTED
        assert [(r["line"], r["reason"]) for r in report.rejects] == [(2, "no-record")]


def test_command_line(tmp_path):
    for name, data in {
        "tail.txt": behind(BEHIND["aws logs tail"]),
        "events.txt": CSV["a Splunk export"],
        "nested.gz": gzip.compress(gzip.compress(TEXT.encode())),
        "blobs": BLOBS["base64 twice"](LINES),
    }.items():
        path = tmp_path / name
        path.write_bytes(data)
        got = json.loads(run_cli("summary", path, "--json", check=0).stdout)
        assert (got["records"], got["nodata"], got["rejects"]) == (4, 1, 0), name
