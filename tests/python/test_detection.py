"""Detectors against what synth plants, and against what only looks like it."""

import json
import warnings

import pytest

import vpcflow as vf
from conftest import run_cli
from vpcflow.detect import Settings

OTHERS = ("health_check", "backup", "load_balancer", "monitoring", "crawler", "peer_to_peer", "remote_admin")


def made(seed, fmt, tmp_path, plant="all", **options):
    vf.synth(120_000, out=tmp_path, seed=seed, plant=plant, format=fmt, **options)
    labels = json.loads((tmp_path / "labels.json").read_text())
    return vf.scan(str(tmp_path / "**" / "*.log*")), labels


PLANTED = ("port_scan", "brute_force", "exfiltration", "beacon", "lateral_movement")


@pytest.mark.parametrize("window", [60, 600])
@pytest.mark.parametrize("fmt", ["default", "v5"])
@pytest.mark.parametrize("seed", [101, 102])
def test_what_is_planted_is_found_and_the_look_alikes_are_not(tmp_path, seed, fmt, window):
    flows, labels = made(seed, fmt, tmp_path, window=window)
    findings = vf.detect(flows)
    planted = {label["kind"]: label for label in labels}
    for name in PLANTED:
        if name == "beacon" and window == 600:
            continue  # a call every 300 s is hidden by windows of 600
        mine = [f for f in findings if f.detector == name and f.actor == planted[name]["actor"]]
        assert mine, name
        assert set(mine[0].targets) <= set(planted[name]["targets"])
        assert mine[0].start >= planted[name]["first"] - window
        assert mine[0].end <= planted[name]["last"] + window
        assert mine[0].severity in ("high", "medium")
    benign = {planted[name]["actor"] for name in OTHERS}
    evil = {planted[name]["actor"] for name in PLANTED}
    blamed = [f for f in findings if f.severity != "low" and f.actor in benign - evil]
    # An administrator outside is told from others if you name where he works.
    assert {f.detector for f in blamed} <= {"unauthorised_access"}
    assert {f.actor for f in blamed if f.detector == "unauthorised_access"} <= {planted["remote_admin"]["actor"]}
    assert len(vf.detect(flows, only=["unauthorised_access"], admin_sources=[planted["remote_admin"]["actor"]])) <= 1
    strangers = [f for f in findings if f.severity != "low" and f.actor not in benign | evil]
    assert len(strangers) <= 1, strangers  # of 120,000 records


def test_evidence_and_coverage(tmp_path):
    flows, labels = made(5, "default", tmp_path, plant="port_scan")
    (finding,) = vf.detect(flows, only=["port_scan"])
    label = labels[0]
    assert (finding.actor, finding.targets) == (label["actor"], label["targets"])
    assert finding.evidence["ports"] == label["distinct_ports"]
    assert "2,500 ports" in finding.sentence
    assert "tcp-flags" in finding.coverage["add"]
    assert "SKIPDATA" in finding.coverage["skipdata"]
    assert finding.technique == "T1046"
    assert 0.9 < finding.score < 1


def test_no_confidence_that_was_not_measured():
    findings = vf.detect(vf.scan(vf.synth(120_000, seed=101, plant="all").data), samples=0)
    assert len(findings) > 5
    assert {finding.confidence for finding in findings} == {None}


def test_silence_says_what_it_could_not_see(quiet):
    log = b"interface-id srcaddr dstaddr start end\neni-1 10.0.0.1 10.0.0.2 0 60\n"
    findings = vf.detect(vf.scan(log))
    assert len(findings) == 0
    assert "dstport" in findings.not_detected["port_scan"]
    assert "not looked for: port_scan: the logs lack" in str(findings)


def test_a_server_that_answers_takes_no_blame():
    lines = [b"srcaddr dstaddr srcport dstport protocol packets bytes start end action"]
    for i in range(300):
        client = f"198.51.100.{i % 250}".encode()
        lines.append(b"%s 10.0.0.1 %d 443 6 5 400 %d %d ACCEPT" % (client, 30_000 + i, i * 10, i * 10 + 5))
        lines.append(b"10.0.0.1 %s 443 %d 6 5 9000 %d %d ACCEPT" % (client, 30_000 + i, i * 10, i * 10 + 5))
    assert len(vf.detect(vf.scan(b"\n".join(lines)))) == 0


