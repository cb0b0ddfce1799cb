"""Logs kept for less: every record and value comes back, half results are none, and findings stay the same."""

import collections
import gzip
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vpcflow as vf
from conftest import HEADER, LONG, line
from vpcflow import volume
from vpcflow.cli import main
from vpcflow.errors import NoRecordsError, OutputError, PlanError, SourceError

pytestmark = pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")


def records(data, **options):
    """The records of logs as a multiset; null is the same as a field that is not there."""
    rows = vf.scan(data, duplicates="all", **options).collect().rows()
    return collections.Counter(frozenset((k, v) for k, v in row.items() if v is not None) for row in rows)


def stored(folder):
    """The records of a lake as a multiset, as pyarrow alone reads them."""
    out = collections.Counter()
    for path in sorted(pathlib.Path(folder).rglob("*.parquet")):
        for row in pq.ParquetFile(path).read().to_pylist():
            out[frozenset((k, v) for k, v in row.items() if v is not None)] += 1
    return out


def rows_of(folder, kind):
    return [
        row
        for path in sorted(pathlib.Path(folder, ".vpcflow", "compacted").iterdir())
        for row in map(json.loads, path.read_text().splitlines())
        if row["kind"] == kind
    ]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    vf.synth(9000, seed=41, plant="beacon,brute_force,port_scan", hours=3, files=3, gzip=True, out=folder / "logs")
    return folder / "logs"


FORMS = ["default", "v3", "v4", "v5", "v7", "v8", "v11", "tgw"]


@pytest.mark.parametrize("form", FORMS if LONG else ["default", "v11", "tgw"])
def test_every_record_comes_back(form, tmp_path):
    vf.synth(600, seed=5, format=form, hours=2, ipv6_share=0.2, nodata_share=0.02, skipdata_share=0.02, files=2, out=tmp_path / "logs")
    before = records(tmp_path / "logs")
    done = volume.compact(vf.scan(tmp_path / "logs"), tmp_path / "lake")
    assert done.records == sum(before.values())
    assert records(tmp_path / "lake") == before == stored(tmp_path / "lake")
    found = volume.verify(tmp_path / "lake")
    assert (found.records, found.wrong) == (done.records, [])


