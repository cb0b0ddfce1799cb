#include <cctype>
#include <set>
#include <string>

#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;

Format MustParse(std::string_view text) {
  Format format;
  FormatError error;
  EXPECT_TRUE(Format::Parse(text, &format, &error)) << error.message;
  return format;
}

std::string ErrorOf(std::string_view text) {
  Format format;
  FormatError error;
  EXPECT_FALSE(Format::Parse(text, &format, &error)) << text;
  return error.message;
}

TEST(Catalogue, HasEveryFieldOnce) {
  std::set<std::string_view> names;
  int vpc = 0;
  for (const FieldInfo& info : kFields) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_EQ(CanonicalName(info.getter), info.name);
    EXPECT_FALSE(info.meaning.empty());
    vpc += info.delivered_in != LogKind::kTgw;
  }
  EXPECT_EQ(vpc, 54);  // AWS's version 11
  EXPECT_EQ(Format::UpToVersion(2).size(), 14u);
  EXPECT_EQ(Format::UpToVersion(5).size(), 29u);
  EXPECT_EQ(Format::UpToVersion(10).size(), 42u);
  EXPECT_EQ(Format::TransitGatewayDefault().size(), 36u);
}

TEST(Catalogue, NamesOfOtherTools) {
  for (const FieldInfo& info : kFields) {
    std::string bare(info.name), loud(info.getter);
    std::erase(bare, '-');
    for (char& c : loud) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (const std::string& name : {bare, loud, "_" + bare + "--"}) {
      const std::optional<Field> field = FindFieldOrAlias(name);
      ASSERT_TRUE(field.has_value()) << name;
      EXPECT_EQ(Info(*field).name, info.name) << name;
    }
    EXPECT_FALSE(FindFieldOrAlias(bare + "x")) << bare;
  }
  static_assert(FindFieldOrAlias("pktSrcAddr") == Field::kPktSrcAddr);
  static_assert(FindFieldOrAlias("Source_Address") == Field::kSrcAddr);
  for (const char* name : {"", "-", "__", "src", "sourceaddres", "srcaddr2", "src.addr"})
    EXPECT_FALSE(FindFieldOrAlias(name)) << name;
}

TEST(Format, EveryWayToWriteIt) {
  const Format expected = MustParse("srcaddr pkt-dstaddr bytes");
  for (const char* text : {"${srcaddr} ${pkt-dstaddr} ${bytes}", "$${srcaddr} $${pkt-dstaddr} $${bytes}",
                           "srcaddr,pkt_dstaddr,bytes", "${srcaddr}${pkt-dstaddr}${bytes}",
                           "  SrcAddr\tpkt_dstaddr \n bytes ", "${srcaddr}, ${pkt_dstaddr}, ${bytes}"}) {
    EXPECT_EQ(MustParse(text), expected) << text;
  }
  EXPECT_EQ(MustParse(expected.ToString()), expected);
  EXPECT_EQ(MustParse("default"), Format::Default());
  EXPECT_EQ(MustParse("tgw"), Format::TransitGatewayDefault());
  EXPECT_EQ(MustParse("v5"), Format::UpToVersion(5));
}

TEST(Format, AnyOrderMapsToSlots) {
  const Format format = MustParse("log-status action bytes srcaddr");
  EXPECT_EQ(format.IndexOf(Field::kBytes), 2);
  EXPECT_EQ(format.IndexOf(Field::kLogStatus), 0);
  EXPECT_EQ(format.IndexOf(Field::kEnd), -1);
  EXPECT_EQ(format.IndexOf("log_status"), 0);
}

TEST(Format, UnknownFieldsAreKeptUnlessTheyAreSlips) {
  const Format format = MustParse("srcaddr security-groups");
  EXPECT_EQ(format.columns()[1].field, Field::kUnknown);
  EXPECT_EQ(format.IndexOf("security_groups"), 1);
  EXPECT_THAT(ErrorOf("${version} ${srcadr}"), HasSubstr("token 2: unknown field 'srcadr'; did you mean 'srcaddr'?"));
  EXPECT_THAT(ErrorOf("dstprot"), HasSubstr("'dstport'"));
}

TEST(Format, Errors) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("no field"));
  EXPECT_THAT(ErrorOf("srcaddr srcaddr"), HasSubstr("twice"));
  EXPECT_THAT(ErrorOf("${srcaddr ${bytes}"), HasSubstr("token 1"));
  EXPECT_THAT(ErrorOf("$srcaddr"), HasSubstr("${field}"));
  EXPECT_THAT(ErrorOf("srcaddr 1bytes"), HasSubstr("not a field name"));
  EXPECT_THAT(ErrorOf("foo bar"), HasSubstr("none of its fields"));
  EXPECT_THAT(ErrorOf("\x1b[31m"), HasSubstr("\\x1b"));
  std::string many = "srcaddr";
  for (int i = 0; i < 300; ++i) many += " extra-column-number-" + std::to_string(i);
  EXPECT_THAT(ErrorOf(many), HasSubstr("at most 256"));
}

TEST(Format, HeadersAndWhatIsNone) {
  Format format;
  EXPECT_TRUE(Format::ParseHeader("version account-id interface-id srcaddr", &format));
  EXPECT_TRUE(Format::ParseHeader("srcaddr dstaddr new-field-of-2027", &format));
  EXPECT_EQ(format.size(), 3u);
  for (const char* line :
       {"2 123456789010 eni-1 10.0.0.1", "-", "", "hello world again", "srcaddr srcaddr", "eni-1 ACCEPT OK"})
    EXPECT_FALSE(Format::ParseHeader(line, &format)) << line;
}

TEST(Nearest, FindsSlipsOnly) {
  EXPECT_EQ(NearestField("srcprot"), "srcport");
  EXPECT_EQ(NearestField("tcp_flag"), "tcp-flags");
  EXPECT_EQ(NearestField("zzzzzz"), "");
}

}  // namespace
}  // namespace vpcflow
