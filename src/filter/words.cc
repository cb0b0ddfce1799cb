#include "src/filter/words.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "vpcflow/base/ip.h"
#include "vpcflow/base/time.h"
#include "vpcflow/format/format.h"
#include "vpcflow/format/iana.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

using std::string_view;

constexpr std::array<string_view, 2> kActions = {"ACCEPT", "REJECT"};
constexpr std::array<string_view, 3> kStatuses = {"OK", "NODATA", "SKIPDATA"};
constexpr std::array<string_view, 2> kDirections = {"ingress", "egress"};
constexpr std::array<string_view, 3> kTypes = {"IPv4", "IPv6", "EFA"};
constexpr std::array<string_view, 3> kSublocations = {"wavelength", "outpost", "localzone"};
constexpr std::array<string_view, 2> kResources = {"TransitGateway", "TransitGatewayAttachment"};
constexpr std::array<string_view, 2> kReasons = {"BPA", "EC"};
constexpr std::array<string_view, 5> kInterfaces = {"nat_gateway", "regional_nat_gateway", "network_load_balancer",
                                                    "transit_gateway", "vpc_endpoint"};
// Names of ip-ranges.json (2026).
constexpr string_view kServices[] = {"AMAZON",
                                     "AMAZON_APPFLOW",
                                     "AMAZON_CONNECT",
                                     "API_GATEWAY",
                                     "AURORA_DSQL",
                                     "CHIME_MEETINGS",
                                     "CHIME_VOICECONNECTOR",
                                     "CLOUD9",
                                     "CLOUDFRONT",
                                     "CLOUDFRONT_ORIGIN_FACING",
                                     "CODEBUILD",
                                     "DYNAMODB",
                                     "EBS",
                                     "EC2",
                                     "EC2_INSTANCE_CONNECT",
                                     "GLOBALACCELERATOR",
                                     "IVS_LOW_LATENCY",
                                     "IVS_REALTIME",
                                     "KINESIS_VIDEO_STREAMS",
                                     "MEDIA_PACKAGE_V2",
                                     "ROUTE53",
                                     "ROUTE53_HEALTHCHECKS",
                                     "ROUTE53_HEALTHCHECKS_PUBLISHING",
                                     "ROUTE53_RESOLVER",
                                     "S3",
                                     "WORKSPACES_GATEWAYS"};

// Words of other tools for known ones.
struct Synonym {
  Field field;
  string_view said;  // lower case
  string_view meant;
};
constexpr Synonym kSynonyms[] = {{Field::kAction, "allow", "ACCEPT"},
                                 {Field::kAction, "allowed", "ACCEPT"},
                                 {Field::kAction, "permit", "ACCEPT"},
                                 {Field::kAction, "permitted", "ACCEPT"},
                                 {Field::kAction, "pass", "ACCEPT"},
                                 {Field::kAction, "passed", "ACCEPT"},
                                 {Field::kAction, "success", "ACCEPT"},
                                 {Field::kAction, "ok", "ACCEPT"},
                                 {Field::kAction, "established", "ACCEPT"},
                                 {Field::kAction, "deny", "REJECT"},
                                 {Field::kAction, "denied", "REJECT"},
                                 {Field::kAction, "drop", "REJECT"},
                                 {Field::kAction, "dropped", "REJECT"},
                                 {Field::kAction, "block", "REJECT"},
                                 {Field::kAction, "blocked", "REJECT"},
                                 {Field::kAction, "refuse", "REJECT"},
                                 {Field::kAction, "refused", "REJECT"},
                                 {Field::kAction, "fail", "REJECT"},
                                 {Field::kAction, "failure", "REJECT"},
                                 {Field::kAction, "disallow", "REJECT"},
                                 {Field::kAction, "disallowed", "REJECT"},
                                 {Field::kLogStatus, "success", "OK"},
                                 {Field::kLogStatus, "okay", "OK"},
                                 {Field::kLogStatus, "skip", "SKIPDATA"},
                                 {Field::kLogStatus, "skipped", "SKIPDATA"},
                                 {Field::kLogStatus, "empty", "NODATA"},
                                 {Field::kFlowDirection, "in", "ingress"},
                                 {Field::kFlowDirection, "inbound", "ingress"},
                                 {Field::kFlowDirection, "incoming", "ingress"},
                                 {Field::kFlowDirection, "received", "ingress"},
                                 {Field::kFlowDirection, "out", "egress"},
                                 {Field::kFlowDirection, "outbound", "egress"},
                                 {Field::kFlowDirection, "outgoing", "egress"},
                                 {Field::kFlowDirection, "sent", "egress"},
                                 {Field::kType, "4", "IPv4"},
                                 {Field::kType, "v4", "IPv4"},
                                 {Field::kType, "ip4", "IPv4"},
                                 {Field::kType, "ip", "IPv4"},
                                 {Field::kType, "inet", "IPv4"},
                                 {Field::kType, "6", "IPv6"},
                                 {Field::kType, "v6", "IPv6"},
                                 {Field::kType, "ip6", "IPv6"},
                                 {Field::kType, "inet6", "IPv6"}};

