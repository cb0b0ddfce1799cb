// Reader: walks the records of a log, one after the other, without copying them.
//
// Example:
//   absl::StatusOr<vpcflow::Reader> reader = vpcflow::Reader::Open("flow.log.gz");
//   if (!reader.ok()) return reader.status();
//   std::vector<vpcflow::Record> kept;
//   for (const vpcflow::RecordView& rec : *reader)
//     if (rec.action() == vpcflow::Action::kReject && rec.dstport() == 22) kept.emplace_back(rec);
//   if (!reader->status().ok()) return reader->status();   // "flow.log.gz:7:31: dstport: out-of-range: ..."
//
// The format comes from the header line, the options or AWS's default. `rec` borrows the block in hand and dies at the
// next step. A value is checked when a getter reads it; a record with a malformed value counts as a reject from then
// on.
#ifndef VPCFLOW_SCAN_READER_H_
#define VPCFLOW_SCAN_READER_H_

#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "vpcflow/record/record_view.h"
#include "vpcflow/result/report.h"
#include "vpcflow/scan/options.h"
#include "vpcflow/source/source.h"
#include "vpcflow/version.h"

VPCFLOW_NAMESPACE_BEGIN

class OpenedReader;

// One reader belongs to one thread at a time; several threads have a reader each, or a Scan. What a poll or a source's
// callback throws leaves Next, and so does std::bad_alloc.
class Reader {
 public:
  // Opens a path, folder or pattern of Source::Expand. The first reject ends the walk unless options say otherwise.
  static OpenedReader Open(const std::string& path);
  static OpenedReader Open(const std::string& path, ScanOptions options);
  Reader(std::vector<Source> sources, ScanOptions options);
  ~Reader();
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;

  // Steps to the next record; false at the end or at an error (see status()).
  bool Next();
  // Returns the record in hand; valid until the next step.
  const RecordView& record() const&;
  const RecordView& record() const&& = delete;

  // Returns OK, or why the walk ended early or is incomplete; at its end also kNotFound if no record was read
  // (Report::NoRecords), unless ScanOptions::allow_empty.
  absl::Status status() const;
  const Report& report() const&;
  const Report& report() const&& = delete;

  class Iterator {
   public:
    using value_type = RecordView;
    using difference_type = std::ptrdiff_t;
    explicit Iterator(Reader* reader) : reader_(reader) {}
    const RecordView& operator*() const { return reader_->record(); }
    const RecordView* operator->() const { return &reader_->record(); }
    Iterator& operator++() {
      if (!reader_->Next()) reader_ = nullptr;
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return reader_ == nullptr; }

   private:
    Reader* reader_;
  };
  // For range-for; walks on from where the reader is.
  Iterator begin() & { return Iterator(Next() ? this : nullptr); }
  Iterator begin() && = delete;
  std::default_sentinel_t end() const { return {}; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// What Open returns: an absl::StatusOr<Reader> whose reader is not reached while it is a temporary.
// `for (auto& record : *Reader::Open(path))` would walk a reader that is gone, and does not compile; name the result,
// or take the reader out of it by `Reader::Open(path).value()`, which is a reader by value.
class OpenedReader : public absl::StatusOr<Reader> {
 public:
  using absl::StatusOr<Reader>::StatusOr;

  Reader& operator*() & { return StatusOr::operator*(); }
  const Reader& operator*() const& { return StatusOr::operator*(); }
  Reader& operator*() const&& = delete;
  Reader* operator->() & { return StatusOr::operator->(); }
  const Reader* operator->() const& { return StatusOr::operator->(); }
  Reader* operator->() const&& = delete;
  Reader& value() & { return StatusOr::value(); }
  const Reader& value() const& { return StatusOr::value(); }
  Reader value() && { return std::move(*this).StatusOr::value(); }
};

VPCFLOW_NAMESPACE_END

#endif  // VPCFLOW_SCAN_READER_H_
