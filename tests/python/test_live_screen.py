"""The screen of vpcflow live, driven by textual's pilot: keys, filters, pivots, sizes, hostile texts, a clean end."""

import asyncio
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import termios
import time

import pytest

import vpcflow as vf
from conftest import HEADER, LONG, ROOT, line
from vpcflow import _display
from vpcflow.cli import main
from vpcflow.detect.settings import Settings
from vpcflow.errors import RuleError
from vpcflow.live.sources import LogSource, StateSource
from vpcflow.serve import gather
from vpcflow.watch import Watch

pytestmark = pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
pytest.importorskip("textual")
from textual.widgets import Input  # noqa: E402

from vpcflow.live.screen import LiveApp, Page, Rows  # noqa: E402

SCAN = b"".join(line(src="198.51.100.7", dstport=port, size=40, start=6000 + port, end=6030 + port, action="REJECT") for port in range(1, 201))
TALK = b"".join(line(src=f"10.0.0.{i}", dstport=443, size=1000 * i, start=6000 + 60 * i, end=6060 + 60 * i) for i in range(1, 15))
NAME = "eni-[red]\u202e\u2066[/red]"
STRANGE = TALK.replace(b"eni-1", NAME.encode())


class Logs(LogSource):
    """Logs in memory, of which there may be more."""

    def __init__(self, data, name="logs/"):
        self.data, self.reads, self.error = data, 0, None
        super().__init__([], lambda: vf.scan(self.data), self.figures, name)

    def figures(self, flows, progress):
        self.reads += 1
        if self.error is not None:
            raise self.error
        return gather(flows, settings=Settings(), progress=progress)

    def is_new(self):
        return self.error is not None or self.reads == 0


def driven(source, drive, size=(100, 40), **options):
    """Runs what drives the screen of a source, and returns the exit code."""
    first = source.read(None)

    async def main():
        app = LiveApp(source, first, **{"span": None, "refresh": 3600, **options})
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await drive(app, pilot)
        return app.return_value

    return asyncio.run(main())


def shown(app):
    """The lines of the screen."""
    return ["".join(part.text for part in strip).rstrip() for strip in app.screen._compositor.render_strips()]


def text(app):
    return "\n".join(shown(app))


async def until(pilot, holds):
    """Waits for what a thread does."""
    for _ in range(200):
        await pilot.pause(0.02)
        if holds():
            return
    raise AssertionError(text(pilot.app))


@pytest.fixture(scope="module")
def logs():
    return HEADER + SCAN + TALK


def test_all_of_it_is_there(logs):
    async def drive(app, pilot):
        lines = shown(app)
        assert lines[0].startswith("logs/: 1970-01-01 01:40:00 to ")
        order = [next(i for i, one in enumerate(lines) if word in one) for word in ("Not seen", "Bytes", "Findings", "Talkers", "Rejected")]
        assert order == sorted(order)
        assert "1,500 minutes" not in text(app)
        assert any("port_scan: 198.51.100.7 tried" in one for one in lines)
        assert "Rejected sources: 200, other 0%" in text(app)
        assert "Talkers: 110.4 KiB, other 13%" in text(app)
        assert {"other", "total"} <= {line.split()[0] for line in app.query_one("#talkers", Rows)._drawn}
        await pilot.press("q")

    assert driven(Logs(logs), drive) is None


def test_a_filter_and_what_is_wrong_with_it(logs):
    async def drive(app, pilot):
        await pilot.press("slash", *"dstprt = 443", "enter")
        await pilot.pause()
        assert "unknown field 'dstprt'; did you mean 'dstport'?" in text(app)
        assert [one.rstrip() for one in shown(app)][-3:-1] == ["  dstprt = 443", "  ^"]
        app.query_one("#where", Input).value = "srcaddr = '10.0.0.1"
        await pilot.press("enter")
        await pilot.pause()
        assert "this quote is never closed" in text(app)
        app.query_one("#where", Input).value = ""
        await pilot.press(*"dstaddr in '10.0.0.0/8' and dstport = 443", "enter")
        await until(pilot, lambda: app.shown.where == "dstaddr in '10.0.0.0/8' and dstport = 443")
        assert "UTC (15 min), where dstaddr in" in text(app)
        assert app.shown.totals["records"] == 14
        assert "never closed" not in text(app)
        await pilot.press("slash")
        assert app.query_one("#where", Input).value == "dstaddr in '10.0.0.0/8' and dstport = 443"
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.shown.totals["records"] == 214)
        await pilot.press("q")  # which is typed into no question

    driven(Logs(logs), drive)


