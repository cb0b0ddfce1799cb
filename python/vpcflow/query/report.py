"""Reports: what was read, rejected and left out."""

from __future__ import annotations

from typing import Any

from .. import _core
from .._words import count

Reject = _core.Reject


class Report(_core.Report):
    """Says what a query read, rejected and could not read. Nothing is left out of it.

    Counts: ``sources``, ``duplicates`` (files not read, as an earlier one has the same bytes), ``text_bytes``
    (unpacked), ``lines``, ``headers``, ``blank_lines``, ``records`` = ``ok`` + ``nodata`` + ``skipdata``, ``matched``
    (records that passed the query's filter; of groupings and sessions those of traffic), ``in_time`` (that start in the
    time asked for), ``rejected``, ``nulled_values``, ``unspread``. ``rejects_by_reason`` counts by reason; ``rejects``
    are the first 1,000 with ``file``, ``line``, ``byte_offset``, ``column``, ``field``, ``reason``, ``message`` and
    ``excerpt``. ``formats`` counts sources by format; ``warnings`` are texts, ``errors`` the kind of
    error, the text and the name of each damaged source (of formats and warnings 256 each, and a warning if there were
    more). ``shown`` counts the sources of sessions by the fields that they show, with a minus before those that are
    null in every record of a source. ``one_direction`` is the warning that the logs of sessions hold one direction
    only, or ``None``;
    ``no_records`` says why nothing can be concluded, or is ``None``.

    Attributes are read-only, and there are no others; ``report["records"]`` reads them by name, too.

    >>> import vpcflow as vf
    >>> report = vf.scan(b"srcaddr bytes\\n10.0.0.1 40\\n10.0.0.2 x\\n", on_error="null").collect().report
    >>> report.records, report.nulled_values, report.rejects
    (2, 1, [])
    """

    __slots__ = ()

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        return {**self, "rejects": [dict(reject) for reject in self.rejects]}

    @property
    def mostly_rejected(self) -> str:
        """A line to say first if most lines were rejected, else empty."""
        if self.rejected <= self.records:
            return ""
        return (
            f"WARNING: {count(self.rejected, 'line')} of {self.rejected + self.records:,} rejected; what follows is "
            f"of the other {self.records:,} alone"
        )

    @property
    def rejects_line(self) -> str:
        """Describes the rejected lines in one line: their number and the first; empty if none was."""
        if not self.rejected:
            return ""
        first = self.rejects[0]
        place = f"{first.file}:{first.line}:{first.column}"
        what = ": ".join(filter(None, (place, first.field, first.reason, first.excerpt)))
        return f"{count(self.rejected, 'line')} rejected; the first: {what}"

    def __str__(self) -> str:
        parts = [f"{count(self.records, 'record')} from {count(self.sources, 'source')}"]
        if self.nodata or self.skipdata:
            parts.append(f"{self.nodata:,} NODATA, {self.skipdata:,} SKIPDATA among them")
        if self.records and not self.matched:
            parts.append("none passes the filter" if self.ok else "no traffic")
        if self.rejected:
            reasons = ", ".join(f"{n:,} {reason}" for reason, n in self.rejects_by_reason.items())
            parts.append(f"{count(self.rejected, 'line')} rejected ({reasons})")
        if self.errors:
            parts.append(f"{count(len(self.errors), 'source')} not read to the end")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"<Report: {self}>"
