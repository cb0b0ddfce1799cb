// S3Bucket: flow logs in S3, or in a server that speaks its protocol, as sources.
//
// Example:
//   const auto bucket = vpcflow::S3Bucket::Open("my-logs", vpcflow::S3Options::FromEnvironment());
//   if (!bucket.ok()) return bucket.status();
//   const auto objects = bucket->List("AWSLogs/123456789012/vpcflowlogs/");
//   if (!objects.ok()) return objects.status();
//   for (const vpcflow::S3Object& object : *objects) sources.push_back(bucket->SourceOf(object));
//
// In a library of its own, vpcflow_s3, that is built with -DVPCFLOW_S3=ON and needs libcurl 7.75 or later, which signs the
// requests (Signature Version 4), and expat. It was run against versitygw and moto, not against AWS.
#ifndef VPCFLOW_S3_BUCKET_H_
#define VPCFLOW_S3_BUCKET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
class S3Requests;
}  // namespace internal

struct S3Options {
  // Empty: requests are not signed, as for a public bucket.
  std::string access_key{}, secret_key{};
  std::string session_token{};  // of temporary credentials
  std::string region = "us-east-1";
  std::string endpoint{};       // "http://127.0.0.1:9000"; empty: AWS's of the region
  bool requester_pays = false;  // the account of the credentials pays for the requests
  size_t connections = 32;      // requests at once
  size_t attempts = 5;          // of a request that the service cannot answer now
  uint64_t part = 8ULL << 20;   // bytes: a larger object is fetched in several ranges of this at once
  size_t silence_seconds = 30;  // without a byte: the attempt has failed

  // Returns the options that AWS's environment variables give: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
  // AWS_SESSION_TOKEN, AWS_REGION, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL. Files of profiles and the
  // roles of machines are not read.
  static S3Options FromEnvironment();
};

struct S3Object {
  std::string key{};
  std::string etag{};  // with its quotation marks, as S3 gives it
  uint64_t size = 0;   // bytes
};

// Any number of threads may call it at once; copies share connections. One thread of its own makes all requests; it ends
// with the last copy and the last source made of one.
class S3Bucket {
 public:
  // kPlan for a name that no bucket can have, an endpoint that is no URL, or half a key.
  static absl::StatusOr<S3Bucket> Open(std::string name, S3Options options);

  // Returns the objects whose keys begin with a prefix, by their keys. All pages: O(objects) memory. Errors: kNotFound
  // without such a bucket, kSource for what the service refuses, in words, and kCancelled.
  absl::StatusOr<std::vector<S3Object>> List(std::string_view prefix, const Cancelled& cancelled = nullptr) const;

  // Returns an object as a source that scans fetch ahead: in ranges if it is large, all under one ETag. Its name is
  // "s3://BUCKET/KEY". Errors, of the source: kNotFound for what was deleted since it was listed (scans go on with a
  // warning), kDamaged for what was replaced, kSource for what the service refuses, in words.
  Source SourceOf(const S3Object& object) const;

  const std::string& name() const& { return name_; }
  const std::string& name() const&& = delete;

 private:
  S3Bucket(std::string name, std::shared_ptr<internal::S3Requests> requests)
      : name_(std::move(name)), requests_(std::move(requests)) {}
  std::string name_;
  std::shared_ptr<internal::S3Requests> requests_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_S3_BUCKET_H_
