"""Pages in a terminal: widths, forms, names, units, zones, colours, locales."""

import csv
import io
import json
import re
import unicodedata

import pytest

import screens
import vpcflow as vf
from conftest import HEADER, SAMPLE, line, run_cli
from vpcflow import _layout as layout

LOG = HEADER + line(size=5) + line(src="10.0.0.2", dstport=443, size=7_000_000, action="REJECT") + line(size=9)
HOSTILE = "日本\u202egnp.exe\u2066\x1b[31m\x9b0m\u200f\x07\xad"


def columns(text):
    """The columns of a terminal that a line takes, counted anew."""
    return sum(0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "flow.log"
    path.write_bytes(LOG)
    return path


@pytest.mark.parametrize("width", screens.WIDTHS)
@pytest.mark.parametrize("name", screens.COMMANDS)
def test_screens(name, width):
    shown = screens.screen(screens.COMMANDS[name], width, NO_COLOR="1")
    assert max(map(len, shown.splitlines())) <= width
    assert "\x1b" not in shown
    wanted = (screens.FOLDER / f"{name}-{width}.txt").read_text()
    assert shown == wanted, "look at the screen; if it is right, run tests/python/screens.py"


@pytest.mark.parametrize("width", [20, 40, 60, 90, 120, 300])
@pytest.mark.parametrize("name", screens.COMMANDS)
def test_tables_fit_any_width(name, width):
    """What cannot be narrower (one column, a word) is the only thing that may be wider."""
    shown = screens.screen(screens.COMMANDS[name], width, NO_COLOR="1")
    for text in shown.splitlines():
        assert columns(text) <= width or " " not in text.strip() or width < 60, text


def test_columns_that_do_not_fit_are_named(log):
    narrow = screens.screen(["head", log], 80, NO_COLOR="1")
    titles = narrow.splitlines()[0].replace(" (UTC)", "").split()
    named = re.search(r"not shown: ([^;]*);", " ".join(narrow.split()))[1].split(", ")
    assert sorted(titles + named) == sorted(vf.scan(LOG).columns)
    wide = screens.screen(["head", log], 300, NO_COLOR="1")
    assert wide.splitlines()[0].replace(" (UTC)", "").split() == titles + named
    assert "not shown" not in wide
    # Elsewhere nothing is left out.
    assert "not shown" not in run_cli("head", log, check=0).stdout.decode()


def test_columns(log):
    got = run_cli("head", log, "--columns", "dst, src_port ,bytes", "--csv", check=0).stdout.decode()
    assert got == "dstaddr,srcport,bytes\n10.0.0.9,40000,5\n10.0.0.9,40000,7000000\n10.0.0.9,40000,9\n"
    rows = run_cli("sessions", log, "--columns", "server,state", "--json", check=0).stdout.decode().splitlines()
    assert [list(json.loads(row)) for row in rows] == [["server", "state"]] * len(rows)
    assert b"did you mean 'server'" in run_cli("sessions", log, "--columns", "sever_", check=2).stderr


def test_forms(log):
    plain = [row.split() for row in run_cli("top", log, "--by", "src", "--agg", "sum:bytes", check=0).stdout.decode().splitlines()]
    assert plain == [["srcaddr", "sum_bytes"], ["10.0.0.2", "7,000,000"], ["10.0.0.1", "14"]]
    question = ["top", log, "--by", "src", "--agg", "n=count", "--agg", "b=sum:bytes"]
    markdown = run_cli(*question, "--markdown", check=0).stdout.decode()
    assert markdown == "| srcaddr | n | b |\n| --- | ---: | ---: |\n| 10.0.0.1 | 2 | 14 |\n| 10.0.0.2 | 1 | 7,000,000 |\n"
    vertical = run_cli(*question, "--vertical", check=0).stdout.decode().splitlines()
    assert vertical[:4] == ["-- 1 ----", "srcaddr  10.0.0.1", "n        2", "b        14"]
    table = list(csv.DictReader(io.StringIO(run_cli(*question, "--csv", check=0).stdout.decode())))
    assert table[1] == {"srcaddr": "10.0.0.2", "n": "1", "b": "7000000"}
    assert b"not allowed with" in run_cli(*question, "--csv", "--markdown", check=2).stderr


def test_cells_of_markdown_and_csv_stay_cells(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("srcaddr,bytes,note\n10.0.0.1,5,a|b\n10.0.0.1,5,=1+1\n")
    for args in (["head", path, "--columns", "srcaddr,bytes,note"], ["sql", path, "select srcaddr, bytes, note from flows"]):
        page = run_cli(*args, "--markdown", check=0).stdout.decode()
        assert len(page.splitlines()) == 4
        assert all(len(re.findall(r"(?<!\\)\|", row)) == 4 for row in page.splitlines())
        cells = list(csv.reader(io.StringIO(run_cli(*args, "--csv", check=0).stdout.decode())))
        assert [len(row) for row in cells] == [3, 3, 3]
        assert cells[2][2] == "'=1+1"


def test_names_beside_numbers(tmp_path):
    path = tmp_path / "a.log"
    path.write_text("srcaddr protocol tcp-flags\n10.0.0.1 6 18\n10.0.0.1 17 0\n10.0.0.1 - -\n10.0.0.1 253 3\n10.0.0.1 1 4\n")
    page = [row.split(maxsplit=1)[1] for row in run_cli("head", path, check=0).stdout.decode().splitlines()]
    cells = [re.split(r"  +", row.strip()) for row in page[1:]]
    assert cells == [["6 TCP", "18 SYN+ACK"], ["17 UDP", "0"], ["-", "-"], [cells[3][0], "3 FIN+SYN"], ["1 ICMP", "4 RST"]]
    assert cells[3][0].startswith("253")
    assert json.loads(run_cli("head", path, "--json", "-n", 1, check=0).stdout)["protocol"] == 6
    assert b"\n10.0.0.1,6,18\n" in run_cli("head", path, "--csv", check=0).stdout


def test_times_say_their_zone(log):
    assert b"start (UTC)" in run_cli("head", log, check=0).stdout
    page = run_cli("head", log, "--tz", "Asia/Tokyo", check=0).stdout.decode()
    assert "start (Asia/Tokyo)" in page
    assert "1970-01-01 09:16:40+0900" in page
    assert "09:16:40+0900 to 1970-01-01 09:17:40+0900" in run_cli("summary", log, "--tz", "Asia/Tokyo", check=0).stdout.decode()
    # Times without a zone are in it; others and numbers are what they are.
    for start, n in (("1970-01-01T09:16:40", 3), ("1970-01-01T09:16:41", 0), ("1970-01-01T00:16:40Z", 3), ("1001", 0)):
        done = run_cli("top", log, "--tz", "Asia/Tokyo", "--start", start, "--json", "--allow-empty", check=0)
        assert [json.loads(row)["count"] for row in done.stdout.splitlines()] == [n]
    assert b"no such time zone; did you mean 'Asia/Tokyo'?" in run_cli("head", log, "--tz", "Asia/Tokio", check=2).stderr


def test_percent(log):
    done = run_cli("top", log, "--by", "dst_port", "--agg", "sum:bytes", "--agg", "n=count", "-n", 1, "--percent", "--json", check=0)
    (row,) = map(json.loads, done.stdout.splitlines())
    assert row == {"dstport": 443, "sum_bytes": 7_000_000, "sum_bytes_percent": 100.0, "n": 1, "n_percent": 33.333}
    page = run_cli("top", log, "--by", "dst_port", "--agg", "n=count", "--percent", check=0).stdout.decode()
    assert [row.split()[-1] for row in page.splitlines()] == ["%", "66.7", "33.3"]
    summary = run_cli("summary", log, "--percent", check=0).stdout.decode()
    assert re.search(r"23 .*|10\.0\.0\.2 +6\.7 MiB +1 record  +100\.0%", summary)


def test_human(log):
    page = run_cli("head", log, "--human", "--columns", "bytes,packets,dstport", check=0).stdout.decode()
    assert [re.split("  +", row.strip()) for row in page.splitlines()[1:]][1] == ["6.7 MiB", "10", "443"]
    page = run_cli("top", log, "--agg", "a=sum:bytes", "--agg", "b=n_unique:bytes", "--human", check=0).stdout.decode()
    assert re.split("  +", page.splitlines()[1].strip()) == ["6.7 MiB", "3"]


def test_timeline():
    quiet = HEADER + line(start=600, end=659) + line(start=1800, end=1859, action="REJECT", size=4)
    rows = [json.loads(row) for row in run_cli("timeline", "-", "--every", "5m", "--json", stdin=quiet, check=0).stdout.splitlines()]
    assert [(row["time"], row["records"], row["bytes"], row["accepted"], row["rejected"]) for row in rows] == [
        (600, 1, 40, 1, 0), (900, 0, 0, 0, 0), (1200, 0, 0, 0, 0), (1500, 0, 0, 0, 0), (1800, 1, 4, 0, 1),
    ]  # fmt: skip
    assert rows == [json.loads(r) for r in run_cli("timeline", "-", "--every", "5min", "--json", stdin=quiet, check=0).stdout.splitlines()]
    shares = run_cli("timeline", "-", "--percent", "--json", stdin=quiet, check=0).stdout.splitlines()
    assert json.loads(shares[0])["bytes_percent"] == 90.909


# -- colours ------------------------------------------------------------------------------------------------------


def test_colours_are_for_terminals_that_want_them():
    pytest.importorskip("rich")
    args = screens.COMMANDS["detect"]
    painted = screens.screen(args, 80)
    assert "\x1b[1;31mhigh " in painted
    plain = screens.screen(args, 80, NO_COLOR="1")
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == plain
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in screens.screen(args, 80, **environment)
    assert b"\x1b" not in run_cli(*args).stdout


def test_bars():
    pytest.importorskip("rich")
    args = ["timeline", screens.LOG, "--every", "1h"]
    assert "\u2588" in screens.screen(args, 100)
    assert "\u2588" in screens.screen(["summary", screens.LOG], 80)
    assert "\u2588" not in screens.screen(args, 100, NO_COLOR="1")
    assert screens.screen(args, 100, LC_ALL="C").isascii()


def test_without_rich_pages_are_plain(tmp_path):
    (tmp_path / "rich.py").write_text("raise ImportError('not here')\n")
    import os

    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    args = screens.COMMANDS["timeline"]
    assert screens.screen(args, 80, PYTHONPATH=path) == screens.screen(args, 80, NO_COLOR="1")


# -- texts --------------------------------------------------------------------------------------------------------


@pytest.fixture
def names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f'srcaddr,bytes,owner\n10.0.0.1,5,"{HOSTILE}"\n10.0.0.1,5,"é e\u0301 ก็ abc"\n', encoding="utf-8")
    return path


@pytest.mark.parametrize("form", [[], ["--vertical"], ["--markdown"]])
def test_text_is_shown_but_for_what_steers(names, form):
    page = run_cli("head", names, *form, check=0).stdout.decode()
    assert "日本" in page
    assert "é" in page
    assert "\\u202e" in page
    assert "\\x1b[31m" in page
    assert all(c.isprintable() or c == "\n" for c in page)
    assert json.loads(run_cli("head", names, "-n", 1, "--json", check=0).stdout)["owner"] == HOSTILE


def test_wide_letters_keep_columns_aligned(names):
    rows = screens.screen(["head", names, "--columns", "owner,bytes"], 80, NO_COLOR="1").splitlines()
    assert len({columns(row) for row in rows if not row.startswith("vpcflow: note")}) == 1


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_pages_are_ascii_in_the_c_locale(names, locale):
    page = screens.screen(["head", names], 80, LC_ALL=locale)
    assert page.isascii()
    assert "\\u65e5\\u672c" in page


@pytest.mark.parametrize("width", [80, 160])
def test_columns_are_aligned_in_the_c_locale(names, width):
    page = screens.screen(["head", names, "--columns", "owner,bytes"], width, LC_ALL="C", NO_COLOR="1")
    rows = [row for row in page.splitlines() if not row.startswith(("vpcflow: note", "  "))]
    assert len({len(row) for row in rows}) == 1
    assert len(rows[0]) <= width


def test_pages_in_a_locale_that_lacks_the_letters(names):
    page = screens.screen(["head", names], 80, "latin-1", NO_COLOR="1", PYTHONIOENCODING="latin-1:strict")
    assert "\\u65e5" in page


# -- the layout ---------------------------------------------------------------------------------------------------


def test_plural_forms():
    one = HEADER + line()
    for args in (["summary", "-"], ["detect", "-"], ["sessions", "-"], ["coverage", "-"]):
        said = run_cli(*args, stdin=one)
        assert not re.search(rb"\b1 (?!OK)[a-z-]*[a-z]{2}s\b(?! )", said.stdout + said.stderr), said.stdout
    assert b"1 record, " in run_cli("summary", "-", stdin=one, check=0).stdout


@pytest.mark.parametrize("width", range(3, 30))
def test_shortened(width):
    for text in ("2600:1f18:4d2c:9a00::4a7f", "日本日本日本日本日本日本日本日本", "abc"):
        short = layout.shortened(text, width)
        assert columns(short) <= max(width, 3)
        assert (short == text) == (columns(text) <= width)


def test_wrapped_loses_nothing():
    text = "  one two   three four five six seven"
    for width in range(1, 60):
        parts = layout.wrapped(text, width, "    ")
        assert " ".join(parts).split() == text.split()
        assert all(columns(part) <= width or len(part.split()) == 1 for part in parts)
    assert layout.wrapped(text, None) == [text]
    assert run_cli("head", SAMPLE, "-n", 1, check=0).stdout.count(b"\n") == 2
