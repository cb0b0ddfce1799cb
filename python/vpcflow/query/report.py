"""Reports: what was read, rejected and left out."""

from __future__ import annotations

from typing import Any


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


class Report:
    """What a query read, rejected and could not read. Nothing is left out of it.

    Counts: ``sources``, ``duplicates`` (files not read, as an earlier one has the same bytes), ``text_bytes``
    (unpacked), ``lines``, ``headers``, ``blank_lines``, ``records`` = ``ok`` + ``nodata`` + ``skipdata``, ``matched``
    (records that passed the query's filter; of groupings and sessions those of traffic), ``in_time`` (that start in the
    time asked for), ``rejected``, ``nulled_values``, ``unspread``. ``rejects_by_reason`` counts by reason; ``rejects``
    are the first 1,000 with ``file``, ``line``, ``byte_offset``, ``column``, ``field``, ``reason``, ``message`` and
    ``excerpt``. ``formats`` counts sources by format; ``warnings`` are texts, ``errors`` the name of the
    exception, the text and the source of each damaged source (of formats and warnings
    256 each, and a warning if there were more). ``no_records`` says why nothing can be concluded, or is ``None``.
    """

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __dir__(self) -> list[str]:
        return sorted([*super().__dir__(), *self._values])

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return dict(self._values)

    @property
    def mostly_rejected(self) -> str:
        """A line to say first if most lines were rejected, else empty."""
        if self.rejected <= self.records:
            return ""
        return (
            f"WARNING: {_count(self.rejected, 'line')} of {self.rejected + self.records:,} rejected; what follows is "
            f"of the other {self.records:,} alone"
        )

    @property
    def rejects_line(self) -> str:
        """How many lines were rejected and what the first is, as a line; empty if none was."""
        if not self.rejected:
            return ""
        first = self.rejects[0]
        place = f"{first['file']}:{first['line']}:{first['column']}"
        what = ": ".join(filter(None, (place, first["field"], first["reason"], first["excerpt"])))
        return f"{_count(self.rejected, 'line')} rejected; the first: {what}"

    def __str__(self) -> str:
        v = self._values
        parts = [f"{_count(v['records'], 'record')} from {_count(v['sources'], 'source')}"]
        if v["nodata"] or v["skipdata"]:
            parts.append(f"{v['nodata']:,} NODATA, {v['skipdata']:,} SKIPDATA among them")
        if v["records"] and not v["matched"]:
            parts.append("none passes the filter" if v["ok"] else "no traffic")
        if v["rejected"]:
            reasons = ", ".join(f"{n:,} {reason}" for reason, n in v["rejects_by_reason"].items())
            parts.append(f"{_count(v['rejected'], 'line')} rejected ({reasons})")
        if v["errors"]:
            parts.append(f"{len(v['errors'])} sources not read to their end")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"<Report: {self}>"


_ADDED = (
    "sources", "duplicates", "text_bytes", "lines", "headers", "blank_lines", "records", "ok", "nodata", "skipdata",
    "matched", "in_time", "rejected", "nulled_values",
)  # fmt: skip


def merge_reports(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """One report for the parts of an input; either may be empty."""
    out: dict[str, Any] = {name: a.get(name, 0) + b.get(name, 0) for name in _ADDED}
    both = [part["no_records"] for part in (a, b) if "no_records" in part]
    out["no_records"] = None if out["ok"] or None in both else next(iter(both), None)
    out["unspread"] = max(a.get("unspread", 0), b.get("unspread", 0))
    for counts in ("rejects_by_reason", "formats"):
        first, second = a.get(counts, {}), b.get(counts, {})
        out[counts] = {key: first.get(key, 0) + second.get(key, 0) for key in sorted({*first, *second})}
    out["rejects"] = [*a.get("rejects", ()), *b.get("rejects", ())][:1000]
    out["warnings"] = sorted({*a.get("warnings", ()), *b.get("warnings", ())})
    out["errors"] = [*a.get("errors", ()), *b.get("errors", ())]
    return out
