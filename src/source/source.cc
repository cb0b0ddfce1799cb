// Files, memory and callbacks as byte streams.
#include "vpcflow/source/source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/source/read_once.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

absl::Status ErrnoStatus(int error, const std::string& path) {
  const std::string message = absl::StrCat(path, ": ", std::strerror(error));
  switch (error) {
    case ENOENT: return absl::NotFoundError(message);
    case EACCES:
    case EPERM: return absl::PermissionDeniedError(message);
    default: return absl::UnavailableError(message);
  }
}

class FileStream final : public ByteStream, public RandomAccess {
 public:
  FileStream(int fd, bool owned, const struct stat& info, std::string path, Source::Cancelled cancelled)
      : fd_(fd),
        owned_(owned),
        waits_(!S_ISREG(info.st_mode)),
        opened_(info),
        path_(std::move(path)),
        cancelled_(std::move(cancelled)) {}
  ~FileStream() override {
    if (owned_) close(fd_);
  }
  FileStream(const FileStream&) = delete;
  FileStream& operator=(const FileStream&) = delete;

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    while (true) {
      if (waits_) {  // a pipe or terminal: wait in steps, so that a cancelled scan ends soon
        pollfd wait{fd_, POLLIN, 0};
        const int ready = poll(&wait, 1, /*timeout ms=*/50);
        if (cancelled_ && cancelled_()) return absl::CancelledError(absl::StrCat(path_, ": cancelled"));
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
      }
      const ssize_t n = read(fd_, buffer, size);
      if (n >= 0) return Checked(n);
      if (errno != EINTR && errno != EAGAIN) return ErrnoStatus(errno, path_);
    }
  }

  // Not of standard input, which may be redirected from the middle of a file.
  RandomAccess* random_access() override { return waits_ || !owned_ ? nullptr : this; }

  absl::StatusOr<size_t> ReadAt(uint64_t place, char* buffer, size_t size) override {
    while (true) {
      const ssize_t n = pread(fd_, buffer, size, static_cast<off_t>(place));
      if (n >= 0) return Checked(n);
      if (errno != EINTR) return ErrnoStatus(errno, path_);
    }
  }

 private:
  absl::StatusOr<size_t> Checked(ssize_t n) const {
    if (n == 0 && !waits_ && Changed())
      return absl::DataLossError(absl::StrCat(path_, ": the file changed while it was read"));
    return static_cast<size_t>(n);
  }

  // Whether somebody wrote to the file since it was opened: what was read may be of no state it ever was in.
  bool Changed() const {
    struct stat now;
    return fstat(fd_, &now) != 0 || now.st_size != opened_.st_size || now.st_mtim.tv_sec != opened_.st_mtim.tv_sec ||
           now.st_mtim.tv_nsec != opened_.st_mtim.tv_nsec;
  }

  int fd_;
  bool owned_;
  bool waits_;
  struct stat opened_;
  std::string path_;
  Source::Cancelled cancelled_;
};

class MemoryStream final : public ByteStream {
 public:
  explicit MemoryStream(std::string_view data) : data_(data) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    const size_t n = std::min(size, data_.size());
    if (n > 0) std::memcpy(buffer, data_.data(), n);
    data_.remove_prefix(n);
    return n;
  }

 private:
  std::string_view data_;
};

// A callback's bytes: never more than was asked for, and nothing behind the first end or error.
class CallbackStream final : public ByteStream {
 public:
  CallbackStream(std::string name, Source::WaitingReadFunction read, Source::Cancelled cancelled)
      : name_(std::move(name)), read_(std::move(read)), cancelled_(std::move(cancelled)) {}

  absl::StatusOr<size_t> Read(char* buffer, size_t size) override {
    if (ended_.has_value()) return *ended_;
    if (cancelled_()) return absl::CancelledError(absl::StrCat(name_, ": cancelled"));
    ended_ = absl::UnavailableError(absl::StrCat(name_, ": an earlier read of this stream threw an exception"));
    absl::StatusOr<size_t> n = read_(buffer, size, cancelled_);
    if (n.ok() && *n > size) {
      n = absl::InternalError(absl::StrCat(name_, ": the stream's read function returned ", *n, " bytes; at most the ",
                                           size, " that it was asked for are allowed"));
    }
    const bool goes_on = n.ok() ? *n > 0 : absl::IsCancelled(n.status());
    ended_ = goes_on ? std::nullopt : std::optional(n);
    return n;
  }