@pytest.mark.parametrize("by", ["day", "hour"])
def test_files_are_sorted_within_the_hour_and_have_statistics_pages_and_the_format(by, planted, tmp_path):
    volume.compact(vf.scan(planted), tmp_path / "lake", by=by)
    assert all(("/hour=" in str(path)) == (by == "hour") for path in (tmp_path / "lake").rglob("*.parquet"))
    for path in (tmp_path / "lake").rglob("*.parquet"):
        file = pq.ParquetFile(path)
        hours = []
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, ["interface_id", "dstport", "srcaddr", "dstaddr", "start"]).to_pylist()
            keys = [tuple((v is None, v) for v in list(row.values())[:4]) for row in rows]
            assert keys == sorted(keys)
            (hour,) = {row["start"] // 3600 for row in rows}
            hours.append(hour)
            assert time.strftime("/year=%Y/month=%m/day=%d/", time.gmtime(hour * 3600)) in str(path)
            assert by == "day" or time.strftime("/hour=%H/", time.gmtime(hour * 3600)) in str(path)
        assert hours == sorted(set(hours))
        column = file.metadata.row_group(0).column(3)
        assert column.compression == "ZSTD"
        assert column.has_column_index
        assert column.has_offset_index
        assert column.statistics.has_min_max
        assert file.schema_arrow.metadata[b"vpcflow.format"].decode().split() == file.schema_arrow.names


@pytest.mark.parametrize(("layout", "by"), [("hive", "day"), ("hive", "hour"), ("plain", "day"), ("plain", "hour")])
def test_own_reader_finds_hours_accounts_and_regions(layout, by, tmp_path):
    log = tmp_path / "logs" / "AWSLogs" / "123456789010" / "vpcflowlogs" / "eu-west-1" / "2026" / "11" / "23"
    log.mkdir(parents=True)
    begin = 1795413600  # 06:00
    for hour in range(3):
        start = begin + hour * 3600
        body = HEADER + b"".join(line(start=start + n, end=start + n + 60) for n in range(10))
        (log / f"123456789010_vpcflowlogs_eu-west-1_fl-1_20261123T{6 + hour:02d}05Z_{hour}.log").write_bytes(body)
    volume.compact(vf.scan(tmp_path / "logs"), tmp_path / "lake", layout=layout, by=by)
    lake = tmp_path / "lake"
    some = vf.scan(lake, start=begin + 7200, end=begin + 10800)
    assert len(some._sources) <= 2
    assert some.count() == 10
    assert vf.scan(lake, account="123456789010", region="eu-west-1").count() == 30
    with pytest.raises(NoRecordsError):
        vf.scan(lake, region="eu-west-2").count()


def test_unknown_fields_dashes_quotes_and_two_formats_in_a_file(tmp_path):
    log = (
        b"srcaddr bytes start my-field\n10.0.0.1 1 100 a\n- - 101 -\n10.0.0.2 22 102 =cmd|1\n"
        b"srcaddr bytes start other tcp-flags\n2001:DB8::1 7 103 \xc3\xa9 2\n"
    )
    (tmp_path / "a.log").write_bytes(log)
    volume.compact(vf.scan(tmp_path / "a.log"), tmp_path / "lake")
    (row,) = rows_of(tmp_path / "lake", "source")
    assert set(row["format"].split()) == {"srcaddr", "bytes", "start", "my_field", "other", "tcp_flags"}
    assert stored(tmp_path / "lake") == collections.Counter(
        map(
            frozenset,
            [
                {("srcaddr", "10.0.0.1"), ("bytes", 1), ("start", 100), ("my_field", "a")},
                {("start", 101)},
                {("srcaddr", "10.0.0.2"), ("bytes", 22), ("start", 102), ("my_field", "=cmd|1")},
                {("srcaddr", "2001:db8::1"), ("bytes", 7), ("start", 103), ("other", "\u00e9"), ("tcp_flags", 2)},
            ],
        )
    )
    assert volume.verify(tmp_path / "lake").wrong == []


addresses = st.sampled_from(["10.0.0.1", "2001:db8::5", "-", "192.0.2.7"])
numbers = st.one_of(st.integers(0, 2**40).map(str), st.just("-"))
texts = st.one_of(st.text("abz/.:=,\"'+\u00fc", min_size=1, max_size=6), st.just("-"))
times = st.one_of(st.integers(1795413000, 1795430000).map(str), st.just("-"))


@settings(max_examples=100 if LONG else 8)
@given(st.lists(st.tuples(addresses, numbers, times, times, texts, texts), min_size=1, max_size=40), st.integers(1, 9))
def test_any_record_comes_back_and_any_change_is_found(tmp_path_factory, lines, rows):
    folder = tmp_path_factory.mktemp("any")
    body = "".join(" ".join(one) + "\n" for one in lines)
    log = f"srcaddr bytes start end action x-y\n{body}".encode()
    (folder / "a.log").write_bytes(log)
    before = records(log)
    done = volume.compact(vf.scan(folder / "a.log"), folder / "lake", max_memory=rows * 400)
    assert stored(folder / "lake") == before
    assert volume.verify(folder / "lake").wrong == []
    place = pathlib.Path(done.folder, done.objects[0]["path"])
    table = pq.read_table(place, partitioning=None)
    pq.write_table(table.slice(1), place)
    assert [verdict.verdict for verdict in volume.verify(folder / "lake").wrong] == ["changed"]


def test_memory_is_bounded_by_putting_hours_aside(tmp_path, monkeypatch):
    from vpcflow.volume import objects

    monkeypatch.setattr(objects, "_LEAST_ROWS", 50)
    hours = [line(src=f"10.0.{n % 7}.{n}", start=3600 * (n * 37 % 24) + n, end=3600 * (n * 37 % 24) + n + 60) for n in range(250)]
    (tmp_path / "a.log").write_bytes(HEADER + b"".join(hours))
    done = volume.compact(vf.scan(tmp_path / "a.log"), tmp_path / "lake", by="hour", max_memory=50 * 400)
    assert {row["records"] for row in done.objects} <= set(range(1, 51))
    assert records(tmp_path / "lake") == records(tmp_path / "a.log")
    assert not list((tmp_path / "lake" / ".vpcflow").glob("s*"))


def test_rejected_lines_are_kept_as_they_are(tmp_path):
    bad = [b"10.0.0.1 x 100", b"nonsense", b"10.0.0.300 1 1 \xff"]
    with gzip.open(tmp_path / "a.log.gz", "wb") as file:
        file.write(b"srcaddr bytes start\n10.0.0.1 1 100\n" + b"\n".join(bad) + b"\n10.0.0.1 2 100\n")
    done = volume.compact(vf.scan(tmp_path / "a.log.gz"), tmp_path / "lake")
    assert (done.records, done.rejected) == (2, 3)
    (row,) = rows_of(tmp_path / "lake", "source")
    assert row["rejects_kept"]["what"] == "lines"
    kept = tmp_path / "lake" / row["rejects_kept"]["path"]
    assert gzip.decompress(kept.read_bytes()).splitlines() == bad
    assert vf.scan(tmp_path / "lake").count() == 2  # they are no logs
    kept.unlink()
    assert [verdict.verdict for verdict in volume.verify(tmp_path / "lake").wrong] == ["missing"]


def test_where_rejects_cannot_be_told_apart_the_source_is_kept(tmp_path):
    many = b"srcaddr bytes\n10.0.0.1 1\n" + b"10.0.0.1 x\n" * 3000
    (tmp_path / "a.log").write_bytes(many)
    volume.compact(vf.scan(tmp_path / "a.log"), tmp_path / "lake")
    (row,) = rows_of(tmp_path / "lake", "source")
    assert row["rejects_kept"]["what"] == "source"
    assert (tmp_path / "lake" / row["rejects_kept"]["path"]).read_bytes() == many
    done = volume.compact(vf.scan(many), tmp_path / "of-bytes")
    assert done.sources[0]["rejects_kept"]["what"] == "excerpts"


def test_a_second_run_adds_what_is_new_and_refuses_what_changed(planted, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    files = sorted(planted.glob("*.gz"))
    for file in files[:2]:
        (logs / file.name).write_bytes(file.read_bytes())
    assert len(volume.compact(vf.scan(logs), tmp_path / "lake").sources) == 2
    (logs / files[2].name).write_bytes(files[2].read_bytes())
    (logs / "copy.gz").write_bytes(files[2].read_bytes())
    done = volume.compact(vf.scan(logs), tmp_path / "lake")
    assert [bool(row["copy_of"]) for row in done.sources] in ([False, True], [True, False])
    assert len(done.known) == 2
    assert records(tmp_path / "lake") == records(planted)
    assert volume.verify(tmp_path / "lake").wrong == []
    (logs / files[0].name).write_bytes(gzip.compress(HEADER + line()))
    with pytest.raises(SourceError, match="changed since it was compacted"):
        volume.compact(vf.scan(logs), tmp_path / "lake")


def test_sources_are_deleted_by_a_second_command_after_everything_is_read_back(planted, tmp_path, capsys):
    logs = tmp_path / "logs"
    logs.mkdir()
    for file in planted.glob("*.gz"):
        (logs / file.name).write_bytes(file.read_bytes())
    before = records(logs)
    assert main(["compact", str(logs), "-o", str(tmp_path / "lake")]) == 0
    assert len(list(logs.iterdir())) == 3
    changed = sorted(logs.iterdir())[0]
    content = changed.read_bytes()
    changed.write_bytes(content + b"\n")
    place = next((tmp_path / "lake").rglob("*.parquet"))
    whole = place.read_bytes()
    place.write_bytes(whole[:-9] + b"X" + whole[-8:])
    assert main(["compact", "--verify", str(tmp_path / "lake")]) == 1
    assert main(["compact", "--delete-sources", str(tmp_path / "lake")]) == 2
    assert "nothing deleted" in capsys.readouterr().err
    assert len(list(logs.iterdir())) == 3
    place.write_bytes(whole)
    assert main(["compact", "--delete-sources", str(tmp_path / "lake")]) == 0
    assert "its bytes are not those that were compacted" in capsys.readouterr().err
    assert list(logs.iterdir()) == [changed]
    assert records(tmp_path / "lake") == before


def test_sources_whose_milliseconds_are_cut_are_kept(tmp_path, capsys):
    (tmp_path / "a.log").write_bytes(HEADER + line(start=1795413600123, end=1795413660000))
    (tmp_path / "b.log").write_bytes(HEADER + line(start=1795413600000, end=1795413660000))
    assert main(["compact", str(tmp_path / "a.log"), str(tmp_path / "b.log"), "-o", str(tmp_path / "lake")]) == 0
    assert "1 source with milliseconds of start and end, not kept" in capsys.readouterr().err
    deleted, stays = volume.delete_sources(tmp_path / "lake")
    assert deleted == [str(tmp_path / "b.log")]
    assert "milliseconds" in stays[0].detail


def test_containers_with_more_than_records_are_kept(tmp_path):
    """Of what stands around records the folder has nothing; tables and lines of fields alone are all there."""
    logs = tmp_path / "logs"
    logs.mkdir()
    row = {"srcaddr": "10.0.0.1", "dstaddr": "10.0.0.2", "start": 1795413600, "end": 1795413660, "bytes": 4}
    (logs / "a.log").write_bytes(HEADER + line())
    (logs / "b.csv").write_text(",".join([*row, "note"]) + "\n" + ",".join([*map(str, row.values()), "mine"]) + "\n")
    (logs / "c.json").write_text(json.dumps({"logEvents": [{"message": line().decode().strip(), "id": "7", "timestamp": 5}]}))
    (logs / "d.log").write_bytes(b"2026-11-23T00:00:00.123Z " + line(size=41))
    pq.write_table(pa.Table.from_pylist([row]), logs / "e.parquet")
    pq.write_table(pa.Table.from_pylist([{**row, "bytes": 5, "note": "mine"}]), logs / "f.parquet")
    pq.write_table(pa.Table.from_pylist([{**row, "start": 1795413600123, "end": 1795413600999}]), logs / "g.parquet")
    volume.compact(vf.scan(logs), tmp_path / "lake")
    deleted, stays = volume.delete_sources(tmp_path / "lake")
    assert sorted(pathlib.Path(name).name for name in deleted) == ["a.log", "e.parquet"]
    assert len(stays) == 5


def test_damaged_sources_are_kept_and_said(planted, tmp_path, capsys):
    whole = next(planted.glob("*.gz")).read_bytes()
    (tmp_path / "cut.log.gz").write_bytes(whole[: len(whole) // 2])
    assert main(["compact", str(tmp_path / "cut.log.gz"), "-o", str(tmp_path / "lake")]) == 2
    assert "error:" in capsys.readouterr().err
    assert vf.scan(tmp_path / "lake").count() > 100
    assert main(["compact", "--delete-sources", str(tmp_path / "lake")]) == 0
    assert "could not be read to its end" in capsys.readouterr().err
    assert (tmp_path / "cut.log.gz").exists()


@pytest.mark.parametrize("name", ["a b.log", "-o.log", "%2e%2e%2f.log", "\u65e5\u672c.log", "a\nb.log", "$(x).log"])
def test_names_of_files_are_only_names(name, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / name).write_bytes(HEADER.replace(b"interface-id", b"region") + line().replace(b"eni-1", b"../../../x") + b"bad\n")
    volume.compact(vf.scan(tmp_path / "logs"), tmp_path / "lake")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lake", "logs"]
    assert volume.verify(tmp_path / "lake").wrong == []
    deleted, _ = volume.delete_sources(tmp_path / "lake")
    assert deleted == [str(tmp_path / "logs" / name)]


def test_a_manifest_from_elsewhere_leads_nowhere(tmp_path):
    (tmp_path / "a.log").write_bytes(HEADER + line())
    volume.compact(vf.scan(tmp_path / "a.log"), tmp_path / "lake")
    (manifest,) = (tmp_path / "lake" / ".vpcflow" / "compacted").iterdir()
    for path in ("../a.log", "/etc/passwd"):
        rows = [json.loads(text) for text in manifest.read_text().splitlines()]
        rows[1]["path"] = path
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        with pytest.raises(SourceError, match="outside of the folder"):
            volume.verify(tmp_path / "lake")
    manifest.write_text("{}\n")
    with pytest.raises(SourceError, match="not readable as a manifest"):
        volume.verify(tmp_path / "lake")


def test_what_is_not_all_of_the_logs_is_refused(planted, tmp_path):
    for flows in (
        vf.scan(planted).filter("dstport = 22"), vf.scan(planted).select("srcaddr"), vf.scan(planted).limit(5),
        vf.scan(planted, start=0), vf.scan(planted, on_error="null"), vf.scan(planted).group_by("srcaddr").agg(),
    ):  # fmt: skip
        with pytest.raises(PlanError):
            volume.compact(flows, tmp_path / "lake")
    with pytest.raises(PlanError, match="hive"):
        volume.compact(vf.scan(planted), tmp_path / "lake", layout="hiev")
    with pytest.raises(PlanError, match="by='week'"):
        volume.compact(vf.scan(planted), tmp_path / "lake", by="week")
    with pytest.raises(PlanError, match="read twice"):
        volume.compact(vf.scan(planted), planted / "lake")
    with pytest.raises(NoRecordsError):
        volume.compact(vf.scan(HEADER), tmp_path / "lake")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="folder is needed"):
        volume.compact(vf.scan(planted), tmp_path / "file")
    assert not (tmp_path / "lake").exists()


def test_an_interrupted_run_leaves_nothing_or_is_completed(planted, tmp_path, monkeypatch):
    from vpcflow.volume import lake, objects

    lines = tmp_path / "lake"

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(objects, "in_order", full)
        with pytest.raises(OutputError, match="No space left"):
            volume.compact(vf.scan(planted), lines)
    assert not lines.exists()

    moved = []

    def cut(source, target):
        if target.endswith(".parquet"):
            moved.append(target)
            if len(moved) == 3:
                raise KeyboardInterrupt
        rename(source, target)

    rename = os.replace
    with monkeypatch.context() as patch:
        patch.setattr(lake.os, "replace", cut)
        patch.setattr(lake.shutil, "rmtree", lambda *_, **__: None)  # as if the machine had stopped
        with pytest.raises(KeyboardInterrupt):
            volume.compact(vf.scan(planted), lines)
    assert 0 < vf.scan(lines).count() < 9000
    assert volume.verify(lines).wrong == []  # completes it
    assert records(lines) == records(planted)
    assert len(volume.compact(vf.scan(planted), lines).known) == 3


def test_ctrl_c_leaves_nothing(tmp_path):
    vf.synth(300_000, seed=3, files=8, out=tmp_path / "logs")
    command = [sys.executable, "-m", "vpcflow", "compact", str(tmp_path / "logs"), "-o", str(tmp_path / "lake")]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 20
        while not list(tmp_path.glob("lake/.vpcflow/staging")) and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130, process.stderr.read()
    assert not (tmp_path / "lake").exists()


def test_two_runs_do_not_mix(planted, tmp_path):
    from vpcflow.volume.lake import Lake

    with Lake(tmp_path / "lake").locked(), pytest.raises(OutputError, match="another"):
        volume.compact(vf.scan(planted), tmp_path / "lake")


def test_commands_say_what_they_did(planted, tmp_path, capsys):
    def said(*args):
        code = main(["compact", *map(str, args)])
        return (code, *capsys.readouterr())

    assert "9,000 records of 3 sources" in said(planted, "-o", tmp_path / "lake")[1]
    assert "passed over" in said(planted, "-o", tmp_path / "lake")[2]
    assert said("--verify", tmp_path / "lake")[:2] == (0, "9,000 records read back; 0 wrong\n")
    for wrong, words in (
        ((planted, "-o", tmp_path / "x", "--where", "dstport = 22"), "every record"),
        ((planted, "--verify", tmp_path / "lake"), "stand alone"),
        (("--verify", planted), "no manifest"),
        ((planted, "-o", tmp_path / "x", "--prove", "detects"), "expected detect"),
    ):
        code, out, err = said(*wrong)
        assert (code, out) == (2, "")
        assert words in err
