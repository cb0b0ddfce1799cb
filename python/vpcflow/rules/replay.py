"""Tries rules on their examples and on past logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from .._units import seconds
from .._words import count
from ..errors import VpcflowError
from ..findings.alerting import alerts_of
from ..findings.findings import Findings
from ..query.flows import Flows
from ..query.scan import scan
from ..typing import Duration, Progress, Severity
from .evaluate import run
from .model import THROTTLE, Rule


def test(rules: Iterable[Rule]) -> list[str]:
    """Tests rules on their own examples, and returns a text for each that fails.

    An example is a small log and the number of findings it must give: ``{log: "srcaddr dstport ...", findings: 1}``.
    """
    wrong = []
    for rule in rules:
        for i, example in enumerate(rule.examples):
            place = f"{rule.name}: example {i + 1}"
            if not isinstance(example.get("log"), str) or not isinstance(example.get("findings"), int):
                wrong.append(f"{place}: it needs `log`, text, and `findings`, a number")
                continue
            try:
                got = len(run(scan(example["log"].encode()), [rule], samples=0))
            except VpcflowError as e:
                wrong.append(f"{place}: {e}")
                continue
            if got != example["findings"]:
                wrong.append(f"{place}: {count(got, 'finding')} instead of {example['findings']}")
    return wrong


class AlertCount(TypedDict):
    """How often a rule fires, of :func:`replay`."""

    rule: str
    severity: Severity
    findings: int
    alerts: int
    alerts_a_day: float
    actors: int
    first: int | None  # Unix seconds
    last: int | None
    needs: str  # fields without which the rule sees nothing


def replay(
    flows: Flows, rules: Sequence[Rule], *, throttle: Duration = THROTTLE, progress: Progress | bool | None = None
) -> list[AlertCount]:
    """Counts how often rules would have fired: :func:`count_alerts` of their findings in logs. Errors as of
    :func:`run`."""
    try:
        return count_alerts(run(flows, rules, samples=0, progress=progress), rules, throttle=throttle)
    except VpcflowError as error:
        if isinstance(error.partial, Findings):
            error.partial = count_alerts(error.partial, rules, throttle=throttle)
        raise


def count_alerts(findings: Findings, rules: Sequence[Rule], *, throttle: Duration = THROTTLE) -> list[AlertCount]:
    """Counts by rule the findings, the alerts that :class:`vpcflow.watch.Watch` would have sent (findings of the same
    rule, actor and targets no further apart than ``throttle`` are one incident), alerts a day, actors, and the first
    and last time."""
    scope = findings.scope
    span = (scope.end or 0) - (scope.start or 0) if scope is not None else 0
    days = max(span / 86400, 1 / 24)
    pause = seconds(throttle, "throttle")
    out: list[AlertCount] = []
    for rule in rules:
        own = sorted((f for f in findings if f.detector == rule.name), key=lambda f: f.start)
        alerts = alerts_of(own, pause)
        out.append({
            "rule": rule.name, "severity": rule.severity, "findings": len(own), "alerts": alerts,
            "alerts_a_day": round(alerts / days, 2), "actors": len({f.actor for f in own}),
            "first": own[0].start if own else None, "last": max(f.end for f in own) if own else None,
            "needs": ", ".join(findings.not_detected.get(rule.name, [])),
        })  # fmt: skip
    return out
