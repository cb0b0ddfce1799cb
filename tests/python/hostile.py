"""The hostile corpus: named inputs, each with what must come of it. Made by code, so that each case says what it is.

A case is (bytes, records, rejects by reason, error): ``error`` is the class of the exception that must end the scan, or
None. Two good lines stand around what is bad, and must be in the result.
"""

import gzip
import json
import struct
import zlib

import vpcflow as vf
from conftest import HEADER, line
from containers import DEFAULT, _blob, _subscription

GOOD = line(src="10.0.0.1", size=100)
LAST = line(src="10.0.0.2", size=200)
NUMBERS = {
    "version": 2**31, "srcport": 65536, "dstport": 65536, "protocol": 256, "packets": 2**63, "bytes": 2**63,
    "start": None, "end": None,
}  # fmt: skip
NOT_NUMBERS = ["x", "-1", "+1", "0x1F", "1e3", "1.0", "1,000", "\u0661", "22x", "x22", "--", "1_0", "²", "NaN", "''"]
NOT_ADDRESSES = [
    "256.1.1.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.4/8", "::1%eth0", "1:2", "g::1", ":::", "1::2::3", "12345::",
    "localhost", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.-1", "0x7f.0.0.1", "2130706433", "1:2:3:4:5:6:7:8:9", "::1.2.3.256",
    "1.2.3.4\xff", "fe80::1::", "[::1]",
]  # fmt: skip
CONTROLS = [0, 1, 7, 8, 11, 12, 13, 26, 27, 31, 127]


def _with(field, value):
    tokens = GOOD.decode().split()
    tokens[DEFAULT.index(field)] = value
    return " ".join(tokens).encode("utf-8", "surrogateescape") + b"\n"


def _around(bad):
    return HEADER + GOOD + bad + LAST


def _values():
    for field, beyond in NUMBERS.items():
        for value in NOT_NUMBERS:
            yield f"{field} is {value!r}", _around(_with(field, value)), 2, {"not-a-number": 1}, None
        yield f"{field} has 23 digits", _around(_with(field, "9" * 23)), 2, {"out-of-range": 1}, None
        if beyond:
            yield f"{field} is one too large", _around(_with(field, str(beyond))), 2, {"out-of-range": 1}, None
            yield f"{field} is the largest", _around(_with(field, str(beyond - 1))), 3, {}, None
        else:
            yield f"{field} has 14 digits", _around(_with(field, "1" * 14)), 2, {"out-of-range": 1}, None
            yield f"{field} in milliseconds", _around(_with(field, "1418530010000")), 3, {}, None
        yield f"{field} with leading zeros", _around(_with(field, "0002")), 3, {}, None
    for field in ("srcaddr", "dstaddr"):
        for value in NOT_ADDRESSES:
            yield f"{field} is {value!r}", _around(_with(field, value)), 2, {"not-an-address": 1}, None
    for field in DEFAULT:
        yield f"{field} is null", _around(_with(field, "-")), 3, {}, None


