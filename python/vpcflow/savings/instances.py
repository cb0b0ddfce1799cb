"""Advice about the network of instances: where it is far from what their type has, and where it is more.

Flow logs show the network alone, so that there is no saving: CPU and memory decide on a size, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .._words import count
from ..health.limits import Throughput, can_tell_throughput, throughput, throughput_query
from .rows import Saving

if TYPE_CHECKING:
    from .advise import Case

_LITTLE = 0.1  # of the baseline, which the 99th percentile of the minutes does not reach
_ENOUGH = 24  # hours, before an instance is said to need little
_SHARE = 0.01  # of the minutes above the baseline, from which on it is too small
_NAMED = 3
_METRICS = (
    "aws cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name {metric} --dimensions "
    "Name=InstanceId,Value={instance}"
)


def advice(case: Case) -> Iterator[Saving]:
    """Yields advice about instances; none without describe-instances and describe-instance-types."""
    inventory = case.network.inventory
    if not can_tell_throughput(inventory):
        return
    result = throughput_query(case.observer.flows).collect()
    rates: dict[str, list[Throughput]] = {}
    for one in throughput(result, inventory, 60 * len(case.observed.hours)):
        rates.setdefault(one.instance, []).append(one)
    little: dict[tuple[str, str], list[Throughput]] = {}
    for instance, directions in sorted(rates.items()):
        busiest = max(directions, key=lambda one: (one.minutes_above, one.p99))
        item = inventory.at("Instances")[instance]
        region = case.network.region({**item, **(item.get("Placement") or {})})
        if busiest.minutes_above > _SHARE * busiest.minutes:
            yield _undersized(case, region, busiest)
        elif busiest.p99 < _LITTLE * busiest.baseline:
            little.setdefault((region, busiest.instance_type), []).append(busiest)
    if len(case.observed.hours) < _ENOUGH:
        if little:
            case.notes.append(f"{_ENOUGH} hours of logs are needed to say which instances use little of their network")
        return
    for (region, kind), own in sorted(little.items()):
        yield _oversized(case, region, kind, own)


def _undersized(case: Case, region: str, one: Throughput) -> Saving:
    which = {"both": "in and out"}.get(one.direction, one.direction)
    return Saving(
        "undersized_network", one.instance, region, None, None, None, case.sheet.currency,
        f"{which}: {count(one.minutes_above, 'minute')} of {one.minutes:,} above the baseline of {one.instance_type}, "
        f"{one.baseline:g} Gbit/s, {one.longest_above:,} in a row at the most; highest minute {one.max:.3g} Gbit/s",
        f"{_METRICS.format(metric='NetworkOut', instance=one.instance)}; then a type with more bandwidth, ENA Express, "
        "or another placement",
        "above the baseline an instance lives on burst credits, which AWS does not publish; it costs more, not less",
    )  # fmt: skip


def _oversized(case: Case, region: str, kind: str, own: list[Throughput]) -> Saving:
    highest = max(one.p99 for one in own)
    names = ", ".join(one.instance for one in own[:_NAMED]) + (f" and {len(own) - _NAMED} more" if own[_NAMED:] else "")
    return Saving(
        "oversized_network", kind, region, None, None, None, case.sheet.currency,
        f"the network is not the reason for this size: 99 % of the minutes of {names} are below "
        f"{max(highest, 0.001):.3g} Gbit/s, of a baseline of {own[0].baseline:g}",
        _METRICS.format(metric="CPUUtilization", instance=own[0].instance) + "; memory, too, before any other size",
        "flow logs show neither CPU nor memory nor disks: this alone is no reason for a smaller size",
    )  # fmt: skip
