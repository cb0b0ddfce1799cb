"""The hostile corpus, through every way into the engine."""

import gzip
import io

import pytest

import vpcflow as vf
from hostile import corpus

CASES = corpus()


def test_it_is_large_enough():
    assert len(CASES) >= 200


def outcome(data, **options):
    """Records, rejects by reason, error class, and the rows as bytes."""
    try:
        result, error = vf.scan(data, allow_empty=True, **options).collect(), None
    except vf.VpcflowError as e:
        result, error = e.partial, type(e)
    if result is None:
        return 0, {}, error, b""
    return result.report.records, result.report.rejects_by_reason, error, result._table.to_json_lines()


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def read(self, size=-1):
        return self._data.read(min(size, 997))


@pytest.mark.parametrize("name", CASES)
def test_case(quiet, name, tmp_path):
    data, records, rejects, error = CASES[name]
    got = outcome(data, threads=1)
    if records is not None:
        assert got[:2] == (records, rejects)
    assert got[2] is error
    path = tmp_path / "case.log"
    path.write_bytes(data)
    ways = {
        "four threads": outcome(data, threads=4),
        "a file": outcome(path),
        "a stream": outcome(Dribble(data)),
    }
    if not data.startswith(b"\x1f\x8b"):
        ways["gzip"] = outcome(gzip.compress(data, 1))
    for way, other in ways.items():
        assert other == got, way
