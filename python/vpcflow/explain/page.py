"""The page of an explanation: what stands first is what is needed first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._display import instant, printable
from .._layout import text_table, wrapped
from .._words import count
from .verdicts import VERDICTS

if TYPE_CHECKING:
    from .explanation import Explanation

_SHOWN = 5  # records, and doubts, of a page
_MANY = 8  # verdicts that are not listed one by one
_SCHEMA = [("at", "text"), ("interface", "text"), ("seen", "text"), ("records", "int64"), ("packets", "int64")]


def page(found: Explanation, width: int | None) -> str:
    """Formats an explanation as a page."""
    sure = "certain" if found.certain else "not certain"
    title = VERDICTS[found.verdict]
    head = f"{found.verdict} ({sure})" if found.verdict != "cannot_tell" else found.verdict
    lines = wrapped(f"{head}: {title}", width)
    lines += wrapped(printable(found.sentence), width, "")
    if any(row["records"] for row in found.vantage):
        lines += ["", text_table(_SCHEMA, list(map(_vantage, found.vantage)), width)]
    lines += _part("what to change", found.change, width)
    lines += _part("how to check it", found.check, width)
    lines += _part("not certain, as", found.doubts[:_SHOWN], width)
    if found.not_ruled_out:
        many = len(found.not_ruled_out) > _MANY
        lines += _part("not ruled out", ["most others" if many else ", ".join(found.not_ruled_out)], width)
    lines += _part("rules", _rules(found), width)
    shown = [_record(row) for row in _first_ones(found.evidence)]
    more = len(found.evidence) - len(shown)
    lines += _part("records" + (f" ({more} more: --json)" if more else ""), shown, width)
    lines += _part("ruled out", filter(None, [_ruled_out(found)]), width)
    return "\n".join(lines) + "\n"


def _vantage(row: dict[str, Any]) -> dict[str, Any]:
    names = row["interfaces"]
    interface = names[0] if len(names) == 1 else f"{len(names)} interfaces" if names else None
    seen = {"none": "nothing", "unknown": "not known"}.get(row["seen"], row["seen"])
    return {**row, "at": f"{row['seen_at']} {row['what']}", "interface": interface, "seen": seen}


def _part(title: str, texts: Iterable[str], width: int | None) -> list[str]:
    lines = []
    for text in texts:
        lines += wrapped(f"  {printable(text)}", width, "    ")
    return ["", f"{title}:", *lines] if lines else []


def _rules(found: Explanation) -> list[str]:
    out = []
    if found.denied_by:
        out.append(f"denied by {', '.join(found.denied_by)}")
    if found.allowed_by:
        out.append(f"allowed by {', '.join(found.allowed_by[:8])}{' ...' if len(found.allowed_by) > 8 else ''}")
    if found.rules_changed:
        out.append("AWS decided otherwise than these rules say, or they are others now")
    return out


def _record(row: dict[str, Any]) -> str:
    ends = []
    for address, port in (("srcaddr", "srcport"), ("dstaddr", "dstport")):
        ends.append(str(row.get(address, "-")) + (f":{row[port]}" if row.get(port) else ""))
    sizes = [count(row[name], name[:-1]) for name in ("packets", "bytes") if name in row]
    parts = [" > ".join(ends), *([row["action"]] if "action" in row else []), *sizes]
    at = f" at {row['offset']:,}" if row.get("offset") is not None else ""
    when = f"{instant(row['start'])} UTC  " if row.get("start") else ""
    return f"{row['seen_at']}  {when}{', '.join(parts)}  ({row['file']}{at})"


def _first_ones(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the first record of each vantage point and action."""
    first: dict[tuple[Any, Any], dict[str, Any]] = {}
    for row in rows:
        first.setdefault((row["seen_at"], row.get("action")), row)
    return list(first.values())[:_SHOWN]


def _ruled_out(found: Explanation) -> str:
    by: dict[str, list[str]] = {}
    for one in found.ruled_out:
        if one["verdict"] not in ("not_sent", "intermittent", "late_packet"):
            by.setdefault(one["how"], []).append(one["verdict"])
    return "; ".join(f"{', '.join(names)}: {how}" for how, names in by.items())
