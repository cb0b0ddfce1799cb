"""Files that the library writes: whole or not at all, and never in the place of a device or a symbolic link.

All code that writes to a path does it by :class:`Writing`, :func:`write_whole` or :func:`open_to_append`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, Any

from .._display import printable
from ..errors import OutputError, SourceError

_DESCRIPTOR = re.compile(r"(?:/dev|/proc/(?:self|thread-self))/fd/([0-9]+)")


def cannot_write(name: str | os.PathLike[str], error: OSError) -> OutputError:
    """Makes the error of a file that cannot be written, with its name and the system's reason."""
    return OutputError(f"{printable(os.fspath(name))}: cannot be written: {error.strerror or error}")


class Writing:
    """A path that is being written, by ``file``; :meth:`keep` completes it, :meth:`discard` leaves no trace of it.

    A regular file, or a name that does not exist, is written beside its place and renamed over it when it is complete:
    readers see the old content or the new. Its mode, its owner and a symbolic link that leads to it stay. Where no
    file can be made beside it, or not with that owner, a file that may be written is written in place. Devices, FIFOs
    and descriptors (``/dev/stdout``) are written through. :class:`~vpcflow.OutputError` for what cannot be written.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.txt")
    >>> with Writing(path) as out:
    ...     _ = out.file.write(b"text")
    >>> path.read_bytes()
    b'text'
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._name = os.fspath(path)
        self._temporary: str | None = None
        self._done = False
        try:
            self.file: IO[bytes] = Counted(self._open())  # type: ignore[assignment]
        except OSError as error:
            raise self._refused(error) from None

    def _open(self) -> IO[bytes]:
        descriptor = _descriptor(self._name)
        if descriptor is not None:
            return open(os.dup(descriptor), "wb")
        self._place = os.path.realpath(self._name)
        try:
            there: os.stat_result | None = os.stat(self._name)
        except FileNotFoundError:
            there = None
        if there is None:
            return self._beside(0o666)
        if not stat.S_ISREG(there.st_mode):
            return open(os.open(self._name, os.O_WRONLY), "wb")
        if not os.access(self._name, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        try:
            file = self._beside(stat.S_IMODE(there.st_mode) & 0o700)
        except PermissionError:
            return open(self._name, "wb")
        try:
            made = os.fstat(file.fileno())
            if (made.st_uid, made.st_gid) != (there.st_uid, there.st_gid):
                os.fchown(file.fileno(), there.st_uid, there.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(there.st_mode))
        except PermissionError:  # only the superuser gives files away
            self._drop(file)
            return open(self._name, "wb")
        except BaseException:
            self._drop(file)
            raise
        return file

    def _beside(self, mode: int) -> IO[bytes]:
        name = os.path.join(os.path.dirname(self._place), f".vpcflow-{os.getpid()}-{os.urandom(4).hex()}.part")
        descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        self._temporary = name
        return open(descriptor, "wb")

    def _drop(self, file: IO[bytes]) -> None:
        with contextlib.suppress(OSError):  # of what is thrown away, errors do not matter
            file.close()
        temporary, self._temporary = self._temporary, None
        if temporary is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)

    def _refused(self, error: OSError) -> OSError:
        if isinstance(error, BrokenPipeError):
            return error  # of who reads; it is no failure
        if isinstance(error, FileNotFoundError):
            folder = os.path.dirname(self._name.rstrip("/")) or "."
            if os.path.isdir(folder):
                return cannot_write(self._name, error)
            error = FileNotFoundError(errno.ENOENT, f"there is no folder {printable(folder)}")
        elif isinstance(error, IsADirectoryError) or os.path.isdir(self._name):
            error = IsADirectoryError(errno.EISDIR, "it is a folder; a file is needed")
        return cannot_write(self._name, error)

    def keep(self) -> None:
        """Completes the file."""
        if self._done:
            return
        try:
            self.file.flush()
            if self._temporary is not None:
                _sync(self.file.fileno())
            self.file.close()
            if self._temporary is not None:
                self._replace(self._temporary)
            self._done = True
        except OSError as error:
            raise self._refused(error) from None
        finally:
            self.discard()

    def _replace(self, temporary: str) -> None:
        try:
            os.replace(temporary, self._place)
        except OSError as error:
            if error.errno != errno.EBUSY:  # a file that is mounted by itself, as into a container
                raise
            shutil.copyfile(temporary, self._place)
            os.unlink(temporary)
        self._temporary = None

    def discard(self) -> None:
        """Drops what was written; what a device or FIFO has got stays there."""
        if not self._done:
            self._done = True
            self._drop(self.file)

    def __enter__(self) -> Writing:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self.keep()
            return
        self.discard()
        if type(error) is OSError or isinstance(error, (PermissionError, BrokenPipeError)):
            raise self._refused(error) from None


class Counted:
    """A binary file that knows how far it is, as writers of Arrow and Parquet ask also of pipes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._written = file, 0

    def write(self, data: Any) -> int:
        """Writes bytes."""
        self._written += memoryview(data).nbytes
        return self._file.write(data)

    def tell(self) -> int:
        """Returns how many bytes were written."""
        return self._written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file as :class:`Writing` does."""
    with Writing(path) as out:
        out.file.write(data)


def write_secret(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a file that nobody but its owner may read (mode 0600). A name that is there already is an
    :class:`~vpcflow.OutputError`, also a link: what it held cannot be had again."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise OutputError(f"{printable(os.fspath(path))}: it is there already; a name that is free is needed") from None
    except OSError as error:
        raise cannot_write(path, error) from None
    with open(file, "wb") as out:
        out.write(data)


@contextlib.contextmanager
def folder_in_place(path: str | os.PathLike[str]) -> Iterator[str]:
    """Makes a folder to write files to, which are moved to the same names below ``path`` in the end: all, or none. What
    is there already is treated as by :class:`Writing`."""
    name = os.fspath(path)
    made = _first_missing(name)
    try:
        try:
            os.makedirs(name, exist_ok=True)
            beside = tempfile.mkdtemp(prefix=".vpcflow-", suffix=".part", dir=name)
        except OSError as error:
            if isinstance(error, FileExistsError):
                error = NotADirectoryError(errno.ENOTDIR, "it is a file; a folder is needed")
            raise cannot_write(name, error) from None
        try:
            yield beside
            for folder, _, files in os.walk(beside):
                place = os.path.join(name, os.path.relpath(folder, beside))
                os.makedirs(place, exist_ok=True)
                for file in files:
                    _move(os.path.join(folder, file), os.path.normpath(os.path.join(place, file)))
        except (OutputError, SourceError) as error:
            raise OutputError(str(error).replace(beside, name)) from None
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except BaseException:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)
        raise


def _first_missing(path: str) -> str | None:
    """Returns the first folder of a path that does not exist."""
    missing = None
    path = os.path.abspath(path)
    while not os.path.lexists(path):
        missing, path = path, os.path.dirname(path)
    return missing


def _move(file: str, place: str) -> None:
    try:
        if not os.path.lexists(place):
            os.rename(file, place)
            return
    except OSError as error:
        raise cannot_write(place, error) from None
    with open(file, "rb") as content, Writing(place) as out:
        shutil.copyfileobj(content, out.file)


def open_to_append(path: str | os.PathLike[str]) -> tuple[IO[bytes], bool]:
    """Opens a file to append to, unbuffered, and returns it with whether its content can be read; a device, FIFO or
    descriptor is written through. ``OSError`` as the system gives it."""
    descriptor = _descriptor(os.fspath(path))
    if descriptor is not None:
        return open(os.dup(descriptor), "wb", buffering=0), False
    try:
        regular = stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        regular = True
    if regular:
        return open(path, "a+b", buffering=0), True
    return open(os.open(path, os.O_WRONLY), "wb", buffering=0), False


def check_writable(path: str | os.PathLike[str]) -> None:
    """Raises the :class:`~vpcflow.OutputError` of a path that cannot be written, as far as a check without writing
    shows."""
    name = os.fspath(path)
    place = os.path.realpath(name)
    if _descriptor(name) is not None:
        return
    if os.path.isdir(place):
        raise cannot_write(name, IsADirectoryError(errno.EISDIR, "it is a folder; a file is needed"))
    folder = os.path.dirname(place)
    if not os.path.isdir(folder):
        raise cannot_write(name, FileNotFoundError(errno.ENOENT, f"there is no folder {printable(folder)}"))
    there = os.path.exists(place)
    if not os.access(place if there else folder, os.W_OK if there else os.W_OK | os.X_OK):
        raise cannot_write(name, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _descriptor(name: str) -> int | None:
    """Returns the open descriptor of this process that a path such as ``/dev/stdout`` stands for."""
    for _ in range(40):  # as many links as the system follows
        match = _DESCRIPTOR.fullmatch(os.path.abspath(name))
        if match:
            return int(match[1])
        if not os.path.islink(name):
            return None
        name = os.path.join(os.path.dirname(name), os.readlink(name))
    return None


def _sync(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system without
            raise
