"""Metrics of logs for Prometheus, with labels of few values: at one moment, or through the time of the logs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .board import SERVICES, Board, Figures, Rows, protocol_name

MOST_SERIES = 2000
_PROTOCOLS = ("tcp", "udp", "icmp", "ipv6-icmp", "esp", "gre")
_MOST_PLACES = 100  # accounts and regions
_RANKS = 10
_OTHER = "other"

Labels = tuple[tuple[str, str], ...]


class Family(NamedTuple):
    """A metric: samples by labels."""

    name: str  # without _total
    kind: str  # counter, gauge
    help: str
    samples: dict[Labels, float]


_MEASURES = {"bytes": "Bytes of flow records.", "packets": "Packets of flow records.", "records": "Flow records."}


def _traffic(row: dict[str, Any]) -> Labels:
    name = protocol_name(row["protocol"])
    return (
        ("action", row["action"] or "none"),
        ("direction", row["flow_direction"] or "unknown"),
        ("protocol", name if name in _PROTOCOLS else _OTHER),
    )


def _service(row: dict[str, Any]) -> Labels:
    return _service_of(SERVICES[row["dstport"]], row["action"] or "none")


def _service_of(name: str, action: str) -> Labels:
    return (("action", action), ("service", name))


def _place_labels(account: str, action: str, region: str) -> Labels:
    return (("account", account), ("action", action), ("region", region))


def _place_of(places: Rows) -> Callable[[dict[str, Any]], Labels]:
    """Returns how places are labelled: the largest by their names, all the rest as ``other``."""
    sums: dict[tuple[Any, Any], int] = {}
    for row in places:
        key = (row["account_id"], row["region"])
        sums[key] = sums.get(key, 0) + (row["records"] or 0)
    kept = set(sorted(sums, key=lambda key: (-sums[key], str(key)))[:_MOST_PLACES])

    def place(row: dict[str, Any]) -> Labels:
        known = (row["account_id"], row["region"]) in kept
        account = str(row["account_id"] or "unknown") if known else _OTHER
        region = str(row["region"] or "unknown") if known else _OTHER
        return _place_labels(account, row["action"] or "none", region)

    return place


_Step = tuple[int, str, str, Labels, int]


def _steps(figures: Figures) -> Iterator[_Step]:
    """Yields what each bin adds: its time, the metric, its help, the labels, the amount."""
    place = _place_of(figures.places)
    by_port = " by the port that they go to; one that is not named is other."
    by_place = " by account and region."
    rest: dict[tuple[str, str, int, str], int] = {}  # of all records, what those with a label of their own have not
    for row in figures.bins:
        for measure, help in _MEASURES.items():
            amount = row[measure] or 0
            yield row["time"] or 0, f"vpcflow_{measure}", help, _traffic(row), amount
            for kind in ("service", "place") if measure != "packets" else ():
                key = (kind, measure, row["time"] or 0, row["action"] or "none")
                rest[key] = rest.get(key, 0) + amount
    for kind, rows, labels, help in (
        ("service", figures.services, _service, by_port), ("place", figures.places, place, by_place),
    ):  # fmt: skip
        for row in rows:
            for measure in ("bytes", "records"):
                key = (kind, measure, row["time"] or 0, row["action"] or "none")
                rest[key] = rest.get(key, 0) - (row[measure] or 0)
                yield key[2], f"vpcflow_{kind}_{measure}", measure.capitalize() + help, labels(row), row[measure] or 0
    for (kind, measure, time, action), amount in rest.items():
        own = _service_of(_OTHER, action) if kind == "service" else _place_labels(_OTHER, action, _OTHER)
        if kind == "service" or amount > 0:
            help = by_port if kind == "service" else by_place
            yield time, f"vpcflow_{kind}_{measure}", measure.capitalize() + help, own, max(amount, 0)


def counters(figures: Figures) -> list[Family]:
    """Returns the counters at the end of the logs."""
    made: dict[str, Family] = {}
    for _, name, help, labels, amount in _steps(figures):
        samples = made.setdefault(name, Family(name, "counter", help, {})).samples
        samples[labels] = samples.get(labels, 0) + amount
    return list(made.values())


def gauges(board: Board) -> list[Family]:
    """Returns what is of all the logs: coverage, ranks, findings, and what a watch has done."""
    found = [_findings(board), *_watch(board)]
    figures = board.figures
    if figures is None:
        return found
    report = figures.report
    lines = {"ok": report.ok, "nodata": report.nodata, "skipdata": report.skipdata, "malformed": report.rejected}
    times = [row["time"] for row in figures.totals if row["time"] is not None]
    seconds = _by("seen", {seen.lower(): 60 * n for seen, n in figures.minutes.items()})
    found += [
        Family("vpcflow_lines", "gauge", "Lines of the logs by what they are.", _by("status", lines)),
        Family("vpcflow_interface_seconds", "gauge", "Seconds of interfaces by what the logs have of them.", seconds),
    ]  # fmt: skip
    size = getattr(report, "text_bytes", None)  # a watch does not count it
    if size is not None:
        found.append(Family("vpcflow_log_text_bytes", "gauge", "Bytes of text of the logs.", {(): float(size)}))
    if figures.share_covered is not None:
        help = "Share of minutes of interfaces of which the logs have a record."
        found.append(Family("vpcflow_coverage_ratio", "gauge", help, {(): figures.share_covered}))
    if times:
        help = "When the last flow begins, rounded down to a bin."
        found.append(Family("vpcflow_last_flow_timestamp_seconds", "gauge", help, {(): float(max(times))}))
    for name, table, measure in (
        ("vpcflow_top_source_bytes", "talkers", "bytes"), ("vpcflow_top_target_bytes", "receivers", "bytes"),
        ("vpcflow_top_rejected_source_records", "rejected_sources", "records"),
    ):  # fmt: skip
        bound = figures.bounds.get(table, 0)
        there = [row for row in figures.tables.get(table, ()) if not row["other"]]
        rows = [row for row in there if (row[measure] or 0) >= bound][:_RANKS]
        ranks = _by("rank", {str(rank): row[measure] or 0 for rank, row in enumerate(rows, 1)})
        help = f"{measure.capitalize()} of the largest, by rank, without the address."
        found.append(Family(name, "gauge", help, ranks))
    return found


def _findings(board: Board) -> Family:
    counts: dict[Labels, float] = {}
    for one in board.findings():
        labels = (("detector", one.detector), ("severity", str(one.severity)))
        counts[labels] = counts.get(labels, 0) + 1
    return Family("vpcflow_findings", "gauge", "Findings by detector and severity.", counts)


def _watch(board: Board) -> list[Family]:
    seen = board.watch()
    if seen is None:
        return []
    help = "What the watch has done, as vpcflow watch --status says it."
    return [Family("vpcflow_watch", "gauge", help, _by("what", seen))]


def _by(label: str, values: Mapping[str, object]) -> dict[Labels, float]:
    """Returns samples of one label, of the values that are numbers."""
    return {((label, name),): float(value) for name, value in values.items() if isinstance(value, (int, float))}


def _kept(families: Iterable[Family], most: int = MOST_SERIES) -> list[Family]:
    """Cuts off what is beyond the cap of series, and says so by a metric of its own."""
    out, left, cut = [], most, 0
    for family in families:
        samples = dict(list(family.samples.items())[:left])
        cut += len(family.samples) - len(samples)
        left -= len(samples)
        out.append(family._replace(samples=samples))
    return [*out, Family("vpcflow_series_cut", "gauge", f"Series beyond the cap of {most:,}.", {(): float(cut)})]


def families_of(board: Board) -> list[Family]:
    """Returns all metrics of a moment, under the cap of series."""
    own = [] if board.figures is None else counters(board.figures)
    return _kept([*gauges(board), *own])


def series_of(board: Board) -> int:
    """Returns how many series :func:`exposition` has."""
    return sum(len(family.samples) for family in families_of(board))


def exposition(board: Board) -> str:
    """Writes the metrics in the text format of Prometheus."""
    lines = []
    for name, kind, help, samples in families_of(board):
        own = f"{name}_total" if kind == "counter" else name
        lines += [f"# HELP {own} {_escaped(help)}", f"# TYPE {own} {kind}"]
        lines += [f"{own}{_labels(labels)} {_number(value)}" for labels, value in sorted(samples.items())]
    return "\n".join(lines) + "\n"


def history(figures: Figures) -> Iterator[str]:
    """Yields lines of OpenMetrics: the counters at the end of each bin, with times, for ``promtool tsdb
    create-blocks-from openmetrics`` and for VictoriaMetrics. Each series begins with 0, and
    has a sample for every bin of the logs."""
    steps: dict[str, dict[Labels, dict[int, int]]] = {}
    helps: dict[str, str] = {}
    for time, name, help, labels, amount in _steps(figures):
        bins = steps.setdefault(name, {}).setdefault(labels, {})
        bins[time] = bins.get(time, 0) + amount
        helps[name] = help
    times = [time for by_labels in steps.values() for bins in by_labels.values() for time in bins]
    if not times:
        yield "# EOF\n"
        return
    span = range(min(times), max(times) + 1, figures.every)
    for name, by_labels in steps.items():
        yield f"# HELP {name} {_escaped(helps[name])}\n# TYPE {name} counter\n"
        for labels, bins in sorted(by_labels.items()):
            key, sum_ = f"{name}_total{_labels(labels)}", 0
            yield f"{key} 0 {span[0]}\n"
            for time in span:
                sum_ += bins.get(time, 0)
                yield f"{key} {sum_} {time + figures.every}\n"
    yield "# EOF\n"


def at_each_bin(board: Board, figures: Figures) -> Iterator[str]:
    """Yields lines with times as :func:`history` does, of what is of all the logs: the same at the end of each bin."""
    times = [row["time"] for row in figures.totals if row["time"] is not None]
    if times:
        ends = range(min(times) + figures.every, max(times) + figures.every + 1, figures.every)
        for family in gauges(board):
            for labels, value in sorted(family.samples.items()):
                yield "".join(f"{family.name}{_labels(labels)} {_number(value)} {end}\n" for end in ends)


def _labels(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value, True)}"' for name, value in labels) + "}" if labels else ""


def _escaped(text: str, quoted: bool = False) -> str:
    out = text.replace("\\", "\\\\").replace("\n", "\\n")
    return out.replace('"', '\\"') if quoted else out


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
