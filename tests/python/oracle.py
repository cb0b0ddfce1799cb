"""The oracle: a slow, obvious reader of flow logs, written from the format's description and sharing no code with the
engine. It stays here for ever; the engine is held against it."""

import codecs
import ipaddress
import re

import vpcflow as vf

FIELDS = {f["name"]: f for f in vf.fields()}
DEFAULT = [
    "version",
    "account-id",
    "interface-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "action",
    "log-status",
]

codecs.register_error("each-byte", lambda e: ("\ufffd", e.start + 1))


class RejectError(Exception):
    pass


def text_of(raw):
    return raw.decode("utf-8", "each-byte")


def parse_value(raw, name):
    """The value of a token; raises RejectError(reason)."""
    if raw == b"-":
        return None
    kind = FIELDS[name]["type"] if name in FIELDS else "text"
    if kind == "text":
        return text_of(raw)
    if kind == "address":
        try:
            if b"%" in raw:
                raise ValueError
            address = ipaddress.ip_address(raw.decode("ascii"))
        except (ValueError, UnicodeDecodeError):
            raise RejectError("not-an-address") from None
        if address.version == 6 and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return str(address)
    if not re.fullmatch(rb"[0-9]+", raw):
        raise RejectError("not-a-number")
    if len(raw) > 19:
        raise RejectError("out-of-range")
    value = int(raw)
    if kind == "time":
        if len(raw) > 13:
            raise RejectError("out-of-range")
        return value // 1000 if value > 2**31 else value
    if value > FIELDS[name]["max"]:
        raise RejectError("out-of-range")
    return value


def header_of(tokens):
    """The field names of a header line, or None."""
    names = [t.decode("ascii", "replace").lower().replace("_", "-") for t in tokens]
    if (
        not tokens
        or not all(re.fullmatch(rb"[A-Za-z][A-Za-z0-9_-]*", t) for t in tokens)
        or len(set(names)) < len(names)
    ):
        return None
    known = sum(n in FIELDS for n in names)
    return names if known and known * 2 >= len(names) and names[0] in FIELDS else None


def read(data, names=None):
    """(records as dicts with AWS's names, rejects as (line, reason, field)); `names` is the format without header."""
    records, rejects = [], []
    names = list(names or DEFAULT)
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    for number, raw in enumerate(lines, 1):
        line = raw[:-1] if raw.endswith(b"\r") else raw
        if line.startswith(b"\xef\xbb\xbf"):
            line = line[3:]
        tokens = re.findall(rb"[^ \t]+", line)
        header = header_of(tokens)
        if header is not None and re.match(rb"[a-z]", line):
            names = header
            continue
        if len(raw) > 1 << 20:
            rejects.append((number, "line-too-long", None))
        elif re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line):
            rejects.append((number, "control-byte", None))
        elif not tokens:
            continue
        elif len(tokens) != len(names):
            rejects.append((number, "too-few-fields" if len(tokens) < len(names) else "too-many-fields", None))
        else:
            record = {}
            try:
                for name, token in zip(names, tokens):
                    field = name
                    record[name] = parse_value(token, name)
            except RejectError as reject:
                rejects.append((number, str(reject), field))
                continue
            records.append(record)
    return records, rejects
