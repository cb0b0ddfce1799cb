"""A sequence of findings with what was read for them."""

from __future__ import annotations

import collections
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, overload

from .. import _core
from .._layout import terminal_width, text_table
from .._words import count
from ..query.report import Report
from .advice import Reading
from .arrow import arrow_table
from .finding import Finding, worst_first
from .incident import Incidents, incidents_of
from .scope import Scope
from .weighing import Usual

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_SHOWN = [
    ("severity", "text"), ("confidence", "float64"), ("detector", "text"), ("actor", "text"), ("start", "time"),
    ("what", "text"),
]  # fmt: skip
_BLIND = "not looked for"
_FOLDED = (
    "(standard error 1.6 %) that were seen once or twice, as there are too many to hold each: flood counts them by "
    "target, port and minute, at most 15 too few; no other detector tells of so few tries of one host"
)
_GATEWAYS = 5  # that a line names


class Covering(Protocol):
    """A silence, such as :class:`vpcflow.rules.Silence`."""

    @property
    def reason(self) -> str: ...
    def covers(self, finding: Finding) -> bool: ...


class Limit(NamedTuple):
    """What could not be seen, as a line of :meth:`Findings.limits`."""

    #: ``blind``: a detector or rule sees nothing of some of the logs, or of all; ``left-out``: what gateways repeat;
    #: ``folded``: tries that are counted together.
    kind: Literal["blind", "sees-less", "left-out", "folded"]
    text: str


class BlindIn(str):
    """A reason of :attr:`Findings.degraded`: nothing is seen of some of the sources."""


class NullField(str):
    """The name of a field that logs have, but as ``-`` in every record."""


def what_lacks(fields: Iterable[str], lack: str, among: str = "") -> str:
    """Says which fields lack, and which are there without a value.

    >>> what_lacks(["dstport", NullField("packets")], "the logs lack")
    'the logs lack dstport; packets is - in every record'
    """
    named = list(fields)
    null = [field for field in named if isinstance(field, NullField)]
    absent = [field for field in named if field not in null]
    parts = [f"{lack} {', '.join(absent)}"] if absent else []
    parts += [f"{among}{' and '.join(null)} {'is' if len(null) == 1 else 'are'} - in every record"] if null else []
    return "; ".join(parts)


def blind_in(blind: int, sources: int, lacking: Sequence[str]) -> BlindIn:
    """Says that a detector or rule sees nothing of some of the sources."""
    null = [str(field) for field in lacking if isinstance(field, NullField)]
    absent = [field for field in lacking if not isinstance(field, NullField)]
    return BlindIn(_core.blind_in(blind, sources, absent, null))


def blind_to(name: str, why: str) -> Limit:
    """Says that a detector or rule sees nothing."""
    return Limit("blind", f"{_BLIND}: {name}: {why}")


