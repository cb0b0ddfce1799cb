"""Catalogues of the engine: fields, containers, reasons for rejects."""

from __future__ import annotations

import dataclasses

from .. import _core
from .._keyed import Keyed
from ..typing import FieldType


def containers() -> dict[str, str]:
    """Returns the containers of records, each with its meaning: the values of ``container=`` of :func:`scan`.

    >>> import vpcflow as vf
    >>> list(vf.containers())
    ['auto', 'text', 'cloudwatch-export', 'json', 'csv', 'subscription']
    """
    return _core.containers()


@dataclasses.dataclass(frozen=True)
class FieldInfo(Keyed):
    """A field of flow logs, of :func:`fields`."""

    #: AWS's name, and that of the column in results, with ``_`` for ``-``.
    name: str
    column: str
    #: The version of flow logs that brought it.
    version: int
    #: ``"vpc"``, ``"tgw"`` or ``"vpc, tgw"``: the kinds of logs that have it.
    delivered_in: str
    #: AWS's name of its type.
    type: str
    column_type: FieldType
    #: The largest number; 0 if it is none.
    max: int
    unit: str
    #: Whether AWS writes ``-`` for it; what AWS promises, not what is checked.
    nullable: bool
    meaning: str


def fields() -> list[FieldInfo]:
    """Returns the field catalogue.

    >>> import vpcflow as vf
    >>> [field.name for field in vf.fields() if field.version == 8]
    ['reject-reason']
    """
    return [FieldInfo(**field) for field in _core.fields()]


def reject_reasons() -> dict[str, str]:
    """Returns every reason for a reject, with its meaning."""
    return _core.reasons()
