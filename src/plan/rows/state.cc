#include "src/plan/rows/state.h"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "src/plan/bind/on_threads.h"
#include "src/plan/group/accumulate.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

bool IsWide(Kind kind) { return kind == Kind::kInt64 || kind == Kind::kTime; }

}  // namespace

RowState::RowState(const PlanImpl& plan, const std::vector<int>& slots) : plan_(plan), slots_(slots) { Reset(); }

void RowState::Reset() {
  columns_.clear();
  for (int slot : plan_.select_slots) {
    const auto field = static_cast<size_t>(slot);
    columns_.emplace_back(plan_.fields[field], static_cast<size_t>(slots_[field]));
  }
  runs_.clear();
  offsets_ = {};
  files_.clear();
  rows_ = 0;
}

size_t RowState::bytes() const {
  size_t bytes = offsets_.size() * sizeof(int64_t);
  for (const Kept& c : columns_) {
    bytes += c.i32.size() * sizeof(int32_t) + c.i64.size() * sizeof(int64_t) + c.encoder.interner().bytes() +
             c.address_ids.bytes();
  }
  return bytes;
}

void RowState::NotePlaces(const Batch& batch, const std::string& source, bool placed) {
  files_.try_emplace(batch.source, source);
  int64_t* to = offsets_.Extend(batch.rows);
  for (size_t i = 0; i < batch.rows; ++i) to[i] = placed ? static_cast<int64_t>(batch.offsets[i]) : kNullInt64;
}

// For addresses, null has an id like any other; it is taken out when the column is done.
void RowState::AppendNulls(size_t n, Kept* out) {
  if (n == 0) return;
  out->nulls = true;
  if (IsWide(out->field.kind())) {
    out->i64.append(n, kNullInt64);
  } else if (out->field.kind() == Kind::kAddress) {
    const uint64_t null = kNullAddress;
    out->i32.append(n, static_cast<int32_t>(out->address_ids.Find(&null)));
  } else {
    out->i32.append(n, out->field.kind() == Kind::kInt32 ? kNullInt32 : kNullCode);
  }
}

void RowState::Append(const Batch& batch, bool present, Kept* out) {
  const size_t n = batch.rows;
  const Kind kind = out->field.kind();
  if (!present && !out->seen) {
    out->absent += n;
    return;
  }
  if (!present) return AppendNulls(n, out);
  if (!out->seen) AppendNulls(std::exchange(out->absent, 0), out);
  out->seen = true;
  const Column& column = batch.columns[out->slot];
  const auto note = [&](const auto& values, auto null) {  // while the batch is in the cache
    bool any = false;
    for (size_t i = 0; i < n; ++i) any |= values[i] == null;
    out->nulls |= any;
  };
  if (kind == Kind::kInt64 || kind == Kind::kTime || kind == Kind::kInt32) note(column.ints, kNullInt);
  if (kind == Kind::kInt64) return out->i64.append(column.ints.data(), n);
  if (kind == Kind::kTime) {
    int64_t* to = out->i64.Extend(n);
    for (size_t i = 0; i < n; ++i) to[i] = column.ints[i] == kNullInt ? kNullInt64 : column.ints[i] * kMicrosPerSecond;
    return;
  }
  int32_t* to = out->i32.Extend(n);
  if (kind == Kind::kInt32) {
    for (size_t i = 0; i < n; ++i)
      to[i] = column.ints[i] == kNullInt ? kNullInt32 : static_cast<int32_t>(column.ints[i]);
    return;
  }
  out->encoder.Encode(batch, out->slot, &codes_);
  if (kind == Kind::kText) {  // the code is the number in the dictionary, and 1
    static_assert(kNullCode == -1);
    note(codes_, uint64_t{0});
    for (size_t i = 0; i < n; ++i) to[i] = static_cast<int32_t>(codes_[i]) - 1;
    return;
  }
  note(codes_, kNullAddress);
  ids_.resize(n);
  out->address_ids.FindAll(codes_.data(), n, ids_.data());
  for (size_t i = 0; i < n; ++i) to[i] = static_cast<int32_t>(ids_[i]);
}

// The column of the only state there is.
TableColumn RowState::Move(Kept* kept) {
  AppendNulls(std::exchange(kept->absent, 0), kept);
  TableColumn out;
  out.name = ColumnName(kept->field);
  out.type = ColumnTypeOf(kept->field.kind());
  const Interner& interner = kept->encoder.interner();
  if (kept->field.kind() == Kind::kText) {
    out.texts.reserve(interner.text_size());
    for (uint32_t id = 0; id < interner.text_size(); ++id) out.texts.push_back(interner.text(id));
  } else if (kept->field.kind() == Kind::kAddress) {
    const auto ids = static_cast<uint32_t>(kept->address_ids.size());
    out.addresses.reserve(ids);
    int32_t null_id = -1;
    for (uint32_t id = 0; id < ids; ++id) {
      const uint64_t code = *kept->address_ids.key(id);
      if (code == kNullAddress) {
        null_id = static_cast<int32_t>(id);
      } else {
        out.addresses.push_back(DecodeAddress(code, interner));
      }
    }
    if (null_id >= 0) {  // ids behind it move up by one
      for (int32_t& id : kept->i32) id = id == null_id ? kNullCode : id - (id > null_id ? 1 : 0);
    }
  }
  out.no_nulls = !kept->nulls;
  out.i32 = std::move(kept->i32);
  out.i64 = std::move(kept->i64);
  return out;
}

