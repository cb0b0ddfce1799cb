"""What once went wrong on a realistic day, each with a small log of its own."""

import random

import pytest

import vpcflow as vf
from test_detection import talk
from test_watch import Memory, watching

DAY, HOUR = 86400, 3600
NOON = 1_764_417_600  # 2025-11-29 12:00 UTC


def found(data, *names, **settings):
    return list(vf.detect(vf.scan(data), only=names, samples=0, **settings))


def told(data, *names, **settings):
    """Findings of medium and high: detector, actor, targets."""
    own = [f for f in found(data, *names, **settings) if f.severity != "low"]
    return sorted((f.detector, f.actor, *f.targets) for f in own)


def lines(*records, fields="srcaddr dstaddr srcport dstport protocol packets bytes start end action"):
    return "\n".join([fields, *(" ".join(map(str, record)) for record in records), ""]).encode()


def test_a_stream_of_one_way_is_no_flood():
    minutes = [("10.0.0.5", "10.0.0.9", 5000, 514, 17, 1000, 300_000, NOON + 60 * i, NOON + 60 * i + 59, "ACCEPT") for i in range(1440)]
    assert found(lines(*minutes), "flood") == []
    (flood,) = found(lines((*minutes[0][:5], 1_200_000, 10**8, *minutes[0][7:])), "flood")
    assert flood.evidence["packets"] == 1_200_000
    assert "nearly all of 1,200,000 packets in a minute" in flood.sentence


def test_movement_does_not_swallow_scans():
    def tries(source, port, n):
        return [(source, f"10.0.{i // 200}.{i % 200 + 10}", port, 6, 1, 40, NOON + i, "REJECT") for i in range(n)]

    findings = found(talk(*tries("10.0.9.9", 6379, 200), *tries("10.0.9.9", 445, 12)))
    assert {(f.detector, f.evidence.get("dstport")) for f in findings} == {("port_scan", 6379), ("lateral_movement", None)}
    strangers = [("10.0.9.9", f"198.51.{i // 200}.{i % 200 + 10}", 23, 6, 1, 40, NOON + i, "REJECT") for i in range(400)]
    findings = found(talk(*tries("10.0.9.9", 445, 12), *strangers))
    assert ("port_scan", 23) in {(f.detector, f.evidence.get("dstport")) for f in findings}


def test_an_upload_to_s3_stays_one_when_the_next_file_comes(tmp_path):
    """The newest file alone is asked for services; its silence about others is no answer."""
    (tmp_path / "logs").mkdir()
    upload = talk(("10.0.0.4", "52.216.1.1", 443, 6, 10**6, 3 * 10**9, NOON, "sent"))
    quiet = talk(("10.0.0.4", "198.51.100.7", 443, 6, 20, 5000, NOON + 900, "answered"))

    def with_service(data, service):
        head, *rest = data.decode().splitlines()
        return "\n".join([head + " pkt-dst-aws-service", *(f"{line} {service}" for line in rest), ""]).encode()

    channel = Memory()
    watch = watching(tmp_path / "logs", [], channel, detectors={"only": ["exfiltration"]}, log=lambda line: None)
    for name, data in (("1", with_service(upload, "S3")), ("2", with_service(quiet, "-"))):
        (tmp_path / "logs" / f"{name}.log").write_bytes(data)
        watch.poll()
    watch.close()
    assert channel.got == []
    (finding,) = found(with_service(upload, "-"), "exfiltration")  # a log that has no names of services
    assert (finding.severity, finding.evidence["aws_service"]) == ("low", "S3")


def test_thresholds_are_of_time():
    logins = [("198.51.100.7", "10.0.0.9", 22, 6, 20, 5000, NOON + i * DAY, "answered") for i in range(31)]
    assert found(talk(*logins), "brute_force") == []
    uploads = [
        (*ends, 6, 10_000, size, NOON + i * DAY, NOON + i * DAY + 90, "ACCEPT")
        for i in range(30)
        for ends, size in ((("10.0.0.4", "198.51.100.7", 40_000, 443), 20_000_000), (("198.51.100.7", "10.0.0.4", 443, 40_000), 90_000))
    ]
    assert found(lines(*uploads), "exfiltration") == []
    assert found(lines(*uploads[:2]), "exfiltration", exfil_small="10MB", exfil_bytes="15MB")


