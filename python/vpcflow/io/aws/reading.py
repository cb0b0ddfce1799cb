"""One opening of logs that may lie in AWS: what is asked for, how AWS is reached, and what was found there."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ... import _core
from ...errors import SourceError
from .layout import NOTHING_CHOSEN, Selection
from .session import DEFAULT, Connection
from .url import S3Url, scheme_of

if TYPE_CHECKING:
    from .bucket import Bucket, S3Object
    from .pool import Pool


class ListedUrl(str):
    """The URL of an object that was listed, with what the listing told: whoever gets it needs no listing. May be
    pickled."""

    size: int
    etag: str

    @classmethod
    def of(cls, url: str, entry: S3Object) -> ListedUrl:
        """Makes one of a listed object."""
        made = cls(url)
        made.size, made.etag = entry.size, entry.etag
        return made


class FetchedUrl(ListedUrl):
    """The URL of an object that was fetched, with its bytes."""

    data: bytes

    @classmethod
    def with_data(cls, url: str, data: bytes) -> FetchedUrl:
        """Makes one of the bytes of an object."""
        made = cls(url)
        made.size, made.etag, made.data = len(data), "", data
        return made


@dataclasses.dataclass
class Reading:
    """An opening of logs. ``selection``: which objects are asked for. ``tables``: Parquet is read as such. ``format``:
    that of logs without header, if it is given. ``once``: objects with the same bytes are read once.

    ``notes`` grow by what is not read, ``places`` by a line for each listing, ``listed`` by the objects in S3,
    ``settled`` by the names of sources of which only what is asked for is read, whatever their names tell.
    """

    selection: Selection = NOTHING_CHOSEN
    connection: Connection = DEFAULT
    tables: bool = True
    format: str | None = None
    once: bool = True
    notes: list[str] = dataclasses.field(default_factory=list)
    places: list[str] = dataclasses.field(default_factory=list)
    listed: dict[str, ListedUrl] = dataclasses.field(default_factory=dict)
    settled: set[str] = dataclasses.field(default_factory=set)
    _buckets: dict[str, Bucket] = dataclasses.field(default_factory=dict)

    @property
    def pool(self) -> Pool:
        """The threads that wait for AWS."""
        from .pool import the_pool

        return the_pool()

    def bucket(self, name: str) -> Bucket:
        """Returns a bucket."""
        if name not in self._buckets:
            from .bucket import Bucket

            self._buckets[name] = Bucket(name, self.connection)
        return self._buckets[name]

    def sources_of(self, url: str) -> list[_core.Source]:
        """Returns the sources of a URL. Raises :class:`~vpcflow.SourceError` for one that cannot be read."""
        scheme = scheme_of(url)
        if scheme == "s3":
            return self._sources_of_s3(S3Url.of(url), self.selection)
        if scheme == "cloudwatch":
            return [self._source_of_group(url, self.format)]
        if scheme == "iceberg":
            from ..iceberg import open_table

            return [self.source_of_table(open_table(url), url)]
        raise SourceError(f"{url}: queues and streams are followed, not scanned; write: vpcflow watch {url}")

    def source_of_table(self, table: Any, name: str = "") -> _core.Source:
        """Returns the source of a table of pyiceberg, or of a scan of one."""
        from ..iceberg import IcebergTable

        found = IcebergTable(table, self.selection, name)
        self.places.append(found.summary())
        if found.settled:
            self.settled.add(found.name)
        return found.source()

    def sources_of_flow_logs(self, ids: Sequence[str]) -> list[_core.Source]:
        """Returns the sources of what flow logs deliver, wherever that is."""
        from .flow_logs import account_of, deliveries

        found = deliveries(ids, self.connection)
        self.notes += [f"{one.id}: AWS says that its delivery fails: {one.failing}" for one in found if one.failing]
        out = []
        for url in dict.fromkeys(one.url for one in found):
            of = [one for one in found if one.url == url]
            if url.startswith("s3:"):
                account = None if self.selection.accounts else account_of(self.connection)
                chosen = self.selection._replace(
                    regions=self.selection.regions or [of[0].region],
                    accounts=[account] if account else self.selection.accounts,
                )
                out += self._sources_of_s3(S3Url.of(url), chosen)
                continue
            formats = {one.format for one in of if one.format}
            out.append(self._source_of_group(url, self.format or (formats.pop() if len(formats) == 1 else None)))
        return out

    def _sources_of_s3(self, url: S3Url, selection: Selection) -> list[_core.Source]:
        from .listing import list_logs

        bucket = self.bucket(url.bucket)
        found = list_logs(bucket, url, selection, self.pool)
        if self.once:
            found.leave_out_copies()
        self.notes += found.notes()
        self.places.append(found.summary())
        for entry in found.objects:
            name = bucket.url(entry.key)
            self.listed[name] = ListedUrl.of(name, entry)
        return self._sources(bucket, found.objects)

    def _source_of_group(self, url: str, given: str | None) -> _core.Source:
        from .cloudwatch import LogGroup

        group = LogGroup(url, self.connection)
        stored = group.check()
        format = group.format(given)
        self.places.append(group.summary(format, stored))
        return group.source(format, self.selection.start, self.selection.end)

    def listed_sources(self, urls: Sequence[Any]) -> list[_core.Source]:
        """Returns the sources of objects that somebody else has listed, or fetched."""
        from .bucket import S3Object

        out = []
        objects: dict[str, list[S3Object]] = {}
        for url in urls:
            if isinstance(url, FetchedUrl):
                out.append(_core.Source.data(url, url.data))
                continue
            place = S3Url.of(url)
            objects.setdefault(place.bucket, []).append(S3Object(place.key, url.size, url.etag, 0.0, False))
        for name, entries in objects.items():
            out += self._sources(self.bucket(name), entries)
        return out

    def _sources(self, bucket: Bucket, objects: Sequence[S3Object]) -> list[_core.Source]:
        from .objects import text_source

        parquet = [entry for entry in objects if self.tables and entry.key.endswith(".parquet")]
        tables = self._tables(bucket, parquet) if parquet else {}
        return [tables.get(entry.key) or text_source(bucket, entry, self.pool) for entry in objects]

    def _tables(self, bucket: Bucket, objects: Sequence[S3Object]) -> dict[str, _core.Source]:
        from ..tables import TableFile
        from .objects import text_source
        from .tables import Tables

        stored = Tables(bucket, objects, self.pool).tables
        files = [TableFile(text_source(bucket, one.entry, self.pool), "Parquet", one) for one in stored]
        column = files[0].message_column()  # a look at each would wait for each
        return {one.entry.key: file.source_of(column) for one, file in zip(stored, files)}
