"""Health of edges: outcomes, intervals, changes, deploys, burn rates, limits; never a failure that the logs cannot show."""

import gzip
import json
import math
import random

import pytest

import vpcflow as vf
from conftest import LONG, ROOT, run_cli
from health_logs import CLIENT, SERVER, T0, V2, V5, Log, inventory_of_outage, outage, steady
from vpcflow.cli import main
from vpcflow.health import intervals
from vpcflow.health.changes import changes_in
from vpcflow.inventory import Inventory
from vpcflow.inventory.documents import Document
from vpcflow.inventory.table import tables_of

SEEDS = 1000 if LONG else 25


def one(log, **options):
    (edge,) = vf.health(vf.scan(log.data), **options)
    return edge


def binomial(rng, n, p):
    return sum(rng.random() < p for _ in range(n))


# -- intervals and tests


def test_exact_p_is_twice_the_smaller_tail():
    def slow(k, n, k2, n2):
        total, hits = n + n2, k + k2
        ways = [math.comb(n, x) * math.comb(n2, hits - x) if hits - x <= n2 else 0 for x in range(min(n, hits) + 1)]
        low, high = sum(ways[: k + 1]), sum(ways[k:])
        tail = high if k * total >= hits * n else low
        return min(1.0, 2 * tail / math.comb(total, hits))

    rng = random.Random(3)
    for _ in range(400):
        n, n2 = rng.randint(1, 60), rng.randint(1, 60)
        k, k2 = rng.randint(0, n), rng.randint(0, n2)
        assert intervals.exact_p(k, n, k2, n2) == pytest.approx(slow(k, n, k2, n2) if 0 < k + k2 < n + n2 else 1.0, rel=1e-9)


def test_discoveries_of_benjamini_and_hochberg():
    p = [0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074, 0.205, 0.212, 0.216]  # of their paper: two at 5 %
    assert intervals.discoveries(p, 0.05) == 0.008
    assert intervals.discoveries([0.5, 0.9], 0.05) == 0.0


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_intervals_cover_95_percent(share):
    rng = random.Random(11)
    covered = different = 0
    for _ in range(1000):
        hits, other = binomial(rng, 300, share), binomial(rng, 300, share - 0.05)
        low, high = intervals.wilson(hits, 300)
        covered += low <= share <= high
        low, high = intervals.difference(hits, 300, other, 300)
        different += low <= 0.05 <= high
    assert 930 <= covered <= 985
    assert 930 <= different <= 985


def test_the_ends_of_intervals():
    assert intervals.wilson(0, 0) == (0.0, 1.0)
    assert intervals.wilson(0, 7)[0] == 0.0
    assert intervals.wilson(7, 7)[1] == 1.0
    assert intervals.ratio([1, 2], []) is None
    ratio, low, high = intervals.ratio([20, 22, 18, 20], [10, 11, 9, 10])
    assert low < ratio == 2.0 < high


# -- changes


def test_a_step_is_found_within_two_bins():
    rng = random.Random(5)
    near = more = 0
    for _ in range(SEEDS):
        at = rng.randint(20, 268)
        failed = [binomial(rng, 200, 0.03 if b >= at else 0.01) for b in range(288)]
        found = changes_in([200] * 288, failed)
        near += bool(found) and min(abs(change.bin - at) for change in found) <= 2
        more += len(found) != 1
    assert near >= 0.9 * SEEDS
    assert more <= max(1, 0.01 * SEEDS)


def test_no_false_changes():
    rng = random.Random(6)
    assert sum(len(changes_in([200] * 288, [binomial(rng, 200, 0.01) for _ in range(288)])) for _ in range(SEEDS)) <= 1


def test_bursts_are_no_changes():
    """Retries come in bursts: more spread than a binomial share has, at no one time."""
    rng = random.Random(7)
    false = 0
    for _ in range(300 if LONG else 15):
        bins = [binomial(rng, 100, rng.betavariate(0.5, 49.5)) for _ in range(96)]
        false += bool(changes_in([100] * 96, bins))
    assert false <= (15 if LONG else 1)  # one series in twenty, of these that spread four times as much
    bins = [binomial(rng, 100, rng.betavariate(0.5, 49.5) + 0.2 * (b >= 60)) for b in range(96)]
    assert [change.bin for change in changes_in([100] * 96, bins)] == [60]


