"""Anonymising: published vectors, prefixes and ranges against a slow oracle, nothing passed on, the same findings."""

import gzip
import ipaddress
import json
import os
import re
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

import vpcflow as vf
import vpcflow.cli
from conftest import HEADER, ROOT, SAMPLE, line, run_cli
from vpcflow.protect import KEPT_RANGES, SAME_RANGES, AddressMap, Anonymiser, CryptoPan, new_key, read_key
from vpcflow.protect.tokens import KEPT_WORDS, Tokens, treatment

KEY = bytes([
    21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
    216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
])  # fmt: skip
# Of sample_trace_raw.dat and sample_trace_sanitized.dat of the original Crypto-PAn 1.0, with its key; the IPv6 ones are
# those that other implementations publish for the same key.
VECTORS = {
    "128.11.68.132": "135.242.180.132", "129.118.74.4": "134.136.186.123", "130.132.252.244": "133.68.164.234",
    "141.223.7.43": "141.167.8.160", "152.163.225.39": "151.140.114.167", "192.102.249.13": "252.138.62.131",
    "198.51.77.238": "249.18.186.254", "204.202.136.230": "243.178.4.198", "207.188.7.45": "241.255.249.220",
    "208.52.56.122": "227.8.63.165", "212.206.130.201": "228.69.242.193", "216.254.18.172": "235.7.16.162",
    "24.0.250.221": "100.15.198.226", "38.15.67.68": "64.3.66.187", "4.3.88.225": "124.60.155.63",
    "63.97.7.140": "95.97.9.123", "64.39.15.238": "0.219.7.41", "10.185.25.118": "117.161.29.118",
    "::1": "78ff:f001:9fc0:20df:8380:b1f1:704:ed", "::2": "78ff:f001:9fc0:20df:8380:b1f1:704:ef",
    "2001:db8::1": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e", "2001:db8::2": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c",
}  # fmt: skip
RANGES = [ipaddress.ip_network(text) for text in [*KEPT_RANGES, *SAME_RANGES]]
PREFIX, PLAIN = AddressMap(KEY), AddressMap(KEY, "cryptopan")


def slow(text, special):
    """The map of an address, bit by bit, with one block of AES each."""
    aes = Cipher(algorithms.AES(KEY[:16]), modes.ECB())
    pad = aes.encryptor().update(KEY[16:])
    address = ipaddress.ip_address(text)
    bits = f"{int(address):0{address.max_prefixlen}b}"
    pad_bits = f"{int.from_bytes(pad, 'big'):0128b}"
    nets = [net for net in RANGES if net.version == address.version]
    out = ""
    for i in range(len(bits)):
        block = int((bits[:i] + pad_bits[i:]), 2).to_bytes(16, "big")
        flip = aes.encryptor().update(block)[0] >> 7
        if special:
            for net in nets:
                own = f"{int(net.network_address):0{net.max_prefixlen}b}"
                shared = min(i, net.prefixlen)
                if bits[:shared] == own[:shared] and (i < net.prefixlen or str(net) in SAME_RANGES):
                    flip = 0
        out += str(int(bits[i]) ^ flip)
    return str(type(address)(int(out, 2)))


def shared_bits(a, b):
    a, b = ipaddress.ip_address(a), ipaddress.ip_address(b)
    return a.max_prefixlen - (int(a) ^ int(b)).bit_length()


def near(network):
    """Addresses in a network and beside it."""
    first, size = int(network.network_address), network.num_addresses
    low, high = max(0, first - size), min(2**network.max_prefixlen - 1, first + 2 * size - 1)
    kind = ipaddress.IPv4Address if network.version == 4 else ipaddress.IPv6Address
    return st.integers(low, high).map(lambda number: str(kind(number)))


V4 = st.one_of(st.integers(0, 2**32 - 1).map(lambda n: str(ipaddress.IPv4Address(n))), *[near(n) for n in RANGES if n.version == 4])
V6 = st.one_of(
    st.integers(0, 2**128 - 1).map(lambda n: str(ipaddress.IPv6Address(n))),
    *[near(net) for net in [*RANGES, ipaddress.ip_network("2001:db8::/32")] if net.version == 6],
).filter(lambda text: ipaddress.ip_address(text).ipv4_mapped is None)  # which the engine takes for IPv4


