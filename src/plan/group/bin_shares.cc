#include "src/plan/group/bin_shares.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// A record over more bins than this is not spread (AWS's windows are 10 minutes at most); it bounds what one line can
// do.
constexpr int64_t kMaxSpreadBins = 4096;

}  // namespace

void BinShares::Cut(const std::vector<int64_t>& starts, const std::vector<int64_t>& ends,
                    const std::vector<uint64_t>& keys, size_t words, GroupTable* table) {
  Clear(starts.size());
  key_.resize(words);
  for (size_t i = 0; i < starts.size(); ++i) {
    const int64_t start = starts[i], end = ends[i];
    if (start == kNullInt || end == kNullInt || end <= start) continue;
    const int64_t first = start / every_, last = (end - 1) / every_;
    if (first == last) continue;
    if (last - first >= kMaxSpreadBins) {
      ++unspread_;
      continue;
    }
    spread_[i] = 1;
    std::copy_n(keys.begin() + static_cast<ptrdiff_t>(i * words), words, key_.begin());
    for (int64_t bin = first; bin <= last; ++bin) {
      key_[0] = static_cast<uint64_t>(bin * every_) + 1;
      shares_.push_back({static_cast<uint32_t>(i), table->Find(key_.data()), std::max(bin * every_, start) - start,
                         std::min((bin + 1) * every_, end) - start, end - start});
    }
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
