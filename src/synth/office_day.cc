// What the hosts of an office do all day: nothing of it is an attack.
#include <set>
#include <vector>

#include "src/synth/office.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class OfficeDay : public Office {
 public:
  using Office::Office;

  // Nodes come and go; pods ask names, watch the API, and call each other at high ports, some after they are gone.
  void Kubernetes() {
    const std::vector<uint32_t> nodes = Some(Draw(6, 20), kNodes);
    const uint32_t api = nodes[0];
    for (const uint32_t node : nodes) {
      if (node == api) continue;
      Every(Draw(60, 120), 0.1, [&](int64_t at) { Log({api, node, 10250, at, 1, 300, 900}); });
      for (int64_t at = begin_; at < end(); at += Draw(1800, 5400))
        Log({node, api, 6443, at, 1800, Bytes(40'000), Bytes(400'000)});
    }
    std::vector<uint16_t> services;
    for (int i = 0; i < 30; ++i) services.push_back(static_cast<uint16_t>(Draw(30000, 32767)));
    Daily(9000, Hours::kAll, [&](int64_t at) {
      const uint32_t from = nodes[Draw(1, static_cast<uint32_t>(nodes.size()) - 1)],
                     to = nodes[random_.Below(nodes.size())];
      const uint16_t port = services[random_.Below(services.size())];
      if (from == to) return;
      if (random_.Chance(0.03)) {
        Fail({from, to, port, at, Failure::kClosed});  // the pod is gone
      } else {
        Log({from, to, port, at, Draw(1, 20), Bytes(1200), Bytes(6000)});
      }
    });
    Daily(4000, Hours::kAll, [&](int64_t at) {
      Log({nodes[Draw(1, static_cast<uint32_t>(nodes.size()) - 1)], api, 53, at, 1, 60, Bytes(160, 0.3), 17});
    });
  }

  // Balancers ask every target; a target that is deployed refuses for some minutes.
  void HealthChecks() {
    const std::vector<uint32_t>& balancers = world_.by_role[static_cast<size_t>(Role::kLoadBalancer)];
    for (const uint32_t balancer : balancers) {
      const auto port = static_cast<uint16_t>(random_.Chance(0.5) ? 8080 : Draw(8000, 9999));
      const double period = random_.Chance(0.2) ? 30 : 60;
      for (uint32_t i = 0, n = Draw(1, 2); i < n; ++i) {
        const uint32_t target = AnyHost();
        const int64_t down = Within(begin_, span_), up = down + Draw(60, 900);
        Every(period, 0.02, [&](int64_t at) {
          if (at >= down && at < up) {
            Fail({balancer, target, port, at, Failure::kClosed});
          } else {
            Log({balancer, target, port, at, 1, 180, 260});
          }
        });
      }
    }
  }

  void Prometheus() {
    constexpr uint16_t kExporters[] = {9100, 9090, 9104, 9187, 9121, 8080, 15020, 10250, 9308, 9115};
    const uint32_t monitor = Host(kMonitors);
    for (size_t i = 0; i < hosts() / 8; ++i) {
      const uint32_t target = Host(i * 8);
      if (target == monitor) continue;
      for (uint32_t p = 0, n = random_.Chance(0.15) ? Draw(2, 4) : 1; p < n; ++p) {
        const uint16_t port = p == 0 ? 9100 : kExporters[random_.Below(10)];
        const bool gone = random_.Chance(0.03);
        // One connection for minutes, one answer each period.
        for (int64_t at = begin_ + Draw(0, 600); at < end(); at += 1200) {
          if (gone) {
            Fail({monitor, target, port, at, Failure::kClosed});
          } else {
            Log({monitor, target, port, at, 1190, 20 * 300, 20 * Bytes(9000, 0.2), 6, 0, 60});
          }
        }
      }
    }
  }

  void Nagios() {
    const uint32_t monitor = Host(kMonitors + 1);
    for (const uint32_t target : Some(Draw(15, 60), kDesktops)) {
      const uint16_t port = random_.Chance(0.6) ? 22 : 5985;
      if (target == monitor) continue;
      Every(300, 0.03, [&](int64_t at) {
        Log({monitor, target, port, at, Draw(1, 3), Bytes(2600, 0.05), Bytes(3400, 0.05)});
      });
    }
  }

  void CiRunners() {
    const uint32_t registry = PeerOf("EC2"), packages = PeerOf("CLOUDFRONT"), code = Stranger();
    for (const uint32_t runner : Some(Draw(2, 6), kRunners)) {
      Daily(Draw(8, 30), Hours::kWork, [&](int64_t at) {
        Log({runner, code, 22, at, Draw(2, 20), Bytes(8000), Bytes(3e6)});
        Log({runner, packages, 443, at + 20, Draw(10, 90), Bytes(60'000), Bytes(1.5e8)});
        Log({runner, registry, 443, at + 200, Draw(20, 200), Bytes(2.2e8, 0.7), Bytes(50'000)});
      });
    }
  }

  // Over the VPN to the building, and to a provider.
  void NightlyBackup() {
    const uint32_t server = Host(kBackupServer), vault = OnPremises(90), provider = Stranger();
    for (const uint32_t store : Some(6, kDatabases)) {
      Daily(1, Hours::kNight, [&](int64_t at) {
        Log({store, server, 873, at, Draw(300, 2400), Bytes(4e9, 0.6), Bytes(2e6)});
      });
    }
    Daily(1, Hours::kNight, [&](int64_t at) {
      Log({server, vault, 8200, at, Draw(2000, 7000), Bytes(9e9, 0.5), Bytes(4e6)});
    });
    Daily(3, Hours::kNight, [&](int64_t at) {
      Log({server, provider, 443, at, Draw(900, 3000), Bytes(2.5e9, 0.5), Bytes(3e6)});
    });
  }

  // Desktops and servers of a Windows domain.
  void DomainControllers() {
    const std::vector<uint32_t> controllers = Some(2, kControllers);
    for (const uint32_t member : Some(Draw(30, 70), kDesktops)) {
      const bool always = random_.Chance(0.4);
      Daily(Draw(12, 40), always ? Hours::kAll : Hours::kWork, [&](int64_t at) {
        const uint32_t controller = controllers[random_.Chance(0.8) ? 0 : 1];
        Log({member, controller, 88, at, 1, Bytes(1600, 0.2), Bytes(1700, 0.2)});
        Log({member, controller, 389, at, Draw(1, 8), Bytes(2400, 0.4), Bytes(5200, 0.6)});
        if (random_.Chance(0.6))
          Log({member, controller, 445, at + 1, Draw(1, 15), Bytes(3600, 0.5), Bytes(6400, 0.8)});
        if (random_.Chance(0.2)) {
          Log({member, controller, 135, at + 2, 1, 420, 380});
          Log({member, controller, static_cast<uint16_t>(Draw(49152, 49700)), at + 2, Draw(1, 4), Bytes(1800, 0.4),
               Bytes(2600, 0.4)});
        }
      });
    }
  }

  // chrony at public servers.
  void NtpClients() {
    std::vector<uint32_t> servers;
    for (int i = 0; i < 8; ++i) servers.push_back(Stranger());
    for (size_t i = 0; i < hosts() / 2; ++i) {
      const uint32_t host = AnyHost();
      for (uint32_t n = 0, count = Draw(1, 4); n < count; ++n) {
        const uint32_t server = servers[random_.Below(servers.size())];
        Every(64 << Draw(2, 4), 0.02, [&](int64_t at) { Log({host, server, 123, at, 1, 48, 48, 17}); });
      }
    }
  }

  void DnsForwarders() {
    const uint32_t outside[] = {Stranger(), Stranger()};
    const std::vector<uint32_t> resolvers = Some(2, kResolvers);
    for (const uint32_t resolver : resolvers) {
      Daily(9000, Hours::kAll, [&](int64_t at) {
        Log({resolver, outside[random_.Below(2)], 53, at, 1, Draw(28, 70), Bytes(180, 0.6), 17});
      });
    }
    Daily(25'000, Hours::kAll, [&](int64_t at) {
      Log({AnyHost(), resolvers[random_.Below(2)], 53, at, 1, Draw(28, 70), Bytes(150, 0.6), 17});
    });
  }

  // Each job is of a fleet, which calls one peer.
  void CronJobs() {
    constexpr int kPeriods[] = {60, 300, 600, 900, 3600};
    for (uint32_t job = 0, jobs = Draw(3, 7); job < jobs; ++job) {
      const uint32_t peer = random_.Chance(0.5) ? Stranger() : PeerOf("CLOUDFRONT");
      const int period = kPeriods[random_.Below(5)];
      for (uint32_t i = 0, n = Draw(4, 20); i < n; ++i) {
        const uint32_t host = AnyHost();
        Every(period, 0.01, [&](int64_t at) {
          Log({host, peer, 443, at, Draw(1, 3), Bytes(900, 0.1), Bytes(2200, 0.1)});
        });
      }
    }
  }

  // Agents of vendors: a connection of hours and one in between; the vendor is away for a while.
  void VendorAgents() {
    for (uint32_t vendor = 0, vendors = Draw(2, 4); vendor < vendors; ++vendor) {
      const uint32_t peers[] = {Stranger(), Stranger(), Stranger()};
      const int64_t down = Within(begin_, span_), up = down + (vendor == 0 ? Draw(600, 1800) : 0);
      const int period = vendor == 0 ? 60 : static_cast<int>(Draw(120, 900));
      for (size_t i = 0; i < hosts() / 3; ++i) {
        const uint32_t host = Host(i * 7 + vendor), peer = peers[i % 3];
        if (period == 60) {
          for (int64_t at = begin_ + Draw(0, 3600); at < end(); at += Draw(5000, 9000)) {
            if (at >= down && at < up) continue;
            Log({host, peer, 443, at, 4900, Bytes(6'000, 0.3), Bytes(4'000, 0.3), 6, 0, 900});
          }
          for (int64_t at = down; at < up; at += Draw(20, 60)) Fail({host, peer, 443, at, Failure::kSilent});
        } else {
          Every(period, 0.05, [&](int64_t at) {
            Log({host, peer, 443, at, Draw(1, 4), Bytes(1500, 0.4), Bytes(900, 0.4)});
          });
        }
      }
    }
  }

  void VideoCalls() {
    for (const uint32_t desktop : Some(Draw(10, 40), kDesktops)) {
      Daily(Draw(1, 4), Hours::kWork, [&](int64_t at) {
        const uint32_t bridge = Stranger();
        const int64_t seconds = Draw(600, 3600);
        constexpr uint16_t kPorts[] = {3478, 3480, 8801, 10000, 19305};
        Log({desktop, bridge, kPorts[random_.Below(5)], at, seconds, seconds * Draw(40'000, 160'000),
             seconds * Draw(60'000, 260'000), 17});
      });
    }
  }

  // All ports and hosts, at night, as the owners ordered.
  void VulnerabilityScanner() {
    const uint32_t scanner = Host(kScanner);
    constexpr uint16_t kPorts[] = {21,  22,   23,   25,   80,   111,  135,  139,  443,
                                   445, 1433, 3306, 3389, 5432, 5985, 6379, 8080, 9200};
    Daily(1, Hours::kNight, [&](int64_t night) {
      for (size_t i = 0; i < hosts(); ++i) {
        for (const uint16_t port : kPorts) {
          const int64_t at = Within(night, 3600);
          if (Host(i) == scanner || random_.Chance(0.5)) continue;
          Fail({scanner, Host(i), port, at, random_.Chance(0.7) ? Failure::kRejected : Failure::kClosed});
        }
      }
    });
  }

  // Partners and developers come by ssh to a bastion, and from there to hosts.
  void BastionUsers() {
    const uint32_t bastion = Host(kBastions);
    for (uint32_t i = 0, n = Draw(8, 25); i < n; ++i) {
      const uint32_t user = Stranger();
      const uint32_t first = Draw(0, 200);
      const std::vector<uint32_t> own = Some(Draw(1, 5), first);
      Daily(Draw(2, 8), Hours::kWork, [&](int64_t at) {
        const int64_t seconds = Draw(60, 5000);
        if (random_.Chance(0.1)) Log({user, bastion, 22, at - 20, 3, 2400, 2900});  // a wrong key
        Log({user, bastion, 22, at, seconds, Bytes(90'000, 1.0), Bytes(300'000, 1.2)});
        Log({bastion, own[random_.Below(own.size())], 22, at + 9, seconds - 12, Bytes(80'000, 1.0),
             Bytes(280'000, 1.2)});
      });
    }
  }

  // Instances that are started and ended by load: what they call, they call as a group.
  void Autoscaling() {
    const std::vector<uint32_t> group = Some(8, kScaled);
    const uint32_t store = Host(kDatabases), queue = PeerOf("EC2");
    for (const uint32_t host : group) {
      for (int64_t at = begin_ + Within(0, std::min<int64_t>(20'000, span_ / 2)); at < end();
           at += Draw(9000, 30'000)) {
        const int64_t life = Draw(2000, 9000);
        Log({host, store, 5432, at, life, Bytes(2e6), Bytes(9e6)});
        EveryWithin(at, life, 20, 0.2, [&](int64_t poll) {
          Log({host, queue, 443, poll, 18, Bytes(900, 0.2), Bytes(1100, 0.5)});
        });
      }
    }
  }

  // Databases to their replicas, in other VPCs too; applications' pools to them.
  void Replication() {
    constexpr uint16_t kPorts[] = {5432, 3306, 27017, 1433, 6379, 9042};
    const std::vector<uint32_t> stores = Some(6, kDatabases);
    for (size_t i = 0; i < stores.size(); ++i) {
      const uint32_t replica = Host(kScaled + 90 + i);
      for (int64_t at = begin_; at < end(); at += 21'600)
        Log({stores[i], replica, kPorts[i], at, 21'590, Bytes(6e8), Bytes(2e7)});
      for (const uint32_t client : Some(Draw(3, 12), kDesktops + 40 + i * 11)) {
        for (int64_t at = begin_ + Draw(0, 3600); at < end(); at += Draw(3000, 20'000)) {
          Log({client, stores[i], kPorts[i], at, Draw(600, 12'000), Bytes(3e6, 1.0), Bytes(2e7, 1.2)});
        }
      }
    }
  }

  // Applications get a new port; some clients come too early.
  void Deploys() {
    for (int i = 0; i < std::lround(Draw(2, 5) * std::max(1.0, days())); ++i) {
      const uint32_t first_server = Draw(0, 150), first_client = Draw(0, 150);
      const std::vector<uint32_t> servers = Some(Draw(3, 12), first_server), clients = Some(Draw(3, 12), first_client);
      const auto port = static_cast<uint16_t>(Draw(7000, 9999));
      const int64_t ready = Within(begin_ + 600, span_ - 600);
      for (const uint32_t client : clients) {
        for (uint32_t early = 0, n = Draw(0, 12); early < n; ++early) {
          Fail({client, servers[random_.Below(servers.size())], port, ready - Draw(1, 500),
                random_.Chance(0.5) ? Failure::kRejected : Failure::kClosed});
        }
        EveryWithin(ready, std::min<int64_t>(end() - ready, 20'000), Draw(15, 90), 0.4, [&](int64_t at) {
          const uint32_t server = servers[random_.Below(servers.size())];
          if (server != client) Log({client, server, port, at, Draw(1, 8), Bytes(1500), Bytes(9000)});
        });
      }
    }
  }

  // One way, all day.
  void SyslogStream() {
    const uint32_t collector = Host(kCollector);
    for (const uint32_t host : Some(Draw(2, 6), kDesktops + 20)) {
      if (host == collector) continue;
      Log({host, collector, 514, begin_, span_, span_ * Draw(1500, 3400), 0, 17, 514, 1, true});
    }
  }

  // Tests that wait for their database; a cache that is down for minutes, with everybody at its door.
  void IntegrationTests() {
    for (const uint32_t runner : Some(3, kRunners)) {
      const uint32_t store = AnyHost();
      Daily(4, Hours::kWork, [&](int64_t at) {
        for (uint32_t i = 0, n = Draw(6, 24); i < n; ++i) Fail({runner, store, 5432, at + i, Failure::kClosed});
        Log({runner, store, 5432, at + 30, Draw(20, 200), Bytes(200'000), Bytes(400'000)});
      });
    }
  }
  void CacheOutage() {
    const uint32_t cache = Host(kCache);
    const std::vector<uint32_t> clients = Some(Draw(10, 30), 70);
    const int64_t down = Within(begin_, span_), up = down + Draw(300, 1200);
    for (const uint32_t client : clients) {
      if (client == cache) continue;
      for (int64_t at = begin_ + Draw(0, 600); at < end(); at += Draw(1200, 5000)) {
        if (at < down - 1000 || at >= up) Log({client, cache, 6379, at, 1000, Bytes(900'000), Bytes(2e6)});
      }
      for (int64_t at = down; at < up; at += Draw(1, 12)) Fail({client, cache, 6379, at, Failure::kClosed});
    }
  }

  // All hosts fetch updates from a mirror of ours, and it from the vendor.
  void PatchingNight() {
    const uint32_t mirror = Host(kMirror), vendor = PeerOf("CLOUDFRONT");
    Daily(1, Hours::kNight, [&](int64_t night) {
      Log({mirror, vendor, 443, night, 1500, Bytes(300'000), Bytes(1.5e9)});
      for (size_t i = 0; i < hosts(); ++i) {
        if (Host(i) != mirror)
          Log({Host(i), mirror, 80, Within(night, 3000), Draw(5, 90), Bytes(60'000), Bytes(9e7, 0.9)});
      }
    });
  }

  void MulticastTalk() {
    for (const uint32_t host : Some(Draw(5, 20), kDesktops)) {
      const uint32_t group = Draw(0, 2);
      const uint16_t port = group == 0 ? 1900 : group == 1 ? 5353 : 5355;
      Every(Draw(30, 300), 0.05, [&](int64_t at) {
        Log({host, Multicast(group), port, at, 3, Draw(180, 700), 0, 17, port, 60, true});
      });
    }
  }

  // Hosts send their logs to S3.
  void LogShipping() {
    const uint32_t bucket = PeerOf("S3");
    for (size_t i = 0; i < hosts() / 3; ++i) {
      const uint32_t host = Host(i * 3);
      Every(300, 0.1, [&](int64_t at) {
        Log({host, bucket, 443, at, Draw(1, 6), Bytes(400'000, 1.0), Bytes(1200, 0.2)});
      });
    }
  }
};

}  // namespace

std::vector<OfficePlant> OfficeDayPlants() {
  return {
      BenignPlant("kubernetes", "nodes, probes and pods that come and go", &MakePlant<&OfficeDay::Kubernetes>),
      BenignPlant("health_checks", "load balancers ask their targets every 10 or 30 s",
                  &MakePlant<&OfficeDay::HealthChecks>),
      BenignPlant("prometheus", "a monitor scrapes many ports of all hosts", &MakePlant<&OfficeDay::Prometheus>),
      BenignPlant("nagios", "a monitor logs in by ssh and WinRM every 5 minutes", &MakePlant<&OfficeDay::Nagios>),
      BenignPlant("ci_runners", "runners push images to a registry outside", &MakePlant<&OfficeDay::CiRunners>),
      BenignPlant("nightly_backup", "GBs by night, over a VPN and to a provider",
                  &MakePlant<&OfficeDay::NightlyBackup>),
      BenignPlant("domain_controllers", "SMB, Kerberos and LDAP of a Windows domain",
                  &MakePlant<&OfficeDay::DomainControllers>),
      BenignPlant("ntp_clients", "hosts ask public time servers at regular times", &MakePlant<&OfficeDay::NtpClients>),
      BenignPlant("dns_forwarders", "two resolvers ask public ones for all hosts",
                  &MakePlant<&OfficeDay::DnsForwarders>),
      BenignPlant("cron_jobs", "fleets call one peer every minute to every hour", &MakePlant<&OfficeDay::CronJobs>),
      BenignPlant("vendor_agents", "agents keep connections to vendors, of which one is away for a while",
                  &MakePlant<&OfficeDay::VendorAgents>),
      BenignPlant("video_calls", "calls over UDP, large in both directions", &MakePlant<&OfficeDay::VideoCalls>),
      BenignPlant("vulnerability_scanner", "an authorised scanner tries ports of all hosts at night",
                  &MakePlant<&OfficeDay::VulnerabilityScanner>),
      BenignPlant("bastion_users", "partners and developers come by ssh through a bastion",
                  &MakePlant<&OfficeDay::BastionUsers>),
      BenignPlant("autoscaling", "instances that live for an hour or two", &MakePlant<&OfficeDay::Autoscaling>),
      BenignPlant("replication", "databases, their replicas and their clients", &MakePlant<&OfficeDay::Replication>),
      BenignPlant("deploys", "services at new ports, which some ask too early", &MakePlant<&OfficeDay::Deploys>),
      BenignPlant("syslog_stream", "one-way streams over UDP all day", &MakePlant<&OfficeDay::SyslogStream>),
      BenignPlant("integration_tests", "tests that wait for a database", &MakePlant<&OfficeDay::IntegrationTests>),
      BenignPlant("cache_outage", "thousands of refusals of a cache that is down", &MakePlant<&OfficeDay::CacheOutage>),
      BenignPlant("patching_night", "all hosts fetch updates at night", &MakePlant<&OfficeDay::PatchingNight>),
      BenignPlant("multicast", "SSDP, mDNS and LLMNR to groups", &MakePlant<&OfficeDay::MulticastTalk>),
      BenignPlant("log_shipping", "hosts send logs to S3 every 5 minutes", &MakePlant<&OfficeDay::LogShipping>),
  };
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
