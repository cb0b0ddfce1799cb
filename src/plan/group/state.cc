#include "src/plan/group/state.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kLeastPruned = 4096;  // fewer groups are not worth a pass

}  // namespace

GroupState::GroupState(const PlanImpl& plan, const std::vector<int>& slots, int64_t seconds)
    : plan_(plan),
      seconds_(seconds),
      slots_(slots),
      layout_(plan, slots),
      table_(layout_.words(), layout_.last_bits(), static_cast<uint64_t>(plan.spec.every)),
      bin_shares_(plan.spec.every),
      most_groups_(plan.counters() > 0 ? kLeastPruned : std::numeric_limits<size_t>::max()),
      bounds_(plan, layout_) {
  Join(plan, slots);
}

bool GroupState::Shares(const PlanImpl& plan) const {
  const auto keys_of = [](const PlanImpl& p) {
    std::vector<FieldRef> keys;
    for (int slot : p.key_slots) keys.push_back(p.fields[static_cast<size_t>(slot)]);
    return keys;
  };
  return plan.grouped && plan.counters() + plan_.counters() == 0 && plan.spec.where == plan_.spec.where &&
         plan.spec.every == plan_.spec.every && plan.spec.bin_by == plan_.spec.bin_by &&
         plan.all_records == plan_.all_records && keys_of(plan) == keys_of(plan_);
}

size_t GroupState::Join(const PlanImpl& plan, const std::vector<int>& slots) {
  Member& member = members_.emplace_back(Member{&plan, &slots, {}});
  for (const PlannedAggregate& agg : plan.aggs) {
    const int slot = agg.slot < 0 ? -1 : slots[static_cast<size_t>(agg.slot)];
    member.accumulators.push_back(MakeAccumulators(agg, slot, seconds_));
  }
  return members_.size() - 1;
}

size_t GroupState::bytes() const {
  size_t bytes = table_.bytes() + encoder_.interner().bytes() + bounds_.bytes();
  for (const Member& member : members_) {
    for (const auto& accumulator : member.accumulators) bytes += accumulator->bytes();
  }
  return bytes;
}

void GroupState::Consume(const Batch& batch) {
  if (batch.rows == 0) return;
  layout_.MakeKeys(batch, &encoder_, &keys_);
  group_.resize(batch.rows);
  table_.FindAll(keys_.data(), batch.rows, group_.data());
  if (plan_.spec.every > 0 && plan_.spec.bin_by == BinBy::kSpread) {
    const Member& first = members_[0];
    bin_shares_.Cut(first.column(batch, plan_.start_slot)->ints, first.column(batch, plan_.end_slot)->ints, keys_,
                    layout_.words(), &table_);
  } else {
    bin_shares_.Clear(batch.rows);
  }
  for (Member& member : members_) {
    const PlanImpl& plan = *member.plan;
    const GroupedRows rows{batch,
                           group_,
                           bin_shares_.spread(),
                           bin_shares_.shares(),
                           member.column(batch, plan.start_slot),
                           member.column(batch, plan.end_slot)};
    filtered_.Begin();
    for (size_t a = 0; a < member.accumulators.size(); ++a) {
      const PlannedAggregate& agg = plan.aggs[a];
      Accumulators& accumulator = *member.accumulators[a];
      accumulator.Grow(table_.size());
      const bool whole = !agg.filter || filtered_.Select(plan, *member.slots, agg, rows);
      if (!whole && filtered_.empty()) continue;
      if (accumulator.needs_codes()) {
        const int slot = (*member.slots)[static_cast<size_t>(agg.slot)];
        encoder_.Encode(whole ? batch : filtered_.batch(), static_cast<size_t>(slot), &codes_);
      }
      accumulator.Update(whole ? rows : filtered_.Grouped(plan, *member.slots), codes_);
    }
  }
}

void GroupState::MergeFinal(const GroupState& other, size_t threads) {
  for (const Member& member : members_) {  // these put groups together once more to finish
    const PlanSpec& spec = member.plan->spec;
    if (spec.window > 0 || spec.gap > 0 || (spec.top && spec.top->other)) threads = 0;
  }
  const CodeMap codes(other.interner(), &encoder_.interner());
  MergeGroups(other, codes, {}, threads);
  bin_shares_.AddUnspread(other.unspread());
}

