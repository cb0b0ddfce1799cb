"""The page: one file, which asks no server for anything, and in which nothing that a log wrote can run."""

from __future__ import annotations

import base64
import collections
import functools
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .._display import instant, length, printable
from .._words import count, share
from ..audit.result import WORDS
from ..charts.drawing import CSS
from ..query.axis import figure
from .tables import Column, Figure, Table, day, incident_chart, of_many, over_time, table, within, worst_covered

if TYPE_CHECKING:
    import jinja2

Model = Mapping[str, Any]
#: Bytes that a page should have at most.
BUDGET = 150_000
_FOLDER = Path(__file__).parent
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: UTC)?")
_UNBROKEN = r'<span class="w">\g<0></span>'


class Room(NamedTuple):
    """How many incidents are told with their evidence and in a sentence, and how many controls with their causes."""

    in_full: int
    in_brief: int
    controls: int


_ROOMS = (Room(15, 100, 100), Room(15, 50, 40), Room(12, 20, 20), Room(8, 10, 10), Room(5, 0, 5))


class Section(NamedTuple):
    """A part of the page with its tables, or why it has none."""

    title: str
    tables: list[Table]
    why_not: str = ""
    notes: list[str] = []  # noqa: RUF012
    charts: list[Figure] = []  # noqa: RUF012


class Fact(NamedTuple):
    """A figure of the page's head."""

    title: str
    text: str


def html_of(model: Model, *, opened: bool = False) -> str:
    """Renders a report as HTML of at most some :data:`BUDGET` bytes, with fewer of what can be many if need be;
    ``opened``: with all that can be folded unfolded, for paper. Needs jinja2."""
    for room in _ROOMS:
        text = _rendered(_within(model, room), opened)
        if len(text.encode("utf-8")) <= BUDGET:
            break
    return text


def _within(model: Model, room: Room) -> Model:
    """Returns a report with as many incidents and controls in full as there is room for, and what that leaves out."""
    incidents, controls = model["incidents"], model["controls"]
    every = [*incidents["in_full"], *incidents["in_brief"]]
    brief = every[room.in_full : room.in_full + room.in_brief]
    left = collections.Counter((one["severity"], one["detectors"][0]) for one in every[room.in_full + room.in_brief :])
    for one in incidents["left"]:
        left[one["severity"], one["detector"]] += one["incidents"]
    cut = {
        "in_full": incidents["in_full"][: room.in_full], "in_brief": brief,
        "left": [{"severity": one[0], "detector": one[1], "incidents": n} for one, n in left.most_common()],
    }  # fmt: skip
    made = {**model, "incidents": {**incidents, **cut}, "controls_left": 0}
    if controls is not None:
        rows = controls["rows"]
        told = [row for row in rows if not row["verdict"].startswith("pass")]
        made["controls"] = {**controls, "told": told[: room.controls]}
        made["controls_left"] = len(told) - len(made["controls"]["told"])
    return made


def _rendered(model: Model, opened: bool) -> str:
    import markupsafe

    safe = markupsafe.Markup
    style, script = _text("style.css") + CSS, _text("script.js")
    chart = incident_chart(model)
    return _template().render(
        m=model, policy=_policy(style, script), style=safe(style), script=safe(script), opened=safe(" open" * opened),
        period=_period(model), made=None if model["made"] is None else day(model["made"]), facts=_facts(model),
        incident_chart=chart and _marked(chart), brief=_brief(model),
        controls=_controls(model), words=WORDS, over_time=[_marked(f) for f in over_time(model)],
        sections=[_marked_section(section) for section in _sections(model)],
    )  # fmt: skip


def _marked(chart: Figure) -> Figure:
    """Marks the picture of a chart, which :mod:`vpcflow.charts` escaped, as HTML."""
    import markupsafe

    return chart._replace(svg=markupsafe.Markup(chart.svg), table=_marked_table(chart.table))


def _marked_table(made: Table) -> Table:
    import markupsafe

    rows = [[c if c.bar is None else c._replace(bar=markupsafe.Markup(c.bar)) for c in row] for row in made.rows]
    return made._replace(rows=rows)


