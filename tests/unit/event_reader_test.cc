// Documents of other sources: where they stand, what is read of damage, and the rows that maps make of them.
#include "vpcflow/events/event_reader.h"

#include "testing.h"

namespace vpcflow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using vpcflow_testing::Gzip;
using vpcflow_testing::TempDir;

std::string Event(const std::string& id, const std::string& more = "") {
  return R"({"eventName":"A","eventSource":"s","eventTime":"2026-11-23T06:00:00Z","eventID":")" + id + "\"" + more +
         "}";
}

struct Read {
  std::vector<PlacedDocument> documents;
  std::vector<std::string> damage;
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const PlacedDocument& one : documents) out.push_back(one.text);
    return out;
  }
};

Read ReadAll(const std::string& bytes) {
  DocumentReader reader(Source::Bytes("f", std::string_view(bytes)));
  Read out;
  std::vector<PlacedDocument> part;
  while (*reader.Next(&part, 2)) out.documents.insert(out.documents.end(), part.begin(), part.end());
  out.damage = reader.damage();
  return out;
}

struct Rows {
  std::vector<Table> batches;
  EventReport report;
  std::vector<std::string> column(const char* name) const {
    std::vector<std::string> out;
    for (const Table& table : batches) {
      const TableColumn& column = table.columns[*table.Find(name)];
      for (size_t row = 0; row < table.rows; ++row) out.push_back(column.is_null(row) ? "null" : column.ToText(row));
    }
    return out;
  }
};

Rows RowsOf(const std::string& bytes, EventSelection selection = {}) {
  EventReader reader({Source::Bytes("f", std::string_view(bytes))}, *FindEventMap("cloudtrail"), std::move(selection));
  Rows out;
  Table table;
  while (*reader.Next(&table, 2)) out.batches.push_back(std::move(table));
  out.report = reader.report();
  return out;
}

TEST(DocumentReader, FindsDocumentsInWhateverWrapsThem) {
  const std::string a = Event("a"), b = Event("b", R"(,"x":[1,{"y":"}]\"{"}])");
  for (const std::string& text : {
           "{\"Records\":[" + a + "," + b + "]}",
           "{\"NextToken\": \"n\", \"Records\" : [\n" + a + " ,\n" + b + "\n], \"Events\": [{}]}",
           "\xEF\xBB\xBF[" + a + "," + b + "]",
           a + "\r\n\r\n" + b + "\r\n",
           a + b,
           "{\"Records\":[" + a + "]}{\"Records\":[" + b + "]}",
           "[[" + a + "],[{\"Records\":[" + b + "]}]]",
           "{\"detail-type\":\"t\",\"detail\":" + a + "}\n{\"detail\":" + b + ",\"detail-type\":\"t\"}",
           "2026-11-23T06:00:00.000Z " + a + "\n2026-11-23T06:00:01Z " + b,
       }) {
    const Read read = ReadAll(text);
    EXPECT_THAT(read.texts(), ElementsAre(a, b)) << text;
    EXPECT_THAT(read.damage, IsEmpty()) << text;
    for (const PlacedDocument& one : read.documents) {
      const bool wrapped = text.substr(one.byte, 2) == "[[" || text.substr(one.byte).starts_with("[") ||
                           text.substr(one.byte).starts_with("{\"detail") ||
                           text.substr(one.byte).starts_with("{\"Rec");
      EXPECT_TRUE(wrapped || text.substr(one.byte).starts_with(one.text)) << text;
    }
    EXPECT_THAT(ReadAll(Gzip(text)).texts(), ElementsAre(a, b));
  }
}

TEST(DocumentReader, TakesTextsOfJsonForWhatTheyHold) {
  for (const char* text : {
           R"({"Events":[{"EventId":"1","CloudTrailEvent":"{\"a\":1}"}]})",
           R"({"messageType":"DATA_MESSAGE","logEvents":[{"id":"1","timestamp":5,"message":" {\"a\":1}"}]})",
           R"({"events":[{"timestamp":5,"ingestionTime":6,"message":"{\"a\":1}"}]})",
           R"({"Type":"Notification","TopicArn":"t","Message":"{\"detail-type\":\"x\",\"detail\":{\"a\":1}}"})",
       })
    EXPECT_THAT(ReadAll(text).texts(), ElementsAre("{\"a\":1}")) << text;
  EXPECT_THAT(ReadAll(R"({"message":"{\"a\":1}"})").texts(), ElementsAre(R"({"message":"{\"a\":1}"})"));
}

