"""What is written: whole or not at all, through devices, FIFOs and links; full disks; closed pipes."""

import json
import os
import pickle
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

import vpcflow as vf
from conftest import HEADER, SAMPLE, line, run_cli
from vpcflow.io import writing
from vpcflow.io.writing import Writing, check_writable, write_whole

LOG = HEADER + line(size=5) + line(src="10.0.0.2", dstport=443, size=7, action="REJECT") + line(size=9)
NOBODY = 65534
root = pytest.mark.skipif(os.getuid() != 0, reason="only root makes devices and becomes others")


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "flow.log"
    path.write_bytes(LOG)
    return path


@pytest.fixture
def shared():
    """A folder that others can get to; those of pytest are for their owner alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(work):
    """The outcome of a function in a process without rights; an exception as its text."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            outcome = ("", work())
        except BaseException as error:
            outcome = (type(error).__name__, str(error))
        os.write(writable, pickle.dumps(outcome))
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as file:
        outcome = pickle.loads(file.read())
    os.waitpid(child, 0)
    return outcome


def convert(log, out, *more, check=0):
    return run_cli("convert", log, "-o", out, "--to", "csv", "--select", "bytes", *more, check=check)


CSV = b"bytes\n5\n7\n9\n"


# -- through what is no regular file


@root
def test_a_device_stays_a_device(log, tmp_path):
    null = tmp_path / "null"
    os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    convert(log, null)
    assert stat.S_ISCHR(os.stat(null).st_mode)
    full = tmp_path / "full"
    os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    done = convert(log, full, check=2)
    assert done.stderr.splitlines() == [f"vpcflow: error: {full}: cannot be written: No space left on device".encode()]
    assert stat.S_ISCHR(os.stat(full).st_mode)
    usual = tmp_path / "usual"
    os.mknod(usual, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    assert run_cli("detect", SAMPLE, "--learn", usual).returncode in (0, 1)
    assert stat.S_ISCHR(os.stat(usual).st_mode)
    assert sorted(os.listdir(tmp_path)) == ["flow.log", "full", "null", "usual"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "arrow", "parquet"])
def test_a_fifo_is_written_through(log, tmp_path, kind):
    if kind in ("arrow", "parquet"):
        pytest.importorskip("pyarrow")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    got = []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    run_cli("convert", log, "-o", fifo, "--to", kind, check=0)
    reader.join(20)
    run_cli("convert", log, "-o", tmp_path / f"file.{kind}", check=0)
    assert got == [(tmp_path / f"file.{kind}").read_bytes()]
    assert stat.S_ISFIFO(os.stat(fifo).st_mode)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_by_its_names(log, tmp_path, name):
    (tmp_path / "link").symlink_to("/dev/stdout")
    name = str(tmp_path / name)  # absolute names stay
    assert convert(log, name).stdout == CSV
    # Appended to a file, it goes behind what is there, and the file stays the same.
    out = tmp_path / "out"
    out.write_bytes(b"before\n")
    inode = os.stat(out).st_ino
    with out.open("ab") as file:
        command = [sys.executable, "-m", "vpcflow", "convert", str(log), "-o", name, "--to", "csv", "--select", "bytes"]
        subprocess.run(command, stdout=file, check=True, stderr=subprocess.PIPE, timeout=60)
    assert out.read_bytes() == b"before\n" + CSV
    assert os.stat(out).st_ino == inode


def test_links_lead_where_they_led(log, tmp_path):
    (tmp_path / "other").mkdir()
    target = tmp_path / "other" / "real.csv"
    target.write_text("old")
    (tmp_path / "a.csv").symlink_to("other/real.csv")
    convert(log, tmp_path / "a.csv")
    assert os.readlink(tmp_path / "a.csv") == "other/real.csv"
    assert target.read_bytes() == CSV
    (tmp_path / "b.csv").symlink_to("other/not-yet.csv")  # of a file that is still to come
    convert(log, tmp_path / "b.csv")
    assert (tmp_path / "b.csv").is_symlink()
    assert (tmp_path / "other" / "not-yet.csv").read_bytes() == CSV
    (tmp_path / "round.csv").symlink_to("round.csv")
    assert b"round.csv: cannot be written: " in convert(log, tmp_path / "round.csv", check=2).stderr
    assert sorted(os.listdir(tmp_path / "other")) == ["not-yet.csv", "real.csv"]