def test_a_short_failure_has_two_ends():
    rng = random.Random(8)
    failed = [binomial(rng, 200, 0.3 if 169 <= b < 173 else 0.005) for b in range(288)]
    assert [change.bin for change in changes_in([200] * 288, failed)] == [169, 173]
    assert changes_in([], []) == changes_in([0, 0], [0, 0]) == changes_in([5] * 9, [5] * 9) == []


# -- outcomes


@pytest.mark.parametrize("head", [V2, V5], ids=["v2", "v5"])
@pytest.mark.parametrize("ends", [(CLIENT, SERVER), ("2001:db8::1", "2001:db8::9")], ids=["IPv4", "IPv6"])
def test_every_attempt_is_counted_as_what_it_was(head, ends):
    log = Log(head)
    planted = {"answered": 50, "rejected": 7, "silent": 5, "refused": 3, "half": 2}
    for i, outcome in enumerate(name for name, n in planted.items() for _ in range(n)):
        log.attempt(outcome, T0 + 7 * i, *ends)
    edge = one(log)
    assert (edge.client, edge.server, edge.port, edge.protocol) == (*ends, 5432, 6)
    assert edge.attempts == sum(planted.values())
    assert {name: edge[name] for name in planted if name != "answered"} == {k: v for k, v in planted.items() if k != "answered"}
    assert edge.succeeded == 50
    assert edge.answered == 50 / 67
    assert edge.low < edge.answered < edge.high
    assert list(edge.as_dict())[:4] == ["client", "server", "port", "protocol"]


def test_resets_after_the_answer_were_answered():
    log = Log()
    for i in range(20):
        log.attempt("reset" if i % 4 == 0 else "answered", T0 + i)
    edge = one(log)
    assert (edge.answered, edge.resets) == (1.0, 5)


def test_a_reject_behind_the_end_of_a_connection_is_no_attempt():
    log = Log()
    for i in range(20):
        log.attempt("answered", T0 + i)
    log.record(CLIENT, SERVER, 20003, 5432, T0 + 3000, action="REJECT", packets=1, bytes=40, tcp_flags=1)
    edge = one(log)
    assert (edge.attempts, edge.late, edge.answered) == (20, 1, 1.0)


def test_what_began_before_the_logs_is_no_attempt():
    log = Log()
    log.record(CLIENT, SERVER, 40000, 5432, T0)
    log.record(SERVER, CLIENT, 5432, 40000, T0)
    edge = one(log)
    assert (edge.attempts, edge.ongoing, edge.answered) == (0, 1, None)
    assert "before the logs" in edge.why


def test_flags_that_are_always_0_are_none():
    log = Log()
    for i in range(40):
        log.record(CLIENT, SERVER, 30000 + i, 5432, T0 + 60 * i)
        if i % 4:
            log.record(SERVER, CLIENT, 5432, 30000 + i, T0 + 60 * i)
        else:
            log.lines[-1] = log.lines[-1].replace(" 6 900 ", " 1 60 ")
    edge = one(log)
    assert (edge.attempts, edge.answered, edge.silent) == (40, 0.75, 10)


def test_one_direction_is_unknown(quiet):
    whole = steady(Log(), 4, 30, lambda b: 3)
    for keep in (CLIENT, SERVER):
        half = Log()
        half.lines = [line for line in whole.lines if line.split()[3] == keep]
        for edge in vf.health(vf.scan(half.data)):
            assert edge.answered is edge.low is edge.high is None
            assert edge.changes == ()
            assert edge.why


@pytest.mark.parametrize("head", [V2, V5], ids=["v2", "v5"])
def test_silence_says_nothing_in_logs_without_any_answer(head):
    log = Log(head)
    for i in range(40):
        log.record(CLIENT, SERVER, 30000 + i, 5432, T0 + i, packets=1, bytes=60, tcp_flags=2)
    edge = one(log)
    assert (edge.attempts, edge.unknown, edge.answered) == (40, 40, None)
    assert "silence says nothing" in edge.why
    log.attempt("answered", T0, client="10.0.0.9", server="10.0.0.8")  # answers are logged
    assert {edge.client: edge.answered for edge in vf.health(vf.scan(log.data))} == {CLIENT: 0.0, "10.0.0.9": 1.0}


