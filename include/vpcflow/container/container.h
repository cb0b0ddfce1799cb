// Containers: what flow log records come wrapped in besides plain lines, and how they come out as lines again.
//
// Example:
//   absl::StatusOr<vpcflow::OpenedRecords> opened = vpcflow::OpenRecords(source, vpcflow::Container::kAuto, nullptr);
//   opened->stream;      // text: one record a line, with header lines where the container names its fields
//   opened->container;   // what it was
//
// Everything behind this room sees text: a record of a JSON object (scans read it where it stands), a CSV row or an
// OCSF event becomes a line, behind a header line wherever the fields change. Absent and empty values become `-`,
// spellings of other tools AWS's. Blanks, control bytes and 0xFF in a value are written as 0xFF and a byte (its
// bit 0x40 turned), which scans take back. An entry that holds no record becomes a line that is a reject: no-record.
// The origin of each line travels beside the text (LineOrigins): no byte of it is a mark.
//
// Recognition goes by the first 4 KiB of the unpacked text, never by a name. Archives, binary tables, UTF-16
// and other bytes that are no text are refused by name, also if a container was asked for. Memory: 64 KiB and one
// entry (a line, a CSV row, of JSON over many lines an element of the array of entries).
#ifndef VPCFLOW_CONTAINER_CONTAINER_H_
#define VPCFLOW_CONTAINER_CONTAINER_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Registers what wraps records: X(constant, name, meaning), in the order in which the beginning of a text is tried. A
// row's file in src/container/ defines `<constant>Wrapping`; there is nothing else to change.
#define VPCFLOW_WRAPPINGS(X)                                                                                         \
  X(kExport, "cloudwatch-export",                                                                                    \
    "lines behind a time, and perhaps names of where they come from: exports of CloudWatch Logs to S3, "             \
    "`aws logs tail`, syslog; `aws logs filter-log-events --output text`")                                           \
  X(kJson, "json",                                                                                                   \
    "JSON, a document a line or any number glued together: CloudWatch Logs events (get-log-events, "                 \
    "filter-log-events, subscriptions), Firehose messages, Logs Insights results, records as objects, OCSF 4001")    \
  X(kCsv, "csv",                                                                                                     \
    "tables with commas, semicolons or tabs, with or without a header: fields (Athena, Logs Insights), or a column " \
    "that holds records (@message, message, _raw, event.original, ...)")                                             \
  X(kSubscription, "subscription",                                                                                   \
    "base64, one a line, of JSON or lines, packed or not: CloudWatch Logs subscription records")

// X(constant, name, meaning)
#define VPCFLOW_CONTAINERS(X)                                    \
  X(kAuto, "auto", "by content")                                 \
  X(kText, "text", "flow log lines, as S3 and `zcat` give them") \
  VPCFLOW_WRAPPINGS(X)

enum class Container : uint8_t {
#define VPCFLOW_X(id, name, meaning) id,
  VPCFLOW_CONTAINERS(VPCFLOW_X)
#undef VPCFLOW_X
};

struct ContainerInfo {
  std::string_view name;
  std::string_view meaning;
};
inline constexpr auto kContainers = std::to_array<ContainerInfo>({
#define VPCFLOW_X(id, name, meaning) {name, meaning},
    VPCFLOW_CONTAINERS(VPCFLOW_X)
#undef VPCFLOW_X
});
constexpr const ContainerInfo& Info(Container container) { return kContainers[static_cast<size_t>(container)]; }

// Returns the container of that name ("json"), or nothing.
std::optional<Container> FindContainer(std::string_view name);

// Returns the container of a text, by its beginning; kText if it is none of the others.
Container DetectContainer(std::string_view head);

// What a line of the text made of a container holds. Messages and objects have formats of their own.
enum class LineKind : uint8_t {
  kMessage,  // a record or header line as the container had it
  kHeader,   // names the fields of the objects behind it: before the first and when their fields change
  kObject,   // the values of an object, in the order of the last kHeader
  kNoRecord  // the beginning of an entry that holds no record
};

struct LineInfo {
  uint64_t origin = 0;  // number, from 1, of the container's line; of an entry over many lines the first
  LineKind kind = LineKind::kMessage;
};

// Describes the lines of a container's text, beside the text.
class LineOrigins {
 public:
  virtual ~LineOrigins() = default;
  // Appends the description of the next `n` lines of the text.
  virtual void TakeOrigins(size_t n, std::vector<LineInfo>* out) = 0;
};

struct OpenedRecords {
  std::unique_ptr<ByteStream> stream;
  Container container = Container::kText;  // never kAuto
  bool packed = false;                     // gzip or zstd
  LineOrigins* origins = nullptr;          // of the stream, as long as it lives; null for kText
};

// Opens a source, unpacks it, and unwraps its container, or `wanted` if that is not kAuto. `stored_bytes`, if given,
// grows by the bytes read of the source as stored; `opened`, if given, is the source's stream, from its beginning.
// Errors of the source, at once or from the stream's Read; a JSON document that is cut is kDataLoss, after the records
// before it. A layer of a packed source, or the blobs of a container together, that unpack to more bytes than
// `max_output_bytes`, if that is not 0, are kOutOfRange behind them. Bytes that are no text are kInvalidArgument.
absl::StatusOr<OpenedRecords> OpenRecords(const Source& source, Container wanted, Source::Cancelled cancelled,
                                          std::atomic<uint64_t>* stored_bytes = nullptr, uint64_t max_output_bytes = 0,
                                          std::unique_ptr<ByteStream> opened = nullptr);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_CONTAINER_CONTAINER_H_
