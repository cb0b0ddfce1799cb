"""Records and sessions as events: what the slow writer makes, what reading gives back, what the official schema allows."""

import copy
import io
import ipaddress
import json
import os
import random

import pytest

import slow_events
import vpcflow as vf
from vpcflow import _core, cli, siem
from vpcflow.siem.community import community_id_of, community_ids

LONG = bool(os.environ.get("VPCFLOW_LONG"))  # make soak
FIELDS = vf.fields()
V4 = ["10.0.0.1", "10.0.3.7", "172.31.2.52", "198.51.100.9", "0.0.0.0", "255.255.255.255"]
V6 = ["2001:db8::1", "fe80::1:2", "::", "64:ff9b::102:304"]
TEXTS = ["a", "x y", "q\"uote", "back\\slash", "tab", "ünïcode", "eni-0a1", "=1+1", "{}", "a:b", "100%25"]
WORDS = {
    "action": ["ACCEPT", "REJECT", "REJECT", "DROP"], "log-status": ["OK", "OK", "OK", "NODATA", "SKIPDATA", "LATE"],
    "type": ["IPv4", "IPv6", "EFA"], "flow-direction": ["ingress", "egress", "sideways"], "account-id": ["123456789010", "000000000001", "unknown"],
}  # fmt: skip


def random_value(rng, field):
    if rng.random() < 0.15:
        return "-"
    name = field.name
    if name in WORDS:
        return rng.choice(WORDS[name])
    if field.type == "address":
        return rng.choice(V6 if rng.random() < 0.3 else V4)
    if field.type == "time":
        return str(rng.choice([0, 1, 99999, 2_147_483, 2_147_484, rng.randrange(10**9, 2 * 10**9), 2_147_483_648]))
    if name == "traffic-path":
        return str(rng.choice([0, *range(1, 9), 9, 77]))
    if field.type == "uint8":
        return str(rng.choice([0, 1, 6, 17, 58, 47, 41, 200, 255]))
    if field.type == "uint16":
        return str(rng.choice([0, 22, 443, 65535]))
    if field.type == "int32":
        return str(rng.choice([0, 2, 18, 2**31 - 1]))
    if field.type == "int64":
        return str(rng.choice([0, 1, 40, 10**12, 2**63 - 1]))
    return rng.choice([text.replace(" ", "_") for text in TEXTS])


def random_log(rng, rows):
    """A log of a random format of some version, with a header; something names each record."""
    version = rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    known = [f for f in FIELDS if f.version <= version]
    chosen = {f.name for f in rng.sample(known, rng.randrange(len(known) + 1))} | {"srcaddr", "dstaddr", "start"}
    fields = [f for f in FIELDS if f.name in chosen]
    if rng.random() < 0.5:
        rng.shuffle(fields)
    lines = [" ".join(f.name for f in fields)]
    for _ in range(rows):
        values = {f.name: random_value(rng, f) for f in fields}
        if values["srcaddr"] == values["dstaddr"] == "-" or values["start"] == values.get("end", "-") == "-":
            values |= {"srcaddr": rng.choice(V4), "start": "1600000000"}  # else it names no flow
        lines.append(" ".join(values.values()))
    return ("\n".join(lines) + "\n").encode()


def records_of(source):
    """The records by AWS's names, times in seconds, those that are null left out."""
    names = {f.column: f.name for f in FIELDS}
    with vf_quiet():
        rows = vf.scan(source)._with(allow_missing=True).collect()
    plain = [{names[k]: v for k, v in row.items() if v is not None and k in names} for row in rows.rows()]
    for row in plain:
        for name in ("start", "end"):
            if hasattr(row.get(name), "timestamp"):
                row[name] = int(row[name].timestamp())
    return plain


def vf_quiet():
    import warnings

    context = warnings.catch_warnings()
    context.__enter__()
    warnings.simplefilter("ignore")

    class Leave:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            context.__exit__(*error)

    return Leave()


