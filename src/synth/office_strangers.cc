// What strangers do with an office all day, and what its hosts do with strangers: nothing of it is an attack.
#include <vector>

#include "src/synth/office.h"

VPCFLOW_NAMESPACE_BEGIN
namespace internal {
namespace {

class OfficeStrangers : public Office {
 public:
  using Office::Office;

  // A node of a blockchain: many peers, most of which are gone.
  void BlockchainNode() { Peers(Host(kBlockchain), 8333, 700, 0.55); }
  void FileSharing() { Peers(Host(kShare), 0, 500, 0.45); }
  void Peers(uint32_t host, uint16_t port, uint32_t a_day, double gone) {
    Daily(a_day, Hours::kAll, [&](int64_t at) {
      const uint32_t peer = Stranger();
      const uint16_t to = port != 0 ? port : static_cast<uint16_t>(Draw(1025, 65535));
      if (random_.Chance(gone)) {
        Fail({host, peer, to, at, random_.Chance(0.3) ? Failure::kClosed : Failure::kSilent});
      } else {
        Log({host, peer, to, at, Draw(30, 4000), Bytes(300'000, 1.5), Bytes(900'000, 1.5)});
      }
    });
  }

  void MailRelays() {
    for (const uint32_t relay : Some(2, kMailRelays)) {
      Daily(900, Hours::kWork, [&](int64_t at) {
        const uint32_t other = Stranger();
        if (random_.Chance(0.06)) {
          Fail({relay, other, 25, at, random_.Chance(0.5) ? Failure::kClosed : Failure::kSilent});
        } else {
          Log({relay, other, 25, at, Draw(1, 12), Bytes(30'000, 1.2), Bytes(900, 0.3)});
        }
      });
      Daily(1500, Hours::kAll, [&](int64_t at) {
        Log({Stranger(), relay, 25, at, Draw(1, 20), Bytes(18'000, 1.3), Bytes(1100, 0.3)});
      });
    }
  }

  // Everybody may read it; crawlers read it all, and old links lead to closed ports.
  void PublicSite() {
    const std::vector<uint32_t> sites = Some(Draw(2, 4), kSites);
    Daily(14'000, Hours::kWork, [&](int64_t at) {
      Log({Stranger(), sites[random_.Below(sites.size())], static_cast<uint16_t>(random_.Chance(0.9) ? 443 : 80), at,
           Draw(1, 30), Bytes(2200, 0.6), Bytes(60'000, 1.2)});
    });
  }
  void WebCrawlers() {
    const std::vector<uint32_t> sites = Some(4, kSites);
    for (uint32_t i = 0, n = Draw(3, 6); i < n; ++i) {
      const uint32_t crawler = Stranger();
      Daily(700, Hours::kAll, [&](int64_t at) {
        const uint32_t site = sites[random_.Below(sites.size())];
        if (random_.Chance(0.08)) {
          Fail({crawler, site, static_cast<uint16_t>(random_.Chance(0.5) ? 80 : 8080), at, Failure::kRejected});
        } else {
          Log({crawler, site, 443, at, Draw(1, 4), Bytes(900, 0.3), Bytes(40'000, 1.0)});
        }
      });
    }
  }

  void PublicSftp() {
    const uint32_t server = Host(kSftp);
    for (uint32_t i = 0, n = Draw(60, 140); i < n; ++i) {
      const uint32_t partner = Stranger();
      const bool lost = random_.Chance(0.08);  // a wrong address, then the right one
      Daily(Draw(1, 6), Hours::kAll, [&](int64_t at) {
        if (lost && random_.Chance(0.3))
          Fail({partner, server, static_cast<uint16_t>(Draw(20, 30)), at - 5, Failure::kRejected});
        Log({partner, server, 22, at, Draw(2, 200), Bytes(400'000, 1.6), Bytes(90'000, 1.6)});
      });
    }
  }

  // Surveys of the whole internet, sweeps of one port, and the noise of worms.
  void InternetScanners() {
    const auto knock = [&](uint32_t scanner, uint16_t port, int64_t at) {
      Fail({scanner, AnyHost(), port, at, Failure::kRejected});
    };
    for (uint32_t i = 0, n = Draw(40, 80); i < n; ++i) {
      const uint32_t census = world_.first_noise + random_.Below(world_.options.noise_sources);
      Daily(Draw(40, 300), Hours::kAll, [&](int64_t at) { knock(census, static_cast<uint16_t>(Draw(1, 10000)), at); });
    }
    constexpr uint16_t kSwept[] = {23, 22, 445, 3389, 8080, 5060, 1433, 6379, 2375, 3306, 5900, 9200};
    for (int i = 0; i < std::lround(Draw(30, 60) * std::max(1.0, days())); ++i) {
      const uint32_t sweeper = world_.first_noise + random_.Below(world_.options.noise_sources);
      const uint16_t port = kSwept[random_.Below(12)];
      const int64_t at = Within(begin_, span_);
      for (uint32_t h = 0, count = Draw(20, 200); h < count; ++h) knock(sweeper, port, Within(at, 900));
    }
    Daily(6000, Hours::kAll, [&](int64_t at) {
      knock(world_.first_noise + random_.Below(world_.options.noise_sources), kSwept[random_.Below(12)], at);
    });
  }
};

}  // namespace

std::vector<OfficePlant> OfficeStrangersPlants() {
  return {
      BenignPlant("blockchain_node", "a host with very many peers, half of which are gone",
                  &MakePlant<&OfficeStrangers::BlockchainNode>),
      BenignPlant("file_sharing", "a host with peers at any port", &MakePlant<&OfficeStrangers::FileSharing>),
      BenignPlant("mail_relays", "relays send mail to and get it from everybody",
                  &MakePlant<&OfficeStrangers::MailRelays>),
      BenignPlant("public_site", "web servers that everybody reads", &MakePlant<&OfficeStrangers::PublicSite>),
      BenignPlant("web_crawlers", "crawlers read all web servers, and follow old links",
                  &MakePlant<&OfficeStrangers::WebCrawlers>),
      BenignPlant("public_sftp", "an sftp server that a hundred partners use",
                  &MakePlant<&OfficeStrangers::PublicSftp>),
      BenignPlant("internet_scanners", "surveys, sweeps and worms of the internet, rejected",
                  &MakePlant<&OfficeStrangers::InternetScanners>),
  };
}

}  // namespace internal
VPCFLOW_NAMESPACE_END
