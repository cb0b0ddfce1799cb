"""Who sends to whom: Sankey diagrams and graphs of nodes, laid out here: the same input looks the same."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

from .._display import printable
from ..query.axis import figure
from . import drawing as d
from .chart import Chart, Row

_TALL, _NODE, _GAP = 320.0, 12.0, 8.0
_BETWEEN = 20.0  # lines of a graph's nodes


@dataclasses.dataclass
class Node:
    """A box of a Sankey diagram."""

    column: int
    name: str
    value: float
    x: float = 0
    y: float = 0
    high: float = 0
    left: float = 0  # how far its ends are taken
    right: float = 0


@dataclasses.dataclass(frozen=True)
class Ribbon:
    """What goes from a box to one of the next column: its height at both ends, and how wide."""

    source: Node
    target: Node
    value: float
    y0: float
    y1: float
    wide: float


class Sankey(Chart):
    """How much goes which way. ``rows``: a column for each of ``stages``, and ``value``."""

    def __init__(self, title: str, unit: str, stages: Sequence[str], rows: list[Row], note: str = "") -> None:
        super().__init__(title, unit, [*((name, "text") for name in stages), ("value", "int64")], rows, note)
        self.stages = list(stages)

    def layout(self) -> tuple[list[Node], list[Ribbon]]:
        """Returns where boxes and ribbons are: the largest first in each column."""
        columns: list[dict[str, Node]] = [{} for _ in self.stages]
        for row in self.rows:
            for number, stage in enumerate(self.stages):
                node = columns[number].setdefault(row[stage], Node(number, row[stage], 0))
                node.value += row["value"]
        most = max(map(len, columns))
        whole = sum(row["value"] for row in self.rows)
        scale = (_TALL - _GAP * (most - 1)) / whole if whole else 0
        between = (d.WIDTH - _NODE - 2) / (len(columns) - 1)
        for number, column in enumerate(columns):
            y = float(d.TOP + 16)
            for node in sorted(column.values(), key=lambda n: (n.name == "other", -n.value, n.name)):
                node.x, node.y, node.high = 1 + number * between, y, max(node.value * scale, 1)
                node.left = node.right = node.y
                y += node.high + _GAP
        links: dict[tuple[int, str, str], float] = {}
        for row in self.rows:
            for number, (one, two) in enumerate(zip(self.stages, self.stages[1:])):
                key = (number, row[one], row[two])
                links[key] = links.get(key, 0) + row["value"]
        ribbons = []
        for (number, one, two), value in sorted(
            links.items(), key=lambda i: (i[0][0], columns[i[0][0]][i[0][1]].y, columns[i[0][0] + 1][i[0][2]].y)
        ):
            source, target, wide = columns[number][one], columns[number + 1][two], value * scale
            ribbons.append(Ribbon(source, target, value, source.right, target.left, wide))
            source.right += wide
            target.left += wide
        return [node for column in columns for node in column.values()], ribbons

    def draw(self) -> tuple[list[str], float]:
        """Returns the parts of the picture, and its height."""
        nodes, ribbons = self.layout()
        first = sorted((node for node in nodes if not node.column), key=lambda node: node.y)
        colour = {node.name: 7 if node.name == "other" else number % 7 for number, node in enumerate(first)}
        out = []
        for number, stage in enumerate(self.stages):
            last = number == len(self.stages) - 1
            x = next(node.x for node in nodes if node.column == number)
            out.append(d.label(x + (_NODE if last else 0), 14, stage, anchor="end" if last else "", kind="s"))
        for ribbon in ribbons:
            x0, x1 = ribbon.source.x + _NODE, ribbon.target.x
            middle, half = (x0 + x1) / 2, ribbon.wide / 2
            y0, y1 = ribbon.y0 + half, ribbon.y1 + half
            way = f"M{d.at(x0)} {d.at(y0)}C{d.at(middle)} {d.at(y0)} {d.at(middle)} {d.at(y1)} {d.at(x1)} {d.at(y1)}"
            title = f"{ribbon.source.name} to {ribbon.target.name}: {figure(ribbon.value, self.unit)}"
            kind = f"l{colour.get(ribbon.source.name, 0)} w"
            out.append(d.path(way, kind, title, max(ribbon.wide, 0.5)))
        for node in nodes:
            out.append(
                d.box(node.x, node.y, _NODE, node.high, f"c{colour.get(node.name, 7) if not node.column else 7}")
            )
        for node in nodes:
            last = node.column == len(self.stages) - 1
            x = node.x - 5 if last else node.x + _NODE + 5
            text = f"{printable(node.name)[:28]} {figure(node.value, self.unit)}"
            out.append(d.label(x, node.y + max(node.high / 2, 4) + 4, text, anchor="end" if last else ""))
        return out, max(node.y + max(node.high, 8) for node in nodes) + 8

    def altair(self) -> Any:
        """Returns it as an Altair chart."""
        from .vega import sankey

        return sankey(self)


class NodeGraph(Chart):
    """Who talks with whom, on a circle. ``rows``: ``source``, ``target`` and ``value``, and ``rejected``, whether all
    of it was."""

    def __init__(self, title: str, unit: str, rows: list[Row], note: str = "") -> None:
        columns = [("source", "text"), ("target", "text"), ("value", "int64"), ("rejected", "bool")]
        super().__init__(title, unit, columns, rows, note)

    def places(self) -> dict[str, tuple[float, float, float]]:
        """Returns for each node where it is, and its size: those that talk most stand beside each other."""
        weight: dict[str, float] = {}
        near: dict[str, dict[str, float]] = {}
        for row in self.rows:
            for one, two in ((row["source"], row["target"]), (row["target"], row["source"])):
                weight[one] = weight.get(one, 0) + row["value"]
                near.setdefault(one, {})[two] = near.get(one, {}).get(two, 0) + row["value"]
        left = sorted(weight, key=lambda name: (-weight[name], name))
        order: list[str] = []
        while left:  # next to the last one comes whom it talks with most
            last = near.get(order[-1], {}) if order else {}
            name = min(left, key=lambda one: (-last.get(one, 0), -weight[one], one))
            left.remove(name)
            order.append(name)
        most = max(weight.values()) or 1
        sides = (order[: -(-len(order) // 2)], order[-(-len(order) // 2) :][::-1])  # down on the right, up on the left
        tall = _BETWEEN * len(sides[0])
        out = {}
        for side, names in zip((1, -1), sides):
            for number, name in enumerate(names):
                y = (number + 0.5) * _BETWEEN - tall / 2
                x = side * (d.WIDTH / 2 - 200) * math.sqrt(max(1 - (2 * y / tall) ** 2, 0.04))
                out[name] = (d.WIDTH / 2 + x, 14 + tall / 2 + y, 4 + 8 * math.sqrt(weight[name] / most))
        return out

    def draw(self) -> tuple[list[str], float]:
        """Returns the parts of the picture, and its height."""
        places = self.places()
        middle = (d.WIDTH / 2, sum(y for _, y, _ in places.values()) / len(places))
        most = max(row["value"] for row in self.rows) or 1
        out = []
        for row in self.rows:
            (x0, y0, _), (x1, y1, _) = places[row["source"]], places[row["target"]]
            bend = [(x0 + x1 + middle[0]) / 3, (y0 + y1 + middle[1]) / 3]
            way = f"M{d.at(x0)} {d.at(y0)}Q{d.at(bend[0])} {d.at(bend[1])} {d.at(x1)} {d.at(y1)}"
            said = f"{row['source']} to {row['target']}: {figure(row['value'], self.unit)}"
            kind, said = ("l1 w d", f"{said}, all rejected") if row["rejected"] else ("l0 w", said)
            out.append(d.path(way, kind, said, 1 + 7 * math.sqrt(row["value"] / most)))
        for name, (x, y, size) in places.items():
            out.append(f'<circle cx="{d.at(x)}" cy="{d.at(y)}" r="{d.at(size)}" class="c0 e"/>')
            right = x >= middle[0] - 1
            out.append(
                d.label(x + (size + 4) * (1 if right else -1), y + 4, name, anchor="" if right else "end", most=28)
            )
        bottom = max(y for _, y, _ in places.values()) + 24
        if any(row["rejected"] for row in self.rows):
            drawn, more = d.legend([("c0", "accepted, at least some"), ("c1", "all rejected (dashed)")], 8, bottom + 14)
            return out + drawn, bottom + 14 + more
        return out, bottom

    def altair(self) -> Any:
        """Returns it as an Altair chart."""
        from .vega import graph

        return graph(self)
