#include "fuzz/targets.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <utility>

#include "src/container/record_lines.h"
#include "src/plan/run/run.h"
#include "src/scan/rows.h"
#include "src/scan/scanned_text.h"
#include "src/simd/kernels.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow_fuzz {
namespace {

using namespace vpcflow;

constexpr const char* kLine = "2 123456789010 eni-1 10.0.0.1 10.0.0.9 40000 22 6 10 840 1000 1060 ACCEPT OK\n";

std::string Header() {
  const Format format = Format::Default();
  std::string out;
  for (const FormatColumn& column : format.columns()) out += column.name + " ";
  out.back() = '\n';
  return out;
}

std::string Json(const Table& table) { return ToJsonLines(table); }

// What a scan made of the bytes: the rows as JSON, the counts, the error.
struct Outcome {
  std::string rows;
  std::vector<uint64_t> counts;
  bool failed = false;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};
Outcome ScanAll(std::string_view bytes, size_t block, int threads, OnError on_error = OnError::kSkip) {
  ScanOptions options;
  options.block_bytes = block;
  options.threads = threads;
  options.on_error = on_error;
  options.max_line_bytes = 4096;
  PlanSpec spec;
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"peers", "n_unique(dstaddr)"}};
  spec.by = {"srcaddr"};
  spec.allow_missing = spec.check_all = true;
  Report report;
  const absl::StatusOr<std::vector<Result>> results =
      RunAll(std::vector<Plan>{*Plan::Make(spec)}, {Source::Bytes("f", bytes)}, options, &report);
  Outcome out;
  out.failed = !results.ok() || !report.errors.empty();
  if (results.ok()) out.rows = Json((*results)[0].table);
  out.counts = {report.ok, report.nodata, report.skipdata, report.lines, report.headers, report.blank_lines};
  out.counts.insert(out.counts.end(), report.rejects_by_reason.begin(), report.rejects_by_reason.end());
  return out;
}

// -- lines, kernels, numbers

void Lines(std::string_view bytes) {
  TokenIndex index;
  IndexTokens(bytes.data(), bytes.size(), &index);
  size_t tokens = 0;
  uint32_t begin = 0;
  for (size_t i = 0; i < index.line_count(); ++i) {
    const TextLine& line = index.line(i);
    VPCFLOW_FUZZ_CHECK(line.begin == begin && line.end >= line.begin && line.end <= bytes.size());
    VPCFLOW_FUZZ_CHECK(line.first == tokens);
    VPCFLOW_FUZZ_CHECK(bytes.substr(line.begin).find('\n') ==
                       (line.end < bytes.size() ? line.end - line.begin : bytes.npos));
    VPCFLOW_FUZZ_CHECK(!index.lines_begin_low() || static_cast<unsigned char>(bytes[line.begin]) < 'a');
    for (size_t t = 0; t < line.count; ++t) {
      const Token token = index.token(line.first + t);
      VPCFLOW_FUZZ_CHECK(token.begin < token.end && token.begin >= line.begin && token.end <= line.end);
    }
    tokens += line.count;
    begin = line.end + 1;
  }
  VPCFLOW_FUZZ_CHECK(tokens == index.token_count());
}

