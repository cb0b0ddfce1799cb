"""What would make the traffic cheaper: each way with its saving, how sure that is, how it is done, and its risk."""

from .advise import Advised, advise_costs
from .rows import Saving

__all__ = ["Advised", "Saving", "advise_costs"]


def __dir__() -> list[str]:
    return __all__
