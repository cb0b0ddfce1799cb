"""Reads controls from files and plain values, and checks them."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .._display import printable
from .._hints import hint
from .._units import unix_seconds
from ..errors import RuleError, VpcflowError
from .frames import check_maps
from .model import KINDS, Control, Controls, Exempt, Kind, Place, Zone
from .ports import ports_of
from .source import Value, of, read

_TOP = ("inventory", "frames", "zones", "controls", "coverage")
_ZONE = ("cidr", "vpc", "subnet", "interface", "account", "tag", "not", "outside")
_CONTROL = ("id", "title", *KINDS, "maps", "coverage", "exceptions")
_ASSERTION = {
    "deny": ("from", "to", "ports", "except"), "allow_only": ("from", "to", "ports"), "require": ("from", "to", "ports")
}  # fmt: skip
_EXCEPTION = ("id", "from", "to", "ports", "until", "owner", "ticket")


def load(source: str | os.PathLike[str] | Mapping[str, Any]) -> Controls:
    """Loads controls from a file, YAML or JSON, or from plain values. :class:`~vpcflow.RuleError` names the file, the
    line and the nearest right name.

    >>> from vpcflow import audit
    >>> controls = audit.load({
    ...     "zones": {"dev": {"cidr": "10.30.0.0/16"}, "cde": {"cidr": "10.20.0.0/16"}},
    ...     "controls": [{"id": "seg", "deny": {"from": "dev", "to": "cde", "except": ["tcp/443"]}}]})
    >>> controls.controls[0].question
    'No session of a client of dev to cde except at tcp/443 is let in or answered.'
    """
    if isinstance(source, Mapping):
        return _controls(of(source, "controls"), "controls", Path())
    return _controls(read(source), os.fspath(source), Path(os.fspath(source)).parent)


def _controls(value: Value, name: str, folder: Path) -> Controls:
    top = value.mapping("controls", _TOP)
    for key in ("zones", "controls"):
        if key not in top:
            raise value.fail(f"{key} is missing")
    zones = _zones(top["zones"])
    frames = tuple(str(folder / one) for one in top["frames"].texts("frames")) if "frames" in top else ()
    least = _least(top["coverage"]) if "coverage" in top else 1.0
    listed = top["controls"].listed("controls")
    if not listed:
        raise top["controls"].fail("controls: the list is empty: there is nothing to check")
    controls: dict[str, Control] = {}
    for item in listed:
        one = _control(item, zones, least)
        if one.id in controls:
            raise item.fail(f"control {printable(one.id)}: duplicate id")
        check_maps(one, frames)
        controls[one.id] = one
    given = str(folder / top["inventory"].text("inventory")) if "inventory" in top else ""
    return Controls(zones, tuple(controls.values()), given, frames, name)


def _zones(value: Value) -> dict[str, Zone]:
    named = value.mapping("zones")
    zones = {name: _zone(name, one) for name, one in named.items()}
    for name, zone in zones.items():
        for other in zone.without:
            if other not in zones:
                what = f"no zone {printable(other)!r}; {_known(other, zones)}"
                raise named[name].fail(f"zone {printable(name)}: not: {what}")
        seen, todo = {name}, list(zone.without)
        while todo:
            other = todo.pop()
            if other == name:
                raise named[name].fail(f"zone {printable(name)}: not: it leaves itself out")
            if other in zones and other not in seen:
                seen.add(other)
                todo += zones[other].without
    return zones


def _known(name: str, zones: Mapping[str, Any]) -> str:
    return hint(name, list(zones)) if zones else "there are none"


def _zone(name: str, value: Value) -> Zone:
    place = f"zone {printable(name)}"
    keys = value.mapping(place, _ZONE)
    if not set(keys) - {"outside"}:
        raise value.fail(f"{place}: expected one of {', '.join(_ZONE[:-1])}")
    lists: dict[str, tuple[str, ...]] = {
        key: tuple(keys[key].texts(f"{place}: {key}")) for key in ("vpc", "subnet", "interface") if key in keys
    }
    if "account" in keys:
        lists["account"] = tuple(one.zfill(12) for one in keys["account"].texts(f"{place}: account"))
    if "cidr" in keys:
        lists["cidr"] = _prefixes(keys["cidr"], f"{place}: cidr")
    if "not" in keys:
        lists["without"] = tuple(keys["not"].texts(f"{place}: not"))
    tags: tuple[tuple[str, tuple[str, ...]], ...] = ()
    if "tag" in keys:
        found = keys["tag"].mapping(f"{place}: tag")
        if not found:
            raise keys["tag"].fail(f"{place}: tag: expected keys with values, such as {{env: dev}}")
        tags = tuple((key, tuple(one.texts(f"{place}: tag: {key}"))) for key, one in found.items())
    outside = keys["outside"].inner if "outside" in keys else False
    if not isinstance(outside, bool):
        raise keys["outside"].fail(f"{place}: outside: expected true or false")
    return Zone(name, tag=tags, outside=outside, **lists)


def _prefixes(value: Value, key: str) -> tuple[str, ...]:
    out = []
    for one in value.each(key):
        text = one.text(key)
        try:
            out.append(str(ipaddress.ip_network(text)))
        except ValueError as error:
            raise one.fail(f"{key}: {printable(text)!r}: {error}; expected such as 10.20.0.0/16") from None
    return tuple(out)


def _control(value: Value, zones: Mapping[str, Zone], least: float) -> Control:
    keys = value.mapping("control", _CONTROL)
    if "id" not in keys:
        raise value.fail("control: id is missing")
    id = keys["id"].text("id")
    place = f"control {printable(id)}"
    kinds = [kind for kind in KINDS if kind in keys]
    if len(kinds) != 1:
        raise value.fail(f"{place}: expected one of {', '.join(KINDS)}, not {' and '.join(kinds) or 'none'}")
    kind: Kind = kinds[0]
    said = keys[kind].mapping(f"{place}: {kind}", _ASSERTION[kind])
    for key in ("from", *(("to",) if kind != "allow_only" else ())):
        if key not in said:
            raise keys[kind].fail(f"{place}: {kind}: {key} is missing")
    if kind == "allow_only" and "to" not in said and "ports" not in said:
        raise keys[kind].fail(f"{place}: allow_only: expected to or ports, or both")
    if kind == "require" and "exceptions" in keys:
        raise keys["exceptions"].fail(f"{place}: exceptions: a control that requires has none")
    exceptions = [_exception(one, place, zones) for one in _listed(keys, "exceptions", place)]
    for i, one in enumerate(exceptions):
        if one.id in {other.id for other in exceptions[:i]}:
            raise keys["exceptions"].fail(f"{place}: exceptions: duplicate id {printable(one.id)!r}")
    ports = {
        name: ports_of(said[key], f"{place}: {kind}: {key}")
        for name, key in (("ports", "ports"), ("spared", "except")) if key in said
    }  # fmt: skip
    return Control(
        id=id, kind=kind, source=_zones_of(said["from"], f"{place}: {kind}: from", zones),
        target=_zones_of(said["to"], f"{place}: {kind}: to", zones) if "to" in said else None,
        title=keys["title"].text("title") if "title" in keys else "",
        maps=tuple(keys["maps"].texts(f"{place}: maps")) if "maps" in keys else (),
        least=_least(keys["coverage"]) if "coverage" in keys else least,
        exceptions=tuple(exceptions), place=value.place, **ports,
    )  # fmt: skip


def _listed(keys: Mapping[str, Value], key: str, place: str) -> list[Value]:
    return keys[key].listed(f"{place}: {key}") if key in keys else []


def _least(value: Value) -> float:
    keys = value.mapping("coverage", ("least",))
    share = keys["least"].inner if "least" in keys else None
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise value.fail("coverage: least: expected a share from 0 to 1, such as 0.99")
    return float(share)


def _zones_of(value: Value, key: str, zones: Mapping[str, Zone]) -> Place:
    names = value.texts(key)
    for name in names:
        if name not in zones:
            raise value.fail(f"{key}: no zone {printable(name)!r}; {_known(name, zones)}")
    return Place(tuple(dict.fromkeys(names)))


def _place_of(value: Value, key: str, zones: Mapping[str, Zone]) -> Place:
    """Returns zones, addresses and prefixes of an exception."""
    named, prefixes = [], []
    for one in value.each(key):
        text = one.text(key)
        if text in zones:
            named.append(text)
            continue
        try:
            prefixes.append(str(ipaddress.ip_network(text)))
        except ValueError:
            known = f"{_known(text, zones)}; or write an address or a prefix"
            raise one.fail(f"{key}: no zone {printable(text)!r}; {known}") from None
    return Place(tuple(named), tuple(prefixes))


def _exception(value: Value, control: str, zones: Mapping[str, Zone]) -> Exempt:
    keys = value.mapping(f"{control}: exception", _EXCEPTION)
    place = f"{control}: exception {printable(keys['id'].text('id'))}" if "id" in keys else f"{control}: exception"
    for key in ("id", "owner", "until"):
        if key not in keys:
            raise value.fail(f"{place}: {key} is missing; each has id, owner and until, and best a ticket")
    if not {"from", "to", "ports"} & set(keys):
        raise value.fail(f"{place}: expected from, to or ports: it would except everything")
    try:
        text = keys["until"].text("until")
        if text.startswith("-"):
            raise keys["until"].fail(f"{place}: until: {text}: expected a day such as 2026-12-31")
        until = unix_seconds("until", text)
    except RuleError:
        raise
    except VpcflowError as error:
        raise keys["until"].fail(f"{place}: {error}") from None
    ends = {
        name: _place_of(keys[key], f"{place}: {key}", zones)
        for name, key in (("source", "from"), ("target", "to")) if key in keys
    }  # fmt: skip
    return Exempt(
        id=keys["id"].text("id"), owner=keys["owner"].text("owner"),
        ticket=keys["ticket"].text("ticket") if "ticket" in keys else "",
        until=until or 0, ports=ports_of(keys["ports"], f"{place}: ports") if "ports" in keys else (), **ends,
    )  # fmt: skip
