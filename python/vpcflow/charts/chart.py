"""A picture with the table of its numbers."""

from __future__ import annotations

import abc
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import OutputError, PlanError
from ..io.writing import write_whole
from ..query.wrong import no_attribute

Row = dict[str, Any]
_WRONG = {
    **dict.fromkeys(("show", "display"), "it is shown by a notebook as a cell's last line; chart.save('chart.svg')"),
    **dict.fromkeys(("savefig", "to_svg", "write_image", "to_file"), "chart.save('chart.svg')"),
    **dict.fromkeys(("to_html", "write_html"), "chart.save('chart.html')"),
    **dict.fromkeys(("to_dict", "to_json"), "chart.altair().to_dict()"),
    **dict.fromkeys(("data", "to_pandas", "df"), "chart.rows"),
    **dict.fromkeys(("properties", "encode", "interactive"), "chart.altair()"),
}  # fmt: skip


class Chart(abc.ABC):
    """A picture of flow logs with its numbers: ``title``, ``unit``, ``rows`` and ``columns`` (names and kinds), and
    ``note``, which says of how many those that are drawn are the largest.

    A notebook shows it by Altair where that is installed and the notebook can, else as SVG. Times are in UTC, axes have
    units, and what a log wrote is escaped. Never changed; the same input gives the same picture.

    >>> import vpcflow as vf
    >>> log = b"srcaddr dstaddr bytes start end action\\n10.0.0.1 10.0.0.2 4000 0 60 ACCEPT\\n"
    >>> chart = vf.charts.timeline(vf.scan(log))
    >>> chart.rows
    [{'time': 0, 'series': 'all', 'value': 4000}]
    """

    def __init__(
        self, title: str, unit: str, columns: Sequence[tuple[str, str]], rows: list[Row], note: str = ""
    ) -> None:
        self.title, self.unit, self.note = title, unit, note
        self.columns, self.rows = list(columns), rows

    @abc.abstractmethod
    def draw(self) -> tuple[list[str], float]:
        """Returns the parts of the picture, and its height."""

    @abc.abstractmethod
    def altair(self) -> Any:
        """Returns it as an Altair chart. Needs altair (extra ``charts``)."""

    @property
    def name(self) -> str:
        """What the picture shows, in words: for those who do not see it."""
        return f"{self.title} ({self.note})" if self.note else self.title

    def svg(self) -> str:
        """Returns the picture as an SVG document."""
        return self._picture(True)

    def inline(self) -> str:
        """Returns the picture for an HTML page that has the styles :data:`vpcflow.charts.drawing.CSS`."""
        return self._picture(False)

    def _picture(self, styles: bool) -> str:
        from .drawing import picture

        parts, height = self.draw()
        return picture(parts, height, self.name, styles)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes it to a file by the ending of its name: ``.svg``, or ``.html`` or ``.json`` by Altair."""
        name = os.fspath(path)
        ending = os.path.splitext(name)[1].lower()
        if ending == ".svg":
            write_whole(name, self.svg().encode())
        elif ending in (".html", ".json"):
            write_whole(name, getattr(self.altair(), f"to_{ending[1:]}")().encode())
        else:
            raise OutputError(f"save: {name}: unknown ending {ending!r}; expected .svg, .html or .json")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Returns the forms for a notebook: of Altair its specification, which asks no server, beside SVG."""
        forms: dict[str, Any] = {"image/svg+xml": self.svg(), "text/plain": repr(self)}
        try:
            made = self.altair().to_dict()
        except ImportError:
            return forms
        version = made["$schema"].rpartition("/v")[2].partition(".")[0]
        return {f"application/vnd.vegalite.v{version}+json": made, **forms}

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, _WRONG, "a chart")

    def _repr_svg_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.name}, {len(self.rows):,} rows>"


def nothing(what: str) -> PlanError:
    """Makes the error of a chart without rows."""
    return PlanError(f"{what}: nothing to draw: no record of traffic passes the filter")
