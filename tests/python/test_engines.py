"""The same answer from a pool of processes, Dask and Spark as from one process, byte for byte."""

import concurrent.futures
import shutil
import sys
import warnings

import pytest

import vpcflow as vf
from vpcflow import spread
from vpcflow.distributed.processes import tasks_of

QUESTION = {
    "by": ["srcaddr", "action"],
    "every": "10m",
    "bytes": vf.sum("bytes"),
    "peers": vf.n_unique("dstaddr"),
    "about": vf.approx_n_unique("dstaddr"),
    "p90": vf.approx_quantile("bytes", 0.9),
    "first": vf.first("interface_id"),
    "last": vf.last("dstport"),
    "rejected": vf.count(where="action = 'REJECT'"),
}


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    vf.synth(30_000, out=folder, seed=3, files=9, gzip=True, peers=500, noise_sources=300, ipv6_share=0.1)
    paths = sorted(folder.glob("**/*.log.gz"))
    shutil.copy(paths[2], folder / "zz-again.log.gz")  # read once
    (folder / "bad.log").write_bytes(b"srcaddr action start end bytes dstaddr interface-id dstport\nx y\n")
    return folder


@pytest.fixture(scope="module")
def wanted(logs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return vf.Aggregation(**QUESTION).update(logs)


def same(got, wanted):
    assert got.to_bytes() == wanted.to_bytes()
    assert got.collect().rows() == wanted.collect().rows()
    a, b = got.report.as_dict(), wanted.report.as_dict()
    for report in (a, b):
        report["warnings"] = len(report["warnings"])
    assert a == b
    assert a["duplicates"] == 1
    assert a["rejected"] == 1


def test_processes(logs, wanted):
    question = vf.Aggregation(**QUESTION)
    with pytest.warns(vf.DataQualityWarning, match="same bytes"):
        got = spread.aggregate(logs, question, workers=2)
    same(got, wanted)
    assert len(question) == 0
    with pytest.warns(vf.DataQualityWarning):
        more = spread.aggregate(logs, got, workers=2)  # what it holds is part of the result
    assert more.collect().report.records == 2 * wanted.report.records


def test_sessions_from_processes(logs, quiet):
    question = vf.Aggregation.of(vf.scan(b"").sessions(idle="5m"))
    got = spread.aggregate(logs, question, workers=2)
    assert got.collect().rows() == vf.scan(logs).sessions(idle="5m").collect().rows()


def test_damage_is_told_and_the_rest_is_there(logs, wanted, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(logs, folder)
    first = sorted(folder.glob("**/*.log.gz"))[0]
    first.write_bytes(first.read_bytes()[:-20])
    with pytest.raises(vf.DataLossError, match="middle of a gzip member") as raised:
        spread.aggregate(folder, vf.Aggregation(**QUESTION), workers=2)
    assert 20_000 < raised.value.partial.report.records < wanted.report.records
    with pytest.raises(vf.FieldError, match="in none of the logs"):
        spread.aggregate(folder, vf.Aggregation(by="az-id"), workers=1)
    with pytest.raises(TypeError, match="expected paths"):
        spread.aggregate(b"srcaddr", vf.Aggregation(by="srcaddr"))


def test_a_field_that_only_some_files_have(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}.log").write_text(f"srcaddr bytes\n10.0.0.1 {ord(name)}\n")
    (tmp_path / "d.log").write_text("srcaddr bytes az-id\n10.0.0.2 40 a\n")
    question = vf.Aggregation(by="az_id", bytes=vf.sum("bytes"))
    whole = vf.Aggregation(by="az_id", bytes=vf.sum("bytes")).update(tmp_path)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert spread.aggregate(tmp_path, question, executor=pool, workers=4) == whole
        (tmp_path / "d.log").unlink()
        with pytest.raises(vf.FieldError, match="az-id is in none of the logs"):
            spread.aggregate(tmp_path, question, executor=pool, workers=4)
        assert len(spread.aggregate(tmp_path, question, executor=pool, workers=4, allow_missing=True)) == 1


def test_tasks_are_runs_of_numbers():
    numbered = [(0, "a"), (1, "b"), (3, "d"), (4, "e"), (5, "f"), (6, "g")]
    assert tasks_of(numbered, 2) == [(0, ["a", "b"]), (3, ["d", "e", "f"]), (6, ["g"])]
    assert [task for task in tasks_of(numbered, 100)] == [(n, [p]) for n, p in numbered]


@pytest.mark.filterwarnings("ignore")
def test_dask(logs, wanted):
    distributed = pytest.importorskip("distributed")
    import vpcflow.dask

    same(vpcflow.dask.aggregate(logs, vf.Aggregation(**QUESTION), partitions=5), wanted)  # threads
    with distributed.LocalCluster(2, threads_per_worker=1, dashboard_address=None) as cluster, distributed.Client(cluster):
        same(vpcflow.dask.aggregate(logs, vf.Aggregation(**QUESTION), partitions=5), wanted)


@pytest.mark.filterwarnings("ignore")
def test_spark(logs, wanted, monkeypatch):
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    import vpcflow.spark

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    spark = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    try:
        same(vpcflow.spark.aggregate(spark, str(logs), vf.Aggregation(**QUESTION)), wanted)
        frame = spark.createDataFrame([(str(path),) for path in sorted(logs.glob("**/*.log*"))], "path string")
        same(vpcflow.spark.aggregate(spark, frame, vf.Aggregation(**QUESTION)), wanted)
        fields = ("srcaddr", "dstport", "bytes", "start", "action")
        records = vpcflow.spark.records(spark, str(logs), *fields, where="action = 'REJECT'")
        rows = vf.scan(logs).filter("action = 'REJECT'").select(*fields).collect()
        assert records.count() == len(rows)
        assert records.agg({"bytes": "sum"}).collect()[0][0] == sum(rows["bytes"])
        assert sorted(r["srcaddr"] for r in records.collect()) == sorted(rows["srcaddr"])
    finally:
        spark.stop()


def test_spark_schema():
    pa = pytest.importorskip("pyarrow")
    table = vf.scan(b"srcaddr bytes start action\n10.0.0.1 3 60 ACCEPT\n").collect().to_arrow(schema="spark")
    assert [str(f.type) for f in table.schema] == ["string", "int64", "timestamp[us, tz=UTC]", "string"]
    assert isinstance(table, pa.Table)
    with pytest.raises(vf.PlanError, match="schema"):
        vf.scan(b"srcaddr\n10.0.0.1\n").collect().to_arrow(schema="flink")
