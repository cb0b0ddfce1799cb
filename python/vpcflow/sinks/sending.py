"""Sends events to a sink: chunks, a queue that makes the source wait, retries, dead letters, marks."""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable

from ..alerts.addresses import RefusedError
from ..errors import NotifyError
from .dead import DeadLetters
from .gate import Gate
from .marks import Marks, chunk_id
from .sink import BusyError, Piece, Receipt, Sink, SplitError, StoppedError, TooLargeError

PATIENCE = 300.0  # seconds that a sink may take nothing
_QUEUED = 32 << 20  # bytes between the source and the senders
_FAREWELL = 2.0  # seconds that an interrupt waits for requests that are under way
_LOOK = 0.2  # seconds after which a full queue looks whether the senders still work
_QUIET = 60.0  # seconds without notes after one that the sink failed
_HOPELESS = 100  # events that were refused alone, and none taken: it is not for the events


@dataclasses.dataclass
class Sent:
    """What became of events. ``accepted`` includes those that the sink ``known`` before; ``before``: of chunks that an
    earlier run has settled; ``retried``: how often an event was sent again; ``reason``: of the first dead one."""

    accepted: int = 0
    known: int = 0
    dead: int = 0
    before: int = 0
    retried: int = 0
    reason: str = ""


def send(
    events: Iterable[tuple[str, bytes]], sink: Sink, dead: DeadLetters, *, marks: Marks | None = None,
    patience: float = PATIENCE, log: Callable[[str], None] = lambda _: None, counts: Sent | None = None,
) -> Sent:  # fmt: skip
    """Sends events to a sink, and returns what became of them.

    ``events``: pairs of id and line, as :class:`~vpcflow.siem.EventBatch` gives them; read only as fast as the sink
    takes them: a few requests are held. Each event is accepted, or in ``dead``, or sent again, with pauses that grow,
    until the sink has taken nothing for ``patience`` seconds: then :class:`~vpcflow.NotifyError` is raised, as it is at
    once for what will never be taken. ``marks``: a chunk is marked when all its events are accepted or dead; those that
    are marked are not sent. ``counts``: counted in, so that it is right after an error, too. ``log``: called with a
    line when the sink fails, and when it answers again.

    Errors of ``events`` are raised when what was read before is sent.
    """
    sending = _Sending(sink, dead, marks, patience, log, counts if counts is not None else Sent())
    return sending.run(events)


class _Chunk:
    """Pieces that are marked together; more than one request if their bytes are many."""

    def __init__(self, pieces: list[Piece], refused: list[tuple[Piece, str]], mark: bytes) -> None:
        self.pieces, self.refused, self.mark = pieces, refused, mark


