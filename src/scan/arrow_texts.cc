// Texts of a column of an Arrow stream as lines.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/scan/arrow_check.h"
#include "src/scan/arrow_column.h"
#include "src/scan/arrow_stream.h"
#include "vpcflow/error/error.h"
#include "vpcflow/format/format.h"
#include "vpcflow/scan/table_columns.h"

VPCFLOW_NAMESPACE_BEGIN

struct ArrowTexts::State {
  State(ArrowArrayStream* stream, std::string name) : reader(stream), column(std::move(name)) {}
  absl::Status Open();

  internal::ArrowReader reader;
  std::string column;
  int64_t child = -1;  // -1 for the stream itself
  std::optional<absl::Status> opened;
};

absl::Status ArrowTexts::State::Open() {
  if (absl::Status s = reader.Open(); !s.ok()) return s;
  const ArrowSchema* schema = &reader.schema();
  if (column.empty()) {
    if (absl::Status s = internal::CheckArrowField(*schema); !s.ok()) return s;
  } else {
    if (absl::Status s = internal::CheckArrowSchema(*schema); !s.ok()) return s;
    for (child = 0; child < schema->n_children; ++child) {
      const char* name = schema->children[child]->name;
      if (name != nullptr && column == name) break;
    }
    if (child == schema->n_children)
      return MakeError(ErrorKind::kFormat, absl::StrCat("no column '", internal::Printable(column), "'"));
    schema = schema->children[child];
  }
  const ArrowSchema& values = schema->dictionary == nullptr ? *schema : *schema->dictionary;
  if (internal::ParseArrowType(values.format).is_text()) return absl::OkStatus();
  return MakeError(ErrorKind::kFormat,
                   absl::StrCat("column '", internal::Printable(column), "' has type ",
                                internal::ArrowTypeName(*schema), "; log lines are read from text"));
}

ArrowTexts::ArrowTexts(ArrowArrayStream* stream, std::string column)
    : state_(std::make_unique<State>(stream, std::move(column))) {}
ArrowTexts::~ArrowTexts() = default;
ArrowTexts::ArrowTexts(ArrowTexts&&) noexcept = default;
ArrowTexts& ArrowTexts::operator=(ArrowTexts&&) noexcept = default;

absl::StatusOr<bool> ArrowTexts::Next(std::string* lines) {
  State& s = *state_;
  lines->clear();
  if (!s.opened) s.opened = s.Open();
  if (!s.opened->ok()) return *s.opened;
  const absl::StatusOr<bool> more = s.reader.Next();
  if (!more.ok() || !*more) return more;
  const ArrowArray& batch = s.reader.batch();
  const ArrowSchema& schema = s.reader.schema();
  const bool table = s.child >= 0;
  if (absl::Status status = table ? internal::CheckArrowBatch(schema, batch) : internal::CheckArrowArray(schema, batch);
      !status.ok())
    return status;
  const ArrowSchema& type = table ? *schema.children[s.child] : schema;
  const ArrowArray& array = table ? *batch.children[s.child] : batch;
  const int64_t first = table ? batch.offset : 0;
  if (absl::Status status = internal::CheckArrowColumn(type, array, first, batch.length, /*entries_checked=*/false);
      !status.ok())
    return status;
  const internal::ArrowColumn texts(type, array, first);
  for (size_t row = 0; row < static_cast<size_t>(batch.length); ++row) {
    const bool null = texts.IsNull(row) || (table && internal::IsUnsetBit(batch, static_cast<size_t>(first) + row));
    if (null) continue;
    const std::string_view text = texts.Text(row);
    lines->append(text);
    if (!text.ends_with('\n')) lines->push_back('\n');
  }
  return true;
}

VPCFLOW_NAMESPACE_END
