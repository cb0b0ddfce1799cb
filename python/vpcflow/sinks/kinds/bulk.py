"""OpenSearch and Elasticsearch, by ``_bulk``."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Sequence
from typing import Any

from ..._hints import hint
from ...errors import RuleError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt, StoppedError
from ._http import Http, header_of, json_of, said

SCHEMES = ("opensearch+http", "opensearch+https", "elastic+http", "elastic+https")
OPTIONS = ("op", "ca")
_OPS = ("create", "index")
_PORT = 9200
_EXISTS, _AGAIN, _NOWHERE = 409, (408, 429, 500, 502, 503, 504), (401, 403, 404)
_GROWING = ("sessions", "findings")
_NO_NAME = "invalid_index_name"
_NOT_IN_NAMES = frozenset(' ,"*+/\\|?#<>:')
_IS_STREAM = "op_type of create"  # in the reason by which data streams refuse to replace


def open_sink(place: Place) -> Bulk:
    """Makes the sink of a URL: ``opensearch+https://HOST[:9200]/[PREFIX/]INDEX``."""
    if place.schema in ("cef", "leef"):
        raise RuleError(f"sink {place.scheme}: it takes events of JSON, not {place.schema}")
    return Bulk(place)


class Bulk:
    """An index or data stream. The id of an event is that of the document: ``create`` keeps the first one, ``index``
    replaces it by the last one. Without ``?op=`` records are created, sessions and findings replaced, but in a data
    stream, which takes ``create`` alone."""

    takes_ids = True
    limits = Limits(bytes=5 << 20, items=5000, each=50 << 20, at_once=2)

    def __init__(self, place: Place) -> None:
        self._http = Http(place, _PORT)
        self.label = self._http.label
        prefix, _, index = place.path.rpartition("/")
        is_name = index not in ("", ".", "..") and not index.startswith(("_", "-")) and index == index.lower()
        if not is_name or _NOT_IN_NAMES & set(index):
            expected = f"{place.scheme}://HOST:PORT/INDEX, one index or data stream, in lower case"
            raise RuleError(f"sink {self.label}: index {index!r}; expected {expected}")
        self.label = f"{self.label}/{index}"  # by which dead letters of two indices are told apart
        self._is_asked = place.option("op") is not None
        self._op = str(place.option("op", "index" if place.unit in _GROWING else "create"))
        if self._op not in _OPS:
            raise RuleError(f"sink {self.label}: op={self._op!r}; {hint(self._op, list(_OPS))}")
        named = [urllib.parse.quote(part) for part in (*filter(None, prefix.split("/")), index)]
        # What the answer says of documents that were taken is not needed, but there are servers that filter nothing.
        self._path = f"/{'/'.join(named)}/_bulk"
        self._headers = {"Content-Type": "application/x-ndjson", **authorization(place.auth)}

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the document."""
        return line

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Sends documents; the answer has a status for each."""
        op = self._op
        body = b"".join(b'{"%s":{"_id":%s}}\n%s\n' % (op.encode(), json.dumps(p.id).encode(), p.body) for p in pieces)
        answer = self._http.post(self._path, body, self._headers)
        if answer.status != 200:
            raise self._http.refused(answer)
        items = _items(json_of(answer, self.label), [piece.id for piece in pieces])
        if items is None:
            raise BusyError(f"{self.label}: the answer does not say what became of each event")
        if op == "index" and any(status == 400 and _IS_STREAM in why for status, why in items):
            if self._is_asked:
                raise StoppedError(f"{self.label}: a data stream takes op=create alone; leave ?op=index out")
            self._op = "create"
            return self.send(pieces)
        return self._receipt(items, op)

    def _receipt(self, items: Sequence[tuple[int, str]], op: str) -> Receipt:
        retry: list[int] = []
        dead: list[tuple[int, str]] = []
        known, reason = 0, ""
        for i, (status, why) in enumerate(items):
            if (status == _EXISTS and op == "create") or (status == 200 and why == "updated"):
                known += 1
            elif status in _AGAIN or status == _EXISTS:  # of a document that another request changed just now
                retry.append(i)
                reason = f"{status} {why}"
            elif status in _NOWHERE or why.startswith(_NO_NAME):
                raise StoppedError(f"{self.label}: {status} {why}")
            elif not 200 <= status < 300:
                dead.append((i, f"{status} {why}"))
        return Receipt(retry, dead, known, reason=reason)

    def close(self) -> None:
        """Ends the connections."""
        self._http.close()


def _items(answer: Any, ids: Sequence[str]) -> list[tuple[int, str]] | None:
    """Returns the status of each document, and the reason or the result; or ``None`` if the answer has another shape,
    or is about other documents."""
    found = []
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list) or len(items) != len(ids):
        return None
    for item, identity in zip(items, ids):
        inner = next(iter(item.values()), None) if isinstance(item, dict) else None
        if not isinstance(inner, dict) or type(inner.get("status")) is not int:
            return None
        if inner.get("_id", identity) not in (identity, None):
            return None
        status = inner["status"]
        found.append((status, _reason(inner.get("error")) if status >= 300 else str(inner.get("result"))))
    return found


def _reason(error: Any) -> str:
    parts: list[str] = []
    while isinstance(error, dict) and len(parts) < 3:  # the cause says which field it was
        parts.append(": ".join(str(error[name]) for name in ("type", "reason") if error.get(name)))
        error = error.get("caused_by")
    text = "; ".join(filter(None, parts)) if parts else json.dumps(error)
    return said(text.encode(errors="replace"))


def authorization(auth: str | None) -> dict[str, str]:
    """Returns the header of a secret: ``USER:PASSWORD``, or ``ApiKey ...`` and ``Bearer ...`` as they are.

    >>> authorization("u:p"), authorization("ApiKey abc"), authorization(None)
    ({'Authorization': 'Basic dTpw'}, {'Authorization': 'ApiKey abc'}, {})
    """
    if auth is None:
        return {}
    if auth.startswith(("ApiKey ", "Bearer ", "Basic ")):
        return {"Authorization": header_of(auth)}
    if ":" not in auth:
        raise RuleError("auth: expected USER:PASSWORD, ApiKey ..., or Bearer ...")
    return {"Authorization": f"Basic {base64.b64encode(auth.encode()).decode()}"}
