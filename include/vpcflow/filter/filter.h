// Filter: the expression language that selects records, the same in C++, Python and on the command line.
//
// Example:
//   absl::StatusOr<vpcflow::Filter> filter =
//       vpcflow::Filter::Parse("action == 'REJECT' and dstport in (22, 3389) and not srcaddr in '10.0.0.0/8'");
//   if (filter.ok() && filter->Matches(rec)) Print(rec.srcaddr());
//
// Grammar (words in any case; field names with `-` or `_`; one grammar with conditions on groups, compose.h):
//   condition = and {"or" and}              and = not {"and" not}          not = "not" not | test
//   test      = "(" condition ")" | "true" | "false" | operand comparison
//   operand   = field ["&" number]                                         bits of an integer field: tcp_flags & 18
//   comparison = ("=" | "==" | "!=" | "<>" | "<" | "<=" | ">" | ">=") (literal | field)
//             | ["not"] "in" (literal | "(" literal {"," literal} ")")     addresses: also prefixes, '10.0.0.0/8'
//             | ["not"] "between" literal "and" literal                    numbers and times, both ends included
//             | ["not"] "like" text                                        % any text, _ one character; whole value
//             | ["not"] ("matches" | "~") text                             RE2 regular expression; found anywhere
//             | "is" ["not"] "null"
//   literal   = number | 'text' | "text"                                   a quote is doubled inside; also bare:
//                                                                          10.0.0.1, 10.0.0.0/8, 2026-11-23T10:00Z
//   field     = name | `name`                                              in backticks: of any bytes
//
// Values that AWS documents as words (action, log-status, flow-direction, type, interface-type, ...) are the same in
// any case: action = 'reject'. A test that cannot hold is an error that names the nearest value: action = 'DENY',
// srcaddr = '-' (null is tested with `is null`), srcaddr in '10.0.0.5/8', dstport > 65535, bytes < 0, bytes in ().
// Where the values are no closed list (region, interface-type), and where two tests exclude each other
// (dstport = 22 and dstport = 23), it is a warning.
//
// Times compare with Unix seconds or ISO 8601 text (UTC unless it says otherwise); `protocol` also takes 'tcp', 'udp',
// 'icmp' and a few more names. Addresses have =, !=, in; text fields =, !=, in, like, matches.
//
// A test on null is neither true nor false, and a record passes only if the whole is true (as in SQL and polars):
// `action != 'ACCEPT'` does not pass a record without action; `action is null` does.
#ifndef VPCFLOW_FILTER_FILTER_H_
#define VPCFLOW_FILTER_FILTER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "vpcflow/record/batch.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

struct FieldBounds;  // vpcflow/source/arrow_table.h

namespace internal {
class Binder;
struct FilterNode;
}  // namespace internal

// Result of a test on one record. Ordered so that "and" is the minimum and "or" the maximum (Kleene logic).
enum class Tri : uint8_t { kFalse = 0, kNull = 1, kTrue = 2 };

struct FilterOptions {
  // The values of `action` in place of ACCEPT and REJECT, as of sessions taken for records.
  std::span<const std::string_view> actions{};
  // Tests that no value can pass are warnings, as of filters that were saved by earlier releases.
  bool lenient = false;
};

// Const: any number of threads may use one Filter at once.
class Filter {
 public:
  // Texts longer, expressions nested deeper and patterns longer than this are refused.
  static constexpr size_t kMaxText = 64 * 1024;
  static constexpr int kMaxDepth = 64;
  static constexpr size_t kMaxPattern = 4 * 1024;

  // Parses and checks an expression. `extra_fields` names text columns that the log has beyond the catalogue. Errors
  // have the kind kFilter, or kField for a name that is no field, the text, a caret at the place and, for a misspelt
  // field or value, the nearest one. A test that no value can pass, or that each passes, is an error.
  static absl::StatusOr<Filter> Parse(std::string_view text, const std::vector<std::string>& extra_fields = {},
                                      const FilterOptions& options = {});

  // Returns whether one record passes. Safe from several threads. A field that the record's format lacks is null.
  bool Matches(const RecordView& record) const;

  // Writes the result for each row of a batch. `slots[i]` is the batch column of fields()[i], or -1 where there is none
  // (null).
  void Evaluate(const Batch& batch, std::span<const int> slots, std::span<Tri> out) const;

  // Returns bounds of fields between which the values of each record lie that passes, each field once; none if no test
  // that has to hold gives any. O(tests).
  std::vector<FieldBounds> Bounds() const;

  // Returns the fields it names, each once.
  const std::vector<FieldRef>& fields() const& { return fields_; }
  // Returns the text it was parsed from.
  const std::string& text() const& { return text_; }
  // Returns probable mistakes: tests of one field that exclude each other, values that AWS does not document.
  const std::vector<std::string>& warnings() const& { return warnings_; }
  const std::vector<FieldRef>& fields() const&& = delete;  // of a temporary they would dangle
  const std::string& text() const&& = delete;
  const std::vector<std::string>& warnings() const&& = delete;

 private:
  friend class internal::Binder;

  std::string text_;
  std::vector<std::string> warnings_;
  std::vector<FieldRef> fields_;
  std::shared_ptr<const internal::FilterNode> root_;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_FILTER_FILTER_H_