void Kernels(std::string_view bytes) {
  const internal::BuiltKernels* all;
  const size_t n = internal::AllKernels(&all);
  std::vector<Token> first;
  std::vector<int64_t> first_ints;
  for (size_t k = 0; k < n; ++k) {
    if (!all[k].usable) continue;
    TokenIndex index;
    all[k].kernels->index(bytes.data(), bytes.size(), index.Reserve(bytes.size()));
    std::vector<Token> tokens;
    for (size_t i = 0; i < index.token_count(); ++i) tokens.push_back(index.token(i));
    // As records of five fields, all of them numbers.
    constexpr uint32_t kWidth = 5;
    std::vector<uint32_t> records;
    for (uint32_t i = 0; i + kWidth <= tokens.size(); i += kWidth) records.push_back(i);
    const TokenSpan span = index.tokens();
    const internal::TokenColumn column = {bytes.data(), bytes.size(),   span.begins,   span.ends,
                                          span.bias,    records.data(), records.size()};
    std::vector<int64_t> ints;
    std::vector<std::vector<int64_t>> values(kWidth, std::vector<int64_t>(records.size()));
    std::vector<std::vector<uint32_t>> left(kWidth, std::vector<uint32_t>(records.size()));
    std::vector<internal::IntegerColumn> columns;
    for (uint32_t c = 0; c < kWidth; ++c) columns.push_back({c, 16, 65535, values[c].data(), left[c].data(), 0});
    all[k].kernels->integers(column, columns.data(), columns.size());
    for (uint32_t c = 0; c < kWidth; ++c) {
      for (size_t i = 0; i < columns[c].n_left; ++i) {
        const Token t = tokens[records[left[c][i]] + c];
        uint64_t value = 0;
        const std::string_view text = bytes.substr(t.begin, t.end - t.begin);
        values[c][left[c][i]] = text == "-"                                   ? kNullInt
                                : ParseUint(text, 65535, &value) == Errc::kOk ? static_cast<int64_t>(value)
                                                                              : -1;
      }
      ints.insert(ints.end(), values[c].begin(), values[c].end());
    }
    if (k == 0) {
      first = tokens;
      first_ints = ints;
    }
    const auto same = [](const Token& a, const Token& b) { return a.begin == b.begin && a.end == b.end; };
    VPCFLOW_FUZZ_CHECK(std::equal(first.begin(), first.end(), tokens.begin(), tokens.end(), same));
    VPCFLOW_FUZZ_CHECK(ints == first_ints);
  }
}

void Scalars(std::string_view bytes) {
  Ip ip;
  if (ParseIp(bytes, &ip)) {
    Ip again;
    VPCFLOW_FUZZ_CHECK(ParseIp(ToString(ip), &again) && again == ip);
  }
  uint64_t value = 0;
  if (ParseUint(bytes, UINT64_MAX, &value) == Errc::kOk)
    VPCFLOW_FUZZ_CHECK(!bytes.empty() && bytes.find_first_not_of("0123456789") == std::string_view::npos);
  int64_t seconds = 0;
  ParseFlowTime(bytes.data(), bytes.size(), &seconds);
  ParseInstant(bytes, &seconds);
  Cidr cidr;
  if (ParseCidr(bytes, &cidr)) VPCFLOW_FUZZ_CHECK(cidr.first <= cidr.last);
}

// -- formats, paths

void Formats(std::string_view bytes) {
  Format format, again;
  FormatError error;
  if (Format::Parse(bytes, &format, &error)) {
    VPCFLOW_FUZZ_CHECK(format.size() > 0 && format.size() <= Format::kMaxColumns);
    VPCFLOW_FUZZ_CHECK(Format::Parse(format.ToString(), &again, &error) && again == format);
    Capabilities(format);
  } else {
    VPCFLOW_FUZZ_CHECK(!error.message.empty());
  }
  Format::ParseHeader(bytes, &format);
}

void Paths(std::string_view bytes) {
  const ObjectPath path = ParseObjectPath(bytes);
  VPCFLOW_FUZZ_CHECK(path.begin.has_value() == path.end.has_value());
  if (path.begin) VPCFLOW_FUZZ_CHECK(*path.begin < *path.end);
}

// -- whole scans

// Inputs that begin with a or b are lines behind a header.
std::string WithHeader(std::string_view bytes) {
  return bytes.starts_with('a') || bytes.starts_with('b') ? Header() + std::string(bytes) : std::string(bytes);
}

// One input through several readers, with blocks so small that everything crosses their borders.
void Scans(std::string_view bytes) {
  const std::string text = WithHeader(bytes);
  const Outcome whole = ScanAll(text, size_t{1} << 17, 1);
  for (const size_t block : {64, 100, 257}) {
    const Outcome parts = ScanAll(text, block, 1);
    // Which format lines without a header have depends on the lines seen together.
    if (whole.failed || parts.failed) continue;
    VPCFLOW_FUZZ_CHECK(parts == whole);
  }
  // What was read before an error of the source is whole blocks, whose size may differ.
  const Outcome one = ScanAll(text, 100, 1), two = ScanAll(text, 100, 2);
  VPCFLOW_FUZZ_CHECK(one.failed == two.failed && (one.failed || one == two));
  ScanAll(text, 100, 1, OnError::kNull);
  ScanAll(text, 100, 1, OnError::kStop);
  size_t records = 0;
  Reader reader(std::vector<Source>{Source::Bytes("f", std::string_view(text))}, {});
  for (const RecordView& record : reader) {
    Record copy(record);
    ++records;
  }
  VPCFLOW_FUZZ_CHECK(records >= reader.report().records());
}

