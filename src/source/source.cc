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
#include "src/source/prefixed_stream.h"

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

class CallbackStream final : public ByteStream {
 public:
  explicit CallbackStream(Source::ReadFunction read) : read_(std::move(read)) {}
  absl::StatusOr<size_t> Read(char* buffer, size_t size) override { return read_(buffer, size); }

 private:
  Source::ReadFunction read_;
};

}  // namespace

Source Source::File(std::string path) {
  Source source;
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
  Source source;
  source.name_ = std::move(name);
  source.read_ = std::move(read);
  return source;
}

size_t Source::size() const {
  if (in_memory_) return bytes_.size();
  struct stat info;
  if (read_ || name_ == "-" || stat(name_.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return 0;
  return static_cast<size_t>(info.st_size);
}

absl::Status Source::KeepFirst(size_t size) {
  struct stat info;
  const bool once = read_ || name_ == "-" || (!in_memory_ && stat(name_.c_str(), &info) == 0 && S_ISFIFO(info.st_mode));
  if (!once || kept_ != nullptr) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = Open(nullptr);
  if (!stream.ok()) return stream.status();
  auto kept = std::make_shared<std::string>(size, '\0');
  size_t have = 0;
  while (have < size) {
    absl::StatusOr<size_t> n = (*stream)->Read(kept->data() + have, size - have);
    if (!n.ok()) return n.status();
    if (*n == 0) break;
    have += *n;
  }
  kept->resize(have);
  kept_ = std::move(kept);
  if (name_ != "-" && !read_) {  // a pipe's reader must stay open
    std::shared_ptr<ByteStream> rest = *std::move(stream);
    read_ = [rest](char* buffer, size_t n) { return rest->Read(buffer, n); };
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ByteStream>> Source::Open(Cancelled cancelled) const {
  if (kept_ != nullptr) {
    Source rest = *this;
    rest.kept_ = nullptr;
    absl::StatusOr<std::unique_ptr<ByteStream>> stream = rest.Open(std::move(cancelled));
    if (!stream.ok()) return stream.status();
    return std::make_unique<internal::PrefixedStream>(*kept_, *std::move(stream));
  }
  if (in_memory_) return std::make_unique<MemoryStream>(bytes_);
  if (read_) return std::make_unique<CallbackStream>(read_);
  const bool standard_input = name_ == "-";
  const int fd = standard_input ? STDIN_FILENO : open(name_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, name_);
  struct stat info;
  if (fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
    const int error = S_ISDIR(info.st_mode) ? EISDIR : errno;
    if (!standard_input) close(fd);
    return ErrnoStatus(error, name_);
  }
  if (S_ISREG(info.st_mode)) posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return std::make_unique<FileStream>(fd, !standard_input, info, name_, std::move(cancelled));
}

VPCFLOW_NAMESPACE_END
