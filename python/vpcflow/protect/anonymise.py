"""Flow logs that can be handed over: addresses, accounts, ids and names under a key."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import os
from collections.abc import Iterable, Iterator
from typing import IO, Any

from .. import _core
from .._words import count
from ..errors import OutputError, PlanError
from ..formats.catalogue import fields
from ..io.saving import KINDS, write_batches
from ..io.writing import Writing
from ..query.flows import Flows
from ..query.report import Report
from .addresses import AddressMap
from .keyfile import KEY_BYTES, read_key
from .tokens import Tokens

SCHEMA_VERSION = 1  # of what was written as JSON, docs/reference/schemas.md
_BATCH_ROWS = 1 << 17
#: Kinds of output, by endings; every other ending is a flow log as text. ``.gz`` behind them packs.
_ENDINGS = {f".{kind}": kind for kind in KINDS}
_NOT_WRITTEN = (".json", ".ndjson", ".tsv", ".xlsx", ".feather", ".zst", ".zstd", ".bz2", ".xz", ".zip", ".age")


@dataclasses.dataclass(frozen=True)
class Anonymised:
    """What :func:`anonymise` wrote."""

    #: Records written.
    records: int
    #: The report of what was read.
    report: Report
    #: Fields that are in no catalogue; their values became tokens, their names ``masked1``, ...
    unknown_fields: tuple[str, ...]
    #: By field: how many different values were none of the words that the field may have; they became tokens.
    unknown_words: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Returns its counts, and the masked fields, as plain values."""
        return {
            "schema_version": SCHEMA_VERSION,
            "records": self.records,
            "rejected": self.report.rejected,
            "unknown_fields": list(self.unknown_fields),
            "unknown_words": self.unknown_words,
        }

    @property
    def notes(self) -> list[str]:
        """What was left out or masked, in words."""
        out = []
        if self.report.rejected:
            out.append(f"{count(self.report.rejected, 'line')} rejected and left out")
        if self.unknown_fields:
            out.append(f"{count(len(self.unknown_fields), 'unknown field')} masked")
        if self.unknown_words:
            words = count(sum(self.unknown_words.values()), "unknown word")
            out.append(f"{words} masked in {', '.join(self.unknown_words)}")
        return out

    def __str__(self) -> str:
        return "; ".join([count(self.records, "record"), *self.notes])


class Anonymiser:
    """Maps tables of records under a key. The same values have the same images in all tables, files and runs.

    ``key``: 32 bytes, or a file (:func:`~vpcflow.protect.read_key`); ``mode``: of addresses, see
    :class:`~vpcflow.protect.AddressMap`. Not for several threads at once.
    """

    def __init__(self, key: bytes | str | os.PathLike[str], mode: str = "prefix") -> None:
        own = key if isinstance(key, bytes) and len(key) == KEY_BYTES else read_key(os.fsdecode(key))
        self.addresses, self.tokens = AddressMap(own, mode), Tokens(own)
        self.unknown_fields: list[str] = []
        self._names = {field.column: field.name for field in fields()}

    def table(self, table: _core.Table) -> _core.Table:
        """Returns the table with the images of its values. Raises :class:`~vpcflow.PlanError` for a column of numbers
        that is no field, as it may hold anything."""
        state: Any = table.__reduce__()[1]
        rows, columns = state
        return _core.Table(rows, [self._column(*column) for column in columns])

    def _column(self, name: str, kind: str, numbers: bytes, values: list[bytes]) -> tuple[str, str, bytes, list[bytes]]:
        field = self._names.get(name)
        if kind == "address":
            values = [self.addresses.images(b"".join(values))]
        elif kind == "text":
            texts = [value.decode("utf-8", "surrogateescape") for value in values]
            values = [token.encode("utf-8", "surrogateescape") for token in self.tokens.of(field or "", texts)]
        elif field is None:
            raise PlanError(f"anonymise: {name} is no field of flow logs; select fields alone")
        if field is None:
            if name not in self.unknown_fields:
                self.unknown_fields.append(name)
            name = f"masked{self.unknown_fields.index(name) + 1}"
        return name, kind, numbers, values

    def map(self, value: str, field: str = "srcaddr") -> str:
        """Returns the image of one value of a field, by AWS's name."""
        if any(one.name == field and one.column_type == "address" for one in fields()):
            return self.addresses.map(value)
        return self.tokens.of(field, [value])[0]


