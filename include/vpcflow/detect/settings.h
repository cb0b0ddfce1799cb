// DetectSettings: what the detectors go by. Each detector, its method and source: docs/detection.md.
//
// Example:
//   vpcflow::DetectSettings settings;
//   settings.inside = {"10.0.0.0/8"};
//   settings.scan_ports = 50;
//   absl::StatusOr<vpcflow::Detection> detection = vpcflow::Detection::Make(settings);
#ifndef VPCFLOW_DETECT_SETTINGS_H_
#define VPCFLOW_DETECT_SETTINGS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vpcflow/enrich/labels.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Prefixes are texts, as "10.0.0.0/8" or a single address; any number of them.
struct DetectSettings {
  // Your own networks: RFC 1918, RFC 6598, RFC 4193.
  std::vector<std::string> inside = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"};

  // port_scan: different ports of one host, or hosts at one port, that did not answer (Zeek's scan.zeek: 15 and 25);
  // the share of a source's tries at its target that must have failed; whether few or slow tries of outside hosts are
  // told, too (those of inside hosts always are).
  int64_t scan_ports = 25;
  int64_t scan_hosts = 25;
  double scan_failed = 0.5;
  bool walk_outside = false;

  // brute_force: sessions of one client at one service (Zeek: 30 failed logins), and their median size in bytes.
  int64_t brute_sessions = 30;
  int64_t brute_bytes = 12'000;

  // exfiltration: bytes to one outside peer, how many times what came back, how many times the source's median session;
  // outside prefixes that may get much.
  int64_t exfil_bytes = 500'000'000;
  double exfil_ratio = 5.0;
  double exfil_typical = 100.0;
  std::vector<std::string> exfil_known{};

  // beacon: sessions, and how much the time between them may vary (median deviation by median).
  int64_t beacon_sessions = 6;
  double beacon_jitter = 0.1;

  // lateral_movement: inside hosts tried at services by which one gets into another, and the share that failed.
  int64_t lateral_hosts = 10;
  double lateral_failed = 0.3;

  // unauthorised_access: outside prefixes from which administration is fine; tries of one source at one service that
  // all got no answer.
  std::vector<std::string> admin_sources{};
  int64_t access_tries = 30;

  // accepted_after_reject: ports of one host, or hosts at one port, that did not answer before one did.
  int64_t found_failed = 5;

  // flood: in a minute, sources that one port left without answer, and packets that one host got without answer.
  int64_t flood_sources = 500;
  int64_t flood_packets = 1'000'000;

  // tunnel: bytes to one outside peer over DNS or NTP, and over ICMP in packets of 200 bytes and more.
  int64_t tunnel_bytes = 10'000'000;
  int64_t tunnel_icmp = 1'000'000;

  // known_bad: addresses and prefixes; the day of that list, for the evidence.
  std::vector<std::string> bad{};
  std::string bad_date{};

  // new_port, new_protocol, new_destination: how likely by a host's past a session with something new may be at most
  // (Good and Turing): 0.01 takes a hundred sessions in which nothing came only once.
  double new_chance = 0.01;

  // new_country: labels of addresses, frozen, and their day; none without.
  std::shared_ptr<const Labels> countries{};
  bool countries_are_networks = false;  // the labels are names of networks (autonomous systems)
  std::string countries_date{};

  // Bytes that Detection may hold; 0 for any number.
  size_t max_memory = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_DETECT_SETTINGS_H_
