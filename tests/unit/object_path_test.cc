// Partitions: what the folders of other tools tell, and that no wanted record is left unread.
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

constexpr int64_t kMidnight = 1795392000;  // 2026-11-23
constexpr int64_t kHour = 3600, kDay = 86400;

TEST(ObjectPath, PartitionsOfOtherTools) {
  struct Case {
    const char* path;
    const char* account;
    const char* region;
    int64_t begin;  // 0 for none
    int64_t length;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"data/region=us-east-1/year=2026/month=11/day=23/part-0.parquet", "", "us-east-1", kMidnight, kDay},
           {"region=eu-west-1/year=2026/month=11/day=23/hour=06/p", "", "eu-west-1", kMidnight + 6 * kHour, kHour},
           {"year=2026/month=11/day=23/hour=6/p", "", "", kMidnight + 6 * kHour, kHour},
           {"year=2027/month=1/day=2/p", "", "", kMidnight + 40 * kDay, kDay},
           {"year=2026/month=11/p", "", "", kMidnight - 22 * kDay, 30 * kDay},
           {"year=2026/month=12/p", "", "", kMidnight + 8 * kDay, 31 * kDay},
           {"year=2026/p", "", "", kMidnight - 326 * kDay, 365 * kDay},
           {"account=123456789010/dt=2026-11-23/p", "123456789010", "", kMidnight, kDay},
           {"account_id=123456789010/date=2026-11-23/hour=23/p", "123456789010", "", kMidnight + 23 * kHour, kHour},
           {"accountid=123456789010/dt=2026-11-23-05/p", "123456789010", "", kMidnight + 5 * kHour, kHour},
           {"aws/VPC_FLOW/2.0/region=us-east-1/accountId=123456789010/eventDay=20261123/x.gz.parquet", "123456789010",
            "us-east-1", kMidnight, kDay},
           {"EXT/EVENTDAY=20261123/accountid=123456789010/x", "123456789010", "", kMidnight, kDay},
           {"firehose/2026/11/23/06/stream-1-2026-11-23-06-05-00-uuid", "", "", kMidnight + 6 * kHour, kHour},
           {"2026/11/23/06/2026/11/23/07/x", "", "", kMidnight + 7 * kHour, kHour},
           // Nothing of use.
           {"exportedlogs/0b1c/eni-1-all/000000.gz", "", "", 0, 0},
           {"region=here/account=7/year=26/x", "", "", 0, 0},
           {"year=__HIVE_DEFAULT_PARTITION__/month=11/day=23/x", "", "", 0, 0},
           {"year=2026/month=11/day=__HIVE_DEFAULT_PARTITION__/x", "", "", 0, 0},
           {"month=11/day=23/x", "", "", 0, 0},
           {"2026/11/23/24/x", "", "", 0, 0},
           {"dt=2026-11/x", "", "", 0, 0},
           {"year=2026/day=23/x", "", "", 0, 0}}) {
    const ObjectPath path = ParseObjectPath(c.path);
    EXPECT_EQ(path.account, c.account) << c.path;
    EXPECT_EQ(path.region, c.region) << c.path;
    EXPECT_EQ(path.begin.value_or(0), c.begin) << c.path;
    if (c.begin != 0) {
      EXPECT_EQ(*path.end - *path.begin, c.length) << c.path;
    }
  }
}

TEST(ObjectPath, SecurityLake) {
  const ObjectPath day = ParseObjectPath(
      "aws-security-data-lake-us-east-1-x/aws/VPC_FLOW/2.0/region=us-east-1/accountId=123456789010/eventDay=20261123/"
      "0a1b.gz.parquet");
  EXPECT_EQ(day.lake_version, "2.0");
  EXPECT_EQ(day.begin, kMidnight);
  const ObjectPath hour =
      ParseObjectPath("aws/VPC_FLOW/1.0/region=us-east-1/accountId=123456789010/eventHour=2026112307/0a1b.gz.parquet");
  EXPECT_EQ(hour.lake_version, "1.0");
  EXPECT_EQ(hour.begin, kMidnight + 7 * kHour);
  EXPECT_EQ(hour.end, kMidnight + 8 * kHour);
  EXPECT_EQ(ParseObjectPath("aws/vpc_flow/2.0/REGION=us-east-1/ACCOUNTID=123456789010/x").lake_version, "2.0");
  EXPECT_EQ(ParseObjectPath("aws/VPC_FLOW/2.0/x").lake_version, "");
  EXPECT_FALSE(ParseObjectPath("eventHour=2026112324/x").begin);
  EXPECT_FALSE(ParseObjectPath("eventHour=2026-11-23/x").end == hour.end);
}

