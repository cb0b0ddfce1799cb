"""The threat model, where no other file has the test: what whoever writes logs, names or files can do."""

import base64
import gzip
import html.parser
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import threading
import time

import pytest

import vpcflow as vf
from conftest import HEADER, LONG, line, run_cli, with_options

MEASURE = """
import resource, sys, warnings
warnings.simplefilter("ignore")
import vpcflow as vf
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
vf.scan(b"srcaddr\\n10.0.0.1\\n").collect()
before = peak()
report = vf.scan(sys.argv[1], threads=1, allow_empty=True).agg(n=vf.count()).collect().report
print(peak() - before, report.rejected, report.records)
"""


def measured(path):
    """Growth of memory in MiB, rejects and records of a scan in a process of its own."""
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, check=True, timeout=300)
    growth, rejects, records = done.stdout.split()
    return float(growth), int(rejects), int(records)


def test_t1_gzip_bomb(tmp_path):
    """1 MiB that unpacks to 1 GiB without a line end, and 10,000 members: memory stays, and all is counted."""
    bomb = tmp_path / "bomb.gz"
    with gzip.GzipFile(bomb, "wb", 9) as out:
        out.write(HEADER + line())
        for _ in range(1024):
            out.write(b"0" * (1 << 20))
        out.write(b"\n" + line())
    assert bomb.stat().st_size < 2 << 20
    growth, rejects, records = measured(bomb)
    assert growth <= 32
    assert (rejects, records) == (1, 2)
    members = tmp_path / "members.gz"
    members.write_bytes(gzip.compress(HEADER) + gzip.compress(line()) * 10_000)
    growth, rejects, records = measured(members)
    assert growth <= 32
    assert (rejects, records) == (0, 10_000)


def test_t1_a_document_without_end(tmp_path):
    """One JSON document of 64 MiB of events, of numbers, of a blob of numbers: memory stays, and all is counted."""
    event = json.dumps({"id": "1", "message": line().decode().strip()}).encode() + b",\n"
    events = (64 << 20) // len(event)
    numbers = b"[\n" + b"0," * (4 << 20) + b"0]"
    blob = base64.b64encode(gzip.compress(numbers.replace(b"\n", b"")))
    for text, most, wanted in (
        (b'{"events": [\n' + event * events + event[:-2] + b'], "nextToken": "x"}', 16, (0, events + 1)),
        (numbers, 16, ((4 << 20) + 1, 0)),
        (b"[\n" + b"\n" * (4 << 20) + event[:-2] + b"]" + b"\n" * (16 << 20) + event[:-2], 32, (0, 2)),
        (b"{" + b'"events":[],\n' * 500_000 + b'"events": [' + event[:-2] + b"]}", 200, (0, 1)),
        (b'{"awslogs":\n{"data": "' + blob + b'"}}', 200, ((4 << 20) + 1, 0)),
    ):
        log = tmp_path / "log.json.gz"
        log.write_bytes(gzip.compress(text, 1))
        growth, rejects, records = measured(log)
        assert growth <= most
        assert (rejects, records) == wanted


def test_t1_max_output_bytes(tmp_path, quiet):
    """Exactly as many bytes as allowed are fine, one more is an error after the records before it; also of zstd's and
    of many members, and through the command line."""
    text = HEADER + line() * 1000
    packs = {"one member": gzip.compress(text), "two": gzip.compress(text[:777]) + gzip.compress(text[777:])}
    packs["an empty member at the end"] = packs["two"] + gzip.compress(b"")
    for name, packed in packs.items():
        assert vf.scan(packed, max_output_bytes=len(text)).agg(n=vf.count()).collect()["n"] == [1000], name
        with pytest.raises(vf.SourceError, match="unpacks to more than max_output_bytes") as raised:
            vf.scan(packed, max_output_bytes=len(text) - 1).agg(n=vf.count()).collect()
        assert raised.value.partial["n"] == [999], name
    assert vf.scan(text, max_output_bytes=10).agg(n=vf.count()).collect()["n"] == [1000]  # not packed
    (tmp_path / "a.gz").write_bytes(packs["one member"])
    done = run_cli("summary", tmp_path / "a.gz", "--max-output-bytes", "1kB")
    assert done.returncode == 2
    assert b"max_output_bytes, 1000" in done.stderr


SHAPES = list(itertools.product(("\n", "\r\n", "mixed"), (True, False), (True, False), (True, False), ("", "again", "other")))


