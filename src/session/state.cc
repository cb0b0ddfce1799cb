#include "src/session/state.h"

#include <algorithm>
#include <optional>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The columns of a batch by name.
struct SessionState::Columns {
  explicit Columns(const SessionState& state, const Batch& b) : batch(b) {
    const auto find = [&](Field field) { return &batch.columns[state.ColumnOf(field)]; };
    src = find(Field::kSrcAddr);
    dst = find(Field::kDstAddr);
    pkt_src = find(Field::kPktSrcAddr);
    pkt_dst = find(Field::kPktDstAddr);
    srcport = find(Field::kSrcPort);
    dstport = find(Field::kDstPort);
    protocol = find(Field::kProtocol);
    packets = find(Field::kPackets);
    bytes = find(Field::kBytes);
    start = find(Field::kStart);
    end = find(Field::kEnd);
    flags = find(Field::kTcpFlags);
    action = find(Field::kAction);
    direction = find(Field::kFlowDirection);
    type = find(Field::kInterfaceType);
  }
  std::string_view text(const Column* column, size_t row) const {
    const uint32_t code = column->texts[row];
    return code == kNullText ? std::string_view() : column->dictionary->text(code);
  }
  const Batch& batch;
  const Column *src, *dst, *pkt_src, *pkt_dst, *srcport, *dstport, *protocol, *packets, *bytes, *start, *end, *flags,
      *action, *direction, *type;
};

uint32_t SessionState::Key::Hash() const {
  const uint64_t ends = MixWords(address[0].hi ^ address[1].lo, address[0].lo ^ (uint64_t{port[1]} << 32 | port[0]));
  return static_cast<uint32_t>(
      MixWords(ends, address[1].hi ^ static_cast<uint64_t>(protocol) << 40 ^ address[1].lo * 31));
}

SessionState::SessionState(const SessionSpec& spec, const SessionColumns& columns, bool filtered)
    : spec_(spec), columns_(columns), filtered_(filtered) {
  intermediaries_.insert(spec.intermediaries.begin(), spec.intermediaries.end());
}

size_t SessionState::ColumnOf(Field field) const {
  return columns_[static_cast<size_t>(std::find(kSessionFields.begin(), kSessionFields.end(), field) -
                                      kSessionFields.begin())];
}

size_t SessionState::bytes() const {
  return ids_.bytes() + keys_.size() * (sizeof(Key) + sizeof(uint32_t)) + runs_.size() * sizeof(Run) +
         views_.size() * sizeof(View) + encoder_.interner().bytes() +
         (intermediaries_.size() + translations_.size()) * 96;
}

uint32_t SessionState::KeyId(const Key& key) {
  uint32_t id = 0;
  KeyIds({&key, 1}, &id);
  return id;
}

void SessionState::KeyIds(std::span<const Key> keys, uint32_t* ids) {
  hashes_.resize(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) hashes_[i] = keys[i].Hash();
  ids_.InsertAll(
      keys.size(), [&](size_t i) { return hashes_[i]; },
      [&](const KeySlot& s, size_t i) { return s.hash_value == hashes_[i] && keys_[s.id] == keys[i]; },
      [&](KeySlot& s, size_t i, bool added) {
        if (added) {
          s = {hashes_[i], static_cast<uint32_t>(keys_.size())};
          keys_.push_back(keys[i]);
          heads_.push_back(kNone);
        }
        ids[i] = s.id;
      });
}

