// Attacks on the office: kinds that are known from incidents, at intensities that hide among what hosts do all day.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/synth/office.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class OfficeAttacks : public Office {
 public:
  using Office::Office;

  // -- scans
  void ScanHostsInside() {
    int64_t seconds = 4 * 3600;
    const int64_t at = Begin(&seconds), n = std::min<int64_t>(Scaled(240), static_cast<int64_t>(hosts()) - 1);
    constexpr uint16_t kPorts[] = {22, 445, 3389, 6379, 9200};
    const uint16_t port = kPorts[random_.Below(5)];
    for (int64_t i = 0; i < n; ++i) Miss(AttackHost(0), Host(static_cast<size_t>(i)), port, at + i * seconds / n);
  }
  void ScanPortsInside() {
    int64_t seconds = 2 * 3600;
    const uint32_t victim = Host(Draw(0, 90));
    const int64_t at = Begin(&seconds);
    ScanPorts(AttackHost(1), victim, Scaled(100), at, seconds);
  }
  void ScanPortsOutside() {
    int64_t seconds = 3600;
    const uint32_t scanner = Stranger(), victim = Host(Draw(0, 90));
    const int64_t at = Begin(&seconds);
    ScanPorts(scanner, victim, Scaled(400), at, seconds);
  }
  void ScanPorts(uint32_t from, uint32_t to, int64_t n, int64_t at, int64_t seconds) {
    std::set<uint16_t> ports;
    while (static_cast<int64_t>(ports.size()) < std::min<int64_t>(n, 60'000))
      ports.insert(static_cast<uint16_t>(Draw(1, 65535)));
    for (const uint16_t port : ports) Miss(from, to, port, Within(at, seconds));
  }
  // Fifty sources share the ports of one host.
  void ScanDistributed() {
    int64_t seconds = 2 * 3600;
    const int64_t at = Begin(&seconds);
    const uint32_t victim = Host(Draw(0, 90));
    for (int i = 0; i < 50; ++i) {
      const uint32_t source = Actor(Stranger());
      for (int64_t k = 0; k < Scaled(20); ++k) {
        const int64_t time = Within(at, seconds);
        Miss(source, victim, static_cast<uint16_t>(Draw(1, 20'000)), time);
      }
    }
  }
  void Miss(uint32_t from, uint32_t to, uint16_t port, int64_t at) {
    if (from != to) Fail({from, to, port, at, random_.Chance(0.8) ? Failure::kRejected : Failure::kClosed});
  }

  // -- guesses of passwords
  void Guess(uint32_t from, uint32_t to, uint16_t port, int64_t at) {
    Log({from, to, port, at, Draw(2, 5), Bytes(1500, 0.12), Bytes(1700, 0.12)});
  }
  void SshGuesses() {
    int64_t seconds = 5 * 3600;
    const uint32_t victim = Host(Draw(0, 90)), guesser = Stranger();
    const int64_t at = Begin(&seconds);
    EveryWithin(at, seconds, 30.0 / world_.options.intensity, 0.4,
                [&](int64_t time) { Guess(guesser, victim, 22, time); });
  }
  void SshGuessesOddPort() {
    int64_t seconds = 3600;
    const uint32_t victim = Host(Draw(0, 90)), guesser = Stranger();
    const int64_t at = Begin(&seconds);
    for (int64_t i = 0; i < Scaled(400); ++i) Guess(guesser, victim, 2222, Within(at, seconds));
  }
  void SshGuessesDistributed() { GuessTogether(25, Scaled(20), 22, 4 * 3600); }
  void SmtpGuesses() { GuessTogether(60, Scaled(12), 587, 6 * 3600); }
  void GuessTogether(int sources, int64_t each, uint16_t port, int64_t seconds) {
    const uint32_t victim = Host(Draw(0, 90));
    const int64_t at = Begin(&seconds);
    for (int i = 0; i < sources; ++i) {
      const uint32_t source = Actor(Stranger());
      for (int64_t k = 0; k < each; ++k) Guess(source, victim, port, Within(at, seconds));
    }
  }
  void RdpSpray() {
    int64_t seconds = 3 * 3600;
    const int64_t at = Begin(&seconds), rounds = Scaled(4);
    for (size_t target = 0; target < 30; ++target) {
      for (int64_t i = 0; i < rounds; ++i) {
        const int64_t time = Within(at, seconds);
        Log({AttackHost(2), Host(target * 3), 3389, time, Draw(1, 4), Bytes(1900, 0.1), Bytes(2300, 0.1)});
      }
    }
  }
  void DatabaseGuesses() {
    int64_t seconds = 2 * 3600;
    const uint32_t victim = Host(46);
    const int64_t at = Begin(&seconds);
    for (int64_t i = 0; i < Scaled(300); ++i) {
      const int64_t time = Within(at, seconds);
      Log({AttackHost(3), victim, 5432, time, 1, Bytes(420, 0.1), Bytes(560, 0.1)});
    }
  }

  // -- exfiltration
  void ExfilManySessions() {
    int64_t seconds = 6 * 3600;
    const uint32_t peer = Stranger();
    const int64_t at = Begin(&seconds);
    for (int64_t i = 0; i < 400; ++i) {
      const int64_t time = Within(at, seconds);
      Log({AttackHost(4), peer, 443, time, Draw(2, 10), Scaled(static_cast<double>(Bytes(5e5, 0.2))),
           Bytes(4000, 0.3)});
    }
  }
  void ExfilDns() { DnsOut(AttackHost(5), Scaled(6e6), 4 * 3600); }
  void DnsTunnel() { DnsOut(AttackHost(6), Scaled(3e6), 5 * 3600); }
  void DnsOut(uint32_t host, int64_t bytes, int64_t seconds) {
    const uint32_t server = Stranger();
    const int64_t at = Begin(&seconds);
    for (int64_t sent = 0; sent < bytes;) {
      const int64_t query = Draw(180, 240), time = Within(at, seconds);
      Log({host, server, 53, time, 1, query, Bytes(150, 0.3), 17});
      sent += query;
    }
  }
  void ExfilBucket() { Upload(AttackHost(7), PeerOf("S3"), Scaled(3e9), 2 * 3600, 6); }
  void ExfilLoud() { Upload(AttackHost(8), Stranger(), Scaled(5e9), 1800, 2); }
  void Upload(uint32_t host, uint32_t peer, int64_t bytes, int64_t seconds, int sessions) {
    const int64_t at = Begin(&seconds);
    for (int i = 0; i < sessions; ++i)
      Log({host, peer, 443, at + i * seconds / sessions, seconds / sessions, bytes / sessions, bytes / 400});
  }
  // Small every night, by scp.
  void ScpNightly() {
    const uint32_t peer = Stranger();
    Daily(1, Hours::kNight, [&](int64_t at) { Log({AttackHost(9), peer, 22, at, 90, Scaled(6e7), 60'000}); });
  }
  // From stores of ours to one host, before it goes out.
  void Staging() {
    int64_t seconds = 5 * 3600;
    const int64_t at = Begin(&seconds);
    for (size_t store = 0; store < 6; ++store) {
      const int64_t time = at + static_cast<int64_t>(store) * seconds / 6;
      Log({AttackHost(10), Host(46 + store), static_cast<uint16_t>(store < 3 ? 5432 : 445), time, seconds / 7,
           3'000'000, Scaled(6.3e9)});
    }
  }
  void OpenStoreRead() {
    int64_t seconds = 3600;
    const uint32_t reader = Stranger(), store = Host(Draw(0, 90));
    const int64_t at = Begin(&seconds);
    for (int64_t i = 0; i < 20; ++i)
      Log({reader, store, 9200, at + i * seconds / 20, seconds / 25, 90'000, Scaled(3e8)});
  }
  void ServiceAccount() {
    int64_t seconds = 3 * 3600;
    const int64_t at = Begin(&seconds);
    for (size_t store = 0; store < 3; ++store) {
      const int64_t time = Within(at, seconds);
      Log({Host(28), Host(47 + store), 5432, time, 900, 200'000, Scaled(8e8)});
    }
  }

  // -- command and control
  void BeaconMinute() { Beacon(AttackHost(11), Stranger(), 60, 0.05, 443); }
  void BeaconHourly() { Beacon(AttackHost(12), Stranger(), 3600, 0.05, 443); }
  void BeaconThird() { Beacon(AttackHost(13), Stranger(), 300, 0.3, 443); }
  void BeaconHalf() { Beacon(AttackHost(14), Stranger(), 900, 0.5, 8443); }
  void BeaconSeconds() {
    const uint32_t peer = Stranger();
    int64_t seconds = 3600;
    const int64_t at = Begin(&seconds);
    EveryWithin(at, seconds, 3, 0.2, [&](int64_t time) {
      Log({AttackHost(15), peer, 8080, time, 1, Bytes(300, 0.05), Bytes(500, 0.05)});
    });
  }
  void BeaconDns() {
    const uint32_t server = Stranger();
    Every(60, 0.2, [&](int64_t time) { Log({AttackHost(16), server, 53, time, 1, Draw(60, 90), Draw(90, 160), 17}); });
  }
  void Beacon(uint32_t host, uint32_t peer, double period, double jitter, uint16_t port) {
    Every(period / world_.options.intensity, jitter, [&](int64_t time) {
      Log({host, peer, port, time, Draw(1, 3), Bytes(640, 0.06), Bytes(980, 0.06)});
    });
  }
  // Behind a content network, by long polls.
  void CdnPoll() {
    const uint32_t edge = PeerOf("CLOUDFRONT");
    int64_t seconds = 12 * 3600;
    const int64_t begin = Begin(&seconds);
    for (int64_t at = begin; at < begin + seconds; at += Draw(100, 130))
      Log({AttackHost(17), edge, 443, at, 95, Bytes(700, 0.1), Bytes(900, 0.2)});
  }
  // The server of an old infection refuses every call.
  void RefusedCalls() {
    const uint32_t peer = Stranger();
    int64_t seconds = 8 * 3600;
    const int64_t at = Begin(&seconds), n = Scaled(700);
    EveryWithin(at, seconds, static_cast<double>(seconds) / static_cast<double>(n), 0.2, [&](int64_t time) {
      Fail({AttackHost(18), peer, 2404, time, Failure::kClosed});
    });
  }
  void ReverseShell() {
    int64_t seconds = 14 * 3600;
    const uint32_t peer = Stranger();
    const int64_t at = Begin(&seconds);
    Log({AttackHost(19), peer, 4444, at, seconds, Scaled(900'000), 120'000, 6, 0, 45});
  }
  void LongTls() {
    int64_t seconds = 30 * 3600;
    const uint32_t peer = Stranger();
    const int64_t at = Begin(&seconds);
    Log({AttackHost(20), peer, 443, at, seconds, Scaled(2e6), 600'000, 6, 0, 50});
  }
  void MiningPool() {
    int64_t seconds = 20 * 3600;
    const uint32_t pool = Stranger();
    const int64_t at = Begin(&seconds);
    Log({AttackHost(21), pool, 3333, at, seconds, Scaled(3e6), 7'000'000, 6, 0, 30});
  }
  void MiningPods() {
    int64_t seconds = 10 * 3600;
    const uint32_t pool = Stranger();
    const int64_t at = Begin(&seconds);
    for (size_t i = 0; i < 8; ++i) {
      const uint32_t pod = Actor(AttackHost(22 + i));
      const int64_t time = at + Draw(0, 900);
      Log({pod, pool, 14444, time, seconds - 900, Scaled(2e6), 5'000'000, 6, 0, 30});
    }
  }

  // -- movement
  void Shell(uint32_t from, uint32_t to, uint16_t port, int64_t at, int64_t seconds) {
    Log({from, to, port, at, seconds, Bytes(90'000, 0.5), Bytes(400'000, 0.5)});
  }
  void HopChain() {
    int64_t seconds = 3 * 3600;
    const int64_t at = Begin(&seconds);
    constexpr uint16_t kPorts[] = {22, 3389, 5985, 445};
    for (size_t i = 0; i < 4; ++i) {
      const uint32_t from = Actor(AttackHost(30 + i)), to = AttackHost(31 + i);
      Shell(from, to, kPorts[i], at + static_cast<int64_t>(i) * seconds / 5, seconds / 2);
    }
  }
  void SmbFanOut() { FanOut(AttackHost(35), 445, Scaled(15), 3600); }
  void SshFanOut() { FanOut(AttackHost(36), 22, Scaled(14), 2 * 3600); }
  void FanOut(uint32_t from, uint16_t port, int64_t n, int64_t seconds) {
    const int64_t at = Begin(&seconds);
    for (int64_t i = 0; i < n; ++i) {
      const uint32_t to = Host(static_cast<size_t>(40 + i * 5));
      if (to != from) Shell(from, to, port, at + i * seconds / n, Draw(20, 300));
    }
  }
  void PortKnocking() {
    int64_t seconds = 1800;
    const uint32_t visitor = Stranger(), host = Host(Draw(0, 90));
    const int64_t at = Begin(&seconds);
    for (int i = 0; i < 8; ++i)
      Fail({visitor, host, static_cast<uint16_t>(Draw(1000, 60'000)), at + i * 2, Failure::kRejected});
    Shell(visitor, host, 22, at + 30, seconds - 60);
  }

  // -- floods
  void SynFlood() {
    int64_t seconds = 600;
    const uint32_t site = Host(39);
    const int64_t at = Begin(&seconds);
    for (int64_t minute = 0; minute * 60 < seconds; ++minute) {
      for (int64_t i = 0; i < Scaled(800); ++i) {
        const uint32_t source = Stranger();
        const int64_t time = Within(at + minute * 60, 60);
        if (actors_.size() < 200) Actor(source);
        Fail({source, site, 443, time, Failure::kSilent});
      }
    }
  }
  // Servers that somebody asked in the victim's name answer it.
  void UdpReflection() {
    int64_t seconds = 600;
    const uint32_t victim = Host(Draw(0, 90));
    const int64_t at = Begin(&seconds);
    const auto port = static_cast<uint16_t>(Draw(20'000, 60'000));
    for (int i = 0; i < 400; ++i) {
      const uint32_t server = Actor(Stranger());
      Log({server, victim, port, at, seconds, Scaled(4e6), 0, 17, 123, 60, true});
    }
  }
  // Very many connections that say little and stay.
  void SlowHttp() {
    int64_t seconds = 3600;
    const uint32_t visitor = Stranger(), site = Host(40);
    const int64_t at = Begin(&seconds);
    for (int64_t i = 0; i < Scaled(500); ++i) {
      const int64_t time = Within(at, 600);
      Log({visitor, site, 443, time, seconds - 700, 900, 300, 6, 0, 15});
    }
  }

 private:
  uint32_t Actor(uint32_t address) {
    if (std::find(actors_.begin(), actors_.end(), address) == actors_.end()) actors_.push_back(address);
    return address;
  }
};

}  // namespace

std::vector<OfficePlant> OfficeAttackPlants() {
  const auto attack = [](std::string_view name, std::vector<std::string> detectors, std::string_view meaning,
                         auto* make) {
    return OfficePlant{{name, false, meaning, SynthWorld::kOffice}, std::move(detectors), make};
  };
  return {
      attack("scan_hosts_inside", {"port_scan", "lateral_movement"},
             "an inside host tries a port of one host a minute, for 4 hours",
             &MakePlant<&OfficeAttacks::ScanHostsInside>),
      attack("scan_distributed", {"port_scan"}, "50 outside hosts try 1,000 ports of a host",
             &MakePlant<&OfficeAttacks::ScanDistributed>),
      attack("scan_ports_inside", {"port_scan"}, "an inside host tries 100 ports of another in 2 hours",
             &MakePlant<&OfficeAttacks::ScanPortsInside>),
      attack("scan_ports_outside", {"port_scan"}, "an outside host tries 400 ports of a host in an hour",
             &MakePlant<&OfficeAttacks::ScanPortsOutside>),
      attack("ssh_guesses", {"brute_force"}, "2 guesses a minute at ssh, for 5 hours",
             &MakePlant<&OfficeAttacks::SshGuesses>),
      attack("ssh_guesses_odd_port", {"brute_force"}, "400 guesses at ssh on port 2222 in an hour",
             &MakePlant<&OfficeAttacks::SshGuessesOddPort>),
      attack("ssh_guesses_distributed", {"brute_force"}, "25 sources guess 20 times each at ssh",
             &MakePlant<&OfficeAttacks::SshGuessesDistributed>),
      attack("rdp_spray", {"brute_force", "lateral_movement"}, "an inside host guesses 4 times at RDP of 30 hosts each",
             &MakePlant<&OfficeAttacks::RdpSpray>),
      attack("smtp_guesses", {"brute_force"}, "60 sources guess 12 times each at SMTP submission",
             &MakePlant<&OfficeAttacks::SmtpGuesses>),
      attack("database_guesses", {"brute_force", "lateral_movement"}, "an inside host guesses 300 times at a database",
             &MakePlant<&OfficeAttacks::DatabaseGuesses>),
      attack("exfil_many_sessions", {"exfiltration"}, "200 MB in 400 sessions to one peer in 6 hours",
             &MakePlant<&OfficeAttacks::ExfilManySessions>),
      attack("exfil_dns", {"tunnel", "exfiltration"}, "6 MB in DNS queries in 4 hours",
             &MakePlant<&OfficeAttacks::ExfilDns>),
      attack("dns_tunnel", {"tunnel", "exfiltration"}, "3 MB in DNS queries in 5 hours",
             &MakePlant<&OfficeAttacks::DnsTunnel>),
      attack("exfil_bucket", {"exfiltration"}, "3 GB to a stranger's bucket in 2 hours",
             &MakePlant<&OfficeAttacks::ExfilBucket>),
      attack("exfil_loud", {"exfiltration"}, "5 GB to one peer in half an hour", &MakePlant<&OfficeAttacks::ExfilLoud>),
      attack("scp_nightly", {"exfiltration"}, "60 MB a night by scp", &MakePlant<&OfficeAttacks::ScpNightly>),
      attack("staging", {"collection", "exfiltration", "lateral_movement"},
             "38 GB from inside stores to one inside host", &MakePlant<&OfficeAttacks::Staging>),
      attack("open_store_read", {"exfiltration", "unauthorised_access"},
             "a stranger reads 6 GB of an open search server", &MakePlant<&OfficeAttacks::OpenStoreRead>),
      attack("service_account", {"collection", "exfiltration", "lateral_movement"},
             "a runner reads three databases that it never read", &MakePlant<&OfficeAttacks::ServiceAccount>),
      attack("beacon_minute", {"beacon"}, "a call a minute, jitter 5 %", &MakePlant<&OfficeAttacks::BeaconMinute>),
      attack("beacon_hourly", {"beacon"}, "a call an hour, jitter 5 %", &MakePlant<&OfficeAttacks::BeaconHourly>),
      attack("beacon_third", {"beacon"}, "a call every 5 minutes, jitter 30 %",
             &MakePlant<&OfficeAttacks::BeaconThird>),
      attack("beacon_half", {"beacon"}, "a call every 15 minutes, jitter 50 %", &MakePlant<&OfficeAttacks::BeaconHalf>),
      attack("beacon_seconds", {"beacon"}, "a call every 3 seconds for an hour",
             &MakePlant<&OfficeAttacks::BeaconSeconds>),
      attack("beacon_dns", {"beacon", "tunnel"}, "a query a minute to one server, jitter 20 %",
             &MakePlant<&OfficeAttacks::BeaconDns>),
      attack("cdn_poll", {"beacon"}, "long polls through a content network for 12 hours",
             &MakePlant<&OfficeAttacks::CdnPoll>),
      attack("refused_calls", {"beacon"}, "700 calls that an outside host refuses",
             &MakePlant<&OfficeAttacks::RefusedCalls>),
      attack("reverse_shell", {"long_session", "beacon"}, "one session of 14 hours to an outside host",
             &MakePlant<&OfficeAttacks::ReverseShell>),
      attack("long_tls", {"long_session", "beacon"}, "one TLS session of 30 hours",
             &MakePlant<&OfficeAttacks::LongTls>),
      attack("mining_pool", {"long_session", "beacon"}, "one session of 20 hours with a mining pool",
             &MakePlant<&OfficeAttacks::MiningPool>),
      attack("mining_pods", {"long_session", "beacon"}, "8 hosts keep sessions with a mining pool for 10 hours",
             &MakePlant<&OfficeAttacks::MiningPods>),
      attack("hop_chain", {"lateral_movement", "new_admin_edge"}, "from host to host by SSH, RDP, WinRM and SMB",
             &MakePlant<&OfficeAttacks::HopChain>),
      attack("smb_fan_out", {"lateral_movement", "new_admin_edge"}, "an inside host gets into SMB of 15 hosts",
             &MakePlant<&OfficeAttacks::SmbFanOut>),
      attack("ssh_fan_out", {"lateral_movement", "new_admin_edge"}, "an inside host gets into ssh of 14 hosts",
             &MakePlant<&OfficeAttacks::SshFanOut>),
      attack("port_knocking", {"accepted_after_reject", "unauthorised_access"},
             "an outside host knocks at 8 ports, then gets in by ssh", &MakePlant<&OfficeAttacks::PortKnocking>),
      attack("syn_flood", {"flood"}, "800 sources a minute that open nothing, for 10 minutes",
             &MakePlant<&OfficeAttacks::SynFlood>),
      attack("udp_reflection", {"flood"}, "400 time servers answer what the victim never asked",
             &MakePlant<&OfficeAttacks::UdpReflection>),
      attack("slow_http", {"flood"}, "one visitor keeps 500 connections that say nothing",
             &MakePlant<&OfficeAttacks::SlowHttp>),
  };
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
