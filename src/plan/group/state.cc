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

// A record over more bins than this is not spread (AWS's windows are 10 minutes at most); it bounds what one line can
// do.
constexpr int64_t kMaxSpreadBins = 4096;
constexpr int kTimeBits = 44;
constexpr size_t kLeastPruned = 4096;  // fewer groups are not worth a pass

uint64_t MaskOf(int bits) { return bits >= 64 ? ~uint64_t{0} : (uint64_t{1} << bits) - 1; }

}  // namespace

std::vector<GroupState::Place> GroupState::MakeLayout(const PlanImpl& plan, const std::vector<int>& slots) {
  std::vector<Place> places;
  size_t word = 0;
  int used = 0;
  if (plan.spec.every > 0) {
    places.push_back({FieldRef{Field::kStart, "start", nullptr}, plan.start_slot, 0, 0, MaskOf(kTimeBits)});
    word = 1;  // a word of its own, so that a piece's key differs in one word
  }
  for (int key : plan.key_slots) {
    const FieldRef& field = plan.fields[static_cast<size_t>(key)];
    const int bits = CodeBits(field);
    if (used + bits > 64) {
      ++word;
      used = 0;
    }
    places.push_back({field, slots[static_cast<size_t>(key)], word, used, MaskOf(bits)});
    used += bits;
  }
  return places;
}

GroupState::GroupState(const PlanImpl& plan, const std::vector<int>& slots, int64_t seconds)
    : plan_(plan),
      seconds_(seconds),
      slots_(slots),
      places_(MakeLayout(plan, slots)),
      words_(places_.empty() ? 0 : places_.back().word + 1),
      table_(words_, places_.empty() ? 0 : places_.back().shift + static_cast<int>(std::bit_width(places_.back().mask)),
             static_cast<uint64_t>(plan.spec.every)),
      most_groups_(plan.counters() > 0 ? kLeastPruned : std::numeric_limits<size_t>::max()) {
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
  constexpr size_t kEntry = 64;  // of a map, about
  size_t bytes = table_.bytes() + encoder_.interner().bytes() + lost_.size() * (kEntry + words_ * sizeof(uint64_t));
  for (const Member& member : members_) {
    for (const auto& accumulator : member.accumulators) bytes += accumulator->bytes();
  }
  return bytes;
}

const Column* GroupState::column(const Batch& batch, int plan_slot) const {
  return plan_slot < 0 ? nullptr : &batch.columns[static_cast<size_t>(slots_[static_cast<size_t>(plan_slot)])];
}

void GroupState::MakeKeys(const Batch& batch) {
  if (places_.size() == 1 && plan_.spec.every == 0) {  // the code is the key
    return encoder_.Encode(batch, static_cast<size_t>(places_[0].slot), &keys_);
  }
  keys_.resize(batch.rows * words_);
  // A time bin alone is written whole.
  if (words_ > 1 || plan_.spec.every == 0) std::fill(keys_.begin(), keys_.end(), uint64_t{0});
  for (size_t p = 0; p < places_.size(); ++p) {
    const Place& place = places_[p];
    if (p == 0 && plan_.spec.every > 0) {
      const std::vector<int64_t>& start = column(batch, plan_.start_slot)->ints;
      // Of numbers below 2^44, as times are, the quotient of doubles is never rounded up to a whole number, and its
      // division takes a third of the time.
      const auto every = static_cast<double>(plan_.spec.every);
      for (size_t i = 0; i < batch.rows; ++i) {
        const auto bin = static_cast<int64_t>(static_cast<double>(start[i]) / every);
        keys_[i * words_] = start[i] == kNullInt ? 0 : static_cast<uint64_t>(bin * plan_.spec.every) + 1;
      }
      continue;
    }
    encoder_.Encode(batch, static_cast<size_t>(place.slot), &codes_);
    for (size_t i = 0; i < batch.rows; ++i) keys_[i * words_ + place.word] |= codes_[i] << place.shift;
  }
}