void GroupState::MergeGroups(const GroupState& other, const CodeMap& codes, std::span<const uint8_t> keep,
                             size_t last_threads) {
  const size_t words = layout_.words();
  std::vector<uint32_t> group(other.table_.size(), kNoGroup), some, found;
  for (uint32_t g = 0; g < group.size(); ++g) {
    if (keep.empty() || keep[g] != 0) some.push_back(g);
  }
  constexpr size_t kAtOnce = 512;
  std::vector<uint64_t> keys;
  for (size_t first = 0; first < some.size(); first += kAtOnce) {
    const size_t n = std::min(kAtOnce, some.size() - first);
    keys.assign(n * words, 0);
    for (size_t i = 0; i < n; ++i) layout_.Translate(other.table_.key(some[first + i]), codes, keys.data() + i * words);
    found.resize(n);
    table_.FindAll(keys.data(), n, found.data());
    for (size_t i = 0; i < n; ++i) group[some[first + i]] = found[i];
  }
  for (size_t m = 0; m < members_.size(); ++m) {
    for (size_t a = 0; a < members_[m].accumulators.size(); ++a) {
      Accumulators& own = *members_[m].accumulators[a];
      own.Grow(table_.size());
      if (last_threads > 0) {
        own.MergeFinal(*other.members_[m].accumulators[a], group, codes, last_threads);
      } else {
        own.Merge(*other.members_[m].accumulators[a], group, codes);
      }
    }
  }
  bounds_.Merge(other.bounds_, codes);
}

std::vector<uint32_t> GroupState::TopGroups(const Member& member) const {
  const std::vector<PlannedAggregate>& aggs = member.plan->aggs;
  const TopSpec& top = *member.plan->spec.top;
  const auto by = std::find_if(aggs.begin(), aggs.end(), [&](const PlannedAggregate& a) { return a.name == top.by; });
  const Accumulators& values = *member.accumulators[static_cast<size_t>(by - aggs.begin())];
  std::vector<uint32_t> groups(table_.size());
  std::iota(groups.begin(), groups.end(), 0u);
  const size_t n = std::min<size_t>(top.n, groups.size());
  std::partial_sort(groups.begin(), groups.begin() + static_cast<ptrdiff_t>(n), groups.end(),
                    [&](uint32_t a, uint32_t b) {
                      const int order = values.Compare(a, b);
                      return order != 0 ? order > 0 : layout_.Compare(table_.key(a), table_.key(b), interner()) < 0;
                    });
  groups.resize(n);
  return groups;
}

