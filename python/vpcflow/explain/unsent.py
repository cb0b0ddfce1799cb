"""Questions of which the logs have no record: whether nothing was sent, or nothing could be seen."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from .._display import instant
from .seeing import Seeing
from .settling import Settled
from .verdicts import VERDICTS

_ALL = frozenset(name for name in VERDICTS if name not in ("cannot_tell", "late_packet"))


def settle_unsent(seeing: Seeing, hint: Callable[..., str | None], inside: bool) -> Settled:
    """Settles a question without records. ``inside``: whether the logs have the time that was asked for."""
    logs, question = seeing.logs, seeing.question
    if not inside:
        span = f"{instant(logs.start)} to {instant(logs.end)} UTC"
        return Settled("cannot_tell", False, _ALL, (), doubts=(f"the logs are of {span} alone",))
    if question.server.is_unlogged or _is_resolver(seeing):
        why = f"flow logs have nothing of what goes to {question.server.text}: metadata, time or Amazon's DNS"
        return Settled("cannot_tell", False, _ALL, (), doubts=(why,))
    start, end = question.between or logs.asked or (logs.start or 0, logs.end or 0)
    client = "nobody knows the client's interface"
    if question.client.interfaces:
        client = seeing.why_unbounded() or seeing.why_blind(question.client.interfaces, start, end)
    if client == "":
        return Settled("not_sent", True, frozenset(), ())
    possible = set(_ALL)
    bounded = not seeing.why_unbounded() and question.server.interfaces
    if bounded and not seeing.why_blind(question.server.interfaces, start, end):
        possible = {"not_sent", "blocked_at_client", "lost_between"}
    doubts = (f"client: {client}",)
    own = question.client.interfaces
    if own and not seeing.why_blind(own, logs.start or 0, logs.end or 0):  # nothing was sent in the time of the logs
        return Settled("not_sent", False, frozenset(possible) - {"not_sent"}, (), doubts=doubts)
    if named := hint(None, frozenset(possible)):
        return Settled(named, False, frozenset(possible) - {named}, (), doubts=doubts)
    # That all went by while the client was watched is the likeliest.
    whole = all("ALL" in seeing.traffic.get(one, {"ALL"}) for one in question.client.interfaces)
    if whole and seeing.watches_client:
        return Settled("not_sent", False, frozenset(possible) - {"not_sent"}, (), doubts=doubts)
    return Settled("cannot_tell", False, frozenset(possible), (), doubts=doubts)


def _is_resolver(seeing: Seeing) -> bool:
    """Tells whether DNS is asked for at the address that a VPC has for it: its first one and two."""
    if seeing.network is None or seeing.question.port != 53:
        return False
    wanted = {str(prefix.network_address) for prefix in seeing.question.server.prefixes}
    found = set()
    for item in seeing.vpcs.values():
        blocks = [item.get("CidrBlock"), *(one.get("CidrBlock") for one in item.get("CidrBlockAssociationSet") or [])]
        for block in filter(None, blocks):
            found.add(str(ipaddress.ip_network(str(block), strict=False).network_address + 2))
    return bool(wanted & found)
