"""How ``vpcflow enable`` shows plans, audits and costs."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._display import human_bytes, printable
from .._layout import terminal_width, wrapped
from .._words import count
from ..enable.apply import Applied
from ..enable.audit import AuditRow
from ..enable.costs import DAYS, DESTINATIONS, Cost
from ..enable.delete import Deleted
from ..enable.plan import Plan
from ..enable.prices import monthly_usd, price_date, price_source, usd_per_gb, why_not_priced
from ..enable.spec import FlowLogSpec
from ..enable.verify import Verified
from ._output import write_out
from ._pages import Page, print_page

_AUDIT = [
    ("resource", "text"), ("type", "text"), ("name", "text"), ("account_id", "text"), ("region", "text"),
    ("verdict", "text"), ("verdicts", "text"), ("flow_logs", "text"), ("why", "text"), ("interface_type", "text"),
    ("within", "text"),
]  # fmt: skip


def print_lines(lines: Sequence[str]) -> None:
    """Prints lines, broken at the width of the terminal."""
    width = terminal_width()
    write_out("".join(f"{part}\n" for line in lines for part in wrapped(printable(line), width, " " * 11)))


def _fields_words(spec: FlowLogSpec) -> str:
    return count(len(spec.fields), "field") if spec.fields else "AWS's default fields"


def plan_lines(made: Plan) -> list[str]:
    """Returns a plan in words."""
    lines = []
    for step in made.steps:
        spec = step.spec
        named = f"{spec.resource.id} ({step.name})" if step.name else spec.resource.id
        what = f"{spec.traffic or 'ALL'}, {_fields_words(spec)}, {spec.interval} s, to {spec.destination.url}"
        lines.append(f"{step.action:<8} {named}: {what}")
        lines += [f"         - {why}" for why in step.why]
    calls = made.calls()
    lines.append(f"{count(len(calls), 'call')} of CreateFlowLogs" if calls else "nothing to create")
    for bucket in made.policies.get("buckets", ()):
        if not bucket["known"]:
            lines.append(f"policy of bucket {bucket['bucket']}: see vpcflow enable emit --as policies")
        elif bucket["difference"]:
            lines += [
                f"policy of bucket {bucket['bucket']}:",
                *(f"  {line}" for line in bucket["difference"].splitlines()),
            ]
        else:
            lines.append(f"policy of bucket {bucket['bucket']}: allows it already")
    role = made.policies.get("role")
    if role:
        lines.append(f"role {role['arn']}: {'is made, for this log group alone' if role['create'] else 'is there'}")
    for group in made.log_groups:
        state = {True: "is made", False: "is there", None: "is made if it is not there"}[group["create"]]
        days = f", kept for {group['retention_days']} days" if group["retention_days"] else ""
        lines.append(f"log group {group['name']}: {state}{days}")
    lines += _impossible_words(made)
    lines += _cost_words(made)
    return lines + [f"note: {note}" for note in made.notes]


def _impossible_words(made: Plan) -> list[str]:
    """Returns what the logs will not answer, a line for each family and verdict."""
    grouped: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for one in made.impossible:
        grouped.setdefault((one["family"], one["verdict"]), []).append(one)
    lines = []
    for (family, verdict), found in grouped.items():
        names = ", ".join(one["analysis"] for one in found)
        add = ", ".join(dict.fromkeys(field for one in found for field in one["add"]))
        lines.append(f"{verdict} even so ({family} logs have no {add}): {names}")
    return lines


def _cost_words(made: Plan) -> list[str]:
    cost = made.cost
    if not cost or not cost["record_bytes"]:
        return []
    size = f"cost: about {cost['record_bytes']} bytes a record"
    if cost["usd_per_million_records"] is None:
        return [f"{size}, {why_not_priced(made.steps[0].spec.destination.type)}"]
    where = f"{cost['price_region']}, prices of {cost['price_date']}"
    return [
        f"{size}, {cost['usd_per_million_records']:.3f} USD a million ({where}); exactly by: vpcflow enable cost "
        "--from logs/"
    ]


def telling(rows: Sequence[AuditRow]) -> list[AuditRow]:
    """Returns the rows that say more than that of what the resource is in."""
    said = {(row.account_id, row.resource): (row.verdicts, row.flow_logs) for row in rows}
    return [
        row
        for row in rows
        if all(said.get((row.account_id, upper)) != (row.verdicts, row.flow_logs) for upper in row.within)
    ]


def print_audit(rows: Sequence[AuditRow], args: argparse.Namespace) -> None:
    """Prints rows of an audit in the form that the options ask for."""
    if args.json:
        write_out("".join(json.dumps(row.as_dict(), ensure_ascii=False) + "\n" for row in rows))
        return
    plain = [
        {
            **row.as_dict(),
            "verdicts": " ".join(row.verdicts),
            "flow_logs": " ".join(row.flow_logs),
            "why": "; ".join(row.why),
            "within": " ".join(row.within),
        }
        for row in rows
    ]
    shown = [column for column in _AUDIT if args.csv or args.columns or column[0] in _shown(rows)]
    if plain or args.csv:
        print_page(Page(shown, plain, prose="why"), args)


def _shown(rows: Sequence[AuditRow]) -> set[str]:
    """Returns the columns of the page: those that tell rows apart."""
    apart = {name for name in ("account_id", "region", "name") if len({getattr(row, name) for row in rows}) > 1}
    return {"resource", "verdict", "flow_logs", "why", *apart}


def print_rows(rows: Sequence[Applied | Deleted | Verified], args: argparse.Namespace) -> None:
    """Prints what became of flow logs."""
    if args.json:
        write_out("".join(json.dumps(row.as_dict(), ensure_ascii=False) + "\n" for row in rows))
        return
    lines = []
    for row in rows:
        word = row.verdict if isinstance(row, Verified) else row.outcome
        named = " ".join(name for name in (row.resource, row.flow_log) if name)
        lines.append(f"{word:<12} {named}" + (f": {'; '.join(row.why)}" if row.why else ""))
    print_lines(lines)


def cost_document(cost: Cost, args: argparse.Namespace) -> dict[str, Any]:
    """Returns a cost as ``--json`` prints it."""
    options = []
    for interval, found in sorted(cost.intervals.items()):
        for destination in DESTINATIONS:
            one: dict[str, Any] = {"destination": destination, "interval": interval}
            for what in ("", "most_"):
                if f"{what}bytes" in found:
                    there = found[f"{what}bytes"]
                    one[f"{what}bytes_per_month"] = round(cost.per_month(there))
                    one[f"{what}usd_per_month"] = _rounded(cost.usd(destination, args.region, args.parquet, there))
            options.append(one)
    return {
        "basis": cost.basis,
        "records": cost.records,
        "bytes": cost.bytes,
        "seconds": cost.seconds,
        "interval": cost.interval,
        "fields": [dataclasses.asdict(one) for one in cost.fields],
        "options": options,
        "price_region": args.region,
        "price_date": price_date(),
        "price_source": price_source(),
    }


def _rounded(dollars: float | None) -> float | None:
    return None if dollars is None else round(dollars, 2)


def cost_lines(cost: Cost, document: dict[str, Any]) -> list[str]:
    """Returns a cost in words."""
    a_record = f"{cost.bytes / cost.records:.1f} bytes each" if cost.records else "no record"
    size = f"{human_bytes(cost.bytes)} unpacked ({cost.basis})"
    lines = [f"{count(cost.records, 'record')} in {cost.seconds:,} s, {a_record}, {size}"]
    for one in sorted(cost.fields, key=lambda field: -field.bytes):
        note = "" if one.measured else "  not in the logs: usual width"
        lines.append(
            f"  {one.field:<28} {100 * one.bytes / max(cost.bytes, 1):5.1f} %  {human_bytes(one.bytes):>10}{note}"
        )
    lines.append(f"in {DAYS} days at this rate, {document['price_region']}, prices of {document['price_date']}:")
    for one in document["options"]:
        least, most = one["usd_per_month"], one.get("most_usd_per_month")
        volume = human_bytes(one["bytes_per_month"])
        dollars = why_not_priced(one["destination"]) if least is None else f"{least:,.2f} USD"
        if most is not None and one.get("most_bytes_per_month") != one["bytes_per_month"]:
            dollars, volume = f"{dollars} to {most:,.2f} USD", f"{volume} to {human_bytes(one['most_bytes_per_month'])}"
        lines.append(f"  {one['destination']:<22} {one['interval']:>3} s  {volume:>12}  {dollars}")
    lines.append(
        "note: 600 s helps for interfaces outside of Nitro alone; those of Nitro instances always have 60 s or less"
    )
    return lines


def print_range(found: dict[str, Any], fields: Sequence[str], args: argparse.Namespace) -> int:
    """Prints what logs would cost that are not there."""
    options: list[dict[str, Any]] = []
    for destination in DESTINATIONS:
        dollars = {
            which: _rounded(monthly_usd(size, args.region, destination, args.parquet and destination == "s3"))
            for which, size in found["bytes_per_month"].items()
        }
        options.append(
            {"destination": destination, "usd_per_gb": usd_per_gb(args.region, destination), "usd_per_month": dollars}
        )
    document = {
        "basis": "range", **found, "fields": list(fields), "options": options, "price_region": args.region,
        "price_date": price_date(), "price_source": price_source(),
    }  # fmt: skip
    if args.json:
        write_out(json.dumps(document) + "\n")
        return 0
    sizes = found["bytes_per_month"]
    lines = [
        "a range, not a measurement: "
        + ", ".join(f"{which} {human_bytes(size)}" for which, size in sizes.items())
        + " a month",
    ]
    for option in options:
        price: dict[str, float | None] = option["usd_per_month"]
        known = price["usual"] is not None
        told = ", ".join(f"{which} {value:,.2f} USD" for which, value in price.items()) if known else ""
        lines.append(f"  {option['destination']:<22} {told or why_not_priced(option['destination'])}")
    print_lines([*lines, f"prices of {price_date()}, {args.region}; exactly by: vpcflow enable cost --from logs/"])
    return 0
