"""Labels: columns that are looked up, against the obvious way."""

import ipaddress
import json
import random

import pytest

import vpcflow as vf
from vpcflow import labels

DATA = vf.synth(5_000, seed=21, format="v5", peers=300, noise_sources=300, ipv6_share=0.2, interfaces=20).data


def longest(table, address):
    """The obvious way: all prefixes that hold an address; the longest wins, of equal ones the last."""
    ip = ipaddress.ip_address(address)
    hits = [(network.prefixlen, i, label) for i, (network, label) in enumerate(table) if ip in network]
    return max(hits)[2] if hits else None


def test_random_prefixes_against_the_obvious_way(tmp_path):
    dice = random.Random(1)
    table = [("10.0.0.0/8", "inside"), ("0.0.0.0/0", "all of four"), ("::/0", "all of six")]
    for _ in range(300):
        base = ".".join(str(dice.choice((10, 172, dice.randrange(256)))) for _ in range(4))
        network = ipaddress.ip_network(f"{base}/{dice.randint(1, 32)}", strict=False)
        table.append((str(network), f"label {dice.randrange(40)}"))
    for _ in range(60):
        network = ipaddress.ip_network(f"2600:1f18:{dice.randrange(65536):x}::/{dice.randint(8, 64)}", strict=False)
        table.append((str(network), f"six {dice.randrange(9)}"))
    path = tmp_path / "networks.csv"
    path.write_text("network,label\n# a comment\n" + "".join(f"{p},{label}\n" for p, label in table))
    flows = vf.scan(DATA).label("net", "srcaddr", labels.prefixes(path))
    networks = [(ipaddress.ip_network(p), label) for p, label in table]
    seen = set()
    for row in flows.select("srcaddr", "net").collect():
        wanted = None if row["srcaddr"] is None else longest(networks, row["srcaddr"])
        assert row["net"] == wanted, row
        seen.add(wanted)
    assert len(seen) > 15


def test_prefixes_of_ipv6_hold_no_ipv4():
    six = labels.prefixes({"::/0": "six", "fd00::/8": "ours"})
    log = b"srcaddr\n10.0.0.1\n2001:db8::1\nfd00::1\n"
    rows = vf.scan(log).label("net", "srcaddr", six).select("srcaddr", "net").collect().rows()
    assert [row["net"] for row in rows] == [None, "six", "ours"]
    assert vf.scan(log).filter("srcaddr in ('::/0')").agg(n=vf.count()).collect().rows() == [{"n": 2}]
    assert vf.scan(log).filter("srcaddr not in ('::/0')").agg(n=vf.count()).collect().rows() == [{"n": 1}]


def test_as_fields_everywhere():
    inside = labels.prefixes({"10.0.0.0/8": "inside"})
    flows = vf.scan(DATA).label("src_net", "srcaddr", inside).label("service", "dstport", labels.services())
    rows = [r for r in flows.collect().rows() if r["log_status"] == "OK"]
    assert flows.columns[-2:] == ["src_net", "service"]
    https = [r for r in rows if r["service"] == "https" and r["src_net"] == "inside"]
    assert {r["dstport"] for r in https} == {443}
    filtered = flows.filter("service = 'https' and src_net = 'inside'").agg(n=vf.count(), u=vf.n_unique("src_net"))
    assert filtered.collect().rows() == [{"n": len(https), "u": 1}]
    grouped = flows.group_by("src_net", "service").agg(n=vf.count(where="src_net is null"), first=vf.first("service"))
    assert sum(r["n"] for r in grouped.collect()) == sum(r["src_net"] is None for r in rows)
    assert all(r["first"] == r["service"] for r in grouped.collect())
    for threads in (1, 4):
        again = vf.scan(DATA, threads=threads).label("src_net", "srcaddr", inside).group_by("src_net").agg(n=vf.count())
        assert sum(again.collect()["n"]) == len(rows)
    pa = pytest.importorskip("pyarrow")
    table = vf.scan(pa.table(vf.scan(DATA).collect())).label("src_net", "srcaddr", inside)
    assert table.group_by("src_net").agg(n=vf.count()).collect().rows() == again.collect().rows()
    state = vf.Aggregation.of(flows.group_by("service").agg(n=vf.count())).update(flows)
    assert vf.Aggregation.from_bytes(state.to_bytes()).collect().rows() == state.collect().rows()


