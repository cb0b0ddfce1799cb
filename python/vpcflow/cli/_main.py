"""Runs command lines: exit codes, errors, signals."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from .. import _core
from .. import _display as display
from ..errors import VpcflowError
from ._output import ERROR, drop_output, finish, occupy_closed_streams, print_note, suit_locale, write_err, write_out

if TYPE_CHECKING:
    from ._audit_log import AuditLog

#: The extra of this package that brings each optional one.
EXTRAS = {
    "altair": "charts", "apprise": "notify", "boto3": "aws", "botocore": "aws", "confluent_kafka": "kafka",
    "cryptography": "sign", "dask": "dask", "distributed": "dask", "duckdb": "duckdb", "jinja2": "report",
    "markupsafe": "report", "matplotlib": "plot", "maxminddb": "geo", "minisign": "sign", "numpy": "protect",
    "obstore": "aws",
    "pandas": "pandas", "polars": "polars", "pyarrow": "arrow", "pyiceberg": "iceberg", "pyspark": "spark",
    "rfc3161_client": "sign", "rich": "terminal", "sigma": "sigma", "textual": "live", "tqdm": "notebook",
    "weasyprint": "pdf", "yaml": "rules",
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command line and returns the exit code."""
    occupy_closed_streams()
    suit_locale()
    with suppress(ValueError):  # not in the main thread
        signal.signal(signal.SIGTERM, _end)  # what is half written goes
    words = sys.argv[1:] if argv is None else argv
    return _audited(words) if os.environ.get("VPCFLOW_AUDIT_LOG") else _answered(words)


def _audited(argv: Sequence[str]) -> int:
    """Runs a command line, and writes who asked what."""
    from ._audit_log import VARIABLE, AuditLog

    code: object = ERROR
    try:
        log = AuditLog(os.environ[VARIABLE], argv)
    except VpcflowError as error:
        print_note(f"error: {error}")
        return ERROR
    try:
        code = _answered(argv, log)
    except SystemExit as ended:
        code = ended.code or 0
        raise
    finally:
        try:
            log.write(code if isinstance(code, int) else ERROR)
        except VpcflowError as error:
            print_note(f"error: {error}")
            code = ERROR
    return code


def _answered(argv: Sequence[str], log: AuditLog | None = None) -> int:
    try:
        code = _main(argv, log)
        finish()
        return code
    except BrokenPipeError:  # who reads has enough
        drop_output()
        return 0
    except VpcflowError as error:
        lines = [display.printable(line) for line in str(error).split("\n")]
        write_err("\n".join([f"vpcflow: error: {lines[0]}", *lines[1:]]))
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        hint = f"; pip install 'vpcflow[{EXTRAS[package]}]'" if package in EXTRAS else ""
        print_note(f"error: {package or error} is not installed{hint}")
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


def _main(argv: Sequence[str], log: AuditLog | None) -> int:
    if list(argv) == ["--version"]:  # at once: a parser takes longer than all else
        write_out(f"vpcflow {_core.build_info()['version']}\n")
        return 0
    from ._commands import make_parser, names_for
    from ._parser import with_relative_times

    try:
        args = make_parser(names_for(argv)).parse_args(with_relative_times(argv))
    except SystemExit:  # --help, --version, or what cannot be
        finish()
        raise
    if log is not None:
        log.args = args
    code: int = args.run(args)
    return code
