"""The settings of the detectors. Made of their rows by tools/generate_docs.py; do not edit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypedDict


class DetectorSettings(TypedDict, total=False):
    """The settings of :func:`vpcflow.detect` for type checkers, all optional; meanings and defaults:
    :class:`Settings`."""

    inside: Sequence[str]
    idle: str | int
    found_failed: int
    beacon_sessions: int
    beacon_jitter: float
    brute_sessions: int
    brute_bytes: int
    exfil_bytes: int
    exfil_ratio: float
    exfil_typical: float
    exfil_known: Sequence[str]
    aws_ranges: str
    flood_sources: int
    flood_packets: int
    bad: Sequence[str] | str
    lateral_hosts: int
    lateral_failed: float
    geo: str
    new_chance: float
    scan_ports: int
    scan_hosts: int
    scan_failed: float
    walk_outside: bool
    tunnel_bytes: int
    tunnel_icmp: int
    admin_sources: Sequence[str]
    access_tries: int


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of :func:`vpcflow.detect`, by name. Prefixes are texts, any number of them.

    >>> Settings().scan_ports, Settings(scan_ports=50).scan_ports
    (25, 50)
    """

    #: all detectors: prefixes of your own networks (RFC 1918, RFC 6598 and RFC 4193 by default).
    inside: Sequence[str] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    #: all detectors: pause that ends a session.
    idle: str | int = "10m"
    #: accepted_after_reject: ports of one host, or hosts at one port, that did not answer before one did [ports or
    #: hosts].
    found_failed: int = 5
    #: beacon: sessions with one outside service [sessions].
    beacon_sessions: int = 6
    #: beacon: how much the time between them may vary: median deviation by median, at most [share].
    beacon_jitter: float = 0.1
    #: brute_force: sessions of one client at one service (Zeek: 30 failed logins); from twice as many on the severity
    #: is ``high`` [sessions].
    brute_sessions: int = 30
    #: brute_force: median size of these sessions, sent by the client, at most [bytes].
    brute_bytes: int = 12_000
    #: exfiltration: bytes to one outside peer; from four times as many on the severity is ``high`` [bytes].
    exfil_bytes: int = 500_000_000
    #: exfiltration: how many times what came back, at least [times].
    exfil_ratio: float = 5.0
    #: exfiltration: how many times the source's median session, at least [times].
    exfil_typical: float = 100.0
    #: exfiltration: outside prefixes that may get much, such as those of your backups.
    exfil_known: Sequence[str] = ()
    #: exfiltration: AWS's ip-ranges.json, by which uploads to S3 are known where the log does not name services;
    #: without it the list that comes with vpcflow, whose day is in the evidence.
    aws_ranges: str = ""
    #: flood: sources that one port left without answer in a minute (public playbooks: 500) [sources a minute].
    flood_sources: int = 500
    #: flood: packets that one host got without answer in a minute [packets a minute].
    flood_packets: int = 1_000_000
    #: known_bad: addresses and prefixes; or a file: one at the beginning of each line (``#`` comments), MISP's CSV, a
    #: STIX 2 bundle.
    bad: Sequence[str] | str = ()
    #: lateral_movement: inside hosts tried at services by which one gets into another [hosts].
    lateral_hosts: int = 10
    #: lateral_movement: share of these tries that got no answer, at least [share].
    lateral_failed: float = 0.3
    #: new_country: a MaxMind DB file of countries, or of autonomous systems: then new networks are found (needs
    #: ``maxminddb``).
    geo: str = ""
    #: new_destination, new_port, new_protocol: how likely, by a host's past, a session with something new may be at
    #: most (Good and Turing): 0.01 takes a hundred sessions in which nothing came only once [chance].
    new_chance: float = 0.01
    #: port_scan: different ports of one host that did not answer (Zeek's scan.zeek: 15) [ports].
    scan_ports: int = 25
    #: port_scan: hosts that did not answer at one port (Zeek's scan.zeek: 25) [hosts].
    scan_hosts: int = 25
    #: port_scan: share of a source's tries at its target that got no answer, at least [share].
    scan_failed: float = 0.5
    #: port_scan: report few or slow tries of outside hosts, too (those of inside hosts always are): mostly what every
    #: address of the internet gets all day.
    walk_outside: bool = False
    #: tunnel: bytes to one outside peer over DNS or NTP [bytes].
    tunnel_bytes: int = 10_000_000
    #: tunnel: bytes to one outside peer over ICMP in packets of 200 bytes and more [bytes].
    tunnel_icmp: int = 1_000_000
    #: unauthorised_access: outside prefixes from which administration is fine.
    admin_sources: Sequence[str] = ()
    #: unauthorised_access: tries of one source at one service that all got no answer [tries].
    access_tries: int = 30
