"""Servers that speak AWS's protocols, on loopback and free ports: moto, and those of tools/servers.sh."""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from conftest import ROOT

SERVERS = ROOT / "build" / "servers"
ACCESS, SECRET = "AKIDCANARY", "wJalrCANARYsecretCANARYkey"
ELASTICMQ = """
include classpath("reference.conf")
node-address {{ protocol = http, host = "127.0.0.1", port = {port}, context-path = "" }}
rest-sqs {{ enabled = true, bind-port = {port}, bind-hostname = "127.0.0.1", sqs-limits = strict }}
rest-stats {{ enabled = false, bind-port = {other}, bind-hostname = "127.0.0.1" }}
generate-node-address = false
queues {{}}
queues-storage {{ enabled = false, path = "/dev/null" }}
messages-storage {{ enabled = false, uri = "jdbc:h2:mem:x", driver-class = "org.h2.Driver", username = "sa", password = "", prune-data-on-init = true }}
aws {{ region = us-east-1, accountId = 000000000000 }}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(url):
    """The variables by which a process finds the server, and nothing of the machine's own AWS."""
    out = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}
    none = os.devnull
    return {
        **out,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": none,
        "AWS_SHARED_CREDENTIALS_FILE": none,
    }


class Server:
    """A process that answers at `url`; ended by close()."""

    def __init__(self, command, port, seconds, **options):
        self.url = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
        end = time.monotonic() + seconds
        while not self._answers():
            if time.monotonic() > end or self._process.poll() is not None:
                self.close()
                pytest.skip(f"{command[0]} did not start within {seconds} s")
            time.sleep(0.02)

    def _answers(self):
        try:
            urllib.request.urlopen(self.url, timeout=1).close()
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False
        return True

    def close(self):
        self._process.terminate()
        self._process.wait(timeout=20)

    def client(self, service):
        import boto3

        session = boto3.Session(ACCESS, SECRET, region_name="us-east-1")
        return session.client(service, endpoint_url=self.url)


def moto():
    pytest.importorskip("moto")
    pytest.importorskip("flask")
    port = free_port()
    return Server([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], port, 30)


def versitygw(folder, events=None):
    """`events`: a URL that it posts its events to."""
    program = SERVERS / "bin" / "versitygw"
    if not program.exists():
        pytest.skip("no versitygw: tools/servers.sh build/servers all")
    port = free_port()
    for name in ("root", "beside"):
        (folder / name).mkdir()
    own = {**os.environ, "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    command = [
        str(program),
        "--port",
        f"127.0.0.1:{port}",
        *(["--event-webhook-url", events] if events else []),
        "posix",
        "--sidecar",
        str(folder / "beside"),
        str(folder / "root"),
    ]
    return Server(command, port, 20, env=own)


def opensearch(folder):
    """A node at a port that no other test run is likely to take in the same moment."""
    jars = SERVERS / "opensearch" / "lib"
    if not jars.is_dir() or shutil.which("java") is None:
        pytest.skip("no OpenSearch: tools/servers.sh build/servers all")
    ports = random.sample(range(9221, 9299), 78)  # the runner takes no others
    with contextlib.ExitStack() as stack:
        probes = [(stack.enter_context(socket.socket()), port) for port in ports]
        port = next(port for probe, port in probes if probe.connect_ex(("127.0.0.1", port)) != 0)
    java = ["java", "-Xmx1g", "-cp", f"{jars}/*", "org.codelibs.opensearch.runner.OpenSearchRunner"]
    # The first node listens one behind the base.
    return Server([*java, "-basePath", str(folder), "-numOfNode", "1", "-baseHttpPort", str(port - 1)], port, 180)


def elasticmq(folder):
    jars = SERVERS / "elasticmq" / "lib"
    if not jars.is_dir() or shutil.which("java") is None:
        pytest.skip("no ElasticMQ: tools/servers.sh build/servers")
    port = free_port()
    (folder / "queues.conf").write_text(ELASTICMQ.format(port=port, other=free_port()))
    command = [
        "java",
        "-XX:TieredStopAtLevel=1",
        f"-Dconfig.file={folder / 'queues.conf'}",
        "-cp",
        f"{jars}/*",
        "org.elasticmq.server.Main",
    ]
    return Server(command, port, 60)
