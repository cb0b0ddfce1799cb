"""SVG by hand: escaped texts, classes instead of attributes of style, axes with units and times in UTC."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from .._display import printable
from ..query.axis import figures, times

WIDTH = 760  # of all pictures; they scale with the page
LETTER = 7.3  # mean width of a letter of the pictures' text, in the wider of the usual fonts
TOP, RIGHT, BOTTOM = 10, 14, 24  # margins of an axis

#: Colours of series that are told apart by those who see no red or no green (Okabe and Ito), on light and on dark.
LIGHT = ("#0072b2", "#d55e00", "#009e73", "#b0588e", "#b97f00", "#2f8fc4", "#8c564b", "#8a8f96")
DARK = ("#4aa8e0", "#f08a3c", "#2fc79b", "#dd8fbf", "#e8b33a", "#8fd0f5", "#c4968c", "#9aa2ab")
_HEAT_LIGHT = ("#dcebf7", "#a9cfe8", "#6baed6", "#2f7fb8", "#084a87")
_HEAT_DARK = ("#16324a", "#1e5078", "#2a76ab", "#55a5d9", "#a6d5f5")
_INK = ("#1b1f24", "#59636e", "#d9dee3", "#ffffff")  # text, soft text, grid, ground
_INK_DARK = ("#e6eaee", "#a3adb8", "#3a424b", "#14181d")
_SEVERITIES = {"high": 1, "medium": 4, "low": 0}


def _rules(colours: Sequence[str], heat: Sequence[str], ink: Sequence[str]) -> Iterator[str]:
    text, soft, grid, ground = ink
    yield f".vf text{{fill:{text}}}.vf .s{{fill:{soft}}}.vf .g{{stroke:{grid}}}.vf .ax{{stroke:{soft}}}"
    yield f".vf .e{{stroke:{ground}}}.vf .o{{fill:none;stroke:{soft}}}.vf .i{{fill:{ground}}}"
    for number, colour in enumerate(colours):
        yield f".vf .c{number}{{fill:{colour}}}.vf .l{number}{{stroke:{colour}}}"
    for number, colour in enumerate(heat):
        yield f".vf .h{number}{{fill:{colour}}}"
    yield f".vf .h3t,.vf .h4t{{fill:{ground}}}"


def _light() -> str:
    return "".join(_rules(LIGHT, _HEAT_LIGHT, _INK))


def _dark() -> str:
    return "".join(_rules(DARK, _HEAT_DARK, _INK_DARK))


#: The styles of all pictures on light ground, and on paper.
PAPER = (
    ".vf{width:100%;height:auto;max-width:760px}.vf text{font-size:12px;font-family:system-ui,sans-serif}"
    ".vf .g,.vf .ax{fill:none;stroke-width:1}.vf .e{stroke-width:1}.vf .o{stroke-dasharray:3 2}"
    ".vf .w{fill:none;opacity:.45}.vf .d{stroke-dasharray:5 4}.vf .r{opacity:.55}"
    f"{_light()}"
)
#: The styles of all pictures, for a page that holds some of them.
CSS = f"{PAPER}@media screen and (prefers-color-scheme:dark){{{_dark()}}}"


def clean(text: object) -> str:
    """Returns a text as XML: escaped, and without control characters and those that turn the direction of writing."""
    return escape(printable("-" if text is None else str(text)), {'"': "&quot;", "'": "&#39;"})


def short(text: object, most: int) -> str:
    """Returns the escaped text, cut in its middle if it is longer than ``most`` letters."""
    shown = printable("-" if text is None else str(text))
    if len(shown) > most:
        shown = f"{shown[: most // 2]}…{shown[-(most - most // 2 - 1) :]}"
    return escape(shown, {'"': "&quot;", "'": "&#39;"})


def at(value: float) -> str:
    """Formats a coordinate with at most one decimal.

    >>> at(3.0), at(0.26), at(-0.01)
    ('3', '0.3', '0')
    """
    text = f"{value:.1f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def label(x: float, y: float, text: object, *, anchor: str = "", kind: str = "", most: int = 60) -> str:
    """Draws a text; ``anchor``: ``middle`` or ``end``, ``kind``: its classes."""
    where = f' text-anchor="{anchor}"' if anchor else ""
    cls = f' class="{kind}"' if kind else ""
    return f'<text x="{at(x)}" y="{at(y)}"{where}{cls}>{short(text, most)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str, title: object = None) -> str:
    """Draws a rectangle of the classes ``kind``, with what a pointer shows."""
    inner = "/>" if title is None else f"><title>{clean(title)}</title></rect>"
    return f'<rect x="{at(x)}" y="{at(y)}" width="{at(width)}" height="{at(height)}" class="{kind}"{inner}'


def path(way: str, kind: str, title: object = None, width: float = 0) -> str:
    """Draws a path."""
    inner = "/>" if title is None else f"><title>{clean(title)}</title></path>"
    stroke = f' stroke-width="{at(width)}"' if width else ""
    return f'<path d="{way}" class="{kind}"{stroke}{inner}'


def picture(parts: Sequence[str], height: float, name: str, styles: bool) -> str:
    """Joins parts to a picture whose name is ``name``, with the styles or without."""
    # One that stands alone has its own ground: what is around it may be dark where its reader's other pages are light.
    ground = box(0, 0, WIDTH, math.ceil(height), "i")
    own = f"<style>{CSS}</style>{ground}" if styles else ""
    xmlns = ' xmlns="http://www.w3.org/2000/svg"' if styles else ""
    return (
        f'<svg{xmlns} class="vf" viewBox="0 0 {WIDTH} {at(math.ceil(height))}" role="img" aria-label="{clean(name)}">'
        f"{own}{''.join(parts)}</svg>"
    )


def bar(share: float) -> str:
    """Draws the bar of a cell of a table: ``share`` of its width."""
    width = max(min(share, 1.0), 0.0) * 100
    return (
        '<svg class="vf b" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{at(max(width, 0.5) if width else 0)}" height="8" class="c0"/></svg>'
    )


def legend(names: Sequence[tuple[str, str]], x: float, y: float) -> tuple[list[str], float]:
    """Draws swatches, each with its classes and name, in as many lines as they need; returns the height, too."""
    out, left, top = [], x, y
    for kind, name in names:
        wide = 20 + min(len(name), 34) * LETTER + 12
        if left + wide > WIDTH and left > x:
            left, top = x, top + 18
        out += [box(left, top - 9, 10, 10, kind), label(left + 15, top, name, most=34)]
        left += wide
    return out, top - y + 22


def ticks(most: float, whole: bool) -> list[float]:
    """Returns round values from 0 to at least ``most``, some five of them.

    >>> ticks(7, True), ticks(0.3, False)
    ([0, 2, 4, 6, 8], [0.0, 0.1, 0.2, 0.3])
    """
    if most <= 0:
        return [0.0, 1.0]
    size = 10.0 ** math.floor(math.log10(most / 4))
    step = next(size * s for s in (1, 2, 2.5, 5, 10) if most / (size * s) <= 5)
    step = max(math.ceil(step), 1) if whole else step
    return [round(step * n, 12) for n in range(math.ceil(most / step - 1e-9) + 1)]


def y_axis(most: float, unit: str, left: float, right: float, top: float, height: float) -> tuple[list[str], float]:
    """Draws lines of a grid with their figures; returns the value at the top, too."""
    values = ticks(most, unit not in ("", "B") and "/" not in unit)
    out = []
    for value, text in zip(values, figures(values, unit)):
        y = top + height * (1 - value / values[-1])
        out.append(path(f"M{at(left)} {at(y)}H{at(right)}", "g"))
        out.append(label(left - 6, y + 4, text, anchor="end", kind="s"))
    return out, values[-1]


_TIME_STEPS = (
    1, 5, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2419200, 7257600,
    31557600, 157788000,
)  # fmt: skip


def x_axis(first: int, end: int, left: float, right: float, y: float) -> list[str]:
    """Draws times in UTC below a picture from ``first`` to ``end``, Unix seconds."""
    span = max(end - first, 1)
    room = min((right - left) / 100, 6)
    step = next((s for s in _TIME_STEPS if span / s <= room), span)
    moments = [moment for moment in range(-(-first // step) * step, end + 1, step)] or [first]
    zone = datetime.timezone.utc
    shown = times([datetime.datetime.fromtimestamp(moment, zone) for moment in moments])
    out = [path(f"M{at(left)} {at(y)}H{at(right)}", "ax")]
    taken = -math.inf  # up to where there are texts
    for moment, text in zip(moments, shown):
        x = left + (right - left) * (moment - first) / span
        wide = len(text) * LETTER
        begin = min(max(x - wide / 2, 0), WIDTH - wide)
        anchor, place = ("middle", x) if begin == x - wide / 2 else ("end", right) if begin else ("", left)
        begin = place - {"middle": wide / 2, "end": wide, "": 0}[anchor]
        out.append(path(f"M{at(x)} {at(y)}v4", "ax"))
        if begin > taken:
            out.append(label(place, y + 17, text, anchor=anchor, kind="s"))
            taken = begin + wide + LETTER
    return out


def severity_colour(severity: str) -> int:
    """Returns the number of the colour of a severity."""
    return _SEVERITIES.get(severity, 7)
