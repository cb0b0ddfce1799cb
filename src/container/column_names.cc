#include "src/container/column_names.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Azure's Log Analytics, in whose tables `Type` is the name of the table.
constexpr std::string_view kTable = "type", kTrafficType = "traffictype", kGenerated = "timegenerated";
constexpr std::string_view kTellLogAnalytics[] = {kTrafficType, kGenerated, "tenantid", "_resourceid"};
constexpr std::string_view kOfLogAnalytics[] = {"_resourceid",
                                                "_subscriptionid",
                                                "_itemid",
                                                "_billedsize",
                                                "_isbillable",
                                                "_timereceived",
                                                "_internal_workspaceresourceid"};

bool SameWord(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b; });
}

template <size_t kSize>
bool IsOneOf(std::string_view name, const std::string_view (&words)[kSize]) {
  return std::any_of(std::begin(words), std::end(words), [&](std::string_view word) { return SameWord(name, word); });
}

// What other tools have between the words of a name, besides `-` and `_`.
constexpr bool IsSeparator(char c) { return c == ' ' || c == '.' || c == '/' || c == ':'; }

// Without blanks around, and without the zone that Log Analytics puts behind names of times.
std::string_view Bare(std::string_view name) {
  constexpr std::string_view kZone = " [utc]", kBlanks = " \t";
  const size_t begin = std::min(name.find_first_not_of(kBlanks), name.size());
  name = name.substr(begin, name.find_last_not_of(kBlanks) + 1 - begin);
  if (name.size() > kZone.size() && SameWord(name.substr(name.size() - kZone.size()), kZone))
    name.remove_suffix(kZone.size());
  return name;
}

// A name of its own: "x", "x-2", ... that none of the columns has.
std::string Unique(std::string name, const std::vector<NamedColumn>& columns) {
  const auto taken = [&](std::string_view wanted) {
    return std::any_of(columns.begin(), columns.end(), [&](const NamedColumn& c) { return c.name == wanted; });
  };
  std::string out = name;
  for (int n = 2; taken(out); ++n) {
    const std::string suffix = absl::StrCat("-", n);
    out = name.substr(0, kMaxName - suffix.size()) + suffix;
  }
  return out;
}

}  // namespace

std::string HeaderName(std::string_view name) {
  std::string out;
  for (const char c : Bare(name).substr(0, kMaxName)) {
    const bool fine =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    out += fine ? FoldName(c) : '-';
  }
  if (out.empty() || out[0] < 'a' || out[0] > 'z' || FindField(out)) out = "x-" + out.substr(0, kMaxName - 2);
  return out;
}

NameMeaning MeaningOf(std::string_view name) {
  name = Bare(name);
  if (SameWord(name, kTrafficType)) return {Field::kType, NameRank::kAlias, true};
  if (SameWord(name, kGenerated)) return {Field::kStart, NameRank::kStandIn, true};
  const bool depends =
      name == "Type" || IsOneOf(name, kTellLogAnalytics) || IsOneOf(name, kOfLogAnalytics) || name.starts_with('@');
  if (name.starts_with('@') || IsOneOf(name, kOfLogAnalytics)) return {Field::kUnknown, NameRank::kUnknown, depends};
  if (const std::optional<Field> own = FindField(name)) return {*own, NameRank::kOwn, depends};
  if (name.size() > kMaxName) return {Field::kUnknown, NameRank::kUnknown, depends};
  std::string letters(name);
  std::replace_if(
      letters.begin(), letters.end(), [](char c) { return IsSeparator(c); }, '-');
  const std::optional<Field> field = FindFieldOrAlias(letters);
  if (!field) return {Field::kUnknown, NameRank::kUnknown, depends};
  return {*field, SameLetters(Info(*field).name, letters) ? NameRank::kLetters : NameRank::kAlias, depends};
}

NamedColumns NameColumns(std::span<const std::string> names) {
  constexpr size_t kNone = ~size_t{0};
  const bool log_analytics =
      std::any_of(names.begin(), names.end(), [](const std::string& n) { return IsOneOf(Bare(n), kTellLogAnalytics); });
  NamedColumns out;
  std::array<size_t, kFieldCount> best;
  best.fill(kNone);
  std::vector<NameMeaning> meanings;
  for (size_t i = 0; i < names.size(); ++i) {
    NameMeaning& meaning = meanings.emplace_back(MeaningOf(names[i]));
    if (log_analytics && SameWord(Bare(names[i]), kTable)) meaning = {};
    if (meaning.field == Field::kUnknown) continue;
    size_t& at = best[static_cast<size_t>(meaning.field)];
    if (at == kNone || meaning.rank < meanings[at].rank) at = i;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const NameMeaning& meaning = meanings[i];
    if (meaning.field == Field::kUnknown) continue;
    const size_t at = best[static_cast<size_t>(meaning.field)];
    if (at == i) {
      out.columns.push_back({i, std::string(Info(meaning.field).name), meaning.field});
      out.evidence |= meaning.evidence();
    } else if (meaning.rank == meanings[at].rank && out.clash.empty()) {
      out.clash = absl::StrCat("two columns are the field ", std::string(Info(meaning.field).name), ": '", names[at],
                               "' and '", names[i], "'");
    }
  }
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string_view name = Bare(names[i]);
    const NameMeaning& meaning = meanings[i];
    if (meaning.field != Field::kUnknown && best[static_cast<size_t>(meaning.field)] == i) continue;
    const bool of_the_system =
        name.starts_with('@') || IsOneOf(name, kOfLogAnalytics) || (log_analytics && SameWord(name, kTable));
    if (!of_the_system) out.columns.push_back({i, Unique(HeaderName(name), out.columns), Field::kUnknown});
  }
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
