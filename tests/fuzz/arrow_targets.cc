// Fuzz target of tables that come in through the Arrow C interfaces: whatever a producer says, nothing outside of its
// buffers is read; and a sound table is read as its rows written as text are.
//
// The interfaces have no sizes of buffers, so that a producer can say what nobody can check: a text beyond its buffer
// that the last offset covers, too. Such lies are left out; all others are told.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "fuzz/targets.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow_fuzz {
namespace {

using namespace vpcflow;

// The input as numbers; zeros behind its end.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}
  size_t Below(size_t n) {
    if (at_ == bytes_.size()) return 0;
    return static_cast<unsigned char>(bytes_[at_++]) % n;
  }
  bool Rarely() { return Below(8) == 7; }
  int64_t Odd() {  // a number that fits nothing, or nearly
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max(), kLeast = std::numeric_limits<int64_t>::min();
    const std::array<int64_t, 10> odd = {-1, kLeast, kMost, kMost - 3, kMost / 16, int64_t{1} << 33, 0, 1, 2, 3};
    return odd[Below(odd.size())];
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
};

// How a value may be spelt in a column, and how a log has it.
struct Spelt {
  const char* text;
  const char* aws;
};
const char* const kLong = "a-text-of-forty-letters-which-lies-apart";
struct FieldValues {
  const char* name;
  std::vector<Spelt> texts;
  std::vector<int64_t> numbers;  // none for fields of texts alone
};
const std::vector<FieldValues>& Fields() {
  static const std::vector<FieldValues> fields = {
      {"srcaddr",
       {{"10.0.0.1", "10.0.0.1"},
        {"2001:db8:1111:2222::3333", "2001:db8:1111:2222::3333"},
        {"", "-"},
        {"-", "-"},
        {"NaN", "-"},
        {kLong, kLong},
        {"1.2.3", "1.2.3"}},
       {}},
      {"dstport",
       {{"22", "22"}, {"443.0", "443"}, {"70000", "70000"}, {"", "-"}, {"x", "x"}},
       {22, 0, 65535, 70000, -1}},
      {"bytes", {{"1099511627776", "1099511627776"}, {"5", "5"}, {"-", "-"}}, {1, 127, 40000, int64_t{1} << 40}},
      {"start",
       {{"1764400000", "1764400000"}, {"2025-11-29T07:06:40Z", "1764400000"}, {"1764400000123", "1764400000"}},
       {1764400000, 0, 60}},
      {"action", {{"ACCEPT", "ACCEPT"}, {"REJECT", "REJECT"}, {kLong, kLong}, {"-", "-"}, {"", "-"}}, {}},
      {"account-id", {{"123456789010", "123456789010"}, {"22", "000000000022"}}, {123456789010, 22}},
      {"log-status", {{"OK", "OK"}, {"NODATA", "NODATA"}, {"SKIPDATA", "SKIPDATA"}, {"-", "-"}}, {}},
  };
  return fields;
}

// One array or schema of the C interface, with buffers of their very sizes.
struct Node {
  ArrowArray array{};
  ArrowSchema schema{};
  std::string format, name;
  std::vector<std::unique_ptr<char[]>> memory;
  std::vector<const void*> buffers;
  size_t texts = 0;  // bytes behind offsets
  size_t rows = 0;   // in the buffers
  std::vector<std::unique_ptr<Node>> children;
  std::vector<ArrowArray*> child_arrays;
  std::vector<ArrowSchema*> child_schemas;
  std::unique_ptr<Node> dictionary;

