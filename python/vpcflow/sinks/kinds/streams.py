"""Kinesis Data Streams and Data Firehose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import RuleError
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt
from ._aws import ATTEMPTS, in_receipts

SCHEMES = ("kinesis", "firehose")
OPTIONS = ()


def open_sink(place: Place) -> Stream:
    """Makes the sink of ``kinesis://STREAM`` or ``firehose://STREAM``."""
    if not place.rest or "/" in place.rest:
        raise RuleError(f"sink {place.scheme}: expected {place.scheme}://STREAM, not {place.rest!r}")
    return Stream(place)


class Stream:
    """A stream. The answer has a status for each record; those that failed go again. It keeps every record."""

    takes_ids = False

    def __init__(self, place: Place) -> None:
        self._name, self._aws, self._is_kinesis = place.rest, place.aws, place.scheme == "kinesis"
        self.label = f"{place.scheme}://{place.rest}"
        self.limits = Limits(bytes=4 << 20, items=500, each=1_000_000)

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line."""
        return line + b"\n"

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Puts records, in Kinesis with the id as the partition key."""
        with in_receipts(self.label, "kinesis:PutRecords" if self._is_kinesis else "firehose:PutRecordBatch"):
            failed = self._kinesis(pieces) if self._is_kinesis else self._firehose(pieces)
        if len(failed) != len(pieces):
            raise BusyError(f"{self.label}: the answer does not say what became of each event")
        retry = [i for i, code in enumerate(failed) if code]
        return Receipt(retry, reason=failed[retry[0]] if retry else "")

    def _kinesis(self, pieces: Sequence[Piece]) -> list[str]:
        records = [{"Data": piece.body, "PartitionKey": piece.id} for piece in pieces]
        client: Any = self._aws.client("kinesis", attempts=ATTEMPTS)
        answer = client.put_records(StreamName=self._name, Records=records)
        return [one.get("ErrorCode", "") for one in answer.get("Records", [])]

    def _firehose(self, pieces: Sequence[Piece]) -> list[str]:
        client: Any = self._aws.client("firehose", attempts=ATTEMPTS)
        records = [{"Data": piece.body} for piece in pieces]
        answer = client.put_record_batch(DeliveryStreamName=self._name, Records=records)
        return [one.get("ErrorCode", "") for one in answer.get("RequestResponses", [])]

    def close(self) -> None:
        """Does nothing: clients are shared."""
