"""Sentences about incidents."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .._display import instant
from .._words import count
from .finding import Finding, worst_first
from .stories import service_of

_INSTANT = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: UTC)?"
_WHEN = re.compile(rf",? (?:from )?{_INSTANT} to {_INSTANT}\.?$")
_CLAUSES = 3


def told(findings: Sequence[Finding]) -> str:
    """Tells the findings of one incident, in the order of time, as one sentence: who did what to whom, how much, and
    when in UTC."""
    parts = _parts(findings)
    shown = sorted(sorted(parts, key=lambda part: worst_first(part[0]))[:_CLAUSES], key=lambda part: part[0].start)
    clauses: list[str] = []
    for part in shown:
        finding = part[0]
        clause = _WHEN.sub("", finding.sentence.strip())
        before = shown[len(clauses) - 1][0] if clauses else None
        if before is not None:
            clause = _continued(clause, before, finding)
        clauses.append(clause + _and_others(part))
    left = len(findings) - sum(map(len, shown))
    more = f"; and {count(left, 'finding')} more" if left else ""
    start, end = min(f.start for f in findings), max(f.end for f in findings)
    return f"{'; '.join(clauses)}{more}, {instant(start)} to {instant(end)} UTC"


def timeline(findings: Sequence[Finding]) -> list[tuple[int, str]]:
    """Returns the findings of one incident in the order of time: when each began, and its sentence."""
    ordered = sorted(findings, key=lambda f: (f.start, worst_first(f)))
    return [(finding.start, f"{finding.detector}: {finding.sentence}") for finding in ordered]


def _parts(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Returns the findings by what they tell, the worst of each first: the same detector about one service, and access
    that another detector tells with more, are one part."""
    parts: dict[object, list[Finding]] = {}
    ends = {
        frozenset((f.actor, target)): f for f in findings if f.detector != "unauthorised_access" for target in f.targets
    }
    for finding in sorted(findings, key=worst_first):
        service = service_of(finding)
        key: object = (finding.detector, service) if service else (finding.detector, finding.actor)
        pairs = [frozenset((finding.actor, target)) for target in finding.targets]
        better = next((ends[pair] for pair in pairs if pair in ends), None)
        if finding.detector == "unauthorised_access" and better is not None:
            service = service_of(better)
            key = (better.detector, service) if service else (better.detector, better.actor)
        parts.setdefault(key, []).append(finding)
    for part in parts.values():
        part.sort(key=lambda f: (f.detector == "unauthorised_access", worst_first(f)))
    return list(parts.values())


def _continued(clause: str, before: Finding, finding: Finding) -> str:
    """Words a clause as one that follows another."""
    then = "then " if finding.start > before.start else ""
    if finding.actor == before.actor and clause.startswith(f"{finding.actor} "):
        return f"{then}it{clause[len(finding.actor) :]}"
    return f"{then}{clause}"


def _and_others(part: Sequence[Finding]) -> str:
    """Says how many other actors did the same."""
    others = {f.actor for f in part if f.detector == part[0].detector} - {part[0].actor}
    return f", and so did {count(len(others), 'other host')}" if others else ""
