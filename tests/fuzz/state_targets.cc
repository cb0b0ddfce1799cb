// Fuzz targets of saved states and of tables that leave through Arrow.
#include <algorithm>
#include <memory>
#include <utility>

#include "fuzz/targets.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow_fuzz {
namespace {

using namespace vpcflow;

const char* const kLog =
    "interface-id srcaddr dstaddr srcport dstport protocol bytes start end action tcp-flags\n"
    "eni-1 10.0.0.1 2001:db8::1 4000 443 6 840 1000 1060 ACCEPT 2\n"
    "eni-2 2001:db8::1 10.0.0.1 443 4000 6 9000 1000 1130 ACCEPT 18\n"
    "eni-1 10.0.0.2 10.0.0.3 - - 1 84 1000 1060 REJECT -\n";

std::vector<PlanSpec> Questions() {
  std::vector<PlanSpec> out(6);
  out[0].by = {"srcaddr", "action"};
  out[0].every = 60;
  out[0].window = 180;
  out[0].aggs = {{"n", "count()"},           {"b", "sum(bytes)"},
                 {"m", "mean(bytes)"},       {"a", "min(start)"},
                 {"z", "max(end)"},          {"f", "first(interface-id)"},
                 {"l", "last(dstaddr)"},     {"r", "rate(bytes)"},
                 {"u", "n_unique(dstaddr)"}, {"w", "n_unique(dstport) where bytes > 100"}};
  out[1].by = {"interface-id"};
  out[1].aggs = {{"d", "approx_n_unique(srcaddr)"},
                 {"q", "quantile(bytes, 0.5)"},
                 {"p", "approx_quantile(bytes, 0.9)"},
                 {"n", "count()"}};
  out[1].derived = {{"share", "d / n"}, {"more", "(d + 1) * 2 - n"}};
  out[1].having = {"share > 0.1", "more is null or not n in (7, 9)"};
  out[1].top = TopSpec{.n = 3, .by = "n"};
  out[2].by = {"dstport"};  // dense keys
  out[3].where = "dstport = 443 or srcaddr in '10.0.0.0/8'";
  out[3].aggs = {{"u", "n_unique(interface-id)"}};
  out[4].sessions.emplace();
  out[5].by = {"srcaddr", "dstaddr"};
  out[5].aggs = {{"b", "sum(bytes)"}};
  out[5].top = TopSpec{.n = 1, .by = "b", .per = {"srcaddr"}, .counters = 1};
  for (PlanSpec& spec : out) spec.allow_missing = true;
  return out;
}

std::string StateOf(const PlanSpec& spec) {
  Aggregation aggregation = *Aggregation::Make(*Plan::Make(spec));
  ScanOptions options;
  options.threads = 1;
  const std::string log = kLog;
  if (!aggregation.Update({Source::Bytes("log", std::string_view(log))}, options).ok()) std::abort();
  return aggregation.ToBytes();
}

// The bytes as a blob as they are, and as the payload of one with the right checksum: an error, or a state that holds
// together.
void Check(std::string_view blob) {
  absl::StatusOr<Aggregation> state = Aggregation::FromBytes(blob);
  if (!state.ok()) return;
  const std::string json = ToJsonLines(state->Value());
  const std::string saved = state->ToBytes();
  absl::StatusOr<Aggregation> again = Aggregation::FromBytes(saved);
  VPCFLOW_FUZZ_CHECK(again.ok());
  VPCFLOW_FUZZ_CHECK(again->ToBytes() == saved);
  VPCFLOW_FUZZ_CHECK(ToJsonLines(again->Value()) == json);
  VPCFLOW_FUZZ_CHECK(again->Merge(*state).ok());
  absl::StatusOr<Aggregation> empty = Aggregation::Make(state->plan());
  VPCFLOW_FUZZ_CHECK(empty.ok() && empty->Merge(*state).ok());
  VPCFLOW_FUZZ_CHECK(empty->ToBytes() == saved);
  const std::string log = kLog;
  ScanOptions options;
  options.threads = 1;
  (void)state->Update({Source::Bytes("log", std::string_view(log))}, options);
  (void)state->Value();
  (void)state->TakeIdle(1100);
  (void)state->ToBytes();
}

void States(std::string_view bytes) {
  Check(bytes);
  Check(Seal(StateKind::kAggregation, bytes));
}

std::vector<std::string> StateSeeds() {
  std::vector<std::string> out;
  for (const PlanSpec& spec : Questions()) {
    const std::string blob = StateOf(spec);
    std::string_view payload;
    if (Unseal(StateKind::kAggregation, blob, &payload) != StateError::kNone) std::abort();
    out.emplace_back(payload);
  }
  return out;
}

// What a scan gives, out through Arrow and in again, gives the same; streams may be released at any time.
void Exports(std::string_view bytes) {
  ScanOptions options;
  options.threads = 1;
  options.max_line_bytes = 4096;
  for (const bool sessions : {false, true}) {
    PlanSpec spec;
    spec.allow_missing = true;
    if (sessions) spec.sessions.emplace();
    const Plan plan = *Plan::Make(spec);
    absl::StatusOr<Result> result = plan.Run({Source::Bytes("f", bytes)}, options);
    if (!result.ok()) return;
    const auto table = std::make_shared<const Table>(std::move(result->table));
    ArrowArrayStream stream;
    ExportTable(table, &stream);
    stream.release(&stream);  // never consumed
    ExportTable(table, &stream);
    ArrowSchema schema;
    VPCFLOW_FUZZ_CHECK(stream.get_schema(&stream, &schema) == 0);
    VPCFLOW_FUZZ_CHECK(static_cast<size_t>(schema.n_children) == table->columns.size());
    schema.release(&schema);
    stream.release(&stream);  // half-way
    if (sessions) continue;
    ExportTable(table, &stream);
    PlanSpec count;
    count.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}};
    count.allow_missing = true;
    const Plan counting = *Plan::Make(count);
    const absl::StatusOr<Result> direct = counting.Run({Source::Bytes("f", bytes)}, options);
    const absl::StatusOr<Result> through = counting.Run({Source::Arrow("<arrow>", &stream)}, options);
    // Columns of one name twice are refused on the way in.
    if (!direct.ok() || !through.ok() || direct->report.rejected() > 0) continue;
    if (result->report.rejected() > 0 || !result->report.errors.empty()) continue;
    VPCFLOW_FUZZ_CHECK(ToJsonLines(through->table) == ToJsonLines(direct->table));
  }
}
std::vector<std::string> ExportSeeds() { return {kLog, std::string(kLog) + kLog}; }

}  // namespace

std::vector<Target> StateTargets() { return {{"states", States, StateSeeds}, {"exports", Exports, ExportSeeds}}; }

}  // namespace vpcflow_fuzz
