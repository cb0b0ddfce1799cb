"""The answer to why one host cannot reach another, for people and as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

from .._layout import terminal_width
from ..query.report import Report
from .page import page

SCHEMA_VERSION = 1  # docs/reference/schemas.md


@dataclasses.dataclass(frozen=True)
class Explanation:
    """Why A cannot reach B, with the proof: what :func:`vpcflow.explain` returns.

    ``verdict``: ``works``, ``blocked_at_server``, ... ``certain``: whether the records allow no other one; else
    ``not_ruled_out`` has those that they allow, too, and ``doubts`` says why. AWS's ``action`` decides; rules of the
    inventory only name what is behind it: ``layer``, ``denied_by``, ``allowed_by``; ``rules_changed`` is true where
    they say otherwise than AWS logged. ``printed``, it is a page for people.
    """

    verdict: str
    certain: bool
    #: ``security_group``, ``network_acl``, ``route``, ``block_public_access``, ``host``, ``path``; ``None``: not known.
    layer: str | None
    #: Ids of what allows: ``sgr-...``, else ``sg-...``; ``acl-...#100``; ``rtb-...``.
    allowed_by: tuple[str, ...]
    denied_by: tuple[str, ...]
    rules_changed: bool
    late_packets: int
    #: Of ``cut_after``: seconds without a packet before the cut.
    idle_seconds: int | None
    #: Of ``intermittent``: ``dimension``, ``value``, and ``share`` of the failures; ``None``: none explains them.
    explained_by: dict[str, Any] | None
    sentence: str
    #: Records, each with ``seen_at`` (``A`` client out, ``B`` server in, ``C`` server out, ``D`` client in, ``-`` on
    #: the way), their fields, ``file`` and ``offset``.
    evidence: tuple[dict[str, Any], ...]
    #: How many attempts the logs have, and how many of them went as the verdict says.
    attempts: int
    affected: int
    #: ``verdict`` and ``how`` it was ruled out.
    ruled_out: tuple[dict[str, str], ...]
    not_ruled_out: tuple[str, ...]
    doubts: tuple[str, ...]
    #: What each of the four vantage points saw, and the minutes that its logs have.
    vantage: tuple[dict[str, Any], ...]
    coverage: dict[str, Any]
    change: tuple[str, ...]
    check: tuple[str, ...]
    inputs: dict[str, Any]
    report: Report = dataclasses.field(repr=False, compare=False, default=None)  # type: ignore[assignment]

    def as_dict(self) -> dict[str, Any]:
        """Returns it as plain values, as ``vpcflow explain --json`` prints it."""
        out: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name != "report":
                out[field.name] = list(value) if isinstance(value, tuple) else value
        return out

    def text(self, width: int | None = None) -> str:
        """Returns it as a page for people, broken at a width."""
        return page(self, width)

    def __str__(self) -> str:
        return self.text(terminal_width())

    def _repr_html_(self) -> str:
        import html

        return f"<pre>{html.escape(self.text(100))}</pre>"
