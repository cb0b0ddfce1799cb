// OCSF's forms of AWS's events, as Security Lake has them, converted back: the makers of the originals take them.
#ifndef VPCFLOW_SRC_EVENTS_OCSF_ORIGINALS_H_
#define VPCFLOW_SRC_EVENTS_OCSF_ORIGINALS_H_

#include <simdjson.h>

#include <string>
#include <string_view>

#include "src/events/document_values.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

// Whether a document is an event of OCSF.
bool IsOcsf(const Element& document);

// Converts events of OCSF to documents as AWS's services write them. The class decides, and the product, never
// `type_uid`, which versions number differently; fields that versions name differently are looked for under all names.
class OcsfOriginals {
 public:
  // Returns the source of an event, and sets `out` to the document, as JSON. Empty for what has none, such as findings
  // of vpcflow.
  std::string_view Convert(const Element& event, std::string* out);

 private:
  simdjson::dom::parser parser_;  // of texts within
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_EVENTS_OCSF_ORIGINALS_H_
