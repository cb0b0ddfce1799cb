#include "src/events/event_makers.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/events/event_mapper.h"
#include "src/events/known_maps.h"
#include "vpcflow/events/event_reader.h"
#include "vpcflow/export/text.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using Made = std::vector<std::unique_ptr<EventMaker>>;
using Make = std::unique_ptr<EventMaker> (*)();

struct SourceRow {
  std::string_view name;
  Make make;  // null: by maps, or of OCSF alone
  bool lines;
};

constexpr std::array<SourceRow, 9> kSources = {{{"cloudtrail", nullptr, false},
                                                {"guardduty", MakeGuardDuty, false},
                                                {"securityhub", MakeSecurityHub, false},
                                                {"dns", MakeDns, false},
                                                {"alb", MakeAlb, true},
                                                {"nlb", MakeNlb, true},
                                                {"clb", MakeClb, true},
                                                {"waf", MakeWaf, false},
                                                {"ocsf", nullptr, false}}};
constexpr std::string_view kOriginals[] = {"cloudtrail", "dns", "waf", "securityhub"};  // of OCSF

const SourceRow* FindSource(std::string_view name) {
  const auto found = std::find_if(kSources.begin(), kSources.end(), [&](const auto& row) { return row.name == name; });
  return found == kSources.end() ? nullptr : &*found;
}

Made MakersOf(const SourceRow& row) {
  Made out;
  if (row.make != nullptr) out.push_back(row.make());
  for (const EventMap& map : MapsOf(row.name)) out.push_back(std::make_unique<EventMapper>(map));
  return out;
}

EventMaker* FirstOf(const Made& makers, const Element& document) {
  for (const auto& maker : makers) {
    if (maker->Begin(document)) return maker.get();
  }
  return nullptr;
}

}  // namespace

EventMakers::EventMakers(const EventMap& map) { makers_.push_back(std::make_unique<EventMapper>(map)); }

EventMakers::EventMakers(std::string_view source) {
  const SourceRow* row = FindSource(source);
  if (row == nullptr) return;
  makers_ = MakersOf(*row);
  has_lines_ = row->lines;
  for (const std::string_view kind : kOriginals) {
    const bool found = source == "guardduty" && kind == "securityhub";  // where Security Lake has its findings
    if (source == "ocsf" || source == kind || found) originals_.emplace(kind, MakersOf(*FindSource(kind)));
  }
}

EventMaker* EventMakers::Begin(Element* document, std::string_view* text) {
  EventMaker* maker = FirstOf(makers_, *document);
  return maker != nullptr || originals_.empty() || !IsOcsf(*document) ? maker : BeginOriginal(document, text);
}

EventMaker* EventMakers::BeginOriginal(Element* document, std::string_view* text) {
  const auto found = originals_.find(converter_.Convert(*document, &original_));
  if (found == originals_.end()) return nullptr;
  Element original;
  const size_t size = original_.size();
  original_.append(simdjson::SIMDJSON_PADDING, '\0');
  const simdjson::error_code error = parser_.parse(original_.data(), size, false).get(original);
  if (error == simdjson::MEMALLOC) throw std::bad_alloc();
  EventMaker* maker = error == simdjson::SUCCESS ? FirstOf(found->second, original) : nullptr;
  if (maker == nullptr) return nullptr;
  *document = original;
  *text = std::string_view(original_.data(), size);
  return maker;
}

EventMaker* EventMakers::BeginLine(std::string_view line) {
  for (const auto& maker : makers_) {
    if (maker->BeginLine(line)) return maker.get();
  }
  return nullptr;
}

std::string NameOf(const Element& document) {
  constexpr size_t kMembers = 3, kMost = 40;
  simdjson::dom::object object;
  if (document.get(object) != simdjson::SUCCESS) return "no object";
  if (IsOwnFinding(document)) return "finding of vpcflow itself";
  if (Member(document, "digestStartTime") && Member(document, "logFiles")) return "digest of CloudTrail's files";
  std::string scratch;
  if (IsOcsf(document)) {
    const std::optional<Element> number = Member(document, "class_uid");
    return absl::StrCat("class ", IsScalar(*number) ? ValidUtf8(Word(*number, &scratch)).substr(0, kMost) : "?",
                        " of OCSF");
  }
  std::string out;
  size_t named = 0;
  for (const auto& [key, value] : object) {
    if (named++ == kMembers) break;
    out += out.empty() ? "with " : ", ";
    out += key.size() > kMost ? "..." : key;
  }
  return out.empty() ? "empty object" : out;
}

}  // namespace internal

std::vector<std::string> EventSources() {
  std::vector<std::string> out;
  for (const auto& row : internal::kSources) out.emplace_back(row.name);
  return out;
}

VPCFLOW_NAMESPACE_END
