"""Tables of labels for :meth:`vpcflow.Flows.label`: names for networks, AWS services, interfaces, ports, countries.

They are in memory and need no database: a lookup takes some tens of nanoseconds. Of prefixes the longest one wins.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union

from .. import _core
from ..errors import PlanError

Path = Union[str, "os.PathLike[str]"]

# IANA, Assigned Internet Protocol Numbers; those that flow logs show.
_PROTOCOLS = {
    0: "HOPOPT", 1: "ICMP", 2: "IGMP", 4: "IPv4", 6: "TCP", 8: "EGP", 9: "IGP", 17: "UDP", 27: "RDP", 33: "DCCP",
    41: "IPv6", 46: "RSVP", 47: "GRE", 50: "ESP", 51: "AH", 58: "IPv6-ICMP", 59: "IPv6-NoNxt", 88: "EIGRP",
    89: "OSPF", 94: "IPIP", 103: "PIM", 108: "IPComp", 112: "VRRP", 115: "L2TP", 132: "SCTP", 136: "UDPLite",
    137: "MPLS-in-IP",
}  # fmt: skip
# IANA, Service Name and Transport Protocol Port Number Registry, and what servers use without being there.
_SERVICES = {
    7: "echo", 20: "ftp-data", 21: "ftp", 22: "ssh", 23: "telnet", 25: "smtp", 37: "time", 43: "whois",
    49: "tacacs", 53: "domain", 67: "bootps", 68: "bootpc", 69: "tftp", 79: "finger", 80: "http", 88: "kerberos",
    110: "pop3", 111: "sunrpc", 113: "ident", 119: "nntp", 123: "ntp", 135: "epmap", 137: "netbios-ns",
    138: "netbios-dgm", 139: "netbios-ssn", 143: "imap", 161: "snmp", 162: "snmptrap", 179: "bgp", 194: "irc",
    389: "ldap", 443: "https", 445: "microsoft-ds", 464: "kpasswd", 465: "submissions", 500: "isakmp",
    502: "modbus", 512: "exec", 513: "login", 514: "shell", 515: "printer", 520: "router", 543: "klogin",
    548: "afpovertcp", 554: "rtsp", 587: "submission", 593: "http-rpc-epmap", 623: "asf-rmcp", 631: "ipp",
    636: "ldaps", 853: "domain-s", 873: "rsync", 902: "ideafarm-door", 989: "ftps-data", 990: "ftps", 993: "imaps",
    995: "pop3s", 1080: "socks", 1194: "openvpn", 1433: "ms-sql-s", 1434: "ms-sql-m", 1521: "oracle", 1701: "l2tp",
    1723: "pptp", 1812: "radius", 1883: "mqtt", 1900: "ssdp", 2049: "nfs", 2181: "zookeeper", 2375: "docker",
    2376: "docker-s", 2379: "etcd-client", 2380: "etcd-server", 3128: "squid", 3260: "iscsi-target",
    3268: "msft-gc", 3269: "msft-gc-ssl", 3306: "mysql", 3389: "ms-wbt-server", 3478: "stun", 4317: "otlp",
    4500: "ipsec-nat-t", 5044: "beats", 5060: "sip", 5061: "sips", 5353: "mdns", 5432: "postgresql",
    5439: "redshift", 5601: "kibana", 5671: "amqps", 5672: "amqp", 5900: "rfb", 5985: "wsman", 5986: "wsmans",
    6379: "redis", 6443: "kubernetes-api", 6667: "ircu", 8080: "http-alt", 8125: "statsd", 8200: "vault",
    8300: "consul", 8443: "pcsync-https", 8500: "consul-http", 8883: "secure-mqtt", 9042: "cassandra",
    9090: "prometheus", 9092: "kafka", 9094: "kafka-tls", 9096: "kafka-sasl", 9098: "kafka-iam",
    9100: "node-exporter", 9200: "elasticsearch", 9300: "elasticsearch-nodes", 9418: "git", 10250: "kubelet",
    11211: "memcache", 15672: "rabbitmq-http", 27017: "mongodb",
}  # fmt: skip


class Labels:
    """A table of labels; made by the functions of this module. Never changed; any number of threads may use it."""

    def __init__(self, what: str) -> None:
        self._core = _core.Labels()
        self._what = what

    def __len__(self) -> int:
        return len(self._core)

    def __repr__(self) -> str:
        return f"<Labels: {len(self):,} of {self._what}>"

    def _done(self) -> Labels:
        self._core.freeze()
        return self


def prefixes(table: Mapping[str, str] | Path) -> Labels:
    """Names for prefixes and addresses: a mapping, or a CSV file with the prefix in the first column and the label in
    the second. For address fields. :class:`~vpcflow.PlanError` names what is no prefix."""
    out = Labels("prefixes")
    if isinstance(table, Mapping):
        rows: Iterable[Sequence[str]] = list(table.items())
    else:
        with open(table, newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row and not row[0].lstrip().startswith("#")]
        if rows and "/" not in rows[0][0] and not any(c in rows[0][0] for c in ".:"):
            rows = rows[1:]  # names of columns
    for row in rows:
        if len(row) < 2:
            raise PlanError(f"labels: a row without label: {row[0]!r}")
        out._core.add_prefix(row[0].strip(), row[1].strip())
    return out._done()


def ip_ranges(path: Path, what: str = "service") -> Labels:
    """AWS's published addresses, from its ``ip-ranges.json``: ``what`` is ``"service"`` (the most particular one, as
    ``S3`` before ``AMAZON``), ``"region"`` or ``"network_border_group"``. For address fields."""
    document = _json(path)
    out = Labels("AWS prefixes")
    rows = [(p["ip_prefix"], p) for p in document.get("prefixes", [])]
    rows += [(p["ipv6_prefix"], p) for p in document.get("ipv6_prefixes", [])]
    if not rows or any(what not in p for _, p in rows):
        raise PlanError(f"labels: {os.fspath(path)} has no {what!r} of prefixes; it should be AWS's ip-ranges.json")
    # Among equal prefixes the last one wins.
    rows.sort(key=lambda row: {"AMAZON": 0, "EC2": 1}.get(row[1]["service"], 2))
    for prefix, entry in rows:
        out._core.add_prefix(str(prefix), str(entry[what]))
    return out._done()


def interfaces(
    snapshots: Path | Sequence[tuple[Path, int]], what: str = "Attachment.InstanceId", by: str = "interface-id"
) -> Labels:
    """Names for network interfaces, from ``aws ec2 describe-network-interfaces --output json``.

    ``snapshots``: one file, or several with the Unix time of each: then a record gets the label of the last snapshot
    before its start (of the first one, if it is older). ``what``: a value of an interface, as
    ``"Attachment.InstanceId"``, ``"Description"``, ``"SubnetId"``, ``"Groups.0.GroupName"``, or a tag, as
    ``"tag:Name"``. ``by``: ``"interface-id"`` for the field of that name, ``"address"`` for address fields.
    Interfaces without the value have no label.
    """
    if by not in ("interface-id", "address"):
        raise PlanError(f"labels: by={by!r}: it is 'interface-id' or 'address'")
    files = [(snapshots, 0)] if isinstance(snapshots, (str, os.PathLike)) else sorted(snapshots, key=lambda s: s[1])
    out = Labels("interfaces")
    for i, (path, time) in enumerate(files):
        since = None if i == 0 else time
        until = None if i + 1 == len(files) else files[i + 1][1]
        document = _json(path)
        if not isinstance(document.get("NetworkInterfaces"), list):
            raise PlanError(f"labels: {os.fspath(path)} has no NetworkInterfaces")
        for interface in document["NetworkInterfaces"]:
            label = _value(interface, what)
            if label is None:
                continue
            if by == "interface-id":
                out._core.add_text(interface["NetworkInterfaceId"], label, since, until)
                continue
            addresses = [a["PrivateIpAddress"] for a in interface.get("PrivateIpAddresses", [])]
            addresses += [a["Ipv6Address"] for a in interface.get("Ipv6Addresses", [])]
            for address in addresses:
                out._core.add_prefix(address, label, since, until)
    return out._done()


def mmdb(path: Path, what: str = "country.iso_code") -> Labels:
    """Countries, networks and so on, from a MaxMind DB file; ``what`` is the path of a text or number in its entries,
    as ``"country.iso_code"``, ``"autonomous_system_organization"``. For address fields. Needs ``maxminddb``. All
    networks are taken into memory: some seconds for a country database."""
    import maxminddb

    out = Labels("networks")
    with maxminddb.open_database(os.fspath(path)) as database:
        for network, entry in database:
            label = _value(entry, what)
            if label is not None:
                out._core.add_prefix(str(network), label)
    if len(out) == 0:
        raise PlanError(f"labels: {os.fspath(path)} has no {what!r}")
    return out._done()


def services() -> Labels:
    """IANA's names of well-known ports, and of some that servers use without being registered. For port fields; a name
    says what a port is meant for, not what runs there."""
    out = Labels("ports")
    for port, name in _SERVICES.items():
        out._core.add_number(port, name)
    return out._done()


def protocols() -> Labels:
    """IANA's names of protocol numbers. For the field ``protocol``."""
    out = Labels("protocols")
    for number, name in _PROTOCOLS.items():
        out._core.add_number(number, name)
    return out._done()


def _json(path: Path) -> dict[str, Any]:
    with open(path, encoding="utf-8") as file:
        try:
            document = json.load(file)
        except ValueError as error:
            raise PlanError(f"labels: {os.fspath(path)}: no JSON: {error}") from None
    if not isinstance(document, dict):
        raise PlanError(f"labels: {os.fspath(path)}: not what it should be: no object at the top")
    return document


def _value(entry: Any, path: str) -> str | None:
    if path.startswith("tag:"):
        tags = entry.get("TagSet") or entry.get("Tags") or []
        return next((str(tag["Value"]) for tag in tags if tag.get("Key") == path[4:]), None)
    for part in path.split("."):
        if isinstance(entry, list) and part.isdigit() and int(part) < len(entry):
            entry = entry[int(part)]
        elif isinstance(entry, dict):
            entry = entry.get(part)
        else:
            return None
    return str(entry) if isinstance(entry, (str, int)) and not isinstance(entry, bool) else None
