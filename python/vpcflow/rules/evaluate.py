"""Runs rules over flow logs."""

from __future__ import annotations

import string
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .._display import instant, printable
from .._units import seconds
from ..errors import DataQualityWarning
from ..findings.evidence import with_samples
from ..findings.finding import Finding, worst_first
from ..findings.findings import Findings, Limit, NullField, blind_in, blind_to, what_lacks
from ..findings.scope import Scope
from ..query.arguments import each, instance, whole
from ..query.expr import count
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_all, collect_readable
from ..query.sessions import sessions_as_records
from ..typing import Progress
from .model import Rule

_MAD_TO_SIGMA = 1.4826  # of a normal distribution


def run(flows: Flows, rules: Sequence[Rule], *, samples: int = 3, progress: Progress | bool | None = None) -> Findings:
    """Runs rules over flow logs, in one pass over them.

    ``samples``: the number of records to show for each finding whose actor is an address, which takes another pass.
    Time bins of the same keys that follow each other are one finding. ``not_detected`` of the result names rules whose
    fields no log has, or that find nothing while one of them is ``-`` in every record; ``degraded`` those whose fields
    some sources lack, or are ``-`` otherwise. Errors as of :meth:`vpcflow.Flows.collect`; of
    damaged sources the findings before the damage are the error's ``partial``.

    >>> import vpcflow as vf
    >>> rules = vf.rules.of([{"name": "many", "by": "srcaddr", "having": "flows > 1", "message": "{srcaddr}: {flows}"}])
    >>> log = b"srcaddr start end\\n10.0.0.1 100 160\\n10.0.0.1 200 260\\n10.0.0.2 100 160\\n"
    >>> [f.sentence for f in vf.rules.run(vf.scan(log), rules)]
    ['10.0.0.1: 2']
    """
    call = "run(vf.scan('logs/'), vf.rules.load('rules.yaml'))"
    instance(flows, Flows, "rules.run", call)
    rules = each(rules, Rule, "rules.run", call)
    samples = whole(samples, "samples", "run(flows, rules, samples=3)")
    results, damage = collect_readable(queries_of(flows, rules), progress=progress)
    findings = found_in(flows, rules, results, samples)
    if damage is not None:
        damage.partial = findings
        raise damage
    return findings


def queries_of(flows: Flows, rules: Sequence[Rule]) -> list[Flows]:
    """Returns the queries whose results :func:`found_in` takes; for one pass with others."""
    queries = [rule.query(flows) for rule in rules if rule.over == "records"]
    if any(rule.over == "sessions" for rule in rules):
        queries.append(flows._with(allow_missing=True).sessions())
    return [*queries, _values_query(flows, rules), Scope.query(flows)]


def found_in(flows: Flows, rules: Sequence[Rule], results: Sequence[Result], samples: int) -> Findings:
    """Returns what rules find in the results of :func:`queries_of`."""
    of_records = [rule for rule in rules if rule.over == "records"]
    of_sessions = [rule for rule in rules if rule.over == "sessions"]
    *results, values, scope = results
    # Only what was read tells which fields there are: a later header line may have more than the first.
    formats = scope.report.formats
    there = {name for text in formats for name in _names_in(text)}
    lacking = {rule.name: _lacks(rule, there) for rule in rules if there}
    missing = {name: fields for name, fields in lacking.items() if fields}
    null = {"records": _null_fields(rules, values), "sessions": set[str]()}
    if any(rule.name not in missing for rule in of_sessions):
        sessions = results.pop()
        null["sessions"] = _null_of_sessions(sessions.report.shown)
        base = sessions_as_records(sessions, "client_bytes")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            results += collect_all([rule.query(base) for rule in of_sessions])
    found: list[Finding] = []
    for rule, result in zip([*of_records, *of_sessions], results):
        found += sampled(flows, rule, findings_of(rule, result), samples) if rule.name not in missing else []
    degraded = _degraded([r for r in rules if r.name not in missing], formats)
    for rule in rules:
        fields = [NullField(field) for field in sorted(_needed(rule) & null[rule.over])]
        if not fields or rule.name in missing:
            continue
        if any(f.detector == rule.name for f in found) or not any(field in _ALWAYS for field in fields):
            degraded.setdefault(rule.name, []).append(what_lacks(fields, ""))
        else:
            missing[rule.name] = list(fields)
            degraded.pop(rule.name, None)
    return Findings(sorted(found, key=worst_first), scope.report, missing, degraded=degraded, scope=Scope.of(scope))


