// Batch: the columns of some records, as filters and aggregates read them. A column holds the values of one field for
// all rows of the batch.
//
// Null is part of the value: kNullInt, kNullAddress, kNullText.
//
// Example:
//   vpcflow::Batch batch;
//   batch.rows = 1;
//   batch.columns.resize(1);
//   batch.columns[0].kind = vpcflow::Kind::kInt64;
//   batch.columns[0].ints = {vpcflow::kNullInt};   // one record, whose value is null
#ifndef VPCFLOW_RECORD_BATCH_H_
#define VPCFLOW_RECORD_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/base/ip.h"
#include "vpcflow/format/field.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/record/text_dictionary.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

struct LabelLookup;  // the engine's; defined in src/scan/rows.h

// Names a field that a plan or filter reads: one of the catalogue, a further text column of a format, or a label.
struct FieldRef {
  Field field = Field::kUnknown;
  std::string name{};                           // canonical
  std::shared_ptr<const LabelLookup> lookup{};  // of a column that is not in the log but looked up
  Kind kind() const { return field == Field::kUnknown ? Kind::kText : Info(field).kind; }
  friend bool operator==(const FieldRef&, const FieldRef&) = default;
};

inline constexpr int64_t kNullInt = std::numeric_limits<int64_t>::min();

// An address in eight bytes: 0 for null, kCodeV4 | address for IPv4, kCodeV6 | index into Batch::v6 for IPv6.
using AddressCode = uint64_t;
inline constexpr AddressCode kNullAddress = 0;
inline constexpr AddressCode kCodeV4 = uint64_t{1} << 32;
inline constexpr AddressCode kCodeV6 = uint64_t{2} << 32;

// Texts are numbers of the column's dictionary.
inline constexpr uint32_t kNullText = 0;

struct Column {
  Kind kind = Kind::kText;
  std::vector<int64_t> ints{};           // kInt32, kInt64, kTime
  std::vector<AddressCode> addresses{};  // kAddress
  std::vector<uint32_t> texts{};         // kText: codes of `dictionary`
  const TextDictionary* dictionary = nullptr;

  // Returns the text of a row; its data() is null for null.
  std::string_view text(size_t row) const { return dictionary->text(texts[row]); }
};

struct Batch {
  size_t rows = 0;
  std::vector<Column> columns{};  // by slot
  std::vector<Ip> v6{};           // the IPv6 addresses of all address columns
  uint32_t source = 0;
  std::vector<uint64_t> offsets{};  // byte offset of each row's line

  // Returns the address of a code of this batch, which must not be null.
  Ip address(AddressCode code) const {
    return code < kCodeV6 ? Ip::V4(static_cast<uint32_t>(code)) : v6[static_cast<uint32_t>(code)];
  }
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RECORD_BATCH_H_
