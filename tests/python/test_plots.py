"""Plots: what stands on which axis, what is drawn, what is refused; and the pictures of the gallery."""

import datetime
import importlib
import re
import sys
import warnings

import pytest
from hypothesis import given, settings, strategies

import vpcflow as vf
from conftest import HEADER, ROOT, SAMPLE, line

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
pyplot = pytest.importorskip("matplotlib.pyplot")

KEYS = ["srcaddr", "dstaddr", "srcport", "dstport", "protocol", "action", "interface_id", "tcp_flags", "type", "flow_direction", "traffic_path"]
MEASURES = {
    "bytes": vf.sum("bytes"), "packets": vf.sum("packets"), "records": vf.count(), "mean": vf.mean("bytes"),
    "peers": vf.n_unique("dstaddr"), "ports": vf.n_unique("dstport"), "rate": vf.rate("bytes"), "p95": vf.quantile("bytes", 0.95),
    "largest": vf.max("packets"), "refused": vf.count(where="action = 'REJECT'"),
}  # fmt: skip
NO_MEASURES = {"lowest": vf.min("dstport"), "seen": vf.first("start"), "who": vf.last("srcaddr"), "protocols": vf.max("protocol")}
TIME = re.compile(r"^\d{1,2} [A-Z][a-z]{2}( \d{4})?( \d\d:\d\d(:\d\d)?)?$")
NUMBER = re.compile(r"^[-\u2212]?\d+(\.\d+)?( ?[kMGTP]?B(/s)?| ?[kMGT])?$")


@pytest.fixture(autouse=True)
def closed():
    yield
    pyplot.close("all")


def ticks(axis):
    """The texts at an axis."""
    axis.figure.canvas.draw()
    return [label.get_text() for label in axis.get_ticklabels() if label.get_text()]


@settings(max_examples=25)
@given(
    keys=strategies.lists(strategies.sampled_from(KEYS), max_size=3, unique=True),
    chosen=strategies.lists(strategies.sampled_from([*MEASURES, *NO_MEASURES]), min_size=1, max_size=4, unique=True),
    every=strategies.sampled_from([None, "5m", "1h"]),
)
def test_no_key_is_an_amount(keys, chosen, every):
    pyplot.close("all")
    computed = {**MEASURES, **NO_MEASURES}
    result = vf.scan(SAMPLE).filter("protocol != 1").group_by(*keys, every=every).agg(**{n: computed[n] for n in chosen}).collect()
    possible = [name for name in chosen if name in MEASURES]
    for name in [*keys, *(name for name in chosen if name in NO_MEASURES)]:
        with pytest.raises(vf.PlanError, match=f"plot: {name} is .*, which is not drawn as an amount"):
            result.plot(name)
    if not possible:
        with pytest.raises(vf.PlanError, match="no measure to draw"):
            result.plot()
        return
    if not keys and not every:
        with pytest.raises(vf.PlanError, match=r"one row of totals; group it: flows.group_by\(every='5m'\)"):
            result.plot()
        return
    axes = result.plot()
    amount, other = (axes.yaxis, axes.xaxis) if axes.lines else (axes.xaxis, axes.yaxis)
    assert re.match(rf"{possible[0]}\b", amount.get_label_text())
    assert all(NUMBER.match(text) for text in ticks(amount)), ticks(amount)
    assert "1e" not in amount.get_offset_text().get_text()
    if every:
        assert other.get_label_text() == "time (UTC)"
        assert all(TIME.match(text) for text in ticks(other)), ticks(other)
        if keys:
            assert axes.get_legend().get_title().get_text().startswith(", ".join(k for k in result.columns if k in keys))
    else:
        assert set(other.get_label_text().split(", ")) <= set(keys)


def test_a_line_has_the_values_of_its_bins():
    log = HEADER + line(start=0, end=60, size=600) + line(start=900, end=960, size=60)
    axes = vf.scan(log).group_by(every="5m").agg(bytes=vf.sum("bytes")).collect().plot()
    (drawn,) = axes.lines
    at = [moment.timestamp() for moment in drawn.get_xdata()]
    assert at == [0, 300, 600, 900, 1200]  # the end of the last bin, too
    assert list(drawn.get_ydata()) == [600, 0, 0, 60, 60]  # no records are no bytes
    assert axes.get_ylabel() == "bytes per 5 min"
    assert axes.get_ylim()[0] == 0
    assert drawn.get_xdata()[0].tzinfo is datetime.timezone.utc
    mean = vf.scan(log).group_by(every="5m").agg(mean=vf.mean("bytes")).collect().plot()
    values = list(mean.lines[0].get_ydata())
    assert [value != value for value in values] == [False, True, True, False, False]  # no records have no mean
    assert mean.get_ylabel() == "mean"


