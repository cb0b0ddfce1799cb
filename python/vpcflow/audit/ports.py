"""Ports as controls name them: ``tcp/443``, ``udp/8000-8100``, ``icmp``, ``proto-47``, ``ipv6 tcp/443``, ``any``."""

from __future__ import annotations

import dataclasses
import functools
import re

from .._display import printable, protocol_names
from .._hints import hint
from .source import Value

_TEXT = re.compile(r"(?:(ipv4|ipv6)(?:[ :]+|$))?([a-z0-9._-]+)?(?:/([0-9]{1,5})(?:-([0-9]{1,5}))?)?", re.I)
_ALIKE = {"ipv6-icmp": "icmpv6", "icmp6": "icmpv6"}
_WITH_PORTS = (6, 17, 33, 132, 136)
_ICMP = (1, 58)
_LAST_PORT = 65535
_NUMBER = re.compile(r"proto-([0-9]{1,3})")
_LAST_PROTOCOL = 255


@dataclasses.dataclass(frozen=True)
class Ports:
    """Some ports of the server. ``family``: 4 or 6, 0 for both; ``protocol``: -1 for any; ``first`` and ``last``: -1
    for all ports, and for protocols without."""

    text: str
    family: int = 0
    protocol: int = -1
    first: int = -1
    last: int = -1

    def holds(self, v6: bool, protocol: int | None, port: int | None) -> bool | None:
        """Tells whether they are those of a session; ``None`` if its protocol or port is not known."""
        if self.family and (self.family == 6) != v6:
            return False
        if self.protocol >= 0 and protocol is None:
            return None
        if self.protocol >= 0 and protocol != self.protocol:
            return False
        if self.first < 0:
            return True
        return None if port is None else self.first <= port <= self.last


@functools.cache
def _protocols() -> dict[str, int]:
    """Numbers of protocols by name, in small letters."""
    return {usual.lower(): number for number, usual in protocol_names().items()}


def ports_of(value: Value, key: str) -> tuple[Ports, ...]:
    """Returns the ports of a text or list; :class:`~vpcflow.RuleError` says what is none."""
    return tuple(_one(one, key) for one in value.each(key))


def _one(value: Value, key: str) -> Ports:
    text = value.text(key)
    match = _TEXT.fullmatch(text.strip())
    expected = "expected such as tcp/443, udp/8000-8100, icmp, icmpv6, ipv6 tcp/443, any"
    if match is None or not text.strip():
        raise value.fail(f"{key}: {printable(text)!r}: {expected}")
    family, name, first, last = match.groups()
    protocol = _number_of(value, key, name)
    if first is None:
        return Ports(text, int(family[3:]) if family else 0, protocol)
    if protocol in _ICMP:
        raise value.fail(f"{key}: {printable(text)!r}: ICMP has no port, and flow logs have no types: write {name}")
    if protocol not in _WITH_PORTS:
        raise value.fail(f"{key}: {printable(text)!r}: only tcp, udp, sctp and the like have ports; {expected}")
    begin, end = int(first), int(last or first)
    if not begin <= end <= _LAST_PORT:
        raise value.fail(f"{key}: {printable(text)!r}: expected ports from 0 to {_LAST_PORT}, the lower one first")
    return Ports(text, int(family[3:]) if family else 0, protocol, begin, end)


def _number_of(value: Value, key: str, name: str | None) -> int:
    if name is None or name.lower() in ("any", "all"):
        return -1
    number = _NUMBER.fullmatch(name.lower())
    if number is not None and int(number[1]) <= _LAST_PROTOCOL:
        return int(number[1])
    if name.isdigit():
        raise value.fail(
            f"{key}: {name}: a port needs its protocol, as tcp/{name}; a protocol's number is proto-{name}"
        )
    known = _protocols()
    found = known.get(_ALIKE.get(name.lower(), name.lower()))
    if found is None:
        raise value.fail(f"{key}: no protocol {printable(name)!r}; {hint(name.lower(), ['any', *known])}")
    return found


def any_holds(ports: tuple[Ports, ...], v6: bool, protocol: int | None, port: int | None) -> bool | None:
    """Tells whether one of some ports is a session's; ``None`` if it is not known."""
    answers = [one.holds(v6, protocol, port) for one in ports]
    return True if True in answers else None if None in answers else False
