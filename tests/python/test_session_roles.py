"""Who began, and what leaves whoever began: roles never follow from which address is lower."""

import json
import random

import pytest

import vpcflow as vf
from conftest import run_cli
from vpcflow.detect import DETECTORS

V2 = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
PAIRS = [("10.1.0.5", "200.1.2.3"), ("172.21.9.15", "45.9.9.9"), ("192.168.3.4", "8.8.4.4"), ("fd00::5", "2600::1")]


def line(source, sport, target, dport, protocol, packets, size, start, end=None, action="ACCEPT"):
    end = start + 50 if end is None else end
    return f"2 1 eni-1 {source} {target} {sport} {dport} {protocol} {packets} {size} {start} {end} {action} OK\n"


def sessions(*lines):
    return vf.scan(f"{V2}\n{''.join(lines)}".encode()).sessions().collect().rows()


def role(row):
    return row["client"], row["client_port"], row["decided_by"], row["client_known"]


@pytest.mark.parametrize("ends", [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_services_answer_whoever_is_seen_first(ends):
    a, b = ends
    for service, port, protocol in (
        (53, 41_000, 17), (123, 50_000, 17), (443, 2049, 17), (53, 8080, 17), (53, 3389, 17), (123, 1433, 17),
        (22, 27_017, 6), (443, 50_000, 6), (8080, 45_000, 6), (2049, 800, 6), (389, 9200, 17),
    ):  # fmt: skip
        answer = line(b, service, a, port, protocol, 2, 300, 100)
        ask = line(a, port, b, service, protocol, 2, 120, 130)
        for lines in ((answer,), (answer, ask), (ask, answer), (ask,)):  # alone, first, at last
            (row,) = sessions(*lines)
            assert role(row) == (a, port, "service-port", True), (service, port)
        (row,) = sessions(ask.replace("130 180", "100 150"), answer)  # of the same second
        assert role(row) == (a, port, "service-port", True)


@pytest.mark.parametrize("ends", PAIRS)
def test_a_port_that_many_ports_talk_with_is_a_servers(ends):
    client, server = ends
    talks = [
        both
        for i in range(6)
        for both in (
            line(server, 30_001, client, 20_000 + i, 6, 9, 9000, 100 + i),
            line(client, 20_000 + i, server, 30_001, 6, 8, 700, 100 + i),
        )
    ]
    assert [role(row) for row in sessions(*talks)] == [(client, 20_000 + i, "service-port", True) for i in range(6)]
    # One of them alone tells nothing; nor do tries that are refused, whatever port they come from.
    (row,) = sessions(*talks[:2])
    assert (row["decided_by"], row["client_known"]) == ("none", False)
    tries = [
        both
        for port in range(20_000, 20_040)
        for both in (line(client, 30_001, server, port, 6, 1, 60, port), line(server, port, client, 30_001, 6, 1, 60, port + 1))
    ]
    assert [role(row) for row in sessions(*tries)] == [(client, 30_001, "first-seen", True)] * 40


@pytest.mark.parametrize("ends", PAIRS)
@pytest.mark.parametrize("protocol", [1, 47, 50, 58])
def test_protocols_without_ports_have_no_client(ends, protocol):
    a, b = ends
    for ports in ("-", 0):
        (row,) = sessions(line(a, ports, b, ports, protocol, 5, 500, 100), line(b, ports, a, ports, protocol, 5, 400, 101))
        assert role(row)[2:] == ("none", False)
        assert (row["client"], row["server"]) == (a, b)  # who sent first stands first


@pytest.mark.parametrize("ends", [*PAIRS, *(pair[::-1] for pair in PAIRS)])
def test_what_cannot_be_known(ends):
    a, b = ends
    rows = sessions(line(a, 45_000, b, 46_000, 17, 5, 900, 100), line(b, 46_000, a, 45_000, 17, 5, 800, 100))
    assert [role(row) for row in rows] == [(a, 45_000, "none", False)]  # who sent more stands first
    rows = sessions(line(a, 45_000, b, 46_000, 17, 5, 900, 100), line(b, 46_000, a, 45_000, 17, 5, 900, 100))
    assert [role(row) for row in rows] == [(a, 45_000, "none", False)]  # of the same, the lower port
    rows = sessions(line(a, 5900, b, 3389, 6, 5, 900, 100), line(b, 3389, a, 5900, 6, 5, 800, 100))
    assert rows[0]["client_known"] is False
    assert vf.detect(vf.scan(f"{V2}\n".encode() + b"".join(
        line(x, p, y, q, 6, 5, 900, 100).encode() for x, p, y, q in ((a, 5900, b, 3389), (b, 3389, a, 5900))
    )), only=["unauthorised_access", "brute_force"], brute_sessions=1)._findings == []  # fmt: skip


# -- mirrored addresses

INSIDE, OUTSIDE = [f"10.0.0.{i}" for i in range(1, 7)], [f"45.9.9.{i}" for i in range(1, 7)]
MIRROR = {f"10.0.0.{i}": f"192.168.0.{200 - i}" for i in range(1, 7)} | {f"45.9.9.{i}": f"45.9.9.{200 - i}" for i in range(1, 7)}
PORTS = [22, 53, 123, 443, 2049, 3389, 5900, 8080, 9200, 20_000, 31_000, 40_000, 41_000, 50_000]


def random_log(rng, flags):
    head = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action" + " tcp-flags flow-direction" * flags
    lines = [head]
    for _ in range(rng.choice([20, 200, 600])):
        a, b = rng.sample(INSIDE + OUTSIDE, 2)
        protocol = rng.choice([6, 6, 17, 17, 1, 47])
        ports = ("-", "-") if protocol in (1, 47) else (rng.choice(PORTS), rng.choice(PORTS))
        start, packets = rng.randrange(200) if rng.random() < 0.5 else 600 * rng.randrange(5), rng.choice([1, 2, 3, 9, 100])
        size, action = packets * rng.choice([40, 60, 700]), rng.choice(["ACCEPT"] * 4 + ["REJECT"])
        extra = f" {rng.choice([0, 2, 3, 18, 19])} {rng.choice(['ingress', 'egress', '-'])}" if flags else ""
        lines.append(f"eni-{a[-1]} {a} {b} {ports[0]} {ports[1]} {protocol} {packets} {size} {start} {start + 9} {action}{extra}")
        if rng.random() < 0.6:
            back = packets + (ports[0] in ("-", ports[1]) or rng.random() < 0.5)  # nothing else tells such ends apart
            start += rng.choice([0, 0, 1])
            lines.append(
                f"eni-{a[-1]} {b} {a} {ports[1]} {ports[0]} {protocol} {back} {back * rng.choice([40, 60, 700])} {start} {start + 9} ACCEPT{extra}"
            )
    return lines


def mirrored(text):
    words = text.split(" ")
    return " ".join(MIRROR.get(word, word) for word in words)


def ends_of(row, known):
    """A session; where the client is not known, its ends in no order."""
    names = ("", "_port", "_bytes", "_packets", "_flags")
    ends = [tuple(row[f"{end}{name}"] for name in names) for end in ("client", "server")]
    rest = {k: v for k, v in row.items() if not k.startswith(("client", "server"))}
    if not known:
        del rest["interface"]  # of whoever stands first
    return str((ends if known else sorted(ends, key=str), sorted(rest.items())))


@pytest.mark.parametrize("seed", range(40))
def test_no_answer_depends_on_which_address_is_lower(seed):
    lines = random_log(random.Random(seed), flags=seed % 2)
    straight, turned = ("\n".join(each).encode() + b"\n" for each in (lines, [mirrored(text) for text in lines]))
    rows, others = (vf.scan(data).sessions().collect().rows() for data in (straight, turned))
    for row in rows:
        row["client"], row["server"] = MIRROR[row["client"]], MIRROR[row["server"]]
    assert sorted(ends_of(r, r["client_known"]) for r in rows) == sorted(ends_of(r, r["client_known"]) for r in others)

    low = {
        "scan_ports": 3, "scan_hosts": 3, "brute_sessions": 3, "brute_bytes": 4000, "exfil_bytes": 30_000, "exfil_ratio": 2,
        "exfil_typical": 1, "beacon_sessions": 3, "beacon_jitter": 0.5, "lateral_hosts": 2, "found_failed": 2,
        "flood_sources": 2, "flood_packets": 120, "tunnel_bytes": 5000, "tunnel_icmp": 5000, "access_tries": 2,
    }  # fmt: skip
    names = [name for name in DETECTORS if not name.startswith("new_") and name != "known_bad"]

    def told(data, name_of):
        out = []
        for f in vf.detect(vf.scan(data), samples=0, only=names, **low):
            evidence = {k: name_of.get(v, v) if isinstance(v, str) else v for k, v in f.evidence.items()}
            targets = sorted(name_of.get(t, t) for t in f.targets)
            out.append((f.detector, f.severity, name_of.get(f.actor, f.actor), targets, f.start, f.end, f.score, str(evidence)))
        return sorted(out)

    found = told(turned, {})
    assert told(straight, MIRROR) == found
    assert found or len(lines) < 100


# -- uploads


def upload(inside, outside, ports, protocol, sent, packets, back=10_000_000, first=100):
    return [
        line(inside, ports[0], outside, ports[1], protocol, packets, sent, first, first + 590),
        line(outside, ports[1], inside, ports[0], protocol, packets // 3, back, first, first + 590),
    ]


@pytest.mark.parametrize("ends", PAIRS)
@pytest.mark.parametrize(
    ("protocol", "ports"),
    [(17, (45_000, 46_000)), (17, (46_000, 45_000)), (17, (51_820, 51_820)), (50, ("-", "-")), (47, ("-", "-")), (47, (0, 0)),
     (6, (45_000, 46_000)), (6, (46_000, 45_000)), (17, (4500, 4500))],
)  # fmt: skip
def test_six_gigabytes_are_the_same_whoever_began(ends, protocol, ports):
    inside, outside = ends
    lines = upload(inside, outside, ports, protocol, 6_000_000_000, 4_500_000)
    for own in (lines, lines[::-1], lines[:1]):
        only = ["exfiltration"] if len(own) == 1 else ()  # a stream without answer is a flood, too
        (f,) = vf.detect(vf.scan(f"{V2}\n{''.join(own)}".encode()), samples=0, only=only)
        assert (f.detector, f.severity, f.actor, f.targets) == ("exfiltration", "high", inside, [outside])
        assert (f.evidence["sent"], f.evidence["received"]) == (6_000_000_000, 10_000_000 if len(own) == 2 else 0)
        assert "sent 6.0 GB" in f.sentence
        assert f"to {outside}, which sent 0.0" in f.sentence


@pytest.mark.parametrize("ends", PAIRS)
def test_forty_megabytes_of_icmp(ends):
    inside, outside = ends
    for first in (0, 1):
        lines = upload(inside, outside, (0, 0), 1, 40_000_000, 30_000, back=400_000)
        lines[first] = lines[first].replace(" 100 690 ", " 99 690 ")
        (f,) = vf.detect(vf.scan(f"{V2}\n{''.join(lines)}".encode()), samples=0, only=["tunnel"])
        assert (f.actor, f.targets, f.evidence["bytes"], f.evidence["received"]) == (inside, [outside], 40_000_000, 400_000)
        assert "sent 40,000,000 bytes of ICMP" in f.sentence
        assert "which sent 400,000" in f.sentence


def reads(inside, port, outside, n=1, sent=6_000_000_000):
    """An inside store that outside hosts read from."""
    return [
        text
        for i in range(n)
        for text in (
            line(f"{outside}{i + 1}", 41_000, inside, port, 6, 200_000, 86_000_000, 100, 690),
            line(inside, port, f"{outside}{i + 1}", 41_000, 6, 4_500_000, sent, 101, 690),
        )
    ]


@pytest.mark.parametrize("port", [9200, 6379, 27_017, 22, 7777])
@pytest.mark.parametrize(("inside", "outside"), [("10.1.0.5", "200.1.2."), ("172.21.9.15", "45.9.9.")])
def test_a_store_that_a_stranger_reads(port, inside, outside):
    found = vf.detect(vf.scan(f"{V2}\n{''.join(reads(inside, port, outside))}".encode()), samples=0)
    (f,) = [f for f in found if f.detector == "exfiltration"]
    assert (f.severity, f.actor, f.targets) == ("high", inside, [f"{outside}1"])
    assert (f.evidence["sent"], f.evidence["received"], f.evidence["dstport"]) == (6_000_000_000, 86_000_000, port)
    assert f"asked for it at port {port}" in f.sentence
    access = [f for f in found if f.detector == "unauthorised_access"]
    assert len(access) == (port != 7777)
    for f in access:
        assert (f.evidence["bytes"], f.evidence["received"]) == (86_000_000, 6_000_000_000)
        assert "86,000,000 bytes to it, 6,000,000,000 bytes from it" in f.sentence


def test_what_everybody_may_read_is_no_upload():
    for port, n in ((443, 1), (80, 3), (2022, 10), (25, 12)):
        data = f"{V2}\n{''.join(reads('10.1.0.5', port, '200.1.2.', n))}".encode()
        assert not [f for f in vf.detect(vf.scan(data), samples=0) if f.detector in ("exfiltration", "tunnel")]
    data = f"{V2}\n{''.join(reads('10.1.0.5', 2022, '200.1.2.', 9))}".encode()
    assert len(vf.detect(vf.scan(data), samples=0, only=["exfiltration"])) == 9
    assert not vf.detect(vf.scan(data), samples=0, only=["exfiltration"], exfil_known=["200.1.2.0/24"])._findings


def test_both_ways_of_one_pair_are_one_upload():
    """What an inside host sends and what its peer fetches."""
    lines = reads("172.21.9.15", 9200, "45.9.9.", sent=400_000_000)
    lines += upload("172.21.9.15", "45.9.9.1", (45_000, 8443), 6, 400_000_000, 300_000)
    (f,) = vf.detect(vf.scan(f"{V2}\n{''.join(lines)}".encode()), samples=0, only=["exfiltration"])
    assert (f.evidence["sent"], f.evidence["sessions"]) == (800_000_000, 2)
    assert "asked for" not in f.sentence


def test_reflection_is_a_flood_of_whom_it_hits():
    """The servers are the servers, though nobody asked; the flood is that of the host that gets the answers."""
    lines = [line(f"203.0.{i // 200}.{i % 200}", 123, "172.20.0.5", 33_000 + i % 7, 17, 3000, 1_400_000, 600 + i % 50) for i in range(600)]
    rows = sessions(*lines)
    assert {row["client"] for row in rows} == {"172.20.0.5"}
    assert {row["state"] for row in rows} == {"one-way"}
    found = vf.detect(vf.scan(f"{V2}\n{''.join(lines)}".encode()), samples=0)
    assert [(f.detector, f.actor) for f in found] == [("flood", "172.20.0.5")]
    assert found[0].evidence["sources"] == 600


def test_the_command_names_the_columns():
    data = f"{V2}\n{line('10.0.0.1', 45_000, '10.0.0.2', 443, 6, 9, 900, 100)}".encode()
    (row,) = map(json.loads, run_cli("sessions", "-", "--json", stdin=data, check=0).stdout.splitlines())
    assert row["client_known"] is True
    assert row["conn_state"] is None
    assert row["answered"] is False
    assert row["state"] == "one-way"
