// RecordView: one record over the caller's bytes, with typed getters that parse when they are called.
//
// Example:
//   vpcflow::RecordParser parser(vpcflow::Format::Default());
//   vpcflow::RecordView rec;
//   if (parser.Parse(line, &rec) == vpcflow::Errc::kOk && rec.dstport() == 22) Use(rec.srcaddr()->is_v4());
//
// Every getter returns std::optional: empty where the field is `-`, is not in the format, or is malformed. The last
// case is never silent: error() then says what was wrong, and a Reader counts the record as a reject.
//
// Lifetime: a view borrows the line, the parser's token table and its format. It is valid until the parser parses the
// next line (or the Reader steps on); vpcflow::Record owns a copy.
#ifndef VPCFLOW_RECORD_RECORD_VIEW_H_
#define VPCFLOW_RECORD_RECORD_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "vpcflow/base/errc.h"
#include "vpcflow/format/format.h"
#include "vpcflow/internal/lifetime.h"
#include "vpcflow/lines/token_index.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Where a record came from: the number of its source in the scan, and the offset of its line in the (unpacked) text.
// Compares by the order of the input.
struct Position {
  uint32_t source = 0;
  uint64_t offset = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

// For one thread at a time, its const members too: getters note the first malformed value. A Record gives each thread a
// view of its own. Throws nothing.
class RecordView {
 public:
  RecordView() = default;

  // Parses a field by its tag: rec.get<vpcflow::f::Bytes>(). O(length of the text).
  template <class F>
  std::optional<typename F::value_type> get() const {
    const int column = format_ == nullptr ? -1 : (*format_)->IndexOf(F::kField);
    if (column < 0) return std::nullopt;
    const Token token = tokens_[static_cast<size_t>(column)];
    const char* text = data_ + token.begin;
    const size_t size = token.end - token.begin;
    if (size == 0 || (size == 1 && *text == '-')) return std::nullopt;
    typename F::value_type value{};
    Errc e = Errc::kOk;
    if constexpr (F::type::kMax > 0 && F::type::kKind != Kind::kTime) {
      uint64_t number = 0;
      e = ParseUintBehind(text, size, token.begin, F::type::kMax, &number);
      value = static_cast<typename F::value_type>(number);
    } else {
      e = F::type::Parse(text, size, &value);
    }
    if (e == Errc::kOk) return value;
    if (errc_ == Errc::kOk) {
      errc_ = e;
      error_field_ = F::kField;
    }
    return std::nullopt;
  }

#define VPCFLOW_X(Id, getter, name, version, set, field_type, unit, always, meaning) \
  /* meaning */                                                                      \
  std::optional<f::Id::value_type> getter() const { return get<f::Id>(); }
  VPCFLOW_FIELDS(VPCFLOW_X)
#undef VPCFLOW_X

  // Returns the text of a field as it stands in the line: "-" if null, empty if the format lacks the field.
  std::string_view text(Field field) const {
    const int column = format_ == nullptr ? -1 : (*format_)->IndexOf(field);
    return column < 0 ? std::string_view() : text(static_cast<size_t>(column));
  }
  // Returns the text of a column of the format; column < format().size().
  std::string_view text(size_t column) const {
    const Token token = tokens_[column];
    return {data_ + token.begin, token.end - token.begin};
  }

#define VPCFLOW_X(Id, getter, name, version, set, field_type, unit, always, meaning) \
  case Field::k##Id: get<f::Id>(); break;
  // Parses a field and returns whether its value is well-formed (null is); if not, error() says why.
  bool Check(Field field) const {
    switch (field) {
      VPCFLOW_FIELDS(VPCFLOW_X)
      case Field::kUnknown: break;
    }
    return errc_ == Errc::kOk;
  }
#undef VPCFLOW_X

  // Returns false for NODATA and SKIPDATA records, which stand for no traffic.
  bool is_traffic() const {
    const LogStatus status = ParseLogStatus(text(Field::kLogStatus));
    return status != LogStatus::kNoData && status != LogStatus::kSkipData;
  }

  const Format& format() const { return **format_; }
  const std::shared_ptr<const Format>& shared_format() const { return *format_; }
  // Returns the place of the record; zero unless a Reader made the view. Lines are counted from 1.
  Position position() const { return position_; }
  uint64_t line_number() const { return line_number_; }

  // Returns the error of the first malformed value that a getter met, and its field.
  Errc error() const { return errc_; }
  Field error_field() const { return error_field_; }

  // Points the view at a split line, for parsers and readers. `tokens` has format->size() entries.
  void Reset(const char* data, TokenSpan tokens, const std::shared_ptr<const Format>* format, Position position = {},
             uint64_t line_number = 0) {
    data_ = data;
    tokens_ = tokens;
    format_ = format;
    position_ = position;
    line_number_ = line_number;
    errc_ = Errc::kOk;
    error_field_ = Field::kUnknown;
  }

 private:
  const char* data_ = nullptr;
  TokenSpan tokens_;
  const std::shared_ptr<const Format>* format_ = nullptr;
  Position position_;
  uint64_t line_number_ = 0;
  mutable Errc errc_ = Errc::kOk;
  mutable Field error_field_ = Field::kUnknown;
};

// Splits single lines by a format. For whole files use Reader (scan/reader.h), which also finds the format.
// For one thread at a time; a Format may be shared by parsers of several threads.
class RecordParser {
 public:
  explicit RecordParser(Format format) : RecordParser(std::make_shared<const Format>(std::move(format))) {}
  explicit RecordParser(std::shared_ptr<const Format> format) : format_(std::move(format)) {}
  RecordParser(const RecordParser&) = delete;
  RecordParser& operator=(const RecordParser&) = delete;

  // Splits a line. Returns kOk, kTooFewFields, kTooManyFields, kControlByte or, from 4 GiB on, kLineTooLong. The view
  // borrows `line` and this parser. O(length of the line).
  Errc Parse(std::string_view line VPCFLOW_LIFETIME_BOUND, RecordView* out) {
    if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
    if (line.size() > kMaxIndexedBytes) return Errc::kLineTooLong;
    IndexTokens(line.data(), line.size(), &index_);
    if (index_.line_count() == 0) return Errc::kTooFewFields;
    if (index_.line_count() > 1 || !index_.bad().empty()) return Errc::kControlByte;
    index_.SkipByteOrderMark(line.data(), 0);
    const TextLine& only = index_.line(0);
    if (only.count != format_->size()) return only.count < format_->size() ? Errc::kTooFewFields : Errc::kTooManyFields;
    out->Reset(line.data(), index_.tokens_of(only), &format_);
    return Errc::kOk;
  }
  template <internal::TemporaryText Temporary>
  Errc Parse(Temporary&& line, RecordView* out) = delete;  // the view would outlive its bytes

  const Format& format() const& { return *format_; }
  const Format& format() const&& = delete;

 private:
  std::shared_ptr<const Format> format_;
  TokenIndex index_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RECORD_RECORD_VIEW_H_
