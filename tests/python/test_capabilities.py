"""What formats can answer."""

import json

import pytest

import vpcflow as vf
from conftest import HEADER, line, run_cli
from vpcflow import cli
from vpcflow.detect import DETECTORS

ALL = [
    "visibility", "orientation", "nat_attribution", "cross_az_attribution", "cost", "performance",
    "security_group_tuning", "audit", *DETECTORS,
]  # fmt: skip


def verdicts(text):
    return {c["analysis"]: c["verdict"] for c in vf.capabilities(text)}


def test_every_analysis_has_a_verdict():
    assert list(verdicts("default")) == ALL
    assert set(verdicts("v11").values()) == {"exact"}
    assert set(verdicts("action").values()) == {"impossible"}
    assert verdicts("v5")["nat_attribution"] == "degraded"
    assert verdicts("tgw")["security_group_tuning"] == "impossible"
    assert verdicts("tgw")["visibility"] == verdicts("tgw")["performance"] == "exact"
    assert verdicts("pkt_srcaddr pkt_dstaddr bytes start")["exfiltration"] == "degraded"


@pytest.mark.parametrize("text", ["default", "v3", "v5", "v8", "srcaddr bytes", "tgw", "log-status"])
def test_what_to_add_makes_it_exact(text):
    """The verdicts and the advice come from the same list; adding what is advised must do."""
    base = " ".join(name for name, _ in vf._core.parse_format(text))
    for c in vf.capabilities(text):
        assert (c["verdict"] == "exact") == (c["add"] == []) == (c["why"] == [])
        if c["add"]:
            better = verdicts(f"{base} {' '.join(c['add'])}")[c["analysis"]]
            assert better == "exact", (c["analysis"], c["add"])


def test_recommended_formats():
    for analysis in ALL:
        assert verdicts(vf.recommended_format([analysis]))[analysis] == "exact"
    assert set(verdicts(vf.recommended_format()).values()) == {"exact"}
    assert vf.recommended_format(["visibility"]) == " ".join(f"${{{name}}}" for name in HEADER.decode().split())
    with pytest.raises(vf.PlanError, match="did you mean 'port_scan'"):
        vf.recommended_format(["port_scam"])
    with pytest.raises(vf.FormatError, match="did you mean 'srcaddr'"):
        vf.capabilities("scraddr")


def test_the_command(tmp_path):
    (tmp_path / "a.log").write_bytes(HEADER + line())
    (tmp_path / "b.log").write_bytes(b"srcaddr bytes\n10.0.0.1 5\n")
    page = run_cli("capabilities", tmp_path / "a.log", check=0).stdout.decode()
    assert "exact       visibility" in page
    assert "add: tcp-flags" in page
    rows = [json.loads(row) for row in run_cli("capabilities", tmp_path, "--json", check=0).stdout.splitlines()]
    assert len(rows) == 2 * len(ALL)
    rows = [json.loads(row) for row in run_cli("capabilities", "${srcaddr} ${bytes}", "--json", check=0).stdout.splitlines()]
    assert rows[0]["verdict"] == "impossible"
    assert run_cli("capabilities", "--recommend", "port_scan", check=0).stdout.endswith(b"${log-status} ${tcp-flags}\n")
    assert b"${next-hop-az-id}" in run_cli("capabilities", "--recommend", check=0).stdout
    assert b"did you mean" in run_cli("capabilities", "--recommend", "port_scam", check=2).stderr


def test_each_format_of_a_folder_has_its_own_page(tmp_path, capsys):
    for name, header in (("a", "srcaddr dstaddr bytes start"), ("b", "srcaddr dstaddr packets start")):
        (tmp_path / f"{name}.log").write_text(f"{header}\n10.0.0.1 10.0.0.2 4 100\n")
    assert cli.main(["capabilities", str(tmp_path)]) == 0
    pages = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert pages == [f"{tmp_path}, format 1 of 2:", f"{tmp_path}, format 2 of 2:"]
