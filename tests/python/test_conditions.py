"""Conditions that cannot hold, in whatever face they are written: an error with the nearest value, or a warning."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import warnings
from typing import Any

import pytest

import vpcflow as vf
from vpcflow import col, rules
from vpcflow.analyze import summarize

LOG = (
    b"srcaddr dstaddr dstport protocol bytes start end action log-status flow-direction\n"
    b"10.0.0.1 10.0.0.9 22 6 40 1795413600 1795413660 REJECT OK ingress\n"
    b"10.1.0.1 10.0.0.9 443 17 90 1795413600 1795413660 ACCEPT OK egress\n"
)


def addresses(where: Any) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return list(vf.scan(LOG).filter(where).select("srcaddr").collect()["srcaddr"])


@pytest.mark.parametrize(
    "where",
    ["action = 'reject'", col("action") == "Reject", col("flow_direction") == "INGRESS", col("protocol") == "TCP",
     col("log_status").is_in(["ok"]) & (col("dstport") == 22), "action like 'rej%'"],
)  # fmt: skip
def test_known_words_are_compared_without_case(where: Any) -> None:
    assert addresses(where) == ["10.0.0.1"]


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("action = 'DENY'", "'REJECT'"), (col("action") == "blocked", "'REJECT'"),
        (col("action") != "allow", "'ACCEPT'"), (col("action").is_in(["ACCEPT", "drop"]), "'REJECT'"),
        (col("flow_direction") == "outbound", "'egress'"), (col("srcaddr") == "-", "srcaddr is null"),
        (col("bytes") == "-", "bytes is null"), (col("srcaddr").like("10.%"), "'10.0.0.0/8'"),
        (col("srcaddr").matches(r"^10\.1\."), "'10.1.0.0/16'"), (col("srcaddr").is_in("10.0.0.5/8"), "'10.0.0.0/8'"),
        (col("dstport") > 65535, "65535"), (col("bytes") < 0, "below 0"), (col("dstport") == "ssh", "22"),
        (col("start") > 1795413600000, "1795413600"), (col("bytes").between(10, 5), "between 5 and 10"),
        ("dstport in ()", "empty"),
    ],
)  # fmt: skip
def test_what_cannot_hold_is_an_error_with_the_nearest_value(where: Any, meant: str) -> None:
    with pytest.raises(vf.FilterError) as caught:
        vf.scan(LOG).filter(where).select("srcaddr").collect()
    assert meant in str(caught.value)
    assert "^" in str(caught.value)


def test_filters_of_aggregates() -> None:
    with pytest.raises(vf.FilterError, match="did you mean 'REJECT'"):
        vf.scan(LOG).agg(n=vf.count(where="action = 'DENY'")).collect()
    with pytest.raises(vf.FilterError, match="did you mean 'REJECT'"):
        vf.Aggregation(by="srcaddr", n=vf.count(where=col("action") == "deny"))
    with pytest.raises(vf.FilterError, match="did you mean 'egress'"):
        vf.scan(LOG).filter("flow_direction = 'out'").coverage()
    assert vf.scan(LOG).agg(n=vf.count(where="action = 'reject'")).collect().rows() == [{"n": 1}]


@pytest.mark.parametrize(
    "where", [(col("bytes") > 10) & (col("bytes") < 5), "dstport = 22 and dstport = 23", "dstport != 22 or dstport != 23",
              col("dstport").is_in([])],
)  # fmt: skip
def test_tests_that_exclude_each_other_warn(where: Any) -> None:
    with pytest.warns(vf.DataQualityWarning, match="no record|always holds|of no record"):
        vf.scan(LOG).filter(where).select("srcaddr").collect()


def test_open_lists_warn() -> None:
    log = b"srcaddr region interface-type\n10.0.0.1 us-east-1 nat_gateway\n"
    with pytest.warns(vf.DataQualityWarning, match="us-east-1"):
        vf.scan(log).filter("region = 'us-east'").select("srcaddr").collect()
    with pytest.warns(vf.DataQualityWarning, match="nat_gateway"):
        vf.scan(log).filter("interface_type = 'nat'").select("srcaddr").collect()


def test_the_command_line_says_it(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.log").write_bytes(LOG)
    command = [sys.executable, "-m", "vpcflow", "top", str(tmp_path / "a.log"), "--by", "srcaddr", "--where"]
    wrong = subprocess.run([*command, "action = 'DENY'"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert "did you mean 'REJECT'?" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    right = subprocess.run([*command, "action = 'reject'"], capture_output=True, text=True)
    assert right.returncode == 0
    assert "10.0.0.1" in right.stdout
    doubtful = subprocess.run([*command, "dstport = 22 and dstport = 23"], capture_output=True, text=True)
    assert doubtful.returncode == 0
    assert "no record passes both" in doubtful.stderr


@pytest.mark.parametrize("where", ["action = 'ACCEPT'", "dstport = 40000", "dstport != 22"])
def test_what_a_summary_asks_besides_is_no_mistake_of_the_user(where: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert str(summarize(vf.scan(LOG).filter(where)))


def test_rules_name_themselves() -> None:
    with pytest.raises(vf.VpcflowError, match="refused") as caught:
        rules.of([{"name": "refused", "by": "srcaddr", "where": "action = 'DENY'"}])
    assert "'REJECT'" in str(caught.value)
    (rule,) = rules.of([{"name": "refused", "by": "srcaddr", "where": "action = 'reject'"}])
    assert [row["srcaddr"] for row in rule.query(vf.scan(LOG)).collect()] == ["10.0.0.1"]


def test_rules_over_sessions_have_states() -> None:
    of = {"name": "tries", "over": "sessions", "by": "srcaddr"}
    (rule,) = rules.of([{**of, "where": "action = 'Rejected'"}])
    assert [f.actor for f in rules.run(vf.scan(LOG + LOG[LOG.index(b"\n") + 1 :]), [rule])] == ["10.0.0.1"]
    with pytest.raises(vf.VpcflowError, match="did you mean 'rejected'"):
        rules.of([{**of, "where": "action = 'REJECT'"}])


@pytest.mark.parametrize("said", ["deny", "Denied", "BLOCKED", "drop"])
def test_sigma_rules_with_words_of_other_tools_are_errors(said: str) -> None:
    pytest.importorskip("sigma")
    rule = {
        "title": "Refused", "logsource": {"product": "aws", "service": "vpcflow"},
        "detection": {"sel": {"dst_port": 22, "action": said}, "condition": "sel"},
    }  # fmt: skip
    with pytest.raises(vf.VpcflowError, match="REJECT"):
        rules.of(rules_from_sigma(rule))


def rules_from_sigma(rule: dict[str, Any]) -> list[dict[str, Any]]:
    from vpcflow.rules import sigma as sigma_rules

    return sigma_rules.items_of([rule], "my.yml")


def test_conditions_of_polars_may_hold_of_nothing() -> None:
    polars = pytest.importorskip("polars")
    frame = vf.scan(LOG).lazy()
    assert frame.filter(polars.col("action") == "DENY").collect().height == 0
    assert frame.filter(polars.col("action") == "REJECT").collect().height == 1
    assert frame.filter(polars.col("action") == "reject").collect().height == 0  # polars compares with case
