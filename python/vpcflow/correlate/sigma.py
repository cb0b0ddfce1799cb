"""Sigma's ``temporal`` and ``temporal_ordered`` correlations as sequence rules: parsed by pySigma, compiled to values.

Base rules may be about flow logs, CloudTrail, GuardDuty, DNS and any other source; their fields are those of Sigma's
taxonomy for the source, or ours. A base rule that is an ``event_count`` or ``value_...`` correlation over flow logs is
a grouping, whose findings are a step. ``group-by`` is a name that all steps bind.
"""

from __future__ import annotations

import re
from typing import Any

from .._display import printable
from .._hints import hint
from ..rules.sigma import Compiler, alias_of, compiled

_SERVICES = {
    "vpcflow": "flows", "vpcflowlogs": "flows", "vpc": "flows", "flowlogs": "flows", "cloudtrail": "cloudtrail",
    "guardduty": "guardduty", "route53": "dns", "route53resolver": "dns", "route53_resolver": "dns", "resolver": "dns",
    "dns": "dns", "alb": "alb", "elb": "alb", "nlb": "nlb", "clb": "clb", "waf": "waf", "securityhub": "securityhub",
    "coverage": "coverage", "findings": "findings",
}  # fmt: skip
_CATEGORIES = {"network_connection": "flows", "firewall": "flows", "network": "flows", "flow": "flows", "dns": "dns",
               "dns_query": "dns", "webserver": "alb", "proxy": "alb"}  # fmt: skip
_WEB = {"c-ip": "client", "src_ip": "client", "source.ip": "client", "cs-user-agent": "userAgent", "c-useragent":
        "userAgent", "user_agent.original": "userAgent", "sc-status": "status", "cs-method": "method",
        "cs-uri": "request", "c-uri": "request", "cs-uri-query": "request"}  # fmt: skip
#: By source, our names of the fields of events, by those of AWS, Sigma's taxonomy, ECS and OCSF in small letters.
NAMES: dict[str, dict[str, str]] = {
    "cloudtrail": {
        "eventname": "kind", "event.action": "kind", "api.operation": "kind", "eventsource": "eventSource",
        "event.provider": "eventSource", "api.service.name": "eventSource", "sourceipaddress": "address",
        "source.ip": "address", "src_ip": "address", "src_endpoint.ip": "address", "awsregion": "region",
        "cloud.region": "region", "recipientaccountid": "account", "cloud.account.id": "account",
        "useridentity.arn": "principal", "useridentity.type": "userType", "useridentity.accesskeyid": "accessKeyId",
        "useridentity.username": "userName", "user.name": "userName", "useridentity.principalid": "principal",
        "useridentity.sessioncontext.sessionissuer.arn": "issuer",
        "useridentity.sessioncontext.sessionissuer.username": "issuerName",
        "useridentity.sessioncontext.sourceidentity": "sourceIdentity",
        "useridentity.sessioncontext.attributes.mfaauthenticated": "sessionMfa",
        "useragent": "userAgent", "user_agent.original": "userAgent", "errorcode": "errorCode",
        "additionaleventdata.mfaused": "mfa", "responseelements.consolelogin": "outcome", "readonly": "readOnly",
    },
    "guardduty": {
        "type": "kind", "severity": "severity", "service.count": "count", "service.resourcerole": "role",
        "accountid": "account", "region": "region", "title": "title", "remote": "remote", "domain": "domain",
        "direction": "direction", "port": "port",
    },
    "dns": {
        "query": "query_name", "query_name": "query_name", "dns.question.name": "query_name", "queryname": "query_name",
        "record_type": "query_type", "query_type": "query_type", "dns.question.type": "query_type", "answer": "answer",
        "answers": "answer", "dns.answers.data": "answer", "src_ip": "srcaddr", "source.ip": "srcaddr",
        "srcaddr": "srcaddr", "rcode": "rcode", "dns.response_code": "rcode", "vpc_id": "vpc_id", "region": "region",
        "firewall_rule_action": "firewall_rule_action", "account_id": "account_id",
    },
    "alb": {**_WEB, "target": "target", "elb": "elb", "target_status": "target_status"},
    "waf": {**_WEB, "httprequest.clientip": "client", "action": "action", "terminatingruleid": "ruleId",
            "httprequest.country": "country", "httprequest.uri": "request", "httprequest.httpmethod": "method"},
}  # fmt: skip


def items_of(documents: list[Any], name: str) -> list[dict[str, Any]]:
    """Converts Sigma rules to plain values that :func:`vpcflow.correlate.of` takes; ``name`` begins its errors. Raises
    :class:`~vpcflow.RuleError` for rules that are no temporal correlation or base of one, and for what is not compiled.
    """
    return compiled(documents, name, _Sequences(name).all)