// Cuts the records that span several time bins. Time is continuous: a record covers [start, end).
void GroupState::MakePieces(const Batch& batch) {
  pieces_.clear();
  spread_.assign(batch.rows, 0);
  if (plan_.spec.every == 0 || plan_.spec.bin_by != BinBy::kSpread) return;
  const std::vector<int64_t>& starts = column(batch, plan_.start_slot)->ints;
  const std::vector<int64_t>& ends = column(batch, plan_.end_slot)->ints;
  const int64_t every = plan_.spec.every;
  std::vector<uint64_t> key(words_);
  for (size_t i = 0; i < batch.rows; ++i) {
    const int64_t start = starts[i], end = ends[i];
    if (start == kNullInt || end == kNullInt || end <= start) continue;
    const int64_t first = start / every, last = (end - 1) / every;
    if (first == last) continue;
    if (last - first >= kMaxSpreadBins) {
      ++unspread_;
      continue;
    }
    spread_[i] = 1;
    std::copy_n(keys_.begin() + static_cast<ptrdiff_t>(i * words_), words_, key.begin());
    for (int64_t bin = first; bin <= last; ++bin) {
      key[0] = static_cast<uint64_t>(bin * every) + 1;
      pieces_.push_back({static_cast<uint32_t>(i), table_.Find(key.data()), std::max(bin * every, start) - start,
                         std::min((bin + 1) * every, end) - start, end - start});
    }
  }
}

void GroupState::Consume(const Batch& batch) {
  if (batch.rows == 0) return;
  MakeKeys(batch);
  group_.resize(batch.rows);
  table_.FindAll(keys_.data(), batch.rows, group_.data());
  MakePieces(batch);
  for (Member& member : members_) {
    const auto column_of = [&](int slot) {
      return slot < 0 ? nullptr : &batch.columns[static_cast<size_t>((*member.slots)[static_cast<size_t>(slot)])];
    };
    const GroupedRows rows{
        batch, group_, spread_, pieces_, column_of(member.plan->start_slot), column_of(member.plan->end_slot)};
    passes_of_ = nullptr;
    for (size_t a = 0; a < member.accumulators.size(); ++a) {
      const PlannedAggregate& agg = member.plan->aggs[a];
      Accumulators& accumulator = *member.accumulators[a];
      accumulator.Grow(table_.size());
      const bool whole = !agg.filter || SelectPart(member, agg, rows);
      if (!whole && part_rows_.empty()) continue;
      const Batch& read = whole ? batch : part_;
      if (accumulator.needs_codes()) {
        const int slot = (*member.slots)[static_cast<size_t>(agg.slot)];
        encoder_.Encode(read, static_cast<size_t>(slot), &codes_);
      }
      const auto part_column = [&](int slot) {
        return slot < 0 ? nullptr : &part_.columns[static_cast<size_t>((*member.slots)[static_cast<size_t>(slot)])];
      };
      accumulator.Update(whole ? rows
                               : GroupedRows{part_, part_group_, part_spread_, part_pieces_,
                                             part_column(member.plan->start_slot), part_column(member.plan->end_slot)},
                         codes_);
    }
  }
}