// The blocks of an input dealt to some workers, at random but the same each time; empty if the source ends in an error.
std::string Dealt(std::string_view bytes, size_t workers, uint32_t seed) {
  using namespace internal;
  ScanOptions options;
  options.block_bytes = 100;
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"peers", "n_unique(dstaddr)"}, {"first", "first(dstport)"}};
  spec.allow_missing = spec.check_all = true;
  const Plan plan = *Plan::Make(spec);
  const SlotMap map({&plan, 1});
  std::vector<Report> reports(workers);
  std::vector<std::unique_ptr<Worker>> own;
  std::vector<std::unique_ptr<TextRows>> rows;
  std::vector<Worker*> all;
  for (size_t i = 0; i < workers; ++i) {
    own.push_back(std::make_unique<Worker>(std::span<const Plan>(&plan, 1), map));
    rows.push_back(std::make_unique<TextRows>(map.fields, options, &reports[i]));
    all.push_back(own.back().get());
  }
  const Source source = Source::Bytes("f", bytes);
  ScannedText scanned(source, 0, options, /*shared=*/false, nullptr);
  std::vector<ResolvedBlock> blocks(workers);
  std::mt19937 random(seed);
  while (true) {
    const size_t i = random() % workers;
    const absl::StatusOr<bool> more = scanned.Next(&blocks[i], &reports[i]);
    if (!more.ok()) return "";
    if (!*more) break;
    rows[i]->Start(blocks[i]);
    while (rows[i]->Next()) own[i]->Process(rows[i].get());
  }
  Report report;
  for (Report& part : reports) report.Merge(std::move(part));
  const absl::StatusOr<std::vector<Result>> results = JoinWorkers({&plan, 1}, map, all, report);
  VPCFLOW_FUZZ_CHECK(results.ok());
  std::string out = Json((*results)[0].table);
  for (const uint64_t n : {report.ok, report.nodata, report.skipdata, report.lines, report.rejected()})
    out += std::to_string(n) + " ";
  for (const Reject& reject : report.rejects) out += reject.ToString() + "\n";
  return out;
}

void Splits(std::string_view bytes) {
  const std::string text = WithHeader(bytes);
  const std::string whole = Dealt(text, 1, 0);
  for (uint32_t seed = 1; seed < 4; ++seed) VPCFLOW_FUZZ_CHECK(Dealt(text, 1 + seed, seed) == whole);
}

// What a feeder finds in pieces of so many bytes, or a scan for 0; of damage, which may be met elsewhere, its kind alone.
std::string Fed(std::string_view bytes, size_t step) {
  PlanSpec spec;
  spec.by = {"srcaddr"};
  spec.aggs = {{"n", "count()"}, {"bytes", "sum(bytes)"}, {"last", "last(dstport)"}};
  spec.allow_missing = spec.check_all = true;
  Aggregation held = *Aggregation::Make(*Plan::Make(spec));
  ScanOptions options;
  options.block_bytes = 100;
  options.threads = 1;
  options.max_output_bytes = uint64_t{1} << 40;  // a scan makes text of JSON then, and its blocks end as a feeder's
  Report report;
  absl::Status status;
  if (step == 0) {
    status = held.Update({Source::Bytes("stream", bytes)}, options, &report);
  } else {
    Feeder feeder = Feeder::Into(&held, "stream", options);
    for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size())))
      status.Update(feeder.Feed(bytes.substr(0, step)));
    status.Update(feeder.Finish());
    report = feeder.report();
  }
  std::string out = status.ToString() + "\n";
  if (!status.ok() && ErrorKindOf(status) == ErrorKind::kDamaged) return "damaged";
  for (const uint64_t n : {report.ok, report.nodata, report.skipdata, report.lines, report.headers, report.rejected()})
    out += std::to_string(n) + " ";
  for (const Reject& reject : report.rejects) out += reject.ToString() + "\n";
  return out + held.ToBytes();
}

