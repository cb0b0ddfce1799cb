"""Detection, under the name that :mod:`vpcflow.detect` had before."""

from .detect import DETECTORS, Settings, baseline, detect

__all__ = ["DETECTORS", "Settings", "baseline", "detect"]
