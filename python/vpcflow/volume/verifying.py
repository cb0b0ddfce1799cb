"""Verification of compacted logs: everything is read back; only then may sources be deleted."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from .._display import printable
from ..errors import PlanError, SourceError, VpcflowError
from ..io.writing import cannot_write
from .hashing import Hasher, together
from .hours import read_back
from .lake import Lake, sha256_of


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What is wrong with an object, a source or a run; ``verdict``: ``ok``, ``missing``, ``changed``, ``unreadable``,
    ``damaged`` or ``differs``."""

    name: str
    verdict: str
    detail: str = ""


@dataclasses.dataclass
class Verification:
    """What verification found: a verdict for each object, and for each run whether all came over."""

    verdicts: list[Verdict]
    records: int

    @property
    def wrong(self) -> list[Verdict]:
        """Returns what is not well."""
        return [verdict for verdict in self.verdicts if verdict.verdict != "ok"]


def verify(folder: str | os.PathLike[str]) -> Verification:
    """Reads everything back that was compacted to a folder, and compares it with what was read of the sources: bytes
    of objects by SHA-256, records by their number and by a digest over all values.

    Raises :class:`~vpcflow.SourceNotFoundError` for a folder without manifest, :class:`~vpcflow.SourceError` for one
    whose manifest cannot be read. One pass over the objects.
    """
    lake = Lake(folder)
    hasher = Hasher()
    verdicts: list[Verdict] = []
    records = 0
    existing, now = lake.existing(), lake.objects()
    removed: dict[str, list[dict[str, Any]]] = {}
    for row in lake.erasures():
        removed.setdefault(row["path"], []).append(row)
    for run, rows in existing.items():
        sources = [row for row in rows if row["kind"] == "source"]
        objects = [now[row["path"]] for row in rows if row["kind"] == "object"]
        erased = [row for one in objects for row in removed.get(one["path"], [])]
        for row in objects:
            verdict = _of_object(lake, row, hasher)
            verdicts.append(verdict)
            records += row["records"] if verdict.verdict == "ok" else 0
        verdicts += filter(None, (_of_rejects(lake, row) for row in sources))
        if any("plan" in row for row in sources):
            continue  # what was rolled up is not what was read
        gone = [{"records": row["removed"], "rows_digest": row["removed_digest"]} for row in erased]
        for what, source, stored in (
            ("records", *(sum(row["records"] for row in all_of) for all_of in (sources, [*objects, *gone]))),
            ("values", _digest(sources), _digest([*objects, *gone])),
        ):
            if source != stored:
                verdicts.append(Verdict(run, "differs", f"{what} of sources and objects differ"))
    return Verification(verdicts, records)


def _digest(rows: list[dict[str, Any]]) -> int:
    return together([int(row["rows_digest"], 16) for row in rows])


def _of_object(lake: Lake, row: Mapping[str, Any], hasher: Hasher) -> Verdict:
    name = row["path"]
    place = lake.place(name)
    if not os.path.lexists(place):
        return Verdict(name, "missing")
    try:
        if sha256_of(place) != (row["sha256"], row["size"]):
            return Verdict(name, "changed", "its bytes are not those that were written")
        found, digests = 0, []
        for table in read_back(place):
            found += len(table)
            digests.append(hasher.digest(table))
    except VpcflowError as error:
        return Verdict(name, "unreadable", str(error))
    if found != row["records"] or together(digests) != int(row["rows_digest"], 16):
        return Verdict(name, "differs", f"{found:,} records are read back, {row['records']:,} were written")
    return Verdict(name, "ok")


def _of_rejects(lake: Lake, row: Mapping[str, Any]) -> Verdict | None:
    kept = row["rejects_kept"]
    if kept is None or os.path.isfile(lake.place(kept["path"])):
        return None
    return Verdict(kept["path"], "missing", f"the rejected lines of {row['uri']}")


def delete_sources(folder: str | os.PathLike[str]) -> tuple[list[str], list[Verdict]]:
    """Deletes the files that were compacted to a folder, after :func:`verify`; returns those deleted, and what stays
    with the reason. If anything is wrong with the folder nothing is deleted.

    A file stays if its bytes are not those that were compacted, if it could not be read to its end, if its times have
    milliseconds, which are cut, if it is a container that may have more than records, or if lines of it are kept as
    excerpts alone. Objects elsewhere, as in S3, stay.

    Raises what :func:`verify` does, and :class:`~vpcflow.SourceError` if that finds anything.
    """
    wrong = verify(folder).wrong
    if wrong:
        first = wrong[0]
        raise SourceError(
            f"{printable(os.fspath(folder))}: nothing deleted: {printable(first.name)} is {first.verdict}"
            + (f": {first.detail}" if first.detail else "")
        )
    deleted: list[str] = []
    stays: list[Verdict] = []
    rows = [row for run in Lake(folder).existing().values() for row in run if row["kind"] == "source"]
    plans = {row["plan"] for row in rows if "plan" in row}
    if plans:
        raise PlanError(
            f"{printable(os.fspath(folder))}: nothing deleted: it has a {sorted(plans)[0]}, which does not hold every "
            "record of its sources"
        )
    for row in rows:
        uri = row["uri"]
        if row["sha256"] is None:
            stays.append(Verdict(uri, "kept", "it is no local file; delete it where it lies"))
        elif row["damaged"]:
            stays.append(Verdict(uri, "kept", f"it could not be read to its end: {row['damaged']}"))
        elif row["cut"]:
            stays.append(Verdict(uri, "kept", f"not all of it is in the folder: {row['cut']}"))
        elif row["rejects_kept"] and row["rejects_kept"]["what"] == "excerpts":
            stays.append(Verdict(uri, "kept", "lines of it are kept as excerpts alone"))
        elif os.path.lexists(uri):
            if sha256_of(uri) != (row["sha256"], row["size"]):
                stays.append(Verdict(uri, "kept", "its bytes are not those that were compacted"))
                continue
            try:
                os.unlink(uri)
            except OSError as error:
                raise cannot_write(uri, error) from None
            deleted.append(uri)
    return deleted, stays
