"""Options of events beside flow logs, which correlate and watch share."""

from __future__ import annotations

import argparse
from typing import Any

from ..errors import PlanError
from ..rules.files import content_of

#: What is read beside flow logs, by the name of its source.
KINDS = {
    "cloudtrail": "CloudTrail records", "guardduty": "findings of GuardDuty",
    "securityhub": "findings of Security Hub, our own left out", "dns": "query logs of Route 53 Resolver",
    "alb": "access logs of application load balancers", "nlb": "access logs of network load balancers",
    "clb": "access logs of classic load balancers", "waf": "logs of WAF",
}  # fmt: skip


def add_correlation(parser: argparse.ArgumentParser) -> None:
    """Adds the options of sequences and risk to the parser of watch."""
    group = parser.add_argument_group(
        "correlation",
        "sequences and the risk of entities, if one of these is given; sources as vpcflow correlate has them",
    )
    for name, what in KINDS.items():
        group.add_argument(f"--{name}", metavar="DIR|URL", help=f"follow {what}: a folder, or s3://BUCKET/PREFIX/")
    group.add_argument("--ocsf", metavar="DIR|URL", help="follow OCSF forms of these, as Security Lake has them")
    group.add_argument("--events", metavar="DIR|URL", help="follow other events: CSV or JSON lines, with --mapping")
    group.add_argument("--mapping", metavar="FILE", help="say which columns of --events are what, as YAML or JSON")
    group.add_argument("--inventory", metavar="DIR", help="take owners and groups from AWS's describe answers")
    group.add_argument("--config", metavar="DIR", help="take owners and groups from files of AWS Config")
    group.add_argument(
        "--correlate-rules", metavar="FILE", help="take sequences from FILE (default: those of vpcflow correlate)"
    )
    group.add_argument(
        "--lateness", action="append", default=[], metavar="TIME|SOURCE=TIME",
        help="wait so long for events of all sources, or of one, before a match is told (default: flows=20m, "
        "cloudtrail=15m, ...); may be repeated",
    )  # fmt: skip
    group.add_argument(
        "--risk", default="high", metavar="LEVEL",
        help="tell of entities whose risk is critical, high (default), medium or low; or none",
    )  # fmt: skip


def correlating_of(args: argparse.Namespace) -> Any:
    """Returns what a watch correlates; ``None`` if nothing asks for it."""
    sources = {name: place for name in (*KINDS, "ocsf") if (place := getattr(args, name)) is not None}
    if args.events is not None:
        sources["mapped"] = args.events
    if not sources and args.correlate_rules is None:
        for name in ("mapping", "inventory", "config", "lateness"):
            if getattr(args, name):
                raise PlanError(f"--{name}: nothing to correlate; give --correlate-rules, or events: --cloudtrail DIR")
        return None
    from ..watch.correlating import Correlating

    return Correlating(
        sources, rules=args.correlate_rules, mapping=content_of(args.mapping) if args.mapping else None,
        inventory=args.inventory, config=args.config, lateness=_lateness(args.lateness),
        risk=None if args.risk == "none" else args.risk,
    )  # fmt: skip


def _lateness(given: list[str]) -> str | dict[str, str] | None:
    named = dict(one.split("=", 1) for one in given if "=" in one)
    plain = [one for one in given if "=" not in one]
    if plain and (named or len(plain) > 1):
        raise PlanError("--lateness: give one TIME for all sources, or SOURCE=TIME for each")
    return plain[0] if plain else named or None
