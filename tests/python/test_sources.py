"""What can be scanned: file objects, streams, lines, folders; what is read once, and what is said of the rest."""

import contextlib
import gzip
import io
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

import pytest

import vpcflow as vf

HEADER = b"srcaddr bytes\n"
LOG = HEADER + b"10.0.0.12 12345678\n" * 20_000
WANTED = [{"srcaddr": "10.0.0.12", "n": 20_000, "lo": 12345678}]


def ask(flows):
    return flows.group_by("srcaddr").agg(n=vf.count(), lo=vf.min("bytes")).collect().rows()


class Once:
    """Something with read() alone."""

    def __init__(self, data=LOG, step=1 << 20):
        self._data, self._step = io.BytesIO(data), step

    def read(self, size):
        return self._data.read(min(size, self._step))


@pytest.fixture
def closing():
    """Closes at the end what is given to it."""
    with contextlib.ExitStack() as stack:
        yield lambda file: file if not hasattr(file, "close") else stack.enter_context(contextlib.closing(file))


def pipe(data=LOG):
    read, write = os.pipe()

    def fill():
        with contextlib.suppress(BrokenPipeError), os.fdopen(write, "wb") as out:
            out.write(data)

    threading.Thread(target=fill, daemon=True).start()
    return os.fdopen(read, "rb")


def connection(data=LOG):
    here, there = socket.socketpair()

    def fill():
        with contextlib.suppress(OSError), there:
            there.sendall(data)

    threading.Thread(target=fill, daemon=True).start()
    with here:
        return here.makefile("rb")


def generated(data=LOG):
    yield from data.splitlines()


READ_ONCE = {
    "read": Once,
    "small steps": lambda: Once(step=997),
    "gz": lambda: Once(gzip.compress(LOG)),
    "pipe": pipe,
    "socket": connection,
    "generator": generated,
    "text pipe": lambda: io.TextIOWrapper(pipe()),
}


@pytest.mark.parametrize("what", READ_ONCE)
def test_a_second_read_of_what_is_read_once_is_an_error(what, closing):
    flows = vf.scan(closing(READ_ONCE[what]()))
    assert flows.columns == flows.columns == ["srcaddr", "bytes"]
    assert flows.format == "${srcaddr} ${bytes}"
    assert ask(flows) == WANTED
    for query in (ask, lambda f: f.head(1).collect(), lambda f: list(f.batches()), lambda f: f.coverage()):
        with pytest.raises(
            vf.SourceError, match=r": this stream was already read; read it into bytes, or scan it once"
        ):
            query(flows)
    assert flows.columns == ["srcaddr", "bytes"]
    assert repr(flows).startswith("<Flows")
    assert "srcaddr" in flows.explain()


@pytest.mark.parametrize("what", READ_ONCE)
def test_a_part_of_what_is_read_once_is_all_of_it(what, closing):
    flows = vf.scan(closing(READ_ONCE[what]()))
    assert len(flows.head(1).collect()) == 1
    with pytest.raises(vf.SourceError, match="already read"):
        ask(flows)


def test_looking_after_a_read_that_nobody_looked_at_before():
    flows = vf.scan(Once())
    assert ask(flows) == WANTED
    assert flows.format == "${srcaddr} ${bytes}"


@pytest.mark.parametrize("looks", [False, True])
def test_four_threads_on_one_stream(looks):
    flows = vf.scan(Once())
    answers = []

    def work():
        try:
            answers.append((looks and flows.columns and None) or ask(flows))
        except vf.SourceError as error:
            answers.append(str(error))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(WANTED) == 1
    assert sum("already read" in str(answer) for answer in answers) == 3


def spooled(tmp_path):
    file = tempfile.SpooledTemporaryFile(max_size=1 << 10)  # noqa: SIM115
    file.write(LOG)
    file.seek(0)
    return file


def on_disk(tmp_path, mode="rb", **options):
    path = tmp_path / "flow.log"
    path.write_bytes(LOG)
    return open(path, mode, **options)


def packed(tmp_path):
    path = tmp_path / "flow.log.gz"
    path.write_bytes(gzip.compress(LOG))
    return gzip.open(path)