TEST(ObjectPath, Firehose) {
  const std::string uuid = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f";
  const ObjectPath usual = ParseObjectPath("flows/2026/11/23/06/PUT-S3-a-12-2026-11-23-06-05-00-" + uuid + ".gz");
  EXPECT_EQ(usual.delivery_stream, "PUT-S3-a");
  EXPECT_EQ(usual.delivery_version, 12u);
  EXPECT_EQ(usual.begin, kMidnight + 6 * kHour);
  EXPECT_EQ(usual.end, kMidnight + 7 * kHour);
  EXPECT_EQ(ParseObjectPath("2026/11/23/06/s-1-2026-11-23-06-05-00-" + uuid).delivery_stream, "s");
  // A prefix without a time: the name has it.
  const ObjectPath own = ParseObjectPath("team/flows-1-2026-11-23-06-05-07-" + uuid + ".parquet");
  EXPECT_EQ(own.delivery_stream, "flows");
  EXPECT_EQ(own.begin, kMidnight + 6 * kHour + 307);
  EXPECT_FALSE(MayHold(own, {kMidnight + 40 * kDay, {}, {}, {}}));
  EXPECT_TRUE(MayHold(own, {kMidnight - kDay, kMidnight, {}, {}}));
  for (const std::string& name :
       {"1-2026-11-23-06-05-07-" + uuid, "s-x-2026-11-23-06-05-07-" + uuid, "s-1-2026-13-23-06-05-07-" + uuid,
        "s-1-2026-11-23-24-05-07-" + uuid, "s-1-2026-11-23-06-05-07-" + uuid.substr(1), std::string("-1-2026"),
        "-1-2026-11-23-06-05-07-" + uuid, "s-1-2026-11-23-06-05-" + uuid}) {
    const ObjectPath path = ParseObjectPath("x/" + name);
    EXPECT_EQ(path.delivery_stream, "") << name;
    EXPECT_FALSE(path.begin) << name;
  }
}

TEST(ObjectPath, ExportOfCloudWatch) {
  const std::string folder = "exportedlogs/0b1c2d3e-0b1c-0b1c-0b1c-0b1c2d3e4f5a/";
  EXPECT_EQ(ParseObjectPath(folder + "eni-1235b8ca123456789-all/000000.gz").interface_id, "eni-1235b8ca123456789");
  EXPECT_EQ(ParseObjectPath(folder + "eni-1-reject/000012.gz").interface_id, "eni-1");
  EXPECT_EQ(ParseObjectPath(folder + "eni-1/000000.gz").interface_id, "");
  EXPECT_EQ(ParseObjectPath(folder + "eni-1-all/x00000.gz").interface_id, "");
  EXPECT_EQ(ParseObjectPath(folder + "other-all/000000.gz").interface_id, "");
  EXPECT_EQ(ParseObjectPath("000000.gz").interface_id, "");
}

TEST(ObjectPath, FoldersOfOthersAreAllowedMore) {
  const ObjectPath aws = ParseObjectPath("aws-region=us-east-1/year=2026/month=11/day=23/x");
  const ObjectPath other = ParseObjectPath("region=us-east-1/year=2026/month=11/day=23/x");
  const auto may = [](const ObjectPath& path, int64_t start, int64_t end) {
    return MayHold(path, {start, end, {}, {}});
  };
  EXPECT_FALSE(may(aws, kMidnight + kDay, kMidnight + 2 * kDay));
  EXPECT_TRUE(may(other, kMidnight + kDay, kMidnight + 2 * kDay));
  EXPECT_FALSE(may(other, kMidnight + 2 * kDay, kMidnight + 3 * kDay));
  EXPECT_TRUE(may(other, kMidnight - 2 * kDay, kMidnight - kDay));
  EXPECT_FALSE(may(other, kMidnight - 3 * kDay, kMidnight - 2 * kDay));
  EXPECT_FALSE(MayHold(other, {{}, {}, {}, {"eu-west-1"}}));
  EXPECT_TRUE(MayHold(other, {{}, {}, {"123456789010"}, {"us-east-1"}}));
}

