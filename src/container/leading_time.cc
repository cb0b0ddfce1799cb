#include "src/container/leading_time.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A text that is taken piece by piece.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text) {}

  size_t at() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }

  // A text of that shape: 0 stands for a digit, a for a letter.
  bool Take(std::string_view shape) {
    const std::string_view text = rest();
    if (text.size() < shape.size()) return false;
    for (size_t i = 0; i < shape.size(); ++i) {
      const char c = text[i], lower = static_cast<char>(c | 0x20);
      const bool fits = shape[i] == '0' ? IsDigit(c) : shape[i] == 'a' ? lower >= 'a' && lower <= 'z' : c == shape[i];
      if (!fits) return false;
    }
    at_ += shape.size();
    return true;
  }
  bool TakeOneOf(std::string_view chars) {
    if (rest().empty() || chars.find(rest()[0]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  size_t TakeDigits() {
    const size_t n = static_cast<size_t>(std::find_if_not(rest().begin(), rest().end(), IsDigit) - rest().begin());
    at_ += n;
    return n;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

void TakeFraction(Pieces* pieces) {
  const Pieces before = *pieces;
  // With a comma it is Python's of a log, of milliseconds; else the comma ends a cell.
  const bool comma = pieces->TakeOneOf(",");
  if (!comma && !pieces->TakeOneOf(".")) return;
  const size_t digits = pieces->TakeDigits();
  if (digits == 0 || (comma && (digits != 3 || !pieces->rest().starts_with(' ')))) *pieces = before;
}

// Whether a time may end before that text.
bool EndsTime(std::string_view rest) {
  return rest.empty() || std::string_view(" \t,;\"]").find(rest[0]) != std::string_view::npos;
}

void TakeZone(Pieces* pieces) {
  const Pieces before = *pieces;
  pieces->TakeOneOf(" ");
  const bool zone = pieces->Take("UTC") || pieces->Take("GMT") || pieces->TakeOneOf("Zz") ||
                    (pieces->TakeOneOf("+-") && (pieces->Take("00:00") || pieces->Take("0000")));
  if (!zone || !EndsTime(pieces->rest())) *pieces = before;
}

}  // namespace

size_t LeadingTime(std::string_view text) {
  Pieces pieces(text);
  if (const Pieces before = pieces; !pieces.Take("<") || pieces.TakeDigits() == 0 || !pieces.Take(">")) {
    pieces = before;
  } else {
    pieces.Take("1 ");  // the version of RFC 5424
  }
  const bool bracket = pieces.Take("[");
  if (pieces.Take("aaa 00 00:00:00") || pieces.Take("aaa  0 00:00:00")) {
    // syslog's
  } else {
    if (!pieces.Take("0000-00-00") && !pieces.Take("0000/00/00")) return 0;
    if (!pieces.TakeOneOf("Tt \t") || !pieces.Take("00:00:00")) return 0;
    TakeFraction(&pieces);
    TakeZone(&pieces);
  }
  if (bracket && !pieces.Take("]")) return 0;
  return EndsTime(pieces.rest()) ? pieces.at() : 0;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