TEST(DocumentReader, ReadsAllInFrontOfACut) {
  const std::string a = Event("a"), b = Event("b");
  const std::string text = "{\"Records\":[" + a + "," + b + "]}";
  for (size_t size = 1; size < text.size(); ++size) {
    const Read read = ReadAll(text.substr(0, size));
    const size_t whole = (size >= 12 + a.size()) + (size >= 13 + a.size() + b.size());
    EXPECT_THAT(read.documents, SizeIs(whole)) << size;
    EXPECT_THAT(read.damage, SizeIs(1)) << size;
  }
  const std::string packed = Gzip(text + std::string(300'000, ' '));
  const Read read = ReadAll(packed.substr(0, packed.size() - 5));
  EXPECT_THAT(read.texts(), ElementsAre(a, b));
  ASSERT_THAT(read.damage, SizeIs(1));
  EXPECT_THAT(read.damage[0], HasSubstr("2 documents of it were read"));
}

TEST(DocumentReader, ABrokenLineTakesNoOtherWithIt) {
  const std::string line = R"({"a": {"b": [1, {"c": "d, e"}], "f": "g\"h"}, "i": null})", last = R"({"last": 1})";
  for (size_t size = 1; size < line.size(); ++size) {
    const std::string cut = line.substr(0, size);
    const Read read = ReadAll(line + "\n" + cut + "\n" + line + "\n" + last + "\n");
    EXPECT_THAT(read.texts(), ElementsAre(line, line, last)) << cut;
    EXPECT_THAT(read.damage, SizeIs(1)) << cut;
    const Read wrapped = ReadAll("{\"Records\":[" + cut + "\n{\"Records\":[" + line + "]}\n" + last + "\n");
    EXPECT_EQ(wrapped.texts().back(), last) << cut;
  }
  EXPECT_THAT(ReadAll("{\"a\": 1 \"b\"}\nwords\n" + line).texts(), ElementsAre(line));
  EXPECT_THAT(ReadAll("{\"a\": [1, 2}\n" + line).texts(), ElementsAre(line));
  EXPECT_THAT(ReadAll("[{\"a\": nil}, " + line + "]").texts(), ElementsAre(line));
}

TEST(DocumentReader, MendsValuesThatJsonCannotHave) {
  EXPECT_THAT(
      ReadAll("{\"a\":1e999,\"b\":-123456789012345678901,\"c\":NaN,\"d\":\"NaN \xFF\\ud800\\ud83d\\ude00\"}").texts(),
      ElementsAre("{\"a\":\"1e999\",\"b\":\"-123456789012345678901\",\"c\":\"NaN\",\"d\":\"NaN "
                  "\xEF\xBF\xBD\\ufffd\\ud83d\\ude00\"}"));
}