class _Sequences(Compiler):
    """Compiles the temporal correlations of one file."""

    def all(self, rules: list[Any]) -> list[dict[str, Any]]:
        """Returns the sequences."""
        from sigma.correlations import SigmaCorrelationRule

        used = {id(ref.rule) for rule in rules if isinstance(rule, SigmaCorrelationRule) for ref in rule.rules or ()}
        out = []
        for rule in rules:
            self._place = f"{self._name}: Sigma rule {printable(str(rule.title))!r}"
            if isinstance(rule, SigmaCorrelationRule) and str(rule.type).lower().startswith("temporal"):
                common = self._common(rule)
                del common["message"]
                out.append({**common, **self._sequence(rule)})
            elif id(rule) not in used:
                raise self._fail("no sequence and no base of one; keep it in another file, for vpcflow rules run")
        return out

    def _sequence(self, rule: Any) -> dict[str, Any]:
        self._check_condition(rule)
        steps, groupings = [], []
        names = {name: re.sub(r"\W", "_", f"by_{name}") for name in rule.group_by or []}
        for reference in rule.rules or ():
            base = reference.rule
            step, compiler = self._step(base)
            if "kind" in step:
                groupings.append(self._grouping(base))
            bind = {}
            for name, bound in names.items():
                bind[bound] = compiler._field(_alias(rule, name, reference)).replace("-", "_")
            steps.append({**step, **({"bind": bind} if bind else {})})
        own: dict[str, Any] = {
            "sequence": steps, "within": f"{rule.timespan.seconds}s", "by": [],
            "ordered": str(rule.type).lower() == "temporal_ordered",
        }  # fmt: skip
        return {**own, **({"groupings": groupings} if groupings else {})}

    def _step(self, base: Any) -> tuple[dict[str, Any], Compiler]:
        """Returns the step of a base rule, without what it binds, and what knows the names of its fields."""
        if not hasattr(base, "detection"):
            if str(base.type).lower().startswith("temporal"):
                raise self._fail("sequences of sequences are not compiled")
            return {"source": "findings", "kind": str(base.name or base.title)}, self
        source = _source_of(base.logsource)
        if source == "flows":
            return {"source": source, "where": self._where(base)}, self
        compiler = _EventTests(self._name, self._place, source)
        where = " or ".join(compiler._test(condition.parsed) for condition in base.detection.parsed_condition)
        return {"source": source, "where": where, **({"failed": True} if source == "cloudtrail" else {})}, compiler

    def _grouping(self, base: Any) -> dict[str, Any]:
        place, self._place = self._place, f"{self._place}: {printable(str(base.title))!r}"
        out = self._with_message({**self._common(base), **self._correlation(base)})
        self._place = place
        return {**out, "name": str(base.name or base.title)}

    def _check_condition(self, rule: Any) -> None:
        """Checks that all base rules are asked for: others are not compiled."""
        condition, number = rule.condition, len(rule.rules or ())
        count = getattr(condition, "count", None)
        if count is not None and getattr(getattr(condition, "op", None), "name", "") == "GTE" and count >= number:
            return
        expression = str(getattr(condition, "expression", ""))
        if expression and not re.search(r"\b(or|not)\b", expression) and rule.rules:
            return
        raise self._fail("condition: all rules are looked for; `or`, `not` and fewer of them are not compiled")


class _EventTests(Compiler):
    """Compiles the conditions of a base rule over events."""

    def __init__(self, name: str, place: str, source: str) -> None:
        super().__init__(name)
        self._place, self._source = place, source

    def _field(self, name: str) -> str:
        known = NAMES.get(self._source)
        lower = name.lower()
        if known is None:
            return re.sub(r"\W", "_", name)
        ours = {own.lower(): own for own in known.values()}
        if found := known.get(lower) or ours.get(lower):
            return found
        asked = re.fullmatch(r"requestparameters\.(\w{1,60})", lower)
        if self._source == "cloudtrail" and asked and asked[1] not in ours:
            return name.partition(".")[2]
        raise self._fail(f"events of {self._source} have no field {printable(name)!r}; {hint(name, sorted(known))}")

    def _equals(self, field: str, value: Any) -> str:
        from sigma import types

        if isinstance(value, types.SigmaExpansion):
            return "(" + " or ".join(self._equals(field, one) for one in value.values) + ")"
        if isinstance(value, getattr(types, "SigmaBool", ())):
            return f"{field} = '{str(value).lower()}'"
        if isinstance(value, types.SigmaNumber):
            return f"{field} = {value}"
        if isinstance(value, types.SigmaRegularExpression):
            flags = "".join(sorted(flag.name[0].lower() for flag in value.flags))
            return f"{field} matches {_quoted((f'(?{flags})' if flags else '') + str(value.regexp))}"
        if isinstance(value, types.SigmaString):
            return self._equals_text(field, value, isinstance(value, types.SigmaCasedString))
        return super()._equals(field, value)

    def _equals_text(self, field: str, value: Any, cased: bool) -> str:
        if cased:
            parts = [re.escape(p) if isinstance(p, str) else ".*" if p.name.endswith("MULTI") else "." for p in value.s]
            return f"{field} matches {_quoted('(?s)^' + ''.join(parts) + '$')}"
        plain = "".join(p if isinstance(p, str) else "" for p in value.s)
        if not value.contains_special() and not re.search(r"[/-]", plain):
            return f"{field} = {_quoted(plain)}"
        parts = [re.sub(r"[*?\[]", r"[\g<0>]", p) if isinstance(p, str) else "*" if p.name.endswith("MULTI") else "?"
                 for p in value.s]  # fmt: skip
        return f"{field} like {_quoted(''.join(parts))}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _alias(rule: Any, name: str, reference: Any) -> str:
    """Returns the field that a name of ``group-by`` is in a base rule."""
    for alias in rule.aliases:
        if alias.alias == name:
            for other, field in alias.mapping.items():
                if getattr(other, "reference", other) == reference.reference:
                    return str(field)
    return alias_of(rule, name) if not any(alias.alias == name for alias in rule.aliases) else name


def _source_of(logsource: Any) -> str:
    """Returns the source of events that a base rule is about: by service, by category, else the name of a mapping's."""
    for value, known in ((logsource.service, _SERVICES), (logsource.category, _CATEGORIES)):
        if value is not None and value.lower() in known:
            return known[value.lower()]
    return str(logsource.service or logsource.product or logsource.category)