def test_one_long_connection_is_no_beacon():
    """AWS logs it again every window, at perfect intervals."""
    lines = [b"srcaddr dstaddr srcport dstport protocol packets bytes start end action"]
    for i in range(500):
        lines.append(b"10.0.0.1 203.0.113.9 40000 443 6 5 400 %d %d ACCEPT" % (i * 60, i * 60 + 59))
        lines.append(b"203.0.113.9 10.0.0.1 443 40000 6 5 400 %d %d ACCEPT" % (i * 60, i * 60 + 59))
    (finding,) = vf.detect(vf.scan(b"\n".join(lines)))
    assert (finding.detector, finding.evidence["seconds"], finding.evidence["bytes"]) == ("long_session", 29_999, 200_000)
    assert "kept a session with 203.0.113.9 port 443 for 8.3 hours" in finding.sentence


def test_threads_do_not_show(tmp_path):
    flows, _ = made(7, "v5", tmp_path, files=5)
    one = vf.detect(vf.scan(str(tmp_path / "**" / "*.log*"), threads=1)).to_json_lines()
    assert vf.detect(vf.scan(str(tmp_path / "**" / "*.log*"), threads=4)).to_json_lines() == one
    assert vf.detect(flows).to_json_lines() == one


def test_settings_and_mistakes():
    flows = vf.scan(vf.synth(20_000, seed=3, plant="port_scan", peers=500, noise_sources=500).data)
    assert len(vf.detect(flows, only=["port_scan"], scan_ports=10_000, scan_hosts=10_000)) == 0
    with pytest.raises(vf.PlanError, match="no detector 'port-scan'"):
        vf.detect(flows, only=["port-scan"])
    with pytest.raises(vf.PlanError, match=r"scan_ports: a whole number from .* is needed, not 'many'"):
        vf.detect(flows, scan_ports="many")
    with pytest.raises(vf.PlanError, match="inside: a list of texts is needed, not"):
        vf.detect(flows, inside="10.0.0.0/8")
    with pytest.raises(vf.PlanError, match="no setting 'ports'"):
        vf.detect(flows, ports=3)
    with pytest.raises(vf.FieldError, match="in none of the logs"):
        vf.detect(vf.scan(b"srcaddr bytes\n10.0.0.1 3\n"))
    assert Settings().scan_ports == 25


def test_command_line(tmp_path):
    flows, labels = made(9, "default", tmp_path, plant="port_scan,brute_force")
    done = run_cli("detect", tmp_path, "--json", check=1)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    wanted = {label["actor"]: label["kind"] for label in labels}
    assert {f["actor"]: f["detector"] for f in found if f["severity"] == "high"} == wanted
    assert {"detector", "severity", "actor", "targets", "start", "end", "score", "evidence", "coverage"} <= set(found[0])
    assert b"opened" in run_cli("detect", tmp_path, "--only", "brute_force", check=1).stdout
    assert run_cli("detect", tmp_path, "--only", "brute_force", "--set", "brute_sessions=100000", check=0)
    assert b"NAME=VALUE" in run_cli("detect", tmp_path, "--set", "x", check=2).stderr
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(found) == len(vf.detect(flows))


# -- by hand: those of which `synth` plants nothing

TALK = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"


def talk(*lines):
    """Records of conversations: client, server, server port, protocol, packets, bytes, start, answered or action."""
    out = [TALK]
    for i, (client, server, port, protocol, packets, size, start, how) in enumerate(lines):
        high = 40000 + i % 20000
        action = "REJECT" if how == "REJECT" else "ACCEPT"
        out.append(f"2 1 eni-1 {client} {server} {high} {port} {protocol} {packets} {size} {start} {start + 5} {action} OK\n")
        if how == "answered":
            out.append(f"2 1 eni-1 {server} {client} {port} {high} {protocol} {packets} {size} {start} {start + 5} ACCEPT OK\n")
    return "".join(out).encode()


