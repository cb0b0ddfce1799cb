"""What became of sessions: the tables of include/vpcflow/session/sessions.h, each against the obvious way."""

import itertools
import random

import pytest

import vpcflow as vf
from conftest import run_cli

HEAD = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action tcp-flags flow-direction"
C, S = ("10.0.0.5", 41000), ("10.0.1.9", 8443)


def log(*records, head=HEAD):
    """A log of records, each by (interface, from, to, changes)."""
    lines = [head]
    for interface, source, target, changes in records:
        values = {
            "interface-id": interface, "srcaddr": source[0], "dstaddr": target[0], "srcport": source[1],
            "dstport": target[1], "protocol": 6, "packets": 1, "bytes": 60, "start": 100, "end": 110, "action": "ACCEPT",
            "tcp-flags": "-", "flow-direction": "-", **changes,
        }  # fmt: skip
        lines.append(" ".join(str(values[name]) for name in head.split()))
    return "\n".join(lines).encode() + b"\n"


def session(*records, head=HEAD):
    (row,) = vf.scan(log(*records, head=head)).sessions().collect().rows()
    return row


# -- state


def passage(sender, receiver):
    """Of one end's records by what its interface and the other one's have: "", "A", "R" or "AR"."""
    if not sender and not receiver:
        return "absent"
    if "A" in receiver:
        return "passed"
    return "blocked" if receiver == "R" or sender == "R" else "passed"


def test_every_combination_of_directions_and_interfaces():
    seen = set()
    for leave, arrive, answer, hear in itertools.product(("", "A", "R", "AR"), repeat=4):
        records = []
        for interface, source, target, direction, actions in (
            ("eni-c", C, S, "egress", leave), ("eni-s", C, S, "ingress", arrive),
            ("eni-s", S, C, "egress", answer), ("eni-c", S, C, "ingress", hear),
        ):  # fmt: skip
            for action in actions:
                word = "ACCEPT" if action == "A" else "REJECT"
                records.append((interface, source, target, {"flow-direction": direction, "action": word}))
        if not records:
            continue
        there, back = passage(leave, arrive), passage(answer, hear)
        if "blocked" in (there, back):
            wanted = "half" if "passed" in (there, back) else "rejected"
        else:
            wanted = "established" if there == back else "unanswered" if back == "absent" else "one-way"
        for order in (records, records[::-1]):
            row = session(*order)
            assert (row["client"], row["state"]) == (C[0], wanted), (leave, arrive, answer, hear)
        assert row["answered"] is False  # of one or two packets
        seen.add(wanted)
    assert seen == {"half", "rejected", "established", "unanswered", "one-way"}


@pytest.mark.parametrize(("first", "second", "state"), [("A", "R", "rejected"), ("R", "A", "rejected"), ("A", "A", "unanswered")])
def test_two_interfaces_without_flow_direction(first, second, state):
    words = {"A": "ACCEPT", "R": "REJECT"}
    row = session(("eni-c", C, S, {"action": words[first]}), ("eni-s", C, S, {"action": words[second]}))
    assert row["state"] == state
    # At one interface, one after the other, something was let through.
    row = session(("eni-c", C, S, {"action": words[first]}), ("eni-c", C, S, {"action": words[second], "start": 111}))
    assert row["state"] == "unanswered"


def test_a_nat_gateway_that_blocks_what_came_in():
    head = HEAD + " pkt-srcaddr pkt-dstaddr"
    nat = ("10.0.0.2", 1)
    out = {"pkt-srcaddr": C[0], "pkt-dstaddr": "198.51.100.7"}
    row = session(
        ("eni-nat", C, (nat[0], 8443), {**out, "flow-direction": "ingress"}),
        ("eni-nat", C, ("198.51.100.7", 8443), {**out, "flow-direction": "egress", "action": "REJECT"}),
        head=head,
    )
    assert row["state"] == "rejected"


