#include "vpcflow/events/event_reader.h"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "src/events/event_documents.h"
#include "src/events/event_makers.h"
#include "vpcflow/export/arrow.h"
#include "vpcflow/export/text.h"
#include "vpcflow/record/text_dictionary.h"
#include "vpcflow/source/decompress.h"

VPCFLOW_NAMESPACE_BEGIN
namespace {

namespace dom = simdjson::dom;

constexpr uint64_t kMostUnpacked = uint64_t{64} << 30;  // of a file: what bombs may cost

enum Column : size_t {
  kTime,
  kEnd,
  kSource,
  kKind,
  kSeverity,
  kEntities,
  kFile,
  kByte,
  kKey,
  kAttrs,
  kVersion,
  kDocument
};

struct ColumnRow {
  const char* name;
  ColumnType type;
};

constexpr ColumnRow kColumns[] = {
    {"time", ColumnType::kTime},  {"end", ColumnType::kTime},      {"source", ColumnType::kText},
    {"kind", ColumnType::kText},  {"severity", ColumnType::kText}, {"entities", ColumnType::kText},
    {"file", ColumnType::kText},  {"byte", ColumnType::kInt64},    {"key", ColumnType::kText},
    {"attrs", ColumnType::kText}, {"version", ColumnType::kText},  {"document", ColumnType::kText}};

// What cannot be opened, as a stream that cannot be read: damage is told in one way.
class Failed final : public ByteStream {
 public:
  explicit Failed(absl::Status error) : error_(std::move(error)) {}
  absl::StatusOr<size_t> Read(char* /*buffer*/, size_t /*size*/) override { return error_; }

 private:
  absl::Status error_;
};

std::unique_ptr<internal::EventDocuments> OpenDocuments(const Source& source, bool lines = false) {
  absl::StatusOr<std::unique_ptr<ByteStream>> text = OpenText(source, {}, nullptr, nullptr, nullptr, kMostUnpacked);
  std::unique_ptr<ByteStream> stream = text.ok() ? *std::move(text) : std::make_unique<Failed>(text.status());
  return std::make_unique<internal::EventDocuments>(source.name(), std::move(stream), lines);
}

// The texts of a column of a batch, each once; if nearly all differ, as they come.
class TextColumn {
 public:
  explicit TextColumn(bool differ) : differ_(differ) {}

  int32_t Code(std::string_view text) {
    if (differ_) {
      list_.emplace_back(text);
      return static_cast<int32_t>(list_.size()) - 1;
    }
    // A dictionary takes "-" for null. No text is UTF-8 with this byte in it.
    const bool dash = text == "-";
    const auto code = static_cast<int32_t>(texts_.Code(dash ? "\xFF" : text)) - 1;
    if (dash) dash_ = code;
    return code;
  }
  // Moves the texts away.
  std::vector<std::string> Take() {
    if (differ_) return std::exchange(list_, {});
    std::vector<std::string> out;
    out.reserve(texts_.size());
    for (uint32_t code = 1; code <= texts_.size(); ++code) out.emplace_back(texts_.text(code));
    if (dash_ >= 0) out[static_cast<size_t>(dash_)] = "-";
    dash_ = -1;
    texts_.Clear();
    return out;
  }

 private:
  bool differ_;
  std::vector<std::string> list_;
  TextDictionary texts_;
  int32_t dash_ = -1;
};

}  // namespace

struct EventReader::Impl final : internal::EventDocuments::Visitor {
  template <class MapOrSource>
  Impl(std::vector<Source> given, const MapOrSource& of, EventSelection selection)
      : sources(std::move(given)),
        makers(of),
        entities(selection.entities.begin(), selection.entities.end()),
        documents_of(std::move(selection.documents)) {
    for (const std::string& kind : selection.kinds) kinds.insert(absl::AsciiStrToLower(kind));
    for (size_t column = 0; column < std::size(kColumns); ++column)
      texts.emplace_back(column == kEntities || column == kKey || column == kAttrs || column == kDocument);
  }

  Table Empty() const {
    Table empty;
    for (const ColumnRow& column : kColumns) {
      if (column.name == std::string_view("document") && documents_of.empty()) continue;
      empty.columns.push_back({.name = column.name, .type = column.type});
    }
    return empty;
  }

  void Open() {
    ++report.files;
    file = sources[at].name();
    documents = OpenDocuments(sources[at], makers.has_lines());
  }

  absl::Status Close() {
    absl::Status status = documents->error();
    std::string damage = documents->Damage();
    if (status.ok() && !damage.empty()) report.damage.push_back(std::move(damage));
    documents.reset();
    ++at;
    return status;
  }

  void Count(const internal::EventMaker& event) {
    ++report.events;
    report.first = std::min(report.first.value_or(event.time()), event.time());
    report.last = std::max(report.last.value_or(event.end()), event.end());
    auto found = report.kinds.find(event.kind());
    if (found == report.kinds.end()) {
      const bool full = report.kinds.size() >= EventReport::kMostKinds;
      found = report.kinds.try_emplace(full ? std::string() : std::string(event.kind())).first;
    }
    ++found->second;
  }

