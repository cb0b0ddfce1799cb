// The binder of plans: checks a specification, and looks up what it names.
#include "vpcflow/plan/plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/expr/expr.h"
#include "src/expr/short_names.h"
#include "src/filter/binder.h"
#include "src/keys/column_builder.h"
#include "src/plan/bind/plan_impl.h"
#include "src/scan/rows.h"
#include "src/session/state.h"
#include "vpcflow/error/error.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

std::string ColumnName(const FieldRef& field) {
  std::string name = field.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

ColumnType TypeOf(const PlannedAggregate& agg) {
  switch (agg.kind) {
    case AggKind::kCount:
    case AggKind::kSum:
    case AggKind::kQuantile:
    case AggKind::kApproxQuantile:
    case AggKind::kApproxNUnique:
    case AggKind::kNUnique: return ColumnType::kInt64;
    case AggKind::kMean:
    case AggKind::kRate: return ColumnType::kFloat64;
    default: return ColumnTypeOf(agg.field.kind());
  }
}

namespace {

constexpr size_t kMaxKeys = 64;
constexpr int64_t kMaxWindowBins = 10'000;  // each bin is in as many windows

struct AggInfo {
  AggKind kind;
  std::string_view name;
  bool takes_field;
};
constexpr ExprUse kAggregateUse{"aggregate", ErrorKind::kPlan, "an aggregate such as sum(bytes)"};
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
    if (status.ok()) status = MakeFilter();
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
    const std::optional<FieldRef> ref = FieldNamed(name);
    if (!ref) return MakeError(ErrorKind::kField, absl::StrCat(where, ": ", UnknownField(name)), PlaceOf(name));
    return SlotOf(*ref);
  }

  // Returns a field of the catalogue, of the formats, or of labels.
  std::optional<FieldRef> FieldNamed(const std::string& name) const {
    if (const std::optional<Field> known = FindQueryField(name, extras_))
      return FieldRef{*known, std::string(Info(*known).name), nullptr};
    const std::string canonical = CanonicalName(name);
    if (std::find(extras_.begin(), extras_.end(), canonical) == extras_.end()) return std::nullopt;
    return FieldRef{Field::kUnknown, canonical, nullptr};
  }
  ErrorPlace PlaceOf(const std::string& unknown) const {
    std::vector<std::string> names(extras_);
    for (const FieldInfo& info : kFields) names.emplace_back(info.name);
    return {.field = unknown, .suggestion = Nearest(unknown, names)};
  }
  std::string UnknownField(const std::string& name) const {
    const std::string nearest = PlaceOf(name).suggestion;
    return absl::StrCat("unknown field '", Printable(name), "'",
                        nearest.empty() ? std::string("; `vpcflow fields` lists them")
                                        : absl::StrCat("; did you mean '", nearest, "'?"));
  }

  // Makes a column of labels known by its name.
  absl::Status AddLabels(const LabelColumn& column) {
    const std::string name = CanonicalName(column.name);
    if (name.empty() || FindField(name) || lookups_.contains(name))
      return MakeError(ErrorKind::kPlan, absl::StrCat("label '", Printable(column.name),
                                                      "': the name is empty, or a field's or another label's"));
    if (column.record != nullptr) {
      auto lookup = std::make_shared<LabelLookup>();
      for (const Field field : column.record->fields())
        lookup->of.push_back({field, std::string(Info(field).name), nullptr});
      lookup->record = column.record;
      lookups_[name] = std::move(lookup);
      extras_.push_back(name);
      return absl::OkStatus();
    }
    if (column.labels == nullptr || !column.labels->frozen())
      return MakeError(ErrorKind::kPlan, absl::StrCat("label '", Printable(column.name), "': its table is not frozen"));
    const std::optional<Field> field = FindField(column.field);
    if (!field)
      return MakeError(
          ErrorKind::kField,
          absl::StrCat("label '", Printable(column.name), "': unknown field '", Printable(column.field), "'"),
          {.field = column.field, .suggestion = NearestField(column.field)});
    lookups_[name] = std::make_shared<const LabelLookup>(
        LabelLookup{{{*field, std::string(Info(*field).name), nullptr}}, column.labels, nullptr});
    extras_.push_back(name);
    return absl::OkStatus();
  }

  int SlotOf(FieldRef ref) {
    if (const auto lookup = lookups_.find(ref.name); ref.field == Field::kUnknown && lookup != lookups_.end()) {
      ref.lookup = lookup->second;
      for (const FieldRef& of : lookup->second->of) SlotOf(of);
      if (lookup->second->labels != nullptr && lookup->second->labels->timed()) SlotOf(Field::kStart);
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
      return MakeError(ErrorKind::kPlan,
                       "a plan makes sessions, or groups, or selects rows; the columns of sessions are fixed");
    if (spec.sessions->idle < 1) return MakeError(ErrorKind::kPlan, "sessions: idle is at least 1 s");
    for (const std::string& prefix : spec.sessions->fold_not) {
      Cidr cidr;
      if (!ParseCidr(prefix, &cidr))
        return MakeError(ErrorKind::kPlan, absl::StrCat("sessions: fold_not: '", prefix, "' is no prefix"));
    }
    for (const Field field : kSessionFields) SlotOf(field);
    plan_.required = kNeededSessionFields;
    return absl::OkStatus();
  }

  absl::Status MakeSelection() {
    const PlanSpec& spec = plan_.spec;
    if (spec.top) return MakeError(ErrorKind::kPlan, "top_k needs a grouping: give keys or aggregates");
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
        return MakeError(ErrorKind::kPlan, absl::StrCat("located: the logs have a field '", name,
                                                        "'; select others to have the places of records"));
    }
    return absl::OkStatus();
  }

  absl::Status MakeGrouping() {
    PlanSpec& spec = plan_.spec;
    if (!spec.select.empty() || spec.limit || spec.located)
      return MakeError(ErrorKind::kPlan, "a plan selects rows or groups them, not both");
    if (spec.by.size() > kMaxKeys) return MakeError(ErrorKind::kPlan, absl::StrCat("at most ", kMaxKeys, " keys"));
    if (spec.every < 0) return MakeError(ErrorKind::kPlan, "every: a time bin is longer than 0 s");
    for (const int64_t length : {spec.window, spec.gap}) {
      if (length < 0 || (length > 0 && (spec.every <= 0 || length % spec.every != 0)))
        return MakeError(ErrorKind::kPlan, "window and gap: a multiple of every");
    }
    if (spec.window > 0 && spec.gap > 0) return MakeError(ErrorKind::kPlan, "window and gap: one of them");
    if (spec.window / std::max<int64_t>(spec.every, 1) > kMaxWindowBins)
      return MakeError(ErrorKind::kPlan, absl::StrCat("window: at most ", kMaxWindowBins, " times every"));
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
    std::vector<std::string> usable(extras_);
    for (const auto& [name, text] : spec.aggs) {
      if (name.find('(') == std::string::npos) usable.push_back(name);  // "sum(bytes)" is a call here
    }
    for (const auto& [name, text] : spec.aggs) {
      if (absl::Status s = MakeAggregate(name, text, usable); !s.ok()) return s;
    }
    // What is computed of other columns stands behind them.
    std::erase_if(spec.aggs, [&](const auto& agg) {
      return std::any_of(derived_.begin(), derived_.end(), [&](const DerivedColumn& d) { return d.name == agg.first; });
    });
    spec.derived.insert(spec.derived.begin(), derived_.begin(), derived_.end());
    for (const PlannedAggregate& agg : plan_.aggs) names.push_back(agg.name);
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) return MakeError(ErrorKind::kPlan, "an aggregate needs a name");
      if (std::find(names.begin(), names.begin() + static_cast<ptrdiff_t>(i), names[i]) !=
          names.begin() + static_cast<ptrdiff_t>(i)) {
        return MakeError(ErrorKind::kPlan, absl::StrCat("two columns would be named '", Printable(names[i]),
                                                        "'; name the aggregate differently"));
      }
    }
    if (spec.every > 0 && spec.bin_by == BinBy::kSpread) plan_.end_slot = SlotOf(Field::kEnd);
    return absl::OkStatus();
  }

  // "sum(bytes)", "quantile(bytes, 0.95)", "count() where action = 'REJECT'"; or what makes a derived column, as
  // "bytes / n".
  absl::Status MakeAggregate(const std::string& name, const std::string& text, const std::vector<std::string>& names) {
    ExprUse use = kAggregateUse, where = kFilterUse;
    use.names = where.names = names;
    absl::StatusOr<ComputedExpr> parsed = ParseComputed(text, use, where);
    if (!parsed.ok()) return parsed.status();
    const Expr& value = *parsed->value;
    if (IsDerived(value)) {
      if (parsed->where)
        return ErrorAt(use, text, parsed->where->begin, "a derived column has no filter; its aggregates may have one");
      derived_.push_back({name, text});
      return absl::OkStatus();
    }
    PlannedAggregate agg;
    agg.name = name;
    const auto fail = [&](size_t at, std::string_view message) { return ErrorAt(use, text, at, message); };
    const auto info =
        std::find_if(std::begin(kAggs), std::end(kAggs), [&](const AggInfo& a) { return a.name == value.text; });
    if (info == std::end(kAggs)) return UnknownAggregate(use, text, value);
    agg.kind = info->kind;
    const bool quantile = agg.kind == AggKind::kQuantile || agg.kind == AggKind::kApproxQuantile;
    const char* const usage = quantile ? "(field, share between 0 and 1)" : info->takes_field ? "(field)" : "()";
    const size_t arguments = value.children.size();
    if (value.op == Expr::Op::kCall && info->takes_field != (arguments > 0))
      return fail(value.begin, absl::StrCat(value.text, info->takes_field ? " needs a field" : " takes no field"));
    if (value.op != Expr::Op::kCall ||
        arguments != (quantile            ? 2u
                      : info->takes_field ? 1u
                                          : 0u) ||
        (quantile && !ParseShare(*value.children[1], &agg.q)))
      return fail(value.begin, absl::StrCat("write ", value.text, usage, ", and where FILTER behind it if need be"));
    if (parsed->where) {
      absl::StatusOr<Filter> filter = Binder::Bind(text, *parsed->where, extras_, OptionsOfFilters());
      if (absl::Status s = UseFilter(std::move(filter), &agg.filter, &agg.filter_slots); !s.ok()) return s;
    }
    if (info->takes_field) {
      const Expr& argument = *value.children[0];
      if (argument.op != Expr::Op::kName)
        return fail(argument.begin, absl::StrCat(value.text, " takes the name of a field"));
      const std::optional<FieldRef> field = FieldNamed(argument.text);
      if (!field)
        return ErrorAt(use, ErrorKind::kField, text, argument.begin, UnknownField(argument.text),
                       PlaceOf(argument.text));
      agg.slot = SlotOf(*field);
      agg.field = plan_.fields[static_cast<size_t>(agg.slot)];
      const std::string problem = ProblemOf(agg, value.text);
      if (!problem.empty()) return fail(argument.begin, problem);
    }
    plan_.aggs.push_back(std::move(agg));
    return absl::OkStatus();
  }

  // Arithmetic, or ratio(a, b) or difference(a, b).
  static bool IsDerived(const Expr& value) {
    switch (value.op) {
      case Expr::Op::kName:
      case Expr::Op::kWord:
      case Expr::Op::kText:
      case Expr::Op::kNull: return false;
      case Expr::Op::kCall: return value.text == "ratio" || value.text == "difference";
      default: return true;
    }
  }

  static absl::Status UnknownAggregate(const ExprUse& use, const std::string& text, const Expr& value) {
    std::vector<std::string> names;
    for (const AggInfo& a : kAggs) names.emplace_back(a.name);
    const std::string nearest = Nearest(value.text, names);
    return ErrorAt(use, text, value.begin,
                   absl::StrCat("unknown aggregate '", Printable(value.text), "'; ",
                                nearest.empty() ? absl::StrCat("there are ", absl::StrJoin(names, ", "))
                                                : absl::StrCat("did you mean '", nearest, "'?")),
                   {.suggestion = nearest});
  }

  static bool ParseShare(const Expr& literal, double* out) {
    return literal.op == Expr::Op::kWord && absl::SimpleAtod(literal.text, out) && *out >= 0 && *out <= 1;
  }

  // Says why a field cannot be aggregated so; empty if it can. Takes the fields that such an aggregate needs besides.
  std::string ProblemOf(const PlannedAggregate& agg, const std::string& function) {
    const Kind kind = agg.field.kind();
    const bool number = kind == Kind::kInt32 || kind == Kind::kInt64;
    const bool extreme = agg.kind == AggKind::kMin || agg.kind == AggKind::kMax;
    const bool any = agg.kind == AggKind::kNUnique || agg.kind == AggKind::kFirst || agg.kind == AggKind::kLast ||
                     agg.kind == AggKind::kApproxNUnique;
    if (!any && !number && !(extreme && kind == Kind::kTime)) {
      return absl::StrCat(function, " needs a ", extreme ? "numeric or time" : "numeric", " field; ", agg.field.name,
                          " is ",
                          kind == Kind::kText   ? "text"
                          : kind == Kind::kTime ? "a time"
                                                : "an address");
    }
    const bool rate = agg.kind == AggKind::kRate;
    if (rate || agg.kind == AggKind::kFirst || agg.kind == AggKind::kLast) plan_.start_slot = SlotOf(Field::kStart);
    if (rate) plan_.end_slot = SlotOf(Field::kEnd);
    return "";
  }

  FilterOptions OptionsOfFilters() const {
    FilterOptions options{.lenient = plan_.spec.lenient};
    if (plan_.spec.session_records) options.actions = SessionStates();
    return options;
  }

  // Makes one filter of all; of several, each is checked alone first, so that no text reaches into another.
  absl::Status MakeFilter() {
    PlanSpec& spec = plan_.spec;
    if (!spec.where.empty()) spec.filters.insert(spec.filters.begin(), spec.where);
    if (spec.filters.empty()) return absl::OkStatus();
    const bool several = spec.filters.size() > 1;
    for (size_t i = 0; several && i < spec.filters.size(); ++i) {
      if (auto alone = Filter::Parse(spec.filters[i], extras_, OptionsOfFilters()); !alone.ok()) return alone.status();
    }
    spec.where =
        several ? absl::StrCat("(", absl::StrJoin(spec.filters, ") and ("), ")") : std::move(spec.filters.front());
    spec.filters.clear();
    return UseFilter(Filter::Parse(spec.where, extras_, OptionsOfFilters()), &plan_.filter, &plan_.filter_slots);
  }

  absl::Status UseFilter(absl::StatusOr<Filter> filter, std::optional<Filter>* out, std::vector<int>* slots) {
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
    if (absl::Status s = MakeComposition(columns, &aggregates); !s.ok()) return s;
    if (plan_.spec.top) {
      for (const std::string& per : plan_.spec.top->per) {
        const auto same = [&](const std::string& c) { return CanonicalName(c) == CanonicalName(per); };
        if (std::none_of(columns.begin(), columns.end(), same)) return NoSuch("top_k: per", per, columns, "key");
      }
      const bool composed = !plan_.spec.derived.empty() || !plan_.spec.having.empty() || !plan_.spec.top->per.empty();
      if (plan_.spec.top->other && composed)
        return MakeError(ErrorKind::kPlan, "top_k: other does not go together with per, having or derived columns");
    }
    if (plan_.counters() > 0) {
      const PlanSpec& spec = plan_.spec;
      const bool one =
          plan_.aggs.size() == 1 && (plan_.aggs[0].kind == AggKind::kCount || plan_.aggs[0].kind == AggKind::kSum);
      if (!one || spec.every > 0 || !spec.derived.empty() || !spec.having.empty() || spec.top->other)
        return MakeError(
            ErrorKind::kPlan,
            "top_k: counters go with one aggregate, count() or sum(field), and neither time bins, derived columns, "
            "having "
            "nor other");
      if (spec.top->counters < spec.top->n) return MakeError(ErrorKind::kPlan, "top_k: counters: at least n");
      const std::string error = spec.top->by + "_error";
      if (std::find(columns.begin(), columns.end(), error) != columns.end())
        return MakeError(ErrorKind::kPlan, absl::StrCat("two columns would be named '", Printable(error), "'"));
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

  // Derived columns, whose names are added to those of aggregates, and the conditions on groups.
  absl::Status MakeComposition(const std::vector<std::string>& keys, std::vector<std::string>* aggregates) {
    std::vector<TypedColumn> columns;
    for (const PlannedAggregate& agg : plan_.aggs) columns.push_back({agg.name, TypeOf(agg), agg.field.field});
    const auto taken = [](const std::string& name, const std::vector<std::string>& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    for (const DerivedColumn& derived : plan_.spec.derived) {
      if (derived.name.empty() || taken(derived.name, keys) || taken(derived.name, *aggregates))
        return MakeError(ErrorKind::kPlan,
                         absl::StrCat("derived column '", Printable(derived.name), "': the name is taken or empty"));
      absl::StatusOr<ColumnExpression> expression = ColumnExpression::Number(derived.expression, columns, "aggregate");
      if (!expression.ok()) return expression.status();
      plan_.derived.push_back(*std::move(expression));
      columns.push_back({derived.name, ColumnType::kFloat64, Field::kUnknown});
      aggregates->push_back(derived.name);
    }
    if (plan_.spec.every > 0) columns.push_back({"time", ColumnType::kTime, Field::kStart});
    for (const int slot : plan_.key_slots) {
      const FieldRef& field = plan_.fields[static_cast<size_t>(slot)];
      columns.push_back({ColumnName(field), ColumnTypeOf(field.kind()), field.field});
    }
    for (const std::string& condition : plan_.spec.having) {
      absl::StatusOr<ColumnExpression> expression =
          ColumnExpression::Condition(condition, columns, OptionsOfFilters(), "aggregate");
      if (!expression.ok()) return expression.status();
      plan_.having.push_back(*std::move(expression));
    }
    return absl::OkStatus();
  }

  static absl::Status NoSuch(const char* where, const std::string& name, const std::vector<std::string>& names,
                             const char* what) {
    const std::string nearest = Nearest(name, names);
    return MakeError(ErrorKind::kPlan,
                     absl::StrCat(where, ": no ", what, " '", Printable(name), "'; ",
                                  nearest.empty() ? absl::StrCat("there are ", absl::StrJoin(names, ", "))
                                                  : absl::StrCat("did you mean '", nearest, "'?")),
                     {.suggestion = nearest});
  }

  const std::vector<Format>& formats_;
  std::vector<std::string> extras_;                                    // canonical names of fields beyond the catalogue
  std::vector<DerivedColumn> derived_;                                 // found among the aggregates
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

VPCFLOW_NAMESPACE_END
