"""Aggregations that are fed: bytes in pieces give what a scan of the whole gives."""

import gzip
import json
import pickle
import subprocess
import sys
import threading
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vpcflow as vf
from conftest import HEADER, line

_LINES = (
    line(), line("10.0.0.2", 443, 7), line("10.0.0.1", action="REJECT"), b"no record\n", b"\n", line(size=-1),
    b"2 - eni-1 - - - - - - - 1000 1060 - NODATA\n", line()[:-1] + b"\r\n", line()[:30] + b"\0" + line()[30:],
    b"bytes srcaddr dstport\n", b"5 10.0.0.3 22\n", HEADER, "2 é\n".encode(),
)  # fmt: skip
_texts = st.lists(st.sampled_from(_LINES), max_size=30).map(b"".join)
_logs = st.one_of(_texts, _texts.map(lambda text: HEADER + text), _texts.map(lambda text: (HEADER + text)[:-1]))


def _events(text):
    """CloudWatch events, one a line."""
    return b"".join(json.dumps({"message": t.decode("latin-1")}).encode() + b"\n" for t in text.split(b"\n"))


_packings = st.sampled_from([
    bytes, gzip.compress, _events, lambda b: gzip.compress(b[:90]) + gzip.compress(b[90:]),
    lambda b: gzip.compress(_events(b))[:-9],
])  # fmt: skip


def _question():
    return vf.Aggregation(
        by=["srcaddr", "dstport"], n=vf.count(), bytes=vf.sum("bytes"), last=vf.last("action"), allow_missing=True
    )


def _feed_all(held, pieces, **options):
    for piece in pieces:
        held.feed(piece, **options)
    held.finish()


def _outcome(act, held):
    """What is held afterwards, with the report and the error."""
    error = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            act()
        except vf.VpcflowError as e:
            error = (type(e), str(e))
    return held.to_bytes(), dict(held.report), error


@given(st.data())
def test_feeding_equals_a_scan_of_the_whole(data):
    whole = data.draw(_packings)(data.draw(_logs))
    on_error = data.draw(st.sampled_from(["skip", "null", "raise"]))
    scanned, fed = _question(), _question()
    sources = iter([whole, b""])

    class Stream:
        name = "stream"

        def read(self, size=-1):
            return next(sources)

    want = _outcome(lambda: scanned.update(Stream(), on_error=on_error), scanned)
    if want[2] is not None and want[2][0] is not vf.SourceError and want[2][0] is not vf.NoRecordsError:
        want = (*want[:1], None, want[2])  # of other errors update has no report

    def feed():
        at = 0
        try:
            while at < len(whole):
                n = data.draw(st.integers(1, 200))
                kind = data.draw(st.sampled_from([bytes, bytearray, memoryview]))
                fed.feed(kind(whole[at : at + n]), on_error=on_error)
                at += n
        finally:
            fed.finish()

    got = _outcome(feed, fed)
    assert got[0] == want[0]
    assert got[2] == want[2]
    if want[1] is not None:
        assert got[1] == want[1]


def test_collect_has_all_whole_lines():
    held = vf.Aggregation(by="srcaddr", n=vf.count())
    text = HEADER + line() + line("10.0.0.2") + line()
    for at in range(len(text)):
        held.feed(text[at : at + 1])
        whole = text[: text[: at + 1].rfind(b"\n") + 1]
        want = vf.scan(whole, allow_empty=True).group_by("srcaddr").agg(n=vf.count()).collect()
        assert held.collect().rows() == want.rows()
        assert held.report.records == want.report.records
    assert held.feed(text[-7:-3]) is None
    with pytest.warns(vf.DataQualityWarning, match="1 line rejected"):
        held.finish()
    assert held.report.rejected == 1  # a line of one word
    assert "stream:5:" in str(held.report.rejects[0])


