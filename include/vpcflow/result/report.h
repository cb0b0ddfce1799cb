// Report: the counts of what a scan read, rejected and could not read, with samples. Every scan has one.
//
// Example:
//   const vpcflow::Report& report = result->report;
//   std::cout << report.records() << " records, " << report.rejected() << " rejected\n";
//   for (const vpcflow::Reject& reject : report.rejects) std::cout << reject.ToString() << "\n";
#ifndef VPCFLOW_RESULT_REPORT_H_
#define VPCFLOW_RESULT_REPORT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "vpcflow/base/errc.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Describes a line that is no record, or a malformed value.
struct Reject {
  uint32_t source = 0;       // number of its source in the scan
  std::string path{};        // the source's name
  uint64_t line = 0;         // from 1; in a container the container's, where its JSON document begins
  uint64_t byte_offset = 0;  // of the line in the text, unpacked and out of its container
  uint32_t column = 0;       // byte in the line where the trouble is, from 1
  std::string field{};       // AWS's name, or empty if it is about the whole line
  Errc reason = Errc::kOk;
  std::string excerpt{};  // the line, printable, at most 200 bytes of it

  // Returns "flow.log:7:31: dstport: out-of-range: a number lies outside ... (offset 612)"
  std::string ToString() const;
  // Returns an error of kind kReject with that text and this place.
  absl::Status ToStatus() const;
};

// Times from `start` on and before `end`, in Unix seconds; open where there is none.
struct TimeSpan {
  std::optional<int64_t> start{};
  std::optional<int64_t> end{};
};

// Any number of threads may use one at once through const members; changes are for one thread alone.
struct Report {
  // At most this many rejects are kept with their place; all are counted.
  static constexpr size_t kMaxRejectSamples = 1000;
  // At most this many warnings and this many formats are kept, the first ones in the order of their texts.
  static constexpr size_t kMaxNotes = 256;
  // Names at most this many sources.
  static constexpr size_t kMaxNames = 3;

  uint64_t sources = 0;              // read, damaged ones included
  std::vector<std::string> names{};  // of the first of them
  uint64_t duplicates = 0;           // not read, because an earlier source has the same bytes
  uint64_t text_bytes = 0;           // after unpacking
  uint64_t lines = 0;
  uint64_t headers = 0;
  uint64_t blank_lines = 0;
  uint64_t ok = 0;  // records of traffic
  uint64_t nodata = 0;
  uint64_t skipdata = 0;
  uint64_t matched = 0;  // records that passed the plan's filter; traffic alone, unless the plan asks for all
  // Of a plan with PlanSpec::asked: that time, the records that start in it, and the first and the last start of all.
  std::optional<TimeSpan> asked{};
  uint64_t in_time = 0;
  std::optional<int64_t> first_start{}, last_start{};
  uint64_t nulled_values = 0;  // malformed values read as null (OnError::kNull)
  uint64_t unspread = 0;       // records spanning too many time bins; their sums went to the first
  std::array<uint64_t, kErrcCount> rejects_by_reason{};
  std::vector<Reject> rejects{};              // the first ones in the order of the input
  std::map<std::string, uint64_t> formats{};  // format -> sources that have it
  // Of sessions: by the fields that sources show how many do, such as "srcaddr dstaddr start end -dstport": a field that
  // is null in every record has a minus. Sources without records do not count, a saved
  // state counts as one source; "" stands for states of older versions, which do not tell.
  std::map<std::string, uint64_t> shown{};
  std::vector<std::string> warnings{};  // each once, sorted
  std::string one_direction{};          // of sessions: the warning that the logs hold one direction only
  bool notes_left_out = false;          // there were more warnings or formats than are kept
  // Sources that could not be read, or not to their end. Their good records are in the result.
  std::vector<absl::Status> errors{};

  uint64_t records() const { return ok + nodata + skipdata; }
  uint64_t rejected() const;
  // Adds a warning, or sources of a format, within kMaxNotes. O(kMaxNotes).
  void Warn(std::string warning);
  void CountFormat(std::string format, uint64_t sources_with_it = 1);
  // Adds another part of the same scan.
  void Merge(Report&& other);
  // Sorts the samples by place and keeps the first kMaxRejectSamples.
  void TrimRejects();
  // Returns OK, or one status for all errors.
  absl::Status status() const;
  // Returns why nothing can be concluded: no record was read, all but NODATA and SKIPDATA records were rejected, or
  // none starts in the time asked for. Empty if there are records. A filter that no record passes is a conclusion.
  std::string NoRecords() const;
  // Returns status(); else, unless `allow_empty`, kNotFound with NoRecords() if that says something; else OK.
  absl::Status Outcome(bool allow_empty) const;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RESULT_REPORT_H_
