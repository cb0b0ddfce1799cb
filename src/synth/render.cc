#include <algorithm>
#include <charconv>

#include "src/synth/world.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

void AppendNumber(int64_t value, std::string* out) {
  char digits[24];
  out->append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace

Renderer::Renderer(const World& world, const Format& format) : world_(world) {
  int version = 2;
  for (const FormatColumn& column : format.columns()) {
    const Field field = column.field;
    const std::vector<std::string>& texts = world.texts[static_cast<size_t>(field)];
    // NODATA and SKIPDATA records have what the interface alone decides, but nothing of ECS.
    const bool of_interface = !texts.empty() && !Info(field).name.starts_with("ecs-");
    const bool always = of_interface || field == Field::kVersion || field == Field::kStart || field == Field::kEnd ||
                        field == Field::kLogStatus;
    pieces_.push_back({field, texts.empty() ? nullptr : &texts, always});
    version = std::max(version, Info(field).version);
  }
  version_ = std::to_string(version);
}

void Renderer::Append(const SynthRecord& r, std::string* out) const {
  const bool ok = r.status == 0;
  const auto address = [&](uint32_t a) { out->append(r.six ? world_.v6[a] : world_.v4[a]); };
  const auto text = [&](std::string_view t) { out->append(t); };
  const auto of = [&](Field field, uint32_t interface) {
    if (interface == SynthRecord::kNone) return out->push_back('-');
    out->append(world_.texts[static_cast<size_t>(field)][interface]);
  };
  const auto source = r.src < world_.first_peer ? r.src : SynthRecord::kNone;
  const auto target = r.dst < world_.first_peer ? r.dst : SynthRecord::kNone;
  for (const Piece& piece : pieces_) {
    if (&piece != pieces_.data()) out->push_back(' ');
    if (!ok && !piece.always) {
      out->push_back('-');
      continue;
    }
    if (piece.texts != nullptr) {
      out->append((*piece.texts)[r.interface]);
      continue;
    }
    switch (piece.field) {
      case Field::kVersion: text(version_); break;
      case Field::kSrcAddr: address(r.src); break;
      case Field::kDstAddr: address(r.dst); break;
      case Field::kPktSrcAddr: address(r.pkt_src); break;
      case Field::kPktDstAddr: address(r.pkt_dst); break;
      case Field::kSrcPort: AppendNumber(r.srcport, out); break;
      case Field::kDstPort: AppendNumber(r.dstport, out); break;
      case Field::kProtocol: AppendNumber(r.protocol, out); break;
      case Field::kPackets: AppendNumber(r.packets, out); break;
      case Field::kBytes: AppendNumber(r.bytes, out); break;
      case Field::kStart: AppendNumber(r.start, out); break;
      case Field::kEnd: AppendNumber(r.end, out); break;
      case Field::kAction: text(r.rejected ? "REJECT" : "ACCEPT"); break;
      case Field::kLogStatus: text(ok ? "OK" : r.status == 1 ? "NODATA" : "SKIPDATA"); break;
      case Field::kTcpFlags: AppendNumber(r.flags, out); break;
      case Field::kType: text(r.six ? "IPv6" : "IPv4"); break;
      case Field::kFlowDirection: text(r.egress ? "egress" : "ingress"); break;
      case Field::kTrafficPath:
        if (r.path == 0) {
          out->push_back('-');
        } else {
          AppendNumber(r.path, out);
        }
        break;
      case Field::kPktSrcAwsService: text(world_.service[r.pkt_src]); break;
      case Field::kPktDstAwsService: text(world_.service[r.pkt_dst]); break;
      case Field::kRejectReason: text(r.rejected && r.bpa ? "BPA" : "-"); break;
      case Field::kNextHopInterfaceId: of(Field::kInterfaceId, r.other); break;
      case Field::kNextHopSubnetId: of(Field::kSubnetId, r.other); break;
      case Field::kNextHopAzId: of(Field::kAzId, r.other); break;
      case Field::kNextHopVpcId: of(Field::kVpcId, r.other); break;
      case Field::kNextHopInterfaceType: of(Field::kInterfaceType, r.other); break;
      case Field::kTgwSrcVpcAccountId: of(Field::kAccountId, source); break;
      case Field::kTgwDstVpcAccountId: of(Field::kAccountId, target); break;
      case Field::kTgwSrcVpcId: of(Field::kVpcId, source); break;
      case Field::kTgwDstVpcId: of(Field::kVpcId, target); break;
      case Field::kTgwSrcSubnetId: of(Field::kSubnetId, source); break;
      case Field::kTgwDstSubnetId: of(Field::kSubnetId, target); break;
      case Field::kTgwSrcEni: of(Field::kInterfaceId, source); break;
      case Field::kTgwDstEni: of(Field::kInterfaceId, target); break;
      case Field::kTgwSrcAzId: of(Field::kAzId, source); break;
      case Field::kTgwDstAzId: of(Field::kAzId, target); break;
      case Field::kTgwPairAttachmentId: of(Field::kTgwAttachmentId, r.other); break;
      case Field::kPacketsLostNoRoute: AppendNumber(r.rejected ? r.packets : 0, out); break;
      case Field::kPacketsLostBlackhole:
      case Field::kPacketsLostMtuExceeded:
      case Field::kPacketsLostTtlExpired: out->push_back('0'); break;
      default: out->push_back('-');
    }
  }
  out->push_back('\n');
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
