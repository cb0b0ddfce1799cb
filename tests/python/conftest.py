"""What the Python tests share."""

import dataclasses
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import vpcflow as vf
from vpcflow.query.flows import Flows

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "examples" / "data" / "sample.log.gz"
LONG = bool(os.environ.get("VPCFLOW_LONG"))  # make soak
HEADER = b"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"

signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell runs in the background ignores it, with all its children

settings.register_profile(
    "vpcflow",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    print_blob=True,
)
settings.load_profile("vpcflow")


def line(src="10.0.0.1", dstport=22, size=40, start=1000, end=1060, action="ACCEPT", status="OK"):
    """A line of the default format."""
    text = f"2 123456789010 eni-1 {src} 10.0.0.9 40000 {dstport} 6 10 {size} {start} {end} {action} {status}\n"
    return text.encode()


def run_cli(*args, stdin=b"", check=None, cwd=None):
    """Runs the command line; returns the completed process."""
    done = subprocess.run(
        [sys.executable, "-m", "vpcflow", *map(str, args)], input=stdin, capture_output=True, timeout=120, cwd=cwd
    )
    if check is not None:
        assert done.returncode == check, done.stderr.decode() + done.stdout.decode()
    return done


@pytest.fixture
def quiet():
    """Rejects are expected: no warning about them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vf.DataQualityWarning)
        yield


def corpora():
    """The folder of logs written by others, or None. It is not part of this repository."""
    for base in (os.environ.get("VPCFLOW_CORPORA"), ROOT.parent / "shared" / "corpora"):
        if base and Path(base).is_dir():
            return Path(base)
    return None


@pytest.fixture
def corpus():
    folder = corpora()
    if folder is None:
        pytest.skip("the logs of other projects are not here (set VPCFLOW_CORPORA)")
    return folder


def with_options(flows, **options):
    """The query with options of the engine that scan() does not have."""
    logs = dataclasses.replace(flows._logs, options=flows._options.replace(**options))
    return Flows(logs, flows._spec, flows._filters)