def exported(source, schema, unit="records", version=None, rows=8192):
    with vf_quiet():
        events = vf.export(vf.scan(source), schema, unit=unit, version=version)
        batches = list(events.batches(rows))
    return b"".join(b.lines for b in batches), [uid for b in batches for uid in b.ids]


SEEDS = range(200) if LONG else range(12)


@pytest.mark.parametrize("seed", SEEDS)
def test_events_are_those_of_the_slow_writer_and_read_back_as_they_were(seed):
    rng = random.Random(seed)
    log = random_log(rng, 60)
    records = records_of(log)
    for schema, slow in (("ocsf", slow_events.ocsf), ("ecs", slow_events.ecs)):
        lines, ids = exported(log, schema, rows=rng.choice([7, 8192]))
        events = [json.loads(line) for line in lines.splitlines()]
        assert len(set(ids)) == len(ids) == len(records)
        for event, record, uid in zip(events, records, ids):
            assert event == slow(record, uid)
        assert records_of(lines) == records, schema


@pytest.mark.parametrize("seed", list(SEEDS)[:4])
def test_nested_columns_read_back_as_they_were(seed):
    parquet = pytest.importorskip("pyarrow.parquet")
    log = random_log(random.Random(1000 + seed), 60)
    with vf_quiet():
        table = vf.export(vf.scan(log), "ocsf", unit="records").to_arrow()
    out = io.BytesIO()
    parquet.write_table(table, out)
    assert records_of(out.getvalue()) == records_of(log)
    lines, _ = exported(log, "ocsf")
    for row, line in zip(table.to_pylist(), lines.splitlines()):
        event = json.loads(line)
        own = dict(row.pop("unmapped") or [])
        assert own == event.pop("unmapped", {})
        row = slow_events.without_none(row)
        for name in ("time_dt", "end_time_dt"):
            if name in row:
                row[name] = row[name].strftime("%Y-%m-%dT%H:%M:%SZ")
        assert row == event


LINE = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 4242 22 6 20 4249 1418530010 1418530070 REJECT OK\n"


def test_ids_are_those_of_the_object_and_of_nothing_else(tmp_path):
    (tmp_path / "a").mkdir()
    for name, text in (("a/flow.log", LINE * 3), ("flow.log", LINE * 3), ("other.log", LINE * 3), ("a/one.log", LINE)):
        (tmp_path / name).write_text(text)
    _, ids = exported(str(tmp_path / "flow.log"), "ocsf")
    assert len(set(ids)) == 3  # equal lines are different events
    assert exported(str(tmp_path / "a/flow.log"), "ecs", rows=1)[1] == ids
    assert not set(exported(str(tmp_path / "other.log"), "ocsf")[1]) & set(ids)
    # A name that is used again for other records gives other ids.
    (tmp_path / "flow.log").write_text(LINE.replace("4249", "4250") * 3)
    assert not set(exported(str(tmp_path / "flow.log"), "ocsf")[1]) & set(ids)
    # What a filter takes out does not change the ids of the others.
    (tmp_path / "flow.log").write_text(LINE.replace(" 22 ", " 23 ") + LINE * 2)
    events = vf.export(vf.scan(str(tmp_path / "flow.log")).filter("dstport = 22"), "ocsf", unit="records")
    assert [uid for batch in events.batches() for uid in batch.ids] == exported(str(tmp_path / "flow.log"), "ocsf")[1][1:]


def test_equal_records_that_are_wrapped_are_different_events(tmp_path):
    events = [{"id": str(n), "timestamp": 1, "message": line} for n, line in enumerate([LINE.strip()] * 3 + [LINE.replace(" 22 ", " 23 ").strip()])]
    (tmp_path / "a.json").write_text(json.dumps({"logEvents": events}))
    _, ids = exported(str(tmp_path / "a.json"), "ecs")
    assert len(set(ids)) == 4
    assert exported(str(tmp_path / "a.json"), "ecs", rows=1)[1] == ids
    chosen = vf.export(vf.scan(str(tmp_path / "a.json")).filter("dstport = 22"), "ecs", unit="records")
    assert [uid for batch in chosen.batches() for uid in batch.ids] == ids[:3]


