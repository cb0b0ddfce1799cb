"""IANA's names of protocols and ports."""

from __future__ import annotations

from .prefixes import Labels

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


def services() -> Labels:
    """IANA's names of well-known ports, and of some that servers use without being registered. For port fields; a name
    says what a port is meant for, not what runs there."""
    out = Labels("ports")
    for port, name in _SERVICES.items():
        out._core.add_number(port, name)
    return out.done()


def protocols() -> Labels:
    """IANA's names of protocol numbers. For the field ``protocol``."""
    out = Labels("protocols")
    for number, name in _PROTOCOLS.items():
        out._core.add_number(number, name)
    return out.done()
