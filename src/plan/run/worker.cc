#include "src/plan/run/worker.h"

#include <algorithm>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

SlotMap::SlotMap(std::span<const Plan> plans) {
  const auto slot_of = [&](const FieldRef& field) {
    const auto found = std::find(fields.begin(), fields.end(), field);
    const auto slot = static_cast<int>(found - fields.begin());
    if (found == fields.end()) fields.push_back(field);
    return slot;
  };
  for (const Plan& plan : plans) {
    std::vector<int>& own = slots.emplace_back();
    for (const FieldRef& field : plan.impl().fields) own.push_back(slot_of(field));
    check_all |= plan.impl().spec.check_all;
  }
  if (check_all) {
    for (size_t i = 0; i < kFieldCount; ++i) slot_of({static_cast<Field>(i), std::string(kFields[i].name), nullptr});
  }
}

SessionState MakeSessionState(const PlanImpl& plan, const std::vector<int>& slots, bool filtered) {
  SessionColumns columns;
  for (size_t i = 0; i < kSessionFields.size(); ++i) {
    const auto at = std::find_if(plan.fields.begin(), plan.fields.end(),
                                 [&](const FieldRef& field) { return field.field == kSessionFields[i]; });
    columns[i] = static_cast<size_t>(slots[static_cast<size_t>(at - plan.fields.begin())]);
  }
  return {*plan.spec.sessions, columns, filtered};
}

namespace {

// The fields of sessions that the format of some rows has.
ShownFields::Bits NamedFields(const SessionColumns& columns, const Rows& rows) {
  ShownFields::Bits named = 0;
  for (size_t i = 0; i < columns.size(); ++i)
    named |= static_cast<ShownFields::Bits>(static_cast<unsigned>(rows.Has(columns[i])) << i);
  return named;
}

}  // namespace

void Worker::Bind(const PlanImpl& plan, const std::vector<int>& slots, State* state) const {
  if (!plan.filter) return;
  BoundFilter& bound = state->filters.emplace_back();
  bound.filter = &*plan.filter;
  for (const int slot : plan.filter_slots) bound.columns.push_back(slots[static_cast<size_t>(slot)]);
}

void Worker::Ask(const PlanSpec& spec) {
  if (!spec.asked) return;
  asked_ = spec.asked;
  const auto is_start = [](const FieldRef& field) { return field.field == Field::kStart; };
  start_slot_ =
      static_cast<size_t>(std::find_if(map_.fields.begin(), map_.fields.end(), is_start) - map_.fields.begin());
}

Worker::Worker(std::span<const Plan> plans, const SlotMap& map, const Plan* chosen, bool shared)
    : map_(map), seen_(map.fields.size(), 0) {
  for (size_t i = 0; i < plans.size(); ++i) {
    const PlanImpl& plan = plans[i].impl();
    State& state = states_.emplace_back();
    state.plan = &plan;
    state.slots = &map.slots[i];
    Bind(plan, map.slots[i], &state);
    if (chosen != nullptr) Bind(chosen->impl(), map.slots.back(), &state);
    const auto need = [&](int slot) {
      if (slot >= 0) state.needed.push_back(map.slots[i][static_cast<size_t>(slot)]);
    };
    std::for_each(plan.key_slots.begin(), plan.key_slots.end(), need);
    std::for_each(plan.select_slots.begin(), plan.select_slots.end(), need);
    for (const PlannedAggregate& agg : plan.aggs) {
      need(agg.slot);
      std::for_each(agg.filter_slots.begin(), agg.filter_slots.end(), need);
    }
    need(plan.start_slot);
    need(plan.end_slot);
    traffic_only_ &= !plan.all_records;
    Ask(plan.spec);
    if (plan.spec.sessions) {
      state.needed = map.slots[i];
      state.sessions = std::make_unique<SessionState>(MakeSessionState(plan, map.slots[i], !state.filters.empty()));
      continue;
    }
    if (!plan.grouped) {
      state.rows = std::make_unique<RowState>(plan, map.slots[i]);
      continue;
    }
    const auto same =
        std::find_if(groups_.begin(), groups_.end(), [&](const auto& g) { return shared && g->Shares(plan); });
    state.group = static_cast<size_t>(same - groups_.begin());
    if (same != groups_.end()) {
      state.member = (*same)->Join(plan, map.slots[i]);
    } else {
      groups_.push_back(std::make_unique<GroupState>(plan, map.slots[i]));
    }
  }
  if (chosen != nullptr) Ask(chosen->impl().spec);
  gathered_.columns.resize(map.fields.size());
}

