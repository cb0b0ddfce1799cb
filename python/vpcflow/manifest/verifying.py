"""Verifies a manifest, from its folder alone, and the objects that it lists."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._display import printable
from .._words import count
from ..errors import ArgumentError, VpcflowError
from ..io.aws.layout import NOTHING_CHOSEN
from ..io.aws.session import Connection
from ..typing import AwsOptions, Progress
from .checking import Checked, Listed, Row, check_files
from .days import all_days, days_of, runs
from .folder import OBJECTS, Folder
from .heads import Head
from .measuring import stored_hash
from .naming import Alignment, aligned, is_below
from .seals.keys import Keys, keys_of
from .seals.reading import seals_of
from .seals.seal import Seal
from .stores import Bucket, Files, GoneError, Stored, UnreadableError, store_of
from .strict import is_sha256

_READERS = 4


@dataclasses.dataclass(frozen=True)
class Verification:
    """What :func:`verify` found. ``rows``: a verdict for each object asked for, each head, and each file of the
    manifest with a fault. ``head``: the newest head. ``signers``: who signed, by what; ``demanded``: keys were given.
    ``silent``: periods without objects; ``unasked``: how many listed objects lie outside of the paths given.
    """

    rows: list[Row]
    head: Head | None
    signers: list[str]
    demanded: bool
    silent: list[str]
    unasked: int
    notes: list[str]

    @property
    def ok(self) -> bool:
        """Whether every verdict is ``"ok"``."""
        return all(row.verdict == "ok" for row in self.rows)

    def counts(self, kind: str) -> dict[str, int]:
        """Returns how many rows of a kind have each verdict."""
        return dict(Counter(row.verdict for row in self.rows if row.kind == kind))


def verify(
    folder: str | os.PathLike[str],
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    *,
    keys: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    head: str | None = None,
    aws: AwsOptions | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Verifies the manifest in a folder, and the objects at ``paths`` that it lists.

    Without ``paths`` only the files of the manifest are looked at. Paths may lie elsewhere than those that were added:
    objects are found by the end of their paths that agrees.

    ``keys``: files of the keys that are allowed to sign, or folders of such: public keys in PEM, of ``ssh-keygen`` (an
    allowed-signers file, or ``.pub``) and of minisign; certificates of time-stamping authorities. Heads that none of
    them signed then have the verdict ``"not signed"``, or ``"signer unknown"``. Without them signatures must only be
    right by the keys in the folder, which says nothing of who signed. Certificates alone demand a stamp.

    ``head``: SHA-256 of a head, as published elsewhere, that the chain must have.

    Raises :class:`~vpcflow.ManifestError` if there is no manifest, and :class:`~vpcflow.SourceError` for paths that
    cannot be looked at.

    >>> import tempfile, pathlib, vpcflow as vf
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.log").write_bytes(b"srcaddr bytes\\n10.0.0.1 40\\n")
    >>> _ = vf.manifest.add(folder / "a.log", folder / "evidence")
    >>> _ = (folder / "a.log").write_bytes(b"srcaddr bytes\\n10.0.0.2 40\\n")
    >>> [(row.verdict, row.kind) for row in vf.manifest.verify(folder / "evidence", folder / "a.log").rows]
    [('ok', 'head'), ('changed', 'object')]
    """
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    allowed = [keys] if isinstance(keys, (str, os.PathLike)) else list(keys)
    wanted = None if head is None else str(head).strip().lower()
    if wanted is not None and not is_sha256(wanted):  # a part of it could be met by trying
        raise ArgumentError(f"manifest.verify: head: {printable(wanted)[:80]!r}; expected all 64 digits of its SHA-256")
    known = keys_of(allowed)
    checked = check_files(Folder(folder))
    rows, signers = _heads(checked, known, bool(allowed), wanted)
    objects, unasked, notes = _Objects(checked, Connection.of(aws), progress).rows(given)
    return Verification(rows + objects, checked.last, signers, bool(allowed), _silent(checked), unasked, notes)


