#include "src/container/json_splitter.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool IsBlank(std::string_view text) { return text.find_first_not_of(kBlanks) == std::string_view::npos; }

std::string_view WithoutBlanksBehind(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

size_t BackslashesBehind(std::string_view text) { return text.size() - (text.find_last_not_of('\\') + 1); }

// Whether a text ends with that name, quoted.
bool IsMember(std::string_view text, std::string_view name) {
  return text.ends_with('"') && text.substr(0, text.size() - 1).ends_with(name) &&
         text.substr(0, text.size() - 1 - name.size()).ends_with('"');
}

constexpr std::array<bool, 256> kTelling = [] {
  std::array<bool, 256> out{};
  for (const char c : {'"', '{', '[', '}', ']', ',', '\n'}) out[static_cast<unsigned char>(c)] = true;
  return out;
}();

}  // namespace

JsonSplitter::Kind JsonSplitter::border() const {
  if (at_ > 0 || in_string_ || passing_over_ || document_too_long_) return Kind::kNone;
  if (entries_ > 0 && depth_ == entries_ && after_comma_) return depth_ == 1 ? Kind::kElement : Kind::kEntry;
  return depth_ == 0 && !in_document() ? Kind::kDocument : Kind::kNone;
}

// A piece, with all that was looked at.
JsonSplitter::Piece JsonSplitter::Consume(Kind kind, std::string_view text) {
  return {kind, text, std::exchange(at_, 0)};
}

// Goes behind the string that at_ stands in, if the text has its end.
void JsonSplitter::SkipString(std::string_view text) {
  while (in_string_ && at_ < text.size()) {
    const size_t quote = std::min(text.find('"', at_), text.size());
    const size_t line = text.substr(0, quote).find('\n', at_);
    if (line != std::string_view::npos) {
      at_ = line;
      in_string_ = false;
    } else if (quote == text.size()) {
      // Backslashes are left, to be counted with those that may follow.
      at_ = std::max(at_, quote - BackslashesBehind(text.substr(at_)));
      return;
    } else {
      in_string_ = BackslashesBehind(text.substr(at_, quote - at_)) % 2 == 1;
      at_ = quote + 1;
    }
  }
}

// The bytes before a value that begins behind document_ and `text`, without blanks: enough for the name of its member.
std::string JsonSplitter::BeforeValue(std::string_view text) const {
  constexpr size_t kEnough = 64;  // for the longest name, quotes, a colon and a few blanks
  std::string before = document_.substr(document_.size() - std::min(document_.size(), kEnough));
  before += text.substr(text.size() - std::min(text.size(), kEnough));
  std::string_view key = WithoutBlanksBehind(before);
  if (!key.ends_with(':')) return "";
  return std::string(WithoutBlanksBehind(key.substr(0, key.size() - 1)));
}

// Whether an array that begins there is a member that holds entries. Those of CloudWatch's tests of a destination are
// none; what they are they say at their beginning.
bool JsonSplitter::AtEntries(std::string_view text) const {
  const std::string before = BeforeValue(text);
  const auto is_member = [&before](std::string_view name) { return IsMember(before, name); };
  if (depth_ == 3) return inner_entries_ != nullptr && is_member(*inner_entries_);
  if (std::none_of(std::begin(kEntryMembers), std::end(kEntryMembers), is_member)) return false;
  constexpr size_t kBeginning = 1024;
  std::string beginning = document_.substr(0, kBeginning);
  beginning += text.substr(0, kBeginning - beginning.size());
  return beginning.find("\"CONTROL_MESSAGE\"") == std::string::npos;
}

// An object that is a member of a document begins behind document_ and `text`.
void JsonSplitter::EnterMember(std::string_view text) {
  const std::string before = BeforeValue(text);
  inner_entries_ = nullptr;
  for (const auto& [outer, inner] : kInnerEntryMembers) {
    if (IsMember(before, outer)) inner_entries_ = &inner;
  }
}

