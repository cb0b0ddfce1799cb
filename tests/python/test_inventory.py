"""Inventories: answers of describe calls as tables with validity in time."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vpcflow as vf
from conftest import run_cli
from vpcflow.inventory.documents import Document
from vpcflow.inventory.table import tables_of

DAY = 86_400
NOV_1 = 1_793_491_200  # 2026-11-01T00:00:00Z


def group(name, **more):
    return {"GroupId": name, "IpPermissions": [], **more}


def write(folder, name, value):
    (folder / name).write_text(json.dumps(value))


def test_a_history_of_snapshots(tmp_path):
    write(tmp_path, "describe-security-groups.2026-11-01.json", {"SecurityGroups": [group("sg-1"), group("sg-2")]})
    write(tmp_path, "describe-security-groups.2026-11-03.json", {"SecurityGroups": [group("sg-1", VpcId="vpc-9")]})
    write(tmp_path, "describe-security-groups.2026-11-05.json", {"SecurityGroups": [group("sg-1", VpcId="vpc-9"), group("sg-2")]})
    found = vf.inventory(tmp_path)
    ids = lambda time: sorted(found.at("SecurityGroups", time))  # noqa: E731
    assert ids(NOV_1 - DAY) == ["sg-1", "sg-2"]  # as the first snapshot says
    assert ids(NOV_1 + DAY) == ["sg-1", "sg-2"]
    assert ids(NOV_1 + 2 * DAY) == ["sg-1"]
    assert ids(None) == ids(NOV_1 + 4 * DAY) == ["sg-1", "sg-2"]
    assert "VpcId" not in found.at("SecurityGroups", NOV_1)["sg-1"]
    assert found.at("SecurityGroups", NOV_1 + 2 * DAY)["sg-1"]["VpcId"] == "vpc-9"
    assert len(found.tables["SecurityGroups"].versions["sg-1"]) == 2  # the third says what the second says
    assert found.rows()[0] == {
        "kind": "SecurityGroups", "items": 2, "versions": 4, "snapshots": 3, "first": NOV_1, "last": NOV_1 + 4 * DAY,
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_answers_in_the_encodings_of_shells(tmp_path, encoding):
    """PowerShell redirects as UTF-16, editors add a mark."""
    text = json.dumps({"SecurityGroups": [group("sg-1", Description="Büro")]}, ensure_ascii=False)
    (tmp_path / "describe-security-groups.json").write_text(text, encoding=encoding)
    assert vf.inventory(tmp_path).at("SecurityGroups")["sg-1"]["Description"] == "Büro"


def test_regions_say_nothing_of_each_other(tmp_path):
    write(tmp_path, "describe-subnets.us-east-1.2026-11-01.json", {"Subnets": [{"SubnetId": "subnet-1"}]})
    write(tmp_path, "describe-subnets.eu-west-1.2026-11-03.json", {"Subnets": [{"SubnetId": "subnet-2"}]})
    assert sorted(vf.inventory(tmp_path).at("Subnets")) == ["subnet-1", "subnet-2"]


def test_pages_instances_and_prefix_lists(tmp_path):
    write(tmp_path, "describe-instances-1.json", {"Reservations": [{"ReservationId": "r-1", "Instances": [{"InstanceId": "i-1"}]}], "NextToken": "x"})
    write(tmp_path, "describe-instances-2.json", {"Reservations": [{"ReservationId": "r-2", "Instances": [{"InstanceId": "i-2"}]}]})
    write(tmp_path, "get-managed-prefix-list-entries.pl-0123.json", {"Entries": [{"Cidr": "10.0.0.0/8"}]})
    write(tmp_path, "get-managed-prefix-list-entries.pl-0124.json", {"Entries": [{"Cidr": "10.0.0.0/8"}]})
    write(tmp_path, "describe-network-acls.json", {"NetworkAcls": [{"NetworkAclId": "acl-1", "Entries": [{"RuleNumber": 100}]}]})
    found = vf.inventory(tmp_path)
    assert sorted(found.at("Instances")) == ["i-1", "i-2"]
    assert {one["PrefixListId"] for one in found.at("Entries").values()} == {"pl-0123", "pl-0124"}
    assert found.at("NetworkAcls")["acl-1"]["Entries"] == [{"RuleNumber": 100}]
    assert found.notes == ()


def test_what_rules_refer_to_and_is_not_there_is_said(tmp_path):
    permission = {"UserIdGroupPairs": [{"GroupId": "sg-far"}], "PrefixListIds": [{"PrefixListId": "pl-7"}]}
    write(tmp_path, "describe-security-groups.json", {"SecurityGroups": [group("sg-1", IpPermissions=[permission])]})
    notes = " ".join(vf.inventory(tmp_path).notes)
    assert "pl-7" in notes
    assert "sg-far" in notes


def test_questions_name_the_calls_that_lack(tmp_path):
    write(tmp_path, "describe-security-groups.json", {"SecurityGroups": [group("sg-1")]})
    write(tmp_path, "describe-network-interfaces.json", {"NetworkInterfaces": [{"NetworkInterfaceId": "eni-1"}]})
    lacking = {one.question: one.missing for one in vf.inventory(tmp_path).questions()}
    assert lacking["explain: which rule"] == ("describe-network-acls", "describe-subnets")
    assert lacking["rule usage"] == ("describe-security-group-rules",)
    assert lacking["cost by owner"] == ()


def test_what_is_no_inventory_is_an_error(tmp_path):
    with pytest.raises(vf.SourceNotFoundError, match="no such folder"):
        vf.inventory(tmp_path / "none")
    with pytest.raises(vf.SourceNotFoundError, match=r"describe-vpcs\.json"):
        vf.inventory(tmp_path)
    (tmp_path / "describe-vpcs.json").write_text('{"Vpcs": [')
    with pytest.raises(vf.SourceError, match="invalid JSON"):
        vf.inventory(tmp_path)


@pytest.mark.parametrize("value", [{"SecurityGroups": [1, None, {"GroupId": None}, {"IpPermissions": 7}]}, {"SecurityGroups": [{"GroupId": 5, "IpPermissions": [{"UserIdGroupPairs": None}, 3], "IpPermissionsEgress": 7}]}])
def test_hostile_answers_are_no_crash(tmp_path, value):
    write(tmp_path, "describe-security-groups.json", value)
    assert vf.inventory(tmp_path).rows()


# The slow obvious version: at a time holds what the last snapshot of each series before it says, else the first.
def slowly(snapshots, time):
    out = {}
    for series in {series for series, _, _ in snapshots}:
        dated = sorted((when, items) for one, when, items in snapshots if one == series)
        before = [items for when, items in dated if when <= time] or [dated[0][1]]
        out.update({one: (one, said) for one, said in before[-1].items()})
    return out


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.integers(0, 5)), st.dictionaries(st.sampled_from("xyz"), st.integers(0, 1)),
        min_size=1,
    ),
    st.integers(-1, 6),
)  # fmt: skip
def test_tables_are_as_the_last_snapshot_says(given_snapshots, time):
    # Items of different series have different names, as those of different regions have.
    snapshots = [(series, when, {series + one: said for one, said in items.items()}) for (series, when), items in given_snapshots.items()]
    documents = [
        Document("Subnets", tuple({"SubnetId": one, "Said": said} for one, said in items.items()), series=series, time=when)
        for series, when, items in snapshots
    ]
    found = tables_of(documents)["Subnets"].at(time)
    assert {one: (one, item["Said"]) for one, item in found.items()} == slowly(snapshots, time)


def test_the_command(tmp_path):
    write(tmp_path, "describe-subnets.json", {"Subnets": [{"SubnetId": "subnet-1"}]})
    done = run_cli("inventory", str(tmp_path)).stdout.decode()
    assert "Subnets" in done
    assert "lacks for rule usage: describe-network-interfaces, describe-security-group-rules" in done
    found = json.loads(run_cli("inventory", str(tmp_path), "--json").stdout)
    assert [row["kind"] for row in found["tables"]] == ["Subnets"]
    assert {"question": "cost by owner", "missing": ["describe-network-interfaces or describe-instances"]} in found["questions"]