def _silent(checked: Checked) -> list[str]:
    """Returns the days for which heads say that there are no objects, and none has come since, as periods."""
    periods = [(days_of(head.period), head.objects > 0) for head in checked.heads.values()]
    periods += [(days_of(period), True) for one in checked.listed for period in one.days]
    full, empty = (all_days(own for own, has in periods if own and has is wanted) for wanted in (True, False))
    return runs(empty - full)


def _heads(checked: Checked, known: Keys, demanded: bool, wanted: str | None) -> tuple[list[Row], list[str]]:
    """Returns the rows of the manifest's own files, and who signed."""
    rows = checked.all_rows()
    if checked.rest:
        lines = f"{count(checked.rest, 'line')} {'is' if checked.rest == 1 else 'are'} under no head"
        rows = [row for row in rows if row.object != OBJECTS] + [Row(OBJECTS, "changed", "file", lines)]
    seals, faults = seals_of(checked.folder.path, checked.heads, known)
    named = {row.object for row in rows}
    rows += [row for row in faults if row.object not in named]
    bad = {row.object for row in rows}
    good = [seal for seal in seals if seal.good and seal.file not in bad]
    for number in sorted(checked.heads):
        one = checked.heads[number]
        if one.file not in bad:
            rows.append(_head_row(one, _covering(number, good, checked), known if demanded else None))
    if wanted is not None and all(head.sha256 != wanted for head in checked.heads.values()):
        rows.append(Row("heads", "missing", "head", f"no head has the SHA-256 {wanted}"))
    rows.sort(key=lambda row: ({"file": 0, "head": 1, "signature": 2}[row.kind], row.object))
    return rows, list(dict.fromkeys(seal.signer for seal in good))


def _covering(number: int, seals: Sequence[Seal], checked: Checked) -> list[Seal]:
    """Returns the signatures of a head, or of a later one that hangs on it."""
    last = number
    while last + 1 in checked.links and last + 1 in checked.heads:
        last += 1
    return [seal for seal in seals if number <= seal.number <= last]


def _head_row(head: Head, seals: Sequence[Seal], keys: Keys | None) -> Row:
    """Returns the verdict about a head in a whole chain; ``keys``: those of which one must have signed."""
    details = [] if head.objects or head.period is None else ["no objects"]
    silent = (head.expected or {}).get("silent")
    if type(silent) is int and silent:
        details.append(f"{count(silent, 'interface')} of the inventory without records")
    verdict = "ok"
    signatures = [seal for seal in seals if (keys is not None and not keys.signs) or not seal.file.endswith(".tsr")]
    if keys is not None and not any(seal.known for seal in signatures):
        verdict = "signer unknown" if signatures else "not signed"
        details += sorted({seal.signer for seal in signatures})
    return Row(head.file, verdict, "head", ", ".join(details), head.period)


