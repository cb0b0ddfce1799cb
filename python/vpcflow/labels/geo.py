"""Tables of labels out of MaxMind DB files: countries, networks."""

from __future__ import annotations

import os

from ..errors import PlanError
from .aws import value_at
from .prefixes import Labels, Path, reading


def mmdb(path: Path, what: str = "country.iso_code") -> Labels:
    """Labels addresses with countries, networks and so on, from a MaxMind DB file; ``what`` is the path of a text or
    number in its entries, as ``"country.iso_code"``, ``"autonomous_system_organization"``. For address fields. Needs
    ``maxminddb``. All networks are taken into memory: some seconds for a country database."""
    import maxminddb

    out = Labels("networks")
    try:
        with reading(path) as name, maxminddb.open_database(name) as database:
            for network, entry in database:
                label = value_at(entry, what)
                if label is not None:
                    out._core.add_prefix(str(network), label)
    except maxminddb.InvalidDatabaseError:
        raise PlanError(f"labels: {os.fspath(path)}: invalid file: expected a MaxMind DB") from None
    if len(out) == 0:
        raise PlanError(f"labels: {os.fspath(path)} has no {what!r}")
    return out.done()