def _lines():
    for byte in CONTROLS:
        bad = GOOD.replace(b"eni-1", b"eni-" + bytes([byte]))
        yield f"byte {byte} in a field", _around(bad), 2, {"control-byte": 1}, None
    tokens = GOOD.split()
    for n in (1, 2, 13):
        yield f"{n} fields", _around(b" ".join(tokens[:n]) + b"\n"), 2, {"too-few-fields": 1}, None
    for more in (b"x", b"OK", b"- - -", b"\xff"):
        yield f"and {more!r}", _around(GOOD[:-1] + b" " + more + b"\n"), 2, {"too-many-fields": 1}, None
    yield "two lines in one", _around(GOOD[:-1] + b" " + GOOD), 2, {"too-many-fields": 1}, None
    yield "commas for blanks", _around(GOOD.replace(b" ", b",")), 2, {"too-few-fields": 1}, None
    yield "no-break spaces", _around(GOOD.replace(b" ", b"\xc2\xa0")), 2, {"too-few-fields": 1}, None
    yield "UTF-16", _around(GOOD.decode().encode("utf-16-le").replace(b"\n\0", b"\n")), 2, {"control-byte": 1}, None
    yield "a line of 4 MiB", _around(b"9" * (4 << 20) + b"\n"), 2, {"line-too-long": 1}, None
    yield "a long line of fields", _around(GOOD[:-1] + b" x" * (1 << 20) + b"\n"), 2, {"line-too-long": 1}, None
    yield "a line of quotes", _around(b'"' * 200 + b"\n"), 2, {"too-few-fields": 1}, None
    good = {
        "CRLF": _around(GOOD).replace(b"\n", b"\r\n"),
        "mixed line ends": HEADER + GOOD.replace(b"\n", b"\r\n") + GOOD + LAST,
        "tabs": _around(GOOD.replace(b" ", b"\t")),
        "runs of blanks": _around(GOOD.replace(b" ", b" \t  ")),
        "blanks around": _around(b"  " + GOOD[:-1] + b" \t\n"),
        "a byte order mark": b"\xef\xbb\xbf" + _around(GOOD),
        "a byte order mark before a record": b"\xef\xbb\xbf" + GOOD + GOOD + LAST,
        "no last line end": _around(GOOD)[:-1],
        "blank lines": _around(b"\n \n\t\n\r\n" + GOOD + b"\n\n"),
        "the header again": _around(HEADER + GOOD),
        "the header three times": HEADER * 3 + GOOD * 2 + LAST,
        "bytes that are no UTF-8": _around(GOOD.replace(b"eni-1", b"eni-\xff\xfe")),
        "a formula": _around(GOOD.replace(b"eni-1", b"=1+1")),
        "HTML in a field": _around(GOOD.replace(b"eni-1", b"<script>")),
        "a path": _around(GOOD.replace(b"eni-1", b"../../x")),
        "end before start": _around(_with("end", "1")),
    }
    for name, data in good.items():
        yield name, data, 3, {}, None
    other = b"srcaddr bytes\n10.0.0.9 5\n"
    yield "another header", HEADER + GOOD + other + HEADER + LAST, 3, {}, None
    yield "a header with a field twice", _around(b"srcaddr srcaddr\n"), 2, {"too-few-fields": 1}, None
    yield "a header of one unknown field", _around(b"hello\n"), 2, {"too-few-fields": 1}, None


def _whole_files():
    yield "nothing", b"", 0, {}, None
    yield "a line end", b"\n", 0, {}, None
    yield "a byte order mark alone", b"\xef\xbb\xbf", 0, {}, None
    yield "a header alone", HEADER, 0, {}, None
    yield "a web log", b"127.0.0.1 - - [10/Oct/2000] GET / 200\n", 0, {}, vf.FormatError
    yield "zeros", b"\0" * 4096, 0, {}, vf.FormatError
    yield "a zip archive", b"PK\x03\x04" + b"\0" * 60, 0, {}, vf.FormatError
    yield "bzip2", b"BZh91AY&SY" + b"\x99" * 60, 0, {}, vf.FormatError
    yield "HTML", b"<html>\n<body>Access denied</body>\n", 0, {}, vf.FormatError
    yield "XML of S3", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', 0, {}, vf.FormatError


