"""Scores of findings against labels of your own: what was found, missed and false."""

from __future__ import annotations

import csv
import dataclasses
import functools
import ipaddress
import math
import os
from collections.abc import Sequence
from typing import TypedDict, Union

from .._display import printable
from .._hints import hint
from .._units import unix_seconds
from ..errors import ArgumentError, VpcflowError
from ..findings.finding import Finding
from .rows import DETECTORS

_COLUMNS = ("actor", "target", "start", "end", "detectors", "verdict")
_VERDICTS = ("attack", "benign")
_SLACK = 3600  # seconds by which a finding may be before or after its label
_SHOWN = 80  # characters of a wrong value
_Z = 1.959964  # 95 %
_Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclasses.dataclass(frozen=True)
class Label:
    """A label of some hosts and a time: an attack, or benign. Empty is any."""

    line: int  # of the file
    actor: str
    target: str
    start: int | None
    end: int | None
    detectors: tuple[str, ...]  # that should tell it
    verdict: str

    def covers(self, finding: Finding) -> bool:
        """Tells whether a finding is about these hosts, in whichever roles, at that time."""
        if self.start is not None and finding.end < self.start - _SLACK:
            return False
        if self.end is not None and finding.start > self.end + _SLACK:
            return False
        others: Sequence[str | None] = finding.targets or [None]
        return any(self._is_of(finding.actor, other) or self._is_of(other, finding.actor) for other in others)

    def _is_of(self, actor: str | None, target: str | None) -> bool:
        known = [address for place, address in ((self.actor, actor), (self.target, target)) if place and address]
        return bool(known) and _has(self.actor, actor) and _has(self.target, target)

    def __str__(self) -> str:
        named = ", ".join(self.detectors) or "any detector"
        return f"line {self.line}: {self.actor or 'anybody'} to {self.target or 'anybody'} ({named})"


class Score(TypedDict):
    """How well a detector did, or all of them (``all``)."""

    detector: str
    labels: int  # attacks that it should tell
    found: int
    missed: int
    findings: int
    right: int  # findings about an attack that it should tell
    false: int  # findings about none
    precision: float | None  # right of right and false, with a 95 % interval (Wilson)
    precision_low: float | None
    precision_high: float | None
    recall: float | None
    recall_low: float | None
    recall_high: float | None


