"""Splunk, by the HTTP Event Collector."""

from __future__ import annotations

import json
import time
import urllib.parse
import uuid
from collections.abc import Sequence
from typing import Any

from ...errors import RuleError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt
from ..times import time_of
from ._http import Http, json_of, said

SCHEMES = ("splunk+http", "splunk+https")
OPTIONS = ("index", "source", "sourcetype", "acks", "ca")
_PORT = 8088
_FORMAT = (5, 6, 12, 13)  # codes that are about one event: no data, invalid format, no event, blank event
_ACK_PATIENCE, _ACK_LOOK = 120.0, 1.0  # seconds


def open_sink(place: Place) -> Hec:
    """Makes the sink of a URL: ``splunk+https://HOST[:8088]?index=NAME``."""
    if place.auth is None:
        raise RuleError(f"sink {place.scheme}: the token is missing; give --auth env:NAME or file:PATH")
    return Hec(place)


class Hec:
    """An HTTP Event Collector. It keeps every event that comes, so an event that is sent again is there twice; each has
    its ``id``. ``?acks=1``: waits until the events are indexed, where indexers acknowledge."""

    takes_ids = False
    limits = Limits(bytes=900 << 10, each=900 << 10, at_once=2)

    def __init__(self, place: Place) -> None:
        self._http = Http(place, _PORT)
        self.label = self._http.label
        self._schema = place.schema
        own = {name: value for name in ("index", "source") if (value := place.option(name)) is not None}
        own["sourcetype"] = str(place.option("sourcetype", f"vpcflow:{place.schema}"))
        self._own = json.dumps(own)[1:-1].encode()
        self._acks = place.option("acks", "0") == "1"
        self._path = "/services/collector"
        self._channel = str(uuid.uuid4())
        self._headers = {"Content-Type": "application/json", "Authorization": f"Splunk {place.auth}"}
        if self._acks:
            self._headers["X-Splunk-Request-Channel"] = self._channel

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the event in its envelope: an object, or a text as text."""
        event = line if line.startswith(b"{") else json.dumps(line.decode(errors="replace")).encode()
        when = f"{time_of(self._schema, line):.3f}".encode()
        fields = json.dumps({"id": identity}).encode()
        return b'{"time":%s,"host":"vpcflow",%s,"fields":%s,"event":%s}' % (when, self._own, fields, event)

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Sends events; one that is wrong is dead, and those beside it go again."""
        answer = self._http.post(self._path, b"".join(piece.body for piece in pieces), self._headers)
        if answer.status == 200:
            said_ = json_of(answer, self.label)
            if self._acks and isinstance(said_, dict) and isinstance(said_.get("ackId"), int):
                self._wait_for(said_["ackId"])
            return Receipt()
        code, at = _code(answer.body)
        if answer.status == 400 and code in _FORMAT and at is not None and 0 <= at < len(pieces):
            # Those before it were taken [as Splunk documents it], those behind it were not looked at.
            return Receipt(range(at + 1, len(pieces)), [(at, f"400 {said(answer.body)}")])
        if answer.status == 400 and code in _FORMAT:
            if len(pieces) == 1:
                return Receipt(dead=[(0, f"400 {said(answer.body)}")])
            raise BusyError(f"{self.label}: answered 400: {said(answer.body)}")
        raise self._http.refused(answer)

    def _wait_for(self, ack: int) -> None:
        """Asks until an acknowledgement is there; without one in two minutes the request goes again."""
        end = time.monotonic() + _ACK_PATIENCE
        path = f"{self._path}/ack?channel={urllib.parse.quote(self._channel)}"
        while time.monotonic() < end:
            answer = self._http.post(path, json.dumps({"acks": [ack]}).encode(), self._headers)
            acks = json_of(answer, self.label).get("acks") if answer.status == 200 else None
            if isinstance(acks, dict) and acks.get(str(ack)) is True:
                return
            time.sleep(_ACK_LOOK)
        raise BusyError(f"{self.label}: not indexed within {_ACK_PATIENCE:.0f} s")

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()


def _code(body: bytes) -> tuple[int | None, int | None]:
    try:
        found: Any = json.loads(body)
        return found.get("code"), found.get("invalid-event-number")
    except (ValueError, AttributeError, RecursionError):
        return None, None