COMMUNITY = b"""srcaddr dstaddr srcport dstport protocol start end action pkt-srcaddr
128.232.110.120 66.35.250.204 34855 80 6 0 60 ACCEPT 128.232.110.120
66.35.250.204 10.0.0.1 80 34855 6 0 60 ACCEPT 66.35.250.204
192.168.1.52 8.8.8.8 54585 53 17 0 60 ACCEPT 192.168.1.52
192.168.0.89 192.168.0.1 8 0 1 0 60 ACCEPT 192.168.0.89
10.1.1.1 192.168.170.56 7 80 132 0 60 ACCEPT 192.168.170.8
fe80:1:203:405:607:809:a0b:c0d fe80:1:203:405:607:809:a0b:1011 - - 46 0 60 ACCEPT -
- - - - - 0 60 - -
"""
# The specification's test vectors, of seed 0; of 10.1.1.1 the packet's address counts. ICMP has none in flow logs.
NAMED = ["1:LQU9qZlK+B5F3KDmev6m5PMibrg=", None, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", None, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ="]


def test_community_ids_are_those_of_the_specification():
    communityid = pytest.importorskip("communityid")

    def other(source, destination, srcport, dstport, protocol):
        return communityid.CommunityID().calc(communityid.FlowTuple(protocol, source, destination, srcport, dstport))

    places = {("ocsf", None): ("connection_info", "community_uid"), ("ocsf", "1.1.0"): ("unmapped", "community_id"),
              ("ecs", None): ("network", "community_id")}  # fmt: skip
    for (schema, version), (parent, name) in places.items():
        events = vf.export(vf.scan(COMMUNITY), schema, version=version, unit="records", community_id=True)
        found = [json.loads(line).get(parent, {}).get(name) for batch in events.batches() for _, line in batch]
        assert found[0] == NAMED[0] == other("128.232.110.120", "66.35.250.204", 34855, 80, 6)
        assert found[1] == other("66.35.250.204", "10.0.0.1", 80, 34855, 6)
        assert found[2] == NAMED[2] == other("8.8.8.8", "192.168.1.52", 53, 54585, 17)
        assert found[3] is None
        assert found[4] == NAMED[4] == other("192.168.170.56", "192.168.170.8", 80, 7, 132)
        assert found[5] is not None
        assert found[6] is None
        plain = [json.loads(line) for line in exported(COMMUNITY, schema, version=version)[0].splitlines()]
        assert not any(event.get(parent, {}).get(name) for event in plain)
    table = vf.export(vf.scan(COMMUNITY), "ocsf", unit="records", community_id=True).to_arrow()
    assert table["connection_info"].combine_chunks().field("community_uid").to_pylist()[2] == NAMED[2]
    (one, *_) = vf.export(vf.scan(COMMUNITY), "ecs", community_id=True).batches()
    assert NAMED[0].encode() in one.lines


def test_many_community_ids_are_those_of_each():
    """In the loop for many as in the call for one: of any ends and ports, equal ones and those of other protocols."""
    rng = random.Random(11)
    ends = [*V4[:4], *V6, None]
    rows = [
        (rng.choice(ends), rng.choice(ends), rng.choice([6, 17, 132, 1, 58, 47, 0, 255, None]),
         *(rng.choice([0, 1, 255, 256, 65535, None]) for _ in range(2)))
        for _ in range(4000)
    ]  # fmt: skip
    names = ("client", "server", "protocol", "client_port", "server_port")
    expected = [community_id_of(dict(zip(names, row))) for row in rows]
    assert community_ids(*zip(*rows)) == expected
    assert sum(name is not None for name in expected) > 500


