#include "src/container/json_lines.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "src/container/inner_text.h"
#include "src/container/unwrap_stream.h"
#include "src/simd/kernels.h"
#include "vpcflow/internal/digits.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kMostShapes = 8;
constexpr size_t kLongestNumber = 18;  // below 2^63, whatever the digits

// The end of the bytes from p on that can stand in a string as they are meant, and whether there are blanks among them.
// Finds an end within kPadding bytes behind a text.
inline const char* EndOfPlain(const char* p, bool* blanks) {
  unsigned any = 0;
  while (true) {
    const JsonBytes bytes(p);
    const unsigned plain = bytes.Printable() & ~bytes.Equal('"') & ~bytes.Equal('\\');
    const auto n = static_cast<unsigned>(std::countr_one(plain));
    any |= bytes.Equal(' ') & ((1u << n) - 1);
    p += n;
    if (n < kJsonBytes) break;
  }
  *blanks = any != 0;
  return p;
}

// More than kLongestNumber for more.
inline size_t CountDigits(const char* p) {
  const auto n = static_cast<size_t>(std::countr_one(JsonBytes(p).Digits()));
  return n < kJsonBytes ? n : n + static_cast<size_t>(std::countr_one(JsonBytes(p + kJsonBytes).Digits()));
}

}  // namespace

void JsonLines::Begin(std::string_view text, const RecordLines::State& before, TokenIndex* index,
                      std::vector<LineInfo>* origins) {
  before_ = before;
  lines_.GoOn(before);
  DropOldShapes();
  constexpr size_t kKept = size_t{16} << 20;  // of memory between texts
  if (lines_.out().capacity() > kKept) lines_.out() = std::string();
  lines_.out() = '-';  // what nulls are
  text_ = text;
  index_ = index;
  arrays_ = index->Reserve(std::max(text.size(), size_t{1024}));
  room_ = std::max(text.size(), size_t{1024});
  arrays_->tokens = arrays_->line_count = arrays_->bad_count = 0;
  arrays_->explicit_begins = true;
  arrays_->lines_begin_low = arrays_->uniform = false;
  origins_ = origins;
  origins_->clear();
  written_lines_.clear();
  noted_.clear();
  noted_from_ = lines_.out().size();
  bytes_ = text_lines_ = 0;
}

bool JsonLines::Take(std::string_view text, const RecordLines::State& before, TokenIndex* index,
                     std::vector<LineInfo>* origins) {
  Begin(text, before, index, origins);
  const char *at = text.data(), *const end = at + text.size();
  while (at < end) {
    ++text_lines_;
    if (TakeByShape(at, &at)) continue;
    const void* const found = std::memchr(at, '\n', static_cast<size_t>(end - at));
    const char* const line_end = found == nullptr ? end : static_cast<const char*>(found);
    const bool taken = TakeWithCare({at, static_cast<size_t>(line_end - at)});
    at = line_end + 1;
    if (taken) continue;
    AddWritten();
    return false;
  }
  AddWritten();
  return true;
}

bool JsonLines::TakeBeginning(std::string_view text, const RecordLines::State& before, TokenIndex* index,
                              std::vector<LineInfo>* origins) {
  Begin(text, before, index, origins);
  ++text_lines_;
  lines_.NoRecord(text);
  NoteWritten();
  AddWritten();
  return true;
}

void JsonLines::DropOldShapes() {
  if (headers_ == lines_.headers()) return;
  headers_ = lines_.headers();
  shapes_.clear();
  last_shape_ = oldest_shape_ = 0;
}

bool JsonLines::ComesBehind(const RecordLines::State& before) const {
  const uint64_t here = no_records(), most = RecordLines::kMostNamed;
  const bool named_alike = here == 0 || before.no_records == before_.no_records ||
                           (before.no_records >= most && before_.no_records >= most) ||
                           (before.no_records + here <= most && before_.no_records + here <= most);
  return named_alike && before.columns == before_.columns && before.problem == before_.problem;
}

bool JsonLines::TakeByShape(const char* line, const char** end) {
  if (shapes_.empty()) return false;
  if (Match(shapes_[last_shape_], line, end)) return true;
  for (size_t i = 0; i < shapes_.size(); ++i) {
    if (i == last_shape_ || !Match(shapes_[i], line, end)) continue;
    last_shape_ = i;
    return true;
  }
  return false;
}

