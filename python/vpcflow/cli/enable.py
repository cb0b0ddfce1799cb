"""Plans, writes, applies, verifies, audits and prices flow logs: ``vpcflow enable``."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import Counter
from typing import Any

from .._units import seconds
from .._words import count
from ..enable.apply import DONE, apply
from ..enable.audit import AuditRow, audit, mending_plan
from ..enable.aws import Aws
from ..enable.costs import estimated_range, measured_cost
from ..enable.delete import delete
from ..enable.destinations import S3, destination_of, partition_of
from ..enable.emitters import FORMS, emit
from ..enable.inventory import Inventory, inventory_in
from ..enable.live import audit_organisation, read_inventory
from ..enable.plan import Plan
from ..enable.planning import RETENTION_DAYS, plan
from ..enable.verify import verify
from ..enable.wanted import analyses_of, wanted_fields
from ..errors import PlanError
from ..io.aws import Connection
from ..io.aws.words import in_words
from ..io.writing import write_whole
from ..query.scan import scan
from ._enable_pages import (
    cost_document,
    cost_lines,
    plan_lines,
    print_audit,
    print_lines,
    print_range,
    print_rows,
    telling,
)
from ._output import FOUND, print_note, write_out
from ._pages import add_page
from ._parser import positive
from ._shared import add_aws, aws_of, collect, names_of

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
    applied = _verb(verbs, "apply", "carry out a plan, or say what AWS would allow; may be repeated at any time")
    applied.add_argument("plan", metavar="PLAN", help="read the plan from this file of enable plan")
    applied.add_argument("--yes", action="store_true", help="do it (default: a dry run, which changes nothing)")
    _wait_argument(applied, "watch replaced flow logs for TIME, to delete the old ones once the new ones deliver")
    verified = _verb(verbs, "verify", "read the first records that a plan's flow logs deliver; exit code 1 without")
    verified.add_argument("plan", metavar="PLAN", help="read the plan from this file of enable plan")
    _wait_argument(verified, "wait for the first records for TIME, as 20m")
    deleted = _verb(verbs, "delete", "delete the flow logs that vpcflow made, or those that are named")
    deleted.add_argument("ids", nargs="*", metavar="FLOW-LOG", help="delete these, whoever made them")
    deleted.add_argument("--managed", action="store_true", help="delete those with the tag managed-by=vpcflow")
    deleted.add_argument("--yes", action="store_true", help="do it (default: say what would be deleted)")
    deleted.add_argument("--region", action="append", metavar="NAME", help="in this region; may be repeated")
    for verb in (applied, verified, deleted):
        verb.add_argument("--json", action="store_true", help="print one JSON object a line")
        add_aws(verb)
    _audit_arguments(_verb(verbs, "audit", "judge what is recorded and what is not; exit code 1 if anything is amiss"))
    _cost_arguments(_verb(verbs, "cost", "count what a format costs: exactly, of your own logs, or a range without"))


def _verb(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    return parser


def _wait_argument(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--wait", metavar="TIME", help=text)


def _inventory_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from-json", metavar="DIR",
        help="take what is there from answers of describe calls in DIR, as describe-flow-logs.json (else AWS is asked)",
    )  # fmt: skip
    add_aws(parser)


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
    parser.add_argument("--account", default="", metavar="ID", help="take this account where the answers tell none")
    parser.add_argument("--region", default="", metavar="NAME", help="plan for this region")
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
    parser.add_argument(
        "--account", action="append", default=[], metavar="ID", help="audit this account by --role; may be repeated"
    )
    parser.add_argument(
        "--region", action="append", default=[], metavar="NAME", help="audit this region; may be repeated"
    )
    parser.add_argument(
        "--role", default="", metavar="NAME",
        help="assume this role in each account of the organisation, or of --account",
    )  # fmt: skip
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
    verbs = {
        "plan": _run_plan, "emit": _run_emit, "apply": _run_apply, "verify": _run_verify, "delete": _run_delete,
        "audit": _run_audit, "cost": _run_cost,
    }  # fmt: skip
    return verbs[args.verb](args)


def _aws(args: argparse.Namespace, role: str = "", region: str = "") -> Aws:
    """Returns the calls of AWS by the options; those of another role or region, if one is given."""
    options = Connection.of(aws_of(args))
    return Aws(dataclasses.replace(options, role_arn=role or options.role_arn, region=region or options.region).client)


def _inventory(args: argparse.Namespace) -> Inventory:
    """Returns what is there, of --from-json or of AWS."""
    account, region = (value[0] if value else "" for value in (_listed(args.account), _listed(args.region)))
    if args.from_json:
        return inventory_in(args.from_json, account, region)
    target = destination_of(args.to) if getattr(args, "to", "") else None
    with in_words("AWS"):
        return read_inventory(_aws(args), region, [target.name] if target and target.type == S3 else [])


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _seconds(wait: str | None) -> int:
    return seconds(wait, "--wait") if wait else 0


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


def _run_apply(args: argparse.Namespace) -> int:
    made = Plan.read(args.plan)
    with in_words("AWS"):
        results = apply(made, _aws(args), dry_run=not args.yes, wait=_seconds(args.wait), report=print_note)
    print_rows(results, args)
    if not args.json and not args.yes:
        would = "nothing was changed; do it by --yes"
        write_out(f"{would}: {count(len(made.calls()), 'call')} of CreateFlowLogs\n")
    return 0 if all(result.outcome in DONE for result in results) else FOUND


def _run_verify(args: argparse.Namespace) -> int:
    made = Plan.read(args.plan)
    with in_words("AWS"):
        results = verify(made, _aws(args), wait=_seconds(args.wait), report=print_note)
    print_rows(results, args)
    return 0 if all(result.verdict == "delivering" for result in results) else FOUND


def _run_delete(args: argparse.Namespace) -> int:
    if bool(args.ids) == args.managed:
        raise PlanError("enable delete: name flow logs, or give --managed for all that vpcflow made")
    with in_words("AWS"):
        results = delete(_aws(args), args.ids, managed=args.managed, regions=args.region or [""], dry_run=not args.yes)
    print_rows(results, args)
    if not args.json:
        ended = "" if args.yes else "; do it by --yes"
        write_out(f"{count(len(results), 'flow log')}{ended}\n")
    return FOUND if any(result.outcome == "failed" for result in results) else 0


def _organisation(args: argparse.Namespace) -> tuple[list[AuditRow], list[str]]:
    """Audits the accounts of an organisation by a role."""
    if args.plan:
        raise PlanError("enable audit: --plan is of one account; leave out --role, or assume it by --role-arn")

    def reach(account: str, region: str) -> Aws:
        partition = partition_of(region or args.aws_region or "")
        return _aws(args, f"arn:{partition}:iam::{account}:role/{args.role}", region)

    with in_words("AWS"):
        return audit_organisation(
            _aws(args), reach, accounts=args.account, regions=args.region or [""], for_=names_of(args.for_),
            interval=args.interval,
        )  # fmt: skip


def _run_audit(args: argparse.Namespace) -> int:
    if args.role and not args.from_json:
        rows, notes = _organisation(args)
        inventory = Inventory()
    else:
        inventory = _inventory(args)
        rows, notes = audit(inventory, names_of(args.for_), interval=args.interval), list(inventory.notes)
    amiss = [row for row in rows if row.amiss]
    for note in notes:
        print_note(f"note: {note}")
    print_audit(rows if args.json or args.csv or args.all else telling(amiss), args)
    if not args.json and not args.csv:
        words = Counter(row.verdict for row in rows)
        verdicts = ", ".join(f"{number:,} {verdict}" for verdict, number in words.items())
        write_out(f"{len(amiss):,} of {count(len(rows), 'resource')} amiss: {verdicts}\n" if rows else "no resource\n")
    if args.plan and amiss:
        made = mending_plan(
            inventory,
            rows,
            to=args.to,
            for_=names_of(args.for_),
            interval=args.interval,
            replace=args.replace,
        )
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
