#include "src/events/known_maps.h"

#include <utility>

VPCFLOW_NAMESPACE_BEGIN
namespace {

// Rules of security groups: the answer says them best; requests have them in lists, or flat.
std::vector<EventAttr> RuleOf(std::vector<std::string> group, std::vector<std::string> cidr,
                              const std::string& protocol = "item.ipProtocol",
                              const std::string& first = "item.fromPort", const std::string& last = "item.toPort") {
  return {{.name = "groupId", .paths = std::move(group)},
          {.name = "cidr", .paths = std::move(cidr)},
          {.name = "protocol", .paths = {protocol}, .as = EventAs::kWord, .otherwise = "-1"},
          {.name = "port", .paths = {first, last, protocol}, .as = EventAs::kPorts},
          {.name = "fromPort", .paths = {first}},
          {.name = "toPort", .paths = {last}}};
}

// Who did something: a user, a role by its session, a service; and of whom sessions are.
std::vector<EventAttr> WhoOf(const std::string& who) {
  const std::string session = who + ".sessionContext", issuer = session + ".sessionIssuer";
  return {{.name = "principal", .paths = {who + ".arn", who + ".principalId", who + ".invokedBy"}},
          {.name = "userType", .paths = {who + ".type"}},
          {.name = "userName", .paths = {who + ".userName"}},
          {.name = "accessKeyId", .paths = {who + ".accessKeyId"}},
          {.name = "issuer", .paths = {issuer + ".arn"}},
          {.name = "issuerName", .paths = {issuer + ".userName"}},
          {.name = "sourceIdentity", .paths = {session + ".sourceIdentity"}},
          {.name = "sessionMfa", .paths = {session + ".attributes.mfaAuthenticated"}},
          {.name = "onBehalfOf", .paths = {who + ".onBehalfOf.userId"}},
          {.name = "identityProvider", .paths = {who + ".identityProvider"}}};
}

EventMap CloudTrail() {
  const std::vector<std::string> rules = {"AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress",
                                          "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress"};
  const std::vector<std::string> opens = {"AuthorizeSecurityGroupIngress", "ModifySecurityGroupRules"};
  const std::string asked = "requestParameters", answered = "responseElements";
  const std::vector<std::string> group = {asked + ".groupId", asked + ".groupName"};
  // The request alone tells what a rule is changed to: one, or several in a list.
  const std::string modified = asked + ".ModifySecurityGroupRulesRequest", rule = "item.SecurityGroupRule.";
  const std::vector<EventAttr> changed =
      RuleOf({modified + ".GroupId"}, {rule + "CidrIpv4", rule + "CidrIpv6", rule + "ReferencedGroupId"},
             rule + "IpProtocol", rule + "FromPort", rule + "ToPort");
  EventMap map;
  map.source = "cloudtrail";
  map.kind = "eventName";
  map.needs = {"eventSource"};
  map.time = "eventTime";
  map.key = {"addendum.originalEventID", "eventID"};
  map.version = "addendum.reason";  // a record that is sent again says why
  map.attrs = WhoOf("userIdentity");
  const std::vector<EventAttr> more = {
      {.name = "address", .paths = {"sourceIPAddress"}},
      {.name = "account", .paths = {"recipientAccountId", "userIdentity.accountId"}},
      {.name = "region", .paths = {"awsRegion"}},
      {.name = "eventSource", .paths = {"eventSource"}},
      {.name = "errorCode", .paths = {"errorCode"}},
      {.name = "userAgent", .paths = {"userAgent"}},
      {.name = "mfa", .paths = {"additionalEventData.MFAUsed"}},
      {.name = "outcome", .paths = {answered + ".ConsoleLogin"}},
      {.name = "readOnly", .paths = {"readOnly"}},
      // Sessions that a call begins.
      {.name = "session", .paths = {answered + ".assumedRoleUser.arn", answered + ".federatedUser.arn"}},
      {.name = "sessionKey", .paths = {answered + ".credentials.accessKeyId"}},
      {.name = "roleArn", .paths = {asked + ".roleArn"}},
  };
  map.attrs.insert(map.attrs.end(), more.begin(), more.end());
  map.attrs_of = asked;
  map.ids_in = {asked, answered};
  map.entities = {"principal",      "accessKeyId", "account", "userName",   "issuer", "issuerName",
                  "sourceIdentity", "onBehalfOf",  "session", "sessionKey", "roleArn"};
  map.addresses = {"address"};
  map.parts = {
      {.kinds = rules,
       .list = answered + ".securityGroupRuleSet",
       .attrs = RuleOf({"item.groupId", group[0], group[1]},
                       {"item.cidrIpv4", "item.cidrIpv6", "item.referencedGroupInfo.groupId"}),
       .replaces = true,
       .alone = true},
      {.kinds = rules,
       .list = asked + ".ipPermissions",
       .each = {"ipRanges.cidrIp", "ipv6Ranges.cidrIpv6", "groups.groupId"},
       .attrs = RuleOf(group, {"each"}),
       .replaces = true},
      {.kinds = rules,
       .list = asked,
       .one = true,
       .needs = "cidrIp",
       .attrs = RuleOf(group, {"item.cidrIp"}),
       .replaces = true},
      {.kinds = {"ModifySecurityGroupRules"},
       .list = modified + ".SecurityGroupRule",
       .one = true,
       .needs = "SecurityGroupRule",
       .attrs = changed,
       .replaces = true},
      {.kinds = {"ModifySecurityGroupRules"},
       .list = modified + ".SecurityGroupRule",
       .needs = "SecurityGroupRule",
       .attrs = changed,
       .replaces = true},
      {.kinds = {"RunInstances"}, .list = answered + ".instancesSet", .needs = "instanceId", .own_ids = true},
  };
  for (const char* name : {"instanceId", "instanceType", "imageId", "privateIpAddress", "vpcId", "subnetId"})
    map.parts.back().attrs.push_back({.name = name, .paths = {std::string("item.") + name}, .as = EventAs::kText});
  map.severities = {
      {.where = {{"errorCode", {}}}, .level = ""},
      {.kinds = {"ConsoleLogin"}, .where = {{"mfa", {"No"}}, {"outcome", {"Success"}}}, .level = "medium"},
      {.kinds = {"DeleteFlowLogs", "StopLogging", "DeleteTrail", "DeleteDetector"}, .level = "high"},
      {.kinds = opens, .where = {{"cidr", {"0.0.0.0/0", "::/0"}}}, .level = "medium"},
      {.kinds = {opens[0], opens[1], "CreateAccessKey", "CreateUser", "AttachUserPolicy", "PutBucketPolicy",
                 "RunInstances", "CreateNetworkAclEntry", "CreateRoute"},
       .level = "low"},
  };
  return map;
}

// Insights events, of calls or errors that are more than usual, and what CloudTrail adds up of data events.
EventMap Insights() {
  EventMap map;
  map.source = "cloudtrail";
  map.kind = "eventType";
  map.needs = {"insightDetails"};
  map.time = "eventTime";
  map.key = {"eventID"};
  map.attrs = {{.name = "account", .paths = {"recipientAccountId"}},
               {.name = "region", .paths = {"awsRegion"}},
               {.name = "eventSource", .paths = {"insightDetails.eventSource"}},
               {.name = "eventName", .paths = {"insightDetails.eventName"}},
               {.name = "insight", .paths = {"insightDetails.insightType"}},
               {.name = "state", .paths = {"insightDetails.state"}},
               {.name = "errorCode", .paths = {"insightDetails.errorCode"}}};
  map.entities = {"account"};
  return map;
}

EventMap Aggregated() {
  EventMap map;
  map.source = "cloudtrail";
  map.kind = "eventType";
  map.needs = {"timeWindow"};
  map.time = "timeWindow.windowStart";
  map.end = "timeWindow.windowEnd";
  map.key = {"eventId", "eventID"};
  map.attrs = {{.name = "account", .paths = {"accountId", "recipientAccountId"}},
               {.name = "region", .paths = {"awsRegion"}},
               {.name = "eventSource", .paths = {"eventSource"}},
               {.name = "dimension", .paths = {"summary.primaryDimension.dimension"}}};
  map.entities = {"account"};
  return map;
}

const std::vector<EventMap>& CloudTrailMaps() {
  static const auto* const kMaps = new std::vector<EventMap>{CloudTrail(), Insights(), Aggregated()};
  return *kMaps;
}

}  // namespace

namespace internal {

std::span<const EventMap> MapsOf(std::string_view source) {
  return source == "cloudtrail" ? std::span<const EventMap>(CloudTrailMaps()) : std::span<const EventMap>();
}

}  // namespace internal

const EventMap* FindEventMap(std::string_view source) {
  const std::span<const EventMap> maps = internal::MapsOf(source);
  return maps.empty() ? nullptr : &maps[0];
}

VPCFLOW_NAMESPACE_END
