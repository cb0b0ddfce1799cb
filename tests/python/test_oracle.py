"""The engine against the oracle."""

import json
import random
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracle
import vpcflow as vf
from conftest import HEADER, LONG, corpora, line

ALL = [f["name"] for f in vf.fields()]


def engine(data, names=None, **options):
    """The same as oracle.read, by the engine: records as JSON lines, rejects."""
    flows = vf.scan(data, format=" ".join(names) if names else None, allow_empty=True, **options)
    try:
        result = flows.collect()
    except vf.FormatError as error:
        result = error.partial
    records = result._table.to_json_lines().decode()
    return records, [(r["line"], r["reason"], r["field"]) for r in result.report.rejects], result.report


def same(data, names=None, **options):
    records, rejects = oracle.read(data, names)
    got, got_rejects, report = engine(data, names, **options)
    assert report.rejected == len(rejects)
    assert got_rejects == rejects[:1000]
    assert report.records == len(records)
    records = [{name.replace("-", "_"): value for name, value in r.items()} for r in records]
    want = "".join(json.dumps(r, ensure_ascii=False).replace("\x7f", "\\u007f") + "\n" for r in records)
    if got != want:  # say where, not everything
        pairs = zip(got.splitlines(), want.splitlines())
        first = next(((i, a, b) for i, (a, b) in enumerate(pairs) if a != b), ("length", len(got), len(want)))
        pytest.fail(f"first difference: {first}")


def mutate(data, seed, share):
    """Damages some lines: bytes replaced, dropped, doubled, numbers made long, blanks doubled."""
    rng = random.Random(seed)
    lines = data.split(b"\n")
    for i in range(1, len(lines) - 1):
        if rng.random() >= share or not lines[i]:
            continue
        text = bytearray(lines[i])
        at = rng.randrange(len(text))
        kind = rng.randrange(6)
        if kind == 0:
            text[at] = rng.choice([b for b in range(256) if b != 10])
        elif kind == 1:
            del text[at : at + rng.randrange(1, 20)]
        elif kind == 2:
            text[at:at] = rng.choice([b" ", b"\t", b"  ", b"9" * 23, b"-", b"x", b"1", b"\xff", b":", b"."])
        elif kind == 3:
            text += rng.choice([b"\r", b" ", b" more", b"\r\r"])
        elif kind == 4:
            tokens = bytes(text).split(b" ")
            tokens[rng.randrange(len(tokens))] = rng.choice(
                [b"-", b"0", b"65536", b"::1", b"1418530010000", b"01.2.3.4"]
            )
            text = bytearray(b" ".join(tokens))
        else:
            text = bytearray(rng.choice([b"", b" ", b"\x00", b"hello"]))
        lines[i] = bytes(text)
    return b"\n".join(lines)


def check_generated(args):
    """One share of the million: a format, a seed, a number of records."""
    import warnings

    warnings.simplefilter("ignore")
    fmt, seed, records = args
    made = vf.synth(records, seed=seed, format=fmt, interfaces=60, peers=3000, noise_sources=1000, ipv6_share=0.1)
    same(mutate(made.data, seed, 0.02), threads=1)
    return records


