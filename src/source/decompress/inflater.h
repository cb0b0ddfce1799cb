// Inflater: the gzip decoder that the build has, one member at a time. By ISA-L if it was found, else by zlib.
#ifndef VPCFLOW_SRC_SOURCE_DECOMPRESS_INFLATER_H_
#define VPCFLOW_SRC_SOURCE_DECOMPRESS_INFLATER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class Inflater {
 public:
  // The input of each step must have so many bytes of the input before it in front of it: a decoder that looked ahead
  // may take them back.
  static constexpr size_t kLookBack = 16;

  enum class State { kInMember, kMemberEnd, kDamaged };
  struct Step {
    State state = State::kInMember;
    ptrdiff_t consumed = 0;  // negative if it takes bytes back
    size_t written = 0;
    const char* problem = nullptr;  // of kDamaged
    bool exact = true;              // `written` ends before the damage
  };

  virtual ~Inflater() = default;
  // Begins a member. False without memory.
  virtual bool Begin() = 0;
  // Inflates until the input or the output is at its end, or the member is; its checksum and length are then verified.
  virtual Step Run(const char* in, size_t in_size, char* out, size_t out_size) = 0;

  static std::unique_ptr<Inflater> Make();
  static const char* Name();
};

// zlib's, in every build: ISA-L (2.30) takes the checksum of a gzip header, which few members have, for wrong, and
// misreads headers that its input cuts.
std::unique_ptr<Inflater> MakeZlibInflater();

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_DECOMPRESS_INFLATER_H_
