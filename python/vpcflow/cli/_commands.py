"""The commands and their parsers: each module of this folder without ``_`` is a command.

A command has ``HELP`` (a line), ``EXAMPLES``, ``add_arguments(parser)`` and ``run(args)``, which returns the exit code.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any

from .. import _core
from ._parser import Parser

_EXAMPLES = """examples:
  vpcflow summary logs/
  vpcflow top logs/ --by srcaddr,dstport --agg bytes=sum:bytes --agg flows=count -n 20
  vpcflow top 'logs/**/*.log.gz' --where "action = 'REJECT'" --by dstport --json
  zcat flow.log.gz | vpcflow head - -n 5 --json
  vpcflow detect logs/ --json
  vpcflow sessions logs/ --json
  vpcflow sql logs/ "select dstport, count(*) as n from flows where action = 'REJECT' group by all"
  vpcflow convert logs/ -o flows.parquet --where "dstport = 22"
  vpcflow synth --records 1000000 --seed 7 --plant all --out demo/
"""
_EXIT_CODES = (
    "exit codes: 0 fine, 1 findings, or examples of rules or controls that failed, 2 error, 3 more rejects than "
    "--max-rejects, or controls that cannot be evaluated; a closed pipe is no error"
)
_FIRST = ("summary", "top", "head", "detect")  # in lists of commands; the others follow by name


def command_names() -> list[str]:
    """Returns the names of the commands: the modules of this folder without ``_``."""
    import pkgutil  # takes long, and is for lists alone

    folder = importlib.import_module(__package__ or "").__path__
    names = sorted(m.name for m in pkgutil.iter_modules(folder) if not m.name.startswith("_"))
    return [*_FIRST, *(name for name in names if name not in _FIRST)]


def make_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """Makes the parser of the commands ``names``."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="vpcflow", description="AWS VPC flow logs: see, count, convert.", epilog=f"{_EXAMPLES}\n{_EXIT_CODES}",
        formatter_class=raw,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"vpcflow {_core.build_info()['version']}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        command: Any = importlib.import_module(f".{name}", __package__)
        epilog = f"example:\n  vpcflow {command.EXAMPLES}\n\n{_EXIT_CODES}"
        own = commands.add_parser(name, help=command.HELP, description=command.HELP, epilog=epilog, formatter_class=raw)
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


def names_for(argv: Sequence[str]) -> list[str]:
    """Returns the names of the commands that a command line needs: the one that is run alone, as the others may need
    missing packages, or long."""
    first = argv[0] if argv else ""
    own = first.isidentifier() and not first.startswith("_") and importlib.util.find_spec(f".{first}", __package__)
    return [first] if own else command_names()