constexpr std::pair<string_view, int> kFlags[] = {{"fin", 1},      {"syn", 2},  {"rst", 4},      {"reset", 4},
                                                  {"psh", 8},      {"ack", 16}, {"syn-ack", 18}, {"synack", 18},
                                                  {"syn_ack", 18}, {"urg", 32}};

// The second of the pair whose first is a text, whatever the case.
template <class Pairs>
std::optional<int> Number(const Pairs& pairs, string_view text) {
  const std::string folded = Folded(text.substr(0, 32));
  for (const auto& [name, number] : pairs) {
    if (name == folded) return number;
  }
  return std::nullopt;
}

// Of "us-east-1", "us-gov-west-1", "mx-central-1": words joined by hyphens, and a number at the end.
bool LooksLikeRegion(string_view text) {
  const size_t dash = text.rfind('-');
  if (dash == string_view::npos || dash + 1 == text.size()) return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const string_view words = text.substr(0, dash), number = text.substr(dash + 1);
  return std::all_of(number.begin(), number.end(), digit) && words.find('-') != string_view::npos &&
         std::none_of(words.begin(), words.end(), digit);
}

std::string DidYouMean(string_view meant) {
  return meant.empty() ? std::string() : absl::StrCat("; did you mean '", std::string(meant), "'?");
}

// The known word that was meant, or "".
std::string WordMeant(Field field, string_view value, std::span<const string_view> words) {
  std::string letters;  // of "NO DATA", "skip-data", "e-gress"
  for (const char c : Folded(value.substr(0, 64))) {
    if (c != ' ' && c != '-' && c != '_') letters += c;
  }
  for (const Synonym& synonym : kSynonyms) {
    // Others than the field's own words may be asked for, as of sessions.
    if (synonym.field == field && synonym.said == letters &&
        std::find(words.begin(), words.end(), synonym.meant) != words.end())
      return std::string(synonym.meant);
  }
  for (const string_view word : words) {
    std::string own;
    for (const char c : Folded(word)) {
      if (c != '-' && c != '_') own += c;
    }
    if (own == letters) return std::string(word);
  }
  std::string nearest = Nearest(value, words);
  if (!nearest.empty()) return nearest;
  for (const string_view word : words) {  // "nat" of "nat_gateway"
    if (letters.size() >= 3 && Folded(word).find(Folded(value.substr(0, 64))) != std::string::npos)
      return std::string(word);
  }
  return "";
}

Judgement JudgeAccount(string_view name, string_view value) {
  std::string digits;
  for (const char c : value.substr(0, 64)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  if (digits.size() == value.size() && digits.size() <= 12) return {};  // shorter ones: zeros that a number lost
  if (value == "unknown") return {};
  Judgement out;
  const bool separated = digits.size() == 12 && value.find_first_not_of("0123456789- ") == string_view::npos;
  (separated ? out.error : out.warning) =
      absl::StrCat(std::string(name), " has 12 digits or is 'unknown', and is not '", Printable(value), "'",
                   separated ? DidYouMean(digits) : std::string());
  return out;
}

}  // namespace

bool IsAccount(Field field) {
  return field == Field::kAccountId || field == Field::kTgwSrcVpcAccountId || field == Field::kTgwDstVpcAccountId;
}

