"""Silences: findings for which :class:`vpcflow.watch.Watch` sends no alert, until a day."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .._display import printable
from .._hints import hint
from .._units import unix_seconds
from ..detect.rows import DETECTORS
from ..errors import RuleError, VpcflowError
from ..findings.finding import Finding
from ..findings.identity import Kind
from ..io.writing import write_whole
from .files import content_of, with_known_keys

if TYPE_CHECKING:
    from .model import Rule

_LEAST_SECONDS = 1_000_000_000  # in 2001; what is less is no time, but a day without hyphens or a slip
_LAST_PORT = 65535


@dataclasses.dataclass(frozen=True)
class Silence:
    """Findings that give no alert: ``rule``, also of a detector, ``actor`` and ``target`` (an address, a prefix, or any
    key's text; of several targets all must be in it), ``port``, each of which is any without; why; and until when
    (Unix seconds, or text such as ``2026-12-24``), for good with 0."""

    reason: str
    until: int = 0
    rule: str = ""
    actor: str = ""
    target: str = ""
    port: int | None = None

    def covers(self, finding: Finding) -> bool:
        """Returns whether a finding is silenced: it began before ``until``."""
        if (self.rule and _same(self.rule) != _same(finding.detector)) or (self.until and finding.start >= self.until):
            return False
        if self.port is not None and finding.evidence.get("dstport") != self.port:
            return False
        if self.target and not (finding.targets and all(_is_in(target, self.target) for target in finding.targets)):
            return False
        return not self.actor or _is_in(finding.actor, self.actor)


def _is_in(address: str, place: str) -> bool:
    """Tells whether a place, an address, a prefix or a text, has an address or is the same text."""
    if address == place:
        return True
    import ipaddress

    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(place)
    except ValueError:
        return False


def load_silences(source: str | os.PathLike[str]) -> list[Silence]:
    """Loads the ``silences`` of a file of rules, which may have none. Each needs ``reason``, and ``until`` or at least
    ``actor`` or ``target``: what silences a whole rule ends some day."""
    name = printable(os.fspath(source))
    data = content_of(source)
    items = data.get("silences", []) if isinstance(data, dict) else []
    if not isinstance(items, list):
        raise RuleError(f"{name}: silences: expected a list")
    return [_silence(item, f"{name}: silence {i + 1}") for i, item in enumerate(items)]


def _silence(item: Any, place: str) -> Silence:
    item = with_known_keys(item, Silence, place)
    values: dict[str, Any] = {key: str(item.get(key) or "") for key in ("reason", "rule", "actor", "target")}
    until, port = item.get("until"), item.get("port")
    if not values["reason"] or not (until or values["actor"] or values["target"]):
        raise RuleError(f"{place}: expected a reason and until; without until, for good, an actor or a target")
    if port is not None and (isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= _LAST_PORT):
        raise RuleError(f"{place}: port: {port!r}: expected a number up to {_LAST_PORT:,}")
    if isinstance(until, int) and 0 < until < _LEAST_SECONDS:
        raise RuleError(f"{place}: until: {until}: expected a day such as 2026-12-24, or Unix seconds")
    try:
        ended = unix_seconds("until", until if isinstance(until, int) else str(until)) if until else 0
    except VpcflowError as e:
        raise RuleError(f"{place}: {e}") from None
    return Silence(until=ended or 0, port=port, **values)


def _same(name: str) -> str:
    return name.replace("-", "_")


def check_silences(silences: Sequence[Silence], rules: Sequence[Rule]) -> None:
    """Raises :class:`~vpcflow.RuleError` for a silence of a rule or detector that does not exist."""
    known = [*(rule.name for rule in rules), *DETECTORS]
    for silence in silences:
        if silence.rule and _same(silence.rule) not in map(_same, known):
            place = f"silence of rule {printable(silence.rule)!r}"
            raise RuleError(f"{place}: no such rule or detector; {hint(silence.rule, known)}")


def add_silences(
    path: str | os.PathLike[str], kinds: Iterable[Kind], reason: str, until: str | int | None = None
) -> int:
    """Adds silences of kinds of findings (:func:`vpcflow.findings.identity.kind_named`) to a JSON file, which is made
    if there is none, and returns how many were not there before. Raises :class:`~vpcflow.RuleError` for a file that
    holds anything else than rules and silences, or that is no JSON."""
    name = printable(os.fspath(path))
    data: Any = {"silences": []}
    if os.path.exists(path):
        load_silences(path)  # what is wrong in it is said before anything is written
        if not name.endswith(".json"):
            raise RuleError(f"{name}: expected a .json file: comments of other files would be lost")
        data = content_of(path)
        if not isinstance(data, dict):
            raise RuleError(f"{name}: expected an object with silences")
    elif not name.endswith(".json"):
        raise RuleError(f"{name}: expected the name of a .json file")
    silences = data.setdefault("silences", [])
    own = [{name: value for name, value in _of_kind(kind).items() if value not in ("", None)} for kind in kinds]
    known = [{name: value for name, value in item.items() if name not in ("reason", "until")} for item in silences]
    fresh = [item for item in own if item not in known]
    for item in fresh:
        silence = {**item, "reason": reason, **({} if until is None else {"until": until})}
        _silence(silence, f"{name}: silence")
        silences.append(silence)
    write_whole(os.fspath(path), (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode())
    return len(fresh)


def _of_kind(kind: Kind) -> dict[str, Any]:
    port = int(kind.port) if kind.port else None
    return {"rule": kind.detector, "actor": kind.actor, "target": kind.target, "port": port}