def test_mode_and_owner_stay(tmp_path):
    path = tmp_path / "a"
    for mode in (0o600, 0o640, 0o664):
        path.write_text("old")
        path.chmod(mode)
        write_whole(path, b"new")
        assert stat.S_IMODE(path.stat().st_mode) == mode
        assert path.read_bytes() == b"new"
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "b", b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o640


@root
def test_the_owner_stays_whoever_writes(shared):
    path = shared / "a"
    path.write_text("old")
    os.chown(path, 1234, 2345)
    path.chmod(0o640)
    write_whole(path, b"by root")
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), path.read_bytes()) == (1234, 2345, 0o640, b"by root")
    # One who may write the file, but cannot give files away, writes it in place.
    shared.chmod(0o777)
    path.chmod(0o666)
    inode = path.stat().st_ino
    assert as_nobody(lambda: write_whole(path, b"by nobody")) == ("", None)
    status = path.stat()
    assert (status.st_uid, status.st_gid, status.st_ino, path.read_bytes()) == (1234, 2345, inode, b"by nobody")
    assert os.listdir(shared) == ["a"]


@root
def test_without_rights(shared):
    closed = shared / "closed"
    closed.mkdir(mode=0o755)
    kind, text = as_nobody(lambda: write_whole(closed / "new", b"x"))
    assert (kind, text) == ("OutputError", f"{closed}/new: cannot be written: Permission denied")
    assert as_nobody(lambda: check_writable(closed / "new"))[0] == "OutputError"
    (closed / "mine").write_text("old")
    os.chown(closed / "mine", NOBODY, NOBODY)
    assert as_nobody(lambda: write_whole(closed / "mine", b"new")) == ("", None)
    assert (closed / "mine").read_bytes() == b"new"
    os.chmod(closed / "mine", 0o444)  # what is protected is not replaced, even in a folder that is one's own
    os.chown(closed, NOBODY, NOBODY)
    assert as_nobody(lambda: write_whole(closed / "mine", b"newer"))[0] == "OutputError"
    assert (closed / "mine").read_bytes() == b"new"
    assert os.listdir(closed) == ["mine"]


# -- what cannot be written


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("no/folder/a.csv", b"there is no folder "),
        ("folder", b"it is a folder"),
        ("folder/", b"it is a folder"),
        ("flow.log/a.csv", b"Not a directory"),
        ("a" * 300 + ".csv", b"File name too long"),
    ],
)
def test_places_that_cannot_be(log, tmp_path, name, why):
    (tmp_path / "folder").mkdir()
    done = run_cli("convert", log, "-o", f"{tmp_path}/{name}", "--to", "csv", check=2)
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(b"vpcflow: error: ")
    assert why in done.stderr
    learned = run_cli("detect", log, "--learn", f"{tmp_path}/{name}", check=2)
    assert len(learned.stderr.splitlines()) == 1
    assert b"cannot be written" in learned.stderr
    assert sorted(os.listdir(tmp_path)) == ["flow.log", "folder"]


def limited(*args):
    code = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); from vpcflow.cli import main; "
    command = [sys.executable, "-c", code + "sys.exit(main(sys.argv[1:]))", *map(str, args)]
    return subprocess.run(command, capture_output=True, timeout=60)


