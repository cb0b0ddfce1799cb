#include "src/container/json_records.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <new>
#include <utility>

#include "src/container/blob.h"
#include "src/container/ocsf.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

constexpr int kMaxDepth = 3;  // blobs inside of documents inside of blobs

// A member that is text, or data() == null.
std::string_view Text(const dom::object& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

// Members that tell what an object is, those that hold entries in the order of kEntryMembers.
enum Member : size_t {
  kBehindEntries = std::size(kEntryMembers),
  kAwsLogs = kBehindEntries,
  kKinesis,
  kData,
  kRecordId,
  kMessage,
  kAtMessage,
  kBody,
  kLog,
  kClassUid,
  kMessageType,
  kMembers
};
constexpr std::array<std::string_view, kMembers> kMemberNames = [] {
  std::array<std::string_view, kMembers> out = {};
  std::copy(std::begin(kEntryMembers), std::end(kEntryMembers), out.begin());
  constexpr std::string_view kOthers[] = {"awslogs",  "kinesis", "data", "recordId",  "message",
                                          "@message", "body",    "log",  "class_uid", "messageType"};
  std::copy(std::begin(kOthers), std::end(kOthers), out.begin() + kBehindEntries);
  return out;
}();

// Those of an object, found in one walk over it: to look for them one by one takes longer than all the rest.
class Members {
 public:
  explicit Members(const dom::object& object) {
    for (const auto& [key, value] : object) {
      for (size_t i = 0; i < kMembers; ++i) {
        const std::string_view name = kMemberNames[i];
        if (key.size() != name.size() || key.front() != name.front() || key != name) continue;
        if (!there_[i]) values_[i] = value;  // of members that come twice the first, as simdjson has it
        there_[i] = any_ = true;
      }
    }
  }
  bool any() const { return any_; }
  bool has(Member member) const { return there_[member]; }
  template <class T>
  bool Get(Member member, T* value) const {
    return there_[member] && values_[member].get(*value) == simdjson::SUCCESS;
  }

 private:
  dom::element values_[kMembers];
  bool there_[kMembers] = {};
  bool any_ = false;
};

class Documents {
 public:
  Documents(RecordLines* lines, JsonRecords* json, int depth) : lines_(*lines), json_(*json), depth_(depth) {}

  void Take(const dom::element& value) {
    dom::array array;
    dom::object object;
    if (value.get(array) == simdjson::SUCCESS) {
      for (const dom::element entry : array) Take(entry);
    } else if (value.get(object) == simdjson::SUCCESS) {
      TakeObject(object);
    } else if (std::string_view text; value.get(text) == simdjson::SUCCESS) {
      lines_.Message(text);  // lines as an array of texts
    } else {
      lines_.NoRecord(simdjson::minify(value));
    }
  }

  // One of an array of entries. Where a subscription's filter names columns, they are in extractedFields, too.
  void TakeEntry(const dom::element& entry) {
    dom::array row;
    dom::object object, fields;
    if (entry.get(row) == simdjson::SUCCESS) {
      TakeInsightsRow(row);
    } else if (entry.get(object) == simdjson::SUCCESS && Text(object, "message").data() == nullptr &&
               object["extractedFields"].get(fields) == simdjson::SUCCESS) {
      TakeRecord(fields);
    } else {
      Take(entry);
    }
  }

 private:
  void TakeObject(const dom::object& object) {
    const Members members(object);
    if (!members.any()) return TakeRecord(object);
    if (TakeEnvelope(members)) return;
    for (const Member member : {kMessage, kAtMessage, kBody, kLog}) {
      std::string_view text;
      if (!members.Get(member, &text)) continue;
      if (text.starts_with('{')) {  // a record as JSON in JSON
        std::string inner(text);
        JsonSplitter::Pad(&inner);
        if (depth_ < kMaxDepth) {
          json_.Take(inner, depth_ + 1);
        } else {
          lines_.NoRecord(text);
        }
      } else {
        lines_.Message(text);
      }
      return;
    }
    if (uint64_t uid; members.Get(kClassUid, &uid) && uid == kOcsfNetworkActivity) {
      TakeOcsf(object, &lines_);
      return;
    }
    TakeRecord(object);
  }

  // What other records stand in. False if it is nothing of the kind.
  bool TakeEnvelope(const Members& members) {
    std::string_view text;
    // CloudWatch Logs tests the destination: no records.
    if (members.Get(kMessageType, &text) && text == "CONTROL_MESSAGE") return true;
    for (size_t member = 0; member < kBehindEntries; ++member) {
      dom::array entries;
      if (!members.Get(static_cast<Member>(member), &entries)) continue;
      for (const dom::element entry : entries) TakeEntry(entry);
      return true;
    }
    for (const Member member : {kAwsLogs, kKinesis}) {  // events of Lambda functions
      dom::object inner;
      if (!members.Get(member, &inner)) continue;
      const std::string_view blob = Text(inner, "data");
      if (blob.data() == nullptr) continue;
      TakeBlob(blob);
      return true;
    }
    if (members.Get(kData, &text) && members.has(kRecordId)) {  // of Firehose's Lambda events
      TakeBlob(text);
      return true;
    }
    return false;
  }

  void TakeBlob(std::string_view base64) {
    const std::string text = UnpackBlob(base64);
    lines_.CountUnpacked(text.size());
    if (text.empty() || depth_ >= kMaxDepth) {
      lines_.NoRecord(base64);
    } else {
      json_.Take(text, depth_ + 1);
    }
  }

  // A row of get-query-results: [{"field": "@message", "value": "..."}, ...].
  void TakeInsightsRow(const dom::array& row) {
    lines_.Begin();
    for (const dom::element entry : row) {
      dom::object cell;
      if (entry.get(cell) != simdjson::SUCCESS) continue;
      const std::string_view name = Text(cell, "field"), value = Text(cell, "value");
      if (name == "@message") return lines_.Message(value);
      if (!name.starts_with('@')) lines_.Add(name, value);
    }
    if (!lines_.End()) lines_.NoRecord(simdjson::minify(row));
  }

  void TakeRecord(const dom::object& object) {
    lines_.Begin();
    for (const auto& [key, value] : object) {
      if (key.starts_with('@')) continue;  // of the system that kept it
      AddValue(key, value);
    }
    if (!lines_.End()) lines_.NoRecord(simdjson::minify(object));
  }

  void AddValue(std::string_view key, const dom::element& value) {
    switch (value.type()) {
      case dom::element_type::STRING: return lines_.Add(key, value.get_string().value_unsafe());
      case dom::element_type::INT64: return lines_.Add(key, std::to_string(value.get_int64().value_unsafe()));
      case dom::element_type::UINT64: return lines_.Add(key, std::to_string(value.get_uint64().value_unsafe()));
      case dom::element_type::DOUBLE: return lines_.Add(key, NumberText(value.get_double().value_unsafe()));
      case dom::element_type::NULL_VALUE: return lines_.Add(key, "-");
      default: return lines_.Add(key, std::string(simdjson::minify(value)));
    }
  }

  RecordLines& lines_;
  JsonRecords& json_;
  int depth_;
};

}  // namespace

