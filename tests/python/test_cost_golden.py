"""Scenarios whose cost is known, by cost from logs; and by the bytes and prices alone."""

from decimal import Decimal

import pytest

import vpcflow as vf
from cost_golden import SCENARIOS
from vpcflow.pricing import PRICE_OF


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenarios_are_read(scenario, tmp_path):
    """Logs and documents are whole, and what they must cost is bytes by the price of their class."""
    log, folder = scenario.write(tmp_path)
    assert vf.scan(str(log)).collect().report.rejected == 0
    assert vf.inventory(folder).at("NetworkInterfaces")
    sheet = vf.prices()
    for kind, told in scenario.expected.items():
        if told is None or kind not in PRICE_OF:
            assert told is None or told[1] == "0"
            continue
        once = sheet.cost(PRICE_OF[kind], "us-east-1", told[0])
        assert Decimal(told[1]) in (0, once, 2 * once)
        assert Decimal(scenario.total) >= Decimal(told[1])


@pytest.mark.skipif(not hasattr(vf.Flows, "cost"), reason="costs of paths are not part of this build")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_scenarios_cost_what_they_must(scenario, tmp_path):
    log, folder = scenario.write(tmp_path)
    rows = vf.scan(str(log)).cost(inventory=vf.inventory(folder), prices=vf.prices(), by=["class"]).rows
    for kind, told in scenario.expected.items():
        own = [row for row in rows if row["class"] == kind]
        assert sum(row["bytes"] for row in own) == (told[0] if told else 0), rows
        assert sum(Decimal(str(row["list_cost"] or 0)) for row in own) == Decimal(told[1] if told else 0), rows
    assert sum(Decimal(str(row["list_cost"] or 0)) for row in rows) == Decimal(scenario.total), rows
