"""The command line: each module of this folder without ``_`` is a command.

A command has ``HELP`` (a line), ``EXAMPLES``, ``add_arguments(parser)`` and ``run(args)``, which returns the exit code.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NoReturn

from .. import _core
from .. import _display as display
from ..errors import VpcflowError
from ._output import ERROR, drop_output, finish, occupy_closed_streams, print_note, suit_locale, write_err
from ._parser import Parser, with_relative_times

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
    "exit codes: 0 fine, 1 findings or failed examples of rules, 2 error, 3 more rejects than --max-rejects; "
    "a closed pipe is no error"
)


_FIRST = ("summary", "top", "head", "detect")  # in lists of commands; the others follow by name


def command_names() -> list[str]:
    """Returns the names of the commands: the modules of this folder without ``_``."""
    import pkgutil  # takes long, and is for lists alone

    folder = importlib.import_module(__package__ or "").__path__
    names = sorted(m.name for m in pkgutil.iter_modules(folder) if not m.name.startswith("_"))
    return [*_FIRST, *(name for name in names if name not in _FIRST)]


def version() -> str:
    """Returns the version of the package."""
    return str(_core.build_info()["version"])


def make_parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """Makes the parser of the commands ``names``."""
    raw = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog="vpcflow", description="AWS VPC flow logs: see, count, convert.", epilog=f"{_EXAMPLES}\n{_EXIT_CODES}",
        formatter_class=raw,
    )  # fmt: skip
    parser.add_argument("--version", action="version", version=f"vpcflow {version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        command: Any = importlib.import_module(f".{name}", __package__)
        epilog = f"example:\n  vpcflow {command.EXAMPLES}\n\n{_EXIT_CODES}"
        own = commands.add_parser(name, help=command.HELP, description=command.HELP, epilog=epilog, formatter_class=raw)
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser


# The extras of packages that commands import; the others are those of Arrow.
_EXTRAS = {"duckdb": "duckdb", "maxminddb": "geo", "pandas": "pandas", "polars": "polars", "yaml": "rules"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns the exit code."""
    occupy_closed_streams()
    suit_locale()
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, _end)  # what is half written goes
    try:
        code = _main(sys.argv[1:] if argv is None else argv)
        finish()
        return code
    except BrokenPipeError:  # who reads has enough
        drop_output()
        return 0
    except VpcflowError as error:
        lines = [display.printable(line) for line in str(error).split("\n")]
        write_err("\n".join([f"vpcflow: error: {lines[0]}", *lines[1:]]))
    except ImportError as error:
        extra = _EXTRAS.get(error.name or "", "arrow")
        print_note(f"error: {error.name or error} is not installed; pip install 'vpcflow[{extra}]'")
    except OSError as error:
        print_note(f"error: {error}")
    except KeyboardInterrupt:
        print_note("interrupted")
        return 128 + signal.SIGINT
    with suppress(VpcflowError):
        finish()  # of what was printed before
    return ERROR


def _end(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _names_for(argv: Sequence[str]) -> list[str]:
    """Returns the names of the commands that a command line needs: the one that is run alone, as the others may need
    what is not there, or long."""
    first = argv[0] if argv else ""
    if first == "--version":
        return []
    own = first.isidentifier() and not first.startswith("_") and importlib.util.find_spec(f".{first}", __package__)
    return [first] if own else command_names()


def _main(argv: Sequence[str]) -> int:
    try:
        args = make_parser(_names_for(argv)).parse_args(with_relative_times(argv))
    except SystemExit:  # --help, --version, or what cannot be
        finish()
        raise
    code: int = args.run(args)
    return code
