"""Options by which watch sends events to sinks."""

from __future__ import annotations

import argparse
import hashlib
from typing import Any

from ..alerts.opening import kept_elsewhere
from ..errors import PlanError
from ..siem.export import schemas
from ..siem.findings import FINDING_SCHEMAS, OWN, check_schema
from ..sinks.opening import open_sink, takes_alerts
from ..watch.outbox import UNITS, Target
from ._shared import aws_of


def add_sending(parser: argparse.ArgumentParser) -> None:
    """Adds the options to the parser of watch."""
    group = parser.add_argument_group(
        "sending",
        "to the sinks of vpcflow send; of several --send the other options are given once, or for each in order",
    )
    group.add_argument(
        "--send", action="append", default=[], metavar="URL",
        help="send events there, too, e.g. opensearch+https://HOST:9200/INDEX; or env:NAME, which has the URL",
    )  # fmt: skip
    group.add_argument(
        "--as", dest="as_", action="append", default=[], metavar="SCHEMA",
        help=f"send events of this schema: {', '.join(dict.fromkeys([*FINDING_SCHEMAS, *schemas()]))}",
    )  # fmt: skip
    group.add_argument(
        "--unit", action="append", default=[], choices=UNITS, metavar="UNIT",
        help="send findings (default: each alert), incidents (the last alert of each), sessions that are over, records",
    )  # fmt: skip
    group.add_argument(
        "--auth", action="append", default=[], metavar="PLACE", help="take credentials from env:NAME or file:PATH"
    )
    group.add_argument(
        "--dead", metavar="FILE", default="vpcflow-dead.jsonl",
        help="keep events that a sink never takes, for vpcflow send --replay (default vpcflow-dead.jsonl)",
    )  # fmt: skip
    group.add_argument(
        "--outbox", default="1GiB", metavar="SIZE",
        help="let a sink be so far behind; the oldest events then go to --dead (default 1GiB)",
    )  # fmt: skip


def targets_of(args: argparse.Namespace) -> dict[str, Target]:
    """Opens the sinks, by names that stay the same."""
    if not args.send:
        for name, given in (("as", args.as_), ("unit", args.unit), ("auth", args.auth)):
            if given:
                raise PlanError(f"--{name}: of what is sent; give --send URL")
    out: dict[str, Target] = {}
    units = _each("unit", args.unit, len(args.send), "findings")
    auths = _each("auth", args.auth, len(args.send), None)
    for url, schema, unit, auth in zip(args.send, _each("as", args.as_, len(args.send), None), units, auths):
        place = kept_elsewhere(url, "sink") if url.startswith("env:") else url
        of_alerts = unit in ("findings", "incidents")
        if takes_alerts(place, unit):
            if unit != "findings" or schema not in (None, OWN):
                raise PlanError(f"--send {place.partition(':')[0]}: it takes findings as they are, without --as")
            schema = OWN
        if schema is None:
            raise PlanError("--send: --as SCHEMA is missing, e.g. --as ecs")
        if of_alerts:
            check_schema(schema)
        elif schema not in schemas():
            raise PlanError(f"--as {schema}: of {unit}; expected one of {', '.join(schemas())}")
        # What is told of an incident last replaces the others, as of a session; an alert stays as it is.
        grown = {"incidents": "findings"}.get(unit, unit)
        sink = open_sink(place, schema, auth=auth, allow_hosts=args.allow_host, aws=aws_of(args), unit=grown)
        name = hashlib.sha256("\n".join((place, schema, unit)).encode()).hexdigest()[:16]
        out[name] = Target(sink, schema, unit, dead=args.dead)
    return out


def _each(name: str, given: list[str], number: int, default: Any) -> list[Any]:
    """Returns a value for each sink."""
    if len(given) in (0, 1):
        return (given or [default]) * number
    if len(given) != number:
        raise PlanError(f"--{name}: given {len(given)} times for {number} --send; give it once, or for each")
    return given
