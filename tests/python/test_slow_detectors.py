"""The engine's detectors against the slow ones, which ask the query engine (slow_detectors/)."""

import random

import pytest

import vpcflow as vf
from conftest import LONG
from slow_detectors import Run as SlowRun
from vpcflow.detect import DETECTORS, Settings, baseline
from vpcflow.detect.detect import find
from vpcflow.detect.run import Run

# The slow questions ask for "one of no address" where there is none.
pytestmark = pytest.mark.filterwarnings("ignore:.*'false' holds of no record")

INSIDE = ["10.0.0.1", "10.0.0.2", "10.0.0.30", "10.0.0.4", "fd00::1"]
OUTSIDE = ["52.216.1.1", "198.51.100.1", "198.51.100.2", "203.0.113.30", "203.0.113.4", "2001:db8::1"]
PORTS = [21, 22, 53, 80, 123, 443, 445, 1433, 3389, 5432, 6667, 50_000]
LOW = {
    "scan_ports": 4, "scan_hosts": 3, "brute_sessions": 3, "brute_bytes": 400, "exfil_bytes": 3000, "exfil_ratio": 2,
    "exfil_typical": 2, "beacon_sessions": 3, "beacon_jitter": 0.5, "lateral_hosts": 2, "found_failed": 2,
    "flood_sources": 2, "flood_packets": 12, "tunnel_bytes": 500, "tunnel_icmp": 500, "walk_outside": True,
    "new_chance": 1, "access_tries": 2, "bad": ["198.51.100.0/30", "10.0.0.2"], "scan_seconds": 300, "brute_seconds": 600,
    "brute_sources": 2, "exfil_small": 300, "beacon_failed": 3, "common_callers": 3, "open_strangers": 3,
    "lateral_seconds": 400, "collection_bytes": 3000, "collection_stores": 2, "long_seconds": 20, "long_bytes": 5000, "flood_reflectors": 2, "flood_slow": 2,
}  # fmt: skip


def log(rng, flags):
    head = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action" + " tcp-flags" * flags
    lines = [head]
    for _ in range(rng.choice([30, 300, 1000])):
        client, server = rng.choice(INSIDE + OUTSIDE), rng.choice(INSIDE + OUTSIDE)
        protocol = rng.choice([6, 6, 6, 17, 1, 47])
        ports = ("-", "-") if protocol in (1, 47) else (str(rng.randrange(32_768, 32_800)), str(rng.choice(PORTS)))
        packets, start = rng.choice([0, 1, 1, 2, 3, 7, 20]), rng.randrange(0, 900) if rng.random() < 0.7 else rng.randrange(9) * 100
        size, action = packets * rng.choice([40, 64, 300]), rng.choice(["ACCEPT", "ACCEPT", "REJECT"])
        sent, back = rng.choice([(2, 18), (2, 4), (0, 0), (2, 20)])
        end = start + rng.randrange(60)
        tail = f" {sent}" * flags
        lines.append(f"eni-1 {client} {server} {ports[0]} {ports[1]} {protocol} {packets} {size} {start} {end} {action}{tail}")
        if action == "ACCEPT" and rng.random() < 0.6:
            tail = f" {back}" * flags
            lines.append(f"eni-1 {server} {client} {ports[1]} {ports[0]} {protocol} {packets} {size} {start} {end} ACCEPT{tail}")
    for i in range(rng.randrange(9)):  # a caller
        lines.append(f"eni-1 10.0.0.4 203.0.113.4 {33_000 + i} 443 6 9 900 {i * 61} {i * 61 + 5} ACCEPT{' 2' * flags}")
    for story in stories(rng):
        lines += lines_of(story, flags)
    return "\n".join(lines).encode() + b"\n"


def stories(rng):
    """(client, server, client's port, server's port, protocol, packets, bytes, start, end, action, whether it is answered)
    of what random traffic hardly ever does."""
    outside = [f"203.0.113.{i}" for i in range(40, 60)]
    at = rng.randrange(300)
    for i in range(rng.choice([0, 4, 9])):  # guesses, and at a port of their own
        for port in (22, 2222):
            yield outside[0], "10.0.0.30", 40_000 + i, port, 6, 5, 300 + rng.randrange(20), at + i * 9, at + i * 9 + 2, "ACCEPT", True
    for source in outside[: rng.choice([0, 3])]:  # guesses shared out
        for i in range(6):
            begin = at + i * 600 + rng.randrange(290)
            yield source, "10.0.0.2", 41_000 + i, 3389, 6, 5, 320, begin, begin + 2, "ACCEPT", True
    for host in ("10.0.0.1", "10.0.0.2", "10.0.0.30")[: rng.choice([0, 3])]:  # the same of one to many
        for i in range(2):
            yield "10.0.0.4", host, 42_000 + i, 5985, 6, 5, 330, at + rng.randrange(300), at + 300, "ACCEPT", True
    for i, (a, b) in enumerate([("10.0.1.1", "10.0.1.2"), ("10.0.1.2", "10.0.1.3"), ("10.0.1.3", "10.0.1.4")][: rng.choice([0, 2, 3])]):
        yield a, b, 43_000, 22, 6, 90, 9000, at + 10 * i, at + 500, "ACCEPT", True
    for i in range(rng.choice([0, 5])):  # slow sessions
        yield outside[1], "10.0.0.30", 44_000 + i, 443, 6, 20, 900, at + i, at + 400, "ACCEPT", True
    for source in outside[: rng.choice([0, 5])]:  # answers that nobody asked for
        yield source, "10.0.0.4", 123, 47_000, 17, 9, 9000, at, at + rng.randrange(300), "ACCEPT", False
    for i, source in enumerate(outside[: rng.choice([0, 12])]):  # a scan that many share
        for k in range(3 - (i == 11)):
            yield source, "10.0.0.2", 45_000, 100 + 7 * i + k, 6, 1, 40, at + i, at + i, "REJECT", False
    for i in range(rng.choice([0, 4])):  # calls in vain
        yield "10.0.0.1", outside[2], 46_000 + i, 2404, 6, 1, 60, at + 50 * i, at + 50 * i, "REJECT", False
    for i, port in enumerate((5432, 445, 9200)[: rng.choice([0, 3])]):  # much read of stores: what is sent is the answer
        yield f"10.0.3.{i + 1}", "10.0.0.1", port, 47_500 + i, 6, 90, 9000 + 4000 * i, at + i, at + i + 9, "ACCEPT", False
        yield "10.0.0.1", f"10.0.3.{i + 1}", 47_500 + i, port, 6, 9, 400, at + i, at + i + 9, "ACCEPT", False
    for i in range(rng.choice([0, 30])):  # what a gateway hands on
        host = rng.choice(["10.0.2.1", "10.0.2.2", "10.0.2.3"])
        for client in (host, "10.0.2.9"):
            yield client, outside[3 + i % 3], 48_000 + i, 443, 6, 9, 1000 + i, at + i, at + i + 5, "ACCEPT", True


