"""Verbs of other libraries, with the right call here: errors for those who try them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from .. import _core
from .._hints import nearest
from ..errors import ArgumentError

_SENTENCES = ("it is", "name those", "fields have")  # what is said instead of a call
_FRAME = "result.to_pandas() or result.to_polars()"

_SCAN = "vpcflow.scan('logs/')"
_FILTER = "flows.filter('dstport = 22') or flows.filter(vf.col('dstport') == 22)"
_GROUP = "flows.group_by('srcaddr').agg(bytes=vf.sum('bytes'))"
_COMPUTE = "flows.agg(bytes=vf.sum('bytes'))"
_SORT = "flows.sort('bytes', descending=True)"
_TOP = "flows.group_by('srcaddr').agg(bytes=vf.sum('bytes')).top_k(10, by='bytes')"
_COUNTS = "flows.group_by('action').agg(n=vf.count())"
_BINS = "flows.group_by(every='5m').agg(bytes=vf.sum('bytes'))"

#: Of queries.
FLOWS: Mapping[str, str] = {
    **dict.fromkeys(("where", "query", "loc", "filters", "find", "search"), _FILTER),
    **dict.fromkeys(("groupby", "group", "group_by_dynamic", "pivot", "pivot_table"), _GROUP),
    **dict.fromkeys(("aggregate", "sum", "mean", "min", "max", "size", "std", "median"), _COMPUTE),
    **dict.fromkeys(("sort_values", "order_by", "orderby", "order"), _SORT),
    **dict.fromkeys(("nlargest", "top", "topk", "largest"), _TOP),
    **dict.fromkeys(("value_counts", "unique", "nunique", "n_unique", "distinct"), _COUNTS),
    **dict.fromkeys(("resample", "rolling", "window"), _BINS),
    **dict.fromkeys(("merge", "left_join"), "flows.join(frame, on='srcaddr')"),
    **dict.fromkeys(("iloc", "iterrows", "itertuples", "rows", "iter_rows"), "for row in flows.collect()"),
    **dict.fromkeys(("to_dict", "to_dicts", "to_list", "tolist", "fetchall"), "flows.collect().rows()"),
    **dict.fromkeys(("df", "pandas", "toPandas", "to_df"), "flows.to_pandas()"),
    **dict.fromkeys(("pl",), "flows.to_polars()"),
    **dict.fromkeys(("arrow", "fetch_arrow_table"), "flows.to_arrow()"),
    **dict.fromkeys(("to_parquet", "write_parquet"), "flows.sink_parquet('flows.parquet')"),
    **dict.fromkeys(("to_csv", "write_csv"), "flows.sink_csv('flows.csv')"),
    **dict.fromkeys(("to_json", "write_json", "write_ndjson"), "flows.sink_ndjson('flows.ndjson')"),
    **dict.fromkeys(("run", "execute", "compute", "fetch", "result", "show"), "flows.collect()"),
    **dict.fromkeys(("shape", "len", "length"), "flows.count() for the rows, flows.columns for the columns"),
    **dict.fromkeys(("dtypes", "collect_schema", "info"), "flows.schema"),
    **dict.fromkeys(("plot", "hist"), "flows.group_by(every='5m').agg(bytes=vf.sum('bytes')).collect().plot()"),
    **dict.fromkeys(("with_columns", "assign", "with_column"), "flows.label(...), or agg(each='bytes / packets')"),
    "rename": "flows.to_polars().rename({'srcaddr': 'source'})",
    "drop": "name those that stay: flows.select('srcaddr', 'bytes')",
    "take": "flows.head(10)",
    "sample": "flows.head(1000)",
    "report": "flows.collect().report",
    "detect": "vf.detect(flows)",
    "summary": "vpcflow.analyze.summary(flows)",
}
#: Of groupings that lack their aggregates.
GROUPED: Mapping[str, str] = {
    **{name: f"agg({name}=vf.{name}('bytes'))" for name in ("mean", "min", "max", "first", "last", "n_unique", "rate")},
    **dict.fromkeys(("count", "size", "len"), "agg(n=vf.count())"),
    **dict.fromkeys(("aggregate", "apply", "transform"), "agg(bytes=vf.sum('bytes'))"),
    **dict.fromkeys(("median", "quantile"), "agg(median=vf.quantile('bytes', 0.5))"),
    **dict.fromkeys(("collect", "to_pandas", "to_polars", "top_k", "having", "sort"), "agg(n=vf.count()) comes first"),
    "sum": "agg(bytes=vf.sum('bytes'))",
    "nunique": "agg(peers=vf.n_unique('dstaddr'))",
}
#: Of results.
RESULT: Mapping[str, str] = {
    **dict.fromkeys(("filter", "query", "where", "loc"), f"of records flows.filter(...) before collect(); or {_FRAME}"),
    **dict.fromkeys(("group_by", "groupby", "agg"), f"flows.group_by(...).agg(...) before collect(); or {_FRAME}"),
    **dict.fromkeys(("sort", "sort_values", "nlargest", "top_k"), f"flows.sort(...) before collect(); or {_FRAME}"),
    **dict.fromkeys(("select",), "result[['srcaddr', 'bytes']]"),
    **dict.fromkeys(("iloc",), "result[0] or result[:10]"),
    **dict.fromkeys(("limit", "take"), "result.head(10)"),
    **dict.fromkeys(("iterrows", "itertuples", "iter_rows"), "for row in result"),
    **dict.fromkeys(("to_dict", "to_dicts", "to_list", "tolist", "fetchall", "values"), "result.rows()"),
    **dict.fromkeys(("df", "pandas", "toPandas"), "result.to_pandas()"),
    **dict.fromkeys(("pl",), "result.to_polars()"),
    **dict.fromkeys(("arrow",), "result.to_arrow()"),
    **dict.fromkeys(("write_csv", "sink_csv"), "result.to_csv('result.csv')"),
    **dict.fromkeys(("write_parquet", "sink_parquet"), "result.to_parquet('result.parquet')"),
    **dict.fromkeys(("write_json",), "result.to_json('result.json')"),
    **dict.fromkeys(("write_ndjson", "sink_ndjson", "to_ndjson"), "result.to_json_lines('result.ndjson')"),
    **dict.fromkeys(("dtypes",), "result.schema"),
    **dict.fromkeys(("collect",), "it is a result already"),
    **dict.fromkeys(("equals",), "result == other"),
    **dict.fromkeys(("join", "merge"), f"flows.join(frame, on=...) before collect(); or {_FRAME}"),
    **dict.fromkeys(("describe", "value_counts", "pivot", "resample", "unique"), _FRAME),
    **dict.fromkeys(("height",), "len(result)"),
    **dict.fromkeys(("width",), "len(result.columns)"),
}
#: Of columns in expressions.
COLUMN: Mapping[str, str] = {
    **dict.fromkeys(("isin", "in_"), "col(...).is_in(['10.0.0.0/8'])"),
    **dict.fromkeys(("isnull", "isna"), "col(...).is_null()"),
    **dict.fromkeys(("notnull", "notna"), "col(...).is_not_null()"),
    **dict.fromkeys(("is_between",), "col(...).between(1, 1023)"),
    **dict.fromkeys(("startswith", "starts_with"), "col(...).like('eni-%')"),
    **dict.fromkeys(("endswith", "ends_with"), "col(...).like('%-1a')"),
    **dict.fromkeys(("contains", "str", "rlike", "match", "regexp_matches"), "col(...).matches('regular expression')"),
    **dict.fromkeys(("eq",), "col(...) == value"),
    **dict.fromkeys(("ne",), "col(...) != value"),
    **dict.fromkeys(("ip", "subnet", "in_network", "is_in_network"), "col(...).is_in('10.0.0.0/8')"),
    **{name: f"vf.{name}('bytes') in agg(...)" for name in ("sum", "mean", "min", "max", "count", "n_unique", "first")},
    **dict.fromkeys(("alias", "name"), "agg(name=...)"),
    **dict.fromkeys(("cast", "astype"), "fields have their types, vf.fields(); convert in pandas or polars"),
}
#: Of the package.
MODULE: Mapping[str, str] = {
    **dict.fromkeys(("read", "open", "load", "parse", "reader", "FlowLogs", "from_pandas", "from_arrow"), _SCAN),
    **dict.fromkeys(("read_csv", "read_parquet", "read_json", "read_logs", "scan_csv", "scan_parquet"), _SCAN),
    **dict.fromkeys(("avg", "average"), "vpcflow.mean('bytes')"),
    **dict.fromkeys(("len", "size", "count_star"), "vpcflow.count()"),
    **dict.fromkeys(("nunique", "count_distinct", "countDistinct"), "vpcflow.n_unique('dstaddr')"),
    **dict.fromkeys(("median", "percentile"), "vpcflow.quantile('bytes', 0.5)"),
    **dict.fromkeys(("column", "field", "c", "F"), "vpcflow.col('dstport')"),
    **dict.fromkeys(("find", "scan_findings", "detectors", "Detector"), "vpcflow.detect(flows)"),
    **dict.fromkeys(("collect",), "vpcflow.scan('logs/').collect()"),
    **dict.fromkeys(("group_by", "groupby", "filter", "select"), "vpcflow.scan('logs/').filter(...) and so on"),
}


def right_name(name: str, known: Sequence[str]) -> str:
    """Says what stands in the package for a name that it lacks; empty if nothing is like it."""
    if name in MODULE:
        return f"; write {MODULE[name]}"
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near else ""


def no_attribute(
    owner: object, name: str, right: Mapping[str, str], what: str, columns: Sequence[str] = ()
) -> AttributeError:
    """Makes the error of an attribute that does not exist, with the right call or the nearest name.

    ``what``: the owner in words. ``columns``: of results, names that users of pandas take for attributes.
    """
    if name.startswith("_"):  # of protocols of Python, pickle and notebooks; nobody writes it
        return AttributeError(f"{type(owner).__name__!r} object has no attribute {name!r}")
    hint = ""
    if name in right:
        hint = f"; {right[name]}" if right[name].startswith(_SENTENCES) else f"; write {right[name]}"
    elif name in columns:
        hint = f"; write result[{name!r}]"
    elif _core.find_field(name) is not None and not columns:
        hint = f"; write vf.col({name!r}) in filters, flows.select({name!r}) for its values"
    else:
        near = nearest(name, [known for known in dir(type(owner)) if not known.startswith("_")])
        hint = f"; did you mean {near!r}?" if near else ""
    return AttributeError(f"{what} has no attribute {name!r}{hint}")


class Unrun:
    """Errors for who takes a query for a frame; type checkers have their own."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            raise no_attribute(self, name, FLOWS, "a query")

        def __getitem__(self, item: object) -> NoReturn:
            raise ArgumentError(
                "a query has no columns and rows before it is run; write flows.collect()['bytes'], to choose columns "
                "flows.select('srcaddr', 'bytes'), records flows.filter(vf.col('dstport') == 22) or flows.head(10)"
            )

        def __iter__(self) -> NoReturn:
            raise ArgumentError("a query has no rows before it is run; write: for row in flows.collect()")

        def __len__(self) -> NoReturn:
            raise ArgumentError("a query has no length before it is run; write flows.count() or len(flows.collect())")

        def __bool__(self) -> bool:
            return True
