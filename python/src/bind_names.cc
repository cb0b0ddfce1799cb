// Names of what users choose from: the texts of the Literals in vpcflow.typing.
#include "convert.h"

namespace vpcflow_python {
namespace {

using Names = std::vector<std::string_view>;

Names Verdicts() {
  using vpcflow::Verdict;
  return {vpcflow::VerdictName(Verdict::kExact), vpcflow::VerdictName(Verdict::kDegraded),
          vpcflow::VerdictName(Verdict::kImpossible)};
}

Names RejectReasons() {
  Names out = NamesOf<vpcflow::Errc>();
  out.erase(out.begin());  // no reject
  return out;
}

}  // namespace

void BindNames(py::module_& m) {
  m.def("names", [] {
    const std::pair<const char*, Names> all[] = {
        {"BinBy", NamesOf<vpcflow::BinBy>()},
        {"Container", NamesOf<vpcflow::Container>()},
        {"Duplicates", NamesOf<vpcflow::Duplicates>()},
        {"ErrorKind", NamesOf<vpcflow::ErrorKind>()},
        {"OnError", NamesOf<vpcflow::OnError>()},
        {"RejectReason", RejectReasons()},
        {"Severity", Names(vpcflow::kSeverityNames.begin(), vpcflow::kSeverityNames.end())},
        {"Vantage", NamesOf<vpcflow::Vantage>()},
        {"Verdict", Verdicts()},
    };
    py::dict out;
    for (const auto& [alias, names] : all) out[alias] = py::tuple(py::cast(names));
    return out;
  });
}

}  // namespace vpcflow_python
