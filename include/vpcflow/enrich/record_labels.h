// RecordLabels: a name for a record, out of several of its fields. With them a plan gets a further column, which is text
// and can be filtered by, grouped by and selected like a field.
//
// Example:
//   static constexpr std::array kFields = {vpcflow::Field::kDstPort};
//   struct Service final : vpcflow::RecordLabels {
//     std::span<const vpcflow::Field> fields() const override { return kFields; }
//     void Label(const vpcflow::Batch& batch, std::span<const size_t> slots, std::span<uint64_t> out) const override {
//       const vpcflow::Column& port = batch.columns[slots[0]];
//       for (size_t row = 0; row < out.size(); ++row) out[row] = port.ints[row] == 443 ? 1 : kNone;
//     }
//     std::string Text(uint64_t) const override { return "web"; }
//   };
//   spec.labels = {{.name = "service", .record = std::make_shared<const Service>()}};
//   spec.by = {"service"};
#ifndef VPCFLOW_ENRICH_RECORD_LABELS_H_
#define VPCFLOW_ENRICH_RECORD_LABELS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>

#include "vpcflow/format/field.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Called by any number of threads at once.
class RecordLabels {
 public:
  static constexpr uint64_t kNone = 0;  // the record has no label

  virtual ~RecordLabels() = default;
  // Returns the fields that it reads. Those that a log lacks are null in each record; a plan goes on without them if
  // PlanSpec::allow_missing says so.
  virtual std::span<const Field> fields() const = 0;
  // Writes the number of each row's label; slots[i] is the column of fields()[i].
  virtual void Label(const Batch& batch, std::span<const size_t> slots, std::span<uint64_t> out) const = 0;
  // Returns the text of a label by its number.
  virtual std::string Text(uint64_t number) const = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_ENRICH_RECORD_LABELS_H_
