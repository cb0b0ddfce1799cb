"""Entries of all kinds in turn, in every JSON that can hold them, against a plain model of what must come of them."""

import gzip
import json
from random import Random

import vpcflow as vf
from conftest import with_options
from containers import DEFAULT

MOST = {"srcport": 65535, "dstport": 65535, "packets": 2**63 - 1, "bytes": 2**63 - 1}
WHO = {"interface-id", "srcaddr", "dstaddr"}  # a record has one of these
WHAT = {"packets", "bytes", "start", "end", "action", "log-status"}  # and one of these, or both addresses


class Model:
    """What is expected: records and bytes by source, and how many entries are rejects."""

    def __init__(self):
        self.sums, self.rejects, self.format = {}, 0, DEFAULT

    def record(self, names, values):
        of = dict(zip(names, values))
        numbers = [(of[name], most) for name, most in MOST.items() if of.get(name, "-") != "-"]
        if len(names) != len(values) or any(not n.isdigit() or int(n) > most for n, most in numbers):
            self.rejects += 1
            return
        source = of.get("srcaddr", "-")
        group = self.sums.setdefault(None if source == "-" else source, [0, 0])
        group[0] += 1
        group[1] += 0 if of.get("bytes", "-") == "-" else int(of["bytes"])

    def message(self, text):
        tokens = text.split()
        if tokens and tokens[0] in DEFAULT:
            self.format = tokens
        elif tokens:
            self.record(self.format, tokens)

    def thing(self, thing):
        names = [name.replace("_", "-") for name in thing]
        if not (WHO & {*names} and WHAT & {*names}) and not {"srcaddr", "dstaddr"} <= {*names}:
            self.rejects += 1
        else:
            self.record(names, ["-" if value is None else str(value) for value in thing.values()])


def values_of(random):
    return {
        "version": "2", "account-id": "123456789010", "interface-id": "eni-1", "protocol": "6",
        "srcaddr": f"10.0.0.{random.randrange(4)}", "dstaddr": random.choice(["10.0.1.1", "2001:db8::1", "-"]),
        "srcport": str(random.randrange(65536)), "dstport": random.choice(["22", "443", "65536"]),
        "packets": str(random.randrange(100)), "bytes": random.choice(["0", "5", "1000000", "-", "9" * 23, "x"]),
        "start": "1600000000", "end": "1600000060", "action": "ACCEPT", "log-status": "OK",
    }  # fmt: skip


def an_entry(random, model, listed):
    """A random entry, told to the model; `listed` tells whether it is one of a member such as "events"."""
    kind, values = random.random(), values_of(random)
    if kind < 0.1:
        text = " ".join(random.sample(DEFAULT, random.randrange(2, 10)))
    elif kind < 0.5:
        tokens = [values[name] for name in model.format]
        tokens = random.choice([tokens] * 8 + [tokens[:-1], [*tokens, "x"]])
        text = " ".join(tokens) + random.choice(["", "", "\n", " "])
    elif kind < 0.9:
        names = random.sample(DEFAULT, random.randrange(1, 10))
        thing = {name.replace("-", random.choice("-_")): values[name] for name in names}
        thing = {name: int(v) if v.isdigit() and random.random() < 0.3 else v for name, v in thing.items()}
        thing |= random.choice([{}, {}, {}, {"zz": "a b"}, {"yy": None}])
        model.thing(thing)
        return thing
    else:
        thing = random.choice([{}, 5, None, True, {"a": 1}, {"message": 5}, [], {"message": ""}])
        model.rejects += not (thing == {"message": ""} or (thing == [] and not listed))
        return thing
    model.message(text)
    return {"message": text} if random.random() < 0.8 else {"timestamp": 1, "id": "3", "message": text}


def wrapped(random, model):
    """Entries in one of the ways to write them, blanks where they may be."""

    def blank():
        return random.choice(["", "", "", "\n", " ", "\r\n", "\t"])

    way = random.randrange(6)
    entries = [an_entry(random, model, way in (3, 4)) for _ in range(random.randrange(1, 40))]
    texts = [json.dumps(entry, indent=random.choice([None, None, 1]) if way > 1 else None) for entry in entries]
    if way == 0:  # lines, an array first so that it is known for JSON
        text = "".join([*(blank() + t + "\n" for t in ["[]", *texts])])
    elif way == 1:  # one behind the other: brackets tell where they end
        texts = [t if t[0] in "{[" else f"[{t}]" for t in texts]
        text = "".join(["[]", *(blank().replace("\n", " ") + t for t in texts)])
    elif way == 2:
        text = "[" + ",".join(blank() + t + blank() for t in texts) + "]"
    elif way == 3:
        member = random.choice(["events", "logEvents", "Records", "records", "results"])
        inner = ",".join(blank() + t + blank() for t in texts)
        text = f'{{"x": 1,{blank()}"{member}":{blank()}[{inner}]{blank()}, "y": "a]"}}'
    else:
        text = json.dumps({"events": entries} if way == 4 else entries, indent=2)
    return (random.choice(["", "\n", "\ufeff", " \r\n\n"]) + text + blank()).encode()


class Pieces:
    """A stream that gives a few bytes at a time."""

    def __init__(self, data, random):
        self.data, self.random = data, random

    def read(self, size):
        size = min(size, self.random.choice([1, 2, 7, 50, 1000]))
        piece, self.data = self.data[:size], self.data[size:]
        return piece


def test_mixed_entries_against_a_model(quiet):
    for seed in range(1500):
        random, model = Random(seed), Model()
        data = wrapped(random, model)
        data = random.choice([data, data, gzip.compress(data)])
        source = random.choice([data, Pieces(data, random)])
        flows = vf.scan(source, threads=random.choice([1, 2, 4]), format="default", allow_empty=True)._with(check_all=True)
        flows = with_options(flows, block_bytes=random.choice([64, 100, 300, 1 << 17]))
        try:
            result = flows.group_by("srcaddr").agg(n=vf.count(), bytes=vf.sum("bytes")).collect()
        except vf.FieldError as error:  # no record has it
            field = 0 if "srcaddr" in str(error).split(";")[0] else 1
            assert not any((source, sums[1])[field] for source, sums in model.sums.items()), seed
            continue
        got = {row["srcaddr"]: [row["n"], row["bytes"] or 0] for row in result.rows()}
        assert (got, result.report.rejected) == (model.sums, model.rejects), seed
