#include "src/session/kind.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr uint64_t kTryPackets = 3, kSynPackets = 7;
// Of a packet: a reset has a header alone, a SYN at most as many options as fit.
constexpr uint64_t BareBytes(bool v6) { return v6 ? 60 : 40; }
constexpr uint64_t SynBytes(bool v6) { return v6 ? 84 : 64; }

// What logs without flags show of a closed port: each answer is a bare header, and there are no more than tries.
// Options of a SYN have multiples of four bytes; a keep-alive carries one byte or has timestamps both ways.
bool LooksRefused(const SessionFacts& f) {
  const auto [tries, answers] = f.packets;
  return f.protocol == kTcp && !f.flags_told && answers > 0 && answers <= tries && tries <= kSynPackets &&
         f.bytes[1] == answers * BareBytes(f.v6) && f.bytes[0] >= tries * BareBytes(f.v6) &&
         f.bytes[0] <= tries * SynBytes(f.v6) && f.bytes[0] % 4 == 0;
}

bool IsTryOf(const SessionFacts& f, size_t end) { return IsTry(f.packets[end], f.bytes[end], f.protocol, f.v6); }

bool IsSet(uint32_t flags, uint32_t wanted) { return (flags & wanted) == wanted; }

// Of an opened connection, of which both ends were seen.
std::optional<ConnState> HowItEnded(uint32_t client, uint32_t server) {
  const bool client_reset = IsSet(client, kRst), server_reset = IsSet(server, kRst);
  if (client_reset && server_reset) return std::nullopt;  // who was first does not show
  if (client_reset) return ConnState::kRstO;
  if (server_reset) return ConnState::kRstR;
  if (IsSet(client, kFin)) return IsSet(server, kFin) ? ConnState::kSF : ConnState::kS2;
  return IsSet(server, kFin) ? ConnState::kS3 : ConnState::kS1;
}

}  // namespace

bool IsTry(uint64_t packets, uint64_t bytes, int32_t protocol, bool v6) {
  return packets <= kTryPackets || (protocol == kTcp && packets <= kSynPackets && bytes <= kSynPackets * SynBytes(v6));
}

SessionKind KindOf(const SessionFacts& f) {
  const bool passed[] = {f.passage[0] == Passage::kPassed, f.passage[1] == Passage::kPassed};
  const bool blocked = f.passage[0] == Passage::kBlocked || f.passage[1] == Passage::kBlocked;
  if (blocked) return passed[0] || passed[1] ? SessionKind::kHalf : SessionKind::kRejected;
  const bool both = passed[0] && passed[1];
  const size_t sender = passed[0] ? 0 : 1;
  if (!both && (f.one_direction || !IsTryOf(f, sender))) return SessionKind::kOneWay;
  if (((f.flags[0] | f.flags[1]) & kRst) != 0 || (both && LooksRefused(f))) return SessionKind::kResetByPeer;
  if (both) return SessionKind::kEstablished;
  return sender == 0 ? SessionKind::kUnanswered : SessionKind::kOneWay;
}

std::optional<bool> AnsweredOf(const SessionFacts& f, SessionKind kind) {
  switch (kind) {
    case SessionKind::kEstablished: return f.protocol != kTcp || f.packets[0] >= 3;
    case SessionKind::kResetByPeer:
      return f.seen(0) && f.seen(1) && f.packets[0] >= 3 && (IsSet(f.flags[1], kSynAck) || !IsTryOf(f, 0));
    case SessionKind::kOneWay: return f.one_direction ? std::nullopt : std::optional(false);
    default: return false;
  }
}

std::optional<ConnState> ConnStateOf(const SessionFacts& f, SessionKind kind) {
  if (f.protocol != kTcp || !f.flags_told || kind == SessionKind::kRejected || kind == SessionKind::kHalf ||
      (f.one_direction && kind == SessionKind::kOneWay))
    return std::nullopt;
  const auto [client, server] = f.flags;
  const bool opened = IsSet(client, kSyn), accepted = IsSet(server, kSynAck);
  if ((client | server) == 0 || (!opened && !IsSet(server, kSyn))) return ConnState::kOth;
  if (IsSet(client, kSynAck) || (IsSet(server, kSyn) && !accepted)) return std::nullopt;  // who opened does not show
  if (!f.seen(1)) {
    if (IsSet(client, kRst)) return ConnState::kRstOS0;
    if (IsSet(client, kFin)) return ConnState::kSH;
    return kind == SessionKind::kUnanswered ? std::optional(ConnState::kS0) : std::nullopt;
  }
  if (!f.seen(0)) {
    if (IsSet(server, kRst)) return ConnState::kRstRH;
    return IsSet(server, kFin) ? ConnState::kSHR : ConnState::kOth;
  }
  if (accepted) return HowItEnded(client, server);
  return IsSet(server, kRst) ? std::optional(ConnState::kRej) : std::nullopt;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
