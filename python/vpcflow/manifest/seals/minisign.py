"""Signatures of minisign, by ``py-minisign``."""

from __future__ import annotations

from ..._display import printable
from ...errors import ManifestError
from .seal import password_of


def signed(data: bytes, key: bytes, name: str) -> tuple[bytes, bytes]:
    """Signs bytes by a secret key; returns the signature and the public key."""
    import minisign

    try:
        secret = minisign.SecretKey.from_bytes(key)
        if secret.is_encrypted():
            secret.decrypt(password_of(name).decode())
        return bytes(secret.sign(data)) + b"\n", bytes(secret.get_public_key()) + b"\n"
    except (minisign.Error, ValueError) as error:
        raise ManifestError(f"key {printable(name)}: minisign: {printable(str(error))}") from None


def key_id(public: bytes) -> str:
    """Returns the 16 digits by which minisign names a public key. Raises :class:`~vpcflow.ManifestError`."""
    import minisign

    try:
        found = bytes(minisign.PublicKey.from_bytes(public)._keynum_pk.key_id)
    except (minisign.Error, ValueError) as error:
        raise ManifestError(f"public key of minisign: {printable(str(error))}") from None
    return found[::-1].hex()


def is_signed(data: bytes, signature: bytes, public: bytes) -> bool:
    """Tells whether a signature is one of these bytes by a public key."""
    import minisign

    try:
        minisign.PublicKey.from_bytes(public).verify(data, minisign.Signature.from_bytes(signature))
    except (minisign.Error, ValueError):
        return False
    return True
