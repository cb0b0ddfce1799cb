"""Signatures of heads, a kind a file: DSSE by Ed25519, ECDSA or KMS; ssh-keygen; minisign; time stamps."""

from .keys import Keys, keys_of
from .making import Signed, sign
from .seal import Seal

__all__ = ["Keys", "Seal", "Signed", "keys_of", "sign"]


def __dir__() -> list[str]:
    return __all__
