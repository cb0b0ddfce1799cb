"""The world of faults: what it writes fits together, and what is planted is what its slow matcher says."""

import ipaddress
import json

import pytest

import vpcflow as vf
from conftest import LONG, run_cli
from test_schemas import is_a, table
from vpcflow import faults
from vpcflow.reach import Network

#: The verdict of each place at which a packet, or its answer, is denied: side, direction, layers.
DENIED = {
    ("from", "egress"): "blocked_at_client",
    ("to", "ingress"): "blocked_at_server",
    ("to", "egress"): "reply_blocked_server_acl",
    ("from", "ingress"): "reply_blocked_client_acl",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults")
    return folder, faults.make_faults(folder, seed=11)


def test_labels_are_as_the_schema_says(world):
    schema = {row[0]: row[1] for row in table("Questions of the world of faults")}
    for label in world[1].labels:
        assert list(label) == list(schema)
        assert {name: value for name, value in label.items() if not is_a(value, schema[name])} == {}


def denials(label):
    return [one for one in label["decisions"] if one["permit"] != "allow"]


def test_every_fault_is_planted_and_asked_about(world):
    folder, made = world
    assert [*dict.fromkeys(label["kind"] for label in made.labels)] == [name for name in faults.PLANTS if name != "nat_ports"]
    assert json.loads((folder / "labels.json").read_text()) == made.labels
    assert sorted(made.files) == sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.name != "labels.json")
    assert vf.inventory(folder / "inventory").notes == ()
    assert vf.scan(folder / "logs").agg(n=vf.count()).collect().report.records == made.records


@pytest.fixture(scope="module", params=[11, *(range(20, 50) if LONG else ())])
def worlds(world, request, tmp_path_factory):
    """One world; many in `make soak`."""
    if request.param == 11:
        return world
    folder = tmp_path_factory.mktemp("faults")
    options = {"window": 600} if request.param % 3 == 0 else {"hours": 2, "by": "interface"}
    return folder, faults.make_faults(folder, seed=request.param, **options)


def test_the_verdict_is_where_the_slow_matcher_denies(worlds):
    for label in worlds[1].labels:
        denied = denials(label)
        if not denied:
            assert not label["verdict"].startswith(("blocked", "reply_blocked")), label
            continue
        where = "from" if denied[0]["interface"] == label["from_interface"] else "to"
        if label["kind"] == "nat_acl":  # denied at neither end
            assert (denied[0]["direction"], label["verdict"]) == ("ingress", "reply_lost")
            continue
        expected = DENIED[where, denied[0]["direction"]]
        if denied[0]["layer"] == "route":
            expected = {"from": "lost_between", "to": "reply_lost"}[where]
        assert label["verdict"] in (expected, "intermittent"), label


def sides(folder, label):
    """Packets and actions at the four vantage points of a question's ends, of calls around its time."""
    found = {}
    rows = vf.scan(folder / "logs").filter(f"start >= {label['at'] - 300} and start <= {label['at'] + 300} and log_status = 'OK'").select("interface-id", "flow-direction", "action", "pkt-srcaddr", "pkt-dstaddr", "srcport", "dstport", "packets", "protocol").collect().rows()
    for row in rows:
        ends = {row["pkt_srcaddr"], row["pkt_dstaddr"]}
        if not {label["from"], label["to"]} <= ends or (label["port"] and label["port"] not in (row["srcport"], row["dstport"])):
            continue
        for place, name in (("client", "from_interface"), ("server", "to_interface")):
            if row["interface_id"] == label[name]:
                found.setdefault((place, row["flow_direction"]), set()).add(row["action"])
    return found


#: What the vantage points log: client egress, server ingress, server egress, client ingress.
A, B, C, D = ("client", "egress"), ("server", "ingress"), ("server", "egress"), ("client", "ingress")
ACCEPT, REJECT, NONE = {"ACCEPT"}, {"REJECT"}, set()
LOGGED = {
    "works": (ACCEPT, ACCEPT, ACCEPT, ACCEPT),
    "not_sent": (NONE, NONE, NONE, NONE),
    "blocked_at_client": (REJECT, NONE, NONE, NONE),
    "lost_between": (ACCEPT, NONE, NONE, NONE),
    "blocked_at_server": (ACCEPT, REJECT, NONE, NONE),
    "silent_server": (ACCEPT, ACCEPT, NONE, NONE),
    "no_listener": (ACCEPT, ACCEPT, ACCEPT, ACCEPT),
    "reply_blocked_server_acl": (ACCEPT, ACCEPT, REJECT, NONE),
    "reply_blocked_client_acl": (ACCEPT, ACCEPT, ACCEPT, REJECT),
    "reply_lost": (ACCEPT, ACCEPT, ACCEPT, NONE),
}


#: What is not seen by these addresses at these interfaces.
ELSEWHERE = ("nat_acl", "works_other_way", "twin_networks", "reversed_calls")


def test_both_sides_log_what_the_tree_of_verdicts_reads(worlds):
    folder, made = worlds
    checked = set()
    for label in made.labels:
        # Calls before and after a change are both near.
        if label["verdict"] not in LOGGED or label["rules_changed"] or label["also"] or label["late_packets"] or not label["to_interface"] or "public" in label["kind"] or label["kind"] in ELSEWHERE:
            continue
        seen = sides(folder, label)
        assert tuple(seen.get(place, set()) for place in (A, B, C, D)) == LOGGED[label["verdict"]], label
        checked.add(label["verdict"])
    assert checked == set(LOGGED)


