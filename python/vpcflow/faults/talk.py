"""Conversations: what clients and servers send each other, until something on the way drops it."""

from __future__ import annotations

import dataclasses
from typing import Any

from .wire import Packet, Wire
from .world import End, Item

#: Seconds after which an unanswered SYN is sent again, and data that was not acknowledged.
_TRIES = (0.0, 1.0, 3.0, 7.0, 15.0, 31.0)
_AGAIN = (0.0, 0.3, 0.9, 2.1, 4.5, 9.3, 18.9, 38.1)


@dataclasses.dataclass(frozen=True)
class Call:
    """A conversation: who calls whom when. ``answers``: accept, reset, or silent (nothing comes back)."""

    time: float
    client: End
    server: End
    client_port: int
    port: int
    protocol: int = 6
    answers: str = "accept"
    request: int = 500
    response: int = 3000
    #: Bytes of a packet that still gets through; None: all do.
    mtu: int | None = None
    #: What the rules do not know drops what the client, or the server, sends.
    lost_request: bool = False
    lost_reply: bool = False
    #: The interface by which the server answers, if it is not its own.
    answers_by: Item | None = None
    #: The client closes at the end.
    closes: bool = True

    def packet(self, after: float, from_client: bool, size: int, flags: int = 0, count: int = 1) -> Packet:
        """Makes a packet of one side."""
        ends = [(self.client[1], self.client_port), (self.server[1], self.port)]
        (src, sport), (dst, dport) = ends if from_client else ends[::-1]
        kind: Any = None
        if self.protocol in (1, 58):
            kind = {1: (8, 0), 58: (128, 129)}[self.protocol][not from_client]
        six = 20 if ":" in src else 0
        return Packet(self.time + after, src, dst, sport, dport, self.protocol, size + six, flags, count, kind)


def talk(wire: Wire, call: Call) -> float | None:
    """Has a conversation, and returns the seconds after which it was established, or None: it was not."""
    if call.protocol != 6:
        return _ask_and_answer(wire, call)
    for after in _TRIES:
        if not _to_server(wire, call, call.packet(after, True, 60, 2)) or call.answers == "silent":
            continue
        if call.answers == "reset":
            if _to_client(wire, call, call.packet(after + 0.001, False, 40, 4)):
                return None
            continue
        if _to_client(wire, call, call.packet(after + 0.001, False, 60, 18)):
            break
        # The server sends it again, too.
        if _to_client(wire, call, call.packet(after + 1.001, False, 60, 18)):
            break
    else:
        return None
    exchange(wire, call, after + 0.01)
    return after


def exchange(wire: Wire, call: Call, after: float) -> None:
    """Sends a request and its response, and closes if the call does."""
    _to_server(wire, call, call.packet(after, True, 52, 0))
    if call.mtu is not None and call.request > call.mtu:
        _again_and_again(wire, call, after + 0.01, True)
        return
    whole = max(1, -(-call.request // 1448))
    _to_server(wire, call, call.packet(after + 0.01, True, 52 + call.request // whole, count=whole))
    _to_client(wire, call, call.packet(after + 0.02, False, 52))
    if call.mtu is not None and call.response > call.mtu:
        _again_and_again(wire, call, after + 0.03, False)
        return
    whole = max(1, -(-call.response // 1448))
    _to_client(wire, call, call.packet(after + 0.03, False, 52 + call.response // whole, count=whole))
    _to_server(wire, call, call.packet(after + 0.04, True, 52, count=max(1, whole // 2)))
    if call.closes:
        close(wire, call, after + 0.1)


def _again_and_again(wire: Wire, call: Call, after: float, from_client: bool) -> None:
    """Sends a packet that is too large for the way, until the sender gives up."""
    for again in _AGAIN:
        packet = call.packet(after + again, from_client, 9001)
        wire.send(packet, *((call.client, call.server) if from_client else (call.server, call.client)), lost=True)


def close(wire: Wire, call: Call, after: float) -> None:
    """Ends a conversation by FIN of both sides."""
    _to_server(wire, call, call.packet(after, True, 52, 1))
    _to_client(wire, call, call.packet(after + 0.01, False, 52, 1))
    _to_server(wire, call, call.packet(after + 0.02, True, 52))


def _ask_and_answer(wire: Wire, call: Call) -> float | None:
    echo = call.protocol in (1, 58)
    arrived = _to_server(wire, call, call.packet(0, True, 84 if echo else call.request + 28))
    if not arrived or call.answers == "silent":
        return None
    return 0 if _to_client(wire, call, call.packet(0.01, False, 84 if echo else call.response + 28)) else None


def _to_server(wire: Wire, call: Call, packet: Packet) -> bool:
    return wire.send(packet, call.client, call.server, call.lost_request)


def _to_client(wire: Wire, call: Call, packet: Packet) -> bool:
    server = call.server if call.answers_by is None else (call.answers_by, call.server[1])
    return wire.send(packet, server, call.client, call.lost_reply)
