// The ordinary spellings of other tools.
#include "src/format/spelling.h"

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "unit/testing.h"
#include "vpcflow/record/record_view.h"

namespace vpcflow {
namespace {

using internal::AsAwsWrites;

std::string Spelt(Field field, std::string_view value) {
  std::string scratch;
  return std::string(AsAwsWrites(field, value, &scratch));
}

using Cases = std::vector<std::pair<std::string, std::string>>;

void ExpectSpelt(Field field, const Cases& cases) {
  for (const auto& [from, to] : cases) EXPECT_EQ(Spelt(field, from), to) << Info(field).name << ": '" << from << "'";
}

void ExpectUnchanged(Field field, const std::vector<std::string>& values) {
  for (const std::string& value : values) EXPECT_EQ(Spelt(field, value), value) << Info(field).name;
}

TEST(Spelling, WholeNumbers) {
  const Cases cases = {{"22", "22"},
                       {"22.0", "22"},
                       {"22.000000", "22"},
                       {"22.", "22"},
                       {" 22 ", "22"},
                       {"0.0", "0"},
                       {"007.0", "7"},
                       {"4.2e4", "42000"},
                       {"4.2E4", "42000"},
                       {"4.2e+04", "42000"},
                       {"4200e-2", "42"},
                       {"0e0", "0"},
                       {"1.5E9", "1500000000"},
                       {"1.234567890000e+09", "1234567890"},
                       {"9223372036854775807.0", "9223372036854775807"}};
  for (const Field field : {Field::kBytes, Field::kSrcPort, Field::kTcpFlags, Field::kVersion, Field::kTrafficPath})
    ExpectSpelt(field, cases);
  // Rounded by a spreadsheet, signed, hexadecimal, with thousands, not whole, beyond all numbers.
  ExpectUnchanged(Field::kBytes, {"1.23457E+11",
                                  "-22",
                                  "+22",
                                  "-0.0",
                                  "0x16",
                                  "1,234",
                                  "1 234",
                                  "22.5",
                                  "1e-3",
                                  ".5",
                                  "2e",
                                  "2e+",
                                  "e5",
                                  "22.0.0",
                                  "1e999",
                                  "99999999999999999999.0",
                                  "12a",
                                  "inf",
                                  "1_000",
                                  "1e1000",
                                  std::string(65, '1') + ".0"});
  EXPECT_EQ(Spelt(Field::kBytes, "0e999"), "0");
}

TEST(Spelling, Null) {
  for (const FieldInfo& info : kFields) {
    const auto field = static_cast<Field>(&info - kFields.data());
    for (const char* null : {"", "-", "NaN", "null"}) EXPECT_EQ(Spelt(field, null), "-") << info.name << ": " << null;
    if (internal::SpellingOf(field) == internal::Spelling::kText) continue;
    for (const char* null : {"nan", "NULL", "None", "NaT", "N/A", "NA", "<NA>", "\\N", "(null)", "#N/A"})
      EXPECT_EQ(Spelt(field, null), "-") << info.name << ": " << null;
  }
  // What a user wrote may be one of these words.
  for (const Field field : {Field::kInstanceTag, Field::kEcsServiceName}) {
    ExpectUnchanged(field, {"None", "NULL", "N/A", " ", "nan", "a b", " x ", "22.0"});
  }
  EXPECT_EQ(Spelt(Field::kUnknown, "NaN"), "-");
  EXPECT_EQ(Spelt(Field::kUnknown, ""), "-");
  EXPECT_EQ(Spelt(Field::kUnknown, "None"), "None");
  ExpectUnchanged(Field::kVpcId, {"vpc-1", "vpc-0a1b2c3d", "x", "nano"});
}

TEST(Spelling, Times) {
  const Cases cases = {{"1764400000", "1764400000"},
                       {"1764400000123", "1764400000123"},
                       {"1764400000.0", "1764400000"},
                       {"1764400000.123", "1764400000"},
                       {"1764400000.999999", "1764400000"},
                       {"1.7644E9", "1764400000"},
                       {"1764400000123.0", "1764400000123"},
                       {"2025-11-29T07:06:40Z", "1764400000"},
                       {"2025-11-29T07:06:40.123Z", "1764400000"},
                       {"2025-11-29t07:06:40z", "1764400000"},
                       {"2025-11-29T07:06:40,5Z", "1764400000"},
                       {"2025-11-29T07:06:40.123456789+00:00", "1764400000"},
                       {"2025-11-29T08:06:40+0100", "1764400000"},
                       {"2025-11-29T08:06:40+01", "1764400000"},
                       {"2025-11-29 02:06:40-05:00", "1764400000"},
                       {"2025-11-29 12:36:40.5 +0530", "1764400000"},
                       {"2025-11-29 07:06:40", "1764400000"},
                       {"2025-11-29 07:06:40 UTC", "1764400000"},
                       {"2025-11-29 07:06:40.000 UTC", "1764400000"},
                       {"2025-11-29 07:06:40 GMT", "1764400000"},
                       {"2025-11-29 07:06:40Z", "1764400000"},
                       {"2025-11-29 07:06:40 +0000 UTC", "1764400000"},
                       {"2025-11-29T07:06:40Z[UTC]", "1764400000"},
                       {"2025-11-29T07:06", "1764399960"},
                       {"2025-11-29", "1764374400"},
                       {"2025/11/29 07:06:40", "1764400000"},
                       {"20251129T070640Z", "1764400000"},
                       {"20251129T080640+0100", "1764400000"},
                       {"20251129T0706", "1764399960"},
                       {" 2025-11-29T07:06:40Z ", "1764400000"},
                       {"2016-12-31T23:59:60Z", "1483228800"},  // a leap second
                       {"11/29/2025, 7:06:40.000 AM", "1764400000"},
                       {"11/29/2025, 7:06:40 AM", "1764400000"},
                       {"11/29/2025 7:06:40 AM", "1764400000"},
                       {"11/29/2025, 07:06 AM", "1764399960"},
                       {"11/29/2025, 7:06:40\xE2\x80\xAF"
                        "AM",
                        "1764400000"},
                       {"11/29/2025, 7:06:40.000 PM", "1764443200"},
                       {"1/2/2026, 12:00:00.000 AM", "1767312000"},
                       {"1/2/2026, 12:00:00.000 PM", "1767355200"},
                       {"Nov 29, 2025 @ 07:06:40.000", "1764400000"},
                       {"Jan 2, 2026 @ 00:00:00.000", "1767312000"},
                       {"1970-01-01T00:00:00Z", "0"},
                       {"2100-01-01T00:00:00Z", "4102444800000"}};  // as milliseconds
  ExpectSpelt(Field::kStart, cases);
  ExpectSpelt(Field::kEnd, cases);
  ExpectUnchanged(Field::kStart, {"29/11/2025, 7:06:40 AM",
                                  "11/29/2025, 7:06:40 am",
                                  "11/29/2025, 7:06:40",
                                  "11/29/2025, 13:06:40 PM",
                                  "11/29/2025, 0:06:40 AM",
                                  "11/31/2025, 1:06:40 AM",
                                  "2025-13-29T07:06:40Z",
                                  "2025-11-31",
                                  "2025-11-29T24:00:00Z",
                                  "2025-11-29T07:60:00Z",
                                  "2025-11-29T07",
                                  "2025-11-29T07:06:40+25:00",
                                  "2025-11-29T07:06:40 CET",
                                  "2025-11-29T07:06:40+01:00 UTC",
                                  "2025-11-29 +01:00",
                                  "1969-12-31T23:59:59Z",
                                  "29.11.2025 07:06:40",
                                  "-1764400000",
                                  "yesterday",
                                  "2025",
                                  "Nov 31, 2025 @ 07:06:40.000",
                                  "Foo 29, 2025 @ 07:06:40.000",
                                  "2025-11-29T07:06:40.Z",
                                  "9999999-01-01",
                                  "1.7644E+09",
                                  "2025-11-29T07:06:40Z2025-11-29T07:06:40Z",
                                  "11/29/2025"});
  EXPECT_EQ(Spelt(Field::kStart, "2025"), "2025");
}

TEST(Spelling, Enumerations) {
  ExpectSpelt(Field::kProtocol, {{"TCP", "6"},
                                 {"udp", "17"},
                                 {"Icmp", "1"},
                                 {"ICMPv6", "58"},
                                 {"IPv6-ICMP", "58"},
                                 {"6.0", "6"},
                                 {" tcp ", "6"},
                                 {"17", "17"}});
  ExpectUnchanged(Field::kProtocol, {"tcpx", "HTTP", "tc", "-6"});
  ExpectSpelt(Field::kAction,
              {{"accept", "ACCEPT"}, {"Reject", "REJECT"}, {"ACCEPT", "ACCEPT"}, {" ACCEPT", "ACCEPT"}});
  ExpectUnchanged(Field::kAction, {"DENY", "accepted", "ALLOW"});
  ExpectSpelt(Field::kLogStatus, {{"ok", "OK"}, {"NoData", "NODATA"}, {"SKIPDATA", "SKIPDATA"}});
  ExpectSpelt(Field::kFlowDirection, {{"Ingress", "ingress"}, {"EGRESS", "egress"}});
  ExpectSpelt(Field::kType, {{"ipv4", "IPv4"}, {"IPV6", "IPv6"}, {"efa", "EFA"}});
  ExpectUnchanged(Field::kType, {"AWSVPCFlow"});
}

TEST(Spelling, AccountIds) {
  for (const Field field : {Field::kAccountId, Field::kTgwSrcVpcAccountId, Field::kTgwDstVpcAccountId}) {
    ExpectSpelt(field, {{"123456789012", "123456789012"},
                        {"12345678901", "012345678901"},
                        {"1", "000000000001"},
                        {"123456789012.0", "123456789012"},
                        {"12345678901.0", "012345678901"},
                        {"1.23e11", "123000000000"},
                        {"1.23456789012E11", "123456789012"},
                        {"1.23456789012E+11", "123456789012"}});
    ExpectUnchanged(field, {"unknown", "1234567890123", "1.23457E+11", "29nnnnnnnn55", "123456789012.5", "-1"});
  }
}

TEST(Spelling, Addresses) {
  ExpectUnchanged(Field::kSrcAddr, {"10.0.0.1", "::1", "::", "1::", "fe80::1", "10.0.0.1.0", "x", "1.2.3.4/8"});
  ExpectSpelt(Field::kDstAddr, {{" 10.0.0.1", "10.0.0.1"}, {"10.0.0.1 ", "10.0.0.1"}, {"None", "-"}});
}

// One of AWS's own values of a field.
std::string OwnValue(const FieldInfo& info, std::mt19937_64* random) {
  switch (info.kind) {
    case Kind::kInt32:
    case Kind::kInt64: return std::to_string((*random)() % (info.max + 1));
    case Kind::kTime: return std::to_string((*random)() % 9'999'999'999'999);
    case Kind::kAddress:
      return ToString((*random)() % 2 ? Ip::V4(static_cast<uint32_t>((*random)())) : Ip{(*random)(), (*random)()});
    case Kind::kText: break;
  }
  constexpr std::string_view kOwn[] = {"unknown",
                                       "123456789012",
                                       "eni-0a1b2c3d4e5f60001",
                                       "ACCEPT",
                                       "REJECT",
                                       "OK",
                                       "NODATA",
                                       "SKIPDATA",
                                       "vpc-1",
                                       "IPv4",
                                       "IPv6",
                                       "EFA",
                                       "us-east-1",
                                       "use1-az4",
                                       "ingress",
                                       "egress",
                                       "S3",
                                       "BPA",
                                       "nat_gateway",
                                       "platform%2Dengineering"};
  return std::string(kOwn[(*random)() % std::size(kOwn)]);
}

TEST(Spelling, AwsOwnComesBackUnchanged) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto field = static_cast<Field>(random() % kFieldCount);
    std::string value = OwnValue(Info(field), &random);
    EXPECT_EQ(Spelt(field, value), value) << Info(field).name;
    EXPECT_EQ(Spelt(field, "-"), "-");
  }
}

