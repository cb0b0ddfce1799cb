"""Why other verdicts are ruled out, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .seeing import Seeing
from .settling import Settled
from .tree import ANSWERED, PATTERNS, Judged
from .verdicts import POINTS, VERDICTS

_MEANS = {"a": "ACCEPT", "r": "REJECT", "n": "none"}


def ruled_out(settled: Settled, judged: Sequence[Judged], seeing: Seeing) -> Iterator[dict[str, str]]:
    """Yields each verdict that the records exclude, and how they do."""
    if not settled.attempts:
        for name in VERDICTS:
            if name not in (settled.verdict, "cannot_tell", "late_packet", *settled.others):
                yield {"verdict": name, "how": "no record of either end has such a packet, and the client was watched"}
        return
    for name in VERDICTS:
        if name in (settled.verdict, "cannot_tell") or name in settled.others:
            continue
        yield {"verdict": name, "how": _how(name, settled, judged, seeing)}


def _how(name: str, settled: Settled, judged: Sequence[Judged], seeing: Seeing) -> str:
    first = settled.attempts[0]
    if name == "not_sent":
        return "the client's packets were logged"
    if name == "late_packet":
        return "the attempts begin with packets that ask for a connection, or were answered"
    if name == "intermittent":
        return "all attempts that the logs show went the same way"
    pattern = PATTERNS["answered" if name in ANSWERED else name]
    for (point, what, _, _), expected, saw in zip(POINTS, pattern, first.seen):
        if saw not in ("unknown", "a packet, action unknown") and saw != _MEANS[expected]:
            return f"{point} ({what}) saw {saw}, not {_MEANS[expected]}"
    if settled.verdict == "intermittent":
        return "the attempts that failed did so in another way"
    return _HOW.get((name, settled.verdict), _OF_ANSWERED.get(name, "the other vantage points exclude it"))


_OF_ANSWERED = {
    "works": "the connection did not end as one that works",
    "no_listener": "the server answered with more than a reset",
    "cut_after": "no connection ended after a pause in a reset, a REJECT or silence",
    "mtu_suspected": "no end sent large packets that the other one did not get",
}
_HOW = {
    ("works", "no_listener"): "every answer was a reset to the first packet",
    ("cut_after", "no_listener"): "no connection came about",
    ("mtu_suspected", "no_listener"): "no connection came about",
}
