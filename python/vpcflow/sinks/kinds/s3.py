"""Objects in S3: a lake."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Sequence
from typing import Any

from ...errors import RuleError
from ...io.aws.words import REPLACED, code_of
from ..marks import chunk_id
from ..opening import Place
from ..sink import Limits, Piece, Receipt
from ..times import time_of
from ._aws import ATTEMPTS, in_receipts

SCHEMES = ("s3",)
OPTIONS = ()


def open_sink(place: Place) -> Lake:
    """Makes the sink of ``s3://BUCKET/PREFIX/``."""
    bucket, _, prefix = place.rest.partition("/")
    if not bucket:
        raise RuleError("sink s3: expected s3://BUCKET/PREFIX/")
    return Lake(place, bucket, prefix.strip("/"))


class Lake:
    """Objects below a prefix, in Security Lake's partitions: ``region=R/accountId=A/eventDay=D/ID``. Events of OCSF are
    nested Parquet, others lines of JSON in gzip. The name of an object comes of the events in it, and it is put where
    none of the name is: what is sent again is the same object."""

    takes_ids = True
    limits = Limits(bytes=32 << 20, items=200_000, each=32 << 20, about=1 << 16)

    def __init__(self, place: Place, bucket: str, prefix: str) -> None:
        self._aws, self._bucket, self._prefix, self._schema = place.aws, bucket, prefix, place.schema
        self.label = f"s3://{bucket}/{prefix}".rstrip("/")

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line."""
        return line

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Puts an object for each partition."""
        parts: dict[str, list[Piece]] = {}
        for piece in pieces:
            parts.setdefault(self._partition(piece.line), []).append(piece)
        known = 0
        for partition, own in sorted(parts.items()):
            body, ending = self._object([piece.line for piece in own])
            name = f"{chunk_id((piece.id, piece.line) for piece in own).hex()}.{ending}"
            key = "/".join(filter(None, (self._prefix, partition, name)))
            known += 0 if self._put(key, body) else len(own)
        return Receipt(known=known)

    def _put(self, key: str, body: bytes) -> bool:
        """Puts an object. Returns whether it is new."""
        with in_receipts(self.label, "s3:PutObject"):
            client: Any = self._aws.client("s3", attempts=ATTEMPTS)
            try:
                client.put_object(Bucket=self._bucket, Key=key, Body=body, IfNoneMatch="*")
            except client.exceptions.ClientError as error:
                if code_of(error)[0] not in REPLACED:
                    raise
                return False
        return True

    def _partition(self, line: bytes) -> str:
        day = time.strftime("%Y%m%d", time.gmtime(time_of(self._schema, line)))
        cloud = json.loads(line).get("cloud") if self._schema in ("ocsf", "ecs") else None
        cloud = cloud if isinstance(cloud, dict) else {}
        account = cloud.get("account") or {}
        owner = account.get("uid") or account.get("id") or "unknown"
        return f"region={cloud.get('region') or 'unknown'}/accountId={owner}/eventDay={day}"

    def _object(self, lines: Sequence[bytes]) -> tuple[bytes, str]:
        if self._schema != "ocsf":
            return gzip.compress(b"".join(line + b"\n" for line in lines), mtime=0), "jsonl.gz"
        from pyarrow import parquet

        from ...siem.nested import nested_batches, nested_schema

        file = io.BytesIO()
        with parquet.ParquetWriter(file, nested_schema(), compression="zstd") as writer:
            for batch in nested_batches([b"".join(map(_with_pairs, lines))]):
                writer.write_batch(batch)
        return file.getvalue(), "parquet"

    def close(self) -> None:
        """Does nothing: clients are shared."""


def _with_pairs(line: bytes) -> bytes:
    """Writes the member of unmapped fields as pairs of texts, as Arrow reads maps."""
    event = json.loads(line)
    own = event.get("unmapped")
    if own is not None:
        event["unmapped"] = [{"key": key, "value": None if value is None else str(value)} for key, value in own.items()]
    return json.dumps(event).encode() + b"\n"
