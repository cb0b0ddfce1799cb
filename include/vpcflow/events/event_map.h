// EventMap: how JSON documents of a source become rows of events, as data: paths, and what they are read as.
//
// Example:
//   vpcflow::EventMap map;
//   map.source = "vpn";
//   map.kind = "action";
//   map.time = "when";
//   map.attrs = {{.name = "user", .paths = {"who.name", "who.id"}}, {.name = "address", .paths = {"from.ip"}}};
//   map.entities = {"user"};
//   map.addresses = {"address"};
//
// A path names members, one within the other: "userIdentity.arn". Of several paths the first counts whose value is
// neither absent nor empty, zero, false or null; if there is none, the last. Of members with the same name the last
// counts.
#ifndef VPCFLOW_EVENTS_EVENT_MAP_H_
#define VPCFLOW_EVENTS_EVENT_MAP_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

enum class EventAs : uint8_t {
  kScalar,  // texts, numbers, true and false, as they are
  kText,    // texts alone
  kWord,    // any of kScalar, as text
  kPorts    // of three paths, the first port, the last and the protocol: a port, or "8000-8100"
};

// A value of an event, by its name.
struct EventAttr {
  std::string name{};
  std::vector<std::string> paths{};
  EventAs as = EventAs::kScalar;
  std::string otherwise{};  // of kWord, where no path has a value
};

// Makes an event of each item of a list. A list is an array of objects, {"items": [...]} or {"item": ...}; others have
// no items. In paths of its attrs, "item.x" is of the item, "each" of `each`; others are of the document.
struct EventPart {
  std::vector<std::string> kinds{};  // of events that are divided so
  std::string list{};                // path of the items;
  bool one = false;                  // the object at `list` is the item
  std::vector<std::string> each{};   // "list.member" of the item: an event for each item of that list
  std::string needs{};               // member of the item: without a value there it is none
  std::vector<EventAttr> attrs{};
  bool replaces = false;  // attrs of the document with these names do not count, also where the item has none
  bool own_ids = false;   // the ids of resources are those in the item, not those in EventMap::ids_in
  bool alone = false;     // if it makes any event, the parts behind it make none
};

// The severity of events of these kinds (any, if empty) whose attrs have one of those values (any but empty or zero, if
// none is named).
struct EventSeverity {
  std::vector<std::string> kinds{};
  std::vector<std::pair<std::string, std::vector<std::string>>> where{};
  std::string level{};
};

struct EventMap {
  std::string source{};              // the name of the events
  std::string kind{};                // path of a text; a document without it is no event,
  std::vector<std::string> needs{};  // nor is one without these members
  std::string time{};                // path: ISO 8601, seconds or milliseconds; without it there is no event
  std::string end{};                 // path; the time without
  std::vector<std::string> key{};    // paths of what names the event, the first that counts; its place without
  std::string version{};             // path of a text: of events with one key the highest counts
  std::vector<EventAttr> attrs{};
  std::string attrs_of{};                // path of an object whose plain members are attrs, too
  std::vector<std::string> ids_in{};     // paths below which ids of resources (i-, eni-, sg-, fl-, nat-) are entities
  std::vector<std::string> entities{};   // attrs that are entities, in this order behind the ids;
  std::vector<std::string> addresses{};  // these, if they are addresses
  std::vector<EventPart> parts{};
  std::vector<EventSeverity> severities{};  // the first that fits counts
};

// Returns the map of a source that is known, "cloudtrail"; null for others.
const EventMap* FindEventMap(std::string_view source);

// Reads a time as documents have it: ISO 8601 of any zone (UTC without), digits of seconds or, above 9,999,999,999,
// of milliseconds. False for what is none or before 1970.
bool ParseEventTime(std::string_view text, int64_t* seconds);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_EVENTS_EVENT_MAP_H_
