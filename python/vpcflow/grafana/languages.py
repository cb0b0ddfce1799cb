"""Questions in the languages of those that hold records: Logs Insights, SQL of Athena, LogsQL, Lucene."""

from __future__ import annotations

from typing import Any

from .._addresses import PRIVATE_V4
from ..io.aws.insights import alias, condition, parse_clause
from .panels import Ask, Test, fields_of

BIN = 300  # seconds, over time


def _column(field: str) -> str:
    return field.replace("-", "_")


# -- CloudWatch Logs Insights ----------------------------------------------------------------------------------------


def _as_filter(test: Test) -> str:
    """Writes a test in the language of this library."""
    field, sign, value = test
    if sign in ("private", "public"):
        return f"{field} {'' if sign == 'private' else 'not '}in ({', '.join(PRIVATE_V4)})"
    return f"{field} {sign} {value}" if value.isdigit() else f"{field} {sign} '{value}'"


def insights(ask: Ask, format: str) -> str:
    """Writes a query of Logs Insights for lines of a format."""
    fields = fields_of(format)
    lines = [parse_clause(fields)]
    if "log-status" in fields and not ask.every_record:
        lines.append(f'filter {alias("log-status")} = "OK"')
    lines += [f"filter {condition(_as_filter(test))}" for test in ask.where]
    name = f"sum_{ask.measure}"
    amount = f"sum({alias('bytes')}) as {name}" if ask.measure == "bytes" else f"count(*) as {name}"
    keys = [alias(field) for field in ask.by]
    if ask.over_time:
        return "\n| ".join([*lines, f"stats {amount} by {', '.join([f'bin({BIN // 60}m)', *keys])}"])
    return "\n| ".join([*lines, f"stats {amount} by {', '.join(keys)}", f"sort {name} desc", f"limit {ask.n}"])


# -- Athena ----------------------------------------------------------------------------------------------------------

_FROM, _TO = "${__from:date:seconds}", "${__to:date:seconds}"


def _sql(test: Test) -> str:
    field, sign, value = test
    own = f'"{_column(field)}"'
    if sign in ("private", "public"):
        inside = " OR ".join(f"contains('{one}', TRY_CAST({own} AS IPADDRESS))" for one in PRIVATE_V4)
        return f"({inside})" if sign == "private" else f"NOT ({inside})"
    return f"{own} {'<>' if sign == '!=' else sign} " + (value if value.isdigit() else f"'{value}'")


def partitions(layout: str) -> list[str]:
    """Returns the tests of partitions that hold the time of a dashboard, a day more on each side: objects may come
    later than their records begin."""
    first, last = (f"from_unixtime({time} {sign} 86400)" for time, sign in ((_FROM, "-"), (_TO, "+")))
    if layout.startswith("hive"):
        day = "log_year * 10000 + log_month * 100 + log_day"
        ends = [f"CAST(date_format({time}, '%Y%m%d') AS integer)" for time in (first, last)]
        return [f"log_year BETWEEN year({first}) AND year({last})", f"{day} BETWEEN {ends[0]} AND {ends[1]}"]
    form = "%Y/%m/%d/%H" if layout == "hourly" else "%Y/%m/%d"
    return [f"log_time BETWEEN date_format({first}, '{form}') AND date_format({last}, '{form}')"]


def athena(ask: Ask, format: str, table: str, layout: str) -> str:
    """Writes a statement for a table that ``vpcflow athena ddl`` made. Each has its time in all its parts, and names
    partitions, so that no refresh reads the whole table."""
    fields = fields_of(format)
    keys = [f'"{_column(field)}"' for field in ask.by]
    tests = [*partitions(layout), f'"start" BETWEEN {_FROM} AND {_TO}'] if "start" in fields else partitions(layout)
    if "log-status" in fields and not ask.every_record:
        tests.append("\"log_status\" = 'OK'")
    tests += [_sql(test) for test in ask.where]
    amount = 'sum("bytes") AS sum_bytes' if ask.measure == "bytes" else "count(*) AS sum_records"
    where = "\n  AND ".join(tests)
    if ask.over_time:
        time = f'from_unixtime("start" / {BIN} * {BIN})'
        columns = ", ".join([f"{time} AS time", *keys, amount])
        groups = ", ".join([time, *keys])
        return f"SELECT {columns}\nFROM {table}\nWHERE {where}\nGROUP BY {groups}\nORDER BY 1"
    return (
        f"SELECT {', '.join([*keys, amount])}\nFROM {table}\nWHERE {where}\nGROUP BY {', '.join(keys)}\n"
        f"ORDER BY sum_{ask.measure} DESC\nLIMIT {ask.n}"
    )


# -- VictoriaLogs ----------------------------------------------------------------------------------------------------


def _logsql(test: Test) -> str:
    field, sign, value = test
    own = _column(field)
    if sign in ("private", "public"):
        inside = " or ".join(f'{own}:ipv4_range("{one}")' for one in PRIVATE_V4)
        return f"({inside})" if sign == "private" else f"!({inside})"
    if sign == "<":
        return f"{own}:<{value}"
    return f'{"!" if sign == "!=" else ""}{own}:="{value}"'


def logsql(ask: Ask, format: str) -> str:
    """Writes a query of VictoriaLogs over what ``vpcflow convert -o x.jsonl`` writes."""
    tests = [_logsql(test) for test in ask.where]
    if "log-status" in fields_of(format) and not ask.every_record:
        tests.insert(0, 'log_status:="OK"')
    amount = "sum(bytes) sum_bytes" if ask.measure == "bytes" else "count() sum_records"
    text = f"{' '.join(tests) or '*'} | stats by ({', '.join(map(_column, ask.by))}) {amount}"
    return text if ask.over_time else f"{text} | sort by (sum_{ask.measure} desc) | limit {ask.n}"


# -- OpenSearch ------------------------------------------------------------------------------------------------------


def _lucene(test: Test) -> str:
    field, sign, value = test
    own = _column(field)
    if sign in ("private", "public"):
        inside = " OR ".join(f'{own}:"{one}"' for one in PRIVATE_V4)
        return f"({inside})" if sign == "private" else f"NOT ({inside})"
    return f"{own}:<{value}" if sign == "<" else f"{'NOT ' if sign == '!=' else ''}{own}:{value}"


def lucene(ask: Ask, format: str) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the query of OpenSearch, and the metrics and buckets of its plugin, over an index of what
    ``vpcflow convert -o x.jsonl`` writes."""
    tests = [_lucene(test) for test in ask.where]
    if "log-status" in fields_of(format) and not ask.every_record:
        tests.insert(0, "log_status:OK")
    metric = {"id": "1", "type": "sum", "field": "bytes"} if ask.measure == "bytes" else {"id": "1", "type": "count"}
    order = {"order": "desc", "orderBy": "_count" if ask.measure == "records" else "1", "size": str(ask.n)}
    buckets: list[dict[str, Any]] = [
        {"id": str(number), "type": "terms", "field": _column(field), "settings": {**order, "min_doc_count": "1"}}
        for number, field in enumerate(ask.by, 2)
    ]
    if ask.over_time:
        own = {"interval": "auto", "min_doc_count": "0", "trimEdges": "0"}
        buckets.append({"id": "9", "type": "date_histogram", "field": "start", "settings": own})
    return " AND ".join(tests) or "*", [metric], buckets
