"""SQL over flow logs: answers, what is read for them, errors."""

import gzip
import json

import pytest

import vpcflow as vf
from conftest import HEADER, SAMPLE, line, run_cli
from vpcflow.io._conditions import from_arrow

duckdb = pytest.importorskip("duckdb")
pytest.importorskip("pyarrow")
LOG = HEADER + line(size=5) + line(src="10.0.0.2", dstport=443, size=7, action="REJECT") + line(size=9, start=2000, end=2060)
CONDITIONS = [
    "dstport = 22", "dstport <> 22", "dstport in (22, 443)", "dstport not in (22, 80)", "not (dstport = 22)", "bytes > 6 and bytes < 9",
    "bytes >= 7 or dstport = 443", "bytes between 6 and 8", "bytes > 6.5", "bytes = -1", "bytes * 2 = 14",
    "action = 'REJECT'", "action = 'reject'", "action <> 'reject'", "action != 'REJECT'", "action in ('REJECT', 'x')", "not (action = 'reject')",
    "action not in ('reject', 'ACCEPT')", "action = 'DENY'", "action like 'REJ%'", "action > 'B'", "lower(action) = 'reject'",
    "srcaddr = '10.0.0.2'", "srcaddr <> '10.0.0.2'", "srcaddr = '10.0.0.02'", "not (srcaddr = '010.0.0.1')", "srcaddr = 'x'", "srcaddr >= '10.0.0.2'",
    "start >= '1970-01-01 00:20:00'", "start = '1970-01-01 00:16:40+00'", "start > '1970-01-01 00:16:40.5'", "start < '1960-01-01'",
    "action is null", "action is not null", "not (action is null)", "interface_id is null or dstport = 443",
    "not (dstport = 22 and action = 'ACCEPT')", "(dstport = 22 or action = 'reject') and bytes < 9", "account_id = '123456789010'", "interface_id = 'it''s'",
    "interface_id = 'a\"b\\c'", "protocol = 6 and dstport is not null", "version in (select 2)", "true", "false", "null",
]  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions_mean_what_duckdb_means(condition, quiet):
    """The oracle: all records as a plain table of DuckDB."""
    log = LOG + b"2 1 eni-2 - - - - - - - 900 960 - NODATA\n"
    everything = vf.scan(log).collect().to_arrow()
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.register("flows", everything.cast(vf.scan(log).sql("select * from flows").to_arrow_table().schema))
    query = f"select interface_id, srcaddr, dstport, bytes, action, start from flows where {condition} order by all"
    assert vf.scan(log).sql(query).fetchall() == connection.sql(query).fetchall()


def test_only_what_is_needed_is_read(monkeypatch):
    seen = []
    from vpcflow.query.flows import Flows

    batches = Flows._batches
    monkeypatch.setattr(Flows, "_batches", lambda self, rows: seen.append((self.columns, " and ".join(f"({part})" for part in self._spec.filters))) or batches(self, rows))
    flows = vf.scan(LOG)
    assert flows.sql("select sum(bytes) from flows where dstport = 22 and start >= '1970-01-01 00:30:00'").fetchall() == [(9,)]
    assert flows.sql("select count(*) from flows").fetchall() == [(3,)]
    assert flows.sql("select a.bytes from flows a join flows b using (bytes) where b.dstport = 443").fetchall() == [(7,)]
    assert seen[0][0] == ["dstport", "bytes", "start"]
    assert "dstport = 22" in seen[0][1]
    assert "start >= 1800" in seen[0][1]
    assert len(seen[1][0]) == 1
    assert seen[1][1] == ""
    assert any("dstport = 443" in where for _, where in seen[2:])
    seen.clear()
    flows.sql("select 1")
    flows.sql("select count(*) from sessions")
    assert not seen


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("(dstport == 22)", "dstport = 22"),
        ("((srcaddr == \"10.0.0.1\") and foo(bytes, {pattern=\"(\", x=3}))", "srcaddr = '10.0.0.1'"),
        ("((srcaddr == \"10.0.0.1\") or foo(bytes, {pattern=\"(\", x=3}))", None),
        ("invert(foo(bytes))", None),
        ("invert((action == \"REJECT\"))", None),
        ("(tier == \"x\")", None),  # no field of the catalogue
        ("(sourceaddress == \"10.0.0.1\")", None),
        ("((bytes == 1)", None),
        ("(bytes == 1))", None),
        ("", None),
        ("\x00", None),
        ("(" * 5000, None),
    ],
)
def test_expressions_that_are_not_known_are_left_to_duckdb(written, ours):
    assert from_arrow(written) == ours


def test_fields_of_the_logs_alone(quiet):
    flows = vf.scan(b"sourceaddress srcaddr bytes\nx 10.0.0.1 5\ny 10.0.0.2 7\n")
    assert flows.sql("select bytes from flows where sourceaddress = 'y'").fetchall() == [(7,)]


