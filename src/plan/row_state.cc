#include "src/plan/row_state.h"

#include <algorithm>
#include <utility>

#include "src/plan/accumulate.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

RowState::RowState(const PlanImpl& plan, const std::vector<int>& slots) {
  for (int slot : plan.select_slots) columns_.push_back(slots[static_cast<size_t>(slot)]);
}

RowState::Chunk& RowState::Begin(const Batch& batch) {
  Chunk& chunk = chunks_.emplace_back();
  chunk.first = {batch.source, batch.rows == 0 ? 0 : batch.offsets[0]};
  chunk.rows = batch.rows;
  chunk.columns.resize(columns_.size());
  rows_ += batch.rows;
  return chunk;
}

void RowState::Append(const Batch& batch, size_t c, ChunkColumn* out) {
  const Column& column = batch.columns[static_cast<size_t>(columns_[c])];
  if (column.kind == Kind::kInt64 || column.kind == Kind::kTime) {
    out->i64.assign(column.ints.begin(), column.ints.begin() + static_cast<ptrdiff_t>(batch.rows));
    return;
  }
  out->i32.resize(batch.rows);
  if (column.kind == Kind::kInt32) {
    for (size_t i = 0; i < batch.rows; ++i)
      out->i32[i] = column.ints[i] == kNullInt ? kNullInt32 : static_cast<int32_t>(column.ints[i]);
    return;
  }
  encoder_.Encode(batch, static_cast<size_t>(columns_[c]), &codes_);
  for (size_t i = 0; i < batch.rows; ++i) {
    const uint64_t code = codes_[i];
    if (code == 0) {
      out->i32[i] = kNullCode;
    } else if (column.kind == Kind::kText) {
      out->i32[i] = static_cast<int32_t>(code - 1);
    } else {
      const auto [it, added] = address_ids_.try_emplace(code, static_cast<int32_t>(address_codes_.size()));
      if (added) address_codes_.push_back(code);
      out->i32[i] = it->second;
    }
  }
}

// One column of all chunks. Dictionaries are renumbered in order of appearance, so that they do not depend on threads.
void RowState::Join(const std::vector<RowState*>& states, const std::vector<std::pair<size_t, const Chunk*>>& chunks,
                    size_t c, const FieldRef& field, TableColumn* out) {
  const Kind kind = field.kind();
  out->name = ColumnName(field);
  out->type = ColumnTypeOf(kind);
  std::vector<std::vector<int32_t>> renumber(states.size());  // by worker: its number -> the table's, or -1
  absl::flat_hash_map<Ip, int32_t, IpHash> addresses;
  absl::flat_hash_map<std::string_view, int32_t, TextHash> texts;
  const auto number = [&](size_t worker, int32_t id) {
    std::vector<int32_t>& known = renumber[worker];
    const auto index = static_cast<size_t>(id);
    if (known.size() <= index) known.resize(index + 1, -1);
    if (known[index] < 0) {
      const RowState& state = *states[worker];
      if (kind == Kind::kText) {
        const std::string& text = state.encoder_.interner().text(static_cast<uint32_t>(id));
        const auto [it, added] = texts.try_emplace(text, static_cast<int32_t>(out->texts.size()));
        if (added) out->texts.push_back(text);
        known[index] = it->second;
      } else {
        const Ip ip = DecodeAddress(state.address_codes_[index], state.encoder_.interner());
        const auto [it, added] = addresses.try_emplace(ip, static_cast<int32_t>(out->addresses.size()));
        if (added) out->addresses.push_back(ip);
        known[index] = it->second;
      }
    }
    return known[index];
  };
  for (const auto& [worker, chunk] : chunks) {
    const ChunkColumn& from = chunk->columns[c];
    const bool absent = from.i32.empty() && from.i64.empty();
    if (kind == Kind::kInt64 || kind == Kind::kTime) {
      out->i64.insert(out->i64.end(), from.i64.begin(), from.i64.end());
      if (absent) out->i64.resize(out->i64.size() + chunk->rows, kNullInt64);
    } else if (absent) {
      out->i32.resize(out->i32.size() + chunk->rows, kind == Kind::kInt32 ? kNullInt32 : kNullCode);
    } else if (kind == Kind::kInt32) {
      out->i32.insert(out->i32.end(), from.i32.begin(), from.i32.end());
    } else {
      for (int32_t id : from.i32) out->i32.push_back(id == kNullCode ? kNullCode : number(worker, id));
    }
  }
}

Table RowState::Finish(const PlanImpl& plan, const std::vector<RowState*>& states) {
  std::vector<std::pair<size_t, const Chunk*>> chunks;
  Table table;
  for (size_t worker = 0; worker < states.size(); ++worker) {
    for (const Chunk& chunk : states[worker]->chunks_) {
      chunks.emplace_back(worker, &chunk);
      table.rows += chunk.rows;
    }
  }
  std::sort(chunks.begin(), chunks.end(),
            [](const auto& a, const auto& b) { return a.second->first < b.second->first; });
  for (size_t c = 0; c < plan.select_slots.size(); ++c) {
    TableColumn column;
    Join(states, chunks, c, plan.fields[static_cast<size_t>(plan.select_slots[c])], &column);
    table.columns.push_back(std::move(column));
  }
  for (RowState* state : states) {
    state->chunks_.clear();
    state->rows_ = 0;
  }
  return table;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
