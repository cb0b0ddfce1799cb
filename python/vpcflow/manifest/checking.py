"""The check of a manifest's own files: the hashes of all, the chain of heads, the tree of lines."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import NamedTuple

from ..errors import ManifestError, SourceError, SourceNotFoundError, VpcflowError
from .entries import Entry
from .folder import OBJECTS, SUMS, Folder, Line, file_sha256, object_lines
from .heads import Head, head_file
from .strict import read_small
from .tree import Tree, leaf_hash


@dataclasses.dataclass(frozen=True)
class Row:
    """A verdict. ``kind``: ``"object"`` that was collected, ``"head"``, ``"signature"``, or another ``"file"`` of the
    folder. ``verdict``: ``"ok"``, ``"changed"``, ``"missing"``, ``"unlisted"``, ``"unreadable"``; of heads also
    ``"chain broken"``, ``"signer unknown"``, ``"not signed"``; of signatures ``"invalid"``. ``detail``: what is wrong,
    or worth knowing. ``period`` is that of a head."""

    object: str
    verdict: str
    kind: str
    detail: str = ""
    period: str | None = None


class Listed(NamedTuple):
    """What a line says of its object."""

    seq: int
    object: str
    place: str | None
    size: int
    sha256: str
    etag: str | None
    records: int
    days: tuple[str, ...]


@dataclasses.dataclass
class Checked:
    """A manifest as it was found. ``heads`` by number, with the bytes of their files; ``rows``: what is wrong with its
    files, and ``sums``, what is against ``SHA256SUMS``, by name; ``links``: numbers of heads that hang on the one
    before. ``rest``: lines under no head, which begin at byte ``covered`` of ``objects.jsonl``. ``leaves``: hashes of
    the lines that are under heads, and ``lines``, their bytes, if they are kept."""

    folder: Folder
    heads: dict[int, Head] = dataclasses.field(default_factory=dict)
    data: dict[int, bytes] = dataclasses.field(default_factory=dict)
    listed: list[Listed] = dataclasses.field(default_factory=list)
    leaves: list[bytes] = dataclasses.field(default_factory=list)
    lines: list[bytes] = dataclasses.field(default_factory=list)
    rows: list[Row] = dataclasses.field(default_factory=list)
    sums: dict[str, Row] = dataclasses.field(default_factory=dict)
    links: set[int] = dataclasses.field(default_factory=set)
    rest: int = 0
    covered: int = 0

    @property
    def last(self) -> Head | None:
        """The newest head."""
        return self.heads[max(self.heads)] if self.heads else None

    def all_rows(self) -> list[Row]:
        """Returns what is wrong, each file once."""
        named = {row.object for row in self.rows}
        return self.rows + [row for name, row in self.sums.items() if name not in named]

    def require_whole(self, what: str) -> None:
        """Raises :class:`~vpcflow.ManifestError` if something is wrong with its files. What an interrupted ``add``
        leaves is not: files that ``SHA256SUMS`` does not have yet."""
        rows = self.rows + [
            row for name, row in self.sums.items() if not (name == OBJECTS or row.verdict == "unlisted")
        ]
        if rows and not (rows[0].object == SUMS and rows[0].verdict == "missing"):
            row = rows[0]
            more = f", and {len(rows) - 1:,} more" if len(rows) > 1 else ""
            raise ManifestError(
                f"{what}: {self.folder.name} is not as it was written: {row.object}: {row.verdict}"
                f"{', ' if row.detail else ''}{row.detail}{more}; see vpcflow manifest verify {self.folder.name}"
            )


def check_files(folder: Folder, *, keep_lines: bool = False) -> Checked:
    """Checks the files of a manifest. Lines that an interrupted ``add`` left under no head are no fault here; those who
    verify name them. ``keep_lines``: keeps the bytes of all lines, too."""
    folder.check_there()
    found = Checked(folder, sums=_wrong_files(folder))
    _check_heads(found)
    _check_lines(found, keep_lines)
    return found


def _wrong_files(folder: Folder) -> dict[str, Row]:
    """Compares the files with ``SHA256SUMS``; files of heads and signatures that it does not name are new."""
    try:
        sums = folder.sums()
    except VpcflowError as error:
        verdict = "missing" if isinstance(error, SourceNotFoundError) else "changed"
        return {SUMS: Row(SUMS, verdict, "file", "" if verdict == "missing" else str(error).partition(": ")[2])}
    rows = {}
    there = folder.files()
    for name, listed in sums.items():
        if not folder.is_own(name):
            rows[name] = Row(name, "unlisted", "file", f"{SUMS} names it, and no manifest has such a file")
        elif name not in there:
            rows[name] = Row(name, "missing", _kind(name))
        else:
            try:
                same = file_sha256(folder.path / name) == listed
                row = Row(name, "changed", _kind(name), f"not the bytes that {SUMS} has")
            except SourceError as error:
                same, row = False, Row(name, "unreadable", _kind(name), str(error))
            if not same:
                rows[name] = row
    for name in there:
        if name not in sums and name not in rows:
            rows[name] = Row(name, "unlisted", _kind(name), f"not in {SUMS}")
    return rows


def _kind(name: str) -> str:
    return {"heads": "head", "signatures": "signature"}.get(name.partition("/")[0], "file")


def _check_heads(found: Checked) -> None:
    folder = found.folder
    numbers = folder.numbers()
    named = [int(name[6:-5]) for name in found.sums if name.startswith("heads/") and folder.is_own(name)]
    last = max([*numbers, *named], default=0)
    if last > len(numbers) + len(named) + 1000:  # a name made to keep us busy
        raise ManifestError(f"{folder.name}: heads/ has number {last:,}, and {len(numbers):,} heads")
    before: tuple[Head, str] | None = None
    for number in range(1, last + 1):
        name = head_file(number)
        try:
            data = read_small(folder.path / name)
            head = Head.of(data, name)
            if head.number != number:
                raise ManifestError(f"{name}: is head {head.number:,}")
        except SourceNotFoundError:
            found.rows.append(Row(name, "missing", "head"))
            before = None
            continue
        except VpcflowError as error:
            found.rows.append(Row(name, "changed", "head", str(error).partition(": ")[2]))
            before = None
            continue
        found.heads[number], found.data[number] = head, data
        broken = _broken_link(head, before)
        if broken:
            found.rows.append(Row(name, "chain broken", "head", broken, head.period))
        else:
            found.links.add(number)
        before = head, hashlib.sha256(data).hexdigest()
    if not last:
        found.rows.append(Row("heads", "missing", "file", "there is no head"))


def _broken_link(head: Head, before: tuple[Head, str] | None) -> str:
    """Returns what is wrong between a head and the one before it."""
    if head.number == 1:
        return "" if head.prev_head_sha256 is None and head.prev_tree_size == 0 else "it names a head before the first"
    if before is None:
        return f"{head_file(head.number - 1)}, on which it hangs, is missing or damaged"
    if head.prev_head_sha256 != before[1] or head.prev_tree_size != before[0].tree_size:
        return f"it does not hang on {head_file(head.number - 1)} as that is now"
    return ""


class _Lines:
    """The lines of ``objects.jsonl``, dealt to the heads that have them by their numbers."""

    def __init__(self, found: Checked, heads: list[Head]) -> None:
        self._found, self._heads = found, iter(heads)
        self._tree, self._whole = Tree(), True  # whole: the root still shows something
        self._following = 0  # the number of the next line
        self._begin(next(self._heads, None))

    def _begin(self, head: Head | None) -> None:
        self._head, self._hash, self._fault = head, hashlib.sha256(), ""

    @property
    def taken(self) -> int:
        """How many lines there were, with those that are missing."""
        return self._following

    def take(self, line: Line) -> bytes | None:
        """Takes a line; returns it if it is one of an object."""
        entry, fault = _entry(line, self._following)
        if entry is not None and entry.seq < self._following:
            self._blame(f"{OBJECTS} has object {entry.seq:,} twice, or not in its place")
            return None
        place = self._following if entry is None else entry.seq
        if place > self._following:
            gone = place - self._following
            lines = f"the line of object {self._following:,} is" if gone == 1 else f"lines of {gone:,} objects are"
            self._whole = False
            self._close_until(place, f"{lines} missing in {OBJECTS}")
        self._close_until(place, "")
        self._hash.update(line.data + b"\n")
        self._following = place + 1
        if entry is None:
            self._whole = False
            self._blame(fault)
            return None
        leaf = leaf_hash(line.data)
        self._tree.add(leaf)
        self._found.leaves.append(leaf)
        self._found.listed.append(
            Listed(
                entry.seq,
                entry.object,
                entry.place,
                entry.size,
                entry.sha256,
                entry.etag,
                entry.records,
                tuple(entry.days),
            )
        )
        return line.data

    def _blame(self, fault: str) -> None:
        self._fault = self._fault or fault

    def _close_until(self, place: int, fault: str) -> None:
        """Closes the heads that end at a line or before it; ``fault``: what is wrong with the lines up to it."""
        while self._head is not None:
            if fault and self._head.prev_tree_size < place and self._head.tree_size > self._following:
                self._blame(fault)
            if place < self._head.tree_size:
                return
            self._close()

    def end(self) -> None:
        """Closes what is left."""
        while self._head is not None:
            if self._following < self._head.tree_size:
                self._whole = False
                self._blame(f"{OBJECTS} ends before object {self._head.tree_size - 1:,}")
            self._close()

    def _close(self) -> None:
        """Compares the lines of a head with what it says."""
        head = self._head
        assert head is not None
        if self._hash.hexdigest() != head.lines_sha256:
            self._blame(
                f"lines of objects {head.prev_tree_size:,} to {head.tree_size - 1:,} are not those that it hashed"
            )
        if (
            self._whole
            and not self._fault
            and (self._tree.size, self._tree.root().hex()) != (head.tree_size, head.root)
        ):
            self._blame("the root of the tree of lines is another")
        if self._fault:
            self._whole = False
            self._found.links.discard(head.number)
            if not any(row.object == head.file for row in self._found.rows):
                self._found.rows.append(Row(head.file, "chain broken", "head", self._fault, head.period))
        self._begin(next(self._heads, None))


def _check_lines(found: Checked, keep_lines: bool) -> None:
    """Reads the lines, and compares them with the heads."""
    heads = [found.heads[number] for number in sorted(found.heads)]
    if any(before.tree_size > head.prev_tree_size for before, head in zip(heads, heads[1:])):
        found.rows.append(Row(OBJECTS, "changed", "file", "two heads claim the same lines"))
        return
    size = max((head.tree_size for head in heads), default=0)
    lines = _Lines(found, heads)
    try:
        for line in object_lines(found.folder.path / OBJECTS):
            if lines.taken >= size:
                found.rest += 1
                continue
            data = lines.take(line)
            found.covered = line.end
            if keep_lines and data is not None:
                found.lines.append(data)
    except SourceError as error:
        verdict = "missing" if isinstance(error, SourceNotFoundError) else "unreadable"
        found.rows.append(Row(OBJECTS, verdict, "file"))
        return
    lines.end()


def _entry(line: Line, following: int) -> tuple[Entry | None, str]:
    """Parses a line, or says what is wrong with it."""
    what = f"the line of object {following:,}"
    if not line.whole:
        return None, f"{what} is cut or too long"
    try:
        return Entry.of(line.data, what), ""
    except ManifestError as error:
        return None, str(error)
