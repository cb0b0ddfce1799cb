"""Keys of anonymising: 256 secret bits in a file, or in a variable of the environment."""

from __future__ import annotations

import base64
import os
import re
import secrets
import stat

from .._display import printable
from ..errors import ProtectionError, SourceError, SourceNotFoundError
from ..io.writing import write_secret

KEY_BYTES = 32
_MOST = 4096  # bytes of a key file that are looked at
_FORMS = f"allowed are {KEY_BYTES} bytes as they are, 64 hexadecimal digits, or base64; make one with --new-key FILE"


def new_key(path: str | os.PathLike[str]) -> None:
    """Writes a new random key to a file that nobody else can read (mode 0600), as 64 hexadecimal digits.

    ``openssl rand -hex 32 > FILE`` makes the same. Raises :class:`~vpcflow.OutputError` for a file that is there
    already, as a lost key cannot be had again, or that cannot be written.

    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp(), "key")
    >>> new_key(path)
    >>> len(read_key(path)), oct(path.stat().st_mode & 0o777)
    (32, '0o600')
    """
    write_secret(path, f"{secrets.token_hex(KEY_BYTES)}\n".encode())


def read_key(place: str | os.PathLike[str]) -> bytes:
    """Returns the 32 bytes of a key: of a file, or of ``env:NAME``, a variable of the environment.

    Raises :class:`~vpcflow.SourceError` for a file that cannot be read, and :class:`~vpcflow.ProtectionError` for what
    is no key, and for a file that everybody may write. No message holds a part of a key.
    """
    name = os.fspath(place)
    if name.startswith("env:"):
        value = os.environ.get(name[4:])
        if value is None:
            raise ProtectionError(f"key {printable(name)}: the environment has no variable of that name")
        return _decoded(os.fsencode(value), name)
    return _decoded(_content(name), name)


def readable_by_others(place: str | os.PathLike[str]) -> bool:
    """Returns whether a key is a file that others than its owner may read."""
    try:
        there = os.stat(place)
    except OSError:
        return False
    return stat.S_ISREG(there.st_mode) and bool(there.st_mode & 0o044)


def _content(name: str) -> bytes:
    try:
        with open(name, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if stat.S_ISREG(mode) and mode & 0o002:
                raise ProtectionError(f"key {printable(name)}: everybody may write it; chmod 600 it, or take another")
            return file.read(_MOST + 1)
    except FileNotFoundError:
        raise SourceNotFoundError(
            f"key {printable(name)}: there is no such file; make one with --new-key FILE"
        ) from None
    except OSError as error:
        raise SourceError(f"key {printable(name)}: cannot be read: {error.strerror}") from None


def _decoded(data: bytes, name: str) -> bytes:
    text = data.strip()
    if len(data) == KEY_BYTES:
        return data
    if re.fullmatch(rb"[0-9A-Fa-f]{64}", text):
        return bytes.fromhex(text.decode())
    if re.fullmatch(rb"[A-Za-z0-9+/]{43}=", text):
        return base64.b64decode(text)
    if len(data) == KEY_BYTES + 1 and data.endswith(b"\n"):
        return data[:KEY_BYTES]
    size = f"more than {_MOST:,}" if len(data) > _MOST else f"{len(data):,}"
    raise ProtectionError(f"key {printable(name)}: {size} bytes are no key; {_FORMS}")
