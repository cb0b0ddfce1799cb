"""Where alerts go: files, webhooks, Alertmanager, syslog, and whatever Apprise knows.

A channel is named by a URL. Secrets in it are never shown: of a URL, errors have scheme and host. A channel may also be
given as ``env:NAME`` or ``file:PATH``, where the URL is the content of a variable or of a file.

=============================== ======================================================================================
``jsonl:PATH``, ``jsonl:-``     one JSON object a line, appended and synced; ``-`` is standard output
``https://...``                 a POST of JSON with an ``Idempotency-Key``, to public hosts; see :mod:`.webhook`
``alertmanager+http://HOST``    Prometheus Alertmanager, API v2 (``+https`` too)
``syslog://HOST[:514]``         RFC 5424 over UDP, the message in CEF; ``syslog+tcp://`` over TCP (octet counting),
                                ``syslog+tls://`` over TLS
anything else                   Apprise (``pip install 'vpcflow[notify]'``): mail, Slack, Teams, and a hundred more
=============================== ======================================================================================
"""

from .alert import Alert, Channel
from .cef import cef
from .opening import channel, check

__all__ = ["Alert", "Channel", "cef", "channel", "check"]


def __dir__() -> list[str]:
    return __all__