struct JsonRecords::Parsers {
  dom::parser by_depth[kMaxDepth + 1];  // documents of the outer levels are still in use
  static bool Fine(simdjson::error_code error, dom::parser* parser);
};

JsonRecords::JsonRecords(RecordLines* lines) : parsers_(std::make_unique<Parsers>()), lines_(lines) {}
JsonRecords::~JsonRecords() = default;

// simdjson says by a code that it had no memory; a parser that said so is not used again (in 3.0 its streams crash).
bool JsonRecords::Parsers::Fine(simdjson::error_code error, dom::parser* parser) {
  if (error == simdjson::MEMALLOC) {
    *parser = dom::parser();
    throw std::bad_alloc();
  }
  return error == simdjson::SUCCESS;
}

// Returns what is left from the first malformed document on.
std::string_view JsonRecords::TakeWhole(std::string_view text, int depth) {
  dom::parser& parser = parsers_->by_depth[depth];
  Documents documents(lines_, this, depth);
  dom::element document;
  if (Parsers::Fine(parser.parse(text.data(), text.size(), /*realloc_if_needed=*/false).get(document), &parser)) {
    documents.Take(document);
    return {};
  }
  // Several documents glued together, or something wrong.
  parser.threaded = false;
  const size_t batch = std::max<size_t>(text.size(), 1024);
  Parsers::Fine(parser.allocate(batch), &parser);
  dom::document_stream stream;
  size_t taken = 0;
  if (Parsers::Fine(parser.parse_many(text.data(), text.size(), batch).get(stream), &parser)) {
    for (auto it = stream.begin(); it != stream.end(); ++it) {
      dom::element next;
      if (!Parsers::Fine((*it).get(next), &parser)) break;
      documents.Take(next);
      taken = it.current_index() + it.source().size();
    }
  }
  return text.substr(std::min(text.find_first_not_of(" \t\r\n", taken), text.size()));
}

void JsonRecords::Take(std::string_view text, int depth) {
  std::string_view rest = text.size() > JsonSplitter::kMaxPiece ? text : TakeWhole(text, depth);
  if (rest.empty()) return;
  JsonSplitter splitter;
  while (true) {
    const JsonSplitter::Piece piece = splitter.Next(rest, true);
    if (piece.kind == JsonSplitter::Kind::kMore) return;
    TakePiece(piece, depth);
    rest.remove_prefix(piece.consumed);
  }
}

void JsonRecords::TakePiece(const JsonSplitter::Piece& piece, int depth) {
  switch (piece.kind) {
    case JsonSplitter::Kind::kMore:
    case JsonSplitter::Kind::kNone: return;
    case JsonSplitter::Kind::kDocument:
      if (const std::string_view rest = TakeWhole(piece.text, depth); !rest.empty()) lines_->NoRecord(rest);
      return;
    case JsonSplitter::Kind::kTooLong:
    case JsonSplitter::Kind::kCut: return lines_->NoRecord(piece.text);
    case JsonSplitter::Kind::kElement:
    case JsonSplitter::Kind::kEntry: break;
  }
  dom::parser& parser = parsers_->by_depth[depth];
  dom::element entry;
  if (Parsers::Fine(parser.parse(piece.text.data(), piece.text.size(), /*realloc_if_needed=*/false).get(entry),
                    &parser)) {
    Documents documents(lines_, this, depth);
    if (piece.kind == JsonSplitter::Kind::kEntry) {
      documents.TakeEntry(entry);
    } else {
      documents.Take(entry);
    }
  } else {
    lines_->NoRecord(piece.text);
  }
}

std::string NumberText(double number) {
  if (number == std::floor(number) && std::fabs(number) < 9007199254740992.0)
    return std::to_string(static_cast<int64_t>(number));
  return std::to_string(number);
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
