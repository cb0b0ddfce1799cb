"""read(write(x)) == x: any record that can be read, written as OCSF and ECS in JSON and Parquet, is read as it was."""

import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vpcflow as vf
from test_export import FIELDS, LONG, WORDS, exported, records_of, vf_quiet

SETTINGS = settings(
    max_examples=3000 if LONG else 25, deadline=None, derandomize=not LONG, suppress_health_check=list(HealthCheck)
)

HOSTILE = ["\u0000", "\x1b[31m", '"', "\\", "\\u0041", "a\nb", "a\tb", "\u2028", "=1+1", "</script>", "🦆", "e\u0301",
           "\ufffd", "{}", "[]", "true", "0", "-0", "1e5", "a,b", "a b ", " a", "null ", "Unknown", "Other", "99", "unknown",
           "Allowed", "Inbound", "ipv4", "unmapped", "a/b", "a~1b", "$ref", "x" * 300]  # fmt: skip
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(codec="utf-8"), max_size=12))
TIMES = st.one_of(st.integers(0, 2**31), st.integers(2**31 + 1, 10**13 - 1), st.sampled_from([0, 1, 2**31 - 1, 2**31]))


def values_of(field):
    if field.name in WORDS:
        return st.one_of(st.sampled_from(WORDS[field.name]), TEXTS)
    if field.type == "address":
        return st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
    if field.type == "time":
        return TIMES
    most = {"uint8": 255, "uint16": 65535, "int32": 2**31 - 1, "int64": 2**63 - 1}.get(field.type)
    return TEXTS if most is None else st.one_of(st.integers(0, most), st.integers(0, min(most, 20)))


@st.composite
def logs(draw, versions=st.integers(2, 11)):
    """JSON lines with fields of some version, so that texts may be any; something names each record."""
    version = draw(versions)
    known = [field for field in FIELDS if field.version <= version]
    fields = draw(st.lists(st.sampled_from(known), unique_by=lambda field: field.name, max_size=len(known)))
    rows = []
    for _ in range(draw(st.integers(1, 6))):
        row = {"interface-id": "eni-1", "start": 1_700_000_000}
        if draw(st.booleans()):
            row |= {"log-status": draw(st.sampled_from(["NODATA", "SKIPDATA"])), "end": 1_700_000_060}
        row |= {field.name: draw(st.one_of(st.none(), values_of(field))) for field in fields}
        if not row["interface-id"] or row["start"] is None:
            row |= {"interface-id": "eni-1", "start": 1_700_000_000}
        rows.append(json.dumps(row))
    return ("\n".join(rows) + "\n").encode()


def as_parquet(log):
    parquet = pytest.importorskip("pyarrow.parquet")
    out = io.BytesIO()
    with vf_quiet():
        parquet.write_table(vf.export(vf.scan(log), "ocsf", unit="records").to_arrow(), out)
    return out.getvalue()


@SETTINGS
@given(log=logs())
def test_records_are_read_as_they_were_written(log):
    records = records_of(log)
    for version in ("1.5.0", "1.1.0"):
        assert records_of(exported(log, "ocsf", version=version)[0]) == records
    assert records_of(exported(log, "ecs")[0]) == records
    assert records_of(as_parquet(log)) == records


@settings(SETTINGS, max_examples=500 if LONG else 8)
@given(log=logs())
def test_columns_hold_what_lines_hold(log):
    lines, ids = exported(log, "ocsf")
    with vf_quiet():
        table = vf.export(vf.scan(log), "ocsf", unit="records").to_arrow()
    assert table["metadata"].combine_chunks().field("uid").to_pylist() == ids
    for row, line in zip(table.to_pylist(maps_as_pydicts="strict"), lines.splitlines()):
        event = json.loads(line)
        for name in ("time_dt", "end_time_dt"):
            row[name] = row[name] and row[name].strftime("%Y-%m-%dT%H:%M:%SZ")
        assert present(row) == present(event)
        assert row["unmapped"] == event.get("unmapped")


def present(value):
    """The value without members that are null."""
    if isinstance(value, list):
        return [present(member) for member in value]
    return {k: present(v) for k, v in value.items() if v is not None} if isinstance(value, dict) else value


FLOWS = st.fixed_dictionaries({
    "srcaddr": st.sampled_from(["10.0.0.1", "10.0.0.2", "2001:db8::1"]), "dstaddr": st.sampled_from(["10.0.0.2", "10.0.0.3"]),
    "srcport": st.sampled_from([22, 443, 40000, 50000]), "dstport": st.sampled_from([22, 443, 40000]),
    "protocol": st.sampled_from([6, 17, 1]), "packets": st.integers(0, 2**40), "bytes": st.integers(0, 2**40),
    "start": st.integers(1_700_000_000, 1_700_000_600), "action": st.sampled_from(["ACCEPT", "REJECT"]),
    "interface-id": st.sampled_from(["eni-1", "eni-2"]), "tcp-flags": st.sampled_from([2, 18, 3, 19]),
})  # fmt: skip


@SETTINGS
@given(flows=st.lists(FLOWS, min_size=1, max_size=8))
def test_sessions_are_read_as_a_record_each(flows):
    log = "\n".join(json.dumps({**flow, "end": flow["start"] + 60}) for flow in flows).encode()
    with vf_quiet():
        sessions = list(vf.scan(log).sessions().collect())
    for schema, both in (("ocsf", True), ("ecs", False)):
        back = records_of(exported(log, schema, unit="sessions")[0])
        assert len(back) == len(sessions)
        for record, session in zip(back, sessions):
            ends = ("client", "server", "client_port", "server_port", "protocol", "interface")
            names = ("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "interface-id")
            assert [record.get(name) for name in names] == [session[end] for end in ends]
            for what in ("bytes", "packets"):
                of_server = session[f"server_{what}"] or 0
                assert record[what] == (session[f"client_{what}"] or 0) + of_server, (schema, both)
            assert record["action"] == ("REJECT" if session["state"] == "rejected" else "ACCEPT")
