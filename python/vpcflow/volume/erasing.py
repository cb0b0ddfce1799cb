"""Erasure of a subject: the records of an address are taken out of compacted logs, and a record of that is kept."""

from __future__ import annotations

import dataclasses
import gzip
import ipaddress
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._display import printable
from ..errors import PlanError, SourceError
from ..io.writing import cannot_write
from .hashing import Hasher, together
from .hours import Writer, read_back
from .lake import Lake, sha256_of
from .objects import run_name
from .reading import times_of
from .retaining import Hold

if TYPE_CHECKING:
    import pyarrow as pa

_ADDRESSES = ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr")


@dataclasses.dataclass
class Erasure:
    """What was erased: rows of its record, and where else the subject may be."""

    objects: list[dict[str, Any]]
    #: Sources that are still there, which have the records, too.
    elsewhere: list[str]

    @property
    def removed(self) -> int:
        """Returns how many records were removed."""
        return sum(int(row["removed"]) for row in self.objects)


def erase(
    folder: str | os.PathLike[str], address: str, *, reason: str, approver: str = "", start: int | None = None,
    end: int | None = None, holds: Sequence[Hold] = (),
) -> Erasure:  # fmt: skip
    """Takes the records of an address out of what was compacted to a folder: those whose ends it is, or that name it in
    another field, and that begin in [start, end), Unix seconds; and its lines out of the rejects. Each object is
    written anew; a record of it stays in ``.vpcflow/erased``: hashes before and after, how many records, the reason,
    who approved, never the address. :func:`vpcflow.volume.verify` goes by that.

    A hold wins: :class:`~vpcflow.PlanError` names it, and nothing is erased. So it is for an address that is none, and
    without a reason. Raises :class:`~vpcflow.SourceError` for an object that is not as the manifest has it. Backups,
    sources that are still there, and copies of whole sources among the rejects are not reached: ``elsewhere``.
    """
    try:
        subject = str(ipaddress.ip_address(address.strip()))
    except ValueError:
        raise PlanError(f"erase: address={address!r}: an IPv4 or IPv6 address is needed") from None
    if not reason.strip():
        raise PlanError("erase: a reason is needed: it stays in the record of what was erased")
    lake, hasher = Lake(folder), Hasher()
    rows: list[dict[str, Any]] = []
    runs = lake.existing()
    with lake.locked():
        found = lake.objects()
        for path, state in found.items():
            place = lake.place(path)
            if sha256_of(place)[0] != state["sha256"]:
                raise SourceError(f"{printable(path)}: its bytes are not those of the manifest; nothing was erased")
            tables = [_parted(table, subject, start, end) for table in read_back(place)]
            removed = sum(len(gone) for _, gone in tables)
            if not removed:
                continue
            hold = next((h for h in holds if h.covers(path, state["min_start"], state["max_end"])), None)
            if hold is not None:
                raise PlanError(f"erase: {path} is under hold {hold.name} of {hold.owner}; nothing was erased")
            rows.append({
                **_rewritten(lake, path, state, [kept for kept, _ in tables], hasher), "removed": removed,
                "removed_digest": f"{together([hasher.digest(gone) for _, gone in tables]):032x}",
                "reason": reason, "approver": approver, "start": start, "end": end,
            })  # fmt: skip
        sources = [row for run in runs.values() for row in run if row["kind"] == "source"]
        elsewhere = [row["uri"] for row in sources if row["sha256"] and os.path.lexists(row["uri"])]
        elsewhere += _from_rejects(lake, sources, subject)
        if rows:
            name = run_name(len(lake.erasures()), [[row["path"], row["sha256_before"]] for row in rows])
            lake.commit(name, rows, kind="erased")
    return Erasure(rows, elsewhere)


def _parted(table: pa.Table, subject: str, start: int | None, end: int | None) -> tuple[pa.Table, pa.Table]:
    """Returns the records of others, and those of the subject."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = re.escape(subject)
    pattern = rf"(^|[^0-9A-Fa-f.:]){whole}($|[^0-9A-Fa-f.:])"
    gone = pa.chunked_array([pa.nulls(len(table), pa.bool_()).fill_null(False)])
    for field in table.schema:
        if pa.types.is_string(field.type):
            column = table.column(field.name)
            is_it = (
                pc.equal(column, subject)
                if field.name in _ADDRESSES
                else pc.match_substring_regex(column, pattern, ignore_case=True)
            )
            gone = pc.or_(gone, pc.fill_null(is_it, False))
    if start is not None or end is not None:
        begins = table.column("start") if "start" in table.schema.names else pa.nulls(len(table), pa.int64())
        inside = pc.and_(
            pc.greater_equal(begins, -1 if start is None else start), pc.less(begins, 2**62 if end is None else end)
        )
        gone = pc.and_(gone, pc.fill_null(inside, True))  # of what has no time it may be
    return table.filter(pc.invert(gone)), table.filter(gone)


def _rewritten(
    lake: Lake, path: str, state: dict[str, Any], tables: Sequence[pa.Table], hasher: Hasher
) -> dict[str, Any]:
    import pyarrow as pa
    from pyarrow import parquet

    place = lake.staged(path)
    metadata = parquet.read_metadata(lake.place(path)).metadata or {}
    own = {k.decode(): v.decode() for k, v in metadata.items() if k.startswith(b"vpcflow.")}
    kept = pa.concat_tables(tables)
    try:
        writer = Writer(place, kept.schema, own)
        for table in tables:
            writer.write(table)
        writer.close()
    except OSError as error:
        raise cannot_write(lake.folder, error) from None
    sha256, size = sha256_of(place)
    first, last = times_of(kept) if len(kept) else (None, None)
    return {
        "kind": "erasure", "path": path, "sha256_before": state["sha256"], "sha256": sha256, "size": size,
        "records": len(kept), "rows_digest": f"{hasher.digest(kept):032x}", "min_start": first, "max_end": last,
    }  # fmt: skip


def _from_rejects(lake: Lake, sources: Sequence[dict[str, Any]], subject: str) -> list[str]:
    """Takes the lines that name the subject out of kept rejects, and returns the copies of whole sources."""
    pattern = re.compile(rb"(?<![0-9A-Fa-f.:])" + re.escape(subject.encode()) + rb"(?![0-9A-Fa-f.:])", re.IGNORECASE)
    copies = []
    for row in sources:
        kept = row["rejects_kept"]
        if kept is None:
            continue
        if kept["what"] == "source":
            copies.append(kept["path"])
            continue
        with gzip.open(lake.place(kept["path"])) as file:
            lines = file.read().split(b"\n")
        left = [line for line in lines if not pattern.search(line)]
        if len(left) < len(lines):
            with open(lake.staged(kept["path"]), "wb") as out:
                out.write(gzip.compress(b"\n".join(left), mtime=0))
    return copies
