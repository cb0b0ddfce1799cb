// EventReader and DocumentReader: the JSON documents of files, as rows of events and as they are.
//
// Example:
//   std::vector<vpcflow::Source> files = {vpcflow::Source::File("trail/2026-11-23.json.gz")};
//   vpcflow::EventReader reader(files, *vpcflow::FindEventMap("cloudtrail"), {.kinds = {"ConsoleLogin"}});
//   vpcflow::Table rows;
//   absl::StatusOr<bool> more = reader.Next(&rows);
//   for (; more.ok() && *more; more = reader.Next(&rows)) std::cout << rows.rows << "\n";
//   std::cout << reader.report().events << " events, " << reader.report().damage.size() << " notes\n";
//
// Documents are found in arrays, in lists of a member `Records`, `records`, `Findings`, `findings`, `events`, `Events`
// or `logEvents`, on lines (behind a time, too) and glued together; `detail` of EventBridge's envelopes, the text in
// `CloudTrailEvent` of lookup-events, in `message` of CloudWatch Logs, in `Message` of SNS and `body` of SQS, and the
// base64 of subscriptions, Kinesis and Firehose count as what they hold. Files may be gzip, zstd or zlib.
//
// Bytes are read once, in order. Memory: a batch of rows, the document in hand (kMaxDocument at most; simdjson takes up
// to 18 times its size) and what unpacking needs, however large the files are.
#ifndef VPCFLOW_EVENTS_EVENT_READER_H_
#define VPCFLOW_EVENTS_EVENT_READER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/events/event_map.h"
#include "vpcflow/result/table.h"
#include "vpcflow/source/arrow_abi.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Longer documents are passed over and reported.
inline constexpr size_t kMaxDocument = size_t{16} << 20;

// What a reader saw so far.
struct EventReport {
  uint64_t files = 0;
  uint64_t documents = 0;
  uint64_t events = 0;  // of all kinds, chosen or not
  uint64_t other = 0;   // documents that are no events of the source
  std::map<std::string, uint64_t, std::less<>>
      others{};                            // these by what they seem to be; more than kMostOthers under ""
  std::optional<int64_t> first{}, last{};  // when the first event begins and the last one ends, Unix seconds
  std::map<std::string, uint64_t, std::less<>> kinds{};  // events by kind; of kinds beyond kMostKinds under ""
  std::vector<std::string> damage{};                     // a line a file: what was damaged, and how much was read
  static constexpr size_t kMostKinds = 10'000, kMostOthers = 20;
};

// Documents that are asked for beside their rows: those of a kind that have these members, by paths.
struct EventDocument {
  std::string kind{};
  std::vector<std::string> with{};
};

// Which rows a reader gives. An event that is not chosen is counted, and costs least.
struct EventSelection {
  std::vector<std::string> kinds{};        // of these kinds, in any case; all if empty
  std::vector<std::string> entities{};     // that name one of these entities; any if empty
  std::vector<EventDocument> documents{};  // these are chosen, too, and stand in column `document` of their first row;
                                           // none: no column
};

// A document where it stands.
struct PlacedDocument {
  std::string file{};   // name of the source
  uint64_t byte = 0;    // in the unpacked text, where it or what wraps it begins
  uint32_t number = 0;  // among the documents that share this place
  std::string text{};   // JSON; what cannot be a value (bytes that are no UTF-8, NaN, too large numbers) is mended
};

// For one thread at a time.
class EventReader {
 public:
  // Sources are read in this order; the map is copied.
  EventReader(std::vector<Source> sources, const EventMap& map, EventSelection selection = {});
  // Returns a reader of one of EventSources(); events of OCSF that are of that source are its, too, and "ocsf" is such
  // events of all. Errors: kInvalidArgument for any other.
  static absl::StatusOr<EventReader> Of(std::vector<Source> sources, std::string_view source,
                                        EventSelection selection = {});
  ~EventReader();
  EventReader(EventReader&&) noexcept;
  EventReader& operator=(EventReader&&) noexcept;

  // Returns an empty table with the columns of all others.
  Table Empty() const;
  // Reads the next rows, about `rows` of them, into `out`. False behind the last. Columns: time, end, source, kind,
  // severity (null for none), entities (a JSON array of texts), file, byte (where the document begins in the unpacked
  // text), key (the same for each delivery of an event), attrs (a JSON object), version (of deliveries of one event the
  // highest counts; null for none), and `document` if it was asked for.
  //
  // Damage is no error: what can be read is, and the report says the rest. Errors: those of opening a source, and
  // kUnavailable while reading it. O(bytes).
  absl::StatusOr<bool> Next(Table* out, size_t rows = 8192);
  const EventReport& report() const&;
  const EventReport& report() const&& = delete;

 private:
  struct Impl;
  explicit EventReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Returns the sources whose documents and lines are known: "cloudtrail", "dns", "waf", "alb", ...
std::vector<std::string> EventSources();

// Fills `out` with a stream of the rows that the reader still gives, a batch at a time as the consumer asks for them. A
// reader that saw no event at all ends it with an error. The consumer releases it.
void ExportEvents(std::shared_ptr<EventReader> reader, ArrowArrayStream* out);

// The documents of a source. For one thread at a time.
class DocumentReader {
 public:
  explicit DocumentReader(Source source);
  ~DocumentReader();
  DocumentReader(DocumentReader&&) noexcept;
  DocumentReader& operator=(DocumentReader&&) noexcept;

  // Reads the next documents, about `count` of them, into `out`. False behind the last. Errors as of EventReader.
  absl::StatusOr<bool> Next(std::vector<PlacedDocument>* out, size_t count = 1024);
  // Returns what was damaged, a line or nothing.
  const std::vector<std::string>& damage() const&;
  const std::vector<std::string>& damage() const&& = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_EVENTS_EVENT_READER_H_
