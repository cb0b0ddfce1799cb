"""Incidents: findings of one story, as an analyst opens them."""

from __future__ import annotations

import dataclasses
import functools
import html
from collections.abc import Iterable
from typing import Any

from .._display import instant, printable
from ..typing import Severity
from . import weighing
from .advice import Reading, next_steps, silence_command
from .finding import SCHEMA_VERSION, Finding, worst_first
from .identity import id_of
from .scope import Scope
from .stories import doers, stories_of, victims
from .telling import timeline, told


@dataclasses.dataclass(frozen=True)
class Incident:
    """Findings of one story: of the same actor or the same ends, of several actors that press upon one service or call
    one server, or of a chain from host to host."""

    severity: Severity  # of the worst finding
    start: int
    end: int
    findings: list[Finding]  # worst first
    scope: Scope | None = None
    reading: Reading = dataclasses.field(default_factory=Reading)
    known: tuple[str, ...] = ()  # what its hosts did before, by a baseline

    @property
    def actor(self) -> str:
        """The actor of the worst finding."""
        return self.findings[0].actor

    @property
    def actors(self) -> list[str]:
        """Who acts, as far as the findings name them; none in a flood of strangers."""
        return list(dict.fromkeys(end for finding in self.findings for end in doers(finding)))

    @property
    def targets(self) -> list[str]:
        """To whom it is done, as far as the findings name them."""
        return list(dict.fromkeys(end for finding in self.findings for end in victims(finding)))

    @property
    def detectors(self) -> list[str]:
        """Names, each once, in the order of the findings."""
        return list(dict.fromkeys(f.detector for f in self.findings))

    @property
    def id(self) -> str:
        """The name of its worst finding, which stays: the same logs give the same."""
        return id_of(self.findings[0])

    @functools.cached_property
    def story(self) -> str:
        """One sentence: who did what to whom at which port, how much, and when in UTC."""
        return told(self.findings)

    @property
    def headline(self) -> str:
        """The story, behind the severity and before the names of the detectors."""
        return f"{self.severity:<6}  {self.story}  [{', '.join(self.detectors)}]"

    @property
    def timeline(self) -> list[tuple[int, str]]:
        """The beginning of each finding, in Unix seconds, and its sentence; in the order of time."""
        return timeline(self.findings)

    @property
    def next(self) -> list[str]:
        """Commands that show more of it, which run as they stand in bash."""
        return next_steps(self.findings, self.reading)

    @property
    def against(self) -> list[str]:
        """The doubts about it, and the limits of the logs."""
        return [*self.known, *weighing.against(self.findings, self.scope)]

    @property
    def silence(self) -> str:
        """The command that silences it, and its like, for good."""
        return silence_command(self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Returns all of it as plain values."""
        return {
            "id": self.id, "severity": self.severity, "story": self.story, "detectors": self.detectors,
            "actors": self.actors, "targets": self.targets, "start": self.start, "end": self.end,
            "timeline": [{"time": time, "what": what} for time, what in self.timeline], "next": self.next,
            "against": self.against, "silence": self.silence,
            "findings": [finding.as_json() for finding in self.findings],
        }  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Returns the members of its JSON object: those of :meth:`as_dict` behind ``schema_version``."""
        return {"schema_version": SCHEMA_VERSION, **self.as_dict()}

    def _repr_html_(self) -> str:
        lines = [html.escape(printable(line)) for line in str(self).splitlines()]
        return f"<p><b>{lines[0]}</b><br><small>{'<br>'.join(lines[1:])}</small></p>"

    def __str__(self) -> str:
        lines = [printable(self.headline)]
        lines += [f"        {instant(time)} UTC  {printable(what)}" for time, what in self.timeline]
        lines += [f"        against: {printable(text)}" for text in self.against]
        lines += [f"        next: {printable(command)}" for command in self.next]
        return "\n".join([*lines, f"        silence: {printable(self.silence)}"])


class Incidents(list["Incident"]):
    """Incidents, worst first: a list that notebooks show as a table."""

    def _repr_html_(self) -> str:
        schema = [("severity", "text"), ("story", "text"), ("detectors", "text"), ("against", "text")]
        rows = [
            {"severity": i.severity, "story": printable(i.story), "detectors": ", ".join(i.detectors),
             "against": printable("; ".join(i.against))}
            for i in self
        ]  # fmt: skip
        from .._html import html_table

        return html_table(schema, rows, len(self), "")


def incidents_of(
    findings: Iterable[Finding], scope: Scope | None = None, reading: Reading | None = None,
    usual: weighing.Usual | None = None,
) -> Incidents:  # fmt: skip
    """Joins findings to incidents, those first whose expected harm, times how likely they are, is greatest. ``usual``:
    a baseline, by which what its hosts did before speaks against an incident."""
    stories = stories_of(findings)
    knowing = weighing.known_before(stories, usual) if usual is not None else [()] * len(stories)
    incidents = []
    for story, known in zip(stories, knowing):
        worst = sorted(story, key=worst_first)
        start, end = min(f.start for f in story), max(f.end for f in story)
        incidents.append(Incident(worst[0].severity, start, end, worst, scope, reading or Reading(), known))
    incidents.sort(
        key=lambda i: (-weighing.expected_harm(i.findings, scope, len(i.known)), worst_first(i.findings[0]))
    )
    return Incidents(incidents)
