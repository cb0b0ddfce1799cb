"""What a reader should do next, in the order of its weight, with the command that helps."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

from .._words import count
from ..findings.evidence import is_address
from .gather import Gathered

_NAMED = 5  # hosts, controls, fields that a sentence names

_DETECTED_BY = ("srcaddr", "dstaddr", "start", "end")
_TOLD_BY = ("action", "bytes", "log-status", "interface-id")

Step = dict[str, Any]


def next_steps(made: Gathered, model: dict[str, Any], inside: Sequence[str]) -> list[Step]:
    """Returns what to do next: ``text``, and ``command`` or ``None``. ``inside``: the networks of own hosts."""
    steps = [*_of_damage(made, model), *_of_incidents(model, inside), *_of_controls(model)]
    exposed = model["exposed"]
    if exposed is not None and exposed["there"]:
        services = count(exposed["there"], "service")
        steps.append(_step(f"Check that the {services} that answered outside addresses are meant to (Exposed ports)"))
    steps += _of_fields(made, model)
    if model["read"]["ok"] and made.findings is not None and model["new"]["baseline"] is None:
        command = "vpcflow baseline build earlier-logs/ -o usual.vpcflow"
        steps.append(_step("Learn what is usual from logs of quiet days before, so that what is new is told", command))
    return steps


def _step(text: str, command: str | None = None) -> Step:
    return {"text": text, "command": command}


def _of_damage(made: Gathered, model: dict[str, Any]) -> list[Step]:
    read = model["read"]
    if not read["ok"]:
        also = "the filter and the time asked for, and " if read["records"] else ""
        return [_step(f"Check {also}that flow logs are switched on and delivered", "vpcflow enable audit")]
    steps = []
    if made.damage is not None:
        steps.append(_step("Fetch the sources that were not read to their end again, and make this report anew"))
    if made.summary.report.mostly_rejected:
        steps.append(_step("Give the format of the logs (--format), as most lines do not fit the one assumed"))
    return steps


def _of_incidents(model: dict[str, Any], inside: Sequence[str]) -> list[Step]:
    shown, by = model["incidents"]["in_full"], model["incidents"]["by_severity"]
    if not shown:
        return []
    worst = shown[0]["severity"]
    own = [incident for incident in shown if incident["severity"] == worst]
    networks = [ipaddress.ip_network(one) for one in inside]
    hosts = list(dict.fromkeys(host for incident in own for host in _own_hosts(incident, networks)[:1]))
    every = len(hosts) <= _NAMED and by[worst] == len(own)
    named = f"{': ' if every else ', among them '}{', '.join(hosts[:_NAMED])}"
    which = f"the {worst} incident" if by[worst] == 1 else f"the {by[worst]:,} {worst} incidents"
    return [_step(f"Look into {which} first, and ask who owns the hosts{named}", next(iter(own[0]["next"]), None))]


def _own_hosts(incident: dict[str, Any], networks: Sequence[Any]) -> list[str]:
    """Returns the hosts of an incident that somebody here owns, those that act first; of one without any all ends."""
    ends: list[str] = [*incident["actors"], *incident["targets"]]
    known = [(end, ipaddress.ip_address(end)) for end in ends if is_address(end)]
    return [end for end, one in known if any(one in network for network in networks)] or ends


def _of_controls(model: dict[str, Any]) -> list[Step]:
    rows = [] if model["controls"] is None else model["controls"]["rows"]
    steps = []
    for verdicts, text in (
        (("fail",), "Close what broke {}, or record an exception with its end: {}"),
        (("not_evaluable", "error"), "Supply what {} lacked to be judged: {}"),
    ):
        own = [row["id"] for row in rows if row["verdict"] in verdicts]
        if own:
            steps.append(_step(text.format(count(len(own), "control"), _some(own, len(own)))))
    return steps


def _of_fields(made: Gathered, model: dict[str, Any]) -> list[Step]:
    """Says which fields the format should have, and which records the flow log should capture."""
    steps: list[Step] = []
    if not model["read"]["ok"]:
        return steps
    totals = model["totals"]
    if bool(totals["accepted"]) != bool(totals["rejected"]):
        only = "ACCEPT" if totals["accepted"] else "REJECT"
        steps.append(_step(f"Check that the flow log captures ALL: here is {only} alone"))
    if made.findings is None:
        fields = [name for name in _DETECTED_BY if name not in made.fields]
    else:
        fields = [f for own in (made.findings.not_detected, made.findings.add) for some in own.values() for f in some]
    figures = [name for name in _TOLD_BY if name.replace("-", "_") not in made.fields and name not in fields]
    for named, needed in ((fields, "detection lacks"), (figures, "figures lack")):
        if named:
            own = list(dict.fromkeys(named))
            steps.append(_step(f"Add to the format of the flow log what {needed}: {_some(own, len(own), 12)}"))
    return steps


def _some(names: Sequence[str], there: int, most: int = _NAMED) -> str:
    more = there - len(names[:most])
    return ", ".join(names[:most]) + (f" and {more:,} more" if more else "")
