// Texts as JSON.
#ifndef VPCFLOW_SRC_EXPORT_JSON_TEXT_H_
#define VPCFLOW_SRC_EXPORT_JSON_TEXT_H_

#include <string>
#include <string_view>

#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Appends a text in quotes; bytes that are not UTF-8 become U+FFFD.
void AppendJsonText(std::string_view text, std::string* out);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EXPORT_JSON_TEXT_H_
