"""Listings of S3: only folders that can hold what is asked for, and of these what may be a flow log."""

from __future__ import annotations

import dataclasses
import fnmatch
import functools
import re
from collections import Counter
from collections.abc import Iterable

from ... import _core
from ..._display import human_bytes
from ..._hints import nearest
from ..._words import count
from ...errors import NoRecordsError, SourceNotFoundError
from .bucket import Bucket, S3Object
from .layout import Selection
from .pool import Pool
from .url import S3Url

# Endings of logs; objects of Firehose have none.
_ENDINGS = (".log", ".txt", ".gz", ".zst", ".ndjson", ".jsonl", ".csv", ".parquet")
_DEEPEST = 3  # folders below the one given that are listed one by one, where no names of AWS are known
_MOST_FOLDERS = 100  # in one, that are; more are listed together
_NAMED = 3


@dataclasses.dataclass
class Listing:
    """What lies at a URL: ``objects``, by their keys; how many ``folders`` were listed; how many folders and objects
    were left out as they cannot hold what is asked for (``pruned``); and what is no flow log, by cause."""

    url: str
    objects: list[S3Object] = dataclasses.field(default_factory=list)
    folders: int = 0
    pruned: int = 0
    left_out: Counter[str] = dataclasses.field(default_factory=Counter)
    unlisted: Counter[str] = dataclasses.field(default_factory=Counter)  # folders of other services
    named: dict[str, list[str]] = dataclasses.field(default_factory=dict)  # the first keys left out, by cause

    def add(self, listed: Iterable[S3Object], start: int, selection: Selection) -> None:
        """Adds what was listed below a prefix of ``start`` bytes."""
        objects = [entry for entry in listed if not entry.key.endswith("/")]
        for entry, holds in zip(objects, selection.holding([entry.key for entry in objects])):
            why = _why_no_log(entry, start)
            if why:
                self.leave_out(why, entry.key)
            elif holds:
                self.objects.append(entry)
            else:
                self.pruned += 1

    def leave_out(self, why: str, key: str) -> None:
        """Counts an object that is not read."""
        self.left_out[why] += 1
        if self.left_out[why] <= _NAMED and not why.startswith("of "):
            self.named.setdefault(why, []).append(key.rpartition("/")[2])

    def leave_out_copies(self) -> None:
        """Leaves out objects that have the ETag and the size of an earlier one, as copies have."""
        first: dict[tuple[str, int], S3Object] = {}
        kept = []
        for entry in self.objects:
            if entry.etag and first.setdefault((entry.etag, entry.size), entry) is not entry:
                self.leave_out("with the bytes of another object", entry.key)
            else:
                kept.append(entry)
        self.objects = kept

    def notes(self) -> list[str]:
        """Returns the lines that say what is not read."""
        notes = []
        usual = ("hidden", "named as a manifest or checksum")
        causes = [why for why in sorted(self.left_out) if why not in usual or not self.objects]
        if causes:
            n = sum(self.left_out[why] for why in causes)
            said = ", ".join(self._cause(why) for why in causes)
            were = "was" if n == 1 else "were"
            notes.append(f"{self.url}: {count(n, 'object')} {were} not read: {said}; to read one, give its URL")
        if self.unlisted:
            said = ", ".join(f"{n} {why}" for why, n in sorted(self.unlisted.items()))
            notes.append(f"{self.url}: {count(sum(self.unlisted.values()), 'folder')} not listed: {said}")
        return notes

    def _cause(self, why: str) -> str:
        names = ", ".join(self.named.get(why, ()))
        return f"{self.left_out[why]:,} {why}" + (f" ({names})" if names else "")

    def summary(self) -> str:
        """Returns what a scan will read, in a line."""
        size = human_bytes(sum(entry.size for entry in self.objects))
        pruned = f", {self.pruned:,} left out by their names" if self.pruned else ""
        return (
            f"{self.url}: {count(self.folders, 'folder')} listed{pruned}; {count(len(self.objects), 'object')}, {size}"
        )

    def check(self) -> None:
        """Raises if there is nothing to read."""
        if self.objects:
            return
        notes = "".join(f"\n  {note}" for note in self.notes())
        if self.pruned:
            held = count(self.pruned, "folder or object", "folders and objects")
            what = f"none of its {held} can hold what is asked for, by their names"
            raise NoRecordsError(f"{self.url}: {what}{notes}")
        raise SourceNotFoundError(f"{self.url}: no flow logs there{notes}")


def _why_no_log(entry: S3Object, start: int) -> str:
    """Returns why an object is not read, by what the listing tells; empty for one that is."""
    why = _core.why_no_flow_log(entry.key, start)
    if why:
        return why
    if entry.archived:
        return "in an archived storage class, to be restored first"
    if entry.size == 0:
        return "empty"
    if not entry.key.endswith(_ENDINGS):
        path = _core.Source.data(entry.key, b"").object_path
        if path["delivery_stream"] is None and path["flow_log_id"] is None:
            return "with the ending of no log"
    return ""


