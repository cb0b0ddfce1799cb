"""What a file of controls says: zones, controls and their exceptions."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from .._display import instant
from .ports import Ports

Kind = Literal["deny", "allow_only", "require"]
KINDS: tuple[Kind, ...] = ("deny", "allow_only", "require")


@dataclasses.dataclass(frozen=True)
class Zone:
    """Some addresses: those of which all keys that it has are so. Of the values of a key one is enough."""

    name: str
    cidr: tuple[str, ...] = ()
    vpc: tuple[str, ...] = ()
    subnet: tuple[str, ...] = ()
    interface: tuple[str, ...] = ()
    account: tuple[str, ...] = ()
    tag: tuple[tuple[str, tuple[str, ...]], ...] = ()
    #: Zones whose addresses it does not have.
    without: tuple[str, ...] = ()
    #: Whether its members are where no interface is known, as an office: then it need not have any.
    outside: bool = False

    @property
    def by_interface(self) -> bool:
        """Whether an address alone does not tell whether it is in the zone."""
        return bool(self.vpc or self.subnet or self.interface or self.account or self.tag)

    def said(self) -> dict[str, Any]:
        """Returns its keys as the file has them."""
        out: dict[str, Any] = {
            key: list(getattr(self, key)) for key in ("cidr", "vpc", "subnet", "interface", "account")
            if getattr(self, key)
        }  # fmt: skip
        if self.tag:
            out["tag"] = {key: list(values) for key, values in self.tag}
        if self.without:
            out["not"] = list(self.without)
        return {**out, "outside": True} if self.outside else out


@dataclasses.dataclass(frozen=True)
class Place:
    """One side of a control or of an exception: zones, or prefixes of an exception."""

    zones: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " or ".join((*self.zones, *self.prefixes))


@dataclasses.dataclass(frozen=True)
class Exempt:
    """An exception: what a control lets pass until ``until``, the first second at which it does not (Unix seconds)."""

    id: str
    owner: str
    ticket: str
    until: int
    source: Place | None = None
    target: Place | None = None
    ports: tuple[Ports, ...] = ()


@dataclasses.dataclass(frozen=True)
class Control:
    """An assertion about sessions. ``least``: the share of the minutes of the interfaces of its zones that the logs
    must have. ``target`` is ``None`` for one that allows nothing but ports."""

    id: str
    kind: Kind
    source: Place
    target: Place | None
    ports: tuple[Ports, ...] = ()
    spared: tuple[Ports, ...] = ()
    title: str = ""
    maps: tuple[str, ...] = ()
    least: float = 1.0
    exceptions: tuple[Exempt, ...] = ()
    #: Where it stands in its file.
    place: str = ""

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that it names, each once."""
        return tuple(dict.fromkeys((*self.source.zones, *(self.target.zones if self.target else ()))))

    @property
    def question(self) -> str:
        """What it asserts, in a sentence."""
        ports = " or ".join(one.text for one in self.ports)
        at = f" at {ports}" if ports else ""
        to = f" to {self.target}" if self.target else ""
        if self.kind == "deny":
            spared = f" except at {' or '.join(one.text for one in self.spared)}" if self.spared else ""
            return f"No session of a client of {self.source}{to}{at}{spared} is let in or answered."
        if self.kind == "require":
            return f"A session of a client of {self.source}{to}{at} is answered each day."
        return f"No session of a client of {self.source} other than{to}{at} is let in or answered."

    def plan(self, zones: Mapping[str, Zone]) -> dict[str, Any]:
        """Returns what is asked as plain values: the control with its zones and exceptions."""
        out: dict[str, Any] = {"kind": self.kind, "from": _said(self.source)}
        if self.target is not None:
            out["to"] = _said(self.target)
        for name, ports in (("ports", self.ports), ("except", self.spared)):
            if ports:
                out[name] = [one.text for one in ports]
        used = {name: zones[name].said() for name in _with_others(self.zones, zones)}
        return {**out, "zones": used, "coverage": {"least": self.least},
                "exceptions": [said_of(one) for one in self.exceptions]}  # fmt: skip


def said_of(one: Exempt) -> dict[str, Any]:
    """Returns an exception as plain values."""
    return {
        "id": one.id, "owner": one.owner, "ticket": one.ticket, "until": f"{instant(one.until)} UTC",
        "from": _said(one.source) if one.source else [], "to": _said(one.target) if one.target else [],
        "ports": [port.text for port in one.ports],
    }  # fmt: skip


def _said(place: Place) -> list[str]:
    return [*place.zones, *place.prefixes]


def _with_others(names: tuple[str, ...], zones: Mapping[str, Zone]) -> list[str]:
    """Returns zones and those that they leave out, each once."""
    out: list[str] = []
    todo = list(names)
    while todo:
        name = todo.pop(0)
        if name not in out:
            out.append(name)
            todo += zones[name].without
    return out


@dataclasses.dataclass(frozen=True)
class Controls:
    """A file of controls, by :func:`load`. ``inventory``: the folder that it names, or empty. ``frames``: files with
    requirements beyond those of this package."""

    zones: Mapping[str, Zone]
    controls: tuple[Control, ...]
    inventory: str = ""
    frames: tuple[str, ...] = ()
    name: str = "controls"

    def digest(self, control: Control) -> str:
        """Returns the SHA-256 of what a control asks, by which results of days are known to be of one question."""
        text = json.dumps(control.plan(self.zones), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