def test_many_generated_lines_of_all_fields():
    """VPC version 11 and transit gateway logs together have every field of the catalogue. 2 % of lines are damaged."""
    lines = 1_000_000 if LONG else 100_000
    share = 25_000
    jobs = [("v11" if i % 2 else "tgw", 100 + i, share) for i in range(lines // share)]
    names = set(vf.scan(vf.synth(100, format="v11").data).columns) | set(
        vf.scan(vf.synth(100, format="tgw").data).columns
    )
    assert {n.replace("_", "-") for n in names} == set(ALL)
    with ProcessPoolExecutor(2) as pool:
        assert sum(pool.map(check_generated, jobs)) == lines


def test_the_hostile_shapes(quiet):
    good = line() + line(src="2001:db8::1") + line(src="-", status="NODATA", action="-")
    for data in (
        HEADER + good,
        good,
        good.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + HEADER + good,
        good[:-1],
        HEADER + good + HEADER + good,
        HEADER + good + b"srcaddr bytes\n10.0.0.1 5\n",
        HEADER + b"\n\n" + good.replace(b" ", b"  \t "),
        HEADER + good + b"\x00\n" + good,
        HEADER + good + b"y" * (1 << 21) + b"\n" + good,
    ):
        records, rejects = oracle.read(data)
        _, got_rejects, report = engine(data)
        assert (report.records, got_rejects) == (len(records), rejects)


def test_t5_every_byte_at_every_place(quiet):
    """T5: each of 256 byte values at each position of a line, against the oracle."""
    base = line(action="REJECT")[:-1]
    data = [HEADER]
    for at in range(len(base)):
        for byte in range(256):
            if byte != 10:
                data.append(base[:at] + bytes([byte]) + base[at + 1 :] + b"\n")
    same(b"".join(data))


@given(st.lists(st.binary(max_size=60), max_size=8), st.sampled_from([b"", HEADER, b"srcaddr dstport bytes\n"]))
def test_any_bytes(quiet, parts, head):
    data = (head or line()) + b" ".join(parts)
    records, rejects = oracle.read(data)
    _, got_rejects, report = engine(data)
    assert (report.records, got_rejects) == (len(records), rejects)


@pytest.fixture(scope="module")
def million():
    """A million good lines, and what must come of them."""
    data = vf.synth(1_000_000, seed=77).data
    sums = {"bytes": vf.sum("bytes"), "packets": vf.sum("packets"), "n": vf.count(), "hosts": vf.n_unique("srcaddr")}
    return data, sums, vf.scan(data).agg(**sums).collect().rows()


MIDDLE = line(src="203.0.113.99")[:-1]
BAD_LINES = {
    "a NUL": (MIDDLE.replace(b"eni-1", b"eni-\0"), "control-byte", None),
    "a missing token": (MIDDLE.replace(b" 6 ", b" "), "too-few-fields", None),
    "23 digits": (MIDDLE.replace(b" 40 ", b" 99999999999999999999999 "), "out-of-range", "bytes"),
    "a bad byte": (MIDDLE.replace(b" 40 ", b" 4O "), "not-a-number", "bytes"),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_one_bad_line_among_a_million(quiet, million, name):
    """The sums of the good ones are exact, and the bad one is reported with its place."""
    data, sums, wanted = million
    bad, reason, field = BAD_LINES[name]
    at = data.index(b"\n", len(data) // 2) + 1
    result = vf.scan(data[:at] + bad + b"\n" + data[at:]).agg(**sums).collect()
    assert result.rows() == wanted
    reject = result.report.rejects[0]
    assert (result.report.rejected, reject["reason"], reject["field"]) == (1, reason, field)
    assert (reject["byte_offset"], reject["line"]) == (at, data.count(b"\n", 0, at) + 1)


@pytest.mark.parametrize("hurt", ["cut", "checksum"])
def test_damaged_gzip_of_a_million(million, hurt):
    import gzip

    data, sums, wanted = million
    packed = gzip.compress(data, 1)
    packed = packed[: len(packed) // 2] if hurt == "cut" else packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
    with pytest.raises(vf.DataLossError) as error:
        vf.scan(packed).agg(**sums).collect()
    partial = error.value.partial
    if hurt == "checksum":
        assert partial.rows() == wanted
    else:  # whole lines of the first half, each exact
        lines = partial.report.lines
        end = len(b"\n".join(data.split(b"\n", lines)[:lines])) + 1
        assert partial.rows() == vf.scan(data[:end]).agg(**sums).collect().rows()
        assert 0 < partial.report.records < 1_000_000


TEXT_LOGS = {  # file: (records, rejects), as counted by hand: all lines that are not blank, less the header
    "aws-doc-examples/nat-gateway.log": (6, 0),
    "aws-doc-examples/v2-default.log": (7, 0),
    "aws-doc-examples/v3-tcp-flag-sequence.log": (8, 0),
    "aws-doc-examples/v5-service-path-direction.log": (2, 0),
    "aws-doc-examples/vpc-tgw.log": (4, 0),
    "real-text/aws-solutions-vpcflow.log": (17, 0),
    "real-text/danieldevere-testlog.gz": (28, 0),
    "small/allenliu-v2_synthetic.log": (10_000, 0),
    "small/elastic-test-extra-samples.log": (7, 0),
    "small/m-mizutani-sample1.log": (2, 0),
    "small/m-mizutani-sample2.log.gz": (2, 0),
    "small/maaz-flowlog.txt": (14, 0),
    "small/mhatremayank-flowlogs_v2.txt": (18, 0),
    "small/slatesuraj-sample.txt": (8, 0),
}


@pytest.mark.skipif(corpora() is None, reason="the logs of other projects are not here (set VPCFLOW_CORPORA)")
@pytest.mark.parametrize("name", sorted(TEXT_LOGS))
def test_logs_of_others(quiet, name):
    import gzip

    data = (corpora() / name).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    same(data)
    report = vf.scan(corpora() / name).collect().report
    assert (report.records, report.rejected) == TEXT_LOGS[name]
