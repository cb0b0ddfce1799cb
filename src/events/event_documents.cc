#include "src/events/event_documents.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <new>
#include <optional>

#include "absl/strings/str_cat.h"
#include "src/container/blob.h"
#include "src/events/document_values.h"
#include "src/events/mended.h"
#include "vpcflow/events/event_reader.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

// What a member tells of an object that may wrap documents.
enum class Tells : uint8_t { kType, kDetail, kTrail, kMessage, kPlace, kData, kHolder, kList };

struct Telling {
  std::string_view name;
  Tells tells;
};

constexpr auto kTelling = [] {
  constexpr Telling kOthers[] = {{"detail-type", Tells::kType},
                                 {"detail", Tells::kDetail},
                                 {"CloudTrailEvent", Tells::kTrail},
                                 {"message", Tells::kMessage},
                                 {"Message", Tells::kMessage},
                                 {"body", Tells::kMessage},
                                 {"Body", Tells::kMessage},
                                 {"id", Tells::kPlace},
                                 {"eventId", Tells::kPlace},
                                 {"ingestionTime", Tells::kPlace},
                                 {"logStreamName", Tells::kPlace},
                                 {"TopicArn", Tells::kPlace},
                                 {"receiptHandle", Tells::kPlace},
                                 {"ReceiptHandle", Tells::kPlace},
                                 {"recordId", Tells::kPlace},
                                 {"approximateArrivalTimestamp", Tells::kPlace},
                                 {"data", Tells::kData},
                                 {"awslogs", Tells::kHolder},
                                 {"kinesis", Tells::kHolder},
                                 {"Sns", Tells::kHolder}};
  std::array<Telling, std::size(kOthers) + kDocumentLists.size()> out{};
  std::copy(std::begin(kOthers), std::end(kOthers), out.begin());
  for (size_t i = 0; i < kDocumentLists.size(); ++i) out[std::size(kOthers) + i] = {kDocumentLists[i], Tells::kList};
  return out;
}();

// Names of these sizes, by their first letters.
constexpr auto kTellingSizes = [] {
  std::array<uint32_t, 128> out{};
  for (const Telling& telling : kTelling)
    out[static_cast<unsigned char>(telling.name[0])] |= uint32_t{1} << telling.name.size();
  return out;
}();

const Telling* FindTelling(std::string_view key) {
  if (key.empty() || key.size() >= 32 || (key[0] & 0x80) != 0) return nullptr;
  if ((kTellingSizes[static_cast<unsigned char>(key[0])] >> key.size() & 1) == 0) return nullptr;
  const auto found =
      std::find_if(kTelling.begin(), kTelling.end(), [&](const Telling& one) { return one.name == key; });
  return found == kTelling.end() ? nullptr : &*found;
}

struct Wrapper {
  std::optional<dom::element> detail, list, trail, message, data, holder;
  bool has_type = false;   // EventBridge's
  bool has_place = false;  // CloudWatch Logs, SNS, SQS and streams say where a message comes from

  explicit Wrapper(const dom::object& object) {
    const auto text = [](const dom::element& value) { return value.is_string() ? std::optional(value) : std::nullopt; };
    const auto held = [](const dom::element& value) { return value.is_object() ? std::optional(value) : std::nullopt; };
    for (const auto& [key, value] : object) {
      const Telling* telling = FindTelling(key);
      if (telling == nullptr) continue;
      switch (telling->tells) {
        case Tells::kType: has_type = true; break;
        case Tells::kPlace: has_place = true; break;
        case Tells::kDetail: detail = held(value); break;
        case Tells::kTrail: trail = text(value); break;
        case Tells::kMessage: message = text(value); break;
        case Tells::kData: data = text(value); break;
        case Tells::kHolder: holder = held(value); break;
        case Tells::kList:
          if (!list && value.is_array()) list = value;
          break;
      }
    }
    if (holder) TakeFrom(*holder);
  }
  // The text that it is about, or nothing.
  std::string_view text() const { return TextOf(trail ? trail : has_place ? message : std::nullopt); }
  // What it is about as base64, or nothing.
  std::string_view blob() const { return TextOf(has_place ? data : std::nullopt); }

 private:
  static std::string_view TextOf(const std::optional<dom::element>& value) {
    std::string_view out;
    return value && value->get(out) == simdjson::SUCCESS ? out : std::string_view();
  }
  // Events of Lambda hold what they are about in an object.
  void TakeFrom(const dom::element& inner) {
    dom::element value;
    has_place = true;
    if (inner["data"].get(value) == simdjson::SUCCESS && value.is_string()) data = value;
    if (inner["Message"].get(value) == simdjson::SUCCESS && value.is_string()) message = value;
  }
};

// A text as a stream.
class TextStream final : public ByteStream {
 public:
  explicit TextStream(std::string_view text) : text_(text) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t n = text_.copy(buffer, size);
    text_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view text_;
};

constexpr size_t kLeastBlob = 40;  // bytes of base64

}  // namespace

