"""Syslog over TLS (RFC 5425) and TCP (RFC 6587)."""

from __future__ import annotations

from collections.abc import Sequence

from ...alerts.addresses import NoHostError, RefusedError
from ...alerts.syslog import Receiver, message
from ...errors import NotifyError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt

SCHEMES = ("syslog+tcp", "syslog+tls")
OPTIONS = ("ca",)
_PATIENCE = 60.0  # seconds that the receiver may take nothing
_NOTICE = 5


def open_sink(place: Place) -> Syslog:
    """Makes the sink of a URL: ``syslog+tls://HOST[:6514]``."""
    return Syslog(place)


class Syslog:
    """Messages of RFC 5424, octet counted. Syslog has no answers, so each request has a connection of its own: when the
    receiver ends it as well, it has read all. Those on the way when a connection breaks go again. Datagrams are not
    offered, as they are lost without a sign."""

    takes_ids = False
    limits = Limits(bytes=4 << 20, items=20_000, each=64 << 10, about=1 << 13)

    def __init__(self, place: Place) -> None:
        self._receiver = Receiver(place.url, place.allow_hosts, place.option("ca"), _PATIENCE)
        self._receiver.check_url()
        self.label = self._receiver.label
        self._was_there = False

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line; what is before it has the time of sending."""
        return message(_NOTICE, identity, line)

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Writes messages, and waits until the receiver has read them."""
        try:
            self._receiver.send([piece.body for piece in pieces])
        except NoHostError as e:
            raise (BusyError if self._was_there else RefusedError)(f"{self.label}: {e}") from None
        except NotifyError as e:
            raise BusyError(str(e)) if self._was_there else e from None
        self._was_there = True
        return Receipt()

    def close(self) -> None:
        """Does nothing: each request has ended its connection."""