def _gzips():
    text = HEADER + GOOD + LAST
    whole = gzip.compress(text, 6, mtime=0)
    yield "gzip", whole, 2, {}, None
    yield "two members", gzip.compress(text[:150]) + gzip.compress(text[150:]), 2, {}, None
    yield "empty members", gzip.compress(b"") * 50 + whole + gzip.compress(b""), 2, {}, None
    yield "zero padding", whole + b"\0" * 1000, 2, {}, None
    yield "a member with every optional header", _member(text), 2, {}, None
    yield "members with all but a header checksum", _member(text[:150], 0x1C) + _member(text[150:], 0x1C), 2, {}, None
    yield "a member whose name has 100,000 bytes", _member(text, 0x1C, b"n" * 100_000), 2, {}, None
    yield "a member whose name has no end", _member(text)[:20] + b"n" * 100_000, 0, {}, vf.DataLossError
    for name, hurt in {
        "a wrong checksum": whole[:-8] + struct.pack("<I", zlib.crc32(text) ^ 1) + whole[-4:],
        "a wrong length": whole[:-4] + struct.pack("<I", len(text) + 1),
        "no trailer": whole[:-8],
        "half a trailer": whole[:-4],
        "garbage behind": whole + b"garbage",
        "padding, then a member": whole + b"\0\0" + whole,
    }.items():
        yield name, hurt, 2, {}, vf.DataLossError
    for cut in (3, 9, 10, 11, 20, len(whole) // 2):
        yield f"gzip cut at {cut}", whole[:cut], None, None, vf.DataLossError
    yield "a reserved block type", whole[:10] + b"\x07" + whole[11:], 0, {}, vf.DataLossError
    yield "an unknown method", whole[:2] + b"\x07" + whole[3:], 0, {}, vf.DataLossError


def _member(text, flags=0x1E, name=b"name"):
    """A gzip member with extra field, name, comment and, if the flags say so, header checksum."""
    head = b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\x03" + b"\x04\x00abcd" + name + b"\0comment\0"
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xFFFF)
    pack = zlib.compressobj(6, zlib.DEFLATED, -15)
    return head + pack.compress(text) + pack.flush() + struct.pack("<II", zlib.crc32(text), len(text))


def _jsons():
    message = GOOD.decode().strip()
    event = json.dumps({"message": message})
    first, last = event + "\n", event + "\n"
    bad = {
        "an empty object": ("{}", "no-record"),
        "an open object": ('{"message": "', "no-record"),
        "a lone bracket": ("]", "no-record"),
        "a number": ("5", "no-record"),
        "null": ("null", "no-record"),
        "true": ("true", "no-record"),
        "text that is no record": ('{"message": "hello"}', "too-few-fields"),
        "a message of another type": ('{"message": 5}', "no-record"),
        "a field twice": ('{"srcaddr": "1.2.3.4", "src_addr": "1.2.3.4"}', "no-record"),
        "a NUL in a message": (json.dumps({"message": message + "\0"}), "control-byte"),
        "a line end in a message": (json.dumps({"message": message.replace(" ", "\n", 1)}), "control-byte"),
        "a bare surrogate": ('{"message": "\\ud800"}', "no-record"),
        "no UTF-8": ('{"message": "\udcff\udcfe"}', "no-record"),
        "a control byte": ('{"message": "\x01"}', "no-record"),
        "single quotes": ("{'message': 'x'}", "no-record"),
        "a comment": ("// x", "no-record"),
        "a trailing comma": ('{"message": "x",}', "no-record"),
        "nested too deep": ("[" * 3000 + "]" * 3000, "no-record"),
        "an endless number": ('{"srcaddr": "1.2.3.4", "bytes": ' + "9" * 500 + "}", "no-record"),
        "an infinite number": ('{"srcaddr": "1.2.3.4", "bytes": 1e999}', "no-record"),
        "a fraction": ('{"srcaddr": "1.2.3.4", "bytes": 1.5}', "not-a-number"),
        "a negative number": ('{"srcaddr": "1.2.3.4", "bytes": -1}', "not-a-number"),
        "a port too large": ('{"srcaddr": "1.2.3.4", "dstport": 65536, "bytes": 1}', "out-of-range"),
        "an array for an address": ('{"srcaddr": ["1.2.3.4"], "bytes": 1}', "not-an-address"),
        "an object for an address": ('{"srcaddr": {"ip": "1.2.3.4"}, "bytes": 1}', "not-an-address"),
        "two values in one": ('{"srcaddr": "1.2.3.4 5.6.7.8", "bytes": 1}', "not-an-address"),
        "300 fields": (json.dumps({"srcaddr": "1.2.3.4", **{f"x{i}": i for i in range(300)}}), "no-record"),
        "a blob that is no base64": ('{"awslogs": {"data": "***"}}', "no-record"),
        "a blob that is no gzip": ('{"awslogs": {"data": "AAAA"}}', "no-record"),
        "a blob that is cut": ('{"awslogs": {"data": "' + _blob(_subscription([message]))[:40] + '"}}', "no-record"),
        "OCSF without anything": ('{"class_uid": 4001}', "no-record"),
        "OCSF of another class": ('{"class_uid": 3002, "user": {"name": "x"}}', "no-record"),
    }
    for name, (text, reason) in bad.items():
        data = first.encode() + text.encode("utf-8", "surrogateescape") + b"\n" + last.encode()
        outcome = (3 if reason is None else 2, {reason: 1} if reason else {}, None)
        yield f"JSON: {name}", data, *outcome
        if name in ("an open object", "a lone bracket"):
            continue  # brackets that do not match take others with them
        for where, (before, behind) in {
            "array": ("[\n", "]\n"),
            "events": ('{"a": [1],\n"events": [', ' ], "b": 2}\n'),
        }.items():
            parts = (before + first + ",", text, "," + last + behind)
            data = b"\n".join(part.encode("utf-8", "surrogateescape") for part in parts)
            yield f"JSON: {name}, in an array of {where}", data, *outcome
    good = {
        "an empty array": "[]",
        "no events": '{"events": []}',
        "a control message": '{"messageType": "CONTROL_MESSAGE", "logEvents": [{"message": "x"}]}',
        "an empty message": '{"message": ""}',
    }
    for name, text in good.items():
        yield f"JSON: {name}", (first + text + "\n" + last).encode(), 2, {}, None
    for end in ("\n", first[:40], '{"message": "\\\\', '"x'):
        cut = ("[\n" + first + "," + end).encode()
        yield f"JSON: cut in the middle of a document, {end[:20]!r}", cut, 1, {"no-record": 1}, vf.DataLossError
    for where, text, more in (("a document", "[\n" + first + "," + first + ",", 1), ("lines", first + first, 0)):
        damaged = gzip.compress((text + first).encode(), 0)[: 15 + len(text) + 60]  # 15 before what is stored as it is
        rejects = {"no-record": 1} if more else {}
        yield f"JSON: gzip that is cut, of {where}", damaged, 2, rejects, vf.DataLossError
    yield "JSON: a byte order mark", b"\xef\xbb\xbf" + first.encode() + last.encode(), 2, {}, None
    yield "JSON: glued and cut", (event + event + event[:20]).encode(), 2, {"no-record": 1}, None


