// An accumulator that cannot be merged is none.
#include "vpcflow/core.h"
struct Mine {
  void Update(const vpcflow::RecordView&) {}
#ifndef VPCFLOW_MUST_FAIL
  void Merge(const Mine&) {}
#endif
  int Value() const { return 0; }
};
vpcflow::Aggregate<vpcflow::Count, Mine> all;
