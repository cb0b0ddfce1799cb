// Compile-time aggregation with an accumulator of one's own, on all cores.
#include <vpcflow/vpcflow.h>

#include <algorithm>
#include <iostream>

// Anything with Update, Merge and Value is an accumulator.
struct LongestFlow {
  int64_t seconds = 0;
  void Update(const vpcflow::RecordView& rec) {
    if (rec.start() && rec.end()) seconds = std::max(seconds, *rec.end() - *rec.start());
  }
  void Merge(const LongestFlow& other) { seconds = std::max(seconds, other.seconds); }
  int64_t Value() const { return seconds; }
};

using Talkers = vpcflow::GroupBy<vpcflow::Keys<vpcflow::f::SrcAddr, vpcflow::f::DstPort>,
                                 vpcflow::Aggregate<vpcflow::Count, vpcflow::Sum<vpcflow::f::Bytes>,
                                                    vpcflow::Distinct<vpcflow::f::DstAddr>, LongestFlow>>;

int main(int argc, char** argv) {
  absl::StatusOr<std::vector<vpcflow::Source>> sources = vpcflow::Source::Expand(argc > 1 ? argv[1] : "-");
  if (!sources.ok()) {
    std::cerr << sources.status().message() << "\n";
    return 2;
  }
  Talkers talkers;
  const absl::Status status =
      vpcflow::Scan(*std::move(sources)).Where("action = 'ACCEPT' and srcaddr in '10.0.0.0/8'").Into(&talkers);
  if (!status.ok()) {
    std::cerr << status.message() << "\n";
    return 2;
  }
  for (const auto& row : talkers.Top<1>(10)) {
    std::cout << vpcflow::ToString(*row.key<0>()) << " to port " << *row.key<1>() << ": " << row.value<1>().ToString()
              << " bytes, " << row.value<0>() << " records, " << row.value<2>() << " peers, longest " << row.value<3>()
              << " s\n";
  }
  return talkers.Value() == 0;
}
