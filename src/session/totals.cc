#include "src/session/totals.h"

#include <algorithm>
#include <tuple>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Marks an end as blocked if an interface let none of its records through, but for an interface whose records came in
// behind it.
void MarkBlocked(const SessionStore& store, const Session& session, std::array<Passage, 2>* passage) {
  store.ForEachView(session, [&](const InterfaceView& at) {
    if (at.rejected == 0 || at.rejected < at.records) return;
    const bool passed = store.AnyView(session, [&](const InterfaceView& other) {
      if (other.from != at.from || other.rejected == other.records) return false;
      const bool same = other.interface == at.interface, one_not_told = other.flow == 0 || at.flow == 0;
      return (same && one_not_told) || (at.flow == InterfaceView::kEgress && other.flow == InterfaceView::kIngress &&
                                        (!same || at.interface == 0));
    });
    if (!passed) (*passage)[at.from] = Passage::kBlocked;
  });
}

}  // namespace

void AddUpViews(const SessionStore& store, const Session& session, const Interner& names, Vantage vantage,
                size_t client, SessionTotals* totals) {
  SessionTotals& out = *totals;
  out.sent = {};
  out.most_packets = out.most_bytes = {};
  out.passage = {};
  out.records = 0;
  out.interfaces.clear();
  std::array<int, 2> best{-1, -1};
  bool blocked = false;
  store.ForEachView(session, [&](const InterfaceView& view) {
    out.records += view.records;
    if (view.interface != 0 &&
        std::find(out.interfaces.begin(), out.interfaces.end(), view.interface) == out.interfaces.end())
      out.interfaces.push_back(view.interface);
    uint64_t &most_bytes = out.most_bytes[view.from], &most_packets = out.most_packets[view.from];
    std::tie(most_bytes, most_packets) = std::max(std::pair(most_bytes, most_packets), {view.bytes, view.packets});
    out.passage[view.from] = Passage::kPassed;
    blocked |= view.rejected > 0 && view.rejected == view.records;
    SentTotals& own = out.sent[view.from];
    const std::string_view name = view.interface == 0 ? std::string_view() : DecodeText(view.interface, names);
    if (vantage == Vantage::kAll) {
      own.packets += view.packets;
      own.bytes += view.bytes;
      if (view.interface != 0 && (own.interface == 0 || name < own.name))
        std::tie(own.interface, own.name) = std::pair(view.interface, name);
      return;
    }
    // At the client's side what the client sends goes out, and what the server sends comes in.
    const uint8_t wanted =
        (vantage == Vantage::kClient) == (view.from == client) ? InterfaceView::kEgress : InterfaceView::kIngress;
    const int rank = vantage == Vantage::kMost ? 0 : view.flow == wanted ? 1 : 0;
    const SentTotals candidate{view.packets, view.bytes, view.interface, name};
    const auto order = [](int n, const SentTotals& s) { return std::tuple(n, s.bytes, s.packets, s.name); };
    if (best[view.from] >= 0 && order(rank, candidate) <= order(best[view.from], own)) return;
    best[view.from] = rank;
    own = candidate;
  });
  if (blocked) MarkBlocked(store, session, &out.passage);
}

SessionFacts FactsOf(const EndpointPair& pair, const Session& session, size_t client, const SessionTotals& totals) {
  SessionFacts out;
  out.protocol = pair.protocol;
  out.v6 = pair.v6();
  out.flags_told = ((session.flags[0] | session.flags[1]) & kFlagsTold) != 0;
  for (const size_t i : {size_t{0}, size_t{1}}) {
    const size_t end = i == 0 ? client : 1 - client;
    out.passage[i] = totals.passage[end];
    out.packets[i] = totals.most_packets[end];
    out.bytes[i] = totals.most_bytes[end];
    out.flags[i] = session.flags[end] & ~kFlagsTold;
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
