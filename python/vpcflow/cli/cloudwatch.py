"""Writes what CloudWatch answers of flow logs by: ``vpcflow cloudwatch``."""

from __future__ import annotations

import argparse
import json
from typing import Any

from ..errors import FormatError
from ..grafana.cloudwatch import contributor_rules, insights_queries, metric_filters
from ..grafana.sources import Wanted
from ._output import write_out

HELP = "write queries of Logs Insights, rules of Contributor Insights and metric filters for the format of the logs"
EXAMPLES = (
    "cloudwatch queries --format v5\n"
    "  vpcflow cloudwatch contributor-insights --format 'action srcaddr bytes' --log-group /vpc/flow-logs\n"
    "  vpcflow cloudwatch metric-filters"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    text = "print queries of Logs Insights, for lines of the format"
    verb = _verb(verbs, "queries", text)
    verb.add_argument("--json", action="store_true", help="print one JSON object a line: name, query")
    for name, call in (("contributor-insights", "put-insight-rule"), ("metric-filters", "put-metric-filter")):
        what = "rules of Contributor Insights" if "insights" in name else "metric filters"
        verb = _verb(verbs, name, f"print {what}, one JSON object a line: what aws's {call} takes as --cli-input-json")
        group = Wanted("default").log_group
        verb.add_argument("--log-group", default=group, metavar="NAME", help=f"of this log group (default {group})")


def _verb(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    made.add_argument(
        "--format", default="default", help="the format of the logs: '${srcaddr} ${bytes}', names, default, tgw, v5"
    )
    return made


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    if args.verb == "queries":
        queries = insights_queries(args.format)
        if args.json:
            write_out("".join(json.dumps({"name": name, "query": text}) + "\n" for name, text in queries.items()))
        else:
            write_out("\n".join(f"# {name}\n{text}\n" for name, text in queries.items()))
        return 0
    make = contributor_rules if args.verb == "contributor-insights" else metric_filters
    made = make(args.format, args.log_group)
    if not made:
        raise FormatError(f"cloudwatch: no {args.verb} can be made of this format; add srcaddr, bytes, action")
    write_out("".join(json.dumps(one) + "\n" for one in made))
    return 0
