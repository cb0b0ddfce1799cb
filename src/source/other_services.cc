#include "src/source/other_services.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Folders below an account, and parts of names.
constexpr std::string_view kServices[] = {
    "CloudTrail",  "CloudTrail-Digest", "CloudTrail-Insight",   "CloudTrail-Aggregated", "Config",          "GuardDuty",
    "WAFLogs",     "waflogs",           "elasticloadbalancing", "network-firewall",      "vpcdnsquerylogs", "redshift",
    "SecurityHub", "vpclattice",        "vpc-lattice",          "globalaccelerator"};
// What users call folders of their own, too.
constexpr std::string_view kCommonWords[] = {"Config", "redshift", "network-firewall", "globalaccelerator"};
constexpr std::string_view kFlowLogs = "vpcflowlogs", kServiceKey = "aws-service=";

template <size_t n>
bool IsOneOf(std::string_view text, const std::string_view (&words)[n]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

bool EndsWithAccount(std::string_view text) {
  return text.size() >= 12 &&
         std::all_of(text.end() - 12, text.end(), [](unsigned char c) { return absl::ascii_isdigit(c); });
}

// "us-east-1/"; digits and hyphens are enough to tell it from a word.
bool BeginsWithRegion(std::string_view path) {
  const std::string_view part = path.substr(0, path.find('/'));
  return std::count(part.begin(), part.end(), '-') >= 2 && absl::ascii_isdigit(static_cast<unsigned char>(part.back()));
}

// <account>_CloudTrail_<region>_..., <vpc>_vpcdnsquerylogs_<account>_..., conn_log.<account>_elasticloadbalancing_...
std::string_view ServiceOfName(std::string_view name) {
  for (size_t at = name.find('_'); at != name.npos; at = name.find('_', at + 1)) {
    const std::string_view before = name.substr(0, at), rest = name.substr(at + 1);
    if (!EndsWithAccount(before) && !before.starts_with("vpc-")) continue;
    const size_t end = rest.find('_');
    if (end == rest.npos) return {};
    const std::string_view part = rest.substr(0, end);
    if (part == kFlowLogs) return {};
    if (IsOneOf(part, kServices)) return part;
  }
  return {};
}

// aws/<source>/<version>/region=..., as Security Lake has it: the source, if it is none of flow logs.
std::string_view ServiceOfLake(std::string_view path) {
  for (size_t at = path.find("aws/"); at != path.npos; at = path.find("aws/", at + 1)) {
    if (at > 0 && path[at - 1] != '/') continue;
    const std::string_view source = path.substr(at + 4, path.find('/', at + 4) - at - 4);
    const size_t version = at + 4 + source.size() + 1;
    if (version >= path.size() || !absl::ascii_isdigit(static_cast<unsigned char>(path[version]))) continue;
    const size_t end = path.find('/', version);
    if (end == path.npos || !IsSameWord(path.substr(end + 1, 7), "region=")) continue;
    return IsSameWord(source, "vpc_flow") ? std::string_view() : source;
  }
  return {};
}

}  // namespace

std::string_view OtherService(std::string_view path, size_t from) {
  const size_t slash = path.rfind('/');
  const std::string_view name = path.substr(slash == path.npos ? 0 : slash + 1);
  if (const std::string_view service = ServiceOfName(name); !service.empty()) return service;
  if (const std::string_view service = ServiceOfLake(path); !service.empty()) return service;
  std::string_view found, before;
  for (size_t at = 0, end; (end = path.find('/', at)) != path.npos; at = end + 1) {
    std::string_view part = path.substr(at, end - at);
    bool is_service = at >= from && part.starts_with(kServiceKey);
    if (is_service) part.remove_prefix(kServiceKey.size());
    if (!is_service && IsOneOf(part, kServices)) {
      is_service = (before.size() == 12 && EndsWithAccount(before)) || BeginsWithRegion(path.substr(end + 1)) ||
                   (at >= from && !IsOneOf(part, kCommonWords));
    }
    if (part == kFlowLogs) return {};
    if (is_service) found = part;
    before = path.substr(at, end - at);
  }
  return found;
}

bool IsSameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return absl::ascii_tolower(static_cast<unsigned char>(x)) == absl::ascii_tolower(static_cast<unsigned char>(y));
  });
}

bool IsManifestName(std::string_view name) {
  constexpr std::string_view kNames[] = {"manifest.json",     "labels.json", "manifest",
                                         "manifest.checksum", "_SUCCESS",    "_metadata",
                                         "_common_metadata",  "_delta_log",  "aws-logs-write-test",
                                         "_temporary",        "desktop.ini", "Thumbs.db"};
  constexpr std::string_view kEndings[] = {".crc", ".md5", ".sha1",     ".sha256",   ".sha512",
                                           ".sig", ".asc", ".manifest", ".checksum", ".metadata"};
  return IsOneOf(name, kNames) || name.starts_with("_committed_") || name.starts_with("_started_") ||
         std::any_of(std::begin(kEndings), std::end(kEndings), [&](std::string_view e) { return name.ends_with(e); });
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
