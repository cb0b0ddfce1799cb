// What filters say about the values of the records that pass.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "vpcflow/filter/filter.h"
#include "vpcflow/source/arrow_table.h"

namespace vpcflow {
namespace {

std::vector<FieldBounds> BoundsOf(const std::string& text) { return Filter::Parse(text)->Bounds(); }

FieldBounds Ints(const std::string& field, std::optional<int64_t> least, std::optional<int64_t> most) {
  FieldBounds out{field};
  out.least = least;
  out.most = most;
  return out;
}

FieldBounds Texts(const std::string& field, const std::string& least, const std::string& most) {
  FieldBounds out{field};
  out.least_text = least;
  out.most_text = most;
  return out;
}

using Many = std::vector<FieldBounds>;

TEST(Bounds, OfTestsThatHaveToHold) {
  EXPECT_EQ(BoundsOf("dstport = 22"), Many{Ints("dstport", 22, 22)});
  EXPECT_EQ(BoundsOf("start >= 100 and start < 200 and bytes > 5"),
            (Many{Ints("start", 100, 199), Ints("bytes", 6, std::nullopt)}));
  EXPECT_EQ(BoundsOf("dstport in (443, 22) and dstport between 80 and 500"), Many{Ints("dstport", 80, 443)});
  EXPECT_EQ(BoundsOf("interface_id = 'eni-2' or interface_id = 'eni-1'"),
            Many{Texts("interface-id", "eni-1", "eni-2")});
  EXPECT_EQ(BoundsOf("srcaddr = 10.1.2.3"), Many{Texts("srcaddr", "10.1.2.3", "10.1.2.3")});
  EXPECT_EQ(BoundsOf("srcaddr in ('10.1.0.0/16', '10.3.0.0/24')"), Many{Texts("srcaddr", "10.1.", "10.3.0.\xFF")});
}

TEST(Bounds, OfEitherOfTwo) {
  EXPECT_EQ(BoundsOf("dstport = 22 or dstport > 1000"), Many{Ints("dstport", 22, std::nullopt)});
  EXPECT_EQ(BoundsOf("(dstport = 22 and bytes > 9) or dstport = 80"), Many{Ints("dstport", 22, 80)});
  EXPECT_EQ(BoundsOf("dstport = 22 or bytes > 9"), Many{});
  EXPECT_EQ(BoundsOf("dstport > 22 or dstport < 9"), Many{});
}

TEST(Bounds, NoneWhereAnyValueMayPass) {
  for (const char* text : {"not dstport = 22", "dstport != 22", "dstport is null", "tcp_flags & 2 = 2",
                           "action = 'REJECT'", "srcaddr in '2001:db8::/32'", "srcaddr in '0.0.0.0/1'",
                           "srcport = dstport", "interface_id like 'eni-%'", "not (dstport < 5 and bytes > 1)"})
    EXPECT_EQ(BoundsOf(text), Many{}) << text;
}

}  // namespace
}  // namespace vpcflow