  void CountOther(std::string name) {
    ++report.other;
    if (report.others.size() >= EventReport::kMostOthers && !report.others.contains(name)) name.clear();
    ++report.others[std::move(name)];
  }

  bool IsWanted(std::string_view kind, const dom::element& document) const {
    return std::any_of(documents_of.begin(), documents_of.end(), [&](const EventDocument& one) {
      return one.kind == kind && std::all_of(one.with.begin(), one.with.end(), [&](const std::string& path) {
               const std::optional<dom::element> value = internal::At(document, path);
               return value && internal::Counts(*value);
             });
    });
  }

  void Take(const dom::element& document, std::string_view text, uint64_t byte, uint32_t number) override {
    ++report.documents;
    dom::element taken = document;
    internal::EventMaker* event = makers.Begin(&taken, &text);
    if (event == nullptr) return CountOther(internal::NameOf(document));
    const bool wanted = !documents_of.empty() && IsWanted(event->kind(), taken);
    Rows(event, wanted ? &taken : nullptr, text, byte, number);
  }

  void TakeLine(std::string_view line, uint64_t byte, uint32_t number) override {
    ++report.documents;
    internal::EventMaker* event = makers.BeginLine(line);
    if (event == nullptr) return CountOther("other line");
    Rows(event, nullptr, line, byte, number);
  }

  void Rows(internal::EventMaker* event, const dom::element* document, std::string_view text, uint64_t byte,
            uint32_t number) {
    Count(*event);
    if (!kinds.empty() && document == nullptr) {
      lower.assign(event->kind());
      absl::AsciiStrToLower(&lower);
      if (!kinds.contains(lower)) return;
    }
    place.assign(file);
    absl::StrAppend(&place, ":byte ", byte);
    if (number > 0) absl::StrAppend(&place, "#", number);
    event->Rows(place, [&](const internal::EventRow& row, bool first) {
      Add(*event, row, first ? document : nullptr, text, byte);
    });
  }

  void Add(const internal::EventMaker& event, const internal::EventRow& row, const dom::element* document,
           std::string_view text, uint64_t byte) {
    if (!entities.empty() &&
        std::none_of(row.entities.begin(), row.entities.begin() + static_cast<ptrdiff_t>(row.count),
                     [this](const std::string& one) { return entities.contains(one); }))
      return;
    const auto put = [this](Column column, std::string_view value) {
      out->columns[column].i32.push_back(texts[column].Code(value));
    };
    const auto put_if = [&](Column column, std::string_view value) {
      if (value.empty()) out->columns[column].i32.push_back(kNullCode);
      if (!value.empty()) put(column, value);
    };
    out->columns[kTime].i64.push_back(event.time() * kMicrosPerSecond);
    out->columns[kEnd].i64.push_back(event.end() * kMicrosPerSecond);
    out->columns[kByte].i64.push_back(static_cast<int64_t>(byte));
    put(kSource, event.source());
    put(kKind, event.kind());
    put_if(kSeverity, row.severity);
    list = "[";
    for (size_t i = 0; i < row.count; ++i) {
      if (i > 0) list += ',';
      internal::AppendJson(row.entities[i], &list);
    }
    list += ']';
    put(kEntities, list);
    put(kFile, file);
    put(kKey, row.key);
    list.assign(row.attrs) += '}';
    put(kAttrs, list);
    put_if(kVersion, event.version());
    if (!documents_of.empty()) {
      const bool none = document == nullptr;
      put_if(kDocument, none ? "" : text.empty() ? std::string_view(minified = simdjson::minify(*document)) : text);
    }
    ++out->rows;
  }

  std::vector<Source> sources;
  size_t at = 0;
  std::unique_ptr<internal::EventDocuments> documents;  // of sources[at]
  internal::EventMakers makers;
  std::string file;
  std::set<std::string, std::less<>> kinds, entities;
  std::vector<EventDocument> documents_of;
  EventReport report;
  absl::Status error;  // it ended so, behind the rows before
  Table* out = nullptr;
  std::deque<TextColumn> texts;
  std::string place, list, minified, lower;  // reused
};

EventReader::EventReader(std::vector<Source> sources, const EventMap& map, EventSelection selection)
    : impl_(std::make_unique<Impl>(std::move(sources), map, std::move(selection))) {}
EventReader::EventReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventReader::~EventReader() = default;
EventReader::EventReader(EventReader&&) noexcept = default;
EventReader& EventReader::operator=(EventReader&&) noexcept = default;

Table EventReader::Empty() const { return impl_->Empty(); }

absl::StatusOr<EventReader> EventReader::Of(std::vector<Source> sources, std::string_view source,
                                            EventSelection selection) {
  auto impl = std::make_unique<Impl>(std::move(sources), source, std::move(selection));
  if (!impl->makers.empty()) return EventReader(std::move(impl));
  return absl::InvalidArgumentError(
      absl::StrCat("no source of events '", ValidUtf8(source), "'; known: ", absl::StrJoin(EventSources(), ", ")));
}

const EventReport& EventReader::report() const& { return impl_->report; }