  template <class T>
  void Add(const std::vector<T>& values) {
    const size_t size = values.size() * sizeof(T);
    memory.push_back(std::make_unique<char[]>(size));
    if (size > 0) std::memcpy(memory.back().get(), values.data(), size);
    buffers.push_back(memory.back().get());
  }
  char* Buffer(size_t i) { return static_cast<char*>(const_cast<void*>(buffers[i])); }
  // Links the structs to what is here.
  void Seal(int64_t length, int64_t offset) {
    rows = static_cast<size_t>(length + offset);
    array.length = length;
    array.offset = offset;
    array.null_count = -1;
    array.n_buffers = static_cast<int64_t>(buffers.size());
    array.buffers = buffers.data();
    array.release = [](ArrowArray* a) { a->release = nullptr; };
    schema.format = format.c_str();
    schema.name = name.c_str();
    schema.release = [](ArrowSchema* s) { s->release = nullptr; };
    for (const auto& child : children) {
      child_arrays.push_back(&child->array);
      child_schemas.push_back(&child->schema);
    }
    array.n_children = schema.n_children = static_cast<int64_t>(children.size());
    array.children = child_arrays.data();
    schema.children = child_schemas.data();
    if (!dictionary) return;
    array.dictionary = &dictionary->array;
    schema.dictionary = &dictionary->schema;
  }
};

void AddValidity(const std::vector<uint8_t>& valid, bool wanted, Node* node) {
  if (!wanted) return node->buffers.push_back(nullptr);
  std::vector<uint8_t> bits((valid.size() + 7) / 8);
  for (size_t i = 0; i < valid.size(); ++i) bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | (valid[i] << (i % 8)));
  node->Add(bits);
}

template <class Offset>
void AddOffsets(const std::vector<std::string>& texts, Node* node) {
  std::vector<Offset> offsets = {0};
  std::vector<char> bytes;
  for (const std::string& text : texts) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    offsets.push_back(static_cast<Offset>(bytes.size()));
  }
  node->Add(offsets);
  node->Add(bytes);
  node->texts = bytes.size();
}

void AddViews(const std::vector<std::string>& texts, Node* node) {
  std::vector<int32_t> words;
  std::array<std::vector<char>, 2> apart;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::array<int32_t, 4> view = {static_cast<int32_t>(texts[i].size()), 0, 0, 0};
    if (texts[i].size() <= 12) {
      if (!texts[i].empty()) std::memcpy(&view[1], texts[i].data(), texts[i].size());
    } else {
      std::vector<char>& own = apart[i % 2];
      view[2] = static_cast<int32_t>(i % 2);
      view[3] = static_cast<int32_t>(own.size());
      own.insert(own.end(), texts[i].begin(), texts[i].end());
    }
    words.insert(words.end(), view.begin(), view.end());
  }
  node->Add(words);
  for (const auto& bytes : apart) node->Add(bytes);
  node->Add(std::vector<int64_t>{static_cast<int64_t>(apart[0].size()), static_cast<int64_t>(apart[1].size())});
}

template <class T>
void AddNumbers(const std::vector<int64_t>& numbers, Node* node) {
  std::vector<T> out;
  for (const int64_t number : numbers) out.push_back(static_cast<T>(number));
  node->Add(out);
}

// Indices of one of the integer types.
void AddIntegers(const std::vector<int64_t>& numbers, char code, Node* node) {
  node->format.assign(1, code);
  switch (code) {
    case 'c': return AddNumbers<int8_t>(numbers, node);
    case 'S': return AddNumbers<uint16_t>(numbers, node);
    case 'i': return AddNumbers<int32_t>(numbers, node);
    case 'L': return AddNumbers<uint64_t>(numbers, node);
    default: return AddNumbers<int64_t>(numbers, node);
  }
}

void AddTexts(const std::vector<std::string>& texts, size_t layout, Node* node) {
  static const char* const kFormats[] = {"u", "U", "vu", "z", "Z"};
  node->format = kFormats[layout];
  if (layout == 2) return AddViews(texts, node);
  return layout == 1 || layout == 4 ? AddOffsets<int64_t>(texts, node) : AddOffsets<int32_t>(texts, node);
}

// The rows of a table, and what a log of them has.
struct FuzzTable {
  Node root;
  std::vector<std::vector<std::string>> aws;  // by row, by column
  std::vector<uint8_t> valid;                 // by row
};

struct Shape {
  size_t before, lead, count, tail;  // rows before the array's offset, before the batch's, of it, behind it
  size_t all() const { return before + lead + count + tail; }
};

