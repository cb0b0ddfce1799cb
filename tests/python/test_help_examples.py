"""The examples of every --help run as they stand in a shell, on the sample."""

import os
import re
import subprocess
import sys

import pytest

from conftest import SAMPLE, run_cli

RULES = """
- name: ssh
  where: dstport = 22 and action = 'REJECT'
  by: srcaddr
  having: flows >= 2
  examples: [{log: "srcaddr dstport action\\n10.0.0.1 22 REJECT\\n", findings: 0}]
"""


def examples():
    """Command lines of all help pages."""
    commands = re.search(r"there are (.*)", run_cli("nonsense", check=2).stderr.decode())[1].split(", ")
    assert {"summary", "watch", "synth"} <= set(commands)
    lines = []
    for command in [None, *commands]:
        page = run_cli(*([command] if command else []), "--help", check=0).stdout.decode()
        block = re.search(r"^examples?:\n((?:  .*\n)+)", page, re.M)
        assert block, command
        own = [text[2:] for text in block[1].replace("\\\n", " ").splitlines()]
        assert all(text.startswith("vpcflow ") or "| vpcflow " in text for text in own), own
        lines += own
        assert "exit codes: 0 fine, 1 findings" in page, command
    return list(dict.fromkeys(lines))


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """A folder with logs and rules, where vpcflow is a command."""
    folder = tmp_path_factory.mktemp("shell")
    for name in ("logs", "today"):
        (folder / name).mkdir()
        (folder / name / "flow.log.gz").write_bytes(SAMPLE.read_bytes())
        os.utime(folder / name / "flow.log.gz", (1, 1))
    (folder / "flow.log.gz").write_bytes(SAMPLE.read_bytes())
    (folder / "rules.yaml").write_text(RULES)
    (folder / "bin").mkdir()
    (folder / "bin" / "vpcflow").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vpcflow "$@"\n')
    (folder / "bin" / "vpcflow").chmod(0o755)
    return folder


@pytest.mark.parametrize("text", examples())
def test_help_examples_run(shell, text):
    pytest.importorskip("yaml")
    pytest.importorskip("pyarrow")
    environment = {**os.environ, "PATH": f"{shell / 'bin'}:{os.environ['PATH']}"}
    command = ["bash", "-c", text]
    done = subprocess.run(command, cwd=shell, env=environment, capture_output=True, timeout=120, text=True)
    judges = re.search(r"vpcflow (detect|watch|rules run)", text)
    assert done.returncode in ((0, 1) if judges else (0,)), done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout or done.stderr or "watch" in text
