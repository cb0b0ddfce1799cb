#include <algorithm>
#include <charconv>
#include <cstring>

#include "src/synth/world.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

constexpr size_t kMaxValue = 40;  // of what is not a text of the interface: an address, a number, a word

char* Number(int64_t value, char* out) { return std::to_chars(out, out + kMaxValue, value).ptr; }

char* Copy(std::string_view text, char* out) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
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
    size_t longest = kMaxValue;
    for (const std::string& text : texts) longest = std::max(longest, text.size());
    max_line_ += longest + 1;
    pieces_.push_back({field, texts.empty() ? nullptr : &texts, always});
    version = std::max(version, Info(field).version);
  }
  version_ = std::to_string(version);
}

char* Renderer::Write(const SynthRecord& r, char* out) const {
  const bool ok = r.status == 0;
  const auto address = [&](uint32_t a) { out = Copy(r.six ? world_.v6[a] : world_.v4[a], out); };
  const auto text = [&](std::string_view t) { out = Copy(t, out); };
  const auto number = [&](int64_t n) { out = Number(n, out); };
  const auto of = [&](Field field, uint32_t interface) {
    text(interface == SynthRecord::kNone ? "-" : std::string_view(world_.texts[static_cast<size_t>(field)][interface]));
  };
  const auto source = r.src < world_.first_peer ? r.src : SynthRecord::kNone;
  const auto target = r.dst < world_.first_peer ? r.dst : SynthRecord::kNone;
  for (const Piece& piece : pieces_) {
    if (&piece != pieces_.data()) *out++ = ' ';
    if (!ok && !piece.always) {
      *out++ = '-';
      continue;
    }
    if (piece.texts != nullptr) {
      text((*piece.texts)[r.interface]);
      continue;
    }
    switch (piece.field) {
      case Field::kVersion: text(version_); break;
      case Field::kSrcAddr: address(r.src); break;
      case Field::kDstAddr: address(r.dst); break;
      case Field::kPktSrcAddr: address(r.pkt_src); break;
      case Field::kPktDstAddr: address(r.pkt_dst); break;
      case Field::kSrcPort: number(r.srcport); break;
      case Field::kDstPort: number(r.dstport); break;
      case Field::kProtocol: number(r.protocol); break;
      case Field::kPackets: number(r.packets); break;
      case Field::kBytes: number(r.bytes); break;
      case Field::kStart: number(r.start); break;
      case Field::kEnd: number(r.end); break;
      case Field::kAction: text(r.rejected ? "REJECT" : "ACCEPT"); break;
      case Field::kLogStatus: text(ok ? "OK" : r.status == 1 ? "NODATA" : "SKIPDATA"); break;
      case Field::kTcpFlags: number(r.flags); break;
      case Field::kType: text(r.six ? "IPv6" : "IPv4"); break;
      case Field::kFlowDirection: text(r.egress ? "egress" : "ingress"); break;
      case Field::kTrafficPath:
        if (r.path == 0) {
          *out++ = '-';
        } else {
          number(r.path);
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
      case Field::kPacketsLostNoRoute: number(r.rejected ? r.packets : 0); break;
      case Field::kPacketsLostBlackhole:
      case Field::kPacketsLostMtuExceeded:
      case Field::kPacketsLostTtlExpired: *out++ = '0'; break;
      default: *out++ = '-';
    }
  }
  *out++ = '\n';
  return out;
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
