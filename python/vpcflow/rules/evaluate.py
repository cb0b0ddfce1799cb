"""Rules of your own: what to look for, in a file, checked before it runs.

A file holds a list of rules, or a mapping whose ``rules`` is one, as YAML (needs PyYAML) or JSON (``.json``):

.. code-block:: yaml

    - name: rdp-from-outside
      where: dstport = 3389 and not srcaddr in ('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16')
      by: [srcaddr, dstaddr]
      every: 10m
      aggregates: {tries: count(), bytes: sum(bytes)}
      having: [tries >= 20]
      severity: high
      message: "{srcaddr} tried RDP of {dstaddr} {tries} times"
      technique: T1021.001

Sigma rules may be there instead, see :mod:`vpcflow.rules.sigma`. Keys of
a rule: :class:`Rule`. The language of ``where``, of aggregates and of ``having`` is that of :class:`vpcflow.Flows`:
what a rule asks, a query can ask.
"""

from __future__ import annotations

import dataclasses
import os
import re
import string
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from .._display import instant, printable
from .._units import seconds
from ..errors import DataQualityWarning, RuleError, VpcflowError
from ..findings.evidence import with_samples
from ..findings.finding import SEVERITIES, Finding, Findings, Scope, sessions_as_records, worst_first
from ..query.expr import Agg, Derived, difference, ratio
from ..query.flows import Flows, scan
from ..query.result import Result
from ..query.running import Progress, collect_all, collect_readable
from .files import content_of, hint, with_known_keys
from .silences import Silence as Silence
from .silences import check_silences as check_silences
from .silences import load_silences as load_silences

#: Findings of the same rule, actor and targets that are no further apart are one incident.
THROTTLE = "1h"
_MAD_TO_SIGMA = 1.4826  # of a normal distribution


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule. Groups of records that pass ``where``, by the keys ``by`` and time bins ``every``, are findings if all
    conditions of ``having`` hold, and if ``unusual``, if it is there, does.

    ``over``: ``"records"``, or ``"sessions"``: there ``srcaddr`` is the client, ``dstaddr`` and ``dstport`` are the
    server's, ``bytes`` and ``packets`` what the client sent, and ``action`` is the state: ``established``,
    ``reset``, ``unanswered``, ``one-way``, ``half``, ``rejected``.

    ``aggregates``: by name, as ``sum(bytes) where action = 'REJECT'``, and ``ratio(a, b)`` or ``difference(a, b)`` of
    two of them; ``flows``, the number of records, without.

    ``unusual``: ``{of: bytes, deviations: 6, bins: 6}`` compares a group's time bins with each other: only those above
    the median of the group's other bins by so many deviations (1.4826 times the median absolute deviation, a tenth of
    the median at least) are findings, from so many other bins on.

    ``message``: a sentence with keys and aggregates in braces. ``actor``: the key that is one (the first, without).
    ``examples``: small logs with the number of findings that they must give, see :func:`test`.
    """

    name: str
    where: str = ""
    by: tuple[str, ...] = ()
    every: str | int | None = None
    over: str = "records"
    aggregates: dict[str, str] = dataclasses.field(default_factory=dict)
    having: tuple[str, ...] = ()
    unusual: dict[str, Any] = dataclasses.field(default_factory=dict)
    severity: str = "medium"
    message: str = ""
    actor: str = ""
    technique: str = ""
    examples: tuple[dict[str, Any], ...] = ()

    def query(self, flows: Flows) -> Flows:
        """The rule as a query; times of the first and the last record are added where they are."""
        own = flows.filter(self.where) if self.where else flows
        if self.over == "sessions":
            own = own._with(session_records=True)
        aggregates: dict[str, Agg | Derived | str] = {k: _aggregate(v) for k, v in self.aggregates.items()}
        aggregates = aggregates or {"flows": "count()"}
        aggregates |= {"first_start": "min(start)", "last_end": "max(end)"}
        grouped = own.group_by(*self.by, every=self.every, bin_by="start").agg(**aggregates)
        grouped = grouped._with(allow_missing=True)
        return grouped.having(*self.having) if self.having else grouped

    @property
    def columns(self) -> list[str]:
        """The names that a message can have."""
        keys = [key.replace("-", "_") for key in self.by]
        return [*keys, *(["time"] if self.every else []), *(self.aggregates or ["flows"])]


def _aggregate(text: str) -> Agg | Derived | str:
    """Aggregates are texts of the engine's language; columns out of two are made here."""
    for name, make in (("ratio", ratio), ("difference", difference)):
        if text.strip().startswith(name + "(") and text.strip().endswith(")"):
            parts = [part.strip() for part in text.strip()[len(name) + 1 : -1].split(",")]
            if len(parts) == 2:
                return make(*parts)
    return text


