"""Plans, writes, applies, verifies, audits and prices flow logs: ``vpcflow enable``."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from typing import Any

from .._words import count
from ..enable.audit import audit, mending_plan
from ..enable.costs import estimated_range, measured_cost
from ..enable.emitters import FORMS, emit
from ..enable.inventory import Inventory, inventory_in
from ..enable.plan import Plan
from ..enable.planning import RETENTION_DAYS, plan
from ..enable.wanted import analyses_of, wanted_fields
from ..errors import PlanError
from ..io.writing import write_whole
from ..query.scan import scan
from ._enable_pages import (
    cost_document,
    cost_lines,
    plan_lines,
    print_audit,
    print_lines,
    print_range,
    telling,
)
from ._output import FOUND, print_note, write_out
from ._pages import add_page
from ._parser import positive
from ._shared import collect, names_of

HELP = "plan, write, apply, verify, audit and price flow logs"
EXAMPLES = (
    "enable plan vpc-0a1b2c3d4e5f60718 --to s3://example-flow-logs/vpc --for port_scan,cost "
    "--from-json examples/inventory -o plan.json\n"
    "  vpcflow enable emit plan.json --as terraform\n"
    "  vpcflow enable audit --from-json examples/inventory --for detect\n"
    "  vpcflow enable cost --from logs/ --for detect\n"
    "  vpcflow enable cost --flows-per-minute 20 --interfaces 300"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _plan_arguments(_verb(verbs, "plan", "plan the flow logs of resources; nothing is called to create them"))
    emitted = _verb(verbs, "emit", "write a plan for another tool; nothing is called")
    emitted.add_argument("plan", metavar="PLAN", help="read the plan from this file of enable plan")
    emitted.add_argument("--as", dest="form", required=True, choices=list(FORMS), help="write it in this form")
    emitted.add_argument("-o", "--out", default="-", metavar="FILE", help="write to FILE (default: standard output)")
    _audit_arguments(_verb(verbs, "audit", "judge what is recorded and what is not; exit code 1 if anything is amiss"))
    _cost_arguments(_verb(verbs, "cost", "count what a format costs: exactly, of your own logs, or a range without"))


def _verb(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    return parser


def _inventory_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from-json", metavar="DIR",
        help="take what is there from the answers of describe calls in DIR, as describe-flow-logs.json",
    )  # fmt: skip
    parser.add_argument("--account", default="", metavar="ID", help="take this account where the answers tell none")
    parser.add_argument("--region", default="", metavar="NAME", help="take this region where the answers tell none")


def _for_argument(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument(
        "--for", dest="for_", default="", metavar="NAMES",
        help=f"{text}: detectors, analyses of vpcflow capabilities, detect, all",
    )  # fmt: skip


def _plan_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "resources",
        nargs="+",
        metavar="RESOURCE",
        help="plan for vpc-..., subnet-..., eni-..., tgw-..., an ARN, TYPE:ID",
    )
    parser.add_argument(
        "--to", required=True, metavar="URL",
        help="deliver to s3://BUCKET/FOLDER, cloudwatch://GROUP, firehose://STREAM, or an ARN of these",
    )  # fmt: skip
    _for_argument(parser, "record the fields that these need (default: visibility)")
    parser.add_argument("--format", default="", help="record this format instead: '${srcaddr} ${bytes}', v5, default")
    _inventory_arguments(parser)
    parser.add_argument("--interval", type=int, choices=(60, 600), default=60, help="aggregate N seconds (default 60)")
    parser.add_argument(
        "--traffic", choices=("ALL", "ACCEPT", "REJECT"), default="ALL", help="record this (default ALL)"
    )
    parser.add_argument("--parquet", action="store_true", help="deliver Parquet to S3 instead of text")
    parser.add_argument("--hive", action="store_true", help="name folders in S3 as Hive does: year=2026")
    parser.add_argument("--hourly", action="store_true", help="make a folder for each hour in S3")
    parser.add_argument(
        "--tag-keys", action="append", default=[], metavar="TYPE=KEY",
        help="record the value of this tag of instance, interface or asg; twice for two keys of a type",
    )  # fmt: skip
    parser.add_argument(
        "--role", default="", metavar="ARN", help="let this role deliver (default: one that the plan makes)"
    )
    parser.add_argument(
        "--destination-role", default="", metavar="ARN", help="deliver to a stream of another account by it"
    )
    parser.add_argument("--kms-key", default="", metavar="ARN", help="show what the policy of the bucket's key needs")
    parser.add_argument(
        "--retention", type=positive, default=RETENTION_DAYS, metavar="DAYS",
        help=f"keep a log group that is made for DAYS (default {RETENTION_DAYS})",
    )  # fmt: skip
    parser.add_argument(
        "--replace", action="append", default=[], metavar="FLOW-LOG",
        help="delete this flow log, which vpcflow did not make, once the new one delivers",
    )  # fmt: skip
    parser.add_argument("-o", "--out", metavar="PLAN", help="write the plan to this file, or - for standard output")
    parser.add_argument("--json", action="store_true", help="print the plan as one JSON object")


def _audit_arguments(parser: argparse.ArgumentParser) -> None:
    _inventory_arguments(parser)
    _for_argument(parser, "demand the fields that these need")
    parser.add_argument("--interval", type=int, choices=(60, 600), default=60, help="accept N seconds (default 60)")
    parser.add_argument("--all", action="store_true", help="print what is fine, too")
    parser.add_argument("--plan", metavar="FILE", help="write the plan that mends it to FILE")
    parser.add_argument(
        "--to", default="", metavar="URL", help="deliver to this in the plan (default: where the others go)"
    )
    parser.add_argument(
        "--replace", action="append", default=[], metavar="FLOW-LOG", help="let the plan delete this flow log of others"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line, of all resources")
    add_page(parser)


def _cost_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from", dest="paths", nargs="+", default=[], metavar="PATH", help="count in these logs of yours"
    )
    parser.add_argument(
        "--flows-per-minute", type=float, metavar="N", help="without logs: N records a minute and interface"
    )
    parser.add_argument("--interfaces", type=positive, metavar="N", help="without logs: of N interfaces")
    _for_argument(parser, "price the fields that these need (default: visibility)")
    parser.add_argument("--format", default="", help="price this format instead: '${srcaddr} ${bytes}', v5, default")
    parser.add_argument(
        "--region", default="us-east-1", metavar="NAME", help="take the prices of NAME (default us-east-1)"
    )
    parser.add_argument("--parquet", action="store_true", help="add what the conversion to Parquet costs")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    code: int = {"plan": _run_plan, "emit": _run_emit, "audit": _run_audit, "cost": _run_cost}[args.verb](args)
    return code


def _inventory(args: argparse.Namespace) -> Inventory:
    if args.from_json:
        return inventory_in(args.from_json, args.account, args.region)
    raise PlanError(f"enable {args.verb}: give --from-json DIR, a folder with the answers of describe calls")


def _run_plan(args: argparse.Namespace) -> int:
    made = plan(
        args.resources, to=args.to, for_=names_of(args.for_), inventory=_inventory(args), format=args.format,
        interval=args.interval, traffic=args.traffic, parquet=args.parquet, hive=args.hive, hourly=args.hourly,
        tag_keys=args.tag_keys, role=args.role, destination_role=args.destination_role, kms_key=args.kms_key,
        retention_days=args.retention, replace=args.replace, account=args.account, region=args.region,
    )  # fmt: skip
    _write_plan(made, args.out)
    if args.json and args.out != "-":
        write_out(json.dumps(made.as_dict(), ensure_ascii=False) + "\n")
    elif args.out != "-":
        print_lines(plan_lines(made))
    return FOUND if any(step.action == "blocked" for step in made.steps) else 0


def _write_plan(made: Plan, out: str | None) -> None:
    if out == "-":
        write_out(json.dumps(made.as_dict(), indent=2, ensure_ascii=False) + "\n")
    elif out:
        made.write(out)
        print_note(f"plan written to {out}; see it in other forms by: vpcflow enable emit {out} --as terraform")


def _run_emit(args: argparse.Namespace) -> int:
    text = emit(Plan.read(args.plan), args.form)
    if args.out == "-":
        write_out(text)
    else:
        write_whole(args.out, text.encode("utf-8", "replace"))
    return 0


def _run_audit(args: argparse.Namespace) -> int:
    inventory = _inventory(args)
    rows = audit(inventory, names_of(args.for_), interval=args.interval)
    amiss = [row for row in rows if row.amiss]
    for note in inventory.notes:
        print_note(f"note: {note}")
    print_audit(rows if args.json or args.csv or args.all else telling(amiss, inventory), args)
    if not args.json and not args.csv:
        words = Counter(row.verdict for row in rows)
        verdicts = ", ".join(f"{number:,} {verdict}" for verdict, number in words.items())
        write_out(f"{len(amiss):,} of {count(len(rows), 'resource')} amiss: {verdicts}\n" if rows else "no resource\n")
    if args.plan and amiss:
        made = mending_plan(
            inventory, rows, to=args.to, for_=names_of(args.for_), interval=args.interval, replace=args.replace,
            account=args.account, region=args.region,
        )  # fmt: skip
        _write_plan(made, args.plan)
    return FOUND if amiss else 0


def _run_cost(args: argparse.Namespace) -> int:
    fields = wanted_fields(analyses_of(names_of(args.for_)) or ["visibility"], "vpc", args.format)
    if not args.paths:
        if not args.flows_per_minute or not args.interfaces:
            raise PlanError("enable cost: give --from PATH, or --flows-per-minute N and --interfaces N")
        return print_range(estimated_range(fields, args.flows_per_minute, args.interfaces), fields, args)
    cost, code = collect(lambda: measured_cost(scan(args.paths if len(args.paths) > 1 else args.paths[0]), fields))
    document = cost_document(cost, args)
    if args.json:
        write_out(json.dumps(document) + "\n")
    else:
        print_lines(cost_lines(cost, document))
    return code
