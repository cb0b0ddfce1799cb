#include "src/scan/scanned_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/container/column_names.h"
#include "src/container/inner_text.h"
#include "src/container/record_lines.h"
#include "src/scan/arrow_check.h"
#include "src/scan/arrow_rows.h"
#include "src/simd/kernels.h"
#include "src/source/memory_source.h"
#include "vpcflow/error/error.h"
#include "vpcflow/scan/table_columns.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// Rows of a unit of work.
constexpr size_t kUnitRows = 16 * kBatchRows;

std::string_view NameOf(const ArrowSchema& column) { return column.name == nullptr ? "" : column.name; }

}  // namespace

absl::Status CheckFlowColumns(const std::vector<std::string>& names) {
  if (HasFlowColumns(names)) return absl::OkStatus();
  return MakeError(
      ErrorKind::kFormat,
      absl::StrCat("no flow log records: the columns are ", Printable(absl::StrJoin(names, ", "), 200),
                   "; a record has an address or an interface, and times, counts, an action or a log status"));
}

absl::StatusOr<std::vector<Format>> FormatsOfTable(const Source& source) {
  const absl::StatusOr<std::optional<ArrowColumns>> columns = source.kind()->table()->Columns();
  if (!columns.ok()) return WithName(source.name(), columns.status());
  std::string header;
  std::vector<Format> out;
  if (!*columns) return out;
  for (const NamedColumn& column : NameColumns((*columns)->names).columns) {
    if (column.field != Field::kUnknown) absl::StrAppend(&header, column.name, " ");
  }
  if (Format format; Format::ParseHeader(header, &format, /*sure=*/true)) out.push_back(std::move(format));
  return out;
}

ScannedTable::ScannedTable(const Source& source, uint32_t number, const TableReads& reads, TablePiece piece)
    : ScannedSource(source.name(), number),
      source_(source),
      reads_(reads),
      piece_(piece),
      row_(piece.first_row),
      slots_(reads.slots != nullptr ? reads.slots : &own_slots_) {}

absl::Status ScannedTable::Begin(Report* report) {
  const ArrowTable& table = *source_.kind()->table();
  if (reads_.filter && !piece_.judged) {
    const absl::StatusOr<bool> may_hold = table.MayHold(piece_.number, reads_.filter->bounds);
    if (!may_hold.ok()) return may_hold.status();
    ruled_out_ = !*may_hold;
  }
  if (absl::Status s = Open(ruled_out_ ? reads_.filter->fields : reads_.fields); !s.ok()) return s;
  if (piece_.number == 0) Describe(report);  // once for a table
  return absl::OkStatus();
}

absl::Status ScannedTable::Open(const std::optional<std::vector<std::string>>& fields) {
  ArrowArrayStream stream{};
  if (absl::Status s = source_.kind()->table()->Open({piece_.number, fields}, &stream); !s.ok()) return s;
  reader_.emplace(&stream);
  if (absl::Status s = reader_->Open(); !s.ok()) return s;
  if (absl::Status s = CheckArrowSchema(reader_->schema()); !s.ok()) return s;
  return Bind();
}

absl::Status ScannedTable::Bind() {
  const ArrowSchema& schema = reader_->schema();
  std::vector<std::string> names;
  for (int64_t c = 0; c < schema.n_children; ++c) names.emplace_back(NameOf(*schema.children[c]));
  if (piece_.judged) {
    if (absl::Status s = CheckFlowColumns(names); !s.ok()) return s;
  }
  names_ = names;
  if (ruled_out_) {  // what the stream would have otherwise
    const absl::StatusOr<std::optional<ArrowColumns>> all = source_.kind()->table()->Columns();
    if (!all.ok()) return all.status();
    if (*all) names_ = (*all)->names;
    const std::vector<std::string> fields = FieldsOfColumns(names_);
    size_t kept = 0;
    for (size_t c = 0; c < names_.size(); ++c) {
      if (IsRead(fields[c])) names_[kept++] = names_[c];
    }
    names_.resize(kept);
  }
  const NamedColumns in_stream = NameColumns(names), in_table = NameColumns(names_);
  auto columns = std::make_shared<TableColumns>();
  columns->schema = reader_->shared_schema();
  for (const NamedColumn& column : in_stream.columns) {
    if (column.field == Field::kLogStatus) columns->status_child = static_cast<int>(column.position);
    if (reads_.slots == nullptr && column.field != Field::kUnknown && IsRead(column.name))
      own_slots_.push_back({column.field, column.name, nullptr});
  }
  if (own_slots_.empty() && reads_.slots == nullptr)  // the rows count even so
    own_slots_.push_back({Field::kLogStatus, std::string(Info(Field::kLogStatus).name), nullptr});
  const auto find = [](const NamedColumns& named, const std::string& name) {
    return std::find_if(named.columns.begin(), named.columns.end(),
                        [&](const NamedColumn& column) { return column.name == name; });
  };
  for (const FieldRef& slot : *slots_) {
    const auto found = find(in_stream, slot.name);
    columns->children.push_back(found == in_stream.columns.end() ? -1 : static_cast<int>(found->position));
    columns->has.push_back(static_cast<uint8_t>(find(in_table, slot.name) != in_table.columns.end()));
  }
  columns_ = std::move(columns);
  if (reads_.slots == nullptr) {
    std::string header;
    for (const FieldRef& slot : own_slots_) absl::StrAppend(&header, slot.name, " ");
    Format parsed;
    Format::ParseHeader(header, &parsed, /*sure=*/true);
    format_ = std::make_shared<const Format>(std::move(parsed));
  }
  return absl::OkStatus();
}

