"""Detectors as loops over sessions: those of tries, guesses and visits."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator
from typing import Any

from vpcflow.findings import SEVERITIES, Finding

from .base import (
    ADMIN_PORTS,
    DATABASE_PORTS,
    LATERAL_PORTS,
    counted,
    is_in,
    listing,
    protocol_text,
    protocols_of,
    service_of,
)
from .by_hand import (
    DAY,
    HOUR,
    STORE_PORTS,
    HandDetectors,
    Row,
    busiest,
    groups,
    rank,
    regularity,
    score_of,
    service_text,
    span_of,
)

MAIL_PORTS = (110, 143, 465, 587, 993, 995, 2525)
ASKED_ALL_DAY = (25, 53, 80, 123, 443, 8080, 8443)


def start_of(row: Row) -> int:
    return row.start


def one(row: Row) -> int:
    return 1


def is_steady(rows: list[Row]) -> bool:
    return len(rows) >= 6 and regularity([row.start for row in rows])[1] <= 0.1


def most_of(counts: dict[str, int]) -> list[str]:
    return [host for host, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:20]]


class TryDetectors(HandDetectors):
    """Detectors of tries, guesses and visits."""

    # -- port scans

    def port_scan(self) -> Iterator[Finding]:
        s = self._settings
        for source, rows in self._by_client.items():
            if not any(row.failed for row in rows):
                continue
            found = [*self._vertical(source, rows), *self._horizontal(source, rows)]
            if sum(row.failed for row in rows) < min(s.scan_ports, s.scan_hosts):
                found = []
            if len(found) >= 4:
                found = [self._block(source, rows, found)]
            yield from found
            if not found and (s.walk_outside or self._in(source)):
                yield from self._walk(source, rows)
        yield from self._distributed()

    def _within(self, rows: list[Row], of: Any) -> tuple[int, int]:
        """How many different ones there are among failed tries, and how many of them within scan_seconds."""
        firsts = sorted(min(row.start for row in own) for own in groups([r for r in rows if r.failed], of).values())
        times = [Row("", "", None, None, t, t, 0, 0, 0, 0, None, True, True, False, False, False) for t in firsts]
        return len(firsts), len(busiest(times, start_of, max(self._settings.scan_seconds, 1), one))

    def _vertical(self, source: str, all_rows: list[Row]) -> Iterator[Finding]:
        s = self._settings
        for host, rows in groups(all_rows, lambda row: row.server).items():
            for protocol, own in groups(rows, lambda row: row.protocol).items():
                ports, within = self._within(own, lambda row: row.port)
                failed = sum(row.failed for row in own)
                if within < s.scan_ports or failed < s.scan_failed * len(own):
                    continue
                counts = collections.Counter(row.port for row in own if row.open and row.port is not None)
                answered = sorted(counts, key=lambda port: (-counts[port], port))[:20]
                evidence = {
                    "ports": ports, "within": within, "failed": failed, "tries": len(own), "protocol": protocol,
                    "answered_ports": answered,
                }  # fmt: skip
                text = f"{source} tried {counted(ports, protocol_text(protocol) + 'port')} of {host}"
                text += f", which answered on {', '.join(map(str, answered))}" if answered else ", none of which answered"
                daily = "low" if within < 2 * s.scan_ports and self._is_outside(source) else "medium"
                severity = "high" if within >= 4 * s.scan_ports or answered else daily
                span = {"srcaddr": source, **span_of(own)}
                yield self._finding("port_scan", severity, span, [host], score_of(s.scan_ports, within), "T1046", evidence, text)

    def _horizontal(self, source: str, all_rows: list[Row]) -> Iterator[Finding]:
        s = self._settings
        for port, rows in groups(all_rows, lambda row: row.port).items():
            for protocol, own in groups(rows, lambda row: row.protocol).items():
                hosts, within = self._within(own, lambda row: row.server)
                failed = sum(row.failed for row in own)
                outwards = all(self._is_outside(row.server) for row in own)
                share = max(s.scan_failed, 0.8) if outwards else s.scan_failed
                if within < s.scan_hosts or failed < share * len(own):
                    continue
                evidence = {
                    "hosts": hosts, "within": within, "failed": failed, "tries": len(own), "dstport": port,
                    "protocol": protocol,
                }  # fmt: skip
                text = f"{source} tried {service_text(own[0])} of {counted(hosts, 'host')} without answer"
                small = within < 10 * s.scan_hosts and self._is_outside(source)
                span = {"srcaddr": source, **span_of(own)}
                targets = most_of(collections.Counter(row.server for row in rows))
                score = score_of(s.scan_hosts, within)
                yield self._finding("port_scan", "low" if small else "medium", span, targets, score, "T1046", evidence, text)

    def _block(self, source: str, rows: list[Row], found: list[Finding]) -> Finding:
        """Many ports of many hosts."""
        failed = [row for row in rows if row.failed]
        hosts = collections.Counter(row.server for row in failed)
        ports = {row.port for row in failed if row.port is not None}
        evidence = {
            "ports": len(ports), "hosts": len(hosts), "failed": len(failed), "tries": len(rows),
            "protocols": protocols_of(failed),
        }  # fmt: skip
        text = f"{source} tried {counted(len(ports), 'port')} of {counted(len(hosts), 'host')}"
        text += f", {len(failed):,} of {len(rows):,} {'try' if len(rows) == 1 else 'tries'} without answer"
        severity = min((f.severity for f in found), key=SEVERITIES.index)
        score = max(f.score for f in found)
        span = {"srcaddr": source, **span_of(rows)}
        return self._finding("port_scan", severity, span, most_of(hosts), score, "T1046", evidence, text)

    def _walk(self, source: str, rows: list[Row]) -> Iterator[Finding]:
        """Scans of few or slow tries: threshold random walk over the services that a source tries, in their order.

        Jung, Paxson, Berger, Balakrishnan, "Fast portscan detection using sequential hypothesis testing", 2004, with
        its constants: a try gets no answer with 0.2 from a benign source and 0.8 from a scanner, 1 % of benign ones
        may be blamed, 99 % of scanners found. So each outcome weighs log 4, and 4 more failures than answers decide.
        """
        s = self._settings
        failed = sum(row.failed for row in rows)
        if failed < 4 or failed < s.scan_failed * len(rows):
            return
        services = [
            {"host": host, "missed": all(row.failed for row in own), "port": port, "rows": own, **span_of(own)}
            for (host, port), own in groups(rows, lambda row: (row.server, row.port)).items()
        ]
        services.sort(key=lambda own: (own["first"], own["host"], 1 << 31 if own["port"] is None else own["port"]))
        walk = 0
        for own in services:
            walk += 1 if own["missed"] else -1
            if abs(walk) >= 4:
                break
        missed = [own for own in services if own["missed"]]
        if walk < 4 or len(missed) < s.scan_failed * len(services):
            return
        hosts = list(dict.fromkeys(own["host"] for own in missed))
        span = {"srcaddr": source, "first": services[0]["first"], "last": max(own["last"] for own in services)}
        evidence = {
            "services": len(missed), "hosts": len(hosts), "answered": len(services) - len(missed),
            "protocols": protocols_of(itertools.chain(*(own["rows"] for own in missed))),
        }  # fmt: skip
        text = f"{source} tried {counted(len(missed), 'service')} of {counted(len(hosts), 'host')} without answer"
        severity = "medium" if len(missed) >= 10 and self._in(source) else "low"
        yield self._finding("port_scan", severity, span, hosts[:20], 1 - 2 / (len(missed) + 1), "T1046", evidence, text)

    def _distributed(self) -> Iterator[Finding]:
        """Many sources share the ports of one host."""
        s = self._settings
        tried = [r for r in self._rows if r.failed and self._in(r.server) and self._is_outside(r.client) and r.port]
        best: dict[str, dict[str, Any]] = {}
        hours = groups(tried, lambda row: (row.server, row.start // HOUR))
        for (host, _), rows in sorted(hours.items()):
            ports_of = {source: {row.port for row in own} for source, own in groups(rows, lambda r: r.client).items()}
            shared = {source: ports for source, ports in ports_of.items() if 3 <= len(ports) < s.scan_ports}
            ports = set().union(*shared.values()) if shared else set()
            if len(shared) < 10 or len(ports) < 2 * s.scan_ports:
                continue
            begun = {source: min(row.start for row in own) for source, own in groups(rows, lambda r: r.client).items()}
            first = min(shared, key=lambda source: (-len(shared[source]), begun[source], source))
            if host not in best or len(ports) > best[host]["ports"]:
                best[host] = {"srcaddr": first, "sources": len(shared), "ports": len(ports), "protocols": protocols_of(rows), **span_of(rows)}
        for host, scan in best.items():
            evidence = {"sources": scan["sources"], "ports": scan["ports"], "ports_each": 3, "protocols": scan["protocols"]}
            text = f"{counted(scan['sources'], 'outside host')}, {scan['srcaddr']} first, tried {counted(scan['ports'], 'port')} "
            text += f"of {host} without answer within an hour, 3 or more each"
            score = score_of(2 * s.scan_ports, scan["ports"])
            yield self._finding("port_scan", "medium", scan, [host], score, "T1046", evidence, text)

    # -- guesses

    def brute_force(self) -> Iterator[Finding]:
        s = self._settings
        of_service: dict[Any, list[list[Row]]] = {}
        for source, all_rows in self._by_client.items():
            of_port: dict[Any, list[list[Row]]] = {}
            for service, rows in groups(all_rows, lambda row: row.service).items():
                asks = self._asks(rows[0]) and self._in(rows[0].server)
                guesses = [row for row in rows if row.answered and row.began]
                if not guesses or (not asks and len(rows) < s.brute_sessions):
                    continue
                found = list(self._one_client(guesses))
                yield from found
                if found or not asks or not self._short(guesses) or is_steady(guesses):
                    continue
                if len(guesses) >= 5 and self._is_outside(source):
                    of_service.setdefault(service, []).append(guesses)
                if len(guesses) >= 2:
                    of_port.setdefault(service[1:], []).append(guesses)
            for parts in of_port.values():
                yield from self._many_hosts(self._alike(parts))
        for parts in of_service.values():
            yield from self._many_clients(self._alike(parts))

    def _asks(self, row: Row) -> bool:
        return row.port in ADMIN_PORTS or (row.port in DATABASE_PORTS + MAIL_PORTS and self._is_outside(row.client))

    def _short(self, rows: list[Row]) -> bool:
        sizes, limit = [row.sent for row in rows], self._settings.brute_bytes
        return rank(sizes, 0.5) <= limit and rank(sizes, 0.95) <= 4 * limit

    def _one_client(self, guesses: list[Row]) -> Iterator[Finding]:
        s = self._settings
        if len(guesses) < s.brute_sessions or not self._short(guesses):
            return
        row = guesses[0]
        sizes = [r.sent for r in guesses]
        typical = rank(sizes, 0.5)
        varies = rank(sizes, 0.75) - rank(sizes, 0.25)
        asks, alike = self._asks(row), varies <= 0.3 * typical
        may_be_slow = asks and self._is_outside(row.client) and varies <= 0.5 * typical and not self._is_open(row.service) and not is_steady(guesses)
        seconds, worst = s.brute_seconds, busiest(guesses, start_of, s.brute_seconds, one)
        slow = may_be_slow and len(worst) < s.brute_sessions
        if slow:
            seconds, worst = DAY, busiest(guesses, start_of, DAY, one)
        if not worst or len(worst) < s.brute_sessions:
            return
        odd = self._is_outside(row.client) and self._in(row.server) and row.port not in ASKED_ALL_DAY and alike
        database = self._in(row.client) and row.port in DATABASE_PORTS and alike and typical <= 2000 and not is_steady(guesses)
        if not asks and not database and (not odd or self._is_open(row.service)):
            return
        if not database and self._in(row.client) and self._clients.get(row.service, (0, 0))[1] >= 5:
            return
        evidence = {
            "sessions": len(guesses), "within": len(worst), "seconds": seconds, "dstport": row.port, "protocol": row.protocol,
            "typical": typical, "most": rank(sizes, 0.95),
        }  # fmt: skip
        text = f"{row.client} opened {counted(len(guesses), 'short session')} to {row.server} {service_text(row)}, "
        text += f"{len(worst):,} of them within {counted(seconds // 60, 'minute')}"
        severity = "high" if asks and not slow and len(worst) >= 2 * s.brute_sessions else "medium"
        span = {"srcaddr": row.client, **span_of(guesses)}
        yield self._finding("brute_force", severity, span, [row.server], score_of(s.brute_sessions, len(worst)), "T1110", evidence, text)

    def _alike(self, parts: list[list[Row]]) -> list[list[Row]]:
        """Those of which the median is near the median of all."""
        medians = [rank([row.sent for row in part], 0.5) for part in parts]
        middle = rank(medians, 0.5) if medians else 0
        return [part for part, median in zip(parts, medians) if abs(median - middle) <= 0.3 * middle]

    def _shared(self, parts: list[list[Row]], actor: str, targets: list[str], of: str, text: str) -> Finding:
        rows, row = list(itertools.chain(*parts)), parts[0][0]
        evidence = {of: len(parts), "sessions": len(rows), "dstport": row.port, "protocol": row.protocol}
        span = {"srcaddr": actor, **span_of(rows)}
        score = score_of(self._settings.brute_sources, len(parts))
        return self._finding("brute_force", "medium", span, targets, score, "T1110", evidence, text)

    def _many_clients(self, parts: list[list[Row]]) -> Iterator[Finding]:
        if len(parts) < max(self._settings.brute_sources, 2):
            return
        row = min(parts, key=lambda part: (-len(part), part[0].start, part[0].client))[0]
        text = f"{len(parts):,} outside hosts, {row.client} first, opened {counted(sum(map(len, parts)), 'short session')} of like "
        text += f"size to {row.server} {service_text(row)}"
        yield self._shared(parts, row.client, [row.server], "sources", text)

    def _many_hosts(self, parts: list[list[Row]]) -> Iterator[Finding]:
        if len(parts) < max(self._settings.brute_sources, 2):
            return
        row = parts[0][0]
        text = f"{row.client} opened {counted(sum(map(len, parts)), 'short session')} of like size to {service_text(row)} of "
        text += f"{len(parts):,} hosts"
        yield self._shared(parts, row.client, most_of({part[0].server: len(part) for part in parts}), "hosts", text)

    # -- visits

    def unauthorised_access(self) -> Iterator[Finding]:
        visits: dict[Any, dict[str, list[Row]]] = {}
        for source, all_rows in self._by_client.items():
            outside = self._is_outside(source)
            if outside and is_in(source, self._settings.admin_sources):
                continue
            for service, rows in groups(all_rows, lambda row: row.service).items():
                if not self._in(service[0]) or service[1] not in ADMIN_PORTS + DATABASE_PORTS + STORE_PORTS:
                    continue
                answered = [row for row in rows if row.answered]
                if answered and outside:
                    visits.setdefault(service, {})[source] = answered
                elif not answered and service[1] not in STORE_PORTS:
                    yield from self._access_in_vain(rows)
        for (host, port, protocol), visitors in visits.items():
            if len(visitors) >= 3:
                yield self._visitors(host, port, protocol, visitors)
                continue
            for source, rows in visitors.items():
                sent, received = sum(row.sent for row in rows), sum(row.received for row in rows)
                evidence = {
                    "srcaddr": source, "dstaddr": host, "dstport": port, "protocol": protocol, "sessions": len(rows),
                    "bytes": sent, "received": received,
                }  # fmt: skip
                text = f"{source}, outside, talked to {host} {service_text(rows[0])}: {counted(len(rows), 'session')}, "
                text += f"{sent:,} bytes to it, {received:,} bytes from it"
                span, score = {"srcaddr": source, **span_of(rows)}, score_of(1, len(rows))
                yield self._finding("unauthorised_access", "medium", span, [host], score, "T1133", evidence, text)

    def _visitors(self, host: str, port: int, protocol: int, visitors: dict[str, list[Row]]) -> Finding:
        rows = list(itertools.chain(*visitors.values()))
        sent, received = sum(row.sent for row in rows), sum(row.received for row in rows)
        is_open = len(visitors) >= self._settings.open_strangers
        evidence = {
            "dstaddr": host, "dstport": port, "protocol": protocol, "strangers": len(visitors), "sessions": len(rows),
            "bytes": sent, "received": received,
        }  # fmt: skip
        n = counted(len(visitors), "outside host")
        text = f"{host} {service_text(rows[0])}" + (f" is open to the internet: {n}" if is_open else f" let {n} in")
        text += f", {counted(len(rows), 'session')}, {sent:,} bytes to it, {received:,} bytes from it"
        targets = most_of({source: len(own) for source, own in visitors.items()})
        severity = "low" if is_open else "medium"
        span, score = {"srcaddr": host, **span_of(rows)}, score_of(1, len(visitors))
        return self._finding("unauthorised_access", severity, span, targets, score, "T1133", evidence, text)

    def _access_in_vain(self, rows: list[Row]) -> Iterator[Finding]:
        """Tries at a service that nobody answered."""
        day = busiest([row for row in rows if row.failed], start_of, DAY, one)
        tries = len(day)
        if tries < max(self._settings.access_tries, 1):
            return
        row = rows[0]
        evidence = {"dstport": row.port, "protocol": row.protocol, "tries": tries}
        text = f"{row.client} tried {row.server} {service_text(row)} {counted(tries, 'time')} without answer"
        waits = row.port in DATABASE_PORTS or is_steady(day)
        severity = "medium" if self._in(row.client) and not waits else "low"
        span, score = {"srcaddr": row.client, **span_of(day)}, score_of(self._settings.access_tries, tries)
        yield self._finding("unauthorised_access", severity, span, [row.server], score, "T1133", evidence, text)

    def accepted_after_reject(self) -> Iterator[Finding]:
        for source, all_rows in self._by_client.items():
            if not self._is_outside(source):
                continue
            rows = [row for row in all_rows if self._in(row.server) and (row.failed or not self._is_open(row.service))]
            for host, own in groups(rows, lambda row: row.server).items():
                yield from self._found(source, host, own)
            for service, own in groups(rows, lambda row: (row.port, row.protocol)).items():
                yield from self._found(source, service, own)

    def _found(self, source: str, of: Any, rows: list[Row]) -> Iterator[Finding]:
        """``of``: a host, or a port and its protocol."""
        n = self._settings.found_failed
        at_host = isinstance(of, str)

        def different(some: list[Row]) -> set[Any]:
            return {(row.port, row.protocol) if at_host else row.server for row in some if not at_host or row.port is not None}

        refused, opened = [row for row in rows if row.failed], [row for row in rows if row.open]
        failed, answered = different(refused), different(opened)
        if not failed or len(failed) < n or not answered:
            return
        first, last = min(map(start_of, refused)), max(map(start_of, opened))
        if last <= first:
            return
        evidence = {
            "srcaddr": source, "failed": len(failed), "answered": len(answered), "refused_first": first,
            "answered_last": last, "seconds_later": last - first,
        }  # fmt: skip
        if at_host:
            words, services = listing(answered)
            evidence |= {"dstaddr": of, "answered_ports": services["ports"], "protocols": services["protocols"]}
            text = f"{source} tried {counted(len(failed), 'port')} of {of} in vain, then {words} answered"
        else:
            evidence |= {"dstport": of[0], "protocol": of[1]}
            text = f"{source} tried {service_of(*of)} of {counted(len(failed), 'host')} in vain, then {len(answered):,} answered"
        span = {"srcaddr": source, **span_of(rows)}
        targets = most_of(collections.Counter(row.server for row in opened if not at_host or row.port is not None))
        yield self._finding("accepted_after_reject", "high", span, targets, score_of(n, len(failed)), "T1046", evidence, text)

    def lateral_movement(self) -> Iterator[Finding]:
        s = self._settings
        least = max(s.lateral_hosts, 1)
        for source, all_rows in self._by_client.items():
            rows = [row for row in all_rows if row.port in LATERAL_PORTS and self._in(row.server)]
            if not self._in(source) or len(rows) < s.lateral_hosts:
                continue
            hosts = [own for own in groups(rows, lambda row: row.server).values() if not is_steady(own)]
            met = [own for own in hosts if any(row.failed or row.answered for row in own)]
            tried = sorted(met, key=lambda own: own[0].start)
            day = busiest(tried, lambda own: own[0].start, DAY, lambda own: 1)
            lost = sum(not any(row.answered for row in own) for own in day)
            if len(day) >= least and lost >= s.lateral_failed * len(day):
                text = f"{source} tried {{ports}} of {counted(len(day), 'inside host')} within a day, {lost:,} of which did not answer"
                yield self._movement(source, day, lost, "high", text, {})
                continue

            def got_in(row: Row) -> bool:
                return row.answered and row.sent >= 1500 and row.received >= 1500

            def entry(own: list[Row]) -> int:
                return next(row.start for row in own if got_in(row))

            reached = sorted((own for own in hosts if any(map(got_in, own))), key=entry)
            soon = busiest(reached, entry, s.lateral_seconds, lambda own: 1)
            bastion = any(self._clients.get((source, port, 6), (0, 0))[0] >= 2 for port in ADMIN_PORTS)
            if len(soon) >= least and not bastion:
                text = f"{source} got into {counted(len(soon), 'inside host')} at {{ports}} for the first time in these logs within "
                text += counted(s.lateral_seconds // 60, "minute")
                yield self._movement(source, soon, 0, "medium", text, {"seconds": s.lateral_seconds})
        yield from self._hop_chains()

    def _movement(self, source: str, hosts: list[list[Row]], lost: int, severity: str, text: str, more: dict[str, Any]) -> Finding:
        rows = list(itertools.chain(*hosts))
        words, services = listing((row.port, row.protocol) for row in rows)
        evidence = {
            "hosts": len(hosts), "failed_hosts": lost, "failed": sum(row.failed for row in rows), "tries": len(rows),
            **services, **more,
        }  # fmt: skip
        span = {"srcaddr": source, **span_of(rows)}
        targets = most_of({own[0].server: len(own) for own in hosts})
        score = score_of(self._settings.lateral_hosts, len(hosts))
        text = text.format(ports=words)
        return self._finding("lateral_movement", severity, span, targets, score, "T1021", evidence, text)

    def _hop_chains(self) -> Iterator[Finding]:
        """From host to host: into one, and while that session is open from it into the next."""
        hops: list[Row] = []
        for source, all_rows in self._by_client.items():
            rows = [row for row in all_rows if row.port in LATERAL_PORTS and self._in(source) and self._in(row.server)]
            for own in groups(rows, lambda row: row.service).values():
                hops += [row for row in own if row.answered and row.began] if len(own) <= 3 else []
        chains: list[list[Row]] = []
        for hop in sorted(hops, key=start_of):
            open_ones = [
                chain for chain in chains
                if chain[-1].server == hop.client and chain[-1].start < hop.start <= chain[-1].end
                and chain[-1].client != hop.server
            ]  # fmt: skip
            chains.append([*max(open_ones, key=len), hop] if open_ones else [hop])
        inner = {id(chain[-2]) for chain in chains if len(chain) > 1}
        for chain in chains:
            if len(chain) < 3 or id(chain[-1]) in inner:
                continue
            way = chain[0].client + "".join(f", into {hop.server} at {service_text(hop)}" for hop in chain)
            evidence = {"hops": len(chain), "ports": [hop.port for hop in chain], "protocols": protocols_of(chain)}
            span, targets = {"srcaddr": chain[0].client, **span_of(chain)}, [hop.server for hop in chain]
            text = f"from host to host, each while the session before was open: {way}"
            yield self._finding("lateral_movement", "high", span, targets, score_of(3, len(chain)), "T1021", evidence, text)
