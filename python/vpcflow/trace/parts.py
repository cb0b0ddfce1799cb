"""What an address offered and tried, its peers and its hours, out of its sessions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..health.naming import is_inside

Session = Mapping[str, Any]
_PORTS = 10  # that a peer's row names


@dataclasses.dataclass
class Group:
    """Sessions that have something in common."""

    sessions: int = 0
    answered: int = 0
    rejected: int = 0
    sent: int = 0  # by the address
    received: int = 0
    first: int | None = None
    last: int | None = None
    clients: set[str] = dataclasses.field(default_factory=set)  # that the address answered
    ports: set[tuple[int, int]] = dataclasses.field(default_factory=set)
    roles: set[str] = dataclasses.field(default_factory=set)  # that the address had

    def add(self, session: Session, address: str) -> None:
        """Adds a session of the address."""
        client = session["client"] == address
        self.sessions += 1
        self.answered += session["answered"] is True
        self.rejected += session["state"] == "rejected"
        if session["counted"]:
            self.sent += session["client_bytes" if client else "server_bytes"] or 0
            self.received += session["server_bytes" if client else "client_bytes"] or 0
        self.first = min(session["start"], session["start"] if self.first is None else self.first)
        self.last = max(session["end"], session["end"] if self.last is None else self.last)
        if session["answered"] and not client:
            self.clients.add(session["client"])
        if session["server_port"] is not None:
            self.ports.add((session["server_port"], session["protocol"]))
        self.roles.add("unknown" if not session["client_known"] else "client" if client else "server")

    def figures(self) -> dict[str, Any]:
        """Returns its counts."""
        return {
            "sessions": self.sessions, "answered": self.answered, "rejected": self.rejected,
            "bytes_sent": self.sent, "bytes_received": self.received, "first": self.first, "last": self.last,
        }  # fmt: skip


def grouped(sessions: Iterable[Session], address: str, key: Callable[[Session], Any]) -> dict[Any, Group]:
    """Groups sessions of the address by a key; those whose key is ``None`` are left out."""
    out: dict[Any, Group] = {}
    for session in sessions:
        own = key(session)
        if own is not None:
            out.setdefault(own, Group()).add(session, address)
    return out


def offered(sessions: Iterable[Session], address: str, interface: str | None) -> list[dict[str, Any]]:
    """Returns a row for each port at which the address answered clients, those with most clients first."""

    def port(session: Session) -> tuple[int | None, int | None] | None:
        asked = session["client_known"] and session["server"] == address
        return (session["server_port"], session["protocol"]) if asked else None

    rows = [
        {"kind": "offered", "interface": interface, "port": key[0], "protocol": key[1], "clients": len(own.clients),
         **own.figures()}
        for key, own in grouped(sessions, address, port).items()
        if own.answered
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row["clients"], -row["sessions"], row["port"] or 0, row["protocol"] or 0))


def tried(sessions: Iterable[Session], address: str, interface: str | None) -> list[dict[str, Any]]:
    """Returns a row for each server and port that the address called, in order of time."""

    def target(session: Session) -> tuple[Any, ...] | None:
        calls = session["client_known"] and session["client"] == address
        return (session["server"], session["server_port"], session["protocol"]) if calls else None

    rows = [
        {"kind": "tried", "interface": interface, "server": key[0], "port": key[1], "protocol": key[2], **own.figures()}
        for key, own in grouped(sessions, address, target).items()
    ]
    return sorted(rows, key=lambda row: (row["first"], row["server"], row["port"] or 0, row["protocol"] or 0))


def peers(
    sessions: Iterable[Session], address: str, interface: str | None, is_new: Callable[[str], bool]
) -> list[dict[str, Any]]:
    """Returns a row for each address that it was in a session with: new ones first, of these those that were answered;
    then by time."""

    def peer(session: Session) -> str | None:
        ends = (session["client"], session["server"])
        return None if address not in ends else ends[1] if ends[0] == address else ends[0]

    rows = [
        {
            "kind": "peer", "interface": interface, "peer": key, "new": is_new(key),
            "inside": is_inside(key), "roles": sorted(own.roles), "ports": _ports(own), **own.figures(),
        }
        for key, own in grouped((one for one in sessions if peer(one)), address, peer).items()
    ]  # fmt: skip
    return sorted(rows, key=peer_order)


def peer_order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Returns the place of a peer's row among others."""
    return (not row["new"], not row["answered"], row["first"], row["peer"])


def carried(sessions: Iterable[Session], address: str, interface: str | None) -> list[dict[str, Any]]:
    """Returns a row for each conversation of others that went through the address, a NAT gateway or load balancer."""
    found: dict[tuple[Any, ...], list[Session]] = {}
    for one in sessions:
        if address not in (one["client"], one["server"]):
            found.setdefault((one["client"], one["server"], one["server_port"], one["protocol"]), []).append(one)
    rows = [
        {
            "kind": "carried", "interface": interface, "client": key[0], "server": key[1], "port": key[2],
            "protocol": key[3], "sessions": len(own), "first": min(one["start"] for one in own),
            "last": max(one["end"] for one in own),
        }
        for key, own in found.items()
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row["first"], row["client"] or "", row["server"] or "", row["port"] or 0))


def _ports(own: Group) -> list[str]:
    from .._display import protocol_names

    names = protocol_names()
    return [f"{port}/{names.get(number, str(number)).lower()}" for port, number in sorted(own.ports)[:_PORTS]]
