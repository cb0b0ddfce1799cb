"""What messages say of new objects: notifications of S3, by SNS and EventBridge, of Security Lake and CloudTrail."""

from __future__ import annotations

import dataclasses
import json
import urllib.parse
from typing import Any

_DEEPEST = 4  # envelopes in one another
_CREATED = ("Object Created", "Object Restore Completed")  # detail types of EventBridge that tell of bytes to read


@dataclasses.dataclass(frozen=True)
class Announced:
    """An object that a message tells of. ``keys``: how its key may be meant, the likeliest first. ``etag``: without
    quotation marks; empty if it is not known."""

    bucket: str
    keys: tuple[str, ...]
    etag: str = ""
    size: int | None = None


@dataclasses.dataclass(frozen=True)
class Message:
    """What a message says: new ``objects``; or, if ``unknown`` is empty, nothing that is to be read. ``unknown``: why
    nobody can tell."""

    objects: tuple[Announced, ...] = ()
    unknown: str = ""
    test: bool = False  # that of S3, sent when notifications are set up


def parse(body: str) -> Message:
    """Parses the body of a message.

    >>> parse('{"Event": "s3:TestEvent", "Bucket": "logs"}').test
    True
    >>> parse('{"detail": {"bucket": {"name": "logs"}, "object": {"key": "a+b.gz", "etag": "9b2c"}}}').objects
    (Announced(bucket='logs', keys=('a+b.gz',), etag='9b2c', size=None),)
    """
    return _parse(body, 0)


def _parse(body: str, depth: int) -> Message:
    text = body.strip()
    if text.startswith("CloudTrail validation message"):
        return Message()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Message(unknown="no JSON")
    if not isinstance(found, dict):
        return Message(unknown="no JSON object")
    try:
        return _of(found, depth)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return Message(unknown=f"a notification without {error.args[0] if error.args else 'its parts'!s:.60}")


def _of(found: dict[str, Any], depth: int) -> Message:
    if found.get("Event") == "s3:TestEvent":
        return Message(test=True)
    if isinstance(found.get("Records"), list) and found["Records"]:
        return Message(tuple(object for record in found["Records"] for object in _of_record(record)))
    if isinstance(found.get("Message"), str) and depth < _DEEPEST:  # of SNS
        return _parse(found["Message"], depth + 1)
    if isinstance(found.get("detail"), dict):
        return _of_event(found)
    if isinstance(found.get("s3ObjectKey"), list):  # of CloudTrail
        return Message(tuple(Announced(_text(found["s3Bucket"]), (_text(key),)) for key in found["s3ObjectKey"]))
    return Message(unknown=f"no notification of an object ({', '.join(map(str, list(found)[:5]))})"[:200])


def _of_record(record: dict[str, Any]) -> list[Announced]:
    """Returns the object of a record of a notification, if it was created."""
    if isinstance(record.get("Sns"), dict):  # as Lambda gets it
        return list(_parse(_text(record["Sns"]["Message"]), 1).objects)
    name = _text(record.get("eventName", "ObjectCreated:Put")).removeprefix("s3:")
    entry = record["s3"]["object"]
    raw = _text(entry["key"])
    # AWS encodes keys, blanks as "+" or "%20"; other servers do not.
    keys = dict.fromkeys([urllib.parse.unquote_plus(raw, errors="surrogateescape"), raw])
    if not name.startswith(("ObjectCreated:", "ObjectRestore:Completed")):
        return []
    return [Announced(_text(record["s3"]["bucket"]["name"]), tuple(keys), _etag(entry.get("eTag")), _size(entry))]


def _of_event(found: dict[str, Any]) -> Message:
    """Reads an event of EventBridge; Security Lake's have no detail type. Their keys are not encoded."""
    kind = found.get("detail-type")
    entry = found["detail"]["object"]
    if kind is not None and kind not in _CREATED:
        return Message()
    etag = entry.get("etag", entry.get("eTag"))
    bucket = _text(found["detail"]["bucket"]["name"])
    return Message((Announced(bucket, (_text(entry["key"]),), _etag(etag), _size(entry)),))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text where one is needed")
    return value


def _etag(value: Any) -> str:
    return value.strip('"') if isinstance(value, str) else ""


def _size(entry: dict[str, Any]) -> int | None:
    size = entry.get("size")
    return size if isinstance(size, int) else None
