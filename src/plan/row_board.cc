#include "src/plan/row_board.h"

#include <algorithm>
#include <utility>

#include "src/plan/accumulate.h"
#include "src/plan/on_threads.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr uint64_t kOpen = std::numeric_limits<uint64_t>::max();
constexpr int32_t kUnknown = -2;
static_assert(kUnknown != kNullCode);

}  // namespace

RowBoard::RowBoard(const PlanImpl& plan) : plan_(plan) {
  for (int slot : plan.select_slots) {
    const FieldRef& field = plan.fields[static_cast<size_t>(slot)];
    Column& column = columns_.emplace_back(field.kind());
    column.values.name = ColumnName(field);
    column.values.type = ColumnTypeOf(field.kind());
  }
}

void RowBoard::EndSource(uint32_t source, uint64_t blocks) {
  const std::lock_guard lock(mutex_);
  if (ends_.size() <= source) ends_.resize(source + size_t{1}, kOpen);
  ends_[source] = blocks;
}

void RowBoard::SkipEnded() {
  while (next_.source < ends_.size() && next_.sequence == ends_[next_.source]) next_ = {next_.source + 1, 0};
}

// A column of which nothing was kept yet: null so far.
void RowBoard::Show(uint64_t before, Column* column) {
  column->seen = true;
  column->nulls |= before > 0;
  if (column->wide()) {
    column->values.i64.append(before, kNullInt64);
  } else {
    column->values.i32.append(before, column->kind == Kind::kInt32 ? kNullInt32 : kNullCode);
  }
}

// Gives numbers to entries of a worker's dictionary.
void RowBoard::Number(std::span<const uint32_t> ids, RowState::Kept* kept, Column* column) {
  const Interner& interner = kept->encoder.interner();
  if (column->kind == Kind::kText) {
    std::vector<std::string>& texts = column->values.texts;
    for (const uint32_t id : ids) {
      const std::string& text = interner.text(id);
      const auto [it, added] = column->text_numbers.try_emplace(text, static_cast<int32_t>(texts.size()));
      if (added) texts.push_back(text);
      kept->numbers[id] = it->second;
    }
    return;
  }
  std::vector<Ip>& addresses = column->values.addresses;
  std::vector<Ip> own;
  own.reserve(ids.size());
  for (const uint32_t id : ids) {
    own.push_back(DecodeAddress(*kept->address_ids.key(id), interner));
  }
  column->address_numbers.InsertAll(
      ids.size(), [&](size_t i) { return MixWords(own[i].hi, own[i].lo); },
      [&](const AddressSlot& slot, size_t i) { return addresses[static_cast<size_t>(slot.number)] == own[i]; },
      [&](AddressSlot& slot, size_t i, bool added) {
        if (added) {
          slot = {MixWords(own[i].hi, own[i].lo), static_cast<int32_t>(addresses.size())};
          addresses.push_back(own[i]);
        }
        kept->numbers[ids[i]] = slot.number;
      });
}

// Of rows, what of their worker's dictionary comes for the first time.
void RowBoard::NumberNew(const Piece& piece, size_t c) {
  Column& column = columns_[c];
  RowState::Kept& kept = piece.state->columns_[c];
  if (column.kind != Kind::kText && column.kind != Kind::kAddress) return;
  kept.numbers.resize(kept.dictionary(), kUnknown);
  std::vector<uint32_t>& ids = kept.new_ids;
  ids.clear();
  const auto note = [&](size_t id) {
    if (kept.numbers[id] != kUnknown) return;
    const bool null = column.kind == Kind::kAddress && *kept.address_ids.key(static_cast<uint32_t>(id)) == kNullAddress;
    kept.numbers[id] = kNullCode;  // its own follows
    if (!null) ids.push_back(static_cast<uint32_t>(id));
  };
  if (!piece.dictionaries.empty()) {
    // They are the entries that the dictionary got by these rows.
    for (; kept.numbered < piece.dictionaries[c]; ++kept.numbered) note(kept.numbered);
  } else {
    for (size_t i = piece.begin; i < piece.begin + piece.rows; ++i) {
      if (kept.i32[i] != kNullCode) note(static_cast<size_t>(kept.i32[i]));
    }
  }
  Number(ids, &kept, &column);
}

void RowBoard::Copy(const RowState::Kept& kept, size_t begin, size_t rows, uint64_t to, Column* column) {
  if (column->wide()) {
    int64_t* out = column->values.i64.data() + to;
    if (kept.seen) {
      std::copy_n(kept.i64.data() + begin, rows, out);
    } else {
      std::fill_n(out, rows, kNullInt64);
    }
    return;
  }
  int32_t* out = column->values.i32.data() + to;
  if (!kept.seen) {
    std::fill_n(out, rows, column->kind == Kind::kInt32 ? kNullInt32 : kNullCode);
  } else if (column->kind == Kind::kInt32) {
    std::copy_n(kept.i32.data() + begin, rows, out);
  } else {
    for (size_t i = 0; i < rows; ++i) {
      const int32_t id = kept.i32[begin + i];
      out[i] = id == kNullCode ? kNullCode : kept.numbers[static_cast<size_t>(id)];
    }
  }
}

