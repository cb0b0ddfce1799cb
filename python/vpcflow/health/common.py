"""What failing edges have in common: a server whose clients fail together, a client that fails at several servers.

The attempts of all edges of an end are pooled and scanned as one series, so that what no edge shows alone is found,
too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from .._display import instant
from .._words import count
from .changes import could_change
from .edge import Change, changes_of
from .edges import Key, Series
from .outcomes import MEANING
from .suspicion import Suspicion

_ALL = "*"
_ONE = 0.9  # of the failures, from which on they are those of one edge


def common_ends(all_series: Sequence[Series], every: int) -> list[Suspicion]:
    """Returns the ends at which several edges became worse together, in the order of time."""
    out = []
    for kind in ("server", "client"):
        groups: dict[Key, list[Series]] = defaultdict(list)
        for series in all_series:
            # What never succeeded has no share that could fall, but would move that of all by coming and going.
            if series.all.is_known and series.all.answered and series.key.client != _ALL:
                groups[_end(series.key, kind)].append(series)
        pools = [
            (_pooled(key, some), some)
            for key, some in groups.items()
            if sum(one.all.failed > 0 for one in some) > 1
            and could_change(sum(one.all.failed for one in some), sum(one.all.known for one in some))
        ]
        for (pool, some), changes in zip(pools, changes_of([pool for pool, _ in pools], every)):
            answered = [change for change in changes if change.signal == "answered"]
            for number, change in enumerate(answered):
                until = answered[number + 1].time if number + 1 < len(answered) else None
                if change.worse:
                    out += _suspicion(kind, pool, some, change, until, every)
    return sorted(out, key=lambda one: (one.time or 0, one.kind != "server", one.subject))


def _end(key: Key, kind: str) -> Key:
    return key._replace(client=_ALL) if kind == "server" else Key(key.client, _ALL, None, None)


def _pooled(key: Key, some: Sequence[Series]) -> Series:
    out = Series(key)
    for series in some:
        for number, counts in series.bins.items():
            out.bins[number].add(counts)
    return out


def _suspicion(
    kind: str, pool: Series, some: Sequence[Series], change: Change, until: int | None, every: int
) -> list[Suspicion]:  # fmt: skip
    """Returns the suspicion of a change of the pool, unless one edge alone makes it."""
    failed = []
    for series in some:
        part = series.total(change.time // every, None if until is None else until // every)
        if part.known:
            failed.append((part.failed, series.key))
    failing = [(n, key) for n, key in failed if n]
    if len(failing) < 2 or max(n for n, _ in failing) >= _ONE * sum(n for n, _ in failing):
        return []
    end, other = (pool.key.server, "client") if kind == "server" else (pool.key.client, "server and port")
    subject = end if pool.key.port is None else f"{end} port {pool.key.port}"
    others = count(len(failed), other, "servers and ports" if other != "client" else None)
    span = f"from {instant(change.time)}" + ("" if until is None else f" to {instant(until)}")
    why = f", most of them {MEANING[change.cause]}" if change.cause in MEANING else ""
    whose = f"the attempts of {others} at it" if kind == "server" else f"its attempts at {others}"
    sentence = (
        f"{subject}: {span} UTC {change.after:.2%} of {whose} answered, {change.before:.2%} before (difference "
        f"{change.low:+.2%} to {change.high:+.2%}); {len(failing):,} of them have failures{why}: what they have in "
        f"common is the {kind}, or the way to it"
    )
    proof = f"vpcflow explain for one of them; what the {kind} logs itself"
    edges = tuple(key for _, key in failing)
    return [Suspicion(kind, subject, change.time, change.low, change.high, sentence, proof, edges)]


def is_covered(suspicion: Suspicion, change: Change, every: int) -> bool:
    """Tells whether a suspicion accounts for a change of one of its edges: at the same time, or where failures end."""
    if suspicion.time is None:
        return False
    late = change.time - suspicion.time
    return abs(late) <= 2 * every if change.worse else late >= 0
