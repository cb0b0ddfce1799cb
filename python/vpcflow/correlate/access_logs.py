"""Access logs of load balancers and of WAF as events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .events import Event, address_of
from .values import at, digest, items_in, unix

_ALB = ("http", "https", "h2", "grpcs", "ws", "wss")


def of_alb(line: Any, ref: str) -> Iterator[Event]:
    """Yields the event of the cells of a line of an application load balancer."""
    if not isinstance(line, list) or len(line) < 22 or line[0] not in _ALB:
        return
    time = unix(line[21]) or unix(line[1])  # when the request came; the first time is that of the answer
    if time is None:
        return
    client, target = _host(line[3]), _host(line[4])
    attrs = {"client": client, "target": target, "status": line[8], "target_status": line[9], "request": line[12],
             "method": line[12].partition(" ")[0], "elb": line[2], "userAgent": line[13]}  # fmt: skip
    yield _request("alb", time, unix(line[1]) or time, (client, target), attrs, ref, line)


def of_nlb(line: Any, ref: str) -> Iterator[Event]:
    """Yields the event of the cells of a line of a network load balancer: a TLS connection, which has no status, and
    whose first time is that of its end."""
    if not isinstance(line, list) or len(line) < 15 or line[0] != "tls":
        return
    end = unix(line[2])
    if end is None:
        return
    begun = unix(line[21]) if len(line) > 21 else None
    lasted = int(line[7]) // 1000 if line[7].isdecimal() and len(line[7]) < 12 else 0
    client, target = _host(line[5]), _host(line[6])
    attrs: dict[str, Any] = {
        "client": client, "target": target, "elb": line[3], "listener": line[4], "tls_version": line[15]
        if len(line) > 15 else "-", "host": line[17] if len(line) > 17 else "-",
    }  # fmt: skip
    attrs |= {name: int(line[n]) for name, n in (("received", 9), ("sent", 10)) if line[n].isdecimal()}
    time = begun if begun is not None else max(end - lasted, 0)
    yield _request("nlb", min(time, end), end, (client, target), attrs, ref, line)


def of_waf(one: Any, ref: str) -> Iterator[Event]:
    """Yields the event of a request that WAF judged."""
    time, asked = unix(at(one, "timestamp")), at(one, "httpRequest")
    if time is None or not isinstance(asked, dict) or not isinstance(at(one, "action"), str):
        return
    headers = {str(h.get("name")).lower(): h.get("value") for h in items_in(asked.get("headers"))}
    attrs = {
        "client": asked.get("clientIp"), "action": one["action"], "ruleId": one.get("terminatingRuleId"),
        "country": asked.get("country"), "method": asked.get("httpMethod"), "request": asked.get("uri"),
        "host": headers.get("host") or asked.get("host"), "userAgent": headers.get("user-agent"),
        "webacl": one.get("webaclId"), "elb": one.get("httpSourceId"),
    }  # fmt: skip
    yield _request("waf", time, time, (attrs["client"],), attrs, ref, one)


def _request(
    source: str, time: int, end: int, ends: tuple[Any, ...], attrs: dict[str, Any], ref: str, document: Any
) -> Event:
    entities = tuple(dict.fromkeys(one for one in ends if address_of(one) is not None))
    held = {k: v for k, v in attrs.items() if isinstance(v, (str, int)) and v not in ("", "-")}
    return Event(time, max(time, end), source, "request", entities, "", ref, digest(document), held)


def _host(text: str) -> str:
    return text.rpartition(":")[0].strip("[]")
