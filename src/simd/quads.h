// A table for dotted quads: from where the dots stand to how the digits must be shuffled. After Daniel Lemire and
// Jeroen Koekkoek's observation that there are only 81 shapes (four parts of one to three digits), so that a multiply
// tells them apart.
#ifndef VPCFLOW_SRC_SIMD_QUADS_H_
#define VPCFLOW_SRC_SIMD_QUADS_H_

#include <stdint.h>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct alignas(32) QuadShape {
  // To hundreds, tens and ones of each part, 0x80 for none, and a byte that may not be '0': the first one of a part of
  // several digits, so that there is no leading zero, or any dot.
  uint8_t shuffle[16];
  uint32_t bits;  // the dots and the end; 0 in entries of no shape
};

struct QuadTable {
  static constexpr uint32_t kMultiplier = 0xD6AF10D1;  // found by trying; different for all shapes, as Make checks
  static constexpr uint32_t Slot(uint32_t bits) { return (bits * kMultiplier) >> 24; }

  QuadShape shapes[256];

  // Not a constant expression if two shapes fall together.
  static constexpr QuadTable Make() {
    QuadTable table{};
    for (uint32_t n = 0; n < 81; ++n) {
      const uint32_t sizes[4] = {n / 27 + 1, n / 9 % 3 + 1, n / 3 % 3 + 1, n % 3 + 1};
      QuadShape shape{};
      uint32_t at = 0;
      for (uint32_t part = 0; part < 4; ++part) {
        for (uint32_t digit = 0; digit < 3; ++digit) {
          const bool there = digit + sizes[part] >= 3;
          shape.shuffle[4 * part + digit] = there ? static_cast<uint8_t>(at + digit + sizes[part] - 3) : uint8_t{0x80};
        }
        shape.shuffle[4 * part + 3] = static_cast<uint8_t>(sizes[part] > 1 ? at : sizes[0]);
        at += sizes[part];
        shape.bits |= 1u << at;
        ++at;
      }
      if (table.shapes[Slot(shape.bits)].bits != 0) __builtin_unreachable();
      table.shapes[Slot(shape.bits)] = shape;
    }
    return table;
  }
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_QUADS_H_
