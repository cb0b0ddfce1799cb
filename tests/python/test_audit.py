"""Controls: verdicts against a slow oracle, vantage points, splits, gaps, exceptions; no answer turns into its opposite."""

import json
import os
import random

import pytest

import audit_world as aw
import vpcflow as vf
from vpcflow import audit

LONG = bool(os.environ.get("VPCFLOW_LONG"))
OPPOSITE = {"fail": ("pass_enforced", "pass_silent"), "pass_enforced": ("fail",), "pass_silent": ("fail",)}


def checked(log, document, **more):
    (one,) = audit.check(vf.scan(log), document, **more)
    return one


@pytest.mark.parametrize("seed", range(400 if LONG else 40))
def test_verdicts_are_those_of_the_oracle(seed, tmp_path):
    world = aw.with_gaps(aw.World(seed))
    control = aw.some_control(world)
    inventory = world.inventory(tmp_path / "aws")
    fields = aw.FIELDS if seed % 2 else aw.FIELDS[:14]
    begin, end = aw.DAY, aw.DAY + world.minutes * world.window
    flows = vf.scan(aw.text_of(world.records(), fields), start=begin, end=end)
    (one,) = audit.check(flows, aw.document(control), inventory=inventory)
    assert one.verdict == aw.verdict(world, control, world.zone.get), (control, one.why)


def test_the_oracle_knows_all_verdicts():
    found = set()
    for seed in range(40):
        world = aw.with_gaps(aw.World(seed))
        found.add(aw.verdict(world, aw.some_control(world), world.zone.get))
    assert found == {"fail", "pass_enforced", "pass_silent", "not_evaluable"}
