"""The folder of a manifest: its files, their hashes in ``SHA256SUMS``, and the lock of who writes to it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .._display import printable
from ..errors import ManifestError, OutputError, SourceError, SourceNotFoundError
from ..io.writing import cannot_write, write_whole
from .limits import READ_ME
from .strict import LONGEST_LINE, names_in

OBJECTS, SUMS, README = "objects.jsonl", "SHA256SUMS", "README.txt"
_FOLDERS = ("heads", "keys", "signatures")
_OWN = re.compile(
    r"heads/[0-9]{6,12}\.json|keys/[0-9a-fA-F]{16,64}\.(?:pem|pub)|signatures/[0-9]{6,12}\.[0-9A-Za-z.-]{3,90}"
)
_SUM = re.compile(r"([0-9a-f]{64})  ([0-9A-Za-z./_-]{1,200})")
_CHUNK = 1 << 20


class Folder:
    """A folder with ``objects.jsonl``, ``heads/``, ``signatures/``, ``keys/``, ``README.txt`` and ``SHA256SUMS``."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.name = printable(os.fspath(path))

    def check_there(self) -> None:
        """Raises if there is no manifest in it."""
        if not self.path.is_dir():
            raise SourceNotFoundError(f"{self.name}: no such folder; 'vpcflow manifest add' makes one")
        if self.is_new():
            raise ManifestError(
                f"{self.name}: no manifest is there; 'vpcflow manifest add PATH --to {self.name}' makes one"
            )

    def is_new(self) -> bool:
        """Tells whether no manifest is there yet, or the first ``add`` was interrupted before it wrote a head."""
        return not (self.path / SUMS).exists() and not self.numbers() and not names_in(self.path / "signatures")

    def files(self) -> list[str]:
        """Returns the names of all its files, but for ``SHA256SUMS`` itself and hidden ones."""
        found = [name for name in names_in(self.path) if name not in _FOLDERS and name != SUMS]
        for folder in _FOLDERS:
            found += [f"{folder}/{name}" for name in names_in(self.path / folder)]
        return [name for name in found if not name.rpartition("/")[2].startswith(".vpcflow-")]

    @staticmethod
    def is_own(name: str) -> bool:
        """Tells whether a file can be one of a manifest, by its name."""
        return name in (OBJECTS, README) or _OWN.fullmatch(name) is not None

    def numbers(self) -> list[int]:
        """Returns the numbers of the heads there are."""
        names = (re.fullmatch(r"([0-9]{6,12})\.json", name) for name in names_in(self.path / "heads"))
        return sorted(int(match[1]) for match in names if match)

    def sums(self) -> dict[str, str]:
        """Reads ``SHA256SUMS``. Raises :class:`~vpcflow.ManifestError` or :class:`~vpcflow.SourceError`."""
        found: dict[str, str] = {}
        for line in limited_lines(self.path / SUMS, 300):
            match = _SUM.fullmatch(line.decode("latin-1"))
            if match is None or match[2] in found:
                raise ManifestError(f"{SUMS}: a line is not one of this program")
            found[match[2]] = match[1]
        if list(found) != sorted(found):
            raise ManifestError(f"{SUMS}: its lines are not in their order")
        return found

    def write_sums(self) -> None:
        """Writes ``SHA256SUMS`` of all files that are of a manifest."""
        names = sorted(name for name in self.files() if self.is_own(name))
        lines = "".join(f"{file_sha256(self.path / name)}  {name}\n" for name in names)
        write_whole(self.path / SUMS, lines.encode())

    def write(self, name: str, data: bytes) -> None:
        """Writes one of its files."""
        write_file(self.path, name, data)

    def prepare(self) -> None:
        """Makes what is not there yet."""
        with _as_output(self.path):
            (self.path / "heads").mkdir(parents=True, exist_ok=True)
        if not (self.path / README).exists():
            write_whole(self.path / README, READ_ME.encode())
        with _as_output(self.path / OBJECTS), open(self.path / OBJECTS, "ab"):
            pass

    def append(self, lines: list[bytes], keep: int) -> None:
        """Appends lines to ``objects.jsonl`` behind its first ``keep`` bytes."""
        place = self.path / OBJECTS
        with _as_output(place), open(place, "r+b") as file:
            file.truncate(keep)
            file.seek(keep)
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps others from writing to the folder, which is made if it is not there. :class:`~vpcflow.OutputError` if
        another process is at it."""
        with _as_output(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise OutputError(
                    f"{self.name}: another process writes to this manifest; try again when it has ended"
                ) from None
            yield
        finally:
            os.close(descriptor)


def write_file(root: Path, name: str, data: bytes) -> None:
    """Writes a file below a folder, whose own folder is made if it is not there."""
    place = root / name
    with _as_output(place.parent):
        place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, data)


class Line(NamedTuple):
    """A line of ``objects.jsonl``, without its end, and where the next begins. ``whole``: it has its end."""

    data: bytes
    end: int
    whole: bool


def object_lines(path: Path) -> Iterator[Line]:
    """Yields the lines of ``objects.jsonl``; one beyond the limit comes cut, as not whole."""
    try:
        with open(path, "rb") as file:
            end = 0
            while data := file.readline(LONGEST_LINE + 1):
                end += len(data)
                yield Line(data.rstrip(b"\n") if data.endswith(b"\n") else data, end, data.endswith(b"\n"))
    except FileNotFoundError:
        raise SourceNotFoundError(f"{OBJECTS}: no such file") from None
    except OSError as error:
        raise SourceError(f"{OBJECTS}: cannot be read: {error.strerror or error}") from None


def limited_lines(path: Path, longest: int) -> Iterator[bytes]:
    """Yields the lines of a text file, without their ends. Raises if one is longer, or the last has no end."""
    name = path.name
    try:
        with open(path, "rb") as file:
            while data := file.readline(longest + 1):
                if not data.endswith(b"\n"):
                    raise ManifestError(f"{name}: a line without end, or longer than {longest:,} bytes")
                yield data[:-1]
    except FileNotFoundError:
        raise SourceNotFoundError(f"{name}: no such file") from None
    except OSError as error:
        raise SourceError(f"{name}: cannot be read: {error.strerror or error}") from None


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a regular file."""
    found = hashlib.sha256()
    try:
        if path.exists() and not path.is_file():
            raise SourceError(f"{printable(path.name)}: not a regular file")
        with open(path, "rb") as file:
            while data := file.read(_CHUNK):
                found.update(data)
    except FileNotFoundError:
        raise SourceNotFoundError(f"{printable(path.name)}: no such file") from None
    except OSError as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"{printable(path.name)}: cannot be read: {error.strerror or error}") from None
    return found.hexdigest()


@contextlib.contextmanager
def _as_output(path: Path) -> Iterator[None]:
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise cannot_write(path, error) from None