def anonymise(
    flows: Flows, path: str | os.PathLike[str], key: bytes | str | os.PathLike[str], *, mode: str = "prefix"
) -> Anonymised:
    """Writes records to a file with their addresses, accounts, ids and names mapped under a key.

    ``path``: a flow log as text, or by its ending ``.csv``, ``.jsonl``, ``.arrow`` or ``.parquet`` (with pyarrow);
    ``.gz`` behind it packs text, CSV and JSON lines. ``key``: 32 bytes, or a file that holds them. ``mode``:
    ``prefix``, ``cryptopan``, or ``truncate=BITS``; see :class:`~vpcflow.protect.AddressMap`.

    Only what the catalogue of fields knows is passed on: numbers, times, words such as ACCEPT. All other texts become
    keyed tokens in their shape (12 digits, ``eni-...``); values and names of unknown fields are masked. Lines that are
    no records are left out and counted. Times, ports and sizes stay: who knows some of the traffic can find it again.

    Of damaged sources what could be read is written, and the error raised. :class:`~vpcflow.PlanError` for groupings
    and another mode, :class:`~vpcflow.ProtectionError` for what is no key, :class:`~vpcflow.OutputError` for an output
    that cannot be written, or that is one of the inputs. Needs ``pip install 'vpcflow[protect]'``.

    >>> import tempfile, vpcflow as vf
    >>> path = f"{tempfile.mkdtemp()}/shared.log"
    >>> print(vf.anonymise(vf.scan(b"srcaddr dstaddr bytes\\n10.0.0.1 10.0.0.2 40\\n"), path, bytes(range(32))))
    1 record
    >>> vf.scan(path).collect().rows()
    [{'srcaddr': '10.35.191.210', 'dstaddr': '10.35.191.208', 'bytes': 40}]
    """
    if not flows._streams:
        raise PlanError("anonymise: it takes records; groupings, sessions, sort and tail have no records")
    name = os.fspath(path)
    kind, packed = _kind_of(name)
    anonymiser = Anonymiser(key, mode)
    _check_place(name, flows)
    with Writing(path) as target, _packing(target.file, packed) as file:
        written = write_batches(file, kind, _mapped(flows._batches(_BATCH_ROWS), anonymiser))
        assert written.report is not None  # there is always a batch
        words = {field: len(values) for field, values in sorted(anonymiser.tokens.masked.items())}
        done = Anonymised(written.rows, written.report, tuple(anonymiser.unknown_fields), words)
    if written.error is not None:
        written.error.partial = done
        raise written.error
    return done


def _mapped(batches: Iterable[Any], anonymiser: Anonymiser) -> Iterator[Any]:
    for batch in batches:
        yield _Batch(anonymiser.table(batch._table), batch.report)


@dataclasses.dataclass
class _Batch:
    _table: _core.Table
    report: Report


def _kind_of(name: str) -> tuple[str, bool]:
    packed = name.lower().endswith(".gz")
    ending = os.path.splitext(name[:-3] if packed else name)[1].lower()
    if ending in _NOT_WRITTEN:
        how = "; for .age write to - and pipe it to age" if ending == ".age" else ""
        raise OutputError(
            f"{name}: {ending} is not written; allowed are .log, .csv and .jsonl, with .gz or without, .arrow, "
            f".parquet{how}"
        )
    kind = _ENDINGS.get(ending, "log")
    if packed and kind in ("arrow", "parquet"):
        raise OutputError(f"{name}: {kind} is packed by itself; leave .gz out")
    return kind, packed


@contextlib.contextmanager
def _packing(file: IO[bytes], packed: bool) -> Iterator[IO[bytes]]:
    if not packed:
        yield file
        return
    # Without name and time: the same records give the same bytes, and no name of a file is told.
    with gzip.GzipFile("", "wb", 6, file, mtime=0) as out:
        yield out  # type: ignore[misc]


def _check_place(name: str, flows: Flows) -> None:
    """Raises the error of an output that is one of the inputs, under whatever name."""
    for source in flows._sources:
        if source.is_path and same_file(name, source.name):
            raise OutputError(f"{name}: it is read as well; the output needs another name")


def same_file(a: str, b: str) -> bool:
    """Tells whether two names lead to one file."""
    try:
        return os.path.samefile(a, b)
    except OSError:  # one of them is not there
        return False
