"""Flow logs on a Spark cluster. Needs ``pyspark`` 3.5 or later with pyarrow; vpcflow must be installed on the workers,
which must see the files under the same paths.

>>> import vpcflow.spark                                                                       # doctest: +SKIP
>>> question = vf.Aggregation(by="srcaddr", bytes=vf.sum("bytes"))                             # doctest: +SKIP
>>> vpcflow.spark.aggregate(spark, "/mnt/logs", question).collect()                            # doctest: +SKIP
>>> vpcflow.spark.records(spark, "/mnt/logs", "srcaddr", "bytes").groupBy("srcaddr").sum()     # doctest: +SKIP
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .. import _core
from ..errors import ArgumentError
from ..query.aggregation import Aggregation
from ..query.flows import Flows
from ..query.scan import scan
from ..typing import Input, ScanKeywords
from .processes import Part, aggregate_part, empty_question, merge_parts, paths_of

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession
    from typing_extensions import Unpack


def _numbered(data: Any, column: str, options: ScanKeywords) -> tuple[list[tuple[int, str]], _core.Report]:
    if hasattr(data, "select") and hasattr(data, "sparkSession"):
        data = [row[0] for row in data.select(column).collect()]
    numbered, extra = paths_of(data, options)
    return [(number, str(path)) for number, path in numbered], extra


def aggregate(
    spark: SparkSession, data: Input | DataFrame, question: Aggregation, *, partitions: int = 16, column: str = "path",
    **options: Unpack[ScanKeywords],
) -> Aggregation:  # fmt: skip
    """Aggregates files on Spark: the same bytes as ``question.update(data)``.

    ``data``: paths, folders, patterns, or a DataFrame with the paths in ``column``. Each worker sends one state for its
    partition to the driver, which merges them. ``options``: of :func:`vpcflow.scan`. Errors as of
    :meth:`vpcflow.Aggregation.update`.
    """
    numbered, extra = _numbered(data, column, options)
    empty = empty_question(question)
    own: ScanKeywords = {"threads": 1, **options}

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import pyarrow

        for batch in batches:
            for row in batch.to_pylist():
                state, report = aggregate_part(empty, (row["number"], [row["path"]]), own)
                yield pyarrow.RecordBatch.from_pydict({"state": [state], "report": [pickle.dumps(report)]})

    frame = spark.createDataFrame(numbered, "number long, path string").repartition(min(partitions, len(numbered)))
    rows = frame.mapInArrow(run, "state binary, report binary").collect()
    parts: Iterable[Part] = ((bytes(row["state"]), pickle.loads(row["report"])) for row in rows)
    return merge_parts(question, parts, extra, options)


def records(
    spark: SparkSession, data: Input | DataFrame, *fields: str, where: str | None = None, column: str = "path",
    **options: Unpack[ScanKeywords],
) -> DataFrame:  # fmt: skip
    """Returns the records of files as a Spark DataFrame; workers read them when Spark needs them.

    ``data``: as for :func:`aggregate`. ``fields``: the columns; they are read and nothing else. ``where``: a filter in
    vpcflow's language, applied while reading. Types are those of ``Result.to_arrow(schema="spark")``; fields that a log
    lacks are null. Rejects are left out, as ``on_error="skip"`` does, without a word; :func:`aggregate` has a report.
    """
    if not fields:
        raise ArgumentError("records: name the fields; they are the columns of the DataFrame")
    numbered, _ = _numbered(data, column, options)
    # Of one path nothing can be concluded: Spark has the others.
    own: ScanKeywords = {"threads": 1, **options, "allow_empty": True, "allow_missing": True}

    def query(path: str | bytes) -> Flows:
        flows = scan(path, **own)
        return (flows.filter(where) if where else flows).select(*fields)

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import warnings

        for batch in batches:
            for path in batch.column("path").to_pylist():
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    for part in query(path).batches():
                        yield from part.to_arrow(schema="spark").to_batches()

    schema = _spark_schema(query(b"").collect().to_arrow(schema="spark"))
    frame = spark.createDataFrame(numbered, "number long, path string").repartition(len(numbered))
    return frame.mapInArrow(run, schema)


def _spark_schema(table: pa.Table) -> str:
    names = {"string": "string", "int64": "long", "int32": "int", "timestamp[us, tz=UTC]": "timestamp"}
    return ", ".join(f"`{field.name}` {names[str(field.type)]}" for field in table.schema)
