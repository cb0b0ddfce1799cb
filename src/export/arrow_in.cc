// Arrow tables as rows for plans.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "src/export/arrow_column.h"
#include "src/plan/aggregation_impl.h"
#include "src/plan/run.h"
#include "src/scan/driver.h"
#include "vpcflow/export/arrow.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

// The field that a column holds.
std::string FieldOf(const char* name) {
  const std::string_view text = name == nullptr ? "" : name;
  const std::optional<Field> field = FindFieldOrAlias(text);
  return field ? std::string(Info(*field).name) : CanonicalName(text);
}

class ArrowRows final : public Rows {
 public:
  ArrowRows(const std::vector<FieldRef>& slots, const ScanOptions& options, Report* report)
      : Rows(slots),
        slots_(slots),
        options_(options),
        report_(report),
        columns_(slots.size()),
        entries_(slots.size()) {}

  // Begins a stream.
  void StartStream(uint32_t number, std::string name) {
    batch_.source = number;
    name_ = std::move(name);
    first_row_ = batch_rows_taken_ = 0;
  }
  // Points it at a batch, which must stay until the last Next.
  absl::Status Start(const ArrowSchema& schema, const ArrowArray& array) {
    length_ = static_cast<size_t>(array.length);
    next_ = 0;
    status_column_.reset();
    for (auto& column : columns_) column.reset();
    if (array.offset != 0) return absl::InvalidArgumentError("arrow: a batch with an offset is not supported");
    for (int64_t c = 0; c < schema.n_children; ++c) {
      const ArrowSchema& field = *schema.children[c];
      const std::string name = FieldOf(field.name);
      if (name == Info(Field::kLogStatus).name) status_column_.emplace(field, *array.children[c]);
      for (size_t slot = 0; slot < slots_.size(); ++slot) {
        if (slots_[slot].name != name) continue;
        if (columns_[slot])
          return absl::InvalidArgumentError(absl::StrCat("arrow: two columns are the field '", name, "'"));
        columns_[slot].emplace(field, *array.children[c]);
        if (absl::Status s = CheckType(*columns_[slot], slots_[slot]); !s.ok()) return s;
        // Each entry of a dictionary is read once, unless the dictionary is of many more rows than these.
        const size_t entries = columns_[slot]->entries();
        const bool few = entries <= length_ + kBatchRows && IsText(*columns_[slot]);
        entries_[slot].codes.assign(few ? entries : 0, kUnread);
        entries_[slot].v6.clear();
      }
    }
    return absl::OkStatus();
  }

  const std::string& name() const override { return name_; }
  bool Next() override {
    first_row_ += batch_rows_taken_;
    const size_t n = std::min(kBatchRows, length_ - next_);
    batch_rows_taken_ = n;
    Clear();
    rows_.resize(n);
    bad_.assign(n, 0);
    status_.assign(n, LogStatus::kOther);
    batch_.rows = n;
    batch_.offsets.resize(n);
    for (size_t i = 0; i < n; ++i) {
      rows_[i] = next_ + i;
      batch_.offsets[i] = first_row_ + i;
      if (status_column_ && IsText(*status_column_) && !status_column_->IsNull(next_ + i)) {
        status_[i] = ParseLogStatus(status_column_->Text(next_ + i));
      }
      ++CounterOf(status_[i], report_);
    }
    report_->lines += n;
    next_ += n;
    return n > 0;
  }

  void LoadFields(std::span<const size_t> slots) override {
    for (const size_t slot : slots) {
      if (loaded_[slot] == 0) LoadColumn(slot);
      loaded_[slot] = 1;
    }
  }
  void Keep(std::span<const uint8_t> keep) override {
    Compact(&rows_, keep);
    KeepBatch(keep);
  }

  bool HasField(size_t slot) const override { return columns_[slot].has_value(); }
  bool stopped() const { return stopped_; }

 private:
  static bool IsText(const ArrowColumn& column) {
    return column.type() == ArrowColumn::Type::kText || column.type() == ArrowColumn::Type::kTextView;
  }

