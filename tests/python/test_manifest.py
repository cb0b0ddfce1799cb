"""Manifests: what was added is found again, and whatever was done to it afterwards is named."""

import contextlib
import gzip
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest

import vpcflow as vf
from conftest import HEADER, LONG, line
from vpcflow.cli import main
from vpcflow.manifest import tree
from vpcflow.manifest.days import runs

FIRST = 1_793_491_200  # 2026-11-01 00:00 UTC
DAY = 86400
NOW = FIRST + 30 * DAY + 3600


def day_text(number, records=3):
    begin = FIRST + DAY * (number - 1) + 3600
    return HEADER + b"".join(
        line(src=f"10.0.0.{n + 1}", start=begin + 60 * n, end=begin + 60 * n + 60, dstport=number) for n in range(records)
    )


def make_month(folder, days=range(1, 31), without=(15,)):
    """A file a day, but for one day."""
    folder.mkdir(parents=True)
    for number in days:
        if number not in without:
            (folder / f"2026-11-{number:02}.log.gz").write_bytes(gzip.compress(day_text(number), mtime=0))
    return folder


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A month, and its manifest signed by a key of Ed25519."""
    serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    base = tmp_path_factory.mktemp("month")
    make_month(base / "logs")
    vf.manifest.add(base / "logs", base / "ev", created=NOW)
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    raw = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (base / "key.pem").write_bytes(key.private_bytes(*raw))
    (base / "pub.pem").write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    vf.manifest.sign(base / "ev", base / "key.pem")
    return base


@pytest.fixture
def month(kept, tmp_path):
    """A copy that a test may damage."""
    shutil.copytree(kept, tmp_path / "m")
    return tmp_path / "m"


def bad(month, *paths, keys=True):
    """The rows that are not ok: (object, verdict), objects without their folder."""
    found = vf.manifest.verify(month / "ev", paths or [month / "logs"], keys=[month / "pub.pem"] if keys else ())
    return [(row.object.rpartition("logs/")[2], row.verdict) for row in found.rows if row.verdict != "ok"]


def log(month, number):
    return month / "logs" / f"2026-11-{number:02}.log.gz"


# -- what is right ------------------------------------------------------------------------------------------------


def test_a_month_is_as_it_was_written(kept):
    found = vf.manifest.verify(kept / "ev", kept / "logs", keys=kept / "pub.pem")
    assert found.ok
    assert found.counts("object") == {"ok": 29}
    assert found.counts("head") == {"ok": 30}
    assert found.silent == ["2026-11-15"]
    assert [row.detail for row in found.rows if row.period == "2026-11-15"] == ["no objects"]
    assert [text.split()[0] for text in found.signers] == ["key"]


def test_lines_say_what_the_objects_hold(kept):
    lines = [json.loads(text) for text in (kept / "ev" / "objects.jsonl").read_text().splitlines()]
    assert [one["seq"] for one in lines] == list(range(29))
    for one in lines:
        stored = pathlib.Path(one["object"]).read_bytes()
        assert (one["size"], one["sha256"]) == (len(stored), hashlib.sha256(stored).hexdigest())
        assert (one["records"], one["ok"], one["accepted"], one["rejected"], one["interfaces"]) == (3, 3, 3, 0, 1)
        assert one["end"] - one["start"] == 180
    head = json.loads((kept / "ev" / "heads" / "000001.json").read_text())
    assert head["coverage"] == {"interfaces": 1, "minutes": 3, "skipdata": 0, "absent": 0}


def test_sha256sum_agrees(month):
    check = ["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=month / "ev").returncode == 0
    heads = sorted((month / "ev" / "heads").iterdir())
    for before, head in zip(heads, heads[1:]):
        said = subprocess.run(["sha256sum", before], capture_output=True, text=True, check=True).stdout.split()[0]
        assert json.loads(head.read_text())["prev_head_sha256"] == said
    heads[3].write_bytes(heads[3].read_bytes().replace(b"vpcflow 0", b"vpcflow 9"))
    assert subprocess.run(check, cwd=month / "ev", capture_output=True).returncode != 0


def test_adding_twice_changes_nothing(month):
    before = {path: path.read_bytes() for path in (month / "ev").rglob("*") if path.is_file()}
    done = vf.manifest.add(month / "logs", month / "ev")
    # The copy lies elsewhere, so that its objects are others; those of the month itself are listed.
    assert done.same == 0
    shutil.rmtree(month / "ev")
    vf.manifest.add(month / "logs", month / "ev", created=NOW)
    before = {path: path.read_bytes() for path in (month / "ev").rglob("*") if path.is_file()}
    done = vf.manifest.add([month / "logs", log(month, 3)], month / "ev")
    assert (done.objects, done.same) == ([], 29)
    assert before == {path: path.read_bytes() for path in (month / "ev").rglob("*") if path.is_file()}


def test_the_same_logs_give_the_same_bytes(kept, tmp_path, monkeypatch):
    monkeypatch.chdir(kept)
    for name in ("a", "b"):
        vf.manifest.add("logs", tmp_path / name, created=NOW)
    assert (tmp_path / "a" / "SHA256SUMS").read_bytes() == (tmp_path / "b" / "SHA256SUMS").read_bytes()
    for number in range(13, 17):  # day by day as at once
        vf.manifest.add("logs", tmp_path / "c", period=f"2026-11-{number}", created=NOW)
    vf.manifest.add([f"logs/2026-11-{number}.log.gz" for number in (13, 14, 16)], tmp_path / "d", created=NOW)
    assert vf.manifest.head(tmp_path / "c") == vf.manifest.head(tmp_path / "d")
    assert vf.manifest.head(tmp_path / "c").number == 4


# -- what was done to it ------------------------------------------------------------------------------------------


def test_objects_that_were_altered_are_named(month):
    data = bytearray(log(month, 7).read_bytes())
    data[-9] ^= 1
    log(month, 7).write_bytes(data)
    log(month, 9).unlink()
    log(month, 11).write_bytes(log(month, 11).read_bytes()[:-20])
    log(month, 12).write_bytes(b"")
    (month / "logs" / "2026-11-15.log").write_bytes(day_text(15))
    assert bad(month) == [
        ("2026-11-07.log.gz", "changed"), ("2026-11-09.log.gz", "missing"), ("2026-11-11.log.gz", "changed"),
        ("2026-11-12.log.gz", "changed"), ("2026-11-15.log", "unlisted"),
    ]  # fmt: skip


def test_files_that_were_swapped_are_named_with_each_other(month):
    one, two = log(month, 7).read_bytes(), log(month, 8).read_bytes()
    log(month, 7).write_bytes(two)
    log(month, 8).write_bytes(one)
    rows = [row for row in vf.manifest.verify(month / "ev", month / "logs").rows if row.verdict != "ok"]
    assert [row.verdict for row in rows] == ["changed", "changed"]
    assert rows[0].detail.endswith("2026-11-08.log.gz")
    assert rows[1].detail.endswith("2026-11-07.log.gz")


def test_an_object_under_another_name_is_named(month):
    log(month, 7).rename(month / "logs" / "renamed.log.gz")
    (month / "logs" / "other.log").write_bytes(b"x" * 100)
    rows = {row.object.rpartition("/")[2]: row for row in vf.manifest.verify(month / "ev", month / "logs").rows if row.verdict != "ok"}
    assert {name: row.verdict for name, row in rows.items()} == {
        "2026-11-07.log.gz": "missing", "other.log": "unlisted", "renamed.log.gz": "unlisted",
    }  # fmt: skip
    assert rows["renamed.log.gz"].detail.endswith("2026-11-07.log.gz, which is missing")
    assert rows["other.log"].detail == ""


def test_what_cannot_be_read_is_named(month):
    log(month, 5).unlink()
    log(month, 5).mkdir()
    log(month, 6).unlink()
    os.mkfifo(log(month, 6))
    assert bad(month) == [("2026-11-05.log.gz", "unreadable"), ("2026-11-06.log.gz", "unreadable")]


def test_a_part_of_the_logs_can_be_asked_for(month):
    found = vf.manifest.verify(month / "ev", log(month, 3))
    assert (found.ok, found.counts("object"), found.unasked) == (True, {"ok": 1}, 28)
    found = vf.manifest.verify(month / "ev", str(month / "logs" / "2026-11-0*.gz"))
    assert (found.ok, found.counts("object")) == (True, {"ok": 29})
    assert vf.manifest.verify(month / "ev").counts("object") == {}


def test_all_gone_is_no_all_clear(month, tmp_path):
    shutil.rmtree(month / "logs")
    (month / "logs").mkdir()
    assert vf.manifest.verify(month / "ev", month / "logs").counts("object") == {"missing": 29}
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.log").write_bytes(day_text(1))
    assert vf.manifest.verify(month / "ev", other).counts("object") == {"unlisted": 1}
    with pytest.raises(vf.SourceNotFoundError):
        vf.manifest.verify(month / "ev", month / "no such folder")


def test_a_removed_head_is_named(month):
    (month / "ev" / "heads" / "000012.json").unlink()
    assert bad(month)[-2:] == [("heads/000012.json", "missing"), ("heads/000013.json", "chain broken")]
    assert bad(month)[:-2] == [(f"heads/{n:06}.json", "not signed") for n in range(1, 12)]
    assert bad(month, keys=False) == bad(month)[-2:]
    with pytest.raises(vf.ManifestError, match=r"heads/000012.json: missing"):
        vf.manifest.add(month / "logs", month / "ev")


def test_the_newest_head_cannot_go_unseen(month):
    (month / "ev" / "heads" / "000030.json").unlink()
    (month / "ev" / "signatures" / "000030.dsse.json").unlink()
    rows = dict(bad(month, keys=False))
    assert rows["heads/000030.json"] == "missing"
    assert rows["objects.jsonl"] == "changed"
    published = json.loads((month / "ev" / "heads" / "000029.json").read_text())["root"]
    assert not vf.manifest.verify(month / "ev", head=published).ok


def test_a_manifest_written_anew_needs_an_anchor_outside(month):
    published = vf.manifest.head(month / "ev").sha256
    shutil.rmtree(month / "ev")
    log(month, 7).unlink()
    vf.manifest.add(month / "logs", month / "ev", created=NOW)
    assert vf.manifest.verify(month / "ev", month / "logs").ok
    assert [row.verdict for row in vf.manifest.verify(month / "ev", head=published).rows if row.verdict != "ok"] == ["missing"]
    assert not vf.manifest.verify(month / "ev", keys=month / "pub.pem").ok
    now = vf.manifest.head(month / "ev").sha256
    assert vf.manifest.verify(month / "ev", head=now.upper()).ok
    for part in (now[:16], now + "0", "", "x" * 64):
        with pytest.raises(vf.ArgumentError, match="expected all 64 digits"):
            vf.manifest.verify(month / "ev", head=part)


@pytest.mark.parametrize("what", ["delete", "alter", "swap", "repeat", "cut", "append"])
def test_lines_that_were_altered_are_named_by_their_head(month, what):
    place = month / "ev" / "objects.jsonl"
    lines = place.read_bytes().splitlines(keepends=True)
    if what == "delete":
        del lines[12]
    elif what == "alter":
        lines[12] = lines[12].replace(b'"records":3', b'"records":4')
    elif what == "swap":
        lines[12], lines[13] = lines[13], lines[12]
    elif what == "repeat":
        lines.insert(12, lines[12])
    elif what == "cut":
        lines[28] = lines[28][:50]
    else:
        lines.append(lines[3].replace(b'"seq":3', b'"seq":29'))
    place.write_bytes(b"".join(lines))
    subprocess.run("sha256sum $(cut -c67- SHA256SUMS) > ../sums && mv ../sums SHA256SUMS", shell=True, cwd=month / "ev", check=True)
    broken = {"cut": "heads/000030.json", "append": "objects.jsonl"}.get(what, "heads/000013.json")
    rows = bad(month, keys=False)
    assert (broken, "changed" if what == "append" else "chain broken") in rows
    heads = [row for row in rows if row[0].startswith("heads")]
    assert len(heads) == {"append": 0, "swap": 2}.get(what, len(heads))
    assert len(heads) <= 2


def test_an_object_is_the_same_from_any_folder(tmp_path, monkeypatch):
    for number in (1, 2):
        (tmp_path / f"{number}").mkdir()
        (tmp_path / f"{number}" / "flow.log").write_bytes(day_text(number))
    monkeypatch.chdir(tmp_path)
    assert vf.manifest.add(["1", "2"], "ev").objects == ["1/flow.log", "2/flow.log"]
    for number in (1, 2):
        monkeypatch.chdir(tmp_path / f"{number}")
        assert (vf.manifest.add(".", "../ev").objects, vf.manifest.add(tmp_path / "1", "../ev").same) == ([], 1)
        vf.manifest.add("flow.log", "../own")
    names = [json.loads(text)["object"] for text in (tmp_path / "own" / "objects.jsonl").read_text().splitlines()]
    assert names == ["flow.log", str(tmp_path / "2" / "flow.log")]  # two files, though both were called flow.log
    assert vf.manifest.verify("../ev", "..").counts("object")["ok"] == 2
    monkeypatch.chdir(tmp_path)
    assert vf.manifest.verify("own", "2").counts("object") == {"ok": 1}
    (tmp_path / "moved").mkdir()
    for name in ("1", "2", "ev"):
        shutil.move(tmp_path / name, tmp_path / "moved" / name)
    monkeypatch.chdir(tmp_path / "moved")
    assert vf.manifest.add(["1", "2"], "ev").same == 2
    assert vf.manifest.verify("ev", ["1", "2"]).ok


def test_an_unsigned_part_is_named(month):
    log(month, 15).write_bytes(gzip.compress(day_text(15)))
    vf.manifest.add(log(month, 15), month / "ev", created=NOW)
    assert ("heads/000031.json", "not signed") in bad(month)
    assert bad(month, log(month, 15), keys=False) == []
    vf.manifest.sign(month / "ev", month / "key.pem")
    assert bad(month, log(month, 15)) == []


def flipped(month, places):
    """Flips single bits of the files of a manifest; returns those that nobody saw."""
    unseen = []
    for path, bit in places:
        data = path.read_bytes()
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            if vf.manifest.verify(month / "small", keys=month / "pub.pem" if bit % 2 else ()).ok:
                unseen.append((path.name, bit))
        except vf.ManifestError:
            pass
        path.write_bytes(data)
    return unseen


def test_every_flip_of_a_bit_is_seen(month):
    """Of a small manifest, its signature and its key; all bits in `make soak`."""
    (month / "few").mkdir()
    shutil.copy(log(month, 1), month / "few")
    vf.manifest.add(month / "few", month / "small", created=NOW)
    vf.manifest.sign(month / "small", month / "key.pem")
    assert vf.manifest.verify(month / "small", keys=month / "pub.pem").ok
    bits = [(path, bit) for path in sorted((month / "small").rglob("*.*")) for bit in range(8 * path.stat().st_size)]
    bits += [(month / "small" / "SHA256SUMS", bit) for bit in range(8 * (month / "small" / "SHA256SUMS").stat().st_size)]
    assert {path.suffix for path, _ in bits} == {".jsonl", ".json", ".pem", ".txt", ""}
    assert flipped(month, bits if LONG else random.Random(7).sample(bits, 80)) == []


def test_flips_are_seen_without_sums_too(month):
    """Who writes SHA256SUMS anew needs the key."""
    (month / "few").mkdir()
    shutil.copy(log(month, 1), month / "few")
    vf.manifest.add(month / "few", month / "small", created=NOW)
    vf.manifest.sign(month / "small", month / "key.pem")
    names = ["objects.jsonl", "heads/000001.json", "signatures/000001.dsse.json"]
    for name, seed in [(name, seed) for name in names for seed in range(400 if LONG else 8)]:
        path = month / "small" / name
        data = path.read_bytes()
        changed = bytearray(data)
        changed[random.Random(seed).randrange(len(data))] ^= 1 << seed % 8
        path.write_bytes(changed)
        vf.manifest.folder.Folder(month / "small").write_sums()
        assert not vf.manifest.verify(month / "small", keys=month / "pub.pem").ok, (name, seed)
        path.write_bytes(data)


# -- other versions, periods, other places ------------------------------------------------------------------------


def test_other_bytes_of_the_same_object_are_named(month):
    log(month, 7).write_bytes(gzip.compress(day_text(7, records=2)))
    first = vf.manifest.add(month / "logs", month / "again", created=NOW)
    assert first.replaced == []
    log(month, 7).write_bytes(gzip.compress(day_text(7, records=1)))
    done = vf.manifest.add(month / "logs", month / "again", created=NOW)
    assert done.replaced == done.objects == [str(log(month, 7))]
    assert json.loads((month / "again" / "objects.jsonl").read_text().splitlines()[-1])["replaces"] == 6
    found = [row for row in vf.manifest.verify(month / "again", month / "logs").rows if row.verdict != "ok"]
    assert [(row.object, row.verdict) for row in found] == [(str(log(month, 7)), "changed")]


def test_days_without_objects_have_heads(tmp_path):
    make_month(tmp_path / "logs", days=(3, 4, 9), without=())
    done = vf.manifest.add(tmp_path / "logs", tmp_path / "ev", created=NOW)
    assert done.empty == ["2026-11-05/2026-11-08"]
    make_month(tmp_path / "later", days=(12,), without=())
    assert vf.manifest.add(tmp_path / "later", tmp_path / "ev", created=NOW).empty == ["2026-11-10/2026-11-11"]
    done = vf.manifest.add(tmp_path / "later", tmp_path / "ev", period="2026-11", created=NOW)
    assert done.empty == ["2026-11-01/2026-11-02", "2026-11-13/2026-11-30"]
    assert vf.manifest.add(tmp_path / "later", tmp_path / "ev", period="2026-11", created=NOW).empty == []
    assert vf.manifest.verify(tmp_path / "ev", [tmp_path / "logs", tmp_path / "later"]).ok


def test_days_that_came_later_are_not_silent(tmp_path):
    make_month(tmp_path / "logs", days=(3, 9), without=())
    vf.manifest.add(tmp_path / "logs", tmp_path / "ev", created=NOW)
    make_month(tmp_path / "late", days=(5,), without=())
    assert vf.manifest.add(tmp_path / "late", tmp_path / "ev", created=NOW).empty == []
    found = vf.manifest.verify(tmp_path / "ev", [tmp_path / "logs", tmp_path / "late"])
    assert (found.ok, found.silent) == (True, ["2026-11-04", "2026-11-06/2026-11-08"])


def test_a_day_that_cannot_be_read_is_not_said_to_be_empty(month):
    log(month, 7).unlink()
    log(month, 7).symlink_to("/proc/self/mem")
    log(month, 8).unlink()
    os.mkfifo(log(month, 8))
    done = vf.manifest.add([month / "logs", log(month, 7)], month / "own", created=NOW)
    assert done.empty == []
    assert str(log(month, 7)) in done.unreadable
    assert "days without objects got no head, as not all objects could be read" in done.notes
    for number in (7, 8):
        log(month, number).unlink()
        log(month, number).write_bytes(gzip.compress(day_text(number)))
    assert vf.manifest.add(month / "logs", month / "own", created=NOW).empty == ["2026-11-15"]


def test_nothing_readable_leaves_no_manifest(month):
    os.mkfifo(month / "pipe.log")
    for _ in range(2):
        with contextlib.suppress(vf.SourceError):
            assert vf.manifest.add(month / "pipe.log", month / "own").unreadable
    with pytest.raises(vf.ManifestError, match="no manifest is there"):
        vf.manifest.verify(month / "own") if (month / "own").exists() else vf.manifest.verify(month)
    (month / "own").mkdir(exist_ok=True)
    (month / "own" / "objects.jsonl").write_text("half a li")  # of a first add that was interrupted
    assert len(vf.manifest.add(month / "logs", month / "own", created=NOW).objects) == 29
    assert vf.manifest.verify(month / "own", month / "logs").ok


def test_a_manifest_without_its_heads_is_not_begun_anew(month):
    shutil.rmtree(month / "ev" / "heads")
    for name in ("SHA256SUMS", "SHA256SUMS", "signatures"):
        with pytest.raises(vf.ManifestError):
            vf.manifest.add(month / "logs", month / "ev", created=NOW)
        (month / "ev" / name).unlink(missing_ok=True) if name != "signatures" else None


def test_an_object_of_many_days_stands_for_all_of_them(tmp_path):
    (tmp_path / "many.log").write_bytes(b"".join(day_text(number) for number in (2, 3, 4, 8)))
    (tmp_path / "spilt.log").write_bytes(day_text(10) + line(start=FIRST + 10 * DAY - 30, end=FIRST + 10 * DAY + 30))
    make_month(tmp_path / "logs", days=(13,), without=())
    added = [vf.manifest.add(tmp_path / name, tmp_path / "ev", created=NOW).empty for name in ("many.log", "spilt.log", "logs")]
    assert added == [["2026-11-05/2026-11-07"], ["2026-11-09"], ["2026-11-11/2026-11-12"]]
    lines = [json.loads(text)["days"] for text in (tmp_path / "ev" / "objects.jsonl").read_text().splitlines()]
    assert lines == [["2026-11-02/2026-11-04", "2026-11-08"], ["2026-11-10"], ["2026-11-13"]]
    assert vf.manifest.verify(tmp_path / "ev").silent == ["2026-11-05/2026-11-07", "2026-11-09", "2026-11-11/2026-11-12"]
    own = [tmp_path / name for name in ("many.log", "spilt.log", "logs")]
    done = vf.manifest.add(own, tmp_path / "third", period="2026-11-03", created=NOW)
    assert [name.rpartition("/")[2] for name in done.objects] == ["many.log"]


def test_a_period_takes_its_own_objects_and_leaves_the_future_open(tmp_path):
    make_month(tmp_path / "logs", days=(3, 4), without=())
    done = vf.manifest.add(tmp_path / "logs", tmp_path / "ev", period="2026-11-04", created=NOW)
    assert [name[-17:] for name in done.objects] == ["2026-11-04.log.gz"]
    assert "1 object of other days left out" in done.notes
    done = vf.manifest.add(tmp_path / "logs", tmp_path / "ev", period="2026-11", created=FIRST + 6 * DAY + 5)
    assert done.empty == ["2026-11-01/2026-11-02", "2026-11-05/2026-11-06"]
    assert done.notes[-1] == "the period is not over: days from 2026-11-07 on are left open"
    for wrong in ("2026-13", "2026-11-31", "November", "2026-1", "-1"):
        with pytest.raises(vf.PlanError, match="expected a month or a day"):
            vf.manifest.add(tmp_path / "logs", tmp_path / "ev", period=wrong)


def test_runs_of_days():
    from datetime import date, timedelta

    days = {date(2026, 11, 1) + timedelta(n) for n in (0, 1, 2, 5, 7, 8)}
    assert runs(days) == ["2026-11-01/2026-11-03", "2026-11-06", "2026-11-08/2026-11-09"]


@pytest.mark.parametrize("to", ["elsewhere/copy", "a/b/2026/logs", "deep/er/logs"])
def test_a_copy_elsewhere_is_compared(kept, tmp_path, to):
    shutil.copytree(kept / "logs", tmp_path / to)
    found = vf.manifest.verify(kept / "ev", tmp_path / to)
    assert (found.ok, found.counts("object")) == (True, {"ok": 29})
    (tmp_path / to / "2026-11-03.log.gz").unlink()
    (tmp_path / to / "2026-11-04.log.gz").write_bytes(b"x")
    assert vf.manifest.verify(kept / "ev", tmp_path / to).counts("object") == {"ok": 27, "missing": 1, "changed": 1}


def test_names_that_were_made_to_hurt(tmp_path, capsys):
    folder = tmp_path / "logs"
    folder.mkdir()
    names = ["a\nb.log", "x..log", "a\u202eb.log", "-rf.log", "\\x.log", "a'\"$(x).log", "é" * 100 + ".log"]
    for name in [*map(os.fsencode, names), b"\xff\xfe.log", b"\xff\xfd.log"]:
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(HEADER + line(src=f"10.0.{len(name)}.{name[1]}"))
    done = vf.manifest.add(folder, tmp_path / "ev")
    assert len(done.objects) == len(names) + 2
    assert subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "ev").returncode == 0
    assert vf.manifest.verify(tmp_path / "ev", folder).ok
    os.unlink(os.fsencode(folder) + b"/\xff\xfe.log")
    os.unlink(folder / "a\nb.log")
    assert main(["manifest", "verify", str(tmp_path / "ev"), str(folder)]) == 1
    shown = capsys.readouterr().out
    assert shown.count("missing  ") == 2
    assert "a\\nb.log" in shown
    assert "\\udcff" in shown


def test_the_manifest_itself_is_not_collected(month):
    vf.manifest.add(month / "logs", month / "logs" / "ev", created=NOW)
    assert vf.manifest.add(month / "logs", month / "logs" / "ev", created=NOW).objects == []
    assert vf.manifest.verify(month / "logs" / "ev", month / "logs").ok


def test_damage_is_listed_and_said(tmp_path, capsys):
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "cut.log.gz").write_bytes(gzip.compress(day_text(1))[:-12])
    (folder / "good.log").write_bytes(day_text(1) + b"2 junk\n")
    assert main(["manifest", "add", str(folder), "--to", str(tmp_path / "ev"), "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said["damaged"] == {str(folder / "cut.log.gz"): "damaged"}
    assert len(said["objects"]) == 2
    lines = [json.loads(text) for text in (tmp_path / "ev" / "objects.jsonl").read_text().splitlines()]
    assert sorted(sum(one["rejects"].values()) for one in lines) == [0, 1]
    assert vf.manifest.verify(tmp_path / "ev", folder).ok


def test_an_interrupted_add_is_finished_by_the_next(month):
    vf.manifest.add(month / "logs", month / "ev2", created=NOW)
    shutil.copytree(month / "ev2", month / "whole")
    log(month, 15).write_bytes(gzip.compress(day_text(15)))
    with open(month / "ev2" / "objects.jsonl", "ab") as file:
        file.write(b'{"seq":29,"object":"half a li')
    assert not vf.manifest.verify(month / "ev2").ok
    done = vf.manifest.add(month / "logs", month / "ev2", created=NOW)
    assert len(done.objects) == 1
    assert vf.manifest.verify(month / "ev2", month / "logs").ok


def test_large_objects_are_read_in_pieces(month, monkeypatch):
    (month / "logs" / "x.log").write_bytes(day_text(15, records=40))
    vf.manifest.add(month / "logs", month / "one", created=NOW)
    for module in ("stores", "measuring"):
        monkeypatch.setattr(f"vpcflow.manifest.{module}.IN_MEMORY", 100)
    vf.manifest.add(month / "logs", month / "two", created=NOW)
    assert (month / "one" / "objects.jsonl").read_bytes() == (month / "two" / "objects.jsonl").read_bytes()


def test_an_object_that_grows_while_it_is_read_is_not_listed(month, monkeypatch):
    def growing(store, stored):
        seen = real(store, stored)
        log(month, 3).write_bytes(log(month, 3).read_bytes() + b"x")
        return seen

    real = vf.manifest.adding.stored_hash
    for module in ("stores", "measuring"):
        monkeypatch.setattr(f"vpcflow.manifest.{module}.IN_MEMORY", 100)
    monkeypatch.setattr("vpcflow.manifest.measuring.stored_hash", growing)
    done = vf.manifest.add(log(month, 3), month / "grown", created=NOW)
    assert done.objects == []
    assert list(done.unreadable.values()) == ["it was written while it was read; add it when it is complete"]


def test_heads_say_which_interfaces_are_silent(month):
    (month / "aws").mkdir()
    known = [{"NetworkInterfaceId": name, "InterfaceType": "interface"} for name in ("eni-1", "eni-2", "eni-3")]
    (month / "aws" / "describe-network-interfaces.json").write_text(json.dumps({"NetworkInterfaces": known}))
    vf.manifest.add(month / "logs", month / "known", inventory=vf.inventory(month / "aws"), created=NOW)
    heads = [json.loads(path.read_text()) for path in sorted((month / "known" / "heads").iterdir())]
    assert heads[0]["expected"] == {"interfaces": 3, "silent": 2, "first_silent": ["eni-2", "eni-3"]}
    assert heads[14]["expected"]["silent"] == 3  # the day without objects
    found = vf.manifest.verify(month / "known")
    assert found.ok
    assert {row.detail for row in found.rows} == {
        "2 interfaces of the inventory without records", "no objects, 3 interfaces of the inventory without records",
    }  # fmt: skip


def test_coverage_is_that_of_the_engine(month):
    gaps = day_text(15) + HEADER + line(start=FIRST + 14 * DAY + 7200, end=FIRST + 14 * DAY + 7320, status="SKIPDATA")
    log(month, 15).write_bytes(gzip.compress(gaps))
    vf.manifest.add(log(month, 15), month / "own", created=NOW)
    minutes = {}
    for row in vf.scan(log(month, 15)).coverage():
        minutes[row["seen"]] = minutes.get(row["seen"], 0) + row["minutes"]
    said = vf.manifest.head(month / "own").coverage
    assert said == {"interfaces": 1, "minutes": minutes["OK"] + minutes["SKIPDATA"], "skipdata": minutes["SKIPDATA"], "absent": minutes["absent"]}


def test_one_process_writes_at_a_time(month):
    with vf.manifest.folder.Folder(month / "ev").locked(), pytest.raises(vf.OutputError, match="another process writes"):
        vf.manifest.sign(month / "ev", month / "key.pem")
    assert vf.manifest.sign(month / "ev", month / "key.pem").files == []


# -- hostile manifests --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[" * 100_000, b'{"a":' * 5000, b"9" * 5000, b"\xff\xfe", b'{"seq":1e999}', b"\n" * 1000, b"null\n"],
)
@pytest.mark.parametrize("name", ["objects.jsonl", "heads/000003.json", "signatures/000030.dsse.json", "SHA256SUMS", "keys/x"])
def test_no_bytes_are_a_crash(month, name, content):
    (month / "ev" / name).write_bytes(content)
    assert not vf.manifest.verify(month / "ev", keys=month / "pub.pem").ok


def test_files_of_other_kinds_are_no_crash(month):
    heads = month / "ev" / "heads"
    (heads / "000004.json").unlink()
    os.mkfifo(heads / "000004.json")
    (heads / "000031.json").symlink_to("/dev/zero")
    (month / "ev" / "signatures" / "000001.sig").mkdir()
    assert not vf.manifest.verify(month / "ev", keys=month / "pub.pem").ok
    (heads / "999999999999.json").write_text("x")
    with pytest.raises(vf.ManifestError, match=r"heads/ has number 999,999,999,999"):
        vf.manifest.verify(month / "ev")


def test_what_is_no_manifest(tmp_path):
    with pytest.raises(vf.SourceNotFoundError, match="no such folder"):
        vf.manifest.verify(tmp_path / "ev")
    with pytest.raises(vf.ManifestError, match="no manifest is there"):
        vf.manifest.head(tmp_path)
    for wrong in ("-", "cloudwatch://group", "https://x.example/"):
        with pytest.raises(vf.VpcflowError):
            vf.manifest.add(wrong, tmp_path / "ev")
    assert list(tmp_path.iterdir()) == []


# -- trees and proofs ---------------------------------------------------------------------------------------------


def slow_root(lines):
    """RFC 6962, 2.1, as it is written there."""
    if len(lines) == 1:
        return hashlib.sha256(b"\x00" + lines[0]).digest()
    k = 1
    while k * 2 < len(lines):
        k *= 2
    return hashlib.sha256(b"\x01" + slow_root(lines[:k]) + slow_root(lines[k:])).digest()


def test_trees_and_paths_are_those_of_the_rfc():
    merkle = pytest.importorskip("pymerkle")
    lines = [b"%d" % n for n in range(70)]
    grown, other = tree.Tree(), merkle.InmemoryTree(algorithm="sha256")
    for size in range(1, len(lines) + 1):
        leaves = [tree.leaf_hash(one) for one in lines[:size]]
        grown.add(leaves[-1])
        other.append_entry(lines[size - 1])
        root = slow_root(lines[:size])
        assert grown.root() == root == other.get_root()
        for index in {0, size - 1, size // 2, size // 3}:
            path = tree.inclusion_path(leaves, index)
            assert tree.root_by_path(leaves[index], index, size, path) == root
            assert tree.root_by_path(leaves[index], index, size, [*path, root]) is None
            assert tree.root_by_path(leaves[index], (index + 1) % size, size, path) != root or size == 1
            assert tree.root_by_path(leaves[index], index, size, path[:-1]) != root or not path


def test_a_proof_proves_one_object(kept):
    proof = vf.manifest.prove(kept / "ev", "2026-11-07.log.gz")
    from vpcflow.manifest.proofs import proved

    entry, head = proved(json.loads(json.dumps(proof)))
    assert entry.object.endswith("2026-11-07.log.gz")
    assert head == vf.manifest.head(kept / "ev")
    for name, value in [("index", 3), ("tree_size", 28), ("path", proof["path"][:-1]), ("root", "0" * 64), ("path", ["x"]),
                        ("line", proof["line"].replace("6", "7", 1)), ("head", proof["head"].replace("0.1", "0.2"))]:  # fmt: skip
        if (name, value) == ("head", proof["head"].replace("0.1", "0.2")):
            continue  # a head of another tool is another head with the same root: its hash tells
        with pytest.raises(vf.ManifestError):
            proved({**proof, name: value})
    with pytest.raises(vf.ManifestError, match="did you mean"):
        vf.manifest.prove(kept / "ev", str(kept / "logs" / "2026-11-07.log.g"))


# -- the command line ---------------------------------------------------------------------------------------------


def test_the_commands(month, capfd):
    def said(code, *args):
        assert main([str(arg) for arg in ("manifest", *args)]) == code
        return capfd.readouterr()

    rows = [json.loads(text) for text in said(0, "verify", month / "ev", month / "logs", "--json").out.splitlines()]
    assert {row["verdict"] for row in rows} == {"ok"}
    assert json.loads(said(0, "prove", month / "ev", "2026-11-07.log.gz").out)["index"] == 6
    log(month, 2).unlink()
    shown = said(1, "verify", month / "ev", month / "logs", "--keys", month / "pub.pem").out
    assert "missing" in shown
    assert "AWS does not sign flow logs" in shown
    assert said(2, "verify", month / "nothing").err.startswith("vpcflow: error: ")
    assert "no key" in said(2, "sign", month / "ev").err
    shutil.rmtree(month / "ev")
    assert said(0, "add", month / "logs", "--to", month / "ev").out.startswith("28 objects added, 0 listed before; head 30 of 28 objects")
    log(month, 3).write_bytes(b"")
    assert "replaced: " in said(1, "add", month / "logs", "--to", month / "ev").out
