// EventDocuments: the documents of a text, out of what wraps them.
#ifndef VPCFLOW_SRC_EVENTS_EVENT_DOCUMENTS_H_
#define VPCFLOW_SRC_EVENTS_EVENT_DOCUMENTS_H_

#include <simdjson.h>

#include <array>
#include <cstddef>
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
    // A line that is no JSON, if those are asked for.
    virtual void TakeLine(std::string_view /*line*/, uint64_t /*byte*/, uint32_t /*number*/) {}
  };

  // `lines`: lines that are no JSON are given, too.
  EventDocuments(std::string name, std::unique_ptr<ByteStream> stream, bool lines)
      : name_(std::move(name)), finder_(std::move(stream)), lines_(lines) {}

  // Takes the next piece and gives its documents. False at the end.
  bool Step(Visitor* visitor);

  // Why the text ended, if that was no end and no damage.
  absl::Status error() const;
  // Says what was damaged, at the end; empty for nothing.
  std::string Damage() const;

 private:
  static constexpr int kMostNesting = 4;
  // What a value is parsed into: the piece in hand, and texts within texts.
  struct Level {
    simdjson::dom::parser parser{};
    std::string text{}, mended{};
  };
  static constexpr size_t kMostLevels = 4;

  bool Parse(std::string_view text, Level* level, simdjson::dom::element* out) const;
  void Unwrap(const simdjson::dom::element& value, std::string_view text, int nesting);
  // Gives the documents, or lines, of a text, or of base64, that one holds; false if it has none.
  bool UnwrapText(std::string_view text, int nesting);
  bool UnwrapBlob(std::string_view blob, int nesting);
  void Give(const simdjson::dom::element& value, std::string_view text);
  void GiveLines(std::string_view text);

  std::string name_;
  PieceFinder finder_;
  std::array<Level, kMostLevels> levels_;
  size_t level_ = 0;  // of the value in hand
  Visitor* visitor_ = nullptr;
  uint64_t byte_ = 0;      // of the piece in hand
  uint32_t in_piece_ = 0;  // documents that it gave
  uint64_t given_ = 0;
  uint64_t refused_ = 0;
  bool lines_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_EVENT_DOCUMENTS_H_
