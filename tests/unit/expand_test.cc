// Folders and patterns: what is read of them, and what is said of the rest.
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/match.h"
#include "src/scan/holds_records.h"
#include "src/source/other_services.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using vpcflow_testing::Gzip;
using vpcflow_testing::kHeader;
using vpcflow_testing::Line;
using vpcflow_testing::TempDir;

const std::string kRecord = Line("10.0.0.1", 22, 5);

struct Expanded {
  std::vector<std::string> names;
  std::string notes;
};

Expanded Expand(const TempDir& dir, const std::string& path = "") {
  Expanded out;
  std::vector<std::string> notes;
  const absl::StatusOr<std::vector<Source>> sources = Source::Expand(path.empty() ? dir.path() : dir / path, &notes);
  if (!sources.ok()) return {{}, std::string(sources.status().message())};
  for (const Source& source : *sources) out.names.push_back(source.name().substr(dir.path().size() + 1));
  for (const std::string& note : notes) out.notes += note + "\n";
  return out;
}

TEST(Expand, NamesThatDoNotTellAreLookedInto) {
  TempDir dir;
  dir.Write("2026/11/23/06/stream-1-2026-11-23-06-05-00-abcd",
            "{\"message\":\"" + kRecord.substr(0, kRecord.size() - 1) + "\"}");
  dir.Write("firehose.out", Gzip("{\"message\":\"" + kRecord.substr(0, kRecord.size() - 1) + "\"}{\"message\":\"x\"}"));
  dir.Write("results.json",
            R"({"results": [[{"field": "srcAddr", "value": "10.0.0.1"}, {"field": "dstAddr", "value": "10.0.0.2"}]]})");
  dir.Write("header.0", kHeader + kRecord);
  dir.Write("custom.flow", "10.0.0.1 5 10.0.0.2 80\n10.0.0.1 5 10.0.0.3 80\n");
  dir.Write("athena-0001", std::string("PAR1\x15\x04", 6));
  dir.Write("ocsf.dat", R"({"class_uid":4001,"src_endpoint":{"ip":"10.0.0.1"},"dst_endpoint":{"ip":"10.0.0.2"}})");
  dir.Write("notes.md", "# How to read these logs\n\nAsk Bob about 10.0.0.1 and the others.\n");
  dir.Write("main.tf.json", R"({"resource": {"aws_flow_log": {"example": {"log_destination": "x"}}}})");
  dir.Write("tool", std::string("\x7F") + "ELF\x02\x01\x01\0\0\0" + std::string(100, '\0'));
  dir.Write("dns.json", R"({"version":"1.1","account_id":"1","srcaddr":"10.0.0.1","srcport":"5","query_name":"a.b."})");
  dir.Write("nothing.dat", "");
  const Expanded got = Expand(dir);
  EXPECT_THAT(got.names, ElementsAre("2026/11/23/06/stream-1-2026-11-23-06-05-00-abcd", "athena-0001", "custom.flow",
                                     "firehose.out", "header.0", "ocsf.dat", "results.json"));
  EXPECT_THAT(got.notes,
              HasSubstr(": 5 files of this folder were not read: 1 empty (nothing.dat), 4 without flow log "
                        "records (dns.json, main.tf.json, notes.md); to read one, name it or give a pattern"));
}

TEST(Expand, LogsByTheirEndingAreTakenWithoutALook) {
  TempDir dir;
  for (const char* name : {"a.log", "b.txt", "c.gz", "d.zst", "e.ndjson", "f.jsonl", "g.csv", "h.parquet"})
    dir.Write(name, "?");
  EXPECT_EQ(Expand(dir).names.size(), 8u);
  EXPECT_THAT(Expand(dir).notes, IsEmpty());
}

