#include "src/detect/coverage.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "src/session/shown_fields.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// What some sources show: their fields, and of these the ones that are null in every record.
struct Sources {
  Format fields, null;
  uint64_t count = 0;
  bool Shows(const FieldNeed& need) const {
    return std::any_of(need.any_of.begin(), need.any_of.end(),
                       [&](Field field) { return fields.IndexOf(field) >= 0 && null.IndexOf(field) < 0; });
  }
};

Format FormatOf(const std::string& fields) {
  Format out;
  FormatError ignored;
  if (!Format::Parse(fields, &out, &ignored)) return Format();
  return out;
}

// Of the text of a format, or of Report::shown; columns that are no field are left out.
Sources SourcesOf(std::string_view text, uint64_t count) {
  std::string fields, null;
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
    end = std::min(text.find(' ', begin), text.size());
    std::string_view name = text.substr(begin, end - begin);
    if (name.empty()) continue;
    const bool is_null = name[0] == '-';
    if (is_null) name.remove_prefix(1);
    if (name.substr(0, 2) == "${" && name.back() == '}') name = name.substr(2, name.size() - 3);
    const std::optional<Field> field = FindField(name);
    if (!field) continue;
    fields.append(Info(*field).name).append(" ");
    if (is_null) null.append(Info(*field).name).append(" ");
  }
  return {FormatOf(fields), FormatOf(null), count};
}

std::vector<Sources> AllOf(const std::map<std::string, uint64_t>& texts) {
  std::vector<Sources> out;
  for (const auto& [text, count] : texts) {
    if (!text.empty()) out.push_back(SourcesOf(text, count));
  }
  return out;
}

// Whether sessions are made of one of the fields of a need; formats alone tell of the others.
bool IsOfSessions(const FieldNeed& need) {
  return std::any_of(need.any_of.begin(), need.any_of.end(), [](Field field) {
    return std::find(kSessionFields.begin(), kSessionFields.end(), field) != kSessionFields.end();
  });
}

DetectorCoverage CoverageOf(const DetectorInfo& detector, const std::vector<Sources>& formats,
                            const std::vector<Sources>& shown) {
  DetectorCoverage out;
  out.detector = detector.name;
  for (const FieldNeed& need : detector.needs) {
    DetectorCoverage::Loss loss{need.without, need.any_of[0], need.essential};
    for (const Sources& own : IsOfSessions(need) ? shown : formats) {
      if (own.Shows(need)) continue;
      loss.sources += own.count;
      // The field to name is one that is there.
      const auto is_null = [&](Field field) { return own.null.IndexOf(field) >= 0; };
      const auto* at = std::find_if(need.any_of.begin(), need.any_of.end(), is_null);
      if (at == need.any_of.end()) continue;
      loss.null += own.count;
      loss.field = *at;
    }
    if (loss.sources > 0) out.losses.push_back(loss);
  }
  for (const Sources& own : shown) {
    out.sources += own.count;
    if (std::any_of(detector.needs.begin(), detector.needs.end(),
                    [&](const FieldNeed& need) { return need.essential && !own.Shows(need); }))
      out.blind += own.count;
  }
  if (out.losses.empty()) return out;
  out.verdict = out.blind == out.sources && out.blind > 0 ? Verdict::kImpossible : Verdict::kDegraded;
  return out;
}

}  // namespace

std::vector<DetectorCoverage> CoverageOf(const std::map<std::string, uint64_t>& formats,
                                         const std::map<std::string, uint64_t>& shown) {
  const std::vector<Sources> by_format = AllOf(formats), by_value = AllOf(shown.empty() ? formats : shown);
  std::vector<DetectorCoverage> out;
  for (const DetectorInfo* detector : Detectors()) {
    out.push_back(CoverageOf(*detector, by_format, by_value));
    out.back().unknown = by_value.empty() || shown.contains("");
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
