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
    "text": pl.col("action") == "REJECT",
    "cast": pl.col("action").cast(pl.String) == "REJECT",
    "not a text": pl.col("action") != "ACCEPT",  # the filter language knows it in any case
    "time": pl.col("start") >= TIME,
    "address": pl.col("srcaddr") == "10.0.0.112",
    "both": (pl.col("dstport") == 443) & (pl.col("bytes") > 1000),
    "either": (pl.col("dstport") == 443) | (pl.col("dstport") == 22),
    "half": (pl.col("dstport") == 443) & pl.col("srcaddr").str.starts_with("10."),
    "function": pl.col("dstport").is_in([22, 3389]),
    "not": ~(pl.col("bytes") < 1000),
    "or with function": (pl.col("dstport") == 443) | pl.col("bytes").is_null(),
    "not an address": pl.col("srcaddr") == "x",
    "negative": pl.col("bytes") > -1,
}
PUSHED = {
    "number": "dstport = 443",
    "turned": "bytes > 100",
    "text": "action = 'REJECT'",
    "cast": "action = 'REJECT'",
    "time": "start >= 1760003000",
    "address": "srcaddr = '10.0.0.112'",
    "both": "(dstport = 443) and (bytes > 1000)",
    "either": "(dstport = 443) or (dstport = 22)",
    "half": "(dstport = 443)",
}


@pytest.mark.parametrize("name", PREDICATES)
def test_polars_lazy_pushes_down_and_answers_alike(name):
    from vpcflow.io.polars import translate

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


def _counted(table, **options):
    """All rows of a table by every column, and the reasons of its rejects."""
    result = vf.scan(table, **options).select("srcaddr", "action", "dstport", "bytes", "start", "end").collect()
    return result.rows(), result.report.rejects_by_reason, result.report.nulled_values


def test_arrow_columns_of_every_layout_read_alike(quiet):
    """As plain text, which is parsed value by value: dictionaries by entry, numbers of every width, times of every unit."""
    pa = pytest.importorskip("pyarrow")
    addresses = ["10.0.0.1", "2001:db8::1", None, "-", "10.0.0.1", "nonsense", "::ffff:10.0.0.2", "2001:db8::1"] * 300
    actions = ["ACCEPT", None, "REJECT", "-", "x" * 40, "ACCEPT", "", "\u00fc"] * 300
    ports = [22, None, 443, 0, 65535, 70000, 22, 1] * 300
    sizes = [1, 2**40, None, 0, -1, 5, 2**62, 7] * 300
    times = [1_795_413_600, None, 0, 1, 1_795_413_600_123, 5, -1, 9] * 300
    seconds = [t // 1000 if t is not None and t > 2**31 else t for t in times]

    def texts(values):
        return pa.array([None if v is None else str(v) for v in values])

    def columns(address, action, port, size, start, end):
        return pa.table({"srcaddr": address, "action": action, "dstport": port, "bytes": size, "start": start, "end": end})

    plain = columns(texts(addresses), texts(actions), texts(ports), texts(sizes), texts(times), texts(seconds))
    for options in ({"on_error": "skip"}, {"on_error": "null"}):
        wanted = _counted(plain, **options)
        assert len(wanted[0]) > 500
        for index in (pa.int16(), pa.int32(), pa.uint64()):
            encoded = [
                texts(values).dictionary_encode().cast(pa.dictionary(index, kind))
                for values, kind in ((addresses, pa.large_string()), (actions, pa.string()))
            ]
            for unit, ticks in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
                ends = pa.array([None if t is None else t * ticks + (ticks > 1) for t in seconds], pa.timestamp(unit, "UTC"))
                table = columns(*encoded, pa.array(ports, pa.int32()), pa.array(sizes), pa.array(times), ends)
                rows, rejects, nulled = _counted(table, **options)
                assert rows == wanted[0]
                assert sum(rejects.values()) == sum(wanted[1].values())
                assert nulled == wanted[2]
                assert _counted(table.slice(3, 1111), **options)[0] == _counted(plain.slice(3, 1111), **options)[0]


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"])
def test_arrow_numbers_of_every_width(kind, quiet):
    pa = pytest.importorskip("pyarrow")
    values = [0, 1, 127, None, 6] * 300
    for table in (pa.table({"bytes": pa.array(values, kind)}), pa.table({"bytes": pa.array(values, kind)}).slice(2)):
        got = vf.scan(table).select("bytes").collect()["bytes"]
        assert got == table["bytes"].to_pylist()
    least, most = pa.table({"bytes": pa.array([-(2**63), 5])}), pa.table({"bytes": pa.array([2**64 - 1, 5], "uint64")})
    for odd in (least, most):
        assert vf.scan(odd, on_error="skip").agg(b=vf.sum("bytes"), n=vf.count()).collect().rows() == [{"b": 5, "n": 1}]
