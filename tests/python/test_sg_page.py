"""The page on tightening a group, run as it stands: each command prints the lines that the page shows."""

import re
import shlex

from conftest import ROOT, run_cli

PAGE = ROOT / "docs" / "how-to" / "tighten-a-security-group.md"


def test_the_page_says_what_the_commands_print(tmp_path, monkeypatch):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```\n\$ vpcflow (.*)\n((?:.*\n)*?)```", PAGE.read_text(), re.M)
    assert [command.split()[1] for command, _ in blocks] == ["usage", "propose", "check", "export"]
    for command, shown in blocks:
        printed = run_cli(*shlex.split(command)).stdout.decode().splitlines()
        assert [line for line in shown.splitlines() if line not in printed] == [], command
    text = (tmp_path / "change" / "1" / "rules.tf").read_text()
    assert "aws_vpc_security_group_ingress_rule" in text


def test_the_example_is_the_world_of_four_weeks():
    """examples/groups is written by sg_world.four_weeks."""
    import gzip
    import json

    from sg_world import four_weeks

    documents, log = four_weeks()
    folder = ROOT / "examples" / "groups"
    lines = gzip.decompress((folder / "flow.log.gz").read_bytes()).decode().splitlines(keepends=True)
    assert sorted(lines[1:]) == sorted(log.lines)
    rules = json.loads((folder / "aws" / "describe-security-group-rules.json").read_text())["SecurityGroupRules"]
    assert rules == documents["rules"]