def zipped(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("flow.log", LOG)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        return archive.open("flow.log")


AGAIN = {
    "BytesIO": lambda tmp_path: io.BytesIO(LOG),
    "file": on_disk,
    "unbuffered": lambda tmp_path: on_disk(tmp_path, buffering=0),
    "read and write": lambda tmp_path: on_disk(tmp_path, "r+b"),
    "text": lambda tmp_path: on_disk(tmp_path, "r"),
    "gzip": packed,
    "zip": zipped,
    "spooled": spooled,
    "list of lines": lambda tmp_path: LOG.splitlines(),
}


@pytest.mark.parametrize("what", AGAIN)
def test_what_can_be_moved_is_read_again(what, tmp_path, closing):
    flows = vf.scan(closing(AGAIN[what](tmp_path)))
    assert len(flows.head(1).collect()) == 1
    assert flows.columns == ["srcaddr", "bytes"]
    for _ in range(3):
        assert ask(flows) == WANTED
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(flows))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [WANTED] * 4


def test_two_scans_of_one_file_object():
    file = io.BytesIO(LOG)
    scans = [vf.scan(file) for _ in range(4)]
    answers = []
    threads = [threading.Thread(target=lambda flows=flows: answers.append(ask(flows))) for flows in scans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [WANTED] * 4


@pytest.mark.parametrize("mode", ["rb", "r"])
def test_a_file_is_read_from_where_it_stood(tmp_path, mode):
    path = tmp_path / "flow.log"
    path.write_bytes(b"not a flow log\n" + LOG)
    with open(path, mode) as file:
        file.readline()
        flows = vf.scan(file)
        file.seek(0)
        assert ask(flows) == WANTED
        assert ask(flows) == WANTED


def test_a_text_file_whose_lines_are_iterated(tmp_path):
    with on_disk(tmp_path, "r") as file:
        next(file)
        with pytest.raises(vf.SourceError, match="binary mode"):
            vf.scan(file)


def test_lines_read_before_a_pipe_is_scanned_are_gone_and_no_more(closing):
    file = closing(pipe(b"not a flow log\n" + LOG))
    file.readline()  # reads ahead
    assert ask(vf.scan(file)) == WANTED


def test_a_closed_file():
    file = io.BytesIO(LOG)
    flows = vf.scan(file)
    file.close()
    with pytest.raises(vf.SourceError, match="closed"):
        ask(flows)


class Gives(Once):
    def __init__(self, what):
        self._what = what

    def read(self, size):
        if isinstance(self._what, Exception):
            raise self._what
        return self._what(size) if callable(self._what) else self._what


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("text", r"<stream>: read\(\) returned str; bytes are needed: open the file in binary mode"),
        (None, r"<stream>: read\(\) returned None; a stream is needed that waits for its data"),
        (7, r"<stream>: read\(\) returned int; bytes are needed"),
        (lambda size: b"x" * (size + 1), r"<stream>: read\(\) returned [0-9,]+ bytes; at most the [0-9,]+ asked for"),
        (OSError(5, "torn"), "torn"),
    ],
)
def test_a_read_that_is_none(what, said):
    for query in (lambda f: f.agg(n=vf.count()).collect(), lambda f: f.format):
        with pytest.raises(vf.SourceError, match=said):
            query(vf.scan(Gives(what)))
    with pytest.raises(vf.SourceError, match="binary mode"):
        vf.scan(io.StringIO(LOG.decode())).agg(n=vf.count()).collect()


@pytest.mark.parametrize("what", [None, 7, 1.5, {"a": 1}, object(), [1], iter([1, 2]), (n for n in (None,))])
def test_what_cannot_be_scanned_is_named(what):
    with pytest.raises(TypeError, match=r"cannot scan .*: give a path, folder or pattern, bytes, a file object"):
        vf.scan(what)


def test_a_line_of_another_type_is_named():
    with pytest.raises(vf.SourceError, match="<lines>: line 3 is of type int; lines are str or bytes"):
        ask(vf.scan(line if line else 3 for line in ("srcaddr bytes", "10.0.0.1 4", "")))


def test_everything_together(tmp_path, monkeypatch, closing):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("a.log").write_bytes(LOG)
    pathlib.Path("b.log").write_bytes(LOG + b"10.0.0.12 12345678\n")
    for data, n in (
        (["a.log", HEADER + b"10.0.0.12 12345678\n", io.BytesIO(LOG)], 40_001),
        ([pathlib.Path("a.log"), "b.log"], 40_001),
        (pathlib.Path().glob("*.log"), 40_001),
        (iter(["a.log", "b.log"]), 40_001),
        ((closing(io.FileIO(name)) for name in ("a.log", "b.log")), 40_001),
        (pathlib.Path("a.log"), 20_000),
        (["srcaddr bytes\n", "10.0.0.12 12345678\n"], 1),
        (iter(["", "srcaddr bytes", "10.0.0.12 12345678"]), 1),
        (['{"srcaddr":"10.0.0.12","dstaddr":"10.0.0.13","bytes":12345678}'], 1),
        ([LOG.decode().splitlines()], 20_000),
    ):
        assert vf.scan(data).agg(n=vf.count()).collect()["n"] == [n]


