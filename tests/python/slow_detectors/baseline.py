"""Detectors of what is new: they compare with a baseline of the past, :func:`vpcflow.detect.baseline`."""

from __future__ import annotations

import functools
import ipaddress
import os
from collections.abc import Callable, Iterator
from typing import Any

from vpcflow.findings import Finding
from vpcflow.labels import Labels, mmdb
from vpcflow.query import scan
from vpcflow.query.expr import count
from vpcflow.query.expr import max as max_of
from vpcflow.query.expr import min as min_of

from .base import LATERAL_PORTS, TALKED, Detectors, bundled_s3, counted, day_of, listing, service_of

DYNAMIC_PORTS = 49152  # RFC 6335: from here on ports are of no service


class BaselineDetectors(Detectors):
    """Detectors of what is new."""

    @functools.cached_property
    def _countries(self) -> Labels:
        return mmdb(self._settings.geo)

    def new_admin_edge(self) -> Iterator[Finding]:
        if self._baseline is None:
            return
        where = f"{self._from_inside} and {self._to_inside} and dstport in ({', '.join(map(str, LATERAL_PORTS))})"
        names = ("srcaddr", "dstaddr", "dstport")
        edges = self._sent.filter(f"{where} and {TALKED}").group_by(*names, "protocol").agg(
            sessions=count(), first=min_of("start"), last=max_of("end")
        )
        (found,) = self._ask(edges)
        past = scan(self._baseline.collect(), allow_empty=True).filter(where).select(*names).collect()
        known = set(zip(*(past[name] for name in names)))
        fresh: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for row in found:
            if tuple(row[name] for name in names) not in known:
                fresh.setdefault((row["srcaddr"], row["dstport"]), []).append(row)
        for (actor, port), rows in fresh.items():
            span, targets, evidence = _together(actor, rows)
            evidence |= {"dstport": port}
            text = f"{actor} reached {_service(port, rows)} of {counted(evidence['hosts'], 'inside host')} for the first time"
            score = 1 - 0.5 / evidence["hosts"]
            yield self._finding("new_admin_edge", "medium", span, targets, score, "T1021", evidence, text)

    def _new(
        self, name: str, detector: str, technique: str, counts: Callable[[dict[str, Any]], bool],
        severity: Callable[[Any], str], text: str,
    ) -> Iterator[Finding]:  # fmt: skip
        """What inside hosts do for the first time in a field, though by their past that is hardly to be expected."""
        past: dict[str, dict[Any, int]] = {}
        for row in self._past:
            if self._is_inside(row["srcaddr"]) and row.get(name) is not None and counts(row):
                own = past.setdefault(row["srcaddr"], {})
                own[row[name]] = own.get(row[name], 0) + row["n"]
        talks = self._sent.filter(TALKED).group_by(*dict.fromkeys(("srcaddr", name, "dstaddr", "dstport", "protocol")))
        (found,) = self._ask(talks.agg(sessions=count(), first=min_of("start"), last=max_of("end")))
        fresh: dict[tuple[str, Any], list[dict[str, Any]]] = {}
        for row in found:
            if row[name] is not None and counts(row) and row[name] not in past.get(row["srcaddr"], {}):
                fresh.setdefault((row["srcaddr"], row[name]), []).append(row)
        for (actor, what), rows in fresh.items():
            own = past.get(actor, {})
            sessions, once = sum(own.values()), sum(n == 1 for n in own.values())
            chance = (once + 1) / (sessions + 1)
            if not own or chance > self._settings.new_chance:
                continue
            span, targets, evidence = _together(actor, rows)
            evidence |= {"past_sessions": sessions, "past_once": once}
            evidence |= {name: what} if name != "dstaddr" else {}
            shown = _service(what, rows) if name == "dstport" else what
            told = f"{actor} {text.format(shown, targets[0], _services(rows)[0])} for the first time in {counted(sessions, 'session')}"
            score = 1 - 0.5 * chance / self._settings.new_chance
            yield self._finding(detector, severity(what), span, targets, score, technique, evidence, told)

    @functools.cached_property
    def _past(self) -> list[dict[str, Any]]:
        rows = [] if self._baseline is None else self._baseline.collect().rows()
        for row in rows:  # without ports, which AWS writes as 0, nobody is known to have begun
            ends = row["srcaddr"], row["dstaddr"]
            if not row["dstport"] and self._is_inside(ends[1]) and not self._is_inside(ends[0]):
                row["dstaddr"], row["srcaddr"] = ends
        return rows

    def new_port(self) -> Iterator[Finding]:
        def counts(row: dict[str, Any]) -> bool:
            return bool(0 < row["dstport"] < DYNAMIC_PORTS) and not self._is_inside(row["dstaddr"])

        text = "used {} of outside hosts ({})"
        yield from self._new("dstport", "new_port", "T1571", counts, lambda port: "low", text)

    def new_protocol(self) -> Iterator[Finding]:
        def severity(protocol: int) -> str:
            return "low" if protocol in (1, 6, 17, 58) else "medium"

        yield from self._new("protocol", "new_protocol", "T1095", lambda row: True, severity, "used protocol {} ({})")

    def new_destination(self) -> Iterator[Finding]:
        """Those of S3 do not count."""
        s3, _ = bundled_s3()

        def counts(row: dict[str, Any]) -> bool:
            peer = ipaddress.ip_address(row["dstaddr"])
            return not self._is_inside(row["dstaddr"]) and not any(peer in prefix for prefix in s3)

        yield from self._new("dstaddr", "new_destination", "T1071", counts, lambda peer: "low", "talked to {1} at {2}")

    def new_country(self) -> Iterator[Finding]:
        """Inside hosts that talk to a country that none of yours has talked to; needs `geo`."""
        if self._baseline is None or not self._settings.geo:
            return
        countries = self._countries
        where = f"{self._from_inside} and not {self._to_inside}"
        talks = self._sent.filter(f"{where} and {TALKED}").label("country", "dstaddr", countries)
        by = talks.filter("country is not null").group_by("srcaddr", "country", "dstaddr", "dstport", "protocol").agg(
            sessions=count(), first=min_of("start"), last=max_of("end")
        )
        (found,) = self._ask(by)
        past = scan(self._baseline.collect(), allow_empty=True).filter(where).label("country", "dstaddr", countries)
        known = set(past.group_by("country").agg(n="count()").collect()["country"])
        fresh: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in found:
            if row["country"] not in known:
                fresh.setdefault((row["srcaddr"], row["country"]), []).append(row)
        for (actor, country), rows in fresh.items():
            span, targets, evidence = _together(actor, rows)
            evidence |= {"country": country, "geo_of": day_of(os.stat(self._settings.geo).st_mtime)}
            text = f"{actor} talked to {targets[0]} in {country} at {_services(rows)[0]}, where none of your hosts has talked to before"
            score = 1 - 0.5 / evidence["hosts"]
            yield self._finding("new_country", "medium", span, targets, score, "T1071", evidence, text)


def _together(actor: str, rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """Of rows by peer: the span, the first twenty peers by sessions, and the evidence."""
    sessions: dict[str, int] = {}
    for row in rows:
        sessions[row["dstaddr"]] = sessions.get(row["dstaddr"], 0) + row["sessions"]
    targets = sorted(sessions, key=lambda peer: (-sessions[peer], peer))
    span = {"srcaddr": actor, "first": min(r["first"] for r in rows), "last": max(r["last"] for r in rows)}
    evidence = {"hosts": len(sessions), "sessions": sum(sessions.values()), **_services(rows)[1]}
    return span, targets[:20], evidence


def _services(rows: list[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    return listing((row["dstport"], row["protocol"]) for row in rows)


def _service(port: int, rows: list[dict[str, Any]]) -> str:
    protocols = {row["protocol"] for row in rows}
    return service_of(port, protocols.pop() if len(protocols) == 1 else None)
