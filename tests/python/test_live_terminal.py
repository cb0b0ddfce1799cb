"""The screen of vpcflow live in a terminal of tmux, over a state that a watch is writing: memory, bytes, keys, a clean end."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time

import pytest

import vpcflow as vf
from conftest import LONG
from vpcflow.watch import Watch

SECONDS = int(os.environ.get("VPCFLOW_LIVE_SECONDS", 600))
pytestmark = [
    pytest.mark.skipif(not LONG, reason="make soak runs it for ten minutes"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here"),
]


class Tmux:
    """A terminal of 80 columns and 24 lines, what was written to it, and the process in it."""

    def __init__(self, folder, command):
        self.name, self.log = f"vpcflow-{os.getpid()}", folder / "written"
        (folder / "run.sh").write_text(f"cat\nstty -g > before; {command}; echo $? > code; stty -g > after; exec cat\n")
        self.run("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-c", str(folder), f"bash {folder}/run.sh")
        self.run("pipe-pane", f"exec cat > {self.log}")
        self.keys("C-d")

    def run(self, *args):
        done = subprocess.run(["tmux", "-L", self.name, *args], capture_output=True, text=True, check=True, timeout=30)
        return done.stdout

    def keys(self, *keys):
        self.run("send-keys", *keys)

    def text(self):
        return self.run("capture-pane", "-p")

    def wait_for(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text()):
            assert time.monotonic() < end, self.text()
            time.sleep(0.1)

    @property
    def written(self):
        return self.log.stat().st_size

    def end(self):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], capture_output=True, check=False, timeout=30)


def process_of(state):
    """The number of the process that shows the state."""
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if str(state).encode() in words and b"live" in words and words[0] == sys.executable.encode():
            return int(number)
    raise AssertionError("there is no such process")


def memory_of(number):
    """KiB in memory."""
    with open(f"/proc/{number}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


class Busy(threading.Thread):
    """A watch that reads new logs all the time, of many sources."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.stop = folder, threading.Event()
        (folder / "logs").mkdir()
        self.watch = Watch(folder / "logs", [], {}, folder / "w.sqlite", settle=0, detectors={})
        self.polls = 0

    def run(self):
        while not self.stop.is_set():
            self.poll()
            self.stop.wait(0.5)
        self.watch.close()

    def poll(self):
        now = int(time.time())
        rows = vf.synth(3000, seed=self.polls % 3, start=now - 400, hours=0.1, plant="port_scan", peers=500).data
        path = self.folder / "logs" / f"{self.polls % 50}-{self.polls}.log"
        path.write_bytes(rows)
        self.watch.poll()
        path.unlink()
        self.polls += 1


@pytest.fixture
def busy(tmp_path):
    one = Busy(tmp_path)
    one.poll()
    one.start()
    yield one
    one.stop.set()
    one.join(60)


def test_ten_minutes_over_a_busy_state(tmp_path, busy):
    state = tmp_path / "w.sqlite"
    screen = Tmux(tmp_path, f"{sys.executable} -m vpcflow live --state {state} --refresh 1s")
    try:
        screen.wait_for("Rejected sources: ")
        number = process_of(state)
        screen.keys("Tab", "Down")
        time.sleep(min(60, SECONDS / 4))  # until all that is loaded once is
        first, at_first, whole = memory_of(number), busy.polls, screen.written
        begun, quiet, refreshes, memory = time.monotonic(), 0, 0, []
        while time.monotonic() - begun < SECONDS:
            before = screen.written
            time.sleep(10)
            quiet, refreshes = quiet + screen.written - before, refreshes + 10
            memory.append(memory_of(number))
            screen.keys("s")
            screen.keys("[")
            screen.keys("/", "dstport < 1024", "Enter")
            screen.wait_for("where dstport < 1024")
            screen.keys("Escape")
            screen.run("resize-window", "-x", "40", "-y", "30")
            time.sleep(1)
            assert max(map(len, screen.text().splitlines())) <= 40
            screen.run("resize-window", "-x", "80", "-y", "24")
            screen.keys("]")
            screen.keys("Enter")
            screen.wait_for("escape back")
            screen.keys("Escape")
            screen.wait_for("Rejected ports")
            screen.keys("p")
            screen.wait_for("PAUSED")
            screen.keys("p")
            assert "where" not in screen.text().splitlines()[1]
        print(f"{busy.polls - at_first} looks of the watch, {len(memory)} rounds; memory {first} to {memory[-1]} KiB, most {max(memory)}; "
              f"{quiet / refreshes:.0f} bytes a refresh without keys, {whole} until all was there")  # fmt: skip
        assert busy.polls > at_first
        assert memory[-1] < first * 1.15 + 8192
        assert quiet / refreshes < 6000  # with all panels changing; all of a screen takes more
        assert screen.log.read_bytes().count(b"\x1b[2J") <= 1 + 2 * len(memory)  # of resizes alone
        busy.stop.set()
        busy.join(60)
        time.sleep(5)
        before = screen.written
        time.sleep(10)
        assert screen.written - before < 1000  # nothing changed
        screen.keys("q")
        end = time.monotonic() + 20
        while not (tmp_path / "after").exists() or not (tmp_path / "after").read_text():
            assert time.monotonic() < end, screen.text()
            time.sleep(0.1)
        assert (tmp_path / "code").read_text() == "0\n"
        assert (tmp_path / "after").read_text() == (tmp_path / "before").read_text()
        assert "Traceback" not in screen.text()
    finally:
        screen.end()
