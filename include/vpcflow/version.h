// The library's version and the inline namespace that marks its ABI epoch.
//
// Everything public lives in `vpcflow::v0`, reached as `vpcflow::`. The epoch grows when a layout changes, so that two
// epochs linked into one program keep apart. Source compatibility follows the semantic version below.
#ifndef VPCFLOW_VERSION_H_
#define VPCFLOW_VERSION_H_

#define VPCFLOW_VERSION_MAJOR 0
#define VPCFLOW_VERSION_MINOR 1
#define VPCFLOW_VERSION_PATCH 0
#define VPCFLOW_VERSION "0.1.0"

#define VPCFLOW_NAMESPACE_BEGIN \
  namespace vpcflow {           \
  inline namespace v0 {
#define VPCFLOW_NAMESPACE_END \
  }                           \
  }

// Marks a parameter that the returned view borrows from; clang then warns about dangling uses.
#if defined(__clang__)
#define VPCFLOW_LIFETIME_BOUND [[clang::lifetimebound]]
#else
#define VPCFLOW_LIFETIME_BOUND
#endif

#endif  // VPCFLOW_VERSION_H_
