"""Detectors that compare with the past."""

import pytest

import vpcflow as vf
from conftest import run_cli
from test_detection import talk


def often(n, *session):
    """The same conversation many times, at no regular times."""
    source, target, port, protocol, start = session
    return [(source, target, port, protocol, 20, 5000, start + i * i * 60, "answered") for i in range(n)]


def test_ports_and_countries_that_are_new(tmp_path, monkeypatch):
    maxminddb = pytest.importorskip("maxminddb")
    import ipaddress

    entries = [(ipaddress.ip_network(f"{block}.0/24"), {"country": {"iso_code": code}})
               for block, code in (("198.51.100", "DE"), ("203.0.113", "KP"))]  # fmt: skip

    class Database:
        def __enter__(self):
            return iter(entries)

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(maxminddb, "open_database", lambda path: Database())
    geo = tmp_path / "countries.mmdb"
    geo.write_bytes(b"")

    def out(source, target, port, start, how="answered"):
        return (source, target, port, 6, 20, 5000, start, how)

    past = talk(*often(100, "10.0.0.4", "198.51.100.7", 443, 6, 1000), *often(100, "10.0.0.5", "198.51.100.7", 443, 6, 1000))
    today = talk(
        out("10.0.0.4", "198.51.100.8", 443, 990_000), out("10.0.0.4", "198.51.100.8", 6667, 990_100),
        out("10.0.0.5", "203.0.113.9", 443, 990_200), out("10.0.0.5", "203.0.113.9", 25, 990_300, "REJECT"),
        out("10.0.0.6", "198.51.100.7", 8080, 990_400),  # a host without a past
    )  # fmt: skip
    usual = vf.detection.baseline(vf.scan(past))
    (port,) = vf.detect(vf.scan(today), only=["new_port"], baseline=usual)
    assert (port.actor, port.targets, port.evidence["dstport"], port.severity) == ("10.0.0.4", ["198.51.100.8"], 6667, "low")
    (country,) = vf.detect(vf.scan(today), only=["new_country"], baseline=usual, geo=str(geo))
    assert (country.actor, country.targets, country.evidence["country"]) == ("10.0.0.5", ["203.0.113.9"], "KP")
    assert country.samples[0]["dstaddr"] == "203.0.113.9"
    entries[:] = [(network, {"autonomous_system_organization": f"AS of {entry['country']['iso_code']}"}) for network, entry in entries]
    (network,) = vf.detect(vf.scan(today), only=["new_country"], baseline=usual, geo=str(geo))
    assert (network.actor, network.evidence["network"]) == ("10.0.0.5", "AS of KP")
    assert "203.0.113.9 in AS of KP at port 443, where none of your hosts" in network.sentence
    assert len(vf.detect(vf.scan(today), only=["new_country"], baseline=usual)) == 0
    # The command line learns, and then knows.
    (tmp_path / "past.log").write_bytes(past)
    (tmp_path / "today.log").write_bytes(today)
    state = tmp_path / "usual.vpcflow"
    run_cli("detect", tmp_path / "past.log", "--learn", state, check=0)
    known = ("--only", "new_port", "--baseline", state, "--learn", state)
    assert b"6667" in run_cli("detect", tmp_path / "today.log", *known, check=1).stdout
    assert b"nothing found" in run_cli("detect", tmp_path / "today.log", *known, check=0).stdout
    assert b"not a baseline file" in run_cli("detect", tmp_path / "today.log", "--baseline", tmp_path / "past.log", check=2).stderr


