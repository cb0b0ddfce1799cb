#include "src/scan/infer.h"

#include <algorithm>
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

bool Fits(const Format& format, std::string_view line) {
  RecordParser parser(format);
  RecordView record;
  return parser.Parse(line, &record) == Errc::kOk && Fits(record);
}

struct Candidate {
  std::string name;
  Format format;
  size_t fits = 0;
};

// The formats that AWS and its console make when asked for everything.
std::vector<Candidate> Candidates() {
  std::vector<Candidate> out;
  for (const char* name : {"v3", "v4", "v5", "v7", "v8", "v9", "v10", "v11", "tgw", "default"}) {
    Candidate candidate{name, {}};
    FormatError ignored;
    Format::Parse(name, &candidate.format, &ignored);
    std::vector<std::string> names;
    for (const FormatColumn& column : candidate.format.columns()) names.push_back(column.name);
    std::sort(names.begin(), names.end());
    Candidate sorted{absl::StrCat(name, " in alphabetical order"), {}};
    Format::Parse(absl::StrJoin(names, " "), &sorted.format, &ignored);
    out.push_back(std::move(candidate));
    out.push_back(std::move(sorted));
  }
  return out;
}

std::string FitsOf(const Candidate& candidate, size_t lines) {
  return absl::StrCat(candidate.name, " (", candidate.fits, " of ", lines, " lines)");
}

}  // namespace

absl::StatusOr<InferredFormat> InferFormat(std::span<const std::string_view> lines, std::string_view source) {
  const Format standard = Format::Default();
  if (std::any_of(lines.begin(), lines.end(), [&](std::string_view line) { return Fits(standard, line); }))
    return InferredFormat{standard, ""};
  const std::string name(source), first = Printable(lines[0], 120);
  for (const Foreign& foreign : kForeign) {
    if (lines[0].starts_with(foreign.magic))
      return absl::InvalidArgumentError(absl::StrCat(name, ": not flow log text: ", foreign.advice));
  }
  std::vector<Candidate> fitting = Candidates();
  const size_t all = fitting.size();
  for (Candidate& candidate : fitting) {
    for (const std::string_view line : lines) candidate.fits += Fits(candidate.format, line);
  }
  std::erase_if(fitting, [](const Candidate& c) { return c.fits == 0; });
  std::stable_sort(fitting.begin(), fitting.end(),
                   [](const Candidate& a, const Candidate& b) { return a.fits > b.fits; });
  const size_t second = fitting.size() > 1 ? fitting[1].fits : 0;
  if (!fitting.empty() && fitting[0].fits * 10 >= lines.size() * 9 && second * 10 <= lines.size()) {
    return InferredFormat{fitting[0].format,
                          absl::StrCat("no header line: the format is taken to be ", FitsOf(fitting[0], lines.size()),
                                       second > 0 ? absl::StrCat(", before ", FitsOf(fitting[1], lines.size())) : "",
                                       "; none of AWS's other ", all - (second > 0 ? 2 : 1),
                                       " formats fits. Give the format if it is another")};
  }
  std::vector<std::string> names;
  for (const Candidate& candidate : fitting) names.push_back(FitsOf(candidate, lines.size()));
  return absl::InvalidArgumentError(absl::StrCat(
      name, ": no header line, and its lines do not fit AWS's default format (tried ", lines.size(), "); ",
      names.empty() ? std::string("they fit none of AWS's formats either: if this is a flow log, give its format")
                    : absl::StrCat("candidates: ", absl::StrJoin(names, ", "), "; give the format"),
      ". First line: ", first));
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
