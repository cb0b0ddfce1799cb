#include "src/plan/group/key_layout.h"

#include <algorithm>
#include <bit>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr int kTimeBits = 44;

uint64_t MaskOf(int bits) { return bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1; }

}  // namespace

KeyLayout::KeyLayout(const PlanImpl& plan, const std::vector<int>& slots) : every_(plan.spec.every) {
  size_t word = 0;
  int used = 0;
  if (every_ > 0) {
    start_slot_ = static_cast<size_t>(slots[static_cast<size_t>(plan.start_slot)]);
    places_.push_back(
        {FieldRef{Field::kStart, "start", nullptr}, static_cast<int>(start_slot_), 0, 0, MaskOf(kTimeBits)});
    word = 1;
  }
  for (const int key : plan.key_slots) {
    const FieldRef& field = plan.fields[static_cast<size_t>(key)];
    const int bits = CodeBits(field);
    if (used + bits > 64) {
      ++word;
      used = 0;
    }
    places_.push_back({field, slots[static_cast<size_t>(key)], word, used, MaskOf(bits)});
    used += bits;
  }
  words_ = places_.empty() ? 0 : places_.back().word + 1;
  used_.resize(words_, 0);
  for (const Place& place : places_) used_[place.word] |= place.mask << place.shift;
}

int KeyLayout::last_bits() const {
  return places_.empty() ? 0 : places_.back().shift + static_cast<int>(std::bit_width(places_.back().mask));
}

void KeyLayout::MakeKeys(const Batch& batch, Encoder* encoder, std::vector<uint64_t>* out) {
  if (places_.size() == 1 && every_ == 0) {  // the code is the key
    return encoder->Encode(batch, static_cast<size_t>(places_[0].slot), out);
  }
  std::vector<uint64_t>& keys = *out;
  keys.resize(batch.rows * words_);
  // A time bin alone is written whole.
  if (words_ > 1 || every_ == 0) std::fill(keys.begin(), keys.end(), uint64_t{0});
  for (size_t p = 0; p < places_.size(); ++p) {
    const Place& place = places_[p];
    if (p == 0 && every_ > 0) {
      const std::vector<int64_t>& start = batch.columns[start_slot_].ints;
      // Of numbers below 2^44, as times are, the quotient of doubles is never rounded up to a whole number, and its
      // division takes a third of the time.
      const auto every = static_cast<double>(every_);
      for (size_t i = 0; i < batch.rows; ++i) {
        const auto bin = static_cast<int64_t>(static_cast<double>(start[i]) / every);
        keys[i * words_] = start[i] == kNullInt ? 0 : static_cast<uint64_t>(bin * every_) + 1;
      }
      continue;
    }
    encoder->Encode(batch, static_cast<size_t>(place.slot), &codes_);
    for (size_t i = 0; i < batch.rows; ++i) keys[i * words_ + place.word] |= codes_[i] << place.shift;
  }
}

int KeyLayout::Compare(const uint64_t* a, const uint64_t* b, const Interner& interner) const {
  for (const Place& place : places_) {
    const uint64_t x = place.Code(a), y = place.Code(b);
    if (x == y) continue;
    if (x == 0 || y == 0) return x == 0 ? 1 : -1;
    switch (place.field.kind()) {
      case Kind::kAddress: return CompareAddressText(DecodeAddress(x, interner), DecodeAddress(y, interner));
      case Kind::kText: return DecodeText(x, interner) < DecodeText(y, interner) ? -1 : 1;
      default: return x < y ? -1 : 1;
    }
  }
  return 0;
}

bool KeyLayout::IsKey(const uint64_t* key, const Interner& interner) const {
  for (size_t w = 0; w < words_; ++w) {
    if ((key[w] & ~used_[w]) != 0) return false;
  }
  return std::all_of(places_.begin(), places_.end(),
                     [&](const Place& place) { return IsCode(place.Code(key), place.field, interner); });
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
