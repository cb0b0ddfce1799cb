#include "vpcflow/source/deferred.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/source/deferred_source.h"
#include "src/source/fetch.h"
#include "src/source/memory_source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

struct Fetch::State {
  State(std::string n, std::function<void()> w) : name(std::move(n)), wake(std::move(w)) {}

  void Set(absl::StatusOr<OwnedBytes> object) {
    std::function<void()> then;
    {
      const std::lock_guard lock(mutex);
      if (set) return;
      set = true;
      if (wanted) result = std::move(object);
      then = std::exchange(wake, nullptr);
    }
    changed.notify_all();
    if (then) then();
  }

  const std::string name;
  mutable std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::function<void()> wake;
  std::optional<absl::StatusOr<OwnedBytes>> result;
  bool set = false;
  bool wanted = true;
};

}  // namespace internal

// Delivers an error when the last copy of a delivery is gone without an object.
class Delivery::Promise {
 public:
  explicit Promise(std::shared_ptr<internal::Fetch::State> state) : state_(std::move(state)) {}
  ~Promise() {
    state_->Set(absl::UnavailableError(absl::StrCat(state_->name, ": the fetcher handed over no bytes and no error")));
  }
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;
  internal::Fetch::State& state() const { return *state_; }

 private:
  const std::shared_ptr<internal::Fetch::State> state_;
};

void Delivery::Deliver(absl::StatusOr<OwnedBytes> object) const { promise_->state().Set(std::move(object)); }

bool Delivery::wanted() const {
  const std::lock_guard lock(promise_->state().mutex);
  return promise_->state().wanted;
}

namespace internal {

std::shared_ptr<Fetch> Fetch::Begin(const std::string& name, const FetchFunction& fetch, std::function<void()> wake) {
  auto state = std::make_shared<State>(name, std::move(wake));
  std::shared_ptr<Fetch> out(new Fetch(state));
  fetch(Delivery(std::make_shared<const Delivery::Promise>(std::move(state))));
  return out;
}

Fetch::~Fetch() {
  std::optional<absl::StatusOr<OwnedBytes>> unread;  // freed behind the lock
  const std::lock_guard lock(state_->mutex);
  state_->wanted = false;
  state_->wake = nullptr;
  unread.swap(state_->result);
}

bool Fetch::ready() const {
  const std::lock_guard lock(state_->mutex);
  return state_->set;
}

absl::StatusOr<OwnedBytes> Fetch::Take(const Cancelled& cancelled) {
  constexpr auto kStep = std::chrono::milliseconds(50);
  std::unique_lock lock(state_->mutex);
  while (!state_->changed.wait_for(lock, kStep, [&] { return state_->set; })) {
    lock.unlock();
    if (cancelled && cancelled()) return absl::CancelledError(absl::StrCat(state_->name, ": cancelled"));
    lock.lock();
  }
  if (!state_->result) return absl::InternalError(absl::StrCat(state_->name, ": taken twice"));
  absl::StatusOr<OwnedBytes> object = *std::move(state_->result);
  state_->result.reset();
  return object;
}

namespace {

class DeferredSource final : public SourceInterface {
 public:
  DeferredSource(std::string name, size_t size, FetchFunction fetch, std::string identity)
      : name_(std::move(name)), size_(size), fetch_(std::move(fetch)), identity_(std::move(identity)) {}

  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& cancelled) const override {
    absl::StatusOr<OwnedBytes> object = BeginFetch(nullptr)->Take(cancelled);
    if (!object.ok()) return object.status();
    return std::make_unique<MemoryStream>(*std::move(object));
  }
  size_t size() const override { return size_; }
  std::string identity() const override { return identity_; }
  bool deferred() const override { return true; }
  std::shared_ptr<Fetch> BeginFetch(std::function<void()> wake) const override {
    return Fetch::Begin(name_, fetch_, std::move(wake));
  }

 private:
  const std::string name_;
  const size_t size_;
  const FetchFunction fetch_;
  const std::string identity_;
};

}  // namespace

std::shared_ptr<const SourceInterface> MakeDeferredSource(std::string name, size_t size, FetchFunction fetch,
                                                          std::string identity) {
  return std::make_shared<const DeferredSource>(std::move(name), size, std::move(fetch), std::move(identity));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
