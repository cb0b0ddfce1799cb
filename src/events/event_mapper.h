// EventMapper: a document as the events that an EventMap makes of it.
#ifndef VPCFLOW_SRC_EVENTS_EVENT_MAPPER_H_
#define VPCFLOW_SRC_EVENTS_EVENT_MAPPER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "src/events/event_maker.h"
#include "src/events/path_index.h"
#include "vpcflow/events/event_map.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class EventMapper final : public EventMaker {
 public:
  explicit EventMapper(EventMap map);

  bool Begin(const Element& document) override;
  void Rows(std::string_view place, Take take) override;

 private:
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
  void Fill(std::string_view place, size_t number, const EventPart* part, const Element* item, const Element* each);
  void AddAttrs(const EventPart* part);
  void AddEntities(const Element* item);
  void AddIds(const Element& value, int nesting);
  std::string_view Severity() const;
  bool Fits(const EventSeverity& severity) const;

  EventMap map_;
  PathIndex index_;
  size_t kind_at_, time_at_, end_at_ = 0, version_at_ = 0, attrs_of_ = 0;
  std::vector<size_t> needs_, ids_in_, key_;
  std::vector<std::pair<std::string, size_t>> part_paths_;  // those of documents that parts name
  std::vector<Attr> attrs_;
  uint32_t attr_sizes_ = 0;                   // of their names, a bit each
  std::vector<size_t> entities_, addresses_;  // places in attrs_
  std::vector<PartValue> part_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_EVENT_MAPPER_H_
