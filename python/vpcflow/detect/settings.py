"""The settings of the detectors. Made of their rows by tools/generate_docs.py; do not edit."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TypedDict


class DetectorSettings(TypedDict, total=False):
    """The settings of :func:`vpcflow.detect` for type checkers, all optional; sizes may be texts, as
    ``"500MB"``; meanings and defaults: :class:`Settings`."""

    inside: Sequence[str]
    idle: str | int
    found_failed: int
    open_strangers: int
    beacon_sessions: int
    beacon_jitter: float
    beacon_failed: int
    common_callers: int
    brute_sessions: int
    brute_seconds: int
    brute_bytes: int | str
    brute_sources: int
    collection_bytes: int | str
    collection_stores: int
    new_chance: float
    exfil_bytes: int | str
    exfil_small: int | str
    exfil_ratio: float
    exfil_typical: float
    exfil_known: Sequence[str]
    aws_ranges: str
    flood_sources: int
    flood_packets: int
    flood_reflectors: int
    flood_slow: int
    bad: Sequence[str] | str
    lateral_hosts: int
    lateral_failed: float
    lateral_seconds: int
    long_seconds: int
    long_bytes: int | str
    geo: str
    scan_ports: int
    scan_hosts: int
    scan_seconds: int
    scan_failed: float
    walk_outside: bool
    tunnel_bytes: int | str
    tunnel_icmp: int | str
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
    #: accepted_after_reject, brute_force, exfiltration, tunnel, unauthorised_access: outside hosts that a service
    #: answered, from which on it is open to everybody [hosts].
    open_strangers: int = 10
    #: beacon: sessions with one outside service; four times as many where the time between them varies by more than 0.1
    #: [sessions].
    beacon_sessions: int = 6
    #: beacon: how much the time between them may vary: median deviation by median, at most; 0.25 to 0.3 where each
    #: delay is drawn from within 50 % of the period, 0.7 for calls at any time [share].
    beacon_jitter: float = 0.45
    #: beacon: calls of one outside service within a day that all failed [sessions].
    beacon_failed: int = 100
    #: beacon, collection, exfiltration, long_session: inside hosts that do the same with one outside host (call it as
    #: often, send it much, keep sessions), from which on it is common: agents, time servers, updates, backups [hosts].
    common_callers: int = 3
    #: brute_force: sessions of one client at one service within brute_seconds (Zeek: 30 failed logins in 30 minutes);
    #: from twice as many on the severity is ``high`` [sessions].
    brute_sessions: int = 30
    #: brute_force: time within which they are counted [seconds].
    brute_seconds: int = 1_800
    #: brute_force: median size of these sessions, sent by the client, at most [bytes].
    brute_bytes: int = 12_000
    #: brute_force: clients of one service, or services at one port that a client asks, with a few short sessions each:
    #: guesses shared out, and passwords tried on many hosts [hosts].
    brute_sources: int = 10
    #: collection: bytes that an inside host reads from one inside store within a day; a hundredth of it of a store that
    #: it never read before by its baseline; from 100 times as many of all stores together on the severity is ``high``
    #: [bytes].
    collection_bytes: int = 100_000_000
    #: collection: stores of which it reads so much within a day [hosts].
    collection_stores: int = 3
    #: collection, new_destination, new_port, new_protocol: how likely, by a host's past, a session with something new
    #: may be at most (Good and Turing): 0.01 takes a hundred sessions in which nothing came only once [chance].
    new_chance: float = 0.01
    #: exfiltration: bytes to one outside peer within a day; from four times as many on the severity is ``high``
    #: [bytes].
    exfil_bytes: int = 500_000_000
    #: exfiltration: bytes within a day to an outside peer to which fewer than common_callers inside hosts send a
    #: hundredth of it, in 20 sessions or more or at no port of the web, and 20 times what came back [bytes].
    exfil_small: int = 50_000_000
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
    #: flood: servers of one UDP port that answer a host in a minute without having been asked [sources a minute].
    flood_reflectors: int = 100
    #: flood: sessions of one outside host with one service that begin within ten minutes, last five and say next to
    #: nothing [sessions].
    flood_slow: int = 300
    #: known_bad: addresses and prefixes; or a file: one at the beginning of each line (``#`` comments), MISP's CSV, a
    #: STIX 2 bundle.
    bad: Sequence[str] | str = ()
    #: lateral_movement: inside hosts tried within a day, or reached within lateral_seconds, at services by which one
    #: gets into another [hosts].
    lateral_hosts: int = 10
    #: lateral_movement: share of the hosts tried that gave no answer, at least [share].
    lateral_failed: float = 0.3
    #: lateral_movement: time within which so many hosts are reached for the first time [seconds].
    lateral_seconds: int = 7_200
    #: long_session: how long a session goes on, at least [seconds].
    long_seconds: int = 21_600
    #: long_session: bytes that go either way in it, at most: more is work, and told by its volume [bytes].
    long_bytes: int = 50_000_000
    #: new_country: a MaxMind DB file of countries, or of autonomous systems: then new networks are found (needs
    #: ``maxminddb``).
    geo: str = ""
    #: port_scan: different ports of one host within scan_seconds that did not answer (Zeek's scan.zeek: 15 within 5
    #: minutes) [ports].
    scan_ports: int = 25
    #: port_scan: hosts within scan_seconds that did not answer at one port (Zeek's scan.zeek: 25 within 5 minutes)
    #: [hosts].
    scan_hosts: int = 25
    #: port_scan: time within which they are counted [seconds].
    scan_seconds: int = 3_600
    #: port_scan: share of a source's tries at its target that got no answer, at least [share].
    scan_failed: float = 0.5
    #: port_scan: report few or slow tries of outside hosts, too (those of inside hosts always are): mostly what every
    #: address of the internet gets all day.
    walk_outside: bool = False
    #: tunnel: bytes to one outside peer within a day over DNS or NTP in packets of 120 bytes and more, which queries
    #: are not [bytes].
    tunnel_bytes: int = 1_000_000
    #: tunnel: bytes to one outside peer within a day over ICMP in packets of 200 bytes and more [bytes].
    tunnel_icmp: int = 1_000_000
    #: unauthorised_access: outside prefixes from which administration is fine.
    admin_sources: Sequence[str] = ()
    #: unauthorised_access: tries of one source at one service within a day that all got no answer [tries].
    access_tries: int = 30
