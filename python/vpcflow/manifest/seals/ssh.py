"""Signatures by ``ssh-keygen -Y``: with the keys that people have."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from ..._display import printable
from ...errors import ManifestError
from .seal import PrivateFile, run_program

NAMESPACE = "vpcflow-manifest"
_PACKAGE = "OpenSSH 8.2 or newer"
_ARMOR = re.compile(rb"-----BEGIN SSH SIGNATURE-----\n([A-Za-z0-9+/=\n]{1,20000})\n-----END SSH SIGNATURE-----\n")
_KEY_LINE = re.compile(rb"(?:sk-)?(?:ssh-|ecdsa-)[a-z0-9@.-]+ [A-Za-z0-9+/=]+")


def signed(data: bytes, key: bytes | None, path: str) -> bytes:
    """Signs bytes by the key in a file (of a public one the agent has the other half), or by ``key`` itself."""
    if key is not None:
        with PrivateFile(key) as file:
            return _signed(data, file, path)
    return _signed(data, path, path)


def _signed(data: bytes, file: str, name: str) -> bytes:
    done = run_program(["ssh-keygen", "-Y", "sign", "-q", "-n", NAMESPACE, "-f", file], data, _PACKAGE)
    if done.returncode or not _ARMOR.fullmatch(done.stdout):
        said = done.stderr.decode("utf-8", "replace").replace(file, name).strip().splitlines()
        raise ManifestError(f"key {printable(name)}: ssh-keygen: {printable(said[-1] if said else 'no signature')}")
    return done.stdout


def signer_id(signature: bytes) -> str:
    """Returns 16 digits that name the key of a signature. Raises :class:`~vpcflow.ManifestError`."""
    match = _ARMOR.fullmatch(signature)
    try:
        raw = base64.b64decode(match[1].replace(b"\n", b""), validate=True) if match else b""
    except (binascii.Error, ValueError):
        raw = b""
    size = int.from_bytes(raw[10:14], "big")
    if raw[:10] != b"SSHSIG\0\0\0\1" or not 0 < size <= len(raw) - 14:
        raise ManifestError("not a signature of ssh-keygen")
    return hashlib.sha256(raw[14 : 14 + size]).hexdigest()[:16]


def is_signed(data: bytes, signature: bytes) -> bool:
    """Tells whether a signature is one of these bytes, by the key that it holds."""
    with PrivateFile(signature) as file:
        done = run_program(["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", file], data, _PACKAGE)
    return done.returncode == 0


def known_signer(data: bytes, signature: bytes, allowed: bytes) -> str | None:
    """Returns the principal of an allowed-signers file by whose key the bytes are signed, or ``None``."""
    with PrivateFile(signature) as file, PrivateFile(allowed) as signers:
        found = run_program(["ssh-keygen", "-Y", "find-principals", "-s", file, "-f", signers], b"", _PACKAGE)
        for name in found.stdout.decode("utf-8", "replace").splitlines()[:20]:
            command = ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", name, "-n", NAMESPACE, "-s", file]
            if found.returncode == 0 and run_program(command, data, _PACKAGE).returncode == 0:
                return name
    return None


def allowed_signers(data: bytes) -> bytes | None:
    """Returns the allowed signers of a file: of a list as it is, of a public key the key alone; ``None`` for others."""
    out = []
    for line in data.splitlines():
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        if _KEY_LINE.match(text):
            text = b"key-" + hashlib.sha256(text.split()[1]).hexdigest()[:8].encode() + b" " + text
        elif not re.search(rb"\s" + _KEY_LINE.pattern, text):
            return None
        out.append(text)
    return b"\n".join(out) + b"\n" if out else None
