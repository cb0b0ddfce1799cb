"""An alert, and what delivers it."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from ..findings.finding import Finding


@dataclasses.dataclass(frozen=True)
class Alert:
    """A finding that is sent. ``id`` is the same whenever the same finding is sent again."""

    id: str
    finding: Finding

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        own = self.finding.as_json()
        return {"id": self.id, "finding_id": own.pop("id"), **own}


class Channel(Protocol):
    """Something that delivers: ``label`` may be shown, ``send`` raises :class:`~vpcflow.NotifyError`."""

    label: str

    def send(self, alert: Alert) -> None:
        """Delivers one alert, or raises."""
