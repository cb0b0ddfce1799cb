"""One verdict of many attempts: all alike, another one since some time, or some of each."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import math
from collections.abc import Callable, Sequence

from .seeing import Seeing
from .tree import PATTERNS, Judged

#: Seconds around a time that is asked for in which attempts are of that time.
AROUND = 900
_EDGE = 120  # seconds at both ends of the logs whose attempts may be cut
_EXPLAINS = 0.5  # share of the failures from which a dimension explains them


@dataclasses.dataclass(frozen=True)
class Settled:
    """What all attempts together say."""

    verdict: str
    certain: bool
    #: Other verdicts that the records allow.
    others: frozenset[str]
    #: The attempts that the verdict is of.
    attempts: tuple[Judged, ...]
    #: Of ``intermittent``: dimension, value and share.
    explained_by: dict[str, object] | None = None
    #: Unix seconds since when it is so, and what was before; ``None``: as long as the logs show.
    since: int | None = None
    before: str | None = None
    #: Why more than one verdict is possible, where no attempt shows it.
    doubts: tuple[str, ...] = ()


#: Names the verdict that rule files speak for, of several; of one attempt, or of the question as a whole.
Hint = Callable[["Judged | None", "frozenset[str]"], "str | None"]


def settle(judged: Sequence[Judged], seeing: Seeing, at: int | None, hint: Hint) -> Settled:
    """Finds the verdict of attempts."""
    real = [one for one in judged if one.attempt.entries]
    if not real:
        possible = frozenset().union(*(one.possible for one in judged))
        return Settled("late_packet", possible == {"late_packet"}, possible - {"late_packet"}, tuple(judged))
    verdicts = [_verdict(one, hint) for one in real]
    groups = set(verdicts)
    if groups == {"works"} and all(one.attempt.begins_before and one.attempt.late for one in real):
        possible = frozenset().union(*(one.possible for one in real))
        return Settled("late_packet", False, possible, tuple(real))
    if len(groups) > 1 and not groups & {"works", "cannot_tell"} and not any(one.only == "works" for one in real):
        return _all_fail(real, verdicts, seeing)
    if groups <= {"works", "cut_after"} or groups <= {"works", "mtu_suspected"}:
        return _alike(real, verdicts, seeing, max(groups, key=lambda name: name != "works"))
    common = frozenset.intersection(*(one.possible for one in real))
    if len(groups) == 1 or (common and not _mixes(real)):
        verdict = groups.pop() if len(groups) == 1 else hint(None, common) or _commonest(verdicts, common)
        return _alike(real, verdicts, seeing, verdict)
    return _mixed(real, verdicts, seeing, at)


def _verdict(one: Judged, hint: Hint) -> str:
    known = one.possible - {"cannot_tell"}
    if len(known) == 1:
        return next(iter(known))
    return one.likely or hint(one, frozenset(known)) or "cannot_tell"


def _commonest(verdicts: list[str], common: frozenset[str]) -> str:
    counts = collections.Counter(verdict for verdict in verdicts if verdict in common)
    return counts.most_common(1)[0][0] if counts else "cannot_tell"


def _mixes(real: list[Judged]) -> bool:
    """Tells whether attempts certainly went in different ways."""
    return len({one.only for one in real if one.only}) > 1


def _alike(real: list[Judged], verdicts: list[str], seeing: Seeing, verdict: str) -> Settled:
    """Settles attempts that all went the same way, so far as their records show."""
    own = tuple(one for one, name in zip(real, verdicts) if name == verdict) or tuple(real)
    possible = frozenset().union(*(one.possible for one in real))
    certain = verdict != "cannot_tell" and any(one.only == verdict for one in real)
    for one in real:
        if one.only == verdict or (verdict in ("cut_after", "mtu_suspected") and {"works", verdict} & one.possible):
            continue
        # What the ends of the logs cut says nothing, but that all works is said of every attempt.
        if verdict == "works" or not _at_the_edge(one, seeing):
            certain = False
    others = possible - {verdict, "cannot_tell"}
    if verdict in ("mtu_suspected", "cut_after"):
        others -= {"works"} if certain else frozenset()
    return Settled(verdict, certain, others, own)


def _all_fail(real: list[Judged], verdicts: list[str], seeing: Seeing) -> Settled:
    """Settles attempts that all fail, and not in one way: REJECTs are what AWS itself said, silence is not."""
    order = sorted(set(verdicts), key=lambda name: ("r" not in PATTERNS.get(name, ""), -verdicts.count(name), name))
    out = _alike(real, verdicts, seeing, order[0])
    return dataclasses.replace(out, certain=False, others=out.others | set(verdicts) - {order[0]} | {"intermittent"})


def _at_the_edge(one: Judged, seeing: Seeing) -> bool:
    start, end = seeing.logs.start or 0, seeing.logs.end or 0
    return one.attempt.start < start + _EDGE or one.attempt.end > end - _EDGE


def _mixed(real: list[Judged], verdicts: list[str], seeing: Seeing, at: int | None) -> Settled:
    """Settles attempts of which some went well: by what they differ, or since when they do."""
    bad = [one for one, name in zip(real, verdicts) if name != "works"]
    good = [one for one, name in zip(real, verdicts) if name == "works"]
    explained = _explained(good, bad, seeing) if good else None
    if explained is None or not explained["pure"]:
        runs = _runs(real, verdicts)
        if at is not None and len(runs) == 2 and runs[1][0].attempt.start > at:
            runs = runs[:1]
        if len(runs) <= 2 and len(runs[-1]) >= 2:
            return _since(runs, real, verdicts, seeing)
        if explained is None or not explained["pure"]:
            explained = _by_minutes(runs, bad, good, verdicts, real) or explained
    possible = frozenset().union(*(one.possible for one in real))
    certain = any(one.only == "works" for one in good) and any(
        one.only is not None and one.only != "works" for one in bad
    )
    shown = None
    if explained is not None:
        shown = {name: explained[name] for name in ("dimension", "value", "share")}
        shown["failed"] = round(len(bad) / len(real), 4)
    certain = certain and "start" in seeing.logs.everywhere
    others = possible if not certain else frozenset()
    return Settled("intermittent", certain, others - {"cannot_tell"}, tuple(bad), shown)


def _since(runs: list[list[Judged]], real: list[Judged], verdicts: list[str], seeing: Seeing) -> Settled:
    """Settles attempts that went one way and then, up to the end, another one."""
    names = dict(zip(map(id, real), verdicts))
    last = runs[-1]
    own = [names[id(one)] for one in last]
    out = _alike(last, own, seeing, collections.Counter(own).most_common(1)[0][0])
    if len(runs) == 1:
        return out
    before = collections.Counter(names[id(one)] for one in runs[0]).most_common(1)[0][0]
    others = out.others | {"intermittent"}
    return dataclasses.replace(out, others=others, since=last[0].attempt.start, before=before)


def _runs(real: list[Judged], verdicts: list[str]) -> list[list[Judged]]:
    """Cuts attempts in the order of time where what became of them changes; unknown ones belong to any run."""
    runs: list[list[Judged]] = []
    name = None
    for one, verdict in zip(real, verdicts):
        if runs and (verdict in (name, "cannot_tell")):
            runs[-1].append(one)
        elif runs and name == "cannot_tell":
            runs[-1].append(one)
            name = verdict
        else:
            runs.append([one])
            name = verdict
    return runs


def _explained(good: list[Judged], bad: list[Judged], seeing: Seeing) -> dict[str, object] | None:
    """Finds the one value of the one dimension that tells failures from successes best, by information gain; ``None``
    if it has less than half of the failures."""
    best: tuple[float, dict[str, object]] | None = None
    for dimension in ("server", "client", "target", "zone"):
        failed = collections.Counter(_value(one, dimension, seeing) for one in bad)
        worked = collections.Counter(_value(one, dimension, seeing) for one in good)
        if len({*failed, *worked} - {None}) < 2:
            continue
        for value, n in failed.items():
            if value is None or n / len(bad) < _EXPLAINS:
                continue
            gain = _gain(n, worked[value], len(bad), len(good))
            found: dict[str, object] = {
                "dimension": dimension, "value": value, "share": round(n / len(bad), 4),
                "pure": worked[value] == 0 and n == len(bad),
            }  # fmt: skip
            if gain > 0.05 and (best is None or gain > best[0] + 1e-9):
                best = (gain, found)
    return best[1] if best is not None else None


def _gain(failed: int, worked: int, bad: int, good: int) -> float:
    """Returns how many bits the knowledge of one value tells about failing."""
    here, whole = failed + worked, bad + good
    parts = here * _entropy(failed, worked) + (whole - here) * _entropy(bad - failed, good - worked)
    return _entropy(bad, good) - parts / whole


def _entropy(one: int, other: int) -> float:
    whole = one + other
    return -sum(n / whole * math.log2(n / whole) for n in (one, other) if n) if whole else 0.0


def _value(one: Judged, dimension: str, seeing: Seeing) -> str | None:
    attempt = one.attempt
    if dimension in ("server", "client"):
        return attempt.server if dimension == "server" else attempt.client
    if dimension == "target":
        return seeing.targets.get(id(attempt))
    interface = seeing.question.server.interfaces.get(seeing.question.server.owners.get(attempt.server, ""))
    return str(interface.zone) or None if interface is not None else None


def _by_minutes(
    runs: list[list[Judged]], bad: list[Judged], good: list[Judged], verdicts: list[str], real: list[Judged]
) -> dict[str, object] | None:
    """Finds the stretch of time that has most of the failures, and few other attempts."""
    names = dict(zip(map(id, real), verdicts))
    failing = [run for run in runs if names[id(run[0])] != "works"]
    longest = max(failing, key=len, default=[])
    failed = sum(names[id(one)] != "works" for one in longest)
    gain = _gain(failed, len(longest) - failed, len(bad), len(good))
    if not good or failed / len(bad) < _EXPLAINS or len(failing) > 3 or gain <= 0.05:
        return None
    start, end = (_instant(time) for time in (longest[0].attempt.start, longest[-1].attempt.end))
    return {"dimension": "minute", "value": f"{start}/{end}", "share": round(failed / len(bad), 4), "pure": True}


def _instant(seconds: int) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
