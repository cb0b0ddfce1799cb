"""What a log format can and cannot answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _core
from .._hints import hint
from ..errors import PlanError


def capabilities(format: str) -> list[dict[str, Any]]:
    """For each analysis, whether logs of a format can answer it, and what would help.

    ``format`` is the text of a format, as :attr:`Flows.format <vpcflow.Flows.format>` gives it:
    ``"${srcaddr} ${bytes}"``, names, ``"default"``, ``"v5"``, ``"tgw"``. Each entry has ``analysis``, its ``meaning``,
    the ``verdict`` (``"exact"``, ``"degraded"`` or ``"impossible"``), ``why`` (what is lost, most important first) and
    ``add`` (the fields that would make it exact). Raises :class:`~vpcflow.FormatError`.

    >>> import vpcflow as vf
    >>> verdicts = {c["analysis"]: c["verdict"] for c in vf.capabilities("default")}
    >>> verdicts["visibility"], verdicts["port_scan"], verdicts["nat_attribution"]
    ('exact', 'degraded', 'impossible')
    >>> [c["add"] for c in vf.capabilities("default") if c["analysis"] == "port_scan"]
    [['tcp-flags']]
    """
    return _core.capabilities(format)


def recommended_format(for_: Iterable[str] = ()) -> str:
    """The format with which the analyses named are exact, as AWS takes it; without names, all of them.

    AWS's default fields come first, then what else is needed. Raises :class:`~vpcflow.PlanError` for a name that is no
    analysis of :func:`capabilities`.

    >>> import vpcflow as vf
    >>> vf.recommended_format(["port_scan"]).split()[-2:]
    ['${log-status}', '${tcp-flags}']
    """
    names = [for_] if isinstance(for_, str) else list(for_)
    known = [c["analysis"] for c in _core.capabilities("default")]
    for name in names:
        if name not in known:
            raise PlanError(f"recommended_format: no analysis {name!r}; {hint(name, known)}")
    return str(_core.recommended_format(names))
