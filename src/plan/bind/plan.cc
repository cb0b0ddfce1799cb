// Checking a specification, and explaining a plan.
#include "vpcflow/plan/plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/keys/column_builder.h"
#include "src/plan/bind/plan_impl.h"
#include "src/scan/rows.h"
#include "src/session/state.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

std::string ColumnName(const FieldRef& field) {
  std::string name = field.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

namespace {

constexpr size_t kMaxKeys = 64;
constexpr int64_t kMaxWindowBins = 10'000;  // each bin is in as many windows

struct AggInfo {
  AggKind kind;
  std::string_view name;
  bool takes_field;
};
constexpr AggInfo kAggs[] = {
#define VPCFLOW_X(id, name, field, meaning) {AggKind::id, name, field},
    VPCFLOW_AGGREGATES(VPCFLOW_X)
#undef VPCFLOW_X
};

class Maker {
 public:
  Maker(const PlanSpec& spec, const std::vector<Format>& formats) : formats_(formats) { plan_.spec = spec; }

  absl::StatusOr<PlanImpl> Run() {
    const PlanSpec& spec = plan_.spec;
    plan_.grouped = !spec.by.empty() || spec.every != 0 || !spec.aggs.empty();
    for (const Format& format : formats_) {
      for (const FormatColumn& column : format.columns()) {
        if (column.field == Field::kUnknown) extras_.push_back(column.name);
      }
    }
    for (const LabelColumn& column : spec.labels) {
      if (absl::Status s = AddLabels(column); !s.ok()) return s;
    }
    absl::Status status = spec.sessions ? MakeSessions() : plan_.grouped ? MakeGrouping() : MakeSelection();
    if (status.ok() && !spec.where.empty()) status = MakeFilter(spec.where, &plan_.filter, &plan_.filter_slots);
    if (spec.asked) SlotOf(Field::kStart);
    if (status.ok()) status = MakeOrder();
    if (!status.ok()) return status;
    plan_.all_records = (!plan_.grouped && !spec.sessions) ||
                        std::any_of(plan_.fields.begin(), plan_.fields.end(),
                                    [](const FieldRef& f) { return f.field == Field::kLogStatus; });
    return std::move(plan_);
  }

 private:
  absl::StatusOr<int> Slot(const std::string& name, const char* where) {
    FieldRef ref{Field::kUnknown, CanonicalName(name)};
    if (const std::optional<Field> known = FindField(name)) {
      ref = {*known, std::string(Info(*known).name), nullptr};
    } else if (std::find(extras_.begin(), extras_.end(), ref.name) == extras_.end()) {
      std::vector<std::string> names(extras_);
      for (const FieldInfo& info : kFields) names.emplace_back(info.name);
      const std::string nearest = Nearest(name, names);
      return absl::InvalidArgumentError(absl::StrCat(where, ": unknown field '", Printable(name), "'",
                                                     nearest.empty()
                                                         ? std::string("; `vpcflow fields` lists them")
                                                         : absl::StrCat("; did you mean '", nearest, "'?")));
    }
    return SlotOf(ref);
  }

  // Makes a column of labels known by its name.
  absl::Status AddLabels(const LabelColumn& column) {
    const std::string name = CanonicalName(column.name);
    if (name.empty() || FindField(name) || lookups_.contains(name))
      return absl::InvalidArgumentError(
          absl::StrCat("label '", Printable(column.name), "': the name is empty, or a field's or another label's"));
    if (column.labels == nullptr || !column.labels->frozen())
      return absl::InvalidArgumentError(absl::StrCat("label '", Printable(column.name), "': its table is not frozen"));
    const std::optional<Field> field = FindField(column.field);
    if (!field)
      return absl::InvalidArgumentError(
          absl::StrCat("label '", Printable(column.name), "': unknown field '", Printable(column.field), "'"));
    lookups_[name] = std::make_shared<const LabelLookup>(
        LabelLookup{{*field, std::string(Info(*field).name), nullptr}, column.labels});
    extras_.push_back(name);
    return absl::OkStatus();
  }

  int SlotOf(FieldRef ref) {
    if (const auto lookup = lookups_.find(ref.name); ref.field == Field::kUnknown && lookup != lookups_.end()) {
      ref.lookup = lookup->second;
      SlotOf(lookup->second->of);
      if (lookup->second->labels->timed()) SlotOf(Field::kStart);
    }
    const auto found = std::find(plan_.fields.begin(), plan_.fields.end(), ref);
    const auto slot = static_cast<int>(found - plan_.fields.begin());
    if (found == plan_.fields.end()) plan_.fields.push_back(ref);
    return slot;
  }
  int SlotOf(Field field) { return SlotOf(FieldRef{field, std::string(Info(field).name), nullptr}); }

  absl::Status MakeSessions() {
    const PlanSpec& spec = plan_.spec;
    if (plan_.grouped || !spec.select.empty() || spec.top || spec.located)
      return absl::InvalidArgumentError(
          "a plan makes sessions, or groups, or selects rows; the columns of sessions are fixed");
    if (spec.sessions->idle < 1) return absl::InvalidArgumentError("sessions: idle is at least 1 s");
    for (const Field field : kSessionFields) SlotOf(field);
    plan_.required = kNeededSessionFields;
    return absl::OkStatus();
  }

  absl::Status MakeSelection() {
    const PlanSpec& spec = plan_.spec;
    if (spec.top) return absl::InvalidArgumentError("top_k needs a grouping: give keys or aggregates");
    plan_.select_all = spec.select.empty();
    for (const std::string& name : spec.select) {
      absl::StatusOr<int> slot = Slot(name, "select");
      if (!slot.ok()) return slot.status();
      plan_.select_slots.push_back(*slot);
    }
    if (!plan_.select_all) return CheckPlaceNames();
    for (const Format& format : formats_) {
      for (const FormatColumn& column : format.columns()) SlotOf(FieldRef{column.field, column.name, nullptr});
    }
    for (const LabelColumn& column : plan_.spec.labels) {
      if (!formats_.empty()) SlotOf(FieldRef{Field::kUnknown, CanonicalName(column.name), nullptr});
    }
    plan_.promised = plan_.fields.size();
    // A later header, in the middle of a file, may name others.
    for (size_t i = 0; i < kFieldCount; ++i) SlotOf(static_cast<Field>(i));
    if (formats_.empty()) plan_.promised = plan_.fields.size();
    for (size_t i = 0; i < plan_.fields.size(); ++i) plan_.select_slots.push_back(static_cast<int>(i));
    return CheckPlaceNames();
  }

  absl::Status CheckPlaceNames() const {
    for (int slot : plan_.select_slots) {
      const std::string name = ColumnName(plan_.fields[static_cast<size_t>(slot)]);
      if (plan_.spec.located && (name == kFileColumn || name == kOffsetColumn))
        return absl::InvalidArgumentError(
            absl::StrCat("located: the logs have a field '", name, "'; select others to have the places of records"));
    }
    return absl::OkStatus();
  }

  absl::Status MakeGrouping() {
    PlanSpec& spec = plan_.spec;
    if (!spec.select.empty() || spec.limit || spec.located)
      return absl::InvalidArgumentError("a plan selects rows or groups them, not both");
    if (spec.by.size() > kMaxKeys) return absl::InvalidArgumentError(absl::StrCat("at most ", kMaxKeys, " keys"));
    if (spec.every < 0) return absl::InvalidArgumentError("every: a time bin is longer than 0 s");
    for (const int64_t length : {spec.window, spec.gap}) {
      if (length < 0 || (length > 0 && (spec.every <= 0 || length % spec.every != 0)))
        return absl::InvalidArgumentError("window and gap: a multiple of every");
    }
    if (spec.window > 0 && spec.gap > 0) return absl::InvalidArgumentError("window and gap: one of them");
    if (spec.window / std::max<int64_t>(spec.every, 1) > kMaxWindowBins)
      return absl::InvalidArgumentError(absl::StrCat("window: at most ", kMaxWindowBins, " times every"));
    std::vector<std::string> names;
    if (spec.every > 0) {
      names.emplace_back("time");
      plan_.start_slot = SlotOf(Field::kStart);
    }
    for (const std::string& key : spec.by) {
      absl::StatusOr<int> slot = Slot(key, "by");
      if (!slot.ok()) return slot.status();
      plan_.key_slots.push_back(*slot);
      names.push_back(ColumnName(plan_.fields[static_cast<size_t>(*slot)]));
    }
    if (spec.aggs.empty()) spec.aggs.emplace_back("count", "count()");
    for (const auto& [name, text] : spec.aggs) {
      PlannedAggregate agg;
      agg.name = name;
      if (absl::Status s = MakeAggregate(text, &agg); !s.ok()) return s;
      plan_.aggs.push_back(std::move(agg));
      names.push_back(name);
    }
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) return absl::InvalidArgumentError("an aggregate needs a name");
      if (std::find(names.begin(), names.begin() + static_cast<ptrdiff_t>(i), names[i]) !=
          names.begin() + static_cast<ptrdiff_t>(i)) {
        return absl::InvalidArgumentError(
            absl::StrCat("two columns would be named '", Printable(names[i]), "'; name the aggregate differently"));
      }
    }
    if (spec.every > 0 && spec.bin_by == BinBy::kSpread) plan_.end_slot = SlotOf(Field::kEnd);
    return absl::OkStatus();
  }

  // "sum(bytes)", "quantile(bytes, 0.95)", "count() where action = 'REJECT'"
  absl::Status MakeAggregate(std::string_view text, PlannedAggregate* out) {
    text = Trim(text);
    const size_t open = text.find('('), close = text.find(')', open == std::string_view::npos ? 0 : open);
    const std::string_view function = Trim(text.substr(0, open));
    const auto info =
        std::find_if(std::begin(kAggs), std::end(kAggs), [&](const AggInfo& a) { return a.name == function; });
    if (info == std::end(kAggs)) {
      std::vector<std::string> names;
      for (const AggInfo& a : kAggs) names.emplace_back(a.name);
      const std::string nearest = Nearest(function, names);
      return absl::InvalidArgumentError(absl::StrCat("unknown aggregate '", Printable(function), "'",
                                                     nearest.empty()
                                                         ? absl::StrCat("; there are ", absl::StrJoin(names, ", "))
                                                         : absl::StrCat("; did you mean '", nearest, "'?")));
    }
    out->kind = info->kind;
    const bool quantile = out->kind == AggKind::kQuantile || out->kind == AggKind::kApproxQuantile;
    const char* const usage = quantile ? "(field, share between 0 and 1)" : info->takes_field ? "(field)" : "()";
    const std::string_view rest = close == std::string_view::npos ? "" : Trim(text.substr(close + 1));
    const bool has_filter = rest.starts_with("where") && (rest.size() == 5 || IsBlank(rest[5]) || rest[5] == '(');
    if (open == std::string_view::npos || close == std::string_view::npos || (!rest.empty() && !has_filter)) {
      return absl::InvalidArgumentError(absl::StrCat("aggregate '", Printable(text), "': write ", std::string(function),
                                                     usage, ", and where FILTER behind it if need be"));
    }
    std::string_view arguments = Trim(text.substr(open + 1, close - open - 1));
    const size_t comma = arguments.find(',');
    if (quantile != (comma != std::string_view::npos) ||
        (quantile && !ParseShare(Trim(arguments.substr(comma + 1)), &out->q)))
      return absl::InvalidArgumentError(
          absl::StrCat("aggregate '", Printable(text), "': write ", std::string(function), usage));
    if (quantile) arguments = Trim(arguments.substr(0, comma));
    if (info->takes_field != !arguments.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("aggregate '", Printable(text), "': ", std::string(function),
                                                     info->takes_field ? " needs a field" : " takes no field"));
    }
    if (has_filter) {
      if (absl::Status s = MakeFilter(Trim(rest.substr(5)), &out->filter, &out->filter_slots); !s.ok()) return s;
    }
    if (arguments.empty()) return absl::OkStatus();
    absl::StatusOr<int> slot = Slot(std::string(arguments), "aggregate");
    if (!slot.ok()) return slot.status();
    out->slot = *slot;
    out->field = plan_.fields[static_cast<size_t>(*slot)];
    return CheckKind(*out, function);
  }

  static std::string_view Trim(std::string_view s) {
    while (!s.empty() && IsBlank(s.front())) s.remove_prefix(1);
    while (!s.empty() && IsBlank(s.back())) s.remove_suffix(1);
    return s;
  }
  static bool ParseShare(std::string_view text, double* out) {
    return absl::SimpleAtod(absl::string_view(text.data(), text.size()), out) && *out >= 0 && *out <= 1;
  }

  absl::Status CheckKind(const PlannedAggregate& agg, std::string_view function) {
    const Kind kind = agg.field.kind();
    const bool number = kind == Kind::kInt32 || kind == Kind::kInt64;
    const bool extreme = agg.kind == AggKind::kMin || agg.kind == AggKind::kMax;
    const bool any = agg.kind == AggKind::kNUnique || agg.kind == AggKind::kFirst || agg.kind == AggKind::kLast ||
                     agg.kind == AggKind::kApproxNUnique;
    if (!any && !number && !(extreme && kind == Kind::kTime)) {
      return absl::InvalidArgumentError(absl::StrCat(std::string(function), " needs a ",
                                                     extreme ? "numeric or time" : "numeric", " field; ",
                                                     agg.field.name, " is ",
                                                     kind == Kind::kText   ? "text"
                                                     : kind == Kind::kTime ? "a time"
                                                                           : "an address"));
    }
    const bool rate = agg.kind == AggKind::kRate;
    if (rate || agg.kind == AggKind::kFirst || agg.kind == AggKind::kLast) plan_.start_slot = SlotOf(Field::kStart);
    if (rate) plan_.end_slot = SlotOf(Field::kEnd);
    return absl::OkStatus();
  }

  absl::Status MakeFilter(std::string_view text, std::optional<Filter>* out, std::vector<int>* slots) {
    FilterOptions options{.lenient = plan_.spec.lenient};
    if (plan_.spec.session_records) options.actions = SessionStates();
    absl::StatusOr<Filter> filter = Filter::Parse(text, extras_, options);
    if (!filter.ok()) return filter.status();
    for (const FieldRef& field : filter->fields()) slots->push_back(SlotOf(field));
    for (const std::string& warning : filter->warnings()) plan_.warnings.push_back(warning);
    *out = *std::move(filter);
    return absl::OkStatus();
  }

  absl::Status MakeOrder() {
    std::vector<std::string> columns, aggregates;
    if (plan_.spec.every > 0) columns.emplace_back("time");
    if (plan_.spec.sessions) {
      for (const TableColumn& column : SessionTable().columns) columns.push_back(column.name);
    }
    for (int slot : plan_.grouped ? plan_.key_slots : plan_.select_slots)
      columns.push_back(ColumnName(plan_.fields[static_cast<size_t>(slot)]));
    for (const PlannedAggregate& agg : plan_.aggs) aggregates.push_back(agg.name);
    for (const DerivedColumn& derived : plan_.spec.derived) {
      for (const std::string* part : {&derived.a, &derived.b}) {
        if (std::find(aggregates.begin(), aggregates.end(), *part) == aggregates.end())
          return NoSuch("derived column: of", *part, aggregates, "aggregate");
        if (absl::Status s = CheckNumber("derived column: of", *part); !s.ok()) return s;
      }
      const auto taken = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), derived.name) != names.end();
      };
      if (derived.name.empty() || taken(columns) || taken(aggregates))
        return absl::InvalidArgumentError(
            absl::StrCat("derived column '", Printable(derived.name), "': the name is taken or empty"));
      aggregates.push_back(derived.name);
    }
    for (const Having& having : plan_.spec.having) {
      if (std::find(aggregates.begin(), aggregates.end(), having.column) == aggregates.end())
        return NoSuch("having", having.column, aggregates, "aggregate");
      if (absl::Status s = CheckNumber("having", having.column); !s.ok()) return s;
    }
    if (plan_.spec.top) {
      for (const std::string& per : plan_.spec.top->per) {
        const auto same = [&](const std::string& c) { return CanonicalName(c) == CanonicalName(per); };
        if (std::none_of(columns.begin(), columns.end(), same)) return NoSuch("top_k: per", per, columns, "key");
      }
      const bool composed = !plan_.spec.derived.empty() || !plan_.spec.having.empty() || !plan_.spec.top->per.empty();
      if (plan_.spec.top->other && composed)
        return absl::InvalidArgumentError("top_k: other does not go together with per, having or derived columns");
    }
    if (plan_.counters() > 0) {
      const PlanSpec& spec = plan_.spec;
      const bool one =
          plan_.aggs.size() == 1 && (plan_.aggs[0].kind == AggKind::kCount || plan_.aggs[0].kind == AggKind::kSum);
      if (!one || spec.every > 0 || !spec.derived.empty() || !spec.having.empty() || spec.top->other)
        return absl::InvalidArgumentError(
            "top_k: counters go with one aggregate, count() or sum(field), and neither time bins, derived columns, "
            "having "
            "nor other");
      if (spec.top->counters < spec.top->n) return absl::InvalidArgumentError("top_k: counters: at least n");
      const std::string error = spec.top->by + "_error";
      if (std::find(columns.begin(), columns.end(), error) != columns.end())
        return absl::InvalidArgumentError(absl::StrCat("two columns would be named '", Printable(error), "'"));
      columns.push_back(error);
    }
    if (plan_.spec.top && std::find(aggregates.begin(), aggregates.end(), plan_.spec.top->by) == aggregates.end()) {
      return NoSuch("top_k: order by", plan_.spec.top->by, aggregates, "aggregate");
    }
    columns.insert(columns.end(), aggregates.begin(), aggregates.end());
    for (const SortKey& key : plan_.spec.sort) {
      const auto same = [&](const std::string& c) { return CanonicalName(c) == CanonicalName(key.column); };
      if (std::none_of(columns.begin(), columns.end(), same)) return NoSuch("sort", key.column, columns, "column");
    }
    return absl::OkStatus();
  }

  // An aggregate that can be compared or reckoned with: no address, no text.
  absl::Status CheckNumber(const char* where, const std::string& name) const {
    for (const PlannedAggregate& agg : plan_.aggs) {
      const bool picks = agg.kind == AggKind::kFirst || agg.kind == AggKind::kLast;
      const Kind kind = agg.field.kind();
      if (agg.name == name && picks && (kind == Kind::kText || kind == Kind::kAddress))
        return absl::InvalidArgumentError(
            absl::StrCat(where, ": '", Printable(name), "' is neither a number nor a time"));
    }
    return absl::OkStatus();
  }

  static absl::Status NoSuch(const char* where, const std::string& name, const std::vector<std::string>& names,
                             const char* what) {
    const std::string nearest = Nearest(name, names);
    return absl::InvalidArgumentError(absl::StrCat(where, ": no ", what, " '", Printable(name), "'; ",
                                                   nearest.empty()
                                                       ? absl::StrCat("there are ", absl::StrJoin(names, ", "))
                                                       : absl::StrCat("did you mean '", nearest, "'?")));
  }

  const std::vector<Format>& formats_;
  std::vector<std::string> extras_;
  std::map<std::string, std::shared_ptr<const LabelLookup>> lookups_;  // by the label's name
  PlanImpl plan_;
};

}  // namespace
}  // namespace internal

