"""Findings as an Arrow table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .finding import Finding

if TYPE_CHECKING:
    import pyarrow as pa

_NESTED = ("evidence", "coverage", "samples")  # whose keys differ from finding to finding


def arrow_table(findings: Iterable[Finding]) -> pa.Table:
    """Returns the table of :meth:`vpcflow.Findings.to_arrow`."""
    import pyarrow

    text, number, time = pyarrow.string(), pyarrow.float64(), pyarrow.timestamp("us", "UTC")
    kinds: dict[str, Any] = {
        "severity": text, "confidence": number, "detector": text, "technique": text, "actor": text,
        "targets": pyarrow.list_(text), "start": time, "end": time, "score": number, "sentence": text, "key": text,
        **dict.fromkeys(_NESTED, text),
    }  # fmt: skip
    rows = []
    for finding in findings:
        row = {**finding.as_dict(), "key": finding.key}
        row.update({name: json.dumps(row[name]) for name in _NESTED})
        row.update({name: row[name] * 1_000_000 for name in ("start", "end")})
        rows.append({name: row[name] for name in kinds})
    return pyarrow.Table.from_pylist(rows, schema=pyarrow.schema(kinds))
