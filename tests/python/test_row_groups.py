"""Parquet by row groups and Arrow tables by batches: the records of the text, however they are cut, coded and read; and
statistics, which never lose a record."""

import contextlib
import io
import json
import struct

import pytest

pa = pytest.importorskip("pyarrow")
pytest.importorskip("hypothesis")
from hypothesis import HealthCheck, given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from pyarrow import parquet  # noqa: E402

import vpcflow as vf  # noqa: E402
from conftest import run_cli  # noqa: E402
from containers import ATHENA, _ocsf  # noqa: E402
from test_containers import LINES, WRITTEN  # noqa: E402
from test_parquet import table  # noqa: E402
from vpcflow.io import parquet as pieces_of  # noqa: E402

TEXTS = ["account_id", "interface_id", "srcaddr", "dstaddr", "action", "log_status"]


def packed(t, **options):
    out = io.BytesIO()
    parquet.write_table(t, out, **options)
    return out.getvalue()


@pytest.fixture
def small_pieces(monkeypatch):
    """Pieces and batches of few rows, as large files have many of."""
    monkeypatch.setattr(pieces_of, "_PIECE_ROWS", 300)
    monkeypatch.setattr(pieces_of, "_BATCH_ROWS", 170)


def questions(flows):
    return [
        flows.group_by("srcaddr").agg(v=vf.sum("bytes"), n=vf.n_unique("dstaddr")),
        flows.filter("action = 'REJECT'").group_by("dstport").agg(v=vf.count()),
        flows.group_by(every="1m", bin_by="start").agg(v=vf.sum("bytes")),
        flows.group_by("interface_id", "log_status").agg(p=vf.max("packets"), first=vf.min("start")),
    ]


def told(results):
    report = results[0].report
    counts = (report.records, report.ok, report.nodata, report.skipdata, report.rejected, report.lines)
    return [r.to_csv() for r in results], counts, [(r["line"], r["field"], r["excerpt"]) for r in report.rejects]


def answers(data, threads=1):
    flows = vf.scan(data, threads=threads)
    rows = flows.select(*ATHENA).sort("start", "srcaddr", "srcport", "dstport", "bytes").collect()
    return told([*vf.collect_all(questions(flows)), rows])


def answers_of_text():
    results, counts, rejects = answers(WRITTEN["text"])
    return results, (*counts[:-1], counts[-1] - 1), rejects  # its header is a line


WANTED = answers_of_text()


def nulled(t):
    """Nulls in place of `-`."""
    import pyarrow.compute as pc

    for name in TEXTS:
        at = t.schema.names.index(name)
        t = t.set_column(at, name, pc.if_else(pc.equal(t[name], "-"), pa.scalar(None, pa.string()), t[name]))
    return t


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("options", [
    {"row_group_size": 100}, {"row_group_size": 1000, "compression": "zstd"}, {"row_group_size": 10**6},
    {"row_group_size": 700, "use_dictionary": False}, {"row_group_size": 2000, "use_dictionary": ["action", "dstport"]},
    {"row_group_size": 2000, "dictionary_pagesize_limit": 64, "data_page_size": 256},
    {"row_group_size": 512, "write_statistics": False, "data_page_version": "2.0"},
], ids=str)  # fmt: skip
def test_row_groups_of_any_size_on_any_number_of_threads(threads, options, small_pieces, tmp_path):
    for t in (table(LINES), nulled(table(LINES))):
        data = packed(t, **options)
        (tmp_path / "x.parquet").write_bytes(data)
        assert answers(data, threads) == WANTED
        assert answers(tmp_path / "x.parquet", threads) == WANTED


@pytest.mark.parametrize("threads", [1, 3])
def test_arrow_tables_however_they_are_cut_and_coded(threads):
    whole = table(LINES)
    coded = whole
    for name in TEXTS:
        coded = coded.set_column(coded.schema.names.index(name), name, whole[name].dictionary_encode())
    views = whole.cast(
        pa.schema([pa.field(f.name, pa.string_view() if f.name in TEXTS else f.type) for f in whole.schema])
    )
    long = whole.cast(
        pa.schema([pa.field(f.name, pa.large_string() if f.name in TEXTS else f.type) for f in whole.schema])
    )
    for t in (whole, coded, views, long, nulled(whole)):
        chunked = pa.concat_tables([t.slice(at, 333) for at in range(0, len(t), 333)])
        padded = pa.concat_tables([t.slice(5, 7), t, t.slice(3, 2)]).combine_chunks().slice(7, len(t))
        for data in (t, chunked, padded, t.combine_chunks().to_batches()[0]):
            assert answers(data, threads) == WANTED


