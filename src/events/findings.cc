// Findings of GuardDuty, and of Security Hub in its own format, ASFF.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "src/events/event_maker.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

namespace dom = simdjson::dom;

using Value = std::optional<Element>;

// The first value that counts, else the last.
Value Either(const Value& a, const Value& b) { return a && Counts(*a) ? a : b; }

std::optional<int64_t> TimeIn(const Value& value) {
  int64_t time;
  return value && TimeOf(*value, &time) ? std::optional(time) : std::nullopt;
}

std::vector<Element> ListIn(const Value& value) {
  std::vector<Element> out;
  if (dom::array array; value && value->get(array) == simdjson::SUCCESS) out.assign(array.begin(), array.end());
  return out;
}

std::string_view Behind(std::string_view text, char separator) { return text.substr(text.rfind(separator) + 1); }

// The actions of a finding, and the probes of a port.
std::vector<Element> CallsIn(const Value& action) {
  std::vector<Element> calls;
  if (dom::object object; action && action->get(object) == simdjson::SUCCESS) {
    for (const auto& [key, value] : object) {
      if (key.ends_with("Action") && value.is_object()) calls.push_back(value);
    }
  }
  for (size_t i = 0, n = calls.size(); i < n; ++i) {
    for (const Element& probe : ItemsIn(PascalMember(calls[i], "portProbeDetails"))) calls.push_back(probe);
  }
  return calls;
}

std::vector<Element> RemotesOf(const std::vector<Element>& calls) {
  std::vector<Element> out;
  for (const Element& call : calls) {
    for (const char* path : {"remoteIpDetails.ipAddressV4", "remoteIpDetails.ipAddressV6"}) {
      if (const Value address = PascalAt(call, path)) out.push_back(*address);
    }
  }
  return out;
}

// The first value that counts at a path of the calls.
Value FirstAt(const std::vector<Element>& calls, std::string_view path) {
  for (const Element& call : calls) {
    if (const Value value = PascalAt(call, path); value && Counts(*value)) return value;
  }
  return std::nullopt;
}

std::string Decimal(double number) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), number);
  return error == std::errc() ? std::string(text, end) : "0";
}

// A time that is compared as text.
std::string_view VersionOf(const Value& updated, std::string* scratch) {
  return updated && IsScalar(*updated) && Counts(*updated) ? Word(*updated, scratch) : std::string_view();
}

class GuardDuty final : public EventMaker {
 public:
  GuardDuty() { source_ = "guardduty"; }

  bool Begin(const Element& document) override {
    const Value service = PascalMember(document, "service"), level = PascalMember(document, "severity");
    kind_ = Text(PascalMember(document, "type"));
    const bool named = PascalMember(document, "type").value_or(document).is_string();
    if (!named || !service || !service->is_object() || !level || level->is_null()) return false;
    const std::optional<int64_t> first =
        TimeIn(Either(PascalMember(*service, "eventFirstSeen"), PascalMember(document, "createdAt")));
    if (!first) return false;
    const Value updated = PascalMember(document, "updatedAt");
    time_ = *first;
    end_ = std::max(TimeIn(Either(PascalMember(*service, "eventLastSeen"), updated)).value_or(time_), time_);
    version_ = VersionOf(updated, &version_text_);
    document_ = document;
    service_ = *service;
    severity_ = level->is_number() ? level->get_double().value_unsafe() : 0;
    return true;
  }

  void Rows(std::string_view place, Take take) override {
    constexpr double kHigh = 7, kMedium = 4;
    const Value id = PascalMember(document_, "id");
    const std::vector<Element> calls = CallsIn(PascalMember(service_, "action")), remotes = RemotesOf(calls);
    std::string scratch;
    row_.Clear();
    row_.severity = severity_ >= kHigh ? "high" : severity_ >= kMedium ? "medium" : "low";
    row_.key = id && IsScalar(*id) && Counts(*id) ? Word(*id, &scratch) : place;
    AddEntities(remotes);
    row_.AddText("type", kind_);
    AppendName("severity", &row_.attrs);
    row_.attrs += Decimal(severity_);
    row_.AddAttr("count", PascalMember(service_, "count"));
    row_.AddAttr("role", PascalMember(service_, "resourceRole"));
    const auto remote = std::find_if(remotes.begin(), remotes.end(), Counts);
    if (remote != remotes.end()) row_.AddAttr("remote", &*remote);
    row_.AddAttr("account", PascalMember(document_, "accountId"));
    for (const char* name : {"region", "title"}) row_.AddAttr(name, PascalMember(document_, name));
    row_.AddAttr("domain", FirstAt(calls, "domain"));
    row_.AddAttr("direction", FirstAt(calls, "connectionDirection"));
    row_.AddAttr("port", FirstAt(calls, "localPortDetails.port"));
    row_.AddAttr("userName", PascalAt(document_, "resource.accessKeyDetails.userName"));
    take(row_, true);
  }

