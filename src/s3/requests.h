// S3Requests: signed requests at one bucket, many at a time, by one thread.
#ifndef VPCFLOW_SRC_S3_REQUESTS_H_
#define VPCFLOW_SRC_S3_REQUESTS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "vpcflow/s3/bucket.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct S3Request {
  std::string key{};             // empty: the bucket itself
  std::string query{};           // encoded, its parameters sorted
  std::string etag{};            // the object must still have it; empty: any
  uint64_t first = 0, size = 0;  // a range; size 0: all of it
  size_t most = 0;               // bytes of an answer; more of them is an error
  bool exact = false;            // so is less
  // Called by the thread of the requests, once.
  std::function<void(absl::StatusOr<std::string> body)> done{};
  // Asked before each attempt; false: it ends with kCancelled.
  std::function<bool()> wanted{};
};

class S3Requests {
 public:
  S3Requests(const std::string& bucket, S3Options options);
  ~S3Requests();
  S3Requests(const S3Requests&) = delete;
  S3Requests& operator=(const S3Requests&) = delete;

  void Start(S3Request request);
  const S3Options& options() const { return options_; }

 private:
  class Loop;
  const S3Options options_;
  std::unique_ptr<Loop> loop_;
};

// Encodes a text as a part of a URL; '/' stays if `path`.
std::string UrlEncoded(std::string_view text, bool path);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_S3_REQUESTS_H_
