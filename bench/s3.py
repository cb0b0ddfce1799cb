"""What reading from S3 costs, beside fetching alone and scanning the same files: one run, a real server of S3 (versitygw,
tools/servers.sh build/servers all) on loopback.

    python bench/s3.py [--objects 64] [--small 10000]

Prints the least of several runs, taken in turns. `ours / slower` is the scan of the bucket over the slower of fetching
alone and scanning local files. With 20 ms added to each request it is beside file objects that read 64 KiB at a call.
"""

import argparse
import concurrent.futures
import contextlib
import gzip
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import vpcflow as vf

ROOT = Path(__file__).resolve().parents[1]
SERVER = ROOT / "build" / "servers" / "bin" / "versitygw"
ACCESS, SECRET = "AKIDBENCH", "benchsecretkey"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def served(folder):
    port = free_port()
    for name in ("root", "beside"):
        (folder / name).mkdir()
    own = {**os.environ, "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    command = [
        str(SERVER),
        "--port",
        f"127.0.0.1:{port}",
        "posix",
        "--sidecar",
        str(folder / "beside"),
        str(folder / "root"),
    ]
    process = subprocess.Popen(command, env=own, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


class Slow:
    """A relay that adds a pause to each request. Counts those under way."""

    def __init__(self, port, pause):
        self._port, self._pause = port, pause
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.connections = self.most = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            client, _ = self._listener.accept()
            server = socket.create_connection(("127.0.0.1", self._port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self.most = max(self.most, self.connections)
            threading.Thread(target=self._relay, args=(client, server, self._pause, True), daemon=True).start()
            threading.Thread(target=self._relay, args=(server, client, 0, False), daemon=True).start()

    def _relay(self, source, target, pause, first):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 18):
                if pause:
                    time.sleep(pause)
                target.sendall(data)
        if first:
            self.connections -= 1
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Ranges:
    """A file object over S3, as programs without s3:// have it: each read(size) is a request."""

    def __init__(self, client, bucket, key, size):
        self._client, self._bucket, self._key, self._size, self._place = client, bucket, key, size, 0
        self.name = key

    def seekable(self):
        return True

    def tell(self):
        return self._place

    def seek(self, place, whence=0):
        self._place = place + (0, self._place, self._size)[whence]
        return self._place

    def read(self, size=-1):
        end = self._size if size < 0 else min(self._place + size, self._size)
        if end <= self._place:
            return b""
        own = {"Bucket": self._bucket, "Key": self._key, "Range": f"bytes={self._place}-{end - 1}"}
        data = self._client.get_object(**own)["Body"].read()
        self._place += len(data)
        return data


def question(data):
    return vf.scan(data).group_by("dstport").agg(bytes=vf.sum("bytes"), n=vf.count())


def best(jobs, runs):
    """The least seconds of each job, and the user CPU seconds of that run, taken in turns."""
    out = {}
    for _ in range(runs):
        for name, job in jobs.items():
            cpu, began = resource.getrusage(resource.RUSAGE_SELF).ru_utime, time.perf_counter()
            job()
            took = time.perf_counter() - began
            used = resource.getrusage(resource.RUSAGE_SELF).ru_utime - cpu
            out[name] = min(out.get(name, (took, used)), (took, used))
    return out


def fetch_alone(prefix, threads):
    """Plain obstore: one listing, and each object by a thread of a pool, as fast as they come."""
    import obstore
    from obstore.store import S3Store

    bucket, _, folder = prefix.removeprefix("s3://").partition("/")
    store = S3Store(
        bucket,
        endpoint=os.environ["AWS_ENDPOINT_URL"],
        access_key_id=ACCESS,
        secret_access_key=SECRET,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    names = [entry["path"] for page in obstore.list(store, folder) for entry in page]
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda name: len(obstore.get(store, name).bytes()), names))


def duckdb_of(prefix):
    """By httpfs: the package duckdb-extension-httpfs has it for the duckdb that it names; where it is not, by s3fs."""
    import duckdb

    db = duckdb.connect()
    host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    try:
        import duckdb_extension_httpfs

        (extension,) = Path(duckdb_extension_httpfs.__path__[0]).rglob("httpfs.duckdb_extension")
        db.execute(f"load '{extension}'")
        db.execute(
            f"create secret (type s3, key_id '{ACCESS}', secret '{SECRET}', endpoint '{host}', use_ssl false, url_style 'path')"
        )
    except ImportError:
        import s3fs

        own = {"endpoint_url": os.environ["AWS_ENDPOINT_URL"]}
        db.register_filesystem(s3fs.S3FileSystem(key=ACCESS, secret=SECRET, client_kwargs=own))
    columns = ", ".join(f"'{name}': 'VARCHAR'" for name in HEADER.split())
    return db.execute(
        f"select dstport, sum(try_cast(bytes as bigint)), count(*) from read_csv('{prefix}**/*.log.gz', delim=' ', "
        f"header=true, nullstr='-', columns={{{columns}}}) group by 1"
    ).fetchall()


def polars_of(prefix):
    import polars as pl

    names = HEADER.split()
    options = {
        "endpoint_url": os.environ["AWS_ENDPOINT_URL"],
        "aws_access_key_id": ACCESS,
        "aws_secret_access_key": SECRET,
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    frame = pl.scan_csv(
        f"{prefix}**/*.log.gz",
        separator=" ",
        storage_options=options,
        null_values="-",
        infer_schema_length=0,
        new_columns=names,
    )
    return frame.group_by("dstport").agg(pl.col("bytes").cast(pl.Int64).sum(), pl.len()).collect()


HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)


def put(client, local, key, data):
    client.put_object(Bucket="bench", Key=key, Body=data)
    path = local / key.replace("/", "_")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def show(title, times, size):
    print(title)
    for name, (took, used) in times.items():
        print(f"  {name:28} {took:7.3f} s  {size / took / 1e6:8.0f} MB/s stored   {used:6.2f} s user")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=64)
    parser.add_argument("--small", type=int, default=10000)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    if not SERVER.exists():
        sys.exit("no versitygw: tools/servers.sh build/servers all")
    import boto3

    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as port:
        folder = Path(folder)
        os.environ.update(
            AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
            AWS_ACCESS_KEY_ID=ACCESS,
            AWS_SECRET_ACCESS_KEY=SECRET,
            AWS_REGION="us-east-1",
            AWS_EC2_METADATA_DISABLED="true",
        )
        client = boto3.Session().client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="bench")
        for n in range(args.objects):
            data = gzip.compress(vf.synth(22000, seed=n).data, 6)
            put(
                client,
                folder / "logs",
                f"logs/AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/23/123456789010_vpcflowlogs_us-east-1_fl-1_20261123T0605Z_{n:08x}.log.gz",
                data,
            )
        size = sum(path.stat().st_size for path in (folder / "logs").iterdir())
        wanted = question(folder / "logs").collect().rows()
        jobs = {
            f"fetch alone, {threads} at once": lambda threads=threads: fetch_alone("s3://bench/logs/", threads)
            for threads in (8, 32)
        }
        jobs |= {
            "scan local files": lambda: question(folder / "logs").collect(),
            "scan s3://": lambda: question("s3://bench/logs/").collect(),
        }
        assert question("s3://bench/logs/").collect().rows() == wanted
        least = sum(row["n"] for row in wanted)
        others = {
            "polars scan_csv s3://": (polars_of, lambda frame: sum(frame["len"])),
            "duckdb read_csv s3://": (duckdb_of, lambda rows: sum(row[2] for row in rows)),
        }
        for name, (other, records) in others.items():
            try:
                assert records(other("s3://bench/logs/")) >= least
                jobs[name] = lambda other=other: other("s3://bench/logs/")
            except Exception as error:
                print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0][:150]}")
        times = best(jobs, args.runs)
        show(f"{args.objects} objects, {size / 1e6:.1f} MB", times, size)
        fetching = min(took for name, (took, _) in times.items() if name.startswith("fetch"))
        slower = max(fetching, times["scan local files"][0])
        print(f"  ours / slower {times['scan s3://'][0] / slower:.2f}")

        slow = Slow(port, 0.02)
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{slow.port}"
        listed = client.list_objects_v2(Bucket="bench", Prefix="logs/")["Contents"][:20]
        far = boto3.Session().client("s3", region_name="us-east-1")
        files = lambda: question([Ranges(far, "bench", o["Key"], o["Size"]) for o in listed]).collect()  # noqa: E731
        part = [f"s3://bench/{o['Key']}" for o in listed]
        prefix = part[0].rsplit("_", 1)[0] + "_0000000" if len(listed) >= 16 else "s3://bench/logs/"
        times = best(
            {"file objects, 20 ms": files, "s3://, 20 ms": lambda: question(f"{prefix}*").collect()}, args.runs
        )
        read = len(vf.scan(f"{prefix}*")._sources)
        each = times["file objects, 20 ms"][0] / len(listed), times["s3://, 20 ms"][0] / read
        show(f"20 ms added to each request: {len(listed)} file objects, {read} objects by s3://", times, 0)
        print(f"  an object: {each[0] * 1000:.1f} ms and {each[1] * 1000:.1f} ms, {each[0] / each[1]:.1f} times")

        body = gzip.compress(
            (
                HEADER
                + "\n"
                + "2 123456789010 eni-1 10.0.0.1 10.0.0.9 40000 22 6 10 40 1795392000 1795392060 ACCEPT OK\n" * 20
            ).encode()
        )
        # VmHWM, as ru_maxrss of a child begins with that of its parent
        code = "import re, sys, time, vpcflow as vf; t = time.perf_counter(); n = vf.scan(sys.argv[1], duplicates='all').agg(n=vf.count()).collect()['n'][0]; print(n, time.perf_counter() - t, int(re.search('VmHWM: *([0-9]+)', open('/proc/self/status').read().replace(chr(9), ' '))[1]) // 1024)"
        for many in (args.small // 10, args.small):
            for n in range(many):
                client.put_object(
                    Bucket="bench",
                    Key=f"small{many}/AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/23/123456789010_vpcflowlogs_us-east-1_fl-1_20261123T0605Z_{n:08x}.log.gz",
                    Body=body,
                )
            relay = Slow(port, 0)  # counts, and costs more than the rest
            answers = [
                subprocess.run(
                    [sys.executable, "-c", code, f"s3://bench/small{many}/"],
                    capture_output=True,
                    text=True,
                    check=True,
                    env={**os.environ, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{at}"},
                ).stdout.split()
                for at in (port, relay.port)
            ]
            n, took, rss = answers[0]
            print(
                f"{many:,} small objects: {int(n):,} records in {float(took):.1f} s, {rss} MiB resident at the most, "
                f"{relay.most} connections at once"
            )


if __name__ == "__main__":
    main()
