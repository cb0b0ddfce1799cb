"""Timelines for other tools, read back as those read them; Community IDs against the published ones."""

import csv
import io
import ipaddress
import json
import random
import re

import pytest

import vpcflow as vf
from conftest import SAMPLE
from vpcflow.cli import main
from vpcflow.trace.timelines import FORMS, sessions_of, timeline

# Of the specification, https://github.com/corelight/community-id-spec (baseline files).
PUBLISHED = [
    (("128.232.110.120", "66.35.250.204", 6, 34855, 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (("66.35.250.204", "128.232.110.120", 6, 80, 34855), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (("192.168.1.52", "8.8.8.8", 17, 54585, 53), "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (("192.168.0.89", "192.168.0.1", 1, 8, 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
    (("192.168.0.1", "192.168.0.89", 1, 0, 0), "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="),
]


@pytest.mark.parametrize(("given", "name"), PUBLISHED)
def test_community_ids_are_the_published_ones(given, name):
    assert vf.community_id(*given) == name


def test_community_ids_are_those_of_the_package_of_the_specification():
    package = pytest.importorskip("communityid")
    rng = random.Random(1)
    for _ in range(400):
        six = rng.random() < 0.4
        width = 128 if six else 32
        ends = [str((ipaddress.IPv6Address if six else ipaddress.IPv4Address)(rng.choice([5, rng.getrandbits(width)]))) for _ in range(2)]
        protocol = rng.choice([1, 58, 6, 17, 132, 47, 50, rng.randrange(256)])
        most = 160 if protocol in (1, 58) else 65535
        ports = [rng.randint(0, most), rng.choice([0, rng.randint(0, most)])]
        seed = rng.choice([0, 1, 65535])
        with_ports = protocol in (1, 58, 6, 17, 132)
        theirs = package.CommunityID(seed=seed).calc(
            package.FlowTuple(protocol, *ends, *(ports if with_ports else ()))
        )
        assert vf.community_id(*ends, protocol, *ports, seed=seed) == theirs, (ends, protocol, ports)
        if protocol not in (1, 58):
            assert vf.community_id(*ends[::-1], protocol, *ports[::-1], seed=seed) == theirs


def test_what_has_no_community_id():
    assert vf.community_id("10.0.0.1", "10.0.0.2", 6) is None
    assert vf.community_id("10.0.0.1", "10.0.0.2", 47) == vf.community_id("10.0.0.2", "10.0.0.1", 47, 1, 2)
    for wrong in (("x", "10.0.0.1", 6, 1, 2), ("::1", "10.0.0.1", 6, 1, 2), ("::1", "::2", 300, 1, 2), ("::1", "::2", 6, 70000, 2)):
        with pytest.raises(vf.PlanError, match="community_id"):
            vf.community_id(*wrong)


LOG = b"""interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags
eni-1 10.0.0.1 10.0.0.2 40000 443 6 9 900 1700000000 1700000060 ACCEPT OK 3
eni-1 10.0.0.2 10.0.0.1 443 40000 6 8 7000 1700000000 1700000060 ACCEPT OK 19
eni-1 2001:db8::1 2001:db8::2 5353 53 17 1 80 1700000100 1700000100 REJECT OK 0
eni-1 10.0.0.1 10.0.0.3 0 0 1 2 168 1700000200 1700000202 ACCEPT OK 0
eni-1 10.0.0.4 10.0.0.3 0 0 47 2 168 1700000300 1700000302 ACCEPT OK 0
=cmd,<script>"x" 10.0.0.5 10.0.0.1 40001 22 6 1 40 1700000400 1700000400 REJECT OK 2
"""


@pytest.fixture
def sessions():
    log = LOG.replace(b'=cmd,<script>"x"', b"=cmd<script>")
    return vf.scan(log).sessions().collect()


def text_of(sessions, form):
    return "".join(timeline(sessions, form))


def test_timesketch_has_its_three_members(sessions):
    events = [json.loads(line) for line in text_of(sessions, "timesketch").splitlines()]
    assert len(events) == len(sessions) == 5
    for event, session in zip(events, sessions):
        assert list(event)[:3] == ["message", "datetime", "timestamp_desc"]
        assert event["timestamp_desc"] == "Flow start"
        assert event["timestamp"] == session["start"] * 1_000_000
        assert re.fullmatch(r"2023-11-14T22:\d\d:\d\d\+00:00", event["datetime"])
        assert not any("-" in name for name in event)
    assert events[0]["message"] == "10.0.0.1:40000 -> 10.0.0.2:443 TCP established, 900 B sent, 6.8 KiB back, 60 s"
    assert events[1]["message"].startswith("[2001:db8::1]:5353 -> [2001:db8::2]:53 UDP rejected")
    assert events[0]["community_id"] == vf.community_id("10.0.0.1", "10.0.0.2", 6, 40000, 443)
    assert [e["community_id"] is None for e in events] == [False, False, True, False, False]  # ICMP has no type here
    rows = list(csv.DictReader(io.StringIO(text_of(sessions, "timesketch-csv"))))
    assert [(r["message"], r["datetime"]) for r in rows] == [(e["message"], e["datetime"]) for e in events]
    assert rows[4]["interface"] == "'=cmd<script>"  # no formula


def test_csv_is_for_people(sessions):
    rows = list(csv.DictReader(io.StringIO(text_of(sessions, "csv"))))
    assert tuple(rows[0][name] for name in ("start", "client", "server_port")) == ("2023-11-14T22:13:20Z", "10.0.0.1", "443")
    assert rows[4]["interface"] == "'=cmd<script>"


def test_zeek_is_read_by_its_own_head(sessions):
    head, rows = {}, []
    for line in text_of(sessions, "zeek").splitlines():
        if line.startswith("#"):
            name, *values = line[1:].split("\t") if "\t" in line else line[1:].split(" ")
            head[name] = values
        else:
            rows.append(dict(zip(head["fields"], line.split("\t"))))
    assert head["separator"] == ["\\x09"]
    assert len(head["fields"]) == len(head["types"]) == 22
    readers = {"time": float, "interval": float, "count": int, "port": int, "addr": lambda t: str(ipaddress.ip_address(t)), "string": str, "enum": str}
    kinds = dict(zip(head["fields"], head["types"]))
    for row, session in zip(rows, sessions):
        assert len(row) == 22
        own = {name: readers[kinds[name]](text) for name, text in row.items() if text != "-"}
        assert (own["id.orig_h"], own["id.resp_h"]) == (session["client"], session["server"])
        assert (own["ts"], own["orig_ip_bytes"], own["duration"]) == (session["start"], session["client_bytes"], session["duration"])
        assert own.get("conn_state") == session["conn_state"]
        assert own["proto"] in ("tcp", "udp", "icmp", "unknown_transport")
    assert (rows[0]["conn_state"], rows[0]["service"], rows[0]["orig_bytes"]) == ("SF", "-", "-")
    assert len({row["uid"] for row in rows}) == len(rows)


def test_stix_is_valid_and_every_object_stands_once(sessions):
    stix2 = pytest.importorskip("stix2")
    text = text_of(sessions, "stix")
    bundle = stix2.parse(text, allow_custom=False)
    ids = [one.id for one in bundle.objects]
    assert len(ids) == len(set(ids))
    for one in bundle.objects:
        if one.type in ("ipv4-addr", "ipv6-addr"):  # ids as others make them, so that bundles join
            assert one.id == (stix2.IPv4Address if one.type == "ipv4-addr" else stix2.IPv6Address)(value=one.value).id
    observed = [one for one in bundle.objects if one.type == "observed-data"]
    assert len(observed) == len(sessions)
    assert all(set(one.object_refs) <= set(ids) for one in observed)
    traffic = [one for one in bundle.objects if one.type == "network-traffic"]
    assert (traffic[0].src_port, traffic[0].dst_port, traffic[0].src_byte_count, traffic[0].protocols) == (40000, 443, 900, ["ipv4", "tcp"])
    assert text == text_of(sessions, "stix")
    assert len(stix2.parse(text_of(vf.scan(LOG).filter("bytes > 10000").sessions().collect(), "stix"), version="2.1")["id"]) > 20  # of none


def test_forms_that_there_are_not(sessions):
    with pytest.raises(vf.PlanError, match="expected one of timesketch"):
        timeline(sessions, "plaso")
    for form in FORMS:
        text_of(vf.scan(LOG).filter("bytes > 10000").sessions().collect(), form)


def test_the_command_writes_the_sessions_of_addresses(tmp_path, capfdbinary):
    out = tmp_path / "case.csv"
    assert main(["timeline", "10.0.30.170", str(SAMPLE), "--to", "timesketch", "-o", str(out)]) == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert len(rows) == len(sessions_of(vf.scan(str(SAMPLE)), ["10.0.30.170"]).collect()) > 10
    assert all("10.0.30.170" in (r["client"], r["server"]) for r in rows)
    assert f"{len(rows):,} conversations of 10.0.30.170 written, of 20,000 records".encode() in capfdbinary.readouterr().err
    assert main(["timeline", "10.0.30.170", "--to", "csv"]) == main(["timeline", str(SAMPLE), "-o", str(out)]) == 2
    assert main(["timeline", "10.0.30.170", str(SAMPLE)]) == 2
    err = capfdbinary.readouterr().err
    assert b"give logs behind" in err
    assert err.count(b"goes with --to") == 2
    assert main(["sessions", str(SAMPLE), "--community-id", "--json", "-n", "1"]) == 0
    line = json.loads(capfdbinary.readouterr().out)
    ports = (line["client_port"], line["server_port"])
    assert line["community_id"] == vf.community_id(line["client"], line["server"], line["protocol"], *ports)
