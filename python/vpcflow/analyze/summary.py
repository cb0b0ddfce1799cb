"""The first look at flow logs: what ``vpcflow summary`` prints."""

from __future__ import annotations

from typing import Any

from .. import _core
from .. import _display as display
from ..errors import VpcflowError
from ..query.expr import count, max, min, sum
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_all
from ..query.scan import query
from ..typing import Progress

SCHEMA_VERSION = 1  # of summaries as JSON, docs/schemas.md
_BARS = " .:-=+*#%@"
_PROTOCOLS = {number: usual for number, _, usual in _core.protocol_names()}
_PORTS = {number: usual for number, _, usual in _core.port_names()}


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

    def headline(self) -> str:
        """Formats one line: span, records, volume, accepted and rejected."""
        span = "no time span"
        if self.start is not None and self.end is not None:
            span = (
                f"{display.instant(self.start)} to {display.instant(self.end)} UTC ({_length(self.end - self.start)})"
            )
        decided = self.actions.get("ACCEPT", 0) + self.actions.get("REJECT", 0)
        shares = ""
        if decided:
            accepted = self.actions.get("ACCEPT", 0)
            shares = f", {accepted:,} accepted, {decided - accepted:,} rejected ({(decided - accepted) / decided:.1%})"
        records = f"{self.matched:,} records"
        if self._filtered:
            records = f"{self.matched:,} of {self.report.records:,} records pass the filter"
        return f"{span}: {records}, {display.human_bytes(self.bytes)} in {self.packets:,} packets{shares}"

    def text(self) -> str:
        """Formats the whole page."""
        r = self.report
        parts = [self.headline(), "", self._files()]
        parts += self._timeline()
        parts += self._table("Top talkers (by bytes sent)", "talkers", "srcaddr")
        parts += self._table("Top receivers (by bytes received)", "listeners", "dstaddr")
        parts += self._table("Top services (accepted, by bytes)", "services", "dstport")
        parts += self._table("Top rejected ports", "rejected_ports", "dstport")
        parts += self._table("Top rejected sources", "rejected_sources", "srcaddr")
        parts += self._coverage()
        if r.rejected:
            reasons = ", ".join(f"{n:,} {reason}" for reason, n in r.rejects_by_reason.items())
            parts += ["", f"Lines rejected: {r.rejected:,} ({reasons}); the first:"]
            for reject in r.rejects[:5]:
                field = f" {reject['field']}:" if reject["field"] else ""
                place = f"{reject['file']}:{reject['line']}:{reject['column']}:"
                parts.append("  " + display.printable(f"{place}{field} {reject['reason']}: {reject['excerpt']}"))
        parts += [f"note: {display.printable(warning)}" for warning in r.warnings]
        return "\n".join(parts) + "\n"

    def _files(self) -> str:
        r = self.report
        files = f"{r.sources:,} file{'s' if r.sources != 1 else ''}, {display.human_bytes(r.text_bytes)} of text"
        formats = [f"{len(f.split())} fields in {n:,}" for f, n in r.formats.items()]
        return f"Read: {files}; formats: {'; '.join(formats) if formats else 'none'}"

    def _timeline(self) -> list[str]:
        minutes = {row["time"]: row["bytes"] for row in self.rows("minutes") if row["time"] is not None}
        if len(minutes) < 2:
            return []
        first, last = sorted(minutes)[0], sorted(minutes)[-1]
        width = 60
        step = -(-(last - first + 60) // (width * 60)) * 60
        bins = [0] * (-(-(last - first + 60) // step))
        for time, volume in minutes.items():
            bins[(time - first) // step] += volume
        peak = sorted(bins)[-1]
        bars = "".join(_BARS[-(-b * (len(_BARS) - 1) // peak)] if peak else " " for b in bins)
        return ["", f"Bytes over time, {_length(step)} a column, peak {display.human_bytes(peak)}:", f"  |{bars}|"]

    def _table(self, title: str, name: str, key: str) -> list[str]:
        rows = self.rows(name)
        if not rows or all(row[key] is None for row in rows):
            return []
        lines = [["" if row[key] is None else self._label(row, key), *self._figures(row)] for row in rows]
        widths = [sorted(len(line[i]) for line in lines)[-1] for i in range(len(lines[0]))]
        body = [
            "  " + "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:]))])
            for line in lines
        ]
        return ["", f"{title}:", *body]

    @staticmethod
    def _label(row: dict[str, Any], key: str) -> str:
        if key != "dstport":
            return display.printable(str(row[key]))
        service = f" {_PORTS[row[key]]}" if row[key] in _PORTS else ""
        protocol = row.get("protocol")
        return f"{row[key]}{service} {_PROTOCOLS.get(protocol, protocol) if protocol is not None else ''}".strip()

    @staticmethod
    def _figures(row: dict[str, Any]) -> list[str]:
        figures = []
        if "bytes" in row:
            figures.append(display.human_bytes(row["bytes"]))
        return [*figures, f"{row['n']:,} records"]

    def _coverage(self) -> list[str]:
        if not self.interfaces:
            return []
        r = self.report
        line = f"Interfaces: {self.interfaces:,}, {len(self.silent):,} without data; {r.nodata:,} NODATA records"
        line += f", {r.skipdata:,} SKIPDATA (counts are a floor there)" if r.skipdata else ", no SKIPDATA"
        names = [display.printable(name) for name in self.silent[:5]]
        more = f" and {len(self.silent) - 5:,} more" if len(self.silent) > 5 else ""
        return ["", line, *([f"  without data: {', '.join(names)}{more}"] if names else [])]


def _length(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 172800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"


def _queries(flows: Flows) -> dict[str, Flows]:
    # What these parts add may exclude what was asked for; then they are empty, and no mistake of the user's.
    rejected = flows.filter("action = 'REJECT'")._with(lenient=True)
    volume = {"bytes": sum("bytes"), "n": count()}
    return {
        "totals": flows.agg(bytes=sum("bytes"), packets=sum("packets")),
        # Naming log_status takes NODATA and SKIPDATA records in: the span is of all records.
        "span": flows.filter("log_status is null or log_status is not null")
        .agg(start=min("start"), end=max("end"), n=count()),
        "actions": flows.group_by("action").agg(n=count()),
        "talkers": flows.group_by("srcaddr").agg(**volume).top_k(10, by="bytes"),
        "listeners": flows.group_by("dstaddr").agg(**volume).top_k(10, by="bytes"),
        "services": flows.filter("dstport < 32768 and (action is null or action != 'REJECT')")._with(lenient=True)
        .group_by("dstport", "protocol").agg(**volume).top_k(10, by="bytes"),
        "rejected_ports": rejected.group_by("dstport", "protocol").agg(n=count()).top_k(10, by="n"),
        "rejected_sources": rejected.group_by("srcaddr").agg(n=count()).top_k(10, by="n"),
        "interfaces": flows.group_by("interface_id", "log_status").agg(n=count()),
        "minutes": flows.group_by(every="1m").agg(bytes=sum("bytes")),
    }  # fmt: skip


def summarize(flows: Flows, *, progress: Progress | bool | None = None) -> Summary:
    """Reads the logs once, checking every value, and gives the figures.

    Fields that the logs lack leave their part empty. Errors as :meth:`vpcflow.Flows.collect`; the ``partial`` of a
    :class:`~vpcflow.SourceError` is then the :class:`Summary` of what could be read.
    """
    queries = _queries(query(allow_missing=True)._with(check_all=True).bind(flows))
    filtered = bool(flows._filters)
    try:
        results = collect_all(list(queries.values()), progress=progress)
    except VpcflowError as error:
        if error.partials:
            error.partial = Summary(dict(zip(queries, error.partials)), filtered)
        raise
    return Summary(dict(zip(queries, results)), filtered)