def load(source: str | os.PathLike[str]) -> list[Rule]:
    """The rules of a file, ``.yaml``, ``.yml`` or ``.json``. :class:`~vpcflow.RuleError` names what is wrong where.

    >>> import tempfile, pathlib, vpcflow as vf
    >>> file = pathlib.Path(tempfile.mkdtemp(), "rules.json")
    >>> _ = file.write_text('[{"name": "ssh", "where": "dstport = 22", "by": "srcaddr", "having": "flows >= 10"}]')
    >>> [(rule.name, rule.having) for rule in vf.rules.load(file)]
    [('ssh', ('flows >= 10',))]
    """
    name = printable(os.fspath(source))
    return of(content_of(source), name)


def of(data: Any, name: str = "rules") -> list[Rule]:
    """Rules out of plain values, as :func:`load` reads them; ``name`` is what errors begin with."""
    if isinstance(data, dict) and not {"rules", "silences"}.isdisjoint(data):
        for key in data:
            if key not in ("rules", "silences"):
                known = hint(str(key), ["rules", "silences"])
                raise RuleError(f"{printable(name)}: no key {printable(str(key))!r} beside rules; {known}")
        data = data.get("rules", [])
    if not isinstance(data, list):
        raise RuleError(f"{printable(name)}: a list of rules, or a mapping with `rules`")
    out = [_rule(item, f"{printable(name)}: rule {i + 1}") for i, item in enumerate(data)]
    for i, rule in enumerate(out):
        if rule.name in {r.name for r in out[:i]}:
            raise RuleError(f"{printable(name)}: two rules are named {rule.name!r}")
    return out


_LISTS = ("by", "having", "examples")


def _rule(item: Any, place: str) -> Rule:
    if isinstance(item, dict) and isinstance(item.get("name"), str):
        place += f" ({printable(item['name'])})"
    item = with_known_keys(item, Rule, place)
    values: dict[str, Any] = {}
    for key, value in item.items():
        if key in _LISTS:
            values[key] = tuple(value) if isinstance(value, list) else (value,)
        else:
            values[key] = value
    texts = [("name", values.get("name")), *((k, v) for k in ("by", "having") for v in values.get(k, ()))]
    texts += [(k, values[k]) for k in ("where", "over", "severity", "message", "actor", "technique") if k in values]
    for key, value in texts:
        if not isinstance(value, str):
            raise RuleError(f"{place}: {key}: text is needed" if value is not None else f"{place}: it needs a {key}")
    mappings: list[tuple[str, Any]] = [(k, values[k]) for k in ("aggregates", "unusual") if k in values]
    mappings += [("examples", example) for example in values.get("examples", ())]
    for key, value in mappings:
        if not isinstance(value, dict):
            raise RuleError(f"{place}: {key}: a mapping is needed")
    rule = Rule(**_with_one_spelling(values, place))
    _check(rule, place)
    return rule


def _with_one_spelling(values: dict[str, Any], place: str) -> dict[str, Any]:
    """The names of aggregates with `_`, wherever a rule has them."""
    own = [name for name in values.get("aggregates", {}) if isinstance(name, str) and "-" in name]
    if not own:
        return values
    spelling = {name: name.replace("-", "_") for name in own}

    def respelt(text: Any) -> Any:
        for name, written in spelling.items():
            if isinstance(text, str):
                text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", written, text)
        return text

    aggregates: dict[Any, Any] = {}
    for name, text in values["aggregates"].items():
        key = spelling.get(name, name)
        if key in aggregates:
            raise RuleError(f"{place}: aggregates: the name {printable(str(key))!r} is there twice")
        aggregates[key] = respelt(text) if str(text).strip().startswith(("ratio(", "difference(")) else text
    unusual = {key: respelt(value) for key, value in values.get("unusual", {}).items()}
    having = tuple(respelt(text) for text in values.get("having", ()))
    message = re.sub(r"\{([^{}:]+)", lambda m: "{" + spelling.get(m[1], m[1]), values.get("message", ""))
    return {**values, "aggregates": aggregates, "unusual": unusual, "having": having, "message": message}


