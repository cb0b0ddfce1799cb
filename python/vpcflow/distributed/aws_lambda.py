"""A handler for AWS Lambda: what events bring is added to an aggregation, which is kept in an object of S3.

    import vpcflow as vf
    from vpcflow.aws_lambda import Handler

    handler = Handler(vf.Aggregation(by="dstport", bytes=vf.sum("bytes")), "s3://my-bucket/state/ports")

Lambda gives an event at least once, and several functions run at once. So the state has the identities of what is in
it, and is written only over the version that was read (``If-Match``): who loses the race reads and merges again.
"""

from __future__ import annotations

import base64
import json
import time
import warnings
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Callable, NamedTuple

from ..errors import ArgumentError, DataQualityWarning, SourceError, StateError, VpcflowError
from ..io.aws import Connection, S3Url
from ..io.aws.events import Announced, parse
from ..io.aws.fetcher import FetchError
from ..io.aws.identity import identity
from ..io.packed import RefusedError, unpacked
from ..query.aggregation import Aggregation
from ..typing import AwsOptions

_MEMORY = 15 * 86400  # seconds; a queue keeps messages for 14 days at most
_TRIES = 20  # to write the state
_MOST_UNPACKED = 64 << 20
_LOST = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


class Part(NamedTuple):
    """Something of an event: what it is known by, how its bytes come, and the message that fails if it does."""

    id: str
    get: Callable[[], bytes]
    message: str | None


