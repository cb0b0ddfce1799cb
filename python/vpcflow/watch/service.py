"""The service that follows a folder, a bucket, a queue or a log group: :class:`Watch`."""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Callable

from .._threads import locked
from .._units import seconds
from ..alerts.alert import Alert, Channel
from ..alerts.channels.jsonl import JsonLines
from ..detect.history import Baseline, Past
from ..errors import (
    ArgumentError,
    DataQualityWarning,
    OutputError,
    PlanError,
    RuleError,
    SourceError,
    VpcflowError,
)
from ..findings.finding import SEVERITIES
from ..io.aws import Connection, is_aws_url
from ..io.aws.url import scheme_of
from ..query.aggregation import Aggregation
from ..query.arguments import each, instance, whole
from ..rules.model import THROTTLE, Rule
from ..rules.silences import Silence, check_silences
from ..siem.findings import OWN, alert_line
from ..sinks.kinds.alerts import OfAlerts
from ..typing import AwsOptions, Duration, Severity
from .beside import Beside
from .correlating import Correlating, WatchedCorrelation
from .discovery import Discovery, Files, Found, check_source
from .evaluation import DetectorWindow, RuleCounts, WatchedDetectors
from .feed import Feed
from .group import GroupEvents
from .incidents import Incidents
from .limits import Limits
from .objects import Objects
from .outbox import Outbox, Target
from .queue import Messages
from .reading import readable
from .store import Store
from .stream import Shards
from .topic import Partitions
from .traffic import Traffic


