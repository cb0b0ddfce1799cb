"""Variables of dashboards: what a page lets choose, as each source's queries test it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from ..serve.asked import CHOICES
from ..serve.board import SERVICES
from . import infinity
from .ecs import ecs
from .panels import Ask, fields_of

Json = dict[str, Any]
_ALL = {"text": "All", "value": "$__all", "selected": True}


@dataclasses.dataclass(frozen=True)
class Variable:
    """What a page lets choose: values of a field, or of any of ``fields``. ``choices``: texts and values, where they
    are few and known. ``label``: that of metrics."""

    name: str
    title: str
    fields: tuple[str, ...]
    label: str = ""
    choices: tuple[tuple[str, str], ...] = ()


_PORTS = tuple((name, str(port)) for port, name in sorted(SERVICES.items(), key=lambda item: item[1]))
VARIABLES = (
    Variable("account", "Account", ("account-id",), "account"),
    Variable("region", "Region", ("region",), "region"),
    Variable("vpc", "VPC", ("vpc-id",)),
    Variable("interface", "Interface", ("interface-id",)),
    Variable("action", "Action", ("action",), "action", (("ACCEPT", "ACCEPT"), ("REJECT", "REJECT"))),
    Variable("service", "Service", ("dstport",), "service", _PORTS),
    Variable("address", "Address", ("srcaddr", "dstaddr")),
)


@dataclasses.dataclass(frozen=True)
class Dialect:
    """How a language tests a variable. ``test``: a condition; ``everything``: the value in it that lets all pass, of
    the variable; ``typed``: that of a field where it is typed. ``values``: the query for its values, none where that
    would cost or cannot be asked. ``names``: the variables that it can test, all without; ``several``: whether it takes
    several values of one."""

    test: Callable[[Variable], str]
    everything: Callable[[Variable], str]
    typed: str
    values: Callable[[Variable], Any] = lambda variable: None
    names: tuple[str, ...] = tuple(one.name for one in VARIABLES)
    several: bool = True


def chosen(format: str, ask: Ask | None = None) -> list[Variable]:
    """Returns the variables that logs of a format have, of those that a question is asked with."""
    there = fields_of(format)
    some = [one for one in VARIABLES if all(field in there for field in one.fields)]
    return [one for one in some if ask is None or not (ask.every_record and len(one.fields) > 1)]


def names(format: str) -> list[str]:
    """Returns the names of the variables of a page of :mod:`vpcflow.serve` for logs of a format."""
    return ["where", *(one.name for one in chosen(format))]


def _column(variable: Variable) -> str:
    return variable.fields[0].replace("-", "_")


def _is_typed(dialect: Dialect, variable: Variable) -> bool:
    return not variable.choices and dialect.values(variable) is None


# -- languages -------------------------------------------------------------------------------------------------------


def _insights_test(variable: Variable) -> str:
    form = "pipe" if variable.choices else "raw"
    tests = [f"f_{field.replace('-', '_')} like /^(${{{variable.name}:{form}}})$/" for field in variable.fields]
    return " or ".join(tests)


def _athena_test(variable: Variable) -> str:
    value = f"${{{variable.name}:sqlstring}}"
    if variable.choices:
        return f"{_athena_text(variable.fields[0])} IN ({value})"
    tests = [f"{_athena_text(field)} LIKE {value}" for field in variable.fields]
    return tests[0] if len(tests) == 1 else f"({' OR '.join(tests)})"


def _athena_text(field: str) -> str:
    own = '"' + field.replace("-", "_") + '"'
    text = f"CAST({own} AS varchar)" if field == "dstport" else own
    return f"coalesce({text}, '-')"


def _logsql_test(variable: Variable) -> str:
    form = "raw" if len(variable.fields) > 1 else "doublequote"
    tests = [f"{field.replace('-', '_')}:in(${{{variable.name}:{form}}})" for field in variable.fields]
    return tests[0] if len(tests) == 1 else f"({' or '.join(tests)})"


def _lucene_test(variable: Variable) -> str:
    form = "raw" if len(variable.fields) > 1 else "lucene"
    return f"({' OR '.join(f'{ecs(field)}:${{{variable.name}:{form}}}' for field in variable.fields)})"


def _matcher(variable: Variable) -> str:
    return f'{variable.label}=~"${{{variable.name}}}"'  # which Grafana writes as a regular expression there


def _label_values(variable: Variable) -> Json:
    metric = f"vpcflow_{'service' if variable.label == 'service' else 'place'}_records_total"
    return {"query": f"label_values({metric}, {variable.label})", "refId": "values"}


def _of_one_field(make: Callable[[Variable], Any]) -> Callable[[Variable], Any]:
    """Returns a query for the values of a variable, where it is of one field."""
    return lambda variable: make(variable) if len(variable.fields) == 1 else None


DIALECTS = {
    "cloudwatch": Dialect(_insights_test, lambda variable: ".*", ".*"),
    "athena": Dialect(_athena_test, lambda variable: _athena_text(variable.fields[0]), "%"),
    "victorialogs": Dialect(_logsql_test, lambda variable: "*", "*", _of_one_field(lambda variable: {
        "type": "fieldValue", "query": "*", "field": _column(variable), "limit": 1000, "refId": "values",
    })),
    "opensearch": Dialect(
        _lucene_test, lambda variable: f"* OR (*:* AND NOT _exists_:{ecs(variable.fields[0])})", "*",
        _of_one_field(lambda variable: f'{{"find": "terms", "field": "{ecs(variable.fields[0])}", "size": 1000}}'),
    ),
    "prometheus": Dialect(
        _matcher, lambda variable: ".*", ".*", _label_values, tuple(one.name for one in VARIABLES if one.label)
    ),
    "infinity": Dialect(  # by parameters of vpcflow serve
        lambda variable: f"{variable.name}=${{{variable.name}:percentencode}}", lambda variable: "all", "all",
        _of_one_field(lambda variable: infinity.values(variable.fields[0])), tuple(CHOICES), several=False,
    ),
}  # fmt: skip


def tests(source: str, format: str, ask: Ask) -> list[str]:
    """Returns the conditions by which a question of a page is narrowed."""
    return [DIALECTS[source].test(one) for one in chosen(format, ask)]


# -- as Grafana has them ---------------------------------------------------------------------------------------------


def models(source: str, format: str, plugin: str) -> list[Json]:
    """Returns the variables of a dashboard for a source, in the classic form."""
    dialect = DIALECTS[source]
    return [_model(one, dialect, plugin) for one in chosen(format) if one.name in dialect.names]


def lacking(source: str, format: str) -> list[str]:
    """Returns the titles of the variables that logs of a format have and a source cannot test."""
    return [one.title for one in chosen(format) if one.name not in DIALECTS[source].names]


def _model(variable: Variable, dialect: Dialect, plugin: str) -> Json:
    base: Json = {"name": variable.name, "label": variable.title, "hide": 0}
    if _is_typed(dialect, variable):
        return typed(variable.name, variable.title, dialect.typed)
    several = {
        "multi": dialect.several, "includeAll": True, "allValue": dialect.everything(variable), "current": _ALL,
        "allowCustomValue": True,
    }  # fmt: skip
    if variable.choices and plugin != "prometheus":
        words = ", ".join(text if text == value else f"{text} : {value}" for text, value in variable.choices)
        options = [{"text": text, "value": value, "selected": False} for text, value in variable.choices]
        return {**base, "type": "custom", "query": words, "options": [_ALL, *options], **several}
    query = dialect.values(variable)
    return {
        **base, "type": "query", "datasource": {"type": plugin, "uid": "${datasource}"}, "query": query,
        "refresh": 2, "regex": "", "sort": 1, "options": [], **several,
    }  # fmt: skip


def typed(name: str, title: str, value: str) -> Json:
    """Returns a variable that is typed in the page."""
    one = {"text": value, "value": value, "selected": True}
    return {
        "name": name, "label": title, "type": "textbox", "query": value, "current": one, "options": [one], "hide": 0,
    }  # fmt: skip


def matchers() -> dict[str, str]:
    """Returns the matchers of Prometheus by label."""
    return {one.label: DIALECTS["prometheus"].test(one) for one in VARIABLES if one.label}
