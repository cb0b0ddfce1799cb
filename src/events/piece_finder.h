// PieceFinder: where documents stand in JSON of any length. What a piece holds is simdjson's to judge.
#ifndef VPCFLOW_SRC_EVENTS_PIECE_FINDER_H_
#define VPCFLOW_SRC_EVENTS_PIECE_FINDER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "src/events/text_window.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Members whose lists hold documents.
inline constexpr std::array<std::string_view, 7> kDocumentLists = {"Records", "Findings", "findings", "events",
                                                                   "Events",  "records",  "logEvents"};

// Finds values that follow each other, and the elements of arrays and of kDocumentLists. A value that is broken or cut
// does not take others with it: the next line that begins one is gone on with. O(bytes): none is looked at more than
// three times.
class PieceFinder {
 public:
  struct Piece {
    uint64_t offset = 0;      // in the text
    std::string_view text{};  // with TextWindow::kPadding bytes behind it, until the next call
    bool in_list = false;
  };

  explicit PieceFinder(std::unique_ptr<ByteStream> stream) : window_(std::move(stream)) {}

  // Finds the next piece. False at the end.
  bool Next(Piece* piece);

  const absl::Status& error() const { return window_.error(); }
  // Whether a list or a value was cut or broken, or longer than a document may be.
  bool damaged() const { return damaged_; }
  bool too_long() const { return too_long_; }

 private:
  enum class Place { kTop, kList, kRest };  // between values, in a list of them, behind one in its object
  enum class End { kWhole, kList, kBroken, kCut, kTooLong };
  class Nesting {  // the brackets that are open
   public:
    bool Open(bool object) {
      if (depth_ == kMost) return false;
      uint64_t& word = objects_[depth_ / 64];
      const uint64_t bit = uint64_t{1} << depth_ % 64;
      word = object ? word | bit : word & ~bit;
      ++depth_;
      return true;
    }
    bool in_object() const { return (objects_[(depth_ - 1) / 64] >> (depth_ - 1) % 64 & 1) != 0; }
    void Close() { --depth_; }
    size_t depth() const { return depth_; }

   private:
    static constexpr size_t kMost = 1024;  // simdjson's
    std::array<uint64_t, kMost / 64> objects_{};
    size_t depth_ = 0;
  };

  bool Need(size_t at) {
    while (window_.size() <= at) {
      if (!window_.More()) return false;
    }
    return true;
  }
  void SkipBlanks();
  void SkipBehindLine();
  void GoOnBehind(size_t broken_at, End end);
  std::pair<End, size_t> EndOfValue(bool in_object);
  std::pair<End, size_t> EndOfScalar();
  bool OpensDocumentList(size_t at) const;
  bool LineGoesOn(size_t at, const Nesting& nesting, size_t* next_at);
  bool BeginsBehindTime();
  bool Give(size_t end, Piece* piece);

  TextWindow window_;
  Place place_ = Place::kTop;
  bool in_object_ = false;    // the list is a member
  size_t given_ = 0;          // bytes of the last piece
  uint64_t lines_until_ = 0;  // a value that begins before this offset ends with its line
  bool damaged_ = false;
  bool too_long_ = false;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_PIECE_FINDER_H_
