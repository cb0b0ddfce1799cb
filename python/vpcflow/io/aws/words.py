"""What AWS's errors mean, in words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any

from ..._hints import nearest
from ...errors import SourceError, SourceNotFoundError

#: Codes by which a server asks for fewer requests.
THROTTLING = frozenset({
    "SlowDown", "503", "Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded",
    "TooManyRequestsException", "RequestThrottled", "RequestThrottledException", "LimitExceededException",
    "ProvisionedThroughputExceededException", "ServiceUnavailable", "InternalError", "500", "502", "504",
})  # fmt: skip
#: Codes of what is not there.
MISSING = frozenset({"NoSuchKey", "404", "NotFound", "NoSuchVersion"})
#: Codes of what is another version now.
REPLACED = frozenset({"PreconditionFailed", "412"})
DENIED = frozenset({"AccessDenied", "403", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled"})
_KEYS = frozenset({"InvalidAccessKeyId", "UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure"})
_CHAIN = "set AWS_PROFILE or AWS_ACCESS_KEY_ID, or give --profile"


def explained(code: str, message: str) -> str:
    """Returns what an error code of a service means, and what helps."""
    text = " ".join(message.split())[:300]
    if code in DENIED and "kms" in text.lower():
        return "access to its key was denied; the reader needs kms:Decrypt on the KMS key that encrypts it"
    if code in DENIED:
        needed = "s3:ListBucket and s3:GetObject, or the like of this service; vpcflow iam reader URL prints it"
        return f"access denied; the reader needs {needed} ({text})"
    if code == "InvalidObjectState":
        return "it is in an archived storage class; restore it first (aws s3api restore-object)"
    if code == "NoSuchBucket":
        return "there is no such bucket"
    if code in MISSING:
        return "it is gone"
    if code in REPLACED:
        return "it was replaced by another version since it was listed"
    if code in _KEYS:
        return f"the service does not know these credentials; {_CHAIN}"
    if code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
        return "the credentials have expired; log in again (aws sso login), or renew them"
    if code == "SignatureDoesNotMatch":
        return "the secret key does not match the access key"
    if code == "RequestTimeTooSkewed":
        return "the clock of this machine is wrong by more than 15 minutes"
    if code in THROTTLING:
        return f"the service asks for fewer requests ({code}), also after retries"
    return f"{text or 'failed'} ({code})"


def code_of(error: BaseException) -> tuple[str, str]:
    """Returns code and message of an error of boto3 or obstore: of the service's answer, if it has one."""
    response: Any = getattr(error, "response", None)
    if isinstance(response, dict):
        found = response.get("Error", {})
        return str(found.get("Code", "")), str(found.get("Message", ""))
    text = str(error)
    code = re.search(r"<Code>([A-Za-z0-9.]+)</Code>", text)
    message = re.search(r"<Message>([^<]*)</Message>", text)
    return (code[1] if code else ""), (message[1] if message else "")


@contextlib.contextmanager
def in_words(what: str) -> Iterator[None]:
    """Turns errors of boto3 in its block into :class:`~vpcflow.SourceError` about ``what``."""
    try:
        yield
    except Exception as error:
        module = type(error).__module__
        if not module.startswith(("botocore", "boto3", "urllib3", "s3transfer")):
            raise
        raise error_of(what, error) from None


def error_of(what: str, error: BaseException) -> SourceError:
    """Returns the error that says what went wrong with ``what``."""
    kind = type(error).__name__
    code, message = code_of(error)
    if code:
        gone = code in MISSING or code in ("NoSuchBucket", "ResourceNotFoundException", "QueueDoesNotExist")
        return (SourceNotFoundError if gone else SourceError)(f"{what}: {explained(code, message)}")
    if kind == "ProfileNotFound":
        return SourceError(f"{what}: {_no_profile(str(getattr(error, 'kwargs', {}).get('profile', '')))}")
    if kind in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"):
        return SourceError(f"{what}: no AWS credentials; {_CHAIN}, or --no-sign-request for what is public")
    if kind in ("NoRegionError",):
        return SourceError(f"{what}: no region; set AWS_REGION or give --aws-region")
    if kind in ("EndpointConnectionError", "ConnectTimeoutError", "ConnectionClosedError", "ProxyConnectionError"):
        url = without_secrets(str(getattr(error, "kwargs", {}).get("endpoint_url", "")))
        return SourceError(f"{what}: no connection to {url or 'the service'}")
    if "SSO" in kind or "Token" in kind:
        return SourceError(f"{what}: the login has expired; log in again (aws sso login)")
    text = without_secrets(" ".join(str(error).split()))[:300]
    return SourceError(f"{what}: {text or kind}")


def without_secrets(text: str) -> str:
    """Takes users, passwords and queries out of the URLs in a text.

    >>> without_secrets("no connection to http://user:secret@host:9000/b?X-Amz-Signature=1")
    'no connection to http://host:9000/b'
    """
    return re.sub(r"(://)(?:[^/@\s]*@)?([^?\s]*)(?:\?\S*)?", r"\1\2", text)


def _no_profile(name: str) -> str:
    import boto3

    known = boto3.Session().available_profiles
    near = nearest(name, known)
    rest = f"did you mean {near!r}?" if near else f"there are {', '.join(known) or 'none'}"
    return f"no profile {name!r} in the configuration; {rest}"
