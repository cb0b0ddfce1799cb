"""Whatever Apprise knows: mail, Slack, Teams, and a hundred more."""

from __future__ import annotations

import json
import urllib.parse
import warnings

from ...errors import NotifyError, RuleError
from ..alert import Alert, Channel

SCHEMES: tuple[str, ...] = ()  # all that no other channel has


def open_channel(url: str, allow_hosts: tuple[str, ...]) -> Channel:
    """Makes the channel of a URL."""
    return AppriseChannel(url)


class AppriseChannel:
    """Whatever Apprise knows: mail, Slack, Teams, PagerDuty, ..."""

    def __init__(self, url: str) -> None:
        label = f"{urllib.parse.urlsplit(url).scheme}://"
        self.label = label
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what its plugins import
            try:
                import apprise  # an extra
            except ImportError:
                raise RuleError(f"channel {label}: it needs Apprise: pip install 'vpcflow[notify]'") from None
            self._apprise = apprise.Apprise()
            # It knows the URLs that Slack and others give their users, too: slack+https://hooks.slack.com/...
            if not any(self._apprise.add(one) for one in (url, url.partition("+")[2]) if one):
                raise RuleError(f"channel {label}: Apprise knows no such URL")

    def send(self, alert: Alert) -> None:
        """Sends the alert as one notification."""
        found = alert.finding
        kinds = {"high": "failure", "medium": "warning", "low": "info"}
        title = f"{found.severity}: {found.detector}"
        body = f"{alert.sentence}\n{json.dumps(found.evidence)}\n{alert.id}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            done = self._apprise.notify(title=title, body=body, notify_type=kinds[found.severity], body_format="text")
        if not done:
            raise NotifyError(f"{self.label}: not delivered")