def lines_of(story, flags):
    client, server, own, port, protocol, packets, size, start, end, action, answered = story
    yield f"eni-1 {client} {server} {own} {port} {protocol} {packets} {size} {start} {end} {action}{' 2' * flags}"
    if answered:
        yield f"eni-1 {server} {client} {port} {own} {protocol} {packets} {size} {start} {end} {action}{' 18' * flags}"


def told(findings):
    """Findings as they can be compared: the slow ones say None for no port, and have evidence in another order."""
    rows = [{**f.as_dict(), "evidence": sorted(f.evidence.items()), "confidence": None} for f in findings]
    return sorted(({**row, "sentence": row["sentence"].replace("port None", "port -")} for row in rows), key=str)


@pytest.mark.parametrize("seed", range(60))
def test_random_logs(seed):
    rng = random.Random(seed)
    flows = vf.scan(log(rng, flags=seed % 2))
    past = log(random.Random(seed + 1000), flags=seed % 2).replace(b" 22 ", b" 443 ", 20)
    past = baseline(vf.scan(past[: past.index(b"\n", rng.randrange(1, len(past))) + 1], allow_empty=True))
    settings = Settings(**{**LOW, "new_chance": rng.choice([0.1, 0.3, 0.7, 1.0])})
    sessions = flows.sessions().collect()
    fast = Run(flows, sessions, settings, past)
    slow = SlowRun(flows, sessions, settings, fast.coverage, past)
    found = {name: told(fast.findings([name])) for name in DETECTORS}
    for name in DETECTORS:
        assert found[name] == told(slow.findings([name])), name


def test_the_random_logs_have_findings_of_all_kinds():
    found = set()
    for seed in range(30):
        flows = vf.scan(log(random.Random(seed), flags=seed % 2))
        past = b"\n".join(log(random.Random(seed + 50), flags=False).splitlines()[:60]) + b"\n"
        found |= {f.detector for f in vf.detect(flows, samples=0, baseline=baseline(vf.scan(past)), **LOW)}
    assert found >= set(DETECTORS) - {"new_country"}  # of countries: test_what_is_new.py


def test_the_stories_are_found():
    words = [
        "short sessions to 10.0.0.30 port 22,", "port 2222,", "first, opened", "short sessions of like size to port 5985 of 3 hosts",
        "from host to host", "stayed open and said nothing", "servers of UDP port 123", "3 or more each", "inside stores at", "in vain",
    ]  # fmt: skip
    sentences = [
        f.sentence for seed in range(40) for f in vf.detect(vf.scan(log(random.Random(seed), flags=seed % 2)), samples=0, **LOW)
    ]  # fmt: skip
    assert [word for word in words if not any(word in sentence for sentence in sentences)] == []


@pytest.mark.parametrize("fmt", ["default", "v5"])
@pytest.mark.parametrize("window", [60, 600])
def test_made_logs(fmt, window):
    flows = vf.scan(vf.synth(60_000 if LONG else 25_000, seed=103, plant="all", format=fmt, window=window).data)
    sessions = flows.sessions().collect()
    run = Run(flows, sessions, Settings())
    fast, slow = (told(r.findings(DETECTORS)) for r in (run, SlowRun(flows, sessions, Settings(), run.coverage, None)))
    assert fast == slow
    assert len(fast) > 5


@pytest.mark.parametrize("by", ["server", "client_bytes", "end"])
def test_the_order_of_sessions_does_not_show(by):
    flows = vf.scan(log(random.Random(5), flags=True))
    whole = find(flows.sessions().collect(), None, Settings(**LOW)).to_json_lines()
    assert whole.count("\n") > 50
    assert find(flows.sessions().sort(by).collect(), None, Settings(**LOW)).to_json_lines() == whole
