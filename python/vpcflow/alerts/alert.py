"""An alert, and what delivers it."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from ..findings.finding import Finding


@dataclasses.dataclass(frozen=True)
class Alert:
    """A finding that is sent. ``id`` is the same whenever the same finding is sent again. ``withdrawn`` says why a
    finding that was sent before does not hold any more; empty for a finding."""

    id: str
    finding: Finding
    withdrawn: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        own = self.finding.as_json()
        return {"id": self.id, "finding_id": own.pop("id"), "withdrawn": self.withdrawn or None, **own}

    @property
    def sentence(self) -> str:
        """What people read: the sentence of the finding, behind the note if it is withdrawn."""
        return f"withdrawn, {self.withdrawn}: {self.finding.sentence}" if self.withdrawn else self.finding.sentence



class Channel(Protocol):
    """Something that delivers: ``label`` may be shown, ``send`` raises :class:`~vpcflow.NotifyError`."""

    label: str

    def send(self, alert: Alert) -> None:
        """Delivers one alert, or raises."""
