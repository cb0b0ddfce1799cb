"""Sigma rules (sigmahq.io) as rules of vpcflow: parsed by pySigma, compiled to the filter language and to groupings.

A plain rule fires on records; here it gives one finding for each source, target and port. Correlations of type
``event_count``, ``value_count``, ``value_sum``, ``value_avg``, ``value_median`` and ``value_percentile`` become
groupings with time bins of their ``timespan``, aligned to the epoch; ``temporal`` ones are sequences, which
:mod:`vpcflow.correlate` runs. Strings ignore case, as Sigma has it; a field that a record lacks equals nothing, so that
its negation holds.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any, Callable

from .. import _core
from .._display import printable
from ..errors import RuleError
from ..query.expr import _literal

#: Names of the same fields in Sigma's taxonomies of network rules, ECS and Zeek; AWS's own names work anyway.
FIELDS = {
    "srcaddr": ("src_ip", "SourceIp", "source.ip", "id.orig_h", "SourceAddress", "c-ip", "src_endpoint.ip"),
    "dstaddr": ("dst_ip", "DestinationIp", "destination.ip", "id.resp_h", "DestAddress", "dst_endpoint.ip"),
    "srcport": ("src_port", "SourcePort", "source.port", "id.orig_p", "src_endpoint.port"),
    "dstport": ("dst_port", "DestinationPort", "destination.port", "id.resp_p", "DestPort", "dst_endpoint.port"),
    "protocol": ("Protocol", "network.iana_number", "network.transport", "proto", "transport"),
    "bytes": ("network.bytes", "orig_bytes", "traffic.bytes"),
    "packets": ("network.packets", "traffic.packets"),
    "action": ("event.action", "event.outcome"),
    "account-id": ("cloud.account.id", "accountId"),
    "interface-id": ("interfaceId",),
}
_OUTCOMES = {"success": "ACCEPT", "failure": "REJECT"}  # of ECS


def _action(text: str) -> str:
    return _OUTCOMES.get(text.lower(), text.upper())


_ENUMS = {"action": _action, "log-status": str.upper, "flow-direction": str.lower}
_LEVELS = {"critical": "high", "high": "high", "medium": "medium", "low": "low", "informational": "low"}
_CATEGORIES = {None, "network_connection", "firewall", "network", "flow"}
_BY = ("srcaddr", "dstaddr", "dstport")  # of plain rules
_OPERATORS = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "EQ": "=", "NEQ": "!="}


def is_sigma(data: Any) -> bool:
    """Returns whether a document of a file is a Sigma rule."""
    return isinstance(data, dict) and ("detection" in data or "correlation" in data)


def items_of(documents: list[Any], name: str) -> list[dict[str, Any]]:
    """Converts Sigma rules to plain values that :func:`vpcflow.rules.of` takes; ``name`` begins its errors.
    Raises :class:`~vpcflow.RuleError` for other documents, other kinds of logs, and features that are not compiled.

    >>> from vpcflow.rules import sigma
    >>> rule = {"title": "SSH refused", "level": "high", "logsource": {"product": "aws", "service": "vpcflow"},
    ...         "detection": {"try": {"dst_port": 22, "action": "reject"}, "condition": "try"}}
    >>> sigma.items_of([rule], "my.yml")[0]["where"]
    "(dstport = 22 and action = 'REJECT')"
    """
    return compiled(documents, name, Compiler(name).all)


def compiled(
    documents: list[Any], name: str, compile: Callable[[list[Any]], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Parses documents by pySigma, and compiles their rules."""
    try:
        from sigma.collection import SigmaCollection  # an extra
        from sigma.exceptions import SigmaError
    except ImportError:
        raise RuleError(f"{name}: this is a Sigma rule: pip install 'vpcflow[sigma]'") from None
    try:
        return compile(SigmaCollection.from_dicts(documents).rules)
    except (SigmaError, RecursionError) as e:
        raise RuleError(f"{name}: Sigma: {printable(' '.join(str(e).split()))}") from None


