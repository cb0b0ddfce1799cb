#include "src/events/ocsf_originals.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>
#include <new>
#include <optional>

#include "absl/strings/str_cat.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

using Value = std::optional<Element>;
using Paths = std::initializer_list<std::string_view>;

constexpr int64_t kDns = 4003, kHttp = 4002, kFirstFinding = 2001, kLastFinding = 2004;

// The first value that counts, else nothing.
Value FirstOf(const Element& event, Paths paths) {
  for (const std::string_view path : paths) {
    if (const Value value = At(event, path); value && Counts(*value)) return value;
  }
  return std::nullopt;
}

std::string LowerOf(const Value& value) {
  std::string scratch;
  return value && IsScalar(*value) && Counts(*value) ? Lower(Word(*value, &scratch)) : std::string();
}

// Calls `take(name, value)` for what has no field: members, or the pairs of a map of Parquet.
template <class Take>
void EachUnmapped(const Element& event, Take take) {
  const Value unmapped = Member(event, "unmapped");
  if (!unmapped) return;
  if (dom::object object; unmapped->get(object) == simdjson::SUCCESS) {
    for (const auto& [key, value] : object) take(key, value);
  } else if (dom::array pairs; unmapped->get(pairs) == simdjson::SUCCESS) {
    for (const Element item : pairs) {
      dom::array pair;
      if (item.get(pair) != simdjson::SUCCESS || std::distance(pair.begin(), pair.end()) != 2) continue;
      const Element name = *pair.begin();
      if (name.is_string()) take(name.get_string().value_unsafe(), *std::next(pair.begin()));
    }
  }
}

Value Unmapped(const Element& event, std::string_view wanted) {
  Value out;
  EachUnmapped(event, [&](std::string_view name, const Element& value) {
    if (name == wanted) out = value;
  });
  return out;
}

std::string_view ActionOf(std::string_view disposition) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kActions = {
      {{"blocked", "BLOCK"}, {"dropped", "BLOCK"}, {"denied", "BLOCK"}, {"alert", "ALERT"}, {"allowed", "ALLOW"}}};
  const auto found =
      std::find_if(kActions.begin(), kActions.end(), [&](const auto& one) { return one.first == disposition; });
  return found == kActions.end() ? std::string_view() : found->second;
}

// Objects and lists as JSON. A value that is not there is not written.
class Writer {
 public:
  explicit Writer(std::string* out) : out_(*out) { out_ = "{"; }

  void Put(std::string_view name, const Value& value) {
    if (!value) return;
    AppendName(name, &out_);
    out_ += simdjson::minify(*value);
  }
  void PutText(std::string_view name, std::string_view text) {
    AppendName(name, &out_);
    AppendJson(text, &out_);
  }
  void PutBool(std::string_view name, bool value) {
    AppendName(name, &out_);
    out_ += value ? "true" : "false";
  }
  void PutNull(std::string_view name) {
    AppendName(name, &out_);
    out_ += "null";
  }
  void Open(std::string_view name, char bracket = '{') {
    AppendName(name, &out_);
    out_ += bracket;
  }
  void OpenItem() { out_ += out_.back() == '[' ? "{" : ",{"; }
  void Close(char bracket = '}') { out_ += bracket; }

 private:
  std::string& out_;
};

Value Account(const Element& event) { return FirstOf(event, {"cloud.account.uid", "cloud.account_uid"}); }

