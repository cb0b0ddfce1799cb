"""Where alerts go: files, webhooks, Alertmanager, syslog, and whatever Apprise knows."""

from .channels import Alert, Channel, cef, channel, check

__all__ = ["Alert", "Channel", "cef", "channel", "check"]


def __dir__() -> list[str]:
    return __all__
