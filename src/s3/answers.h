// S3's answers in XML.
#ifndef VPCFLOW_SRC_S3_ANSWERS_H_
#define VPCFLOW_SRC_S3_ANSWERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/s3/bucket.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct S3Page {
  std::vector<S3Object> objects{};
  std::string next{};  // the token of the next page; empty: this is the last
};

// Reads a page of ListObjectsV2; keys may be encoded, if it says so. kDamaged for what is none.
absl::StatusOr<S3Page> ReadS3Page(std::string_view xml);

// Makes an error of an answer with an HTTP status of 400 or above, in words.
absl::Status S3Error(long http, std::string_view body);

// Tells whether the service asks to come again later.
bool IsPassing(long http, std::string_view body);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_S3_ANSWERS_H_
