"""Names out of an inventory as columns of records: what ``--by name`` and ``--where "dst_asg = 'web'"`` mean."""

from __future__ import annotations

import argparse
import re
from typing import Any

from ..errors import PlanError
from ..inventory.inventory import inventory
from ..inventory.names import NAMINGS, names_of
from ..query.flows import Flows

# The options in which columns are named.
_OPTIONS = ("where", "by", "agg", "having", "per", "order_by", "columns")
_NAME = re.compile(rf"(?<![\w.:'\"-])(?:(src|dst)[._-])?({'|'.join(NAMINGS)}|tag:[A-Za-z0-9_]+)(?![\w:'\"-]|\s*\()")
_SIDES = {"src": "srcaddr", "dst": "dstaddr", "": "interface-id"}


def add_names(parser: argparse.ArgumentParser) -> None:
    """Adds ``--inventory``."""
    parser.add_argument(
        "--inventory", metavar="DIR",
        help="name interfaces and ends by answers of describe calls: the columns name, instance, asg, subnet, vpc, az, "
        "group, tag:KEY of the interface that logged, and src_name, dst_name, ... of both ends",
    )  # fmt: skip
    parser.set_defaults(names_columns=True)


def with_names(flows: Flows, args: argparse.Namespace) -> Flows:
    """Adds the columns that the options name; ``src.name`` in them becomes ``src_name``, as columns are called."""
    options = _OPTIONS if getattr(args, "names_columns", False) else ("where",)
    given = {name: getattr(args, name, None) for name in options}
    found: dict[str, tuple[str, str]] = {}

    taken = {one.partition("=")[0].strip() for one in getattr(args, "agg", None) or () if "=" in one}

    def renamed(text: str) -> str:
        return _NAME.sub(lambda match: match[0] if match[0] in taken else _column(match, found), text)

    changed: dict[str, Any] = {
        name: [renamed(one) for one in value] if isinstance(value, list) else renamed(value)
        for name, value in given.items()
        if isinstance(value, (str, list))
    }
    if getattr(args, "inventory", None) is None:
        _explain_lack(found, flows)
        return flows
    known = inventory(args.inventory)
    for name, value in changed.items():
        setattr(args, name, value)
    for column, (side, by) in found.items():
        table = names_of(known, by, "address" if side else "interface-id")
        flows = flows.label(column, _SIDES[side], table)
    return flows


def _column(match: re.Match[str], found: dict[str, tuple[str, str]]) -> str:
    side, by = match[1] or "", match[2]
    if not side and by == "type":  # a field of the logs
        return match[0]
    column = f"{side}_{by}".lstrip("_").replace(":", "_")
    found[column] = (side, by)
    return column


def _explain_lack(found: dict[str, tuple[str, str]], flows: Flows) -> None:
    """Raises where a column of an inventory is named, there is none given, and the logs have no such field."""
    fields = {name for text in flows._logs.formats(1) for name in text.replace("-", "_").split()} if found else set()
    for column in found:
        if column not in fields:
            raise PlanError(f"{column!r} is a name of an inventory: give --inventory DIR, too")