def test_rejects_have_the_rows_of_the_file(small_pieces, quiet):
    columns = {"srcaddr": ["10.0.0.1"] * 2000, "bytes": [1] * 2000}
    for at in (3, 399, 400, 1777):
        columns["srcaddr"][at] = "nonsense"
    t = pa.table(columns)
    for use_dictionary in (True, False):
        data = packed(t, row_group_size=130, use_dictionary=use_dictionary)
        for threads in (1, 4):
            report = vf.scan(data, threads=threads).group_by("srcaddr").agg(b=vf.sum("bytes")).collect().report
            assert [r["line"] for r in report.rejects] == [4, 400, 401, 1778]
            assert (report.records, report.rejected, report.lines) == (1996, 4, 2000)


def test_shared_dictionaries_of_many_batches(quiet):
    """Entries of any address, read once for all batches; a batch with another dictionary in between."""
    entries = pa.array(["10.0.0.1", "2001:db8::1", "-", "x", None, "10.0.0.2"])
    other = pa.array(["192.0.2.1", "10.0.0.1"])
    batches, wanted = [], []
    for i in range(60):
        codes = [(i + j) % len(entries) for j in range(40)] if i % 7 else [i % 2, None, 1]
        dictionary = entries if i % 7 else other
        array = pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), dictionary)
        batches.append(pa.record_batch([array, pa.array([1] * len(codes))], ["srcaddr", "bytes"]))
        wanted += [v for v in array.to_pylist() if v != "x"]
    reader = pa.RecordBatchReader.from_batches(batches[0].schema, batches)
    rows = vf.scan(reader).select("srcaddr").collect()
    assert sorted(map(str, rows["srcaddr"])) == sorted("None" if v in (None, "-") else v for v in wanted)
    assert rows.report.rejects_by_reason == {"not-an-address": sum(b.column(0).to_pylist().count("x") for b in batches)}


# -- statistics


def footer_changed(data, changes):
    """A Parquet file with other bytes in its footer, of the same length."""
    size = struct.unpack("<I", data[-8:-4])[0]
    footer = data[-8 - size : -8]
    for old, new in changes:
        assert len(old) == len(new)
        footer = footer.replace(old, new)
    return data[: -8 - size] + footer + data[-8:]


def read_columns(monkeypatch):
    """What is read of each piece."""
    seen = []
    own = pieces_of.batches

    def batches(source, metadata, groups, columns):
        seen.append((groups, columns))
        return own(source, metadata, groups, columns)

    monkeypatch.setattr(pieces_of, "batches", batches)
    return seen


