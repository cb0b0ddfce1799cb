"""The tutorial of a new user with an empty account, block by block, on a stand-in of AWS."""

import io
import re
import runpy
import shlex
import sys

import pytest

from aws_servers import environment, moto
from conftest import ROOT
from vpcflow import cli

boto3 = pytest.importorskip("boto3")
PAGE = ROOT / "docs" / "tutorial" / "aws.md"
CODES = [0, 1, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1, 0, 1, 0]  # of the commands, in order


def plain(text):
    """A screen without what differs from run to run."""
    text = re.sub(r"\b(vpc|fl)-[0-9a-f]{8,}", r"\1-", text)
    return re.sub(r"\d[-\d.,:]*\d", "#", text)  # times, addresses, amounts


def screen(words, monkeypatch):
    """What a command shows on a terminal, and its exit code."""
    shown = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    with monkeypatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, shown)
        patch.setattr(sys, "argv", words[1:])
        code = 0
        if words[0] == "python":
            runpy.run_path(words[1])
        else:
            code = cli.main(words[1:])
        shown.flush()
    return shown.buffer.getvalue().decode(), code


def test_the_page_is_what_comes(tmp_path, monkeypatch):
    """Three dots stand for any lines."""
    loader = pytest.importorskip("botocore.loaders").Loader()  # the models of the services are read once
    monkeypatch.setattr("botocore.session.create_loader", lambda *args: loader)
    monkeypatch.chdir(tmp_path)
    server = moto()
    try:
        for name, value in {**environment(server.url), "AWS_DEFAULT_REGION": "us-east-1"}.items():
            monkeypatch.setenv(name, value)
        codes, vpc = iter(CODES), ""
        for kind, block in re.findall(r"^```(py|console)\n(.*?)^```", PAGE.read_text(), re.M | re.S):
            if kind == "py":
                (tmp_path / re.match(r"# (\S+)\n", block)[1]).write_text(block)
                continue
            for one in re.split(r"^\$ ", block, flags=re.M)[1:]:
                command, *lines = one.splitlines()
                shown, code = screen(shlex.split(re.sub(r"vpc-\w+", vpc, command) if vpc else command), monkeypatch)
                vpc = vpc or shown.strip()
                parts = [re.escape(plain(line)) + r" *\n" if line != "..." else r"(?:.*\n)*?" for line in lines]
                assert re.fullmatch("".join(parts), plain(shown)), f"{command}\n{shown}"
                assert code == next(codes), command
        assert next(codes, None) is None
    finally:
        server.close()
