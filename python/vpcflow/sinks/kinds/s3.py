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
from ...siem.places import LAKE_PARTITION
from ..marks import chunk_id
from ..opening import Place
from ..sink import Limits, Piece, Receipt
from ..times import time_of
from ._aws import ATTEMPTS, in_receipts

SCHEMES = ("s3",)
OPTIONS = ()
_ROWS = 512  # that are read from lines at once: what reads them takes much memory


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
    maps = True  # lines with maps as pairs are read faster
    limits = Limits(bytes=12 << 20, items=50_000, each=12 << 20, about=1 << 13)

    def __init__(self, place: Place, bucket: str, prefix: str) -> None:
        self._aws, self._bucket, self._prefix, self._schema = place.aws, bucket, prefix, place.schema
        self.label = f"s3://{bucket}/{prefix}".rstrip("/")

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line."""
        return line

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Puts an object for each partition."""
        parts = self._nested(pieces) if self._schema == "ocsf" else self._lines(pieces)
        known = 0
        for partition, (own, body, ending) in sorted(parts.items(), key=lambda part: part[0]):
            name = f"{chunk_id((piece.id, piece.line) for piece in own).hex()}.{ending}"
            known += 0 if self._put("/".join(filter(None, (self._prefix, partition, name))), body) else len(own)
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

    def _lines(self, pieces: Sequence[Piece]) -> dict[str, tuple[list[Piece], bytes, str]]:
        parts: dict[str, list[Piece]] = {}
        for piece in pieces:
            cloud = json.loads(piece.line).get("cloud") if self._schema == "ecs" else None
            cloud = cloud if isinstance(cloud, dict) else {}
            owner = (cloud.get("account") or {}).get("id")
            day = time.strftime("%Y%m%d", time.gmtime(time_of(self._schema, piece.line)))
            parts.setdefault(_partition(cloud.get("region"), owner, day), []).append(piece)
        return {
            partition: (own, gzip.compress(b"".join(piece.line + b"\n" for piece in own), mtime=0), "jsonl.gz")
            for partition, own in parts.items()
        }

    def _nested(self, pieces: Sequence[Piece]) -> dict[str, tuple[list[Piece], bytes, str]]:
        import pyarrow as pa
        import pyarrow.compute as pc
        from pyarrow import parquet

        from ...siem.nested import nested_table

        parts_of = (pieces[begin : begin + _ROWS] for begin in range(0, len(pieces), _ROWS))
        table = pa.concat_tables([nested_table(b"".join(_with_pairs(p.line) for p in part)) for part in parts_of])
        day = pc.strftime(pc.cast(table["time"], pa.timestamp("ms")), "%Y%m%d")
        region, owner = (pc.struct_field(table["cloud"], path) for path in (["region"], ["account", "uid"]))
        rows: dict[str, list[int]] = {}
        for row, of in enumerate(zip(region.to_pylist(), owner.to_pylist(), day.to_pylist())):
            rows.setdefault(_partition(*of), []).append(row)
        parts = {}
        for partition, own in rows.items():
            file = io.BytesIO()
            parquet.write_table(table if len(own) == len(pieces) else table.take(own), file, compression="zstd")
            parts[partition] = ([pieces[row] for row in own], file.getvalue(), "parquet")
        return parts

    def close(self) -> None:
        """Does nothing: clients are shared."""


def _partition(region: str | None, owner: str | None, day: str) -> str:
    return LAKE_PARTITION.format(region=region or "unknown", account=owner or "unknown", day=day)


def _with_pairs(line: bytes) -> bytes:
    """Returns a line with the member of unmapped fields as pairs of texts, as Arrow reads maps; most have it so."""
    if b'"unmapped":{' not in line:
        return line + b"\n"
    event = json.loads(line)
    own = event.get("unmapped")
    if isinstance(own, dict):
        event["unmapped"] = [{"key": key, "value": None if value is None else str(value)} for key, value in own.items()]
    return json.dumps(event).encode() + b"\n"