void Feeds(std::string_view bytes) {
  const std::string whole = Fed(bytes, 0);
  for (const size_t step : {size_t{1}, 1 + bytes.size() % 64, bytes.size() + 1})
    VPCFLOW_FUZZ_CHECK(Fed(bytes, step) == whole);
}

void Gzips(std::string_view bytes) {
  const Source source = Source::Bytes("f", bytes);
  absl::StatusOr<std::unique_ptr<ByteStream>> stream = OpenText(source, nullptr);
  if (!stream.ok()) return;
  char buffer[777];
  for (size_t all = 0; all < (size_t{1} << 22);) {
    const absl::StatusOr<size_t> n = (*stream)->Read(buffer, sizeof buffer);
    if (!n.ok() || *n == 0) break;
    VPCFLOW_FUZZ_CHECK(*n <= sizeof buffer);
    all += *n;
  }
}

// The text of a container, up to 4 MiB, and whether it ends well.
std::pair<std::string, bool> TextOf(const Source& source, Container container, size_t step) {
  constexpr size_t kMost = size_t{1} << 22;
  std::string text, buffer(step, '\0');
  absl::StatusOr<OpenedRecords> opened = OpenRecords(source, container, nullptr);
  while (opened.ok() && text.size() < kMost) {
    const absl::StatusOr<size_t> n = opened->stream->Read(buffer.data(), step);
    if (!n.ok()) return {text, false};
    if (*n == 0) {
      VPCFLOW_FUZZ_CHECK(opened->container == Container::kText || text.empty() || text.back() == '\n');
      return {text, true};
    }
    text.append(buffer, 0, *n);
  }
  return {text, false};
}

// A source that gives `step` bytes at a time, and `end` behind the last.
Source Dribble(std::string_view bytes, size_t step, const absl::Status& end) {
  return Source::Stream("f", [bytes, step, end](char* buffer, size_t size) mutable -> absl::StatusOr<size_t> {
    if (bytes.empty() && !end.ok()) return end;
    const size_t n = bytes.copy(buffer, std::min(size, step));
    bytes.remove_prefix(n);
    return n;
  });
}

// Any bytes as a container that their number picks, and as the one that they look like; the stream's text is the same,
// however much is asked for at a time, and however much comes.
void Containers(std::string_view bytes) {
  const Source source = Source::Bytes("f", bytes);
  for (const Container c : {static_cast<Container>(bytes.size() % kContainers.size()), Container::kAuto}) {
    const auto [text, fine] = TextOf(source, c, 4096);
    const std::string few = TextOf(source, c, 7).first;
    const size_t both = std::min(text.size(), few.size());
    VPCFLOW_FUZZ_CHECK(text.substr(0, both) == few.substr(0, both));
    const auto [dribbled, also_fine] = TextOf(Dribble(bytes, 1 + bytes.size() % 5, absl::OkStatus()), c, 4096);
    VPCFLOW_FUZZ_CHECK(fine == also_fine && (!fine || text == dribbled));
    TextOf(Dribble(bytes, 1 + bytes.size() % 64, absl::DataLossError("damaged")), c, 4096);
  }
  if (bytes.size() % 16 == 0) ScanAll(bytes, 100, 1);
}

