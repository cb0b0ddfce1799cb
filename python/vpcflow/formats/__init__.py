"""What log formats can and cannot answer."""

from .capabilities import Capability, capabilities, recommended_format
from .catalogue import FieldInfo, containers, fields, reject_reasons

__all__ = [
    "Capability",
    "FieldInfo",
    "capabilities",
    "containers",
    "fields",
    "recommended_format",
    "reject_reasons",
]


def __dir__() -> list[str]:
    return __all__