@pytest.mark.parametrize("flags", [True, False])
@pytest.mark.parametrize("silent", [True, False])
def test_calls_in_vain_are_told(flags, silent):
    rng, records, at = random.Random(1), [], NOON
    for i in range(200):
        at += rng.randrange(20, 200)
        end = ("ACCEPT",) + ((2,) if flags else ())
        records.append(("10.0.0.4", "203.0.113.9", 30_000 + i, 2404, 6, 1, 40, at, at + 1, *end))
        if not silent:
            back = ("ACCEPT",) + ((4,) if flags else ())
            records.append(("203.0.113.9", "10.0.0.4", 2404, 30_000 + i, 6, 1, 40, at, at + 1, *back))
    other = ("10.0.0.7", "203.0.113.7", 30_000, 443, 6, 20, 5000, NOON, NOON + 5, "ACCEPT", *((3,) if flags else ()))
    back = ("203.0.113.7", "10.0.0.7", 443, 30_000, 6, 20, 5000, NOON, NOON + 5, "ACCEPT", *((19,) if flags else ()))
    fields = "srcaddr dstaddr srcport dstport protocol packets bytes start end action" + " tcp-flags" * flags
    assert told(lines(*records, other, back, fields=fields), "beacon") == [("beacon", "10.0.0.4", "203.0.113.9")]


@pytest.mark.parametrize("port", [123, 53, 11211, 1900, 19])
def test_a_victim_of_reflection_is_no_client_of_its_servers(port):
    """In version 2 the reflecting port is a service's, and what the victim has is any."""
    records = [
        (f"198.51.{i // 200}.{i % 200 + 1}", "10.0.0.9", port, 34_567, 17, 4000, 1_900_000, NOON + i % 20, NOON + 60, "ACCEPT")
        for i in range(600)
    ]  # fmt: skip
    findings = found(lines(*records))
    assert [(f.detector, f.severity, f.actor) for f in findings] == [("flood", "high", "10.0.0.9")]
    assert findings[0].evidence["srcport"] == port
    assert f"servers of UDP port {port} sent 10.0.0.9" in findings[0].sentence


def test_services_at_ports_of_their_own_are_known_by_what_guesses_are():
    tries = [("198.51.100.7", "10.0.0.9", 2222, 6, 20, 3000 + i % 7, NOON + 8 * i, "answered") for i in range(400)]
    assert told(talk(*tries), "brute_force") == [("brute_force", "198.51.100.7", "10.0.0.9")]


def test_thin_formats_name_what_nobody_can_see(tmp_path):
    thin = "srcaddr dstaddr start end"
    findings = vf.detect(vf.scan(lines(("10.0.0.4", "198.51.100.7", NOON, NOON + 5), fields=thin)))
    blind = {
        "accepted_after_reject", "beacon", "brute_force", "collection", "exfiltration", "lateral_movement", "long_session", "new_admin_edge",
        "new_port", "new_protocol", "port_scan", "tunnel", "unauthorised_access",
    }  # fmt: skip
    assert set(findings.not_detected) >= blind - {"beacon"}
    for name in blind:
        assert f" {name}" in findings.conclusion()
    # All formats count, not only the first.
    (tmp_path / "1.log").write_bytes(talk(("10.0.0.1", "10.0.0.2", 443, 6, 20, 5000, NOON, "answered")))
    (tmp_path / "2.log").write_bytes(lines(("10.0.0.4", "198.51.100.7", NOON, NOON + 5), fields=thin))
    both = vf.detect(vf.scan(str(tmp_path / "*.log")))
    assert all("not looked for in 1 of 2 sources" in both.degraded[name][0] for name in blind - {"beacon"})


