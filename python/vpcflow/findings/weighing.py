"""How much an incident matters, and what speaks against it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from .._display import instant
from .._words import count
from ..typing import Severity
from .finding import Finding, worst_first
from .scope import Scope
from .stories import doers

# What it costs if it is true, beside other detectors; what is of no detector here, such as a rule, is in between.
_HARM = {
    "exfiltration": 10, "collection": 9, "lateral_movement": 9, "tunnel": 8, "accepted_after_reject": 8, "known_bad": 8,
    "beacon": 7, "long_session": 6, "brute_force": 6, "new_admin_edge": 6, "flood": 5, "port_scan": 5,
    "unauthorised_access": 4, "new_country": 3, "new_destination": 3, "new_port": 3, "new_protocol": 3,
}  # fmt: skip
_OTHER_HARM = 5
_BY_SEVERITY: dict[Severity, float] = {"high": 1.0, "medium": 0.6, "low": 0.05}
# That a finding with nothing against it is somebody's attack. Backups look like theft, and who was let in on purpose
# like who was not; only how these stand to each other counts.
_CHANCES = {"exfiltration": 0.35, "unauthorised_access": 0.35}
_OTHER_CHANCE = 0.7
_AGAINST = 0.35  # by what each thing that speaks against a finding multiplies the chance
_DAY = 86400
_SWEEPS = frozenset({"port_scan", "lateral_movement"})


class Usual(Protocol):
    """A baseline, such as :class:`vpcflow.detect.Baseline`."""

    def of_pairs(self, ends: Collection[str]) -> dict[tuple[str, str], tuple[int, int, int]]: ...


def known_before(stories: Sequence[Sequence[Finding]], usual: Usual) -> list[tuple[str, ...]]:
    """Returns what the baseline has of the hosts of each story: nothing, or that its actor talked to its one target
    before."""
    pairs = [_pair(min(story, key=worst_first)) for story in stories]
    known = usual.of_pairs({pair[0] for pair in pairs if pair is not None})
    out: list[tuple[str, ...]] = []
    for pair in pairs:
        n, start, end = known.get(pair, (0, 0, 0)) if pair is not None else (0, 0, 0)
        when = "" if start is None else f", {instant(start)} to {instant(end)} UTC"
        out.append((f"the baseline has {count(n, 'session')} of {pair[0]} with {pair[1]}{when}",) if n and pair else ())
    return out


def _pair(finding: Finding) -> tuple[str, str] | None:
    return (finding.actor, finding.targets[0]) if len(finding.targets) == 1 else None


def expected_harm(findings: Sequence[Finding], scope: Scope | None, known: int = 0) -> float:
    """Returns the harm of an incident times its chance: an order, no measure. The worst finding decides; each further
    detector that tells the same story takes away some of the doubt. ``known``: how much of it was so before."""
    against = known + len(_of_all(findings, scope))
    worst = 0.0
    doubt: dict[str, float] = {}
    for finding in findings:
        doubts = against + len(_of_one(finding))
        chance = _CHANCES.get(finding.detector, _OTHER_CHANCE) * finding.score * _AGAINST**doubts
        loudness = _BY_SEVERITY[finding.severity]
        worst = max(worst, _HARM.get(finding.detector, _OTHER_HARM) * loudness)
        doubt[finding.detector] = min(doubt.get(finding.detector, 1.0), 1 - chance)
    total = 1.0
    for share in doubt.values():
        total *= share
    return worst * (1 - total)


def against(findings: Sequence[Finding], scope: Scope | None) -> list[str]:
    """Returns what speaks against an incident, a text each."""
    texts = [*_of_all(findings, scope), *(text for finding in findings for text in _of_one(finding))]
    texts += [finding.coverage["one_direction"] for finding in findings if "one_direction" in finding.coverage]
    return list(dict.fromkeys(texts))


def _of_one(finding: Finding) -> list[str]:
    known, texts = finding.evidence, []
    target = finding.targets[0] if len(finding.targets) == 1 else "its targets"
    if known.get("callers", 0) >= 2 and not _in_league(finding):
        texts.append(f"{known['callers']:,} inside hosts call {target}")
    if known.get("uploaders", 0) >= 2:
        texts.append(f"{known['uploaders']:,} inside hosts send {target} much")
    if known.get("days", 0) >= 2:
        texts.append(f"it was so on {known['days']:,} days")
    if known.get("strangers", 0) >= 2:
        texts.append(f"{known['strangers']:,} outside hosts use the service of {finding.actor}")
    if known.get("aws_service"):
        texts.append(f"{target} is an address of AWS's {known['aws_service']}; whose it is, logs cannot tell")
    return texts


def _in_league(finding: Finding) -> bool:
    """Tells whether several hosts that call one server are no comfort: the detector knew how many they are."""
    return finding.severity != "low" and finding.evidence["callers"] > 2


def _of_all(findings: Sequence[Finding], scope: Scope | None) -> list[str]:
    """What speaks against an incident as a whole: that it is what somebody's scanner does all the time."""
    if scope is None or scope.start is None or scope.end is None or {f.detector for f in findings} - _SWEEPS:
        return []
    span, first, last = scope.end - scope.start, min(f.start for f in findings), max(f.end for f in findings)
    margin = span // 20
    if span < _DAY // 2 or first > scope.start + margin or last < scope.end - margin:
        return []
    return [f"{doers(findings[0])[0]} does so from the beginning of the logs to their end, as a scanner of yours does"]
