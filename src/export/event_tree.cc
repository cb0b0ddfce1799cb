#include "src/export/event_tree.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "src/export/event_schemas.h"
#include "src/export/json_text.h"
#include "vpcflow/format/field.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kLongestNumber = 24, kLongestMade = 96, kMadeKept = 1024;

bool IsRest(const EventRow& row) { return row.as == EventValue::kRest || row.as == EventValue::kRestTexts; }

bool IsWritten(const EventRow& row) { return !row.writes.empty() || !row.constant.empty() || IsRest(row); }

// The node of a name among the members of another, made if it is not there.
EventNode* MemberOf(EventNode* parent, std::string_view name, EventStyle style) {
  for (EventNode& member : parent->members) {
    if (member.row == nullptr && member.name == name) return &member;
  }
  EventNode& made = parent->members.emplace_back();
  made.name = name;
  made.style = style;
  return &made;
}

// Whether some row writes a column of the table.
bool IsCovered(const EventSchema& schema, std::string_view name, std::string_view field, bool sessions,
               EventScratch* scratch) {
  const auto known = scratch->covered.find(name);
  if (known != scratch->covered.end()) return known->second;
  // A label is not, but for the name that conversations have.
  const bool may_be = sessions || field == "community-uid" || FindField(field).has_value();
  const bool covered = may_be && std::any_of(schema.rows.begin(), schema.rows.end(),
                                             [&](const EventRow& row) { return Covers(row.writes, field); });
  return scratch->covered.emplace(name, covered).first->second;
}

// The values of a field that are not read from its place as they were, which has words for others; null for none.
const EventColumn* NotExact(const EventSchema& schema, const EventColumn& column, std::string_view field,
                            EventColumns* columns) {
  const auto place = std::find_if(schema.rows.begin(), schema.rows.end(),
                                  [&](const EventRow& row) { return row.reads == field && !row.writes.empty(); });
  if (place == schema.rows.end() || (place->as != EventValue::kWord && place->as != EventValue::kNumber))
    return nullptr;
  EventColumn out = EventColumn::Like(column, columns->rows());
  std::vector<bool> exact;
  for (const std::string& text : column.is_text() ? column.texts() : std::vector<std::string>())
    exact.push_back(IsReadAsWritten(*place, text));
  for (size_t i = 0; i < columns->rows(); ++i) {
    if (out.is_null(i)) continue;
    if (column.is_text() ? exact[static_cast<size_t>(out.i32[i])]
                         : column.type == ColumnType::kInt32 && IsReadAsWritten(*place, std::to_string(out.i32[i])))
      out.set_null(i);
  }
  return columns->IsAllNull(out) ? nullptr : &columns->Keep(std::move(out));
}

// Builds the steps of one batch.
class Steps {
 public:
  Steps(const EventSchema& schema, std::string_view version, EventColumns* columns, EventScratch* scratch)
      : schema_(schema), version_(version), columns_(*columns), scratch_(*scratch) {}

  std::vector<EventStep> Build(const EventNode& tree) {
    Text(schema_.json ? "{" : "");
    Members(tree);
    return std::move(steps_);
  }

 private:
  static void Seal(EventStep* step) {
    step->size = step->text.size();
    step->behind_size = step->behind.size();
    step->text.resize(step->size + EventStep::kSlack);
    step->behind.resize(step->behind_size + EventStep::kSlack);
    step->longest += step->size + step->behind_size;
  }

  // Appends a text to each row, with the text of the step before if there is one.
  void Text(std::string_view text) {
    if (text.empty()) return;
    if (steps_.empty() || steps_.back().kind != EventStep::Kind::kText) {
      Seal(&steps_.emplace_back());
    }
    EventStep& step = steps_.back();
    step.text.resize(step.size);
    step.text += text;
    step.longest = step.size = step.text.size();
    step.text.resize(step.size + EventStep::kSlack);
  }

  void Framed(EventStep::Kind kind, MemberFrame frame) {
    EventStep& step = steps_.emplace_back();
    step.kind = kind;
    step.text = std::move(frame.before);
    step.behind = std::move(frame.behind);
    Seal(&step);
    step.longest += 2 * kLongestNumber;
  }

