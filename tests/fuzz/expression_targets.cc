// Fuzz target of expressions: filters, conditions on groups, derived columns and aggregate calls.
#include <memory>
#include <utility>

#include "fuzz/targets.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow_fuzz {
namespace {

using namespace vpcflow;

const char* const kHeader =
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status\n";
const char* const kLine = "2 123456789010 eni-1 10.0.0.1 10.0.0.9 40000 22 6 10 840 1000 1060 ACCEPT OK\n";
const char* const kOther = "2 123456789010 eni-2 10.0.0.2 10.0.0.9 40000 443 17 1 - 2000 2060 REJECT OK\n";

Table Run(const PlanSpec& spec) {
  static const std::string log = std::string(kHeader) + kLine + kOther;
  const absl::StatusOr<Plan> plan = Plan::Make(spec);
  VPCFLOW_FUZZ_CHECK(plan.ok());
  absl::StatusOr<Result> result = plan->Run({Source::Bytes("f", std::string_view(log))}, {});
  VPCFLOW_FUZZ_CHECK(result.ok());
  return std::move(result->table);
}

void CheckFilter(std::string_view bytes) {
  static const auto format = std::make_shared<const Format>(Format::Default());
  const absl::StatusOr<Filter> filter = Filter::Parse(bytes);
  if (!filter.ok()) {
    const ErrorKind kind = ErrorKindOf(filter.status());
    VPCFLOW_FUZZ_CHECK(kind == ErrorKind::kFilter || kind == ErrorKind::kField);
    return;
  }
  RecordParser parser(format);
  RecordView record;
  VPCFLOW_FUZZ_CHECK(parser.Parse(std::string_view(kLine), &record) == Errc::kOk);
  const bool passes = filter->Matches(record);
  if (bytes.size() % 16 != 0) return;  // a plan takes twenty times as long
  const std::string both = "(" + std::string(bytes) + ") and interface_id = 'eni-1'";
  if (!Filter::Parse(both).ok()) return;  // too deep
  const Table table = Run({.where = both, .aggs = {{"n", "count()"}}, .allow_missing = true});
  VPCFLOW_FUZZ_CHECK(table.columns[0].i64[0] == static_cast<int64_t>(passes));
}

// A condition and its opposite have no row in common.
void CheckHaving(std::string_view bytes) {
  static const Table table = Run({.by = {"srcaddr"},
                                  .aggs = {{"n", "count()"},
                                           {"b", "sum(bytes)"},
                                           {"m", "mean(bytes)"},
                                           {"t", "first(interface-id)"},
                                           {"a", "last(dstaddr)"},
                                           {"time", "min(start)"}}});
  Table kept = table, others = table;
  if (const absl::Status status = KeepHaving(bytes, &kept); !status.ok()) {
    VPCFLOW_FUZZ_CHECK(ErrorKindOf(status) == ErrorKind::kPlan);
  } else if (KeepHaving("not (" + std::string(bytes) + ")", &others).ok()) {
    VPCFLOW_FUZZ_CHECK(kept.rows + others.rows <= table.rows);
    for (size_t row = 0; row < kept.rows; ++row)
      VPCFLOW_FUZZ_CHECK(others.rows == 0 || kept.columns[0].ToText(row) != others.columns[0].ToText(0));
  }
  Table derived = table;
  if (const absl::Status status = DeriveColumn({"x", std::string(bytes)}, &derived); !status.ok()) {
    VPCFLOW_FUZZ_CHECK(ErrorKindOf(status) == ErrorKind::kPlan);
  } else {
    VPCFLOW_FUZZ_CHECK(derived.columns.back().f64.size() == table.rows);
    VPCFLOW_FUZZ_CHECK(KeepHaving("x = x or x is null", &derived).ok() && derived.rows == table.rows);
  }
}

// A question that can be asked can be saved, and is the same one afterwards.
void CheckSaved(std::string_view bytes) {
  const std::string text(bytes);
  for (const PlanSpec& spec :
       {PlanSpec{.by = {"srcaddr"}, .aggs = {{"n", "count()"}, {"b", "sum(bytes)"}, {"x", text}}},
        PlanSpec{.by = {"srcaddr"}, .aggs = {{"n", "count()"}, {"b", "sum(bytes)"}}, .having = {text}}}) {
    const absl::StatusOr<Plan> plan = Plan::Make(spec);
    if (!plan.ok()) {
      const ErrorKind kind = ErrorKindOf(plan.status());
      VPCFLOW_FUZZ_CHECK(kind == ErrorKind::kPlan || kind == ErrorKind::kFilter || kind == ErrorKind::kField);
      continue;
    }
    absl::StatusOr<Aggregation> asked = Aggregation::Make(*plan);
    VPCFLOW_FUZZ_CHECK(asked.ok());
    absl::StatusOr<Aggregation> again = Aggregation::FromBytes(asked->ToBytes());
    VPCFLOW_FUZZ_CHECK(again.ok() && again->ToBytes() == asked->ToBytes());
  }
}

void Filters(std::string_view bytes) {
  CheckFilter(bytes);
  CheckHaving(bytes);
  if (bytes.size() % 4 == 0) CheckSaved(bytes);
}

std::vector<std::string> FilterSeeds() {
  return {"action = 'REJECT' and dstport in (22, 3389) and not srcaddr in '10.0.0.0/8'",
          "bytes > 10 or (start is null)",
          "interface_id =~ 'eni-.*1' and action != \"ACCEPT\"",
          "n >= 1 and (b / n > 0.5 or m is null) and not t like 'eni-2%'",
          "a in '10.0.0.0/8' and time between '1970-01-01' and 2000 or srcaddr = a",
          "sum(bytes) where action = 'REJECT' and not dstport in (22, 80)",
          "(b - n * 2) / -3.5e2 + `n`",
          "quantile(bytes, 0.95)",
          "ratio(b, n)"};
}

}  // namespace

std::vector<Target> ExpressionTargets() { return {{"filters", Filters, FilterSeeds}}; }

}  // namespace vpcflow_fuzz
