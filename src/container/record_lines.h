// RecordLines: entries of a container as lines of text. What all containers share.
#ifndef VPCFLOW_SRC_CONTAINER_RECORD_LINES_H_
#define VPCFLOW_SRC_CONTAINER_RECORD_LINES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vpcflow/format/field.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class RecordLines {
 public:
  // A line that is a record as it stands, such as the message of an event. Line ends inside of it do not make it two.
  void Message(std::string_view text);
  // An entry that holds no record.
  void NoRecord(std::string_view excerpt);

  // A record by its fields: Begin, Add for each, End. Names are AWS's or an alias of one (see FindFieldOrAlias); others
  // become text fields. The fields of all records so far make the format; a header line is written when it grows.
  void Begin();
  void Add(std::string_view name, std::string_view value);
  // False, and nothing is written, if a field came twice, none is one that only flow logs have, or there are too many.
  [[nodiscard]] bool End();

  // A header line of its own, for containers that name all fields first.
  void Header(const std::vector<std::string>& names);
  // One value of a line made with Header; `text` tells whether blanks are part of it.
  void Value(std::string_view value, bool text);
  void EndLine() {
    out_.back() = '\n';
    ++line_count_;
  }

  std::string& out() { return out_; }
  // Lines written so far, headers and marks too.
  uint64_t line_count() const { return line_count_; }

 private:
  struct Column {
    std::string name;
    bool text;
    bool telling;  // only flow logs have it
    std::string value;
    bool set = false;
  };
  size_t ColumnOf(std::string_view name);
  size_t FindColumn(std::string_view name);
  void ForgetNames();
  void Mark(char mark);

  std::string out_;
  uint64_t line_count_ = 0;
  std::vector<Column> columns_;
  std::map<std::string, size_t, std::less<>> by_name_;  // as the container spells it
  // The names of the record before, in its order, which the next one most often has.
  std::vector<std::pair<std::string, size_t>> in_order_;
  size_t position_ = 0;         // in in_order_, of the name to come
  size_t in_header_ = 0;        // columns named by the last header line
  bool among_objects_ = false;  // the last line that was written is one
  bool twice_ = false;
  bool too_many_ = false;
  bool any_telling_ = false;
};

// The field that a container means by a name: AWS's with any separators or none and in any case (srcAddr, pkt_srcaddr),
// or a name that Athena's tables or others use for it (sourceaddress, numbytes).
std::string FieldNameOf(std::string_view name);

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_RECORD_LINES_H_