void AddNumberColumn(const FieldValues& field, const std::vector<size_t>& picks, Choices* choose, Node* node,
                     std::vector<std::string>* aws) {
  const bool time = std::strcmp(field.name, "start") == 0;
  std::vector<int64_t> numbers;
  for (const size_t pick : picks) {
    numbers.push_back(field.numbers[pick % field.numbers.size()]);
    std::string text = std::to_string(numbers.back());
    if (std::strcmp(field.name, "account-id") == 0) text.insert(0, 12 - text.size(), '0');
    aws->push_back(text);
  }
  switch (choose->Below(time ? 5 : 4)) {
    case 0: return AddIntegers(numbers, 'l', node);
    case 1: node->format = "g"; return AddNumbers<double>(numbers, node);
    case 2: {
      node->format = "d:20,1";
      std::vector<int64_t> halves;  // the low one, then its sign
      for (const int64_t number : numbers) halves.insert(halves.end(), {number * 10, number < 0 ? -1 : 0});
      return AddNumbers<int64_t>(halves, node);
    }
    case 3: {
      node->format = "d:18,0,64";
      return AddNumbers<int64_t>(numbers, node);
    }
    default:
      node->format = "tsm:";
      for (int64_t& number : numbers) number = number * 1000 + 999;
      return AddNumbers<int64_t>(numbers, node);
  }
}

std::unique_ptr<Node> MakeColumn(const FieldValues& field, const Shape& rows, Choices* choose,
                                 std::vector<std::string>* aws) {
  auto node = std::make_unique<Node>();
  node->name = field.name;
  std::vector<size_t> picks;
  std::vector<uint8_t> valid;
  const bool nulls = choose->Below(2) == 1;
  for (size_t i = 0; i < rows.all(); ++i) {
    picks.push_back(choose->Below(64));
    valid.push_back(nulls && choose->Rarely() ? 0 : 1);
  }
  AddValidity(valid, nulls, node.get());
  std::vector<std::string> texts;
  if (!field.numbers.empty() && choose->Below(2) == 1) {
    AddNumberColumn(field, picks, choose, node.get(), aws);
  } else if (choose->Below(3) == 2) {
    auto entries = std::make_unique<Node>();
    for (const Spelt& spelt : field.texts) texts.emplace_back(spelt.text);
    entries->buffers.push_back(nullptr);
    AddTexts(texts, choose->Below(5), entries.get());
    entries->Seal(static_cast<int64_t>(texts.size()), 0);
    std::vector<int64_t> indices;
    for (size_t i = 0; i < picks.size(); ++i) {
      aws->emplace_back(field.texts[picks[i] % texts.size()].aws);
      indices.push_back(valid[i] != 0 ? static_cast<int64_t>(picks[i] % texts.size()) : 77);
    }
    AddIntegers(indices, "cSilL"[choose->Below(5)], node.get());
    node->dictionary = std::move(entries);
  } else {
    for (const size_t pick : picks) {
      const Spelt& spelt = field.texts[pick % field.texts.size()];
      texts.emplace_back(spelt.text);
      aws->emplace_back(spelt.aws);
    }
    AddTexts(texts, choose->Below(5), node.get());
  }
  for (size_t i = 0; i < valid.size(); ++i) {
    if (valid[i] == 0) (*aws)[i] = "-";
  }
  node->Seal(static_cast<int64_t>(rows.all() - rows.before), static_cast<int64_t>(rows.before));
  return node;
}

void MakeTable(Choices* choose, FuzzTable* out) {
  const Shape shape = {0, choose->Below(3), choose->Below(30), choose->Below(3)};
  out->root.format = "+s";
  out->aws.resize(shape.count);
  for (const FieldValues& field : Fields()) {
    Shape own = shape;
    own.before = choose->Below(10);
    std::vector<std::string> aws;
    out->root.children.push_back(MakeColumn(field, own, choose, &aws));
    for (size_t row = 0; row < shape.count; ++row) out->aws[row].push_back(aws[own.before + own.lead + row]);
  }
  const bool nulls = choose->Below(2) == 1;
  std::vector<uint8_t> valid(shape.lead + shape.count, 1);
  for (uint8_t& v : valid) v = nulls && choose->Rarely() ? 0 : 1;
  AddValidity(valid, nulls, &out->root);
  out->valid.assign(valid.begin() + static_cast<std::ptrdiff_t>(shape.lead), valid.end());
  out->root.Seal(static_cast<int64_t>(shape.count), static_cast<int64_t>(shape.lead));
}

