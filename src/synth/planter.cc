#include "src/synth/planter.h"

#include <iterator>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

void Planter::TakeInto(Planted* out) {
  out->records.insert(out->records.end(), records_.begin(), records_.end());
  out->labels.insert(out->labels.end(), labels_.begin(), labels_.end());
  records_.clear();
  labels_.clear();
  first_ = 0;
}

void Planter::Label(const PlantInfo& info, std::vector<uint32_t> actors, const std::string& also) {
  if (first_ == records_.size()) return;
  if (actors.empty()) actors.push_back(records_[first_].src);
  const std::set<uint32_t> acts(actors.begin(), actors.end());
  std::set<std::string> targets, interfaces;
  std::set<int> ports;
  int64_t first = records_[first_].start, last = 0, bytes = 0;
  uint64_t rejected = 0;
  for (size_t i = first_; i < records_.size(); ++i) {
    const SynthRecord& r = records_[i];
    const bool from = acts.contains(r.src);
    if (from != acts.contains(r.dst)) targets.insert(world_.v4[from ? r.dst : r.src]);
    interfaces.insert(world_.texts[static_cast<size_t>(Field::kInterfaceId)][r.interface]);
    if (from) ports.insert(r.dstport);
    first = std::min(first, r.start);
    last = std::max(last, r.end);
    bytes += r.bytes;
    rejected += r.rejected;
  }
  const auto quoted = [](const std::set<std::string>& all) {
    return absl::StrCat("[\"", absl::StrJoin(all, "\", \""), "\"]");
  };
  std::vector<int> some(ports.begin(),
                        std::next(ports.begin(), static_cast<ptrdiff_t>(std::min<size_t>(20, ports.size()))));
  labels_.push_back(absl::StrCat(
      "\n {\"kind\": \"", std::string(info.name), "\", \"benign\": ", info.benign ? "true" : "false", ", \"actor\": \"",
      world_.v4[actors[0]], "\", \"targets\": ", quoted(targets), ", \"interfaces\": ", quoted(interfaces),
      ", \"ports\": [", absl::StrJoin(some, ", "), "], \"distinct_ports\": ", ports.size(), ", \"first\": ", first,
      ", \"last\": ", last, ", \"records\": ", records_.size() - first_,
      ", \"accepted\": ", records_.size() - first_ - rejected, ", \"rejected\": ", rejected, ", \"bytes\": ", bytes,
      also, ", \"note\": \"", std::string(info.meaning), "\"}"));
  first_ = records_.size();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
