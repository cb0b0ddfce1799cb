#include "src/session/shown_fields.h"

#include <algorithm>
#include <string_view>

#include "vpcflow/format/format.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

template <class T>
bool AnyBut(const std::vector<T>& values, T none) {
  return std::any_of(values.begin(), values.end(), [&](T value) { return value != none; });
}

bool HasValue(const Column& column) {
  if (column.kind == Kind::kAddress) return AnyBut(column.addresses, kNullAddress);
  if (column.kind == Kind::kText) return AnyBut(column.texts, kNullText);
  return AnyBut(column.ints, kNullInt);
}

}  // namespace

void ShownFields::Add(const Batch& batch, const SessionColumns& columns, Bits named) {
  Bits& valued = scanned_[{batch.source, named}];
  if (valued == named) return;
  for (size_t i = 0; i < columns.size(); ++i) {
    const auto bit = static_cast<Bits>(1u << i);
    if ((named & ~valued & bit) != 0 && HasValue(batch.columns[columns[i]])) valued |= bit;
  }
}

void ShownFields::Merge(const ShownFields& other) {
  for (const auto& [source, valued] : other.scanned_) scanned_[source] |= valued;
  for (const auto& [shown, sources] : other.ended_) ended_[shown] += sources;
}

void ShownFields::EndScan() {
  for (const auto& [source, valued] : scanned_) ++ended_[{source.second, valued}];
  scanned_.clear();
}

std::map<std::string, uint64_t> ShownFields::Texts() const {
  ShownFields all = *this;
  all.EndScan();
  std::map<std::string, uint64_t> out;
  for (const auto& [shown, sources] : all.ended_) {
    std::string text;
    for (size_t i = 0; i < kSessionFields.size(); ++i) {
      if ((shown.named >> i & 1) == 0) continue;
      text.append(text.empty() ? "" : " ").append((shown.valued >> i & 1) == 0 ? "-" : "");
      text.append(Info(kSessionFields[i]).name);
    }
    out[std::move(text)] = sources;
  }
  return out;
}

void ShownFields::Write(StateWriter* out) const {
  Shown all;
  for (const auto& [source, valued] : scanned_) {
    all.named |= source.second;
    all.valued |= valued;
  }
  bool unknown = false;
  for (const auto& [shown, sources] : ended_) {
    all.named |= shown.named;
    all.valued |= shown.valued;
    unknown |= shown == Shown();
  }
  out->Byte(unknown);
  out->Fixed32(static_cast<uint32_t>(all.named) << 16 | all.valued);
}

void ShownFields::Read(StateReader* in) {
  const uint8_t unknown = in->Byte();
  const uint32_t bits = in->Fixed32();
  const Shown shown{static_cast<Bits>(bits >> 16), static_cast<Bits>(bits)};
  if (unknown > 1 || (shown.valued & ~shown.named) != 0) in->Fail();
  if (unknown == 1) AddUnknown();
  if (shown != Shown()) ++ended_[shown];
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
