"""Beginnings of queries: :func:`scan` over logs, :func:`query` without any."""

from __future__ import annotations

from collections.abc import Iterable

from .. import _core
from ..typing import AwsOptions, Container, Duplicates, Input, Instant, OnError, Size
from .flows import Flows
from .logs import Logs, open_logs


def scan(
    data: Input | None = None,
    *,
    format: str | None = None,
    container: Container = "auto",
    start: Instant | None = None,
    end: Instant | None = None,
    account: str | Iterable[str] | None = None,
    region: str | Iterable[str] | None = None,
    flow_logs: str | Iterable[str] | None = None,
    duplicates: Duplicates = "once",
    trust_statistics: bool = False,
    on_error: OnError = "skip",
    threads: int | None = None,
    max_memory: Size | None = None,
    max_output_bytes: Size | None = None,
    allow_empty: bool = False,
    allow_missing: bool = False,
    aws: AwsOptions | None = None,
) -> Flows:
    """Makes a lazy query over flow logs.

    ``data``: a path, folder (recursive) or pattern (``logs/**/*.log.gz``), in S3, too (``s3://bucket/prefix/``); bytes;
    a binary file object; an iterable of lines or of paths; Parquet files (with pyarrow) among them; anything with
    ``__arrow_c_stream__`` whose columns are named as fields are; a table or scan of pyiceberg; or a list of those.
    ``"-"`` is standard input. Gzip and zstd are found by content.

    Of a folder, files of unknown names are read if their beginning holds records. ``report.warnings`` counts the files
    left out: objects of other services by AWS's paths, hidden files, manifests, ...

    File objects that can be moved (``seekable()``) are read from the position that they have now, by each query again;
    where they stand afterwards is not defined. Text files are read as the bytes below them. Everything else that can be
    read only once (standard input, pipes, sockets, iterators of lines) is read by one query; a second one is a
    :class:`~vpcflow.SourceError`. Looking (``format``, ``columns``, ``explain``) is no reading.

    ``format``: the format of logs without header line: ``"${srcaddr} ${bytes}"``, plain names, ``"default"``, ``"tgw"``
    or ``"v5"``; a header line always wins. Without both, AWS's default if the lines fit it; else the one of AWS's
    formats that alone fits them, with a warning that shows the evidence; else an error with the candidates.

    ``container``: the wrapping of the records, one of :func:`vpcflow.containers`; by default found by content.

    ``start``, ``end``: only records that start in [start, end): Unix seconds, a :class:`datetime.datetime`, or text,
    as ``"2026-11-23T06:00:00Z"``, ``"2026-11-23"``, or ``"-2h"``, two hours ago (``s``, ``m``, ``h``, ``d``, ``w``);
    times without zone are UTC. Objects whose path in S3 (AWS's file names; folders by day, by hour, Hive's, Security
    Lake's or Firehose's) says that they hold none of these are not opened. 21 minutes are allowed for long windows and
    late delivery; where somebody else than flow logs names the folders, by arrival or in another time zone, two days
    before and one after.

    ``account``, ``region``: only objects of these accounts and regions, as their paths say; one, or several. An object
    whose path does not name them is read, with a :class:`~vpcflow.DataQualityWarning`.

    ``flow_logs``: only objects of these flow logs, as their names say. Without ``data`` AWS is asked where they deliver
    to, and in which format: ``scan(flow_logs="fl-0123456789abcdef0")``.

    ``duplicates``: ``"once"`` reads files with the same bytes once and says so in the report; ``"all"`` reads them all.

    ``trust_statistics``: row groups of Parquet whose least and greatest values say that no record passes the filter are
    believed. By default the columns of the filter are read of them, and the others too where the values say otherwise.

    ``on_error``: ``"skip"`` counts malformed lines and keeps the first 1,000 in the report; ``"raise"`` raises
    :class:`~vpcflow.ParseError` at the first; ``"null"`` reads malformed values as null.

    ``threads``: worker threads, by default one per processor.

    ``max_memory``: bytes that groups and selected rows may take, as a number or ``"512MB"``, ``"2GiB"``; beyond it
    :class:`~vpcflow.OutOfMemoryError`. By default there is no limit.

    ``max_output_bytes``: bytes that one packed source may unpack to; one with more is a :class:`~vpcflow.SourceError`
    after the records before. By default there is no limit, and no need of one for memory.

    ``allow_empty``: an input without records, or without any in the time asked for, gives an empty result instead of
    :class:`~vpcflow.NoRecordsError`. A filter that no record passes gives one in any case.

    ``allow_missing``: fields that the logs lack are null instead of :class:`~vpcflow.FieldError`.

    ``aws``: how AWS is reached, where the AWS command line would need options, too: ``{"profile": "audit"}``, or
    ``role_arn`` with ``external_id``, ``region``, ``endpoint_url``, ``no_sign_request``, ``requester_pays``. Needs
    ``pip install 'vpcflow[aws]'``.

    >>> import vpcflow as vf
    >>> log = b"srcaddr dstport bytes\\n10.0.0.1 22 40\\n10.0.0.1 443 960\\n"
    >>> vf.scan(log).group_by("srcaddr").agg(bytes=vf.sum("bytes")).collect().rows()
    [{'srcaddr': '10.0.0.1', 'bytes': 1000}]
    """
    logs = open_logs(
        data,
        format=format,
        container=container,
        start=start,
        end=end,
        account=account,
        region=region,
        flow_logs=flow_logs,
        duplicates=duplicates,
        trust_statistics=trust_statistics,
        on_error=on_error,
        threads=threads,
        max_memory=max_memory,
        max_output_bytes=max_output_bytes,
        allow_empty=allow_empty,
        allow_missing=allow_missing,
        aws=aws,
    )
    return flows_over(logs)


def flows_over(logs: Logs) -> Flows:
    """Makes the query of opened logs."""
    return Flows(logs, logs.spec)._filtered(logs.filters)


def query(*, allow_missing: bool = False) -> Flows:
    """Makes a query without data, a :class:`~vpcflow.Flows` as that of :func:`scan`: filters, groups and so on.
    :meth:`~vpcflow.Flows.bind` gives it data, and :class:`~vpcflow.Aggregation` takes it as it is.

    ``allow_missing``: fields that the logs lack are null instead of :class:`~vpcflow.FieldError`.

    >>> import vpcflow as vf
    >>> talkers = vf.query().group_by("srcaddr").agg(bytes=vf.sum("bytes")).top_k(1, by="bytes")
    >>> talkers.bind(b"srcaddr bytes\\n10.0.0.1 40\\n10.0.0.2 2\\n").collect().rows()
    [{'srcaddr': '10.0.0.1', 'bytes': 40}]
    """
    return Flows(None, _core.PlanSpec(allow_missing=allow_missing))
