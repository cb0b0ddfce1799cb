"""Detectors of attacks, out of sessions."""

from .detect import DETECTORS, DetectorSettings, Settings, baseline, detect

__all__ = ["DETECTORS", "DetectorSettings", "Settings", "baseline", "detect"]


def __dir__() -> list[str]:
    return __all__
