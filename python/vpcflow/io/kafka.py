"""Topics of Kafka, by confluent-kafka: the records of all partitions from given offsets on."""

from __future__ import annotations

import contextlib
import os
import re
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._hints import nearest
from ..errors import SourceError, SourceNotFoundError
from .packed import RefusedError, line_of

_PORT = 9092
_PATIENCE = 30.0  # seconds without an answer, after which reading gives up
_CALL = 10.0  # seconds that a call may take
_LOOK = 0.1  # seconds to wait for the rest of the messages that are asked for
_AT_ONCE = 1000  # messages that are asked for together
_PART_BYTES = 32 << 20  # of text that is given together
_OPTIONS = ("group", "config")
_AT_END = "_PARTITION_EOF"  # of a partition, as an error


class TopicUrl(NamedTuple):
    """``kafka://HOST[:PORT],.../TOPIC?group=NAME&config=FILE``."""

    brokers: str
    topic: str
    group: str
    config: str | None

    @classmethod
    def of(cls, url: str) -> TopicUrl:
        """Parses a URL.

        >>> TopicUrl.of("kafka://one,two:9093/flows?group=siem")
        TopicUrl(brokers='one:9092,two:9093', topic='flows', group='siem', config=None)
        """
        rest, _, query = url[url.index("://") + 3 :].partition("?")
        options = dict(urllib.parse.parse_qsl(query))
        for name in options:
            if name not in _OPTIONS:
                near = nearest(name, _OPTIONS) or " and ".join(_OPTIONS)
                raise SourceError(f"{url}: no option {name!r}; there is {near}")
        hosts, _, topic = rest.partition("/")
        if not hosts or not topic or "/" in topic.rstrip("/"):
            missing = "the topic" if hosts else "the broker"
            raise SourceError(f"{url}: {missing} is missing; write kafka://HOST:9092/TOPIC")
        if "@" in hosts:
            raise SourceError(f"{_without_user(url)}: no user in the URL; credentials belong into ?config=FILE")
        brokers = ",".join(
            host if re.search(r":\d+$", host) else f"{host}:{_PORT}" for host in hosts.split(",") if host
        )
        topic = urllib.parse.unquote(topic.rstrip("/"))
        return cls(brokers, topic, options.get("group", "vpcflow"), options.get("config"))


class Fetched(NamedTuple):
    """Records of a topic as text, ``n`` of them. ``places``: the offsets behind them, by partition."""

    text: bytes
    n: int
    places: dict[int, int]
    refused: tuple[str, ...]  # why, of each record that is not in the text


