// JsonSplitter: JSON of any length in pieces that can be parsed one by one. What a piece holds is simdjson's to judge.
#ifndef VPCFLOW_SRC_CONTAINER_JSON_SPLITTER_H_
#define VPCFLOW_SRC_CONTAINER_JSON_SPLITTER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The members of a document whose arrays hold entries: of CloudWatch Logs, Kinesis, Firehose, Logs Insights, OTLP.
inline constexpr std::string_view kEntryMembers[] = {"events",  "logEvents", "Records",
                                                     "records", "results",   "resourceLogs"};

// Those of a member of a document: of the answers of Elastic, Loki and Athena.
inline constexpr std::pair<std::string_view, std::string_view> kInnerEntryMembers[] = {
    {"hits", "hits"}, {"data", "result"}, {"ResultSet", "Rows"}};

class JsonSplitter {
 public:
  // No piece to be parsed is longer: simdjson takes up to 18 times its size. Subscriptions send 1 MB, Lambda 6 MB.
  static constexpr size_t kMaxPiece = size_t{8} << 20;

  enum class Kind {
    kMore,      // no piece in the text that is left: give it again with more behind it; with `last`, all is told
    kNone,      // no piece, but something to be passed over
    kElement,   // of an array that is a document
    kEntry,     // of an array that is one of a document's kEntryMembers or kInnerEntryMembers
    kDocument,  // a document, such arrays in it empty; or a line outside of all brackets
    kTooLong,   // the beginning of a piece of more than kMaxPiece, whose rest is passed over
    kCut,       // the beginning of a document whose end is missing
  };
  struct Piece {
    Kind kind;
    std::string_view text;  // with kPadding bytes behind it if the text given has them; valid until the next call
    size_t consumed;        // bytes at the beginning of the text given that are done with
  };
  static constexpr size_t kPadding = 64;
  // Zeros behind the end of a text: simdjson looks there before it knows that nothing counts.
  static void Pad(std::string* text) {
    text->append(kPadding, '\0');
    text->resize(text->size() - kPadding);
  }

  // The next piece. `text` goes on where the bytes consumed so far end; `last` tells that nothing follows it. O(size),
  // however it comes. A line end ends a string, as none can be within one: what a lost quote makes a string of ends
  // there.
  Piece Next(std::string_view text, bool last);

  // What a piece would be that begins where the text consumed so far ends, be it an entry behind a comma or a document;
  // kNone within a piece.
  Kind border() const;

  // Whether it goes on within an array of entries.
  bool in_entries() const { return entries_ > 0; }
  // Whether the text goes on within a document.
  bool in_document() const { return depth_ > 0 || (!document_.empty() && !told_); }

 private:
  Piece Consume(Kind kind, std::string_view text);
  Piece Document(std::string_view text);
  Piece EndOfText(std::string_view text, bool last);
  void SkipString(std::string_view text);
  std::string BeforeValue(std::string_view text) const;
  bool AtEntries(std::string_view text) const;
  void EnterMember(std::string_view text);

  size_t at_ = 0;                                    // looked at up to here, in the text given
  size_t depth_ = 0;                                 // brackets that are open
  size_t entries_ = 0;                               // the depth within the array of entries that is open, or 0
  const std::string_view* inner_entries_ = nullptr;  // of the member that is open, if it may hold any
  bool in_string_ = false;
  bool after_comma_ = false;        // of the entries: another must follow
  bool passing_over_ = false;       // the rest of an entry that is too long,
  bool document_too_long_ = false;  // of a document
  bool told_ = false;               // document_ was given out
  std::string document_;            // what was consumed of the document, without its entries
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_JSON_SPLITTER_H_