def test_the_last_line_counts_once_the_stream_ends():
    held = vf.Aggregation(n=vf.count())
    held.feed(line() + line()[:-1])
    assert held.collect()["n"] == [1]
    held.finish()
    held.finish()
    assert held.collect()["n"] == [2]
    held.feed(line())  # another stream
    held.finish()
    assert held.collect()["n"] == [3]
    assert held.report.sources == 2


def test_a_piece_may_be_any_bytes():
    held = vf.Aggregation(n=vf.count())
    text = line()
    for piece in (text[:5], bytearray(text[5:9]), memoryview(text)[9:20], b"", memoryview(bytearray(text[20:]))):
        held.feed(piece)
    assert held.collect()["n"] == [1]
    for wrong in ("text", None, 5, [text], memoryview(text)[::2]):
        with pytest.raises(vf.errors.ArgumentError, match="feed"):
            held.feed(wrong)
    assert held.collect()["n"] == [1]


def test_options_are_those_of_the_stream():
    held = vf.Aggregation(by="srcaddr", n=vf.count())
    for piece in (b"10.0.0.1 4", b"0\n10.0.0.2 x\n"):
        held.feed(piece, name="tcp:5140", format="srcaddr bytes", on_error="null")
    held.feed(b"10.0.0.3 1\n")  # goes on
    assert held.collect()["srcaddr"] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    for other in ({"name": "udp"}, {"on_error": "raise"}, {"format": "bytes"}):
        with pytest.raises(vf.PlanError, match="first piece"):
            held.feed(b"10.0.0.4 1\n", **other)
    with pytest.raises(TypeError, match="threads"):
        held.feed(b"x", threads=2)
    held.finish()
    with pytest.raises(vf.PlanError, match="on_error"):
        held.feed(b"x", on_error="skipp")
    assert len(held) == 3


def test_nothing_is_no_answer():
    held = vf.Aggregation(n=vf.count())
    with pytest.raises(vf.NoRecordsError, match="stream is empty"):
        held.finish()
    held.feed(b"")
    with pytest.raises(vf.NoRecordsError):
        held.finish()
    held.finish()  # that stream was told
    held.feed(HEADER, allow_empty=True)
    held.finish()
    with pytest.raises(vf.NoRecordsError):
        _feed_all(held, [HEADER])


def test_damage_does_not_swallow_what_was_read():
    packed = gzip.compress(HEADER + line() * 1000)
    held = vf.Aggregation(n=vf.count())
    pieces = [packed[:-9][at : at + 50] for at in range(0, len(packed), 50)]
    with pytest.raises(vf.SourceError, match=r"^feed.log: ends in the middle of a gzip member") as cut:
        _feed_all(held, pieces, name="feed.log")
    assert held.collect()["n"] == cut.value.partial["n"] == [1000]
    assert cut.value.source == "feed.log"
    assert held.report.errors

    held = vf.Aggregation(n=vf.count())
    held.feed(packed)
    for _ in range(2):
        with pytest.raises(vf.SourceError, match="bytes behind its last gzip member"):
            held.feed(b"no gzip" * 100_000)
        assert held.collect()["n"] == [1000]
        assert held.to_bytes()
    with pytest.raises(vf.SourceError, match="bytes behind its last gzip member"):
        held.finish()
    held.feed(line())
    held.finish()
    assert held.collect()["n"] == [1001]


