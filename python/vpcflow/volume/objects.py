"""The objects of a run: sorted Parquet files, staged in a lake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._hints import hint
from .._units import byte_count
from ..errors import PlanError, VpcflowError
from ..io.writing import cannot_write
from ..typing import Size
from .hashing import Hasher
from .hours import LAYOUTS, SORTED_BY, Key, Spill, in_order, split, write_parquet
from .lake import Lake, sha256_of
from .reading import times_of

if TYPE_CHECKING:
    import pyarrow as pa

#: Bytes of memory that a record takes while it is held, sorted and written, about.
RECORD_BYTES = 400
_MEMORY = 2 << 30
_LEAST_ROWS = 1 << 12


def rows_in(max_memory: Size | None) -> int:
    """Returns how many records may be held in so much memory, 2 GB by default."""
    return max(_LEAST_ROWS, (byte_count("max_memory", max_memory) if max_memory else _MEMORY) // RECORD_BYTES)


def check_layout(layout: str) -> None:
    """Raises :class:`~vpcflow.PlanError` for a layout that there is not."""
    if layout not in LAYOUTS:
        raise PlanError(f"layout={layout!r}: {hint(layout, LAYOUTS)}")


def run_name(number: int, known: Sequence[object]) -> str:
    """Returns the name of the run with a number, of what is known of its sources: the same for the same."""
    return f"{number:06d}-{hashlib.sha256(json.dumps(known).encode()).hexdigest()[:12]}"


class Objects:
    """Takes records, and writes them to files by hour, account, region and format. ``rows``: how many are held."""

    def __init__(self, lake: Lake, layout: str, rows: int, run: str, hasher: Hasher) -> None:
        self._lake, self._layout, self._run, self._hasher = lake, layout, run, hasher
        self._spill = Spill(lake.staged("../spill"), rows)
        self.rows: list[dict[str, Any]] = []

    def add(self, table: pa.Table, account: str | None, region: str | None) -> None:
        """Takes records; ``account`` and ``region`` are those of records that do not tell."""
        try:
            for key, part in split(table, account, region):
                for full, whole in self._spill.add(key, part):
                    self._write(full, whole)
        except OSError as error:
            raise self._failed(error) from None

    def finish(self) -> list[dict[str, Any]]:
        """Writes what is held, and returns the manifest's rows of all objects."""
        try:
            for key, table in self._spill.rest():
                self._write(key, table)
        except OSError as error:
            raise self._failed(error) from None
        return self.rows

    def _failed(self, error: OSError) -> OSError:
        return error if isinstance(error, VpcflowError) else cannot_write(self._lake.folder, error)

    def _write(self, key: Key, table: pa.Table) -> None:
        folder = key.folder(self._layout)
        number = sum(row["path"].rpartition("/")[0] == folder for row in self.rows)
        path = f"{folder}/vpcflow-{self._run}-{number}.parquet"
        place = self._lake.staged(path)
        first, last = times_of(table)
        sorted_by = [name for name in SORTED_BY if name in table.schema.names]
        format = " ".join(table.schema.names)
        write_parquet(in_order(table), place, {"vpcflow.format": format, "vpcflow.sorted_by": " ".join(sorted_by)})
        sha256, size = sha256_of(place)
        self.rows.append({
            "kind": "object", "path": path, "size": size, "sha256": sha256, "format": format, "records": len(table),
            "rows_digest": f"{self._hasher.digest(table):032x}", "min_start": first, "max_end": last,
            "account": key.account, "region": key.region, "sorted_by": sorted_by,
        })  # fmt: skip