def load_labels(path: str | os.PathLike[str]) -> list[Label]:
    """Reads labels from CSV: a header line with some of ``actor``, ``target`` (addresses or prefixes), ``start``,
    ``end`` (Unix seconds, or times such as ``2026-11-23T10:00:00Z``), ``detectors`` (separated by blanks) and
    ``verdict`` (``attack``, or ``benign``). :class:`~vpcflow.ArgumentError` names the line that is none."""
    name = printable(os.fspath(path))
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, strict=True)
            head = [cell.strip().lower() for cell in next(rows, [])]
            _check_head(head, name)
            return [_label(head, row, f"{name}: line {rows.line_num}", rows.line_num) for row in rows if any(row)]
    except OSError as error:
        raise ArgumentError(f"{name}: cannot read the labels: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ArgumentError(f"{name}: labels: expected CSV in UTF-8") from None
    except csv.Error as error:
        raise ArgumentError(f"{name}: labels: invalid CSV: {error}") from None


def scored(findings: Sequence[Finding], labels: Sequence[Label]) -> tuple[list[Score], list[Label]]:
    """Returns the scores of the detectors that found or should have found something, all of them first; and the attacks
    that none of those that should told. Findings of ``medium`` and ``high`` count. One about an attack that another
    detector should tell is neither right nor false; one about no attack is false, so labels must be complete."""
    findings = [finding for finding in findings if finding.severity != "low"]
    attacks = [label for label in labels if label.verdict == "attack"]
    about = [[n for n, label in enumerate(attacks) if label.covers(finding)] for finding in findings]
    names = dict.fromkeys([f.detector for f in findings] + [name for label in attacks for name in label.detectors])
    told: dict[str, set[int]] = {name: set() for name in names}
    right: dict[str, int] = dict.fromkeys(names, 0)
    false: dict[str, int] = dict.fromkeys(names, 0)
    for finding, numbers in zip(findings, about):
        own = [n for n in numbers if not attacks[n].detectors or finding.detector in attacks[n].detectors]
        told[finding.detector].update(own)
        right[finding.detector] += bool(own)
        false[finding.detector] += not numbers
    found = set().union(*told.values()) if told else set()
    count = {name: sum(f.detector == name for f in findings) for name in names}
    scores = [_score("all", len(attacks), len(found), len(findings), sum(right.values()), sum(false.values()))]
    for name in names:
        wanted = {n for n, label in enumerate(attacks) if name in label.detectors}
        scores.append(_score(name, len(wanted), len(wanted & told[name]), count[name], right[name], false[name]))
    return scores, [label for n, label in enumerate(attacks) if n not in found]


def wilson(hits: int, trials: int) -> tuple[float, float] | tuple[None, None]:
    """Returns the 95 % interval of a share by Wilson (1927); nothing without trials.

    >>> [round(bound, 3) for bound in wilson(9, 10)]
    [0.596, 0.982]
    """
    if not trials:
        return None, None
    share, square = hits / trials, _Z * _Z
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    reach = _Z / (1 + square / trials) * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _score(name: str, labels: int, found: int, findings: int, right: int, false: int) -> Score:
    precision, recall = wilson(right, right + false), wilson(found, labels)
    return {
        "detector": name, "labels": labels, "found": found, "missed": labels - found, "findings": findings,
        "right": right, "false": false, "precision": right / (right + false) if right + false else None,
        "precision_low": precision[0], "precision_high": precision[1], "recall": found / labels if labels else None,
        "recall_low": recall[0], "recall_high": recall[1],
    }  # fmt: skip


def _check_head(head: Sequence[str], name: str) -> None:
    for column in head:
        if column not in _COLUMNS:
            raise ArgumentError(f"{name}: labels: no column {printable(column)!r}; {hint(column, _COLUMNS)}")
    if len(set(head)) < len(head):
        raise ArgumentError(f"{name}: labels: a column is there twice")
    if not {"actor", "target"} & set(head):
        raise ArgumentError(f"{name}: labels: expected a header line with actor or target, of {', '.join(_COLUMNS)}")


def _label(head: Sequence[str], row: Sequence[str], place: str, line: int) -> Label:
    if len(row) != len(head):
        raise ArgumentError(f"{place}: {len(row):,} cells; expected {len(head):,}")
    cells = {column: cell.strip() for column, cell in zip(head, row)}
    for column in ("actor", "target"):
        try:
            _network(cells.get(column) or "0.0.0.0/0")
        except ValueError:
            wrong = printable(cells[column][:_SHOWN])
            raise ArgumentError(f"{place}: {column}: {wrong!r}; expected an address or prefix") from None
    if not cells.get("actor") and not cells.get("target"):
        raise ArgumentError(f"{place}: expected an actor or a target")
    times = []
    for column in ("start", "end"):
        text = cells.get(column, "")
        try:
            number = text.isascii() and text.isdigit() and len(text) < _SHOWN
            times.append(unix_seconds(column, int(text) if number else text) if text else None)
        except VpcflowError as error:
            raise ArgumentError(f"{place}: {error}") from None
    verdict = cells.get("verdict", "").lower() or "attack"
    if verdict not in _VERDICTS:
        raise ArgumentError(f"{place}: verdict: {printable(verdict)!r}; {hint(verdict, _VERDICTS)}")
    detectors = tuple(name.replace("-", "_") for name in cells.get("detectors", "").replace(";", " ").split())
    for name in detectors:
        if name not in DETECTORS:
            raise ArgumentError(f"{place}: no detector {printable(name)!r}; {hint(name, DETECTORS)}")
    return Label(line, cells.get("actor", ""), cells.get("target", ""), times[0], times[1], detectors, verdict)


def _has(place: str, address: str | None) -> bool:
    """Tells whether a place has an address; one that is not known may be in any."""
    if not place or address is None:
        return True
    try:
        return ipaddress.ip_address(address) in _network(place)
    except ValueError:
        return False


@functools.lru_cache(maxsize=4096)
def _network(text: str) -> _Network:
    return ipaddress.ip_network(text, strict=False)
