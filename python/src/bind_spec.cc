// Specifications of plans, and the options of scans.
#include <optional>

#include "members.h"

namespace vpcflow_python {
namespace {

using vpcflow::PlanSpec;
using vpcflow::ScanOptions;
using vpcflow::SessionSpec;
using vpcflow::TopSpec;

// Binds a struct with all its members as attributes, and `replace`, which gives one with other members.
template <class T, class... Ms>
void BindValue(py::module_& m, const char* name, const std::string& prefix, Member<T, Ms>... members) {
  py::class_<T> bound = BindStruct(m, name, prefix, members...);
  bound.def("replace", [=](const T& self, const py::kwargs& values) {
    T out = self;
    SetMembers(name, prefix, values, &out, members...);
    return out;
  });
  (bound.def_property_readonly(members.name, [members](const T& self) { return ToPython(self.*members.at); }), ...);
}

}  // namespace

void BindSpec(py::module_& m) {
  BindValue(m, "TopSpec", "top_k: ", Member{"n", &TopSpec::n}, Member{"by", &TopSpec::by},
            Member{"other", &TopSpec::other}, Member{"per", &TopSpec::per}, Member{"counters", &TopSpec::counters});
  BindValue(m, "SessionSpec", "", Member{"idle", &SessionSpec::idle}, Member{"vantage", &SessionSpec::vantage},
            Member{"intermediaries", &SessionSpec::intermediaries}, Member{"ordered", &SessionSpec::ordered},
            Member{"fold_above", &SessionSpec::fold_above}, Member{"fold_not", &SessionSpec::fold_not});
  BindValue(m, "PlanSpec", "", Member{"where", &PlanSpec::where}, Member{"filters", &PlanSpec::filters},
            Member{"labels", &PlanSpec::labels}, Member{"sessions", &PlanSpec::sessions},
            Member{"select", &PlanSpec::select}, Member{"limit", &PlanSpec::limit},
            Member{"located", &PlanSpec::located}, Member{"by", &PlanSpec::by}, Member{"every", &PlanSpec::every},
            Member{"bin_by", &PlanSpec::bin_by}, Member{"window", &PlanSpec::window}, Member{"gap", &PlanSpec::gap},
            Member{"aggs", &PlanSpec::aggs}, Member{"derived", &PlanSpec::derived}, Member{"having", &PlanSpec::having},
            Member{"top", &PlanSpec::top}, Member{"sort", &PlanSpec::sort},
            Member{"allow_missing", &PlanSpec::allow_missing}, Member{"check_all", &PlanSpec::check_all},
            Member{"asked", &PlanSpec::asked}, Member{"session_records", &PlanSpec::session_records},
            Member{"lenient", &PlanSpec::lenient});
  BindValue(m, "ScanOptions", "", Member{"format", &ScanOptions::format}, Member{"container", &ScanOptions::container},
            Member{"on_error", &ScanOptions::on_error}, Member{"duplicates", &ScanOptions::duplicates},
            Member{"trust_statistics", &ScanOptions::trust_statistics}, Member{"threads", &ScanOptions::threads},
            Member{"max_output_bytes", &ScanOptions::max_output_bytes}, Member{"max_memory", &ScanOptions::max_memory},
            Member{"first_source", &ScanOptions::first_source}, Member{"block_bytes", &ScanOptions::block_bytes},
            Member{"allow_empty", &ScanOptions::allow_empty}, Member{"allow_missing", &ScanOptions::allow_missing},
            Member{"notes", &ScanOptions::notes});
}

}  // namespace vpcflow_python
