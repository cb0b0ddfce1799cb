"""What sinks of AWS share: what an error means for the whole request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ...io.aws.words import DENIED, THROTTLING, code_of, error_of
from ..sink import BusyError, StoppedError

#: Kinds of errors of boto3 that say nothing about the request.
_AGAIN = (
    "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError",
    "ProxyConnectionError", "ConnectionError", "HTTPClientError", "ResponseStreamingError",
)  # fmt: skip
INTERNAL = frozenset({"InternalFailure", "InternalServerError", "InternalException", "ServiceUnavailableException"})
ATTEMPTS = 1  # of boto3: the pauses are those of all sinks


@contextlib.contextmanager
def in_receipts(label: str, needs: str) -> Iterator[None]:
    """Turns errors of boto3 in its block into those of :meth:`~vpcflow.sinks.Sink.send`. ``needs``: the action that
    the caller must be allowed."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("botocore", "boto3", "urllib3", "s3transfer")):
            raise
        code, message = code_of(error)
        text = str(error_of(label, error))
        if code in DENIED and "kms" not in message.lower():
            text = f"{label}: access denied; the sender needs {needs} ({' '.join(message.split())[:300]})"
        if code in THROTTLING or code in INTERNAL or type(error).__name__ in _AGAIN:
            raise BusyError(text.replace(", also after retries", "")) from None
        raise StoppedError(text) from None
