#include "src/scan/holds_records.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/format/field.h"
#include "vpcflow/format/format.h"
#include "vpcflow/scan/reader.h"
#include "vpcflow/source/decompress.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kHeadBytes = 4096;

bool IsBinary(std::string_view head) {
  return std::any_of(head.begin(), head.end(),
                     [](unsigned char c) { return c < ' ' && !absl::ascii_isspace(c) && c != 0x1E; });
}

// What stands between words in text, CSV and JSON.
bool Separates(char c) {
  return absl::ascii_isspace(static_cast<unsigned char>(c)) || c == '"' || c == ',' || c == '\\';
}

bool IsAddress(std::string_view word) {
  Ip ignored;
  return ParseIp(word, &ignored);
}

// Words of a record that follow each other, wherever they stand: two addresses, or an action and a log status.
bool HasRecordWords(std::string_view head) {
  std::string_view before;
  for (size_t at = 0; at < head.size();) {
    size_t end = at;
    while (end < head.size() && !Separates(head[end])) ++end;
    const std::string_view word = head.substr(at, end - at);
    if (!word.empty()) {
      const bool status = word == "OK" || word == "NODATA" || word == "SKIPDATA";
      if (status && (before == "ACCEPT" || before == "REJECT" || before == "-")) return true;
      if (IsAddress(word) && IsAddress(before)) return true;
      before = word;
    }
    at = end + 1;
  }
  return false;
}

// Quoted names that make a flow: both addresses, or an interface and what was counted.
bool HasFlowNames(std::string_view head) {
  std::vector<bool> has(kFieldCount);
  bool source = false, target = false;  // OCSF's
  for (size_t at = head.find('"'); at != head.npos;) {
    const size_t end = head.find('"', at + 1);
    if (end == head.npos) break;
    const std::string_view name = head.substr(at + 1, end - at - 1);
    source |= name == "src_endpoint";
    target |= name == "dst_endpoint";
    if (name.size() < 40) {
      if (const std::optional<Field> field = FindFieldOrAlias(name)) has[static_cast<size_t>(*field)] = true;
    }
    at = end;
  }
  const auto is = [&](Field field) { return has[static_cast<size_t>(field)]; };
  if ((source && target) || (is(Field::kSrcAddr) && is(Field::kDstAddr))) return true;
  return is(Field::kInterfaceId) && (is(Field::kBytes) || is(Field::kPackets) || is(Field::kLogStatus));
}

// Lines without header in a format of the user's: as many plain words in each, and an address or interface among them.
bool HasEvenLines(std::string_view head) {
  size_t width = 0, lines = 0;
  bool told = false;
  while (lines < 3) {
    const size_t end = head.find('\n');
    if (end == head.npos) break;
    size_t words = 0;
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end + 1);
    while (true) {
      line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
      if (line.empty()) break;
      const std::string_view word = line.substr(0, std::min(line.find_first_of(" \t\r"), line.size()));
      if (word.find_first_of("\"'{}[]()<>=;,|") != word.npos) return false;
      told |= IsAddress(word) || word.starts_with("eni-");
      line.remove_prefix(word.size());
      ++words;
    }
    if (words < 3 || (lines > 0 && words != width)) return false;
    width = words;
    ++lines;
  }
  return lines > 0 && told;
}

}  // namespace

bool BeginsWithRecords(std::string_view head) {
  for (const std::string_view magic : {"PAR1", "PARE", "ARROW1", "FEA1"}) {
    if (head.starts_with(magic)) return true;
  }
  if (head.empty() || IsBinary(head)) return false;
  // Base64 of gzip is what subscriptions deliver.
  if (HasRecordWords(head) || head.find("H4sI") != head.npos || HasFlowNames(head) || HasEvenLines(head)) return true;
  if (Format header; Format::ParseHeader(head.substr(0, head.find('\n')), &header) && header.size() > 2) return true;
  ScanOptions options;
  options.block_bytes = kHeadBytes;
  return Reader({Source::Bytes("", head)}, options).Next();
}

bool HoldsRecords(const Source& source) {
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenText(source, nullptr);
  if (!stream.ok()) return false;
  std::string head(kHeadBytes, '\0');
  size_t have = 0;
  while (have < head.size()) {
    const absl::StatusOr<size_t> n = (*stream)->Read(head.data() + have, head.size() - have);
    if (!n.ok() || *n == 0) break;
    have += *n;
  }
  return BeginsWithRecords(std::string_view(head).substr(0, have));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