// What a piece is to a column; where it goes must not be written before there is room.
void RowBoard::Announce(const Piece& piece, size_t c) {
  Column& column = columns_[c];
  RowState::Kept& kept = piece.state->columns_[c];
  if (kept.seen && !column.seen) Show(piece.to, &column);
  if (kept.seen) NumberNew(piece, c);
  column.nulls |= column.seen && (kept.nulls || !kept.seen);
  kept.shown = column.seen;
}

// Room for more rows in a column, which may move.
void RowBoard::Extend(uint64_t rows, Column* column) {
  if (!column->seen) return;
  if (column->wide()) {
    column->values.i64.Extend(rows - column->values.i64.size());
  } else {
    column->values.i32.Extend(rows - column->values.i32.size());
  }
}

void RowBoard::Place(RowState* state) {
  std::vector<Piece>& pieces = state->placing_;
  pieces.clear();
  std::shared_lock<std::shared_mutex> writing(writing_, std::defer_lock);
  {
    const std::lock_guard lock(mutex_);
    for (SkipEnded(); !state->blocks_.empty() && state->blocks_.begin()->first == next_; SkipEnded()) {
      RowState::Rows& rows = state->blocks_.begin()->second;
      const bool front = rows.begin == state->on_board_;
      if (front) state->on_board_ += rows.rows;
      if (rows.rows > 0) {
        pieces.push_back({state, rows.begin, rows.rows, rows_});
        if (front) pieces.back().dictionaries = std::move(rows.dictionaries);
      }
      rows_ += rows.rows;
      AddSource(rows.source, rows.rows);
      state->blocks_.erase(state->blocks_.begin());
      ++next_.sequence;
    }
    for (const Piece& piece : pieces) {
      for (size_t c = 0; c < columns_.size(); ++c) Announce(piece, c);
    }
    const auto fits = [&](const Column& column) {
      return !column.seen || rows_ <= (column.wide() ? column.values.i64.capacity() : column.values.i32.capacity());
    };
    std::unique_lock<std::shared_mutex> alone(writing_, std::defer_lock);
    if (!std::all_of(columns_.begin(), columns_.end(), fits) || (plan_.spec.located && rows_ > offsets_.capacity()))
      alone.lock();
    size_t bytes = 0;
    for (Column& column : columns_) {
      Extend(rows_, &column);
      bytes += column.bytes();
    }
    if (plan_.spec.located) offsets_.Extend(rows_ - offsets_.size());
    bytes_ = bytes + offsets_.size() * sizeof(int64_t);
    if (alone.owns_lock()) alone.unlock();
    writing.lock();
  }
  for (const Piece& piece : pieces) {
    for (size_t c = 0; c < columns_.size(); ++c) {
      if (state->columns_[c].shown) Copy(state->columns_[c], piece.begin, piece.rows, piece.to, &columns_[c]);
    }
    if (plan_.spec.located) std::copy_n(state->offsets_.data() + piece.begin, piece.rows, offsets_.data() + piece.to);
  }
}

void RowBoard::AddSource(uint32_t source, size_t rows) {
  if (!plan_.spec.located || rows == 0) return;
  if (sources_.empty() || sources_.back().first != source) sources_.emplace_back(source, 0);
  sources_.back().second += rows;
}

// What workers still have, in the order of the input.
std::vector<RowBoard::Piece> RowBoard::Rest(const std::vector<RowState*>& states) {
  std::vector<std::pair<BlockOrder, Piece>> blocks;
  for (RowState* state : states) {
    for (const auto& [order, rows] : state->blocks_) {
      if (rows.rows > 0) blocks.push_back({order, {state, rows.begin, rows.rows, 0}});
    }
  }
  std::sort(blocks.begin(), blocks.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Piece> pieces;
  for (auto& [order, piece] : blocks) {
    AddSource(piece.state->blocks_.at(order).source, piece.rows);
    pieces.push_back(piece);
  }
  for (RowState* state : states) {
    if (state->rows_ == state->in_blocks_) continue;
    pieces.push_back({state, state->in_blocks_, state->rows_ - state->in_blocks_, 0});
    for (const auto& [source, rows] : state->sources_) AddSource(source, rows);
  }
  for (Piece& piece : pieces) piece.to = std::exchange(rows_, rows_ + piece.rows);
  return pieces;
}

Table RowBoard::Finish(const std::vector<RowState*>& states, const std::vector<size_t>& columns) {
  const std::vector<Piece> pieces = Rest(states);
  std::atomic<size_t> next = 0;
  OnThreads(pieces.empty() ? 1 : states.size(), [&](size_t) {
    for (size_t i; (i = next++) < columns.size();) {
      const size_t c = columns[i];
      for (const Piece& piece : pieces) {
        Announce(piece, c);
        Extend(piece.to + piece.rows, &columns_[c]);
        if (columns_[c].seen) Copy(piece.state->columns_[c], piece.begin, piece.rows, piece.to, &columns_[c]);
      }
      if (!columns_[c].seen) Show(rows_, &columns_[c]);
    }
  });
  Table table;
  table.rows = rows_;
  for (const size_t c : columns) {
    columns_[c].values.no_nulls = !columns_[c].nulls;
    table.columns.push_back(std::move(columns_[c].values));
  }
  if (plan_.spec.located) {
    for (const Piece& piece : pieces) offsets_.append(piece.state->offsets_.data() + piece.begin, piece.rows);
    RowState::AddPlaces(states, sources_, std::move(offsets_), &table);
  }
  return table;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
