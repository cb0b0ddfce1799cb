"""Where the records stand that broke a control."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..findings.evidence import with_samples
from ..findings.finding import Finding
from ..query.flows import Flows
from .manifest import add_leaves
from .result import ControlResult, Day

_LOOKED_AT = 8  # records of a session, until one that its client sent and that was let through is found


def placed(
    flows: Flows, results: Iterable[ControlResult], manifest: str | os.PathLike[str] | None
) -> list[ControlResult]:
    """Adds to each session that broke a control its first accepted record with file, byte and number of the file in a
    manifest. One more pass over the
    logs if there are any; of streams, which can be read only once, the records stay ``None``."""
    results = list(results)
    wanted = [one for result in results for day in result.days.values() for one in day.violating]
    records = records_of(flows, wanted)
    add_leaves(records, manifest)
    number = 0
    out = []
    for result in results:
        days: dict[str, Day] = {}
        for name, day in result.days.items():
            own = [{**one, "record": records[number + i]} for i, one in enumerate(day.violating)]
            number += len(own)
            days[name] = dataclasses.replace(day, violating=tuple(own))
        out.append(dataclasses.replace(result, days=days))
    return out


def records_of(flows: Flows, wanted: Sequence[Mapping[str, Any]]) -> list[dict[str, Any] | None]:
    """Returns for each of some sessions, by ``client``, ``server``, ``server_port``, ``protocol``, ``first`` and
    ``last``, its first record that the client sent and that was let through, or, if it is ``rejected``, was not; else
    its first of all; with ``file`` and ``offset``; ``None`` for what the logs do not give again."""
    if not wanted:
        return []
    sought = [
        Finding(
            "control", "high", one["client"], [one["server"]], one["first"], one["last"], 1.0, "",
            {name: one[key] for name, key in (("dstport", "server_port"), ("protocol", "protocol"))
             if one[key] is not None}, {}, "",
        )
        for one in wanted
    ]  # fmt: skip
    found = with_samples(flows, sought, _LOOKED_AT)
    return [_best(finding.samples, one) for finding, one in zip(found, wanted)]


def _best(samples: Iterable[Mapping[str, Any]], wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    own = [{"offset": None, **one} for one in samples]
    for one in own:
        is_clients = wanted["client"] in (one.get("pkt_srcaddr"), one.get("srcaddr"))
        if is_clients and (one.get("action") == "REJECT") == bool(wanted.get("rejected")):
            return one
    return own[0] if own else None
