// Lines of JSON read where they stand give what the lines that are written of them give. A scan with a limit for what
// blobs unpack to reads the written ones, one after the other.
#include "src/container/json_lines.h"

#include <algorithm>
#include <random>
#include <regex>
#include <string>
#include <vector>

#include "src/container/json_shape.h"
#include "unit/testing.h"

namespace vpcflow {
namespace {

using ::testing::HasSubstr;
using vpcflow_testing::Gzip;
using vpcflow_testing::Line;
using vpcflow_testing::RunToJson;
using vpcflow_testing::TempDir;

constexpr uint64_t kWritten = uint64_t{1} << 40;  // a limit that nothing comes to

std::string Flow(const std::string& src = "10.0.0.1", int bytes = 5) {
  return R"({"version":2,"account-id":"123456789010","interface-id":"eni-0123456789abcdef0","srcaddr":")" + src +
         R"(","dstaddr":"10.0.0.9","srcport":40000,"dstport":443,"protocol":6,"packets":3,"bytes":)" +
         std::to_string(bytes) + R"(,"start":1760000467,"end":1760000479,"action":"ACCEPT","log-status":"OK"})";
}

// All that a report says.
std::string Told(const Report& report) {
  std::string out = "bytes " + std::to_string(report.text_bytes) + " lines " + std::to_string(report.lines) +
                    " headers " + std::to_string(report.headers) + " blank " + std::to_string(report.blank_lines) +
                    " ok " + std::to_string(report.ok) + " nodata " + std::to_string(report.nodata) + " skipdata " +
                    std::to_string(report.skipdata) + " nulled " + std::to_string(report.nulled_values) + "\n";
  for (size_t i = 0; i < kErrcCount; ++i) {
    if (report.rejects_by_reason[i] > 0)
      out += std::to_string(i) + ": " + std::to_string(report.rejects_by_reason[i]) + "\n";
  }
  for (const Reject& r : report.rejects) out += r.ToString() + " at " + std::to_string(r.byte_offset) + "\n";
  for (const auto& [format, n] : report.formats) out += format + " x " + std::to_string(n) + "\n";
  // How many lines without format are tried depends on where blocks end.
  for (const std::string& warning : report.warnings)
    out += "warning: " + std::regex_replace(warning, std::regex("tried [0-9]+"), "tried some") + "\n";
  for (const absl::Status& error : report.errors) out += "error: " + std::string(error.message()) + "\n";
  return out;
}

// The records with their places as a reader gives them, and its report.
std::string Read(const Source& source, ScanOptions options) {
  options.allow_empty = true;
  Reader reader({source}, options);
  std::string out;
  while (reader.Next()) {
    const RecordView& record = reader.record();
    out += std::to_string(record.line_number()) + " " + std::to_string(record.position().offset);
    for (size_t i = 0; i < record.format().size(); ++i) out += "|" + std::string(record.text(i));
    out += "\n";
  }
  out += std::string(reader.status().message()) + "\n";
  return out + Told(reader.report());
}

PlanSpec Grouped() {
  PlanSpec spec;
  spec.by = {"srcaddr", "action", "log-status"};
  spec.aggs = {{"n", "count()"},           {"bytes", "sum(bytes)"}, {"first", "first(dstport)"},
               {"last", "last(protocol)"}, {"start", "min(start)"}, {"account", "first(account-id)"}};
  return spec;
}

std::string Answer(const PlanSpec& spec, const Source& source, const ScanOptions& options) {
  Report report;
  const std::string out = RunToJson(spec, {source}, options, &report);
  return out + Told(report);
}

void ExpectTheSame(const std::string& json, const ScanOptions& options, bool reads = true) {
  ScanOptions written = options;
  written.max_output_bytes = kWritten;
  written.threads = 1;
  const Source source = Source::Bytes("x", std::string_view(json));
  ASSERT_EQ(Answer(Grouped(), source, options), Answer(Grouped(), source, written)) << json;
  if (!reads) return;
  ASSERT_EQ(Read(source, options), Read(source, written)) << json;
}

