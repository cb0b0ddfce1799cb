"""Writes what Grafana shows flow logs by: ``vpcflow grafana``."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from typing import Any

from .._units import seconds
from .._words import count
from ..errors import OutputError, PlanError
from ..grafana.alerting import alert_rules, prometheus_rules
from ..grafana.dashboard import dashboard, victoriametrics
from ..grafana.provisioning import provisioning
from ..grafana.sources import SOURCES, Wanted, Where
from ..io.aws.athena import LAYOUTS
from ..io.writing import Writing, check_writable, write_whole
from ..serve.board import EVERY
from ..serve.gathering import gather
from ..serve.metrics import history
from . import _grafana_try
from ._output import print_note, progress_line, write_out
from ._shared import add_input, collect, exit_code_of, flows_read_often

HELP = "write dashboards, alert rules, provisioning files and history for Grafana"
EXAMPLES = (
    "grafana dashboard --source infinity --format v5 -o vpcflow.json\n"
    "  vpcflow grafana dashboard --source cloudwatch --log-group /vpc/flow-logs\n"
    "  vpcflow grafana alerts --source prometheus -o alerts.yaml\n"
    "  vpcflow grafana provisioning --source victorialogs -o provisioning/\n"
    "  vpcflow grafana history logs/ -o history.om\n"
    "  vpcflow grafana try logs/ --open"
)
_VM = "victoriametrics"
_WHAT = {
    "datasources/vpcflow.yaml": "the data source", "dashboards/vpcflow.yaml": "where dashboards are",
    "dashboards/vpcflow.json": "the dashboard, which goes where the file before says",
    "alerting/vpcflow.yaml": "alert rules",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    verb = _verb(verbs, "dashboard", "write a dashboard, of the questions that the format answers")
    _add_where(verb, [*SOURCES, _VM])
    verb.add_argument(
        "--schema", choices=("classic", "v2"), default="classic", help="write this form (default: classic, for import)"
    )
    verb.add_argument("-o", "--out", metavar="FILE", help="write to FILE (default: print)")
    verb = _verb(verbs, "alerts", "write alert rules, as a provisioning file of Grafana")
    _add_where(verb, [name for name in SOURCES if name not in ("athena", "infinity")])
    verb.add_argument(
        "--for", dest="for_", choices=("grafana", "prometheus"), default="grafana",
        help="write rules of Grafana (default), or a file of rules for Prometheus and vmalert",
    )  # fmt: skip
    verb.add_argument("-o", "--out", metavar="FILE", help="write to FILE, .yaml or .json (default: print JSON)")
    verb = _verb(
        verbs, "provisioning", "write the files of Grafana's folder provisioning: data source, dashboards, alerts"
    )
    _add_where(verb, list(SOURCES))
    verb.add_argument("--at", metavar="URL", help="the address of the source (default: its usual port here)")
    verb.add_argument("-o", "--out", required=True, metavar="DIR", help="write below this folder")
    text = "write the metrics of vpcflow serve through the time of logs, as OpenMetrics with times"
    verb = _verb(verbs, "history", text)
    add_input(verb)
    verb.add_argument(
        "-o", "--out", required=True, metavar="FILE",
        help="write to FILE, for promtool tsdb create-blocks-from openmetrics, and for VictoriaMetrics",
    )  # fmt: skip
    verb.add_argument("--every", default=f"{EVERY}s", metavar="TIME", help="a sample every so often (default 5m)")
    text = "start VictoriaMetrics and VictoriaLogs, where they are installed, over logs, and print where to look"
    _grafana_try.add_arguments(_verb(verbs, "try", text))


def _verb(verbs: Any, name: str, text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    return made


def _add_where(parser: argparse.ArgumentParser, sources: list[str]) -> None:
    parser.add_argument("--source", required=True, choices=sources, help=f"where the data is: {', '.join(sources)}")
    parser.add_argument(
        "--format", default="default", help="the format of the logs: '${srcaddr} ${bytes}', names, default, tgw, v5"
    )
    own = Wanted("default")
    parser.add_argument(
        "--log-group", default=own.log_group, metavar="NAME", help=f"of cloudwatch (default {own.log_group})"
    )
    parser.add_argument("--database", default=own.database, metavar="NAME", help="of athena (default default)")
    parser.add_argument("--table", default=own.table, metavar="NAME", help=f"of athena (default {own.table})")
    parser.add_argument("--layout", choices=LAYOUTS, default=own.layout, help="of athena (default daily)")
    parser.add_argument("--url", default=own.url, help=f"of vpcflow serve, for infinity (default {own.url})")


def _where(args: argparse.Namespace) -> Where:
    return {
        "log_group": args.log_group, "database": args.database, "table": args.table, "layout": args.layout,
        "url": args.url,
    }  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    verbs = {"dashboard": _dashboard, "alerts": _alerts, "provisioning": _provisioning, "history": _history,
             "try": _grafana_try.run}  # fmt: skip
    return verbs[args.verb](args)


def _dashboard(args: argparse.Namespace) -> int:
    if args.source == _VM:
        if args.schema != "classic":
            raise PlanError("grafana: --schema v2 is of Grafana; VictoriaMetrics has a form of its own")
        made = victoriametrics(args.format)
    else:
        made = dashboard(args.source, args.format, version=1 if args.schema == "classic" else 2, **_where(args))
    _write(args.out, made, _panels(made))
    return 0


def _alerts(args: argparse.Namespace) -> int:
    if args.for_ == "prometheus" and args.source != "prometheus":
        raise PlanError(f"grafana: --for prometheus needs --source prometheus, not {args.source}")
    for_prometheus = args.for_ == "prometheus"
    made = prometheus_rules() if for_prometheus else alert_rules(args.source, args.format, **_where(args))
    _write(args.out, made, _rules(made))
    return 0


def _provisioning(args: argparse.Namespace) -> int:
    files: dict[str, Any] = dict(provisioning(args.source, url=args.at))
    files["dashboards/vpcflow.json"] = dashboard(args.source, args.format, **_where(args))
    if args.source not in ("athena", "infinity"):
        files["alerting/vpcflow.yaml"] = alert_rules(args.source, args.format, **_where(args))
    for name, content in files.items():
        path = os.path.join(args.out, name)
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from None
        _write(path, content, _WHAT[name])
    return 0


def _history(args: argparse.Namespace) -> int:
    check_writable(args.out)
    every = seconds(args.every, "--every")
    with progress_line(True) as progress:
        figures, code = collect(lambda: gather(flows_read_often(args), every=every, most=0, progress=progress))
    out = Writing(args.out)
    try:
        for line in history(figures):
            out.file.write(line.encode())
        out.keep()
    except BaseException:
        out.discard()
        raise
    if figures.damage is not None:
        raise figures.damage
    print_note(f"{args.out}: history of {count(figures.report.ok, 'record')}, a sample every {every} s")
    return exit_code_of(figures.report, args, code)


def _write(path: str | None, content: Mapping[str, Any], what: str) -> None:
    """Writes as YAML where the name says so, else as JSON, and says ``what``."""
    if path is not None and path.lower().endswith((".yaml", ".yml")):
        import yaml

        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    else:
        text = json.dumps(content, indent=2) + "\n"
    if path is None:
        write_out(text)
    else:
        write_whole(path, text.encode())
        print_note(f"{path}: {what}")


def _panels(made: Mapping[str, Any]) -> str:
    """Says how many panels a dashboard has, and whether some lack."""
    spec = made.get("spec", made)
    panels = spec.get("panels") or spec.get("elements") or [panel for row in spec["rows"] for panel in row["panels"]]
    lacking = "; the last says what is not shown" if "What is not shown" in json.dumps(spec) else ""
    return count(len(panels), "panel") + lacking


def _rules(made: Mapping[str, Any]) -> str:
    return count(sum(len(group["rules"]) for group in made["groups"]), "rule")