def test_ports_and_protocols_are_named():
    udp = talk(*(("10.0.0.4", f"10.0.1.{i}", 3389, 17, 1, 60, NOON + i, "REJECT") for i in range(20)))
    (moving,) = found(udp, "lateral_movement")
    assert "tried UDP port 3389 of 20 inside hosts within a day, 20 of which did not answer" in moving.sentence
    assert (moving.evidence["ports"], moving.evidence["protocols"]) == ([3389], [17])
    answer = talk(("198.51.100.7", "10.0.0.9", 1433, 17, 20, 5000, NOON, "answered"))
    (access,) = found(answer, "unauthorised_access")
    assert "talked to 10.0.0.9 UDP port 1433: 1 session," in access.sentence
    tried = [("198.51.100.7", "10.0.0.9", 8000 + i, 17, 1, 40, NOON + i, "REJECT") for i in range(30)]
    scan, after = found(talk(*tried, ("198.51.100.7", "10.0.0.9", 161, 17, 20, 5000, NOON + 90, "answered")), "port_scan", "accepted_after_reject")
    sentences = {f.detector: f.sentence for f in (scan, after)}
    assert "tried 30 UDP ports of 10.0.0.9" in sentences["port_scan"]
    assert "then UDP port 161 answered" in sentences["accepted_after_reject"]


#: Ends of which the outside one has the lower address, and the other way round.
ENDS = [("172.21.9.15", "45.9.9.9"), ("10.1.0.5", "200.1.2.3"), ("192.168.7.7", "8.8.8.8"), ("fd00::5", "2001:db8::9")]


@pytest.mark.parametrize(("inside", "outside"), ENDS)
@pytest.mark.parametrize(("protocol", "ports"), [(17, (51_000, 52_000)), (50, ("-", "-")), (47, ("-", "-")), (6, (51_000, 52_000))])
def test_bytes_that_leave_are_judged_whoever_began(inside, outside, protocol, ports):
    out = (inside, outside, *ports, protocol, 5_000_000, 6 * 10**9, NOON, NOON + 1200, "ACCEPT")
    back = (outside, inside, *ports[::-1], protocol, 90_000, 9_000_000, NOON, NOON + 1200, "ACCEPT")
    assert told(lines(out, back), "exfiltration") == [("exfiltration", inside, outside)]


@pytest.mark.parametrize(("inside", "outside"), ENDS)
def test_who_answers_is_no_client(inside, outside):
    """ICMP is judged at the inside host; an answer of a name server is no session at an administration port."""
    kind = 58 if ":" in inside else 1
    ping = (inside, outside, "-", "-", kind, 40_000, 40_000_000, NOON, NOON + 1200, "ACCEPT")
    pong = (outside, inside, "-", "-", kind, 40_000, 20_000_000, NOON, NOON + 1200, "ACCEPT")
    assert told(lines(ping, pong), "tunnel") == [("tunnel", inside, outside)]
    asks = (inside, outside, 3389, 53, 17, 3, 200, NOON, NOON + 1, "ACCEPT")
    answers = (outside, inside, 53, 3389, 17, 3, 900, NOON, NOON + 1, "ACCEPT")
    assert found(lines(asks, answers), "unauthorised_access") == []


@pytest.mark.parametrize("port", [9200, 6379, 27017])
def test_a_store_that_a_stranger_reads(port):
    """Judged by what left; both sides' volumes are said."""
    asks = ("198.51.100.7", "10.0.0.9", 40_000, port, 6, 60_000, 86_000_000, NOON, NOON + 900, "ACCEPT")
    gets = ("10.0.0.9", "198.51.100.7", port, 40_000, 6, 4_000_000, 6 * 10**9, NOON, NOON + 900, "ACCEPT")
    upload, access = sorted(found(lines(asks, gets)), key=lambda f: f.detector)
    assert (upload.detector, upload.severity, upload.actor, upload.targets) == ("exfiltration", "high", "10.0.0.9", ["198.51.100.7"])
    assert (upload.evidence["sent"], upload.evidence["received"]) == (6 * 10**9, 86_000_000)
    assert f"sent 6.0 GB to 198.51.100.7, which sent 0.09 GB and asked for it at port {port}" in upload.sentence
    assert (access.evidence["bytes"], access.evidence["received"]) == (86_000_000, 6 * 10**9)
    assert "86,000,000 bytes to it, 6,000,000,000 bytes from it" in access.sentence


