"""The threat model, where no other file has the test: what whoever writes logs, names or files can do."""

import gzip
import multiprocessing
import subprocess
import sys
import threading
import time

import pytest

import vpcflow as vf
from conftest import HEADER, line

MEASURE = """
import resource, sys, warnings
warnings.simplefilter("ignore")
import vpcflow as vf
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
vf.scan(b"srcaddr\\n10.0.0.1\\n").collect()
before = peak()
report = vf.scan(sys.argv[1], threads=1).agg(n=vf.count()).collect().report
print(peak() - before, report.rejected, report.records)
"""


def measured(path):
    """Growth of memory in MiB, rejects and records of a scan in a process of its own."""
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, check=True, timeout=300)
    growth, rejects, records = done.stdout.split()
    return float(growth), int(rejects), int(records)


def test_t1_gzip_bomb(tmp_path):
    """1 MiB that unpacks to 1 GiB without a line end, and 10,000 members: memory stays, and all is counted."""
    bomb = tmp_path / "bomb.gz"
    with gzip.GzipFile(bomb, "wb", 9) as out:
        out.write(HEADER + line())
        for _ in range(1024):
            out.write(b"0" * (1 << 20))
        out.write(b"\n" + line())
    assert bomb.stat().st_size < 2 << 20
    growth, rejects, records = measured(bomb)
    assert growth <= 32
    assert (rejects, records) == (1, 2)
    members = tmp_path / "members.gz"
    members.write_bytes(gzip.compress(HEADER) + gzip.compress(line()) * 10_000)
    growth, rejects, records = measured(members)
    assert growth <= 32
    assert (rejects, records) == (0, 10_000)


def test_t3_a_stream_without_line_ends(quiet):
    """A gigabyte without a line end: one reject, and nothing is held."""

    class Endless:
        left = 1 << 30

        def read(self, size):
            self.left -= size
            return b"x" * size if self.left > 0 else b""

    report = vf.scan([HEADER + line(), Endless()], format="default").agg(n=vf.count()).collect().report
    assert (report.records, report.rejects_by_reason) == (1, {"line-too-long": 1})


def test_t7_texts_that_are_no_utf8():
    pa = pytest.importorskip("pyarrow")
    texts = [bytes([a, b]) for a in range(128, 256) for b in range(128, 256)]
    texts += [b"eni-" + bytes([a]) for a in range(128, 256)]
    log = b"interface-id bytes\n" + b"".join(t + b" 1\n" for t in texts)
    table = vf.scan(log).to_arrow()
    table.validate(full=True)
    assert len(table) == len(texts)
    for raw, text in zip(texts, table["interface_id"].cast(pa.string()).to_pylist()):
        whole = raw.decode("utf-8", "replace")
        assert text == whole if "\ufffd" not in whole else "\ufffd" in text, raw


@pytest.mark.parametrize("change", ["append", "truncate", "rewrite"])
def test_t8_a_file_that_changes_while_it_is_read(tmp_path, change, quiet):
    """Reads go on for a while; whoever changes the file meanwhile makes the scan an error, not a result."""
    path = tmp_path / "a.log"
    data = HEADER + line() * 20_000
    path.write_bytes(data)
    seen = []

    def hurt():
        with path.open("r+b") as file:
            if change == "append":
                file.seek(0, 2)
                file.write(line())
            elif change == "truncate":
                file.truncate(len(data) // 2)
            else:
                file.seek(len(data) - 100)
                file.write(b"9" * 10)

    flows = vf.scan(path, threads=1)
    batches = flows.batches(100)
    seen.append(next(batches))  # the file is open, and its end not read
    time.sleep(0.02)
    hurt()
    with pytest.raises(vf.DataLossError, match="changed while it was read"):
        seen.extend(batches)
    assert vf.scan(path).agg(n=vf.count()).collect().report.sources == 1  # and later it is a file like any other


def test_t9_a_buffer_that_is_written_meanwhile():
    """Writable buffers are copied: threads that write do not reach the scan."""
    data = bytearray(HEADER + line() * 50_000)
    flows = vf.scan(data)
    stop = threading.Event()

    def write():
        at = len(HEADER)
        while not stop.is_set():
            data[at] ^= 0xFF
            at = len(HEADER) + (at * 7919) % (len(data) - len(HEADER))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(5):
            report = flows.agg(bytes=vf.sum("bytes")).collect().report
            assert (report.records, report.rejected) == (50_000, 0)
    finally:
        stop.set()
        thread.join()


def test_t11_no_text_is_run():
    """No eval, no exec; long and deep expressions are refused at once."""
    from pathlib import Path

    for path in Path(vf.__file__).parent.glob("*.py"):
        assert " eval(" not in path.read_text()
        assert " exec(" not in path.read_text()
    for expression in ("(" * 1000 + "bytes = 1" + ")" * 1000, " or ".join(["bytes = 1"] * 100_000)):
        began = time.monotonic()
        with pytest.raises(vf.FilterError):
            vf.scan(HEADER).filter(expression).collect()
        assert time.monotonic() - began < 5  # 0.1 s on a quiet machine


def test_t21_the_same_bytes_however_it_is_run():
    data = vf.synth(20_000, seed=2).data
    query = {"bytes": vf.sum("bytes"), "peers": vf.n_unique("dstaddr"), "first": vf.first("dstport")}
    results = {
        vf.scan(data, threads=threads).group_by("srcaddr", "protocol").agg(**query).collect()._table.to_json_lines(False)
        for _ in range(5)
        for threads in (1, 2, 4, 8)
    }
    assert len(results) == 1


def _child(data):
    return vf.scan(data, threads=2).agg(n=vf.count()).collect().rows()[0]["n"]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_t23_processes(method):
    """Scans before, in and after children, by every way to start them."""
    data = HEADER + line() * 1000
    assert _child(data) == 1000
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_child, [data] * 8) == [1000] * 8
    assert _child(data) == 1000


def test_t27_times_at_the_end_of_what_pandas_can_hold():
    pytest.importorskip("pandas")
    log = b"start bytes\n" + b"".join(b"%d 1\n" % t for t in (0, 1, 2**31, 2**31 + 1, 9_999_999_999_999))
    frame = vf.scan(log).to_pandas()
    # Above 2^31 they are milliseconds, so that none lies beyond the year 2286.
    assert frame["start"].dt.year.tolist() == [1970, 1970, 2038, 1970, 2286]
