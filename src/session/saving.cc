// Sessions as bytes, and back: the same bytes for the same records, in whatever order they came.
#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "src/session/state.h"
#include "vpcflow/base/time.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

void WriteIp(const Ip& ip, StateWriter* out) {
  out->Word(ip.hi);
  out->Word(ip.lo);
}
Ip ReadIp(StateReader* in) {
  const uint64_t hi = in->Word();
  return {hi, in->Word()};
}

}  // namespace

void SessionState::Write(StateWriter* out) const {
  const Interner& names = encoder_.interner();
  std::map<std::string_view, uint64_t> number;  // of the interfaces in use, by name; from 1
  std::vector<uint32_t> order;                  // keys with sessions
  for (uint32_t k = 0; k < keys_.size(); ++k) {
    if (heads_[k] != kNone) order.push_back(k);
    for (uint32_t r = heads_[k]; r != kNone; r = runs_[r].next) {
      for (uint32_t v = runs_[r].views; v != kNone; v = views_[v].next) {
        if (views_[v].interface != 0) number[DecodeText(views_[v].interface, names)] = 0;
      }
    }
  }
  out->Number(number.size());
  for (auto& [name, n] : number) {
    out->Fixed32(static_cast<uint32_t>(name.size()));
    out->Raw(name);
  }
  uint64_t next = 0;
  for (auto& [name, n] : number) n = ++next;
  out->Number(intermediaries_.size());
  for (const Ip& ip : intermediaries_) WriteIp(ip, out);
  out->Number(translations_.size());
  for (const auto& [address, end, port, protocol] : std::set(translations_.begin(), translations_.end())) {
    WriteIp(address, out);
    WriteIp(end, out);
    out->Fixed32(port);
    out->Fixed32(static_cast<uint32_t>(protocol));
  }
  out->Byte(flows_);
  for (const uint64_t n : {ended_.two_way, ended_.one_way, ended_.tcp, ended_.unheard}) out->Number(n);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const Key &x = keys_[a], &y = keys_[b];
    return std::tie(x.address, x.port, x.protocol) < std::tie(y.address, y.port, y.protocol);
  });
  out->Number(order.size());
  for (const uint32_t k : order) {
    const Key& key = keys_[k];
    for (size_t i = 0; i < 2; ++i) {
      WriteIp(key.address[i], out);
      out->Fixed32(key.port[i]);
    }
    out->Fixed32(static_cast<uint32_t>(key.protocol));
    std::vector<const Run*> runs;
    for (uint32_t r = heads_[k]; r != kNone; r = runs_[r].next) runs.push_back(&runs_[r]);
    std::sort(runs.begin(), runs.end(), [](const Run* a, const Run* b) { return a->start < b->start; });
    out->Number(runs.size());
    for (const Run* run : runs) {
      out->Signed(run->start);
      out->Signed(run->end);
      for (size_t i = 0; i < 2; ++i) {
        out->Signed(run->first[i]);
        out->Signed(run->first_seen[i]);
        out->Fixed32(run->flags[i]);
      }
      std::vector<std::tuple<uint64_t, uint8_t, uint8_t, uint64_t, uint64_t, uint64_t, uint64_t>> views;
      for (uint32_t v = run->views; v != kNone; v = views_[v].next) {
        const View& view = views_[v];
        const uint64_t name = view.interface == 0 ? 0 : number[DecodeText(view.interface, names)];
        views.emplace_back(name, view.from, view.flow, view.packets, view.bytes, view.records, view.rejected);
      }
      std::sort(views.begin(), views.end());
      out->Number(views.size());
      for (const auto& [name, from, flow, packets, bytes, records, rejected] : views) {
        out->Fixed32(static_cast<uint32_t>(name));
        out->Byte(from);
        out->Byte(flow);
        out->Number(packets);
        out->Number(bytes);
        out->Number(records);
        out->Number(rejected);
      }
    }
  }
}

