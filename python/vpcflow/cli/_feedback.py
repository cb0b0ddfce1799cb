"""Pages about how well detectors do: scores by labels, and alerts a day by settings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._display import printable
from .._layout import terminal_width, text_table, wrapped
from ..detect.replay import SettingCount
from ..detect.scoring import Label, scored
from ..findings.findings import Findings
from ._output import print_note, write_out

_SHARES = ("precision", "recall")
_TEXTS = ("detector", "setting", "value", "precision", "recall")


def print_scores(findings: Findings, labels: Sequence[Label], args: argparse.Namespace) -> None:
    """Prints how well each detector did by labels, and the attacks that none told."""
    scores, missed = scored(findings, labels)
    if args.json:
        write_out("".join(json.dumps(score) + "\n" for score in scores))
    else:
        rows = [
            {**{name: value for name, value in score.items() if not name.startswith(_SHARES)},
             **{name: _share(score, name) for name in _SHARES}}
            for score in scores
        ]  # fmt: skip
        _print_table(rows)
        note = "of medium and high; one about no attack is false; shares with their 95 % intervals (Wilson)"
        _print_lines([f"findings {note}"])
        _print_lines([f"missed: {label}" for label in missed])
        _print_lines(findings.conclusion(brief=True).splitlines())
    for label in missed if args.json else ():
        print_note(f"missed: {label}")


def print_counts(counts: Sequence[SettingCount], args: argparse.Namespace) -> None:
    """Prints how many alerts a day each setting would have given."""
    if args.json:
        write_out("".join(json.dumps(one) + "\n" for one in counts))
        return
    _print_table(counts)
    write_out("alerts a day of medium and high, each told once; settings that are not named are as they are\n")


def _share(score: Mapping[str, Any], name: str) -> str:
    if score[name] is None:
        return "-"
    return f"{score[name]:.2f} ({score[f'{name}_low']:.2f} to {score[f'{name}_high']:.2f})"


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    kinds = {name: "text" if name in _TEXTS else "int64" for name in rows[0]}
    kinds |= {name: "float64" for name in rows[0] if name.endswith("_a_day")}
    write_out(text_table(list(kinds.items()), rows, terminal_width()) + "\n")


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        write_out("\n".join(wrapped(printable(line), terminal_width())) + "\n")
