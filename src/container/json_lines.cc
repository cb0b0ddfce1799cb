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
constexpr size_t kExactDigits = 15;    // that a double has
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

// The end of a piece behind blanks: of an entry the comma behind it, of a document the byte behind its bracket. Null if
// it has none, or is no plain piece: nothing, documents with arrays, which may hold entries, and strings over lines.
const char* EndOfPiece(const char* begin, const char* end, bool entry) {
  size_t depth = 0;
  for (const char* at = begin; at < end; ++at) {
    switch (*at) {
      case '"':
        if (depth == 0 && !entry) return nullptr;
        for (++at; at < end && *at != '"'; ++at) {
          if (*at == '\\') ++at;
          if (at == end || *at == '\n') return nullptr;
        }
        break;
      case '[':
        if (!entry) return nullptr;
        [[fallthrough]];
      case '{': ++depth; break;
      case ']':
      case '}':
        if (depth == 0) return nullptr;
        if (--depth == 0 && !entry) return at + 1;
        break;
      case ',':
        if (depth == 0) return entry && at > begin ? at : nullptr;
        break;
      default:
        if (!entry && depth == 0) return nullptr;
    }
  }
  return nullptr;
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
  lines_.ClearKinds();  // of a text that was given up
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
    if (const char* behind = Match(at); behind != nullptr) {
      while (*behind == ' ' || *behind == '\r') ++behind;
      if (*behind == '\n' || behind >= end) {
        AddMatched();
        at = behind + 1;
        continue;
      }
      lines_.out().resize(written_before_);
    }
    const void* const found = std::memchr(at, '\n', static_cast<size_t>(end - at));
    const char* const line_end = found == nullptr ? end : static_cast<const char*>(found);
    const bool taken = TakeLine({at, static_cast<size_t>(line_end - at)});
    at = line_end + 1;
    if (taken) continue;
    AddWritten();
    return false;
  }
  AddWritten();
  return true;
}

bool JsonLines::TakePieces(std::string_view text, JsonSplitter::Kind border, const RecordLines::State& before,
                           TokenIndex* index, std::vector<LineInfo>* origins) {
  Begin(text, before, index, origins);
  border_ = border;
  const bool entries = border != JsonSplitter::Kind::kDocument;
  const char *at = text.data(), *const end = at + text.size();
  const auto skip_blanks = [&] {
    for (; at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'); ++at) text_lines_ += *at == '\n';
  };
  text_lines_ = 1;  // of what is looked at
  while (true) {
    const char* const begin = at;
    skip_blanks();
    if (at == end) break;
    if (const char* const behind = Match(at); behind != nullptr) {
      const size_t line_ends = shapes_[last_shape_].line_ends;
      AddMatched();
      at = behind;
      text_lines_ += line_ends;
      skip_blanks();
      if (entries && (at == end || *at++ != ',')) return false;
      continue;
    }
    const char* const piece_end = EndOfPiece(at, end, entries);
    if (piece_end == nullptr) return false;
    const std::string_view piece(entries ? begin : at, static_cast<size_t>(piece_end - (entries ? begin : at)));
    if (piece.size() > JsonSplitter::kMaxPiece || !TakePiece({border, piece, 0})) return false;
    text_lines_ += static_cast<size_t>(std::count(at, piece_end, '\n'));
    at = piece_end + (entries ? 1 : 0);
  }
  AddWritten();
  --text_lines_;
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

const char* JsonLines::Match(const char* at) {
  if (shapes_.empty()) return nullptr;
  if (const char* const end = Match(shapes_[last_shape_], at); end != nullptr) return end;
  for (size_t i = 0; i < shapes_.size(); ++i) {
    const char* const end = i == last_shape_ ? nullptr : Match(shapes_[i], at);
    if (end == nullptr) continue;
    last_shape_ = i;
    return end;
  }
  return nullptr;
}

// The end of an object of that shape whose values can be found without a look at what they mean; null for others.
const char* JsonLines::Match(const JsonShape& shape, const char* at) {
  if (!shape.members.front().before.IsAt(at)) return nullptr;
  if (!noted_.empty() && !shape.is_message) AddWritten();
  MakeRoom(1, shape.columns, 0);
  const char* const data = text_.data();
  const auto null = static_cast<uint32_t>(text_.size() + kPadding);
  written_before_ = lines_.out().size();
  uint32_t *const begins = arrays_->begins + arrays_->tokens, *const ends = arrays_->ends + arrays_->tokens;
  size_t bytes = shape.columns + shape.absent.size();
  const auto give_up = [&]() -> const char* {
    lines_.out().resize(written_before_);
    return nullptr;
  };
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
      if (at[0] == '.' && at[1] == '0' && n <= kExactDigits) at += 2;  // 443.0, if the next byte is of the glue
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
      message_ = value;
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
  for (const uint16_t column : shape.absent) {
    begins[column] = null;
    ends[column] = null + 1;
  }
  matched_bytes_ = bytes;
  return at + shape.behind.size();
}

// Makes a line of the object matched last.
void JsonLines::AddMatched() {
  const JsonShape& shape = shapes_[last_shape_];
  if (!shape.is_message) return AddLine(matched_bytes_ - 1, shape.columns, {text_lines_, LineKind::kObject});
  if (noted_.empty()) noted_from_ = lines_.out().size();
  lines_.Message(message_);
  NoteWritten();
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
bool JsonLines::TakeLine(std::string_view line) {
  line = line.substr(0, line.find_last_not_of(" \r") + 1);
  if (line.find_first_not_of(" \t") == std::string_view::npos) return true;
  const uint64_t headers = lines_.headers();
  const size_t place = lines_.out().size();
  if (line.size() > kMaxEntry) {
    lines_.NoRecord(line);
  } else {
    json_.Take(line);
  }
  return TakeWritten(line, place, headers);
}

// Likewise. False also if what it holds has to do with other pieces.
bool JsonLines::TakePiece(const JsonSplitter::Piece& piece) {
  const uint64_t headers = lines_.headers();
  const size_t place = lines_.out().size();
  json_.TakePiece(piece);
  if (json_.holds_any()) {
    json_.Forget();
    return false;
  }
  const size_t begin = std::min(piece.text.find_first_not_of(" \t\r\n"), piece.text.size());
  return TakeWritten(piece.text.substr(begin), place, headers);
}

// Notes what a text made json_ write from a place on, and how it looks.
bool JsonLines::TakeWritten(std::string_view text, size_t place, uint64_t headers) {
  const std::vector<LineKind>& kinds = lines_.kinds();
  const bool header = lines_.headers() != headers;
  const LineKind kind = kinds.size() == (header ? 2 : 1) ? kinds.back() : LineKind::kNoRecord;
  DropOldShapes();
  if (bytes_ + lines_.out().size() > kMostBytes) {
    lines_.out().resize(place);
    lines_.ClearKinds();
    return false;
  }
  if (noted_.empty()) noted_from_ = place;
  NoteWritten();
  std::optional<JsonShape> shape = JsonShape::Of(text, kind, lines_);
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
