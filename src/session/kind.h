// SessionKind: what became of a session, Zeek's name for it, and whether it was answered. Sessions and the detectors
// have these definitions from here; the tables stand in vpcflow/session/sessions.h.
#ifndef VPCFLOW_SRC_SESSION_KIND_H_
#define VPCFLOW_SRC_SESSION_KIND_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

inline constexpr int32_t kTcp = 6;
inline constexpr uint32_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16, kSynAck = kSyn | kAck;

enum class SessionKind : int32_t { kRejected, kHalf, kResetByPeer, kUnanswered, kOneWay, kEstablished };
inline constexpr std::array<std::string_view, 6> kSessionKindNames = {"rejected",   "half",    "reset",
                                                                      "unanswered", "one-way", "established"};
// In Zeek's order.
enum class ConnState : int32_t { kS0, kS1, kSF, kRej, kS2, kS3, kRstO, kRstR, kRstOS0, kRstRH, kSH, kSHR, kOth };
inline constexpr std::array<std::string_view, 13> kConnStateNames = {
    "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH"};

// How far the records of one end came.
enum class Passage : uint8_t { kAbsent, kPassed, kBlocked };

// What is known of a session; of two values the first is the client's.
struct SessionFacts {
  int32_t protocol = -1;  // -1 for none
  bool v6 = false;
  bool flags_told = false;     // some record has tcp-flags
  bool one_direction = false;  // the logs hold one direction only
  std::array<Passage, 2> passage{};
  std::array<uint64_t, 2> packets{}, bytes{};  // of each end's interface that saw most
  std::array<uint32_t, 2> flags{};

  bool seen(size_t end) const { return passage[end] != Passage::kAbsent; }
};

// Whether so much is what a try sends that nobody answers: three packets, or of TCP SYN and its six repetitions (Linux:
// tcp_syn_retries) without data.
bool IsTry(uint64_t packets, uint64_t bytes, int32_t protocol, bool v6);
SessionKind KindOf(const SessionFacts& facts);
// Whether the session came about: it is established, or was and then reset. Of TCP the client sent three packets, which
// neither a refused try nor half a handshake has. None for what the logs cannot show.
std::optional<bool> AnsweredOf(const SessionFacts& facts, SessionKind kind);
// None where Zeek has no counterpart or the logs cannot tell.
std::optional<ConnState> ConnStateOf(const SessionFacts& facts, SessionKind kind);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_KIND_H_