TEST(Expand, OtherServicesObjectsAreLeftOut) {
  TempDir dir;
  const std::string a = "AWSLogs/123456789010/", region = "us-east-1/2026/11/23/";
  dir.Write(a + "vpcflowlogs/" + region + "123456789010_vpcflowlogs_us-east-1_fl-1_20261123T0605Z_a.log.gz",
            Gzip(kRecord));
  dir.Write(a + "CloudTrail/" + region + "123456789010_CloudTrail_us-east-1_20261123T0605Z_x.json.gz", "?");
  dir.Write(
      a + "CloudTrail-Digest/" + region + "123456789010_CloudTrail-Digest_us-east-1_t_us-east-1_20261123T0605Z.json.gz",
      "?");
  dir.Write(a + "Config/us-east-1/2026/11/23/ConfigHistory/123456789010_Config_us-east-1_ConfigHistory_x.json.gz", "?");
  dir.Write(a + "elasticloadbalancing/" + region +
                "123456789010_elasticloadbalancing_us-east-1_app.x_20261123T0605Z_1.2.3.4_z.log.gz",
            "?");
  dir.Write(a + "vpcdnsquerylogs/vpc-1/2026/11/23/vpc-1_vpcdnsquerylogs_123456789010_20261123T0605Z_x.log.gz", "?");
  dir.Write(a + "GuardDuty/" + region + "f.jsonl.gz", "?");
  dir.Write(a + "WAFLogs/us-east-1/acl/2026/11/23/06/05/123456789010_waflogs_us-east-1_acl_x.log.gz", "?");
  dir.Write("AWSLogs/aws-account-id=123456789010/aws-service=elasticloadbalancing/aws-region=us-east-1/x.log.gz", "?");
  dir.Write("AWSLogs/aws-account-id=123456789010/aws-service=vpcflowlogs/aws-region=us-east-1/x.log.gz", "?");
  const Expanded got = Expand(dir);
  EXPECT_EQ(got.names.size(), 2u);
  for (const std::string& name : got.names) EXPECT_THAT(name, HasSubstr("vpcflowlogs"));
  EXPECT_THAT(got.notes, HasSubstr(": 8 files of this folder were not read: 1 of CloudTrail ("));
  for (const char* what :
       {"1 of CloudTrail-Digest (", "1 of Config (", "2 of elasticloadbalancing (", "1 of GuardDuty (f.jsonl.gz)"})
    EXPECT_THAT(got.notes, HasSubstr(what));
  // Whoever asks for them gets them.
  EXPECT_EQ(Expand(dir, "AWSLogs/**/*.jsonl.gz").names.size(), 1u);
  EXPECT_THAT(Expand(dir, a + "GuardDuty").notes, HasSubstr("no flow logs in this folder\n"));
}

TEST(Expand, WordsThatServicesShareWithUsersAreNoService) {
  for (const char* path :
       {"/x/Config/a.log", "/x/my_CloudTrail_notes.log", "/x/logs/2026/a.log", "/home/GuardDuty/logs/a.log",
        "/x/AWSLogs/123456789010/vpcflowlogs/us-east-1/a_Config_b.log"}) {
    EXPECT_EQ(internal::OtherService(path, std::string_view(path).starts_with("/home") ? 20 : 2), "") << path;
  }
  EXPECT_EQ(WhyNoFlowLog("AWSLogs/123456789010/CloudTrail/us-east-1/"), "of CloudTrail");
  EXPECT_EQ(WhyNoFlowLog("a/_SUCCESS"), "named as a manifest or checksum");
  EXPECT_EQ(WhyNoFlowLog("a/.log.gz"), "hidden");
  EXPECT_EQ(WhyNoFlowLog("AWSLogs/123456789010/vpcflowlogs/us-east-1/"), "");
  EXPECT_EQ(internal::OtherService("/x/123456789010/Config/us-east-1/a.log", 40), "Config");
  EXPECT_EQ(internal::OtherService("logs/CloudTrail/us-east-1/a.json.gz", 4), "CloudTrail");
  for (const auto& [path, service] :
       {std::pair("lake/aws/ROUTE53/1.0/region=us-east-1/accountId=123456789010/eventDay=20261123/x.parquet",
                  "ROUTE53"),
        std::pair("aws/CLOUD_TRAIL_MGMT/2.0/region=us-east-1/x", "CLOUD_TRAIL_MGMT"),
        std::pair("aws/VPC_FLOW/2.0/region=us-east-1/x", ""), std::pair("aws/notes/2.0/x", ""),
        std::pair("aws/notes/x/region=us-east-1/x", ""), std::pair("laws/ROUTE53/1.0/region=us-east-1/x", "")})
    EXPECT_EQ(internal::OtherService(path, 0), service) << path;
}