@pytest.mark.parametrize(
    ("protocol", "packets", "size", "state"),
    [
        (6, 1, 60, "unanswered"), (6, 3, 4500, "unanswered"), (6, 7, 7 * 64, "unanswered"), (6, 7, 7 * 64 + 1, "one-way"),
        (6, 4, 4 * 1500, "one-way"), (6, 8, 8 * 60, "one-way"), (6, 25, 4000, "one-way"), (17, 3, 300, "unanswered"),
        (17, 4, 300, "one-way"), (1, 3, 252, "unanswered"), (1, 20, 1680, "one-way"),
    ],
)  # fmt: skip
def test_one_way_is_more_than_a_try(protocol, packets, size, state):
    other = log(*both({}, {"packets": 9, "bytes": 900}, C, ("10.0.1.10", 443)))  # so that these logs hold both directions
    one = log(("eni-1", C, S, {"protocol": protocol, "packets": packets, "bytes": size}))
    rows = vf.scan([one, *[other.replace(b"41000", b"%d" % p) for p in range(42000, 42200)]]).sessions().collect().rows()
    (row,) = [r for r in rows if r["server"] == S[0] or r["client"] == S[0]]
    assert row["state"] == state
    assert row["answered"] is False


def test_syns_of_ipv6_are_longer():
    a, b = ("2001:db8::5", 41000), ("2001:db8::9", 8443)
    assert session(("eni-1", a, b, {"packets": 7, "bytes": 7 * 84}))["state"] == "unanswered"
    assert session(("eni-1", a, b, {"packets": 7, "bytes": 7 * 84 + 1}))["state"] == "one-way"


def test_an_answer_alone_is_one_way():
    row = session(("eni-1", S, C, {}))
    assert (row["client"], row["state"], row["answered"]) == (C[0], "one-way", False)


# -- answered


def both(there, back, client=C, server=S):
    return ("eni-1", client, server, there), ("eni-1", server, client, back)


V6 = ("2001:db8::5", 41000), ("2001:db8::9", 8443)


@pytest.mark.parametrize(
    ("ends", "there", "back", "state", "answered"),
    [
        ((C, S), (1, 60), (1, 40), "reset", False), ((C, S), (1, 44), (1, 40), "reset", False),
        ((C, S), (3, 156), (3, 120), "reset", False), ((C, S), (7, 420), (7, 280), "reset", False),
        (V6, (1, 80), (1, 60), "reset", False), (V6, (3, 240), (2, 120), "reset", False),
        # Keep-alives: of one byte, or with timestamps; half a handshake; what carries data.
        ((C, S), (1, 41), (1, 40), "established", False), ((C, S), (1, 52), (1, 52), "established", False),
        ((C, S), (2, 84), (1, 44), "established", False), ((C, S), (3, 180), (3, 180), "established", True),
        ((C, S), (8, 480), (8, 320), "established", True), ((C, S), (2, 120), (3, 120), "established", False),
        ((C, S), (5, 900), (4, 160), "established", True), (V6, (1, 80), (1, 40), "established", False),
    ],
)  # fmt: skip
def test_refused_without_flags(ends, there, back, state, answered):
    """One definition: the state, the column, the detectors and baselines."""
    records = both(*({"packets": p, "bytes": b} for p, b in (there, back)), *ends)
    row = session(*records)
    assert (row["state"], row["answered"], row["conn_state"]) == (state, answered, None)
    known = vf.detection.baseline(vf.scan(log(*records))).collect().rows()
    assert len(known) == answered
    bad = vf.detect(vf.scan(log(*records)), only=["known_bad"], bad=[ends[1][0]])
    assert len(bad) == answered


@pytest.mark.parametrize(
    ("there", "back", "packets", "answered"),
    [(2, 18, 2, False), (2, 18, 3, True), (2, 20, 3, False), (6, 18, 3, True), (6, 18, 2, False), (2, 4, 7, False),
     (0, 4, 30, True), (0, 0, 3, True), (0, 0, 2, False)],
)  # fmt: skip
def test_answered_by_flags(there, back, packets, answered):
    row = session(*both({"tcp-flags": there, "packets": packets, "bytes": packets * 60}, {"tcp-flags": back}))
    assert row["answered"] is answered


def test_refused_tries_are_no_brute_force_and_no_access():
    tries = [both({}, {"bytes": 40}, ("198.51.100.7", 50_000 + i), ("10.0.0.5", 22)) for i in range(40)]
    found = vf.detect(vf.scan(log(*itertools.chain(*tries))), samples=0)
    assert [(f.detector, f.severity) for f in found] == [("unauthorised_access", "low")]  # in vain


# -- Zeek's names

FIN, SYN, RST, SYNACK = 1, 2, 4, 18


