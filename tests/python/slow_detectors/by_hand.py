"""Detectors as loops over sessions: what they share, and those of what inside hosts do with outside ones."""

from __future__ import annotations

import collections
import dataclasses
import functools
import ipaddress
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Optional

from vpcflow.findings import Finding
from vpcflow.findings.membership import membership
from vpcflow.labels import ip_ranges
from vpcflow.query import scan
from vpcflow.query.expr import first as first_of

from .base import DATABASE_PORTS, T, bundled_s3, checked, counted, groups, is_in, listed, listing, service_of
from .baseline import BaselineDetectors

HOUR, DAY = 3600, 86400
STORE_PORTS = (6379, 9200, 9042, 11211, 5984, 2379)
FILE_PORTS = (21, 22, 139, 445, 873, 2049)
STORES = (*DATABASE_PORTS, *STORE_PORTS, *FILE_PORTS)
Service = tuple[str, Optional[int], Optional[int]]


@dataclasses.dataclass
class Row:
    """A session."""

    client: str
    server: str
    port: int | None
    protocol: int | None
    start: int
    end: int
    sent: int
    received: int
    packets: int
    answers: int
    client_port: int | None
    began: bool
    failed: bool
    answered: bool
    open: bool
    one_sided: bool

    @property
    def service(self) -> Service:
        return self.server, self.port, self.protocol

    def swapped(self) -> Row:
        return dataclasses.replace(
            self, client=self.server, server=self.client, port=self.client_port, client_port=self.port,
            sent=self.received, received=self.sent, packets=self.answers, answers=self.packets,
        )  # fmt: skip


def row_of(r: dict[str, Any]) -> Row:
    synced = bool((r["server_flags"] or 0) & 2)
    lost = r["state"] in ("rejected", "unanswered")
    refused = r["state"] == "reset" and r["answered"] is False and not synced
    return Row(
        r["client"], r["server"], r["server_port"], r["protocol"], r["start"], r["start"] if r["end"] is None else r["end"],
        r["client_bytes"], r["server_bytes"], r["client_packets"], r["server_packets"], r["client_port"], r["began"],
        failed=r["began"] and r["client_packets"] > 0 and (lost or refused),
        answered=r["answered"] is True,
        open=r["answered"] is True or (synced and r["state"] in ("established", "reset")),
        one_sided=r["began"] and (lost or (r["state"] == "one-way" and r["answered"] is False)),
    )  # fmt: skip


def busiest(rows: Sequence[T], start: Callable[[T], int], seconds: int, weight: Callable[[T], int]) -> list[T]:
    """The rows, in the order of time, that start within some seconds and weigh most; the first of equal ones."""
    best: list[T] = []
    most = 0
    for last in range(len(rows)):
        first = next(i for i in range(last + 1) if start(rows[last]) - start(rows[i]) < seconds)
        weighed = sum(weight(row) for row in rows[first : last + 1])
        if weighed > most:
            most, best = weighed, list(rows[first : last + 1])
    return best