// Changes a number within a buffer of a column, where it can be found out that it is wrong.
void HurtValues(Node* node, Choices* choose) {
  if (node->rows == 0 || node->buffers[1] == nullptr || node->buffers.back() == nullptr) return;
  const size_t row = choose->Below(node->rows);
  if (node->dictionary) {
    if (choose->Below(2) == 1) return HurtValues(node->dictionary.get(), choose);
    const size_t width = node->format == "c" ? 1 : node->format == "S" ? 2 : node->format == "i" ? 4 : 8;
    node->Buffer(1)[row * width + choose->Below(width)] = static_cast<char>(choose->Below(256));
  } else if (node->format == "vu") {
    if (choose->Rarely()) {  // the size of a text buffer, smaller
      int64_t size;
      std::memcpy(&size, node->Buffer(4), sizeof size);
      size = std::min(size, choose->Odd());
      std::memcpy(node->Buffer(4), &size, sizeof size);
    }
    for (size_t n = choose->Below(4); n > 0; --n)
      node->Buffer(1)[row * 16 + choose->Below(16)] = static_cast<char>(choose->Below(256));
  } else if (node->format == "u" || node->format == "z") {
    const auto value = static_cast<int32_t>(std::min(choose->Odd(), static_cast<int64_t>(node->texts)));
    std::memcpy(node->Buffer(1) + (row + choose->Below(2)) * sizeof value, &value, sizeof value);
  } else if (node->format == "U" || node->format == "Z") {
    const int64_t value = std::min(choose->Odd(), static_cast<int64_t>(node->texts));
    std::memcpy(node->Buffer(1) + (row + choose->Below(2)) * sizeof value, &value, sizeof value);
  }
}

void HurtType(Node* node, Choices* choose) {
  static const char* const kFormats[] = {"+l",    "+r", "b", "w:16", "n", "tdX", "", "d:x", "d:999999999999,1",
                                         "+ud:0", "e"};
  const size_t pick = choose->Below(std::size(kFormats) + 2);
  if (pick < std::size(kFormats)) node->schema.format = kFormats[pick];
  if (pick == std::size(kFormats)) node->schema.format = nullptr;
  if (pick > std::size(kFormats)) node->schema.dictionary = nullptr;
}

void Hurt(Node* root, Choices* choose) {
  Node* node = root->children[choose->Below(root->children.size())].get();
  if (node->dictionary && choose->Below(3) == 2) node = node->dictionary.get();
  if (choose->Rarely()) node = root;
  ArrowArray& array = node->array;
  switch (choose->Below(12)) {
    case 0: {  // more rows than there are can be found out of the table alone
      const int64_t length = choose->Odd();
      array.length = node == root ? length : std::min(length, array.length);
      break;
    }
    case 1:
      if (const int64_t offset = choose->Odd(); node == root || offset < 0 || offset > (int64_t{1} << 40))
        array.offset = offset;
      break;
    case 2:
      if (const int64_t n = choose->Odd(); node->format != "vu" || n < 3) array.n_buffers = n;
      break;
    case 3: array.buffers = nullptr; break;
    case 4: node->buffers[choose->Below(node->buffers.size())] = nullptr; break;
    case 5: array.null_count = choose->Odd(); break;
    case 6: array.dictionary = nullptr; break;
    case 7:
      if (choose->Below(2) == 1) {
        root->array.n_children = choose->Odd();
      } else {
        root->schema.n_children = std::min(choose->Odd(), root->schema.n_children);
      }
      break;
    case 8:
      if (choose->Below(2) == 1) {
        root->child_arrays[choose->Below(root->child_arrays.size())] = nullptr;
      } else {
        root->child_schemas[choose->Below(root->child_schemas.size())] = nullptr;
      }
      break;
    case 9: HurtType(node, choose); break;
    case 10:
      if (node->buffers[0] != nullptr && node->rows > 0) node->Buffer(0)[0] = static_cast<char>(choose->Below(256));
      break;
    default: HurtValues(node == root ? root->children[0].get() : node, choose); break;
  }
}

