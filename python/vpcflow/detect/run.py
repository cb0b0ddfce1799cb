"""One run of the detectors: input for the engine, and findings from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import _core
from ..errors import PlanError, SourceError
from ..findings.finding import Coverage, Finding
from ..findings.findings import BlindIn, NullField
from ..findings.membership import membership
from ..query.expr import first
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_readable
from ..query.scan import scan
from .history import Past, table_of
from .rows import DETECTORS, ROWS
from .settings import Settings
from .threat_lists import addresses_of, day_of

SERVICE = "pkt-dst-aws-service"  # the field that names the AWS service of a target
#: The field by which logs are known as a sample.
SAMPLED = "sampling-weight"
#: Tries that are held as sessions, in half a gigabyte.
WHOLE = 1_000_000
_SEEN = 2  # times that a host is seen whose tries are folded
_LISTS_IN_PYTHON = ("idle", "bad", "geo", "aws_ranges")  # settings that the engine gets in another form, or not at all


def engine_settings(settings: Settings) -> dict[str, Any]:
    """Returns the settings for the engine, without labels, which are made when they are needed."""
    own = {name: value for name, value in dataclasses.asdict(settings).items() if name not in _LISTS_IN_PYTHON}
    return {**own, "bad": addresses_of(settings.bad)}


def sessions_for(flows: Flows, settings: Settings) -> Flows:
    """Makes a query of sessions out of one of records. Beyond :data:`WHOLE` tries those of hosts that were seen once or
    twice become counts, unless settings ask for so few of one host."""
    few = min(settings.scan_ports, settings.scan_hosts, settings.access_tries) // 2 <= _SEEN  # replaying halves them
    sessions = flows.sessions(idle=settings.idle)._in_any_order()
    return sessions._folded(0 if few else WHOLE, settings.inside)


class Run:
    """One detection in ``sessions``. ``flows``: the logs that they come from, if there are any. ``services``: AWS's
    services of addresses, as logs named them before."""

    def __init__(
        self, flows: Flows | None, sessions: Result, settings: Settings, baseline: Past | None = None,
        services: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        own = engine_settings(settings)
        if settings.geo and baseline is not None:
            own["geo"] = _labels_of(settings.geo)
        self._detection = _core.Detection(own)
        self._detection.add(sessions._table)
        self._detection.add_formats(sessions.report.formats, sessions.report.shown)
        if baseline is not None:
            self._detection.add_baseline(table_of(baseline))
        self._known = services or {}
        self._flows, self._settings, self._formats = flows, settings, sessions.report.formats
        given = {"baseline": baseline is not None, "bad": bool(settings.bad), "geo": bool(settings.geo)}
        self._missing = {row["name"]: [name for name in row["inputs"] if not given[name]] for row in ROWS}
        self._seen = {coverage["detector"]: coverage for coverage in self._detection.coverage(sessions.report)}
        #: By detector what the formats and the delivery of the logs hide, as findings have it.
        self.coverage: dict[str, Coverage] = {name: self._seen[name]["hidden"] for name in DETECTORS}

    def lacks(self, name: str) -> list[str]:
        """Returns the fields without which a detector sees nothing in any log; none if it sees something."""
        seen = self._seen[name]
        if seen["verdict"] != "impossible":
            return []
        return _fields_of(loss for loss in seen["losses"] if loss["essential"])

    def gateways(self) -> dict[str, int]:
        """Returns the inside hosts that were taken for gateways, each with the sessions of others that it repeats."""
        return self._detection.gateways()

    def folded(self) -> tuple[int, int]:
        """Returns how many tries are folded into counts, and about how many hosts sent them."""
        return self._detection.folded()

    def missing(self, name: str) -> list[str]:
        """Returns the arguments that a detector needs and that are not given."""
        return self._missing[name]

    def reasons(self, name: str) -> list[str]:
        """Returns why a detector sees less than it could, most important first."""
        hidden = self.coverage[name]
        reasons = [hidden["unknown"]] if "unknown" in hidden else []
        reasons += [BlindIn(hidden["blind"])] if "blind" in hidden else []
        reasons += _losses(self._seen[name])
        return [*reasons, *(hidden[what] for what in ("skipdata", "one_direction") if what in hidden)]

    def findings(self, names: Sequence[str]) -> list[Finding]:
        """Returns the findings of some detectors."""
        return [
            Finding(**found, coverage=self.coverage[name])
            for name in names
            for found in (self._uploads() if name == "exfiltration" else self._detection.find(name))
        ]

    def _uploads(self) -> list[dict[str, Any]]:
        """Uploads; if there are any, the AWS services that got them are asked for, where the log or a list tells. Where
        neither names one, the list that comes with the library stays."""
        found = self._detection.find("exfiltration")
        if not found:
            return found
        addresses = {target for upload in found for target in upload["targets"]}
        services = self._listed_services(addresses) if self._settings.aws_ranges else {}
        services |= {address: name for address, name in self._known.items() if address in addresses}
        if self._flows is not None and any(SERVICE in format for format in self._formats):
            flows, to_peers = membership(self._flows, "one_of_the_peers", "dstaddr", addresses)
            services |= services_in(flows.filter(to_peers))
        if not services and not self._settings.aws_ranges:
            return found
        from ..labels import prefixes  # `import vpcflow` stays light

        # A log tells of the peers in it; of others the list that comes with vpcflow may.
        partial = not self._settings.aws_ranges
        self._detection.set_labels("aws_ranges", prefixes(services)._core, partial)
        return self._detection.find("exfiltration")

    def _listed_services(self, addresses: set[str]) -> dict[str, str]:
        """The AWS service of addresses by AWS's list."""
        from ..labels import ip_ranges  # `import vpcflow` stays light

        log = "dstaddr\n" + "\n".join(sorted(addresses)) + "\n"
        named = scan(log.encode()).label("service", "dstaddr", ip_ranges(self._settings.aws_ranges))
        return {row["dstaddr"]: row["service"] for row in named.filter("service is not null").collect()}