class Findings(Sequence[Finding]):
    """Findings, worst first, and what was read for them. Never changed; any number of threads may read them.

    ``not_detected`` names the detectors and rules that see nothing of any log, with the fields that lack or are ``-``
    in every record; ``degraded`` those that see less by some format, by SKIPDATA or by logs of one direction, with the
    reasons; ``not_asked`` the detectors asked for by name that find nothing without an argument that was not given,
    with its name; ``gateways`` the inside hosts that were taken for NAT gateways, each with the number of sessions that
    it repeats of others, which are left out; ``folded`` how many tries were counted together instead of one by one, as
    there were too many, and about how many hosts sent them; ``scope`` is what was looked at, ``None`` if that is not
    known.
    """

    def __init__(
        self, findings: list[Finding], report: Report, not_detected: dict[str, list[str]], *,
        degraded: dict[str, list[str]] | None = None, not_asked: dict[str, list[str]] | None = None,
        gateways: dict[str, int] | None = None, folded: tuple[int, int] = (0, 0), scope: Scope | None = None,
    ) -> None:  # fmt: skip
        self._findings = findings
        self.report = report
        self.not_detected = not_detected
        self.degraded = degraded or {}
        self.not_asked = not_asked or {}
        self.gateways = gateways or {}
        self.folded = folded
        self.scope = scope
        #: How commands read the logs, for :attr:`vpcflow.findings.Incident.next`.
        self.reading: Reading | None = None
        #: What the history of detectors was, a line; empty where they were given one.
        self.history = ""
        #: What was usual before, for what speaks against incidents.
        self.usual: Usual | None = None
        #: By detector that sees less: the fields that would show it more.
        self.add: dict[str, list[str]] = {}
        #: The findings that :meth:`without` took out, each with the reason.
        self.silenced: list[tuple[Finding, str]] = []

    def __len__(self) -> int:
        return len(self._findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> list[Finding]: ...
    def __getitem__(self, index: int | slice) -> Finding | list[Finding]:
        return self._findings[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __add__(self, other: Iterable[Finding]) -> Findings:
        """Returns the findings of both; the report and the scope are those of the first."""
        together = self._like(sorted([*self, *other], key=worst_first))
        if isinstance(other, Findings):
            together.not_detected = {**self.not_detected, **other.not_detected}
            together.degraded = {**self.degraded, **other.degraded}
            together.not_asked = {**self.not_asked, **other.not_asked}
            together.gateways = {**self.gateways, **other.gateways}
            together.folded = max(self.folded, other.folded)
            together.add = {**self.add, **other.add}
            together.silenced = self.silenced + other.silenced
        return together

    def _like(self, findings: list[Finding]) -> Findings:
        """Returns other findings of what these are of."""
        like = Findings(
            findings, self.report, self.not_detected, degraded=self.degraded, not_asked=self.not_asked,
            gateways=self.gateways, folded=self.folded, scope=self.scope,
        )  # fmt: skip
        like.reading, like.add, like.silenced = self.reading, self.add, self.silenced
        like.history, like.usual = self.history, self.usual
        return like

    def without(self, silences: Iterable[Covering]) -> Findings:
        """Returns the findings that no silence covers; :attr:`silenced` has the others, and :meth:`conclusion` counts
        them."""
        every = list(silences)
        covering = [(finding, next((s for s in every if s.covers(finding)), None)) for finding in self]
        left = self._like([finding for finding, silence in covering if silence is None])
        left.silenced = self.silenced + [(finding, silence.reason) for finding, silence in covering if silence]
        return left

    def conclusion(self, *, brief: bool = False) -> str:
        """Describes what was looked at (records, interfaces, time), and what the format of the logs hides from
        detectors, a line each. ``brief``: those who see less in one line, without the reasons.

        >>> import vpcflow as vf
        >>> log = b"srcaddr dstaddr srcport dstport protocol start end\\n10.0.0.1 10.0.0.2 40000 443 6 0 60\\n"
        >>> print(vf.detect(vf.scan(log), only=["port_scan"]).conclusion().splitlines()[0])
        nothing found in 1 record, 1970-01-01 00:00:00 to 1970-01-01 00:01:00 UTC
        """
        about = f" in {self.scope}" if self.scope is not None else ""
        return "\n".join([
            f"{count(len(self), 'finding')}{about}" if self else f"nothing found{about}",
            *self._silences(),
            *filter(None, [self.history]),
            *(limit.text for limit in self.limits(brief=brief)),
        ])  # fmt: skip

    def _silences(self) -> list[str]:
        reasons = collections.Counter(reason for _, reason in self.silenced)
        named = "; ".join(f"{n:,} {reason}" for reason, n in reasons.most_common())
        return [f"{count(len(self.silenced), 'finding')} silenced: {named}"] if reasons else []

    def limits(self, *, brief: bool = False) -> list[Limit]:
        """Returns what the detectors could not see; empty if they saw all. ``brief``: in one line for those that see
        less."""
        limits = [blind_to(name, what_lacks(add, "the logs lack")) for name, add in self.not_detected.items()]
        limits += [
            blind_to(name, f"not given: {', '.join(f'{argument}=' for argument in missing)}")
            for name, missing in self.not_asked.items()
        ]
        by_reason: dict[str, list[str]] = {}
        for name, reasons in self.degraded.items():
            for reason in reasons:
                by_reason.setdefault(reason, []).append(name)
        by_names: dict[tuple[str, ...], list[str]] = {}
        for reason, names in by_reason.items():
            if not brief or isinstance(reason, BlindIn) or len(names) == len(self.degraded):
                by_names.setdefault(tuple(names), []).append(reason)
        for group, reasons in by_names.items():
            blind = any(isinstance(reason, BlindIn) for reason in reasons)
            who = "all detectors" if brief and len(group) == len(self.degraded) > 1 else ", ".join(group)
            limits.append(Limit("blind" if blind else "sees-less", f"sees less: {who}: {'; '.join(reasons)}"))
        add = list(dict.fromkeys(field for fields in self.add.values() for field in fields))
        if brief and add:
            limits.append(Limit("sees-less", f"sees less: {', '.join(self.add)}: without {', '.join(add)}"))
        if self.gateways:
            shown = [f"{address} ({count(n, 'session')})" for address, n in list(self.gateways.items())[:_GATEWAYS]]
            more = len(self.gateways) - len(shown)
            text = f"left out: what these hosts repeat of others, as NAT gateways do: {', '.join(shown)}"
            limits.append(Limit("left-out", text + (f" and {more:,} more" if more else "")))
        tries, hosts = self.folded
        if tries:
            what = count(tries, "unanswered try", "unanswered tries")
            limits.append(Limit("folded", f"folded: {what} of about {hosts:,} outside hosts {_FOLDED}"))
        return limits

    def rows(self) -> list[dict[str, Any]]:
        """Returns all findings as dictionaries."""
        return [finding.as_dict() for finding in self]

    def incidents(self) -> Incidents:
        """Joins findings of one story (:class:`vpcflow.findings.Incident`), worst first: who scans, gets in, and goes
        on from there is one incident, and so is what several detectors say of one attack."""
        return incidents_of(self, self.scope, self.reading, self.usual)

    def to_json_lines(self) -> str:
        """Formats one JSON object a line."""
        return "".join(json.dumps(finding.as_json()) + "\n" for finding in self)

    def to_arrow(self) -> pa.Table:
        """Converts to a ``pyarrow.Table``, a row a finding: ``targets`` as lists, ``evidence``, ``coverage`` and
        ``samples`` as JSON texts, times as UTC timestamps, ``key`` as of :attr:`vpcflow.Finding.key`."""
        return arrow_table(self)

    def to_pandas(self) -> pd.DataFrame:
        """Returns ``to_arrow()`` as a ``pandas.DataFrame``. Needs pandas and pyarrow."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """Returns ``to_arrow()`` as a ``polars.DataFrame``. Needs polars and pyarrow."""
        import polars

        return polars.DataFrame(self.to_arrow())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        import html

        from .. import _html as page

        table = page.html_table(self._columns(), self._shown(), len(self), "") if self else ""
        lines = "<br>".join(html.escape(line) for line in self.conclusion().splitlines())
        return f"{page.html_warning(self.report.mostly_rejected)}{table}<p><small>{lines}</small></p>"

    def _columns(self) -> list[tuple[str, str]]:
        """The columns that are shown; without that of confidence if no finding has one."""
        rated = any(finding.confidence is not None for finding in self)
        return [column for column in _SHOWN if rated or column[0] != "confidence"]

    def _shown(self) -> list[dict[str, Any]]:
        return [{**f.as_dict(), "what": f.sentence} for f in self]

    def __str__(self) -> str:
        first = f"{self.report.mostly_rejected}\n" if self.report.mostly_rejected else ""
        table = f"{text_table(self._columns(), self._shown(), terminal_width())}\n" if self else ""
        return f"{first}{table}{self.conclusion()}"

    __repr__ = __str__
