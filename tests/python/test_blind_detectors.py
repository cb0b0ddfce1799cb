"""A detector that cannot see what it looks for is named: taking fields away turns a finding into "cannot tell", never
into an all-clear."""

import itertools
import random
import re

import pytest

import vpcflow as vf
from conftest import run_cli
from test_detection import talk
from test_what_is_new import often
from vpcflow.detect import DETECTORS, Settings, baseline
from vpcflow.detect.rows import ROWS
from vpcflow.detect.run import Run
from vpcflow.watch import Watch

HEADER = talk().decode().split()
PAST = talk(*often(200, "10.0.0.4", "198.51.100.7", 443, 6, 1000))


def tries(source, targets, port, start=1000, how="REJECT"):
    return [(source, target, port, 6, 1, 40, start + i, how) for i, target in enumerate(targets)]


def one_new(port, protocol=6, target="203.0.113.9"):
    return talk(("10.0.0.4", target, port, protocol, 20, 5000, 990_000, "answered"))


def kept(hours):
    """One session, logged each minute."""
    header, request, answer = talk(("10.0.0.4", "203.0.113.9", 443, 6, 20, 5000, 7777, "answered")).decode().splitlines()
    minutes = [(7777 + 60 * i, 7777 + 60 * i + 59) for i in range(60 * hours)]
    end = request.split()[header.split().index("end")]
    lines = [line.replace(" 7777 ", f" {a} ").replace(f" {end} ", f" {b} ") for a, b in minutes for line in (request, answer)]
    return "\n".join([header, *lines, ""]).encode()


def collected():
    """One client reads much of four stores."""
    rows = []
    for i in range(4):
        ends, times = f"10.0.0.4 10.0.9.{i + 1} {40_000 + i} 5432 6", "1000 1600 ACCEPT OK"
        a, b, p, q, protocol = ends.split()
        rows += [f"2 1 eni-1 {ends} 900 60000 {times}", f"2 1 eni-1 {b} {a} {q} {p} {protocol} 90000 300000000 {times}"]
    return talk() + "".join(f"{row}\n" for row in rows).encode()