TEST(DocumentReader, ABombCostsNoMemoryAndNoMoreThanItsBytes) {
  const std::string line = Event("a");
  for (const std::string& bomb : {std::string(size_t{2} << 20, '['), "{\"a\":\"" + std::string(size_t{17} << 20, 'x'),
                                  std::string(size_t{4} << 20, '\n'), "{\"a\":" + std::string(size_t{4} << 20, '\n'),
                                  "{\"a\":[" + std::string(size_t{17} << 20, '1') + "]}"}) {
    const Read read = ReadAll(bomb + "\n" + line);
    EXPECT_THAT(read.documents, SizeIs(testing::Le(1u)));
  }
  std::string opened;
  for (size_t i = 0; i < 50'000; ++i) opened += "[{\"a\":[\n";
  EXPECT_THAT(ReadAll(opened).documents, IsEmpty());
}

TEST(EventReader, CountsAllAndGivesWhatIsChosen) {
  const std::string text = Event("a") + "\n" + Event("b", R"(,"eventName":"RunInstances","userIdentity":{"arn":"u"})") +
                           "\n{\"class_uid\":1}\n{\"x\":1}\n";
  const Rows all = RowsOf(text);
  EXPECT_THAT(all.column("key"), ElementsAre("a", "b"));
  EXPECT_THAT(all.column("severity"), ElementsAre("null", "low"));
  EXPECT_THAT(all.column("entities"), ElementsAre("[]", "[\"u\"]"));
  EXPECT_EQ(all.report.other, 2u);
  const Rows chosen = RowsOf(text, {.kinds = {"runinstances"}, .documents = {{.kind = "RunInstances"}}});
  EXPECT_THAT(chosen.column("key"), ElementsAre("b"));
  EXPECT_THAT(chosen.column("document"), ElementsAre(HasSubstr("RunInstances")));
  EXPECT_THAT(chosen.column("byte"), ElementsAre(std::to_string(Event("a").size() + 1)));
  EXPECT_EQ(chosen.report.events, 2u);
  EXPECT_EQ(chosen.report.kinds.at("A"), 1u);
  EXPECT_EQ(chosen.report.first, 1795413600);
  EXPECT_THAT(RowsOf(text, {.entities = {"u"}}).column("key"), ElementsAre("b"));
  EXPECT_THAT(all.report.others,
              testing::UnorderedElementsAre(testing::Pair("with class_uid", 1u), testing::Pair("with x", 1u)));
}

TEST(EventReader, TheLastOfMembersWithOneNameCounts) {
  const Rows rows =
      RowsOf(R"({"eventName":"X","userIdentity":{"arn":"a","type":"t"},"eventSource":"s","eventName":"A",)"
             R"("eventTime":1,"eventTime":"2026-11-23T06:00:00Z","userIdentity":{"arn":"b"}})");
  EXPECT_THAT(rows.column("kind"), ElementsAre("A"));
  EXPECT_THAT(rows.column("attrs"), ElementsAre(R"({"principal":"b","eventSource":"s"})"));
}

Rows RowsOf(const std::string& bytes, const std::string& source) {
  absl::StatusOr<EventReader> reader = EventReader::Of({Source::Bytes("f", std::string_view(bytes))}, source);
  Rows out;
  Table table;
  while (*reader->Next(&table, 2)) out.batches.push_back(std::move(table));
  out.report = reader->report();
  return out;
}

TEST(EventReader, ReadsEverySourceThatIsKnown) {
  const std::string query = R"({"query_timestamp":"2026-11-23T06:00:00Z","query_name":"A.b.","srcaddr":"10.0.0.1",)"
                            R"("answers":[{"Rdata":"192.0.2.1"},{"Rdata":"192.0.2.2"}]})";
  const Rows dns = RowsOf(query + "\n" + query, "dns");
  EXPECT_THAT(dns.column("entities"), ElementsAre(R"(["10.0.0.1","192.0.2.1"])", R"(["10.0.0.1","192.0.2.2"])",
                                                  R"(["10.0.0.1","192.0.2.1"])", R"(["10.0.0.1","192.0.2.2"])"));
  EXPECT_THAT(dns.column("attrs")[0], HasSubstr(R"("query_name":"a.b")"));
  EXPECT_EQ(dns.column("key")[0], dns.column("key")[2]);  // the same query, delivered twice
  EXPECT_NE(dns.column("key")[0], dns.column("key")[1]);
  const std::string line =
      "http 2026-11-23T06:00:05Z app/a/1 192.0.2.1:1 10.0.0.1:80 0 0 0 200 200 1 2 \"GET http://a b HTTP/1.1\" \"-\" - "
      "- "
      "a \"t\" \"-\" \"-\" 0 2026-11-23T06:00:00Z";
  const Rows alb = RowsOf("noise\n" + line + "\r\n", "alb");
  EXPECT_THAT(alb.column("byte"), ElementsAre("6"));
  EXPECT_THAT(alb.column("attrs")[0], HasSubstr(R"("request":"GET http://a b HTTP/1.1","method":"GET")"));
  EXPECT_EQ(alb.report.other, 1u);
  EXPECT_EQ(*alb.report.last - *alb.report.first, 5);
  const Rows lake = RowsOf(R"({"class_uid":4003,"metadata":{"product":{"name":"Route 53"}},"time":1795413600000,)"
                           R"("query":{"hostname":"x."},"src_endpoint":{"ip":"10.0.0.1"}})",
                           "ocsf");
  EXPECT_THAT(lake.column("source"), ElementsAre("dns"));
  for (const std::string& source : EventSources()) EXPECT_EQ(RowsOf("{\"x\": 1}", source).report.events, 0u) << source;
}

TEST(EventReader, ASourceThatIsNotKnownIsAnError) {
  const absl::StatusOr<EventReader> reader = EventReader::Of({}, "dnss");
  ASSERT_FALSE(reader.ok());
  EXPECT_THAT(std::string(reader.status().message()), HasSubstr("no source of events 'dnss'; known: cloudtrail, "));
}

TEST(EventReader, DocumentsAreThoseThatHaveWhatIsAsked) {
  const std::string text = Event("a", R"(,"eventName":"AssumeRole","x":{"y":1})") +
                           Event("b", R"(,"eventName":"AssumeRole","x":{"y":0})") + Event("c");
  const Rows rows = RowsOf(text, {.kinds = {"none"}, .documents = {{.kind = "AssumeRole", .with = {"x.y"}}}});
  EXPECT_THAT(rows.column("key"), ElementsAre("a"));
  EXPECT_EQ(rows.report.events, 3u);
}

TEST(EventReader, AnAddendumIsTheRecordThatItIsAbout) {
  const Rows rows = RowsOf(Event("a") + Event("b", R"(,"addendum":{"reason":"UPDATED_DATA","originalEventID":"a"})"));
  EXPECT_THAT(rows.column("key"), ElementsAre("a", "a"));
  EXPECT_THAT(rows.column("version"), ElementsAre("null", "UPDATED_DATA"));
}

TEST(DocumentReader, UnpacksWhatStreamsCarry) {
  // base64 of {"a":1} and a line end
  for (const char* text :
       {R"({"Records":[{"kinesis":{"data":"eyJhIjoxfQo="}}]})",
        R"({"requestId":"r","records":[{"recordId":"1","data":"eyJhIjoxfQo="}]})",
        R"({"awslogs":{"data":"eyJhIjoxfQo="}})",
        R"({"Records":[{"receiptHandle":"h","body":"{\"TopicArn\":\"t\",\"Message\":\"{\\\"a\\\":1}\"}"}]})"})
    EXPECT_THAT(ReadAll(text).texts(), ElementsAre("{\"a\":1}")) << text;
  EXPECT_THAT(ReadAll(R"({"data":"eyJhIjoxfQo="})").texts(), ElementsAre(R"({"data":"eyJhIjoxfQo="})"));
}

TEST(EventReader, WhatCannotBeOpenedIsAnErrorBehindTheRowsBefore) {
  const TempDir folder;
  const std::string path = folder.Write("a.json", Event("a"));
  EventReader reader({Source::File(path), Source::File(folder / "none.json")}, *FindEventMap("cloudtrail"));
  Table table;
  absl::StatusOr<bool> more = reader.Next(&table);
  ASSERT_TRUE(more.ok() && *more);
  EXPECT_EQ(table.rows, 1u);
  EXPECT_FALSE(reader.Next(&table).ok());
}

TEST(EventReader, AStreamOfNoEventIsAnError) {
  for (const bool any : {true, false}) {
    const std::string text = any ? Event("a") : "{}";
    ArrowArrayStream stream;
    ExportEvents(std::make_shared<EventReader>(std::vector<Source>{Source::Bytes("f", std::string_view(text))},
                                               *FindEventMap("cloudtrail")),
                 &stream);
    ArrowSchema schema;
    ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
    EXPECT_EQ(schema.n_children, 11);
    schema.release(&schema);
    ArrowArray array;
    EXPECT_EQ(stream.get_next(&stream, &array) == 0, any);
    if (any) {
      EXPECT_EQ(array.length, 1);
      array.release(&array);
      EXPECT_EQ(stream.get_next(&stream, &array), 0);
      EXPECT_EQ(array.release, nullptr);
    } else {
      EXPECT_THAT(stream.get_last_error(&stream), HasSubstr("no event in 1 file"));
    }
    stream.release(&stream);
  }
}

}  // namespace
}  // namespace vpcflow