def test_one_interface_with_one_direction_is_unknown():
    log = steady(Log(), 2, 30, lambda b: 3)
    other = steady(Log(), 2, 30, lambda b: 3, client="10.0.0.2", eni="eni-2")
    log.lines += [line for line in other.lines if line.split()[3] == "10.0.0.2"]
    answered = {edge.client: edge.answered for edge in vf.health(vf.scan(log.data))}
    assert answered == {CLIENT: 54 / 60, "10.0.0.2": None}


def test_rejected_traffic_alone_is_unknown():
    log = Log()
    for i in range(30):
        log.attempt("rejected", T0 + i)
    found = vf.health(vf.scan(log.data))
    assert (found[0].answered, found[0].rejected) == (None, 30)
    assert "rejected traffic alone" in found.notes[0]
    both = two_clients()
    both.attempt("rejected", T0)
    assert all(edge.answered is None for edge in vf.health(vf.scan(both.data).filter("action = 'REJECT'")))
    log.attempt("answered", T0, client="10.0.0.7")
    assert {edge.client: edge.answered for edge in vf.health(vf.scan(log.data))} == {CLIENT: 0.0, "10.0.0.7": 1.0}


def test_a_protocol_without_replies_is_unknown_and_one_with_them_is_not():
    log = Log()
    for i in range(20):
        log.attempt("silent", T0 + i, port=514, protocol=17)
        log.attempt("answered" if i else "silent", T0 + i, port=53, protocol=17)
    assert {edge.port: edge.answered for edge in vf.health(vf.scan(log.data))} == {514: None, 53: 19 / 20}