def list_logs(bucket: Bucket, url: S3Url, selection: Selection, pool: Pool) -> Listing:
    """Lists the logs at a URL: an object, a folder with all below it, or what a pattern matches.

    Raises :class:`~vpcflow.SourceNotFoundError`, with the nearest name, if there are none.
    """
    found = Listing(str(url))
    if url.wild:
        root = url.key[: re.search(r"[*?\[]", url.key).start()].rpartition("/")[0]  # type: ignore[union-attr]
        _Walk(bucket, root + "/" if root else "", selection, pool, found, _Pattern(url.key)).run()
    elif not url.key or url.key.endswith("/"):
        _Walk(bucket, url.key, selection, pool, found, None).run()
    else:
        begins = bucket.folder(url.key)
        exact = [entry for entry in begins.objects if entry.key == url.key]
        if exact:
            found.objects = exact
        elif url.key + "/" in begins.folders:
            _Walk(bucket, url.key + "/", selection, pool, found, None).run()
        else:
            raise SourceNotFoundError(
                f"{url}: {_nothing_at(bucket, url.key, [*begins.folders, *_keys(begins.objects)])}"
            )
    if not url.wild and not (found.objects or found.pruned or found.left_out or found.unlisted):
        raise SourceNotFoundError(f"{url}: {_nothing_at(bucket, url.key.rstrip('/'), [])}")
    found.objects.sort(key=lambda entry: entry.key.encode())
    found.check()
    return found


def _keys(objects: Iterable[S3Object]) -> list[str]:
    return [entry.key for entry in objects]


def _nothing_at(bucket: Bucket, key: str, begins: list[str]) -> str:
    what = "no such object or folder" if key else "the bucket is empty"
    if begins:
        more = f" and {len(begins) - 1:,} more" if len(begins) > 1 else ""
        return f"{what}; with that {'begin' if more else 'begins'} {begins[0]}{more}: add * for all"
    beside = next(bucket.pages(key.rpartition("/")[0] + "/" if "/" in key else "", folders=True))
    near = nearest(key, [name.rstrip("/") for name in (*beside.folders, *_keys(beside.objects))])
    if key and "/" not in key and not (beside.folders or beside.objects):
        what += "; the bucket is empty"
    return what + (f"; did you mean {bucket.url(near)}?" if near else "")


class _Pattern:
    """A pattern of keys: ``*`` and ``?`` stay within a name, ``**`` goes over any folders."""

    def __init__(self, pattern: str) -> None:
        self._parts = pattern.split("/")
        *folders, name = self._parts
        inner = "".join("(?:[^/]+/)*" if part == "**" else _regex(part) + "/" for part in folders)
        self._whole = re.compile(inner + (".*" if name == "**" else _regex(name)) + r"\Z", re.S)

    def matches(self, key: str) -> bool:
        return self._whole.match(key) is not None

    def may_match_below(self, folder: str) -> bool:
        names = folder.rstrip("/").split("/")
        for name, part in zip(names, self._parts):
            if part == "**":
                return True
            if not fnmatch.fnmatchcase(name, part):
                return False
        return len(names) < len(self._parts)

    def settled_by(self, folder: str) -> bool:
        """Tells whether folders below are told apart by their keys alone."""
        return "**" in self._parts[: folder.count("/")]


def _regex(part: str) -> str:
    """Returns the regular expression of a name in a pattern."""
    pieces = re.split(r"(\*|\?|\[!?\]?[^\]]*\])", part)
    wild = {"*": "[^/]*", "?": "[^/]"}
    return "".join(
        wild[piece] if piece in wild else _set(piece) if n % 2 else re.escape(piece) for n, piece in enumerate(pieces)
    )


def _set(piece: str) -> str:
    inner = piece[1:-1].replace("\\", "\\\\")
    return f"[^/{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"


class _Walk:
    """The folders below a prefix, those of one depth at once."""

    def __init__(
        self, bucket: Bucket, root: str, selection: Selection, pool: Pool, found: Listing, pattern: _Pattern | None
    ) -> None:
        self._bucket, self._root, self._selection, self._pool = bucket, root, selection, pool
        self._found, self._pattern = found, pattern

    def run(self) -> None:
        folders = [self._root]
        depth = 0
        while folders:
            together = {folder for folder in folders if self._settled(folder, depth)}
            if depth and len(folders) > _MOST_FOLDERS and not self._selection.by_folder and self._pattern is None:
                together = {folder for folder in folders if not _may_have_services(folder)} | together
            self._found.folders += len(folders)
            below: list[str] = []
            tasks = [functools.partial(self._listed, folder, folder in together) for folder in folders]
            for objects, inner in self._pool.map(tasks):
                self._take(objects)
                below += filter(self._wanted, inner)
            folders, depth = below, depth + 1

    def _listed(self, folder: str, together: bool) -> tuple[list[S3Object], list[str]]:
        if not together:
            page = self._bucket.folder(folder)
            return page.objects, page.folders
        return [entry for page in self._bucket.pages(folder) for entry in page.objects], []

    def _take(self, objects: list[S3Object]) -> None:
        if self._pattern is not None:
            objects = [entry for entry in objects if self._pattern.matches(entry.key)]
        self._found.add(objects, len(self._root.encode()), self._selection)

    def _wanted(self, folder: str) -> bool:
        if self._pattern is not None and not self._pattern.may_match_below(folder):
            return False
        why = _core.why_no_flow_log(folder, len(self._root.encode()))
        if why:
            self._found.unlisted[why] += 1
            return False
        if self._selection.folder_may_hold(folder):
            return True
        self._found.pruned += 1
        return False

    def _settled(self, folder: str, depth: int) -> bool:
        """Tells whether all below a folder is listed together, without a look at the folders in it."""
        if self._pattern is not None and not self._pattern.settled_by(folder):
            return False
        if self._selection.by_folder:
            return self._selection.settled_by(folder)
        return "vpcflowlogs/" in folder or (depth >= _DEEPEST and not _may_have_services(folder))


def _may_have_services(folder: str) -> bool:
    """Tells whether folders of AWS's services may lie below."""
    return re.search(r"(?:^|/)AWSLogs/(?:o-[0-9a-z]+/)?(?:[^/]+/)?$", folder) is not None