void SessionState::AddView(Run* run, const View& view) {
  for (uint32_t v = run->views; v != kNone; v = views_[v].next) {
    View& own = views_[v];
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
  views_[at].next = std::exchange(run->views, at);
}

// All of a run but its views.
void SessionState::Absorb(Run* into, const Run& other) {
  into->start = std::min(into->start, other.start);
  into->end = std::max(into->end, other.end);
  for (size_t i = 0; i < 2; ++i) {
    into->first[i] = std::min(into->first[i], other.first[i]);
    into->first_seen[i] = std::min(into->first_seen[i], other.first_seen[i]);
    into->flags[i] |= other.flags[i];
  }
}

// Adds a run to a key: alone, or grown together with all of its runs that are near.
void SessionState::AddRun(uint32_t key, const Run& run, std::span<const View> views) {
  uint32_t into = kNone;
  for (uint32_t* link = &heads_[key]; *link != kNone;) {
    const uint32_t at = *link;
    const Run& candidate = runs_[at];
    const int64_t start = into == kNone ? run.start : runs_[into].start,
                  end = into == kNone ? run.end : runs_[into].end;
    if (candidate.start > end + spec_.idle || start > candidate.end + spec_.idle) {
      link = &runs_[at].next;
      continue;
    }
    if (into == kNone) {
      into = at;
      Absorb(&runs_[into], run);
      link = &heads_[key];  // it has grown: look at all others again
      continue;
    }
    if (at == into) {
      link = &runs_[at].next;
      continue;
    }
    *link = candidate.next;
    Absorb(&runs_[into], candidate);
    for (uint32_t v = candidate.views; v != kNone;) {
      const uint32_t next = views_[v].next;
      const View view = views_[v];
      free_views_.push_back(v);
      AddView(&runs_[into], view);
      v = next;
    }
    free_runs_.push_back(at);
    --live_;
    link = &heads_[key];
  }
  if (into == kNone) {
    if (free_runs_.empty()) {
      into = static_cast<uint32_t>(runs_.size());
      runs_.push_back(run);
    } else {
      into = free_runs_.back();
      free_runs_.pop_back();
      runs_[into] = run;
    }
    runs_[into].views = kNone;
    runs_[into].next = std::exchange(heads_[key], into);
    ++live_;
  }
  for (const View& view : views) AddView(&runs_[into], view);
}

void SessionState::TakeRecord(const Columns& c, size_t row) {
  const auto address = [&](const Column* column) -> std::optional<Ip> {
    const AddressCode code = column->addresses[row];
    return code == kNullAddress ? std::nullopt : std::optional<Ip>(c.batch.address(code));
  };
  const auto number = [&](const Column* column, int64_t none) {
    return column->ints[row] == kNullInt ? none : column->ints[row];
  };
  const std::optional<Ip> src = address(c.src), dst = address(c.dst);
  if (!src || !dst || c.start->ints[row] == kNullInt) return;
  const Ip from = address(c.pkt_src).value_or(*src), to = address(c.pkt_dst).value_or(*dst);
  const auto protocol = static_cast<int32_t>(number(c.protocol, -1));
  const std::array<uint32_t, 2> sent_ports = {static_cast<uint32_t>(number(c.srcport, kNone)),
                                              static_cast<uint32_t>(number(c.dstport, kNone))};
  if (from != *src) translations_.insert({*src, from, sent_ports[0], protocol});
  if (to != *dst) translations_.insert({*dst, to, sent_ports[1], protocol});
  const std::string_view direction = c.text(c.direction, row), type = c.text(c.type, row);
  const uint8_t flow = direction == "ingress" ? 1 : direction == "egress" ? 2 : 0;
  if (flow != 0 && (type == "nat_gateway" || type == "regional_nat_gateway" || type == "network_load_balancer"))
    intermediaries_.insert(flow == 1 ? *dst : *src);

  std::array<Ip, 2> ends = {from, to};
  std::array<uint32_t, 2> ports = sent_ports;
  const uint8_t sender = std::pair(ends[1], ports[1]) < std::pair(ends[0], ports[0]) ? 1 : 0;
  if (sender == 1) {
    std::swap(ends[0], ends[1]);
    std::swap(ports[0], ports[1]);
  }
  Run run;
  run.start = c.start->ints[row];
  run.end = std::max(run.start, number(c.end, run.start));
  run.first = run.first_seen = {kNever, kNever};
  run.first[sender] = run.start;
  if (flow != 0) run.first_seen[sender] = run.start;
  if (const int64_t flags = number(c.flags, -1); flags >= 0)
    run.flags[sender] = (static_cast<uint32_t>(flags) & ~kFlagsTold) | kFlagsTold;
  const bool rejected = c.text(c.action, row) == "REJECT";
  if (!rejected) flows_ |= static_cast<uint8_t>(1 << flow);
  new_views_.push_back({interfaces_[row], static_cast<uint64_t>(number(c.packets, 0)),
                        static_cast<uint64_t>(number(c.bytes, 0)), 1, rejected ? uint64_t{1} : 0, kNone, sender, flow});
  new_runs_.push_back(run);
  new_keys_.push_back({ends, ports, protocol});
}

void SessionState::Consume(const Batch& batch) {
  const Columns columns(*this, batch);
  encoder_.Encode(batch, ColumnOf(Field::kInterfaceId), &interfaces_);
  new_keys_.clear();
  new_runs_.clear();
  new_views_.clear();
  for (size_t row = 0; row < batch.rows; ++row) TakeRecord(columns, row);
  // A batch at a time, so that the cache misses of its keys overlap; then those of what the keys have.
  new_ids_.resize(new_keys_.size());
  KeyIds(new_keys_, new_ids_.data());
  constexpr size_t kHead = 24, kRun = 16, kView = 8;
  const size_t n = new_ids_.size();
  const auto head_of = [&](size_t i) { return heads_[new_ids_[std::min(i, n - 1)]]; };
  for (size_t i = 0; i < n; ++i) {
    __builtin_prefetch(&heads_[new_ids_[std::min(i + kHead, n - 1)]]);
    if (const uint32_t run = head_of(i + kRun); run != kNone) {
      __builtin_prefetch(&runs_[run]);
      __builtin_prefetch(&runs_[run].views);  // a run has two lines
    }
    if (const uint32_t run = head_of(i + kView); run != kNone && runs_[run].views != kNone)
      __builtin_prefetch(&views_[runs_[run].views]);
    AddRun(new_ids_[i], new_runs_[i], {&new_views_[i], 1});
  }
}

void SessionState::Merge(const SessionState& other) {
  const CodeMap codes(other.encoder_.interner(), &encoder_.interner());
  std::vector<View> views;
  for (uint32_t k = 0; k < other.keys_.size(); ++k) {
    const uint32_t key = KeyId(other.keys_[k]);
    for (uint32_t r = other.heads_[k]; r != kNone; r = other.runs_[r].next) {
      views.clear();
      for (uint32_t v = other.runs_[r].views; v != kNone; v = other.views_[v].next) {
        views.push_back(other.views_[v]);
        views.back().interface = codes(views.back().interface, Kind::kText);
      }
      AddRun(key, other.runs_[r], views);
    }
  }
  intermediaries_.insert(other.intermediaries_.begin(), other.intermediaries_.end());
  translations_.insert(other.translations_.begin(), other.translations_.end());
  ended_.Add(other.ended_);
  flows_ |= other.flows_;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
