"""The objects of a run: sorted Parquet files, staged in a lake."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from .._hints import hint
from .._units import byte_count
from ..errors import PlanError, VpcflowError
from ..io.writing import cannot_write
from ..typing import Size
from .hashing import Hasher, together
from .hours import LAYOUTS, SORTED_BY, SPANS, Key, Spill, Writer, in_order, split
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


def run_name(number: int, known: Sequence[object]) -> str:
    """Returns the name of the run with a number, of what is known of its sources: the same for the same."""
    return f"{number:06d}-{hashlib.sha256(json.dumps(known).encode()).hexdigest()[:12]}"


@dataclasses.dataclass(frozen=True)
class Places:
    """Where objects are: ``layout`` ``hive`` or ``plain``, ``by`` the ``day`` or the ``hour``."""

    layout: str = "hive"
    by: str = "day"

    def __post_init__(self) -> None:
        for name, value, known in (("layout", self.layout, LAYOUTS), ("by", self.by, SPANS)):
            if value not in known:
                raise PlanError(f"{name}={value!r}: {hint(value, known)}")


class Objects:
    """Takes records, and writes them to files by account, region, format and day or hour; within a file hour by hour,
    each sorted. ``rows``: how many are held."""

    def __init__(self, lake: Lake, places: Places, rows: int, run: str, hasher: Hasher) -> None:
        self._lake, self._places, self._run, self._hasher = lake, places, run, hasher
        self._spill = Spill(lake.staged("../spill"), rows)
        self.rows: list[dict[str, Any]] = []

    def add(self, table: pa.Table, account: str | None, region: str | None) -> None:
        """Takes records; ``account`` and ``region`` are those of records that do not tell."""
        try:
            for key, part in split(table, account, region):
                for full, whole in self._spill.add(key, part):
                    self._write([(full, whole)])
        except OSError as error:
            raise self._failed(error) from None

    def finish(self) -> list[dict[str, Any]]:
        """Writes what is held, and returns the manifest's rows of all objects."""
        try:
            for _, hours in itertools.groupby(self._spill.rest(), key=lambda one: self._file_of(one[0])):
                self._write(hours)
        except OSError as error:
            raise self._failed(error) from None
        return self.rows

    def _file_of(self, key: Key) -> tuple[Any, ...]:
        return key.columns, key.folder(self._places.layout, self._places.by)

    def _failed(self, error: OSError) -> OSError:
        return error if isinstance(error, VpcflowError) else cannot_write(self._lake.folder, error)

    def _write(self, hours: Iterable[tuple[Key, pa.Table]]) -> None:
        """Writes the records of hours to one file."""
        writer = None
        digests: list[int] = []
        times: list[int] = []
        for key, table in hours:
            if writer is None:
                _, folder = self._file_of(key)
                number = sum(row["path"].rpartition("/")[0] == folder for row in self.rows)
                path, columns = f"{folder}/vpcflow-{self._run}-{number}.parquet", table.schema.names
                place, first = self._lake.staged(path), key
                sorted_by = [name for name in SORTED_BY if name in columns]
                about = {"vpcflow.format": " ".join(columns), "vpcflow.sorted_by": " ".join(sorted_by)}
                writer = Writer(place, table.schema, about)
                records = 0
            writer.write(in_order(table))
            records += len(table)
            digests.append(self._hasher.digest(table))
            times += [time for time in times_of(table) if time is not None]
        assert writer is not None  # there is always an hour
        writer.close()
        sha256, size = sha256_of(place)
        self.rows.append({
            "kind": "object", "path": path, "size": size, "sha256": sha256, "format": " ".join(columns),
            "records": records, "rows_digest": f"{together(digests):032x}", "min_start": min(times, default=None),
            "max_end": max(times, default=None), "account": first.account, "region": first.region,
            "sorted_by": sorted_by,
        })  # fmt: skip
