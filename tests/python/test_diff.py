"""diff keeps whole numbers whole."""

import pytest

import vpcflow as vf

HUGE = 2**63 - 1


def sums(*rows, **aggregates):
    log = b"srcaddr bytes\n" + b"".join(f"10.0.0.{key} {size}\n".encode() for key, size in rows)
    return vf.scan(log).group_by("srcaddr").agg(**(aggregates or {"b": vf.sum("bytes")})).collect()


def changes(today, before):
    rows = vf.diff(today, before, by="srcaddr").rows()
    return [(r["srcaddr"][-1], r["change"], r["b"], r["b_before"], r["b_change"]) for r in rows]


def test_whole_numbers_stay_whole():
    got = changes(sums((1, 50), (3, 7), (4, 5)), sums((1, 40), (2, 2), (4, 5)))
    assert got == [
        ("1", "changed", 50, 40, 10), ("2", "gone", None, 2, -2), ("3", "new", 7, None, 7), ("4", "same", 5, 5, 0),
    ]  # fmt: skip
    assert all(type(value) is int for row in got for value in row[2:] if value is not None)


def test_beyond_what_a_double_holds():
    """Neighbours of 2^53 and 2^62, whose doubles are equal."""
    for base in (2**53, 2**62):
        assert changes(sums((1, base + 1)), sums((1, base))) == [("1", "changed", base + 1, base, 1)]


def test_totals_of_more_than_64_bits():
    big, small = sums((1, HUGE), (1, HUGE), (1, 3), (2, 1)), sums((1, HUGE), (1, HUGE), (3, 5))
    assert dict(big.schema)["b"] == "int128"
    total = 2 * HUGE
    assert changes(big, small) == [
        ("1", "changed", total + 3, total, 3), ("2", "new", 1, None, 1), ("3", "gone", None, 5, -5),
    ]  # fmt: skip
    assert changes(small, big)[0] == ("1", "changed", total, total + 3, -3)
    gone = vf.diff(sums((2, 1)), big, by="srcaddr")
    assert gone["b_change"] == [-(total + 3), 0]
    assert dict(gone.schema)["b_change"] == "int128"
    assert gone.to_csv().splitlines()[1].endswith(f"gone,,{total + 3},-{total + 3}")
    assert f'"b": null, "b_before": {total + 3}, "b_change": -{total + 3}' in gone.to_json_lines()
    pyarrow = pytest.importorskip("pyarrow")
    column = pyarrow.table(gone).column("b_change")
    assert [int(value) for value in column.to_pylist()] == [-(total + 3), 0]
    assert pyarrow.table(vf.diff(sums((1, HUGE), (1, HUGE)), sums((2, 1)), by="srcaddr")).column("b").to_pylist()[1] is None


def test_doubles_stay_doubles():
    ratio = {"b": vf.sum("bytes"), "n": vf.count(), "each": vf.ratio("b", "n")}
    (row,) = vf.diff(sums((1, 5), (1, 6), **ratio), sums((1, 4), **ratio), by="srcaddr").rows()
    assert (row["each"], row["each_before"], row["each_change"]) == (5.5, 4.0, 1.5)
    assert (row["n"], row["n_before"], row["n_change"], row["b_change"]) == (2, 1, 1, 7)
