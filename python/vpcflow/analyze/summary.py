"""The first look at flow logs: what ``vpcflow summary`` prints."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import _core
from .. import _display as display
from .._layout import padded, text_width, wrapped
from .._words import count
from ..errors import VpcflowError
from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_all
from ..query.scan import query
from ..typing import Progress

SCHEMA_VERSION = 1  # of summaries as JSON, docs/reference/schemas.md
_BARS = " .:-=+*#%@"
_WIDEST_TIMELINE = 180
_TABLES = (
    ("Top talkers (by bytes sent)", "talkers", "srcaddr"),
    ("Top receivers (by bytes received)", "listeners", "dstaddr"),
    ("Top services (accepted, by bytes)", "services", "dstport"),
    ("Top rejected ports", "rejected_ports", "dstport"),
    ("Top rejected sources", "rejected_sources", "srcaddr"),
)


_TWO_TABLES = 130  # columns from which on tables stand side by side


def _side_by_side(tables: list[list[str]], width: int) -> list[list[str]]:
    """Puts two tables beside each other."""
    out = []
    for i in range(0, len(tables), 2):
        right = tables[i + 1] if i + 1 < len(tables) else []
        pairs = itertools.zip_longest(tables[i], right, fillvalue="")
        out.append([f"{padded(one, width)}    {two}".rstrip() for one, two in pairs])
    return out


class _Look(NamedTuple):
    width: int | None
    percent: bool
    bar: Callable[[float, int], str] | None


class Summary:
    """The figures of a summary, made in one pass over the logs by :func:`summarize`."""

    def __init__(self, results: dict[str, Result], filtered: bool = False) -> None:
        self._results = results
        self._filtered = filtered
        self.report = results["totals"].report
        totals = results["totals"].rows()[0]
        spans = results["span"].rows()[0]
        self.bytes: int = totals["bytes"]
        self.packets: int = totals["packets"]
        self.matched: int = spans["n"]
        self.start: int | None = spans["start"]
        self.end: int | None = spans["end"]
        self.actions: dict[str | None, int] = {row["action"]: row["n"] for row in results["actions"]}
        self.silent = self._silent_interfaces()

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Returns the rows of a part: talkers, listeners, rejected_ports, rejected_sources, services, minutes."""
        return self._results[name].rows()

    def _silent_interfaces(self) -> list[str]:
        """Interfaces with NODATA or SKIPDATA records and no traffic."""
        seen: dict[str, bool] = {}
        for row in self._results["interfaces"]:
            if row["interface_id"] is not None:
                quiet = row["log_status"] in ("NODATA", "SKIPDATA")
                seen[row["interface_id"]] = seen.get(row["interface_id"], False) or not quiet
        self.interfaces = len(seen)
        return sorted(name for name, traffic in seen.items() if not traffic)

    def as_dict(self) -> dict[str, Any]:
        """Returns what ``--json`` prints. ``records``, ``ok``, ``nodata``, ``skipdata``, ``rejects`` and ``files`` are
        of all that was read, ``matched`` is how many records pass the filter, and all else is of these."""
        r = self.report
        return {
            "schema_version": SCHEMA_VERSION,
            "records": r.records,
            "matched": self.matched,
            "ok": r.ok,
            "nodata": r.nodata,
            "skipdata": r.skipdata,
            "rejects": r.rejected,
            "rejects_by_reason": r.rejects_by_reason,
            "files": r.sources,
            "text_bytes": r.text_bytes,
            "bytes": self.bytes,
            "packets": self.packets,
            "start": self.start,
            "end": self.end,
            "accepted": self.actions.get("ACCEPT", 0),
            "rejected": self.actions.get("REJECT", 0),
            "formats": r.formats,
            "interfaces": self.interfaces,
            "interfaces_without_data": self.silent,
            "top_talkers": self.rows("talkers"),
            "top_rejected_ports": self.rows("rejected_ports"),
            "top_rejected_sources": self.rows("rejected_sources"),
            "warnings": r.warnings,
            "errors": [message for _, message, _ in r.errors],
        }

    # -- text -----------------------------------------------------------------------------------------------------

    def headline(self, zone: datetime.tzinfo | None = None) -> str:
        """Formats one line: span, records, volume, accepted and rejected."""
        span = "no time span"
        if self.start is not None and self.end is not None:
            utc = " UTC" if zone is None else ""
            times = f"{display.instant(self.start, zone)} to {display.instant(self.end, zone)}{utc}"
            span = f"{times} ({display.length(self.end - self.start)})"
        decided = self.actions.get("ACCEPT", 0) + self.actions.get("REJECT", 0)
        shares = ""
        if decided:
            accepted = self.actions.get("ACCEPT", 0)
            shares = f", {accepted:,} accepted, {decided - accepted:,} rejected ({(decided - accepted) / decided:.1%})"
        records = count(self.matched, "record")
        if self._filtered:
            records = f"{self.matched:,} of {count(self.report.records, 'record')} pass the filter"
        return f"{span}: {records}, {display.human_bytes(self.bytes)} in {count(self.packets, 'packet')}{shares}"

    def text(
        self, *, width: int | None = None, zone: datetime.tzinfo | None = None, percent: bool = False,
        bar: Callable[[float, int], str] | None = None,
    ) -> str:  # fmt: skip
        """Formats the whole page: within ``width`` columns, with times in ``zone`` (by default UTC), with ``percent``
        the share of each row in all that passes the filter, and with what ``bar`` draws of a share and a width."""
        beside = width is not None and width >= _TWO_TABLES
        look = _Look((width - 4) // 2 if width is not None and beside else width, percent, bar)
        parts = [self.headline(zone), "", self._files()]
        parts += self._timeline(width)
        tables = list(filter(None, (self._table(title, name, key, look) for title, name, key in _TABLES)))
        parts += [line for table in (_side_by_side(tables, look.width or 0) if beside else tables) for line in table]
        parts += self._coverage()
        parts += self._rejects()
        parts += [f"note: {display.printable(warning)}" for warning in self.report.warnings]
        return "\n".join(line for part in parts for line in wrapped(part, width)) + "\n"

    def _rejects(self) -> list[str]:
        r = self.report
        if not r.rejected:
            return []
        reasons = ", ".join(f"{n:,} {reason}" for reason, n in r.rejects_by_reason.items())
        lines = ["", f"Lines rejected: {r.rejected:,} ({reasons}); the first:"]
        for reject in r.rejects[:5]:
            field = f" {reject['field']}:" if reject["field"] else ""
            place = f"{reject['file']}:{reject['line']}:{reject['column']}:"
            lines.append("  " + display.printable(f"{place}{field} {reject['reason']}: {reject['excerpt']}"))
        return lines

    def _files(self) -> str:
        r = self.report
        files = f"{count(r.sources, 'file')}, {display.human_bytes(r.text_bytes)} of text"
        formats = [f"{count(len(f.split()), 'field')} in {n:,}" for f, n in r.formats.items()]
        return f"Read: {files}; formats: {'; '.join(formats) if formats else 'none'}"

    def _timeline(self, page: int | None) -> list[str]:
        minutes = {row["time"]: row["bytes"] for row in self.rows("minutes") if row["time"] is not None}
        if len(minutes) < 2:
            return []
        first, last = min(minutes), max(minutes)
        width = min(page - 4, _WIDEST_TIMELINE) if page else 60
        step = -(-(last - first + 60) // (width * 60)) * 60
        bins = [0] * (-(-(last - first + 60) // step))
        for time, volume in minutes.items():
            bins[(time - first) // step] += volume
        peak = max(bins)
        bars = "".join(_BARS[-(-b * (len(_BARS) - 1) // peak)] if peak else " " for b in bins)
        title = f"Bytes over time, {display.length(step)} a column, peak {display.human_bytes(peak)}:"
        return ["", title, f"  |{bars}|"]

    def _table(self, title: str, name: str, key: str, look: _Look) -> list[str]:
        rows = self.rows(name)
        if not rows or all(row[key] is None for row in rows):
            return []
        measure, whole = ("bytes", self.bytes) if "bytes" in rows[0] else ("n", self.matched)
        lines = [["" if row[key] is None else self._label(row, key), *self._figures(row)] for row in rows]
        if look.percent:
            lines = [[*line, f"{row[measure] / whole:.1%}" if whole else "-"] for line, row in zip(lines, rows)]
        widths = [max(text_width(line[i]) for line in lines) for i in range(len(lines[0]))]
        body = [
            "  " + "  ".join([padded(line[0], widths[0]), *(padded(c, w, True) for c, w in zip(line[1:], widths[1:]))])
            for line in lines
        ]
        room = (look.width or 0) - sum(widths) - 2 * len(widths) - 2
        if look.bar is not None and room >= 8 and whole:
            body = [f"{text}  {look.bar(row[measure] / whole, min(room, 40))}" for text, row in zip(body, rows)]
        return ["", f"{title}:", *body]

    @staticmethod
    def _label(row: dict[str, Any], key: str) -> str:
        if key != "dstport":
            return display.printable(str(row[key]))
        ports = {number: usual for number, _, usual in _core.port_names()}
        service = f" {ports[row[key]]}" if row[key] in ports else ""
        protocol = row.get("protocol")
        name = display.protocol_names().get(protocol, str(protocol)) if protocol is not None else ""
        return f"{row[key]}{service} {name}".strip()

    @staticmethod
    def _figures(row: dict[str, Any]) -> list[str]:
        figures = [display.human_bytes(row["bytes"])] if "bytes" in row else []
        return [*figures, f"{row['n']:,} {'record ' if row['n'] == 1 else 'records'}"]

    def _coverage(self) -> list[str]:
        if not self.interfaces:
            return []
        r = self.report
        line = f"Interfaces: {self.interfaces:,}, {len(self.silent):,} without data; {count(r.nodata, 'NODATA record')}"
        line += f", {r.skipdata:,} SKIPDATA (counts are a floor there)" if r.skipdata else ", no SKIPDATA"
        names = [display.printable(name) for name in self.silent[:5]]
        more = f" and {len(self.silent) - 5:,} more" if len(self.silent) > 5 else ""
        return ["", line, *([f"  without data: {', '.join(names)}{more}"] if names else [])]


def summary_queries(flows: Flows) -> dict[str, Flows]:
    """Returns the queries whose results by name a :class:`Summary` is made of; for one pass with others."""
    flows = query(allow_missing=True)._with(check_all=True).bind(flows)
    # What these parts add may exclude what was asked for; then they are empty, and no mistake of the user's.
    rejected = flows.filter("action = 'REJECT'")._with(lenient=True)
    volume = {"bytes": of.sum("bytes"), "n": of.count()}
    return {
        "totals": flows.agg(bytes=of.sum("bytes"), packets=of.sum("packets")),
        # Naming log_status takes NODATA and SKIPDATA records in: the span is of all records.
        "span": flows.filter("log_status is null or log_status is not null")
        .agg(start=of.min("start"), end=of.max("end"), n=of.count()),
        "actions": flows.group_by("action").agg(n=of.count()),
        "talkers": flows.group_by("srcaddr").agg(**volume).top_k(10, by="bytes"),
        "listeners": flows.group_by("dstaddr").agg(**volume).top_k(10, by="bytes"),
        "services": flows.filter("dstport < 32768 and (action is null or action != 'REJECT')")._with(lenient=True)
        .group_by("dstport", "protocol").agg(**volume).top_k(10, by="bytes"),
        "rejected_ports": rejected.group_by("dstport", "protocol").agg(n=of.count()).top_k(10, by="n"),
        "rejected_sources": rejected.group_by("srcaddr").agg(n=of.count()).top_k(10, by="n"),
        "interfaces": flows.group_by("interface_id", "log_status").agg(n=of.count()),
        "minutes": flows.group_by(every="1m").agg(bytes=of.sum("bytes")),
    }  # fmt: skip


def summarize(flows: Flows, *, progress: Progress | bool | None = None) -> Summary:
    """Reads the logs once, checks every value, and returns the figures.

    Fields that the logs lack leave their part empty. Errors as :meth:`vpcflow.Flows.collect`; the ``partial`` of a
    :class:`~vpcflow.SourceError` is then the :class:`Summary` of the records before the damage.
    """
    queries = summary_queries(flows)
    filtered = bool(flows._filters)
    try:
        results = collect_all(list(queries.values()), progress=progress)
    except VpcflowError as error:
        if error.partials:
            error.partial = Summary(dict(zip(queries, error.partials)), filtered)
        raise
    return Summary(dict(zip(queries, results)), filtered)
