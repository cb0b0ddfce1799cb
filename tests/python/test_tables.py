"""Tables as people have them: frames, decimals, log lines in a column, Arrow IPC files, and damaged ones."""

import contextlib
import decimal
import io
import json
import random
import struct

import pytest

pa = pytest.importorskip("pyarrow")
from pyarrow import feather, ipc, parquet  # noqa: E402

import vpcflow as vf  # noqa: E402
from conftest import run_cli  # noqa: E402

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
LINES = [
    "2 000000456789 eni-1 10.1.0.5 10.2.0.7 40000 443 6 4 400 1760000000 1760000060 ACCEPT OK",
    "2 000000456789 eni-1 10.2.0.7 10.1.0.5 443 40000 6 5 9000 1760000000 1760000060 ACCEPT OK",
    "2 000000456789 eni-2 - - - - - - - 1760000000 1760000060 - NODATA",
]
LOG = "\n".join([HEADER, *LINES, ""])
WANTED = vf.scan(LOG.encode()).collect().rows()
NUMBERS = ("version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end")


def same_records(data, **options):
    """The records of LOG, whatever they come from; columns in any order."""
    result = vf.scan(data, **options).collect()
    assert [{name: row[name] for name in WANTED[0]} for row in result.rows()] == WANTED
    return result


def texts():
    """Every field as text, as AWS writes it."""
    columns = zip(*(line.split() for line in LINES))
    return pa.table({name.replace("-", "_"): list(values) for name, values in zip(HEADER.split(), columns)})


def with_column(field, values):
    table = texts()
    return table.set_column(table.schema.names.index(field), field, values)


# -- values


@pytest.mark.parametrize(
    "kind",
    [pa.float64(), pa.float32(), pa.uint64(), pa.int32(), pa.decimal128(20, 0), pa.decimal128(12, 2), pa.decimal256(40, 0), pa.decimal32(9, 0), pa.decimal64(18, 0)],
    ids=str,
)  # fmt: skip
def test_counts_of_every_kind_of_number(kind):
    values = [400, 9000, None]
    if pa.types.is_decimal(kind):
        values = [None if v is None else decimal.Decimal(v) for v in values]
    same_records(with_column("bytes", pa.array(values, kind)))
    if kind not in (pa.decimal32(9, 0), pa.decimal64(18, 0)):  # pyarrow has no dictionaries of them
        same_records(with_column("bytes", pa.array(values, kind).dictionary_encode()))


@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.float64(), pa.decimal128(12, 0), pa.string()], ids=str)
def test_account_ids_have_twelve_digits(kind):
    value = decimal.Decimal(456789) if pa.types.is_decimal(kind) else "456789" if kind == pa.string() else 456789
    same_records(with_column("account_id", pa.array([value] * 3, kind)))


def test_times_of_every_kind():
    import datetime

    seconds = [1760000000] * 3
    iso = ["2025-10-09T08:53:20Z", "2025-10-09 08:53:20.123", "2025-10-09T10:53:20+02:00"]
    for unit, ticks in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        for zone in (None, "UTC", "Asia/Tokyo"):
            same_records(with_column("start", pa.array([s * ticks for s in seconds], pa.timestamp(unit, zone))))
    same_records(with_column("start", pa.array(iso)))
    same_records(with_column("start", pa.array([s * 1000 + 999 for s in seconds])))
    same_records(with_column("start", pa.array([s + 0.25 for s in seconds])))
    for kind in (pa.date32(), pa.date64()):
        days = with_column("start", pa.array([datetime.date(2025, 10, 9)] * 3, kind))
        assert vf.scan(days).agg(s=vf.min("start")).collect()["s"] == [1759968000]


@pytest.mark.parametrize("kind", ["string", "large_string", "string_view", "binary", "large_binary", "binary_view"])
def test_texts_of_every_kind(kind):
    table = texts()
    names = [name for name in table.schema.names if name not in NUMBERS]
    for name in names:
        values = pa.array([v.as_py().encode() for v in table[name]], pa.binary()).cast(getattr(pa, kind)())
        table = table.set_column(table.schema.names.index(name), name, values)
    same_records(table)
    if "view" not in kind:
        for index in (pa.int8(), pa.uint16(), pa.int64(), pa.uint64()):
            coded = table
            for name in names:
                values = (
                    table[name]
                    .combine_chunks()
                    .dictionary_encode()
                    .cast(pa.dictionary(index, table.schema.field(name).type))
                )
                coded = coded.set_column(coded.schema.names.index(name), name, values)
            same_records(coded)


