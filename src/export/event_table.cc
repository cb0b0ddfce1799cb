#include "src/export/event_table.h"

#include <charconv>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "src/export/event_values.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// A column of texts that grows: each text has one code.
class Texts {
 public:
  explicit Texts(std::string name) {
    column_.name = std::move(name);
    column_.type = ColumnType::kText;
  }
  int32_t CodeOf(std::string text) {
    const auto [at, is_new] = codes_.emplace(std::move(text), static_cast<int32_t>(column_.texts.size()));
    if (is_new) column_.texts.push_back(at->first);
    return at->second;
  }
  void Add(int32_t code) { column_.i32.push_back(code); }
  TableColumn Take() { return std::move(column_); }

 private:
  TableColumn column_;
  absl::flat_hash_map<std::string, int32_t> codes_;
};

// A member of an array: the code of its key and those of its values, kNullCode where it is absent.
struct Element {
  int32_t key = kNullCode;
  std::vector<int32_t> values{};
  bool null = false;  // its value is null wherever it is there
};

class Tables {
 public:
  Tables(const EventSchema& schema, EventColumns* columns, EventScratch* scratch)
      : schema_(schema), columns_(*columns), scratch_(*scratch) {}

  EventTables Build(const EventNode& tree) {
    out_.values.rows = columns_.rows();
    Members(tree, "");
    return std::move(out_);
  }

 private:
  void Members(const EventNode& node, const std::string& path) {
    for (const EventNode& member : node.members) {
      const std::string pointer = absl::StrCat(path, "/", member.name);
      if (member.row == nullptr) {
        member.array ? Elements(member, pointer) : Members(member, pointer);
        continue;
      }
      const EventRow& row = *member.row;
      if (row.writes.empty() || row.writes == "id" || row.writes == "schema-version") continue;
      if (const EventColumn* const column = columns_.Find(row.writes))
        out_.values.columns.push_back(ValuesOf(row, *column, pointer));
    }
  }

  TableColumn ValuesOf(const EventRow& row, const EventColumn& column, const std::string& pointer) {
    TableColumn out;
    out.name = pointer;
    const bool natural = row.as == EventValue::kNatural;
    if (column.type == ColumnType::kTime && row.as != EventValue::kText) {
      out.type = row.as == EventValue::kRfc3339 ? ColumnType::kTime : ColumnType::kInt64;
      const int64_t unit = row.as == EventValue::kRfc3339 ? 1 : kMicrosPerSecond / 1000;
      for (size_t i = 0; i < columns_.rows(); ++i)
        out.i64.push_back(column.is_null(i) ? kNullInt64 : column.i64[i] / unit);
    } else if (natural && (column.type == ColumnType::kInt32 || column.type == ColumnType::kInt64)) {
      out.type = column.type;
      if (column.i32 != nullptr) out.i32.append(column.i32, columns_.rows());
      if (column.i64 != nullptr) out.i64.append(column.i64, columns_.rows());
    } else {
      Texts texts(pointer);
      for (const int32_t code : CodesOf(row, column, &texts)) texts.Add(code);
      out = texts.Take();
      if (row.as == EventValue::kNumber) ToNumbers(&out);
    }
    return out;
  }

  static void ToNumbers(TableColumn* column) {
    std::vector<int32_t> numbers;
    for (const std::string& text : column->texts) {
      int32_t& number = numbers.emplace_back(kNullInt32);
      std::from_chars(text.data(), text.data() + text.size(), number);
    }
    for (int32_t& code : column->i32) code = code == kNullCode ? kNullInt32 : numbers[static_cast<size_t>(code)];
    column->type = ColumnType::kInt32;
    column->texts.clear();
  }

  // The code of what a row writes for each row's value.
  std::vector<int32_t> CodesOf(const EventRow& row, const EventColumn& column, Texts* texts) {
    constexpr int32_t kNew = kNullCode - 1;
    const EventColumn& values = column.i32 == nullptr && column.i64 == nullptr ? AsTexts(column, &columns_) : column;
    std::vector<int32_t> out(columns_.rows(), kNullCode);
    absl::flat_hash_map<int64_t, int32_t> known;
    for (size_t i = 0; i < out.size(); ++i) {
      if (values.is_null(i)) continue;
      const int64_t value = values.i32 != nullptr ? values.i32[i] : values.i64[i];
      int32_t& code = known.try_emplace(value, kNew).first->second;
      if (code == kNew) {
        std::optional<std::string> text = PlainValue(row, values, value);
        code = text ? texts->CodeOf(*std::move(text)) : kNullCode;
      }
      out[i] = code;
    }
    return out;
  }

  void Elements(const EventNode& node, const std::string& pointer) {
    Texts keys("key"), values("value");
    std::vector<Element> elements;
    const auto add = [&](const EventRow& row, std::string_view key, const EventColumn& column) {
      Element& one = elements.emplace_back();
      if (!key.empty()) one.key = keys.CodeOf(std::string(key));
      one.values = CodesOf(row, column, &values);
      one.null = row.as == EventValue::kNull;
    };
    for (const EventNode& member : node.members) {
      const std::string_view key = member.style == EventStyle::kPair ? member.name : member.row->constant;
      if (const EventColumn* const column = columns_.Find(member.row->writes)) add(*member.row, key, *column);
    }
    if (node.rest != nullptr) {
      for (const EventColumn* const column : RestOf(schema_, &columns_, &scratch_))
        add(RestRow(*node.rest), column->name, *column);
    }
    TableColumn counts;
    counts.name = pointer;
    counts.type = ColumnType::kInt32;
    Table table;
    for (size_t i = 0; i < columns_.rows(); ++i) {
      const size_t before = table.rows;
      for (const Element& one : elements) {
        if (one.values[i] == kNullCode) continue;
        keys.Add(one.key);
        values.Add(one.null ? kNullCode : one.values[i]);
        ++table.rows;
      }
      counts.i32.push_back(static_cast<int32_t>(table.rows - before));
    }
    table.columns.push_back(keys.Take());
    table.columns.push_back(values.Take());
    out_.values.columns.push_back(std::move(counts));
    out_.elements.emplace_back(pointer, std::move(table));
  }

  const EventSchema& schema_;
  EventColumns& columns_;
  EventScratch& scratch_;
  EventTables out_;
};

}  // namespace

EventTables TablesOf(const EventSchema& schema, const EventNode& tree, EventColumns* columns, EventScratch* scratch) {
  return Tables(schema, columns, scratch).Build(tree);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
