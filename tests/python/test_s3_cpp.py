"""The C++ library for S3 against servers: one that checks signatures, where it is built, and moto, which does not."""

import gzip
import os
import subprocess

import pytest

from aws_servers import environment, moto, versitygw
from conftest import ROOT

PROGRAM = ROOT / "build" / "cmake" / "examples" / "cpp" / "example_s3"
LINE = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 443 40000 6 2 120 1418530010 1418530070 ACCEPT OK\n"


@pytest.fixture(params=["moto", "versitygw"])
def server(request, tmp_path):
    if not PROGRAM.exists():
        pytest.skip("no example_s3: built by make test")
    started = moto() if request.param == "moto" else versitygw(tmp_path)
    yield started
    started.close()


def run(server, *words, **variables):
    env = {**{k: v for k, v in os.environ.items() if not k.startswith("AWS_")}, **environment(server.url), **variables}
    return subprocess.run([PROGRAM, *words], env=env, capture_output=True, text=True, timeout=60)


def test_objects_are_listed_signed_and_read(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="logs")
    for n, key in enumerate(
        ["AWSLogs/a b+c/1.log.gz", "AWSLogs/a b+c/ä&é=?.log.gz", "AWSLogs/x/~2.log.gz", "other/3.log.gz"]
    ):
        s3.put_object(Bucket="logs", Key=key, Body=gzip.compress((LINE * (n + 1)).encode()))
    done = run(server, "logs", "AWSLogs/")
    assert (done.returncode, done.stdout) == (0, "3 objects, 6 records, 720 bytes\n"), done.stderr
    assert run(server, "logs", "AWSLogs/a b+c/").stdout == "2 objects, 3 records, 360 bytes\n"
    gone = run(server, "nowhere-at-all")
    assert (gone.returncode, "no such bucket" in gone.stderr) == (2, True), gone.stderr


def test_a_large_object_comes_in_ranges(server):
    s3 = server.client("s3")
    s3.create_bucket(Bucket="logs")
    lines = 250_000  # 22 MB: three ranges
    s3.put_object(Bucket="logs", Key="large.log", Body=(LINE * lines).encode())
    done = run(server, "logs", "large")
    assert done.stdout == f"1 objects, {lines} records, {lines * 120} bytes\n", done.stderr


def test_wrong_keys_are_said(server, request):
    if "moto" in request.node.name:
        pytest.skip("moto takes any key")
    server.client("s3").create_bucket(Bucket="logs")
    done = run(server, "logs", AWS_SECRET_ACCESS_KEY="wrong")
    assert done.returncode == 2
    assert "secret key does not match" in done.stderr
