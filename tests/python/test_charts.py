"""Charts: their numbers, their pictures, and the pictures of the gallery."""

import importlib
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import vpcflow as vf
from any_logs import any_log
from conftest import HEADER, ROOT, SAMPLE, line
from vpcflow.charts import Chart
from vpcflow.charts.drawing import WIDTH

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'&\u202e]]>"
LOG = HEADER + b"".join(
    line(src=f"10.0.0.{n}", dstport=port, size=100 * n, start=60 * n, end=60 * n + 60, action=action)
    for n in range(1, 12)
    for port, action in ((22, "REJECT"), (443, "ACCEPT"), (53, "ACCEPT"))
)


@pytest.fixture(scope="module")
def flows():
    return vf.scan(LOG)


@pytest.fixture(scope="module")
def every(flows):
    """A chart of each kind."""
    c = vf.charts
    return {
        "timeline": c.timeline(flows), "top_n": c.top_n(flows, "srcaddr", n=3), "heat_map": c.heat_map(flows),
        "zone_matrix": c.zone_matrix(flows, {"low": ["10.0.0.0/29"]}), "sankey": c.sankey(flows, n=3),
        "node_graph": c.node_graph(flows, n=9), "coverage_timeline": c.coverage_timeline(flows),
        "incident_timeline": c.incident_timeline(vf.detect(vf.scan(SAMPLE), samples=0)),
    }  # fmt: skip


def parsed(svg):
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    return root


def test_all_kinds_are_tried(every):
    assert sorted([*every, "Chart"]) == sorted(vf.charts.__all__)
    assert all(isinstance(chart, Chart) for chart in every.values())


def test_pictures_are_svg_with_a_name_and_nothing_from_elsewhere(every):
    for name, chart in every.items():
        root = parsed(chart.svg())
        assert root.get("role") == "img"
        assert root.get("aria-label").startswith(chart.title)
        tags = {element.tag.removeprefix(SVG) for element in root.iter()}
        assert tags <= {"svg", "style", "rect", "path", "text", "title", "circle"}, name
        assert not [a for element in root.iter() for a in element.attrib if a == "style" or a.startswith("on") or "href" in a]
        height = float(root.get("viewBox").split()[3])
        for element in root.iter():
            for attribute, most in (("x", WIDTH), ("cx", WIDTH), ("y", height), ("cy", height)):
                assert 0 <= float(element.get(attribute, 0)) <= most, (name, element.attrib)
            if element.tag == f"{SVG}rect":
                assert float(element.get("width")) >= 0
                assert float(element.get("x")) + float(element.get("width")) <= WIDTH + 0.1, name
                assert float(element.get("y")) + float(element.get("height")) <= height + 0.1, name
        inline = chart.inline()
        assert "<style" not in inline
        assert inline.count("<path") == chart.svg().count("<path")
        assert chart._repr_svg_() == chart.svg()


def test_series_and_other_are_the_whole(flows):
    chart = vf.charts.top_n(flows, "srcaddr", n=3, every="5m")
    assert chart.series == ["10.0.0.11", "10.0.0.10", "10.0.0.9", "other"]
    assert chart.note == "the 3 largest of 11"
    whole = {row["time"]: row["bytes"] for row in flows.group_by(every="5m").agg(bytes=vf.sum("bytes")).collect()}
    sums = {}
    for row in chart.rows:
        sums[row["time"]] = sums.get(row["time"], 0) + row["value"]
    assert sums == {time: value for time, value in whole.items() if value}
    assert {row["time"]: row["value"] for row in vf.charts.timeline(flows, every="5m").rows} == whole
    assert sum(row["value"] for row in vf.charts.timeline(flows, measure="records").rows) == 33


def test_the_areas_of_a_timeline_are_its_values():
    log = HEADER + line(start=0, end=60, size=100) + line(start=120, end=180, size=50)
    chart = vf.charts.timeline(vf.scan(log), every="1m")
    (area,) = [e for e in parsed(chart.svg()).iter(f"{SVG}path") if "c0" in e.get("class").split()]
    steps = re.findall(r"[MLHV]([\d.]+)(?: ([\d.]+))?", area.get("d"))
    grid = [e for e in parsed(chart.svg()).iter(f"{SVG}path") if e.get("class") == "g"]
    bottom = max(float(re.search(r"M[\d.]+ ([\d.]+)", e.get("d"))[1]) for e in grid)
    top = min(float(re.search(r"M[\d.]+ ([\d.]+)", e.get("d"))[1]) for e in grid)
    heights = {round((bottom - float(y)) / (bottom - top) * 100) for pair in re.findall(r"V([\d.]+)|L[\d.]+ ([\d.]+)", area.get("d")) for y in pair if y}
    assert heights == {0, 50, 100}  # the second minute has nothing
    assert steps


