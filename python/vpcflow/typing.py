"""Types of arguments and values, for annotations in programs that use vpcflow.

>>> from vpcflow.typing import OnError
>>> import vpcflow as vf
>>> def rejects(path: str, on_error: OnError = "skip") -> int:
...     return vf.scan(path, on_error=on_error).agg(n=vf.count()).collect().report.rejected
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol, TypedDict, Union

# -- made by tools/generate_docs.py: names of the engine
#: ``bin_by=``: how a record that spans several time bins is counted.
BinBy = Literal["spread", "start"]
#: ``container=``: what records are wrapped in.
Container = Literal["auto", "text", "cloudwatch-export", "json", "csv", "subscription"]
#: ``duplicates=``: what becomes of a file with the bytes of an earlier one.
Duplicates = Literal["once", "all"]
#: The engine's kinds of errors, as in :attr:`vpcflow.Report.errors`.
ErrorKind = Literal[
    "format",
    "filter",
    "field",
    "missing-field",
    "plan",
    "reject",
    "source",
    "not-found",
    "damaged",
    "no-records",
    "state",
    "memory",
    "synth",
    "cancelled",
]
#: ``on_error=``: what a malformed line does.
OnError = Literal["skip", "raise", "null"]
#: Why a line is rejected, :func:`vpcflow.reject_reasons`.
RejectReason = Literal[
    "too-few-fields",
    "too-many-fields",
    "not-a-number",
    "out-of-range",
    "not-an-address",
    "control-byte",
    "line-too-long",
    "no-record",
]
#: Severities of findings, worst first.
Severity = Literal["high", "medium", "low"]
#: ``vantage=``: whose figures a session has that several interfaces saw.
Vantage = Literal["most", "client", "server", "all"]
#: Whether logs of a format can answer an analysis.
Verdict = Literal["exact", "degraded", "impossible"]
# -- made until here
#: What rules say of a packet; ``maybe``: what is known of the packet or of the rules does not decide it.
Permit = Literal["allow", "deny", "maybe"]
#: What :func:`vpcflow.synth` makes.
World = Literal["tame", "office", "faults", "costs"]
#: Types of the columns of a result, :attr:`vpcflow.Result.schema`.
ColumnType = Literal["int32", "int64", "int128", "float64", "bool", "time", "address", "text"]
#: Types of fields, :attr:`vpcflow.FieldInfo.column_type`.
FieldType = Literal["int32", "int64", "time", "address", "text"]
#: ``to_arrow(schema=)``: types of pyarrow, or those that Spark takes.
ArrowSchema = Literal["default", "spark"]

#: A length of time: seconds, ``"30s"``, ``"5m"`` or ``"5min"``, ``"1h30m"``, ``"1d"``, ``"1w"``, or a timedelta.
Duration = Union[int, str, datetime.timedelta]
#: A time: Unix seconds, ISO 8601 text or ``"-2h"``, or a datetime, UTC without zone, or a date, its midnight in UTC.
Instant = Union[int, str, datetime.datetime, datetime.date]
#: A number of bytes, or ``"512MB"``, ``"2GiB"``.
Size = Union[int, str]


class Progress(Protocol):
    """Called about 20 times a second with bytes read and in all, sources read and in all."""

    def __call__(self, read: int, total: int, sources: int, total_sources: int, /) -> object: ...


class SupportsRead(Protocol):
    """A binary file object, or a text file, of which the bytes below are read."""

    def read(self, size: int, /) -> Any: ...


class SupportsArrow(Protocol):
    """An Arrow table, frame, relation or reader: of pyarrow, pandas, polars, DuckDB, nanoarrow, vpcflow itself."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> object: ...


#: What :meth:`vpcflow.Flows.join` takes: a frame of pandas, polars or pyarrow, a result, or a mapping of lists.
Frame = Union[SupportsArrow, Mapping[str, Sequence[object]]]

_Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, SupportsRead]
#: What :func:`vpcflow.scan` reads.
Input = Union[_Source, SupportsArrow, Iterable[_Source]]


class AwsOptions(TypedDict, total=False):
    """``aws=``: how AWS is reached; whatever is not given comes from boto3's chain. See
    :class:`vpcflow.io.aws.Connection`."""

    profile: str | None
    role_arn: str | None
    external_id: str | None
    region: str | None
    endpoint_url: str | None
    no_sign_request: bool
    requester_pays: bool


class ScanKeywords(TypedDict, total=False):
    """The options of :func:`vpcflow.scan`, for functions that hand them on."""

    format: str | None
    container: Container
    start: Instant | None
    end: Instant | None
    account: str | Iterable[str] | None
    region: str | Iterable[str] | None
    flow_logs: str | Iterable[str] | None
    duplicates: Duplicates
    trust_statistics: bool
    on_error: OnError
    threads: int | None
    max_memory: Size | None
    max_output_bytes: Size | None
    allow_empty: bool
    allow_missing: bool
    aws: AwsOptions | None
