#include "vpcflow/detect/finding_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "src/detect/context.h"
#include "vpcflow/export/text.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

using internal::Commas;

// The code point that valid UTF-8 begins with; it is taken off.
uint32_t TakeCodePoint(std::string_view* text) {
  const auto first = static_cast<unsigned char>((*text)[0]);
  const size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  uint32_t point = size == 1 ? first : first & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) point = point << 6 | (static_cast<unsigned char>((*text)[i]) & 0x3Fu);
  text->remove_prefix(size);
  return point;
}

// As Python's json writes texts: ASCII, other code points as UTF-16 in escapes.
std::string Quoted(std::string_view text) {
  std::string out = "\"";
  const std::string valid = ValidUtf8(text);
  for (std::string_view rest = valid; !rest.empty();) {
    const uint32_t point = TakeCodePoint(&rest);
    constexpr std::string_view kEscaped = "\"\\\b\f\n\r\t", kNames = "\"\\bfnrt";
    if (const size_t at = point < 0x80 ? kEscaped.find(static_cast<char>(point)) : kEscaped.npos; at != kEscaped.npos) {
      out += '\\';
      out += kNames[at];
    } else if (point >= 0x20 && point < 0x7F) {
      out += static_cast<char>(point);
    } else if (point < 0x10000) {
      absl::StrAppendFormat(&out, "\\u%04x", point);
    } else {
      absl::StrAppendFormat(&out, "\\u%04x\\u%04x", 0xD800 + ((point - 0x10000) >> 10), 0xDC00 + (point & 0x3FF));
    }
  }
  return out + '"';
}

// As Python writes floats: the fewest digits that read back as the same, an exponent below 1e-4 and from 1e16 on.
std::string Float(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char text[32];
  const char* const end = std::to_chars(text, text + sizeof text, value, std::chars_format::scientific).ptr;
  const std::string_view all(text, static_cast<size_t>(end - text));
  const size_t e = all.find('e');
  int exponent = 0;
  std::from_chars(text + e + (text[e + 1] == '+' ? 2 : 1), end, exponent);
  if (exponent < -4 || exponent >= 16)
    return absl::StrCat(std::string(all.substr(0, e)), exponent < 0 ? "e-" : "e+",
                        absl::Dec(std::abs(exponent), absl::kZeroPad2));
  char fixed[64];
  std::string out(fixed, std::to_chars(fixed, fixed + sizeof fixed, value, std::chars_format::fixed).ptr);
  return out.find('.') == std::string::npos ? out + ".0" : out;
}

template <class Values>
std::string List(const Values& values) {
  return absl::StrCat("[",
                      absl::StrJoin(values, ", ",
                                    [](std::string* out, const auto& value) {
                                      using T = std::decay_t<decltype(value)>;
                                      if constexpr (std::is_same_v<T, Ip>) {
                                        *out += Quoted(ToString(value));
                                      } else if constexpr (std::is_integral_v<T>) {
                                        absl::StrAppend(out, value);
                                      } else {
                                        *out += Quoted(value);
                                      }
                                    }),
                      "]");
}

std::string JsonOf(const Evidence& evidence) {
  return std::visit(
      [](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return "null";
        } else if constexpr (std::is_same_v<T, int64_t>) {
          return absl::StrCat(value);
        } else if constexpr (std::is_same_v<T, uint128>) {
          return Total(value).ToString();
        } else if constexpr (std::is_same_v<T, double>) {
          return Float(value);
        } else if constexpr (std::is_same_v<T, std::string>) {
          return Quoted(value);
        } else if constexpr (std::is_same_v<T, Ip>) {
          return Quoted(ToString(value));
        } else {
          return List(value);
        }
      },
      evidence);
}

