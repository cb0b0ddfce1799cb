// Addresses of Amazon S3, as AWS publishes them, so that uploads to it are known where a log does not name services.
//
// Example:
//   vpcflow::AwsS3()->OfAddress(ip, 0) != vpcflow::Labels::kNone;
//
// They are of one day (AwsDay) and change by some prefixes a month; tools/aws_s3.py makes them anew.
#ifndef VPCFLOW_ENRICH_AWS_H_
#define VPCFLOW_ENRICH_AWS_H_

#include <memory>
#include <string_view>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/enrich/labels.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Returns the prefixes, IPv4 first, each family in order; they do not overlap. Lives as long as the program.
const std::vector<Cidr>& AwsS3Prefixes();
// Returns the same as labels: "S3". Lives as long as the program. O(log prefixes) a lookup.
std::shared_ptr<const Labels> AwsS3();
// Returns the day of AWS's list, as 2026-11-23.
std::string_view AwsDay();

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_ENRICH_AWS_H_
