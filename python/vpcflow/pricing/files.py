"""Files of bills and price lists: CSV and JSON, packed or not, and Parquet."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from ..errors import PriceError, SourceError, SourceNotFoundError

_GZIP, _PARQUET, _ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"


@dataclasses.dataclass(frozen=True)
class Text:
    """A file of text, which may be packed."""

    path: Path
    #: The first characters.
    head: str

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def is_json(self) -> bool:
        return self.head.lstrip()[:1] in ("{", "[")

    def open(self) -> IO[str]:
        return io.TextIOWrapper(_unpacked(self.path), encoding="utf-8-sig", newline="")


@dataclasses.dataclass(frozen=True)
class Parquet:
    path: Path

    @property
    def name(self) -> str:
        return str(self.path)


def files_of(path: Path) -> list[Text | Parquet]:
    """Returns the files of a path: itself, or all in a folder whose names are those of data, sorted."""
    if path.is_dir():
        inner = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith((".", "_")))
        data = [p for p in inner if p.name.lower().endswith((".csv", ".csv.gz", ".parquet", ".json", ".json.gz"))]
        manifests = [p for p in data if "manifest" in p.name.lower()]
        data = [p for p in data if p not in manifests]
        if not data:
            raise SourceNotFoundError(
                f"{path}: no bill or price list in the folder; expected .csv, .csv.gz or .parquet"
            )
        return [_file(p) for p in data]
    if not path.exists():
        raise SourceNotFoundError(f"{path}: no such file; expected a bill or a price list")
    return [_file(path)]


def _file(path: Path) -> Text | Parquet:
    try:
        with open(path, "rb") as file:
            magic = file.read(4)
        if magic == _PARQUET:
            return Parquet(path)
        if magic == _ZIP:
            raise PriceError(f"{path}: a zip archive; unpack it, and give the file inside")
        with _unpacked(path) as file:
            head = file.read(4096)
        return Text(path, head.decode("utf-8-sig", "replace"))
    except (OSError, EOFError, zlib.error) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from None


def _unpacked(path: Path) -> IO[bytes]:
    with open(path, "rb") as file:
        packed = file.read(2) == _GZIP
    return gzip.open(path) if packed else open(path, "rb")  # type: ignore[return-value]


def text_rows(file: Text) -> tuple[list[str], Iterator[Mapping[str, Any]]]:
    """Returns the columns of a CSV and its rows; a row with another number of cells is an error that names it."""
    lines = _read(file)
    columns = next(lines, [])

    def rows() -> Iterator[Mapping[str, Any]]:
        for number, row in enumerate(lines, 2):
            if len(row) != len(columns) and row:
                raise PriceError(f"{file.name}: line {number}: {len(row)} cells; the header has {len(columns)}")
            if row:
                yield dict(zip(columns, row))

    return columns, rows()


def _read(file: Text) -> Iterator[list[str]]:
    try:
        with file.open() as text:
            yield from csv.reader(text)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{file.name}: cannot be read: {error}") from None


def parquet_rows(file: Parquet, wanted: Iterable[str]) -> tuple[list[str], Iterator[Mapping[str, Any]]]:
    """Returns those of the wanted columns that a Parquet file has, and its rows."""
    import pyarrow
    import pyarrow.parquet

    try:
        opened = pyarrow.parquet.ParquetFile(file.path)
    except (OSError, pyarrow.ArrowException) as error:
        raise SourceError(f"{file.name}: cannot be read: {error}") from None
    columns = list(opened.schema_arrow.names)
    known = set(wanted)
    own = [column for column in columns if column in known]

    def rows() -> Iterator[Mapping[str, Any]]:
        try:
            for batch in opened.iter_batches(1 << 15, columns=own):
                yield from batch.to_pylist()
        except (OSError, pyarrow.ArrowException) as error:
            raise SourceError(f"{file.name}: cannot be read: {error}") from None

    return own or columns, rows()


def json_of(file: Text) -> Any:
    """Returns the JSON of a file; :class:`~vpcflow.PriceError` if it is none."""
    try:
        with file.open() as text:
            return json.loads(text.read(), parse_float=Decimal)
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SourceError(f"{file.name}: cannot be read: {error}") from None
    except (ValueError, RecursionError) as error:
        raise PriceError(f"{file.name}: invalid JSON: {error}") from None