def _marked_section(section: Section) -> Section:
    return section._replace(
        tables=[_marked_table(t) for t in section.tables], charts=[_marked(f) for f in section.charts]
    )


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").strip()


def _policy(style: str, script: str) -> str:
    """Returns the content security policy: this style and this script by their hashes, and nothing else."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (style, script)]
    return (
        f"default-src 'none'; style-src 'sha256-{hashes[0]}'; script-src 'sha256-{hashes[1]}'; base-uri 'none'; "
        "form-action 'none'"
    )


@functools.cache
def _template() -> jinja2.Template:
    import jinja2
    import markupsafe

    def finalize(value: Any) -> Any:
        """Shows control characters, and those that turn the direction of writing, as escapes."""
        return value if isinstance(value, markupsafe.Markup) else printable(str(value))

    own = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=finalize, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    own.filters["whole"] = lambda value: f"{value:,}"
    own.filters["told"] = _told
    own.filters["within"] = within
    own.filters["sentence"] = lambda text: text[:1].upper() + text[1:]
    return own.from_string(_text("page.html.j2") + "\n")


def _told(text: str) -> Any:
    """Escapes a sentence, and keeps each time in it on one line."""
    import markupsafe

    escaped = str(markupsafe.escape(printable(text)))
    return markupsafe.Markup(_INSTANT.sub(_UNBROKEN, escaped))


def _period(model: Model) -> str:
    period = model["period"]
    one = period["start"] if period["end"] is None else period["end"]
    if one is None:
        return "No time is known"
    if period["seconds"] is None:
        return f"{'Since' if period['end'] is None else 'Until'} {instant(one)} UTC; the records have one time each"
    lasting = length(period["seconds"])
    return f"{instant(period['start'])} to {instant(period['end'])} UTC ({lasting})"


def _facts(model: Model) -> list[Fact]:
    read, totals, coverage = model["read"], model["totals"], model["coverage"]
    known = coverage is not None and coverage["interfaces"]
    records = f"{read['records']:,}"
    if read["matched"] != read["records"]:
        records = f"{read['matched']:,} of {read['records']:,}"
    decided = (totals["accepted"] or 0) + (totals["rejected"] or 0)
    facts = [
        Fact("Accounts", _names(model["accounts"])),
        Fact("Records", records),
        Fact("Traffic", "not logged" if totals["bytes"] is None else figure(totals["bytes"], "B")),
        Fact("Rejected", f"{totals['rejected']:,} ({share(totals['rejected'], decided)})" if decided else "not logged"),
        Fact("Interfaces", f"{totals['interfaces']:,}" if totals["interfaces"] else "not logged"),
        Fact("Interface-minutes", f"{_with_traffic(coverage)} with traffic" if known else "not known"),
    ]  # fmt: skip
    if model["regions"]["rows"]:
        facts.insert(1, Fact("Regions", _names(model["regions"])))
    return facts


def _with_traffic(coverage: Model) -> str:
    return share(coverage["minutes"]["OK"], max(sum(coverage["minutes"].values()), 1))


def _names(part: Model, most: int = 3) -> str:
    names = [within(row["name"], 40) for row in part["rows"][:most]]
    more = part["there"] - len(names)
    return (", ".join(names) + (f" and {more:,} more" if more else "")) or "not logged"


def _brief(model: Model) -> Table | None:
    rows = model["incidents"]["in_brief"]
    if not rows:
        return None
    columns = [Column("severity", "Severity"), Column("story", "What"), Column("detectors", "Detectors")]
    named = [{**row, "detectors": ", ".join(row["detectors"])} for row in rows]
    return table(f"{count(len(rows), 'more incident')}", columns, named)


def _controls(model: Model) -> Table | None:
    found = model["controls"]
    if found is None:
        return None
    columns = [
        Column("id", "Control"), Column("said", "Verdict"), Column("title", "What"),
        Column("asked", "Sessions asked", "number"), Column("violations", "Broke it", "number"),
        Column("tries_rejected", "Rejected tries", "number"), Column("expected_minutes", "Minutes expected", "number"),
        Column("seen_minutes", "Minutes seen", "number"),
    ]  # fmt: skip
    rows = [{**row, "said": WORDS[row["verdict"]]} for row in found["rows"]]
    return table("Controls", columns, rows, of_many(rows, found["there"], "controls"))


_PORT = [Column("dstport", "Port", "port"), Column("protocol", "Protocol", "protocol")]


def _sections(model: Model) -> list[Section]:
    return [
        _ends(model, "talkers", "srcaddr", "Who sends most", "sources"),
        _ends(model, "receivers", "dstaddr", "Who receives most", "destinations"),
        _rejected(model, "rejected_sources", [Column("srcaddr", "Source")], "Rejected sources", "sources"),
        _rejected(model, "rejected_ports", _PORT, "Rejected ports", "ports"),
        _exposed(model),
        _services(model),
        _outside(model),
        _countries(model),
        _cost(model),
        _covered(model),
        _log_volume(model),
    ]


def _covered(model: Model) -> Section:
    title, coverage = "Interfaces that the logs have least of", model["coverage"]
    if coverage is None:
        return Section(title, [], "Not known: minutes without logs could not be told.")
    if not coverage["interfaces"]:
        return Section(title, [], "Not known: the logs do not name interfaces.")
    if not coverage["worst"]:
        return Section(title, [], "Every minute of every interface that logged is OK.")
    return Section(title, [worst_covered(coverage)])


def _ends(model: Model, part: str, column: str, title: str, noun: str) -> Section:
    found = model[part]
    if found is None:
        return Section(title, [], f"Not known: no record has {column}.")
    rows = _with_names(model, column, found["rows"])
    largest = _of_many(model, found, noun)
    records = Column("records", "Records", "number")
    if found["other_bytes"] is None:
        columns = [Column(column, "Address"), records, Column("records", "of the largest", "bar")]
        caption = f"{largest}, by records, as the logs have no bytes{_others(found['other_records'], '')}"
    else:
        size, bar = Column("bytes", "Bytes", "bytes"), Column("bytes", "of the largest", "bar")
        columns = [Column(column, "Address"), size, bar, records]
        caption = f"{largest}, by bytes{_others(found['other_bytes'], 'B')}"
        if found["bound"]:
            caption += f"; another may have up to {figure(found['bound'], 'B')}"
    return Section(title, [table(title, columns, rows, caption)])


def _others(value: int, unit: str) -> str:
    """Says what all that is not listed has, if there is something."""
    return f"; all others: {figure(value, unit) if unit else f'{value:,}'}" if value else ""


def _of_many(model: Model, found: Mapping[str, Any], noun: str) -> str:
    """Says of how many addresses the rows of a table are the largest."""
    text = of_many(found["rows"], found["there"], noun)
    return text if model["addresses_counted"] else text.replace(" largest of ", " largest of about ")


def _with_names(model: Model, column: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adds the names that the inventory has to the addresses of a column."""
    names = model["names"]
    return [{**row, column: f"{row[column]} {names.get(row[column], '')}".strip()} for row in rows]


