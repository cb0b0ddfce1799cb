"""Rules of your own: what to look for, in a file, checked before it runs."""

from .evaluate import Rule, Silence, check_silences, count_alerts, load, load_silences, of, replay, run, test

__all__ = ["Rule", "Silence", "check_silences", "count_alerts", "load", "load_silences", "of", "replay", "run", "test"]


def __dir__() -> list[str]:
    return __all__
