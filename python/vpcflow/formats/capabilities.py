"""What a log format can and cannot answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from .. import _core
from .._hints import hint
from .._keyed import Keyed
from ..errors import ArgumentError, PlanError
from ..typing import Verdict


@dataclasses.dataclass(frozen=True)
class Capability(Keyed):
    """Whether logs of a format can answer an analysis, of :func:`capabilities`."""

    analysis: str
    meaning: str
    verdict: Verdict
    #: What is lost, most important first; empty if exact.
    why: list[str]
    #: The fields that would make it exact.
    add: list[str]


def capabilities(format: str) -> list[Capability]:
    """Returns for each analysis whether logs of a format can answer it, and what would help.

    ``format`` is the text of a format, as :attr:`Flows.format <vpcflow.Flows.format>` gives it:
    ``"${srcaddr} ${bytes}"``, names, ``"default"``, ``"v5"``, ``"tgw"``. Raises :class:`~vpcflow.FormatError`.

    >>> import vpcflow as vf
    >>> verdicts = {c.analysis: c.verdict for c in vf.capabilities("default")}
    >>> verdicts["visibility"], verdicts["port_scan"], verdicts["nat_attribution"]
    ('exact', 'degraded', 'impossible')
    >>> [c.add for c in vf.capabilities("default") if c.analysis == "port_scan"]
    [['tcp-flags']]
    """
    if not isinstance(format, str):
        raise ArgumentError(f"capabilities: the text of a format is needed, not {format!r}; write capabilities('v5')")
    return [Capability(**capability) for capability in _core.capabilities(format)]


def recommended_format(for_: Iterable[str] = ()) -> str:
    """Returns the format, as AWS takes it, with which the analyses named are exact; without names, all of them.

    AWS's default fields come first, then the others needed. Raises :class:`~vpcflow.PlanError` for a name that is no
    analysis of :func:`capabilities`.

    >>> import vpcflow as vf
    >>> vf.recommended_format(["port_scan"]).split()[-2:]
    ['${log-status}', '${tcp-flags}']
    """
    if not isinstance(for_, Iterable):
        raise ArgumentError(f"recommended_format: names are needed, not {for_!r}; write recommended_format(['cost'])")
    names = [for_] if isinstance(for_, str) else [str(name) for name in for_]
    known = [c["analysis"] for c in _core.capabilities("default")]
    for name in names:
        if name not in known:
            raise PlanError(f"recommended_format: no analysis {name!r}; {hint(name, known)}")
    return str(_core.recommended_format(names))