def test_protocols_and_destinations_that_are_new():
    def out(source, target, protocol, start, how="answered"):
        return (source, target, 443 if protocol in (6, 17) else "-", protocol, 20, 5000, start, how)

    past = talk(
        *often(120, "10.0.0.4", "198.51.100.7", 443, 6, 1000), *often(2, "10.0.0.4", "10.0.0.9", 443, 17, 1000),
        *often(120, "10.0.0.5", "10.0.0.9", 443, 6, 1000),
        *often(120, "10.0.0.7", "198.51.100.7", 443, 6, 1000), *(out("10.0.0.7", f"203.0.113.{i}", 6, 1000) for i in range(11)),
        *often(120, "10.0.0.8", "52.216.1.1", 443, 6, 1000), *often(90, "10.0.0.6", "10.0.0.9", 443, 6, 1000),
    )  # fmt: skip
    today = talk(
        out("10.0.0.4", "198.51.100.8", 47, 990_000), out("10.0.0.4", "198.51.100.9", 47, 990_100, "unanswered"),
        out("10.0.0.4", "198.51.100.7", 17, 990_200), out("10.0.0.5", "10.0.0.4", 17, 990_300),
        out("10.0.0.6", "10.0.0.4", 17, 990_400), out("198.51.100.7", "10.0.0.4", 17, 990_500),
        out("10.0.0.7", "203.0.113.50", 6, 990_600), out("10.0.0.8", "203.0.113.5", 6, 990_600),
        out("10.0.0.4", "52.216.1.2", 6, 990_700), out("10.0.0.4", "198.51.100.8", 6, 990_800),
    )  # fmt: skip
    usual = vf.detection.baseline(vf.scan(past))
    gre, udp = vf.detect(vf.scan(today), only=["new_protocol"], baseline=usual)
    assert (gre.actor, gre.targets, gre.evidence["protocol"], gre.severity) == ("10.0.0.4", ["198.51.100.8"], 47, "medium")
    assert (udp.actor, udp.targets, udp.evidence["protocol"], udp.severity) == ("10.0.0.5", ["10.0.0.4"], 17, "low")
    assert {s["protocol"] for s in gre.samples} == {47}
    assert gre.sentence.startswith("10.0.0.4 used protocol 47 (198.51.100.8) for the first time in 122 sessions, 1970-01-12")
    # 10.0.0.6 has a short past; 10.0.0.7 talks to somebody new all day, 10.0.0.8 to nobody but S3.
    (new,) = vf.detect(vf.scan(today), only=["new_destination"], baseline=usual)
    assert (new.actor, new.targets, new.score) == ("10.0.0.4", ["198.51.100.8"], 1 - round(0.5 / 121 / 0.01, 3))
    assert (new.evidence["past_sessions"], new.evidence["past_once"]) == (120, 0)
    assert new.sentence.startswith("10.0.0.4 talked to 198.51.100.8 at port 443 and protocol 47 for the first time in 120 sessions")
    more = vf.detect(vf.scan(today), only=["new_destination"], baseline=usual, new_chance=0.1)
    assert {f.actor for f in more} == {"10.0.0.4", "10.0.0.7"}
    # A past without protocols tells nothing of them.
    old = vf.Aggregation(by=("srcaddr", "dstaddr", "dstport"), n="count()").update(vf.scan(past))
    assert len(vf.detect(vf.scan(today), only=["new_protocol"], baseline=old)) == 0
    assert len(vf.detect(vf.scan(today), only=["new_destination"], baseline=old)) == 1


def test_new_things_of_one_host_are_told_apart():
    past = talk(*often(120, "10.0.0.4", "198.51.100.7", 443, 6, 1000))
    today = talk(*(("10.0.0.4", f"203.0.113.{i}", "-", p, 20, 5000, 990_000, "answered") for p in (47, 50) for i in (1, 2)))
    found = vf.detect(vf.scan(today), only=["new_protocol"], baseline=vf.detection.baseline(vf.scan(past)))
    assert len({f.key for f in found}) == len(found) == 2


def test_a_stream_is_learned_from_and_ruled_on_in_one_reading(tmp_path):
    past = talk(*often(20, "10.0.0.4", "198.51.100.7", 443, 6, 1000))
    (tmp_path / "past.log").write_bytes(past)
    rules = tmp_path / "rules.json"
    rules.write_text('[{"name": "busy", "by": "srcaddr", "having": "flows >= 20"}]')
    usual = [tmp_path / name for name in ("stream", "file")]
    printed = [
        run_cli("detect", source, "--learn", state, "--rules", rules, "--samples", 0, "--allow-empty", stdin=past).stdout
        for source, state in (("-", usual[0]), (tmp_path / "past.log", usual[1]))
    ]
    assert b"busy" in printed[0]
    assert printed[0] == printed[1]
    assert usual[0].read_bytes() == usual[1].read_bytes() == vf.detection.baseline(vf.scan(past)).to_bytes()
