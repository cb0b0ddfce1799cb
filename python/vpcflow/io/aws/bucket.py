"""A bucket: its listings, one page or folder at a time, and the fetcher of its objects."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..._hints import nearest
from ...errors import SourceError, SourceNotFoundError
from .fetcher import Fetcher, FetchError, fetcher_of
from .pool import the_pool
from .session import Connection
from .words import code_of, error_of

_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})  # GLACIER_IR is read as others are


class S3Object(NamedTuple):
    """An object as it was listed. ``etag`` names its bytes, and is opaque: with KMS, or of parts, it is no MD5."""

    key: str
    size: int
    etag: str
    modified: float  # Unix seconds
    archived: bool


class Page(NamedTuple):
    """What lies directly in a folder: objects, and the prefixes of folders."""

    objects: list[S3Object]
    folders: list[str]


class Bucket:
    """A bucket, reached by a connection. Any thread may use it."""

    def __init__(self, name: str, connection: Connection) -> None:
        self.name, self.connection = name, connection
        self._client = self._in_its_region(connection.client("s3"))
        self._payer = {"RequestPayer": "requester"} if connection.requester_pays else {}

    @functools.cached_property
    def fetcher(self) -> Fetcher:
        """The fetcher of its objects."""
        return fetcher_of(self._client, self.name, self.connection)

    def _in_its_region(self, client: Any) -> Any:
        """Returns a client of the region that the bucket is in, as AWS tells; other servers have one for all."""
        path_style = (client.meta.config.s3 or {}).get("addressing_style") == "path"
        if path_style or self.name.startswith("arn:"):
            return client
        try:
            answer = client.head_bucket(Bucket=self.name)
        except Exception as error:
            answer = getattr(error, "response", None)
            if not isinstance(answer, dict):
                raise error_of(f"s3://{self.name}/", error) from None
        region = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("x-amz-bucket-region")
        same = region is None or region == client.meta.region_name
        return client if same else self.connection.client("s3", region)

    def url(self, key: str) -> str:
        """Returns the URL of an object or prefix."""
        return f"s3://{self.name}/{key}"

    def pages(self, prefix: str, *, after: str = "", folders: bool = False) -> Iterator[Page]:
        """Yields what begins with a prefix, in the order of the keys; ``folders`` without what is below the next slash.

        ``after``: only keys behind this one.
        """
        arguments: dict[str, Any] = {"Bucket": self.name, "Prefix": prefix, **self._payer}
        if folders:
            arguments["Delimiter"] = "/"
        if after:
            arguments["StartAfter"] = after
        while True:
            try:
                answer = self._client.list_objects_v2(**arguments)
            except Exception as error:
                raise self._error(prefix, error) from None
            objects = [_object(entry) for entry in answer.get("Contents", ())]
            yield Page(objects, [entry["Prefix"] for entry in answer.get("CommonPrefixes", ())])
            if not answer.get("IsTruncated"):
                return
            arguments["ContinuationToken"] = answer["NextContinuationToken"]

    def folder(self, prefix: str) -> Page:
        """Returns what lies directly in a folder."""
        objects: list[S3Object] = []
        folders: list[str] = []
        for page in self.pages(prefix, folders=True):
            objects += page.objects
            folders += page.folders
        return Page(objects, folders)

    def fetched(self, keys: Sequence[str], etag: str) -> tuple[str, bytes]:
        """Returns the first of some keys that there is, with its bytes. ``etag``: without quotation marks, or empty.

        Raises :class:`~vpcflow.io.aws.fetcher.FetchError`."""
        match = f'"{etag}"' if etag else ""
        *others, last = keys
        for key in others:
            try:
                return key, self._whole(key, match)
            except FetchError as error:
                if not error.gone:
                    raise
        return last, self._whole(last, match)

    def _whole(self, key: str, match: str) -> bytes:
        return bytes(the_pool().fetched(functools.partial(self.fetcher.get, key, match)))

    def _error(self, prefix: str, error: Exception) -> SourceError:
        if code_of(error)[0] != "NoSuchBucket":
            return error_of(self.url(prefix), error)
        try:
            known = [bucket["Name"] for bucket in self._client.list_buckets().get("Buckets", ())]
        except Exception:  # not everybody may list buckets
            known = []
        near = nearest(self.name, known)
        rest = f"; did you mean {near!r}?" if near else ""
        return SourceNotFoundError(f"{self.url(prefix)}: there is no such bucket{rest}")


def _object(entry: Any) -> S3Object:
    return S3Object(
        entry["Key"],
        entry["Size"],
        entry.get("ETag", ""),
        entry["LastModified"].timestamp(),
        entry.get("StorageClass") in _ARCHIVED,
    )