 private:
  void AddEntities(const std::vector<Element>& remotes) {
    const Value instance = PascalAt(document_, "resource.instanceDetails");
    const std::vector<Element> cards =
        instance ? ItemsIn(PascalMember(*instance, "networkInterfaces")) : std::vector<Element>();
    if (instance) row_.AddEntity(PascalMember(*instance, "instanceId"));
    for (const char* name : {"networkInterfaceId", "privateIpAddress", "publicIp"}) {
      for (const Element& card : cards) row_.AddEntity(PascalMember(card, name));
    }
    for (const Element& card : cards) {
      for (const Element& address : ListIn(PascalMember(card, "ipv6Addresses"))) row_.AddEntity(&address);
    }
    for (const Element& remote : remotes) row_.AddEntity(&remote);
    for (const char* name : {"accessKeyId", "userName"})
      row_.AddEntity(PascalAt(document_, absl::StrCat("resource.accessKeyDetails.", name)));
    row_.AddEntity(PascalMember(document_, "accountId"));
  }

  Element document_, service_;
  std::string version_text_;
  double severity_ = 0;
};

bool IsAlphanumeric(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

// Whether an ARN's last part is the id of an instance, interface or security group, an access key or an account.
bool IsKnown(std::string_view id) {
  constexpr size_t kAccount = 12, kLeastKey = 16, kMostKey = 128;
  const auto all = [](std::string_view text, bool (*fits)(char)) {
    return std::all_of(text.begin(), text.end(), fits);
  };
  for (const std::string_view prefix : {"i-", "eni-", "sg-"}) {
    if (!id.starts_with(prefix)) continue;
    const std::string_view rest = id.substr(prefix.size());
    return !rest.empty() && IsAlphanumeric(rest[0]) && all(rest, [](char c) { return c == '-' || IsAlphanumeric(c); });
  }
  if (id.size() == kAccount && all(id, [](char c) { return c >= '0' && c <= '9'; })) return true;
  return id.size() >= kLeastKey && id.size() <= kMostKey && id[0] == 'A' &&
         all(id.substr(1, 3), [](char c) { return c >= 'A' && c <= 'Z'; }) &&
         all(id, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

// Whether a name is an ARN of IAM or STS.
bool IsPrincipal(std::string_view name) {
  constexpr std::string_view kArn = "arn:";
  if (!name.starts_with(kArn)) return false;
  const std::string_view rest = name.substr(kArn.size());
  const size_t end = rest.find(':');
  return end != rest.npos && end > 0 &&
         (rest.substr(end).starts_with(":iam:") || rest.substr(end).starts_with(":sts:"));
}

class SecurityHub final : public EventMaker {
 public:
  bool Begin(const Element& document) override {
    const Value arn = Member(document, "ProductArn"), id = Member(document, "Id");
    if (!arn || !arn->is_string() || !id || !id->is_string() || IsOwnFinding(document)) return false;
    fields_ = Member(document, "ProductFields");
    const Value updated = Member(document, "UpdatedAt");
    std::optional<int64_t> first =
        TimeIn(Either(Member(document, "FirstObservedAt"), Field("aws/guardduty/service/eventFirstSeen")));
    if (!first || *first == 0) first = TimeIn(Member(document, "CreatedAt"));
    if (!first) return false;
    const std::optional<int64_t> last = TimeIn(Either(Member(document, "LastObservedAt"), updated));
    time_ = *first;
    end_ = std::max(last && *last != 0 ? *last : time_, time_);
    version_ = VersionOf(updated, &version_text_);
    document_ = document;
    key_ = Text(id);
    NameIt(Text(arn));
    return true;
  }

  void Rows(std::string_view /*place*/, Take take) override {
    const std::vector<Element> remotes = Remotes();
    const Value label = At(document_, "Severity.Label"), state = Member(document_, "RecordState");
    const std::string compliance(Text(At(document_, "Compliance.Status")));
    row_.Clear();
    row_.key = key_;
    row_.severity = compliance == "PASSED" || Text(state) == "ARCHIVED" ? "" : SeverityOf(Text(label));
    for (const Element& resource : ItemsIn(Member(document_, "Resources"))) AddResource(resource);
    for (const Element& remote : remotes) row_.AddEntity(&remote);
    row_.AddEntity(Member(document_, "AwsAccountId"));
    row_.AddText("type", type_);
    row_.AddAttr("severity", label);
    row_.AddAttr("title", Member(document_, "Title"));
    row_.AddText("product", product_);
    if (!remotes.empty()) row_.AddAttr("remote", &remotes[0]);
    row_.AddAttr("account", Member(document_, "AwsAccountId"));
    row_.AddAttr("region", Member(document_, "Region"));
    row_.AddAttr("generator", Member(document_, "GeneratorId"));
    row_.AddAttr("state", state);
    row_.AddText("compliance", compliance);
    row_.AddAttr("role", Field("aws/guardduty/service/resourceRole"));
    take(row_, true);
  }

 private:
  Value Field(std::string_view name) const { return fields_ ? Member(*fields_, name) : std::nullopt; }

  // Sets what the finding is: of GuardDuty as that names it.
  void NameIt(std::string_view arn) {
    constexpr std::string_view kGuardDuty = "guardduty";
    const Value types = Member(document_, "Types"), product = Member(document_, "ProductName");
    std::string scratch;
    type_ = {};
    for (const Element& type : ListIn(types)) {
      if (!type_.empty()) break;
      type_ = Text(&type);
    }
    product_ = product && IsScalar(*product) && Counts(*product) ? Word(*product, &scratch) : Behind(arn, '/');
    const bool is_guardduty = Lower(product_) == kGuardDuty;
    source_ = is_guardduty ? kGuardDuty : "securityhub";
    name_ = type_.empty() ? product_ : std::string(type_);
    if (name_.empty()) name_ = "finding";
    if (is_guardduty) {
      key_ = Behind(key_, '/');
      if (std::count(name_.begin(), name_.end(), '/') > 1) {
        name_ = std::string(Behind(name_, '/'));
        if (const size_t dash = name_.find('-'); dash != name_.npos) name_[dash] = '/';
      }
    }
    kind_ = name_;
  }

  static std::string_view SeverityOf(std::string_view label) {
    const std::string level = Upper(label);
    return level == "CRITICAL" || level == "HIGH" ? "high" : level == "MEDIUM" ? "medium" : level == "LOW" ? "low" : "";
  }

  // The addresses at the other ends.
  std::vector<Element> Remotes() const {
    std::vector<Element> found = RemotesOf(CallsIn(Member(document_, "Action")));
    std::map<std::string_view, Element> named;
    if (dom::object object; fields_ && fields_->get(object) == simdjson::SUCCESS) {
      for (const auto& [key, value] : object) {
        if (key.ends_with("/ipAddressV4")) named.insert_or_assign(key, value);
      }
    }
    for (const auto& [key, value] : named) found.push_back(value);
    for (const char* path : {"SourceIpV4", "SourceIpV6", "DestinationIpV4", "DestinationIpV6"}) {
      if (const Value value = At(document_, absl::StrCat("Network.", path))) found.push_back(*value);
    }
    std::erase_if(found, [](const Element& one) { return !IsAddress(Text(&one)); });
    return found;
  }

  // Adds what a resource is, and its interfaces and addresses.
  void AddResource(const Element& resource) {
    const Value id = Member(resource, "Id");
    const std::string_view name = Text(id), last = Behind(Behind(name, '/'), ':');
    if (IsKnown(last)) {
      row_.AddEntity(last);
    } else if (IsPrincipal(name)) {
      row_.AddEntity(name);
    }
    dom::object details;
    if (const Value held = Member(resource, "Details"); !held || held->get(details) != simdjson::SUCCESS) return;
    for (const auto& [key, detail] : details) {
      if (!detail.is_object()) continue;
      row_.AddEntity(Member(detail, "NetworkInterfaceId"));
      for (const char* list : {"IpV4Addresses", "IpV6Addresses"}) {
        for (const Element& address : ListIn(Member(detail, list))) row_.AddEntity(&address);
      }
      for (const Element& card : ItemsIn(Member(detail, "NetworkInterfaces")))
        row_.AddEntity(Member(card, "NetworkInterfaceId"));
      for (const Element& address : ItemsIn(Member(detail, "PrivateIpAddresses")))
        row_.AddEntity(Member(address, "PrivateIpAddress"));
      row_.AddEntity(Member(detail, "UserName"));
    }
  }

  Element document_;
  Value fields_;
  std::string_view type_, key_;
  std::string product_, name_, version_text_;
};

}  // namespace

bool IsOwnFinding(const Element& finding) {
  // arn:PARTITION:securityhub:REGION:ACCOUNT:product/ACCOUNT/default
  constexpr size_t kAccount = 12;
  const std::string_view arn = Text(Member(finding, "ProductArn"));
  if (!Text(Member(finding, "GeneratorId")).starts_with("vpcflow/")) return false;
  std::array<std::string_view, 6> parts;
  std::string_view rest = arn;
  for (size_t i = 0; i < parts.size(); ++i) {
    const size_t end = i + 1 < parts.size() ? rest.find(':') : rest.size();
    if (end == rest.npos) return false;
    parts[i] = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const std::string_view account = parts[4];
  return parts[0] == "arn" && parts[2] == "securityhub" && account.size() == kAccount &&
         account.find_first_not_of("0123456789") == account.npos &&
         parts[5] == absl::StrCat("product/", std::string(account), "/default");
}

std::unique_ptr<EventMaker> MakeGuardDuty() { return std::make_unique<GuardDuty>(); }
std::unique_ptr<EventMaker> MakeSecurityHub() { return std::make_unique<SecurityHub>(); }

}  // namespace internal
VPCFLOW_NAMESPACE_END
