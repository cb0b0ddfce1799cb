"""Which fields the analyses asked for need, and what stays out of reach."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .. import _core
from .._hints import hint
from ..errors import PlanError
from ..formats.capabilities import capabilities, recommended_format
from .spec import TAG_FIELDS, default_fields, fields_of


def detector_names() -> list[str]:
    """Returns the names of the detectors."""
    return [detector["name"] for detector in _core.detectors()]


def analyses_of(names: Iterable[str]) -> list[str]:
    """Returns the analyses that names stand for: those of :func:`vpcflow.capabilities`, ``detect`` for all detectors,
    ``all`` for all of them. Raises :class:`~vpcflow.PlanError` for other names.

    >>> analyses_of(["cost", "port-scan"])
    ['cost', 'port_scan']
    """
    known = [capability.analysis for capability in capabilities("default")]
    groups = {"all": known, "detect": detector_names()}
    out: list[str] = []
    for name in names:
        wanted = name.strip().replace("-", "_").lower()
        if wanted not in groups and wanted not in known:
            raise PlanError(f"--for: no analysis {name!r}; {hint(wanted, [*known, *groups])}")
        out += [one for one in groups.get(wanted, [wanted]) if one not in out]
    return out


def wanted_fields(
    analyses: Sequence[str], family: str, format: str = "", tag_keys: Sequence[tuple[str, Sequence[str]]] = ()
) -> tuple[str, ...]:
    """Returns the fields for resources of a family: those of ``format``, or those that the analyses need, with those
    of the tags. Of transit gateways and Cloud WAN all fields of AWS's default are taken: no analysis needs fewer."""
    if format:
        fields = fields_of(format, family)
    elif family != "vpc":
        return default_fields(family)
    else:
        fields = fields_of(recommended_format(analyses)) if analyses else default_fields(family)
    return (*fields, *(name for name in tag_fields(tag_keys) if name not in fields))


def tag_fields(tag_keys: Iterable[tuple[str, Sequence[str]]]) -> list[str]:
    """Returns the fields that hold the values of tags."""
    return [f"{TAG_FIELDS[kind]}{suffix}" for kind, keys in tag_keys for suffix, _ in zip(("", "-2"), keys)]


def tag_keys_of(texts: Iterable[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Reads ``instance=Name``, ``interface=Team``, ``asg=...``; a type may come twice, for two keys.

    Raises :class:`~vpcflow.PlanError` for other types and more keys.
    """
    types = {"interface": "network-interface", "asg": "auto-scaling-group", **{name: name for name in TAG_FIELDS}}
    found: dict[str, list[str]] = {}
    for text in texts:
        name, separator, key = text.partition("=")
        if name not in types or not separator or not key:
            raise PlanError(f"--tag-keys: no type and key: {text!r}; {', '.join(types)}, each with =KEY, are allowed")
        found.setdefault(types[name], []).append(key)
    for name, keys in found.items():
        if len(keys) > 2:
            raise PlanError(f"--tag-keys: {len(keys)} keys of {name}: {', '.join(keys)}; two are allowed")
    return tuple((name, tuple(keys)) for name, keys in sorted(found.items()))


def unreachable(fields: Sequence[str], analyses: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the analyses asked for that logs with these fields cannot answer exactly, with what lacks."""
    if not fields:
        return []
    text = " ".join(f"${{{name}}}" for name in fields)
    found = [capability for capability in capabilities(text) if capability.analysis in analyses]
    return [
        {"analysis": c.analysis, "verdict": c.verdict, "why": list(c.why), "add": list(c.add)}
        for c in found
        if c.verdict != "exact"
    ]
