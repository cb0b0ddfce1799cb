"""Folders of compacted logs: what is written is staged, and comes to its place whole."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from .._display import printable
from ..errors import OutputError, PlanError, SourceError, SourceNotFoundError
from ..io.writing import cannot_write
from ..manifest.folder import file_sha256
from ..query.logs import Logs

#: The folder of a lake that has its manifests and rejects; readers pass over hidden folders.
OWN = ".vpcflow"
_KINDS = ("source", "object", "erasure")


def sha256_of(path: str) -> tuple[str, int]:
    """Returns the SHA-256 of a file as hexadecimal digits, and its bytes.

    Raises :class:`~vpcflow.SourceError` if it cannot be read.
    """
    return file_sha256(Path(path)), os.path.getsize(path)


class Lake:
    """A folder of Parquet files with a manifest of each run that wrote to it."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = os.path.abspath(os.fspath(folder))
        self._own = os.path.join(self.folder, OWN)
        self._manifests = os.path.join(self._own, "compacted")
        self._staging = os.path.join(self._own, "staging")

    def place(self, path: str) -> str:
        """Returns the place of an object by its path below the folder; one outside is a
        :class:`~vpcflow.SourceError`: manifests may come from elsewhere."""
        place = os.path.normpath(os.path.join(self.folder, path))
        if not place.startswith(self.folder + os.sep) or os.path.isabs(path):
            raise SourceError(f"{printable(self.folder)}: its manifest names {printable(path)}, outside of the folder")
        return place

    def check_apart(self, logs: Logs) -> None:
        """Raises :class:`~vpcflow.PlanError` if logs to be read lie in the folder, or the folder in one that is read:
        its records would be read twice."""
        own = os.path.realpath(self.folder)
        for source in logs.sources:
            if source.is_path and os.path.realpath(source.name).startswith(own + os.sep):
                raise PlanError(
                    f"{printable(source.name)} is to be read and lies in {printable(self.folder)}, where to write; "
                    "give another folder"
                )
        for word in logs.words:
            if os.path.isdir(word) and f"{own}{os.sep}".startswith(os.path.join(os.path.realpath(word), "")):
                raise PlanError(
                    f"{printable(self.folder)} lies in {printable(word)}, which is read: its records would be read "
                    "twice; give a folder outside"
                )

    def runs(self) -> dict[str, list[dict[str, Any]]]:
        """Returns the rows of the manifests of all runs, by the names of the runs, in their order."""
        return self._all("compacted")

    def erasures(self) -> list[dict[str, Any]]:
        """Returns the rows of all erasures, in their order."""
        return [row for rows in self._all("erased").values() for row in rows]

    def objects(self) -> dict[str, dict[str, Any]]:
        """Returns the rows of all objects by their paths, as erasures left them."""
        found = {row["path"]: row for rows in self.runs().values() for row in rows if row["kind"] == "object"}
        for row in self.erasures():
            if row["path"] in found:
                found[row["path"]] = {**found[row["path"]], **row, "kind": "object"}
        return found

    def _all(self, kind: str) -> dict[str, list[dict[str, Any]]]:
        folder = os.path.join(self._own, kind)
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(".jsonl"))
        except FileNotFoundError:
            return {}
        return {name[: -len(".jsonl")]: self._rows(os.path.join(folder, name)) for name in names}

    def _rows(self, path: str) -> list[dict[str, Any]]:
        try:
            with open(path, encoding="utf-8") as file:
                rows = [json.loads(line) for line in file]
        except (OSError, ValueError) as error:
            raise SourceError(f"{printable(path)}: not readable as a manifest: {error}") from None
        if not all(isinstance(row, dict) and row.get("kind") in _KINDS for row in rows):
            raise SourceError(f"{printable(path)}: not readable as a manifest: a line is no row of one")
        return rows

    def existing(self) -> dict[str, list[dict[str, Any]]]:
        """Returns :meth:`runs`; :class:`~vpcflow.SourceNotFoundError` if there are none. What an interrupted run had
        completed is completed first."""
        if os.path.isdir(self._staging):
            with self.locked():
                pass
        found = self.runs()
        if not found:
            raise SourceNotFoundError(
                f"{printable(self.folder)}: no manifest of vpcflow compact; give the folder that it wrote to (-o)"
            )
        return found

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other runs away, and completes or drops what an interrupted one left behind. A folder that was made for
        nothing is removed."""
        import fcntl

        made = not os.path.lexists(self.folder)
        try:
            os.makedirs(self._own, exist_ok=True)
            lock = self._lock()
        except OSError as error:
            if isinstance(error, (FileExistsError, NotADirectoryError)):
                error = NotADirectoryError(error.errno, "it is a file; a folder is needed")
            raise cannot_write(self.folder, error) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise OutputError(f"{printable(self.folder)}: another vpcflow compact writes to it") from None
            try:
                self._recover()
                yield
            finally:
                shutil.rmtree(self._staging, ignore_errors=True)
                if made and not os.path.isdir(self._manifests):
                    shutil.rmtree(self.folder, ignore_errors=True)

    def _lock(self) -> IO[bytes]:
        return open(os.path.join(self._own, "lock"), "ab")

    def _recover(self) -> None:
        if os.path.exists(os.path.join(self._staging, "commit.json")):
            self._move()
        shutil.rmtree(self._staging, ignore_errors=True)

    def staged(self, path: str) -> str:
        """Returns where an object of a run is written until :meth:`commit`, and makes its folder."""
        place = os.path.join(self._staging, "data", path)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from None
        return place

    def drop(self) -> None:
        """Drops what is staged."""
        shutil.rmtree(self._staging, ignore_errors=True)

    def commit(self, run: str, rows: Sequence[Mapping[str, Any]], kind: str = "compacted") -> None:
        """Brings what was staged to its place, with the manifest of the run, or the record of an erasure. A run that is
        interrupted from here on is completed when the folder is opened next."""
        files = [
            os.path.relpath(os.path.join(folder, name), os.path.join(self._staging, "data"))
            for folder, _, names in os.walk(os.path.join(self._staging, "data"))
            for name in names
        ]
        manifest = "".join(json.dumps(row) + "\n" for row in rows)
        try:
            os.makedirs(self._staging, exist_ok=True)
            for file in files:
                _sync(os.path.join(self._staging, "data", file))
            _write_synced(os.path.join(self._staging, "manifest.jsonl"), manifest)
            commit = os.path.join(self._staging, "commit.json")
            _write_synced(f"{commit}.part", json.dumps({"run": run, "kind": kind, "files": sorted(files)}))
            os.replace(f"{commit}.part", commit)
            self._move()
        except OSError as error:
            raise cannot_write(self.folder, error) from None

    def _move(self) -> None:
        with open(os.path.join(self._staging, "commit.json"), encoding="utf-8") as file:
            commit = json.load(file)
        for path in commit["files"]:
            staged, place = os.path.join(self._staging, "data", path), self.place(path)
            if os.path.lexists(staged):  # else it is there since the interruption
                os.makedirs(os.path.dirname(place), exist_ok=True)
                os.replace(staged, place)
        manifests, manifest = os.path.join(self._own, commit["kind"]), os.path.join(self._staging, "manifest.jsonl")
        os.makedirs(manifests, exist_ok=True)
        if os.path.lexists(manifest):
            os.replace(manifest, os.path.join(manifests, f"{commit['run']}.jsonl"))
        shutil.rmtree(self._staging, ignore_errors=True)


def _write_synced(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    _sync(path)


def _sync(path: str) -> None:
    with open(path, "rb") as file:
        os.fsync(file.fileno())
