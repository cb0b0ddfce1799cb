#include "src/events/event_documents.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <new>
#include <optional>

#include "absl/strings/str_cat.h"
#include "src/events/mended.h"
#include "vpcflow/events/event_reader.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

// What a member tells of an object that may wrap documents.
enum class Tells : uint8_t { kType, kDetail, kTrail, kMessage, kPlace, kList };

struct Telling {
  std::string_view name;
  Tells tells;
};

constexpr auto kTelling = [] {
  constexpr Telling kOthers[] = {{"detail-type", Tells::kType},      {"detail", Tells::kDetail},
                                 {"CloudTrailEvent", Tells::kTrail}, {"message", Tells::kMessage},
                                 {"Message", Tells::kMessage},       {"id", Tells::kPlace},
                                 {"eventId", Tells::kPlace},         {"ingestionTime", Tells::kPlace},
                                 {"logStreamName", Tells::kPlace},   {"TopicArn", Tells::kPlace}};
  std::array<Telling, std::size(kOthers) + kDocumentLists.size()> out{};
  std::copy(std::begin(kOthers), std::end(kOthers), out.begin());
  for (size_t i = 0; i < kDocumentLists.size(); ++i) out[std::size(kOthers) + i] = {kDocumentLists[i], Tells::kList};
  return out;
}();

struct Wrapper {
  std::optional<dom::element> detail, list, trail, message;
  bool has_type = false;   // EventBridge's
  bool has_place = false;  // CloudWatch Logs and SNS say where a message comes from

  explicit Wrapper(const dom::object& object) {
    for (const auto& [key, value] : object) {
      for (const Telling& telling : kTelling) {
        if (telling.name != key) continue;
        switch (telling.tells) {
          case Tells::kType: has_type = true; break;
          case Tells::kPlace: has_place = true; break;
          case Tells::kDetail: detail = value.is_object() ? std::optional(value) : std::nullopt; break;
          case Tells::kTrail: trail = value.is_string() ? std::optional(value) : std::nullopt; break;
          case Tells::kMessage: message = value.is_string() ? std::optional(value) : std::nullopt; break;
          case Tells::kList:
            if (!list && value.is_array()) list = value;
            break;
        }
        break;
      }
    }
  }
  // The text of JSON that it is about, or nothing.
  std::string_view text() const {
    const std::optional<dom::element>& held = trail ? trail : has_place ? message : std::nullopt;
    std::string_view out;
    if (!held || held->get(out) != simdjson::SUCCESS) return {};
    const size_t begin = out.find_first_not_of(" \t\r\n");
    return begin != out.npos && out[begin] == '{' ? out.substr(begin) : std::string_view();
  }
};

}  // namespace

bool EventDocuments::Parse(std::string_view text, dom::parser* parser, std::string* mended, dom::element* out) const {
  const auto fine = [parser](simdjson::error_code error) {
    if (error != simdjson::MEMALLOC) return error == simdjson::SUCCESS;
    *parser = dom::parser();  // one that said so is not used again
    throw std::bad_alloc();
  };
  if (fine(parser->parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(*out))) return true;
  *mended = Mended(text);
  if (*mended == text) return false;
  mended->append(TextWindow::kPadding, '\0');
  mended->resize(mended->size() - TextWindow::kPadding);
  return fine(parser->parse(mended->data(), mended->size(), false).get(*out));
}

bool EventDocuments::Step(Visitor* visitor) {
  PieceFinder::Piece piece;
  if (!finder_.Next(&piece)) return false;
  visitor_ = visitor;
  byte_ = piece.offset;
  in_piece_ = 0;
  dom::element value;
  mended_.clear();
  if (Parse(piece.text, &parser_, &mended_, &value)) {
    Unwrap(value, mended_.empty() ? piece.text : mended_, piece.in_list ? 1 : 0);
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
  if (value.get(object) != simdjson::SUCCESS) return Give(value, text);
  const Wrapper wrapper(object);
  if (nesting >= kMostNesting) return Give(value, text);
  if (wrapper.has_type && wrapper.detail) return Unwrap(*wrapper.detail, {}, nesting + 1);
  if (wrapper.list) return Unwrap(*wrapper.list, {}, nesting + 1);
  if (inner_ || !UnwrapText(wrapper.text(), nesting)) Give(value, text);
}

bool EventDocuments::UnwrapText(std::string_view text, int nesting) {
  if (text.empty()) return false;
  inner_text_.assign(text).append(TextWindow::kPadding, '\0');
  inner_text_.resize(text.size());
  inner_mended_.clear();
  dom::element value;
  if (!Parse(inner_text_, &inner_parser_, &inner_mended_, &value)) return false;
  inner_ = true;
  Unwrap(value, inner_mended_.empty() ? inner_text_ : inner_mended_, nesting + 1);
  inner_ = false;
  return true;
}

void EventDocuments::Give(const dom::element& value, std::string_view text) {
  ++given_;
  visitor_->Take(value, text, byte_, in_piece_++);
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
