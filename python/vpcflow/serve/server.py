"""The HTTP server: what it answers to whom."""

from __future__ import annotations

import functools
import hmac
import ipaddress
import json
import re
import threading
import urllib.parse
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from .._hints import hint
from ..analyze.questions import TABLES
from ..errors import RuleError, VpcflowError
from ..io.listening import Handler, Listener, is_loopback
from ..io.packed import RefusedError
from . import answers, more
from .answers import MEASURES, Answer
from .asked import CHOICES, Asked, asked_of
from .board import Board, Figures
from .metrics import exposition

_PATIENCE = 30.0  # seconds for a request and its answer
_AT_ONCE = 2  # answers that are computed
_WAIT = 10.0  # seconds that a request waits for its turn
_KEPT = 64  # answers that are kept
_PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
_ALLOWED = "GET, HEAD, OPTIONS"
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(:[0-9]{1,5})?")
_SAFE = {
    "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'",
}  # fmt: skip


class _Route(NamedTuple):
    parameters: tuple[str, ...]
    answer: Callable[[Board, Asked], Answer]


def _of_figures(answer: Callable[[Figures, Asked], Answer]) -> Callable[[Board, Asked], Answer]:
    def made(board: Board, asked: Asked) -> Answer:
        if board.figures is None:
            raise RefusedError(404, answers.NO_LOGS)
        return answer(board.figures, asked)

    return made


def _routes() -> dict[str, _Route]:
    part, times = ("from", "to", "where", *CHOICES, "limit"), ("from", "to", "limit")
    told, of_interface = (*times, "address"), (*times, "interface")
    routes = {}
    for name in TABLES:
        routes[f"/api/v1/table/{name}"] = _Route(part, _of_figures(functools.partial(answers.table, name)))
    routes["/api/v1/table/findings"] = _Route(told, answers.findings)
    routes["/api/v1/table/sessions"] = _Route(times, _of_figures(answers.sessions))
    routes["/api/v1/table/coverage"] = _Route(of_interface, _of_figures(answers.coverage))
    for name in MEASURES:
        own = _of_figures(functools.partial(answers.series, name))
        routes[f"/api/v1/series/{name}"] = _Route((*part, "by"), own)
    rejected = _of_figures(functools.partial(answers.series, "records", only="REJECT"))
    routes["/api/v1/series/rejected"] = _Route((*part, "by"), rejected)
    routes["/api/v1/nodes"] = _Route(part, _of_figures(lambda figures, asked: answers.graph(figures, asked).nodes))
    routes["/api/v1/edges"] = _Route(part, _of_figures(lambda figures, asked: answers.graph(figures, asked).edges))
    for name, answer in (("flows", more.flows), ("new", more.new), ("lines", more.lines), ("volume", more.volume)):
        allowed = part if name in ("flows", "new") else times
        routes[f"/api/v1/table/{name}"] = _Route(allowed, _of_figures(answer))
    routes["/api/v1/table/zones"] = _Route(part, more.zones)
    for parameter, name in (
        ("account", "accounts"),
        ("region", "regions"),
        ("vpc", "vpcs"),
        ("interface", "interfaces"),
    ):
        routes[f"/api/v1/table/{name}"] = _Route(part, _of_figures(functools.partial(more.places, parameter)))
    routes["/api/v1/table/controls"] = _Route(times, more.controls)
    routes["/api/v1/table/cost"] = _Route(times, more.cost)
    routes["/api/v1/table/severities"] = _Route(told, more.severities)
    routes["/api/v1/series/status"] = _Route(of_interface, _of_figures(more.status))
    routes["/api/v1/annotations"] = _Route(told, answers.notes)
    return routes


ROUTES = _routes()
PATHS = ["/", "/metrics", *ROUTES]


class _Reply(NamedTuple):
    body: bytes
    kind: str
    headers: dict[str, str]