// Whether a line is an object of that shape whose values can be found without a look at what they mean. Then it is a
// line of the index, and *end is the next line's begin.
bool JsonLines::Match(const JsonShape& shape, const char* line, const char** end) {
  if (!shape.members.front().before.IsAt(line)) return false;
  if (!noted_.empty() && !shape.is_message) AddWritten();
  MakeRoom(1, shape.columns, 0);
  const char* const data = text_.data();
  std::string_view message;
  const auto null = static_cast<uint32_t>(text_.size() + kPadding);
  const size_t written = lines_.out().size();
  uint32_t *const begins = arrays_->begins + arrays_->tokens, *const ends = arrays_->ends + arrays_->tokens;
  size_t bytes = shape.columns + shape.absent.size();
  const auto give_up = [&] {
    lines_.out().resize(written);
    return false;
  };
  const char* at = line;
  for (const JsonShape::Member& member : shape.members) {
    if (!member.before.IsAt(at)) return give_up();
    at += member.before.size();
    const char* begin = at;
    const char* value_end;
    bool blanks = false;
    if (*at == '"') {
      ++begin;
      value_end = EndOfPlain(begin, &blanks);
      if (*value_end != '"') return give_up();
      at = value_end + 1;
    } else if (const size_t n = CountDigits(at); n > 0) {
      if (n > kLongestNumber || (n > 1 && *at == '0')) return give_up();
      at = value_end = begin + n;
    } else if (std::memcmp(at, "null", 4) == 0) {
      at += 4;
      if (member.column == JsonShape::kNoColumn) continue;
      if (shape.is_message) return give_up();
      begins[member.column] = null;
      ends[member.column] = null + 1;
      bytes += 1;
      continue;
    } else {
      return give_up();
    }
    if (member.column == JsonShape::kNoColumn) continue;
    const std::string_view value(begin, static_cast<size_t>(value_end - begin));
    if (shape.is_message) {
      if (begin[-1] != '"' || value.starts_with('{')) return give_up();
      message = value;
      continue;
    }
    Token token{static_cast<uint32_t>(begin - data), static_cast<uint32_t>(value_end - data)};
    if ((!IsAsAwsWrites(member.spelling, value) || blanks) && !Respell(value, member.spelling, blanks, &token))
      return give_up();
    begins[member.column] = token.begin;
    ends[member.column] = token.end;
    bytes += token.end - token.begin;
  }
  if (!shape.behind.IsAt(at)) return give_up();
  at += shape.behind.size();
  while (*at == ' ' || *at == '\r') ++at;
  const char* const text_end = data + text_.size();
  if (*at != '\n' && at < text_end) return give_up();
  *end = std::min(at + 1, text_end);
  if (shape.is_message) {
    if (noted_.empty()) noted_from_ = written;
    lines_.Message(message);
    NoteWritten();
    return true;
  }
  for (const uint16_t column : shape.absent) {
    begins[column] = null;
    ends[column] = null + 1;
  }
  AddLine(bytes - 1, shape.columns, {text_lines_, LineKind::kObject});
  return true;
}

// A value that AWS writes in another way, or one with blanks. False if it is too long.
bool JsonLines::Respell(std::string_view value, Spelling spelling, bool blanks, Token* out) {
  const uint32_t base = static_cast<uint32_t>(text_.size() + kPadding);
  const std::string_view respelled = AsAwsWrites(spelling, value, &scratch_);
  if (respelled == "-") {
    *out = {base, base + 1};
    return true;
  }
  if (!blanks && respelled.data() == value.data() && respelled.size() == value.size()) return true;
  std::string& to = lines_.out();
  if (to.size() + 2 * respelled.size() > kMostBytes) return false;
  out->begin = base + static_cast<uint32_t>(to.size());
  AppendInner(respelled, /*blanks_too=*/true, &to);
  out->end = base + static_cast<uint32_t>(to.size());
  return true;
}

