"""Why A cannot reach B: each verdict by hand, and that none is certain and wrong when something is taken away."""

import gzip
import json

import pytest

import vpcflow as vf
from conftest import LONG, ROOT, corpora, run_cli
from explained import (
    AT,
    CLIENT,
    FAULTS,
    FULL,
    SERVER,
    SYN,
    TIMES,
    V2,
    attempt,
    documents_of,
    record,
    rows_of,
    text_of,
    write_documents,
)  # fmt: skip

CORPORA = corpora()
DENIED = {
    "client_group": ("security_group", ("sg-c",)), "client_acl": ("network_acl", ("acl-c#32767",)),
    "server_group": ("security_group", ("sg-s",)), "server_acl": ("network_acl", ("acl-s#90",)),
    "reply_server_acl": ("network_acl", ("acl-s#32767",)), "reply_client_acl": ("network_acl", ("acl-c#32767",)),
    "no_route": ("route", ("rtb-c",)), "blackhole": ("route", ("rtb-c",)),
}  # fmt: skip


@pytest.fixture(scope="module")
def inventories(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inventories")
    return {name: vf.inventory(write_documents(folder / name, documents_of(name))) for name in FAULTS}


def ask(name, inventory, rows=None, fields=FULL, at=AT, src=CLIENT, dst=SERVER):
    return vf.explain(text_of(rows_of(name) if rows is None else rows, fields), src, dst, 5432, at=at, inventory=inventory)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_with_all_there_is(name, inventories):
    found = ask(name, inventories[name], at=None if name == "some_minutes" else AT)
    assert found.verdict == FAULTS[name][1]
    assert found.certain == (name != "mtu")
    assert (found.layer, found.denied_by) == DENIED.get(name, (None, ())) or name == "some_minutes"
    assert found.idle_seconds == (350 if name == "cut" else None)
    assert bool(found.late_packets) == (name == "late")
    assert found.sentence.endswith(".")
    assert all(row["file"] == "<bytes>" and row["offset"] > 0 for row in found.evidence)
    assert bool(found.evidence) == (name != "not_sent")
    assert not {one["verdict"] for one in found.ruled_out} & {*found.not_ruled_out, found.verdict}
    json.dumps(found.as_dict())


def test_what_is_allowed_on_the_way_is_named(inventories):
    assert ask("works", inventories["works"]).allowed_by == ("sgr-c", "acl-c#100", "acl-s#100", "sgr-s")
    assert ask("server_acl", inventories["server_acl"]).allowed_by == ("sgr-c", "acl-c#100")


def test_what_to_change_is_the_narrowest_rule(inventories):
    (text, near, *_) = ask("server_group", inventories["server_group"]).change
    assert text == (
        "aws ec2 authorize-security-group-ingress --group-id sg-s --ip-permissions "
        "'IpProtocol=tcp,FromPort=5432,ToPort=5432,IpRanges=[{CidrIp=10.0.1.5/32}]'"
    )
    assert near == "nearest rule: sgr-s, which differs in its peer alone"
    (text,) = ask("server_acl", inventories["server_acl"]).change
    assert text.endswith("--ingress --rule-number 89 --protocol 6 --port-range From=5432,To=5432 --cidr-block 10.0.1.5/32 --rule-action allow")
    (text,) = ask("reply_server_acl", inventories["reply_server_acl"]).change
    assert "--egress --rule-number 110 --protocol 6 --port-range From=32768,To=60999" in text


def test_an_edge_hour_hides_what_was_tried_elsewhere(inventories):
    found = ask("not_sent", inventories["not_sent"], at=None)
    assert (found.verdict, found.certain) == ("not_sent", False)
    assert ask("works", inventories["works"], at=AT + 10 * 3600).verdict == "cannot_tell"


def test_rules_that_allow_what_was_rejected_have_changed(inventories):
    found = ask("server_group", inventories["works"])
    assert (found.verdict, found.certain, found.rules_changed, found.denied_by) == ("blocked_at_server", True, True, ())
    assert "were others when AWS decided" in found.sentence


def test_both_that_deny_are_listed(inventories, tmp_path):
    documents = documents_of("server_group")
    documents["describe-network-acls"] = documents_of("server_acl")["describe-network-acls"]
    found = ask("server_group", vf.inventory(write_documents(tmp_path / "both", documents)))
    assert found.denied_by == ("acl-s#90", "sg-s")


def test_since_when_it_is_otherwise(inventories):
    rows = rows_of("not_sent")
    for n, time in enumerate(TIMES):
        rows += attempt(time, 40000 + n, "aaaa") if n < 8 else attempt(time, 40000 + n, "arnn", there=SYN)
    found = ask("", inventories["server_group"], rows, at=None)
    assert (found.verdict, found.certain, found.affected) == ("blocked_at_server", True, len(TIMES) - 8)
    assert "Until 2026-11-01 13:25:30 UTC it was otherwise (works)" in found.sentence
    # Without rules that say so it might work again behind the end.
    assert "intermittent" in ask("", None, rows, at=None).not_ruled_out


def test_what_fails_now_and_then_is_told_apart_by_one_dimension(inventories, tmp_path):
    documents = documents_of("works")
    enis = documents["describe-network-interfaces"]["NetworkInterfaces"]
    enis += [{**enis[1], "NetworkInterfaceId": f"eni-{n}", "PrivateIpAddress": f"10.0.2.{n}", "PrivateIpAddresses": []} for n in (11, 12)]
    rows = rows_of("not_sent")
    for n in range(30):
        number = n % 3
        server, interface = ((SERVER, "eni-s"), ("10.0.2.11", "eni-11"), ("10.0.2.12", "eni-12"))[number]
        made = attempt(400 + 300 * n, 40000 + n, "aann" if number == 1 else "aaaa", there=SYN if number == 1 else (3, 6, 120), server=server)
        rows += [row | {"interface-id": interface} if row["interface-id"] == "eni-s" else row for row in made]
    inventory = vf.inventory(write_documents(tmp_path / "three", documents))
    found = ask("", inventory, rows, at=None, dst="sg-s")
    assert found.verdict == "intermittent"
    assert found.explained_by == {"dimension": "server", "value": "10.0.2.11", "share": 1.0, "failed": 0.3333}


def test_a_reset_of_which_only_the_client_knows_may_be_of_something_on_the_way(inventories):
    rows = [row for row in rows_of("no_listener") if row["interface-id"] == "eni-c"]
    found = ask("", inventories["works"], rows)
    assert (found.verdict, found.certain) == ("no_listener", False)
    assert "lost_between" in found.not_ruled_out


def test_names_ids_and_prefixes_are_ends(inventories):
    for src, dst in (("web-1", "db-1"), ("eni-c", "eni-s"), ("sg-c", "10.0.2.0/24"), ("10.0.1.0/24", "sg-s")):
        assert ask("server_group", inventories["server_group"], src=src, dst=dst).verdict == "blocked_at_server"
    with pytest.raises(vf.PlanError, match="did you mean 'web-1'"):
        ask("works", inventories["works"], src="web-2")
    with pytest.raises(vf.PlanError, match="a name needs an inventory"):
        ask("works", None, src="web-1")
    with pytest.raises(vf.PlanError, match="port is needed"):
        vf.explain(b"", CLIENT, SERVER)


def test_metadata_and_dns_are_not_logged(inventories):
    found = ask("works", inventories["works"], dst="169.254.169.254")
    assert (found.verdict, found.certain) == ("cannot_tell", False)
    assert "metadata" in found.sentence


def test_block_public_access_is_a_layer_of_its_own():
    rows = [record("eni-c", 60, CLIENT, "8.8.8.8", (40000, 443), "REJECT", 2, **{"reject-reason": "BPA"})]
    found = vf.explain(text_of(rows), CLIENT, "8.8.8.8", 443)
    assert (found.verdict, found.layer) == ("blocked_at_client", "block_public_access")


def test_secondary_addresses_hide_behind_the_primary_one_without_packet_fields(tmp_path):
    documents = documents_of("works")
    documents["describe-network-interfaces"]["NetworkInterfaces"][1]["PrivateIpAddresses"].append({"PrivateIpAddress": "10.0.2.77"})
    inventory = vf.inventory(write_documents(tmp_path / "secondary", documents))
    rows = rows_of("not_sent")
    for n, time in enumerate(TIMES):
        for row in attempt(time, 40000 + n, "aaaa", server="10.0.2.77"):
            if row["interface-id"] == "eni-s":
                row |= {name: SERVER for name in ("srcaddr", "dstaddr") if row[name] == "10.0.2.77"}
            rows.append(row)
    found = ask("", inventory, rows, dst="10.0.2.77")
    assert (found.verdict, found.certain) == ("works", True)
    found = ask("", inventory, rows, V2, dst="10.0.2.77")
    assert (found.verdict, found.certain) == ("works", False)


def ablations(rows, documents):
    """Yields what is taken away, with the rest: records, fields, and the documents that are left; ``None``: none."""
    yield "nothing", rows, FULL, documents
    for name in FULL:
        yield f"field {name}", rows, [field for field in FULL if field != name], documents
    yield "all fields but version 2's", rows, V2, documents
    yield "client's records", [row for row in rows if row["interface-id"] != "eni-c"], FULL, documents
    yield "server's records", [row for row in rows if row["interface-id"] != "eni-s"], FULL, documents
    yield "what goes out", [row for row in rows if row["flow-direction"] != "egress"], FULL, documents
    yield "what comes in", [row for row in rows if row["flow-direction"] != "ingress"], FULL, documents
    for hour in range(3):
        yield f"hour {hour}", [row for row in rows if (int(row["start"]) // 3600) % 24 != 12 + hour], FULL, documents
    yield "REJECT records", [row for row in rows if row["action"] != "REJECT"], FULL, documents
    yield "ACCEPT records", [row for row in rows if row["action"] != "ACCEPT"], FULL, documents
    yield "NODATA records", [row for row in rows if row["log-status"] != "NODATA"], FULL, documents
    skipped = [row | {"log-status": "SKIPDATA"} if row["log-status"] == "NODATA" else row for row in rows]
    yield "records that AWS skipped", skipped, FULL, documents
    for every in (2, 3):
        yield f"each {every}. record", [row for n, row in enumerate(rows) if n % every], FULL, documents
    yield "inventory", rows, FULL, None
    yield "inventory, and all fields but version 2's", rows, V2, None
    yield "inventory, and the server's records", [row for row in rows if row["interface-id"] != "eni-s"], V2, None
    for name in documents:
        yield name, rows, FULL, {other: content for other, content in documents.items() if other != name}


def wrong_ones(name, folder, part=0, parts=1):
    """Returns what is certain and wrong, or rules the truth out, of a part of the ablations of a fault."""
    truth = FAULTS[name][1]
    rows, documents = rows_of(name), documents_of(name)
    for number, (taken, left, fields, files) in enumerate(ablations(rows, documents)):
        if (number + part) % parts:
            continue
        inventory = None if files is None else vf.inventory(write_documents(folder / f"{name}{number}", files))
        log = text_of(left, fields)
        for at in (AT, None):
            found = vf.explain(log, CLIENT, SERVER, 5432, at=at, inventory=inventory)
            possible = {found.verdict, *(() if found.certain else found.not_ruled_out)}
            # Around one time it may go one way alone.
            if truth not in possible and not (truth == "intermittent" and at is not None):
                yield taken, at, found.verdict, found.certain, found.not_ruled_out
            if found.verdict == "cannot_tell" and found.certain:
                yield taken, at, found.verdict


@pytest.mark.parametrize("name", FAULTS)
def test_whatever_is_taken_away_no_verdict_is_certain_and_wrong(name, tmp_path):
    parts = 1 if LONG else len(FAULTS)
    assert list(wrong_ones(name, tmp_path, list(FAULTS).index(name), parts)) == []


def test_a_log_without_any_reject_may_be_of_accepts_alone(inventories):
    rows = [row for row in rows_of("server_group", with_reject=False) if row["action"] != "REJECT"]
    assert not ask("", inventories["server_group"], rows).certain
    assert ask("", inventories["server_group"], rows).verdict == "blocked_at_server"  # as the rules say


@pytest.mark.skipif(CORPORA is None, reason="the corpora are not there")
def test_the_examples_of_aws():
    log = CORPORA / "aws-doc-examples" / "v2-default.log"
    ping = vf.explain(log, "203.0.113.12", "172.31.16.139", proto="icmp")
    assert (ping.verdict, [row["action"] for row in ping.evidence]) == ("reply_blocked_server_acl", ["ACCEPT", "REJECT"])
    assert ping.not_ruled_out == ("reply_blocked_client_acl", "intermittent")  # whose interface it is, the log does not say
    rdp = vf.explain(log, "172.31.9.69", "172.31.9.12", 3389)
    assert (rdp.verdict, rdp.certain) == ("blocked_at_server", False)
    assert rdp.sentence.startswith("Likely, not proven: AWS rejected 1 attempt from 172.31.9.69 to 172.31.9.12, tcp 3389, at the server's")
    ssh = vf.explain(log, "172.31.16.139", "172.31.16.21", 22)
    assert (ssh.verdict, ssh.certain) == ("works", False)  # 20 packets of 212 bytes: it was answered
    flags = vf.explain(CORPORA / "aws-doc-examples" / "v3-tcp-flag-sequence.log", "52.213.180.42", "10.0.0.62", 5001)
    assert flags.verdict == "works"
    nat = vf.explain(CORPORA / "aws-doc-examples" / "v5-service-path-direction.log", "10.0.0.71", "52.95.128.179", 80)
    assert nat.verdict == "works"
    tgw = vf.explain(CORPORA / "aws-doc-examples" / "vpc-tgw.log", "10.20.33.164", "10.40.2.236", 80)
    assert tgw.verdict == "works"


def test_what_nobody_sent_is_not_said_to_be_rejected(inventories):
    rows = rows_of("not_sent", with_reject=False)
    found = ask("", inventories["server_group"], rows)
    assert (found.verdict, found.certain) == ("blocked_at_server", False)  # as its rules would do
    assert found.sentence.startswith("Likely, not proven: The logs have no packet from 10.0.1.5 (web-1) to 10.0.2.9 (db-1), tcp 5432")
    assert ask("not_sent", inventories["server_group"], at=None).verdict == "not_sent"


def test_standard_input_is_read_once():
    folder = ROOT / "examples" / "reach"
    log = gzip.decompress((folder / "flow.log.gz").read_bytes())
    done = run_cli("explain", "-", "--inventory", folder / "aws", "--from", "web-1", "--to", "db-1", "--port", "5432", stdin=log, check=0)
    assert done.stdout.startswith(b"reply_blocked_server_acl (certain)")


def test_the_command(tmp_path):
    folder = write_documents(tmp_path / "aws", documents_of("server_group"))
    log = tmp_path / "flows.log"
    log.write_bytes(text_of(rows_of("server_group")))
    words = ("explain", log, "--inventory", folder, "--from", "web-1", "--to", "db-1", "--port", "5432")
    page = run_cli(*words, "--at", AT).stdout.decode()
    assert page.startswith("blocked_at_server (certain): blocked at the server\nAWS rejected ")
    assert len(page.splitlines()) <= 40
    found = json.loads(run_cli(*words, "--json").stdout)
    assert found["verdict"] == "blocked_at_server"
    assert found["denied_by"] == ["sg-s"]
    done = run_cli("explain", log, "--from", "web-1", "--to", "db-1", "--port", "1", check=2)
    assert b"a name needs an inventory" in done.stderr


def test_a_reply_by_another_interface_is_not_silence():
    rows = rows_of("silent_server")
    rows += [
        row | {"interface-id": "eni-x", "srcaddr": "10.0.2.66", "pkt-srcaddr": SERVER, "subnet-id": "subnet-s"}
        for n, time in enumerate(TIMES) for row in attempt(time, 40000 + n, "nnan", back=(18, 3, 60))
    ]  # fmt: skip
    found = ask("", None, rows)
    assert "silent_server" not in (found.verdict, *found.not_ruled_out)


def test_syn_of_one_window_and_answer_of_the_next_at_the_end_of_the_log(inventories):
    rows = [row for row in rows_of("not_sent") if int(row["start"]) < AT + 2]
    rows += attempt(AT - 1_793_534_400, 40000, "aann", there=SYN)
    assert not ask("", inventories["works"], rows).certain


def test_the_example_of_the_documents_is_of_this_network():
    folder = ROOT / "examples" / "reach"
    assert gzip.decompress((folder / "flow.log.gz").read_bytes()) == text_of(rows_of("reply_server_acl"))
    assert {path.stem: json.loads(path.read_text()) for path in (folder / "aws").iterdir()} == documents_of("reply_server_acl")
