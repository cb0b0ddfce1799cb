// EventWriter: records and sessions as events of the schemas that SIEMs and lakes take, one a line.
//
// Example:
//   absl::StatusOr<vpcflow::EventWriter> writer = vpcflow::EventWriter::Make({.schema = "ocsf"});
//   absl::StatusOr<std::string_view> lines = writer->Write(result->table);   // {"metadata":{"uid":...}, ...}
//
// One table a schema says what stands where (see event_row.h); readers of OCSF and ECS read by the same. Besides fields
// rows write computed values:
//   id                       the event id, see below
//   verdict                  the action; OTHER for one that AWS does not document; of records without traffic the log
//                            status; "-" for null
//   time, last-time          start, else end, else 0; end, else start, else 0
//   duration                 end - start, if it is not negative
//   src-ip, dst-ip           the packet's address, else the interface's
//   src-nat, dst-nat         the interface's address, if the packet's is another
//   pkt-srcaddr-differs, pkt-dstaddr-differs   the packet's address, if the interface's is another
//   src-ip-v4, src-ip-v6, dst-ip-v4, dst-ip-v6   src-ip and dst-ip of one version
//   direction                flow-direction, "none" for null
//   NAME@src, @dst, @device  a field of the recording interface, if that stands at this end: egress at the source,
//                            ingress at the destination, else the device
//   src-unnamed, dst-unnamed, device-unnamed   where an end has nothing that names it
//   device                   where a field of the recording interface stands at no end
//   bytes-out, bytes-in, packets-out, packets-in   sent by source and destination; records know the first alone
//   sent-bytes, received-bytes, sent-packets, received-packets   of records by the interface: of egress, of ingress; of
//                            sessions by the client
//   reason                   reject-reason, of records with log status
//   NAME-lacks               where NAME is null, and would be read from another value
//   start-small, end-small   times that readers would take for seconds, were they milliseconds
#ifndef VPCFLOW_EXPORT_EVENTS_H_
#define VPCFLOW_EXPORT_EVENTS_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/format/event_row.h"
#include "vpcflow/internal/lifetime.h"
#include "vpcflow/result/table.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// A schema that events can have.
struct EventSchema {
  std::string_view name;
  std::string_view meaning;
  std::span<const std::string_view> versions;  // the default first; none if it has no versions
  std::string_view own;                        // the member that holds what has no other place; "" if that is dropped
  std::span<const EventRow> rows;
  bool json = true;  // else lines of CEF
};

// Returns all of them, in a fixed order.
std::span<const EventSchema> EventSchemas();

struct EventOptions {
  std::string_view schema = "ocsf";
  std::string_view version{};  // "" for the default
  // Whether objects of names that no schema fixes are arrays of {"key", "value"}, as Arrow reads maps.
  bool maps = false;
};

// Events as columns, for formats that are written by columns.
struct EventTables {
  // A row an event and a column a member, named by its pointer: texts, numbers, times. Constants, ids and members that
  // are null throughout are left out. Of an array it is the number of its elements.
  Table values{};
  // The elements of each array, those of the first event first: columns `key` (of an observable its name) and `value`.
  std::vector<std::pair<std::string, Table>> elements{};
};

// Writes tables of one kind, batch after batch. For one thread at a time.
class EventWriter {
 public:
  // Returns a writer. kPlan for a schema or version that is not known, with the nearest.
  static absl::StatusOr<EventWriter> Make(const EventOptions& options);
  ~EventWriter();
  EventWriter(EventWriter&&) noexcept;

  // Returns the events of at most `count` rows of a table, one a row, each ending in a line feed. The table is a
  // selection of records, best with all fields and located, or the result of sessions. The lines are valid until the next
  // call. kPlan for a table that is neither. O(rows times columns), and memory for the lines.
  absl::StatusOr<std::string_view> Write(const Table& table, size_t begin = 0,
                                         size_t count = std::numeric_limits<size_t>::max()) VPCFLOW_LIFETIME_BOUND;

  // Returns them as columns; an object of names that no schema fixes is an array. Likewise.
  absl::StatusOr<EventTables> Columns(const Table& table, size_t begin = 0,
                                      size_t count = std::numeric_limits<size_t>::max());

  // Returns the ids of the events of the last table, kIdDigits hexadecimal digits each.
  //
  // The id of a record is a hash of the name of its file without folders, its offset there and its values: the same
  // object gives the same ids, whoever reads it and from where, and a name that is used again gives others. Records
  // without offset (wrapped in something else) that are equal in all values are told apart by their order in what this
  // writer wrote, of a million such records at least. That of a session is a hash of its two ends, protocol and start,
  // whichever end is the client. The hash is not cryptographic.
  std::string Ids() const;
  static constexpr size_t kIdDigits = 32;

 private:
  struct Impl;
  explicit EventWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_EXPORT_EVENTS_H_
