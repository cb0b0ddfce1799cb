// An operator new of the whole program that can be told to fail.
#ifndef VPCFLOW_TESTS_FAULTS_FAILING_NEW_H_
#define VPCFLOW_TESTS_FAULTS_FAILING_NEW_H_

namespace failing_new {

// The next n allocations succeed, the one behind them fails, and all behind that succeed.
void AfterAllocations(long n);
// Lets all succeed; whether one failed since AfterAllocations.
bool Disarm();

}  // namespace failing_new

#endif  // VPCFLOW_TESTS_FAULTS_FAILING_NEW_H_
