"""Several Python threads at one object: the total is right, or the error is clear; nothing blocks for ever."""

from __future__ import annotations

import io
import threading
from typing import Any, Callable

import pytest

import vpcflow as vf
from vpcflow import _core, labels, rules, sketches
from vpcflow.watch import Watch

THREADS = 3
WAIT = 120  # seconds, for what would otherwise block for ever


def together(work: Callable[[int], Any], threads: int = THREADS) -> list[Any]:
    """The results of work(0) to work(threads - 1), each in a thread of its own; raises what one raised."""
    results: list[Any] = [None] * threads
    errors: list[BaseException] = []
    start = threading.Barrier(threads)

    def run(i: int) -> None:
        try:
            start.wait(WAIT)
            results[i] = work(i)
        except BaseException as e:
            errors.append(e)

    all_of_them = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(threads)]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join(WAIT)
        assert not thread.is_alive(), "a thread is blocked"
    if errors:
        raise errors[0]
    return results


def log(lines: int, first: int = 0) -> bytes:
    rows = (f"10.{n >> 16}.{n >> 8 & 255}.{n & 255} 10.200.0.1 {n % 1000 + 1}\n" for n in range(first, first + lines))
    return b"srcaddr dstaddr bytes\n" + "".join(rows).encode()


def sums() -> vf.Aggregation:
    return vf.Aggregation(by="srcaddr", n=vf.count(), bytes=vf.sum("bytes"), first=vf.first("bytes"), allow_missing=True)


def test_one_aggregation_updated_by_all() -> None:
    parts = 4
    shared, alone = sums(), sums()
    for part in range(THREADS * parts):
        alone.update(log(5000, 2500 * part))

    def work(i: int) -> None:
        for part in range(i * parts, (i + 1) * parts):
            shared.update(log(5000, 2500 * part), first_source=part)
            assert len(shared) > 0
            assert shared.to_bytes()
            assert shared.report.records >= 5000

    together(work)
    assert shared.collect().rows() == alone.collect().rows()
    assert shared.to_bytes() == alone.to_bytes()
    assert shared.report.records == alone.report.records == THREADS * parts * 5000


def test_sources_of_updates_beside_each_other_have_numbers_of_their_own() -> None:
    shared = sums()
    together(lambda i: [shared.update(log(10)) for _ in range(20)])
    assert shared._sources == THREADS * 20
    with pytest.raises(vf.FieldError):
        vf.Aggregation(by="vpc_id").update(log(1))
    failing = vf.Aggregation(by="vpc_id")
    with pytest.raises(vf.FieldError):
        failing.update(log(1))
    assert failing._sources == 0


def test_merges_in_both_directions() -> None:
    a, b = sums().update(log(100)), sums().update(log(100, 50))
    together(lambda i: [(a.merge(b) if i % 2 else b.merge(a)) for _ in range(4)])
    assert len(a) == len(b) == 150
    n = sum(row["n"] for row in a.collect().rows())
    a.merge(a)
    assert sum(row["n"] for row in a.collect().rows()) == 2 * n


def test_states_taken_while_others_update() -> None:
    shared = sums()
    states = together(
        lambda i: [shared.copy() for _ in range(20)] if i == 0 else [shared.update(log(500)) for _ in range(10)]
    )
    for state in states[0]:
        counts = {row["n"] for row in state.collect().rows()}
        assert len(counts) <= 1  # updates are seen whole or not at all


def test_an_aggregation_updated_by_its_own_progress_callback_and_stream() -> None:
    shared = vf.Aggregation(n=vf.count())
    more = log(10)

    class Stream(io.RawIOBase):
        left = log(1000)

        def read(self, size: int = -1) -> bytes:
            if self.left and len(self.left) == len(log(1000)):
                shared.update(more)
            chunk, self.left = self.left[:size], self.left[size:]
            return chunk

    together(lambda i: shared.update(Stream()), threads=1)
    assert shared.collect().rows() == [{"n": 1010}]
    seen: list[int] = []

    def progress(*_: int) -> None:
        if not seen:
            seen.append(len(shared))
            shared.update(more)

    many = vf.synth(400_000, seed=1).data
    records = vf.scan(many).agg(n=vf.count()).collect().rows()[0]["n"]
    together(lambda i: shared.update(many, progress=progress), threads=1)
    assert shared.collect().rows() == [{"n": 1010 + records + 10 * len(seen)}]


def test_aggregation_of_sessions_and_taking_idle_ones() -> None:
    header = b"srcaddr dstaddr srcport dstport protocol start end\n"
    shared = vf.Aggregation.of(vf.scan(b"").sessions(idle="1m"))
    taken: list[int] = []

    def work(i: int) -> None:
        for n in range(30):
            line = f"10.0.{i}.{n} 10.9.0.1 4000 443 6 {n} {n + 1}\n".encode()
            shared.update(header + line)
            taken.append(len(shared.take_idle(10_000)))

    together(work)
    assert sum(taken) + len(shared) == THREADS * 30


