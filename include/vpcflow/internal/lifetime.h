// What of a call may be a temporary: views of one would dangle behind the statement.
#ifndef VPCFLOW_INTERNAL_LIFETIME_H_
#define VPCFLOW_INTERNAL_LIFETIME_H_

#include <concepts>
#include <string_view>
#include <type_traits>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// The deduced type of a forwarding reference that binds a temporary text with bytes of its own: std::string, but
// neither a string_view nor a literal.
template <class T>
concept TemporaryText = !std::is_lvalue_reference_v<T> && std::convertible_to<T, std::string_view> &&
                        !std::same_as<std::remove_cvref_t<T>, std::string_view> && !std::is_pointer_v<std::decay_t<T>>;

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_INTERNAL_LIFETIME_H_
