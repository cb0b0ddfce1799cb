#include "src/s3/requests.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "src/s3/answers.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using Clock = std::chrono::steady_clock;
// SHA-256 of the empty body that all requests have; S3 wants it in a header, which older versions of libcurl leave out.
constexpr char kDigestOfNothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr size_t kLongestError = 64u << 10;  // bytes
constexpr auto kFirstPause = std::chrono::milliseconds(100), kLongestPause = std::chrono::milliseconds(5000);

// A request that is being made.
struct Transfer {
  S3Request request{};
  std::string body{};
  bool too_much = false;
  size_t attempt = 1;
  CURL* handle = nullptr;
  curl_slist* headers = nullptr;
};

size_t TakeBytes(char* data, size_t, size_t size, void* into) {
  auto& transfer = *static_cast<Transfer*>(into);
  long http = 0;
  curl_easy_getinfo(transfer.handle, CURLINFO_RESPONSE_CODE, &http);
  const size_t most = http < 300 ? transfer.request.most : kLongestError;
  transfer.too_much = transfer.body.size() + size > most;
  if (transfer.too_much) return 0;
  transfer.body.append(data, size);
  return size;
}

bool IsPassing(CURLcode code) {
  return code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_OPERATION_TIMEDOUT ||
         code == CURLE_GOT_NOTHING || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
         code == CURLE_PARTIAL_FILE;
}

}  // namespace

std::string UrlEncoded(std::string_view text, bool path) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (path && c == '/');
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[static_cast<unsigned char>(c) >> 4], kDigits[static_cast<unsigned char>(c) & 15]};
    }
  }
  return out;
}

