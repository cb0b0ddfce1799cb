// Bytes as they come from a socket, 1,400 at a time, with a look at the answer now and then:
//   nc -l 5140 | example_feed
#include <fcntl.h>
#include <unistd.h>
#include <vpcflow/vpcflow.h>

#include <iostream>

int main(int argc, char** argv) {
  const int fd = argc > 1 ? open(argv[1], O_RDONLY) : STDIN_FILENO;  // or a socket
  vpcflow::PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {{"bytes", "sum(bytes)"}, {"flows", "count()"}};
  spec.top = vpcflow::TopSpec{.n = 5, .by = "bytes"};
  const absl::StatusOr<vpcflow::Plan> plan = vpcflow::Plan::Make(spec);
  if (!plan.ok()) return 2;
  absl::StatusOr<vpcflow::Aggregation> talkers = vpcflow::Aggregation::Make(*plan);
  if (!talkers.ok()) return 2;

  vpcflow::Feeder feeder = vpcflow::Feeder::Into(&*talkers, argc > 1 ? argv[1] : "stdin");
  char piece[1400];
  absl::Status status;
  uint64_t pieces = 0;
  for (ssize_t n; status.ok() && (n = read(fd, piece, sizeof piece)) > 0;) {
    status = feeder.Feed(std::string_view(piece, static_cast<size_t>(n)));
    if (status.ok() && ++pieces % 10'000 == 0) {
      status = feeder.Flush();  // the groups have all whole lines so far
      std::cout << feeder.report().records() << " records, " << talkers->groups() << " sources\n";
    }
  }
  if (status.ok()) status = feeder.Finish();
  std::cout << vpcflow::ToCsv(talkers->Value(), /*header=*/true);
  for (const vpcflow::Reject& reject : feeder.report().rejects) std::cerr << reject.ToString() << "\n";
  if (status.ok()) return 0;
  std::cerr << status.message() << "\n";
  return 2;
}
