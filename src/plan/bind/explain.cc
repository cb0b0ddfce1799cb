// What a plan says of itself: its stages, fields and columns.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/keys/column_builder.h"
#include "src/plan/bind/plan_impl.h"
#include "src/session/state.h"

VPCFLOW_NAMESPACE_BEGIN

std::string Plan::Explain() const {
  const internal::PlanImpl& p = *impl_;
  const auto names = [&](const std::vector<int>& slots) {
    return slots.empty() ? std::string("-") : absl::StrJoin(slots, ", ", [&](std::string* out, int slot) {
      *out += internal::ColumnName(p.fields[static_cast<size_t>(slot)]);
    });
  };
  std::vector<int> rest;
  for (size_t i = 0; i < p.fields.size(); ++i) {
    const auto slot = static_cast<int>(i);
    if (std::find(p.filter_slots.begin(), p.filter_slots.end(), slot) == p.filter_slots.end()) rest.push_back(slot);
  }
  std::string out = "split     lines into fields by the format of each source\n";
  if (!p.all_records) out += "drop      NODATA and SKIPDATA records (counted in the report)\n";
  if (p.filter) absl::StrAppend(&out, "parse     ", names(p.filter_slots), "\nfilter    ", p.filter->text(), "\n");
  absl::StrAppend(&out, "parse     ", p.spec.check_all ? std::string("every field, and check it") : names(rest),
                  p.filter ? "   (of records that pass)" : "", "\n");
  if (p.spec.sessions) {
    absl::StrAppend(&out, "sessions  idle ", p.spec.sessions->idle, " s, vantage ",
                    std::string(kVantageNames[static_cast<size_t>(p.spec.sessions->vantage)]), "\n");
  } else if (!p.grouped) {
    absl::StrAppend(&out, "select    ",
                    p.select_all ? std::string("all fields that the sources have") : names(p.select_slots),
                    p.spec.located ? "; file and offset\n" : "\n");
    if (p.spec.limit) absl::StrAppend(&out, "limit     ", *p.spec.limit, "\n");
  } else {
    absl::StrAppend(
        &out, "group by  ",
        p.spec.every > 0
            ? absl::StrCat("time every ", p.spec.every, " s (",
                           p.spec.bin_by == BinBy::kSpread ? "sums spread over the bins a record spans" : "by start",
                           ")", p.key_slots.empty() ? "" : ", ")
            : std::string(),
        p.key_slots.empty() && p.spec.every > 0 ? std::string() : names(p.key_slots), "\n");
    absl::StrAppend(
        &out, "aggregate ",
        absl::StrJoin(p.spec.aggs, ", ",
                      [](std::string* s, const auto& agg) { absl::StrAppend(s, agg.first, " = ", agg.second); }),
        "\n");
    if (p.spec.window > 0) absl::StrAppend(&out, "windows   of ", p.spec.window, " s, one from each bin\n");
    if (p.spec.gap > 0) absl::StrAppend(&out, "windows   of bins no further apart than ", p.spec.gap, " s\n");
    for (const DerivedColumn& d : p.spec.derived)
      absl::StrAppend(&out, "derive    ", d.name, " = ", d.expression, "\n");
    for (const std::string& condition : p.spec.having) absl::StrAppend(&out, "having    ", condition, "\n");
    if (p.spec.top && !p.spec.top->per.empty())
      absl::StrAppend(&out, "for each  ", absl::StrJoin(p.spec.top->per, ", "), "\n");
    if (p.spec.top)
      absl::StrAppend(&out, "top       ", p.spec.top->n, " by ", p.spec.top->by,
                      p.spec.top->other ? ", and the rest as one row" : "",
                      p.counters() > 0 ? absl::StrCat(", within ", p.counters(), " counters") : std::string(), "\n");
  }
  for (const SortKey& key : p.spec.sort)
    absl::StrAppend(&out, "sort      ", key.column, key.descending ? " descending" : "", "\n");
  return out;
}

std::vector<std::string> Plan::Fields() const {
  std::vector<std::string> names;
  for (const FieldRef& field : impl_->fields) names.push_back(field.name);
  return names;
}

std::vector<std::pair<std::string, ColumnType>> Plan::Schema() const {
  const internal::PlanImpl& p = *impl_;
  std::vector<std::pair<std::string, ColumnType>> out;
  if (p.spec.sessions) {
    for (const TableColumn& column : internal::SessionTable().columns) out.emplace_back(column.name, column.type);
    return out;
  }
  if (p.spec.every > 0) out.emplace_back("time", ColumnType::kTime);
  std::vector<int> slots = p.grouped ? p.key_slots : p.select_slots;
  if (p.select_all) slots.resize(p.promised);
  for (int slot : slots) {
    const FieldRef& field = p.fields[static_cast<size_t>(slot)];
    out.emplace_back(internal::ColumnName(field), internal::ColumnTypeOf(field.kind()));
  }
  if (p.spec.located) {
    out.emplace_back(internal::kFileColumn, ColumnType::kText);
    out.emplace_back(internal::kOffsetColumn, ColumnType::kInt64);
  }
  for (const internal::PlannedAggregate& agg : p.aggs) out.emplace_back(agg.name, internal::TypeOf(agg));
  for (const DerivedColumn& derived : p.spec.derived) out.emplace_back(derived.name, ColumnType::kFloat64);
  if (p.counters() > 0) out.emplace_back(p.spec.top->by + "_error", ColumnType::kInt64);
  if (p.spec.top && p.spec.top->other) out.emplace_back("other", ColumnType::kBool);
  return out;
}

VPCFLOW_NAMESPACE_END
