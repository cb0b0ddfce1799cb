"""Keys of encrypted Parquet: a file of master keys, or keys of AWS KMS, and what opens and writes files with them.

Parquet modular encryption, by pyarrow: the footer has a key, and each group of columns has one. The keys that encrypt
lie in the file, wrapped by the master keys.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import json
import os
from collections.abc import Mapping
from typing import Any

from .._display import printable
from ..errors import ProtectionError, SourceError
from .aws.session import Connection
from .aws.words import code_of, explained

#: The variable that names the file of keys by which encrypted Parquet is read.
VARIABLE = "VPCFLOW_KEYS"
#: In the metadata of a file: the key of each column, as JSON.
COLUMN_KEYS = b"vpcflow.column_keys"
FOOTER, OWNER = "footer", "owner"
_MOST = 1 << 20
MASTER_BYTES = 32
_NONCE_BYTES = 12
_FORM = "made by vpcflow protect keys"


@dataclasses.dataclass(frozen=True)
class KeyFile:
    """Master keys, by name: ``footer``, and one for each group of columns that the same roles may read.

    ``keys``: of each name all versions, oldest first, or the one key of AWS KMS (an ARN, id or alias). ``fields``: the
    fields that each role may read, in the owner's file alone. ``role``: whose keys they are.
    """

    role: str
    keys: Mapping[str, tuple[bytes, ...] | str] = dataclasses.field(repr=False)
    fields: Mapping[str, tuple[str, ...]]

    @property
    def of_aws(self) -> bool:
        """Whether the keys are those of AWS KMS."""
        return any(isinstance(key, str) for key in self.keys.values())

    def key_of(self, field: str) -> str:
        """Returns the name of the key of a field, by AWS's name: the roles that may read it, else the owner's.

        All roles may read which records have data, as without that none is understood."""
        if field == "log-status":
            return FOOTER
        roles = sorted(role for role, fields in self.fields.items() if field in fields)
        return "+".join(roles) or OWNER

    def of_role(self, role: str) -> KeyFile:
        """Returns the keys that a role needs."""
        own = {name: key for name, key in self.keys.items() if name == FOOTER or role in name.split("+")}
        return KeyFile(role, own, {})

    def to_bytes(self) -> bytes:
        """Returns what the file holds."""
        keys = {
            name: key if isinstance(key, str) else [base64.b64encode(version).decode() for version in key]
            for name, key in self.keys.items()
        }
        document = {
            "schema": 1,
            "role": self.role,
            "keys": keys,
            "fields": {r: list(f) for r, f in self.fields.items()},
        }
        return (json.dumps(document, indent=1) + "\n").encode()

    @classmethod
    def read(cls, path: str) -> KeyFile:
        """Reads a file. Raises :class:`~vpcflow.SourceError`, and :class:`~vpcflow.ProtectionError` for what is none,
        without a word of its content."""
        name = printable(path)
        try:
            with open(path, "rb") as file:
                data = file.read(_MOST + 1)
        except OSError as error:
            raise SourceError(f"keys {name}: cannot be read: {error.strerror}") from None
        try:
            document = json.loads(data)
            keys = {
                str(key): value if isinstance(value, str) else tuple(_master(one) for one in value)
                for key, value in document["keys"].items()
            }
            fields = {str(role): tuple(map(str, names)) for role, names in document.get("fields", {}).items()}
            if document["schema"] != 1 or FOOTER not in keys or not all(keys.values()):
                raise ValueError
            return cls(str(document["role"]), keys, fields)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise ProtectionError(f"keys {name}: it is no file of keys; allowed is one {_FORM}") from None


def _master(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
    if len(key) != MASTER_BYTES:
        raise ValueError
    return key


class Crypto:
    """What pyarrow needs to write and read files with some keys. Any thread may use it."""

    def __init__(self, keys: KeyFile, connection: Connection | None = None) -> None:
        from pyarrow.parquet import encryption

        self.keys = keys
        client = _client_class()
        # Kept: properties that it made end with it.
        self._factory = encryption.CryptoFactory(lambda config: client(keys, connection or Connection()))
        self._config = encryption.KmsConnectionConfig()

    def encryption(self, columns: Mapping[str, str]) -> Any:
        """Returns pyarrow's properties for a file of columns, each with the name of its key."""
        from pyarrow.parquet import encryption

        groups: dict[str, list[str]] = {}
        for column, key in columns.items():
            groups.setdefault(key, []).append(column)
        own = encryption.EncryptionConfiguration(
            footer_key=FOOTER, column_keys=groups, double_wrapping=True, data_key_length_bits=256
        )
        return self._factory.file_encryption_properties(self._config, own)

    def decryption(self) -> Any:
        """Returns pyarrow's properties for reading."""
        from pyarrow.parquet import encryption

        return self._factory.file_decryption_properties(self._config, encryption.DecryptionConfiguration())

    def check(self, name: str, schema: Any, columns: list[str]) -> None:
        """Raises :class:`~vpcflow.SourceError` for columns of a file of ours whose keys are not there."""
        try:
            known = json.loads((schema.metadata or {}).get(COLUMN_KEYS, b"{}"))
        except ValueError:
            known = {}
        refused = [column for column in columns if known.get(column, FOOTER) not in self.keys.keys]
        if refused:
            readable = [column for column, key in known.items() if key in self.keys.keys]
            raise SourceError(
                f"{name}: {', '.join(refused)}: encrypted, and the keys of {printable(self.keys.role)!r} do not open "
                f"{'it' if len(refused) == 1 else 'them'}; they open {', '.join(readable) or 'no column'}"
            )


