"""Ways out of a query: frames and files."""

from __future__ import annotations

import abc
import importlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import VpcflowError
from ..io.frames import stream_of
from ..io.saving import write_batches
from ..io.writing import Writing
from ..typing import Progress
from .report import Report
from .result import Result, warn_of

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from ..cost.cost import Cost
    from ..inventory.inventory import Inventory
    from ..io.duckdb import Answer
    from ..pricing.sheet import Sheet


class Outputs(abc.ABC):
    """What a query gives to others: data frames, Arrow, files. The base of :class:`~vpcflow.Flows`."""

    @property
    @abc.abstractmethod
    def _streams(self) -> bool:
        """Whether batches give the whole result."""

    @abc.abstractmethod
    def collect(self, *, progress: Progress | bool | None = None) -> Result:
        """Runs the query."""

    @abc.abstractmethod
    def _batches(self, rows: int) -> Iterator[Result]:
        """Yields the result in parts of so many rows."""

    def to_pandas(self, *, categories: bool = False) -> pd.DataFrame:
        """Returns ``collect().to_pandas()``."""
        return self.collect().to_pandas(categories=categories)

    def to_polars(self, *, categories: bool = False) -> pl.DataFrame:
        """Returns ``collect().to_polars()``."""
        return self.collect().to_polars(categories=categories)

    def to_arrow(self) -> pa.Table:
        """Returns ``collect().to_arrow()``."""
        return self.collect().to_arrow()

    def cost(
        self, inventory: Inventory | str | os.PathLike[str], prices: Sheet | str | os.PathLike[str] | None = None,
        by: str | Sequence[str] = "class", **options: Any,
    ) -> Cost:
        """Prices the traffic: bytes and cost by the way that they took, as AWS charges it.

        ``inventory``: of :func:`vpcflow.inventory`, or its folder; ``prices``: a sheet of :func:`vpcflow.prices`, or
        its file, else public list prices. ``by``: ``class``, and any of ``owner``, ``day``, ``hour``, ``service``,
        ``priced_as``, and fields of the logs. Options: ``owner_tag`` (``"team"``): the tag of the inventory that names
        the owner of bytes where the logs have no tags; ``ranges``: AWS's ip-ranges.json, by default that of the
        inventory's folder; ``effective``: a sheet of what you pay, of a bill; ``month_to_date``: GB that the payer used
        this month before, by class of the sheet, for tiers.

        No byte is counted twice: where both ends are logged it is counted at the sender, what a NAT gateway carries at
        its inside leg. Bytes are those of IP packets, which may differ from what AWS meters. Two passes over the logs,
        three by owner with NAT gateways; memory grows with the groups. Raises :class:`~vpcflow.FieldError` for a key
        that is no field, :class:`~vpcflow.SourceError` for a folder that is no inventory.
        """
        # It comes from a package that stands behind this one.
        found: Cost = importlib.import_module("vpcflow.cost").cost_of(self, inventory, prices, by, **options)
        return found

    def sql(self, text: str) -> duckdb.DuckDBPyRelation:
        """Runs a query of DuckDB's SQL and returns its rows as a relation of DuckDB, which has ``fetchall()``,
        ``df()``, ``pl()``, ``to_arrow_table()``. Needs duckdb and pyarrow: ``pip install 'vpcflow[duckdb]'``.

        Tables: ``flows``, the records, of which only the columns that the query names are parsed, and conditions are
        applied while reading; ``sessions``, of :meth:`~vpcflow.Flows.sessions`; ``findings``, of
        :func:`vpcflow.detect`, with ``evidence`` as JSON. Addresses and texts are strings, times have the zone UTC.
        Each query reads the logs anew.

        :class:`~vpcflow.PlanError` with DuckDB's words for a query that cannot be run; for damaged sources errors as
        :meth:`~vpcflow.Flows.collect`, with the rows before the damage as ``partial``.

        >>> import vpcflow as vf
        >>> flows = vf.scan(b"srcaddr dstport bytes\\n10.0.0.1 443 40\\n10.0.0.2 22 2\\n")
        >>> flows.sql("select srcaddr, sum(bytes) as n from flows where dstport = 443 group by srcaddr").fetchall()
        [('10.0.0.1', 40)]
        """
        # Its tables come from packages that stand behind this one.
        found: Answer = importlib.import_module("vpcflow.analyze.sql").sql(self, text)
        if found.error is not None:
            found.error.partial = found.rows
            raise found.error
        if found.report is not None:
            warn_of(found.report, stacklevel=3)
        return found.rows

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return stream_of(self.collect()._table, requested_schema)

    def sink_parquet(self, path: str | os.PathLike[str]) -> Report:
        """Writes the result to a Parquet file and returns the report of the scan; records in bounded memory.
        Addresses and texts are strings. Needs pyarrow.

        The file is there whole or not at all, but for damaged sources: then it holds what could be read, and the error
        is raised. :class:`~vpcflow.OutputError` for what cannot be written.

        >>> import tempfile, vpcflow as vf
        >>> path = f"{tempfile.mkdtemp()}/flows.parquet"
        >>> report = vf.scan(b"srcaddr bytes\\n10.0.0.1 40\\n").sink_parquet(path)
        >>> vf.scan(path).collect().rows()
        [{'srcaddr': '10.0.0.1', 'bytes': 40}]
        """
        return self._sink(path, "parquet")

    def sink_csv(self, path: str | os.PathLike[str], *, safe: bool = True) -> Report:
        """Writes the result to a CSV file as :meth:`sink_parquet` does; ``safe`` as in
        :meth:`vpcflow.Result.to_csv`."""
        return self._sink(path, "csv", safe)

    def sink_ndjson(self, path: str | os.PathLike[str]) -> Report:
        """Writes the result to a file of JSON objects, one a line, as :meth:`sink_parquet` does."""
        return self._sink(path, "jsonl")

    def _sink(self, path: str | os.PathLike[str], kind: str, safe: bool = True) -> Report:
        with Writing(path) as target:
            written = write_batches(target.file, kind, self._parts(), safe_csv=safe)
            if written.error is not None:
                target.keep()
                raise written.error
        assert written.report is not None  # there is always a batch
        return written.report

    def _parts(self) -> Iterator[Result]:
        """The whole result, in parts if it can be had so; of damaged sources what could be read before the error."""
        if self._streams:
            yield from self._batches(65536)
            return
        try:
            yield self.collect()
        except VpcflowError as error:
            if isinstance(error.partial, Result):
                yield error.partial
            raise