def test_bins_with_skipdata_and_gaps_are_left_out():
    log = steady(Log(), 12, 20, lambda b: 20 if b in (3, 8) else 0)
    log.status("SKIPDATA", T0 + 3 * 300, T0 + 3 * 300 + 60)
    log.lines = [line for line in log.lines if not 9 <= (int(line.split()[10]) - T0) // 300 < 10]  # an hour's file is gone
    edge = one(log)
    assert (edge.attempts, edge.answered) == (9 * 20, 1.0)
    assert (edge.bins, edge.bins_left_out, edge.sessions_left_out) == (9, 3, 40)
    (skipped,) = (row for row in vf.health(vf.scan(log.data)).bins() if row["time"] == T0 + 900)
    assert (skipped["left_out"], skipped["answered"]) == (True, None)


def test_idle_interfaces_have_no_gaps():
    log = Log()
    for number in (0, 20, 40):
        log.attempt("answered", T0 + number * 300)
        log.attempt("answered", T0 + number * 300, client="10.0.0.2", eni="eni-2")
    for number in range(41):
        log.attempt("answered", T0 + number * 300, client="10.0.0.3", eni="eni-3")
    assert {edge.client: edge.bins_left_out for edge in vf.health(vf.scan(log.data))} == {CLIENT: 0, "10.0.0.2": 0, "10.0.0.3": 0}


@pytest.mark.parametrize("head", [V2, V5], ids=["v2", "v5"])
def test_a_planted_step_in_a_log(head):
    edge = one(steady(Log(head), 40, 60, lambda b: 20 if 25 <= b < 32 else 1))
    first, second = edge.changes
    assert (first.time, second.time) == (T0 + 25 * 300, T0 + 32 * 300)
    assert (first.worse, second.worse, first.cause) == (True, False, "silent")
    assert first.low < first.after - first.before < first.high < 0
    assert first.after == pytest.approx(40 / 60)
    assert "without an answer" in first.sentence


# -- names


INVENTORY = {
    "describe-network-interfaces": {
        "NetworkInterfaces": [
            {
                "NetworkInterfaceId": f"eni-{i}", "SubnetId": "subnet-1", "VpcId": "vpc-1", "PrivateIpAddress": address,
                "Groups": [{"GroupId": "sg-1"}], "Attachment": {"InstanceId": f"i-{i}"},
            }
            for i, address in ((1, CLIENT), (2, "10.0.0.2"), (3, SERVER))
        ]
    },
    "describe-instances": {
        "Reservations": [
            {
                "Instances": [
                    {
                        "InstanceId": f"i-{i}", "InstanceType": "t3.micro",
                        "Tags": [{"Key": "Name", "Value": name}, {"Key": "aws:autoscaling:groupName", "Value": name}],
                    }
                    for i, name in ((1, "web"), (2, "web"), (3, "db"))
                ]
            }
        ]
    },
    "describe-instance-types": {
        "InstanceTypes": [
            {
                "InstanceType": "t3.micro",
                "NetworkInfo": {"NetworkCards": [{"BaselineBandwidthInGbps": 0.064, "PeakBandwidthInGbps": 5.0}]},
            }
        ]
    },
}  # fmt: skip


@pytest.fixture
def account(tmp_path):
    folder = tmp_path / "aws"
    folder.mkdir()
    for name, answer in INVENTORY.items():
        (folder / f"{name}.json").write_text(json.dumps(answer))
    return folder


def two_clients():
    log = Log()
    for i in range(30):
        log.attempt("answered", T0 + i)
        log.attempt("answered" if i % 3 else "silent", T0 + i, client="10.0.0.2", eni="eni-2")
    return log


def test_names_of_ends(account):
    flows = vf.scan(two_clients().data)
    for by in ("name", "asg"):
        (edge,) = vf.health(flows, by=by, inventory=account)
        assert (edge.client, edge.server, edge.attempts, edge.succeeded) == ("web", "db", 60, 50)
    (edge,) = vf.health(flows, by="service")
    assert (edge.client, edge.server, edge.attempts) == ("*", SERVER, 60)
    (edge,) = vf.health(flows, by={"10.0.0.0/24": "clients"})
    assert (edge.client, edge.server) == ("clients", SERVER)
    assert {e.client for e in vf.health(flows, by="interface", inventory=vf.inventory(account))} == {"eni-1", "eni-2"}
    assert [e.client for e in vf.health(flows, by="subnet", inventory=account)] == ["subnet-1"]


def test_names_are_those_of_the_time(account):
    moved = json.loads(json.dumps(INVENTORY["describe-network-interfaces"]))
    moved["NetworkInterfaces"][0]["Attachment"]["InstanceId"] = "i-3"
    (account / "describe-network-interfaces.json").rename(account / "describe-network-interfaces.2026-11-01.json")
    (account / "describe-network-interfaces.2026-11-23T061000.json").write_text(json.dumps(moved))
    log = Log()
    for i in range(10):
        log.attempt("answered", T0 + i)
        log.attempt("answered", T0 + 1200 + i)
    found = vf.health(vf.scan(log.data), by="name", inventory=account)
    assert sorted((edge.client, edge.attempts) for edge in found) == [("db", 10), ("web", 10)]


def test_an_inventory_of_anything():
    """Values of any kind in any place: names where there are some, and no error but our own."""
    rng = random.Random(4)
    junk = (None, 0, -1, True, "", "x", [], {}, [None], {"a": 1}, "10.0.0.1/99", "\ud800", 1e308, [[]], "::/0")

    def spoiled(value):
        if rng.random() < 0.15:
            return rng.choice(junk)
        if isinstance(value, dict):
            return {name: spoiled(inner) for name, inner in value.items()}
        return [spoiled(inner) for inner in value] if isinstance(value, list) else value

    flows, named = vf.scan(two_clients().data), 0
    for _ in range(20):
        answers = {kind: items for answer in INVENTORY.values() for kind, items in answer.items()}
        documents = [Document(kind, tuple(spoiled(item) for item in items)) for kind, items in answers.items()]
        known = Inventory(tables_of(documents))
        for by in ("name", "group", "az", "tag:Name"):
            try:
                named += any(edge.client == "web" for edge in vf.health(flows, by=by, inventory=known))
            except vf.PlanError as error:
                assert "has no describe-" in str(error)  # noqa: PT017
    assert named > 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"by": "nmae"}, "did you mean 'name'"),
        ({"by": "name"}, "inventory"),
        ({"by": "latency"}, "whole seconds and no round trip"),
        ({"slo": 12}, "from 50 to below 100"),
        ({"slo": 99.9, "every": "7m"}, "burn rates"),
        ({"every": "2d"}, "at most a day"),
        ({"deploy": T0 - 9}, "no record before it"),
    ],
)
def test_what_cannot_be(options, said):
    with pytest.raises(vf.VpcflowError, match=said):
        vf.health(vf.scan(two_clients().data), **options)