TEST(JsonLines, WhatIsPlainIsReadWhereItStands) {
  std::string json;
  for (int i = 0; i < 5; ++i) json += Flow("10.0.0." + std::to_string(i), i) + "\n";
  internal::JsonLines lines;
  TokenIndex index;
  std::vector<LineInfo> origins;
  const size_t size = json.size();
  json.append(internal::JsonLines::kPadding, '\0');
  ASSERT_TRUE(lines.Take(std::string_view(json).substr(0, size), {}, &index, &origins));
  EXPECT_EQ(lines.written_lines().size(), 2u);  // the header and the first object, which shows how the others look
  ASSERT_EQ(index.line_count(), 6u);
  const Token src = index.token(index.line(4).first + 3);
  EXPECT_EQ(json.substr(src.begin, src.end - src.begin), "10.0.0.3");
  EXPECT_EQ(origins[4].origin, 4u);
}

TEST(JsonShape, OnlyOfObjectsThatAreRecordsWhateverTheirValues) {
  internal::RecordLines lines;
  internal::JsonRecords json(&lines);
  const auto has_shape = [&](std::string line) {
    const size_t size = line.size();
    line.append(internal::JsonSplitter::kPadding, '\0');
    lines.ClearKinds();
    json.Take(std::string_view(line).substr(0, size));
    const LineKind kind = lines.kinds().empty() ? LineKind::kNoRecord : lines.kinds().back();
    return internal::JsonShape::Of(std::string_view(line).substr(0, size), kind, lines).has_value();
  };
  EXPECT_TRUE(has_shape(R"({"srcaddr":"10.0.0.1","bytes":5})"));
  EXPECT_TRUE(has_shape(R"( { "srcaddr" : "10.0.0.1" , "@timestamp" : null, "bytes" : 5.5e3 , "team" : true } )"));
  EXPECT_TRUE(has_shape(R"({"srcaddr":"10.0.0.1","bytes":5,"index":"x"})"));
  EXPECT_TRUE(has_shape(R"({"srcaddr":"10.0.0.1","message":"2 1 eni-1"})"));
  for (const char* line :
       {R"({"message":"2 1 eni-1","body":5})", R"({"message":"2 1 eni-1","class_uid":1})",
        R"({"message":"2 1 eni-1\n"})", R"({"message":"{\"srcaddr\":\"10.0.0.1\",\"bytes\":5}"})",
        R"({"srcaddr":"10.0.0.1","bytes":5,"class_uid":1})", R"({"srcaddr":"10.0.0.1","bytes":5,"events":1})",
        R"({"srcaddr":"10.0.0.1","bytes":5,"x":[]})", R"({"srcaddr":"10.0.0.1","bytes":5,"x":{}})",
        R"({"srcaddr":"10.0.0.1","bytes":5,"x":"\n"})", R"({"srcaddr":"10.0.0.1","b\u0079tes":5})",
        R"({"srcaddr":"10.0.0.1","bytes":5} {})", R"({})", R"([])"})
    EXPECT_FALSE(has_shape(line)) << line;
}

