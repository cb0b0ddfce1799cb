// Object paths: what the place of a log in S3 tells of its content, and which logs a question can leave unread.
//
// Example:
//   const vpcflow::ObjectPath path = vpcflow::ParseObjectPath(
//       "AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/23/123456789010_vpcflowlogs_us-east-1_fl-1_20261123T0605Z_a.log.gz");
//   path.account;   // "123456789010"; and region, flow_log_id
//   path.begin;     // 06:05 UTC: the records in it end in [begin, end)
//
// Understands, below any prefix:
//   AWS's names and its three layouts: by day, by hour, and Hive's (aws-account-id=, aws-region=, year=, ...);
//   Security Lake's: aws/VPC_FLOW/<version>/region=/accountId=/eventDay=YYYYMMDD/ (or eventHour=YYYYMMDDHH/);
//   Firehose's: YYYY/MM/DD/HH/<stream>-<version>-YYYY-MM-DD-HH-MM-SS-<uuid>;
//   exports of CloudWatch Logs: <export id>/<log stream>/000000.gz;
//   Hive partitions of other tools: region=, account=, account_id=, year=, month=, day=, hour=, date= and dt= with
//   YYYY-MM-DD.
// What the path does not tell is empty.
#ifndef VPCFLOW_SOURCE_OBJECT_PATH_H_
#define VPCFLOW_SOURCE_OBJECT_PATH_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/base/time.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// How far the starts of records may lie before what AWS's own paths say, beside kLongestWindow: the window ends in the
// object's slot, its last packet may be a minute late, and delivery 10 minutes (flow logs are delivered within about 10
// minutes; AWS, "Flow log files").
inline constexpr int64_t kLatestDelivery = 660;
// The same of folders that somebody else names: Firehose by the arrival of the first record in an object, which its
// buffer follows by 15 minutes and, after failed deliveries, by a day, in UTC or a time zone of the stream's; jobs by
// the start, the end or the time of their run.
inline constexpr int64_t kEarlierThanFolder = 48 * 3600;
inline constexpr int64_t kLaterThanFolder = 24 * 3600;

struct ObjectPath {
  std::string account{};
  std::string region{};
  std::string flow_log_id{};
  std::string interface_id{};     // of an export, by its log stream: "eni-0a1b" of "eni-0a1b-all"
  std::string delivery_stream{};  // of Firehose
  unsigned delivery_version = 0;  // of the configuration of the delivery stream, from 1; 0 for none
  std::string lake_version{};     // of the source in Security Lake: "2.0"
  // Of a file name the 5 minutes, of a folder the hour, day, month or year that it names; Unix seconds. In AWS's own
  // layouts the records' ends lie in it.
  std::optional<int64_t> begin{};
  std::optional<int64_t> end{};
  // How much earlier than `begin` and later than `end` the starts of records may lie.
  int64_t earlier = kLongestWindow + kLatestDelivery;
  int64_t later = 0;
};

// Parses a path. O(path.size()). File names win over folders. Never fails: a path of another kind tells nothing.
ObjectPath ParseObjectPath(std::string_view path);

// A choice of objects by what their paths tell.
struct ObjectSelection {
  // Records that start in [start, end); Unix seconds.
  std::optional<int64_t> start{};
  std::optional<int64_t> end{};
  std::vector<std::string> accounts{};  // empty for any
  std::vector<std::string> regions{};
};

// Returns whether an object can hold records of the selection. True for what the path does not tell.
bool MayHold(const ObjectPath& path, const ObjectSelection& selection);

// Returns why an object is no flow log by its path alone: "of CloudTrail", "hidden", "named as a manifest or checksum";
// empty if the path does not tell. Folders in the first `from` bytes were named by the user: they count only where AWS
// has them. O(path.size()).
std::string WhyNoFlowLog(std::string_view path, size_t from = 0);

// Takes out of `sources` what cannot hold records of the selection, and returns how many.
size_t SelectObjects(const ObjectSelection& selection, std::vector<Source>* sources);

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SOURCE_OBJECT_PATH_H_
