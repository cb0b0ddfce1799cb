// Fuzz target of the detectors: any sessions, in any parts.
#include <string>
#include <utility>

#include "fuzz/targets.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow_fuzz {
namespace {

using namespace vpcflow;

constexpr size_t kBytes = 10;  // of a session

// Sessions between a few hosts, out of bytes; those whose number is `part` modulo `parts`.
Table SessionsOf(std::string_view bytes, size_t part, size_t parts) {
  Table out;
  const auto column = [&](const char* name, ColumnType type) {
    out.columns.emplace_back();
    out.columns.back().name = name;
    out.columns.back().type = type;
  };
  for (const char* name : {"client", "server"}) {
    column(name, ColumnType::kAddress);
    for (uint32_t i = 0; i < 8; ++i) {
      out.columns.back().addresses.push_back(Ip::V4(0x0A000001u + i * 10));  // inside
      out.columns.back().addresses.push_back(i % 2 == 0 ? Ip::V4(0xC6336401u + i) : Ip{0x20010DB800000000u, i});
    }
  }
  for (const char* name : {"server_port", "protocol", "server_flags"}) column(name, ColumnType::kInt32);
  for (const char* name : {"start", "end"}) column(name, ColumnType::kTime);
  for (const char* name : {"client_bytes", "server_bytes", "client_packets"}) column(name, ColumnType::kInt64);
  column("state", ColumnType::kText);
  out.columns.back().texts = {"established", "rejected", "unanswered", "reset", "half", "one-way"};
  for (const char* name : {"counted", "client_known", "answered"}) column(name, ColumnType::kBool);
  column("client_port", ColumnType::kInt32);
  column("server_packets", ColumnType::kInt64);
  constexpr int32_t kPorts[] = {22, 53, 80, 123, 443, 445, 3306, 3389, 6667, 60'000, 1, 2, 3, 4, kNullInt32, 65'535};
  constexpr int32_t kProtocols[] = {6, 6, 17, 1, 58, kNullInt32, 6, 255};
  for (size_t at = part * kBytes; at + kBytes <= bytes.size(); at += parts * kBytes) {
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(bytes[at + i]); };
    const auto number = [&](size_t i) { return int64_t{byte(i) & 15} << (byte(i) >> 4) * 3; };  // up to 2^49
    const int64_t start = int64_t{byte(6)} * 20 * kMicrosPerSecond;
    out.columns[0].i32.push_back(byte(0) & 15);
    out.columns[1].i32.push_back(byte(1) & 15);
    out.columns[2].i32.push_back(kPorts[byte(2) & 15]);
    out.columns[3].i32.push_back(kProtocols[byte(3) & 7]);
    out.columns[4].i32.push_back(byte(4) & 31);
    out.columns[5].i64.push_back(start);
    out.columns[6].i64.push_back(start + int64_t{byte(7)} * kMicrosPerSecond);
    out.columns[7].i64.push_back(number(8));
    out.columns[8].i64.push_back(number(9));
    out.columns[9].i64.push_back(byte(0) >> 4);
    out.columns[10].i32.push_back(byte(5) % 6);
    out.columns[11].i32.push_back((byte(5) & 0xF0) == 0xF0 ? 0 : 1);
    out.columns[12].i32.push_back((byte(1) & 0x10) == 0 ? 1 : 0);
    out.columns[13].i32.push_back((byte(1) & 0x60) == 0x60 ? kNullInt32 : (byte(1) & 0x20) != 0 ? 1 : 0);
    out.columns[14].i32.push_back(kPorts[byte(1) >> 4]);
    out.columns[15].i64.push_back(byte(3) >> 4);
    ++out.rows;
  }
  return out;
}

Table PastOf(std::string_view bytes) {
  Table sessions = SessionsOf(bytes, 0, 3), out;
  for (const auto& [from, name] : {std::pair{0, "srcaddr"}, {1, "dstaddr"}, {2, "dstport"}, {3, "protocol"}}) {
    out.columns.push_back(std::move(sessions.columns[static_cast<size_t>(from)]));
    out.columns.back().name = name;
  }
  out.rows = sessions.rows;
  return out;
}

DetectSettings Low() {
  DetectSettings out;
  for (const char* name : {"access_tries", "scan_ports", "scan_hosts", "brute_sessions", "beacon_sessions"})
    out.Set(name, 3);
  for (const char* name : {"lateral_hosts", "found_failed", "flood_sources"}) out.Set(name, 2);
  for (const char* name : {"exfil_bytes", "tunnel_bytes", "tunnel_icmp"}) out.Set(name, 1000);
  for (const char* name : {"exfil_ratio", "exfil_typical", "new_chance"}) out.Set(name, 1);
  out.Set("flood_packets", 20).Set("walk_outside", true).Set("bad", Prefixes{"198.51.100.0/30", "10.0.0.11"});
  const auto countries = std::make_shared<Labels>();
  Cidr cidr;
  if (ParseCidr("198.51.100.0/29", &cidr)) countries->AddPrefix(cidr, "AQ");
  countries->Freeze();
  return out.Set("geo", AddressLabels{countries, {}, false});
}

std::string ToldBy(Detection* detection) {
  std::string out;
  for (const DetectorInfo* detector : Detectors()) {
    for (const Finding& f : detection->Find(*detector)) {
      VPCFLOW_FUZZ_CHECK(f.detector == detector->name);
      VPCFLOW_FUZZ_CHECK(f.score >= 0 && f.score <= 1 && f.start <= f.end && f.targets.size() <= 20);
      out += std::to_string(static_cast<int>(f.severity)) + " " + std::to_string(f.score) + " " + f.sentence;
      for (const Ip& target : f.targets) out += " " + ToString(target);
      for (const auto& [name, value] : f.evidence) {
        out += std::string(" ") + std::string(name);
        if (const auto* n = std::get_if<int64_t>(&value)) out += " " + std::to_string(*n);
      }
      out += "\n";
    }
  }
  return out;
}

// Detectors find the same in sessions that come at once, in parts, and in two detections that are merged.
void Detections(std::string_view bytes) {
  static const DetectSettings settings = Low();
  Detection whole = *Detection::Make(settings), parts = *Detection::Make(settings), other = *Detection::Make(settings);
  bool ok = whole.Add(SessionsOf(bytes, 0, 1)).ok() && whole.AddBaseline(PastOf(bytes)).ok();
  ok = ok && other.Add(SessionsOf(bytes, 2, 3)).ok() && other.AddBaseline(PastOf(bytes)).ok();
  ok = ok && parts.Add(SessionsOf(bytes, 1, 3)).ok() && parts.Add(SessionsOf(bytes, 0, 3)).ok();
  VPCFLOW_FUZZ_CHECK(ok && parts.Merge(other).ok());
  VPCFLOW_FUZZ_CHECK(parts.sessions() == whole.sessions());
  VPCFLOW_FUZZ_CHECK(ToldBy(&parts) == ToldBy(&whole));
}

std::vector<std::string> DetectionSeeds() {
  std::string scan, calls;
  for (char i = 0; i < 14; ++i) {
    scan += std::string{0x11, 0, i, 0, 0, 1, i, 1, 0x31, 0};
    calls += std::string{0x50, 1, 4, 0, 18, 0, static_cast<char>(i * 3), 1, 0x31, 0x32};
  }
  return {scan, calls, scan + calls, std::string(200, '\x42')};
}

}  // namespace

std::vector<Target> DetectTargets() { return {{"detections", Detections, DetectionSeeds}}; }

}  // namespace vpcflow_fuzz