def test_spellings_of_other_tools(quiet):
    same_records(with_column("bytes", pa.array(["400.0", "9000", "NaN"])))
    same_records(with_column("srcaddr", pa.array(["10.1.0.5", "10.2.0.7", ""])))
    same_records(with_column("protocol", pa.array(["TCP", "tcp", None])))
    same_records(with_column("action", pa.array(["ACCEPT", "ACCEPT", ""])))
    halves = vf.scan(with_column("bytes", pa.array([400.5, 9000, None]))).collect()
    assert (halves.report.records, halves.report.rejects_by_reason) == (2, {"not-a-number": 1})
    assert halves.report.rejects[0]["excerpt"] == "400.5"
    beyond = vf.scan(
        with_column("bytes", pa.array([decimal.Decimal(10) ** 37, 9000, None], pa.decimal128(38, 0)))
    ).collect()
    assert beyond.report.rejects_by_reason == {"out-of-range": 1}


def test_types_that_a_field_cannot_have_are_told_in_words():
    cases = [
        ("bytes", pa.array([[1], [2], None]), "list"),
        ("bytes", pa.array([True, False, None]), "boolean"),
        ("bytes", pa.array([{"a": 1}, None, None]), "struct"),
        ("srcaddr", pa.array([b"\1\2\3\4", b"\1\2\3\4", None], pa.binary(4)), "fixed-size binary"),
        ("srcaddr", pa.array([decimal.Decimal("1.5"), None, None]), "decimal"),
        ("srcaddr", pa.array([1, 2, 3]), "int64"),
        ("bytes", pa.array([1, 2, 3], pa.timestamp("us")), "timestamp"),
        ("start", pa.array([1, 2, 3], pa.duration("s")), "duration"),
        ("bytes", pa.RunEndEncodedArray.from_arrays([3], [5]), "run-end encoded"),
    ]
    for field, values, words in cases:
        with pytest.raises(vf.FormatError, match=f"column '{field}' has type {words}"):
            vf.scan(with_column(field, values)).collect()
        # Of a column that is not read the type does not matter.
        assert vf.scan(with_column(field, values)).agg(n=vf.max("packets")).collect()["n"] == [5]
    # Null as a whole, a column says nothing, whatever its type.
    for kind in (pa.float64(), pa.int64(), pa.list_(pa.int8()), pa.bool_(), pa.null()):
        nothing = vf.scan(with_column("srcaddr", pa.nulls(3, kind))).select("srcaddr", "bytes").collect()
        assert nothing["srcaddr"] == [None] * 3


# -- what is a record


def test_what_is_no_flow_log_is_no_record():
    for table in (
        {"region": ["us-east-1"], "cost": [1.5]},
        {"VpcId": ["vpc-1"]},
        {"account": ["1"]},
        {"interface_id": ["eni-1"], "vpc_id": ["vpc-1"], "subnet_id": ["subnet-1"]},
        {"srcaddr": ["10.0.0.1"], "srcport": ["1"], "query_name": ["a.example."]},
    ):
        for data in (pa.table(table), packed(pa.table(table))):
            with pytest.raises(vf.VpcflowError, match="no flow log records: the columns are " + ", ".join(table)):
                vf.scan(data).agg(n=vf.count()).collect()


def test_rows_without_index_columns_and_slices():
    pd = pytest.importorskip("pandas")
    frame = texts().to_pandas()
    same_records(frame)
    frame.index = [7, 8, 9]
    same_records(frame)
    twice = pa.concat_tables([texts(), texts()])
    same_records(twice.slice(3))
    same_records(twice.slice(0, 3))
    same_records(pd.concat([frame, frame]).iloc[3:])


def test_nulls_of_the_rows_are_no_records():
    rows = texts().to_struct_array().combine_chunks()
    masked = pa.StructArray.from_arrays(
        [rows.field(i) for i in range(rows.type.num_fields)],
        fields=list(rows.type),
        mask=pa.array([False, True, False]),
    )

    class Stream:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.chunked_array([masked]).__arrow_c_stream__()

    assert [row["interface_id"] for row in vf.scan(Stream()).select("interface_id").collect()] == ["eni-1", "eni-2"]


def test_two_names_of_one_field():
    table = texts().append_column("numbytes", pa.array([1, 2, 3]))
    for data in (table, packed(table)):
        with pytest.warns(
            vf.DataQualityWarning, match="'bytes' and 'numbytes' are both the field 'bytes'; 'bytes' is read"
        ):
            assert vf.scan(data).agg(b=vf.sum("bytes")).collect()["b"] == [9400]


# -- log lines in a column


def packed(table, **options):
    out = io.BytesIO()
    parquet.write_table(table, out, **options)
    return out.getvalue()