def test_one_detection_filled_by_all() -> None:
    talks = vf.scan(vf.synth(3000, seed=2, peers=50).data).sessions().collect()
    shared = _core.Detection({})
    together(lambda i: (shared.add(talks._table), shared.find("port_scan"), shared.sessions, shared.bytes))
    one = _core.Detection({})
    one.add(talks._table)
    assert shared.sessions == THREADS * one.sessions
    other = _core.Detection({})
    together(lambda i: shared.merge(other) if i % 2 else other.merge(shared))
    with pytest.raises(vf.PlanError, match="itself"):
        shared.merge(shared)


def test_batches_taken_by_all() -> None:
    flows = vf.scan(log(30_000))
    batches = flows.select("srcaddr").batches(500)
    taken = together(lambda i: [batch["srcaddr"] for batch in batches])
    rows = [address for mine in taken for batch in mine for address in batch]
    assert sorted(rows) == sorted(flows.select("srcaddr").collect()["srcaddr"])


@pytest.mark.parametrize("quick", [False, True])  # read in the thread that asks, or in one of its own
def test_batches_asked_for_by_their_own_stream(quick: bool) -> None:
    asked: list[str] = []
    batches: list[Any] = []

    def ask() -> None:
        if not asked and batches:
            asked.append("asked")
            try:
                next(batches[0])
            except vf.PlanError as e:
                asked.append(str(e))

    class Quick(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            ask()
            return super().read(size)

    class Slow(io.RawIOBase):
        left = log(20_000)

        def read(self, size: int = -1, /) -> bytes:
            ask()
            chunk, self.left = self.left[:size], self.left[size:]
            return chunk

    stream = Quick(log(20_000)) if quick else Slow()
    flows = vf.scan(stream, format="srcaddr dstaddr bytes").select("srcaddr")
    batches.append(flows.batches(100))
    assert sum(len(batch) for batch in batches[0]) == 20_000
    assert "callback" in asked[1]


def test_one_query_collected_by_all() -> None:
    flows = vf.scan(log(3000)).group_by("dstaddr").agg(n=vf.count(), bytes=vf.sum("bytes"))
    results = together(lambda i: flows.collect().rows())
    assert results[0]
    assert results == [results[0]] * THREADS


def test_one_result_read_by_all() -> None:
    result = vf.scan(log(3000)).select("srcaddr", "bytes").collect()
    results = together(lambda i: (result.rows(), result["bytes"], str(result)))
    assert results == [results[0]] * THREADS


@pytest.mark.parametrize("make", [sketches.DistinctSketch, sketches.KllSketch, sketches.LogHistogram, sketches.HeavyHitters])
def test_sketches_filled_by_all(make: Callable[[], Any]) -> None:
    shared, alone = make(), make()

    def work(i: int) -> None:
        for n in range(20):
            shared.update(iter(range(i * 100, i * 100 + 100)))
            if n % 5 == 0:
                shared.merge(make())
                assert shared.to_bytes()

    together(work)
    for i in range(THREADS):
        for _ in range(20):
            alone.update(range(i * 100, i * 100 + 100))
    if make is sketches.DistinctSketch:
        assert shared.estimate() == alone.estimate()
    elif make is sketches.HeavyHitters:
        assert sorted(shared.top(1000)) == sorted(alone.top(1000))
    elif make is sketches.LogHistogram:
        assert shared.to_bytes() == alone.to_bytes()
    else:
        assert abs(shared.rank(150) - alone.rank(150)) < 0.1
    shared.merge(shared)


def test_complete_labels_are_not_changed() -> None:
    table = labels.prefixes({"10.0.0.0/8": "ten"})
    with pytest.raises(vf.PlanError, match="complete"):
        table._core.add_prefix("10.1.0.0/16", "more")
    with pytest.raises(vf.PlanError, match="complete"):
        table._core.freeze()
    flows = vf.scan(log(1000)).label("net", "srcaddr", table).group_by("net").agg(n=vf.count())
    assert together(lambda i: flows.collect().rows()) == [[{"net": "ten", "n": 1000}]] * THREADS


def test_one_watch_polled_by_all(tmp_path: Any) -> None:
    for n in range(6):
        (tmp_path / f"{n}.log").write_bytes(b"srcaddr bytes\n" + b"10.0.0.%d 5\n" % n * 3)
    busy = rules.of([{"name": "busy", "by": "srcaddr", "having": "flows >= 2"}])
    watch = Watch(tmp_path, busy, {}, tmp_path / "state.sqlite", settle=0)
    alerts = [alert for some in together(lambda i: watch.poll()) for alert in some]
    assert sorted(alert.finding.actor for alert in alerts) == [f"10.0.0.{n}" for n in range(6)]
    together(lambda i: watch.deliver())
    watch.close()