absl::StatusOr<bool> EventReader::Next(Table* out, size_t rows) {
  *out = impl_->Empty();
  if (!impl_->error.ok()) return impl_->error;
  impl_->out = out;
  while (out->rows < std::max<size_t>(rows, 1) && impl_->at < impl_->sources.size()) {
    if (impl_->documents == nullptr) impl_->Open();
    if (impl_->documents->Step(impl_.get())) continue;
    impl_->error = impl_->Close();
    if (!impl_->error.ok()) break;
  }
  for (size_t column = 0; column < out->columns.size(); ++column)
    out->columns[column].texts = impl_->texts[column].Take();
  const bool any = out->rows > 0;
  if (!any && !impl_->error.ok()) return impl_->error;
  return any;
}

namespace {

struct StreamPrivate {
  std::shared_ptr<EventReader> reader;
  std::string error;
};

// Fills `out` of a table; what is thrown does not leave through a C interface.
template <class Fill>
int FillOrFail(ArrowArrayStream* stream, Fill fill) {
  auto* own = static_cast<StreamPrivate*>(stream->private_data);
  try {
    own->error.clear();
    const absl::Status status = fill(own);
    if (status.ok()) return 0;
    own->error = std::string(status.message());
    return EIO;
  } catch (...) {  // memory alone runs out here
    return ENOMEM;
  }
}

template <class Out>
int Take(Table table, int (*ArrowArrayStream::*call)(ArrowArrayStream*, Out*), Out* out) {
  ArrowArrayStream one;
  ExportTable(std::make_shared<const Table>(std::move(table)), &one);
  const int result = (one.*call)(&one, out);
  one.release(&one);
  return result;
}

int GetSchema(ArrowArrayStream* stream, ArrowSchema* out) {
  *out = {};
  int result = 0;
  const int failed = FillOrFail(stream, [&](StreamPrivate* own) {
    result = Take(own->reader->Empty(), &ArrowArrayStream::get_schema, out);
    return absl::OkStatus();
  });
  return failed != 0 ? failed : result;
}

int GetNext(ArrowArrayStream* stream, ArrowArray* out) {
  *out = {};
  int result = 0;
  const int failed = FillOrFail(stream, [&](StreamPrivate* own) -> absl::Status {
    Table table;
    const absl::StatusOr<bool> more = own->reader->Next(&table);
    if (!more.ok()) return more.status();
    if (*more) result = Take(std::move(table), &ArrowArrayStream::get_next, out);
    const EventReport& report = own->reader->report();
    if (*more || report.events > 0) return absl::OkStatus();
    return absl::NotFoundError(absl::StrCat("no event in ", report.files, report.files == 1 ? " file" : " files",
                                            report.damage.empty() ? "" : "; " + report.damage.front()));
  });
  return failed != 0 ? failed : result;
}

const char* GetLastError(ArrowArrayStream* stream) {
  const std::string& error = static_cast<StreamPrivate*>(stream->private_data)->error;
  return error.empty() ? nullptr : error.c_str();
}

void ReleaseStream(ArrowArrayStream* stream) {
  delete static_cast<StreamPrivate*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

void ExportEvents(std::shared_ptr<EventReader> reader, ArrowArrayStream* out) {
  *out = {GetSchema, GetNext, GetLastError, ReleaseStream, new StreamPrivate{std::move(reader), {}}};
}

struct DocumentReader::Impl final : internal::EventDocuments::Visitor {
  explicit Impl(Source given) : source(std::move(given)) {}

  void Take(const dom::element& document, std::string_view text, uint64_t byte, uint32_t number) override {
    out->push_back({source.name(), byte, number, text.empty() ? simdjson::minify(document) : std::string(text)});
  }

  Source source;
  std::unique_ptr<internal::EventDocuments> documents;
  std::vector<PlacedDocument>* out = nullptr;
  std::vector<std::string> damage;
  bool done = false;
  absl::Status error;  // it ended so, behind the documents before
};

DocumentReader::DocumentReader(Source source) : impl_(std::make_unique<Impl>(std::move(source))) {}
DocumentReader::~DocumentReader() = default;
DocumentReader::DocumentReader(DocumentReader&&) noexcept = default;
DocumentReader& DocumentReader::operator=(DocumentReader&&) noexcept = default;

const std::vector<std::string>& DocumentReader::damage() const& { return impl_->damage; }

absl::StatusOr<bool> DocumentReader::Next(std::vector<PlacedDocument>* out, size_t count) {
  out->clear();
  if (!impl_->error.ok()) return impl_->error;
  if (impl_->done) return false;
  if (impl_->documents == nullptr) impl_->documents = OpenDocuments(impl_->source);
  impl_->out = out;
  while (out->size() < std::max<size_t>(count, 1)) {
    if (impl_->documents->Step(impl_.get())) continue;
    impl_->done = true;
    impl_->error = impl_->documents->error();
    std::string damage = impl_->documents->Damage();
    if (impl_->error.ok() && !damage.empty()) impl_->damage.push_back(std::move(damage));
    break;
  }
  if (out->empty() && !impl_->error.ok()) return impl_->error;
  return !out->empty();
}

VPCFLOW_NAMESPACE_END
