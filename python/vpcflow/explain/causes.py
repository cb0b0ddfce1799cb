"""What is behind a verdict, by the rules of an inventory: they refine it, and never overrule what AWS logged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence

from .._display import instant
from ..inventory.inventory import Inventory
from ..reach import Network
from .checkpoints import BEHIND, Checkpoint, Pair, is_internet, passed
from .settling import Settled

#: Verdicts that AWS's REJECT records prove.
REJECTED = ("blocked_at_client", "blocked_at_server", "reply_blocked_server_acl", "reply_blocked_client_acl")
_PAIRS = 64  # of client and server whose rules are asked
Ask = Callable[..., "list[Checkpoint]"]


@dataclasses.dataclass(frozen=True)
class Causes:
    """What rules say of a verdict."""

    layer: str | None
    allowed_by: tuple[str, ...] = ()
    denied_by: tuple[str, ...] = ()
    rules_changed: bool = False
    doubts: tuple[str, ...] = ()
    #: The checkpoints that deny, and all that were asked; of the pair with most attempts.
    denying: tuple[Checkpoint, ...] = ()
    asked: tuple[Checkpoint, ...] = ()
    #: Whether they are those of now, as those of the time do not explain it.
    of_now: bool = False
    #: Whether rules say why it is otherwise than before.
    explains_change: bool = False


def causes_of(
    settled: Settled, pairs: Sequence[Pair], inventory: Inventory | None, ask: Ask,
    at: int | None, has_reasons: bool,
) -> Causes:  # fmt: skip
    """Finds what is behind a verdict. ``ask``: returns the checkpoints of a client and a server, at a network.
    ``has_reasons``: whether all the logs have the reasons of REJECTs."""
    verdict = _cause_verdict(settled)
    if _by_bpa(settled):
        return Causes("block_public_access")
    if inventory is None:
        return Causes(None, doubts=("without an inventory no rule can be named",) if verdict in BEHIND else ())
    time = at if at is not None else max((one.attempt.start for one in settled.attempts), default=0) or None
    then, now = Network.at(inventory, time), Network.at(inventory, None)
    asked: list[Checkpoint] = []
    changed = False
    for number, pair in enumerate(pairs[:_PAIRS]):
        own = ask(pair, then)
        changed |= then is not now and _differ(own, ask(pair, now), verdict)
        asked += own if number == 0 else [c for c in own if c.permit == "deny"]
    denying = _behind(asked, verdict)
    of_now = False
    if not denying and then is not now and pairs:
        denying = _behind(ask(pairs[0], now), verdict)
        of_now = bool(denying)
    deciding = [c for c in asked if c.place in BEHIND.get(verdict, ())]
    allowed_all = bool(deciding) and all(c.permit == "allow" for c in deciding)
    client, server = (pairs[0].client_as_seen, pairs[0].server_as_seen) if pairs else ("", "")
    unsure = [c for c in deciding if c.permit == "maybe"]
    if verdict in REJECTED and not denying and len(unsure) == 1 and not _bpa_possible(has_reasons, client, server):
        # All else lets it through, and AWS rejected it.
        denying = [dataclasses.replace(unsure[0], permit="deny", ids=_denying_ids(unsure[0]), missed=())]
    if verdict in REJECTED and allowed_all and not denying:
        changed = changed or not _bpa_possible(has_reasons, client, server)
    if verdict == "works" and pairs:  # of a time that is asked for, what its rules say; else those of now
        changed = any(c.permit == "deny" for c in (asked if at is not None else ask(pairs[0], now)))
    went_over = False
    if settled.since is not None and pairs:
        before = Network.at(inventory, settled.since - 1)
        decided = settled.before or "" if verdict == "works" else verdict
        went_over = before is not then and _differ(ask(pairs[0], before), ask(pairs[0], then), decided)
        changed |= went_over and verdict != "works"
    return Causes(
        denying[0].layer if denying else None,
        _ids(passed(asked, verdict)), _ids(denying), changed,
        _doubts(verdict, deciding, denying, changed, of_now, time, (client, server), has_reasons),
        tuple(denying), tuple(asked), of_now, went_over or (verdict in REJECTED and bool(denying)),
    )  # fmt: skip


def _cause_verdict(settled: Settled) -> str:
    """Returns the verdict whose cause is looked for: of attempts that fail now and then, what became of those."""
    if settled.verdict != "intermittent":
        return settled.verdict
    names = [one.only or one.likely for one in settled.attempts]
    known = [name for name in names if name]
    return max(sorted(set(known)), key=known.count) if known else settled.verdict


def _denying_ids(one: Checkpoint) -> tuple[str, ...]:
    """Returns what denies where rules do not decide: a group as a whole; of an ACL nobody knows which entry."""
    return one.interface.groups if one.layer == "security_group" and one.interface is not None else ()


def _ids(found: Iterable[Checkpoint]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(id for one in found for id in one.ids))


def _behind(asked: Iterable[Checkpoint], verdict: str) -> list[Checkpoint]:
    return [one for one in asked if one.place in BEHIND.get(verdict, ()) and one.permit == "deny"]


def _differ(one: Sequence[Checkpoint], other: Sequence[Checkpoint], verdict: str) -> bool:
    """Tells whether two times' rules answer otherwise where the verdict is decided; of what works, anywhere."""
    places = BEHIND.get(verdict)
    known = {c.place: c.permit for c in one if places is None or c.place in places}
    return any({known.get(c.place, c.permit), c.permit} == {"allow", "deny"} for c in other)


def _by_bpa(settled: Settled) -> bool:
    rejected = [e for one in settled.attempts for e in one.attempt.entries if e.is_rejected]
    return bool(rejected) and all(entry.row["reject_reason"] == "BPA" for entry in rejected)


def _bpa_possible(has_reasons: bool, client: str, server: str) -> bool:
    """Tells whether VPC Block Public Access may be behind REJECTs: of the internet, where logs do not tell reasons."""
    if not (client and server) or not (is_internet(client) or is_internet(server)):
        return False
    return not has_reasons


def _doubts(
    verdict: str, deciding: Sequence[Checkpoint], denying: Sequence[Checkpoint], changed: bool,
    of_now: bool, time: int | None, ends: tuple[str, str], has_reasons: bool,
) -> tuple[str, ...]:  # fmt: skip
    out = []
    unsure = [c for c in deciding if c.permit == "maybe"]
    out += [f"not known: {c.text}" if not c.ids else f"may allow or deny: {c.text}" for c in unsure]
    if verdict in BEHIND and not deciding:
        out.append("the inventory does not have the interface whose rules decide")
    if of_now:
        out.append(f"the rules of {instant(time)} UTC allow it; those of now deny it")
    elif verdict in REJECTED and changed and not denying:
        out.append("AWS rejected what the rules of the inventory allow: they were others then")
    if verdict in REJECTED and not denying and _bpa_possible(has_reasons, *ends):
        out.append("VPC Block Public Access may have rejected it; the field reject-reason would tell")
    if verdict == "works" and changed:
        out.append("the rules of the inventory deny what AWS let through: they were others, or are others now")
    return tuple(out)
