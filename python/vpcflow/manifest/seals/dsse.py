"""DSSE envelopes: in-toto statements, signed by keys of Ed25519 or ECDSA, of files or in AWS KMS."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any, Protocol

from ..._display import printable
from ...errors import ManifestError
from ...io.aws.session import Connection
from ..strict import checked, json_bytes, json_value
from .seal import Signable, password_of

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_LARGEST_MESSAGE = 4096  # bytes that KMS takes
_CURVES = ("secp256r1", "secp384r1")
_ALLOWED = "an Ed25519 or an ECDSA key on P-256 or P-384"


class Signer(Protocol):
    """Signs bytes. ``public``: its public key, in PEM."""

    public: bytes

    def sign(self, data: bytes) -> bytes: ...


def statement(of: Signable) -> bytes:
    """Returns the in-toto statement about what is signed."""
    subject = [{"name": of.file, "digest": {"sha256": hashlib.sha256(of.data()).hexdigest()}}]
    return json_bytes({
        "_type": "https://in-toto.io/Statement/v1", "subject": subject, "predicateType": of.predicate_type,
        "predicate": of.as_dict(),
    })  # fmt: skip


def pre_authentication(payload: bytes) -> bytes:
    """Returns the bytes that are signed: DSSE's encoding of the type and the payload.

    >>> pre_authentication(b"{}")
    b'DSSEv1 28 application/vnd.in-toto+json 2 {}'
    """
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def envelope(of: Signable, before: bytes | None, signer: Signer) -> bytes:
    """Returns the envelope of what is signed with one signature more; ``before``: the envelope so far. The same
    bytes if the key has signed it."""
    payload = statement(of)
    signatures = [] if before is None else parsed(before, of)
    keyid = keyid_of(signer.public)
    if any(own["keyid"] == keyid for own in signatures) and before is not None:
        return before
    made = base64.b64encode(signer.sign(pre_authentication(payload))).decode()
    signatures.append({"keyid": keyid, "sig": made})
    value = {"payloadType": PAYLOAD_TYPE, "payload": base64.b64encode(payload).decode(), "signatures": signatures}
    return json_bytes(value) + b"\n"


def parsed(data: bytes, of: Signable) -> list[dict[str, str]]:
    """Returns the signatures of an envelope. Raises :class:`~vpcflow.ManifestError` if it is about something else."""
    what = "envelope"
    if not data.endswith(b"\n"):
        raise ManifestError(f"{what}: cut")
    value = checked(
        json_value(data[:-1], what), {"payloadType": (str,), "payload": (str,), "signatures": (list,)}, what
    )
    if value["payloadType"] != PAYLOAD_TYPE or value["payload"] != base64.b64encode(statement(of)).decode():
        raise ManifestError(f"{what}: it is not about {of.file} as it is now")
    for own in value["signatures"]:
        if type(own) is not dict:
            raise ManifestError(f"{what}: a signature is no object")
        checked(own, {"keyid": (str,), "sig": (str,)}, what)
    found: list[dict[str, str]] = value["signatures"]
    if not found or len({own["keyid"] for own in found}) < len(found):
        raise ManifestError(f"{what}: has no signature, or a key twice")
    return found


def is_signed(of: Signable, signature: str, public: bytes) -> bool:
    """Tells whether a signature of an envelope is one of this by a key in PEM."""
    from cryptography.exceptions import InvalidSignature

    try:
        made = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    if base64.b64encode(made).decode() != signature:
        return False
    data = pre_authentication(statement(of))
    key = public_key(public)
    try:
        if hasattr(key, "curve"):
            from cryptography.hazmat.primitives.asymmetric import ec

            key.verify(made, data, ec.ECDSA(_hash_of(key)))
        else:
            key.verify(made, data)
    except InvalidSignature:
        return False
    return True


def public_key(pem: bytes) -> Any:
    """Reads a public key. Raises :class:`~vpcflow.ManifestError` for one of another kind."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return _allowed(load_pem_public_key(pem))
    except ManifestError:
        raise
    except Exception as error:  # of its several kinds
        raise ManifestError(f"public key: cannot be read: {error}") from None


def _allowed(key: Any) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    ours = (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey)
    if not isinstance(key, ours) or (hasattr(key, "curve") and key.curve.name not in _CURVES):
        raise ManifestError(f"key: is a {type(key).__name__.strip('_')}; allowed is {_ALLOWED}")
    return key


def _hash_of(key: Any) -> Any:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256() if key.curve.name == _CURVES[0] else hashes.SHA384()


def keyid_of(pem: bytes) -> str:
    """Returns the name of a key: SHA-256 of its public half as DER."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    der = public_key(pem).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _pem_of(key: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem


class KeySigner:
    """Signs by a private key in PEM."""

    def __init__(self, pem: bytes, name: str) -> None:
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        password = password_of(name) if b"ENCRYPTED" in pem else None
        try:
            self._key = _allowed(load_pem_private_key(pem, password))
        except ManifestError:
            raise
        except Exception as error:
            raise ManifestError(f"key {printable(name)}: cannot be read: {error}") from None
        self.public = _pem_of(self._key.public_key())

    def sign(self, data: bytes) -> bytes:
        """Signs bytes."""
        if not hasattr(self._key, "curve"):
            signature: bytes = self._key.sign(data)
            return signature
        from cryptography.hazmat.primitives.asymmetric import ec

        made: bytes = self._key.sign(data, ec.ECDSA(_hash_of(self._key)))
        return made


class KmsSigner:
    """Signs by a key of AWS KMS, which never leaves it. ``key``: an id, an ARN, or ``alias/NAME``."""

    def __init__(self, key: str, connection: Connection) -> None:
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        from ...io.aws.words import in_words

        region = key.split(":")[3] if key.startswith("arn:") and key.count(":") >= 5 else connection.region
        self._key, self._client = key, connection.client("kms", region)
        with in_words(f"KMS key {printable(key)}"):
            answer = self._client.get_public_key(KeyId=key)
        found = _allowed(load_der_public_key(answer["PublicKey"]))
        self._algorithm = "ECDSA_SHA_256" if found.curve.name == _CURVES[0] else "ECDSA_SHA_384"
        self.public = _pem_of(found)

    def sign(self, data: bytes) -> bytes:
        """Signs bytes; of more than KMS takes it gets the hash."""
        from ...io.aws.words import in_words

        message, kind = data, "RAW"
        if len(data) > _LARGEST_MESSAGE:
            hashed = hashlib.sha256 if self._algorithm == "ECDSA_SHA_256" else hashlib.sha384
            message, kind = hashed(data).digest(), "DIGEST"
        with in_words(f"KMS key {printable(self._key)}"):
            answer = self._client.sign(
                KeyId=self._key, Message=message, MessageType=kind, SigningAlgorithm=self._algorithm
            )
        signature: bytes = answer["Signature"]
        return signature
