"""Log groups of CloudWatch Logs: what format their lines have, and the lines themselves."""

from __future__ import annotations

import threading
import time
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import Future, wait
from typing import Any, Callable, NamedTuple

from ... import _core
from ..._display import human_bytes
from ..._hints import nearest
from ...errors import FormatError, SourceError, SourceNotFoundError
from .pool import the_pool
from .session import Connection
from .words import THROTTLING, code_of, error_of

_CALLS = 2.0  # a second; AWS allows 5 for an account and region, which all its programs share
_TRIES = 10
_SLACK = 60_000  # milliseconds that the time of an event may differ from the start of its record
_STEP = 0.05  # seconds between two looks at whether a scan was cancelled


class Event(NamedTuple):
    """A line of a log group. ``time``: its record's start, in milliseconds."""

    id: str
    time: int
    message: str


class GroupUrl(NamedTuple):
    """``cloudwatch://GROUP?region=us-east-1&calls-per-second=2``."""

    group: str
    region: str | None
    calls: float

    @classmethod
    def of(cls, url: str) -> GroupUrl:
        """Parses a URL.

        >>> GroupUrl.of("cloudwatch:///vpc/flow-logs?region=us-east-1")
        GroupUrl(group='/vpc/flow-logs', region='us-east-1', calls=2.0)
        """
        group, _, query = url[url.index("://") + 3 :].partition("?")
        options = dict(urllib.parse.parse_qsl(query))
        for name in options:
            if name not in ("region", "calls-per-second"):
                near = nearest(name, ("region", "calls-per-second")) or "region and calls-per-second"
                raise SourceError(f"{url}: no option {name!r}; there is {near}")
        try:
            calls = float(options.get("calls-per-second", _CALLS))
        except ValueError:
            calls = 0.0
        if not 0.01 <= calls <= 100:
            raise SourceError(f"{url}: calls-per-second: expected a number such as 2")
        if not group:
            raise SourceError(f"{url}: the log group is missing; write cloudwatch://GROUP")
        return cls(urllib.parse.unquote(group), options.get("region"), calls)


