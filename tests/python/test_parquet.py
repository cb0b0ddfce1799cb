"""Parquet as AWS writes it: texts with a literal `-`, numbers with nulls, names with underscores or hyphens."""

import contextlib
import io
import json

import pytest

pa = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402

import vpcflow as vf  # noqa: E402
from conftest import run_cli  # noqa: E402
from containers import ATHENA, CAMEL, DEFAULT, NUMBERS  # noqa: E402
from test_containers import FIELDS, LINES, RECORDS, WANTED, WRITTEN, rows  # noqa: E402


def table(lines, names=ATHENA, floats=False):
    """Types of the Athena guide: int32 for version, ports, protocol; int64 for counts and times; text for the rest."""
    columns = list(zip(*(line.split() for line in lines)))
    arrays = []
    for aws, values in zip(DEFAULT, columns):
        if aws in NUMBERS:
            wide = aws in ("packets", "bytes", "start", "end")
            kind = pa.float64() if floats else pa.int64() if wide else pa.int32()
            arrays.append(pa.array([None if v == "-" else int(v) for v in values], kind))
        else:
            arrays.append(pa.array(values, pa.string()))
    return pa.table(arrays, names=list(names))


def packed(t, **options):
    out = io.BytesIO()
    parquet.write_table(t, out, compression="gzip", **options)
    return out.getvalue()


@pytest.mark.parametrize("names", [ATHENA, DEFAULT, CAMEL])
@pytest.mark.parametrize("floats", [False, True])
def test_the_same_records(names, floats, tmp_path):
    data = packed(table(LINES, names, floats), row_group_size=3000)
    (tmp_path / "flows.log.parquet").write_bytes(data)
    for source in (data, tmp_path / "flows.log.parquet", tmp_path, [str(tmp_path / "flows.log.parquet")]):
        got, report = rows(source)
        assert got == WANTED
        assert (report.records, report.rejected, report.sources) == (RECORDS, 0, 1)


def test_parquet_and_text_in_one_scan(tmp_path):
    half = RECORDS // 2
    text = WRITTEN["text without header"].splitlines(keepends=True)
    (tmp_path / "a.log").write_bytes(b"".join(text[:half]))
    (tmp_path / "b.parquet").write_bytes(packed(table(LINES[half : half + 2000])))
    (tmp_path / "c.parquet").write_bytes(packed(table(LINES[half + 2000 :], DEFAULT)))
    got, report = rows(tmp_path)
    assert got == WANTED
    assert report.sources == 3
    by = {"bytes": vf.sum("bytes"), "n": vf.n_unique("dstaddr")}
    wanted = vf.scan(WRITTEN["text"]).group_by("srcaddr").agg(**by).collect().rows()
    assert vf.scan(tmp_path).group_by("srcaddr").agg(**by).collect().rows() == wanted
    summary = json.loads(run_cli("summary", tmp_path, "--json", check=0).stdout)
    assert (summary["records"], summary["files"]) == (RECORDS, 3)
    assert run_cli("top", tmp_path, "--by", "srcaddr", "--agg", "bytes=sum(bytes)", "--json", check=0).stdout


def test_only_the_columns_named_are_read():
    data = table(LINES[:10])
    broken = data.set_column(0, "version", pa.array([[1]] * 10))  # a type that no field has
    result = vf.scan(packed(broken)).agg(bytes=vf.sum("bytes")).collect()
    assert result.rows() == vf.scan(data).agg(bytes=vf.sum("bytes")).collect().rows()
    with pytest.raises(vf.VpcflowError, match="version"):
        vf.scan(packed(broken)).agg(v=vf.max("version")).collect()


def test_the_format_of_a_table_is_all_of_its_columns():
    data = packed(table(LINES))
    columns = {}
    for kind, source in (("parquet", data), ("arrow", table(LINES)), ("text", "\n".join(LINES).encode())):
        (format,) = vf.scan(source, format="default").group_by("srcaddr").agg(n=vf.count()).collect().report.formats
        columns[kind] = format.replace("${", "").replace("}", "").split()
    assert columns["parquet"] == columns["arrow"] == columns["text"] == DEFAULT


