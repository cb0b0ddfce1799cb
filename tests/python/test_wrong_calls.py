"""Wrong calls, each with the class of its error and words of it: of our own, never the binding's."""

from __future__ import annotations

import datetime
import gzip
import pickle
import re
from pathlib import Path
from typing import Any, Callable

import pytest

import vpcflow as vf
from vpcflow.watch import Watch

LOG = b"srcaddr dstaddr dstport bytes packets start end action\n10.0.0.1 10.0.0.2 22 40 1 60 120 REJECT\n"


def flows() -> vf.Flows:
    return vf.scan(LOG)


def groups() -> vf.Flows:
    return flows().group_by("srcaddr").agg(n=vf.count(), b=vf.sum("bytes"))


class Stream:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def read(self, size: int = -1) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


WRONG: list[tuple[Callable[[], Any], type[Exception], str]] = [
    # A name that is no field is a FieldError, wherever fields are named.
    (lambda: flows().filter("actoin = 'REJECT'").collect(), vf.FieldError, "filter: unknown field 'actoin'; did you mean 'action'"),
    (lambda: flows().filter(vf.col("byts") > 1).collect(), vf.FieldError, "did you mean 'bytes'"),
    (lambda: flows().select("byts").collect(), vf.FieldError, "select: unknown field 'byts'; did you mean 'bytes'"),
    (lambda: flows().group_by("srcadr").agg().collect(), vf.FieldError, "by: unknown field 'srcadr'; did you mean 'srcaddr'"),
    (lambda: flows().agg(n=vf.sum("byts")).collect(), vf.FieldError, "unknown field 'byts'; did you mean 'bytes'"),
    (lambda: flows().agg(n=vf.count(where="byts > 1")).collect(), vf.FieldError, "unknown field 'byts'"),
    (lambda: vf.Aggregation(by="srcadr"), vf.FieldError, "did you mean 'srcaddr'"),
    (lambda: flows().label("net", "srcadr", vf.labels.prefixes({})).collect(), vf.FieldError, "unknown field 'srcadr'"),
    (lambda: flows().filter("byts > 1").coverage(), vf.FieldError, "unknown field 'byts'"),
    (lambda: flows().group_by("az_id").agg().collect(), vf.FieldError, "az-id is in none of the logs"),
    (lambda: vf.col("no name"), vf.FieldError, "'no name' is not a field name"),
    # A name that is no column of the result is a PlanError.
    (lambda: flows().select("bytes").sort("unknown field").collect(), vf.PlanError, "sort: no column 'unknown field'"),
    (lambda: groups().sort("nope").collect(), vf.PlanError, "sort: no column 'nope'; there are srcaddr, n, b"),
    (lambda: groups().having("m > 1").collect(), vf.PlanError, "having: no aggregate 'm'"),
    (lambda: groups().top_k(3, by="m").collect(), vf.PlanError, "top_k: order by: no aggregate 'm'"),
    (lambda: groups().top_k(3, by="n", per="dstport").collect(), vf.PlanError, "top_k: per: no key 'dstport'"),
    (lambda: flows().agg(n=vf.count(), share="m / n").collect(), vf.PlanError, "derived column: no aggregate 'm'"),
    (lambda: groups().collect()["m"], vf.PlanError, "no column 'm'; did you mean|no column 'm'; there are srcaddr, n, b"),
    (lambda: groups().collect()["srcadr"], vf.PlanError, "no column 'srcadr'; did you mean 'srcaddr'"),
    # Expressions.
    (lambda: flows().filter("action = 'DENY'").collect(), vf.FilterError, "did you mean 'REJECT'"),
    (lambda: flows().filter("bytes >").collect(), vf.FilterError, r"filter: expected .*\n  bytes >\n         \^"),
    (lambda: flows().filter("bytes + 1 > 2").collect(), vf.FilterError, "arithmetic is for having and derived columns"),
    (lambda: flows().filter("sum(bytes) > 2").collect(), vf.FilterError, "a filter has no functions"),
    (lambda: flows().filter(vf.col("bytes") > 0.5).collect(), vf.FilterError, "bytes takes whole numbers; '0.5' is none"),
    (lambda: flows().agg(n="sun(bytes)").collect(), vf.PlanError, r"did you mean 'sum'\?\n  sun\(bytes\)\n  \^"),
    (lambda: flows().agg(n="count(bytes)").collect(), vf.PlanError, "count takes no field"),
    (lambda: flows().agg(n="sum(srcaddr)").collect(), vf.PlanError, "sum needs a numeric field; srcaddr is an address"),
    (lambda: flows().agg(n="sum(3)").collect(), vf.PlanError, "sum takes the name of a field"),
    (lambda: flows().agg(n=vf.quantile("bytes", 2)).collect(), vf.PlanError, r"write quantile\(field, share between 0 and 1\)"),
    (lambda: flows().agg(n=vf.count(where="bytes >")).collect(), vf.FilterError, r"count\(\) where bytes >\n +\^"),
    (lambda: groups().having("sum(bytes) > 3").collect(), vf.PlanError, "give it a name among the aggregates"),
    (lambda: groups().having("n > 1 or").collect(), vf.PlanError, r"having: expected .*\n  n > 1 or\n          \^"),
    (lambda: groups().having("n > b-1").collect(), vf.PlanError, "a minus needs blanks around it"),
    # Arguments of a wrong type name the right call, and are TypeErrors, too.
    (lambda: flows().filter(None), vf.ArgumentError, r"filter\('dstport = 22'\)"),
    (lambda: flows().filter(vf.col("bytes")), vf.ArgumentError, "not Column"),
    (lambda: flows().select(3), vf.ArgumentError, r"select\('srcaddr', 'bytes'\)"),
    (lambda: flows().group_by(3), vf.ArgumentError, r"not 3; write group_by\('srcaddr', 'dstport'\)"),
    (lambda: flows().group_by("srcaddr").agg(3), vf.ArgumentError, r"agg\(n=vf.count\(\), bytes=vf.sum\('bytes'\)\)"),
    (lambda: flows().agg(vf.col("bytes")), vf.ArgumentError, r"write agg\(vf.count\(\), vf.sum\('bytes'\)\)"),
    (lambda: flows().agg("bytes"), vf.ArgumentError, "an aggregate is needed, not 'bytes'"),
    (lambda: flows().agg(vf.sum("bytes"), vf.max("bytes")), vf.PlanError, "two aggregates have the name 'bytes', sum\\(bytes\\) and max"),
    (lambda: flows().agg(vf.count(), count="sum(bytes)"), vf.PlanError, "largest=vf.max"),
    (lambda: groups().agg(n=vf.count()), vf.PlanError, "agg comes before group_by"),
    (lambda: vf.sum(3), vf.ArgumentError, r"sum takes the name of a field, as vf.sum\('bytes'\), not 3"),
    (lambda: vf.sum("bytes").alias(3), vf.ArgumentError, r"alias\('total'\)"),
    (lambda: flows().agg(n=3), vf.ArgumentError, r"agg\(n=3\): expected an aggregate"),
    (lambda: vf.Aggregation(by=3), vf.ArgumentError, r"Aggregation\(by="),
    (lambda: vf.Aggregation(by="srcaddr", n=3), vf.ArgumentError, "expected an aggregate"),
    (lambda: groups().top_k("x"), vf.ArgumentError, r"a whole number .* is needed, not 'x'; write top_k\(10, by='bytes'\)"),
    (lambda: groups().top_k(3, by=3), vf.ArgumentError, r"write top_k\(10, by='bytes'\)"),
    (lambda: groups().top_k(3).collect(), vf.PlanError, "top_k"),
    (lambda: groups().top_k(-1, by="n"), vf.PlanError, "top_k: n: a whole number from 0 .* not -1"),
    (lambda: groups().having(3), vf.ArgumentError, r"having\('n >= 100'\)"),
    (lambda: groups().having(vf.col("n")), vf.ArgumentError, "not Column"),
    (lambda: groups().sort(3), vf.ArgumentError, r"sort\('bytes', descending=True\)"),
    (lambda: groups().sort("n", descending=3), vf.ArgumentError, "descending=3"),
    (lambda: flows().head(-1), vf.PlanError, r"limit: a whole number from 0 .* not -1; write head\(10\)"),
    (lambda: flows().head("x"), vf.ArgumentError, r"head\(10\)"),
    (lambda: flows().limit(None), vf.ArgumentError, r"head\(10\)"),
    (lambda: flows().batches(rows="x"), vf.ArgumentError, r"batches\(rows=65536\)"),
    (lambda: flows().batches(rows=0), vf.PlanError, "rows=0: expected at least 1"),
    (lambda: flows().label("net", "srcaddr", {}), vf.ArgumentError, "vf.labels"),
    (lambda: flows().label(3, "srcaddr", vf.labels.prefixes({})), vf.ArgumentError, "name=3"),
    (lambda: vf.col(3), vf.ArgumentError, r"col\('srcaddr'\)"),
    (lambda: vf.col("bytes") == None, vf.ArgumentError, "is_null"),  # noqa: E711
    (lambda: vf.col("bytes") > object(), vf.ArgumentError, "cannot compare with"),
    (lambda: vf.col("bytes") > float("nan"), vf.ArgumentError, "cannot compare with"),
    (lambda: vf.quantile("bytes", "x"), vf.ArgumentError, "0.95"),
    (lambda: vf.ratio(1, 2), vf.ArgumentError, "a column has a name"),
    (lambda: vf.count(where=3), vf.ArgumentError, "expected a filter as text"),
    (lambda: vf.scan(3.5), vf.ArgumentError, "cannot scan float"),
    (lambda: vf.scan(LOG, threads="x"), vf.ArgumentError, r"threads=4"),
    (lambda: vf.scan(LOG, threads=0), vf.PlanError, "threads=0: expected at least 1"),
    (lambda: vf.scan(LOG, format=3), vf.ArgumentError, "format=3"),
    (lambda: vf.scan(LOG, container=3), vf.ArgumentError, "container=3"),
    (lambda: vf.scan(LOG, container="jsn").collect(), vf.PlanError, "container='jsn'"),
    (lambda: vf.scan(LOG, on_error="skp"), vf.PlanError, "'skip', 'raise' or 'null'"),
    (lambda: vf.scan(LOG, duplicates=3), vf.PlanError, "'once' or 'all'"),
    (lambda: flows().group_by("srcaddr", bin_by="sprad"), vf.PlanError, "'spread' or 'start'"),
    (lambda: flows().group_by("srcaddr", every=1.5), vf.PlanError, "every=1.5"),
    (lambda: flows().sessions(vantage=3).collect(), vf.PlanError, "vantage"),
    (lambda: groups().collect()[None], vf.ArgumentError, r"result\['bytes'\]"),
    (lambda: groups().collect()[1.5], vf.ArgumentError, r"result\[0\]"),
    # Arguments of detection, rules, labels, watching, aggregations.
    (lambda: vf.detect(LOG), vf.ArgumentError, r"detect: Flows or Aggregation is needed, .*write detect\(vf.scan"),
    (lambda: vf.detect(flows(), baseline=5), vf.ArgumentError, "baseline: Aggregation is needed, not 5"),
    (lambda: vf.detect(flows(), only=None), vf.ArgumentError, "a name is needed, not None"),
    (lambda: vf.detect(flows(), only="port_scn"), vf.PlanError, "no detector 'port_scn'; did you mean 'port_scan'"),
    (lambda: vf.detect(flows(), samples="x"), vf.ArgumentError, r"detect\(flows, samples=3\)"),
    (lambda: vf.detect(flows(), bad=None), vf.ArgumentError, "bad: a list is needed, not None"),
    (lambda: vf.detect(flows(), bad=[5]), vf.ArgumentError, "bad: str is needed, not 5"),
    (lambda: vf.detect(flows(), geo="/no/such.mmdb"), vf.PlanError, "detect: geo='/no/such.mmdb': No such file"),
    (lambda: vf.detect(flows(), aws_ranges="/no/such.json"), vf.PlanError, "detect: aws_ranges='/no/such.json': No such"),
    (lambda: vf.detect(flows(), aws_ranges=__file__), vf.PlanError, "invalid JSON"),
    (lambda: vf.Aggregation(5), vf.ArgumentError, r"not 5; write Aggregation\(vf.query\(\)"),
    (lambda: vf.Aggregation(groups()).merge(5), vf.ArgumentError, "merge: Aggregation is needed, not 5"),
    (lambda: vf.Aggregation(groups()).update(LOG, fromat="v5"), vf.ArgumentError, "scan: no option 'fromat'; did you mean 'format'"),
    (lambda: vf.Aggregation(groups()).update(flows().head(1)), vf.PlanError, "limit"),
    (lambda: vf.Aggregation.from_bytes("x"), vf.ArgumentError, "not str"),
    (lambda: vf.Aggregation(vf.query().sessions()).take_idle("x"), vf.ArgumentError, r"take_idle\(1795413600\)"),
    (lambda: vf.merge_all(5), vf.ArgumentError, "merge_all: a list is needed, not 5"),
    (lambda: vf.merge_all([5]), vf.ArgumentError, "an aggregation or its bytes"),
    (lambda: vf.collect_all([1]), vf.ArgumentError, "a query is needed, not 1"),
    (lambda: vf.collect_all(5), vf.ArgumentError, "a list is needed, not 5"),
    (lambda: vf.diff(1, 2, "x"), vf.ArgumentError, r"diff: Result is needed, not 1; write diff\("),
    (lambda: vf.rules.run("x", []), vf.ArgumentError, "rules.run: Flows is needed, not 'x'"),
    (lambda: vf.rules.run(flows(), ["x"]), vf.ArgumentError, "rules.run: Rule is needed, not 'x'"),
    (lambda: vf.labels.prefixes({"10.0.0.0/8": None}), vf.ArgumentError, "texts are needed"),
    (lambda: vf.labels.prefixes(5), vf.ArgumentError, "a path is needed, not 5"),
    (lambda: vf.labels.prefixes("/no/such.csv"), vf.SourceNotFoundError, "labels: no such file: /no/such.csv"),
    (lambda: vf.labels.interfaces("/no/such.json"), vf.SourceNotFoundError, "no such file"),
    (lambda: vf.capabilities(5), vf.ArgumentError, r"capabilities\('v5'\)"),
    (lambda: vf.recommended_format(5), vf.ArgumentError, "recommended_format"),
    (lambda: flows().sessions(intermediaries=5), vf.ArgumentError, "intermediaries: a list is needed"),
    (lambda: flows().head(2).sessions(), vf.PlanError, "limit comes after it"),
    (lambda: flows().head(2).coverage(), vf.PlanError, r"coverage\(\) is of all records"),
    (lambda: vf.query().sessions().bind(flows().head(2)), vf.PlanError, "a grouping is of all records"),
    (lambda: vf.rules.run(flows().head(2), vf.rules.of([{"name": "x"}])), vf.PlanError, "a grouping is of all records"),
    (lambda: vf.detect(flows().head(2)), vf.PlanError, "limit comes after it"),
    (lambda: vf.detection.baseline(flows().head(2)), vf.PlanError, "limit comes after it"),
    (lambda: vf.query().group_by("srcaddr").agg().bind(LOG, foo=1), vf.ArgumentError, "scan: no option 'foo'"),
    (lambda: vf.col("bytes") & "x", vf.ArgumentError, r"col\('tcp_flags'\) & 18, not 'x'"),
    (lambda: Watch(".", [], {}, "/tmp/s", settle="x"), vf.ArgumentError, "settle='x'"),
    (lambda: Watch(".", [], {}, "/tmp/s", min_severity="critical"), vf.PlanError, "expected one of high, medium, low"),
    (lambda: Watch(".", [], {}, "/tmp/s", detectors={"only": 5}), vf.ArgumentError, "a name is needed, not 5"),
    (lambda: vf.scan(None), vf.ArgumentError, "cannot scan NoneType"),
    (lambda: vf.scan(LOG, account=5), vf.ArgumentError, r"account: a list is needed, not 5; write scan\(data, account="),
    # Each text of a filter stands for itself.
    (lambda: flows().filter("bytes > 100) or (bytes > 1", "bytes > 1").collect(), vf.FilterError, r"\)"),
    (lambda: flows().filter("").collect(), vf.FilterError, "expected a field name"),
    (lambda: groups().collect()[7], IndexError, r"result\[7\]: there are 1 rows"),
    (lambda: vf.sum("bytes") / vf.count(), vf.ArgumentError, "each='bytes / n'"),
    (lambda: 8 * vf.col("bytes"), vf.ArgumentError, "write the arithmetic as text"),
    (lambda: vf.col("bytes") > 10 & vf.col("bytes"), vf.ArgumentError, r"write \(vf.col\('bytes'\) > 10\) & "),
    (lambda: flows().filter(byts=3).collect(), vf.FieldError, "did you mean 'bytes'"),
    (lambda: flows().filter(bytes=None), vf.ArgumentError, "is_null"),
    (lambda: flows().join({"srcaddr": [], "a": []}, on=["srcaddr", "dstaddr"]), vf.ArgumentError, "one name is needed"),
    (lambda: groups().top_k(3, by=["n", "b"]), vf.ArgumentError, "one name is needed"),
    (lambda: groups().collect().plot.pie(), AttributeError, r"plot has no 'pie'; it has plot\(\)"),
    (lambda: groups().collect()[["srcaddr", "m"]], vf.PlanError, "no column 'm'"),
    (lambda: groups().collect()[[3]], vf.ArgumentError, r"result\[\['srcaddr', 'bytes'\]\]"),
    (lambda: groups().collect().head(-1), vf.PlanError, "head: a whole number from 0"),
    (lambda: groups().collect().tail("x"), vf.ArgumentError, r"tail\(10\)"),
    (lambda: flows().tail(-1), vf.PlanError, "tail: a whole number from 0"),
    (lambda: flows().tail(2).filter("bytes > 1"), vf.PlanError, "filter comes before tail"),
    (lambda: list(flows().tail(2).batches()), vf.PlanError, "collect"),
    (lambda: groups().describe(), vf.PlanError, "describe comes before group_by"),
    (lambda: flows().head(3).describe(), vf.PlanError, "of all records"),
    (lambda: flows()["bytes"], vf.ArgumentError, r"flows.collect\(\)\['bytes'\]"),
    (lambda: flows()[0:3], vf.ArgumentError, r"flows.head\(10\)"),
    (lambda: len(flows()), vf.ArgumentError, r"flows.count\(\)"),
    (lambda: list(flows()), vf.ArgumentError, r"for row in flows.collect\(\)"),
    (lambda: flows().collect(progress=3), vf.ArgumentError, "progress=3: true or a function"),
    (lambda: flows().group_by("srcaddr", every="5x"), vf.PlanError, "every='5x': expected a time of whole seconds"),
    (lambda: flows().group_by("srcaddr", every="5M"), vf.PlanError, "every='5M'"),
    (lambda: flows().group_by("srcaddr", every=datetime.timedelta(seconds=0.5)), vf.PlanError, "whole seconds"),
    (lambda: flows().group_by("srcaddr", every=datetime.timedelta(0)), vf.PlanError, "whole seconds"),
    (lambda: flows().join(3, on="srcaddr"), vf.ArgumentError, r"a frame of pandas, polars or pyarrow"),
    (lambda: flows().join({"ip": ["10.0.0.1"]}, on="srcaddr"), vf.PlanError, r"no column 'srcaddr'; there are ip; write join\(frame, 'srcaddr', key="),
    (lambda: flows().join({"srcaddr": ["10.0.0.1"]}, on="srcaddr"), vf.PlanError, "nothing to add"),
    (lambda: flows().join({"srcaddr": ["10.0.0.1"] * 2, "a": ["x", "y"]}, on="srcaddr"), vf.PlanError, "rows 0 and 1 with different values"),
    (lambda: flows().join({"srcaddr": ["10.0.0.x"], "a": ["x"]}, on="srcaddr"), vf.PlanError, "'10.0.0.x' is no prefix"),
    (lambda: flows().join({"dstport": ["http"], "a": ["x"]}, on="dstport"), vf.PlanError, "'http' is no whole number"),
    (lambda: groups().join({"srcaddr": [], "a": []}, on="srcaddr"), vf.PlanError, "join comes before group_by"),
    (lambda: flows().sink_csv("/no/such/folder/a.csv"), vf.OutputError, "there is no folder /no/such/folder"),
    (lambda: groups().collect().to_csv("/no/such/folder/a.csv"), vf.OutputError, "there is no folder /no/such/folder"),
    # Verbs of other libraries.
    (lambda: flows().groupby("srcaddr"), AttributeError, r"write flows.group_by\('srcaddr'\)"),
    (lambda: flows().where("bytes > 1"), AttributeError, r"write flows.filter\('dstport = 22'\)"),
    (lambda: flows().dstport, AttributeError, r"write vf.col\('dstport'\) in filters, flows.select\('dstport'\)"),
    (lambda: flows().colect(), AttributeError, "did you mean 'collect'"),
    (lambda: flows().zzz, AttributeError, "a query has no attribute 'zzz'$"),
    (lambda: flows().group_by("srcaddr").sum("bytes"), AttributeError, r"write agg\(bytes=vf.sum\('bytes'\)\)"),
    (lambda: flows().group_by("srcaddr").collect(), AttributeError, "comes first"),
    (lambda: flows().collect().bytes, AttributeError, r"write result\['bytes'\]"),
    (lambda: flows().collect().iloc, AttributeError, r"write result\[0\]"),
    (lambda: flows().collect().to_dicts(), AttributeError, r"result.rows\(\)"),
    (lambda: vf.col("srcaddr").isin([]), AttributeError, "is_in"),
    (lambda: vf.col("srcaddr").str.contains("x"), AttributeError, "matches"),
    (lambda: vf.read_csv("x"), AttributeError, r"write vpcflow.scan\('logs/'\)"),
    # What can be read only as bytes.
    (lambda: vf.scan(Stream("text")).collect(), vf.SourceError, "read\\(\\) returned str; bytes are needed"),
    (lambda: vf.scan(Stream("text")).agg(n=vf.count()).collect(), vf.SourceError, "read\\(\\) returned str; bytes are needed"),
    (lambda: vf.scan(Stream(7)).collect(), vf.SourceError, "read\\(\\) returned int; bytes are needed"),
    (lambda: vf.scan(Stream(OSError("gone"))).collect(), vf.SourceError, "gone"),
    (lambda: vf.scan("/no/such.log").collect(), vf.SourceNotFoundError, "no such file"),
    (lambda: vf.Aggregation.from_bytes(b"x"), vf.StateError, "no state"),
    (lambda: vf.scan(b"").collect(), vf.NoRecordsError, "no record"),
    (lambda: vf.scan(LOG + b"x\n", on_error="raise").collect(), vf.ParseError, "too-few-fields"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_calls_end_in_errors_of_our_own(number: int) -> None:
    call, expected, words = WRONG[number]
    with pytest.raises(expected) as caught:
        call()
    error = caught.value
    assert type(error) is expected, f"{type(error).__name__}: {error}"
    assert re.search(words, str(error)), str(error)
    for foreign in ("incompatible function arguments", "Unable to cast", "pybind", "_core.", "__index__"):
        assert foreign not in str(error)
    if expected is vf.ArgumentError:
        assert isinstance(error, TypeError)


def test_the_place_of_an_error_is_in_its_own_text() -> None:
    wrong = vf.scan(LOG, start=0).filter("bytes > 1").filter("actoin = 'REJECT'")
    error = caught_from(wrong.collect)
    assert error.position == 0
    assert str(error).endswith("\n  actoin = 'REJECT'\n  ^")


def caught_from(call: Callable[[], Any]) -> Any:
    with pytest.raises(vf.VpcflowError) as caught:
        call()
    return caught.value


def test_errors_have_attributes() -> None:
    error = caught_from(lambda: flows().filter("bytes > 1 and actoin = 'x'").collect())
    assert (error.kind, error.field, error.suggestion, error.position) == ("field", "actoin", "action", 14)
    assert (error.source, error.line) == (None, None)
    error = caught_from(lambda: flows().filter("action = 'DENY'").collect())
    assert (error.kind, error.field, error.suggestion, error.position) == ("filter", "action", "REJECT", 9)
    error = caught_from(lambda: flows().group_by("srcadr").agg().collect())
    assert (error.kind, error.field, error.suggestion, error.position) == ("field", "srcadr", "srcaddr", None)
    error = caught_from(lambda: groups().having("n > 1 and bb > 2").collect())
    assert (error.kind, error.field, error.position) == ("plan", None, 10)
    error = caught_from(lambda: groups().collect()["srcadr"])
    assert (error.kind, error.suggestion) == ("plan", "srcaddr")
    error = caught_from(lambda: flows().group_by("az_id").agg().collect())
    assert error.kind == "missing-field"
    error = caught_from(lambda: vf.scan(LOG + b"x\n", on_error="raise").collect())
    assert (error.kind, error.source, error.path, error.line, error.column) == ("reject", "<bytes>", "<bytes>", 3, 2)
    assert (error.code, error.byte_offset) == ("too-few-fields", len(LOG))
    error = caught_from(lambda: vf.scan("/no/such.log"))
    assert (error.kind, error.source) == ("not-found", "/no/such.log")
    assert caught_from(lambda: flows().filter(None)).kind == "plan"
    assert caught_from(lambda: vf.synth(10, plant="x")).kind == "synth"


def test_damage_names_its_source(tmp_path: Path) -> None:
    path = tmp_path / "a.log.gz"
    path.write_bytes(gzip.compress(LOG * 500)[:-9])
    error = caught_from(lambda: vf.scan(path).agg(n=vf.count()).collect())
    assert isinstance(error, vf.DataLossError)
    assert (error.kind, error.source) == ("damaged", str(path))
    assert [source for _, _, source in error.partial.report.errors] == [str(path)]


def test_errors_survive_pickle() -> None:
    for call in (
        lambda: flows().filter("actoin = 'x'").collect(),
        lambda: vf.scan(LOG + b"x\n", on_error="raise").collect(),
        lambda: flows().filter(None),
    ):
        error = caught_from(call)
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)


def test_rows_of_results_have_numbers() -> None:
    result = vf.scan(LOG + b"10.0.0.3 10.0.0.2 80 7 1 60 120 ACCEPT\n").select("srcaddr", "bytes").collect()
    assert result[0] == {"srcaddr": "10.0.0.1", "bytes": 40}
    assert result[-1] == result[1] == {"srcaddr": "10.0.0.3", "bytes": 7}


def test_filters_take_values_by_name() -> None:
    assert flows().filter("bytes > 1", dstport=22, action="REJECT").count() == 1
    assert flows().filter(dstport=23).count() == 0


def test_names_are_texts_columns_or_lists() -> None:
    wanted = flows().select("srcaddr", "bytes").collect().rows()
    assert flows().select(["srcaddr", "bytes"]).collect().rows() == wanted
    assert flows().select(vf.col("srcaddr"), vf.col("bytes")).collect().rows() == wanted
    assert flows().group_by(vf.col("srcaddr")).agg(n="count()").collect().rows() == [{"srcaddr": "10.0.0.1", "n": 1}]


# The kinds of errors are told by payloads; nobody reads a message to know what it is.
SEARCHES = (
    r"message\(?\)?\.(find|contains|starts_with|rfind)\(", r"""["'][^"']*["'] (not )?in str\(""",
    r"str\((e|error|exc|err)\)\.(find|startswith|endswith|index)\(", r"re\.(search|match)\([^)]*str\((e|error)\)",
)  # fmt: skip


def test_no_message_is_searched() -> None:
    root = Path(__file__).resolve().parents[2]
    found = []
    for path in [*root.glob("src/**/*.cc"), *root.glob("python/src/*"), *root.glob("python/vpcflow/**/*.py")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if any(re.search(pattern, line) for pattern in SEARCHES):
                found.append(f"{path.relative_to(root)}:{number}: {line.strip()}")
    allowed = ("src/export/arrow_in.cc",)  # whether the name of the source stands in front already
    assert [line for line in found if not line.startswith(allowed)] == []
