"""What is made of the detectors' rows: settings, their types, and the pages about them."""

import dataclasses
import json

import pytest

import vpcflow as vf
from conftest import run_cli
from vpcflow.detect import DETECTORS, DetectorSettings, Settings
from vpcflow.detect.rows import ROWS, all_settings

PYTHON_TYPES = {
    "bool": bool, "integer": int, "number": float, "prefixes": tuple, "duration": str, "address_list": tuple, "address_labels": str,
}  # fmt: skip


def test_rows_are_whole():
    assert list(DETECTORS) == sorted(DETECTORS)
    assert {row["name"] for row in ROWS} == {c["analysis"] for c in vf.capabilities("default")} & set(DETECTORS)
    for row in ROWS:
        assert all(row[key] for key in ("technique", "meaning", "method", "misses", "needs")), row["name"]
        assert set(row["inputs"]) <= {"baseline", *(setting["name"] for setting in row["settings"])}
        assert not row["misses"].endswith(".")


def test_a_setting_is_one_fact():
    """Names, defaults and types of Python are those of the rows."""
    rows = all_settings()
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    assert list(rows) == list(fields) == list(DetectorSettings.__annotations__)
    for name, row in rows.items():
        assert type(fields[name].default) is PYTHON_TYPES[row["type"]], name
        if row["type"] not in ("address_list", "address_labels"):
            assert fields[name].default == row["default"], name
    assert rows["new_chance"]["detectors"] == ["collection", "new_destination", "new_port", "new_protocol"]
    assert rows["inside"]["detectors"] == []
    with pytest.raises(vf.PlanError, match="no setting 'scan_port'"):
        vf._core.Detection({"scan_port": 3})
    with pytest.raises(vf.PlanError, match="no setting of labels: 'scan_ports'"):
        vf._core.Detection({}).set_labels("scan_ports", vf.labels.prefixes({})._core, False)


def test_the_command_prints_settings():
    page = run_cli("detect", "--settings", check=0).stdout.decode()
    assert "port_scan (T1046): one source that tries many ports or hosts\n  scan_ports = 25 ports\n" in page
    assert page.startswith("all detectors\n  inside = 10.0.0.0/8,")
    assert "  idle = 10m\n" in page
    rows = [json.loads(line) for line in run_cli("detect", "--json", "--settings", check=0).stdout.splitlines()]
    assert {row["name"] for row in rows} == set(all_settings())
    own = [row for row in rows if row["name"] == "exfil_bytes"]
    assert own[0] | {"meaning": ""} == {
        "detector": "exfiltration", "name": "exfil_bytes", "type": "integer", "default": 500_000_000, "unit": "bytes",
        "meaning": "",
    }  # fmt: skip
    assert run_cli("detect", check=2).stderr.decode().count("required")  # without it logs are