class Topic:
    """A topic by its URL. Of one thread. Closed by :meth:`close`."""

    def __init__(self, url: str) -> None:
        self._place = TopicUrl.of(url)
        self.url = _without_query(url)
        self._kafka = library(self.url)
        config: dict[str, Any] = {**config_of(self._place.config), **self._config()}
        try:
            self._consumer = self._kafka.Consumer(config)
        except (self._kafka.KafkaException, ValueError, TypeError) as error:
            raise SourceError(f"{self.url}: {said(error)}") from None

    def _config(self) -> dict[str, Any]:
        return {
            "bootstrap.servers": self._place.brokers,
            "group.id": self._place.group,
            "client.id": "vpcflow",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "earliest",
            "log_level": 0,  # what goes wrong is told by errors
            "error_cb": lambda error: None,
        }

    def close(self) -> None:
        """Ends the connections."""
        self._consumer.close()

    def ends(self) -> dict[int, tuple[int, int]]:
        """Returns the first offset that is there, and that of the next record, of each partition. Raises
        :class:`~vpcflow.SourceNotFoundError`, with the nearest name, if there is no such topic."""
        with self._in_words():
            topics = self._consumer.list_topics(timeout=_CALL).topics
            found = topics.get(self._place.topic)
            if found is None or (found.error is not None and not found.partitions):
                near = nearest(self._place.topic, list(topics))
                hint = f"; did you mean {near!r}?" if near else ""
                raise SourceNotFoundError(f"{self.url}: no topic {self._place.topic!r} there{hint}")
            return {
                number: self._consumer.get_watermark_offsets(self._at(number), timeout=_CALL)
                for number in sorted(found.partitions)
            }

    def since(self, seconds: float, ends: Mapping[int, tuple[int, int]]) -> dict[int, int]:
        """Returns the offsets of the first records since a time, Unix seconds; behind the last one if there is none."""
        with self._in_words():
            asked = [self._at(number, int(seconds * 1000)) for number in ends]
            found = self._consumer.offsets_for_times(asked, timeout=_CALL)
            return {one.partition: one.offset if one.offset >= 0 else ends[one.partition][1] for one in found}

    def records(self, begin: Mapping[int, int], ends: Mapping[int, tuple[int, int]]) -> Iterator[Fetched]:
        """Yields the records from the offsets ``begin`` on, up to ``ends``, in parts."""
        text: list[bytes] = []
        refused: list[str] = []
        places: dict[int, int] = {}
        n = size = 0
        for message in self._messages(begin, ends):
            number, offset = message.partition(), message.offset()
            places[number] = offset + 1
            value = message.value()
            if value is None:  # a tombstone
                continue
            try:
                text.append(line_of(value))
                size += len(text[-1])
                n += 1
            except RefusedError as error:
                refused.append(f"partition {number}, offset {offset}: {error}")
            if size > _PART_BYTES:
                yield Fetched(b"".join(text), n, places, tuple(refused))
                text, refused, places, n, size = [], [], {}, 0, 0
        if places:
            yield Fetched(b"".join(text), n, places, tuple(refused))

    def _messages(self, begin: Mapping[int, int], ends: Mapping[int, tuple[int, int]]) -> Iterator[Any]:
        """Yields messages until each partition was read to its end. Markers of transactions have offsets and are no
        messages, so the end is also what the broker says is one."""
        open_ = {number for number, at in begin.items() if at < ends[number][1]}
        with self._in_words():
            self._consumer.assign([self._at(number, begin[number]) for number in sorted(open_)])
            answered = time.monotonic()
            while open_:
                got = self._consumer.consume(_AT_ONCE, timeout=_LOOK)
                if got:
                    answered = time.monotonic()
                elif time.monotonic() - answered > _PATIENCE:
                    raise SourceError(f"{self.url}: no answer for {_PATIENCE:.0f} s; what was read is kept")
                for message in got:
                    error = message.error()
                    if error is None:
                        yield message
                        if message.offset() + 1 >= ends[message.partition()][1]:
                            open_.discard(message.partition())
                    elif error.name() == _AT_END:
                        open_.discard(message.partition())
                    else:
                        raise SourceError(f"{self.url}: {said(error)}")

    def commit(self, places: Mapping[int, int]) -> None:
        """Tells the group how far it is, for those who look at its lag; what is read next does not depend on it.
        Raises :class:`~vpcflow.SourceError`."""
        with self._in_words():
            self._consumer.commit(
                offsets=[self._at(number, at) for number, at in places.items()], asynchronous=False
            )

    def _at(self, partition: int, offset: int | None = None) -> Any:
        at = () if offset is None else (offset,)
        return self._kafka.TopicPartition(self._place.topic, partition, *at)

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except self._kafka.KafkaException as error:
            raise SourceError(f"{self.url}: {said(error)}") from None


def library(url: str) -> Any:
    """Returns confluent_kafka. :class:`~vpcflow.SourceError` if it is not installed."""
    try:
        import confluent_kafka
    except ImportError:
        raise SourceError(f"{url}: confluent-kafka is not installed; pip install 'vpcflow[kafka]'") from None
    return confluent_kafka


def config_of(path: str | None) -> dict[str, str]:
    """Returns the properties in a file, as Kafka's own tools have them: ``name=value`` lines."""
    if path is None:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "no text"
        raise SourceError(f"{os.fspath(path)}: cannot be read: {why}") from None
    found = {}
    for number, line in enumerate(lines, 1):
        name, equals, value = line.partition("=")
        if not line or line.startswith("#"):
            continue
        if not equals:
            raise SourceError(f"{path}, line {number}: no property; write name=value")
        found[name.strip()] = value.strip()
    return found


def said(error: Any) -> str:
    """Returns what an error of the library says, in a line; causes that have a way out, with it."""
    inner = error.args[0] if getattr(error, "args", ()) else error
    name = inner.name() if hasattr(inner, "name") else ""
    if name in ("_TRANSPORT", "_ALL_BROKERS_DOWN", "_TIMED_OUT", "_RESOLVE"):
        return "no broker answers; are host and port right, and does it want TLS (?config=FILE)?"
    text = " ".join((inner.str() if hasattr(inner, "str") else str(inner)).split())[:300]
    return f"{text} ({name})" if name else text


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _without_user(url: str) -> str:
    return re.sub(r"://.*@", "://", _without_query(url))