  void Members(const EventNode& node) {
    for (size_t i = 0; i < node.members.size();) {
      const EventNode& member = node.members[i++];
      if (member.row == nullptr) {
        Nested(member);
        continue;
      }
      const EventRow& row = *member.row;
      if (row.writes == "id") {
        Framed(EventStep::Kind::kId, FrameOf(member.name, member.style, true));
      } else if (row.writes == "schema-version") {
        const MemberFrame frame = FrameOf(member.name, member.style, true);
        Text(frame.before + std::string(version_) + frame.behind);
      } else if (row.writes.empty()) {
        const MemberFrame frame = FrameOf(member.name, member.style, false);
        Text(frame.before + std::string(row.constant) + frame.behind);
      } else {
        std::vector<EventNode> group = {member};
        while (i < node.members.size() && node.members[i].row != nullptr && node.members[i].row->writes == row.writes)
          group.push_back(node.members[i++]);
        if (const EventColumn* const column = columns_.Find(row.writes)) Values(*column, std::move(group));
      }
    }
    if (node.rest != nullptr) Rest(node);
  }

  void Nested(const EventNode& node) {
    EventStep& begin = steps_.emplace_back();
    begin.kind = EventStep::Kind::kBegin;
    begin.text = FrameOf(node.name, node.style, false).before + (node.array ? '[' : '{');
    Seal(&begin);
    const size_t before = steps_.size();
    Members(node);
    const bool keep = node.rest != nullptr && !node.rest->constant.empty() && !node.array;
    if (steps_.size() == before && !keep) {
      steps_.pop_back();
      return;
    }
    EventStep& end = steps_.emplace_back();
    end.kind = EventStep::Kind::kEnd;
    end.bracket = node.array ? ']' : '}';
    end.keep = keep;
    end.longest = 2;
  }

  // Members of the values of a dictionary, made of those that stand in the rows, in order of appearance.
  void Codes(const EventColumn& column, EventStep step) {
    step.kind = EventStep::Kind::kCodes;
    step.begins.assign(2, 0);
    step.places.resize(columns_.rows());
    std::vector<int32_t>& numbers = scratch_.numbers;  // null first, which has place 0
    if (numbers.size() <= column.dictionary_size()) numbers.resize(column.dictionary_size() + 1, kNullCode);
    numbers[0] = 0;
    std::vector<size_t> used;
    for (size_t row = 0; row < columns_.rows(); ++row) {
      int32_t& number = numbers[static_cast<size_t>(column.i32[row] + 1)];
      if (number == kNullCode) {
        used.push_back(static_cast<size_t>(column.i32[row]));
        number = static_cast<int32_t>(used.size());
      }
      step.places[row] = number;
    }
    for (const size_t code : used) {
      numbers[code + 1] = kNullCode;
      const size_t before = step.text.size();
      for (const EventMember& value : step.values) AppendMember(value, column, static_cast<int64_t>(code), &step.text);
      step.longest = std::max(step.longest, step.text.size() - before);
      step.begins.push_back(step.text.size());
    }
    step.text.resize(step.text.size() + EventStep::kSlack);
    if (step.longest <= EventStep::kMostCopied) step.copied = (step.longest + 31) / 32 * 32;
    steps_.push_back(std::move(step));
    steps_.back().codes = steps_.back().places.data();
  }

  // Members made of the values of one column.
  void Values(const EventColumn& column, std::vector<EventNode> nodes) {
    EventStep step;
    step.column = &column;
    for (const EventNode& node : nodes) step.values.emplace_back(*node.row, node.name, node.style);
    if (column.type == ColumnType::kText || column.type == ColumnType::kAddress) return Codes(column, std::move(step));
    if (column.type == ColumnType::kTime) return Times(column, nodes);
    const bool narrow = column.type == ColumnType::kInt32 || column.type == ColumnType::kBool;
    if (!narrow && column.type != ColumnType::kInt64) return Values(AsTexts(column, &columns_), std::move(nodes));
    const EventNode& first = nodes.front();
    const bool number = column.type == ColumnType::kInt32 || column.type == ColumnType::kInt64;
    if (number && nodes.size() == 1 && (first.row->as == EventValue::kNatural || first.row->as == EventValue::kText)) {
      Framed(narrow ? EventStep::Kind::kNumber32 : EventStep::Kind::kNumber64,
             FrameOf(first.name, first.style, first.row->as == EventValue::kText));
    } else {
      step.kind = narrow ? EventStep::Kind::kMade32 : EventStep::Kind::kMade64;
      step.made = &scratch_.made[{first.row, first.name, column.type}];
      step.made->resize(kMadeKept);
      for (const EventMember& value : step.values)
        step.longest += value.frame.before.size() + value.frame.behind.size() + kLongestMade;
      steps_.push_back(std::move(step));
    }
    steps_.back().codes = column.i32;
    steps_.back().wide = column.i64;
  }