// The thread and what it has in hand.
class S3Requests::Loop {
 public:
  Loop(const std::string& bucket, const S3Options& options) : options_(options) {
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    (void)initialised;
    multi_ = curl_multi_init();
    const bool of_aws = options.endpoint.empty();
    const bool in_path = !of_aws || absl::StrContains(bucket, '.');  // certificates do not hold for names with dots
    const std::string host = of_aws ? absl::StrCat("s3.", options.region, ".amazonaws.com",
                                                   absl::StartsWith(options.region, "cn-") ? ".cn" : "")
                                    : options.endpoint;
    base_ = of_aws ? in_path ? absl::StrCat("https://", host, "/", bucket) : absl::StrCat("https://", bucket, ".", host)
                   : absl::StrCat(absl::StripSuffix(host, "/"), "/", bucket);
    sign_ = absl::StrCat("aws:amz:", options.region, ":s3");
    thread_ = std::thread([this] { Run(); });
  }
  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void Start(S3Request request) {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(request));
    }
    curl_multi_wakeup(multi_);
  }

 private:
  void Run() {
    while (!Ends()) {
      BeginWhatMay();
      int running = 0;
      curl_multi_perform(multi_, &running);
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) End(message->easy_handle, message->data.result);
      }
      curl_multi_poll(multi_, nullptr, 0, PauseNow(), nullptr);
    }
    while (!transfers_.empty()) Finish(transfers_.begin()->first, Gone());
    for (auto& [when, transfer] : later_) transfer.request.done(Gone());
    const std::lock_guard lock(mutex_);
    for (S3Request& request : waiting_) request.done(Gone());
  }

  bool Ends() {
    const std::lock_guard lock(mutex_);
    return ends_;
  }
  static absl::Status Gone() { return MakeError(ErrorKind::kCancelled, "cancelled"); }

  // Begins requests as long as there are connections for them: those to be tried again first, when it is their time.
  void BeginWhatMay() {
    const auto now = Clock::now();
    while (transfers_.size() < options_.connections) {
      Transfer next;
      if (!later_.empty() && later_.begin()->first <= now) {
        next = std::move(later_.begin()->second);
        later_.erase(later_.begin());
      } else {
        const std::lock_guard lock(mutex_);
        if (waiting_.empty()) return;
        next.request = std::move(waiting_.front());
        waiting_.pop_front();
      }
      if (next.request.wanted && !next.request.wanted()) {
        next.request.done(Gone());
      } else {
        Begin(std::move(next));
      }
    }
  }

  void Begin(Transfer made) {
    CURL* handle = curl_easy_init();  // connections belong to multi_, which keeps them
    auto transfer = std::make_unique<Transfer>(std::move(made));
    const S3Request& request = transfer->request;
    transfer->handle = handle;
    transfer->body.clear();
    if (request.size != 0) transfer->body.reserve(request.size);
    const auto header = [&](const std::string& line) {
      transfer->headers = curl_slist_append(transfer->headers, line.c_str());
    };
    if (!request.etag.empty()) header(absl::StrCat("If-Match: ", request.etag));
    if (request.size != 0) header(absl::StrCat("Range: bytes=", request.first, "-", request.first + request.size - 1));
    if (!options_.access_key.empty()) header(absl::StrCat("x-amz-content-sha256: ", kDigestOfNothing));
    if (!options_.session_token.empty()) header(absl::StrCat("x-amz-security-token: ", options_.session_token));
    if (options_.requester_pays) header("x-amz-request-payer: requester");
    std::string url = base_;
    if (!request.key.empty()) absl::StrAppend(&url, "/", UrlEncoded(request.key, true));
    if (!request.query.empty()) absl::StrAppend(&url, request.key.empty() ? "/?" : "?", request.query);
    curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);  // keys may have "." and ".."
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, static_cast<long>(options_.silence_seconds));
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options_.silence_seconds));
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &TakeBytes);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, transfer.get());
    if (!options_.access_key.empty()) {
      curl_easy_setopt(handle, CURLOPT_AWS_SIGV4, sign_.c_str());
      curl_easy_setopt(handle, CURLOPT_USERNAME, options_.access_key.c_str());
      curl_easy_setopt(handle, CURLOPT_PASSWORD, options_.secret_key.c_str());
    }
    curl_multi_add_handle(multi_, handle);
    transfers_.emplace(handle, std::move(transfer));
  }

  // Takes what a request came to: an answer, an error, or another attempt later.
  void End(CURL* handle, CURLcode code) {
    Transfer& transfer = *transfers_.at(handle);
    long http = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &http);
    if (transfer.too_much)
      return Finish(handle, MakeError(ErrorKind::kDamaged, "the answer is longer than what was asked for"));
    const bool passing = code == CURLE_OK ? internal::IsPassing(http, transfer.body) : IsPassing(code);
    if (passing && transfer.attempt < options_.attempts) return TryLater(handle);
    if (code != CURLE_OK)
      return Finish(handle, MakeError(ErrorKind::kSource, absl::StrCat("no answer: ", curl_easy_strerror(code))));
    if (http >= 300) return Finish(handle, S3Error(http, transfer.body));
    if (transfer.request.exact && transfer.body.size() != transfer.request.most) {
      return Finish(handle, MakeError(ErrorKind::kDamaged, absl::StrCat("came as ", transfer.body.size(), " bytes of ",
                                                                        transfer.request.most)));
    }
    Finish(handle, std::move(transfer.body));
  }

  void TryLater(CURL* handle) {
    Transfer transfer = Taken(handle);
    const auto longest =
        std::min<Clock::duration>(kLongestPause, kFirstPause * (1 << std::min<size_t>(transfer.attempt, 10)));
    const auto pause = std::uniform_int_distribution<Clock::rep>(longest.count() / 2, longest.count())(random_);
    ++transfer.attempt;
    later_.emplace(Clock::now() + Clock::duration(pause), std::move(transfer));
  }

  void Finish(CURL* handle, absl::StatusOr<std::string> body) {
    const Transfer transfer = Taken(handle);
    transfer.request.done(std::move(body));
  }

  // Takes a transfer off its handle.
  Transfer Taken(CURL* handle) {
    const auto at = transfers_.find(handle);
    Transfer out = std::move(*at->second);
    transfers_.erase(at);
    curl_multi_remove_handle(multi_, handle);
    curl_slist_free_all(std::exchange(out.headers, nullptr));
    curl_easy_cleanup(handle);
    out.handle = nullptr;
    return out;
  }

  // Milliseconds to wait for something to happen.
  int PauseNow() {
    if (later_.empty() || transfers_.size() >= options_.connections) return 1000;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(later_.begin()->first - Clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, 1000));
  }

  const S3Options& options_;
  std::string base_, sign_;
  CURLM* multi_ = nullptr;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers_{};
  std::multimap<Clock::time_point, Transfer> later_{};
  std::mt19937_64 random_{std::random_device{}()};
  std::mutex mutex_{};
  std::deque<S3Request> waiting_{};  // by mutex_
  bool ends_ = false;                // by mutex_
  std::thread thread_{};
};

S3Requests::S3Requests(const std::string& bucket, S3Options options)
    : options_(std::move(options)), loop_(std::make_unique<Loop>(bucket, options_)) {}
S3Requests::~S3Requests() = default;

void S3Requests::Start(S3Request request) { loop_->Start(std::move(request)); }

}  // namespace internal
VPCFLOW_NAMESPACE_END