@st.composite
def pairs(draw):
    """Two addresses that share some bits."""
    kind, version = (V4, 4) if draw(st.booleans()) else (V6, 6)
    a = draw(kind)
    if draw(st.booleans()):
        return a, draw(kind)
    size = 32 if version == 4 else 128
    number = int(ipaddress.ip_address(a)) ^ (1 << draw(st.integers(0, size - 1)))
    b = str((ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address)(number))
    return a, b if version == 4 or ipaddress.ip_address(b).ipv4_mapped is None else a


@pytest.mark.parametrize("original", VECTORS)
def test_published_vectors(original):
    assert CryptoPan(KEY).map(original) == PLAIN.map(original) == VECTORS[original]


@settings(max_examples=60)
@given(st.one_of(V4, V6))
def test_it_is_what_the_slow_oracle_says(address):
    assert PREFIX.map(address) == slow(address, True)
    assert PLAIN.map(address) == slow(address, False)


@settings(max_examples=150)
@given(pairs())
def test_shared_prefixes_are_kept_and_no_more(pair):
    for one in (PREFIX, PLAIN):
        assert shared_bits(*map(one.map, pair)) == shared_bits(*pair)


@settings(max_examples=150)
@given(st.one_of(V4, V6))
def test_special_ranges_are_kept_and_entered_by_none(address):
    image = ipaddress.ip_address(PREFIX.map(address))
    own = ipaddress.ip_address(address)
    assert image.version == own.version
    for net in RANGES:
        if net.version == own.version:
            assert (own in net) == (image in net), net
            assert own not in net or str(net) not in SAME_RANGES or image == own


def test_what_is_kept_is_small():
    """Bits of public addresses that stay: 16 at most, beside the smallest range."""
    import numpy as np

    numbers = np.arange(0, 2**32, 2**16, dtype=np.uint64)
    kept = PREFIX._kept(np.stack([numbers << np.uint64(32), numbers * np.uint64(0)], axis=1), 4)
    specials = [net for net in RANGES if net.version == 4]
    public = [not any(ipaddress.ip_address(int(n)) in net for net in specials) for n in numbers]
    assert max(kept[public]) == 16
    assert np.mean(kept[public]) < 4.5  # docs/how-to/hand-logs-over-safely.md says four or five


@pytest.mark.parametrize(("bits", "v4", "v6"), [(24, "203.0.113.0", "2001:db8:7::"), (0, "0.0.0.0", "::"), (32, "203.0.113.77", "2001:db8:7:8::")])
def test_truncating(bits, v4, v6):
    cut = AddressMap(KEY, f"truncate={bits}")
    assert cut.map("203.0.113.77") == v4
    assert cut.map("2001:db8:7:8:9::1") == v6


@pytest.mark.parametrize("mode", ["", "Prefix", "truncate", "truncate=33", "truncate=-1", "token"])
def test_wrong_modes(mode):
    with pytest.raises(vf.PlanError, match="expected prefix, cryptopan or truncate"):
        AddressMap(KEY, mode)


def test_every_field_has_its_treatment():
    """What AWS adds becomes a token, unless somebody says that its values are words that name nobody."""
    texts = {field.name for field in vf.fields() if field.column_type == "text"}
    assert set(KEPT_WORDS) < texts
    assert {name for name, what in treatment().items() if what in ("token", "word")} == texts
    assert {treatment()[name] for name in ("instance-tag", "vpc-id", "account-id", "ecs-task-arn")} == {"token"}


