"""The report: its page, its figures, and what it says of logs that show little."""

import base64
import gzip
import hashlib
import html.parser
import importlib
import io
import json
import os
import re
import shlex
import sys
import types

import pytest

import vpcflow as vf
from any_logs import any_log
from conftest import HEADER, ROOT, SAMPLE, line
from vpcflow import rules
from vpcflow._display import instant, length
from vpcflow._words import share
from vpcflow.cli import main
from vpcflow.detect import Baseline
from vpcflow.query.axis import figure

LONG = bool(os.environ.get("VPCFLOW_LONG"))  # make soak
BUDGET = 150_000  # bytes of a page
HOSTILE = "<img src=x onerror=document.title='hit'>\"'</style></script><script>document.title='hit'</script>\u202e\x1b[31m"
VOID = {"meta", "rect", "path", "circle"}


class Page(html.parser.HTMLParser):
    """A page as its elements: tags with attributes, texts with the tags that they are in, and tables by heading."""

    def __init__(self, text):
        super().__init__()
        self.way, self.tags, self.texts = [], [], []
        self.tables, self.heading, self.rows = {}, "", None
        self.feed(text)
        assert self.way == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.way.append(tag)
        if tag == "table":
            self.rows = []
            self.tables.setdefault(self.heading, []).append(self.rows)
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "data":
            self.rows[-1][-1] = float(dict(attributes)["value"])
        elif tag in ("h2", "figcaption"):
            self.heading = ""

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.way.pop() == tag

    def handle_data(self, data):
        self.texts.append((tuple(self.way), data))
        if self.way and self.way[-1] in ("h2", "figcaption"):
            self.heading += data
        elif "td" in self.way and isinstance(self.rows[-1][-1], str):
            self.rows[-1][-1] += data

    def body(self, title, number=0):
        """The rows of a table without its head; cells of bars are empty."""
        return [[cell for cell in row if cell != ""] for row in self.tables[title][number][1:]]


@pytest.fixture(scope="module")
def sample():
    return vf.report(vf.scan(SAMPLE), title="Shop")


@pytest.fixture(scope="module")
def page(sample):
    return Page(sample.html)


