#include "src/detect/coverage.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Returns the fields of a format's text as a format; columns that are no field are left out.
Format KnownFieldsOf(std::string_view text) {
  std::string known;
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find(' ', begin), text.size());
    std::string_view name = text.substr(begin, end - begin);
    if (name.substr(0, 2) == "${" && name.back() == '}') name = name.substr(2, name.size() - 3);
    if (const std::optional<Field> field = FindField(name)) known.append(Info(*field).name).append(" ");
  }
  Format out;
  FormatError ignored;
  if (!Format::Parse(known, &out, &ignored)) return Format();
  return out;
}

using Formats = std::vector<std::pair<Format, uint64_t>>;

DetectorCoverage CoverageOf(const DetectorInfo& detector, const Formats& formats) {
  DetectorCoverage out{detector.name, Verdict::kExact, 0, 0, {}};
  for (const FieldNeed& need : detector.needs) {
    DetectorCoverage::Loss loss{need.without, need.any_of[0], need.essential, 0};
    for (const auto& [format, sources] : formats) loss.sources += Satisfied(need, format) ? 0 : sources;
    if (loss.sources > 0) out.losses.push_back(loss);
  }
  for (const auto& [format, sources] : formats) {
    out.sources += sources;
    if (CapabilityOf(detector.analysis(), format).verdict == Verdict::kImpossible) out.blind += sources;
  }
  if (!out.losses.empty()) out.verdict = out.blind == out.sources ? Verdict::kImpossible : Verdict::kDegraded;
  return out;
}

}  // namespace

std::vector<DetectorCoverage> CoverageOf(const std::map<std::string, uint64_t>& formats) {
  Formats parsed;
  for (const auto& [text, sources] : formats) parsed.emplace_back(KnownFieldsOf(text), sources);
  std::vector<DetectorCoverage> out;
  for (const DetectorInfo* detector : Detectors()) out.push_back(CoverageOf(*detector, parsed));
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
