// ReadOnce: what the copies of a source that can be read only once share: its beginning, and who has the rest.
#ifndef VPCFLOW_SRC_SOURCE_READ_ONCE_H_
#define VPCFLOW_SRC_SOURCE_READ_ONCE_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class ReadOnce : public std::enable_shared_from_this<ReadOnce> {
 public:
  // Opens the stream; the argument is what it asks while it waits.
  using OpenStream = absl::FunctionRef<absl::StatusOr<std::unique_ptr<ByteStream>>(const Source::Cancelled& cancelled)>;

  // Whether the stream was opened, by Keep or Take.
  bool begun() const { return begun_; }
  // Whether its bytes were given away.
  bool taken() const { return taken_; }
  // Reads until `size` bytes are kept, once; opens the stream if that was not done.
  absl::Status Keep(size_t size, const Source::Cancelled& cancelled, OpenStream open);
  // The whole stream, for the first caller; kUnavailable for the others.
  absl::StatusOr<std::unique_ptr<ByteStream>> Take(const std::string& name, Source::Cancelled cancelled,
                                                   OpenStream open);
  std::optional<std::string> kept() const;

 private:
  class Taken;
  // Waits until nobody else keeps or opens. False if it was cancelled.
  bool Wait(std::unique_lock<std::mutex>* lock, const Source::Cancelled& cancelled);
  absl::Status Open(OpenStream open);
  bool Cancelled() const { return cancelled_ && cancelled_(); }

  mutable std::mutex mutex_;  // guards what follows but `cancelled_` and `rest_`, which are of whoever is busy
  std::condition_variable changed_;
  bool busy_ = false;
  bool looked_ = false;
  std::atomic<bool> begun_ = false;
  std::atomic<bool> taken_ = false;
  std::string kept_;
  Source::Cancelled cancelled_;
  std::unique_ptr<ByteStream> rest_;
};

// The one standard input of the process; another one once descriptor 0 is another file.
std::shared_ptr<ReadOnce> StandardInput();

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_SOURCE_READ_ONCE_H_