  static absl::Status CheckType(const ArrowColumn& column, const FieldRef& field) {
    using T = ArrowColumn::Type;
    const bool number = field.kind() != Kind::kAddress && field.kind() != Kind::kText;
    const bool fits = column.type() == T::kNull || IsText(column) ||
                      (number && (column.type() == T::kInt || column.type() == T::kFloat) &&
                       (column.ticks() == 0 || field.kind() == Kind::kTime));
    if (fits) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("arrow: column '", field.name, "' has type '", column.format(),
                                                   "', which does not hold ",
                                                   number                           ? "numbers"
                                                   : field.kind() == Kind::kAddress ? "addresses as text"
                                                                                    : "text"));
  }

  Errc ReadAddress(const ArrowColumn& column, size_t row, AddressCode* out) {
    Ip ip;
    if (!ParseIp(column.Text(row), &ip)) return Errc::kNotAnAddress;
    *out = ip.is_v4() ? kCodeV4 | ip.v4() : AddV6(ip);
    return Errc::kOk;
  }
  AddressCode AddV6(const Ip& ip) {
    batch_.v6.push_back(ip);
    return kCodeV6 | (batch_.v6.size() - 1);
  }

  static Errc ReadInt(const ArrowColumn& column, size_t row, Field field, int64_t* out) {
    const FieldInfo& info = Info(field);
    if (IsText(column)) {
      const std::string_view text = column.Text(row);
      if (info.kind == Kind::kTime) return ParseFlowTime(text.data(), text.size(), out);
      uint64_t value = 0;
      const Errc e = ParseUint(text, info.max, &value);
      if (e == Errc::kOk) *out = static_cast<int64_t>(value);
      return e;
    }
    std::optional<int64_t> value = column.Int(row);
    if (!value) return Errc::kNotANumber;
    if (column.ticks() != 0) *value = *value / column.ticks() - (*value % column.ticks() < 0 ? 1 : 0);
    if (info.kind == Kind::kTime && column.ticks() == 0 && *value > static_cast<int64_t>(kMaxTimeSeconds))
      *value /= 1000;
    const uint64_t max = info.kind == Kind::kTime ? static_cast<uint64_t>(kLatestTime) : info.max;
    if (*value < 0 || static_cast<uint64_t>(*value) > max) return Errc::kOutOfRange;
    *out = *value;
    return Errc::kOk;
  }

  void LoadColumn(size_t slot) {
    Column& out = batch_.columns[slot];
    const bool address = out.kind == Kind::kAddress, text = out.kind == Kind::kText;
    if (address) out.addresses.assign(batch_.rows, kNullAddress);
    if (text) out.texts.assign(batch_.rows, kNullText);
    if (!address && !text) out.ints.assign(batch_.rows, kNullInt);
    if (!columns_[slot]) return;
    const ArrowColumn& column = *columns_[slot];
    if (address || text) {
      if (!entries_[slot].codes.empty()) return text ? LoadTextEntries(slot, &out) : LoadAddressEntries(slot, &out);
    } else if (column.WholeNumbers(rows_, out.ints.data())) {
      return CheckWhole(slot, &out);
    }
    for (size_t i = 0; i < batch_.rows; ++i) {
      const size_t row = rows_[i];
      if (column.IsNull(row) || column.IsNan(row) || (IsText(column) && column.Text(row) == "-")) continue;
      if (text) {
        out.texts[i] = dictionaries_[slot]->Code(column.Text(row));
        continue;
      }
      const Errc e = address ? ReadAddress(column, row, &out.addresses[i])
                             : ReadInt(column, row, slots_[slot].field, &out.ints[i]);
      if (e != Errc::kOk) RejectRow(i, slot, e);
    }
  }

  void LoadTextEntries(size_t slot, Column* out) {
    Entries& own = entries_[slot];
    TextDictionary& dictionary = *dictionaries_[slot];
    if (own.generation != dictionary.generation()) std::fill(own.codes.begin(), own.codes.end(), kUnread);
    own.generation = dictionary.generation();
    const ArrowColumn& column = *columns_[slot];
    for (size_t i = 0; i < batch_.rows; ++i) {
      const std::optional<size_t> entry = column.EntryOf(rows_[i]);
      if (!entry) continue;
      uint64_t& code = own.codes[*entry];
      if (code == kUnread) {
        const ArrowColumn& texts = column.dictionary();
        code = texts.IsNull(*entry) ? kNullText : dictionary.Code(texts.Text(*entry));  // of "-" it is null, too
      }
      out->texts[i] = static_cast<uint32_t>(code);
    }
  }

  void LoadAddressEntries(size_t slot, Column* out) {
    Entries& own = entries_[slot];
    const ArrowColumn& column = *columns_[slot];
    for (size_t i = 0; i < batch_.rows; ++i) {
      const std::optional<size_t> entry = column.EntryOf(rows_[i]);
      if (!entry) continue;
      uint64_t& code = own.codes[*entry];
      if (code == kUnread) code = ReadEntry(column.dictionary(), *entry, &own.v6);
      if (code == kMalformed) {
        RejectRow(i, slot, Errc::kNotAnAddress);
      } else {
        out->addresses[i] = code < kCodeV6 ? code : AddV6(own.v6[static_cast<uint32_t>(code)]);
      }
    }
  }

  // The code of an entry that is an address, its IPv6 addresses by `v6`.
  static uint64_t ReadEntry(const ArrowColumn& texts, size_t entry, std::vector<Ip>* v6) {
    Ip ip;
    if (texts.IsNull(entry) || texts.Text(entry) == "-") return kNullAddress;
    if (!ParseIp(texts.Text(entry), &ip)) return kMalformed;
    if (ip.is_v4()) return kCodeV4 | ip.v4();
    v6->push_back(ip);
    return kCodeV6 | (v6->size() - 1);
  }

  // Numbers as they came from the column; rejects what the field does not take.
  void CheckWhole(size_t slot, Column* out) {
    const FieldInfo& info = Info(slots_[slot].field);
    const bool time = info.kind == Kind::kTime, milliseconds = time && columns_[slot]->ticks() == 0;
    const int64_t max = time ? kLatestTime : static_cast<int64_t>(info.max);
    for (size_t i = 0; i < batch_.rows; ++i) {
      int64_t& value = out->ints[i];
      if (value == kNullInt) continue;
      if (milliseconds && value > static_cast<int64_t>(kMaxTimeSeconds)) value /= 1000;
      if (value >= 0 && value <= max) continue;
      value = kNullInt;
      RejectRow(i, slot, Errc::kOutOfRange);
    }
  }

  void RejectRow(size_t i, size_t slot, Errc reason) {
    if (options_.on_error == OnError::kNull) {
      ++report_->nulled_values;
      return;
    }
    if (bad_[i] != 0) return;
    bad_[i] = 1;
    --CounterOf(status_[i], report_);
    ++report_->rejects_by_reason[static_cast<size_t>(reason)];
    stopped_ |= options_.on_error == OnError::kStop;
    std::string excerpt =
        IsText(*columns_[slot]) ? Printable(columns_[slot]->Text(rows_[i]), 200) : std::string("a number");
    report_->rejects.push_back({batch_.source, name_, batch_.offsets[i] + 1, batch_.offsets[i], 1, slots_[slot].name,
                                reason, std::move(excerpt)});
    if (report_->rejects.size() >= 2 * Report::kMaxRejectSamples) report_->TrimRejects();
  }

  const std::vector<FieldRef>& slots_;
  const ScanOptions& options_;
  Report* report_;
  std::vector<std::optional<ArrowColumn>> columns_;
  // By slot: what the entries of the column's dictionary are in the batch.
  static constexpr uint64_t kUnread = ~uint64_t{0}, kMalformed = kUnread - 1;
  struct Entries {
    std::vector<uint64_t> codes;  // empty if rows are read one by one
    std::vector<Ip> v6;
    uint64_t generation = 0;  // of the dictionary that codes of texts are of
  };
  std::vector<Entries> entries_;
  std::optional<ArrowColumn> status_column_;
  std::vector<size_t> rows_;
  std::string name_;  // of the stream
  size_t length_ = 0;
  size_t next_ = 0;
  uint64_t first_row_ = 0;
  size_t batch_rows_taken_ = 0;
  bool stopped_ = false;
};

