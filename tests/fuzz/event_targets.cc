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
  EventReader reader({Source::Bytes("fuzz", bytes)}, *FindEventMap("cloudtrail"),
                     {.documents = {"RunInstances"}, .others = "class_uid"});
  Table table;
  size_t rows = 0, kept = 0;
  while (*reader.Next(&table, 2)) {
    rows += table.rows;
    kept += reader.TakeOthers().size();
    for (const TableColumn& column : table.columns) {
      for (size_t row = 0; row < table.rows; ++row) {
        if (!column.is_null(row)) column.ToText(row);
      }
    }
  }
  const EventReport& report = reader.report();
  VPCFLOW_FUZZ_CHECK(report.documents == documents.size() && report.damage == damage);
  VPCFLOW_FUZZ_CHECK(report.events + report.other + kept == report.documents && rows >= report.events);
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
  return {"{\"Records\":[" + login + "," + opened + "]}{\"Records\":[" + started + "],\"x\":[1,{}]}",
          login + "\n" + opened + "\nno JSON\n2026-11-23T06:00:00.000Z " + started + "\n",
          "[\n" + login + ",\n  " + started + ",\n [" + opened + "], null, \"a,]\", 5]",
          R"({"detail-type":"x","detail":)" + login +
              "}\n{\"Events\":[{\"CloudTrailEvent\":\"{\\\"eventName\\\":\\\"A\\\"}\"}]}",
          "{\n  \"a\": {\n    \"b\": [1,\n 2]},\n \"class_uid\": 4003\n}\n{\"a\": {\"b\": 1,\n" + login + "\n"};
}

}  // namespace

std::vector<Target> EventTargets() { return {{"documents", Documents, Seeds}}; }

}  // namespace vpcflow_fuzz
