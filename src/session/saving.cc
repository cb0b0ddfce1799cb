// Sessions as bytes, and back: the same bytes for the same records, in whatever order they came.
#include <algorithm>
#include <deque>
#include <map>
#include <tuple>
#include <utility>

#include "src/session/saved_ip.h"
#include "src/session/state.h"
#include "vpcflow/base/time.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

void SessionState::Write(StateWriter* out) {
  UnpackAll();
  const Interner& names = encoder_.interner();
  std::map<std::string_view, uint64_t> number;  // of the interfaces in use, by name; from 1
  std::vector<uint32_t> order;                  // pairs with sessions
  store_.ForEach([&](uint32_t p, const Session& session) {
    if (order.empty() || order.back() != p) order.push_back(p);
    store_.ForEachView(session, [&](const InterfaceView& view) {
      if (view.interface != 0) number[DecodeText(view.interface, names)] = 0;
    });
  });
  out->Number(number.size());
  for (auto& [name, n] : number) {
    out->Fixed32(static_cast<uint32_t>(name.size()));
    out->Raw(name);
  }
  uint64_t next = 0;
  for (auto& [name, n] : number) n = ++next;
  second_legs_.Write(out);
  out->Byte(flows_.bits);
  for (const uint64_t n : {ended_.two_way, ended_.one_way, ended_.tcp, ended_.unheard}) out->Number(n);
  shown_.Write(out);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const EndpointPair &x = store_.pair(a), &y = store_.pair(b);
    return std::tie(x.address, x.port, x.protocol) < std::tie(y.address, y.port, y.protocol);
  });
  out->Number(order.size());
  for (const uint32_t p : order) {
    const EndpointPair& pair = store_.pair(p);
    for (size_t i = 0; i < 2; ++i) {
      WriteIp(pair.address[i], out);
      out->Fixed32(pair.port[i]);
    }
    out->Fixed32(static_cast<uint32_t>(pair.protocol));
    std::vector<const Session*> sessions;
    store_.ForEachOf(p, [&](const Session& session) { sessions.push_back(&session); });
    std::sort(sessions.begin(), sessions.end(), [](const Session* a, const Session* b) { return a->start < b->start; });
    out->Number(sessions.size());
    for (const Session* session : sessions) {
      out->Signed(session->start);
      out->Signed(session->end);
      for (size_t i = 0; i < 2; ++i) {
        out->Signed(session->first[i]);
        out->Signed(session->first_seen[i]);
        out->Fixed32(session->flags[i]);
      }
      std::vector<std::tuple<uint64_t, uint8_t, uint8_t, uint64_t, uint64_t, uint64_t, uint64_t>> views;
      store_.ForEachView(*session, [&](const InterfaceView& view) {
        const uint64_t name = view.interface == 0 ? 0 : number[DecodeText(view.interface, names)];
        views.emplace_back(name, view.from, view.flow, view.packets, view.bytes, view.records, view.rejected);
      });
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
  constexpr size_t kLeastPair = 45, kLeastSession = 57, kLeastView = 9;
  std::deque<std::string> names;
  for (uint64_t n = in->Count(sizeof(uint32_t)); n > 0 && in->ok(); --n) {
    const std::string_view name = in->Raw(in->Fixed32());
    if (name.empty() || (!names.empty() && !(names.back() < name))) in->Fail();
    if (in->ok()) names.emplace_back(name);
  }
  const uint64_t interfaces = names.size();
  encoder_.interner().Load({}, std::move(names));
  second_legs_.Read(in);
  if (version > 1) {
    flows_.bits = in->Byte();
    if (flows_.bits > 7) in->Fail();
    for (uint64_t* n : {&ended_.two_way, &ended_.one_way, &ended_.tcp, &ended_.unheard}) *n = in->Number();
  }
  if (version > 2) {
    shown_.Read(in);
  } else {
    shown_.AddUnknown();
  }
  const auto time = [&](int64_t none) {
    const int64_t value = in->Signed();
    if (value != none && (value < 0 || value > kLatestTime)) in->Fail();
    return value;
  };
  std::vector<InterfaceView> views;
  for (uint64_t pairs = in->Count(kLeastPair); pairs > 0 && in->ok(); --pairs) {
    EndpointPair pair;
    for (size_t i = 0; i < 2; ++i) {
      pair.address[i] = ReadIp(in);
      pair.port[i] = in->Fixed32();
      if (pair.port[i] > 65535 && pair.port[i] != kNoPort) in->Fail();
    }
    pair.protocol = static_cast<int32_t>(in->Fixed32());
    if (std::pair(pair.address[1], pair.port[1]) < std::pair(pair.address[0], pair.port[0])) in->Fail();
    const size_t known = store_.pairs();
    const uint32_t id = in->ok() ? store_.PairId(pair) : 0;
    uint64_t sessions = in->Count(kLeastSession);
    if (!in->ok() || store_.pairs() == known || sessions == 0) return false;
    for (; sessions > 0 && in->ok(); --sessions) {
      Session session;
      std::array<uint64_t, 2> accepted{1, 1}, rejected{};  // of version 1
      session.start = time(-1);
      session.end = time(-1);
      for (size_t i = 0; i < 2; ++i) {
        session.first[i] = time(std::numeric_limits<int64_t>::max());
        session.first_seen[i] = time(std::numeric_limits<int64_t>::max());
        session.flags[i] = in->Fixed32();
        if (version > 1) continue;
        if (session.flags[i] != 0) session.flags[i] |= kFlagsTold;
        accepted[i] = in->Number();
        rejected[i] = in->Number();
      }
      if (session.start < 0 || session.end < session.start) in->Fail();
      views.clear();
      for (uint64_t n = in->Count(kLeastView); n > 0 && in->ok(); --n) {
        InterfaceView& view = views.emplace_back();
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
          if (view.rejected > view.records || session.first[view.from] == kNever) in->Fail();
        } else {
          // What was let through somewhere was let through everywhere, as far as these states tell.
          view.rejected = accepted[view.from] == 0 && rejected[view.from] > 0 ? view.records : 0;
          if (accepted[view.from] > 0) flows_.Add(view.flow);
        }
      }
      if (in->ok()) store_.Add(id, session, views);
    }
  }
  return in->ok();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