class Compiler:
    """Compiles the rules of one file."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._place = name
        self._known = {f["name"]: f for f in _core.fields()}
        self._names = {name.replace("-", "").replace("_", ""): name for name in self._known}
        for ours, theirs in FIELDS.items():
            self._names |= {other.lower(): ours for other in theirs}

    def all(self, rules: list[Any]) -> list[dict[str, Any]]:
        """Returns all rules; those that only correlations use are no rules of their own."""
        from sigma.correlations import SigmaCorrelationRule

        correlations = [rule for rule in rules if isinstance(rule, SigmaCorrelationRule)]
        used = {id(ref.rule) for c in correlations if not c.generate for ref in c.rules or ()}
        out = []
        for rule in rules:
            self._place = f"{self._name}: Sigma rule {printable(str(rule.title))!r}"
            if isinstance(rule, SigmaCorrelationRule):
                out.append({**self._common(rule), **self._correlation(rule)})
            elif id(rule) not in used:
                own = {"where": self._where(rule), "by": list(_BY), "aggregates": {"flows": "count()"}}
                out.append({**self._common(rule), **own})
        return [self._with_message(item) for item in out]

    def _with_message(self, item: dict[str, Any]) -> dict[str, Any]:
        shown = ", ".join(f"{key} {{{key.replace('-', '_')}}}" for key in [*item["by"], *item["aggregates"]])
        message = item["message"].replace("{", "{{").replace("}", "}}")
        return {**item, "message": f"{message}: {shown}"}

    def _fail(self, why: str) -> RuleError:
        return RuleError(f"{self._place}: {why}")

    def _common(self, rule: Any) -> dict[str, Any]:
        technique = next((t.name.upper() for t in rule.tags if re.fullmatch(r"[tT]\d{4}(\.\d{3})?", t.name)), "")
        level = _LEVELS[str(rule.level).lower()] if rule.level is not None else "medium"
        title = printable(str(rule.title))
        return {"name": rule.name or title, "severity": level, "technique": technique, "message": title}

    def _correlation(self, rule: Any) -> dict[str, Any]:
        kind = str(rule.type).lower()
        field = rule.condition.fieldref if hasattr(rule.condition, "fieldref") else None
        if kind.startswith("temporal") or not hasattr(rule.condition, "op"):
            raise self._fail("a temporal correlation is a sequence, for vpcflow correlate --flows PATH --rules FILE")
        fields = [field] if isinstance(field, str) else list(field or [])
        if kind != "event_count" and len(fields) != 1:
            raise self._fail(f"{kind} needs one `field` in its condition")
        of = self._field(fields[0]) if fields else ""
        percentile = (rule.condition.percentile or 0) / 100
        value = {
            "event_count": "count()", "value_count": f"n_unique({of})", "value_sum": f"sum({of})",
            "value_avg": f"mean({of})", "value_median": f"quantile({of}, 0.5)",
            "value_percentile": f"quantile({of}, {percentile})",
        }[kind]  # fmt: skip
        wheres = []
        for reference in rule.rules:
            if not hasattr(reference.rule, "detection"):
                raise self._fail(f"{kind} of correlations is not compiled")
            wheres.append(self._where(reference.rule))
        by = [self._field(alias_of(rule, name)) for name in rule.group_by or []]
        name = {"event_count": "flows"}.get(kind, kind.removeprefix("value_") + "_" + of.replace("-", "_"))
        having = f"{name} {_OPERATORS[rule.condition.op.name]} {rule.condition.count}"
        return {
            "where": " or ".join(dict.fromkeys(f"({where})" for where in wheres)), "by": by,
            "every": rule.timespan.seconds, "aggregates": {name: value}, "having": [having],
        }  # fmt: skip

    def _where(self, rule: Any) -> str:
        source = rule.logsource
        aws = source.product in (None, "aws") and source.service in (None, "vpcflow", "vpcflowlogs", "vpc", "flowlogs")
        other = source.product not in (None, "aws") and source.category is not None
        if source.category not in _CATEGORIES or not (aws or other):
            about = "/".join(filter(None, (source.product, source.service, source.category)))
            raise self._fail(f"it is about {printable(about)}, not about network traffic")
        return " or ".join(self._test(condition.parsed) for condition in rule.detection.parsed_condition)

    def _test(self, node: Any, negated: bool = False) -> str:
        """Converts a condition. Below a negation tests are false, not unknown, for records that lack the field."""
        from sigma.conditions import ConditionAND, ConditionFieldEqualsValueExpression, ConditionNOT, ConditionOR

        if isinstance(node, (ConditionAND, ConditionOR)):
            parts = [self._test(arg, negated) for arg in node.args]
            return "(" + (" and " if isinstance(node, ConditionAND) else " or ").join(parts) + ")"
        if isinstance(node, ConditionNOT):
            return f"not {self._test(node.args[0], True)}"
        if isinstance(node, ConditionFieldEqualsValueExpression):
            field = self._field(node.field)
            test = self._equals(field, node.value)
            wrapped = negated and not test.endswith(" null")
            return f"({field} is not null and {test})" if wrapped else test
        raise self._fail("a value without a field cannot be looked for in flow logs")

    def _field(self, name: str) -> str:
        found = self._names.get(name.lower()) or self._names.get(name.lower().replace("-", "").replace("_", ""))
        if found is None:
            raise self._fail(f"flow logs have no field {printable(name)!r}")
        return str(found)

    def _equals(self, field: str, value: Any) -> str:
        from sigma import types

        if isinstance(value, types.SigmaExpansion):
            return "(" + " or ".join(self._equals(field, one) for one in value.values) + ")"
        if isinstance(value, types.SigmaNull):
            return f"{field} is null"
        if isinstance(value, getattr(types, "SigmaExists", ())):
            return f"{field} is {'not ' if getattr(value, 'exists', True) else ''}null"
        if isinstance(value, types.SigmaNumber):
            return f"{field} = {value}" if self._known[field]["type"] != "text" else f"{field} = '{value}'"
        if isinstance(value, types.SigmaCompareExpression):
            return f"{field} {_OPERATORS[value.op.name]} {value.number}"
        if isinstance(value, types.SigmaCIDRExpression):
            return f"{field} in ('{value.network}')"
        if isinstance(value, types.SigmaRegularExpression):
            return f"{field} matches {_literal(('(?i)' if value.flags else '') + str(value.regexp))}"
        if isinstance(value, types.SigmaString):
            return self._equals_text(field, value, isinstance(value, types.SigmaCasedString))
        raise self._fail(f"{field}: values of the kind {type(value).__name__} are not compiled")

    def _equals_text(self, field: str, value: Any, cased: bool) -> str:
        text, kind = str(value), self._known[field]["type"]
        if kind == "address":
            return f"{field} in ('{self._prefix(field, text)}')"
        if kind != "text" and field not in _ENUMS:
            return f"{field} = {text}" if text.isdigit() else f"{field} = {_literal(text.lower())}"
        if not value.contains_special() and (cased or field in _ENUMS):
            return f"{field} = {_literal(text if cased else _ENUMS[field](text))}"
        parts = [re.escape(p) if isinstance(p, str) else (".*" if p.name.endswith("MULTI") else ".") for p in value.s]
        return f"{field} matches {_literal(('' if cased else '(?i)') + '^' + ''.join(parts) + '$')}"

    def _prefix(self, field: str, text: str) -> str:
        """Converts an address, a prefix, or an IPv4 address whose last parts are a wildcard, as older rules have it."""
        stars = re.fullmatch(r"((?:\d{1,3}\.){1,3})\*", text)
        if stars:
            parts = stars[1].rstrip(".").split(".")
            text = ".".join([*parts, *["0"] * (4 - len(parts))]) + f"/{8 * len(parts)}"
        try:
            return str(ipaddress.ip_network(text))
        except ValueError:
            raise self._fail(f"{field}: {printable(text)!r} is no address and no prefix; write {field}|cidr") from None


def alias_of(rule: Any, name: str) -> str:
    """Returns the field that a name of a correlation's ``group-by`` stands for, if it is an alias."""
    for alias in rule.aliases:
        if alias.alias == name:
            return str(next(iter(alias.mapping.values())))
    return name
