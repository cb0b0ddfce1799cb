"""Splunk, by the HTTP Event Collector."""

from __future__ import annotations

import dataclasses
import json
import time
import urllib.parse
import uuid
from collections.abc import Sequence
from typing import Any

from ...alerts.addresses import RefusedError
from ...errors import NotifyError, RuleError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt, SplitError, StoppedError
from ..times import time_of
from ._http import Http, header_of, json_of, said

SCHEMES = ("splunk+http", "splunk+https")
OPTIONS = ("index", "source", "sourcetype", "acks", "ca")
_PORT = 8088
_FORMAT = (5, 6, 12, 13)  # codes that are about one event: no data, invalid format, no event, blank event
_NO_CHANNEL = 10
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
        index = place.option("index")
        # By which dead letters of two indices are told apart.
        self.label = self._http.label + ("" if index is None else f"?index={index}")
        self._schema = place.schema
        own = {name: value for name in ("index", "source") if (value := place.option(name)) is not None}
        own["sourcetype"] = str(place.option("sourcetype", f"vpcflow:{place.schema}"))
        self._own = json.dumps(own)[1:-1].encode()
        self._acks = place.option("acks", "0") == "1"
        self._path = "/services/collector"
        self._channel = str(uuid.uuid4())
        self._headers = {"Content-Type": "application/json", "Authorization": f"Splunk {header_of(place.auth or '')}"}
        if self._acks:  # each request waits until it is indexed, for seconds
            self.limits = dataclasses.replace(self.limits, at_once=8)
            self._headers["X-Splunk-Request-Channel"] = self._channel

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the event in its envelope: an object, or a text as text."""
        event = line if line.startswith(b"{") else json.dumps(line.decode(errors="replace")).encode()
        when = f"{time_of(self._schema, line):.3f}".encode()
        fields = json.dumps({"id": identity}).encode()
        return b'{"time":%s,"host":"vpcflow",%s,"fields":%s,"event":%s}' % (when, self._own, fields, event)

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Sends events; one that is wrong is dead. Those before it are sent again, as they may have been taken or not,
        and then those behind it."""
        dead: list[tuple[int, str]] = []
        begin = 0
        while (wrong := self._wrong(pieces[begin:])) is not None:
            at, why = wrong
            if self._wrong(pieces[begin : begin + at]) is not None:
                raise SplitError(f"{self.label}: answered 400: {why}")
            begin += at + 1
            dead.append((begin - 1, f"400 {why}"))
        return Receipt(dead=dead)

    def _wrong(self, pieces: Sequence[Piece]) -> tuple[int, str] | None:
        """Sends events. Returns the position of one that is wrong, with the reason, or ``None`` if all were taken."""
        if not pieces:
            return None
        answer = self._http.post(self._path, b"".join(piece.body for piece in pieces), self._headers)
        if answer.status == 200:
            self._taken(json_of(answer, self.label))
            return None
        code, at = _code(answer.body)
        if code == _NO_CHANNEL:
            raise StoppedError(f"{self.label}: the token wants acknowledgements: add ?acks=1 to the URL")
        if answer.status != 400 or code not in _FORMAT:
            raise self._http.refused(answer)
        if type(at) is not int or not 0 <= at < len(pieces):
            raise SplitError(f"{self.label}: answered 400: {said(answer.body)}")
        return at, said(answer.body)

    def _taken(self, answer: Any) -> None:
        """Checks the answer of 200, and waits until the events are indexed if that is asked for."""
        code, ack = (answer.get("code"), answer.get("ackId")) if isinstance(answer, dict) else (None, None)
        if code != 0:
            raise BusyError(f"{self.label}: the answer does not say that the events were taken")
        if not self._acks:
            return
        if type(ack) is not int:
            raise StoppedError(f"{self.label}: it gives no acknowledgements; leave ?acks=1 out, or allow them there")
        self._wait_for(ack)

    def _wait_for(self, ack: int) -> None:
        """Asks until an acknowledgement is there; without one in two minutes the request goes again."""
        end = time.monotonic() + _ACK_PATIENCE
        path = f"{self._path}/ack?channel={urllib.parse.quote(self._channel)}"
        while time.monotonic() < end:
            if self._is_indexed(path, ack):
                return
            time.sleep(_ACK_LOOK)
        raise BusyError(f"{self.label}: not indexed within {_ACK_PATIENCE:.0f} s")

    def _is_indexed(self, path: str, ack: int) -> bool:
        """Asks once. An answer that does not come says nothing of the events: they need not go again."""
        try:
            answer = self._http.post(path, json.dumps({"acks": [ack]}).encode(), self._headers)
            found = json_of(answer, self.label) if answer.status == 200 else None
        except (StoppedError, RefusedError):
            raise
        except NotifyError:
            return False
        if answer.status != 200:
            raise self._http.refused(answer)
        acks = found.get("acks") if isinstance(found, dict) else None
        return isinstance(acks, dict) and acks.get(str(ack)) is True

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()


def _code(body: bytes) -> tuple[int | None, int | None]:
    try:
        found: Any = json.loads(body)
        return found.get("code"), found.get("invalid-event-number")
    except (ValueError, AttributeError, RecursionError):
        return None, None
