// KeyLayout: how the codes of a grouping's keys are packed into the words of one key.
#ifndef VPCFLOW_SRC_PLAN_GROUP_KEY_LAYOUT_H_
#define VPCFLOW_SRC_PLAN_GROUP_KEY_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "src/keys/codes.h"
#include "src/plan/bind/plan_impl.h"
#include "vpcflow/record/batch.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class KeyLayout {
 public:
  // Where the code of a key stands in the words.
  struct Place {
    FieldRef field;
    int slot;  // batch column
    size_t word;
    int shift;
    uint64_t mask;
    uint64_t Code(const uint64_t* key) const { return key[word] >> shift & mask; }
  };

  // `slots[i]` is the batch column of the plan's i-th field. The time bin, if there is one, comes first and has a word
  // of its own, so that the keys of a record's bins differ in one word.
  KeyLayout(const PlanImpl& plan, const std::vector<int>& slots);

  const std::vector<Place>& places() const { return places_; }
  size_t words() const { return words_; }
  // How many bits of the last word are in use.
  int last_bits() const;

  // Writes the keys of the rows of a batch, one behind another. The bin is that of the record's start.
  void MakeKeys(const Batch& batch, Encoder* encoder, std::vector<uint64_t>* keys);
  // Adds the codes of a key, translated, to the words of another that are 0.
  void Translate(const uint64_t* from, const CodeMap& codes, uint64_t* to) const {
    for (const Place& place : places_) to[place.word] |= codes(place.Code(from), place.field.kind()) << place.shift;
  }
  // Order of two keys by value: null last, addresses and texts by their text.
  int Compare(const uint64_t* a, const uint64_t* b, const Interner& interner) const;
  // Whether a key can be one of this layout, as far as the interner has numbers.
  bool IsKey(const uint64_t* key, const Interner& interner) const;

 private:
  int64_t every_;          // seconds of a time bin; 0 for none
  size_t start_slot_ = 0;  // batch column of the field start, if there are bins
  std::vector<Place> places_;
  size_t words_ = 0;
  std::vector<uint64_t> used_;   // of the words: the bits of codes
  std::vector<uint64_t> codes_;  // scratch, by row
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_PLAN_GROUP_KEY_LAYOUT_H_
