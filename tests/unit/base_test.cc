#include <arpa/inet.h>

#include <random>

#include "unit/testing.h"

namespace vpcflow {
namespace {

TEST(Ip, ParsesIpv4AsInetPtonDoes) {
  for (const char* good : {"0.0.0.0", "255.255.255.255", "10.0.0.1", "1.22.133.4"}) {
    Ip ip;
    in_addr expected;
    ASSERT_TRUE(ParseIp(good, &ip)) << good;
    ASSERT_EQ(inet_pton(AF_INET, good, &expected), 1);
    EXPECT_TRUE(ip.is_v4());
    EXPECT_EQ(ip.v4(), ntohl(expected.s_addr));
    EXPECT_EQ(ToString(ip), good);
  }
  for (const char* bad : {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.04", "1.2.3.4 ", " 1.2.3.4",
                          "1..2.3", "1.2.3.-4", "a.b.c.d", "1.2.3.4444", "0x1.2.3.4"}) {
    Ip ip;
    EXPECT_FALSE(ParseIp(bad, &ip)) << bad;
  }
}

TEST(Ip, EveryOctetRoundTrips) {
  for (uint32_t shift : {0u, 8u, 16u, 24u}) {
    for (uint32_t octet = 0; octet < 256; ++octet) {
      const Ip ip = Ip::V4(octet << shift);
      Ip again;
      ASSERT_TRUE(ParseIp(ToString(ip), &again));
      ASSERT_EQ(ip, again);
    }
  }
}

TEST(Ip, RandomIpv6AgreesWithTheSystem) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 200'000; ++i) {
    in6_addr raw;
    for (auto& byte : raw.s6_addr) byte = static_cast<uint8_t>(random() % 3 == 0 ? random() : 0);
    char text[INET6_ADDRSTRLEN];
    inet_ntop(AF_INET6, &raw, text, sizeof text);
    Ip ip;
    ASSERT_TRUE(ParseIp(text, &ip)) << text;
    for (int b = 0; b < 8; ++b) {
      ASSERT_EQ(ip.hi >> (56 - 8 * b) & 255, raw.s6_addr[b]) << text;
      ASSERT_EQ(ip.lo >> (56 - 8 * b) & 255, raw.s6_addr[8 + b]) << text;
    }
    Ip again;
    ASSERT_TRUE(ParseIp(ToString(ip), &again));
    ASSERT_EQ(ip, again) << text;
  }
}

TEST(Ip, MutatedTextsAreTakenOrRefusedAsTheSystemDoes) {
  std::mt19937_64 random(2);
  const std::string seeds[] = {
      "2001:db8::8a2e:370:7334", "::ffff:10.1.2.3", "fe80::1", "1:2:3:4:5:6:7:8", "::", "192.168.10.200"};
  const std::string letters = "0123456789abcdefABCDEF:.:.g%";
  for (int i = 0; i < 300'000; ++i) {
    std::string text = seeds[random() % 6];
    for (uint64_t n = random() % 3; n > 0; --n) {
      const size_t at = random() % (text.size() + 1);
      if (random() % 2 == 0 && at < text.size())
        text.erase(at, 1);
      else
        text.insert(at, 1, letters[random() % letters.size()]);
    }
    in_addr v4;
    in6_addr v6;
    const bool expected = inet_pton(AF_INET, text.c_str(), &v4) == 1 || inet_pton(AF_INET6, text.c_str(), &v6) == 1;
    Ip ip;
    ASSERT_EQ(ParseIp(text, &ip), expected) << text;
  }
}

TEST(Ip, Rfc5952Texts) {
  for (const char* text : {"::", "::1", "1::", "2001:db8::1", "2001:db8:0:1:1:1:1:1", "1:0:0:2::3", "fe80::abcd:0:1"}) {
    Ip ip;
    ASSERT_TRUE(ParseIp(text, &ip));
    EXPECT_EQ(ToString(ip), text);
  }
  Ip mapped;
  ASSERT_TRUE(ParseIp("::ffff:10.0.0.1", &mapped));
  EXPECT_EQ(ToString(mapped), "10.0.0.1");
}