// The members of a JSON object, in their order.
class Object {
 public:
  void Add(std::string_view name, const std::string& json) {
    absl::StrAppend(&text_, text_.empty() ? "" : ", ", Quoted(name), ": ", json);
  }
  void AddText(std::string_view name, std::string_view text) { Add(name, Quoted(text)); }
  void AddUnlessEmpty(std::string_view name, std::string_view text) {
    if (!text.empty()) AddText(name, text);
  }
  std::string Json() const { return absl::StrCat("{", text_, "}"); }

 private:
  std::string text_;
};

void AddOnce(std::string_view text, std::vector<std::string_view>* out) {
  if (std::find(out->begin(), out->end(), text) == out->end()) out->push_back(text);
}

}  // namespace

std::string BlindIn(uint64_t blind, uint64_t sources, std::span<const std::string_view> lacking,
                    std::span<const std::string_view> null) {
  const auto joined = [](std::span<const std::string_view> fields, std::string_view between) {
    std::string out;
    for (const std::string_view field : fields) out.append(out.empty() ? "" : between).append(field);
    return out;
  };
  return absl::StrCat("not looked for in ", Commas(blind), " of ", internal::Counted(sources, "source"),
                      lacking.empty() ? "" : absl::StrCat(", which lack ", joined(lacking, ", ")),
                      lacking.empty() || null.empty() ? "" : ";",
                      null.empty() ? ""
                                   : absl::StrCat(lacking.empty() ? ", " : " ", "in which ", joined(null, " and "),
                                                  null.size() == 1 ? " is" : " are", " - in every record"));
}

FindingCoverage DescribeCoverage(const DetectorCoverage& coverage, const Report& report) {
  FindingCoverage out;
  std::vector<std::string_view> essential, null;
  for (const DetectorCoverage::Loss& loss : coverage.losses) {
    const std::string_view field = Info(loss.field).name;
    AddOnce(loss.without, &out.degraded);
    AddOnce(field, &out.add);
    if (loss.essential) AddOnce(field, loss.null == loss.sources ? &null : &essential);
  }
  if (coverage.unknown) out.unknown = "what the logs show is not known, nor what they hide";
  if (coverage.blind > 0 && coverage.blind < coverage.sources)
    out.blind = BlindIn(coverage.blind, coverage.sources, essential, null);
  if (report.skipdata > 0)
    out.skipdata = absl::StrCat(Commas(report.skipdata),
                                report.skipdata == 1 ? " SKIPDATA record" : " SKIPDATA records", ": counts are floors");
  out.one_direction = report.one_direction;
  return out;
}

std::string ToJson(const Finding& finding, const FindingCoverage& coverage) {
  Object evidence, hidden, out;
  for (const auto& [name, value] : finding.evidence) evidence.Add(name, JsonOf(value));
  if (!coverage.degraded.empty()) hidden.Add("degraded", List(coverage.degraded));
  if (!coverage.add.empty()) hidden.Add("add", List(coverage.add));
  hidden.AddUnlessEmpty("unknown", coverage.unknown);
  hidden.AddUnlessEmpty("blind", coverage.blind);
  hidden.AddUnlessEmpty("skipdata", coverage.skipdata);
  hidden.AddUnlessEmpty("one_direction", coverage.one_direction);
  out.Add("schema_version", absl::StrCat(kFindingSchemaVersion));
  out.AddText("detector", finding.detector);
  out.AddText("severity", SeverityName(finding.severity));
  out.AddText("actor", ToString(finding.actor));
  out.Add("targets", List(finding.targets));
  out.Add("start", absl::StrCat(finding.start));
  out.Add("end", absl::StrCat(finding.end));
  out.Add("score", Float(finding.score));
  out.AddText("technique", finding.technique);
  out.Add("evidence", evidence.Json());
  out.Add("coverage", hidden.Json());
  out.AddText("sentence", finding.sentence);
  out.Add("confidence", finding.confidence ? Float(*finding.confidence) : "null");
  out.Add("samples", "[]");
  return out.Json();
}

VPCFLOW_NAMESPACE_END
