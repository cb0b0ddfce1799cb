"""Days of an office that were told apart from the rules: each story is found once, and hardly anything else."""

import pytest

import teller
from conftest import LONG
from vpcflow.correlate import of
from vpcflow.correlate.shipped import SHIPPED

EVERY_DAY = {"calls": 1200, "hosts": 30, "records": 70_000, "plant": "bastion_users,public_site"}
LONGER = {"calls": 20_000, "hosts": 60, "records": 400_000, "plant": "bastion_users,public_site,autoscaling,blockchain_node,vendor_agents,health_checks"}


@pytest.mark.parametrize(("seed", "size"), [(7, EVERY_DAY), *([(seed, LONGER) for seed in range(50, 55)] if LONG else [])])
def test_stories_of_another_teller_are_found_once(tmp_path, seed, size):
    labels = teller.Day(seed, **size).write(tmp_path)
    found = teller.correlated(tmp_path)
    rows = teller.judged(labels, found.matches)
    assert found.not_evaluated == {}
    assert sum(row["told"] for row in rows.values()) >= 4
    assert sum(row["found"] for row in rows.values()) >= sum(row["told"] for row in rows.values()) - (size is LONGER)
    assert sum(row["again"] + row["false"] for row in rows.values()) <= 1
    assert rows.keys() <= {rule.name for rule in of(SHIPPED)}
