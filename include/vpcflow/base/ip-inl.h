// Definitions of ip.h; include that.
#ifndef VPCFLOW_BASE_IP_INL_H_
#define VPCFLOW_BASE_IP_INL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN

inline bool ParseIpv4(const char* p, const char* end, uint32_t* out) {
  uint32_t value = 0;
  for (int part = 0; part < 4; ++part) {
    if (p == end) return false;
    unsigned digit = static_cast<unsigned char>(*p) - '0';
    if (digit > 9) return false;
    unsigned octet = digit;
    ++p;
    if (octet != 0) {
      for (int i = 0; i < 2 && p != end && (digit = static_cast<unsigned char>(*p) - '0') <= 9; ++i, ++p) {
        octet = octet * 10 + digit;
      }
    }
    if (octet > 255) return false;
    value = value << 8 | octet;
    if (part < 3) {
      if (p == end || *p != '.') return false;
      ++p;
    }
  }
  *out = value;
  return p == end;
}

namespace internal {

// The values of hexadecimal digits by character, -1 for all others. A table, as digits and letters take turns
// unforeseeably.
constexpr std::array<int8_t, 256> MakeHexValues() {
  std::array<int8_t, 256> values{};
  for (int8_t& v : values) v = -1;
  for (int8_t i = 0; i < 10; ++i) values[static_cast<size_t>('0' + i)] = i;
  for (int8_t i = 0; i < 6; ++i)
    values[static_cast<size_t>('a' + i)] = values[static_cast<size_t>('A' + i)] = static_cast<int8_t>(10 + i);
  return values;
}
inline constexpr std::array<int8_t, 256> kHexValues = MakeHexValues();
constexpr int HexValue(char c) { return kHexValues[static_cast<unsigned char>(c)]; }

// RFC 4291 text, dotted tail allowed, zone ids refused.
inline bool ParseIpv6(const char* p, const char* end, Ip* out) {
  __extension__ using Uint128 = unsigned __int128;
  Uint128 groups = 0, head = 0;  // since the gap, and before it
  int count = 0;
  int gap = -1;
  if (end - p >= 2 && p[0] == ':' && p[1] == ':') {
    gap = 0;
    p += 2;
  }
  while (p != end) {
    if (count == 8) return false;
    const char* first = p;
    unsigned value = 0;
    int digit;
    if (end - p >= 4 && (end - p == 4 || p[4] == ':')) {  // most groups have four digits
      const int all = HexValue(p[0]) << 12 | HexValue(p[1]) << 8 | HexValue(p[2]) << 4 | HexValue(p[3]);
      if (all >= 0) {  // no digit is negative
        value = static_cast<unsigned>(all);
        p += 4;
      }
    }
    while (p != end && (digit = HexValue(*p)) >= 0 && p - first < 5) {
      value = value << 4 | static_cast<unsigned>(digit);
      ++p;
    }
    if (p != end && *p == '.') {
      uint32_t v4;
      if (count > 6 || !ParseIpv4(first, end, &v4)) return false;
      groups = groups << 32 | v4;
      count += 2;
      p = end;
      break;
    }
    if (p == first || p - first > 4) return false;
    groups = groups << 16 | value;
    ++count;
    if (p == end) break;
    if (*p++ != ':') return false;
    if (p == end) return false;
    if (*p == ':') {
      if (gap >= 0) return false;
      gap = count;
      head = std::exchange(groups, 0);
      ++p;
    }
  }
  if (gap < 0 ? count != 8 : count > 7) return false;
  if (gap > 0) groups |= head << (16 * (8 - gap));
  out->hi = static_cast<uint64_t>(groups >> 64);
  out->lo = static_cast<uint64_t>(groups);
  return true;
}

}  // namespace internal

inline bool ParseIp(const char* p, const char* end, Ip* out) {
  constexpr ptrdiff_t kLongestIpv4 = 15;
  uint32_t v4;
  if (end - p <= kLongestIpv4 && ParseIpv4(p, end, &v4)) {
    *out = Ip::V4(v4);
    return true;
  }
  return internal::ParseIpv6(p, end, out);
}
inline bool ParseIp(std::string_view text, Ip* out) { return ParseIp(text.data(), text.data() + text.size(), out); }

namespace internal {

inline char* WriteOctet(unsigned v, char* out) {
  if (v >= 100) *out++ = static_cast<char>('0' + v / 100);
  if (v >= 10) *out++ = static_cast<char>('0' + v / 10 % 10);
  *out++ = static_cast<char>('0' + v % 10);
  return out;
}

}  // namespace internal

inline char* FormatIp(const Ip& ip, char* out) {
  if (ip.is_v4()) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out = internal::WriteOctet(ip.v4() >> shift & 255, out);
      if (shift != 0) *out++ = '.';
    }
    return out;
  }
  std::array<unsigned, 8> g;
  for (size_t i = 0; i < 4; ++i) g[i] = static_cast<unsigned>(ip.hi >> (48 - 16 * i) & 0xFFFF);
  for (size_t i = 0; i < 4; ++i) g[4 + i] = static_cast<unsigned>(ip.lo >> (48 - 16 * i) & 0xFFFF);
  constexpr size_t kNone = 8;
  size_t best = kNone, best_length = 1;  // the longest run of at least two zero groups, the first of equals
  for (size_t i = 0; i < 8;) {
    size_t j = i;
    while (j < 8 && g[j] == 0) ++j;
    if (j - i > best_length) {
      best = i;
      best_length = j - i;
    }
    i = j > i ? j : i + 1;
  }
  constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = 0; i < 8; ++i) {
    if (i == best) {
      *out++ = ':';
      *out++ = ':';
      i += best_length - 1;
      continue;
    }
    if (i != 0 && (best == kNone || i != best + best_length)) *out++ = ':';
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const unsigned digit = g[i] >> shift & 15;
      if (digit != 0 || started || shift == 0) {
        *out++ = kHex[digit];
        started = true;
      }
    }
  }
  return out;
}

inline std::string ToString(const Ip& ip) {
  char text[kMaxIpText];
  return std::string(text, FormatIp(ip, text));
}

inline bool ParseCidr(std::string_view text, Cidr* out, std::string* suggestion) {
  const size_t slash = text.find('/');
  Ip ip;
  if (!ParseIp(text.substr(0, slash), &ip)) return false;
  const bool dotted = text.substr(0, slash).find(':') == std::string_view::npos;
  const unsigned width = dotted ? 32 : 128;
  unsigned length = width;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return false;
    length = 0;
    for (char c : digits) {
      if (c < '0' || c > '9') return false;
      length = length * 10 + static_cast<unsigned>(c - '0');
    }
    if (length > width) return false;
  }
  const unsigned bits = length + (dotted ? 96 : 0);  // in the 128-bit form
  const uint64_t host_hi = bits >= 64 ? 0 : ~uint64_t{0} >> bits;
  const uint64_t host_lo = bits >= 128 ? 0 : bits <= 64 ? ~uint64_t{0} : ~uint64_t{0} >> (bits - 64);
  out->first = {ip.hi & ~host_hi, ip.lo & ~host_lo};
  out->last = {ip.hi | host_hi, ip.lo | host_lo};
  if (out->first != ip) {
    if (suggestion != nullptr) *suggestion = ToString(out->first) + "/" + std::to_string(length);
    return false;
  }
  return true;
}

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_BASE_IP_INL_H_
