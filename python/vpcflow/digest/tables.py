"""Sorted tables of a digest: folded by key, by the least, the greatest and the union of bits alone.

Those three give the same for any order, any split, and for what is taken twice: so does all that is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .keys import Keys

    Column = npt.NDArray[Any]

#: What ``roles`` of an address say: the records that it sent, and received, by their action. Those of a pair say it of
#: the lower of its two addresses.
SENT, RECEIVED = {"ACCEPT": 1, "REJECT": 2, None: 16}, {"ACCEPT": 4, "REJECT": 8, None: 32}
ACCEPTED = SENT["ACCEPT"] | RECEIVED["ACCEPT"]
REJECTED = SENT["REJECT"] | RECEIVED["REJECT"]


class Addresses(NamedTuple):
    """The addresses of a day, sorted: ``first`` and ``last`` in seconds of the day, ``hours`` a bit each, ``roles``."""

    keys: Keys
    first: Column
    last: Column
    hours: Column
    roles: Column


class Pairs(NamedTuple):
    """Who was in a record with whom, as rows of :class:`Addresses`, sorted: ``low`` is not above ``high``."""

    low: Column
    high: Column
    roles: Column


def no_addresses() -> Addresses:
    """Returns a table without rows."""
    import numpy as np

    from .keys import WIDTH

    return Addresses(np.empty(0, f"S{WIDTH}"), *(np.empty(0, kind) for kind in ("u4", "u4", "u4", "u1")))


def no_pairs() -> Pairs:
    """Returns a table without rows."""
    import numpy as np

    return Pairs(np.empty(0, "u4"), np.empty(0, "u4"), np.empty(0, "u1"))


def folded(keys: Sequence[Column], values: Mapping[str, tuple[Column, str]]) -> tuple[list[Column], list[Column]]:
    """Folds rows with the same keys to one, sorted by the keys; ``values``: by name the column, and ``min``, ``max`` or
    ``or``. O(n log n)."""
    import numpy as np

    operations: dict[str, np.ufunc] = {"min": np.minimum, "max": np.maximum, "or": np.bitwise_or}
    if not len(keys[0]):
        return list(keys), [column for column, _ in values.values()]
    order = np.lexsort(keys[::-1])
    ordered = [key[order] for key in keys]
    new = np.zeros(len(order), bool)
    new[0] = True
    for key in ordered:
        new[1:] |= key[1:] != key[:-1]
    starts = np.flatnonzero(new)
    folds = [operations[how].reduceat(column[order], starts) for column, how in values.values()]
    return [key[starts] for key in ordered], folds


def addresses_of(keys: Keys, first: Column, last: Column, hours: Column, roles: Column) -> Addresses:
    """Makes the table of rows in any order."""
    (keys,), columns = folded(
        [keys], {"first": (first, "min"), "last": (last, "max"), "hours": (hours, "or"), "roles": (roles, "or")}
    )
    return Addresses(keys, *columns)


def pairs_of(low: Column, high: Column, roles: Column) -> Pairs:
    """Makes the table of rows in any order, each with its lower address first."""
    (low, high), (roles,) = folded([low, high], {"roles": (roles, "or")})
    return Pairs(low, high, roles)


def merged(parts: Sequence[tuple[Addresses, Pairs]]) -> tuple[Addresses, Pairs]:
    """Merges tables of one day. O(n log n) in the rows of all."""
    import numpy as np

    if len(parts) == 1:
        return parts[0]
    together = Addresses(*(np.concatenate(columns) for columns in zip(*(addresses for addresses, _ in parts))))
    addresses = addresses_of(*together)
    moved = []
    for own, pairs in parts:
        place = np.searchsorted(addresses.keys, own.keys).astype("u4")
        moved.append((place[pairs.low], place[pairs.high], pairs.roles))
    return addresses, pairs_of(*(np.concatenate(columns) for columns in zip(*moved)))
