// Fuzz target of documents: events of other sources.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "fuzz/targets.h"
#include "vpcflow/vpcflow.h"

namespace vpcflow_fuzz {
namespace {

using namespace vpcflow;

// Bytes that come so many at a time.
Source Stepwise(std::string_view bytes, size_t step) {
  auto at = std::make_shared<size_t>(0);
  return Source::Stream("fuzz", [bytes, step, at](char* buffer, size_t size) -> absl::StatusOr<size_t> {
    const size_t n = std::min({size, step, bytes.size() - *at});
    bytes.copy(buffer, n, *at);
    *at += n;
    return n;
  });
}

std::vector<PlacedDocument> DocumentsOf(Source source, std::vector<std::string>* damage = nullptr) {
  DocumentReader reader(std::move(source));
  std::vector<PlacedDocument> out, part;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next(&part, 3);
    VPCFLOW_FUZZ_CHECK(more.ok());
    if (!*more) break;
    out.insert(out.end(), part.begin(), part.end());
  }
  if (damage != nullptr) *damage = reader.damage();
  return out;
}

std::string TextOf(const std::vector<PlacedDocument>& documents) {
  std::string out;
  for (const PlacedDocument& one : documents)
    out += std::to_string(one.byte) + "#" + std::to_string(one.number) + " " + one.text + "\n";
  return out;
}

// Entities and attrs are JSON by themselves, an event ends when it begins or later.
void CheckRows(const Table& table) {
  for (const TableColumn& column : table.columns) {
    for (size_t row = 0; row < table.rows; ++row) {
      if (column.is_null(row)) continue;
      const std::string text = column.ToText(row);
      if (column.name != "entities" && column.name != "attrs") continue;
      std::vector<std::string> damage;
      DocumentsOf(Source::Bytes("value", std::string_view(text)), &damage);
      VPCFLOW_FUZZ_CHECK(damage.empty());
    }
  }
  const auto& begin = table.columns[0].i64;
  const auto& end = table.columns[1].i64;
  for (size_t row = 0; row < table.rows; ++row) VPCFLOW_FUZZ_CHECK(begin[row] <= end[row]);
}

// However the bytes come the documents are the same, each in its place, and each is a document by itself; their events
// are as many as their report says.
void Documents(std::string_view bytes) {
  std::vector<std::string> damage, other;
  const std::vector<PlacedDocument> documents = DocumentsOf(Source::Bytes("fuzz", bytes), &damage);
  const std::string whole = TextOf(documents);
  // ISA-L reads on behind damaged tables of codes; how far depends on how much is decoded at once.
  const bool damaged = bytes.starts_with("\x1f\x8b") && !damage.empty();
  for (const size_t step : {1, 3, 70}) {
    const std::string text = TextOf(DocumentsOf(Stepwise(bytes, step), &other));
    VPCFLOW_FUZZ_CHECK(damaged ? !other.empty() : text == whole && other == damage);
  }
  for (size_t i = 1; i < documents.size(); ++i) {
    const PlacedDocument &a = documents[i - 1], &b = documents[i];
    VPCFLOW_FUZZ_CHECK(a.byte < b.byte ? b.number == 0 : a.byte == b.byte && b.number == a.number + 1);
  }
  for (const PlacedDocument& one : documents) {
    DocumentsOf(Source::Bytes("one", std::string_view(one.text)), &other);
    VPCFLOW_FUZZ_CHECK(other.empty());
  }
  for (const std::string& source : EventSources()) {
    absl::StatusOr<EventReader> reader =
        EventReader::Of({Source::Bytes("fuzz", bytes)}, source, {.documents = {{.kind = "RunInstances"}}});
    VPCFLOW_FUZZ_CHECK(reader.ok());
    Table table;
    size_t rows = 0;
    while (*reader->Next(&table, 2)) {
      rows += table.rows;
      CheckRows(table);
    }
    const EventReport& report = reader->report();
    const bool lines = source == "alb" || source == "nlb" || source == "clb";
    VPCFLOW_FUZZ_CHECK(lines || (report.documents == documents.size() && report.damage == damage));
    VPCFLOW_FUZZ_CHECK(report.events + report.other == report.documents && rows >= report.events);
  }
}

std::vector<std::string> Seeds() {
  const std::string login = R"({"eventName":"ConsoleLogin","eventSource":"signin","eventTime":"2026-11-23T06:00:00Z",)"
                            R"("userIdentity":{"arn":"arn:aws:iam::1:user/a"},"additionalEventData":{"MFAUsed":"No"},)"
                            R"("responseElements":{"ConsoleLogin":"Success"},"sourceIPAddress":"192.0.2.1"})";
  const std::string opened =
      R"({"eventName":"AuthorizeSecurityGroupIngress","eventSource":"ec2","eventTime":1795413600000,"eventID":"e",)"
      R"("requestParameters":{"groupId":"sg-1","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":"22",)"
      R"("toPort":22.0,"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]}}]},"x":1e999,"y":"\ud800"}})";
  const std::string started =
      R"({"eventName":"RunInstances","eventSource":"ec2","eventTime":"2026-11-23 06:00:00",)"
      R"("responseElements":{"instancesSet":{"items":[{"instanceId":"i-1"},{"instanceId":"i-2"}]}}})";
  return {
      "{\"Records\":[" + login + "," + opened + "]}{\"Records\":[" + started + "],\"x\":[1,{}]}",
      login + "\n" + opened + "\nno JSON\n2026-11-23T06:00:00.000Z " + started + "\n",
      "[\n" + login + ",\n  " + started + ",\n [" + opened + "], null, \"a,]\", 5]",
      R"({"detail-type":"x","detail":)" + login +
          "}\n{\"Events\":[{\"CloudTrailEvent\":\"{\\\"eventName\\\":\\\"A\\\"}\"}]}",
      R"({"query_timestamp":"2026-11-23T06:00:00Z","query_name":"A.b.","rcode":"NOERROR","srcaddr":"10.0.0.1",)"
      R"("answers":[{"Rdata":"192.0.2.1"},{"Rdata":"x"}],"srcids":{"instance":"i-1"}})"
      "\n"
      R"({"timestamp":1795413600000,"action":"BLOCK","httpRequest":{"clientIp":"192.0.2.9","uri":"/",)"
      R"("headers":[{"name":"Host","value":"h"}]},"terminatingRuleId":"r"})",
      "http 2026-11-23T06:00:01.5Z app/a/1 192.0.2.1:1 10.0.0.1:80 0 0 0 200 200 1 2 \"GET http://a:80/ HTTP/1.1\" "
      "\"curl \"\"x\" - - arn:t \"Root=1\" \"-\" \"-\" 0 2026-11-23T06:00:00.5Z\n"
      "tls 2.0 2026-11-23T06:00:40 net/a/1 l [::1]:1 10.0.0.1:443 30 2 98 246 - - - - tlsv12 - w\n"
      "2026-11-23T06:00:00.5Z lb 192.0.2.1:1 10.0.0.1:80 0 0 0 200 200 1 2 \"GET / HTTP/1.1\" \"a\" - -\n",
      R"({"id":"f","type":"A:EC2/B","severity":8.5,"updatedAt":"2026-11-23T06:00:00Z","resource":{"instanceDetails":)"
      R"({"instanceId":"i-1","networkInterfaces":[{"networkInterfaceId":"eni-1"}]}},"service":{"eventFirstSeen":)"
      R"("2026-11-23T06:00:00Z","action":{"portProbeAction":{"portProbeDetails":[{"remoteIpDetails":)"
      R"({"ipAddressV4":"192.0.2.1"}}]}}}})",
      R"({"Findings":[{"Id":"a/b","ProductArn":"arn:aws:securityhub:x::product/aws/guardduty","CreatedAt":)"
      R"("2026-11-23T06:00:00Z","Types":["T/A/B:EC2-C"],"ProductName":"GuardDuty","Severity":{"Label":"HIGH"},)"
      R"("Resources":[{"Id":"arn:aws:ec2:x:1:instance/i-1","Details":{"X":{"IpV4Addresses":["10.0.0.1"]}}}]}]})",
      R"({"class_uid":6003,"metadata":{"product":{"name":"CloudTrail"},"uid":"e"},"time":1795413600000,"api":)"
      R"({"operation":"RunInstances","service":{"name":"ec2"},"response":{"data":"{\"instancesSet\":{\"items\":)"
      R"([{\"instanceId\":\"i-1\"}]}}"}},"unmapped":[["requestParameters.x","1"],["readOnly","true"]]})",
      "{\n  \"a\": {\n    \"b\": [1,\n 2]},\n \"class_uid\": 4003\n}\n{\"a\": {\"b\": 1,\n" + login + "\n"};
}

}  // namespace

std::vector<Target> EventTargets() { return {{"documents", Documents, Seeds}}; }

}  // namespace vpcflow_fuzz
