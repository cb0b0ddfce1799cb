"""Who asked what, in the file that VPCFLOW_AUDIT_LOG names: a line a command, no secret, closed when it fails."""

import json
import os
import pwd

import pytest

import vpcflow.cli
from conftest import HEADER, line
from test_schemas import table


@pytest.fixture
def log(tmp_path, monkeypatch):
    monkeypatch.setenv("VPCFLOW_AUDIT_LOG", str(tmp_path / "audit.jsonl"))
    (tmp_path / "a.log").write_bytes(HEADER + line() * 3)
    return tmp_path / "audit.jsonl"


def rows(log):
    return [json.loads(row) for row in log.read_text().splitlines()]


def test_a_line_a_command(log, tmp_path, capsys):
    source = str(tmp_path / "a.log")
    assert vpcflow.cli.main(["summary", source]) == 0
    assert vpcflow.cli.main(["top", source, "--by", "srcaddr", "--where", "dstport = 22"]) == 0
    assert vpcflow.cli.main(["summary", str(tmp_path / "none.log")]) == 2
    with pytest.raises(SystemExit):
        vpcflow.cli.main(["top", source, "--no-such-option"])
    first, second, third, fourth = rows(log)
    assert (first["command"], first["sources"], first["records"], first["exit"]) == ("summary", [source], 3, 0)
    assert (first["user"], first["uid"]) == (pwd.getpwuid(os.getuid()).pw_name, os.getuid())
    assert second["argv"] == ["top", source, "--by", "srcaddr", "--where", "dstport = 22"]
    assert (third["records"], third["exit"]) == (None, 2)
    assert (fourth["command"], fourth["exit"]) == (None, 2)
    assert all(list(row) == [name for name, *_ in table("Audit log")] for row in rows(log))
    assert log.stat().st_mode & 0o777 == 0o600
    assert first["time"].endswith("+00:00")


def test_it_is_off_without_the_variable(log, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("VPCFLOW_AUDIT_LOG")
    assert vpcflow.cli.main(["summary", str(tmp_path / "a.log")]) == 0
    assert not log.exists()


def test_it_fails_closed(log, tmp_path, monkeypatch, capsys):
    """Nothing is read if no line can be written, and a line that cannot be written at the end is an error."""
    source = str(tmp_path / "a.log")
    monkeypatch.setenv("VPCFLOW_AUDIT_LOG", str(tmp_path / "no" / "audit.jsonl"))
    assert vpcflow.cli.main(["summary", source]) == 2
    shown = capsys.readouterr()
    assert (shown.out, "VPCFLOW_AUDIT_LOG" in shown.err) == ("", True)
    monkeypatch.setenv("VPCFLOW_AUDIT_LOG", "/dev/full")
    assert vpcflow.cli.main(["summary", source]) == 2
    assert "No space left" in capsys.readouterr().err


SECRET = "hunter2canary"


@pytest.mark.parametrize(
    "argv",
    [
        ["watch", "logs/", "--notify", f"https://user:{SECRET}@hooks.example.com/{SECRET}?key={SECRET}"],
        ["watch", "logs/", f"--notify=https://hooks.example.com/{SECRET}"],
        ["watch", "logs/", "--notify", f"slack://{SECRET}/b/c"],
        ["watch", "logs/", "--notify", f"alertmanager+http://:{SECRET}@host/a"],
        ["watch", f"kafka://user:{SECRET}@host/topic"],
        ["top", "s3://logs", "--external-id", SECRET],
        ["top", "s3://logs", f"--external-id={SECRET}"],
        ["top", "s3://logs", "--endpoint-url", f"http://a:{SECRET}@127.0.0.1:1/"],
        ["top", "s3://logs", "--some-token", SECRET],
    ],
)
def test_no_secret_is_written(log, argv, capsys):
    from vpcflow.cli._audit_log import AuditLog

    written = AuditLog(str(log), argv)
    written.write(0)
    assert SECRET not in log.read_text()
    assert rows(log)[0]["argv"][0] == argv[0]
