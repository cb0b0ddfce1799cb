// Names of protocol numbers and ports: those of IANA's registries, and those that people and tools write. The one table
// from which filters, labels and summaries take them.
//
// Example:
//   for (const vpcflow::NumberName& known : vpcflow::kPorts)
//     if (known.number == 445) std::cout << known.registered << ' ' << UsualName(known);  // microsoft-ds smb
//   vpcflow::FindProtocol("TCP");  // 6
#ifndef VPCFLOW_FORMAT_IANA_H_
#define VPCFLOW_FORMAT_IANA_H_

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
// A number and its names.
struct NumberName {
  int number;
  std::string_view registered;  // IANA's name; of a port that has none, what its servers are called, or ""
  std::string_view written;     // the names that people and tools write, the usual one first; "" if as registered
};

// Assigned Internet Protocol Numbers, those that flow logs show. A protocol without written names is known by its
// number alone: "IPv4" and "RDP" in a log mean something else. Among equal names the first counts: "ipip" is 4, as
// Linux has it, and not 94, as IANA has it.
inline constexpr NumberName kProtocols[] = {
    {0, "HOPOPT", ""},       {1, "ICMP", "ICMP"},
    {2, "IGMP", "IGMP"},     {4, "IPv4", "IPIP"},
    {6, "TCP", "TCP"},       {8, "EGP", ""},
    {9, "IGP", ""},          {17, "UDP", "UDP"},
    {27, "RDP", ""},         {33, "DCCP", ""},
    {41, "IPv6", ""},        {46, "RSVP", ""},
    {47, "GRE", "GRE"},      {50, "ESP", "ESP"},
    {51, "AH", "AH"},        {58, "IPv6-ICMP", "ICMPv6,IPv6-ICMP"},
    {59, "IPv6-NoNxt", ""},  {88, "EIGRP", "EIGRP"},
    {89, "OSPF", "OSPF"},    {94, "IPIP", ""},
    {103, "PIM", "PIM"},     {108, "IPComp", ""},
    {112, "VRRP", "VRRP"},   {115, "L2TP", "L2TP"},
    {132, "SCTP", "SCTP"},   {136, "UDPLite", "UDPLite"},
    {137, "MPLS-in-IP", ""},
};

