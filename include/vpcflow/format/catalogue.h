// The field catalogue: every field AWS documents for VPC flow logs (versions 2 to 5 and 7 to 11) and transit gateway
// flow logs (version 6), once. Record getters, Python columns, Arrow schemas, the documentation table and
// `vpcflow fields` are generated from the list below; a new field is one line here.
//
// Example:
//   #define ADD_NAME(id, getter, name, version, logs, type, unit, always, meaning) names.push_back(name);
//   std::vector<std::string_view> names;
//   VPCFLOW_FIELDS(ADD_NAME)                                     // field.h has them as the array kFields, too
//
// Sources: Amazon VPC User Guide, "Flow log records"; Transit Gateways guide, "Transit Gateway Flow Logs records";
// Athena guide (Parquet types). Newest record version known: 11 (June 2026).
#ifndef VPCFLOW_FORMAT_CATALOGUE_H_
#define VPCFLOW_FORMAT_CATALOGUE_H_

#include "vpcflow/format/field_type.h"

// clang-format off: one line a field
// X(Id, getter, "name", version, delivered in (Vpc, Tgw or Both), type (see field_type.h), "unit", always set,
// "meaning") "Always set" is what AWS promises; the parser takes `-` as null in every field. The first 14 rows are, in
// this order, AWS's default format.
#define VPCFLOW_FIELDS(X)                                                                                             \
  X(Version, version, "version", 2, Both, Int32, "", true, "Highest version among the fields of the format")          \
  X(AccountId, account_id, "account-id", 2, Both, Text, "", true,                                                     \
    "Owner of the interface or transit gateway; 12 digits or `unknown`")                                              \
  X(InterfaceId, interface_id, "interface-id", 2, Vpc, Text, "", true, "Network interface that recorded the traffic") \
  X(SrcAddr, srcaddr, "srcaddr", 2, Both, Address, "", false,                                                         \
    "Source address; of egress traffic the interface's primary private address")                                      \
  X(DstAddr, dstaddr, "dstaddr", 2, Both, Address, "", false,                                                         \
    "Destination address; of ingress traffic the interface's primary private address")                                \
  X(SrcPort, srcport, "srcport", 2, Both, UInt16, "port", false, "Source port; 0 for protocols without ports")        \
  X(DstPort, dstport, "dstport", 2, Both, UInt16, "port", false, "Destination port; 0 for protocols without ports")   \
  X(Protocol, protocol, "protocol", 2, Both, UInt8, "", false, "IANA protocol number (6 TCP, 17 UDP, 1 ICMP)")        \
  X(Packets, packets, "packets", 2, Both, Int64, "packets", false, "Packets in the aggregation window")               \
  X(Bytes, bytes, "bytes", 2, Both, Int64, "bytes", false, "Bytes in the aggregation window")                         \
  X(Start, start, "start", 2, Both, Time, "Unix s", true, "First packet of the window")                               \
  X(End, end, "end", 2, Both, Time, "Unix s", true, "Last packet of the window")                                      \
  X(Action, action, "action", 2, Vpc, Action, "", false, "ACCEPT, or REJECT by security group, network ACL or BPA")   \
  X(LogStatus, log_status, "log-status", 2, Both, LogStatus, "", true,                                                \
    "OK, NODATA (no traffic) or SKIPDATA (records lost)")                                                             \
  X(VpcId, vpc_id, "vpc-id", 3, Vpc, Text, "", false, "VPC of the interface")                                         \
  X(SubnetId, subnet_id, "subnet-id", 3, Vpc, Text, "", false, "Subnet of the interface")                             \
  X(InstanceId, instance_id, "instance-id", 3, Vpc, Text, "", false, "Attached instance, if it is yours")             \
  X(TcpFlags, tcp_flags, "tcp-flags", 3, Both, Int32, "bitmask", false,                                               \
    "FIN 1, SYN 2, RST 4, SYN-ACK 18, OR-ed over the window")                                                         \
  X(Type, type, "type", 3, Both, Text, "", false, "IPv4, IPv6 or EFA")                                                \
  X(PktSrcAddr, pkt_srcaddr, "pkt-srcaddr", 3, Vpc, Address, "", false,                                               \
    "Packet's own source address (behind NAT, pods, secondary addresses)")                                            \
  X(PktDstAddr, pkt_dstaddr, "pkt-dstaddr", 3, Vpc, Address, "", false, "Packet's own destination address")           \
  X(Region, region, "region", 4, Both, Text, "", false, "Region of the interface")                                    \
  X(AzId, az_id, "az-id", 4, Vpc, Text, "", false, "Availability zone id; null in sublocations")                      \
  X(SublocationType, sublocation_type, "sublocation-type", 4, Vpc, Text, "", false,                                   \
    "wavelength, outpost or localzone")                                                                               \
  X(SublocationId, sublocation_id, "sublocation-id", 4, Vpc, Text, "", false, "Id of the sublocation")                \
  X(PktSrcAwsService, pkt_src_aws_service, "pkt-src-aws-service", 5, Both, Text, "", false,                           \
    "AWS address range of the packet's source (S3, EC2, ...)")                                                        \
  X(PktDstAwsService, pkt_dst_aws_service, "pkt-dst-aws-service", 5, Both, Text, "", false,                           \
    "AWS address range of the packet's destination")                                                                  \
  X(FlowDirection, flow_direction, "flow-direction", 5, Both, Text, "", false,                                        \
    "ingress or egress, seen from the interface")                                                                     \
  X(TrafficPath, traffic_path, "traffic-path", 5, Vpc, Int32, "", false,                                              \
    "Way that egress traffic takes, 1 to 8; null for ingress")                                                        \
  X(ResourceType, resource_type, "resource-type", 6, Tgw, Text, "", true, "TransitGateway")                           \
  X(TgwId, tgw_id, "tgw-id", 6, Tgw, Text, "", false, "Transit gateway")                                              \
  X(TgwAttachmentId, tgw_attachment_id, "tgw-attachment-id", 6, Tgw, Text, "", false,                                 \
    "Attachment that recorded the traffic")                                                                           \
  X(TgwSrcVpcAccountId, tgw_src_vpc_account_id, "tgw-src-vpc-account-id", 6, Tgw, Text, "", false,                    \
    "Account of the source VPC")                                                                                      \
  X(TgwDstVpcAccountId, tgw_dst_vpc_account_id, "tgw-dst-vpc-account-id", 6, Tgw, Text, "", false,                    \
    "Account of the destination VPC")                                                                                 \
  X(TgwSrcVpcId, tgw_src_vpc_id, "tgw-src-vpc-id", 6, Tgw, Text, "", false, "Source VPC")                             \
  X(TgwDstVpcId, tgw_dst_vpc_id, "tgw-dst-vpc-id", 6, Tgw, Text, "", false, "Destination VPC")                        \
  X(TgwSrcSubnetId, tgw_src_subnet_id, "tgw-src-subnet-id", 6, Tgw, Text, "", false, "Source subnet")                 \
  X(TgwDstSubnetId, tgw_dst_subnet_id, "tgw-dst-subnet-id", 6, Tgw, Text, "", false, "Destination subnet")            \
  X(TgwSrcEni, tgw_src_eni, "tgw-src-eni", 6, Tgw, Text, "", false, "Source attachment's interface")                  \
  X(TgwDstEni, tgw_dst_eni, "tgw-dst-eni", 6, Tgw, Text, "", false, "Destination attachment's interface")             \
  X(TgwSrcAzId, tgw_src_az_id, "tgw-src-az-id", 6, Tgw, Text, "", false, "Source availability zone id")               \
  X(TgwDstAzId, tgw_dst_az_id, "tgw-dst-az-id", 6, Tgw, Text, "", false, "Destination availability zone id")          \
  X(TgwPairAttachmentId, tgw_pair_attachment_id, "tgw-pair-attachment-id", 6, Tgw, Text, "", false,                   \
    "Attachment at the other end")                                                                                    \
  X(PacketsLostNoRoute, packets_lost_no_route, "packets-lost-no-route", 6, Tgw, Int64, "packets", false,              \
    "Packets lost for want of a route")                                                                               \
  X(PacketsLostBlackhole, packets_lost_blackhole, "packets-lost-blackhole", 6, Tgw, Int64, "packets", false,          \
    "Packets lost in a black hole route")                                                                             \
  X(PacketsLostMtuExceeded, packets_lost_mtu_exceeded, "packets-lost-mtu-exceeded", 6, Tgw, Int64, "packets", false,  \
    "Packets lost for exceeding the MTU")                                                                             \
  X(PacketsLostTtlExpired, packets_lost_ttl_expired, "packets-lost-ttl-expired", 6, Tgw, Int64, "packets", false,     \
    "Packets lost for an expired TTL")                                                                                \
  X(EcsClusterArn, ecs_cluster_arn, "ecs-cluster-arn", 7, Vpc, Text, "", false, "ECS cluster ARN of the task")        \
  X(EcsClusterName, ecs_cluster_name, "ecs-cluster-name", 7, Vpc, Text, "", false, "ECS cluster name of the task")    \
  X(EcsContainerInstanceArn, ecs_container_instance_arn, "ecs-container-instance-arn", 7, Vpc, Text, "", false,       \
    "ECS container instance ARN (EC2 launch type)")                                                                   \
  X(EcsContainerInstanceId, ecs_container_instance_id, "ecs-container-instance-id", 7, Vpc, Text, "", false,          \
    "ECS container instance id (EC2 launch type)")                                                                    \
  X(EcsContainerId, ecs_container_id, "ecs-container-id", 7, Vpc, Text, "", false,                                    \
    "Docker runtime id of the first container")                                                                       \
  X(EcsSecondContainerId, ecs_second_container_id, "ecs-second-container-id", 7, Vpc, Text, "", false,                \
    "Docker runtime id of the second container")                                                                      \
  X(EcsServiceName, ecs_service_name, "ecs-service-name", 7, Vpc, Text, "", false,                                    \
    "ECS service that started the task")                                                                              \
  X(EcsTaskDefinitionArn, ecs_task_definition_arn, "ecs-task-definition-arn", 7, Vpc, Text, "", false,                \
    "ECS task definition ARN")                                                                                        \
  X(EcsTaskArn, ecs_task_arn, "ecs-task-arn", 7, Vpc, Text, "", false, "ECS task ARN")                                \
  X(EcsTaskId, ecs_task_id, "ecs-task-id", 7, Vpc, Text, "", false, "ECS task id")                                    \
  X(RejectReason, reject_reason, "reject-reason", 8, Vpc, Text, "", false,                                            \
    "Why the traffic was rejected, where AWS says so (BPA)")                                                          \
  X(ResourceId, resource_id, "resource-id", 9, Vpc, Text, "", false,                                                  \
    "Resource behind the record, such as a regional NAT gateway")                                                     \
  X(EncryptionStatus, encryption_status, "encryption-status", 10, Vpc, Int32, "", false,                              \
    "0 none, 1 Nitro, 2 application, 3 both")                                                                         \
  X(InstanceTag, instance_tag, "instance-tag", 11, Vpc, Text, "", false,                                              \
    "Value of the first chosen instance tag, percent-encoded")                                                        \
  X(InstanceTag2, instance_tag_2, "instance-tag-2", 11, Vpc, Text, "", false,                                         \
    "Value of the second chosen instance tag, percent-encoded")                                                       \
  X(InterfaceTag, interface_tag, "interface-tag", 11, Vpc, Text, "", false,                                           \
    "Value of the first chosen interface tag, percent-encoded")                                                       \
  X(InterfaceTag2, interface_tag_2, "interface-tag-2", 11, Vpc, Text, "", false,                                      \
    "Value of the second chosen interface tag, percent-encoded")                                                      \
  X(AsgTag, asg_tag, "asg-tag", 11, Vpc, Text, "", false,                                                             \
    "Value of the first chosen Auto Scaling group tag, percent-encoded")                                              \
  X(AsgTag2, asg_tag_2, "asg-tag-2", 11, Vpc, Text, "", false,                                                        \
    "Value of the second chosen Auto Scaling group tag, percent-encoded")                                             \
  X(InterfaceType, interface_type, "interface-type", 11, Vpc, Text, "", false,                                        \
    "Type of the recording interface (nat_gateway, ...)")                                                             \
  X(NextHopInterfaceId, next_hop_interface_id, "next-hop-interface-id", 11, Vpc, Text, "", false,                     \
    "Interface that receives egress or sends ingress traffic")                                                        \
  X(NextHopSubnetId, next_hop_subnet_id, "next-hop-subnet-id", 11, Vpc, Text, "", false, "Subnet of the next hop")    \
  X(NextHopAzId, next_hop_az_id, "next-hop-az-id", 11, Vpc, Text, "", false, "Availability zone id of the next hop")  \
  X(NextHopVpcId, next_hop_vpc_id, "next-hop-vpc-id", 11, Vpc, Text, "", false, "VPC of the next hop")                \
  X(NextHopInterfaceType, next_hop_interface_type, "next-hop-interface-type", 11, Vpc, Text, "", false,               \
    "Type of the next hop's interface")

// AWS's default transit gateway format, in its order.
#define VPCFLOW_TGW_DEFAULT                                                                                           \
  "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id "          \
  "tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id "          \
  "tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status " \
  "type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags "   \
  "region flow-direction pkt-src-aws-service pkt-dst-aws-service"
// clang-format on

#endif  // VPCFLOW_FORMAT_CATALOGUE_H_
