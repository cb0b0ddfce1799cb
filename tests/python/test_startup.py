"""What a short command loads: a prompt waits for nothing that it does not use."""

import subprocess
import sys

import pytest

from conftest import SAMPLE

HEAVY = {"numpy", "pandas", "polars", "pyarrow", "duckdb", "matplotlib", "rich", "tqdm", "yaml", "maxminddb", "apprise"}


def loaded(*args):
    """The modules that a command line loads."""
    code = "import sys; from vpcflow.cli import main; code = main(sys.argv[1:]); print(*sys.modules, file=sys.stderr); sys.exit(code)"
    done = subprocess.run([sys.executable, "-c", code, *map(str, args)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


def packages(modules):
    return {name for name in modules if name.count(".") == 1 and name.startswith("vpcflow.")}


def test_the_version_loads_the_engine_and_no_parser():
    modules = loaded("--version")
    assert not modules & (HEAVY | {"argparse", "dataclasses", "html", "json", "shutil", "importlib.metadata"})
    assert packages(modules) == {"vpcflow._core", "vpcflow._display", "vpcflow.cli", "vpcflow.errors", "vpcflow.typing"}


@pytest.mark.parametrize("command", ["summary", "top", "head"])
def test_a_command_loads_neither_the_others_nor_heavy_packages(command):
    modules = loaded(command, SAMPLE)
    assert not modules & (HEAVY | {"secrets", "sqlite3", "asyncio", "urllib.request"})
    assert not packages(modules) & {"vpcflow.detect", "vpcflow.rules", "vpcflow.watch", "vpcflow.alerts", "vpcflow.synthetic"}
    others = {"vpcflow.cli.summary", "vpcflow.cli.top", "vpcflow.cli.head", "vpcflow.cli.detect", "vpcflow.cli.watch"}
    assert modules & others == {f"vpcflow.cli.{command}"}


def test_the_package_loads_its_names_late():
    code = "import sys, vpcflow; vpcflow.__name__; hasattr(vpcflow, '_private'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert packages(set(done.stdout.split())) == {"vpcflow._core"}