def test_tables_of_the_other_charts(every, flows):
    assert {(row["row"], row["column"]): row["value"] for row in every["zone_matrix"].rows} == {
        ("low", "outside"): 3 * 2800, ("outside", "outside"): 3 * 3800
    }  # fmt: skip
    assert sum(row["value"] for row in every["sankey"].rows) == 3 * 6600
    assert {row["srcaddr"] for row in every["sankey"].rows} == {"10.0.0.11", "10.0.0.10", "10.0.0.9", "other"}
    assert every["node_graph"].note == "the 9 largest of 11 pairs"
    assert {row["rejected"] for row in every["node_graph"].rows} == {False}
    refused = vf.charts.node_graph(flows.filter("dstport = 22"))
    assert {row["rejected"] for row in refused.rows} == {True}
    assert ' w d"' in refused.svg()
    heat = every["heat_map"]
    assert heat.lines == ["22 ssh", "53 domain", "443 https"]
    assert sum(row["value"] for row in heat.rows) == 33
    assert every["coverage_timeline"].rows == [
        {"line": "eni-1", "kind": row["seen"], "start": row["start"], "end": row["end"], "what": ""} for row in flows.coverage()
    ]
    assert len(every["incident_timeline"].lines) == 6


def test_texts_of_logs_are_texts_in_pictures():
    bad = HOSTILE.replace(" ", "_")
    log = f"interface-id srcaddr dstaddr bytes start end action\n{bad} 10.0.0.1 10.0.0.2 5 0 60 ACCEPT\n".encode()
    flows = vf.scan(log)
    for chart in (
        vf.charts.top_n(flows, "interface-id", title=HOSTILE), vf.charts.heat_map(flows, "interface-id"),
        vf.charts.sankey(flows, "interface-id", "dstaddr"), vf.charts.coverage_timeline(flows),
        vf.charts.node_graph(flows, by=("interface-id", "dstaddr")),
    ):  # fmt: skip
        root = parsed(chart.svg())
        assert not list(root.iter(f"{SVG}script"))
        assert "\u202e" not in chart.svg()
        assert any("<script>" in (element.text or "") for element in root.iter() if element.tag != f"{SVG}style")
        pytest.importorskip("altair")
        assert "\u202e" not in chart.altair().to_json(ensure_ascii=False)


def test_altair_has_the_same_rows(every):
    pytest.importorskip("altair")
    for name, chart in every.items():
        made = chart.altair().to_dict()  # checks it against the schema of Vega-Lite
        assert made["title"]["text"] == chart.title
        assert made["title"]["subtitle"] == chart.note
        text = str(made)
        if name not in ("sankey", "node_graph"):
            assert "'title': 'time (UTC)'" in text or name == "zone_matrix"
            assert all(not (encoding.get("type") == "temporal" and "timeUnit" not in encoding) or encoding.get("scale") == {"type": "utc"}
                       or encoding.get("field") == "end" for encoding in made["encoding"].values() if isinstance(encoding, dict))  # fmt: skip
        assert "://" not in text.replace(made["$schema"], "")
    (values,) = every["timeline"].altair().to_dict()["datasets"].values()
    assert sum(row["value"] for row in values) == sum(row["value"] for row in every["timeline"].rows)
    forms = every["timeline"]._repr_mimebundle_()
    assert forms["image/svg+xml"] == every["timeline"].svg()
    assert [name for name in forms if name.startswith("application/vnd.vegalite.v")]
    assert "text/html" not in forms  # that of Altair takes its scripts from another host


def drawn_texts(svg):
    """What a picture says: texts, and what a pointer shows."""
    return " ".join(element.text or "" for element in parsed(svg).iter() if element.tag in (f"{SVG}text", f"{SVG}title"))


def test_altair_and_svg_show_the_same(every):
    """All that one names the other names, in the same order; and the amounts are the rows'."""
    pytest.importorskip("altair")
    for name, chart in every.items():
        said, datasets = drawn_texts(chart.svg()), chart.altair().to_dict()["datasets"].values()
        rows = [row for values in datasets for row in values]
        named = {row[key] for row in rows for key in ("series", "row", "line", "name", "kind") if isinstance(row.get(key), str)}
        assert named, name
        for one in named:
            assert one in said or (len(one) > 30 and one[:15] in said), (name, one)
        amounts = {row["value"] for row in rows if "value" in row}
        if name in ("heat_map", "zone_matrix", "node_graph"):
            assert amounts >= {row["value"] for row in chart.rows}
        if name in ("coverage_timeline", "incident_timeline"):
            assert [(row["start"], row["end"]) for row in rows] == [(r["start"] * 1000, r["end"] * 1000) for r in chart.upwards()]


