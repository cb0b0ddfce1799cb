"""Detection: findings with evidence, out of sessions.

Everything rests on conversations (:meth:`vpcflow.Flows.sessions`), not on records: who was the client, what was
answered. So a server never takes the blame for its clients, and a long connection, which AWS logs again every window,
is one event.

What each detector looks for, its settings and what it cannot see: ``docs/reference/detectors.md``.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import _core
from .._display import instant
from .._hints import hint
from .._units import byte_count
from ..errors import DataQualityWarning, NoRecordsError, PlanError, VpcflowError
from ..findings.advice import Reading
from ..findings.evidence import with_samples
from ..findings.finding import Finding, worst_first
from ..findings.findings import Findings
from ..findings.scope import Scope
from ..query.aggregation import Aggregation
from ..query.arguments import instance, names, text, whole
from ..query.expr import count
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable
from ..query.scan import query
from ..query.sessions import sessions_as_records
from ..typing import Duration, Progress
from .history import Baseline, Past
from .rows import DETECTORS, ROWS, all_settings
from .run import SAMPLED, Run, engine_settings, sessions_for
from .settings import DetectorSettings, Settings

if TYPE_CHECKING:
    from typing_extensions import Unpack

_OF_HISTORY = frozenset(row["name"] for row in ROWS if "baseline" in row["inputs"])
_NEW = "what is new for a host:"
_HISTORY = 3 * 86400  # seconds that logs last at least, to be their own history: nights, and another day beside

__all__ = ["DETECTORS", "Baseline", "DetectorSettings", "Settings", "baseline", "detect"]


def baseline(flows: Flows, *, idle: Duration = "10m", progress: Progress | bool | None = None) -> Aggregation:
    """Counts who talked to whom at which port over which protocol, for the detectors of what is new:
    ``detect(today, baseline=baseline(past))``. Returns an :class:`~vpcflow.Aggregation` of answered sessions, which
    ``to_bytes()`` saves and ``+`` merges.

    >>> import vpcflow as vf
    >>> from vpcflow.detect import baseline
    >>> len(baseline(vf.scan(vf.synth(2000, peers=100, noise_sources=100).data))) > 10
    True
    """
    return learned_from(flows.sessions(idle=idle)._in_any_order().collect(progress=progress))


def learned_from(sessions: Result, until: int | None = None) -> Aggregation:
    """As :func:`baseline`, out of sessions; of those that began before ``until`` (Unix seconds), if it is given."""
    own = Aggregation(query().group_by("srcaddr", "dstaddr", "dstport", "protocol").agg(n=count()))
    records = sessions_as_records(sessions, "client_bytes", answered=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        own.update(records if until is None else records.filter(f"start < {until}"))
    return own


def detect(
    flows: Flows | Aggregation, *, only: Sequence[str] = (), baseline: Past | None = None, samples: int = 3,
    progress: Progress | bool | None = None, **settings: Unpack[DetectorSettings],
) -> Findings:  # fmt: skip
    """Runs the detectors over flow logs and returns the findings, worst first.

    ``flows``: logs; or an :class:`~vpcflow.Aggregation` of their sessions, ``Aggregation.of(flows.sessions())``, which
    was merged from parts: days, machines, saved states. The same sessions give the same findings, but without sample
    records; what the formats hide is known only if the aggregation has read its logs in this process.
    ``samples``: the number of records to show for each finding, which takes another pass over the logs.
    ``baseline``: what was usual before, a :class:`vpcflow.detect.Baseline`, or of :func:`vpcflow.detect.baseline`.
    Without one the first half of the logs takes its place if they last three days, and what is new then is ``low``; in
    shorter logs nothing is new. :meth:`vpcflow.Findings.conclusion` says so.
    ``only``: names of detectors, of ``vpcflow.detect.DETECTORS``; all without. ``settings``: see
    :class:`vpcflow.detect.Settings`.

    Needs ``srcaddr``, ``dstaddr``, ``start`` and ``end``. A detector that can see nothing, because the formats of all
    logs lack a field, is named in ``not_detected`` with the fields; one that sees less, or is blind in some of the
    sources, in ``degraded``. Errors as of :meth:`vpcflow.Flows.collect`; of damaged sources the findings in
    the input before the error are its ``partial``.

    >>> import vpcflow as vf
    >>> made = vf.synth(20_000, seed=3, plant="port_scan", peers=500, noise_sources=500)
    >>> [(f.detector, f.severity) for f in vf.detect(vf.scan(made.data))]
    [('port_scan', 'high')]
    """
    own = checked_settings(only, settings)
    instance(flows, (Flows, Aggregation), "detect", "detect(vf.scan('logs/'))")
    if baseline is not None and not isinstance(baseline, Baseline):
        instance(baseline, Aggregation, "baseline", "detect(flows, baseline=vf.detection.baseline(past))")
    samples = whole(samples, "samples", "detect(flows, samples=3)")
    only = names([only], "detect(flows, only=['port_scan'])")
    if isinstance(flows, Aggregation):
        together = flows.collect()
        if "client" not in together.columns:
            raise PlanError("detect: an Aggregation of sessions is needed: Aggregation.of(flows.sessions())")
        if not len(together) and not together.report.records:
            raise NoRecordsError("detect: the aggregation holds no session")
        return find(together, None, own, only=only, baseline=baseline)
    seen = look(flows, own, only=only, baseline=baseline, samples=samples, progress=progress)
    return seen.concluded(seen.findings)


class Look(NamedTuple):
    """What one pass over logs gave: findings, the sessions that they are in, and the results of other queries."""

    findings: Findings
    sessions: Result
    others: list[Result]
    damage: VpcflowError | None

    def concluded(self, findings: Findings) -> Findings:
        """Returns findings of this pass; if sources are damaged, the error is raised with them."""
        if self.damage is not None:
            self.damage.partial = findings
            raise self.damage
        return findings


def look(
    flows: Flows, settings: Settings, *, only: Sequence[str] = (), baseline: Past | None = None,
    samples: int = 0, progress: Progress | bool | None = None, others: Sequence[Flows] = (),
) -> Look:  # fmt: skip
    """Looks for findings in one pass over logs, which may be a stream, and runs other queries in it. Nothing is raised
    for damaged sources yet."""
    queries = [sessions_for(flows, settings), Scope.query(flows), *others]
    (sessions, scoped, *results), damage = collect_readable(queries, progress=progress)
    scope = Scope.of(scoped)
    found = find(sessions, flows, settings, only=only, baseline=baseline, samples=samples, scope=scope)
    found.scope, found.reading = scope, Reading.of(flows, sessions.report.formats)
    return Look(found, sessions, results, damage)


def checked_settings(only: Sequence[str], settings: Mapping[str, Any]) -> Settings:
    """Returns the settings of :func:`detect`. Raises :class:`~vpcflow.PlanError` for unknown names and for files that
    cannot be read."""
    for name in names([only], "only=['port_scan']"):
        if name not in DETECTORS:
            raise PlanError(f"no detector {name!r}; {hint(name, DETECTORS)}")
    rows = all_settings()
    given: dict[str, Any] = {
        name: byte_count(name, value) if isinstance(value, str) and rows.get(name, {}).get("unit") == "bytes" else value
        for name, value in settings.items()
    }
    try:
        own = Settings(**given)
    except TypeError:
        known = {field.name for field in dataclasses.fields(Settings)}
        wrong = sorted(set(settings) - known)[0]
        raise PlanError(f"detect: no setting {wrong!r}; {hint(wrong, sorted(known))}") from None
    _check_files(own)
    _core.Detection(engine_settings(own))  # checks values before any log is read
    return own


def _check_files(settings: Settings) -> None:
    """Checks the files that settings name, which are read only when they are needed."""
    for name, path in (("geo", settings.geo), ("aws_ranges", settings.aws_ranges)):
        if not path:
            continue
        try:
            with open(text(path, name, f"detect(flows, {name}='FILE')"), "rb"):
                pass
        except OSError as error:
            raise PlanError(f"detect: {name}={path!r}: {error.strerror}") from None
    if settings.aws_ranges:
        from ..labels import ip_ranges  # `import vpcflow` stays light

        ip_ranges(settings.aws_ranges)


def find(
    sessions: Result, logs: Flows | None, settings: Settings, *, only: Sequence[str] = (),
    baseline: Past | None = None, samples: int = 0, scope: Scope | None = None,
    services: Mapping[str, str] | None = None,
) -> Findings:  # fmt: skip
    """Findings in sessions. ``logs``: what they were made of, or the latest part of it, for samples and for what
    sessions do not hold. ``scope``: what they are of, if all of that is at hand, so that its first half can be the
    history of the second. ``services``: AWS's services of addresses, as other parts of the logs name them."""
    if any(SAMPLED in text.replace("_", "-") for text in sessions.report.formats):
        raise PlanError(
            "detect: these logs are a sample, by their field sampling-weight: what is missing looks like what never "
            "came, and findings would be invented; give the logs that it was drawn from"
        )
    half = _half(scope) if baseline is None else None
    run = Run(logs, sessions, settings, learned_from(sessions, half) if half is not None else baseline, services)
    wanted = [name for name in DETECTORS if not only or name in only]
    not_detected = {name: run.lacks(name) for name in wanted if run.lacks(name)}
    not_asked = {name: run.missing(name) for name in only if name not in not_detected and run.missing(name)}
    able = [name for name in wanted if name not in not_detected]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataQualityWarning)
        found = run.findings(able)
    if half is not None:
        found = [dataclasses.replace(f, severity="low") if f.detector in _OF_HISTORY else f for f in found]
    found.sort(key=worst_first)
    found = _merged(found)
    if logs is not None and samples > 0 and found:
        found = with_samples(logs, found, samples)
    degraded = {name: run.reasons(name) for name in able if run.reasons(name)}
    findings = Findings(
        found, sessions.report, not_detected, degraded=degraded, not_asked=not_asked, gateways=run.gateways(),
        folded=run.folded(),
    )  # fmt: skip
    if half is not None:
        findings.history = f"{_NEW} by the first half of these logs alone, until {instant(half)} UTC: give a baseline"
    elif baseline is None and not only:
        findings.history = f"{_NEW} not looked for: there is no baseline, and the logs last less than three days"
    findings.usual = baseline if isinstance(baseline, Baseline) else None
    findings.add = {name: add for name in degraded if (add := run.coverage[name].get("add"))}
    return findings


def _half(scope: Scope | None) -> int | None:
    """Returns the time until which logs are their own history; ``None`` if they are too short."""
    if scope is None or scope.start is None or scope.end is None or scope.end - scope.start < _HISTORY:
        return None
    return (scope.start + scope.end) // 2


def _merged(found: list[Finding]) -> list[Finding]:
    """Leaves out scans of administration services inside that are lateral movement already. Scans of other ports by the
    same host stay."""
    moving = {f.actor: f.evidence["ports"] for f in found if f.detector == "lateral_movement"}

    def told(finding: Finding) -> bool:
        ports = moving.get(finding.actor)
        if ports is None or finding.detector != "port_scan":
            return False
        port = finding.evidence.get("dstport")
        return port in ports if port is not None else finding.evidence.get("ports", 0) <= len(ports)

    return [finding for finding in found if not told(finding)]
