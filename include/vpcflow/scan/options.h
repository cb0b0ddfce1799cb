// ScanOptions: settings of how sources are read, the same for readers, scans and plans.
//
// Example:
//   vpcflow::ScanOptions options;
//   options.threads = 4;
//   options.on_error = vpcflow::OnError::kStop;
//   options.poll = [](const vpcflow::Progress& p) { std::cerr << p.bytes << " of " << p.total << "\n"; return true; };
#ifndef VPCFLOW_SCAN_OPTIONS_H_
#define VPCFLOW_SCAN_OPTIONS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/container/container.h"
#include "vpcflow/format/format.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// The effect of a malformed line or value. I/O errors and damaged gzip are errors in every mode.
enum class OnError : uint8_t {
  kSkip,  // the line is counted as a reject and left out
  kStop,  // the scan ends with an error that names the place
  kNull   // a malformed value is null, and counted; a malformed line is a reject
};
inline constexpr std::array<std::string_view, 3> kOnErrorNames = {"skip", "raise", "null"};

struct Progress {
  uint64_t bytes = 0;  // of the stored sources, read so far
  uint64_t total = 0;  // of all sources whose size is known
  uint64_t sources = 0;
  uint64_t total_sources = 0;
};

// The effect of a file with the same bytes as an earlier one.
enum class Duplicates : uint8_t {
  kOnce,  // it is not read; the report counts it and names the first ones
  kAll    // it is read like any other
};
inline constexpr std::array<std::string_view, 2> kDuplicatesNames = {"once", "all"};

struct ScanOptions {
  // The format of sources that have no header line; without it AWS's default if the lines fit it, else the one of AWS's
  // formats that alone fits them.
  std::optional<Format> format{};
  // The container of the records.
  Container container = Container::kAuto;
  OnError on_error = OnError::kSkip;
  Duplicates duplicates = Duplicates::kOnce;
  // Statistics of tables that say that no record can pass (of row groups of a Parquet file) are believed; else the
  // columns of the filter are read of them to make sure.
  bool trust_statistics = false;
  // Worker threads; 0 for one per processor. Results do not depend on it.
  int threads = 0;
  // Longer lines are rejects; they are never held in memory. At most 1 GiB; more means that.
  size_t max_line_bytes = size_t{1} << 20;
  // Bytes that one packed source may unpack to; 0 for no limit. More is kOutOfRange, after the records
  // before.
  uint64_t max_output_bytes = 0;
  // Bytes that the groups and selected rows of plans may take, over all threads; 0 for no limit. Beyond it the scan
  // ends with kResourceExhausted. With several threads, joining their groups at the end can take as much again.
  size_t max_memory = 0;
  // The number of the first source: what tells the places of records in several scans of one input apart, for `first`
  // and `last`.
  uint32_t first_source = 0;
  // Bytes parsed at a time, per thread. At most 1 GiB; more means that.
  size_t block_bytes = size_t{128} * 1024;
  // A scan that read no record ends with kNotFound (Report::NoRecords) unless this is set.
  bool allow_empty = false;
  // Of Aggregation::Update: fields that no source has are null instead of an error, as those of a part of an input may
  // be. Plan::CheckFields then judges the whole.
  bool allow_missing = false;
  // Warnings about the choice of sources, as Source::Expand gives them; the report has them too.
  std::vector<std::string> notes{};
  // Called in the calling thread every 50 ms or so; false ends the scan with kCancelled, an exception with itself.
  std::function<bool(const Progress&)> poll{};
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SCAN_OPTIONS_H_