# -- deploys, budgets, limits


def test_a_deploy_is_compared_with_the_same_hours_of_the_day_before():
    log = Log()
    for day in (0, 1):
        for i in range(360):
            start = T0 + day * 86400 + i * 20
            log.attempt("answered", start, port=443)
            log.attempt("silent" if day and i % 5 == 0 else "answered", start, port=5432)
            log.attempt("answered", start, port=6379 if day else 11211)
    found = vf.health(vf.scan(log.data), deploy=T0 + 86400).deploy
    changes = {edge.port: edge.change for edge in found.edges}
    assert changes == {443: "same", 5432: "worse", 6379: "new", 11211: "gone"}
    by_port = {edge.port: edge for edge in found.edges}
    assert [edge.port for edge in found.edges if edge.control] == [443]
    assert by_port[5432].low < 0.8 - 1 < by_port[5432].high < 0
    assert by_port[443].sessions_ratio[0] == pytest.approx(1.0)
    assert found.control_ratio == pytest.approx(1.0)
    assert found.before == (T0, T0 + 7200)
    assert "a day before" in found.notes[0]


def test_a_deploy_without_a_day_before_says_so():
    found = vf.health(vf.scan(steady(Log(), 8, 30, lambda b: 6 if b >= 4 else 0).data), deploy=T0 + 1200).deploy
    assert [edge.change for edge in found.edges] == ["worse"]
    assert "do not reach back a day" in found.notes[0]


