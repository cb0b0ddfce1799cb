// UnwrapStream: a container read in steps. What all containers share; each has a file of its own.
#ifndef VPCFLOW_SRC_CONTAINER_UNWRAP_STREAM_H_
#define VPCFLOW_SRC_CONTAINER_UNWRAP_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "src/container/record_lines.h"
#include "vpcflow/container/container.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// A line of a container; subscriptions send 1 MB, Lambda 6 MB.
inline constexpr size_t kMaxEntry = size_t{16} << 20;

// What the steps write to lines_ is what the stream gives.
class UnwrapStream : public ByteStream, public LineOrigins {
 public:
  // `name` is for errors.
  UnwrapStream(std::string name, std::unique_ptr<ByteStream> stream)
      : name_(std::move(name)), stream_(std::move(stream)) {}

  // Bytes that blobs in it may unpack to; more are kOutOfRange behind the records before. 0 for any.
  void LimitUnpacked(uint64_t most) { max_unpacked_ = most; }

  absl::StatusOr<size_t> Read(char* buffer, size_t size) final;
  void TakeOrigins(size_t n, std::vector<LineInfo>* out) final;

 protected:
  // Takes what is whole of rest() into lines_; at the end of the input, `last`, all of it.
  virtual void Step(bool last) { Lines(last); }
  // One line of the input, not blank, without its line end.
  virtual void TakeLine(std::string_view line) = 0;

  std::string_view rest() const { return std::string_view(input_).substr(begin_); }
  void Take(size_t n) { begin_ += n; }
  void Fail(absl::Status error) {
    done_ = true;
    if (error_.ok()) error_ = std::move(error);
  }

  bool cut() const { return cut_; }
  uint64_t line() const { return line_; }
  bool wrote_lines() const { return !lines_.kinds().empty(); }
  // The lines written since the last call are of that line of the input.
  void NoteOrigins(uint64_t line);
  // Takes text of any number of lines.
  void TakeLines(size_t n);
  // Takes each whole line of the input; with `last` what is behind the last one, too, unless an error cut it. A line of
  // more than kMaxEntry bytes is one entry without record.
  void Lines(bool last);

  RecordLines lines_;
  const std::string name_;

 private:
  // True if there is more of the input, false at its end and at an error.
  absl::StatusOr<bool> Refill();
  void CheckUnpacked();

  std::unique_ptr<ByteStream> stream_;
  std::string input_;
  size_t begin_ = 0;
  size_t searched_ = 0;
  size_t given_ = 0;
  uint64_t max_unpacked_ = 0;
  uint64_t line_ = 1;             // of the input, where rest() begins
  std::deque<LineInfo> origins_;  // of lines that are written, not yet taken
  bool skipping_ = false;         // the rest of a line that was too long
  bool done_ = false;
  bool cut_ = false;  // the input ends with an error, where it came to
  absl::Status error_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_UNWRAP_STREAM_H_
