"""Names of protocols and ports, out of the table in ``include/vpcflow/format/iana.h``."""

from __future__ import annotations

from .. import _core
from .prefixes import Labels


def services() -> Labels:
    """Labels port fields with IANA's names of well-known ports, and of some that servers use without being registered.
    A name says what a port is assigned to, not which program uses it."""
    return _labels("ports", _core.port_names())


def protocols() -> Labels:
    """Labels the field ``protocol`` with IANA's names of protocol numbers."""
    return _labels("protocols", _core.protocol_names())


def _labels(what: str, names: list[tuple[int, str, str]]) -> Labels:
    out = Labels(what)
    for number, registered, _ in names:
        if registered:
            out._core.add_number(number, registered)
    return out.done()
