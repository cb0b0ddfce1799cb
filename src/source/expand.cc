// Paths, folders and patterns to lists of files.
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

namespace fs = std::filesystem;

bool IsHidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

bool LooksLikeLog(const fs::path& path) {
  // Not .json: in folders of logs those are manifests and settings.
  constexpr std::string_view kEndings[] = {".log", ".txt", ".gz", ".zst", ".ndjson", ".jsonl", ".csv", ".parquet"};
  const std::string extension = path.extension().native();
  return std::find(std::begin(kEndings), std::end(kEndings), extension) != std::end(kEndings);
}

bool HasWildcard(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

// Files below `folder` in any depth; folders that cannot be read are an error, not silence.
absl::Status Walk(const fs::path& folder, std::vector<std::string>* out) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (IsHidden(it->path())) {
      if (it->is_directory(error)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_regular_file(error)) out->push_back(it->path().native());
  }
  if (error) return absl::UnavailableError(absl::StrCat(folder.native(), ": ", error.message()));
  return absl::OkStatus();
}

// Entries of `folder` that match the pattern parts from `at` on.
absl::Status Match(const fs::path& folder, const std::vector<std::string>& parts, size_t at,
                   std::vector<std::string>* out) {
  if (at == parts.size()) return absl::OkStatus();
  const bool last = at + 1 == parts.size();
  const std::string& part = parts[at];
  std::error_code error;
  if (part == "**") {
    if (last) return Walk(folder, out);
    if (absl::Status s = Match(folder, parts, at + 1, out); !s.ok()) return s;
  } else if (!HasWildcard(part)) {
    const fs::path next = folder / part;
    if (last && fs::is_regular_file(next, error)) out->push_back(next.native());
    return !last && fs::is_directory(next, error) ? Match(next, parts, at + 1, out) : absl::OkStatus();
  }
  for (fs::directory_iterator it(folder.empty() ? fs::path(".") : folder, error), end; !error && it != end;
       it.increment(error)) {
    if (IsHidden(it->path()) && !part.starts_with('.')) continue;
    const fs::path next = folder / it->path().filename();
    const bool is_folder = it->is_directory(error);
    if (part == "**") {
      if (is_folder && !it->is_symlink(error)) {
        if (absl::Status s = Match(next, parts, at, out); !s.ok()) return s;
      }
    } else if (fnmatch(part.c_str(), it->path().filename().c_str(), 0) == 0) {
      if (last && !is_folder) out->push_back(next.native());
      if (!last && is_folder) {
        if (absl::Status s = Match(next, parts, at + 1, out); !s.ok()) return s;
      }
    }
  }
  if (error) return absl::UnavailableError(absl::StrCat(folder.native(), ": ", error.message()));
  return absl::OkStatus();
}

absl::Status MatchPattern(const std::string& pattern, std::vector<std::string>* out) {
  const fs::path path(pattern);
  std::vector<std::string> parts;
  for (const fs::path& part : path.relative_path()) {
    if (!part.empty()) parts.push_back(part.native());
  }
  return Match(path.root_path(), parts, 0, out);
}

}  // namespace

absl::StatusOr<std::vector<Source>> Source::Expand(const std::string& path) {
  std::error_code error;
  std::vector<std::string> files;
  if (path.find('\0') != std::string::npos) return absl::InvalidArgumentError("a path holds a NUL byte");
  if (path == "-" || fs::is_regular_file(path, error) || (fs::exists(path, error) && !fs::is_directory(path, error))) {
    return std::vector<Source>{File(path)};
  }
  if (fs::is_directory(path, error)) {
    if (absl::Status s = Walk(path, &files); !s.ok()) return s;
    const size_t all = files.size();
    std::erase_if(files, [](const std::string& f) { return !LooksLikeLog(f); });
    if (files.empty()) {
      return absl::NotFoundError(absl::StrCat(path, ": no flow logs in this folder (", all,
                                              " files, none ending in .log, .gz, .zst, .parquet, .ndjson, .jsonl, .csv "
                                              "or .txt); name them or use a pattern to read others"));
    }
  } else if (HasWildcard(path)) {
    if (absl::Status s = MatchPattern(path, &files); !s.ok()) return s;
    if (files.empty()) return absl::NotFoundError(absl::StrCat(path, ": no file matches this pattern"));
  } else {
    return absl::NotFoundError(absl::StrCat(path, ": no such file or folder"));
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  std::vector<Source> sources;
  for (std::string& file : files) sources.push_back(File(std::move(file)));
  return sources;
}

VPCFLOW_NAMESPACE_END
