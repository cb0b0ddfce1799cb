// EventMapper: a document as the events that an EventMap makes of it.
#ifndef VPCFLOW_SRC_EVENTS_EVENT_MAPPER_H_
#define VPCFLOW_SRC_EVENTS_EVENT_MAPPER_H_

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/events/path_index.h"
#include "vpcflow/events/event_map.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class EventMapper {
 public:
  struct Row {
    std::string_view severity{};
    std::vector<std::string> entities{};  // `count` of them
    size_t count = 0;
    std::string key{};
    std::string attrs{};  // JSON
  };

  explicit EventMapper(EventMap map);
  EventMapper(const EventMapper&) = delete;
  EventMapper& operator=(const EventMapper&) = delete;

  // Looks at a document. False if it is no event.
  bool Begin(const simdjson::dom::element& document);
  std::string_view kind() const { return kind_; }
  int64_t time() const { return time_; }
  int64_t end() const;
  // Calls `take(const Row&, bool first)` for each event of the document, which is at `place`.
  template <class Take>
  void Rows(const std::string& place, Take take) {
    size_t made = 0;
    for (const EventPart& part : map_.parts) {
      if (!Is(part.kinds, kind_)) continue;
      for (const auto& [item, each] : Items(part)) {
        Fill(place, made++, &part, &item, each ? &*each : nullptr);
        take(std::as_const(row_), made == 1);
      }
      if (part.alone && made > 0) break;
    }
    if (made > 0) return;
    Fill(place, 0, nullptr, nullptr, nullptr);
    take(std::as_const(row_), true);
  }

 private:
  using Element = simdjson::dom::element;
  struct Attr {
    const EventAttr* row;
    std::vector<size_t> paths;
    std::optional<Element> value{};  // in the document in hand
  };
  struct PartValue {
    const EventAttr* row;
    std::optional<Element> value{};
    std::string word{};  // of kWord and kPorts
    bool has_word = false;
  };

  static bool Is(const std::vector<std::string>& kinds, std::string_view kind);
  std::vector<std::pair<Element, std::optional<Element>>> Items(const EventPart& part) const;
  std::optional<Element> PartPath(const std::string& path, const Element& item, const Element* each) const;
  void FillPart(const EventPart& part, const Element& item, const Element* each);
  void Fill(const std::string& place, size_t number, const EventPart* part, const Element* item, const Element* each);
  void AddAttrs(const EventPart* part);
  void AddEntities(const Element* item);
  void AddIds(const Element& value, int nesting);
  void AddEntity(std::string_view entity);
  std::string_view Severity() const;
  bool Fits(const EventSeverity& severity) const;

  EventMap map_;
  PathIndex index_;
  size_t kind_at_, time_at_, end_at_ = 0, key_at_ = 0, attrs_of_ = 0;
  std::vector<size_t> needs_, ids_in_;
  std::vector<std::pair<std::string, size_t>> part_paths_;  // those of documents that parts name
  std::vector<Attr> attrs_;
  std::vector<size_t> entities_, addresses_;  // places in attrs_
  std::vector<PartValue> part_;

  std::string_view kind_;
  int64_t time_ = 0;
  Row row_;
};

// Appends a text as JSON, with quotes.
void AppendJson(std::string_view text, std::string* out);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_EVENT_MAPPER_H_
