"""Proof that detectors and rules say the same of stored logs as of their sources."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._words import count
from ..detect.detect import checked_settings, detect
from ..errors import DataQualityWarning, VpcflowError
from ..findings.finding import Finding
from ..findings.findings import Findings
from ..query.flows import Flows
from ..rules import Rule
from ..rules import run as run_rules


@dataclasses.dataclass(frozen=True)
class Change:
    """A finding that is not the same of the stored logs: ``kind`` is ``lost``, ``invented`` or ``changed``, or
    ``blinded`` for a detector that sees less."""

    kind: str
    id: str
    sentence: str
    #: What differs, by name: the value of the sources and that of the stored logs.
    differs: Mapping[str, tuple[Any, Any]] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        what = "; ".join(f"{name}: {_short(old)}, now {_short(new)}" for name, (old, new) in self.differs.items())
        return f"{self.kind}: {self.id}: {what or self.sentence}"


@dataclasses.dataclass(frozen=True)
class Proof:
    """How findings of stored logs compare with those of their sources."""

    #: Findings of the sources.
    findings: int
    changes: list[Change]

    @property
    def holds(self) -> bool:
        """Returns whether nothing changed."""
        return not self.changes

    def __str__(self) -> str:
        if self.holds:
            return f"proved: the same with the same evidence: {count(self.findings, 'finding')}"
        return f"refused: {count(len(self.changes), 'change')} to {count(self.findings, 'finding')}"


def prove(
    sources: Flows, stored: Flows, *, detectors: bool = True, rules: Sequence[Rule] = (), **settings: Any
) -> Proof:
    """Runs the detectors, and rules, over logs and over what was stored of them, and compares all findings: detector,
    actor, targets, times, score, evidence, coverage, sentence. Records shown as samples are not compared: they are
    named by file and byte.

    ``settings``: those of :func:`vpcflow.detect`. Raises what :func:`vpcflow.detect` and :func:`vpcflow.rules.run` do.

    >>> import vpcflow as vf
    >>> made = vf.scan(vf.synth(20_000, seed=3, plant="port_scan", peers=500, noise_sources=500).data)
    >>> print(prove(made, made))
    proved: the same with the same evidence: 1 finding
    """
    checked_settings((), settings)
    old, new = (_of(flows, detectors, rules, settings) for flows in (sources, stored))
    return Proof(len(old), [*_findings(old, new), *_blinded(old, new)])


def _of(flows: Flows, detectors: bool, rules: Sequence[Rule], settings: Mapping[str, Any]) -> Findings:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        parts = []
        if detectors:
            parts.append(_readable(lambda: detect(flows, samples=0, **settings)))
        if rules:
            parts.append(_readable(lambda: run_rules(flows, rules, samples=0)))
    return parts[0] + parts[1] if len(parts) == 2 else parts[0]


def _readable(run: Any) -> Findings:
    """Returns findings; of damaged sources those in what could be read."""
    try:
        found: Findings = run()
    except VpcflowError as error:
        if not isinstance(error.partial, Findings):
            raise
        found = error.partial
    return found


def _findings(old: Findings, new: Findings) -> Iterator[Change]:
    ours, theirs = _by_id(old), _by_id(new)
    for name, finding in ours.items():
        if name not in theirs:
            yield Change("lost", name, finding.sentence)
            continue
        was, now = (_values(one) for one in (finding, theirs[name]))
        differs = {key: (was.get(key), now.get(key)) for key in {**was, **now} if was.get(key) != now.get(key)}
        if differs:
            yield Change("changed", name, finding.sentence, differs)
    for name, finding in theirs.items():
        if name not in ours:
            yield Change("invented", name, finding.sentence)


def _by_id(findings: Findings) -> dict[str, Finding]:
    out: dict[str, Finding] = {}
    for finding in findings:
        name, n = finding.id, 1
        while name in out:
            n += 1
            name = f"{finding.id}#{n}"
        out[name] = finding
    return out


def _values(finding: Finding) -> dict[str, Any]:
    values = finding.as_dict()
    del values["samples"]
    evidence = values.pop("evidence")
    plain: dict[str, Any] = json.loads(json.dumps({**values, **{f"evidence.{k}": v for k, v in evidence.items()}}))
    return plain


def _blinded(old: Findings, new: Findings) -> Iterator[Change]:
    """Yields the detectors that see less of what was stored, whether they found anything or not."""
    for name in sorted({*new.not_detected, *new.degraded}):
        was = [*old.not_detected.get(name, []), *old.degraded.get(name, [])]
        now = [*new.not_detected.get(name, []), *new.degraded.get(name, [])]
        if now != was and (name in new.not_detected) >= (name in old.not_detected) and len(now) >= len(was):
            yield Change("blinded", name, f"{name} sees less", {"lacks": (was, now)})


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