TOKENS = {
    "account-id": ("123456789012", r"[0-9]{12}"),
    "interface-id": ("eni-0123456789abcdef0", r"eni-[0-9a-f]{17}"),
    "instance-id": ("i-12345678", r"i-[0-9a-f]{8}"),
    "vpc-id": ("vpc-x", r"vpc-[0-9a-f]{17}"),
    "tgw-attachment-id": ("tgw-attach-0123456789abcdef0", r"tgw-attach-[0-9a-f]{17}"),
    "ecs-task-id": ("0123456789abcdef0123456789abcdef", r"[0-9a-f]{32}"),
    "ecs-container-id": ("01234567-89ab-cdef-0123-456789abcdef", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "ecs-task-arn": (
        "arn:aws:ecs:eu-west-1:123456789012:task/payroll/0123456789abcdef0123456789abcdef",
        r"arn:aws:ecs:eu-west-1:[0-9]{12}:task/name-[0-9a-f]{16}/[0-9a-f]{32}",
    ),
    "instance-tag": ("payroll%20Anna", r"name-[0-9a-f]{16}"),
    "resource-id": ("payroll", r"name-[0-9a-f]{16}"),
    "region": ("anna-1", r"name-[0-9a-f]{16}"),
    "az-id": ("anna", r"name-[0-9a-f]{16}"),
    "pkt-src-aws-service": ("ANNA", r"name-[0-9a-f]{16}"),
}


@pytest.mark.parametrize("field", TOKENS)
def test_tokens_have_the_shape_of_what_they_stand_for(field):
    value, shape = TOKENS[field]
    token, again, other = Tokens(KEY).of(field, [value])[0], Tokens(KEY).of(field, [value])[0], Tokens(bytes(32)).of(field, [value])[0]
    assert re.fullmatch(shape, token)
    assert token == again != other
    assert token != value


def test_what_belongs_together_stays_together():
    tokens = Tokens(KEY)
    arn = tokens.of("ecs-task-arn", ["arn:aws:ecs:eu-west-1:123456789012:task/payroll/0123456789abcdef0123456789abcdef"])[0]
    assert tokens.of("account-id", ["123456789012"])[0] in arn
    assert tokens.of("ecs-cluster-name", ["payroll"])[0] in arn
    assert tokens.of("tgw-src-eni", ["eni-0123456789abcdef0"]) == tokens.of("interface-id", ["eni-0123456789abcdef0"])


WORDS = {"region": "us-gov-west-1", "az-id": "usw2-lax1-az1", "action": "accept", "log-status": "OK", "type": "IPv6", "pkt-dst-aws-service": "S3", "account-id": "unknown"}


@pytest.mark.parametrize("field", WORDS)
def test_words_stay(field):
    assert Tokens(KEY).of(field, [WORDS[field]]) == [WORDS[field]]


def test_two_ids_never_become_one(monkeypatch):
    monkeypatch.setattr(Tokens, "_digits", lambda self, value: "0" * 64)
    with pytest.raises(vf.ProtectionError, match="take another key"):
        Tokens(KEY).of("interface-id", ["eni-00000001", "eni-00000002"])


SECRETS = ("198.51.100.77", "2001:db8:abcd:12::7", "10.20.30.40", "210987654321", "eni-0aaaabbbbccccdddd", "payroll", "anna", "hush", "vpc-0aaaabbbb")
FIELDS = "version account-id interface-id vpc-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr bytes start end action log-status region pkt-src-aws-service instance-tag anna-field"
RECORDS = [
    "11 210987654321 eni-0aaaabbbbccccdddd vpc-0aaaabbbb 198.51.100.77 10.20.30.40 2001:db8:abcd:12::7 - 7 1000 1060 ACCEPT OK eu-west-1 S3 payroll%20anna hush",
    "11 210987654321 eni-0aaaabbbbccccdddd vpc-0aaaabbbb 10.20.30.40 169.254.169.254 - - 8 1000 1060 anna OK anna PAYROLL - -",
]


def inputs(tmp_path):
    """The same records in the shapes that the engine reads, with a comment and a line that is no record."""
    text = "\n".join([FIELDS, *RECORDS, "# anna wrote this, of 198.51.100.77", "hush 198.51.100.77 payroll"]) + "\n"
    rows = [dict(zip(FIELDS.replace("-", "_").split(), record.split())) for record in RECORDS]
    made = {"log": text.encode(), "gz": gzip.compress(text.encode(), mtime=0)}
    made["json"] = "".join(json.dumps({n: None if v == "-" else v for n, v in row.items()}) + "\n" for row in rows).encode()
    made["csv"] = "\n".join(",".join(part.split()).replace("-,", ",") for part in [FIELDS, *RECORDS]).encode() + b"\n"
    for ending, data in made.items():
        (tmp_path / f"in.{ending}").write_bytes(data)
    vf.scan(tmp_path / "in.json").sink_parquet(tmp_path / "in.parquet")
    return [tmp_path / f"in.{ending}" for ending in (*made, "parquet")]


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
@pytest.mark.parametrize("ending", ["log", "log.gz", "csv", "csv.gz", "jsonl", "arrow", "parquet"])
def test_no_identifying_byte_is_in_the_output(tmp_path, ending):
    for source in inputs(tmp_path):
        out = tmp_path / f"out.{ending}"
        done = vf.anonymise(vf.scan(source), out, KEY)
        assert done.records == 2
        assert done.unknown_fields == (() if source.suffix == ".parquet" else ("anna_field",))  # of tables it is not read
        assert done.unknown_words == {"action": 1, "pkt-src-aws-service": 1, "region": 1}
        data = out.read_bytes()
        if ending.endswith("gz"):
            data = gzip.decompress(data)
        elif ending in ("arrow", "parquet"):
            data = repr(vf.scan(out).collect().rows()).encode() + data
        for secret in SECRETS:
            assert secret.encode() not in data.lower(), (source.name, secret)
        rows = vf.scan(out).collect().rows()
        assert [row["bytes"] for row in rows] == [7, 8]
        assert rows[0]["dstaddr"] == rows[1]["srcaddr"] == PREFIX.map("10.20.30.40")
        assert rows[1]["dstaddr"] == "169.254.169.254"
        assert (rows[0]["action"], rows[0]["region"], rows[0]["pkt_src_aws_service"]) == ("ACCEPT", "eu-west-1", "S3")
        assert rows[0].get("masked1", "name-").startswith("name-")


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
def test_no_text_of_any_field_is_passed_on(tmp_path):
    """Every field that there is, and three that there are not, with a canary in each text."""
    known = vf.fields()
    names = [field.name for field in known] + ["owner", "e-mail", "notiz"]
    values = {"address": "10.20.30.{}", "time": "10{:02}", "int32": "{}", "int64": "{}"}
    kinds = {field.name: field.column_type for field in known}
    record = [values.get(kinds.get(name, "text"), "canary-{}-eni-0a1b").format(i % 90 + 1) for i, name in enumerate(names)]
    for shape in ("canary{}", "vpc-canary{}", "arn:aws:ecs:canary:canary:task/canary{}", "CANARY {}", "123456789canary{}"):
        texts = [shape.format(i) if kinds.get(name, "text") == "text" else record[i] for i, name in enumerate(names)]
        rows = [dict(zip(names, texts))]
        done = vf.anonymise(vf.scan(json.dumps(rows[0]).encode() + b"\n"), tmp_path / "a.jsonl", KEY)
        assert done.records == 1
        data = (tmp_path / "a.jsonl").read_bytes()
        assert b"canary" not in data.lower()
        assert b"10.20.30." not in data
        assert all(name.encode() not in data for name in ("owner", "e-mail", "e_mail", "notiz"))


def test_records_without_data_stay_records(tmp_path):
    log = HEADER + line() + b"2 123456789010 eni-1 - - - - - - - 1000 1060 - NODATA\n" + line(status="SKIPDATA")
    report = vf.anonymise(vf.scan(log), tmp_path / "a.log", KEY).report
    again = vf.scan(tmp_path / "a.log").collect().report
    assert (again.ok, again.nodata, again.skipdata) == (report.ok, report.nodata, report.skipdata) == (1, 1, 1)


def test_the_same_in_every_file_and_run(tmp_path):
    """Over files, splits and forms of the key."""
    log = HEADER + b"".join(line(src=f"10.0.{i}.{j}") for i in range(4) for j in range(50))
    lines = log.splitlines(keepends=True)
    forms = {"raw": KEY, "hex": KEY.hex().encode() + b"\n", "line": KEY + b"\n"}
    whole = None
    for name, data in forms.items():
        (tmp_path / name).write_bytes(data)
        vf.anonymise(vf.scan(log), tmp_path / "whole.log", tmp_path / name)
        whole = whole or (tmp_path / "whole.log").read_bytes()
        assert (tmp_path / "whole.log").read_bytes() == whole
    parts = b""
    for part in (lines[:50], lines[50:]):
        vf.anonymise(vf.scan(HEADER + b"".join(part).replace(HEADER, b"")), tmp_path / "part.log", KEY)
        parts += (tmp_path / "part.log").read_bytes().replace(HEADER, b"")
    assert HEADER + parts == whole


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Planted incidents as they are and anonymised."""
    folder = tmp_path_factory.mktemp("planted")
    # The format names AWS's services: without, S3 is known by its addresses, which are mapped.
    vf.synth(30000, out=folder / "logs", seed=11, format="v5", plant="all", peers=2000, noise_sources=2000)
    log = next((folder / "logs").glob("*.log"))
    vf.anonymise(vf.scan(log), folder / "anonymised.log", KEY)
    return log, folder / "anonymised.log"


def mapped(value, anonymiser):
    """A finding's value with every address and interface in it mapped; lists of addresses without their order."""
    if isinstance(value, dict):
        return {name: mapped(one, anonymiser) for name, one in value.items()}
    if isinstance(value, list):
        return sorted((mapped(one, anonymiser) for one in value), key=str)
    if not isinstance(value, str):
        return value
    try:
        return anonymiser.addresses.map(value)
    except ValueError:
        return anonymiser.tokens.of("interface-id", [value])[0] if value.startswith("eni-") else value


def test_the_same_findings_under_the_map(planted):
    """Detectors look at classes and counts of addresses, which are kept."""
    same, anonymiser = Anonymiser(KEY), Anonymiser(KEY)
    same.addresses.map = lambda text: str(ipaddress.ip_address(text))
    same.tokens.of = lambda field, values: values

    def found(log, by):
        rows = [
            (
                one.detector, one.severity, one.technique, mapped(one.actor, by), one.start, one.end, one.score,
                # Of more targets the first twenty are named, ties by address.
                mapped(one.targets, by) if len(one.targets) < 20 else len(one.targets),
                str(mapped(one.evidence, by)), str(one.coverage),
            )
            for one in vf.detect(vf.scan(log))
        ]
        return sorted(rows, key=str)  # fmt: skip

    mine, theirs = found(planted[0], anonymiser), found(planted[1], same)
    assert len(mine) >= 10
    assert mine == theirs


@pytest.mark.filterwarnings("ignore::vpcflow.DataQualityWarning")
def test_the_command(tmp_path):
    inputs(tmp_path)
    run_cli("anonymise", "--new-key", tmp_path / "key", check=0)
    out = tmp_path / "out.log"
    done = run_cli("anonymise", tmp_path / "in.log", "-o", out, "--key", tmp_path / "key", check=0)
    said = done.stderr.decode()
    assert f"2 records written to {out}" in said
    assert "2 lines rejected and left out" in said
    assert "198.51" not in said
    assert "note: key" not in said
    to_stdout = run_cli("anonymise", tmp_path / "in.log", "-o", "-", "--key", tmp_path / "key", check=0)
    assert to_stdout.stdout == out.read_bytes()
    os.chmod(tmp_path / "key", 0o644)
    assert b"others can read it" in run_cli("anonymise", tmp_path / "in.log", "-o", out, "--key", tmp_path / "key").stderr


def test_the_page_runs_in_its_order(tmp_path):
    """docs/how-to/hand-logs-over-safely.md, as somebody types it."""
    page = (ROOT / "docs" / "how-to" / "hand-logs-over-safely.md").read_text()
    (tmp_path / "vpcflow").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vpcflow "$@"\n')
    (tmp_path / "vpcflow").chmod(0o755)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "flow.log.gz").write_bytes(SAMPLE.read_bytes())
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", page, re.M | re.S))
    assert "--new-key" in script
    own = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, env=own, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found, original, image = done.stdout.split()[-3:]
    assert (found, original) == ("0", image)
    assert int(original) > 0
    for name in ("shared.log.gz", "shared.parquet", "shared.csv"):
        assert vf.scan(tmp_path / name).count() > 0