// A stream of the one batch, twice if asked; counts what its consumer releases.
struct Stream {
  Node* root;
  int batches;
  bool fails;  // at the end
  int released = 0;
  static void Open(Stream* own, ArrowArrayStream* out) {
    *out = {};
    out->get_schema = [](ArrowArrayStream* s, ArrowSchema* schema) {
      *schema = static_cast<Stream*>(s->private_data)->root->schema;
      return 0;
    };
    out->get_next = [](ArrowArrayStream* s, ArrowArray* array) {
      auto* self = static_cast<Stream*>(s->private_data);
      *array = {};
      if (self->batches == 0) return self->fails ? EIO : 0;
      --self->batches;
      *array = self->root->array;
      return 0;
    };
    out->get_last_error = [](ArrowArrayStream*) -> const char* { return "it fails"; };
    out->release = [](ArrowArrayStream* s) {
      ++static_cast<Stream*>(s->private_data)->released;
      s->release = nullptr;
    };
    out->private_data = own;
  }
};

std::string LogOf(const FuzzTable& table, int times) {
  std::string log;
  for (const FieldValues& field : Fields()) log += std::string(log.empty() ? "" : " ") + field.name;
  for (int i = 0; i < times; ++i) {
    for (size_t row = 0; row < table.aws.size(); ++row) {
      if (table.valid[row] == 0) continue;
      for (size_t c = 0; c < table.aws[row].size(); ++c) log += (c == 0 ? "\n" : " ") + table.aws[row][c];
    }
  }
  return log + "\n";
}

void Arrow(std::string_view bytes) {
  Choices choose(bytes);
  const bool hurt = choose.Below(3) != 0;
  const int batches = 1 + static_cast<int>(choose.Below(2));
  ScanOptions options;
  options.threads = 1;
  options.on_error = choose.Below(2) == 1 ? OnError::kNull : OnError::kSkip;
  options.allow_empty = true;
  options.poll = [](const Progress&) { return true; };
  FuzzTable table;
  MakeTable(&choose, &table);
  const std::string log = LogOf(table, batches);
  if (hurt) {
    for (size_t n = 1 + choose.Below(3); n > 0; --n) Hurt(&table.root, &choose);
  }
  PlanSpec spec;
  for (const FieldValues& field : Fields()) spec.select.emplace_back(field.name);
  const Plan plan = *Plan::Make(spec);
  Stream own{&table.root, batches, choose.Rarely()};
  const bool fails = own.fails;
  ArrowArrayStream stream;
  Stream::Open(&own, &stream);
  Report report;
  const absl::StatusOr<std::vector<Result>> got =
      RunAll({&plan, 1}, {Source::Arrow("<arrow>", &stream)}, options, &report);
  VPCFLOW_FUZZ_CHECK(own.released == 1 && stream.release == nullptr);
  for (const Reject& reject : report.rejects) VPCFLOW_FUZZ_CHECK(reject.excerpt.size() <= 400);
  if (hurt || fails || !got.ok()) return;
  const absl::StatusOr<Result> wanted = plan.Run({Source::Bytes("log", std::string_view(log))}, options);
  VPCFLOW_FUZZ_CHECK(report.errors.empty() && wanted.ok());
  VPCFLOW_FUZZ_CHECK(ToJsonLines((*got)[0].table) == ToJsonLines(wanted->table));
  VPCFLOW_FUZZ_CHECK(report.rejected() == wanted->report.rejected());
  VPCFLOW_FUZZ_CHECK(report.ok == wanted->report.ok && report.nodata == wanted->report.nodata);
  VPCFLOW_FUZZ_CHECK(report.nulled_values == wanted->report.nulled_values);
}

std::vector<std::string> ArrowSeeds() {
  std::vector<std::string> out;
  for (size_t i = 0; i < 24; ++i) {
    std::string seed;
    for (size_t at = 0; at < 700; ++at) seed += static_cast<char>((at * at * 31 + at * (2 * i + 1) * 7 + i * 13) >> 2);
    seed[0] = static_cast<char>(i % 3);
    out.push_back(seed);
  }
  return out;
}

}  // namespace

std::vector<Target> ArrowTargets() { return {{"arrow", Arrow, ArrowSeeds}}; }

}  // namespace vpcflow_fuzz