// Releases what the stream handed out, however the function is left.
template <class T>
struct Released {
  T value{};
  ~Released() {
    if (value.release != nullptr) value.release(&value);
  }
};

absl::Status StreamError(ArrowArrayStream* stream) {
  const char* message = stream->get_last_error(stream);
  return absl::UnavailableError(
      absl::StrCat("arrow: the stream failed: ", message == nullptr ? "no reason given" : message));
}

}  // namespace
}  // namespace internal

namespace internal {
namespace {

// One stream through the worker.
absl::Status ReadStream(const NamedArrowStream& named, const ScanOptions& options, ArrowRows* rows, Worker* worker,
                        Report* report) {
  Released<ArrowArrayStream> own;
  std::swap(own.value, *named.stream);
  Released<ArrowSchema> schema;
  if (own.value.get_schema(&own.value, &schema.value) != 0) return StreamError(&own.value);
  if (std::string_view(schema.value.format) != "+s")
    return absl::InvalidArgumentError("arrow: not a table (the stream's type is no struct)");
  std::string format;
  for (int64_t c = 0; c < schema.value.n_children; ++c)
    absl::StrAppend(&format, c == 0 ? "" : " ", FieldOf(schema.value.children[c]->name));
  report->CountFormat(std::move(format));
  while (true) {
    if (options.poll && !options.poll({})) return absl::CancelledError("the scan was cancelled");
    Released<ArrowArray> batch;
    if (own.value.get_next(&own.value, &batch.value) != 0) return StreamError(&own.value);
    if (batch.value.release == nullptr) return absl::OkStatus();
    if (absl::Status s = rows->Start(schema.value, batch.value); !s.ok()) return s;
    while (rows->Next()) {
      worker->Process(rows);
      if (options.max_memory > 0 && worker->bytes() > options.max_memory) return MemoryExceeded(options.max_memory);
      if (rows->stopped()) return absl::DataLossError(report->rejects[0].ToString());
    }
  }
}

// Text first, then the tables by a worker of their own.
absl::StatusOr<ScannedWorkers> ScanTables(std::span<const Plan> plans, const SlotMap& map,
                                          const std::vector<Source>& sources, const ArrowStreams& streams,
                                          const ScanOptions& options, Report* report) {
  absl::StatusOr<ScannedWorkers> scanned = ScanText(plans, map, sources, options, report);
  if (!scanned.ok()) return scanned;
  auto worker = std::make_unique<Worker>(plans, map);
  ArrowRows rows(map.fields, options, report);
  absl::Status status;
  for (auto number = static_cast<uint32_t>(sources.size()); status.ok(); ++number) {
    const absl::StatusOr<NamedArrowStream> named = streams();
    if (!named.ok()) status = named.status();
    if (!named.ok() || named->stream == nullptr) break;
    ++report->sources;
    if (report->names.size() < Report::kMaxNames) report->names.push_back(named->name);
    rows.StartStream(number + options.first_source, named->name);
    status = ReadStream(*named, options, &rows, worker.get(), report);
  }
  report->TrimRejects();
  if (!status.ok()) return status;
  scanned->workers.push_back(worker.get());
  scanned->others.push_back(std::move(worker));
  return scanned;
}

}  // namespace
}  // namespace internal

