"""Tests for membership in a set of addresses of any size: filters are texts of bounded length, label tables are not."""

from __future__ import annotations

from collections.abc import Collection

from ..query.flows import Flows

_FEW = 256


def membership(flows: Flows, name: str, field: str, addresses: Collection[str]) -> tuple[Flows, str]:
    """Returns the filter that ``field`` is one of the addresses, behind the flows, which get a label column ``name`` if
    the addresses are too many for a list.

    >>> import vpcflow as vf
    >>> flows = vf.scan(b"srcaddr bytes\\n10.0.0.1 40\\n10.0.0.2 2\\n")
    >>> flows, is_mine = membership(flows, "mine", "srcaddr", ["10.0.0.2"])
    >>> flows.filter(is_mine).agg(bytes=vf.sum("bytes")).collect()["bytes"]
    [2]
    """
    if not addresses:
        return flows, "false"
    if len(addresses) <= _FEW:
        return flows, f"{field} in ({', '.join(repr(address) for address in sorted(addresses))})"
    from ..labels import prefixes  # `import vpcflow` stays light

    return flows.label(name, field, prefixes(dict.fromkeys(addresses, "one"))), f"{name} is not null"