void WriteDns(const Element& event, Writer* out) {
  out->Put("query_timestamp", Member(event, "time"));
  out->Put("query_name", At(event, "query.hostname"));
  out->Put("query_type", At(event, "query.type"));
  if (const std::string code = LowerOf(Member(event, "rcode")); !code.empty()) out->PutText("rcode", Upper(code));
  out->Open("answers", '[');
  for (const Element& answer : ItemsIn(Member(event, "answers"))) {
    out->OpenItem();
    out->Put("Rdata", Member(answer, "rdata"));
    out->Put("Type", Member(answer, "type"));
    out->Close();
  }
  out->Close(']');
  out->Put("srcaddr", At(event, "src_endpoint.ip"));
  out->Put("vpc_id", At(event, "src_endpoint.vpc_uid"));
  out->Open("srcids");
  out->Put("instance", FirstOf(event, {"src_endpoint.instance_uid", "src_endpoint.uid"}));
  out->Close();
  out->Put("account_id", Account(event));
  out->Put("region", At(event, "cloud.region"));
  if (const std::string_view action = ActionOf(LowerOf(Member(event, "disposition"))); !action.empty())
    out->PutText("firewall_rule_action", action);
}

void WriteWaf(const Element& event, Writer* out) {
  const std::string says = LowerOf(FirstOf(event, {"disposition", "action"}));
  const std::string_view action = ActionOf(says);
  out->Put("timestamp", Member(event, "time"));
  out->PutText("action", action.empty() ? Upper(says) : std::string(action));
  out->Put("terminatingRuleId", At(event, "firewall_rule.uid"));
  out->Put("httpSourceId", At(event, "src_endpoint.uid"));
  out->Put("webaclId", At(event, "metadata.product.feature.uid"));
  out->Open("httpRequest");
  out->Put("clientIp", At(event, "src_endpoint.ip"));
  out->Put("country", At(event, "src_endpoint.location.country"));
  out->Put("uri", At(event, "http_request.url.path"));
  out->Put("httpMethod", At(event, "http_request.http_method"));
  out->Put("host", At(event, "http_request.url.hostname"));
  out->Open("headers", '[');
  for (const Element& header : ItemsIn(At(event, "http_request.http_headers"))) {
    out->OpenItem();
    out->Put("name", Member(header, "name"));
    out->Put("value", Member(header, "value"));
    out->Close();
  }
  out->Close(']');
  out->Close();
}

// The object that a text holds, or that a value is; nothing for others, and for an empty one.
Value ObjectIn(const Value& value, dom::parser* parser, std::string* text) {
  Value out = value;
  if (value && value->is_string()) {
    out.reset();
    const std::string_view held = value->get_string().value_unsafe();
    text->assign(held).append(simdjson::SIMDJSON_PADDING, '\0');
    Element parsed;
    const simdjson::error_code error = parser->parse(text->data(), held.size(), false).get(parsed);
    if (error == simdjson::MEMALLOC) throw std::bad_alloc();
    if (error == simdjson::SUCCESS) out = parsed;
  }
  return out && out->is_object() && Counts(*out) ? out : std::nullopt;
}

// Writes the members of what `given` holds, else of what has no field below a name: `name.member`, and `name`.
void WriteMembers(const Element& event, std::string_view name, const Value& given, dom::parser* parser, Writer* out) {
  std::string text;
  Value held = ObjectIn(given, parser, &text);
  if (!held) {
    EachUnmapped(event, [&](std::string_view key, const Element& value) {
      if (key.size() > name.size() && key.starts_with(name) && key[name.size()] == '.')
        out->Put(key.substr(name.size() + 1), value);
    });
    held = Unmapped(event, name);
  }
  dom::object object;
  if (!held || held->get(object) != simdjson::SUCCESS) return;
  for (const auto& [key, value] : object) out->Put(key, value);
}

