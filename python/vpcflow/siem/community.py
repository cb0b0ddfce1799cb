"""Community ID version 1: one name for a conversation in Zeek, Suricata, Arkime, packet captures and flow logs."""

from __future__ import annotations

import ipaddress
from binascii import b2a_base64
from collections.abc import Mapping, Sequence
from hashlib import sha1
from socket import AF_INET, AF_INET6, inet_pton
from typing import Any

from ..errors import PlanError
from ..query.arguments import whole

_ICMP, _ICMP6 = 1, 58
_WITH_PORTS = {6, 17, 132, _ICMP, _ICMP6}  # TCP, UDP, SCTP
# The type that answers a type; messages of others have one direction.
_ANSWERS = {
    _ICMP: {8: 0, 0: 8, 13: 14, 14: 13, 15: 16, 16: 15, 10: 9, 9: 10, 17: 18, 18: 17},
    _ICMP6: {
        128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 130: 131, 131: 130, 139: 140, 140: 139,
        144: 145, 145: 144,
    },
}  # fmt: skip
_CALL = "community_id('10.0.0.1', '10.0.0.2', 6, 40000, 443)"


def community_id(
    srcaddr: str, dstaddr: str, protocol: int, srcport: int | None = None, dstport: int | None = None, *, seed: int = 0
) -> str | None:
    """Returns the Community ID (version 1) of a conversation, the same for both directions.

    ``srcport``, ``dstport``: of ICMP the type and the code. ``seed``: that of your other tools, 0 to 65535.
    ``None`` if the protocol has ports (TCP, UDP, SCTP, ICMP) and they are not given: flow logs do not hold the type of
    ICMP. :class:`~vpcflow.PlanError` for what is no address, and for numbers out of range. Computes one SHA-1.

    >>> import vpcflow as vf
    >>> vf.community_id("128.232.110.120", "66.35.250.204", 6, 34855, 80)
    '1:LQU9qZlK+B5F3KDmev6m5PMibrg='
    """
    ends = [_packed(address) for address in (srcaddr, dstaddr)]
    ports = [_number(port, name, 65535) for port, name in ((srcport, "srcport"), (dstport, "dstport"))]
    if len(ends[0]) != len(ends[1]):
        raise PlanError(f"community_id: {srcaddr}, {dstaddr}: expected two addresses of one family")
    _number(protocol, "protocol", 255)
    start = (_number(seed, "seed", 65535) or 0).to_bytes(2, "big")
    if protocol not in _WITH_PORTS:
        return _named(start + b"".join(sorted(ends)) + bytes([protocol, 0]))
    if ports[0] is None or ports[1] is None:
        return None
    one_way = False
    if protocol in _ANSWERS:
        answer = _ANSWERS[protocol].get(ports[0])
        one_way = answer is None
        ports[1] = ports[1] if answer is None else answer
    first, second = ((end, (port or 0).to_bytes(2, "big")) for end, port in zip(ends, ports))
    if not one_way and second < first:
        first, second = second, first
    return _named(start + first[0] + second[0] + bytes([protocol, 0]) + first[1] + second[1])


def community_id_of(session: Mapping[str, Any]) -> str | None:
    """Returns the Community ID of a session's row; ``None`` of ICMP, whose types flow logs do not hold."""
    if session["protocol"] in (None, _ICMP, _ICMP6) or session["client"] is None or session["server"] is None:
        return None
    if (":" in session["client"]) != (":" in session["server"]):
        return None
    ports = (session["client_port"], session["server_port"])
    return community_id(session["client"], session["server"], session["protocol"], *ports)


def community_ids(
    sources: Sequence[str | None],
    destinations: Sequence[str | None],
    protocols: Sequence[int | None],
    srcports: Sequence[int | None],
    dstports: Sequence[int | None],
) -> list[str | None]:
    """Returns the Community IDs of many conversations; ``None`` where :func:`community_id_of` has none."""
    packed = {a: inet_pton(AF_INET6 if ":" in a else AF_INET, a) for a in {*sources, *destinations} if a is not None}
    known: dict[Any, str | None] = {}
    out = []
    for of in zip(sources, destinations, protocols, srcports, dstports):
        found = known.get(of, "")
        if found == "":
            found = known[of] = _known(packed, *of)
        out.append(found)
    return out


def _known(
    packed: Mapping[str, bytes], source: str | None, destination: str | None, protocol: int | None,
    srcport: int | None, dstport: int | None,
) -> str | None:  # fmt: skip
    if source is None or destination is None or protocol is None or protocol in _ANSWERS:
        return None
    first, second = packed[source], packed[destination]
    if len(first) != len(second):
        return None
    if protocol not in _WITH_PORTS:
        return _named(b"\0\0%b%b%c\0" % ((first, second, protocol) if first < second else (second, first, protocol)))
    if srcport is None or dstport is None:
        return None
    if (second, dstport) < (first, srcport):
        first, second, srcport, dstport = second, first, dstport, srcport
    ports = (srcport << 16 | dstport).to_bytes(4, "big")
    return _named(b"\0\0%b%b%c\0%b" % (first, second, protocol, ports))


def _named(data: bytes) -> str:
    return "1:" + b2a_base64(sha1(data, usedforsecurity=False).digest(), newline=False).decode()


def _packed(address: str) -> bytes:
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        raise PlanError(f"community_id: {address!r}: expected an IP address; write {_CALL}") from None


def _number(given: int | None, name: str, most: int) -> int | None:
    if given is not None and whole(given, name, _CALL) > most:
        raise PlanError(f"community_id: {name}={given}: expected 0 to {most}")
    return given