std::vector<uint32_t> GroupState::TopGroupsPer(const Member& member, const Accumulators& values) const {
  const PlanSpec& spec = member.plan->spec;
  const size_t words = layout_.words(), most = spec.top->n;
  std::vector<uint64_t> mask(words, 0);  // of the keys that it is made per
  for (size_t p = 0; p < layout_.places().size(); ++p) {
    const KeyLayout::Place& place = layout_.places()[p];
    const auto is_it = [&](const std::string& name) { return CanonicalName(name) == CanonicalName(KeyName(spec, p)); };
    if (std::any_of(spec.top->per.begin(), spec.top->per.end(), is_it)) mask[place.word] |= place.mask << place.shift;
  }
  GroupTable parts(words, layout_.last_bits());
  std::vector<uint32_t> part(table_.size());
  constexpr size_t kAtOnce = 512;
  std::vector<uint64_t> keys;
  for (size_t first = 0; first < part.size(); first += kAtOnce) {
    const size_t n = std::min(kAtOnce, part.size() - first);
    keys.assign(table_.key(static_cast<uint32_t>(first)), table_.key(static_cast<uint32_t>(first)) + n * words);
    for (size_t w = 0; w < keys.size(); ++w) keys[w] &= mask[w % words];
    parts.FindAll(keys.data(), n, part.data() + first);
  }
  std::vector<std::vector<uint32_t>> members(parts.size());
  for (uint32_t g = 0; g < part.size(); ++g) members[part[g]].push_back(g);
  const auto larger = [&](uint32_t a, uint32_t b) { return values.Compare(a, b) > 0; };
  std::vector<uint32_t> out;
  for (std::vector<uint32_t>& own : members) {
    if (own.size() > most && most > 0) {
      const auto last = own.begin() + static_cast<ptrdiff_t>(most) - 1;
      std::nth_element(own.begin(), last, own.end(), larger);
      const uint32_t least = *last;
      own.erase(std::partition(last + 1, own.end(), [&](uint32_t g) { return !larger(least, g); }), own.end());
    }
    out.insert(out.end(), own.begin(), own.end());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// One more row: the aggregates over all groups that are not among the top.
void GroupState::EmitOther(const Member& member, const std::vector<uint32_t>& top, Table* table) const {
  TableColumn marks;
  marks.name = "other";
  marks.type = ColumnType::kBool;
  marks.i32.assign(table->rows, 0);
  if (top.size() < table_.size()) {
    // Merged into a new state: the top as groups 1 to n, all others as group 0.
    std::vector<uint32_t> group(table_.size(), 0);
    for (size_t i = 0; i < top.size(); ++i) group[top[i]] = static_cast<uint32_t>(i + 1);
    std::vector<uint32_t> order(top.size());
    std::iota(order.begin(), order.end(), 1u);
    order.push_back(0);
    Interner own;
    const CodeMap codes(interner(), &own);
    const GroupState merged(*member.plan, *member.slots);
    for (size_t c = 0; c < layout_.places().size(); ++c) {
      TableColumn& column = table->columns[c];
      if (column.type == ColumnType::kInt64 || column.type == ColumnType::kTime) {
        column.i64.push_back(kNullInt64);
      } else {
        column.i32.push_back(column.type == ColumnType::kInt32 ? kNullInt32 : kNullCode);
      }
    }
    for (size_t a = 0; a < member.accumulators.size(); ++a) {
      Accumulators& cells = *merged.members_[0].accumulators[a];
      cells.Grow(order.size());
      cells.Merge(*member.accumulators[a], group, codes);
      TableColumn column;
      column.name = member.plan->aggs[a].name;
      cells.Emit(order, own, &column);
      table->columns[layout_.places().size() + a] = std::move(column);
    }
    marks.i32.push_back(1);
    ++table->rows;
  }
  table->columns.push_back(std::move(marks));
}

Table GroupState::Finish(size_t n) {
  const PlanSpec& spec = members_[n].plan->spec;
  if (spec.window == 0 && spec.gap == 0) return Emit(members_[n]);
  const std::unique_ptr<GroupState> windows = Windows(members_[n]);
  return windows->Emit(windows->members_[0]);
}

std::unique_ptr<GroupState> GroupState::Windows(const Member& member) const {
  const PlanSpec& spec = member.plan->spec;
  std::unique_ptr<GroupState> out(new GroupState(*member.plan, *member.slots, spec.window));
  const CodeMap codes(interner(), &out->encoder_.interner());
  const auto time = [&](uint32_t g) { return Code(g, layout_.places()[0]); };  // seconds + 1; 0 is none
  // Where the window of a group's bin begins; with a gap it is that of the run.
  std::vector<uint64_t> begin(table_.size());
  std::vector<uint32_t> order(table_.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto same_key = [&](uint32_t a, uint32_t b) {
    return std::equal(table_.key(a) + 1, table_.key(a) + layout_.words(), table_.key(b) + 1);
  };
  if (spec.gap > 0) {
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      const uint64_t *x = table_.key(a), *y = table_.key(b);
      return same_key(a, b) ? x[0] < y[0]
                            : std::lexicographical_compare(x + 1, x + layout_.words(), y + 1, y + layout_.words());
    });
  }
  for (size_t i = 0; i < order.size(); ++i) {
    const uint32_t g = order[i];
    const bool goes_on = spec.gap > 0 && i > 0 && same_key(order[i - 1], g) && time(order[i - 1]) != 0 &&
                         time(g) - time(order[i - 1]) <= static_cast<uint64_t>(spec.gap);
    begin[g] = goes_on ? begin[order[i - 1]] : time(g);
  }
  const int64_t bins = spec.gap > 0 ? 1 : spec.window / spec.every;
  std::vector<uint32_t> group(table_.size());
  std::vector<uint64_t> key(layout_.words());
  for (int64_t back = 0; back < bins; ++back) {
    const auto shift = static_cast<uint64_t>(back * spec.every);
    for (uint32_t g = 0; g < group.size(); ++g) {
      std::fill(key.begin(), key.end(), uint64_t{0});
      layout_.Translate(table_.key(g), codes, key.data());
      key[0] = begin[g] == 0 ? 0 : begin[g] - shift;
      // No window begins before 1970, and a record without time is in one only.
      const bool none = begin[g] == 0 ? back > 0 : begin[g] <= shift;
      group[g] = none ? kNoGroup : out->table_.Find(key.data());
    }
    for (size_t a = 0; a < member.accumulators.size(); ++a) {
      member.accumulators[a]->Grow(table_.size());
      out->members_[0].accumulators[a]->Grow(out->table_.size());
      out->members_[0].accumulators[a]->Merge(*member.accumulators[a], group, codes);
    }
  }
  return out;
}

std::string GroupState::KeyName(const PlanSpec& spec, size_t place) const {
  return place == 0 && spec.every > 0 ? "time" : ColumnName(layout_.places()[place].field);
}

TableColumn GroupState::KeyColumn(const PlanSpec& spec, size_t place, const std::vector<uint32_t>& groups) {
  TableColumn column;
  column.name = KeyName(spec, place);
  ColumnBuilder builder(layout_.places()[place].field, interner(), &column);
  for (const uint32_t g : groups) builder.Append(Code(g, layout_.places()[place]));
  return column;
}

void GroupState::KeepGroups(const PlanImpl& plan, std::vector<uint32_t>* groups, Table* values) {
  const size_t own = values->columns.size();
  for (size_t p = 0; p < layout_.places().size(); ++p) {
    const std::string name = KeyName(plan.spec, p);
    const auto names_it = [&](const ColumnExpression& condition) {
      return std::find(condition.names().begin(), condition.names().end(), name) != condition.names().end();
    };
    if (std::any_of(plan.having.begin(), plan.having.end(), names_it))
      values->columns.push_back(KeyColumn(plan.spec, p, *groups));
  }
  std::vector<uint8_t> keep(values->rows, 1);
  for (const ColumnExpression& condition : plan.having) condition.Keep(*values, &keep);
  values->columns.resize(own);
  KeepRows(keep, values);
  size_t kept = 0;
  for (size_t row = 0; row < keep.size(); ++row) {
    if (keep[row] != 0) (*groups)[kept++] = (*groups)[row];
  }
  groups->resize(kept);
}

Table GroupState::Emit(const Member& member) {
  const PlanSpec& spec = member.plan->spec;
  const bool bounded = member.plan->counters() > 0;
  const bool composed =
      bounded || !spec.derived.empty() || !spec.having.empty() || (spec.top && !spec.top->per.empty());
  if (layout_.words() == 0) table_.Find(nullptr);  // without keys there is one group, even of no records
  for (const auto& accumulator : member.accumulators) accumulator->Grow(table_.size());
  std::vector<uint32_t> groups;
  const std::vector<PlannedAggregate>& aggs = member.plan->aggs;
  const auto by = std::find_if(aggs.begin(), aggs.end(),
                               [&](const PlannedAggregate& a) { return spec.top && a.name == spec.top->by; });
  const Accumulators* const ranks =
      by == aggs.end() ? nullptr : member.accumulators[static_cast<size_t>(by - aggs.begin())].get();
  if (spec.top && !composed) {
    groups = TopGroups(member);
  } else if (by != aggs.end() && !spec.top->per.empty() && spec.having.empty() && !bounded && !ranks->needs_codes()) {
    groups = TopGroupsPer(member, *ranks);
  } else {
    groups.resize(table_.size());
    std::iota(groups.begin(), groups.end(), 0u);
  }
  Table values;
  values.rows = groups.size();
  for (size_t a = 0; a < member.accumulators.size(); ++a) {
    TableColumn column;
    column.name = member.plan->aggs[a].name;
    member.accumulators[a]->Emit(groups, interner(), &column);
    values.columns.push_back(std::move(column));
  }
  if (bounded) bounds_.Emit(groups, table_, &values);
  for (size_t d = 0; d < spec.derived.size(); ++d)
    values.columns.push_back(Derived(spec.derived[d].name, member.plan->derived[d], values));
  if (!spec.having.empty()) KeepGroups(*member.plan, &groups, &values);
  Table table;
  table.rows = groups.size();
  std::vector<SortKey> order;
  for (size_t p = 0; p < layout_.places().size(); ++p) {
    table.columns.push_back(KeyColumn(spec, p, groups));
    order.push_back({table.columns.back().name, false});
  }
  std::move(values.columns.begin(), values.columns.end(), std::back_inserter(table.columns));
  const bool other = spec.top && spec.top->other;
  if (other) EmitOther(member, groups, &table);
  if (composed && spec.top) {
    SortTable(&table, order);
    KeepTopPer(spec.top->per, spec.top->by, spec.top->n, &table);
  }
  if (!spec.top || !spec.sort.empty()) {
    order.insert(order.begin(), spec.sort.begin(), spec.sort.end());
    if (other) order.insert(order.begin(), {"other", false});
    SortTable(&table, order);
  }
  return table;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
