// The member names by which documents wrap records, and those that an object has of them.
#ifndef VPCFLOW_SRC_CONTAINER_JSON_MEMBERS_H_
#define VPCFLOW_SRC_CONTAINER_JSON_MEMBERS_H_

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "src/container/json_splitter.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// What a member of such a name holds. Objects and arrays within kWrapper and those below it are looked into; what they
// differ in is what a text is.
enum class Holds : uint8_t {
  kClass,        // tells what the object is
  kMessageType,  //
  kEntries,      // an array of entries, whatever else the object has
  kMessage,      // a text that is a record line, whatever else the object has
  kWrapper,      // what wraps a record; a text is none
  kLine,         // a text that is a record line
  kBase64,       // a text that is a blob
  kPairs,        // an array of [time, line]
  kRows,         // an array of rows, whose columns another member names
  kColumns,      //
  kEvent,        // a value of ECS or of OpenTelemetry's attributes, which tells that the object is an event
  kAction        // an action of Elastic's bulk files
};

struct MemberName {
  std::string_view name;
  Holds holds;
};

// In the order of precedence. A producer that is not here needs a line, and a branch only if its values have a shape of
// their own.
inline constexpr auto kMemberNames = std::to_array<MemberName>({
    {"class_uid", Holds::kClass},
    {"messageType", Holds::kMessageType},
    // CloudWatch Logs, Kinesis, Firehose, Lambda, Logs Insights, OTLP
    {kEntryMembers[0], Holds::kEntries},
    {kEntryMembers[1], Holds::kEntries},
    {kEntryMembers[2], Holds::kEntries},
    {kEntryMembers[3], Holds::kEntries},
    {kEntryMembers[4], Holds::kEntries},
    {kEntryMembers[5], Holds::kEntries},
    {"message", Holds::kMessage},
    {"@message", Holds::kMessage},
    {"body", Holds::kMessage},
    {"log", Holds::kMessage},
    // AWS's events and responses
    {"awslogs", Holds::kWrapper},
    {"kinesis", Holds::kWrapper},
    {"Sns", Holds::kWrapper},
    {"detail", Holds::kWrapper},
    {"extractedFields", Holds::kWrapper},
    {"ResultSet", Holds::kWrapper},
    {"sessionUpdate", Holds::kWrapper},
    {"sessionResults", Holds::kWrapper},
    {"logRecord", Holds::kWrapper},
    {"Messages", Holds::kWrapper},
    {"Message", Holds::kLine},
    {"Body", Holds::kLine},
    // Tables: Athena, Log Analytics, Splunk's json_rows, pandas
    {"tables", Holds::kWrapper},
    {"columns", Holds::kColumns},
    {"ColumnInfo", Holds::kColumns},
    {"ResultSetMetadata", Holds::kColumns},
    {"Rows", Holds::kRows},
    {"rows", Holds::kRows},
    // Splunk
    {"result", Holds::kWrapper},
    {"_raw", Holds::kLine},
    // Elastic and OpenSearch
    {"hits", Holds::kWrapper},
    {"_source", Holds::kWrapper},
    {"doc", Holds::kWrapper},
    {"event.original", Holds::kLine},
    {"original", Holds::kLine},
    {"source.ip", Holds::kEvent},
    {"source.address", Holds::kEvent},
    {"aws.vpcflow.log_status", Holds::kEvent},
    {"aws.vpc.flow.status", Holds::kEvent},
    {"index", Holds::kAction},
    {"create", Holds::kAction},
    {"update", Holds::kAction},
    {"delete", Holds::kAction},
    // Loki, Graylog, Sumo Logic
    {"streams", Holds::kWrapper},
    {"values", Holds::kPairs},
    {"entries", Holds::kWrapper},
    {"line", Holds::kLine},
    {"messages", Holds::kWrapper},
    {"full_message", Holds::kLine},
    {"short_message", Holds::kLine},
    {"map", Holds::kWrapper},
    // Syslog, LogScale, Log Analytics, Mezmo, Kafka
    {"msg", Holds::kLine},
    {"MESSAGE", Holds::kLine},
    {"@rawstring", Holds::kLine},
    {"RawData", Holds::kLine},
    {"_line", Holds::kLine},
    {"payload", Holds::kLine},
    // OTLP, Google Cloud Logging
    {"scopeLogs", Holds::kWrapper},
    {"instrumentationLibraryLogs", Holds::kWrapper},
    {"logRecords", Holds::kWrapper},
    {"stringValue", Holds::kLine},
    {"kvlistValue", Holds::kWrapper},
    {"textPayload", Holds::kLine},
    {"jsonPayload", Holds::kWrapper},
    // What several have, and other objects, too: last
    {"event", Holds::kLine},
    {"aws", Holds::kWrapper},
    {"data", Holds::kBase64},
    {"Data", Holds::kBase64},
    {"content", Holds::kLine},
    {"attributes", Holds::kWrapper},
    {"fields", Holds::kColumns},
    {"full_log", Holds::kLine},
});

// Where a name stands in kMemberNames, found by its length, its first and its last letter.
class MemberIndex {
 public:
  static constexpr uint8_t kNone = 255;

  constexpr MemberIndex() {
    slots_.fill(kNone);
    for (size_t i = 0; i < kMemberNames.size(); ++i) {
      size_t slot = SlotOf(kMemberNames[i].name);
      while (slots_[slot] != kNone) slot = (slot + 1) % slots_.size();
      slots_[slot] = static_cast<uint8_t>(i);
    }
  }
  constexpr uint8_t Find(std::string_view name) const {
    if (name.empty()) return kNone;
    for (size_t slot = SlotOf(name); slots_[slot] != kNone; slot = (slot + 1) % slots_.size()) {
      if (kMemberNames[slots_[slot]].name == name) return slots_[slot];
    }
    return kNone;
  }

 private:
  static constexpr size_t SlotOf(std::string_view name) {
    const auto first = static_cast<unsigned char>(name.front()), last = static_cast<unsigned char>(name.back());
    return (name.size() * 29 + first * size_t{7} + last * size_t{3}) % 512;
  }

  std::array<uint8_t, 512> slots_{};
};
inline constexpr MemberIndex kMemberIndex;

struct Member {
  uint8_t place;  // in kMemberNames
  simdjson::dom::element value;
  Holds holds() const { return kMemberNames[place].holds; }
};

// The members of an object that kMemberNames names, in its order, found in one walk over it: to look for them one by
// one takes longer than all the rest.
class Members {
 public:
  explicit Members(const simdjson::dom::object& object) {
    for (const auto& [key, value] : object) {
      const uint8_t place = kMemberIndex.Find(key);
      if (place != MemberIndex::kNone) Insert({place, value});
    }
  }
  const Member* begin() const { return found_.data(); }
  const Member* end() const { return found_.data() + size_; }
  bool empty() const { return size_ == 0; }
  // The first that holds that, or null.
  const Member* Find(Holds holds) const {
    const Member* found = std::find_if(begin(), end(), [holds](const Member& m) { return m.holds() == holds; });
    return found == end() ? nullptr : found;
  }

 private:
  void Insert(const Member& member) {
    size_t at = size_;
    while (at > 0 && found_[at - 1].place > member.place) --at;
    if (at > 0 && found_[at - 1].place == member.place) return;  // of members that come twice the first counts
    if (size_ == found_.size()) {
      if (at == size_) return;
      --size_;
    }
    std::copy_backward(found_.begin() + at, found_.begin() + size_, found_.begin() + size_ + 1);
    found_[at] = member;
    ++size_;
  }

  std::array<Member, 12> found_;
  size_t size_ = 0;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_JSON_MEMBERS_H_