def only(data, name, **settings):
    return [(f.actor, f.targets, f.severity) for f in vf.detect(vf.scan(data), only=[name], **settings)]


def test_unauthorised_access():
    data = talk(
        ("198.51.100.7", "10.0.0.9", 22, 6, 20, 5000, 1000, "answered"),
        ("198.51.100.8", "10.0.0.9", 22, 6, 1, 40, 1000, "REJECT"),
        ("10.0.0.4", "10.0.0.9", 22, 6, 20, 5000, 1000, "answered"),
        ("198.51.100.7", "10.0.0.9", 443, 6, 20, 5000, 1000, "answered"),
    )
    assert only(data, "unauthorised_access") == [("198.51.100.7", ["10.0.0.9"], "medium")]
    assert only(data, "unauthorised_access", admin_sources=["198.51.100.0/28"]) == []
    with pytest.raises(vf.PlanError, match="no prefix"):
        only(data, "unauthorised_access", admin_sources=["the office"])


def test_access_in_vain():
    def tries(source, port, n, how="REJECT"):
        return [(source, "10.0.0.9", port, 6, 2, 80, 1000 + i * i * 70, how) for i in range(n)]

    found = vf.detect(vf.scan(talk(*tries("10.0.0.4", 22, 30), *tries("10.0.0.5", 22, 29))), only=["unauthorised_access"])
    assert [(f.actor, f.severity, f.evidence) for f in found] == [("10.0.0.4", "medium", {"dstport": 22, "protocol": 6, "tries": 30})]
    assert found[0].sentence.startswith("10.0.0.4 tried 10.0.0.9 port 22 30 times without answer, 1970-01-01 00:16:40")
    # Applications and tests wait for databases; monitors try by the clock.
    assert only(talk(*tries("10.0.0.4", 3306, 30)), "unauthorised_access") == [("10.0.0.4", ["10.0.0.9"], "low")]
    steady = [("10.0.0.4", "10.0.0.9", 22, 6, 2, 80, 1000 + i * 700, "REJECT") for i in range(40)]
    assert only(talk(*steady), "unauthorised_access") == [("10.0.0.4", ["10.0.0.9"], "low")]
    # Of outside hosts it is what every address gets; a service of everybody's is not sensitive; who got in had access.
    assert only(talk(*tries("198.51.100.7", 22, 40)), "unauthorised_access") == [("198.51.100.7", ["10.0.0.9"], "low")]
    assert only(talk(*tries("198.51.100.7", 22, 40)), "unauthorised_access", admin_sources=["198.51.100.7"]) == []
    assert only(talk(*tries("10.0.0.4", 443, 40)), "unauthorised_access") == []
    answered = ("10.0.0.4", "10.0.0.9", 22, 6, 20, 5000, 90_000, "answered")
    assert only(talk(*tries("10.0.0.4", 22, 40), answered), "unauthorised_access") == []
    assert only(talk(*tries("10.0.0.4", 22, 5)), "unauthorised_access", access_tries=5)[0][0] == "10.0.0.4"


def test_accepted_after_reject():
    tried = [("198.51.100.7", "10.0.0.9", 8000 + i, 6, 1, 40, 1000 + i, "REJECT") for i in range(6)]
    found = ("198.51.100.7", "10.0.0.9", 8080, 6, 20, 5000, 1100, "answered")
    before = ("198.51.100.7", "10.0.0.9", 8080, 6, 20, 5000, 900, "answered")
    assert only(talk(*tried, found), "accepted_after_reject") == [("198.51.100.7", ["10.0.0.9"], "high")]
    assert only(talk(*tried), "accepted_after_reject") == []
    assert only(talk(before, *tried), "accepted_after_reject") == []
    hosts = [("198.51.100.7", f"10.0.0.{i}", 6379, 6, 1, 40, 1000 + i, "REJECT") for i in range(10, 16)]
    (finding,) = vf.detect(
        vf.scan(talk(*hosts, ("198.51.100.7", "10.0.0.99", 6379, 6, 9, 900, 2000, "answered"))), only=["accepted_after_reject"]
    )
    assert finding.evidence["failed"] == 6
    assert finding.evidence["dstport"] == 6379