def hours(n=4, each=1000):
    """Hours of records in row groups of one each."""
    rows = [{"srcaddr": f"10.0.{i // each}.{i % 250}", "dstport": 1000 + i % 7, "bytes": i, "log_status": "OK",
             "start": 1_760_000_400 + 3600 * (i // each) + i % each} for i in range(n * each)]  # fmt: skip
    return pa.Table.from_pylist(rows)


def test_row_groups_that_cannot_match_are_read_for_the_filter_alone(small_pieces, monkeypatch):
    data = packed(hours(), row_group_size=1000)
    for condition, wanted in (
        ("start >= 1760004000 and start < 1760007000", 1),
        ("start > 1760014999", 0),
        ("srcaddr in '10.0.2.0/24'", 2),
        ("srcaddr = 10.0.3.7 or srcaddr = 10.0.3.9", 3),
    ):
        with monkeypatch.context() as patch:
            seen = read_columns(patch)
            result = vf.scan(data).filter(condition).agg(b=vf.sum("bytes"), n=vf.count()).collect()
        report = result.report
        assert (report.records, report.ok, report.lines) == (4000, 4000, 4000)
        assert report.matched == result["n"][0]
        whole = [groups.start for groups, columns in seen if "bytes" in columns]
        assert whole == ([wanted] if result["n"][0] else [])
        assert len(seen) == 4
    milliseconds = hours().set_column(4, "start", pa.array([s.as_py() * 1000 for s in hours()["start"]]))
    stamps = hours().set_column(4, "start", hours()["start"].cast(pa.timestamp("s")).cast(pa.timestamp("us", "UTC")))
    for t in (hours(), milliseconds, stamps):
        flows = vf.scan(packed(t, row_group_size=1000)).filter("start >= 1760004000 and start < 1760007600")
        assert flows.agg(b=vf.sum("bytes"), n=vf.count()).collect().rows() == [{"b": 1499500, "n": 1000}]


def test_a_query_that_no_row_group_can_match(small_pieces):
    """Its fields are those of the file all the same."""
    flows = vf.scan(packed(hours(), row_group_size=1000)).filter("start < 1000")
    for result in (
        flows.group_by("srcaddr").agg(b=vf.sum("bytes")).collect(),
        flows.select("dstport", "bytes").collect(),
    ):
        assert (len(result), result.report.records, result.report.matched) == (0, 4000, 0)
    with pytest.raises(vf.VpcflowError, match="packets"):
        flows.agg(p=vf.sum("packets")).collect()


TIMES = st.sampled_from([1_760_000_000, 1_760_000_059, 1_760_003_600, 1_760_003_600_123, 2**31, 2**31 + 1, 70_000])
ADDRESSES = st.sampled_from(["10.0.0.1", "10.0.0.10", "10.0.1.1", "9.9.9.9", " 10.0.0.1", "2001:db8::1", "-", ""])
ROWS = st.lists(
    st.fixed_dictionaries({
        "srcaddr": st.none() | ADDRESSES, "dstport": st.none() | st.integers(300, 65535), "start": st.none() | TIMES,
        "action": st.sampled_from(["ACCEPT", "REJECT", "accept", None]), "bytes": st.none() | st.integers(2**40, 2**62),
    }), min_size=1, max_size=12)  # fmt: skip
CONDITIONS = st.sampled_from([
    "start >= 1760000000 and start < 1760003600", "start < 1760000059", "start > 1760003599 and dstport > 5",
    "dstport = 443", "dstport between 10 and 2000 and bytes > 2000000000000", "dstport in (444, 443)", "not dstport = 443",
    "srcaddr = 10.0.0.1", "srcaddr in '10.0.0.0/16'", "srcaddr in ('9.9.9.9', '2001:db8::/32')", "action = 'REJECT'",
    "start < 100000 or start > 1760000100", "(dstport < 900 or bytes > 5000000000000) and srcaddr in '10.0.0.0/8'", "dstport is null",
    "srcaddr != 10.0.0.1", "bytes & 1 = 1 and bytes > 7",
])  # fmt: skip
LIE = st.integers(-(2**63), 2**63 - 1)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ROWS, min_size=1, max_size=4), CONDITIONS, LIE, LIE, st.booleans())
def test_statistics_lose_no_record(groups, condition, low, high, plain):
    """Also those that lie: of each number and text the least and the greatest value are others than the file says."""
    schema = pa.schema(
        {"srcaddr": pa.string(), "dstport": pa.int32(), "start": pa.int64(), "action": pa.string(), "bytes": pa.int64()}
    )
    out = io.BytesIO()
    with parquet.ParquetWriter(out, schema, use_dictionary=not plain) as writer:
        for rows in groups:
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    honest = out.getvalue()
    changes = []
    for rows in groups:
        for name, code in (("dstport", "<i"), ("start", "<q"), ("bytes", "<q")):
            values = [row[name] for row in rows if row[name] is not None]
            for value, lie in ((max(values), high), (min(values), low)) if values else ():
                size = struct.calcsize(code) * 8
                wrapped = (lie + 2 ** (size - 1)) % 2**size - 2 ** (size - 1)
                changes.append((struct.pack(code, value), struct.pack(code, wrapped)))
        texts = [row["srcaddr"] for row in rows if row["srcaddr"]]
        changes += [(value.encode(), b"~" * len(value)) for value in set(texts) if len(value) > 4]
    lying = footer_changed(honest, changes)
    every = [row for rows in groups for row in rows]
    wanted = _told(pa.Table.from_pylist(every, schema=schema), condition)
    before = pieces_of._PIECE_ROWS
    pieces_of._PIECE_ROWS = 1
    try:
        assert _told(honest, condition) == wanted
        with contextlib.suppress(vf.SourceError):  # bytes of something else may have been changed, too
            assert _told(lying, condition) == wanted
    finally:
        pieces_of._PIECE_ROWS = before


def _told(data, condition):
    """The rows that pass and what was counted; in memory there are no statistics."""
    flows = vf.scan(data, threads=2, allow_empty=True)
    result = flows.filter(condition).select("srcaddr", "dstport", "start", "action", "bytes").collect()
    report = result.report
    return (
        sorted(map(str, result.rows())),
        (report.records, report.matched, report.rejected, report.lines),
        report.rejects_by_reason,
    )


def test_trusted_statistics_leave_the_filter_unread(small_pieces, monkeypatch):
    data = packed(hours(), row_group_size=1000)
    for options, read in (({}, {"log_status"}), ({"end": 1_760_004_000}, {"log_status", "start"})):
        flows = vf.scan(data, trust_statistics=True, **options)
        with monkeypatch.context() as patch:
            seen = read_columns(patch)
            result = flows.filter("start < 1760000500 and dstport > 5").agg(n=vf.count()).collect()
        wanted = vf.scan(data).filter("start < 1760000500 and dstport > 5").agg(n=vf.count()).collect()
        assert result.rows() == wanted.rows()
        assert (result.report.records, result.report.matched) == (4000, wanted.report.matched)
        # One piece is cut by the filter, and its columns are read; threads read the pieces in any order.
        assert sorted((set(columns) for _, columns in seen), key=len)[:3] == [read] * 3
        assert len(seen) == 4


def test_the_command_line_trusts_statistics_if_asked(tmp_path, small_pieces):
    (tmp_path / "x.parquet").write_bytes(packed(hours(), row_group_size=1000))
    command = ["top", tmp_path / "x.parquet", "--by", "srcaddr", "--where", "dstport = 1003", "--json"]
    assert run_cli(*command, "--trust-statistics", check=0).stdout == run_cli(*command, check=0).stdout


# -- OCSF


def ocsf_events():
    """Events of all kinds of records; from some on with a map of own names, the action and the start elsewhere."""
    out = []
    for i, line in enumerate(LINES[:3000]):
        event = _ocsf(line)
        event["unmapped"] = [("sublocation_id", f"op-{i % 3}"), ("bytes", "7")] if i % 5 == 0 and i > 1000 else None
        if i % 11 == 0:
            event["src_endpoint"]["ip"] = None
        out.append(event)
    return out


@pytest.mark.parametrize("threads", [1, 3])
def test_ocsf_by_row_groups_and_batches(threads, small_pieces, monkeypatch):
    from vpcflow.io import tables

    monkeypatch.setattr(tables, "_PIECE_ROWS", 500)
    events = ocsf_events()
    schema = pa.Table.from_pylist([{k: v for k, v in e.items() if k != "unmapped"} for e in events]).schema
    nested = pa.Table.from_pylist(events, schema=schema.append(pa.field("unmapped", pa.map_(pa.string(), pa.string()))))
    lines = [json.dumps({**e, "unmapped": dict(e["unmapped"] or {})}) + "\n" for e in events]

    def told_of(data):
        flows = vf.scan(data, threads=threads, allow_missing=True)
        names = [*ATHENA, "sublocation_id", "vpc_id", "flow_direction"]
        rows = flows.select(*names).sort("start", "srcaddr", "srcport", "dstaddr", "bytes").collect()
        return told([*vf.collect_all(questions(flows)), rows])

    wanted = told_of("".join(lines).encode())
    for data in (
        nested,
        pa.concat_tables([nested.slice(0, 700), nested.slice(700)]),
        packed(nested, row_group_size=130),
        packed(nested, row_group_size=10**6),
        packed(nested, row_group_size=400, use_dictionary=False),
        packed(nested, row_group_size=400, dictionary_pagesize_limit=64, data_page_size=256),
    ):
        results, counts, rejects = told_of(data)
        assert (results, counts[:-1], rejects) == (wanted[0], wanted[1][:-1], wanted[2])


def test_of_ocsf_the_members_that_a_query_needs_are_read(small_pieces, monkeypatch):
    nested = pa.Table.from_pylist([_ocsf(line) for line in LINES[:2000]])
    data = packed(nested, row_group_size=500)
    with monkeypatch.context() as patch:
        seen = read_columns(patch)
        vf.scan(data).group_by("srcaddr").agg(b=vf.sum("bytes")).collect()
    assert "src_endpoint.ip" in seen[0][1]
    assert "traffic.bytes" in seen[0][1]
    assert not [path for path in seen[0][1] if path.startswith(("dst_endpoint", "connection_info", "metadata"))]
    starts = sorted(vf.scan(nested).select("start").collect()["start"])
    for condition in (f"start < {starts[0] + 1}", f"start > {starts[-1]}", "dstport = 443 and srcport = 70"):
        assert _told(data, condition)[:2] == _told(nested, condition)[:2]
