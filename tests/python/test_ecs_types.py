"""What Elastic's own types say of our events of ECS. For `make soak`; without `@elastic/ecs` and `typescript` it is skipped
(tools/servers.sh, or `VPCFLOW_ECS_TYPES` with a folder that has them in node_modules)."""

import copy
import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest

import vpcflow as vf
from conftest import LONG, ROOT
from test_export import NAT, PAIR, exported, random_log

pytestmark = pytest.mark.skipif(not LONG, reason="Elastic's types: make soak")
PLACES = [pathlib.Path(os.environ.get("VPCFLOW_ECS_TYPES", "/nonexistent")), ROOT / "build" / "servers" / "ecs"]
WRONG = [
    lambda e: e["network"].update(iana_number=6), lambda e: e["network"].update(bytes="many"), lambda e: e.update(foreign=1),
    lambda e: e["source"].update(ip=17), lambda e: e["source"].update(port="22"), lambda e: e["source"].update(vpc="vpc-1"),
    lambda e: e["event"].update(category=1), lambda e: e["event"].update(start=1), lambda e: e["event"].update(why="x"),
    lambda e: e["related"].update(ip=7), lambda e: e["related"].update(ip=[1]), lambda e: e.pop("@timestamp"),
    lambda e: e.pop("ecs"), lambda e: e["cloud"].update(account={"id": 123456789010}), lambda e: e.update(destination="10.0.0.2"),
]  # fmt: skip


@pytest.fixture
def tsc(tmp_path):
    folder = next((place for place in PLACES if (place / "node_modules/@elastic/ecs").is_dir()), None)
    if folder is None or shutil.which("node") is None:
        pytest.skip("no @elastic/ecs and typescript here")
    (tmp_path / "node_modules").symlink_to(folder / "node_modules")

    def check(name, events):
        text = "import type {Ecs} from '@elastic/ecs';\n"
        text += "".join(f"export const e{i}: Ecs = {json.dumps(event)};\n" for i, event in enumerate(events))
        (tmp_path / f"{name}.ts").write_text(text)
        command = ["node", folder / "node_modules/typescript/bin/tsc", "--noEmit", "--strict", "--skipLibCheck"]
        command += ["--moduleResolution", "bundler", "--module", "esnext", "--target", "es2022", tmp_path / f"{name}.ts"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False).stdout

    return check


def events_of(source, unit):
    events = [json.loads(line) for line in exported(source, "ecs", unit=unit)[0].splitlines()]
    for event in events:
        event.pop("aws", None)  # Elastic's integration's, not of ECS
    return events


def test_the_types_take_our_events_and_refuse_what_is_wrong(tsc):
    events = [event for seed in range(12) for event in events_of(random_log(random.Random(seed), 40), "records")]
    events += events_of(PAIR, "sessions")
    found = vf.Finding("port_scan", "high", "203.0.113.7", ["10.0.0.2"], 0, 60, 0.91, "T1046", {"dstport": 22}, {}, "a scan")
    findings = vf.detect(vf.scan(PAIR))._like([found])
    (alert,) = (json.loads(batch.lines) for batch in vf.export(findings, "ecs").batches())
    alert.pop("vpcflow")
    assert tsc("ours", [*events, alert]) == ""
    (good,) = events_of(NAT, "records")
    wrong = [copy.deepcopy(good) for _ in WRONG]
    for change, event in zip(WRONG, wrong):
        change(event)
    said = tsc("wrong", wrong)
    for i in range(len(WRONG)):
        assert f"wrong.ts({i + 2}," in said, (i, said[:2000])