TEST(Cidr, BoundsAndSuggestion) {
  Cidr cidr;
  std::string suggestion;
  ASSERT_TRUE(ParseCidr("10.0.0.0/8", &cidr));
  EXPECT_EQ(ToString(cidr.first), "10.0.0.0");
  EXPECT_EQ(ToString(cidr.last), "10.255.255.255");
  ASSERT_TRUE(ParseCidr("0.0.0.0/0", &cidr));
  EXPECT_EQ(ToString(cidr.last), "255.255.255.255");
  ASSERT_TRUE(ParseCidr("2001:db8::/33", &cidr));
  EXPECT_EQ(ToString(cidr.last), "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff");
  ASSERT_TRUE(ParseCidr("::/0", &cidr));
  ASSERT_TRUE(ParseCidr("::1/128", &cidr));
  EXPECT_FALSE(ParseCidr("10.1.0.0/8", &cidr, &suggestion));
  EXPECT_EQ(suggestion, "10.0.0.0/8");
  for (const char* bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/-1", "/8", "::/129"})
    EXPECT_FALSE(ParseCidr(bad, &cidr)) << bad;
}

TEST(ParseUint, SpellingsThatAreNumbersAndThatAreNot) {
  uint64_t v;
  EXPECT_EQ(ParseUint("0", 10, &v), Errc::kOk);
  EXPECT_EQ(ParseUint("007", 10, &v), Errc::kOk);
  EXPECT_EQ(v, 7u);
  EXPECT_EQ(ParseUint("65535", 65535, &v), Errc::kOk);
  EXPECT_EQ(ParseUint("65536", 65535, &v), Errc::kOutOfRange);
  EXPECT_EQ(ParseUint("9223372036854775807", INT64_MAX, &v), Errc::kOk);
  EXPECT_EQ(ParseUint("9223372036854775808", INT64_MAX, &v), Errc::kOutOfRange);
  EXPECT_EQ(ParseUint("99999999999999999999999", UINT64_MAX, &v), Errc::kOutOfRange);
  for (const char* bad : {"", "+1", "-1", "0x10", "1e3", "1.0", " 1", "1 ", "1_000", "12345678901234567890x"})
    EXPECT_EQ(ParseUint(bad, UINT64_MAX, &v), Errc::kNotANumber) << bad;
}

TEST(Time, SecondsMillisecondsAndTooLong) {
  int64_t s;
  const auto parse = [&](std::string_view t) { return ParseFlowTime(t.data(), t.size(), &s); };
  EXPECT_EQ(parse("1418530010"), Errc::kOk);
  EXPECT_EQ(s, 1418530010);
  EXPECT_EQ(parse("2147483648"), Errc::kOk);
  EXPECT_EQ(s, 2147483648);
  EXPECT_EQ(parse("1418530010999"), Errc::kOk);
  EXPECT_EQ(s, 1418530010);
  EXPECT_EQ(parse("14185300109990"), Errc::kOutOfRange);
}

TEST(Time, InstantsRoundTripOverFourCenturies) {
  for (int64_t s = -11'644'473'600; s < 4'102'444'800; s += 86'400 * 13 + 3'601) {
    int64_t again;
    const std::string text = FormatInstant(s);
    ASSERT_TRUE(ParseInstant(text, &again)) << text;
    ASSERT_EQ(again, s) << text;
  }
  int64_t s;
  EXPECT_TRUE(ParseInstant("2026-11-23T10:00:00+01:00", &s));
  EXPECT_EQ(FormatInstant(s), "2026-11-23T09:00:00Z");
  EXPECT_TRUE(ParseInstant("2024-02-29", &s));
  for (const char* bad :
       {"2023-02-29", "2026-13-01", "2026-11-23T25:00", "2026-11-23T10", "tomorrow", "2026-11-23T10:00:00x"})
    EXPECT_FALSE(ParseInstant(bad, &s)) << bad;
}

// Every beginning of an instant, and every letter of it replaced: taken only where it is one.
TEST(Time, InstantsCutAndSpoilt) {
  const std::string whole = "2026-11-23T10:07:09.250+01:30";
  int64_t s;
  const std::vector<size_t> instants = {10, 16, 19, 21, 22, 23, 28, 29};  // 28: a minute of one digit is none
  for (size_t n = 0; n <= whole.size(); ++n) {
    const bool is = n != 28 && std::find(instants.begin(), instants.end(), n) != instants.end();
    EXPECT_EQ(ParseInstant(whole.substr(0, n), &s), is) << whole.substr(0, n);
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char c : {'x', ' ', '/', ':'}) {
      std::string spoilt = whole;
      spoilt[i] = c;
      EXPECT_EQ(ParseInstant(spoilt, &s), spoilt == whole || (i == 10 && c == ' ')) << spoilt;
    }
  }
  for (const char* odd :
       {"2026-11-23T24:00Z", "2026-11-23T10:60Z", "2026-11-23T10:00:60Z", "2026-11-23T10:00Z0",
        "2026-11-23T10:00+24:00", "2026-11-23T10:00-01:60", "2026-00-23", "2026-11-00", "2026-11-31", "2100-02-29"})
    EXPECT_FALSE(ParseInstant(odd, &s)) << odd;
  for (const char* good : {"2000-02-29", "2026-11-23 10:00-0130", "2026-11-23T10:00:00.Z"}) {
    const bool is = std::string_view(good) != "2026-11-23T10:00:00.Z";  // a dot without digits
    EXPECT_EQ(ParseInstant(good, &s), is) << good;
  }
}

TEST(Time, Durations) {
  int64_t s;
  const std::pair<const char*, int64_t> all[] = {{"7s", 7}, {"2h", 7200}, {"1d", 86400}, {"3w", 3 * 604800}};
  for (const auto& [text, seconds] : all) {
    EXPECT_TRUE(ParseDuration(text, &s));
    EXPECT_EQ(s, seconds);
  }
  EXPECT_FALSE(ParseDuration("522w", &s)) << "more than ten years";
  EXPECT_TRUE(ParseDuration("5m", &s));
  EXPECT_EQ(s, 300);
  for (const char* bad : {"", "m", "0m", "5", "5x", "-5m", "99999999999999999999d", "1.5h"})
    EXPECT_FALSE(ParseDuration(bad, &s)) << bad;
}

}  // namespace
}  // namespace vpcflow
