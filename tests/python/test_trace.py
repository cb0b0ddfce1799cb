"""Traces against brute force over the raw lines, and what a trace says where the logs cannot show it."""

import collections
import json
import random
import re

import pytest

import vpcflow as vf
from conftest import LONG, ROOT, SAMPLE
from vpcflow.cli import main
from vpcflow.trace.legs import RULES

pytestmark = pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
FIELDS = ["interface-id", "instance-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "action", "log-status", "tcp-flags", "flow-direction", "pkt-srcaddr", "pkt-dstaddr"]
BEGIN = 1_700_000_000
NAT = ("10.0.9.9", "eni-nat")
REUSED = "10.0.0.77"


def world(seed, conversations=120):
    """Lines of conversations with ends inside and outside, IPv4 and IPv6, through a NAT gateway and directly. One address
    belongs to one interface in the first half and to another in the second."""
    rng = random.Random(seed)
    hosts = {f"10.0.{i % 2}.{i + 10}": f"eni-{i}" for i in range(8)} | {f"2001:db8::{i + 1:x}": f"eni-6{i}" for i in range(4)}
    outside = [f"198.51.100.{i}" for i in range(1, 9)] + [f"2001:db8:ffff::{i:x}" for i in range(1, 4)]
    lines = []

    def interface(address, time):
        return ("eni-old" if time < BEGIN + 5000 else "eni-new") if address == REUSED else hosts.get(address)

    def record(eni, src, dst, sport, dport, size, start, flags, direction, pkt, action="ACCEPT"):
        lines.append([eni, f"i-{eni[4:]}", src, dst, sport, dport, 6, 9, size, start, start + 50, action, "OK", flags, direction, *pkt])

    for number in range(conversations):
        time = BEGIN + rng.randrange(10_000)
        family = rng.random() < 0.3
        inside = [a for a in [*hosts, REUSED] if (":" in a) == family]
        others = [a for a in outside if (":" in a) == family]
        client, server = rng.sample(inside, 2) if rng.random() < 0.5 else rng.sample([rng.choice(inside), rng.choice(others)], 2)
        ports = (20_000 + number, rng.choice([22, 443, 5432]))
        answered = rng.random() < 0.7
        through = not family and client in inside and server in others and rng.random() < 0.5
        ends = (client, server)
        ways = [(client, server, ports, 2, 500 + number)] + [(server, client, ports[::-1], 18, 900 + number)] * answered
        for src, dst, (sport, dport), flags, size in ways:
            for address, direction in ((src, "egress"), (dst, "ingress")):
                if eni := interface(address, time):
                    record(eni, src, dst, sport, dport, size, time, flags, direction, (src, dst))
            if through:  # two legs at the gateway: with the host inside, and with the server
                outward = src == client
                near = (src, NAT[0]) if outward else (NAT[0], dst)
                record(NAT[1], *near, sport, dport, size, time, flags, "ingress" if outward else "egress", (src, dst))
                far = (NAT[0], dst) if outward else (src, NAT[0])
                record(NAT[1], *far, sport, dport, size, time, flags, "egress" if outward else "ingress", far)
        assert ends
    rng.shuffle(lines)
    text = "\n".join([" ".join(FIELDS), *(" ".join(map(str, line)) for line in lines)]) + "\n"
    return text.encode(), hosts


def brute(text, address):
    """Reads the lines one by one, and says of the address what a trace says, by interface where it had several."""
    records = [dict(zip(FIELDS, line.split())) for line in text.decode().splitlines()[1:]]
    own = [r for r in records if address in (r["srcaddr"], r["dstaddr"], r["pkt-srcaddr"], r["pkt-dstaddr"])]
    talks = collections.defaultdict(list)
    for r in own:
        ends = frozenset([(r["pkt-srcaddr"], r["srcport"]), (r["pkt-dstaddr"], r["dstport"])])
        talks[ends].append(r)
    out = {"peer": {}, "offered": {}, "tried": {}, "carried": collections.Counter()}
    for rows in talks.values():
        syn = next(r for r in rows if r["tcp-flags"] == "2")
        client, server, port = syn["pkt-srcaddr"], syn["pkt-dstaddr"], int(syn["dstport"])
        answered = any(r["tcp-flags"] == "18" for r in rows)
        start, end = min(int(r["start"]) for r in rows), max(int(r["end"]) for r in rows)
        owner = None if address != REUSED else "eni-old" if start < BEGIN + 5000 else "eni-new"
        if address not in (client, server):
            out["carried"][client, server, port] += 1
            continue
        peer = out["peer"].setdefault((owner, server if client == address else client), [0, start, end])
        peer[:] = [peer[0] + 1, min(peer[1], start), max(peer[2], end)]
        if client == address:
            tried = out["tried"].setdefault((owner, server, port), [0, 0])
            tried[:] = [tried[0] + 1, tried[1] + answered]
        elif answered:
            out["offered"].setdefault((owner, port), set()).add(client)
    legs = {
        (r["interface-id"], r["srcaddr"], r["dstaddr"], r["pkt-srcaddr"], r["pkt-dstaddr"])
        for r in own if (r["srcaddr"], r["dstaddr"]) != (r["pkt-srcaddr"], r["pkt-dstaddr"])
    }  # fmt: skip
    spans = [(int(r["start"]), int(r["end"])) for r in own]
    return len(own), min(s for s, _ in spans), max(e for _, e in spans), out, legs


@pytest.mark.parametrize("seed", range(40 if LONG else 2))
def test_a_trace_is_what_the_lines_say(seed):
    text, hosts = world(seed)
    flows = vf.scan(text)
    some = [*hosts, REUSED, NAT[0], "198.51.100.3", "2001:db8:ffff::2"]
    for address in some if LONG else ["10.0.0.10", "2001:db8::1", REUSED, NAT[0], "198.51.100.3"]:
        found = vf.trace(flows, address, findings=False)
        records, first, last, out, legs = brute(text, address)
        assert (found.records, found.first, found.last) == (records, first, last)

        def owner(row, several=address == REUSED):
            return row["interface"] if several else None

        peers = {(owner(r), r["peer"]): [r["sessions"], r["first"], r["last"]] for r in found.of("peer")}
        assert peers == out["peer"]
        assert {(owner(r), r["server"], r["port"]): [r["sessions"], r["answered"]] for r in found.of("tried")} == out["tried"]
        assert {(owner(r), r["port"]): r["clients"] for r in found.of("offered")} == {k: len(v) for k, v in out["offered"].items()}
        assert {(r["client"], r["server"], r["port"]): r["sessions"] for r in found.of("carried")} == out["carried"]
        certain = [r for r in found.of("leg") if r["certain"]]
        assert {(r["interface"], r["srcaddr"], r["dstaddr"], r["pkt_srcaddr"], r["pkt_dstaddr"]) for r in certain} == legs
        assert {r["rule"] for r in certain} <= {"packet-ends"}
        wanted = {REUSED: ["eni-old", "eni-new"], NAT[0]: [NAT[1]]}.get(address, [hosts[address]] if address in hosts else [])
        assert [one.interface for one in found.owners] == wanted
        assert bool(found.of("trace")[0]["warnings"]) == (address == REUSED)
        border = found.new_since
        for r in found.of("peer"):
            mine = [s for s in brute_starts(text, address, r["peer"])]
            assert r["new"] == (min(mine) >= border)
    assert found.of("peer")


def brute_starts(text, address, peer):
    rows = [dict(zip(FIELDS, line.split())) for line in text.decode().splitlines()[1:]]
    return [int(r["start"]) for r in rows if {address, peer} == {r["pkt-srcaddr"], r["pkt-dstaddr"]}]


def test_the_second_leg_of_a_gateway_is_a_candidate_with_its_rule():
    text, _ = world(3)
    lines = [dict(zip(FIELDS, line.split())) for line in text.decode().splitlines()[1:]]
    near = next(r for r in lines if r["dstaddr"] == NAT[0] and r["pkt-dstaddr"] != NAT[0])
    found = vf.trace(vf.scan(text), near["srcaddr"], findings=False)
    second = [r for r in found.of("leg") if r["rule"] == "same-server"]
    assert second
    for leg in second:
        assert not leg["certain"]
        assert NAT[0] in (leg["srcaddr"], leg["dstaddr"])
        assert leg["through"] == NAT[0]
        assert any(r["server"] == leg["peer"] and r["port"] == leg["port"] for r in found.of("tried"))


def test_owners_without_flow_direction_are_told_by_what_their_interfaces_have():
    text, _ = world(4)
    rows = [line.split() for line in text.decode().splitlines()]
    kept = [i for i, name in enumerate(FIELDS) if name not in ("flow-direction", "instance-id", "pkt-srcaddr", "pkt-dstaddr")]
    thin = "\n".join(" ".join(row[i] for i in kept) for row in rows).encode()
    found = vf.trace(vf.scan(thin), REUSED, findings=False)
    assert [one.interface for one in found.owners] == ["eni-old", "eni-new"]
    assert {one.by for one in found.owners} == {"all records"}
    texts = " ".join(r["text"] for r in found.of("unseen"))
    assert "without flow-direction" in texts
    assert "without pkt-srcaddr" in texts
    assert "flow logs never hold" in texts
    two = b"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action\n"
    two += b"".join(b"%s 10.0.0.1 10.0.0.2 1 443 6 9 9 0 60 ACCEPT\n" % eni for eni in (b"eni-1", b"eni-2"))
    found = vf.trace(vf.scan(two), "10.0.0.1", findings=False)
    assert [(one.interface, one.certain, one.alone) for one in found.owners] == [("eni-1", False, True), ("eni-2", False, True)]
    assert any("not certain" in r["text"] for r in found.of("unseen"))
    dual = b"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action\n"
    pairs = [("10.0.0.1", "10.0.0.2"), ("10.0.0.1", "10.0.0.3"), ("2001:db8::1", "2001:db8::9"), ("2001:db8::1", "2001:db8::8")]
    dual += "".join(f"eni-1 {a} {b} 1 443 6 9 9 0 60 ACCEPT\neni-p{n} {a} {b} 1 443 6 9 9 0 60 ACCEPT\n" for n, (a, b) in enumerate(pairs)).encode()
    for address in ("10.0.0.1", "2001:db8::1"):  # an interface of both families
        assert [(o.interface, o.certain) for o in vf.trace(vf.scan(dual), address, findings=False).owners][:1] == [("eni-1", True)]
    second = dual + b"eni-1 10.0.0.7 10.0.0.2 1 443 6 9 9 0 60 ACCEPT\n"  # and of a second address
    (owner,) = vf.trace(vf.scan(second), "10.0.0.1", findings=False).owners
    assert (owner.interface, owner.by, owner.certain) == ("eni-1", "most records", False)
    bare = vf.trace(vf.scan(b"srcaddr dstaddr start end\n10.0.0.1 10.0.0.2 0 60\n"), "::ffff:10.0.0.1", findings=False)
    assert (bare.address, bare.records, bare.owners) == ("10.0.0.1", 1, [])


def test_of_several_owners_at_once_nothing_is_lost():
    """Two VPCs with the same addresses, and a peer whose interface alone logged."""
    head = b"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action flow-direction\n"
    lines = [f"eni-{x} 10.0.0.1 10.0.0.{x} {x}000 443 6 9 9 {100 * t} {100 * t + 60} ACCEPT egress\n" for x in (2, 3) for t in (1, 2, 3)]
    lines += [f"eni-peer{x} 10.0.0.1 10.0.0.{x} {x}000 443 6 9 9 200 260 ACCEPT ingress\n" for x in (2, 9)]
    found = vf.trace(vf.scan(head + "".join(lines).encode()), "10.0.0.1", findings=False)
    assert [(one.interface, one.alone) for one in found.owners] == [("eni-2", True), ("eni-3", True)]
    assert {(r["interface"], r["peer"]) for r in found.of("peer")} == {("eni-2", "10.0.0.2"), ("eni-3", "10.0.0.3"), (None, "10.0.0.9")}
    assert {r["interface"] for r in found.of("hour")} == {"eni-2", "eni-3"}
    assert any("at the same time as others" in text for text in found.warnings)


def test_minutes_are_absent_in_the_time_of_all_the_logs():
    head = b"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
    lines = [b"eni-1 10.0.0.1 10.0.0.2 1 443 6 9 9 600 660 ACCEPT OK\n"]
    lines += [b"eni-2 10.0.0.%d 10.0.0.4 1 443 6 9 9 %d %d ACCEPT OK\n" % (i % 2 + 2, i * 60, i * 60 + 60) for i in range(30)]
    (row,) = vf.trace(vf.scan(head + b"".join(lines)), "10.0.0.1", findings=False).of("coverage")
    assert (row["interface"], row["ok"], row["ok"] + row["absent"]) == ("eni-1", 1, 30)


def test_owners_come_from_an_inventory_with_their_validity(tmp_path):
    text, _ = world(5)
    for day, eni in (("2023-11-14T00-00-00Z", "eni-old"), ("2023-11-14T23-36-40Z", "eni-new")):
        item = {"NetworkInterfaceId": eni, "PrivateIpAddress": REUSED, "VpcId": "vpc-1", "Attachment": {"InstanceId": f"i-{eni}"},
                "TagSet": [{"Key": "Name", "Value": f"host of {eni}"}]}  # fmt: skip
        (tmp_path / f"describe-network-interfaces.{day}.json").write_text(json.dumps({"NetworkInterfaces": [item]}))
    found = vf.trace(vf.scan(text), REUSED, findings=False, inventory=tmp_path)
    old, new = found.of("identity")
    assert (old["interface"], old["name"], old["instance"]) == ("eni-old", "host of eni-old", "i-eni-old")
    assert (new["interface"], new["by"], new["valid_until"]) == ("eni-new", "inventory", None)
    assert old["valid_until"] == new["valid_from"] is not None


def test_peers_of_digests_are_known_and_a_window_tells_its_sessions_alone(tmp_path):
    pytest.importorskip("pyarrow")
    text, _ = world(6)
    header, *lines = text.decode().splitlines()
    past = "\n".join([header, *(line.replace(" 17000", " 16990") for line in lines if "198.51.100." in line)])
    vf.digest.build(vf.scan(past.encode()), tmp_path / "d")
    found = vf.trace(vf.scan(text), "10.0.0.10", findings=False, baseline=tmp_path / "d")
    known = {r["peer"] for r in found.of("peer") if not r["new"]}
    talked = {e for line in past.splitlines()[1:] for e in line.split()[2:4] if "10.0.0.10" in line.split()[2:4]} - {"10.0.0.10"}
    assert known == talked & {r["peer"] for r in found.of("peer")} != set()
    assert found.new_since is None
    since, until = BEGIN + 3000, BEGIN + 6000
    part = vf.trace(vf.scan(text), "10.0.0.10", findings=False, since=since, until=until)
    whole = brute(text, "10.0.0.10")
    assert part.records == whole[0]  # of the address in all of the logs
    starts = [s for peer in {k[1] for k in whole[3]["peer"]} for s in set(brute_starts(text, "10.0.0.10", peer)) if since <= s < until]
    assert sum(r["sessions"] for r in part.of("peer")) == len(starts) > 0
    with pytest.raises(vf.PlanError, match="not before"):
        vf.trace(vf.scan(text), "10.0.0.10", since=until, until=since)


def test_callers_of_a_load_balancer_are_candidates():
    head = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action"
    talks = [("198.51.100.1", "10.0.0.5", 40001, 443, 100), ("198.51.100.2", "10.0.0.5", 40002, 443, 5000), ("10.0.0.5", "10.0.0.9", 50001, 8080, 130)]
    both = [(s, d, a, b, t) for c, e, p, q, t in talks for s, d, a, b in ((c, e, p, q), (e, c, q, p))]
    for typed in (False, True):
        rows = [f"eni-lb {s} {d} {a} {b} 6 9 900 {t} {t + 50} ACCEPT{' network_load_balancer' if typed else ''}" for s, d, a, b, t in both]
        log = "\n".join([head + (" interface-type" if typed else ""), *rows]).encode()
        found = vf.trace(vf.scan(log), "10.0.0.9", findings=False, intermediaries=() if typed else ["10.0.0.5"])
        (leg,) = found.of("leg")
        assert (leg["rule"], leg["certain"], leg["peer"], leg["through"], leg["port"]) == ("same-time", False, "198.51.100.1", "10.0.0.5", 443)
        assert (leg["bytes"], leg["first"], leg["last"]) == (1800, 100, 150)
    assert vf.trace(vf.scan(log.replace(b" network_load_balancer", b" interface")), "10.0.0.9", findings=False).of("leg") == []


def test_a_transit_gateway_is_a_leg():
    text = b"version resource-type account-id tgw-id tgw-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status\n"
    text += b"6 TransitGateway 1 tgw-1 tgw-attach-1 10.0.0.1 10.1.0.1 40000 443 6 9 900 0 60 OK\n"
    (leg,) = vf.trace(vf.scan(text), "10.0.0.1", findings=False).of("leg")
    assert (leg["rule"], leg["certain"], leg["through"], leg["peer"]) == ("tgw-attachment", True, "tgw-attach-1", "10.1.0.1")


def test_findings_and_pivots_of_the_sample(tmp_path, capfdbinary):
    assert main(["trace", "10.0.30.170", str(SAMPLE), "--json"]) == 0
    rows = [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]
    assert [r["kind"] for r in rows][:2] == ["trace", "identity"]
    findings = [r for r in rows if r["kind"] == "finding"]
    expected = [f for f in vf.detect(vf.scan(str(SAMPLE))) if "10.0.30.170" in (f.actor, *f.targets)]
    assert [r["id"] for r in findings] == [f.id for f in expected] != []
    pivots = {r["address"]: r for r in rows if r["kind"] == "pivot"}
    assert expected[0].actor in pivots
    assert any(r["why"].startswith("the last whom 10.0.30.170 answered") and r["community_id"] for r in pivots.values())
    file = tmp_path / "findings.json"
    file.write_text(expected[0].as_json() and json.dumps(expected[0].as_json()) + "\n")
    flows = vf.scan(str(SAMPLE))
    assert [r["id"] for r in vf.trace(flows, "10.0.30.170", findings=str(file)).of("finding")] == [expected[0].id]
    file.write_text("no json\n")
    with pytest.raises(vf.PlanError, match=r"findings\.json:1"):
        vf.trace(flows, "10.0.30.170", findings=str(file))
    assert main(["trace", "10.0.30.170", str(SAMPLE), "-n", "3", "--no-findings"]) == 0
    page = capfdbinary.readouterr().out.decode()
    for title in ("Where to look next", "Who had it", "What it offered", "With whom, new ones first", "What could not be seen"):
        assert title in page


def test_the_rows_are_those_of_the_schemas():
    page = (ROOT / "docs" / "reference" / "schemas.md").read_text()
    section = re.search(r"^## Traces\n(.*?)^## ", page, re.M | re.S)[1]
    members = {row[0]: re.findall(r"`(\w+)`", row[1]) for row in (line.strip("|").split(" | ") for line in section.splitlines()) if len(row) == 3}
    members = {kind.strip(): names for kind, names in members.items()}
    members |= {kind: re.findall(r"`(\w+)`", text) for kind, text in re.findall(r"^`(peer|leg)`:(.*?)\n\n", section, re.M | re.S)}
    text, _ = world(8)
    rows = [row for one in ("10.0.0.10", NAT[0]) for row in vf.trace(vf.scan(text), one).rows()]
    rows += vf.trace(vf.scan(str(SAMPLE)), "10.0.30.170").rows()
    assert {row["kind"] for row in rows} == set(members) - {"kind", "---"}
    for row in rows:
        assert list(row) == ["kind", *members[row["kind"]]]
    assert set(re.findall(r"^\| ([\w-]+) \| \w", section, re.M)) >= set(RULES)
    json.dumps(rows)


def test_an_address_that_nowhere_occurs_is_said_of_what(capfdbinary):
    assert main(["trace", "203.0.113.77", str(SAMPLE), "--no-findings"]) == 0
    assert capfdbinary.readouterr().out.startswith(b"203.0.113.77 was not seen in 20,000 records of 60 interfaces, 2026-11-23 06:00:00 to")
    for wrong in ("10.0.0.300", "10.0.0", "eni-1", "", "10.0.0.0/8"):
        with pytest.raises(vf.PlanError, match="expected an IP address"):
            vf.trace(vf.scan(b"srcaddr dstaddr start end\n"), wrong)
    with pytest.raises(vf.NoRecordsError):
        vf.trace(vf.scan(b""), "10.0.0.1")
    with pytest.raises(vf.ArgumentError):
        vf.trace("logs/", "10.0.0.1")


def test_hostile_texts_are_data(tmp_path, capfdbinary):
    """Tags and interfaces with quotes, escapes and formulas."""
    for eni in ("eni'or'1'='1", "=cmd()", "\u202eeni"):
        text = f"interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action\n{eni} 10.0.0.1 10.0.0.2 1 443 6 9 9 0 60 ACCEPT\n"
        path = tmp_path / "a.log"
        path.write_bytes(text.encode() + text.split("\n")[1].replace("10.0.0.2", "10.0.0.3").encode() + b"\n")
        found = vf.trace(vf.scan(str(path)), "10.0.0.1", findings=False)
        assert [one.interface for one in found.owners] == [eni]
        assert [r["interface"] for r in found.of("coverage")] == [eni]
    assert main(["trace", "10.0.0.1", str(path), "--no-findings"]) == 0
    page = capfdbinary.readouterr().out.decode()
    assert "10.0.0.3" in page
    assert "\u202e" not in page
