// Paths, folders and patterns to lists of files.
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "src/scan/holds_records.h"
#include "vpcflow/error/error.h"
#include "vpcflow/format/format.h"
#include "vpcflow/source/object_path.h"
#include "vpcflow/source/source.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

namespace fs = std::filesystem;

// Causes for which files of a folder are left out.
constexpr char kHidden[] = "hidden", kHiddenFolder[] = "hidden as a folder";
constexpr char kManifest[] = "named as a manifest or checksum";

// What is not read, by cause.
class LeftOut {
 public:
  // `name` is shown of the first few of a cause, if it is given.
  void File(const std::string& cause, std::string_view name = {}) { Add(&files_, cause, name); }
  void Folder(const std::string& cause, std::string_view name) { Add(&folders_, cause, name); }

  // Forgets what lies beside logs everywhere: it is said only where there are no logs.
  void ForgetUsual() {
    for (const char* cause : {kHidden, kHiddenFolder, kManifest}) files_.erase(cause);
  }

  size_t files() const { return Count(files_); }
  size_t folders() const { return Count(folders_); }
  // "3 of CloudTrail, 2 without flow log records (a.pdf, b.json)".
  std::string Files() const { return Text(files_); }
  std::string Folders() const { return Text(folders_); }

 private:
  struct Cause {
    size_t count = 0;
    std::string names;
  };
  using Causes = std::map<std::string, Cause>;
  static void Add(Causes* causes, const std::string& cause, std::string_view name);
  static size_t Count(const Causes& causes);
  static std::string Text(const Causes& causes);

  Causes files_;
  Causes folders_;
};

void LeftOut::Add(Causes* causes, const std::string& cause, std::string_view name) {
  constexpr size_t kNamed = 3;
  Cause& of = (*causes)[cause];
  if (++of.count > kNamed || name.empty()) return;
  absl::StrAppend(&of.names, of.names.empty() ? "" : ", ", internal::Printable(name));
}

size_t LeftOut::Count(const Causes& causes) {
  size_t n = 0;
  for (const auto& [cause, of] : causes) n += of.count;
  return n;
}

std::string LeftOut::Text(const Causes& causes) {
  std::string out;
  for (const auto& [cause, of] : causes) {
    absl::StrAppend(&out, out.empty() ? "" : ", ", of.count, " ", cause);
    if (!of.names.empty()) absl::StrAppend(&out, " (", of.names, ")");
  }
  return out;
}

bool IsHidden(const fs::path& path) { return path.filename().native().starts_with('.'); }

bool HasLogEnding(const fs::path& path) {
  constexpr std::string_view kEndings[] = {".log", ".txt", ".gz", ".zst", ".ndjson", ".jsonl", ".csv", ".parquet"};
  const std::string extension = path.extension().native();
  return std::find(std::begin(kEndings), std::end(kEndings), extension) != std::end(kEndings);
}

bool HasWildcard(const std::string& text) { return text.find_first_of("*?[") != std::string::npos; }

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Why a file of a folder, whose path has `from` bytes, is no log; empty for one that is.
std::string WhyNoLog(const std::string& file, size_t from) {
  if (std::string why = WhyNoFlowLog(file, from); !why.empty()) return why;
  if (HasLogEnding(file)) return "";
  const Source source = Source::File(file);
  if (source.size() == 0) return "empty";
  return internal::HoldsRecords(source) ? "" : "without flow log records";
}

// Calls take(entry) for the entries of a folder; one that cannot be read is noted.
template <class Take>
void ForEntries(const fs::path& folder, LeftOut* left_out, Take take) {
  std::error_code error;
  fs::directory_iterator it(folder.empty() ? fs::path(".") : folder, error);
  for (const fs::directory_iterator end; !error && it != end; it.increment(error)) take(*it);
  if (error) left_out->Folder("could not be read", absl::StrCat(folder.native(), ": ", error.message()));
}

// Files below `folder` in any depth. Links to folders are not followed, so that none is walked twice or for ever.
void Walk(const fs::path& folder, std::vector<std::string>* out, LeftOut* left_out) {
  std::vector<fs::path> folders = {folder};
  while (!folders.empty()) {
    const fs::path next = std::move(folders.back());
    folders.pop_back();
    ForEntries(next, left_out, [&](const fs::directory_entry& entry) {
      std::error_code error;
      const std::string& path = entry.path().native();
      const bool is_folder = entry.is_directory(error);
      if (IsHidden(entry.path())) {
        left_out->File(is_folder ? kHiddenFolder : kHidden);
      } else if (is_folder && entry.is_symlink(error)) {
        left_out->File("linking to a folder", NameOf(path));
      } else if (is_folder) {
        folders.push_back(entry.path());
      } else if (entry.is_regular_file(error)) {
        out->push_back(path);
      } else {
        left_out->File("that is a pipe or device", NameOf(path));
      }
    });
  }
}