// Makes part_ of the rows that pass an aggregate's own filter; true, and nothing is made, if all do.
bool GroupState::SelectPart(const Member& member, const PlannedAggregate& agg, const GroupedRows& rows) {
  const std::vector<int>& slots = *member.slots;
  const Batch& batch = rows.batch;
  if (passes_of_ == nullptr || passes_of_->text() != agg.filter->text()) {  // aggregates often have the same
    filter_columns_.clear();
    for (const int slot : agg.filter_slots) filter_columns_.push_back(slots[static_cast<size_t>(slot)]);
    passes_.resize(batch.rows);
    agg.filter->Evaluate(batch, filter_columns_, passes_);
    passes_of_ = &*agg.filter;
  }
  part_rows_.clear();
  std::vector<uint32_t> place(rows.pieces.empty() ? 0 : batch.rows, kNoGroup);
  for (uint32_t i = 0; i < batch.rows; ++i) {
    if (passes_[i] != Tri::kTrue) continue;
    if (!place.empty()) place[i] = static_cast<uint32_t>(part_rows_.size());
    part_rows_.push_back(i);
  }
  if (part_rows_.size() == batch.rows) return true;
  const auto gather = [&](const auto& from, auto* to) {
    to->resize(part_rows_.size());
    for (size_t i = 0; i < part_rows_.size(); ++i) (*to)[i] = from[part_rows_[i]];
  };
  part_.rows = part_rows_.size();
  part_.source = batch.source;
  part_.v6 = batch.v6;
  gather(batch.offsets, &part_.offsets);
  gather(rows.group, &part_group_);
  gather(rows.spread, &part_spread_);
  part_pieces_.clear();
  for (Piece piece : rows.pieces) {
    piece.row = place[piece.row];
    if (piece.row != kNoGroup) part_pieces_.push_back(piece);
  }
  part_.columns.resize(batch.columns.size());
  const auto take = [&](int plan_slot) {
    if (plan_slot < 0) return;
    const auto at = static_cast<size_t>(slots[static_cast<size_t>(plan_slot)]);
    const Column& from = batch.columns[at];
    Column& to = part_.columns[at];
    to.kind = from.kind;
    to.dictionary = from.dictionary;
    if (from.kind == Kind::kAddress) {
      gather(from.addresses, &to.addresses);
    } else if (from.kind == Kind::kText) {
      gather(from.texts, &to.texts);
    } else {
      gather(from.ints, &to.ints);
    }
  };
  take(agg.slot);
  take(member.plan->start_slot);
  take(member.plan->end_slot);
  return false;
}

void GroupState::Merge(const GroupState& other) { MergeLast(other, 0); }
void GroupState::MergeLast(const GroupState& other, size_t threads) {
  for (const Member& member : members_) {  // these put groups together once more to finish
    const PlanSpec& spec = member.plan->spec;
    if (spec.window > 0 || spec.gap > 0 || (spec.top && spec.top->other)) threads = 0;
  }
  const CodeMap codes(other.interner(), &encoder_.interner());
  MergeGroups(other, codes, {}, threads);
  unspread_ += other.unspread_;
}

void GroupState::MergeGroups(const GroupState& other, const CodeMap& codes, std::span<const uint8_t> keep,
                             size_t last_threads) {
  const auto translated = [&](const uint64_t* from, uint64_t* key) {
    for (const Place& place : places_)
      key[place.word] |= codes(from[place.word] >> place.shift & place.mask, place.field.kind()) << place.shift;
  };
  std::vector<uint32_t> group(other.table_.size(), kNoGroup), some, found;
  for (uint32_t g = 0; g < group.size(); ++g) {
    if (keep.empty() || keep[g] != 0) some.push_back(g);
  }
  constexpr size_t kAtOnce = 512;
  std::vector<uint64_t> keys;
  for (size_t first = 0; first < some.size(); first += kAtOnce) {
    const size_t n = std::min(kAtOnce, some.size() - first);
    keys.assign(n * words_, 0);
    for (size_t i = 0; i < n; ++i) translated(other.table_.key(some[first + i]), keys.data() + i * words_);
    found.resize(n);
    table_.FindAll(keys.data(), n, found.data());
    for (size_t i = 0; i < n; ++i) group[some[first + i]] = found[i];
  }
  for (size_t m = 0; m < members_.size(); ++m) {
    for (size_t a = 0; a < members_[m].accumulators.size(); ++a) {
      Accumulators& own = *members_[m].accumulators[a];
      own.Grow(table_.size());
      if (last_threads > 0) {
        own.MergeLast(*other.members_[m].accumulators[a], group, codes, last_threads);
      } else {
        own.Merge(*other.members_[m].accumulators[a], group, codes);
      }
    }
  }
  for (const auto& [part, weight] : other.lost_) {
    std::vector<uint64_t> own(words_, 0);
    translated(part.data(), own.data());
    Lose(std::move(own), weight);
  }
}