def _check(rule: Rule, place: str) -> None:
    for key, value, allowed in (("severity", rule.severity, SEVERITIES), ("over", rule.over, ("records", "sessions"))):
        if value not in allowed:
            raise RuleError(f"{place}: {key}: {printable(value)!r} is none of {', '.join(allowed)}")
    try:
        if rule.every is not None:
            seconds(rule.every)
        rule.query(scan(b"")).explain()
    except (VpcflowError, TypeError) as e:
        raise RuleError(f"{place}: {e}") from None
    try:
        parts = [part for part in string.Formatter().parse(rule.message) if part[1] is not None]
    except ValueError as e:
        raise RuleError(f"{place}: message: {e}") from None
    if any(spec not in ("", ",") or conversion for _, _, spec, conversion in parts):
        raise RuleError(f"{place}: message: write {{name}}, or {{name:,}} for a number with separators")
    wanted = {str(name) for _, name, _, _ in parts}
    for name in sorted(wanted):
        if name not in rule.columns:
            known = hint(name, rule.columns).replace("'", "{", 1).replace("'", "}", 1)
            raise RuleError(f"{place}: message: no column {{{printable(name)}}}; {known}")
    if rule.actor and rule.actor.replace("-", "_") not in rule.columns:
        raise RuleError(f"{place}: actor: {printable(rule.actor)!r} is none of {', '.join(rule.columns)}")
    if rule.unusual:
        if not rule.every:
            raise RuleError(f"{place}: unusual: it compares time bins, so it needs `every`")
        for key, value in rule.unusual.items():
            if key not in ("of", "deviations", "bins"):
                known = hint(str(key), ("of", "deviations", "bins"))
                raise RuleError(f"{place}: unusual: no key {printable(str(key))!r}; {known}")
            if key != "of" and (isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0):
                raise RuleError(f"{place}: unusual: {key}: a number above 0")
        if rule.unusual.get("of") not in (rule.aggregates or ["flows"]):
            raise RuleError(f"{place}: unusual: of: one of {', '.join(rule.aggregates or ['flows'])}")


def run(flows: Flows, rules: Sequence[Rule], *, samples: int = 3, progress: Progress | None = None) -> Findings:
    """What the rules find in flow logs, in one pass over them.

    ``samples``: for each finding whose actor is an address the first so many records that it rests on, which takes
    another pass. Time bins of the same keys that follow each other are one finding. ``not_detected`` of the result
    names rules whose fields no log has. Errors as of :meth:`vpcflow.Flows.collect`; of damaged sources the findings in
    what could be read are the error's ``partial``.

    >>> import vpcflow as vf
    >>> rules = vf.rules.of([{"name": "many", "by": "srcaddr", "having": "flows > 1", "message": "{srcaddr}: {flows}"}])
    >>> log = b"srcaddr start end\\n10.0.0.1 100 160\\n10.0.0.1 200 260\\n10.0.0.2 100 160\\n"
    >>> [f.sentence for f in vf.rules.run(vf.scan(log), rules)]
    ['10.0.0.1: 2']
    """
    there = fields_of(flows)
    lacking = {rule.name: _lacks(rule, there) for rule in rules if rule.over == "records" and there}
    missing = {name: fields for name, fields in lacking.items() if fields}
    able = {over: [r for r in rules if r.over == over and r.name not in missing] for over in ("records", "sessions")}
    queries = [rule.query(flows) for rule in able["records"]]
    queries += [flows.sessions()] if able["sessions"] else []
    (*results, scope), damage = collect_readable([*queries, Scope.query(flows)], progress=progress)
    if able["sessions"]:
        base = sessions_as_records(results.pop(), "client_bytes")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            results += collect_all([rule.query(base) for rule in able["sessions"]])
    found: list[Finding] = []
    for rule, result in zip([*able["records"], *able["sessions"]], results):
        found += sampled(flows, rule, findings_of(rule, result), samples)
    findings = Findings(sorted(found, key=worst_first), scope.report, missing, scope=Scope.of(scope))
    if damage is not None:
        damage.partial = findings
        raise damage
    return findings


