"""Signs the newest head of a manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

from ..._display import printable
from ...errors import ArgumentError, ManifestError
from ...io.aws.session import Connection
from ...typing import AwsOptions
from ..checking import check_files
from ..folder import Folder, write_file
from ..heads import Head
from ..strict import read_small
from . import dsse, minisign, ssh, stamp
from .seal import Signable, seal_file

#: The keys that sign, in words.
KEYS = (
    "a private key in PEM (openssl genpkey -algorithm ed25519), of ssh-keygen, or of minisign; env:NAME for a variable "
    "that holds one; awskms:KEY"
)


@dataclasses.dataclass(frozen=True)
class Signed:
    """What :func:`sign` wrote: ``files`` in the folder of the manifest, about its newest ``head``; none if the same key
    had signed it before."""

    head: Head
    files: list[str]


def sign(
    folder: str | os.PathLike[str],
    key: str | os.PathLike[str] | None = None,
    *,
    stamp_url: str | None = None,
    aws: AwsOptions | None = None,
) -> Signed:
    """Signs the newest head of the manifest in a folder, and by it all before. Several keys may sign, one call each.

    ``key``: a file, or ``env:NAME`` for a variable that holds one. Ed25519 and ECDSA keys in PEM sign an in-toto
    statement in a DSSE envelope; so does ``awskms:KEY``, of KMS, with an id, an ARN or ``alias/NAME``. A key of
    ``ssh-keygen`` signs as ``ssh-keygen -Y sign`` does, one of minisign as minisign does. The password of an encrypted
    key is in the variable ``VPCFLOW_KEY_PASSWORD``.

    ``stamp_url``: an authority of RFC 3161, which stamps the head with its time.

    Raises :class:`~vpcflow.ManifestError` if the manifest is not as it was written, or the key cannot be used. Needs
    ``pip install 'vpcflow[sign]'``, but for keys of ``ssh-keygen``.
    """
    if key is None and stamp_url is None:
        raise ArgumentError(f"manifest.sign: no key; give {KEYS}; or the URL of an authority that stamps")
    place = Folder(folder)
    place.check_there()
    with place.locked():
        checked = check_files(place)
        checked.require_whole("manifest sign")
        head = checked.last
        assert head is not None  # there is one in a whole manifest
        files = sign_this(place.path, head, key, stamp_url, Connection.of(aws))
        if files or checked.sums:
            place.write_sums()
    return Signed(head, files)


def sign_this(
    root: Path, of: Signable, key: str | os.PathLike[str] | None, stamp_url: str | None, connection: Connection
) -> list[str]:
    """Signs a head or a line of custody; returns the names of new signatures, below ``root``."""
    files = [] if key is None else _signed(root, of, os.fspath(key), connection)
    if stamp_url is not None:
        answer = stamp.stamped(of.data(), stamp_url)
        name = f"{hashlib.sha256(answer).hexdigest()[:16]}.tsr"
        files += _written(root, {seal_file(of.number, name): answer})
    return files


def _signed(root: Path, of: Signable, key: str, connection: Connection) -> list[str]:
    if key.startswith("awskms:"):
        return _enveloped(root, of, dsse.KmsSigner(key.partition(":")[2].lstrip("/"), connection))
    data, in_file = _key(key)
    if data.startswith(b"untrusted comment:"):
        signature, public = minisign.signed(of.data(), data, key)
        name = minisign.key_id(public)
        return _written(root, {seal_file(of.number, f"{name}.minisig"): signature, f"keys/{name}.pub": public})
    if b"BEGIN OPENSSH PRIVATE KEY" in data or ssh.allowed_signers(data) is not None:
        signature = ssh.signed(of.data(), None if in_file else data, key)
        return _written(root, {seal_file(of.number, f"{ssh.signer_id(signature)}.sig"): signature})
    if b"PRIVATE KEY-----" in data:
        return _enveloped(root, of, dsse.KeySigner(data, key))
    raise ManifestError(f"key {printable(key)}: no private key in it; expected {KEYS}")


def _key(key: str) -> tuple[bytes, bool]:
    """Returns the content of a key, and whether it is in a file."""
    if not key.startswith("env:"):
        return read_small(key), True
    text = os.environ.get(key[4:])
    if not text:
        raise ManifestError(f"key {printable(key)}: the variable is not set")
    return text.encode().strip() + b"\n", False


def _enveloped(root: Path, of: Signable, signer: dsse.Signer) -> list[str]:
    name = seal_file(of.number, "dsse.json")
    before = read_small(root / name) if (root / name).exists() else None
    envelope = dsse.envelope(of, before, signer)
    return _written(root, {name: envelope, f"keys/{dsse.keyid_of(signer.public)}.pem": signer.public})


def _written(root: Path, files: dict[str, bytes]) -> list[str]:
    """Writes files; returns the names of signatures that are new. A signature that is there already stays."""
    out = []
    for name, data in files.items():
        place = root / name
        old = read_small(place) if place.exists() else None
        if old == data or (old is not None and name.endswith((".sig", ".minisig"))):
            continue
        write_file(root, name, data)
        if name.startswith("signatures/"):
            out.append(name)
    return out
