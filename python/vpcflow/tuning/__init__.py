"""Security groups that fit the traffic: which rules are used, which would be enough, and what a change would break."""

from .blocks import Block, blocks_of
from .check import RuleCheck, check_rules
from .export import export
from .observed import Observed
from .proposal import Proposal
from .propose import propose_rules
from .usage import RuleUsage, rule_usage

__all__ = [
    "Block", "Observed", "Proposal", "RuleCheck", "RuleUsage", "blocks_of", "check_rules", "export", "propose_rules",
    "rule_usage",
]  # fmt: skip


def __dir__() -> list[str]:
    return __all__
