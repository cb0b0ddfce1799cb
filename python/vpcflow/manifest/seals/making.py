"""Signs the newest head of a manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import os

from ..._display import printable
from ...errors import ArgumentError, ManifestError
from ...io.aws.session import Connection
from ...typing import AwsOptions
from ..checking import check_files
from ..folder import Folder
from ..heads import Head
from ..strict import read_small
from . import dsse, minisign, ssh, stamp
from .seal import seal_file

_KINDS = (
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
        raise ArgumentError(f"manifest.sign: no key; give {_KINDS}; or the URL of an authority that stamps")
    place = Folder(folder)
    place.check_there()
    with place.locked():
        checked = check_files(place)
        checked.require_whole("manifest sign")
        head = checked.last
        assert head is not None  # there is one in a whole manifest
        files = [] if key is None else _signed(place, head, os.fspath(key), Connection.of(aws))
        if stamp_url is not None:
            answer = stamp.stamped(head.data(), stamp_url)
            files += _written(place, {seal_file(head.number, _named(answer, "tsr")): answer})
        if files or checked.sums:
            place.write_sums()
    return Signed(head, files)


def _signed(folder: Folder, head: Head, key: str, connection: Connection) -> list[str]:
    """Signs a head; returns the files written."""
    if key.startswith("awskms:"):
        return _enveloped(folder, head, dsse.KmsSigner(key.partition(":")[2].lstrip("/"), connection))
    data, path = _key(key)
    if b"minisign encrypted secret key" in data.partition(b"\n")[0] or data.startswith(b"untrusted comment:"):
        signature, public = minisign.signed(head.data(), data, key)
        name = minisign.key_id(public)
        return _written(folder, {seal_file(head.number, f"{name}.minisig"): signature, f"keys/{name}.pub": public})
    if b"BEGIN OPENSSH PRIVATE KEY" in data or ssh.allowed_signers(data) is not None:
        signature = ssh.signed(head.data(), None if path else data, key)
        return _written(folder, {seal_file(head.number, f"{ssh.signer_id(signature)}.sig"): signature})
    if b"PRIVATE KEY-----" in data:
        return _enveloped(folder, head, dsse.KeySigner(data, key))
    raise ManifestError(f"key {printable(key)}: no private key in it; expected {_KINDS}")


def _key(key: str) -> tuple[bytes, bool]:
    """Returns the content of a key, and whether it is in a file."""
    if not key.startswith("env:"):
        return read_small(key), True
    text = os.environ.get(key[4:])
    if not text:
        raise ManifestError(f"key {printable(key)}: the variable is not set")
    return text.encode().strip() + b"\n", False


def _enveloped(folder: Folder, head: Head, signer: dsse.Signer) -> list[str]:
    name = seal_file(head.number, "dsse.json")
    before = read_small(folder.path / name) if (folder.path / name).exists() else None
    return _written(
        folder,
        {name: dsse.envelope(head, before, signer), f"keys/{dsse.keyid_of(signer.public)}.pem": signer.public},
    )


def _named(data: bytes, ending: str) -> str:
    return f"{hashlib.sha256(data).hexdigest()[:16]}.{ending}"


def _written(folder: Folder, files: dict[str, bytes]) -> list[str]:
    """Writes files; returns the names of signatures that are new. A signature that is there already stays."""
    out = []
    for name, data in files.items():
        place = folder.path / name
        old = read_small(place) if place.exists() else None
        if old == data or (old is not None and name.endswith((".sig", ".minisig"))):
            continue
        folder.write(name, data)
        if name.startswith("signatures/"):
            out.append(name)
    return out