absl::StatusOr<Plan> Plan::Make(const PlanSpec& spec, const std::vector<Format>& formats) {
  absl::StatusOr<internal::PlanImpl> impl = internal::Maker(spec, formats).Run();
  if (!impl.ok()) return impl.status();
  Plan plan;
  plan.impl_ = std::make_shared<const internal::PlanImpl>(*std::move(impl));
  return plan;
}

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
      absl::StrAppend(&out, "derive    ", d.name, " = ", d.a, " ", std::string(1, d.op), " ", d.b, "\n");
    for (const Having& h : p.spec.having) absl::StrAppend(&out, "having    ", h.column, " ", h.op, " ", h.value, "\n");
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
  for (const internal::PlannedAggregate& agg : p.aggs) {
    switch (agg.kind) {
      case AggKind::kCount:
      case AggKind::kSum:
      case AggKind::kQuantile:
      case AggKind::kApproxQuantile:
      case AggKind::kApproxNUnique:
      case AggKind::kNUnique: out.emplace_back(agg.name, ColumnType::kInt64); break;
      case AggKind::kMean:
      case AggKind::kRate: out.emplace_back(agg.name, ColumnType::kFloat64); break;
      default: out.emplace_back(agg.name, internal::ColumnTypeOf(agg.field.kind()));
    }
  }
  for (const DerivedColumn& derived : p.spec.derived) out.emplace_back(derived.name, ColumnType::kFloat64);
  if (p.counters() > 0) out.emplace_back(p.spec.top->by + "_error", ColumnType::kInt64);
  if (p.spec.top && p.spec.top->other) out.emplace_back("other", ColumnType::kBool);
  return out;
}

VPCFLOW_NAMESPACE_END