def test_a_full_disk_keeps_the_file_that_was_there(tmp_path):
    (tmp_path / "out.csv").write_text("old")
    done = limited("convert", SAMPLE, "-o", tmp_path / "out.csv")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"vpcflow: error: {tmp_path}/out.csv: cannot be written: File too large".encode()]
    assert (tmp_path / "out.csv").read_text() == "old"
    usual = tmp_path / "usual"
    run_cli("detect", SAMPLE, "--learn", usual)
    with usual.open("rb") as file:
        past = vf.Aggregation.from_bytes(file.read())
    for day in range(5):  # grows beyond the limit
        made = vf.synth(20_000, seed=day, peers=500, noise_sources=500)
        past.merge(vf.detection.baseline(vf.scan(made.data)))
    usual.write_bytes(past.to_bytes())
    size = usual.stat().st_size
    assert size > 20_000
    done = limited("detect", SAMPLE, "--learn", usual)
    assert done.returncode == 2
    assert b"usual: cannot be written: File too large" in done.stderr
    assert usual.stat().st_size == size
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "usual"]


def test_synth_leaves_nothing_half_done(tmp_path):
    out = tmp_path / "logs"
    done = limited("synth", "--records", "2000", "--out", out, "--peers", "100", "--noise-sources", "100")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"vpcflow: error: {out}/flow-0000.log: cannot be written: File too large".encode()]
    assert os.listdir(tmp_path) == []
    run_cli("synth", "--records", "100", "--out", out, "--peers", "100", "--noise-sources", "100", check=0)
    before = (out / "flow-0000.log").read_bytes()
    assert limited("synth", "--records", "2000", "--out", out, "--peers", "100", "--noise-sources", "100").returncode == 2
    assert (out / "flow-0000.log").read_bytes() == before
    assert sorted(os.listdir(out)) == ["flow-0000.log", "manifest.json"]
    (tmp_path / "elsewhere.log").write_text("")
    (out / "flow-0000.log").unlink()
    (out / "flow-0000.log").symlink_to("../elsewhere.log")
    run_cli("synth", "--records", "100", "--out", out, "--peers", "100", "--noise-sources", "100", check=0)
    assert (tmp_path / "elsewhere.log").read_bytes() == before
    assert (out / "flow-0000.log").is_symlink()
    for place in (tmp_path / "elsewhere.log", tmp_path / "elsewhere.log" / "below"):
        done = run_cli("synth", "--records", "100", "--out", place, check=2)
        assert len(done.stderr.splitlines()) == 1
        assert b"cannot be written" in done.stderr


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_who_is_ended_leaves_nothing(tmp_path, ending):
    feeder = subprocess.Popen(["bash", "-c", f"while zcat {SAMPLE}; do :; done"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    command = [sys.executable, "-m", "vpcflow", "convert", "-", "-o", str(tmp_path / "a.csv")]
    process = subprocess.Popen(command, stdin=feeder.stdout, stderr=subprocess.PIPE)
    feeder.stdout.close()
    with feeder, process:
        while not os.listdir(tmp_path):
            time.sleep(0.05)
        process.send_signal(ending)
        assert process.wait(60) == 128 + ending
        assert b"Traceback" not in process.stderr.read()
        feeder.terminate()
    assert os.listdir(tmp_path) == []


def test_an_error_in_between_leaves_nothing(tmp_path):
    def stopped():
        with Writing(tmp_path / "a") as out:
            out.file.write(b"x" * 100_000)
            raise KeyError

    with pytest.raises(KeyError):
        stopped()
    assert os.listdir(tmp_path) == []


def test_a_file_that_cannot_be_renamed_over_is_written_in_place(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def busy(*names):
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(writing.os, "replace", busy)
    write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


# -- closed and full standard output

WRITERS = [
    ["head", str(SAMPLE), "-n", "20000"], ["head", str(SAMPLE), "-n", "20000", "--json"],
    ["convert", str(SAMPLE), "-o", "-", "--to", "csv"], ["convert", str(SAMPLE), "-o", "/dev/stdout", "--to", "jsonl"],
    ["top", str(SAMPLE), "--by", "srcaddr", "--json"], ["summary", str(SAMPLE)], ["summary", str(SAMPLE), "--json"],
    ["sessions", str(SAMPLE), "--json"], ["coverage", str(SAMPLE)], ["fields", "--json"], ["--help"], ["top", "--help"],
    ["capabilities", "default", "--json"], ["--version"],
]  # fmt: skip


@pytest.mark.parametrize("args", WRITERS, ids=lambda args: " ".join(a for a in args if "/" not in a))
def test_a_closed_pipe_is_no_error_and_a_full_disk_is(args):
    command = [sys.executable, "-m", "vpcflow", *args]
    readable, writable = os.pipe()
    os.close(readable)
    try:
        closed = subprocess.run(command, stdout=writable, stderr=subprocess.PIPE, timeout=60)
    finally:
        os.close(writable)
    assert (closed.returncode, closed.stderr) == (0, b"")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2
    (told,) = done.stderr.splitlines()
    assert told.startswith(b"vpcflow: error: ")
    assert told.endswith(b"cannot be written: No space left on device")


def test_findings_are_findings_though_nobody_reads_them(tmp_path):
    """The verdict, and what is learned, do not depend on who reads."""
    usual = tmp_path / "usual"
    command = [sys.executable, "-m", "vpcflow", "detect", str(SAMPLE), "--json", "--learn", str(usual)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""
    assert usual.stat().st_size > 0


def test_standard_streams_that_are_closed_or_full(log, tmp_path):
    def run(redirection, *args):
        text = " ".join([sys.executable, "-m", "vpcflow", *map(str, args), redirection])
        return subprocess.run(text, shell=True, capture_output=True, timeout=60)

    done = run(">&-", "head", log)
    assert done.returncode == 2
    assert done.stderr == b"vpcflow: error: standard output is closed; redirect it to a file or to /dev/null\n"
    assert run(">&-", "convert", log, "-o", "-", "--to", "csv").returncode == 2
    assert run(">&-", "convert", log, "-o", tmp_path / "a.csv", "--select", "bytes").returncode == 0
    assert (tmp_path / "a.csv").read_bytes() == CSV
    for redirection in ("2>&-", "2>/dev/full"):
        done = run(redirection, "convert", log, "-o", "-", "--to", "csv", "--select", "bytes")
        assert (done.returncode, done.stdout) == (0, CSV)
        assert run(redirection, "head", "missing.log").returncode == 2
        assert run(redirection, "head", "missing.log").stdout == b""


def test_the_progress_line_of_a_terminal_that_goes_away(monkeypatch):
    from vpcflow.cli import _output as cli_output

    class Gone:
        def isatty(self):
            return True

        def write(self, text):
            raise BrokenPipeError

        def flush(self):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    times = iter(range(100))
    monkeypatch.setattr(cli_output.time, "monotonic", lambda: next(times))
    with cli_output.progress_line(True) as progress:
        progress(1, 2, 3, 4)


# -- learning


def test_a_baseline_begins_with_the_first_run(tmp_path):
    usual = tmp_path / "usual.vpcflow"
    first = run_cli("detect", SAMPLE, "--baseline", usual, "--learn", usual, "--json")
    assert first.returncode == 1
    assert b"there is no baseline yet" in first.stderr
    assert b"new_" not in first.stdout  # without a past, nothing is new
    size = usual.stat().st_size
    second = run_cli("detect", SAMPLE, "--baseline", f"{tmp_path}/./usual.vpcflow", "--learn", usual, "--json")
    assert second.stderr == b""
    assert usual.stat().st_size == size  # the same talks, counted twice
    done = run_cli("detect", SAMPLE, "--baseline", tmp_path / "missing", check=2)
    assert b"missing: cannot read the baseline: " in done.stderr
    done = run_cli("detect", SAMPLE, "--baseline", tmp_path / "missing", "--learn", usual, check=2)
    assert b"missing: cannot read the baseline: " in done.stderr


def test_damaged_input_is_not_learned(tmp_path):
    usual = tmp_path / "usual"
    run_cli("detect", SAMPLE, "--learn", usual)
    before = usual.read_bytes()
    cut = tmp_path / "cut.log.gz"
    cut.write_bytes(SAMPLE.read_bytes()[:200_000])
    done = run_cli("detect", cut, "--learn", usual, check=2)
    assert b"nothing learned from these logs" in done.stderr
    run_cli("detect", "-", "--learn", usual, stdin=b"", check=2 if hasattr(vf, "NoRecordsError") else None)
    bad = HEADER + b"bad\n" + line()
    run_cli("detect", "-", "--learn", usual, "--max-rejects", "0", stdin=bad, check=3)
    assert usual.read_bytes() == before
    (tmp_path / "torn").write_bytes(before[:100])  # a baseline that is damaged is not written over either
    done = run_cli("detect", SAMPLE, "--learn", tmp_path / "torn", check=2)
    assert b"torn: not a baseline file; expected what vpcflow baseline build wrote" in done.stderr
    assert (tmp_path / "torn").read_bytes() == before[:100]
    assert done.stdout == b""
    assert sorted(os.listdir(tmp_path)) == ["cut.log.gz", "torn", "usual"]


# -- what convert writes can be read again


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_what_is_written_is_read_again(tmp_path, kind):
    if kind == "parquet":
        pytest.importorskip("pyarrow")
    out = tmp_path / f"out.{kind}"
    run_cli("convert", SAMPLE, "-o", out, check=0)
    wanted = vf.scan(SAMPLE).collect()
    again = vf.scan(out).collect()
    assert again.columns == wanted.columns
    assert again.rows() == wanted.rows()
    # Nothing but the header, where nothing passes; the columns are known.
    run_cli("convert", SAMPLE, "-o", out, "--where", "dstport = 1 and dstport = 2", "--select", "srcaddr,start", check=0)
    if kind == "csv":
        assert out.read_text() == "srcaddr,start\n"
    elif kind == "parquet":
        from pyarrow import parquet

        assert [(f.name, str(f.type)) for f in parquet.read_schema(out)] == [("srcaddr", "string"), ("start", "timestamp[us, tz=UTC]")]


def test_json_has_one_spelling_of_names(log, tmp_path):
    run_cli("convert", log, "-o", tmp_path / "a.jsonl", check=0)
    shown = run_cli("head", log, "--json", check=0).stdout
    assert (tmp_path / "a.jsonl").read_bytes() == shown
    assert list(json.loads(shown.splitlines()[0])) == vf.scan(log).collect().columns
    assert run_cli("convert", log, "-o", "-", "--json", check=0).stdout == shown
    done = run_cli("convert", log, "-o", tmp_path / "a.csv", "--json", check=2)
    assert b"give one of them" in done.stderr
    assert sorted(os.listdir(tmp_path)) == ["a.jsonl", "flow.log"]


@pytest.mark.parametrize(
    "args",
    [
        ["head", "--located"], ["top", "--by", "interface-id,pkt-srcaddr", "--agg", "most=max(bytes)"], ["sessions"],
        ["coverage"], ["summary"], ["detect"], ["convert", "-o", "-"],
    ],
    ids=lambda args: args[0],
)  # fmt: skip
def test_names_of_json_have_no_hyphens(args):
    def names(value):
        if isinstance(value, dict):
            for name, below in value.items():
                yield name
                if name not in ("formats", "rejects_by_reason"):  # by texts of logs, and by reasons
                    yield from names(below)
        for below in value if isinstance(value, list) else ():
            yield from names(below)

    shown = run_cli(args[0], SAMPLE, *args[1:], "--json").stdout.splitlines()
    found = {name for text in shown[:200] for name in names(json.loads(text))}
    assert found
    assert not [name for name in found if "-" in name]