def test_bad_values_and_bad_files(quiet, tmp_path):
    data = table(LINES[:100])
    data = data.set_column(6, "dstport", pa.array([70_000] + [22] * 99, pa.int32()))
    (tmp_path / "bad.parquet").write_bytes(packed(data))
    report = vf.scan(tmp_path).select("srcaddr", "dstport").collect().report
    assert (report.records, report.rejects_by_reason) == (99, {"out-of-range": 1})
    assert report.rejects[0]["file"].endswith("bad.parquet")
    whole = packed(table(LINES[:100]))
    for hurt in (whole[: len(whole) // 2], b"PAR1", whole[:-4] + b"PAR2"):
        with pytest.raises(vf.SourceError, match="Parquet"):
            vf.scan(hurt).collect()
    flipped = bytearray(whole)
    for at in range(4, len(whole), max(1, len(whole) // 100)):
        flipped[at] ^= 0xFF
        with contextlib.suppress(vf.VpcflowError):
            assert vf.scan(bytes(flipped)).collect().report.records <= 100
        flipped[at] ^= 0xFF


def test_two_columns_of_one_field():
    """The first one, or AWS's own name; the warning says which."""
    for names, said in (
        (["srcaddr", "bytes", "bytes"], "two columns are named 'bytes'"),
        (["srcaddr", "bytes", "numbytes"], "'bytes' is read"),
    ):
        both = pa.Table.from_arrays([pa.array(["10.0.0.1"]), pa.array([5]), pa.array([6])], names=names)
        for data in (packed(both), both):
            with pytest.warns(vf.DataQualityWarning, match=said):
                assert vf.scan(data).agg(bytes=vf.sum("bytes")).collect()["bytes"] == [5]


def test_ocsf_with_odd_values(quiet):
    """As with JSON: fractions are rejects, what is no single value is its JSON."""
    events = [
        {"class_uid": 4001, "src_endpoint": {"ip": "10.0.0.1", "port": port, "zone": zone}, "dst_endpoint": {"ip": ip},
         "traffic": {"bytes": size}}
        for port, zone, ip, size in ((22.0, [1], "10.0.0.2", 5.0), (1.5, [], "10.0.0.2", 5.0), (None, None, "x", 1e300))
    ]  # fmt: skip
    of_json = vf.scan("".join(json.dumps(event) + "\n" for event in events).encode())
    of_parquet = vf.scan(packed(pa.Table.from_pylist(events)))
    for flows in (of_json, of_parquet):
        result = (
            flows.select("srcaddr", "srcport", "az-id", "bytes")._with(check_all=True, allow_missing=True).collect()
        )
        assert result.rows() == [{"srcaddr": "10.0.0.1", "srcport": 22, "az_id": "[1]", "bytes": 5}]
        assert result.report.rejected == 2


def test_convert_there_and_back(tmp_path):
    (tmp_path / "a.log").write_bytes(WRITTEN["text"])
    run_cli("convert", tmp_path / "a.log", "-o", tmp_path / "b.parquet", check=0)
    assert rows(tmp_path / "b.parquet")[0] == WANTED
    run_cli("convert", tmp_path / "b.parquet", "-o", tmp_path / "c.csv", check=0)
    assert rows(tmp_path / "c.csv")[0] == WANTED
    run_cli("convert", tmp_path / "c.csv", "-o", tmp_path / "d.jsonl", check=0)
    assert rows(tmp_path / "d.jsonl")[0] == WANTED
    assert vf.scan(tmp_path / "d.jsonl").columns == FIELDS


def test_ocsf_as_security_lake_has_it():
    """Nested columns; the same events as JSON lines and as Parquet give the same records."""
    from containers import _ocsf

    events = [_ocsf(text) for text in LINES[:2000]]
    events[0]["connection_info"].update(direction="Inbound", boundary_id=11, tcp_flags=2)
    events[0]["src_endpoint"]["intermediate_ips"] = ["192.0.2.1"]
    events[1]["src_endpoint"]["intermediate_ips"] = []
    nested = pa.Table.from_pylist(events)
    got = vf.scan(packed(nested, row_group_size=300)).collect()
    wanted = vf.scan("".join(json.dumps(event) + "\n" for event in events).encode()).collect()
    # Columns that the file lacks are not there; of JSON they are, and null.
    assert [{**dict.fromkeys(wanted.columns), **row} for row in got.rows()] == wanted.rows()
    assert got.rows()[0]["traffic_path"] == 8
    assert (got.rows()[0]["srcaddr"], got.rows()[0]["flow_direction"]) == ("192.0.2.1", "ingress")
    by = vf.scan(packed(nested)).group_by("srcaddr").agg(n=vf.count()).collect()
    assert sum(by["n"]) == sum(1 for text in LINES[:2000] if text.endswith("OK"))


def test_the_same_file_twice_is_read_once(tmp_path):
    data = packed(table(LINES[:100]))
    for name in ("a.parquet", "b.parquet"):
        (tmp_path / name).write_bytes(data)
    with pytest.warns(vf.DataQualityWarning, match="b.parquet has the same bytes as .*a.parquet: read once"):
        report = vf.scan(tmp_path).agg(n=vf.count()).collect().report
    assert (report.records, report.duplicates) == (100, 1)
    assert vf.scan(tmp_path, duplicates="all").agg(n=vf.count()).collect().report.records == 200