def test_send_names_conversations_as_convert_does(tmp_path, capfdbinary):
    (tmp_path / "f.log").write_bytes(PAIR)
    options = [str(tmp_path / "f.log"), "--unit", "records", "--community-id"]
    assert cli.main(["send", *options, "--to", "file:-", "--as", "ecs"]) == 0
    assert cli.main(["convert", *options, "-o", str(tmp_path / "e.jsonl"), "--to", "ecs-jsonl"]) == 0
    made = capfdbinary.readouterr().out
    assert made == (tmp_path / "e.jsonl").read_bytes()
    assert b'"community_id":"1:' in made
    for wrong in (["--as", "cim"], ["--as", "ecs", "--unit", "findings"]):
        assert cli.main(["send", *options, "--to", "file:-", *wrong]) == 2


def test_an_output_of_nothing_says_of_what(tmp_path, capsys):
    (tmp_path / "f.log").write_bytes(PAIR)
    for to in ("ecs-jsonl", "csv"):
        options = ["-o", str(tmp_path / "out"), "--to", to, "--where", "dstport = 7"]
        assert cli.main(["convert", str(tmp_path / "f.log"), *options]) == 0
        assert "0 of 3 records pass the filter" in capsys.readouterr().err


PAIR = b"""srcaddr dstaddr srcport dstport protocol packets bytes start end action interface-id tcp-flags
10.0.0.1 10.0.0.2 40000 443 6 9 840 0 60 ACCEPT eni-1 3
10.0.0.2 10.0.0.1 443 40000 6 8 9000 0 61 ACCEPT eni-1 19
10.0.0.5 10.0.0.2 40001 22 6 1 40 0 60 REJECT eni-1 2
"""


def test_a_session_is_an_event_with_both_counts():
    lines, ids = exported(PAIR, "ocsf", unit="sessions")
    first, second = (json.loads(line) for line in lines.splitlines())
    assert first["traffic"] == {"bytes": 9840, "packets": 17, "bytes_out": 840, "packets_out": 9, "bytes_in": 9000, "packets_in": 8}
    assert (first["src_endpoint"]["ip"], first["dst_endpoint"]["port"], first["action"]) == ("10.0.0.1", 443, "Allowed")
    assert first["unmapped"]["state"] == "established"
    assert first["unmapped"]["client_known"] == "true"
    assert (second["action"], second["activity_id"], second["unmapped"]["state"]) == ("Denied", 5, "rejected")
    # The id is the same whichever end is the client.
    turned = PAIR.replace(b" 3\n", b" 18\n").replace(b" 19\n", b" 2\n")
    other, ids_turned = exported(turned, "ocsf", unit="sessions")
    assert json.loads(other.splitlines()[0])["src_endpoint"]["ip"] == "10.0.0.2" or ids_turned
    assert set(ids_turned) == set(ids)
    assert json.loads(exported(PAIR, "ecs", unit="sessions")[0].splitlines()[0])["destination"]["bytes"] == 9000
    back = records_of(lines)
    assert [(r["srcaddr"], r["dstaddr"], r["bytes"], r["action"]) for r in back] == [
        ("10.0.0.1", "10.0.0.2", 9840, "ACCEPT"), ("10.0.0.5", "10.0.0.2", 40, "REJECT"),
    ]  # fmt: skip


def test_a_label_of_a_computed_values_name_is_a_label():
    names = vf.labels.prefixes({"10.0.0.0/8": "inside"})
    for name in ("time", "direction", "duration", "verdict", "reason", "device"):
        events = vf.export(vf.scan(NAT).label(name, "pkt-srcaddr", names), unit="records")
        (plain,) = (json.loads(line) for line in exported(NAT, "ocsf")[0].splitlines())
        (labelled,) = (json.loads(batch.lines) for batch in events.batches())
        assert labelled["unmapped"].pop(name) == "inside"
        assert labelled["time"] == plain["time"]
        assert labelled["connection_info"] == plain["connection_info"]