def crypto_for(name: str) -> Crypto:
    """Returns what opens encrypted files: by the keys that the environment names. Raises
    :class:`~vpcflow.SourceError` if it names none."""
    path = os.environ.get(VARIABLE)
    if not path:
        raise SourceError(f"{name}: encrypted Parquet; set {VARIABLE} to the file of your keys, {_FORM}")
    try:
        there = os.stat(path)
    except OSError as error:
        raise SourceError(f"{VARIABLE}={printable(path)}: cannot be read: {error.strerror}") from None
    return _crypto_of(path, there.st_mtime_ns, there.st_ino)


@functools.lru_cache(maxsize=4)
def _crypto_of(path: str, *changed: int) -> Crypto:
    return Crypto(KeyFile.read(path))


@functools.lru_cache(maxsize=1)
def _client_class() -> Any:
    """Returns the class of pyarrow's clients of key services: pyarrow is not imported before."""
    from pyarrow.parquet import encryption

    class Client(encryption.KmsClient):  # type: ignore[misc]
        def __init__(self, keys: KeyFile, connection: Connection) -> None:
            super().__init__()
            self._keys, self._connection = keys, connection

        def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
            return base64.b64encode(wrap(self._keys, self._connection, key_bytes, master_key_identifier))

        def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
            try:
                data = base64.b64decode(wrapped_key, validate=True)
            except binascii.Error:
                raise ProtectionError(f"key {master_key_identifier}: damaged") from None
            return unwrap(self._keys, self._connection, data, master_key_identifier)

    return Client


def _master_of(keys: KeyFile, name: str) -> tuple[bytes, ...] | str:
    key = keys.keys.get(name)
    if key is None:
        raise ProtectionError(f"the keys of {keys.role!r} have no key {name!r}")
    return key


def wrap(keys: KeyFile, connection: Connection, data: bytes, name: str) -> bytes:
    """Encrypts a key by the newest version of a master key."""
    master = _master_of(keys, name)
    if isinstance(master, str):
        answer = _kms(connection, "encrypt", name, KeyId=master, Plaintext=data)
        return bytes(answer["CiphertextBlob"])
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(master[-1]).encrypt(nonce, data, name.encode())


def unwrap(keys: KeyFile, connection: Connection, data: bytes, name: str) -> bytes:
    """Decrypts a key by the version of a master key that encrypted it."""
    master = _master_of(keys, name)
    if isinstance(master, str):
        return bytes(_kms(connection, "decrypt", name, KeyId=master, CiphertextBlob=data)["Plaintext"])
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    for version in reversed(master):
        try:
            return AESGCM(version).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            continue
    raise ProtectionError(f"key {name!r}: not the one that encrypted the file, nor an older version of it")


def _kms(connection: Connection, call: str, name: str, **arguments: Any) -> dict[str, Any]:
    try:
        client = connection.client("kms")
        answer: dict[str, Any] = getattr(client, call)(**arguments, EncryptionContext={"vpcflow": name})
        return answer
    except Exception as error:
        raise ProtectionError(f"key {name!r} of AWS KMS: {explained(*code_of(error))}") from None
