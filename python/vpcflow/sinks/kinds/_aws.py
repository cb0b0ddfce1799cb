"""What sinks of AWS share: what an error means for the whole request."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ...io.aws.words import THROTTLING, code_of, error_of
from ..sink import BusyError, StoppedError

#: Kinds of errors of boto3 that say nothing about the request.
_AGAIN = (
    "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError",
    "ProxyConnectionError", "ConnectionError", "HTTPClientError", "ResponseStreamingError",
)  # fmt: skip
INTERNAL = frozenset({"InternalFailure", "InternalServerError", "InternalException", "ServiceUnavailableException"})
ATTEMPTS = 1  # of boto3: the pauses are those of all sinks


@contextlib.contextmanager
def in_receipts(label: str) -> Iterator[None]:
    """Turns errors of boto3 in its block into those of :meth:`~vpcflow.sinks.Sink.send`."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("botocore", "boto3", "urllib3", "s3transfer")):
            raise
        code, _ = code_of(error)
        text = str(error_of(label, error))
        if code in THROTTLING or code in INTERNAL or type(error).__name__ in _AGAIN:
            raise BusyError(text) from None
        raise StoppedError(text) from None
