"""Questions in the languages of those that hold records: Logs Insights, SQL of Athena, LogsQL, Lucene."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._addresses import PRIVATE_V4
from ..io.aws.insights import alias, condition, parse_clause
from .ecs import BEFORE_GATEWAY, START, ecs
from .panels import Ask, Test, fields_of

BIN = 300  # seconds, over time
PAST = 7 * 86_400  # seconds before the page's time, against which something is new


def _column(field: str) -> str:
    return field.replace("-", "_")


# -- CloudWatch Logs Insights ----------------------------------------------------------------------------------------


def _insights(test: Test) -> str:
    field, sign, value = test
    if sign == "differs":
        return f'{alias(field)} != "-" and {alias(field)} != {alias(value)}'
    return condition(_as_filter(test))


def _as_filter(test: Test) -> str:
    """Writes a test in the language of this library."""
    field, sign, value = test
    if sign in ("private", "public"):
        return f"{field} {'' if sign == 'private' else 'not '}in ({', '.join(PRIVATE_V4)})"
    return f"{field} {sign} {value}" if value.isdigit() else f"{field} {sign} '{value}'"


_STATUS = (("SKIPDATA", 3), ("OK", 2), ("NODATA", 1))  # the more a status says of an interface, the more it is


def insights(ask: Ask, format: str, chosen: Sequence[str] = ()) -> str:
    """Writes a query of Logs Insights for lines of a format. ``chosen``: further conditions, of a page."""
    fields = fields_of(format)
    lines = [parse_clause(fields), *(f"filter {condition}" for condition in chosen)]
    if "log-status" in fields and not ask.every_record:
        lines.append(f'filter {alias("log-status")} = "OK"')
    lines += [f"filter {_insights(test)}" for test in ask.where]
    name = _value(ask)
    states = " + ".join(f'strcontains({alias("log-status")}, "{word}") * {number}' for word, number in _STATUS)
    amount = {"bytes": f"sum({alias('bytes')})", "records": "count(*)", "status": f"max({states})"}[ask.measure]
    keys = [*([f"bin({BIN // 60}m)"] if ask.over_time else []), *map(alias, ask.by)]
    lines.append(f"stats {amount} as {name} by {', '.join(keys)}")
    return "\n| ".join(lines if ask.over_time else [*lines, f"sort {name} desc", f"limit {ask.n}"])


def _value(ask: Ask) -> str:
    """Returns the name of the column of the measure."""
    return "status" if ask.measure == "status" else f"sum_{ask.measure}"


# -- Athena ----------------------------------------------------------------------------------------------------------

_FROM, _TO = "${__from:date:seconds}", "${__to:date:seconds}"


def _sql(test: Test) -> str:
    field, sign, value = test
    own = f'"{_column(field)}"'
    if sign in ("private", "public"):
        inside = " OR ".join(f"contains('{one}', TRY_CAST({own} AS IPADDRESS))" for one in PRIVATE_V4)
        return f"({inside})" if sign == "private" else f"NOT ({inside})"
    if sign == "differs":
        return f'{own} <> "{_column(value)}"'
    return f"{own} {'<>' if sign == '!=' else sign} " + (value if value.isdigit() else f"'{value}'")


def partitions(layout: str, before: int = 0) -> list[str]:
    """Returns the tests of partitions that hold the time of a dashboard and ``before`` seconds before it, a day more
    on each side: objects may come later than their records begin."""
    first, last = f"from_unixtime({_FROM} - {before + 86400})", f"from_unixtime({_TO} + 86400)"
    if layout.startswith("hive"):
        day = "log_year * 10000 + log_month * 100 + log_day"
        ends = [f"CAST(date_format({time}, '%Y%m%d') AS integer)" for time in (first, last)]
        return [f"log_year BETWEEN year({first}) AND year({last})", f"{day} BETWEEN {ends[0]} AND {ends[1]}"]
    form = "%Y/%m/%d/%H" if layout == "hourly" else "%Y/%m/%d"
    return [f"log_time BETWEEN date_format({first}, '{form}') AND date_format({last}, '{form}')"]


def athena(ask: Ask, format: str, table: str, layout: str, chosen: Sequence[str] = ()) -> str:
    """Writes a statement for a table that ``vpcflow athena ddl`` made. Each has its time in all its parts, and names
    partitions, so that no refresh reads the whole table. ``chosen``: further conditions, of a page."""
    fields = fields_of(format)
    keys = [f'"{_column(field)}"' for field in ask.by]
    past = PAST if ask.new else 0
    tests = partitions(layout, past)
    if "start" in fields:
        tests.append(f'"start" BETWEEN {f"{_FROM} - {past}" if past else _FROM} AND {_TO}')
    if "log-status" in fields and not ask.every_record:
        tests.append("\"log_status\" = 'OK'")
    tests += [*map(_sql, ask.where), *chosen]
    states = " ".join(f"WHEN '{word}' THEN {number}" for word, number in _STATUS)
    amounts = {"bytes": 'sum("bytes")', "records": "count(*)", "status": f'max(CASE "log_status" {states} END)'}
    amount, where = f"{amounts[ask.measure]} AS {_value(ask)}", "\n  AND ".join(tests)
    if ask.over_time:
        time = f'from_unixtime("start" / {BIN} * {BIN})'
        columns = ", ".join([f"{time} AS time", *keys, amount])
        groups = ", ".join([time, *keys])
        return f"SELECT {columns}\nFROM {table}\nWHERE {where}\nGROUP BY {groups}\nORDER BY 1"
    having = f'\nHAVING min("start") >= {_FROM}' if ask.new else ""
    return (
        f"SELECT {', '.join([*keys, amount])}\nFROM {table}\nWHERE {where}\nGROUP BY {', '.join(keys)}{having}\n"
        f"ORDER BY {_value(ask)} DESC\nLIMIT {ask.n}"
    )


# -- VictoriaLogs ----------------------------------------------------------------------------------------------------


def _logsql(test: Test) -> str:
    field, sign, value = test
    own = _column(field)
    if sign in ("private", "public"):
        inside = " or ".join(f'{own}:ipv4_range("{one}")' for one in PRIVATE_V4)
        return f"({inside})" if sign == "private" else f"!({inside})"
    if sign == "differs":
        return f"{own}:* !{own}:eq_field({_column(value)})"
    if sign == "<":
        return f"{own}:<{value}"
    return f'{"!" if sign == "!=" else ""}{own}:="{value}"'


def logsql(ask: Ask, format: str, chosen: Sequence[str] = ()) -> str:
    """Writes a query of VictoriaLogs over what ``vpcflow convert -o x.jsonl`` writes. ``chosen``: further conditions,
    of a page."""
    tests = [*chosen, *map(_logsql, ask.where)]
    if "log-status" in fields_of(format) and not ask.every_record:
        tests.insert(0, 'log_status:="OK"')
    amount = {"bytes": "sum(bytes)", "records": "count()", "status": "max(status)"}[ask.measure]
    pipes = [f"stats by ({', '.join(map(_column, ask.by))}) {amount} {_value(ask)}"]
    if ask.measure == "status":
        pipes[:0] = [f'format if (log_status:="{word}") "{number}" as status' for word, number in _STATUS]
    if ask.new:  # all that is older than the page's end, of which that is kept which the page begins with
        tests.insert(0, 'options(ignore_global_time_filter=true) _time:<"${__to:date:iso}"')
        pipes[0] += ", min(_time) first"
        pipes += ['filter first:>="${__from:date:iso}"', "delete first"]
    if not ask.over_time:
        pipes += [f"sort by ({_value(ask)} desc)", f"limit {ask.n}"]
    return " | ".join([" ".join(tests) or "*", *pipes])


# -- OpenSearch ------------------------------------------------------------------------------------------------------

_OUTER = 10

def _lucene(test: Test) -> str:
    field, sign, value = test
    own = ecs(field)
    if sign == "differs":
        return f"_exists_:{BEFORE_GATEWAY}"
    if sign in ("private", "public"):
        inside = " OR ".join(f'{own}:"{one}"' for one in PRIVATE_V4)
        return f"({inside})" if sign == "private" else f"NOT ({inside})"
    return f"{own}:<{value}" if sign == "<" else f"{'NOT ' if sign == '!=' else ''}{own}:{value}"


def lucene(
    ask: Ask, format: str, chosen: Sequence[str] = ()
) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the query of OpenSearch, and the metrics and buckets of its plugin, over what ``vpcflow send --as ecs
    --unit records`` writes. ``chosen``: further conditions, of a page. Buckets are of one field within those of
    another, so that of several fields the outer ones are ``_OUTER`` times as many."""
    tests = [*map(_lucene, ask.where), *chosen]
    if "log-status" in fields_of(format) and not ask.every_record:
        tests.insert(0, f"{ecs('log-status')}:OK")
    metric = {"id": "1", "type": "count"}
    if ask.measure == "bytes":
        metric = {"id": "1", "type": "sum", "field": ecs("bytes")}
    order = {"order": "desc", "orderBy": "_count" if ask.measure == "records" else "1", "min_doc_count": "1"}
    size = str(ask.n * (_OUTER if len(ask.by) > 1 else 1))
    fields = [ecs(field) for field in ask.by]
    if any(sign == "differs" for _, sign, _ in ask.where):
        fields = [BEFORE_GATEWAY if field == ecs("srcaddr") else field for field in fields]
    buckets: list[dict[str, Any]] = [
        {"id": str(number), "type": "terms", "field": field, "settings": {**order, "size": size}}
        for number, field in enumerate(fields, 2)
    ]
    if ask.over_time:
        own = {"interval": "auto", "min_doc_count": "0", "trimEdges": "0"}
        buckets.append({"id": "9", "type": "date_histogram", "field": START, "settings": own})
    return " AND ".join(tests) or "*", [metric], buckets
