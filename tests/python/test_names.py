"""One table of port and protocol names: labels, summaries and filters agree."""

import pytest

import vpcflow as vf
from vpcflow import _core
from vpcflow.analyze import summarize

HEADER = b"srcaddr dstaddr dstport protocol packets bytes start end action log-status\n"


def summary_of(port, protocol):
    line = f"10.0.0.1 10.0.0.2 {port} {protocol} 1 40 0 60 REJECT OK\n".encode()
    page = summarize(vf.scan(HEADER + line)).text()
    (row,) = [line for line in page.splitlines() if line.startswith(f"  {port} ")]
    return row.split()[1:3]


def test_the_tables_are_in_order():
    for names in (_core.port_names(), _core.protocol_names()):
        numbers = [number for number, _, _ in names]
        assert numbers == sorted(set(numbers))
        assert all(usual for _, _, usual in names)


def test_labels_have_the_registered_names():
    ports = b"dstport\n" + b"".join(b"%d\n" % number for number, _, _ in _core.port_names())
    rows = vf.scan(ports).label("name", "dstport", vf.labels.services()).select("dstport", "name").collect().rows()
    assert [(row["dstport"], row["name"] or "") for row in rows] == [(number, name) for number, name, _ in _core.port_names()]
    protocols = b"protocol\n" + b"".join(b"%d\n" % number for number, _, _ in _core.protocol_names())
    rows = vf.scan(protocols).label("name", "protocol", vf.labels.protocols()).select("protocol", "name").collect().rows()
    assert [(row["protocol"], row["name"]) for row in rows] == [(n, name) for n, name, _ in _core.protocol_names()]


def test_filters_know_the_names_of_labels_and_summaries():
    by_name = {}
    for number, registered, usual in _core.port_names():
        for name in filter(None, (registered, usual)):
            by_name.setdefault(name, number)
    for name, number in by_name.items():
        with pytest.raises(vf.FilterError, match=f"did you mean {number}\\?"):
            vf.scan(b"dstport\n1\n").filter(vf.col("dstport") == name.upper()).collect()


def test_filters_and_logs_take_names_of_protocols_that_mean_nothing_else():
    taken = {}
    for number, registered, usual in _core.protocol_names():
        log = f"srcaddr protocol\n10.0.0.1 {number}\n".encode()
        try:
            taken[number] = vf.scan(log).filter(vf.col("protocol") == usual.lower()).agg(n=vf.count()).collect()["n"]
        except vf.FilterError:
            assert usual == registered  # it has no name that is written
    # IPIP is 4 as Linux has it, 94 as IANA has it: the first counts.
    assert taken.pop(94) == [0]
    assert set(taken) >= {1, 2, 4, 6, 17, 47, 50, 51, 58, 132}
    assert set(map(tuple, taken.values())) == {(1,)}
    assert not {0, 27, 41} & set(taken)  # HOPOPT, RDP, IPv6


def test_summaries_show_the_usual_names():
    assert summary_of(445, 6) == ["smb", "TCP"]
    assert summary_of(53, 17) == ["dns", "UDP"]
    assert summary_of(5900, 6) == ["vnc", "TCP"]
    assert summary_of(2323, 58) == ["telnet", "ICMPv6"]
    for number, _, usual in _core.port_names()[::7]:
        assert summary_of(number, 6)[0] == usual
