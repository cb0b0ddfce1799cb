"""Detectors of what is new: they compare with a baseline of the past, :func:`vpcflow.detection.baseline`."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from typing import Any

from vpcflow.expr import count
from vpcflow.expr import max as max_of
from vpcflow.expr import min as min_of
from vpcflow.findings import Finding
from vpcflow.labels import Labels, mmdb
from vpcflow.scan import scan

from .base import LATERAL_PORTS, TALKED, Detectors, day_of

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
        edges = self._sent.filter(f"{where} and {TALKED}").group_by(*names).agg(
            sessions=count(), first=min_of("start"), last=max_of("end")
        )
        (found,) = self._ask(edges)
        past = scan(self._baseline.collect()).filter(where).select(*names).collect()
        known = set(zip(*(past[name] for name in names)))
        fresh: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for row in found:
            if tuple(row[name] for name in names) not in known:
                fresh.setdefault((row["srcaddr"], row["dstport"]), []).append(row)
        for (actor, port), rows in fresh.items():
            span, targets, evidence = _together(actor, rows)
            evidence |= {"dstport": port}
            text = f"{actor} reached port {port} of {len(rows):,} inside hosts for the first time"
            score = 1 - 0.5 / len(rows)
            yield self._finding("new_admin_edge", "medium", span, targets, score, "T1021", evidence, text)

    def new_port(self) -> Iterator[Finding]:
        """An inside host that uses a port of outside hosts for the first time; hosts without any past are left out."""
        if self._baseline is None:
            return
        where = f"{self._from_inside} and not {self._to_inside} and dstport < {DYNAMIC_PORTS}"
        used = self._sent.filter(f"{where} and {TALKED}").group_by("srcaddr", "dstport", "dstaddr").agg(
            sessions=count(), first=min_of("start"), last=max_of("end")
        )
        (found,) = self._ask(used)
        past = scan(self._baseline.collect()).filter(where).select("srcaddr", "dstport").collect()
        known = set(zip(past["srcaddr"], past["dstport"]))
        hosts = {host for host, _ in known}
        fresh: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for row in found:
            if row["srcaddr"] in hosts and (row["srcaddr"], row["dstport"]) not in known:
                fresh.setdefault((row["srcaddr"], row["dstport"]), []).append(row)
        for (actor, port), rows in fresh.items():
            span, targets, evidence = _together(actor, rows)
            evidence |= {"dstport": port}
            text = f"{actor} used port {port} of outside hosts ({targets[0]}) for the first time"
            score = 1 - 0.5 / evidence["hosts"]
            yield self._finding("new_port", "low", span, targets, score, "T1571", evidence, text)

    def new_country(self) -> Iterator[Finding]:
        """Inside hosts that talk to a country that none of yours has talked to; needs `geo`."""
        if self._baseline is None or not self._settings.geo:
            return
        countries = self._countries
        where = f"{self._from_inside} and not {self._to_inside}"
        talks = self._sent.filter(f"{where} and {TALKED}").label("country", "dstaddr", countries)
        by = talks.filter("country is not null").group_by("srcaddr", "country", "dstaddr").agg(
            sessions=count(), first=min_of("start"), last=max_of("end")
        )
        (found,) = self._ask(by)
        past = scan(self._baseline.collect()).filter(where).label("country", "dstaddr", countries)
        known = set(past.group_by("country").agg(n="count()").collect()["country"])
        fresh: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in found:
            if row["country"] not in known:
                fresh.setdefault((row["srcaddr"], row["country"]), []).append(row)
        for (actor, country), rows in fresh.items():
            span, targets, evidence = _together(actor, rows)
            evidence |= {"country": country, "geo_of": day_of(os.stat(self._settings.geo).st_mtime)}
            text = f"{actor} talked to {targets[0]} in {country}, where none of your hosts has talked to before"
            score = 1 - 0.5 / evidence["hosts"]
            yield self._finding("new_country", "medium", span, targets, score, "T1071", evidence, text)


def _together(actor: str, rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """Of rows by peer: the span, the first twenty peers by sessions, and the evidence."""
    rows.sort(key=lambda row: (-row["sessions"], row["dstaddr"]))
    span = {"srcaddr": actor, "first": min(r["first"] for r in rows), "last": max(r["last"] for r in rows)}
    evidence = {"hosts": len(rows), "sessions": sum(r["sessions"] for r in rows)}
    return span, [r["dstaddr"] for r in rows[:20]], evidence
