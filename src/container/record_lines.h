// RecordLines: entries of a container as lines of text. What all containers share.
#ifndef VPCFLOW_SRC_CONTAINER_RECORD_LINES_H_
#define VPCFLOW_SRC_CONTAINER_RECORD_LINES_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "src/container/column_names.h"
#include "src/format/spelling.h"
#include "vpcflow/container/container.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class RecordLines {
 public:
  // A line that is a record as it stands, such as the message of an event. Line ends inside of it do not make it two.
  void Message(std::string_view text);
  // What entries without record seem to be is said of the first; reports keep no more rejects of a scan.
  static constexpr uint64_t kMostNamed = 1000;
  // An entry that holds no record. Says what it seems to be; behind an End that was false, why it is none.
  void NoRecord(std::string_view excerpt);

  // A record by its fields: Begin, Add for each, End. Names are AWS's or an alias of one (see column_names.h); others
  // become text fields. Values may be spelt as other tools do (see spelling.h). The fields of all records so far make
  // the format; a header line is written when it grows.
  void Begin();
  void Add(std::string_view name, std::string_view value);
  // False, and nothing is written, if the names make no flow log record, two of them are one field, or there are too
  // many.
  [[nodiscard]] bool End();

  // A header line of its own, for containers that name all fields first.
  void Header(const std::vector<std::string>& names);
  // One value of a line made with Header.
  void Value(std::string_view value, Spelling spelling);
  void EndLine(LineKind kind) {
    out_.back() = '\n';
    kinds_.push_back(kind);
  }

  // Bytes that a blob of the container unpacked to.
  void CountUnpacked(size_t bytes) { unpacked_ += bytes; }
  uint64_t unpacked() const { return unpacked_; }

  struct Column {
    std::string name;
    Field field;
    Spelling spelling;
    size_t position;  // of its value in the record in hand, or kNoColumn
    bool operator==(const Column& other) const { return name == other.name && field == other.field; }
  };
  static constexpr size_t kNoColumn = ~size_t{0};
  // What the records so far have to do with the next: the columns of the last header, how many entries had no record,
  // and what the last of them was.
  struct State {
    std::vector<Column> columns;
    uint64_t no_records = 0;
    std::string problem;
  };
  // The columns of the last header; of them those of the last record have positions: the numbers of its names.
  const std::vector<Column>& columns() const { return columns_; }
  // Grows with each header.
  uint64_t headers() const { return headers_; }
  uint64_t no_records() const { return no_records_; }
  const std::string& problem() const { return told_problem_; }
  // Goes on behind other records.
  void GoOn(const State& state);

  std::string& out() { return out_; }
  const std::string& out() const { return out_; }
  // What the lines written since the last ClearKinds are.
  const std::vector<LineKind>& kinds() const { return kinds_; }
  void ClearKinds() { kinds_.clear(); }

 private:
  struct KnownName {
    NameMeaning meaning;
    size_t column;  // or kNoColumn
  };
  bool Resolve();
  bool PlacePlainly();
  bool PlaceWithCare();
  KnownName FindName(std::string_view name);
  // The column of that name, made if it is not there; kNoColumn if there are too many.
  size_t ColumnOf(std::string_view name, Field field);
  void WriteHeader();

  std::string out_;
  std::vector<LineKind> kinds_;
  uint64_t no_records_ = 0;
  uint64_t unpacked_ = 0;
  std::vector<Column> columns_;
  std::map<std::string, KnownName, std::less<>> by_name_;  // as the container spells it
  // The record in hand: its names, which most often are those of the one before, and where its values end.
  std::vector<std::string> names_;
  std::string values_;
  std::vector<size_t> ends_;
  bool same_names_ = false;   // as those that were resolved
  bool is_record_ = false;    // by its names
  std::string problem_;       // what makes them none, if they are a flow's
  std::string told_problem_;  // for the entry that comes next
  size_t in_header_ = 0;      // columns named by the last header line
  uint64_t headers_ = 0;
  std::string scratch_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_CONTAINER_RECORD_LINES_H_