def scalars(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from scalars(one)
    elif isinstance(value, list):
        for one in value:
            yield from scalars(one)
    else:
        yield value


def test_every_number_of_the_page_is_one_of_json(sample, page):
    figures = sample.to_dict()
    numbers = {float(one) for one in scalars(figures) if isinstance(one, (int, float)) and not isinstance(one, bool)}
    shown = [float(attributes["value"]) for tag, attributes in page.tags if tag == "data"]
    assert len(shown) > 300
    assert set(shown) <= {*numbers, 0.0}  # bins without a minute of a kind
    rows = {name: [list(row.values()) for row in figures[name]["rows"]] for name in ("talkers", "receivers", "rejected_sources")}
    for title, name in (("Who sends most", "talkers"), ("Who receives most", "receivers"), ("Rejected sources", "rejected_sources")):
        assert page.body(title) == rows[name]
    assert [row[0].split()[0] for row in page.body("Rejected ports")] == [str(row["dstport"]) for row in figures["rejected_ports"]["rows"]]
    assert [row[1:] for row in page.body("Rejected records over time")] == [
        [row["rejected"], row["records"]] for row in figures["over_time"]["rows"]
    ]
    assert [row[2:6] for row in page.body("Exposed ports: answered to outside addresses")] == [
        [{6: "TCP", 17: "UDP", 1: "ICMP"}[row["protocol"]], row["clients"], row["sessions"], row["bytes"]]
        for row in figures["exposed"]["rows"]
    ]
    assert [row[1:] for row in page.body("Interfaces that the logs have least of")] == [
        [row[seen] for seen in ("OK", "SKIPDATA", "NODATA", "absent")] for row in figures["coverage"]["worst"]
    ]
    minutes = page.body("Minutes of interfaces by what the logs have of them")
    assert [sum(row[n] for row in minutes) for n in (1, 2, 3, 4)] == [
        figures["coverage"]["minutes"][seen] for seen in ("OK", "SKIPDATA", "NODATA", "absent")
    ]


NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?(?: ?[kMGTP]?B\b| ?%|k\b|M\b)?")


def forms_of(figures):
    """All ways in which the page writes the numbers of ``--json``."""
    forms = set()
    for one in scalars(figures):
        if isinstance(one, str):
            forms |= set(NUMBER.findall(one))
        elif isinstance(one, (int, float)) and not isinstance(one, bool):
            forms |= {f"{one:,}", f"{one:,.2f}", figure(one, "B"), f"{one:.1%}", str(one)}
            if 0 < one < 10**11:
                forms |= set(NUMBER.findall(f"{instant(int(one))} {length(one)}"))
    minutes = (figures["coverage"] or {"minutes": {}})["minutes"]
    forms |= {share(n, sum(minutes.values())).lstrip("<>") for n in minutes.values()}
    totals = figures["totals"]
    if totals["rejected"] is not None:
        forms.add(share(totals["rejected"], max(totals["rejected"] + totals["accepted"], 1)))
    series = (figures["over_time"] or {"rows": []})["rows"]
    for name in ("accepted_bytes", "rejected_bytes", "other_bytes", "rejected"):  # what a pointer shows of a series
        whole = sum(row[name] or 0 for row in series)
        forms |= {figure(whole, "B"), figure(whole, "records")}
    forms |= {figure(n, "minutes") for n in minutes.values()}
    for name in ("talkers", "receivers", "rejected_sources", "rejected_ports", "exposed", "controls"):  # "the 10 largest"
        forms.add(f"{len((figures[name] or {'rows': []})['rows']):,}")
    forms |= {f"{len(figures['incidents']['in_brief']):,}", f"{len(figures['coverage']['worst'] if figures['coverage'] else []):,}"}
    forms |= {str(n) for n in range(16)}  # numbers of incidents in pictures
    return forms


def strange_numbers(html, figures):
    """How many numbers a page has, and those that ``--json`` does not have in any form."""
    forms, seen, strange = forms_of(figures), 0, []
    fixed = {"1 kB", "1,000 B", "32768", "169.254", "256", "30"}  # of the page's own texts
    for way, text in Page(html).texts:
        if not {"style", "script"} & set(way) and way[-1:] != ("text",):  # the numbers of axes are round
            for number in NUMBER.findall(text):
                seen += 1
                if number not in forms | fixed:
                    strange.append((number, text[:80]))
    return seen, strange


@pytest.mark.parametrize("which", ["sample", "all", "cost", "reject", "nothing"])
def test_all_numbers_of_the_page_are_those_of_json(sample, which, monkeypatch, geo):
    monkeypatch.chdir(ROOT)
    made = {
        "sample": lambda: sample,
        "all": lambda: vf.report(
            vf.scan("examples/audit/flow.log.gz"), controls=AUDIT / "controls.yaml", inventory=AUDIT / "aws", geo=geo,
            baseline=Baseline().updated(vf.scan(SAMPLE)), prices="examples/cost/prices.json",
            made=1_795_000_000,
        ),
        "cost": lambda: vf.report(vf.scan("examples/cost/flow.log.gz"), inventory="examples/cost/aws", prices="examples/cost/prices.json"),
        "reject": lambda: vf.report(vf.scan(SAMPLE).filter("action = 'REJECT'")),
        "nothing": lambda: vf.report(vf.scan(b"", allow_empty=True)),
    }[which]()
    figures = made.to_dict()
    seen, strange = strange_numbers(made.html, figures)
    assert strange == []
    assert seen > (10 if which == "nothing" else 300)
    if which == "sample":  # one that is another is seen
        wrong = made.html.replace(f"{figures['totals']['rejected']:,}", "3,547").replace("27.3 GB", "27.4 GB")
        assert {number for number, _ in strange_numbers(wrong, figures)[1]} == {"3,547", "27.4 GB"}


def test_figures_are_those_of_the_other_commands(sample, capsys):
    figures, flows = sample.to_dict(), vf.scan(SAMPLE)
    assert main(["summary", str(SAMPLE), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert {name: figures["read"][name] for name in ("records", "ok", "nodata", "skipdata", "text_bytes")} == {
        name: summary[name] for name in ("records", "ok", "nodata", "skipdata", "text_bytes")
    }
    assert figures["totals"]["bytes"] == summary["bytes"] == sum(
        row["accepted_bytes"] + row["rejected_bytes"] + row["other_bytes"] for row in figures["over_time"]["rows"]
    )
    assert figures["totals"]["rejected"] == summary["rejected"] == sum(row["rejected"] for row in figures["over_time"]["rows"])
    assert figures["talkers"]["rows"] == [{"srcaddr": r["srcaddr"], "bytes": r["bytes"], "records": r["n"]} for r in summary["top_talkers"]]
    assert sum(row["bytes"] for row in figures["talkers"]["rows"]) + figures["talkers"]["other_bytes"] == summary["bytes"]
    incidents = vf.detect(flows, samples=0).incidents()
    assert [one["story"] for one in figures["incidents"]["in_full"]] == [one.story for one in incidents]
    coverage = flows.coverage().rows()
    for seen, minutes in figures["coverage"]["minutes"].items():
        assert minutes == sum(row["minutes"] for row in coverage if row["seen"] == seen)
        assert minutes == sum(row["minutes"] for row in figures["coverage"]["over_time"] if row["seen"] == seen)


def test_exposed_ports_are_those_that_answered_outside(sample):
    """By the slow way: every conversation looked at alone."""
    import ipaddress

    inside = [ipaddress.ip_network(prefix) for prefix in vf.detection.Settings().inside]

    def is_inside(address):
        return any(ipaddress.ip_address(address) in network for network in inside if network.version == ipaddress.ip_address(address).version)

    services = {}
    for one in vf.scan(SAMPLE).sessions().collect():
        if one["counted"] and one["answered"] and one["client_known"] and is_inside(one["server"]) and not is_inside(one["client"]):
            clients, sums = services.setdefault((one["server"], one["server_port"], one["protocol"]), (set(), [0, 0]))
            clients.add(one["client"])
            sums[0] += 1
            sums[1] += one["server_bytes"]
    exposed = sample.to_dict()["exposed"]
    assert exposed["there"] == len(services) > 15
    for row in exposed["rows"]:
        clients, sums = services[row["dstaddr"], row["dstport"], row["protocol"]]
        assert (row["clients"], row["sessions"], row["bytes"]) == (len(clients), *sums)
    assert exposed["rows"][0]["clients"] == max(len(clients) for clients, _ in services.values())


def test_the_order_is_what_was_not_seen_first(sample, page):
    text = sample.html
    heads = [text for way, text in page.texts if way[-1:] == ("h2",)]
    assert heads[:6] == ["What was not seen", "What to do next", "Incidents", "New since the baseline", "Controls", "Traffic over time"]
    assert heads[-1] == "Appendix: how this was made"
    assert text.index("SKIPDATA") < text.index('<p class="verdict') < text.index("<h2>Incidents")
    assert "none was checked" in text
    assert not [text for way, text in page.texts if "</" in text and way[-1] not in ("style", "script")]
    # Every picture has its numbers: as a table in the same figure.
    figures = re.findall(r"<figure>.*?</figure>", text, re.S)
    assert len(figures) == 4
    assert all("<table>" in one and 'role="img" aria-label="' in one for one in figures)


def is_closed(text):
    """Checks that a page asks for nothing and lets nothing run but its own style and script."""
    page = Page(text)
    assert {tag for tag, _ in page.tags} & {"img", "link", "iframe", "object", "embed", "base", "form", "a", "use", "image"} == set()
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "href", "xlink:href")], tag
    policies = [a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv") == "Content-Security-Policy"]
    blocks = re.findall(r"<(style|script)>(.*?)</\1>", text, re.S)
    hashes = {name: base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for name, body in blocks}
    assert [name for name, _ in blocks] == ["style", "script"]
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; base-uri 'none'; form-action 'none'"
    ]
    assert not re.search(r"url\(|@import|https?:", text)
    return page


def hostile_log(folder):
    """A log whose texts are hostile, in a file with a hostile name."""
    names = "account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status region vpc-id"
    bad = HOSTILE.replace(" ", "_").replace("\x1b", "")
    lines = [names]
    lines += [f"{bad} {bad} 203.0.113.9 10.0.0.9 {40000 + n} {n + 1} 6 1 40 {n} {n + 60} REJECT OK {bad} {bad}" for n in range(60)]
    folder = folder / "a<b onload=alert(1)>&'\""
    folder.mkdir()
    path = folder / "x<script>\u202e.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_nothing_that_a_log_wrote_runs_or_is_hidden(tmp_path):
    made = vf.report(vf.scan(hostile_log(tmp_path)), title=HOSTILE)
    assert made.to_dict()["incidents"]["there"] == 1
    text = made.html
    page = is_closed(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    shown = "".join(text for _, text in page.texts)
    assert "\\u202e" in shown
    assert "<img src=x" in shown  # as text
    assert "\\x1b[31m" in shown
    assert ".log at" in shown  # the place of a record


def test_the_same_logs_give_the_same_bytes(sample):
    again = vf.report(vf.scan(SAMPLE, threads=1), title="Shop")
    assert again.html == sample.html
    assert again.to_json() == sample.to_json()
    assert "made" not in re.sub(r"<style>.*?</style>", "", sample.html.split("<main>")[0], flags=re.S).lower().split("<header>")[1]
    dated = vf.report(vf.scan(HEADER + line()), made="2026-11-30T09:00:00Z")
    assert "made 2026-11-30 09:00 UTC" in dated.html
    is_closed(sample.html)
    assert len(sample.html.encode()) < BUDGET


NODATA = b"2 1 eni-1 - - - - - - - 0 60 - NODATA\n"


@pytest.mark.parametrize(
    ("log", "where", "verdict"),
    [
        (b"", "", "No conclusion: no record was read"),
        (HEADER + NODATA, "", "No conclusion: 1 record, none of traffic"),
        (HEADER + line(), "dstport = 9", "No conclusion: 0 of 1 record pass the filter"),
        (b"srcaddr bytes\n10.0.0.1 40\n", "", "No conclusion about attacks: the logs lack what every detector needs"),
        (HEADER + line() + b"x\n" * 9, "", "Nothing found in 1 record, 40 B, but most lines are malformed and were left out"),
        (HEADER + line(), "", "Nothing found in 1 record, 40 B by 1"),
    ],
    ids=["empty", "nodata", "filtered", "fields", "malformed", "one"],
)
def test_logs_that_show_little_are_no_all_clear(log, where, verdict, quiet):
    flows = vf.scan(log, allow_empty=True)
    made = vf.report(flows.filter(where) if where else flows)
    assert made.verdict.startswith(verdict)
    assert made.to_dict()["verdict"]["kind"] == ("nothing" if verdict.startswith("Nothing found in 1 record, 40 B by") else "unknown")
    page = is_closed(made.html)
    assert verdict in "".join(text for _, text in page.texts)
    if made.to_dict()["verdict"]["kind"] == "nothing":
        assert "this is no all-clear" in made.verdict


FULL = (
    "srcaddr dstaddr srcport dstport protocol packets bytes start end action interface-id\n"
    + "".join(
        f"198.51.100.{n % 9} 10.0.0.5 {40000 + n} 443 6 5 500 {n} {n + 60} ACCEPT eni-1\n10.0.0.5 198.51.100.{n % 9} 443 {40000 + n} 6 5 900 {n} {n + 60} ACCEPT eni-1\n"
        f"203.0.113.{n % 7} 10.0.0.5 {50000 + n} 22 6 1 40 {n} {n + 60} REJECT eni-1\n"
        for n in range(50)
    )
)


@pytest.mark.parametrize("field", FULL.split("\n")[0].split())
def test_what_the_logs_lack_is_not_nothing(field):
    """Of logs that lack a field what rests on it is not known; it is not 0, and no all-clear."""
    place = FULL.split("\n")[0].split().index(field)
    rows = [words[:place] + words[place + 1 :] for words in map(str.split, FULL.splitlines())]
    whole = vf.report(vf.scan(FULL.encode())).to_dict()
    made = vf.report(vf.scan("\n".join(map(" ".join, rows)).encode()))
    figures, page = made.to_dict(), is_closed(made.html)
    text = "".join(text for way, text in page.texts if not {"style", "script"} & set(way))
    known = {"bytes": "bytes", "packets": "packets", "action": "rejected", "interface-id": "interfaces"}
    for name, own in known.items():
        assert figures["totals"][own] == (None if field == name else whole["totals"][own])
    assert figures["talkers"] is None or field != "srcaddr"
    if field == "bytes":
        assert "Trafficnot logged" in text
        assert "by records, as the logs have no bytes" in text
        assert " 0 B" not in text
        assert {row["srcaddr"]: row["records"] for row in figures["talkers"]["rows"]}["10.0.0.5"] == 50
    if field == "action":
        assert (figures["rejected_sources"], figures["rejected_ports"]) == (None, None)
        assert "No record was rejected" not in text
        assert "alone" not in " ".join(step["text"] for step in figures["next"])
    if field == "interface-id":
        assert "Every minute of every interface" not in text
        assert any("do not name interfaces" in line["text"] for line in figures["not_seen"])
    exposed = figures["exposed"]
    assert exposed is None or {row["dstport"] for row in exposed["rows"]} == {443}, "it answered: nothing else is true"
    assert exposed is not None or "Cannot be told: " in text
    assert any(field in step["text"] for step in figures["next"]) or field in ("protocol", "interface-id", "dstport"), figures["next"]


def test_of_what_some_records_lack_sums_are_a_floor(tmp_path):
    _, *lines = FULL.splitlines()
    (tmp_path / "a.log").write_text(FULL)
    (tmp_path / "b.log").write_text("srcaddr dstaddr dstport protocol start end\n10.0.0.5 10.0.0.6 443 6 0 60\n")
    figures = vf.report(vf.scan(tmp_path)).to_dict()
    whole = vf.report(vf.scan(tmp_path / "a.log")).to_dict()
    assert figures["totals"]["bytes"] == whole["totals"]["bytes"]
    told = [line["text"] for line in figures["not_seen"] if line["kind"] == "gap"]
    assert f"1 of {len(lines) + 1} records of traffic have no bytes, so sums of bytes are a floor" in told
    assert any("have no action, so counts of accepted and rejected records are a floor" in text for text in told)
    assert not any("are a floor" in line["text"] for line in whole["not_seen"])


def test_any_logs_have_a_page(quiet):
    kinds = set()
    for seed in range(1000 if LONG else 12):
        made = vf.report(vf.scan(any_log(seed)))
        is_closed(made.html)
        kinds.add(made.to_dict()["verdict"]["kind"])
        if made.to_dict()["read"]["ok"] == 0:
            assert made.verdict.startswith("No conclusion")
    assert len(kinds) > 1


def test_ten_thousand_findings_are_a_page(tmp_path):
    there = 10_000 if LONG else 2_000
    file = tmp_path / "rules.yaml"
    file.write_text("- {name: seen, severity: high, by: [srcaddr], every: 1h, aggregates: {n: count()}, having: [n >= 1]}\n")
    log = HEADER + b"".join(line(src=f"10.{n // 62500}.{n // 250 % 250}.{n % 250}", start=1000 + n) for n in range(there))
    made = vf.report(vf.scan(log), rules=rules.load(file), only=["port_scan"])
    incidents = made.to_dict()["incidents"]
    assert incidents["findings"] == there
    assert len(incidents["in_full"]) + len(incidents["in_brief"]) + sum(one["incidents"] for one in incidents["left"]) == incidents["there"]
    assert len(made.html.encode()) < BUDGET


def test_a_page_of_many_incidents_has_its_size():
    """Of incidents whose evidence is long fewer are told in full, and the others are counted by kind."""
    head = "srcaddr dstaddr srcport dstport protocol packets bytes start end action interface-id"
    rows = []
    for n in range(900):
        outside, own, name = f"2a01:4f8:{n:x}:aaaa:bbbb:cccc:dddd:1", f"fd00:aaaa:bbbb:cccc:dddd::{n % 400:x}", f"eni-{n % 400:064x}"
        for port in (22, 3389, 5432):
            time = n * 700 + port
            rows.append(f"{outside} {own} {40000 + n} {port} 6 20 9000 {time} {time + 50} ACCEPT {name}")
            rows.append(f"{own} {outside} {port} {40000 + n} 6 20 90000 {time} {time + 50} ACCEPT {name}")
    made = vf.report(vf.scan("\n".join([head, *rows]).encode()), title="T" * 25_000)
    assert len(made.html.encode()) < BUDGET
    incidents = made.to_dict()["incidents"]
    page, text = is_closed(made.html), made.html
    told = [said for way, said in page.texts if way[-1:] == ("p",) and said.startswith("Not shown, by kind: ")]
    left = sum(int(n.replace(",", "")) for n in re.findall(r"([\d,]+) (?:high|medium|low) ", told[0]))
    full, brief = text.count("<summary>Evidence and what to do next"), re.search(r"<summary>(\d+) more incident", text)
    assert full < len(incidents["in_full"])
    assert full + (int(brief[1]) if brief else 0) + left == incidents["there"]


def test_of_more_addresses_than_memory_has_room_for_the_largest_are_exact(monkeypatch):
    monkeypatch.setattr(importlib.import_module("vpcflow.report.bounded"), "_COUNTERS", 1500)
    rows = [f"10.0.{n >> 8}.{n & 255} {n % 7} {'REJECT' if n % 3 else 'ACCEPT'}" for n in range(20_000)]
    rows += [f"192.0.2.{k} {5000 * k} REJECT" for k in range(1, 16) for _ in range(20 + k)]
    log = "\n".join(["srcaddr bytes action", *rows]).encode()
    whole, page = vf.report(vf.scan(log)).to_dict(), vf.report(vf.scan(log, max_memory="2MB"))
    few = page.to_dict()
    assert (whole["addresses_counted"], few["addresses_counted"]) == (True, False)
    for name in ("talkers", "rejected_sources"):
        assert {**few[name], "there": 0} == {**whole[name], "there": 0}
        assert few[name]["there"] == pytest.approx(whole[name]["there"], rel=0.06)
    assert any("is an estimate" in line["text"] for line in few["not_seen"])
    assert "the 10 largest of about " in page.html
    assert "the 10 largest of 20,015 sources" in vf.report(vf.scan(log)).html
    flat = "\n".join(["srcaddr bytes action", *rows[:20_000]]).encode()
    page = vf.report(vf.scan(flat, max_memory="2MB"))
    assert page.to_dict()["rejected_sources"]["bound"] >= 1  # any other may be as large
    assert "another may have up to" in page.html
    with pytest.raises(vf.OutOfMemoryError):
        vf.report(vf.scan(log, max_memory="100kB"))
    with pytest.raises(vf.OutOfMemoryError):
        vf.report(vf.scan(types.SimpleNamespace(read=io.BytesIO(log).read), max_memory="2MB"))


def test_a_path_is_a_row_of_cost(monkeypatch):
    monkeypatch.chdir(ROOT)
    flows = vf.scan("examples/cost/flow.log.gz")
    cost, made = flows.cost("examples/cost/aws"), vf.report(flows, inventory="examples/cost/aws").to_dict()["cost"]
    rows = {(row["class"], row["why"]): row for row in made["rows"]}
    assert len(rows) == len(made["rows"]) < len(cost)
    assert rows["public_in_region", None]["bytes"] == sum(r["bytes"] for r in cost if (r["class"], r["why"]) == ("public_in_region", None))
    assert sum(row["list_cost"] or 0 for row in made["rows"]) == pytest.approx(float(cost.total()))
    assert sum(row["bytes"] for row in made["rows"]) == sum(row["bytes"] for row in cost)


def test_who_is_asked_is_somebody_here():
    log = "srcaddr dstaddr srcport dstport protocol packets bytes start end action\n"
    log += "203.0.113.9 10.0.0.7 40000 3389 6 20 9000 0 50 ACCEPT\n10.0.0.7 203.0.113.9 3389 40000 6 20 90000 0 50 ACCEPT\n"
    made = vf.report(vf.scan(log.encode())).to_dict()
    assert made["incidents"]["in_full"][0]["actors"] == ["203.0.113.9"]
    assert made["next"][0]["text"] == "Look into the medium incident first, and ask who owns the hosts: 10.0.0.7"
    assert "The logs lack log-status" in " ".join(line["text"] for line in made["not_seen"])


def test_one_time_of_each_record_is_a_time():
    rows = "".join(f"10.0.0.1 10.0.0.2 {40 + n} {n * 600} ACCEPT\n" for n in range(9))
    made = vf.report(vf.scan(f"srcaddr dstaddr bytes start action\n{rows}".encode()))
    assert sum(row["accepted_bytes"] for row in made.to_dict()["over_time"]["rows"]) == sum(40 + n for n in range(9))
    assert "Since 1970-01-01 00:00:00 UTC" in re.sub(r"<[^>]+>", "", made.html)
    assert made.to_dict()["next"][0]["text"] == "Check that the flow log captures ALL: here is ACCEPT alone"
    assert made.to_dict()["next"][1]["text"].endswith("what detection lacks: end")
    assert made.to_dict()["next"][2]["text"] == "Add to the format of the flow log what figures lack: log-status, interface-id"


def test_what_can_be_read_is_in_the_page_before_the_error(tmp_path, capsys):
    whole = gzip.compress(HEADER + b"".join(line(start=n) for n in range(3000)), 1)
    (tmp_path / "cut.log.gz").write_bytes(whole[: len(whole) * 2 // 3])
    assert main(["report", str(tmp_path / "cut.log.gz"), "-o", str(tmp_path / "r.html")]) == 2
    assert "cut.log.gz" in capsys.readouterr().err
    text = (tmp_path / "r.html").read_text()
    assert text.index("Not read to the end") < text.index("<h2 id=\"do\">") < text.index("again, and make this report anew")
    assert re.search(r'<h2 id="seen">What was not seen</h2>\s*<ul><li class="bad">Not read to the end', text)
    assert "but not all of the logs could be read" in text
    assert main(["report", str(tmp_path / "none.log"), "-o", str(tmp_path / "n.html")]) == 2
    assert not (tmp_path / "n.html").exists()


def test_standard_input_has_all_that_a_file_gives(sample, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(SAMPLE.read_bytes())))
    assert main(["report", "-", "--json", "--title", "Shop"]) == 0
    assert capsys.readouterr().out == sample.to_json().replace(str(SAMPLE), "-")


def test_of_a_stream_the_page_says_what_one_reading_lacks(sample):
    stream = types.SimpleNamespace(read=io.BytesIO(SAMPLE.read_bytes()).read)
    made = vf.report(vf.scan(stream), title="Shop", controls=AUDIT / "controls.yaml")
    figures, whole = made.to_dict(), sample.to_dict()
    for name in ("totals", "talkers", "exposed", "over_time"):
        assert figures[name] == whole[name]
    for name in ("coverage", "controls"):
        assert figures[name] is None
        assert "already read" in figures["lacking"][name]
        assert {"kind": "gap", "text": f"{name.capitalize()}: {figures['lacking'][name]}"} in figures["not_seen"]
    assert "Not known" in "".join(text for _, text in is_closed(made.html).texts)


def test_a_quarter_of_a_year_is_a_page():
    """With few bins, and addresses of IPv6."""
    log = HEADER + b"".join(
        line(src=f"2001:db8:1234:5678:9abc:def0:{n % 7:x}:1", start=10_800 * n, end=10_800 * n + 60)
        for n in range(720)
    )  # fmt: skip
    made = vf.report(vf.scan(log))
    figures = made.to_dict()
    assert figures["period"]["seconds"] > 89 * 86_400
    assert figures["over_time"]["every"] == figures["coverage"]["every"] == 86_400
    assert len(figures["over_time"]["rows"]) == 90
    assert figures["talkers"]["there"] == 7
    assert len(made.html.encode()) < BUDGET
    is_closed(made.html)
    assert strange_numbers(made.html, figures)[1] == []


def test_new_since_the_baseline_and_countries(tmp_path, geo):
    past = HEADER + line(src="10.0.0.1", dstport=443)
    flows = vf.scan(HEADER + line(src="10.0.0.1", dstport=443) + outgoing())
    made = vf.report(flows, baseline=Baseline().updated(vf.scan(past)), geo=geo).to_dict()
    assert "conversation" in made["new"]["baseline"]
    assert made["new"]["why_not"] == ""
    assert made["countries"]["rows"][0] == {"country": "SE", "sessions_to": 1, "bytes_to": 500, "sessions_from": 0, "bytes_from": 0}
    with pytest.raises(vf.PlanError, match=r"geo='none\.mmdb'"):
        vf.report(flows, geo="none.mmdb")


AUDIT = ROOT / "examples" / "audit"


def test_controls_and_the_manifest(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    vf.manifest.add("examples/audit/flow.log.gz", tmp_path / "evidence", created=0)
    out = tmp_path / "r.html"
    args = ["examples/audit/flow.log.gz", "--controls", AUDIT / "controls.yaml", "--manifest", tmp_path / "evidence", "-o", out]
    assert main(["report", *map(str, args)]) == 0
    assert capsys.readouterr().out == f"{out}: 1 incident: 1 medium; 4 controls: 2 failed, 2 passed\n"
    assert main(["report", *map(str, args[:-2]), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    results = vf.audit.check(vf.scan("examples/audit/flow.log.gz"), AUDIT / "controls.yaml")
    assert {row["id"]: (row["verdict"], row["violations"], row["asked"]) for row in figures["controls"]["rows"]} == {
        one.id: (one.verdict, one.total("violations"), one.total("asked")) for one in results
    }
    page = is_closed(out.read_text(encoding="utf-8"))
    assert [row[0] for row in page.body("Controls")] == [row["id"] for row in figures["controls"]["rows"]]
    text = "".join(text for _, text in page.texts)
    assert "10.30.0.7 to 10.20.0.6, TCP port 5432: it was answered (examples/audit/flow.log.gz at" in text
    assert vf.manifest.head(tmp_path / "evidence").sha256 in text


def test_a_control_that_cannot_be_told_is_no_pass():
    zones = {"dev": {"cidr": "10.0.0.1/32"}, "cde": {"cidr": "10.0.0.9/32"}}
    controls = vf.audit.load({"zones": zones, "controls": [{"id": "seg", "deny": {"from": "dev", "to": "cde", "except": "tcp/22"}}]})
    log = b"srcaddr dstaddr srcport dstport protocol start end action\n10.0.0.1 10.0.0.9 40000 443 6 0 60 ACCEPT\n"
    made = vf.report(vf.scan(log), controls=controls).to_dict()
    (row,) = made["controls"]["rows"]
    assert row["verdict"] == "not_evaluable"
    assert made["verdict"]["kind"] == "unknown"
    assert made["verdict"]["text"].endswith("1 control: 1 not evaluable")
    assert any(line["text"].startswith("Control seg cannot be told: ") for line in made["not_seen"])


def outgoing():
    """A conversation of an inside host with one in Sweden."""
    head = "2 123456789010 eni-1"
    return (
        f"{head} 10.0.0.5 89.160.20.113 40000 443 6 5 500 0 60 ACCEPT OK\n{head} 89.160.20.113 10.0.0.5 443 40000 6 5 900 0 60 ACCEPT OK\n"
    ).encode()


@pytest.fixture
def geo(tmp_path, monkeypatch):
    """A database of countries, as far as maxminddb would read it."""

    class Reader:
        def __enter__(self):
            return iter([("89.160.20.0/24", {"country": {"iso_code": "SE"}})])

        def __exit__(self, *args):
            return None

    module = types.SimpleNamespace(open_database=lambda path: Reader(), InvalidDatabaseError=ValueError)
    monkeypatch.setitem(sys.modules, "maxminddb", module)
    (tmp_path / "countries.mmdb").write_bytes(b"")
    return str(tmp_path / "countries.mmdb")


def test_wrong_calls_say_what_is_right(capsys, tmp_path, monkeypatch):
    for args, words in [
        (["report", SAMPLE], "give -o FILE.html or FILE.pdf"),
        (["report", SAMPLE, "-o", "x.txt"], "x.txt: unknown ending '.txt'; expected .html or .pdf"),
        (["report", SAMPLE, "-o", tmp_path / "r.html", "--prices", "p.json"], "--prices is of no use without --inventory"),
        (["report", SAMPLE, "-o", tmp_path / "no" / "r.html"], "r.html"),
        (["report", SAMPLE, "--json", "--geo", SAMPLE], "invalid file: expected a MaxMind DB"),
        (["report", SAMPLE, "--json", "--controls", "none.yaml"], "none.yaml: No such file"),
        (["report", SAMPLE, "--json", "--controls", SAMPLE], "not a text in UTF-8, at byte 1; YAML or JSON is expected"),
    ]:
        assert main([str(arg) for arg in args]) == 2
        assert words in capsys.readouterr().err
    with pytest.raises(vf.ArgumentError, match="report: Flows is needed"):
        vf.report("logs/")
    with pytest.raises(vf.NoRecordsError):
        vf.report(vf.scan(b""))
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert main(["report", str(SAMPLE), "-o", str(tmp_path / "r.html")]) == 2
    assert "pip install 'vpcflow[report]'" in capsys.readouterr().err


def test_paper_without_a_browser(sample, tmp_path, monkeypatch):
    """WeasyPrint gives pictures none of the page's styles, so each has its own."""
    from vpcflow.report import pdf

    monkeypatch.setattr(pdf, "browser", lambda: None)
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(vf.OutputError, match="a PDF needs Chromium or WeasyPrint"):
        sample.save(tmp_path / "r.pdf")
    assert not (tmp_path / "r.pdf").exists()
    printed = []

    class Document:
        def __init__(self, string):
            printed.append(string)

        def write_pdf(self):
            return b"%PDF"

    monkeypatch.setitem(sys.modules, "weasyprint", types.SimpleNamespace(HTML=Document))
    sample.save(tmp_path / "r.pdf")
    assert (tmp_path / "r.pdf").read_bytes() == b"%PDF"
    assert printed[0].count("<svg") == len(re.findall(r"<svg[^>]*><style>\.vf", printed[0])) > 30
    assert "<details>" not in printed[0]


def test_a_notebook_shows_it_in_a_frame(sample):
    (tag,) = [attributes for name, attributes in Page(sample._repr_html_()).tags if name == "iframe"]
    assert "sandbox" in tag
    assert tag["srcdoc"] == sample.html


def test_the_how_to_page_runs(tmp_path, monkeypatch, capsys):
    text = (ROOT / "docs" / "how-to" / "report-for-a-lead.md").read_text()
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```\n\$ vpcflow (.*)\n((?:.*\n)*?)```", text, re.M)
    assert len(blocks) == 3
    for command, shown in blocks:
        own, _, filtered = command.partition(" | ")
        assert main(shlex.split(own)) == 0
        printed = capsys.readouterr().out
        assert (str(json.loads(printed)["verdict"]) + "\n" if filtered else printed) == shown
    (code,) = re.findall(r"```python\n(.*?)```", text, re.S)
    exec(compile(code, "report-for-a-lead.md", "exec"), {})
    assert (tmp_path / "report.html").stat().st_size < BUDGET
    cost = (tmp_path / "cost.html").read_text()
    assert cost.count("search-data") >= 2  # a name of the inventory, in tables and at an incident
    assert "Not known" not in cost.split("What the traffic costs, by path")[1].split("<h2>")[0]
