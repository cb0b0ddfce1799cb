"""What to look at next, and how to silence: command lines that run as they stand in bash."""

from __future__ import annotations

import dataclasses
import ipaddress
import shlex
from collections.abc import Collection, Sequence

from ..query.flows import Flows
from .finding import Finding, worst_first
from .identity import id_of
from .stories import doers, victims

_SHOWN = 8  # addresses of a condition


@dataclasses.dataclass(frozen=True)
class Reading:
    """How a command reads the logs that findings are in."""

    words: tuple[str, ...] = ("logs/",)  # of the command line: paths and options
    where: str = ""
    source: str = "srcaddr"  # the fields that hold the ends
    target: str = "dstaddr"

    @staticmethod
    def of(flows: Flows, formats: Collection[str]) -> Reading:
        """Returns how a command reads what a query reads, whose logs have these formats."""
        logged = not formats or any("srcaddr" in format.replace("pkt-srcaddr", "") for format in formats)
        ends = ("srcaddr", "dstaddr") if logged else ("pkt-srcaddr", "pkt-dstaddr")
        filters = list(flows._filters)
        where = filters[0] if len(filters) == 1 else " and ".join(f"({one})" for one in filters)
        return Reading(flows._logs.words or Reading.words, where, *ends)

    def command(self, name: str, condition: str, *options: str) -> str:
        """Returns the line of a command that looks at the records that pass a condition."""
        where = f"({self.where}) and {condition}" if self.where else condition
        return " ".join(["vpcflow", name, shlex.join(self.words), "--where", _quoted(where), shlex.join(options)])


def next_steps(findings: Sequence[Finding], reading: Reading) -> list[str]:
    """Returns commands that show more of an incident: what its ends said to each other, who else talks to the target,
    and what else the actor does."""
    finding = min(findings, key=worst_first)
    who, whom = _addresses(doers(finding)), _addresses(victims(finding))
    port = finding.evidence.get("dstport")
    source, target = reading.source, reading.target
    steps = []
    if len(who) == 1 and whom:
        several = f"({source} = '{who[0]}' or {target} = '{who[0]}')"
        ends = [who[0], whom[0]]
        between = f"{_one_of(source, ends)} and {_one_of(target, ends)}" if len(whom) == 1 else several
        steps.append(reading.command("sessions", between, "-n", "20"))
    if len(whom) == 1:
        at = f" and dstport = {port}" if port is not None else ""
        steps.append(reading.command("top", f"{_one_of(target, whom)}{at}", "--by", source, "-n", "20"))
    if who:
        steps.append(reading.command("top", _one_of(source, who), "--by", target, "-n", "20"))
        steps.append(reading.command("timeline", _one_of(source, who), "--every", "1h"))
    return steps


def silence_command(findings: Sequence[Finding]) -> str:
    """Returns the command that silences the findings of an incident, and those like them, for good."""
    ids = dict.fromkeys(id_of(finding) for finding in findings)
    return shlex.join(["vpcflow", "findings", "mark", *ids, "--benign", "--reason", "say why"])


def _quoted(condition: str) -> str:
    """Quotes a condition for bash, as people do where that is safe: its texts are in single quotes."""
    return shlex.quote(condition) if set(condition) & set('"$`\\!') else f'"{condition}"'


def _one_of(field: str, addresses: Sequence[str]) -> str:
    if len(addresses) == 1:
        return f"{field} = '{addresses[0]}'"
    return f"{field} in ({', '.join(repr(address) for address in addresses)})"


def _addresses(texts: Sequence[str]) -> list[str]:
    """Returns the first of the texts that are addresses: actors of rules can be anything."""
    out = []
    for text in texts[:_SHOWN]:
        try:
            out.append(str(ipaddress.ip_address(text)))
        except ValueError:
            continue
    return out