def sampled(flows: Flows, rule: Rule, findings: list[Finding], n: int) -> list[Finding]:
    """Adds to the findings of a rule their first ``n`` records, those that the rule is about."""
    if not findings or n <= 0:
        return findings
    return with_samples(flows.filter(rule.where) if rule.where and rule.over == "records" else flows, findings, n)


def _names_in(format: str) -> list[str]:
    return format.replace("${", "").replace("}", "").split()


# Fields without which there are no sessions.
_FOR_SESSIONS = {"srcaddr", "dstaddr", "start", "end"}
# Further fields of records that sessions have from the logs as they are; the others are made.
_OF_SESSIONS = {"srcport", "dstport", "protocol", "packets", "bytes", "tcp-flags"}


# Fields that AWS fills in all records of traffic; in others `-` may be all that there is to say.
_ALWAYS = _FOR_SESSIONS | _OF_SESSIONS | {
    "account-id", "interface-id", "action", "vpc-id", "subnet-id", "type", "pkt-srcaddr", "pkt-dstaddr", "region",
    "az-id", "flow-direction",
}  # fmt: skip


def _needed(rule: Rule) -> set[str]:
    """Returns the fields that a rule goes by."""
    needed = set(rule.query()._plan().fields) - {"start", "end", "log-status"}
    if rule.over == "sessions":
        return _FOR_SESSIONS | (needed & _OF_SESSIONS)
    return needed | ({"start"} if rule.every else set())


def _lacks(rule: Rule, there: Iterable[str]) -> list[str]:
    """Returns the fields of a rule that are not there."""
    return sorted(_needed(rule) - set(there))


def _fields_of(rules: Sequence[Rule]) -> list[str]:
    """Returns the fields that rules over records go by."""
    return sorted(set().union(*(_needed(rule) for rule in rules if rule.over == "records")))


def _values_query(flows: Flows, rules: Sequence[Rule]) -> Flows:
    """Returns the query whose result :func:`_null_fields` takes: how many records have a value of each field."""
    names = [name.replace("-", "_") for name in _fields_of(rules)]
    counts = {f"n{i}": f"count() where {name} is not null" for i, name in enumerate(names)}
    return flows._with(allow_missing=True).agg(n=count(), **counts)


def _null_fields(rules: Sequence[Rule], values: Result) -> set[str]:
    """Returns the fields that are null in every record of traffic; none without records."""
    (row,) = values.rows() or [{"n": 0}]
    return {name for i, name in enumerate(_fields_of(rules)) if row["n"] and not row[f"n{i}"]}


def _null_of_sessions(shown: Mapping[str, int]) -> set[str]:
    """The same of sessions, by the report of their logs."""
    names = {name for text in shown for name in text.split()}
    return {name[1:] for name in names if name[0] == "-" and name[1:] not in names}


def _degraded(rules: Sequence[Rule], formats: dict[str, int]) -> dict[str, list[str]]:
    """Returns the rules that see nothing of some sources. ``formats``: the sources that have each."""
    out: dict[str, list[str]] = {}
    for rule in rules:
        lacking = {text: lacks for text in formats if (lacks := _lacks(rule, _names_in(text)))}
        if lacking:
            blind = sum(formats[text] for text in lacking)
            fields = dict.fromkeys(field for lacks in lacking.values() for field in lacks)
            out[rule.name] = [blind_in(blind, sum(formats.values()), list(fields))]
    return out


