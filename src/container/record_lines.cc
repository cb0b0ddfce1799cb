#include "src/container/record_lines.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/container/foreign.h"
#include "src/container/inner_text.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kExcerpt = 300;
constexpr size_t kMostNames = 4 * Format::kMaxColumns;  // of a record; more are not looked at

}  // namespace

void RecordLines::Message(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.empty()) return;
  const size_t begin = out_.size();
  if (HasEscapes(text)) {
    for (const char c : text) {
      out_ += c;
      if (c == kEscape) out_ += static_cast<char>(kEscape ^ 0x40);
    }
  } else {
    out_.append(text);
  }
  // A line end inside would make two records of one; as another control byte it makes the line a reject. All are
  // written, changed or not, as that makes it a loop over vectors.
  char* const copy = out_.data() + begin;
  for (size_t i = 0, n = out_.size() - begin; i < n; ++i) {
    const char c = copy[i];
    copy[i] = c == '\n' ? '\x1B' : c;
  }
  out_ += '\n';
  kinds_.push_back(LineKind::kMessage);
}

void RecordLines::NoRecord(std::string_view excerpt) {
  const std::string problem = std::exchange(told_problem_, "");
  if (no_records_++ < kMostNamed) {
    const std::string_view why = problem.empty() ? SeemsToBe(excerpt) : problem;
    if (!why.empty()) {
      AppendInner(why, /*blanks_too=*/false, &out_);
      out_ += ": ";
    }
  }
  AppendInner(excerpt.substr(0, kExcerpt), /*blanks_too=*/false, &out_);
  out_ += '\n';
  kinds_.push_back(LineKind::kNoRecord);
}

void RecordLines::Header(const std::vector<std::string>& names) {
  for (const std::string& name : names) (out_ += name) += ' ';
  EndLine(LineKind::kHeader);
}

void RecordLines::Value(std::string_view value, Spelling spelling) {
  if (IsAsAwsWrites(spelling, value)) {
    if (IsNumber(spelling)) {  // nothing but digits
      (out_ += value) += ' ';
      return;
    }
  } else {
    value = RespelledAsAwsWrites(spelling, value, &scratch_);
  }
  AppendInner(value, /*blanks_too=*/true, &out_);
  out_ += ' ';
}

void RecordLines::Begin() {
  constexpr size_t kKept = size_t{1} << 20;  // of memory between records
  if (values_.capacity() > kKept) values_ = std::string();
  values_.clear();
  ends_.clear();
  told_problem_.clear();
}

void RecordLines::Add(std::string_view name, std::string_view value) {
  const size_t at = ends_.size();
  if (at == kMostNames) return;
  if (at >= names_.size()) {
    names_.emplace_back(name);
    same_names_ = false;
  } else if (names_[at] != name) {
    names_[at].assign(name);
    same_names_ = false;
  }
  values_.append(value);
  ends_.push_back(values_.size());
}

bool RecordLines::End() {
  if (names_.size() != ends_.size()) {
    names_.resize(ends_.size());
    same_names_ = false;
  }
  if (!std::exchange(same_names_, true)) {
    is_record_ = Resolve();
    if (!is_record_ && columns_.size() > in_header_) {  // its fields are not those of records
      columns_.resize(in_header_);
      by_name_.clear();
    }
    for (std::string& name : names_) {
      if (name.size() <= kMaxName) continue;
      name = std::string();  // names of megabytes are not kept
      same_names_ = false;
    }
  }
  if (!is_record_) {
    told_problem_ = problem_;
    return false;
  }
  if (columns_.size() > in_header_) WriteHeader();
  for (const Column& column : columns_) {
    if (column.position == kNoColumn) {
      out_ += "- ";
    } else {
      const size_t begin = column.position == 0 ? 0 : ends_[column.position - 1];
      Value(std::string_view(values_).substr(begin, ends_[column.position] - begin), column.spelling);
    }
  }
  EndLine(LineKind::kObject);
  return true;
}

void RecordLines::GoOn(const State& state) {
  no_records_ = state.no_records;
  told_problem_ = state.problem;
  if (columns_ == state.columns) return;
  columns_ = state.columns;
  in_header_ = columns_.size();
  ++headers_;
  by_name_.clear();
  names_.clear();
  same_names_ = false;
}

// Whether the names make a record; then columns_ have the positions of their values.
bool RecordLines::Resolve() {
  problem_.clear();
  unsigned evidence = kSaysNothing;
  bool depends = false;
  for (const std::string& name : names_) {
    const NameMeaning meaning = FindName(name).meaning;
    evidence |= meaning.evidence();
    depends |= meaning.depends;
  }
  if (!depends && !IsFlow(evidence)) return false;
  return (!depends && PlacePlainly()) || PlaceWithCare();
}

// Of names that mean what they mean whatever stands beside them. False if two of them are one column, or there are too
// many.
bool RecordLines::PlacePlainly() {
  for (Column& column : columns_) column.position = kNoColumn;
  for (size_t i = 0; i < names_.size(); ++i) {
    const KnownName known = FindName(names_[i]);
    size_t at = known.column;
    if (at == kNoColumn) {
      const Field field = known.meaning.field;
      at = ColumnOf(field == Field::kUnknown ? HeaderName(names_[i]) : std::string(Info(field).name), field);
      if (const auto found = by_name_.find(names_[i]); found != by_name_.end()) found->second.column = at;
    }
    if (at == kNoColumn || columns_[at].position != kNoColumn) return false;
    columns_[at].position = i;
  }
  return true;
}

bool RecordLines::PlaceWithCare() {
  for (Column& column : columns_) column.position = kNoColumn;
  const NamedColumns named = NameColumns(names_);
  if (!IsFlow(named.evidence)) return false;
  problem_ = named.clash;
  for (const NamedColumn& column : named.columns) {
    const size_t at = ColumnOf(column.name, column.field);
    if (at == kNoColumn) problem_ = absl::StrCat("more than ", Format::kMaxColumns, " columns");
    if (!problem_.empty()) return false;
    columns_[at].position = column.position;
  }
  return true;
}

RecordLines::KnownName RecordLines::FindName(std::string_view name) {
  if (const auto found = by_name_.find(name); found != by_name_.end()) return found->second;
  const KnownName known = {MeaningOf(name), kNoColumn};
  if (by_name_.size() < kMostNames && name.size() <= kMaxName) by_name_.emplace(name, known);
  return known;
}

size_t RecordLines::ColumnOf(std::string_view name, Field field) {
  const auto same = std::find_if(columns_.begin(), columns_.end(), [&](const Column& c) { return c.name == name; });
  if (same != columns_.end()) return static_cast<size_t>(same - columns_.begin());
  if (columns_.size() == Format::kMaxColumns) return kNoColumn;
  columns_.push_back({std::string(name), field, SpellingOf(field), kNoColumn});
  return columns_.size() - 1;
}

void RecordLines::WriteHeader() {
  // Known fields first: a header line is one because it begins with one.
  std::stable_partition(columns_.begin(), columns_.end(), [](const Column& c) { return c.field != Field::kUnknown; });
  by_name_.clear();
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  Header(names);
  in_header_ = columns_.size();
  ++headers_;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