void WriteIdentity(const Element& event, Writer* out) {
  constexpr std::string_view kNames[] = {"actor.user.uid", "actor.user.uuid", "actor.user.uid_alt"};
  out->Open("userIdentity");
  for (const bool arn : {true, false}) {
    for (const std::string_view path : kNames) {
      const std::string_view name = Text(At(event, path));
      if (name.empty() || name.starts_with("arn:") != arn) continue;
      out->PutText(arn ? "arn" : "principalId", name);
      break;
    }
  }
  out->Put("type", At(event, "actor.user.type"));
  out->Put("userName", At(event, "actor.user.name"));
  out->Put("accountId", FirstOf(event, {"actor.user.account.uid", "actor.user.account_uid"}));
  out->Put("accessKeyId", At(event, "actor.user.credential_uid"));
  out->Put("invokedBy", At(event, "actor.invoked_by"));
  constexpr std::string_view kSession = "userIdentity.sessionContext.";
  const auto unmapped = [&](std::string_view path) { return Unmapped(event, std::string(kSession).append(path)); };
  out->Open("sessionContext");
  out->Put("sourceIdentity", unmapped("sourceIdentity"));
  out->Open("sessionIssuer");
  const Value issuer = At(event, "actor.session.issuer");
  out->Put("arn", issuer && Counts(*issuer) ? issuer : unmapped("sessionIssuer.arn"));
  out->Put("userName", unmapped("sessionIssuer.userName"));
  out->Close();
  out->Open("attributes");
  out->Put("mfaAuthenticated", unmapped("attributes.mfaAuthenticated"));
  for (const char* path : {"actor.session.mfa", "actor.session.is_mfa"}) {
    if (const Value mfa = At(event, path); mfa && mfa->is_bool())
      out->PutText("mfaAuthenticated", mfa->get_bool().value_unsafe() ? "true" : "false");
  }
  out->Close();
  out->Close();
  out->Close();
}

void WriteCloudTrail(const Element& event, dom::parser* parser, Writer* out) {
  const Value operation = At(event, "api.operation");
  const bool login = Text(operation) == "ConsoleLogin";
  std::string scratch;
  out->Put("eventName", operation);
  const Value service = At(event, "api.service.name");
  if (service) out->Put("eventSource", service);
  if (!service) out->PutNull("eventSource");
  out->Put("eventTime", Member(event, "time"));
  out->Put("eventID", At(event, "metadata.uid"));
  out->Put("awsRegion", At(event, "cloud.region"));
  const Value account = Account(event);
  out->Put("recipientAccountId", account ? account : Unmapped(event, "recipientAccountId"));
  out->Put("sourceIPAddress", FirstOf(event, {"src_endpoint.ip", "src_endpoint.domain"}));
  out->Put("userAgent", At(event, "http_request.user_agent"));
  out->Put("errorCode", FirstOf(event, {"api.response.error"}));
  const Value reads = Unmapped(event, "readOnly");  // a text in some versions
  const std::string says = reads && IsScalar(*reads) ? Lower(Word(*reads, &scratch)) : std::string();
  if (says == "true" || says == "false") out->PutBool("readOnly", says == "true");
  WriteIdentity(event, out);
  out->Open("requestParameters");
  WriteMembers(event, "requestParameters", At(event, "api.request.data"), parser, out);
  out->Close();
  out->Open("responseElements");  // of members with one name the last counts
  if (login) out->Put("ConsoleLogin", Member(event, "status"));
  WriteMembers(event, "responseElements", At(event, "api.response.data"), parser, out);
  out->Close();
  out->Open("additionalEventData");
  for (const char* name : {"mfa", "is_mfa"}) {
    if (const Value mfa = Member(event, name); login && mfa && mfa->is_bool())
      out->PutText("MFAUsed", mfa->get_bool().value_unsafe() ? "Yes" : "No");
  }
  WriteMembers(event, "additionalEventData", std::nullopt, parser, out);
  out->Close();
}

// A level of OCSF as ASFF has it.
std::string_view LabelOf(int64_t severity) {
  constexpr std::string_view kLabels[] = {"", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "CRITICAL"};
  return severity >= 0 && severity < std::ssize(kLabels) ? kLabels[severity] : "";
}