// Service Name and Transport Protocol Port Number Registry, and what servers use without being there. A port without
// written names has its registered one.
inline constexpr NumberName kPorts[] = {
    {7, "echo", ""},
    {20, "ftp-data", ""},
    {21, "ftp", ""},
    {22, "ssh", "ssh,sftp"},
    {23, "telnet", ""},
    {25, "smtp", ""},
    {37, "time", ""},
    {43, "whois", ""},
    {49, "tacacs", ""},
    {53, "domain", "dns"},
    {67, "bootps", "dhcp"},
    {68, "bootpc", ""},
    {69, "tftp", ""},
    {79, "finger", ""},
    {80, "http", "http,www"},
    {81, "", "http"},
    {88, "kerberos", ""},
    {110, "pop3", ""},
    {111, "sunrpc", ""},
    {113, "ident", ""},
    {119, "nntp", ""},
    {123, "ntp", ""},
    {135, "epmap", ""},
    {137, "netbios-ns", ""},
    {138, "netbios-dgm", ""},
    {139, "netbios-ssn", "netbios"},
    {143, "imap", ""},
    {161, "snmp", ""},
    {162, "snmptrap", ""},
    {179, "bgp", ""},
    {194, "irc", ""},
    {389, "ldap", ""},
    {443, "https", "https,tls"},
    {445, "microsoft-ds", "smb"},
    {464, "kpasswd", ""},
    {465, "submissions", ""},
    {500, "isakmp", ""},
    {502, "modbus", ""},
    {512, "exec", ""},
    {513, "login", ""},
    {514, "shell", "syslog"},
    {515, "printer", ""},
    {520, "router", ""},
    {543, "klogin", ""},
    {548, "afpovertcp", ""},
    {554, "rtsp", ""},
    {587, "submission", ""},
    {593, "http-rpc-epmap", ""},
    {623, "asf-rmcp", ""},
    {631, "ipp", ""},
    {636, "ldaps", ""},
    {853, "domain-s", ""},
    {873, "rsync", ""},
    {902, "ideafarm-door", ""},
    {989, "ftps-data", ""},
    {990, "ftps", ""},
    {993, "imaps", ""},
    {995, "pop3s", ""},
    {1080, "socks", ""},
    {1194, "openvpn", ""},
    {1433, "ms-sql-s", "mssql"},
    {1434, "ms-sql-m", ""},
    {1521, "oracle", ""},
    {1701, "l2tp", ""},
    {1723, "pptp", ""},
    {1812, "radius", ""},
    {1883, "mqtt", ""},
    {1900, "ssdp", ""},
    {2049, "nfs", ""},
    {2181, "zookeeper", ""},
    {2323, "", "telnet"},
    {2375, "docker", ""},
    {2376, "docker-s", ""},
    {2379, "etcd-client", ""},
    {2380, "etcd-server", ""},
    {3128, "squid", ""},
    {3260, "iscsi-target", ""},
    {3268, "msft-gc", ""},
    {3269, "msft-gc-ssl", ""},
    {3306, "mysql", ""},
    {3389, "ms-wbt-server", "rdp"},
    {3478, "stun", ""},
    {4317, "otlp", ""},
    {4500, "ipsec-nat-t", ""},
    {5044, "beats", ""},
    {5060, "sip", ""},
    {5061, "sips", ""},
    {5353, "mdns", ""},
    {5432, "postgresql", "postgres"},
    {5439, "redshift", ""},
    {5601, "kibana", ""},
    {5671, "amqps", ""},
    {5672, "amqp", ""},
    {5900, "rfb", "vnc"},
    {5985, "wsman", "winrm"},
    {5986, "wsmans", ""},
    {6379, "redis", ""},
    {6443, "kubernetes-api", ""},
    {6667, "ircu", ""},
    {8080, "http-alt", "http"},
    {8125, "statsd", ""},
    {8200, "vault", ""},
    {8300, "consul", ""},
    {8443, "pcsync-https", ""},
    {8500, "consul-http", ""},
    {8728, "", "mikrotik"},
    {8883, "secure-mqtt", ""},
    {9042, "cassandra", ""},
    {9090, "prometheus", ""},
    {9092, "kafka", ""},
    {9094, "kafka-tls", ""},
    {9096, "kafka-sasl", ""},
    {9098, "kafka-iam", ""},
    {9100, "node-exporter", ""},
    {9200, "elasticsearch", "elastic"},
    {9300, "elasticsearch-nodes", ""},
    {9418, "git", ""},
    {10250, "kubelet", ""},
    {11211, "memcache", "memcached"},
    {15672, "rabbitmq-http", ""},
    {27017, "mongodb", ""},
};

// Returns the name that people use most.
constexpr std::string_view UsualName(const NumberName& known) {
  return known.written.empty() ? known.registered : known.written.substr(0, known.written.find(','));
}

// Tells whether two names are equal but for the case of ASCII letters.
constexpr bool SameName(std::string_view a, std::string_view b) {
  constexpr auto kLower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return kLower(x) == kLower(y); });
}

// Tells whether a name is among the written ones of a number, in any case.
constexpr bool IsWritten(const NumberName& known, std::string_view name) {
  for (std::string_view rest = known.written; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (SameName(rest.substr(0, comma), name)) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

// Returns the number of a protocol name in any case, or nothing.
constexpr std::optional<int> FindProtocol(std::string_view name) {
  for (const NumberName& known : kProtocols) {
    if (IsWritten(known, name)) return known.number;
  }
  return std::nullopt;
}

// Returns the lowest port of a name in any case, or nothing.
constexpr std::optional<int> FindPort(std::string_view name) {
  for (const NumberName& known : kPorts) {
    if (SameName(known.registered, name) || IsWritten(known, name)) return known.number;
  }
  return std::nullopt;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FORMAT_IANA_H_
