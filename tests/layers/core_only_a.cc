// The core in a program that links nothing but the standard library.
#include <cstdio>

#include "vpcflow/core.h"

bool OtherUnitAgrees(const vpcflow::RecordView& record);

int main() {
  vpcflow::RecordParser parser(vpcflow::Format::Default());
  vpcflow::RecordView record;
  const char* line = "2 123456789010 eni-1 10.0.0.1 10.0.0.2 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK";
  if (parser.Parse(line, &record) != vpcflow::Errc::kOk) return 1;
  vpcflow::Aggregate<vpcflow::Count, vpcflow::Sum<vpcflow::f::Bytes>> all;
  all.Update(record);
  std::printf("%s bytes\n", all.Value<1>().ToString().c_str());
  return OtherUnitAgrees(record) && all.Value<1>().u64() == 4249 ? 0 : 1;
}