def test_names_are_taken_as_elsewhere(flows):
    c = vf.charts
    assert c.top_n(flows, vf.col("srcaddr"), n=3).rows == c.top_n(flows, "srcaddr", n=3).rows
    assert c.heat_map(flows, "dst-port").rows == c.heat_map(flows, "dst_port").rows == c.heat_map(flows).rows


def test_pictures_of_many_points_stay_small():
    """Of more than can be seen they say what they join."""
    lines = ["interface-id srcaddr dstaddr dstport bytes start end action log-status"]
    for n in range(20_000):  # every other minute an interface is absent
        source = f"2001:db8:1234:5678:9abc:def0:{n:x}:1"
        lines.append(f"eni-{n % 5} {source} fd00::{n % 900:x} {n % 65536} {n} {120 * (n // 5)} {120 * (n // 5) + 60} ACCEPT OK")
    flows = vf.scan("\n".join(lines).encode())
    assert len(flows.coverage()) > 30_000
    coverage = vf.charts.coverage_timeline(flows)
    assert len(coverage.rows) < 3000
    assert coverage.note == "what there is most of in each 30 min"
    whole = (min(row["start"] for row in coverage.rows), max(row["end"] for row in coverage.rows))
    assert whole[0] <= 0
    assert whole[1] >= 120 * 3999
    for chart in (
        vf.charts.timeline(flows), vf.charts.top_n(flows, "srcaddr"), vf.charts.heat_map(flows), vf.charts.sankey(flows),
        vf.charts.node_graph(flows), vf.charts.zone_matrix(flows), coverage,
    ):  # fmt: skip
        svg = chart.svg()
        assert len(svg) < 120_000, chart
        assert all(len(element.text or "") < 62 for element in parsed(svg).iter(f"{SVG}text"))


def test_times_of_an_axis_do_not_touch():
    """Whatever the span, and wherever it begins."""
    from vpcflow.charts.drawing import LETTER, x_axis

    for span in [1, 59, 600, 3600, 10_857, 86_400, 5 * 86_400, 90 * 86_400, 4 * 31_557_600]:
        for first in (0, 1_760_000_017, 1_790_028_000):
            end, shown = 0.0, 0
            drawn = ElementTree.fromstring(f"<svg>{''.join(x_axis(first, first + span, 66, WIDTH - 14, 100))}</svg>")
            for element in drawn.iter("text"):
                wide = len(element.text) * LETTER
                begin = float(element.get("x")) - {"middle": wide / 2, "end": wide, None: 0}[element.get("text-anchor")]
                assert begin >= end
                assert begin + wide <= WIDTH
                end, shown = begin + wide, shown + 1
            assert shown


def test_a_picture_alone_has_its_own_ground(every):
    """A notebook may be dark where the system is light."""
    for chart in every.values():
        ground = next(iter(parsed(chart.svg()).iter(f"{SVG}rect")))
        assert ground.get("class") == "i"
        assert float(ground.get("width")) == WIDTH
        assert 'class="i"/>' not in chart.inline()


def test_without_altair_notebooks_get_svg(every, monkeypatch):
    monkeypatch.setitem(sys.modules, "altair", None)
    for chart in every.values():
        assert list(chart._repr_mimebundle_()) == ["image/svg+xml", "text/plain"]
        with pytest.raises(ImportError):
            chart.altair()


def test_files_by_their_endings(every, tmp_path):
    chart = every["timeline"]
    chart.save(tmp_path / "x.svg")
    assert (tmp_path / "x.svg").read_text() == chart.svg()
    with pytest.raises(vf.OutputError, match=r"unknown ending '.png'; expected .svg, .html or .json"):
        chart.save(tmp_path / "x.png")
    pytest.importorskip("altair")
    chart.save(tmp_path / "x.json")
    assert "vega-lite" in (tmp_path / "x.json").read_text()


