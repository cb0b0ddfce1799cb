"""Asks flow logs in SQL, by DuckDB: ``vpcflow sql``."""

from __future__ import annotations

import argparse
import datetime
import decimal
from typing import Any

from ..analyze.sql import TABLES, sql
from ..errors import NoRecordsError
from ._output import print_note
from ._pages import Page, add_page, print_page
from ._shared import add_input, bytes_columns, exit_code_of, flows_of, warn_of_rejects

HELP = "ask a question in SQL, by DuckDB, with the tables " + ", ".join(TABLES)
EXAMPLES = (
    "sql logs/ 'select srcaddr, sum(bytes) as bytes from flows where dstport = 443 group by all order by all limit 5'\n"
    "  vpcflow sql logs/ \"select client, server, state from sessions where server_port = 22\" --csv\n"
    "  vpcflow sql logs/ 'select detector, count(*) as n from findings group by detector' --json"
)
_KINDS = {
    "BIGINT": "int64", "UBIGINT": "int64", "HUGEINT": "int128", "UHUGEINT": "int128", "INTEGER": "int32",
    "SMALLINT": "int32", "TINYINT": "int32", "UINTEGER": "int32", "USMALLINT": "int32", "UTINYINT": "int32",
    "DOUBLE": "float64", "FLOAT": "float64", "TIMESTAMP WITH TIME ZONE": "time",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command to its parser."""
    add_input(parser)
    parser.add_argument("query", metavar="QUERY", help="a query of DuckDB's SQL, in quotes")
    add_page(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the command and returns its exit code."""
    found = sql(flows_of(args), args.query)
    if found.error is not None:
        if isinstance(found.error, NoRecordsError) or found.report is None or not found.report.records:
            raise found.error
        print_note(f"error: {found.error}")
    if found.report is not None:
        warn_of_rejects(found.report, args.json)
    table = found.rows.to_arrow_table()
    names = found.rows.columns
    schema = [(name, _kind(str(kind))) for name, kind in zip(names, found.rows.types)]
    rows = [dict(zip(names, map(_plain, row))) for row in zip(*(column.to_pylist() for column in table.columns))]
    print_page(Page(schema, rows, bytes_columns(schema)), args)
    if not rows:
        print_note("no rows")
    code = 0 if found.error is None else 2
    return code if found.report is None else exit_code_of(found.report, args, code)


def _kind(name: str) -> str:
    return "float64" if name.startswith("DECIMAL") else _KINDS.get(name, "text")


def _plain(value: Any) -> Any:
    """Converts a value of DuckDB to what JSON has: times to Unix seconds, as all commands print them."""
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        seconds = value.timestamp()
        return int(seconds) if seconds == int(seconds) else seconds
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