def test_first_seen_edges_of_administration():
    past = talk(
        ("10.0.0.4", "10.0.0.9", 22, 6, 20, 5000, 1000, "answered"),
        ("10.0.0.4", "10.0.0.10", 22, 6, 1, 40, 1000, "REJECT"),
    )
    today = talk(
        ("10.0.0.4", "10.0.0.9", 22, 6, 20, 5000, 90_000, "answered"),
        ("10.0.0.4", "10.0.0.10", 22, 6, 20, 5000, 90_000, "answered"),
        ("10.0.0.4", "10.0.0.11", 22, 6, 20, 5000, 90_000, "answered"),
        ("10.0.0.4", "10.0.0.9", 3389, 6, 1, 40, 90_000, "REJECT"),
        ("10.0.0.4", "10.0.0.9", 443, 6, 20, 5000, 90_000, "answered"),
    )
    refused = ("10.0.0.4", "10.0.0.11", 22, 6, 1, 40, 1000, "answered")  # a packet each way: a closed port
    assert vf.detection.baseline(vf.scan(talk(refused))).collect().rows() == []
    known = vf.detection.baseline(vf.scan(past))
    (finding,) = vf.detect(vf.scan(today), only=["new_admin_edge"], baseline=known)
    assert (finding.actor, finding.targets, finding.evidence["hosts"]) == ("10.0.0.4", ["10.0.0.10", "10.0.0.11"], 2)
    both = vf.Aggregation.from_bytes(known.to_bytes()) + vf.detection.baseline(vf.scan(today))
    assert len(vf.detect(vf.scan(today), only=["new_admin_edge"], baseline=both)) == 0
    assert len(vf.detect(vf.scan(today), only=["new_admin_edge"])) == 0


def test_incidents_put_findings_of_an_actor_together():
    scan = [("198.51.100.7", "10.0.0.9", 8000 + i, 6, 1, 40, 1000 + i, "REJECT") for i in range(60)]
    inside = ("198.51.100.7", "10.0.0.9", 22, 6, 20, 5000, 1100, "answered")
    later = ("198.51.100.7", "10.0.0.77", 22, 6, 20, 5000, 900_000, "answered")  # another host: not of the scan
    other = ("198.51.100.8", "10.0.0.9", 22, 6, 20, 5000, 1100, "answered")
    findings = vf.detect(vf.scan(talk(*scan, inside, other)))
    first, second = findings.incidents()
    assert (first.actor, first.severity) == ("198.51.100.7", "high")
    assert set(first.detectors) == {"port_scan", "accepted_after_reject", "unauthorised_access"}
    assert (first.start, first.end) == (min(f.start for f in first.findings), max(f.end for f in first.findings))
    assert (second.actor, second.detectors) == ("198.51.100.8", ["unauthorised_access"])
    assert "accepted_after_reject" in str(first).splitlines()[0]
    assert sum(len(i.findings) for i in findings.incidents()) == len(findings)
    apart = vf.detect(vf.scan(talk(*scan, later)), only=["port_scan", "unauthorised_access"])
    assert len(apart.incidents()) == len(apart)


def test_uploads_to_s3_by_the_list_of_aws(tmp_path):
    upload = talk(
        ("10.0.0.4", "203.0.113.9", 443, 6, 10**6, 3 * 10**9, 1000, "sent"),
        ("10.0.0.4", "198.51.100.7", 443, 6, 20, 5000, 1000, "answered"),
    )
    ranges = tmp_path / "ip-ranges.json"
    ranges.write_text(json.dumps({"prefixes": [{"ip_prefix": "203.0.113.0/24", "service": s} for s in ("AMAZON", "S3")]}))
    assert only(upload, "exfiltration") == [("10.0.0.4", ["203.0.113.9"], "high")]
    assert only(upload, "exfiltration", aws_ranges=str(ranges)) == [("10.0.0.4", ["203.0.113.9"], "low")]
    known = upload.replace(b"203.0.113.9", b"52.216.1.1")  # S3's by the list that comes with vpcflow
    (finding,) = vf.detect(vf.scan(known), only=["exfiltration"])
    assert (finding.severity, finding.evidence["aws_service"]) == ("low", "S3")
    assert finding.evidence["aws_ranges_of"].startswith("20")
    assert only(known, "exfiltration", aws_ranges=str(ranges)) == [("10.0.0.4", ["52.216.1.1"], "high")]  # yours wins
    ranges.write_text("{}")
    with pytest.raises(vf.PlanError, match="ip-ranges"):
        only(upload, "exfiltration", aws_ranges=str(ranges))