def test_sessions_are_the_default_and_need_no_call():
    assert vf.export(vf.scan(PAIR)).unit == "sessions"
    asked = b"".join(batch.lines for batch in vf.export(vf.scan(PAIR).sessions(idle="1h")).batches(1))
    assert asked == exported(PAIR, "ocsf", unit="sessions")[0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f: vf.export(f, "ocfs"), "'ocfs': expected one of ocsf, ecs"),
        (lambda f: vf.export(f, "ocsf", version="2.0.0"), "OCSF 2 is not published .* '2.0.0': expected one of 1.5.0, 1.1.0"),
        (lambda f: vf.export(f, "ocsf", version="1.9"), "version of ocsf '1.9': expected one of 1.5.0, 1.1.0"),
        (lambda f: vf.export(f, "cim", community_id=True), "it is of ocsf, ecs"),
        (lambda f: vf.export(f, hub="123456789012/eu-west-1"), "of findings as 'asff'"),
        (lambda f: vf.export(f, "cim", version="5"), "has no versions"),
        (lambda f: vf.export(f, unit="session"), "expected one of sessions, records"),
        (lambda f: vf.export(f, unit="findings"), "vpcflow.detect"),
        (lambda f: vf.export(f.sessions(), unit="records"), "without sessions()"),
        (lambda f: vf.export(f.group_by("srcaddr").agg(n=vf.count()), unit="records"), "group_by"),
        (lambda f: list(vf.export(f, "ecs").arrow_batches()), "nested columns are of 'ocsf'"),
        (lambda f: list(vf.export(f).batches(0)), "expected at least 1"),
    ],
)
def test_what_cannot_be_is_an_error_with_what_can(call, words):
    with pytest.raises(vf.PlanError, match=words.replace("(", r"\(").replace(")", r"\)")):
        call(vf.scan(PAIR))


def test_no_record_is_an_error_and_damage_comes_behind_what_could_be_read(tmp_path):
    import gzip

    with pytest.raises(vf.NoRecordsError):
        list(vf.export(vf.scan(b"srcaddr dstaddr start end\n"), unit="records").batches())
    cut = tmp_path / "cut.log.gz"
    cut.write_bytes(gzip.compress((LINE * 200_000).encode(), 1)[:-30_000])
    for unit in ("records", "sessions"):
        events = vf.export(vf.scan(str(cut)), unit=unit)
        with pytest.raises(vf.DataLossError):
            list(events.batches())
        assert events.written > 0


FLAT = {
    "cim": {"src_ip": "10.0.0.1", "dest_port": 22, "action": "blocked", "transport": "tcp", "direction": "inbound", "bytes_in": 840, "_time": 1418530010},
    "asim": {"SrcIpAddr": "10.0.0.9", "SrcNatIpAddr": "10.0.0.1", "DstPortNumber": 22, "DvcAction": "Deny", "NetworkProtocol": "TCP",
             "EventStartTime": "2014-12-14T04:06:50Z", "NetworkDirection": "Inbound", "AdditionalFields": {"log_status": "OK"}},
    "awsvpcflow": {"SrcAddr": "10.0.0.9", "PktSrcAddr": "10.0.0.1", "DstPort": 22, "Action": "REJECT", "TimeGenerated": "2014-12-14T04:06:50Z", "Protocol": 6},
    "udm": {"principal": {"ip": ["10.0.0.1"], "nat_ip": ["10.0.0.9"], "port": 4242}, "security_result": [{"action": ["BLOCK"]}]},
}  # fmt: skip
NAT = b"""srcaddr pkt-srcaddr dstaddr srcport dstport protocol packets bytes start end action flow-direction log-status
10.0.0.9 10.0.0.1 10.0.0.2 4242 22 6 9 840 1418530010 1418530070 REJECT ingress OK
"""


@pytest.mark.parametrize("schema", FLAT)
def test_schemas_that_are_not_read(schema):
    event = json.loads(exported(NAT, schema)[0])
    for name, value in FLAT[schema].items():
        assert event[name] == value, name