bool EventDocuments::Parse(std::string_view text, Level* level, dom::element* out) const {
  const auto fine = [level](simdjson::error_code error) {
    if (error != simdjson::MEMALLOC) return error == simdjson::SUCCESS;
    level->parser = dom::parser();  // one that said so is not used again
    throw std::bad_alloc();
  };
  std::string& mended = level->mended;
  mended.clear();
  if (fine(level->parser.parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(*out))) return true;
  mended = Mended(text);
  if (mended == text) return false;
  mended.append(TextWindow::kPadding, '\0');
  mended.resize(mended.size() - TextWindow::kPadding);
  return fine(level->parser.parse(mended.data(), mended.size(), false).get(*out));
}

bool EventDocuments::Step(Visitor* visitor) {
  PieceFinder::Piece piece;
  if (!finder_.Next(&piece)) return false;
  visitor_ = visitor;
  byte_ = piece.offset;
  in_piece_ = 0;
  level_ = 0;
  Level& level = levels_[level_];
  const bool scalar = piece.text[0] != '{' && piece.text[0] != '[';
  dom::element value;
  if (scalar && !piece.in_list && piece.text.size() >= kLeastBlob && IsBlob(piece.text) && UnwrapBlob(piece.text, 0))
    return true;
  if (scalar && !piece.in_list && lines_) {
    GiveLines(piece.text);
  } else if (Parse(piece.text, &level, &value)) {
    Unwrap(value, level.mended.empty() ? piece.text : level.mended, piece.in_list ? 1 : 0);
  } else {
    ++refused_;
  }
  return true;
}

void EventDocuments::Unwrap(const dom::element& value, std::string_view text, int nesting) {
  if (dom::array array; value.get(array) == simdjson::SUCCESS) {
    if (nesting >= kMostNesting) return;
    for (const dom::element item : array) Unwrap(item, {}, nesting + 1);
    return;
  }
  dom::object object;
  if (value.get(object) != simdjson::SUCCESS) {
    if (!lines_ || !value.is_string()) return Give(value, text);
    return GiveLines(value.get_string().value_unsafe());
  }
  const Wrapper wrapper(object);
  if (nesting >= kMostNesting) return Give(value, text);
  if (wrapper.has_type && wrapper.detail) return Unwrap(*wrapper.detail, {}, nesting + 1);
  if (wrapper.list) return Unwrap(*wrapper.list, {}, nesting + 1);
  if (UnwrapText(wrapper.text(), nesting) || UnwrapBlob(wrapper.blob(), nesting)) return;
  Give(value, text);
}

bool EventDocuments::UnwrapText(std::string_view text, int nesting) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == text.npos || level_ + 1 == kMostLevels) return false;
  if (text[begin] != '{' && text[begin] != '[') {
    if (lines_) GiveLines(text);
    return lines_;
  }
  Level& level = levels_[level_ + 1];
  level.text.assign(text.substr(begin)).append(TextWindow::kPadding, '\0');
  level.text.resize(text.size() - begin);
  dom::element value;
  if (!Parse(level.text, &level, &value)) return false;
  ++level_;
  Unwrap(value, level.mended.empty() ? level.text : level.mended, nesting + 1);
  --level_;
  return true;
}

bool EventDocuments::UnwrapBlob(std::string_view blob, int nesting) {
  if (blob.empty() || level_ + 1 == kMostLevels) return false;
  const std::string text = UnpackBlob(blob);
  const uint64_t given = given_, refused = refused_;
  PieceFinder finder(std::make_unique<TextStream>(text));
  PieceFinder::Piece piece;
  Level& level = levels_[++level_];
  while (finder.Next(&piece)) {
    dom::element value;
    if (lines_ && piece.text[0] != '{' && piece.text[0] != '[') {
      GiveLines(piece.text);
    } else if (Parse(piece.text, &level, &value)) {
      Unwrap(value, {}, nesting + 1);
    } else {
      ++refused_;
    }
  }
  --level_;
  if (given_ == given) refused_ = refused;
  return given_ > given;
}

void EventDocuments::Give(const dom::element& value, std::string_view text) {
  ++given_;
  visitor_->Take(value, text, byte_, in_piece_++);
}

void EventDocuments::GiveLines(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = Trimmed(text.substr(at, end - at));
    at = end + 1;
    if (line.empty()) continue;
    ++given_;
    visitor_->TakeLine(line, byte_, in_piece_++);
  }
}

absl::Status EventDocuments::error() const {
  const absl::Status& error = finder_.error();
  return absl::IsDataLoss(error) || absl::IsOutOfRange(error) || absl::IsInvalidArgument(error) ? absl::OkStatus()
                                                                                                : error;
}

std::string EventDocuments::Damage() const {
  std::string why;
  const absl::Status& error = finder_.error();
  if (!error.ok()) {
    why = std::string(error.message());
    if (!why.starts_with(name_)) why = absl::StrCat(name_, ": ", why);
  } else if (finder_.too_long()) {
    why = absl::StrCat(name_, ": a document of more than ", kMaxDocument >> 20, " MiB, or no JSON");
  } else if (finder_.damaged() || (refused_ > 0 && given_ == 0)) {
    why = absl::StrCat(name_, ": cut or damaged JSON");
  } else if (refused_ > 0) {
    why = absl::StrCat(name_, ": ", refused_, refused_ == 1 ? " line is no JSON" : " lines are no JSON");
  }
  return why.empty() ? why
                     : absl::StrCat(why, "; ", given_, given_ == 1 ? " document" : " documents", " of it were read");
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