@pytest.mark.parametrize("name", ["message", "@message", "_raw", "Message", "log"])
def test_a_column_of_log_lines(name, tmp_path):
    lines = pa.table({"timestamp": [1, 2, 3], name: LINES})
    for data in (lines, packed(lines), lines.to_batches()[0], lines.to_reader()):
        result = same_records(data)
        assert (result.report.records, result.report.nodata) == (3, 1)
    flows = vf.scan(lines)
    assert flows.format == vf.scan(LOG.encode()).format
    assert flows.agg(n=vf.count()).collect().rows() == flows.agg(n=vf.count()).collect().rows()
    (tmp_path / "a.parquet").write_bytes(packed(lines))
    (tmp_path / "b.log").write_text(LOG)
    assert vf.scan(tmp_path).collect().report.records == 6
    summary = json.loads(run_cli("summary", tmp_path / "a.parquet", "--json", check=0).stdout)
    assert (summary["records"], summary["ok"], summary["nodata"]) == (3, 2, 1)


def test_a_column_of_json_events_and_series_of_lines(quiet):
    events = [json.dumps(dict(zip(HEADER.split(), line.split()))) for line in LINES]
    same_records(pa.table({"message": events}))
    same_records(pa.chunked_array([LINES]))
    polars = pytest.importorskip("polars")
    same_records(polars.Series(LINES))
    same_records(polars.DataFrame({"time": [1, 2, 3], "message": LINES}))
    with pytest.raises(vf.VpcflowError, match="column 'message' has type int64; log lines are read from text"):
        vf.scan(pa.table({"message": [1, 2]})).collect()


# -- frames


def test_pandas_as_read_csv_makes_them():
    pd = pytest.importorskip("pandas")
    frame = pd.read_csv(io.StringIO(LOG), sep=" ", na_values="-")
    assert str(frame["account-id"].dtype) == "int64"
    assert str(frame["bytes"].dtype) == "float64"
    same_records(frame)
    same_records(pd.read_csv(io.StringIO(LOG), sep=" "))
    same_records(pd.read_csv(io.StringIO(LOG), sep=" ", na_values="-", dtype_backend="pyarrow"))
    same_records(frame.assign(start=pd.to_datetime(frame["start"], unit="s")))
    same_records(frame.convert_dtypes())
    same_records(frame.astype({"action": "category"}))


def test_polars_as_read_csv_makes_them():
    pl = pytest.importorskip("polars")
    frame = pl.read_csv(io.StringIO(LOG), separator=" ", null_values="-")
    same_records(frame)
    same_records(frame.with_columns(pl.col("action").cast(pl.Categorical), pl.from_epoch("start")))
    same_records(frame.with_columns(pl.col("bytes").cast(pl.Decimal(20, 0)), pl.col("account-id").cast(pl.Float64)))
    assert len(vf.scan(frame[2:]).collect()) == 1


def test_duckdb_relations(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    (tmp_path / "a.log").write_text(LOG)
    relation = duckdb.sql(f"select * from read_csv('{tmp_path / 'a.log'}', delim=' ', header=true, nullstr='-')")
    same_records(relation)
    summed = duckdb.sql("select srcaddr, sum(bytes)::hugeint as bytes from relation group by srcaddr order by bytes")
    assert vf.scan(summed).agg(b=vf.sum("bytes")).collect()["b"] == [9400]
    assert duckdb.sql("select 1 as srcaddr where false").columns == ["srcaddr"]


# -- files


def written(table, kind, **options):
    out = io.BytesIO()
    if kind == "feather 1":
        with pytest.warns(DeprecationWarning, match="Feather V1"):
            feather.write_feather(table, out, version=1)
    elif kind == "feather":
        feather.write_feather(table, out, **options)
    else:
        with (ipc.new_stream if kind == "stream" else ipc.new_file)(out, table.schema, **options) as writer:
            writer.write_table(table)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["file", "stream", "feather", "feather 1"])
def test_arrow_ipc_is_read_wherever_parquet_is(kind, tmp_path):
    data = written(texts(), kind)
    (tmp_path / "flows.whatever").write_bytes(data)
    for source in (
        data,
        tmp_path / "flows.whatever",
        [str(tmp_path / "flows.whatever")],
        io.BytesIO(data),
    ):
        same_records(source)
    with open(tmp_path / "flows.whatever", "rb") as file:
        same_records(file)
    flows = vf.scan(data)
    assert flows.agg(b=vf.sum("bytes")).collect()["b"] == [9400]
    assert flows.agg(p=vf.sum("packets")).collect()["p"] == [9]
    summary = json.loads(run_cli("summary", tmp_path / "flows.whatever", "--json", check=0).stdout)
    assert (summary["records"], summary["bytes"]) == (3, 9400)


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_compressed_arrow_ipc(compression):
    for kind in ("file", "stream"):
        same_records(written(texts(), kind, options=ipc.IpcWriteOptions(compression=compression)))
    same_records(written(texts(), "feather", compression=compression))