class Watch:
    """Follows the logs of a folder (or a pattern), or of a URL (``s3://``, ``sqs://``, ``cloudwatch://``,
    ``kinesis://``, ``kafka://``), with rules, and sends alerts to channels.

    ``state``: the SQLite file. ``channels``: by a name that stays the same, :func:`vpcflow.alerts.channel`.
    ``detectors``: settings of :func:`vpcflow.detect`, to ask the detectors, too, of the sessions of the last ``span``;
    ``only`` among them names some. ``baseline``, as of :func:`vpcflow.detect`, for what is new. ``min_severity``: the
    severity from which on detectors' findings count. ``throttle``: findings of the same rule, actor and targets that
    are no further apart are one incident, which gives one alert, and another if it becomes worse; with ``repeat`` also
    for each such time that it goes on. ``keep``: for how many days of records counts are kept. ``settle``: seconds for
    which a file must not have changed. ``since``, of URLs: what a new state begins with, ``"now"``, ``"24h"`` or
    ``"all"``. ``aws``: as of :func:`vpcflow.scan`. ``correlation``: what else is followed, for sequences and
    risk. ``targets``: by names that stay, sinks for alerts, sessions or records; ``outbox``: bytes that each may be
    behind. ``log``: gets a line about what cannot be read or delivered.

    Any number of threads may use one watch; :meth:`poll`, :meth:`deliver` and :meth:`close` wait for each other.

    Rules without time bins count over all the days that are kept. A file is read once; one that changes afterwards
    is logged, not read again. Damaged files are tried again at each of five polls.

    >>> import tempfile, pathlib, vpcflow as vf
    >>> from vpcflow.watch import Watch
    >>> folder = pathlib.Path(tempfile.mkdtemp()); _ = (folder / "a.log").write_text("srcaddr\\n10.0.0.1\\n10.0.0.1\\n")
    >>> rules = vf.rules.of([{"name": "busy", "by": "srcaddr", "having": "flows >= 2"}])
    >>> watch = Watch(folder, rules, {}, folder / "state.sqlite", settle=0)
    >>> [alert.finding.actor for alert in watch.poll()], watch.poll()
    (['10.0.0.1'], [])
    """

    RETRIES = Files.RETRIES
    LOCK_SECONDS = 30.0  # to wait for another process that has the state

    def __init__(
        self,
        source: str | os.PathLike[str],
        rules: Sequence[Rule],
        channels: dict[str, Channel],
        state: str | os.PathLike[str],
        *,
        detectors: WatchedDetectors | None = None,
        baseline: Past | None = None,
        span: Duration = "1d",
        min_severity: Severity = "medium",
        silences: Sequence[Silence] = (),
        throttle: Duration = THROTTLE,
        repeat: Duration | None = None,
        keep: int = 2,
        settle: float = 5.0,
        format: str | None = None,
        since: str | None = None,
        aws: AwsOptions | None = None,
        correlation: Correlating | None = None,
        targets: Mapping[str, Target] | None = None,
        outbox: int = 1 << 30,
        log: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._source, self._format, self._log = os.fspath(source), format, log
        self._lock = threading.RLock()
        self._own = [channel.path for channel in channels.values() if isinstance(channel, JsonLines)]
        for target in (targets or {}).values():
            kind, _, path = target.sink.label.partition(":")
            self._own += [target.dead, *([path] if kind in ("file", "jsonl") else [])]
        #: The files that the last :meth:`poll` could not read, each with its error.
        self.damaged: dict[str, str] = {}
        rules = each(rules, Rule, "rules", "Watch('logs/', vf.rules.load('rules.yaml'), {}, 'state.sqlite')")
        whole(keep, "keep", "Watch(..., keep=2)")
        if isinstance(settle, bool) or not isinstance(settle, (int, float)) or not settle >= 0:
            raise ArgumentError(f"settle={settle!r}: seconds are needed, from 0; write Watch(..., settle=5)")
        if min_severity not in SEVERITIES:
            raise PlanError(f"min_severity={min_severity!r}: expected one of {', '.join(SEVERITIES)}")
        if baseline is not None and not isinstance(baseline, Baseline):
            instance(baseline, Aggregation, "baseline", "Watch(..., baseline=vf.detection.baseline(past))")
        check_silences(silences, rules)
        pause, again = seconds(throttle, "throttle"), None if repeat is None else seconds(repeat, "repeat")
        self._store = Store(os.fspath(state), self.LOCK_SECONDS)
        self._discovery = _discovery_of(self._store, self._source, settle, since, Connection.of(aws), format, keep, log)
        limits = Limits(log)
        self._limits, self._traffic = limits, Traffic(self._store, log)
        self._window = None
        if detectors is not None:
            length = seconds(span, "span")
            self._window = DetectorWindow(self._store, detectors, baseline, length, min_severity, limits, log)
        self._correlation, self._beside = None, list[Beside]()
        if correlation is not None:
            self._correlation = WatchedCorrelation(
                self._store, correlation, log, detects=detectors is not None, finds=bool(rules), settle=settle
            )
            self._beside = [
                Beside(
                    self._store, name, os.fspath(place), correlation, self._correlation, settle, Connection.of(aws), log
                )
                for name, place in correlation.sources.items()
            ]
        self._asked = [] if self._correlation is None else _others(self._correlation.groupings, rules)
        self._counts = RuleCounts(self._store, [*rules, *self._asked], keep, limits)
        self._incidents = Incidents(self._store, pause, again)
        sinks = {name: Target(OfAlerts(one), OWN) for name, one in channels.items()} | dict(targets or {})
        self._sinks = [target.sink for target in sinks.values()]
        self._outbox = Outbox(self._store, sinks, silences, log, alert_line)
        self._feed = Feed(self._store, sinks, outbox, log)
        if isinstance(self._discovery, Files):
            check_source(self._source)  # before a state is made
        self._store.open()
        with self._store.named_errors():
            self._feed.begin(sinks)
        self._discovery.begin()
        if self._window is not None:
            self._window.begin()
        if self._correlation is not None:
            self._correlation.begin()

    @property
    def young(self) -> list[str]:
        """The files that the last :meth:`poll` did not read, as they have not settled."""
        return [*self._discovery.young, *(path for one in self._beside for path in one.young)]

    @property
    def seen(self) -> int:
        """How many files the last :meth:`poll` found, read or not."""
        return self._discovery.seen

    @property
    def undelivered(self) -> int:
        """How many alerts and events some channel or sink has not got yet."""
        with self._store.named_errors():
            return self._outbox.undelivered + self._feed.pending

    @locked
    def close(self) -> None:
        """Closes the state, and the connections of sinks."""
        self._store.close()
        for sink in self._sinks:
            sink.close()

    @locked
    def poll(self) -> list[Alert]:
        """Reads the files that are new and settled, and returns the alerts that come of it; :meth:`deliver` sends
        them."""
        self.damaged = {}
        alerts: list[Alert] = []
        with self._store.named_errors():
            own = {os.path.realpath(path) for path in self._own}
            for new in self._discovery.batches(own):
                alerts += self._read(new)
                self._discovery.committed()
            self._discovery.finished()
            self.damaged |= self._discovery.failed
            for beside in self._beside:
                self.damaged |= beside.poll(own)
            alerts += self._correlated()
        with suppress(RuleError, OutputError), self._store.named_errors(), self._store.transaction():
            self._traffic.looked()
        return alerts

    def _correlated(self) -> list[Alert]:
        """Evaluates sequences and risk in a transaction, and returns the alerts of it."""
        if self._correlation is None:
            return []
        self._correlation.look()
        if not self._correlation.is_due:
            return []
        with self._store.transaction():
            alerts = [alert for alert in self._correlation.evaluate() if self._outbox.add(alert)]
        self._correlation.done()
        return alerts

    def _read(self, new: Sequence[Found]) -> list[Alert]:
        """Reads what is new, counts it, and marks it as read, in one transaction. Returns the alerts of it."""
        try:
            with warnings.catch_warnings(), self._store.transaction():
                warnings.simplefilter("ignore", DataQualityWarning)
                flows, days, formats, damaged = readable([found.path for found in new], self._format, self._log)
                self.damaged |= damaged
                self._limits.now = []
                alerts: list[Alert] = []
                if flows is not None:
                    self._counts.add(flows, days, formats)
                    self._incidents.forget(self._counts.forget())
                    findings = self._counts.findings(flows)
                    look = self._window.look(flows) if self._window is not None else None
                    if self._correlation is not None:
                        self._correlation.add_flows(flows, formats, look, findings)
                        asked = {rule.name for rule in self._asked}  # by sequences alone
                        findings = [finding for finding in findings if finding.detector not in asked]
                    findings += look.settled if look is not None else []
                    made = self._incidents.refuted(look) if look is not None else []
                    made += [alert for finding in findings if (alert := self._incidents.alert_of(finding))]
                    alerts = [alert for alert in made if self._outbox.add(alert)]
                    self._feed.add(flows)
                    self._traffic.add(flows, days, self._limits.now)
                for found in new:
                    self._discovery.record(found, damaged.get(found.path))
                return alerts
        except BaseException:
            if self._window is not None:
                self._window.reload()
            raise

    @locked
    def deliver(self) -> int:
        """Sends each channel and sink what it lacks, and returns how many alerts and events were delivered. A failed
        one is tried again later, at last every hour."""
        with self._store.named_errors():
            return self._outbox.deliver() + self._feed.deliver()

    def run(self, interval: float = 30.0) -> None:
        """Polls and delivers for ever, every ``interval`` seconds."""
        while True:
            began = time.monotonic()
            for step in (self.poll, self.deliver):
                try:
                    step()
                except VpcflowError as error:  # such as a file that changed between two looks, or a disk that is full
                    self._log(f"will be retried: {error}")
            if not self._feed.is_due:  # what it is behind is sent first
                time.sleep(max(0.0, interval - (time.monotonic() - began)))


def _others(groupings: Sequence[Rule], rules: Sequence[Rule]) -> list[Rule]:
    """Returns the rules that sequences ask for, and that the watch has not by itself."""
    own = {rule.name: rule for rule in rules}
    for one in groupings:
        if one.name in own and one != own[one.name]:
            raise PlanError(f"rules: two rules have the name {one.name!r}: one of sequences, and one of its own")
    return [one for one in groupings if one.name not in own]


def _discovery_of(
    store: Store, source: str, settle: float, since: str | None, connection: Connection, format: str | None, keep: int,
    log: Callable[[str], None],
) -> Discovery:  # fmt: skip
    """Returns where a watch finds what is new."""
    if not is_aws_url(source):
        if since is not None:
            raise ArgumentError(f"since={since!r}: it is for URLs; of a folder all files are read")
        return Files(store, source, settle, log)
    scheme = scheme_of(source)
    if scheme == "s3":
        return Objects(store, source, connection, since, keep, log)
    if scheme == "sqs":
        if since is not None:
            raise ArgumentError(f"since={since!r}: a queue itself says what is new")
        return Messages(store, source, connection, log)
    if scheme == "kinesis":
        return Shards(store, source, connection, since, log)
    if scheme == "kafka":
        return Partitions(store, source, since, log)
    if scheme == "iceberg":
        raise SourceError(f"{source}: tables are scanned, not followed; follow the objects that they are made of")
    return GroupEvents(store, source, connection, since, format, log)