def test_filters_and_labels_of_the_query_apply():
    flows = vf.scan(LOG).filter("bytes > 5").label("net", "srcaddr", vf.labels.prefixes({"10.0.0.2/32": "one"}))
    assert flows.sql("select bytes from flows order by 1").fetchall() == [(7,), (9,)]
    assert flows.select("net", "bytes").sql("select bytes from flows where net = 'one'").fetchall() == [(7,)]
    with pytest.raises(vf.PlanError, match="sql comes before group_by"):
        flows.group_by("srcaddr").agg().sql("select 1")


@pytest.mark.parametrize("wrap", [lambda x: x, gzip.compress, lambda x: json.dumps({"logEvents": [{"message": m} for m in x.decode().splitlines()[1:]], "messageType": "DATA_MESSAGE", "owner": "1", "logGroup": "g", "logStream": "eni-1-all", "subscriptionFilters": []}).encode()], ids=["text", "gzip", "subscription"])  # fmt: skip
def test_of_any_container(wrap):
    assert vf.scan(wrap(LOG)).sql("select sum(bytes) from flows").fetchall() == [(21,)]


def test_sessions_and_findings():
    flows = vf.scan(SAMPLE)
    states = dict(flows.sql("select state, count(*) from sessions group by 1").fetchall())
    sessions = flows.sessions().collect()
    assert states == {state: sessions["state"].count(state) for state in set(sessions["state"])}
    found = flows.sql("select detector, actor, targets[1], json_extract(evidence, '$.dstport') is null from findings").fetchall()
    assert sorted(row[:2] for row in found) == sorted((f.detector, f.actor) for f in vf.detect(flows))
    both = "select count(*) from sessions s join findings f on s.client = f.actor where f.detector = 'port_scan'"
    assert flows.sql(both).fetchall()[0][0] > 2000


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("selec 1", "sql: Parser Error: syntax error at or near"),
        ("select byts from flows", "sql: Binder Error: Referenced column"),
        ("select * from flow", "sql: Catalog Error"),
        ("select 1; drop table flows", "sql: "),
        ("select 1/x from (select 'a'::int x)", "sql: Conversion Error"),
        ("", "sql: "),
    ],
)
def test_errors_of_duckdb_are_ours(query, text):
    with pytest.raises(vf.PlanError, match=text):
        vf.scan(LOG).sql(query)
    assert text.encode() in run_cli("sql", "-", query, stdin=LOG, check=2).stderr


def test_damage_and_emptiness():
    cut = gzip.compress(LOG) + gzip.compress(LOG)[:-2]
    with pytest.raises(vf.SourceError, match="gzip") as raised:
        vf.scan(cut).sql("select count(*) from flows")
    assert raised.value.partial.fetchall()[0][0] >= 3
    done = run_cli("sql", "-", "select count(*) as n from flows", "--json", stdin=cut, check=2)
    assert json.loads(done.stdout)["n"] >= 3
    assert done.stderr.count(b"gzip") == 1
    with pytest.raises(vf.NoRecordsError):
        vf.scan(HEADER).sql("select count(*) from flows")
    assert b"no record" in run_cli("sql", "-", "select count(*) from flows", stdin=HEADER, check=2).stderr
    assert vf.scan(HEADER, allow_empty=True).sql("select count(*) from flows").fetchall() == [(0,)]
    rejects = run_cli("sql", "-", "select count(*) as n from flows", "--max-rejects", 0, stdin=LOG + b"bad\n", check=3)
    assert b"1 line rejected" in rejects.stderr
    with pytest.warns(vf.DataQualityWarning, match="1 line rejected"):
        vf.scan(LOG + b"bad\n").sql("select count(*) from flows")
    with pytest.raises(vf.SourceError, match="read"):  # a stream is read once
        vf.scan(iter(LOG.splitlines(True))).sql("select count(*) from flows a, flows b")


def test_the_command():
    done = run_cli("sql", "-", "select start, srcaddr, bytes::decimal(6, 2) as size, [1, 2] as l, null as x from flows limit 1", "--json", stdin=LOG, check=0)
    assert json.loads(done.stdout) == {"start": 1000, "srcaddr": "10.0.0.1", "size": 5.0, "l": [1, 2], "x": None}
    page = run_cli("sql", "-", "select start, sum(bytes) as bytes from flows group by all order by all", "--human", stdin=LOG, check=0)
    assert page.stdout.decode().splitlines()[1].split() == ["1970-01-01", "00:16:40", "12", "B"]
    assert b"no rows" in run_cli("sql", "-", "select * from flows where dstport = 1", stdin=LOG, check=0).stderr
