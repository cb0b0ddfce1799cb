"""The examples of every --help and the commands of README and docs run as they stand in bash, on the sample."""

import contextlib
import functools
import gzip
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

import vpcflow as vf
from aws_servers import environment, moto
from conftest import ROOT, SAMPLE, run_cli
from vpcflow.cli._commands import command_names, make_parser, names_for

RULES = """
- name: ssh
  where: dstport = 22 and action = 'REJECT'
  by: srcaddr
  having: flows >= 2
  examples: [{log: "srcaddr dstport action\\n10.0.0.1 22 REJECT\\n", findings: 0}]
"""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
# Commands on an account of AWS, a catalog, a broker; test_enable_live.py, test_tutorial_aws.py, test_flow_logs.py,
# test_iceberg.py, test_kafka.py and test_sinks.py run the like on stand-ins.
CALLS_AWS = re.compile(r"opensearch\+http|send \S+ --to alertmanager|iceberg://|kafka://|awskms:|s3://my-lake|--flow-log|--pushdown|vpcflow enable (?!emit|cost)(?!.*--from-json)|vpcflow (?:summary|watch|detect) s3://example-flow-logs")
COMMAND = re.compile(r"(?:^|[|&;] *)(?:\.venv/bin/)?vpcflow [a-z-]")


@functools.cache
def examples():
    """Command lines of all help pages."""
    commands = command_names()
    assert {"summary", "watch", "synth"} <= set(commands)
    lines = []
    for command in [None, *commands]:  # in this process: it is done when tests are collected
        words = [*([command] if command else []), "--help"]
        with contextlib.redirect_stdout(io.StringIO()) as shown, pytest.raises(SystemExit, match=r"^0$"):
            make_parser(names_for(words)).parse_args(words)
        page = shown.getvalue()
        block = re.search(r"^examples?:\n((?:  .*\n)+)", page, re.M)
        assert block, command
        own = [text[2:] for text in block[1].replace("\\\n", " ").splitlines()]
        assert all(text.startswith("vpcflow ") or "| vpcflow " in text for text in own), own
        lines += own
        assert "exit codes: 0 fine, 1 findings" in page, command
    return list(dict.fromkeys(lines))


def commands_of(text):
    """Command lines with vpcflow in the code blocks of a page: of shells, of consoles, and indented ones."""
    found, fence, line = [], None, ""
    for raw in text.splitlines():
        if raw.lstrip().startswith("```"):
            fence = None if fence is not None else raw.strip("` ")
            continue
        if fence is None and not raw.startswith("    "):
            continue
        if fence not in (None, "", "sh", "bash", "shell", "console"):
            continue
        line += raw.strip().removeprefix("$ ")
        if line.endswith("\\"):
            line = line[:-1]
            continue
        if COMMAND.search(line):
            found.append(line)
        line = ""
    return found


def commands_of_pages():
    found = [command for page in PAGES for command in commands_of(page.read_text())]
    assert any("vpcflow summary logs/" in command for command in found)
    found = [command for command in found if not CALLS_AWS.search(command)]
    return [command for command in dict.fromkeys(found) if command not in examples()]


def test_commands_of_a_page():
    page = (
        "# a\nvpcflow in a sentence\n\n    vpcflow fields   # all\n```sh\nvpcflow a \\\n    b\npip install vpcflow\nx | vpcflow c\n```\n"
        "```python\nvpcflow d\n```\n```\n$ vpcflow e\nvpcflow: note\n```\n"
    )
    assert commands_of(page) == ["vpcflow fields   # all", "vpcflow a b", "x | vpcflow c", "vpcflow e"]


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    """A folder with logs, rules, a baseline and a plan, where vpcflow is a command. Examples run in any order."""
    folder = tmp_path_factory.mktemp("shell")
    for name in ("logs", "today"):
        (folder / name).mkdir()
        (folder / name / "flow.log.gz").write_bytes(SAMPLE.read_bytes())
        os.utime(folder / name / "flow.log.gz", (1, 1))
    vf.synth(3000, start=1795413600, s3_layout=True, peers=50, noise_sources=50, out=folder / "AWSLogs")
    (folder / "examples").symlink_to(ROOT / "examples")
    (folder / "trail").symlink_to(ROOT / "examples" / "correlate" / "cloudtrail")
    (folder / "findings.jsonl").write_bytes(run_cli("detect", SAMPLE, "--json", check=1).stdout)
    (folder / "flow.log.gz").write_bytes(SAMPLE.read_bytes())
    (folder / "rules.yaml").write_text(RULES)
    for place in ("bin", ".venv/bin"):
        (folder / place).mkdir(parents=True)
        (folder / place / "vpcflow").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vpcflow "$@"\n')
        (folder / place / "vpcflow").chmod(0o755)
    run_cli("watch", folder / "logs", "--once", "--notify", f"jsonl:{folder / 'x'}", "--state", folder / "watch.sqlite")
    run_cli("baseline", "build", SAMPLE, "-o", folder / "usual.vpcflow", check=0)
    inventory = ["--from-json", ROOT / "examples" / "inventory", "-o", folder / "plan.json"]
    run_cli("enable", "plan", "vpc-0a1b2c3d4e5f60718", "--to", "s3://example-flow-logs/vpc", *inventory, check=0)
    groups = [ROOT / "examples" / "groups" / "flow.log.gz", "--inventory", ROOT / "examples" / "groups" / "aws"]
    run_cli("sg", "propose", *groups, "-o", folder / "proposal.json", check=1)
    controls = ROOT / "examples" / "audit"
    for day in ("2026-11-01", "2026-11-02"):
        results = vf.audit.check(vf.scan(controls / "flow.log.gz"), controls / "controls.yaml", period=day)
        (folder / f"{day}.json").write_text(results.to_json_lines())
    if shutil.which("openssl"):
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", folder / "key.pem"], check=True)
        subprocess.run(["openssl", "pkey", "-in", folder / "key.pem", "-pubout", "-out", folder / "key.pub.pem"], check=True)
    run_cli("manifest", "add", "logs/", "--to", "evidence", check=0, cwd=folder)
    run_cli("evidence", "pack", folder / "logs", "-o", folder / "case-6", check=0)
    run_cli("digest", "build", folder / "logs", "-o", folder / "digests", check=0)
    (folder / "threats.txt").write_text("77.55.92.203\n203.0.113.0/24  # a prefix\n")
    run_cli("anonymise", "--new-key", folder / "share.key", check=0)
    run_cli("protect", "keys", folder / "keys", "--role", "analyst=dstport,protocol,packets,bytes,start,end,action", check=0)
    return folder


