// What a text is wrapped in, by its beginning.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/container/unwrap.h"
#include "src/source/prefixed_stream.h"
#include "vpcflow/format/field.h"
#include "vpcflow/source/gzip.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr size_t kHeadBytes = 4096;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Behind a byte order mark and blanks.
std::string_view Begun(std::string_view head) {
  if (head.starts_with(kByteOrderMark)) head.remove_prefix(kByteOrderMark.size());
  return head.substr(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
}

// "2018-09-22T20:28:14.000Z 2 ...".
bool BeginsWithTime(std::string_view line) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (line.size() < kShape.size() + 2) return false;
  for (size_t i = 0; i < kShape.size(); ++i) {
    if (kShape[i] == '0' ? !absl::ascii_isdigit(static_cast<unsigned char>(line[i])) : line[i] != kShape[i])
      return false;
  }
  const size_t blank = line.find(' ');
  return blank != std::string_view::npos && line[blank - 1] == 'Z';
}

// Base64 of gzip, whose first bytes are 1F 8B 08.
bool IsBase64OfGzip(std::string_view line) {
  return line.starts_with("H4sI") && std::all_of(line.begin(), line.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/' || c == '=';
         });
}

// Commas and no blank outside of quotes: lines of flow logs are the other way round. Or a field's name and a comma.
bool IsCsv(std::string_view line) {
  if (line.starts_with('@')) return true;  // a column of Logs Insights
  if (const size_t comma = line.find(','); comma != std::string_view::npos && FindFieldOrAlias(line.substr(0, comma)))
    return true;
  bool quoted = false;
  size_t commas = 0;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == ' ' || c == '\t') return false;
    commas += c == ',';
  }
  return commas > 0 || (line.size() > 2 && line.front() == '"' && line.back() == '"');
}

// What a gzip bomb may unpack to.
class CappedStream final : public ByteStream {
 public:
  CappedStream(std::string name, std::unique_ptr<ByteStream> stream, uint64_t most)
      : name_(std::move(name)), stream_(std::move(stream)), most_(most), left_(most) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    char beyond;
    const bool full = left_ == 0;  // whether it ends here is still to be seen
    absl::StatusOr<size_t> n = stream_->Read(full ? &beyond : buffer, full ? 1 : std::min<uint64_t>(size, left_));
    if (n.ok() && full && *n > 0)
      return absl::OutOfRangeError(
          absl::StrCat(name_, ": unpacks to more than max_output_bytes, ", most_, "; the rest of it was not read"));
    if (n.ok()) left_ -= *n;
    return n;
  }

 private:
  std::string name_;
  std::unique_ptr<ByteStream> stream_;
  uint64_t most_;
  uint64_t left_;
};

}  // namespace

std::optional<Container> FindContainer(std::string_view name) {
  for (size_t i = 0; i < kContainers.size(); ++i) {
    if (kContainers[i].name == name) return static_cast<Container>(i);
  }
  return std::nullopt;
}

Container DetectContainer(std::string_view head) {
  head = Begun(head);
  if (head.empty()) return Container::kText;
  std::string_view line = head.substr(0, head.find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (head[0] == '{' || head[0] == '[') return Container::kJson;
  if (BeginsWithTime(line)) return Container::kExport;
  if (IsBase64OfGzip(line)) return Container::kSubscription;
  return IsCsv(line) ? Container::kCsv : Container::kText;
}

absl::StatusOr<OpenedRecords> OpenRecords(const Source& source, Container wanted, Source::Cancelled cancelled,
                                          std::atomic<uint64_t>* stored_bytes, uint64_t max_output_bytes,
                                          std::unique_ptr<ByteStream> opened) {
  OpenedRecords out;
  absl::StatusOr<std::unique_ptr<ByteStream>> text =
      OpenText(source, std::move(cancelled), &out.packed, stored_bytes, std::move(opened));
  if (!text.ok()) return text.status();
  out.stream = *std::move(text);
  if (out.packed && max_output_bytes > 0)
    out.stream = std::make_unique<CappedStream>(source.name(), std::move(out.stream), max_output_bytes);
  out.container = wanted;
  if (wanted != Container::kText) {
    std::string head(kHeadBytes, '\0');
    size_t have = 0;
    absl::Status error;
    // Its first line that is not blank tells.
    while (have < head.size() && Begun(std::string_view(head).substr(0, have)).find('\n') == std::string_view::npos) {
      absl::StatusOr<size_t> n = out.stream->Read(head.data() + have, head.size() - have);
      if (!n.ok()) error = n.status();
      if (!n.ok() || *n == 0) break;
      have += *n;
    }
    head.resize(have);
    if (wanted == Container::kAuto) out.container = DetectContainer(head);
    if (out.container != Container::kText && head.starts_with(kByteOrderMark)) head.erase(0, kByteOrderMark.size());
    out.stream =
        std::make_unique<internal::PrefixedStream>(std::move(head), std::move(out.stream), nullptr, std::move(error));
  }
  out.stream = internal::Unwrap(out.container, source.name(), std::move(out.stream), &out.origins);
  return out;
}

VPCFLOW_NAMESPACE_END