def services_in(flows: Flows) -> dict[str, str]:
    """Returns AWS's services of addresses, as logs name them; none of logs that can be read only once."""
    records = flows._with(allow_missing=True).filter(f"{SERVICE} is not null")
    try:
        # Who read before tells of damage.
        (named,), _ = collect_readable([records.group_by("dstaddr").agg(s=first(SERVICE))])
    except SourceError:  # a stream, which was read already
        return {}
    return {row["dstaddr"]: row["s"] for row in named if row["s"] and row["dstaddr"]}


def _labels_of(geo: str) -> tuple[_core.Labels, str, bool]:
    """The labels of a MaxMind DB file, its day, and whether they are names of networks."""
    from ..labels import mmdb  # `import vpcflow` stays light

    try:
        return mmdb(geo)._core, day_of(geo), False
    except PlanError:  # none of countries
        return mmdb(geo, "autonomous_system_organization")._core, day_of(geo), True


def _losses(seen: dict[str, Any]) -> list[str]:
    """What is lost without fields that a detector could do without, each with the fields and where they lack."""
    fields: dict[tuple[str, int, bool], list[str]] = {}
    for loss in seen["losses"]:
        if not loss["essential"]:
            is_null = loss["null"] == loss["sources"]
            fields.setdefault((loss["without"], loss["sources"], is_null), []).append(loss["field"])
    out = []
    for (lost, sources, is_null), names in fields.items():
        where = "" if sources == seen["sources"] else f" in {sources:,} of {seen['sources']:,} sources"
        cause = f"{' and '.join(names)} null in every record" if is_null else f"without {' and '.join(names)}"
        out.append(f"{lost} ({cause}{where})")
    return out


def _fields_of(losses: Iterable[dict[str, Any]]) -> list[str]:
    """The fields that lack, those that are there without a value as such."""
    named = {loss["field"]: loss for loss in losses}
    return [NullField(name) if loss["null"] == loss["sources"] else name for name, loss in named.items()]