@pytest.mark.parametrize(("ends", "last", "mark", "blank", "header"), SHAPES)
def test_t4_line_shapes(ends, last, mark, blank, header, quiet):
    """Line ends, a last line without one, a byte order mark, blank lines, a header again or another one in mid-file;
    at block borders and split points of all kinds."""
    lines = [HEADER.decode().rstrip()]
    lines += [line(src=f"10.0.0.{i}", size=i).decode().rstrip() for i in range(6)]
    if header == "again":
        lines.insert(3, lines[0])
    if header == "other":
        lines[4:4] = ["dstport srcaddr bytes", "53 10.9.9.9 77"]
        lines = [*lines[:6], lines[0], *lines[6:]]
    if blank:
        lines[2:2] = ["", "  "]
        lines.append("")
    text = b"\xef\xbb\xbf" if mark else b""
    for i, item in enumerate(lines):
        end = ("\r\n" if i % 2 else "\n") if ends == "mixed" else ends
        text += (item + (end if last or i + 1 < len(lines) else "")).encode()
    query = {"n": vf.count(), "bytes": vf.sum("bytes"), "port": vf.max("dstport")}

    def answer(source, **options):
        flows = vf.scan(source, threads=1)
        flows = with_options(flows, **options)
        result = flows.group_by("srcaddr").agg(**query).collect()
        return result.rows(), result.report.records, result.report.rejected, result.report.blank_lines

    got = answer(text)
    other = header == "other"
    assert got[1:3] == (6 + other, 0)
    assert sum(row["bytes"] for row in got[0]) == 15 + 77 * other
    for block in (64, 65, 97, 131, 257):
        assert answer(text, block_bytes=block) == got
    for at in range(0, len(text), 1 if (ends, mark, blank) == ("mixed", True, True) else 41):
        parts = [text[:at], text[at:]]

        class Two:
            def read(self, size, parts=parts):
                while parts and not parts[0]:
                    parts.pop(0)
                if not parts:
                    return b""
                head, parts[0] = parts[0][:size], parts[0][size:]
                return head

        assert answer(Two()) == got


def test_t3_a_stream_without_line_ends(quiet):
    """A gigabyte without a line end: one reject, and nothing is held."""

    class Endless:
        left = 1 << 30

        def read(self, size):
            self.left -= size
            return b"x" * size if self.left > 0 else b""

    report = vf.scan([HEADER + line(), Endless()], format="default").agg(n=vf.count()).collect().report
    assert (report.records, report.rejects_by_reason) == (1, {"line-too-long": 1})


def test_t3_names_without_end(tmp_path):
    """Names of a megabyte, another one in each record, of one field as they begin alike: none is kept."""
    log = tmp_path / "log.json.gz"
    with gzip.GzipFile(log, "wb", 1) as out:
        for i in range(200):
            out.write(b'{"srcaddr": "10.0.0.1", "bytes": 1, "' + b"x" * (1 << 20) + b'%d": 1}\n' % i)
    growth, rejects, records = measured(log)
    assert growth <= 48
    assert (rejects, records) == (0, 200)


def test_t20_headers_without_end(quiet):
    """Another header before each record: some of the formats and warnings are kept, which ones is no chance."""
    log = b"".join(b"srcaddr zzz%d\n10.0.0.1 5\n" % i for i in range(50_000))
    kept = []
    for threads, block in ((1, 1 << 17), (4, 1000)):
        flows = vf.scan(log, threads=threads)
        flows = with_options(flows, block_bytes=block)
        report = flows.agg(n=vf.count()).collect().report
        assert (report.records, report.headers, report.rejected) == (50_000, 50_000, 0)
        assert (len(report.formats), len(report.warnings)) == (256, 257)
        assert "more warnings or formats than 256" in report.warnings[-1]
        kept.append((report.formats, report.warnings))
    assert kept[0] == kept[1]


