#include "src/container/json_shape.h"

#include <algorithm>
#include <utility>

#include "src/container/json_documents.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

// A line of JSON that simdjson took, step by step.
class Steps {
 public:
  explicit Steps(std::string_view text) : text_(text) {}
  size_t at() const { return at_; }
  bool AtEnd() {
    SkipBlanks();
    return at_ == text_.size();
  }
  bool Take(char c) {
    SkipBlanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // The inside of a string without escapes.
  std::optional<std::string_view> String() {
    if (!Take('"')) return std::nullopt;
    const size_t begin = at_, end = text_.find_first_of("\"\\", at_);
    if (end == std::string_view::npos || text_[end] == '\\') return std::nullopt;
    at_ = end + 1;
    return text_.substr(begin, end - begin);
  }
  // A string without escapes, a number or a word.
  bool Value() {
    SkipBlanks();
    if (at_ < text_.size() && text_[at_] == '"') return String().has_value();
    const size_t end = std::min(text_.find_first_of(",}{[] \t\r\n", at_), text_.size());
    return std::exchange(at_, end) != end;
  }
  void SkipBlanks() { at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size()); }

 private:
  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

JsonGlue::JsonGlue(std::string_view text) : text_(text) {
  const size_t n = std::min(text.size(), first_.size());
  std::copy_n(text.begin(), n, first_.begin());
  needed_ = n == first_.size() ? ~0u : (1u << n) - 1;
}

std::optional<JsonShape> JsonShape::Of(std::string_view line, LineKind kind, const RecordLines& lines) {
  if (kind != LineKind::kObject && kind != LineKind::kMessage) return std::nullopt;
  if (line.find('{', line.find('{') + 1) != std::string_view::npos) return std::nullopt;  // most that have none
  JsonShape shape;
  std::vector<std::string_view> names;
  std::vector<size_t> named;  // members that are names of the record
  Steps steps(line);
  size_t behind = 0;  // the value before
  if (!steps.Take('{')) return std::nullopt;
  do {
    const std::optional<std::string_view> name = steps.String();
    if (!name || !steps.Take(':') || names.size() == kMostMembers) return std::nullopt;
    steps.SkipBlanks();
    const size_t begin = steps.at();
    if (begin - behind > kLongestGlue || !steps.Value()) return std::nullopt;
    if (!name->starts_with('@')) named.push_back(names.size());
    names.push_back(*name);
    shape.members.push_back({JsonGlue(line.substr(behind, begin - behind)), kNoColumn, Spelling::kText});
    behind = steps.at();
  } while (steps.Take(','));
  if (!steps.Take('}') || steps.at() - behind > kLongestGlue) return std::nullopt;
  shape.behind = JsonGlue(line.substr(behind, steps.at() - behind));
  shape.line_ends =
      static_cast<size_t>(std::count(line.begin(), line.begin() + static_cast<ptrdiff_t>(steps.at()), '\n'));
  if (!steps.AtEnd()) return std::nullopt;
  if (kind == LineKind::kMessage) {
    const std::optional<size_t> message = MessageByNames(names);
    if (!message) return std::nullopt;
    shape.is_message = true;
    shape.members[*message].column = 0;
    return shape;
  }
  if (!IsRecordByNames(names)) return std::nullopt;
  shape.columns = lines.columns().size();
  for (size_t i = 0; i < shape.columns; ++i) {
    const RecordLines::Column& column = lines.columns()[i];
    if (column.position == RecordLines::kNoColumn) {
      shape.absent.push_back(static_cast<uint16_t>(i));
    } else {
      Member& member = shape.members[named.at(column.position)];
      member.column = static_cast<uint16_t>(i);
      member.spelling = column.spelling;
    }
  }
  return shape;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