std::string Folded(string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

KnownWords WordsOf(Field field) {
  switch (field) {
    case Field::kAction: return {kActions, true};
    case Field::kLogStatus: return {kStatuses, true};
    case Field::kFlowDirection: return {kDirections, true};
    case Field::kType: return {kTypes, true};
    case Field::kSublocationType: return {kSublocations};
    case Field::kResourceType: return {kResources};
    case Field::kRejectReason: return {kReasons};
    case Field::kInterfaceType:
    case Field::kNextHopInterfaceType: return {kInterfaces};
    case Field::kPktSrcAwsService:
    case Field::kPktDstAwsService: return {kServices};
    default: return {};
  }
}

std::string Listed(std::span<const string_view> words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i)
    absl::StrAppend(&out, i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", std::string(words[i]));
  return out;
}

std::string NullTests(string_view name) {
  return absl::StrCat("write '", std::string(name), " is null' or '", std::string(name), " is not null'");
}

bool SaysNull(string_view text) {
  constexpr string_view kNulls[] = {"-", "", "null", "none", "nan", "n/a", "nil"};
  return std::find(std::begin(kNulls), std::end(kNulls), Folded(text.substr(0, 8))) != std::end(kNulls);
}

Judgement JudgeText(Field field, string_view name, const KnownWords& known, string_view value) {
  const bool known_field = field != Field::kUnknown;
  if (value == "-" || (known_field && value.empty()) || (known.closed && SaysNull(value))) {
    return {absl::StrCat("'", Printable(value), "' stands for null, which equals nothing; ", NullTests(name)), ""};
  }
  if (IsAccount(field)) return JudgeAccount(name, value);
  if (field == Field::kRegion && !LooksLikeRegion(value)) {
    return {"", absl::StrCat("region = '", Printable(value),
                             "': regions are written like 'us-east-1'; for several write "
                             "region like 'us-east-%'")};
  }
  const std::string folded = Folded(value);
  for (const string_view word : known.words) {
    if (Folded(word) == folded) return {};
  }
  if (known.words.empty()) return {};
  const std::string meant = WordMeant(field, value, known.words);
  if (!known.closed)
    return {"", absl::StrCat(std::string(name), " = '", Printable(value), "': no documented value", DidYouMean(meant))};
  return {absl::StrCat(std::string(name), " is ", Listed(known.words), ", never '", Printable(value), "'",
                       DidYouMean(meant)),
          "", meant};
}

std::string NumberMeant(Field field, string_view name, string_view text) {
  if (SaysNull(text)) return absl::StrCat("; ", NullTests(name));
  if (field == Field::kSrcPort || field == Field::kDstPort) {
    if (const auto port = FindPort(text)) return absl::StrCat("; did you mean ", *port, "?");
  }
  if (field == Field::kTcpFlags) {
    if (const auto flags = Number(kFlags, text))
      return absl::StrCat("; did you mean tcp_flags & ", *flags, " = ", *flags, "?");
  }
  if (field == Field::kProtocol) {
    std::string all;
    for (const NumberName& known : kProtocols) {
      if (!known.written.empty()) absl::StrAppend(&all, all.empty() ? "" : ",", Folded(known.written));
    }
    const std::vector<std::string> split = absl::StrSplit(all, ',');
    const std::vector<string_view> names(split.begin(), split.end());
    return DidYouMean(Nearest(text, names));
  }
  if (!text.empty() && text[0] == '-') return "; numbers here are never negative";
  return "";
}

std::string PrefixMeant(string_view pattern) {
  std::string text(pattern.substr(0, 64)), plain;  // without anchors and escapes
  for (size_t at; (at = text.find("[.]")) != std::string::npos;) text.replace(at, 3, ".");
  for (const char c : text) {
    if (c != '^' && c != '\\' && c != '$') plain += c;
  }
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  size_t at = 0;
  std::string out;
  if (plain.find(':') != std::string::npos) {  // groups, each with its colon
    int groups = 0;
    for (size_t colon; (colon = plain.find(':', at)) != std::string::npos && colon > at && groups < 8;
         at = colon + 1, ++groups)
      out += plain.substr(at, colon + 1 - at);
    out += absl::StrCat(":/", 16 * groups);
    if (at < plain.size() && plain[at] == ':') ++at;
  } else {
    int octets = 0;
    while (octets < 4) {
      const size_t first = at;
      while (at < plain.size() && at - first < 3 && digit(plain[at])) ++at;
      const bool ended = at == plain.size(), dot = !ended && plain[at] == '.';
      if (at == first || (octets < 3 ? !dot : !ended)) {
        at = first;
        break;
      }
      absl::StrAppend(&out, octets == 0 ? "" : ".", plain.substr(first, at - first));
      ++octets;
      if (dot) ++at;
    }
    if (octets == 0) return "";
    for (int i = octets; i < 4; ++i) out += ".0";
    if (octets < 4) absl::StrAppend(&out, "/", 8 * octets);
  }
  // What is left stands for any rest.
  for (const string_view any : {"[0-9]", "d", "x", "X"}) {
    for (size_t found; (found = plain.find(any, at)) != std::string::npos;) plain.replace(found, any.size(), "*");
  }
  if (plain.find_first_not_of("%*_.+?{},()", at) != std::string::npos) return "";
  Cidr cidr;
  return ParseCidr(out, &cidr) ? out : "";
}

int64_t LargestOf(Field field) {
  const FieldInfo& info = Info(field);
  return info.kind == Kind::kTime ? kLatestTime : static_cast<int64_t>(info.max);
}

int64_t KnownTop(Field field) {
  switch (field) {
    case Field::kTrafficPath: return 8;
    case Field::kEncryptionStatus: return 3;
    case Field::kTcpFlags: return 255;
    default: return LargestOf(field);
  }
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
