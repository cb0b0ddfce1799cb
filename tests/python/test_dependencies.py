"""Who depends on whom: the graph, and its forms, each read back by a foreign reader or by its grammar."""

import json
import re
import shutil
import xml.etree.ElementTree as ET

import pytest

import vpcflow as vf
from conftest import run_cli
from health_logs import CLIENT, SERVER, T0, Log
from vpcflow.cli import main
from vpcflow.health import pictures

HOSTILE = [
    'a"] --> b["c', "x\\", 'q" shape=none', "<b>&amp;</b>", "]]>", "a\nb\rc", "nul\x00bell\x07", "`md` **b**", "%%{init}%%", "#quot;",
    "日本", "\u2028line", "<script>alert(1)</script>", "end", "graph", "--><!--", "'", "{a|b}", "\ud800lone", "a" * 300, "",
]  # fmt: skip


def chain():
    """web -> api -> db, and a scanner that nobody answers."""
    log = Log()
    for i in range(12):
        log.attempt("answered", T0 + 400 * i, client="10.0.0.1", server="10.0.0.2", port=443)
        log.attempt("answered" if i % 2 else "refused", T0 + 400 * i, client="10.0.0.2", server="10.0.0.3", port=5432, eni="eni-2")
        log.attempt("rejected", T0 + 400 * i, client="198.51.100.9", server="10.0.0.3", port=22, eni="eni-3")
    return log


NAMES = {"10.0.0.1": "web", "10.0.0.2": "api", "10.0.0.3": "db"}


def rows_of(names):
    """A ring of edges through names."""
    return [
        {
            "client": one, "server": other, "port": 443, "protocol": 6, "sessions": 3, "bytes": 9, "attempts": 3, "answered": 0.5,
            "low": 0.1, "high": 0.9, "resets": 0, "first": T0, "last": T0 + 9,
        }
        for one, other in zip(names, [*names[1:], names[0]])
    ]  # fmt: skip


def test_the_graph():
    graph = vf.dependencies(vf.scan(chain().data), by=NAMES)
    assert graph.nodes == ["api", "db", "web"]
    assert [(e.client, e.server, e.port, e.sessions, e.answered) for e in graph] == [
        ("web", "api", 443, 12, 1.0),
        ("api", "db", 5432, 12, 0.5),
    ]
    first = graph[0]
    assert (first.bytes, first.first, first.last) == (12 * 1800, T0, T0 + 400 * 11 + 5)
    assert graph.left_out == 1
    assert len(vf.dependencies(vf.scan(chain().data), by=NAMES, strangers=True)) == 3
    assert (len(graph.head(1)), graph.head(1).left_out) == (1, 2)


def test_skipdata_takes_nothing_from_the_graph():
    log = chain()
    log.status("SKIPDATA", T0, T0 + 3600, eni="eni-1")
    assert vf.dependencies(vf.scan(log.data), by=NAMES)[0].sessions == 12


def test_dot_holds_every_name():
    """By its grammar: a quoted string ends at the first quotation mark that no backslash stands before."""
    text = pictures.dot(HOSTILE, rows_of(HOSTILE))
    quoted = re.compile(r'"((?:\\.|[^"\\])*)"')
    named = re.findall(r'^  n(\d+) \[label="((?:\\.|[^"\\])*)"\];$', text, re.M)
    back = [re.sub(r"\\(.)", r"\1", label) for _, label in named]
    assert back == [pictures._plain(name) for name in HOSTILE]
    bare = quoted.sub("S", text)
    assert not re.search(r'["\\<>#`%]', bare.replace("->", ""))
    assert len(re.findall(r"^  n\d+ -> n\d+ \[label=S tooltip=S color=red\];$", bare, re.M)) == len(HOSTILE)


def test_mermaid_holds_every_name():
    lines = pictures.mermaid(HOSTILE, rows_of(HOSTILE)).split("\n")
    assert lines[0] == "flowchart LR"
    assert len(lines) == 1 + 2 * len(HOSTILE)
    for line, name in zip(lines[1:], HOSTILE):
        label = re.fullmatch(r'  n\d+\["([\w ./:,·*@+\-�#;]*)"\]', line)[1]
        assert re.sub(r"#(\d+);", lambda match: chr(int(match[1])), label) == pictures._plain(name)
    assert all(re.fullmatch(r'  n\d+ -\.->\|"443 · 3"\| n\d+', line) for line in lines[1 + len(HOSTILE) :])