def sampled(flows: Flows, rule: Rule, findings: list[Finding], n: int) -> list[Finding]:
    """The findings of a rule with their first ``n`` records, those that the rule is about."""
    if not findings or n <= 0:
        return findings
    return with_samples(flows.filter(rule.where) if rule.where and rule.over == "records" else flows, findings, n)


def fields_of(flows: Flows) -> set[str]:
    """The names of all fields that some source has."""
    return {name for text in flows.formats for name in text.replace("${", "").replace("}", "").split()}


def _lacks(rule: Rule, there: set[str]) -> list[str]:
    """The fields of a rule that no format has."""
    needed = set(rule.query(scan(b""))._plan().fields) - {"start", "end", "log-status"}
    return sorted(needed - there)


def findings_of(rule: Rule, result: Result) -> list[Finding]:
    """The findings in a result of ``rule.query``: bins that follow each other are one."""
    keys = [key.replace("-", "_") for key in rule.by]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in result.rows():
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
    """The time bins of a group that stand out of its others, all without ``unusual``."""
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
    """Of bins that follow each other; told by the one that is greatest by its first aggregate."""
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


def test(rules: Iterable[Rule]) -> list[str]:
    """What the rules' own examples show wrong; nothing if all is well.

    An example is a small log and the number of findings it must give: ``{log: "srcaddr dstport ...", findings: 1}``.
    """
    wrong = []
    for rule in rules:
        for i, example in enumerate(rule.examples):
            place = f"{rule.name}: example {i + 1}"
            if not isinstance(example.get("log"), str) or not isinstance(example.get("findings"), int):
                wrong.append(f"{place}: it needs `log`, text, and `findings`, a number")
                continue
            try:
                got = len(run(scan(example["log"].encode()), [rule], samples=0))
            except VpcflowError as e:
                wrong.append(f"{place}: {e}")
                continue
            if got != example["findings"]:
                wrong.append(f"{place}: {got} findings instead of {example['findings']}")
    return wrong


def replay(
    flows: Flows, rules: Sequence[Rule], *, throttle: str | int = THROTTLE, progress: Progress | None = None
) -> list[dict[str, Any]]:
    """How often rules would have fired: :func:`count_alerts` of what they find in logs. Errors as of :func:`run`."""
    try:
        return count_alerts(run(flows, rules, samples=0, progress=progress), rules, throttle=throttle)
    except VpcflowError as error:
        if isinstance(error.partial, Findings):
            error.partial = count_alerts(error.partial, rules, throttle=throttle)
        raise


def count_alerts(
    findings: Findings, rules: Sequence[Rule], *, throttle: str | int = THROTTLE
) -> list[dict[str, Any]]:
    """By rule the findings, the alerts that :class:`vpcflow.watch.Watch` would have told (findings of the same rule,
    actor and targets no further apart than ``throttle`` are one incident), alerts a day, actors, and the first and last
    time."""
    scope = findings.scope
    span = (scope.end or 0) - (scope.start or 0) if scope is not None else 0
    days = max(span / 86400, 1 / 24)
    pause = seconds(throttle, "throttle")
    out = []
    for rule in rules:
        own = sorted((f for f in findings if f.detector == rule.name), key=lambda f: f.start)
        ended: dict[str, int] = {}  # the incident of a key
        alerts = 0
        for finding in own:
            alerts += finding.key not in ended or finding.start > ended[finding.key] + pause
            ended[finding.key] = max(finding.end, ended.get(finding.key, finding.end))
        out.append({
            "rule": rule.name, "severity": rule.severity, "findings": len(own), "alerts": alerts,
            "alerts_a_day": round(alerts / days, 2), "actors": len({f.actor for f in own}),
            "first": own[0].start if own else None, "last": max(f.end for f in own) if own else None,
            "needs": ", ".join(findings.not_detected.get(rule.name, [])),
        })  # fmt: skip
    return out