def test_memory_has_a_bound():
    data = vf.synth(50_000, seed=4).data
    with pytest.raises(vf.OutOfMemoryError, match="max_memory"):
        vf.detect(vf.scan(data, max_memory="1MB"))
    assert len(vf.detect(vf.scan(data, max_memory="100MB"), samples=0)) == len(vf.detect(vf.scan(data), samples=0))


def test_more_actors_than_a_filter_can_name():
    tries = [
        (f"198.{51 + i // 65536}.{i // 256 % 256}.{i % 256}", f"10.0.{i % 3}.9", 8000 + p, 6, 1, 40, 1000 + p, "REJECT")
        for i in range(4000)
        for p in range(26)
    ]
    findings = vf.detect(vf.scan(talk(*tries)), samples=1)
    assert len({f.actor for f in findings if f.detector == "port_scan"}) == 4000
    assert all(f.samples[0]["srcaddr"] == f.actor for f in findings if f.detector == "port_scan")


def test_floods_of_both_shapes():
    many = [(f"198.51.{i // 250}.{i % 250 + 1}", "10.0.0.9", 443, 6, 1, 40, 1020 + i % 30, "sent") for i in range(600)]
    (finding,) = vf.detect(vf.scan(talk(*many)), only=["flood"])
    assert (finding.actor, finding.evidence["sources"]) == ("10.0.0.9", 600)
    few = [("198.51.100.7", "10.0.0.9", 80, 17, 400_000, 24_000_000, 1020 + i, "sent") for i in range(4)]
    (finding,) = vf.detect(vf.scan(talk(*few)), only=["flood"])
    assert (finding.actor, finding.targets) == ("198.51.100.7", ["10.0.0.9"])
    assert (finding.evidence["packets"], finding.evidence["sources"]) == (1_600_000, 1)
    assert only(talk(*many[:300]), "flood") == []
    answered = [(*line[:7], "answered") for line in many]
    assert only(talk(*answered), "flood") == []


def test_many_ports_of_many_hosts_are_one_finding():
    def tries(source, hosts, ports):
        return [(source, f"10.0.1.{h + 1}", 8000 + p, 6, 1, 40, 1000 + h, "REJECT") for h in range(hosts) for p in range(ports)]

    (finding,) = vf.detect(vf.scan(talk(*tries("198.51.100.7", 30, 40))), samples=2)
    assert {k: finding.evidence[k] for k in ("hosts", "ports", "failed")} == {"hosts": 30, "ports": 40, "failed": 1200}
    assert (finding.severity, len(finding.targets), len(finding.samples)) == ("low", 20, 2)
    assert "198.51.100.7 tried 40 ports of 30 hosts, 1,200 of 1,200 tries without answer" in finding.sentence
    assert len(vf.detect(vf.scan(talk(*tries("198.51.100.7", 30, 3))))) == 3
    (moving,) = vf.detect(vf.scan(talk(*[(*t[:2], (22, 135, 139, 445)[t[2] - 8000], *t[3:]) for t in tries("10.0.0.4", 30, 4)])))
    assert moving.detector == "lateral_movement"


def test_tunnels():
    dns = ("10.0.0.4", "198.51.100.7", 53, 17, 100_000, 20_000_000, 1000, "answered")
    ping = ("10.0.0.5", "198.51.100.7", 0, 1, 5_000, 5_000_000, 1000, "answered")
    small = ("10.0.0.6", "198.51.100.7", 0, 1, 50_000, 50_000 * 84, 1000, "answered")
    inside = ("10.0.0.4", "10.0.0.2", 53, 17, 100_000, 20_000_000, 1000, "answered")
    found = vf.detect(vf.scan(talk(dns, ping, small, inside)), only=["tunnel"])
    assert sorted((f.actor, f.sentence.split(" of ")[1][:4]) for f in found) == [("10.0.0.4", "DNS "), ("10.0.0.5", "ICMP")]