// Entries of `folder` that match the pattern parts from `at` on.
void Match(const fs::path& folder, const std::vector<std::string>& parts, size_t at, std::vector<std::string>* out,
           LeftOut* left_out) {
  if (at == parts.size()) return;
  const bool last = at + 1 == parts.size();
  const std::string& part = parts[at];
  std::error_code error;
  if (part == "**") {
    if (last) return Walk(folder.empty() ? fs::path(".") : folder, out, left_out);
    Match(folder, parts, at + 1, out, left_out);
  } else if (!HasWildcard(part)) {
    const fs::path next = folder / part;
    if (last && fs::is_regular_file(next, error)) out->push_back(next.native());
    if (!last && fs::is_directory(next, error)) Match(next, parts, at + 1, out, left_out);
    return;
  }
  ForEntries(folder, left_out, [&](const fs::directory_entry& entry) {
    std::error_code ignored;
    if (IsHidden(entry.path()) && !part.starts_with('.')) return;
    const fs::path next = folder / entry.path().filename();
    const bool is_folder = entry.is_directory(ignored);
    if (part == "**") {
      if (is_folder && !entry.is_symlink(ignored)) Match(next, parts, at, out, left_out);
    } else if (fnmatch(part.c_str(), entry.path().filename().c_str(), 0) == 0) {
      if (last && !is_folder) out->push_back(next.native());
      if (!last && is_folder) Match(next, parts, at + 1, out, left_out);
    }
  });
}

void MatchPattern(const std::string& pattern, std::vector<std::string>* out, LeftOut* left_out) {
  const fs::path path(pattern);
  std::vector<std::string> parts;
  for (const fs::path& part : path.relative_path()) {
    if (!part.empty()) parts.push_back(part.native());
  }
  Match(path.root_path(), parts, 0, out, left_out);
}

std::string Counted(size_t n, std::string_view what) {
  return absl::StrCat(n, " ", std::string(what), n == 1 ? "" : "s");
}

// The lines that say what was left out of a path.
std::vector<std::string> NotesOf(const std::string& path, const LeftOut& left_out) {
  std::vector<std::string> notes;
  const std::string shown = internal::Printable(path, 200);
  if (const size_t n = left_out.files(); n > 0) {
    notes.push_back(absl::StrCat(shown, ": ", Counted(n, "file"), " of this folder ", n == 1 ? "was" : "were",
                                 " not read: ", left_out.Files(), "; to read one, name it or give a pattern"));
  }
  if (const size_t n = left_out.folders(); n > 0)
    notes.push_back(absl::StrCat(shown, ": of the folders ", left_out.Folders(), "; what is in them was not read"));
  return notes;
}

}  // namespace

absl::StatusOr<std::vector<Source>> Source::Expand(const std::string& path, std::vector<std::string>* notes) {
  std::error_code error;
  std::vector<std::string> files;
  LeftOut left_out;
  if (path.find('\0') != std::string::npos) return MakeError(ErrorKind::kSource, "a path holds a NUL byte");
  if (path == "-" || fs::is_regular_file(path, error) || (fs::exists(path, error) && !fs::is_directory(path, error))) {
    return std::vector<Source>{File(path)};
  }
  if (fs::is_directory(path, error)) {
    Walk(path, &files, &left_out);
    std::sort(files.begin(), files.end());
    std::erase_if(files, [&](const std::string& file) {
      const std::string why = WhyNoLog(file, path.size());
      if (!why.empty()) left_out.File(why, NameOf(file));
      return !why.empty();
    });
  } else if (HasWildcard(path)) {
    MatchPattern(path, &files, &left_out);
    std::sort(files.begin(), files.end());
  } else {
    return absl::NotFoundError(absl::StrCat(path, ": no such file or folder"));
  }
  const std::vector<std::string> said = NotesOf(path, left_out);
  if (files.empty()) {
    const std::string what = HasWildcard(path) && !fs::is_directory(path, error) ? ": no file matches this pattern"
                             : said.empty() ? ": no flow logs in this folder: it is empty"
                                            : ": no flow logs in this folder";
    std::string message = absl::StrCat(path, what);
    for (const std::string& note : said) absl::StrAppend(&message, "\n  ", note);
    return absl::NotFoundError(message);
  }
  if (notes != nullptr) {
    left_out.ForgetUsual();
    for (std::string& note : NotesOf(path, left_out)) notes->push_back(std::move(note));
  }
  files.erase(std::unique(files.begin(), files.end()), files.end());
  std::vector<Source> sources;
  for (std::string& file : files) sources.push_back(File(std::move(file)));
  return sources;
}

VPCFLOW_NAMESPACE_END