@pytest.mark.parametrize("usual", [0, 100, 3000])
def test_what_a_host_does_besides_acquits_it_of_nothing(usual):
    tries = [("10.0.0.4", f"10.0.1.{i}", 445, 6, 1 if i % 2 else 20, 40 if i % 2 else 5000, NOON + 60 * i, "REJECT" if i % 2 else "answered")
             for i in range(75)]  # fmt: skip
    rng = random.Random(2)
    others = [("10.0.0.4", "10.0.2.1", 445, 6, 90, rng.randrange(9000, 90_000), NOON - 40_000 + 13 * i, "answered") for i in range(usual)]
    assert told(talk(*tries, *others), "lateral_movement", "brute_force")[0][:2] == ("lateral_movement", "10.0.0.4")
    assert len(told(talk(*tries, *others), "lateral_movement", "brute_force")) == 1


def test_what_gateways_repeat_is_left_out_and_said():
    """A bot behind a NAT gateway tries telnet outside; in version 2 the gateway stands for all it tries."""
    rng, records = random.Random(3), []

    def both(client, server, port, size, back, at):
        own = rng.randrange(20_000, 60_000)
        records.append((client, server, own, port, 6, 9, size, at, at + 3, "ACCEPT"))
        records.append((server, client, port, own, 6, 9, back, at, at + 3, "ACCEPT"))

    for i in range(60):
        size, back = rng.randrange(400, 90_000), rng.randrange(400, 90_000)
        for client in (f"10.0.0.{10 + i % 4}", "10.0.0.200"):
            both(client, f"203.0.113.{i}", 443, size, back, NOON + 30 * i)
    for i in range(40):
        for client in ("10.0.0.10", "10.0.0.200"):
            both(client, f"198.51.100.{i}", 23, 300 + i, 500 + i, NOON + 20 * i)
    findings = vf.detect(vf.scan(lines(*records)), samples=0)
    assert "10.0.0.200" not in {f.actor for f in findings}
    assert findings.gateways == {"10.0.0.200": 100}
    assert "as NAT gateways do: 10.0.0.200 (100 sessions)" in findings.conclusion()


