"""SQL over flow logs: the tables that :meth:`vpcflow.Flows.sql` and ``vpcflow sql`` offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..detect.detect import detect
from ..findings.arrow import arrow_table
from ..query.flows import Flows
from ..query.report import Report
from ..query.scan import query

if TYPE_CHECKING:
    import pyarrow as pa

    from ..io.duckdb import Answer

#: The tables, and what they hold.
TABLES = {
    "flows": "the records, with the logs' fields as columns",
    "sessions": "conversations, as `vpcflow sessions` shows them",
    "findings": "findings of the detectors, as `vpcflow detect --json` shows them; evidence is JSON",
}


def sql(flows: Flows, text: str) -> Answer:
    """Runs a query over the tables :data:`TABLES`. Needs duckdb and pyarrow.

    Of ``flows`` only the columns that the query uses are parsed, and comparisons with numbers, texts, times and
    addresses are applied while reading. ``sessions`` and ``findings`` are made if the query names them. Errors:
    :class:`~vpcflow.PlanError` with DuckDB's words for a query that cannot be run.
    """
    from ..io.duckdb import Made, answer

    flows._no_grouping("sql")
    sessions = query(allow_missing=True).sessions().bind(b"srcaddr dstaddr start end\n", allow_empty=True).collect()
    made = {
        "sessions": Made(_plain(sessions.to_arrow().schema), lambda: _sessions(flows)),
        "findings": Made(arrow_table([]).schema, lambda: _findings(flows)),
    }
    return answer(flows, text, made)


def _plain(schema: pa.Schema) -> pa.Schema:
    """Replaces dictionaries by strings."""
    import pyarrow

    texts = pyarrow.string()
    return pyarrow.schema([f.with_type(texts) if pyarrow.types.is_dictionary(f.type) else f for f in schema])


def _sessions(flows: Flows) -> tuple[pa.Table, Report]:
    result = flows.sessions().collect()
    return result.to_arrow(), result.report


def _findings(flows: Flows) -> tuple[pa.Table, Report]:
    found = detect(flows, samples=0)
    return arrow_table(found), found.report