def test_keys_that_are_none(tmp_path, monkeypatch):
    for data in (b"", b"short", bytes(31), bytes(34), b"g" * 64, b"0" * 63, bytes(100_000)):
        (tmp_path / "key").write_bytes(data)
        with pytest.raises(vf.ProtectionError, match="64 hexadecimal digits, or base64") as error:
            read_key(tmp_path / "key")
        assert not data or data.hex()[:10] not in str(error.value)
    (tmp_path / "key").write_bytes(KEY)
    os.chmod(tmp_path / "key", 0o666)
    with pytest.raises(vf.ProtectionError, match="everybody may write it"):
        read_key(tmp_path / "key")
    with pytest.raises(vf.SourceNotFoundError, match="--new-key FILE"):
        read_key(tmp_path / "none")
    with pytest.raises(vf.SourceError, match="cannot be read"):
        read_key(tmp_path)
    with pytest.raises(vf.ProtectionError, match="no variable"):
        read_key("env:VPCFLOW_NO_SUCH_KEY")
    monkeypatch.setenv("VPCFLOW_TEST_KEY", KEY.hex())
    assert read_key("env:VPCFLOW_TEST_KEY") == KEY
    new_key(tmp_path / "new")
    with pytest.raises(vf.OutputError, match="it is there already"):
        new_key(tmp_path / "new")
    os.symlink(tmp_path / "elsewhere", tmp_path / "link")
    with pytest.raises(vf.OutputError):
        new_key(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_outputs_that_cannot_be(tmp_path):
    log = tmp_path / "logs" / "a.log"
    log.parent.mkdir()
    log.write_bytes(HEADER + line())
    os.symlink(log, tmp_path / "link.log")
    os.link(log, tmp_path / "hard.log")
    for out in (log, tmp_path / "link.log", tmp_path / "hard.log"):
        with pytest.raises(vf.OutputError, match="it is read as well"):
            vf.anonymise(vf.scan(log), out, KEY)
    assert log.read_bytes() == HEADER + line()
    with pytest.raises(vf.OutputError, match=r"leave \.gz out"):
        vf.anonymise(vf.scan(log), tmp_path / "a.parquet.gz", KEY)
    with pytest.raises(vf.OutputError, match=r"\.zst is not written; allowed are \.log"):
        vf.anonymise(vf.scan(log), tmp_path / "a.log.zst", KEY)
    with pytest.raises(vf.PlanError, match="it takes records"):
        vf.anonymise(vf.scan(log).group_by("srcaddr").agg(n=vf.count()), tmp_path / "b.log", KEY)
    with pytest.raises(vf.PlanError, match="no field of flow logs"):
        vf.anonymise(vf.scan(log).located(), tmp_path / "b.log", KEY)
    with pytest.raises(vf.NoRecordsError):
        vf.anonymise(vf.scan(b"nothing here\n", format="default"), tmp_path / "b.log", KEY)
    assert not (tmp_path / "b.log").exists()


def test_of_damaged_sources_what_was_read_is_written(tmp_path):
    packed = gzip.compress(HEADER + line() * 50_000)[:-200]
    with pytest.raises(vf.DataLossError) as error:
        vf.anonymise(vf.scan(packed), tmp_path / "a.log", KEY)
    assert error.value.partial.records == vf.scan(tmp_path / "a.log").count() > 0