// Records given field by field come out as one line each, whatever their names and values hold.
void Records(std::string_view bytes) {
  internal::RecordLines lines;
  size_t wanted = 0;
  while (!bytes.empty()) {
    const std::string_view record = bytes.substr(0, bytes.find('\n'));
    bytes.remove_prefix(std::min(bytes.size(), record.size() + 1));
    lines.Begin();
    std::string_view rest = record;
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find(';'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      const size_t equals = std::min(pair.find('='), pair.size());
      lines.Add(pair.substr(0, equals), pair.substr(std::min(pair.size(), equals + 1)));
    }
    if (!lines.End()) lines.NoRecord(record);
    ++wanted;
  }
  const std::string text = lines.out();
  size_t records = 0, at = 0;
  for (const LineKind kind : lines.kinds()) {
    const size_t end = text.find('\n', at);
    Format format;
    if (kind == LineKind::kHeader)
      VPCFLOW_FUZZ_CHECK(Format::ParseHeader(std::string_view(text).substr(at, end - at), &format, true));
    records += kind != LineKind::kHeader;
    at = end + 1;
  }
  VPCFLOW_FUZZ_CHECK(records == wanted && at == text.size());
}

// -- seeds

std::vector<std::string> LogSeeds() {
  const std::string nodata = "2 123456789010 eni-1 - - - - - - - 1000 1060 - NODATA\n";
  return {Header() + kLine + nodata, "b" + std::string(kLine) + nodata + "srcaddr bytes\n10.0.0.1 5\n",
          "a\xEF\xBB\xBF" + std::string(kLine) + "\r\n \t\n" + kLine, Header() + "2 1 2 3\n\x00\x1A\n" + kLine};
}
std::vector<std::string> ScalarSeeds() {
  return {"10.0.0.1",      "2001:db8::1", "::ffff:1.2.3.4",       "18446744073709551615",
          "1418530010000", "10.0.0.0/8",  "2026-11-23T06:00:00Z", "-"};
}
std::vector<std::string> NumberSeeds() {
  return {"1 22 333 4444 65535 65536 - 0 00 99999999999999999999 \n 1\t2  3 4 5\r\n",
          std::string(200, '7') + " 1 1 1 1"};
}
std::vector<std::string> FormatSeeds() {
  return {"${version} ${srcaddr} $${bytes}", "v11", "tgw", "srcaddr, dst_addr", Header()};
}
std::vector<std::string> PathSeeds() {
  return {
      "p/AWSLogs/123456789010/vpcflowlogs/us-east-1/2026/11/23/"
      "123456789010_vpcflowlogs_us-east-1_fl-1_20261123T0605Z_a.log.gz",
      "AWSLogs/aws-account-id=123456789010/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=11/day=23/"
      "hour=07/x"};
}
std::vector<std::string> GzipSeeds() {
  // An empty member, a stored block of "a\n", and an empty zstd frame.
  return {std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20),
          std::string("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x01\x02\x00\xfd\xff"
                      "a\n\x07\xa1\xea\xdd\x02\x00\x00\x00",
                      25),
          std::string("\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00", 9)};
}
std::vector<std::string> ContainerSeeds() {
  const std::string line(kLine, std::strlen(kLine) - 1);
  return {
      "{\"events\":[{\"message\":\"" + line + "\"}]}",
      "{\"message\":\"" + line + "\"}{\"message\":\"x\"}\n",
      "{\"srcaddr\":\"10.0.0.1\",\"bytes\":5.0,\"end\":null,\"x\":[1,{}]}\n",
      "{\"class_uid\":4001,\"src_endpoint\":{\"ip\":\"1.2.3.4\",\"port\":1},\"time\":1649721732000,\"traffic\":{"
      "\"bytes\":4}}",
      "2018-09-22T20:28:14.000Z " + std::string(kLine),
      "2018-09-22T20:28:14.000000+00:00 eni-1-all " + std::string(kLine),
      "<134>1 2018-09-22 20:28:14,123 UTC /a eni-1-all " + std::string(kLine) + "[2018-09-22 20:28:14] x\n",
      "EVENTS\t37\t1000\teni-1-all\t" + line + "\t1000\nSEARCHEDLOGSTREAMS\tx\tTrue\n",
      "2018-09-22T20:28:14.000Z," + std::string(kLine) + "\"2018-09-22T20:28:15Z\",\"" + line + "\"\n",
      "sep=;\nsrcaddr; bytes;\"_raw\"\n10.0.0.1;5;\"" + line + "\"\n\"a\"\"b\"; ;\n",
      "srcaddr\tbytes\tmessage\n10.0.0.1\t\t\n",
      "MiAxMjM0NTY3ODkwMTAgZW5pLTEgMTAuMC4wLjEgMTAuMC4wLjkgNDAwMDAgMjIgNiAxMCA0MCAx\nMDAw\n",
      "SDRzSUFBQUFBQUFBLzZ0V3lrMHRMazVNVDFXeVVsQnlEUXB5RFZLcUJRREl6QUlKRWdBQUFBPT0=\n",
      "@timestamp,@message\n2022,\"" + line + "\"\n",
      "\"srcaddr\",\"bytes\"\n\"10.0.0.1\",\"5\"\n",
      "H4sIAAAAAAAA/6tWyk0tLk5MT1WyUlByDQpyDVKqBQDIzAIJEgAAAA==\n",
      "{\"awslogs\":{\"data\":\"H4sIAAAAAAAA/wMAAAAAAAAAAAA=\"}}",
      "{\"results\":[[{\"field\":\"srcAddr\",\"value\":\"10.0.0.1\"}]]}",
      "[\n{\"field\":\"srcAddr\",\"value\":\"10.0.0.1\"},\n{\"field\":\"bytes\",\"value\":\"5\"}]",
      "{\"hits\":{\"hits\":[{\"_source\":{\"event\":{\"original\":\"" + line + "\"}}}]}}",
      "{\"data\":{\"result\":[{\"stream\":{},\"values\":[[\"1\",\"" + line + "\"],[]]}]}}",
      "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":\"" + line +
          "\"},\"attributes\":[{\"key\":\"source.address\",\"value\":{\"stringValue\":\"::1\"}},{\"key\":"
          "\"aws.vpc.flow.start\",\"value\":{\"intValue\":\"5\"}}]}]}]}]}",
      "{\"ResultSet\":{\"Rows\":[{\"Data\":[{\"VarCharValue\":\"srcaddr\"},{}]},{\"Data\":[{\"VarCharValue\":\"::1\"},"
      "{}]}],\"ResultSetMetadata\":{\"ColumnInfo\":[{\"Name\":\"srcaddr\"},{\"Name\":\"x\"}]}}}",
      "{\"tables\":[{\"columns\":[{\"name\":\"srcaddr\"},{\"name\":\"end\"}],\"rows\":[[\"::1\",5],[null]]}]}",
      "{\"aws\":{\"vpcflow\":{\"log_status\":\"OK\"}},\"source\":{\"ip\":[\"::1\"]},\"event\":{\"start\":5}}",
      "{\"create\":{}}\n{\"event\":\"" + line + "\",\"fields\":{\"a\":[1]}}{\"Records\":[{\"Data\":\"MiAx\"}]}",
      "{\"class_uid\":\"4001\",\"src_endpoint\":{\"ip\":\"::1\"},\"end_time_dt\":\"2025-07-11 15:26:43+00:00\","
      "\"unmapped\":[{\"key\":\"reject_reason\",\"value\":\"BPA\"},[\"ecs_task_id\",\"t\"]]}"};
}
std::vector<std::string> RecordSeeds() {
  return {"srcaddr=10.0.0.1;bytes=5;x=a b\ndstAddr=;x=1\nx=1\nsrcaddr=1;src_addr=2"};
}

}  // namespace

const std::vector<Target>& Targets() {
  static const std::vector<Target> targets = [] {
    std::vector<Target> all = {
        {"lines", Lines, LogSeeds},        {"kernels", Kernels, NumberSeeds},
        {"scalars", Scalars, ScalarSeeds}, {"formats", Formats, FormatSeeds},
        {"paths", Paths, PathSeeds},       {"scans", Scans, LogSeeds},
        {"splits", Splits, LogSeeds},      {"feeds", Feeds, ContainerSeeds},
        {"gzips", Gzips, GzipSeeds},       {"containers", Containers, ContainerSeeds},
        {"records", Records, RecordSeeds},
    };
    for (const std::vector<Target>& more :
         {ExpressionTargets(), StateTargets(), DetectTargets(), ArrowTargets(), JsonTargets(), EventTargets()})
      all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return targets;
}

}  // namespace vpcflow_fuzz
