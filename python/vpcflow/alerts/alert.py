"""An alert, and what delivers it."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

from ..findings.finding import Finding, finding_of


@dataclasses.dataclass(frozen=True)
class Alert:
    """A finding that is sent. ``id`` is the same whenever the same finding is sent again. ``withdrawn`` says why a
    finding that was sent before does not hold any more; empty for a finding. ``incident``: the id of the first alert of
    the incident; empty for that."""

    id: str
    finding: Finding
    withdrawn: str = ""
    incident: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        own = self.finding.as_json()
        return {"id": self.id, "finding_id": own.pop("id"), "withdrawn": self.withdrawn or None, **own}

    @staticmethod
    def of(value: Any, identity: str | None = None) -> Alert:
        """Makes the alert that :meth:`as_dict` returned, or that of a finding as JSON. ``identity``: its id, without it
        that of the value. :class:`ValueError` for another value."""
        finding = finding_of(value)
        withdrawn = value.get("withdrawn")
        own = identity or value.get("id") or finding.id
        return Alert(str(own), finding, withdrawn if isinstance(withdrawn, str) else "")

    @property
    def sentence(self) -> str:
        """What people read: the sentence of the finding, behind the note if it is withdrawn."""
        return f"withdrawn, {self.withdrawn}: {self.finding.sentence}" if self.withdrawn else self.finding.sentence


class Channel(Protocol):
    """Something that delivers: ``label`` may be shown, ``send`` raises :class:`~vpcflow.NotifyError`."""

    label: str

    def send(self, alert: Alert) -> None:
        """Delivers one alert, or raises."""
