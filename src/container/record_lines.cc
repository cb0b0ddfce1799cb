#include "src/container/record_lines.h"

#include <algorithm>
#include <utility>

#include "vpcflow/container/container.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kExcerpt = 300;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

void AppendEncoded(std::string_view value, bool text, std::string* out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : value) {
    if (IsControl(c) || (text && c == ' ')) {
      *out += {'%', kHex[static_cast<unsigned char>(c) >> 4], kHex[c & 15]};
    } else {
      *out += c;
    }
  }
}

// A name that a header line can hold.
std::string HeaderName(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, 128)) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    out += fine ? FoldName(c) : '-';
  }
  if (out.empty() || !((out[0] >= 'a' && out[0] <= 'z'))) out = "x-" + out.substr(0, 126);
  return out;
}

bool IsText(std::string_view name) {
  const std::optional<Field> field = FindField(name);
  return !field || Info(*field).kind == Kind::kText;
}

// Whether a field of that name makes an object a flow log record: many objects have a version or a type.
bool IsTelling(std::string_view name) {
  const std::optional<Field> field = FindField(name);
  if (!field) return false;
  switch (*field) {
    case Field::kVersion:
    case Field::kAction:
    case Field::kProtocol:
    case Field::kStart:
    case Field::kEnd:
    case Field::kType:
    case Field::kRegion: return false;
    default: return true;
  }
}

}  // namespace

std::string FieldNameOf(std::string_view name) {
  if (const std::optional<Field> field = FindFieldOrAlias(name)) return std::string(Info(*field).name);
  return HeaderName(name);
}

void RecordLines::Message(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.empty()) return;
  if (std::exchange(header_holds_, false)) (out_ += kNoHeaderMark) += '\n';
  const size_t begin = out_.size();
  out_.append(text);
  // A line end inside would make two records of one; as another control byte it makes the line a reject.
  for (size_t i = begin; i < out_.size(); ++i) {
    if (out_[i] == '\n' || out_[i] == kNoRecordMark || out_[i] == kNoHeaderMark) out_[i] = '\x1B';
  }
  out_ += '\n';
}

void RecordLines::NoRecord(std::string_view excerpt) {
  out_ += kNoRecordMark;
  AppendEncoded(excerpt.substr(0, kExcerpt), false, &out_);
  out_ += '\n';
}

void RecordLines::Header(const std::vector<std::string>& names) {
  for (const std::string& name : names) (out_ += name) += ' ';
  EndLine();
}

void RecordLines::Value(std::string_view value, bool text) {
  if (value.empty()) value = "-";
  AppendEncoded(value, text, &out_);
  out_ += ' ';
}

void RecordLines::Begin() {
  for (Column& column : columns_) column.set = false;
  twice_ = too_many_ = any_telling_ = false;
}

size_t RecordLines::ColumnOf(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return found->second;
  const std::string field = FieldNameOf(name);
  const auto same = std::find_if(columns_.begin(), columns_.end(), [&](const Column& c) { return c.name == field; });
  const auto column = static_cast<size_t>(same - columns_.begin());
  if (same == columns_.end()) {
    if (columns_.size() == Format::kMaxColumns) {
      too_many_ = true;
      return columns_.size();
    }
    columns_.push_back({field, IsText(field), {}, false});
  }
  if (by_name_.size() < 4 * Format::kMaxColumns) by_name_.emplace(name, column);
  return column;
}

void RecordLines::Add(std::string_view name, std::string_view value) {
  const size_t at = ColumnOf(name);
  if (at == columns_.size()) return;
  Column& column = columns_[at];
  twice_ |= column.set;
  column.set = true;
  column.value.assign(value);
  any_telling_ |= IsTelling(column.name);
}

bool RecordLines::End() {
  if (twice_ || too_many_ || !any_telling_) {
    columns_.resize(in_header_);  // its fields are not those of records
    by_name_.clear();
    return false;
  }
  if (columns_.size() > in_header_ || !header_holds_) {
    // Known fields first: a header line is one because it begins with one.
    std::vector<std::string> names;
    std::stable_partition(columns_.begin(), columns_.end(),
                          [](const Column& c) { return FindField(c.name).has_value(); });
    by_name_.clear();
    for (const Column& column : columns_) names.push_back(column.name);
    Header(names);
    in_header_ = columns_.size();
    header_holds_ = true;
  }
  for (const Column& column : columns_) Value(column.set ? std::string_view(column.value) : "-", column.text);
  EndLine();
  return true;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