#: For each detector a log in which it finds something, and what it needs to. Others have the plant of synth that has
#: their name.
PLANTS = {
    "port_scan": (talk(*(("198.51.100.7", "10.0.0.9", 8000 + i, 6, 1, 40, 1000 + i, "REJECT") for i in range(60))), {}),
    "brute_force": (talk(*(("198.51.100.7", "10.0.0.9", 22, 6, 20, 5000, 1000 + 60 * i, "answered") for i in range(80))), {}),
    "exfiltration": (talk(("10.0.0.4", "203.0.113.9", 443, 6, 10**6, 3 * 10**9, 1000, "sent"),
                          ("10.0.0.4", "198.51.100.7", 443, 6, 20, 5000, 1000, "answered")), {}),
    "beacon": (talk(*(("10.0.0.4", "203.0.113.9", 443, 6, 20, 5000, 1000 + 300 * i, "answered") for i in range(30))), {}),
    "lateral_movement": (talk(*tries("10.0.0.4", [f"10.0.1.{i}" for i in range(1, 31)], 445)), {}),
    "unauthorised_access": (talk(("198.51.100.7", "10.0.0.9", 22, 6, 20, 5000, 1000, "answered")), {}),
    "accepted_after_reject": (talk(*(("198.51.100.7", "10.0.0.9", 8000 + i, 6, 1, 40, 1000 + i, "REJECT") for i in range(9)),
                                   ("198.51.100.7", "10.0.0.9", 8080, 6, 20, 5000, 1100, "answered")), {}),
    "flood": (talk(*((f"198.51.{i // 250}.{i % 250}", "10.0.0.9", 443, 6, 1, 40, 1000 + i % 20, "REJECT") for i in range(700))), {}),
    "tunnel": (talk(("10.0.0.4", "203.0.113.9", 53, 17, 40_000, 40_000_000, 1000, "answered")), {}),
    "long_session": (kept(8), {}),
    "collection": (collected(), {}),
    "known_bad": (talk(("10.0.0.4", "203.0.113.9", 443, 6, 20, 5000, 1000, "answered")), {"bad": ["203.0.113.9"]}),
    "new_admin_edge": (talk(("10.0.0.4", "10.0.0.9", 22, 6, 20, 5000, 990_000, "answered")), {"baseline": PAST}),
    "new_port": (one_new(6667), {"baseline": PAST}),
    "new_protocol": (one_new(443, 17), {"baseline": PAST}),
    "new_destination": (one_new(443), {"baseline": PAST}),
    "new_country": (one_new(443), {"baseline": PAST, "geo": "countries.mmdb"}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def countries(tmp_path, monkeypatch):
    maxminddb = pytest.importorskip("maxminddb")
    import ipaddress

    class Database:
        def __enter__(self):
            return iter([(ipaddress.ip_network("203.0.113.0/24"), {"country": {"iso_code": "KP"}})])

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(maxminddb, "open_database", lambda path: Database())
    (tmp_path / "countries.mmdb").write_bytes(b"")
    monkeypatch.chdir(tmp_path)


def plant_of(name):
    """A log in which a detector finds something, and the arguments of its detection."""
    if name not in PLANTS:
        return vf.synth(20_000, seed=3, plant=name, peers=500, noise_sources=500).data, {}
    log, settings = PLANTS[name]
    return log, {key: baseline(vf.scan(value)) if key == "baseline" else value for key, value in settings.items()}


def without(log, fields):
    """A log whose columns lack some fields."""
    rows = [line.split() for line in log.decode().splitlines()]
    keep = [i for i, name in enumerate(rows[0]) if name not in fields]
    return "".join(" ".join(row[i] for i in keep) + "\n" for row in rows).encode()


def nulled(log, fields):
    """A log whose records have some fields as null."""
    rows = [line.split() for line in log.decode().splitlines()]
    null = [name in fields for name in rows[0]]
    lines = [rows[0]] + [["-" if gone else value for gone, value in zip(null, row)] for row in rows[1:]]
    return "".join(" ".join(line) + "\n" for line in lines).encode()


def named(findings, name):
    """The fields that are named as lacking for a detector."""
    return {*findings.not_detected.get(name, []), *re.findall(r"[\w-]+", " ".join(findings.degraded.get(name, [])))}


def detected(log, name, **settings):
    """The findings of a detector; None if sessions cannot be made, which is an error and no all-clear."""
    try:
        return vf.detect(vf.scan(log), only=[name], samples=0, **settings)
    except vf.FieldError:
        return None


def seen_or_said(name, log, gone, settings, take=without):
    """Whether a detector finds its plant without some fields; fails if it neither does nor is named with one of them."""
    findings = detected(take(log, gone), name, **settings)
    if findings is None:
        return False
    assert {f.detector for f in findings} <= {name}
    if not findings:
        assert named(findings, name) & set(gone), (name, gone, findings.not_detected, findings.degraded)
        assert any(line.startswith(("not looked for", "sees less")) for line in findings.conclusion().splitlines()[1:])
    return bool(findings)


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize("name", DETECTORS)
def test_a_field_taken_away_is_named_or_not_needed(name):
    log, settings = plant_of(name)
    assert seen_or_said(name, log, [], settings)
    for field in HEADER:
        seen_or_said(name, log, [field], settings)
    rng = random.Random(name)
    for _ in range(25):
        seen_or_said(name, log, rng.sample(HEADER, rng.randrange(2, 7)), settings)


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize("name", DETECTORS)
def test_a_field_that_is_null_in_every_record_is_named_or_not_needed(name):
    log, settings = plant_of(name)
    for field in HEADER:
        seen_or_said(name, log, [field], settings, nulled)
    rng = random.Random(name)
    for _ in range(15):
        seen_or_said(name, log, rng.sample(HEADER, rng.randrange(2, 7)), settings, nulled)


QUIET = talk(("10.0.0.1", "10.0.0.2", 443, 6, 20, 5000, 1000, "answered"))


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
def test_null_in_every_record_is_said(tmp_path):
    log = nulled(PLANTS["unauthorised_access"][0], ["dstport"])
    findings = vf.detect(vf.scan(log), only=["unauthorised_access"])
    assert (len(findings), findings.not_detected) == (0, {"unauthorised_access": ["dstport"]})
    assert findings.report.shown == {
        "srcaddr dstaddr start end srcport -dstport protocol interface-id packets bytes action": 1
    }
    assert "not looked for: unauthorised_access: dstport is - in every record" in findings.conclusion()
    # One record with the field shows it; the sources that do not are counted.
    (tmp_path / "blind.log").write_bytes(log)
    (tmp_path / "quiet.log").write_bytes(QUIET)
    (tmp_path / "header.log").write_bytes(QUIET.splitlines()[0] + b"\n")
    said = "not looked for in 1 of 2 sources, in which dstport is - in every record"
    flows = vf.scan(str(tmp_path / "*.log"))
    assert vf.detect(flows, only=["unauthorised_access"]).degraded["unauthorised_access"][0] == said
    (tmp_path / "quiet.log").write_bytes(QUIET.splitlines()[0] + b"\n# x\n")  # a header alone shows nothing
    assert vf.detect(flows, only=["unauthorised_access"]).not_detected == {"unauthorised_access": ["dstport"]}
    done = run_cli("detect", tmp_path / "blind.log", "--json", check=0)
    assert b"not looked for: unauthorised_access: dstport is - in every record" in done.stderr


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
def test_states_remember_what_their_logs_show():
    days = [nulled(PLANTS["unauthorised_access"][0], ["dstport"]), QUIET, QUIET]
    states = [vf.Aggregation.of(vf.query().sessions()).update(vf.scan(day)).to_bytes() for day in days]
    blind, *others = map(vf.Aggregation.from_bytes, states)
    alone = vf.detect(blind, only=["unauthorised_access"])
    assert alone.not_detected == {"unauthorised_access": ["dstport"]}
    for together in (blind + others[0] + others[1], others[0] + (others[1] + blind)):
        found = vf.detect(together, only=["unauthorised_access"])
        assert "not looked for in 1 of 3 sources, in which dstport is - in every record" in found.degraded["unauthorised_access"]
    # Saved together they are one source: the bytes do not tell in which parts records came.
    assert (blind + others[0]).to_bytes() == vf.Aggregation.of(vf.query().sessions()).update([days[0], days[1]]).to_bytes()


def test_addresses_of_packets_stand_in_for_those_of_interfaces():
    log = QUIET.replace(b"srcaddr dstaddr", b"pkt-srcaddr pkt-dstaddr", 1)
    head, *lines = log.splitlines()
    log = b"\n".join([head + b" srcaddr dstaddr", *(line + b" - -" for line in lines)]) + b"\n"
    (session,) = vf.scan(log).sessions().collect().rows()
    assert (session["client"], session["server"]) == ("10.0.0.1", "10.0.0.2")


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize("name", DETECTORS)
def test_what_is_called_impossible_is(name):
    """Nothing is found without an essential field, though the engine is asked all the same."""
    log, settings = plant_of(name)
    past = settings.pop("baseline", None)
    for need in next(row for row in ROWS if row["name"] == name)["needs"]:
        gone = set(need["fields"]) & set(HEADER) - {"srcaddr", "dstaddr", "start", "end"}  # without these there is no session
        if need["essential"] and gone:
            sessions = vf.scan(without(log, gone)).sessions().collect()
            assert Run(None, sessions, Settings(**settings), past).findings([name]) == [], gone


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize(
    ("plant", "name"),
    [("remote_admin", "unauthorised_access"), *((n, n) for n in ("port_scan", "brute_force", "exfiltration", "beacon", "lateral_movement"))],
)
def test_planted_by_synth(plant, name):
    for gone in [None, *HEADER]:
        fmt = " ".join(field for field in HEADER if field != gone)
        made = vf.synth(20_000, seed=3, plant=plant, peers=500, noise_sources=500, format=fmt)
        findings = detected(made.data, name)
        if findings is None:
            assert gone in ("srcaddr", "dstaddr", "start", "end")
        elif not any(f.actor == made.labels[0]["actor"] for f in findings):
            assert gone in named(findings, name), (gone, findings.degraded)


def test_logs_without_ports_are_no_clean_network():
    fmt = "srcaddr dstaddr protocol packets bytes start end action"
    made = vf.synth(20_000, seed=3, plant="remote_admin", peers=500, noise_sources=500, format=fmt)
    findings = vf.detect(vf.scan(made.data), only=["unauthorised_access"])
    assert (len(findings), findings.not_detected) == (0, {"unauthorised_access": ["dstport"]})
    everything = vf.detect(vf.scan(made.data))
    for name in DETECTORS:
        assert "dstport" in named(everything, name), name
    assert "not looked for: unauthorised_access: the logs lack dstport" in everything.conclusion()


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
def test_all_formats_are_asked(tmp_path):
    """The order of files does not matter: a detector that is blind in one of them is said to be."""
    log = PLANTS["unauthorised_access"][0]
    quiet = talk(("10.0.0.1", "10.0.0.2", 443, 6, 20, 5000, 1000, "answered"))
    for order in itertools.permutations(["a.log", "b.log", "c.log"]):
        for path, data in zip(order, (quiet, without(log, ["dstport"]), without(quiet, ["action", "dstport"]))):
            (tmp_path / path).write_bytes(data)
        findings = vf.detect(vf.scan([str(tmp_path / name) for name in ("a.log", "b.log", "c.log")]), only=["unauthorised_access"])
        assert (len(findings), findings.not_detected) == (0, {})
        assert findings.degraded["unauthorised_access"] == [
            "not looked for in 2 of 3 sources, which lack dstport",
            "refused tries look like accepted ones (without action in 1 of 3 sources)",
        ]
    assert "sees less: unauthorised_access: not looked for in 2 of 3 sources" in findings.conclusion()


def test_states_whose_formats_are_not_known_say_so():
    flows = vf.scan(PLANTS["tunnel"][0])
    together = vf.Aggregation.of(flows.sessions()).update(flows)
    assert "not known" not in vf.detect(together, only=["tunnel"]).conclusion()
    read = vf.Aggregation.from_bytes(together.to_bytes())
    assert vf.detect(read, only=["tunnel"]).degraded == {}


def test_what_is_not_given_is_said():
    quiet = talk(("10.0.0.1", "10.0.0.2", 443, 6, 20, 5000, 1000, "answered"))
    findings = vf.detect(vf.scan(quiet), only=["new_country", "known_bad"])
    assert findings.not_asked == {"new_country": ["baseline", "geo"], "known_bad": ["bad"]}
    assert "not looked for: new_country: not given: baseline=, geo=" in findings.conclusion()
    assert vf.detect(vf.scan(quiet)).not_asked == {}  # nobody asked for them


def test_the_command_line_says_it(tmp_path):
    (tmp_path / "a.log").write_bytes(without(PLANTS["unauthorised_access"][0], ["dstport"]))
    done = run_cli("detect", tmp_path / "a.log", check=0)
    assert b"not looked for: unauthorised_access: the logs lack dstport" in done.stdout
    done = run_cli("detect", tmp_path / "a.log", "--json", check=0)
    assert b"not looked for: unauthorised_access: the logs lack dstport" in done.stderr
    (tmp_path / "a.log").write_bytes(without(PLANTS["exfiltration"][0], ["dstport"]))
    done = run_cli("detect", tmp_path / "a.log", "--json", check=1)  # something is found, and something cannot be
    assert b"not looked for: unauthorised_access: the logs lack dstport" in done.stderr


def rules_of(over):
    return vf.rules.of([{"name": "ssh", "over": over, "where": "dstport = 22", "by": "srcaddr"}])


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize("over", ["records", "sessions"])
def test_rules_are_blind_too(tmp_path, over):
    log = PLANTS["unauthorised_access"][0]
    found = vf.rules.run(vf.scan(without(log, ["dstport"])), rules_of(over))
    assert (len(found), found.not_detected) == (0, {"ssh": ["dstport"]})
    assert len(vf.rules.run(vf.scan(log), rules_of(over))) == 1
    (tmp_path / "a.log").write_bytes(log)
    (tmp_path / "b.log").write_bytes(without(log, ["dstport"]))
    found = vf.rules.run(vf.scan([str(tmp_path / "a.log"), str(tmp_path / "b.log")]), rules_of(over))
    assert (len(found), found.not_detected) == (1, {})
    assert found.degraded == {"ssh": ["not looked for in 1 of 2 sources, which lack dstport"]}
    both = found + vf.detect(vf.scan(without(log, ["dstport"])), only=["brute_force"])
    assert set(both.not_detected) == {"brute_force"}
    assert set(both.degraded) == {"ssh"}


@pytest.mark.parametrize("over", ["records", "sessions"])
def test_watch_logs_what_it_cannot_see_once(tmp_path, over):
    (tmp_path / "logs").mkdir()
    lines = []
    watch = Watch(
        tmp_path / "logs", rules_of(over), {}, tmp_path / "state.sqlite", settle=0, detectors={"only": ["unauthorised_access"]},
        log=lines.append,
    )  # fmt: skip
    for i, data in enumerate([talk(("10.0.0.1", "10.0.0.2", 443, 6, 20, 5000, 1000, "answered"))] * 3):
        (tmp_path / "logs" / f"{i}.log").write_bytes(without(data, ["dstport"]))
        watch.poll()
    watch.close()
    assert lines == [
        "not looked for: ssh: some logs lack dstport",
        "not looked for: unauthorised_access: the logs lack dstport",
    ]


def test_watch_logs_null_fields(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "1.log").write_bytes(nulled(QUIET, ["dstport"]))
    lines = []
    watch = Watch(
        tmp_path / "logs", [], {}, tmp_path / "state.sqlite", settle=0, detectors={"only": ["unauthorised_access"]}, log=lines.append
    )  # fmt: skip
    watch.poll()
    watch.close()
    assert lines == ["not looked for: unauthorised_access: dstport is - in every record"]