std::string Two(int n) { return absl::StrCat(absl::Dec(n, absl::kZeroPad2)); }

// The path of an object that is delivered at `at`, a Unix time as its writer's clock shows it.
std::string PathOf(int layout, int64_t at, const std::string& account, const std::string& region) {
  const absl::CivilSecond t = absl::ToCivilSecond(absl::FromUnixSeconds(at), absl::UTCTimeZone());
  const std::string year = absl::StrCat(t.year()), month = Two(t.month()), day = Two(t.day()), hour = Two(t.hour()),
                    minute = Two(t.minute() / 5 * 5), date = absl::StrCat(year, "/", month, "/", day);
  const std::string logs = absl::StrCat("AWSLogs/", account, "/vpcflowlogs/", region, "/", date, "/");
  const std::string hive = absl::StrCat("year=", year, "/month=", month, "/day=", day, "/");
  switch (layout) {
    case 0:
      return absl::StrCat("p/", logs, account, "_vpcflowlogs_", region, "_fl-1_", year, month, day, "T", hour, minute,
                          "Z_h.log.gz");
    case 1: return absl::StrCat(logs, hour, "/x.parquet");
    case 2:
      return absl::StrCat("aws-account-id=", account, "/aws-service=vpcflowlogs/aws-region=", region, "/", hive, "x");
    case 3:
      return absl::StrCat("region=", region, "/accountId=", account, "/eventDay=", year, month, day, "/x.gz.parquet");
    case 4: return absl::StrCat("fh/", date, "/", hour, "/stream-1");
    case 5: return absl::StrCat("region=", region, "/", hive, "hour=", t.hour(), "/part-0");
    case 6: return absl::StrCat("account_id=", account, "/dt=", year, "-", month, "-", day, "/part-0");
    case 7: return absl::StrCat("region=", region, "/year=", year, "/month=", t.month(), "/x");
    default: return absl::StrCat("exports/", account, "/000.gz");
  }
}

// A record is delivered to an object; whoever asks for its time, account and region is given the object.
TEST(ObjectPath, MayHoldNeverLeavesOutAWantedRecord) {
  std::mt19937_64 random(11);
  const auto upto = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n + 1)); };
  const std::vector<std::string> accounts = {"123456789010", "000000000001"}, regions = {"us-east-1", "us-gov-west-1"};
  int left_out = 0;
  for (int round = 0; round < 20'000; ++round) {
    const int layout = round % 9;
    const int64_t start = kMidnight - 400 * kDay + upto(800 * kDay), end = start + upto(600);
    int64_t at = end;  // by AWS: the slot of the record's end, or a later one
    if (layout <= 2) at += upto(660);
    if (layout == 3 || layout == 6) at = upto(1) == 0 ? start : end;
    // Firehose: arrival of the first record in the object, late, after failures, in a zone of the stream's.
    if (layout == 4) at += upto(600) - upto(900) + upto(1) * upto(kDay) + (upto(26) - 12) * kHour;
    if (layout == 5 || layout == 7) at += upto(1) * upto(20 * kHour) - upto(12) * kHour;  // of a job, in its zone
    const std::string &account = accounts[random() % 2], &region = regions[random() % 2];
    const ObjectPath path = ParseObjectPath(PathOf(layout, at, account, region));
    ObjectSelection wanted;
    if (upto(3) != 0) wanted.start = start - upto(3) * upto(kDay);
    if (upto(3) != 0) wanted.end = start + 1 + upto(3) * upto(kDay);
    if (upto(1) == 0) wanted.accounts = {account};
    if (upto(1) == 0) wanted.regions = {"eu-west-1", region};
    ASSERT_TRUE(MayHold(path, wanted)) << layout << " " << start << " " << PathOf(layout, at, account, region);
    ObjectSelection other;  // far away
    other.start = start + 40 * kDay;
    left_out += !MayHold(path, other);
  }
  EXPECT_GT(left_out, 20'000 * 7 / 9);
}

}  // namespace
}  // namespace vpcflow
