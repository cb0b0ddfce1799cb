"""Findings in a day of an office: what their sentences say is in the evidence, and addresses do not matter."""

import collections
import ipaddress
import itertools
import json
import re
from pathlib import Path

import pytest

import vpcflow as vf
from conftest import LONG
from vpcflow import _core

LARGE = {"dns_tunnel", "exfil_dns", "slow_http", "mining_pods"}  # attacks of very many records
LOOK_ALIKES = ["nightly_backup", "public_sftp", "integration_tests", "ci_runners", "internet_scanners", "multicast"]
SMALL = {"interfaces": 60, "hours": 24, "peers": 3000, "noise_sources": 1000, "records": 150_000}


@pytest.fixture(scope="module", params=[(1, "v5"), (2, "default")], ids=["v5", "v2"])
def day(request):
    seed, fmt = request.param
    attacks = [plant for world, plant, benign, _ in _core.plants() if world == "office" and not benign and plant not in LARGE]
    return vf.synth(world="office", seed=seed, plant=[*attacks, *LOOK_ALIKES], format=fmt, **SMALL).data


@pytest.fixture(scope="module")
def findings(day):
    own = vf.detect(vf.scan(day), samples=0)
    assert len({f.detector for f in own}) >= 9
    return own


def numbers(value):
    """The numbers of a piece of evidence."""
    if isinstance(value, (list, tuple)):
        return [len(value), *itertools.chain(*map(numbers, value))]
    return [value] if isinstance(value, (int, float)) and not isinstance(value, bool) else []


def is_said(text, evidence):
    """Whether a number of a sentence is a number of the evidence, perhaps in another unit, as exactly as it is said."""
    number, digits = float(text.replace(",", "")), len(text.partition(".")[2])
    units = (1, 60, 3600, 1e6, 1e9)
    return any(abs(n / unit - number) <= 0.5 * 10**-digits + 1e-9 for n in evidence for unit in units)


TIMES = re.compile(r", \d{4}-\d\d-\d\d \d\d:\d\d:\d\d to \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$")
WORDS = re.compile(r"(?<![\w.,:])(\d[\d,]*(?:\.\d+)?) ([a-z]+(?: [a-z]+)?)")
COUNTED = ["session", "time", "port", "host", "source", "server", "packet", "try", "service", "minute", "day", "hour"]


def test_numbers_of_sentences_are_in_the_evidence(findings):
    for f in findings:
        assert TIMES.search(f.sentence), f.sentence
        text = TIMES.sub("", f.sentence)
        text = re.sub(r"\d{1,3}(\.\d{1,3}){3}|AWS's S3", "", text)
        said = list(itertools.chain(*(numbers(value) for value in f.evidence.values())))
        for number in re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?!\w)", text):
            assert is_said(number.rstrip(","), said), (number, f.sentence, f.evidence)


def test_plurals(findings):
    for f in findings:
        for number, words in WORDS.findall(f.sentence):
            for noun in COUNTED:
                plural = "tries" if noun == "try" else f"{noun}s"
                if number == "1":
                    assert plural not in words.split(), f.sentence
                elif noun != "port" or "port" in words.split()[:1]:
                    assert noun not in words.split(), f.sentence


def test_ports_come_with_their_protocol(findings):
    for f in findings:
        if "port" in f.sentence:
            assert "dstport" in f.evidence or "ports" in f.evidence or "answered_ports" in f.evidence or "srcport" in f.evidence, f.sentence
            assert "protocol" in f.evidence or "protocols" in f.evidence, f.sentence


S3 = Path(__file__).parents[2] / "src" / "enrich" / "aws_s3.inc"
OWN = [ipaddress.ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")]
#: Where the inside hosts move to, and the networks that are then said to be inside (the default without); by format, the
#: last one every day, all of them in `make soak`.
NETWORKS = {
    "v5": [("172.20.0.0/16", {}), ("fd12:3456::/64", {})],
    "v2": [("192.168.0.0/16", {}), ("100.100.0.0/16", {}), ("198.18.0.0/16", {"inside": ["198.18.0.0/16"]})],
}


class Move:
    """A log whose inside hosts are in another network; of IPv6 all hosts."""

    def __init__(self, data, network):
        self.to = ipaddress.ip_network(network)
        head, *rows = [row.split() for row in data.splitlines()]
        columns = [i for i, name in enumerate(head) if name.endswith((b"srcaddr", b"dstaddr"))]
        texts = sorted({row[i] for row in rows for i in columns} - {b"-"})
        addresses = {text: ipaddress.ip_address(text.decode()) for text in texts}
        own = sorted(address for address in addresses.values() if any(address in network for network in OWN))
        number = {address: i + 1 for i, address in enumerate(own)}
        new = {text: str(self._moved(address, number.get(address, 0))) for text, address in addresses.items()}
        self.new = {text.decode(): address for text, address in new.items()}
        self.back = {address: text for text, address in self.new.items()}
        written = {text: address.encode() for text, address in new.items()}
        packets, size = head.index(b"packets"), head.index(b"bytes")
        for row in rows:
            for i in columns:
                row[i] = written.get(row[i], b"-")
            if self.to.version == 6 and row[packets] != b"-":  # the header of a packet has 20 bytes more
                row[size] = b"%d" % (int(row[size]) + 20 * int(row[packets]))
        self.data = b"\n".join(map(b" ".join, [head, *rows])) + b"\n"

    def _moved(self, address, number):
        if number:
            return self.to[number]
        if self.to.version == 4 or address.version == 6:
            return address
        special = "ff02" if address.is_multicast or int(address) >> 28 == 15 else "fe80" if address.is_link_local else "2001:db8"
        return ipaddress.ip_address(f"{special}::{address}")

    def ranges(self, path):
        """AWS's list with the addresses that are S3's, where they are now."""
        networks = [ipaddress.ip_network(text) for text in re.findall(r'VPCFLOW_AWS_S3\("(.*)"\)', S3.read_text())]
        v4 = [network for network in networks if network.version == 4]
        mine = [new for old, new in self.new.items() if any(ipaddress.ip_address(old) in network for network in v4)]
        six = self.to.version == 6
        key, kind = ("ipv6_prefixes", "ipv6_prefix") if six else ("prefixes", "ip_prefix")
        path.write_text(json.dumps({"prefixes": [], key: [{kind: address, "service": "S3"} for address in mine]}))
        return str(path)


def verdicts(move, path, settings):
    """Detector, severity and actor of each finding, with the addresses of before."""
    found = vf.detect(vf.scan(move.data), samples=0, aws_ranges=move.ranges(path), **settings)
    return collections.Counter((f.detector, f.severity, move.back[f.actor]) for f in found)


def test_addresses_do_not_matter(day, tmp_path, request):
    usual = verdicts(Move(day, "10.77.0.0/16"), tmp_path / "usual.json", {})
    assert len(usual) > 30
    for network, settings in NETWORKS[request.node.callspec.id][0 if LONG else -1 :]:
        moved = verdicts(Move(day, network), tmp_path / "moved.json", settings)
        assert moved == usual, (network, moved - usual, usual - moved)
