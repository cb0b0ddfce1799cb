// Kernels: the inner loops that gain from vector instructions, one set for each instruction set, chosen at run time.
//
// Every set writes the same bytes. VPCFLOW_FORCE_SIMD=swar|sse2|avx2|avx512bw|avx512vbmi2|neon64 picks one that the
// processor has.
#ifndef VPCFLOW_SRC_SIMD_KERNELS_H_
#define VPCFLOW_SRC_SIMD_KERNELS_H_

#include <stddef.h>
#include <stdint.h>

#include "vpcflow/internal/recent_text.h"
#include "vpcflow/internal/text_indexer.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr int64_t kNullInteger = INT64_MIN;

// One column of some records: record i's value is the token at begins[records[i]] + bias, ends[records[i]].
struct TokenColumn {
  const char* data;
  size_t size;  // of the text
  const uint32_t* begins;
  const uint32_t* ends;
  uint32_t bias;
  const uint32_t* records;
  size_t count;
};

// A column of whole numbers: in each record the token `place` tokens behind the record's first one. Plain values: 1 to
// max_digits (16 at most) digits, at most `max`. The numbers of records whose value is not plain go to `left`.
struct IntegerColumn {
  uint32_t place;
  uint32_t max_digits;
  uint64_t max;
  int64_t* out;    // room for one a record
  uint32_t* left;  // likewise
  size_t n_left;
};

struct Kernels {
  const char* name;
  // Fills the arrays for a text of `size` bytes.
  void (*index)(const char* data, size_t size, TokenArrays* out);
  // The column kernels convert the plain values and leave the others (malformed, rare shapes, too near to the edges of
  // the text to load 16 bytes) to the caller. `-` is null: kNullInteger and 0.
  // Several columns of the same records, in the order of their places; fastest all at once.
  void (*integers)(const TokenColumn& records, IntegerColumn* columns, size_t n);
  // Plain: dotted quads. Writes kCodeV4 | address; the numbers of records left go to `left`, their count is returned.
  size_t (*addresses)(const TokenColumn& column, uint64_t* out, uint32_t* left);
  // Of some records, given by their numbers: plain IPv6 addresses (digits, at most one `::`, inside) as two words each,
  // the first one highest, and in `good` which are.
  void (*ipv6)(const TokenColumn& column, const uint32_t* rows, size_t n, uint64_t* words, uint8_t* good);
  // Plain: texts among `recent` (kRecentTexts of them). Writes their codes; likewise.
  size_t (*texts)(const TokenColumn& column, const RecentText* recent, uint32_t* codes, uint32_t* left);
};

// The sets of this build, the portable one first, and whether the processor has what each needs.
struct BuiltKernels {
  const Kernels* kernels;
  bool usable;
};
size_t AllKernels(const BuiltKernels** out);

// The set in use: the best one, or the one that VPCFLOW_FORCE_SIMD names if it is usable. Settled at the first call.
const Kernels& ActiveKernels();

// One function for each set that this build may have; null where the compiler's target lacks it.
const Kernels* Sse2Kernels();
const Kernels* Avx2Kernels();
const Kernels* Avx512bwKernels();
const Kernels* Avx512Vbmi2Kernels();
const Kernels* Neon64Kernels();

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SIMD_KERNELS_H_