def test_series_are_the_largest_and_say_of_how_many():
    flows = vf.scan(SAMPLE)
    result = flows.group_by("srcaddr", every="1h").agg(bytes=vf.sum("bytes")).collect()
    axes = result.plot()
    wanted = flows.group_by("srcaddr").agg(bytes=vf.sum("bytes")).top_k(8, by="bytes").collect()["srcaddr"]
    legend = axes.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == wanted
    number = len(set(result["srcaddr"]))
    assert legend.get_title().get_text() == f"srcaddr\nthe 8 largest of {number:,}"
    assert len({line.get_color() for line in axes.lines}) == 8
    # All keys together.
    (whole,) = result.plot(by="").lines
    assert sum(whole.get_ydata()[:-1]) == sum(result["bytes"])
    per_port = flows.group_by("srcaddr", "dstport", every="1h").agg(peers=vf.n_unique("dstaddr")).collect()
    with pytest.raises(vf.PlanError, match="peers of several keys does not add up"):
        per_port.plot(by="srcaddr")


def test_bars_are_stacked_by_the_key_with_few_values():
    result = vf.scan(SAMPLE).filter("dstport in (22, 443, 3389)").group_by("dstport", "action").agg(n=vf.count()).collect()
    axes = result.plot()
    assert axes.get_ylabel() == "dstport"
    assert axes.get_xlabel() == "n (records)"
    assert [text.get_text() for text in axes.get_yticklabels()] == ["22 ssh", "443 https", "3389 ms-wbt-server"]
    assert sorted(text.get_text() for text in axes.get_legend().get_texts()) == ["ACCEPT", "REJECT"]
    widths = [bar.get_width() for stack in axes.containers for bar in getattr(stack, "patches", ())]
    assert sum(widths) == sum(result["n"])
    ends = {bar.get_x() + bar.get_width() for bar in axes.containers[-1].patches}
    totals = {sum(row["n"] for row in result if row["dstport"] == port) for port in (22, 443, 3389)}
    assert ends == totals


def test_facets_are_panels_with_the_same_axes():
    result = vf.scan(SAMPLE).group_by("flow_direction", "action", every="10m").agg(n=vf.count()).collect()
    panels = result.plot.facets("flow_direction")
    assert [axes.get_title("left") for axes in panels] == ["flow_direction ingress", "flow_direction egress"]
    assert len({axes.get_ylim() for axes in panels}) == 1
    colours = {}
    for axes in panels:
        for drawn in axes.lines:
            assert colours.setdefault(drawn.get_label(), drawn.get_color()) == drawn.get_color()
    assert set(colours) == {"ACCEPT", "REJECT"}
    bars = vf.scan(SAMPLE).group_by("flow_direction", "protocol").agg(n=vf.count()).collect().plot.facets("flow_direction")
    assert [axes.get_ylabel() for axes in bars] == ["protocol", "protocol"]
    assert {text.get_text() for axes in bars for text in axes.get_yticklabels()} == {"ICMP", "TCP", "UDP"}


def test_coverage_is_drawn_as_spans():
    coverage = vf.scan(SAMPLE).coverage()
    axes = coverage.plot()
    assert axes.get_ylabel() == "interface_id"
    assert axes.get_xlabel() == "time (UTC)"
    assert all(TIME.match(text) for text in ticks(axes.xaxis))
    assert {text.get_text() for text in axes.get_legend().get_texts()} <= {"OK", "NODATA", "SKIPDATA", "absent"}
    assert axes.get_title("right") == f"the 20 with most that is not OK, of {len(set(coverage['interface_id']))}"


