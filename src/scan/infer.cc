#include "src/scan/infer.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "vpcflow/record/record_view.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// What a file that is no flow log text may be, by its first bytes.
struct Foreign {
  std::string_view magic;
  const char* advice;
};
constexpr Foreign kForeign[] = {
    {"PAR1", "this is Parquet; read it with an Arrow library and give vpcflow the table"},
    {"BZh", "this is bzip2; unpack it first"},
    {"PK\x03\x04", "this is a zip archive; unpack it first"},
};

// Every value is one its field can have, and the fields with few values have one of those.
bool Fits(const RecordView& record) {
  for (const FormatColumn& column : record.format().columns()) {
    if (!record.Check(column.field)) return false;
  }
  if (record.action() == Action::kOther || record.log_status() == LogStatus::kOther) return false;
  const std::string_view account = record.text(Field::kAccountId);
  return account.empty() || account == "-" || account == "unknown" ||
         std::any_of(account.begin(), account.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// How many of the lines are records of the format; no more are counted than `most`.
size_t CountFits(const std::shared_ptr<const Format>& format, std::span<const std::string_view> lines, size_t most) {
  RecordParser parser(format);
  RecordView record;
  size_t fits = 0;
  for (const std::string_view line : lines) {
    fits += parser.Parse(line, &record) == Errc::kOk && Fits(record);
    if (fits == most) break;
  }
  return fits;
}

struct Candidate {
  std::string name;
  std::shared_ptr<const Format> format;
};

// The formats that AWS and its console make when asked for everything.
std::vector<Candidate> MakeCandidates() {
  std::vector<Candidate> out;
  for (const char* name : {"v3", "v4", "v5", "v7", "v8", "v9", "v10", "v11", "tgw", "default"}) {
    Format format, sorted;
    FormatError ignored;
    Format::Parse(name, &format, &ignored);
    std::vector<std::string> names;
    for (const FormatColumn& column : format.columns()) names.push_back(column.name);
    std::sort(names.begin(), names.end());
    Format::Parse(absl::StrJoin(names, " "), &sorted, &ignored);
    out.push_back({name, std::make_shared<const Format>(std::move(format))});
    out.push_back({absl::StrCat(name, " in alphabetical order"), std::make_shared<const Format>(std::move(sorted))});
  }
  return out;
}

// A candidate that fits some of the lines.
struct Fitting {
  const Candidate* candidate;
  size_t fits;
};

std::string FitsOf(const Fitting& fitting, size_t lines) {
  return absl::StrCat(fitting.candidate->name, " (", fitting.fits, " of ", lines, " lines)");
}

}  // namespace

absl::StatusOr<InferredFormat> InferFormat(std::span<const std::string_view> lines, std::string_view source) {
  static const auto standard = std::make_shared<const Format>(Format::Default());
  if (CountFits(standard, lines, 1) > 0) return InferredFormat{standard, ""};
  const std::string name(source), first = Printable(lines[0], 120);
  for (const Foreign& foreign : kForeign) {
    if (lines[0].starts_with(foreign.magic))
      return absl::InvalidArgumentError(absl::StrCat(name, ": not flow log text: ", foreign.advice));
  }
  static const std::vector<Candidate> candidates = MakeCandidates();  // 0.1 ms
  std::vector<Fitting> fitting;
  for (const Candidate& candidate : candidates) {
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
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": no header line, and its lines do not fit AWS's default format (tried ", lines.size(), "); ",
      names.empty() ? std::string("they fit none of AWS's formats either: if this is a flow log, give its format")
                    : absl::StrCat("candidates: ", absl::StrJoin(names, ", "), "; give the format"),
      ". First line: ", first));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
