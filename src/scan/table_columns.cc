#include "vpcflow/scan/table_columns.h"

#include "src/container/column_names.h"

VPCFLOW_NAMESPACE_BEGIN

bool HasFlowColumns(const std::vector<std::string>& names) {
  using namespace internal;
  unsigned evidence = kSaysNothing;
  bool all_own = true, flows_alone = false;
  for (const std::string& name : names) {
    if (name.starts_with("__index_level_")) continue;
    const NameMeaning meaning = MeaningOf(name);
    evidence |= meaning.evidence();
    all_own &= meaning.field != Field::kUnknown && meaning.rank == NameRank::kOwn;
    if (meaning.field == Field::kUnknown) continue;
    flows_alone |= Info(meaning.field).kind == Kind::kAddress || meaning.field == Field::kBytes ||
                   meaning.field == Field::kPackets || meaning.field == Field::kLogStatus;
  }
  return IsFlow(evidence) || (all_own && flows_alone);
}

std::vector<std::string> FieldsOfColumns(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const Field field = internal::MeaningOf(name).field;
    out.push_back(field == Field::kUnknown ? internal::HeaderName(name) : std::string(Info(field).name));
  }
  return out;
}

VPCFLOW_NAMESPACE_END
