#include "src/container/foreign.h"

#include <algorithm>
#include <array>
#include <string>

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kLook = 4096;

constexpr char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// A kind of document, by what all of its kind hold, in lower case. The first that fits counts: those that hold others
// come before them.
struct Kind {
  std::string_view seems;
  std::array<std::string_view, 3> holds;
};
constexpr Kind kKinds[] = {
    {"an S3 event notification", {"\"aws:s3\"", "eventname"}},
    {"an event of a Lambda function", {"\"eventsource\":\"aws:"}},
    {"an EventBridge event", {"\"detail-type\"", "\"source\""}},
    {"an SNS notification", {"\"topicarn\"", "\"messageid\""}},
    {"a CloudTrail event", {"eventsource", "eventname", "eventversion"}},
    {"a CloudTrail event", {"eventsource", "eventname", "useridentity"}},
    {"a CloudTrail digest", {"\"digests3bucket\""}},
    {"a Security Hub finding", {"\"productarn\"", "\"awsaccountid\""}},
    {"a GuardDuty finding", {":guardduty:", "severity"}},
    {"a GuardDuty finding", {"\"servicename\":\"guardduty\""}},
    {"a Macie finding", {"\"classificationdetails\""}},
    {"an Inspector finding", {"\"findingarn\"", "inspector"}},
    {"an AWS Config snapshot", {"\"configurationitems\""}},
    {"an AWS Config snapshot", {"\"configsnapshotid\""}},
    {"an AWS Config item", {"configurationitemstatus"}},
    {"an AWS Config item", {"configurationitemcapturetime"}},
    {"an AWS Config notification", {"\"configurationitem\""}},
    {"an AWS WAF log", {"webaclid"}},
    {"an AWS Network Firewall log", {"\"firewall_name\""}},
    {"a Route 53 Resolver query log", {"query_name", "query_type"}},
    {"a Cost and Usage Report", {"lineitem/"}},
    {"a Cost and Usage Report", {"identity/lineitemid"}},
    {"a Cost and Usage Report", {"line_item_"}},
    {"a bill in the FOCUS format", {"billedcost", "billingaccountid"}},
    {"a Cost Explorer answer", {"\"resultsbytime\""}},
    {"a load balancer access log", {"elb_status_code"}},
    {"a load balancer access log", {"target_processing_time"}},
    {"a CloudFront access log", {"x-edge-location"}},
    {"an S3 server access log", {"bucket_owner", "requester"}},
    {"an EC2 describe document", {"\"reservations\""}},
    {"an EC2 describe document", {"\"networkinterfaces\""}},
    {"an EC2 describe document", {"\"securitygroups\""}},
    {"an EC2 describe document", {"\"networkinterfaceid\"", "\"availabilityzone\""}},
    {"a CloudWatch alarm", {"\"alarmname\""}},
    {"a Kubernetes audit event", {"\"auditid\"", "\"apiversion\""}},
    {"an API Gateway access log", {"\"httpmethod\"", "\"resourcepath\""}},
    {"an Azure flow log", {"\"flowtuples\""}},
    {"an Azure flow log", {"\"flowrecords\""}},
    {"a Google Cloud flow log", {"\"jsonpayload\"", "\"connection\"", "\"reporter\""}},
    {"a Suricata event", {"\"event_type\"", "\"flow_id\""}},
    {"a Zeek log", {"id.orig_h"}},
    {"an OCSF event of another class", {"\"class_uid\"", "\"metadata\""}},
};

// A kind of line, by how it begins and what it holds.
struct Beginning {
  std::string_view seems;
  std::string_view begins;
  std::string_view holds;
};
constexpr Beginning kBeginnings[] = {
    {"a CloudFront access log", "#version:", "x-edge"},
    {"a W3C access log", "#version:", ""},
    {"a W3C access log", "#fields:", ""},
    {"a Zeek log", "#separator", ""},
    {"a Zeek log", "#fields\t", ""},
    {"an XML document", "<?xml", ""},
    {"an XML document", "<error>", ""},
    {"an HTML page", "<!doctype html", ""},
    {"an HTML page", "<html", ""},
    {"a CEF event", "cef:", "|"},
    {"a LEEF event", "leef:", "|"},
    {"a Lambda function's log", "start requestid:", ""},
    {"a Lambda function's log", "end requestid:", ""},
    {"a Lambda function's log", "report requestid:", ""},
};

bool Holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Digits as 0, as far as the shape goes: "oct 00 00:00:00", where a blank may stand for a digit.
bool HasShape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == '0' ? !IsDigit(text[i]) && text[i] != ' ' : shape[i] != text[i] && shape[i] != '*') return false;
  }
  return true;
}

// "<134>1 2025-...", "<34>Oct 11 22:14:15 ...", "Oct 11 22:14:15 host ...".
bool IsSyslog(std::string_view line) {
  constexpr std::string_view kMonths = "jan feb mar apr may jun jul aug sep oct nov dec";
  if (line.starts_with('<')) {
    size_t at = 1;
    while (at < line.size() && IsDigit(line[at])) ++at;
    return at > 1 && at < 5 && at < line.size() && line[at] == '>';
  }
  return HasShape(line, "*** 00 00:00:00 ") && Holds(kMonths, line.substr(0, 3));
}

// "[06/feb/2019:00:00:38 +0000]" after the client or the bucket.
bool HasAccessTime(std::string_view line) {
  for (size_t at = 0; (at = line.find('[', at)) != std::string_view::npos; ++at) {
    if (HasShape(line.substr(at + 1), "00/***/0000:00:00:00 ")) return true;
  }
  return false;
}

// "https 2018-07-02T22:23:00.186641Z app/...", "tls 2.0 2018-12-20T02:59:40 net/...".
bool IsLoadBalancerLine(std::string_view line) {
  for (const std::string_view scheme : {"http ", "https ", "h2 ", "grpcs ", "ws ", "wss ", "tls 1.0 ", "tls 2.0 "}) {
    if (line.starts_with(scheme) && HasShape(line.substr(scheme.size()), "0000-00-00t00:00:00")) return true;
  }
  return false;
}

std::string_view SeemsToBeLine(std::string_view line) {
  for (const Beginning& kind : kBeginnings) {
    if (line.starts_with(kind.begins) && Holds(line, kind.holds)) return kind.seems;
  }
  if (IsLoadBalancerLine(line)) return "a load balancer access log";
  if (HasAccessTime(line)) {
    return Holds(line, " rest.") || Holds(line, " batch.") ? "an S3 server access log" : "a web server access log";
  }
  if (IsSyslog(line)) return "a syslog line";
  if (Holds(line, "cef:0|") || Holds(line, "cef:1|")) return "a CEF event";
  if (Holds(line, " http/1.") || Holds(line, " http/2.")) return "an HTTP access log";
  return Holds(line, "[**] [") ? "a Suricata alert" : "";
}

}  // namespace

std::string_view SeemsToBe(std::string_view text) {
  std::string head(text.substr(0, kLook));
  std::transform(head.begin(), head.end(), head.begin(), Lower);
  const std::string_view line = std::string_view(head).substr(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  if (line.empty()) return "";
  const bool json = line[0] == '{' || line[0] == '[' || line[0] == '"';
  if (!json) {
    if (const std::string_view kind = SeemsToBeLine(line.substr(0, line.find('\n'))); !kind.empty()) return kind;
  }
  for (const Kind& kind : kKinds) {
    if (std::all_of(kind.holds.begin(), kind.holds.end(), [&](std::string_view part) { return Holds(head, part); }))
      return kind.seems;
  }
  return "";
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
