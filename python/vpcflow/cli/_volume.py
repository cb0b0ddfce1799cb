"""What the commands that store logs share: the proof of the same findings, and what they say of sizes."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from .._display import human_bytes
from .._words import count
from ..errors import PlanError, VpcflowError
from ..query.flows import Flows
from ..rules import Rule
from ..volume.hours import LAYOUTS, SPANS
from ..volume.proving import Proof, prove
from ._detection import rules_of
from ._output import ERROR, FOUND, REJECTS, print_note
from ._shared import names_of

_SHOWN = 20


class RefusedError(Exception):
    """What was written would change findings."""

    def __init__(self, proof: Proof) -> None:
        super().__init__(str(proof))
        self.proof = proof


def add_places(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--layout", choices=LAYOUTS, default="hive", help="name folders as AWS does with Hive partitions, or without"
    )
    parser.add_argument("--by", choices=SPANS, default="day", help="make a folder for each day (default) or hour")


def add_prove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--prove", metavar="WHAT", default="",
        help="keep the result only if findings are the same: of the detectors (detect), of files of rules, or both: "
        "detect,rules.yaml",
    )  # fmt: skip


def prover(text: str, sources: Flows) -> Callable[[Flows], None] | None:
    """Returns what proves the same findings, by --prove, and raises :class:`RefusedError` if any changes; ``None`` if
    nothing is to be proved."""
    names = names_of(text)
    if not names:
        return None
    rules: list[Rule] = []
    for name in names:
        if name != "detect":
            if not name.endswith((".yaml", ".yml", ".json")):
                raise PlanError(f"--prove {name}: expected detect, or a file of rules (.yaml, .json)")
            rules += rules_of(name)[0]

    def proved(stored: Flows) -> None:
        proof = prove(sources, stored, detectors="detect" in names, rules=rules)
        if not proof.holds:
            raise RefusedError(proof)
        print_note(str(proof))

    return proved


def refused(proof: Proof, what: str) -> int:
    """Prints what would change, and returns the exit code."""
    shown = [str(change) for change in proof.changes[:_SHOWN]]
    more = len(proof.changes) - len(shown)
    lines = [str(proof), *shown, *([f"and {more:,} more"] if more else []), f"nothing was written to {what}"]
    for line in lines:
        print_note(line)
    return FOUND


def left_out(rejected: int, error: VpcflowError | None, args: argparse.Namespace) -> int:
    """Prints which lines were left out and which damage there is, and returns the exit code."""
    if rejected:
        print_note(f"{count(rejected, 'line')} rejected, and left out; vpcflow compact keeps them")
    if error is not None:
        print_note(f"error: {error}")
        return ERROR
    return REJECTS if args.max_rejects is not None and rejected > args.max_rejects else 0


def sizes(before: int, after: int, what: str) -> str:
    """Says what bytes became of others: ``"2.1 MB of 5.3 MB, 2.5 times smaller"``."""
    if not before or not after:
        return f"{human_bytes(after)} {what}"
    ratio = before / after
    return f"{human_bytes(after)} {what} of {human_bytes(before)}, {ratio:.1f} times smaller" if ratio >= 1 else (
        f"{human_bytes(after)} {what} of {human_bytes(before)}"
    )