bool Worker::satisfied() const {
  const State& only = states_[0];
  return states_.size() == 1 && only.rows != nullptr && only.plan->spec.limit &&
         only.rows->rows() >= *only.plan->spec.limit;
}

size_t Worker::bytes() const {
  size_t bytes = 0;
  for (const auto& group : groups_) bytes += group->bytes();
  for (const State& state : states_) {
    bytes += state.rows == nullptr ? 0 : state.rows->bytes();
    bytes += state.sessions == nullptr ? 0 : state.sessions->bytes();
  }
  return bytes;
}

void Worker::LoadAll(Rows* rows) {
  to_load_.clear();
  for (size_t slot = 0; slot < map_.fields.size(); ++slot) {
    const bool needed = std::any_of(states_.begin(), states_.end(), [&](const State& s) {
      return std::find(s.slots->begin(), s.slots->end(), static_cast<int>(slot)) != s.slots->end();
    });
    if (needed || rows->Has(slot)) to_load_.push_back(slot);
  }
  rows->Load(to_load_);
  rows->DropBad();
}

void Worker::CountAsked(Rows* rows) {
  if (!asked_) return;
  rows->Load({&start_slot_, 1});
  rows->DropBad();
  const Batch& batch = rows->batch();
  const int64_t from = asked_->start.value_or(std::numeric_limits<int64_t>::min());
  const int64_t until = asked_->end.value_or(std::numeric_limits<int64_t>::max());
  for (size_t i = 0; i < batch.rows; ++i) {
    const int64_t start = batch.columns[start_slot_].ints[i];
    if (start == kNullInt) continue;
    in_time_ += start >= from && start < until;
    first_start_ = std::min(first_start_, start);
    last_start_ = std::max(last_start_, start);
  }
}

void Worker::Count(size_t plan, Report* report) const {
  const State& own = states_[plan];
  // Plans that share their groups have one filter, and the first of them takes the records.
  const auto first = std::find_if(states_.begin(), states_.end(), [&](const State& s) {
    return &s == &own || (own.groups() && s.groups() && s.group == own.group);
  });
  report->matched = first->matched;
  report->asked = asked_;
  report->in_time = in_time_;
  if (first_start_ > last_start_) return;
  report->first_start = first_start_;
  report->last_start = last_start_;
}

bool Worker::Select(const State& state, const Rows& rows) {
  const size_t n = rows.batch().rows;
  if (traffic_only_ && state.filters.empty()) return true;
  keep_.assign(n, 1);
  if (!traffic_only_ && !state.plan->all_records) {
    for (size_t i = 0; i < n; ++i) keep_[i] = IsTraffic(rows.status()[i]);
  }
  for (const BoundFilter& bound : state.filters) {
    passes_.resize(n);
    bound.filter->Evaluate(rows.batch(), bound.columns, passes_);
    for (size_t i = 0; i < n; ++i) keep_[i] &= passes_[i] == Tri::kTrue;
  }
  return std::find(keep_.begin(), keep_.end(), uint8_t{0}) == keep_.end();
}

void Worker::Process(Rows* rows) {
  any_ = true;
  for (size_t slot = 0; slot < seen_.size(); ++slot) seen_[slot] |= static_cast<uint8_t>(rows->Has(slot));
  if (states_.size() == 1) {
    ProcessOne(rows);
  } else {
    ProcessSeveral(rows);
  }
}