def test_burn_rates():
    log = steady(Log(), 100, 50, lambda b: 30 if 60 <= b < 80 else 0)
    edge = one(log, slo="99%")
    assert edge.slo["burn"] == pytest.approx(600 / 5000 / 0.01)

    def rate(end, bins):  # the obvious way
        failed = [30 if 60 <= b < 80 else 0 for b in range(max(0, end - bins), end)]
        return sum(failed) / (50 * len(failed)) / 0.01

    wanted = [end for end in range(1, 101) if rate(end, 72) > 6 and rate(end, 6) > 6]
    fast = [end for end in range(1, 101) if rate(end, 12) > 14.4 and rate(end, 1) > 14.4]
    got = {14.4: [], 6.0: []}
    for alert in edge.slo["alerts"]:
        got[alert["burn"]] += range((alert["start"] - T0) // 300 + 1, (alert["end"] - T0) // 300 + 1)
    assert got == {14.4: fast, 6.0: wanted}
    assert len(fast) > 10
    assert len(wanted) > 10


def test_ports_of_a_nat_gateway():
    nat, outside = "10.0.9.9", "198.51.100.7"
    log = Log()
    for i in range(250):
        start = T0 + 60 + i % 50
        log.record(CLIENT, outside, 30000 + i, 443, start, tcp_flags=3, interface_id="eni-1")
        log.record(outside, CLIENT, 443, 30000 + i, start, tcp_flags=19, interface_id="eni-1")
        log.record(nat, outside, 1024 + i, 443, start, tcp_flags=3, interface_id="eni-nat")
        log.record(outside, nat, 443, 1024 + i, start, tcp_flags=19, interface_id="eni-nat", pkt_dstaddr=nat)
    for given in ({"intermediaries": [nat]},):
        use = vf.health(vf.scan(log.data), **given).nat[0]
        assert (use.nat, use.destination, use.port, use.time) == (nat, outside, 443, T0 + 60)
        assert (use.lower, use.upper, use.limit, use.seen_at) == (250, 250, 55000, "nat")


def test_ports_behind_a_nat_gateway_whose_own_records_lack(account):
    (account / "describe-subnets.json").write_text(
        json.dumps({"Subnets": [{"SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24"}]})
    )
    (account / "describe-vpcs.json").write_text(json.dumps({"Vpcs": [{"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16"}]}))
    (account / "describe-nat-gateways.json").write_text(
        json.dumps({"NatGateways": [{"NatGatewayId": "nat-1", "NatGatewayAddresses": [{"PrivateIp": "10.0.9.9"}, {"PrivateIp": "10.0.9.8"}]}]})
    )
    (account / "describe-route-tables.json").write_text(
        json.dumps(
            {
                "RouteTables": [
                    {
                        "RouteTableId": "rtb-1", "VpcId": "vpc-1", "Associations": [{"Main": True}],
                        "Routes": [{"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}],
                    }
                ]
            }
        )
    )  # fmt: skip
    log = Log()
    for i in range(101):
        log.attempt("answered", T0 + i % 50, server="198.51.100.7", port=443)
        log.attempt("answered", T0 + i % 50)
    (use,) = vf.health(vf.scan(log.data), inventory=account).nat
    assert (use.nat, use.destination, use.lower, use.upper, use.seen_at) == ("nat-1", "198.51.100.7", 51, 101, "routes")


def test_a_nat_address_near_its_limit_is_told(monkeypatch):
    from vpcflow.health import limits

    monkeypatch.setattr(limits, "NAT_PORTS", 260)
    log = Log()
    for i in range(250):
        log.attempt("answered", T0 + i % 50, client="10.0.9.9", server="198.51.100.7", port=443)
    found = vf.health(vf.scan(log.data), intermediaries=["10.0.9.9"])
    (suspicion,) = found.suspicions
    assert (suspicion.kind, suspicion.low, suspicion.high) == ("nat", 250, 250)
    assert "ErrorPortAllocation" in suspicion.proof


def test_connections_tracked_at_once():
    log = Log()
    for i in range(30):
        log.record(CLIENT, SERVER, 40000 + i, 5432, T0, end=T0 + 600, tcp_flags=2)
        log.record(SERVER, CLIENT, 5432, 40000 + i, T0, end=T0 + 600, tcp_flags=18)
    for _ in range(5):
        log.attempt("answered", T0 + 300)
    found = {one.name: one for one in vf.health(vf.scan(log.data)).tracked}
    assert {name: (one.lower, one.upper) for name, one in found.items()} == {CLIENT: (35, 35), SERVER: (35, 35)}


def test_bandwidth_against_the_baseline_of_the_type(account):
    log = Log()
    for minute in range(20):
        size = 60_000_000 * 16 // 100 if 5 <= minute < 12 else 1000  # 76.8 Mbit/s out in the busy ones
        log.record(CLIENT, SERVER, 40000, 5432, T0 + 60 * minute, end=T0 + 60 * minute + 60, bytes=size * 60 // 60, flow_direction="egress")
    found = vf.health(vf.scan(log.data), inventory=account)
    assert [(row.instance, row.direction, row.minutes_above) for row in found.throughput] == [("i-1", "out", 0)]
    busy = Log()
    for minute in range(20):
        size = 720_000_000 if 5 <= minute < 12 else 1000  # 96 Mbit/s
        busy.record(CLIENT, SERVER, 40000, 5432, T0 + 60 * minute, end=T0 + 60 * minute + 60, bytes=size, flow_direction="egress")
    found = vf.health(vf.scan(busy.data), inventory=account)
    (row,) = found.throughput
    assert (row.minutes_above, row.longest_above, row.baseline, row.peak) == (7, 7, 0.064, 5.0)
    assert row.max == pytest.approx(0.096)
    assert [one.kind for one in found.suspicions] == ["bandwidth"]


def test_what_failing_edges_have_in_common():
    log = Log()
    for client, eni in ((CLIENT, "eni-1"), ("10.0.0.2", "eni-2"), ("10.0.0.3", "eni-3")):
        steady(log, 20, 30, lambda b: 20 if b >= 12 else 0, client=client, eni=eni)
    steady(log, 20, 30, lambda b: 0, server="10.0.1.10")
    found = vf.health(vf.scan(log.data))
    (suspicion,) = found.suspicions
    assert (suspicion.kind, suspicion.subject, suspicion.time) == ("server", f"{SERVER} port 5432", T0 + 12 * 300)
    assert "of 3 clients" in suspicion.sentence
    assert suspicion.low < -20 / 30 < suspicion.high < 0
    assert len(found.told()) == 1
    assert sum(len(edge.changes) for edge in found) == 3


def test_a_failure_that_no_client_shows_alone():
    log = Log()
    for i in range(200):
        for number in range(12):
            start = T0 + number * 300
            log.attempt("refused" if number in (6, 7) and i % 4 == 0 else "answered", start + i, client=f"10.0.{i // 50}.{i % 50}")
    found = vf.health(vf.scan(log.data))
    assert all(edge.changes == () for edge in found)
    (suspicion,) = found.suspicions
    assert (suspicion.kind, suspicion.time, len(suspicion.edges)) == ("server", T0 + 6 * 300, 50)
    assert f"{SERVER} port 5432: from 2026-11-23 06:30:00 to 2026-11-23 06:40:00 UTC 75.00%" in suspicion.sentence


def test_a_client_that_fails_everywhere():
    log = Log()
    for server in (SERVER, "10.0.1.10", "10.0.1.11"):
        steady(log, 20, 30, lambda b: 20 if b >= 12 else 0, server=server)
        steady(log, 20, 30, lambda b: 0, client="10.0.0.2", eni="eni-2", server=server)
    (suspicion,) = (one for one in vf.health(vf.scan(log.data)).suspicions if one.kind == "client")
    assert (suspicion.subject, suspicion.time) == (CLIENT, T0 + 12 * 300)


def test_comparison_of_two_days():
    before, after = (vf.health(vf.scan(steady(Log(), 2, 50, lambda b, n=n: n).data)) for n in (0, 10))
    (row,) = vf.diff(after, before, by=["client", "server", "port", "protocol"])
    assert (row["change"], row["silent"], row["silent_before"], row["answered_before"]) == ("changed", 20, 0, 1.0)


# -- the command


def test_the_command(tmp_path, capsys):
    bad, good = tmp_path / "bad.log", tmp_path / "good.log"
    bad.write_bytes(steady(Log(), 20, 40, lambda b: 20 if b >= 12 else 0).data)
    good.write_bytes(steady(Log(), 20, 40, lambda b: 1).data)
    page = run_cli("health", bad, check=1).stdout.decode()
    assert "from 2026-11-23 07:00:00 UTC 50.00% answered, 100.00% before" in page
    done = run_cli("health", bad, "--json", check=1)
    (row,) = map(json.loads, done.stdout.splitlines())
    assert {"client", "server", "port", "attempts", "answered", "low", "high", "changes"} <= set(row)
    assert [change["time"] for change in row["changes"]] == [T0 + 12 * 300]
    assert b"nothing to say" in run_cli("health", good, check=0).stdout
    capsys.readouterr()
    assert main(["health", str(bad), "--part", "changes", "--json"]) == 1
    change = json.loads(capsys.readouterr().out)
    assert (change["client"], change["signal"]) == (CLIENT, "answered")
    assert main(["health", str(bad), "--part", "bins", "--csv"]) == 1
    assert capsys.readouterr().out.count("\n") == 21


def test_the_log_of_the_page_has_the_planted_failure():
    """docs/how-to/what-broke.md shows what the commands say of it; test_docs.py runs them."""
    folder = ROOT / "examples" / "outage"
    assert gzip.decompress((folder / "flow.log.gz").read_bytes()) == outage().data
    assert json.loads((folder / "aws" / "describe-network-interfaces.json").read_text()) == inventory_of_outage()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--latency"], "no round trip"),
        (["LOG", "--by", "latency"], "no round trip"),
        (["LOG", "--part", "deploy"], "--deploy"),
        (["LOG", "--inventory", "nowhere"], "nowhere"),
        (["nowhere"], "nowhere"),
    ],
)
def test_wrong_command_lines(tmp_path, args, said, capsys):
    log = tmp_path / "a.log"
    log.write_bytes(two_clients().data)
    assert main(["health", *[str(log) if arg == "LOG" else arg for arg in args]]) == 2
    assert said in capsys.readouterr().err
