"""Coverage: interface by minute."""

import json

import pytest

import vpcflow as vf
from conftest import HEADER, line, run_cli


def slow(data):
    """The obvious way, from typed records: minute -> state, then runs; windows of 60 s."""
    rank = {"NODATA": 1, "OK": 2, "SKIPDATA": 3}
    seen = {}
    for row in vf.scan(data).collect():
        last = max(row["start"], row["end"] - 1)
        for minute in range(row["start"] // 60, last // 60 + 1):
            key = (row["interface_id"], minute)
            seen[key] = max(seen.get(key, "NODATA"), row["log_status"], key=rank.get)
    minutes = range(min(m for _, m in seen), max(m for _, m in seen) + 1)
    return {
        (interface, minute): seen.get((interface, minute), "absent")
        for interface in {i for i, _ in seen}
        for minute in minutes
    }


def test_against_the_obvious_way():
    data = vf.synth(20_000, seed=9, window=60, interfaces=40, nodata_share=0.2, skipdata_share=0.02, hours=1).data
    wanted = slow(data)
    got = {}
    for threads in (1, 2):
        for row in vf.scan(data, threads=threads).coverage():
            assert row["minutes"] * 60 == row["end"] - row["start"]
            got.update({(row["interface_id"], m): row["seen"] for m in range(row["start"] // 60, row["end"] // 60)})
        assert got == wanted
    assert set(wanted.values()) == {"OK", "NODATA", "SKIPDATA", "absent"}


def test_filters_formats_and_errors():
    log = HEADER + line(start=60, end=120) + line(start=600, end=660, action="REJECT")
    assert [r["seen"] for r in vf.scan(log).coverage()] == ["OK", "absent", "OK"]
    assert [r["seen"] for r in vf.scan(log).filter("action = 'REJECT'").coverage()] == ["OK"]
    with pytest.raises(vf.FilterError):
        vf.scan(log).filter("nonsense ==").coverage()
    with pytest.raises(vf.PlanError, match="coverage comes before group_by"):
        vf.scan(log).group_by("srcaddr").agg().coverage()
    assert vf.scan(b"", allow_empty=True).coverage().rows() == []


def test_the_command():
    log = HEADER + line(start=60, end=120) + line(start=600, end=660)
    (row,) = map(json.loads, run_cli("coverage", "-", "--json", stdin=log, check=0).stdout.splitlines())
    wanted = {"minutes": 10, "ok": 2, "absent": 8, "nodata": 0, "skipdata": 0, "gaps": 1, "longest_gap": 8, "start": 60}
    assert row == {"interface_id": "eni-1", "covered_percent": 20.0, **wanted, "end": 660}
    done = run_cli("coverage", "-", "--minutes", "--json", stdin=log, check=0)
    rows = [json.loads(row) for row in done.stdout.splitlines()]
    assert [(row["seen"], row["minutes"]) for row in rows] == [("OK", 1), ("absent", 8), ("OK", 1)]
    gaps = run_cli("coverage", "-", "--gaps", stdin=log, check=0).stdout
    assert b"absent" in gaps
    assert b"OK" not in gaps


def test_of_parquet_and_arrow(tmp_path):
    pa = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    data = vf.synth(5_000, seed=9, window=60, interfaces=20, nodata_share=0.2, skipdata_share=0.02, hours=1).data
    wanted = vf.scan(data).coverage().rows()
    table = pa.table(vf.scan(data).collect())
    assert vf.scan(table).coverage().rows() == wanted
    parquet.write_table(table, tmp_path / "a.parquet")
    result = vf.scan(tmp_path).coverage()
    assert result.rows() == wanted
    assert result.report.records == 5_000
    log = b"tgw-attachment-id start end\ntgw-1 60 120\n"
    parquet.write_table(pa.table(vf.scan(log).collect()), tmp_path / "a.parquet")
    assert [row["interface_id"] for row in vf.scan(tmp_path).coverage()] == ["tgw-1"]
