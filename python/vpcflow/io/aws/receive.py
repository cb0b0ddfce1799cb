"""An HTTP endpoint for Firehose: what it delivers is on disk before it is acknowledged."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import re
import threading
import time
from typing import Any, Callable

from ...errors import OutputError
from ..listening import Handler, Listener
from ..packed import PACKED, RefusedError, unpacked
from ..writing import cannot_write

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,127}")
_MOST_UNPACKED = 256 << 20  # bytes of a request, or a record of it
_MOST_DRAINED = 128 << 20  # bytes of a request that is refused
_AT_ONCE = 32  # requests


class Spool:
    """A folder of deliveries, one file each. Any thread may write to it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.fspath(folder)
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from None

    def keep(self, id: str, data: bytes) -> bool:
        """Writes a delivery, and returns when it would outlive a loss of power. Returns whether it is new: one that is
        there has come before. Raises :class:`~vpcflow.OutputError`."""
        path = os.path.join(self.folder, f"firehose-{id}.log")
        if os.path.exists(path):
            return False
        temporary = os.path.join(self.folder, f".{id}.{threading.get_ident()}.part")
        try:
            try:
                with open(temporary, "xb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
                os.replace(temporary, path)
                self._sync()
            except BaseException:
                if os.path.exists(temporary):
                    os.unlink(temporary)
                raise
        except OSError as error:
            raise cannot_write(path, error) from None
        return True

    def _sync(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def delivery_of(body: bytes) -> tuple[str, bytes]:
    """Returns the id of a delivery, and its records as text, each with a line end. Raises :class:`RefusedError`.

    >>> delivery_of(b'{"requestId": "a-1", "timestamp": 1, "records": [{"data": "MiAx"}]}')
    ('a-1', b'2 1\\n')
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "the body is no JSON") from None
    records = found.get("records") if isinstance(found, dict) else None
    id = found.get("requestId") if isinstance(found, dict) else None
    if not isinstance(records, list) or not isinstance(id, str) or not _ID.fullmatch(id):
        raise RefusedError(400, "the body has no requestId and records")
    out = []
    room = _MOST_UNPACKED
    for number, record in enumerate(records):
        try:
            data = base64.b64decode(record["data"], validate=True)
        except (TypeError, KeyError, ValueError, binascii.Error):
            raise RefusedError(400, f"record {number}: no data in base64") from None
        if data.startswith(PACKED):  # of a subscription of CloudWatch
            data = unpacked(data, room)
        room -= len(data)
        out.append(data if data.endswith(b"\n") else data + b"\n")
    return id, b"".join(out)


class Receiver:
    """A server of Firehose's protocol. ``key``: what requests must bear in ``X-Amz-Firehose-Access-Key``.
    ``max_request``: bytes of a request. ``log`` gets a line for each delivery and each refusal; never the key."""

    def __init__(
        self, host: str, port: int, key: str, spool: Spool, max_request: int, log: Callable[[str], None]
    ) -> None:
        self._key, self._spool, self._most, self._log = key.encode(), spool, max_request, log
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        self.last = time.monotonic()  # when something came
        self._server = Listener(host, port, _handler_of(self))

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._server.url

    def run(self) -> None:
        """Serves until :meth:`stop`, by another thread or a handler of signals."""
        self._server.run()  # waits at its end for requests under way

    def stop(self) -> None:
        """Ends :meth:`run`."""
        self._server.stop()

    def take(self, headers: Any, read: Callable[[int], bytes]) -> tuple[str, bool, int]:
        """Takes a request: returns its id, whether it is new, and its bytes of text. Raises :class:`RefusedError`."""
        length = headers.get("Content-Length") or ""
        try:
            return self._taken(headers, read)
        except RefusedError as refused:
            if refused.unread and length.isdecimal():  # who still sends would not see the answer
                left = min(int(length), _MOST_DRAINED)
                while left and (data := read(min(left, 1 << 16))):
                    left -= len(data)
            raise

    def _taken(self, headers: Any, read: Callable[[int], bytes]) -> tuple[str, bool, int]:
        given = (headers.get("X-Amz-Firehose-Access-Key") or "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, self._key):
            raise RefusedError(401, "the access key is missing or wrong", unread=True)
        length = headers.get("Content-Length")
        if length is None or not length.isdecimal():
            raise RefusedError(411, "a Content-Length is needed")
        if int(length) > self._most:
            raise RefusedError(
                413, f"the request has {int(length):,} bytes; at most {self._most:,} are taken", unread=True
            )
        if not self._room.acquire(blocking=False):
            raise RefusedError(503, "too many requests at once", unread=True)
        try:
            return self._kept(headers, read(int(length)), int(length))
        finally:
            self._room.release()

    def _kept(self, headers: Any, body: bytes, length: int) -> tuple[str, bool, int]:
        if len(body) != length:
            raise RefusedError(400, "the request was cut off")
        encoding = (headers.get("Content-Encoding") or "identity").lower()
        if encoding == "gzip":
            body = unpacked(body, _MOST_UNPACKED)
        elif encoding != "identity":
            raise RefusedError(415, "the Content-Encoding is neither gzip nor identity")
        id, text = delivery_of(body)
        named = headers.get("X-Amz-Firehose-Request-Id")
        if named is not None and named != id:
            raise RefusedError(400, "the requestId of the body is not that of the header")
        try:
            return id, self._spool.keep(id, text), len(text)
        except OutputError as error:
            self._log(f"error: {error}")
            raise RefusedError(500, "the delivery could not be written") from None

    def tell(self, text: str) -> None:
        """Logs a line."""
        self.last = time.monotonic()
        self._log(text)


def _handler_of(receiver: Receiver) -> type[Handler]:
    class Firehose(Handler):
        def do_POST(self) -> None:  # noqa: N802
            id = self.headers.get("X-Amz-Firehose-Request-Id") or ""
            try:
                id, new, size = receiver.take(self.headers, self.rfile.read)
            except RefusedError as refused:
                self.close_connection = True  # the body may be unread
                receiver.tell(f"{self.client_address[0]}: refused ({refused.status}): {refused}")
                self._reply(refused.status, id, str(refused))
                return
            receiver.tell(f"{self.client_address[0]}: {id}: {size:,} bytes" if new else f"{id}: came before")
            self._reply(200, id)

        def do_GET(self) -> None:  # noqa: N802
            """Says to balancers and probes that it is there."""
            self._reply(200, "")

        def _reply(self, status: int, id: str, error: str = "") -> None:
            answer: dict[str, object] = {"requestId": id[:128], "timestamp": int(time.time() * 1000)}
            if error:
                answer["errorMessage"] = error
            self.answer(status, json.dumps(answer).encode())

    return Firehose