def test_cef_has_one_header_and_escaped_values():
    log = NAT.replace(b"log-status", b"vpc-id").replace(b" OK", b" a=b\\c|d")
    (line,) = exported(log, "cef")[0].decode().splitlines()
    head, extension = line.split("|", 7)[:7], line.split("|", 7)[7]
    assert head == ["CEF:0", "AWS", "VPC Flow Logs", "1", "reject", "Flow rejected", "3"]
    assert "src=10.0.0.1 " in extension
    assert "sourceTranslatedAddress=10.0.0.9 " in extension
    assert r"cs3=a\=b\\c|d " in extension


def test_every_row_that_is_written_and_read_names_fields():
    names = {f.name for f in FIELDS}
    for schema in _core.event_schemas():
        assert set(filter(None, (row["reads"] for row in schema["rows"]))) <= names
    assert set(siem.schemas()) == {"ocsf", "ecs", "cim", "asim", "awsvpcflow", "udm", "cef"}


@pytest.mark.parametrize("version", ["1.1.0", "1.5.0"])
def test_the_official_schema_has_nothing_against_any_event(version):
    pytest.importorskip("ocsf_json_schema")
    from ocsf_schema import errors_of

    logs, rows = (20, 5000) if LONG else (6, 40)
    for seed in range(logs):
        log = random_log(random.Random(f"{version} {seed}"), rows)
        for unit in ("records", "sessions"):
            if unit == "sessions" and b"end" not in log.split(b"\n")[0].split():
                continue
            for line in exported(log, "ocsf", unit=unit, version=version)[0].splitlines():
                assert errors_of(json.loads(line), version, "network_activity") == [], line


# Of @elastic/ecs 9.4.0 (EcsFlat): names of fields by their types, and what an enumeration allows.
ECS = {
    "date": "@timestamp event.start event.end",
    "keyword": "ecs.version event.id event.kind event.category event.module event.dataset event.provider event.type event.outcome "
    "event.action event.reason cloud.provider cloud.account.id cloud.region cloud.availability_zone cloud.instance.id source.address "
    "destination.address network.iana_number network.transport network.type network.direction observer.ingress.interface.id "
    "observer.egress.interface.id",
    "ip": "source.ip source.nat.ip destination.ip destination.nat.ip related.ip",
    "long": "event.duration source.port source.bytes source.packets destination.port destination.bytes destination.packets "
    "network.bytes network.packets",
}  # fmt: skip
ECS_ALLOWED = {
    "event.kind": {"event"}, "event.category": {"network"}, "event.outcome": {"success", "failure", "unknown"},
    "event.type": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "network.type": {"ipv4", "ipv6"}, "network.direction": {"ingress", "egress", "unknown"},
}  # fmt: skip
ECS_ARRAYS = {"event.category", "event.type", "related.ip"}


def leaves(value, path=""):
    for name, member in value.items():
        at = f"{path}.{name}".lstrip(".")
        yield from leaves(member, at) if isinstance(member, dict) else [(at, member)]


@pytest.mark.parametrize("unit", ["records", "sessions"])
def test_ecs_has_its_fields_alone_with_their_types(unit):
    types = {name: kind for kind, names in ECS.items() for name in names.split()}
    log = random_log(random.Random(f"ecs {unit}"), 300) if unit == "records" else PAIR
    seen = set()
    for line in exported(log, "ecs", unit=unit)[0].splitlines():
        event = json.loads(line)
        assert set(event.pop("aws")) == {"vpcflow"}  # Elastic's integration's, not of ECS
        for path, value in leaves(event):
            seen.add(path)
            assert isinstance(value, list) == (path in ECS_ARRAYS), path
            for one in value if isinstance(value, list) else [value]:
                kind = types[path]
                assert isinstance(one, int if kind == "long" else str), path
                if kind == "ip":
                    ipaddress.ip_address(one)
                assert one in ECS_ALLOWED.get(path, {one})
    assert {"source.ip", "event.type", "related.ip", "network.bytes" if unit == "sessions" else "destination.ip"} <= seen


