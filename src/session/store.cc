#include "src/session/store.h"

#include <algorithm>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

uint32_t EndpointPair::Hash() const {
  const uint64_t ends = MixWords(address[0].hi ^ address[1].lo, address[0].lo ^ (uint64_t{port[1]} << 32 | port[0]));
  return static_cast<uint32_t>(
      MixWords(ends, address[1].hi ^ static_cast<uint64_t>(protocol) << 40 ^ address[1].lo * 31));
}

size_t SessionStore::bytes() const {
  return ids_.bytes() + pairs_.size() * (sizeof(EndpointPair) + sizeof(uint32_t)) + sessions_.size() * sizeof(Session) +
         views_.size() * sizeof(InterfaceView);
}

uint32_t SessionStore::PairId(const EndpointPair& pair) {
  uint32_t id = 0;
  PairIds({&pair, 1}, &id);
  return id;
}

void SessionStore::PairIds(std::span<const EndpointPair> pairs, uint32_t* ids) {
  hashes_.resize(pairs.size());
  for (size_t i = 0; i < pairs.size(); ++i) hashes_[i] = pairs[i].Hash();
  ids_.InsertAll(
      pairs.size(), [&](size_t i) { return hashes_[i]; },
      [&](const Slot& s, size_t i) { return s.hash_value == hashes_[i] && pairs_[s.id] == pairs[i]; },
      [&](Slot& s, size_t i, bool added) {
        if (added) {
          s = {hashes_[i], static_cast<uint32_t>(pairs_.size())};
          pairs_.push_back(pairs[i]);
          heads_.push_back(kNone);
        }
        ids[i] = s.id;
      });
}

void SessionStore::AddView(Session* session, const InterfaceView& view) {
  for (uint32_t v = session->views; v != kNone; v = views_[v].next) {
    InterfaceView& own = views_[v];
    if (own.interface != view.interface || own.from != view.from || own.flow != view.flow) continue;
    own.packets += view.packets;
    own.bytes += view.bytes;
    own.records += view.records;
    own.rejected += view.rejected;
    return;
  }
  uint32_t at;
  if (free_views_.empty()) {
    at = static_cast<uint32_t>(views_.size());
    views_.push_back(view);
  } else {
    at = free_views_.back();
    free_views_.pop_back();
    views_[at] = view;
  }
  views_[at].next = std::exchange(session->views, at);
}

// Adds all of a session but its views to another.
void SessionStore::Absorb(Session* into, const Session& other) {
  into->start = std::min(into->start, other.start);
  into->end = std::max(into->end, other.end);
  for (size_t i = 0; i < 2; ++i) {
    into->first[i] = std::min(into->first[i], other.first[i]);
    into->first_seen[i] = std::min(into->first_seen[i], other.first_seen[i]);
    into->flags[i] |= other.flags[i];
  }
}

void SessionStore::Add(uint32_t pair, const Session& session, std::span<const InterfaceView> views) {
  uint32_t into = kNone;
  for (uint32_t* link = &heads_[pair]; *link != kNone;) {
    const uint32_t at = *link;
    const Session& candidate = sessions_[at];
    const int64_t start = into == kNone ? session.start : sessions_[into].start,
                  end = into == kNone ? session.end : sessions_[into].end;
    if (candidate.start > end + idle_ || start > candidate.end + idle_) {
      link = &sessions_[at].next;
      continue;
    }
    if (into == kNone) {
      into = at;
      Absorb(&sessions_[into], session);
      link = &heads_[pair];  // it has grown: look at all others again
      continue;
    }
    if (at == into) {
      link = &sessions_[at].next;
      continue;
    }
    *link = candidate.next;
    Absorb(&sessions_[into], candidate);
    for (uint32_t v = candidate.views; v != kNone;) {
      const uint32_t next = views_[v].next;
      const InterfaceView view = views_[v];
      free_views_.push_back(v);
      AddView(&sessions_[into], view);
      v = next;
    }
    free_sessions_.push_back(at);
    --size_;
    link = &heads_[pair];
  }
  if (into == kNone) {
    if (free_sessions_.empty()) {
      into = static_cast<uint32_t>(sessions_.size());
      sessions_.push_back(session);
    } else {
      into = free_sessions_.back();
      free_sessions_.pop_back();
      sessions_[into] = session;
    }
    sessions_[into].views = kNone;
    sessions_[into].next = std::exchange(heads_[pair], into);
    ++size_;
  }
  for (const InterfaceView& view : views) AddView(&sessions_[into], view);
}

void SessionStore::AddAll(std::span<const EndpointPair> pairs, std::span<const Session> sessions,
                          std::span<const InterfaceView> views) {
  // A batch at a time, so that the cache misses of its pairs overlap; then those of what the pairs have.
  new_ids_.resize(pairs.size());
  PairIds(pairs, new_ids_.data());
  constexpr size_t kHead = 24, kSession = 16, kView = 8;
  const size_t n = new_ids_.size();
  const auto head_of = [&](size_t i) { return heads_[new_ids_[std::min(i, n - 1)]]; };
  for (size_t i = 0; i < n; ++i) {
    __builtin_prefetch(&heads_[new_ids_[std::min(i + kHead, n - 1)]]);
    if (const uint32_t session = head_of(i + kSession); session != kNone) {
      __builtin_prefetch(&sessions_[session]);
      __builtin_prefetch(&sessions_[session].views);  // a session has two lines
    }
    if (const uint32_t session = head_of(i + kView); session != kNone) PrefetchViews(sessions_[session]);
    Add(new_ids_[i], sessions[i], {&views[i], 1});
  }
}

void SessionStore::Merge(const SessionStore& other, const CodeMap& codes) {
  std::vector<InterfaceView> views;
  for (uint32_t p = 0; p < other.pairs(); ++p) {
    const uint32_t own = PairId(other.pair(p));
    other.ForEachOf(p, [&](const Session& session) {
      views.clear();
      other.ForEachView(session, [&](const InterfaceView& view) {
        views.push_back(view);
        views.back().interface = codes(view.interface, Kind::kText);
      });
      Add(own, session, views);
    });
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