bool SessionState::Read(StateReader* in, uint8_t version) {
  constexpr size_t kLeastKey = 45, kLeastRun = 57, kLeastView = 9;
  std::deque<std::string> names;
  for (uint64_t n = in->Count(sizeof(uint32_t)); n > 0 && in->ok(); --n) {
    const std::string_view name = in->Raw(in->Fixed32());
    if (name.empty() || (!names.empty() && !(names.back() < name))) in->Fail();
    if (in->ok()) names.emplace_back(name);
  }
  const uint64_t interfaces = names.size();
  encoder_.interner().Load({}, std::move(names));
  for (uint64_t n = in->Count(16); n > 0 && in->ok(); --n) intermediaries_.insert(ReadIp(in));
  for (uint64_t n = in->Count(40); n > 0 && in->ok(); --n) {
    const Ip address = ReadIp(in), end = ReadIp(in);
    const uint32_t port = in->Fixed32();
    translations_.insert({address, end, port, static_cast<int32_t>(in->Fixed32())});
  }
  if (version > 1) {
    flows_ = in->Byte();
    if (flows_ > 7) in->Fail();
    for (uint64_t* n : {&ended_.two_way, &ended_.one_way, &ended_.tcp, &ended_.unheard}) *n = in->Number();
  }
  const auto time = [&](int64_t none) {
    const int64_t value = in->Signed();
    if (value != none && (value < 0 || value > kLatestTime)) in->Fail();
    return value;
  };
  std::vector<View> views;
  for (uint64_t keys = in->Count(kLeastKey); keys > 0 && in->ok(); --keys) {
    Key key;
    for (size_t i = 0; i < 2; ++i) {
      key.address[i] = ReadIp(in);
      key.port[i] = in->Fixed32();
      if (key.port[i] > 65535 && key.port[i] != kNone) in->Fail();
    }
    key.protocol = static_cast<int32_t>(in->Fixed32());
    if (std::pair(key.address[1], key.port[1]) < std::pair(key.address[0], key.port[0])) in->Fail();
    const size_t known = keys_.size();
    const uint32_t id = in->ok() ? KeyId(key) : kNone;
    uint64_t runs = in->Count(kLeastRun);
    if (!in->ok() || keys_.size() == known || runs == 0) return false;
    for (; runs > 0 && in->ok(); --runs) {
      Run run;
      std::array<uint64_t, 2> accepted{1, 1}, rejected{};  // of version 1
      run.start = time(-1);
      run.end = time(-1);
      for (size_t i = 0; i < 2; ++i) {
        run.first[i] = time(std::numeric_limits<int64_t>::max());
        run.first_seen[i] = time(std::numeric_limits<int64_t>::max());
        run.flags[i] = in->Fixed32();
        if (version > 1) continue;
        if (run.flags[i] != 0) run.flags[i] |= kFlagsTold;
        accepted[i] = in->Number();
        rejected[i] = in->Number();
      }
      if (run.start < 0 || run.end < run.start) in->Fail();
      views.clear();
      for (uint64_t n = in->Count(kLeastView); n > 0 && in->ok(); --n) {
        View& view = views.emplace_back();
        view.interface = in->Fixed32();
        view.from = in->Byte();
        view.flow = in->Byte();
        view.packets = in->Number();
        view.bytes = in->Number();
        view.records = in->Number();
        if (view.interface > interfaces || view.from > 1 || view.flow > 2) in->Fail();
        if (!in->ok()) break;
        if (version > 1) {
          view.rejected = in->Number();
          if (view.rejected > view.records || run.first[view.from] == kNever) in->Fail();
        } else {
          // What was let through somewhere was let through everywhere, as far as these states tell.
          view.rejected = accepted[view.from] == 0 && rejected[view.from] > 0 ? view.records : 0;
          if (accepted[view.from] > 0) flows_ |= static_cast<uint8_t>(1 << view.flow);
        }
      }
      if (in->ok()) AddRun(id, run, views);
    }
  }
  return in->ok();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