WRONG = [
    lambda e: e.pop("activity_id"), lambda e: e.pop("class_uid"), lambda e: e.pop("category_uid"), lambda e: e.pop("metadata"),
    lambda e: e.pop("severity_id"), lambda e: e.pop("time"), lambda e: e.pop("type_uid"), lambda e: e.pop("cloud"),
    lambda e: e.update(time="2026-11-23"), lambda e: e.update(activity_id=8), lambda e: e.update(activity_id="6"),
    lambda e: e.update(action_id=17), lambda e: e.update(foreign=1), lambda e: e.update(src_endpoint="10.0.0.1"),
    lambda e: e["src_endpoint"].update(ip="10.0.0.300.1"), lambda e: e["src_endpoint"].update(port=70000),
    lambda e: e["src_endpoint"].update(bytes=1), lambda e: e["connection_info"].pop("direction_id"),
    lambda e: e["connection_info"].update(boundary_id=98), lambda e: e["traffic"].update(bytes="many"),
    lambda e: e["metadata"].pop("version"), lambda e: e["metadata"].update(profiles="cloud"), lambda e: e["cloud"].pop("provider"),
    lambda e: e.update(end_time_dt="2026-11-23 06:00"), lambda e: e.update(observables={}),
]  # fmt: skip


@pytest.mark.parametrize("version", ["1.1.0", "1.5.0"])
def test_the_official_schema_refuses_what_is_wrong(version):
    pytest.importorskip("ocsf_json_schema")
    from ocsf_schema import errors_of

    event = json.loads(exported(NAT, "ocsf", version=version)[0])
    assert errors_of(event, version, "network_activity") == []
    for change in WRONG:
        wrong = copy.deepcopy(event)
        change(wrong)
        assert errors_of(wrong, version, "network_activity") != []


def test_findings_as_events():
    found = vf.Finding("port_scan", "high", "203.0.113.7", ["10.0.0.2", "2001:db8::1"], 0, 60, 0.91, "T1046",
                       {"dstport": 22, "ports": 900}, {}, "203.0.113.7 tried 900 ports\nof 10.0.0.2")  # fmt: skip
    findings = vf.detect(vf.scan(PAIR))._like([found, found])
    events = {schema: list(vf.export(findings, schema).batches(1)) for schema in ("ocsf", "asff", "ecs", "cef", "leef")}
    assert len({batch.ids[0] for batches in events.values() for batch in batches}) == 1
    ocsf, asff, ecs = (json.loads(events[schema][0].lines) for schema in ("ocsf", "asff", "ecs"))
    assert (ocsf["class_uid"], ocsf["severity_id"], ocsf["evidences"][0]["dst_endpoint"]) == (2004, 4, {"ip": "10.0.0.2", "port": 22})
    assert (asff["Severity"], asff["Network"]["DestinationPort"], len(asff["Resources"])) == ({"Label": "HIGH"}, 22, 3)
    assert (ecs["event"]["kind"], ecs["related"]["ip"]) == ("alert", ["203.0.113.7", "10.0.0.2", "2001:db8::1"])
    for schema in ("cef", "leef"):
        assert events[schema][0].lines.count(b"\n") == 1
    with pytest.raises(vf.PlanError, match="expected one of ocsf, asff"):
        vf.export(findings, "udm")
    pytest.importorskip("ocsf_json_schema")
    from ocsf_schema import errors_of

    for version in ("1.1.0", "1.5.0"):
        event = json.loads(next(iter(vf.export(findings, "ocsf", version=version).batches())).lines.splitlines()[0])
        assert errors_of(event, version, "detection_finding") == []


ARN = "arn:aws:ec2:eu-west-1:123456789012:network-interface/eni-0a1b"