@pytest.mark.parametrize("kind", ["scan", "beacon", "upload", "guesses"])
def test_gateways_of_one_host_repeat_it_too(kind):
    """In version 2 there are three sessions of what one host does behind a NAT gateway: it is told once, of the host."""
    size, back, port, every = {
        "scan": (40, 0, 23, 20), "beacon": (900, 1200, 443, 900), "upload": (30_000_000, 400_000, 443, 60), "guesses": (2000, 2400, 22, 20)
    }[kind]  # fmt: skip
    records = []
    for i in range(60):
        target, at = f"198.51.100.{i}" if kind == "scan" else "203.0.113.77", NOON + i * every
        for client, server, own in (("10.0.0.4", target, 40_000 + i), ("10.0.0.4", "10.0.0.200", 40_000 + i), ("10.0.0.200", target, 2000 + i)):
            records.append((client, server, own, port, 6, max(1, size // 1400 + 3 * bool(back)), size, at, at + 5, "ACCEPT"))
            if back:
                records.append((server, client, port, own, 6, back // 100, back, at, at + 5, "ACCEPT"))
    findings = vf.detect(vf.scan(lines(*records)), samples=0)
    assert {f.actor for f in findings if f.severity != "low"} == {"10.0.0.4"}
    assert "10.0.0.200" not in {address for f in findings for address in (f.actor, *f.targets)}
    assert findings.gateways == {"10.0.0.200": 120}


def test_hosts_that_poll_the_same_are_no_gateways():
    """Two collectors call each other, and the same outside hosts with as many bytes."""
    records = []
    for i in range(60):
        for client in ("10.0.0.4", "10.0.0.5"):
            records += talks(client, f"203.0.113.{i}", 443, 900 + i, 5000 + 7 * i, NOON + 60 * i)
        records += talks("10.0.0.4", "10.0.0.5", 443, 4000 + 9 * i, 70 + i, NOON + 60 * i)
    assert vf.detect(vf.scan(lines(*records)), samples=0).gateways == {}


def talks(client, server, port, size, back, at):
    """The records of both directions of a session."""
    return [
        (client, server, 40_000 + at % 20_000, port, 6, 9, size, at, at + 3, "ACCEPT"),
        (server, client, port, 40_000 + at % 20_000, 6, 9, back, at, at + 3, "ACCEPT"),
    ]  # fmt: skip


def test_who_floods_is_the_actor():
    outgoing = [("10.0.0.5", "203.0.113.9", 80, 17, 2_000_000, 10**8, NOON + 60 * i, "sent") for i in range(3)]
    findings = vf.detect(vf.scan(talk(*outgoing)), samples=0)
    assert [(f.detector, f.actor, f.targets) for f in findings if f.detector == "flood"] == [("flood", "10.0.0.5", ["203.0.113.9"])]
    assert len(findings.incidents()) == 1
    many = [(f"198.51.{i // 250}.{i % 250}", "10.0.0.9", 443, 17, 2500, 10**5, NOON + i % 40, "sent") for i in range(900)]
    assert {f.actor for f in found(talk(*many), "flood")} == {"10.0.0.9"}


def test_tests_that_wait_for_a_database_are_no_break_in():
    rng = random.Random(4)
    waits = [("10.0.0.4", "10.0.0.9", 5432, 6, 1, 40, NOON + rng.randrange(DAY), "REJECT") for _ in range(96)]
    assert told(talk(*waits), "unauthorised_access") == []
    tries = [(*wait[:2], 22, *wait[3:]) for wait in waits]
    assert told(talk(*tries), "unauthorised_access") == [("unauthorised_access", "10.0.0.4", "10.0.0.9")]


def test_sentences_count_one_in_the_singular():
    one = talk(("198.51.100.7", "10.0.0.9", 22, 6, 20, 5000, NOON, "answered"))
    (access,) = found(one, "unauthorised_access")
    assert access.sentence.endswith(": 1 session, 5,000 bytes to it, 5,000 bytes from it, 2025-11-29 12:00:00 to 2025-11-29 12:00:05 UTC")


RANGES = [
    ("scan_failed", 2, "a share from 0 to 1 is needed, not 2"),
    ("scan_failed", float("nan"), "a share from 0 to 1 is needed, not nan"),
    ("new_chance", -0.5, "a chance from 0 to 1 is needed, not -0.5"),
    ("scan_ports", 0, "a number of ports from 1 on is needed, not 0"),
    ("brute_seconds", -60, "a number of seconds from 1 on is needed, not -60"),
    ("exfil_bytes", -1, "a number of bytes from 0 on is needed, not -1"),
    ("exfil_ratio", float("inf"), "a number of times from 0 on is needed, not inf"),
]


@pytest.mark.parametrize(("name", "value", "message"), RANGES)
def test_settings_have_ranges(name, value, message):
    with pytest.raises(vf.PlanError, match=f"detect: {name}: {message}"):
        vf.detect(vf.scan(b""), **{name: value})  # before anything is read


def reads(client, stores, size, start, port=5432):
    """Records of a client that reads much of some stores."""
    out = []
    for i, store in enumerate(stores):
        ends = (client, store, 40_000 + i, port)
        out.append((*ends, 6, 900, 60_000, start + 60 * i, start + 60 * i + 600, "ACCEPT"))
        out.append((store, client, *ends[:1:-1], 6, 90_000, size, start + 60 * i, start + 60 * i + 600, "ACCEPT"))
    return out


def test_much_read_of_many_stores_is_collection():
    stores = [f"10.0.9.{i}" for i in range(1, 7)]
    (finding,) = found(lines(*reads("10.0.0.4", stores, 6 * 10**9, NOON)), "collection")
    assert (finding.severity, finding.actor, len(finding.targets)) == ("high", "10.0.0.4", 6)
    assert "read 36,000.0 MB of 6 inside stores at port 5432 within a day, in 6 sessions, and sent them 0.4 MB" in finding.sentence
    assert told(lines(*reads("10.0.0.4", stores[:3], 2 * 10**8, NOON)), "collection")[0][:2] == ("collection", "10.0.0.4")
    assert found(lines(*reads("10.0.0.4", stores[:2], 2 * 10**9, NOON)), "collection") == []
    assert found(lines(*reads("10.0.0.4", stores, 5 * 10**7, NOON)), "collection") == []
    # What several do is what these stores are for; what one does every day is its habit.
    several = [record for i in range(4) for record in reads(f"10.0.0.{i}", stores, 10**9, NOON)]
    assert [f.severity for f in found(lines(*several), "collection")] == ["low"] * 4
    daily = [record for day in range(5) for record in reads("10.0.0.4", stores, 10**9, NOON + day * DAY)]
    assert {f.severity for f in found(lines(*daily), "collection")} <= {"low"}


def test_a_service_account_reads_what_it_never_read():
    usual = [record for i in range(300) for record in reads("10.0.0.4", ["10.0.9.1"], 300_000, NOON + 2000 * i)]
    past = vf.detection.baseline(vf.scan(lines(*usual)))
    new = lines(*reads("10.0.0.4", [f"10.0.9.{i}" for i in range(2, 6)], 2_000_000, NOON + 40 * DAY))
    assert told(new, "collection") == []
    assert told(new, "collection", baseline=past)[0][:2] == ("collection", "10.0.0.4")


def upload(client, peer, size, start, sessions=6):
    out = []
    for i in range(sessions):
        at, ends = start + 600 * i, (client, peer, 41_000 + i, 443)
        out.append((*ends, 6, size // 900, size // sessions, at, at + 500, "ACCEPT"))
        out.append((peer, client, *ends[:1:-1], 6, size // 9000, size // 400, at, at + 500, "ACCEPT"))
    return out


def test_a_bucket_that_nobody_sends_to():
    """An upload to S3 is told of a host that never did the like, and with which few others do."""
    host, bucket = "10.0.0.4", "52.216.1.1"
    before = upload(host, "198.51.100.7", 90_000, NOON - 4 * HOUR, 12)
    big = upload(host, bucket, 3 * 10**9, NOON)
    (finding,) = found(lines(*before, *big), "exfiltration")
    assert (finding.severity, finding.evidence["aws_service"], finding.evidence["s3_senders"]) == ("medium", "S3", 1)
    assert "before it sent S3 next to nothing, and hardly another host sends as much" in finding.sentence
    usual = {
        "as others do": [record for i in range(5, 8) for record in upload(f"10.0.0.{i}", "52.216.1.9", 10**9, NOON)],
        "as it did": upload(host, bucket, 10**9, NOON - 2 * DAY),
        "as stores do": [record for i in range(6) for record in reads(f"10.0.7.{i}", [host], 9000, NOON)],
    }
    for records in usual.values():
        mine = [f.severity for f in found(lines(*before, *big, *records), "exfiltration") if f.actor == host]
        assert set(mine) == {"low"}
    assert [f.severity for f in found(lines(*big), "exfiltration")] == ["low"]  # nothing is known of the time before


def test_slow_guesses_of_uneven_sizes():
    rng = random.Random(5)
    starts = sorted(rng.randrange(7200) for _ in range(45))
    tries = [("198.51.100.7", "10.0.0.9", 22, 6, rng.randrange(11, 23), rng.randrange(1800, 4200), NOON + t, "answered") for t in starts]
    assert told(talk(*tries), "brute_force") == [("brute_force", "198.51.100.7", "10.0.0.9")]
    people = [(*t[:5], int(3000 * rng.lognormvariate(0, 1)), *t[6:]) for t in tries]
    assert told(talk(*people), "brute_force") == []
