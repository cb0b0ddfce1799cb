"""Targets behind a load balancer: to which of them it handed each attempt."""

from __future__ import annotations

import bisect
import warnings
from collections.abc import Sequence

from ..errors import DataQualityWarning, VpcflowError
from ..query.flows import Flows
from .attempts import Attempt
from .reading import MOST, Question

_SOON = 2  # seconds within which a load balancer calls a target


def targets_of(flows: Flows, question: Question, attempts: Sequence[Attempt]) -> dict[int, str]:
    """Returns the target of attempts by their ``id()``, where the load balancer called one alone in those seconds. One
    more pass over the logs, for questions about load balancers."""
    balancers = {one.id: one for one in question.server.interfaces.values() if "load_balancer" in one.kind}
    if not balancers or not attempts:
        return {}
    addresses = {address for address, owner in question.server.owners.items() if owner in balancers}
    ids, own = (", ".join(map(repr, sorted(names))) for names in (balancers, addresses))
    out_of = f"interface-id in ({ids}) and srcaddr in ({own})"
    legs = flows._with(allow_missing=True).filter(
        f"{out_of} and protocol = {question.protocol} and srcport != {question.port}"
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            rows = legs.select("start", "dstaddr").limit(MOST).collect().rows()
    except VpcflowError:  # what can be read once was read
        return {}
    calls = sorted((row["start"], row["dstaddr"]) for row in rows if row["start"] is not None)
    starts = [start for start, _ in calls]
    out = {}
    for one in attempts:
        first = bisect.bisect_left(starts, one.start)
        last = bisect.bisect_right(starts, one.start + _SOON)
        found = {target for _, target in calls[first:last]} - {one.client}
        if len(found) == 1:
            out[id(one)] = found.pop()
    return out