class _Sending:
    def __init__(
        self, sink: Sink, dead: DeadLetters, marks: Marks | None, patience: float, log: Callable[[str], None],
        counts: Sent,
    ) -> None:  # fmt: skip
        self._sink, self._dead, self._marks, self._log, self._counts = sink, dead, marks, log, counts
        self._gate, self._patience = Gate(patience), patience
        self._queue: queue.Queue[_Chunk | None] = queue.Queue(max(sink.limits.at_once, _QUEUED // sink.limits.bytes))
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._told, self._quiet_until = False, 0.0

    def run(self, events: Iterable[tuple[str, bytes]]) -> Sent:
        senders = [threading.Thread(target=self._work, daemon=True) for _ in range(self._sink.limits.at_once)]
        for sender in senders:
            sender.start()
        damage: Exception | None = None
        try:
            try:
                for chunk in self._chunks(events):
                    self._put(chunk)
                    if self._error is not None:
                        break
            except Exception as e:  # what was read before is sent
                damage = e
            for _ in senders:
                self._put(None)
            for sender in senders:
                while sender.is_alive():
                    sender.join(_LOOK)
        except BaseException as e:  # an interrupt
            self._stop(e)
            for sender in senders:
                sender.join(_FAREWELL)
            raise
        if self._error is not None:
            raise self._error
        if damage is not None:
            raise damage
        return self._counts

    def _stop(self, error: BaseException) -> None:
        self._error = self._error or error
        self._gate.end()
        with contextlib.suppress(queue.Empty):  # those that wait for a chunk
            while True:
                self._queue.get_nowait()
        with contextlib.suppress(queue.Full):
            for _ in range(self._sink.limits.at_once):
                self._queue.put_nowait(None)

    def _put(self, chunk: _Chunk | None) -> None:
        """Waits for room in the queue, as long as somebody empties it."""
        while self._error is None:
            try:
                self._queue.put(chunk, timeout=_LOOK)
                return
            except queue.Full:
                continue

    def _chunks(self, events: Iterable[tuple[str, bytes]]) -> Iterator[_Chunk]:
        """Cuts where ids say so: an event more or less moves no other chunk's ends, but its own."""
        limits = self._sink.limits
        pieces: list[Piece] = []
        refused: list[tuple[Piece, str]] = []
        size = 0
        damage: Exception | None = None
        try:
            for identity, line in events:
                try:
                    body = self._sink.encode(identity, line)
                    why = "" if len(body) <= limits.each else f"{len(body):,} bytes; the sink takes {limits.each:,}"
                except ValueError as e:
                    body, why = b"", str(e)
                if why:
                    refused.append((Piece(identity, line, b""), why))
                else:
                    if pieces and size + len(body) > limits.bytes:
                        yield self._chunk(pieces, refused)
                        pieces, refused, size = [], [], 0
                    pieces.append(Piece(identity, line, body))
                    size += len(body)
                if _ends(identity, limits.about) or len(pieces) + len(refused) >= limits.items:
                    yield self._chunk(pieces, refused)
                    pieces, refused, size = [], [], 0
        except Exception as e:  # what was read before is sent
            damage = e
        if pieces or refused:
            yield self._chunk(pieces, refused)
        if damage is not None:
            raise damage

    def _chunk(self, pieces: list[Piece], refused: list[tuple[Piece, str]]) -> _Chunk:
        mark = b"" if self._marks is None else chunk_id((p.id, p.line) for p in [*pieces, *(p for p, _ in refused)])
        return _Chunk(pieces, refused, mark)

    def _work(self) -> None:
        try:
            while (chunk := self._queue.get()) is not None and self._error is None:
                self._settle(chunk)
        except BaseException as e:
            self._stop(e)

    def _settle(self, chunk: _Chunk) -> None:
        n = len(chunk.pieces) + len(chunk.refused)
        with self._lock:
            if self._marks is not None and self._marks.has(chunk.mark):
                self._counts.before += n
                return
            self._bury(chunk.refused)
        self._deliver(chunk.pieces)
        if self._marks is not None and self._error is None:
            with self._lock:
                self._marks.add(chunk.mark, n)

    def _deliver(self, pieces: list[Piece]) -> None:
        """Sends pieces until each is accepted or dead."""
        while pieces and self._error is None:
            receipt, error = self._asked(pieces)
            if isinstance(error, SplitError):
                if len(pieces) == 1:
                    self._refused_alone(pieces[0], error)
                    return
                half = len(pieces) // 2
                self._deliver(pieces[:half])
                pieces = pieces[half:]
                continue
            if receipt is None:
                with self._lock:
                    self._counts.retried += 0 if self._error is not None else len(pieces)
                continue
            with self._lock:
                self._counts.accepted += len(pieces) - len(receipt.retry) - len(receipt.dead)
                self._counts.known += receipt.known
                self._counts.retried += len(receipt.retry)
                self._bury([(pieces[i], why) for i, why in receipt.dead])
            pieces = [pieces[i] for i in receipt.retry]

    def _asked(self, pieces: Sequence[Piece]) -> tuple[Receipt | None, NotifyError | None]:
        """Sends one request, when the gate lets it pass."""
        alone = self._gate.passed()
        try:
            if self._error is not None:
                return None, None
            try:
                receipt = self._sink.send(pieces)
            except SplitError as e:
                self._gate.succeeded()
                return None, e
            except (StoppedError, RefusedError):
                raise
            except NotifyError as e:
                self._wait(e, e.after if isinstance(e, BusyError) else None)
                return None, e
            if len(receipt.retry) == len(pieces):
                busy = BusyError(f"{self._sink.label}: {receipt.reason or 'took no event'}", receipt.after)
                self._wait(busy, receipt.after)
            elif receipt.retry:  # it takes some: a short pause
                self._gate.succeeded()
                self._gate.failed(receipt.after)
            else:
                self._succeeded()
            return receipt, None
        finally:
            self._gate.release(alone)

    def _wait(self, error: NotifyError, after: float | None) -> None:
        if self._gate.failed(after):
            raise NotifyError(f"{error}; given up, what was not sent stays in the source")
        if not self._told and time.monotonic() >= self._quiet_until:
            self._told, self._quiet_until = True, time.monotonic() + _QUIET
            self._log(f"not sent, will be retried for {self._patience:g} s: {error}")

    def _succeeded(self) -> None:
        self._gate.succeeded()
        if self._told:
            self._told = False
            self._log(f"{self._sink.label} takes events again")

    def _bury(self, dead: Sequence[tuple[Piece, str]]) -> None:
        if dead and self._error is None:  # else they are sent again some day
            self._dead.add(dead)
            self._counts.dead += len(dead)
            if not self._counts.reason:
                self._counts.reason = dead[0][1]
                self._log(f"not taken, kept in {self._dead.shown}: {self._counts.reason}")

    def _refused_alone(self, piece: Piece, error: SplitError) -> None:
        with self._lock:
            self._bury([(piece, str(error))])
            hopeless = not self._counts.accepted and self._counts.dead >= _HOPELESS
        if hopeless and not isinstance(error, TooLargeError):
            raise StoppedError(f"{error}; it took none of {self._counts.dead} events")


def _ends(identity: str, about: int) -> bool:
    """Returns whether an event ends a chunk: one of ``about``, by its id."""
    try:
        return int(identity[-8:], 16) % about == about - 1
    except ValueError:  # an id of another kind
        return False
