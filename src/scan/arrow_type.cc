#include "src/scan/arrow_type.h"

#include <array>
#include <charconv>
#include <iterator>
#include <optional>

#include "absl/strings/str_cat.h"
#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr int64_t kSecondsPerDay = 86400;

bool ReadInt(std::string_view text, int* out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *out);
  return error == std::errc() && end == text.data() + text.size();
}

struct Decimal {
  int precision = 0, scale = 0, bits = 128;
};

// "d:precision,scale" or "d:precision,scale,bits".
std::optional<Decimal> ParseDecimal(std::string_view format) {
  constexpr int kMostDigits = 76;
  Decimal out;
  format.remove_prefix(2);
  int* const numbers[] = {&out.precision, &out.scale, &out.bits};
  size_t n = 0;
  for (bool more = true; more; ++n) {
    const size_t comma = format.find(',');
    more = comma != std::string_view::npos;
    if (n == std::size(numbers) || !ReadInt(format.substr(0, comma), numbers[n])) return std::nullopt;
    if (more) format.remove_prefix(comma + 1);
  }
  const bool known = out.bits == 32 || out.bits == 64 || out.bits == 128 || out.bits == 256;
  if (n < 2 || !known || out.scale < -kMostDigits || out.scale > kMostDigits) return std::nullopt;
  return out;
}

// Of the formats of more letters.
ArrowType ParseLongFormat(std::string_view format) {
  using Layout = ArrowType::Layout;
  if (format == "vu" || format == "vz") return {.layout = Layout::kTextView};
  if (format == "tdD") return {.layout = Layout::kInt, .code = 'i', .time = true, .seconds = kSecondsPerDay};
  if (format == "tdm") return {.layout = Layout::kInt, .code = 'l', .time = true, .ticks = 1000};
  if (format.starts_with("ts") && format.size() >= 4 && format[3] == ':') {
    const size_t unit = std::string_view("smun").find(format[2]);
    constexpr int64_t kTicks[] = {1, 1000, 1'000'000, 1'000'000'000};
    if (unit == std::string_view::npos) return {};
    return {.layout = Layout::kInt, .code = 'l', .time = true, .ticks = kTicks[unit]};
  }
  if (format.starts_with("d:")) {
    const std::optional<Decimal> decimal = ParseDecimal(format);
    if (!decimal) return {};
    return {.layout = Layout::kDecimal, .scale = decimal->scale, .width = static_cast<size_t>(decimal->bits) / 8};
  }
  if (format.starts_with("w:") || format.starts_with('t')) return {.layout = Layout::kPlain};
  if (format == "+s" || format == "+m" || format == "+l" || format == "+L" || format == "+vl" || format == "+vL" ||
      format.starts_with("+w:"))
    return {.layout = Layout::kNested};
  return {};
}

}  // namespace

ArrowType ParseArrowType(std::string_view format) {
  using Layout = ArrowType::Layout;
  if (format.size() != 1) return ParseLongFormat(format);
  switch (format[0]) {
    case 'n': return {.layout = Layout::kNull};
    case 'c':
    case 'C':
    case 's':
    case 'S':
    case 'i':
    case 'I':
    case 'l':
    case 'L': return {.layout = Layout::kInt, .code = format[0]};
    case 'f':
    case 'g': return {.layout = Layout::kFloat, .code = format[0]};
    case 'u':
    case 'z': return {.layout = Layout::kText};
    case 'U':
    case 'Z': return {.layout = Layout::kText, .wide = true};
    case 'b':
    case 'e': return {.layout = Layout::kPlain};
    default: return {};
  }
}

std::string ArrowTypeName(const ArrowSchema& schema) {
  const std::string_view format = schema.format;
  struct Named {
    std::string_view prefix;
    const char* name;
  };
  // Of formats that begin alike the longer one comes first.
  static constexpr std::array<Named, 36> kNames = {{
      {"n", "null"},
      {"b", "boolean"},
      {"c", "int8"},
      {"C", "uint8"},
      {"s", "int16"},
      {"S", "uint16"},
      {"i", "int32"},
      {"I", "uint32"},
      {"l", "int64"},
      {"L", "uint64"},
      {"e", "float16"},
      {"f", "float32"},
      {"g", "float64"},
      {"u", "text"},
      {"U", "text"},
      {"vu", "text"},
      {"z", "binary"},
      {"Z", "binary"},
      {"vz", "binary"},
      {"tdD", "date"},
      {"tdm", "date"},
      {"tt", "time of day"},
      {"ts", "timestamp"},
      {"tD", "duration"},
      {"ti", "interval"},
      {"w:", "fixed-size binary"},
      {"+l", "list"},
      {"+L", "list"},
      {"+vl", "list"},
      {"+vL", "list"},
      {"+w:", "list of fixed size"},
      {"+s", "struct"},
      {"+m", "map"},
      {"+ud:", "union"},
      {"+us:", "union"},
      {"+r", "run-end encoded values"},
  }};
  if (schema.dictionary != nullptr && schema.dictionary->format != nullptr)
    return absl::StrCat("dictionary of ", ArrowTypeName(*schema.dictionary));
  if (format.starts_with("d:")) {
    if (const std::optional<Decimal> decimal = ParseDecimal(format))
      return absl::StrCat("decimal(", decimal->precision, ", ", decimal->scale, ")");
  }
  for (const Named& named : kNames) {
    const bool fits = named.prefix.size() == 1 ? format == named.prefix : format.starts_with(named.prefix);
    if (fits) return named.name;
  }
  return absl::StrCat("'", Printable(format), "', which the Arrow format does not define");
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
