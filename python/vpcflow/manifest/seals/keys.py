"""The keys that are allowed to sign, by files of any of the usual kinds."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable
from pathlib import Path

from ..._display import printable
from ...errors import ManifestError
from ..strict import names_in, read_small
from . import dsse, minisign, ssh

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----\n?", re.S)
_ALLOWED = (
    "a public key in PEM, an allowed-signers file or a public key of ssh-keygen, a public key of minisign, or the "
    "certificates of a time-stamping authority in PEM"
)


@dataclasses.dataclass
class Keys:
    """Keys that are allowed. ``pem`` by the names of keys; ``ssh``: lines of an allowed-signers file; ``minisign`` by
    the names of keys; ``certificates``: of time-stamping authorities."""

    pem: dict[str, bytes] = dataclasses.field(default_factory=dict)
    ssh: bytes = b""
    minisign: dict[str, bytes] = dataclasses.field(default_factory=dict)
    certificates: list[bytes] = dataclasses.field(default_factory=list)

    @property
    def signs(self) -> bool:
        """Whether one of them can sign; certificates only check stamps."""
        return bool(self.pem or self.ssh or self.minisign)

    def add(self, data: bytes, name: str) -> None:
        """Adds the keys of a file. Raises :class:`~vpcflow.ManifestError` for a file of none."""
        blocks = [(match[1], match[0]) for match in _BLOCK.finditer(data)]
        if any(b"PRIVATE KEY" in kind for kind, _ in blocks) or b"minisign encrypted secret key" in data:
            raise ManifestError(f"keys: {printable(name)}: a private key; give the public one: {_ALLOWED}")
        for kind, block in blocks:
            if kind == b"CERTIFICATE":
                self.certificates.append(block)
            elif kind == b"PUBLIC KEY":
                self.pem[dsse.keyid_of(block)] = block
            else:
                raise ManifestError(f"keys: {printable(name)}: a {kind.decode().lower()}; expected {_ALLOWED}")
        if blocks:
            return
        if data.startswith(b"untrusted comment:"):
            self.minisign[minisign.key_id(data)] = data
            return
        signers = ssh.allowed_signers(data)
        if signers is None:
            raise ManifestError(f"keys: {printable(name)}: no key in it; expected {_ALLOWED}")
        self.ssh += signers


def keys_of(paths: Iterable[str | os.PathLike[str]]) -> Keys:
    """Reads the keys of files, and of all files of folders."""
    found = Keys()
    for path in map(Path, paths):
        files = [path / name for name in names_in(path)] if path.is_dir() else [path]
        for file in files:
            found.add(read_small(file), str(file))
        if not files:
            raise ManifestError(f"keys: {printable(str(path))}: an empty folder; expected files, each {_ALLOWED}")
    return found