def _rejected(model: Model, part: str, own: list[Column], title: str, noun: str) -> Section:
    found = model[part]
    if found is None:
        return Section(title, [], "Not known: no record has an action.")
    if not found["rows"]:
        return Section(title, [], "No record was rejected.")
    columns = [*own, Column("records", "Rejected records", "number"), Column("records", "of the largest", "bar")]
    caption = f"{_of_many(model, found, noun)}, by records{_others(found['other_records'], '')}"
    if found["bound"]:
        caption += f"; another may have up to {found['bound']:,}"
    rows = found["rows"] if part == "rejected_ports" else _with_names(model, "srcaddr", found["rows"])
    return Section(title, [table(title, columns, rows, caption)])


def _exposed(model: Model) -> Section:
    title, found = "Exposed ports: answered to outside addresses", model["exposed"]
    if found is None:
        return Section(title, [], _why_not_told(model))
    if not found["rows"]:
        return Section(
            title, [], "No inside host was seen answering an outside address. A port that nobody tried is not seen."
        )
    columns = [
        Column("dstaddr", "Inside host"), *_PORT, Column("clients", "Outside addresses", "number"),
        Column("sessions", "Sessions", "number"), Column("bytes", "Bytes sent out", "bytes"),
        Column("first", "First (UTC)", "time"), Column("last", "Last (UTC)", "time"),
    ]  # fmt: skip
    caption = f"{of_many(found['rows'], found['there'], 'services')}, by outside addresses"
    return Section(title, [table(title, columns, _with_names(model, "dstaddr", found["rows"]), caption)])


