"""Channels of alerts as sinks of findings: webhooks, Alertmanager, syslog, files, and whatever Apprise knows."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

from ...alerts.addresses import RefusedError
from ...alerts.alert import Alert, Channel
from ...alerts.opening import channel, check, schemes
from ...errors import NotifyError, RuleError
from ...siem.findings import OWN
from ..opening import Place
from ..sink import Limits, Piece, Receipt, StoppedError

SCHEMES = tuple(schemes())
OPTIONS = None  # URLs of webhooks have any


def open_sink(place: Place) -> OfAlerts:
    """Makes the sink of a URL of a channel."""
    if place.unit != "findings" or place.schema != OWN:
        raise RuleError(
            f"sink {place.scheme}: it takes findings as they are: --unit findings, without --as; "
            "an index is opensearch+https://..."
        )
    opened = channel(place.url, allow_hosts=place.allow_hosts)
    with contextlib.suppress(NotifyError):  # unreachable now
        check(opened)
    return OfAlerts(opened)


class OfAlerts:
    """A channel, which takes one alert at a time. Its events are lines of :meth:`~vpcflow.alerts.Alert.as_dict`."""

    takes_ids = False
    limits = Limits(items=1, each=1 << 20)

    def __init__(self, to: Channel) -> None:
        self._channel, self.label = to, to.label

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line; :class:`ValueError` for one that is no finding."""
        _alert(identity, line)
        return line

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Delivers alerts. What failed and what is behind it are sent again."""
        for i, piece in enumerate(pieces):
            try:
                self._channel.send(_alert(piece.id, piece.line))
            except RefusedError as error:
                raise StoppedError(str(error)) from None
            except NotifyError as error:
                if i == 0:
                    raise
                return Receipt(range(i, len(pieces)), reason=str(error))
        return Receipt()

    def close(self) -> None:
        """Does nothing: each alert has its own connection."""


def _alert(identity: str, line: bytes) -> Alert:
    return Alert.of(json.loads(line), identity)