// A document, or a line, ends at at_.
JsonSplitter::Piece JsonSplitter::Document(std::string_view text) {
  document_.append(text, 0, at_);
  Pad(&document_);
  told_ = true;
  if (std::exchange(document_too_long_, false) || IsBlank(document_)) return Consume(Kind::kNone, {});
  return Consume(document_.size() > kMaxPiece ? Kind::kTooLong : Kind::kDocument, document_);
}

// Nothing is in the text but the beginning of a piece.
JsonSplitter::Piece JsonSplitter::EndOfText(std::string_view text, bool last) {
  if (last && depth_ == 0) {
    at_ = text.size();
    return text.empty() && document_.empty() ? Piece{Kind::kMore, {}, 0} : Document(text);
  }
  if (last) {
    at_ = text.size();
    if (entries_ == 0) document_.append(text);
    depth_ = 0;
    told_ = true;
    return Consume(Kind::kCut, std::exchange(entries_, 0) > 0 ? text : std::string_view(document_));
  }
  if (entries_ > 0) {
    if (at_ <= kMaxPiece && !passing_over_) return {Kind::kMore, {}, 0};
    const Kind kind = std::exchange(passing_over_, true) ? Kind::kMore : Kind::kTooLong;
    return Consume(kind, text.substr(0, at_));
  }
  document_.append(text, 0, at_);
  if (document_.size() <= kMaxPiece) return Consume(Kind::kMore, {});
  const Kind kind = std::exchange(document_too_long_, true) ? Kind::kMore : Kind::kTooLong;
  told_ = true;  // and forgotten
  return Consume(kind, document_);
}

JsonSplitter::Piece JsonSplitter::Next(std::string_view text, bool last) {
  if (std::exchange(told_, false)) document_.clear();
  if (depth_ == 0 && document_.empty() && at_ == 0 && !text.empty()) {
    at_ = std::min(text.find_first_not_of(kBlanks), text.size());
    if (at_ > 0) return Consume(Kind::kNone, {});
  }
  while (true) {
    SkipString(text);
    if (in_string_) return EndOfText(text, last);
    while (at_ < text.size() && !kTelling[static_cast<unsigned char>(text[at_])]) ++at_;
    if (at_ == text.size()) return EndOfText(text, last);
    const char c = text[at_];
    const bool closes = c == ']' || c == '}';
    if (entries_ > 0 && depth_ == entries_ && (closes || c == ',')) {
      const std::string_view entry = text.substr(0, at_);
      // Nothing before the bracket is no entry, nothing before a comma or behind one is a malformed one.
      const bool none = closes && !after_comma_ && IsBlank(entry);
      const Kind kind = depth_ == 1 ? Kind::kElement : Kind::kEntry;
      after_comma_ = !closes;
      if (closes) {
        entries_ = 0;  // the bracket is the document's
      } else {
        ++at_;
      }
      if (std::exchange(passing_over_, false) || none) return Consume(Kind::kNone, {});
      return Consume(entry.size() > kMaxPiece ? Kind::kTooLong : kind, entry);
    }
    ++at_;
    if (c == '"') {
      in_string_ = true;
    } else if (c == '[' || c == '{') {
      ++depth_;
      if (c == '{' && depth_ == 2 && entries_ == 0) EnterMember(text.substr(0, at_ - 1));
      const bool may_hold = c == '[' && entries_ == 0 && depth_ <= 3;
      if (may_hold && (depth_ == 1 || AtEntries(text.substr(0, at_ - 1)))) {
        entries_ = depth_;
        document_.append(text, 0, at_);
        return Consume(Kind::kNone, {});
      }
    } else if (closes && depth_ > 0) {
      if (--depth_ == 1) inner_entries_ = nullptr;
      if (depth_ == 0) return Document(text);
    } else if (c == '\n' && depth_ == 0) {
      return Document(text);
    }
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