def _why_not_told(model: Model) -> str:
    lacking = model["lacking"]
    return f"Cannot be told: {lacking.get('exposed') or lacking.get('detection') or 'no conversation was read'}."


def _services(model: Model) -> Section:
    title, rows = "Services", model["services"]["rows"]
    if not rows:
        return Section(title, [], "Not known: no accepted record has a port below 32768.")
    records, caption = Column("records", "Records", "number"), "ports below 32768 that were not rejected, by"
    if model["totals"]["bytes"] is None:
        columns = [*_PORT, records, Column("records", "of the largest", "bar")]
        return Section(title, [table(title, columns, rows, f"{caption} records")])
    columns = [*_PORT, Column("bytes", "Bytes", "bytes"), Column("bytes", "of the largest", "bar"), records]
    return Section(title, [table(title, columns, rows, f"{caption} bytes sent to them")])


def _outside(model: Model) -> Section:
    title, found = "What inside hosts use outside", model["outside_services"]
    if found is None:
        return Section(title, [], _why_not_told(model))
    if not found["rows"]:
        return Section(title, [], "No answered conversation from an inside host to an outside address was seen.")
    columns = [
        *_PORT, Column("bytes", "Bytes sent out", "bytes"), Column("bytes", "of the largest", "bar"),
        Column("sessions", "Sessions", "number"), Column("hosts", "Inside hosts", "number"),
        Column("peers", "Outside addresses", "number"),
    ]  # fmt: skip
    return Section(title, [table(title, columns, found["rows"], "answered conversations, by bytes sent out")])


def _countries(model: Model) -> Section:
    title, found = "Countries", model["countries"]
    if found is None and model["countries_asked"]:
        return Section(title, [], _why_not_told(model))
    if found is None:
        return Section(title, [], "Not known: no database of countries was given (--geo).")
    columns = [
        Column("country", "Country"), Column("bytes_to", "Bytes sent there", "bytes"),
        Column("sessions_to", "Sessions to", "number"), Column("bytes_from", "Bytes sent to its callers", "bytes"),
        Column("sessions_from", "Sessions from", "number"),
    ]  # fmt: skip
    return Section(title, [table(title, columns, found["rows"], of_many(found["rows"], found["there"], "countries"))])


def _cost(model: Model) -> Section:
    title, found = "What the traffic costs, by path", model["cost"]
    if found is None:
        why = model["lacking"].get("cost")
        return Section(title, [], f"Not known: {why}." if why else "Not known: no inventory was given (--inventory).")
    columns = [
        Column("class", "Path"), Column("bytes", "Bytes", "bytes"),
        Column("list_cost", f"List price, {found['currency']}", "money"), Column("why", "Why without a price"),
    ]  # fmt: skip
    return Section(
        title,
        [table(title, columns, found["rows"], found["conclusion"])],
        notes=[note for note in found["notes"] if not note.startswith("not priced")],
    )


def _log_volume(model: Model) -> Section:
    title, volume = "Volume of the logs", model["log_volume"]
    text = f"{figure(volume['text_bytes'], 'B')} of text in {count(model['read']['files'], 'file')}"
    if volume["bytes_a_month"] is None:
        return Section(title, [], f"{text}.")
    rows = [{"destination": name, "usd": usd} for name, usd in volume["monthly_usd"].items()]
    text += f"; at this rate {figure(volume['bytes_a_month'], 'B')} in 30 days"
    columns = [Column("destination", "Delivered to"), Column("usd", "USD in 30 days", "money")]
    caption = f"delivery at list prices of {volume['region']}, {volume['prices_of']}, without storage and queries"
    return Section(title, [table(title, columns, rows, caption)] if rows else [], f"{text}.")
