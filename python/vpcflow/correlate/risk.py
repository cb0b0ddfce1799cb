"""Risk of entities: a decayed sum over what was seen of them, with the rows that made it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from .._units import seconds
from ..typing import Duration
from .entities import Entities
from .events import Event, Events, type_of
from .sequence import Match

_WEIGHTS = {"high": 10.0, "medium": 4.0, "low": 1.0}
_AGREEING = 3.0  # points if two sources that do not depend on each other tell of an entity
_LEVELS = ((40.0, "critical"), (20.0, "high"), (10.0, "medium"), (0.0, "low"))
_OF = ("interface", "instance", "address", "principal", "account")


def risk(
    events: Events, matches: Iterable[Match] = (), entities: Entities | None = None, *, window: Duration = "24h",
    half_life: Duration = "12h", at: int | None = None,
) -> list[dict[str, Any]]:  # fmt: skip
    """Returns a row an entity: ``entity``, ``type``, ``score``, ``level``, ``sources``, ``first``, ``last`` and
    ``parts``, highest score first.

    A part is a kind of event: the weight of its severity (1, 4, 10), halved by each ``half_life`` of the youngest
    event's age, times 1 + log2 of the number of events. Two sources that agree add 3. ``at``: the Unix second of which
    the ages are counted, that of the last event without; ``window``: older events are not counted. Sequences count as
    events of their own. Shared addresses have no risk. A function of the set of events.

    >>> from vpcflow.correlate import Event, Events, matches, of, risk
    >>> events = [Event(0, 0, "guardduty", "Recon", ("i-1",), "high", "", "a")]
    >>> [(row["entity"], row["score"]) for row in risk(Events(events))]
    [('i-1', 10.0)]
    """
    known, length, half = entities or Entities(), seconds(window, "window"), seconds(half_life, "half_life")
    told = Events([*events, *(_event_of(match) for match in matches)])
    counted = [event for event in told if event.severity in _WEIGHTS]
    now = at if at is not None else max((event.end for event in told), default=0)
    found: dict[str, dict[tuple[str, str], list[Event]]] = {}
    for event in counted:
        if now - length <= event.end <= now:
            for one in known.resolve(event):
                if type_of(one) in _OF:
                    found.setdefault(one, {}).setdefault((event.source, event.kind), []).append(event)
    rows = [_row(entity, groups, now, half) for entity, groups in found.items()]
    return sorted(rows, key=lambda row: (-row["score"], row["entity"]))


def _event_of(match: Match) -> Event:
    return Event(match.start, match.end, "sequence", match.rule, (match.entity,) if match.entity else (),
                 match.severity, match.events[0].ref, match.id)  # fmt: skip


def _row(entity: str, groups: dict[tuple[str, str], list[Event]], now: int, half: int) -> dict[str, Any]:
    parts = []
    for (source, kind), events in sorted(groups.items()):
        worst = max(_WEIGHTS[event.severity] for event in events)
        age = now - max(event.end for event in events)
        points = worst * 0.5 ** (age / half) * (1 + math.log2(len(events)))
        parts.append({
            "source": source, "kind": kind, "events": len(events), "points": round(points, 3),
            "last": max(event.end for event in events), "refs": [event.ref for event in events][:5],
        })  # fmt: skip
    sources = sorted({part["source"] for part in parts} - {"sequence"})
    score = round(math.fsum(part["points"] for part in parts) + _AGREEING * (len(sources) > 1), 3)
    return {
        "entity": entity, "type": type_of(entity), "score": score,
        "level": next(level for least, level in _LEVELS if score >= least), "sources": sources,
        "first": min(event.time for events in groups.values() for event in events),
        "last": max(part["last"] for part in parts), "parts": parts,
    }  # fmt: skip
