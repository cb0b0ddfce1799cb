#include "src/plan/row_state.h"

#include <algorithm>
#include <iterator>
#include <unordered_map>
#include <utility>

#include "src/plan/accumulate.h"
#include "src/plan/row_board.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

bool IsWide(Kind kind) { return kind == Kind::kInt64 || kind == Kind::kTime; }

}  // namespace

RowState::RowState(const PlanImpl& plan, const std::vector<int>& slots, std::shared_ptr<RowBoard> board)
    : plan_(plan), slots_(slots), board_(std::move(board)) {
  counts_board_ = board_ != nullptr && board_->ClaimBytes();
  Reset();
}

void RowState::Reset() {
  columns_.clear();
  for (int slot : plan_.select_slots) {
    const auto field = static_cast<size_t>(slot);
    columns_.emplace_back(plan_.fields[field], static_cast<size_t>(slots_[field]));
  }
  offsets_ = {};
  sources_.clear();
  files_.clear();
  rows_ = in_blocks_ = on_board_ = 0;
}

void RowState::Clear() {
  for (Kept& column : columns_) {
    column.i32.clear();
    column.i64.clear();
    column.absent = 0;
  }
  offsets_.clear();
  rows_ = in_blocks_ = on_board_ = 0;
}

void RowState::EndBlock(BlockOrder order) {
  if (board_ == nullptr) return;
  const uint32_t source = sources_.empty() ? 0 : sources_[0].first;
  Rows& rows = blocks_[order];
  rows = {in_blocks_, rows_ - in_blocks_, source};
  for (const Kept& column : columns_) rows.dictionaries.push_back(column.dictionary());
  in_blocks_ = rows_;
  sources_.clear();
  board_->Place(this);
  if (blocks_.empty()) Clear();
}

size_t RowState::bytes() const {
  size_t bytes = offsets_.size() * sizeof(int64_t) + (counts_board_ ? board_->bytes() : 0);
  for (const Kept& c : columns_) {
    bytes += c.numbers.capacity() * sizeof(int32_t);
    bytes += c.i32.size() * sizeof(int32_t) + c.i64.size() * sizeof(int64_t) + c.encoder.interner().bytes() +
             c.address_ids.bytes();
  }
  return bytes;
}

void RowState::NotePlaces(const Batch& batch, const std::string& source, bool placed) {
  files_.try_emplace(batch.source, source);
  if (sources_.empty() || sources_.back().first != batch.source) sources_.emplace_back(batch.source, 0);
  sources_.back().second += batch.rows;
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

void RowState::AddPlaces(const std::vector<RowState*>& states, const std::vector<std::pair<uint32_t, size_t>>& sources,
                         Array<int64_t> offsets, Table* table) {
  TableColumn file, offset;
  file.name = kFileColumn;
  file.type = ColumnType::kText;
  offset.name = kOffsetColumn;
  offset.i64 = std::move(offsets);
  const auto name_of = [&](uint32_t source) -> const std::string& {
    const auto has = [&](const RowState* state) { return state->files_.contains(source); };
    return (*std::find_if(states.begin(), states.end(), has))->files_.at(source);
  };
  std::unordered_map<std::string_view, int32_t, TextHash> codes;
  for (const auto& [source, rows] : sources) {
    const std::string& name = name_of(source);
    const auto [it, added] = codes.try_emplace(name, static_cast<int32_t>(file.texts.size()));
    if (added) file.texts.push_back(name);
    file.i32.append(rows, it->second);
  }
  table->columns.push_back(std::move(file));
  table->columns.push_back(std::move(offset));
}

Table RowState::Finish(const std::vector<RowState*>& states, const std::vector<size_t>& columns) {
  std::shared_ptr<RowBoard> board = states[0]->board_;
  Table table;
  std::vector<RowState*> with_rows;
  std::copy_if(states.begin(), states.end(), std::back_inserter(with_rows), [](RowState* s) { return s->rows_ > 0; });
  RowState& only = with_rows.empty() ? *states[0] : *with_rows[0];
  if ((board == nullptr || board->rows() == 0) && with_rows.size() < 2 && only.blocks_.empty()) {
    table.rows = only.rows_;
    for (const size_t c : columns) table.columns.push_back(Move(&only.columns_[c]));
    if (only.plan_.spec.located) AddPlaces(states, only.sources_, std::move(only.offsets_), &table);
  } else {
    if (board == nullptr) board = std::make_shared<RowBoard>(states[0]->plan_);
    table = board->Finish(states, columns);
  }
  for (RowState* state : states) state->Reset();
  return table;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
