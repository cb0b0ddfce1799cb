// The matcher of rules: security groups, network ACLs, routes.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "convert.h"
#include "vpcflow/reach/routes.h"
#include "vpcflow/reach/rules.h"

namespace vpcflow_python {
namespace {

using vpcflow::Match;
using vpcflow::Packet;

std::vector<vpcflow::Cidr> Prefixes(const std::vector<std::string>& texts) {
  std::vector<vpcflow::Cidr> out;
  for (const std::string& text : texts) {
    if (!vpcflow::ParseCidr(text, &out.emplace_back()))
      Raise("PlanError", "rules: '" + vpcflow::ValidUtf8(text) + "' is no prefix");
  }
  return out;
}

vpcflow::Ip Address(const std::string& text) {
  vpcflow::Ip out;
  if (!vpcflow::ParseIp(text, &out)) Raise("PlanError", "rules: '" + vpcflow::ValidUtf8(text) + "' is no address");
  return out;
}

Match MatchOf(std::optional<uint8_t> protocol, uint16_t first_port, uint16_t last_port,
              std::optional<uint8_t> icmp_type, std::optional<uint8_t> icmp_code, const std::vector<std::string>& peers,
              bool peers_unknown) {
  return {protocol, first_port, last_port, icmp_type, icmp_code, Prefixes(peers), peers_unknown};
}

Packet PacketOf(const std::string& peer, uint8_t protocol, uint16_t port, std::optional<uint8_t> icmp_type,
                std::optional<uint8_t> icmp_code) {
  return {Address(peer), protocol, port, icmp_type, icmp_code};
}

// The parts of a rule that keep a packet from matching, by name.
std::vector<std::string> Missed(const Match& match, const Packet& packet) {
  const vpcflow::Missed missed = vpcflow::MissedBy(match, packet);
  std::vector<std::string> out;
  if (missed.protocol) out.emplace_back("protocol");
  if (missed.port) out.emplace_back("port");
  if (missed.icmp) out.emplace_back("icmp");
  if (missed.peer) out.emplace_back("peer");
  return out;
}

const char* Name(vpcflow::Permit permit) {
  return permit == vpcflow::Permit::kAllow ? "allow" : permit == vpcflow::Permit::kDeny ? "deny" : "maybe";
}

// Rules of one direction, and whether that is egress.
using Asked = std::pair<const vpcflow::SecurityRules*, bool>;
// What rules answer: the number of the asked, the permit, and the numbers of their rules that allow it and that may.
using Told = std::tuple<int64_t, std::string, std::vector<uint32_t>, std::vector<uint32_t>>;

// Asks about the rows of Aggregation::Starts, of each the rules `which`, -1 for none. Returns the distinct answers, and
// by row the number of its own, -1 for a row that was not asked about or has no protocol.
std::pair<std::vector<Told>, std::vector<int64_t>> JudgeStarts(const vpcflow::Table& starts,
                                                               const std::vector<Asked>& rules,
                                                               const std::vector<int64_t>& which) {
  const auto column = [&](const char* name) -> const vpcflow::TableColumn& {
    const std::optional<size_t> at = starts.Find(name);
    if (!at) Raise("PlanError", std::string("judge_starts: no column ") + name);
    return starts.columns[*at];
  };
  const vpcflow::TableColumn &client = column("client"), &server = column("server"), &port = column("server_port"),
                             &protocol = column("protocol");
  if (which.size() != starts.rows) Raise("PlanError", "judge_starts: a number for each row is needed");
  std::map<Told, int64_t> numbers;
  std::vector<int64_t> by_row(starts.rows, -1);
  vpcflow::SecurityRules::Answer answer;
  for (size_t row = 0; row < starts.rows; ++row) {
    const int64_t asked = which[row];
    if (asked < 0 || static_cast<size_t>(asked) >= rules.size() || protocol.i32[row] < 0) continue;
    const auto& [own, egress] = rules[static_cast<size_t>(asked)];
    const vpcflow::TableColumn& peer = egress ? server : client;
    own->Ask({.peer = peer.addresses[static_cast<size_t>(peer.i32[row])],
              .protocol = static_cast<uint8_t>(protocol.i32[row]),
              .port = static_cast<uint16_t>(std::max(port.i32[row], 0))},
             &answer);
    by_row[row] =
        numbers
            .try_emplace({asked, Name(answer.permit), answer.allow, answer.maybe}, static_cast<int64_t>(numbers.size()))
            .first->second;
  }
  std::vector<Told> answers(numbers.size());
  for (const auto& [told, number] : numbers) answers[static_cast<size_t>(number)] = told;
  return {std::move(answers), std::move(by_row)};
}

}  // namespace

void BindReach(py::module_& m) {
  using vpcflow::NetworkAcl;
  using vpcflow::RouteTable;
  using vpcflow::SecurityRules;
  py::class_<Match>(m, "Match")
      .def(py::init(&MatchOf), py::arg("protocol"), py::arg("first_port"), py::arg("last_port"), py::arg("icmp_type"),
           py::arg("icmp_code"), py::arg("peers"), py::arg("peers_unknown"))
      .def("missed", &Missed, py::arg("packet"));
  py::class_<Packet>(m, "Packet")
      .def(py::init(&PacketOf), py::arg("peer"), py::arg("protocol"), py::arg("port") = 0,
           py::arg("icmp_type") = py::none(), py::arg("icmp_code") = py::none());
  py::class_<SecurityRules>(m, "SecurityRules")
      .def(py::init([](const std::vector<Match>& matches) {
             std::vector<vpcflow::SecurityRule> rules;
             for (const Match& match : matches) rules.push_back({{}, match});
             return SecurityRules(std::move(rules));
           }),
           py::arg("rules"))
      .def(
          "ask",
          [](const SecurityRules& self, const Packet& packet) {
            SecurityRules::Answer answer;
            self.Ask(packet, &answer);
            return std::make_tuple(Name(answer.permit), std::move(answer.allow), std::move(answer.maybe));
          },
          py::arg("packet"));
  m.def("judge_starts", &JudgeStarts, py::arg("starts"), py::arg("rules"), py::arg("which"));
  py::class_<NetworkAcl>(m, "NetworkAcl")
      .def(py::init([](const std::vector<std::tuple<uint32_t, bool, Match>>& given) {
             std::vector<vpcflow::AclEntry> entries;
             for (const auto& [number, allow, match] : given) entries.push_back({{}, number, allow, match});
             return NetworkAcl(std::move(entries));
           }),
           py::arg("entries"))
      .def(
          "ask",
          [](const NetworkAcl& self, const Packet& packet) {
            NetworkAcl::Answer answer;
            self.Ask(packet, &answer);
            std::vector<uint32_t> numbers;
            for (const uint32_t at : answer.entries) numbers.push_back(self.entries()[at].number);
            return std::make_tuple(Name(answer.permit), std::move(numbers), answer.decided);
          },
          py::arg("packet"));
  py::class_<RouteTable>(m, "RouteTable")
      .def(py::init([](const std::vector<std::tuple<std::vector<std::string>, bool, bool>>& given) {
             std::vector<vpcflow::Route> routes;
             for (const auto& [destinations, unknown, propagated] : given) {
               routes.push_back(
                   {.destinations = Prefixes(destinations), .destinations_unknown = unknown, .propagated = propagated});
             }
             return RouteTable(std::move(routes));
           }),
           py::arg("routes"))
      .def(
          "ask",
          [](const RouteTable& self, const std::string& address) {
            const RouteTable::Answer answer = self.Ask(Address(address));
            std::optional<size_t> at;
            if (answer.route != nullptr) at = static_cast<size_t>(answer.route - self.routes().data());
            return std::make_pair(at, answer.certain);
          },
          py::arg("address"));
}

}  // namespace vpcflow_python
