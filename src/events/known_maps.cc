// The maps of sources that are known.
#include "vpcflow/events/event_map.h"

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
  map.key = "eventID";
  map.attrs = {
      {.name = "principal", .paths = {"userIdentity.arn", "userIdentity.principalId", "userIdentity.invokedBy"}},
      {.name = "userType", .paths = {"userIdentity.type"}},
      {.name = "accessKeyId", .paths = {"userIdentity.accessKeyId"}},
      {.name = "address", .paths = {"sourceIPAddress"}},
      {.name = "account", .paths = {"recipientAccountId", "userIdentity.accountId"}},
      {.name = "region", .paths = {"awsRegion"}},
      {.name = "eventSource", .paths = {"eventSource"}},
      {.name = "errorCode", .paths = {"errorCode"}},
      {.name = "userAgent", .paths = {"userAgent"}},
      {.name = "mfa", .paths = {"additionalEventData.MFAUsed"}},
      {.name = "outcome", .paths = {answered + ".ConsoleLogin"}},
      {.name = "readOnly", .paths = {"readOnly"}},
  };
  map.attrs_of = asked;
  map.ids_in = {asked, answered};
  map.entities = {"principal", "accessKeyId", "account"};
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

}  // namespace

const EventMap* FindEventMap(std::string_view source) {
  static const EventMap* const kCloudTrail = new EventMap(CloudTrail());
  return source == kCloudTrail->source ? kCloudTrail : nullptr;
}

VPCFLOW_NAMESPACE_END
