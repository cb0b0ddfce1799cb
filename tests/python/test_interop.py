"""Other libraries on the same object: what is pushed down, what is shared, what does not leak."""

import datetime
import gc

import pytest

import vpcflow as vf

pl = pytest.importorskip("polars")

DATA = vf.synth(20_000, seed=12, format="v5", peers=300, noise_sources=300, ipv6_share=0.2).data
UTC = datetime.timezone.utc
TIME = datetime.datetime.fromtimestamp(1_760_003_000, UTC)
PREDICATES = {
    "number": pl.col("dstport") == 443,
    "turned": pl.lit(100) < pl.col("bytes"),
    "text": pl.col("action").cast(pl.String) != "ACCEPT",
    "time": pl.col("start") >= TIME,
    "address": pl.col("srcaddr").cast(pl.String) == "10.0.0.112",
    "both": (pl.col("dstport") == 443) & (pl.col("bytes") > 1000),
    "either": (pl.col("dstport") == 443) | (pl.col("dstport") == 22),
    "half": (pl.col("dstport") == 443) & pl.col("srcaddr").cast(pl.String).str.starts_with("10."),
    "function": pl.col("dstport").is_in([22, 3389]),
    "not": ~(pl.col("bytes") < 1000),
    "or with function": (pl.col("dstport") == 443) | pl.col("bytes").is_null(),
    "not an address": pl.col("srcaddr").cast(pl.String) == "x",
    "negative": pl.col("bytes") > -1,
}
PUSHED = {
    "number": "dstport = 443",
    "turned": "bytes > 100",
    "text": "action != 'ACCEPT'",
    "time": "start >= 1760003000",
    "address": "srcaddr = '10.0.0.112'",
    "both": "(dstport = 443) and (bytes > 1000)",
    "either": "(dstport = 443) or (dstport = 22)",
    "half": "(dstport = 443)",
}


@pytest.mark.parametrize("name", PREDICATES)
def test_polars_lazy_pushes_down_and_answers_alike(name):
    from vpcflow.lazy_polars import translate

    assert translate(PREDICATES[name]) == PUSHED.get(name)
    eager = vf.scan(DATA).to_polars().filter(PREDICATES[name])
    lazy = vf.scan(DATA).lazy().filter(PREDICATES[name])
    assert lazy.collect().equals(eager)
    assert lazy.select("bytes", "dstport").collect().equals(eager.select("bytes", "dstport"))
    assert lazy.select(pl.len()).collect().item() == len(eager)


def test_polars_lazy_reads_no_more_than_it_needs(quiet):
    damaged = DATA.replace(b" ACCEPT ", b" \xff ", 1)
    assert vf.scan(damaged).lazy().select(pl.col("bytes").sum()).collect().item() == sum(
        row["bytes"] or 0 for row in vf.scan(DATA).collect()
    )
    assert len(vf.scan(DATA).lazy().head(10).collect()) == 10
    frame = vf.scan(DATA).lazy().group_by("action").agg(pl.col("bytes").sum()).sort("action").collect()
    assert frame["bytes"].sum() == sum(row["bytes"] or 0 for row in vf.scan(DATA).collect())
    with pytest.raises(vf.PlanError, match="lazy"):
        vf.scan(DATA).group_by("action").agg().lazy()


def test_eight_ways_the_same_sum():
    pa = pytest.importorskip("pyarrow")
    pd = pytest.importorskip("pandas")
    duckdb = pytest.importorskip("duckdb")
    result = vf.scan(DATA).select("srcaddr", "dstport", "bytes").collect()
    wanted = sum(b or 0 for b in result["bytes"])
    table = pa.table(result)
    assert pa.compute.sum(table["bytes"]).as_py() == wanted
    assert int(result.to_pandas()["bytes"].sum()) == wanted
    assert isinstance(result.to_pandas(), pd.DataFrame)
    assert pl.DataFrame(result)["bytes"].sum() == wanted
    assert vf.scan(DATA).select("bytes").lazy().select(pl.col("bytes").sum()).collect().item() == wanted
    assert duckdb.sql("select sum(bytes)::bigint from result").fetchall() == [(wanted,)]
    assert vf.scan(table).agg(b=vf.sum("bytes")).collect()["b"] == [wanted]
    nanoarrow = pytest.importorskip("nanoarrow")
    array = nanoarrow.ArrayStream(result).read_all()
    assert sum(v["bytes"] or 0 for v in array.to_pylist()) == wanted


def test_buffers_are_shared_and_live_on():
    """The same address for two consumers; valid after the result is gone."""
    pa = pytest.importorskip("pyarrow")
    result = vf.scan(DATA).select("bytes", "srcaddr").collect()
    one, two = pa.table(result), pa.table(result)
    address = one["bytes"].chunk(0).buffers()[1].address
    assert two["bytes"].chunk(0).buffers()[1].address == address
    assert pl.DataFrame(one)["bytes"].sum() == pl.DataFrame(result)["bytes"].sum()
    wanted = one["bytes"].to_pylist()
    del result, one
    gc.collect()
    junk = [bytes(1 << 20) for _ in range(50)]
    assert two["bytes"].to_pylist() == wanted
    assert junk