bool ScannedTable::IsRead(const std::string& field) const {
  return !reads_.fields || std::find(reads_.fields->begin(), reads_.fields->end(), field) != reads_.fields->end();
}

void ScannedTable::Describe(Report* report) const {
  // The format is that of the table, whichever of its columns a query reads.
  const absl::StatusOr<std::optional<ArrowColumns>> all = source_.kind()->table()->Columns();
  std::vector<std::string> format;
  for (const NamedColumn& column : NameColumns(all.ok() && *all ? (*all)->names : names_).columns) {
    if (column.field != Field::kUnknown) format.push_back(column.name);
  }
  report->CountFormat(absl::StrJoin(format, " "));
  const NamedColumns named = NameColumns(names_);
  for (size_t c = 0; c < names_.size(); ++c) {
    const Field field = MeaningOf(names_[c]).field;
    const auto read = std::find_if(named.columns.begin(), named.columns.end(),
                                   [&](const NamedColumn& n) { return n.field == field; });
    if (field == Field::kUnknown || read == named.columns.end() || read->position == c) continue;
    const std::string& other = names_[read->position];
    report->Warn(other == names_[c]
                     ? absl::StrCat(name(), ": two columns are named '", Printable(other), "'; the first one is read")
                     : absl::StrCat(name(), ": columns '", Printable(other), "' and '", Printable(names_[c]),
                                    "' are both the field '", read->name, "'; '", Printable(other), "' is read"));
  }
}

absl::StatusOr<bool> ScannedTable::Step() {
  const absl::StatusOr<bool> more = reader_->Next();
  if (!more.ok() || !*more) return more;
  batch_ = reader_->shared_batch();
  if (absl::Status s = CheckBatch(); !s.ok()) return s;
  length_ = static_cast<size_t>(batch_->length);
  next_ = 0;
  return true;
}

absl::StatusOr<bool> ScannedTable::Take(ResolvedBlock* out, Report* report) {
  if (columns_ == nullptr) {
    if (absl::Status s = Begin(report); !s.ok()) return WithName(name(), s);
  }
  while (next_ == length_) {
    const absl::StatusOr<bool> more = Step();
    if (!more.ok()) return WithName(name(), more.status());
    if (!*more) return false;
    if (!ruled_out_ || reads_.filter->options->trust_statistics || !AnyPasses()) continue;
    if (absl::Status s = ReadWhole(); !s.ok()) return WithName(name(), s);
  }
  const size_t rows = std::min(kUnitRows, length_ - next_);
  out->table = {columns_, batch_, next_, next_ + rows, row_};
  next_ += rows;
  row_ += rows;
  if (next_ == length_) batch_ = nullptr;
  return true;
}

bool ScannedTable::AnyPasses() const {
  ResolvedBlock block;
  block.name = &name();
  block.table = {columns_, batch_, 0, length_, row_};
  if (!CheckRows(block.table).ok()) return false;  // as those who take the rows will find
  const TableFilter& filter = *reads_.filter;
  const std::vector<size_t> slots(filter.slots.begin(), filter.slots.end());
  Report ignored;
  ArrowRows rows(*slots_, *filter.options, &ignored, nullptr);
  rows.Start(block);
  std::vector<Tri> passes;
  while (rows.Next()) {
    rows.Load(slots);
    rows.DropBad();
    passes.resize(rows.batch().rows);
    filter.filter->Evaluate(rows.batch(), filter.slots, passes);
    if (std::find(passes.begin(), passes.end(), Tri::kTrue) != passes.end()) return true;
  }
  return false;
}

