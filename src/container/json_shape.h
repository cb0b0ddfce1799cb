// JsonShape: how the objects of one writer look. Most have the same members in the same order with the same bytes
// around their values: then to find the values is to compare what stands between them.
#ifndef VPCFLOW_SRC_CONTAINER_JSON_SHAPE_H_
#define VPCFLOW_SRC_CONTAINER_JSON_SHAPE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/container/json_bytes.h"
#include "src/container/record_lines.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Bytes that stand between two values.
class JsonGlue {
 public:
  explicit JsonGlue(std::string_view text);
  size_t size() const { return text_.size(); }
  // Whether they stand at p, where kPadding bytes can be read.
  bool IsAt(const char* p) const {
    const unsigned same = JsonBytes(p).SameAs(first_.data()) | JsonBytes(p + kJsonBytes).SameAs(&first_[kJsonBytes])
                                                                   << kJsonBytes;
    return (~same & needed_) == 0 && (text_.size() <= first_.size() || IsAtInFull(p));
  }

 private:
  bool IsAtInFull(const char* p) const { return std::memcmp(p, text_.data(), text_.size()) == 0; }

  std::array<char, 2 * kJsonBytes> first_{};
  unsigned needed_;  // bits of the bytes of first_ that count
  std::string text_;
};

struct JsonShape {
  static constexpr size_t kMostMembers = 256;
  static constexpr size_t kLongestGlue = 1024;
  static constexpr uint16_t kNoColumn = UINT16_MAX;

  struct Member {
    JsonGlue before;  // from the value before it, without the quotes of the values
    uint16_t column;  // of its value, or kNoColumn; of a message 0
    Spelling spelling;
  };
  std::vector<Member> members;
  JsonGlue behind{""};           // the last value, up to the end of the object
  std::vector<uint16_t> absent;  // columns that it has no value for
  size_t columns = 0;
  size_t line_ends = 0;     // within the object
  bool is_message = false;  // its record is the text of one member

  // The shape of an object that is a whole line, has no brackets or escapes in it, and made `lines` write one line of
  // that kind, if all objects with its names do that; nothing of another.
  static std::optional<JsonShape> Of(std::string_view line, LineKind kind, const RecordLines& lines);
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_JSON_SHAPE_H_
