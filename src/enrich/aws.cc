#include "vpcflow/enrich/aws.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

constexpr const char* kPrefixes[] = {
#define VPCFLOW_AWS_DAY(day)
#define VPCFLOW_AWS_S3(prefix) prefix,
#include "src/enrich/aws_s3.inc"
#undef VPCFLOW_AWS_S3
#undef VPCFLOW_AWS_DAY
};

}  // namespace

const std::vector<Cidr>& AwsS3Prefixes() {
  static const std::vector<Cidr> prefixes = [] {
    std::vector<Cidr> out;
    Cidr cidr;
    for (const char* prefix : kPrefixes) {
      if (ParseCidr(prefix, &cidr)) out.push_back(cidr);
    }
    return out;
  }();
  return prefixes;
}

std::shared_ptr<const Labels> AwsS3() {
  static const std::shared_ptr<const Labels> labels = [] {
    auto out = std::make_shared<Labels>();
    for (const Cidr& prefix : AwsS3Prefixes()) out->AddPrefix(prefix, "S3");
    out->Freeze();
    return out;
  }();
  return labels;
}

std::string_view AwsDay() {
#define VPCFLOW_AWS_DAY(day) return day;
#define VPCFLOW_AWS_S3(prefix)
#include "src/enrich/aws_s3.inc"
#undef VPCFLOW_AWS_S3
#undef VPCFLOW_AWS_DAY
}

VPCFLOW_NAMESPACE_END
