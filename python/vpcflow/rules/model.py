"""The model of a rule, and the query that it is."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..query.expr import Agg, Derived
from ..query.flows import Flows
from ..query.scan import query
from ..query.sessions import session_query
from ..typing import Duration, Severity

#: Findings of the same rule, actor and targets that are no further apart are one incident.
THROTTLE = "1h"


@dataclasses.dataclass(frozen=True)
class Rule:
    """One rule. Groups of records that pass ``where``, by the keys ``by`` and time bins ``every``, are findings if all
    conditions of ``having`` hold, and if ``unusual``, if it is there, does.

    ``over``: ``"records"``, or ``"sessions"``: there ``srcaddr`` is the client, ``dstaddr`` and ``dstport`` are the
    server's, ``bytes`` and ``packets`` what the client sent, and ``action`` is the state: ``established``,
    ``reset``, ``unanswered``, ``one-way``, ``half``, ``rejected``.

    ``aggregates``: by name, as ``sum(bytes) where action = 'REJECT'``, and columns computed from others,
    as ``rejected / flows``; ``flows``, the number of records, without.

    ``unusual``: ``{of: bytes, deviations: 6, bins: 6}`` compares a group's time bins with each other: only those above
    the median of the group's other bins by ``deviations`` (1.4826 times the median absolute deviation, a tenth of the
    median at least) are findings, if there are at least ``bins`` others.

    ``message``: a sentence with keys and aggregates in braces. ``actor``: the key that is one (the first, without).
    ``examples``: small logs with the number of findings that they must give, see :func:`test`.
    """

    name: str
    where: str = ""
    by: tuple[str, ...] = ()
    every: Duration | None = None
    over: str = "records"
    aggregates: dict[str, str] = dataclasses.field(default_factory=dict)
    having: tuple[str, ...] = ()
    unusual: dict[str, Any] = dataclasses.field(default_factory=dict)
    severity: Severity = "medium"
    message: str = ""
    actor: str = ""
    technique: str = ""
    examples: tuple[dict[str, Any], ...] = ()

    def query(self, flows: Flows | None = None) -> Flows:
        """Returns the rule as a query, over ``flows`` or without data. Times of the first and the last record are added
        where they are."""
        own = session_query() if self.over == "sessions" else query(allow_missing=True)
        own = own.filter(self.where) if self.where else own
        aggregates: dict[str, Agg | Derived | str] = {**(self.aggregates or {"flows": "count()"})}
        aggregates |= {"first_start": "min(start)", "last_end": "max(end)"}
        grouped = own.group_by(*self.by, every=self.every, bin_by="start").agg(**aggregates)
        grouped = grouped.having(*self.having) if self.having else grouped
        return grouped if flows is None else grouped.bind(flows)

    @property
    def columns(self) -> list[str]:
        """The names that a message can have."""
        keys = [key.replace("-", "_") for key in self.by]
        return [*keys, *(["time"] if self.every else []), *(self.aggregates or ["flows"])]