// Keys in order, null last; addresses and texts by their text.
int GroupState::CompareKeys(uint32_t a, uint32_t b) const {
  for (const Place& place : places_) {
    const uint64_t x = Code(a, place), y = Code(b, place);
    if (x == y) continue;
    if (x == 0 || y == 0) return x == 0 ? 1 : -1;
    switch (place.field.kind()) {
      case Kind::kAddress: return CompareAddressText(DecodeAddress(x, interner()), DecodeAddress(y, interner()));
      case Kind::kText: return DecodeText(x, interner()) < DecodeText(y, interner()) ? -1 : 1;
      default: return x < y ? -1 : 1;
    }
  }
  return 0;
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
                      return order != 0 ? order > 0 : CompareKeys(a, b) < 0;
                    });
  groups.resize(n);
  return groups;
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
    for (size_t c = 0; c < places_.size(); ++c) {
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
      table->columns[places_.size() + a] = std::move(column);
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
  const auto time = [&](uint32_t g) { return Code(g, places_[0]); };  // seconds + 1; 0 is none
  // Where the window of a group's bin begins; with a gap it is that of the run.
  std::vector<uint64_t> begin(table_.size());
  std::vector<uint32_t> order(table_.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto same_key = [&](uint32_t a, uint32_t b) {
    return std::equal(table_.key(a) + 1, table_.key(a) + words_, table_.key(b) + 1);
  };
  if (spec.gap > 0) {
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      const uint64_t *x = table_.key(a), *y = table_.key(b);
      return same_key(a, b) ? x[0] < y[0] : std::lexicographical_compare(x + 1, x + words_, y + 1, y + words_);
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
  std::vector<uint64_t> key(words_);
  for (int64_t back = 0; back < bins; ++back) {
    const auto shift = static_cast<uint64_t>(back * spec.every);
    for (uint32_t g = 0; g < group.size(); ++g) {
      std::fill(key.begin(), key.end(), uint64_t{0});
      for (const Place& place : places_) key[place.word] |= codes(Code(g, place), place.field.kind()) << place.shift;
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
  return place == 0 && spec.every > 0 ? "time" : ColumnName(places_[place].field);
}

TableColumn GroupState::KeyColumn(const PlanSpec& spec, size_t place, const std::vector<uint32_t>& groups) {
  TableColumn column;
  column.name = KeyName(spec, place);
  ColumnBuilder builder(places_[place].field, interner(), &column);
  for (const uint32_t g : groups) builder.Append(Code(g, places_[place]));
  return column;
}

void GroupState::KeepGroups(const PlanImpl& plan, std::vector<uint32_t>* groups, Table* values) {
  const size_t own = values->columns.size();
  for (size_t p = 0; p < places_.size(); ++p) {
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
  if (words_ == 0) table_.Find(nullptr);  // without keys there is one group, even of no records
  for (const auto& accumulator : member.accumulators) accumulator->Grow(table_.size());
  std::vector<uint32_t> groups;
  if (spec.top && !composed) {
    groups = TopGroups(member);
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
  if (bounded) EmitErrors(groups, &values);
  for (size_t d = 0; d < spec.derived.size(); ++d)
    values.columns.push_back(Derived(spec.derived[d].name, member.plan->derived[d], values));
  if (!spec.having.empty()) KeepGroups(*member.plan, &groups, &values);
  Table table;
  table.rows = groups.size();
  std::vector<SortKey> order;
  for (size_t p = 0; p < places_.size(); ++p) {
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