def test_t20_objects_between_messages(quiet):
    """Objects of many long names take turns with messages: the header of 30 kB is not written for each."""
    first = {"srcaddr": "10.0.0.1", "bytes": 1, **{f"x{i}" + "y" * 120: 1 for i in range(250)}}
    turn = json.dumps({"message": line().decode().strip()}) + "\n" + json.dumps({"bytes": 7, "srcaddr": "10.0.0.2"}) + "\n"
    log = (json.dumps(first) + "\n" + turn * 2000).encode()
    for threads, block in ((1, 1 << 17), (4, 300)):
        flows = vf.scan(log, threads=threads)
        flows = with_options(flows, block_bytes=block)
        result = flows.group_by("srcaddr").agg(n=vf.count(), bytes=vf.sum("bytes")).collect()
        assert result.report.text_bytes < 10 * len(log)
        assert (result.report.records, result.report.rejected) == (4001, 0)
        assert {row["srcaddr"]: row["bytes"] for row in result.rows()}["10.0.0.2"] == 14_000
        assert sum(result["n"]) == 4001


NUMBERS = [f for f in vf.fields() if f["type"] not in ("text", "address")]


def test_t5_the_line_of_a_reject_in_a_container(quiet):
    """What cannot be a record is found again in the file, whatever it is wrapped in."""
    good, bad = line().decode().strip(), line().decode().replace(" 40 ", " x ").strip()
    csv = "@timestamp,@message\n" + "".join(f'2026-11-23,"{text}"\n' for text in (good, good, bad, good, bad))
    ndjson = "".join(json.dumps({"message": text}) + "\n" for text in (good, good, good, bad, good, "", bad))
    records = "\n\n".join(json.dumps({"srcaddr": "10.0.0.1", "bytes": b}) for b in (1, "x", 2, "y"))
    export = "".join(f"2026-11-23T10:00:00.000Z {text}\n" for text in (bad, good, bad))
    for log, lines in ((csv, [4, 6]), (ndjson, [4, 7]), (records, [3, 7]), (export, [1, 3])):
        for threads in (1, 3):
            flows = vf.scan(log.encode(), threads=threads, format="default")
            flows = with_options(flows, block_bytes=100)
            assert [r["line"] for r in flows.select("srcaddr", "bytes").collect().report.rejects] == lines


def test_t6_odd_numbers(quiet):
    """16 spellings in every numeric field: digits alone are a number, and within the field's bounds."""
    spellings = ["0", "1", "007", "65535", "65536", "4294967295", "4294967296", "9223372036854775807",
                 "9223372036854775808", "18446744073709551616", "9" * 23, "+1", "-1", "0x1F", "1e3", "1.0"]  # fmt: skip
    assert len(NUMBERS) >= 12
    for field in NUMBERS:
        name = field["name"]
        for text in spellings:
            log = f"{name} srcaddr\n{text} 10.0.0.1\n".encode()
            result = vf.scan(log, allow_empty=True).select(name).collect()
            plain = text.isdigit()
            fits = plain and (len(text) <= 13 if field["type"] == "time" else int(text) <= field["max"])
            assert (result.report.records, result.report.rejected) == (int(fits), int(not fits)), (name, text)
            if fits and field["type"] != "time":
                assert result.rows()[0][name.replace("-", "_")] == int(text)
            if not fits:
                assert result.report.rejects[0]["reason"] == ("out-of-range" if plain else "not-a-number"), (name, text)


def test_t6_every_port(quiet):
    log = b"dstport\n" + b"".join(b"%d\n" % port for port in range(70_001))
    result = vf.scan(log).collect()
    assert result["dstport"] == list(range(65_536))
    assert result.report.rejects_by_reason == {"out-of-range": 70_001 - 65_536}


def test_t7_texts_that_are_no_utf8():
    pa = pytest.importorskip("pyarrow")
    texts = [bytes([a, b]) for a in range(128, 256) for b in range(128, 256)]
    texts += [b"eni-" + bytes([a]) for a in range(128, 256)]
    log = b"interface-id bytes\n" + b"".join(t + b" 1\n" for t in texts)
    table = vf.scan(log).to_arrow()
    table.validate(full=True)
    assert len(table) == len(texts)
    for raw, text in zip(texts, table["interface_id"].cast(pa.string()).to_pylist()):
        whole = raw.decode("utf-8", "replace")
        assert text == whole if "\ufffd" not in whole else "\ufffd" in text, raw