def _csvs():
    names = ",".join(n.replace("-", "_") for n in DEFAULT)
    row = GOOD.decode().strip().replace(" ", ",")
    bad = {
        "a stray quote": (row.replace("eni-1", 'eni"1'), "no-record"),
        "too few cells": ("2,1", "no-record"),
        "too many cells": (row + ",x", "no-record"),
        "a quoted comma": (row.replace("eni-1", '"eni,1"').replace("22", "x"), "not-a-number"),
        "two values in a cell": (row.replace("10.0.0.9", "10.0.0.9 1"), "not-an-address"),
        "an address of another kind": (row.replace("10.0.0.9", "host"), "not-an-address"),
    }
    for name, (text, reason) in bad.items():
        yield f"CSV: {name}", f"{names}\n{row}\n{text}\n{row}\n".encode(), 2, {reason: 1}, None
    good = {
        "empty cells": row.replace("eni-1", ""),
        "quoted cells": ",".join(f'"{cell}"' for cell in row.split(",")),
        "a doubled quote": row.replace("eni-1", '"eni""1"'),
        "blanks in text": row.replace("eni-1", "eni 1"),
    }
    for name, text in good.items():
        yield f"CSV: {name}", f"{names}\n{row}\n{text}\n{row}\n".encode(), 3, {}, None


def corpus():
    """Name -> (bytes, records, rejects by reason, error class)."""
    cases = {}
    for family in (_values, _lines, _whole_files, _gzips, _jsons, _csvs):
        for name, *case in family():
            assert name not in cases, name
            cases[name] = case
    return cases
