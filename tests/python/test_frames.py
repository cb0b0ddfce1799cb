"""Frames of pandas, polars and DuckDB: what they get, and twenty everyday lines of each; results as frames."""

import copy
import csv
import datetime
import importlib
import importlib.util
import io
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, strategies

import vpcflow as vf
from conftest import HEADER, ROOT, SAMPLE, line
from vpcflow.query import progress

pa = pytest.importorskip("pyarrow")
EVERYDAY = [("pandas", 2), ("pandas", 3), ("polars", None), ("duckdb", None)]
LOG = b"srcaddr dstaddr dstport bytes\n10.0.0.1 10.0.0.2 443 40\n10.0.0.3 - 22 -\n2001:db8::1 8.8.8.8 53 7\n"


@pytest.fixture(scope="module")
def sample():
    return vf.scan(SAMPLE).collect()


@pytest.mark.parametrize(("name", "major"), EVERYDAY, ids=lambda value: str(value or ""))
def test_everyday_lines_of(name, major):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    version = importlib.import_module(name).__version__
    if major is not None and int(version.partition(".")[0]) != major:
        pytest.skip(f"{name} {version} is installed, not {major}")
    script = ROOT / "tests" / "user_code" / f"everyday_{name}.py"
    environment = dict(os.environ, PYTHONPATH=str(Path(vf.__file__).parents[1]))
    done = subprocess.run([sys.executable, script, SAMPLE], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(": 20 lines\n")


def texts(schema):
    return [name for name, kind in schema if kind in ("address", "text")]


def test_polars_gets_strings_by_every_way(sample):
    pl = pytest.importorskip("polars")
    flows = vf.scan(SAMPLE)
    ways = {
        "to_polars": sample.to_polars(), "DataFrame": pl.DataFrame(sample), "of a query": pl.DataFrame(flows),
        "LazyFrame": pl.LazyFrame(sample).collect(), "lazy": flows.lazy().collect(), "Flows": flows.to_polars(),
    }  # fmt: skip
    for way, frame in ways.items():
        assert {frame.schema[name] for name in texts(sample.schema)} == {pl.String}, way
        assert frame.equals(ways["to_polars"]), way
    for frame in (sample.to_polars(categories=True), flows.to_polars(categories=True), flows.lazy(categories=True).collect()):
        assert all(frame.schema[name] == pl.Categorical for name in texts(sample.schema))
        assert frame.cast({pl.Categorical: pl.String}).equals(ways["lazy"])


def test_pandas_gets_strings_by_every_way(sample):
    pd = pytest.importorskip("pandas")
    flows = vf.scan(SAMPLE)
    ways = {"to_pandas": sample.to_pandas(), "Flows": flows.to_pandas()}
    if hasattr(pd.DataFrame, "from_arrow"):
        ways["from_arrow"] = pd.DataFrame.from_arrow(sample)
    for way, frame in ways.items():
        for name in texts(sample.schema):
            assert pd.api.types.is_string_dtype(frame[name].dropna()), (way, name)
            assert [value if isinstance(value, str) else None for value in frame[name]] == sample[name], (way, name)
    frame = flows.to_pandas(categories=True)
    assert all(isinstance(frame[name].dtype, pd.CategoricalDtype) for name in texts(sample.schema))


def test_others_get_dictionaries(sample):
    kind = pa.dictionary(pa.int32(), pa.large_string())
    for way in (pa.table(sample), sample.to_arrow(), vf.scan(SAMPLE).to_arrow(), pa.table(vf.scan(SAMPLE))):
        assert {way.schema.field(name).type for name in texts(sample.schema)} == {kind}


# -- results as tables -------------------------------------------------------------------------------------------------


@given(data=strategies.data())
def test_slices_are_those_of_lists(data):
    result = vf.scan(LOG).collect()
    rows = result.rows()
    bound = strategies.none() | strategies.integers(-5, 5)
    at = slice(data.draw(bound), data.draw(bound), data.draw(strategies.none() | strategies.sampled_from([-3, -2, -1, 1, 2])))
    part = result[at]
    assert part.rows() == rows[at]
    assert part.shape == (len(rows[at]), 4)
    assert part.to_arrow().to_pylist() == result.to_arrow().to_pylist()[at]
    assert pickle.loads(pickle.dumps(part)) == part
    number = data.draw(strategies.integers(0, 4))
    assert result.head(number).rows() == rows[:number]
    assert result.tail(number).rows() == (rows[-number:] if number else [])


def test_parts_carry_only_their_own_texts(sample):
    part = sample[5:8]
    table = part.to_arrow()
    assert len(table["srcaddr"].chunk(0).dictionary) <= 3
    assert len(pickle.dumps(part)) < len(pickle.dumps(sample)) / 100


def test_columns_of_results(sample):
    part = sample[["bytes", "srcaddr"]]
    assert part.columns == ["bytes", "srcaddr"]
    assert part["srcaddr"] == sample["srcaddr"] == sample[vf.col("srcaddr")]
    assert sample[[vf.col("bytes"), vf.col("srcaddr")]] == part


def test_equal_results_have_the_same_columns_and_rows(sample):
    assert vf.scan(SAMPLE).collect() == sample
    assert sample[:] == sample
    assert copy.deepcopy(sample) == sample
    for other in (sample[:-1], sample[::-1], sample[sample.columns[1:]], sample[sample.columns[::-1]], sample.rows(), None):
        assert sample != other
    one = vf.scan(LOG).collect()
    for changed in (LOG.replace(b" 7\n", b" 8\n"), LOG.replace(b"8.8.8.8", b"8.8.8.9"), LOG.replace(b" -\n", b" 0\n")):
        assert vf.scan(changed).collect() != one
    # The same texts, first met in another order.
    there = vf.scan(b"dstport action\n1 ACCEPT\n2 REJECT\n").sort("dstport").collect()
    back = vf.scan(b"dstport action\n2 REJECT\n1 ACCEPT\n").sort("dstport").collect()
    assert there == back
    with pytest.raises(TypeError):
        hash(sample)


def test_every_type_of_column_survives_pickle(quiet):
    huge = HEADER + line(size=2**62, src="10.0.0.1") * 3 + line(src="2001:db8::1", size=1) + b"bad\n"
    flows = vf.scan(huge)
    wide = flows.group_by("srcaddr").agg(total=vf.sum("bytes"), mean=vf.mean("bytes"), first=vf.first("start"), n=vf.count()).collect()
    sessions = flows.sessions().collect()
    kinds = {kind for result in (wide, sessions, flows.collect()) for _, kind in result.schema}
    assert kinds == {"int32", "int64", "int128", "float64", "bool", "time", "address", "text"}
    for result in (wide, sessions, flows.collect()):
        again = pickle.loads(pickle.dumps(result))
        assert again == result
        assert again.rows() == result.rows()
        assert str(again) == str(result)
        assert again.report.rejected == result.report.rejected == 1


@pytest.mark.parametrize(
    ("rows", "column", "words"),
    [
        (1, ("a", "nonsense", b"", []), "unknown column type"),
        (2, ("a", "int64", b"\0" * 8, []), "not as long as the table"),
        (1, ("a", "text", b"\1\0\0\0", [b"x"]), "outside of its dictionary"),
        (1, ("a", "text", b"\xfe\xff\xff\xff", [b"x"]), "outside of its dictionary"),
        (1, ("a", "address", b"\0\0\0\0", [b"x"]), "not an address"),
    ],
)
def test_tables_that_do_not_fit_together_are_refused(rows, column, words):
    with pytest.raises(ValueError, match=words):
        type(vf.scan(LOG).collect()._table)(rows, [column])


def test_files_of_results(sample, tmp_path):
    part = sample[:500]
    assert part.to_csv(tmp_path / "a.csv") is None
    assert (tmp_path / "a.csv").read_text() == part.to_csv()
    part.to_json(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text()) == json.loads(part.to_json()) == part.rows()
    part.to_json_lines(tmp_path / "a.ndjson")
    assert [json.loads(text) for text in (tmp_path / "a.ndjson").read_text().splitlines()] == part.rows()
    assert json.loads(sample[:0].to_json()) == []
    part.to_parquet(tmp_path / "a.parquet")
    table = importlib.import_module("pyarrow.parquet").read_table(tmp_path / "a.parquet")
    assert table.schema.field("srcaddr").type == pa.string()
    assert vf.scan(tmp_path / "a.parquet").collect().rows() == part.rows()
    sample[:0].to_parquet(tmp_path / "b.parquet")
    assert importlib.import_module("pyarrow.parquet").read_table(tmp_path / "b.parquet").column_names == sample.columns


# -- queries as frames -------------------------------------------------------------------------------------------------


def test_sinks_write_what_collect_gives(tmp_path):
    flows = vf.scan(SAMPLE).select("start", "srcaddr", "dstport", "bytes")
    grouped = flows._with(select=[]).group_by("srcaddr").agg(vf.sum("bytes"), n=vf.count())
    for query in (flows, flows.sort("bytes"), flows.head(10), flows.tail(10), grouped):
        wanted = query.collect()
        report = query.sink_parquet(tmp_path / "a.parquet")
        assert report.records >= len(wanted)
        table = importlib.import_module("pyarrow.parquet").read_table(tmp_path / "a.parquet")
        assert table.num_rows == len(wanted)
        assert table["srcaddr"].to_pylist() == wanted["srcaddr"]
        query.sink_csv(tmp_path / "a.csv")
        assert (tmp_path / "a.csv").read_text() == wanted.to_csv()
        query.sink_ndjson(tmp_path / "a.ndjson")
        assert (tmp_path / "a.ndjson").read_text() == wanted.to_json_lines()


def test_sinks_keep_what_came_before_damage(tmp_path):
    import gzip

    cut = tmp_path / "cut.log.gz"
    cut.write_bytes(gzip.compress(HEADER + line() * 50_000)[:-20])
    for query in (vf.scan(cut), vf.scan(cut).group_by("srcaddr").agg(n=vf.count())):
        with pytest.raises(vf.DataLossError):
            query.sink_csv(tmp_path / "a.csv")
        assert len(list(csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text())))) >= 1
    with pytest.raises(vf.NoRecordsError):
        vf.scan(b"").sink_csv(tmp_path / "none.csv")
    with pytest.raises(vf.ParseError):
        vf.scan(HEADER + line() + b"bad\n", on_error="raise").sink_csv(tmp_path / "none.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "cut.log.gz"]


def test_head_tail_count_schema():
    flows = vf.scan(SAMPLE)
    whole = flows.collect()
    assert flows.head().collect() == whole.head() == whole[:5]
    assert flows.tail().collect() == whole.tail() == whole[-5:]
    assert flows.filter("action = 'REJECT'").tail(3).collect() == flows.filter("action = 'REJECT'").collect()[-3:]
    assert vf.query().tail(2).bind(SAMPLE).collect() == whole[-2:]
    for query in (
        flows, flows.filter("action = 'REJECT'"), flows.filter("log_status = 'NODATA'"), flows.select("bytes"), flows.head(7),
        flows.tail(7), flows.group_by("srcaddr").agg(n=vf.count()), flows.sessions(), vf.scan(LOG), vf.scan(LOG).sort("bytes"),
    ):  # fmt: skip
        result = query.collect()
        assert query.count() == len(result)
        assert query.schema == result.schema
        assert query.columns == result.columns


def test_describe_says_what_columns_hold(sample):
    pl = pytest.importorskip("polars")
    frame = sample.to_polars()
    said = {row["column"]: row for row in vf.scan(SAMPLE).describe()}
    assert list(said) == sample.columns
    for name, kind in sample.schema:
        row, values = said[name], frame[name]
        assert (row["type"], row["count"], row["null"]) == (kind, values.count(), values.null_count())
        unique = values.drop_nulls().n_unique()
        assert abs(row["unique"] - unique) <= 0.08 * unique
        if kind in ("int32", "int64") and values.count():
            assert (row["min"], row["max"]) == (str(values.min()), str(values.max()))
            assert row["mean"] == pytest.approx(values.mean())
        if kind == "time":
            assert row["min"] == values.min().strftime("%Y-%m-%d %H:%M:%S")
    chosen = vf.scan(SAMPLE).filter("action = 'REJECT'").select("srcaddr", "bytes").describe()
    assert chosen["column"] == ["srcaddr", "bytes"]
    assert chosen["count"][1] == frame.filter(pl.col("action") == "REJECT")["bytes"].count()


def test_names_of_aggregates_without_one():
    flows = vf.scan(LOG).group_by("dstport")
    got = flows.agg(vf.count(), vf.sum("bytes"), vf.n_unique("dstaddr"))
    assert got.columns == ["dstport", "count", "bytes", "dstaddr"]
    assert flows.agg([vf.sum(vf.col("bytes"))], n=vf.count()).columns == ["dstport", "bytes", "n"]
    assert flows.agg("sum(bytes)", vf.max("bytes").alias("largest")).columns == ["dstport", "bytes", "largest"]
    assert flows.agg("approx_quantile(bytes, 0.9)", vf.count(where="bytes > 1")).columns == ["dstport", "bytes", "count"]
    assert vf.scan(b"log-status bytes\nOK 1\n").agg(vf.n_unique("log-status")).columns == ["log_status"]


def test_durations_of_every_kind():
    flows = vf.scan(HEADER + line())
    wanted = flows.group_by(every=300).agg(n=vf.count()).explain()
    spellings = ["5m", "5min", "5 minutes", "300s", "300 sec", "4m60s", datetime.timedelta(minutes=5), " 5m "]
    for every in [*spellings, *_foreign_durations()]:
        assert flows.group_by(every=every).agg(n=vf.count()).explain() == wanted, every
    assert flows.group_by(every="1h30m").agg()._spec.every == 5400
    assert flows.group_by(every="1H").agg()._spec.every == flows.group_by(every="1 hour").agg()._spec.every == 3600
    assert flows.group_by(every="2 days").agg()._spec.every == 172_800
    for wrong in ("", "m", "5", "-5m", "5.5m", "5 m x", "5mm", "5M", "11y", 0, -3, 1.5, True, None):
        with pytest.raises(vf.PlanError, match=r"gap=|every="):
            flows.group_by(every=wrong if wrong is not None else "", gap=wrong)


def _foreign_durations():
    made = []
    if importlib.util.find_spec("pandas"):
        made.append(importlib.import_module("pandas").Timedelta("5min"))
    if importlib.util.find_spec("numpy"):
        made.append(importlib.import_module("numpy").timedelta64(5, "m"))
    return made


def test_dates_are_instants():
    flows = vf.scan(HEADER + line(start=0, end=60) + line(start=86400, end=86460), start=datetime.date(1970, 1, 2))
    assert flows.collect()["start"] == [86400]


def test_private_addresses():
    import ipaddress

    addresses = ["10.1.2.3", "172.16.0.1", "172.31.255.255", "172.32.0.0", "192.168.1.1", "100.64.0.1", "8.8.8.8", "fd00::1", "2001:4860::1"]
    log = b"srcaddr bytes\n" + b"".join(f"{address} 1\n".encode() for address in [*addresses, "-"])
    private = vf.scan(log).filter(vf.col("srcaddr").is_private()).collect()["srcaddr"]
    shared = ipaddress.ip_network("100.64.0.0/10")
    wanted = [a for a in addresses if (ip := ipaddress.ip_address(a)).is_private or ip in shared]
    assert private == wanted
    public = vf.scan(log).filter(~vf.col("srcaddr").is_private() & vf.col("srcaddr").is_not_null()).collect()["srcaddr"]
    assert public == [address for address in addresses if address not in wanted]


def frames_of(columns):
    """The same columns as everybody has them."""
    made = {"mapping": columns, "pyarrow": pa.table(columns)}
    if importlib.util.find_spec("pandas"):
        made["pandas"] = importlib.import_module("pandas").DataFrame(columns)
    if importlib.util.find_spec("polars"):
        made["polars"] = importlib.import_module("polars").DataFrame(columns)
    return made


def test_join_adds_the_columns_of_any_frame():
    flows = vf.scan(LOG)
    hosts = {"srcaddr": ["10.0.0.1", "2001:db8::1", None], "team": ["web", None, "x"], "cost": [3, None, 5]}
    for kind, frame in frames_of(hosts).items():
        joined = flows.join(frame, on="srcaddr")
        assert [(row["team"], row["cost"]) for row in joined.collect()] == [("web", "3"), (None, None), (None, None)], kind
        assert joined.filter("team = 'web'").count() == 1
        assert joined.group_by("team").agg(vf.sum("bytes")).collect()["bytes"] == [40, 7], kind
    ports = {"port": [443, 22], "name": ["https", "ssh"]}
    for kind, frame in frames_of(ports).items():
        assert flows.join(frame, vf.col("dstport"), key="port").collect()["name"] == ["https", "ssh", None], kind
    blocks = vf.scan(LOG).join({"net": ["10.0.0.0/8", "10.0.0.3"], "where": ["inside", "host"]}, "srcaddr", key="net")
    assert blocks.collect()["where"] == ["inside", "host", None]
    talkers = flows.group_by("srcaddr").agg(total=vf.sum("bytes"))
    assert flows.join(talkers, on="srcaddr").collect()["total"] == ["40", "0", "7"]
    # A result is a frame, too. Names that are a field's, or there already, get what polars gives them.
    of_result = vf.scan(b"dstaddr action\n10.0.0.2 REJECT\n").collect()
    assert flows.join(of_result, on="dstaddr").collect()["action_right"] == ["REJECT", None, None]
    twice = flows.join(hosts, "srcaddr").join({"ip": ["10.0.0.2"], "team": ["db"]}, "dstaddr", key="ip").collect()
    assert (twice["team"][0], twice["team_right"][0]) == ("web", "db")


def test_looking_at_a_query_reads_nothing_and_fits_ten_lines(tmp_path):
    class Untouched(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            raise AssertionError("it was read")

    everything = (
        vf.query().label("net", "srcaddr", vf.labels.prefixes({})).filter("bytes > 1", "action = 'REJECT'")
        .group_by("srcaddr", "dstport", every="5m").agg(**{f"a{n}": vf.sum("bytes") for n in range(40)}, each="a1 / a2")
        .having("a1 > 3").top_k(10, by="a1", per="srcaddr").sort("a1").tail(3)
    )  # fmt: skip
    for query in (everything, vf.scan(Untouched()), vf.scan(Untouched()).select("bytes"), vf.query().sessions().limit(3)):
        lines = repr(query).splitlines()
        assert lines[0] == "<Flows: lazy; collect() runs it>"
        assert len(lines) <= 10
        assert max(map(len, lines)) <= 100
    words = ["scan", "label", "filter", "group", "compute", "having", "top", "sort", "limit"]
    assert [text.split()[0] for text in repr(everything).splitlines()[1:]] == words
    evil = tmp_path / "a\x1b[31m.log"
    evil.write_bytes(LOG)
    assert "\x1b" not in repr(vf.scan(evil))


# -- findings ----------------------------------------------------------------------------------------------------------


def test_findings_are_frames():
    findings = vf.detect(vf.scan(SAMPLE))
    assert len(findings) > 5
    table = findings.to_arrow()
    assert table.num_rows == len(findings)
    for row, finding in zip(table.to_pylist(), findings):
        assert json.loads(row["evidence"]) == json.loads(json.dumps(finding.evidence))
        assert (row["targets"], row["sentence"], row["key"]) == (finding.targets, finding.sentence, finding.key)
        assert row["start"].timestamp() == finding.start
    none = vf.detect(vf.scan(SAMPLE), only=["tunnel"])[:0]
    assert none == []
    empty = vf.Findings([], findings.report, {}).to_arrow()
    assert (empty.num_rows, empty.schema) == (0, table.schema)
    if importlib.util.find_spec("pandas"):
        assert list(findings.to_pandas()["detector"]) == [f.detector for f in findings]
    if importlib.util.find_spec("polars"):
        assert findings.to_polars()["targets"].to_list() == [f.targets for f in findings]


# -- in the notebook ---------------------------------------------------------------------------------------------------


def test_html_of_results_and_findings(sample):
    page = sample._repr_html_()
    assert page.count("<tr>") == 11
    assert "20,000 rows, the first 10 shown" in page
    assert "overflow-x:auto" in page
    assert page.count("white-space:nowrap") >= 10 * len(sample.columns)
    assert sample[:30]._repr_html_().count("<tr>") == 31
    assert "shown" not in sample[:30]._repr_html_()
    evil = vf.scan(b"srcaddr interface-id\n10.0.0.1 <script>x</script>\n").collect()
    assert "<script>" not in evil._repr_html_()
    findings = vf.detect(vf.scan(SAMPLE))
    page = findings._repr_html_()
    assert f"<td style=\"text-align:left;white-space:nowrap\">{findings[0].severity}</td>" in page
    assert "white-space:normal" in page  # sentences, whose times stay on one line
    assert '<span style="white-space:nowrap">2026-11-23 06:50:06</span>' in page
    assert "20,000 records" in page
    nothing = vf.detect(vf.scan(HEADER + line()))._repr_html_()
    assert "nothing found in 1 record" in nothing


def test_findings_without_confidence_show_no_column_of_it():
    def finding(confidence):
        told = {"detector": "d", "severity": "high", "actor": "a", "targets": [], "start": 0, "end": 1, "score": 0.5, "technique": ""}
        return vf.Finding(**told, evidence={}, coverage={}, sentence="s", confidence=confidence)

    report = vf.scan(LOG).collect().report
    for known in (None, 0.5):
        findings = vf.Findings([finding(None), finding(known)], report, {})
        for shown in (str(findings), findings._repr_html_()):
            assert ("confidence" in shown) is (known is not None)


def test_html_says_first_that_most_was_rejected(quiet):
    flows = vf.scan(HEADER + line() + b"x\n" * 9)
    for page in (flows.collect()._repr_html_(), vf.detect(flows)._repr_html_()):
        assert page.startswith("<p><b>WARNING: 9 lines of 10 rejected")


def test_progress_is_a_bar_or_a_function(capsys, monkeypatch):
    class Slow(io.RawIOBase):
        """A log that comes in pieces, so that the engine tells of them."""

        def __init__(self):
            self.rest = io.BytesIO(HEADER + line() * 5_000)

        def read(self, size=-1):
            time.sleep(0.03)
            return self.rest.read(min(size, 20_000))

    seen = []
    wanted = vf.scan(Slow()).group_by("srcaddr").agg(n=vf.count()).collect(progress=lambda *numbers: seen.append(numbers))
    assert seen
    assert all(len(numbers) == 4 for numbers in seen)
    bars = []

    class Bar:
        def __init__(self, **options):
            self.n, self.total, self.closed = 0, None, False
            bars.append(self)

        def set_postfix_str(self, text, refresh):
            self.text = text

        def update(self, more):
            self.n += more

        def close(self):
            self.closed = True

    module = type(sys)("tqdm.auto")
    module.tqdm = Bar
    monkeypatch.setitem(sys.modules, "tqdm", type(sys)("tqdm"))
    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    assert vf.scan(Slow()).group_by("srcaddr").agg(n=vf.count()).collect(progress=True) == wanted
    assert 0 < bars[0].n <= len(HEADER + line() * 5_000)
    assert bars[0].text == "0/1 files"
    flows = vf.scan(SAMPLE)
    flows.coverage(progress=True)
    vf.Aggregation(by="srcaddr").update(SAMPLE, progress=True)
    vf.detect(flows, progress=True)
    flows.collect(progress=False)
    assert len(bars) == 4
    assert all(bar.closed for bar in bars)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    monkeypatch.setattr(progress, "_DELAY", 0.05)
    vf.scan(Slow()).group_by("srcaddr").agg(n=vf.count()).collect(progress=True)
    told = capsys.readouterr()
    assert not told.out
    assert " KiB" in told.err
    assert told.err.endswith("\r")

    class Interrupts(Slow):
        def read(self, size=-1):
            os.kill(os.getpid(), signal.SIGINT)
            return super().read(size)

    monkeypatch.setitem(sys.modules, "tqdm.auto", module)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        with pytest.raises(KeyboardInterrupt):
            vf.scan(Interrupts()).agg(n=vf.count()).collect(progress=True)
    finally:
        signal.signal(signal.SIGINT, before)
    assert bars[-1].closed


def test_notebooks_have_a_bar_of_themselves(monkeypatch):
    made = []

    class Bar:
        def __call__(self, *numbers):
            pass

        def close(self):
            made.append("closed")

    monkeypatch.setattr(progress, "_bar", Bar)
    flows = vf.scan(LOG)
    flows.collect()
    assert made == []
    kernel = type(sys)("ipykernel.zmqshell")
    kernel.ZMQInteractiveShell = type("ZMQInteractiveShell", (), {"initialized": staticmethod(lambda: True)})
    monkeypatch.setitem(sys.modules, "ipykernel.zmqshell", kernel)
    flows.collect()
    assert made == ["closed"]
    flows.collect(progress=False)
    flows.collect(progress=lambda *numbers: None)
    assert made == ["closed"]
