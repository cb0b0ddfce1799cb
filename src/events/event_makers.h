// EventMakers: what takes the documents and lines of a source, in whatever form.
#ifndef VPCFLOW_SRC_EVENTS_EVENT_MAKERS_H_
#define VPCFLOW_SRC_EVENTS_EVENT_MAKERS_H_

#include <simdjson.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/events/event_maker.h"
#include "src/events/ocsf_originals.h"
#include "vpcflow/events/event_map.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class EventMakers {
 public:
  explicit EventMakers(const EventMap& map);
  // Of a source that is known; none for others.
  explicit EventMakers(std::string_view source);

  bool empty() const { return makers_.empty() && originals_.empty(); }
  // Whether its files are lines that are no JSON.
  bool has_lines() const { return has_lines_; }

  // Returns what takes a document, or null. An event of OCSF is taken as its original: `document` and `text` are that
  // then, until the next call.
  EventMaker* Begin(Element* document, std::string_view* text);
  EventMaker* BeginLine(std::string_view line);

 private:
  EventMaker* BeginOriginal(Element* document, std::string_view* text);

  std::vector<std::unique_ptr<EventMaker>> makers_;
  std::map<std::string_view, std::vector<std::unique_ptr<EventMaker>>> originals_;  // by what OCSF's forms are of
  bool has_lines_ = false;
  OcsfOriginals converter_;
  simdjson::dom::parser parser_;
  std::string original_;
};

// Says what a document is that is no event of a source, in a few words: what it is known to be, or its first members.
std::string NameOf(const Element& document);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_EVENT_MAKERS_H_