def test_what_is_shown_can_be_kept(logs, tmp_path, monkeypatch, capsys):
    """The key w writes the view as text, under a name that is free, with the command that shows it again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b.log").write_bytes(logs)
    name = shlex.quote("a b.log")

    async def drive(app, pilot):
        app.filter_by("dstport = 443")
        await until(pilot, lambda: app.shown.where == "dstport = 443")
        await pilot.press("w")
        await until(pilot, lambda: "written: " in text(app))
        assert "vpcflow-live-" in shown(app)[1]
        await pilot.press("w", "q")

    first = LogSource(["a b.log"], lambda: vf.scan("a b.log"), lambda flows, progress: gather(flows, settings=Settings()), name)
    driven(first, drive, size=(160, 40))
    one, two = sorted(tmp_path.glob("vpcflow-live-*.txt"))
    assert (one.name, two.name) == ("vpcflow-live-19700101T015500Z-2.txt", "vpcflow-live-19700101T015500Z.txt")
    kept, again = one.read_text(), two.read_text()
    assert kept == again
    picture, _, command = kept.rstrip("\n").rpartition("\n\n")
    words = shlex.split(command)
    assert words[:4] == ["vpcflow", "live", "a b.log", "--once"]
    monkeypatch.setenv("COLUMNS", "100")
    assert main(words[1:]) == 0
    assert "10.0.0.14" in picture
    panels = picture[picture.index("Talkers") :]
    assert capsys.readouterr().out.rstrip("\n").endswith(panels)  # logs are read for the condition, and so are findings

    async def refused(app, pilot):
        (tmp_path / "gone").rmdir()
        await pilot.press("w")
        await until(pilot, lambda: "not written: " in text(app))
        await pilot.press("q")

    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    driven(Logs(logs), refused, size=(160, 40))


def test_rows_lead_further(logs):
    async def drive(app, pilot):
        app.query_one("#talkers", Rows).focus()
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: "What could not be seen" in "\n".join(getattr(app.screen, "_lines", [])))
        assert isinstance(app.screen, Page)
        assert "More: vpcflow trace 10.0.0.13 logs/" in text(app)
        await pilot.press("f")
        await until(pilot, lambda: app.shown.where == "srcaddr = '10.0.0.13' or dstaddr = '10.0.0.13'")
        assert app.shown.totals["records"] == 1
        await pilot.press("escape")
        await until(pilot, lambda: not app.shown.where)
        app.query_one("#ports", Rows).focus()
        await pilot.press("home", "enter")
        await until(pilot, lambda: app.shown.where == "dstport = 443 and protocol = 6")
        app.query_one("#findings", Rows).focus()
        await pilot.press("home", "enter")
        await pilot.pause()
        assert "technique: T1046" in text(app)
        assert "Evidence" in text(app)
        await pilot.press("t")
        await until(pilot, lambda: "198.51.100.7 was seen in 200 records" in text(app))
        assert "Findings that name it: 1" in text(app)
        await pilot.press("escape", "tab", "end", "enter")  # the total leads nowhere
        await pilot.pause()
        assert not isinstance(app.screen, Page)

    driven(Logs(logs), drive)


def test_ranks_spans_and_pages(logs):
    async def drive(app, pilot):
        await pilot.press("s")
        await until(pilot, lambda: "Talkers: 2,150 packets, other 2%" in text(app))
        await pilot.press("s")
        await until(pilot, lambda: "Talkers: 215 records" in text(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.shown.seconds <= 24 * 3600)
        for _ in range(3):
            await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.shown.seconds == 900)
        for seconds in (3600, 6900):
            await pilot.press("right_square_bracket")
            await until(pilot, lambda: app.shown.seconds == seconds)  # noqa: B023
        await pilot.press("u")
        await pilot.pause()
        assert "nothing that these logs show" in text(app) or "minutes of" in text(app)
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert "shift+tab" in text(app)
        await pilot.press("escape")

    driven(Logs(logs + line(start=60, end=120)), drive)


def test_it_follows_pauses_and_names_trouble(logs):
    source = Logs(HEADER + TALK)

    async def drive(app, pilot):
        assert source.reads == 1
        await pilot.press("p")
        source.data, source.reads, source._reading = logs, 0, None
        await pilot.pause(0.3)
        assert source.reads == 0
        assert shown(app)[0].startswith("PAUSED logs/")
        await pilot.press("p")
        await until(pilot, lambda: app.shown.totals["records"] == 214)
        assert "PAUSED" not in text(app)
        chosen = app.query_one("#talkers", Rows)
        chosen.focus()
        await pilot.press("home", "down", "down")
        source.error = RuleError(f"w.sqlite: {NAME}: database is locked\nsecond line")
        source._reading = None
        await until(pilot, lambda: "cannot be read now, will be retried: w.sqlite" in text(app))
        assert app.shown.totals["records"] == 214  # what was read stays
        assert "\u202e" not in text(app)
        source.error = None
        await pilot.press("r")
        await until(pilot, lambda: "cannot be read" not in text(app))
        assert chosen.highlighted == 2

    driven(source, drive, refresh=0.05)


def test_sizes(logs):
    async def drive(app, pilot):
        for width, height in ((80, 24), (40, 24), (200, 60), (20, 8), (64, 20)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            lines = shown(app)
            assert max(map(len, lines)) <= width
            assert lines[0].startswith("logs/")
            assert any(one.startswith("Not seen") for one in lines)
            assert app.query_one("#talkers", Rows).region.y > app.query_one("#findings", Rows).region.y
            beside = app.query_one("#ports", Rows).region.y == app.query_one("#talkers", Rows).region.y
            assert beside == (width >= 64)

    driven(Logs(logs), drive)


def test_hostile_texts(monkeypatch):
    """No control character, no mark of direction and no markup of a log or a name is obeyed."""
    gap = STRANGE + STRANGE.replace(b" 6", b" 9")
    source = Logs(HEADER + gap, "x\x1b]0;owned\x07\u202e[bold]y[/bold]")

    async def drive(app, pilot):
        assert all(c.isprintable() for one in shown(app) for c in one)
        assert "x\\x1b]0;owned\\x07\\u202e[bold]y[/bold]" in text(app)
        assert "eni-[red]\\u202e\\u2066[/red]" in text(app)
        await pilot.press("slash", *"srcaddr = '[red]\u202e'", "enter")
        await pilot.pause()
        assert "\u202e" not in "\n".join(shown(app)[-4:])
        await pilot.press("escape", "u")
        await pilot.pause()
        assert "[/red]" in text(app)
        assert all(c.isprintable() for one in shown(app) for c in one)

    driven(source, drive, size=(120, 30))


def test_ascii(logs, monkeypatch):
    monkeypatch.setattr(_display, "_encoding", "ascii")

    async def drive(app, pilot):
        assert text(app).isascii()
        await pilot.press("question_mark")
        await pilot.pause()
        assert text(app).isascii()

    driven(Logs(logs), drive, size=(80, 24))


def test_a_state_without_records_waits(tmp_path):
    (tmp_path / "logs").mkdir()
    watch = Watch(tmp_path / "logs", [], {}, tmp_path / "w.sqlite", settle=0)

    async def drive(app, pilot):
        assert "all: the watch has counted no records yet" in text(app)
        (tmp_path / "logs" / "a.log").write_bytes(HEADER + TALK)
        watch.poll()
        await until(pilot, lambda: app.shown.totals["records"] == 14)

    driven(StateSource(str(tmp_path / "w.sqlite")), drive, refresh=0.05)
    watch.close()


@pytest.mark.skipif(not LONG, reason="make soak draws the picture of the documents")
def test_the_picture_of_the_documents_is_what_comes(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    monkeypatch.chdir(ROOT)
    import pictures

    assert pictures.live_screen() == pictures.LIVE.read_text(encoding="utf-8"), "make pictures"


def test_the_picture_of_the_documents_asks_for_nothing():
    picture = (ROOT / "docs" / "assets" / "live.svg").read_text(encoding="utf-8")
    assert "Talkers" in picture.replace("&#160;", " ")
    assert not re.search(r"url\((?!#)|@import|<script|href", picture)


# -- a terminal of its own -------------------------------------------------------------------------------------------


class Terminal:
    """A process on a terminal: what it writes, and how it ends."""

    def __init__(self, *args, **environment):
        self.master, slave = pty.openpty()
        self.before = termios.tcgetattr(slave)
        self.slave, self.out = slave, b""
        env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", **environment}
        command = [sys.executable, "-m", "vpcflow", "live", *map(str, args)]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True)

    def wait_for(self, part, seconds=30):
        end = time.monotonic() + seconds
        while part not in self.out:
            assert time.monotonic() < end, self.out
            if select.select([self.master], [], [], 0.1)[0]:
                self.out += os.read(self.master, 65536)

    def end(self):
        """Returns the exit code, after all that was written was read."""
        while self.process.poll() is None or select.select([self.master], [], [], 0)[0]:
            if select.select([self.master], [], [], 0.05)[0]:
                self.out += os.read(self.master, 65536)
        os.close(self.master)
        os.close(self.slave)
        return self.process.returncode


@pytest.fixture(scope="module")
def file(tmp_path_factory, logs):
    path = tmp_path_factory.mktemp("live") / "a.log"
    path.write_bytes(logs)
    return path


@pytest.mark.parametrize(("how", "code"), [("\x03", 0), *([(signal.SIGTERM, 143), (signal.SIGINT, 130)] if LONG else [])])
def test_the_terminal_is_left_as_it_was(file, how, code):
    terminal = Terminal(file, "--no-detect", NO_COLOR="1")
    terminal.wait_for(b"? help")
    if isinstance(how, str):
        os.write(terminal.master, how.encode())
    else:
        terminal.process.send_signal(how)
    terminal.process.wait(20)
    assert termios.tcgetattr(terminal.slave) == terminal.before
    assert terminal.end() == code
    for begins, ends in ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h")):
        assert terminal.out.rindex(ends) > terminal.out.rindex(begins)
    # NO_COLOR: the terminal's own colours alone.
    assert not {int(n) for part in re.findall(rb"\x1b\[([0-9;]*)m", terminal.out) for n in part.split(b";") if n} & {
        *range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108),
    }  # fmt: skip