// One column of several states.
TableColumn RowState::Join(const std::vector<RowState*>& states, const std::vector<std::pair<size_t, Run>>& runs,
                           size_t c, SpareStorage* spare) {
  const Kind kind = states[0]->columns_[c].field.kind();
  std::vector<TableColumn> parts;
  size_t rows = 0;
  for (RowState* state : states) {
    parts.push_back(Move(&state->columns_[c]));
    rows += state->rows_;
  }
  TableColumn out;
  out.name = parts[0].name;
  out.type = parts[0].type;
  out.no_nulls = std::all_of(parts.begin(), parts.end(), [](const TableColumn& part) { return part.no_nulls; });
  if (IsWide(kind)) {
    out.i64.reserve(rows, spare);
    for (const auto& [worker, run] : runs) out.i64.append(parts[worker].i64.data() + run.begin, run.rows);
  } else if (kind == Kind::kInt32) {
    out.i32.reserve(rows, spare);
    for (const auto& [worker, run] : runs) out.i32.append(parts[worker].i32.data() + run.begin, run.rows);
  } else {
    out.i32.reserve(rows, spare);
    JoinCodes(parts, runs, &out);
  }
  for (TableColumn& part : parts) {
    part.i32.release(spare);
    part.i64.release(spare);
  }
  return out;
}

// The numbers of the parts' dictionaries become those of one, in order of appearance.
void RowState::JoinCodes(const std::vector<TableColumn>& parts, const std::vector<std::pair<size_t, Run>>& runs,
                         TableColumn* out) {
  std::unordered_map<Ip, int32_t, IpHash> addresses;
  std::unordered_map<std::string_view, int32_t, TextHash> texts;
  constexpr int32_t kUnknown = -2;
  static_assert(kNullCode == -1);
  std::vector<std::vector<int32_t>> known;  // by worker: its number and 1 -> the table's; null first
  for (const TableColumn& part : parts) {
    known.emplace_back(1 + part.addresses.size() + part.texts.size(), kUnknown)[0] = kNullCode;
  }
  const auto number = [&](size_t worker, size_t id) {
    const TableColumn& part = parts[worker];
    if (out->type == ColumnType::kText) {
      const auto [it, added] = texts.try_emplace(part.texts[id], static_cast<int32_t>(out->texts.size()));
      if (added) out->texts.push_back(part.texts[id]);
      return it->second;
    }
    const auto [it, added] = addresses.try_emplace(part.addresses[id], static_cast<int32_t>(out->addresses.size()));
    if (added) out->addresses.push_back(part.addresses[id]);
    return it->second;
  };
  for (const auto& [worker, run] : runs) {
    int32_t* const to = out->i32.Extend(run.rows);
    const int32_t* const from = parts[worker].i32.data() + run.begin;
    int32_t* const ids = known[worker].data() + 1;
    for (size_t i = 0; i < run.rows; ++i) {
      int32_t id = ids[from[i]];
      if (__builtin_expect(id == kUnknown, false)) {
        id = ids[from[i]] = number(worker, static_cast<size_t>(from[i]));
      }
      to[i] = id;
    }
  }
}

void RowState::AddPlaces(const std::vector<RowState*>& states, const std::vector<std::pair<size_t, Run>>& runs,
                         Table* table) {
  TableColumn file, offset;
  file.name = kFileColumn;
  file.type = ColumnType::kText;
  offset.name = kOffsetColumn;
  std::unordered_map<std::string_view, int32_t, TextHash> codes;
  for (const auto& [worker, run] : runs) {
    const std::string& name = states[worker]->files_.at(run.first.source);
    const auto [it, added] = codes.try_emplace(name, static_cast<int32_t>(file.texts.size()));
    if (added) file.texts.push_back(name);
    file.i32.append(run.rows, it->second);
    offset.i64.append(states[worker]->offsets_.data() + run.begin, run.rows);
  }
  table->columns.push_back(std::move(file));
  table->columns.push_back(std::move(offset));
}

Table RowState::Finish(const std::vector<RowState*>& states, const std::vector<size_t>& columns) {
  Table table;
  for (const RowState* state : states) table.rows += state->rows_;
  table.columns.resize(columns.size());
  std::vector<std::pair<size_t, Run>> runs;
  for (size_t worker = 0; worker < states.size(); ++worker) {
    for (const Run& run : states[worker]->runs_) runs.emplace_back(worker, run);
  }
  std::sort(runs.begin(), runs.end(), [](const auto& a, const auto& b) { return a.second.first < b.second.first; });
  if (states.size() == 1) {
    for (size_t c = 0; c < table.columns.size(); ++c) table.columns[c] = Move(&states[0]->columns_[columns[c]]);
  } else {
    std::atomic<size_t> next = 0;
    // Wide columns first: a thread joins each column into the memory of those before it.
    std::vector<size_t> order(columns.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_partition(order.begin(), order.end(),
                          [&](size_t c) { return IsWide(states[0]->columns_[columns[c]].field.kind()); });
    OnThreads(states.size(), [&](size_t) {
      SpareStorage spare;
      for (size_t i; (i = next++) < order.size();)
        table.columns[order[i]] = Join(states, runs, columns[order[i]], &spare);
    });
  }
  if (states[0]->plan_.spec.located) AddPlaces(states, runs, &table);
  for (RowState* state : states) state->Reset();
  return table;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
