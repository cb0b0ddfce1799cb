"""Tries of hosts that were seen once or twice, as counts: detectors find what they find in whole sessions."""

import importlib
import random

import pytest

import vpcflow as vf

run = importlib.import_module("vpcflow.detect.run")

HEAD = b"srcaddr dstaddr srcport dstport protocol packets bytes start end action\n"


def line(source, target, sport, dport, start, *, protocol=6, packets=1, action="REJECT", seconds=20):
    size = packets * 40
    return f"{source} {target} {sport} {dport} {protocol} {packets} {size} {start} {start + seconds} {action}\n".encode()


def v4(n):
    return f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.9"


def spread(n, **options):
    """Tries of many hosts at a service of one, within three minutes."""
    return [line(v4(i), "10.0.0.5", 2000 + i % 60000, 443, i * 180 // n, **options) for i in range(n)]


@pytest.fixture
def folded(monkeypatch):
    """Finds with tries folded from some number on."""

    def find(data, above=200, **settings):
        monkeypatch.setattr(run, "WHOLE", above)
        return vf.detect(vf.scan(data, threads=2), samples=0, **settings)

    return find


def alike(few, whole):
    """Whether findings are the same but for the counts of floods, from which fewer than 16 of a minute may lack."""
    if [(f.detector, f.severity, f.actor, f.targets) for f in few] != [(f.detector, f.severity, f.actor, f.targets) for f in whole]:
        return False
    for one, other in zip(few, whole):
        if one.detector != "flood":
            assert one == other
        lack = [other.evidence[name] - one.evidence[name] for name in ("sources", "tries") if name in other.evidence]
        assert all(0 <= n < 16 for n in lack if one.detector == "flood"), (one, other)
    return True


def test_flood_of_folded_tries_is_the_flood_of_whole_ones(folded):
    data = HEAD + b"".join(spread(3000))
    whole, few = vf.detect(vf.scan(data), samples=0), folded(data)
    (flood,) = few
    assert alike(few, whole)
    tries, hosts = few.folded
    assert 950 < flood.evidence["folded"] <= flood.evidence["tries"] == 1000
    assert whole.folded == (0, 0)
    assert 2900 < tries <= 3000
    assert abs(hosts - tries) < 150
    (said,) = [text for kind, text in few.limits() if kind == "folded"]
    assert said.startswith(f"folded: {tries:,} unanswered tries of about {hosts:,} outside hosts (standard error 1.6 %)")


def test_nothing_is_folded_below_the_limit(folded):
    data = HEAD + b"".join(spread(3000))
    assert folded(data, above=3000).folded == (0, 0)
    assert list(folded(data, above=3000)) == list(vf.detect(vf.scan(data), samples=0))


def test_hosts_seen_three_times_and_inside_hosts_stay_whole(folded):
    scan = [line("198.51.100.7", "10.0.0.6", 40000, port, 20 * port) for port in range(1, 40)]
    thrice = [line(v4(70000 + i // 3), "10.0.0.7", 5000 + i, 22, i) for i in range(300)]
    own = [line(f"10.1.{i >> 8}.{i & 255}", "10.0.0.8", 5000, 22, i) for i in range(400)]
    data = HEAD + b"".join([*spread(1000), *scan, *thrice, *own])
    few = folded(data)
    assert 900 < few.folded[0] <= 1000
    assert alike(few, vf.detect(vf.scan(data), samples=0))
    assert "198.51.100.7" in {f.actor for f in few}


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        ({"flood_packets": 900}, [line(v4(i), "10.0.0.5", 3000, 1 + i * 7919 % 60000, i // 20) for i in range(3000)]),
        ({}, spread(3000, action="ACCEPT", packets=3, seconds=150)),
        ({}, [line(v4(i), "10.0.0.5", 123, 40000 + i % 9, i // 10, protocol=17) for i in range(3000)]),
        ({}, [line(f"2001:db8::{i:x}", "fd00::5", 3000, 443, i // 20) for i in range(3000)]),
        ({}, [line(v4(i), "10.0.0.5", 0, 0, i // 20, protocol=1, action="ACCEPT") for i in range(3000)]),
    ],
    ids=["any port", "packets of several minutes", "reflection", "IPv6", "ICMP"],
)
def test_kinds_of_floods(folded, settings, lines):
    data = HEAD + b"".join(lines)
    whole = vf.detect(vf.scan(data), samples=0, **settings)
    few = folded(data, **settings)
    assert few.folded[0] > 2500
    assert whole
    assert alike(few, whole)


def test_order_and_threads_do_not_show(folded):
    made = vf.synth(world="office", seed=3, plant=["syn_flood", "scan_distributed"], interfaces=40, hours=8, records=40_000)
    head, *lines = made.data.splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    first = folded(made.data, above=50)
    assert first.folded[0] > 50
    assert alike(first, vf.detect(vf.scan(made.data), samples=0))
    parts = [head + b"".join(lines[i::5]) for i in range(5)]
    for again in (folded(parts, above=50), folded(head + b"".join(lines), above=50)):
        assert list(again) == list(first)
        assert again.folded == first.folded


def test_settings_that_ask_for_single_tries_keep_them(folded):
    data = HEAD + b"".join(spread(1000))
    assert folded(data, access_tries=2).folded == (0, 0)


def test_wrong_prefix_is_an_error():
    with pytest.raises(vf.PlanError, match=r"fold_not: '10\.0\.0\.300/8' is no prefix"):
        vf.scan(HEAD).sessions()._folded(5, ["10.0.0.300/8"]).collect()
