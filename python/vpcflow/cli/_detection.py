"""Options and files that the commands of detection share: detectors, rules, baselines."""

from __future__ import annotations

import argparse
import os
import textwrap
from typing import Any

from .. import rules
from ..detect.history import Baseline
from ..detect.rows import DETECTORS, ROWS, SHARED_SETTINGS, all_settings
from ..detect.settings import Settings
from ..errors import PlanError
from ._output import print_note
from ._shared import names_of

_UNITS = {name: row["unit"] for name, row in all_settings().items()}


def add_detectors(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", metavar="NAMES", default="", help=f"run only some of: {', '.join(DETECTORS)}")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting of a detector; may be repeated",
    )


def add_silences(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--silences",
        metavar="FILE",
        help="leave out what the silences of this file cover; vpcflow findings mark writes one",
    )


def silences_of(path: str | None, own: list[rules.Rule]) -> list[rules.Silence]:
    """Loads the silences of a file, and checks that they are of a detector or of one of the rules."""
    silences = rules.load_silences(path) if path else []
    rules.check_silences(silences, own)
    return silences


def settings_rows() -> list[dict[str, Any]]:
    """Returns the settings of each detector, one row each; those that all detectors share come first."""
    shared = [{"detector": None, **row} for row in SHARED_SETTINGS]
    return shared + [{"detector": detector["name"], **row} for detector in ROWS for row in detector["settings"]]


def settings_page(width: int | None) -> str:
    """Formats the settings for a terminal: name, default, unit and meaning, by detector."""
    meanings = {row["name"]: f"{row['name']} ({row['technique']}): {row['meaning']}" for row in ROWS}
    lines: list[str] = []
    detector: str | None = ""
    for row in settings_rows():
        if row["detector"] != detector:
            detector = row["detector"]
            title = meanings.get(detector or "", "all detectors")
            lines += [*([""] if lines else []), *textwrap.wrap(title, width or 1000, subsequent_indent="    ")]
        value = _shown(row["default"])
        lines.append(f"  {row['name']} = {value}{' ' if row['unit'] and value else ''}{row['unit']}")
        lines += textwrap.wrap(row["meaning"], width or 100, initial_indent=" " * 6, subsequent_indent=" " * 6)
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(value)
    return "" if value is None else str(value)


def settings_of(texts: list[str]) -> dict[str, Any]:
    """Settings of detectors, out of NAME=VALUE."""
    settings: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise PlanError(f"--set {text}: expected NAME=VALUE")
        default = getattr(Settings(), name, "")
        try:
            settings[name] = _as(default, value.strip(), _UNITS.get(name, ""))
        except (ValueError, KeyError):
            wanted = "true or false" if isinstance(default, bool) else "a number"
            raise PlanError(f"--set {text}: expected {wanted}") from None
    return settings


def detector_names(text: str) -> list[str]:
    return [name.replace("-", "_") for name in names_of(text)]


def _as(default: Any, value: str, unit: str) -> Any:
    """Converts a setting's text to the type of its default; sizes stay texts."""
    if isinstance(default, bool):
        return {"true": True, "1": True, "false": False, "0": False}[value.lower()]
    if isinstance(default, (int, float)) and unit != "bytes":
        return type(default)(float(value))
    return value.split(",") if isinstance(default, tuple) else value


def rules_of(path: str | None) -> tuple[list[rules.Rule], list[rules.Silence]]:
    """Loads and checks the rules and silences of a file."""
    if not path:
        return [], []
    own, silences = rules.load(path), rules.load_silences(path)
    rules.check_silences(silences, own)
    return own, silences


def past_of(args: argparse.Namespace) -> Baseline | None:
    """Loads the baseline; ``None`` if this run learns it for the first time."""
    if not args.baseline:
        return None
    own = getattr(args, "learn", None)
    if own and os.path.realpath(own) == os.path.realpath(args.baseline) and not os.path.exists(own):
        print_note(f"note: {own}: there is no baseline yet; it begins with these logs")
        return None
    return Baseline.load(args.baseline)