class Server:
    """A server of a board, which may be replaced while it runs. ``token``: what requests must bear; beyond this machine
    it is needed. ``hosts``: names under which it may be asked for, beside its address: a page of another site that
    resolves its own name to this machine is refused.

    Raises :class:`~vpcflow.RuleError` without a token where one is needed, :class:`~vpcflow.SourceError` if it cannot
    listen. Any number of requests at once; two answers are computed at a time, and the last ones are kept.
    """

    def __init__(
        self, host: str, port: int, board: Board, token: str | None = None, hosts: tuple[str, ...] = ()
    ) -> None:  # fmt: skip
        if token is None and not is_loopback(host):
            raise RuleError(f"--listen {host}:{port}: others reach that; give --token env:NAME, which they must know")
        self._board, self._token = board, None if token is None else token.encode()
        self._hosts = {"localhost", "127.0.0.1", "::1", host.lower(), *(name.lower() for name in hosts)}
        self._everywhere = host in ("0.0.0.0", "::")
        self._turn = threading.BoundedSemaphore(_AT_ONCE)
        self._kept: dict[object, _Reply] = {}
        self._lock = threading.Lock()
        self._listener = Listener(host, port, _handler_of(self), patience=_PATIENCE, waits=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return self._listener.url

    def run(self) -> None:
        """Serves until :meth:`stop`."""
        self._listener.run()

    def stop(self) -> None:
        """Ends :meth:`run`."""
        self._listener.stop()

    def close(self) -> None:
        """Frees the address of a server that never ran."""
        self._listener.server_close()

    def replace(self, board: Board) -> None:
        """Serves another board from now on."""
        with self._lock:
            self._board = board
            self._kept.clear()

    def admit(self, host: str | None, authorization: str | None) -> None:
        """Checks who asks. Raises :class:`RefusedError`."""
        if not self._named(host or ""):
            raise RefusedError(403, "the Host is not one of this server; --allow-host adds one")
        if self._token is not None:
            given = (authorization or "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, b"Bearer " + self._token):
                raise RefusedError(401, "the token is missing or wrong; send Authorization: Bearer TOKEN")

    def _named(self, host: str) -> bool:
        parts = _HOST.fullmatch(host.lower())
        if parts is None:
            return False
        name = parts["name"].strip("[]")
        if name in self._hosts:
            return True
        if self._everywhere:  # by whichever address of this machine; no name leads there
            with suppress(ValueError):
                return bool(ipaddress.ip_address(name))
        return False

    def reply(self, target: str) -> _Reply:
        """Answers the target of a request. Raises :class:`RefusedError`."""
        path, _, query = target.partition("?")
        board = self._board
        if path == "/":
            return _Reply(json.dumps({"paths": PATHS}).encode() + b"\n", "application/json", {})
        if path not in PATHS:
            near = urllib.parse.unquote(path, errors="replace")[:100]
            raise RefusedError(404, f"no {near!r}; {hint(near, PATHS)}")
        if path == "/metrics" and query:
            raise RefusedError(400, "/metrics has no parameters")
        key = (path, query, board.stamp())
        with self._lock:
            kept = self._kept.pop(key, None)
            if kept is not None:
                self._kept[key] = kept  # the last asked for is the last to go
                return kept
        if not self._turn.acquire(timeout=_WAIT):
            raise RefusedError(503, "too many questions at once")
        try:
            made = self._made(board, path, query)
        finally:
            self._turn.release()
        with self._lock:
            if board is self._board:
                while len(self._kept) >= _KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[key] = made
        return made

    def _made(self, board: Board, path: str, query: str) -> _Reply:
        if path == "/metrics":
            return _Reply(exposition(board).encode(), _PROMETHEUS, {})
        route = ROUTES[path]
        asked = asked_of(query, board.figures, route.parameters)
        found = route.answer(board, asked)
        headers = {
            "X-Vpcflow-Coverage": _coverage(board.figures), "X-Vpcflow-Total": str(found.total),
            "X-Vpcflow-Other": str(found.other), **found.headers,
        }  # fmt: skip
        for name, time in zip(("X-Vpcflow-From", "X-Vpcflow-To"), asked.window):
            if time is not None:
                headers[name] = str(time * 1000)
        return _Reply(answers.body_of(found), "application/json", headers)


def _coverage(figures: Figures | None) -> str:
    """Says what the logs show: the share of minutes of interfaces with a record, and where counts are a floor."""
    if figures is None:
        return "unknown; no logs are served"
    share = figures.share_covered
    if share is None:
        return "unknown; the logs do not say of which interface and time they are"
    seen = figures.minutes
    text = f"{share:.4f}; absent-minutes={seen['absent']}; skipdata-minutes={seen['SKIPDATA']}"
    return text + ("; damaged" if figures.damage is not None else "")


def _handler_of(server: Server) -> type[Handler]:
    class Asking(Handler):
        timeout = 10.0

        def do_GET(self) -> None:  # noqa: N802
            try:
                hosts = self.headers.get_all("Host", [])
                server.admit(hosts[0] if len(hosts) == 1 else None, self.headers.get("Authorization"))
                if self.headers.get("Content-Length", "0") != "0" or self.headers.get("Transfer-Encoding"):
                    self.close_connection = True
                    raise RefusedError(400, "a GET has no body")
                made = server.reply(self.path)
            except RefusedError as refused:
                self._refuse(refused.status, str(refused))
            except VpcflowError as error:  # of the state of a watch
                self._refuse(503, str(error))
            else:
                self.answer(200, made.body, made.kind, {**_SAFE, **made.headers})

        def _refuse(self, status: int, why: str) -> None:
            more = {401: {"WWW-Authenticate": "Bearer"}, 405: {"Allow": _ALLOWED}, 503: {"Retry-After": "5"}}
            body = json.dumps({"error": why}).encode() + b"\n"
            self.answer(status, body, "application/json", {**_SAFE, **more.get(status, {})})

        def _only_get(self) -> None:
            self.close_connection = True  # the body is unread
            self._refuse(405, "only GET is allowed: nothing can be changed here")

        do_HEAD = do_GET  # noqa: N815
        do_POST = do_PUT = do_PATCH = do_DELETE = _only_get  # noqa: N815

        def do_OPTIONS(self) -> None:  # noqa: N802
            self.close_connection = True  # a body would be unread
            self.answer(200, b"", "text/plain", {**_SAFE, "Allow": _ALLOWED})

    return Asking
