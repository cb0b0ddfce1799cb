"""Security groups that fit the traffic: which rules are used, which would be enough, and what a change would break."""

from .observed import Observed
from .usage import RuleUsage, rule_usage

__all__ = ["Observed", "RuleUsage", "rule_usage"]


def __dir__() -> list[str]:
    return __all__