def test_every_window_of_every_interface_has_a_record(world):
    folder, _ = world
    rows = vf.scan(folder / "logs").select("interface-id", "start", "end", "log-status").collect().rows()
    spans = {}
    for row in rows:
        spans.setdefault(row["interface_id"], []).append((row["start"], row["end"]))
    assert {row["log_status"] for row in rows} == {"OK", "NODATA"}
    snapshots = [json.loads(path.read_text()) for path in (folder / "inventory").glob("describe-network-interfaces.*")]
    assert set(spans) == {eni["NetworkInterfaceId"] for one in snapshots for eni in one["NetworkInterfaces"]}
    for own in spans.values():
        own.sort()
        # A record spans its packets alone: at most two windows lie between those of windows side by side.
        assert max(later - ended for (_, ended), (later, _) in zip(own, own[1:])) < 2 * 60
        assert min(ended - began for began, ended in own) >= 0


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        vf.synth(out=tmp_path / name, world="faults", seed=5, plant="no_route,works", hours=2, window=600, by="interface")
    one, other = ({str(p.relative_to(tmp_path / n)): p.read_bytes() for p in (tmp_path / n).rglob("*") if p.is_file()} for n in "ab")
    assert one == other
    assert len([name for name in one if name.endswith(".log.gz")]) > 8
    assert vf.synth(out=tmp_path / "c", world="faults", seed=6, plant=["no_route"], hours=2).questions[0]["from"] != json.loads(one["labels.json"])[0]["from"]


def test_addresses_are_of_every_kind(world):
    found = [ipaddress.ip_address(label[end]) for label in world[1].labels for end in ("from", "to") if label[end][0] in "0123456789"]
    assert {address.version for address in found} == {4, 6}
    assert any(address.is_global for address in found if address.version == 4) or any("203.0.113" in str(a) or "198.51.100" in str(a) for a in found)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"window": 61}, "window: 61"),
        ({"hours": 1}, "hours: 1"),
        ({"plant": "no_rout"}, "did you mean 'no_route'"),
        ({"plant": "all,-all"}, "nothing is planted"),
        ({"by": "day"}, "by: 'day'"),
        ({"peers": 5}, "peers"),
        ({"records": 5}, "records"),
        ({"format": "tgw"}, "no field of the logs of a VPC"),
        ({"out": None}, "out="),
        ({"world": "office", "by": "hour"}, "by: the world 'office' has no such option"),
    ],
)
def test_wrong_options(tmp_path, options, text):
    with pytest.raises(vf.SynthError, match=text):
        vf.synth(**{"world": "faults", "out": tmp_path / "x", **options})
    assert not (tmp_path / "x").exists()


def test_the_command(tmp_path):
    said = run_cli("synth", "--world", "faults", "--plant", "server_acl", "--hours", 2, "--out", tmp_path / "w", check=0).stdout.decode()
    assert "blocked_at_server" in said
    assert b"error: synth: by:" in run_cli("synth", "--by", "hour", "-o", tmp_path / "v", check=2).stderr
    assert b"did you mean" in run_cli("synth", "--world", "faults", "--plant", "server_acll", "-o", tmp_path / "v", check=2).stderr


def decided(network, row):
    """What the rules of an inventory say of the first packet of a call, at the interface that logged it."""
    own = network.interfaces[row["interface_id"]]
    egress = row["flow_direction"] == "egress"
    peer, port = (row["pkt_dstaddr"] if egress else row["pkt_srcaddr"]), row["dstport"]
    permits = [network.security(own, row["flow_direction"]).ask(peer, 6, port).permit] if own.groups else []
    if all(one.subnet != own.subnet for one in network.at_address(peer)):
        permits.append(network.acl(own.subnet, row["flow_direction"]).ask(peer, 6, port).permit)
    return {"deny": "REJECT", "allow": "ACCEPT"}.get(min(permits, key=["deny", "maybe", "allow"].index), "maybe")


def test_what_interfaces_log_is_what_the_rules_of_the_inventory_say(worlds):
    """Of every call's first packet, but where rules changed and no snapshot was taken."""
    folder, made = worlds
    inventory = vf.inventory(folder / "inventory")
    rows = vf.scan(folder / "logs").filter("tcp_flags in (2, 3, 6, 7) and protocol = 6 and packets < 9").collect().rows()
    unseen = {label["to_interface"] for label in made.labels if label["rules_changed"]}
    blocked = {label["from_interface"] for label in made.labels if label["layer"] == "block_public_access"}
    compared, differing = set(), []
    for row in rows:
        if row["reject_reason"] == "BPA":
            assert row["interface_id"] in blocked
            continue
        said = decided(Network.at(inventory, row["start"]), row)
        compared.add((said, row["flow_direction"]))
        if said != row["action"] and row["interface_id"] not in unseen:
            differing.append((said, row))
    assert differing == []
    assert compared >= {(action, way) for action in ("ACCEPT", "REJECT") for way in ("egress", "ingress")}