absl::StatusOr<std::vector<Result>> RunArrow(std::span<const Plan> plans, const std::vector<Source>& sources,
                                             const ArrowStreams& streams, const ScanOptions& options,
                                             Report* out_report, std::vector<Result>* partial) {
  using namespace internal;
  if (plans.empty()) return std::vector<Result>();
  const SlotMap map(plans);
  Report report;
  const absl::StatusOr<ScannedWorkers> scanned = ScanTables(plans, map, sources, streams, options, &report);
  if (out_report != nullptr) *out_report = report;
  if (!scanned.ok()) return scanned.status();
  return Concluded(plans, JoinWorkers(plans, map, scanned->workers, std::move(report)), options, partial);
}

absl::Status UpdateArrow(Aggregation* aggregation, const std::vector<Source>& sources, const ArrowStreams& streams,
                         const ScanOptions& options, Report* out_report) {
  using namespace internal;
  Aggregation::Impl& impl = aggregation->impl();
  Report report;
  const absl::StatusOr<ScannedWorkers> scanned =
      ScanTables({&impl.plan, 1}, impl.map, sources, streams, options, &report);
  absl::Status status = scanned.ok() ? impl.Join(*scanned, &report) : scanned.status();
  if (status.ok()) status = report.Outcome(options.allow_empty);
  if (out_report != nullptr) *out_report = std::move(report);
  return status;
}

absl::StatusOr<std::vector<Result>> RunArrow(std::span<const Plan> plans, ArrowArrayStream* stream,
                                             const ScanOptions& options, Report* report) {
  const auto once = [&]() -> absl::StatusOr<NamedArrowStream> {
    return NamedArrowStream{std::exchange(stream, nullptr), "<arrow>"};
  };
  return RunArrow(plans, {}, once, options, report);
}

VPCFLOW_NAMESPACE_END
