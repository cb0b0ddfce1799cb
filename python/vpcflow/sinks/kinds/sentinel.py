"""Microsoft Sentinel, by the Logs Ingestion API."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
from collections.abc import Sequence

from ...alerts.http import Server
from ...errors import RuleError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt, SplitError, StoppedError
from ._http import Http, header_of, said

SCHEMES = ("sentinel+https", "sentinel+http")
OPTIONS = ("authority", "ca")
_API = "2023-01-01"
_AUTHORITY = "https://login.microsoftonline.com"
_SCOPE = "https://monitor.azure.com/.default"
_EARLY = 120.0  # seconds before its end that a token is renewed


def open_sink(place: Place) -> Sentinel:
    """Makes the sink of a URL: ``sentinel+https://ENDPOINT/RULE/STREAM``, the rule by its immutable id."""
    if place.schema in ("cef", "leef"):
        raise RuleError(f"sink {place.scheme}: it takes events of JSON, not {place.schema}")
    return Sentinel(place)


class Sentinel:
    """A stream of a data collection rule. It keeps every event that comes."""

    takes_ids = False
    limits = Limits(bytes=950 << 10, each=900 << 10, at_once=2)

    def __init__(self, place: Place) -> None:
        self._http = Http(place, 443)
        self.label = self._http.label
        rule, _, stream = place.path.partition("/")
        if not rule or not stream or "/" in stream:
            raise RuleError(f"sink {self.label}: expected {place.scheme}://ENDPOINT/dcr-.../Custom-STREAM")
        self.label = f"{self.label}/{rule}/{stream}"  # by which dead letters of two streams are told apart
        quoted = (urllib.parse.quote(rule), urllib.parse.quote(stream))
        self._path = f"/dataCollectionRules/{quoted[0]}/streams/{quoted[1]}?api-version={_API}"
        self._token = _Token(place)

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the event, and what separates it from the next one."""
        return line + b","

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Sends an array of events. 204 says that all were taken."""
        body = b"[" + b"".join(piece.body for piece in pieces)[:-1] + b"]"
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self._token.get()}"}
        answer = self._http.post(self._path, body, headers)
        if answer.status == 401 and self._token.drop():
            raise BusyError(f"{self.label}: answered 401; the token is made anew")
        if answer.status == 400:
            raise SplitError(f"{self.label}: answered 400: {said(answer.body)}")
        if answer.status not in (200, 204):
            raise self._http.refused(answer)
        return Receipt()

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()


class _Token:
    """A token of Entra: ``--auth`` is ``TENANT:CLIENT:SECRET``, or ``Bearer TOKEN`` that somebody else has made."""

    def __init__(self, place: Place) -> None:
        self._lock = threading.Lock()
        self._place, self._value, self._end = place, "", 0.0
        secret = place.auth or ""
        self._made = not secret.startswith("Bearer ")
        if not self._made:
            self._value, self._end = header_of(secret[7:]), float("inf")
        elif secret.count(":") < 2:
            raise RuleError(f"sink {place.scheme}: expected --auth with TENANT:CLIENT:SECRET or Bearer TOKEN")

    def get(self) -> str:
        with self._lock:
            if time.time() > self._end - _EARLY:
                self._renew()
            return self._value

    def drop(self) -> bool:
        """Forgets the token. Returns whether another one can be made; once in a minute."""
        with self._lock:
            can = self._made and time.time() - self._since > 60
            self._end = 0.0 if can else self._end
            return can

    def _renew(self) -> None:
        tenant, client, secret = str(self._place.auth).split(":", 2)
        url = str(self._place.option("authority", _AUTHORITY))
        server = Server(url, 443, self._place.allow_hosts, self._place.option("ca"))
        form = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret, "scope": _SCOPE}
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        path = f"/{urllib.parse.quote(tenant)}/oauth2/v2.0/token"
        answer = server.ask("POST", path, urllib.parse.urlencode(form).encode(), headers)
        server.close()
        if answer.status in (429, 500, 502, 503, 504):
            raise BusyError(f"{server.label}: answered {answer.status}")
        try:
            made = json.loads(answer.body)
            self._value, self._end = made["access_token"], time.time() + float(made.get("expires_in", 3600))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StoppedError(f"{server.label}: no token: answered {answer.status}") from None
        self._since = time.time()

    _since = 0.0