 private:
  std::string name_;
  Source::WaitingReadFunction read_;
  Source::Cancelled cancelled_;
  std::optional<absl::StatusOr<size_t>> ended_;
};

}  // namespace

Source Source::File(std::string path) {
  Source source;
  if (path != "-") source.once_ = std::make_shared<internal::ReadOnce>();
  source.name_ = std::move(path);
  return source;
}

Source Source::Bytes(std::string name, std::string_view data) {
  Source source;
  source.name_ = std::move(name);
  source.bytes_ = data;
  source.in_memory_ = true;
  return source;
}

Source Source::Stream(std::string name, ReadFunction read) {
  return Stream(std::move(name),
                [read = std::move(read)](char* buffer, size_t size, const Cancelled&) { return read(buffer, size); });
}

Source Source::Stream(std::string name, WaitingReadFunction read) {
  Source source = Reopened(name, [name, read = std::move(read)](const Cancelled& cancelled) {
    return std::make_unique<CallbackStream>(name, read, cancelled);
  });
  source.once_ = std::make_shared<internal::ReadOnce>();
  return source;
}

Source Source::Reopened(std::string name, OpenFunction open) {
  Source source;
  source.name_ = std::move(name);
  source.open_ = std::move(open);
  return source;
}

size_t Source::size() const {
  if (in_memory_) return bytes_.size();
  struct stat info;
  if (!is_file() || stat(name_.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return 0;
  return static_cast<size_t>(info.st_size);
}

std::shared_ptr<internal::ReadOnce> Source::once() const {
  return once_ == nullptr && !in_memory_ && !open_ ? internal::StandardInput() : once_;
}

absl::Status Source::KeepFirst(size_t size, const Cancelled& cancelled) const {
  struct stat info;
  if (is_file() && (stat(name_.c_str(), &info) != 0 || S_ISREG(info.st_mode))) return absl::OkStatus();
  const std::shared_ptr<internal::ReadOnce> shared = once();
  if (shared == nullptr) return absl::OkStatus();
  return shared->Keep(size, cancelled, [this](const Cancelled& asked) -> absl::StatusOr<std::unique_ptr<ByteStream>> {
    if (open_) return open_(asked);
    bool once = false;
    absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenFile(asked, &once);
    if (stream.ok() && !once) return nullptr;
    return stream;
  });
}

std::optional<std::string> Source::kept() const {
  const std::shared_ptr<internal::ReadOnce> shared = once();
  return shared == nullptr ? std::nullopt : shared->kept();
}

absl::StatusOr<std::unique_ptr<ByteStream>> Source::Open(Cancelled cancelled) const {
  if (in_memory_) return std::make_unique<MemoryStream>(bytes_);
  const std::shared_ptr<internal::ReadOnce> shared = once();
  if (is_file() && !shared->begun()) {
    bool once = false;
    absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenFile(std::move(cancelled), &once);
    if (!stream.ok() || !once) return stream;
    return shared->Take(name_, nullptr, [&stream](const Cancelled&) { return std::move(stream); });
  }
  if (!cancelled) cancelled = [] { return false; };
  if (shared == nullptr) return open_(cancelled);
  return shared->Take(name_, std::move(cancelled), [this](const Cancelled& asked) {
    bool once = true;
    return open_ ? open_(asked) : OpenFile(asked, &once);
  });
}

// Sets *once for standard input and what is no file on a disk.
absl::StatusOr<std::unique_ptr<ByteStream>> Source::OpenFile(Cancelled cancelled, bool* once) const {
  const bool standard_input = name_ == "-";
  // Without O_NONBLOCK a pipe is opened when somebody writes to it, however long that takes.
  const int fd = standard_input ? STDIN_FILENO : open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoStatus(errno, name_);
  struct stat info;
  if (fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
    const int error = S_ISDIR(info.st_mode) ? EISDIR : errno;
    if (!standard_input) close(fd);
    return ErrnoStatus(error, name_);
  }
  *once = standard_input || !S_ISREG(info.st_mode);
  if (S_ISREG(info.st_mode)) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<FileStream>(fd, !standard_input, info, name_, std::move(cancelled));
}

VPCFLOW_NAMESPACE_END
