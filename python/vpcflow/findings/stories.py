"""Which findings are one story."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Callable

from .finding import Finding

_HOUR = 3600
#: How long a story may pause, in seconds. A host that was attacked, or that is somebody's, is so for longer than an
#: hour; what is `low` is so often that more than an hour would join what has nothing to do with each other.
_PAUSE = 12 * _HOUR
_QUIET_PAUSE = _HOUR
#: Detectors whose findings say that the actor got, or tried to get, into its targets.
_ENTRIES = frozenset({
    "accepted_after_reject", "brute_force", "lateral_movement", "new_admin_edge", "unauthorised_access"
})  # fmt: skip
#: Detectors whose actors press upon one target: several of them at one service are one attack.
_PRESSURE = frozenset({"brute_force", "flood", "port_scan"})
#: Detectors whose actors call a server of somebody's: several that call one are ruled by one.
_CALLS = frozenset({"beacon", "exfiltration", "known_bad", "long_session", "tunnel"})
_FEW_TARGETS = 5
_Kind = Callable[[Finding], "list[Hashable]"]  # the keys of a finding by which others are joined to it


def is_common(finding: Finding) -> bool:
    """Tells whether a finding is about what several hosts do, or everybody may: its actor is one of them."""
    known = finding.evidence
    return finding.severity == "low" and any(known.get(name, 0) >= 2 for name in ("callers", "uploaders", "strangers"))


def is_of_victim(finding: Finding) -> bool:
    """Tells whether the actor of a finding is the host that something was done to, as of floods."""
    return finding.evidence.get("dstaddr") == finding.actor


def doers(finding: Finding) -> list[str]:
    """Returns who acts in a finding; of many the first, of a flood nobody."""
    return finding.targets if is_of_victim(finding) else [finding.actor]


def victims(finding: Finding) -> list[str]:
    """Returns to whom something is done in a finding."""
    return [finding.actor] if is_of_victim(finding) else finding.targets


def service_of(finding: Finding) -> tuple[str, object] | None:
    """Returns the one target and its port, if there is one target."""
    own = victims(finding)
    return (own[0], finding.evidence.get("dstport", finding.evidence.get("srcport"))) if len(own) == 1 else None


def stories_of(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Joins findings to stories, each in the order of time.

    Findings of ``medium`` or ``high`` belong together if they have the same actor; the same two ends, in whichever
    roles; if their actors press upon one service, or call one server; and if one actor got into a host that then acts
    itself. A ``low`` one joins one of these stories by its actor, its ends or its service, and never joins two."""
    ordered = sorted(findings, key=lambda f: (f.start, f.detector, f.actor))
    stories = _Stories(ordered)
    loud = [n for n, f in enumerate(ordered) if f.severity != "low"]
    quiet = [n for n, f in enumerate(ordered) if f.severity == "low"]
    for kind in (_actors, _pairs, _pressed, _called):
        stories.link(loud, kind, _PAUSE)
    stories.chain(loud)
    stories.attach(quiet, loud)
    alone = [n for n in quiet if not stories.is_attached(n) and not is_common(ordered[n])]
    stories.link(alone, _actors, _QUIET_PAUSE)
    return stories.groups()


def _actors(finding: Finding) -> list[Hashable]:
    return [finding.actor]


def _pairs(finding: Finding) -> list[Hashable]:
    return [frozenset((finding.actor, target)) for target in finding.targets]


def _pressed(finding: Finding) -> list[Hashable]:
    service = service_of(finding)
    return [(finding.detector, service)] if service and finding.detector in _PRESSURE else []


def _called(finding: Finding) -> list[Hashable]:
    service = service_of(finding)
    return [service] if service and finding.detector in _CALLS else []


def _services(finding: Finding) -> list[Hashable]:
    service = service_of(finding)
    return [service] if service else []


class _Stories:
    """Findings, in the order of time, in sets that grow together."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = findings
        self._parents = list(range(len(findings)))
        self._attached: set[int] = set()

    def is_attached(self, number: int) -> bool:
        return number in self._attached

    def link(self, numbers: Iterable[int], kind: _Kind, pause: int) -> None:
        """Joins findings that have a key of a kind in common, with no longer pause between them."""
        last: dict[Hashable, tuple[int, int]] = {}  # by key the latest end so far, and whose it is
        for number in numbers:
            finding = self._findings[number]
            for key in kind(finding):
                end, other = last.get(key, (finding.start, number))
                if finding.start <= end + pause:
                    self._join(other, number)
                last[key] = (max(end, finding.end), number)

    def chain(self, numbers: Iterable[int]) -> None:
        """Joins who got into a host with what that host then began to do."""
        by_actor: dict[str, list[int]] = {}
        for number in numbers:
            by_actor.setdefault(self._findings[number].actor, []).append(number)
        for own in list(by_actor.values()):
            for number in own:
                entry = self._findings[number]
                if entry.detector not in _ENTRIES or is_of_victim(entry):
                    continue
                # Of many hosts one does something of its own by chance: they go on as they were got into.
                wide = len(entry.targets) > _FEW_TARGETS
                guesses = entry.detector == "brute_force"  # which end when one was right
                begin = max(entry.start, entry.end - _HOUR) if guesses else entry.start
                end = entry.end + (2 * _HOUR if wide or guesses else _PAUSE)
                for host in entry.targets:
                    for then in by_actor.get(host, ()):
                        after = self._findings[then]
                        goes_on = not is_of_victim(after) and (not wide or after.detector in _ENTRIES)
                        if goes_on and begin < after.start <= end:
                            self._join(number, then)

    def attach(self, quiet: Iterable[int], loud: Sequence[int]) -> None:
        """Adds each quiet finding to the first loud one that it belongs to."""
        by_key: dict[tuple[_Kind, Hashable], list[int]] = {}
        for number in loud:
            for kind in (_actors, _pairs, _services):
                for key in kind(self._findings[number]):
                    by_key.setdefault((kind, key), []).append(number)
        for number in quiet:
            finding = self._findings[number]
            kinds = (_services,) if is_common(finding) else (_pairs, _services, _actors)
            near = (
                other
                for kind in kinds
                for key in kind(finding)
                for other in by_key.get((kind, key), ())
                if _apart(finding, self._findings[other]) <= _QUIET_PAUSE
            )
            other = next(near, None)
            if other is not None:
                self._join(other, number)
                self._attached.add(number)

    def groups(self) -> list[list[Finding]]:
        """Returns the sets, by their first finding."""
        out: dict[int, list[Finding]] = {}
        for number, finding in enumerate(self._findings):
            out.setdefault(self._root(number), []).append(finding)
        return list(out.values())

    def _root(self, number: int) -> int:
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        self._parents[second] = first


def _apart(one: Finding, other: Finding) -> int:
    """Returns the seconds between two findings, at most 0 if they overlap."""
    return max(one.start - other.end, other.start - one.end)
