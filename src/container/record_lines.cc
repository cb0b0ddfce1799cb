#include "src/container/record_lines.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "vpcflow/container/container.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kExcerpt = 300;
constexpr size_t kMaxName = 128;  // of a field in a header; longer ones are cut, and not remembered

// Bytes that would end a value: 1 for control bytes, 2 for the blank, which only texts have within.
constexpr std::array<unsigned char, 256> kEnding = [] {
  std::array<unsigned char, 256> out{};
  for (size_t c = 0; c < 0x20; ++c) out[c] = 1;
  out[0x7F] = 1;
  out[' '] = 2;
  return out;
}();

void AppendEncoded(std::string_view value, bool text, std::string* out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  const unsigned char ending = text ? 3 : 1;
  unsigned char any = 0;
  for (const char c : value) any |= kEnding[static_cast<unsigned char>(c)];
  if ((any & ending) == 0) {
    out->append(value);
    return;
  }
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((kEnding[byte] & ending) != 0) {
      *out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      *out += c;
    }
  }
}

// A name that a header line can hold.
std::string HeaderName(std::string_view name) {
  std::string out;
  for (const char c : name.substr(0, kMaxName)) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    out += fine ? FoldName(c) : '-';
  }
  if (out.empty() || !((out[0] >= 'a' && out[0] <= 'z'))) out = "x-" + out.substr(0, kMaxName - 2);
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
  if (std::exchange(among_objects_, false)) Mark(kMessagesMark);
  out_.append(text);
  // A line end inside would make two records of one; as another control byte it makes the line a reject. All are
  // written, changed or not, as that makes it a loop over vectors.
  char* const copy = out_.data() + (out_.size() - text.size());
  for (size_t i = 0, n = text.size(); i < n; ++i) {
    const char c = copy[i];
    copy[i] = c == '\n' || IsMark(c) ? '\x1B' : c;
  }
  out_ += '\n';
  ++line_count_;
}

void RecordLines::Mark(char mark) {
  (out_ += mark) += '\n';
  ++line_count_;
}

void RecordLines::NoRecord(std::string_view excerpt) {
  out_ += kNoRecordMark;
  AppendEncoded(excerpt.substr(0, kExcerpt), false, &out_);
  out_ += '\n';
  ++line_count_;
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
  position_ = 0;
}

size_t RecordLines::ColumnOf(std::string_view name) {
  const size_t position = position_++;
  if (position < in_order_.size() && in_order_[position].first == name) return in_order_[position].second;
  const size_t column = FindColumn(name);
  if (column == columns_.size() || name.size() > kMaxName) return column;
  if (position < in_order_.size()) {
    in_order_[position] = {std::string(name), column};
  } else if (position == in_order_.size() && position < Format::kMaxColumns) {
    in_order_.emplace_back(name, column);
  }
  return column;
}

size_t RecordLines::FindColumn(std::string_view name) {
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
    columns_.push_back({field, IsText(field), IsTelling(field), {}, false});
  }
  if (by_name_.size() < 4 * Format::kMaxColumns && name.size() <= kMaxName) by_name_.emplace(name, column);
  return column;
}

void RecordLines::ForgetNames() {
  by_name_.clear();
  in_order_.clear();
}

void RecordLines::Add(std::string_view name, std::string_view value) {
  const size_t at = ColumnOf(name);
  if (at == columns_.size()) return;
  Column& column = columns_[at];
  twice_ |= column.set;
  column.set = true;
  column.value.assign(value);
  any_telling_ |= column.telling;
}

bool RecordLines::End() {
  if (twice_ || too_many_ || !any_telling_) {
    columns_.resize(in_header_);  // its fields are not those of records
    ForgetNames();
    return false;
  }
  if (!std::exchange(among_objects_, true)) Mark(kObjectsMark);
  if (columns_.size() > in_header_) {
    // Known fields first: a header line is one because it begins with one.
    std::vector<std::string> names;
    std::stable_partition(columns_.begin(), columns_.end(),
                          [](const Column& c) { return FindField(c.name).has_value(); });
    ForgetNames();
    for (const Column& column : columns_) names.push_back(column.name);
    Header(names);
    in_header_ = columns_.size();
  }
  for (const Column& column : columns_) Value(column.set ? std::string_view(column.value) : "-", column.text);
  EndLine();
  return true;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
