// new_country: inside hosts that talk to a country that none of yours has talked to.
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/detect/context.h"
#include "src/detect/novelty.h"
#include "src/detect/registry.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr Setting<AddressLabels> kGeo = {
    "geo", "a MaxMind DB file of countries, or of autonomous systems: then new networks are found (needs `maxminddb`)"};
constexpr const SettingInfo* kSettings[] = {&kGeo};
constexpr std::string_view kInputs[] = {"baseline", "geo"};

std::vector<Finding> FindNewCountries(const DetectorContext& context) {
  std::vector<Finding> out;
  const AddressLabels& geo = context.Get(kGeo);
  const Labels* countries = geo.labels.get();
  if (!context.sessions.has_past() || countries == nullptr) return out;
  std::set<uint32_t> known;  // numbers of labels
  for (const PastEdge& edge : context.sessions.past()) {
    if (Outwards(context, edge.client, edge.server))
      known.insert(countries->OfAddress(context.sessions.address(edge.server), 0));
  }
  const auto country_of = [&](const SessionRow& row) -> std::optional<uint32_t> {
    if (!Outwards(context, row.client, row.server)) return {};
    const uint32_t country = countries->OfAddress(context.sessions.address(row.server), row.start);
    return country == Labels::kNone || known.contains(country) ? std::nullopt : std::optional(country);
  };
  ForEachFirstSeen(context, country_of, [&](uint32_t source, uint32_t country, const FirstSeen& first_seen) {
    const std::string& name = countries->label(country);
    Finding f = first_seen.ToFinding(context, source, Severity::kMedium, first_seen.score());
    f.AddEvidence(geo.networks ? "network" : "country", name);
    f.AddEvidence("geo_of", geo.day);
    f.sentence = absl::StrCat(context.text(source), " talked to ", ToString(f.targets[0]), " in ", name, " at ",
                              first_seen.services.Text(), ", where none of your hosts has talked to before",
                              When(first_seen.span));
    out.push_back(std::move(f));
  });
  return out;
}

constexpr FieldNeed kNeeds[] = {
    Essential("who acts is unknown", {Field::kSrcAddr, Field::kPktSrcAddr}),
    Essential("to whom is unknown", {Field::kDstAddr, Field::kPktDstAddr}),
    Essential("there are no times", {Field::kStart}),
    Helpful("sessions of TCP cannot be seen to come about, and are not found", {Field::kPackets}),
    Helpful("refused and accepted sessions look alike", {Field::kProtocol}),
    Helpful("refused sessions look like accepted ones", {Field::kAction}),
    Helpful("who began is told by times and TCP flags alone", {Field::kSrcPort}),
    Helpful("closed ports that answer look like sessions", {Field::kBytes}),
    Helpful("what goes on over several windows is not put together", {Field::kEnd}),
    Helpful("which end is the server is unknown", {Field::kDstPort}),
};

}  // namespace

constinit const DetectorInfo detectors::new_country = {
    .name = "new_country",
    .technique = "T1071",
    .meaning = "inside hosts that talk to a country that none of yours has talked to",
    .method =
        "Inside hosts that talk to a country that none of yours has talked to, by a MaxMind DB file, whose "
        "date is in the evidence; with one of autonomous systems: to a network that none of yours has talked "
        "to.",
    .misses = "what a database has wrong",
    .needs = kNeeds,
    .inputs = kInputs,
    .settings = kSettings,
    .find = FindNewCountries,
};

}  // namespace internal
VPCFLOW_NAMESPACE_END