void Worker::DropNoTraffic(Rows* rows) {
  if (!traffic_only_ || rows->traffic_only()) return;
  keep_.resize(rows->batch().rows);
  for (size_t i = 0; i < keep_.size(); ++i) keep_[i] = IsTraffic(rows->status()[i]);
  rows->Keep(keep_);
}

// One plan: rows are dropped as early as possible, and only those that remain are parsed further.
void Worker::ProcessOne(Rows* rows) {
  State& state = states_[0];
  if (map_.check_all) LoadAll(rows);
  CountAsked(rows);
  DropNoTraffic(rows);
  if (!state.filters.empty()) {
    to_load_.clear();
    for (const BoundFilter& bound : state.filters)
      to_load_.insert(to_load_.end(), bound.columns.begin(), bound.columns.end());
    rows->Load(to_load_);
    rows->DropBad();
    if (!Select(state, *rows)) rows->Keep(keep_);
  }
  to_load_.clear();
  for (int slot : *state.slots) {
    // A selection keeps nothing of fields that the source lacks.
    if (state.rows == nullptr || rows->Has(static_cast<size_t>(slot))) to_load_.push_back(static_cast<size_t>(slot));
  }
  rows->Load(to_load_);
  rows->DropBad();
  Consume(&state, rows->batch(), *rows);
}

// Several plans: every column is parsed first, so that a reject is a reject for all of them.
void Worker::ProcessSeveral(Rows* rows) {
  if (map_.check_all) LoadAll(rows);
  CountAsked(rows);
  DropNoTraffic(rows);
  LoadAll(rows);
  for (State& state : states_) {
    if (state.groups() && state.member > 0) continue;  // done with the first that shares its groups
    const bool all = Select(state, *rows);
    Consume(&state, all ? rows->batch() : Gather(state, rows->batch()), *rows);
  }
}

void Worker::Consume(State* state, const Batch& batch, const Rows& rows) {
  state->matched += batch.rows;
  if (state->sessions != nullptr) {
    if (batch.rows > 0) state->sessions->Consume(batch, NamedFields(state->sessions->columns(), rows));
  } else if (state->rows == nullptr) {
    std::unique_ptr<GroupState>& groups = groups_[state->group];
    groups->Consume(batch);
    if (groups->NeedsPruning()) groups = groups->Pruned();
  } else if (batch.rows > 0) {
    state->rows->Consume(batch, [&](size_t slot) { return rows.Has(slot); });
    if (state->plan->spec.located) state->rows->NotePlaces(batch, rows.name(), rows.placed());
  }
}

// The wanted rows of the plan's columns.
const Batch& Worker::Gather(const State& state, const Batch& batch) {
  kept_.resize(keep_.size());
  size_t n = 0;
  for (uint32_t i = 0; i < keep_.size(); ++i) {
    kept_[n] = i;
    n += keep_[i] != 0;
  }
  kept_.resize(n);
  const auto gather = [&](const auto& from, auto* to) {
    to->resize(n);
    for (size_t i = 0; i < n; ++i) (*to)[i] = from[kept_[i]];
  };
  gather(batch.offsets, &gathered_.offsets);
  gathered_.rows = n;
  gathered_.source = batch.source;
  gathered_.v6.clear();
  for (size_t slot = 0; slot < batch.columns.size(); ++slot) {
    gathered_.columns[slot].kind = batch.columns[slot].kind;
    gathered_.columns[slot].dictionary = batch.columns[slot].dictionary;
  }
  const auto gather_slots = [&](const std::vector<int>& slots) {
    for (int index : slots) {
      const Column& from = batch.columns[static_cast<size_t>(index)];
      Column& to = gathered_.columns[static_cast<size_t>(index)];
      if (from.kind == Kind::kAddress) {
        if (gathered_.v6.empty()) gathered_.v6 = batch.v6;
        gather(from.addresses, &to.addresses);
      } else if (from.kind == Kind::kText) {
        gather(from.texts, &to.texts);
      } else {
        gather(from.ints, &to.ints);
      }
    }
  };
  for (const State& other : states_) {
    if (&other == &state || (state.groups() && other.groups() && other.group == state.group))
      gather_slots(other.needed);
  }
  return gathered_;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