@pytest.mark.parametrize(
    ("there", "back", "name"),
    [
        (SYN, None, "S0"), (SYN, RST, "REJ"), (SYN, SYNACK, "S1"), (SYN | FIN, SYNACK | FIN, "SF"),
        (SYN | FIN, SYNACK, "S2"), (SYN, SYNACK | FIN, "S3"), (SYN | RST, SYNACK, "RSTO"), (SYN, SYNACK | RST, "RSTR"),
        (SYN | FIN | RST, SYNACK | FIN, "RSTO"), (SYN | RST, None, "RSTOS0"), (None, SYNACK | RST, "RSTRH"),
        (None, SYNACK | FIN, "SHR"), (SYN | FIN, None, "SH"), (0, 0, "OTH"), (0, None, "OTH"), (FIN, FIN, "OTH"),
        (None, SYNACK, "OTH"), (0, SYNACK, "S1"),
        # What cannot be told.
        (SYN | RST, SYNACK | RST, None), (SYN, 0, None), (SYNACK | FIN, SYNACK | FIN, None), (SYN, SYN, None),
        ("-", "-", None),
    ],
)  # fmt: skip
def test_conn_state(there, back, name):
    records = both({"tcp-flags": there, "packets": 3, "bytes": 180}, {"tcp-flags": back, "packets": 3, "bytes": 180})
    records = [r for r, flags in zip(records, (there, back)) if flags is not None]
    row = session(*records)
    assert row["conn_state"] == name
    assert {row["client"], row["server"]} == {C[0], S[0]}
    if name not in (None, "OTH"):
        assert row["client"] == C[0]
    for protocol in (17, 1):
        records = [(*r[:3], {**r[3], "protocol": protocol}) for r in records]
        assert session(*records)["conn_state"] is None


def test_conn_state_of_rejected_and_half():
    assert session(("eni-1", C, S, {"tcp-flags": 2, "action": "REJECT"}))["conn_state"] is None
    assert session(*both({"tcp-flags": 2}, {"tcp-flags": 18, "action": "REJECT"}))["conn_state"] is None


def test_cuts_at_the_ends_and_windows():
    """A session that is cut is what its rest shows; flags of its windows are put together."""
    opening = both({"tcp-flags": SYN}, {"tcp-flags": SYNACK})
    middle = both({"tcp-flags": 0, "start": 160, "end": 170}, {"tcp-flags": 0, "start": 160, "end": 170})
    ending = both({"tcp-flags": FIN, "start": 220, "end": 230}, {"tcp-flags": FIN, "start": 221, "end": 230})
    assert session(*opening, *middle, *ending)["conn_state"] == "SF"
    assert session(*opening, *middle)["conn_state"] == "S1"
    assert session(*opening, *middle, ending[0])["conn_state"] == "S2"
    assert session(*middle, *ending)["conn_state"] == "OTH"


# -- logs of one direction

WARNING = "one direction only"


def busy(rng, n=300, protocol=6):
    """Sessions with answers, some of one direction, some tries."""
    out = []
    for i in range(n):
        client, server = (f"10.0.0.{rng.randrange(1, 30)}", 33_000 + i), (f"198.51.100.{rng.randrange(1, 30)}", 443)
        packets = rng.choice([1, 1, 9, 20, 300])
        size = {"packets": packets, "bytes": packets * rng.choice([60, 500]), "protocol": protocol}
        out.append(("eni-1", client, server, {**size, "flow-direction": "egress"}))
        if packets > 1:
            out.append(("eni-1", server, client, {**size, "flow-direction": "ingress"}))
    return out


def test_logs_of_one_direction():
    records = busy(random.Random(4))
    whole = vf.scan(log(*records)).sessions().collect()
    assert not any(WARNING in w for w in whole.report.warnings)
    assert "unanswered" in whole["state"]
    head = HEAD.replace(" flow-direction", "")
    for direction in ("egress", "ingress"):
        own = [r for r in records if r[3]["flow-direction"] == direction]
        for fields in (HEAD, head):
            for flows in (vf.scan(log(*own, head=fields)), vf.scan(log(*records, head=fields)).filter(
                "srcport = 443" if direction == "ingress" else "dstport = 443"
            )):  # fmt: skip
                with pytest.warns(vf.DataQualityWarning, match="answers cannot be seen"):
                    talks = flows.sessions().collect()
                (warning,) = [w for w in talks.report.warnings if WARNING in w]
                assert warning == talks.report.one_direction
                assert (direction in warning) == (fields == HEAD)
                assert set(talks["state"]) == {"one-way"}
                assert set(talks["answered"]) == {None}
                assert set(talks["conn_state"]) == {None}
                assert set(talks["server"]) <= {r[1][0] for r in records if r[1][1] == 443} | {r[2][0] for r in records}
                assert all(port == 443 for port in talks["server_port"])


