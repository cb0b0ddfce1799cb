// A question decided at run time, as JSON lines. This is what Python and the command line do.
#include <vpcflow/vpcflow.h>

#include <iostream>

int main(int argc, char** argv) {
  vpcflow::PlanSpec spec;
  spec.where = "action = 'REJECT'";
  spec.by = {"dstport"};
  spec.aggs = {{"records", "count()"}, {"sources", "n_unique(srcaddr)"}};
  spec.top = vpcflow::TopSpec{.n = 5, .by = "records", .other = true};
  absl::StatusOr<vpcflow::Plan> plan = vpcflow::Plan::Make(spec);
  absl::StatusOr<std::vector<vpcflow::Source>> sources = vpcflow::Source::Expand(argc > 1 ? argv[1] : "-");
  if (!plan.ok() || !sources.ok()) {
    std::cerr << (plan.ok() ? sources.status() : plan.status()).message() << "\n";
    return 2;
  }
  absl::StatusOr<vpcflow::Result> result = plan->Run(*sources, {});
  if (!result.ok()) {
    std::cerr << result.status().message() << "\n";
    return 2;
  }
  std::cout << vpcflow::ToJsonLines(result->table);
  std::cerr << result->report.records() << " records, " << result->report.rejected() << " rejects\n";
  return result->report.status().ok() ? 0 : 2;
}
