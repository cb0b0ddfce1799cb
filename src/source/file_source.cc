#include "src/source/file_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/source/read_once.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
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
  FileStream(int fd, bool owned, const struct stat& info, std::string path, Cancelled cancelled)
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
  Cancelled cancelled_;
};

class FileSource final : public SourceInterface {
 public:
  explicit FileSource(std::string path)
      : path_(std::move(path)), once_(path_ == "-" ? nullptr : std::make_shared<ReadOnce>()) {}

  absl::StatusOr<std::unique_ptr<ByteStream>> Open(const Cancelled& cancelled) const override {
    const std::shared_ptr<ReadOnce> shared = once();
    if (is_file() && !shared->begun()) {
      bool once = false;
      absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenFile(cancelled, &once);
      if (!stream.ok() || !once) return stream;
      return shared->Take(path_, nullptr, [&stream](const Cancelled&) { return std::move(stream); });
    }
    return shared->Take(
        path_, cancelled ? cancelled : [] { return false; },
        [this](const Cancelled& asked) {
          bool once = true;
          return OpenFile(asked, &once);
        });
  }

  size_t size() const override {
    const std::optional<struct stat> info = Regular();
    return info ? static_cast<size_t>(info->st_size) : 0;
  }

  std::string identity() const override {
    const std::optional<struct stat> info = Regular();
    return info ? absl::StrCat(path_, ":", info->st_size, ":", info->st_mtim.tv_sec, ".", info->st_mtim.tv_nsec) : "";
  }

  bool is_file() const override { return path_ != "-"; }

  absl::Status KeepFirst(size_t size, const Cancelled& cancelled) const override {
    struct stat info;
    if (is_file() && (stat(path_.c_str(), &info) != 0 || S_ISREG(info.st_mode))) return absl::OkStatus();
    return once()->Keep(size, cancelled, [this](const Cancelled& asked) -> absl::StatusOr<std::unique_ptr<ByteStream>> {
      bool once = false;
      absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenFile(asked, &once);
      if (stream.ok() && !once) return nullptr;
      return stream;
    });
  }

  std::optional<std::string> kept() const override { return once()->kept(); }

 private:
  std::shared_ptr<ReadOnce> once() const { return once_ == nullptr ? StandardInput() : once_; }

  // Of a file on a disk, that it is there.
  std::optional<struct stat> Regular() const {
    struct stat info;
    if (!is_file() || stat(path_.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
    return info;
  }

  // Sets *once for standard input and what is no file on a disk.
  absl::StatusOr<std::unique_ptr<ByteStream>> OpenFile(Cancelled cancelled, bool* once) const {
    const bool standard_input = path_ == "-";
    // Without O_NONBLOCK a pipe is opened when somebody writes to it, however long that takes.
    const int fd = standard_input ? STDIN_FILENO : open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return ErrnoStatus(errno, path_);
    struct stat info;
    if (fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
      const int error = S_ISDIR(info.st_mode) ? EISDIR : errno;
      if (!standard_input) close(fd);
      return ErrnoStatus(error, path_);
    }
    *once = standard_input || !S_ISREG(info.st_mode);
    if (S_ISREG(info.st_mode)) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return std::make_unique<FileStream>(fd, !standard_input, info, path_, std::move(cancelled));
  }

  const std::string path_;
  const std::shared_ptr<ReadOnce> once_;  // null for standard input
};

}  // namespace

std::shared_ptr<const SourceInterface> MakeFileSource(std::string path) {
  return std::make_shared<const FileSource>(std::move(path));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
