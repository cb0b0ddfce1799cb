"""How command lines are read: nearest names, times relative to now, numbers."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from .._hints import hint
from ._output import write_err, write_out

_RELATIVE = re.compile(r"-[0-9]+[A-Za-z][0-9A-Za-z]*")


class Parser(argparse.ArgumentParser):
    """Of a choice that there is not, it names the nearest one."""

    def error(self, message: str) -> NoReturn:
        """Ends with exit code 2."""
        match = re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message)
        if match:
            known = [choice.strip("'\"") for choice in match[2].split(", ")]
            what = message[: match.start()].removeprefix("argument ").rstrip(": ")
            message = f"{what}: no {match[1]!r}; {hint(match[1], known)}"
        super().error(message)

    def _print_message(self, message: str, file: Any = None) -> None:
        """Prints help and usage; argparse would pass over errors."""
        if file is not None and file is sys.stdout:
            write_out(message)
        else:
            write_err(message, end="")


class NeedsNothing(argparse.Action):
    """An option that needs no other argument."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, *_: object) -> None:
        setattr(namespace, self.dest, True)
        for action in parser._actions:
            action.required = False


class InsteadOfPaths(argparse.Action):
    """An option that may be repeated, and stand where paths are needed otherwise."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *_: object
    ) -> None:
        setattr(namespace, self.dest, [*(getattr(namespace, self.dest) or ()), values])
        for action in parser._actions:
            action.required = action.required and action.dest != "paths"


def with_relative_times(argv: Sequence[str]) -> list[str]:
    """Joins ``--start -2h`` to ``--start=-2h``: argparse takes a value that begins with - for an option."""
    out: list[str] = []
    for text in argv:
        if out and out[-1] in ("--start", "--end") and _RELATIVE.fullmatch(text):
            out[-1] += f"={text}"
        else:
            out.append(text)
    return out


def positive(text: str) -> int:
    """Converts an argument to a number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value}: expected at least 1")
    return value
