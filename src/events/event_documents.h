// EventDocuments: the documents of a text, out of what wraps them.
#ifndef VPCFLOW_SRC_EVENTS_EVENT_DOCUMENTS_H_
#define VPCFLOW_SRC_EVENTS_EVENT_DOCUMENTS_H_

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "src/events/piece_finder.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class EventDocuments {
 public:
  class Visitor {
   public:
    virtual ~Visitor() = default;
    // `text` is the document as it stands, or empty if it stands within another one. All until the call is over.
    virtual void Take(const simdjson::dom::element& document, std::string_view text, uint64_t byte,
                      uint32_t number) = 0;
  };

  EventDocuments(std::string name, std::unique_ptr<ByteStream> stream)
      : name_(std::move(name)), finder_(std::move(stream)) {}

  // Takes the next piece and gives its documents. False at the end.
  bool Step(Visitor* visitor);

  // Why the text ended, if that was no end and no damage.
  absl::Status error() const;
  // Says what was damaged, at the end; empty for nothing.
  std::string Damage() const;

 private:
  static constexpr int kMostNesting = 4;

  bool Parse(std::string_view text, simdjson::dom::parser* parser, std::string* mended,
             simdjson::dom::element* out) const;
  void Unwrap(const simdjson::dom::element& value, std::string_view text, int nesting);
  // Gives the documents of a text of JSON that one holds; false if it is none.
  bool UnwrapText(std::string_view text, int nesting);
  void Give(const simdjson::dom::element& value, std::string_view text);

  std::string name_;
  PieceFinder finder_;
  simdjson::dom::parser parser_;
  simdjson::dom::parser inner_parser_;  // of a text within
  std::string mended_, inner_text_, inner_mended_;
  Visitor* visitor_ = nullptr;
  uint64_t byte_ = 0;      // of the piece in hand
  uint32_t in_piece_ = 0;  // documents that it gave
  uint64_t given_ = 0;
  uint64_t refused_ = 0;
  bool inner_ = false;  // the text in hand is one within another
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_EVENT_DOCUMENTS_H_
