// vpcflow: AWS VPC flow logs, in the program you already have. This header is the whole engine; <vpcflow/core.h> is the
// header-only core alone.
//
// Example:
//   absl::StatusOr<vpcflow::Reader> reader = vpcflow::Reader::Open("flow.log.gz");      // walk records
//   vpcflow::Aggregate<vpcflow::Count> count;
//   absl::Status s = vpcflow::Scan(source).Where("dstport = 22").Into(&count);           // aggregate at compile time
//   absl::StatusOr<vpcflow::Plan> plan = vpcflow::Plan::Make(spec);
//   if (plan.ok()) result = plan->Run(sources, {});                                      // aggregate by a plan
#ifndef VPCFLOW_VPCFLOW_H_
#define VPCFLOW_VPCFLOW_H_

#include "vpcflow/aggregate/group_by.h"
#include "vpcflow/container/container.h"
#include "vpcflow/container/ocsf.h"
#include "vpcflow/core.h"
#include "vpcflow/cost/path_class.h"
#include "vpcflow/detect/detection.h"
#include "vpcflow/detect/detector.h"
#include "vpcflow/detect/finding.h"
#include "vpcflow/detect/finding_json.h"
#include "vpcflow/detect/settings.h"
#include "vpcflow/enrich/aws.h"
#include "vpcflow/enrich/labels.h"
#include "vpcflow/enrich/record_labels.h"
#include "vpcflow/error/error.h"
#include "vpcflow/events/event_map.h"
#include "vpcflow/events/event_reader.h"
#include "vpcflow/export/arrow.h"
#include "vpcflow/export/events.h"
#include "vpcflow/export/text.h"
#include "vpcflow/filter/filter.h"
#include "vpcflow/format/iana.h"
#include "vpcflow/plan/aggregation.h"
#include "vpcflow/plan/coverage.h"
#include "vpcflow/plan/feeder.h"
#include "vpcflow/plan/plan.h"
#include "vpcflow/result/compose.h"
#include "vpcflow/result/report.h"
#include "vpcflow/result/table.h"
#include "vpcflow/result/wide.h"
#include "vpcflow/scan/reader.h"
#include "vpcflow/scan/scan.h"
#include "vpcflow/scan/table_columns.h"
#include "vpcflow/simd/simd.h"
#include "vpcflow/sketch/accumulators.h"
#include "vpcflow/sketch/distinct_sketch.h"
#include "vpcflow/sketch/hash_sample.h"
#include "vpcflow/sketch/heavy_hitters.h"
#include "vpcflow/sketch/kll_sketch.h"
#include "vpcflow/sketch/log_histogram.h"
#include "vpcflow/sketch/seen_before.h"
#include "vpcflow/source/decompress.h"
#include "vpcflow/source/duplicates.h"
#include "vpcflow/source/object_path.h"
#include "vpcflow/source/source.h"
#include "vpcflow/state/bytes.h"
#include "vpcflow/state/saved.h"
#include "vpcflow/state/value.h"
#include "vpcflow/synth/synth.h"

#endif  // VPCFLOW_VPCFLOW_H_
