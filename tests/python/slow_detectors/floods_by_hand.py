"""Detectors as loops over sessions: floods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vpcflow.findings import Finding

from .base import counted
from .by_hand import DAY, HandDetectors, Row, busiest, groups, score_of, service_text, span_of
from .tries_by_hand import start_of

MINUTE = 60


class FloodDetectors(HandDetectors):
    """Detectors of floods."""

    def flood(self) -> Iterator[Finding]:
        s = self._settings
        lost = [(row.swapped() if row.packets < row.answers else row, row.packets < row.answers) for row in self._rows if row.one_sided]
        for host, own in groups(lost, lambda item: item[0].server).items():
            pieces: list[Row] = []
            reflected: list[Row] = []
            for row, is_answer in own:
                (reflected if self._may_be_reflected(row, is_answer) else pieces).extend(self._pieces(row))
            for port, rows in groups(reflected, lambda row: row.client_port).items():
                text = f"{{sources}} of UDP port {port} sent {host} {{packets}} in a minute that it did not ask for"
                more = {"srcport": port, "protocol": 17}
                reflections = list(self._floods(host, rows, "sources", s.flood_reflectors, text, None, more, "server"))
                yield from reflections
                pieces += [] if reflections else rows
            yield from self._floods(host, pieces, "packets", s.flood_packets, "", None)
            for (port, protocol), rows in groups(pieces, lambda row: (row.port, row.protocol)).items():
                text = f"{service_text(rows[0])} of {host} left {{sources}} in a minute without answer"
                evidence = {"dstport": port, "protocol": protocol}
                yield from self._floods(host, rows, "sources", s.flood_sources, text, evidence)
        yield from self._slow()

    def _may_be_reflected(self, row: Row, is_answer: bool) -> bool:
        """The sender's port is a service's; of what is no answer to what others show only outside hosts' count."""
        if row.protocol != 17 or not row.client_port or row.client_port >= 49152:
            return False
        return is_answer or (self._is_outside(row.client) and row.client_port != row.port)

    @staticmethod
    def _pieces(row: Row) -> Iterator[Row]:
        """A piece for each minute that a session lasted, with its packets shared out; a day of pieces at most."""
        minutes = min(max((row.end - row.start) // MINUTE + 1, 1), DAY // MINUTE)
        n = min(max(min(row.packets, 1 << 20), 1), minutes)
        for i in range(n):
            piece = row.swapped().swapped()
            piece.start, piece.end = (row.start + (row.end - row.start) * k // n for k in (i, i + 1))
            piece.packets = row.packets // n + (i < row.packets % n)
            yield piece

    def _floods(
        self, host: str, rows: list[Row], of: str, least: int, text: str, service: dict[str, Any] | None,
        more: dict[str, Any] | None = None, source: str = "source",
    ) -> Iterator[Finding]:  # fmt: skip
        minutes = []
        for time, own in sorted(groups(rows, lambda row: row.start // MINUTE * MINUTE).items()):
            minutes.append({
                "time": time, "sources": len({row.client for row in own}), "packets": sum(row.packets for row in own),
                "tries": len(own), "most": self._most(own), **span_of(own),
            })  # fmt: skip
        runs: list[list[dict[str, Any]]] = []
        for minute in minutes:
            if minute[of] < least:
                continue
            if runs and minute["time"] - runs[-1][-1]["time"] <= MINUTE:
                runs[-1].append(minute)
            else:
                runs.append([minute])
        for run in runs:
            worst = max(run, key=lambda minute: minute[of])
            sources, packets = counted(worst["sources"], source), counted(worst["packets"], "packet")
            told = (text or f"{host} got {{packets}} in a minute from {{sources}} without answer").format(sources=sources, packets=packets)
            evidence = {"dstaddr": host, **(service or {})}
            evidence |= {k: worst[k] for k in ("time", "sources", "packets", "tries")}
            evidence |= {"bins": len(run)} if len(run) > 1 else {}
            span = {"srcaddr": host, "first": min(m["first"] for m in run), "last": max(m["last"] for m in run)}
            score = score_of(least, worst[of])
            flooder, sent = worst["most"]
            targets: list[str] = []
            if of == "packets" and sent * 10 >= worst["packets"] * 9:
                span["srcaddr"], targets = flooder, [host]
                evidence |= {"srcaddr": flooder, "srcaddr_packets": sent}
                told = f"{flooder} sent {host} nearly all of {packets} in a minute from {sources} without answer"
            yield self._finding("flood", "high", span, targets, score, "T1498", evidence | (more or {}), told)

    @staticmethod
    def _most(rows: list[Row]) -> tuple[str, int]:
        """The source that sent most packets."""
        sent = {source: sum(row.packets for row in own) for source, own in groups(rows, lambda row: row.client).items()}
        source = min(sent, key=lambda source: (-sent[source], source))
        return source, sent[source]

    def _slow(self) -> Iterator[Finding]:
        """Many sessions of one outside host that stay open and say nothing."""
        least = self._settings.flood_slow

        def slow(row: Row) -> bool:
            seconds = max(row.end - row.start, 0)
            return row.answered and seconds >= 300 and row.sent + row.received <= 20 * seconds

        for source, all_rows in self._by_client.items():
            if not self._is_outside(source):
                continue
            for (host, port, protocol), rows in groups(all_rows, lambda row: row.service).items():
                worst = [row for row in busiest(rows, start_of, 10 * MINUTE, slow) if slow(row)]
                if not self._in(host) or len(rows) < least or not worst or len(worst) < least:
                    continue
                evidence = {"sessions": len(worst), "seconds": 600, "dstaddr": host, "dstport": port, "protocol": protocol}
                text = f"{source} opened {counted(len(worst), 'session')} to {host} {service_text(rows[0])} within 10 minutes that "
                text += "stayed open and said nothing"
                span, score = {"srcaddr": source, **span_of(worst)}, score_of(least, len(worst))
                yield self._finding("flood", "medium", span, [host], score, "T1498", evidence, text)