// Any line: what it holds is written, as everywhere, and then read. False if that is too much.
bool JsonLines::TakeWithCare(std::string_view line) {
  line = line.substr(0, line.find_last_not_of(" \r") + 1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) return true;
  const uint64_t headers = lines_.headers();
  const size_t place = lines_.out().size();
  if (noted_.empty()) noted_from_ = place;
  if (line.size() > kMaxEntry) {
    lines_.NoRecord(line);
  } else {
    json_.Take(line);
  }
  const std::vector<LineKind>& kinds = lines_.kinds();
  const bool header = lines_.headers() != headers;
  const LineKind kind = kinds.size() == (header ? 2 : 1) ? kinds.back() : LineKind::kNoRecord;
  DropOldShapes();
  if (bytes_ + lines_.out().size() > kMostBytes) {
    lines_.out().resize(place);
    lines_.ClearKinds();
    return false;
  }
  NoteWritten();
  std::optional<JsonShape> shape = JsonShape::Of(line, kind, lines_);
  if (!shape) return true;
  if (shapes_.size() < kMostShapes) {
    last_shape_ = shapes_.size();
    shapes_.push_back(*std::move(shape));
  } else {
    last_shape_ = oldest_shape_++ % kMostShapes;
    shapes_[last_shape_] = *std::move(shape);
  }
  return true;
}

// The lines written last are of the line in hand.
void JsonLines::NoteWritten() {
  for (const LineKind kind : lines_.kinds()) noted_.push_back({text_lines_, kind});
  lines_.ClearKinds();
}

// Makes lines of the index of the written ones, all those that were noted at once.
void JsonLines::AddWritten() {
  const size_t place = noted_from_;
  const std::string_view text = std::string_view(lines_.out()).substr(place);
  noted_from_ = lines_.out().size();
  if (noted_.empty()) return;
  ActiveKernels().index(text.data(), text.size(), written_index_.Reserve(text.size()));
  const TokenIndex& from = written_index_;
  MakeRoom(from.line_count(), from.token_count(), from.bad().size());
  const auto base = static_cast<uint32_t>(text_.size() + kPadding + place);
  const TokenSpan tokens = from.tokens();
  uint32_t *const begins = arrays_->begins + arrays_->tokens, *const ends = arrays_->ends + arrays_->tokens;
  for (size_t i = 0, n = from.token_count(); i < n; ++i) {
    begins[i] = tokens.begins[i] + tokens.bias + base;
    ends[i] = tokens.ends[i] + base;
  }
  const auto made = static_cast<uint32_t>(bytes_);
  for (const uint32_t bad : from.bad()) arrays_->bad[arrays_->bad_count++] = made + bad;  // a place in lines
  for (size_t i = 0; i < from.line_count(); ++i) {
    const TextLine& line = from.line(i);
    written_lines_.push_back({arrays_->line_count, text_.size() + kPadding + place + line.begin});
    AddLine(line.end - line.begin, line.count, noted_[i]);
  }
  noted_.clear();
}

// A line of so many bytes, without its line end, behind those so far. Its tokens are there.
void JsonLines::AddLine(size_t bytes, size_t tokens, const LineInfo& info) {
  const auto begin = static_cast<uint32_t>(bytes_);
  arrays_->lines[arrays_->line_count++] = {begin, begin + static_cast<uint32_t>(bytes),
                                           static_cast<uint32_t>(arrays_->tokens), static_cast<uint32_t>(tokens)};
  arrays_->tokens += tokens;
  origins_->push_back(info);
  bytes_ += bytes + 1;
}

void JsonLines::MakeRoom(size_t lines, size_t tokens, size_t bad) {
  const size_t most = std::max({arrays_->line_count + lines, arrays_->tokens + tokens, arrays_->bad_count + bad});
  if (most <= room_) return;
  TokenIndex larger;
  room_ = 2 * most;
  TokenArrays* const to = larger.Reserve(room_);
  const TokenArrays& from = *arrays_;
  std::copy_n(from.begins, from.tokens, to->begins);
  std::copy_n(from.ends, from.tokens, to->ends);
  std::copy_n(from.lines, from.line_count, to->lines);
  std::copy_n(from.bad, from.bad_count, to->bad);
  to->tokens = from.tokens;
  to->line_count = from.line_count;
  to->bad_count = from.bad_count;
  to->explicit_begins = true;
  to->lines_begin_low = to->uniform = false;
  *index_ = std::move(larger);
  arrays_ = index_->Reserve(room_);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