def test_graphml_is_read_by_networkx_and_every_reader_of_xml():
    names = [name for name in HOSTILE if name]
    text = pictures.graphml(names, rows_of(names), _kinds())
    tree = ET.fromstring(text.encode())
    space = "{http://graphml.graphdrawing.org/xmlns}"
    labels = [node.find(f"{space}data").text for node in tree.iter(f"{space}node")]
    assert labels == [pictures._NOT_XML.sub("\ufffd", name) for name in names]
    networkx = pytest.importorskip("networkx")
    graph = networkx.parse_graphml(text)
    assert graph.number_of_nodes() == graph.number_of_edges() == len(names)
    assert {(d["port"], d["answered"], d["first"]) for *_, d in graph.edges(data=True)} == {(443, 0.5, T0)}


def _kinds():
    from vpcflow.health.dependencies import _KINDS

    return _KINDS


def test_json_is_read_by_networkx():
    graph = vf.dependencies(vf.scan(chain().data), by=NAMES)
    document = json.loads(graph.to_json())
    assert [node["id"] for node in document["nodes"]] == graph.nodes
    networkx = pytest.importorskip("networkx")
    read = networkx.node_link_graph(document, edges="edges")
    assert {(a, b): d["sessions"] for a, b, d in read.edges(data=True)} == {("web", "api"): 12, ("api", "db"): 12}


def test_the_picture_of_our_own(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    graph = vf.dependencies(vf.scan(chain().data), by=NAMES)
    tree = ET.fromstring(graph.to_svg())
    space = "{http://www.w3.org/2000/svg}"
    left = {g.find(f"{space}title").text: float(g.find(f"{space}rect").get("x")) for g in tree.findall(f"{space}g") if g.find(f"{space}rect") is not None}
    assert left["web"] < left["api"] < left["db"]
    assert len(tree.findall(f"{space}g")) == 5
    for text in (pictures.svg(HOSTILE, rows_of(HOSTILE)), pictures.svg([], [])):
        found = ET.fromstring(text)
        assert {node.tag.removeprefix(space) for node in found.iter()} <= {"svg", "defs", "marker", "path", "g", "title", "rect", "text"}


def test_the_picture_of_graphviz_or_without_it(tmp_path, monkeypatch):
    program = tmp_path / "dot"
    program.write_text("#!/bin/sh\ncat > /dev/null\necho '<svg>by graphviz</svg>'\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert pictures.svg(["a"], []) == "<svg>by graphviz</svg>\n"
    program.write_text("#!/bin/sh\nexit 3\n")
    assert pictures.svg(["a"], []).startswith("<svg xmlns")


def test_a_long_chain_and_a_circle_have_a_picture():
    names = [f"n{i}" for i in range(3000)]
    columns = pictures._columns(names, rows_of(names)[:-1])
    assert [len(column) for column in columns] == [1] * 3000
    assert sum(map(len, pictures._columns(names, rows_of(names)))) == 3000


def test_comparison_of_two_days():
    before = chain()
    after = chain()
    after.attempt("answered", T0, client="10.0.0.1", server="10.0.0.4", port=6379)
    one, two = (vf.dependencies(vf.scan(log.data)) for log in (before, after))
    changes = vf.diff(two, one, by=["client", "server", "port", "protocol"])
    assert [(row["server"], row["change"]) for row in changes if row["change"] != "same"] == [("10.0.0.4", "new")]


def test_the_command(tmp_path, capsys):
    log = tmp_path / "a.log"
    log.write_bytes(chain().data)
    rows = [json.loads(line) for line in run_cli("dependencies", log, "--json", check=0).stdout.splitlines()]
    assert [(row["client"], row["server"], row["port"]) for row in rows] == [(CLIENT, "10.0.0.2", 443), ("10.0.0.2", "10.0.0.3", 5432)]
    out = tmp_path / "map.svg"
    done = run_cli("dependencies", log, "--to", "svg", "-o", out, check=0)
    assert out.read_text().startswith("<svg") or "<svg" in out.read_text()
    assert b"1 edge left out" in done.stderr
    assert main(["dependencies", str(log), "--to", "dot", "-n", "1"]) == 0
    assert capsys.readouterr().out.count("->") == 1
    assert main(["dependencies", str(log), "-o", str(out)]) == 2
    assert "needs --to" in capsys.readouterr().err
    assert main(["dependencies", str(log)]) == 0
    assert CLIENT in (page := capsys.readouterr().out)
    assert SERVER not in page