def rank(values: Sequence[int], share: float) -> int:
    """The value that at least that share do not exceed."""
    ordered = sorted(values)
    return ordered[max(1, -(-int(share * 100) * len(ordered) // 100)) - 1]


def regularity(starts: Sequence[int]) -> tuple[float, float]:
    """The median time between starts, and the median deviation from it, by it."""
    ordered = sorted(starts)
    gaps = [b - a for a, b in zip(ordered, ordered[1:])]
    period = float(statistics.median(gaps))
    deviation = max(0.0, statistics.median(abs(gap - period) for gap in gaps) - 0.5)
    return period, deviation / period if period > 0 else deviation


def service_text(row: Row) -> str:
    return service_of(row.port, row.protocol)


def span_of(rows: Iterable[Row]) -> dict[str, int]:
    all_rows = list(rows)
    return {"first": min(row.start for row in all_rows), "last": max(row.end for row in all_rows)}


def score_of(threshold: float, n: float) -> float:
    return 1 - 0.5 * threshold / max(n, threshold) if n > 0 else 0.5


class HandDetectors(BaselineDetectors):
    """Detectors of what inside hosts do with outside ones."""

    _ranges_of: dict[str, str]

    @functools.cached_property
    def _rows(self) -> list[Row]:
        return [row_of(row) for row in self._talks]

    @functools.cached_property
    def _by_client(self) -> dict[str, list[Row]]:
        return groups(sorted(self._rows, key=lambda row: row.start), lambda row: row.client)

    def _in(self, address: str) -> bool:
        return self._is_inside(address)

    @functools.cached_property
    def _clients(self) -> dict[Service, tuple[int, int]]:
        """Of services inside how many outside hosts, and how many inside ones, they answered."""
        answered = [row for row in self._rows if row.answered and self._in(row.server)]
        out = {}
        for service, rows in groups(answered, lambda row: row.service).items():
            own = {row.client for row in rows}
            out[service] = sum(map(self._is_outside, own)), sum(map(self._in, own))
        return out

    def _is_open(self, service: Service) -> bool:
        return self._clients.get(service, (0, 0))[0] >= self._settings.open_strangers

    @functools.cached_property
    def _fetched(self) -> list[Row]:
        """What outside hosts fetched at services that are neither the web's nor everybody's."""
        return [
            row for row in self._rows
            if self._is_outside(row.client) and self._in(row.server) and row.received > 0
            and row.port not in (80, 443) and not self._is_open(row.service)
        ]  # fmt: skip

    def _aws_services(self, addresses: set[str]) -> dict[str, str]:
        """The AWS service of addresses, where the log tells, or AWS's list if it is given; else S3 by the list that
        comes with vpcflow."""
        services: dict[str, str] = {}
        self._ranges_of: dict[str, str] = {}
        told = self._flows is not None and any("${pkt-dst-aws-service}" in f for f in self._flows.formats)
        if not told and not self._settings.aws_ranges:
            s3, day = bundled_s3()
            self._ranges_of = {"aws_ranges_of": day}
            return {a: "S3" for a in addresses if any(ipaddress.ip_address(a) in prefix for prefix in s3)}
        if addresses and self._settings.aws_ranges:
            log = "dstaddr\n" + "\n".join(sorted(addresses)) + "\n"
            named = scan(log.encode()).label("service", "dstaddr", ip_ranges(self._settings.aws_ranges))
            services |= {row["dstaddr"]: row["service"] for row in named.filter("service is not null").collect()}
        if addresses and self._flows is not None and any("${pkt-dst-aws-service}" in f for f in self._flows.formats):
            flows, to_peers = membership(self._flows, "one_of_the_peers", "dstaddr", addresses)
            rows = flows.filter(to_peers).group_by("dstaddr").agg(s=first_of("pkt-dst-aws-service"))
            services |= {row["dstaddr"]: row["s"] for row in rows.collect() if row["s"]}
        return services

    # -- the detectors

    def beacon(self) -> Iterator[Finding]:
        s = self._settings
        outwards = [row for row in self._rows if self._in(row.client) and self._is_outside(row.server)]
        callers = collections.Counter(
            key[1:] for key, rows in groups(outwards, lambda r: (r.client, *r.service)).items() if len(rows) >= 4
        )
        common: dict[Service, list[dict[str, Any]]] = {}
        for (client, *service), rows in groups(outwards, lambda r: (r.client, *r.service)).items():
            n = max(callers[tuple(service)], 1)
            if calls := self._regular(rows):
                calls |= {"client": client, "row": rows[0], "callers": n}
                time_client = service[1:] == [123, 17] and calls["bytes"][1] <= 400
                if n >= s.common_callers or time_client:
                    common.setdefault(tuple(service), []).append(calls)
                else:
                    yield self._calls(calls, "medium", self._call_text(calls))
            elif n < s.common_callers:
                yield from self._calls_in_vain(rows, n)
        for all_calls in common.values():
            most = min(all_calls, key=lambda c: (-c["sessions"], c["client"]))
            text = f"{self._call_text(most)}, as {len(all_calls):,} of {most['callers']:,} callers do"
            yield self._calls(most, "low", text, {"regular_callers": len(all_calls)})

    def _regular(self, rows: list[Row]) -> dict[str, Any] | None:
        s = self._settings
        least = max(s.beacon_sessions, 2)
        calls = [row for row in rows if not row.failed]
        if len(calls) < least:
            return None
        low, high = (rank([row.sent for row in calls], q) for q in (0.25, 0.75))
        if high - low > 0.2 * max(high, 1):
            return None
        starts = [row.start for row in calls]
        period, jitter = regularity(starts)
        if period < 1 or (period < 30 and len(calls) < 100):
            return None
        if jitter > s.beacon_jitter or (jitter > 0.1 and len(calls) < 4 * least):
            return None
        if period * len(calls) < 0.3 * (max(starts) - min(starts)):
            return None
        return {"sessions": len(calls), "period": period, "jitter": jitter, "bytes": [low, high], **span_of(calls)}

    def _call_text(self, calls: dict[str, Any]) -> str:
        row = calls["row"]
        return f"{row.client} called {row.server} {service_text(row)} {counted(calls['sessions'], 'time')}, every {calls['period']:,.0f} s"

    def _calls(self, calls: dict[str, Any], severity: str, text: str, more: dict[str, Any] | None = None) -> Finding:
        s, row = self._settings, calls["row"]
        of_jitter = calls["jitter"] / s.beacon_jitter if s.beacon_jitter > 0 else 0
        evidence = {
            "sessions": calls["sessions"], "period": calls["period"], "jitter": round(calls["jitter"], 4),
            "dstport": row.port, "protocol": row.protocol, "bytes": calls["bytes"], "callers": calls["callers"],
            **(more or {}),
        }  # fmt: skip
        score = 1 - 0.5 * (of_jitter + s.beacon_sessions / calls["sessions"]) / 2
        return self._finding("beacon", severity, {**calls, "srcaddr": row.client}, [row.server], score, "T1071", evidence, text)

    def _calls_in_vain(self, rows: list[Row], callers: int) -> Iterator[Finding]:
        if any(row.open or row.answered for row in rows):
            return
        failed = sorted((row for row in rows if row.failed), key=lambda row: row.start)
        worst = busiest(failed, lambda row: row.start, DAY, lambda row: 1)
        if len(worst) < max(self._settings.beacon_failed, 1):
            return
        row = rows[0]
        evidence = {"failed": len(worst), "dstport": row.port, "protocol": row.protocol, "callers": callers}
        text = f"{row.client} called {row.server} {service_text(row)} {counted(len(worst), 'time')} in vain"
        score = score_of(self._settings.beacon_failed, len(worst))
        span = {"srcaddr": row.client, **span_of(worst)}
        yield self._finding("beacon", "medium", span, [row.server], score, "T1071", evidence, text)

    def known_bad(self) -> Iterator[Finding]:
        bad = checked(self._settings.bad)
        for (client, server), rows in groups(self._rows, lambda row: (row.client, row.server)).items():
            talks = [row for row in rows if row.answered]
            for actor, verb, other in ((client, "talked to", server), (server, "was reached by", client)):
                if not talks or not is_in(other, bad):
                    continue
                words, services = listing((row.port, row.protocol) for row in talks)
                sent, received = sum(row.sent for row in talks), sum(row.received for row in talks)
                evidence = {
                    "srcaddr": client, "dstaddr": server, "sessions": len(talks), "bytes": sent, "received": received,
                    **services,
                }  # fmt: skip
                text = f"{actor} {verb} {other}, which is listed, at {words}, {counted(len(talks), 'time')}"
                targets = [server] if actor == client != server else []
                span = {"srcaddr": actor, **span_of(talks)}
                yield self._finding("known_bad", "high", span, targets, score_of(1, len(talks)), "T1071", evidence, text)

    def long_session(self) -> Iterator[Finding]:
        s = self._settings
        outwards = [row for row in self._rows if self._in(row.client) and self._is_outside(row.server)]
        lasting = {(row.server, row.client) for row in outwards if row.end - row.start >= 1800}
        callers_of = collections.Counter(server for server, _ in lasting)
        for (client, server, port, protocol), rows in groups(outwards, lambda r: (r.client, *r.service)).items():
            callers = max(callers_of[server], 1)
            few = bool(port) and port not in (80, 443, 8080, 8443) and callers <= 20
            row = max(rows, key=lambda r: (r.end - r.start, r.sent, r.received, -r.start))
            seconds = row.end - row.start
            if (callers >= s.common_callers and not few) or seconds < max(s.long_seconds, 1):
                continue
            if not row.answered or not row.began or max(row.sent, row.received) > s.long_bytes:
                continue
            evidence = {
                "seconds": seconds, "dstport": port, "protocol": protocol, "bytes": row.sent, "received": row.received,
                "callers": callers,
            }  # fmt: skip
            text = f"{client} kept a session with {server} {service_text(row)} for {seconds / 3600:,.1f} hours, "
            text += f"{row.sent:,} bytes sent, {row.received:,} received"
            span = {"srcaddr": client, **span_of([row])}
            score = score_of(max(s.long_seconds, 1), seconds)
            yield self._finding("long_session", "medium", span, [server], score, "T1095", evidence, text)

    def tunnel(self) -> Iterator[Finding]:
        s = self._settings
        leaving = [row for row in self._rows if self._in(row.client) and self._is_outside(row.server)]
        leaving += [(row.swapped() if self._in(row.server) else row) for row in self._fetched]
        at_service = [row.port for row in leaving]  # of what was fetched, the port of the other end
        at_service[len(leaving) - len(self._fetched) :] = [row.port for row in self._fetched]
        for name, limit, size, is_one in (
            ("DNS", s.tunnel_bytes, 120, lambda port, protocol: port == 53 and protocol in (6, 17)),
            ("NTP", s.tunnel_bytes, 120, lambda port, protocol: port == 123 and protocol == 17),
            ("ICMP", s.tunnel_icmp, 200, lambda port, protocol: protocol in (1, 58)),
        ):
            own = [row for row, port in zip(leaving, at_service) if is_one(port, row.protocol)]
            for (source, peer), rows in groups(own, lambda row: (row.client, row.server)).items():
                rows.sort(key=lambda row: (row.start, row.sent, row.received, row.end))
                day = busiest(rows, lambda row: row.start, DAY, lambda row: row.sent)
                sent, packets = sum(row.sent for row in day), sum(row.packets for row in day)
                mean = sent / packets if packets else 0
                if sent == 0 or sent < limit or mean < size:
                    continue
                back = sum(row.received for row in day)
                evidence = {
                    "srcaddr": source, "dstaddr": peer, "bytes": sent, "received": back, "packets": packets, "size": mean,
                }  # fmt: skip
                text = f"{source} sent {sent:,} bytes of {name} in packets of {mean:,.0f} bytes to {peer}, which sent {back:,}"
                span = {"srcaddr": source, **span_of(day)}
                yield self._finding("tunnel", "medium", span, [peer], score_of(limit, sent), "T1572", evidence, text)

    def exfiltration(self) -> Iterator[Finding]:
        s = self._settings
        known = (listed(s.exfil_known) and s.exfil_known) or ()
        transfers = [(r.client, r.server, r.start, r.end, r.sent, r.received, False, r.port, r.protocol) for r in self._rows
                     if self._in(r.client) and self._is_outside(r.server)]  # fmt: skip
        transfers += [(r.server, r.client, r.start, r.end, r.received, r.sent, True, r.port, r.protocol) for r in self._fetched]
        transfers = [t for t in transfers if not is_in(t[1], known)]
        least = min(s.exfil_small, s.exfil_bytes // 10)
        uploads = []
        senders: collections.Counter[str] = collections.Counter()
        for (source, peer), own in groups(transfers, lambda t: (t[0], t[1])).items():
            total = sum(t[4] for t in own)
            senders[peer] += total * 100 >= s.exfil_small
            own.sort(key=lambda t: (t[2], t[4], t[5], t[3]))
            day = busiest(own, lambda t: t[2], DAY, lambda t: t[4])
            sent = sum(t[4] for t in day)
            if total < least or sent < least:
                continue
            by_day: collections.Counter[int] = collections.Counter()
            for t in own:
                by_day[t[2] // DAY] += t[4]
            largest = max(day, key=lambda t: (t[4], *(1 << 31 if n is None else -n for n in t[7:])))
            uploads.append({
                "srcaddr": source, "peer": peer, "sent": sent, "received": sum(t[5] for t in day), "sessions": len(day),
                "asked_for": sum(t[6] for t in day), "first": min(t[2] for t in day), "last": max(t[3] for t in day),
                "port": largest[7], "protocol": largest[8], "days": sum(2 * n >= sent for n in by_day.values()),
            })  # fmt: skip
        uploaders = collections.Counter(u["peer"] for u in uploads if u["sent"] * 10 >= s.exfil_bytes)

        def hides(u: dict[str, Any]) -> bool:
            few = max(senders[u["peer"]], 1) < s.common_callers and u["sent"] >= 20 * u["received"]
            return few and (u["sessions"] >= 20 or u["port"] not in (80, 443)) and u["sent"] >= s.exfil_small

        uploads = [u for u in uploads if u["sent"] >= s.exfil_bytes or hides(u)]
        peers = {u["peer"] for u in uploads}
        services = self._aws_services(peers)
        for u in uploads:
            others = [r.sent for r in self._rows if r.client == u["srcaddr"] and self._is_outside(r.server)
                      and not is_in(r.server, known) and r.server not in peers]  # fmt: skip
            typical = rank(others, 0.5) if others else 0
            if u["sent"] >= s.exfil_ratio * u["received"] and u["sent"] >= s.exfil_typical * typical:
                yield self._upload(u, typical, max(uploaders[u["peer"]], 1), services.get(u["peer"]))

    @functools.cached_property
    def _to_s3(self) -> dict[str, list[Row]]:
        """By inside host what it sends to S3; peers that get little are not looked at."""
        s3, _ = bundled_s3()
        out: dict[str, list[Row]] = {}
        outwards = [row for row in self._rows if self._in(row.client) and self._is_outside(row.server)]
        for (client, server), rows in groups(outwards, lambda row: (row.client, row.server)).items():
            if sum(row.sent for row in rows) >= 100_000 and any(ipaddress.ip_address(server) in prefix for prefix in s3):
                out.setdefault(client, []).extend(rows)
        return out

    def _s3_senders(self, sent: int) -> int:
        """How many inside hosts send S3 a tenth as much a day."""
        starts = [row.start for row in self._rows if self._in(row.client)]
        days = (max(starts) - min(starts)) // DAY + 1
        hosts = {row.client for row in self._rows} | {row.server for row in self._rows}
        totals = [sum(row.sent for row in self._to_s3.get(host, [])) for host in hosts]
        return sum(total >= sent * days // 10 for total in totals)

    def _is_strange(self, u: dict[str, Any]) -> bool:
        s, source = self._settings, u["srcaddr"]
        ports = (set(DATABASE_PORTS) | set(STORE_PORTS) | set(FILE_PORTS)) - {22}
        store = any(self._clients.get((source, port, 6), (0, 0))[1] >= 5 for port in ports)
        before = sum(row.sent for row in self._to_s3.get(source, []) if row.start < u["first"])
        seen = min([u["first"], *(row.start for row in self._rows if row.client == source)])
        s3, _ = bundled_s3()
        past = [] if self._baseline is None else self._past
        usual = [e["n"] for e in past if e["srcaddr"] == source and any(ipaddress.ip_address(e["dstaddr"]) in p for p in s3)]
        few = self._s3_senders(u["sent"]) < s.common_callers
        first = sum(usual) <= 2 * u["sessions"] and seen + HOUR <= u["first"] and before * 10 < u["sent"]
        return u["sent"] >= s.exfil_bytes and few and not store and first

    def collection(self) -> Iterator[Finding]:
        s = self._settings
        past = [] if self._baseline is None else self._past
        known: collections.Counter[tuple[str, str]] = collections.Counter()
        for edge in past:
            known[edge["srcaddr"], edge["dstaddr"]] += edge["n"]
        habits: dict[str, collections.Counter[str]] = {}
        for edge in past:
            if edge["dstport"] in STORES and self._in(edge["srcaddr"]) and self._in(edge["dstaddr"]):
                habits.setdefault(edge["srcaddr"], collections.Counter())[edge["dstaddr"]] += edge["n"]

        def surprises(client: str, store: str) -> bool:
            own = habits.get(client, collections.Counter())
            chance = (sum(n == 1 for n in own.values()) + 1) / (sum(own.values()) + 1)
            return bool(own) and store not in own and chance <= s.new_chance

        reads: dict[str, list[tuple[str, list[Row], list[Row]]]] = {}
        pairs = groups([r for r in self._rows if self._in(r.client) and self._in(r.server)], lambda r: (r.client, r.server))
        for (client, store), rows in pairs.items():
            if client == store:
                continue
            surprising = any(row.port in STORES for row in rows) and surprises(client, store)
            own = [row for row in rows if row.answered and row.port in STORES]
            own.sort(key=lambda row: (row.start, row.received, row.sent, row.end))
            day = busiest(own, lambda row: row.start, DAY, lambda row: row.received)
            received = sum(row.received for row in day)
            least = s.collection_bytes // 100 if surprising else s.collection_bytes
            if day and known[client, store] <= 2 * len(day) and received >= max(least, 1) and received >= 5 * sum(row.sent for row in day):
                reads.setdefault(client, []).append((store, own, day))
        chosen = {}
        for client, parts in reads.items():
            parts.sort(key=lambda part: part[2][0].start)
            busy = busiest(parts, lambda part: part[2][0].start, DAY, lambda part: 1)
            if busy and len(busy) >= s.collection_stores:
                chosen[client] = busy
        collectors = collections.Counter(store for parts in chosen.values() for store, _, _ in parts)
        for client, parts in chosen.items():
            yield self._collected(client, parts, rank([collectors[store] for store, _, _ in parts], 0.5))

    def _collected(self, client: str, parts: list[tuple[str, list[Row], list[Row]]], like: int) -> Finding:
        s = self._settings
        rows = [row for _, _, day in parts for row in day]
        received, sent = sum(row.received for row in rows), sum(row.sent for row in rows)
        by_day: collections.Counter[int] = collections.Counter()
        for row in (row for _, own, _ in parts for row in own):
            by_day[row.start // DAY] += row.received
        days = sum(2 * n >= received for n in by_day.values())
        words, services = listing((row.port, row.protocol) for row in rows)
        evidence = {
            "stores": len(parts), "received": received, "sent": sent, "sessions": len(rows), "collectors": like, "days": days,
            **services,
        }  # fmt: skip
        text = f"{client} read {received / 1e6:,.1f} MB of {counted(len(parts), 'inside store')} at {words} within a day, in "
        text += f"{counted(len(rows), 'session')}, and sent them {sent / 1e6:,.1f} MB"
        text += f"; {like} inside hosts do the like" if like > 1 else ""
        text += f"; likewise on {days} days" if days >= 4 else ""
        severity = "low" if days >= 4 or like >= s.common_callers else "high" if received >= 100 * s.collection_bytes else "medium"
        counts = {store: len(day) for store, _, day in parts}
        targets = sorted(counts, key=lambda store: (-counts[store], store))[:20]
        span, score = {"srcaddr": client, **span_of(rows)}, score_of(s.collection_bytes, received)
        return self._finding("collection", severity, span, targets, score, "T1074", evidence, text)

    def _upload(self, u: dict[str, Any], typical: int, uploaders: int, service: str | None) -> Finding:
        s = self._settings
        small = u["sent"] < s.exfil_bytes
        much, unit, name = (s.exfil_small, 1e6, "MB") if small else (s.exfil_bytes, 1e9, "GB")
        evidence = {k: u[k] for k in ("sent", "received", "sessions")} | {
            "typical_session": typical, "dstport": u["port"], "protocol": u["protocol"], "uploaders": uploaders, "days": u["days"],
        }  # fmt: skip
        text = f"{u['srcaddr']} sent {u['sent'] / unit:,.1f} {name} to {u['peer']}, which sent {u['received'] / unit:,.2f} {name}"
        port = service_of(u["port"], u["protocol"])
        asked_for = u["asked_for"] == u["sessions"]
        text += f" and asked for it at {port}" if asked_for else ""
        s3 = service == "S3"
        usual = uploaders >= s.common_callers or u["days"] >= 4
        strange = s3 and not usual and self._is_strange(u)
        if service:
            evidence |= {"aws_service": service, **self._ranges_of}
            evidence |= {"s3_senders": self._s3_senders(u["sent"])} if s3 else {}
            text += f", an address of AWS's {service}"
        text += f", in {counted(u['sessions'], 'session')}"
        text += "" if asked_for else f", most at {port}"
        text += f"; {uploaders:,} inside hosts send it much" if uploaders > 1 else ""
        text += "; before it sent S3 next to nothing, and hardly another host sends as much" if strange else ""
        text += f"; likewise on {u['days']} days" if u["days"] >= 4 else ""
        plain = "high" if not s3 and not small and u["sent"] >= 4 * much else "medium"
        severity = "low" if usual or (s3 and not strange) else plain
        return self._finding("exfiltration", severity, u, [u["peer"]], score_of(much, u["sent"]), "T1048", evidence, text)
