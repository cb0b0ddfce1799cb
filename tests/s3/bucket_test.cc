#include "vpcflow/s3/bucket.h"

#include <atomic>
#include <chrono>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server.h"
#include "vpcflow/error/error.h"
#include "vpcflow/scan/scan.h"

namespace vpcflow {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

S3Options At(const Server& server) {
  S3Options out;
  out.access_key = "AKIDEXAMPLE";
  out.secret_key = "secret:with/colon";
  out.region = "eu-west-1";
  out.endpoint = server.url();
  return out;
}
S3Bucket Open(const S3Options& options) {
  absl::StatusOr<S3Bucket> out = S3Bucket::Open("logs", options);
  EXPECT_TRUE(out.ok()) << out.status();
  return *std::move(out);
}
std::string Page(const std::string& contents, const std::string& next = "") {
  return "<?xml version=\"1.0\"?><ListBucketResult "
         "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>logs</Name><EncodingType>url</EncodingType>" +
         contents +
         (next.empty() ? "<IsTruncated>false</IsTruncated>"
                       : "<IsTruncated>true</IsTruncated><NextContinuationToken>" + next + "</NextContinuationToken>") +
         "</ListBucketResult>";
}
std::string Entry(const std::string& key, size_t size) {
  return "<Contents><Key>" + key + "</Key><ETag>&quot;e&quot;</ETag><Size>" + std::to_string(size) +
         "</Size></Contents>";
}
std::string Error(const std::string& code, const std::string& message = "") {
  return "<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>";
}
absl::StatusOr<std::string> Read(const Source& source) {
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = source.Open(nullptr);
  if (!stream.ok()) return stream.status();
  std::string out;
  char buffer[7];
  for (;;) {
    const absl::StatusOr<size_t> n = (*stream)->Read(buffer, sizeof(buffer));
    if (!n.ok()) return n.status();
    if (*n == 0) return out;
    out.append(buffer, *n);
  }
}

TEST(S3BucketTest, ListsAllPagesOfAPrefixSigned) {
  Server server([](const Asked& asked) -> Answered {
    if (asked.query.find("continuation-token=to%20ken") != std::string::npos) return {200, Page(Entry("z", 3))};
    return {200, Page(Entry("a%20b/%C3%A4+%26.gz", 1) + Entry("c", 2), "to ken")};
  });
  const absl::StatusOr<std::vector<S3Object>> objects = Open(At(server)).List("a b/");
  ASSERT_TRUE(objects.ok()) << objects.status();
  std::vector<std::string> keys;
  for (const S3Object& object : *objects) keys.push_back(object.key);
  EXPECT_THAT(keys, ElementsAre("a b/\xC3\xA4 &.gz", "c", "z"));
  EXPECT_EQ(objects->back().size, 3u);
  EXPECT_EQ(objects->back().etag, "\"e\"");
  const Asked first = server.asked()[0];
  EXPECT_EQ(first.path, "/logs/");
  EXPECT_EQ(first.query, "encoding-type=url&list-type=2&prefix=a%20b%2F");
  EXPECT_THAT(first.headers.at("authorization"),
              AllOf(StartsWith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"), HasSubstr("/eu-west-1/s3/aws4_request")));
}

TEST(S3BucketTest, TakesKeysAsTheyAreFromAServerThatEncodesNone) {
  Server server([](const Asked&) -> Answered {
    return {200, "<ListBucketResult>" + Entry("a+b%20c &amp; d", 1) + "</ListBucketResult>"};
  });
  EXPECT_EQ(Open(At(server)).List("")->at(0).key, "a+b%20c & d");
}

TEST(S3BucketTest, SignsNothingWithoutAKeyAndSendsATokenWithOne) {
  Server server([](const Asked&) -> Answered { return {200, Page("")}; });
  S3Options options = At(server);
  options.session_token = "to/ken";
  options.requester_pays = true;
  EXPECT_TRUE(Open(options).List("")->empty());
  options.access_key = options.secret_key = options.session_token = "";
  EXPECT_TRUE(Open(options).List("")->empty());
  EXPECT_EQ(server.asked()[0].headers.at("x-amz-security-token"), "to/ken");
  EXPECT_EQ(server.asked()[0].headers.at("x-amz-request-payer"), "requester");
  EXPECT_EQ(server.asked()[1].headers.count("authorization"), 0u);
}

TEST(S3BucketTest, FetchesALargeObjectInRangesOfOneVersion) {
  const std::string whole = "abcdefghijklmnopqrstuvwxy";
  Server server([&](const Asked& asked) -> Answered {
    const std::string range = asked.headers.at("range");  // "bytes=A-B"
    const size_t first = std::stoul(range.substr(6)), last = std::stoul(range.substr(range.find('-') + 1));
    return {206, whole.substr(first, last - first + 1)};
  });
  S3Options options = At(server);
  options.part = 10;
  const Source source = Open(options).SourceOf({"d/../k ?.gz", "\"e\"", whole.size()});
  EXPECT_EQ(source.name(), "s3://logs/d/../k ?.gz");
  EXPECT_EQ(*Read(source), whole);
  const std::vector<Asked> asked = server.asked();
  ASSERT_EQ(asked.size(), 3u);
  for (const Asked& one : asked) {
    EXPECT_EQ(one.path, "/logs/d/../k%20%3F.gz");
    EXPECT_EQ(one.headers.at("if-match"), "\"e\"");
  }
}

TEST(S3BucketTest, TriesAgainWhatTheServiceCannotAnswerNow) {
  std::atomic<int> asked{0};
  Server server([&](const Asked&) -> Answered {
    return ++asked <= 2 ? Answered{503, Error("SlowDown")} : Answered{200, "abc"};
  });
  EXPECT_EQ(*Read(Open(At(server)).SourceOf({"k", "\"e\"", 3})), "abc");
  EXPECT_EQ(asked, 3);
  asked = 0;
  S3Options options = At(server);
  options.attempts = 2;
  const absl::Status failed = Read(Open(options).SourceOf({"k", "\"e\"", 3})).status();
  EXPECT_EQ(ErrorKindOf(failed), ErrorKind::kSource);
  EXPECT_THAT(failed.ToString(), HasSubstr("SlowDown"));
  EXPECT_EQ(asked, 2);
}

TEST(S3BucketTest, SaysInWordsWhatTheServiceRefuses) {
  struct Case {
    int status;
    std::string body;
    ErrorKind kind;
    std::string says;
  };
  const std::vector<Case> cases = {
      {404, Error("NoSuchKey"), ErrorKind::kNotFound, "gone"},
      {404, Error("NoSuchBucket"), ErrorKind::kNotFound, "no such bucket"},
      {412, Error("PreconditionFailed"), ErrorKind::kDamaged, "replaced"},
      {403, Error("AccessDenied", "not authorized to perform: KMS:Decrypt"), ErrorKind::kSource, "kms:Decrypt"},
      {403, Error("AccessDenied", "Access Denied"), ErrorKind::kSource, "s3:GetObject"},
      {403, Error("InvalidObjectState"), ErrorKind::kSource, "archived"},
      {403, Error("SignatureDoesNotMatch"), ErrorKind::kSource, "secret key"},
      {301, Error("PermanentRedirect"), ErrorKind::kSource, "another region"},
      {400, "<html>&nonsense", ErrorKind::kSource, "HTTP 400"},
      {200, "ab", ErrorKind::kDamaged, "2 bytes of 3"},
      {200, "abcd", ErrorKind::kDamaged, "longer"},
  };
  std::atomic<size_t> now{0};
  Server server([&](const Asked&) -> Answered { return {cases[now].status, cases[now].body}; });
  const S3Bucket bucket = Open(At(server));
  for (; now < cases.size(); ++now) {
    const absl::Status failed = Read(bucket.SourceOf({"k", "\"e\"", 3})).status();
    EXPECT_EQ(ErrorKindOf(failed), cases[now].kind) << failed;
    EXPECT_THAT(failed.ToString(), HasSubstr(cases[now].says));
  }
}

TEST(S3BucketTest, RefusesListingsThatAreNone) {
  std::string body;
  Server server([&](const Asked&) -> Answered { return {200, body}; });
  const S3Bucket bucket = Open(At(server));
  const std::string laughs = "<!DOCTYPE a [<!ENTITY b \"" + std::string(1000, 'x') +
                             "\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;\">" +
                             "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;\"><!ENTITY e "
                             "\"&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;\"><!ENTITY f \"&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;\">]>"
                             "<ListBucketResult>&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;</ListBucketResult>";
  std::string deep = "<ListBucketResult>";
  for (int i = 0; i < 10000; ++i) deep += "<a>";
  for (const std::string& one :
       {std::string(), std::string("{}"), std::string("<Other/>"), Page("<Contents><Size>-1</Size></Contents>"),
        Page(Entry("k", 1)).substr(0, 100), Page(Entry("k", 1), "same"), laughs, deep}) {
    body = one;
    EXPECT_EQ(ErrorKindOf(bucket.List("").status()), ErrorKind::kDamaged) << one.substr(0, 200);
  }
}

TEST(S3BucketTest, MakesNoMoreRequestsAtOnceThanAllowedAndScansWhatIsLeft) {
  std::atomic<int> now{0}, most{0};
  Server server([&](const Asked& asked) -> Answered {
    const int here = ++now;
    for (int seen = most; seen < here && !most.compare_exchange_weak(seen, here);) continue;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --now;
    if (asked.path == "/logs/7") return {404, Error("NoSuchKey")};
    return {200, "2 1 eni-1 10.0.0.1 10.0.0.2 1 2 6 1 40 1 2 ACCEPT OK\n"};
  });
  S3Options options = At(server);
  options.connections = 3;
  const S3Bucket bucket = Open(options);
  std::vector<Source> sources;
  for (int i = 0; i < 40; ++i) sources.push_back(bucket.SourceOf({std::to_string(i), "\"e\"", 53}));
  Count count;
  ASSERT_TRUE(Scan(sources).Into(&count).ok());
  EXPECT_EQ(count.Value(), 39u);
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 2);
}

TEST(S3BucketTest, EndsWithRequestsInHand) {
  std::atomic<bool> over{false};
  Server server([&](const Asked&) -> Answered {
    while (!over) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return {200, Page("")};
  });
  {
    const S3Bucket bucket = Open(At(server));
    const auto begun = std::chrono::steady_clock::now();
    const absl::Status cancelled =
        bucket.List("", [&] { return std::chrono::steady_clock::now() - begun > std::chrono::milliseconds(60); })
            .status();
    EXPECT_EQ(ErrorKindOf(cancelled), ErrorKind::kCancelled);
  }
  over = true;
}

TEST(S3BucketTest, RefusesNamesAndOptionsThatCannotBe) {
  for (const char* name : {"", "ab", "Logs", "a/b", "a b", "logs?x"})
    EXPECT_FALSE(S3Bucket::Open(name, {}).ok()) << name;
  S3Options options;
  options.access_key = "only";
  EXPECT_THAT(S3Bucket::Open("logs", options).status().ToString(), HasSubstr("secret key"));
  options = {};
  options.endpoint = "file:///etc/passwd";
  EXPECT_EQ(ErrorKindOf(S3Bucket::Open("logs", options).status()), ErrorKind::kPlan);
  options.endpoint = "http://127.0.0.1:1";
  options.attempts = 1;
  EXPECT_THAT(Open(options).List("x").status().ToString(),
              AllOf(HasSubstr("s3://logs/x: no answer"), HasSubstr("onnect")));
}

}  // namespace
}  // namespace vpcflow