def test_errors_of_lines_and_memory():
    held = vf.Aggregation(n=vf.count())
    held.feed(line() + b"bad\n", on_error="raise", name="tcp")
    assert held.collect()["n"] == [0]
    for act in (lambda: held.feed(line()), held.finish):
        with pytest.raises(vf.ParseError, match=r"^tcp:2:"):
            act()
    held.feed(line())
    held.finish()
    assert held.collect()["n"] == [1]

    held = vf.Aggregation(by="srcaddr", n=vf.count())
    with pytest.raises(vf.errors.OutOfMemoryError, match="max_memory"):
        _feed_all(held, (line(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in range(1 << 20)), max_memory="1MB")


def test_fields_that_lack():
    held = vf.Aggregation(by="vpc_id", n=vf.count())
    held.feed(HEADER + line())
    for ask in (held.collect, held.to_bytes, held.copy, lambda: len(held), held.finish):
        with pytest.raises(vf.FieldError, match="vpc-id"):
            ask()
    assert repr(held) == "<Aggregation: 0 groups>"


def test_rejects_are_warned_of_at_the_end():
    held = vf.Aggregation(n=vf.count())
    held.feed(line() + b"bad\n")
    with pytest.warns(vf.DataQualityWarning, match="1"):
        held.finish()


def test_lines_that_wait_for_their_format():
    held = vf.Aggregation(n=vf.count())
    held.feed(b"this is no record\n")  # of AWS's default, or of another format?
    result = held.collect()
    assert result["n"] == [0]
    assert any("not known yet" in warning for warning in result.report.warnings)
    held.feed(line())
    result = held.collect()
    assert result["n"] == [1]
    assert result.report.rejected == 1
    assert not result.report.warnings
    with pytest.raises(vf.FormatError, match="stream: no header line"):
        _feed_all(vf.Aggregation(n=vf.count()), [b"no record\n"])


def test_what_is_made_of_a_fed_aggregation():
    held, other = (vf.Aggregation(by="srcaddr", n=vf.count(), last=vf.last("dstport")) for _ in range(2))
    held.update(line(dstport=1))
    held.feed(line(dstport=2) + line()[:9])
    other.update(line("10.0.0.2"))
    assert held.copy().collect().rows() == held.collect().rows() == [{"srcaddr": "10.0.0.1", "n": 2, "last": 2}]
    assert pickle.loads(pickle.dumps(held)).report.records == 2
    assert (other + held).collect()["n"] == [2, 1]
    assert held == held.copy()
    held.feed(line()[9:])
    held.finish()
    assert held.collect()["n"] == [3]
    sessions = vf.Aggregation(vf.query().sessions(idle="1m"))
    sessions.feed(HEADER + line(start=0, end=60) + line("10.0.0.3", start=500, end=560))
    assert len(sessions.take_idle(300)) == 1
    assert len(sessions) == 1


def test_many_threads_feed_one_stream():
    held = vf.Aggregation(by="dstport", n=vf.count(), bytes=vf.sum("bytes"))
    held.feed(HEADER)

    def feed(port):
        for _ in range(2000):
            held.feed(line(dstport=port) * 7)
            if _ % 500 == 0:
                held.collect()

    threads = [threading.Thread(target=feed, args=(port,)) for port in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held.finish()
    assert held.collect()["n"] == [14_000] * 4
    assert held.report.lines == 4 * 14_000 + 1


def test_an_endless_stream_takes_no_more_memory():
    code = """
import resource, sys
import vpcflow as vf
held = vf.Aggregation(by="srcaddr", n=vf.count(), ports=vf.approx_n_unique("dstport"))
piece = sys.stdin.buffer.read()
peaks = []
for times in (300, 3000):
    for _ in range(times):
        held.feed(piece)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
held.finish()
print(held.report.records, peaks[1] - peaks[0])
"""
    piece = b"".join(line(f"10.0.0.{n % 50}", n) for n in range(1000)) + b"bad line\n" * 10
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], input=piece, capture_output=True, check=True, timeout=120
    )
    records, kilobytes = map(int, done.stdout.split())
    assert records == 3_300_000
    assert kilobytes < 8_000  # of 300 MB


def test_lines_of_no_format_are_told_before_the_damage_behind_them():
    whole = gzip.compress(_events(b"no record\n"), mtime=0)[:-9]
    told = set()
    for _ in range(100):  # two threads, of which each may be the first
        parts = iter([whole, b""])

        class Stream:
            name = "stream"

            def read(self, size=-1, parts=parts):
                return next(parts)

        held = _question()
        error = _outcome(lambda held=held, stream=Stream(): held.update(stream), held)[2]
        told.add(error[0])
    assert told == {vf.FormatError}