def blind_rules(rules: Sequence[Rule], formats: Iterable[str]) -> list[Limit]:
    """Returns a limit for each rule and the fields of it that one of the formats lacks."""
    there = [_names_in(format) for format in formats]
    lacking = {rule.name: dict.fromkeys(field for names in there for field in _lacks(rule, names)) for rule in rules}
    return [blind_to(name, f"some logs lack {', '.join(fields)}") for name, fields in lacking.items() if fields]


def findings_of(rule: Rule, result: Result) -> list[Finding]:
    """Converts a result of ``rule.query`` to findings; bins that follow each other are one."""
    keys = [key.replace("-", "_") for key in rule.by]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in result.rows():
        if rule.every and row["time"] is None:
            continue  # records without start, which are in no bin
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    step = seconds(rule.every) if rule.every else 0
    out = []
    for group in groups.values():
        run: list[dict[str, Any]] = []
        for row in _unusual(rule, group):
            if run and row["time"] - run[-1]["time"] > step:
                out.append(_finding(rule, keys, run))
                run = []
            run.append(row)
        if run:
            out.append(_finding(rule, keys, run))
    return out


def _unusual(rule: Rule, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the time bins of a group that stand out from its others; all without ``unusual``."""
    if not rule.unusual:
        return rows
    import statistics  # heavy

    of = rule.unusual["of"]
    deviations, least = rule.unusual.get("deviations", 6), rule.unusual.get("bins", 6)
    values = [row[of] or 0 for row in rows]
    out = []
    for i, row in enumerate(rows):
        others = values[:i] + values[i + 1 :]
        if len(others) < least:
            continue
        median = statistics.median(others)
        deviation = _MAD_TO_SIGMA * statistics.median(abs(value - median) for value in others)
        if values[i] > median + deviations * max(deviation, median / 10):
            out.append({**row, "usual": median})
    return out


class _Message(string.Formatter):
    """Times as text, texts without control characters; a separator where there is a number."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        value = kwargs[field_name]
        shown = instant(value) if field_name == "time" else value if isinstance(value, (int, float)) else str(value)
        return (printable(shown) if isinstance(shown, str) else shown), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        return format(value, format_spec if isinstance(value, (int, float)) else "")


def _finding(rule: Rule, keys: list[str], rows: list[dict[str, Any]]) -> Finding:
    """Makes the finding of bins that follow each other, with the figures of the greatest by its first aggregate."""
    first = next(iter(rule.aggregates or {"flows": ""}))
    worst = max(rows, key=lambda row: (row[first] is not None, row[first] or 0))
    starts = [row["first_start"] if row["first_start"] is not None else row.get("time") for row in rows]
    ends = [row["last_end"] if row["last_end"] is not None else row.get("time") for row in rows]
    start = min((t for t in starts if t is not None), default=0)
    end = max((t for t in ends if t is not None), default=start)
    evidence = {name: worst[name] for name in rule.columns if name not in keys}
    if "usual" in worst:
        evidence["usual"] = worst["usual"]
    if len(rows) > 1:
        evidence["bins"] = len(rows)
    message = rule.message or f"{rule.name}: " + ", ".join(f"{name} {{{name}}}" for name in rule.columns)
    text = _Message().format(message, **worst)
    actor = worst.get(rule.actor.replace("-", "_")) if rule.actor else (worst[keys[0]] if keys else None)
    targets = [worst["dstaddr"]] if worst.get("dstaddr") and worst["dstaddr"] != actor else []
    return Finding(
        rule.name, rule.severity, "" if actor is None else str(actor), targets, start, end, 0.5, rule.technique,
        {**{key: worst[key] for key in keys}, **evidence}, {}, text,
    )  # fmt: skip
