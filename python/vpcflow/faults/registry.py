"""What can be planted, and what faults have in common."""

from __future__ import annotations

from typing import Any, Callable

from . import slow
from .stage import Pair, Stage

Plant = Callable[[Stage, str], None]
#: Meaning and plant, by name.
Plants = dict[str, tuple[str, Plant]]


def planter(plants: Plants) -> Callable[[str], Callable[[Plant], Plant]]:
    """Makes a decorator that adds a function to the plants, with its meaning."""

    def meaning_of(meaning: str) -> Callable[[Plant], Plant]:
        def added(function: Plant) -> Plant:
            plants[function.__name__] = (meaning, function)
            return function

        return added

    return meaning_of


def without_rules(pair: Pair, side: int) -> None:
    """Takes the rules away that let the pair talk."""
    rows = pair.world.documents["SecurityGroupRules"]
    rows[:] = [row for row in rows if row["SecurityGroupRuleId"] not in pair.rules[side]]


def drop_route(pair: Pair, side: int, blackhole: bool = False) -> None:
    """Takes the route to the other side away, or what it leads to."""
    table: Any = slow.table_of(pair.world.documents, pair.subnets[side]["SubnetId"])
    if blackhole:
        for route in table["Routes"][2:]:
            route["State"] = "blackhole"
    else:
        del table["Routes"][2:]


def far(stage: Stage, **more: Any) -> Pair:
    """Makes a pair in two VPCs."""
    return Pair(stage, stage.rng.choice(("peering", "tgw")), **more)


def simple(stage: Stage, kind: str, pair: Pair, verdict: str, note: str, attempts: int = 8, **more: Any) -> list[float]:
    """Has a pair call, with its neighbour as witness that it is alive, and asks in the middle."""
    own = {
        name: more.pop(name)
        for name in ("answers", "answers_by", "lost_request", "lost_reply", "mtu", "request", "response")
        if name in more
    }
    times = pair.times(attempts)
    pair.calls(times, **own)
    pair.bystanders(times)
    pair.ask(kind, times[attempts // 2] + 1, verdict, note, **more)
    return times