@pytest.mark.parametrize("change", ["append", "truncate", "rewrite"])
def test_t8_a_file_that_changes_while_it_is_read(tmp_path, change, quiet):
    """Reads go on for a while; whoever changes the file meanwhile makes the scan an error, not a result."""
    path = tmp_path / "a.log"
    data = HEADER + line() * 20_000
    path.write_bytes(data)
    seen = []

    def hurt():
        with path.open("r+b") as file:
            if change == "append":
                file.seek(0, 2)
                file.write(line())
            elif change == "truncate":
                file.truncate(len(data) // 2)
            else:
                file.seek(len(data) - 100)
                file.write(b"9" * 10)

    flows = vf.scan(path, threads=1)
    batches = flows.batches(100)
    seen.append(next(batches))  # the file is open, and its end not read
    time.sleep(0.02)
    hurt()
    with pytest.raises(vf.DataLossError, match="changed while it was read"):
        seen.extend(batches)
    assert vf.scan(path).agg(n=vf.count()).collect().report.sources == 1  # and later it is a file like any other


def test_t9_a_buffer_that_is_written_meanwhile():
    """Writable buffers are copied: threads that write do not reach the scan."""
    data = bytearray(HEADER + line() * 50_000)
    flows = vf.scan(data)
    stop = threading.Event()

    def write():
        at = len(HEADER)
        while not stop.is_set():
            data[at] ^= 0xFF
            at = len(HEADER) + (at * 7919) % (len(data) - len(HEADER))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(5):
            report = flows.agg(bytes=vf.sum("bytes")).collect().report
            assert (report.records, report.rejected) == (50_000, 0)
    finally:
        stop.set()
        thread.join()


def test_t11_no_text_is_run():
    """No eval, no exec; long and deep expressions are refused at once."""
    from pathlib import Path

    for path in Path(vf.__file__).parent.rglob("*.py"):
        assert " eval(" not in path.read_text()
        assert " exec(" not in path.read_text()
    for expression in ("(" * 1000 + "bytes = 1" + ")" * 1000, " or ".join(["bytes = 1"] * 100_000)):
        began = time.monotonic()
        with pytest.raises(vf.FilterError):
            vf.scan(HEADER).filter(expression).collect()
        assert time.monotonic() - began < 5  # 0.1 s on a quiet machine


PAYLOADS = [
    "<script>alert(1)</script>", "<img/src=x/onerror=alert(1)>", "\"><svg/onload=alert(1)>", "'onmouseover='alert(1)",
    "</td></tr></table><h1>x", "<!--", "]]>", "&lt;b&gt;", "<a/href=javascript:alert(1)>", "<style>*{display:none}",
    "<iframe/srcdoc=x>", "\xff<b>",
]  # fmt: skip


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = set()
        self.comments = 0

    def handle_starttag(self, tag, attrs):
        self.seen.add((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, data):
        self.comments += 1


def tags_of(page):
    tags = Tags()
    tags.feed(page)
    return tags.seen, tags.comments


@pytest.mark.parametrize("payload", PAYLOADS)
def test_t13_html_in_notebooks(payload, quiet):
    """In every text field, as the name of a column, in the path and in the excerpts of rejects: only our tags."""
    texts = [f["name"] for f in vf.fields() if f["type"] == "text"]
    token = payload.replace(" ", "\x07").encode()

    def page(token, alias):
        log = (" ".join(texts)).encode() + b"\n" + b" ".join([token] * len(texts)) + b"\nshort " + token + b"\n"
        flows = vf.scan(log)
        grouped = flows.group_by("action").agg(**{alias: vf.count()})
        selected = flows.collect()
        return selected._repr_html_() + grouped.collect()._repr_html_()

    wanted = page(b"harmless", "n")
    got = page(token, payload)
    assert tags_of(got) == tags_of(wanted)


def test_t14_escapes_in_terminals(tmp_path):
    """ESC, BEL, CR, a right-to-left override, NUL: as values, in rejects and as a file's name, no control character, no
    bidirectional one, and no byte that is no UTF-8."""
    for evil in (b"\x1b[2J", b"\x07", b"a\rb", "\u202e".encode(), b"\x00", b"\xff\x9b31m"):
        name = b"log-" + evil.replace(b"\x00", b"0") + b".log"
        path = os.path.join(os.fsencode(tmp_path), name)
        with open(path, "wb") as file:
            file.write(HEADER + line(action="X").replace(b" X ", b" " + evil + b" ") + evil + b" short\n" + line())
        for command in (["summary"], ["head"], ["top", "--by", "action"], ["convert", "--to", "csv", "-o", "-"]):
            done = run_cli(*command, os.fsdecode(path))
            shown = done.stderr if command[0] == "convert" else done.stderr + done.stdout
            assert shown
            assert all(c.isprintable() or c == "\n" for c in shown.decode()), (command, evil, shown)


def test_t19_counters(quiet):
    """Sums beyond 64 bits are exact, whole and merged."""
    most = 2**63 - 1
    log = b"srcaddr bytes\n" + b"10.0.0.1 %d\n" % most * 40
    for threads in (1, 4):
        flows = vf.scan(log, threads=threads)
        flows = with_options(flows, block_bytes=200)
        assert flows.agg(bytes=vf.sum("bytes")).collect()["bytes"] == [most * 40]


def test_t21_the_same_bytes_however_it_is_run():
    data = vf.synth(20_000, seed=2).data
    query = {"bytes": vf.sum("bytes"), "peers": vf.n_unique("dstaddr"), "first": vf.first("dstport")}
    results = {
        vf.scan(data, threads=threads).group_by("srcaddr", "protocol").agg(**query).collect()._table.to_json_lines()
        for _ in range(20 if LONG else 5)
        for threads in (1, 2, 4, 8)
    }
    assert len(results) == 1


def test_t21_the_same_bytes_by_every_kernel():
    code = """
import hashlib, vpcflow as vf
data = vf.synth(20_000, seed=3, ipv6_share=0.2).data
query = {"bytes": vf.sum("bytes"), "peers": vf.n_unique("dstaddr"), "first": vf.first("dstport")}
whole = b""
for threads in (1, 2, 4, 8):
    flows = vf.scan(data, threads=threads)
    whole += flows.group_by("srcaddr", "action", every="1m").agg(**query).collect()._table.to_json_lines()
    whole += flows.collect()._table.to_json_lines()
print(vf.build_info()["kernel"], hashlib.sha256(whole).hexdigest())
"""
    digests = {}
    for kernel in vf.build_info()["kernels"]:
        env = dict(os.environ, VPCFLOW_FORCE_SIMD=kernel)
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        used, digest = done.stdout.split()
        assert used == kernel
        digests[kernel] = digest
    assert len(set(digests.values())) == 1, digests


def test_t25_repeated_scans_keep_nothing():
    """A hundred scans, then as many again (a thousand with VPCFLOW_LONG): less than 1 MiB more."""
    code = f"""
import vpcflow as vf
data = vf.synth(2_000, seed=3).data
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
def scans(n):
    for _ in range(n):
        vf.scan(data, threads=2).group_by("srcaddr").agg(peers=vf.n_unique("dstaddr")).collect()
        vf.scan(data).select("srcaddr", "bytes").collect()
scans(100)
before = resident()
scans({1000 if LONG else 100})
print(resident() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1 << 20


def _child(data):
    return vf.scan(data, threads=2).agg(n=vf.count()).collect().rows()[0]["n"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_t23_processes(method):
    """Scans before, in and after children, by every way to start them."""
    data = HEADER + line() * 1000
    assert _child(data) == 1000
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_child, [data] * 8) == [1000] * 8
    assert _child(data) == 1000


def test_t27_times_at_the_end_of_what_pandas_can_hold():
    pytest.importorskip("pandas")
    log = b"start bytes\n" + b"".join(b"%d 1\n" % t for t in (0, 1, 2**31, 2**31 + 1, 9_999_999_999_999))
    frame = vf.scan(log).to_pandas()
    # Above 2^31 they are milliseconds, so that none lies beyond the year 2286.
    assert frame["start"].dt.year.tolist() == [1970, 1970, 2038, 1970, 2286]


def test_t28_an_arrow_stream_is_consumed_once(quiet):
    """Capsules consumed twice, never, or half-way; results used after their scan is gone."""
    pa = pytest.importorskip("pyarrow")
    result = vf.scan(HEADER + line() * 10).collect()
    capsule = result.__arrow_c_stream__()
    reader = pa.RecordBatchReader._import_from_c_capsule(capsule)
    assert reader.read_all().num_rows == 10
    with pytest.raises(Exception, match=r"released|consumed|invalid|Cannot"):
        pa.RecordBatchReader._import_from_c_capsule(capsule).read_all()
    for _ in range(1000):
        result.__arrow_c_stream__()  # never consumed
        half = pa.RecordBatchReader._import_from_c_capsule(result.__arrow_c_stream__())
        half.schema  # noqa: B018
        del half
    table = pa.table(result)
    del result
    assert table["bytes"].to_pylist() == [40] * 10
    assert vf.scan(table).agg(n=vf.count()).collect()["n"] == [10]