class Handler:
    """Adds what an event brings to the aggregation at ``state``, an ``s3://`` URL.

    Takes events of S3; of SQS with S3's events in any envelope, of which those that fail are returned as
    ``batchItemFailures``; of EventBridge; of a subscription of CloudWatch Logs; of Kinesis, with ``batchItemFailures``,
    too. ``format``: that of logs without header, such as those of CloudWatch. ``aws``: as of :func:`vpcflow.scan`.
    Any event, or part of one, is added once, however often it comes.
    """

    def __init__(
        self, question: Aggregation, state: str, *, format: str | None = None, aws: AwsOptions | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._question, self._format, self._clock = question, format, clock
        self._state, self._connection = S3Url.of(state), Connection.of(aws)
        if not self._state.key or self._state.key.endswith("/"):
            raise ArgumentError(f"{state}: the state is an object; write s3://BUCKET/KEY")
        self._client = self._connection.client("s3")
        self._buckets: dict[str, Any] = {}

    def __call__(self, event: Mapping[str, Any], context: object = None) -> dict[str, Any]:
        """Handles an event. Returns how much of it was added, and what failed. An error of an event that cannot fail in
        part is raised."""
        answers, failed = [], []
        fresh: dict[str, Aggregation] = {}
        seen = self._read()[1]
        for part in self._parts(event):
            if part.id in seen or part.id in fresh:
                continue
            try:
                fresh[part.id] = self._counted(part)
            except VpcflowError as error:
                if part.message is None:
                    raise
                failed.append(part.message)
                answers.append(f"{part.message}: {error}")
        added = self._add(fresh) if fresh else 0
        unknown = [{"itemIdentifier": name} for name in dict.fromkeys(failed)]
        return {"added": added, "errors": answers, "batchItemFailures": unknown}

    def result(self) -> Aggregation:
        """Returns what was aggregated so far."""
        state = self._read()[0]
        return self._question.copy() if state is None else state

    def _counted(self, part: Part) -> Aggregation:
        made = self._question.copy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataQualityWarning)
            return made.update(part.get(), format=self._format, allow_empty=True)

    # -- events

    def _parts(self, event: Mapping[str, Any]) -> Iterator[Part]:
        if isinstance(event.get("awslogs"), Mapping):
            data = str(event["awslogs"].get("data", ""))
            yield Part(_name("awslogs", data), lambda: _decoded(data), None)
            return
        records = event.get("Records")
        if not isinstance(records, list):
            yield from self._objects(json.dumps(event), None)
            return
        for record in records:
            source = record.get("eventSource", record.get("EventSource")) if isinstance(record, Mapping) else None
            if source == "aws:sqs":
                yield from self._objects(str(record.get("body", "")), str(record.get("messageId")))
            elif source == "aws:kinesis":
                data = str(record.get("kinesis", {}).get("data", ""))
                number = str(record.get("kinesis", {}).get("sequenceNumber"))
                yield Part(_name("kinesis", record.get("eventID")), lambda data=data: _decoded(data), number)  # type: ignore[misc]
            else:
                yield from self._objects(json.dumps({"Records": [record]}), None)

    def _objects(self, body: str, message: str | None) -> Iterator[Part]:
        said = parse(body)
        if said.unknown:
            yield Part(_name("unknown", body), lambda: _unknown(said.unknown), message)
        for one in said.objects:
            name = _name(one.bucket, one.keys[0], one.etag, one.size)
            yield Part(name, lambda one=one: self._fetched(one), message)  # type: ignore[misc]

    def _fetched(self, announced: Announced) -> bytes:
        from ..io.aws.bucket import Bucket

        if announced.bucket not in self._buckets:
            self._buckets[announced.bucket] = Bucket(announced.bucket, self._connection)
        try:
            data: bytes = self._buckets[announced.bucket].fetched(announced.keys, announced.etag)[1]
            return data
        except FetchError as error:
            raise SourceError(f"s3://{announced.bucket}/{announced.keys[0]}: {error}") from None

    # -- the state

    def _read(self) -> tuple[Aggregation | None, dict[str, int], str | None]:
        """Returns the aggregation, the identities of what is in it, and the ETag of that version."""
        try:
            answer = self._client.get_object(Bucket=self._state.bucket, Key=self._state.key)
            text, etag = answer["Body"].read(), str(answer["ETag"])
        except Exception as error:
            from ..io.aws.words import MISSING, code_of, error_of

            if code_of(error)[0] in MISSING:
                return None, {}, None
            raise error_of(str(self._state), error) from None
        try:
            found = json.loads(text)
            state = Aggregation.from_bytes(base64.b64decode(found["state"]))
            return state, dict(found["seen"]), etag
        except (ValueError, KeyError, TypeError):
            raise StateError(f"{self._state}: not a state of a handler, or a damaged one") from None

    def _add(self, fresh: Mapping[str, Aggregation]) -> int:
        """Adds parts to the state, each once; returns how many were new."""
        from ..io.aws.words import code_of, error_of

        for attempt in range(_TRIES):
            state, seen, etag = self._read()
            new = [name for name in fresh if name not in seen]
            total = self._question.copy() if state is None else state
            for name in new:
                total.merge(fresh[name])
            if not new:
                return 0
            now = int(self._clock())
            kept = {name: day for name, day in seen.items() if day >= now - _MEMORY}
            body = {"schema_version": 1, "seen": {**kept, **dict.fromkeys(new, now)}}
            text = json.dumps({**body, "state": base64.b64encode(total.to_bytes()).decode()}).encode()
            condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
            try:
                self._client.put_object(Bucket=self._state.bucket, Key=self._state.key, Body=text, **condition)
            except Exception as error:
                if code_of(error)[0] not in _LOST:
                    raise error_of(str(self._state), error) from None
                time.sleep(min(0.01 * 2**attempt, 1.0))
            else:
                return len(new)
        raise SourceError(f"{self._state}: the state was changed by others {_TRIES} times in a row")


def _name(*parts: object) -> str:
    return identity(*parts).hex()


def _unknown(why: str) -> bytes:
    raise SourceError(f"{why}: nothing that a handler reads")


def _decoded(text: str) -> bytes:
    """Returns the bytes of a record: base64 of a line, or of packed JSON."""
    try:
        data = base64.b64decode(text, validate=True)
        packed = data.startswith((b"\x1f\x8b", b"x\x9c", b"x\x01", b"x\xda"))
        return unpacked(data, _MOST_UNPACKED) if packed else data
    except (ValueError, zlib.error, RefusedError) as error:
        raise SourceError(f"a record that cannot be decoded: {error}") from None
