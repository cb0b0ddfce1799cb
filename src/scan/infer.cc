#include "src/scan/infer.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/container/foreign.h"
#include "src/container/known_formats.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// A candidate that fits some of the lines.
struct Fitting {
  const KnownFormat* candidate;
  size_t fits;
};

std::string FitsOf(const Fitting& fitting, size_t lines) {
  return absl::StrCat(fitting.candidate->name, " (", fitting.fits, " of ", lines, " lines)");
}

// What to do about lines that fit no format.
std::string NoFormat(std::string_view first) {
  const std::string_view seems = SeemsToBe(first);
  if (!seems.empty()) return std::string("it looks like ").append(seems);
  return "they fit none of AWS's formats either: if this is a flow log, give its format";
}

}  // namespace

absl::StatusOr<InferredFormat> InferFormat(std::span<const std::string_view> lines, std::string_view source) {
  static const auto standard = std::make_shared<const Format>(Format::Default());
  if (CountFits(standard, lines, 1) > 0) return InferredFormat{standard, ""};
  const std::string name(source), first = Printable(lines[0], 120);
  const std::vector<KnownFormat>& candidates = KnownFormats();
  std::vector<Fitting> fitting;
  for (const KnownFormat& candidate : candidates) {
    if (const size_t fits = CountFits(candidate.format, lines, lines.size()); fits > 0)
      fitting.push_back({&candidate, fits});
  }
  std::stable_sort(fitting.begin(), fitting.end(), [](const Fitting& a, const Fitting& b) { return a.fits > b.fits; });
  const size_t second = fitting.size() > 1 ? fitting[1].fits : 0;
  if (!fitting.empty() && fitting[0].fits * 10 >= lines.size() * 9 && second * 10 <= lines.size()) {
    return InferredFormat{fitting[0].candidate->format,
                          absl::StrCat("no header line: the format is taken to be ", FitsOf(fitting[0], lines.size()),
                                       second > 0 ? absl::StrCat(", before ", FitsOf(fitting[1], lines.size())) : "",
                                       "; none of AWS's other ", candidates.size() - (second > 0 ? 2 : 1),
                                       " formats fits. Give the format if it is another")};
  }
  std::vector<std::string> names;
  for (const Fitting& candidate : fitting) names.push_back(FitsOf(candidate, lines.size()));
  return MakeError(
      ErrorKind::kFormat,
      absl::StrCat(name, ": no header line, and its lines do not fit AWS's default format (tried ", lines.size(), "); ",
                   names.empty() ? NoFormat(lines[0])
                                 : absl::StrCat("candidates: ", absl::StrJoin(names, ", "), "; give the format"),
                   ". First line: ", first));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