def test_findings_of_a_hub_are_within_its_limits():
    text = "\u2028é" * 3000
    found = vf.Finding(
        "port_scan", "high", "10.0.0.5", [f"10.0.{i}.1" for i in range(90)], 0, 60, 0.9, "",
        {f"{text}{i}": text for i in range(90)}, {}, text,
    )  # fmt: skip
    empty = vf.Finding("rule/with/slashes", "low", "", [], 0, 60, 0.5, "", {}, {}, "")
    findings = vf.detect(vf.scan(PAIR))._like([found, empty])
    known = {"10.0.0.5": "eni-0a1b", "10.0.0.1": "arn:aws:ec2:eu-west-1:123456789012:instance/i-1", "10.0.1.1": "my-host"}
    events = vf.export(findings, "asff", hub="123456789012/eu-west-1", resources=known)
    lines = [line for batch in events.batches() for _, line in batch]
    first, second = map(json.loads, lines)
    for one, line in ((first, lines[0]), (second, lines[1])):
        assert len(line) <= 240_000
        assert 1 <= len(one["Resources"]) <= 32
        assert 1 <= len(one["Description"]) <= 1024
        assert 1 <= len(one["Title"]) <= 256
        assert len(one.get("ProductFields", {})) <= 50
        assert all(len(k) <= 128 and len(v) <= 2048 for k, v in one.get("ProductFields", {}).items())
        assert all(kind.count("/") == 1 for kind in one["Types"])
        assert one["AwsAccountId"] == "123456789012"
        assert one["ProductArn"] == "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default"
    assert [(r["Type"], r["Id"]) for r in first["Resources"][:3]] == [
        ("AwsEc2NetworkInterface", ARN), ("AwsEc2Instance", known["10.0.0.1"]), ("Other", "my-host"),
    ]  # fmt: skip
    assert second["Resources"][0]["Id"] == "unknown"
    (china, _) = next(iter(vf.export(findings, "asff", hub="123456789012/cn-north-1").batches()))
    assert json.loads(china[1])["ProductArn"].startswith("arn:aws-cn:")
    for call, words in (
        (lambda: vf.export(findings, "asff", hub="eu-west-1"), "123456789012/eu-west-1"),
        (lambda: vf.export(findings, "asff", hub="123456789012/eu-west-1", resources={"host": "x"}), "an address and its ARN"),
        (lambda: vf.export(findings, "ocsf", hub="123456789012/eu-west-1"), "they are of 'asff'"),
        (lambda: vf.export(findings, "ecs", community_id=True), "expected flows"),
    ):
        with pytest.raises(vf.PlanError, match=words):
            call()


def test_a_log_without_what_sessions_need_says_which_unit_takes_it():
    with pytest.raises(vf.FieldError, match="--unit records"):
        list(vf.export(vf.scan(b"srcaddr dstaddr start\n10.0.0.1 10.0.0.2 7\n")).batches())


def test_files_of_events_are_compressed_where_their_name_says_so(tmp_path):
    import gzip

    from conftest import run_cli

    log = tmp_path / "flow.log"
    log.write_text(LINE * 3)
    packed = tmp_path / "events.jsonl.gz"
    assert run_cli("convert", log, "-o", packed, "--to", "ecs-jsonl", "--unit", "records").returncode == 0
    assert gzip.decompress(packed.read_bytes()) == exported(str(log), "ecs")[0]
    assert records_of(str(packed)) == records_of(str(log))
    assert run_cli("convert", log, "-o", tmp_path / "rows.csv.gz").returncode == 0
    assert gzip.decompress((tmp_path / "rows.csv.gz").read_bytes()).count(b"\n") == 4
    refused = run_cli("convert", log, "-o", tmp_path / "lake.parquet.gz", "--to", "ocsf-parquet")
    assert refused.returncode == 2
    assert b"compressed already" in refused.stderr
    assert not (tmp_path / "lake.parquet.gz").exists()
