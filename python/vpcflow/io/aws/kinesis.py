"""A stream of Kinesis: its shards, and the records of each from a place on."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..._hints import nearest
from ...errors import SourceError, SourceNotFoundError
from ..packed import RefusedError, line_of
from .session import Connection
from .words import code_of, error_of

_AGGREGATED = b"\xf3\x89\x9a\xc2"  # by Kinesis's producer library


class Shard(NamedTuple):
    """A shard, and those that it was made of. ``closed``: it gets no more records."""

    id: str
    parents: tuple[str, ...]
    closed: bool


class Records(NamedTuple):
    """Records of a shard as text, ``n`` of them. ``last``: the number of the last one; ``ended``: no more come."""

    text: bytes
    n: int
    last: str | None
    ended: bool
    refused: tuple[str, ...]  # why, of each record that is not in the text


class Stream:
    """A stream by its URL: ``kinesis://NAME?region=us-east-1``. Any thread may use it."""

    def __init__(self, url: str, connection: Connection) -> None:
        self.url = url
        rest, _, query = url[url.index("://") + 3 :].partition("?")
        options = dict(urllib.parse.parse_qsl(query))
        unknown = [name for name in options if name != "region"]
        if unknown:
            raise SourceError(f"{url}: no option {unknown[0]!r}; there is region")
        self.name = urllib.parse.unquote(rest.strip("/"))
        if not self.name:
            raise SourceError(f"{url}: the stream is missing; write kinesis://NAME")
        self._client = connection.client("kinesis", options.get("region"))

    def shards(self) -> list[Shard]:
        """Returns all shards that have records, closed ones too, parents first. Raises
        :class:`~vpcflow.SourceNotFoundError`, with the nearest name, if there is no such stream."""
        arguments: dict[str, Any] = {"StreamName": self.name}
        found = []
        while True:
            try:
                answer = self._client.list_shards(**arguments)
            except Exception as error:
                raise self._error(error) from None
            found += [
                Shard(
                    s["ShardId"],
                    tuple(p for p in (s.get("ParentShardId"), s.get("AdjacentParentShardId")) if p),
                    "EndingSequenceNumber" in s.get("SequenceNumberRange", {}),
                )
                for s in answer.get("Shards", ())
            ]
            if not answer.get("NextToken"):
                return sorted(found)
            arguments = {"NextToken": answer["NextToken"]}

    def _error(self, error: Exception) -> SourceError:
        if code_of(error)[0] != "ResourceNotFoundException":
            return error_of(self.url, error)
        try:
            known = self._client.list_streams().get("StreamNames", [])
        except Exception:  # not everybody may list streams
            known = []
        near = nearest(self.name, known)
        hint = f"; did you mean {near!r}?" if near else ""
        return SourceNotFoundError(f"{self.url}: no stream {self.name!r} here{hint}")

    def records(self, shard: str, begin: dict[str, Any]) -> Iterator[Records]:
        """Yields the records of a shard until it has no more now. ``begin``: the arguments of GetShardIterator that say
        from where on."""
        try:
            iterator = self._client.get_shard_iterator(StreamName=self.name, ShardId=shard, **begin)["ShardIterator"]
            while iterator:
                answer = self._client.get_records(ShardIterator=iterator)
                got, iterator = answer["Records"], answer.get("NextShardIterator")
                behind = int(answer.get("MillisBehindLatest", 0))
                yield _records(got, not iterator)
                if not got and not behind:
                    return
        except Exception as error:
            raise self._error(error) from None


def _records(got: list[dict[str, Any]], ended: bool) -> Records:
    """Joins the texts of records; one that cannot be unpacked is refused, and holds up no other."""
    lines, refused = [], []
    for record in got:
        data = bytes(record["Data"])
        try:
            if data.startswith(_AGGREGATED):
                raise RefusedError(400, "records of Kinesis's producer library are not read; send lines or JSON")
            lines.append(line_of(data))
        except RefusedError as error:
            refused.append(f"record {record['SequenceNumber']}: {error}")
    last = got[-1]["SequenceNumber"] if got else None
    return Records(b"".join(lines), len(lines), last, ended, tuple(refused))


def oldest() -> dict[str, Any]:
    """Begins with the oldest record that is kept."""
    return {"ShardIteratorType": "TRIM_HORIZON"}


def after(sequence: str) -> dict[str, Any]:
    """Begins with the record that follows another one."""
    return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": sequence}


def at(time: float) -> dict[str, Any]:
    """Begins at a time, Unix seconds."""
    return {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": time}
