"""Topics of Kafka, by confluent-kafka."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

from ...errors import RuleError, SourceError
from ...io.kafka import TopicUrl, config_of, library, said
from ..opening import Place
from ..sink import BusyError, Limits, Piece, Receipt, StoppedError

SCHEMES = ("kafka",)
OPTIONS = ("config",)
_PATIENCE = 60.0  # seconds for the delivery reports of a request
_CALL = 10.0  # seconds for the answer of a broker
_FAREWELL = 1.0  # seconds for the reports of what is given up
_DEAD = ("MSG_SIZE_TOO_LARGE", "INVALID_MSG", "INVALID_RECORD")
_STOPS = (
    "TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "SASL_AUTHENTICATION_FAILED", "_UNKNOWN_TOPIC",
    "UNKNOWN_TOPIC_OR_PART", "_AUTHENTICATION",
)  # fmt: skip


def open_sink(place: Place) -> Kafka:
    """Makes the sink of ``kafka://HOST[:9092]/TOPIC?config=FILE``, a file with ``name=value`` lines for the client."""
    try:
        return Kafka(TopicUrl.of(place.url))
    except SourceError as e:
        raise RuleError(f"sink {e}") from None


class Kafka:
    """A topic. The producer is idempotent and waits for all replicas; the key of a message is the id of its event. A
    topic keeps every message, but a compacted one the last of each key."""

    takes_ids = False
    limits = Limits(bytes=4 << 20, items=10_000, each=1_000_000)

    def __init__(self, place: TopicUrl) -> None:
        self._place = place
        self.label = f"kafka://{place.brokers}/{place.topic}"
        self._kafka = library(self.label)
        self._is_reached = False
        self._made()

    def _made(self) -> None:
        try:
            self._producer = self._kafka.Producer({
                "linger.ms": 5, "compression.type": "zstd", **config_of(self._place.config),
                "bootstrap.servers": self._place.brokers, "client.id": "vpcflow", "enable.idempotence": True,
                "acks": "all", "message.timeout.ms": int(_PATIENCE * 1000), "log_level": 0,
                "error_cb": lambda error: None,
            })  # fmt: skip
        except (self._kafka.KafkaException, ValueError, TypeError) as error:
            raise RuleError(f"sink {self.label}: {said(error)}") from None

    def encode(self, identity: str, line: bytes) -> bytes:
        """Returns the line."""
        return line

    def send(self, pieces: Sequence[Piece]) -> Receipt:
        """Produces messages and waits for the report of each."""
        if not self._is_reached:
            self._reach()
        answers: list[Any] = [_NONE] * len(pieces)
        end = time.monotonic() + _PATIENCE
        for i, piece in enumerate(pieces):
            while True:
                try:
                    self._producer.produce(
                        self._place.topic, value=piece.body, key=piece.id.encode(),
                        on_delivery=functools.partial(_note, answers, i),
                    )  # fmt: skip
                    break
                except BufferError:  # the queue of the library is full
                    if time.monotonic() > end:
                        raise BusyError(f"{self.label}: no room for {_PATIENCE:.0f} s") from None
                    self._producer.poll(0.1)
                except self._kafka.KafkaException as error:
                    self._made()  # it takes nothing any more
                    raise BusyError(f"{self.label}: {said(error)}") from None
        if self._producer.flush(max(0.1, end - time.monotonic())):
            self._producer.purge()  # else they would be there beside those that are sent again
            self._producer.flush(_FAREWELL)
        retry: list[int] = []
        dead: list[tuple[int, str]] = []
        reason = ""
        for i, answer in enumerate(answers):
            if answer is None:
                continue
            name = "" if answer is _NONE else answer.name()
            if name in _STOPS:
                raise StoppedError(f"{self.label}: {said(answer)}")
            if name in _DEAD:
                dead.append((i, said(answer)))
            else:
                retry.append(i)
                reason = said(answer) if name else "no report of its delivery"
        self._is_reached = len(retry) < len(pieces)
        return Receipt(retry, dead, reason=reason)

    def _reach(self) -> None:
        """Asks for the topics, as a message would wait a minute for a broker that is not there."""
        try:
            self._producer.list_topics(timeout=_CALL)
        except self._kafka.KafkaException as error:
            raise BusyError(f"{self.label}: no broker answers: {said(error)}") from None
        self._is_reached = True

    def close(self) -> None:
        """Does nothing: each request waits for its reports."""


_NONE = object()  # no report yet


def _note(answers: list[Any], i: int, error: Any, message: Any) -> None:
    answers[i] = error
