// Format: the ordered list of fields of a log, and the mapper that reads it from whatever people have at hand.
//
// Example:
//   vpcflow::Format format;
//   vpcflow::FormatError error;
//   if (!vpcflow::Format::Parse("${version} ${srcaddr} ${bytes}", &format, &error)) Print(error.message);
//   format.IndexOf(vpcflow::Field::kBytes);   // 2
//   format.ToString();                        // "${version} ${srcaddr} ${bytes}"
//
// Accepted: AWS's `${a} ${b}`, Terraform's `$${a}`, plain names with `-` or `_` separated by blanks or commas (so also
// a header line), and the names "default", "tgw", "v3", "v4", "v5", "v7" ... "v11" (all VPC fields up to that version).
#ifndef VPCFLOW_FORMAT_FORMAT_H_
#define VPCFLOW_FORMAT_FORMAT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vpcflow/format/field.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// What was wrong with a format text: a sentence for a person, and the place and number (from 1) of the token.
struct FormatError {
  std::string message{};
  size_t offset = 0;
  size_t token = 0;
};

struct FormatColumn {
  Field field = Field::kUnknown;
  std::string name{};  // canonical: lower case, hyphens
  friend bool operator==(const FormatColumn&, const FormatColumn&) = default;
};

// Any number of threads may use one at once through const members; changes are for one thread alone.
class Format {
 public:
  // A format has at most this many fields.
  static constexpr size_t kMaxColumns = 256;

  Format() { index_.fill(-1); }

  // Returns AWS's default VPC format: the 14 fields of version 2.
  static Format Default();
  // Returns AWS's default transit gateway format: 36 fields.
  static Format TransitGatewayDefault();
  // Returns all VPC fields up to a version, in catalogue order.
  static Format UpToVersion(int version);

  // Reads a format text. Names the catalogue lacks become text columns, unless one is so near to a known name that it
  // must be a slip: that is an error which names both.
  static bool Parse(std::string_view text, Format* out, FormatError* error);

  // Returns true if the line is a header: every token looks like a field name and at least half of them are known, or
  // with `sure`, for names that can be nothing else, one. `out` gets its format; here unknown names are always kept,
  // because the line is what the data has.
  static bool ParseHeader(std::string_view line, Format* out, bool sure = false);

  size_t size() const { return columns_.size(); }
  bool empty() const { return columns_.empty(); }
  const std::vector<FormatColumn>& columns() const& { return columns_; }
  const std::vector<FormatColumn>& columns() const&& = delete;  // for (c : Format::Default().columns()) would dangle
  // Returns the position of a field, or -1.
  int IndexOf(Field field) const { return field == Field::kUnknown ? -1 : index_[static_cast<size_t>(field)]; }
  // Returns the position of a field by name, unknown ones included, or -1.
  int IndexOf(std::string_view name) const;
  // Returns "${version} ${account-id} ...", as AWS's API takes it.
  std::string ToString() const;

  friend bool operator==(const Format& a, const Format& b) { return a.columns_ == b.columns_; }

 private:
  bool Add(std::string_view name, FormatError* error);
  static Format FromNames(std::string_view names);

  std::vector<FormatColumn> columns_;
  std::array<int16_t, kFieldCount> index_;
};

VPCFLOW_NAMESPACE_END

#include "vpcflow/format/format-inl.h"

#endif  // VPCFLOW_FORMAT_FORMAT_H_