TEST(Expand, ManifestsAndHiddenFilesAreSaidWhereNothingElseIs) {
  TempDir dir;
  for (const char* name :
       {"manifest.json", "_SUCCESS", "_metadata", "a.log.crc", "a.log.md5", ".DS_Store", ".git/config", ".x.log"})
    dir.Write(name, kHeader + kRecord);
  EXPECT_THAT(Expand(dir).notes,
              HasSubstr(": 8 files of this folder were not read: 2 hidden, 1 hidden as a folder, 5 named as "
                        "a manifest or checksum (_SUCCESS, "));
  dir.Write("a.log", kHeader + kRecord);
  const Expanded got = Expand(dir);
  EXPECT_THAT(got.names, ElementsAre("a.log"));
  EXPECT_EQ(got.notes, "");
}

TEST(Expand, NothingThatIsALogSaysWhatIsThere) {
  TempDir dir;
  EXPECT_THAT(Expand(dir).notes, HasSubstr("no flow logs in this folder: it is empty"));
  dir.Write("a.pdf", "%PDF-1.4\n\x01\x02");
  dir.Write("b.html", "<html></html>");
  EXPECT_THAT(Expand(dir).notes, HasSubstr("no flow logs in this folder\n"));
  EXPECT_THAT(Expand(dir).notes, HasSubstr("2 without flow log records (a.pdf, b.html)"));
}

TEST(Expand, LinksDevicesAndFoldersThatCannotBeRead) {
  TempDir dir;
  dir.Write("in/a.log", kHeader + kRecord);
  dir.Write("in/name\nwith\tcontrols.log", kHeader + kRecord);
  dir.Write("closed/b.log", kHeader + kRecord);
  std::filesystem::create_directory_symlink(dir.path(), dir / "in/loop");
  std::filesystem::create_symlink(dir / "in/a.log", dir / "linked.log");
  std::filesystem::create_symlink(dir / "gone.log", dir / "broken.log");
  ASSERT_EQ(mkfifo((dir / "pipe.log").c_str(), 0600), 0);
  ASSERT_EQ(chmod((dir / "closed").c_str(), 0), 0);
  ASSERT_EQ(chmod(dir.path().c_str(), 0755), 0);
  const bool root = geteuid() == 0;
  ASSERT_EQ(root ? seteuid(65534) : 0, 0);
  const Expanded got = Expand(dir), pattern = Expand(dir, "**/*.log");
  ASSERT_EQ(root ? seteuid(0) : 0, 0);
  chmod((dir / "closed").c_str(), 0755);
  EXPECT_THAT(got.names, ElementsAre("in/a.log", "in/name\nwith\tcontrols.log", "linked.log"));
  for (const char* what :
       {"1 linking to a folder (loop)", "2 that is a pipe or device (", "of the folders 1 could not be read ("})
    EXPECT_THAT(got.notes, HasSubstr(what));
  EXPECT_THAT(got.notes, HasSubstr("closed: Permission denied"));
  EXPECT_EQ(std::count(got.notes.begin(), got.notes.end(), '\n'), 2);
  EXPECT_THAT(pattern.names, testing::Contains("in/a.log"));
  EXPECT_THAT(pattern.notes, HasSubstr("closed: Permission denied"));
}

TEST(Expand, NotesAreInTheReport) {
  TempDir dir;
  dir.Write("a.log", kHeader + kRecord);
  dir.Write("b.pdf", "%PDF");
  absl::StatusOr<Reader> reader = Reader::Open(dir.path());
  ASSERT_TRUE(reader.ok());
  while (reader->Next()) {
  }
  EXPECT_THAT(reader->report().warnings,
              ElementsAre(HasSubstr("1 file of this folder was not read: 1 without flow log records (b.pdf)")));
}

// Whatever the bytes: an answer, and no read outside of them.
TEST(HoldsRecords, OfAnyBeginning) {
  for (const std::string& text : std::initializer_list<std::string>{
           kHeader, kRecord, "{\"message\": \"" + kRecord, "@timestamp,@message\n1," + kRecord,
           "2026-11-23T00:00:00.000Z " + kRecord, std::string("H4sIAAAAAAAAAA=="),
           "[{\"srcaddr\": \"1.1.1.1\", \"dstaddr\": \"1.1.1.2\""}) {
    EXPECT_TRUE(internal::BeginsWithRecords(text)) << text;
    for (size_t cut = 0; cut < text.size(); ++cut) (void)internal::BeginsWithRecords(text.substr(0, cut));
  }
  for (const char* text :
       {"", "\n", "{", "[]", "{}", "hello world how are you\n", "a,b,c\n1,2,3\n", "<xml/>", "\x1F\x8B"})
    EXPECT_FALSE(internal::BeginsWithRecords(text)) << text;
}

}  // namespace
}  // namespace vpcflow
