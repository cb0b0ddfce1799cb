"""Published detectors that are no rules: RITA's beacon score and SiLK's sequential scan test, over sessions.

SiLK's other scan test, a logistic model, goes by ACK flags, which AWS's flags do not have (they are SYN, SYN-ACK, FIN and RST).
"""

import math
import statistics

import vpcflow as vf


def sessions_of(flows):
    """Sessions as rows, those of the second view of a translated one left out."""
    talks = flows.sessions().collect()
    rows = zip(*(talks[name] for name in ("client", "server", "start", "end", "client_bytes", "state", "protocol", "counted")))
    return [row[:7] for row in rows if row[7] and row[0] and row[1]]


def is_inside(address):
    return address.startswith("10.")


def rita_beacons(sessions, least):
    """Actors with a beacon score of `least` and more: RITA v5's formula for each pair of hosts, at least 4 different starts.

    A log of 6 hours stands for the dataset that RITA scores (24 hours), so its histogram has an hour's bars for these 6,
    and what needs 11 bars is 0. Modifiers (prevalence, first seen, threat lists) need more than these logs have.
    """
    begin, end = min(s[2] for s in sessions), max(s[3] for s in sessions)
    pairs = {}
    for client, server, start, _, size, _, _ in sessions:
        if is_inside(client) and not is_inside(server):
            pairs.setdefault((client, server), []).append((start, size))
    return {pair[0] for pair, calls in pairs.items() if _rita_score(calls, begin, end) >= least}


def _rita_score(calls, begin, end):
    starts = sorted({start for start, _ in calls})
    if len(starts) < 4:
        return 0.0
    gaps = [b - a for a, b in zip(starts, starts[1:])]
    regular = (_skew_score(gaps) + _mad_score(gaps, 1.0)) / 2
    sizes = [size for _, size in calls]
    alike = (_skew_score(sizes) + _mad_score(sizes, 0.0)) / 2
    hours = [0] * max(1, math.ceil((end - begin) / 3600))
    for start in starts:
        hours[min(int((start - begin) // 3600), len(hours) - 1)] += 1
    run = longest = 0
    for bar in hours:
        run = run + 1 if bar else 0
        longest = max(longest, run)
    seen = sum(bar > 0 for bar in hours)
    duration = min(1.0, max((starts[-1] - starts[0]) / (end - begin), longest / 12)) if seen >= 6 else 0.0
    flat = max(0.0, 1 - statistics.pstdev(hours) / statistics.mean(hours))
    return 0.25 * (regular + alike + duration + flat)


def _skew_score(values):
    q1, q2, q3 = statistics.quantiles(values, n=4, method="inclusive")
    skew = 0.0 if q3 - q1 < 10 or q2 in (q1, q3) else (q1 + q3 - 2 * q2) / (q3 - q1)
    return 1 - abs(skew)


def _mad_score(values, otherwise):
    median = statistics.median(values)
    if median < 1:
        return otherwise
    return max(0.0, (median - statistics.median(abs(v - median) for v in values)) / median)


def silk_scanners(sessions):
    """Sources by SiLK's threshold random walk (Jung and others, 2004): TCP, the first contacts with inside hosts in their
    order, four more failures than answers decide."""
    walks, met = {}, set()
    for client, server, _, _, _, state, protocol in sorted(sessions, key=lambda s: s[2]):
        if protocol != 6 or not is_inside(server) or (client, server) in met or abs(walks.get(client, 0)) >= 4:
            continue
        met.add((client, server))
        walks[client] = walks.get(client, 0) + (1 if state in ("rejected", "unanswered") else -1)
    return {source for source, walk in walks.items() if walk >= 4}


MODELS = [
    ("beacon", "RITA v5, medium and more (0.7)", lambda sessions: rita_beacons(sessions, 0.7)),
    ("beacon", "RITA v5, high (0.9)", lambda sessions: rita_beacons(sessions, 0.9)),
    ("port_scan", "SiLK rwscan, random walk", silk_scanners),
]


if __name__ == "__main__":
    made = vf.synth(200_000, seed=101, plant="all", format="v5")
    for kind, name, model in MODELS:
        found = model(sessions_of(vf.scan(made.data)))
        print(f"{kind}, {name}: {len(found)} actors;", [label["kind"] for label in made.labels if label["actor"] in found])
