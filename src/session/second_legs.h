// SecondLegs: which sessions are the second leg of a conversation that other sessions have already, from a NAT gateway
// to the server or from a load balancer to its target.
#ifndef VPCFLOW_SRC_SESSION_SECOND_LEGS_H_
#define VPCFLOW_SRC_SESSION_SECOND_LEGS_H_

#include <cstdint>
#include <set>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "src/session/store.h"
#include "vpcflow/state/bytes.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class SecondLegs {
 public:
  explicit SecondLegs(const std::vector<Ip>& intermediaries)
      : intermediaries_(intermediaries.begin(), intermediaries.end()) {}

  // Notes the address of a NAT gateway or a load balancer.
  void AddIntermediary(const Ip& address) { intermediaries_.insert(address); }
  // Notes that `address` stood for an endpoint: its own sessions with that endpoint are second legs.
  void AddTranslation(const Ip& address, const Ip& end, uint32_t port, int32_t protocol) {
    translations_.insert({address, end, port, protocol});
  }
  // Whether a session of this pair with this client is a second leg.
  bool Contains(const EndpointPair& pair, size_t client) const;
  void Merge(const SecondLegs& other);
  void Write(StateWriter* out) const;
  void Read(StateReader* in);
  // Memory, about.
  size_t bytes() const { return (intermediaries_.size() + translations_.size()) * 96; }

 private:
  using Translation = std::tuple<Ip, Ip, uint32_t, int32_t>;
  struct TranslationHash {
    size_t operator()(const Translation& t) const {
      const auto& [address, end, port, protocol] = t;
      return MixWords(MixWords(address.hi, address.lo) ^ port,
                      MixWords(end.hi, end.lo) ^ static_cast<uint32_t>(protocol));
    }
  };
  std::set<Ip> intermediaries_;
  std::unordered_set<Translation, TranslationHash> translations_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SESSION_SECOND_LEGS_H_
