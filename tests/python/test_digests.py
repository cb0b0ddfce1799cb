"""Digests: hunting in them is hunting in the logs; nothing changes them but what was not in them."""

import collections
import csv
import datetime
import functools
import gzip
import ipaddress
import itertools
import json
import random
import re
import shlex
import subprocess

import pytest

import vpcflow as vf
from conftest import LONG, ROOT, SAMPLE, run_cli
from vpcflow.cli import main
from vpcflow.digest import Digests, build, merge
from vpcflow.digest.day import merge as merge_days
from vpcflow.digest.stored import from_bytes, to_bytes

pytest.importorskip("pyarrow")
pytest.importorskip("numpy")

DAY = 86400
BEGIN = 20_000 * DAY
HEADER = "interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status pkt-srcaddr pkt-dstaddr\n"
pytestmark = pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")


def addresses(rng, n):
    """IPv4 and IPv6, some of them neighbours, so that prefixes hold several."""
    v4 = [f"{rng.choice(['10.1', '198.51', '203.0'])}.{rng.randrange(4)}.{rng.randrange(256)}" for _ in range(n)]
    v6 = [str(ipaddress.ip_address(f"2001:db8:{rng.randrange(3):x}::{rng.randrange(1, 65536):x}")) for _ in range(n // 2)]
    return v4 + v6 + ["0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]


def day_of_lines(rng, day, pool, n):
    """Records of a day, as dictionaries; some without addresses, one that ends on the next day."""
    out = []
    for i in range(n):
        start = BEGIN + day * DAY + (DAY - 30 if i == 0 else rng.randrange(DAY))
        src, dst = rng.sample(pool, 2)
        status = rng.choice(["OK"] * 9 + ["NODATA"])
        own = {"interface": f"eni-{rng.randrange(3)}", "start": start, "end": start + rng.randrange(1, 600), "status": status}
        if status == "OK":
            through = rng.random() < 0.2
            own |= {"src": src, "dst": dst, "action": rng.choice(["ACCEPT", "REJECT"])}
            own |= {"pkt_src": rng.choice(pool) if through else src, "pkt_dst": dst}
        out.append(own)
    return out


def text_of(records):
    lines = [HEADER]
    for r in records:
        if r["status"] == "OK":
            lines.append(f"{r['interface']} {r['src']} {r['dst']} 40000 443 6 3 400 {r['start']} {r['end']} {r['action']} OK {r['pkt_src']} {r['pkt_dst']}\n")
        else:
            lines.append(f"{r['interface']} - - - - - - - {r['start']} {r['end']} - NODATA - -\n")
    return "".join(lines).encode()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Logs of many days, an object a day and one of two days, with holes; their records; their digests."""
    rng = random.Random(34)
    base = tmp_path_factory.mktemp("digests")
    (base / "logs").mkdir()
    pool = addresses(rng, 60)
    days = 1000 if LONG else 60
    records = {}
    for day in range(days):
        if day % 7 != 3:  # a hole in each week
            records[day] = day_of_lines(rng, day, rng.sample(pool, 25), 40)
    kept = list(records)
    for day in kept[2:]:
        (base / "logs" / f"day{day:04}.log.gz").write_bytes(gzip.compress(text_of(records[day]), 1, mtime=0))
    (base / "logs" / "two.log").write_bytes(text_of([r for day in kept[:2] for r in records[day]]))
    build(vf.scan(str(base / "logs")), base / "digests")
    return base, [r for day in kept for r in records[day]], pool, rng


parsed = functools.cache(ipaddress.ip_address)


def expected(records, indicator, asked):
    """What hunt says, by brute force: seen, first, last, days, peers."""
    net = ipaddress.ip_network(indicator)
    first = last = None
    days, peers, hours = set(), set(), set()
    for r in records:
        day = r["start"] // DAY
        if r["status"] != "OK" or not asked[0] <= day <= asked[1]:
            continue
        for ends in ((r["src"], r["dst"]), (r["pkt_src"], r["pkt_dst"])):
            for own, other in (ends, ends[::-1]):
                address = parsed(own)
                if address.version == net.version and address in net:
                    first = r["start"] if first is None else min(first, r["start"])
                    last = r["end"] if last is None else max(last, r["end"])
                    days.add(day)
                    hours.add(r["start"] // 3600)
                    peers.add(other)
    return bool(days), first, last, [str(datetime.date(1970, 1, 1) + datetime.timedelta(d)) for d in sorted(days)], peers, len(hours)


def test_hunting_in_digests_is_hunting_in_the_logs(world):
    base, records, pool, rng = world
    indicators = [*rng.sample(pool, 20), "192.0.2.1", "2001:db8::/33", "0.0.0.0/0", "::/0", "::/128", "255.255.255.255"]
    for text in rng.sample(pool, 20):
        wide = rng.choice([8, 22, 24, 30] if "." in text else [16, 33, 48, 112, 126])
        indicators.append(str(ipaddress.ip_network(f"{text}/{wide}", strict=False)))
    covered = sorted({r["start"] // DAY for r in records})
    for asked in ((covered[0], covered[-1]), (covered[3], covered[9])):
        begin, end = (datetime.date(1970, 1, 1) + datetime.timedelta(d) for d in (asked[0], asked[1] + 1))
        found = vf.hunt(indicators, base / "digests", start=str(begin), end=str(end))
        assert found.days_asked == asked[1] - asked[0] + 1
        assert found.days_covered == sum(asked[0] <= day <= asked[1] for day in covered) < found.days_asked
        for one in found:
            seen, first, last, days, peers, hours = expected(records, one.indicator, asked)
            assert (one.seen, one.first, one.last, one.days, one.peer_count, one.hours_seen) == (seen, first, last, days, len(peers), hours), one
            assert set(one.peers) <= peers
            assert len(one.peers) == min(len(peers), 20)
        for one in rng.sample(list(found), 5):  # few are looked up in another way than many
            assert vf.hunt([one.indicator], base / "digests", start=str(begin), end=str(end))[0] == one
    assert 0 < len(found.seen) < len(found)


def test_records_come_of_objects_of_the_days_seen_alone(world):
    base, records, _, _ = world
    counts = collections.Counter(a for r in records if r["status"] == "OK" for a in {r["src"], r["dst"], r["pkt_src"]})
    rare = min(counts, key=lambda a: (counts[a], a))
    found = vf.hunt([rare], base / "digests")
    flows = vf.scan(str(base / "logs"))
    shown = found.records(flows)
    wanted = [r for r in records if r["status"] == "OK" and rare in (r["src"], r["dst"], r["pkt_src"], r["pkt_dst"])]
    assert sorted((r["srcaddr"], r["dstaddr"], r["start"]) for r in shown) == sorted((r["src"], r["dst"], r["start"]) for r in wanted)
    assert 0 < shown.report.sources <= found[0].days_seen < len(flows._sources)
    assert vf.hunt(["192.0.2.1"], base / "digests").records(flows).rows() == []
    with pytest.raises(vf.NoRecordsError, match="none of"):
        found.records(vf.scan(text_of(records[:9])))


def test_any_order_any_split_and_twice_give_the_same_bytes(world, tmp_path):
    base, _, _, rng = world
    files = sorted(str(p) for p in (base / "logs").iterdir())[:8]
    parts = []
    for number, own in enumerate((files[:3], files[2:5], files[4:])):  # overlapping
        build(vf.scan(own), tmp_path / f"part{number}")
        parts.append(tmp_path / f"part{number}")
    build(vf.scan(files), tmp_path / "whole")
    whole = {p.name: p.read_bytes() for p in (tmp_path / "whole").iterdir()}
    for number, order in enumerate(itertools.islice(itertools.permutations(parts), 0, 6, 2)):
        merge([*order, order[0]], tmp_path / f"merged{number}")
        assert {p.name: p.read_bytes() for p in (tmp_path / f"merged{number}").iterdir()} == whole
    shuffled = rng.sample(files, len(files))
    for one in (shuffled[0], *shuffled, shuffled[1]):  # one by one, two of them twice
        build(vf.scan(one), tmp_path / "single")
    assert {p.name: p.read_bytes() for p in (tmp_path / "single").iterdir()} == whole
    again = build(vf.scan(files), tmp_path / "whole")
    assert (again.objects, again.known, again.days) == (0, len(files), [])


def test_records_of_a_day_in_any_objects_give_the_same_tables(tmp_path):
    """What does not depend on objects: addresses, pairs, hours of interfaces."""
    rng = random.Random(5)
    records = day_of_lines(rng, 0, addresses(rng, 30), 200)
    tables = []
    for pieces in (1, 2, 7):
        shuffled = rng.sample(records, len(records))
        folder = tmp_path / str(pieces)
        for piece in range(pieces):
            build(vf.scan(text_of(shuffled[piece::pieces])), folder)
        digests = Digests(folder)
        day = digests.open(digests.days[0]).day()
        tables.append(to_bytes(day._replace(objects={})))
        assert sum(one.records for one in day.objects.values()) == len(records)
    assert len(set(tables)) == 1


def test_what_is_left_out_of_a_digest_is_said(tmp_path):
    good = text_of(day_of_lines(random.Random(1), 0, ["10.0.0.1", "10.0.0.2"], 5))
    skip = f"eni-1 - - - - - - - {BEGIN + 3600} {BEGIN + 3660} - SKIPDATA - -\n".encode()
    (tmp_path / "a.log").write_bytes(good + b"eni-1 10.0.0.1 nonsense 1 2 6 1 1 5 6 ACCEPT OK - -\n" + skip)
    packed = gzip.compress(text_of(day_of_lines(random.Random(2), 3, ["10.0.0.1", "10.0.0.2"], 20_000)), mtime=0)
    (tmp_path / "cut.log.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(vf.DataLossError) as error:
        build(vf.scan(str(tmp_path)), tmp_path / "d")
    assert len(error.value.partial.days) == 2
    rows = Digests(tmp_path / "d").rows()
    assert [(r["skipdata"], r["rejected"], r["damaged"], r["skipdata_hours"]) for r in rows] == [(1, 1, 0, 1), (0, 0, 1, 0)]
    notes = " ".join(vf.hunt(["10.0.0.9"], tmp_path / "d").notes)
    assert "cut.log.gz" in notes
    assert "1 line of 1 object were rejected" in notes
    assert "SKIPDATA in 1 hour" in notes
    assert main(["digest", "build", str(tmp_path / "a.log"), "-o", str(tmp_path / "r"), "--max-rejects", "0"]) == 3
    for bad in (b"", b"srcaddr dstaddr start end\n10.0.0.1 10.0.0.2 - -\n"):
        with pytest.raises(vf.NoRecordsError):
            build(vf.scan(bad, allow_empty=True), tmp_path / "none")
    with pytest.raises(vf.PlanError, match="whole days"):
        build(vf.scan(good).filter("dstport = 443"), tmp_path / "d")
    assert run_cli("digest", "build", "-", "-o", tmp_path / "e", stdin=good).returncode == 2  # a stream has no identity


def test_a_lost_day_comes_back(tmp_path):
    """Of an object of two days, one of whose digests is gone, that day is read again."""
    rng = random.Random(7)
    (tmp_path / "a.log").write_bytes(text_of(day_of_lines(rng, 0, ["10.0.0.1", "10.0.0.2"], 9) + day_of_lines(rng, 1, ["10.0.0.1", "10.0.0.3"], 9)))
    build(vf.scan(str(tmp_path / "a.log")), tmp_path / "d")
    before = {p.name: p.read_bytes() for p in (tmp_path / "d").iterdir()}
    assert len(before) == 2
    (tmp_path / "d" / min(before)).unlink()
    build(vf.scan(str(tmp_path / "a.log")), tmp_path / "d")
    assert {p.name: p.read_bytes() for p in (tmp_path / "d").iterdir()} == before


def read_all(data):
    return from_bytes(data, "my-digest").day()


def test_cut_altered_and_foreign_files_are_refused_by_name(tmp_path):
    build(vf.scan(text_of(day_of_lines(random.Random(3), 0, addresses(random.Random(3), 8), 20))), tmp_path)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    assert to_bytes(read_all(data)) == data
    for length in range(0, len(data), 1 if LONG else 13):
        with pytest.raises(vf.StateError, match="my-digest"):
            read_all(data[:length])
    for place in range(0, len(data), 1 if LONG else 7):
        for bit in (1, 128):
            with pytest.raises(vf.StateError, match="my-digest"):
                read_all(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
    for foreign in (b"", b"PK\x03\x04" + data, data + b"x", b"VPCFDIG\x02" + data[8:], b"VPCFDIG", b"VPCFDIG\x01" + b"\xff" * 4):
        with pytest.raises(vf.StateError, match="my-digest"):
            read_all(foreign)
    with pytest.raises(vf.StateError, match="reads version 1"):
        read_all(b"VPCFDIG\x02" + data[8:])
    path.write_bytes(data[:-1])
    done = run_cli("hunt", _file(tmp_path, "i.txt", "10.1.0.1\n"), "--digests", tmp_path)
    assert done.returncode == 2
    assert path.name.encode() in done.stderr
    other = tmp_path / "2000-01-01.digest"
    other.write_bytes(data)
    path.unlink()
    with pytest.raises(vf.SourceError, match="expected that of 2000-01-01"):
        Digests(tmp_path).rows()


def test_heads_that_lie_are_refused():
    """Bytes whose hashes are right and whose numbers are not, as only an attacker makes them."""
    import hashlib

    from vpcflow.digest import stored

    def made(**changes):
        head = {"day": "2026-11-23", "v4": 0, "v6": 0, "pairs": 0, "objects": [], "interfaces": [], "sections": []}
        head["sections"] = [[name, 0, hashlib.sha256(b"").hexdigest()] for name in stored._SECTIONS]
        text = json.dumps({**head, **changes}).encode()
        packed = len(text).to_bytes(4, "little") + stored._compress(text)
        return b"VPCFDIG\x01" + len(packed).to_bytes(4, "little") + hashlib.sha256(packed).digest() + packed

    assert len(read_all(made()).addresses.keys) == 0
    lies = [
        {"v4": 2**40}, {"v4": -1}, {"v4": "x"}, {"v4": 5}, {"pairs": 7}, {"day": "2026-13-01"}, {"day": 5}, {"objects": [[1]]},
        {"objects": 5}, {"interfaces": [["eni", "x", "y"]]}, {"sections": []}, {"sections": [["v4", 10**12, ""]]},
    ]  # fmt: skip
    for lie in lies:
        with pytest.raises(vf.StateError, match="my-digest"):
            read_all(made(**lie))
    with pytest.raises(vf.PlanError, match="expected one day"):
        merge_days([read_all(made()), read_all(made(day="2026-11-24"))])


def _file(folder, name, text):
    path = folder / name
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    line = f"eni-1 10.0.0.1 198.51.100.7 40000 443 6 3 400 {BEGIN} {BEGIN + 60} REJECT OK - -\n"
    build(vf.scan((HEADER + line).encode()), folder / "d")
    return folder


LISTS = {
    "lines.txt": "# bad\n198.51.100.7 # c2\n\n192.0.2.0/24,comment\n",
    "defanged.txt": "198.51.100[.]7:443\n192.0.2.0/24\nevil.example\n",
    "feed.csv": 'first_seen,dst_ip,port\n2026-01-01,198.51.100.7,443\n2026-01-01,192.0.2.0/24,1\n',
    "misp.csv": "uuid,type,value\n1,ip-dst|port,198.51.100.7|443\n2,ip-src,192.0.2.0/24\n3,domain,x.example\n",
    "stix.json": json.dumps({"type": "bundle", "objects": [
        {"type": "indicator", "pattern": "[ipv4-addr:value = '198.51.100.7' OR ipv4-addr:value ISSUBSET '192.0.2.0/24']"},
        {"type": "ipv4-addr", "value": "10.0.0.1"}]}),
    "array.json": '["198.51.100.7", "192.0.2.0/24"]',
    "misp.json": json.dumps({"response": [{"Event": {"Attribute": [{"type": "ip-dst", "value": "198.51.100.7"}, {"type": "md5", "value": "0"}],
                                                     "Object": [{"Attribute": [{"type": "ip-src|port", "value": "192.0.2.0/24|80"}]}]}}]}),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_indicators_are_read_as_others_write_them(name, small):
    path = _file(small, name, LISTS[name])
    found = vf.hunt(str(path), small / "d")
    assert {(one.indicator, one.seen, one.accepted) for one in found} == {("198.51.100.7", True, False), ("192.0.2.0/24", False, None)}
    if name != "defanged.txt":  # the detectors read the same lists
        from vpcflow.detect.threat_lists import addresses_of

        assert addresses_of(str(path))[0] == ["198.51.100.7", "192.0.2.0/24"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("10.0.0.300\n", "'10.0.0.300': expected an address or a prefix"),
        ("10.0.0.1/24\n", "did you mean '10.0.0.0/24'"),
        ("evil.example\n", "no address among 1 indicator: 'evil.example' is none"),
        ("", "no address among 0 indicators"),
        ("{", "Expecting property name"),
    ],
)
def test_what_is_no_indicator_is_an_error(text, says, small):
    with pytest.raises(vf.PlanError) as error:
        vf.hunt(str(_file(small, "bad", text)), small / "d")
    assert says in str(error.value)


def test_the_command_tells_by_its_exit_code(small, tmp_path, capfdbinary):
    def run(*args):
        code = main(["hunt", *map(str, args), "--digests", str(small / "d")])
        return code, capfdbinary.readouterr().out

    seen, other = _file(tmp_path, "seen", "198.51.100.7\n192.0.2.1\n"), _file(tmp_path, "other", "192.0.2.1\n")
    day = datetime.date(1970, 1, 1) + datetime.timedelta(BEGIN // DAY)
    code, out = run(seen, "--json", "--end", day + datetime.timedelta(3))
    assert code == 1
    first, second = map(json.loads, out.splitlines())
    assert (first["seen"], first["days_seen"], first["days_covered"], first["days_asked"]) == (True, 1, 1, 3)
    assert (second["seen"], second["first"], second["days"]) == (False, None, [])
    code, out = run(other, "--start", day - datetime.timedelta(2))
    assert code == 0
    assert b"1 not seen on any of them; 2 days asked without digest" in out
    assert b"never" not in out
    assert b"no digest here" in run_cli("hunt", seen, "--digests", small, check=2).stderr
    for wrong in (tmp_path / "no", small / "d" / f"{day}.digest"):
        with pytest.raises(vf.SourceError):
            Digests(wrong)
    with pytest.raises(vf.NoRecordsError, match="no digest before end"):
        vf.hunt(["192.0.2.1"], small / "d", end="2001-02-01")
    assert run("198.51.100.7")[0] == 1  # an address instead of a file
    with pytest.raises(vf.NoRecordsError, match="no digest of"):
        vf.hunt(["192.0.2.1"], small / "d", start="2001-01-01", end="2001-02-01")
    table = run(seen, "--csv")[1].decode()
    assert [row["seen"] for row in csv.DictReader(table.splitlines())] == ["True", "False"]
    with pytest.raises(vf.PlanError, match="did you mean 'where'"):
        vf.hunt(str(_file(tmp_path, "c.csv", "when,where\n1,198.51.100.7\n")), small / "d", column="wher")


def test_the_page_runs_as_it_stands(tmp_path, monkeypatch, capfdbinary):
    """Every command and the program of "An indicator arrived", in their order, with what the page says comes of them."""
    page = (ROOT / "docs" / "how-to" / "were-we-touched.md").read_text()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "flow.log.gz").write_bytes(SAMPLE.read_bytes())
    monkeypatch.chdir(tmp_path)
    ran = []
    for block in re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S):
        for command in block.splitlines():
            if command.startswith("vpcflow "):
                ran.append(command.split()[1])
                assert main(shlex.split(command)[1:]) == (ran[-1] == "hunt"), command
            else:
                subprocess.run(["bash", "-c", command], check=True, timeout=60)
    out = b"".join(capfdbinary.readouterr()).decode()
    assert set(ran) == {"digest", "hunt", "trace", "timeline"}
    said = re.search(r"It prints `([^`]+)`", page)[1]
    assert said in out
    assert "records; 1 object opened of 1 object" in out
    (program,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    names = {}
    exec(program, names)
    assert names["found"].conclusion() == said
    assert len(names["records"]) > 100
    assert (tmp_path / "case.jsonl").read_text().count("\n") > 100
