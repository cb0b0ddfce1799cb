"""Tables of labels for prefixes and addresses."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Union

from .. import _core
from ..errors import ArgumentError, PlanError, SourceError, SourceNotFoundError

Path = Union[str, "os.PathLike[str]"]


class Labels:
    """A table of labels; made by the functions of this module. Never changed; any number of threads may use it."""

    def __init__(self, what: str) -> None:
        self._core = _core.Labels()
        self._what = what

    def __len__(self) -> int:
        return len(self._core)

    def __repr__(self) -> str:
        return f"<Labels: {len(self):,} of {self._what}>"

    def done(self) -> Labels:
        """Ends the filling of the table."""
        self._core.freeze()
        return self


@contextlib.contextmanager
def reading(path: Path) -> Iterator[str]:
    """Turns errors of reading a file of labels into :class:`~vpcflow.SourceError`, and into
    :class:`~vpcflow.ArgumentError` for anything but a path. Yields its name."""
    if not isinstance(path, (str, os.PathLike)):
        raise ArgumentError(f"labels: a path is needed, not {path!r:.100}")
    name = os.fspath(path)
    try:
        yield name
    except FileNotFoundError:
        raise SourceNotFoundError(f"labels: no such file: {name}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"labels: {name}: {getattr(error, 'strerror', None) or 'no UTF-8 text'}") from None


def prefixes(table: Mapping[str, str] | Path) -> Labels:
    """Labels prefixes and addresses, out of a mapping, or a CSV file with the prefix in the first column and the label
    in the second. For address fields. :class:`~vpcflow.PlanError` names the first text that is no prefix."""
    out = Labels("prefixes")
    if isinstance(table, Mapping):
        rows: Iterable[Sequence[str]] = list(table.items())
    else:
        with reading(table) as name, open(name, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row and not row[0].lstrip().startswith("#")]
        if rows and "/" not in rows[0][0] and not any(c in rows[0][0] for c in ".:"):
            rows = rows[1:]  # names of columns
    for row in rows:
        if len(row) < 2:
            raise PlanError(f"labels: row {row[0]!r} has no label")
        if not isinstance(row[0], str) or not isinstance(row[1], str):
            raise ArgumentError(f"labels: {row[0]!r}: {row[1]!r}: texts are needed, as {{'10.0.0.0/8': 'inside'}}")
        out._core.add_prefix(row[0].strip(), row[1].strip())
    return out.done()
