#include "src/session/second_legs.h"

#include "src/session/saved_ip.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

bool SecondLegs::Contains(const EndpointPair& pair, size_t client) const {
  const size_t server = 1 - client;
  return intermediaries_.contains(pair.address[client]) ||
         translations_.contains({pair.address[client], pair.address[server], pair.port[server], pair.protocol});
}

void SecondLegs::Merge(const SecondLegs& other) {
  intermediaries_.insert(other.intermediaries_.begin(), other.intermediaries_.end());
  translations_.insert(other.translations_.begin(), other.translations_.end());
}

void SecondLegs::Write(StateWriter* out) const {
  out->Number(intermediaries_.size());
  for (const Ip& ip : intermediaries_) WriteIp(ip, out);
  out->Number(translations_.size());
  for (const auto& [address, end, port, protocol] : std::set(translations_.begin(), translations_.end())) {
    WriteIp(address, out);
    WriteIp(end, out);
    out->Fixed32(port);
    out->Fixed32(static_cast<uint32_t>(protocol));
  }
}

void SecondLegs::Read(StateReader* in) {
  for (uint64_t n = in->Count(16); n > 0 && in->ok(); --n) intermediaries_.insert(ReadIp(in));
  for (uint64_t n = in->Count(40); n > 0 && in->ok(); --n) {
    const Ip address = ReadIp(in), end = ReadIp(in);
    const uint32_t port = in->Fixed32();
    translations_.insert({address, end, port, static_cast<int32_t>(in->Fixed32())});
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
