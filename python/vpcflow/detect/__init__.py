"""Detectors of attacks, out of sessions."""

from .detect import DETECTORS, Baseline, DetectorSettings, Settings, baseline, detect

__all__ = ["DETECTORS", "Baseline", "DetectorSettings", "Settings", "baseline", "detect"]


def __dir__() -> list[str]:
    return __all__