void WriteEvidence(const Element& event, Writer* out) {
  const std::vector<Element> evidences = ItemsIn(Member(event, "evidences"));
  size_t number = 0;
  out->Open("ProductFields");
  for (const char* path : {"src_endpoint.ip", "dst_endpoint.ip"}) {
    for (const Element& one : evidences) {
      if (const Value ip = At(one, path); ip && Counts(*ip)) out->Put(absl::StrCat(number++, "/ipAddressV4"), ip);
    }
  }
  out->Close();
}

// Before 1.1 `finding`, then `finding_info` says what it is.
void WriteFinding(const Element& event, dom::parser* parser, Writer* out) {
  const Value info = FirstOf(event, {"finding_info", "finding"}), time = Member(event, "time");
  const auto told = [&](std::string_view name) { return info ? At(*info, name) : std::nullopt; };
  const auto time_in = [&](const char* name) {
    const Value number = told(name), text = told(absl::StrCat(name, "_dt"));
    return number && Counts(*number) ? number : text && Counts(*text) ? text : time;
  };
  const Value arn = FirstOf(event, {"metadata.product.uid"}), product = At(event, "metadata.product.name");
  std::string scratch, text;
  out->Put("Id", told("uid"));
  if (arn) out->Put("ProductArn", arn);
  if (!arn)
    out->PutText("ProductArn",
                 absl::StrCat("product/", product && IsScalar(*product) ? std::string(Word(*product, &scratch)) : ""));
  out->Put("ProductName", product);
  out->Put("GeneratorId", At(event, "metadata.product.feature.uid"));
  out->Put("Title", told("title"));
  out->Put("Types", told("types"));
  out->Put("AwsAccountId", Account(event));
  out->Put("Region", At(event, "cloud.region"));
  out->Put("FirstObservedAt", time_in("first_seen_time"));
  out->Put("LastObservedAt", time_in("last_seen_time"));
  out->Put("CreatedAt", time);
  out->Put("UpdatedAt", time_in("modified_time"));
  out->Open("Severity");
  const Value level = Member(event, "severity_id");
  int64_t number;
  if (level && level->get(number) == simdjson::SUCCESS) out->PutText("Label", LabelOf(number));
  if (!level || !level->is_int64()) out->Put("Label", Member(event, "severity"));
  out->Close();
  out->Open("Resources", '[');
  for (const Element& one : ItemsIn(Member(event, "resources"))) {
    out->OpenItem();
    out->Put("Id", Member(one, "uid"));
    out->Put("Details", ObjectIn(Member(one, "data"), parser, &text));
    out->Close();
  }
  out->Close(']');
  WriteEvidence(event, out);
  out->Open("Compliance");
  out->PutText("Status", Upper(LowerOf(At(event, "compliance.status"))));
  out->Close();
  out->Put("RecordState", Unmapped(event, "RecordState"));
}

}  // namespace

bool IsOcsf(const Element& document) {
  const Value metadata = Member(document, "metadata");
  return metadata && metadata->is_object() && Member(document, "class_uid");
}

std::string_view OcsfOriginals::Convert(const Element& event, std::string* out) {
  const std::string product = LowerOf(At(event, "metadata.product.name"));
  const Value uid = Member(event, "class_uid"), operation = At(event, "api.operation");
  const int64_t number = uid && uid->is_int64() ? uid->get_int64().value_unsafe() : 0;
  const bool finding = number >= kFirstFinding && number <= kLastFinding;
  const auto has = [&](std::string_view name) { return product.find(name) != product.npos; };
  Writer writer(out);
  std::string_view source;
  if (has("cloudtrail") || (operation && operation->is_string() && !finding)) {
    source = "cloudtrail";
    WriteCloudTrail(event, &parser_, &writer);
  } else if (number == kDns) {
    source = "dns";
    WriteDns(event, &writer);
  } else if (number == kHttp && has("waf")) {
    source = "waf";
    WriteWaf(event, &writer);
  } else if (finding && !has("vpcflow")) {
    source = "securityhub";
    WriteFinding(event, &parser_, &writer);
  }
  writer.Close();
  return source;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
