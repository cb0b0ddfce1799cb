"""Detection: findings with evidence, out of sessions.

Everything rests on conversations (:meth:`vpcflow.Flows.sessions`), not on records: who was the client, what was
answered. So a server never takes the blame for its clients, and a long connection, which AWS logs again every window,
is one event.

What each detector looks for, its settings and what it cannot see: ``docs/detection.md``.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

from .._hints import hint
from ..errors import DataQualityWarning, NoRecordsError, PlanError
from ..findings.evidence import with_samples
from ..findings.finding import Finding, worst_first
from ..findings.findings import Findings
from ..findings.scope import Scope
from ..formats.capabilities import capabilities
from ..query.aggregation import Aggregation
from ..query.expr import count
from ..query.flows import Flows
from ..query.report import Report
from ..query.result import Result
from ..query.running import collect_readable
from ..query.sessions import sessions_as_records
from ..typing import Duration, Progress
from .settings import DETECTORS, Run, Settings

__all__ = ["DETECTORS", "Settings", "baseline", "detect"]


def baseline(flows: Flows, *, idle: Duration = "10m", progress: Progress | None = None) -> Aggregation:
    """Who talked to whom at which port over which protocol, and how often, to tell what is new later:
    ``detect(today, baseline=baseline(past))``. An :class:`~vpcflow.Aggregation` of answered sessions: saved with
    ``to_bytes()``, days are put together with ``+``.

    >>> import vpcflow as vf
    >>> from vpcflow.detect import baseline
    >>> len(baseline(vf.scan(vf.synth(2000, peers=100, noise_sources=100).data))) > 10
    True
    """
    talks = flows.sessions(idle=idle)._in_any_order().collect(progress=progress)
    own = Aggregation(by=("srcaddr", "dstaddr", "dstport", "protocol"), n=count())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        own.update(sessions_as_records(talks, "client_bytes", answered=True))
    return own


def detect(
    flows: Flows | Aggregation, *, only: Sequence[str] = (), baseline: Aggregation | None = None, samples: int = 3,
    progress: Progress | None = None, **settings: Any,
) -> Findings:  # fmt: skip
    """Findings in flow logs, worst first.

    ``flows``: logs; or an :class:`~vpcflow.Aggregation` of their sessions, ``Aggregation.of(flows.sessions())``, which
    was put together from parts: of days, machines, saved states. Same sessions, same findings; but there are no sample
    records then, and formats are not told unless the aggregation has read its logs in this process.
    ``samples``: for each finding the first so many records that it rests on, which takes another pass over the logs.
    ``baseline``: what was usual before, of :func:`vpcflow.detect.baseline`; without it, what is new is not told.
    ``only``: names of detectors, ``vpcflow.detect.DETECTORS``; all without. ``settings``: see
    :class:`vpcflow.detect.Settings`.

    Needs ``srcaddr``, ``dstaddr``, ``start`` and ``end``; a detector whose fields a format lacks is named in
    ``not_detected``, with what to add. Errors as of :meth:`vpcflow.Flows.collect`; of damaged sources the findings in
    what could be read are the error's ``partial``.

    >>> import vpcflow as vf
    >>> made = vf.synth(20_000, seed=3, plant="port_scan", peers=500, noise_sources=500)
    >>> [(f.detector, f.severity) for f in vf.detect(vf.scan(made.data))]
    [('port_scan', 'high')]
    """
    own = checked_settings(only, settings)
    if isinstance(flows, Aggregation):
        talks = flows.collect()
        if "client" not in talks.columns:
            raise PlanError("detect: an Aggregation of sessions is needed: Aggregation.of(flows.sessions())")
        if not len(talks) and not talks.report.records:
            raise NoRecordsError("detect: the aggregation holds no session")
        return find(talks, None, own, only=only, baseline=baseline)
    sessions = flows.sessions(idle=own.idle)._in_any_order()
    (talks, scope), damage = collect_readable([sessions, Scope.query(flows)], progress=progress)
    found = find(talks, flows, own, only=only, baseline=baseline, samples=samples)
    found.scope = Scope.of(scope)
    if damage is not None:
        damage.partial = found
        raise damage
    return found


def checked_settings(only: Sequence[str], settings: dict[str, Any]) -> Settings:
    """The settings of :func:`detect`; :class:`~vpcflow.PlanError` for unknown names."""
    for name in only:
        if name not in DETECTORS:
            raise PlanError(f"no detector {name!r}; {hint(name, DETECTORS)}")
    try:
        return Settings(**settings)
    except TypeError:
        known = {field.name for field in dataclasses.fields(Settings)}
        wrong = sorted(set(settings) - known)[0]
        raise PlanError(f"detect: no setting {wrong!r}; {hint(wrong, sorted(known))}") from None


def find(
    talks: Result, logs: Flows | None, settings: Settings, *, only: Sequence[str] = (),
    baseline: Aggregation | None = None, samples: int = 0,
) -> Findings:  # fmt: skip
    """Findings in sessions. ``logs``: what they were made of, or the latest part of it, for samples and for what
    sessions do not hold."""
    formats = list(talks.report.formats) if logs is None else logs.formats
    run = Run(logs, talks, settings, _could_not_see(formats, talks.report), baseline)
    wanted = [name for name in DETECTORS if not only or name in only]
    not_detected = {
        c["analysis"]: c["add"]
        for format in formats[:1]
        for c in capabilities(format)
        if c["analysis"] in wanted and c["verdict"] == "impossible"
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        found = run.findings([name for name in wanted if name not in not_detected])
    found.sort(key=worst_first)
    found = _merged(found)
    if logs is not None and samples > 0 and found:
        found = with_samples(logs, found, samples)
    degraded: dict[str, list[str]] = {}
    for name in (name for name in wanted if name not in not_detected):
        seen = run.coverage[name]
        reasons = [*seen.get("degraded", ()), *(seen[what] for what in ("skipdata", "one_direction") if what in seen)]
        if reasons:
            degraded[name] = reasons
    return Findings(found, talks.report, not_detected, degraded=degraded)


def _could_not_see(formats: list[str], report: Report) -> dict[str, dict[str, Any]]:
    """By detector what the format and the delivery hide."""
    out: dict[str, dict[str, Any]] = {name: {} for name in DETECTORS}
    for c in capabilities(formats[0]) if formats else []:
        if c["analysis"] in out and c["verdict"] != "exact":
            out[c["analysis"]] = {"degraded": c["why"], "add": c["add"]}
    if report.skipdata:
        for coverage in out.values():
            coverage["skipdata"] = f"{report.skipdata:,} SKIPDATA records: counts are floors"
    for warning in report.warnings:
        if "one direction only" in warning:
            for coverage in out.values():
                coverage["one_direction"] = warning
    return out


def _merged(found: list[Finding]) -> list[Finding]:
    """A scan of administration services inside is lateral movement, and not two findings."""
    moving = {f.actor: f.evidence["services"] for f in found if f.detector == "lateral_movement"}
    return [f for f in found if f.detector != "port_scan" or f.evidence.get("ports", 0) > moving.get(f.actor, -1)]