def test_known_bad(tmp_path):
    data = talk(
        ("10.0.0.4", "198.51.100.7", 443, 6, 20, 5000, 1000, "answered"),
        ("203.0.113.5", "10.0.0.9", 443, 6, 20, 5000, 1000, "answered"),
        ("203.0.113.6", "10.0.0.9", 443, 6, 1, 40, 1000, "REJECT"),
    )
    assert only(data, "known_bad") == []
    wanted = [("10.0.0.4", ["198.51.100.7"], "high"), ("10.0.0.9", [], "high")]
    assert only(data, "known_bad", bad=["198.51.100.0/24", "203.0.113.5", "203.0.113.6"]) == wanted
    listed = tmp_path / "bad.csv"
    listed.write_text("# date 2026\n198.51.100.7,botnet\n203.0.113.0/24\n\n")
    found = vf.detect(vf.scan(data), only=["known_bad"], bad=str(listed))
    assert [(f.actor, f.targets, f.severity) for f in found] == wanted
    assert all(f.evidence["list_of"] for f in found)
    stix = {"type": "bundle", "objects": [
        {"type": "indicator", "pattern": "[ipv4-addr:value = '198.51.100.7' OR ipv6-addr:value = '2001:db8::1']"},
        {"type": "indicator", "pattern": "[ipv4-addr:value = '203.0.113.0/24']"}, {"type": "malware", "pattern": "no"},
    ]}  # fmt: skip
    misp = "uuid,event_id,category,type,value,comment\n1,2,Network,ip-dst,198.51.100.7,x\n"
    misp += '1,2,Network,ip-src|port,"203.0.113.5|443",x\n1,2,Network,domain,example.org,x\n'
    for name, text in (("bad.json", json.dumps(stix)), ("misp.csv", misp)):
        (tmp_path / name).write_text(text)
        assert only(data, "known_bad", bad=str(tmp_path / name)) == wanted
    long = [f"192.0.{i // 256}.{i % 256}" for i in range(20_000)] + ["198.51.100.0/24", "203.0.113.5"]
    assert only(data, "known_bad", bad=long) == wanted
    refused = talk(("10.0.0.4", "198.51.100.7", 443, 6, 1, 40, 1000, "answered"))  # a packet each way: a closed port
    assert only(refused, "known_bad", bad=["198.51.100.7"]) == []
    for name, text in (("a.json", "[" * 10_000), ("b.json", "[]"), ("c.json", "{"), ("d.csv", "no address\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(vf.PlanError):
            only(data, "known_bad", bad=str(tmp_path / name))
    for bad in ("nowhere.csv", ["10.0.0.1", "x"]):
        with pytest.raises(vf.PlanError):
            only(data, "known_bad", bad=bad)


# -- evidence, and detection of what was put together


def test_samples_are_in_the_logs_where_they_say(tmp_path):
    import gzip

    attack = [("198.51.100.7", "10.0.0.9", 8000 + i, 6, 1, 40, 1000 + i, "REJECT") for i in range(60)]
    quiet = [("10.0.0.1", "10.0.0.2", 443, 6, 20, 5000, 1000 + i, "answered") for i in range(50)]
    (tmp_path / "a.log").write_bytes(talk(*quiet))
    with gzip.open(tmp_path / "b.log.gz", "wb") as file:
        file.write(talk(*quiet[:7], *attack))
    (finding,) = vf.detect(vf.scan(str(tmp_path)), samples=5)
    assert len(finding.samples) == 5
    for sample in finding.samples:
        assert sample["file"].endswith("b.log.gz")
        with gzip.open(sample["file"]) as file:
            file.seek(sample["offset"])
            line = file.readline().decode().split()
        assert (line[3], line[4], line[6], line[12]) == ("198.51.100.7", "10.0.0.9", str(sample["dstport"]), "REJECT")
        assert sample["action"] == "REJECT"
    assert vf.detect(vf.scan(str(tmp_path)), samples=0)[0].samples == []
    shown = run_cli("detect", tmp_path, "--samples", "2", check=1).stdout.decode()
    assert shown.count("b.log.gz at ") == 2
    assert "198.51.100.7 port 40007 to 10.0.0.9 port 8000, REJECT, 1 packet, 40 bytes" in shown


@pytest.mark.parametrize("fmt", ["default", "v5"])
def test_parts_put_together_give_the_same_findings(tmp_path, fmt):
    """One pass, two threads, or sessions of parts that were saved and merged in any order."""
    flows, _ = made(11, fmt, tmp_path, files=6)
    files = sorted(str(path) for path in tmp_path.rglob("*.log*"))

    # Which AWS service owns a peer's address is in records, not in their sessions.
    names = [name for name in vf.detection.DETECTORS if fmt == "default" or name != "exfiltration"]

    def found(source):
        return [{**f.as_dict(), "coverage": 0} for f in vf.detect(source, only=names, samples=0)]  # states have no formats

    def state(paths):
        own = vf.scan(paths)
        return vf.Aggregation.of(own.sessions()).update(own).to_bytes()

    whole = found(flows)
    assert len(whole) >= 4
    parts = [state(files[i::3]) for i in range(3)]
    for order in (parts, parts[::-1], [parts[1], parts[2], parts[0]]):
        total = vf.Aggregation.from_bytes(order[0])
        for part in order[1:]:
            total.merge(vf.Aggregation.from_bytes(part))
        assert found(total) == whole
    with pytest.raises(vf.PlanError, match="of sessions is needed"):
        vf.detect(vf.Aggregation(by="srcaddr"))


# -- closed ports, few and slow tries


def refused(ports, flags=True, target="10.0.0.9"):
    """A scan of closed ports: SYN, and a reset for an answer."""
    head = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action" + " tcp-flags" * flags + "\n"
    lines = [head]
    for i, port in enumerate(ports):
        for a, b, p, q, size, flag in (("198.51.100.7", target, 40000, port, 60, 2), (target, "198.51.100.7", port, 40000, 40, 4)):
            lines.append(f"eni-1 {a} {b} {p} {q} 6 1 {size} {1000 + i} {1000 + i} ACCEPT{f' {flag}' * flags}\n")
    return "".join(lines).encode()


@pytest.mark.parametrize("flags", [True, False])
def test_a_scan_of_closed_ports_is_one_though_they_answer(flags):
    (finding,) = vf.detect(vf.scan(refused(range(1000, 1060), flags)), only=["port_scan"])
    assert (finding.actor, finding.evidence["ports"], finding.evidence["answered_ports"]) == ("198.51.100.7", 60, [])
    # An answer with SYN is a connection, even if it is reset at once, as health checks do.
    opened = refused(range(1000, 1060)).replace(b"ACCEPT 4\n", b"ACCEPT 22\n")
    assert only(opened, "port_scan") == []


def test_few_tries_decide_if_none_is_answered():
    """The sequential test: four more failures than answers, whatever the time between them."""
    def tries(source, n, answered=0):
        failed = [(source, f"10.0.1.{i + 1}", 445, 6, 1, 52, 1000 + 7000 * i, "REJECT") for i in range(n)]
        good = [(source, f"10.0.2.{i + 1}", 445, 6, 20, 5000, 500 + 7000 * i, "answered") for i in range(answered)]
        return [*failed, *good]

    def found(lines, **settings):
        return [(f.actor, f.severity, f.evidence["services"]) for f in
                vf.detect(vf.scan(talk(*lines)), only=["port_scan"], **settings)]  # fmt: skip

    assert found(tries("10.0.0.4", 3)) == []
    assert found(tries("10.0.0.4", 5)) == [("10.0.0.4", "low", 5)]
    assert found(tries("10.0.0.4", 12)) == [("10.0.0.4", "medium", 12)]
    assert found(tries("10.0.0.4", 12, answered=12)) == []  # each answer takes one failure back
    assert found(tries("10.0.0.4", 3) + tries("10.0.0.4", 3)) == []  # again and again the same services
    assert found(tries("198.51.100.9", 12)) == []
    assert found(tries("198.51.100.9", 12), walk_outside=True) == [("198.51.100.9", "low", 12)]
    assert "12 services of 12 hosts" in vf.detect(vf.scan(talk(*tries("10.0.0.4", 12))), only=["port_scan"])[0].sentence


def test_uploads_that_are_known():
    upload = ("10.0.0.4", "203.0.113.9", 443, 6, 400_000, 560_000_000, 1000, "sent")
    big = ("10.0.0.5", "203.0.113.10", 443, 6, 4_000_000, 5_600_000_000, 1000, "sent")
    small = [(ip, "198.51.100.1", 443, 6, 20, 5000, 1000 + i, "answered") for i, ip in enumerate(["10.0.0.4", "10.0.0.5"])]
    data = talk(upload, big, *small)
    assert only(data, "exfiltration") == [("10.0.0.5", ["203.0.113.10"], "high"), ("10.0.0.4", ["203.0.113.9"], "medium")]
    assert only(data, "exfiltration", exfil_known=["203.0.113.10/32"]) == [("10.0.0.4", ["203.0.113.9"], "medium")]
    with pytest.raises(vf.PlanError, match="no address"):
        only(data, "exfiltration", exfil_known=["backup"])


@pytest.mark.parametrize("flags", [True, False])
@pytest.mark.parametrize("action", ["REJECT", "ACCEPT"])
def test_backscatter_is_nobodys_scan(flags, action):
    """Victims of a flood with made-up sources answer hosts that never asked: many peers, many ports, SYN-ACK or reset."""
    lines = ["interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action" + " tcp-flags" * flags + "\n"]
    for i in range(400):
        flag = f" {18 if i % 2 else 4}" * flags
        lines.append(f"eni-1 203.0.{i // 200}.{i % 200 + 1} 10.0.0.4 {(80, 443)[i % 2]} {33000 + i} 6 1 44 {1000 + i} {1000 + i} {action}{flag}\n")
    assert [f.sentence for f in vf.detect(vf.scan("".join(lines).encode()), walk_outside=True)] == []


def test_a_refusal_is_no_access_and_a_half_open_try_finds_an_open_port():
    """Closed ports answer, too: with a reset. With flags or without, nobody got in by that."""
    for flags in (True, False):
        tries = refused(range(20, 30), flags)
        assert [f.detector for f in vf.detect(vf.scan(tries)) if f.detector != "port_scan"] == []
    # nmap's SYN scan ends what it found with a reset: the SYN-ACK tells the open port.
    half_open = refused(range(20, 30)).replace(b"29 40000 6 1 40 1009 1009 ACCEPT 4", b"29 40000 6 1 44 1009 1009 ACCEPT 18")
    half_open = half_open.replace(b"40000 29 6 1 60 1009 1009 ACCEPT 2", b"40000 29 6 2 100 1009 1009 ACCEPT 6")
    (finding,) = [f for f in vf.detect(vf.scan(half_open)) if f.detector == "accepted_after_reject"]
    assert (finding.actor, finding.evidence["failed"], finding.evidence["answered"]) == ("198.51.100.7", 9, 1)
    assert "tried 9 ports of 10.0.0.9 in vain, then port 29 answered" in finding.sentence


def test_settings_on_the_command_line(tmp_path):
    tries = [("198.51.100.9", f"10.0.1.{i + 1}", 445, 6, 1, 52, 1000 + i, "REJECT") for i in range(12)]
    (tmp_path / "a.log").write_bytes(talk(*tries))
    base = ("detect", tmp_path / "a.log", "--set")
    assert b"12 services" in run_cli(*base, "walk_outside=true", check=1).stdout
    assert run_cli(*base, "walk_outside=false", check=0)
    assert b"expected true or false" in run_cli(*base, "walk_outside=yes", check=2).stderr
    assert b"expected a number" in run_cli(*base, "scan_ports=many", check=2).stderr
    assert b"did you mean 'scan_ports'?" in run_cli(*base, "scan_port=3", check=2).stderr
    assert b"did you mean 'port_scan'?" in run_cli(*base[:2], "--only", "portscan", check=2).stderr
