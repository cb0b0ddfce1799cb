"""What the report rests on: one pass over the logs for findings and figures, and few more for coverage and cost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Any

from ..analyze.summary import Summary, summary_queries
from ..audit import ControlResults, Controls, check
from ..cost import Cost, Ranges, cost_of
from ..detect.detect import look
from ..detect.history import Past
from ..detect.settings import Settings
from ..errors import FieldError, OutOfMemoryError, PlanError, SourceError, VpcflowError
from ..findings.findings import Covering, Findings
from ..findings.membership import membership
from ..inventory.inventory import Inventory
from ..inventory.names import names_of
from ..labels import Labels
from ..manifest import Head
from ..pricing.sheet import Sheet
from ..query import expr as of
from ..query.flows import Flows
from ..query.result import Result
from ..query.running import collect_all, collect_readable
from ..query.scan import query, scan
from ..query.sessions import sessions_as_records
from ..rules import Rule
from ..rules.evaluate import found_in, queries_of
from ..typing import Progress
from .bounded import bounded, exact

TOP = 10  # rows of most tables
EXPOSED = 15
_ANSWERED = ("packets", "dstport", "protocol")  # without which nobody is seen to answer at a port

Rows = list[dict[str, Any]]


@dataclasses.dataclass
class Gathered:
    """All figures of a report, as the queries give them. What could not be computed is ``None``, with the reason in
    ``lacking``."""

    summary: Summary
    results: dict[str, Result]
    findings: Findings | None
    exposed: Rows | None = None
    exposed_there: int = 0
    used: Rows | None = None
    countries: Rows | None = None
    coverage: Rows | None = None
    controls: ControlResults | None = None
    cost: Cost | None = None
    fields: frozenset[str] = frozenset()  # of the logs
    lacking: dict[str, str] = dataclasses.field(default_factory=dict)
    damage: VpcflowError | None = None
    bounds: dict[str, int] | None = None  # if addresses are not counted each: what one that is not listed has at most


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a report is asked to have beside the logs."""

    settings: Settings
    only: Sequence[str] = ()
    baseline: Past | None = None
    rules: Sequence[Rule] = ()
    silences: Sequence[Covering] = ()
    inventory: Inventory | None = None
    place: str = ""  # of the inventory
    ranges: Ranges | None = None
    prices: Sheet | None = None
    countries: Labels | None = None
    controls: Controls | None = None
    manifest: Head | None = None


def _by_records(flows: Flows) -> dict[str, Flows]:
    """Returns the queries of who has most records, for logs without bytes."""
    loose = query(allow_missing=True).bind(flows)
    served = loose.filter("dstport < 32768 and (action is null or action != 'REJECT')")._with(lenient=True)
    return {
        name: some.group_by(*by).agg(n=of.count()).top_k(TOP, by="n")
        for name, some, by in (
            ("talkers", loose, ["srcaddr"]), ("listeners", loose, ["dstaddr"]),
            ("services", served, ["dstport", "protocol"]),
        )
    }  # fmt: skip


def _figures(flows: Flows, fields: frozenset[str]) -> dict[str, Flows]:
    """Returns the queries of figures that the summary does not have; of logs that are read once, also those that few
    others need."""
    loose = query(allow_missing=True).bind(flows)
    rejected = loose.filter("action = 'REJECT'")._with(lenient=True)
    every_line = loose.filter("log_status is null or log_status is not null")
    known = "bytes" in fields and all(source.is_path for source in flows._sources)
    return {
        "minutes_by_action": loose.group_by("action", every="1m").agg(bytes=of.sum("bytes"), n=of.count()),
        "known": loose.agg(bytes=of.count(where="bytes is not null"), packets=of.count(where="packets is not null")),
        "accounts": every_line.group_by("account_id").agg(n=of.count()),
        "regions": every_line.group_by("region").agg(n=of.count()),
        "distinct": loose.agg(
            sources=of.n_unique("srcaddr"), targets=of.n_unique("dstaddr"), vpcs=of.n_unique("vpc_id")
        ),
        "distinct_rejected": rejected.agg(sources=of.n_unique("srcaddr"), ports=of.n_unique("dstport")),
        **({} if known else _by_records(flows)),
    }


def gather(flows: Flows, wanted: Wanted, progress: Progress | bool | None = None) -> Gathered:
    """Reads the logs and returns the figures. Raises as :func:`vpcflow.detect`, but not for logs that lack the fields
    of sessions, and of damaged sources only if nothing could be read. Of more addresses than the memory asked for has
    room for it reads the logs again, counts the largest, and says so."""
    fields = frozenset(name for name, _ in flows._with(allow_missing=True).schema)
    summary, own = summary_queries(flows), _figures(flows, fields)
    try:
        made = _first_pass(flows, wanted, progress, fields, summary, own)
    except OutOfMemoryError as error:
        summary, own = bounded(flows, summary, own)
        try:
            made = _first_pass(flows, wanted, progress, fields, summary, own)
            made.bounds = exact(flows, made.summary._results, made.results, TOP)
        except SourceError:  # it is read once
            raise error from None
    _add_second_passes(made, flows, wanted)
    return made


def _first_pass(
    flows: Flows, wanted: Wanted, progress: Progress | bool | None, fields: frozenset[str],
    summary: dict[str, Flows], own: dict[str, Flows],
) -> Gathered:  # fmt: skip
    asked = queries_of(flows, wanted.rules) if wanted.rules else []
    try:
        seen = look(
            flows, wanted.settings, only=wanted.only, baseline=wanted.baseline, samples=2, progress=progress,
            others=[*summary.values(), *own.values(), *asked],
        )  # fmt: skip
    except FieldError as error:  # the figures can do without what sessions need
        results, damage = collect_readable([*summary.values(), *own.values()], progress=progress)
        made = Gathered(*_split(flows, results, summary, own), None, lacking={"detection": str(error)}, damage=damage)
        made.fields = fields
    else:
        summed, figures = _split(flows, seen.others, summary, own)
        findings = seen.findings
        if wanted.rules:
            findings = findings + found_in(flows, wanted.rules, seen.others[len(summary) + len(own) :], 2)
        made = Gathered(summed, figures, findings.without(wanted.silences), fields=fields, damage=seen.damage)
        _add_services(made, seen.sessions, wanted)
    return made