def test_what_convert_writes_is_read(tmp_path):
    (tmp_path / "a.log").write_text(LOG)
    run_cli("convert", tmp_path / "a.log", "-o", tmp_path / "b.arrow", check=0)
    same_records(tmp_path / "b.arrow")
    run_cli("convert", tmp_path / "b.arrow", "-o", tmp_path / "c.parquet", check=0)
    same_records(tmp_path / "c.parquet")
    assert b"10.1.0.5" in run_cli("top", tmp_path / "b.arrow", "--by", "srcaddr", check=0).stdout


def test_the_same_arrow_file_twice_is_read_once(tmp_path):
    for name in ("a.arrow", "b.arrow"):
        (tmp_path / name).write_bytes(written(texts(), "file"))
    with pytest.warns(vf.DataQualityWarning, match="same bytes"):
        assert vf.scan([tmp_path / "a.arrow", tmp_path / "b.arrow"]).agg(n=vf.count()).collect().report.records == 3


# -- damage


def test_a_changed_offset_is_an_error_and_shows_no_memory():
    """What stands in the memory of the process must not come out in a report."""
    table = pa.table({"srcaddr": ["10.0.0.1", "10.0.0.2", "x.y"], "bytes": [1, 2, 3]})
    raw = written(table, "stream")
    offsets = struct.pack("<4i", 0, 8, 16, 19)
    assert raw.count(offsets) == 1
    for wrong in (
        (0, 8, 4000, 19),
        (0, 8, 16, 1900),
        (0, 8, 16, 2**31 - 1),
        (0, -8, 16, 19),
        (-900, 8, 16, 19),
        (0, 16, 8, 19),
    ):
        hurt = raw.replace(offsets, struct.pack("<4i", *wrong))
        for data in (hurt, ipc.open_stream(hurt), ipc.open_stream(hurt).read_all()):
            with pytest.raises(vf.SourceError, match=r"damaged Arrow|offset") as error:
                vf.scan(data).group_by("srcaddr").agg(b=vf.sum("bytes")).collect()
            assert not error.value.partial or not error.value.partial.report.rejects


def test_changed_bytes_of_ipc_are_errors_or_records(quiet):
    rng = random.Random(26)
    columns = {"srcaddr": ["10.0.0.1", "2001:db8:1111:2222::1"] * 20, "bytes": list(range(40))}
    plain = pa.table(columns)
    coded = plain.set_column(0, "srcaddr", plain["srcaddr"].combine_chunks().dictionary_encode())
    viewed = plain.set_column(0, "srcaddr", plain["srcaddr"].cast(pa.string_view()))
    for table in (plain, coded, viewed):
        for kind in ("stream", "file"):
            raw = written(table, kind)
            for _ in range(150):
                hurt = bytearray(raw)
                for _ in range(rng.randint(1, 3)):
                    hurt[rng.randrange(len(hurt))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
                with contextlib.suppress(vf.VpcflowError):
                    report = vf.scan(bytes(hurt)).group_by("srcaddr").agg(b=vf.sum("bytes")).collect().report
                    assert all(len(reject["excerpt"]) < 400 for reject in report.rejects)


@pytest.mark.parametrize("kind", ["parquet", "file", "stream"])
def test_a_damaged_file_does_not_take_the_others_away(kind, tmp_path):
    data = packed(texts()) if kind == "parquet" else written(texts(), kind)
    (tmp_path / "a.log").write_text(LOG)
    (tmp_path / "b.table").write_bytes(data)
    (tmp_path / "c.table").write_bytes(data[: len(data) // 2])
    (tmp_path / "d.table").write_bytes(packed(texts(), compression="zstd"))
    paths = sorted(tmp_path.iterdir())
    with pytest.raises(vf.SourceError, match=r"c\.table") as error:
        vf.scan(paths).agg(b=vf.sum("bytes")).collect()
    assert error.value.partial["b"] == [3 * 9400]
    assert error.value.partial.report.sources == 4
    done = run_cli("summary", *paths)
    assert done.returncode == 2
    assert b"c.table" in done.stderr


def test_a_reader_is_read_once():
    reader = texts().to_reader()
    flows = vf.scan(reader)
    assert flows.agg(b=vf.sum("bytes")).collect()["b"] == [9400]
    with pytest.raises(vf.SourceError, match="already consumed"):
        flows.agg(b=vf.sum("bytes")).collect()


def test_frames_that_do_not_convert_are_an_error():
    pd = pytest.importorskip("pandas")
    mixed = pd.DataFrame({"srcaddr": ["10.0.0.1", "10.0.0.2"], "bytes": [1, b"x"]})
    with pytest.raises(vf.SourceError, match="no Arrow stream"):
        vf.scan(mixed).agg(b=vf.sum("bytes")).collect()
