// Synth: realistic flow logs of any format and size, with planted and labelled incidents. The same options give the
// same bytes. One thread.
//
// Example:
//   vpcflow::SynthOptions options;
//   options.records = 1'000'000;
//   options.plant = {"port_scan", "beacon", "health_check"};
//   absl::StatusOr<vpcflow::SynthSummary> made = vpcflow::Synthesize(options, "logs");   // logs/flow-0000.log, ...
//
// The traffic: interfaces with roles (web, app, database, cache, load balancer, NAT, bastion, monitor) in VPCs and
// subnets hold conversations with each other and with peers outside; both directions are logged, and traffic inside is
// logged at both interfaces. Popularity follows Zipf's law, sizes are log-normal with a Pareto tail, load follows the
// hour of the day; internet noise is rejected. Windows, flags, NODATA and SKIPDATA are as AWS writes them.
#ifndef VPCFLOW_SYNTH_SYNTH_H_
#define VPCFLOW_SYNTH_SYNTH_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/format/format.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Tame: conversations drawn at random, and few of the habits of real networks. Office: those of the tame world, and what
// the hosts of an office do all day (backups, scanners, cron jobs, agents, probes, ...), hard to tell from attacks.
enum class SynthWorld : uint8_t { kTame, kOffice };

struct PlantInfo {
  std::string_view name{};
  bool benign = false;  // looks like an incident and is none
  std::string_view meaning{};
  SynthWorld world = SynthWorld::kTame;
};
// Returns what can be planted, of all worlds.
std::span<const PlantInfo> Plants();

struct SynthOptions {
  uint64_t records = 100'000;
  uint64_t seed = 1;
  Format format = Format::Default();
  int64_t start = 1'760'000'400;  // Unix seconds, of the first window
  double hours = 6;
  int window = 60;  // aggregation interval in seconds
  uint32_t interfaces = 300;
  uint32_t accounts = 3;
  uint32_t peers = 120'000;         // outside hosts that ordinary traffic goes to
  uint32_t noise_sources = 60'000;  // outside hosts whose traffic is rejected
  double ipv6_share = 0.02;         // shares are of records
  double nodata_share = 0.004;
  double skipdata_share = 0.0005;
  double reject_share = 0.12;
  SynthWorld world = SynthWorld::kTame;
  // Names of the world's Plants(), "benign" for all that are no attacks, or "all"; "-name" takes one out again.
  std::vector<std::string> plant{};
  double intensity = 1;  // times the attacks of the office world: their counts and bytes
  uint32_t files = 1;
  bool gzip = false;
  int gzip_level = 6;
  bool header = true;
  // AWS's layout: AWSLogs/<account>/vpcflowlogs/<region>/<yyyy>/<mm>/<dd>/<file>.log.gz, a file per account, region and
  // 5 minutes; then `files` is not used and gzip is on.
  bool s3_layout = false;
};

struct SynthSummary {
  uint64_t records = 0;
  uint64_t text_bytes = 0;
  std::vector<std::string> files{};  // relative to the folder, in order
  std::string labels_json{};         // of what was planted
};

// Writes the logs, manifest.json and, with plants, labels.json into a folder, which is made if it is not there. `poll`
// is called now and then with the records made; false ends with kCancelled.
absl::StatusOr<SynthSummary> Synthesize(const SynthOptions& options, const std::string& folder,
                                        const std::function<bool(uint64_t records)>& poll = nullptr);

// Returns the same records as one text in memory, without files.
absl::StatusOr<std::string> SynthesizeText(const SynthOptions& options, SynthSummary* summary = nullptr);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SYNTH_SYNTH_H_
