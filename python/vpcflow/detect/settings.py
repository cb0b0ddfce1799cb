"""The detectors' settings, and one run of them: what the engine needs to know, and what it tells as findings."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from .. import _core
from ..errors import PlanError
from ..findings.finding import Finding
from ..findings.membership import among
from ..query.aggregation import Aggregation
from ..query.expr import first
from ..query.flows import Flows, scan
from ..query.result import Result
from ..query.running import collect_readable
from .threat_lists import addresses_of, day_of

DETECTORS = _core.detectors()
_DEFAULTS = _core.detect_defaults()


@dataclasses.dataclass(frozen=True)
class Settings:
    """What the detectors go by; all of it can be given to :func:`detect` by name. Prefixes are texts, any number of
    them. The defaults are those of ``vpcflow/detect/settings.h``.

    >>> Settings().scan_ports, Settings(scan_ports=50).scan_ports
    (25, 50)
    """

    #: Prefixes of your own networks.
    inside: Sequence[str] = _DEFAULTS["inside"]
    #: What ends a session.
    idle: str | int = "10m"
    #: port_scan: different ports of one host, or hosts at one port, that did not answer (Zeek's scan.zeek: 15 and 25).
    scan_ports: int = _DEFAULTS["scan_ports"]
    scan_hosts: int = _DEFAULTS["scan_hosts"]
    #: port_scan: the share of a source's tries at its target that did not get an answer.
    scan_failed: float = _DEFAULTS["scan_failed"]
    #: port_scan: whether few or slow tries of outside hosts are told, too (inside ones always are): mostly what every
    #: address of the internet gets all day.
    walk_outside: bool = _DEFAULTS["walk_outside"]
    #: brute_force: sessions of one client at one service (Zeek: 30 failed logins), and their median size in bytes from
    #: the client.
    brute_sessions: int = _DEFAULTS["brute_sessions"]
    brute_bytes: int = _DEFAULTS["brute_bytes"]
    #: exfiltration: bytes to one outside peer, how many times what came back, how many times the median session; and
    #: outside prefixes that may get much, such as those of your backups.
    exfil_bytes: int = _DEFAULTS["exfil_bytes"]
    exfil_known: Sequence[str] = _DEFAULTS["exfil_known"]
    #: exfiltration: AWS's ip-ranges.json, by which uploads to S3 are known where the log does not name services;
    #: without it the list that comes with vpcflow.
    aws_ranges: str = ""
    exfil_ratio: float = _DEFAULTS["exfil_ratio"]
    exfil_typical: float = _DEFAULTS["exfil_typical"]
    #: beacon: sessions, and how much the time between them may vary (median deviation by median).
    beacon_sessions: int = _DEFAULTS["beacon_sessions"]
    beacon_jitter: float = _DEFAULTS["beacon_jitter"]
    #: lateral_movement: inside hosts reached or tried at services by which one gets into another, and the share that
    #: did not answer.
    lateral_hosts: int = _DEFAULTS["lateral_hosts"]
    lateral_failed: float = _DEFAULTS["lateral_failed"]
    #: unauthorised_access: prefixes outside from which administration is fine; tries of one source at one service that
    #: all got no answer.
    admin_sources: Sequence[str] = _DEFAULTS["admin_sources"]
    access_tries: int = _DEFAULTS["access_tries"]
    #: accepted_after_reject: ports of one host, or hosts at one port, that did not answer before one did.
    found_failed: int = _DEFAULTS["found_failed"]
    #: flood: sources that got no answer from one port in a minute (public playbooks: 500), and packets that one host
    #: got without answer in a minute.
    flood_sources: int = _DEFAULTS["flood_sources"]
    flood_packets: int = _DEFAULTS["flood_packets"]
    #: tunnel: bytes to one outside peer over DNS or NTP, and over ICMP in packets of 200 bytes and more.
    tunnel_bytes: int = _DEFAULTS["tunnel_bytes"]
    tunnel_icmp: int = _DEFAULTS["tunnel_icmp"]
    #: known_bad: addresses and prefixes, or a file with one at the beginning of each line (``#`` comments).
    bad: Sequence[str] | str = ()
    #: new_port, new_protocol, new_destination: how likely by a host's past a session with something new may be at most
    #: (Good and Turing): 0.01 takes a hundred sessions in which nothing came only once.
    new_chance: float = _DEFAULTS["new_chance"]
    #: new_country: a MaxMind DB file of countries, or of autonomous systems: then new networks are told (needs
    #: ``maxminddb``).
    geo: str = ""


class Run:
    """One detection in the sessions ``talks``. ``flows``: the logs that they come from, if there are any."""

    def __init__(
        self, flows: Flows | None, talks: Result, settings: Settings, coverage: dict[str, dict[str, Any]],
        baseline: Aggregation | None,
    ) -> None:  # fmt: skip
        own = dataclasses.asdict(settings)
        own["bad"], own["bad_date"] = addresses_of(settings.bad)
        if settings.geo and baseline is not None:
            from ..labels import mmdb  # `import vpcflow` stays light

            try:
                own["countries"] = mmdb(settings.geo)._core
            except PlanError:  # none of countries
                own["countries"] = mmdb(settings.geo, "autonomous_system_organization")._core
                own["countries_are_networks"] = True
            own["countries_date"] = day_of(settings.geo)
        self._detection = _core.Detection(own)
        self._detection.add(talks._table)
        if baseline is not None:
            self._detection.add_baseline(baseline.collect()._table)
        self._flows, self._settings, self.coverage = flows, settings, coverage

    def findings(self, names: Sequence[str]) -> list[Finding]:
        """What some detectors find."""
        return [
            Finding(**found, coverage=self.coverage[name])
            for name in names
            for found in (self._uploads() if name == "exfiltration" else self._detection.find(name))
        ]

    def _uploads(self) -> list[dict[str, Any]]:
        """Uploads; if there are any, the AWS services that got them are asked for, where the log or a list tells."""
        found = self._detection.find("exfiltration")
        told = self._flows is not None and any("${pkt-dst-aws-service}" in f for f in self._flows.formats)
        if not found or not (told or self._settings.aws_ranges):
            return found
        addresses = {target for upload in found for target in upload["targets"]}
        services = self._listed_services(addresses) if self._settings.aws_ranges else {}
        if self._flows is not None and told:
            flows, to_peers = among(self._flows, "one_of_the_peers", "dstaddr", addresses)
            rows = flows.filter(to_peers).group_by("dstaddr").agg(s=first("pkt-dst-aws-service"))
            (named,), _ = collect_readable([rows])  # damage is told by the pass before
            services |= {row["dstaddr"]: row["s"] for row in named if row["s"]}
        from ..labels import prefixes  # `import vpcflow` stays light

        self._detection.set_services(prefixes(services)._core)
        return self._detection.find("exfiltration")

    def _listed_services(self, addresses: set[str]) -> dict[str, str]:
        """The AWS service of addresses by AWS's list."""
        from ..labels import ip_ranges  # `import vpcflow` stays light

        log = "dstaddr\n" + "\n".join(sorted(addresses)) + "\n"
        named = scan(log.encode()).label("service", "dstaddr", ip_ranges(self._settings.aws_ranges))
        return {row["dstaddr"]: row["service"] for row in named.filter("service is not null").collect()}