class _Objects:
    """The objects that a manifest lists, at paths."""

    def __init__(self, checked: Checked, connection: Connection, progress: Progress | None) -> None:
        self._checked, self._connection, self._progress = checked, connection, progress
        self._versions: dict[str, list[Listed]] = {}
        for one in checked.listed:
            self._versions.setdefault(one.object, []).append(one)
        self._by_hash = {one.sha256: one.object for one in reversed(checked.listed)}

    def rows(self, paths: Sequence[Any]) -> tuple[list[Row], int, list[str]]:
        """Returns the rows, how many listed objects no path asks for, and notes of what was left out."""
        tasks: dict[str, tuple[Files | Bucket, Stored]] = {}
        unlisted: dict[str, Row] = {}
        places: dict[str, tuple[Files | Bucket, Stored]] = {}
        notes: list[str] = []
        for path in paths:
            store = store_of(path, self._connection)
            objects, alignment, said = self._found(store)
            notes += said
            if alignment is None:  # nothing is there, and nothing says which objects should be
                return [Row(name, "missing", "object") for name in sorted(self._versions)], 0, notes
            for one in objects:
                name = alignment.listed(one)
                if name is None:
                    unlisted[one.full] = Row(one.name, "unlisted", "object")
                    places[one.full] = (store, one)
                else:
                    tasks.setdefault(name, (store, one))
            for name in self._versions:
                full = alignment.full(name)
                if name not in tasks and full is not None and is_below(full, store.root):
                    tasks[name] = (store, store.at(full))
        rows = list(self._verdicts(tasks))
        self._name_renamed(rows, unlisted, places)
        asked = len(self._versions) - len(tasks) if paths else 0
        return sorted([*rows, *unlisted.values()], key=lambda row: os.fsencode(row.object)), asked, notes

    def _name_renamed(
        self, rows: Sequence[Row], unlisted: dict[str, Row], places: dict[str, tuple[Files | Bucket, Stored]]
    ) -> None:
        """Says of objects that are not listed which missing one has their bytes."""
        missing = {row.object: self._versions[row.object][-1] for row in rows if row.verdict == "missing"}
        by_bytes = {(one.size, one.sha256): name for name, one in missing.items()}
        sizes = {size for size, _ in by_bytes}
        for full, (store, stored) in places.items():
            if stored.size in sizes:
                with contextlib.suppress(GoneError, UnreadableError):
                    name = by_bytes.get((stored.size, stored_hash(store, stored)[0]))
                    if name is not None:
                        detail = f"has the bytes of {printable(name)}, which is missing"
                        unlisted[full] = dataclasses.replace(unlisted[full], detail=detail)

    def _found(self, store: Files | Bucket) -> tuple[list[Stored], Alignment | None, list[str]]:
        """Finds what is there, and how its names go with those that are listed; ``None`` for an empty place that no
        listed name leads to."""
        try:
            objects, notes = store.find(NOTHING_CHOSEN, os.path.realpath(self._checked.folder.path))
        except VpcflowError as error:
            alignment = aligned(self._checked.listed, [], store.root)
            if error.kind not in ("not-found", "no-records") or (alignment is None and not store.exists()):
                raise
            return [], alignment, []
        return objects, aligned(self._checked.listed, objects, store.root), notes

    def _verdicts(self, tasks: dict[str, tuple[Files | Bucket, Stored]]) -> Iterator[Row]:
        readers = ThreadPoolExecutor(_READERS)
        total, done = sum(stored.size for _, stored in tasks.values()), 0
        try:
            looks = readers.map(lambda item: self._look(item[0], *item[1]), tasks.items())
            for number, (row, (_, stored)) in enumerate(zip(looks, tasks.values()), 1):
                done += stored.size
                if self._progress is not None:
                    self._progress(done, total, number, len(tasks))
                yield row
        finally:
            readers.shutdown(cancel_futures=True)

    def _look(self, name: str, store: Files | Bucket, stored: Stored) -> Row:
        """Compares an object with its lines."""
        versions = self._versions[name]
        try:
            digest, size = stored_hash(store, stored)
        except GoneError:
            return Row(name, "missing", "object")
        except UnreadableError as error:
            return Row(name, "unreadable", "object", str(error))
        last = versions[-1]
        if digest != last.sha256:
            other = self._by_hash.get(digest)
            if other is not None and other != name:
                detail = f"has the bytes of {printable(other)}"
            elif other is not None:
                detail = "has bytes that a later line replaced"
            elif size != last.size:
                detail = f"{size:,} bytes, listed are {last.size:,}"
            else:
                detail = f"other bytes; SHA-256 {digest}"
            return Row(name, "changed", "object", detail)
        if any(one.sha256 != digest for one in versions):
            return Row(name, "changed", "object", "was listed with other bytes before: as it is now since a later line")
        return Row(name, "ok", "object", "" if last.records else "no records")
