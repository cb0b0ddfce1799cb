"""URLs of what lies in AWS."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ..._hints import hint
from ...errors import SourceError

_SCHEMES = ("s3", "cloudwatch", "sqs", "kinesis", "kafka", "iceberg")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
# Names of buckets; older ones may have capitals and underscores. An access point goes by its ARN.
_BUCKET = re.compile(r"arn:[^/]+(?::accesspoint/|/accesspoint/)[^/]+|[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_WILD = re.compile(r"[*?\[]")


def is_aws_url(data: Any) -> bool:
    """Tells whether an input is a URL, of AWS or another one, and not a path.

    >>> is_aws_url("s3://logs/AWSLogs/"), is_aws_url("logs/"), is_aws_url(b"s3://logs/")
    (True, False, False)
    """
    return isinstance(data, str) and _URL.match(data) is not None


def scheme_of(url: str) -> str:
    """Returns the scheme of a URL in small letters; raises :class:`~vpcflow.SourceError` for one that is not read."""
    match = _URL.match(url)
    scheme = match[1].lower() if match else ""
    if scheme not in _SCHEMES:
        raise SourceError(f"{url}: cannot read {scheme}:// URLs; {hint(scheme, _SCHEMES)}")
    return scheme


class S3Url(NamedTuple):
    """A place in S3: ``key`` is that of an object, a folder, a pattern, or empty for the whole bucket."""

    bucket: str
    key: str

    @classmethod
    def of(cls, url: str) -> S3Url:
        """Parses a URL.

        >>> S3Url.of("s3://logs/AWSLogs/")
        S3Url(bucket='logs', key='AWSLogs/')
        """
        rest = url[url.index("://") + 3 :]
        match = _BUCKET.match(rest)
        if match is None or rest[match.end() : match.end() + 1] not in ("", "/"):
            named = rest.split("/", 1)[0]
            what = f"no bucket of this name: {named!r}" if named else "the bucket is missing"
            raise SourceError(f"{url}: {what}; write s3://BUCKET/PREFIX/")
        if "\0" in rest:
            raise SourceError(f"{url!r}: a URL holds a NUL byte")
        return cls(match[0], rest[match.end() + 1 :])

    @property
    def wild(self) -> bool:
        """Whether the key is a pattern."""
        return _WILD.search(self.key) is not None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"
