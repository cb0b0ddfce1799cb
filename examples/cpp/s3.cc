// Bytes by action of the flow logs below a prefix of a bucket: s3 BUCKET [PREFIX]. Credentials come from the environment.
#include <cstdint>
#include <iostream>
#include <string>
#include <vector>

#include "vpcflow/s3/bucket.h"
#include "vpcflow/vpcflow.h"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "s3 BUCKET [PREFIX]\n";
    return 2;
  }
  const auto failed = [](const absl::Status& status) {
    std::cerr << "s3: " << status.message() << "\n";
    return 2;
  };
  const absl::StatusOr<vpcflow::S3Bucket> bucket =
      vpcflow::S3Bucket::Open(argv[1], vpcflow::S3Options::FromEnvironment());
  if (!bucket.ok()) return failed(bucket.status());
  const absl::StatusOr<std::vector<vpcflow::S3Object>> objects = bucket->List(argc > 2 ? argv[2] : "");
  if (!objects.ok()) return failed(objects.status());

  std::vector<vpcflow::Source> sources;
  for (const vpcflow::S3Object& object : *objects) sources.push_back(bucket->SourceOf(object));
  vpcflow::Aggregate<vpcflow::Count, vpcflow::Sum<vpcflow::f::Bytes>> total;
  const absl::Status scanned = vpcflow::Scan(sources).Into(&total);
  if (!scanned.ok()) return failed(scanned);
  std::cout << objects->size() << " objects, " << total.Value<0>() << " records, " << total.Value<1>().ToString()
            << " bytes\n";
  return 0;
}
