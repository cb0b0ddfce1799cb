// Complaints: the error and the warnings of a filter that is being bound.
#ifndef VPCFLOW_SRC_FILTER_COMPLAINTS_H_
#define VPCFLOW_SRC_FILTER_COMPLAINTS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "src/expr/expr.h"
#include "src/filter/contradictions.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {

class Complaints {
 public:
  // `text` is the whole expression, which errors show. With `lenient`, tests that cannot hold are warnings.
  Complaints(const ExprUse& use, std::string_view text, bool lenient, std::vector<std::string>* warnings)
      : use_(use), text_(text), lenient_(lenient), warnings_(warnings) {}

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const& { return status_; }
  const absl::Status& status() const&& = delete;

  // Records the first error; false.
  bool Fail(size_t at, std::string_view message, ErrorPlace place = {}) {
    return Fail(use_.kind, at, message, std::move(place));
  }
  bool Fail(ErrorKind kind, size_t at, std::string_view message, ErrorPlace place) {
    if (ok()) status_ = ErrorAt(use_, kind, text_, at, message, std::move(place));
    return false;
  }

  // Refuses a test that no value passes, or each: true. Of a lenient filter it is a warning: false.
  bool Refuse(size_t at, std::string message, ErrorPlace place = {}) {
    if (!lenient_) return !Fail(at, message, std::move(place));
    Warn(std::move(message));
    refused_ = true;
    return false;
  }
  // Warns of what never or always holds, and yet is no error; of a test that was refused no more.
  void Warn(std::string message) {
    if (!refused_) NoteWarning(absl::StrCat(std::string(use_.what), ": ", message), warnings_);
  }
  // What follows is about another test.
  void NextTest() { refused_ = false; }

 private:
  const ExprUse& use_;
  std::string_view text_;
  bool lenient_;
  std::vector<std::string>* warnings_;
  bool refused_ = false;  // the test at hand
  absl::Status status_;
};

}  // namespace internal
VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SRC_FILTER_COMPLAINTS_H_
