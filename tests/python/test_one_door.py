"""Whatever works for text works for tables: one door for every input."""

import json
import threading

import pytest

import vpcflow as vf
from conftest import HEADER, line
from vpcflow import _core, labels
from vpcflow.query.flows import Flows
from vpcflow.query.logs import Logs

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

SYNTH = vf.synth(40_000, seed=4, peers=300, noise_sources=300, plant="port_scan").data


@pytest.fixture(scope="module")
def table():
    return pa.table(vf.scan(SYNTH).collect())


@pytest.fixture(scope="module")
def file(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet") / "flows.parquet"
    parquet.write_table(table, path, row_group_size=7_000)
    return path


QUERIES = {
    "groups": lambda f: f.group_by("srcaddr", "action").agg(
        n=vf.count(), port=vf.first("dstport"), last=vf.last("bytes")
    ),
    "bins": lambda f: f.group_by("dstport", every="5m").agg(bytes=vf.sum("bytes")),
    "rows": lambda f: f.filter("dstport = 443").select("srcaddr", "bytes", "start"),
    "sessions": lambda f: f.sessions(),
    "head": lambda f: f.select("srcaddr", "start").limit(100),
    "labels": lambda f: (
        f.label("net", "srcaddr", labels.prefixes({"10.0.0.0/8": "inside"})).group_by("net").agg(bytes=vf.sum("bytes"))
    ),
}


@pytest.mark.parametrize("name", QUERIES)
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_queries_give_what_text_gives(name, threads, table, file):
    wanted = QUERIES[name](vf.scan(SYNTH)).collect()
    for data in (table, file, pa.table(table).combine_chunks()):
        got = QUERIES[name](vf.scan(data, threads=threads)).collect()
        assert got._table.to_json_lines() == wanted._table.to_json_lines()
        if name != "head":  # which ends before all are read
            assert (got.report.records, got.report.rejected) == (wanted.report.records, 0)


def test_coverage_detection_and_summary(file):
    text, flows = vf.scan(SYNTH), vf.scan(file)
    assert flows.coverage().rows() == text.coverage().rows()
    assert flows.coverage().report.records == text.coverage().report.records
    wanted = vf.detect(text, samples=2)
    got = vf.detect(flows, samples=2)
    assert [f.as_dict() | {"samples": None} for f in got] == [f.as_dict() | {"samples": None} for f in wanted]
    assert any(f.samples for f in got)
    for one, other in zip(got, wanted):
        assert [s["bytes"] for s in one.samples] == [s["bytes"] for s in other.samples]
        assert all(s["file"] == str(file) and 0 <= s["offset"] < 40_000 for s in one.samples)


def test_batches_come_piecewise(table, file):
    wanted = vf.scan(SYNTH).select("srcaddr", "bytes").collect().rows()
    for data in (table, file, [file, SYNTH]):
        batches = list(vf.scan(data).select("srcaddr", "bytes").batches(1_000))
        assert len(batches) > 4
        assert max(len(batch) for batch in batches) <= 10_000
        rows = [row for batch in batches for row in batch.rows()]
        assert rows == (wanted if data is not None and not isinstance(data, list) else wanted * 2)


def test_batches_read_no_further_than_asked(table):
    read = []

    def batches():
        for batch in table.to_batches(max_chunksize=1_000):
            read.append(len(batch))
            yield batch

    reader = pa.RecordBatchReader.from_batches(table.schema, batches())
    first = next(vf.scan(reader).select("bytes").batches(500))
    assert len(first) > 0
    assert len(read) < 5


def test_limits_and_errors(quiet, file, table, tmp_path):
    with pytest.raises(vf.OutOfMemoryError):
        vf.scan(file, max_memory=50_000).select("srcaddr", "bytes", "start").collect()
    with pytest.raises(vf.OutOfMemoryError):
        vf.scan(table, max_memory=50_000, threads=2).group_by("srcaddr", "dstaddr", "srcport").agg().collect()
    bad = pa.table({"srcaddr": ["10.0.0.1"] * 20_000, "bytes": ["5"] * 12_345 + ["x"] + ["5"] * 7_654})
    parquet.write_table(bad, tmp_path / "bad.parquet")
    for threads in (1, 3):
        result = vf.scan(tmp_path / "bad.parquet", threads=threads).agg(bytes=vf.sum("bytes")).collect()
        assert result.rows() == [{"bytes": 5 * 19_999}]
        (reject,) = result.report.rejects
        assert (reject["line"], reject["field"], reject["excerpt"]) == (12_346, "bytes", "x")
    with pytest.raises(vf.ParseError, match=r"bad\.parquet:12346:1: bytes"):
        vf.scan(tmp_path / "bad.parquet", on_error="raise").agg(bytes=vf.sum("bytes")).collect()


def test_damage_is_the_same_for_any_threads(file, tmp_path):
    data = bytearray(file.read_bytes())
    for at in range(len(data) // 2, len(data) * 3 // 4, 500):
        data[at : at + 100] = b"\xff" * 100
    (tmp_path / "cut.parquet").write_bytes(data)
    seen = set()
    for threads in (1, 2, 4):
        flows = vf.scan([tmp_path / "cut.parquet", file], threads=threads)
        query = flows.agg(n=vf.n_unique("srcaddr"), bytes=vf.sum("bytes"), ends=vf.max("end"))
        with pytest.raises(vf.SourceError) as error:
            query.collect()
        seen.add((str(error.value), error.value.partial.report.records))
    assert len(seen) == 1


def test_text_and_tables_in_the_order_given(table):
    one, two = HEADER + line(dstport=1), HEADER + line(dstport=3)
    middle = pa.table({"srcaddr": ["10.0.0.1"], "bytes": [1], "dstport": [2], "start": [1000]})
    sink = pa.BufferOutputStream()
    parquet.write_table(middle, sink)
    flows = vf.scan([one, sink.getvalue().to_pybytes(), two])
    assert [row["dstport"] for row in flows.select("dstport").collect()] == [1, 2, 3]
    assert flows.collect().report.sources == 3


def test_progress_and_cancelling(file):
    calls = []
    vf.scan([file] * 3, duplicates="all").agg(n=vf.count()).collect(progress=lambda *args: calls.append(args))
    assert all(args[1] == 3 * file.stat().st_size for args in calls)


def test_marks_are_text(quiet):
    """Bytes that streams once used among themselves mean nothing in messages, names and values."""
    good = line()
    for mark in ("\x1a", "\x1d", "\x1e"):
        messages = [mark, mark + good.decode(), good.decode() + mark, f"{mark}\n{good.decode()}", good.decode()]
        log = "".join(json.dumps({"message": text}) + "\n" for text in messages)
        report = vf.scan(log.encode()).collect().report
        assert (report.records, report.rejected) == (1, 4)
        assert report.rejects_by_reason == {"control-byte": 4}
        assert [reject["line"] for reject in report.rejects] == [1, 2, 3, 4]
        things = [{"srcaddr": "10.0.0.1", "bytes": 1, "team": mark}, {"srcaddr": mark, "bytes": 2, "team": "a"}]
        result = vf.scan("".join(json.dumps(thing) + "\n" for thing in things).encode()).collect()
        assert [row["team"] for row in result] == [mark]
        assert result.report.rejects_by_reason == {"not-an-address": 1}


def test_values_are_no_header_lines(quiet):
    """A record whose values are names of fields is a record, not a header line."""
    things = [
        {"srcaddr": "10.0.0.1", "bytes": 1, "action": "ACCEPT"},
        {"srcaddr": "bytes", "bytes": "srcaddr", "action": "a"},
    ]
    log = "".join(json.dumps(thing) + "\n" for thing in [*things, things[0]])
    result = vf.scan(log.encode()).agg(bytes=vf.sum("bytes")).collect()
    assert result.rows() == [{"bytes": 2}]
    assert result.report.rejected == 1


def deferred(objects, fetch):
    sources = [
        _core.Source.deferred(f"k{n}", len(data), lambda d, data=data: fetch(d, data)) for n, data in enumerate(objects)
    ]
    return Flows(Logs(sources, vf.scan(b"")._options, _core.PlanSpec(), []), _core.PlanSpec())


def test_deferred_objects_from_threads():
    parts = [HEADER + b"".join(line(dstport=port, size=n) for n in range(200)) for port in range(40)]
    wanted = vf.scan(parts).group_by("dstport").agg(bytes=vf.sum("bytes")).collect().rows()
    threads = []

    def fetch(delivery, data):
        assert delivery.wanted
        shown = data if len(threads) % 2 else memoryview(data)
        thread = threading.Thread(target=delivery.deliver, args=(shown,))
        threads.append(thread)
        thread.start()

    assert deferred(parts, fetch).group_by("dstport").agg(bytes=vf.sum("bytes")).collect().rows() == wanted
    for thread in threads:
        thread.join()
    with pytest.raises(vf.SourceError, match="k1: denied") as error:
        deferred(parts[:3], lambda d, data: d.fail("denied") if data is parts[1] else d.deliver(data)).agg(
            n=vf.count()
        ).collect()
    assert error.value.partial.rows() == [{"n": 400}]

    def broken(delivery, data):
        raise OSError("no network")

    with pytest.raises(vf.SourceError, match="no network"):
        deferred(parts[:1], broken).agg(n=vf.count()).collect()