def test_what_cannot_be_drawn_is_refused_in_words():
    flows = vf.scan(SAMPLE)
    grouped = flows.group_by("srcaddr").agg(n=vf.count())
    for call, words in [
        (lambda: flows.head(100).collect().plot(), "each row is a record or a session; group them: flows.group_by"),
        (lambda: flows.sessions().limit(5).collect().plot(), "each row is a record or a session"),
        (lambda: flows.agg(n=vf.count()).collect().plot(), "one row of totals; group it"),
        (lambda: grouped.collect().plot.line(), "plot.line needs a time column: flows.group_by\\(every="),
        (lambda: grouped.collect()[:0].plot(), "the result has no rows"),
        (lambda: grouped.collect().plot("m"), "no column 'm'"),
        (lambda: grouped.collect().plot(by="m"), "by='m' is no key of the result; keys are srcaddr"),
        (lambda: grouped.collect().plot.facets("n"), "facets='n' is no key"),
        (lambda: flows.filter("log_status = 'NODATA'").group_by("interface_id").agg(b=vf.max("bytes")).collect().plot(), "all values of b are null"),
        (lambda: flows.filter("bytes > 10000000000").coverage().plot(), "no rows"),
    ]:
        with pytest.raises(vf.PlanError, match=words):
            call()
    for draw in (grouped.collect().plot, grouped.collect().plot.bar, flows.group_by(every="1h").agg(n=vf.count()).collect().plot.line):
        for name, value, words in (("kind", "bar", r"plot.bar\(\)"), ("x", "srcaddr", "by='action'"), ("figsize", (8, 4), "subplots"), ("title", "t", "set_title")):
            with pytest.raises(vf.ArgumentError, match=f"no argument '{name}'; write .*{words}"):
                draw(**{name: value})
    assert pyplot.get_fignums() == []  # what is refused leaves no empty figure


def test_results_of_no_query_are_drawn_by_their_names():
    question = vf.Aggregation(by=["dstport"], every="5m", bytes=vf.sum("bytes")).update(SAMPLE).collect()
    assert question.plot().get_ylabel() == "bytes"
    with pytest.raises(vf.PlanError, match="dstport is a number that names something"):
        question.plot("dstport")


def test_texts_of_logs_are_texts_in_pictures():
    log = b"interface-id bytes start end\n" + b"".join(
        b"%s %d 0 60\n" % (name, n) for n, name in enumerate([b"$\\frac{", b"_hidden", b"$x$", b"{x}", b"%d", b"a" * 300], 1)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for every in (None, "1m"):
            axes = vf.scan(log).group_by("interface_id", every=every).agg(bytes=vf.sum("bytes")).collect().plot()
            axes.figure.canvas.draw()
    assert len(axes.get_legend().get_texts()) == 6


def test_a_picture_of_ones_own_keeps_its_place():
    result = vf.scan(SAMPLE).group_by(every="10m").agg(n=vf.count(), refused=vf.count(where="action = 'REJECT'")).collect()
    figure, axes = pyplot.subplots()
    assert result.plot(ax=axes, label="all") is axes
    assert result.plot("refused", ax=axes, label="refused") is axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["all", "refused"]
    assert len({drawn.get_color() for drawn in axes.lines}) == 2
    assert axes.get_ylabel() == "n (records) per 10 min, refused (records) per 10 min"
    assert figure.axes == [axes]


def test_the_gallery_shows_what_it_says():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        gallery = importlib.import_module("gallery")
    finally:
        sys.path.pop(0)
    fields = {field.column for field in vf.fields()} - {"bytes", "packets", "start", "end"}
    seen = []
    for name, figure in gallery.pictures():
        seen.append(name)
        stored = ROOT / "docs" / "gallery" / f"{name}.png"
        assert stored.stat().st_size < 60_000
        for axes in figure.axes:
            assert axes.lines or axes.containers or axes.collections, name
            amounts = [axis for axis in (axes.xaxis, axes.yaxis) if (texts := ticks(axis)) and all(map(NUMBER.match, texts))]
            for axis in amounts:
                assert not {word.split(" ")[0] for word in axis.get_label_text().split(", ")} & fields, name
            for axis in (axes.xaxis, axes.yaxis):
                assert not any("1e" in text for text in [*ticks(axis), axis.get_offset_text().get_text()]), name
                if axis.get_label_text() == "time (UTC)":
                    assert all(TIME.match(text) for text in ticks(axis)), name
    assert sorted(path.stem for path in (ROOT / "docs" / "gallery").glob("*.png")) == sorted(seen)
    assert len(seen) >= 8
