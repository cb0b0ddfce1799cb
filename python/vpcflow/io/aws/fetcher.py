"""Fetchers: how the bytes of an object come. By obstore if that is installed, which costs a third of boto3's CPU, else
by boto3; credentials, region and endpoint are boto3's for both."""

from __future__ import annotations

import datetime
from typing import Any, Protocol, Union

from .session import Connection
from .words import MISSING, REPLACED, THROTTLING, code_of, error_of, explained

Buffer = Union[bytes, memoryview]
_TTL = datetime.timedelta(minutes=5)  # after which obstore asks boto3 again, which renews what expires


class FetchError(Exception):
    """An object that did not come: the text says why. ``gone``: it was deleted; ``replaced``: it has other bytes now;
    ``passing``: asking later may help."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.gone = code in MISSING
        self.replaced = code in REPLACED
        self.passing = code in THROTTLING or not code


class Fetcher(Protocol):
    """Gets objects of one bucket, with one request each. Any number of threads may call it at once.

    ``etag``: that of the version which is wanted; another one is a :class:`FetchError`. Empty for any.
    """

    def get(self, key: str, etag: str) -> Buffer:
        """Returns a whole object."""
        ...

    def get_range(self, key: str, start: int, end: int, etag: str) -> Buffer:
        """Returns the bytes of an object from ``start`` on and before ``end``."""
        ...


class Boto3Fetcher:
    """Gets objects by a client of boto3."""

    def __init__(self, client: Any, bucket: str, connection: Connection) -> None:
        self._client, self._bucket = connection.client("s3", client.meta.region_name, attempts=1), bucket
        self._payer = {"RequestPayer": "requester"} if connection.requester_pays else {}

    def get(self, key: str, etag: str) -> Buffer:
        return self._get(key, etag, {})

    def get_range(self, key: str, start: int, end: int, etag: str) -> Buffer:
        return self._get(key, etag, {"Range": f"bytes={start}-{end - 1}"})

    def _get(self, key: str, etag: str, own: dict[str, str]) -> Buffer:
        match = {"IfMatch": etag} if etag else {}
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key, **self._payer, **match, **own)
            data: bytes = answer["Body"].read()
            return data
        except Exception as error:
            raise _of(error) from None


class ObstoreFetcher:
    """Gets objects by obstore, with the credentials of a session of boto3."""

    def __init__(self, client: Any, bucket: str, connection: Connection) -> None:
        from obstore.store import S3Store

        endpoint = client.meta.endpoint_url
        credentials = None if connection.no_sign_request else connection.session().get_credentials()
        path_style = (client.meta.config.s3 or {}).get("addressing_style") == "path"
        own: dict[str, Any] = {"credential_provider": _Provider(credentials)} if credentials is not None else {}
        if path_style:
            own.update(endpoint=endpoint, virtual_hosted_style_request=False)
        self._store = S3Store(
            bucket,
            region=client.meta.region_name or "us-east-1",
            skip_signature=connection.no_sign_request,
            request_payer=connection.requester_pays,
            client_options={"allow_http": endpoint.startswith("http://"), "timeout": "60s", "connect_timeout": "10s"},
            retry_config={"max_retries": 0, "retry_timeout": datetime.timedelta(seconds=60)},
            **own,
        )

    def get(self, key: str, etag: str) -> Buffer:
        import obstore

        try:
            options: Any = {"if_match": etag} if etag else None
            return memoryview(obstore.get(self._store, key, options=options).bytes())
        except Exception as error:
            raise _of(error) from None

    def get_range(self, key: str, start: int, end: int, etag: str) -> Buffer:
        import obstore

        try:
            options: Any = {"range": (start, end), **({"if_match": etag} if etag else {})}
            return memoryview(obstore.get(self._store, key, options=options).bytes())
        except Exception as error:
            raise _of(error) from None


class _Provider:
    """Gives obstore what boto3 has, renewed by boto3."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def __call__(self) -> Any:
        frozen = self._credentials.get_frozen_credentials()
        return {
            "access_key_id": frozen.access_key,
            "secret_access_key": frozen.secret_key,
            "token": frozen.token,
            "expires_at": datetime.datetime.now(datetime.timezone.utc) + _TTL,
        }


# Of obstore's errors without a code in their text.
_KINDS = {
    "NotFoundError": "NoSuchKey",
    "PermissionDeniedError": "AccessDenied",
    "UnauthenticatedError": "AccessDenied",
    "PreconditionError": "PreconditionFailed",
}


def _of(error: Exception) -> FetchError:
    code, message = code_of(error)
    kind = _KINDS.get(type(error).__name__, "")
    if kind and (not code or kind == "PreconditionFailed"):
        code = kind
    if code:
        return FetchError(explained(code, message), code)
    return FetchError(str(error_of("", error)).removeprefix(": "))


def fetcher_of(client: Any, bucket: str, connection: Connection) -> Fetcher:
    """Makes a fetcher for the objects of a bucket, of which ``client`` is boto3's for S3."""
    try:
        import obstore  # noqa: F401
    except ImportError:
        return Boto3Fetcher(client, bucket, connection)
    return ObstoreFetcher(client, bucket, connection)