// What comes out is what went in, or a value that the field can have but for its range.
TEST(Spelling, ChangesNothingThatItDoesNotKnow) {
  constexpr std::string_view kPieces[] = {"20",
                                          "2025-11-29",
                                          "T",
                                          " ",
                                          "07:06:40",
                                          ".",
                                          "000",
                                          "Z",
                                          "UTC",
                                          "+",
                                          "-",
                                          "01:00",
                                          "AM",
                                          "PM",
                                          "11/29/",
                                          ",",
                                          "e",
                                          "E",
                                          "@",
                                          "Nov",
                                          "TCP",
                                          "nan",
                                          "N",
                                          "\\N",
                                          "ok",
                                          "9",
                                          "1",
                                          "0x1",
                                          "\xFF",
                                          "\n",
                                          "2016-12-31T23:59:60",
                                          "[UTC]",
                                          "accept",
                                          "10.0.0.1",
                                          ":"};
  std::mt19937_64 random(2);
  for (int i = 0; i < 200'000; ++i) {
    std::string value;
    for (uint64_t n = random() % 6; n > 0; --n) value += kPieces[random() % std::size(kPieces)];
    const auto field = static_cast<Field>(random() % (kFieldCount + 1));
    const std::string out = Spelt(field, value);
    EXPECT_EQ(Spelt(field, out), out) << value;
    if (out == value || out == "-" || field == Field::kUnknown) continue;
    if (Info(field).kind == Kind::kText || Info(field).kind == Kind::kAddress) {
      EXPECT_EQ(out.find_first_of(" \n"), std::string::npos) << value;
      continue;
    }
    uint64_t number;
    EXPECT_NE(ParseUint(out, Info(field).max, &number), Errc::kNotANumber) << value << " gives " << out;
  }
}

}  // namespace
}  // namespace vpcflow