WAITING = """
import os, socket, sys, vpcflow as vf
read, write = os.pipe()
os.write(write, b"srcaddr bytes\\n" + b"10.0.0.12 12345678\\n" * 10)
def lines():
    yield b"srcaddr bytes"
    os.fdopen(read, "rb").read()
a, b = socket.socketpair()
data = {SOURCE}
print("ready", flush=True)
try:
    {QUERY}
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
SOURCES = {
    "pipe": 'os.fdopen(read, "rb")',
    "unbuffered": 'os.fdopen(read, "rb", 0)',
    "text": 'os.fdopen(read, "r")',
    "standard input": "sys.stdin.buffer",
    "dash": '"-"',
    "generator": "lines()",
    "socket": 'a.makefile("rb")',
    "object": "type('Read', (), {'read': lambda self, n: os.read(read, n)})()",
    "named": 'f"/dev/fd/{read}"',
}
QUERIES = {
    "collect": "vf.scan(data).group_by('srcaddr').agg(n=vf.count()).collect()",
    "columns": "vf.scan(data).columns",
    "batches": "list(vf.scan(data).select('srcaddr').batches())",
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("query", QUERIES)
def test_ctrl_c_ends_a_scan_whose_read_waits(source, query):
    code = WAITING.replace("{SOURCE}", SOURCES[source]).replace("{QUERY}", QUERIES[query])
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=10) == 0, process.stderr.read()  # nothing keeps the process
    assert process.stdout.read() == b"interrupted\n"
    assert process.stderr.read() == b""
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()


def test_a_folder_says_what_was_not_read(tmp_path):
    trail = tmp_path / "AWSLogs/123456789010/CloudTrail/us-east-1/2026/11/23"
    trail.mkdir(parents=True)
    (trail / "123456789010_CloudTrail_us-east-1_20261123T0605Z_x.json.gz").write_bytes(
        gzip.compress(b'{"Records": []}')
    )
    (tmp_path / "a.log").write_bytes(LOG)
    (tmp_path / "results.json").write_bytes(b'{"srcaddr": "10.0.0.12", "dstaddr": "10.0.0.13", "bytes": 12345678}')
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.4\n")
    said = "2 files of this folder were not read: 1 of CloudTrail (123456789010_CloudTrail_us-east-1_20261123T0605Z_x.json.gz), 1 without"
    with pytest.warns(vf.DataQualityWarning, match="files of this folder were not read"):
        result = vf.scan(str(tmp_path)).agg(n=vf.count()).collect()
    assert result["n"] == [20_001]
    assert said in result.report.warnings[0]
    ran = subprocess.run(
        [sys.executable, "-m", "vpcflow", "top", str(tmp_path), "--by", "srcaddr"], capture_output=True, text=True
    )
    assert ran.returncode == 0
    assert f"note: {tmp_path}: {said}" in ran.stderr
    with pytest.raises(
        vf.SourceNotFoundError,
        match=r"no flow logs in this folder\n.*1 file of this folder was not read: 1 of CloudTrail",
    ):
        vf.scan(tmp_path / "AWSLogs")


def test_parquet_without_ending_and_in_memory(tmp_path):
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"srcaddr": ["10.0.0.1"], "dstaddr": ["10.0.0.2"], "bytes": [5]})
    parquet.write_table(table, tmp_path / "20261123_060500_00001_abcde")
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    with pytest.warns(vf.DataQualityWarning, match="x.pdf"):
        assert vf.scan(tmp_path).agg(n=vf.sum("bytes")).collect()["n"] == [5]
    with open(tmp_path / "20261123_060500_00001_abcde", "rb") as file:
        flows = vf.scan(io.BytesIO(file.read()))
        for _ in range(2):
            assert flows.agg(n=vf.sum("bytes")).collect()["n"] == [5]


def test_partitions_choose_objects(tmp_path):
    for region in ("us-east-1", "eu-west-1"):
        for day in (1, 23):
            folder = tmp_path / f"region={region}/year=2026/month=11/day={day}"
            folder.mkdir(parents=True)
            (folder / "part-0.log").write_bytes(HEADER + f"10.0.{len(region)}.{day} 5\n".encode())
    rows = vf.scan(tmp_path, region="us-east-1").select("srcaddr").collect()["srcaddr"]
    assert sorted(rows) == ["10.0.9.1", "10.0.9.23"]
    flows = vf.scan(tmp_path, region=["eu-west-1"], start="2026-11-20", end="2026-11-24")
    assert [os.path.basename(os.path.dirname(source.name)) for source in flows._sources] == ["day=23"]
