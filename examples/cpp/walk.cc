// Walk records without copying them; keep a few.
#include <vpcflow/vpcflow.h>

#include <iostream>
#include <vector>

int main(int argc, char** argv) {
  absl::StatusOr<vpcflow::Reader> reader = vpcflow::Reader::Open(argc > 1 ? argv[1] : "-");
  if (!reader.ok()) {
    std::cerr << reader.status().message() << "\n";
    return 2;
  }
  std::vector<vpcflow::Record> kept;                // own their bytes
  for (const vpcflow::RecordView& rec : *reader) {  // `rec` dies at the next step
    if (rec.action() == vpcflow::Action::kReject && rec.dstport() == 22 && kept.size() < 5) kept.emplace_back(rec);
  }
  if (!reader->status().ok()) {  // "flow.log:7:31: dstport: out-of-range: ..."
    std::cerr << reader->status().message() << "\n";
    return 2;
  }
  std::cout << reader->report().records() << " records; rejected ssh:\n";
  for (const vpcflow::Record& record : kept) {
    std::cout << "  " << vpcflow::FormatInstant(record->start().value_or(0)) << " "
              << vpcflow::ToString(*record->srcaddr()) << " -> " << vpcflow::ToString(*record->dstaddr()) << "\n";
  }
  return kept.empty();
}
