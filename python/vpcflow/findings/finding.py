"""A finding: the verdict of a detector or a rule, with its evidence."""

from __future__ import annotations

import dataclasses
from typing import Any, TypedDict, get_args

from .. import _core
from ..typing import Severity
from .identity import id_of

SEVERITIES: tuple[Severity, ...] = get_args(Severity)  # worst first
SCHEMA_VERSION = _core.FINDING_SCHEMA_VERSION  # of findings as JSON, docs/reference/schemas.md
_DISTINGUISHING = ("dstport", "protocol", "country", "network")  # evidence of which several findings of an actor differ


class Coverage(TypedDict, total=False):
    """What the logs could not show to the detector of a finding; empty if nothing is lost."""

    degraded: list[str]  # what is lost by the formats
    add: list[str]  # the fields that would show it
    unknown: str  # why the formats are not known
    blind: str  # in which of the sources the detector sees nothing
    skipdata: str
    one_direction: str


@dataclasses.dataclass(frozen=True)
class Finding:
    """A detector's verdict: who did what to whom, when, and the counts that decided."""

    detector: str
    severity: Severity
    actor: str
    targets: list[str]  # the first twenty by sessions
    start: int  # Unix seconds
    end: int
    score: float  # 0.5 at the threshold, towards 1 beyond: an order
    technique: str  # MITRE ATT&CK
    evidence: dict[str, Any]
    coverage: Coverage
    sentence: str
    #: The share of findings like it that is right in such logs. None of every detector and rule today: it depends on
    #: how rare incidents are, which no data at hand can tell of another network.
    confidence: float | None = None
    #: The first records that it rests on, as they are in the logs, with ``file`` and ``offset``
    #: (:meth:`vpcflow.Flows.located`).
    samples: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @property
    def key(self) -> str:
        """Returns what is the same for findings of the same kind: detector, actor, and the target; of several targets,
        which may change while it goes on, the port, and of what is new what that is; of several actors at one target,
        whose first may change, that target. Alerts go by it."""
        if self.evidence.get("sources", 1) > 1 and len(self.targets) == 1:
            return "\n".join([self.detector, "", self.targets[0], str(self.evidence.get("dstport", ""))])
        named = [str(self.evidence[name]) for name in _DISTINGUISHING if name in self.evidence]
        what = self.targets if len(self.targets) == 1 else named[:1] or [""]
        return "\n".join([self.detector, self.actor, *what])

    @property
    def id(self) -> str:
        """The name of this finding, which stays: the same logs give the same. It says detector, actor, target, port and
        when it began, any of several as ``*``: ``beacon/10.0.0.4/198.51.100.7/443@20261129T100000Z``."""
        return id_of(self)

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        return dataclasses.asdict(self)

    def as_json(self) -> dict[str, Any]:
        """Returns the members of its JSON object: those of :meth:`as_dict` behind ``schema_version``."""
        return {"schema_version": SCHEMA_VERSION, "id": self.id, **self.as_dict()}


def finding_of(value: Any) -> Finding:
    """Returns the finding that a JSON object is, as :meth:`Finding.as_json` makes it. :class:`ValueError`, which says
    what is wrong, for another value."""
    if not isinstance(value, dict) or not isinstance(value.get("detector"), str):
        raise ValueError("no finding; expected a line of vpcflow detect --json")
    held = {field.name: value[field.name] for field in dataclasses.fields(Finding) if field.name in value}
    for name, kinds in _KINDS.items():
        if not isinstance(held.get(name), kinds) or isinstance(held[name], bool):
            raise ValueError(f"{name}: {held.get(name)!r:.60}; expected {' or '.join(kind.__name__ for kind in kinds)}")
    if held["severity"] not in SEVERITIES:
        raise ValueError(f"severity: {held['severity']!r:.60}; expected one of {', '.join(SEVERITIES)}")
    if not all(isinstance(target, str) for target in held["targets"]):
        raise ValueError("targets: expected texts")
    if not isinstance(held.get("confidence"), (int, float, type(None))):
        raise ValueError(f"confidence: {held['confidence']!r:.60}; expected a number or null")
    samples = held.get("samples")
    held["samples"] = [one for one in samples if isinstance(one, dict)] if isinstance(samples, list) else []
    return Finding(**held)


_KINDS: dict[str, tuple[type, ...]] = {
    "severity": (str,), "actor": (str,), "targets": (list,), "start": (int,), "end": (int,), "score": (int, float),
    "technique": (str,), "evidence": (dict,), "coverage": (dict,), "sentence": (str,),
}  # fmt: skip


def worst_first(finding: Finding) -> tuple[Any, ...]:
    """Returns the key by which findings are sorted, worst first."""
    return (SEVERITIES.index(finding.severity), -finding.score, finding.detector, finding.actor, finding.start)