@pytest.fixture(scope="module")
def aws():
    """What the commands with URLs find: a bucket, a queue, a log group of moto; the variables that lead there."""
    server = moto()
    now, line = int(time.time()), gzip.decompress(SAMPLE.read_bytes()).splitlines(keepends=True)
    s3, sqs, logs, ec2 = (server.client(name) for name in ("s3", "sqs", "logs", "ec2"))
    s3.create_bucket(Bucket="my-logs")
    for at in (1795413900, now - 3600):
        when = time.gmtime(at)
        folder = time.strftime("AWSLogs/123456789010/vpcflowlogs/us-east-1/%Y/%m/%d", when)
        name = time.strftime("123456789010_vpcflowlogs_us-east-1_fl-1_%Y%m%dT%H%MZ_1.log.gz", when)
        s3.put_object(Bucket="my-logs", Key=f"{folder}/{name}", Body=gzip.compress(b"".join(line[:200]) + name.encode()))
    sqs.create_queue(QueueName="flow-logs")
    logs.create_log_group(logGroupName="/vpc/flow-logs")
    logs.create_log_stream(logGroupName="/vpc/flow-logs", logStreamName="eni-1-all")
    events = [{"timestamp": (now - 3600) * 1000, "message": text.decode().rstrip()} for text in line[1:50]]
    logs.put_log_events(logGroupName="/vpc/flow-logs", logStreamName="eni-1-all", logEvents=events)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    fields = " ".join(f"${{{name}}}" for name in line[0].decode().split())
    ec2.create_flow_logs(
        ResourceType="VPC", ResourceIds=[vpc], TrafficType="ALL", LogGroupName="/vpc/flow-logs", LogFormat=fields,
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flows",
    )  # fmt: skip
    yield environment(server.url)
    server.close()


@pytest.mark.parametrize("text", [*(one for one in examples() if not re.search(r"opensearch\+http|send \S+ --to alertmanager", one)), *commands_of_pages()])
def test_examples_run(shell, text, request):
    pytest.importorskip("yaml")
    pytest.importorskip("pyarrow")
    if "--key" in text:
        pytest.importorskip("cryptography")
    if "vpcflow sql" in text:
        pytest.importorskip("duckdb")
    if "grafana try" in text and not any(map(shutil.which, ("victoria-metrics", "victoria-logs"))):
        pytest.skip("no VictoriaMetrics and no VictoriaLogs here")
    (shell / "my-rules.yaml").unlink(missing_ok=True)
    own = {"PATH": f"{shell / 'bin'}:{os.environ['PATH']}", "SLACK_URL": "jsonl:slack.jsonl", "FIREHOSE_KEY": "k"}
    if re.search("(s3|sqs|cloudwatch)://|inventory fetch", text):
        own.update(request.getfixturevalue("aws"))
    process = subprocess.Popen(
        ["bash", "-c", text], cwd=shell, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    follows = re.search("vpcflow (watch|receive|serve|grafana try)", text) and not re.search("--once|--status", text)
    try:
        out, err = process.communicate(timeout=5 if follows else 120)
    except subprocess.TimeoutExpired:
        assert follows, text
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
        assert process.returncode in (130, -signal.SIGINT, 0 if re.search("vpcflow (serve|grafana try)", text) else 130)
    else:
        judges = re.search(r"vpcflow (detect|hunt|watch|correlate|manifest verify|advise|rules run|enable audit|health|sg (?:usage|propose|check|block))", text)
        expected = (0, 1, 3) if "vpcflow audit" in text else (0, 1) if judges else (0,)
        assert process.returncode in expected, err
        assert not follows, err
    assert "Traceback" not in err
    assert "syntax error" not in err
    assert out or err or re.search("watch|completion", text)
