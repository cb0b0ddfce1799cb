// Walks the records of a log and asks one question: who was rejected most often?
#include <vpcflow/vpcflow.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: consumer LOG\n";
    return 2;
  }
  absl::StatusOr<vpcflow::Reader> reader = vpcflow::Reader::Open(argv[1]);
  if (!reader.ok()) {
    std::cerr << reader.status().message() << "\n";
    return 2;
  }
  using Rejected = vpcflow::GroupBy<vpcflow::Keys<vpcflow::f::SrcAddr>, vpcflow::Aggregate<vpcflow::Count>>;
  Rejected rejected;
  uint64_t records = 0;
  for (const vpcflow::RecordView& rec : *reader) {
    ++records;
    if (rec.action() == vpcflow::Action::kReject) rejected.Update(rec);
  }
  if (!reader->status().ok()) {
    std::cerr << reader->status().message() << "\n";
    return 2;
  }
  std::cout << records << " records\n";
  for (const auto& row : rejected.Top<0>(3))
    std::cout << vpcflow::ToString(*row.key<0>()) << " " << row.value<0>() << "\n";
  return records == 0;
}