def test_interfaces_with_validity(tmp_path):
    def snapshot(name, instances):
        path = tmp_path / name
        items = [
            {
                "NetworkInterfaceId": eni,
                "PrivateIpAddresses": [{"PrivateIpAddress": address}],
                "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}],
                "Attachment": {"InstanceId": instance} if instance else {},
                "Groups": [{"GroupName": "web"}],
                "TagSet": [{"Key": "Name", "Value": f"host {instance}"}],
            }
            for eni, address, instance in instances
        ]
        path.write_text(json.dumps({"NetworkInterfaces": items}))
        return path

    one = snapshot("one.json", [("eni-1", "10.0.0.1", "i-a"), ("eni-2", "10.0.0.2", None)])
    two = snapshot("two.json", [("eni-1", "10.0.0.1", "i-b"), ("eni-2", "10.0.0.2", "i-c")])
    log = b"interface-id srcaddr start\neni-1 10.0.0.1 50\neni-1 10.0.0.1 99\neni-1 10.0.0.1 100\neni-2 10.0.0.2 99\neni-2 2001:db8::1 101\neni-3 10.0.0.3 1\n"
    both = labels.interfaces([(two, 100), (one, 0)])
    flows = vf.scan(log).label("instance", "interface_id", both)
    assert flows.select("instance").collect()["instance"] == ["i-a", "i-a", "i-b", None, "i-c", None]
    by_address = labels.interfaces([(one, 0), (two, 100)], by="address")
    assert vf.scan(log).label("i", "srcaddr", by_address).select("i").collect()["i"] == ["i-a", "i-a", "i-b", None, "i-c", None]
    single = vf.scan(log).label("name", "interface-id", labels.interfaces(one, "tag:Name")).select("name").collect()
    assert single["name"][:4] == ["host i-a"] * 3 + ["host None"]
    group = vf.scan(log).label("group", "interface-id", labels.interfaces(one, "Groups.0.GroupName"))
    assert group.select("group").collect()["group"] == ["web"] * 5 + [None]


def test_ip_ranges(tmp_path):
    path = tmp_path / "ip-ranges.json"
    entries = [("3.5.0.0/19", "us-east-1", "S3"), ("3.5.0.0/19", "us-east-1", "AMAZON"), ("3.5.0.0/19", "us-east-1", "EC2"), ("3.0.0.0/8", "GLOBAL", "AMAZON")]
    path.write_text(
        json.dumps(
            {
                "prefixes": [{"ip_prefix": p, "region": r, "service": s} for p, r, s in entries],
                "ipv6_prefixes": [{"ipv6_prefix": "2600:1f00::/24", "region": "eu-west-1", "service": "EC2"}],
            }
        )
    )
    log = b"dstaddr\n3.5.1.1\n3.9.9.9\n2600:1f00::1\n8.8.8.8\n"
    assert vf.scan(log).label("s", "dstaddr", labels.ip_ranges(path)).select("s").collect()["s"] == ["S3", "AMAZON", "EC2", None]
    regions = vf.scan(log).label("r", "dstaddr", labels.ip_ranges(path, "region")).select("r").collect()["r"]
    assert regions == ["us-east-1", "GLOBAL", "eu-west-1", None]
    with pytest.raises(vf.PlanError, match="no 'colour'"):
        labels.ip_ranges(path, "colour")


def test_mmdb(monkeypatch):
    """The walk over a database; the reader itself is MaxMind's."""
    pytest.importorskip("maxminddb")
    import maxminddb

    class Database:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def __iter__(self):
            yield ipaddress.ip_network("81.2.69.0/24"), {"country": {"iso_code": "GB"}, "asn": 7}
            yield ipaddress.ip_network("2001:218::/32"), {"country": {"iso_code": "JP"}}
            yield ipaddress.ip_network("1.1.1.0/24"), {}

    monkeypatch.setattr(maxminddb, "open_database", lambda path: Database())
    log = b"srcaddr\n81.2.69.142\n2001:218::1\n1.1.1.1\n"
    assert vf.scan(log).label("c", "srcaddr", labels.mmdb("x.mmdb")).select("c").collect()["c"] == ["GB", "JP", None]
    assert vf.scan(log).label("c", "srcaddr", labels.mmdb("x.mmdb", "asn")).select("c").collect()["c"][0] == "7"
    with pytest.raises(vf.PlanError, match="no 'city"):
        labels.mmdb("x.mmdb", "city.name")


def test_mistakes(tmp_path):
    flows = vf.scan(b"srcaddr bytes\n10.0.0.1 3\n")
    table = labels.prefixes({"10.0.0.0/8": "x"})
    for name, field, text in (("bytes", "srcaddr", "a field's"), ("", "srcaddr", "empty"), ("net", "srcadr", "unknown field")):
        with pytest.raises(vf.VpcflowError, match=text):
            flows.label(name, field, table).group_by("bytes").agg().collect()
    with pytest.raises(vf.PlanError, match="another label's"):
        flows.label("net", "srcaddr", table).label("net", "srcaddr", table).group_by("net").agg().collect()
    with pytest.raises(vf.PlanError, match=r"did you mean 10\.0\.0\.0/8"):
        labels.prefixes({"10.1.0.0/8": "x"})
    with pytest.raises(vf.FieldError, match="did you mean 'src-net'"):
        flows.label("src_net", "srcaddr", table).group_by("src_nt").agg().collect()
    with pytest.raises(vf.FieldError, match="in none of the logs"):
        flows.label("net", "dstaddr", table).group_by("net").agg().collect()
    (tmp_path / "x.json").write_text("[]")
    for make in (labels.ip_ranges, labels.interfaces):
        with pytest.raises(vf.PlanError, match="invalid document: expected an object"):
            make(tmp_path / "x.json")
    with pytest.raises(vf.PlanError, match="by="):
        labels.interfaces(tmp_path / "x.json", by="name")