def test_one_direction_is_said_of_states_that_were_put_together():
    records = [r for r in busy(random.Random(5)) if r[3]["flow-direction"] == "egress"]
    parts = [vf.Aggregation.of(vf.scan(b"").sessions()) for _ in range(2)]
    for part, own in zip(parts, (records[:100], records[100:])):
        part.update(log(*own))
    together = vf.Aggregation.from_bytes(parts[0].to_bytes()) + parts[1]
    assert [together.collect().report.one_direction] == together.collect().report.warnings
    assert any(WARNING in w for w in together.collect().report.warnings)
    assert "unanswered" not in together.collect()["state"]
    together.take_idle(10**6)
    assert any(WARNING in w for w in together.collect().report.warnings)  # of what was taken out, too
    again = vf.Aggregation.from_bytes(together.to_bytes())
    assert again == together
    assert again.collect().report.warnings == together.collect().report.warnings
    found = vf.detect(vf.Aggregation.of(vf.scan(b"").sessions()).update(log(*records)))
    assert any(WARNING in w for w in found.report.warnings)


def test_tries_are_no_logs_of_one_direction():
    scan = [("eni-1", ("198.51.100.7", 50_000), ("10.0.0.5", port), {}) for port in range(1, 400)]
    talks = vf.scan(log(*scan)).sessions().collect()
    assert not talks.report.warnings
    assert set(talks["state"]) == {"unanswered"}
    # One stream without answer beside them tells nothing.
    stream = ("eni-1", ("10.0.0.9", 40_000), ("10.0.0.6", 5140), {"packets": 9000, "bytes": 900_000})
    talks = vf.scan(log(*scan, stream)).sessions().collect()
    assert not talks.report.warnings
    assert sorted(set(talks["state"])) == ["one-way", "unanswered"]


def test_tries_in_logs_of_one_direction_are_no_scan():
    records = [r for r in busy(random.Random(6), 600) if r[3]["flow-direction"] == "egress"]
    tries = [("eni-1", ("10.0.0.7", 45_000 + i), (f"203.0.113.{i}", 53), {"protocol": 17}) for i in range(1, 60)]
    flows = vf.scan(log(*records, *tries, head=HEAD.replace(" flow-direction", "")))
    with pytest.warns(vf.DataQualityWarning, match=WARNING):
        found = vf.detect(flows, samples=0)
    assert not [f for f in found if f.detector in ("port_scan", "flood")]


def test_rejects_beside_a_few_one_way_logins():
    """52 tries rejected and three let in, logged one way."""
    who, host = "203.0.113.8", ("10.0.0.4", 22)
    tries = [("eni-1", (who, 40_000 + i), host, {"action": "REJECT", "start": 100 + i, "end": 105 + i}) for i in range(52)]
    logins = [("eni-1", (who, 41_000 + i), host, {"packets": 25, "bytes": 5000}) for i in range(3)]
    with pytest.warns(vf.DataQualityWarning, match=WARNING):
        states = vf.scan(log(*tries, *logins)).sessions().collect()["state"]
    assert sorted(states) == ["one-way"] * 3 + ["rejected"] * 52


# -- coverage


def test_regional_nat_gateways_are_told_apart():
    head = "interface-id resource-id srcaddr bytes start end log-status"
    lines = [head, "- nat-1 10.0.0.1 5 60 120 OK", "- nat-2 10.0.0.1 7 180 240 OK", "eni-3 nat-3 10.0.0.1 7 60 120 NODATA"]
    data = "\n".join(lines).encode() + b"\n"
    wanted = [
        ("eni-3", "NODATA", 1), ("eni-3", "absent", 2), ("nat-1", "OK", 1), ("nat-1", "absent", 2), ("nat-2", "absent", 2),
        ("nat-2", "OK", 1),
    ]  # fmt: skip
    for flows in (vf.scan(data), vf.scan(vf.scan(data).collect())):
        assert [(r["interface_id"], r["seen"], r["minutes"]) for r in flows.coverage()] == wanted
    out = run_cli("top", "-", "--by", "resource-id", "--agg", "bytes=sum(bytes)", "--json", stdin=data, check=0).stdout
    assert out.count(b"nat-") == 2
