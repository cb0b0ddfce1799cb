"""Keeps, summarises and drops records by routes, and says what each saves and blinds: ``vpcflow route``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

from .._words import count
from ..enable.costs import DAYS
from ..errors import PlanError
from ..pricing import Sheet, prices
from ..query.flows import Flows
from ..volume.proving import Proof, prove
from ..volume.routing import USUAL, Route, Routed, blinded, load_routes, route
from ._output import print_note, write_out
from ._pages import Page, add_page, print_page
from ._shared import add_input, flows_of
from ._volume import RefusedError, add_places, add_prove, left_out, prover, refused

HELP = "keep, summarise and drop records by routes; what each saves, and which detectors it blinds"
EXAMPLES = "route logs/\n  vpcflow route logs/ --routes examples/routes.json"
_KINDS = ("logs.cloudwatch", "logs.s3", "logs.firehose", "logs.storage")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument(
        "--routes", metavar="FILE", help="measure the routes of this YAML or JSON file (default: what many choose)"
    )
    parser.add_argument("-o", "--out", metavar="DIR", help="write what the routes leave to this new folder")
    add_places(parser)
    add_prove(parser)
    parser.add_argument("--prices", metavar="FILE", help="take this price sheet (default: public list prices)")
    parser.add_argument("--price", choices=_KINDS, default="logs.s3", help="price bytes so (default logs.s3)")
    add_page(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.where:
        raise PlanError("route takes every record: --where would drop some; write a route")
    if args.out and not args.routes:
        raise PlanError("-o DIR needs --routes FILE: which records are to be kept")
    routes = load_routes(args.routes) if args.routes else None
    flows, sheet = flows_of(args), prices(args.prices)
    region = args.region[0] if args.region and len(args.region) == 1 else _region_of(flows)
    if args.out and routes is not None:
        try:
            done = route(flows, args.out, routes, layout=args.layout, by=args.by, check=prover(args.prove, flows))
        except RefusedError as refusal:
            return refused(refusal.proof, args.out)
        return _written(done, args)
    plans = {"routes": (args.routes, tuple(routes))} if routes is not None else USUAL
    rows = [_row(flows, name, meaning, own, (sheet, args.price, region)) for name, (meaning, own) in plans.items()]
    print_page(Page([(name, _TYPES.get(name, "int64")) for name in rows[0]], rows, _BYTES), args)
    if not args.json:
        priced = sheet.price(args.price, region) is not None
        print_note(
            f"cost and saving: {sheet.currency} in {DAYS} days at the rate of these logs, at {args.price} of {region} "
            + (f"({sheet.published})" if priced else "(unpriced: the sheet has none)")
            + ", where what is dropped is not sent; a flow log itself leaves out by ACCEPT, REJECT and fields alone"
        )
    return 0


_TYPES: Mapping[str, Any] = {
    "plan": "text", "meaning": "text", "cost": "float64", "saving": "float64", "blinds": "text", "currency": "text",
}  # fmt: skip
_BYTES = frozenset({"text_bytes", "kept_text_bytes", "parquet_bytes"})


def _row(
    flows: Flows, name: str, meaning: str, routes: Sequence[Route], price: tuple[Sheet, str, str]
) -> dict[str, Any]:
    proofs: list[Proof] = []
    with tempfile.TemporaryDirectory() as folder:
        done = route(
            flows, os.path.join(folder, "lake"), routes, check=lambda stored: proofs.append(prove(flows, stored))
        )
    sheet, kind, region = price
    text, kept = done.total("bytes"), done.total("kept_bytes")
    scale = DAYS * 86400 / max(1, (done.end or 0) - (done.start or 0))
    costs = [sheet.cost(kind, region, round(size * scale)) for size in (text, kept)]
    kinds = [change.kind for change in proofs[0].changes]
    cost = None if costs[0] is None else round(float(costs[0]), 4)
    saving = None if costs[0] is None or costs[1] is None else round(float(costs[0] - costs[1]), 4)
    return {
        "plan": name, "records": done.total("records"), "kept": done.total("kept"), "text_bytes": text,
        "kept_text_bytes": kept, "parquet_bytes": done.size, "cost": cost, "saving": saving,
        "currency": sheet.currency, "findings": proofs[0].findings,
        **{f"findings_{one}": kinds.count(one) for one in ("lost", "invented", "changed")},
        "blinds": ", ".join(blinded(routes)) or None, "meaning": meaning,
    }  # fmt: skip


def _region_of(flows: Flows) -> str:
    """Returns the region of the logs, by their paths."""
    regions = {path["region"] for path in (source.object_path for source in flows._sources) if path["region"]}
    return str(min(regions)) if len(regions) == 1 else "us-east-1"


def _written(done: Routed, args: argparse.Namespace) -> int:
    if args.json:
        write_out("".join(json.dumps(dataclasses.asdict(part)) + "\n" for part in done.parts))
    else:
        for part in done.parts:
            write_out(f"{part.name}: {part.do}: {part.kept:,} of {count(part.records, 'record')}\n")
    return left_out(done.rejected, done.error, args)
