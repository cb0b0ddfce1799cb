"""What the detectors of a watch go by, remembered: with other settings they find others, which refutes nothing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Callable

from .. import _core
from ..detect.history import Past
from ..detect.settings import Settings
from .memory import Memory
from .store import Store

_NAMED = 60  # characters of a value that is kept as it is; of a longer one its hash is


def described(
    settings: Settings, only: Sequence[str], baseline: Past | None, span: int, severity: str
) -> dict[str, str]:
    """Describes what decides what the detectors of a watch find, by name; baseline and long values by their hash."""
    past = None if baseline is None else hashlib.sha256(baseline.to_bytes()).hexdigest()[:12]
    own: dict[str, Any] = {**dataclasses.asdict(settings), "only": list(only), "baseline": past, "span": span}
    own |= {"min_severity": severity, "version": _core.build_info()["version"]}
    texts = {name: json.dumps(value, default=str) for name, value in own.items()}
    return {
        name: text if len(text) <= _NAMED else hashlib.sha256(text.encode()).hexdigest()[:12]
        for name, text in texts.items()
    }


def begin(store: Store, settings: Mapping[str, str], log: Callable[[str], None], now: float) -> None:
    """Compares settings with those that the state had last, says what is different, and keeps them. Alerts made until
    then are never withdrawn (:func:`unrefuted_until`)."""
    memory = Memory(store, "")
    with store.transaction():
        before = json.loads(memory.mark("detectors") or "{}")
        changed = [name for name in {**before, **settings} if before.get(name) != settings.get(name)]
        if not changed:
            return
        memory.set_mark("detectors", json.dumps(settings))
        if not before:
            return
        memory.set_mark("detectors-since", now)
    shown = ", ".join(f"{name} {settings.get(name, 'none')} (was {before.get(name, 'none')})" for name in changed)
    log(f"the detectors go by other settings than before: {shown}; what was told stays as it was told")


def unrefuted_until(store: Store) -> float:
    """Returns the time, Unix seconds, until which alerts were made with other settings."""
    return float(Memory(store, "").mark("detectors-since") or 0)