class Pace:
    """So many calls a second, fewer as long as the service asks for that."""

    def __init__(
        self, calls: float, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._most = self._calls = calls
        self._clock, self._sleep = clock, sleep
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Waits until the next call may be made."""
        with self._lock:
            now = self._clock()
            at = max(self._next, now)
            self._next = at + 1 / self._calls
        if at > now:
            self._sleep(at - now)

    def slower(self) -> None:
        """Halves the rate, down to a call each five seconds."""
        with self._lock:
            self._calls = max(self._calls / 2, min(self._most, 0.2))
            self._next = self._clock() + 1 / self._calls

    def faster(self) -> None:
        """Raises the rate again, up to what is allowed."""
        with self._lock:
            self._calls = min(self._calls * 1.05, self._most)


class LogGroup:
    """A log group. Any thread may use it."""

    def __init__(self, url: str, connection: Connection, pace: Pace | None = None) -> None:
        self.url = url
        place = GroupUrl.of(url)
        self.name = place.group
        self._connection, self._region = connection, place.region
        self._client = connection.client("logs", place.region, attempts=1)
        #: When it was made, Unix seconds; known after :meth:`check`.
        self.created = 0
        self._pace = pace or Pace(place.calls)

    @property
    def region(self) -> str:
        """The region that it lies in."""
        return str(self._client.meta.region_name)

    def check(self) -> int:
        """Returns the bytes that are stored in it. Raises :class:`~vpcflow.SourceNotFoundError`, with the nearest name,
        if there is no such group."""
        groups = self.call("describe_log_groups", logGroupNamePrefix=self.name).get("logGroups", ())
        for group in groups:
            if group["logGroupName"] == self.name:
                self.created = int(group.get("creationTime", 0)) // 1000
                return int(group.get("storedBytes", 0))
        known = [group["logGroupName"] for group in groups]
        known += [g["logGroupName"] for g in self.call("describe_log_groups").get("logGroups", ())]
        near = nearest(self.name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        raise SourceNotFoundError(f"{self.url}: no log group {self.name!r} in this region{hint}")

    def format(self, given: str | None) -> str:
        """Returns the format of the lines: the one given, or that of the flow log that writes them.

        Raises :class:`~vpcflow.FormatError` with the candidates if several flow logs of different formats write into
        it, or none: lines of CloudWatch have no header.
        """
        if given is not None:
            return given
        logs = self._flow_logs()
        formats = {log["LogFormat"]: log["FlowLogId"] for log in logs if log.get("LogFormat")}
        if len(formats) == 1:
            return str(next(iter(formats)))
        if not formats:
            raise FormatError(f"{self.url}: no flow log of this account writes into it now; give its --format")
        found = "".join(f"\n  {id}: {text}" for text, id in formats.items())
        raise FormatError(
            f"{self.url}: {len(formats)} flow logs of different formats write into it, and its lines do not say which; "
            f"give the --format of those to read:{found}"
        )

    def _flow_logs(self) -> list[dict[str, Any]]:
        client = self._connection.client("ec2", self._region)
        try:
            filters = [{"Name": "log-group-name", "Values": [self.name]}]
            pages = client.get_paginator("describe_flow_logs").paginate(Filters=filters)
            return [log for page in pages for log in page.get("FlowLogs", ())]
        except Exception as error:
            why = str(error_of("ec2:DescribeFlowLogs", error))
            raise FormatError(f"{self.url}: its format is not known ({why}); give its --format") from None

    def events(self, start: int | None, end: int | None) -> Iterator[list[Event]]:
        """Yields the events in [start, end), Unix milliseconds, in pages; a page may be empty."""
        own: dict[str, Any] = {"logGroupName": self.name}
        if start is not None:
            own["startTime"] = max(0, start)
        if end is not None:
            own["endTime"] = end - 1
        while True:
            answer = self.call("filter_log_events", **own)
            yield [Event(e["eventId"], e["timestamp"], e["message"]) for e in answer.get("events", ())]
            token = answer.get("nextToken")
            if token is None or token == own.get("nextToken"):
                return
            own["nextToken"] = token

    def call(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Calls CloudWatch Logs, no faster than is allowed. Raises :class:`~vpcflow.SourceError`."""
        for left in range(_TRIES - 1, -1, -1):
            self._pace.wait()
            try:
                answer: dict[str, Any] = getattr(self._client, name)(**arguments)
            except Exception as error:
                if code_of(error)[0] not in THROTTLING or not left:
                    raise error_of(self.url, error) from None
                self._pace.slower()
            else:
                self._pace.faster()
                return answer
        raise AssertionError("the last try returns or raises")

    def source(self, format: str, start: int | None, end: int | None) -> _core.Source:
        """Returns the source of the records that start in [start, end), Unix seconds."""
        begin = None if start is None else start * 1000 - _SLACK
        until = None if end is None else end * 1000 + _SLACK
        return _core.Source.reopened(self.url, lambda: _Lines(format, self.events(begin, until)))

    def summary(self, format: str, stored: int) -> str:
        """Returns what a scan will read, in a line."""
        fields = len(header_of(format).split())
        return f"{self.url}: {human_bytes(stored)} stored, lines of {fields} fields; read in the order of time"


def text_of(format: str, events: list[Event]) -> bytes:
    """Returns events as a log with a header line."""
    return "".join([header_of(format), *(_line(event) for event in events)]).encode("utf-8", "surrogateescape")


def header_of(format: str) -> str:
    """Returns the header line of a format.

    >>> header_of("${version} ${account-id}")
    'version account-id\\n'
    """
    return " ".join(name for name, _ in _core.parse_format(format)) + "\n"


def _line(event: Event) -> str:
    return event.message if event.message.endswith("\n") else event.message + "\n"


class _Lines:
    """read(size) of pages of events, of which one is on its way; None as long as it has not come."""

    def __init__(self, format: str, pages: Iterator[list[Event]]) -> None:
        self._pages = pages
        self._rest = header_of(format).encode()
        self._asked: Future[list[Event] | None] | None = None
        self._over = False

    def __call__(self, size: int) -> bytes | None:
        while not self._rest:
            if self._over:
                return b""
            if self._asked is None:
                self._asked = the_pool().future(lambda: next(self._pages, None))
            wait([self._asked], _STEP)
            if not self._asked.done():
                return None
            page, self._asked = self._asked.result(), None
            self._over = page is None
            self._rest = "".join(map(_line, page or ())).encode("utf-8", "surrogateescape")
        data, self._rest = self._rest[:size], self._rest[size:]
        return data