  void Times(const EventColumn& column, const std::vector<EventNode>& nodes) {
    for (const EventNode& node : nodes) {
      const EventValue as = node.row->as;
      const bool text = as == EventValue::kRfc3339;
      Framed(text                           ? EventStep::Kind::kRfc3339
             : as == EventValue::kMillis    ? EventStep::Kind::kMillis
             : as == EventValue::kTimeNanos ? EventStep::Kind::kNanos
                                            : EventStep::Kind::kSeconds,
             FrameOf(node.name, node.style, text || as == EventValue::kText));
      steps_.back().wide = column.i64;
    }
  }

  void Rest(const EventNode& node) {
    for (const EventColumn* const column : RestOf(schema_, &columns_, &scratch_)) {
      EventNode member;
      member.name = column->name;
      member.style = node.array ? EventStyle::kPair : EventStyle::kObject;
      member.row = &RestRow(*node.rest);
      Values(*column, {std::move(member)});
    }
  }

  const EventSchema& schema_;
  std::string_view version_;
  EventColumns& columns_;
  EventScratch& scratch_;
  std::vector<EventStep> steps_;
};

}  // namespace

EventNode MakeEventTree(const EventSchema& schema, bool maps) {
  EventNode root;
  for (const EventRow& row : schema.rows) {
    if (!IsWritten(row)) continue;
    const bool rest = IsRest(row);
    std::vector<std::string> parts = absl::StrSplit(absl::string_view(row.pointer.data(), row.pointer.size()), '/');
    EventNode* at = &root;
    std::string path;
    for (size_t i = 1; i + (rest ? 0 : 1) < parts.size(); ++i) {
      absl::StrAppend(&path, "/", parts[i]);
      at->array |= parts[i] == "-";
      at = MemberOf(at, parts[i], parts[i] == "-" ? EventStyle::kElement : EventStyle::kObject);
      at->array |= maps && path == schema.own;
    }
    if (rest) {
      at->rest = &row;
      continue;
    }
    EventNode& value = at->members.emplace_back();
    value.name = parts.back();
    value.row = &row;
    value.style = schema.json ? EventStyle::kObject : row.pointer.empty() ? EventStyle::kRaw : EventStyle::kCef;
    if (at->array) value.style = EventStyle::kPair;
    if (value.name == "-") {
      at->array = true;
      value.style = EventStyle::kElement;
    }
  }
  return root;
}

const EventColumn& AsTexts(const EventColumn& column, EventColumns* columns) {
  EventColumn out = EventColumn::Nulls(column.name, ColumnType::kText, nullptr, columns->rows());
  std::vector<std::string> texts;
  for (size_t i = 0; i < columns->rows(); ++i) {
    if (column.is_null(i)) continue;
    out.mutable32()[i] = static_cast<int32_t>(texts.size());
    texts.push_back(column.values->ToText(column.first + i));
  }
  out.values = columns->Dictionary(std::move(texts));
  return columns->Keep(std::move(out));
}

std::vector<const EventColumn*> RestOf(const EventSchema& schema, EventColumns* columns, EventScratch* scratch) {
  std::vector<const EventColumn*> out;
  for (const EventColumn* const column : columns->own()) {
    std::string field(column->name);
    std::replace(field.begin(), field.end(), '_', '-');
    const bool covered = IsCovered(schema, column->name, field, columns->sessions(), scratch);
    const EventColumn* const values = covered ? NotExact(schema, *column, field, columns) : column;
    if (values != nullptr && !columns->IsAllNull(*values)) out.push_back(values);
  }
  return out;
}

const EventRow& RestRow(const EventRow& rest) {
  static constexpr EventRow kAsText = {.as = EventValue::kText}, kNatural = {};
  return rest.as == EventValue::kRestTexts ? kAsText : kNatural;
}

std::string EventStep::Make(int64_t value) const {
  std::string out;
  for (const EventMember& member : values) AppendMember(member, *column, value, &out);
  return out;
}

std::vector<EventStep> StepsOf(const EventSchema& schema, const EventNode& tree, std::string_view version,
                               EventColumns* columns, EventScratch* scratch) {
  return Steps(schema, version, columns, scratch).Build(tree);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
