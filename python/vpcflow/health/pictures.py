"""Graphs as text: DOT, Mermaid, GraphML, SVG. Names come from logs and tags: hostile in every form."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from .._display import human_bytes, protocol_names

Rows = Sequence[Mapping[str, Any]]
# What XML 1.0 cannot hold, and lone surrogates; and what nobody can read in a picture.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_FAILING = 0.95  # an edge of which surely less is answered is drawn as a failing one
_TYPES = {"text": "string", "int32": "int", "int64": "long", "float64": "double", "time": "long"}
_PATIENCE = 60  # seconds that dot gets


def _plain(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)


def _what(row: Mapping[str, Any]) -> str:
    """What an edge is called: its port, or its protocol where that is not TCP, and its sessions."""
    names = protocol_names()
    protocol = row["protocol"]
    parts = [] if row["port"] is None or (protocol not in (6, 17, None) and not row["port"]) else [str(row["port"])]
    if protocol not in (None, 6):
        parts.append(names.get(protocol, str(protocol)))
    return f"{' '.join(parts)} · {row['sessions']:,}".strip(" ·")


def _fails(row: Mapping[str, Any]) -> bool:
    return row["high"] is not None and row["high"] < _FAILING


def dot(nodes: Sequence[str], rows: Rows) -> str:
    """Returns a graph in DOT."""
    number = {name: i for i, name in enumerate(nodes)}
    lines = ["digraph dependencies {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f"  n{number[name]} [label={_dot_text(name)}];" for name in nodes]
    for row in rows:
        colour = " color=red" if _fails(row) else ""
        tip = f"{row['sessions']:,} sessions, {human_bytes(row['bytes'])}"
        lines.append(
            f"  n{number[row['client']]} -> n{number[row['server']]} "
            f"[label={_dot_text(_what(row))} tooltip={_dot_text(tip)}{colour}];"
        )
    return "\n".join([*lines, "}"]) + "\n"


def _dot_text(text: str) -> str:
    escaped = _plain(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def mermaid(nodes: Sequence[str], rows: Rows) -> str:
    """Returns a graph as a Mermaid flowchart."""
    number = {name: i for i, name in enumerate(nodes)}
    lines = ["flowchart LR", *(f'  n{number[name]}["{_mermaid_text(name)}"]' for name in nodes)]
    for row in rows:
        arrow = "-.->" if _fails(row) else "-->"
        label = _mermaid_text(_what(row))
        lines.append(f'  n{number[row["client"]]} {arrow}|"{label}"| n{number[row["server"]]}')
    return "\n".join(lines)


def _mermaid_text(text: str) -> str:
    """Escapes all that Mermaid, its Markdown or HTML may read as theirs."""
    return re.sub(r"[^\w ./:,·*@+\-]", lambda match: f"#{ord(match[0])};", _plain(text)).replace("_", "#95;")


def graphml(nodes: Sequence[str], rows: Rows, kinds: Mapping[str, str]) -> str:
    """Returns a graph as GraphML. ``kinds``: the columns of the edges with their types."""
    number = {name: i for i, name in enumerate(nodes)}
    own = {name: kind for name, kind in kinds.items() if name not in ("client", "server")}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
        '  <key id="label" for="node" attr.name="label" attr.type="string"/>',
    ]
    for name, kind in own.items():
        lines.append(f'  <key id="{name}" for="edge" attr.name="{name}" attr.type="{_TYPES[kind]}"/>')
    lines.append('  <graph id="dependencies" edgedefault="directed">')
    for name in nodes:
        lines.append(f'    <node id="n{number[name]}"><data key="label">{_xml(name)}</data></node>')
    for i, row in enumerate(rows):
        data = "".join(f'<data key="{name}">{row[name]}</data>' for name in own if row[name] is not None)
        ends = f'source="n{number[row["client"]]}" target="n{number[row["server"]]}"'
        lines.append(f'    <edge id="e{i}" {ends}>{data}</edge>')
    return "\n".join([*lines, "  </graph>", "</graphml>"]) + "\n"


def _xml(text: str) -> str:
    # A carriage return would be read back as a line feed.
    return escape(_NOT_XML.sub("\ufffd", text), {"\r": "&#13;"})


# -- pictures

_BOX, _HIGH, _GAP, _BETWEEN, _LETTER, _LONGEST = 24, 30, 14, 150, 7.2, 40


def svg(nodes: Sequence[str], rows: Rows) -> str:
    """Returns a picture of a graph: by Graphviz, if its ``dot`` is there and works, else of our own."""
    program = shutil.which("dot")
    if program is not None:
        try:
            text = dot(nodes, rows).encode("utf-8")
            done = subprocess.run([program, "-Tsvg"], input=text, capture_output=True, timeout=_PATIENCE, check=True)
            return done.stdout.decode("utf-8")
        except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
            pass
    return own_svg(nodes, rows)


def own_svg(nodes: Sequence[str], rows: Rows) -> str:
    """Returns a picture with clients to the left of their servers, as far as there is no circle."""
    columns = _columns(nodes, rows)
    widths = [max(len(_short(name)) for name in column) * _LETTER + _BOX for column in columns]
    place: dict[str, tuple[float, float, float]] = {}
    x, height = 10.0, 0.0
    for column, width in zip(columns, widths):
        for i, name in enumerate(column):
            place[name] = (x, 10.0 + i * (_HIGH + _GAP), width)
        height = max(height, 20.0 + len(column) * (_HIGH + _GAP))
        x += width + _BETWEEN
    wide, tall = round(x - _BETWEEN + 10 if columns else 20), round(max(height, 20.0))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {tall}" width="{wide}" height="{tall}" '
        'font-family="monospace" font-size="12">',
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#567"/></marker></defs>',
    ]
    for pair, some in _by_pair(rows).items():
        out.append(_line(place[pair[0]], place[pair[1]], some))
    for name, (left, top, width) in place.items():
        out.append(
            f'<g><title>{_xml(name)}</title><rect x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{_HIGH}" '
            f'rx="4" fill="#fff" stroke="#567"/><text x="{left + width / 2:.1f}" y="{top + 19:.1f}" '
            f'text-anchor="middle">{_xml(_short(name))}</text></g>'
        )
    return "\n".join([*out, "</svg>"]) + "\n"


def _by_pair(rows: Rows) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    out: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        out.setdefault((row["client"], row["server"]), []).append(row)
    return out


def _line(start: tuple[float, float, float], end: tuple[float, float, float], rows: Rows) -> str:
    x1, y1 = start[0] + start[2], start[1] + _HIGH / 2
    x2, y2 = end[0], end[1] + _HIGH / 2
    bend = max(40.0, abs(x2 - x1) / 2)
    colour = "#c22" if any(_fails(row) for row in rows) else "#89a"
    label = ", ".join(_what(row) for row in rows[:3]) + (f" and {len(rows) - 3}" if len(rows) > 3 else "")
    path = f"M{x1:.1f} {y1:.1f}C{x1 + bend:.1f} {y1:.1f} {x2 - bend:.1f} {y2:.1f} {x2:.1f} {y2:.1f}"
    return (
        f"<g><title>{_xml('; '.join(_what(row) for row in rows))}</title>"
        f'<path d={quoteattr(path)} fill="none" stroke="{colour}" marker-end="url(#head)"/>'
        f'<text x="{(x1 + x2) / 2:.1f}" y="{(y1 + y2) / 2 - 3:.1f}" text-anchor="middle" font-size="9" fill="#456">'
        f"{_xml(label)}</text></g>"
    )


def _short(name: str) -> str:
    text = _plain(name)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _columns(nodes: Sequence[str], rows: Rows) -> list[list[str]]:
    """Places each node one column behind the last of its clients; edges that close a circle do not count."""
    clients: dict[str, list[str]] = {name: [] for name in nodes}
    for row in rows:
        if row["client"] != row["server"]:
            clients[row["server"]].append(row["client"])
    depth: dict[str, int] = {}
    for root in nodes:
        way: list[tuple[str, int]] = [(root, 0)]
        on_way = {root}
        while way:  # not by recursion: chains may be long
            name, tried = way.pop()
            if name in depth:
                on_way.discard(name)
                continue
            if tried < len(clients[name]):
                way.append((name, tried + 1))
                before = clients[name][tried]
                if before not in depth and before not in on_way:
                    way.append((before, 0))
                    on_way.add(before)
                continue
            depth[name] = max((depth[one] + 1 for one in clients[name] if one in depth), default=0)
            on_way.discard(name)
    out: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for name in nodes:
        out[depth[name]].append(name)
    return [column for column in out if column]