def _split(
    flows: Flows, results: Sequence[Result], summary: dict[str, Flows], own: dict[str, Flows]
) -> tuple[Summary, dict[str, Result]]:
    return Summary(dict(zip(summary, results)), bool(flows._filters)), dict(zip(own, results[len(summary) :]))


def _add_services(made: Gathered, sessions: Result, wanted: Wanted) -> None:
    """Adds who answered outside hosts, what inside hosts use outside, and in which countries."""
    settings = wanted.settings
    lacking = ", ".join(name for name in _ANSWERED if name not in made.fields)
    why_not = f"the logs lack {lacking}" if lacking else sessions.report.one_direction
    if why_not:
        made.lacking["exposed"] = why_not
        return
    records = sessions_as_records(sessions, "server_bytes", answered=True, known=True)
    incoming = _between(records, settings, from_outside=True)
    services = incoming.group_by("dstaddr", "dstport", "protocol").agg(
        clients=of.n_unique("srcaddr"), sessions=of.count(), bytes=of.sum("bytes"), first=of.min("start"),
        last=of.max("end"),
    )  # fmt: skip
    there = incoming.group_by("dstaddr", "dstport", "protocol").agg(n=of.count())
    outgoing = _between(sessions_as_records(sessions, "client_bytes", answered=True, known=True), settings, False)
    used = outgoing.group_by("dstport", "protocol").agg(
        bytes=of.sum("bytes"), sessions=of.count(), hosts=of.n_unique("srcaddr"), peers=of.n_unique("dstaddr")
    )
    exposed, every = collect_all([services.top_k(EXPOSED, by="clients"), there])
    made.exposed, made.exposed_there = exposed.rows(), len(every)
    made.used = used.top_k(TOP, by="bytes").collect().rows()
    if wanted.countries is not None:
        made.countries = _countries(outgoing, incoming, wanted.countries)


def _between(records: Flows, settings: Settings, from_outside: bool) -> Flows:
    """Returns the sessions from outside to inside, or those from inside to outside."""
    records, source = membership(records, "_inside_source", "srcaddr", set(settings.inside))
    records, target = membership(records, "_inside_target", "dstaddr", set(settings.inside))
    condition = f"not ({source}) and ({target})" if from_outside else f"({source}) and not ({target})"
    return records.filter(condition)._with(lenient=True)


def _countries(outgoing: Flows, incoming: Flows, table: Labels) -> Rows:
    by_country: dict[str, dict[str, Any]] = {}
    for flows, field, names in (
        (outgoing, "dstaddr", ("sessions_to", "bytes_to")), (incoming, "srcaddr", ("sessions_from", "bytes_from")),
    ):  # fmt: skip
        answer = flows.label("country", field, table).group_by("country").agg(n=of.count(), bytes=of.sum("bytes"))
        for row in answer.collect():
            nothing = {"country": row["country"], "sessions_to": 0, "bytes_to": 0, "sessions_from": 0, "bytes_from": 0}
            own = by_country.setdefault(row["country"] or "", nothing)
            own[names[0]], own[names[1]] = row["n"], row["bytes"] or 0
    rows = list(by_country.values())
    return sorted(rows, key=lambda r: (-r["bytes_to"] - r["bytes_from"], r["country"] or ""))


def names_in(inventory: Inventory, addresses: Iterable[str], when: int) -> dict[str, str]:
    """Returns the names that an inventory has for addresses at a time."""
    lines = [f"{address} {when}\n" for address in sorted(set(addresses))]
    try:
        table = names_of(inventory, "name")
    except PlanError:  # it is of other things
        return {}
    log = scan(f"srcaddr start\n{''.join(lines)}".encode(), allow_empty=True)
    rows = log.label("name", "srcaddr", table).filter("name is not null").select("srcaddr", "name").collect()
    return {row["srcaddr"]: row["name"] for row in rows}


def _add_second_passes(made: Gathered, flows: Flows, wanted: Wanted) -> None:
    """Adds what takes another pass over the logs; of a stream, which can be read only once, it lacks."""
    if "talkers" not in made.results and not sum(row["bytes"] for row in made.results["known"]):
        by_records = _by_records(flows)  # no record has bytes, though the format has
        made.results.update(zip(by_records, collect_readable(list(by_records.values()))[0]))
    try:
        made.coverage = flows._with(allow_missing=True).coverage().rows()
    except VpcflowError as error:  # of damaged sources the readable part
        partial = getattr(error, "partial", None)
        made.coverage = partial.rows() if isinstance(partial, Result) and len(partial) else None
        if made.coverage is None:
            made.lacking["coverage"] = str(error)
    if wanted.controls is not None:
        try:
            made.controls = check(flows, wanted.controls, inventory=wanted.inventory)
        except SourceError as error:  # of damaged sources those of the readable part
            made.controls = error.partial if isinstance(error.partial, ControlResults) else None
            if made.controls is None:
                made.lacking["controls"] = str(error)
    if wanted.inventory is not None:
        try:
            made.cost = cost_of(flows, wanted.inventory, wanted.prices, "class", ranges=wanted.ranges)
        except (FieldError, SourceError) as error:
            made.lacking["cost"] = str(error)
