"""Roles, the fields that each may read, and the folder of their keys."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence

from .._hints import hint
from ..errors import OutputError, PlanError, ProtectionError
from ..formats.catalogue import fields
from ..io.parquet_keys import FOOTER, MASTER_BYTES, OWNER, KeyFile
from ..io.writing import cannot_write, write_secret, write_whole

_ROLE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def roles_of(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Returns the fields of each role, written as ``analyst=dstport,bytes``. Raises :class:`~vpcflow.PlanError`.

    >>> roles_of(["analyst=dstport,bytes"])
    {'analyst': ('dstport', 'bytes')}
    """
    known = [field.name for field in fields()]
    out: dict[str, tuple[str, ...]] = {}
    for text in texts:
        role, equals, names = text.partition("=")
        if not equals or not _ROLE.fullmatch(role) or role in (OWNER, FOOTER) or role in out:
            raise PlanError(
                f"role {text!r}: expected NAME=FIELD,FIELD with a new name of small letters other than owner and footer"
            )
        own = [name.strip().replace("_", "-") for name in names.split(",") if name.strip()]
        for name in own:
            if name not in known:
                raise PlanError(f"role {role}: unknown field {name!r}; {hint(name, known)}")
        if not own:
            raise PlanError(f"role {role}: no field; write {role}=FIELD,FIELD")
        out[role] = tuple(dict.fromkeys(own))
    return out


def new_keys(roles: Mapping[str, Sequence[str]], kms: Mapping[str, str] | None = None) -> KeyFile:
    """Makes the owner's keys for some roles, each with the fields that it may read. ``kms``: by name of the key
    (:meth:`KeyFile.key_of`, ``footer``), the key of AWS KMS in its place; all, or none."""
    made = KeyFile(OWNER, {}, {role: tuple(own) for role, own in roles.items()})
    names = sorted({FOOTER, OWNER, *(made.key_of(field.name) for field in fields())})
    if kms is None:
        return dataclasses.replace(made, keys={name: (secrets.token_bytes(MASTER_BYTES),) for name in names})
    if set(kms) != set(names):
        raise ProtectionError(f"keys of AWS KMS: for {', '.join(sorted(kms)) or 'none'}; needed are {', '.join(names)}")
    return dataclasses.replace(made, keys=dict(kms))


def write_keys(folder: str | os.PathLike[str], keys: KeyFile) -> list[str]:
    """Writes the owner's keys and those of each role to new files of a folder, ``ROLE.json``, and returns their paths.
    Nobody else can read them. Raises :class:`~vpcflow.OutputError` for what is there already."""
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    for own in _each(keys):
        path = os.path.join(folder, f"{own.role}.json")
        if os.path.lexists(path):
            raise OutputError(f"{path}: it is there already; a folder without keys is needed, or --rotate")
    return [_written(folder, own, replaced=False) for own in _each(keys)]


def rotate_keys(folder: str | os.PathLike[str], *, drop_old: bool = False) -> list[str]:
    """Adds a new version to each key of a folder, which encrypts from now on; ``drop_old`` keeps the newest alone.

    Files that older versions encrypted are read as before, until those are dropped: encrypt them anew before. Raises
    :class:`~vpcflow.ProtectionError` for keys of AWS KMS, which rotates them itself.
    """
    keys = KeyFile.read(os.path.join(folder, f"{OWNER}.json"))
    changed: dict[str, tuple[bytes, ...] | str] = {}
    for name, versions in keys.keys.items():
        if isinstance(versions, str):
            raise ProtectionError("keys of AWS KMS: AWS rotates them itself (aws kms enable-key-rotation)")
        changed[name] = versions[-1:] if drop_old else (*versions, secrets.token_bytes(MASTER_BYTES))
    return [_written(folder, own, replaced=True) for own in _each(dataclasses.replace(keys, keys=changed))]


def _each(keys: KeyFile) -> list[KeyFile]:
    return [keys, *(keys.of_role(role) for role in keys.fields)]


def _written(folder: str | os.PathLike[str], keys: KeyFile, *, replaced: bool) -> str:
    path = os.path.join(folder, f"{keys.role}.json")
    if replaced and os.path.exists(path):
        write_whole(path, keys.to_bytes())  # its mode stays
    else:
        write_secret(path, keys.to_bytes())
    return path
