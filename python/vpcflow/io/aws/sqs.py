"""A queue of SQS: messages in hand stay invisible to others until they are deleted or released."""

from __future__ import annotations

import threading
import urllib.parse
from collections.abc import Iterable
from typing import Any, Callable, NamedTuple

from ..._hints import nearest
from ...errors import SourceError, SourceNotFoundError
from .session import Connection
from .words import code_of, error_of, in_words

_AT_ONCE = 10  # messages in a request, as SQS allows
_VISIBILITY = 120  # seconds for which a message is ours, until the next heartbeat
_WAIT = 2  # seconds; of a long poll, which asks all servers of the queue
_MISSING = ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue")


class Received(NamedTuple):
    """A message in hand. ``receives``: how often it was given out."""

    id: str
    handle: str
    body: str
    receives: int


class Queue:
    """A queue by its URL: ``sqs://NAME``, ``sqs://NAME?region=us-east-1``, ``sqs://arn:aws:sqs:...``. ``log`` gets a
    line if messages cannot be kept. One thread; a second one sends heartbeats while messages are in hand."""

    def __init__(
        self, url: str, connection: Connection, log: Callable[[str], None], visibility: int = _VISIBILITY
    ) -> None:
        self.url, self._log, self._visibility = url, log, visibility
        name, region, account = place_of_queue(url)
        self._client = connection.client("sqs", region)
        self._url = self._found(name, account)
        self._in_hand: dict[str, str] = {}  # handles by id
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._heart: threading.Thread | None = None

    def _found(self, name: str, account: str | None) -> str:
        own = {"QueueOwnerAWSAccountId": account} if account else {}
        try:
            return str(self._client.get_queue_url(QueueName=name, **own)["QueueUrl"])
        except Exception as error:
            if code_of(error)[0] not in _MISSING:
                raise error_of(self.url, error) from None
        try:
            known = [u.rsplit("/", 1)[-1] for u in self._client.list_queues(MaxResults=1000).get("QueueUrls", ())]
        except Exception:  # not everybody may list queues
            known = []
        near = nearest(name, known)
        raise SourceNotFoundError(f"{self.url}: no queue {name!r} here" + (f"; did you mean {near!r}?" if near else ""))

    def has_dead_letters(self) -> bool:
        """Tells whether messages that nobody can read go to another queue in the end."""
        with in_words(self.url):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=["RedrivePolicy"])
        return bool(answer.get("Attributes", {}).get("RedrivePolicy"))

    def receive(self) -> list[Received]:
        """Takes some messages, none if the queue is empty. They are kept until :meth:`delete` or :meth:`release`."""
        with in_words(self.url):
            answer = self._client.receive_message(
                QueueUrl=self._url, MaxNumberOfMessages=_AT_ONCE, WaitTimeSeconds=_WAIT,
                VisibilityTimeout=self._visibility, AttributeNames=["ApproximateReceiveCount"],
            )  # fmt: skip
        got = [
            Received(
                message["MessageId"], message["ReceiptHandle"], message["Body"],
                int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
            )
            for message in answer.get("Messages", ())
        ]  # fmt: skip
        with self._lock:
            self._in_hand.update((message.id, message.handle) for message in got)
            if got and self._heart is None:
                self._heart = threading.Thread(target=self._beat, name="vpcflow-sqs", daemon=True)
                self._heart.start()
        return got

    def delete(self, messages: Iterable[Received]) -> None:
        """Deletes messages. One that cannot be deleted comes again."""
        for entry, code in self._each(messages, "delete_message_batch", {}):
            self._log(f"{self.url}: message {entry} could not be deleted ({code}); it will come again")

    def release(self, messages: Iterable[Received], seconds: int = 0) -> None:
        """Gives messages back, to be received again after some seconds."""
        for _ in self._each(messages, "change_message_visibility_batch", {"VisibilityTimeout": seconds}):
            pass  # they come back by themselves

    def leave(self, messages: Iterable[Received]) -> None:
        """Lets go of messages, which come back when their time is over."""
        with self._wake:
            for message in messages:
                self._in_hand.pop(message.id, None)
            self._wake.notify_all()

    def _each(self, messages: Iterable[Received], call: str, own: dict[str, Any]) -> list[tuple[str, str]]:
        """Sends a request for each ten messages, and returns those that failed, with the codes."""
        wanted, failed = list(messages), []
        self.leave(wanted)
        for first in range(0, len(wanted), _AT_ONCE):
            some = wanted[first : first + _AT_ONCE]
            entries = [{"Id": str(n), "ReceiptHandle": m.handle, **own} for n, m in enumerate(some)]
            try:
                answer = getattr(self._client, call)(QueueUrl=self._url, Entries=entries)
                failed += [(some[int(f["Id"])].id, str(f.get("Code"))) for f in answer.get("Failed", ())]
            except Exception as error:
                failed += [(m.id, str(error_of("", error)).removeprefix(": ")) for m in some]
        return failed

    def _beat(self) -> None:
        """Keeps all messages in hand, those that wait, too, until there is none."""
        while True:
            with self._wake:
                if not self._in_hand:
                    self._heart = None
                    return
                self._wake.wait(self._visibility / 2)
                handles = list(self._in_hand.items())
            for first in range(0, len(handles), _AT_ONCE):
                some = handles[first : first + _AT_ONCE]
                entries = [
                    {"Id": str(n), "ReceiptHandle": handle, "VisibilityTimeout": self._visibility}
                    for n, (_, handle) in enumerate(some)
                ]
                try:
                    self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
                except Exception as error:
                    self._log(f"{error_of(self.url, error)}: messages could not be kept; they may come again")


def place_of_queue(url: str) -> tuple[str, str | None, str | None]:
    """Returns name, region and account of a queue."""
    rest, _, query = url[url.index("://") + 3 :].partition("?")
    options = dict(urllib.parse.parse_qsl(query))
    unknown = [name for name in options if name != "region"]
    if unknown:
        raise SourceError(f"{url}: no option {unknown[0]!r}; there is region")
    parts = rest.strip("/").split(":")
    if parts[0] == "arn" and len(parts) == 6:
        return parts[5], parts[3], parts[4]
    host, _, path = rest.strip("/").partition("/")
    if path:  # as AWS writes the URLs of queues
        account, _, name = path.partition("/")
        labels = host.split(".")
        return name, options.get("region", labels[1] if labels[0] == "sqs" and len(labels) > 2 else None), account
    if not host:
        raise SourceError(f"{url}: the queue is missing; write sqs://NAME")
    return host, options.get("region"), None