TEST(JsonLines, OddLinesAmongOthers) {
  const std::string nodata =
      R"({"version":2,"account-id":"123456789010","interface-id":"eni-0123456789abcdef0","srcaddr":null,"dstaddr":null,)"
      R"("srcport":null,"dstport":null,"protocol":null,"packets":null,"bytes":null,"start":1760000467,"end":1760000479,)"
      R"("action":null,"log-status":"NODATA"})";
  const auto with = [](const std::string& from, const std::string& to) {
    std::string flow = Flow();
    return flow.replace(flow.find(from), from.size(), to);
  };
  std::string deep(3000, '[');
  for (const std::string& odd : {
           nodata,
           Flow() + "\r",
           Flow() + "  ",
           " \t" + Flow(),
           Flow() + Flow(),
           Flow() + ",",
           std::string(),
           std::string(" \t \r"),
           Flow().substr(0, 100),
           Flow() + "x",
           with("ACCEPT", "accept"),
           with("ACCEPT", "NO"),
           with("ACCEPT", "ACC\\u0045PT"),
           with("ACCEPT", "ACC\xFF"),
           with("ACCEPT", "ACC\xC3\xA9"),
           with("ACCEPT", std::string(1, '\0')),
           with("ACCEPT", "A\tB"),
           with("ACCEPT", "A B"),
           with("ACCEPT", ""),
           with("ACCEPT", "-"),
           with("\"ACCEPT\"", "true"),
           with("\"ACCEPT\"", "nul"),
           with("\"ACCEPT\"", "nulll"),
           with("\"ACCEPT\"", "[1,2]"),
           with("\"ACCEPT\"", "{\"a\":null}"),
           with("\"ACCEPT\"", "'ACCEPT'"),
           with("\"ACCEPT\"", "\"\x1B\""),
           with("\"ACCEPT\"", "\"\x7F\""),
           with(":5,", ":5.0,"),
           with(":5,", ":5e2,"),
           with(":5,", ":05,"),
           with(":5,", ":-5,"),
           with(":5,", ":-0,"),
           with(":5,", ":0,"),
           with(":5,", ":\"22.0\","),
           with(":5,", ":\" 5\","),
           with(":5,", ":9007199254740993.0,"),
           with(":5,", ":999999999999999999,"),
           with(":5,", ":1234567890123456,"),
           with(":5,", ":9999999999999999999,"),
           with(":5,", ":99999999999999999999,"),
           with(":5,", ":5 ,"),
           with(":5,", ": 5,"),
           with(":443,", ":65536,"),
           with(":6,", ":\"TCP\","),
           with(":6,", ":\"nosuch\","),
           with("\"123456789010\"", "3456789010"),
           with("123456789010", "12345678901x"),
           with("1760000467", "\"2025-10-09T09:01:07Z\""),
           with("1760000467", "\"2025-10-09 09:01:07.123 UTC\""),
           with("1760000467", "1760000467123"),
           with("1760000467", "\"yesterday\""),
           with("10.0.0.1", "10.0.0.300"),
           with("10.0.0.1", "2001:db8::1"),
           with("eni-0123456789abcdef0", "eni-1"),
           with("eni-0123456789abcdef0", "eni 0123456789abcdef0"),
           with("\"bytes\"", "\"by\\u0074es\""),
           with("\"bytes\"", "\"srcport\""),
           with("\"bytes\"", "\"Bytes\""),
           with("\"bytes\"", "\"team\""),
           with("{", "{\"team\":\"a b\","),
           with("{", "{\"@timestamp\":\"x\\n\","),
           with("{", "{\"message\":\"2 1 eni\","),
           with("{", "{\"message\":5,"),
           with("{", "{\"index\":5,"),
           std::string(R"({"index":{"_index":"x"}})"),
           std::string(R"({"messageType":"CONTROL_MESSAGE","logEvents":[{"message":"x"}]})"),
           R"({"events":[{"message":")" + Line("10.0.0.7", 22, 5).substr(0, 90) + R"("}]})",
           "[" + Flow() + "," + Flow() + ", 7]",
           "{\"result\":" + Flow() + "}",
           std::string(R"({"eventSource":"x","eventName":"y","eventVersion":"1"})"),
           std::string("null"),
           std::string("{}"),
           std::string("\"text\""),
           deep,
           std::string("\xEF\xBB\xBF") + Flow(),
       }) {
    for (const size_t block : {size_t{64}, size_t{700}, size_t{1} << 17}) {
      ScanOptions options;
      options.block_bytes = block;
      options.threads = block == 700 ? 3 : 1;
      for (const OnError on_error : {OnError::kSkip, OnError::kNull}) {
        options.on_error = on_error;
        std::string json;
        for (int i = 0; i < 4; ++i) json += Flow("10.0.0." + std::to_string(i), i) + "\n";
        json += odd + "\n" + Flow() + "\n" + odd + "\n" + Flow("10.0.0.8", 7) + "\n";
        ExpectTheSame(json, options);
        ExpectTheSame(Flow() + "\n" + odd, options);
        ExpectTheSame("\xEF\xBB\xBF" + json, options);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// Lines of some writers, with what goes wrong now and then.
class Writer {
 public:
  explicit Writer(unsigned seed)
      : random_(seed), names_(Names()), style_(Below(4)), odd_(Below(3) * 4), messages_(Below(8)) {}

  std::string Document(size_t lines) {
    std::string out = Below(8) == 0 ? "\xEF\xBB\xBF" : "";
    const std::string end = Below(5) == 0 ? "\r\n" : "\n";
    for (size_t i = 0; i < lines; ++i) out += NextLine() + (i + 1 == lines && Below(2) == 0 ? "" : end);
    return out;
  }

  std::string NextLine() {
    if (messages_ == 1 ? Below(50) > 0 : messages_ == 2 && Below(3) == 0) return Message();
    return odd_ == 0 || Below(20) > 0 ? Object() : OddLine();
  }
  // Their format is told by those of the first block.
  bool has_messages() const { return messages_ == 1 || messages_ == 2; }

 private:
  size_t Below(size_t n) { return random_() % n; }
  std::vector<std::string> Names() {
    std::vector<std::string> names = {"version", "account_id", "interface-id", "srcaddr",   "dstaddr",
                                      "srcport", "dstport",    "protocol",     "packets",   "bytes",
                                      "start",   "end",        "action",       "log-status"};
    if (Below(2) == 0) names.insert(names.begin() + static_cast<ptrdiff_t>(Below(14)), "team");
    if (Below(3) == 0) names.insert(names.begin() + static_cast<ptrdiff_t>(Below(14)), "@timestamp");
    if (Below(3) == 0) std::shuffle(names.begin(), names.end(), random_);
    if (Below(3) == 0) names.resize(8 + Below(6));
    return names;
  }
  std::string Value(const std::string& name) {
    const auto one_of = [this](const std::vector<std::string>& texts) { return texts[Below(texts.size())]; };
    if (Below(30) == 0) return "null";
    if (odd_ > 0 && Below(100) < odd_)
      return one_of({"\"-\"", "\"\"", "7.5", "22.0", "-1", "\"x y\"", "\"\\u0041\"", "true", "1e3", "\"caf\xC3\xA9\"",
                     "[]", "{\"a\":1}", "\"NaN\"", "12345678901234567", "\"\xFF\"", "0", "00", "\"a\\\"b\"",
                     "\"\\n\""});
    if (name == "srcaddr" || name == "dstaddr")
      return Below(9) == 0 ? "\"2001:db8::" + std::to_string(Below(9)) + "\""
                           : "\"10.0.0." + std::to_string(Below(99)) + "\"";
    if (name == "account_id") return one_of({"\"123456789010\"", "123456789010", "\"000000000012\"", "12"});
    if (name == "interface-id") return one_of({"\"eni-0123456789abcdef0\"", "\"eni-1\""});
    if (name == "protocol") return one_of({"6", "17", "\"6\"", "\"udp\"", "1"});
    if (name == "action") return one_of({"\"ACCEPT\"", "\"REJECT\"", "\"reject\""});
    if (name == "log-status") return one_of({"\"OK\"", "\"OK\"", "\"OK\"", "\"NODATA\"", "\"SKIPDATA\""});
    if (name == "start" || name == "end")
      return style_ == 1 ? "\"2025-10-09T09:0" + std::to_string(Below(9)) + ":07Z\""
                         : std::to_string(1760000000 + Below(3600));
    if (name == "team") return one_of({"\"a\"", "\"blue team\"", "\"\"", "5", "\"caf\xC3\xA9\"", "\"long-enough\""});
    return style_ == 2 ? "\"" + std::to_string(Below(70000)) + "\"" : std::to_string(Below(66000));
  }
  std::string Object() {
    const std::string comma = style_ == 3 ? ", " : ",", colon = style_ == 3 ? ": " : ":";
    std::string out = "{";
    const bool omits = Below(10) < odd_;
    for (const std::string& name : names_) {
      if (omits && Below(3) == 0) continue;
      out += (out.size() == 1 ? "" : comma) + "\"" + name + "\"" + colon + Value(name);
    }
    return out + "}";
  }
  std::string Message() {
    const std::string text = Below(100) < odd_ ? std::vector<std::string>{"",         "-", "2 1 eni-1 -",   "{}",
                                                                          "x  y\t z", " ", "srcaddr bytes", "a\\u0041",
                                                                          "\xC3\xA9", "7"}[Below(10)]
                                               : Line("10.0.0." + std::to_string(Below(9)), 443, 5);
    const std::string value = Below(50) < odd_ ? "null" : "\"" + text.substr(0, text.find('\n')) + "\"";
    return R"({"id":7,"message":)" + value + R"(,"time":"a b"})";
  }
  std::string OddLine() {
    const std::string object = Object();
    switch (Below(12)) {
      case 0: return object.substr(0, Below(object.size()));
      case 1: return "";
      case 2: return object + " " + object;
      case 3: return "{\"eventVersion\":\"1.1\",\"eventSource\":\"ec2\",\"eventName\":\"x\",\"userIdentity\":{}}";
      case 4: return "{\"record\":" + object + "}";
      case 5: return "{\"result\":" + object + "}";
      case 6: return "[" + object + "," + object + "]";
      case 7: return "{\"logEvents\":[" + object + "]}";
      case 8: return "{\"" + std::string(Below(3), 'z') + "bytes\":1,\"srcaddr\":\"10.0.0.1\"}";
      case 9: return "{\"bytes\":1,\"srcaddr\":\"10.0.0.1\",\"new" + std::to_string(Below(40)) + "\":1}";
      case 10: {
        std::string broken = object;
        broken[Below(broken.size())] = static_cast<char>(Below(256));
        return broken[0] == '\n' ? object : broken;
      }
      default: return "  " + object + "\t";
    }
  }

  std::mt19937 random_;
  std::vector<std::string> names_;
  size_t style_;
  size_t odd_;       // of 100 values, or ten objects
  size_t messages_;  // 1: nearly all lines, 2: some
};

TEST(JsonLines, AnyLinesInAnyBlocksByAnyNumberOfThreads) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    Writer writer(seed);
    const std::string json = writer.Document(1 + seed % 200);
    ScanOptions options;
    options.block_bytes = seed % 3 == 0 && !writer.has_messages() ? size_t{64} << (seed % 12) : size_t{1} << 17;
    options.threads = static_cast<int>(1 + seed % 4);
    options.on_error = seed % 5 == 0 ? OnError::kNull : OnError::kSkip;
    if (seed % 7 == 0) options.max_line_bytes = 1024;
    ExpectTheSame(json, options);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

// JSON in which the records of a writer are wrapped, in one of the ways of its kind.
std::string Wrapped(const std::vector<std::string>& documents, size_t kind, bool pretty, size_t seed) {
  const std::string befores[] = {"[", "", "{\"took\": 1, \"events\": [", "{\"data\":{\"x\":[1],\"result\":["},
                    behinds[] = {"]", "", "], \"next\": null}", "]}}"},
                    between[] = {seed % 2 == 0 ? ",\n" : ", ", "\n", " ,\r\n", ","};
  std::string out = befores[kind];
  for (size_t i = 0; i < documents.size(); ++i) {
    out += i == 0 ? "" : between[kind];
    for (const char c : documents[i]) {
      out += c;
      if (pretty && (c == ',' || c == '{')) out += "\n  ";
    }
  }
  return out + behinds[kind] + (seed % 3 == 0 ? "" : "\n");
}

TEST(JsonPieces, AnyDocumentsInAnyBlocksByAnyNumberOfThreads) {
  for (unsigned seed = 0; seed < 400; ++seed) {
    Writer writer(seed);
    std::vector<std::string> documents;
    while (documents.size() < 1 + seed % 150) documents.push_back(writer.NextLine());
    const size_t kind = seed % 4;
    std::string json = Wrapped(documents, kind, /*pretty=*/kind == 1 || seed % 5 == 0, seed);
    if (seed % 11 == 0) json.resize(json.size() * (seed % 7 + 1) / 9);
    if (seed % 13 == 0) json += json;
    ScanOptions options;
    options.block_bytes = writer.has_messages() ? size_t{1} << 17 : size_t{64} << (seed % 12);
    options.threads = static_cast<int>(1 + seed % 4);
    ExpectTheSame(json, options);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

TEST(JsonPieces, RunsOfPlainPiecesAreReadWhereTheyStand) {
  for (const bool entries : {true, false}) {
    std::string json;
    for (int i = 0; i < 5; ++i)
      json += (i == 2 ? "\n" : "") + Flow("10.0.0." + std::to_string(i), i) + (entries ? ",\n" : "\n");
    internal::JsonLines lines;
    TokenIndex index;
    std::vector<LineInfo> origins;
    const size_t size = json.size();
    json.append(internal::JsonLines::kPadding, '\0');
    const auto border = entries ? internal::JsonSplitter::Kind::kElement : internal::JsonSplitter::Kind::kDocument;
    ASSERT_TRUE(lines.TakePieces(std::string_view(json).substr(0, size), border, {}, &index, &origins));
    EXPECT_EQ(lines.written_lines().size(), 2u);
    ASSERT_EQ(index.line_count(), 6u);
    EXPECT_EQ(origins[2].origin, 2u);
    EXPECT_EQ(origins[5].origin, 6u);
    EXPECT_EQ(lines.lines(), 6u);
    // Neither what ends elsewhere than at a border nor what is of the other kind.
    for (const size_t cut : {size - 3, size - 40}) {
      EXPECT_FALSE(lines.TakePieces(std::string_view(json).substr(0, cut), border, {}, &index, &origins)) << cut;
    }
    const auto other = entries ? internal::JsonSplitter::Kind::kDocument : internal::JsonSplitter::Kind::kEntry;
    EXPECT_FALSE(lines.TakePieces(std::string_view(json).substr(0, size), other, {}, &index, &origins));
  }
}

TEST(JsonLines, FilesAndPackedOnesByManyThreads) {
  TempDir dir;
  for (const unsigned seed : {1u, 2u, 5u, 8u, 11u}) {
    std::string json = Writer(seed).Document(6000);
    if (seed == 8) json = "[" + std::regex_replace(json, std::regex("\\r?\\n"), ",\n") + "{}]";
    const Source file = Source::File(dir.Write("x.jsonl", json)), packed = Source::File(dir.Write("x.gz", Gzip(json)));
    ScanOptions written;
    written.max_output_bytes = kWritten;
    written.threads = 1;
    for (const Source& source : {file, packed}) {
      const std::string want = Answer(Grouped(), source, written);
      for (const int threads : {1, 2, 5}) {
        for (const size_t block : {size_t{4096}, size_t{1} << 17}) {
          ScanOptions options;
          options.threads = threads;
          options.block_bytes = block;
          ASSERT_EQ(Answer(Grouped(), source, options), want) << seed;
        }
      }
    }
  }
}

// Only of the first entries without record it is said what they seem to be; blocks must agree which these are.
TEST(JsonLines, ManyEntriesWithoutRecord) {
  std::string json = Flow() + "\n";
  for (int i = 0; i < 3000; ++i)
    json += i % 3 == 0 ? Flow() + "\n" : "{\"eventVersion\":\"1.1\",\"eventSource\":\"ec2\",\"eventName\":\"x\"}\n";
  for (const int threads : {1, 2, 4}) {
    ScanOptions options;
    options.threads = threads;
    options.block_bytes = 2048;
    ExpectTheSame(json, options, threads == 1);
  }
}

TEST(JsonLines, DamageBehindLinesIsToldBehindThem) {
  std::string json;
  for (int i = 0; i < 500; ++i) json += Flow() + "\n";
  const std::string packed = Gzip(json);
  const std::string cut = packed.substr(0, packed.size() - 40);
  for (const int threads : {1, 3}) {
    ScanOptions options;
    options.threads = threads;
    options.block_bytes = 4096;
    ExpectTheSame(cut, options, threads == 1);
  }
}

}  // namespace
}  // namespace vpcflow
