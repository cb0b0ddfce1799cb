"""Silences: findings for which :class:`vpcflow.watch.Watch` sends no alert, until a day."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._display import printable
from .._hints import hint
from .._units import unix_seconds
from ..detect.rows import DETECTORS
from ..errors import RuleError, VpcflowError
from ..findings.finding import Finding
from .files import content_of, with_known_keys

if TYPE_CHECKING:
    from .model import Rule

_LEAST_SECONDS = 1_000_000_000  # in 2001; what is less is no time, but a day without hyphens or a slip


@dataclasses.dataclass(frozen=True)
class Silence:
    """Findings that give no alert, until a day: ``rule``, also of a detector (all, without), ``actor`` (an address, a
    prefix, or any key's text; all, without), why, and until when (Unix seconds, or text such as ``2026-12-24``)."""

    reason: str
    until: int
    rule: str = ""
    actor: str = ""

    def covers(self, finding: Finding) -> bool:
        """Tells whether a finding is silenced: it began before ``until``."""
        if (self.rule and _same(self.rule) != _same(finding.detector)) or finding.start >= self.until:
            return False
        if not self.actor or self.actor == finding.actor:
            return True
        import ipaddress

        try:
            return ipaddress.ip_address(finding.actor) in ipaddress.ip_network(self.actor)
        except ValueError:
            return False


def load_silences(source: str | os.PathLike[str]) -> list[Silence]:
    """Loads the ``silences`` of a file of rules, which may have none. Each needs ``reason`` and ``until``."""
    name = printable(os.fspath(source))
    data = content_of(source)
    items = data.get("silences", []) if isinstance(data, dict) else []
    if not isinstance(items, list):
        raise RuleError(f"{name}: silences: expected a list")
    return [_silence(item, f"{name}: silence {i + 1}") for i, item in enumerate(items)]


def _silence(item: Any, place: str) -> Silence:
    item = with_known_keys(item, Silence, place)
    values = {key: str(item.get(key) or "") for key in ("reason", "rule", "actor")}
    if not values["reason"] or not item.get("until"):
        raise RuleError(f"{place}: expected a reason and until")
    until = item["until"]
    if isinstance(until, int) and until < _LEAST_SECONDS:
        raise RuleError(f"{place}: until: {until}: expected a day such as 2026-12-24, or Unix seconds")
    try:
        return Silence(until=unix_seconds("until", until if isinstance(until, int) else str(until)) or 0, **values)
    except VpcflowError as e:
        raise RuleError(f"{place}: {e}") from None


def _same(name: str) -> str:
    return name.replace("-", "_")


def check_silences(silences: Sequence[Silence], rules: Sequence[Rule]) -> None:
    """Raises :class:`~vpcflow.RuleError` for a silence of a rule or detector that does not exist."""
    known = [*(rule.name for rule in rules), *DETECTORS]
    for silence in silences:
        if silence.rule and _same(silence.rule) not in map(_same, known):
            place = f"silence of rule {printable(silence.rule)!r}"
            raise RuleError(f"{place}: no such rule or detector; {hint(silence.rule, known)}")