absl::Status ScannedTable::ReadWhole() {
  ruled_out_ = false;
  if (absl::Status s = Open(reads_.fields); !s.ok()) return s;
  uint64_t taken = row_ - piece_.first_row;
  do {
    const absl::StatusOr<bool> more = Step();
    if (!more.ok()) return more.status();
    if (!*more) return absl::DataLossError("damaged table: it has fewer rows when it is read again");
    next_ = static_cast<size_t>(std::min<uint64_t>(taken, length_));
    taken -= next_;
  } while (next_ == length_);
  return absl::OkStatus();
}

template <class Check>
absl::Status ScannedTable::ForEachChild(const Check& check) const {
  if (columns_->status_child >= 0) {
    if (absl::Status s = check(columns_->status_child); !s.ok()) return s;
  }
  for (const int child : columns_->children) {
    if (child < 0 || child == columns_->status_child) continue;
    if (absl::Status s = check(child); !s.ok()) return s;
  }
  return absl::OkStatus();
}

// What is of the batch as a whole. Its rows are checked by those who take them.
absl::Status ScannedTable::CheckBatch() const {
  if (absl::Status s = CheckArrowBatch(*columns_->schema, *batch_); !s.ok()) return s;
  return ForEachChild([&](int child) {
    const ArrowArray& column = *batch_->children[child];
    if (!EntriesAreFew(column, batch_->length)) return absl::OkStatus();
    return CheckArrowEntries(*columns_->schema->children[child], column);
  });
}

absl::Status ScannedTable::CheckRows(const TableRows& rows) const {
  const auto first = static_cast<int64_t>(rows.first), length = static_cast<int64_t>(rows.last - rows.first);
  const int64_t begin = rows.batch->offset + first;
  const absl::Status sound = ForEachChild([&](int child) {
    const ArrowArray& column = *rows.batch->children[child];
    return CheckArrowColumn(*columns_->schema->children[child], column, begin, length,
                            EntriesAreFew(column, rows.batch->length));
  });
  if (!sound.ok()) return sound;
  for (size_t slot = 0; slot < columns_->children.size(); ++slot) {
    const int child = columns_->children[slot];
    if (child < 0) continue;
    const ArrowSchema& schema = *columns_->schema->children[child];
    const Kind kind = (*slots_)[slot].kind();
    const ArrowColumn column(schema, *rows.batch->children[child], begin);
    if (HoldsKind(column.type(), kind) || column.AllNull(rows.last - rows.first)) continue;
    return MakeError(ErrorKind::kFormat, absl::StrCat("column '", Printable(NameOf(schema)), "' has type ",
                                                      ArrowTypeName(schema), "; ", WhatHolds(kind)));
  }
  return absl::OkStatus();
}

absl::Status ScannedTable::Prepare(ResolvedBlock* out) {
  absl::Status status = WithName(name(), CheckRows(out->table));
  if (!status.ok()) out->table.last = out->table.first;
  if (reads_.slots == nullptr) Render(out);
  return status;
}

// Makes lines of the rows.
void ScannedTable::Render(ResolvedBlock* out) const {
  const TableRows rows = std::exchange(out->table, {});
  const int64_t begin = rows.batch->offset + static_cast<int64_t>(rows.first);
  std::vector<std::optional<ArrowColumn>> columns(slots_->size());
  for (size_t slot = 0; slot < columns.size(); ++slot) {
    const int child = columns_->children[slot];
    if (child >= 0) columns[slot].emplace(*columns_->schema->children[child], *rows.batch->children[child], begin);
  }
  out->block = Block();
  out->block.unwrapped = out->by_row = true;
  RecordLines lines;
  std::string scratch;
  for (size_t row = 0; row < rows.last - rows.first; ++row) {
    if (IsUnsetBit(*rows.batch, static_cast<size_t>(begin) + row)) continue;  // no record
    for (size_t slot = 0; slot < columns.size(); ++slot) {
      const Field field = (*slots_)[slot].field;
      lines.Value(columns[slot] ? ArrowText(*columns[slot], row, field, &scratch) : "-", SpellingOf(field));
    }
    lines.EndLine(LineKind::kObject);
    out->block.origins.push_back({rows.number + row + 1, LineKind::kObject});
  }
  out->rendered = std::move(lines.out());
  out->block.text = out->rendered;
  out->escaped = HasEscapes(out->rendered);
  ActiveKernels().index(out->block.text.data(), out->block.text.size(), out->index.Reserve(out->block.text.size()));
}

absl::Status ScannedTable::Settle(ResolvedBlock* out, Report* report) {
  if (reads_.slots != nullptr) return absl::OkStatus();
  const size_t lines = out->index.line_count();
  report->lines += lines;
  report->text_bytes += out->block.text.size();
  out->segments.assign(lines > 0 ? 1 : 0, {0, lines, format_});
  return absl::OkStatus();
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
