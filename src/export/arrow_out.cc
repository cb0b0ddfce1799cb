// Tables as Arrow streams.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <utility>

#include "vpcflow/export/arrow.h"
#include "vpcflow/export/text.h"
#include "vpcflow/result/wide.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

// The memory behind an exported column. Arrays of one stream share it with the table.
struct ColumnMemory {
  std::vector<uint8_t> validity;  // empty if nothing is null
  std::vector<uint8_t> bits;      // kBool
  std::vector<int64_t> text_offsets;
  std::string text;
  int64_t nulls = 0;
  const void* values = nullptr;
};

struct Exported {
  std::shared_ptr<const Table> table;
  std::vector<ColumnMemory> columns;
};

struct ArrayPrivate {
  std::shared_ptr<const Exported> memory;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> child_storage;
  std::vector<ArrowArray*> children;
  ArrowArray dictionary{};
};

struct SchemaPrivate {
  std::string format;
  std::string name;
  std::vector<ArrowSchema> child_storage;
  std::vector<ArrowSchema*> children;
  ArrowSchema dictionary{};
};

bool IsDictionary(ColumnType type) { return type == ColumnType::kAddress || type == ColumnType::kText; }

const char* FormatOf(ColumnType type) {
  switch (type) {
    case ColumnType::kInt32:
    case ColumnType::kAddress:
    case ColumnType::kText: return "i";  // the index, of dictionaries
    case ColumnType::kInt64: return "l";
    case ColumnType::kTime: return "tsu:UTC";
    case ColumnType::kFloat64: return "g";
    case ColumnType::kInt128: return "d:38,0";
    case ColumnType::kBool: return "b";
  }
  return "n";
}

// The bits of a predicate over rows, eight rows a byte.
template <class Predicate>
std::vector<uint8_t> Bits(size_t rows, Predicate is_set) {
  std::vector<uint8_t> bits((rows + 7) / 8);
  for (size_t i = 0; i < rows; i += 8) {
    unsigned byte = 0;
    for (size_t bit = 0; bit < std::min<size_t>(8, rows - i); ++bit) byte |= unsigned{is_set(i + bit)} << bit;
    bits[i / 8] = static_cast<uint8_t>(byte);
  }
  return bits;
}

// Validity of values among which `null` stands for null.
template <class T>
void FillValidity(const TableColumn& column, const Array<T>& values, T null, ColumnMemory* out) {
  out->values = values.data();
  if (column.no_nulls) return;
  out->nulls = std::count(values.begin(), values.end(), null);
  if (out->nulls > 0) out->validity = Bits(values.size(), [&](size_t i) { return values[i] != null; });
}

void FillColumn(const Table& table, const TableColumn& column, ColumnMemory* out) {
  switch (column.type) {
    case ColumnType::kInt32: FillValidity(column, column.i32, kNullInt32, out); break;
    case ColumnType::kAddress:
    case ColumnType::kText: FillValidity(column, column.i32, kNullCode, out); break;
    case ColumnType::kInt64:
    case ColumnType::kTime: FillValidity(column, column.i64, kNullInt64, out); break;
    case ColumnType::kInt128: FillValidity(column, column.i128, kNullInt128, out); break;
    case ColumnType::kFloat64:
      for (size_t i = 0; i < table.rows; ++i) out->nulls += column.is_null(i);
      if (out->nulls > 0) out->validity = Bits(table.rows, [&](size_t i) { return !column.is_null(i); });
      out->values = column.f64.data();
      break;
    case ColumnType::kBool:
      FillValidity(column, column.i32, kNullInt32, out);
      out->bits = Bits(table.rows, [&](size_t i) { return column.i32[i] == 1; });
      out->values = out->bits.data();
      break;
  }
  if (!IsDictionary(column.type)) return;
  out->text_offsets.push_back(0);
  const auto append = [&](std::string_view text) {
    out->text += text;
    out->text_offsets.push_back(static_cast<int64_t>(out->text.size()));
  };
  char buffer[kMaxIpText];
  for (const Ip& ip : column.addresses) append({buffer, static_cast<size_t>(FormatIp(ip, buffer) - buffer)});
  for (const std::string& text : column.texts) append(ValidUtf8(text));
}

void ReleaseArray(ArrowArray* array) {
  auto* own = static_cast<ArrayPrivate*>(array->private_data);
  for (ArrowArray* child : own->children) {
    if (child->release != nullptr) child->release(child);
  }
  if (own->dictionary.release != nullptr) own->dictionary.release(&own->dictionary);
  array->release = nullptr;
  delete own;
}

void ReleaseSchema(ArrowSchema* schema) {
  auto* own = static_cast<SchemaPrivate*>(schema->private_data);
  for (ArrowSchema* child : own->children) {
    if (child->release != nullptr) child->release(child);
  }
  if (own->dictionary.release != nullptr) own->dictionary.release(&own->dictionary);
  schema->release = nullptr;
  delete own;
}

