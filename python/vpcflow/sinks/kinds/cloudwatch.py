"""CloudWatch Logs, by PutLogEvents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import NotifyError, RuleError
from ..opening import Place
from ..sink import Limits, Piece, Receipt
from ..times import time_of
from ._aws import ATTEMPTS, in_receipts

SCHEMES = ("cloudwatch",)
OPTIONS = ("stream",)
_SPAN = 24 * 3600 * 1000 - 1  # milliseconds that one request may span
_OVERHEAD = 26  # bytes that each event counts besides its own


def open_sink(place: Place) -> Logs:
    """Makes the sink of ``cloudwatch://GROUP?stream=NAME``."""
    if not place.rest or not place.option("stream"):
        raise RuleError("sink cloudwatch: expected cloudwatch://GROUP?stream=NAME; both must be there")
    return Logs(place)


class Logs:
    """A stream of a log group. It keeps every event; events that are older than the group keeps are dead."""

    takes_ids = False
    limits = Limits(bytes=1 << 20, items=10_000, each=256 << 10)

    def __init__(self, place: Place) -> None:
        self._names = {"logGroupName": place.rest, "logStreamName": str(place.option("stream"))}
        self._aws, self._schema = place.aws, place.schema
        self.label = f"cloudwatch://{place.rest}"

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line, as long as the service counts it."""
        return line + b" " * _OVERHEAD

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Puts events in the order of their times, a day at a time; when one fails, it and those behind it go again."""
        timed = sorted((int(time_of(self._schema, piece.line) * 1000), i) for i, piece in enumerate(pieces))
        dead: list[tuple[int, str]] = []
        at = 0
        while at < len(timed):
            end = at
            while end < len(timed) and timed[end][0] - timed[at][0] <= _SPAN:
                end += 1
            part = timed[at:end]
            events = [{"timestamp": when, "message": pieces[i].line.decode(errors="replace")} for when, i in part]
            try:
                with in_receipts(self.label, "logs:PutLogEvents"):
                    client: Any = self._aws.client("logs", attempts=ATTEMPTS)
                    answer = client.put_log_events(**self._names, logEvents=events)
            except NotifyError as e:
                if at == 0:
                    raise
                return Receipt([i for _, i in timed[at:]], dead, reason=str(e))
            dead += _refused(part, answer.get("rejectedLogEventsInfo") or {})
            at = end
        return Receipt(dead=dead)

    def close(self) -> None:
        """Does nothing: clients are shared."""


def _refused(part: Sequence[tuple[int, int]], info: dict[str, int]) -> list[tuple[int, str]]:
    """Returns the events that were refused for their times: those before an index, and those from one on."""
    old = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    new = info.get("tooNewLogEventStartIndex", len(part))
    return [
        (i, "too old for the log group" if k < old else "more than two hours ahead")
        for k, (_, i) in enumerate(part) if k < old or k >= new
    ]  # fmt: skip
