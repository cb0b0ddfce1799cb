"""Prints the completion of a shell: ``vpcflow completion``."""

from __future__ import annotations

import argparse
import pathlib

from ._output import write_out

HELP = "print a script that completes commands and options in bash, zsh or fish"
EXAMPLES = (
    "completion bash > vpcflow.bash && source ./vpcflow.bash\n"
    "  vpcflow completion zsh > _vpcflow\n  vpcflow completion fish > vpcflow.fish"
)
_NAMES = {"bash": "vpcflow.bash", "zsh": "_vpcflow", "fish": "vpcflow.fish"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    parser.add_argument(
        "shell", choices=tuple(_NAMES), help="the shell; put the script where it looks for completions, or source it"
    )


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    write_out((pathlib.Path(__file__).parent / "shell" / _NAMES[args.shell]).read_bytes())
    return 0
