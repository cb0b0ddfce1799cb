// Ip: an IPv4 or IPv6 address as one 128-bit number, with parsing and formatting that allocate nothing.
//
// An IPv4 address is kept as its IPv4-mapped IPv6 form (::ffff:a.b.c.d), so a mapped address read from text equals the
// IPv4 address it stands for, and one comparison serves both families.
//
// Example:
//   vpcflow::Ip ip;
//   if (vpcflow::ParseIp("10.0.0.1", &ip) && ip.is_v4()) Use(ip.v4());   // 0x0A000001
//   std::string text = vpcflow::ToString(ip);                            // "10.0.0.1"; IPv6 as RFC 5952 says
#ifndef VPCFLOW_BASE_IP_H_
#define VPCFLOW_BASE_IP_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

struct Ip {
  uint64_t hi = 0;  // first eight bytes, most significant first
  uint64_t lo = 0;

  static constexpr Ip V4(uint32_t v) { return {0, 0xFFFF00000000ull | v}; }
  constexpr bool is_v4() const { return hi == 0 && (lo >> 32) == 0xFFFF; }
  // Returns the IPv4 address in host order; meaningful only if is_v4().
  constexpr uint32_t v4() const { return static_cast<uint32_t>(lo); }

  // Compares by number: by bytes, most significant first.
  friend constexpr auto operator<=>(const Ip&, const Ip&) = default;
};

// A prefix (CIDR block): the addresses that share its first bits.
struct Cidr {
  Ip first;
  Ip last;
};

// Parses four decimal numbers of at most three digits, without leading zeros (as inet_pton), that fill [p, end).
// Returns false, with `out` untouched, for anything else.
bool ParseIpv4(const char* p, const char* end, uint32_t* out);

// Parses IPv4 or IPv6 text (RFC 4291, dotted tail allowed, zone ids refused) that fills [p, end). Returns false, with
// `out` unspecified, for anything else.
bool ParseIp(const char* p, const char* end, Ip* out);
bool ParseIp(std::string_view text, Ip* out);

// The longest text that FormatIp can write.
inline constexpr size_t kMaxIpText = 39;

// Writes at most kMaxIpText bytes without a terminator, IPv4 dotted and IPv6 by RFC 5952, and returns their end.
char* FormatIp(const Ip& ip, char* out);
// Returns the same text as a string.
std::string ToString(const Ip& ip);

// Parses "10.0.0.0/8", "2001:db8::/32" or a single address. Returns false for anything else, also for bits behind the
// prefix that are not zero; `suggestion`, if given, then gets the block that was probably meant.
bool ParseCidr(std::string_view text, Cidr* out, std::string* suggestion = nullptr);

VPCFLOW_NAMESPACE_END

#include "vpcflow/base/ip-inl.h"

#endif  // VPCFLOW_BASE_IP_H_
