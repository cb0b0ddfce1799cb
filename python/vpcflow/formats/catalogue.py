"""Catalogues of the engine: fields, containers, reasons for rejects."""

from __future__ import annotations

from typing import Any

from .. import _core


def containers() -> dict[str, str]:
    """What records may be wrapped in, with its meaning: the values of ``container=`` of :func:`scan`.

    >>> import vpcflow as vf
    >>> list(vf.containers())
    ['auto', 'text', 'cloudwatch-export', 'json', 'csv', 'subscription']
    """
    return _core.containers()


def fields() -> list[dict[str, Any]]:
    """The field catalogue: name, column, version, delivered_in, type, column_type, max, unit, nullable, meaning.

    >>> import vpcflow as vf
    >>> [f["name"] for f in vf.fields() if f["version"] == 8]
    ['reject-reason']
    """
    return _core.fields()


def reject_reasons() -> dict[str, str]:
    """Every reason for a reject, with its meaning."""
    return _core.reasons()
