"""What all kinds of signatures have: where they are kept, and what a look at one found."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from ..._display import printable
from ...errors import ManifestError

_NAME = re.compile(r"signatures/([0-9]{6,12})\.(?:(dsse)\.json|([0-9a-f]{16})\.(sig|minisig|tsr))")
_PASSWORD = "VPCFLOW_KEY_PASSWORD"
_TIMEOUT = 60.0  # seconds for a program; a passphrase may be typed


class Signable(Protocol):
    """What is signed: a head, or a line of custody. ``number`` and ``file`` name it; ``data()`` are its bytes."""

    @property
    def number(self) -> int: ...

    @property
    def file(self) -> str: ...

    @property
    def predicate_type(self) -> str: ...

    def data(self) -> bytes: ...

    def as_dict(self) -> dict[str, Any]: ...


class Seal(NamedTuple):
    """A signature. ``number``: of what it signs. ``good``: it is one of that, by the key that it names; ``known``:
    the key is among those allowed. ``signer``: what to call who signed. ``fault``: why it is not good."""

    file: str
    number: int
    good: bool
    known: bool = False
    signer: str = ""
    fault: str = ""


def seal_file(number: int, ending: str) -> str:
    """Returns the name of a signature's file in the folder of its manifest."""
    return f"signatures/{number:06}.{ending}"


def parsed_name(name: str) -> tuple[int, str] | None:
    """Returns the number of what is signed and the kind of a file: ``dsse``, ``sig``, ``minisig``, ``tsr``."""
    match = _NAME.fullmatch(name)
    return (int(match[1]), match[2] or match[4]) if match else None


def password_of(name: str) -> bytes:
    """Returns the password of a key. Raises :class:`~vpcflow.ManifestError` if none is given."""
    text = os.environ.get(_PASSWORD)
    if text is None:
        raise ManifestError(f"key {printable(name)}: it is encrypted; put its password into the variable {_PASSWORD}")
    return text.encode()


def run_program(command: Sequence[str], data: bytes, package: str) -> subprocess.CompletedProcess[bytes]:
    """Runs a program with ``data`` as its standard input. Raises :class:`~vpcflow.ManifestError` if it is not there."""
    try:
        return subprocess.run(command, input=data, capture_output=True, timeout=_TIMEOUT, check=False)
    except FileNotFoundError:
        raise ManifestError(f"{command[0]}: not installed; {package} brings it") from None
    except subprocess.TimeoutExpired:
        raise ManifestError(f"{command[0]}: no answer in {_TIMEOUT:.0f} seconds") from None


class PrivateFile:
    """A file with a secret or a key for a program, which goes with the block."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __enter__(self) -> str:
        self._folder = tempfile.TemporaryDirectory(prefix="vpcflow-")
        path = os.path.join(self._folder.name, "key")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(self._data)
        return path

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()
