"""Watching a folder: new logs are read once, rules are evaluated, alerts are sent once.

Everything that matters is in one SQLite file: which files were read, what the rules have counted so far, which alerts
were made, and which of them each channel has got. Files, counts and alerts change in one transaction, so a process that
is killed at any point goes on where it was, with neither a repeated nor a lost alert. A delivery that is cut off in
between is repeated with the same ``id``: files of JSON lines and Alertmanager take it once, webhooks get it as
``Idempotency-Key``.
"""

from .correlating import Correlating
from .outbox import Target
from .service import Watch
from .status import status

__all__ = ["Correlating", "Target", "Watch", "status"]


def __dir__() -> list[str]:
    return __all__