def test_what_cannot_be_drawn_is_refused_in_words(flows):
    c, nothing = vf.charts, flows.filter("dstport = 9")
    for call, words in [
        (lambda: c.timeline("logs/"), "timeline: Flows is needed"),
        (lambda: c.timeline(flows, measure="byte"), "measure='byte': no such measure; did you mean 'bytes'"),
        (lambda: c.timeline(flows, every="1s").rows, None),
        (lambda: c.timeline(vf.scan(HEADER + line(start=0, end=60) + line(start=10**8, end=10**8 + 60)), every="1m"), "a picture has room for 2,000"),
        (lambda: c.top_n(flows, "srcaddr", n=30), "n=30: expected 1 to 7"),
        (lambda: c.top_n(flows, "srcadr"), "unknown field 'srcadr'; did you mean 'srcaddr'"),
        (lambda: c.top_n(flows, 5), "a name is needed, not 5"),
        (lambda: c.heat_map(flows, n=0), "heat_map: n=0: expected 1 to 100"),
        (lambda: c.heat_map(vf.scan(b"srcaddr dstport start end\n10.0.0.1 - 0 60\n")), "no record has dstport"),
        (lambda: c.node_graph(flows, by=("srcaddr",)), "expected two fields, such as"),
        (lambda: c.node_graph(flows, by=("srcaddr", "dstadr")), "did you mean 'dstaddr'"),
        (lambda: c.sankey(vf.scan(b"srcaddr dstport dstaddr bytes\n10.0.0.1 1 10.0.0.2 0\n")), "no record has bytes; measure='records'"),
        (lambda: c.coverage_timeline(flows, n=0), "coverage_timeline: n=0: expected 1 to 200"),
        (lambda: c.timeline(flows.group_by("srcaddr").agg(n=vf.count())), "charts.timeline comes before group_by"),
        (lambda: c.timeline(nothing), "nothing to draw: no record of traffic passes the filter"),
        (lambda: c.sankey(nothing), "nothing to draw"),
        (lambda: c.sankey(flows, "srcaddr"), "expected two to four different fields"),
        (lambda: c.incident_timeline([]), "there is no incident"),
        (lambda: c.zone_matrix(flows, {"a": "10.0.0.0/8"}), "zones: a list is needed"),
        (lambda: c.zone_matrix(vf.scan(b"srcaddr bytes\n10.0.0.1 4\n")), "^zone_matrix: the logs lack dstaddr$"),
        (lambda: c.coverage_timeline(vf.scan(b"srcaddr bytes\n10.0.0.1 4\n")), "^coverage_timeline: the logs lack start and end$"),
        (lambda: c.timeline(flows.head(3).to_arrow()), r"Flows is needed, not a Table; write vf.charts.timeline\(vf.scan\(frame\)\)$"),
    ]:
        if words is None:
            call()
            continue
        with pytest.raises(vf.VpcflowError, match=words):
            call()


def test_what_is_worst_is_not_hidden():
    """Of spans over each other the one of the worst kind is drawn last."""
    from vpcflow.charts.spans import Spans

    kinds = {"high": ("c1", 1.0), "low": ("c0", 0.4)}
    rows = [{"line": "a", "kind": kind, "start": 0, "end": 60, "what": ""} for kind in ("high", "low", "high", "low")]
    chart = Spans("t", ["a"], kinds, rows)
    drawn = [box.get("class") for box in parsed(chart.svg()).iter("{http://www.w3.org/2000/svg}rect") if len(box)]
    assert drawn == ["c0", "c0", "c1", "c1"]
    assert [row["kind"] for row in chart.rows] == ["high", "low", "high", "low"]
    pytest.importorskip("altair")
    (values,) = chart.altair().to_dict()["datasets"].values()
    assert [row["kind"] for row in values] == ["low", "low", "high", "high"]


def test_who_knows_other_libraries_is_told(flows):
    chart = vf.charts.timeline(flows)
    for name, words in (("show", "as a cell's last line"), ("savefig", "chart.save"), ("data", "chart.rows"), ("titel", "did you mean 'title'|no attribute 'titel'")):
        with pytest.raises(AttributeError, match=words):
            getattr(chart, name)
    assert not hasattr(chart, "_repr_html_")


def test_any_logs_are_drawn_or_refused(quiet):
    c = vf.charts
    drawn = dict.fromkeys((c.timeline, c.heat_map, c.zone_matrix, c.sankey, c.node_graph, c.coverage_timeline), 0)
    refused = []
    for seed in range(500 if os.environ.get("VPCFLOW_LONG") else 40):
        flows = vf.scan(any_log(seed))
        for draw in drawn:
            try:
                parsed(draw(flows).svg())
                drawn[draw] += 1
            except vf.VpcflowError as error:
                refused.append(str(error))
    assert all(drawn.values())
    assert [text for text in refused if not re.search("(is|are) in none of|nothing to draw|no record|the logs lack", text)] == []


def structure(svg):
    """Tags, classes and texts of a picture, without where they are."""
    return [(element.tag, element.get("class"), element.text) for element in parsed(svg).iter()]


def test_the_gallery_shows_what_it_says():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        gallery = importlib.import_module("gallery")
    finally:
        sys.path.pop(0)
    seen = []
    for name, svg in gallery.charts():
        seen.append(name)
        stored = (ROOT / "docs" / "gallery" / f"{name}.svg").read_text()
        assert structure(stored) == structure(svg), f"{name}: python tools/gallery.py"
        assert len(stored) < 60_000
    assert sorted(path.stem for path in (ROOT / "docs" / "gallery").glob("*.svg")) == sorted(seen)
    assert len(seen) == len(vf.charts.__all__) - 1
