#include "vpcflow/s3/bucket.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "src/s3/answers.h"
#include "src/s3/requests.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

using internal::S3Request;
using internal::S3Requests;

constexpr size_t kLongestPage = 16u << 20;  // bytes; a page of 1,000 keys has some 400 KB
constexpr auto kLook = std::chrono::milliseconds(50);

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}
std::string FirstOf(std::string one, const std::string& other) { return one.empty() ? other : one; }

// An answer that one thread waits for.
class Awaited {
 public:
  void Set(absl::StatusOr<std::string> body) {
    {
      const std::lock_guard lock(mutex_);
      body_ = std::move(body);
    }
    here_.notify_all();
  }
  absl::StatusOr<std::string> Take(const Cancelled& cancelled) {
    std::unique_lock lock(mutex_);
    while (!body_) {
      here_.wait_for(lock, kLook);
      if (!body_ && cancelled && cancelled()) return MakeError(ErrorKind::kCancelled, "cancelled");
    }
    return *std::move(body_);
  }

 private:
  std::mutex mutex_{};
  std::condition_variable here_{};
  std::optional<absl::StatusOr<std::string>> body_{};
};

// The ranges of an object, put together when all are there. The thread of the requests alone touches it.
struct Parts {
  std::vector<std::string> bytes{};
  size_t missing = 0;
  absl::Status failed{};
};

// Begins to fetch an object.
void Fetch(S3Requests& requests, const S3Object& object, const Delivery& delivery) {
  const uint64_t part = std::max<uint64_t>(requests.options().part, 1);
  const uint64_t count = std::max<uint64_t>((object.size + part - 1) / part, 1);
  const auto parts = std::make_shared<Parts>();
  parts->bytes.resize(count);
  parts->missing = count;
  for (uint64_t i = 0; i < count; ++i) {
    S3Request request;
    request.key = object.key;
    request.etag = object.etag;
    request.most = std::min(part, object.size - i * part);
    request.exact = true;
    if (count > 1) {
      request.first = i * part;
      request.size = request.most;
    }
    request.wanted = [delivery, parts] { return delivery.wanted() && parts->failed.ok(); };
    request.done = [delivery, parts, i](absl::StatusOr<std::string> body) {
      if (!body.ok()) {
        if (parts->failed.ok()) parts->failed = body.status();
      } else {
        parts->bytes[i] = *std::move(body);
      }
      if (--parts->missing != 0) return;
      if (!parts->failed.ok()) return delivery.Deliver(parts->failed);
      std::string whole = std::move(parts->bytes[0]);
      for (size_t k = 1; k < parts->bytes.size(); ++k) whole += std::exchange(parts->bytes[k], {});
      delivery.Deliver(OwnedBytes::Of(std::move(whole)));
    };
    requests.Start(std::move(request));
  }
}

bool IsBucketName(std::string_view name) {
  if (name.size() < 3 || name.size() > 63) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  });
}

}  // namespace

S3Options S3Options::FromEnvironment() {
  S3Options out;
  out.access_key = Variable("AWS_ACCESS_KEY_ID");
  out.secret_key = Variable("AWS_SECRET_ACCESS_KEY");
  out.session_token = Variable("AWS_SESSION_TOKEN");
  out.region = FirstOf(FirstOf(Variable("AWS_REGION"), Variable("AWS_DEFAULT_REGION")), out.region);
  out.endpoint = FirstOf(Variable("AWS_ENDPOINT_URL_S3"), Variable("AWS_ENDPOINT_URL"));
  return out;
}

absl::StatusOr<S3Bucket> S3Bucket::Open(std::string name, S3Options options) {
  if (!IsBucketName(name)) {
    return MakeError(
        ErrorKind::kPlan,
        absl::StrCat("S3: '", name, "' is no bucket; a name has 3 to 63 lower-case letters, digits, - and ."));
  }
  if (options.access_key.empty() != options.secret_key.empty())
    return MakeError(ErrorKind::kPlan, "S3: an access key needs a secret key, and a secret key an access key");
  if (!options.endpoint.empty() && !absl::StartsWith(options.endpoint, "http://") &&
      !absl::StartsWith(options.endpoint, "https://"))
    return MakeError(ErrorKind::kPlan,
                     absl::StrCat("S3: the endpoint '", options.endpoint, "' is no http or https URL"));
  options.connections = std::max<size_t>(options.connections, 1);
  options.attempts = std::max<size_t>(options.attempts, 1);
  auto requests = std::make_shared<S3Requests>(name, std::move(options));
  return S3Bucket(std::move(name), std::move(requests));
}

absl::StatusOr<std::vector<S3Object>> S3Bucket::List(std::string_view prefix, const Cancelled& cancelled) const {
  std::vector<S3Object> out;
  std::string token;
  do {
    const auto answer = std::make_shared<Awaited>();
    S3Request request;
    if (!token.empty()) request.query = absl::StrCat("continuation-token=", internal::UrlEncoded(token, false), "&");
    absl::StrAppend(&request.query, "encoding-type=url&list-type=2&prefix=", internal::UrlEncoded(prefix, false));
    request.most = kLongestPage;
    request.done = [answer](absl::StatusOr<std::string> body) { answer->Set(std::move(body)); };
    requests_->Start(std::move(request));
    absl::StatusOr<std::string> body = answer->Take(cancelled);
    if (!body.ok())
      return WithMessage(body.status(),
                         absl::StrCat("s3://", name_, "/", std::string(prefix), ": ", body.status().message()));
    absl::StatusOr<internal::S3Page> page = internal::ReadS3Page(*body);
    if (!page.ok()) return page.status();
    if (page->next == token && !token.empty())
      return MakeError(ErrorKind::kDamaged, absl::StrCat("s3://", name_, ": the listing gives the same page again"));
    out.insert(out.end(), std::make_move_iterator(page->objects.begin()), std::make_move_iterator(page->objects.end()));
    token = std::move(page->next);
  } while (!token.empty());
  return out;
}

Source S3Bucket::SourceOf(const S3Object& object) const {
  const std::string name = absl::StrCat("s3://", name_, "/", object.key);
  return Source::Deferred(
      name, object.size,
      [requests = requests_, object](const Delivery& delivery) { Fetch(*requests, object, delivery); },
      absl::StrCat(object.etag, " ", object.size));
}

VPCFLOW_NAMESPACE_END