void MakeArray(std::shared_ptr<const Exported> memory, size_t length, int64_t nulls, std::vector<const void*> buffers,
               ArrowArray* out) {
  auto* own = new ArrayPrivate{std::move(memory), std::move(buffers), {}, {}, {}};
  *out = {};
  out->length = static_cast<int64_t>(length);
  out->null_count = nulls;
  out->n_buffers = static_cast<int64_t>(own->buffers.size());
  out->buffers = own->buffers.data();
  out->release = ReleaseArray;
  out->private_data = own;
}

void MakeSchema(std::string format, std::string name, int64_t flags, ArrowSchema* out) {
  auto* own = new SchemaPrivate{std::move(format), std::move(name), {}, {}, {}};
  *out = {};
  out->format = own->format.c_str();
  out->name = own->name.c_str();
  out->flags = flags;
  out->release = ReleaseSchema;
  out->private_data = own;
}

// Sets the children of an array or schema whose private data keeps them.
template <class T, class Private>
std::vector<T>& MakeChildren(T* parent, size_t n) {
  auto* own = static_cast<Private*>(parent->private_data);
  own->children.reserve(n);
  own->child_storage.resize(n);
  for (T& child : own->child_storage) own->children.push_back(&child);
  parent->n_children = static_cast<int64_t>(n);
  parent->children = own->children.data();
  return own->child_storage;
}

void ExportSchema(const Table& table, ArrowSchema* out) {
  MakeSchema("+s", "", 0, out);
  std::vector<ArrowSchema>& children = MakeChildren<ArrowSchema, SchemaPrivate>(out, table.columns.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const TableColumn& column = table.columns[c];
    MakeSchema(FormatOf(column.type), column.name, ARROW_FLAG_NULLABLE, &children[c]);
    if (!IsDictionary(column.type)) continue;
    auto* own = static_cast<SchemaPrivate*>(children[c].private_data);
    MakeSchema("U", "", ARROW_FLAG_NULLABLE, &own->dictionary);
    children[c].dictionary = &own->dictionary;
  }
}

void ExportArray(const std::shared_ptr<const Exported>& memory, ArrowArray* out) {
  const Table& table = *memory->table;
  MakeArray(memory, table.rows, 0, {nullptr}, out);
  std::vector<ArrowArray>& children = MakeChildren<ArrowArray, ArrayPrivate>(out, table.columns.size());
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const TableColumn& column = table.columns[c];
    const ColumnMemory& m = memory->columns[c];
    MakeArray(memory, table.rows, m.nulls, {m.validity.empty() ? nullptr : m.validity.data(), m.values}, &children[c]);
    if (!IsDictionary(column.type)) continue;
    auto* own = static_cast<ArrayPrivate*>(children[c].private_data);
    MakeArray(memory, m.text_offsets.size() - 1, 0, {nullptr, m.text_offsets.data(), m.text.data()}, &own->dictionary);
    children[c].dictionary = &own->dictionary;
  }
}

struct StreamPrivate {
  std::shared_ptr<const Exported> memory;
  bool done = false;
  const char* error = nullptr;  // of the last call
};

// Fills `out`, which is released again if memory runs out: no exception may leave through a C interface.
template <class T, class Fill>
int FillOrFail(ArrowArrayStream* stream, T* out, Fill fill) {
  auto* own = static_cast<StreamPrivate*>(stream->private_data);
  *out = {};
  own->error = nullptr;
  try {
    fill(own);
    return 0;
  } catch (...) {  // memory alone runs out here
    if (out->release != nullptr) out->release(out);
    own->error = "out of memory";
    return ENOMEM;
  }
}

int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  return FillOrFail(stream, out, [&](StreamPrivate* own) { ExportSchema(*own->memory->table, out); });
}

int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  return FillOrFail(stream, out, [&](StreamPrivate* own) {
    if (!own->done) ExportArray(own->memory, out);
    own->done = true;
  });
}

const char* GetLastError(ArrowArrayStream* stream) { return static_cast<StreamPrivate*>(stream->private_data)->error; }

void ReleaseStream(ArrowArrayStream* stream) {
  delete static_cast<StreamPrivate*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

void ExportTable(std::shared_ptr<const Table> table, ArrowArrayStream* out) {
  auto memory = std::make_shared<Exported>();
  memory->columns.resize(table->columns.size());
  for (size_t c = 0; c < table->columns.size(); ++c) FillColumn(*table, table->columns[c], &memory->columns[c]);
  memory->table = std::move(table);
  *out = {GetSchema, GetNext, GetLastError, ReleaseStream, new StreamPrivate{std::move(memory)}};
}

VPCFLOW_NAMESPACE_END
