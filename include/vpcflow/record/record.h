// Record: a record that owns its bytes, for keeping beyond the next step of a Reader.
//
// Example:
//   std::vector<vpcflow::Record> kept;
//   if (rec.action() == vpcflow::Action::kReject) kept.emplace_back(rec);
//   kept[0]->srcaddr();                       // the same getters as RecordView
#ifndef VPCFLOW_RECORD_RECORD_H_
#define VPCFLOW_RECORD_RECORD_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vpcflow/record/record_view.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

// Any number of threads may use one at once through const members; changes are for one thread alone.
class Record {
 public:
  // Copies the text of the fields and shares the format. O(length of the line).
  explicit Record(const RecordView& view) : format_(view.shared_format()) {
    bounds_.reserve(format_->size() + 1);
    bounds_.push_back(0);
    for (size_t i = 0; i < format_->size(); ++i) {
      bytes_.append(view.text(i));
      bounds_.push_back(static_cast<uint32_t>(bytes_.size()));
    }
    position_ = view.position();
    line_number_ = view.line_number();
  }

  // Returns a view of this record, valid while the record lives and is not moved.
  RecordView view() const& {
    RecordView view;
    view.Reset(bytes_.data(), {bounds_.data(), bounds_.data() + 1, 0}, &format_, position_, line_number_);
    return view;
  }
  RecordView view() const&& = delete;

  // Gives access to the getters of the view: record->srcaddr().
  class Arrow {
   public:
    explicit Arrow(RecordView view) : view_(view) {}
    const RecordView* operator->() const { return &view_; }

   private:
    RecordView view_;
  };
  Arrow operator->() const& { return Arrow(view()); }
  Arrow operator->() const&& = delete;  // Record(rec)->interface_id() would dangle

 private:
  std::shared_ptr<const Format> format_;
  std::string bytes_;
  std::vector<uint32_t> bounds_;  // of the fields in bytes_
  Position position_;
  uint64_t line_number_ = 0;
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_RECORD_RECORD_H_
